//! Rules over alerts: executions of several rules, slot by slot.
//!
//! A slot is a time at which executions start. In each the rules over events execute first; of them nobody but rules over
//! alerts needs to know in which order, so each has executed as a whole ([`Matches::execute_all`]) before the slots of the
//! rules over alerts begin. An execution of these sees the alerts of rules over events up to its own slot, and those of
//! rules over alerts from earlier slots.
//!
//! So what such a rule matches grows from slot to slot, and what its type makes of all matches holds for one slot only. It
//! is made anew in each that could say something new: after an alert arrived that the rule matches, or when the type
//! itself, with what it knows, says that it is due. What was said is known by the ids of the alerts, and to a threshold
//! rule by what they counted: just as after a restart. Matches that no later execution looks at are forgotten.

use std::iter::Peekable;
use std::sync::Arc;

use ecs::Millis;
use identity::Graph;

use crate::execute::Limits;
use crate::known::KnownThreshold;
use crate::outcome::{AlertSeed, DataSpan, Outcome, WarningKind};
use crate::replay::Replay;
use crate::rule_type::TERMS_PAGE;
use crate::schedule::Ticks;
use crate::tail::{Mode, Tail, TailError};
use crate::{Collector, KnownAlerts, Matches};

/// Events that are kept at least before old ones are forgotten: it takes as long as looking at all of them.
const FORGOTTEN_FROM: usize = if cfg!(test) { 4 } else { 256 };

/// In so many slots after the last alert of a rule over events do rules over alerts see one another's alerts: a rule that
/// alerts on what its own alerts lead to would never end.
pub const SLOTS_AFTER_LAST_ALERT_MAX: usize = if cfg!(test) { 5 } else { 12 };

/// What the executions of one rule over alerts came to.
#[derive(Debug)]
pub struct OverAlerts {
    /// With the alerts that were asked for.
    pub outcome: Outcome,
    /// Those that were not asked for or exist already.
    pub others: Vec<AlertSeed>,
}

/// Executes the rules of a collector, which holds what they matched of the data themselves, slot by slot. `arrivals` are
/// the alerts of rules over events: what the rules match of those raised at one time, in the order of these times, of
/// which none is beyond `span`. `raised` is given what the rules themselves raise in a slot, each alert with the number of
/// its rule, and says what the rules match of that. All collectors are of the same rules and number indices alike.
///
/// The outcome of a rule that cannot be executed is an error; the others go on without it.
pub fn execute_over_alerts(
    collector: Collector,
    arrivals: impl Iterator<Item = (Millis, Collector)>,
    mut raised: impl FnMut(Vec<(usize, &AlertSeed)>) -> Option<Collector>,
    graph: &Graph,
    span: DataSpan,
    known: &KnownAlerts,
    limits: Limits,
) -> (Vec<Result<OverAlerts, TailError>>, Matches) {
    let tails = Arc::clone(collector.tails());
    let of = |rule: usize| {
        let span = collector.overridden(rule).widen(span);
        OneRule::new(&tails.rules()[rule], span, limits, known)
    };
    let rules: Vec<Result<OneRule<'_>, TailError>> = (0..tails.rules().len()).map(of).collect();
    let is_once = tails.rules().iter().any(|it| matches!(it.mode, Mode::Once { .. }));
    let mut slots = Slots { kept: 0, rules, collector, graph, known };
    slots.begin();
    let (mut arrivals, mut after_last) = (arrivals.peekable(), 0);
    while let Some(now) = slots.next(&mut arrivals) {
        while let Some((at, part)) = arrivals.next_if(|(at, _)| is_once || *at <= now) {
            slots.arrive(part, at);
        }
        slots.execute(now);
        let new = slots.new_alerts();
        // There is no slot after the only one.
        if !new.is_empty() && !is_once {
            after_last += usize::from(arrivals.peek().is_none());
            if after_last > SLOTS_AFTER_LAST_ALERT_MAX {
                slots.warn_of_endless();
            } else if let Some(part) = raised(new) {
                slots.arrive(part, now.saturating_add(1));
            }
        }
        slots.end();
    }
    slots.finish(limits)
}

struct Slots<'a> {
    rules: Vec<Result<OneRule<'a>, TailError>>,
    /// What they match of what there is by now.
    collector: Collector,
    /// Who is behind what they match.
    graph: &'a Graph,
    /// How much of it was left when something was forgotten last.
    kept: usize,
    known: &'a KnownAlerts,
}

/// The executions of one rule.
struct OneRule<'a> {
    replay: Replay<'a>,
    is_once: bool,
    /// The next that could say something.
    due: Option<i64>,
    /// What alerts counted, if that matters.
    counted: Vec<KnownThreshold>,
    others: Vec<AlertSeed>,
    /// Of the alerts, and of the others, so many were raised before the slot at hand.
    before: (usize, usize),
    /// Whether what was said before the first execution could matter.
    depends_on_earlier: bool,
}

impl<'a> OneRule<'a> {
    fn new(tail: &'a Tail, span: DataSpan, limits: Limits, known: &KnownAlerts) -> Result<Self, TailError> {
        let replay = Replay::new(tail, tail.mode, span, known, limits, TERMS_PAGE)?;
        Ok(Self {
            counted: replay.counted_before(known),
            replay,
            is_once: matches!(tail.mode, Mode::Once { .. }),
            due: None,
            others: Vec::new(),
            before: (0, 0),
            depends_on_earlier: false,
        })
    }

