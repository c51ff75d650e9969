//! The matches of a rule in the order of its events.

use std::cmp::Ordering;

use ecs::Millis;
use ecs::date::to_iso;
use rule::Form;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::keys::Keys;
use super::machine::{Completed, GivenUp, Hit, Machine, Moment, Timeline};
use super::missing::Missing;
use super::sample::samples;
use super::{ALWAYS, Complete, Eql};
use crate::collect::{EventRef, EventTable, Matches};
use crate::rule_type::Run;
use crate::rule_type::listed::ResidueColumns;
use crate::schedule::Window;
use crate::tails::Column;
use crate::term::{Term, TermId, TermType};

/// The events that the rule's filters match, in order, with their keys.
pub(super) struct Ordered<'a> {
    eql: &'a Eql,
    pub(super) timeline: Timeline,
    pub(super) events: Vec<Event>,
    keys: Keys<'a>,
    matches: &'a Matches,
    pub(super) left_out: LeftOut,
    /// Of events of which executions know different things, for each hit the ends of those that know it.
    held: FxHashMap<u32, Vec<(Millis, Millis)>>,
    /// Whether the range of an execution holds all events between any two that it holds.
    pub(super) is_contiguous: bool,
}

/// One of the events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) of: EventRef,
    /// The time by which executions see it.
    pub(super) seen: Millis,
    /// Where its matches begin, and how many there are.
    matches: (u32, u32),
}

/// Join keys that were not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeftOut {
    pub(super) keys: u64,
    /// Of so many events.
    pub(super) events: u64,
    /// The first of these.
    pub(super) first: Option<EventRef>,
}

/// A result of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Those of the positive stages.
    pub(super) events: Places,
    pub(super) key: u32,
}

/// Events by their places in the timeline. Millions of results of one event are ordinary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Places {
    One(u32),
    Several(Box<[u32]>),
}

