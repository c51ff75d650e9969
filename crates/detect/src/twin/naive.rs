//! Executions by the book: every one of them, from a plain list of events.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use ecs::Millis;
use rule::{Rule, RuleKind};
use serde_json::Value;

use crate::{Detail, KnownAlerts, Origin, Suppressed, id};

/// One delivery of an event that the rule matches.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) index: u32,
    pub(super) timestamp: Millis,
    pub(super) over: Option<Millis>,
    pub(super) origin: Origin,
    /// The values of each field of the rule.
    pub(super) terms: Vec<Vec<String>>,
    /// What the rule's residue asks for.
    pub(super) created: Millis,
    /// The start of the first execution that could see it.
    pub(super) visible: Millis,
}

/// What the rule's residue says of an event that was created then.
pub(super) fn holds(now: Millis, created: Millis) -> bool {
    let age = now - created;
    age <= 3_600_000 || age > 7_200_000
}

/// The range of one execution; with `exclusive`, `from` itself is not in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) started_at: Millis,
    pub(super) from: Millis,
    pub(super) to: Millis,
    pub(super) history: Millis,
    pub(super) exclusive: bool,
}

impl Range {
    /// As the schedule has it.
    pub(super) fn scheduled(rule: &Rule, started_at: Millis) -> Self {
        let to = rule.to.millis_at(started_at);
        let history = match &rule.kind {
            RuleKind::NewTerms(it) => it.history_window_start.millis_at(to),
            _ => to,
        };
        Self { started_at, from: rule.from.millis_at(started_at), to, history, exclusive: false }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SaidAlert {
    pub(crate) execution: Millis,
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) timestamp: Millis,
    pub(crate) detail: Detail,
    pub(crate) suppressed: Option<Suppressed>,
}

/// All alerts, and the truncated executions.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) alerts: Vec<SaidAlert>,
    pub(super) truncated: Vec<Millis>,
}

/// What executions remember of those before them.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) said: Said,
    /// Alerts that would have been raised, but exist already.
    pub(super) existing: Vec<SaidAlert>,
    pub(super) created: HashSet<String>,
    pub(super) handled: BTreeSet<(Vec<String>, Origin)>,
    /// The alerts that suppress others, and of a query rule with groups the newest event that was counted for each.
    pub(super) raised: Vec<super::suppression::Raised>,
    pub(super) groups: BTreeMap<Vec<(bool, String)>, Millis>,
    /// Of a threshold rule: the newest event that was counted for each group, and what each alert counted.
    pub(super) history: BTreeMap<Vec<String>, Millis>,
    pub(super) counted: super::threshold::Counted,
}

pub(super) struct Naive<'a> {
    pub(super) rule: &'a Rule,
    pub(super) deliveries: &'a [Delivery],
    pub(super) indices: &'a [String],
    pub(super) known: &'a KnownAlerts,
    pub(super) budget: u32,
    pub(super) page: usize,
    pub(super) has_residue: bool,
}

