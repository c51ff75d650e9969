//! Writes the alerts of one execution.

use std::collections::HashSet;

use serde_json::Value;

use crate::KnownAlerts;
use crate::Metrics;
use crate::collect::{EventRef, Matches};
use crate::outcome::{AlertSeed, Execution, SeedEvent};
use crate::rule_type::{Detail, Sequence, shell_id};
use crate::tail::Mode;

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

/// Drops the alerts that exist, keeps to the budget, and keeps those that are asked for.
pub(crate) struct Writer<'a> {
    pub(crate) matches: &'a Matches,
    pub(crate) space_and_rule: &'a str,
    pub(crate) known: &'a KnownAlerts,
    /// The ids that this run of executions created.
    pub(crate) created: &'a mut HashSet<String>,
    pub(crate) alerts: &'a mut Vec<AlertSeed>,
    /// Those that are not asked for or exist already, if somebody wants them.
    pub(crate) others: Option<&'a mut Vec<AlertSeed>>,
    pub(crate) metrics: &'a mut Metrics,
    pub(crate) execution: Execution,
    /// Which alerts are asked for.
    pub(crate) mode: Mode,
    pub(crate) budget: u32,
    pub(crate) truncated: bool,
}

impl Writer<'_> {
    /// Creates the alert about `event` if it is new and the budget allows it.
    pub(crate) fn offer(&mut self, event: EventRef, detail: Detail) -> Written {
        let events = &self.matches.events;
        let (mut buffer, index) = ([0; 36], events.index_name(event));
        let event_id = events.id(event, &mut buffer);
        let id = detail.alert_id(index, event_id, self.space_and_rule);
        self.create(id, self.seed(event), detail)
    }

    /// The same of an alert about something that is no event of its own.
    pub(crate) fn offer_made(&mut self, made: SeedEvent, detail: Detail) -> Written {
        let id = detail.alert_id(&made.index, &made.id, self.space_and_rule);
        self.create(id, made, detail)
    }

    /// There is more to say than the limit allows.
    pub(crate) fn cut_off(&mut self) {
        self.truncated = true;
    }

    /// Creates the alerts about a sequence, one event a stage or none, if they are new and the budget allows it.
    pub(crate) fn offer_sequence(&mut self, events: Vec<Option<EventRef>>, join_keys: Vec<Value>) -> Written {
        let table = &self.matches.events;
        let newest = events.iter().copied().flatten().max_by_key(|&it| table.timestamp(it));
        let Some(newest) = newest else { return Written::Duplicate };
        let events = events.into_iter().map(|it| it.map(|it| self.seed(it)));
        let rule = self.space_and_rule.split_once(':').map_or(self.space_and_rule, |(_, rule)| rule);
        let sequence = Sequence::new(events.collect(), join_keys, rule);
        let id = shell_id(&sequence, rule);
        let newest = self.seed(newest);
        self.create(id, newest, Detail::Sequence(Box::new(sequence)))
    }

    fn seed(&self, event: EventRef) -> SeedEvent {
        let events = &self.matches.events;
        SeedEvent {
            id: events.id(event, &mut [0; 36]).to_owned(),
            index: events.index_name(event).to_owned(),
            timestamp: events.timestamp(event),
            origin: events.origin(event),
        }
    }

    fn create(&mut self, id: String, event: SeedEvent, detail: Detail) -> Written {
        let is_asked_for = self.mode.selects(event.timestamp);
        if self.known.contains(&id) {
            if self.others.is_none() {
                self.metrics.known += u64::from(is_asked_for);
            } else if self.created.insert(id.clone()) {
                self.metrics.known += u64::from(is_asked_for);
                self.pass_on(AlertSeed { id, event, execution: self.execution, detail });
            }
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
        let seed = AlertSeed { id, event, execution: self.execution, detail };
        if is_asked_for {
            self.alerts.push(seed);
        } else {
            self.pass_on(seed);
        }
        Written::Created
    }

    fn pass_on(&mut self, seed: AlertSeed) {
        if let Some(others) = &mut self.others {
            others.push(seed);
        }
    }
}
