//! Fields into columns.

use std::borrow::Cow;

use block::{Block, BlockBuilder, Schema, Slot};
use ecs::{Millis, Scalar, Shape};
use xxhash_rust::xxh3::xxh3_128;

use crate::emit::{Sink, emit};
use crate::facts::Facts;
use crate::field::Field;
use crate::normalise::Normaliser;
use crate::options::{ReadAt, Version};
use crate::record::Record;
use crate::scratch::Scratch;
use crate::subtree::Subtree;

/// Where the values of one field go.
#[derive(Clone, Debug)]
enum Target {
    /// The field's own values.
    Leaf { slot: Slot },
    /// The values below it at a path.
    Below { slot: Slot, path: Box<str> },
    /// All values below it, each with its key after a prefix; a dot stands before every part of both.
    Flattened { slot: Slot, prefix: Box<str> },
}

impl Target {
    fn slot(&self) -> Slot {
        match self {
            Self::Leaf { slot } | Self::Below { slot, .. } | Self::Flattened { slot, .. } => *slot,
        }
    }
}

/// Which fields the columns of a schema are filled from.
#[derive(Clone, Debug)]
pub struct Columns {
    version: Version,
    /// In the order of [`Field`], each with its targets.
    wanted: Vec<(Field, Vec<Target>)>,
}

/// What every event has beside its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHead<'a> {
    /// The `_id`: the record's own id, else a hash of its text.
    pub id: Cow<'a, str>,
    /// The `@timestamp`.
    pub timestamp: Millis,
    /// Whether that is the record's own time, and not the time of reading.
    pub is_dated: bool,
}

/// What a record says of its call, if it says both in plain texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The only value of `event.action`.
    pub action: &'a str,
    /// The only value of `event.provider`.
    pub provider: &'a str,
}

/// A look at a record before its columns are picked.
pub struct Peek<'p, 'a> {
    facts: &'p mut Facts<'a>,
    scratch: &'p mut Scratch,
}

impl Peek<'_, '_> {
    /// Hands over every value that the columns would get.
    pub fn values(&mut self, columns: &Columns, take: impl FnMut(Scalar<'_>)) {
        columns.emit(self.facts, self.scratch, &mut Each(take));
    }
}

impl Columns {
    /// Works out where the values of each column come from. Columns that no record can fill stay empty.
    pub fn new(schema: &Schema, version: Version) -> Self {
        Self::of(schema, version, |_| true)
    }

    /// As [`Columns::new`], for those of the schema's columns that `picked` names.
    pub fn of(schema: &Schema, version: Version, picked: impl Fn(Slot) -> bool) -> Self {
        let mut wanted = Vec::new();
        for &field in Field::ALL.iter().filter(|field| field.is_in(version)) {
            let path = field.path(version);
            let targets: Vec<Target> = schema
                .columns()
                .filter(|(slot, ..)| picked(*slot))
                .filter_map(|(slot, column, shape)| target(path, slot, column, shape))
                .collect();
            if !targets.is_empty() {
                wanted.push((field, targets));
            }
        }
        Self { version, wanted }
    }

    /// Those of these columns that `picked` names.
    #[must_use]
    pub fn only(&self, picked: impl Fn(Slot) -> bool) -> Self {
        let wanted = self.wanted.iter().filter_map(|(field, targets)| {
            let targets: Vec<Target> = targets.iter().filter(|it| picked(it.slot())).cloned().collect();
            (!targets.is_empty()).then_some((*field, targets))
        });
        Self { version: self.version, wanted: wanted.collect() }
    }

    /// Whether no record can fill any of them.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Fills the row that is being built, and says what completes it. The builder must have the schema that the
    /// columns were made for, and the normaliser the version.
    pub fn fill<'a>(
        &self,
        normaliser: &mut Normaliser,
        record: &'a Record<'_>,
        read_at: &ReadAt,
        builder: &mut BlockBuilder,
    ) -> EventHead<'a> {
        Self::fill_by_call(normaliser, record, read_at, builder, |_, _| Some(self))
    }

    /// As [`Columns::fill`], with the columns that `of_call` picks once the call is known, if any. All that it may
    /// pick or look at are of one schema and version.
    pub fn fill_by_call<'a, 'c>(
        normaliser: &mut Normaliser,
        record: &'a Record<'_>,
        read_at: &ReadAt,
        builder: &mut BlockBuilder,
        of_call: impl FnOnce(Option<Call<'_>>, &mut Peek<'_, '_>) -> Option<&'c Self>,
    ) -> EventHead<'a> {
        let (options, scratch) = normaliser.parts();
        let mut facts = Facts::new(record, options, read_at);
        // An empty text makes no value, whether or not the version lets it stand.
        let call = facts.event_name().zip(facts.text(facts.top.event_source()));
        let call = call.filter(|(action, provider)| !action.is_empty() && !provider.is_empty());
        let call = call.map(|(action, provider)| Call { action, provider });
        if let Some(columns) = of_call(call, &mut Peek { facts: &mut facts, scratch }) {
            columns.emit(&mut facts, scratch, builder);
        }
        let (own_id, own_time) = (facts.top.event_id(), facts.timestamp);
        EventHead {
            id: record.id_at(own_id).map_or_else(|| hashed_id(record), Cow::Borrowed),
            timestamp: own_time.unwrap_or_else(|| read_at.time()),
            is_dated: own_time.is_some(),
        }
    }

    /// Fills these columns of a row that is complete already; see [`Block::push_late`].
    pub fn fill_late(
        &self,
        normaliser: &mut Normaliser,
        record: &Record<'_>,
        read_at: &ReadAt,
        block: &mut Block,
        row: usize,
    ) {
        let (options, scratch) = normaliser.parts();
        self.emit(&mut Facts::new(record, options, read_at), scratch, &mut Late { block, row });
    }

    /// Gives every value of the columns to `row`.
    fn emit(&self, facts: &mut Facts<'_>, scratch: &mut Scratch, row: &mut impl Push) {
        debug_assert_eq!(facts.version(), self.version, "columns and normaliser must be of one version");
        let mut key = std::mem::take(&mut scratch.key);
        for (field, targets) in &self.wanted {
            let mut sink = Row { targets, into: row, key: &mut key };
            emit(*field, facts, scratch, &mut sink);
        }
        scratch.key = key;
    }
}

