//! One tail a rule type: what an execution makes of the matches in its range.

mod new_terms;
mod query;

use std::collections::HashSet;

use crate::collect::{EventRef, Matches};
use crate::outcome::{AlertSeed, Detail, Execution, SeedEvent};
use crate::schedule::{Ticks, Window};
use crate::{KnownAlerts, Metrics};

pub(crate) use new_terms::{NewTermsTail, TERMS_PAGE};
pub(crate) use query::QueryTail;

/// What one rule's executions do, one after the other. Each remembers what it has said, so that an execution
/// looks only at what is new, and knows which execution is the next that could say something.
pub(crate) trait Tail {
    /// The first execution, not before `tick`, that could create an alert.
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64>;

    /// Offers the alerts of this execution to the writer, in order, until it is full.
    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>);
}

/// What became of an alert that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was created.
    Created,
    /// It exists already and does not use up the budget.
    Duplicate,
    /// It is beyond the budget: nothing more is created by this execution.
    Full,
}

/// Writes the alerts of one execution: drops those that exist, keeps to the budget.
pub(crate) struct Writer<'a> {
    pub(crate) matches: &'a Matches,
    pub(crate) known: &'a KnownAlerts,
    /// The ids that this run of executions created.
    pub(crate) created: &'a mut HashSet<String>,
    pub(crate) alerts: &'a mut Vec<AlertSeed>,
    pub(crate) metrics: &'a mut Metrics,
    pub(crate) execution: Execution,
    pub(crate) budget: u32,
    pub(crate) truncated: bool,
}

impl Writer<'_> {
    /// Creates the alert `id` about `event` if it is new and the budget allows it.
    pub(crate) fn offer(
        &mut self,
        event: EventRef,
        id: impl FnOnce(&str, &str) -> (String, Detail),
    ) -> Written {
        let events = &self.matches.events;
        let (mut buffer, index) = ([0; 36], events.index_name(event));
        let event_id = events.id(event, &mut buffer);
        let (id, detail) = id(index, event_id);
        if self.known.contains(&id) {
            self.metrics.known += 1;
            return Written::Duplicate;
        }
        if self.created.contains(&id) {
            return Written::Duplicate;
        }
        if self.budget == 0 {
            self.truncated = true;
            return Written::Full;
        }
        self.budget -= 1;
        self.created.insert(id.clone());
        let event = SeedEvent {
            id: event_id.to_owned(),
            index: index.to_owned(),
            timestamp: events.timestamp(event),
            origin: events.origin(event),
        };
        self.alerts.push(AlertSeed { id, event, execution: self.execution, detail });
        Written::Created
    }
}
