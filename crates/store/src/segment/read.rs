//! A file's events.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;
use reader::{Ingested, RecordKind, Stored, StoredError, StoredRecord, StoredTexts, TakePart, TakeStored};
use xxhash_rust::xxh3::xxh3_64;

use super::checksums::{Checksums, TAIL};
use super::part;
use super::records::{self, LastPage};
use super::schema::{CLOUDTRAIL, FIRST_FIELD, ID, INDEX, KIND};
use super::texts;
use crate::StoreError;
use crate::column;

/// A segment, as its row describes it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// Where its file lies if it was replaced meanwhile.
    pub(crate) spare: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// The version of its columns.
    pub(crate) columns: u32,
    pub(crate) checksums: Checksums,
    /// What the file says of itself, once somebody asked.
    pub(crate) metadata: OnceLock<Metadata>,
}

/// What a file says of itself. It never changes, so that a panic leaves nothing half done in it.
#[derive(Clone, Debug)]
pub(crate) struct Metadata(Arc<ParquetMetaData>);

impl UnwindSafe for Metadata {}
impl RefUnwindSafe for Metadata {}

/// A segment's file.
pub(super) struct Opened<'s> {
    pub(super) segment: &'s Segment,
    file: File,
    pub(super) metadata: Arc<ParquetMetaData>,
    /// Which column holds the records: the last.
    record: usize,
    /// The records of the row group that was asked for last, as they lie in the file.
    records: Option<(usize, Bytes)>,
    last_page: LastPage,
}

