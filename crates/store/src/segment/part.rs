//! Events by their columns, a row group at a time: what a hunt reads of a segment as long as columns tell.

use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use reader::{RecordKind, StoredError, StoredEvent, StoredPart, TakeParts, TakeStored};
use rustc_hash::FxHashMap;

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
    /// The ids, one behind the other, and where each ends.
    ids: String,
    id_ends: Vec<usize>,
    is_cloudtrail: Vec<bool>,
    exact: Vec<bool>,
    times: Values<i64>,
    fields: Vec<Texts>,
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

/// The texts of a column: few different ones, as a rule.
struct Texts {
    distinct: Vec<Box<str>>,
    /// For each row the number of its text.
    rows: Vec<u32>,
}

impl Texts {
    /// Of values, which share the bytes of the column's dictionary: a text need be looked at once for each place it has
    /// there.
    fn new(segment: &Segment, values: &[ByteArray], levels: &[i16]) -> Result<Self, StoreError> {
        let mut numbers: FxHashMap<(usize, usize), u32> = FxHashMap::default();
        let (mut distinct, mut rows) = (Vec::new(), Vec::with_capacity(levels.len()));
        let mut values = values.iter();
        for &level in levels {
            let Some(value) = (level > 0).then(|| values.next()).flatten() else {
                rows.push(NONE);
                continue;
            };
            let bytes = value.data();
            let place = (bytes.as_ptr() as usize, bytes.len());
            let number = match numbers.entry(place) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(free) => {
                    distinct.push(segment.utf8(value)?.into());
                    *free.insert(distinct.len() as u32 - 1)
                }
            };
            rows.push(number);
        }
        Ok(Self { distinct, rows })
    }

    fn get(&self, row: usize) -> Option<&str> {
        self.distinct.get(self.rows[row] as usize).map(|it| &**it)
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
        first += part.id_ends.len() as u64;
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
        fields.push(Texts::new(segment, &values, &levels)?);
    }
    let (mut all, mut id_ends) = (String::new(), Vec::with_capacity(rows));
    for id in &ids {
        all.push_str(segment.utf8(id)?);
        id_ends.push(all.len());
    }
    if !is_whole {
        return Err(segment.damaged("a column ends early"));
    }
    let is_cloudtrail = kinds.iter().map(|it| it.data() == CLOUDTRAIL.as_bytes()).collect();
    Ok(Part { opened, group, first, ids: all, id_ends, is_cloudtrail, exact, times, fields })
}

impl StoredPart for Part<'_, '_> {
    fn len(&self) -> usize {
        self.id_ends.len()
    }

    fn event(&self, row: usize) -> StoredEvent<'_> {
        let start = if row == 0 { 0 } else { self.id_ends[row - 1] };
        let is_cloudtrail = self.is_cloudtrail[row];
        StoredEvent {
            ordinal: self.first + row as u64,
            kind: if is_cloudtrail { RecordKind::CloudTrail } else { RecordKind::Document },
            id: &self.ids[start..self.id_ends[row]],
            time_ms: self.times.get(row).copied(),
            is_exact: self.exact[row],
        }
    }

    fn value(&self, row: usize, field: usize) -> Option<&str> {
        self.fields[field].get(row)
    }

    fn records(&mut self, rows: &[u32], take: &mut TakeStored<'_>) -> Result<(), StoredError> {
        let ordinals: Vec<u64> = rows.iter().map(|&row| self.first + u64::from(row)).collect();
        let read = self.opened.group(self.group, self.first, Some(&ordinals), take);
        read.map(|_: ControlFlow<()>| ()).map_err(|error| self.opened.segment.told(&error))
    }
}
