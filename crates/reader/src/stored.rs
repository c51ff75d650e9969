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

    /// How many parts it has. They are read apart, in any order and by several threads.
    fn parts(&self) -> usize;

    /// Gives one of its parts, by the columns of some of these fields.
    fn part(&self, part: usize, fields: &[&str], take: &mut TakePart<'_>) -> Result<(), StoredError>;

    /// When its events were taken in.
    fn ingested(&self) -> Result<Ingested, StoredError>;
}

/// When the events of a segment were taken in, by their places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ingested {
    /// All at once.
    Together(i64),
    /// One after the other.
    Apart(Vec<i64>),
}

impl Ingested {
    /// Of these times.
    pub fn of(times: Vec<i64>) -> Self {
        match times.first() {
            Some(&first) if times.iter().all(|&it| it == first) => Self::Together(first),
            Some(_) | None => Self::Apart(times),
        }
    }

    /// That of one event.
    pub fn get(&self, ordinal: u64) -> Option<i64> {
        match self {
            Self::Together(time) => Some(*time),
            Self::Apart(times) => times.get(usize::try_from(ordinal).ok()?).copied(),
        }
    }

    /// The first and the last time; nothing if there is no event.
    pub fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Together(time) => Some((*time, *time)),
            Self::Apart(times) => times.iter().min().copied().zip(times.iter().max().copied()),
        }
    }
}

/// Some neighbouring events of a segment. What nobody asks for is not read; what was read stays.
pub trait StoredPart {
    /// How many events there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads what is known of all of them.
    fn read_events(&mut self) -> Result<(), StoredError>;

    /// What is known of all of them, once it was read.
    fn events(&self) -> Option<&StoredEvents>;

    /// Reads their ids.
    fn read_ids(&mut self) -> Result<(), StoredError>;

    /// Their ids, once they were read.
    fn ids(&self) -> Option<&StoredTexts>;

    /// Reads what they have in a field, by the field's place among those that were asked for.
    fn read(&mut self, field: usize) -> Result<(), StoredError>;

    /// What they have in a field, once it was read.
    fn column(&self, field: usize) -> Option<&StoredTexts>;

    /// Gives the records of these events, strictly ascending.
    fn records(&mut self, rows: &[u32], take: &mut TakeStored<'_>) -> Result<(), StoredError>;
}

/// What is known of the events of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEvents {
    /// The place of the first in the segment.
    pub first: u64,
    /// For each its time, if it has one of its own.
    pub times_ms: Vec<Option<i64>>,
    /// Those whose columns say all that they have in these fields, ascending: all of them are records of CloudTrail. Of the
    /// others only the record tells.
    pub exact: Vec<u32>,
}

/// The texts of some neighbouring events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredTexts {
    /// Texts, one behind the other. One may stand there twice.
    pub bytes: String,
    /// Where each ends.
    pub ends: Vec<usize>,
    /// For each event the number of its text, or [`StoredTexts::NONE`].
    pub rows: Vec<u32>,
}

impl StoredTexts {
    /// Stands for no text.
    pub const NONE: u32 = u32::MAX;

    /// Adds a text; gives its number.
    pub fn add(&mut self, text: &str) -> u32 {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.ends.len() as u32 - 1
    }

    /// What an event has.
    pub fn get(&self, row: usize) -> Option<&str> {
        let number = *self.rows.get(row)? as usize;
        let end = *self.ends.get(number)?;
        Some(&self.bytes[if number == 0 { 0 } else { self.ends[number - 1] }..end])
    }
}

/// Takes a part of a segment.
pub type TakePart<'t> = dyn FnMut(&mut dyn StoredPart) -> Result<(), StoredError> + 't;

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
