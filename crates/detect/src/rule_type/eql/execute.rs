//! The executions of an EQL rule.
//!
//! An execution asks the query of the events in its range and takes the newest results, as many as alerts are allowed.
//! Every range begins anew: what an earlier one had begun is not known to it. Yet where the range holds all events from
//! its beginning to its end, it finds just those sequences that are found in all events and lie in it: of two that go
//! through the same slots the one that began later never overtakes the other, so what began before the range never
//! stands in a slot that the range sees taken. So they are formed once ([`Steady`]). That does not hold where the range
//! is of another time than the order, where the time of the execution decides what is a match, nor where something must
//! be missing beyond the events that are there ([`Anew`]).

use ecs::Millis;
use rule::{Form, Pattern, Pipe};
use rustc_hash::FxHashSet;
use std::ops::Range;

use super::machine::GivenUp;
use super::ordered::{Found, Ordered};
use super::{Complete, Eql, ResidueColumns};
use crate::outcome::WarningKind;
use crate::rule_type::alike::ValueForm;
use crate::rule_type::{Detail, Executions, Run};
use crate::schedule::{Ticks, Window};
use crate::suppression::{Candidate, Group};
use crate::term::TermId;
use crate::writer::{Writer, Written};

/// The executions of an EQL rule.
pub(crate) struct EqlExecutions<'a> {
    eql: &'a Eql,
    complete: &'a Complete,
    run: Run<'a>,
    ordered: Ordered<'a>,
    way: Way<'a>,
    /// The last execution that is looked at,
    last: i64,
    /// unless the one before left something to those that follow.
    is_cut: bool,
    given_up: GivenUp,
}

enum Way<'a> {
    Steady(Steady),
    Anew(Anew<'a>),
}

/// All results, by their last events; each execution has those that lie in its range.
struct Steady {
    found: Vec<Found>,
    /// Which of them were offered to the writer.
    said: Vec<bool>,
}

/// Each execution forms its own.
struct Anew<'a> {
    /// The events by the time that executions see.
    by_seen: Vec<u32>,
    residues: Vec<ResidueColumns<'a>>,
    /// The events of the results that were offered to the writer.
    said: FxHashSet<Box<[u32]>>,
}

impl<'a> EqlExecutions<'a> {
    pub(crate) fn new(complete: &'a Complete, eql: &'a Eql, run: Run<'a>) -> Self {
        let ordered = Ordered::new(complete, eql, run);
        let residues: Vec<ResidueColumns<'a>> =
            (0..eql.filters()).map(|step| ResidueColumns::new(run, step)).collect();
        let is_steady = ordered.is_contiguous
            && eql.pattern.form != Form::Sample
            && !eql.pattern.has_open_end()
            && residues.iter().all(ResidueColumns::is_empty)
            && !complete.is_told_differently();
        let events: Vec<u32> = (0..ordered.timeline.len() as u32).collect();
        let mut given_up = GivenUp::default();
        let way = if is_steady {
            let longest = run.tail.bounds.length_max();
            let (found, its) = ordered.results(&ordered.timeline, &events, longest);
            given_up = its;
            Way::Steady(Steady { said: vec![false; found.len()], found })
        } else {
            let mut by_seen = events;
            by_seen.sort_by_key(|&it| ordered.events[it as usize].seen);
            Way::Anew(Anew { by_seen, residues, said: FxHashSet::default() })
        };
        let newest = match &way {
            Way::Steady(it) => it.found.last().map(|found| ordered.timeline.time(found.events.last())),
            Way::Anew(it) => it.by_seen.last().map(|&at| ordered.events[at as usize].seen),
        };
        // That nothing follows is known when `maxspan` has passed.
        let wait = eql.pattern.maxspan.filter(|_| eql.pattern.stages.last().is_some_and(|it| it.missing));
        let newest = newest.map(|it| it.saturating_add(wait.unwrap_or(0)));
        let last =
            if run.alike().is_some() { run.ticks.last_offering(newest) } else { run.ticks.last_for(newest) };
        Self { last, is_cut: false, eql, complete, run, ordered, way, given_up }
    }

    fn seen(&self, event: u32) -> Millis {
        self.ordered.events[event as usize].seen
    }

    /// The results of an execution, in order, of those in its range: all that its pipes need to know.
    fn steady(&self, it: &Steady, window: &Window) -> Vec<usize> {
        let time = |event: u32| self.ordered.timeline.time(event);
        let end = it.found.partition_point(|found| time(found.events.last()) <= window.to);
        let newest = (0..end).rev().take_while(|&at| time(it.found[at].events.last()) >= window.from);
        let within = newest.filter(|&at| time(it.found[at].events.first()) >= window.from);
        let wanted = if self.eql.pattern.pipes.is_empty() { self.size() } else { usize::MAX };
        let mut results: Vec<usize> = within.take(wanted).collect();
        results.reverse();
        let taken = self.taken(results.len());
        results.drain(taken.end..);
        results.drain(..taken.start);
        results
    }

