//! What follows a rule's filter: how its executions make alerts of matches.

use std::sync::Arc;

use ecs::{Catalog, Millis};
use plan::Residue;
use rule::{Pattern, Rule};

use crate::rule_type::{Eql, OrderFields, RuleType};
use crate::schedule::{Bound, Bounds, TIME_MAX, TIME_MIN, Ticks};
use crate::suppression::Suppression;
use crate::tails::Column;
use crate::term::TermType;

/// The space that alerts belong to; it is part of their ids.
pub const SPACE: &str = "default";

/// Alerts that one execution may create at most, whatever `max_signals` says, if nothing else is configured.
pub const ALERTS_PER_EXECUTION_MAX: u32 = 1_000;

/// Why a rule cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// A rule never runs as something weaker.
    #[error("rules of type `{kind}` cannot be executed yet")]
    Type {
        /// The rule's type.
        kind: &'static str,
    },
    /// One to three.
    #[error("`new_terms_fields` has {count} fields, not one to three")]
    FieldCount {
        /// How many it has.
        count: usize,
    },
    /// No term is new where there are none.
    #[error(
        "`new_terms_fields`: `{field}` is {ty}, which has no values that could be new; name a field under it or beside it"
    )]
    NoTerms {
        /// The field.
        field: String,
        /// What it is.
        ty: &'static str,
    },
    /// Five at most.
    #[error("`threshold.field` has {count} fields, more than five")]
    GroupFields {
        /// How many it has.
        count: usize,
    },
    /// Nothing can be grouped or told apart where there are no values.
    #[error(
        "`threshold`: `{field}` is {ty}, which has no values to group by or to count; name a field under it or beside it"
    )]
    NoGroups {
        /// The field.
        field: String,
        /// What it is.
        ty: &'static str,
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
    /// Nothing can be told apart by a field without values.
    #[error(
        "`{field}` is {ty}, which has no values to join or to order events by; name a field under it or beside it"
    )]
    NoValues {
        /// The field.
        field: String,
        /// What it is.
        ty: &'static str,
    },
    /// One to five.
    #[error("`alert_suppression.group_by` has {count} fields, not one to five")]
    SuppressionFields {
        /// How many it has.
        count: usize,
    },
    /// Nothing is alike where there are no values.
    #[error(
        "`alert_suppression.group_by`: `{field}` is {ty}, which has no values that could be the same; name a field under \
         it or beside it"
    )]
    NothingAlike {
        /// The field.
        field: String,
        /// What it is.
        ty: &'static str,
    },
    /// A pipeline that cannot be run as a rule.
    #[error("the query cannot be run: {message}")]
    Query {
        /// Why not.
        message: String,
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

impl TailError {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "DET001",
            // DET002 was suppression that could not be applied.
            // DET003 was date math that cannot be read: no such rule can be made any more.
            Self::FieldCount { .. } => "DET004",
            Self::History { .. } => "DET005",
            Self::TooManyExecutions { .. } => "DET006",
            Self::NoTerms { .. } => "DET007",
            Self::GroupFields { .. } => "DET008",
            Self::NoGroups { .. } => "DET009",
            Self::NoValues { .. } => "DET010",
            Self::SuppressionFields { .. } => "DET011",
            Self::NothingAlike { .. } => "DET012",
            Self::Query { .. } => "DET013",
        }
    }
}

/// Which executions of a rule are simulated, and which of their alerts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One execution after the other, as the rule's schedule has them, from the first that sees an event to the last
    /// that can say anything of one. The alerts asked for are those whose newest event took place in `[since, until)`,
    /// by its `@timestamp`: whatever a rule takes for the time of an event, that is when it happened.
    Replay {
        /// The default is the first event.
        since: Option<Millis>,
        /// The default is the last event.
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
pub struct Tail {
    pub(crate) mode: Mode,
    pub(crate) rule_type: RuleType,
    /// The object id: part of alert ids.
    pub(crate) rule_uuid: String,
    pub(crate) interval: Millis,
    pub(crate) bounds: Bounds,
    pub(crate) max_signals: u32,
    /// How alerts alike suppress one another, if they do.
    pub(crate) suppression: Option<Suppression>,
    /// By filter; empty if there is none.
    residues: Vec<Option<Arc<Residue>>>,
    timestamp_override: Option<String>,
    fallback: bool,
}

/// When an event took place for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventTime {
    pub(crate) time: Millis,
    /// It lacks the override field; such events come last in the order of a search.
    pub(crate) fallback: bool,
}

