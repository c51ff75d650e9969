//! Writes the alerts of one execution.

use std::collections::HashSet;

use serde_json::Value;

use crate::KnownAlerts;
use crate::Metrics;
use crate::collect::{EventRef, Matches};
use crate::outcome::{AlertSeed, Execution, SeedEvent};
use crate::rule_type::{Detail, Sequence, shell_id};
use crate::suppression::{Candidate, Group, Suppressor};
use crate::tail::Mode;

/// What became of an alert that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was created.
    Created,
    /// It exists already and does not use up the budget.
    Duplicate,
    /// Another alert stands for it.
    Suppressed,
    /// It is beyond the budget: nothing more is created by this execution.
    Full,
}

impl Written {
    /// Whether there is an alert with its id: nothing more can come of it.
    pub(crate) const fn is_there(self) -> bool {
        match self {
            Self::Created | Self::Duplicate => true,
            Self::Suppressed | Self::Full => false,
        }
    }
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
    /// The most alerts of an execution,
    pub(crate) limit: u32,
    /// and how many of them are left.
    pub(crate) budget: u32,
    pub(crate) truncated: bool,
    /// If alerts alike suppress one another.
    pub(crate) suppressor: Option<&'a mut Suppressor>,
    /// Alerts that this execution suppressed.
    pub(crate) suppressed: u64,
}

impl Writer<'_> {
    /// Creates the alert about `event` if it is new and the budget allows it.
    pub(crate) fn offer(&mut self, event: EventRef, detail: Detail) -> Written {
        self.create(self.candidate(event, detail, None))
    }

    /// The alert about `event`.
    pub(crate) fn candidate(&self, event: EventRef, detail: Detail, group: Option<Group>) -> Candidate {
        let event = self.seed(event);
        let id = detail.alert_id(&event.index, &event.id, self.space_and_rule);
        Candidate { id, event, detail, group }
    }

    /// There is more to say than the limit allows.
    pub(crate) fn cut_off(&mut self) {
        self.truncated = true;
    }

    /// The alerts about a sequence, one event a stage or none.
    pub(crate) fn candidate_sequence(
        &self,
        events: Vec<Option<EventRef>>,
        join_keys: Vec<Value>,
        group: Option<Group>,
    ) -> Option<Candidate> {
        let table = &self.matches.events;
        let newest = events.iter().copied().flatten().max_by_key(|&it| table.timestamp(it))?;
        let events = events.into_iter().map(|it| it.map(|it| self.seed(it)));
        let sequence = Sequence::new(events.collect(), join_keys, self.rule());
        let id = shell_id(&sequence, self.rule());
        Some(Candidate { id, event: self.seed(newest), detail: Detail::Sequence(Box::new(sequence)), group })
    }

    /// The object id of the rule.
    pub(crate) fn rule(&self) -> &str {
        self.space_and_rule.split_once(':').map_or(self.space_and_rule, |(_, rule)| rule)
    }

    pub(crate) fn seed(&self, event: EventRef) -> SeedEvent {
        let events = &self.matches.events;
        SeedEvent {
            id: events.id(event, &mut [0; 36]).to_owned(),
            index: events.index_name(event).to_owned(),
            timestamp: events.timestamp(event),
            origin: events.origin(event),
        }
    }

    /// Creates the alert if it is new and the budget allows it.
    pub(crate) fn create(&mut self, candidate: Candidate) -> Written {
        let Candidate { id, event, detail, group } = candidate;
        let is_asked_for = self.mode.selects(event.timestamp);
        let is_known = self.known.contains(&id);
        if is_known && self.others.is_none() {
            self.metrics.known += u64::from(is_asked_for);
            return Written::Duplicate;
        }
        if self.created.contains(&id) {
            return Written::Duplicate;
        }
        if !is_known && self.budget == 0 {
            self.truncated = true;
            return Written::Full;
        }
        self.created.insert(id.clone());
        if let Some(group) = &group {
            self.raised(&id, group);
        }
        let now = self.execution.started_at;
        let suppressed = group.map(|it| Box::new(it.says(now)));
        let count = suppressed.as_ref().map_or(0, |it| it.docs_count);
        let seed = AlertSeed { id, event, execution: self.execution, detail, suppressed };
        if is_known {
            self.metrics.known += u64::from(is_asked_for);
            self.pass_on(seed);
            return Written::Duplicate;
        }
        self.budget -= 1;
        if is_asked_for {
            self.metrics.suppressed += count;
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
