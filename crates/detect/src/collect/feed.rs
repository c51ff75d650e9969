//! What a rule type is told of an event that it gathers.

use super::events::{Current, EventInfo, EventRef, EventTable, identity};
use crate::tails::ColumnNumber;
use crate::term::{Interner, Term, TermId};

/// An event being fed to one rule.
pub(crate) struct Feed<'a, 'b> {
    current: &'a mut Current<'b>,
    events: &'a mut EventTable,
    values: &'a [Interner],
    columns: &'a [ColumnNumber],
    /// Whether any execution could look at it.
    pub(crate) is_in_reach: bool,
}

impl<'a, 'b> Feed<'a, 'b> {
    pub(super) fn new(
        current: &'a mut Current<'b>,
        events: &'a mut EventTable,
        values: &'a [Interner],
        columns: &'a [ColumnNumber],
        is_in_reach: bool,
    ) -> Self {
        Self { current, events, values, columns, is_in_reach }
    }

    /// Feeds an event that is in the table already.
    pub(crate) fn again(
        event: EventRef,
        events: &mut EventTable,
        values: &[Interner],
        columns: &[ColumnNumber],
        is_in_reach: bool,
        take: impl FnOnce(&mut Feed<'_, '_>),
    ) {
        let id = events.id(event, &mut [0; 36]).to_owned();
        let (timestamp, origin) = (events.timestamp(event), events.origin(event));
        let info = EventInfo { id: &id, index: events.index(event), timestamp, origin };
        let mut current = Current::again(info, event);
        take(&mut Feed::new(&mut current, events, values, columns, is_in_reach));
    }

    /// The event in the table: it goes there when somebody needs it.
    pub(crate) fn row(&mut self) -> EventRef {
        self.current.row(self.events)
    }

    /// Whether it is this event in the table.
    pub(crate) fn is(&self, event: EventRef) -> bool {
        self.current.is(event)
    }

    /// Whether it comes before an event of the table at the same time.
    pub(crate) fn is_before(&self, other: EventRef) -> bool {
        self.events.compare_info(other, &self.current.info).is_gt()
    }

    /// The `_id`.
    pub(crate) fn id(&self) -> &str {
        self.current.info.id
    }

    /// See [`EventTable::identity`].
    pub(crate) fn identity(&self) -> u64 {
        identity(self.current.info.id, self.current.info.index)
    }

    pub(crate) fn events(&self) -> &EventTable {
        self.events
    }

    /// Gives values by the place of their column among those of the filter.
    pub(crate) fn terms(&self) -> impl Fn(usize, TermId) -> Term<'a> + use<'a> {
        let (values, columns) = (self.values, self.columns);
        move |column, id| values[columns[column].index()].get(id)
    }
}
