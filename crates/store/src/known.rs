//! Which events of a day are stored already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::segment::Segment;
use crate::{Day, StoreError};

/// So many events are remembered before days that are done with are forgotten.
const REMEMBERED_MAX: usize = 8 << 20;

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the day's segment of that number, at that row.
    Segment { segment: u32, row: u32 },
    /// Among those that were taken in since, by the hash of its record.
    Fresh(u128),
}

/// The events of one day.
#[derive(Debug, Default)]
struct DayEvents {
    segments: Vec<Segment>,
    first: FxHashMap<u128, Place>,
    /// Further deliveries, which differ from the first.
    more: FxHashMap<u128, Vec<Place>>,
    /// The hashes of a segment's records, once somebody asked for one.
    records: FxHashMap<u32, Vec<u128>>,
}

/// The events of the days that are being added to.
#[derive(Debug, Default)]
pub(crate) struct Known {
    days: HashMap<Day, DayEvents>,
}

/// What a record is to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// It is stored, byte for byte.
    Duplicate,
    /// It is not, and is the so manieth delivery of its event.
    New { delivery: u32 },
}

impl Known {
    /// Asks for a record, which is known from now on. `segments` gives those of a day.
    pub(crate) fn ask(
        &mut self,
        day: Day,
        (id, index, text): (&str, &[u8], &str),
        segments: impl FnOnce() -> Result<Vec<Segment>, StoreError>,
    ) -> Result<Novelty, StoreError> {
        if !self.days.contains_key(&day) {
            let remembered: usize = self.days.values().map(|it| it.first.len()).sum();
            if remembered > REMEMBERED_MAX {
                // What was written of them meanwhile is found in their segments, so that nothing is lost but time.
                self.days.clear();
            }
            self.days.insert(day, DayEvents::of(segments()?)?);
        }
        let events = self.days.get_mut(&day).expect("it was put there, if it was not there");
        events.ask(key(id, index), xxh3_128(text.as_bytes()))
    }
}

impl DayEvents {
    fn of(segments: Vec<Segment>) -> Result<Self, StoreError> {
        let mut events = Self::default();
        for (number, segment) in segments.iter().enumerate() {
            let mut row = 0;
            segment.ids(&mut |id, index| {
                events.put(key(id, index.as_bytes()), Place::Segment { segment: number as u32, row });
                row += 1;
            })?;
        }
        events.segments = segments;
        Ok(events)
    }

    fn put(&mut self, key: u128, place: Place) {
        match self.first.entry(key) {
            Entry::Vacant(free) => _ = free.insert(place),
            Entry::Occupied(_) => self.more.entry(key).or_default().push(place),
        }
    }

    fn ask(&mut self, key: u128, record: u128) -> Result<Novelty, StoreError> {
        let first = self.first.get(&key).copied();
        let more = self.more.get(&key).cloned().unwrap_or_default();
        let deliveries: Vec<Place> = first.into_iter().chain(more).collect();
        for &place in &deliveries {
            if self.record(place)? == record {
                return Ok(Novelty::Duplicate);
            }
        }
        self.put(key, Place::Fresh(record));
        Ok(Novelty::New { delivery: deliveries.len() as u32 + 1 })
    }

    /// The hash of a stored record.
    fn record(&mut self, place: Place) -> Result<u128, StoreError> {
        let (segment, row) = match place {
            Place::Fresh(hash) => return Ok(hash),
            Place::Segment { segment, row } => (segment, row as usize),
        };
        if !self.records.contains_key(&segment) {
            let mut hashes = Vec::new();
            self.segments[segment as usize].records(None, &mut |it| {
                hashes.push(xxh3_128(it.text.as_bytes()));
                std::ops::ControlFlow::Continue(())
            })?;
            self.records.insert(segment, hashes);
        }
        Ok(self.records[&segment][row])
    }
}

fn key(id: &str, index: &[u8]) -> u128 {
    let mut hasher = Xxh3Default::new();
    hasher.update(index);
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher.digest128()
}
