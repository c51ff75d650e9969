//! `eql`: one alert for each event, or a shell and its building blocks for each sequence or sample.
//!
//! A rule has a filter for each item of its query. What the filters let through is put in order once (`ordered.rs`); what
//! it forms (`machine.rs`, `missing.rs`, `sample.rs`) is asked once of all of it where that is the same, and else by each
//! execution (`execute.rs`).

mod alert;
mod execute;
mod fate;
mod keys;
mod machine;
mod missing;
mod ordered;
mod query;
mod sample;

use ecs::{Catalog, Millis, Shape};
use rule::Pattern;
use rustc_hash::FxHashMap;

use super::listed::ResidueColumns;
use crate::collect::{EventRef, EventTable, Feed, Moved, Told};
use crate::outcome::Metrics;
use crate::tail::{EventTime, Tail, TailError};
use crate::tails::Column;
use crate::term::{TermId, TermType};

pub(crate) use alert::shell_id;
pub use alert::{Sequence, SequenceEvent};
pub(super) use execute::EqlExecutions;
pub use keys::JOIN_KEYS_MAX;
pub use machine::SEQUENCES_BEGUN_MAX;
pub use query::QueryResult;

/// What a rule says.
#[derive(Clone, Debug)]
pub(crate) struct Eql {
    pattern: Pattern,
    /// By filter: those of the join keys, then the timestamp and the tiebreaker, if they are fields of their own.
    columns: Vec<Vec<Column>>,
    has_time: bool,
    has_tiebreaker: bool,
    /// Samples of each key.
    samples_of_key: usize,
}

/// The fields that the order of events is read from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OrderFields<'a> {
    /// `timestamp_field`, if it is not `@timestamp`.
    pub(crate) timestamp: Option<&'a str>,
    /// `tiebreaker_field`.
    pub(crate) tiebreaker: Option<&'a str>,
}

impl Eql {
    pub(crate) fn new(
        pattern: &Pattern,
        order: OrderFields<'_>,
        catalog: &Catalog,
    ) -> Result<Self, TailError> {
        let column = |path: &str| match TermType::of(path, catalog) {
            Ok(ty) => Ok(Column { path: path.to_owned(), shape: ty.shape(), ty }),
            Err(ty) => Err(TailError::NoValues { field: path.to_owned(), ty }),
        };
        let timestamp = order.timestamp.filter(|it| *it != "@timestamp").map(|path| Column {
            path: path.to_owned(),
            shape: Shape::Leaf,
            ty: TermType::Date,
        });
        let tiebreaker = order.tiebreaker.map(column).transpose()?;
        let columns = pattern.keys.iter().map(|keys| {
            let keys = keys.iter().map(|key| column(&key.path));
            keys.chain(timestamp.clone().map(Ok)).chain(tiebreaker.clone().map(Ok)).collect()
        });
        Ok(Self {
            pattern: pattern.clone(),
            columns: columns.collect::<Result<_, _>>()?,
            has_time: timestamp.is_some(),
            has_tiebreaker: tiebreaker.is_some(),
            samples_of_key: 1,
        })
    }

    /// The same with so many samples of each key.
    pub(crate) fn with_samples(self, of_key: usize) -> Self {
        Self { samples_of_key: of_key, ..self }
    }

    pub(super) fn filters(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn columns(&self, step: usize) -> &[Column] {
        &self.columns[step]
    }

    /// How many of a filter's columns are those of the keys.
    fn patterned(&self, step: usize) -> usize {
        self.pattern.keys[step].len()
    }

    /// Behind the columns of the keys.
    fn time_at(&self) -> Option<usize> {
        self.has_time.then_some(0)
    }

    /// Behind the columns of the keys.
    fn tiebreaker_at(&self) -> Option<usize> {
        self.has_tiebreaker.then_some(usize::from(self.has_time))
    }
}

/// One match of one filter.
#[derive(Clone, Copy, Debug)]
struct Match {
    /// As executions see it.
    time: Millis,
    event: EventRef,
    step: u16,
    /// Where its values begin, and where it stands how many there are in each column.
    values: u32,
    counts: u32,
    /// The values are those for executions that end no earlier than the first and no later than the last: always, as a rule.
    holds: (Millis, Millis),
}

/// At any time.
const ALWAYS: (Millis, Millis) = (Millis::MIN, Millis::MAX);

/// What one thread gathered. The matches of one event follow one another.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    matches: Vec<Match>,
    values: Vec<TermId>,
    counts: Vec<u32>,
    /// How many columns each filter has.
    columns: Vec<usize>,
}

impl Gathered {
    pub(super) fn new(tail: &Tail) -> Self {
        let columns = (0..tail.filters()).map(|step| tail.columns(step).len()).collect();
        Self { matches: Vec::new(), values: Vec::new(), counts: Vec::new(), columns }
    }

