//! The records that alerts are about: their texts, which are a tenth of the documents made of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use detect::Origin;
use reader::Input;
use sift::Record;

use crate::Progress;
use crate::keep::{Keeper, Kept};
use crate::run::HuntOptions;
use crate::scan::{RawRecord, Visit, Which, scan};

/// What a record is taken to have in bytes as long as none is known.
const USUAL_BYTES: usize = 2_048;
/// Records are read again at least so many bytes at a time, however few were to be kept: each time begins at the start of
/// their files.
const WINDOW_BYTES_MIN: usize = 16 << 10;

/// What was kept of the records of alerts, and where the others can be read again.
#[derive(Debug)]
pub(crate) struct Evidence {
    kept: HashMap<Origin, Kept>,
    inputs: Arc<Vec<Input>>,
    read: reader::Options,
    threads: usize,
    /// Bytes of records that are read again at a time, about.
    budget: usize,
    /// How many records that makes.
    records_max: usize,
}

/// The records of some alerts.
#[derive(Debug)]
pub(crate) struct Window {
    /// How many alerts these are.
    pub(crate) len: usize,
    /// Those of their records that were read again.
    read: HashMap<Origin, Kept>,
}

impl Evidence {
    /// Of what was kept, the records that are wanted. `read` says how the inputs were read.
    pub(crate) fn new(
        wanted: impl Iterator<Item = Origin>,
        kept: Vec<Keeper>,
        inputs: impl Into<Arc<Vec<Input>>>,
        options: &HuntOptions,
        read: reader::Options,
    ) -> Self {
        let wanted: HashSet<Origin> = wanted.collect();
        let mut bytes = 0;
        // Unpacked they may be more than fit.
        let fits = |(_, it): &(Origin, Kept)| {
            bytes += it.text.len();
            bytes <= options.evidence_bytes
        };
        let kept = kept.into_iter().flat_map(|keeper| keeper.into_records(&wanted));
        let kept: HashMap<Origin, Kept> = kept.take_while(fits).collect();
        let usual = bytes.checked_div(kept.len()).unwrap_or(USUAL_BYTES).max(1);
        let budget = options.evidence_bytes.max(WINDOW_BYTES_MIN);
        Self {
            records_max: (budget / usual).max(1),
            kept,
            inputs: inputs.into(),
            read,
            threads: options.threads,
            budget,
        }
    }

    /// Sees to it that the records of the first of these alerts are there: of as many as there is room for, at least of one.
    /// What was not kept is read again. Each alert comes with the places of its records.
    ///
    /// All of them together may not fit into memory, whatever was kept.
    pub(crate) fn window<O: Iterator<Item = Origin>>(
        &self,
        alerts: &(impl Iterator<Item = O> + Clone),
    ) -> Window {
        let mut most = self.records_max;
        loop {
            let mut missing: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
            let (mut len, mut count) = (0, 0);
            for origins in alerts.clone() {
                let its: Vec<Origin> = origins.filter(|it| !self.kept.contains_key(it)).collect();
                count += its.len();
                if len > 0 && count > most {
                    break;
                }
                for origin in its {
                    missing.entry(origin.input).or_default().push(origin.ordinal);
                }
                len += 1;
            }
            // Records may turn out to be much longer than they usually are.
            match self.read_again(missing, most > 1) {
                Some(read) => return Window { len, read },
                None => most = (most / 4).max(1),
            }
        }
    }

    /// The records with these ordinals, by input; nothing if they are too many bytes, which only matters if `is_limited`.
    fn read_again(
        &self,
        missing: BTreeMap<u32, Vec<u64>>,
        is_limited: bool,
    ) -> Option<HashMap<Origin, Kept>> {
        if missing.is_empty() {
            return Some(HashMap::new());
        }
        let inputs = missing.into_iter().filter_map(|(input, mut ordinals)| {
            // One record may be what several alerts are about.
            ordinals.sort_unstable();
            ordinals.dedup();
            Some((self.inputs.get(input as usize)?.clone(), ordinals))
        });
        let inputs: Vec<(Input, Vec<u64>)> = inputs.collect();
        let (bytes, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let most = if is_limited { self.budget.saturating_mul(2) } else { usize::MAX };
        let make = || Reading { records: Vec::new(), bytes: &bytes, is_over: &is_over, most };
        let which = Which::These(&inputs);
        let (visitors, _) = scan(&which, &self.read, self.threads, &Progress::default(), make);
        let records = visitors.into_iter().flat_map(|visitor| visitor.records).collect();
        (!is_over.into_inner()).then_some(records)
    }

    /// The record that was read there, if it was kept or the window has it.
    pub(crate) fn record<'e>(&'e self, origin: Origin, window: &'e Window) -> Option<Record<'e>> {
        let kept = self.kept.get(&origin).or_else(|| window.read.get(&origin))?;
        Some(Record::of(kept.kind, &kept.text))
    }
}

/// One thread's part of reading records again.
struct Reading<'w> {
    records: Vec<(Origin, Kept)>,
    /// What all threads have.
    bytes: &'w AtomicUsize,
    /// Whether that is too much.
    is_over: &'w AtomicBool,
    most: usize,
}

impl Visit for Reading<'_> {
    fn record(&mut self, record: RawRecord<'_>) {
        // What is asked for again was taken before.
        if let Ok(Record { kind, text, .. }) = record.record() {
            if self.bytes.fetch_add(text.len(), Relaxed) + text.len() > self.most {
                self.is_over.store(true, Relaxed);
                return;
            }
            let origin = Origin { input: record.input, ordinal: record.ordinal };
            self.records.push((origin, Kept { kind, text: text.into() }));
        }
    }

    fn problem(&mut self, _: reader::Problem) {
        // The first pass reported what cannot be read.
    }

    fn is_done(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}
