//! Events into a file.

use std::fs::File;
use std::sync::Arc;

use ecs::Millis;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use sift::Kind;

use super::checksums::Checksums;
use super::schema::{CLOUDTRAIL, DOCUMENT, schema};
use crate::column::{self, FIELDS, SELECTIVE};

/// Events of a row group: what is read at once, whatever is wanted of it.
const GROUP_ROWS: usize = 32 << 10;
/// Bytes of a page of records, before they are compressed: more compress better, fewer are read for one record.
const RECORD_PAGE_BYTES: usize = 64 << 10;
const FIELD_LEVEL: i32 = 3;

/// How hard records are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What is compacted soon, and waited for.
    Quick,
    /// What is written once and read often.
    Lasting,
}

impl Effort {
    /// For events that were just taken in: many at once stay as they are written.
    pub(crate) fn of(rows: &[impl Row]) -> Self {
        let bytes: u64 = rows.iter().map(|it| it.record().len() as u64).sum();
        if crate::compact::is_lasting(bytes) { Self::Lasting } else { Self::Quick }
    }

    fn level(self) -> i32 {
        match self {
            Self::Quick => 3,
            Self::Lasting => 9,
        }
    }
}

/// An event, as it is written.
pub(crate) trait Row {
    fn time(&self) -> Option<Millis>;
    fn id(&self) -> &str;
    fn index(&self) -> ByteArray;
    fn kind(&self) -> Kind;
    fn ingested(&self) -> Millis;
    fn delivery(&self) -> i32;
    fn exact(&self) -> bool;
    fn value(&self, column: usize) -> Option<ByteArray>;
    fn record(&self) -> &str;
}

/// What was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) text_bytes: u64,
    /// The times of the first and the last event that have one.
    pub(crate) span: Option<(Millis, Millis)>,
    /// Events without a time.
    pub(crate) undated: u64,
    pub(crate) checksums: Checksums,
}

/// Writes events, which are sorted, into an empty file. It is not synced.
pub(crate) fn write(file: &File, rows: &[impl Row], effort: Effort) -> Result<Written, ParquetError> {
    let mut writer = SerializedFileWriter::new(file.try_clone()?, schema(), Arc::new(properties(effort)))?;
    for group in rows.chunks(GROUP_ROWS) {
        let mut out = writer.next_row_group()?;
        write_group(&mut out, group)?;
        out.close()?;
    }
    let metadata = writer.close()?;
    let times = rows.iter().filter_map(Row::time);
    let span = times.clone().min().zip(times.max());
    let bytes = file.metadata()?.len();
    Ok(Written {
        rows: rows.len() as u64,
        bytes,
        text_bytes: rows.iter().map(|it| it.record().len() as u64).sum(),
        span,
        undated: rows.iter().filter(|it| it.time().is_none()).count() as u64,
        checksums: Checksums::of(&mut file.try_clone()?, bytes, &metadata)?,
    })
}

fn properties(effort: Effort) -> WriterProperties {
    let zstd = |level| ZstdLevel::try_new(level).map_or(Compression::UNCOMPRESSED, Compression::ZSTD);
    let path = |name: &str| ColumnPath::from(name);
    let about = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
    let mut all = WriterProperties::builder()
        .set_created_by("trailwarden".to_owned())
        .set_key_value_metadata(Some(vec![about("trailwarden.columns", column::VERSION.to_string())]))
        .set_compression(zstd(FIELD_LEVEL))
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(path("id"), false)
        .set_column_bloom_filter_enabled(path("id"), true)
        .set_column_bloom_filter_max_ndv(path("id"), GROUP_ROWS as u64)
        .set_column_dictionary_enabled(path("event_time"), false)
        .set_column_encoding(path("event_time"), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(path("record"), false)
        .set_column_compression(path("record"), zstd(effort.level()))
        .set_column_data_page_size_limit(path("record"), RECORD_PAGE_BYTES)
        // The least and the greatest record say nothing, and are long.
        .set_column_statistics_enabled(path("record"), EnabledStatistics::None);
    for field in SELECTIVE {
        let path = path(&column::name(field));
        all = all.set_column_bloom_filter_enabled(path.clone(), true);
        all = all.set_column_bloom_filter_max_ndv(path, GROUP_ROWS as u64);
    }
    all.build()
}

fn write_group<R: Row>(out: &mut SerializedRowGroupWriter<'_, File>, rows: &[R]) -> Result<(), ParquetError> {
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    optional::<Int64Type>(out, rows.iter().map(Row::time))?;
    required::<ByteArrayType>(out, rows.iter().map(|it| text(it.id())))?;
    required::<ByteArrayType>(out, rows.iter().map(Row::index))?;
    let kinds = [(Kind::CloudTrail, text(CLOUDTRAIL)), (Kind::Document, text(DOCUMENT))];
    let kind = |it: &R| if it.kind() == kinds[0].0 { kinds[0].1.clone() } else { kinds[1].1.clone() };
    required::<ByteArrayType>(out, rows.iter().map(kind))?;
    required::<Int64Type>(out, rows.iter().map(Row::ingested))?;
    required::<Int32Type>(out, rows.iter().map(Row::delivery))?;
    required::<BoolType>(out, rows.iter().map(Row::exact))?;
    for column in 0..FIELDS.len() {
        optional::<ByteArrayType>(out, rows.iter().map(|it| it.value(column)))?;
    }
    required::<ByteArrayType>(out, rows.iter().map(|it| text(it.record())))
}

fn required<T: DataType>(
    out: &mut SerializedRowGroupWriter<'_, File>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = values.collect();
    column::<T>(out, &values, None)
}

fn optional<T: DataType>(
    out: &mut SerializedRowGroupWriter<'_, File>,
    rows: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for row in rows {
        levels.push(i16::from(row.is_some()));
        values.extend(row);
    }
    column::<T>(out, &values, Some(&levels))
}

fn column<T: DataType>(
    out: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let next = out.next_column()?;
    let mut next = next.ok_or_else(|| ParquetError::General("the schema has no such column".to_owned()))?;
    next.typed::<T>().write_batch(values, levels, None)?;
    next.close()
}