    pub(super) fn push<'v>(
        &mut self,
        step: usize,
        time: Millis,
        event: EventRef,
        values: impl Iterator<Item = &'v [TermId]>,
    ) {
        let place = |len: usize| u32::try_from(len).expect("a rule has fewer than 2^32 values of matches");
        self.matches.push(Match {
            time,
            event,
            step: u16::try_from(step).expect("a query has fewer than 2^16 items"),
            values: place(self.values.len()),
            counts: place(self.counts.len()),
            holds: ALWAYS,
        });
        for ids in values {
            self.counts.push(place(ids.len()));
            self.values.extend(ids);
        }
    }

    pub(super) fn take(
        &mut self,
        step: usize,
        at: EventTime,
        values: &[&[TermId]],
        feed: &mut Feed<'_, '_>,
    ) -> bool {
        // Also what lies outside all ranges: it may be the copy that counts.
        self.push(step, at.time, feed.row(), values.iter().copied());
        feed.is_in_reach
    }

    pub(super) fn merge(&mut self, other: &Self, moved: &mut Moved<'_>) {
        let mut ids: Vec<Vec<TermId>> = Vec::new();
        let since = moved.since;
        for it in other.matches.iter().filter(|it| it.time >= since) {
            let step = usize::from(it.step);
            let columns = values(it, &other.values, &other.counts, &other.columns).enumerate();
            ids.clear();
            ids.extend(columns.map(|(at, ids)| ids.iter().map(|&id| moved.value(step, at, id)).collect()));
            self.push(step, it.time, moved.event(it.event), ids.iter().map(Vec::as_slice));
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = EventRef> {
        self.matches.iter().map(|it| it.event)
    }

    pub(super) fn finish(mut self, copies: &[Option<u32>], events: &EventTable) -> Complete {
        let copy = |it: &Match| copies.get(it.event.index()).copied().flatten();
        // Of the copies of an event, the one read first stays.
        let mut first: FxHashMap<u32, EventRef> = FxHashMap::default();
        for it in &self.matches {
            if let Some(copy) = copy(it) {
                let stays = first.entry(copy).or_insert(it.event);
                if events.origin(it.event) < events.origin(*stays) {
                    *stays = it.event;
                }
            }
        }
        let count = |matches: &[Match]| matches.chunk_by(|a, b| a.event == b.event).count();
        let before = if first.is_empty() { 0 } else { count(&self.matches) };
        if !first.is_empty() {
            self.matches.retain(|it| copy(it).is_none_or(|copy| first[&copy] == it.event));
        }
        let copies = if first.is_empty() { 0 } else { (before - count(&self.matches)) as u64 };
        let Self { matches, values, counts, columns } = self;
        Complete { matches, values, counts, columns, copies }
    }
}

/// The values of a match in each of its columns.
fn values<'v>(
    it: &Match,
    values: &'v [TermId],
    counts: &'v [u32],
    columns: &[usize],
) -> impl Iterator<Item = &'v [TermId]> + use<'v> {
    let counts = &counts[it.counts as usize..][..columns[usize::from(it.step)]];
    let mut rest = &values[it.values as usize..];
    counts.iter().map(move |&count| {
        let (ids, more) = rest.split_at(count as usize);
        rest = more;
        ids
    })
}

/// All matches of a rule, each event's together.
#[derive(Debug)]
pub(crate) struct Complete {
    matches: Vec<Match>,
    values: Vec<TermId>,
    counts: Vec<u32>,
    columns: Vec<usize>,
    copies: u64,
}

impl Complete {
    /// With what executions know of each match, by filter. A match of which they know different things is several.
    pub(super) fn told(self, told: &[Told<'_>]) -> Self {
        let mut all = Gathered {
            matches: Vec::new(),
            values: Vec::new(),
            counts: Vec::new(),
            columns: self.columns.clone(),
        };
        for it in &self.matches {
            let step = usize::from(it.step);
            let values: Vec<&[TermId]> = self.values(it).collect();
            for (first, last, values) in told[step].all(&values, it.time) {
                all.push(step, it.time, it.event, values.iter().map(Vec::as_slice));
                if let Some(pushed) = all.matches.last_mut() {
                    pushed.holds = (first, last);
                }
            }
        }
        let Gathered { matches, values, counts, columns } = all;
        Self { matches, values, counts, columns, copies: self.copies }
    }

    /// Whether executions know different things of some match.
    fn is_told_differently(&self) -> bool {
        self.matches.iter().any(|it| it.holds != ALWAYS)
    }

    pub(super) fn report(&self, metrics: &mut Metrics) {
        metrics.copies = Some(self.copies);
    }

    fn values(&self, it: &Match) -> impl Iterator<Item = &[TermId]> {
        values(it, &self.values, &self.counts, &self.columns)
    }

    /// By the place of the first and their number.
    fn matches_at(&self, (start, len): (u32, u32)) -> &[Match] {
        &self.matches[start as usize..][..len as usize]
    }
}
