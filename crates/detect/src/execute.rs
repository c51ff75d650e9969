//! Executes a rule: every execution of its schedule, or one over the whole range.

use std::collections::HashSet;

use ecs::Millis;

use crate::KnownAlerts;
use crate::collect::Matches;
use crate::fate::Fate;
use crate::outcome::{DataSpan, Execution, Executions, Metrics, Outcome, Warning, WarningKind};
use crate::rule_type::{Run, TERMS_PAGE};
use crate::schedule::{TICKS_MAX, TIME_MAX, TIME_MIN, Ticks, Window};
use crate::tail::{ALERTS_PER_EXECUTION_MAX, Mode, SPACE, Tail, TailError};
use crate::writer::Writer;

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

impl Matches {
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
        let span = self.span(rule, span);
        let ticks = ticks(tail, span)?;
        let asked = Asked::new(mode, tail, &ticks);
        let mut outcome = self.before(rule, limits);
        let space_and_rule = format!("{SPACE}:{}", tail.rule_uuid);
        let budget = tail.max_signals.min(limits.alerts_per_execution);
        let run = Run { matches: self, rule, tail, ticks: &ticks, known, page, budget };
        let mut executions = self.rules[rule].complete.executions(run)?;
        let mut warm_up = WarmUp::new(span, &ticks);
        let (mut created, mut tick) = (HashSet::new(), ticks.first);
        outcome.executions.total = asked.count(ticks.last);
        while let Some(next) = executions.next(&ticks, tick) {
            // Without a budget nothing is ever done.
            if next > asked.last || (budget == 0 && next > ticks.last) {
                break;
            }
            let window = ticks.window(next);
            let mut writer = Writer {
                matches: self,
                space_and_rule: &space_and_rule,
                known,
                created: &mut created,
                alerts: &mut outcome.alerts,
                metrics: &mut outcome.metrics,
                execution: tail.execution(&window, span),
                mode,
                budget,
                truncated: false,
            };
            executions.execute(next, &window, &mut writer);
            let truncated = writer.truncated;
            warm_up.saw(next, truncated);
            if asked.holds(next) {
                if truncated {
                    outcome.metrics.truncated += 1;
                    let execution = Some(window.started_at);
                    outcome.warnings.push(Warning { execution, kind: WarningKind::AlertLimit });
                }
                outcome.executions.run += 1;
                outcome.executions.total += u64::from(next > ticks.last);
            }
            tick = next + 1;
        }
        let kinds = executions.warnings().into_iter();
        outcome.warnings.extend(kinds.map(|kind| Warning { execution: None, kind }));
        let data = span.last.saturating_sub(span.first);
        if let Some(history) = tail.history(span.last).filter(|&history| history > data)
            && !outcome.alerts.is_empty()
        {
            let kind = WarningKind::ShortHistory { history, data };
            outcome.warnings.push(Warning { execution: None, kind });
        }
        let depends =
            || span.complete_from.is_some() && executions.depends_on_earlier(asked.first.max(ticks.first));
        if warm_up.is_uncertain(&asked) || depends() {
            outcome.warnings.push(Warning { execution: None, kind: WarningKind::UncertainStart });
        }
        Ok(outcome)
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
        let outcome = self.execute_as(everything, rule, span, &none, limits, TERMS_PAGE)?;
        let ticks = ticks(tail, self.span(rule, span))?;
        let budget = tail.max_signals.min(limits.alerts_per_execution);
        let run = Run { matches: self, rule, tail, ticks: &ticks, known: &none, page: TERMS_PAGE, budget };
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
            if watched.seen.is_none() {
                found.push(Fate::Undated);
            } else {
                let others = self.rules[rule].complete.why_not(watched, run);
                // What alerted needs no other reason.
                let others = others.into_iter().filter(|it| !said.contains(&it.terms()));
                found.extend(others.map(|it| as_asked(it, &outcome, known, tail.mode)));
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
    fn span(&self, rule: usize, span: DataSpan) -> DataSpan {
        let overridden = self.rules[rule].overridden.0;
        let (first, last) = overridden.unwrap_or((span.first, span.last));
        DataSpan { first: span.first.min(first), last: span.last.max(last), ..span }
    }

    /// What is known before anything is executed.
    fn before(&self, rule: usize, limits: Limits) -> Outcome {
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
        matches.complete.report(&mut metrics, &mut warnings);
        Outcome { alerts: Vec::new(), executions: Executions::default(), warnings, metrics }
    }
}

/// What became of an event that was counted in an alert: that may be known, or not asked for.
fn as_asked(fate: Fate, outcome: &Outcome, known: &KnownAlerts, mode: Mode) -> Fate {
    let Fate::Alerted { id, execution, .. } = &fate else { return fate };
    let alert = outcome.alerts.iter().find(|it| it.id == *id);
    if known.contains(id) {
        Fate::Known { id: id.clone() }
    } else if alert.is_none_or(|it| mode.selects(it.event.timestamp)) {
        fate
    } else {
        Fate::NotAsked { execution: *execution }
    }
}

fn ticks(tail: &Tail, span: DataSpan) -> Result<Ticks, TailError> {
    let clamp = |time: Millis| time.clamp(TIME_MIN, TIME_MAX);
    let ticks = match tail.mode {
        Mode::Replay { .. } => {
            let bounds = tail.bounds.clone();
            let mut ticks = Ticks::new(bounds, tail.interval, clamp(span.first), clamp(span.last));
            if let Some(from) = span.complete_from {
                ticks.begin_at_history(clamp(from));
            }
            ticks
        }
        Mode::Once { to, .. } => Ticks::single(tail.bounds.clone(), clamp(to.unwrap_or(span.last))),
    };
    let count = (ticks.last - ticks.first).unsigned_abs() + 1;
    if count > TICKS_MAX as u64 {
        return Err(TailError::TooManyExecutions { count, limit: TICKS_MAX });
    }
    Ok(ticks)
}

/// Which executions could raise an alert that is asked for.
struct Asked {
    first: i64,
    last: i64,
}

impl Asked {
    fn new(mode: Mode, tail: &Tail, ticks: &Ticks) -> Self {
        let all = Self { first: ticks.first, last: ticks.end };
        match mode {
            // By an override, an event can be seen at any time.
            Mode::Replay { since, until } if tail.timestamp_override().is_none() => Self {
                // None if no execution reaches that far.
                first: since.map_or(all.first, |since| ticks.first_reaching(since).unwrap_or(i64::MAX)),
                last: until.and_then(|until| ticks.first_after(until)).map_or(all.last, |tick| tick - 1),
            },
            Mode::Replay { .. } | Mode::Once { .. } => all,
        }
    }

