//! What the identities of the chain did, by kind: each a fact with the objects, for the plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::deed::Mark;
use crate::event::{Event, Field};
use crate::evidence::{Confidence, Evidence, Found, Row};
use crate::fill::shown;
use crate::look::{HOUR, Look, ROWS_MAX, ids, short, some, time, upper};
use crate::related::{object_of, told, told_all};
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
    let done =
        |mark: Mark| -> Vec<&Event> { answered.iter().copied().filter(|it| it.is_mark(mark)).collect() };
    let called = |names: &[&str]| -> Vec<&Event> {
        answered.iter().copied().filter(|it| names.contains(&it.get(Field::Action))).collect()
    };
    let request = |it: &Event| it.text_at(Field::Request as usize);
    let own: BTreeSet<&str> = case.all("account").iter().map(String::as_str).collect();
    let foreign = |text: &str| -> Vec<String> {
        let all = accounts_in(text).into_iter();
        all.filter(|it| !own.contains(it)).map(str::to_owned).collect()
    };

    let widened = done(Mark::Rights);
    let text = match widened.as_slice() {
        [] => say!(l, "no permissions were widened"),
        all => say!(l, "permissions were changed: {}", told_all(l, all)),
    };
    list(look, "rights_widened", &widened, told, false, text);
    look.targets(targets::of(targets::without_gone(&widened, &chain).0));

    let added = done(Mark::MfaAdded);
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

    let trust = done(Mark::Trust);
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

    let given: Vec<&Event> = done(Mark::GivesAccess).into_iter().filter(|it| gives(&request(it))).collect();
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

    let buckets = done(Mark::Bucket);
    let bucket = |it: &Event| value_in(&request(it), "bucketName").unwrap_or_default();
    let text = match buckets.as_slice() {
        [] => say!(l, "no bucket's policy or access was changed"),
        all => say!(l, "policies or access of buckets were changed: {}", told_all(l, all)),
    };
    list(look, "buckets_opened", &buckets, bucket, true, text);

    let keys = done(Mark::KeyDisabled);
    let text = match keys.as_slice() {
        [] => say!(l, "no key of KMS was disabled or scheduled for deletion"),
        all => say!(l, "keys of KMS were disabled or scheduled for deletion: {}", told_all(l, all)),
    };
    list(look, "keys_disabled", &keys, |it| value_in(&request(it), "keyId").unwrap_or_default(), true, text);

    let gone = done(Mark::Destruction);
    let text = match gone.as_slice() {
        [] => say!(l, "nothing was deleted"),
        all => say!(l, "deleted: {}", told_all(l, all)),
    };
    list(look, "objects_destroyed", &gone, told, true, text);

    let pushed = done(Mark::KeyPushed);
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
    let request = event.text_at(Field::Request as usize);
    match event.get(Field::Action) {
        "UpdateDetector" => value_in(&request, "enable").is_some_and(|it| it == "false"),
        "PutEventSelectors" => {
            value_in(&request, "includeManagementEvents").is_some_and(|it| it == "false")
                || value_in(&request, "readWriteType").is_some_and(|it| it != "All")
        }
        action => EYES.iter().any(|it| it.0 == action),
    }
}

/// Which part of the account's recording was off, from when to when.
fn blind(look: &mut Look<'_>, evidence: &mut Evidence) {
    struct Range<'e> {
        off: &'e Event,
        on: Option<&'e Event>,
    }
    let (case, l) = (look.case, look.language);
    if !look.answers.contains_key("eyes") {
        return;
    }
    let object = |it: &Event| object_of(it);
    let mut ranges: Vec<Range<'_>> = Vec::new();
    for event in look.events("eyes").iter().map(|it| &**it).filter(|it| !it.is_refused()) {
        let action = event.get(Field::Action);
        if switches_off(event) {
            ranges.push(Range { off: event, on: None });
            continue;
        }
        let is_its = |it: &&mut Range<'_>| {
            let opens =
                EYES.iter().find(|eye| eye.0 == it.off.get(Field::Action)).map_or(&[][..], |eye| eye.1);
            let same =
                object(it.off).is_empty() || object(event).is_empty() || object(it.off) == object(event);
            let again = it.off.get(Field::Action) == action;
            it.on.is_none()
                && (opens.contains(&action) || again)
                && same
                && it.off.get(Field::Region) == event.get(Field::Region)
        };
        for range in ranges.iter_mut().filter(is_its) {
            range.on = Some(event);
        }
    }
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
    let total = ranges.len() as u64;
    if total == 0 {
        return;
    }
    let rows = ranges.iter().take(ROWS_MAX).map(|it| Row {
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
    evidence.results.push(Found {
        id: term!("blind").to_owned(),
        show: "table",
        query: None,
        columns: heads!["switched off", "who", "region", "from", "on again"],
        rows: rows.collect(),
        total,
        events: total,
    });
}

/// Events by what they are about, with how many.
pub(crate) fn by_object(events: &[&Event]) -> BTreeMap<String, usize> {
    let mut out: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        for object in objects_of(event) {
            *out.entry(object).or_default() += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