impl Places {
    pub(super) fn get(&self) -> &[u32] {
        match self {
            Self::One(event) => std::slice::from_ref(event),
            Self::Several(events) => events,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut [u32] {
        match self {
            Self::One(event) => std::slice::from_mut(event),
            Self::Several(events) => events,
        }
    }

    pub(super) fn first(&self) -> u32 {
        self.get()[0]
    }

    pub(super) fn last(&self) -> u32 {
        self.get()[self.get().len() - 1]
    }
}

impl<'a> Ordered<'a> {
    pub(super) fn new(complete: &'a Complete, eql: &'a Eql, run: Run<'a>) -> Self {
        let Run { matches, rule, .. } = run;
        let filters = matches.tails.filters_of(rule);
        let columns: Vec<_> = filters.map(|filter| matches.tails.columns(filter)).collect();
        let table = &matches.events;
        // Where an event has its time and its tiebreaker depends on no filter, but the places of the columns do.
        let value = |at: &super::Match, place: Option<usize>| -> Option<Term<'a>> {
            let step = usize::from(at.step);
            let place = eql.patterned(step) + place?;
            let ids = complete.values(at).nth(place)?;
            ids.iter().map(|&id| matches.values(columns[step][place]).get(id)).min()
        };
        let mut sorted: Vec<(Millis, Option<Term<'a>>, Event)> = Vec::new();
        let mut start = 0;
        for of_event in complete.matches.chunk_by(|a, b| a.event == b.event) {
            let first = &of_event[0];
            let places = (start as u32, of_event.len() as u32);
            start += of_event.len();
            let time = match eql.time_at() {
                None => Some(table.timestamp(first.event)),
                time => match value(first, time) {
                    Some(Term::Long(millis)) => Some(millis),
                    _ => None,
                },
            };
            // Nothing can be said of the order of what has no time.
            let Some(time) = time else { continue };
            let tiebreaker = value(first, eql.tiebreaker_at());
            sorted.push((time, tiebreaker, Event { of: first.event, seen: first.time, matches: places }));
        }
        let by_rank = |a: &(Millis, Option<Term<'_>>, Event), b: &(Millis, Option<Term<'_>>, Event)| {
            a.0.cmp(&b.0).then_with(|| match (&a.1, &b.1) {
                (Some(a), Some(b)) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            })
        };
        sorted.sort_unstable_by(|a, b| by_rank(a, b).then_with(|| table.compare(a.2.of, b.2.of)));
        let mut ordered = Self {
            eql,
            timeline: Timeline::default(),
            events: Vec::with_capacity(sorted.len()),
            matches,
            keys: Keys::new(matches, &eql.pattern, &columns),
            left_out: LeftOut::default(),
            held: FxHashMap::default(),
            is_contiguous: sorted.iter().all(|(time, _, it)| *time == it.seen),
        };
        let mut hits: Vec<Hit> = Vec::new();
        let mut held: Vec<(Millis, Millis)> = Vec::new();
        let mut rank = 0;
        for (at, (time, _, event)) in sorted.iter().enumerate() {
            if at > 0 && by_rank(&sorted[at - 1], &sorted[at]).is_ne() {
                rank += 1;
            }
            let mut left_out = 0;
            for it in complete.matches_at(event.matches) {
                let filter = u32::from(it.step);
                let values: Vec<&[TermId]> = complete.values(it).collect();
                let take = |key| hits.push(Hit { key, filter });
                left_out += ordered.keys.each(usize::from(it.step), &values, take);
                held.resize(hits.len(), it.holds);
            }
            if held.iter().any(|it| *it != ALWAYS) {
                ordered.held.insert(at as u32, std::mem::take(&mut held));
            }
            held.clear();
            if left_out > 0 {
                ordered.left_out.keys += left_out as u64;
                ordered.left_out.events += 1;
                ordered.left_out.first.get_or_insert(event.of);
            }
            ordered.timeline.push(Moment { time: *time, rank }, hits.drain(..));
            ordered.events.push(*event);
        }
        ordered
    }

    /// The events of one execution, given in order, with the hits that are such for it: what the residues do not let
    /// through is none.
    pub(super) fn execution(
        &self,
        events: &[u32],
        window: &Window,
        complete: &Complete,
        residues: &[ResidueColumns<'_>],
    ) -> Timeline {
        let mut timeline = Timeline::default();
        for &event in events {
            let mut holds = vec![true; residues.len()];
            let is_then = |(first, last): (Millis, Millis)| first <= window.to && window.to <= last;
            let matches = complete.matches_at(self.events[event as usize].matches).iter();
            for it in matches.filter(|it| is_then(it.holds)) {
                let values: Vec<&[TermId]> = complete.values(it).collect();
                let step = usize::from(it.step);
                holds[step] = residues[step].holds(window.started_at, &values);
            }
            let held = self.held.get(&event);
            let hits = self.timeline.hits(event).iter().enumerate();
            let hits = hits.filter(|(at, _)| held.is_none_or(|held| is_then(held[*at])));
            let hits = hits.map(|(_, hit)| *hit).filter(|hit| holds[hit.filter as usize]);
            timeline.push(self.timeline.moments[event as usize], hits);
        }
        timeline
    }

    /// What these events, in order, form: all of it, in the order of the results. `longest` is the most that can lie
    /// between two events that matter to one another.
    pub(super) fn results(
        &self,
        timeline: &Timeline,
        events: &[u32],
        longest: Millis,
    ) -> (Vec<Found>, GivenUp) {
        let pattern = &self.eql.pattern;
        let among = || events.iter().copied();
        match pattern.form {
            Form::Event => {
                let all = among().filter(|&event| !timeline.hits(event).is_empty());
                (all.map(|event| Found { events: Places::One(event), key: 0 }).collect(), GivenUp::default())
            }
            Form::Sequence => {
                let (mut completed, given_up) = Machine::new(pattern, timeline, longest).run(among());
                if let Some(missing) = Missing::new(pattern, timeline, among()) {
                    completed.retain(|it| missing.are(it));
                }
                completed
                    .sort_by(|a, b| a.last().cmp(&b.last()).then_with(|| self.compare_keys(a.key, b.key)));
                let found = |Completed { key, events }| Found { events: Places::Several(events), key };
                (completed.into_iter().map(found).collect(), given_up)
            }
            Form::Sample => {
                let filters: Vec<u32> = pattern.stages.iter().map(|it| it.filter as u32).collect();
                let mut found: Vec<Found> = samples(&filters, timeline, among(), self.eql.samples_of_key)
                    .into_iter()
                    .flat_map(|(key, samples)| {
                        samples.into_iter().map(move |events| Found { events: Places::Several(events), key })
                    })
                    .collect();
                found.sort_by(|a, b| self.compare_keys(a.key, b.key));
                (found, GivenUp::default())
            }
        }
    }

    /// A match of the event; all of them have its values of the columns that all filters have.
    pub(super) fn a_match<'c>(&self, complete: &'c Complete, event: u32) -> &'c super::Match {
        &complete.matches_at(self.events[event as usize].matches)[0]
    }

    /// The order of keys: null first.
    fn compare_keys(&self, a: u32, b: u32) -> Ordering {
        if a == b { Ordering::Equal } else { self.keys.values(a).cmp(self.keys.values(b)) }
    }

    /// Who the events are.
    pub(super) fn matches(&self) -> &'a EventTable {
        &self.matches.events
    }

    /// The values of a key, as results show them: those of dates are texts, but for samples, which collect numbers.
    pub(super) fn key_values(&self, key: u32) -> Vec<Value> {
        let are_texts = self.eql.pattern.form == Form::Sequence;
        let columns = self.eql.columns(0).iter();
        let value = |(value, column): (Option<Term<'_>>, &Column)| match value {
            Some(Term::Long(millis)) if column.ty == TermType::Date && are_texts => to_iso(millis).into(),
            Some(term) => term.to_value(false),
            None => Value::Null,
        };
        self.keys.values(key).zip(columns).map(value).collect()
    }
}