impl Segment {
    /// Tells the `_id` and `_index` of every event, in order.
    pub(crate) fn ids(&self, take: &mut dyn FnMut(&str, &str)) -> Result<(), StoreError> {
        let mut opened = self.open()?;
        for group in 0..opened.groups() {
            let ids = opened.texts(group, ID)?;
            let indices = opened.texts(group, INDEX)?;
            for row in 0..ids.rows.len() {
                take(ids.get(row).unwrap_or_default(), indices.get(row).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// When its events were taken in.
    fn ingestion(&self) -> Result<Ingested, StoreError> {
        Ok(Ingested::of(self.provenance()?.into_iter().map(|(ingested, _)| ingested).collect()))
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
        let mut bytes = Vec::new();
        let read = self.file()?.read_to_end(&mut bytes);
        read.map_err(StoreError::io(&self.path, "cannot be read"))?;
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

    fn file(&self) -> Result<File, StoreError> {
        match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => File::open(&self.spare).or(Err(error)),
            opened => opened,
        }
        .map_err(StoreError::io(&self.path, "cannot be opened"))
    }

    pub(super) fn open(&self) -> Result<Opened<'_>, StoreError> {
        let mut file = self.file()?;
        let size = file.metadata().map_err(StoreError::io(&self.path, "cannot be read"))?.len();
        let Checksums { metadata_at, metadata, .. } = self.checksums;
        if size != self.bytes || metadata_at + TAIL > size {
            return Err(self.damaged(format!("it has {size} bytes, and had {}", self.bytes)));
        }
        let record = FIRST_FIELD + column::fields(self.columns).len();
        let metadata = if let Some(known) = self.metadata.get() {
            Arc::clone(&known.0)
        } else {
            let bytes = self.part_of(&mut file, metadata_at..size, metadata)?;
            let metadata = ParquetMetaDataReader::decode_metadata(&bytes[..bytes.len() - TAIL as usize]);
            let metadata = metadata.map_err(|error| self.decoding(&error))?;
            let columns = metadata.file_metadata().schema_descr().num_columns();
            if columns != record + 1 || metadata.num_row_groups() * columns != self.checksums.chunks.len() {
                return Err(self.damaged(format!("it has {columns} columns")));
            }
            Arc::clone(&self.metadata.get_or_init(|| Metadata(Arc::new(metadata))).0)
        };
        Ok(Opened { segment: self, file, metadata, record, records: None, last_page: LastPage::default() })
    }

    /// How many row groups it has, by its row.
    pub(super) fn group_count(&self) -> usize {
        self.checksums.chunks.len() / (FIRST_FIELD + column::fields(self.columns).len() + 1)
    }

    /// A part of the file, if it is as it was.
    fn part_of(&self, file: &mut File, range: Range<u64>, hash: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(StoreError::io(&self.path, "cannot be read"))?;
        if xxh3_64(&bytes) != hash {
            return Err(self.damaged(format!("bytes {} to {} differ", range.start, range.end)));
        }
        Ok(bytes)
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

    fn parts(&self) -> usize {
        self.group_count()
    }

    fn part(&self, part: usize, fields: &[&str], take: &mut TakePart<'_>) -> Result<(), StoredError> {
        part::part(self, part, fields, take)
    }

    fn ingested(&self) -> Result<Ingested, StoredError> {
        self.ingestion().map_err(|error| self.told(&error))
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

    /// The place of a row group's first event in the segment.
    pub(super) fn first(&self, group: usize) -> u64 {
        self.metadata.row_groups()[..group].iter().map(|it| it.num_rows() as u64).sum()
    }

    /// The pages of a column of a row group, whose bytes are read at once.
    fn pages(&mut self, group: usize, column: usize) -> Result<SerializedPageReader<Chunk>, StoreError> {
        let its = self.metadata.row_group(group);
        let (chunk, rows) = (its.column(column), its.num_rows() as usize);
        let (start, len) = chunk.byte_range();
        let hash = self.segment.checksums.chunks[group * its.num_columns() + column];
        let bytes = match &self.records {
            Some((kept, bytes)) if *kept == group && column == self.record => bytes.clone(),
            Some(_) | None => self.segment.part_of(&mut self.file, start..start + len, hash)?.into(),
        };
        if column == self.record && self.records.as_ref().is_none_or(|(kept, _)| *kept != group) {
            self.records = Some((group, bytes.clone()));
            self.last_page = LastPage::default();
        }
        let pages = SerializedPageReader::new(Arc::new(Chunk { start, bytes }), chunk, rows, None);
        pages.map_err(|error| self.segment.decoding(&error))
    }

    /// A column of a row group that holds no texts.
    pub(super) fn column<T: DataType>(
        &mut self,
        group: usize,
        column: usize,
    ) -> Result<ColumnReaderImpl<T>, StoreError> {
        let pages = self.pages(group, column)?;
        let described = self.metadata.row_group(group).column(column).column_descr_ptr();
        Ok(get_typed_column_reader(get_column_reader(described, Box::new(pages))))
    }

    /// The texts of a column of a row group.
    pub(super) fn texts(&mut self, group: usize, column: usize) -> Result<StoredTexts, StoreError> {
        let its = self.metadata.row_group(group);
        let (rows, chunk) = (its.num_rows() as usize, its.column(column));
        // A column without any value is not worth a look.
        let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
        if nulls == Some(rows as u64) {
            return Ok(StoredTexts { rows: vec![StoredTexts::NONE; rows], ..StoredTexts::default() });
        }
        let is_optional = chunk.column_descr().max_def_level() > 0;
        let mut pages = self.pages(group, column)?;
        texts::decode(&mut pages, rows, is_optional).map_err(|error| self.segment.decoding(&error))
    }

    /// Gives the records of a row group.
    pub(super) fn group(
        &mut self,
        group: usize,
        first: u64,
        wanted: Option<&[u64]>,
        take: &mut TakeStored<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let rows = self.metadata.row_group(group).num_rows() as usize;
        let kinds = self.texts(group, KIND)?;
        let is_document = |row: usize| kinds.get(row) != Some(CLOUDTRAIL);
        let wanted: Option<Vec<u64>> = wanted.map(|them| them.iter().map(|it| it - first).collect());
        let any = match &wanted {
            None => (0..rows).any(is_document),
            Some(wanted) => wanted.iter().any(|&it| is_document(it as usize)),
        };
        let (ids, indices) = if any {
            (self.texts(group, ID)?, self.texts(group, INDEX)?)
        } else {
            (StoredTexts::default(), StoredTexts::default())
        };
        let mut pages = self.pages(group, self.record)?;
        let mut flow = ControlFlow::Continue(());
        let Self { segment, last_page, .. } = self;
        let mut each = |row: u64, text: &[u8]| {
            let text = std::str::from_utf8(text).map_err(|error| ParquetError::General(error.to_string()))?;
            let at = row as usize;
            let (kind, id, index) = if is_document(at) {
                (RecordKind::Document, ids.get(at), indices.get(at))
            } else {
                (RecordKind::CloudTrail, None, None)
            };
            flow = take(StoredRecord { ordinal: first + row, kind, id, index, text });
            Ok(flow.is_continue())
        };
        let read = records::each(&mut pages, rows, wanted.as_deref(), last_page, &mut each);
        read.map_err(|error| segment.decoding(&error))?;
        Ok(flow)
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
