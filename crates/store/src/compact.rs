//! Many small segments of a day made one.
//!
//! The records of some segments go through the pass once more and are written as one segment, with the columns of today's
//! version, and with the times of ingestion and the numbers of deliveries that they had. Which segments go together is told by
//! their sizes: [`TIER_SEGMENTS`] of about the same size make one of the next, so that a record is written a few times,
//! however often something is added.
//!
//! **Never twice, never lost.** The old files leave `events/` for `replaced/`, the new one comes, then one transaction swaps
//! their rows. Whoever reads the folder without the database may see fewer events for a moment, and never one twice. Whoever
//! reads with the database finds the old files in either place. A process that is killed between leaves rows whose files are
//! in `replaced/`: whoever opens the store to write next puts them back. What was replaced goes after [`REPLACED_KEPT_MS`], so
//! that hunts which are reading it come to their end.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use ecs::{Millis, Origin};
use reader::{RecordKind, StoredRecord};
use sift::{DocumentBuilder, Kind, Record, Sift};

use crate::add::{UNDATED, everything};
use crate::catalog::SegmentRow;
use crate::fresh::{Fresh, FreshRow, write_incoming};
use crate::piece::{Piece, Pieces};
use crate::segment::{Effort, Row as _};
use crate::{Day, Store, StoreError, column};

/// Bytes of records that a segment comes to, about: those of one compaction are held in memory.
pub(crate) const SEGMENT_TEXT_BYTES: u64 = 256 << 20;
/// A segment of more than this share of it is left as it is.
const LEFT_ALONE: u64 = SEGMENT_TEXT_BYTES / 2;
/// So many segments of a day that are of about the same size become one.
const TIER_SEGMENTS: usize = 8;
/// Sizes are about the same within this factor.
const TIER_FACTOR: u64 = 8;
/// Up to so many bytes of records all segments are small.
const TIER_BYTES_MIN: u64 = 1 << 20;
/// So long what was replaced is kept for whoever reads it.
pub(crate) const REPLACED_KEPT_MS: Millis = 3_600_000;

/// How much is made of a day's segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compaction {
    /// What pays: where there are many small ones.
    Usual,
    /// As few segments as there can be, all with the columns of this version.
    Full,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Segments that were replaced,
    pub segments_before: u64,
    /// and by how many.
    pub segments_after: u64,
    /// Their bytes,
    pub bytes_before: u64,
    /// and those of the new ones.
    pub bytes_after: u64,
    /// Events in them.
    pub events: u64,
}

