//! The alerts of a hunt, with the records they are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};

use detect::{AlertSeed, Origin, RuleFields};
use ecs::{Catalog, Layered, Millis, Object};
use reader::Input;
use rule::Rule;
use sift::{DocumentBuilder, Record};

use crate::Progress;
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
    /// Threads that build documents.
    threads: usize,
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
        let HuntOptions { normalise, now, version, threads, .. } = options;
        Self { records, normalise: normalise.clone(), now: *now, version, threads: *threads }
    }
}

impl Found {
    /// How many alerts there are.
    pub fn alert_count(&self) -> usize {
        self.rules.iter().map(|ran| ran.outcome.alerts.len()).sum()
    }

    /// Gives `take` what `make` makes of each alert's document, in the order of the events' times, rules and ids.
    ///
    /// Documents come and go: all of them together may not fit into memory. The threads of the hunt build them, and
    /// make something of them, some ahead of `take`.
    pub fn alerts<T: Send, R>(
        &self,
        make: impl Fn(&Layered) -> T + Sync,
        take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
    ) -> R {
        let fields: Vec<OnceLock<RuleFields>> = self.rules.iter().map(|_| OnceLock::new()).collect();
        let mut seeds: Vec<_> = self
            .rules
            .iter()
            .zip(&fields)
            .flat_map(|(ran, fields)| ran.outcome.alerts.iter().map(move |seed| (&*ran.rule, fields, seed)))
            .collect();
        seeds.sort_by_key(|(rule, _, seed)| (seed.event.timestamp, &rule.rule_id, &seed.id));
        let chunks: Vec<_> = seeds.chunks(CHUNK).collect();
        let build = |builder: &mut Builder<'_>, chunk: &[(&Rule, &OnceLock<RuleFields>, &AlertSeed)]| {
            let of = |&(rule, fields, seed): &(&Rule, &OnceLock<RuleFields>, &AlertSeed)| {
                make(&builder.build(rule, fields.get_or_init(|| RuleFields::new(rule)), seed))
            };
            chunk.iter().map(of).collect::<Vec<T>>()
        };
        let threads = self.evidence.threads.min(chunks.len());
        if threads <= 1 {
            let mut builder = Builder::new(&self.evidence);
            return take(&mut chunks.into_iter().flat_map(|chunk| build(&mut builder, chunk)));
        }
        std::thread::scope(|scope| {
            // Each thread has its own line of chunks: taken in turns, they are in order, and nobody runs far ahead.
            let (chunks, build) = (&chunks, &build);
            let lines: Vec<Receiver<Vec<T>>> = (0..threads)
                .map(|first| {
                    let (send, line) = sync_channel(CHUNKS_AHEAD);
                    scope.spawn(move || {
                        let mut builder = Builder::new(&self.evidence);
                        let mut mine = chunks.iter().skip(first).step_by(threads);
                        // Nobody listens any more if `take` has seen enough.
                        mine.all(|chunk| send.send(build(&mut builder, chunk)).is_ok())
                    });
                    line
                })
                .collect();
            take(&mut (0..chunks.len()).map_while(|at| lines[at % threads].recv().ok()).flatten())
        })
    }
}

/// Alerts that a thread builds at a time.
const CHUNK: usize = 8;
/// Chunks that a thread may be ahead of whoever takes them.
const CHUNKS_AHEAD: usize = 4;

/// Builds the documents of alerts.
struct Builder<'a> {
    evidence: &'a Evidence,
    documents: DocumentBuilder,
    catalog: Arc<Catalog>,
}

impl<'a> Builder<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        let documents = DocumentBuilder::new(&evidence.normalise, evidence.now);
        Self { evidence, documents, catalog: Catalog::ecs() }
    }

    fn build(&mut self, rule: &Rule, fields: &RuleFields, seed: &AlertSeed) -> Layered {
        let origin = seed.event.origin;
        // A file that changed meanwhile was reported; its alert stands without its event.
        let event = self
            .evidence
            .records
            .get(&origin)
            .and_then(|kept| self.documents.build(&Record::of(kept.kind, &kept.text)).ok());
        let event = event.map_or_else(Object::new, |document| document.source);
        let context = detect::Context { catalog: &self.catalog, version: self.evidence.version };
        detect::build(seed, rule, fields, event, context)
    }
}

/// One thread's part of reading the records again.
#[derive(Default)]
struct Keeping {
    records: Vec<(Origin, Kept)>,
}

impl Visit for Keeping {
    fn record(&mut self, record: RawRecord<'_>) {
        // What is asked for again was taken before.
        if let Ok(Record { kind, text, .. }) = record.record() {
            let origin = Origin { input: record.input, ordinal: record.ordinal };
            self.records.push((origin, Kept { kind, text: text.into() }));
        }
    }

    fn problem(&mut self, _: reader::Problem) {
        // The first pass reported what cannot be read.
    }
}
