//! What of a rule its executions need, checked.

use ecs::Millis;
use ecs::date::DateMath;
use rule::{Rule, RuleKind};

use crate::collect::{Counting, Shape};
use crate::schedule::{Bound, Bounds, TIME_MAX, TIME_MIN};

/// The space that alerts belong to; it is part of their ids.
pub const SPACE: &str = "default";

/// Alerts that one execution may create at most, whatever `max_signals` says, if nothing else is configured.
pub const ALERTS_PER_EXECUTION_MAX: u32 = 1_000;

/// Why a rule cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A rule never runs as something weaker.
    #[error("rules of type `{kind}` cannot be executed yet")]
    Type {
        /// The rule's type.
        kind: &'static str,
    },
    /// Without it the rule would raise more alerts than it should.
    #[error("`alert_suppression` cannot be applied yet, and without it the rule would mean something else")]
    Suppression,
    /// One to three.
    #[error("`new_terms_fields` has {count} fields, not one to three")]
    FieldCount {
        /// How many it has.
        count: usize,
    },
    /// Then everything in the interval would be history, or nothing is known of it.
    #[error(
        "`history_window_start` ({history}) does not always lie before `from` ({from}); move it further back, such \
         as `now-7d`"
    )]
    History {
        /// `history_window_start`.
        history: String,
        /// `from`.
        from: String,
    },
    /// More executions than can be numbered.
    #[error("the range holds {count} executions, more than {limit}; narrow it down with a start time")]
    TooManyExecutions {
        /// How many.
        count: u64,
        /// [`TICKS_MAX`](crate::TICKS_MAX).
        limit: i64,
    },
}

impl PlanError {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "DET001",
            Self::Suppression => "DET002",
            // DET003 was date math that cannot be read: no such rule can be made any more.
            Self::FieldCount { .. } => "DET004",
            Self::History { .. } => "DET005",
            Self::TooManyExecutions { .. } => "DET006",
        }
    }
}

/// Which executions of a rule are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One after the other, as the rule's schedule has them: those with a start in `(since, until]`.
    Replay {
        /// The default is just before the first event.
        since: Option<Millis>,
        /// The default is the first execution that sees the last event.
        until: Option<Millis>,
    },
    /// One execution over `(from, to]`. The history window of a new-terms rule begins at its
    /// `history_window_start` with `now` = `from`: for `now-7d` seven days before `from`.
    Once {
        /// The default is just before the first event: then there is no history and everything is new.
        from: Option<Millis>,
        /// The default is the last event.
        to: Option<Millis>,
    },
}

/// What of one rule its executions need.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) mode: Mode,
    pub(crate) kind: Kind,
    /// The object id: part of alert ids.
    pub(crate) rule_uuid: String,
    pub(crate) interval: Millis,
    pub(crate) bounds: Bounds,
    pub(crate) max_signals: u32,
    timestamp_override: Option<String>,
    fallback: bool,
}

/// Which tail the rule has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `query` and `saved_query`.
    Query,
    /// `new_terms` on these fields, one to three.
    NewTerms { fields: Vec<String> },
}

/// When an event took place for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventTime {
    pub(crate) time: Millis,
    /// It lacks the override field; such events come last in the order of a search.
    pub(crate) fallback: bool,
}

