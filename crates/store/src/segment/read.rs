//! A file's events.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use reader::{RecordKind, Stored, StoredError, StoredRecord, TakeParts, TakeStored};
use xxhash_rust::xxh3::xxh3_64;

use super::checksums::{Checksums, TAIL};
use super::part;
use super::schema::{CLOUDTRAIL, FIRST_FIELD, ID, INDEX, KIND};
use crate::StoreError;
use crate::column;

/// So many records are unpacked at a time.
const BATCH: usize = 256;

/// A segment, as its row describes it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// The version of its columns.
    pub(crate) columns: u32,
    pub(crate) checksums: Checksums,
}

/// A segment's file.
pub(super) struct Opened<'s> {
    pub(super) segment: &'s Segment,
    file: File,
    pub(super) metadata: ParquetMetaData,
    /// Which column holds the records: the last.
    record: usize,
    /// The records of the row group that was asked for last, as they lie in the file.
    records: Option<(usize, Bytes)>,
}

impl Segment {
    /// Tells the `_id` and `_index` of every event, in order.
    pub(crate) fn ids(&self, take: &mut dyn FnMut(&str, &str)) -> Result<(), StoreError> {
        let mut opened = self.open()?;
        for group in 0..opened.groups() {
            let ids = opened.texts(group, ID)?;
            let indices = opened.texts(group, INDEX)?;
            for (id, index) in ids.iter().zip(&indices) {
                take(self.utf8(id)?, self.utf8(index)?);
            }
        }
        Ok(())
    }

    /// Gives the records with these ordinals, ascending, or all.
    pub(crate) fn records(
        &self,
        wanted: Option<&[u64]>,
        take: &mut TakeStored<'_>,
    ) -> Result<(), StoreError> {
        let mut opened = self.open()?;
        let (mut first, mut left) = (0, wanted);
        for group in 0..opened.groups() {
            let rows = opened.metadata.row_group(group).num_rows() as u64;
            let its = match &mut left {
                None => None,
                Some(left) => {
                    let (these, later) = left.split_at(left.partition_point(|&it| it < first + rows));
                    *left = later;
                    Some(these)
                }
            };
            if its.is_none_or(|it| !it.is_empty()) && opened.group(group, first, its, take)?.is_break() {
                return Ok(());
            }
            first += rows;
        }
        Ok(())
    }

    /// Whether the whole file is as it was written.
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        let bytes = std::fs::read(&self.path).map_err(StoreError::io(&self.path, "cannot be read"))?;
        if bytes.len() as u64 != self.bytes {
            return Err(self.damaged(format!("it has {} bytes, and had {}", bytes.len(), self.bytes)));
        }
        if xxhash_rust::xxh3::xxh3_128(&bytes) != self.checksums.file {
            return Err(self.damaged("its hash differs"));
        }
        let mut rows = 0;
        self.ids(&mut |_, _| rows += 1)?;
        if rows != self.rows {
            return Err(self.damaged(format!("it holds {rows} events, and held {}", self.rows)));
        }
        Ok(())
    }

    pub(super) fn open(&self) -> Result<Opened<'_>, StoreError> {
        let mut file = File::open(&self.path).map_err(StoreError::io(&self.path, "cannot be opened"))?;
        let size = file.metadata().map_err(StoreError::io(&self.path, "cannot be read"))?.len();
        let Checksums { metadata_at, metadata, .. } = self.checksums;
        if size != self.bytes || metadata_at + TAIL > size {
            return Err(self.damaged(format!("it has {size} bytes, and had {}", self.bytes)));
        }
        let bytes = self.part(&mut file, metadata_at..size, metadata)?;
        let metadata = ParquetMetaDataReader::decode_metadata(&bytes[..bytes.len() - TAIL as usize]);
        let metadata = metadata.map_err(|error| self.decoding(&error))?;
        let record = FIRST_FIELD + column::fields(self.columns).len();
        let columns = metadata.file_metadata().schema_descr().num_columns();
        if columns != record + 1 || metadata.num_row_groups() * columns != self.checksums.chunks.len() {
            return Err(self.damaged(format!("it has {columns} columns")));
        }
        Ok(Opened { segment: self, file, metadata, record, records: None })
    }

    /// A part of the file, if it is as it was.
    fn part(&self, file: &mut File, range: Range<u64>, hash: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(StoreError::io(&self.path, "cannot be read"))?;
        if xxh3_64(&bytes) != hash {
            return Err(self.damaged(format!("bytes {} to {} differ", range.start, range.end)));
        }
        Ok(bytes)
    }

    pub(super) fn utf8<'t>(&self, text: &'t ByteArray) -> Result<&'t str, StoreError> {
        std::str::from_utf8(text.data()).map_err(|_| self.damaged("a text in it is no UTF-8"))
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        StoreError::damaged(&self.path, detail)
    }

    pub(super) fn decoding(&self, error: &ParquetError) -> StoreError {
        self.damaged(error.to_string())
    }
}

impl Stored for Segment {
    fn read(&self, wanted: Option<&[u64]>, take: &mut TakeStored<'_>) -> Result<(), StoredError> {
        self.records(wanted, take).map_err(|error| self.told(&error))
    }

    fn fields(&self) -> &'static [&'static str] {
        column::fields(self.columns)
    }

    fn parts(&self, fields: &[&str], take: &mut TakeParts<'_>) -> Result<(), StoredError> {
        part::parts(self, fields, take)
    }
}

