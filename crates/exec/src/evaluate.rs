//! One pass of all filters over a block.

use block::Block;

use crate::Row;
use crate::decide::Pass;
use crate::filter::{Clause, Filter, Gate};
use crate::ids::{ColumnId, FilterId, LeafId};
use crate::postings::members;
use crate::program::Program;
use crate::scratch::{Satisfying, Scratch};

impl Program {
    /// Calls `found` for every filter that matches any row of the block, in ascending order, with its index and
    /// its rows, ascending. `indices` are the names that [`Block::index`] numbers.
    ///
    /// # Panics
    ///
    /// If the block's schema does not begin with [`Program::schema`]: its columns would be mistaken for others.
    pub fn evaluate(
        &self,
        block: &Block,
        indices: &[String],
        scratch: &mut Scratch,
        mut found: impl FnMut(usize, &[Row]),
    ) {
        let mut pass = Pass::begin(self, block, indices, scratch);
        pass.visit(|pass, id, rows| {
            let filter = &pass.program.filters[id.index()];
            pass.retain_all(&filter.clauses[filter.early..], rows);
            pass.report(id, rows, &mut found);
        });
    }

    /// The first half of [`Program::evaluate`], before the late columns are filled: the rows that some filter
    /// needs them for, ascending. Fill those with [`Block::push_late`], then [`Program::finish`].
    ///
    /// # Panics
    ///
    /// As [`Program::evaluate`].
    pub fn candidates<'s>(&self, block: &Block, indices: &[String], scratch: &'s mut Scratch) -> &'s [Row] {
        let mut pass = Pass::begin(self, block, indices, scratch);
        let mut wanted = std::mem::take(&mut pass.scratch.wanted_set);
        wanted.clear();
        wanted.resize(block.rows().div_ceil(64), 0);
        pass.visit(|pass, id, rows| {
            if rows.is_empty() {
                return;
            }
            if pass.program.filters[id.index()].wants_late {
                for &row in rows.iter() {
                    wanted[row as usize / 64] |= 1 << (row % 64);
                }
            }
            pass.scratch.candidate_rows.extend_from_slice(rows);
            pass.scratch.candidates.push((id, pass.scratch.candidate_rows.len()));
        });
        scratch.wanted_rows.extend(members(&wanted));
        scratch.wanted_set = wanted;
        &scratch.wanted_rows
    }

    /// The second half of [`Program::evaluate`]: with the program, the block and the scratch of the last call of
    /// [`Program::candidates`], it calls `found` as [`Program::evaluate`] does.
    pub fn finish(
        &self,
        block: &Block,
        indices: &[String],
        scratch: &mut Scratch,
        mut found: impl FnMut(usize, &[Row]),
    ) {
        let candidates = std::mem::take(&mut scratch.candidates);
        let candidate_rows = std::mem::take(&mut scratch.candidate_rows);
        let mut rows = scratch.take_rows();
        let mut pass = Pass { program: self, block, indices, scratch };
        let mut start = 0;
        for &(id, end) in &candidates {
            let filter = &self.filters[id.index()];
            rows.clear();
            rows.extend_from_slice(&candidate_rows[start..end]);
            start = end;
            pass.retain_all(&filter.clauses[filter.early..], &mut rows);
            pass.report(id, &rows, &mut found);
        }
        scratch.give_rows(rows);
        (scratch.candidates, scratch.candidate_rows) = (candidates, candidate_rows);
    }
}

impl<'a> Pass<'a> {
    fn begin(
        program: &'a Program,
        block: &'a Block,
        indices: &'a [String],
        scratch: &'a mut Scratch,
    ) -> Self {
        assert!(
            block.schema().extends(program.schema()),
            "the block was built for another program: its schema does not begin with the program's"
        );
        scratch.begin(program);
        scratch.stats().blocks += 1;
        scratch.stats().rows += block.rows() as u64;
        Self { program, block, indices, scratch }
    }

    /// Calls `each` for the filters that the block's values lead to, ascending, with the rows that satisfy all
    /// their early clauses.
    fn visit(&mut self, mut each: impl FnMut(&mut Self, FilterId, &mut Vec<Row>)) {
        if self.block.rows() == 0 {
            return;
        }
        let program = self.program;
        for &id in &program.always {
            self.lead_to(&[id]);
        }
        for at in 0..program.columns.len() {
            self.lead_from(ColumnId::new(at));
        }
        let visit = std::mem::take(&mut self.scratch.visit);
        let mut rows = self.scratch.take_rows();
        for index in members(&visit) {
            self.scratch.stats().filters_visited += 1;
            let id = FilterId(index);
            let filter = &program.filters[id.index()];
            let decided = self.start(filter, &mut rows);
            if rows.is_empty() {
                continue;
            }
            self.scratch.stats().filters_started += 1;
            self.scratch.stats().rows_started += rows.len() as u64;
            for (at, clause) in filter.clauses[..filter.early].iter().enumerate() {
                if decided != Some(at) && !rows.is_empty() {
                    self.retain(clause, &mut rows);
                }
            }
            each(self, id, &mut rows);
        }
        self.scratch.give_rows(rows);
        self.scratch.visit = visit;
    }

    fn report(&mut self, id: FilterId, rows: &[Row], found: &mut impl FnMut(usize, &[Row])) {
        if !rows.is_empty() {
            self.scratch.stats().rows_matched += rows.len() as u64;
            found(id.index(), rows);
        }
    }

