//! A record's event, of which only what is asked for is made.

use std::borrow::Cow;

use block::{Block, BlockBuilder, Slot};
use ecs::{Millis, Scalar};
use xxhash_rust::xxh3::xxh3_128;

use crate::columns::{Columns, Push};
use crate::facts::Facts;
use crate::normalise::Normaliser;
use crate::options::ReadAt;
use crate::record::Record;
use crate::scratch::Scratch;

/// The event of one record: whoever holds it looks at what it needs to know first, and asks for the rest or does not.
///
/// ```
/// use block::{BlockBuilder, Schema};
/// use cloudtrail::{Columns, Normaliser, Options, ReadAt, RecordBuf, Version};
///
/// let mut schema = Schema::default();
/// let user = schema.add("user.name", ecs::Shape::Leaf);
/// let columns = Columns::new(&schema, Version::default());
/// let mut builder = BlockBuilder::new(schema.into());
///
/// let mut buf = RecordBuf::default();
/// let record = buf.parse(br#"{"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com",
///     "userIdentity": {"userName": "ada"}}"#);
/// let (mut normaliser, read_at) = (Normaliser::new(Options::default()), ReadAt::new(0));
/// let mut event = normaliser.event(&record, &read_at);
/// if event.call().is_some_and(|call| call.action == "StopLogging") {
///     event.fill(&columns, &mut builder);
/// }
/// assert_eq!(builder.finish().column(user).row(0).len(), 1);
/// ```
pub struct Event<'e> {
    facts: Facts<'e>,
    scratch: &'e mut Scratch,
    read_at: &'e ReadAt,
}

/// What a record says of its call, if it says both in plain texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The only value of `event.action`.
    pub action: &'a str,
    /// The only value of `event.provider`.
    pub provider: &'a str,
}

/// What every event has beside its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHead<'a> {
    /// The `_id`: the record's own id, else a hash of its text.
    pub id: Cow<'a, str>,
    /// The `@timestamp`.
    pub timestamp: Millis,
}

impl Normaliser {
    /// The event of a record. Columns that it is asked to fill must be of the normaliser's version.
    pub fn event<'e>(&'e mut self, record: &'e Record<'_>, read_at: &'e ReadAt) -> Event<'e> {
        let (options, scratch) = self.parts();
        Event { facts: Facts::new(record, options, read_at), scratch, read_at }
    }
}

impl<'e> Event<'e> {
    /// Which call it is about. Nothing if that is not plain: a list of names, a number, an empty text.
    pub fn call(&self) -> Option<Call<'e>> {
        let action = self.facts.event_name()?;
        let provider = self.facts.text(self.facts.top.event_source())?;
        // An empty text makes no value, whether or not the version lets it stand.
        (!action.is_empty() && !provider.is_empty()).then_some(Call { action, provider })
    }

    /// Its own time: the `@timestamp`, unless that is the time of reading for want of another.
    pub fn time(&self) -> Option<Millis> {
        self.facts.timestamp
    }

    /// What completes its row.
    pub fn head(&self) -> EventHead<'e> {
        let own = self.facts.text(self.facts.top.event_id()).filter(|id| !id.is_empty());
        EventHead {
            id: own.map_or_else(|| hashed_id(self.facts.raw), Cow::Borrowed),
            timestamp: self.facts.timestamp.unwrap_or_else(|| self.read_at.time()),
        }
    }

    /// Hands over every value that the columns would get.
    pub fn values(&mut self, columns: &Columns, mut take: impl FnMut(Scalar<'_>)) {
        self.values_by_column(columns, |_, value| take(value));
    }

    /// The same, each with its column.
    pub fn values_by_column(&mut self, columns: &Columns, take: impl FnMut(Slot, Scalar<'_>)) {
        columns.emit(&mut self.facts, self.scratch, &mut Each(take));
    }

    /// Fills the row that is being built. The builder must have the schema that the columns were made for.
    pub fn fill(&mut self, columns: &Columns, builder: &mut BlockBuilder) {
        columns.emit(&mut self.facts, self.scratch, builder);
    }

    /// Fills these columns of a row that is complete already; see [`Block::push_late`].
    pub fn fill_late(&mut self, columns: &Columns, block: &mut Block, row: usize) {
        columns.emit(&mut self.facts, self.scratch, &mut Late { block, row });
    }
}

/// The `_id` of a record's event: its own id, else a hash of its text.
pub fn event_id<'a>(record: &'a Record<'_>) -> Cow<'a, str> {
    record.event_id().map_or_else(|| hashed_id(record.raw()), Cow::Borrowed)
}

fn hashed_id(text: &[u8]) -> Cow<'static, str> {
    format!("{:032x}", xxh3_128(text)).into()
}

/// A row that is complete but for some columns.
struct Late<'b> {
    block: &'b mut Block,
    row: usize,
}

impl Push for Late<'_> {
    fn push(&mut self, slot: Slot, value: Scalar<'_>) {
        self.block.push_late(self.row, slot, value);
    }

    fn push_text(&mut self, slot: Slot, text: &str) {
        self.push(slot, Scalar::Str(text));
    }
}

/// No row: what takes each value.
struct Each<F>(F);

impl<F: FnMut(Slot, Scalar<'_>)> Push for Each<F> {
    fn push(&mut self, slot: Slot, value: Scalar<'_>) {
        (self.0)(slot, value);
    }

    fn push_text(&mut self, slot: Slot, text: &str) {
        (self.0)(slot, Scalar::Str(text));
    }
}
