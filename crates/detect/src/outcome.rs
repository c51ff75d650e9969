//! What the executions of a rule came to.

use std::fmt;

use ecs::date::to_iso;
use ecs::{Millis, Origin};

use crate::rule_type::{COMBINATIONS_MAX, Detail, JOIN_KEYS_MAX, SEQUENCES_BEGUN_MAX};
use crate::slots::SLOTS_AFTER_LAST_ALERT_MAX;
use crate::suppression::Suppressed;

/// What the executions of one rule came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// In the order of creation: by execution, then as the rule's type has it.
    pub alerts: Vec<AlertSeed>,
    /// How many executions there were.
    pub executions: Executions,
    /// In the order they arose.
    pub warnings: Vec<Warning>,
    /// What was counted.
    pub metrics: Metrics,
}

/// An alert before its document is built.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertSeed {
    /// The alert's id.
    pub id: String,
    /// The event it is about; of a sequence the newest. What a threshold rule counted takes its place: it has an id, and the
    /// time of its newest event, and was read nowhere.
    pub event: SeedEvent,
    /// The execution that raised it.
    pub execution: Execution,
    /// What only its rule type has.
    pub detail: Detail,
    /// What it says of those that it stands for, if alerts of the rule suppress one another.
    pub suppressed: Option<Box<Suppressed>>,
}

impl AlertSeed {
    /// The events it is about, in the order of the rule's query; none of what was counted.
    pub fn events(&self) -> impl Iterator<Item = &SeedEvent> {
        let (one, several) = match &self.detail {
            Detail::Event | Detail::NewTerms(_) => (Some(&self.event), None),
            Detail::Row(it) if it.is_of_event => (Some(&self.event), None),
            Detail::Threshold(_) | Detail::Row(_) => (None, None),
            Detail::Sequence(it) => (None, Some(it.present().map(|it| &it.event))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl AlertSeed {
    /// The alerts of the same hunt that it stands on, if it is one of a rule over alerts.
    pub fn alerts(&self) -> Vec<Origin> {
        match &self.detail {
            Detail::Threshold(it) => it.alerts.clone(),
            Detail::Row(it) if !it.is_of_event => it.alerts.clone(),
            Detail::Event | Detail::NewTerms(_) | Detail::Sequence(_) | Detail::Row(_) => {
                self.events().map(|it| it.origin).filter(|it| it.is_alert()).collect()
            }
        }
    }
}

/// The event an alert is about; its document is built from the record at `origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedEvent {
    /// The `_id`.
    pub id: String,
    /// The `_index`.
    pub index: String,
    /// The `@timestamp`.
    pub timestamp: Millis,
    /// Where it was read from.
    pub origin: Origin,
}

/// One simulated execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Execution {
    /// When.
    pub started_at: Millis,
    /// Where its range begins.
    pub from: Millis,
    /// Where its range ends.
    pub to: Millis,
}

/// How many executions there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Executions {
    /// That could look at an event that was asked for: those of the schedule up to the last event, and later ones that
    /// had something to say.
    pub total: u64,
    /// Of these, that could say something new; the others are known to say nothing.
    pub run: u64,
}

/// What was counted over all executions of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Events that the rule's filter let through.
    pub matched: u64,
    /// Of these, copies of events that were delivered several times; `None` where the type does not tell them
    /// apart because they make no difference.
    pub copies: Option<u64>,
    /// Distinct values, or combinations of values, of a new-terms rule.
    pub terms: Option<u64>,
    /// Alerts that existed already.
    pub known: u64,
    /// Executions that reached the limit of alerts.
    pub truncated: u64,
    /// What was suppressed in favour of alerts: alerts, of a query rule events.
    pub suppressed: u64,
}

/// Something to know about the executions of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The start of the execution; `None` if it concerns all.
    pub execution: Option<Millis>,
    /// What.
    pub kind: WarningKind,
}

/// What a [`Warning`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// There was more to say than `max_signals` allows.
    AlertLimit,
    /// `max_signals` is beyond what is configured.
    MaxSignals {
        /// The rule's value.
        max_signals: u32,
        /// What is configured.
        limit: u32,
    },
    /// Events with more combinations of values than are looked at.
    Combinations {
        /// How many events.
        events: u64,
        /// How many combinations were left out.
        combinations: u64,
        /// The time and `_id` of the first such event.
        first: Option<(Millis, String)>,
    },
    /// Events with more join keys than are looked at.
    JoinKeys {
        /// How many events.
        events: u64,
        /// How many join keys were left out.
        keys: u64,
        /// The time and `_id` of the first such event.
        first: (Millis, String),
    },
    /// More sequences were begun at a time than are kept.
    Sequences {
        /// How many were given up, the oldest first.
        given_up: u64,
        /// When it happened first, by the events.
        at: Millis,
    },
    /// Events that lack the rule's `timestamp_override`, where it does not fall back to `@timestamp`.
    Undated {
        /// The field.
        field: String,
        /// How many events.
        events: u64,
        /// How many have it.
        seen: u64,
    },
    /// The data reach less far back than the history window of the rule: what is new is new in them only.
    ShortHistory {
        /// How long the history window is.
        history: Millis,
        /// How long the data are.
        data: Millis,
    },
    /// What the rows of a pipeline lack, or why it was stopped.
    Pipeline {
        /// In the words of the pipeline.
        message: String,
    },
    /// Executions look back less far than they lie apart.
    Unsearched {
        /// How far apart executions lie.
        interval: Millis,
        /// The most that one looks at.
        searched: Millis,
    },
    /// What came before the data that were read could have been cut off, and taken up by the executions asked for.
    UncertainStart,
    /// A rule over alerts goes on alerting long after the last alert of a rule over events.
    Endless,
    /// Alerts were raised, or not, of which it is not known what was raised shortly before the data that were read.
    UncertainSuppression {
        /// How long an alert suppresses others.
        duration: Millis,
    },
}

