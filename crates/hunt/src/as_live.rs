//! A hunt over a store as if live: an execution sees only what had been ingested before it started.
//!
//! Which executions there were, in which order, and what had been ingested then, whoever detects around the clock writes
//! down ([`ExecutedSlot`]). A rule that was not among those is executed as if it had been on time always.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use detect::{Outcome, SuppressedMore, Turn};
use ecs::Millis;

use crate::progress::{Progress, Stage};
use crate::run::{Found, HuntError, HuntOptions, RanRule, ReadReport};
use crate::sources::Sources;
use crate::standing::{Raised, Segment, SlotFound, Standing, Taken};
use crate::trouble::Trouble;

/// The executions that took place, in their order.
#[derive(Clone, Debug, Default)]
pub struct AsLive {
    /// Slot after slot.
    pub slots: Vec<ExecutedSlot>,
}

/// Executions that took place together.
#[derive(Clone, Debug)]
pub struct ExecutedSlot {
    /// Their slot.
    pub slot: Millis,
    /// They saw what had been ingested until then.
    pub seen: Millis,
    /// Whether the slot had been executed before.
    pub turn: Turn,
    /// The object ids of their rules.
    pub rules: Arc<[String]>,
}

/// What is to be executed.
struct Step {
    slot: Millis,
    seen: Millis,
    turn: Turn,
    rules: Vec<usize>,
}

/// Executes what was executed, one slot after the other.
pub(crate) fn hunt(options: &HuntOptions, as_live: &AsLive, progress: &Progress) -> Result<Found, HuntError> {
    let mut standing = Standing::new(options.clone(), &options.stored)?;
    let (mut troubles, mut loss_count): (Vec<Trouble>, u64) = (Vec::new(), 0);
    let mut segments: BTreeMap<(Millis, usize), Segment> = BTreeMap::new();
    for (at, input) in options.stored.iter().enumerate() {
        match Segment::of(input.clone()) {
            Ok(segment) => {
                if let Some((first, _)) = segment.ingested.span() {
                    segments.insert((first, at), segment);
                }
            }
            Err(error) => {
                loss_count += 1;
                troubles.push(Trouble {
                    code: Some("READ029"),
                    text: format!("READ029 {}: {error}", input.name()),
                });
            }
        }
    }
    standing.number(&segments.values().cloned().collect::<Vec<_>>());
    progress.enter(Stage::Executing);
    let steps = steps(&standing, options, as_live, &segments);
    // How early the slots are that are still to come.
    let mut earliest: Vec<Millis> = steps.iter().map(|it| it.slot).collect();
    for at in (1..earliest.len()).rev() {
        earliest[at - 1] = earliest[at - 1].min(earliest[at]);
    }
    let until: Arc<[Millis]> = steps.iter().map(|it| it.seen).collect::<BTreeSet<_>>().into_iter().collect();
    let mut raised = Raised::default();
    if !options.known.is_empty() {
        for rule in standing.rules() {
            *raised.of_rule(&rule.id) = options.known.clone();
        }
    }
    let mut outcomes: BTreeMap<usize, Outcome> =
        (0..standing.rules().len()).map(|rule| (rule, Outcome::default())).collect();
    let (mut pending, mut sources): (Vec<Taken>, Sources) = (Vec::new(), Sources::new());
    for (step, earliest) in steps.iter().zip(earliest) {
        let mut due = Vec::new();
        while let Some(entry) = segments.first_entry().filter(|it| it.key().0 <= step.seen) {
            due.push(entry.remove());
        }
        if !due.is_empty() {
            pending.push(standing.take(due, Arc::clone(&until), None, progress));
        }
        for taken in &mut pending {
            standing.arrive(taken, step.seen);
            troubles.append(&mut taken.troubles);
            loss_count += std::mem::take(&mut taken.loss_count);
        }
        pending.retain(|it| it.first().is_some());
        standing.forget(earliest);
        let SlotFound { found, ran, more, .. } =
            standing.execute((step.slot, step.seen), &step.rules, step.turn, &mut raised);
        sources.extend(found.sources);
        for ((rule, ran), more) in ran.into_iter().zip(found.rules).zip(more) {
            let all = outcomes.entry(rule).or_default();
            add(all, ran.outcome);
            for it in &more {
                suppress(all, it);
            }
        }
    }
    let rules: Vec<RanRule> = outcomes
        .into_iter()
        .map(|(rule, mut outcome)| {
            outcome.alerts.retain(|it| options.mode.selects(it.event.timestamp));
            standing.ran(rule, outcome)
        })
        .collect();
    progress.enter(Stage::Building);
    let trouble_count = troubles.len() as u64;
    let read = ReadReport { troubles, trouble_count, loss_count, ..ReadReport::default() };
    Ok(standing.finish(rules, read, sources))
}

