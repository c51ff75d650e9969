//! Records into a store.
//!
//! Files are read and normalised on all threads, some at a time; then what they gave is looked up, sorted and written by
//! day, and counts with one commit. How much is read between two commits is [`AddOptions::batch_bytes`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ecs::{Millis, Origin, Shape};
use reader::Input;
use sift::{Policy, Settings, Sift};

use crate::catalog::{Batch, SegmentRow, TakenFile};
use crate::column::{self, FIELDS};
use crate::fresh::{Fresh, FreshRow, write_segment};
use crate::known::{Known, Novelty};
use crate::piece::Piece;
use crate::reading::{Reading, TROUBLES_MAX, read};
use crate::segment::{Row as _, Segment};
use crate::{Accounting, Compaction, Day, Store, StoreError, compact};

/// What the events of a segment may come to before another is begun.
const SEGMENT_ROWS: usize = 1 << 20;

/// A time that no event has: whoever has it, says none.
pub(crate) const UNDATED: Millis = 253_402_300_799_998;

/// What to take in, and how.
#[derive(Debug)]
pub struct AddOptions<'a> {
    /// The files.
    pub inputs: &'a [Input],
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Threads.
    pub threads: usize,
    /// Bytes of records that are read between two commits, about: they are held in memory.
    pub batch_bytes: usize,
    /// Also files that were taken in as they are.
    pub again: bool,
    /// The time of taking in.
    pub now: Millis,
    /// What the store says took them in.
    pub engine: &'a str,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Files that were read.
    pub files: u64,
    /// Files that were taken in before, as they are, and were not read.
    pub passed_over: u64,
    /// What became of the records.
    pub accounting: Accounting,
    /// Segments that were written,
    pub segments: u64,
    /// and their bytes.
    pub bytes: u64,
    /// Bytes of the records in them.
    pub text_bytes: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records.
    pub loss_count: u64,
}

/// Something that could not be read. Everything around it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The code of what is wrong.
    pub code: &'static str,
    /// What is wrong and where, with the code.
    pub text: String,
}

/// How much more was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the files.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Files.
    pub files: u64,
}

/// Takes the records of files in. What it says was stored is on the disk for good.
///
/// What was committed before an error stays: to add the same again goes on where it ended.
pub fn add(
    store: &mut Store,
    options: &AddOptions<'_>,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Added, StoreError> {
    debug_assert!(store.is_writable(), "it was opened to write");
    let sift = everything();
    let mut added = Added::default();
    let mut known = Known::default();
    let mut left: Vec<(&Input, Option<TakenFile>)> = Vec::new();
    for input in options.inputs {
        let file = taken_file(input);
        let is_known = file.as_ref().map(|it| store.catalog.has_taken(it)).transpose()?.unwrap_or(false);
        if is_known && !options.again {
            added.passed_over += 1;
            progress(Step { bytes: input.size, files: 1, ..Step::default() });
        } else {
            left.push((input, file));
        }
    }
    let mut left = &left[..];
    while !left.is_empty() {
        let now = store.ingestion_time(options.now)?;
        let intake = Intake::new(store, &mut known, now, options.threads);
        let intake = Mutex::new(intake);
        let reading = Reading {
            sift: &sift,
            limits: &options.limits,
            threads: options.threads,
            batch_bytes: options.batch_bytes,
            wants: &|_, _| true,
            text_max: &|_| None,
            tells_places: false,
            keeps_lost: false,
            is_hollow: &|_| false,
        };
        let inputs: Vec<&Input> = left.iter().map(|it| it.0).collect();
        let read = read(&inputs, &reading, &intake, progress);
        let mut intake = intake.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (these, later) = left.split_at(read.len());
        left = later;
        let mut taken = Vec::new();
        for ((_, file), its) in these.iter().zip(read) {
            let unread = its.unread();
            intake.take(its.pieces.taken)?;
            intake.accounting.read += its.records + unread;
            intake.accounting.unreadable += its.unreadable + unread;
            added.loss_count += its.losses + its.broken;
            added.trouble_count += its.trouble_count;
            added.troubles.extend(its.troubles);
            added.troubles.truncate(TROUBLES_MAX);
            // A file of which something was not read is read again the next time, and told of again.
            taken.extend(file.clone().filter(|_| its.losses == 0));
        }
        intake.write()?;
        if let Some(error) = intake.failed {
            return Err(error);
        }
        let (accounting, segments) = (intake.accounting, intake.segments);
        let files = these.len() as u64;
        let batch = Batch {
            at: now,
            engine: options.engine,
            accounting,
            files,
            taken: &taken,
            segments: &segments,
            sources: &[],
            letters: None,
        };
        store.catalog.commit(&batch)?;
        added.files += files;
        added.accounting.add(accounting);
        added.segments += segments.len() as u64;
        added.bytes += segments.iter().map(|it| it.written.bytes).sum::<u64>();
        added.text_bytes += segments.iter().map(|it| it.written.text_bytes).sum::<u64>();
    }
    store.catalog.settle()?;
    // So that many runs leave no more segments than one.
    compact(store, Compaction::Usual, options.now, &|_| ())?;
    Ok(added)
}

/// The pass that sees everything, and fills the columns of segments.
pub(crate) fn everything() -> Sift {
    let columns = FIELDS.iter().map(|&path| (path.to_owned(), Shape::Leaf)).collect();
    let normalise = column::normaliser();
    let settings = Settings { normalise, now: UNDATED, wants_texts: true, ..Settings::default() };
    Sift::new(Vec::new(), Policy::Everything { columns }, settings)
}

