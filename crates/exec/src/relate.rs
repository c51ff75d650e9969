//! Questions about several columns, row by row.
//!
//! `endsWith~(mail.to, user.domain)` cannot be decided on the values of one column: each row has its own pair. So it is
//! never what leads to a filter or opens a gate, it comes after the filter's other clauses, and is asked of the rows that
//! these leave. A row has several pairs if one of its fields has several values; one that is true is enough. A field
//! without a value contributes null, which some questions are true of.
//!
//! What a row answers is remembered while the block lasts: filters that ask the same ask it once.

use plan::value::{Answer, Values};

use crate::Row;
use crate::decide::Pass;
use crate::ids::RelationId;
use crate::program::RelationPlan;
use crate::scratch::RelationState;

impl Pass<'_> {
    /// Drops the rows for which it is not `wanted` whether they satisfy the relation; keeps the order.
    pub(crate) fn retain_related(&mut self, id: RelationId, wanted: bool, rows: &mut Vec<Row>) {
        let plan = &self.program.relations[id.index()];
        let asked = self.asked_rows(id);
        rows.retain(|&row| self.is_related(plan, asked, row) == wanted);
    }

    /// Where the set of rows begins that were asked.
    fn asked_rows(&mut self, id: RelationId) -> usize {
        let epoch = self.scratch.epoch;
        let state = self.scratch.relations[id.index()];
        if state.epoch == epoch {
            return state.asked;
        }
        let asked = self.scratch.new_set(self.block.rows());
        self.scratch.new_set(self.block.rows());
        self.scratch.relations[id.index()] = RelationState { epoch, asked };
        asked
    }

    fn is_related(&mut self, plan: &RelationPlan, asked: usize, row: Row) -> bool {
        let (word, bit) = (asked + row as usize / 64, 1 << (row % 64));
        let hits = word + self.block.rows().div_ceil(64);
        if self.scratch.words[word] & bit == 0 {
            self.scratch.stats().rows_related += 1;
            let answer = self.ask_row(plan, row);
            self.scratch.stats().choices_cut += u64::from(answer == Answer::Cut);
            let hit = answer == Answer::Yes;
            self.scratch.words[word] |= bit;
            self.scratch.words[hits] |= if hit { bit } else { 0 };
        }
        self.scratch.words[hits] & bit != 0
    }

    fn ask_row(&self, plan: &RelationPlan, row: Row) -> Answer {
        let values = plan.relation.operands().iter().zip(&plan.columns).map(|(operand, columns)| {
            let mut values = Values::new(operand);
            for &column in columns {
                let view = self.view(column);
                view.each(row, |ordinal| values.add(view.value(ordinal)));
            }
            values.finish()
        });
        let values: Vec<_> = values.collect();
        plan.relation.some_choice(&values)
    }
}