impl Tail {
    /// Checks that the rule can be executed. The catalogue says how the values that go with its matches are typed.
    pub fn new(rule: &Rule, mode: Mode, catalog: &Catalog) -> Result<Self, TailError> {
        Self::of_pattern(rule, None, mode, catalog)
    }

    /// As [`new`](Self::new); `pattern` is what an EQL rule's query asks of the events of its filters together.
    pub fn of_pattern(
        rule: &Rule,
        pattern: Option<&Pattern>,
        mode: Mode,
        catalog: &Catalog,
    ) -> Result<Self, TailError> {
        Self::of_type(rule, RuleType::of(rule, pattern, catalog)?, mode, catalog)
    }

    /// That of an EQL query that belongs to no rule, over all time: see [`Matches::results`](crate::Matches::results).
    pub fn of_query(
        pattern: &Pattern,
        tiebreaker_field: Option<&str>,
        samples_of_key: usize,
        catalog: &Catalog,
    ) -> Result<Self, TailError> {
        let order = OrderFields { timestamp: None, tiebreaker: tiebreaker_field };
        let eql = Eql::new(pattern, order, catalog)?.with_samples(samples_of_key);
        Ok(Self {
            mode: Mode::Once { from: None, to: None },
            rule_type: RuleType::Eql(Box::new(eql)),
            rule_uuid: String::new(),
            interval: 1,
            bounds: Bounds { from: Bound::Fixed(Millis::MIN), to: Bound::Fixed(Millis::MAX), history: None },
            max_signals: u32::MAX,
            suppression: None,
            residues: Vec::new(),
            timestamp_override: None,
            fallback: true,
        })
    }

