//! Some rows of a table, column by column.

use std::sync::Arc;

use crate::column::Column;

/// Rows; columns are found by the numbers of their slots.
#[derive(Clone, Debug, Default)]
pub struct Block {
    rows: usize,
    columns: Vec<Option<Arc<Column>>>,
}

impl Block {
    /// So many rows, in which everything is null.
    pub fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::new() }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Puts a column into a slot.
    pub fn set(&mut self, slot: usize, column: Arc<Column>) {
        debug_assert_eq!(column.rows(), self.rows, "a column has a row for each of the block");
        if self.columns.len() <= slot {
            self.columns.resize(slot + 1, None);
        }
        self.columns[slot] = Some(column);
    }

    /// The column of a slot; null if nothing was put there.
    pub fn get(&self, slot: usize) -> Arc<Column> {
        match self.columns.get(slot) {
            Some(Some(column)) => Arc::clone(column),
            Some(None) | None => Arc::new(Column::Null(self.rows)),
        }
    }

    /// Some rows, in this order, of some slots.
    pub(crate) fn take(&self, rows: &[u32], slots: &[usize]) -> Self {
        let mut taken = Self::new(rows.len());
        for &slot in slots {
            if let Some(Some(column)) = self.columns.get(slot) {
                taken.set(slot, Arc::new(column.take(rows)));
            }
        }
        taken
    }

    /// All rows, of some slots.
    pub(crate) fn keep(mut self, slots: &[usize]) -> Self {
        for (slot, column) in self.columns.iter_mut().enumerate() {
            if !slots.contains(&slot) {
                *column = None;
            }
        }
        self
    }

    /// All rows of all blocks, of some slots.
    pub(crate) fn concat(blocks: &[Self], slots: &[usize]) -> Self {
        if let [one] = blocks {
            return one.clone().keep(slots);
        }
        let mut all = Self::new(blocks.iter().map(Self::rows).sum());
        for &slot in slots {
            let columns: Vec<Arc<Column>> = blocks.iter().map(|it| it.get(slot)).collect();
            all.set(slot, Arc::new(Column::concat(&columns)));
        }
        all
    }
}
