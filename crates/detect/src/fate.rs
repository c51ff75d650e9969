//! What became of an event that a rule matched.

use ecs::Millis;
use serde_json::Value;

use crate::collect::{EventInfo, EventRef, EventTable, Moved};
use crate::tail::EventTime;
use crate::term::TermId;

/// What became of an event that a rule matched. A new-terms rule has an answer for each of the event's terms.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It alerted.
    Alerted {
        /// The alert's id.
        id: String,
        /// The start of the execution.
        execution: Millis,
        /// The new terms, or the values of its group, if the rule asks for such.
        terms: Vec<Value>,
    },
    /// It would alert, but the alert exists already.
    Known {
        /// The alert's id.
        id: String,
    },
    /// It alerts, but lies outside the time that was asked for.
    NotAsked {
        /// The start of the execution that raises it.
        execution: Millis,
    },
    /// It lacks the rule's `timestamp_override`, and the rule does not fall back to `@timestamp`.
    Undated,
    /// It lies in no execution's range: it fell between two.
    Unseen,
    /// Another delivery of the event, which differs in time and was read first, stands for it.
    Copy,
    /// In none of the executions whose range it lies in does the condition hold that depends on their time.
    NotThen,
    /// It lacks a value of one of the rule's fields, or has more combinations of values than are looked at.
    NoTerm,
    /// It would alert, but another alert stands for it: that of a group it is in, or one that suppresses it.
    Suppressed {
        /// The alert's id.
        by: String,
        /// The start of the execution that counted it there.
        execution: Millis,
        /// The new terms, or the values of its group, if the rule asks for such.
        terms: Vec<Value>,
    },
    /// The executions whose range it lies in reached `max_signals` before it was its turn.
    Cut {
        /// The start of the first of them.
        execution: Millis,
        /// The new terms, if the rule asks for such.
        terms: Vec<Value>,
    },
    /// It was counted, but no execution counted enough of its group that no alert had counted before.
    Counted {
        /// The values that the rule groups by.
        terms: Vec<Value>,
        /// The start of the execution that counted the most.
        execution: Millis,
        /// How many events that were.
        count: u64,
        /// How many the rule asks for.
        value: u64,
        /// How many distinct values they had, and how many the rule asks for, if it does.
        cardinality: Option<(u64, u64)>,
    },
    /// The term had been seen within the history window.
    Seen {
        /// The term.
        terms: Vec<Value>,
        /// When, if that is known.
        at: Option<Millis>,
        /// By which event, if that is known: the first of those since which the term was never forgotten.
        by: Option<String>,
    },
    /// It is part of what would become a sequence, which did not.
    Stuck {
        /// How many events of it there were.
        step: usize,
        /// How many it takes.
        of: usize,
        /// Why there were no more.
        why: Stuck,
    },
    /// It is part of a sequence of which no execution sees the whole.
    Split,
    /// It became a row of a pipeline, of which none came out.
    Dropped {
        /// The command behind which no row was left, if it is known.
        command: Option<String>,
    },
    /// It is no event of a sequence, but one that ends them or must not be there.
    Against,
}

/// Why a sequence got no further.
#[derive(Clone, Debug, PartialEq)]
pub enum Stuck {
    /// There is no event of the next item.
    Waits,
    /// There is none of the item before.
    NothingBefore,
    /// That of the item before, or of the next one, has the same time and tiebreaker, so that neither follows the other.
    SameTime {
        /// Its `_id`.
        by: String,
        /// Which item it is of, from 0.
        item: usize,
    },
    /// The event of the next item came too late.
    TooLate {
        /// Its `_id`.
        by: String,
        /// How long after the first event.
        span: Millis,
        /// What is allowed.
        maxspan: Millis,
    },
    /// An event of `until` ended it.
    Until {
        /// Its `_id`.
        by: String,
    },
    /// A newer one took its place.
    Replaced {
        /// The `_id` of its last event.
        by: String,
    },
    /// An event was there that had to be missing.
    NotMissing,
    /// A sample has no event of this item with the same keys.
    NoneOf {
        /// Which item, from 0.
        item: usize,
    },
    /// What executions made of the events that they see has other events.
    OthersChosen,
}

impl Fate {
    /// The start of the execution that it speaks of.
    pub fn execution(&self) -> Option<Millis> {
        match self {
            Self::Alerted { execution, .. }
            | Self::Suppressed { execution, .. }
            | Self::NotAsked { execution }
            | Self::Cut { execution, .. }
            | Self::Counted { execution, .. } => Some(*execution),
            Self::Known { .. }
            | Self::Undated
            | Self::Unseen
            | Self::Copy
            | Self::NotThen
            | Self::NoTerm
            | Self::Stuck { .. }
            | Self::Split
            | Self::Dropped { .. }
            | Self::Against
            | Self::Seen { .. } => None,
        }
    }

    /// The terms that it speaks of.
    pub(crate) fn terms(&self) -> &[Value] {
        match self {
            Self::Alerted { terms, .. }
            | Self::Suppressed { terms, .. }
            | Self::Cut { terms, .. }
            | Self::Counted { terms, .. }
            | Self::Seen { terms, .. } => terms,
            Self::Known { .. }
            | Self::NotAsked { .. }
            | Self::Undated
            | Self::Unseen
            | Self::Copy
            | Self::NotThen
            | Self::NoTerm
            | Self::Stuck { .. }
            | Self::Split
            | Self::Dropped { .. }
            | Self::Against => &[],
        }
    }
}

/// An event of which more is kept, as one rule matched it.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) rule: usize,
    /// Which of the rule's filters matched.
    step: usize,
    /// `None` if the rule does not see it.
    pub(crate) seen: Option<EventTime>,
    pub(crate) at: EventTime,
    pub(crate) id: String,
    pub(crate) index: u32,
    /// The values of each of the filter's columns.
    pub(crate) values: Vec<Vec<TermId>>,
}

impl Watched {
    pub(crate) fn new(
        rule: usize,
        step: usize,
        seen: Option<EventTime>,
        info: &EventInfo<'_>,
        values: &[&[TermId]],
    ) -> Self {
        Self {
            rule,
            step,
            seen,
            at: seen.unwrap_or(EventTime { time: info.timestamp, fallback: false }),
            id: info.id.to_owned(),
            index: info.index,
            values: values.iter().map(|it| it.to_vec()).collect(),
        }
    }

    /// Which of the rule's filters matched.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// Gives the values the numbers of another collector.
    pub(crate) fn renumber(&mut self, moved: &mut Moved<'_>) {
        for (column, ids) in self.values.iter_mut().enumerate() {
            for id in ids {
                *id = moved.value(self.step, column, *id);
            }
        }
    }

    /// Whether it is this event of the table, or another delivery of it.
    pub(crate) fn is(&self, events: &EventTable, event: EventRef) -> bool {
        events.index(event) == self.index && events.id(event, &mut [0; 36]) == self.id
    }
}