    /// What is asked for of all results: so many, if no pipe says otherwise.
    fn size(&self) -> usize {
        self.run.budget as usize
    }

    fn taken(&self, results: usize) -> Range<usize> {
        taken(&self.eql.pattern, results, self.size())
    }

    /// The first execution, not before `tick`, that sees something of what is given by the time that executions see.
    fn first_seeing(
        &self,
        ticks: &Ticks,
        tick: i64,
        times: impl Fn(Millis) -> Option<Millis>,
    ) -> Option<i64> {
        let tick = ticks.in_range(tick)?;
        let from = |tick: i64| ticks.window(tick).from;
        let mut time = times(from(tick))?;
        loop {
            let reaching = ticks.in_range(ticks.first_reaching(time)?.max(tick))?;
            if from(reaching) <= time {
                return (reaching <= self.last || self.is_cut).then_some(reaching);
            }
            time = times(from(reaching))?;
        }
    }

    /// Offers results in order; says which of them are there now, and whether there was no room for some.
    fn offer(&self, found: &[&Found], writer: &mut Writer<'_>) -> (Vec<bool>, bool) {
        if self.run.alike().is_some() {
            // All that an execution finds is offered at once.
            let candidates = found.iter().filter_map(|it| self.candidate(it, writer)).collect();
            let written = writer.offer_alike(candidates);
            return (written.iter().map(|it| it.is_there()).collect(), written.contains(&Written::Full));
        }
        let mut said = vec![false; found.len()];
        for (said, found) in said.iter_mut().zip(found) {
            let candidate = self.candidate(found, writer);
            *said = candidate.is_some_and(|it| writer.create(it) != Written::Full);
            if !*said {
                break;
            }
        }
        let is_cut = said.last() == Some(&false);
        (said, is_cut)
    }

    /// The alert about a result.
    fn candidate(&self, found: &Found, writer: &Writer<'_>) -> Option<Candidate> {
        let event = |at: u32| self.ordered.events[at as usize].of;
        let group = self.group(found);
        match self.eql.pattern.form {
            Form::Event => Some(writer.candidate(event(found.events.first()), Detail::Event, group)),
            Form::Sequence | Form::Sample => {
                let mut places = found.events.get().iter().copied();
                let stages = self.eql.pattern.stages.iter();
                let events = stages.map(|it| if it.missing { None } else { places.next().map(event) });
                writer.candidate_sequence(events.collect(), self.ordered.key_values(found.key), group)
            }
        }
    }

    /// What makes the alert about a result alike others: of a sequence, what its events have in common.
    fn group(&self, found: &Found) -> Option<Group> {
        self.run.alike()?;
        let mut common: Option<Vec<Vec<TermId>>> = None;
        for &event in found.events.get() {
            let it = self.ordered.a_match(self.complete, event);
            let at = self.run.alike_at(usize::from(it.step));
            let values = self.complete.values(it).skip(at.start).take(at.len());
            match &mut common {
                None => common = Some(values.map(<[TermId]>::to_vec).collect()),
                Some(common) => {
                    for (mine, theirs) in common.iter_mut().zip(values) {
                        mine.retain(|id| theirs.contains(id));
                    }
                }
            }
        }
        let first = self.ordered.a_match(self.complete, found.events.first());
        let time = found.events.get().iter().map(|&it| self.seen(it)).max()?;
        let form = match self.eql.pattern.form {
            Form::Event => ValueForm::List,
            Form::Sequence | Form::Sample => ValueForm::Document,
        };
        self.run.group(usize::from(first.step), common?, time, form)
    }
}

/// Which of so many results are taken.
pub(super) fn taken(pattern: &Pattern, results: usize, size: usize) -> Range<usize> {
    // Samples have no newest.
    let default = [if pattern.form == Form::Sample { Pipe::Head(size) } else { Pipe::Tail(size) }];
    let pipes = if pattern.pipes.is_empty() { &default[..] } else { &pattern.pipes };
    pipes.iter().fold(0..results, |Range { start, end }, pipe| match *pipe {
        Pipe::Head(count) => start..end.min(start.saturating_add(count)),
        Pipe::Tail(count) => start.max(end.saturating_sub(count))..end,
    })
}

