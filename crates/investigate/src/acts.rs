//! What the identities of the chain did, by kind: each a fact with the objects, for the plan.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::deed::Mark;
use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Found, Row};
use crate::fill::shown;
use crate::look::{HOUR, Look, ids, short, some, time, upper};
use crate::related::{done_since, object_of, told, told_all};
use crate::request::value_in;
use crate::say::{heads, say, term};
use crate::targets::{self, objects_of};

/// What switches something of the account's recording off, and what switches the same on again.
const EYES: [(&str, &[&str]); 8] = [
    ("StopLogging", &["StartLogging"]),
    ("DeleteTrail", &["CreateTrail"]),
    ("PutEventSelectors", &[]),
    ("StopConfigurationRecorder", &["StartConfigurationRecorder"]),
    ("DeleteConfigurationRecorder", &["PutConfigurationRecorder"]),
    ("DeleteDetector", &["CreateDetector"]),
    ("UpdateDetector", &["UpdateDetector", "CreateDetector"]),
    ("DeleteFlowLogs", &["CreateFlowLogs"]),
];

/// The accounts that a text names: twelve digits that are no part of a longer number or word.
pub(crate) fn accounts_in(text: &str) -> BTreeSet<&str> {
    let bytes = text.as_bytes();
    let mut out = BTreeSet::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].iter().take_while(|it| it.is_ascii_digit()).count();
        let is_word = |it: Option<&u8>| it.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'-');
        let before = at.checked_sub(1).and_then(|it| bytes.get(it));
        if digits == 12 && !is_word(before) && !is_word(bytes.get(at + digits)) {
            out.insert(&text[at..at + 12]);
        }
        at += digits.max(1);
    }
    out
}

/// Whether a request gives rather than takes.
pub(crate) fn gives(request: &str) -> bool {
    let adds = ["add=", "\"add\"", "valuesToAdd"].iter().any(|it| request.contains(it));
    let removes = ["remove=", "\"remove\"", "valuesToRemove"].iter().any(|it| request.contains(it));
    adds || !removes
}

