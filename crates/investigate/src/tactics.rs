//! What the general steps of a tactic, and of a type of caller, compute beside their queries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs::Millis;
use rustc_hash::FxHashSet;

use crate::acts::by_object;
use crate::baseline::CALLS_MIN;
use crate::case::Case;
use crate::deed::Mark;
use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Lack};
use crate::fill::shown;
use crate::look::{HOUR, Look, MINUTE, ids, lasting, short, some, time};
use crate::related::told;
use crate::request::value_in;
use crate::say::say;
use crate::targets;

/// The steps by the ids of ATT&CK's tactics, those of version 19 among them.
const TACTICS: [(&str, &str); 12] = [
    ("TA0001", "tactic-initial-access"),
    ("TA0002", "tactic-execution"),
    ("TA0003", "tactic-persistence"),
    ("TA0004", "tactic-privilege-escalation"),
    ("TA0005", "tactic-defense-evasion"),
    ("TA0112", "tactic-defense-evasion"),
    ("TA0006", "tactic-credential-access"),
    ("TA0007", "tactic-discovery"),
    ("TA0008", "tactic-lateral-movement"),
    ("TA0009", "tactic-exfiltration"),
    ("TA0010", "tactic-exfiltration"),
    ("TA0040", "tactic-impact"),
];

/// Whether a general step is for such an alert: those of tactics for the first tactic of its rule that has a step, those
/// of callers for its caller.
pub(crate) fn is_for(step: Option<&str>, rule: Option<&rule::Rule>, case: &Case) -> bool {
    let Some(step) = step else { return true };
    if step.starts_with("tactic-") {
        return rule.and_then(tactic) == Some(step);
    }
    if step.starts_with("caller-") {
        return caller(case) == Some(step);
    }
    true
}

fn tactic(rule: &rule::Rule) -> Option<&'static str> {
    let step = |id: &str| TACTICS.iter().find(|it| it.0 == id).map(|it| it.1);
    rule.threat.iter().find_map(|it| step(&it.tactic.0))
}

fn caller(case: &Case) -> Option<&'static str> {
    let kind = case.anchor()?.get(Field::CallerType);
    let is_person =
        case.get("role_name").starts_with("AWSReservedSSO_") || case.get("session_name").contains('@');
    Some(match kind {
        "IAMUser" | "FederatedUser" => "caller-user",
        "Root" => "caller-root",
        "SAMLUser" | "WebIdentityUser" | "IdentityCenterUser" => "caller-federation",
        "AssumedRole" if is_person => "caller-federation",
        "AWSService" => "caller-service",
        "AWSAccount" => "caller-account",
        _ => return None,
    })
}

/// Computes what belongs to the step, if it is one of these.
pub(crate) fn tell(step: &str, look: &mut Look<'_>, evidence: &mut Evidence) {
    match step {
        "tactic-initial-access" => login(look, evidence),
        "tactic-execution" => execution(look, evidence),
        "tactic-persistence" => persistence(look, evidence),
        "tactic-privilege-escalation" => escalation(look, evidence),
        "tactic-defense-evasion" => evasion(look, evidence),
        "tactic-credential-access" => secrets(look, evidence),
        "tactic-discovery" => discovery(look, evidence),
        "tactic-exfiltration" => exfiltration(look, evidence),
        "tactic-impact" => impact(look, evidence),
        "caller-user" => user(look, evidence),
        "caller-account" => account(look, evidence),
        _ => {}
    }
}

/// A fact that is also a sentence of the step.
fn told_fact(
    look: &mut Look<'_>,
    evidence: &mut Evidence,
    name: &'static str,
    value: impl Into<serde_json::Value>,
    events: Vec<String>,
    text: String,
) {
    evidence.statements.push(say!(look.language, "{}.", crate::look::upper(&text)));
    // As of everything new: with few calls of the past nothing is surely so.
    let calls = look.facts.iter().find(|it| it.name == "history_calls").and_then(|it| it.value.as_u64());
    let is_sure = !name.starts_with("new_") || calls.is_some_and(|it| it >= CALLS_MIN as u64);
    let confidence = if is_sure { Confidence::Exact } else { Confidence::Weak };
    look.fact(name, value, confidence, events, text);
}

