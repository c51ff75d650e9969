//! One thread's part of the pass: records into blocks, blocks through the program, what was found to the sink.

use std::convert::Infallible;
use std::sync::Arc;

use block::{Block, BlockBuilder};
use cloudtrail::TimeFinder;
use ecs::Millis;
use exec::{Row, Scratch};

use crate::counts::Seen;
use crate::index::CLOUDTRAIL;
use crate::record::{Built, Kind, Record, Unreadable};
use crate::rows::{Filled, Phase, RowFiller};
use crate::sifted::{Sifted, Sink};
use crate::sifting::{BLOCK_ROWS, Sift};

/// Bytes of values after which a block is full, however few its events.
const BLOCK_BYTES: usize = 64 << 20;
/// So many bytes of records are taken as they are before it is asked how much of them the block holds: a block has many
/// columns, and they are not to be summed up for each record.
const WEIGH_BYTES: usize = 1 << 20;

/// Gives the texts of rows, which are named in ascending order, to whoever asks.
pub(crate) type FetchTexts<'f, E> = dyn FnMut(&[Row], &mut dyn FnMut(Row, &str)) -> Result<(), E> + 'f;

/// One thread's part of the pass.
pub struct Worker<'s> {
    pub(crate) sift: &'s Sift,
    pub(crate) rows: RowFiller,
    pub(crate) builder: BlockBuilder,
    /// What the block held when that was last asked, and the bytes of records since.
    weighed: usize,
    unweighed: usize,
    scratch: Scratch,
    /// Rows and filters that match, of the block at hand.
    found: Vec<(Row, u32)>,
    pub(crate) seen: Seen,
    times: TimeFinder,
}

impl<'s> Worker<'s> {
    pub(crate) fn new(sift: &'s Sift) -> Self {
        Self {
            rows: RowFiller::new(sift),
            builder: BlockBuilder::new(Arc::clone(&sift.schema)),
            weighed: 0,
            unweighed: 0,
            scratch: Scratch::default(),
            found: Vec::new(),
            seen: Seen::default(),
            times: TimeFinder::default(),
            sift,
        }
    }

    /// Takes a record, and gives what was found to the sink whenever a block is full. An unreadable record is counted,
    /// and it is the caller's to tell of it.
    pub fn push(&mut self, record: &Record<'_>, sink: &mut impl Sink) -> Result<(), Unreadable> {
        if let Some(time) = self.sift.skip.as_ref().and_then(|skip| skip.time_if_hopeless(record)) {
            self.seen.counts.records += 1;
            self.seen.counts.unread += 1;
            self.seen.left_out.unparsed += 1;
            // Records of other kinds are not skipped.
            self.seen.cloudtrail = true;
            self.see(Some(time));
            return Ok(());
        }
        let filled = self.fill(record);
        if self.is_full() {
            self.flush(sink);
        }
        filled
    }

    /// Takes a document that was built here: the pass must be [of such](crate::Settings::only_built).
    pub fn push_built(&mut self, built: &Built<'_>, sink: &mut impl Sink) -> Result<(), Unreadable> {
        debug_assert!(self.sift.settings.only_built, "columns that are filled later would stay empty");
        self.seen.counts.records += 1;
        self.rows.fill_built(built, &mut self.builder)?;
        if self.is_full() {
            self.flush(sink);
        }
        Ok(())
    }

    /// Only parses the record and fills its row, and evaluates nothing: for measurements. See [`Worker::discard`].
    pub fn fill(&mut self, record: &Record<'_>) -> Result<(), Unreadable> {
        self.seen.counts.records += 1;
        match self.rows.fill(record, &mut self.builder, &mut self.seen.left_out) {
            Ok(Filled { time, index, has_row }) => {
                if has_row {
                    self.weigh(record.text.len());
                }
                self.seen.cloudtrail |= index == CLOUDTRAIL;
                self.seen.counts.unmatched += u64::from(!has_row);
                self.see(time);
                Ok(())
            }
            Err(error) => {
                self.seen.counts.unreadable += 1;
                // Among other filters it might have been skipped, and it would count: so it does here.
                if record.kind == Kind::CloudTrail {
                    self.seen.cloudtrail = true;
                    if let Some(time) = self.times.find(record.text.as_bytes()) {
                        self.see(Some(time));
                    }
                }
                Err(error)
            }
        }
    }

    /// Notes the time of an event. That of reading stands for none: it is what the document of a record without a time
    /// says.
    pub(crate) fn see(&mut self, time: Option<Millis>) {
        match time.filter(|&time| time != self.sift.settings.now) {
            Some(time) => self.seen.see(time),
            None => self.seen.undated += 1,
        }
    }

    fn weigh(&mut self, bytes: usize) {
        self.unweighed += bytes;
        if self.unweighed >= WEIGH_BYTES {
            self.weighed = self.builder.bytes() + self.rows.bytes();
            self.unweighed = 0;
        }
    }

    /// Whether the block at hand has enough in it.
    pub fn is_full(&self) -> bool {
        self.builder.rows() >= self.block_rows() || self.weighed + self.unweighed >= BLOCK_BYTES
    }

