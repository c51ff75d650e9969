//! The pass of a hunt, ended early: what each of its steps costs is the difference between two depths.

use std::io::Read;
use std::sync::Arc;

use block::BlockBuilder;
use cloudtrail::RecordBuf;
use ecs::Catalog;
use reader::{Discovery, Problem};

use crate::Progress;
use crate::events::RowFiller;
use crate::index::Indices;
use crate::matching::{BLOCK_ROWS, Matching, Prepared, is_full};
use crate::run::{HuntError, HuntOptions, RunnableRules, prepare};
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
pub struct Pass {
    /// Records.
    pub records: u64,
    /// Bytes of the files.
    pub read_bytes: u64,
    /// Bytes of text in them.
    pub text_bytes: u64,
    /// Parts of the input that the reader found unreadable.
    pub problems: u64,
}

/// Does what [`hunt`](crate::hunt) does, by the same code, only so far. For measurements.
pub fn pass(
    options: &HuntOptions,
    depth: Depth,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<Pass, HuntError> {
    let catalog = Catalog::ecs();
    let RunnableRules { plans, filters, .. } = prepare(options, &catalog);
    let discovery = Discovery::find(&options.paths, stdin).map_err(HuntError::Paths)?;
    let which = Which::All(&discovery.inputs);
    let rows = if options.block_rows == 0 { BLOCK_ROWS } else { options.block_rows };
    let prepared = Prepared::new(&filters, plans.into(), &catalog, options.normalise.geo.is_some(), rows);
    let read = reader::Options {
        limits: options.limits.clone(),
        without_tokens: depth == Depth::Match && prepared.skips(),
        ..reader::Options::default()
    };
    let indices = Arc::new(Indices::default());
    let ReadTotals { records, read_bytes, text_bytes, problems, skipped_members: _ } = match depth {
        Depth::Read => scan(&which, &read, options.threads, progress, || Reading).1,
        Depth::Parse => scan(&which, &read, options.threads, progress, Parsing::default).1,
        Depth::Fill => {
            let make = || Filling {
                filler: prepared.filler(&options.normalise, options.now, Arc::clone(&indices), false),
                builder: Some(BlockBuilder::new(Arc::clone(prepared.schema()))),
                rows,
            };
            scan(&which, &read, options.threads, progress, make).1
        }
        Depth::Match => {
            let make = || Matching::new(&prepared, options, Arc::clone(&indices));
            scan(&which, &read, options.threads, progress, make).1
        }
    };
    Ok(Pass { records, read_bytes, text_bytes, problems })
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

struct Filling {
    filler: RowFiller,
    builder: Option<BlockBuilder>,
    rows: usize,
}

impl Visit for Filling {
    fn record(&mut self, record: RawRecord<'_>) {
        let Some(builder) = &mut self.builder else { return };
        // What cannot be read is the hunt's to report.
        _ = std::hint::black_box(self.filler.fill(&record, builder));
        if is_full(builder, &self.filler, self.rows) {
            self.filler.clear();
            self.builder = self.builder.take().map(|it| BlockBuilder::reuse(it.finish()));
        }
    }

    fn problem(&mut self, _: Problem) {}
}
