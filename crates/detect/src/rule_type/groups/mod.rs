//! Matches in groups, by the values of up to five fields: what threshold rules count, and what suppressed alerts of
//! query rules are made of.
//!
//! An execution counts the events of each group in its range. What an alert counted, its group does not count again: of
//! each group is known the newest event that its alerts counted ([`state`]). An event with several values of a field is in
//! several groups, and whoever counts it first takes it from the others.

mod execute;
mod lists;
mod plain;
mod state;
mod table;

use ecs::Millis;
use serde_json::Value;

use super::Run;
use super::combinations::Combinations;
use crate::collect::EventRef;
use crate::fate::Watched;
use crate::schedule::{Ticks, Window};
use crate::tails::Column;
use crate::term::{Term, TermId};

pub(super) use execute::GroupExecutions;
pub(super) use plain::ListedGroups;
pub(super) use table::{GroupTable, Groups};

/// At most so many fields.
pub(crate) const FIELDS_MAX: usize = 5;

/// One value of each field; fields that there are not stay at the default.
pub(super) type Key = [TermId; FIELDS_MAX];

/// Stands in a [`Key`] for the value of a field that an event lacks, where such events are a group of their own.
pub(super) const MISSING: TermId = TermId(u32::MAX);

/// What matches are grouped by, and which groups matter.
#[derive(Clone, Debug)]
pub(crate) struct GroupBy {
    /// The fields, then that whose values are counted.
    pub(super) columns: Vec<Column>,
    /// How many of the columns are fields to group by.
    pub(super) fields: usize,
    /// What becomes of an event that lacks a field.
    pub(super) lacking: Lacking,
    /// At least so many events.
    pub(super) value: u64,
    /// At least so many distinct values of the last column, if they are counted.
    pub(super) cardinality: Option<u64>,
}

/// What becomes of an event that lacks a field to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacking {
    /// It is in no group, and nobody asks for it.
    Left,
    /// It is in the group of those that lack the field.
    Grouped,
    /// It is in no group, and kept beside them.
    Apart,
}

/// What an execution counted of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) key: Key,
    pub(super) count: u64,
    /// Distinct values, if they are counted.
    pub(super) cardinality: Option<u64>,
    /// The oldest of its events.
    pub(super) oldest: EventRef,
    /// When that was, as the rule tells time.
    pub(super) start: Millis,
    /// When the newest was.
    pub(super) end: Millis,
    /// The newest `@timestamp`.
    pub(super) timestamp: Millis,
}

impl GroupBy {
    /// The groups that an event belongs to; says how many were too many.
    pub(super) fn keys<'t>(
        &self,
        values: &[&[TermId]],
        term: impl Fn(usize, TermId) -> Term<'t>,
        take: impl FnMut(Key),
    ) -> u64 {
        let values = &values[..self.fields];
        if self.lacking != Lacking::Grouped || values.iter().all(|it| !it.is_empty()) {
            return Combinations::new(values, term).each(take);
        }
        let filled: Vec<&[TermId]> =
            values.iter().map(|it| if it.is_empty() { &[MISSING][..] } else { it }).collect();
        Combinations::new(&filled, term).each(take)
    }

    /// Whether an event is kept beside the groups.
    pub(super) fn is_apart<V: AsRef<[TermId]>>(&self, values: &[V]) -> bool {
        self.lacking == Lacking::Apart && values[..self.fields].iter().any(|it| it.as_ref().is_empty())
    }

    /// The values of an event that are counted.
    fn counted<'v>(&self, values: &[&'v [TermId]]) -> &'v [TermId] {
        self.cardinality.and_then(|_| values.get(self.fields).copied()).unwrap_or_default()
    }

    /// Whether a group alerts that has so many events, and so many distinct values.
    pub(super) fn is_reached(&self, count: u64, distinct: impl FnOnce() -> u64) -> bool {
        count >= self.value.max(1) && self.cardinality.is_none_or(|least| distinct() >= least)
    }
}

