//! What a worker found in one block.

use block::{Block, Column, Ordinal, Origin, Slot};
use ecs::Millis;
use exec::Row;

use crate::record::Kind;
use crate::rows::RowFiller;
use crate::sifting::Sift;

/// Takes what a worker finds.
pub trait Sink {
    /// Takes what was found in one block. Ordinals of values ([`Sifted::row`]) are good for this block only, but there
    /// a value has just one: what is worked out for it need be worked out once.
    fn take(&mut self, sifted: &Sifted<'_>);
}

/// The events of a block that filters matched; with [`Policy::Everything`](crate::Policy::Everything) all of its events.
pub struct Sifted<'a> {
    pub(crate) sift: &'a Sift,
    pub(crate) block: &'a Block,
    pub(crate) rows: &'a RowFiller,
    /// Rows and the filters that match them, ascending.
    pub(crate) found: &'a [(Row, u32)],
}

/// An event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The `_id`.
    pub id: &'a str,
    /// The `_index`, by its number among [`Sifted::indices`].
    pub index: u32,
    /// The `@timestamp`.
    pub timestamp: Millis,
    /// Where it was read.
    pub origin: Origin,
    /// The object ids of the rules that raised it and the alerts it comes from, if it is an alert.
    pub lineage: &'a [String],
    /// What the record is, and its text, if that is at hand.
    pub text: Option<(Kind, &'a str)>,
    row: Row,
    filters: &'a [(Row, u32)],
}

impl<'a> Sifted<'a> {
    /// The events, in the order in which they were given.
    pub fn events(&self) -> impl Iterator<Item = Event<'a>> {
        let (mut rest, mut next) = (self.found, 0);
        std::iter::from_fn(move || {
            let row = if self.sift.is_everything() {
                ((next as usize) < self.block.rows()).then_some(next)?
            } else {
                rest.first()?.0
            };
            let (filters, later) = rest.split_at(rest.iter().take_while(|(at, _)| *at == row).count());
            (rest, next) = (later, row + 1);
            Some(self.event(row, filters))
        })
    }

    fn event(&self, row: Row, filters: &'a [(Row, u32)]) -> Event<'a> {
        let at = row as usize;
        Event {
            id: self.block.id(at),
            index: self.block.index(at),
            timestamp: self.block.timestamp(at),
            origin: self.block.origin(at),
            lineage: self.rows.lineage(row),
            text: self.rows.text(row),
            row,
            filters,
        }
    }

    /// The columns that were asked for with a filter, in that order.
    pub fn needs(&self, filter: usize) -> &'a [Slot] {
        self.sift.needs(filter)
    }

    /// The columns that are wanted of every event, in the order in which they were asked for.
    pub fn columns(&self) -> &'a [Slot] {
        self.sift.columns()
    }

    /// A column with all its distinct values, by ordinal.
    pub fn column(&self, slot: Slot) -> &'a Column {
        self.block.column(slot)
    }

    /// The ordinals of the values that an event has in a column. Only the columns that were asked for with a filter that
    /// matches the event are sure to be filled, and those that [`Policy::Everything`](crate::Policy::Everything) asks
    /// for.
    pub fn row(&self, slot: Slot, event: &Event<'_>) -> &'a [Ordinal] {
        self.block.column(slot).row(event.row as usize)
    }

    /// The names of the indices that events have had so far, by number: the same for all workers.
    pub fn indices(&self) -> &'a [String] {
        self.rows.names()
    }
}

impl Event<'_> {
    /// The filters that match it, ascending, as they were given to [`Sift::new`].
    pub fn filters(&self) -> impl Iterator<Item = usize> {
        self.filters.iter().map(|&(_, filter)| filter as usize)
    }
}
