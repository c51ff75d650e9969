//! A message to a receiver.

use ecs::Millis;
use serde_json::Value;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An alert.
    Alert,
    /// Alerts.
    Summary,
    /// An alert that was told, and stands for more.
    Suppressed,
    /// An alert that was told, and is closed.
    Closed,
    /// What is to be known of detection itself.
    Health,
    /// A test.
    Test,
}

impl What {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Summary => "summary",
            Self::Suppressed => "suppressed",
            Self::Closed => "closed",
            Self::Health => "health",
            Self::Test => "test",
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Alert => 0,
            Self::Summary => 1,
            Self::Suppressed => 2,
            Self::Closed => 3,
            Self::Health => 4,
            Self::Test => 5,
        }
    }

    pub(crate) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Alert,
            1 => Self::Summary,
            2 => Self::Suppressed,
            3 => Self::Closed,
            4 => Self::Health,
            _ => Self::Test,
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its place in the order.
    pub number: i64,
    /// The same however often it is tried: who gets it twice can tell.
    pub id: String,
    /// Who gets it.
    pub receiver: String,
    /// Why: a notification of the configuration, or a rule's action.
    pub route: String,
    /// What it is.
    pub what: What,
    /// What a rule's action says of it.
    pub params: Option<Value>,
    /// When it was made.
    pub made: Millis,
    /// How often it was tried.
    pub attempts: u32,
    /// What was said the last time.
    pub error: Option<String>,
    /// What it tells of, in order.
    pub items: Vec<Item>,
}

/// What a message tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The alert's id; nothing if it is about something else.
    pub alert: Option<String>,
    /// The `rule_id` of its rule.
    pub rule_id: String,
    /// The rule's name.
    pub rule: String,
    /// How severe it is.
    pub severity: String,
    /// When it happened.
    pub time: Millis,
    /// All of it in a line.
    pub line: String,
}
