//! Retention: days that are over go, and it is noted what went.

use std::collections::BTreeMap;

use ecs::Millis;

use crate::catalog::SegmentRow;
use crate::day::DAY_MS;
use crate::{Day, Store, StoreError};

/// What may stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Days that ended before this time go.
    pub since: Option<Millis>,
    /// The oldest days go until segments have no more bytes than this. Events without a day stay, and so does the last day.
    pub max_bytes: Option<u64>,
}

/// Why a day went, or a segment of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was too old.
    Age,
    /// The store was too large.
    Size,
    /// A segment was not as it was written.
    Damage,
}

impl Reason {
    /// As it is noted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Size => "size",
            Self::Damage => "damage",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Age, Self::Size, Self::Damage].into_iter().find(|it| it.as_str() == text)
    }
}

/// A day that went, or segments of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// When.
    pub at: Millis,
    /// Which.
    pub day: Day,
    /// Its segments,
    pub segments: u64,
    /// their events
    pub events: u64,
    /// and bytes.
    pub bytes: u64,
    /// Why.
    pub reason: Reason,
}

/// What retention came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The days that went, or would, the oldest first.
    pub removed: Vec<Removed>,
    /// Bytes of segments that are left.
    pub bytes: u64,
}

/// Removes what may not stay; says what that is, and only says so if `is_trial`. It counts no more once this returns, or
/// once an error tells that a file could not be removed: that is tried again by whoever writes next.
pub fn prune(
    store: &mut Store,
    retention: Retention,
    is_trial: bool,
    now: Millis,
) -> Result<Pruned, StoreError> {
    debug_assert!(store.is_writable(), "it was opened to write");
    let mut days: BTreeMap<Day, Vec<SegmentRow>> = BTreeMap::new();
    for row in store.catalog.segments()? {
        days.entry(row.day).or_default().push(row);
    }
    let sizes: Vec<(Day, u64)> = days.iter().map(|(day, rows)| (*day, bytes(rows))).collect();
    let going = plan(&sizes, retention);
    let mut removed = Vec::new();
    for (day, reason) in going {
        let rows = days.remove(&day).unwrap_or_default();
        let its = Removed {
            at: now,
            day,
            segments: rows.len() as u64,
            events: rows.iter().map(|it| it.written.rows).sum(),
            bytes: bytes(&rows),
            reason,
        };
        if !is_trial {
            store.catalog.remove(&rows, &[its])?;
            store.remove_files(&rows)?;
        }
        removed.push(its);
    }
    if !is_trial {
        store.purge_replaced(now)?;
        store.catalog.settle()?;
    }
    Ok(Pruned { removed, bytes: days.values().map(|it| bytes(it)).sum() })
}

fn bytes(rows: &[SegmentRow]) -> u64 {
    rows.iter().map(|it| it.written.bytes).sum()
}

/// Which days go, and why, the oldest first. `days` ascend; events without a day come first, and stay.
fn plan(days: &[(Day, u64)], retention: Retention) -> Vec<(Day, Reason)> {
    let Retention { since, max_bytes } = retention;
    let mut left: u64 = days.iter().map(|it| it.1).sum();
    let last = days.last().map(|it| it.0);
    let mut going = Vec::new();
    for &(day, bytes) in days {
        let Day(Some(number)) = day else { continue };
        let end = (number + 1) * DAY_MS;
        let reason = if since.is_some_and(|since| end <= since) {
            Reason::Age
        } else if max_bytes.is_some_and(|most| left > most) && Some(day) != last {
            Reason::Size
        } else {
            continue;
        };
        left -= bytes;
        going.push((day, reason));
    }
    going
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(
        days: &[(Option<i64>, u64)],
        since: Option<Millis>,
        max_bytes: Option<u64>,
    ) -> Vec<(i64, Reason)> {
        let days: Vec<(Day, u64)> = days.iter().map(|&(day, bytes)| (Day(day), bytes)).collect();
        let going = plan(&days, Retention { since, max_bytes });
        going.into_iter().map(|(day, reason)| (day.0.unwrap(), reason)).collect()
    }

    #[test]
    fn whole_days_go_the_oldest_first() {
        let days = [(None, 5), (Some(10), 30), (Some(11), 10), (Some(12), 20)];
        let at = |day: i64| Some(day * DAY_MS);
        assert_eq!(planned(&days, at(11), None), [(10, Reason::Age)]);
        assert_eq!(planned(&days, Some(11 * DAY_MS - 1), None), [], "its last millisecond is young enough");
        assert_eq!(planned(&days, at(99), None).len(), 3, "whatever has no day stays");
        assert_eq!(planned(&days, None, Some(65)), []);
        assert_eq!(planned(&days, None, Some(64)), [(10, Reason::Size)]);
        assert_eq!(planned(&days, None, Some(0)), [(10, Reason::Size), (11, Reason::Size)], "the last stays");
        assert_eq!(planned(&days, at(11), Some(30)), [(10, Reason::Age), (11, Reason::Size)]);
        assert_eq!(planned(&[], at(11), Some(0)), []);
    }
}
