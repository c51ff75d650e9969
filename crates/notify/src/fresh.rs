//! What is new in the book of alerts.

use ecs::{Millis, Object};

/// How far the book was read. What is there when notifications begin is told to nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursors {
    /// Alerts, by number.
    pub alerts: i64,
    /// Slots in which alerts came to stand for more.
    pub suppressed: i64,
    /// What people did, by number.
    pub audit: i64,
    /// Slots whose executions were looked at.
    pub slots: i64,
    /// Gaps, by number.
    pub gaps: i64,
}

impl Cursors {
    /// Their names and values, as they are kept.
    pub(crate) fn named(&mut self) -> [(&'static str, &mut i64); 5] {
        let Self { alerts, suppressed, audit, slots, gaps } = self;
        [("alerts", alerts), ("suppressed", suppressed), ("audit", audit), ("slots", slots), ("gaps", gaps)]
    }
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was raised.
    Raised,
    /// It stands for more.
    Suppressed,
    /// It was closed.
    Closed,
}

/// An alert to which something happened.
#[derive(Clone, Debug)]
pub struct FreshAlert {
    /// Its document.
    pub document: Object,
    /// What happened.
    pub happened: Happened,
    /// Whether somebody silenced it.
    pub is_silenced: bool,
}

/// What is to be known of detection itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Something is not well: told once, until it is over.
    Bad {
        /// What it is about.
        key: String,
        /// What is to be told.
        text: String,
    },
    /// It is over.
    Good {
        /// What it was about.
        key: String,
    },
    /// Something happened.
    Once {
        /// What is to be told.
        text: String,
    },
}

/// What is new.
#[derive(Clone, Debug, Default)]
pub struct Fresh {
    /// Alerts, in the order in which it happened.
    pub alerts: Vec<FreshAlert>,
    /// What is to be known of detection itself, with its time.
    pub health: Vec<(Millis, Health)>,
    /// How far the book was read for this.
    pub cursors: Cursors,
}

/// What was made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Messages that wait to be sent.
    pub deliveries: u64,
    /// What is held until a throttle is over.
    pub held: u64,
    /// What was left out: somebody silenced it, or a rule's action is for other hours.
    pub left_out: u64,
}