pub(crate) fn acts(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let chain = look.chain_events();
    let since = case.session_start - HOUR;
    let answered: Vec<&Event> =
        chain.iter().copied().filter(|it| it.time >= since && !it.is_refused()).collect();
    let called = |names: &[&str]| -> Vec<&Event> {
        answered.iter().copied().filter(|it| names.contains(&it.get(Field::Action))).collect()
    };
    let request = |it: &Event| it.text_at(Field::Request as usize);
    let own: BTreeSet<&str> = case.all("account").iter().map(String::as_str).collect();
    let foreign = |text: &str| -> Vec<String> {
        let all = accounts_in(text).into_iter();
        all.filter(|it| !own.contains(it)).map(str::to_owned).collect()
    };

    let widened = done_since(look, Mark::Rights, since);
    let text = match widened.as_slice() {
        [] => say!(l, "no permissions were widened"),
        all => say!(l, "permissions were changed: {}", told_all(l, all)),
    };
    list(look, "rights_widened", &widened, told, false, text);
    look.targets(targets::of(targets::without_gone(&widened, &chain).0));

    let added = done_since(look, Mark::MfaAdded, since);
    let text = match added.as_slice() {
        [] => say!(l, "no MFA device was added"),
        all => say!(l, "MFA devices were added: {}", told_all(l, all)),
    };
    list(look, "mfa_devices_added", &added, told, true, text);

    let response =
        |it: &Event, key: &str| value_in(&it.text_at(Field::Response as usize), key).unwrap_or_default();
    let sent = called(&["SendCommand"]);
    let text = match sent.len() {
        0 => say!(l, "no command was sent to machines"),
        count => say!(l, "{|command was sent|commands were sent} to machines", count),
    };
    list(look, "commands_sent", &sent, |it| response(it, "commandId"), false, text);
    let opened = called(&["StartSession", "ResumeSession"]);
    let text = match opened.len() {
        0 => say!(l, "no shell was opened on machines"),
        count => say!(l, "{|shell was opened|shells were opened} on machines", count),
    };
    list(look, "shells_opened", &opened, |it| response(it, "sessionId"), false, text);

    let launched = called(&["RunInstances"]);
    let names: BTreeSet<String> =
        launched.iter().flat_map(|it| it.all(Field::MadeInstance)).map(ToString::to_string).collect();
    let text = if names.is_empty() {
        say!(l, "no instance was launched")
    } else {
        say!(l, "instances were launched: {}", some(l, names.iter().map(|it| shown(it)), 5))
    };
    if !names.is_empty() {
        look.deviations.push(text.clone());
    }
    let names: Vec<String> = names.into_iter().collect();
    let its = targets::of(launched.iter().copied());
    look.fact("instances_launched", names, Confidence::Exact, ids(launched), text);
    look.targets(its);

    let trust = done_since(look, Mark::Trust, since);
    let trusted: BTreeSet<String> = trust.iter().flat_map(|it| foreign(&request(it))).collect();
    let text = if trusted.is_empty() {
        say!(l, "no trust policy that was made or changed names another account")
    } else {
        say!(l, "trust policies name other accounts: {}", some(l, trusted.iter().map(|it| shown(it)), 5))
    };
    if !trusted.is_empty() {
        look.deviations.push(text.clone());
    }
    let trusted: Vec<String> = trusted.into_iter().collect();
    look.fact("trusted_accounts", trusted.clone(), Confidence::Exact, ids(trust), text);

    let given: Vec<&Event> =
        done_since(look, Mark::GivesAccess, since).into_iter().filter(|it| gives(&request(it))).collect();
    let mut with: BTreeSet<String> = given.iter().flat_map(|it| foreign(&request(it))).collect();
    let public =
        ["group=all", "groupName=all", "\"group\": \"all\"", "\"group\":\"all\"", "valuesToAdd=[all]"];
    if given.iter().any(|it| public.iter().any(|word| request(it).contains(word))) {
        with.insert("all".to_owned());
    }
    let text = if with.is_empty() {
        say!(l, "nothing was shared with another account")
    } else {
        say!(l, "shared with: {}", some(l, with.iter().map(|it| shown(it)), 5))
    };
    if !with.is_empty() {
        look.deviations.push(text.clone());
    }
    let with: Vec<String> = with.into_iter().collect();
    look.fact("shared_with", with.clone(), Confidence::Exact, ids(given), text);
    whose(look, trusted.iter().chain(&with).map(String::as_str).collect(), evidence);

    let buckets = done_since(look, Mark::Bucket, since);
    let bucket = |it: &Event| value_in(&request(it), "bucketName").unwrap_or_default();
    let text = match buckets.as_slice() {
        [] => say!(l, "no bucket's policy or access was changed"),
        all => say!(l, "policies or access of buckets were changed: {}", told_all(l, all)),
    };
    list(look, "buckets_opened", &buckets, bucket, true, text);

    let keys = done_since(look, Mark::KeyDisabled, since);
    let text = match keys.as_slice() {
        [] => say!(l, "no key of KMS was disabled or scheduled for deletion"),
        all => say!(l, "keys of KMS were disabled or scheduled for deletion: {}", told_all(l, all)),
    };
    list(look, "keys_disabled", &keys, |it| value_in(&request(it), "keyId").unwrap_or_default(), true, text);

    let gone = done_since(look, Mark::Destruction, since);
    let text = match gone.as_slice() {
        [] => say!(l, "nothing was deleted"),
        all => say!(l, "deleted: {}", told_all(l, all)),
    };
    list(look, "objects_destroyed", &gone, told, true, text);

    let pushed = done_since(look, Mark::KeyPushed, since);
    let text = match pushed.as_slice() {
        [] => say!(l, "no key was pushed onto a machine"),
        all => say!(l, "keys were pushed or imported: {}", told_all(l, all)),
    };
    list(look, "keys_pushed", &pushed, told, true, text);
    blind(look, evidence);
}

/// A fact that lists the objects of events.
fn list(
    look: &mut Look<'_>,
    name: &'static str,
    events: &[&Event],
    object: impl Fn(&Event) -> String,
    deviates: bool,
    text: String,
) {
    let objects: BTreeSet<String> = events.iter().map(|it| object(it)).filter(|it| !it.is_empty()).collect();
    // What names no object happened all the same.
    let mut objects: Vec<String> = objects.into_iter().collect();
    if objects.is_empty() && !events.is_empty() {
        objects.push("unnamed".to_owned());
    }
    if deviates && !events.is_empty() {
        look.deviations.push(text.clone());
    }
    look.fact(name, objects, Confidence::Exact, ids(events.iter().copied()), text);
    look.targets(targets::of(events.iter().copied()));
}

