//! What a thread keeps from block to block: memory, and counts of what was done.

use block::Ordinal;

use crate::Row;
use crate::ids::{FilterId, PredicateId, TermId};
use crate::program::Program;

/// The memory of one thread that runs programs. After some blocks, running allocates nothing.
///
/// Everything in it belongs to one block and says so by the `epoch` in which it was found out; nothing needs to
/// be cleared between blocks.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) epoch: u64,
    pub(crate) leaves: Vec<LeafState>,
    pub(crate) relations: Vec<RelationState>,
    pub(crate) columns: Vec<ColumnState>,
    /// The sets of ordinals of all leaves.
    pub(crate) words: Vec<u64>,
    /// A set of filters: those to look at.
    pub(crate) visit: Vec<u64>,
    /// A set of rows.
    pub(crate) row_set: Vec<u64>,
    /// The ordinals that satisfy the leaf at hand.
    pub(crate) hits: Vec<Ordinal>,
    /// For each predicate the last search that found one of its literals.
    pub(crate) last_search: Vec<u64>,
    pub(crate) searches: u64,
    /// Lists of rows not in use.
    pub(crate) spare: Vec<Vec<Row>>,
    /// What [`Program::candidates`] left: filters and the ends of their rows in `candidate_rows`.
    pub(crate) candidates: Vec<(FilterId, usize)>,
    pub(crate) candidate_rows: Vec<Row>,
    pub(crate) wanted_rows: Vec<Row>,
    pub(crate) wanted_set: Vec<u64>,
    stats: Stats,
}

/// How much work the blocks took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks.
    pub blocks: u64,
    /// Rows in the blocks.
    pub rows: u64,
    /// Filters that a block's values led to, summed over the blocks.
    pub filters_visited: u64,
    /// Filters that had a row to start from, summed over the blocks.
    pub filters_started: u64,
    /// Distinct sets of predicates prepared, summed over the blocks.
    pub leaves_prepared: u64,
    /// Values searched for the literals of patterns.
    pub values_searched: u64,
    /// Questions asked about single values.
    pub values_asked: u64,
    /// Rows that started on their way through the clauses of a filter.
    pub rows_started: u64,
    /// Rows whose values were asked about one by one, counted for each clause.
    pub rows_asked: u64,
    /// Rows of which several values at once were asked about, each once for all filters that ask the same.
    pub rows_related: u64,
    /// Of those, rows with more choices of values than are tried.
    pub choices_cut: u64,
    /// Rows that matched, counted for each filter.
    pub rows_matched: u64,
}

impl Stats {
    /// Adds what other blocks took.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            blocks,
            rows,
            filters_visited,
            filters_started,
            leaves_prepared,
            values_searched,
            values_asked,
            rows_started,
            rows_asked,
            rows_related,
            choices_cut,
            rows_matched,
        } = other;
        self.blocks += blocks;
        self.rows += rows;
        self.filters_visited += filters_visited;
        self.filters_started += filters_started;
        self.leaves_prepared += leaves_prepared;
        self.values_searched += values_searched;
        self.values_asked += values_asked;
        self.rows_started += rows_started;
        self.rows_asked += rows_asked;
        self.rows_related += rows_related;
        self.choices_cut += choices_cut;
        self.rows_matched += rows_matched;
    }
}

/// What is known of a leaf in the block of `epoch`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafState {
    pub(crate) epoch: u64,
    pub(crate) mode: Satisfying,
    /// At most how many rows satisfy it; unknown at first.
    pub(crate) rows: Option<u32>,
}

/// What is known of a relation in the block of `epoch`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelationState {
    pub(crate) epoch: u64,
    /// At this word begins the set of rows that were asked about, after it the set of those that satisfy it.
    pub(crate) asked: usize,
}

