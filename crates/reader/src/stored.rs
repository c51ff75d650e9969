//! Records that lie in a store, and not in a file of their own.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::read::Run;
use crate::{Cause, Record, RecordKind};

/// A part of a store that is read like a file: a segment. Whoever knows the store's format says what is in it.
pub trait Stored: fmt::Debug + Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Gives its records in order: all, or those with these ordinals, strictly ascending. Ends early if the taker breaks.
    fn read(&self, wanted: Option<&[u64]>, take: &mut TakeStored<'_>) -> Result<(), StoredError>;

    /// The fields that have columns of their own.
    fn fields(&self) -> &'static [&'static str];

    /// Gives its events by the columns of some of these fields, a part after the other.
    fn parts(&self, fields: &[&str], take: &mut TakeParts<'_>) -> Result<(), StoredError>;
}

/// Some neighbouring events of a segment, by the columns that were asked for.
pub trait StoredPart {
    /// How many events there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    fn event(&self, row: usize) -> StoredEvent<'_>;

    /// What it has in a field, by the field's place among those that were asked for.
    fn value(&self, row: usize, field: usize) -> Option<&str>;

    /// Gives the records of these events, strictly ascending.
    fn records(&mut self, rows: &[u32], take: &mut TakeStored<'_>) -> Result<(), StoredError>;
}

/// An event of a store, without its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredEvent<'a> {
    /// Its place in the segment.
    pub ordinal: u64,
    /// What its record is.
    pub kind: RecordKind,
    /// The `_id`.
    pub id: &'a str,
    /// Its time, if it has one of its own.
    pub time_ms: Option<i64>,
    /// Whether its columns say all that it has in their fields. Else only the record tells.
    pub is_exact: bool,
}

/// Takes parts of a segment.
pub type TakeParts<'t> = dyn FnMut(&mut dyn StoredPart) -> Result<(), StoredError> + 't;

/// Takes the records of a store.
pub type TakeStored<'t> = dyn FnMut(StoredRecord<'_>) -> ControlFlow<()> + 't;

/// A record as a store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRecord<'a> {
    /// Its place in the segment.
    pub ordinal: u64,
    /// What it is.
    pub kind: RecordKind,
    /// The `_id` of a document.
    pub id: Option<&'a str>,
    /// The `_index` of a document.
    pub index: Option<&'a str>,
    /// The text, as it was delivered.
    pub text: &'a str,
}

/// Why a segment cannot be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct StoredError {
    /// What is wrong with it.
    pub detail: String,
}

impl Run<'_> {
    /// Reads a segment of a store.
    pub(crate) fn segment(&mut self, segment: &dyn Stored) -> ControlFlow<()> {
        let (sink, totals) = (&mut *self.sink, &mut self.totals);
        let mut text_bytes = 0;
        let (mut stopped, mut met) = (false, 0_u64);
        let read = segment.read(self.wanted, &mut |it| {
            met += 1;
            totals.records += 1;
            text_bytes += it.text.len() as u64;
            let StoredRecord { ordinal, kind, id, index, text } = it;
            let record = Record { ordinal, offset: 0, member: None, kind, id, index, text, tokens: None };
            let flow = sink.record(record);
            stopped = flow.is_break();
            flow
        });
        if let Some(wanted) = &mut self.wanted {
            *wanted = &wanted[wanted.len().min(met as usize)..];
        }
        self.meter.stored.set(self.input.size);
        self.progress(text_bytes);
        if let Err(error) = read {
            self.problem(None, Cause::Segment { detail: error.detail });
        }
        if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
