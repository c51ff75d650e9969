//! What is known of a source while the server runs. What it ever delivered is on its account in the store.

use std::sync::{Mutex, PoisonError, RwLock};

use ecs::Millis;
use reader::RecordKind;
use store::Delivered;

use crate::config::{SourceConfig, SourceKind};

/// A source.
pub(crate) struct Source {
    config: SourceConfig,
    /// The indices whose documents are taken now.
    indices: RwLock<Vec<String>>,
    state: Mutex<SourceState>,
}

/// What became of it since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceState {
    /// When something of it was last stored.
    pub(crate) last_ms: Option<Millis>,
    /// Deliveries that could not be stored, and were told so.
    pub(crate) failures: u64,
    /// Parts of deliveries that could not be read.
    pub(crate) losses: u64,
    /// What went wrong last, and when.
    pub(crate) trouble: Option<(Millis, String)>,
    /// Files or objects that were found and are not stored yet.
    pub(crate) waiting: u64,
    /// Connections that are open, of a socket.
    pub(crate) connections: u64,
    /// Whether nothing comes any more.
    pub(crate) is_over: bool,
    /// What became of objects and messages, of a bucket.
    pub(crate) bucket: BucketState,
}

/// What became of the objects of a bucket, and of the messages that tell of them, since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketState {
    /// Objects that were stored: those that were found by looking for new ones, or by the first look,
    pub(crate) listed: u64,
    /// that a message told of,
    pub(crate) noticed: u64,
    /// or that only a listing of everything found, when it should have been known of long before.
    pub(crate) reconciled: u64,
    /// Objects that were gone when they were asked for.
    pub(crate) gone: u64,
    /// How often one could not be had.
    pub(crate) failed: u64,
    /// Messages that were taken,
    pub(crate) messages: u64,
    /// those that were removed, as all they tell of is stored,
    pub(crate) messages_done: u64,
    /// those that nobody understands,
    pub(crate) messages_unread: u64,
    /// and those that were removed although what they tell of is not stored.
    pub(crate) messages_given_up: u64,
    /// Objects of messages that are not of this source.
    pub(crate) foreign: u64,
    /// When everything was last listed to the end,
    pub(crate) reconciled_ms: Option<Millis>,
    /// and how many objects there were.
    pub(crate) objects: u64,
    /// How old the oldest object is that was found and is not stored.
    pub(crate) oldest_ms: Option<Millis>,
}

impl Source {
    pub(crate) fn new(config: SourceConfig) -> Self {
        let indices = RwLock::new(config.indices.clone());
        Self { config, indices, state: Mutex::default() }
    }

    /// What is posted.
    #[cfg(test)]
    pub(crate) fn http(name: &str, indices: &[&str]) -> Self {
        let indices = indices.iter().map(|&it| it.to_owned()).collect();
        Self::new(SourceConfig { name: name.to_owned(), kind: SourceKind::Http, indices, silent_ms: None })
    }

    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    pub(crate) fn kind(&self) -> &SourceKind {
        &self.config.kind
    }

    /// Documents of these indices are taken from now on.
    pub(crate) fn set_indices(&self, indices: Vec<String>) {
        *self.indices.write().unwrap_or_else(PoisonError::into_inner) = indices;
    }

    /// Whether a record is taken.
    pub(crate) fn wants(&self, kind: RecordKind, index: Option<&str>) -> bool {
        let indices = self.indices.read().unwrap_or_else(PoisonError::into_inner);
        match (kind, index) {
            (RecordKind::CloudTrail, _) => true,
            _ if indices.is_empty() => true,
            (RecordKind::Document | RecordKind::Other, index) => {
                let index = index.unwrap_or_default();
                indices.iter().any(|pattern| matches(pattern, index))
            }
        }
    }

    pub(crate) fn state(&self) -> SourceState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut SourceState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn delivered(&self, now: Millis, its: &Delivered) {
        self.change(|state| {
            state.last_ms = Some(now);
            state.losses += its.loss_count;
            if let Some(trouble) = its.troubles.first() {
                state.trouble = Some((now, trouble.text.clone()));
            }
        });
    }

    pub(crate) fn failed(&self, now: Millis, why: &str) {
        self.change(|state| {
            state.failures += 1;
            state.trouble = Some((now, why.to_owned()));
        });
    }

    /// Something became of objects or messages.
    #[cfg(feature = "s3")]
    pub(crate) fn bucket(&self, change: impl FnOnce(&mut BucketState)) {
        self.change(|state| change(&mut state.bucket));
    }

    /// So many files were found that are not stored yet.
    pub(crate) fn waits(&self, files: u64) {
        self.change(|state| state.waiting = files);
    }

    /// So many deliver.
    #[cfg(unix)]
    pub(crate) fn connected(&self, connections: u64) {
        self.change(|state| state.connections = connections);
    }

    /// Nothing comes of it any more.
    pub(crate) fn ended(&self) {
        self.change(|state| state.is_over = true);
    }
}

/// Whether a pattern, in which `*` stands for any text, is that of an index.
fn matches(pattern: &str, index: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = index.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_indices() {
        for (pattern, index, expected) in [
            ("logs-*", "logs-aws.cloudtrail-default", true),
            ("logs-*", "filebeat-9.0.0", false),
            ("logs", "logs", true),
            ("logs", "logs-1", false),
            ("*", "", true),
            ("*-default", "logs-default", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*bc*c", "abc", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, index), expected, "{pattern} {index}");
        }
    }

    #[test]
    fn records_of_cloudtrail_are_always_wanted() {
        let source = Source::http("http", &["logs-*"]);
        assert!(source.wants(RecordKind::CloudTrail, Some("other")));
        assert!(source.wants(RecordKind::Document, Some("logs-1")));
        assert!(!source.wants(RecordKind::Document, Some("other")));
        assert!(!source.wants(RecordKind::Document, None));
        assert!(Source::http("http", &[]).wants(RecordKind::Document, None));
    }
}
