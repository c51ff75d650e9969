//! The executions of one rule, one after the other, and what they came to so far.

use std::collections::HashSet;

use ecs::Millis;

use crate::KnownAlerts;
use crate::collect::Matches;
use crate::execute::Limits;
use crate::known::{KnownSuppressing, KnownThreshold};
use crate::outcome::{AlertSeed, DataSpan, Execution, Metrics, Outcome, Warning, WarningKind};
use crate::rule_type::{Executions, Run};
use crate::schedule::{TICKS_MAX, TIME_MAX, TIME_MIN, Ticks, Window};
use crate::suppression::{Merged, SuppressedMore, Suppressor};
use crate::tail::{Mode, SPACE, Tail, TailError};
use crate::writer::Writer;

/// What the executions of one rule came to so far.
pub(crate) struct Replay<'t> {
    tail: &'t Tail,
    mode: Mode,
    span: DataSpan,
    pub(crate) ticks: Ticks,
    pub(crate) asked: Asked,
    space_and_rule: String,
    page: usize,
    budget: u32,
    warm_up: WarmUp,
    /// The ids that its executions created.
    created: HashSet<String>,
    /// If alerts alike suppress one another.
    suppressor: Option<Suppressor>,
    outcome: Outcome,
}

impl<'t> Replay<'t> {
    /// Before the first execution. `span` is that of the rule, overrides and all.
    pub(crate) fn new(
        tail: &'t Tail,
        mode: Mode,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
        page: usize,
    ) -> Result<Self, TailError> {
        let ticks = ticks(tail, span)?;
        Ok(Self::over(ticks, tail, mode, span, known, limits, page))
    }

    /// The one execution of a slot, before it.
    pub(crate) fn of_slot(
        tail: &'t Tail,
        slot: Millis,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
        page: usize,
    ) -> Self {
        let ticks = Ticks::of_slot(tail.bounds.clone(), tail.interval, slot);
        Self::over(ticks, tail, tail.mode, span, known, limits, page)
    }

    fn over(
        ticks: Ticks,
        tail: &'t Tail,
        mode: Mode,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
        page: usize,
    ) -> Self {
        let asked = Asked::new(mode, tail, &ticks);
        let mut outcome = Outcome::default();
        outcome.executions.total = asked.count(ticks.last);
        Self {
            tail,
            mode,
            span,
            asked,
            space_and_rule: format!("{SPACE}:{}", tail.rule_uuid),
            page,
            budget: tail.max_signals.min(limits.alerts_per_execution),
            warm_up: WarmUp::new(span, &ticks),
            created: HashSet::new(),
            suppressor: tail.suppression.as_ref().map(|it| Suppressor::new(it, tail, known, &ticks, span)),
            outcome,
            ticks,
        }
    }

    /// The same, executed once more: what was counted in an alert is not counted again.
    pub(crate) fn again(mut self, yes: bool) -> Self {
        if let Some(suppressor) = self.suppressor.as_mut().filter(|_| yes) {
            suppressor.execute_again();
        }
        self
    }

    /// What was suppressed in favour of alerts that were raised by earlier executions.
    pub(crate) fn take_more(&mut self) -> Vec<SuppressedMore> {
        self.suppressor.as_mut().map(Suppressor::take_more).unwrap_or_default()
    }

    /// The same, remembering what is suppressed for whoever asks about events.
    pub(crate) fn listening(mut self) -> Self {
        if let Some(suppressor) = &mut self.suppressor {
            suppressor.listen();
        }
        self
    }

