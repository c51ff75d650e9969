//! What handlers ask: all that the server holds together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use ecs::Millis;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::detection::Detection;
use crate::intake::Intake;
use crate::keys::Keys;
use crate::log::{Clock, Log};
use crate::notify::Notifier;
use crate::rate::Rates;
use crate::reload::Current;
use crate::source::Source;

/// What the server holds together.
pub(crate) struct App {
    pub(crate) version: &'static str,
    /// As it is configured now.
    pub(crate) current: Current,
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) intake: Arc<Intake>,
    pub(crate) sources: Vec<Arc<Source>>,
    /// The one that takes what is posted.
    pub(crate) http: Arc<Source>,
    pub(crate) detection: Detection,
    pub(crate) notifier: Notifier,
    /// Held by whoever investigates.
    pub(crate) investigating: Mutex<()>,
    /// Threads that read and normalise.
    pub(crate) threads: usize,
    pub(crate) counters: Counters,
    /// How many more requests each key may make now.
    pub(crate) rates: Rates,
    /// Room for requests.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) started_ms: Millis,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    /// When somebody without a key was last told of.
    pub(crate) told_refusal: AtomicI64,
}

/// What was counted since the start.
#[derive(Default)]
pub(crate) struct Counters {
    /// Requests by route and status; those of no route have an empty one.
    answered: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Requests without a key that is known.
    pub(crate) refused: AtomicU64,
    /// Requests that came too fast for their keys.
    pub(crate) hurried: AtomicU64,
    /// Bytes of bodies that are in memory.
    pub(crate) held_bytes: AtomicUsize,
}

impl Counters {
    pub(crate) fn answered(&self, path: &'static str, status: u16) {
        let mut all = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry((path, status)).or_default() += 1;
    }

    pub(crate) fn answers(&self) -> BTreeMap<(&'static str, u16), u64> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Refusals are told of this often at most: who tries keys must not fill the log.
const REFUSALS_TOLD_EVERY_MS: Millis = 1_000;

impl App {
    pub(crate) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// How it is configured now: it may be another way a moment later.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.current.config()
    }

    /// Somebody has no key, or a wrong one.
    pub(crate) fn refused(&self, peer: SocketAddr, has_key: bool) {
        let now = self.now();
        let last = self.told_refusal.load(Relaxed);
        let is_due = now.saturating_sub(last) >= REFUSALS_TOLD_EVERY_MS || now < last;
        if is_due && self.told_refusal.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            let what = if has_key { "a key that is not known" } else { "a request without a key" };
            let all = self.counters.refused.load(Relaxed);
            let details = [("peer", Value::from(peer.ip().to_string())), ("refused", all.into())];
            self.log.warn("SRV011", &format!("{what} was refused"), &details);
        }
    }
}
