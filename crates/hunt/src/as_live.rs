//! A hunt over a store as if live: an execution sees only what had been ingested before it started.
//!
//! Which executions there were, in which order, what had been ingested then, and what the rules said, whoever detects around
//! the clock writes down ([`ExecutedSlot`], [`RuleVersion`]). A rule of the options that was not among those is executed as if
//! it had been on time always; where it was not written down what a rule said, the options say it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use detect::{Outcome, SuppressedMore, Turn};
use ecs::Millis;
use rule::{Exceptions, Rule};

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
    /// What rules said in them; [`ExecutedRule::version`] is a place in here. Without any the rules of the options are executed.
    pub versions: Vec<RuleVersion>,
}

impl AsLive {
    /// The object ids of rules of which it is not written down what they said in some execution.
    pub fn unwritten(&self) -> BTreeSet<&str> {
        let executed = self.slots.iter().flat_map(|it| &*it.rules);
        executed.filter(|it| it.version.is_none()).map(|it| it.uuid.as_str()).collect()
    }

    /// Leaves out the rules that are not wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&Rule) -> bool) {
        let mut places = Vec::with_capacity(self.versions.len());
        let mut kept = Vec::new();
        for version in std::mem::take(&mut self.versions) {
            let is_wanted = is_wanted(&version.rule);
            places.push(is_wanted.then_some(kept.len()));
            kept.extend(is_wanted.then_some(version));
        }
        self.versions = kept;
        for slot in &mut self.slots {
            let rules = slot.rules.iter().filter_map(|it| {
                let version = it.version.map(|it| places.get(it).copied().flatten());
                // One that was written down and is not wanted is gone.
                (version != Some(None)).then(|| ExecutedRule { version: version.flatten(), ..it.clone() })
            });
            slot.rules = rules.collect();
        }
    }
}

/// What a rule said at some time.
#[derive(Clone, Debug)]
pub struct RuleVersion {
    /// The rule.
    pub rule: Arc<Rule>,
    /// What was excepted from it.
    pub exceptions: Exceptions,
}

/// A rule that was executed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecutedRule {
    /// Its object id.
    pub uuid: String,
    /// The place of what it said among [`AsLive::versions`], if that was written down.
    pub version: Option<usize>,
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
    /// Their rules.
    pub rules: Arc<[ExecutedRule]>,
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
    // For each rule its versions, itself among them.
    let alike: Vec<Vec<usize>> = standing
        .rules()
        .iter()
        .map(|rule| (0..standing.rules().len()).filter(|&it| standing.rules()[it].id == rule.id).collect())
        .collect();
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
                // The alert may be of an earlier version of the rule.
                for place in &alike[rule] {
                    if let Some(all) = outcomes.get_mut(place) {
                        suppress(all, it);
                    }
                }
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
    // Of the versions, which stand behind the rules of the options.
    let versions: Vec<Option<usize>> = as_live
        .versions
        .iter()
        .map(|version| rules.iter().position(|it| Arc::ptr_eq(it, &version.rule)))
        .collect();
    let named = options.rules.rules();
    let named: HashMap<&str, usize> = rules
        .iter()
        .enumerate()
        .filter(|(_, it)| named.iter().any(|rule| Arc::ptr_eq(rule, it)))
        .map(|(at, it)| (it.id.as_str(), at))
        .collect();
    let place = |it: &ExecutedRule| match it.version.and_then(|version| versions.get(version)) {
        Some(place) => *place,
        None => named.get(it.uuid.as_str()).copied(),
    };
    let mut there: HashSet<usize> = HashSet::new();
    let mut steps: Vec<Step> = Vec::new();
    for ExecutedSlot { slot, seen, turn, rules } in &as_live.slots {
        // One that was executed is not executed once more as if on time, whatever it said then.
        there.extend(rules.iter().filter_map(|it| named.get(it.uuid.as_str())));
        let rules: Vec<usize> = rules.iter().filter_map(place).collect();
        there.extend(&rules);
        if !rules.is_empty() {
            steps.push(Step { slot: *slot, seen: *seen, turn: *turn, rules });
        }
    }
    there.extend(versions.into_iter().flatten());
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
