//! When each combination of new-terms values was seen, without a list of events.
//!
//! A term is new in an execution if its first event in the history window lies after `from`. So an event can
//! make its term new only if the event before it lies so far back that a history window forgets it: further
//! than every history window reaches back before its `from` ([`Shape::gap`]). All other events only say "seen
//! again". What is kept of a term is therefore its *runs*: stretches of events without a longer gap, each with
//! its first event and the time of its last. Most terms have one. Runs do not depend on the order of feeding.

use std::collections::BTreeMap;
use std::hash::Hasher;

use ecs::Millis;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::chunked::Chunked;
use super::events::{Current, EventRef, EventTable};
use super::terms::TermId;

/// One value of each field of the rule; fields it does not have stay at the default.
pub(crate) type Combination = [TermId; 3];

/// What a rule's executions need to know of its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Events no further apart are one run.
    pub(crate) gap: Millis,
    pub(crate) counting: Counting,
}

/// Whether the events of a term are counted. A single field orders its new terms by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    No,
    /// All events after the instant.
    After(Millis),
    /// By time, as far as the instant of a run's first event plus this.
    WithinOfStart(Millis),
}

/// A stretch of events of one term. Packed, it has 20 bytes and not 24, which shows with millions of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
pub(crate) struct Run {
    pub(crate) start: Millis,
    pub(crate) last: Millis,
    /// The first event; of several at that time the first by [`EventTable::compare`].
    pub(crate) event: EventRef,
}

/// All terms of one rule.
#[derive(Clone, Debug)]
pub(super) struct TermTable {
    shape: Shape,
    index: HashTable<u32>,
    keys: Chunked<Combination>,
    /// The run of each term that has one only.
    runs: Chunked<Run>,
    /// The runs of the terms that have several, by term and start.
    many: BTreeMap<(u32, Millis), Run>,
    /// With [`Counting::After`]: the number of events of each term.
    totals: Chunked<u32>,
    /// With [`Counting::WithinOfStart`]: the number of events by term and time.
    by_time: BTreeMap<(u32, Millis), u32>,
}

/// The first event of a stretch to be added.
pub(super) enum First<'a, 'b> {
    /// Being fed.
    Current(&'a mut Current<'b>),
    /// In the table already.
    Row(EventRef),
}

impl First<'_, '_> {
    fn row(&mut self, events: &mut EventTable) -> EventRef {
        match self {
            Self::Current(current) => current.row(events),
            Self::Row(row) => *row,
        }
    }

    fn is_before(&self, events: &EventTable, other: EventRef) -> bool {
        match self {
            Self::Current(current) => events.compare_info(other, &current.info).is_gt(),
            Self::Row(row) => events.compare(other, *row).is_gt(),
        }
    }
}