fn login(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let logins: Vec<&Event> = look.events("logins").iter().map(|it| &**it).collect();
    let before = |it: &&&Event| it.time < case.first && it.time >= case.first - HOUR && it.is_refused();
    let failures: Vec<&Event> = logins.iter().filter(before).copied().collect();
    let text = match failures.len() {
        0 => say!(l, "no login was refused from this address in the hour before"),
        count => {
            say!(l, "{|login was refused|logins were refused} from this address in the hour before", count)
        }
    };
    let count = failures.len();
    told_fact(look, evidence, "login_failures_before", count, ids(failures), text);
    let people: BTreeSet<&str> = logins.iter().map(|it| it.identity()).filter(|it| !it.is_empty()).collect();
    let text = match people.len() {
        0 | 1 => say!(l, "nobody else logged in from this address in the week"),
        _ => say!(
            l,
            "several identities logged in from this address in the week: {}",
            some(l, people.iter().map(|it| shown(short(it))), 5)
        ),
    };
    let count = people.len();
    told_fact(look, evidence, "login_identities", count, Vec::new(), text);
    let Some(anchor) = case.anchor() else { return };
    if anchor.get(Field::Action) == "ConsoleLogin" {
        let used = value_in(&anchor.text_at(Field::Additional as usize), "MFAUsed");
        if let Some(used) = used {
            let is_used = used == "Yes";
            let text = if is_used { say!(l, "the login used MFA") } else { say!(l, "the login used no MFA") };
            told_fact(look, evidence, "login_mfa", is_used, ids([anchor]), text);
        }
    }
}

fn execution(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let launches: Vec<&Event> = look.events("launches").iter().map(|it| &**it).collect();
    let kinds = |is_now: bool| -> BTreeSet<String> {
        let its = launches.iter().filter(|it| (it.time >= case.session_start) == is_now);
        its.flat_map(|it| {
            it.all(Field::InstanceType).iter().map(|kind| format!("{kind} {}", it.get(Field::Region)))
        })
        .collect()
    };
    let (now, before) = (kinds(true), kinds(false));
    let new: Vec<String> = now.into_iter().filter(|it| !before.contains(it)).collect();
    let text = if new.is_empty() {
        say!(l, "no instance of a new type or in a new region was launched")
    } else {
        say!(
            l,
            "instances of types and in regions that were not launched in the days before: {}",
            some(l, new.iter().map(|it| shown(it)), 5)
        )
    };
    told_fact(look, evidence, "new_instance_types", new, Vec::new(), text);
    if look.holds("commands_sent") {
        let text = say!(
            l,
            "AWS hides what SSM ran in CloudTrail; see the command history of SSM (30 days), the output bucket or the machine"
        );
        evidence.lacks(Lack::Hidden, text);
    }
}

fn persistence(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let ids_of = ["made-key-used", "made-user-used", "made-login-used", "made-role-used"];
    if !ids_of.iter().any(|it| look.answers.contains_key(it)) {
        evidence.statements.push(say!(l, "The call names no object whose use could be looked for."));
        return;
    }
    // A call with the new key of the new user answers two questions.
    let used: BTreeMap<(Millis, &str), &Event> = ids_of
        .iter()
        .flat_map(|it| look.events(it))
        .filter(|it| !case.anchors.iter().any(|anchor| anchor.id == it.id))
        .map(|it| ((it.time, &*it.id), &**it))
        .collect();
    let used: Vec<&Event> = used.into_values().collect();
    let text = match used.first() {
        None => say!(l, "what was made is not in use in the data"),
        Some(first) => say!(
            l,
            "what was made is in use: {|call|calls}, the first {} after it, from {}",
            used.len(),
            lasting(l, first.time - case.first),
            shown(first.get(Field::Address))
        ),
    };
    if !used.is_empty() {
        look.deviations.push(text.clone());
    }
    let count = used.len();
    told_fact(look, evidence, "made_used", count, ids(used), text);
}