/// What is to be executed, in order: what was, and for rules that were not there, what would have been on time.
fn steps(
    standing: &Standing,
    options: &HuntOptions,
    as_live: &AsLive,
    segments: &BTreeMap<(Millis, usize), Segment>,
) -> Vec<Step> {
    let rules = standing.rules();
    let place = |uuid: &String| rules.iter().position(|it| it.id == *uuid);
    let mut there: HashSet<usize> = HashSet::new();
    let mut steps: Vec<Step> = Vec::new();
    for ExecutedSlot { slot, seen, turn, rules } in &as_live.slots {
        let rules: Vec<usize> = rules.iter().filter_map(place).collect();
        there.extend(&rules);
        if !rules.is_empty() {
            steps.push(Step { slot: *slot, seen: *seen, turn: *turn, rules });
        }
    }
    let Some((first, _)) = segments.keys().next() else { return steps };
    let mut on_time: BTreeMap<Millis, Vec<usize>> = BTreeMap::new();
    for rule in (0..rules.len()).filter(|it| !there.contains(it)) {
        let mut slot = standing.slot_from(rule, *first);
        while slot <= options.now {
            on_time.entry(slot).or_default().push(rule);
            slot += standing.interval(rule);
        }
    }
    if on_time.is_empty() {
        return steps;
    }
    let (mut all, mut executed) = (Vec::new(), steps.into_iter().peekable());
    for (slot, rules) in on_time {
        while let Some(step) = executed.next_if(|it| it.slot < slot) {
            all.push(step);
        }
        all.push(Step { slot, seen: slot, turn: Turn::First, rules });
    }
    all.extend(executed);
    all
}

/// Adds what one execution came to.
fn add(all: &mut Outcome, one: Outcome) {
    all.alerts.extend(one.alerts);
    all.executions.total += one.executions.total;
    all.executions.run += one.executions.run;
    for it in one.warnings {
        // Of one kind the last word counts, unless it is about an execution.
        if it.execution.is_none() {
            all.warnings.retain(|other| other.execution.is_some() || other.kind.code() != it.kind.code());
        }
        all.warnings.push(it);
    }
    let metrics = one.metrics;
    all.metrics.matched = all.metrics.matched.max(metrics.matched);
    all.metrics.copies = metrics.copies.or(all.metrics.copies);
    all.metrics.terms = metrics.terms.or(all.metrics.terms);
    all.metrics.known += metrics.known;
    all.metrics.truncated += metrics.truncated;
    all.metrics.suppressed += metrics.suppressed;
}

/// An alert stands for more than it did.
fn suppress(all: &mut Outcome, more: &SuppressedMore) {
    let its = all.alerts.iter_mut().rev().find(|it| it.id == more.id);
    if let Some(it) = its.and_then(|it| it.suppressed.as_mut()) {
        it.docs_count += more.docs_count;
        it.end = it.end.max(more.end);
        it.start = more.start.map_or(it.start, |start| it.start.min(start));
        it.last_detected = it.last_detected.max(more.last_detected);
    }
}
