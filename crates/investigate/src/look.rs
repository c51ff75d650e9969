//! What a computation looks at, and how it says what it found.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use ecs::Millis;
use identity::Graph;
use rule::GuideLanguage;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use serde_json::Value;

use crate::case::Case;
use crate::deed::Mark;
use crate::event::Event;
use crate::evidence::{Confidence, Evidence, Fact, Found, Lack, Missing, ROW_EVENTS_MAX, Row, Target};
use crate::say::{heads, say};
use crate::source::Answer;

/// Rows of a table, if nothing else is asked for.
pub(crate) const ROWS_MAX: usize = 200;

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;

/// A case and the answers to its questions.
pub(crate) struct Look<'a> {
    pub(crate) case: &'a Case,
    /// What sentences are said in.
    pub(crate) language: GuideLanguage,
    /// The answers to the general questions, by their ids.
    pub(crate) answers: BTreeMap<&'a str, &'a Answer>,
    pub(crate) graph: &'a Graph,
    pub(crate) who: identity::Who<'a>,
    pub(crate) facts: Vec<Fact>,
    /// What differs from what was before.
    pub(crate) deviations: Vec<String>,
    /// See [`Self::chain_events`]: several steps ask for them.
    pub(crate) chain_events: OnceCell<Rc<[&'a Event]>>,
    /// See [`Self::done`].
    pub(crate) chain_marks: OnceCell<BTreeMap<Mark, Vec<&'a Event>>>,
    /// See [`Self::chain_ids`].
    pub(crate) chain_ids: OnceCell<Rc<FxHashSet<&'a str>>>,
}

impl<'a> Look<'a> {
    /// The events that answer a question; none if it could not be asked.
    pub(crate) fn events(&self, id: &str) -> &'a [Arc<Event>] {
        self.answers.get(id).map_or(&[], |it| &*it.events)
    }

    /// Those of them that happened then: from the first time, and until the second.
    pub(crate) fn between(&self, id: &str, from: Millis, to: Millis) -> &'a [Arc<Event>] {
        let all = self.events(id);
        let start = all.partition_point(|it| it.time < from);
        let end = all.partition_point(|it| it.time <= to).max(start);
        &all[start..end]
    }

    /// What the identities of the chain did, by their ARNs and keys, in the order of time.
    pub(crate) fn chain_events(&self) -> Rc<[&'a Event]> {
        let all = self.chain_events.get_or_init(|| {
            let all = ["root-story", "key-story"].into_iter().flat_map(|id| self.events(id));
            let mut all: Vec<&'a Event> = all.map(|it| &**it).collect();
            all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
            all.dedup_by(|a, b| (a.time, &a.id) == (b.time, &b.id));
            all.into()
        });
        Rc::clone(all)
    }

    /// Those of them that were answered and are a mark of something.
    pub(crate) fn done(&self, mark: Mark) -> &[&'a Event] {
        let by_mark = self.chain_marks.get_or_init(|| {
            let mut by_mark: BTreeMap<Mark, Vec<&'a Event>> = BTreeMap::new();
            for &event in self.chain_events().iter().filter(|it| !it.is_refused()) {
                for &mark in event.marks() {
                    by_mark.entry(mark).or_default().push(event);
                }
            }
            by_mark
        });
        by_mark.get(&mark).map_or(&[], Vec::as_slice)
    }

    /// The ids of all of them.
    pub(crate) fn chain_ids(&self) -> Rc<FxHashSet<&'a str>> {
        let ids = || Rc::new(self.chain_events().iter().map(|it| &*it.id).collect());
        Rc::clone(self.chain_ids.get_or_init(ids))
    }

    /// The fact of that name, if it was found so far.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.facts.iter().any(|it| it.name == name && it.holds())
    }

    pub(crate) fn fact(
        &mut self,
        name: &'static str,
        value: impl Into<Value>,
        confidence: Confidence,
        events: Vec<String>,
        text: impl Into<String>,
    ) {
        debug_assert!(rule::FACTS.contains(&name), "{name} is no fact");
        let (value, text) = (value.into(), text.into());
        self.facts.push(Fact { name, value, confidence, events, text, targets: Vec::new() });
    }

    /// What the last fact is about.
    pub(crate) fn targets(&mut self, mut targets: Vec<Target>) {
        targets.sort();
        targets.dedup();
        if let Some(fact) = self.facts.last_mut() {
            fact.targets = targets;
        }
    }

    /// A fact that the records say.
    pub(crate) fn exact(&mut self, name: &'static str, value: impl Into<Value>, text: impl Into<String>) {
        self.fact(name, value, Confidence::Exact, Vec::new(), text);
    }
}

