//! The documents of alerts as trees, also of those that stand on other alerts of the hunt.

use std::collections::HashMap;
use std::sync::Arc;

use detect::{AlertSeed, Origin, RuleFields, Sequence};
use ecs::{Catalog, Layered, Millis, Object};
use rule::Rule;
use serde_json::{Value, json};
use sift::DocumentBuilder;

use crate::evidence::{Evidence, Window};

/// An alert that others stand on: all of it, or one building block of a sequence.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) rule: Arc<Rule>,
    pub(crate) seed: Arc<AlertSeed>,
    pub(crate) block: Option<usize>,
}

impl Source {
    /// Its `_id`.
    pub(crate) fn id(&self) -> &str {
        let block = self.block.and_then(|at| self.seed.sequence()?.present().nth(at));
        block.map_or(&self.seed.id, |it| &it.block_id)
    }
}

/// Alerts that others stand on, by the ordinals of their origins.
pub(crate) type Sources = HashMap<u64, Source>;

/// The places of the records that an alert comes from, through all alerts that it stands on.
pub(crate) fn records_of(seed: &AlertSeed, sources: &Sources) -> Vec<Origin> {
    let (mut records, mut left) = (Vec::new(), vec![seed]);
    while let Some(seed) = left.pop() {
        for event in seed.events() {
            match sources.get(&event.origin.ordinal).filter(|_| event.origin.is_alert()) {
                Some(source) => left.push(&source.seed),
                None => records.push(event.origin),
            }
        }
    }
    records
}

/// Builds documents.
pub(crate) struct Trees<'a> {
    evidence: &'a Evidence,
    catalog: Arc<Catalog>,
    version: &'static str,
    documents: DocumentBuilder,
    /// What the alerts of rules have in common, by the rules' object ids.
    fields: HashMap<String, RuleFields>,
}

impl<'a> Trees<'a> {
    pub(crate) fn new(
        evidence: &'a Evidence,
        normalise: &cloudtrail::Options,
        now: Millis,
        version: &'static str,
    ) -> Self {
        Self {
            evidence,
            catalog: Catalog::ecs(),
            version,
            documents: DocumentBuilder::new(normalise, now),
            fields: HashMap::new(),
        }
    }

    /// The document of an event, or of the alert that stands there for one. One that cannot be read any more was reported,
    /// and is empty.
    pub(crate) fn event(&mut self, origin: Origin, window: &Window, sources: &Sources) -> Object {
        if origin.is_alert() {
            let Some(Source { rule, seed, block }) = sources.get(&origin.ordinal) else {
                return Object::new();
            };
            let document = match block {
                Some(at) => self.blocks(rule, seed, window, sources).into_iter().nth(*at),
                None => Some(self.alert(rule, seed, window, sources)),
            };
            return document.map(|it| it.to_object()).unwrap_or_default();
        }
        let record = self.evidence.record(origin, window);
        let built = record.and_then(|record| self.documents.build(&record).ok());
        built.map_or_else(Object::new, |it| it.source)
    }

    /// An alert; of a sequence it is the shell.
    pub(crate) fn alert(
        &mut self,
        rule: &Rule,
        seed: &AlertSeed,
        window: &Window,
        sources: &Sources,
    ) -> Layered {
        if seed.sequence().is_some() {
            let blocks = self.blocks(rule, seed, window, sources);
            return detect::build_shell(seed, rule, self.fields(rule), &blocks);
        }
        let event = seed.events().next().map(|it| it.origin);
        let event = event.map_or_else(Object::new, |origin| self.event(origin, window, sources));
        let catalog = Arc::clone(&self.catalog);
        detect::build(seed, rule, self.fields(rule), event, &catalog)
    }

    /// The building blocks of a sequence, in order.
    pub(crate) fn blocks(
        &mut self,
        rule: &Rule,
        seed: &AlertSeed,
        window: &Window,
        sources: &Sources,
    ) -> Vec<Layered> {
        let events = seed.sequence().into_iter().flat_map(Sequence::present);
        let origins: Vec<Origin> = events.map(|it| it.event.origin).collect();
        let events = origins.into_iter().map(|it| self.event(it, window, sources)).collect();
        let catalog = Arc::clone(&self.catalog);
        detect::build_blocks(seed, rule, self.fields(rule), events, &catalog)
    }

    fn fields(&mut self, rule: &Rule) -> &RuleFields {
        let version = self.version;
        self.fields.entry(rule.id.clone()).or_insert_with(|| RuleFields::new(rule, version))
    }
}

/// Where an alert says which alerts of the same hunt it stands on.
pub(crate) const STANDS_ON: &str = "trailwarden.evidence.alerts";

/// The alerts that an alert stands on, in the order in which they were raised; nothing if it stands on events.
pub(crate) fn stands_on(seed: &AlertSeed, sources: &Sources) -> Option<Value> {
    let origins = seed.alerts();
    let mut all: Vec<&Source> = origins.iter().filter_map(|it| sources.get(&it.ordinal)).collect();
    all.sort_by_key(|it| (it.seed.event.timestamp, &it.rule.rule_id, &it.seed.id, it.block));
    let one = |it: &&Source| {
        json!({
            "id": it.id(),
            "rule_id": it.rule.rule_id,
            "rule_name": it.rule.name,
            "severity": it.rule.severity.as_str(),
            "raised": ecs::date::to_iso(it.seed.execution.started_at),
            "time": ecs::date::to_iso(it.seed.event.timestamp),
        })
    };
    (!all.is_empty()).then(|| all.iter().map(one).collect())
}
