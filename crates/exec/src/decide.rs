//! Which values of a block satisfy a leaf.

use block::{Block, Ordinal};
use ecs::Scalar;

use crate::ids::{ColumnId, LeafId, PredicateId, TermId};
use crate::postings::members;
use crate::program::{Leaf, Program};
use crate::scratch::{ABSENT, LeafState, Satisfying, Scratch, UNSEARCHED};
use crate::view::View;

/// How many patterns can be asked about a value while it is searched for the literals of all.
const SEARCH_ASKS: usize = 4;

/// How many rows can be looked at, one value after the other, while a value is searched for the literals of all.
const SEARCH_ROWS: usize = 16;

/// One program on its way over one block.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    pub(crate) program: &'a Program,
    pub(crate) block: &'a Block,
    pub(crate) indices: &'a [String],
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a> Pass<'a> {
    pub(crate) fn view(&self, column: ColumnId) -> View<'a> {
        View::new(self.program.columns[column.index()].source, self.block, self.indices)
    }

    /// Makes a leaf ready to be asked about that many rows: at once where look-ups do, else value by value as they
    /// come up.
    pub(crate) fn prepare(&mut self, id: LeafId, rows: usize) -> Satisfying {
        let program = self.program;
        let leaf = &program.leaves[id.index()];
        let state = self.scratch.leaves[id.index()];
        if state.epoch == self.scratch.epoch {
            return state.mode;
        }
        if leaf.is_exact() {
            return self.complete(id);
        }
        let distinct = self.view(leaf.column).distinct();
        if leaf.others.is_empty() && self.is_worth_searching_all(leaf, distinct, rows) {
            return self.complete(id);
        }
        let mode = if distinct == 0 {
            Satisfying::Never
        } else {
            let at = self.scratch.new_set(distinct);
            self.scratch.new_set(distinct);
            Satisfying::Lazy(at)
        };
        self.set_mode(id, mode);
        mode
    }

    /// As [`Pass::prepare`], but decides all values now.
    pub(crate) fn complete(&mut self, id: LeafId) -> Satisfying {
        let program = self.program;
        let leaf = &program.leaves[id.index()];
        let state = self.scratch.leaves[id.index()];
        if state.epoch == self.scratch.epoch && !matches!(state.mode, Satisfying::Lazy(_)) {
            return state.mode;
        }
        let view = self.view(leaf.column);
        self.scratch.hits.clear();
        if leaf.others.is_empty() {
            self.look_up_terms(leaf);
            self.look_up_patterns(leaf);
            for &ordinal in view.not_strings() {
                if self.ask(&leaf.predicates, view.value(ordinal)) {
                    self.scratch.hits.push(ordinal);
                }
            }
            self.scratch.hits.sort_unstable();
            self.scratch.hits.dedup();
        } else {
            for ordinal in 0..view.distinct() as Ordinal {
                if self.decide(leaf, view, ordinal) {
                    self.scratch.hits.push(ordinal);
                }
            }
        }
        let mode = match *self.scratch.hits.as_slice() {
            [] => Satisfying::Never,
            [one] => Satisfying::One(one),
            _ => {
                let at = self.scratch.new_set(view.distinct());
                let Scratch { hits, words, .. } = &mut *self.scratch;
                for &ordinal in hits.iter() {
                    words[at + ordinal as usize / 64] |= 1 << (ordinal % 64);
                }
                Satisfying::Set(at)
            }
        };
        self.set_mode(id, mode);
        mode
    }

    /// Whether a value satisfies a leaf that is found out value by value. Each value is decided once a block.
    pub(crate) fn is_hit(&mut self, leaf: &Leaf, view: View<'a>, asked: usize, ordinal: Ordinal) -> bool {
        let (word, bit) = (asked + ordinal as usize / 64, 1 << (ordinal % 64));
        let hits = word + view.distinct().div_ceil(64);
        if self.scratch.words[word] & bit == 0 {
            let hit = self.decide(leaf, view, ordinal);
            self.scratch.words[word] |= bit;
            self.scratch.words[hits] |= if hit { bit } else { 0 };
        }
        self.scratch.words[hits] & bit != 0
    }

    /// At most how many rows satisfy the leaf.
    pub(crate) fn rows_max(&mut self, id: LeafId) -> u32 {
        let mode = self.complete(id);
        if let Some(rows) = self.scratch.leaves[id.index()].rows {
            return rows;
        }
        let column = self.program.leaves[id.index()].column;
        if mode != Satisfying::Never {
            self.count(column);
        }
        let counts = &self.scratch.columns[column.index()].counts;
        let rows = match mode {
            Satisfying::One(ordinal) => counts[ordinal as usize],
            Satisfying::Never | Satisfying::Lazy(_) => 0,
            Satisfying::Set(at) => {
                let set = &self.scratch.words[at..at + counts.len().div_ceil(64)];
                members(set).map(|ordinal| counts[ordinal as usize]).sum()
            }
        };
        self.scratch.leaves[id.index()].rows = Some(rows);
        rows
    }

    /// Finds the ordinals of all texts that the column is asked for, from the smaller side.
    pub(crate) fn find_terms(&mut self, column: ColumnId) {
        let view = self.view(column);
        let plan = &self.program.columns[column.index()];
        let epoch = self.scratch.epoch;
        let state = &mut self.scratch.columns[column.index()];
        if state.terms_epoch == epoch {
            return;
        }
        state.terms_epoch = epoch;
        state.present.clear();
        state.terms.clear();
        state.terms.resize(plan.texts.len(), ABSENT);
        if view.distinct() < plan.texts.len() {
            for ordinal in 0..view.distinct() as Ordinal {
                if let Scalar::Str(text) = view.value(ordinal)
                    && let Some(&term) = plan.terms.get(text)
                {
                    state.terms[term.index()] = ordinal;
                    state.present.push(term);
                }
            }
        } else {
            for (at, text) in plan.texts.iter().enumerate() {
                if let Some(ordinal) = view.find_str(text) {
                    state.terms[at] = ordinal;
                    state.present.push(TermId::new(at));
                }
            }
        }
    }

    /// Searches the whole dictionary for the literals of the column's patterns.
    pub(crate) fn search_all(&mut self, column: ColumnId) {
        let view = self.view(column);
        if self.scratch.columns[column.index()].all_epoch == self.scratch.epoch {
            return;
        }
        for ordinal in 0..view.distinct() as Ordinal {
            if let Scalar::Str(text) = view.value(ordinal) {
                self.search(column, view, ordinal, text);
            }
        }
        let epoch = self.scratch.epoch;
        let state = &mut self.scratch.columns[column.index()];
        state.begin_search(epoch, view.distinct());
        state.all_epoch = epoch;
        state.found.clear();
        for (ordinal, &(start, end)) in state.searched.iter().enumerate() {
            // An unsearched value is no string and has an empty range.
            let literals = state.literals.get(start as usize..end as usize).unwrap_or_default();
            state.found.extend(literals.iter().map(|&id| (id, ordinal as Ordinal)));
        }
        state.found.sort_unstable();
    }

    /// Whether the value satisfies any of the predicates.
    pub(crate) fn ask(&mut self, predicates: &[PredicateId], value: Scalar<'_>) -> bool {
        predicates.iter().any(|id| {
            self.scratch.stats().values_asked += 1;
            self.program.predicates[id.index()].matcher.matches(value)
        })
    }

    fn set_mode(&mut self, id: LeafId, mode: Satisfying) {
        self.scratch.stats().leaves_prepared += 1;
        self.scratch.leaves[id.index()] = LeafState { epoch: self.scratch.epoch, mode, rows: None };
    }

    fn look_up_terms(&mut self, leaf: &Leaf) {
        let view = self.view(leaf.column);
        let Scratch { columns, hits, epoch, .. } = &mut *self.scratch;
        let state = &columns[leaf.column.index()];
        if state.terms_epoch == *epoch {
            hits.extend(leaf.terms.iter().map(|term| state.terms[term.index()]).filter(|&it| it != ABSENT));
        } else {
            let texts = &self.program.columns[leaf.column.index()].texts;
            hits.extend(leaf.terms.iter().filter_map(|term| view.find_str(&texts[term.index()])));
        }
    }

    fn look_up_patterns(&mut self, leaf: &Leaf) {
        if leaf.patterns.is_empty() {
            return;
        }
        self.search_all(leaf.column);
        let view = self.view(leaf.column);
        for &id in &leaf.patterns {
            let found = &self.scratch.columns[leaf.column.index()].found;
            let start = found.partition_point(|&(other, _)| other < id);
            let end = start + found[start..].partition_point(|&(other, _)| other == id);
            for at in start..end {
                let (_, ordinal) = self.scratch.columns[leaf.column.index()].found[at];
                if self.ask(&[id], view.value(ordinal)) {
                    self.scratch.hits.push(ordinal);
                }
            }
        }
    }

    /// Whether a value satisfies a leaf.
    fn decide(&mut self, leaf: &Leaf, view: View<'a>, ordinal: Ordinal) -> bool {
        let value = view.value(ordinal);
        let Scalar::Str(text) = value else { return self.ask(&leaf.predicates, value) };
        if !leaf.terms.is_empty()
            && let Some(term) = self.program.columns[leaf.column.index()].terms.get(text)
            && leaf.terms.binary_search(term).is_ok()
        {
            return true;
        }
        if !leaf.patterns.is_empty() {
            if !self.is_worth_searching(leaf, view) {
                return self.ask(&leaf.patterns, value) || self.ask(&leaf.others, value);
            }
            let (start, end) = self.search(leaf.column, view, ordinal, text);
            for at in start..end {
                let id = self.scratch.columns[leaf.column.index()].literals[at as usize];
                if leaf.patterns.binary_search(&id).is_ok() && self.ask(&[id], value) {
                    return true;
                }
            }
        }
        self.ask(&leaf.others, value)
    }

    /// Whether searching a value for all literals of the column is cheaper than asking each pattern of the leaf
    /// about it. A search also saves what other leaves would ask; so once as much was asked as searching every
    /// value costs, it is searched.
    fn is_worth_searching(&mut self, leaf: &Leaf, view: View<'a>) -> bool {
        let epoch = self.scratch.epoch;
        let state = &mut self.scratch.columns[leaf.column.index()];
        state.begin_search(epoch, view.distinct());
        if leaf.patterns.len() >= SEARCH_ASKS || state.asked >= SEARCH_ASKS * view.distinct() {
            return true;
        }
        state.asked += leaf.patterns.len();
        false
    }

    /// Whether searching all values for the literals of the column is cheaper than to go on looking at rows. Most
    /// literals occur in no value: then a leaf needs no look at any row.
    fn is_worth_searching_all(&mut self, leaf: &Leaf, distinct: usize, rows: usize) -> bool {
        let epoch = self.scratch.epoch;
        let state = &mut self.scratch.columns[leaf.column.index()];
        if state.all_epoch == epoch {
            return true;
        }
        state.begin_search(epoch, distinct);
        state.looked_at += rows;
        state.looked_at > SEARCH_ROWS * distinct
    }

    /// Searches one text for the literals of the column's patterns, and for the address that it may be, once a block. Where in
    /// the column's `literals` the predicates are that it may satisfy.
    fn search(&mut self, column: ColumnId, view: View<'a>, ordinal: Ordinal, text: &str) -> (u32, u32) {
        let plan = &self.program.columns[column.index()];
        let Scratch { columns, last_search, searches, epoch, .. } = &mut *self.scratch;
        let state = &mut columns[column.index()];
        state.begin_search(*epoch, view.distinct());
        let known = state.searched[ordinal as usize];
        if known != UNSEARCHED {
            return known;
        }
        *searches += 1;
        let start = state.literals.len() as u32;
        let mut found = |ids: &[PredicateId]| {
            for &id in ids {
                if last_search[id.index()] != *searches {
                    last_search[id.index()] = *searches;
                    state.literals.push(id);
                }
            }
        };
        if let Some(automaton) = &plan.automaton {
            for it in automaton.searcher.find_overlapping_iter(text) {
                found(&automaton.predicates[it.pattern().as_usize()]);
            }
        }
        if !plan.addresses.is_empty()
            && let Some(address) = plan::parse_address(text)
        {
            found(plan.addresses.get(&address).map_or(&[], Vec::as_slice));
        }
        let range = (start, state.literals.len() as u32);
        state.searched[ordinal as usize] = range;
        self.scratch.stats().values_searched += 1;
        range
    }
}
