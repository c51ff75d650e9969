//! What the role, and the identity behind it, did before and after.

use std::collections::{BTreeMap, BTreeSet};

use rule::GuideLanguage;

use crate::acts;
use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Found, Row};
use crate::fill::shown;
use crate::look::{HOUR, Look, ROWS_MAX, ids, short, some, tally, time};
use crate::request::{self, value_in};
use crate::say::{heads, say, term};

/// Calls that make something through which somebody comes back.
const PERSISTENCE: [&str; 28] = [
    "CreateUser",
    "CreateAccessKey",
    "CreateLoginProfile",
    "UpdateLoginProfile",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    "AttachUserPolicy",
    "AttachRolePolicy",
    "AttachGroupPolicy",
    "PutUserPolicy",
    "PutRolePolicy",
    "PutGroupPolicy",
    "AddUserToGroup",
    "CreatePolicy",
    "CreatePolicyVersion",
    "SetDefaultPolicyVersion",
    "CreateSAMLProvider",
    "UpdateSAMLProvider",
    "CreateOpenIDConnectProvider",
    "DeactivateMFADevice",
    "CreateServiceSpecificCredential",
    "CreateTrustAnchor",
    "CreateProfile",
    "CreateFunction20150331",
    "UpdateFunctionConfiguration20150331v2",
    "UpdateFunctionCode20150331v2",
    "AddPermission20150331v2",
    "CreateInstanceProfile",
];
pub(crate) const SECRETS: [&str; 6] = [
    "GetSecretValue",
    "BatchGetSecretValue",
    "GetParameter",
    "GetParameters",
    "GetParametersByPath",
    "Decrypt",
];
const SHARING: [&str; 4] = [
    "ModifySnapshotAttribute",
    "ModifyImageAttribute",
    "ModifyDBSnapshotAttribute",
    "ModifyDBClusterSnapshotAttribute",
];
pub(crate) const DESTRUCTION: [&str; 12] = [
    "DeleteObject",
    "DeleteObjects",
    "DeleteBucket",
    "ScheduleKeyDeletion",
    "DisableKey",
    "TerminateInstances",
    "DeleteDBInstance",
    "DeleteDBCluster",
    "DeleteRecoveryPoint",
    "DeleteSnapshot",
    "DeleteVolume",
    "DeleteBackupVault",
];
/// Ports of remote administration.
const ADMIN_PORTS: [i64; 4] = [22, 3389, 5985, 5986];
/// What a call is about: `mallory`.
pub(crate) fn object_of(event: &Event) -> String {
    request::object(&event.text_at(Field::Request as usize)).unwrap_or_default()
}

/// A call with what it is about: `iam:CreateUser mallory`.
pub(crate) fn told(event: &Event) -> String {
    let object = object_of(event);
    if object.is_empty() { event.call() } else { format!("{} {object}", event.call()) }
}

/// The first of several calls with what they are about.
pub(crate) fn told_all(l: GuideLanguage, events: &[&Event]) -> String {
    let all: BTreeSet<String> = events.iter().map(|it| told(it)).collect();
    some(l, all.iter().map(|it| shown(it)), 5)
}

