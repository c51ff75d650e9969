//! What the role, and the identity behind it, did before and after.

use std::collections::{BTreeMap, BTreeSet};

use rule::GuideLanguage;
use rustc_hash::FxHashMap;

use crate::acts;
use crate::deed::Mark;
use crate::event::{Event, Field, call_of};
use crate::evidence::{Confidence, Evidence, Found, ROW_EVENTS_MAX, Row};
use crate::fill::shown;
use crate::look::{HOUR, Look, ROWS_MAX, ids, short, some, tally, time};
use crate::network;
use crate::say::{heads, say, term, word};
use crate::targets::{self, objects_of};

/// What a call is about: `mallory`.
pub(crate) fn object_of(event: &Event) -> &str {
    objects_of(event).first().map_or("", String::as_str)
}

/// A call with what it is about: `iam:CreateUser mallory`.
pub(crate) fn told(event: &Event) -> String {
    let object = object_of(event);
    if object.is_empty() { event.call() } else { format!("{} {object}", event.call()) }
}

/// A call with each thing that it is about.
fn told_each(event: &Event) -> Vec<String> {
    match objects_of(event) {
        [] => vec![event.call()],
        objects => objects.iter().map(|it| format!("{} {it}", event.call())).collect(),
    }
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
    struct Run<'e> {
        /// The first of them,
        events: Vec<&'e Event>,
        /// and how many there are.
        count: usize,
    }
    let mut folded: Vec<Run<'_>> = Vec::new();
    let same = |a: &Event, b: &Event| {
        a.call_parts() == b.call_parts()
            && a.identity() == b.identity()
            && a.get(Field::ErrorCode) == b.get(Field::ErrorCode)
    };
    let (mut all, mut total, mut last) = (0, 0, None);
    for event in events {
        all += 1;
        let goes_on = last.is_some_and(|it| same(it, event));
        last = Some(event);
        total += u64::from(!goes_on);
        // Of what is not shown it is only known how much there is.
        if total > ROWS_MAX as u64 {
            continue;
        }
        if !goes_on {
            folded.push(Run { events: Vec::new(), count: 0 });
        }
        if let Some(run) = folded.last_mut() {
            run.count += 1;
            if run.events.len() < ROW_EVENTS_MAX {
                run.events.push(event);
            }
        }
    }
    let rows = folded.into_iter().map(|run| {
        let first = run.events[0];
        let call = if run.count == 1 { told(first) } else { format!("{} ×{}", first.call(), run.count) };
        Row {
            cells: vec![
                time(first.time),
                call,
                short(first.identity()).to_owned(),
                if first.is_refused() { first.get(Field::ErrorCode).to_owned() } else { String::new() },
                if first.is_write() { say!(l, "write") } else { String::new() },
                first.get(Field::Address).to_owned(),
                word(l, first.tactic()).to_owned(),
            ],
            events: ids(run.events.iter().copied()),
            count: run.count as u64,
            is_own: is_own(first),
        }
    });
    Found {
        id: id.to_owned(),
        show: "timeline",
        query: None,
        columns: heads!["time", "call", "who", "refused", "", "from", "tactic"],
        rows: rows.collect(),
        total,
        events: all,
    }
}

/// What the identities of the chain did, of those calls that are a mark of something and were answered.
pub(crate) fn done_since<'a>(look: &Look<'a>, mark: Mark, since: i64) -> Vec<&'a Event> {
    look.done(mark).iter().copied().filter(|it| it.time >= since).collect()
}