/// The ids of the first events.
pub(crate) fn ids<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<String> {
    events.into_iter().take(ROW_EVENTS_MAX).map(|it| it.id.to_string()).collect()
}

impl Evidence {
    pub(crate) fn lacks(&mut self, lack: Lack, text: impl Into<String>) {
        self.missing.push(Missing { lack, text: text.into() });
    }
}

/// What a row is called: texts that stand one after the other. Nothing is made of them unless the row is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined<'e, const N: usize>(pub(crate) [&'e str; N]);

impl<const N: usize> Joined<'_, N> {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.0.iter().flat_map(|it| it.bytes())
    }
}

impl<const N: usize> Ord for Joined<'_, N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl<const N: usize> PartialOrd for Joined<'_, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> PartialEq for Joined<'_, N> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.bytes().eq(other.bytes())
    }
}

impl<const N: usize> Eq for Joined<'_, N> {}

impl<const N: usize> Hash for Joined<'_, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Whatever the pieces, the same text is the same.
        self.bytes().for_each(|it| state.write_u8(it));
    }
}

impl<const N: usize> fmt::Display for Joined<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| f.write_str(it))
    }
}

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// What events with the same value amount to.
#[derive(Clone, Copy)]
struct Tallied<'e> {
    count: u64,
    refused: u64,
    first: &'e Event,
    last: &'e Event,
    is_own: bool,
}

