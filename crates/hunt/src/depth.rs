//! The pass of a hunt, ended early: what each of its steps costs is the difference between two depths.

use std::io::Read;
use std::sync::Arc;

use cloudtrail::RecordBuf;
use detect::{Collector, Tails};
use ecs::Catalog;
use reader::{Discovery, Problem};
use sift::{Policy, Seen, Worker};

use crate::Progress;
use crate::gather::{Gathering, sift_sets};
use crate::run::{HuntError, HuntOptions, RunnableRules, of_stored, prepare};
use crate::scan::{RawRecord, ReadTotals, Visit, Which, scan};

/// How far the pass goes. Each depth includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Files are decompressed and cut into records.
    Read,
    /// Records are parsed.
    Parse,
    /// The columns that every row needs are filled.
    Fill,
    /// The filters are evaluated, and what matched is collected: all but the executions.
    Match,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassReport {
    /// Records.
    pub records: u64,
    /// Bytes of the files.
    pub read_bytes: u64,
    /// Bytes of text in them.
    pub text_bytes: u64,
    /// Parts of the input that the reader found unreadable.
    pub problems: u64,
    /// What the pass made of them, if it went as far as matching.
    pub seen: Seen,
}

/// Does what [`hunt`](crate::hunt) does, by the same code, only so far. For measurements.
pub fn pass(
    options: &HuntOptions,
    depth: Depth,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<PassReport, HuntError> {
    let catalog = Catalog::ecs();
    let RunnableRules { tails, filters, .. } = prepare(options, &catalog);
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    let which = Which::All(&discovery.inputs);
    let tails = Arc::new(Tails::new(tails));
    let policy = match depth {
        Depth::Match => of_stored(&discovery.inputs, &options.normalise),
        Depth::Read | Depth::Parse | Depth::Fill => Policy::OnlyMatches,
    };
    let sift = sift_sets(vec![(filters.concat(), &tails)], policy, options);
    let read = reader::Options {
        limits: options.limits.clone(),
        without_tokens: depth == Depth::Match && sift.skips(),
        ..reader::Options::default()
    };
    let mut seen = Seen::default();
    let totals = match depth {
        Depth::Read => scan(&which, &read, options.threads, progress, || Reading).1,
        Depth::Parse => scan(&which, &read, options.threads, progress, Parsing::default).1,
        Depth::Fill => scan(&which, &read, options.threads, progress, || Filling(sift.worker())).1,
        Depth::Match => {
            let make = || Gathering::new(&sift, [Collector::new(Arc::clone(&tails))], options);
            let (visitors, totals) = scan(&which, &read, options.threads, progress, make);
            for visitor in visitors {
                seen.merge(&visitor.finish().seen);
            }
            totals
        }
    };
    let ReadTotals { records, read_bytes, text_bytes, problems, skipped_members: _ } = totals;
    Ok(PassReport { records, read_bytes, text_bytes, problems, seen })
}

struct Reading;

impl Visit for Reading {
    fn record(&mut self, _: RawRecord<'_>) {}

    fn problem(&mut self, _: Problem) {}
}

#[derive(Default)]
struct Parsing(RecordBuf);

impl Visit for Parsing {
    fn record(&mut self, record: RawRecord<'_>) {
        std::hint::black_box(self.0.parse_with(record.text, record.tokens).error());
    }

    fn problem(&mut self, _: Problem) {}
}

struct Filling<'s>(Worker<'s>);

impl Visit for Filling<'_> {
    fn record(&mut self, record: RawRecord<'_>) {
        let Ok(record) = record.record() else { return };
        // What cannot be read is the hunt's to report.
        _ = std::hint::black_box(self.0.fill(&record));
        if self.0.is_full() {
            self.0.discard();
        }
    }

    fn problem(&mut self, _: Problem) {}
}