impl Anew<'_> {
    /// The place of the first event that is not seen before the time.
    fn from(&self, ordered: &Ordered<'_>, time: Millis) -> usize {
        self.by_seen.partition_point(|&it| ordered.events[it as usize].seen < time)
    }

    /// The results of an execution, in order.
    fn results(&self, it: &EqlExecutions<'_>, tick: i64, window: &Window) -> (Vec<Found>, GivenUp) {
        let start = self.from(&it.ordered, window.from);
        let mut events: Vec<u32> =
            self.by_seen[start..].iter().copied().take_while(|&event| it.seen(event) <= window.to).collect();
        events.sort_unstable();
        let timeline = it.ordered.execution(&events, window, it.complete, &self.residues);
        let own: Vec<u32> = (0..events.len() as u32).collect();
        let (mut found, given_up) = it.ordered.results(&timeline, &own, Millis::MAX);
        for result in &mut found {
            result.events.get_mut().iter_mut().for_each(|event| *event = events[*event as usize]);
        }
        if it.eql.pattern.stages.last().is_some_and(|it| it.missing) {
            found.retain(|result| it.is_due(result, tick, window));
        }
        let taken = it.taken(found.len());
        found.truncate(taken.end);
        found.drain(..taken.start);
        (found, given_up)
    }
}

impl EqlExecutions<'_> {
    /// That nothing follows is known when `maxspan` has passed. An execution leaves the sequence to later ones that know
    /// it, unless it is the last that sees it.
    fn is_due(&self, result: &Found, tick: i64, window: &Window) -> bool {
        let maxspan = self.eql.pattern.maxspan.unwrap_or(Millis::MAX);
        let known = self.ordered.timeline.time(result.events.first()).saturating_add(maxspan);
        let oldest = result.events.get().iter().map(|&it| self.seen(it)).min();
        let ticks = self.run.ticks;
        let next = ticks.in_range(tick + 1).filter(|&next| next <= self.last);
        let next = next.map(|next| ticks.window(next));
        let is_last =
            next.is_none_or(|next| oldest.is_some_and(|oldest| oldest < next.from) || next == *window);
        known <= window.to || is_last
    }
}

impl Executions for EqlExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        match &self.way {
            Way::Steady(it) => {
                let time = |at: usize| Some(self.ordered.timeline.time(it.found.get(at)?.events.last()));
                let first = |from| {
                    time(
                        it.found
                            .partition_point(|found| self.ordered.timeline.time(found.events.last()) < from),
                    )
                };
                let mut tick = tick;
                loop {
                    tick = self.first_seeing(ticks, tick, first)?;
                    let results = self.steady(it, &ticks.window(tick));
                    // With as many as are allowed, it says so.
                    if results.len() >= self.size() || results.iter().any(|&at| !it.said[at]) {
                        return Some(tick);
                    }
                    tick += 1;
                }
            }
            Way::Anew(it) => {
                let first = |from| Some(self.seen(*it.by_seen.get(it.from(&self.ordered, from))?));
                self.first_seeing(ticks, tick, first)
            }
        }
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        let full = self.size();
        match &self.way {
            Way::Steady(it) => {
                let results = self.steady(it, window);
                writer.truncated = results.len() >= full;
                let new: Vec<usize> = results.into_iter().filter(|&at| !it.said[at]).collect();
                let found: Vec<&Found> = new.iter().map(|&at| &it.found[at]).collect();
                let (said, is_cut) = self.offer(&found, writer);
                self.is_cut = is_cut;
                if let Way::Steady(it) = &mut self.way {
                    for (at, _) in new.into_iter().zip(said).filter(|(_, said)| *said) {
                        it.said[at] = true;
                    }
                }
            }
            Way::Anew(it) => {
                let (results, given_up) = it.results(self, tick, window);
                writer.truncated = results.len() >= full;
                let new = results.iter().filter(|result| !it.said.contains(result.events.get()));
                let new: Vec<&Found> = new.collect();
                let (said, is_cut) = self.offer(&new, writer);
                let said = new.iter().zip(said).filter(|(_, said)| *said);
                let said: Vec<Box<[u32]>> = said.map(|(result, _)| result.events.get().into()).collect();
                self.is_cut = is_cut;
                self.given_up.count += given_up.count;
                self.given_up.at = self.given_up.at.or(given_up.at);
                if let Way::Anew(it) = &mut self.way {
                    it.said.extend(said);
                }
            }
        }
    }

    fn warnings(&self) -> Vec<WarningKind> {
        let mut warnings = Vec::new();
        if let Some(at) = self.given_up.at {
            warnings.push(WarningKind::Sequences { given_up: self.given_up.count, at });
        }
        let left_out = self.ordered.left_out;
        if let Some(first) = left_out.first {
            let events = &self.run.matches.events;
            warnings.push(WarningKind::JoinKeys {
                events: left_out.events,
                keys: left_out.keys,
                first: (events.timestamp(first), events.id(first, &mut [0; 36]).to_owned()),
            });
        }
        warnings
    }
}
