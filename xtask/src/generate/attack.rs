//! Attacks planted among the ordinary work.

use super::catalogue::{Catalogue, Event};
use super::clock;
use super::plan::Plan;
use super::record::{Caller, Failure, event_id, push_record};
use super::seed::mix;
use super::template::{Scene, Value};
use super::truth::{Expected, Truth};
use super::world::{Account, Persona, Principal, World};
use anyhow::{Context as _, Result};
use fastrand::Rng;
use serde::Deserialize;
use std::path::Path;

/// A scenario of `attacks.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) story: String,
    /// Happens in the first account; otherwise anywhere.
    #[serde(default)]
    first_account: bool,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    set: std::collections::BTreeMap<String, String>,
    step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    call: String,
    r#as: Who,
    client: Client,
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    wait: [i64; 2],
    /// The call is about the instance whose role is stolen.
    #[serde(default)]
    on_role_instance: bool,
    /// Error code of the refusal (of a sign-in, its message), if the call is refused.
    refused: Option<String>,
    /// File stems of the rules that must notice the step.
    #[serde(default)]
    alerts: Vec<String>,
}

fn once() -> usize {
    1
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Who {
    #[serde(rename = "role")]
    InstanceRole,
    User,
    Backdoor,
    Victim,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Client {
    Cli,
    Python,
    Browser,
}

impl Client {
    fn user_agent(self) -> &'static str {
        match self {
            Self::Cli => "aws-cli/2.15.9 Python/3.11.8 Linux/6.6.15-amd64 exe/x86_64.kali.2024 prompt/off",
            Self::Python => {
                "Boto3/1.34.46 md/Botocore#1.34.46 ua/2.0 os/linux#6.6.15-amd64 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.46"
            }
            Self::Browser => "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        }
    }
}

/// A record of an attack and the file it belongs in.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) stream: usize,
    pub(super) seconds: i64,
    pub(super) text: String,
}

/// All scenarios there are.
pub(super) fn scenarios() -> Result<Vec<Scenario>> {
    #[derive(Deserialize)]
    struct File {
        scenario: Vec<Scenario>,
    }
    let file: File = toml::from_str(include_str!("attacks.toml")).context("attacks.toml")?;
    Ok(file.scenario)
}

/// Everything an attack is planted into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) world: &'a World,
    pub(super) catalogue: &'a Catalogue,
    pub(super) plan: &'a Plan,
    /// Folder of the built-in rules, for their ids.
    pub(super) rules: &'a Path,
}

impl Scenario {
    /// Plays the scenario once, late in the time of the data so that rules have a history to compare with.
    pub(super) fn plant(&self, ground: Ground<'_>, seed: u64) -> Result<(Vec<Planted>, Truth)> {
        let Ground { world, catalogue, plan, rules } = ground;
        let mut rng = Rng::with_seed(seed);
        let account_index = if self.first_account { 0 } else { rng.usize(..world.accounts.len()) };
        let account = &world.accounts[account_index];
        let home = if self.first_account { 0 } else { rng.usize(..world.regions.len()) };
        let length = plan.end - plan.start;
        let mut seconds = plan.start + length * 3 / 4 + rng.i64(0..(length / 10).max(1));
        let mut cast = self.cast(world, account, world.regions[home], seconds, seed)?;
        cast.address = format!("198.51.100.{}", 200 + rng.u8(0..50));

        let mut planted = Vec::new();
        let mut truth = Truth {
            scenario: self.name.clone(),
            story: self.story.clone(),
            account: account.id.clone(),
            region: world.regions[home].to_owned(),
            source_address: cast.address.clone(),
            principals: Vec::new(),
            start: String::new(),
            end: String::new(),
            event_ids: Vec::new(),
            expected: Vec::new(),
        };
        for step in &self.step {
            let event = catalogue.event(&step.call)?;
            let region = if event.global { 0 } else { home };
            let principal = cast.principal(step.r#as);
            let mut fixed = cast.fixed.clone();
            if step.on_role_instance {
                fixed.push((Value::Instance, cast.role.session_name.clone()));
            }
            let mut ids = Vec::new();
            let mut first = plan.end;
            for turn in 0..step.times {
                // The first record of a step is alone in its second, so that it is clear which one is first.
                let wait = rng.i64(step.wait[0]..=step.wait[1]).max(i64::from(turn == 1));
                seconds = (seconds + wait).min(plan.end - 1);
                first = first.min(seconds);
                let scene = Scene {
                    world,
                    account,
                    region: world.regions[region],
                    seconds,
                    seed: rng.u64(..),
                    target: event.target,
                    fixed: &fixed,
                };
                let caller = Caller::Principal {
                    principal,
                    address: &cast.address,
                    user_agent: step.client.user_agent(),
                };
                let failure = step.refused.as_deref().map(|code| failure(code, event, &scene, principal));
                let mut text = String::new();
                push_record(&scene, event, caller, failure.as_ref(), &mut text);
                ids.push(event_id(scene.seed));
                planted.push(Planted { stream: plan.stream(account_index, region), seconds, text });
            }
            if !truth.principals.contains(&principal.arn) {
                truth.principals.push(principal.arn.clone());
            }
            for stem in &step.alerts {
                let (user_agent, times) = (step.client.user_agent(), (first, seconds));
                truth.expected.push(Expected::new(rules, stem, &ids, &principal.arn, user_agent, times)?);
            }
            truth.event_ids.append(&mut ids);
        }
        let (first, last) = planted.first().zip(planted.last()).context("a scenario has steps")?;
        clock::push_iso(&mut truth.start, first.seconds);
        clock::push_iso(&mut truth.end, last.seconds);
        Ok((planted, truth))
    }

    /// Who takes part, and the values that stay the same from step to step.
    fn cast<'a>(
        &self,
        world: &World,
        account: &'a Account,
        region: &str,
        seconds: i64,
        seed: u64,
    ) -> Result<Cast<'a>> {
        let scene = Scene { world, account, region, seconds, seed, target: Persona::App, fixed: &[] };
        let value = |name: &str| {
            Value::parse(name)
                .with_context(|| format!("attacks.toml: {}: there is no value ${name}", self.name))
        };
        let mut fixed = Vec::new();
        for (name, text) in &self.set {
            fixed.push((value(name)?, text.clone()));
        }
        for name in &self.fixed {
            let mut text = String::new();
            scene.push(value(name)?, &mut text);
            fixed.push((value(name)?, text));
        }
        let name = fixed.iter().find(|(it, _)| *it == Value::NewUser).map_or("intruder", |(_, text)| text);
        let backdoor = Principal::intruder(name, mix(seed, 1), account);
        let mut issued = String::new();
        backdoor.push_key(seconds, &mut issued);
        fixed.push((Value::IssuedKey, issued));
        Ok(Cast {
            role: account.one_of(Persona::App, mix(seed, 2)),
            user: account.one_of(Persona::User, mix(seed, 3)),
            backdoor,
            fixed,
            address: String::new(),
        })
    }
}

struct Cast<'a> {
    role: &'a Principal,
    user: &'a Principal,
    backdoor: Principal,
    fixed: Vec<(Value, String)>,
    address: String,
}

impl Cast<'_> {
    fn principal(&self, who: Who) -> &Principal {
        match who {
            Who::InstanceRole => self.role,
            Who::User | Who::Victim => self.user,
            Who::Backdoor => &self.backdoor,
        }
    }
}

fn failure(code: &str, event: &Event, scene: &Scene<'_>, principal: &Principal) -> Failure {
    if event.is_sign_in() {
        return Failure { code: None, message: code.to_owned() };
    }
    Failure::refused(code, event, scene, principal)
}
