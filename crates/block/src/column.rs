//! One column: a dictionary of distinct values, and for each row which of them it has.

use std::hash::Hasher as _;

use ecs::Scalar;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// The number of a distinct value in a column's dictionary.
pub type Ordinal = u32;

/// The row has no value.
const NONE: u32 = u32::MAX;
/// The row has several values: the other bits are an index into `lists`.
const SEVERAL: u32 = 1 << 31;

/// A distinct value; texts are ranges of the column's arena.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Str { start: u32, len: u32 },
    NumberText { start: u32, len: u32 },
    Int(i64),
    UInt(u64),
    Float(u64),
    Bool(bool),
}

/// The values of one path for all rows of a block.
#[derive(Clone, Debug, Default)]
pub struct Column {
    arena: String,
    entries: Vec<Entry>,
    table: HashTable<Ordinal>,
    rows: Vec<u32>,
    lists: Vec<Vec<Ordinal>>,
}

impl Column {
    /// The distinct values, by ordinal.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Scalar<'_>> {
        self.entries.iter().map(|entry| self.scalar(*entry))
    }

    /// The distinct value of that number.
    pub fn value(&self, ordinal: Ordinal) -> Scalar<'_> {
        self.scalar(self.entries[ordinal as usize])
    }

    /// The number of a string, if any row has it.
    pub fn find_str(&self, text: &str) -> Option<Ordinal> {
        let value = Scalar::Str(text);
        self.table.find(hash(value), |&at| same(self.value(at), value)).copied()
    }

    /// The ordinals of a row's values, in the order the event gave them, repeats included.
    pub fn row(&self, row: usize) -> &[Ordinal] {
        match self.rows.get(row) {
            None | Some(&NONE) => &[],
            Some(&several) if several & SEVERAL != 0 => &self.lists[(several & !SEVERAL) as usize],
            Some(single) => std::slice::from_ref(single),
        }
    }

    /// For each row that has exactly one value its ordinal; others are out of the dictionary's range.
    /// Rows past the end have no value. The fast way over a column: see [`Column::row`] for the others.
    pub fn singles(&self) -> &[u32] {
        &self.rows
    }

    /// Whether any row has several values.
    pub fn has_lists(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Adds a value to `row`, which must not lie before the last one pushed to.
    pub(crate) fn push(&mut self, row: usize, value: Scalar<'_>) {
        let ordinal = self.intern(value);
        if self.rows.len() <= row {
            self.rows.resize(row, NONE);
            self.rows.push(ordinal);
            return;
        }
        let cell = &mut self.rows[row];
        if *cell & SEVERAL == 0 {
            self.lists.push(vec![*cell, ordinal]);
            *cell = SEVERAL | (self.lists.len() - 1) as u32;
        } else {
            self.lists[(*cell & !SEVERAL) as usize].push(ordinal);
        }
    }

    /// Forgets everything but the allocated memory.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.table.clear();
        self.rows.clear();
        self.lists.clear();
    }

    /// Drops what was pushed to `row` and later.
    pub(crate) fn truncate(&mut self, row: usize) {
        self.rows.truncate(row);
    }

    fn intern(&mut self, value: Scalar<'_>) -> Ordinal {
        let Self { arena, entries, table, .. } = self;
        let text = |start: u32, len: u32, arena: &str| -> std::ops::Range<usize> {
            debug_assert!((start + len) as usize <= arena.len());
            start as usize..(start + len) as usize
        };
        let hash = hash(value);
        let found = table.find(hash, |&at| match (entries[at as usize], value) {
            (Entry::Str { start, len }, Scalar::Str(new))
            | (Entry::NumberText { start, len }, Scalar::NumberText(new)) => {
                &arena.as_bytes()[text(start, len, arena)] == new.as_bytes()
            }
            (Entry::Int(old), Scalar::Int(new)) => old == new,
            (Entry::UInt(old), Scalar::UInt(new)) => old == new,
            (Entry::Float(old), Scalar::Float(new)) => old == new.to_bits(),
            (Entry::Bool(old), Scalar::Bool(new)) => old == new,
            _ => false,
        });
        if let Some(&at) = found {
            return at;
        }
        let start = arena.len() as u32;
        let entry = match value {
            Scalar::Str(new) => {
                arena.push_str(new);
                Entry::Str { start, len: new.len() as u32 }
            }
            Scalar::NumberText(new) => {
                arena.push_str(new);
                Entry::NumberText { start, len: new.len() as u32 }
            }
            Scalar::Int(new) => Entry::Int(new),
            Scalar::UInt(new) => Entry::UInt(new),
            Scalar::Float(new) => Entry::Float(new.to_bits()),
            Scalar::Bool(new) => Entry::Bool(new),
        };
        let at = entries.len() as u32;
        entries.push(entry);
        // Only growing the table hashes old entries again.
        table.insert_unique(hash, at, |&at| self::hash(scalar(arena, entries[at as usize])));
        at
    }

    fn scalar(&self, entry: Entry) -> Scalar<'_> {
        scalar(&self.arena, entry)
    }
}

fn scalar(arena: &str, entry: Entry) -> Scalar<'_> {
    match entry {
        Entry::Str { start, len } => Scalar::Str(&arena[start as usize..(start + len) as usize]),
        Entry::NumberText { start, len } => Scalar::NumberText(&arena[start as usize..(start + len) as usize]),
        Entry::Int(value) => Scalar::Int(value),
        Entry::UInt(value) => Scalar::UInt(value),
        Entry::Float(bits) => Scalar::Float(f64::from_bits(bits)),
        Entry::Bool(value) => Scalar::Bool(value),
    }
}

fn same(a: Scalar<'_>, b: Scalar<'_>) -> bool {
    a == b
}

fn hash(value: Scalar<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    match value {
        Scalar::Str(text) => hasher.write(text.as_bytes()),
        Scalar::NumberText(text) => {
            hasher.write(text.as_bytes());
            hasher.write_u8(1);
        }
        Scalar::Int(value) => hasher.write_i64(value),
        Scalar::UInt(value) => hasher.write_u64(value),
        Scalar::Float(value) => hasher.write_u64(value.to_bits()),
        Scalar::Bool(value) => hasher.write_u8(u8::from(value)),
    }
    hasher.finish()
}
