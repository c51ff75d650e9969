//! The events of a row group by their columns: what a hunt reads of a segment as long as columns tell.

use std::ops::ControlFlow;

use parquet::data_type::{BoolType, Int64Type};
use parquet::errors::ParquetError;
use reader::{StoredError, StoredEvents, StoredPart, StoredTexts, TakePart, TakeStored};

use super::read::{Opened, Segment};
use super::schema::{CLOUDTRAIL, EVENT_TIME, EXACT, FIRST_FIELD, ID, KIND};
use crate::{StoreError, column};

/// The events of a row group, as far as they were read.
struct Part<'s> {
    opened: Opened<'s>,
    group: usize,
    first: u64,
    /// For each field that was asked for the place of its column.
    places: Vec<usize>,
    events: Option<StoredEvents>,
    ids: Option<StoredTexts>,
    columns: Vec<Option<StoredTexts>>,
}

/// Gives a row group of a segment by the columns of some fields.
pub(super) fn part(
    segment: &Segment,
    group: usize,
    fields: &[&str],
    take: &mut TakePart<'_>,
) -> Result<(), StoredError> {
    let told = |error: StoreError| segment.told(&error);
    let known = column::fields(segment.columns);
    let place = |field: &&str| known.iter().position(|it| it == field).map(|at| FIRST_FIELD + at);
    let places: Option<Vec<usize>> = fields.iter().map(place).collect();
    let places = places.ok_or_else(|| told(segment.damaged("it lacks a column")))?;
    let opened = segment.open().map_err(told)?;
    if group >= opened.groups() {
        return Err(told(segment.damaged("it lacks a row group")));
    }
    let first = opened.first(group);
    let columns = vec![None; places.len()];
    take(&mut Part { opened, group, first, places, events: None, ids: None, columns })
}

impl Part<'_> {
    fn known_of_all(&mut self) -> Result<StoredEvents, StoreError> {
        let Self { opened, group, first, .. } = self;
        let (group, segment) = (*group, opened.segment);
        let rows = opened.metadata.row_group(group).num_rows() as usize;
        let failed = |error: ParquetError| segment.decoding(&error);
        let kinds = opened.texts(group, KIND)?;
        let (mut exact, mut times, mut levels) = (Vec::new(), Vec::new(), Vec::new());
        let mut reader = opened.column::<BoolType>(group, EXACT)?;
        reader.read_records(rows, None, None, &mut exact).map_err(failed)?;
        let mut reader = opened.column::<Int64Type>(group, EVENT_TIME)?;
        reader.read_records(rows, Some(&mut levels), None, &mut times).map_err(failed)?;
        if exact.len() != rows || levels.len() != rows {
            return Err(segment.damaged("a column ends early"));
        }
        let is_cloudtrail: Vec<bool> = (0..kinds.ends.len())
            .map(|number| {
                &kinds.bytes[number.checked_sub(1).map_or(0, |it| kinds.ends[it])..kinds.ends[number]]
            })
            .map(|kind| kind == CLOUDTRAIL)
            .collect();
        let is_told = |row: usize| exact[row] && is_cloudtrail.get(kinds.rows[row] as usize) == Some(&true);
        let mut times = times.into_iter();
        Ok(StoredEvents {
            first: *first,
            times_ms: levels.iter().map(|&level| if level > 0 { times.next() } else { None }).collect(),
            exact: (0..rows).filter(|&row| is_told(row)).map(|row| row as u32).collect(),
        })
    }

    fn told(&self, error: &StoreError) -> StoredError {
        self.opened.segment.told(error)
    }
}

impl StoredPart for Part<'_> {
    fn len(&self) -> usize {
        self.opened.metadata.row_group(self.group).num_rows() as usize
    }

    fn read_events(&mut self) -> Result<(), StoredError> {
        if self.events.is_none() {
            self.events = Some(self.known_of_all().map_err(|error| self.told(&error))?);
        }
        Ok(())
    }

    fn events(&self) -> Option<&StoredEvents> {
        self.events.as_ref()
    }

    fn read_ids(&mut self) -> Result<(), StoredError> {
        if self.ids.is_none() {
            self.ids = Some(self.opened.texts(self.group, ID).map_err(|error| self.told(&error))?);
        }
        Ok(())
    }

    fn ids(&self) -> Option<&StoredTexts> {
        self.ids.as_ref()
    }

    fn read(&mut self, field: usize) -> Result<(), StoredError> {
        if self.columns[field].is_none() {
            let texts = self.opened.texts(self.group, self.places[field]);
            self.columns[field] = Some(texts.map_err(|error| self.told(&error))?);
        }
        Ok(())
    }

    fn column(&self, field: usize) -> Option<&StoredTexts> {
        self.columns[field].as_ref()
    }

    fn records(&mut self, rows: &[u32], take: &mut TakeStored<'_>) -> Result<(), StoredError> {
        let ordinals: Vec<u64> = rows.iter().map(|&row| self.first + u64::from(row)).collect();
        let read = self.opened.group(self.group, self.first, Some(&ordinals), take);
        read.map(|_: ControlFlow<()>| ()).map_err(|error| self.told(&error))
    }
}