fn escalation(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let mut all = look.chain_events().to_vec();
    all.extend(look.events("behaviour").iter().map(|it| &**it));
    let refused: FxHashSet<[&str; 2]> =
        all.iter().filter(|it| it.time <= case.first && it.is_refused()).map(|it| it.call_parts()).collect();
    let allowed: Vec<&Event> = all
        .into_iter()
        .filter(|it| it.time > case.first && !it.is_refused() && refused.contains(&it.call_parts()))
        .collect();
    let calls: BTreeSet<String> = allowed.iter().map(|it| it.call()).collect();
    let text = match allowed.iter().min_by_key(|it| it.time) {
        None => say!(l, "no call that was refused before was allowed after"),
        Some(first) => say!(
            l,
            "refused before and allowed after: {}, first {} after it",
            some(l, calls.iter().map(|it| shown(it)), 5),
            lasting(l, first.time - case.last)
        ),
    };
    if !calls.is_empty() {
        look.deviations.push(text.clone());
    }
    let calls: Vec<String> = calls.into_iter().collect();
    told_fact(look, evidence, "newly_allowed", calls, ids(allowed), text);
}

fn evasion(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let after = look.answers.get("still-recorded").map_or(0, |it| it.total);
    evidence.statements.push(match after {
        0 => say!(l, "Nothing of this account and region is in the data for the day after."),
        count => say!(
            l,
            "{|event|events} of this account and region are in the data for the day after: another trail sees it, or this one goes on.",
            count
        ),
    });
}

fn secrets(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let is_secret = |it: &&Event| it.is_mark(Mark::Secret) && targets::is_secret(it) && !it.is_refused();
    let read: Vec<&Event> = look
        .chain_events()
        .iter()
        .copied()
        .filter(is_secret)
        .filter(|it| it.time >= case.session_start)
        .collect();
    let most = read
        .iter()
        .map(|from| read.iter().filter(|it| it.time >= from.time && it.time < from.time + MINUTE).count());
    let most = most.max().unwrap_or(0);
    let objects = by_object(&read);
    let text = if read.is_empty() {
        say!(l, "the identities of the chain read no secret")
    } else {
        say!(
            l,
            "{|secret was read|secrets were read} in {|call|calls}, at most {} in a minute",
            objects.len(),
            read.len(),
            most
        )
    };
    told_fact(look, evidence, "secrets_per_minute", most, ids(read.iter().copied()), text);
    let past: Vec<&Event> = look
        .events("behaviour")
        .iter()
        .map(|it| &**it)
        .filter(is_secret)
        .filter(|it| it.time < case.session_start)
        .collect();
    let known = by_object(&past);
    let new: Vec<String> =
        objects.into_keys().filter(|it| !it.is_empty() && !known.contains_key(it)).collect();
    let text = if new.is_empty() {
        say!(l, "the identity read no secret that it had not read before")
    } else {
        say!(l, "secrets that the identity never read before: {}", some(l, new.iter().map(|it| shown(it)), 5))
    };
    if !read.is_empty() {
        told_fact(look, evidence, "new_secrets", new, Vec::new(), text);
    }
}

fn discovery(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let span = 15 * MINUTE;
    let all = look.chain_events();
    let near: Vec<&Event> = all.iter().copied().filter(|it| (it.time - case.first).abs() <= span).collect();
    let distinct =
        |value: &dyn Fn(&Event) -> String| near.iter().map(|it| value(it)).collect::<BTreeSet<_>>().len();
    let actions = distinct(&|it| it.call());
    let services = distinct(&|it| it.get(Field::Provider).to_owned());
    let regions = distinct(&|it| it.get(Field::Region).to_owned());
    let refused = near.iter().filter(|it| it.is_refused()).count();
    let text = say!(
        l,
        "{|kind of call|kinds of calls} to {|service|services} in {|region|regions} within a quarter of an hour of the alert; {} of {} were refused",
        actions,
        services,
        regions,
        refused,
        near.len()
    );
    told_fact(look, evidence, "discovery_actions", actions, ids(near.iter().copied()), text);
    let first = all
        .iter()
        .filter(|it| it.time > case.last && it.is_write() && !it.is_refused())
        .min_by_key(|it| it.time);
    let text = match first {
        None => say!(l, "nothing was changed after it"),
        Some(first) => {
            say!(l, "the first change after it: {} at {}", shown(&told(first)), time(first.time))
        }
    };
    let value = first.map(|it| told(it)).unwrap_or_default();
    told_fact(look, evidence, "first_write_after", value, ids(first.copied()), text);
}

