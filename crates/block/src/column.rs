//! One column: a dictionary of distinct values, and for each row which of them it has.

use std::hash::Hasher as _;

use ecs::Scalar;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::Texts;

/// The number of a distinct value in a column's dictionary.
pub type Ordinal = u32;

/// What [`Column::singles`] holds for a row without a value.
const NONE: u32 = u32::MAX;
/// The row has several values: the other bits are an index into `lists`.
const SEVERAL: u32 = 1 << 31;

/// A distinct value; texts are ranges of the column's arena.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Str { start: usize, len: u32 },
    NumberText { start: usize, len: u32 },
    Int(i64),
    UInt(u64),
    Float(u64),
    Bool(bool),
}

/// The values of one path for all rows of a block.
///
/// The dictionary may hold values that no row has any more: those of abandoned rows.
#[derive(Clone, Debug, Default)]
pub struct Column {
    arena: String,
    entries: Vec<Entry>,
    table: HashTable<Ordinal>,
    /// The ordinals of the entries that are no strings, ascending.
    not_strings: Vec<Ordinal>,
    rows: Vec<u32>,
    /// Where in `listed` the values of each row with several begin; they end where the next one's begin.
    lists: Vec<u32>,
    listed: Vec<Ordinal>,
    last: Option<LastText>,
}

/// The text that was pushed last. Neighbours are alike: in most columns a value is the one of the row before, and
/// comparing is cheaper than hashing.
#[derive(Clone, Copy, Debug)]
struct LastText {
    ordinal: Ordinal,
    len: u32,
    start: usize,
}

impl Column {
    /// The distinct values, by ordinal.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Scalar<'_>> {
        self.entries.iter().map(|entry| scalar(&self.arena, *entry))
    }

    /// The distinct value of that number.
    pub fn value(&self, ordinal: Ordinal) -> Scalar<'_> {
        scalar(&self.arena, self.entries[ordinal as usize])
    }

    /// How many distinct values there are.
    pub fn distinct(&self) -> usize {
        self.entries.len()
    }

    /// The ordinals of the distinct values that are no strings, ascending: none in most columns.
    pub fn not_strings(&self) -> &[Ordinal] {
        &self.not_strings
    }

    /// The number of a string, if any row has it.
    pub fn find_str(&self, text: &str) -> Option<Ordinal> {
        let value = Scalar::Str(text);
        self.table.find(hash(value), |&at| self.value(at) == value).copied()
    }

    /// The ordinals of a row's values, in the order the event gave them, repeats included.
    pub fn row(&self, row: usize) -> &[Ordinal] {
        match self.rows.get(row) {
            None | Some(&NONE) => &[],
            Some(&several) if several & SEVERAL != 0 => {
                let list = (several & !SEVERAL) as usize;
                let end = self.lists.get(list + 1).map_or(self.listed.len(), |&end| end as usize);
                &self.listed[self.lists[list] as usize..end]
            }
            Some(single) => std::slice::from_ref(single),
        }
    }

    /// For each row that has exactly one value its ordinal; others are out of the dictionary's range.
    /// Rows past the end have no value. The fast way over a column: see [`Column::row`] for the others.
    pub fn singles(&self) -> &[u32] {
        &self.rows
    }

    /// Adds a value to `row`, which must not lie before the last one pushed to.
    pub(crate) fn push(&mut self, row: usize, value: Scalar<'_>) {
        let ordinal = match value {
            Scalar::Str(text) => self.intern_text(text),
            value => self.intern(value),
        };
        self.put(row, ordinal);
    }

    /// Adds a text, as [`Column::push`] does.
    pub(crate) fn push_text(&mut self, row: usize, text: &str) {
        let ordinal = self.intern_text(text);
        self.put(row, ordinal);
    }

    /// Adds to the rows from `first` on what each has, by its number among `texts`, if it has one. `known` is room for the
    /// ordinal of each: a text is looked up once, however many rows have it.
    pub(crate) fn fill(
        &mut self,
        first: usize,
        texts: Texts<'_>,
        rows: impl Iterator<Item = Option<u32>>,
        known: &mut Vec<Ordinal>,
    ) {
        known.clear();
        known.resize(texts.ends.len(), NONE);
        for (at, number) in rows.enumerate() {
            let Some(number) = number else { continue };
            let mut ordinal = known[number as usize];
            if ordinal == NONE {
                ordinal = self.intern_text(texts.text(number));
                known[number as usize] = ordinal;
            }
            self.put(first + at, ordinal);
        }
    }

    #[inline]
    fn put(&mut self, row: usize, ordinal: Ordinal) {
        if self.rows.len() == row {
            self.rows.push(ordinal);
        } else {
            self.put_apart(row, ordinal);
        }
    }

    /// Adds a value after a gap, or to a row that has one.
    fn put_apart(&mut self, row: usize, ordinal: Ordinal) {
        if self.rows.len() < row {
            self.rows.resize(row, NONE);
            self.rows.push(ordinal);
            return;
        }
        debug_assert_eq!(self.rows.len(), row + 1, "values come row by row");
        let cell = &mut self.rows[row];
        if *cell & SEVERAL == 0 {
            self.lists.push(self.listed.len() as u32);
            self.listed.extend([*cell, ordinal]);
            *cell = SEVERAL | (self.lists.len() - 1) as u32;
        } else {
            // Only the last row grows, so its list is the last one.
            self.listed.push(ordinal);
        }
    }

    /// Forgets everything but the allocated memory.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.table.clear();
        self.not_strings.clear();
        self.rows.clear();
        self.lists.clear();
        self.listed.clear();
        self.last = None;
    }

    /// Drops what was pushed to `row`, the last one, if anything was.
    pub(crate) fn abandon(&mut self, row: usize) {
        let Some(&cell) = self.rows.get(row) else { return };
        if cell & SEVERAL != 0
            && let Some(start) = self.lists.pop()
        {
            self.listed.truncate(start as usize);
        }
        self.rows.truncate(row);
    }

    /// About how many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.len()
            + self.entries.len() * (size_of::<Entry>() + size_of::<Ordinal>())
            + (self.rows.len() + self.lists.len() + self.listed.len()) * size_of::<u32>()
    }

    #[inline]
    fn intern_text(&mut self, text: &str) -> Ordinal {
        if let Some(last) = self.last
            && last.len as usize == text.len()
            && same_bytes(&self.arena.as_bytes()[last.start..last.start + text.len()], text.as_bytes())
        {
            return last.ordinal;
        }
        let ordinal = self.intern(Scalar::Str(text));
        if let Entry::Str { start, len } = self.entries[ordinal as usize] {
            self.last = Some(LastText { ordinal, len, start });
        }
        ordinal
    }

    fn intern(&mut self, value: Scalar<'_>) -> Ordinal {
        let Self { arena, entries, table, .. } = self;
        let hash = hash(value);
        if let Some(&at) = table.find(hash, |&at| same(arena, entries[at as usize], value)) {
            return at;
        }
        let start = arena.len();
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
        if !matches!(value, Scalar::Str(_)) {
            self.not_strings.push(at);
        }
        // Only growing the table hashes old entries again.
        table.insert_unique(hash, at, |&at| self::hash(scalar(arena, entries[at as usize])));
        at
    }
}

