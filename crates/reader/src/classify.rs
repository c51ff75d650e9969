//! Says what an object is, and finds the record inside of what was wrapped around it.

use std::ops::{ControlFlow, Range};

use crate::RecordKind;
use crate::walk::{Stop, members};

/// How many wrappers around a record are opened: an EventBridge envelope in an Elastic document in a search
/// hit is three.
const MAX_WRAPPERS: usize = 5;

/// Keys that only a CloudTrail record has on its first level, the delivered ones, those of Insights and of digests.
const CLOUDTRAIL_KEYS: [&[u8]; 8] = [
    b"eventVersion",
    b"eventSource",
    b"eventName",
    b"userIdentity",
    b"eventID",
    b"recipientAccountId",
    b"digestStartTime",
    b"digestS3Bucket",
];

/// Keys whose value may be a record, as an object or as its text, in the order in which they are tried:
/// LookupEvents, EventBridge, Elastic, CloudWatch Logs (export, Insights), Splunk (raw, HEC, export), SNS, SQS.
const WRAPPER_KEYS: [&[u8]; 11] = [
    b"CloudTrailEvent",
    b"detail",
    b"event.original",
    b"message",
    b"@message",
    b"_raw",
    b"event",
    b"result",
    b"Message",
    b"body",
    b"Body",
];

/// Whether a key tells at once that the object is a CloudTrail record.
pub(crate) fn is_cloudtrail_key(key: &[u8]) -> bool {
    CLOUDTRAIL_KEYS.contains(&key)
}

/// What an object turned out to be, and where the text of the record stands.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) kind: RecordKind,
    pub(crate) place: Place,
    /// The `_id` around the record, as written.
    pub(crate) id: Option<Range<usize>>,
    /// The `_index` around the record, as written.
    pub(crate) index: Option<Range<usize>>,
}

/// Where the text of a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the text that was classified.
    Text(Range<usize>),
    /// In a text unescaped from it: which of [`Classifier::unescaped`].
    Unescaped(usize, Range<usize>),
}

/// Classifies objects; holds the space for unescaping.
#[derive(Debug, Default)]
pub(crate) struct Classifier {
    /// One text a level of wrapping.
    pub(crate) unescaped: Vec<String>,
}

impl Classifier {
    /// What the object `text` is in a trail.
    pub(crate) fn trail(&mut self, text: &[u8]) -> Classified {
        // What AWS delivers begins like this, and nothing else does.
        if text.starts_with(b"{\"eventVersion\"") {
            return whole(RecordKind::CloudTrail, text);
        }
        let clues = Clues::read(text);
        let (id, index) = (clues.id.clone(), clues.index.clone());
        let (kind, place) = self.resolve(text, 0..text.len(), clues, 0);
        Classified { kind, place, id, index }
    }

    /// `text` as a plain document, out of its search hit if it is in one.
    pub(crate) fn plain(text: &[u8]) -> Classified {
        let clues = Clues::read_all(text);
        let place = Place::Text(clues.source.unwrap_or(0..text.len()));
        Classified { kind: RecordKind::Document, place, id: clues.id, index: clues.index }
    }

    /// What the object at `range` of `text` is; `clues` is what was read from it, relative to the range.
    fn resolve(
        &mut self,
        text: &[u8],
        range: Range<usize>,
        clues: Clues,
        level: usize,
    ) -> (RecordKind, Place) {
        let here = |kind| (kind, Place::Text(range.clone()));
        if clues.cloudtrail {
            return here(RecordKind::CloudTrail);
        }
        let object = &text[range.clone()];
        let within = |inner: Range<usize>| range.start + inner.start..range.start + inner.end;
        let open_more = level < MAX_WRAPPERS;
        if let Some(source) = clues.source.filter(|_| open_more) {
            let inner = Clues::read(&object[source.clone()]);
            let (kind, place) = self.resolve(text, within(source), inner, level + 1);
            // An index holds documents, whatever they look like.
            let kind = if kind == RecordKind::Other { RecordKind::Document } else { kind };
            return (kind, place);
        }
        if clues.normalised {
            return here(RecordKind::Document);
        }
        for wrapped in clues.wrapped.into_iter().flatten().filter(|_| open_more) {
            let found = if object[wrapped.start] == b'{' {
                let inner = Clues::read(&object[wrapped.clone()]);
                self.resolve(text, within(wrapped), inner, level + 1)
            } else {
                self.resolve_string(&object[wrapped], level)
            };
            if found.0 == RecordKind::CloudTrail {
                return found;
            }
        }
        here(if clues.document { RecordKind::Document } else { RecordKind::Other })
    }

