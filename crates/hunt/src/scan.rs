//! Reads all inputs on all threads, and gives each record to one of them.
//!
//! A thread takes the next input and reads it. When other threads have nothing left to take, it packs records into
//! batches and hands them over, so that one big file keeps every core busy.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard};

use json::Tokens;
use reader::{Ahead, Cause, Input, Problem, Reader, RecordKind, Sink, Stored, StoredError, Totals};
use sift::{Document, DocumentBuilder, Kind};

use crate::Progress;
use crate::trouble::RecordError;

/// Text of a batch that is handed over.
const BATCH_BYTES: usize = 1 << 20;
/// So many records are told of at a time: the counter is shared, and threads that increase it for each record wait for one
/// another.
const RECORDS_TOLD: u64 = 64;
/// Batches that wait, for each thread; whoever reads then works itself instead.
const BATCHES_WAITING: usize = 2;

/// A record, wherever it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRecord<'a> {
    pub(crate) input: u32,
    pub(crate) ordinal: u64,
    pub(crate) kind: RecordKind,
    pub(crate) id: Option<&'a str>,
    pub(crate) index: Option<&'a str>,
    pub(crate) text: &'a str,
    /// The tokens of the text, if they are known.
    pub(crate) tokens: Option<&'a Tokens>,
}

impl<'a> RawRecord<'a> {
    /// As the pass takes records, or why it does not take this one.
    pub(crate) fn record(&self) -> Result<sift::Record<'a>, RecordError> {
        let Self { input, ordinal, kind, id, index, text, tokens } = *self;
        let kind = match kind {
            RecordKind::CloudTrail => Kind::CloudTrail,
            RecordKind::Document => Kind::Document,
            RecordKind::Other => return Err(RecordError::Neither),
        };
        Ok(sift::Record { origin: block::Origin { input, ordinal }, kind, id, index, text, tokens })
    }

    /// Its document.
    pub(crate) fn document(&self, builder: &mut DocumentBuilder) -> Result<Document, RecordError> {
        Ok(builder.build(&self.record()?)?)
    }
}