fn exfiltration(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let copied: Vec<&Event> = look
        .events("copied")
        .iter()
        .map(|it| &**it)
        .filter(|it| it.get(Field::Action).starts_with("Shared"))
        .collect();
    let text = match copied.first() {
        None => say!(l, "no copy by another account is recorded"),
        Some(first) => {
            say!(l, "another account made a copy: {} at {}", shown(&told(first)), time(first.time))
        }
    };
    if !copied.is_empty() {
        look.deviations.push(text.clone());
    }
    let value = !copied.is_empty();
    told_fact(look, evidence, "snapshot_copied", value, ids(copied), text);
    let read: Vec<&Event> =
        look.events("downloads").iter().map(|it| &**it).filter(|it| !it.is_refused()).collect();
    let bytes = |it: &&Event| {
        let text = it.text_at(Field::Additional as usize);
        let bytes = value_in(&text, "bytesTransferredOut").and_then(|it| it.parse::<f64>().ok());
        bytes.unwrap_or(0.0).max(0.0) as u64
    };
    let bytes: u64 = read.iter().map(bytes).fold(0, u64::saturating_add);
    let text = match read.len() {
        0 => say!(l, "no object was read of buckets, as far as the data say"),
        count => say!(l, "{|object was read|objects were read} of buckets, {} bytes", count, bytes),
    };
    let count = read.len();
    told_fact(look, evidence, "objects_downloaded", count, ids(read), text);
}

fn impact(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let notes: Vec<&Event> = look.events("notes").iter().map(|it| &**it).collect();
    let place = |it: &Event| {
        let request = it.text_at(Field::Request as usize);
        let part = |key| value_in(&request, key).unwrap_or_default();
        format!("{}/{}", part("bucketName"), part("key"))
    };
    let names: BTreeSet<String> = notes.iter().map(|it| place(it)).collect();
    let text = if names.is_empty() {
        say!(l, "no object has the name of a ransom note")
    } else {
        say!(l, "objects with names of ransom notes: {}", some(l, names.iter().map(|it| shown(it)), 5))
    };
    if !names.is_empty() {
        look.deviations.push(text.clone());
    }
    let names: Vec<String> = names.into_iter().collect();
    told_fact(look, evidence, "ransom_notes", names, ids(notes), text);
    let left: Vec<&Arc<Event>> = look.events("copies-left").iter().collect();
    evidence.statements.push(match left.len() {
        0 => say!(l, "No snapshot or backup was made in the thirty days before, as far as the data say."),
        count => say!(
            l,
            "{|snapshot or backup was|snapshots or backups were} made in the thirty days before: those that nobody deleted can come back.",
            count
        ),
    });
}

fn user(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let key = case.get("session_key");
    let made = look.events("user-made").iter().find(|it| !key.is_empty() && it.get(Field::MadeKey) == key);
    if let Some(made) = made {
        let age = case.first - made.time;
        let text =
            say!(l, "the key was made {} before the call, by {}", lasting(l, age), shown(short(made.who())));
        told_fact(look, evidence, "key_age", age / 1_000, ids([&**made]), text);
    }
    let near = |it: &&Arc<Event>| (it.time - case.first).abs() <= HOUR;
    let is_console = |it: &Arc<Event>| {
        it.get(Field::Action) == "ConsoleLogin"
            || it.get(Field::FromConsole) == "true"
            || it.get(Field::InvokedBy) == "signin.amazonaws.com"
    };
    let events: Vec<&Arc<Event>> = look.events("behaviour").iter().filter(near).collect();
    let (console, keys): (Vec<&Arc<Event>>, Vec<&Arc<Event>>) =
        events.into_iter().partition(|it| is_console(it));
    let keys: Vec<&Arc<Event>> =
        keys.into_iter().filter(|it| it.get(Field::Key).starts_with("AKIA")).collect();
    let both = !console.is_empty() && !keys.is_empty();
    let text = if both {
        say!(l, "the console and a key of the user are used within the same hour")
    } else {
        say!(l, "the console and a key of the user are not used within the same hour")
    };
    if both {
        look.deviations.push(text.clone());
    }
    let events = ids(console.iter().chain(&keys).map(|it| &***it));
    told_fact(look, evidence, "console_and_key", both, events, text);
}

fn account(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let events = look.events("foreign-calls");
    if let Some(first) = events.first() {
        evidence.statements.push(say!(
            l,
            "The account was first seen at {} in the data looked at, and made {|call|calls}.",
            time(first.time),
            events.len()
        ));
    }
}
