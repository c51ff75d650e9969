//! Segments of a store, as the pass takes them.

use block::{Origin, Texts};
use ecs::Millis;
use reader::{StoredError, StoredPart, StoredTexts};
use sift::StoredRows;

/// A part of a segment by its columns.
pub(crate) struct Columns<'p> {
    /// The number of its input.
    pub(crate) input: u32,
    pub(crate) part: &'p mut dyn StoredPart,
}

fn texts(them: Option<&StoredTexts>) -> Texts<'_> {
    them.map(|it| Texts { bytes: &it.bytes, ends: &it.ends, rows: &it.rows }).unwrap_or_default()
}

impl StoredRows for Columns<'_> {
    type Error = StoredError;

    fn read(&mut self, field: usize) -> Result<(), StoredError> {
        self.part.read(field)
    }

    fn texts(&self, field: usize) -> Texts<'_> {
        texts(self.part.column(field))
    }

    fn read_ids(&mut self) -> Result<(), StoredError> {
        self.part.read_ids()
    }

    fn ids(&self) -> Texts<'_> {
        texts(self.part.ids())
    }

    fn time(&self, row: u32) -> Option<Millis> {
        self.part.events()?.times_ms.get(row as usize).copied().flatten()
    }

    fn origin(&self, row: u32) -> Origin {
        let first = self.part.events().map_or(0, |it| it.first);
        Origin { input: self.input, ordinal: first + u64::from(row) }
    }

    fn records(&mut self, rows: &[u32], give: &mut dyn FnMut(&str)) -> Result<(), StoredError> {
        self.part.records(rows, &mut |it| {
            give(it.text);
            std::ops::ControlFlow::Continue(())
        })
    }
}