    /// What the object is that the JSON string `quoted` holds as text.
    fn resolve_string(&mut self, quoted: &[u8], level: usize) -> (RecordKind, Place) {
        if self.unescaped.len() <= level {
            self.unescaped.resize_with(level + 1, String::new);
        }
        let mut inner = std::mem::take(&mut self.unescaped[level]).into_bytes();
        let mut found = (RecordKind::Other, Place::Text(0..0));
        let raw = &quoted[1..quoted.len() - 1];
        inner.resize(raw.len(), 0);
        let unescaped = json::unescape(raw, &mut inner).map(|length| inner.truncate(length));
        // What was valid is valid without its escapes.
        let inner = unescaped.and_then(|()| String::from_utf8(inner).ok()).unwrap_or_default();
        let trimmed = inner.trim_ascii();
        let start = inner.len() - inner.trim_ascii_start().len();
        if !trimmed.is_empty() {
            let clues = Clues::read(trimmed.as_bytes());
            found = self.resolve(inner.as_bytes(), start..start + trimmed.len(), clues, level + 1);
        }
        self.unescaped[level] = inner;
        match found {
            (kind, Place::Text(range)) => (kind, Place::Unescaped(level, range)),
            deeper => deeper,
        }
    }
}

/// The record is the whole text.
fn whole(kind: RecordKind, text: &[u8]) -> Classified {
    Classified { kind, place: Place::Text(0..text.len()), id: None, index: None }
}

/// What the first level of an object tells about it.
#[derive(Debug, Default)]
struct Clues {
    /// It has a key of a CloudTrail record.
    cloudtrail: bool,
    /// It has what an ingest pipeline makes of a record.
    normalised: bool,
    /// It has a `@timestamp` or an ECS field.
    document: bool,
    id: Option<Range<usize>>,
    index: Option<Range<usize>>,
    /// The object under `_source`.
    source: Option<Range<usize>>,
    /// What stands under each of [`WRAPPER_KEYS`], if it can be a record.
    wrapped: [Option<Range<usize>>; WRAPPER_KEYS.len()],
}

impl Clues {
    /// Reads until the object is known to be a CloudTrail record.
    fn read(text: &[u8]) -> Self {
        Self::read_until(text, is_cloudtrail_key)
    }

    /// Reads to the end.
    fn read_all(text: &[u8]) -> Self {
        Self::read_until(text, |_| false)
    }

    fn read_until(text: &[u8], decisive: impl Fn(&[u8]) -> bool) -> Self {
        let mut clues = Self::default();
        let walked = members(text, 0, |key, value| {
            if decisive(key) {
                clues.cloudtrail = true;
                return ControlFlow::Break(());
            }
            clues.member(text, key, value);
            ControlFlow::Continue(())
        });
        match walked {
            // What is broken after the clues is for the parser to say.
            Ok(()) | Err(Stop::Enough | Stop::MoreText | Stop::Broken) => clues,
        }
    }

    fn member(&mut self, text: &[u8], key: &[u8], value: Range<usize>) {
        let object = text[value.start] == b'{';
        let string = text[value.start] == b'"';
        match key {
            b"_id" if string => self.id = Some(value.start + 1..value.end - 1),
            b"_index" if string => self.index = Some(value.start + 1..value.end - 1),
            b"_source" if object => self.source = Some(value),
            b"@timestamp" | b"ecs.version" | b"ecs" => self.document = true,
            // An alert is no copy of the record that it is about, though it may carry that.
            b"event.action" | b"kibana.alert.uuid" => (self.document, self.normalised) = (true, true),
            b"aws" if object => self.normalised |= has_member(&text[value], b"cloudtrail"),
            b"event" if object => {
                let inner = value.start;
                _ = members(&text[value.clone()], 0, |key, range| {
                    match key {
                        b"action" => self.normalised = true,
                        b"original" if text[inner + range.start] == b'"' => {
                            self.wrap(b"event.original", inner + range.start..inner + range.end);
                        }
                        _ => {}
                    }
                    ControlFlow::Continue(())
                });
                self.wrap(key, value);
            }
            _ if key.starts_with(b"aws.cloudtrail.") => self.normalised = true,
            _ if object || string => self.wrap(key, value),
            _ => {}
        }
    }

    fn wrap(&mut self, key: &[u8], value: Range<usize>) {
        if let Some(place) = WRAPPER_KEYS.iter().position(|&wrapper| wrapper == key) {
            self.wrapped[place] = Some(value);
        }
    }
}

/// Whether the object `text` has the key on its first level.
fn has_member(text: &[u8], wanted: &[u8]) -> bool {
    let found =
        |key: &[u8], _| if key == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    members(text, 0, found) == Err(Stop::Enough)
}