/// Events in order, equal calls in a row folded.
pub(crate) fn timeline<'e>(
    l: GuideLanguage,
    id: &str,
    events: impl IntoIterator<Item = &'e Event>,
    is_own: impl Fn(&Event) -> bool,
) -> Found {
    let mut folded: Vec<Vec<&Event>> = Vec::new();
    let same = |a: &Event, b: &Event| {
        a.call() == b.call()
            && a.identity() == b.identity()
            && a.get(Field::ErrorCode) == b.get(Field::ErrorCode)
    };
    let mut all = 0;
    for event in events {
        all += 1;
        match folded.last_mut().filter(|it| same(it[0], event)) {
            Some(run) => run.push(event),
            None => folded.push(vec![event]),
        }
    }
    let total = folded.len() as u64;
    let rows = folded.into_iter().take(ROWS_MAX).map(|run| {
        let first = run[0];
        let call = if run.len() == 1 { told(first) } else { format!("{} ×{}", first.call(), run.len()) };
        Row {
            cells: vec![
                time(first.time),
                call,
                short(first.identity()).to_owned(),
                if first.is_refused() { first.get(Field::ErrorCode).to_owned() } else { String::new() },
                if first.is_write() { say!(l, "write") } else { String::new() },
                first.get(Field::Address).to_owned(),
            ],
            events: ids(run.iter().copied()),
            count: run.len() as u64,
            is_own: is_own(first),
        }
    });
    Found {
        id: id.to_owned(),
        show: "timeline",
        query: None,
        columns: heads!["time", "call", "who", "refused", "", "from"],
        rows: rows.collect(),
        total,
        events: all,
    }
}

pub(crate) fn related(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let mut story: BTreeMap<(i64, &str), &Event> = BTreeMap::new();
    let near = |it: &&Event| it.time >= case.first - 24 * HOUR && it.time <= case.last + 24 * HOUR;
    for id in ["behaviour", "root-story", "key-story"] {
        story.extend(look.events(id).iter().map(|it| &**it).filter(near).map(|it| ((it.time, &*it.id), it)));
    }
    let chain = look.chain_events();
    evidence.results.push(timeline(l, term!("story"), story.values().copied(), |it| case.is_own(it)));
    let done = |names: &[&str]| -> Vec<&Event> {
        chain
            .iter()
            .copied()
            .filter(|it| names.contains(&it.get(Field::Action)) && !it.is_refused())
            .collect()
    };
    let after = |it: &&Event| it.time >= case.session_start - HOUR;
    let found = |name: &'static str, events: Vec<&Event>, none: String, what: String, look: &mut Look<'_>| {
        let objects: BTreeSet<String> = events.iter().map(|it| told(it)).collect();
        let objects: Vec<String> = objects.into_iter().collect();
        let text = if objects.is_empty() {
            none
        } else {
            say!(l, "{}: {}", what, some(l, objects.iter().map(|it| shown(it)), 5))
        };
        if !objects.is_empty() {
            look.deviations.push(text.clone());
        }
        look.fact(name, objects, Confidence::Exact, ids(events), text);
    };
    let made: Vec<&Event> = done(&PERSISTENCE).into_iter().filter(after).collect();
    if !made.is_empty() {
        let table = timeline(l, term!("persistence"), made.iter().copied(), |it| case.is_own(it));
        evidence.results.push(table);
    }
    found(
        "persistence_created",
        made,
        say!(l, "nothing was made through which somebody could come back"),
        say!(l, "the chain's identities made or changed"),
        look,
    );
    let read: Vec<&Event> = done(&SECRETS).into_iter().filter(after).collect();
    if !read.is_empty() {
        let head = &heads!["what was read"][0];
        evidence
            .results
            .push(tally(l, term!("data"), head, read.iter().copied(), told, |it| case.is_own(it)));
    }
    found("secrets_read", read, say!(l, "no secret was read"), say!(l, "secrets were read"), look);
    let shared: Vec<&Event> = done(&SHARING).into_iter().filter(after).collect();
    found(
        "snapshots_shared",
        shared,
        say!(l, "no snapshot or image was shared"),
        say!(l, "snapshots or images were changed or shared"),
        look,
    );
    let logging: Vec<&Event> = look.events("logging").iter().map(|it| &**it).collect();
    found(
        "logging_changed",
        logging,
        say!(l, "no logging was changed in the account"),
        say!(l, "logging was changed in the account"),
        look,
    );
    network(look, evidence);
    acts::acts(look, evidence);
    let before: BTreeSet<String> = chain
        .iter()
        .filter(|it| it.time < case.first && it.time >= case.first - HOUR)
        .filter(|it| ["List", "Describe", "Get"].iter().any(|start| it.get(Field::Action).starts_with(start)))
        .map(|it| it.call())
        .collect();
    look.exact(
        "discovery_before",
        before.len(),
        say!(
            l,
            "{|kind of listing call in the hour before|kinds of listing calls in the hour before}",
            before.len()
        ),
    );
    let writes: Vec<&Event> =
        chain.iter().copied().filter(|it| it.time > case.last && it.is_write() && !it.is_refused()).collect();
    let count = writes.len();
    look.fact(
        "activity_after",
        count,
        Confidence::Exact,
        ids(writes.iter().copied()),
        say!(
            l,
            "{|change by the chain's identities after the alert|changes by the chain's identities after the alert}",
            count
        ),
    );
    let damage: Vec<&Event> = writes
        .into_iter()
        .filter(|it| DESTRUCTION.contains(&it.get(Field::Action)) || SHARING.contains(&it.get(Field::Action)))
        .collect();
    let value = !damage.is_empty();
    let text = if value {
        say!(l, "deletion or sharing goes on after the alert")
    } else {
        say!(l, "no deletion or sharing after the alert")
    };
    look.fact("destruction_under_way", value, Confidence::Exact, ids(damage), text);
}

