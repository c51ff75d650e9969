//! Texts by number: each is kept once.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Longer texts are no names of anything: no ARN has more bytes.
pub const TEXT_MAX: usize = 2_048;

/// The number of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TextId(u32);

impl TextId {
    /// The number of no text: also of the empty one.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// All texts, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    all: String,
    /// Where each ends. The first is the empty one.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { all: String::new(), ends: vec![0], numbers: HashTable::new() }
    }
}

impl Texts {
    /// The number of a text, which it gets if it has none. Texts that are too long are none.
    pub(crate) fn intern(&mut self, text: &str) -> TextId {
        if text.is_empty() || text.len() > TEXT_MAX {
            return TextId::NONE;
        }
        let Self { all, ends, numbers } = self;
        let hash = FxBuildHasher.hash_one(text);
        if let Some(number) = numbers.find(hash, |&it| slice(all, ends, it) == text) {
            return TextId(*number);
        }
        let number = u32::try_from(ends.len()).expect("calls are limited, and so are their texts");
        all.push_str(text);
        ends.push(all.len());
        numbers.insert_unique(hash, number, |&it| FxBuildHasher.hash_one(slice(all, ends, it)));
        TextId(number)
    }

    /// The number of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<TextId> {
        if text.is_empty() {
            return None;
        }
        let Self { all, ends, numbers } = self;
        let hash = FxBuildHasher.hash_one(text);
        numbers.find(hash, |&it| slice(all, ends, it) == text).map(|&it| TextId(it))
    }

    /// The text of a number; empty for none.
    pub(crate) fn get(&self, id: TextId) -> &str {
        if id.is_none() { "" } else { slice(&self.all, &self.ends, id.0) }
    }

    /// The text of a number, if it is that of one.
    pub(crate) fn some(&self, id: TextId) -> Option<&str> {
        (!id.is_none()).then(|| self.get(id))
    }
}

fn slice<'a>(all: &'a str, ends: &[usize], number: u32) -> &'a str {
    let at = number as usize;
    &all[ends[at - 1]..ends[at]]
}
