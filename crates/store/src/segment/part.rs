//! Events by their columns, a row group at a time: what a hunt reads of a segment as long as columns tell.

use std::ops::ControlFlow;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use reader::{RecordKind, StoredError, StoredEvent, StoredPart, TakeParts, TakeStored};

use super::read::{Opened, Segment};
use super::schema::{CLOUDTRAIL, EVENT_TIME, EXACT, FIRST_FIELD, ID, KIND};
use crate::{StoreError, column};

/// Stands for no value.
const NONE: u32 = u32::MAX;

/// The events of a row group.
struct Part<'o, 's> {
    opened: &'o mut Opened<'s>,
    group: usize,
    /// The place of its first event in the segment.
    first: u64,
    ids: Vec<ByteArray>,
    kinds: Vec<ByteArray>,
    exact: Vec<bool>,
    times: Values<i64>,
    fields: Vec<Values<ByteArray>>,
}

/// The values of a column that need not have one in each row.
struct Values<T> {
    values: Vec<T>,
    /// For each row the number of its value.
    rows: Vec<u32>,
}

impl<T> Values<T> {
    fn new(values: Vec<T>, levels: &[i16]) -> Self {
        let mut next = 0;
        let mut number = |&level: &i16| {
            let has = level > 0;
            next += u32::from(has);
            if has { next - 1 } else { NONE }
        };
        let rows = levels.iter().map(&mut number).collect();
        Self { values, rows }
    }

    fn get(&self, row: usize) -> Option<&T> {
        self.values.get(self.rows[row] as usize)
    }
}

/// Gives the events of a segment by the columns of some fields.
pub(super) fn parts(segment: &Segment, fields: &[&str], take: &mut TakeParts<'_>) -> Result<(), StoredError> {
    let told = |error: StoreError| segment.told(&error);
    let known = column::fields(segment.columns);
    let place = |field: &&str| known.iter().position(|it| it == field).map(|at| FIRST_FIELD + at);
    let columns: Option<Vec<usize>> = fields.iter().map(place).collect();
    let columns = columns.ok_or_else(|| told(segment.damaged("it lacks a column")))?;
    let mut opened = segment.open().map_err(told)?;
    let mut first = 0;
    for group in 0..opened.groups() {
        let mut part = part(&mut opened, group, first, &columns).map_err(told)?;
        first += part.ids.len() as u64;
        take(&mut part)?;
    }
    Ok(())
}

fn part<'o, 's>(
    opened: &'o mut Opened<'s>,
    group: usize,
    first: u64,
    columns: &[usize],
) -> Result<Part<'o, 's>, StoreError> {
    let segment = opened.segment;
    let rows = opened.metadata.row_group(group).num_rows() as usize;
    let failed = |error: ParquetError| segment.decoding(&error);
    let (ids, kinds) = (opened.texts(group, ID)?, opened.texts(group, KIND)?);
    let (mut exact, mut times, mut levels) = (Vec::new(), Vec::new(), Vec::new());
    opened.column::<BoolType>(group, EXACT)?.read_records(rows, None, None, &mut exact).map_err(failed)?;
    let mut reader = opened.column::<Int64Type>(group, EVENT_TIME)?;
    reader.read_records(rows, Some(&mut levels), None, &mut times).map_err(failed)?;
    let mut fields = Vec::with_capacity(columns.len());
    let mut is_whole =
        ids.len() == rows && kinds.len() == rows && exact.len() == rows && levels.len() == rows;
    let times = Values::new(times, &levels);
    for &column in columns {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut reader = opened.column::<ByteArrayType>(group, column)?;
        while levels.len() < rows {
            let left = rows - levels.len();
            let read = reader.read_records(left, Some(&mut levels), None, &mut values).map_err(failed)?;
            if read.0 == 0 {
                break;
            }
        }
        is_whole &= levels.len() == rows;
        for value in &values {
            segment.utf8(value)?;
        }
        fields.push(Values::new(values, &levels));
    }
    for id in &ids {
        segment.utf8(id)?;
    }
    if !is_whole {
        return Err(segment.damaged("a column ends early"));
    }
    Ok(Part { opened, group, first, ids, kinds, exact, times, fields })
}

/// A text that was found to be one.
fn text(bytes: &ByteArray) -> &str {
    std::str::from_utf8(bytes.data()).unwrap_or_default()
}

impl StoredPart for Part<'_, '_> {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn event(&self, row: usize) -> StoredEvent<'_> {
        let is_cloudtrail = self.kinds[row].data() == CLOUDTRAIL.as_bytes();
        StoredEvent {
            ordinal: self.first + row as u64,
            kind: if is_cloudtrail { RecordKind::CloudTrail } else { RecordKind::Document },
            id: text(&self.ids[row]),
            time_ms: self.times.get(row).copied(),
            is_exact: self.exact[row],
        }
    }

    fn value(&self, row: usize, field: usize) -> Option<&str> {
        self.fields[field].get(row).map(text)
    }

    fn records(&mut self, rows: &[u32], take: &mut TakeStored<'_>) -> Result<(), StoredError> {
        let ordinals: Vec<u64> = rows.iter().map(|&row| self.first + u64::from(row)).collect();
        let read = self.opened.group(self.group, self.first, Some(&ordinals), take);
        read.map(|_: ControlFlow<()>| ()).map_err(|error| self.opened.segment.told(&error))
    }
}