impl Accounting {
    pub(crate) fn add(&mut self, other: Self) {
        let Self { read, stored, duplicate, unreadable, dropped } = other;
        self.read += read;
        self.stored += stored;
        self.duplicate += duplicate;
        self.unreadable += unreadable;
        self.dropped += dropped;
    }
}

/// What tells a file from what it may be later; nothing of what is no file.
pub(crate) fn taken_file(input: &Input) -> Option<TakenFile> {
    if let Some(remote) = input.remote() {
        let path = remote.address().to_owned();
        return Some(TakenFile { path, size: remote.size(), modified_ms: remote.modified_ms() });
    }
    let path = std::fs::canonicalize(input.path()).ok()?;
    // What was spooled has the name of what it was, and not that of its file.
    if Path::new(input.name()) != input.path() {
        return None;
    }
    let modified = std::fs::metadata(&path).and_then(|it| it.modified()).ok()?;
    let modified_ms = modified.duration_since(UNIX_EPOCH).ok()?.as_millis() as Millis;
    Some(TakenFile { path: path.to_str()?.to_owned(), size: input.size, modified_ms })
}

/// What is being made a batch.
pub(crate) struct Intake<'a> {
    store: &'a Store,
    known: &'a mut Known,
    now: Millis,
    threads: usize,
    pieces: Vec<Piece>,
    /// By day the events that are to be written.
    fresh: BTreeMap<Day, Vec<Fresh>>,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) accounting: Accounting,
    /// What became of each record, for whoever asks for it.
    pub(crate) told: Option<Vec<Told>>,
    /// Why a part of it could not be written.
    pub(crate) failed: Option<StoreError>,
}

/// What became of a record that can be kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) origin: Origin,
    /// Its `_id`.
    pub(crate) id: String,
    /// Whether the store has it already.
    pub(crate) is_duplicate: bool,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(store: &'a Store, known: &'a mut Known, now: Millis, threads: usize) -> Self {
        Self {
            store,
            known,
            now,
            threads,
            pieces: Vec::new(),
            fresh: BTreeMap::new(),
            segments: Vec::new(),
            accounting: Accounting::default(),
            told: None,
            failed: None,
        }
    }

    /// Takes events that are not stored yet.
    pub(crate) fn take(&mut self, pieces: Vec<Piece>) -> Result<(), StoreError> {
        for piece in pieces {
            let number = self.pieces.len() as u32;
            for (row, it) in piece.rows.iter().enumerate() {
                let day = Day::of(it.time);
                let record = (piece.id(row), piece.index(row).data(), piece.text(row));
                let novelty = self.known.ask(day, record, || self.store.segments_of(day, &self.segments))?;
                if let Some(told) = &mut self.told {
                    let (id, is_duplicate) = (piece.id(row).to_owned(), novelty == Novelty::Duplicate);
                    told.push(Told { origin: it.origin, id, is_duplicate });
                }
                match novelty {
                    Novelty::Duplicate => self.accounting.duplicate += 1,
                    Novelty::New { delivery } => {
                        self.accounting.stored += 1;
                        let fresh = Fresh { piece: number, row: row as u32, delivery };
                        self.fresh.entry(day).or_default().push(fresh);
                    }
                }
            }
            self.pieces.push(piece);
        }
        Ok(())
    }

    /// Writes what was taken, a segment a day.
    pub(crate) fn write(&mut self) -> Result<(), StoreError> {
        let (pieces, days) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.fresh));
        let mut number = self.store.catalog.next_segment()? + self.segments.len() as u64;
        let mut parts: Vec<(Day, u64, Vec<FreshRow<'_>>)> = Vec::new();
        for (day, fresh) in days {
            let row = |at: Fresh| FreshRow { piece: &pieces[at.piece as usize], at, ingested: self.now };
            let mut rows: Vec<FreshRow<'_>> = fresh.into_iter().map(row).collect();
            // Stable: what happened at one time stays as it was delivered.
            rows.sort_by(|a, b| (a.time(), a.id(), a.at.delivery).cmp(&(b.time(), b.id(), b.at.delivery)));
            while !rows.is_empty() {
                let later = rows.split_off(rows.len().min(SEGMENT_ROWS));
                parts.push((day, number, std::mem::replace(&mut rows, later)));
                number += 1;
            }
        }
        let written: Mutex<BTreeMap<usize, Result<SegmentRow, StoreError>>> = Mutex::new(BTreeMap::new());
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((at, (day, number, rows))) = {
                let at = next.fetch_add(1, Relaxed);
                parts.get(at).map(|it| (at, it))
            } {
                let row = write_segment(self.store, *day, *number, rows);
                written.lock().unwrap_or_else(PoisonError::into_inner).insert(at, row);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.clamp(1, parts.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        for row in written.into_inner().unwrap_or_else(PoisonError::into_inner).into_values() {
            self.segments.push(row?);
        }
        Ok(())
    }
}

impl Store {
    /// The segments of a day: those that count and those that will, with the batch at hand.
    fn segments_of(&self, day: Day, pending: &[SegmentRow]) -> Result<Vec<Segment>, StoreError> {
        let mut rows = self.catalog.segments_of(day)?;
        rows.extend(pending.iter().filter(|it| it.day == day).cloned());
        Ok(rows.iter().map(|it| self.segment(it)).collect())
    }
}