impl Plan {
    /// Checks that the rule can be executed.
    pub fn new(rule: &Rule, mode: Mode) -> Result<Self, PlanError> {
        let mut history = None;
        let kind = match &rule.kind {
            RuleKind::Query | RuleKind::SavedQuery { .. } => Kind::Query,
            RuleKind::NewTerms(new_terms) => {
                if !(1..=3).contains(&new_terms.fields.len()) {
                    return Err(PlanError::FieldCount { count: new_terms.fields.len() });
                }
                history = Some(&new_terms.history_window_start);
                Kind::NewTerms { fields: new_terms.fields.clone() }
            }
            RuleKind::Threshold(_)
            | RuleKind::Eql { .. }
            | RuleKind::Esql
            | RuleKind::ThreatMatch(_)
            | RuleKind::MachineLearning { .. } => {
                return Err(PlanError::Type { kind: rule.kind.type_name() });
            }
        };
        if rule.alert_suppression.is_some() {
            return Err(PlanError::Suppression);
        }
        let scheduled =
            Bounds { from: Bound::of(&rule.from), to: Bound::of(&rule.to), history: history.map(Bound::of) };
        if let Some(history) = history {
            // Both ends are fixed or move with the clock alone: then the two ends of all time decide.
            let plain = |bound: &Bound| !matches!(bound, Bound::Math { .. });
            let all_plain =
                plain(&scheduled.from) && plain(&scheduled.to) && scheduled.history.iter().all(plain);
            let before = |at| {
                let window = scheduled.window(at);
                window.history < window.from
            };
            if scheduled.history_reach() == 0 && !(all_plain && before(TIME_MIN) && before(TIME_MAX)) {
                let (history, from) = (history.to_string(), rule.from.to_string());
                return Err(PlanError::History { history, from });
            }
        }
        let bounds = match mode {
            Mode::Replay { .. } => scheduled,
            Mode::Once { from, to } => once(rule, &kind, history, from, to)?,
        };
        Ok(Self {
            mode,
            kind,
            rule_uuid: rule.id.clone(),
            interval: rule.interval.millis(),
            bounds,
            max_signals: rule.max_signals,
            timestamp_override: rule.timestamp_override.clone().filter(|it| it != "@timestamp"),
            fallback: !rule.timestamp_override_fallback_disabled,
        })
    }

    /// The same with another limit of alerts an execution, if one is given.
    #[must_use]
    pub fn limited(mut self, max_signals: Option<u32>) -> Self {
        self.max_signals = max_signals.unwrap_or(self.max_signals);
        self
    }

    /// The most alerts of one execution.
    pub const fn max_signals(&self) -> u32 {
        self.max_signals
    }

    /// The field whose date takes the place of `@timestamp`: a column that the caller has to read.
    pub fn timestamp_override(&self) -> Option<&str> {
        self.timestamp_override.as_deref()
    }

    /// The fields whose values go with each match; empty for rules that need the event alone.
    pub fn term_fields(&self) -> &[String] {
        match &self.kind {
            Kind::Query => &[],
            Kind::NewTerms { fields } => fields,
        }
    }

    /// Whether the rule is of a type that does not alert on its own alerts, and an alert with that
    /// [`lineage`](ecs::alert::lineage) is one or comes from one.
    pub fn is_own(&self, lineage: &[String]) -> bool {
        match self.kind {
            Kind::Query => lineage.contains(&self.rule_uuid),
            Kind::NewTerms { .. } => false,
        }
    }

    /// When the event took place; `None` if the rule does not see it.
    pub(crate) fn time(&self, over: Option<Millis>, timestamp: Millis) -> Option<EventTime> {
        let (time, fallback) = match (&self.timestamp_override, over) {
            (None, _) => (timestamp, false),
            (Some(_), Some(over)) => (over, false),
            (Some(_), None) if self.fallback => (timestamp, true),
            (Some(_), None) => return None,
        };
        Some(EventTime { time: time.clamp(TIME_MIN, TIME_MAX), fallback })
    }

    pub(crate) fn shape(&self) -> Shape {
        let single = self.term_fields().len() == 1;
        match self.mode {
            Mode::Replay { .. } => Shape {
                gap: self.bounds.history_reach(),
                counting: if single {
                    Counting::WithinOfStart(self.bounds.length_max())
                } else {
                    Counting::No
                },
            },
            // Whatever lies outside the one execution's windows is not kept, so all that is kept is one run.
            Mode::Once { from, .. } => Shape {
                gap: Millis::MAX,
                counting: if single { Counting::After(from.unwrap_or(Millis::MIN)) } else { Counting::No },
            },
        }
    }

    /// The times that any execution could look at.
    pub(crate) fn reach(&self) -> (Millis, Millis) {
        match self.mode {
            Mode::Replay { .. } => (TIME_MIN, TIME_MAX),
            Mode::Once { .. } => {
                let window = self.bounds.window(0);
                (window.history, window.to)
            }
        }
    }
}

