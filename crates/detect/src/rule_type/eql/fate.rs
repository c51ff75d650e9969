//! Why an event of a rule's query did not alert.

use rule::Form;

use super::ordered::Ordered;
use super::{Complete, Eql};
use crate::fate::{Fate, Stuck, Watched};
use crate::rule_type::{RuleType, Run};

impl Complete {
    /// What became of it where every event is seen, and then what the executions made of that.
    pub(crate) fn why_not(&self, watched: &Watched, run: Run<'_>, is_cut: bool) -> Vec<Fate> {
        let RuleType::Eql(eql) = &run.tail.rule_type else { return Vec::new() };
        let Some(tick) = run.ticks.first_holding(watched.at.time) else { return vec![Fate::Unseen] };
        let execution = run.ticks.window(tick).started_at;
        let events = &run.matches.events;
        let of_event = self.matches.iter().find(|it| events.id(it.event, &mut [0; 36]) == watched.id);
        if of_event.is_none_or(|it| !watched.is(events, it.event)) {
            return vec![Fate::Copy];
        }
        let ordered = Ordered::new(self, eql, run);
        let place = ordered.events.iter().position(|it| watched.is(events, it.of));
        // What has no time, or no key, is no event of the query.
        let Some(place) = place else { return vec![Fate::NoTerm] };
        let place = place as u32;
        if ordered.timeline.hits(place).iter().all(|hit| hit.filter as usize != watched.step()) {
            return vec![Fate::NoTerm];
        }
        if eql.pattern.form == Form::Event {
            return vec![Fate::Cut { execution, terms: Vec::new() }];
        }
        let all: Vec<u32> = (0..ordered.timeline.len() as u32).collect();
        let (found, _) = ordered.results(&ordered.timeline, &all, i64::MAX);
        if found.iter().any(|it| it.events.get().contains(&place)) {
            // It stands in a sequence, which lies in no range as a whole, or did not get its turn.
            let whole = found.iter().filter(|it| it.events.get().contains(&place)).any(|it| {
                let seen = |at: u32| ordered.events[at as usize].seen;
                run.ticks
                    .first_reaching(seen(it.events.last()))
                    .is_some_and(|tick| run.ticks.window(tick).from <= seen(it.events.first()))
            });
            // An execution chooses among the events of its own range, and may choose others.
            if whole && !is_cut {
                let of = eql.pattern.positive().count();
                return vec![Fate::Stuck { step: of, of, why: Stuck::OthersChosen }];
            }
            return vec![if whole { Fate::Cut { execution, terms: Vec::new() } } else { Fate::Split }];
        }
        let keys = ordered.timeline.hits(place).iter().filter(|it| it.filter as usize == watched.step());
        if eql.pattern.form == Form::Sample {
            let mut fates: Vec<Fate> = Vec::new();
            for hit in keys {
                let fate = why_no_sample(eql, &ordered, hit.key);
                if !fates.contains(&fate) {
                    fates.push(fate);
                }
            }
            return fates;
        }
        let mut fates: Vec<Fate> = Vec::new();
        for hit in keys {
            let fate = Trace { eql, ordered: &ordered, place, key: hit.key }.follow(watched.step());
            if !fates.contains(&fate) {
                fates.push(fate);
            }
        }
        fates
    }
}

/// Why an event with that key is in no sample.
fn why_no_sample(eql: &Eql, ordered: &Ordered<'_>, key: u32) -> Fate {
    let timeline = &ordered.timeline;
    let stages: Vec<usize> = eql.pattern.positive().collect();
    let has = |filter: usize| {
        let is_it =
            |event: u32| timeline.hits(event).iter().any(|it| it.key == key && it.filter as usize == filter);
        (0..timeline.len() as u32).any(is_it)
    };
    let lacks: Vec<usize> =
        (0..stages.len()).filter(|&item| !has(eql.pattern.stages[stages[item]].filter)).collect();
    let why = lacks.first().map_or(Stuck::OthersChosen, |&item| Stuck::NoneOf { item });
    Fate::Stuck { step: stages.len() - lacks.len(), of: stages.len(), why }
}

