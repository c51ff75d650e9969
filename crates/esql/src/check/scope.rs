//! The columns that have names at one place of a query.

use std::collections::{BTreeMap, HashMap};

use crate::Type;
use crate::ast::Pattern;
use crate::resolved::{Column, Slot};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A column.
    Column(Slot, Type),
    /// One whose expression is wrong, which was said.
    Broken,
}

/// Columns by name and in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    in_order: BTreeMap<u32, (String, Bound)>,
    places: HashMap<String, u32>,
    next: u32,
}

impl Scope {
    pub(crate) fn get(&self, name: &str) -> Option<Bound> {
        self.places.get(name).and_then(|at| self.in_order.get(at)).map(|(_, bound)| *bound)
    }

    /// A column at the end; one of that name is gone.
    pub(crate) fn put(&mut self, name: &str, bound: Bound) {
        self.remove(name);
        self.places.insert(name.to_owned(), self.next);
        self.in_order.insert(self.next, (name.to_owned(), bound));
        self.next += 1;
    }

    /// The same column with another value, where it stands.
    pub(crate) fn replace(&mut self, name: &str, bound: Bound) {
        if let Some(it) = self.places.get(name).and_then(|at| self.in_order.get_mut(at)) {
            it.1 = bound;
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Bound> {
        let at = self.places.remove(name)?;
        self.in_order.remove(&at).map(|(_, bound)| bound)
    }

    /// Another name in the same place; one that had it is gone.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        let Some(at) = self.places.remove(old) else { return };
        self.remove(new);
        if let Some(it) = self.in_order.get_mut(&at) {
            new.clone_into(&mut it.0);
            self.places.insert(new.to_owned(), at);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Bound)> {
        self.in_order.values().map(|(name, bound)| (name.as_str(), *bound))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    pub(crate) fn columns(&self) -> Vec<Column> {
        let column = |(name, bound): (&str, Bound)| match bound {
            Bound::Column(slot, ty) => Some(Column { name: name.to_owned(), slot, ty }),
            Bound::Broken => None,
        };
        self.iter().filter_map(column).collect()
    }

    /// What `KEEP` leaves: of several items that name a column the one that says it most exactly counts, of equals the last,
    /// and its place is the column's.
    pub(crate) fn keep(&mut self, patterns: &[Pattern]) {
        let rank = |it: &Pattern| match (it.as_name(), it.is_all()) {
            (Some(_), _) => 2,
            (None, false) => 1,
            (None, true) => 0,
        };
        let mut kept: Vec<(usize, String, Bound)> = Vec::new();
        for (name, bound) in self.iter() {
            let fits = patterns.iter().enumerate().filter(|(_, it)| it.matches(name));
            if let Some((at, _)) = fits.max_by_key(|(at, it)| (rank(it), *at)) {
                kept.push((at, name.to_owned(), bound));
            }
        }
        kept.sort_by_key(|(at, _, _)| *at);
        *self = Self::default();
        for (_, name, bound) in kept {
            self.put(&name, bound);
        }
    }
}
