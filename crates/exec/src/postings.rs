//! Which rows have a value: the way from the values that satisfy a gate to the rows to look at.

use block::Ordinal;

use crate::Row;
use crate::decide::Pass;
use crate::filter::Gate;
use crate::ids::{ColumnId, LeafId};
use crate::scratch::{ColumnState, Satisfying, Scratch};

/// A gate with fewer rows than one in this many has them sorted; one with more has them marked in a set.
const SORTED_SHARE: usize = 32;

impl Pass<'_> {
    /// Counts how many rows have each value of the column.
    pub(crate) fn count(&mut self, column: ColumnId) {
        let view = self.view(column);
        let epoch = self.scratch.epoch;
        let state = &mut self.scratch.columns[column.index()];
        if state.counts_epoch == epoch {
            return;
        }
        state.counts_epoch = epoch;
        state.counts.clear();
        state.counts.resize(view.distinct(), 0);
        let counts = &mut state.counts;
        view.for_each(self.block.rows(), |_, ordinal| counts[ordinal as usize] += 1);
    }

    /// Puts the rows into `rows` that satisfy the gate, ascending.
    pub(crate) fn open(&mut self, gate: &Gate, rows_max: usize, rows: &mut Vec<Row>) {
        rows.clear();
        if rows_max * SORTED_SHARE < self.block.rows() {
            for &leaf in &gate.leaves {
                self.for_each_list(leaf, |list| rows.extend_from_slice(list));
            }
            rows.sort_unstable();
        } else {
            let mut set = std::mem::take(&mut self.scratch.row_set);
            set.clear();
            set.resize(self.block.rows().div_ceil(64), 0);
            for &leaf in &gate.leaves {
                self.for_each_list(leaf, |list| {
                    for &row in list {
                        set[row as usize / 64] |= 1 << (row % 64);
                    }
                });
            }
            // As `members` does it, with the room known: this is where most rows of frequent calls come from.
            rows.reserve(rows_max.min(self.block.rows()));
            for (at, &word) in set.iter().enumerate() {
                let mut left = word;
                while left != 0 {
                    rows.push(at as Row * 64 + left.trailing_zeros());
                    left &= left - 1;
                }
            }
            self.scratch.row_set = set;
        }
        // A row is listed twice if it has a value twice, or two values that satisfy the gate.
        rows.dedup();
    }

    /// Calls `each` with the rows of each value that satisfies the leaf.
    fn for_each_list(&mut self, leaf: LeafId, mut each: impl FnMut(&[Row])) {
        let mode = self.complete(leaf);
        let column = self.program.leaves[leaf.index()].column;
        if mode == Satisfying::Never {
            return;
        }
        self.post(column);
        let Scratch { columns, words, .. } = &*self.scratch;
        let state = &columns[column.index()];
        match mode {
            Satisfying::One(ordinal) => each(state.rows_with(ordinal)),
            Satisfying::Set(at) => {
                let set = &words[at..at + state.counts.len().div_ceil(64)];
                members(set).for_each(|ordinal| each(state.rows_with(ordinal)));
            }
            Satisfying::Never | Satisfying::Lazy(_) => {}
        }
    }

    /// Sorts the rows by their values in the column: for each value the ascending list of its rows.
    fn post(&mut self, column: ColumnId) {
        self.count(column);
        let view = self.view(column);
        let epoch = self.scratch.epoch;
        let ColumnState { postings_epoch, counts, ends, postings, .. } =
            &mut self.scratch.columns[column.index()];
        if *postings_epoch == epoch {
            return;
        }
        *postings_epoch = epoch;
        // Each value's place begins where the values before it end, and moves on with each row put there.
        ends.clear();
        let mut total = 0;
        ends.extend(counts.iter().map(|&count| {
            total += count;
            total - count
        }));
        postings.clear();
        postings.resize(total as usize, 0);
        view.for_each(self.block.rows(), |row, ordinal| {
            let end = &mut ends[ordinal as usize];
            postings[*end as usize] = row;
            *end += 1;
        });
    }
}

impl ColumnState {
    fn rows_with(&self, ordinal: Ordinal) -> &[Row] {
        let end = self.ends[ordinal as usize];
        &self.postings[(end - self.counts[ordinal as usize]) as usize..end as usize]
    }
}

/// The members of a set of bits, ascending.
pub(crate) fn members(set: &[u64]) -> impl Iterator<Item = u32> {
    set.iter().enumerate().flat_map(|(at, &word)| {
        std::iter::successors((word != 0).then_some(word), |word| {
            let rest = word & (word - 1);
            (rest != 0).then_some(rest)
        })
        .map(move |word| at as u32 * 64 + word.trailing_zeros())
    })
}
