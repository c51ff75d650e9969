//! Objects fetched, some at a time, and offered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bucket::{BucketError, Fetched, Object};
use ecs::Millis;
use reader::{Input, Remote};
use serde_json::Value;
use store::Store;

use super::Objects;
use crate::intake::Offer;

/// Objects that are fetched and offered together,
const OBJECTS_MAX: usize = 256;
/// and their bytes: so many are held.
const BYTES_MAX: u64 = 32 << 20;
/// Threads that fetch.
const FETCHERS: usize = 24;
/// How long to wait when there is no room, or nothing can be stored.
const PAUSE: Duration = Duration::from_millis(250);
/// Whatever is older than this should have been known of before a listing finds it.
const OVERDUE_MS: Millis = 15 * 60_000;

/// How an object was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By looking for new ones.
    Listed,
    /// A message told of it.
    Noticed,
    /// A listing of everything, which was not the first.
    Reconciled,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is on the disk, or was before.
    Done,
    /// It is gone, or can never be asked for.
    Gone,
    /// It could not be had, or it is being taken by somebody else.
    Later,
}

impl Objects {
    /// Takes those of the objects that are not stored yet; what became of each.
    pub(super) fn take(&self, objects: &[Object], how: How) -> Result<Vec<Outcome>, String> {
        let mut outcomes = vec![Outcome::Later; objects.len()];
        let store = Store::open(&self.data).map_err(|it| it.to_string())?;
        let mut due: Vec<usize> = Vec::new();
        for (at, object) in objects.iter().enumerate() {
            if store.has_taken(&Input::elsewhere(0, Arc::new(object.clone()))).map_err(|it| it.to_string())? {
                self.memory().done(object);
                outcomes[at] = Outcome::Done;
            } else if self.memory().claim(object) {
                due.push(at);
            }
        }
        let oldest = due.iter().map(|&at| objects[at].modified_ms()).min();
        self.source.waits(due.len() as u64);
        self.source.bucket(|it| it.oldest_ms = oldest);
        let mut wrong = Wrong::default();
        let mut left = due.as_slice();
        while !left.is_empty() && !self.stop.is_set() {
            let (mut count, mut bytes) = (0, 0);
            while let Some(&at) = left.get(count).filter(|_| count < OBJECTS_MAX) {
                bytes += objects[at].size();
                if count > 0 && bytes > BYTES_MAX {
                    break;
                }
                count += 1;
            }
            let (these, later) = left.split_at(count);
            left = later;
            self.take_some(objects, these, how, &mut outcomes, &mut wrong);
            self.source.waits(left.len() as u64);
        }
        for &at in &due {
            self.memory().release(&objects[at]);
        }
        let is_all = outcomes.iter().all(|it| *it != Outcome::Later);
        self.source.bucket(|it| it.oldest_ms = it.oldest_ms.filter(|_| !is_all));
        self.tell_wrong(wrong);
        Ok(outcomes)
    }

    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, super::Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_some(
        &self,
        objects: &[Object],
        these: &[usize],
        how: How,
        outcomes: &mut [Outcome],
        wrong: &mut Wrong,
    ) {
        let fetched = self.fetch(objects, these);
        let mut left: VecDeque<(usize, Input)> = VecDeque::new();
        let now = (self.clock)();
        for (&at, fetched) in these.iter().zip(fetched) {
            match fetched {
                // It is time to stop.
                None => {}
                Some(Ok(it)) => left.push_back((at, Input::elsewhere(0, Arc::new(it)))),
                Some(Err(error)) if error.is_lasting() => {
                    self.memory().done(&objects[at]);
                    outcomes[at] = Outcome::Gone;
                    self.source.bucket(|it| it.gone += 1);
                    wrong.add(error);
                }
                Some(Err(error)) => {
                    self.memory().failed(&objects[at], now);
                    self.source.bucket(|it| it.failed += 1);
                    wrong.add(error);
                }
            }
        }
        while !left.is_empty() && !self.stop.is_set() {
            let mut offered = Vec::new();
            while let Some((at, input)) = left.pop_front() {
                let offer = Offer::new(&self.source, input.clone());
                if let Ok(answer) = self.intake.offer(offer) {
                    offered.push((answer, at, input));
                } else {
                    left.push_front((at, input));
                    break;
                }
            }
            let mut is_stuck = offered.is_empty();
            for (answer, at, input) in offered {
                if let Ok(Ok(_)) = answer.blocking_recv() {
                    // What of it could not be read cannot be read again, as long as it is the same.
                    self.stored(&objects[at], how);
                    outcomes[at] = Outcome::Done;
                } else {
                    left.push_back((at, input));
                    is_stuck = true;
                }
            }
            if is_stuck {
                self.stop.wait(PAUSE);
            }
        }
    }

    fn stored(&self, object: &Object, how: How) {
        self.memory().done(object);
        let is_overdue = object.modified_ms() < (self.clock)() - OVERDUE_MS;
        self.source.bucket(|it| {
            let count = match how {
                How::Noticed => &mut it.noticed,
                How::Reconciled if is_overdue => &mut it.reconciled,
                How::Reconciled | How::Listed => &mut it.listed,
            };
            *count += 1;
        });
    }

    /// Fetches objects, many at the same time; nothing of those that are left when it is time to stop.
    fn fetch(&self, objects: &[Object], these: &[usize]) -> Vec<Option<Result<Fetched, BucketError>>> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(BTreeMap::new());
        let folder = self.data.join("incoming");
        std::thread::scope(|scope| {
            for _ in 0..FETCHERS.min(these.len()) {
                scope.spawn(|| {
                    while !self.stop.is_set() {
                        let number = next.fetch_add(1, Relaxed);
                        let Some(&at) = these.get(number) else { break };
                        let fetched = objects[at].fetch(&folder);
                        all.lock().unwrap_or_else(PoisonError::into_inner).insert(number, fetched);
                    }
                });
            }
        });
        let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        (0..these.len()).map(|number| all.remove(&number)).collect()
    }

    /// Says what could not be had: one of each kind, and how many there are.
    pub(super) fn tell_wrong(&self, wrong: Wrong) {
        for (code, (error, count)) in wrong.0 {
            let text = format!("{error}; {}", error.advice());
            self.source.failed((self.clock)(), &format!("{code} {text}"));
            let details = [("source", Value::from(self.source.name())), ("objects", count.into())];
            self.log.warn(code, &text, &details);
        }
    }
}

/// What could not be had, by code: the first of each, and how many.
#[derive(Default)]
pub(super) struct Wrong(BTreeMap<&'static str, (BucketError, u64)>);

impl Wrong {
    pub(super) fn add(&mut self, error: BucketError) {
        self.0.entry(error.code()).or_insert((error, 0)).1 += 1;
    }
}
