//! Who the matched events are.

use std::cmp::Ordering;
use std::hash::Hasher;

use ecs::{Millis, Origin};
use rustc_hash::FxHasher;

use super::chunked::Chunked;

/// An event that some rule matched.
#[derive(Clone, Copy, Debug)]
pub struct EventInfo<'a> {
    /// The `_id`.
    pub id: &'a str,
    /// The `_index`, as the caller numbers them; see [`Collector::name_indices`](crate::Collector::name_indices).
    pub index: u32,
    /// The `@timestamp`.
    pub timestamp: Millis,
    /// Where it was read from.
    pub origin: Origin,
}

/// The number of an event in the [`EventTable`]. Depends on the order of feeding: nothing may be sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventRef(u32);

impl EventRef {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// 40 bytes an event: millions of them are ordinary.
#[derive(Clone, Debug)]
struct Row {
    timestamp: Millis,
    ordinal: u64,
    input: u32,
    /// The number of the index, doubled; odd if the id is a UUID in its canonical form.
    index: u32,
    /// The UUID, or where the id begins among the other ids (eight bytes) and how long it is (eight bytes).
    id: [u8; 16],
}

/// The events that rules matched, each once for each time it was fed and needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventTable {
    rows: Chunked<Row>,
    /// The ids that are no UUIDs, one after the other.
    ids: String,
    /// The names of the indices by number. The numbers depend on the order of feeding.
    indices: Vec<String>,
}

/// An event being fed; it goes into the table when somebody needs it.
#[derive(Debug)]
pub(super) struct Current<'a> {
    pub(super) info: EventInfo<'a>,
    row: Option<EventRef>,
}

impl<'a> Current<'a> {
    pub(super) fn new(info: EventInfo<'a>) -> Self {
        Self { info, row: None }
    }

    /// An event that is in the table already; `info` is what the table says of it.
    pub(super) fn again(info: EventInfo<'a>, event: EventRef) -> Self {
        Self { info, row: Some(event) }
    }

    pub(super) fn row(&mut self, events: &mut EventTable) -> EventRef {
        *self.row.get_or_insert_with(|| events.push(&self.info))
    }

    /// Whether it is this event in the table.
    pub(super) fn is(&self, event: EventRef) -> bool {
        self.row == Some(event)
    }
}

