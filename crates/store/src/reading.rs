//! Files are read and normalised on all threads: what each gives, and what became of its records.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use ecs::Origin;
use reader::{Ahead, Input, Problem, Reader, RecordKind};
use sift::{DocumentBuilder, Kind, Record, Sift, Worker};

use crate::add::{Intake, Step, Trouble, UNDATED};
use crate::column;
use crate::letters::LETTER_BYTES_MAX;
use crate::piece::{Piece, Pieces};

/// Troubles that are told one by one.
pub(crate) const TROUBLES_MAX: usize = 1_000;

/// How files are read.
pub(crate) struct Reading<'a> {
    pub(crate) sift: &'a Sift,
    pub(crate) limits: &'a reader::Limits,
    pub(crate) threads: usize,
    pub(crate) batch_bytes: usize,
    /// Which records of an input are wanted.
    pub(crate) wants: &'a (dyn Fn(&Input, &reader::Record<'_>) -> bool + Sync),
    /// How many bytes of text an input may give at most, if it is not what all may.
    pub(crate) text_max: &'a (dyn Fn(&Input) -> Option<u64> + Sync),
    /// Whether [`FileRead::places`] are asked for.
    pub(crate) tells_places: bool,
    /// Whether [`FileRead::lost`] is asked for.
    pub(crate) keeps_lost: bool,
    /// Whether there is nothing to read in an input, and that is no trouble.
    pub(crate) is_hollow: &'a (dyn Fn(&Input) -> bool + Sync),
}

/// What one file gave.
pub(crate) struct FileRead {
    pub(crate) pieces: Pieces,
    pub(crate) records: u64,
    pub(crate) unreadable: u64,
    pub(crate) dropped: u64,
    /// Records that cannot be read and are kept.
    pub(crate) broken: u64,
    /// What may be missing.
    pub(crate) losses: u64,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) trouble_count: u64,
    /// Where each record stands, and why it is not among the pieces, if it is not.
    pub(crate) places: Vec<RecordPlace>,
    /// The records that nothing can be made of, a line each; nothing if they are too long together.
    pub(crate) lost: Option<String>,
}

/// Where a record stands in its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    pub(crate) ordinal: u64,
    /// Where the object that it is in begins.
    pub(crate) offset: u64,
    pub(crate) left_out: Option<Why>,
}

/// Why a record is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Unwanted,
    Unreadable(Trouble),
}

impl FileRead {
    /// What could not be read so far that it was a record. Each such part counts as one record that was read and is
    /// unreadable, so that an account does not look whole where something is missing.
    pub(crate) fn unread(&self) -> u64 {
        self.losses - self.unreadable
    }

    /// Keeps a record that nothing can be made of.
    fn lose(&mut self, reading: &Reading<'_>, (index, id, text): (Option<&str>, Option<&str>, &str)) {
        self.unreadable += 1;
        self.losses += 1;
        let Some(lost) = self.lost.as_mut().filter(|_| reading.keeps_lost) else { return };
        let mut around = String::new();
        for (key, value) in [("_index", index), ("_id", id)] {
            if let Some(value) = value {
                around += &format!("\"{key}\":{},", json_text(value));
            }
        }
        // A record over several lines is one all the same: breaks stand between its tokens only.
        let text = text.chars().map(|it| if matches!(it, '\n' | '\r') { ' ' } else { it });
        if around.is_empty() {
            lost.extend(text);
        } else {
            lost.push('{');
            lost.push_str(&around);
            lost.push_str("\"_source\":");
            lost.extend(text);
            lost.push('}');
        }
        lost.push('\n');
        if lost.len() > LETTER_BYTES_MAX {
            self.lost = None;
        }
    }

    fn place(&mut self, reading: &Reading<'_>, record: &reader::Record<'_>, left_out: Option<Why>) {
        if reading.tells_places {
            let (ordinal, offset) = (record.ordinal, record.offset);
            self.places.push(RecordPlace { ordinal, offset, left_out });
        }
    }

    fn trouble(&mut self, code: &'static str, text: String) {
        self.trouble_count += 1;
        if self.troubles.len() < TROUBLES_MAX {
            self.troubles.push(Trouble { code, text });
        }
    }
}

/// A text as JSON has it.
fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => out += &format!("\\u{:04x}", control as u32),
            other => out.push(other),
        }
    }
    out + "\""
}