fn network(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let events = look.events("network");
    let opens = |it: &Event| {
        if it.get(Field::Action) != "AuthorizeSecurityGroupIngress" {
            return false;
        }
        let request = it.text_at(Field::Request as usize);
        let port = |key| value_in(&request, key).and_then(|it| it.parse::<i64>().ok());
        match (port("fromPort"), port("toPort")) {
            (Some(from), Some(to)) => ADMIN_PORTS.iter().any(|it| (from..=to).contains(it)) || from == -1,
            _ => value_in(&request, "ipProtocol").is_some_and(|it| it == "-1"),
        }
    };
    let opened: Vec<&Event> = events.iter().map(|it| &**it).filter(|it| opens(it)).collect();
    let text = match opened.len() {
        0 => say!(l, "no port of remote administration was opened"),
        count => say!(l, "{|opening|openings} of ports of remote administration", count),
    };
    let value = !opened.is_empty();
    look.fact("sg_opened_admin_port", value, Confidence::Exact, ids(opened), text);
    if events.is_empty() {
        return;
    }
    let case = look.case;
    let chain: BTreeSet<&str> = look.chain_events().iter().map(|it| &*it.id).collect();
    let mut all: Vec<&Event> = events.iter().map(|it| &**it).collect();
    // Those of the identities of the chain first.
    all.sort_by_key(|it| !chain.contains(&*it.id));
    let rows = all.iter().take(ROWS_MAX).map(|it| {
        let request = it.text_at(Field::Request as usize);
        let part = |key| value_in(&request, key);
        let ports = match (part("fromPort"), part("toPort")) {
            (Some(from), Some(to)) if from == to => from,
            (Some(from), Some(to)) => format!("{from}-{to}"),
            _ => String::new(),
        };
        let from = part("cidrIp").or_else(|| part("cidrIpv6")).unwrap_or_default();
        let open = if from == "0.0.0.0/0" || from == "::/0" { say!(l, "everybody") } else { String::new() };
        Row {
            cells: vec![
                time(it.time),
                told(it),
                short(it.identity()).to_owned(),
                ports,
                from,
                open,
                if chain.contains(&*it.id) { say!(l, "of the chain") } else { String::new() },
            ],
            events: ids([*it]),
            count: 1,
            is_own: case.is_own(it),
        }
    });
    evidence.results.push(Found {
        id: term!("network").to_owned(),
        show: "table",
        query: None,
        columns: heads!["time", "call", "who", "ports", "from", "open to", ""],
        rows: rows.collect(),
        total: events.len() as u64,
        events: events.len() as u64,
    });
}