impl EventTable {
    fn push(&mut self, info: &EventInfo<'_>) -> EventRef {
        let (id, tag) = if let Some(uuid) = canonical_uuid(info.id) {
            (uuid, 1)
        } else {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(self.ids.len() as u64).to_le_bytes());
            id[8..].copy_from_slice(&(info.id.len() as u64).to_le_bytes());
            self.ids.push_str(info.id);
            (id, 0)
        };
        self.rows.push(Row {
            timestamp: info.timestamp,
            ordinal: info.origin.ordinal,
            input: info.origin.input,
            index: info.index << 1 | tag,
            id,
        });
        EventRef(u32::try_from(self.rows.len() - 1).expect("a hunt has fewer than 2^32 matched events"))
    }

    /// Adds an event of another table whose indices have the same numbers.
    pub(super) fn copy(&mut self, other: &Self, event: EventRef) -> EventRef {
        self.push(&other.info(event, &mut [0; 36]))
    }

    /// Beyond the number of any event.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The names of the indices by number, as far as they are known by now.
    pub(super) fn name_indices(&mut self, names: &[String]) {
        if self.indices.len() < names.len() {
            names.clone_into(&mut self.indices);
        }
    }

    pub(super) fn indices(&self) -> &[String] {
        &self.indices
    }

    /// Takes over the events of `other`; their numbers grow by what is returned.
    pub(super) fn append(&mut self, mut other: Self) -> u32 {
        self.name_indices(&other.indices);
        let ids = self.ids.len() as u64;
        if !other.ids.is_empty() {
            self.ids.push_str(&other.ids);
            for row in other.rows.iter_mut().filter(|it| it.index & 1 == 0) {
                let (start, _) = place(&row.id);
                row.id[..8].copy_from_slice(&(start as u64 + ids).to_le_bytes());
            }
        }
        u32::try_from(self.rows.append(other.rows)).expect("a hunt has fewer than 2^32 matched events")
    }

    pub(super) fn shifted(event: EventRef, by: u32) -> EventRef {
        EventRef(event.0.checked_add(by).expect("a hunt has fewer than 2^32 matched events"))
    }

    pub(crate) fn timestamp(&self, event: EventRef) -> Millis {
        self.rows[event.index()].timestamp
    }

    pub(crate) fn index(&self, event: EventRef) -> u32 {
        self.rows[event.index()].index >> 1
    }

    /// The name of the event's index; empty if it has none.
    pub(crate) fn index_name(&self, event: EventRef) -> &str {
        self.name(self.index(event))
    }

    pub(crate) fn name(&self, index: u32) -> &str {
        self.indices.get(index as usize).map_or("", String::as_str)
    }

    pub(crate) fn origin(&self, event: EventRef) -> Origin {
        let row = &self.rows[event.index()];
        Origin { input: row.input, ordinal: row.ordinal }
    }

    /// The `_id`, in `buffer` or in place.
    pub(crate) fn id<'a>(&'a self, event: EventRef, buffer: &'a mut [u8; 36]) -> &'a str {
        let row = &self.rows[event.index()];
        if row.index & 1 == 1 {
            return uuid::Uuid::from_bytes(row.id).hyphenated().encode_lower(buffer);
        }
        let (start, len) = place(&row.id);
        &self.ids[start..start + len]
    }

    /// A hash of who the event is: equal for all deliveries of it, in all collectors.
    pub(crate) fn identity(&self, event: EventRef) -> u64 {
        identity(self.id(event, &mut [0; 36]), self.index(event))
    }

    /// Whether both are the same event: same `_id` in the same `_index`.
    pub(crate) fn same(&self, a: EventRef, b: EventRef) -> bool {
        let (left, right) = (&self.rows[a.index()], &self.rows[b.index()]);
        left.index == right.index
            && if left.index & 1 == 1 {
                left.id == right.id
            } else {
                self.id(a, &mut [0; 36]) == self.id(b, &mut [0; 36])
            }
    }

    /// The order of events at the same time: by `@timestamp`, `_id`, the name of the `_index`, origin.
    pub(crate) fn compare(&self, a: EventRef, b: EventRef) -> Ordering {
        self.compare_info(a, &self.info(b, &mut [0; 36]))
    }

    pub(super) fn compare_info(&self, a: EventRef, b: &EventInfo<'_>) -> Ordering {
        let mut buffer = [0; 36];
        let a = self.info(a, &mut buffer);
        (a.timestamp, a.id, self.name(a.index), a.origin).cmp(&(
            b.timestamp,
            b.id,
            self.name(b.index),
            b.origin,
        ))
    }

    fn info<'a>(&'a self, event: EventRef, buffer: &'a mut [u8; 36]) -> EventInfo<'a> {
        EventInfo {
            id: self.id(event, buffer),
            index: self.index(event),
            timestamp: self.timestamp(event),
            origin: self.origin(event),
        }
    }
}

/// See [`EventTable::identity`].
pub(super) fn identity(id: &str, index: u32) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(id.as_bytes());
    hasher.write_u32(index);
    hasher.finish()
}

fn place(id: &[u8; 16]) -> (usize, usize) {
    let number = |half: &[u8]| half.iter().rev().fold(0_usize, |all, &byte| all << 8 | usize::from(byte));
    (number(&id[..8]), number(&id[8..]))
}

/// The bytes of a UUID in lower case with hyphens: exactly what its sixteen bytes print as.
fn canonical_uuid(id: &str) -> Option<[u8; 16]> {
    if id.len() != 36 || id.bytes().any(|it| it.is_ascii_uppercase()) {
        return None;
    }
    uuid::Uuid::try_parse(id).ok().map(uuid::Uuid::into_bytes)
}
