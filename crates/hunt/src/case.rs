//! The records that a case is made of: those that any rule's filter let through, the calls that tell who is behind a
//! session, those that stopped recording, and the stories of whoever is behind the alerts: all their calls and those of the
//! sessions that their credentials issued.
//!
//! With the same rules and options, and the span of the data that they were taken from, a hunt over them raises the same
//! alerts: tails see only what their filters let through.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ecs::Millis;
use identity::{WhoBuf, WhoField};
use investigate::Suspect;
use plan::Expr;
use reader::{Discovery, Input, Problem, RecordKind};
use sift::{Filter, Policy, Sift, Sifted, Sink};

use crate::progress::{Progress, Stage};
use crate::pushing::{Pushing, Takes};
use crate::run::{Found, HuntError, HuntOptions, prepare};
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::{identities, watch};

/// Records of a case.
pub const CASE_RECORDS_MAX: u64 = 1_000_000;
/// Bytes of their texts.
pub const CASE_BYTES_MAX: u64 = 1 << 30;

/// A record of a case, as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRecord {
    /// The file that it was read in,
    pub input: String,
    /// and its number in there.
    pub ordinal: u64,
    /// Whether it is a document with its `_id` and `_index`, or one without, or a record of CloudTrail.
    pub is_document: bool,
    /// The `_id` beside it.
    pub id: Option<String>,
    /// The `_index` beside it.
    pub index: Option<String>,
    /// The text.
    pub text: String,
}

/// Why a case cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The files cannot be read again.
    #[error(transparent)]
    Hunt(#[from] HuntError),
    /// It would have too many records.
    #[error(
        "the case would have more than {records} records or {bytes} bytes of them: hunt with fewer rules (--only) or in a shorter time (--since)"
    )]
    TooLarge {
        /// The limit.
        records: u64,
        /// The limit.
        bytes: u64,
    },
}

/// Reads the records of a case once more. `found` is what the hunt with these options came to; `stdin` gives what it gave to
/// the hunt, if it is one of the paths.
pub fn case_records(
    options: &HuntOptions,
    found: &Found,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<Vec<CaseRecord>, CaseError> {
    let mut discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    // What the hunt left out is no part of it.
    if let Some(from) = found.span.and_then(|it| it.complete_from) {
        discovery.prune(from);
    }
    let read = reader::Options { limits: options.limits.clone(), ..reader::Options::default() };
    progress.enter(Stage::Scanning);
    let graph = identities::graph(
        &discovery.inputs,
        &read,
        &options.normalise,
        options.now,
        options.threads,
        progress,
    );
    let sift = sift(options, investigate::stories(&graph, &suspects(found, options.now)));
    let read = reader::Options { without_tokens: sift.skips(), ..read };
    // The hunt reported what cannot be read.
    let make = || Pushing::new(sift.worker(), Chosen::default());
    let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, options.threads, progress, make);
    let mut places: Vec<(u32, u64)> = visitors.into_iter().flat_map(|it| it.taking.0).collect();
    places.sort_unstable();
    places.dedup();
    let (records, bytes) = (CASE_RECORDS_MAX, CASE_BYTES_MAX);
    if places.len() as u64 > records {
        return Err(CaseError::TooLarge { records, bytes });
    }
    let inputs = places.chunk_by(|a, b| a.0 == b.0).filter_map(|its| {
        let input = discovery.inputs.get(its[0].0 as usize)?.clone();
        Some((input, its.iter().map(|it| it.1).collect()))
    });
    let inputs: Vec<(Input, Vec<u64>)> = inputs.collect();
    let taken = AtomicU64::new(0);
    let make = || Taking { records: Vec::new(), taken: &taken };
    let (visitors, _) = scan(&Which::These(&inputs), &read, options.threads, progress, make);
    if taken.load(Relaxed) > bytes {
        return Err(CaseError::TooLarge { records, bytes });
    }
    let mut all: Vec<(u32, CaseRecord)> = visitors.into_iter().flat_map(|it| it.records).collect();
    all.sort_by_key(|(input, it)| (*input, it.ordinal));
    let named = |(input, mut it): (u32, CaseRecord)| {
        discovery.inputs.get(input as usize).map_or("", Input::name).clone_into(&mut it.input);
        it
    };
    Ok(all.into_iter().map(named).collect())
}

/// The pass over everything that the alerts stand on, and what their actors did.
fn sift(options: &HuntOptions, stories: Vec<Expr>) -> Sift {
    let prepared = prepare(options, &ecs::Catalog::ecs());
    let all = prepared.filters.into_iter().flatten().chain(stories);
    let mut filters: Vec<Filter> =
        all.map(|expr| Filter { expr: expr.simplify(), needs: Vec::new() }).collect();
    filters.push(Filter { expr: identities::filter().expr, needs: Vec::new() });
    filters.push(watch::filter());
    Sift::new(filters, Policy::OnlyMatches, options.settings())
}

/// Who the alerts are about.
fn suspects(found: &Found, now: Millis) -> Vec<Suspect> {
    let suspect = |alert: &mut crate::Alert<'_, '_>| {
        let document = alert.told().to_object();
        let time = ecs::document::timestamp(&document).unwrap_or(now);
        Suspect { who: WhoBuf::of(&document), time, weight: 1 }
    };
    let paths: Vec<&str> = WhoField::ALL.iter().map(|it| it.column().path()).collect();
    found.alerts(&paths, suspect, |alerts| alerts.collect())
}

/// The places of the records that one thread chose.
#[derive(Default)]
struct Chosen(Vec<(u32, u64)>);

impl Takes for Chosen {}

impl Sink for Chosen {
    fn take(&mut self, sifted: &Sifted<'_>) {
        self.0.extend(sifted.events().map(|it| (it.origin.input, it.origin.ordinal)));
    }
}

/// One thread's records.
struct Taking<'t> {
    records: Vec<(u32, CaseRecord)>,
    /// Bytes of all threads.
    taken: &'t AtomicU64,
}

impl Visit for Taking<'_> {
    fn record(&mut self, raw: RawRecord<'_>) {
        let bytes = raw.text.len() as u64;
        if self.taken.fetch_add(bytes, Relaxed) + bytes > CASE_BYTES_MAX {
            return;
        }
        let record = CaseRecord {
            input: String::new(),
            ordinal: raw.ordinal,
            is_document: raw.kind == RecordKind::Document,
            id: raw.id.map(str::to_owned),
            index: raw.index.map(str::to_owned),
            text: raw.text.to_owned(),
        };
        self.records.push((raw.input, record));
    }

    fn problem(&mut self, _: Problem) {}

    fn is_done(&self) -> bool {
        self.taken.load(Relaxed) > CASE_BYTES_MAX
    }
}
