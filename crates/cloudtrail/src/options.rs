//! What the caller decides.

use std::sync::Arc;

use ecs::Millis;

use crate::geo::Geo;
use crate::time::{parse_time, write_time};

/// Whose documents are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Elastic's AWS package 8.9.0: what detection rules are written against.
    #[default]
    V8_9,
    /// The package of September 2024.
    V2_24,
    /// The `aws` module of Filebeat.
    Filebeat,
}

/// Which copies of the payload an event keeps: the private setting `_conf.retain` of the package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retain {
    /// Strings and flattened copies.
    #[default]
    All,
    /// Strings only.
    Keyword,
    /// Flattened copies only.
    Flattened,
    /// Strings, and of the flattened copies the few keys that rules name.
    Minimal,
    /// Neither.
    None,
}

/// Whether an event keeps the text of its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Original {
    /// Always.
    #[default]
    Keep,
    /// Only where the tags, or a failed step, ask for it: what the package's last step leaves.
    Tagged,
}

/// What the caller decides about all events.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose documents are made.
    pub version: Version,
    /// The `tags` that a document enters with. With `actor_target_mapping` the entity fields are made.
    pub tags: Vec<String>,
    /// Which copies of the payload are kept.
    pub retain: Retain,
    /// Whether `event.original` is kept.
    pub original: Original,
    /// The databases for `source.geo` and `source.as`.
    pub geo: Option<Arc<Geo>>,
    /// Adds what the data stream's index adds: `data_stream.*`, `event.module`, `event.dataset`.
    pub envelope: Option<Envelope>,
}

/// What the data stream's index adds to every event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `data_stream.namespace`.
    pub namespace: String,
}

impl Default for Envelope {
    fn default() -> Self {
        Self { namespace: "default".to_owned() }
    }
}

/// When a record was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAt {
    time: Millis,
    text: String,
}

impl ReadAt {
    /// That instant.
    pub fn new(time: Millis) -> Self {
        let mut text = String::new();
        write_time(time, &mut text);
        Self { time, text }
    }

    /// A time with its own spelling, which events repeat: it may be finer than milliseconds.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { time: parse_time(text)?, text: text.to_owned() })
    }

    /// The instant.
    pub fn time(&self) -> Millis {
        self.time
    }

    /// As events spell it.
    pub fn text(&self) -> &str {
        &self.text
    }
}