    /// Of a rule whose type has this of its own.
    fn of_type(rule: &Rule, rule_type: RuleType, mode: Mode, catalog: &Catalog) -> Result<Self, TailError> {
        let history = rule_type.history_window_start();
        let suppression = rule.alert_suppression.as_ref();
        let suppression =
            suppression.map(|it| Suppression::new(it, rule_type.groups(), catalog)).transpose()?;
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
                return Err(TailError::History { history, from });
            }
        }
        let bounds = match mode {
            Mode::Replay { .. } => scheduled,
            Mode::Once { from, to } => once(rule, &rule_type, from, to)?,
        };
        Ok(Self {
            mode,
            rule_type,
            rule_uuid: rule.id.clone(),
            interval: rule.interval.millis(),
            bounds,
            max_signals: rule.max_signals,
            suppression,
            residues: Vec::new(),
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

    /// The time between executions.
    pub const fn interval(&self) -> Millis {
        self.interval
    }

    /// The time of the first event that the execution of a slot looks at, and that of the first of its range.
    pub fn looks_from(&self, slot: Millis) -> (Millis, Millis) {
        let window = self.bounds.window(slot.clamp(TIME_MIN, TIME_MAX));
        (window.history.min(window.from), window.from)
    }

    /// No alert that was raised in an earlier slot than this matters to the executions of `slot` and after it.
    pub fn known_from(&self, slot: Millis) -> Millis {
        let slot = slot.clamp(TIME_MIN, TIME_MAX);
        let from = self.bounds.window(slot).from;
        let suppressed = self.suppression.as_ref().and_then(|it| it.duration).unwrap_or(0);
        let first = if self.bounds.from.spread().is_some() { self.first_seeing(from) } else { TIME_MIN };
        // An alert may have counted what came for as long after it.
        first.min(slot).saturating_sub(suppressed)
    }

    /// The slots of its schedule, the first and the last, that have something of a time from `first` to `last` in their
    /// range; none, if there is no such slot up to `until`.
    pub fn slots_seeing(&self, first: Millis, last: Millis, until: Millis) -> Option<(Millis, Millis)> {
        let clamp = |time: Millis| time.clamp(TIME_MIN, TIME_MAX);
        let ticks = Ticks::new(self.bounds.clone(), self.interval, clamp(first), clamp(first));
        let end = clamp(until).div_euclid(self.interval);
        let after = ticks.first_after(clamp(last).saturating_add(1)).map_or(end, |tick| end.min(tick - 1));
        (ticks.first <= after).then(|| (ticks.started_at(ticks.first), ticks.started_at(after)))
    }

    /// The most alerts of one execution.
    pub const fn max_signals(&self) -> u32 {
        self.max_signals
    }

    /// The same for a rule whose filter leaves something to its executions: these decide on the values of each match. The
    /// history of a new-terms rule is filtered so as well, with the same `now`.
    #[must_use]
    pub fn with_residue(self, residue: Option<Residue>) -> Self {
        self.with_residues(vec![residue])
    }

    /// As [`with_residue`](Self::with_residue), for each of the rule's filters.
    #[must_use]
    pub fn with_residues(self, residues: Vec<Option<Residue>>) -> Self {
        Self { residues: residues.into_iter().map(|it| it.map(Arc::new)).collect(), ..self }
    }

    /// What the executions decide of the matches of a filter.
    pub(crate) fn residue(&self, step: usize) -> Option<&Residue> {
        self.residues.get(step)?.as_deref()
    }

    pub(crate) fn has_residue(&self) -> bool {
        self.residues.iter().any(Option::is_some)
    }

    /// Whether its executions ask who is behind an event, of a match or of what they group it by.
    pub fn asks_who(&self) -> bool {
        (0..self.filters()).any(|step| self.columns(step).iter().any(|it| it.told().is_some()))
    }

    /// Whether what is known of a match may depend on the execution.
    pub(crate) fn is_left_open(&self) -> bool {
        let told = |step| self.rule_type.columns(step).iter().any(|it| it.told().is_some());
        self.has_residue() || (0..self.filters()).any(told)
    }

    /// The field whose date takes the place of `@timestamp`: a column that the caller has to read.
    pub fn timestamp_override(&self) -> Option<&str> {
        self.timestamp_override.as_deref()
    }

    /// How many filters the rule has.
    pub fn filters(&self) -> usize {
        self.rule_type.filters()
    }

    /// The columns whose values go with a match of the filter: those of the rule's type, then those that make alerts
    /// alike, then those of the residue.
    pub(crate) fn columns(&self, step: usize) -> Vec<Column> {
        let residue = self.residue(step).into_iter().flat_map(Residue::columns).map(|(path, shape)| Column {
            path: path.clone(),
            shape: *shape,
            ty: TermType::AsDelivered,
        });
        let own = self.rule_type.columns(step).iter().chain(self.alike_columns());
        own.cloned().chain(residue).collect()
    }

    /// The columns that make alerts alike, behind those of the rule's type.
    pub(crate) fn alike_columns(&self) -> &[Column] {
        self.suppression.as_ref().map_or(&[], |it| &it.columns)
    }

    /// Whether the rule is of a type that does not alert on its own alerts, and an alert with that
    /// [`lineage`](ecs::alert::lineage) is one or comes from one.
    pub fn is_own(&self, lineage: &[String]) -> bool {
        self.rule_type.spares_own_alerts() && lineage.contains(&self.rule_uuid)
    }

    /// How far apart its executions lie and the most that one looks at, if that leaves events between them out.
    pub(crate) fn leaves_out(&self) -> Option<(Millis, Millis)> {
        let searched = self.bounds.length_max();
        // The same range every time, or one that grows, leaves nothing out.
        let is_bounded = self.bounds.is_bounded() && self.bounds.from.spread().is_some();
        let is_replay = matches!(self.mode, Mode::Replay { .. });
        (is_replay && is_bounded && searched < self.interval).then_some((self.interval, searched))
    }

    /// The time before which no event matters to the alerts that are asked for; `None` if any may.
    ///
    /// In a replay it is where the history of an execution begins that is early enough before `since`: what it may leave
    /// to later ones, because it does not know what was said before, they have said by then, unless each of them is cut
    /// off. The [outcome](crate::Outcome) tells if so, if it knows what is missing
    /// ([`DataSpan::complete_from`](crate::DataSpan::complete_from)).
    pub fn reads_from(&self) -> Option<Millis> {
        match self.mode {
            Mode::Replay { since, .. } => self.reads_from_since(since?),
            Mode::Once { from, .. } => from.map(|_| self.bounds.window(0).history),
        }
    }

    /// The same, if the alerts asked for are those of executions at `slot` and after it.
    pub fn reads_from_slot(&self, slot: Millis) -> Option<Millis> {
        match self.mode {
            Mode::Replay { .. } => {
                self.reads_from_since(self.bounds.window(slot.clamp(TIME_MIN, TIME_MAX)).from)
            }
            Mode::Once { .. } => self.reads_from(),
        }
    }

    fn reads_from_since(&self, since: Millis) -> Option<Millis> {
        if !self.bounds.is_bounded() {
            return None;
        }
        let since = since.clamp(TIME_MIN, TIME_MAX);
        let first = Ticks::new(self.bounds.clone(), self.interval, since, since).first;
        let earlier = self.bounds.length_max() / self.interval + 2;
        let window = self.bounds.window(first.saturating_sub(earlier).saturating_mul(self.interval));
        // What was raised for so long before suppresses what is asked for, and is known if nothing was before that.
        let suppressed = self.suppression.as_ref().and_then(|it| it.duration).unwrap_or(0);
        Some(window.history.min(window.from).saturating_sub(suppressed))
    }

    /// The start of the first execution that looks at what happens at this time.
    pub fn first_seeing(&self, time: Millis) -> Millis {
        let time = time.clamp(TIME_MIN, TIME_MAX);
        match self.mode {
            Mode::Replay { .. } => {
                Ticks::new(self.bounds.clone(), self.interval, time, time).first.saturating_mul(self.interval)
            }
            Mode::Once { to, .. } => to.unwrap_or(time),
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

impl Mode {
    /// Whether an alert is asked for whose newest event took place then.
    pub fn selects(self, timestamp: Millis) -> bool {
        match self {
            Self::Replay { since, until } => {
                since.is_none_or(|since| since <= timestamp) && until.is_none_or(|until| timestamp < until)
            }
            Self::Once { .. } => true,
        }
    }
}

/// The windows of the one execution over `(from, to]`.
fn once(
    rule: &Rule,
    rule_type: &RuleType,
    from: Option<Millis>,
    to: Option<Millis>,
) -> Result<Bounds, TailError> {
    let inclusive = if rule_type.excludes_from() { from } else { from.map(|it| it.saturating_add(1)) };
    let history = match (rule_type.history_window_start(), from) {
        (Some(math), Some(from)) => {
            let start = math.millis_at(from);
            if start >= from {
                return Err(TailError::History { history: math.to_string(), from: rule.from.to_string() });
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
    use ecs::date::DateMath;
    use rule::{AlertSuppression, MissingFields, NewTerms, RuleKind};

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
        match Tail::new(&rule, mode, &Catalog::ecs()) {
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
            refusal(
                |it| it.kind = RuleKind::MachineLearning { anomaly_threshold: 1, job_ids: Vec::new() },
                replay
            ),
            "DET001 rules of type `machine_learning` cannot be executed yet"
        );
        for (fields, code) in [
            (&[][..], "DET011"),
            (&["a", "b", "c", "d", "e", "f"], "DET011"),
            (&["a", "user"], "DET012"),
            (&["a", "b", "c", "d", "e"], "accepted"),
        ] {
            for kind in [RuleKind::Query, new_terms(1, "now-7d")] {
                let suppression = AlertSuppression {
                    group_by: fields.iter().map(|it| (*it).to_owned()).collect(),
                    duration: None,
                    missing_fields: MissingFields::Suppress,
                };
                let change = |it: &mut Rule| {
                    (it.kind, it.alert_suppression) = (kind.clone(), Some(suppression.clone()));
                };
                let verdict = refusal(change, replay);
                assert!(verdict.starts_with(code), "{fields:?} {verdict}");
            }
        }
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
