//! When each combination of new-terms values was seen, without a list of events.
//!
//! A term is new in an execution if its first event in the history window lies after `from`. So an event can
//! make its term new only if the event before it lies so far back that a history window forgets it: further
//! than every history window reaches back before its `from` ([`Keeping::gap`]). All other events only say "seen
//! again". What is kept of a term is therefore its *runs*: stretches of events without a longer gap, each with
//! its first event and the time of its last. Most terms have one. Runs do not depend on the order of feeding.

use std::collections::BTreeMap;
use std::hash::Hasher;

use ecs::Millis;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::collect::{Chunked, EventRef, EventTable, Feed, Moved};
use crate::term::TermId;

/// One value of each field of the rule; fields it does not have stay at the default.
pub(super) type Combination = [TermId; 3];

/// What a rule's executions need to know of its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keeping {
    /// Events no further apart are one run.
    pub(super) gap: Millis,
    /// A single field orders its new terms by the number of their events.
    pub(super) counting: Option<Counting>,
}

/// Which events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counting {
    /// Those after the instant,
    pub(super) after: Millis,
    /// and not further than this from the first event of their run.
    pub(super) within_of_start: Millis,
}

/// An event of a term that counts. Packed, it has 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C, packed(4))]
struct Sighting {
    term: u32,
    time: Millis,
    /// Who the event is ([`EventTable::identity`]): however often it was delivered, it counts once.
    event: u64,
}

/// A stretch of events of one term. Packed, it has 20 bytes and not 24, which shows with millions of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
pub(super) struct Run {
    pub(super) start: Millis,
    pub(super) last: Millis,
    /// The first event; of several at that time the first by [`EventTable::compare`].
    pub(super) event: EventRef,
}

/// All terms of one rule.
#[derive(Clone, Debug)]
pub(super) struct TermTable {
    keeping: Keeping,
    index: HashTable<u32>,
    keys: Chunked<Combination>,
    /// The run of each term that has one only.
    runs: Chunked<Run>,
    /// The runs of the terms that have several, by term and start.
    many: BTreeMap<(u32, Millis), Run>,
    /// The events that are counted, in no order.
    sightings: Vec<Sighting>,
}

/// The first event of a stretch to be added.
enum First<'f, 'a, 'b> {
    /// Being fed.
    Current(&'f mut Feed<'a, 'b>),
    /// In the table already.
    Row(EventRef, &'f EventTable),
}

impl First<'_, '_, '_> {
    fn row(&mut self) -> EventRef {
        match self {
            Self::Current(feed) => feed.row(),
            Self::Row(row, _) => *row,
        }
    }

    fn is_before(&self, other: EventRef) -> bool {
        match self {
            Self::Current(feed) => feed.is_before(other),
            Self::Row(row, events) => events.compare(other, *row).is_gt(),
        }
    }

    fn events(&self) -> &EventTable {
        match self {
            Self::Current(feed) => feed.events(),
            Self::Row(_, events) => events,
        }
    }
}

impl TermTable {
    pub(super) fn new(keeping: Keeping) -> Self {
        Self {
            keeping,
            index: HashTable::new(),
            keys: Chunked::default(),
            runs: Chunked::default(),
            many: BTreeMap::new(),
            sightings: Vec::new(),
        }
    }

    /// An event of the term at `time`; says whether it is the first of its run, as far as events are known.
    ///
    /// Runs for each term of each match: one look-up and, nearly always, one comparison.
    pub(super) fn push(&mut self, key: Combination, time: Millis, feed: &mut Feed<'_, '_>) -> bool {
        let (term, run) = self.add(key, time, time, First::Current(feed));
        if let Some(counting) = self.keeping.counting
            && time > counting.after
            // A run's start only ever moves back, so what lies too far from it now always will.
            && time <= run.start.saturating_add(counting.within_of_start)
        {
            self.sightings.push(Sighting { term, time, event: feed.identity() });
        }
        feed.is(run.event)
    }

