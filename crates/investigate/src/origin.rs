//! `origin`: where the call came from, and whether the credentials can be there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Lack};
use crate::fill::shown;
use crate::look::{DAY, Look, ids, some, time};
use crate::say::{say, term, word};

/// Tools of attack, by words of their user agents.
const ATTACK_TOOLS: &str = include_str!("attack_tools.txt");
/// Words in the names of networks where machines are rented.
const HOSTING: [&str; 16] = [
    "amazon",
    "microsoft",
    "google",
    "digitalocean",
    "ovh",
    "hetzner",
    "linode",
    "akamai",
    "vultr",
    "choopa",
    "contabo",
    "leaseweb",
    "m247",
    "datacamp",
    "alibaba",
    "oracle",
];
/// So many calls of the agent near the call make its address sure.
const AGENT_CALLS_MIN: usize = 3;

/// What kind of place an address is.
pub(crate) fn kind(address: &str) -> &'static str {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(it)) if it.is_private() || it.is_loopback() || it.is_link_local() => term!("private"),
        Ok(IpAddr::V6(it)) if it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local() => {
            term!("private")
        }
        Ok(_) => term!("public"),
        Err(_) if address.is_empty() => term!("unknown"),
        Err(_) => term!("service"),
    }
}

pub(crate) fn origin(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let Some(anchor) = case.anchor() else { return };
    let src = case.get("src");
    let what = kind(src);
    let vpc = case.get("vpc_endpoint");
    let from = match what {
        "public" => say!(l, "The call came from {}", shown(src)),
        "private" => say!(l, "The call came from the private address {}", shown(src)),
        "service" => say!(l, "The call came through {}", shown(src)),
        _ => say!(l, "The records do not say from where the call came"),
    };
    let endpoint =
        if vpc.is_empty() { String::new() } else { say!(l, ", through the VPC endpoint {}", shown(vpc)) };
    let place: Vec<&str> = [Field::City, Field::Country, Field::Network]
        .map(|it| anchor.get(it))
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect();
    let mut where_it_is = String::new();
    if place.is_empty() {
        if what == "public" {
            evidence.lacks(
                Lack::NoGeo,
                say!(
                    l,
                    "no GeoIP database, or it does not know the address; places and networks not looked up"
                ),
            );
        }
    } else {
        where_it_is = say!(l, " ({})", place.join(", "));
        let network = anchor.get(Field::Network).to_lowercase();
        if !network.is_empty() {
            let hosting = is_hosting(&network);
            let text = if hosting {
                say!(l, "the network rents out machines")
            } else {
                say!(l, "the network is none that is known to rent out machines")
            };
            look.fact("src_hosting", hosting, Confidence::Inferred, Vec::new(), text);
        }
    }
    let agent = anchor.get(Field::Agent);
    let with = if agent.is_empty() { String::new() } else { say!(l, ", with {}", shown(agent)) };
    evidence.statements.push(say!(l, "{}{}{}{}.", from, endpoint, where_it_is, with));
    look.exact("src_kind", what, say!(l, "the kind of the address: {}", word(l, what)));
    if let Some(first) = look.events("same-source").first() {
        let text = say!(l, "the address was first seen at {} in the data looked at", time(first.time));
        look.fact("src_first_seen", ecs::date::to_iso(first.time), Confidence::Exact, ids([&**first]), text);
    }
    let lower = agent.to_lowercase();
    let word = ATTACK_TOOLS
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
        .find(|it| lower.contains(it));
    let text = match word {
        Some(word) => say!(l, "the user agent names {}", shown(word)),
        None => say!(l, "the user agent names no known tool of attack"),
    };
    if word.is_some() {
        look.deviations.push(text.clone());
    }
    look.exact("attack_tool", word.is_some(), text);
    let console = agent.starts_with("Mozilla")
        || agent.contains("signin.amazonaws.com")
        || anchor.get(Field::InvokedBy) == "signin.amazonaws.com";
    let text = if console {
        say!(l, "the call was made in the console")
    } else {
        say!(l, "the call was not made in the console")
    };
    look.exact("via_console", console, text);
    instance_test(look, evidence);
}

/// Whether a network, in lower case, rents out machines.
fn is_hosting(network: &str) -> bool {
    HOSTING.iter().any(|it| network.contains(it))
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Credentials of an instance, used from where the instance is not.
fn instance_test(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let home = case.get("home_instance");
    let src = case.get("src_ip");
    if home.is_empty() || src.is_empty() {
        return;
    }
    let events = look.events("role-of");
    let agent: Vec<&Event> = events
        .iter()
        .map(|it| &**it)
        .filter(|it| it.get(Field::Agent).contains("amazon-ssm-agent"))
        .collect();
    let mut places: BTreeSet<&str> =
        agent.iter().map(|it| it.get(Field::Address)).filter(|it| is_address(it)).collect();
    let assigned = look
        .events("touched")
        .iter()
        .filter(|it| it.get(Field::Action) == "AssociateAddress" && !it.is_refused());
    let assigned: Vec<String> = assigned.map(|it| it.text_at(Field::Request as usize)).collect();
    places.extend(
        assigned.iter().flat_map(|it| it.split(['=', ',', '}', ' ', '"'])).filter(|it| is_address(it)),
    );
    // Through an endpoint of its network the instance speaks from its private address.
    let is_inside = kind(src) == "private" && !case.get("vpc_endpoint").is_empty();
    if places.is_empty() || is_inside || !is_address(src) {
        evidence.statements.push(say!(l, "No event tells the own address of instance {}.", shown(home)));
        return;
    }
    let near = agent.iter().filter(|it| (it.time - case.first).abs() <= DAY).count();
    let outside = !places.contains(src);
    let confidence = if near >= AGENT_CALLS_MIN { Confidence::Exact } else { Confidence::Weak };
    let known = some(l, places.iter().map(|it| shown(it)), 3);
    let text = if outside {
        say!(
            l,
            "the credentials of instance {} were used from {}; the instance itself speaks from {} ({|call|calls} of its agent near it)",
            shown(home),
            shown(src),
            known,
            near
        )
    } else {
        say!(l, "the credentials of instance {} were used from its own address", shown(home))
    };
    if outside {
        look.deviations.push(text.clone());
    }
    evidence.statements.push(say!(l, "The test of the instance: {}.", text));
    look.fact("credentials_outside_instance", outside, confidence, ids(agent), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_addresses() {
        for (address, what) in [
            ("203.0.113.9", "public"),
            ("10.0.0.1", "private"),
            ("2001:db8::1", "public"),
            ("fd00::1", "private"),
            ("ec2.amazonaws.com", "service"),
            ("AWS Internal", "service"),
            ("", "unknown"),
        ] {
            assert_eq!(kind(address), what, "{address}");
        }
    }
}