/// What a thread does with what it reads. The order of records is not defined.
pub(crate) trait Visit: Send {
    /// A record.
    fn record(&mut self, record: RawRecord<'_>);
    /// Something that could not be read.
    fn problem(&mut self, problem: Problem);
    /// A text was read, a file or a member of an archive; only if the reader is asked for hashes.
    fn text(&mut self, input: u32, text: reader::FileText<'_>) {
        let _ = (input, text);
    }
    /// Whether it takes segments of a store by their columns, a part of them at a time, and not record by record.
    fn takes_parts(&self) -> bool {
        false
    }
    /// Takes a part of a segment; only if it takes such.
    fn part(&mut self, input: &Input, segment: &dyn Stored, part: usize) -> PartRead {
        let _ = (input, segment, part);
        (0, Ok(()))
    }
    /// There is nothing more.
    fn end(&mut self) {}
    /// Whether it has seen enough.
    fn is_done(&self) -> bool {
        false
    }
}

/// What became of a part of a segment that was read by its columns: how many events were taken, and why not more.
pub(crate) type PartRead = (u64, Result<(), StoredError>);

/// Which records of which inputs.
pub(crate) enum Which<'a> {
    /// All.
    All(&'a [Input]),
    /// Those with these ordinals, ascending.
    These(&'a [(Input, Vec<u64>)]),
}

impl Which<'_> {
    fn len(&self) -> usize {
        match self {
            Self::All(inputs) => inputs.len(),
            Self::These(inputs) => inputs.len(),
        }
    }

    fn input(&self, at: usize) -> (&Input, Option<&[u64]>) {
        match self {
            Self::All(inputs) => (&inputs[at], None),
            Self::These(inputs) => (&inputs[at].0, Some(&inputs[at].1)),
        }
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadTotals {
    pub(crate) records: u64,
    pub(crate) read_bytes: u64,
    pub(crate) text_bytes: u64,
    pub(crate) problems: u64,
    pub(crate) skipped_members: u64,
}

/// Runs one visitor a thread over the records and gives the visitors back.
pub(crate) fn scan<V: Visit>(
    which: &Which<'_>,
    options: &reader::Options,
    threads: usize,
    progress: &Progress,
    make: impl Fn() -> V + Sync,
) -> (Vec<V>, ReadTotals) {
    let bytes = (0..which.len()).map(|at| which.input(at).0.size).sum();
    progress.expect(which.len() as u64, bytes);
    let ahead = Ahead::new((0..which.len()).map(|at| which.input(at).0));
    let shared = Shared {
        threads,
        state: Mutex::new(State { next: 0, next_part: 0, reading: 0, idle: 0, batches: VecDeque::new() }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        let work = || {
            let mut visitor = make();
            let mut reader = Reader::new(options.clone());
            let mut totals = ReadTotals::default();
            let takes_parts = visitor.takes_parts();
            // Parts of one segment are read by several threads.
            let parts = |at: usize| match which.input(at) {
                (input, None) if takes_parts => input.segment().map(Stored::parts),
                _ => None,
            };
            while let Some(task) = shared.next(which.len(), parts) {
                match task {
                    Task::Read { at, part } => {
                        let _reading = Reading(&shared);
                        let (input, ordinals) = which.input(at);
                        ahead.begins(at);
                        let mut hand = Hand {
                            visitor: &mut visitor,
                            shared: &shared,
                            progress,
                            input: input.id,
                            batch: Batch::default(),
                            untold: 0,
                        };
                        let read = match (part.and_then(|it| Some((it, input.segment()?))), ordinals) {
                            (Some((part, segment)), _) => hand.part(input, segment, part),
                            (None, None) => reader.read(input, &mut hand),
                            (None, Some(ordinals)) => reader.read_at(input, ordinals, &mut hand),
                        };
                        hand.flush();
                        ahead.ends(at);
                        totals.records += read.records;
                        totals.read_bytes += read.read_bytes;
                        totals.text_bytes += read.text_bytes;
                        totals.problems += read.problems;
                        totals.skipped_members += read.skipped_members;
                        if part.is_none_or(|it| it == 0) {
                            progress.add_file();
                        }
                    }
                    Task::Batch(batch) => batch.visit(&mut visitor),
                }
            }
            visitor.end();
            (visitor, totals)
        };
        let handles: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let (first, mut totals) = work();
        let mut visitors = vec![first];
        for handle in handles {
            let (visitor, more) = handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            visitors.push(visitor);
            totals.records += more.records;
            totals.read_bytes += more.read_bytes;
            totals.text_bytes += more.text_bytes;
            totals.problems += more.problems;
            totals.skipped_members += more.skipped_members;
        }
        (visitors, totals)
    })
}

/// What the threads share.
struct Shared {
    threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The next input that nobody has taken.
    next: usize,
    /// Its next part that nobody has taken, if it is taken in parts.
    next_part: usize,
    /// How many threads read one.
    reading: usize,
    /// How many threads wait for something to do.
    idle: usize,
    batches: VecDeque<Batch>,
}

/// An input is being read. Those who wait learn when that ends, even if it is by a panic: else they wait forever.
struct Reading<'s>(&'s Shared);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.done_reading();
    }
}

enum Task {
    /// An input, or a part of it.
    Read {
        at: usize,
        part: Option<usize>,
    },
    Batch(Batch),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panics ends the hunt; the others must not hide its panic behind another.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Something to do, or nothing ever again. `parts` says in how many parts an input is taken, if it is taken so.
    fn next(&self, inputs: usize, parts: impl Fn(usize) -> Option<usize>) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
                return Some(Task::Batch(batch));
            }
            if state.next < inputs {
                state.reading += 1;
                let at = state.next;
                let Some(parts) = parts(at).filter(|it| *it > 0) else {
                    state.next += 1;
                    return Some(Task::Read { at, part: None });
                };
                let part = state.next_part;
                state.next_part += 1;
                if state.next_part >= parts {
                    (state.next, state.next_part) = (at + 1, 0);
                }
                return Some(Task::Read { at, part: Some(part) });
            }
            if state.reading == 0 {
                self.changed.notify_all();
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn done_reading(&self) {
        let mut state = self.lock();
        state.reading -= 1;
        if state.reading == 0 {
            self.changed.notify_all();
        }
    }

    /// Whether a thread waits, and not enough is prepared for it.
    fn wants_batches(&self) -> bool {
        let state = self.lock();
        state.idle > 0 && state.batches.len() < BATCHES_WAITING * self.threads
    }

    fn give(&self, batch: Batch) {
        self.lock().batches.push_back(batch);
        self.changed.notify_one();
    }
}

/// Records on their way to another thread.
#[derive(Default)]
struct Batch {
    text: String,
    records: Vec<BatchRecord>,
}