    /// How many rows make a block.
    pub(crate) fn block_rows(&self) -> usize {
        match self.sift.settings.block_rows {
            0 => BLOCK_ROWS,
            rows => rows,
        }
    }

    /// Forgets the rows of the block at hand.
    pub fn discard(&mut self) {
        self.seen.counts.unmatched += self.builder.rows() as u64;
        self.abandon();
    }

    /// As if the block at hand had never been begun.
    pub(crate) fn abandon(&mut self) {
        self.clear();
        let builder = std::mem::replace(&mut self.builder, BlockBuilder::new(Arc::default()));
        self.builder = BlockBuilder::reuse(builder.finish());
    }

    /// Gives what was found so far to the sink. To be called at the end, and whenever somebody waits.
    pub fn flush(&mut self, sink: &mut impl Sink) {
        let Ok(()) = self.flush_with::<Infallible>(sink, &mut |_, _| Ok(()));
    }

    /// As [`Worker::flush`]; `fetch` is asked for texts that are not there. If it fails, nothing of the block is found.
    pub(crate) fn flush_with<E>(
        &mut self,
        sink: &mut impl Sink,
        fetch: &mut FetchTexts<'_, E>,
    ) -> Result<(), E> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        let builder = std::mem::replace(&mut self.builder, BlockBuilder::new(Arc::default()));
        let mut block = builder.finish();
        let flushed = self.evaluate(&mut block, sink, fetch);
        if flushed.is_err() {
            self.seen.counts.unreadable += block.rows() as u64;
        }
        self.builder = BlockBuilder::reuse(block);
        self.clear();
        flushed
    }

    /// Sees to it that the texts of these rows are there, as far as a phase has a use for them.
    fn fetch<E>(&mut self, phase: Phase, rows: &[Row], fetch: &mut FetchTexts<'_, E>) -> Result<(), E> {
        if self.sift.stored.is_none() {
            return Ok(());
        }
        let missing: Vec<Row> =
            rows.iter().copied().filter(|&row| self.rows.lacks_text(row, phase)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let Self { rows, seen, .. } = self;
        seen.left_out.fetched += missing.len() as u64;
        fetch(&missing, &mut |row, text| {
            seen.left_out.fetched_bytes += text.len() as u64;
            rows.attach(row, text);
        })
    }

    fn evaluate<E>(
        &mut self,
        block: &mut Block,
        sink: &mut impl Sink,
        fetch: &mut FetchTexts<'_, E>,
    ) -> Result<(), E> {
        let sift = self.sift;
        let program = &sift.program;
        let rows = program.candidates(block, self.rows.names(), &mut self.scratch).to_vec();
        self.fetch(Phase::Late, &rows, fetch)?;
        let filled = self.rows.fill_later(Phase::Late, rows, block);
        let left_out = &mut self.seen.left_out;
        if self.rows.has_late() {
            left_out.filled_late += filled;
            left_out.never_late += block.rows() as u64 - filled;
        }
        self.found.clear();
        let found = &mut self.found;
        program.finish(block, self.rows.names(), &mut self.scratch, |filter, rows| {
            found.extend(rows.iter().map(|&row| (row, filter as u32)));
        });
        self.found.sort_unstable();
        let mut matched = 0;
        let tails = self.found.chunk_by(|a, b| a.0 == b.0).filter_map(|matches| {
            matched += 1;
            let needed = matches.iter().any(|&(_, filter)| sift.needs_tail[filter as usize]);
            needed.then_some(matches[0].0)
        });
        let tails: Vec<Row> = tails.collect();
        self.fetch(Phase::Tail, &tails, fetch)?;
        self.rows.fill_later(Phase::Tail, tails, block);
        let found_rows: Vec<u32> = if self.rows.blind().is_empty() {
            Vec::new()
        } else {
            self.found.iter().map(|&(row, _)| row).collect()
        };
        // What a filter matches is none the worse for what it lacks.
        let is_found = |row: &u32| found_rows.binary_search(row).is_ok();
        self.seen.counts.blind += self.rows.blind().iter().filter(|row| !is_found(row)).count() as u64;
        self.seen.counts.matched += matched;
        self.seen.counts.unmatched += block.rows() as u64 - matched;
        self.seen.left_out.exec.merge(&self.scratch.take_stats());
        sink.take(&Sifted { sift, block, rows: &self.rows, found: &self.found });
        Ok(())
    }

    fn clear(&mut self) {
        self.rows.clear();
        (self.weighed, self.unweighed) = (0, 0);
    }

    /// From now on keeps the texts of all rows for the sink, not only of those that seem likely to match, if it wants
    /// any: to copy the texts of all rows costs more than reading some records again, unless many turn out to be wanted.
    pub fn keep_all_texts(&mut self) {
        self.rows.keep_all();
    }

    /// Bytes of later values that wait for being asked for.
    #[cfg(test)]
    pub(crate) fn stashed(&self) -> usize {
        self.rows.stashed()
    }

    /// What it saw so far. Rows that were not flushed are neither matched nor unmatched yet.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}
