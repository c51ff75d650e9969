//! Documents in the order of their times, in bounded memory.

use std::collections::BTreeMap;

use ecs::Millis;
use reader::RecordKind;
use sift::Document;

use crate::scan::RawRecord;

/// What an event takes beside its texts, about.
const EVENT_BYTES: usize = 256;

/// Where an event stands. Events of the same time are told apart by what they are and not by where they were read, so that
/// the order of files has no influence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    time: Millis,
    index: Box<str>,
    id: Box<str>,
    text: Box<str>,
    /// The number of the delivery, if each is a document of its own.
    delivery: u64,
}

/// What else is needed to make the document again of its text, which is a tenth of it.
#[derive(Clone, Debug)]
struct Kept {
    input: u32,
    ordinal: u64,
    kind: RecordKind,
    id: Option<Box<str>>,
    index: Option<Box<str>>,
}

/// The earliest documents beyond a place, as many as there is room for.
#[derive(Debug)]
pub(crate) struct Earliest {
    /// What came before: it was given already.
    after: Option<Place>,
    bytes_max: usize,
    events_max: u64,
    bytes: usize,
    kept: BTreeMap<Place, Kept>,
    /// There was no room for some.
    pub(crate) is_over: bool,
}

impl Earliest {
    /// Those after `after`, within these bounds; one at least.
    pub(crate) fn new(after: Option<Place>, bytes_max: usize, events_max: u64) -> Self {
        Self { after, bytes_max, events_max, bytes: 0, kept: BTreeMap::new(), is_over: false }
    }

    /// A document that was found at this time. Of copies that are alike one is kept, unless they are to be told apart.
    pub(crate) fn add(&mut self, time: Millis, document: &Document, record: &RawRecord<'_>, copies: bool) {
        let place = Place {
            time,
            index: document.index.as_str().into(),
            id: document.id.as_str().into(),
            text: record.text.into(),
            delivery: if copies { u64::from(record.input) << 40 | record.ordinal } else { 0 },
        };
        if self.after.as_ref().is_some_and(|after| place <= *after) {
            return;
        }
        let RawRecord { input, ordinal, kind, .. } = *record;
        let (id, index) = (record.id.map(Into::into), record.index.map(Into::into));
        let bytes = place.bytes();
        if self.kept.insert(place, Kept { input, ordinal, kind, id, index }).is_none() {
            self.bytes += bytes;
        }
        while (self.bytes > self.bytes_max && self.kept.len() > 1) || self.kept.len() as u64 > self.events_max
        {
            let Some((place, _)) = self.kept.pop_last() else { break };
            self.bytes -= place.bytes();
            self.is_over = true;
        }
    }

    /// Gives them in their order until `take` says stop, and says where the last of them stands.
    pub(crate) fn give(self, mut take: impl FnMut(&RawRecord<'_>) -> bool) -> Option<Place> {
        let mut last = None;
        for (place, kept) in self.kept {
            let record = RawRecord {
                input: kept.input,
                ordinal: kept.ordinal,
                kind: kept.kind,
                id: kept.id.as_deref(),
                index: kept.index.as_deref(),
                text: &place.text,
                tokens: None,
            };
            let goes_on = take(&record);
            last = Some(place);
            if !goes_on {
                break;
            }
        }
        last
    }
}

impl Place {
    fn bytes(&self) -> usize {
        EVENT_BYTES + self.index.len() + self.id.len() + self.text.len()
    }
}
