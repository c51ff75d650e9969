//! The plain way: sequences and samples looked for among all events of a range.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use rule::{Form, MissingFields, Pipe, Rule};
use serde_json::Value;

use super::super::naive::{Memory, Range, Said, holds};
use super::super::suppression::{Alike, Became, Book, Offer};
use super::{Case, Delivery, Key, indices};
use crate::outcome::SeedEvent;
use crate::{Detail, KnownAlerts, Sequence, id};

/// An event as one execution sees it.
pub(super) struct Event<'a> {
    it: &'a Delivery,
    time: Millis,
    tiebreaker: Option<i64>,
    /// By filter.
    keys: BTreeMap<usize, BTreeSet<Key>>,
}

impl Event<'_> {
    fn is(&self, filter: usize, key: &Key) -> bool {
        self.keys.get(&filter).is_some_and(|keys| keys.contains(key))
    }

    /// Null comes last.
    fn order(&self) -> (Millis, bool, Option<i64>) {
        (self.time, self.tiebreaker.is_none(), self.tiebreaker)
    }
}

pub(super) struct Naive<'a> {
    pub(super) case: &'a Case,
    pub(super) rule: &'a Rule,
    pub(super) known: &'a KnownAlerts,
    pub(super) has_residue: &'a dyn Fn(usize) -> bool,
}

impl<'a> Naive<'a> {
    pub(super) fn execute(&self, ranges: &[Range]) -> Said {
        let mut memory = Memory::default();
        for range in ranges {
            let events = self.events(range);
            let size = self.rule.max_signals as usize;
            let mut results = self.results(&events, range);
            let default = match self.case.pattern.form {
                Form::Sample => Pipe::Head(size),
                Form::Event | Form::Sequence => Pipe::Tail(size),
            };
            let pipes = if self.case.pattern.pipes.is_empty() {
                vec![default]
            } else {
                self.case.pattern.pipes.clone()
            };
            for pipe in pipes {
                match pipe {
                    Pipe::Head(count) => results.truncate(count),
                    Pipe::Tail(count) => {
                        results.drain(..results.len().saturating_sub(count));
                    }
                }
            }
            let mut is_truncated = results.len() >= size;
            let offers: Vec<Offer> =
                results.into_iter().map(|(key, events)| self.offer(key, &events)).collect();
            let mut budget = size as u32;
            let mut book = Book { rule: self.rule, known: self.known, memory: &mut memory };
            let became = book.write(range, &offers, &mut budget, &mut 0);
            is_truncated |= became.contains(&Became::Full);
            if is_truncated {
                book.memory.said.truncated.push(range.started_at);
            }
        }
        memory.said
    }

    /// What makes the alert alike others: what all of the events have.
    fn alike(&self, events: &[Option<&Delivery>]) -> Option<Alike> {
        let suppression = self.rule.alert_suppression.as_ref()?;
        let mut terms = Vec::new();
        for (at, field) in suppression.group_by.iter().enumerate() {
            let mut there = events.iter().flatten().map(|it| &it.alike[at]);
            let mut values = there.next().unwrap().clone();
            there.for_each(|it| values.retain(|value| it.contains(value)));
            values.sort();
            let is_event = self.case.pattern.form == Form::Event;
            let value = match &values[..] {
                [] if suppression.missing_fields == MissingFields::DoNotSuppress => return None,
                [] => Value::Null,
                [one] if !is_event => one.as_str().into(),
                _ => values.into(),
            };
            terms.push((field.clone(), value));
        }
        let time = events.iter().flatten().filter_map(|it| self.seen(it)).max()?;
        Some(Alike { terms, start: time, end: time, docs_count: 0 })
    }

