//! Texts of records that may alert, kept while they are at hand.
//!
//! The records of some thousand alerts lie in most of the files: to read them again is to decompress nearly everything
//! a second time. So a thread keeps the texts of what rules match, as far as the budget goes, and only what alerts and
//! was not kept is read again. What is kept has no influence on the alerts.

use detect::Origin;
use sift::Kind;

/// Bytes of records that a hunt keeps in case they alert, all threads together.
pub const EVIDENCE_BYTES: usize = 64 << 20;

/// The text of a record that may alert, or does.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) kind: Kind,
    pub(crate) text: Box<str>,
}

/// One thread's kept records.
pub(crate) struct Keeper {
    budget: usize,
    bytes: usize,
    shelves: Vec<Shelf>,
}

/// What is kept for one rule.
#[derive(Default)]
struct Shelf {
    records: Vec<(Origin, Kept)>,
    bytes: usize,
    /// It held the most when there was no room left: nothing is kept for it any more.
    is_closed: bool,
}

impl Keeper {
    /// For so many rules.
    pub(crate) fn new(rules: usize, budget: usize) -> Self {
        Self { budget, bytes: 0, shelves: std::iter::repeat_with(Shelf::default).take(rules).collect() }
    }

    /// Keeps a record that these rules may alert on. It is kept once, for the rule that holds the least: that is the
    /// last to lose what it has.
    pub(crate) fn keep(
        &mut self,
        origin: Origin,
        kind: Kind,
        text: &str,
        rules: impl Iterator<Item = usize>,
    ) {
        let size = text.len() + size_of::<(Origin, Kept)>();
        let open = rules.filter(|&rule| !self.shelves[rule].is_closed);
        let Some(rule) = open.min_by_key(|&rule| self.shelves[rule].bytes) else { return };
        if size > self.budget {
            return;
        }
        let shelf = &mut self.shelves[rule];
        shelf.records.push((origin, Kept { kind, text: text.into() }));
        shelf.bytes += size;
        self.bytes += size;
        while self.bytes > self.budget {
            self.close_largest();
        }
    }

    /// Makes room: a rule that matches very much would leave none for the others, and much of what it matches is
    /// beyond what it may alert on.
    fn close_largest(&mut self) {
        if let Some(largest) = self.shelves.iter_mut().max_by_key(|it| it.bytes) {
            self.bytes -= largest.bytes;
            *largest = Shelf { is_closed: true, ..Shelf::default() };
        }
    }

    /// All that is kept.
    pub(crate) fn into_records(self) -> impl Iterator<Item = (Origin, Kept)> {
        self.shelves.into_iter().flat_map(|shelf| shelf.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 100 + size_of::<(Origin, Kept)>();

    fn keep(keeper: &mut Keeper, ordinal: u64, rules: &[usize]) {
        keeper.keep(Origin { input: 0, ordinal }, Kind::CloudTrail, &"x".repeat(100), rules.iter().copied());
    }

    fn ordinals(keeper: Keeper) -> Vec<u64> {
        let mut ordinals: Vec<u64> = keeper.into_records().map(|(origin, _)| origin.ordinal).collect();
        ordinals.sort_unstable();
        ordinals
    }

    #[test]
    fn the_noisiest_gives_way_for_good() {
        let mut keeper = Keeper::new(3, 4 * SIZE);
        for ordinal in 0..3 {
            keep(&mut keeper, ordinal, &[0]);
        }
        keep(&mut keeper, 3, &[1]);
        keep(&mut keeper, 4, &[2]);
        keep(&mut keeper, 5, &[0]);
        keep(&mut keeper, 6, &[0, 1]);
        assert_eq!(keeper.bytes, 3 * SIZE);
        assert_eq!(ordinals(keeper), [3, 4, 6]);
    }

    #[test]
    fn a_record_is_kept_once_for_whom_it_costs_least() {
        let mut keeper = Keeper::new(2, 4 * SIZE);
        for ordinal in 0..3 {
            keep(&mut keeper, ordinal, &[0]);
        }
        keep(&mut keeper, 3, &[0, 1]);
        assert_eq!(keeper.bytes, 4 * SIZE);
        keep(&mut keeper, 4, &[1]);
        assert_eq!(ordinals(keeper), [3, 4]);
    }

    #[test]
    fn nothing_without_a_budget() {
        let mut keeper = Keeper::new(1, SIZE - 1);
        keep(&mut keeper, 0, &[0]);
        assert_eq!(ordinals(keeper), [0_u64; 0]);
    }
}