impl TermTable {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            index: HashTable::new(),
            keys: Chunked::default(),
            runs: Chunked::default(),
            many: BTreeMap::new(),
            totals: Chunked::default(),
            by_time: BTreeMap::new(),
        }
    }

    /// An event of the term at `time`; says whether it is the first of its run, as far as events are known.
    ///
    /// Runs for each term of each match: one look-up and, nearly always, one comparison.
    pub(super) fn push(
        &mut self,
        key: Combination,
        time: Millis,
        current: &mut Current<'_>,
        events: &mut EventTable,
    ) -> bool {
        let (term, run) = self.add(key, time, time, First::Current(current), events);
        match self.shape.counting {
            Counting::No => {}
            Counting::After(from) => {
                let total = &mut self.totals[term as usize];
                *total = total.saturating_add(u32::from(time > from));
            }
            Counting::WithinOfStart(length) => {
                // A run's start only ever moves back, so what lies too far from it now always will.
                if time <= run.start.saturating_add(length) {
                    *self.by_time.entry((term, time)).or_default() += 1;
                }
            }
        }
        current.is(run.event)
    }

    /// Takes over `other`, whose values and events have other numbers.
    pub(super) fn merge(
        &mut self,
        other: Self,
        events: &mut EventTable,
        value: impl Fn(Combination) -> Combination,
        event: impl Fn(EventRef) -> EventRef,
    ) {
        drop(other.index);
        // Where the terms went, as far as somebody asks.
        let mut terms = Vec::new();
        let counts = self.shape.counting != Counting::No;
        let mut several = other.many.into_iter().peekable();
        let mut at = 0;
        for (keys, runs) in other.keys.into_chunks().zip(other.runs.into_chunks()) {
            for (&key, &run) in keys.iter().zip(&runs) {
                let key = value(key);
                let mut add =
                    |run: Run| self.add(key, run.start, run.last, First::Row(event(run.event)), events).0;
                let mut term = None;
                while let Some((_, run)) = several.next_if(|((of, _), _)| *of as usize == at) {
                    term = Some(add(run));
                }
                let term = term.unwrap_or_else(|| add(run));
                if counts {
                    terms.push(term);
                }
                at += 1;
            }
            self.keys.reuse(keys);
            self.runs.reuse(runs);
        }
        self.keys.drop_spare();
        self.runs.drop_spare();
        for (&term, total) in terms.iter().zip(other.totals) {
            self.totals[term as usize] = self.totals[term as usize].saturating_add(total);
        }
        for ((term, time), count) in other.by_time {
            *self.by_time.entry((terms[term as usize], time)).or_default() += count;
        }
    }

    /// Adds a stretch of events; says which term it is of, and what its run is now.
    fn add(
        &mut self,
        key: Combination,
        start: Millis,
        last: Millis,
        mut first: First<'_, '_>,
        events: &mut EventTable,
    ) -> (u32, Run) {
        let hash = hash(&key);
        let Some(&term) = self.index.find(hash, |&term| self.keys[term as usize] == key) else {
            let term = u32::try_from(self.keys.len()).expect("a rule has fewer than 2^32 terms");
            self.keys.push(key);
            let run = Run { start, last, event: first.row(events) };
            self.runs.push(run);
            if let Counting::After(_) = self.shape.counting {
                self.totals.push(0);
            }
            if self.index.len() == self.index.capacity() {
                self.grow();
            } else {
                self.index.insert_unique(hash, term, |&term| hash_of(&self.keys, term));
            }
            return (term, run);
        };
        let gap = self.shape.gap;
        let run = &mut self.runs[term as usize];
        let single = run.last >= run.start;
        if single && touches(run, start, last, gap) {
            join(run, start, last, &mut first, events);
            return (term, *run);
        }
        let mut all = Run { start, last, event: first.row(events) };
        if single {
            self.many.insert((term, run.start), *run);
            // The mark of a term whose runs are elsewhere: no run ends before it starts.
            run.last = Millis::MIN;
            run.start = Millis::MAX;
        } else {
            let latest = last.saturating_add(gap);
            let near = self.many.range((term, Millis::MIN)..=(term, latest)).rev();
            let touched: Vec<Millis> = near
                .map(|(_, run)| *run)
                .take_while(|run| touches(run, start, last, gap))
                .map(|run| run.start)
                .collect();
            for start in touched {
                if let Some(run) = self.many.remove(&(term, start)) {
                    join(&mut all, run.start, run.last, &mut First::Row(run.event), events);
                }
            }
        }
        self.many.insert((term, all.start), all);
        (term, all)
    }

    /// Makes a larger index of all keys. A table that grows by itself would hash its entries in its own order, for
    /// which it fetches each key from anywhere, and would exist twice for that time.
    #[cold]
    fn grow(&mut self) {
        self.index = HashTable::new();
        self.index.reserve(self.keys.len(), |&term| hash_of(&self.keys, term));
        for (term, key) in self.keys.iter().enumerate() {
            self.index.insert_unique(hash(key), term as u32, |&term| hash_of(&self.keys, term));
        }
    }

    pub(super) fn finish(self) -> Terms {
        let mut later = Vec::with_capacity(self.many.len());
        let mut before: Option<(u32, Millis)> = None;
        for ((term, _), run) in self.many {
            let forgotten = before.filter(|(of, _)| *of == term).map_or(Millis::MIN, |(_, last)| last);
            before = Some((term, run.last));
            later.push(Later { term, before: forgotten, run });
        }
        Terms { keys: self.keys, runs: self.runs, later, totals: self.totals, by_time: self.by_time }
    }
}

