//! Events that were delivered more than once: CloudTrail delivers some several times, and people keep copies.

use std::collections::HashSet;

use sift::Document;
use xxhash_rust::xxh3::Xxh3Default;

/// Tells the first delivery of an event from further ones. An event is its `_id` in its index.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Sixteen bytes an event rather than its name: the chance that two of a billion events share them is one in 10²⁰.
    seen: HashSet<u128>,
    /// Deliveries after the first.
    pub(crate) count: u64,
}

impl Copies {
    /// Whether the event was there before; counts it, if so.
    pub(crate) fn is_copy(&mut self, document: &Document) -> bool {
        let is_copy = !self.seen.insert(hash(&document.index, &document.id).digest128());
        self.count += u64::from(is_copy);
        is_copy
    }
}

/// Counts the deliveries of events that rules match. Nobody is asked whether an event was there before, so that it takes
/// eight bytes a delivery and no look-ups. It is a count, and no verdict stands on it.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(Vec<u64>);

impl Deliveries {
    /// An event that rules match was read.
    pub(crate) fn add(&mut self, index: &str, id: &str) {
        self.0.push(hash(index, id).digest());
    }

    /// Adds those of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many deliveries were not the first of their event.
    pub(crate) fn copies(mut self) -> u64 {
        let all = self.0.len();
        self.0.sort_unstable();
        self.0.dedup();
        (all - self.0.len()) as u64
    }
}

fn hash(index: &str, id: &str) -> Xxh3Default {
    let mut hasher = Xxh3Default::new();
    hasher.update(index.as_bytes());
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher
}
