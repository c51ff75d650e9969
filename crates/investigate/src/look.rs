//! What a computation looks at, and how it says what it found.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ecs::Millis;
use identity::Graph;
use rule::GuideLanguage;
use serde_json::Value;

use crate::case::Case;
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
    pub(crate) chain_events: OnceCell<Vec<&'a Event>>,
}

impl<'a> Look<'a> {
    /// The events that answer a question; none if it could not be asked.
    pub(crate) fn events(&self, id: &str) -> &'a [Arc<Event>] {
        self.answers.get(id).map_or(&[], |it| &*it.events)
    }

    /// What the identities of the chain did, by their ARNs and keys.
    pub(crate) fn chain_events(&self) -> Vec<&'a Event> {
        let all = self.chain_events.get_or_init(|| {
            let all = ["root-story", "key-story"].into_iter().flat_map(|id| self.events(id));
            let mut all: Vec<&'a Event> = all.map(|it| &**it).collect();
            all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
            all.dedup_by(|a, b| (a.time, &a.id) == (b.time, &b.id));
            all
        });
        all.clone()
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

/// Distinct values of events with how often, how often refused, first and last: the most frequent first.
pub(crate) fn tally<'e>(
    language: GuideLanguage,
    id: &str,
    head: &str,
    events: impl IntoIterator<Item = &'e Event>,
    value: impl Fn(&'e Event) -> String,
    is_own: impl Fn(&Event) -> bool,
) -> Found {
    #[derive(Default)]
    struct Of<'e> {
        events: Vec<&'e Event>,
        refused: u64,
        addresses: BTreeSet<&'e str>,
        is_own: bool,
    }
    let mut values: HashMap<String, Of<'e>> = HashMap::new();
    let mut all = 0;
    for event in events {
        all += 1;
        let of = values.entry(value(event)).or_default();
        of.refused += u64::from(event.is_refused());
        let address = event.get(crate::event::Field::Address);
        if !address.is_empty() {
            of.addresses.insert(address);
        }
        of.is_own |= is_own(event);
        of.events.push(event);
    }
    let total = values.len() as u64;
    let mut values: Vec<(String, Of<'e>)> = values.into_iter().collect();
    values.sort_by(|a, b| b.1.events.len().cmp(&a.1.events.len()).then_with(|| a.0.cmp(&b.0)));
    let rows = values.into_iter().take(ROWS_MAX).map(|(value, of)| {
        let time = |it: Option<&&Event>| it.map(|it| time(it.time)).unwrap_or_default();
        Row {
            cells: vec![
                value,
                of.events.len().to_string(),
                of.refused.to_string(),
                time(of.events.first()),
                time(of.events.last()),
                some(language, of.addresses.iter().copied(), 3),
            ],
            events: ids(of.events.iter().copied()),
            count: of.events.len() as u64,
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
        total,
        events: all,
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