/// The executions over groups, however their matches are kept.
pub(super) enum Counting<'a> {
    Table(GroupExecutions<'a>),
    /// Of a rule with a residue.
    Listed(ListedGroups<'a>),
}

impl Counting<'_> {
    /// See [`Executions::next`](super::Executions::next).
    pub(super) fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        match self {
            Self::Table(it) => it.next(ticks, tick),
            Self::Listed(it) => it.next(ticks, tick),
        }
    }

    /// The groups that this execution alerts on, in order: `limit` at most, and whether there are more. Those that
    /// `is_said` holds of are said from now on; of the others nothing is remembered. It is asked of each once, in order.
    pub(super) fn execute(
        &mut self,
        tick: i64,
        window: &Window,
        limit: usize,
        is_said: &mut dyn FnMut(&Bucket) -> bool,
    ) -> (Vec<Bucket>, bool) {
        match self {
            Self::Table(it) => it.execute(tick, window, limit, is_said),
            Self::Listed(it) => it.execute(tick, window, limit, is_said),
        }
    }

    /// An alert from before the first execution counted the events of the group up to `time`.
    pub(super) fn count_to(&mut self, key: &Key, time: Millis) {
        match self {
            Self::Table(it) => it.count_to(key, time),
            Self::Listed(it) => it.count_to(key, time),
        }
    }

    /// What an execution that comes next would count of a group, whether or not it is enough.
    pub(super) fn count(&self, key: &Key, window: &Window) -> Option<Bucket> {
        match self {
            Self::Table(it) => it.count(key, window),
            Self::Listed(it) => it.count(key, window),
        }
    }

    /// The events of a bucket's group from its oldest to its newest. One that another group's alert counted is among them.
    pub(super) fn events(&self, bucket: &Bucket) -> Vec<EventRef> {
        match self {
            Self::Table(it) => it.events(bucket),
            Self::Listed(it) => it.events(bucket),
        }
    }

    /// All groups; one may stand there several times.
    pub(super) fn groups(&self) -> Vec<Key> {
        match self {
            Self::Table(it) => it.groups(),
            Self::Listed(it) => it.groups(),
        }
    }

    /// Whether it is this delivery of an event of the group that counts.
    pub(super) fn holds(&self, key: &Key, watched: &Watched) -> bool {
        match self {
            Self::Table(it) => it.holds(key, watched),
            Self::Listed(it) => it.holds(watched),
        }
    }

    /// Whether the event is a match for the execution at `now`.
    pub(super) fn is_match(&self, watched: &Watched, now: Millis) -> bool {
        match self {
            Self::Table(_) => true,
            Self::Listed(it) => it.is_match(watched, now),
        }
    }

    /// Whether an alert counted the events of one of these groups up to `time`, as far as an execution from `from` on
    /// heeds it: then it counts no event of that time which is in all of them.
    pub(super) fn is_counted(&self, keys: &[Key], time: Millis, from: Millis) -> bool {
        match self {
            Self::Table(it) => it.is_counted(keys, time, from),
            Self::Listed(it) => it.is_counted(keys, time, from),
        }
    }

    /// See [`Executions::depends_on_earlier`](super::Executions::depends_on_earlier).
    pub(super) fn depends_on_earlier(&self, first: i64) -> bool {
        match self {
            Self::Table(it) => it.depends_on_earlier(first),
            Self::Listed(it) => it.depends_on_earlier(first),
        }
    }
}

/// Up to when the alerts of a group counted, and what of it executions heed.
#[derive(Clone, Copy, Debug)]
struct CountedTo {
    to: Millis,
    /// Where ranges begin at the same time always, that time is heeded, too: an event there would alert forever.
    heeds_from: bool,
}

impl CountedTo {
    /// Whether an alert counted what happened at `time`. An execution heeds what lies after the beginning of its range.
    fn holds(self, time: Millis, from: Millis) -> bool {
        time <= self.to && (self.to > from || self.heeds_from && self.to == from)
    }
}

/// The order of a composite aggregation: by the values of the first field, then of the second, and so on; groups of
/// events that lack a value come last.
pub(super) fn compare(run: Run<'_>, fields: usize, left: &Key, right: &Key) -> std::cmp::Ordering {
    let differing = (0..fields).find(|&at| left[at] != right[at]);
    differing.map_or(std::cmp::Ordering::Equal, |at| match (left[at], right[at]) {
        (MISSING, _) => std::cmp::Ordering::Greater,
        (_, MISSING) => std::cmp::Ordering::Less,
        (left, right) => {
            let values = run.matches.values(run.columns()[at]);
            values.get(left).cmp(&values.get(right))
        }
    })
}

/// The values of a key, as alerts have them; null for what is missing.
pub(super) fn values_of(run: Run<'_>, fields: usize, key: &Key) -> Vec<Value> {
    let values = run.columns().iter().zip(key).take(fields);
    let value = |(&column, &term)| match term {
        MISSING => Value::Null,
        term => run.matches.values(column).get(term).to_value(false),
    };
    values.map(value).collect()
}
