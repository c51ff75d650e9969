//! What is told of executions.

use ecs::{Millis, Object};
use rule::Severity;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};

/// Why executions took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They were due.
    Scheduled,
    /// They filled a gap, or somebody asked for them.
    Manual,
}

impl Kind {
    /// The word in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
        }
    }
}

impl FromSql for Kind {
    /// Of the column `slots.turn`.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(if value.as_i64()? == 0 { Self::Scheduled } else { Self::Manual })
    }
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should.
    Succeeded,
    /// There is something to know about it.
    Warning,
    /// It could not be executed.
    Failed,
}

impl Status {
    /// The words for it, as Elastic's API has them.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Warning => "partial failure",
            Self::Failed => "failed",
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Succeeded => 0,
            Self::Warning => 1,
            Self::Failed => 2,
        }
    }

    pub(crate) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Succeeded,
            1 => Self::Warning,
            _ => Self::Failed,
        }
    }
}

/// What came of the executions of a slot.
#[derive(Clone, Debug)]
pub struct SlotReport {
    /// When they were due.
    pub slot: Millis,
    /// When they started.
    pub started: Millis,
    /// They saw what had been ingested until then.
    pub seen: Millis,
    /// Why they took place.
    pub kind: Kind,
    /// One a rule.
    pub executions: Vec<ExecutionReport>,
    /// What was raised and did not exist before, in the order of the events' times.
    pub alerts: Vec<NewAlert>,
    /// The ids of earlier alerts that stand for more now.
    pub suppressed: Vec<String>,
}

/// What came of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionReport {
    /// The rule's `rule_id`.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// When it was due.
    pub slot: Millis,
    /// How it ended.
    pub status: Status,
    /// What is to be known of it, each with its code.
    pub messages: Vec<String>,
    /// Alerts that it raised.
    pub alerts: u64,
    /// What it suppressed.
    pub suppressed: u64,
    /// What it would have raised if it did not exist already.
    pub known: u64,
}

/// An alert that was raised.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// Its id.
    pub id: String,
    /// The `rule_id` of its rule.
    pub rule_id: String,
    /// How severe it is.
    pub severity: Severity,
    /// Its document.
    pub document: Object,
    /// The silence that it was raised in: nobody wants to hear of it.
    pub silence: Option<i64>,
}