    fn offer(&self, key: Key, events: &[Option<&'a Delivery>]) -> Offer {
        let newest = events.iter().flatten().max_by_key(|it| it.timestamp).unwrap();
        let seed = |it: &Delivery| SeedEvent {
            id: it.id.clone(),
            index: indices()[it.index as usize].clone(),
            timestamp: it.timestamp,
            origin: it.origin,
        };
        let (id, detail) = if self.case.pattern.form == Form::Event {
            let index = &indices()[newest.index as usize];
            (id::event_alert(index, &newest.id, &format!("default:{}", self.rule.id)), Detail::Event)
        } else {
            let events = events.iter().map(|it| it.map(seed)).collect();
            let key = key.into_iter().map(|it| it.map_or(Value::Null, Value::from)).collect();
            let sequence = Sequence::new(events, key, &self.rule.id);
            (crate::rule_type::shell_id(&sequence, &self.rule.id), Detail::Sequence(Box::new(sequence)))
        };
        let (origin, timestamp) = (newest.origin, newest.timestamp);
        Offer { id, origin, timestamp, detail, alike: self.alike(events) }
    }

    fn seen(&self, it: &Delivery) -> Option<Millis> {
        match (self.rule.timestamp_override.is_some(), it.over) {
            (false, _) => Some(it.timestamp),
            (true, Some(over)) => Some(over),
            (true, None) => (!self.rule.timestamp_override_fallback_disabled).then_some(it.timestamp),
        }
    }

    /// The events in range, in order. Of several deliveries the one read first stands for the event.
    fn events(&self, range: &Range) -> Vec<Event<'a>> {
        let case = self.case;
        let mut first: BTreeMap<(&str, u32), &Delivery> = BTreeMap::new();
        let matching = case.deliveries.iter().filter(|it| !it.hits.is_empty() && self.seen(it).is_some());
        for it in matching {
            let stays = first.entry((&it.id, it.index)).or_insert(it);
            if it.origin < stays.origin {
                *stays = it;
            }
        }
        let is_seen = |it: &&Delivery| {
            let seen = self.seen(it).unwrap();
            range.from <= seen && seen <= range.to && !(range.exclusive && range.from == seen)
        };
        let event = |it: &'a Delivery| {
            let time = if case.timestamp_field { it.own_time? } else { it.timestamp };
            let hits = it
                .hits
                .iter()
                .filter(|(filter, _)| !(self.has_residue)(**filter) || holds(range.started_at, it.created));
            let keys = hits.map(|(&filter, values)| (filter, self.keys(filter, values)));
            let tiebreaker = it.tiebreaker.filter(|_| case.tiebreaker);
            Some(Event { it, time, tiebreaker, keys: keys.collect() })
        };
        let mut events: Vec<Event<'_>> = first.into_values().filter(is_seen).filter_map(event).collect();
        events.sort_by_key(|it| {
            (it.order(), it.it.timestamp, &it.it.id, indices().swap_remove(it.it.index as usize))
        });
        events
    }

    /// Every combination of values; null where an optional field has none.
    fn keys(&self, filter: usize, values: &[Vec<String>]) -> BTreeSet<Key> {
        let fields = self.case.pattern.keys[filter].iter().zip(values);
        fields.fold(BTreeSet::from([Vec::new()]), |all, (field, values)| {
            let mut choices: Vec<Option<String>> = values.iter().cloned().map(Some).collect();
            if values.is_empty() && field.optional {
                choices.push(None);
            }
            let with = |key: &Key| {
                choices.iter().map(|it| [&key[..], std::slice::from_ref(it)].concat()).collect::<Vec<_>>()
            };
            all.iter().flat_map(with).collect()
        })
    }

    /// Each with its key and, for each stage, the event.
    fn results(&self, events: &[Event<'a>], range: &Range) -> Vec<(Key, Vec<Option<&'a Delivery>>)> {
        let pattern = &self.case.pattern;
        let keys: BTreeSet<Key> = events.iter().flat_map(|it| it.keys.values().flatten().cloned()).collect();
        let mut found: Vec<(Key, Vec<Option<usize>>)> = Vec::new();
        for key in keys {
            match pattern.form {
                Form::Event => {
                    let all = (0..events.len()).filter(|&at| events[at].is(0, &key));
                    found.extend(all.map(|at| (key.clone(), vec![Some(at)])));
                }
                Form::Sequence => {
                    let all = self.sequences(&key, events);
                    let due = all.into_iter().filter(|it| self.is_due(it, events, range));
                    found.extend(due.map(|it| (key.clone(), it)));
                }
                Form::Sample => found.extend(
                    self.sample(&key, events, &mut Vec::new())
                        .map(|it| (key.clone(), it.into_iter().map(Some).collect())),
                ),
            }
        }
        if pattern.form != Form::Sample {
            found.sort_by_key(|(_, it)| it.iter().flatten().copied().max());
        }
        let deliver = |it: Vec<Option<usize>>| it.into_iter().map(|it| it.map(|at| events[at].it)).collect();
        found.into_iter().map(|(key, it)| (key, deliver(it))).collect()
    }

    fn sequences(&self, key: &Key, events: &[Event<'_>]) -> Vec<Vec<Option<usize>>> {
        let pattern = &self.case.pattern;
        let positive: Vec<usize> = pattern.positive().collect();
        let mut slots: Vec<Option<Vec<usize>>> = vec![None; positive.len()];
        let mut complete = Vec::new();
        let numbered: Vec<usize> = (0..events.len()).collect();
        // What no order tells apart does not follow one another.
        for equal in numbered.chunk_by(|&a, &b| events[a].order() == events[b].order()) {
            for stage in (0..positive.len()).rev() {
                for &at in equal {
                    if !events[at].is(pattern.stages[positive[stage]].filter, key) {
                        continue;
                    }
                    let mut sequence = if stage == 0 {
                        Vec::new()
                    } else {
                        let waits =
                            |it: &mut Vec<usize>| events[it[it.len() - 1]].order() < events[at].order();
                        let Some(begun) = slots[stage - 1].take_if(waits) else { continue };
                        let span = events[at].time - events[begun[0]].time;
                        let last = events[begun[begun.len() - 1]].order();
                        let ended = |it: &Event<'_>| {
                            pattern.until.is_some_and(|until| it.is(until, key))
                                && last <= it.order()
                                && it.order() < events[at].order()
                        };
                        if pattern.maxspan.is_some_and(|maxspan| span > maxspan) || events.iter().any(ended) {
                            continue;
                        }
                        begun
                    };
                    sequence.push(at);
                    if stage + 1 == positive.len() {
                        complete.push(sequence);
                    } else {
                        slots[stage] = Some(sequence);
                    }
                }
            }
        }
        let with_gaps = |sequence: Vec<usize>| -> Vec<Option<usize>> {
            let mut events = sequence.into_iter();
            pattern.stages.iter().map(|stage| if stage.missing { None } else { events.next() }).collect()
        };
        complete.into_iter().map(with_gaps).filter(|it| self.are_missing(it, key, events)).collect()
    }

    /// Whether there is no event where none must be.
    fn are_missing(&self, sequence: &[Option<usize>], key: &Key, events: &[Event<'_>]) -> bool {
        let pattern = &self.case.pattern;
        let maxspan = pattern.maxspan.unwrap_or(Millis::MAX);
        let first = sequence.iter().flatten().next().map(|&at| &events[at]).unwrap();
        let last = sequence.iter().flatten().next_back().map(|&at| &events[at]).unwrap();
        let (mut before, mut behind): (Vec<Millis>, Vec<Millis>) = (Vec::new(), Vec::new());
        let (mut leads, mut trails) = (false, false);
        for (at, stage) in pattern.stages.iter().enumerate().filter(|(_, it)| it.missing) {
            let left = sequence[..at].iter().flatten().next_back().map(|&at| events[at].order());
            let right = sequence[at..].iter().flatten().next().map(|&at| events[at].order());
            let such = events.iter().filter(|it| it.is(stage.filter, key));
            let between = such.filter(|it| {
                left.is_none_or(|left| left < it.order()) && right.is_none_or(|right| it.order() < right)
            });
            match (left, right) {
                (Some(_), Some(_)) => {
                    if between.count() > 0 {
                        return false;
                    }
                }
                (None, _) => {
                    leads = true;
                    before.extend(between.map(|it| it.time));
                }
                (_, None) => {
                    trails = true;
                    behind.extend(between.map(|it| it.time));
                }
            }
        }
        if leads && trails {
            let apart = behind.iter().min().zip(before.iter().max()).map(|(behind, before)| behind - before);
            return apart.is_none_or(|apart| apart > maxspan);
        }
        before.iter().all(|it| last.time - it > maxspan) && behind.iter().all(|it| it - first.time > maxspan)
    }

    /// What nobody knows yet is left to the executions that will, if there are any.
    fn is_due(&self, sequence: &[Option<usize>], events: &[Event<'_>], range: &Range) -> bool {
        if sequence.last().unwrap().is_some() || range.exclusive {
            return true;
        }
        let there = || sequence.iter().flatten().map(|&at| &events[at]);
        let known = there().next().unwrap().time + self.case.pattern.maxspan.unwrap();
        let next = Range::scheduled(self.rule, range.started_at + self.rule.interval.millis());
        let is_last = there().any(|it| self.seen(it.it).unwrap() < next.from);
        known <= range.to || is_last || (next.from, next.to) == (range.from, range.to)
    }

    /// The first choice of different events, one an item.
    fn sample(&self, key: &Key, events: &[Event<'_>], chosen: &mut Vec<usize>) -> Option<Vec<usize>> {
        let Some(stage) = self.case.pattern.stages.get(chosen.len()) else { return Some(chosen.clone()) };
        for at in (0..events.len()).filter(|&at| events[at].is(stage.filter, key)) {
            if !chosen.contains(&at) {
                chosen.push(at);
                let found = self.sample(key, events, chosen);
                chosen.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}