fn touches(run: &Run, start: Millis, last: Millis, gap: Millis) -> bool {
    start <= run.last.saturating_add(gap) && run.start <= last.saturating_add(gap)
}

fn join(run: &mut Run, start: Millis, last: Millis, first: &mut First<'_, '_>, events: &mut EventTable) {
    if start < run.start || start == run.start && first.is_before(events, run.event) {
        run.start = start;
        run.event = first.row(events);
    }
    run.last = run.last.max(last);
}

fn hash(key: &Combination) -> u64 {
    let mut hasher = FxHasher::default();
    for id in key {
        hasher.write_u32(id.0);
    }
    hasher.finish()
}

fn hash_of(keys: &Chunked<Combination>, term: u32) -> u64 {
    hash(&keys[term as usize])
}

#[derive(Clone, Debug)]
struct Later {
    term: u32,
    before: Millis,
    run: Run,
}

/// The runs of all terms of one rule, complete.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    keys: Chunked<Combination>,
    runs: Chunked<Run>,
    /// The runs of terms that have several.
    later: Vec<Later>,
    totals: Chunked<u32>,
    by_time: BTreeMap<(u32, Millis), u32>,
}

/// The number of a run in [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunId(u32);

impl Terms {
    /// How many terms there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// All runs, with the time of the term's last event before; [`Millis::MIN`] if there is none.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (RunId, Run, Millis)> {
        let single = self.runs.iter().enumerate().filter(|(_, run)| run.last >= run.start);
        let single = single.map(|(at, run)| (RunId(at as u32), *run, Millis::MIN));
        let later = self.later.iter().enumerate();
        single.chain(later.map(|(at, it)| (RunId((self.keys.len() + at) as u32), it.run, it.before)))
    }

    pub(crate) fn run(&self, id: RunId) -> Run {
        match self.later_at(id) {
            Some(later) => later.run,
            None => self.runs[id.0 as usize],
        }
    }

    pub(crate) fn key(&self, id: RunId) -> Combination {
        self.keys[self.term(id) as usize]
    }

    /// How many events the term has from the run's first one to `to`.
    pub(crate) fn count(&self, id: RunId, to: Millis) -> u64 {
        let term = self.term(id);
        if self.totals.len() > 0 {
            return u64::from(self.totals[term as usize]);
        }
        let start = self.run(id).start;
        if to < start {
            return 0;
        }
        self.by_time.range((term, start)..=(term, to)).map(|(_, &count)| u64::from(count)).sum()
    }

    fn term(&self, id: RunId) -> u32 {
        self.later_at(id).map_or(id.0, |later| later.term)
    }

    fn later_at(&self, id: RunId) -> Option<&Later> {
        self.later.get((id.0 as usize).checked_sub(self.keys.len())?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::{EventInfo, Origin};
    use super::*;

    /// Tables of several chunks each, half of whose terms are the same.
    #[test]
    fn a_merged_table_holds_what_one_fed_with_everything_does() {
        let shape = Shape { gap: 1_000, counting: Counting::After(1) };
        let feed = |numbers: &mut dyn Iterator<Item = u32>| {
            let (mut table, mut events) = (TermTable::new(shape), EventTable::default());
            for number in numbers {
                let time = Millis::from(number % 7);
                let info = EventInfo { id: "an event", index: 0, timestamp: time, origin: Origin::default() };
                let key = [TermId(number / 3), TermId(number % 5), TermId(0)];
                table.push(key, time, &mut Current::new(info), &mut events);
            }
            (table, events)
        };
        let (mut merged, mut events) = feed(&mut (0..200_000));
        let (other, others) = feed(&mut (100_000..330_000));
        let shift = events.append(others);
        merged.merge(other, &mut events, |key| key, |event| EventTable::shifted(event, shift));
        let (expected, _) = feed(&mut (0..200_000).chain(100_000..330_000));
        let all = |table: TermTable| {
            let terms = table.finish();
            let mut all: Vec<_> = terms
                .runs()
                .map(|(id, run, before)| (terms.key(id), run.start, run.last, before, terms.count(id, 10)))
                .collect();
            all.sort_unstable();
            all
        };
        let (merged, expected) = (all(merged), all(expected));
        assert_eq!(expected.len(), 330_000);
        assert!(merged == expected);
    }
}
