//! `origin`: where the call came from, and whether the credentials can be there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Lack};
use crate::fill::shown;
use crate::look::{DAY, HOUR, Look, ids, lasting, some, time, upper};
use crate::request::values_in;
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
        // Numbers that are no address: somebody made the records unrecognisable.
        Err(_) if address.bytes().all(|it| it.is_ascii_digit() || it == b'.') => term!("public"),
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
        _ if case.is_bare => say!(l, "The alert names no address; those of the calls are in the story"),
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
        || anchor.get(Field::InvokedBy) == "signin.amazonaws.com"
        || anchor.get(Field::FromConsole) == "true";
    let text = if console {
        say!(l, "the call was made in the console")
    } else {
        say!(l, "the call was not made in the console")
    };
    look.exact("via_console", console, text);
    instance_test(look, evidence);
    travel(look, evidence);
}

/// Faster than an airliner is not by the same person, and nearer than that is an error of the database.
const SPEED_MAX: f64 = 900.0;
const DISTANCE_MIN: f64 = 500.0;
const EARTH_RADIUS: f64 = 6_371.0;

/// Where an event came from, if that is a place where somebody may sit.
fn place(event: &Event) -> Option<(f64, f64)> {
    let network = event.get(Field::Network).to_lowercase();
    let is_place = kind(event.get(Field::Address)) == "public" && !is_hosting(&network);
    let degrees = |field| event.get(field).parse::<f64>().ok();
    degrees(Field::Latitude).zip(degrees(Field::Longitude)).filter(|_| is_place)
}

/// Kilometres between two places.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (a, b) = (from.0.to_radians(), to.0.to_radians());
    let (high, wide) = ((b - a) / 2.0, (to.1 - from.1).to_radians() / 2.0);
    let h = high.sin().powi(2) + a.cos() * b.cos() * wide.sin().powi(2);
    2.0 * EARTH_RADIUS * h.sqrt().min(1.0).asin()
}

/// Whether the identity was elsewhere too shortly before. Weak by nature: networks are not where people are.
fn travel(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let Some(anchor) = case.anchor() else { return };
    let Some(here) = place(anchor) else { return };
    let mut all = look.chain_events().to_vec();
    // A role is many people; a user is one.
    if case.get("role_arn").is_empty() {
        all.extend(look.events("behaviour").iter().map(|it| &**it));
    }
    let before = all.into_iter().filter(|it| it.time < anchor.time);
    let placed = before.filter_map(|it| Some((it, place(it)?)));
    let last = placed.max_by(|(a, _), (b, _)| (a.time, &a.id).cmp(&(b.time, &b.id)));
    let Some((last, there)) = last else { return };
    let far = distance(there, here);
    let hours = ((anchor.time - last.time).max(1_000)) as f64 / 3_600_000.0;
    let impossible = far > DISTANCE_MIN && far / hours > SPEED_MAX;
    let text = if impossible {
        say!(
            l,
            "the identity called from {} ({}) {} before, {} km away: {} km/h",
            shown(last.get(Field::Address)),
            last.get(Field::Country),
            lasting(l, anchor.time - last.time),
            far.round(),
            (far / hours).round()
        )
    } else {
        say!(
            l,
            "the place before it, {} km away, could be left {} before",
            far.round(),
            lasting(l, anchor.time - last.time)
        )
    };
    if impossible {
        look.deviations.push(text.clone());
        evidence.statements.push(say!(l, "{}.", upper(&text)));
    }
    look.fact("impossible_travel", impossible, Confidence::Weak, ids([last, anchor]), text);
}

/// Whether a network, in lower case, rents out machines.
fn is_hosting(network: &str) -> bool {
    HOSTING.iter().any(|it| network.contains(it))
}

/// Two keys of one instance at once, given out by different versions of the metadata service.
fn deliveries(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let near = look.events("role-of").iter().filter(|it| (it.time - case.first).abs() <= 6 * HOUR);
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for event in near.filter(|it| !it.get(Field::Delivery).is_empty()) {
        keys.insert(event.get(Field::Key), event.get(Field::Delivery));
    }
    let versions: BTreeSet<&str> = keys.values().copied().collect();
    let mixed = versions.len() > 1;
    let text = if mixed {
        say!(
            l,
            "{|key|keys} of the instance are in use at once, from different versions of the metadata service",
            keys.len()
        )
    } else {
        say!(l, "all keys of the instance come from one version of the metadata service")
    };
    if mixed {
        look.deviations.push(text.clone());
        evidence.statements.push(say!(l, "{}.", upper(&text)));
    }
    if !keys.is_empty() {
        look.exact("deliveries_mixed", mixed, text);
    }
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
    deliveries(look, evidence);
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
    // The launch knows the private one.
    let launched: Vec<String> = look
        .events("launch")
        .iter()
        .flat_map(|it| values_in(&it.text_at(Field::Response as usize), "privateIpAddress"))
        .collect();
    if !places.is_empty() && kind(src) == "private" {
        places.extend(launched.iter().map(String::as_str));
    }
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
    fn distances() {
        let (london, boston) = ((51.5, -0.1), (42.36, -71.06));
        let far = distance(london, boston);
        assert!((5_200.0..5_350.0).contains(&far), "{far}");
        assert!(distance(london, london) < 0.001);
    }

    #[test]
    fn kinds_of_addresses() {
        for (address, what) in [
            ("203.0.113.9", "public"),
            ("10.0.0.1", "private"),
            ("2001:db8::1", "public"),
            ("fd00::1", "private"),
            ("ec2.amazonaws.com", "service"),
            ("AWS Internal", "service"),
            ("255.090.254.5", "public"),
            ("", "unknown"),
        ] {
            assert_eq!(kind(address), what, "{address}");
        }
    }
}
