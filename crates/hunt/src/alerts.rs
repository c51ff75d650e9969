//! The alerts of a hunt, with the records they are about.

use std::collections::{BTreeMap, HashMap};

use detect::AlertSeed;
use ecs::{Catalog, Millis, Object};
use reader::{Input, RecordKind};

use crate::Progress;
use crate::events::DocumentBuilder;
use crate::run::{Found, HuntOptions};
use crate::scan::{RawRecord, Visit, Which, scan};

/// The records that the alerts are about: their texts, which are a tenth of the documents made of them.
#[derive(Debug)]
pub(crate) struct Evidence {
    records: HashMap<detect::Origin, Kept>,
    normalise: cloudtrail::Options,
    now: Millis,
    version: &'static str,
}

/// One record.
#[derive(Debug)]
struct Kept {
    kind: RecordKind,
    text: Box<[u8]>,
}

impl Evidence {
    /// Reads the records of the alerts again.
    pub(crate) fn read<'a>(
        seeds: impl Iterator<Item = &'a AlertSeed>,
        inputs: &[Input],
        options: &HuntOptions,
        read: &reader::Options,
        progress: &Progress,
    ) -> Self {
        let mut wanted: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for seed in seeds {
            wanted.entry(seed.event.origin.input).or_default().push(seed.event.origin.ordinal);
        }
        let wanted: Vec<(Input, Vec<u64>)> = wanted
            .into_iter()
            .filter_map(|(input, mut ordinals)| {
                ordinals.sort_unstable();
                ordinals.dedup();
                inputs.get(input as usize).map(|input| (input.clone(), ordinals))
            })
            .collect();
        let (visitors, _) = scan(&Which::These(&wanted), read, options.threads, progress, Keeping::default);
        let records = visitors.into_iter().flat_map(|visitor| visitor.records).collect();
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
    records: HashMap<detect::Origin, Kept>,
}

impl Visit for Keeping {
    fn record(&mut self, record: RawRecord<'_>) {
        let origin = detect::Origin { input: record.input, ordinal: record.ordinal };
        self.records.insert(origin, Kept { kind: record.kind, text: record.text.into() });
    }

    fn problem(&mut self, _: reader::Problem) {
        // The first pass reported what cannot be read.
    }
}