    fn holds(&self, tick: i64) -> bool {
        self.first <= tick && tick <= self.last
    }

    /// How many there are up to `last`.
    fn count(&self, last: i64) -> u64 {
        u64::try_from(last.min(self.last).saturating_sub(self.first).saturating_add(1)).unwrap_or(0)
    }
}

/// The executions over data of which the beginning is missing. The first knows nothing of what was said before, so it
/// may leave more to the next ones than it would have. As soon as one is not cut off, all are as they would be.
struct WarmUp {
    /// All executions before this one were cut off.
    cut: i64,
    is_incomplete: bool,
}

impl WarmUp {
    fn new(span: DataSpan, ticks: &Ticks) -> Self {
        Self { cut: ticks.first, is_incomplete: span.complete_from.is_some() }
    }

    fn saw(&mut self, tick: i64, truncated: bool) {
        if truncated && tick == self.cut {
            self.cut += 1;
        }
    }

    /// Whether not even the first that is asked for is known to be as it would be.
    fn is_uncertain(&self, asked: &Asked) -> bool {
        self.is_incomplete && self.cut > asked.first
    }
}

impl Tail {
    fn execution(&self, window: &Window, span: DataSpan) -> Execution {
        let Window { started_at, from, to, .. } = *window;
        match self.mode {
            Mode::Replay { .. } => Execution { started_at, from, to },
            Mode::Once { from, to } => Execution {
                started_at,
                from: from.unwrap_or(span.first.saturating_sub(1)),
                to: to.unwrap_or(span.last),
            },
        }
    }

    /// How long the history window of an execution is, if a replay compares with one.
    fn history(&self, now: Millis) -> Option<Millis> {
        let window = self.bounds.window(now.clamp(TIME_MIN, TIME_MAX));
        let is_compared = matches!(self.mode, Mode::Replay { .. }) && self.bounds.history.is_some();
        is_compared.then(|| window.to.saturating_sub(window.history))
    }
}
