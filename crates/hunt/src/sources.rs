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
pub(crate) enum Source {
    /// It was raised before, and is made again of its records.
    Raised {
        /// Its rule.
        rule: Arc<Rule>,
        /// What it is made of.
        seed: Arc<AlertSeed>,
        /// Which building block it is, if it is one.
        block: Option<usize>,
    },
    /// Its document was kept.
    Kept(Arc<KeptAlert>),
}

/// An alert whose document was kept, or one of its building blocks.
#[derive(Clone, Debug)]
pub struct KeptAlert {
    /// Its `_id`.
    pub id: String,
    /// The id of the alert that it is a building block of, and which of them, if it is one.
    pub block_of: Option<(String, usize)>,
    /// The start of the execution that raised it.
    pub raised: Millis,
    /// The time of the newest event that the alert is about.
    pub time: Millis,
    /// Its document, as it was raised.
    pub document: Object,
}

impl KeptAlert {
    /// A field under `kibana.alert`, as text.
    fn field(&self, name: &str) -> &str {
        ecs::alert::field(&self.document, name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Source {
    /// Its `_id`.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Raised { seed, block, .. } => {
                let block = block.and_then(|at| seed.sequence()?.present().nth(at));
                block.map_or(&seed.id, |it| &it.block_id)
            }
            Self::Kept(it) => &it.id,
        }
    }

    /// The start of the execution that raised it.
    pub(crate) fn raised(&self) -> Millis {
        match self {
            Self::Raised { seed, .. } => seed.execution.started_at,
            Self::Kept(it) => it.raised,
        }
    }

    /// What it is made of, if it has to be made.
    fn seed(&self) -> Option<&AlertSeed> {
        match self {
            Self::Raised { seed, .. } => Some(seed),
            Self::Kept(_) => None,
        }
    }

    /// The alerts that it stands on itself and that are needed to make it.
    pub(crate) fn alerts(&self) -> Vec<Origin> {
        self.seed().map(AlertSeed::alerts).unwrap_or_default()
    }

    /// The time of its event, the id of its rule, and its own, with that of the building block.
    fn order(&self) -> (Millis, &str, &str, Option<usize>) {
        match self {
            Self::Raised { rule, seed, block } => (seed.event.timestamp, &rule.rule_id, &seed.id, *block),
            Self::Kept(it) => {
                let of = it.block_of.as_ref();
                let id = of.map_or(&*it.id, |(id, _)| id);
                (it.time, it.field("rule.rule_id"), id, of.map(|(_, block)| *block))
            }
        }
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
                Some(source) => left.extend(source.seed()),
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
            let (rule, seed, block) = match sources.get(&origin.ordinal) {
                None => return Object::new(),
                Some(Source::Kept(it)) => return it.document.clone(),
                Some(Source::Raised { rule, seed, block }) => (rule, seed, block),
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
    all.sort_by_key(|it| it.order());
    let one = |it: &&Source| {
        let (name, severity) = match it {
            Source::Raised { rule, .. } => (rule.name.as_str(), rule.severity.as_str()),
            Source::Kept(it) => (it.field("rule.name"), it.field("severity")),
        };
        let (time, rule_id, ..) = it.order();
        json!({
            "id": it.id(),
            "rule_id": rule_id,
            "rule_name": name,
            "severity": severity,
            "raised": ecs::date::to_iso(it.raised()),
            "time": ecs::date::to_iso(time),
        })
    };
    (!all.is_empty()).then(|| all.iter().map(one).collect())
}