    /// What executions are made of; `counted` is what alerts counted before `ticks` begin.
    pub(crate) fn run<'a>(
        &self,
        matches: &'a Matches,
        rule: usize,
        ticks: &'a Ticks,
        counted: &'a [KnownThreshold],
    ) -> Run<'a> {
        let tail = &matches.tails.rules()[rule];
        Run { matches, rule, tail, ticks, counted, page: self.page, budget: self.budget }
    }

    /// What alerts of the rule counted that exist already and were raised before its first execution.
    pub(crate) fn counted_before(&self, known: &KnownAlerts) -> Vec<KnownThreshold> {
        let first = self.ticks.window(self.ticks.first).started_at;
        let own = known.thresholds().iter().cloned();
        // What was suppressed is counted, too.
        let suppressed = known.suppressing().iter().filter(|_| self.tail.rule_type.groups());
        let all = own.chain(suppressed.map(KnownSuppressing::counted));
        all.filter(|it| it.rule == self.tail.rule_uuid && it.created < first).collect()
    }

    /// Whether an alert that is asked for counts what this execution suppresses.
    pub(crate) fn counts(&self, tick: i64) -> bool {
        self.suppressor.as_ref().is_some_and(|it| it.counts(self.ticks.started_at(tick)))
    }

    /// What the last execution counted, whether or not it was suppressed.
    pub(crate) fn take_counted(&mut self) -> Vec<KnownThreshold> {
        self.suppressor.as_mut().map(Suppressor::take_counted).unwrap_or_default()
    }

    /// What was suppressed, if it [listens](Self::listening).
    pub(crate) fn take_merged(&mut self) -> Vec<Merged> {
        self.suppressor.as_mut().map(Suppressor::take_merged).unwrap_or_default()
    }

    /// Whether nothing is ever done from this execution on, because there is no budget for it.
    pub(crate) fn is_idle(&self, tick: i64) -> bool {
        self.budget == 0 && tick > self.ticks.last
    }

    /// Executes once. Alerts that are not asked for, or exist already, go to `others`, if somebody wants them.
    pub(crate) fn execute(
        &mut self,
        matches: &Matches,
        executions: &mut dyn Executions,
        tick: i64,
        known: &KnownAlerts,
        others: Option<&mut Vec<AlertSeed>>,
    ) {
        let window = self.ticks.window(tick);
        let execution = self.tail.execution(&window, self.span);
        drop(self.take_counted());
        let mut writer = Writer {
            matches,
            space_and_rule: &self.space_and_rule,
            known,
            created: &mut self.created,
            alerts: &mut self.outcome.alerts,
            others,
            metrics: &mut self.outcome.metrics,
            execution,
            mode: self.mode,
            limit: self.budget,
            budget: self.budget,
            truncated: false,
            suppressor: self.suppressor.as_mut(),
            suppressed: 0,
        };
        executions.execute(tick, &window, &mut writer);
        let truncated = writer.truncated;
        self.warm_up.saw(tick, truncated);
        if self.asked.holds(tick) {
            if truncated {
                self.outcome.metrics.truncated += 1;
                let execution = Some(window.started_at);
                self.outcome.warnings.push(Warning { execution, kind: WarningKind::AlertLimit });
            }
            self.outcome.executions.run += 1;
            self.outcome.executions.total += u64::from(tick > self.ticks.last);
        }
    }

    /// The alerts so far that are asked for.
    pub(crate) fn alerts(&self) -> &[AlertSeed] {
        &self.outcome.alerts
    }

    /// Adds what is to be known of the executions; of one kind the last word counts.
    pub(crate) fn warn(&mut self, kinds: Vec<WarningKind>) {
        let warnings = &mut self.outcome.warnings;
        for kind in kinds {
            warnings.retain(|it| it.execution.is_some() || it.kind.code() != kind.code());
            warnings.push(Warning { execution: None, kind });
        }
    }

    /// Whether what was said before the first execution, and is not known, could matter to those asked for.
    pub(crate) fn depends_on_earlier(&self, executions: &dyn Executions) -> bool {
        self.span.complete_from.is_some()
            && executions.depends_on_earlier(self.asked.first.max(self.ticks.first))
    }

    /// What they came to; `before` is what was known before anything was executed.
    pub(crate) fn finish(self, before: Outcome, depends_on_earlier: bool) -> Outcome {
        let Self { tail, span, ticks, mut outcome, warm_up, asked, suppressor, .. } = self;
        let Metrics { known, truncated, suppressed, .. } = outcome.metrics;
        outcome.metrics = Metrics { known, truncated, suppressed, ..before.metrics };
        outcome.warnings.splice(0..0, before.warnings);
        let data = span.last.saturating_sub(span.first);
        if let Some(history) = tail.history(span.last).filter(|&history| history > data)
            && !outcome.alerts.is_empty()
        {
            let kind = WarningKind::ShortHistory { history, data };
            outcome.warnings.push(Warning { execution: None, kind });
        }
        if warm_up.is_uncertain(&asked) || depends_on_earlier {
            outcome.warnings.push(Warning { execution: None, kind: WarningKind::UncertainStart });
        }
        let first = ticks.started_at(asked.first.max(ticks.first));
        if let Some(duration) = suppressor.and_then(|it| it.uncertain_window(first)) {
            let kind = WarningKind::UncertainSuppression { duration };
            outcome.warnings.push(Warning { execution: None, kind });
        }
        outcome
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
pub(crate) struct Asked {
    first: i64,
    pub(crate) last: i64,
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
