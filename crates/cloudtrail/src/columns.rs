//! Fields into columns.

use block::{BlockBuilder, Schema, Slot};
use ecs::{Scalar, Shape};

use crate::emit::{Sink, emit};
use crate::facts::Facts;
use crate::field::Field;
use crate::options::Version;
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

    /// How many there are, each counted for every field that it is filled from.
    pub fn len(&self) -> usize {
        self.wanted.iter().map(|(_, targets)| targets.len()).sum()
    }

    /// Gives every value of the columns to `row`.
    pub(crate) fn emit(&self, facts: &mut Facts<'_>, scratch: &mut Scratch, row: &mut impl Push) {
        debug_assert_eq!(facts.version(), self.version, "columns and normaliser must be of one version");
        let mut key = std::mem::take(&mut scratch.key);
        for (field, targets) in &self.wanted {
            let mut sink = Row { targets, into: row, key: &mut key };
            emit(*field, facts, scratch, &mut sink);
        }
        scratch.key = key;
    }
}

/// Whether a field with that path fills the column.
pub(crate) fn is_filled_from(column: &str, shape: Shape, path: &str) -> bool {
    from(path, column, shape).is_some()
}

fn target(path: &str, slot: Slot, column: &str, shape: Shape) -> Option<Target> {
    Some(match from(path, column, shape)? {
        From::Whole => Target::Leaf { slot },
        From::Below(path) => Target::Below { slot, path: path.into() },
        From::Leaves(prefix) => Target::Flattened { slot, prefix: prefix.into() },
    })
}

/// What of a field a column gets.
enum From<'a> {
    /// Its own values.
    Whole,
    /// Those below it at a path.
    Below(&'a str),
    /// All below it, each with its key after a prefix.
    Leaves(&'a str),
}

fn from<'a>(path: &'a str, column: &'a str, shape: Shape) -> Option<From<'a>> {
    match shape {
        Shape::Leaf => {
            let rest = column.strip_prefix(path)?;
            match rest.strip_prefix('.') {
                None => rest.is_empty().then_some(From::Whole),
                Some(below) => Some(From::Below(below)),
            }
        }
        Shape::FlattenedRoot => {
            let below = path.strip_prefix(column)?;
            (below.is_empty() || below.starts_with('.')).then_some(From::Leaves(below))
        }
        // No field of a record is of the type `nested`.
        Shape::Nested => None,
    }
}

/// Takes the values of a row.
pub(crate) trait Push {
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
