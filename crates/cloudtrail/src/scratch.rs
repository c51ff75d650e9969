//! Memory that is kept from record to record.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::geo::{Geo, Place};
use crate::options::Version;
use crate::render::Renderer;
use crate::user_agent::{self, EmptyParts, UserAgent};

/// How many different user agents are remembered; when there are more, all are forgotten.
const AGENTS_MAX: usize = 16_384;
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

/// What user agents said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agents {
    known: FxHashMap<Box<str>, Arc<UserAgent>>,
}

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
        if self.known.len() >= AGENTS_MAX {
            self.known.clear();
        }
        let empty_parts = match version {
            Version::V8_9 | Version::Filebeat => EmptyParts::End,
            Version::V2_24 => EmptyParts::Keep,
        };
        let agent = Arc::new(user_agent::parse(text, empty_parts));
        self.known.insert(text.into(), Arc::clone(&agent));
        agent
    }
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