/// Makes few segments of many, day by day. What was done before an error stays.
pub fn compact(
    store: &mut Store,
    compaction: Compaction,
    now: Millis,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Compacted, StoreError> {
    debug_assert!(store.is_writable(), "it was opened to write");
    store.purge_replaced(now)?;
    let mut days: BTreeMap<Day, Vec<SegmentRow>> = BTreeMap::new();
    for row in store.catalog.segments()? {
        days.entry(row.day).or_default().push(row);
    }
    let (sift, mut all) = (everything(), Compacted::default());
    for (day, rows) in days {
        for group in plan(rows, compaction) {
            let old_bytes: u64 = group.iter().map(|it| it.written.bytes).sum();
            let new = merge(store, &sift, day, &group, now)?;
            all.segments_before += group.len() as u64;
            all.segments_after += 1;
            all.bytes_before += old_bytes;
            all.bytes_after += new.written.bytes;
            all.events += new.written.rows;
            progress(old_bytes);
        }
    }
    store.catalog.settle()?;
    Ok(all)
}

/// Whether a segment of so many bytes of records is left as it is.
pub(crate) fn is_lasting(text_bytes: u64) -> bool {
    text_bytes > LEFT_ALONE
}

/// The class of a size.
fn tier(text_bytes: u64) -> u32 {
    let mut tier = 0;
    let mut most = TIER_BYTES_MIN;
    while text_bytes > most {
        most *= TIER_FACTOR;
        tier += 1;
    }
    tier
}

/// Which segments of a day become one. They are in the order in which they were written.
fn plan(rows: Vec<SegmentRow>, compaction: Compaction) -> Vec<Vec<SegmentRow>> {
    let is_old = |it: &SegmentRow| it.columns != column::VERSION;
    let mut classes: BTreeMap<u32, Vec<SegmentRow>> = BTreeMap::new();
    for row in rows {
        let class = match compaction {
            Compaction::Usual => tier(row.written.text_bytes),
            Compaction::Full => 0,
        };
        if !is_lasting(row.written.text_bytes) || compaction == Compaction::Full && is_old(&row) {
            classes.entry(class).or_default().push(row);
        }
    }
    let mut groups: Vec<Vec<SegmentRow>> = Vec::new();
    for rows in classes.into_values() {
        if compaction == Compaction::Usual && rows.len() < TIER_SEGMENTS {
            continue;
        }
        let (mut group, mut bytes): (Vec<SegmentRow>, u64) = (Vec::new(), 0);
        for row in rows {
            let its = row.written.text_bytes;
            if !group.is_empty() && bytes + its > SEGMENT_TEXT_BYTES {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += its;
            group.push(row);
        }
        groups.push(group);
    }
    // One alone is as good as it can be, unless its columns are old.
    groups.retain(|it| it.len() > 1 || compaction == Compaction::Full && it.iter().any(is_old));
    groups
}

/// Makes one segment of some.
fn merge(
    store: &mut Store,
    sift: &Sift,
    day: Day,
    group: &[SegmentRow],
    now: Millis,
) -> Result<SegmentRow, StoreError> {
    let mut pieces = Pieces { undated: UNDATED, taken: Vec::new(), bytes: 0 };
    let mut builder = DocumentBuilder::new(&column::normaliser(), UNDATED);
    let mut worker = sift.worker();
    // Of each segment when its events were ingested, and which deliveries they are.
    let mut before: Vec<Vec<(Millis, i32)>> = Vec::with_capacity(group.len());
    for (input, row) in group.iter().enumerate() {
        let segment = store.segment(row);
        before.push(segment.provenance()?);
        segment.records(None, &mut |it| {
            let StoredRecord { ordinal, kind, id, index, text } = it;
            let kind = if kind == RecordKind::CloudTrail { Kind::CloudTrail } else { Kind::Document };
            let origin = Origin { input: input as u32, ordinal };
            let record = Record { origin, kind, id, index, text, tokens: None };
            if worker.push(&record, &mut pieces).is_err()
                // It was kept although it cannot be read: so it is now.
                && let Ok(it) = builder.build(&record)
            {
                pieces.push(Piece::of_unread(&it.id, &it.index, kind, origin, text));
            }
            ControlFlow::Continue(())
        })?;
    }
    worker.flush(&mut pieces);
    let of = |origin: Origin| {
        let its = before.get(origin.input as usize)?;
        its.get(usize::try_from(origin.ordinal).ok()?).copied()
    };
    let mut rows: Vec<FreshRow<'_>> = Vec::new();
    for (number, piece) in pieces.taken.iter().enumerate() {
        for row in 0..piece.rows.len() {
            let (ingested, delivery) = of(piece.rows[row].origin)
                .ok_or_else(|| lost(store, group, "an event comes from nowhere"))?;
            let at = Fresh { piece: number as u32, row: row as u32, delivery: delivery as u32 };
            rows.push(FreshRow { piece, at, ingested });
        }
    }
    let expected: u64 = group.iter().map(|it| it.written.rows).sum();
    if rows.len() as u64 != expected {
        return Err(lost(store, group, &format!("{} of {expected} events are left", rows.len())));
    }
    rows.sort_by(|a, b| (a.time(), a.id(), a.delivery()).cmp(&(b.time(), b.id(), b.delivery())));
    let number = store.catalog.next_segment()?;
    let (incoming, new) = write_incoming(store, day, number, &rows, Effort::Lasting)?;
    let swapped = store.make_way(group).and_then(|()| {
        store.place(&incoming, &new.file)?;
        store.catalog.swap(group, std::slice::from_ref(&new), now)
    });
    if swapped.is_err() {
        // As if it had been killed there. What is wrong is told in any case.
        store.recover()?;
    }
    swapped.map(|()| new)
}

fn lost(store: &Store, group: &[SegmentRow], what: &str) -> StoreError {
    let path = group.first().map(|it| store.folder().join(&it.file)).unwrap_or_default();
    StoreError::damaged(&path, format!("it cannot be compacted: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{Checksums, Written};

    fn row(number: u64, text_bytes: u64, columns: u32) -> SegmentRow {
        let checksums = Checksums { metadata_at: 0, metadata: 0, chunks: Vec::new(), file: 0 };
        let written = Written { rows: 1, bytes: 1, text_bytes, span: None, undated: 0, checksums };
        SegmentRow { day: Day(Some(1)), file: number.to_string(), columns, written }
    }

    fn planned(sizes: &[u64], compaction: Compaction) -> Vec<Vec<String>> {
        let rows = sizes.iter().zip(0..).map(|(&size, at)| row(at, size, column::VERSION)).collect();
        let names = |group: Vec<SegmentRow>| group.into_iter().map(|it| it.file).collect();
        plan(rows, compaction).into_iter().map(names).collect()
    }

    #[test]
    fn what_is_of_one_size_goes_together() {
        let usual = |sizes: &[u64]| planned(sizes, Compaction::Usual);
        let (small, middle) = (100, 5 << 20);
        assert_eq!(usual(&[small; 7]), Vec::<Vec<String>>::new());
        assert_eq!(usual(&[small; 9]).concat().len(), 9);
        let mixed = [&[middle][..], &[small; 7], &[middle; 3]].concat();
        assert_eq!(usual(&mixed), Vec::<Vec<String>>::new(), "of no size there are many");
        assert_eq!(planned(&mixed, Compaction::Full).concat().len(), 11);
        assert_eq!(planned(&[LEFT_ALONE + 1, LEFT_ALONE + 1], Compaction::Full), Vec::<Vec<String>>::new());
        let big = planned(&[LEFT_ALONE; 5], Compaction::Full);
        assert_eq!(big, [["0", "1"], ["2", "3"]], "one is left over");
    }

    #[test]
    fn a_record_is_written_a_few_times() {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut written, mut fed) = (0, 0);
        for _ in 0..4_096 {
            sizes.push(100 << 10);
            fed += 100 << 10;
            for group in planned(&sizes, Compaction::Usual) {
                let at: Vec<usize> = group.iter().map(|it| it.parse().unwrap()).collect();
                let sum = at.iter().map(|&it| sizes[it]).sum();
                written += sum;
                sizes =
                    sizes.iter().enumerate().filter(|(it, _)| !at.contains(it)).map(|(_, it)| *it).collect();
                sizes.push(sum);
            }
        }
        assert!(written < 5 * fed, "{} times", written / fed);
        assert!(sizes.len() < 30, "{sizes:?}");
        assert_eq!(sizes.iter().sum::<u64>(), fed);
    }

    #[test]
    fn old_columns_are_made_anew() {
        let rows = vec![row(0, LEFT_ALONE + 1, 1), row(1, LEFT_ALONE + 1, column::VERSION)];
        assert_eq!(plan(rows.clone(), Compaction::Usual).len(), 0);
        let full = plan(rows, Compaction::Full);
        assert_eq!((full.len(), full[0].len(), &*full[0][0].file), (1, 1, "0"));
    }
}
