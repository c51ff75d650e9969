//! What is known of objects while the server runs. The store is the authority; this saves asking it, and the bucket.

use std::collections::{HashMap, HashSet};

use bucket::Object;
use ecs::Millis;
use reader::Remote as _;
use sha2::{Digest as _, Sha256};

/// So many objects are remembered: 32 MB, about.
const OBJECTS_MAX: usize = 1 << 20;
/// After this time an object that could not be had is asked for again; each time twice as long,
const AGAIN_MS: Millis = 15_000;
/// up to this time.
const AGAIN_MS_MAX: Millis = 3_600_000;

/// An object as it was, by a hash: two have the same one never.
type Known = u128;

#[derive(Default)]
pub(super) struct Memory {
    /// Those that are done with.
    done: HashSet<Known>,
    /// Those that somebody is about to take.
    claimed: HashSet<Known>,
    /// Those that could not be had: how often, and when to ask again.
    later: HashMap<Known, (u32, Millis)>,
}

fn known(object: &Object) -> Known {
    let mut hasher = Sha256::new();
    hasher.update(object.size().to_le_bytes());
    hasher.update(object.modified_ms().to_le_bytes());
    hasher.update(object.address());
    let hash: [u8; 32] = hasher.finalize().into();
    let (head, _) = hash.split_at(16);
    Known::from_le_bytes(head.try_into().expect("it is half of the hash"))
}

impl Memory {
    pub(super) fn is_done(&self, object: &Object) -> bool {
        self.done.contains(&known(object))
    }

    pub(super) fn done(&mut self, object: &Object) {
        // What is forgotten is asked of the store.
        if self.done.len() >= OBJECTS_MAX {
            self.done.clear();
        }
        let known = known(object);
        self.later.remove(&known);
        self.done.insert(known);
    }

    /// Whether it is to be asked for by now, if it could not be had before.
    pub(super) fn is_due(&self, object: &Object, now: Millis) -> bool {
        self.later.get(&known(object)).is_none_or(|it| it.1 <= now || it.1 > now + AGAIN_MS_MAX)
    }

    pub(super) fn failed(&mut self, object: &Object, now: Millis) {
        if self.later.len() >= OBJECTS_MAX {
            self.later.clear();
        }
        let (times, due) = self.later.entry(known(object)).or_default();
        *times += 1;
        *due = now + AGAIN_MS.saturating_mul(1 << (*times - 1).min(16)).min(AGAIN_MS_MAX);
    }

    /// Whether nobody else is about to take it; from now on somebody is.
    pub(super) fn claim(&mut self, object: &Object) -> bool {
        self.claimed.insert(known(object))
    }

    pub(super) fn release(&mut self, object: &Object) {
        self.claimed.remove(&known(object));
    }
}