/// Which of the other accounts are of the same organisation: those in which somebody issued credentials to his own, which
/// only a trail of that account records.
fn whose(look: &mut Look<'_>, accounts: BTreeSet<&str>, evidence: &mut Evidence) {
    let l = look.language;
    let accounts: Vec<&str> = accounts.into_iter().filter(|it| *it != "all").collect();
    if accounts.is_empty() {
        return;
    }
    let own: BTreeSet<&str> = look.graph.issues().filter_map(|it| own_account(&it)).collect();
    let (ours, others): (Vec<&str>, Vec<&str>) = accounts.into_iter().partition(|it| own.contains(it));
    let names = |all: &[&str]| some(l, all.iter().map(|it| shown(it)), 5);
    let text = match (ours.as_slice(), others.as_slice()) {
        ([], others) => {
            say!(
                l,
                "no trail of the other accounts is in the data, so whose they are is to be asked: {}",
                names(others)
            )
        }
        (ours, []) => {
            say!(l, "trails of the other accounts are in the data, so they are your own: {}", names(ours))
        }
        (ours, others) => say!(
            l,
            "a trail of {} is in the data, so that is your own; of {} there is none",
            names(ours),
            names(others)
        ),
    };
    evidence.statements.push(say!(l, "{}.", upper(&text)));
    let ours: Vec<String> = ours.into_iter().map(str::to_owned).collect();
    look.fact("own_accounts_named", ours, Confidence::Inferred, Vec::new(), text);
}

/// The account whose own trail has the call: that of the caller, unless it came from another account.
fn own_account<'g>(issue: &identity::Issue<'g>) -> Option<&'g str> {
    let of_role = || issue.role.and_then(|role| role.split(':').nth(4));
    match issue.caller.kind {
        Some("AWSAccount" | "AWSService") => of_role(),
        _ => issue.caller.account,
    }
}

/// Whether a call switches off; of those that do both, the request says which.
fn switches_off(event: &Event) -> bool {
    let request = event.text(Field::Request);
    match event.get(Field::Action) {
        "UpdateDetector" => value_in(&request, "enable").is_some_and(|it| it == "false"),
        "PutEventSelectors" => {
            value_in(&request, "includeManagementEvents").is_some_and(|it| it == "false")
                || value_in(&request, "readWriteType").is_some_and(|it| it != "All")
        }
        action => EYES.iter().any(|it| it.0 == action),
    }
}

/// A time in which a part of the account's recording was off.
struct Range<'e> {
    off: &'e Event,
    on: Option<&'e Event>,
}

/// What was switched off, and when the same was on again: by the next call that switches it on, or sets it anew, in the same
/// region. A call that names no object is about any. `events` are in the order of time.
fn ranges<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<Range<'e>> {
    let mut ranges: Vec<Range<'e>> = Vec::new();
    // The places of those that are still off, by region and the call that switched off; there by object. Of thousands of calls
    // each is looked at once.
    let mut open: FxHashMap<(&str, &str), FxHashMap<&str, Vec<usize>>> = FxHashMap::default();
    for event in events {
        let (action, region, object) = (event.get(Field::Action), event.get(Field::Region), object_of(event));
        if switches_off(event) {
            open.entry((region, action)).or_default().entry(object).or_default().push(ranges.len());
            ranges.push(Range { off: event, on: None });
            continue;
        }
        let again = std::iter::once(action);
        let opens = EYES.iter().filter(|(off, on)| on.contains(&action) && *off != action).map(|it| it.0);
        for off in again.chain(opens) {
            let Some(its) = open.get_mut(&(region, off)) else { continue };
            let on: Vec<usize> = if object.is_empty() {
                its.drain().flat_map(|it| it.1).collect()
            } else {
                ["", object].iter().filter_map(|it| its.remove(it)).flatten().collect()
            };
            for at in on {
                ranges[at].on = Some(event);
            }
        }
    }
    ranges
}

/// Which part of the account's recording was off, from when to when.
fn blind(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    if !look.answers.contains_key("eyes") {
        return;
    }
    let answered = look.events("eyes").iter().map(|it| &**it).filter(|it| !it.is_refused());
    let mut ranges = ranges(answered);
    // What was off and on again long before is another story.
    ranges.retain(|it| it.on.is_none_or(|on| on.time >= case.first - 24 * HOUR));
    let still: BTreeSet<String> = ranges.iter().filter(|it| it.on.is_none()).map(|it| told(it.off)).collect();
    let text = if still.is_empty() {
        say!(l, "nothing that was switched off stays so")
    } else {
        say!(
            l,
            "switched off, and not on again in the data: {}",
            some(l, still.iter().map(|it| shown(it)), 5)
        )
    };
    if !still.is_empty() {
        look.deviations.push(text.clone());
    }
    let events = ids(ranges.iter().filter(|it| it.on.is_none()).map(|it| it.off));
    let still: Vec<String> = still.into_iter().collect();
    look.fact("logging_off", still, Confidence::Exact, events, text);
    look.targets(targets::of(ranges.iter().filter(|it| it.on.is_none()).map(|it| it.off)));
    if ranges.is_empty() {
        return;
    }
    let rows = ranges.iter().map(|it| Row {
        cells: vec![
            told(it.off),
            short(it.off.identity()).to_owned(),
            it.off.get(Field::Region).to_owned(),
            time(it.off.time),
            it.on.map_or_else(|| say!(l, "not in the data"), |on| time(on.time)),
        ],
        events: ids(std::iter::once(it.off).chain(it.on)),
        count: 1 + u64::from(it.on.is_some()),
        is_own: case.is_own(it.off),
    });
    let columns = heads!["switched off", "who", "region", "from", "on again"];
    evidence.results.push(Found::table(term!("blind"), "table", columns, rows));
}

