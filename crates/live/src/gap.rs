//! What was not executed, or not over everything.

use ecs::Millis;

/// Why there is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing was executed for longer than is caught up with.
    Down,
    /// The rule was away.
    Disabled,
    /// It could not be executed.
    Failed,
    /// Events were ingested after the last execution that could have seen them.
    Late,
}

impl Reason {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
            Self::Late => "late events",
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Down => 0,
            Self::Disabled => 1,
            Self::Failed => 2,
            Self::Late => 3,
        }
    }

    pub(crate) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Down,
            1 => Self::Disabled,
            2 => Self::Failed,
            _ => Self::Late,
        }
    }
}

/// Slots of a rule that were not executed, or did not see everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule's `rule_id`.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// The first slot,
    pub from: Millis,
    /// and the last.
    pub to: Millis,
    /// Why.
    pub reason: Reason,
    /// How many events came too late.
    pub events: u64,
    /// When it was found.
    pub found: Millis,
    /// The next slot that is to be filled; none once all are.
    pub next: Option<Millis>,
}