/// The windows of the one execution over `(from, to]`.
fn once(
    rule: &Rule,
    kind: &Kind,
    history: Option<&DateMath>,
    from: Option<Millis>,
    to: Option<Millis>,
) -> Result<Bounds, PlanError> {
    // `from` itself is excluded: a new term has to be first seen after `tuple.from` anyway, where a query
    // includes its `tuple.from`.
    let inclusive = match kind {
        Kind::Query => from.map(|it| it.saturating_add(1)),
        Kind::NewTerms { .. } => from,
    };
    let history = match (history, from) {
        (Some(math), Some(from)) => {
            let start = math.millis_at(from);
            if start >= from {
                return Err(PlanError::History { history: math.to_string(), from: rule.from.to_string() });
            }
            Some(Bound::Fixed(start))
        }
        _ => None,
    };
    Ok(Bounds {
        from: Bound::Fixed(inclusive.unwrap_or(Millis::MIN)),
        to: Bound::Fixed(to.unwrap_or(Millis::MAX)),
        history,
    })
}

#[cfg(test)]
mod tests {
    use rule::{AlertSuppression, MissingFields, NewTerms};

    use super::*;

    fn refusal(change: impl FnOnce(&mut Rule), mode: Mode) -> String {
        let text = "
            [rule]
            name = 'Case'
            description = 'Case.'
            severity = 'low'
            risk_score = 21
            type = 'query'
            query = 'event.action: *'
        ";
        let mut rule = rule::load_text("case.toml", text).rules.remove(0);
        change(&mut rule);
        match Plan::new(&rule, mode) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("{} {error}", error.code()),
        }
    }

    fn new_terms(fields: usize, history: &str) -> RuleKind {
        let history_window_start = DateMath::of_rule(history).unwrap();
        RuleKind::NewTerms(NewTerms { fields: vec!["user.name".to_owned(); fields], history_window_start })
    }

    #[test]
    fn refused_by_name() {
        let replay = Mode::Replay { since: None, until: None };
        assert_eq!(refusal(|_| {}, replay), "accepted");
        assert_eq!(
            refusal(|it| it.kind = RuleKind::Esql, replay),
            "DET001 rules of type `esql` cannot be executed yet"
        );
        let suppression = AlertSuppression {
            group_by: Vec::new(),
            duration: None,
            missing_fields: MissingFields::Suppress,
        };
        assert!(refusal(|it| it.alert_suppression = Some(suppression), replay).starts_with("DET002 "));
        assert!(refusal(|it| it.kind = new_terms(4, "now-7d"), replay).starts_with("DET004 "));
    }

    /// It lies before `from` in every execution, or the rule is refused.
    #[test]
    fn history_window() {
        let verdict = |history: &str, from: &str, mode| {
            let change = |it: &mut Rule| {
                it.kind = new_terms(1, history);
                it.from = DateMath::of_rule(from).unwrap();
            };
            refusal(change, mode)
        };
        let replay = Mode::Replay { since: None, until: None };
        for (history, from) in [
            ("now-7d", "now-6m"),
            ("now-1d/d", "now-6m"),
            ("now-1d/d", "now/d"),
            ("now-1M", "now-27d"),
            ("2026-01-01", "2026-01-02"),
        ] {
            assert_eq!(verdict(history, from, replay), "accepted", "{history} {from}");
        }
        for (history, from) in [
            ("now-6m", "now-6m"),
            ("now-1d/d", "now-1d/d"),
            ("now/d", "now-6m"),
            ("now-1M", "now-28d"),
            ("2026-01-01", "now-6m"),
        ] {
            assert!(verdict(history, from, replay).starts_with("DET005 "), "{history} {from}");
        }
        let once = Mode::Once { from: Some(0), to: None };
        assert_eq!(verdict("now-7d", "now-6m", once), "accepted");
        assert!(verdict("1970-01-01", "1970-01-02", once).starts_with("DET005 "));
    }
}