/// The `_id` of a record's event: its own id, else a hash of its text.
pub fn event_id<'a>(record: &'a Record<'_>) -> Cow<'a, str> {
    record.event_id().map_or_else(|| hashed_id(record), Cow::Borrowed)
}

fn hashed_id(record: &Record<'_>) -> Cow<'static, str> {
    format!("{:032x}", xxh3_128(record.raw())).into()
}

fn target(path: &str, slot: Slot, column: &str, shape: Shape) -> Option<Target> {
    match shape {
        Shape::Leaf => {
            let rest = column.strip_prefix(path)?;
            match rest.strip_prefix('.') {
                None => rest.is_empty().then_some(Target::Leaf { slot }),
                Some(below) => Some(Target::Below { slot, path: below.into() }),
            }
        }
        Shape::FlattenedRoot => {
            let below = path.strip_prefix(column)?;
            (below.is_empty() || below.starts_with('.'))
                .then(|| Target::Flattened { slot, prefix: below.into() })
        }
        // No field of a record is of the type `nested`.
        Shape::Nested => None,
    }
}

/// Takes the values of a row.
trait Push {
    fn push(&mut self, slot: Slot, value: Scalar<'_>);
    fn push_text(&mut self, slot: Slot, text: &str);
}

impl Push for BlockBuilder {
    fn push(&mut self, slot: Slot, value: Scalar<'_>) {
        self.push(slot, value);
    }

    #[inline]
    fn push_text(&mut self, slot: Slot, text: &str) {
        self.push_text(slot, text);
    }
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

impl<F: FnMut(Scalar<'_>)> Push for Each<F> {
    fn push(&mut self, _: Slot, value: Scalar<'_>) {
        (self.0)(value);
    }

    fn push_text(&mut self, _: Slot, text: &str) {
        (self.0)(Scalar::Str(text));
    }
}

/// One field of a row.
struct Row<'r, P> {
    targets: &'r [Target],
    into: &'r mut P,
    key: &'r mut String,
}

impl<P: Push> Row<'_, P> {
    /// Pushes a leaf of a flattened field: its key, a NUL, its value. The key comes with a dot before every part;
    /// without any part it is no leaf.
    fn push_leaf(builder: &mut P, slot: Slot, key: &str, value: Scalar<'_>, leaf: &mut String) {
        if let Some(key) = key.strip_prefix('.') {
            leaf.clear();
            leaf.push_str(key);
            leaf.push('\0');
            leaf.push_str(&value.text());
            builder.push_text(slot, leaf);
        }
    }
}

impl<P: Push> Sink for Row<'_, P> {
    #[inline]
    fn text(&mut self, field: Field, text: &str) {
        match self.targets {
            [Target::Leaf { slot }] => self.into.push_text(*slot, text),
            _ => self.scalar(field, Scalar::Str(text)),
        }
    }

    fn scalar(&mut self, _: Field, value: Scalar<'_>) {
        for target in self.targets {
            match target {
                Target::Leaf { slot } => self.into.push(*slot, value),
                Target::Below { .. } => {}
                Target::Flattened { slot, prefix } => {
                    Self::push_leaf(self.into, *slot, prefix, value, self.key);
                }
            }
        }
    }

    fn strings(&mut self, field: Field, values: &mut dyn Iterator<Item = &str>) {
        for value in values {
            self.text(field, value);
        }
    }

    fn subtree(&mut self, _: Field, value: Subtree<'_>) {
        for target in self.targets {
            let builder = &mut *self.into;
            match target {
                Target::Leaf { slot } => value.scalars(&mut |scalar| builder.push(*slot, scalar)),
                Target::Below { slot, path } => {
                    value.scalars_below(path, &mut |scalar| builder.push(*slot, scalar));
                }
                Target::Flattened { slot, prefix } => {
                    let mut key = prefix.to_string();
                    value.leaves(&mut key, &mut |key, scalar| {
                        Self::push_leaf(builder, *slot, key, scalar, self.key);
                    });
                }
            }
        }
    }

    fn subtrees(&mut self, field: Field, values: &mut dyn Iterator<Item = Subtree<'_>>) {
        for value in values {
            self.subtree(field, value);
        }
    }
}
