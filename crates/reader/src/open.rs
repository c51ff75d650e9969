//! Opens what is wrapped around records: any of the known envelopes in any other, down to a limit.

use std::ops::ControlFlow;

use crate::clues::{Clues, is_delivered_record};
use crate::decode;
use crate::known::{Holds, Is, Other};
use crate::meter::{Meter, cause_of};
use crate::prefix::is_line_prefix;
use crate::walk::{Stop, elements, members, token, value_end};
use crate::{Cause, Limits, RecordKind};

/// The longest text before the bracket of a line that is looked at.
pub(crate) const LINE_PREFIX_BYTES: usize = 256;

/// Space for opening, one thing a level.
#[derive(Debug, Default)]
pub(crate) struct OpenSpace {
    clues: Vec<Clues>,
    texts: Vec<Vec<u8>>,
}

/// Longer texts are not kept for the next one.
const KEPT_BYTES_MAX: usize = 4 << 20;

impl OpenSpace {
    /// An empty text.
    fn text(&mut self) -> Vec<u8> {
        self.texts.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut text: Vec<u8>) {
        if text.capacity() <= KEPT_BYTES_MAX {
            text.clear();
            self.texts.push(text);
        }
    }
}

/// A record that was found in an object, or the object itself.
#[derive(Debug)]
pub(crate) struct Given<'t> {
    pub(crate) kind: RecordKind,
    /// The `_id` around it, as written.
    pub(crate) id: Option<&'t str>,
    /// The `_index` around it, as written.
    pub(crate) index: Option<&'t str>,
    pub(crate) text: &'t str,
}

/// Takes the records in the order in which they stand.
pub(crate) type Take<'s> = dyn FnMut(Given<'_>) -> ControlFlow<()> + 's;

/// What else there was.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Records given.
    pub(crate) records: u64,
    /// What is known and no record, and how often it came.
    pub(crate) others: Vec<(Other, u64)>,
    /// Objects beside records, of no kind that is known.
    pub(crate) strangers: u64,
    /// Something is wrapped more often than the limit allows.
    pub(crate) is_too_deep: bool,
    /// What holds the records is broken behind them.
    pub(crate) is_broken: bool,
    /// What was packed could not be unpacked.
    pub(crate) failure: Option<Cause>,
}

impl Found {
    /// Whether there is something to say of it.
    pub(crate) fn is_more_than_records(&self) -> bool {
        !self.others.is_empty()
            || self.strangers > 0 && self.records > 0
            || self.is_broken && self.records > 0
            || self.is_too_deep
            || self.failure.is_some()
    }

    fn add(&mut self, more: Self) {
        self.records += more.records;
        for (other, count) in more.others {
            self.add_other(other, count);
        }
        self.strangers += more.strangers;
        self.is_broken |= more.is_broken;
        self.note(more.is_too_deep, more.failure);
    }

    fn add_other(&mut self, other: Other, count: u64) {
        match self.others.iter_mut().find(|it| it.0 == other) {
            Some((_, sum)) => *sum += count,
            None => self.others.push((other, count)),
        }
    }

    /// What is worth knowing even if no record was found.
    pub(crate) fn note(&mut self, is_too_deep: bool, failure: Option<Cause>) {
        self.is_too_deep |= is_too_deep;
        self.failure = self.failure.take().or(failure);
    }
}

/// The `_id` and `_index` of what is around something.
#[derive(Clone, Copy, Debug, Default)]
struct Around<'t> {
    id: Option<&'t str>,
    index: Option<&'t str>,
}

/// What counts as a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// Any object: nothing that stands in a file is passed over.
    All,
    /// Any object but what is known and no record: an index holds documents, whatever they look like.
    Documents,
    /// Records of CloudTrail, and documents that were made of events.
    Events,
}

/// Opens objects.
pub(crate) struct Opener<'o, 's> {
    pub(crate) space: &'o mut OpenSpace,
    pub(crate) limits: &'o Limits,
    pub(crate) meter: &'o Meter,
    pub(crate) take: &'o mut Take<'s>,
}

