//! Which columns a block has.

use ecs::Shape;
use rustc_hash::FxHashMap;

/// The number of a column in a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The columns that the loaded rules, the tails and the outputs ask for, in the order they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    columns: Vec<(String, Shape)>,
    index: FxHashMap<(String, Shape), Slot>,
}

impl Schema {
    /// The column of `path`, new if nobody asked for it before.
    ///
    /// # Panics
    ///
    /// With more than four billion columns.
    pub fn add(&mut self, path: &str, shape: Shape) -> Slot {
        if let Some(&slot) = self.index.get(&(path.to_owned(), shape)) {
            return slot;
        }
        let slot = Slot(u32::try_from(self.columns.len()).expect("fewer columns than rules have words"));
        self.columns.push((path.to_owned(), shape));
        self.index.insert((path.to_owned(), shape), slot);
        slot
    }

    /// The column of `path`, if there is one.
    pub fn get(&self, path: &str, shape: Shape) -> Option<Slot> {
        self.index.get(&(path.to_owned(), shape)).copied()
    }

    /// All columns in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (Slot, &str, Shape)> {
        self.columns.iter().enumerate().map(|(at, (path, shape))| (Slot(at as u32), path.as_str(), *shape))
    }

    /// Whether its first columns are all those of `other`, so that the slots of `other` are good here.
    pub fn extends(&self, other: &Self) -> bool {
        self.columns.starts_with(&other.columns)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}
