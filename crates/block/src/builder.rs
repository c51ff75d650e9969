//! Events in, a block out.

use std::sync::Arc;

use ecs::{Millis, Origin, Scalar};

use crate::{Column, Ordinal, Schema, Slot, Texts};

/// What every event has beside its columns.
#[derive(Clone, Copy, Debug)]
pub struct RowInfo<'a> {
    /// The `_id`.
    pub id: &'a str,
    /// The `_index`, as the caller numbers them.
    pub index: u32,
    /// The `@timestamp`.
    pub timestamp: Millis,
    /// Where it was read from.
    pub origin: Origin,
}

/// Takes events row by row.
#[derive(Debug)]
pub struct BlockBuilder {
    block: Block,
}

/// Some thousands of events as columns.
#[derive(Clone, Debug)]
pub struct Block {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    ids: String,
    id_ends: Vec<usize>,
    indices: Vec<u32>,
    timestamps: Vec<Millis>,
    origins: Vec<Origin>,
}

impl BlockBuilder {
    /// An empty block with these columns.
    pub fn new(schema: Arc<Schema>) -> Self {
        let columns = vec![Column::default(); schema.len()];
        let block = Block {
            schema,
            columns,
            ids: String::new(),
            id_ends: Vec::new(),
            indices: Vec::new(),
            timestamps: Vec::new(),
            origins: Vec::new(),
        };
        Self { block }
    }

    /// The columns.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.block.schema
    }

    /// How many rows are complete.
    pub fn rows(&self) -> usize {
        self.block.rows()
    }

    /// About how many bytes the block holds by now: close it when that is enough.
    pub fn bytes(&self) -> usize {
        let block = &self.block;
        let per_row = size_of::<usize>() + size_of::<u32>() + size_of::<Millis>() + size_of::<Origin>();
        block.ids.len() + block.rows() * per_row + block.columns.iter().map(Column::bytes).sum::<usize>()
    }

    /// Adds a value to the row that is being built. No text may reach 4 GiB.
    pub fn push(&mut self, slot: Slot, value: Scalar<'_>) {
        let row = self.block.rows();
        self.block.columns[slot.index()].push(row, value);
    }

    /// Adds a text, as [`BlockBuilder::push`] does: most values are texts.
    #[inline]
    pub fn push_text(&mut self, slot: Slot, text: &str) {
        let row = self.block.rows();
        self.block.columns[slot.index()].push_text(row, text);
    }

    /// Adds texts to the rows that are completed next, one column after the other: what the first of them has, then the
    /// second. `known` is room to work in.
    pub fn push_texts(
        &mut self,
        slot: Slot,
        texts: Texts<'_>,
        rows: impl Iterator<Item = Option<u32>>,
        known: &mut Vec<Ordinal>,
    ) {
        let first = self.block.rows();
        self.block.columns[slot.index()].fill(first, texts, rows, known);
    }

    /// Completes the row.
    pub fn end_row(&mut self, info: RowInfo<'_>) {
        let block = &mut self.block;
        block.ids.push_str(info.id);
        block.id_ends.push(block.ids.len());
        block.indices.push(info.index);
        block.timestamps.push(info.timestamp);
        block.origins.push(info.origin);
    }

    /// Drops what was pushed to the row that is being built.
    pub fn abandon_row(&mut self) {
        let row = self.block.rows();
        for column in &mut self.block.columns {
            column.abandon(row);
        }
    }

    /// The block. Give it back to [`BlockBuilder::reuse`] to save allocations.
    pub fn finish(self) -> Block {
        self.block
    }

    /// An empty block with the columns and the memory of an old one.
    pub fn reuse(mut block: Block) -> Self {
        for column in &mut block.columns {
            column.clear();
        }
        block.ids.clear();
        block.id_ends.clear();
        block.indices.clear();
        block.timestamps.clear();
        block.origins.clear();
        Self { block }
    }
}

impl Block {
    /// The columns' names.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many events it holds.
    pub fn rows(&self) -> usize {
        self.id_ends.len()
    }

    /// One column.
    pub fn column(&self, slot: Slot) -> &Column {
        &self.columns[slot.index()]
    }

    /// Adds a value to a complete row, for columns that are filled only where something asks for them. Within a
    /// column the rows must come in ascending order.
    pub fn push_late(&mut self, row: usize, slot: Slot, value: Scalar<'_>) {
        debug_assert!(row < self.rows(), "only complete rows are filled late");
        self.columns[slot.index()].push(row, value);
    }

    /// The `_id` of an event.
    pub fn id(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.id_ends[row - 1] };
        &self.ids[start..self.id_ends[row]]
    }

    /// The number of an event's `_index`.
    pub fn index(&self, row: usize) -> u32 {
        self.indices[row]
    }

    /// The `@timestamp` of an event.
    pub fn timestamp(&self, row: usize) -> Millis {
        self.timestamps[row]
    }

    /// Where an event was read from.
    pub fn origin(&self, row: usize) -> Origin {
        self.origins[row]
    }
}

#[cfg(test)]
mod tests {
    use ecs::Shape;

    use super::*;

