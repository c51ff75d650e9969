//! Alerts of a hunt as what investigations begin with.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use detect::AlertSeed;
use ecs::{Millis, Object};
use investigate::{Raised, Subject};
use rule::{Rule, Severity};
use serde_json::Value;

use crate::alerts::Alert;
use crate::run::Found;

/// So many alerts are investigated at once, if nothing else is asked for.
pub const ALERTS_MAX: usize = 200;

/// Which alerts are to be investigated.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one whose id begins so.
    Alert(String),
    /// Those of this severity and above.
    From(Severity),
    /// Those of the rule with this id.
    Rule(String),
}

/// Alerts of a hunt as subjects, and what an exception could look at in all of them.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    /// Those to be investigated.
    pub subjects: Vec<Subject>,
    /// Of all alerts of the subjects' rules.
    pub raised: Vec<Raised>,
    /// How many would have been picked without the limit.
    pub total: usize,
}

/// The alerts to investigate, at most so many, the most severe first; and of all alerts of their rules what an exception could
/// look at. Of the other alerts nothing is made: there may be very many.
pub fn pick(found: &Found, which: &Which, most: usize, now: Millis) -> Picked {
    let mut chosen = chosen(found, which);
    let total = chosen.len();
    // The most severe are kept, and of equal ones the first.
    chosen.sort_by_key(|it| std::cmp::Reverse(it.severity));
    chosen.truncate(most);
    let places: HashMap<&str, usize> = chosen.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
    let is_chosen = |_: &Rule, seed: &AlertSeed| places.contains_key(seed.id.as_str());
    let make = |alert: &mut Alert<'_, '_>| alert.subject();
    let mut subjects: Vec<Subject> = found.alerts_where(&is_chosen, &[], make, |all| all.collect());
    subjects.sort_by_key(|it| places.get(it.id.as_str()).copied());
    Picked { raised: raised(found, &subjects, now), subjects, total }
}

/// An alert that is to be investigated.
struct Chosen<'f> {
    id: &'f str,
    severity: Severity,
}

/// Those that are asked for, in the order of alerts.
fn chosen<'f>(found: &'f Found, which: &Which) -> Vec<Chosen<'f>> {
    let is_asked = |rule: &Rule, seed: &AlertSeed| match which {
        Which::Alert(id) => seed.id.starts_with(id.as_str()),
        Which::Rule(id) => rule.rule_id == *id,
        Which::From(least) => !rule.severity_mapping.is_empty() || rule.severity >= *least,
    };
    // Only where the event decides how severe an alert is, it is looked at.
    let depends = |rule: &Rule, seed: &AlertSeed| !rule.severity_mapping.is_empty() && is_asked(rule, seed);
    let severity = |alert: &mut Alert<'_, '_>| {
        let said = alert.brief();
        let said = said.get("kibana.alert.severity").and_then(Value::as_str).and_then(Severity::from_name);
        (alert.seed().id.clone(), said)
    };
    let severities: HashMap<String, Option<Severity>> =
        found.alerts_where(&depends, &["@timestamp"], severity, |all| all.collect());
    let mut all: Vec<(&Rule, &AlertSeed)> = Vec::new();
    for ran in &found.rules {
        let asked = ran.outcome.alerts.iter().filter(|seed| is_asked(&ran.rule, seed));
        all.extend(asked.map(|seed| (&*ran.rule, seed)));
    }
    all.sort_by_key(|(rule, seed)| (seed.event.timestamp, &rule.rule_id, &seed.id));
    let one = |(rule, seed): (&'f Rule, &'f AlertSeed)| Chosen {
        id: &seed.id,
        severity: severities.get(&seed.id).copied().flatten().unwrap_or(rule.severity),
    };
    let mut chosen: Vec<Chosen<'f>> = all.into_iter().map(one).collect();
    match which {
        // An id that is given whole is meant alone, though others may begin so.
        Which::Alert(id) if chosen.iter().any(|it| it.id == id) => chosen.retain(|it| it.id == id),
        Which::From(least) => chosen.retain(|it| it.severity >= *least),
        Which::Alert(_) | Which::Rule(_) => {}
    }
    chosen
}

impl Alert<'_, '_> {
    /// What an investigation of it begins with.
    pub fn subject(&mut self) -> Subject {
        let document = self.document().to_object();
        let mut anchors = Vec::new();
        for block in self.blocks() {
            let block = block.to_object();
            anchors.push((ancestor(&block), block));
        }
        if anchors.is_empty() && ecs::document::lookup(&document, "kibana.alert.threshold_result").is_none() {
            anchors.push((ancestor(&document), document.clone()));
        }
        Subject { id: self.seed().id.clone(), document, anchors, rule: Some(Arc::clone(self.rule())) }
    }
}

/// What an exception could look at in all alerts of the rules whose alerts are investigated.
fn raised(found: &Found, subjects: &[Subject], now: Millis) -> Vec<Raised> {
    let rules: HashSet<&str> =
        subjects.iter().filter_map(|it| it.rule.as_deref()).map(|it| it.rule_id.as_str()).collect();
    let is_of_them = |rule: &Rule, _: &AlertSeed| rules.contains(rule.rule_id.as_str());
    let one = |alert: &mut Alert<'_, '_>| {
        let rule_id = &alert.rule().rule_id;
        let blocks: Vec<(String, Object)> =
            alert.blocks().iter().map(|it| it.own().clone()).map(|block| (ancestor(&block), block)).collect();
        if blocks.is_empty() {
            let brief = alert.brief();
            return investigate::raised(rule_id, std::iter::once(("", brief.own())), now);
        }
        investigate::raised(rule_id, blocks.iter().map(|(id, it)| (id.as_str(), it)), now)
    };
    let paths: Vec<&str> = investigate::paths_of_raised().collect();
    found.alerts_where(&is_of_them, &paths, one, |all| all.flatten().collect())
}

/// The `_id` of the event that an alert's document is made of.
fn ancestor(document: &Object) -> String {
    let ancestors = ecs::document::list(ecs::document::lookup(document, "kibana.alert.ancestors"));
    let first = ancestors.iter().find(|it| it.get("depth").and_then(Value::as_i64) == Some(0));
    let id = first.or(ancestors.first()).and_then(|it| it.get("id")).and_then(Value::as_str);
    id.unwrap_or_default().to_owned()
}
