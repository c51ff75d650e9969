//! Events on their way into a store: what one block of the pass gave.

use std::ops::Range;

use block::Slot;
use ecs::{Millis, Origin, Scalar};
use parquet::data_type::ByteArray;
use sift::{Kind, Sifted, Sink};

use crate::column::FIELDS;

/// Stands for no value.
pub(crate) const NONE: u32 = u32::MAX;

/// Some events with the values of their columns.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// The records, one behind the other,
    texts: String,
    /// and the ids.
    ids: String,
    pub(crate) rows: Vec<Row>,
    /// For each event the ordinals of its values in the columns' dictionaries.
    values: Vec<[u32; FIELDS.len()]>,
    dictionaries: Vec<Vec<ByteArray>>,
    /// The names of indices by number.
    indices: Vec<ByteArray>,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its time, if it has one of its own.
    pub(crate) time: Option<Millis>,
    pub(crate) kind: Kind,
    /// Where it was read.
    pub(crate) origin: Origin,
    /// The number of its index.
    index: u32,
    text: Range<usize>,
    id: Range<usize>,
    /// Whether the columns say all that there is in their fields.
    pub(crate) exact: bool,
}

impl Piece {
    pub(crate) fn text(&self, row: usize) -> &str {
        &self.texts[self.rows[row].text.clone()]
    }

    pub(crate) fn id(&self, row: usize) -> &str {
        &self.ids[self.rows[row].id.clone()]
    }

    pub(crate) fn index(&self, row: usize) -> &ByteArray {
        &self.indices[self.rows[row].index as usize]
    }

    pub(crate) fn value(&self, row: usize, column: usize) -> Option<&ByteArray> {
        self.dictionaries[column].get(self.values[row][column] as usize)
    }

    /// A record that cannot be read, which is kept as it is and has no values.
    pub(crate) fn of_unread(id: &str, index: &str, kind: Kind, origin: Origin, text: &str) -> Self {
        let (text_at, id_at) = (0..text.len(), 0..id.len());
        let row = Row { time: None, kind, origin, index: 0, text: text_at, id: id_at, exact: false };
        Self {
            texts: text.to_owned(),
            ids: id.to_owned(),
            rows: vec![row],
            values: vec![[NONE; FIELDS.len()]],
            dictionaries: vec![Vec::new(); FIELDS.len()],
            indices: vec![index.as_bytes().to_vec().into()],
        }
    }

    /// About how many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.len() + self.ids.len() + self.rows.len() * (size_of::<Row>() + 4 * FIELDS.len())
    }
}

/// Takes all events of the pass. `undated` is the time that stands for none.
#[derive(Debug)]
pub(crate) struct Pieces {
    pub(crate) undated: Millis,
    pub(crate) taken: Vec<Piece>,
    pub(crate) bytes: usize,
}

impl Pieces {
    /// Takes some more.
    pub(crate) fn push(&mut self, piece: Piece) {
        self.bytes += piece.bytes();
        self.taken.push(piece);
    }
}

impl Sink for Pieces {
    fn take(&mut self, sifted: &Sifted<'_>) {
        let columns: &[Slot] = sifted.columns();
        let indices = sifted.indices().iter().map(|it| it.as_bytes().to_vec().into()).collect();
        let mut piece = Piece { indices, ..Piece::default() };
        let mut is_text: Vec<Vec<bool>> = Vec::with_capacity(columns.len());
        for &column in columns {
            let values = sifted.column(column).values();
            is_text.push(values.map(|it| matches!(it, Scalar::Str(_))).collect());
            let values = sifted.column(column).values();
            piece.dictionaries.push(values.map(|it| it.text().as_bytes().to_vec().into()).collect());
        }
        for event in sifted.events() {
            let (kind, text) = event.text.expect("the pass keeps all texts for whoever sees everything");
            let (mut values, mut exact) = ([NONE; FIELDS.len()], event.lineage.is_empty());
            for (at, &column) in columns.iter().enumerate() {
                match sifted.row(column, &event) {
                    [] => {}
                    [value] => {
                        values[at] = *value;
                        exact &= is_text[at][*value as usize];
                    }
                    [value, ..] => {
                        values[at] = *value;
                        exact = false;
                    }
                }
            }
            let (text_at, id_at) = (piece.texts.len(), piece.ids.len());
            piece.texts.push_str(text);
            piece.ids.push_str(event.id);
            piece.values.push(values);
            piece.rows.push(Row {
                time: Some(event.timestamp).filter(|&it| it != self.undated),
                kind,
                origin: event.origin,
                index: event.index,
                text: text_at..piece.texts.len(),
                id: id_at..piece.ids.len(),
                exact,
            });
        }
        self.push(piece);
    }
}
