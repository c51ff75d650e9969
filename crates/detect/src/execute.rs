//! Executes a rule: every execution of its schedule, or one over the whole range.

use std::collections::HashSet;

use crate::KnownAlerts;
use crate::collect::{Matches, RuleMatches};
use crate::outcome::{DataSpan, Execution, Executions, Metrics, Outcome, Warning, WarningKind};
use crate::plan::{ALERTS_PER_EXECUTION_MAX, Mode, Plan, PlanError, SPACE};
use crate::schedule::{TICKS_MAX, TIME_MAX, TIME_MIN, Ticks, last_tick};
use crate::tail::{NewTermsTail, QueryTail, TERMS_PAGE, Tail, Writer};

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
    /// Executes the rule with this place among the plans, over data that reaches from the first to the last
    /// event of `span`, as its [`Mode`] says.
    ///
    /// The outcome is that of one execution after the other; executions that cannot say anything new are
    /// stepped over.
    pub fn execute(
        &self,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
    ) -> Result<Outcome, PlanError> {
        self.execute_paged(rule, span, known, limits, TERMS_PAGE)
    }

    /// With another size of the pages of new terms than [`TERMS_PAGE`].
    pub(crate) fn execute_paged(
        &self,
        rule: usize,
        span: DataSpan,
        known: &KnownAlerts,
        limits: Limits,
        page: usize,
    ) -> Result<Outcome, PlanError> {
        let plan = &self.plans[rule];
        let span = match self.rules[rule].times().filter(|_| plan.timestamp_override().is_some()) {
            // By the override, events may lie outside of what their `@timestamp`s span.
            Some((first, last)) => DataSpan { first: span.first.min(first), last: span.last.max(last) },
            None => span,
        };
        let ticks = ticks(plan, span)?;
        let (mut warnings, mut metrics) = (Vec::new(), Metrics::default());
        if plan.max_signals > limits.alerts_per_execution {
            let kind =
                WarningKind::MaxSignals { max_signals: plan.max_signals, limit: limits.alerts_per_execution };
            warnings.push(Warning { execution: None, kind });
        }
        let space_and_rule = format!("{SPACE}:{}", plan.rule_uuid);
        let mut tail: Box<dyn Tail + '_> = match &self.rules[rule] {
            RuleMatches::Query { matches, matched, copies } => {
                metrics.matched = *matched;
                metrics.copies = Some(*copies);
                Box::new(QueryTail::new(matches, space_and_rule))
            }
            RuleMatches::NewTerms { terms, fields, matched, skipped } => {
                metrics.matched = *matched;
                metrics.terms = Some(terms.len() as u64);
                if skipped.events > 0 {
                    let kind = WarningKind::Combinations {
                        events: skipped.events,
                        combinations: skipped.combinations,
                        first: skipped.first.clone(),
                    };
                    warnings.push(Warning { execution: None, kind });
                }
                Box::new(NewTermsTail::new(self, terms, fields, space_and_rule, &ticks, page))
            }
        };
        let mut outcome =
            Outcome { alerts: Vec::new(), executions: Executions::default(), warnings, metrics };
        outcome.executions.total = ticks.count();
        let (mut created, mut tick) = (HashSet::new(), ticks.first);
        while let Some(next) = tail.next(&ticks, tick) {
            let window = ticks.window(next);
            let mut writer = Writer {
                matches: self,
                known,
                created: &mut created,
                alerts: &mut outcome.alerts,
                metrics: &mut outcome.metrics,
                execution: plan.execution(window.started_at, window.from, window.to, span),
                budget: plan.max_signals.min(limits.alerts_per_execution),
                truncated: false,
            };
            tail.execute(next, &window, &mut writer);
            if writer.truncated {
                outcome.metrics.truncated += 1;
                let execution = Some(window.started_at);
                outcome.warnings.push(Warning { execution, kind: WarningKind::AlertLimit });
            }
            outcome.executions.run += 1;
            if next >= ticks.last {
                break;
            }
            tick = next + 1;
        }
        Ok(outcome)
    }
}

fn ticks(plan: &Plan, span: DataSpan) -> Result<Ticks, PlanError> {
    let ticks = match plan.mode {
        Mode::Replay { since, until } => {
            let since = since.unwrap_or(span.first.saturating_sub(1)).clamp(TIME_MIN, TIME_MAX);
            let until = until.unwrap_or_else(|| {
                last_tick(&plan.bounds, plan.interval, span.last.clamp(TIME_MIN, TIME_MAX))
            });
            Ticks::new(plan.bounds.clone(), plan.interval, since, until.clamp(TIME_MIN, TIME_MAX))
        }
        Mode::Once { to, .. } => {
            Ticks::single(plan.bounds.clone(), to.unwrap_or(span.last).clamp(TIME_MIN, TIME_MAX))
        }
    };
    if ticks.count() > TICKS_MAX as u64 {
        return Err(PlanError::TooManyExecutions { count: ticks.count(), limit: TICKS_MAX });
    }
    Ok(ticks)
}

impl Plan {
    fn execution(&self, started_at: i64, from: i64, to: i64, span: DataSpan) -> Execution {
        match self.mode {
            Mode::Replay { .. } => Execution { started_at, from, to },
            Mode::Once { from, to } => Execution {
                started_at,
                from: from.unwrap_or(span.first.saturating_sub(1)),
                to: to.unwrap_or(span.last),
            },
        }
    }
}
