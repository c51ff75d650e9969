//! Executes a rule: every execution of its schedule, or one over the whole range.

use ecs::Millis;
use serde_json::Value;

use crate::KnownAlerts;
use crate::collect::Matches;
use crate::fate::Fate;
use crate::outcome::{AlertSeed, DataSpan, Executions, Metrics, Outcome, Warning, WarningKind};
use crate::replay::Replay;
use crate::rule_type::TERMS_PAGE;
use crate::suppression::{Merged, SuppressedMore};
use crate::tail::{ALERTS_PER_EXECUTION_MAX, Mode, TailError};

/// What is configured for all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Alerts that one execution may create at most, whatever `max_signals` says.
    pub alerts_per_execution: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { alerts_per_execution: ALERTS_PER_EXECUTION_MAX }
    }
}

/// What the one execution of a slot came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlotOutcome {
    /// The execution.
    pub outcome: Outcome,
    /// What it suppressed in favour of alerts of earlier executions.
    pub more: Vec<SuppressedMore>,
}

/// Whether a slot is executed for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is.
    First,
    /// It was executed before, and sees more now: what it said and counted then it does not say and count again.
    Again,
}

impl Matches {
    /// Executes the rule with this place among the tails once: in the slot of its schedule that starts at `slot`, over
    /// what was matched by now. What was said by earlier executions is known by the alerts that they raised, and by
    /// nothing else. `span` is that of the data.
    pub fn execute_slot(
        &self,
        rule: usize,
        slot: Millis,
        turn: Turn,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
    ) -> Result<SlotOutcome, TailError> {
        let tail = &self.tails.rules()[rule];
        let replay = Replay::of_slot(tail, slot, span, known, limits, TERMS_PAGE);
        let mut replay = replay.again(turn == Turn::Again);
        let counted = replay.counted_before(known);
        let ticks = replay.ticks.clone();
        let run = replay.run(self, rule, &ticks, &counted);
        let mut executions = self.rules[rule].complete.executions(run)?;
        let mut before = Outcome::default();
        // An execution without anything to say has nothing to warn of either.
        if executions.next(&ticks, ticks.first) == Some(ticks.first) {
            before = self.before(rule, limits);
            replay.execute(self, &mut *executions, ticks.first, known, None);
            replay.warn(executions.warnings());
        }
        drop(executions);
        let more = replay.take_more();
        Ok(SlotOutcome { outcome: replay.finish(before, false), more })
    }

    /// Executes the rule with this place among the tails, over data that reach from the first to the last
    /// event of `span`, as its [`Mode`] says.
    ///
    /// The outcome is that of one execution after the other; executions that cannot say anything new are
    /// stepped over. What lies after the data, or before it, would change no alert.
    pub fn execute(
        &self,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
    ) -> Result<Outcome, TailError> {
        let tail = &self.tails.rules()[rule];
        self.execute_as(tail.mode, rule, span, known, limits, TERMS_PAGE)
    }

    /// As [`execute`](Self::execute), with all alerts that there are for rules over alerts: beside those that are asked for
    /// those that are not, and those that exist already.
    pub fn execute_all(
        &self,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
    ) -> Result<(Outcome, Vec<AlertSeed>), TailError> {
        let tail = &self.tails.rules()[rule];
        let (span, mut others) = (self.span(rule, span), Vec::new());
        let replay = Replay::new(tail, tail.mode, span, known, limits, TERMS_PAGE)?;
        Ok((self.replayed(replay, rule, known, limits, Some(&mut others))?.0, others))
    }

    /// With another size of the pages of new terms than [`TERMS_PAGE`], and other alerts asked for.
    pub(crate) fn execute_as(
        &self,
        mode: Mode,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
        page: usize,
    ) -> Result<Outcome, TailError> {
        let tail = &self.tails.rules()[rule];
        let replay = Replay::new(tail, mode, self.span(rule, span), known, limits, page)?;
        Ok(self.replayed(replay, rule, known, limits, None)?.0)
    }

    /// Also says what was suppressed, if the replay listens for it.
    fn replayed(
        &self,
        mut replay: Replay<'_>,
        rule: usize,
        known: &KnownAlerts,
        limits: Limits,
        mut others: Option<&mut Vec<AlertSeed>>,
    ) -> Result<(Outcome, Vec<Merged>), TailError> {
        let counted = replay.counted_before(known);
        let ticks = replay.ticks.clone();
        let run = replay.run(self, rule, &ticks, &counted);
        let mut executions = self.rules[rule].complete.executions(run)?;
        let mut tick = ticks.first;
        while let Some(next) = executions.next(&ticks, tick) {
            // What is not asked for matters to others only, and to what counts what it suppresses.
            let matters = others.is_some() || next <= replay.asked.last || replay.counts(next);
            if replay.is_idle(next) || !matters {
                break;
            }
            replay.execute(self, &mut *executions, next, known, others.as_deref_mut());
            tick = next + 1;
        }
        let depends = replay.depends_on_earlier(&*executions);
        replay.warn(executions.warnings());
        let merged = replay.take_merged();
        Ok((replay.finish(self.before(rule, limits), depends), merged))
    }

