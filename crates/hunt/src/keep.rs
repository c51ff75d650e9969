//! Texts of records that may alert, kept while they are at hand.
//!
//! The records of some thousand alerts lie in most of the files: to read them again is to decompress nearly everything
//! a second time. So a thread keeps the texts of what rules match, as far as the budget goes, packed once they would not
//! fit otherwise, and only what alerts and was not kept is read again. What is kept has no influence on the alerts.

use std::collections::HashSet;

use detect::Origin;
use sift::Kind;

use crate::pack::{Pack, Packer};

/// Bytes of records that a hunt keeps in case they alert, all threads together.
pub const EVIDENCE_BYTES: usize = 64 << 20;

/// Fewer bytes of records are not worth packing.
const PACK_BYTES_MIN: usize = 4 << 10;

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
    packer: Packer,
}

/// What is kept for one rule.
#[derive(Default)]
struct Shelf {
    records: Vec<(Origin, Kept)>,
    packs: Vec<Pack>,
    /// What the records take that are not packed,
    loose: usize,
    /// and what the others take.
    packed: usize,
    /// It held the most when there was no room left: nothing is kept for it any more.
    is_closed: bool,
}

impl Shelf {
    fn bytes(&self) -> usize {
        self.loose + self.packed
    }
}

impl Keeper {
    /// For so many rules.
    pub(crate) fn new(rules: usize, budget: usize) -> Self {
        let shelves = std::iter::repeat_with(Shelf::default).take(rules).collect();
        Self { budget, bytes: 0, shelves, packer: Packer::default() }
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
        let Some(rule) = open.min_by_key(|&rule| self.shelves[rule].bytes()) else { return };
        if size > self.budget {
            return;
        }
        let shelf = &mut self.shelves[rule];
        shelf.records.push((origin, Kept { kind, text: text.into() }));
        shelf.loose += size;
        self.bytes += size;
        while self.bytes > self.budget {
            if !self.pack_loosest() {
                self.close_largest();
            }
        }
    }

    /// Makes room: records of one rule are alike, and packed together they take a small part of what they are. Says
    /// whether there was anything worth packing.
    fn pack_loosest(&mut self) -> bool {
        let loosest = self.shelves.iter_mut().max_by_key(|it| it.loose);
        let Some(shelf) = loosest.filter(|it| it.loose >= PACK_BYTES_MIN) else { return false };
        self.bytes -= shelf.bytes();
        shelf.loose = 0;
        for pack in self.packer.pack(std::mem::take(&mut shelf.records)) {
            shelf.packed += pack.bytes();
            shelf.packs.push(pack);
        }
        self.bytes += shelf.bytes();
        true
    }

    /// Makes room: a rule that matches very much would leave none for the others, and much of what it matches is
    /// beyond what it may alert on.
    fn close_largest(&mut self) {
        if let Some(largest) = self.shelves.iter_mut().max_by_key(|it| it.bytes()) {
            self.bytes -= largest.bytes();
            *largest = Shelf { is_closed: true, ..Shelf::default() };
        }
    }

    /// Those of the kept records that are wanted.
    pub(crate) fn into_records(self, wanted: &HashSet<Origin>) -> impl Iterator<Item = (Origin, Kept)> {
        // Loose ones first: those of them that are not wanted make room for what is unpacked.
        let (loose, packs): (Vec<_>, Vec<_>) =
            self.shelves.into_iter().map(|it| (it.records, it.packs)).unzip();
        let loose = loose.into_iter().flatten().filter(|(origin, _)| wanted.contains(origin));
        loose.chain(packs.into_iter().flatten().flat_map(|pack| pack.into_records(wanted)))
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
        let all = (0..100).map(|ordinal| Origin { input: 0, ordinal }).collect();
        let mut ordinals: Vec<u64> = keeper.into_records(&all).map(|(origin, _)| origin.ordinal).collect();
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

    #[test]
    fn what_is_alike_is_packed_before_anything_is_given_up() {
        let text = |ordinal: u64| format!("{{\"eventName\":\"{}\",\"number\":{ordinal}}}", "Get".repeat(30));
        let mut keeper = Keeper::new(2, 64 << 10);
        for ordinal in 0..1000 {
            let origin = Origin { input: 3, ordinal };
            keeper.keep(origin, Kind::CloudTrail, &text(ordinal), [(ordinal % 2) as usize].into_iter());
            assert!(keeper.bytes <= keeper.budget);
            assert_eq!(keeper.bytes, keeper.shelves.iter().map(Shelf::bytes).sum::<usize>());
        }
        assert!(keeper.shelves.iter().all(|it| !it.is_closed));
        let wanted: HashSet<Origin> =
            (0..1000).step_by(7).map(|ordinal| Origin { input: 3, ordinal }).collect();
        let found: Vec<(Origin, Kept)> = keeper.into_records(&wanted).collect();
        assert_eq!(found.iter().map(|it| it.0).collect::<HashSet<_>>(), wanted);
        assert_eq!(found.len(), wanted.len());
        for (origin, kept) in found {
            assert_eq!(*kept.text, text(origin.ordinal));
        }
    }
}
