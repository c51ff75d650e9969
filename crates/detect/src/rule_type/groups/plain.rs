//! Executions over groups by the book, from a list of matches: for rules with a residue.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use ecs::Millis;

use super::{Bucket, CountedTo, GroupBy, Key, compare};
use crate::collect::EventRef;
use crate::fate::Watched;
use crate::rule_type::Run;
use crate::rule_type::listed::{Listed, ListedMatch, ResidueColumns};
use crate::schedule::{Ticks, Window};
use crate::term::TermId;

/// The executions over groups of a rule with a residue.
pub(in crate::rule_type) struct ListedGroups<'a> {
    by: &'a GroupBy,
    listed: &'a Listed,
    run: Run<'a>,
    residue: ResidueColumns<'a>,
    /// Of the events that are in a group and were delivered several times, the delivery that stands for all.
    first: HashMap<(String, u32), EventRef>,
    /// The newest event that alerts of a group counted.
    counted_to: HashMap<Key, Millis>,
    /// The executions that said something or left something to others.
    said: Vec<i64>,
    /// The last execution left something to those that follow.
    is_cut: bool,
}

impl<'a> ListedGroups<'a> {
    pub(in crate::rule_type) fn new(by: &'a GroupBy, listed: &'a Listed, run: Run<'a>) -> Self {
        let mut all = Self {
            by,
            listed,
            run,
            residue: ResidueColumns::new(run, 0),
            first: HashMap::new(),
            counted_to: HashMap::new(),
            said: Vec::new(),
            is_cut: false,
        };
        let events = &run.matches.events;
        let mut first: HashMap<(String, u32), EventRef> = HashMap::new();
        for it in listed.all().iter().filter(|it| by.is_apart(&it.values) || !all.keys(it).is_empty()) {
            match first.entry(all.identity(it.event)) {
                Entry::Vacant(place) => {
                    place.insert(it.event);
                }
                Entry::Occupied(mut place) => {
                    if events.origin(it.event) < events.origin(*place.get()) {
                        place.insert(it.event);
                    }
                }
            }
        }
        all.first = first;
        all
    }

    fn identity(&self, event: EventRef) -> (String, u32) {
        let events = &self.run.matches.events;
        (events.id(event, &mut [0; 36]).to_owned(), events.index(event))
    }

    fn keys(&self, it: &ListedMatch) -> Vec<Key> {
        let (matches, columns) = (self.run.matches, self.run.columns());
        let values: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
        let mut keys = Vec::new();
        self.by.keys(&values, |column, id| matches.values(columns[column]).get(id), |key| keys.push(key));
        keys
    }

    pub(in crate::rule_type) fn count_to(&mut self, key: &Key, time: Millis) {
        self.counted_to.insert(*key, time);
    }

    /// What each group has in the range that no alert counted.
    fn buckets(&self, window: &Window) -> BTreeMap<Key, Bucket> {
        let events = &self.run.matches.events;
        let mut buckets: BTreeMap<Key, (Bucket, HashSet<TermId>)> = BTreeMap::new();
        for it in self.listed.within(window, &self.residue) {
            let time = it.at.time;
            let keys = self.keys(it);
            if time < window.from
                || self.is_counted(&keys, time, window.from)
                || self.first.get(&self.identity(it.event)) != Some(&it.event)
            {
                continue;
            }
            let values: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
            for key in keys {
                let timestamp = events.timestamp(it.event);
                let (bucket, distinct) = buckets.entry(key).or_insert_with(|| {
                    let (oldest, start, end) = (it.event, time, time);
                    let bucket = Bucket { key, count: 0, cardinality: None, oldest, start, end, timestamp };
                    (bucket, HashSet::new())
                });
                let is_older = || events.compare(it.event, bucket.oldest).is_lt();
                if time < bucket.start || time == bucket.start && is_older() {
                    (bucket.start, bucket.oldest) = (time, it.event);
                }
                bucket.count += 1;
                bucket.end = bucket.end.max(time);
                bucket.timestamp = bucket.timestamp.max(timestamp);
                distinct.extend(self.by.counted(&values));
            }
        }
        let cardinality = |distinct: HashSet<TermId>| self.by.cardinality.map(|_| distinct.len() as u64);
        let counted =
            |(key, (bucket, distinct))| (key, Bucket { cardinality: cardinality(distinct), ..bucket });
        buckets.into_iter().map(counted).collect()
    }

    pub(in crate::rule_type) fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.listed.next(ticks, tick, self.is_cut)
    }

    pub(in crate::rule_type) fn execute(
        &mut self,
        tick: i64,
        window: &Window,
        limit: usize,
        is_said: &mut dyn FnMut(&Bucket) -> bool,
    ) -> (Vec<Bucket>, bool) {
        let is_reached = |it: &Bucket| self.by.is_reached(it.count, || it.cardinality.unwrap_or_default());
        let mut found: Vec<Bucket> = self.buckets(window).into_values().filter(is_reached).collect();
        found.sort_by(|a, b| compare(self.run, self.by.fields, &a.key, &b.key));
        let is_more = found.len() > limit;
        self.is_cut = is_more;
        found.truncate(limit);
        for bucket in found.iter().filter(|it| is_said(it)) {
            self.counted_to.insert(bucket.key, bucket.end);
        }
        if is_more || !found.is_empty() {
            self.said.push(tick);
        }
        (found, is_more)
    }

    /// See [`Counting::events`](super::Counting::events).
    pub(in crate::rule_type) fn events(&self, bucket: &Bucket) -> Vec<EventRef> {
        let within = |it: &&ListedMatch| bucket.start <= it.at.time && it.at.time <= bucket.end;
        let all = self.listed.all().iter().filter(within).filter(|it| self.keys(it).contains(&bucket.key));
        all.map(|it| it.event).collect()
    }

    pub(in crate::rule_type) fn count(&self, key: &Key, window: &Window) -> Option<Bucket> {
        self.buckets(window).remove(key)
    }

    pub(in crate::rule_type) fn is_counted(&self, keys: &[Key], time: Millis, from: Millis) -> bool {
        let heeds_from = !self.run.ticks.moves_on();
        let mut known = keys.iter().filter_map(|key| self.counted_to.get(key));
        known.any(|&to| CountedTo { to, heeds_from }.holds(time, from))
    }

    pub(in crate::rule_type) fn groups(&self) -> Vec<Key> {
        self.listed.all().iter().flat_map(|it| self.keys(it)).collect()
    }

    /// Whether it is this delivery of the event that counts.
    pub(in crate::rule_type) fn holds(&self, watched: &Watched) -> bool {
        let events = &self.run.matches.events;
        let is_it = |it: &&ListedMatch| it.at == watched.at && watched.is(events, it.event);
        let mut deliveries = self.listed.all().iter().filter(is_it);
        deliveries.any(|it| self.first.get(&self.identity(it.event)) == Some(&it.event))
    }

    /// Whether the event is a match for the execution at `now`.
    pub(in crate::rule_type) fn is_match(&self, watched: &Watched, now: Millis) -> bool {
        self.residue.holds(now, &watched.values)
    }

    /// Whatever was said before may count.
    pub(in crate::rule_type) fn depends_on_earlier(&self, first: i64) -> bool {
        let ticks = self.run.ticks;
        self.said.iter().any(|tick| *tick < first) || ticks.window(ticks.first).to > ticks.window(first).from
    }
}
