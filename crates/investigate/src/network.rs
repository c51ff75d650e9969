//! Who let what into networks: which ports were opened to whom, and whose machines that is about.

use std::collections::BTreeSet;

use rule::GuideLanguage;

use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Found, Row};
use crate::fill::shown;
use crate::look::{Look, ids, short, some, time};
use crate::related::{object_of, told};
use crate::request::{value_in, values_in};
use crate::say::{heads, say, term};
use crate::targets;

/// Ports of remote administration.
const ADMIN_PORTS: [i64; 4] = [22, 3389, 5985, 5986];
/// Of openings of ports so many are told; the table has all.
const OPENINGS_TOLD_MAX: usize = 5;

pub(crate) fn network(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let events = look.events("network");
    let opened: Vec<&Event> = events.iter().map(|it| &**it).filter(|it| opens_admin_port(it)).collect();
    let text = match opened.len() {
        0 => say!(l, "no port of remote administration was opened"),
        count => say!(l, "{|opening|openings} of ports of remote administration", count),
    };
    let value = !opened.is_empty();
    let targets = targets::of(opened.iter().copied());
    for it in opened.iter().take(OPENINGS_TOLD_MAX) {
        evidence.statements.push(say!(
            l,
            "{} opened {} of {} to {} at {}.",
            shown(short(it.identity())),
            ports_of(l, it),
            shown(object_of(it)),
            sources_of(l, it),
            time(it.time)
        ));
    }
    let admin: BTreeSet<&str> = opened.iter().map(|it| &*it.id).collect();
    look.fact("sg_opened_admin_port", value, Confidence::Exact, ids(opened), text);
    look.targets(targets);
    if events.is_empty() {
        return;
    }
    let case = look.case;
    let chain = look.chain_ids();
    let groups = groups_of_instances(look);
    let mut all: Vec<&Event> = events.iter().map(|it| &**it).collect();
    // What opens the way to machines first; then what the identities of the chain did, then what is about the machines.
    all.sort_by_key(|it| {
        (!admin.contains(&*it.id), !chain.contains(&*it.id), !groups.contains(object_of(it)))
    });
    let rows = all.iter().map(|it| {
        let (ports, from) = (ports(it), sources(it));
        let open = if from.iter().any(|it| is_everybody(it)) { say!(l, "everybody") } else { String::new() };
        Row {
            cells: vec![
                time(it.time),
                told(it),
                short(it.identity()).to_owned(),
                ports.join(", "),
                from.join(", "),
                open,
                if chain.contains(&*it.id) { say!(l, "of the chain") } else { String::new() },
            ],
            events: ids([*it]),
            count: 1,
            is_own: case.is_own(it),
        }
    });
    let columns = heads!["time", "call", "who", "ports", "from", "open to", ""];
    evidence.results.push(Found::table(term!("network"), "table", columns, rows));
}

/// Whether a call lets traffic to ports of remote administration in.
fn opens_admin_port(event: &Event) -> bool {
    if event.get(Field::Action) != "AuthorizeSecurityGroupIngress" || event.is_refused() {
        return false;
    }
    let request = event.text(Field::Request);
    let port =
        |key| -> Vec<i64> { values_in(&request, key).iter().filter_map(|it| it.parse().ok()).collect() };
    let (from, to) = (port("fromPort"), port("toPort"));
    let mut ranges = from.iter().zip(&to);
    ranges.any(|(from, to)| *from == -1 || ADMIN_PORTS.iter().any(|it| (from..=to).contains(&it)))
        || (from.is_empty() && value_in(&request, "ipProtocol").is_some_and(|it| it == "-1"))
}

/// The ports that a call is about: `22`, `3000-3010`.
fn ports(event: &Event) -> Vec<String> {
    let request = event.text(Field::Request);
    let ranges = values_in(&request, "fromPort").into_iter().zip(values_in(&request, "toPort"));
    let mut out: Vec<String> = Vec::new();
    for (from, to) in ranges {
        let text = if from == to { from } else { format!("{from}-{to}") };
        if !out.contains(&text) {
            out.push(text);
        }
    }
    out
}

/// From where a call lets traffic in.
fn sources(event: &Event) -> Vec<String> {
    let request = event.text(Field::Request);
    let mut out = values_in(&request, "cidrIp");
    out.extend(values_in(&request, "cidrIpv6"));
    out.dedup();
    out
}

fn is_everybody(source: &str) -> bool {
    source == "0.0.0.0/0" || source == "::/0"
}

/// The ports in words.
pub(crate) fn ports_of(l: GuideLanguage, event: &Event) -> String {
    match ports(event).as_slice() {
        [] => say!(l, "all ports"),
        all if all.iter().any(|it| it == "-1") => say!(l, "all ports"),
        [one] => say!(l, "port {}", one),
        several => say!(l, "ports {}", some(l, several, 5)),
    }
}

/// The sources in words.
pub(crate) fn sources_of(l: GuideLanguage, event: &Event) -> String {
    let all = sources(event);
    if all.iter().any(|it| is_everybody(it)) {
        return say!(l, "everybody");
    }
    if all.is_empty() {
        return say!(l, "members of other groups");
    }
    some(l, all.iter().map(|it| shown(it)), 3)
}

/// The security groups that the machines of the alert were launched with.
fn groups_of_instances(look: &Look<'_>) -> BTreeSet<String> {
    let launches = look.events("launch").iter();
    launches.flat_map(|it| values_in(&it.text_at(Field::Response as usize), "groupId")).collect()
}

/// The security group that a call is about.
pub(crate) fn group_of(event: &Event) -> String {
    value_in(&event.text(Field::Request), "groupId").unwrap_or_default()
}