/// The way of one event through the slots of one of its keys.
struct Trace<'a> {
    eql: &'a Eql,
    ordered: &'a Ordered<'a>,
    place: u32,
    key: u32,
}

impl Trace<'_> {
    /// What became of it at the stages of the filter.
    fn follow(&self, filter: usize) -> Fate {
        let pattern = &self.eql.pattern;
        let timeline = &self.ordered.timeline;
        let positive: Vec<usize> = pattern.positive().collect();
        let of = positive.len();
        let mut slots: Vec<Option<Vec<u32>>> = vec![None; of];
        let mut fate = None;
        let is = |event: u32, filter: usize| {
            timeline.hits(event).iter().any(|it| it.key == self.key && it.filter as usize == filter)
        };
        let stuck = |sequence: &[u32], why: Stuck| Fate::Stuck { step: sequence.len(), of, why };
        let id = |event: u32| {
            let events = self.ordered.matches();
            events.id(self.ordered.events[event as usize].of, &mut [0; 36]).to_owned()
        };
        let all: Vec<u32> = (0..timeline.len() as u32).collect();
        for equal in all.chunk_by(|&a, &b| timeline.rank(a) == timeline.rank(b)) {
            for stage in (0..of).rev() {
                for &event in equal.iter().filter(|&&it| is(it, pattern.stages[positive[stage]].filter)) {
                    let mut sequence = Vec::new();
                    if stage > 0 {
                        let follows =
                            |it: &mut Vec<u32>| timeline.rank(it[it.len() - 1]) < timeline.rank(event);
                        let Some(begun) = slots[stage - 1].take_if(follows) else { continue };
                        let span = timeline.time(event) - timeline.time(begun[0]);
                        if let Some(maxspan) = pattern.maxspan.filter(|&maxspan| span > maxspan) {
                            if begun.contains(&self.place) || event == self.place {
                                fate = Some(stuck(&begun, Stuck::TooLate { by: id(event), span, maxspan }));
                            }
                            continue;
                        }
                        sequence = begun;
                    }
                    sequence.push(event);
                    if stage + 1 == of {
                        // Complete, and yet no result: an event was there that must be missing.
                        if sequence.contains(&self.place) {
                            fate = Some(stuck(&sequence, Stuck::NotMissing));
                        }
                        continue;
                    }
                    if let Some(old) = slots[stage].replace(sequence)
                        && old.contains(&self.place)
                    {
                        fate = Some(stuck(&old, Stuck::Replaced { by: id(event) }));
                    }
                }
            }
            if let Some(&until) = equal.iter().find(|&&it| pattern.until.is_some_and(|until| is(it, until))) {
                for slot in &mut slots {
                    if let Some(ended) = slot.take().filter(|it| it.contains(&self.place)) {
                        fate = Some(stuck(&ended, Stuck::Until { by: id(until) }));
                    }
                }
            }
        }
        // Another event of that item that no order tells from this one.
        let beside = |event: u32, item: usize| {
            let is_beside = |it: u32| it != event && timeline.rank(it) == timeline.rank(event);
            let filter = pattern.stages[positive[item]].filter;
            let other = all.iter().copied().find(|&it| is_beside(it) && is(it, filter))?;
            Some(Stuck::SameTime { by: id(other), item })
        };
        if let Some(waiting) = slots.iter().flatten().find(|it| it.contains(&self.place)) {
            let next = beside(waiting[waiting.len() - 1], waiting.len());
            return stuck(waiting, next.unwrap_or(Stuck::Waits));
        }
        let first = positive.iter().position(|&at| pattern.stages[at].filter == filter);
        fate.unwrap_or_else(|| match first {
            Some(step) => {
                let before = step.checked_sub(1).and_then(|item| beside(self.place, item));
                Fate::Stuck { step, of, why: before.unwrap_or(Stuck::NothingBefore) }
            }
            // Of `until`, or of what must be missing.
            None => Fate::Against,
        })
    }
}
