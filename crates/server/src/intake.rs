//! The one who writes: a thread that stores what all sources deliver.
//!
//! What waits is stored together, with one commit, and each delivery is answered when it is on the disk. What waits is
//! bounded: who comes when there is no room is told so, and nothing of it is kept. What cannot be read is kept as a dead
//! letter, with the same commit; what brings the reader down is, too.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ecs::Millis;
use reader::{Input, RecordKind};
use serde_json::Value;
use store::{Compaction, Delivered, Delivery, Ingest, LetterLimits, Refused, StoreError, Trouble};
use tokio::sync::oneshot;

use crate::log::{Clock, Log};
use crate::source::Source;

/// Bytes that are stored with one commit, about.
const GROUP_BYTES: usize = 64 << 20;
/// Batches after which it is looked whether small segments are to be made larger ones.
const COMPACTED_EVERY: u32 = 64;
/// Deliveries that are stored with one commit.
const GROUP_MAX: usize = 1_024;

/// The code of what brought the reader down.
const PANICKED: &str = "SRV021";

/// Something that is to be stored.
pub(crate) struct Offer {
    pub(crate) source: Arc<Source>,
    pub(crate) input: Input,
    /// How many bytes of text it may hold at most, if that is less than what any may.
    pub(crate) text_max: Option<u64>,
    pub(crate) tells_fates: bool,
    /// Records that came with it and are none.
    pub(crate) refused: Vec<Refused>,
    /// The dead letter whose contents it is, if it is one.
    pub(crate) replays: Option<u64>,
}

/// Why something was not stored. It can be delivered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotStored {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

/// There is no room for what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

type Answer = oneshot::Sender<Result<Delivered, NotStored>>;

struct Job {
    offer: Offer,
    answer: Answer,
}

/// What the thread is asked for.
enum Work {
    Store(Box<Job>),
    /// A dead letter is to be thrown away.
    Discard(u64, oneshot::Sender<Result<(), NotStored>>),
    /// So much may be kept of what cannot be read, from now on.
    Bound(LetterLimits),
}

/// How often it is told at most that dead letters had to go.
const LET_GO_TOLD_EVERY_MS: Millis = 60_000;

/// Takes offers to the thread.
pub(crate) struct Intake {
    jobs: Mutex<Option<Sender<Work>>>,
    shared: Arc<Shared>,
    queue_bytes: usize,
}

/// What both sides know.
#[derive(Default)]
struct Shared {
    waiting_bytes: AtomicUsize,
    waiting: AtomicU64,
    batches: AtomicU64,
    failures: AtomicU64,
    /// Why the last batch could not be stored.
    trouble: Mutex<Option<NotStored>>,
}

/// What is known of the thread, for whoever watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IntakeState {
    pub(crate) waiting_bytes: usize,
    pub(crate) waiting: u64,
    pub(crate) batches: u64,
    pub(crate) failures: u64,
    pub(crate) trouble: Option<NotStored>,
}

impl Intake {
    /// Starts the thread. It ends, and settles the store, when [`Intake::end`] was called and all that waits is stored.
    pub(crate) fn start(
        ingest: Ingest,
        queue_bytes: usize,
        clock: Clock,
        log: Log,
    ) -> (Self, JoinHandle<()>) {
        let (jobs, waiting) = channel();
        let shared = Arc::new(Shared::default());
        let writer = Writer { ingest, shared: Arc::clone(&shared), clock, log, told_let_go: BTreeMap::new() };
        let thread = std::thread::spawn(move || writer.run(&waiting));
        (Self { jobs: Mutex::new(Some(jobs)), shared, queue_bytes }, thread)
    }