    /// Takes over `other`, whose values and events have other numbers; what ended before [`Moved::since`] stays behind.
    pub(super) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        drop(other.index);
        // Where the terms went, as far as somebody asks.
        let mut terms: Vec<Option<u32>> = Vec::new();
        let counts = self.keeping.counting.is_some();
        let mut several = other.many.into_iter().peekable();
        let mut at = 0;
        for (keys, runs) in other.keys.into_chunks().zip(other.runs.into_chunks()) {
            for (&key, &run) in keys.iter().zip(&runs) {
                let mut term = None;
                let mut add = |run: Run| {
                    if run.last >= moved.since {
                        let key = moved.key(0, key);
                        let event = moved.event(run.event);
                        term = Some(self.add(key, run.start, run.last, First::Row(event, moved.events())).0);
                    }
                };
                if run.last >= run.start {
                    add(run);
                }
                while let Some((_, run)) = several.next_if(|((of, _), _)| *of as usize == at) {
                    add(run);
                }
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
        self.sightings.extend(other.sightings.into_iter().filter(|it| it.time >= moved.since).filter_map(
            |it| {
                let term = (*terms.get(it.term as usize)?)?;
                Some(Sighting { term, ..it })
            },
        ));
    }

    /// Adds a stretch of events; says which term it is of, and what its run is now.
    fn add(
        &mut self,
        key: Combination,
        start: Millis,
        last: Millis,
        mut first: First<'_, '_, '_>,
    ) -> (u32, Run) {
        let hash = hash(&key);
        let Some(&term) = self.index.find(hash, |&term| self.keys[term as usize] == key) else {
            let term = u32::try_from(self.keys.len()).expect("a rule has fewer than 2^32 terms");
            self.keys.push(key);
            let run = Run { start, last, event: first.row() };
            self.runs.push(run);
            if self.index.len() == self.index.capacity() {
                self.grow();
            } else {
                self.index.insert_unique(hash, term, |&term| hash_of(&self.keys, term));
            }
            return (term, run);
        };
        let gap = self.keeping.gap;
        let run = &mut self.runs[term as usize];
        let single = run.last >= run.start;
        if single && touches(run, start, last, gap) {
            join(run, start, last, &mut first);
            return (term, *run);
        }
        let mut all = Run { start, last, event: first.row() };
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
                    join(&mut all, run.start, run.last, &mut First::Row(run.event, first.events()));
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
        let mut sightings = self.sightings;
        sightings.sort_unstable();
        sightings.dedup();
        Terms { keys: self.keys, runs: self.runs, later, sightings }
    }
}

fn touches(run: &Run, start: Millis, last: Millis, gap: Millis) -> bool {
    start <= run.last.saturating_add(gap) && run.start <= last.saturating_add(gap)
}

fn join(run: &mut Run, start: Millis, last: Millis, first: &mut First<'_, '_, '_>) {
    if start < run.start || start == run.start && first.is_before(run.event) {
        run.start = start;
        run.event = first.row();
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
pub(super) struct Terms {
    keys: Chunked<Combination>,
    runs: Chunked<Run>,
    /// The runs of terms that have several.
    later: Vec<Later>,
    /// In order, each event once.
    sightings: Vec<Sighting>,
}

/// The number of a run in [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunId(u32);

impl Terms {
    /// How many terms there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// All runs, with the time of the term's last event before; [`Millis::MIN`] if there is none.
    pub(super) fn runs(&self) -> impl Iterator<Item = (RunId, Run, Millis)> {
        let single = self.runs.iter().enumerate().filter(|(_, run)| run.last >= run.start);
        let single = single.map(|(at, run)| (RunId(at as u32), *run, Millis::MIN));
        let later = self.later.iter().enumerate();
        single.chain(later.map(|(at, it)| (RunId((self.keys.len() + at) as u32), it.run, it.before)))
    }

    pub(super) fn run(&self, id: RunId) -> Run {
        match self.later_at(id) {
            Some(later) => later.run,
            None => self.runs[id.0 as usize],
        }
    }

    pub(super) fn key(&self, id: RunId) -> Combination {
        self.keys[self.term(id) as usize]
    }

    /// How many events the term has from the run's first one to `to`, as far as they count.
    pub(super) fn count(&self, id: RunId, to: Millis) -> usize {
        let (term, start) = (self.term(id), self.run(id).start);
        let from = self.sightings.partition_point(|it| (it.term, it.time) < (term, start));
        self.sightings[from..].partition_point(|it| (it.term, it.time) <= (term, to))
    }

    /// The run of a term that holds the time, and the time of the term's last event before. Looks at all terms.
    pub(super) fn run_at(&self, key: Combination, time: Millis) -> Option<(Run, Millis)> {
        let holds = |run: &Run| run.start <= time && time <= run.last;
        self.runs()
            .find(|(id, run, _)| holds(run) && self.key(*id) == key)
            .map(|(_, run, before)| (run, before))
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
    use std::sync::Arc;

    use ecs::{Catalog, Scalar};

    use super::*;
    use crate::rule_type::Complete;
    use crate::{Collector, EventInfo, Mode, Origin, Tail, Tails};

    fn tails() -> Arc<Tails> {
        let text = "
            [rule]
            name = 'Table'
            description = 'Table.'
            severity = 'low'
            risk_score = 21
            type = 'new_terms'
            query = 'event.action: *'
            [rule.new_terms]
            field = 'new_terms_fields'
            value = ['user.name']
            [[rule.new_terms.history_window_start]]
            field = 'history_window_start'
            value = 'now-1h'
        ";
        let rule = rule::load_text("table.toml", text).rules.remove(0);
        let mode = Mode::Once { from: Some(1), to: None };
        Arc::new(Tails::new(vec![Tail::new(&rule, mode, &Catalog::ecs()).unwrap()]))
    }

    fn feed(tails: &Arc<Tails>, numbers: impl Iterator<Item = u32>) -> Collector {
        let mut collector = Collector::new(Arc::clone(tails));
        let column = tails.columns(0)[0];
        for number in numbers {
            let (id, name) = (number.to_string(), (number / 2).to_string());
            let term = [collector.intern(column, Scalar::Str(&name)).unwrap()];
            let info = EventInfo {
                id: &id,
                index: 0,
                timestamp: Millis::from(number % 7),
                origin: Origin { input: 0, ordinal: u64::from(number) },
            };
            collector.event(info).push(0, None, &[&term]);
        }
        collector
    }

    /// Each term with its run and the number of its events.
    fn terms(collector: Collector) -> Vec<(String, Millis, Millis, Millis, usize)> {
        let matches = collector.finish();
        let Complete::NewTerms(complete) = &matches.rules[0].complete else { panic!("it is of that type") };
        let (terms, values) = (&complete.terms, matches.values(matches.tails.columns(0)[0]));
        let mut all: Vec<_> = terms
            .runs()
            .map(|(id, run, before)| {
                let term = format!("{:?}", values.get(terms.key(id)[0]));
                (term, run.start, run.last, before, terms.count(id, 10))
            })
            .collect();
        all.sort_unstable();
        all
    }

    /// Tables of several chunks each, half of whose terms are the same, and so are half of the events.
    #[test]
    fn a_merged_table_holds_what_one_fed_with_everything_does() {
        let tails = tails();
        let mut merged = feed(&tails, 0..260_000);
        merged.merge(feed(&tails, 130_000..400_000));
        let (merged, expected) = (terms(merged), terms(feed(&tails, 0..400_000)));
        assert_eq!(expected.len(), 200_000);
        assert!(merged == expected);
    }
}