fn scalar(arena: &str, entry: Entry) -> Scalar<'_> {
    match entry {
        Entry::Str { start, len } => Scalar::Str(&arena[start..start + len as usize]),
        Entry::NumberText { start, len } => Scalar::NumberText(&arena[start..start + len as usize]),
        Entry::Int(value) => Scalar::Int(value),
        Entry::UInt(value) => Scalar::UInt(value),
        Entry::Float(bits) => Scalar::Float(f64::from_bits(bits)),
        Entry::Bool(value) => Scalar::Bool(value),
    }
}

/// Whether the entry is this value: of the same kind, and floats of the same bits.
fn same(arena: &str, entry: Entry, value: Scalar<'_>) -> bool {
    match (entry, value) {
        (Entry::Str { start, len }, Scalar::Str(new))
        | (Entry::NumberText { start, len }, Scalar::NumberText(new)) => {
            len as usize == new.len()
                && same_bytes(&arena.as_bytes()[start..start + new.len()], new.as_bytes())
        }
        (Entry::Int(old), Scalar::Int(new)) => old == new,
        (Entry::UInt(old), Scalar::UInt(new)) => old == new,
        (Entry::Float(old), Scalar::Float(new)) => old == new.to_bits(),
        (Entry::Bool(old), Scalar::Bool(new)) => old == new,
        _ => false,
    }
}

/// Whether two texts of one length are equal. Most are short, and a call of `memcmp` costs more than comparing them:
/// two loads from each, which may overlap, are all there is up to 32 bytes.
#[inline]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    debug_assert_eq!(a.len(), b.len(), "only texts of one length are compared");
    match a.len() {
        8..=16 => ends::<8>(a) == ends::<8>(b),
        17..=32 => ends::<16>(a) == ends::<16>(b),
        _ => a == b,
    }
}

/// The first and the last bytes.
#[inline]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    bytes.first_chunk().zip(bytes.last_chunk())
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