/// Distinct values of events with how often, how often refused, first and last: the most frequent first. There may be tens of
/// thousands of events with as many values, of which a few are shown: `key` tells apart what `value` is then made of, once
/// each. Of keys with the same value the events count together.
pub(crate) fn tally<'e, K: Eq + Hash, V: Ord + Hash + fmt::Display>(
    language: GuideLanguage,
    id: &str,
    head: &str,
    events: impl IntoIterator<Item = &'e Event>,
    key: impl Fn(&'e Event) -> K,
    value: impl Fn(&'e Event) -> V,
    is_own: impl Fn(&Event) -> bool,
) -> Found {
    let events: Vec<&'e Event> = events.into_iter().collect();
    // The values in the order of their first events.
    let (mut by_key, mut places) = (FxHashMap::default(), FxHashMap::default());
    let mut values: Vec<(V, Tallied<'e>, u32)> = Vec::new();
    let mut value_of: Vec<u32> = Vec::with_capacity(events.len());
    for &event in &events {
        let at = *by_key.entry(key(event)).or_insert_with(|| {
            let value = value(event);
            let mut hasher = FxHasher::default();
            value.hash(&mut hasher);
            // Values of the same hash are a chain.
            let head = places.entry(hasher.finish()).or_insert(NONE);
            let mut known = *head;
            while known != NONE && values[known as usize].0 != value {
                known = values[known as usize].2;
            }
            if known == NONE {
                known = values.len() as u32;
                let of = Tallied { count: 0, refused: 0, first: event, last: event, is_own: false };
                values.push((value, of, std::mem::replace(head, known)));
            }
            known
        });
        let it = &mut values[at as usize].1;
        it.count += 1;
        it.refused += u64::from(event.is_refused());
        it.last = event;
        it.is_own = it.is_own || is_own(event);
        value_of.push(at);
    }
    let total = values.len();
    let before = |&a: &u32, &b: &u32| {
        let (a, b) = (&values[a as usize], &values[b as usize]);
        b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0))
    };
    let mut shown: Vec<u32> = (0..total as u32).collect();
    if total > ROWS_MAX {
        shown.select_nth_unstable_by(ROWS_MAX, before);
        shown.truncate(ROWS_MAX);
    }
    shown.sort_by(before);
    let mut row_of: Vec<Option<usize>> = vec![None; total];
    for (row, at) in shown.iter().enumerate() {
        row_of[*at as usize] = Some(row);
    }
    let mut named: Vec<(Vec<&'e Event>, BTreeSet<&'e str>)> = vec![Default::default(); shown.len()];
    for (event, at) in events.iter().zip(&value_of) {
        let Some(row) = row_of[*at as usize] else { continue };
        let (first, addresses) = &mut named[row];
        if first.len() < ROW_EVENTS_MAX {
            first.push(event);
        }
        let address = event.get(crate::event::Field::Address);
        if !address.is_empty() {
            addresses.insert(address);
        }
    }
    let rows = shown.iter().zip(named).map(|(at, (first, addresses))| {
        let (value, of, _) = &values[*at as usize];
        Row {
            cells: vec![
                value.to_string(),
                of.count.to_string(),
                of.refused.to_string(),
                time(of.first.time),
                time(of.last.time),
                some(language, addresses, 3),
            ],
            events: ids(first),
            count: of.count,
            is_own: of.is_own,
        }
    });
    Found {
        id: id.to_owned(),
        show: "values",
        query: None,
        columns: std::iter::once(head.to_owned())
            .chain(heads!["count", "refused", "first", "last", "from"])
            .collect(),
        rows: rows.collect(),
        total: total as u64,
        events: events.len() as u64,
    }
}

/// The first values, and how many more there are.
pub(crate) fn some<T: AsRef<str>>(
    language: GuideLanguage,
    values: impl IntoIterator<Item = T>,
    most: usize,
) -> String {
    let all: Vec<T> = values.into_iter().collect();
    let out: Vec<&str> = all.iter().take(most).map(AsRef::as_ref).collect();
    let between = match language {
        GuideLanguage::English => ", ",
        GuideLanguage::SimplifiedChinese => "、",
    };
    let out = out.join(between);
    match all.len().saturating_sub(most) {
        0 => out,
        more => say!(language, "{}, and {} more", out, more),
    }
}

/// An instant in UTC, to the second.
pub(crate) fn time(at: Millis) -> String {
    let text = ecs::date::to_iso(at);
    match text.split_once('.') {
        Some((seconds, _)) => seconds.replace('T', " "),
        None => text,
    }
}

/// A span of time in words: `3 s`, `12 min`, `5 h`, `9 days`.
pub(crate) fn lasting(language: GuideLanguage, span: Millis) -> String {
    let span = span.max(0);
    if span < 2 * MINUTE {
        say!(language, "{} s", span / 1_000)
    } else if span < 2 * HOUR {
        say!(language, "{} min", span / MINUTE)
    } else if span < 2 * DAY {
        say!(language, "{} h", span / HOUR)
    } else {
        say!(language, "{} days", span / DAY)
    }
}

/// The resource part of an ARN: `role/ci`.
pub(crate) fn short(arn: &str) -> &str {
    if arn.starts_with("arn:") { arn.splitn(6, ':').nth(5).unwrap_or(arn) } else { arn }
}

/// With a capital letter.
pub(crate) fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

/// How sure something is, in words.
pub(crate) fn sure(language: GuideLanguage, confidence: Confidence) -> String {
    match confidence {
        Confidence::Exact => say!(language, "exact"),
        Confidence::Inferred => say!(language, "inferred"),
        Confidence::Weak => say!(language, "weak"),
    }
}
