//! The one who writes: a thread that stores what all sources deliver.
//!
//! What waits is stored together, with one commit, and each delivery is answered when it is on the disk. What waits is
//! bounded: who comes when there is no room is told so, and nothing of it is kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use reader::Input;
use serde_json::Value;
use store::{Compaction, Delivered, Delivery, Ingest, StoreError};
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

/// Takes offers to the thread.
pub(crate) struct Intake {
    jobs: Mutex<Option<Sender<Job>>>,
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
        let writer = Writer { ingest, shared: Arc::clone(&shared), clock, log };
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
        let sent = jobs.as_ref().is_some_and(|jobs| jobs.send(Job { offer, answer }).is_ok());
        if sent {
            self.shared.waiting.fetch_add(1, Relaxed);
            Ok(later)
        } else {
            self.shared.waiting_bytes.fetch_sub(bytes, Relaxed);
            Err(Full)
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
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut since_compacted = 0;
        while let Ok(first) = jobs.recv() {
            let mut bytes = first.offer.input.size as usize;
            let mut group = vec![first];
            while bytes < GROUP_BYTES && group.len() < GROUP_MAX {
                let Ok(job) = jobs.try_recv() else { break };
                bytes += job.offer.input.size as usize;
                group.push(job);
            }
            self.store(group);
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

    /// Stores a group and answers it.
    fn store(&mut self, group: Vec<Job>) {
        let sizes: usize = group.iter().map(|it| it.offer.input.size as usize).sum();
        let count = group.len() as u64;
        let stored = match self.take(&group) {
            Some(stored) => stored,
            // One of them brings the reader down: the others are not to suffer for it.
            None if group.len() > 1 => {
                let one = |job| self.take(std::slice::from_ref(job)).unwrap_or_else(|| Err(panicked()));
                let each: Vec<Result<Vec<Delivered>, NotStored>> = group.iter().map(one).collect();
                self.free(sizes, count);
                for (job, its) in group.into_iter().zip(each) {
                    self.tell(job, its.map(|mut it| it.pop().unwrap_or_default()));
                }
                return;
            }
            None => Err(panicked()),
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
    fn delivery<'a>(&'a self, wants: &'a store::Wants<'a>) -> Delivery<'a> {
        Delivery {
            source: self.source.name(),
            input: self.input.clone(),
            wants: Some(wants),
            text_max: self.text_max,
            tells_fates: self.tells_fates,
        }
    }
}

impl NotStored {
    fn of(error: &StoreError) -> Self {
        Self { code: error.code(), detail: error.to_string() }
    }

    /// Whether it comes of what was delivered, and would come again.
    pub(crate) fn is_of_the_delivery(&self) -> bool {
        self.code == PANICKED
    }
}

fn panicked() -> NotStored {
    NotStored {
        code: PANICKED,
        detail: "reading it failed in a way that should not be; please report it".to_owned(),
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
        };
        Ingest::open(folder, options).unwrap()
    }

    fn offer(source: &Arc<Source>, text: &str) -> Offer {
        let input = Input::memory(0, "test", Arc::new(text.as_bytes().to_vec()));
        Offer { source: Arc::clone(source), input, text_max: None, tells_fates: false }
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