/// What opening something ends with.
type Flow = ControlFlow<(), Found>;

/// Nothing was found.
fn nothing() -> Flow {
    ControlFlow::Continue(Found::default())
}

impl Opener<'_, '_> {
    /// Gives the records in an object of a trail; if there are none, the object itself.
    pub(crate) fn open(&mut self, object: &str) -> Flow {
        self.object(object, Around::default(), 0, Counts::All)
    }

    /// Gives the records in a JSON string, which stands where a record should.
    pub(crate) fn open_string(&mut self, quoted: &str) -> Flow {
        self.string(quoted, Holds::Anything, Around::default(), 1, Counts::Events)
    }

    /// Gives the records in a text, such as a cell of a table.
    pub(crate) fn open_text(&mut self, text: &str) -> Flow {
        if !may_hold_records(text.as_bytes()) {
            return nothing();
        }
        self.text(text, Around::default(), 1, Counts::Events)
    }

    /// The object `object`, which is wrapped `level` times.
    fn object(&mut self, object: &str, around: Around<'_>, level: u32, counts: Counts) -> Flow {
        if is_delivered_record(object.as_bytes()) {
            return self.give(RecordKind::CloudTrail, object, around);
        }
        let mut clues = self.space.clues.pop().unwrap_or_default();
        clues.read(object.as_bytes());
        let flow = self.known(object, &clues, around, level, counts);
        self.space.clues.push(clues);
        flow
    }

    /// An object, of which this is known.
    fn known(&mut self, object: &str, clues: &Clues, around: Around<'_>, level: u32, counts: Counts) -> Flow {
        let around =
            Around { id: clues.id(object).or(around.id), index: clues.index(object).or(around.index) };
        let is = clues.shape(object.as_bytes());
        match is {
            Some(Is::CloudTrail) => return self.give(RecordKind::CloudTrail, object, around),
            Some(Is::Event) => return self.give(RecordKind::Document, object, around),
            Some(Is::Document | Is::Other(_)) | None => {}
        }
        let mut found = Found::default();
        for (holds, value) in clues.places() {
            let value = &object[value];
            // A record is often there twice, lists of records are not.
            if found.records > 0 && !value.starts_with('[') {
                continue;
            }
            let inner = self.place(value, holds, around, level + 1)?;
            if inner.records > 0 {
                if found.records == 0 {
                    // Whatever was seen where no record is does not matter any more.
                    found = Found::default();
                }
                found.add(inner);
            } else {
                if found.records == 0 && found.others.is_empty() {
                    found.others = inner.others;
                }
                found.note(inner.is_too_deep, inner.failure);
            }
        }
        if let Some(value) = clues.stray().filter(|_| found.records == 0) {
            let inner = self.place(&object[value], Holds::Anything, around, level + 1)?;
            if inner.records > 0 {
                found = inner;
            } else {
                found.note(inner.is_too_deep, inner.failure);
            }
        }
        if found.records > 0 {
            found.is_broken |= clues.is_cut();
            return ControlFlow::Continue(found);
        }
        // There is no record in it. So it is what it looks like.
        let kind = match (is, counts) {
            (Some(Is::Document), Counts::All) | (_, Counts::Documents) => RecordKind::Document,
            (None, Counts::All)
                if found.others.is_empty() && !found.is_too_deep && found.failure.is_none() =>
            {
                RecordKind::Other
            }
            (Some(Is::Other(other)), _) if found.others.is_empty() => {
                found.add_other(other, 1);
                return ControlFlow::Continue(found);
            }
            (Some(_) | None, Counts::All | Counts::Events) => {
                // An envelope with something else in it is no stranger: a message, a cell of a table.
                found.strangers = u64::from(found.others.is_empty() && clues.places().next().is_none());
                return ControlFlow::Continue(found);
            }
        };
        found.others.clear();
        found.add(self.give(kind, object, around)?);
        ControlFlow::Continue(found)
    }

