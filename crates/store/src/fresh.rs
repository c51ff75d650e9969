//! Events as they are written: those of a batch, and those of a compaction.

use std::fs::File;
use std::path::PathBuf;

use ecs::Millis;
use parquet::data_type::ByteArray;
use sift::Kind;

use crate::catalog::SegmentRow;
use crate::folder::file_name;
use crate::piece::Piece;
use crate::segment::{self, Effort, Row};
use crate::{Day, Store, StoreError, column};

/// An event that is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    pub(crate) piece: u32,
    pub(crate) row: u32,
    pub(crate) delivery: u32,
}

/// An event with what it is of.
pub(crate) struct FreshRow<'a> {
    pub(crate) piece: &'a Piece,
    pub(crate) at: Fresh,
    pub(crate) ingested: Millis,
}

/// Writes a segment and gives it its place. It counts when its row does.
pub(crate) fn write_segment(
    store: &Store,
    day: Day,
    number: u64,
    rows: &[FreshRow<'_>],
) -> Result<SegmentRow, StoreError> {
    let (incoming, row) = write_incoming(store, day, number, rows, Effort::of(rows))?;
    store.place(&incoming, &row.file)?;
    Ok(row)
}

/// Writes a segment where it is nothing yet, and says where that is.
pub(crate) fn write_incoming(
    store: &Store,
    day: Day,
    number: u64,
    rows: &[FreshRow<'_>],
    effort: Effort,
) -> Result<(PathBuf, SegmentRow), StoreError> {
    let incoming = store.incoming(number);
    let io = |what| StoreError::io(&incoming, what);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&incoming);
    let file = file.map_err(io("cannot be made"))?;
    let written = segment::write(&file, rows, effort)
        .map_err(|source| StoreError::Write { path: incoming.clone(), source })?;
    file.sync_all().map_err(io("cannot be synced"))?;
    let row = SegmentRow { day, file: file_name(day, number), columns: column::VERSION, written };
    Ok((incoming, row))
}

impl Row for FreshRow<'_> {
    fn time(&self) -> Option<Millis> {
        self.piece.rows[self.at.row as usize].time
    }

    fn id(&self) -> &str {
        self.piece.id(self.at.row as usize)
    }

    fn index(&self) -> ByteArray {
        self.piece.index(self.at.row as usize).clone()
    }

    fn kind(&self) -> Kind {
        self.piece.rows[self.at.row as usize].kind
    }

    fn ingested(&self) -> Millis {
        self.ingested
    }

    fn delivery(&self) -> i32 {
        self.at.delivery as i32
    }

    fn exact(&self) -> bool {
        self.piece.rows[self.at.row as usize].exact
    }

    fn value(&self, column: usize) -> Option<ByteArray> {
        self.piece.value(self.at.row as usize, column).cloned()
    }

    fn record(&self) -> &str {
        self.piece.text(self.at.row as usize)
    }
}