    /// What became of the events with the watched `_id` that the rule matched; see
    /// [`Collector::watching`](crate::Collector::watching). Nothing if it matched none.
    pub fn fates(
        &self,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
    ) -> Result<Vec<Fate>, TailError> {
        let tail = &self.tails.rules()[rule];
        let watched = || self.watched.iter().filter(|it| it.rule == rule);
        if watched().next().is_none() {
            return Ok(Vec::new());
        }
        let everything = match tail.mode {
            Mode::Replay { .. } => Mode::Replay { since: None, until: None },
            once @ Mode::Once { .. } => once,
        };
        let none = KnownAlerts::default();
        let whole = self.span(rule, span);
        let listening = Replay::new(tail, everything, whole, &none, limits, TERMS_PAGE)?.listening();
        let (outcome, merged) = self.replayed(listening, rule, &none, limits, None)?;
        let replay = Replay::new(tail, everything, whole, &none, limits, TERMS_PAGE)?;
        let run = replay.run(self, rule, &replay.ticks, &[]);
        let mut fates: Vec<Fate> = Vec::new();
        for watched in watched() {
            let index = self.events.name(watched.index);
            let about = outcome
                .alerts
                .iter()
                .filter(|it| it.events().any(|it| it.id == watched.id && it.index == index));
            let (mut found, mut said) = (Vec::new(), Vec::new());
            for alert in about {
                said.push(alert.detail.terms());
                let (id, execution) = (alert.id.clone(), alert.execution.started_at);
                found.push(if known.contains(&id) {
                    Fate::Known { id }
                } else if tail.mode.selects(alert.event.timestamp) {
                    Fate::Alerted { id, execution, terms: alert.detail.terms().to_vec() }
                } else {
                    Fate::NotAsked { execution }
                });
            }
            let is_it = |(id, of): &(String, String)| *id == watched.id && of == index;
            let mut by: Vec<(&str, &[Value])> = Vec::new();
            for it in merged.iter().filter(|it| it.about.iter().any(is_it)) {
                // Executions say the same again while they see the event.
                if !by.contains(&(&it.by, &it.terms)) {
                    by.push((&it.by, &it.terms));
                    said.push(&it.terms);
                    found.push(it.fate());
                }
            }
            if watched.seen.is_none() {
                found.push(Fate::Undated);
            } else {
                let is_cut = outcome.metrics.truncated > 0;
                let others = self.rules[rule].complete.why_not(watched, run, is_cut);
                // What alerted needs no other reason.
                let others = others.into_iter().filter(|it| !said.contains(&it.terms()));
                found.extend(others.map(|it| as_asked(it, &outcome, &merged, known, tail.mode)));
            }
            for fate in found {
                // Copies of one event fare alike.
                if !fates.contains(&fate) {
                    fates.push(fate);
                }
            }
        }
        Ok(fates)
    }

    /// By the override, events may lie outside of what their `@timestamp`s span.
    pub(crate) fn span(&self, rule: usize, span: DataSpan) -> DataSpan {
        self.rules[rule].overridden.widen(span)
    }

    /// What is known before anything is executed.
    pub(crate) fn before(&self, rule: usize, limits: Limits) -> Outcome {
        let (tail, matches) = (&self.tails.rules()[rule], &self.rules[rule]);
        let mut metrics = Metrics { matched: matches.matched, ..Metrics::default() };
        let mut warnings = Vec::new();
        let mut warn = |kind| warnings.push(Warning { execution: None, kind });
        if tail.max_signals > limits.alerts_per_execution {
            warn(WarningKind::MaxSignals {
                max_signals: tail.max_signals,
                limit: limits.alerts_per_execution,
            });
        }
        if matches.undated > 0 {
            let field = tail.timestamp_override().unwrap_or_default().to_owned();
            warn(WarningKind::Undated { field, events: matches.undated, seen: matches.matched });
        }
        if let Some((interval, searched)) = tail.leaves_out() {
            warn(WarningKind::Unsearched { interval, searched });
        }
        matches.complete.report(&mut metrics, &mut warnings);
        matches.complete.report_skipped(self, rule, &mut warnings);
        Outcome { alerts: Vec::new(), executions: Executions::default(), warnings, metrics }
    }
}

/// What became of an event that was counted in an alert: that may be known, or not asked for.
fn as_asked(fate: Fate, outcome: &Outcome, merged: &[Merged], known: &KnownAlerts, mode: Mode) -> Fate {
    let Fate::Alerted { id, execution, terms } = &fate else { return fate };
    if let Some(it) = merged.iter().find(|it| it.id == *id) {
        return Fate::Suppressed { by: it.by.clone(), execution: *execution, terms: terms.clone() };
    }
    let alert = outcome.alerts.iter().find(|it| it.id == *id);
    if known.contains(id) {
        Fate::Known { id: id.clone() }
    } else if alert.is_none_or(|it| mode.selects(it.event.timestamp)) {
        fate
    } else {
        Fate::NotAsked { execution: *execution }
    }
}

impl Merged {
    fn fate(&self) -> Fate {
        let Self { by, execution, terms, .. } = self;
        Fate::Suppressed { by: by.clone(), execution: *execution, terms: terms.clone() }
    }
}