    /// What stands at a place where records may be.
    fn place(&mut self, value: &str, holds: Holds, around: Around<'_>, level: u32) -> Flow {
        let counts = match holds {
            Holds::Source | Holds::Fields => Counts::Documents,
            Holds::Anything | Holds::Base64 => Counts::Events,
        };
        let is_deep = level > self.limits.wrappers;
        match value.as_bytes().first() {
            Some(b'{' | b'[') if is_deep => too_deep(),
            Some(b'{') => self.object(value, around, level, counts),
            Some(b'[') => self.list(value, holds, around, level, counts),
            Some(b'"') => self.string(value, holds, around, level, counts),
            _ => nothing(),
        }
    }

    /// The elements of a list, which share a level.
    fn list(&mut self, list: &str, holds: Holds, around: Around<'_>, level: u32, counts: Counts) -> Flow {
        // What has one id is one document.
        let around = Around { id: None, ..around };
        let mut found = Found::default();
        let mut flow = ControlFlow::Continue(());
        // A record that is cut was given, and says itself that it is.
        let mut is_told = false;
        let walked = elements(list.as_bytes(), 0, |range, is_whole| {
            let value = &list[range];
            let opened = match value.as_bytes()[0] {
                b'{' => self.object(value, around, level, counts),
                b'[' if level < self.limits.wrappers => self.list(value, holds, around, level + 1, counts),
                b'"' => self.string(value, holds, around, level, counts),
                _ => nothing(),
            };
            match opened {
                ControlFlow::Continue(mut more) => {
                    // A list in a list is a row, and what stands beside the record are other columns.
                    if value.starts_with('[') && more.records > 0 {
                        more.strangers = 0;
                    }
                    is_told = !is_whole && more.records > 0;
                    found.add(more);
                }
                ControlFlow::Break(()) => flow = ControlFlow::Break(()),
            }
            flow
        });
        flow?;
        found.is_broken |= matches!(walked, Err(Stop::MoreText | Stop::Broken)) && !is_told;
        ControlFlow::Continue(found)
    }

    /// What a JSON string holds as text.
    fn string(&mut self, quoted: &str, holds: Holds, around: Around<'_>, level: u32, counts: Counts) -> Flow {
        let raw = quoted.strip_prefix('"').unwrap_or(quoted);
        let raw = raw.strip_suffix('"').unwrap_or(raw).as_bytes();
        if !may_hold_records(raw) {
            return if holds == Holds::Base64 { self.packed(raw, around, level, counts) } else { nothing() };
        }
        if level > self.limits.wrappers {
            return too_deep();
        }
        let mut text = self.space.text();
        text.resize(raw.len(), 0);
        let length = json::unescape(raw, &mut text).unwrap_or(0);
        let flow = self.bytes(&text[..length], around, level, counts);
        self.space.give_back(text);
        flow
    }

    /// What a text in Base64 holds, compressed or not.
    fn packed(&mut self, raw: &[u8], around: Around<'_>, level: u32, counts: Counts) -> Flow {
        let mut bytes = self.space.text();
        // Some writers escape slashes.
        let is_base64 = if memchr::memchr(b'\\', raw).is_some() {
            let mut text = self.space.text();
            text.resize(raw.len(), 0);
            let length = json::unescape(raw, &mut text).unwrap_or(0);
            let is_base64 = decode::base64(&text[..length], &mut bytes);
            self.space.give_back(text);
            is_base64
        } else {
            decode::base64(raw, &mut bytes)
        };
        let flow = if !is_base64 {
            nothing()
        } else if level > self.limits.wrappers {
            too_deep()
        } else if decode::is_gzip(&bytes) {
            self.gzipped(&bytes, around, level, counts)
        } else {
            self.bytes(&bytes, around, level, counts)
        };
        self.space.give_back(bytes);
        flow
    }