    fn ticks(&self) -> &Ticks {
        &self.replay.ticks
    }

    fn due_at(&self) -> Option<Millis> {
        self.due.map(|tick| self.ticks().started_at(tick))
    }

    /// It has something new to look at from this time on.
    fn wake(&mut self, at: Millis) {
        // The one execution sees whatever was raised before it, and nothing after it.
        let at = if self.is_once { self.ticks().started_at(self.ticks().first).min(at) } else { at };
        let tick = self.ticks().first_starting(at);
        self.due = [self.due, tick].into_iter().flatten().min();
    }

    /// What it raised in the slot at hand.
    fn new_alerts(&self) -> impl Iterator<Item = &AlertSeed> {
        self.replay.alerts()[self.before.0..].iter().chain(&self.others[self.before.1..])
    }

    /// Executes once, if there is something to say.
    fn execute(&mut self, matches: &Matches, rule: usize, tick: i64, known: &KnownAlerts) {
        self.due = None;
        let ticks = self.ticks().from(tick);
        let run = self.replay.run(matches, rule, &ticks, &self.counted);
        // As many executions as that could be numbered from the first on.
        let Ok(mut executions) = matches.rules[rule].complete.executions(run) else { return };
        let due = executions.next(&ticks, tick).filter(|&it| !self.replay.is_idle(it));
        if due != Some(tick) {
            self.due = due;
            return;
        }
        self.replay.execute(matches, &mut *executions, tick, known, Some(&mut self.others));
        self.due = executions.next(&ticks, tick + 1).filter(|&it| !self.replay.is_idle(it));
        self.depends_on_earlier |= self.replay.depends_on_earlier(&*executions);
        self.replay.warn(executions.warnings());
        drop(executions);
        let uuid = &matches.tails.rules()[rule].rule_uuid;
        let new: Vec<KnownThreshold> =
            self.new_alerts().filter_map(|it| KnownThreshold::of(it, uuid)).collect();
        self.counted.extend(new);
        self.counted.extend(self.replay.take_counted());
        // Ranges never move back.
        let from = ticks.window(tick).from;
        self.counted.retain(|it| it.result_to >= from);
    }
}

impl Slots<'_> {
    /// Wakes the rules that match something of the data themselves.
    fn begin(&mut self) {
        for rule in self.collector.matching() {
            if let Ok(rule) = &mut self.rules[rule] {
                rule.due = Some(rule.ticks().first);
            }
        }
    }

    /// The next slot in which there is something to do.
    fn next(&self, arrivals: &mut Peekable<impl Iterator<Item = (Millis, Collector)>>) -> Option<Millis> {
        let due = self.rules.iter().flatten().filter_map(OneRule::due_at);
        due.chain(arrivals.peek().map(|(at, _)| *at)).min()
    }

    /// Takes what the rules match of alerts that executions see which start at `at` or later.
    fn arrive(&mut self, part: Collector, at: Millis) {
        for rule in part.matching() {
            if let Ok(rule) = &mut self.rules[rule] {
                rule.wake(at);
            }
        }
        self.collector.merge(part);
    }

    /// Executes the rules that are due.
    fn execute(&mut self, now: Millis) {
        let is_due = |it: &OneRule<'_>| it.due_at().is_some_and(|at| at <= now);
        if !self.rules.iter().flatten().any(is_due) {
            return;
        }
        if self.collector.events() > 2 * self.kept + FORGOTTEN_FROM {
            self.collector.forget(now);
            self.kept = self.collector.events();
        }
        let matches = self.collector.clone().finish_with(self.graph);
        for (number, rule) in self.rules.iter_mut().enumerate() {
            if let Ok(rule) = rule
                && let Some(tick) = rule.due.filter(|_| is_due(rule))
            {
                rule.execute(&matches, number, tick, self.known);
            }
        }
    }

    /// What was raised in the slot at hand, by rule.
    fn new_alerts(&self) -> Vec<(usize, &AlertSeed)> {
        let rules = self.rules.iter().enumerate().filter_map(|(rule, it)| Some((rule, it.as_ref().ok()?)));
        rules.flat_map(|(rule, it)| it.new_alerts().map(move |alert| (rule, alert))).collect()
    }

    /// What was raised in the slot at hand is seen by nobody.
    fn warn_of_endless(&mut self) {
        for it in self.rules.iter_mut().flatten() {
            if it.new_alerts().next().is_some() {
                it.replay.warn(vec![WarningKind::Endless]);
            }
        }
    }

    /// The slot at hand is done.
    fn end(&mut self) {
        for it in self.rules.iter_mut().flatten() {
            it.before = (it.replay.alerts().len(), it.others.len());
        }
    }

    fn finish(self, limits: Limits) -> (Vec<Result<OverAlerts, TailError>>, Matches) {
        let matches = self.collector.finish_with(self.graph);
        let finished = |(number, rule): (usize, Result<OneRule<'_>, TailError>)| {
            let OneRule { replay, others, depends_on_earlier, .. } = rule?;
            let outcome = replay.finish(matches.before(number, limits), depends_on_earlier);
            Ok(OverAlerts { outcome, others })
        };
        let rules = self.rules.into_iter().enumerate().map(finished).collect();
        (rules, matches)
    }
}