    /// Marks the filters that the values of a column lead to.
    fn lead_from(&mut self, column: ColumnId) {
        let program = self.program;
        let plan = &program.columns[column.index()];
        let view = self.view(column);
        if plan.leading.is_empty() || view.distinct() == 0 {
            return;
        }
        if !plan.texts.is_empty() {
            self.find_terms(column);
            for at in 0..self.scratch.columns[column.index()].present.len() {
                let term = self.scratch.columns[column.index()].present[at];
                for id in &plan.leads[term.index()] {
                    self.lead_to(&program.predicates[id.index()].filters);
                }
            }
        }
        if plan.search_leads {
            self.search_all(column);
            let mut last = None;
            for at in 0..self.scratch.columns[column.index()].found.len() {
                let (id, _) = self.scratch.columns[column.index()].found[at];
                if last != Some(id) {
                    self.lead_to(&program.predicates[id.index()].filters);
                    last = Some(id);
                }
            }
        }
        for &ordinal in view.not_strings() {
            for &id in &plan.leading {
                if self.ask(&[id], view.value(ordinal)) {
                    self.lead_to(&program.predicates[id.index()].filters);
                }
            }
        }
    }

    fn lead_to(&mut self, filters: &[FilterId]) {
        for id in filters {
            self.scratch.visit[id.index() / 64] |= 1 << (id.index() % 64);
        }
    }

    /// Puts the rows into `rows` that pass the gate that the fewest pass: all rows if there is no gate. The clause
    /// that this decides.
    fn start(&mut self, filter: &Filter, rows: &mut Vec<Row>) -> Option<usize> {
        rows.clear();
        let mut best: Option<(&Gate, usize)> = None;
        for gate in &filter.gates {
            let rows_max = gate.leaves.iter().map(|&leaf| self.rows_max(leaf) as usize).sum();
            if rows_max == 0 {
                return None;
            }
            if best.is_none_or(|(_, least)| rows_max < least) {
                best = Some((gate, rows_max));
            }
        }
        let Some((gate, rows_max)) = best else {
            rows.extend(0..self.block.rows() as Row);
            return None;
        };
        self.open(gate, rows_max, rows);
        gate.decides
    }

    fn retain_all(&mut self, clauses: &[Clause], rows: &mut Vec<Row>) {
        for clause in clauses {
            if rows.is_empty() {
                return;
            }
            self.retain(clause, rows);
        }
    }

    /// Drops the rows that do not satisfy the clause.
    fn retain(&mut self, clause: &Clause, rows: &mut Vec<Row>) {
        match clause {
            Clause::Const(true) => {}
            Clause::Const(false) => rows.clear(),
            Clause::Leaf { leaf, wanted } => self.retain_leaf(*leaf, *wanted, rows),
            Clause::Relation { id, wanted } => self.retain_related(*id, *wanted, rows),
            Clause::All(clauses) => self.retain_all(clauses, rows),
            Clause::Any(clauses) => self.retain_any(clauses, rows),
        }
    }

    fn retain_leaf(&mut self, id: LeafId, wanted: bool, rows: &mut Vec<Row>) {
        let leaf = &self.program.leaves[id.index()];
        let view = self.view(leaf.column);
        match self.prepare(id, rows.len()) {
            Satisfying::Never if wanted => rows.clear(),
            Satisfying::Never => {}
            Satisfying::One(hit) => view.retain(rows, wanted, |ordinal| ordinal == hit),
            Satisfying::Set(at) => {
                let set = &self.scratch.words[at..];
                view.retain(rows, wanted, |ordinal| set[ordinal as usize / 64] >> (ordinal % 64) & 1 != 0);
            }
            Satisfying::Lazy(asked) => {
                self.scratch.stats().rows_asked += rows.len() as u64;
                view.retain(rows, wanted, |ordinal| self.is_hit(leaf, view, asked, ordinal));
            }
        }
    }

    /// Each clause sees only the rows that those before it did not take.
    fn retain_any(&mut self, clauses: &[Clause], rows: &mut Vec<Row>) {
        let mut left = self.scratch.take_rows();
        let mut taken = self.scratch.take_rows();
        std::mem::swap(&mut left, rows);
        for clause in clauses {
            if let Clause::Leaf { leaf, wanted: true } = clause
                && self.prepare(*leaf, left.len()) == Satisfying::Never
            {
                continue;
            }
            taken.clear();
            taken.extend_from_slice(&left);
            self.retain(clause, &mut taken);
            if !taken.is_empty() {
                rows.extend_from_slice(&taken);
                subtract(&mut left, &taken);
                if left.is_empty() {
                    break;
                }
            }
        }
        rows.sort_unstable();
        self.scratch.give_rows(left);
        self.scratch.give_rows(taken);
    }
}

/// Drops from `rows` those in `gone`, which is a part of it. Both ascend.
fn subtract(rows: &mut Vec<Row>, gone: &[Row]) {
    let (mut kept, mut next) = (0, 0);
    for at in 0..rows.len() {
        let row = rows[at];
        let is_gone = gone.get(next) == Some(&row);
        next += usize::from(is_gone);
        rows[kept] = row;
        kept += usize::from(!is_gone);
    }
    rows.truncate(kept);
}
