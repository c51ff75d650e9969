//! Everything that the rules matched, complete and in order.

use std::hash::Hasher;
use std::sync::{Arc, OnceLock};

use ecs::Millis;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::events::{EventRef, EventTable};
use super::term_table::Terms;
use super::terms::Interner;
use super::{Collector, FieldNumber, Found};
use crate::Plan;
use crate::plan::EventTime;

/// The matches of all rules over all the data.
#[derive(Debug)]
pub struct Matches {
    pub(crate) events: EventTable,
    pub(crate) plans: Arc<[Plan]>,
    pub(crate) rules: Vec<RuleMatches>,
    values: Vec<Interner>,
    ranks: Vec<OnceLock<Vec<u32>>>,
}

/// The matches of one rule.
#[derive(Debug)]
pub(crate) enum RuleMatches {
    Query { matches: QueryMatches, matched: u64, copies: u64 },
    NewTerms { terms: Box<Terms>, fields: Vec<FieldNumber>, matched: u64, skipped: Skipped },
}

impl RuleMatches {
    /// The times of the first and the last match that is kept, as the rule tells time.
    pub(crate) fn times(&self) -> Option<(Millis, Millis)> {
        let join = |a: (Millis, Millis), b: (Millis, Millis)| (a.0.min(b.0), a.1.max(b.1));
        match self {
            Self::Query { matches, .. } => {
                let ends = |list: &[Match]| Some((list.first()?.time, list.last()?.time));
                matches.lists().into_iter().filter_map(ends).reduce(join)
            }
            Self::NewTerms { terms, .. } => {
                terms.runs().map(|(_, run, _)| (run.start, run.last)).reduce(join)
            }
        }
    }
}

impl Matches {
    pub(super) fn new(collector: Collector) -> Self {
        let Collector { plans, events, rules, values, .. } = collector;
        let copies = copies(&events, &rules);
        let rules = rules
            .into_iter()
            .map(|rule| match rule.found {
                Found::Query(mut matches) => {
                    let dropped = matches.drop_copies(&copies, &events);
                    matches.sort(&events);
                    RuleMatches::Query { matches, matched: rule.matched, copies: dropped }
                }
                Found::NewTerms(table) => RuleMatches::NewTerms {
                    terms: Box::new(table.finish()),
                    fields: rule.fields,
                    matched: rule.matched,
                    skipped: rule.skipped,
                },
            })
            .collect();
        let ranks = values.iter().map(|_| OnceLock::new()).collect();
        Self { events, plans, rules, values, ranks }
    }

    pub(crate) fn values(&self, field: FieldNumber) -> &Interner {
        &self.values[field.index()]
    }

    /// For each value of the field its place in their order. Made when first asked for: it sorts all values.
    pub(crate) fn ranks(&self, field: FieldNumber) -> &[u32] {
        self.ranks[field.index()].get_or_init(|| self.values[field.index()].ranks())
    }
}

/// For events that query rules matched and that were delivered several times: the number of one of the copies,
/// the same for all. Empty if there are none, as mostly.
fn copies(events: &EventTable, rules: &[super::OneRule]) -> Vec<Option<u32>> {
    let mut first: HashTable<EventRef> = HashTable::new();
    let mut copies = Vec::new();
    let mut seen = vec![false; events.len()];
    let hash = |event: EventRef| {
        let mut hasher = FxHasher::default();
        hasher.write(events.id(event, &mut [0; 36]).as_bytes());
        hasher.write_u32(events.index(event));
        hasher.finish()
    };
    for rule in rules {
        let Found::Query(matches) = &rule.found else { continue };
        for found in &matches.found {
            if std::mem::replace(&mut seen[found.event.index()], true) {
                continue;
            }
            let key = hash(found.event);
            if let Some(&copy) = first.find(key, |&it| events.same(it, found.event)) {
                copies.resize(events.len(), None);
                copies[copy.index()] = Some(copy.index() as u32);
                copies[found.event.index()] = Some(copy.index() as u32);
            } else {
                first.insert_unique(key, found.event, |&it| hash(it));
            }
        }
    }
    copies
}

/// One match of a rule that needs the event alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) time: Millis,
    pub(crate) event: EventRef,
    /// The event lacks the timestamp override.
    pub(crate) fallback: bool,
}

/// The matches of a rule that needs the events alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryMatches {
    found: Vec<Match>,
    /// After sorting: where the events without the timestamp override begin.
    split: usize,
}

impl QueryMatches {
    pub(super) fn push(&mut self, at: EventTime, event: EventRef) {
        self.found.push(Match { time: at.time, event, fallback: at.fallback });
    }

    pub(super) fn merge(&mut self, other: Self, shift: u32) {
        let shifted = |it: Match| Match { event: EventTable::shifted(it.event, shift), ..it };
        self.found.extend(other.found.into_iter().map(shifted));
    }

    /// Events with the timestamp override (or of a rule without), then those that lack it, each by time.
    pub(crate) fn lists(&self) -> [&[Match]; 2] {
        let (with, without) = self.found.split_at(self.split);
        [with, without]
    }

    /// Of the copies of an event, the one read first stays.
    fn drop_copies(&mut self, copies: &[Option<u32>], events: &EventTable) -> u64 {
        if copies.is_empty() {
            return 0;
        }
        let before = self.found.len();
        let copy = |it: &Match| copies[it.event.index()];
        self.found.sort_unstable_by_key(|it| (copy(it), events.origin(it.event), it.time));
        self.found.dedup_by(|a, b| copy(a).is_some() && copy(a) == copy(b));
        (before - self.found.len()) as u64
    }

    fn sort(&mut self, events: &EventTable) {
        self.found.sort_unstable_by(|a, b| {
            (a.fallback, a.time).cmp(&(b.fallback, b.time)).then_with(|| events.compare(a.event, b.event))
        });
        self.split = self.found.partition_point(|it| !it.fallback);
    }
}

/// Combinations that were left out because events had more than [`COMBINATIONS_MAX`](super::COMBINATIONS_MAX).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) events: u64,
    pub(crate) combinations: u64,
    /// The first such event: its time and id.
    pub(crate) first: Option<(Millis, String)>,
}

impl Skipped {
    pub(super) fn add(&mut self, time: Millis, id: &str, combinations: u64) {
        self.merge(Self { events: 1, combinations, first: Some((time, id.to_owned())) });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.combinations = self.combinations.saturating_add(other.combinations);
        self.first = match (self.first.take(), other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}