    fn gzipped(&mut self, packed: &[u8], around: Around<'_>, level: u32, counts: Counts) -> Flow {
        let mut text = self.space.text();
        let failure = decode::gunzip(packed, &mut text, self.meter, self.limits).err();
        let failure = failure.map(|error| cause_of(&error));
        let flow = self.bytes(&text, around, level, counts);
        self.space.give_back(text);
        flow.map_continue(|mut found| {
            found.note(false, failure);
            found
        })
    }

    fn bytes(&mut self, text: &[u8], around: Around<'_>, level: u32, counts: Counts) -> Flow {
        match std::str::from_utf8(text) {
            Ok(text) => self.text(text, around, level, counts),
            Err(_) => ControlFlow::Continue(Found { failure: Some(Cause::InvalidUtf8), ..Found::default() }),
        }
    }

    /// A text: any sequence of JSON values, as in a file.
    fn text(&mut self, text: &str, around: Around<'_>, level: u32, counts: Counts) -> Flow {
        let bytes = text.as_bytes();
        let mut found = Found::default();
        let mut at = line_prefix(bytes).unwrap_or(0);
        while let Ok(start) = token(bytes, at) {
            at = start;
            if bytes[at] == b',' {
                at += 1;
                continue;
            }
            if !matches!(bytes[at], b'{' | b'[' | b'"') {
                found.is_broken = true;
                break;
            }
            let end = value_end(bytes, at);
            let value = &text[at..end.unwrap_or(bytes.len())];
            let inner = match bytes[at] {
                b'{' => self.object(value, around, level, counts)?,
                b'[' => self.list(value, Holds::Anything, around, level, counts)?,
                _ => self.string(value, Holds::Anything, around, level + 1, counts)?,
            };
            // A record that is cut was given, and says itself that it is.
            let is_told = inner.records > 0;
            found.add(inner);
            let Ok(end) = end else {
                found.is_broken |= !is_told;
                break;
            };
            at = end;
        }
        ControlFlow::Continue(found)
    }

    fn give(&mut self, kind: RecordKind, text: &str, Around { id, index }: Around<'_>) -> Flow {
        (self.take)(Given { kind, id, index, text: text.trim_ascii_end() })?;
        ControlFlow::Continue(Found { records: 1, ..Found::default() })
    }
}

fn too_deep() -> Flow {
    ControlFlow::Continue(Found { is_too_deep: true, ..Found::default() })
}

/// Whether the content of a string may be worth a closer look: most texts are told by their first letter.
fn may_hold_records(raw: &[u8]) -> bool {
    matches!(raw.trim_ascii_start().first(), Some(b'{' | b'[' | b'\\')) || line_prefix(raw).is_some()
}

/// Where the first bracket of a text stands, if what is before it is what programs put before a message.
pub(crate) fn line_prefix(text: &[u8]) -> Option<usize> {
    let head = &text[..text.len().min(LINE_PREFIX_BYTES)];
    let bracket = memchr::memchr2(b'{', b'\n', head).filter(|&at| head[at] == b'{')?;
    is_line_prefix(&head[..bracket]).then_some(bracket)
}

/// What [`Reading::Plain`](crate::Reading::Plain) takes for a record: the object, or the document in it if it is a search hit.
pub(crate) fn plain(object: &str) -> Given<'_> {
    fn text(value: &str) -> Option<&str> {
        value.strip_prefix('"')?.strip_suffix('"')
    }
    let (mut id, mut index, mut source) = (None, None, object);
    _ = members(object.as_bytes(), 0, |key, value| {
        let value = &object[value];
        match key {
            b"_id" => id = text(value).or(id),
            b"_index" => index = text(value).or(index),
            b"_source" if value.starts_with('{') => source = value,
            _ => {}
        }
        ControlFlow::Continue(())
    });
    Given { kind: RecordKind::Document, id, index, text: source }
}
