//! The ordinary work of the accounts: everything that no attack made.

use super::catalogue::{Catalogue, Event};
use super::record::{Caller, Failure, push_record};
use super::seed::Choice;
use super::template::Scene;
use super::world::{Account, Persona, Principal, World};
use fastrand::Rng;
use std::collections::BTreeSet;

/// Draws the calls of ordinary days.
#[derive(Debug)]
pub(super) struct Background<'a> {
    world: &'a World,
    catalogue: &'a Catalogue,
    /// Zipf's law for habits, by how many calls the habit has.
    ranks: Vec<Choice>,
    /// Of a million records, how many are legitimate calls such as detection rules watch.
    sensitive_per_million: u32,
    /// ARNs of whom attacks use. They make no such calls themselves: what is new in an attack stays new.
    victims: BTreeSet<&'a str>,
}

/// A stretch of calls of one principal: scripts and pages make several at once.
#[derive(Debug)]
pub(super) struct Burst<'a> {
    account: &'a Account,
    region: &'a str,
    principal: &'a Principal,
    /// The call of a burst that is out of habit.
    unusual: Option<&'a Event>,
    address: &'a str,
    user_agent: &'a str,
    seconds: i64,
    pub(super) length: usize,
}

const BURST_LENGTH_MAX: usize = 6;
/// How often another call or principal is drawn when one does not fit the region or the hour.
const DRAWS: usize = 8;

impl<'a> Background<'a> {
    pub(super) fn new(
        world: &'a World,
        catalogue: &'a Catalogue,
        sensitive_per_million: u32,
        victims: BTreeSet<&'a str>,
    ) -> Self {
        let longest = catalogue.events.len();
        let ranks = (1..=longest).map(Choice::zipf).collect();
        Self { world, catalogue, ranks, sensitive_per_million, victims }
    }

    /// Decides who is at work in this account at this time.
    pub(super) fn burst(
        &self,
        account: &'a Account,
        region: &'a str,
        seconds: i64,
        rng: &mut Rng,
    ) -> Burst<'a> {
        let unusual = self.unusual(account, region, rng);
        let principal =
            unusual.map_or_else(|| usual_principal(account, seconds, rng), |(_, principal)| principal);
        Burst {
            account,
            region,
            principal,
            unusual: unusual.map(|(event, _)| event),
            address: principal
                .addresses
                .get(rng.usize(..principal.addresses.len().max(1)))
                .map_or("", String::as_str),
            user_agent: principal
                .user_agents
                .get(rng.usize(..principal.user_agents.len().max(1)))
                .copied()
                .unwrap_or_default(),
            seconds,
            length: if unusual.is_some() { 1 } else { rng.usize(1..=BURST_LENGTH_MAX) },
        }
    }

    /// Appends one record of the burst; `last` is the last second it may have.
    pub(super) fn push(&self, burst: &Burst<'a>, last: i64, rng: &mut Rng, out: &mut String) {
        let seconds = (burst.seconds + rng.i64(0..3)).min(last);
        let event = burst.unusual.unwrap_or_else(|| self.usual_event(burst, rng));
        let Burst { account, region, principal, address, user_agent, .. } = burst;
        let scene = Scene {
            world: self.world,
            account,
            region,
            seconds,
            seed: rng.u64(..),
            target: event.target,
            fixed: &[],
        };
        let caller = if principal.persona == Persona::Service {
            let count = event.invoked_by.len().max(1);
            Caller::Service(
                event.invoked_by.get(rng.usize(..count)).map_or("ec2.amazonaws.com", String::as_str),
            )
        } else {
            let user_agent = if event.is_sign_in() { BROWSER } else { user_agent };
            Caller::Principal { principal, address, user_agent }
        };
        let fails =
            burst.unusual.is_none() && rng.u64(0..1000) < principal.errors_per_mille && !event.is_sign_in();
        let failure = fails.then(|| failure(event, &scene, principal, rng));
        push_record(&scene, event, caller, failure.as_ref(), out);
    }

    fn unusual(
        &self,
        account: &'a Account,
        region: &str,
        rng: &mut Rng,
    ) -> Option<(&'a Event, &'a Principal)> {
        let here = rng.u32(0..1_000_000) < self.sensitive_per_million;
        let index = *self.catalogue.sensitive.get(rng.usize(..self.catalogue.sensitive.len().max(1)))?;
        let event = &self.catalogue.events[index];
        let persona = event.by[rng.usize(..event.by.len())];
        let fits = here && (!event.global || region == self.world.regions[0]);
        fits.then(|| (event, account.one_of(persona, rng.u64(..))))
            .filter(|(_, principal)| !self.victims.contains(principal.arn.as_str()))
    }

    fn usual_event(&self, burst: &Burst<'a>, rng: &mut Rng) -> &'a Event {
        let habit = &burst.principal.habit;
        let ranks = &self.ranks[habit.len() - 1];
        let mut drawn = || &self.catalogue.events[habit[ranks.draw(rng)]];
        let everywhere = |event: &&Event| !event.global || burst.region == self.world.regions[0];
        (0..DRAWS)
            .map(|_| drawn())
            .find(everywhere)
            .or_else(|| habit.iter().map(|&index| &self.catalogue.events[index]).find(everywhere))
            .unwrap_or(&self.catalogue.events[habit[0]])
    }
}

/// The client of a sign-in, whatever the principal works with otherwise.
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

fn usual_principal<'a>(account: &'a Account, seconds: i64, rng: &mut Rng) -> &'a Principal {
    let mut drawn = &account.principals[account.activity.draw(rng)];
    for _ in 0..DRAWS {
        if account.awake(drawn, seconds, rng) {
            return drawn;
        }
        drawn = &account.principals[account.activity.draw(rng)];
    }
    &account.principals[0] // Services never sleep.
}

fn failure(event: &Event, scene: &Scene<'_>, principal: &Principal, rng: &mut Rng) -> Failure {
    let own = event.errors.get(rng.usize(..=event.errors.len()));
    match (own, rng.u8(0..4)) {
        (Some((code, message)), _) => {
            let mut text = String::new();
            message.fill(scene, &mut text);
            Failure { code: Some(code.clone()), message: text }
        }
        (None, 0) if event.service == "ec2" => {
            plain("Client.RequestLimitExceeded", "Request limit exceeded.")
        }
        (None, 0) => plain("ThrottlingException", "Rate exceeded"),
        (None, _) if principal.persona == Persona::Service => plain("AccessDenied", "Access Denied"),
        (None, _) => Failure::not_allowed(event, scene, principal),
    }
}

fn plain(code: &str, message: &str) -> Failure {
    Failure { code: Some(code.to_owned()), message: message.to_owned() }
}