    /// Offers something. What comes back is answered once it is stored for good, or not at all.
    pub(crate) fn offer(
        &self,
        offer: Offer,
    ) -> Result<oneshot::Receiver<Result<Delivered, NotStored>>, Full> {
        let bytes = usize::try_from(offer.input.size).unwrap_or(usize::MAX);
        let room = |waiting: usize| {
            // What is larger than the whole queue must have a way in, too.
            (waiting == 0 || waiting.saturating_add(bytes) <= self.queue_bytes)
                .then(|| waiting.saturating_add(bytes))
        };
        self.shared.waiting_bytes.fetch_update(Relaxed, Relaxed, room).map_err(|_| Full)?;
        let (answer, later) = oneshot::channel();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sent =
            jobs.as_ref().is_some_and(|jobs| jobs.send(Work::Store(Box::new(Job { offer, answer }))).is_ok());
        if sent {
            self.shared.waiting.fetch_add(1, Relaxed);
            Ok(later)
        } else {
            self.shared.waiting_bytes.fetch_sub(bytes, Relaxed);
            Err(Full)
        }
    }

    /// Throws a dead letter away.
    pub(crate) fn discard(&self, letter: u64) -> Result<oneshot::Receiver<Result<(), NotStored>>, Full> {
        let (answer, later) = oneshot::channel();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = jobs.as_ref().is_some_and(|jobs| jobs.send(Work::Discard(letter, answer)).is_ok());
        if sent { Ok(later) } else { Err(Full) }
    }