impl Naive<'_> {
    pub(super) fn execute(&self, ranges: impl IntoIterator<Item = Range>) -> Said {
        let mut memory = Memory::default();
        for range in ranges {
            self.step(range, &mut memory);
        }
        memory.said
    }

    /// One execution after those that are remembered.
    pub(super) fn step(&self, range: Range, memory: &mut Memory) {
        if let RuleKind::Threshold(it) = &self.rule.kind {
            return self.count(it, range, memory);
        }
        let mut times = self.deliveries.iter().filter_map(|it| self.time(it));
        if !times.any(|time| range.from <= time && time <= range.to) {
            return;
        }
        if let Some(it) = &self.rule.alert_suppression {
            return self.suppress(it, range, memory);
        }
        let offers = match &self.rule.kind {
            RuleKind::NewTerms(_) => self.new_terms(range, &memory.handled),
            _ => self.query(range),
        };
        let mut budget = self.budget;
        for (id, delivery, detail, key) in offers {
            let (execution, origin) = (range.started_at, delivery.origin);
            let timestamp = delivery.timestamp;
            let alert = SaidAlert { execution, id: id.clone(), origin, timestamp, detail, suppressed: None };
            if self.known.contains(&id) || memory.created.contains(&id) {
                memory.handled.insert((key, delivery.origin));
                if memory.created.insert(id) {
                    memory.existing.push(alert);
                }
                continue;
            }
            if budget == 0 {
                memory.said.truncated.push(range.started_at);
                break;
            }
            budget -= 1;
            memory.handled.insert((key, delivery.origin));
            memory.created.insert(id);
            memory.said.alerts.push(alert);
        }
    }

    pub(super) fn is_match(&self, range: Range, delivery: &Delivery) -> bool {
        delivery.visible <= range.started_at
            && (!self.has_residue || holds(range.started_at, delivery.created))
    }

    pub(super) fn time(&self, delivery: &Delivery) -> Option<Millis> {
        if self.rule.timestamp_override.is_none() {
            return Some(delivery.timestamp);
        }
        delivery.over.or((!self.rule.timestamp_override_fallback_disabled).then_some(delivery.timestamp))
    }

    pub(super) fn space_and_rule(&self) -> String {
        format!("default:{}", self.rule.id)
    }

    pub(super) fn query(&self, range: Range) -> Vec<(String, &Delivery, Detail, Vec<String>)> {
        let mut events: BTreeMap<(&str, u32), &Delivery> = BTreeMap::new();
        for delivery in self.deliveries.iter().filter(|it| self.time(it).is_some()) {
            let event = events.entry((&delivery.id, delivery.index)).or_insert(delivery);
            if delivery.origin < event.origin {
                *event = delivery;
            }
        }
        let overridden = self.rule.timestamp_override.is_some();
        let mut found: Vec<_> = events
            .into_values()
            .filter(|it| self.is_match(range, it))
            .filter_map(|it| {
                let index = &self.indices[it.index as usize];
                Some((overridden && it.over.is_none(), self.time(it)?, it.timestamp, &it.id, index, it))
            })
            .filter(|&(_, time, ..)| {
                range.from <= time && time <= range.to && !(range.exclusive && range.from == time)
            })
            .collect();
        found.sort_by(|a, b| (a.0, a.1, a.2, a.3, a.4).cmp(&(b.0, b.1, b.2, b.3, b.4)));
        found
            .into_iter()
            .map(|(.., it)| {
                let id = id::event_alert(&self.indices[it.index as usize], &it.id, &self.space_and_rule());
                (id, it, Detail::Event, Vec::new())
            })
            .collect()
    }

    pub(super) fn new_terms(
        &self,
        range: Range,
        handled: &BTreeSet<(Vec<String>, Origin)>,
    ) -> Vec<(String, &Delivery, Detail, Vec<String>)> {
        let RuleKind::NewTerms(it) = &self.rule.kind else { unreachable!("it is one") };
        let fields = it.fields.len();
        let mut first_seen: BTreeMap<Vec<String>, Millis> = BTreeMap::new();
        let mut interval: BTreeMap<Vec<String>, Vec<(Millis, &Delivery)>> = BTreeMap::new();
        for delivery in self.deliveries {
            let Some(time) = self.time(delivery).filter(|_| self.is_match(range, delivery)) else { continue };
            for term in combinations(&delivery.terms[..fields]) {
                if range.history <= time && time <= range.to {
                    let first = first_seen.entry(term.clone()).or_insert(time);
                    *first = time.min(*first);
                }
                if range.from <= time && time <= range.to {
                    interval.entry(term).or_default().push((time, delivery));
                }
            }
        }
        let mut new: Vec<(Vec<String>, usize, &Delivery)> = Vec::new();
        for (term, events) in interval {
            if first_seen[&term] > range.from {
                let key = |&(time, it): &(Millis, &Delivery)| {
                    (time, it.timestamp, it.id.clone(), &self.indices[it.index as usize], it.origin)
                };
                let base = events.iter().min_by_key(|it| key(it)).unwrap().1;
                if !handled.contains(&(term.clone(), base.origin)) {
                    // However often an event was delivered, it is one.
                    let distinct: BTreeSet<_> =
                        events.iter().map(|(time, it)| (time, &it.id, it.index)).collect();
                    new.push((term, distinct.len(), base));
                }
            }
        }
        for page in new.chunks_mut(self.page) {
            if fields == 1 {
                page.sort_by_key(|&(_, count, _)| std::cmp::Reverse(count));
            }
        }
        new.into_iter()
            .map(|(term, _, base)| {
                let values: Vec<Value> = term.iter().map(|it| it.as_str().into()).collect();
                let index = &self.indices[base.index as usize];
                let id = id::new_terms_alert(index, &base.id, &self.space_and_rule(), &values);
                (id, base, Detail::NewTerms(values), term)
            })
            .collect()
    }
}

/// The Cartesian product, each combination once.
pub(super) fn combinations(terms: &[Vec<String>]) -> BTreeSet<Vec<String>> {
    terms.iter().fold(BTreeSet::from([Vec::new()]), |all, values| {
        all.iter()
            .flat_map(|it| values.iter().map(move |value| [&it[..], std::slice::from_ref(value)].concat()))
            .collect()
    })
}