/// Which ordinals satisfy a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Satisfying {
    /// None.
    Never,
    /// Just this one.
    One(Ordinal),
    /// Those in the set of ordinals that begins at this word.
    Set(usize),
    /// Found out one by one. At this word begins the set of those asked about, after it the set of those that do.
    Lazy(usize),
}

/// What is known of a column in the block of the `epoch` that stands with each part.
#[derive(Debug, Default)]
pub(crate) struct ColumnState {
    pub(crate) terms_epoch: u64,
    /// The ordinal of each text asked for, or [`ABSENT`].
    pub(crate) terms: Vec<Ordinal>,
    /// The texts that some value is.
    pub(crate) present: Vec<TermId>,
    pub(crate) counts_epoch: u64,
    /// How many rows have each ordinal.
    pub(crate) counts: Vec<u32>,
    pub(crate) postings_epoch: u64,
    /// Where in `postings` the rows of each ordinal end.
    pub(crate) ends: Vec<u32>,
    pub(crate) postings: Vec<Row>,
    pub(crate) search_epoch: u64,
    /// For each ordinal, where in `literals` the predicates begin and end whose literals it contains, or
    /// [`UNSEARCHED`].
    pub(crate) searched: Vec<(u32, u32)>,
    pub(crate) literals: Vec<PredicateId>,
    /// How often a pattern was asked about a value that was not searched.
    pub(crate) asked: usize,
    /// How many rows were looked at for patterns, leaf by leaf.
    pub(crate) looked_at: usize,
    pub(crate) all_epoch: u64,
    /// All values that contain a literal of a predicate, by predicate.
    pub(crate) found: Vec<(PredicateId, Ordinal)>,
}

/// No value of the block is that text.
pub(crate) const ABSENT: Ordinal = Ordinal::MAX;

/// The value was not searched yet.
pub(crate) const UNSEARCHED: (u32, u32) = (u32::MAX, 0);

impl Scratch {
    /// What was done since the last call of this.
    pub fn take_stats(&mut self) -> Stats {
        std::mem::take(&mut self.stats)
    }

    pub(crate) fn stats(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// Forgets the block before.
    pub(crate) fn begin(&mut self, program: &Program) {
        self.epoch += 1;
        self.words.clear();
        self.candidates.clear();
        self.candidate_rows.clear();
        self.wanted_rows.clear();
        let fresh = LeafState { epoch: 0, mode: Satisfying::Never, rows: None };
        if self.leaves.len() < program.leaves.len() {
            self.leaves.resize(program.leaves.len(), fresh);
        }
        if self.relations.len() < program.relations.len() {
            self.relations.resize(program.relations.len(), RelationState { epoch: 0, asked: 0 });
        }
        if self.columns.len() < program.columns.len() {
            self.columns.resize_with(program.columns.len(), ColumnState::default);
        }
        if self.last_search.len() < program.predicates.len() {
            self.last_search.resize(program.predicates.len(), 0);
        }
        self.visit.clear();
        self.visit.resize(program.filters.len().div_ceil(64), 0);
    }

    /// An empty list of rows.
    pub(crate) fn take_rows(&mut self) -> Vec<Row> {
        self.spare.pop().unwrap_or_default()
    }

    /// For the next that needs one.
    pub(crate) fn give_rows(&mut self, mut rows: Vec<Row>) {
        rows.clear();
        self.spare.push(rows);
    }

    /// An empty set of ordinals below `len`.
    pub(crate) fn new_set(&mut self, len: usize) -> usize {
        let at = self.words.len();
        self.words.resize(at + len.div_ceil(64), 0);
        at
    }
}

impl ColumnState {
    /// Makes ready for searching the values of the block at hand, unless that was done.
    pub(crate) fn begin_search(&mut self, epoch: u64, distinct: usize) {
        if self.search_epoch == epoch {
            return;
        }
        self.search_epoch = epoch;
        self.literals.clear();
        self.asked = 0;
        self.looked_at = 0;
        self.searched.clear();
        self.searched.resize(distinct, UNSEARCHED);
    }
}
