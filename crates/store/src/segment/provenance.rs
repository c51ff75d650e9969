//! Where a segment's events come from: when they were ingested, and the how manieth delivery each is.

use ecs::Millis;
use parquet::data_type::{DataType, Int32Type, Int64Type};

use super::read::{Opened, Segment};
use super::schema::{DELIVERY, INGESTED};
use crate::StoreError;

impl Segment {
    /// Of each event, in order, when it was ingested and its delivery.
    pub(crate) fn provenance(&self) -> Result<Vec<(Millis, i32)>, StoreError> {
        let mut opened = self.open()?;
        let mut all = Vec::with_capacity(self.rows as usize);
        for group in 0..opened.groups() {
            let ingested = opened.whole::<Int64Type>(group, INGESTED)?;
            let deliveries = opened.whole::<Int32Type>(group, DELIVERY)?;
            all.extend(ingested.into_iter().zip(deliveries));
        }
        Ok(all)
    }
}

impl Opened<'_> {
    /// A column that has a value in each row, and no texts.
    fn whole<T: DataType>(&mut self, group: usize, column: usize) -> Result<Vec<T::T>, StoreError> {
        let rows = self.metadata.row_group(group).num_rows() as usize;
        let mut values = Vec::with_capacity(rows);
        let mut reader = self.column::<T>(group, column)?;
        reader.read_records(rows, None, None, &mut values).map_err(|error| self.segment.decoding(&error))?;
        if values.len() == rows { Ok(values) } else { Err(self.segment.damaged("a column ends early")) }
    }
}