pub(crate) fn related(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let near = (case.first - 24 * HOUR, case.last + 24 * HOUR);
    let mut story: Vec<&Event> = Vec::new();
    for id in ["behaviour", "root-story", "key-story"] {
        story.extend(look.between(id, near.0, near.1).iter().map(|it| &**it));
    }
    story.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    story.dedup_by(|a, b| (a.time, &a.id) == (b.time, &b.id));
    let chain = look.chain_events();
    phases(look, story.iter().copied(), evidence);
    evidence.results.push(timeline(l, term!("story"), story.iter().copied(), |it| case.is_own(it)));
    let since = case.session_start - HOUR;
    let found = |name: &'static str, events: Vec<&Event>, none: String, what: String, look: &mut Look<'_>| {
        let objects: BTreeSet<String> = events.iter().flat_map(|it| told_each(it)).collect();
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
    let made: Vec<&Event> = done_since(look, Mark::Persistence, since);
    if !made.is_empty() {
        let table = timeline(l, term!("persistence"), made.iter().copied(), |it| case.is_own(it));
        evidence.results.push(table);
    }
    let (left, gone) = targets::without_gone(&made, &chain);
    let targets = targets::of(left);
    found(
        "persistence_created",
        made,
        say!(l, "nothing was made through which somebody could come back"),
        say!(l, "the chain's identities made or changed"),
        look,
    );
    look.targets(targets);
    if !gone.is_empty() {
        let names = some(l, gone.iter().map(|it| shown(it)), 5);
        evidence.statements.push(say!(l, "Of what was made is gone again: {}.", names));
    }
    let gone: Vec<String> = gone.into_iter().collect();
    look.exact("made_gone", gone, say!(l, "what was made and is gone again"));
    let mut read: Vec<&Event> = done_since(look, Mark::Secret, since);
    read.retain(|it| targets::is_secret(it));
    if !read.is_empty() {
        let head = &heads!["what was read"][0];
        evidence
            .results
            .push(tally(l, term!("data"), head, read.iter().copied(), told, told, |it| case.is_own(it)));
    }
    let targets = targets::of(read.iter().copied());
    found("secrets_read", read, say!(l, "no secret was read"), say!(l, "secrets were read"), look);
    look.targets(targets);
    let shared: Vec<&Event> = done_since(look, Mark::Sharing, since);
    let gives = |it: &&Event| acts::gives(&it.text_at(Field::Request as usize));
    let targets = targets::of(shared.iter().copied().filter(gives));
    found(
        "snapshots_shared",
        shared,
        say!(l, "no snapshot or image was shared"),
        say!(l, "snapshots or images were changed or shared"),
        look,
    );
    look.targets(targets);
    logging(look);
    network::network(look, evidence);
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
    let damage: Vec<&Event> =
        writes.into_iter().filter(|it| it.is_mark(Mark::Destruction) || it.is_mark(Mark::Sharing)).collect();
    let value = !damage.is_empty();
    let text = if value {
        say!(l, "deletion or sharing goes on after the alert")
    } else {
        say!(l, "no deletion or sharing after the alert")
    };
    look.fact("destruction_under_way", value, Confidence::Exact, ids(damage), text);
}

/// The story in phases: what was done by tactic, in the order in which it began. What was meant by it nobody can tell.
fn phases<'e>(look: &Look<'_>, story: impl Iterator<Item = &'e Event>, evidence: &mut Evidence) {
    let l = look.language;
    let mut phases: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in story {
        phases.entry(event.tactic()).or_default().push(event);
    }
    phases.remove("");
    let mut phases: Vec<(&str, Vec<&Event>)> = phases.into_iter().collect();
    phases.sort_by_key(|(tactic, its)| (its[0].time, *tactic));
    if phases.len() < 2 {
        return;
    }
    let events = phases.iter().map(|(_, its)| its.len()).sum();
    let rows = phases.into_iter().map(|(tactic, its)| {
        let mut by_parts: FxHashMap<[&str; 2], usize> = FxHashMap::default();
        for event in &its {
            *by_parts.entry(event.call_parts()).or_default() += 1;
        }
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "adding them up gives the same in any order")]
        for ([provider, action], count) in by_parts {
            *calls.entry(call_of(provider, action)).or_default() += count;
        }
        let mut calls: Vec<(String, usize)> = calls.into_iter().collect();
        calls.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let calls = calls
            .iter()
            .map(|(call, count)| if *count > 1 { format!("{call} ×{count}") } else { call.clone() });
        Row {
            cells: vec![
                word(l, tactic).to_owned(),
                time(its[0].time),
                time(its[its.len() - 1].time),
                its.len().to_string(),
                its.iter().filter(|it| it.is_refused()).count().to_string(),
                some(l, calls, 4),
            ],
            events: ids(its.iter().copied()),
            count: its.len() as u64,
            is_own: its.iter().any(|it| look.case.is_own(it)),
        }
    });
    let columns = heads!["tactic", "first", "last", "calls", "refused", "what"];
    evidence.results.push(Found::table(term!("phases"), "table", columns, rows).of_events(events));
}

/// What was changed of the account's logging, by the identities of the chain and by others.
fn logging(look: &mut Look<'_>) {
    let l = look.language;
    let events: Vec<&Event> = look.events("logging").iter().map(|it| &**it).collect();
    let objects: BTreeSet<String> = events.iter().map(|it| told(it)).collect();
    let chain = look.chain_ids();
    let is_of_chain = |it: &&&Event| chain.contains(&*it.id);
    let others: BTreeSet<&str> =
        events.iter().filter(|it| !is_of_chain(it)).map(|it| short(it.identity())).collect();
    let objects: Vec<String> = objects.into_iter().collect();
    let text = if objects.is_empty() {
        say!(l, "no logging was changed in the account")
    } else {
        let calls = some(l, objects.iter().map(|it| shown(it)), 5);
        let text = say!(l, "{}: {}", say!(l, "logging was changed in the account"), calls);
        if others.is_empty() {
            text
        } else {
            let who = some(l, others.iter().map(|it| shown(it)), 3);
            if events.iter().any(|it| is_of_chain(&it)) {
                say!(l, "{}; some of it by others: {}", text, who)
            } else {
                say!(l, "{}; by others than the chain's identities: {}", text, who)
            }
        }
    };
    if !objects.is_empty() {
        look.deviations.push(text.clone());
    }
    look.fact("logging_changed", objects, Confidence::Exact, ids(events), text);
}