impl Segment {
    /// For the reader, which says the file's name itself.
    pub(super) fn told(&self, error: &StoreError) -> StoredError {
        StoredError { detail: told(&self.path, error) }
    }
}

/// What is wrong, without the file's name.
fn told(path: &Path, error: &StoreError) -> String {
    let text = error.to_string();
    let name = format!("`{}`", path.display());
    let rest = text.strip_prefix(&name).map(|it| it.trim_start_matches(':').trim_start());
    let rest = rest.map_or(&*text, |it| it.strip_prefix("is not as it was written: ").unwrap_or(it));
    format!("{rest} ({})", error.code())
}

impl Opened<'_> {
    pub(super) fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// A column of a row group, its bytes read at once.
    pub(super) fn column<T: DataType>(
        &mut self,
        group: usize,
        column: usize,
    ) -> Result<ColumnReaderImpl<T>, StoreError> {
        let its = self.metadata.row_group(group);
        let (chunk, rows) = (its.column(column), its.num_rows() as usize);
        let (start, len) = chunk.byte_range();
        let hash = self.segment.checksums.chunks[group * its.num_columns() + column];
        let bytes = match &self.records {
            Some((kept, bytes)) if *kept == group && column == self.record => bytes.clone(),
            Some(_) | None => self.segment.part(&mut self.file, start..start + len, hash)?.into(),
        };
        if column == self.record {
            self.records = Some((group, bytes.clone()));
        }
        let chunk_reader = Arc::new(Chunk { start, bytes });
        let pages = SerializedPageReader::new(chunk_reader, chunk, rows, None);
        let pages = pages.map_err(|error| self.segment.decoding(&error))?;
        Ok(get_typed_column_reader(get_column_reader(chunk.column_descr_ptr(), Box::new(pages))))
    }

    /// The texts of a column that has one in each row.
    pub(super) fn texts(&mut self, group: usize, column: usize) -> Result<Vec<ByteArray>, StoreError> {
        let rows = self.metadata.row_group(group).num_rows() as usize;
        let mut reader = self.column::<ByteArrayType>(group, column)?;
        let mut texts = Vec::with_capacity(rows);
        while texts.len() < rows {
            let read = reader.read_records(rows - texts.len(), None, None, &mut texts);
            let (records, ..) = read.map_err(|error| self.segment.decoding(&error))?;
            if records == 0 {
                return Err(self.segment.damaged("a column ends early"));
            }
        }
        Ok(texts)
    }

    /// Gives the records of a row group.
    pub(super) fn group(
        &mut self,
        group: usize,
        first: u64,
        wanted: Option<&[u64]>,
        take: &mut TakeStored<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let rows = self.metadata.row_group(group).num_rows() as u64;
        let kinds = self.texts(group, KIND)?;
        let is_document = |row: u64| kinds[row as usize].data() != CLOUDTRAIL.as_bytes();
        let any = match wanted {
            None => (0..rows).any(is_document),
            Some(wanted) => wanted.iter().any(|&it| is_document(it - first)),
        };
        let (ids, indices) =
            if any { (self.texts(group, ID)?, self.texts(group, INDEX)?) } else { (Vec::new(), Vec::new()) };
        let mut records = self.column::<ByteArrayType>(group, self.record)?;
        let (mut at, mut texts) = (0, Vec::with_capacity(BATCH));
        let mut wanted = wanted;
        while at < rows {
            // The next rows that are wanted and lie side by side.
            let (from, count) = match &mut wanted {
                None => (at, (rows - at).min(BATCH as u64)),
                Some([]) => break,
                Some(left) => {
                    let from = left[0];
                    let run = left.iter().zip(from..).take(BATCH).take_while(|&(&it, at)| it == at).count();
                    *left = &left[run..];
                    (from - first, run as u64)
                }
            };
            let failed = |error: ParquetError| self.segment.decoding(&error);
            let skipped = records.skip_records((from - at) as usize).map_err(failed)?;
            texts.clear();
            let (read, ..) = records.read_records(count as usize, None, None, &mut texts).map_err(failed)?;
            if skipped as u64 != from - at || read as u64 != count {
                // A page may end in the middle of what is asked for: then less comes, and the rest next.
                return Err(self.segment.damaged("its records end early"));
            }
            at = from + count;
            for (row, text) in (from..).zip(&texts) {
                let text = self.segment.utf8(text)?;
                let (kind, id, index) = if is_document(row) {
                    let id = self.segment.utf8(&ids[row as usize])?;
                    let index = self.segment.utf8(&indices[row as usize])?;
                    (RecordKind::Document, Some(id), Some(index))
                } else {
                    (RecordKind::CloudTrail, None, None)
                };
                let record = StoredRecord { ordinal: first + row, kind, id, index, text };
                if take(record).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The bytes of one column chunk, by their places in the file.
struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Chunk {
    /// The place in these bytes.
    fn at(&self, place: u64) -> Result<usize, ParquetError> {
        let at = place.checked_sub(self.start).filter(|&at| at <= self.bytes.len() as u64);
        at.map(|at| at as usize).ok_or_else(|| ParquetError::EOF("beyond the column".to_owned()))
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(Cursor::new(self.bytes.slice(self.at(start)?..)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let from = self.at(start)?;
        let end = from.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| ParquetError::EOF("beyond the column".to_owned()))?;
        Ok(self.bytes.slice(from..end))
    }
}
