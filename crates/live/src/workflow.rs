//! What people do with alerts.

use ecs::Millis;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use serde_json::{Value, json};

/// The kind of the labels that say who looks after an alert,
pub(crate) const ASSIGNEES: i64 = 0;
/// and of those that are its tags.
pub(crate) const TAGS: i64 = 1;

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkflowStatus {
    /// Nobody has said anything.
    Open,
    /// Somebody looks at it.
    Acknowledged,
    /// It is done with.
    Closed,
}

impl WorkflowStatus {
    /// All.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    /// The word in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }

    /// That of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Acknowledged => 1,
            Self::Closed => 2,
        }
    }

    pub(crate) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Open,
            1 => Self::Acknowledged,
            _ => Self::Closed,
        }
    }
}

impl FromSql for WorkflowStatus {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::of)
    }
}

/// Why an alert was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingReason {
    /// What the rule looks for did not happen.
    FalsePositive,
    /// It happened, and was an attack.
    TruePositive,
    /// It happened, and was allowed.
    BenignPositive,
    /// Another alert tells the same.
    Duplicate,
    /// A machine closed it.
    AutomatedClosure,
    /// Something else.
    Other,
}

impl ClosingReason {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::FalsePositive,
        Self::TruePositive,
        Self::BenignPositive,
        Self::Duplicate,
        Self::AutomatedClosure,
        Self::Other,
    ];

    /// The word in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::TruePositive => "true_positive",
            Self::BenignPositive => "benign_positive",
            Self::Duplicate => "duplicate",
            Self::AutomatedClosure => "automated_closure",
            Self::Other => "other",
        }
    }

    /// That of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// What is done with alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody looks at them.
    Acknowledge,
    /// They are done with.
    Close {
        /// Why.
        reason: Option<ClosingReason>,
    },
    /// They are not done with.
    Reopen,
    /// People look after them, or do no longer.
    Assign {
        /// Who does.
        add: Vec<String>,
        /// Who does not.
        remove: Vec<String>,
    },
    /// They are marked.
    Tag {
        /// By these,
        add: Vec<String>,
        /// and no longer by these.
        remove: Vec<String>,
    },
    /// Something is said about them.
    Note(String),
}

impl Change {
    /// The word for it, as the log has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Close { .. } => "close",
            Self::Reopen => "reopen",
            Self::Assign { .. } => "assign",
            Self::Tag { .. } => "tag",
            Self::Note(_) => "note",
        }
    }

    /// What else is to be said of it.
    pub(crate) fn detail(&self) -> Value {
        match self {
            Self::Acknowledge | Self::Reopen => json!({}),
            Self::Close { reason } => json!({"reason": reason.map(ClosingReason::as_str)}),
            Self::Assign { add, remove } | Self::Tag { add, remove } => json!({"add": add, "remove": remove}),
            Self::Note(text) => json!({"text": text}),
        }
    }

    /// Why alerts are closed, if they are and somebody said so.
    pub(crate) const fn reason(&self) -> Option<ClosingReason> {
        match self {
            Self::Close { reason } => *reason,
            Self::Acknowledge | Self::Reopen | Self::Assign { .. } | Self::Tag { .. } | Self::Note(_) => None,
        }
    }

    /// What alerts have the status of afterwards, if it is about that.
    pub(crate) const fn status(&self) -> Option<WorkflowStatus> {
        match self {
            Self::Acknowledge => Some(WorkflowStatus::Acknowledged),
            Self::Close { .. } => Some(WorkflowStatus::Closed),
            Self::Reopen => Some(WorkflowStatus::Open),
            Self::Assign { .. } | Self::Tag { .. } | Self::Note(_) => None,
        }
    }
}

/// Something that was done with an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Millis,
    /// By whom.
    pub author: String,
    /// What: the word of a [`Change`].
    pub what: String,
    /// What else there is to say.
    pub detail: Value,
}