    fn info(id: &str) -> RowInfo<'_> {
        RowInfo { id, index: 0, timestamp: 5, origin: Origin::default() }
    }

    #[test]
    fn rows_keep_their_values_in_order() {
        let mut schema = Schema::default();
        let a = schema.add("a", Shape::Leaf);
        let b = schema.add("b", Shape::Leaf);
        let mut builder = BlockBuilder::new(schema.into());
        builder.end_row(info("first"));
        builder.push(a, Scalar::Str("x"));
        builder.push(a, Scalar::Int(1));
        builder.push(a, Scalar::Str("x"));
        builder.push(b, Scalar::Bool(true));
        builder.end_row(info("second"));
        builder.push(b, Scalar::Bool(false));
        builder.abandon_row();
        builder.push(a, Scalar::Str("x"));
        builder.end_row(info("third"));
        let block = builder.finish();

        assert_eq!((block.id(0), block.id(1), block.id(2)), ("first", "second", "third"));
        assert_eq!(block.column(a).row(0), &[] as &[u32]);
        let values =
            |row| block.column(a).row(row).iter().map(|&it| block.column(a).value(it)).collect::<Vec<_>>();
        assert_eq!(values(1), [Scalar::Str("x"), Scalar::Int(1), Scalar::Str("x")]);
        assert_eq!(values(2), [Scalar::Str("x")]);
        assert_eq!(block.column(b).row(2), &[] as &[u32], "an abandoned row leaves nothing");
        assert_eq!(block.column(a).find_str("x"), Some(0));
        assert_eq!(block.column(a).find_str("y"), None);

        let mut again = BlockBuilder::reuse(block);
        again.push(a, Scalar::Str("y"));
        again.end_row(info("fourth"));
        let block = again.finish();
        assert_eq!((block.rows(), block.column(a).find_str("x")), (1, None));
    }

    #[test]
    fn an_abandoned_row_takes_its_list_along() {
        let mut schema = Schema::default();
        let a = schema.add("a", Shape::Leaf);
        let mut builder = BlockBuilder::new(schema.into());
        for value in ["x", "y", "z"] {
            builder.push(a, Scalar::Str(value));
        }
        builder.end_row(info("kept"));
        for value in ["p", "q"] {
            builder.push(a, Scalar::Str(value));
        }
        builder.abandon_row();
        for value in ["z", "r"] {
            builder.push(a, Scalar::Str(value));
        }
        builder.end_row(info("next"));
        let block = builder.finish();
        let values =
            |row| block.column(a).row(row).iter().map(|&it| block.column(a).value(it)).collect::<Vec<_>>();
        assert_eq!(values(0), ["x", "y", "z"].map(Scalar::Str));
        assert_eq!(values(1), ["z", "r"].map(Scalar::Str));
    }

    #[test]
    fn late_values_join_complete_rows() {
        let mut schema = Schema::default();
        let a = schema.add("a", Shape::Leaf);
        let mut builder = BlockBuilder::new(schema.into());
        for id in ["0", "1", "2"] {
            builder.end_row(info(id));
        }
        let mut block = builder.finish();
        block.push_late(1, a, Scalar::Str("x"));
        block.push_late(1, a, Scalar::Int(7));
        let rows: Vec<usize> = (0..3).map(|row| block.column(a).row(row).len()).collect();
        assert_eq!(rows, [0, 2, 0]);
        assert_eq!(block.column(a).not_strings(), [1]);
    }

    #[test]
    fn texts_with_numbers_are_what_they_are_row_by_row() {
        let mut schema = Schema::default();
        let a = schema.add("a", Shape::Leaf);
        let texts = Texts { bytes: "xyyx", ends: &[1, 3, 4, 4], rows: &[1, 9, 0, 2, 1, 3] };
        let mut builder = BlockBuilder::new(schema.into());
        builder.push(a, Scalar::Str("x"));
        builder.end_row(info("before"));
        let picked = [0, 1, 3, 4, 5];
        builder.push_texts(a, texts, picked.iter().map(|&it| texts.number(it)), &mut vec![7]);
        for _ in picked {
            builder.end_row(info(""));
        }
        builder.push(a, Scalar::Str("yy"));
        builder.end_row(info("after"));
        let block = builder.finish();
        let rows: Vec<&[u32]> = (0..7).map(|row| block.column(a).row(row)).collect();
        assert_eq!(rows, [&[0][..], &[1], &[], &[0], &[1], &[2], &[1]]);
        let values: Vec<Scalar<'_>> = block.column(a).values().collect();
        assert_eq!(values, ["x", "yy", ""].map(Scalar::Str));
    }

    #[test]
    fn equal_texts_of_different_kinds_are_different_values() {
        let mut schema = Schema::default();
        let a = schema.add("a", Shape::Leaf);
        let mut builder = BlockBuilder::new(schema.into());
        for value in
            [Scalar::Str("1"), Scalar::Int(1), Scalar::UInt(1), Scalar::NumberText("1"), Scalar::Float(1.0)]
        {
            builder.push(a, value);
        }
        builder.end_row(info("it"));
        assert_eq!(builder.finish().column(a).row(0), &[0, 1, 2, 3, 4]);
    }
}
