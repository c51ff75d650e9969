//! The alerts of a hunt, with the records they are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use detect::{AlertSeed, Origin};
use ecs::{Catalog, Millis, Object};
use reader::Input;

use crate::Progress;
use crate::events::DocumentBuilder;
use crate::keep::{Keeper, Kept};
use crate::run::{Found, HuntOptions};
use crate::scan::{RawRecord, Visit, Which, scan};

/// The records that the alerts are about: their texts, which are a tenth of the documents made of them.
#[derive(Debug)]
pub(crate) struct Evidence {
    records: HashMap<Origin, Kept>,
    normalise: cloudtrail::Options,
    now: Millis,
    version: &'static str,
}

impl Evidence {
    /// Picks the records of the alerts from what was kept, and reads the others again.
    pub(crate) fn gather<'a>(
        seeds: impl Iterator<Item = &'a AlertSeed>,
        kept: Vec<Keeper>,
        inputs: &[Input],
        options: &HuntOptions,
        read: &reader::Options,
        progress: &Progress,
    ) -> Self {
        let wanted: BTreeSet<Origin> = seeds.map(|seed| seed.event.origin).collect();
        let kept = kept.into_iter().flat_map(Keeper::into_records);
        let mut records: HashMap<Origin, Kept> = kept.filter(|(origin, _)| wanted.contains(origin)).collect();
        let mut missing: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for origin in wanted.iter().filter(|origin| !records.contains_key(origin)) {
            missing.entry(origin.input).or_default().push(origin.ordinal);
        }
        let missing: Vec<(Input, Vec<u64>)> = missing
            .into_iter()
            .filter_map(|(input, ordinals)| Some((inputs.get(input as usize)?.clone(), ordinals)))
            .collect();
        if !missing.is_empty() {
            let which = Which::These(&missing);
            let (visitors, _) = scan(&which, read, options.threads, progress, Keeping::default);
            records.extend(visitors.into_iter().flat_map(|visitor| visitor.records));
        }
        Self { records, normalise: options.normalise.clone(), now: options.now, version: options.version }
    }
}

impl Found {
    /// How many alerts there are.
    pub fn alert_count(&self) -> usize {
        self.rules.iter().map(|ran| ran.outcome.alerts.len()).sum()
    }

    /// The alerts' documents, by the time of their events, rule and id. Each is built when it is asked for: a rule's
    /// guide and parameters are in every one of them, and all of them together may not fit into memory.
    pub fn alerts(&self) -> impl Iterator<Item = Object> {
        let mut seeds: Vec<_> = self
            .rules
            .iter()
            .flat_map(|ran| ran.outcome.alerts.iter().map(move |seed| (&ran.rule, seed)))
            .collect();
        seeds.sort_by_key(|(rule, seed)| (seed.event.timestamp, &rule.rule_id, &seed.id));
        let Evidence { records, normalise, now, version } = &self.evidence;
        let mut builder = DocumentBuilder::new(normalise, *now);
        let catalog = Catalog::ecs();
        seeds.into_iter().map(move |(rule, seed)| {
            let origin = seed.event.origin;
            // A file that changed meanwhile was reported; its alert stands without its event.
            let event = records.get(&origin).and_then(|kept| {
                let raw = RawRecord {
                    input: origin.input,
                    ordinal: origin.ordinal,
                    kind: kept.kind,
                    id: None,
                    index: None,
                    text: &kept.text,
                };
                builder.build(&raw).ok()
            });
            let event = event.map_or_else(Object::new, |document| document.source);
            detect::build(seed, rule, event, detect::Context { catalog: &catalog, version })
        })
    }
}

/// One thread's part of reading the records again.
#[derive(Default)]
struct Keeping {
    records: Vec<(Origin, Kept)>,
}

impl Visit for Keeping {
    fn record(&mut self, record: RawRecord<'_>) {
        let origin = Origin { input: record.input, ordinal: record.ordinal };
        self.records.push((origin, Kept { kind: record.kind, text: record.text.into() }));
    }

    fn problem(&mut self, _: reader::Problem) {
        // The first pass reported what cannot be read.
    }
}