impl WarningKind {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlertLimit => "DETW01",
            Self::MaxSignals { .. } => "DETW02",
            Self::Combinations { .. } => "DETW03",
            Self::ShortHistory { .. } => "DETW04",
            Self::UncertainStart => "DETW05",
            Self::Undated { .. } => "DETW06",
            Self::JoinKeys { .. } => "DETW10",
            Self::Sequences { .. } => "DETW11",
            Self::Endless => "DETW15",
            Self::Unsearched { .. } => "DETW16",
            Self::UncertainSuppression { .. } => "DETW12",
            Self::Pipeline { .. } => "DETW17",
        }
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The sentence that Kibana's users know.
            Self::AlertLimit => f.write_str(
                "This rule reached the maximum alert limit for the rule execution. Some alerts were not created.",
            ),
            Self::MaxSignals { max_signals, limit } => write!(
                f,
                "The rule's maximum of alerts for an execution ({max_signals}) is greater than the limit that is \
                 configured ({limit}). An execution creates {limit} alerts at most."
            ),
            Self::Combinations { events, combinations, first } => {
                write!(
                    f,
                    "{events} events hold more than {COMBINATIONS_MAX} combinations of values of the fields that the \
                     rule groups by, or whose new terms it asks for; {combinations} combinations were not looked at."
                )?;
                match first {
                    Some((time, id)) => write!(f, " The first is {id} at {}.", to_iso(*time)),
                    None => Ok(()),
                }
            }
            Self::JoinKeys { events, keys, first: (time, id) } => write!(
                f,
                "{events} events have more than {JOIN_KEYS_MAX} combinations of values of the fields in `by`; {keys} \
                 combinations were not looked at, so sequences of these may be missing. The first is {id} at {}.",
                to_iso(*time)
            ),
            Self::Sequences { given_up, at } => write!(
                f,
                "More than {SEQUENCES_BEGUN_MAX} sequences were begun at a time, first at {}; {given_up} of them, the \
                 oldest, were given up, so alerts may be missing. A shorter `maxspan`, or a stricter first item, needs \
                 fewer.",
                to_iso(*at)
            ),
            Self::Undated { field, events, seen } => write!(
                f,
                "Of {} events that its query lets through, {events} have no `{field}`: the rule tells time by that and \
                 does not fall back to @timestamp (`timestamp_override_fallback_disabled`), so it does not see them.",
                events + seen
            ),
            Self::ShortHistory { history, data } => write!(
                f,
                "The data cover {}, less than the history of {} that the rule compares with: what is new is new in \
                 the data, and may have been seen before.",
                lasting(*data),
                lasting(*history)
            ),
            Self::Unsearched { interval, searched: 0 } => write!(
                f,
                "The rule runs every {} and never looks at anything: its range (`from`, `to`) ends before it begins.",
                lasting(*interval)
            ),
            Self::Unsearched { interval, searched } => write!(
                f,
                "The rule runs every {} and looks at {} each time (`from`, `to`): events in between are never searched, and \
                 raise no alert.",
                lasting(*interval),
                lasting(*searched)
            ),
            Self::Endless => write!(
                f,
                "The rule still alerted {SLOTS_AFTER_LAST_ALERT_MAX} executions after the last alert of a rule over events: \
                 its own alerts keep it going. Those after that were left out of what rules over alerts see. Its query \
                 should leave out its own alerts (`not kibana.alert.rule.rule_id: …`)."
            ),
            Self::Pipeline { message } => f.write_str(message),
            Self::UncertainStart => f.write_str(
                "Every execution before the time that was asked for reached the maximum of alerts, so it is not known \
                 what it left to the first ones asked for. Give an earlier start to be sure.",
            ),
            Self::UncertainSuppression { duration } => write!(
                f,
                "An alert suppresses those alike for {}, and for so long before some of those asked for there was \
                 always something to raise since the data that were read begin: so it is not known which of them are \
                 suppressed. Give an earlier start to be sure.",
                lasting(*duration)
            ),
        }
    }
}

/// A duration in the largest unit of which it has two.
fn lasting(millis: Millis) -> String {
    let units = [(86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1_000, "seconds")];
    match units.into_iter().find(|(unit, _)| millis >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", millis / unit),
        None => "a moment".to_owned(),
    }
}

/// The `@timestamp`s of the first and last event of all the data, whether a rule matched them or not. A rule with a
/// timestamp override adds what it matched, by the override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSpan {
    /// The first.
    pub first: Millis,
    /// The last.
    pub last: Millis,
    /// Earlier events may be missing, because they were not read; see [`Tail::reads_from`](crate::Tail::reads_from). `None` if
    /// nothing is missing.
    pub complete_from: Option<Millis>,
}