/// Events by what they are about, with how many.
pub(crate) fn by_object(events: &[&Event]) -> BTreeMap<String, usize> {
    let mut out: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        for object in objects_of(event) {
            *out.entry(object.clone()).or_default() += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Pool;

    fn call(at: usize, action: &str, object: &str, region: &str, more: &str) -> Event {
        let name = if object.is_empty() { String::new() } else { format!("name={object}, ") };
        let column = |field: &Field| -> Option<Arc<str>> {
            match field {
                Field::Action => Some(action.into()),
                Field::Region => Some(region.into()),
                Field::Request => Some(format!("{{{name}{more}}}").into()),
                _ => None,
            }
        };
        Pool::default().event(&format!("e{at}"), at as i64, Field::ALL.iter().map(column))
    }

    /// As it is said: each call looks at all that is still off.
    fn plainly(events: &[Event]) -> Vec<(&str, Option<&str>)> {
        let mut ranges: Vec<(&Event, Option<&Event>)> = Vec::new();
        for event in events {
            let action = event.get(Field::Action);
            if switches_off(event) {
                ranges.push((event, None));
                continue;
            }
            for (off, on) in ranges.iter_mut().filter(|it| it.1.is_none()) {
                let opens = EYES.iter().find(|it| it.0 == off.get(Field::Action)).map_or(&[][..], |it| it.1);
                let (this, that) = (object_of(off), object_of(event));
                let is_same = this.is_empty() || that.is_empty() || this == that;
                let does = opens.contains(&action) || off.get(Field::Action) == action;
                if does && is_same && off.get(Field::Region) == event.get(Field::Region) {
                    *on = Some(event);
                }
            }
        }
        ranges.into_iter().map(|(off, on)| (&*off.id, on.map(|it| &*it.id))).collect()
    }

    proptest! {
        /// Of many calls each is looked at once, and what was off until when is the same.
        #[test]
        fn what_was_off_until_when(
            calls in prop::collection::vec((0..10_usize, 0..3_usize, 0..2_usize, any::<bool>()), 0..60),
        ) {
            let actions = [
                "StopLogging", "StartLogging", "DeleteTrail", "CreateTrail", "PutEventSelectors", "DeleteDetector",
                "CreateDetector", "UpdateDetector", "DeleteFlowLogs", "CreateFlowLogs",
            ];
            let events: Vec<Event> = calls
                .iter()
                .enumerate()
                .map(|(at, &(action, object, region, is_off))| {
                    let more = match actions[action] {
                        "UpdateDetector" => format!("enable={}", !is_off),
                        "PutEventSelectors" => format!("includeManagementEvents={}", !is_off),
                        _ => String::new(),
                    };
                    call(at, actions[action], ["", "a", "b"][object], ["r1", "r2"][region], &more)
                })
                .collect();
            let found = ranges(events.iter());
            let found: Vec<(&str, Option<&str>)> =
                found.iter().map(|it| (&*it.off.id, it.on.map(|it| &*it.id))).collect();
            prop_assert_eq!(found, plainly(&events));
        }
    }

    #[test]
    fn accounts_of_texts() {
        let text = "{add={items=[{userId=012345678901}]}, arn:aws:iam::111122223333:root, 1234567890123, x999988887777}";
        assert_eq!(accounts_in(text).into_iter().collect::<Vec<_>>(), ["012345678901", "111122223333"]);
        assert!(accounts_in("snap-012345678901").is_empty());
    }

    #[test]
    fn what_gives() {
        for (request, is) in [
            ("{createVolumePermission={add={items=[{userId=1}]}}}", true),
            ("{createVolumePermission={remove={items=[{userId=1}]}}}", false),
            ("{valuesToAdd=[all]}", true),
            ("{bucketPolicy={}}", true),
        ] {
            assert_eq!(gives(request), is, "{request}");
        }
    }
}
