//! What the database says of segments that went: replaced by a compaction, or removed for good.

use std::path::Path;

use ecs::Millis;
use rusqlite::{Connection, OpenFlags, Row, Transaction, params};

use crate::catalog::{Catalog, SegmentRow, failed, insert_segment};
use crate::day::Day;
use crate::{Reason, Removed, StoreError};

impl Catalog {
    /// Lets some segments count in place of others, or nothing of it.
    pub(crate) fn swap(&self, old: &[SegmentRow], new: &[SegmentRow], now: Millis) -> Result<(), StoreError> {
        self.change(|transaction| {
            for SegmentRow { file, .. } in old {
                delete(transaction, file)?;
                transaction.execute(
                    "INSERT OR REPLACE INTO replaced (file, at_ms) VALUES (?1, ?2)",
                    params![file, now],
                )?;
            }
            new.iter().try_for_each(|it| insert_segment(transaction, it))
        })
    }

    /// The files that were replaced and lie there still, with the time of that.
    pub(crate) fn replaced(&self) -> Result<Vec<(String, Millis)>, StoreError> {
        self.all("SELECT file, at_ms FROM replaced ORDER BY file", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Forgets files that were replaced.
    pub(crate) fn forget_replaced(&self, files: &[String]) -> Result<(), StoreError> {
        self.change(|transaction| {
            for file in files {
                transaction.execute("DELETE FROM replaced WHERE file = ?1", params![file])?;
            }
            Ok(())
        })
    }

    /// Lets segments count no more, and notes what they were.
    pub(crate) fn remove(&self, segments: &[SegmentRow], removed: &[Removed]) -> Result<(), StoreError> {
        self.change(|transaction| {
            for SegmentRow { file, .. } in segments {
                delete(transaction, file)?;
            }
            for Removed { at, day, segments, events, bytes, reason } in removed {
                transaction.execute(
                    "INSERT INTO removed (at_ms, day, segments, events, bytes, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![at, day.0, *segments as i64, *events as i64, *bytes as i64, reason.as_str()],
                )?;
            }
            Ok(())
        })
    }

    /// All that was ever removed, in that order.
    pub(crate) fn removed(&self) -> Result<Vec<Removed>, StoreError> {
        let has = "SELECT name FROM sqlite_schema WHERE name = 'removed'";
        if self.all(has, |_| Ok(()))?.is_empty() {
            // A store of an older format, which nobody has written to since.
            return Ok(Vec::new());
        }
        let all = "SELECT at_ms, day, segments, events, bytes, reason FROM removed ORDER BY id";
        self.all(all, |row| {
            let count = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
            let reason: String = row.get(5)?;
            Ok(Removed {
                at: row.get(0)?,
                day: Day(row.get(1)?),
                segments: count(2)?,
                events: count(3)?,
                bytes: count(4)?,
                reason: Reason::of(&reason).ok_or_else(|| {
                    rusqlite::Error::InvalidColumnType(5, reason, rusqlite::types::Type::Text)
                })?,
            })
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let commit = || {
            let mut connection = self.connection();
            let transaction = connection.transaction()?;
            change(&transaction)?;
            transaction.commit()
        };
        commit().map_err(failed(self.path()))
    }

    fn all<T>(
        &self,
        query: &str,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let ask = || {
            let connection = self.connection();
            connection.prepare(query)?.query_map([], of)?.collect::<Result<Vec<_>, _>>()
        };
        ask().map_err(failed(self.path()))
    }

    /// Writes all that counts now into a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        vacuum(&self.connection(), path).map_err(failed(path))
    }

    /// Opens what [`Catalog::copy_to`] wrote, under whatever name.
    pub(crate) fn open_copy(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, false)
    }

    /// The same as [`Catalog::copy_to`] of a database that is none of ours.
    pub(crate) fn copy_other(from: &Path, to: &Path) -> Result<(), StoreError> {
        let opened = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY);
        opened.and_then(|it| vacuum(&it, to)).map_err(failed(from))
    }
}

fn vacuum(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    connection.execute("VACUUM INTO ?1", params![to.display().to_string()]).map(|_| ())
}

fn delete(transaction: &Transaction<'_>, file: &str) -> rusqlite::Result<()> {
    match transaction.execute("DELETE FROM segments WHERE file = ?1", params![file])? {
        1 => Ok(()),
        _ => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}