    /// Bounds what is kept of what cannot be read.
    pub(crate) fn bound(&self, letters: LetterLimits) {
        if let Some(jobs) = &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            // Who has ended keeps nothing any more.
            let _ = jobs.send(Work::Bound(letters));
        }
    }

    /// Takes nothing more.
    pub(crate) fn end(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn state(&self) -> IntakeState {
        let it = &self.shared;
        IntakeState {
            waiting_bytes: it.waiting_bytes.load(Relaxed),
            waiting: it.waiting.load(Relaxed),
            batches: it.batches.load(Relaxed),
            failures: it.failures.load(Relaxed),
            trouble: it.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

struct Writer {
    ingest: Ingest,
    shared: Arc<Shared>,
    clock: Clock,
    log: Log,
    /// By source, when it was last told that letters of it had to go.
    told_let_go: BTreeMap<String, Millis>,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Work>) {
        let mut since_compacted = 0;
        while let Ok(first) = jobs.recv() {
            let (mut bytes, mut group, mut discards) = (0, Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(work) = next {
                match work {
                    Work::Store(job) => {
                        bytes += job.offer.input.size as usize;
                        group.push(*job);
                    }
                    Work::Discard(letter, answer) => discards.push((letter, answer)),
                    Work::Bound(letters) => self.ingest.bound(letters),
                }
                let has_room = bytes < GROUP_BYTES && group.len() < GROUP_MAX;
                next = has_room.then(|| jobs.try_recv().ok()).flatten();
            }
            if !group.is_empty() {
                self.store(group);
                self.tell_let_go();
            }
            for (letter, answer) in discards {
                let done = self.ingest.store().discard_letter(letter);
                let _ = answer.send(done.map(|_| ()).map_err(|it| NotStored::of(&it)));
            }
            since_compacted += 1;
            if since_compacted >= COMPACTED_EVERY {
                since_compacted = 0;
                self.compact();
            }
        }
        if let Err(error) = self.ingest.close() {
            self.log.error(error.code(), &error.to_string(), &[]);
        }
    }

    /// Makes few segments of many. What was stored stays, whatever comes of it.
    fn compact(&mut self) {
        let now = (self.clock)();
        let store = self.ingest.store_mut();
        let done = catch_unwind(AssertUnwindSafe(|| store::compact(store, Compaction::Usual, now, &|_| ())));
        match done {
            Ok(Ok(done)) if done.segments_before > 0 => {
                let details =
                    [("before", Value::from(done.segments_before)), ("after", done.segments_after.into())];
                self.log.info("SRV022", "segments were made one", &details);
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                self.log.error(error.code(), &format!("segments stay as they are: {error}"), &[]);
            }
            Err(_) => self.log.error(
                PANICKED,
                "making segments one failed in a way that should not be; please report it",
                &[],
            ),
        }
    }

    /// Says which dead letters had to go, because a bound was met: not for each of them, where they come all the time.
    fn tell_let_go(&mut self) {
        let now = (self.clock)();
        for it in self.ingest.let_go() {
            let last = self.told_let_go.get(&it.source);
            if last.is_some_and(|last| (0..LET_GO_TOLD_EVERY_MS).contains(&now.saturating_sub(*last))) {
                continue;
            }
            let why = if it.is_age {
                "they were older than `dead_letters_age`"
            } else {
                "there are more of the source than `dead_letters_max` has room for"
            };
            let details = [
                ("source", Value::from(it.source.as_str())),
                ("letters", it.letters.into()),
                ("records", it.records.into()),
            ];
            self.log.warn("SRV023", &format!("dead letters were let go: {why}"), &details);
            self.told_let_go.insert(it.source, now);
        }
    }

    /// Stores a group and answers it.
    fn store(&mut self, group: Vec<Job>) {
        let sizes: usize = group.iter().map(|it| it.offer.input.size as usize).sum();
        let count = group.len() as u64;
        let stored = match self.take(&group) {
            Some(stored) => stored,
            // One of them brings the reader down: the others are not to suffer for it.
            None if group.len() > 1 => {
                let one = |job| self.take(std::slice::from_ref(job)).unwrap_or_else(|| self.keep(job));
                let each: Vec<Result<Vec<Delivered>, NotStored>> = group.iter().map(one).collect();
                self.free(sizes, count);
                for (job, its) in group.into_iter().zip(each) {
                    self.tell(job, its.map(|mut it| it.pop().unwrap_or_default()));
                }
                return;
            }
            None => self.keep(&group[0]),
        };
        self.free(sizes, count);
        match stored {
            Ok(delivered) => group.into_iter().zip(delivered).for_each(|(job, its)| self.tell(job, Ok(its))),
            Err(error) => group.into_iter().for_each(|job| self.tell(job, Err(error.clone()))),
        }
    }

    fn free(&self, bytes: usize, count: u64) {
        self.shared.waiting_bytes.fetch_sub(bytes, Relaxed);
        self.shared.waiting.fetch_sub(count, Relaxed);
    }

    /// Keeps what brings the reader down.
    fn keep(&mut self, job: &Job) -> Result<Vec<Delivered>, NotStored> {
        let text = format!(
            "{PANICKED}: {}: reading it failed in a way that should not be; please report it",
            job.offer.input.name()
        );
        let wants = |_: RecordKind, _: Option<&str>| true;
        let delivery = job.offer.delivery(&wants);
        let kept = self.ingest.keep(&delivery, &Trouble { code: PANICKED, text }, (self.clock)());
        kept.map(|it| vec![it]).map_err(|it| NotStored::of(&it))
    }

    /// Nothing if that panicked.
    fn take(&mut self, group: &[Job]) -> Option<Result<Vec<Delivered>, NotStored>> {
        let wants: Vec<_> = group
            .iter()
            .map(|job| {
                let source = Arc::clone(&job.offer.source);
                move |kind, index: Option<&str>| source.wants(kind, index)
            })
            .collect();
        let mut deliveries: Vec<Delivery<'_>> = Vec::with_capacity(group.len());
        for (job, wants) in group.iter().zip(&wants) {
            deliveries.push(job.offer.delivery(wants));
        }
        let now = (self.clock)();
        let ingest = &mut self.ingest;
        let taken = catch_unwind(AssertUnwindSafe(|| ingest.take(&deliveries, now)));
        let Ok(taken) = taken else {
            // What it remembers may be of a batch that does not count.
            self.ingest.store_mut();
            return None;
        };
        let taken = taken.map_err(|it| NotStored::of(&it));
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &taken {
            Ok(_) => {
                self.shared.batches.fetch_add(1, Relaxed);
                if trouble.take().is_some() {
                    self.log.info("SRV020", "events are stored again", &[]);
                }
            }
            Err(error) => {
                self.shared.failures.fetch_add(1, Relaxed);
                if trouble.as_ref() != Some(error) {
                    self.log.error(error.code, &format!("nothing can be stored: {}", error.detail), &[]);
                }
                *trouble = Some(error.clone());
            }
        }
        Some(taken)
    }

    fn tell(&self, job: Job, its: Result<Delivered, NotStored>) {
        match &its {
            Ok(delivered) => {
                job.offer.source.delivered((self.clock)(), delivered);
                for it in &delivered.troubles {
                    let source = Value::from(job.offer.source.name());
                    self.log.warn(it.code, &it.text, &[("source", source)]);
                }
            }
            Err(error) => job.offer.source.failed((self.clock)(), &error.detail),
        }
        // Who asked may be gone; what is stored is stored.
        let _ = job.answer.send(its);
    }
}

impl Offer {
    /// All of an input, and nobody asks for the fates of its records.
    pub(crate) fn new(source: &Arc<Source>, input: Input) -> Self {
        Self {
            source: Arc::clone(source),
            input,
            text_max: None,
            tells_fates: false,
            refused: Vec::new(),
            replays: None,
        }
    }

    fn delivery<'a>(&'a self, wants: &'a store::Wants<'a>) -> Delivery<'a> {
        Delivery {
            source: self.source.name(),
            input: self.input.clone(),
            wants: Some(wants),
            text_max: self.text_max,
            tells_fates: self.tells_fates,
            refused: &self.refused,
            replays: self.replays,
        }
    }
}

impl NotStored {
    fn of(error: &StoreError) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogFormat;

    fn ingest(folder: &std::path::Path) -> Ingest {
        let options = store::IngestOptions {
            limits: reader::Limits::default(),
            threads: 1,
            batch_bytes: 1 << 20,
            engine: "test".to_owned(),
            letters: LetterLimits::default(),
        };
        Ingest::open(folder, options).unwrap()
    }

    fn offer(source: &Arc<Source>, text: &str) -> Offer {
        let input = Input::memory(0, "test", Arc::new(text.as_bytes().to_vec()));
        Offer::new(source, input)
    }

    fn record(id: usize) -> String {
        format!("{{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-01T10:00:00Z\",\"eventID\":\"{id}\"}}\n")
    }

    #[test]
    fn what_is_answered_is_stored_and_what_has_no_room_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let clock: Clock = Arc::new(|| 1_772_500_000_000);
        let log = Log::new(LogFormat::Json, Arc::clone(&clock));
        let (intake, thread) = Intake::start(ingest(folder.path()), 4_000, clock, log);
        let source = Arc::new(Source::http("http", &[]));
        let (mut later, mut refused) = (Vec::new(), 0);
        for id in 0..400 {
            match intake.offer(offer(&source, &record(id))) {
                Ok(it) => later.push(it),
                Err(Full) => refused += 1,
            }
            assert!(intake.state().waiting_bytes <= 4_000);
        }
        assert!(refused > 0, "a hundred bytes each, and room for four thousand");
        // Larger than the queue, but alone.
        let stored = later.len() as u64;
        for it in later {
            assert_eq!(it.blocking_recv().unwrap().unwrap().accounting.stored, 1);
        }
        let large: String = (1_000..1_100).map(record).collect();
        let it = intake.offer(offer(&source, &large)).unwrap();
        assert_eq!(it.blocking_recv().unwrap().unwrap().accounting.stored, 100);
        intake.end();
        thread.join().unwrap();
        assert_eq!(intake.offer(offer(&source, &record(1))).err(), Some(Full));
        let store = store::Store::open(folder.path()).unwrap();
        assert_eq!(store.sources().unwrap()[0].accounting.stored, stored + 100);
        assert_eq!(intake.state().waiting_bytes, 0);
    }

    #[test]
    fn what_could_not_be_stored_is_told_and_can_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let clock: Clock = Arc::new(|| 1_772_500_000_000);
        let log = Log::new(LogFormat::Json, Arc::clone(&clock));
        let (intake, thread) = Intake::start(ingest(folder.path()), 4_000, clock, log);
        let source = Arc::new(Source::http("http", &[]));
        let send = |id| intake.offer(offer(&source, &record(id))).unwrap().blocking_recv().unwrap();
        std::fs::remove_dir_all(folder.path().join("incoming")).unwrap();
        assert_eq!(send(1).unwrap_err().code, "STORE005");
        assert_eq!((intake.state().failures, intake.state().trouble.unwrap().code), (1, "STORE005"));
        std::fs::create_dir(folder.path().join("incoming")).unwrap();
        assert_eq!(send(1).unwrap().accounting.stored, 1);
        assert_eq!(intake.state().trouble, None);
        intake.end();
        thread.join().unwrap();
    }
}