/// Reads files, in order, until they gave enough; says what each gave.
pub(crate) fn read(
    files: &[&Input],
    reading: &Reading<'_>,
    intake: &Mutex<Intake<'_>>,
    progress: &(dyn Fn(Step) + Sync),
) -> Vec<FileRead> {
    let (next, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let all: Mutex<BTreeMap<usize, FileRead>> = Mutex::new(BTreeMap::new());
    let ahead = Ahead::new(files.iter().copied());
    let work = || {
        let with = |limits| Reader::new(reader::Options { limits, ..reader::Options::default() });
        let mut reader = with(reading.limits.clone());
        let mut builder = DocumentBuilder::new(&column::normaliser(), UNDATED);
        // Once there is enough nobody takes another, and those that were taken are the first.
        while bytes.load(Relaxed) < reading.batch_bytes {
            let at = next.fetch_add(1, Relaxed);
            let Some(&input) = files.get(at) else { break };
            ahead.begins(at);
            let its = FileRead {
                pieces: Pieces { undated: UNDATED, taken: Vec::new(), bytes: 0 },
                records: 0,
                unreadable: 0,
                dropped: 0,
                broken: 0,
                losses: 0,
                troubles: Vec::new(),
                trouble_count: 0,
                places: Vec::new(),
                lost: Some(String::new()),
            };
            let worker = reading.sift.worker();
            let mut taking = Taking { input, worker, builder: &mut builder, its, reading, intake, progress };
            let totals = match (reading.text_max)(input) {
                _ if (reading.is_hollow)(input) => reader::Totals::default(),
                None => reader.read(input, &mut taking),
                Some(decompressed_bytes) => {
                    let limits = reader::Limits { decompressed_bytes, ..reading.limits.clone() };
                    with(limits).read(input, &mut taking)
                }
            };
            ahead.ends(at);
            taking.worker.flush(&mut taking.its.pieces);
            let mut its = taking.its;
            its.losses += totals.losses;
            bytes.fetch_add(its.pieces.bytes, Relaxed);
            progress(Step { files: 1, ..Step::default() });
            all.lock().unwrap_or_else(PoisonError::into_inner).insert(at, its);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..reading.threads.clamp(1, files.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Takes the records of a file.
struct Taking<'a, 's, 'i> {
    input: &'a Input,
    worker: Worker<'s>,
    builder: &'a mut DocumentBuilder,
    its: FileRead,
    reading: &'a Reading<'a>,
    intake: &'a Mutex<Intake<'i>>,
    progress: &'a (dyn Fn(Step) + Sync),
}

impl reader::Sink for Taking<'_, '_, '_> {
    fn record(&mut self, record: reader::Record<'_>) -> ControlFlow<()> {
        self.its.records += 1;
        (self.progress)(Step { records: 1, ..Step::default() });
        let place = |what: &str| format!("{}, record {}: {what}", self.input.name(), record.ordinal + 1);
        let kind = match record.kind {
            RecordKind::CloudTrail => Kind::CloudTrail,
            RecordKind::Document => Kind::Document,
            RecordKind::Other => {
                let text = place("STORE009: neither a CloudTrail record nor an ECS document");
                self.its.lose(self.reading, (record.index, record.id, record.text));
                self.its.trouble("STORE009", text.clone());
                let why = Why::Unreadable(Trouble { code: "STORE009", text });
                self.its.place(self.reading, &record, Some(why));
                return ControlFlow::Continue(());
            }
        };
        if !(self.reading.wants)(self.input, &record) {
            self.its.dropped += 1;
            self.its.place(self.reading, &record, Some(Why::Unwanted));
            return ControlFlow::Continue(());
        }
        self.its.place(self.reading, &record, None);
        let reader::Record { ordinal, id, index, text, tokens, .. } = record;
        let origin = Origin { input: self.input.id, ordinal };
        let record = Record { origin, kind, id, index, text, tokens };
        if let Err(error) = self.worker.push(&record, &mut self.its.pieces) {
            let told = place(&format!("{}: {error}", error.code()));
            // Whoever reads it again is to be told of it again, and may know better.
            if let Ok(it) = self.builder.build(&record) {
                self.its.pieces.push(Piece::of_unread(&it.id, &it.index, kind, origin, text));
                self.its.broken += 1;
            } else {
                self.its.lose(self.reading, (record.index, record.id, record.text));
                if let Some(place) = self.its.places.last_mut() {
                    place.left_out =
                        Some(Why::Unreadable(Trouble { code: error.code(), text: told.clone() }));
                }
            }
            self.its.trouble(error.code(), told);
        }
        // A file larger than memory: what there is of it is written, and counts with the rest.
        if self.its.pieces.bytes >= self.reading.batch_bytes {
            let pieces = std::mem::take(&mut self.its.pieces.taken);
            self.its.pieces.bytes = 0;
            let mut intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = intake.take(pieces).and_then(|()| intake.write()) {
                intake.failed.get_or_insert(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.its.trouble(problem.cause.code(), problem.to_string());
    }

    fn progress(&mut self, progress: reader::Progress) {
        (self.progress)(Step { bytes: progress.read_bytes, ..Step::default() });
    }
}