struct BatchRecord {
    input: u32,
    ordinal: u64,
    kind: RecordKind,
    id: Option<String>,
    index: Option<String>,
    end: usize,
}

impl Batch {
    fn push(&mut self, record: &RawRecord<'_>) {
        self.text.push_str(record.text);
        self.records.push(BatchRecord {
            input: record.input,
            ordinal: record.ordinal,
            kind: record.kind,
            id: record.id.map(str::to_owned),
            index: record.index.map(str::to_owned),
            end: self.text.len(),
        });
    }

    fn visit(&self, visitor: &mut impl Visit) {
        let mut start = 0;
        for record in &self.records {
            visitor.record(RawRecord {
                input: record.input,
                ordinal: record.ordinal,
                kind: record.kind,
                id: record.id.as_deref(),
                index: record.index.as_deref(),
                text: &self.text[start..record.end],
                tokens: None,
            });
            start = record.end;
        }
    }
}

/// Takes what the reader finds: for this thread, or for one that waits.
struct Hand<'a, V> {
    visitor: &'a mut V,
    shared: &'a Shared,
    progress: &'a Progress,
    input: u32,
    batch: Batch,
    /// Records that the progress does not know of yet.
    untold: u64,
}

impl<V: Visit> Hand<'_, V> {
    /// Reads a part of a segment by its columns.
    fn part(&mut self, input: &Input, segment: &dyn Stored, part: usize) -> Totals {
        let (records, read) = self.visitor.part(input, segment, part);
        let parts = segment.parts().max(1) as u64;
        let read_bytes = input.size / parts + if part == 0 { input.size % parts } else { 0 };
        self.progress.add_records(records);
        self.progress.add_bytes(read_bytes);
        let mut totals = Totals { records, read_bytes, ..Totals::default() };
        if let Err(StoredError { detail }) = read {
            let (input, name) = (input.id, input.name().to_owned());
            let cause = Cause::Segment { detail };
            self.visitor.problem(Problem { input, name, member: None, place: None, cause });
            (totals.problems, totals.losses) = (1, 1);
        }
        totals
    }

    fn flush(&mut self) {
        self.progress.add_records(std::mem::take(&mut self.untold));
        if !self.batch.records.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            if self.shared.wants_batches() {
                self.shared.give(batch);
            } else {
                batch.visit(self.visitor);
            }
        }
    }
}

impl<V: Visit> Sink for Hand<'_, V> {
    fn record(&mut self, record: reader::Record<'_>) -> ControlFlow<()> {
        let raw = RawRecord {
            input: self.input,
            ordinal: record.ordinal,
            kind: record.kind,
            id: record.id,
            index: record.index,
            text: record.text,
            tokens: record.tokens,
        };
        self.untold += 1;
        if self.untold == RECORDS_TOLD {
            self.progress.add_records(std::mem::take(&mut self.untold));
        }
        // Asking is cheap beside a record, and asked once a batch: it takes the lock.
        if !self.batch.records.is_empty()
            || (record.ordinal.is_multiple_of(64) && self.shared.wants_batches())
        {
            self.batch.push(&raw);
            if self.batch.text.len() >= BATCH_BYTES {
                self.flush();
            }
        } else {
            self.visitor.record(raw);
        }
        if self.visitor.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn problem(&mut self, problem: Problem) {
        self.visitor.problem(problem);
    }

    fn text(&mut self, text: reader::FileText<'_>) {
        self.visitor.text(self.input, text);
    }

    fn progress(&mut self, progress: reader::Progress) {
        self.progress.add_bytes(progress.read_bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Panics on the record with this ordinal.
    struct Fragile(u64);

    impl Visit for Fragile {
        fn record(&mut self, record: RawRecord<'_>) {
            assert_ne!(record.ordinal, self.0, "the test asks for it");
        }

        fn problem(&mut self, _: Problem) {}
    }

    #[test]
    fn a_panic_while_others_wait_ends_the_scan() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for _ in 0..20_000 {
            file.write_all(b"{\"eventVersion\":\"1.08\",\"eventName\":\"GetObject\"}\n").unwrap();
        }
        let inputs = [Input::file(0, file.path()).unwrap()];
        let (send, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let options = reader::Options::default();
            let scanned = std::panic::catch_unwind(|| {
                scan(&Which::All(&inputs), &options, 2, &Progress::default(), || Fragile(0)).1
            });
            send.send(scanned.is_err())
        });
        assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(30)), Ok(true));
    }
}
