//! What a store holds, and whether it is whole.

use std::collections::BTreeMap;

use ecs::Millis;

use crate::catalog::SegmentRow;
use crate::{Accounting, Day, Removed, Store, StoreError};

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The format of its database.
    pub format: u32,
    /// The versions of its segments' columns, ascending.
    pub columns: Vec<u32>,
    /// By day.
    pub days: Vec<DayOverview>,
    /// The times of the first and the last event that have one.
    pub span: Option<(Millis, Millis)>,
    /// Events without a time.
    pub undated: u64,
    /// What became of all records that were ever taken in,
    pub accounting: Accounting,
    /// in so many batches
    pub batches: u64,
    /// of so many files.
    pub files: u64,
    /// Days that retention removed.
    pub removed: Vec<Removed>,
}

/// What a store holds of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayOverview {
    /// Which day, as in the name of its folder.
    pub day: String,
    /// Segments.
    pub segments: u64,
    /// Events.
    pub events: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes of the records.
    pub text_bytes: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Segments that were checked.
    pub segments: u64,
    /// Their events.
    pub events: u64,
    /// What is wrong, with codes.
    pub wrong: Vec<String>,
    /// Files of batches that did not end. They count for nothing, and go when something is added.
    pub orphans: Vec<String>,
}

impl Store {
    /// What it holds.
    pub fn overview(&self) -> Result<Overview, StoreError> {
        let rows = self.catalog.segments()?;
        let (accounting, batches, files) = self.catalog.accounting()?;
        let mut days: BTreeMap<(bool, Day), DayOverview> = BTreeMap::new();
        for SegmentRow { day, written, .. } in &rows {
            // What has no day comes last.
            let its = days.entry((day.0.is_none(), *day)).or_insert_with(|| DayOverview {
                day: day.name(),
                segments: 0,
                events: 0,
                bytes: 0,
                text_bytes: 0,
            });
            its.segments += 1;
            its.events += written.rows;
            its.bytes += written.bytes;
            its.text_bytes += written.text_bytes;
        }
        let mut columns: Vec<u32> = rows.iter().map(|it| it.columns).collect();
        columns.sort_unstable();
        columns.dedup();
        let spans = rows.iter().filter_map(|it| it.written.span);
        Ok(Overview {
            format: self.catalog.format()?,
            columns,
            days: days.into_values().collect(),
            span: spans.clone().map(|it| it.0).min().zip(spans.map(|it| it.1).max()),
            undated: rows.iter().map(|it| it.written.undated).sum(),
            accounting,
            batches,
            files,
            removed: self.catalog.removed()?,
        })
    }

    /// Reads every byte of it and says what is not as it was written. `checked` is told of each segment's bytes.
    pub fn check(&self, checked: &dyn Fn(u64)) -> Result<Check, StoreError> {
        let mut check = Check::default();
        for line in self.catalog.verify()? {
            check.wrong.push(format!("STORE006 the database: {line}"));
        }
        let (accounting, ..) = self.catalog.accounting()?;
        let rows = self.catalog.segments()?;
        for row in &rows {
            let segment = self.segment(row);
            if let Err(error) = segment.verify() {
                check.wrong.push(format!("{} {error}", error.code()));
            }
            check.segments += 1;
            check.events += row.written.rows;
            checked(row.written.bytes);
        }
        let Accounting { read, stored, duplicate, unreadable, dropped } = accounting;
        let removed: u64 = self.catalog.removed()?.iter().map(|it| it.events).sum();
        if read != stored + duplicate + unreadable + dropped || stored != check.events + removed {
            check.wrong.push(format!(
                "STORE010 the accounts: {read} records were read, {stored} stored, {duplicate} there already, \
                 {unreadable} unreadable, {dropped} dropped, {removed} removed since, and the segments hold {}",
                check.events
            ));
        }
        check.wrong.extend(self.check_letters()?);
        let inside =
            |it: &std::path::PathBuf| it.strip_prefix(self.folder()).unwrap_or(it).display().to_string();
        check.orphans = self.orphans()?.iter().map(inside).collect();
        Ok(check)
    }
}
