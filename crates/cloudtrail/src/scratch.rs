//! Memory that is kept from record to record.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use crate::geo::{Geo, Place};
use crate::options::Version;
use crate::render::Renderer;
use crate::user_agent::{self, EmptyParts, UserAgent};

/// How many different user agents are remembered; when there are more, all are forgotten.
const AGENTS_MAX: usize = if cfg!(test) { 4 } else { 16_384 };
/// Of longer user agents only the beginning is read. CloudTrail itself cuts them off at 1 KB.
const AGENT_BYTES_MAX: usize = 4096;
/// How many different addresses are remembered; when there are more, all are forgotten.
const PLACES_MAX: usize = 65_536;

/// Buffers and caches. They change no result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    /// A text that is being made.
    pub(crate) text: String,
    /// A leaf of a flattened field that is being made.
    pub(crate) key: String,
    /// How many keys the objects of the last document had.
    pub(crate) sizes: Vec<usize>,
    pub(crate) renderer: Renderer,
    pub(crate) agents: Agents,
    pub(crate) places: Places,
}

/// What user agents said: what a thread knows itself, which it asks without waiting for others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agents {
    known: Known,
}

/// By text.
type Known = FxHashMap<Box<str>, Arc<UserAgent>>;

/// What all threads know, with empty parts and without. What a user agent says depends on nothing else, and to find it out
/// takes as long as fifty records: it is found out once, whoever asks.
static ALL_KNOWN: LazyLock<[RwLock<Known>; 2]> = LazyLock::new(Default::default);

/// What the databases said of addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    known: FxHashMap<IpAddr, Arc<Place>>,
}

impl Agents {
    pub(crate) fn get(&mut self, text: &str, version: Version) -> Arc<UserAgent> {
        let end =
            (0..=AGENT_BYTES_MAX.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let text = &text[..end];
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let agent = shared(text, version);
        remember(&mut self.known, text, &agent);
        agent
    }
}

/// What the user agent says, as far as possible without finding it out again.
fn shared(text: &str, version: Version) -> Arc<UserAgent> {
    let empty_parts = match version {
        Version::V8_9 | Version::Filebeat => EmptyParts::End,
        Version::V2_24 => EmptyParts::Keep,
    };
    let all = &ALL_KNOWN[usize::from(empty_parts == EmptyParts::Keep)];
    // Whoever panicked left whole values.
    if let Some(known) = all.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Arc::clone(known);
    }
    let agent = Arc::new(user_agent::parse(text, empty_parts));
    remember(&mut all.write().unwrap_or_else(PoisonError::into_inner), text, &agent);
    agent
}

fn remember(known: &mut Known, text: &str, agent: &Arc<UserAgent>) {
    if known.len() >= AGENTS_MAX {
        known.clear();
    }
    known.insert(text.into(), Arc::clone(agent));
}

impl Places {
    pub(crate) fn get(&mut self, geo: &Geo, address: IpAddr) -> Arc<Place> {
        if let Some(known) = self.known.get(&address) {
            return Arc::clone(known);
        }
        if self.known.len() >= PLACES_MAX {
            self.known.clear();
        }
        let place = Arc::new(geo.place(address));
        self.known.insert(address, Arc::clone(&place));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks, for whatever version, and however many others were asked for meanwhile.
    #[test]
    fn what_is_remembered_is_what_the_text_says() {
        let texts =
            ["curl/8.4.0", "curl/8.", "aws-cli/2.15.0 Linux/6.1", "Boto3/1.34.2 Darwin/23.1.0", "x", ""];
        let ways = [(Version::V8_9, EmptyParts::End), (Version::V2_24, EmptyParts::Keep)];
        let mut threads: [[Agents; 2]; 2] = Default::default();
        for round in 0..4 {
            for (at, text) in texts.iter().enumerate() {
                for (threads, (version, empty_parts)) in threads.iter_mut().zip(ways) {
                    let thread = &mut threads[(round + at) % 2];
                    let known = thread.get(text, version);
                    assert_eq!(*known, user_agent::parse(text, empty_parts), "{text} {version:?}");
                    assert!(thread.known.len() <= AGENTS_MAX);
                }
            }
        }
    }
}
