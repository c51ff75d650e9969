//! New numbers for events and values that go from one collector to another.

use std::ops::Range;

use ecs::Millis;

use super::events::{EventRef, EventTable};
use crate::tails::{ColumnNumber, Tails};
use crate::term::{Interner, TermId};

/// What is moved, and where to. Events and values of the old collector get the numbers that they have in the new one.
pub(crate) struct Moved<'a> {
    events: &'a mut EventTable,
    numbers: Numbers<'a>,
    tails: &'a Tails,
    /// The filters of the rule whose matches are moved.
    filters: Range<usize>,
    /// What ended before stays behind.
    pub(crate) since: Millis,
}

enum Numbers<'a> {
    /// All events were moved, and so were all values.
    Shifted { by: u32, values: &'a [Vec<TermId>] },
    /// Events and values are moved when somebody asks for their numbers.
    Anew {
        old: &'a EventTable,
        moved: Vec<Option<EventRef>>,
        old_values: &'a [Interner],
        values: &'a mut [Interner],
    },
}

impl<'a> Moved<'a> {
    pub(super) fn shifted(
        tails: &'a Tails,
        events: &'a mut EventTable,
        by: u32,
        values: &'a [Vec<TermId>],
    ) -> Self {
        Self { events, numbers: Numbers::Shifted { by, values }, tails, filters: 0..0, since: Millis::MIN }
    }

    pub(super) fn anew(
        tails: &'a Tails,
        events: &'a mut EventTable,
        values: &'a mut [Interner],
        old: &'a EventTable,
        old_values: &'a [Interner],
    ) -> Self {
        let numbers = Numbers::Anew { old, moved: vec![None; old.len()], old_values, values };
        Self { events, numbers, tails, filters: 0..0, since: Millis::MIN }
    }

    /// What follows belongs to this rule; what of it ended before `since` stays behind.
    pub(super) fn of_rule(&mut self, rule: usize, since: Millis) {
        self.filters = self.tails.filters_of(rule);
        self.since = since;
    }

    pub(crate) fn event(&mut self, event: EventRef) -> EventRef {
        match &mut self.numbers {
            Numbers::Shifted { by, .. } => EventTable::shifted(event, *by),
            Numbers::Anew { old, moved, .. } => {
                *moved[event.index()].get_or_insert_with(|| self.events.copy(old, event))
            }
        }
    }

    /// The number of a value in a column of one of the rule's filters.
    pub(crate) fn value(&mut self, step: usize, column: usize, id: TermId) -> TermId {
        self.in_column(self.columns(step)[column], id)
    }

    /// The numbers of values of the columns that the rule's type has at one of its filters; where it has fewer, the others
    /// stay.
    pub(crate) fn key<const N: usize>(&mut self, step: usize, mut key: [TermId; N]) -> [TermId; N] {
        let own = self.tails.tail_of(self.filters.start + step).rule_type.columns(step).len();
        for (id, &column) in key.iter_mut().zip(&self.columns(step)[..own]) {
            *id = self.in_column(column, *id);
        }
        key
    }

    fn columns(&self, step: usize) -> &'a [ColumnNumber] {
        self.tails.columns(self.filters.start + step)
    }

    fn in_column(&mut self, column: ColumnNumber, id: TermId) -> TermId {
        let column = column.index();
        match &mut self.numbers {
            Numbers::Shifted { values, .. } => values[column][id.index()],
            Numbers::Anew { old_values, values, .. } => values[column].intern(old_values[column].get(id)),
        }
    }

    /// The events, with those that were moved.
    pub(crate) fn events(&self) -> &EventTable {
        self.events
    }
}
