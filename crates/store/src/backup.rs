//! A store copied while somebody adds to it.
//!
//! The database is copied as it is at one moment; the segments that it names never change. They are linked, where the copy
//! lies on the same disk, or copied. One that a retention removed meanwhile begins it anew. The database gets its name last,
//! so that a copy that was stopped is no store.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::catalog::{self, Catalog, SegmentRow};
use crate::folder::sync_folder;
use crate::{Store, StoreError};

/// What else a process keeps beside the store's database, each a database of its own. Whom alerts were told to is copied before
/// the alerts: an alert in between is told once more after a restore, and would not be told at all the other way round.
const BESIDE: [&str; 2] = ["notify.db", "live.db"];
/// How often it is begun, if segments vanish.
const TRIES: usize = 5;

/// How segments are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// One file in both places, where that is possible: no byte is written, and what damages it damages both.
    Linked,
    /// A file of its own.
    Apart,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Segments,
    pub segments: u64,
    /// their events
    pub events: u64,
    /// and bytes.
    pub bytes: u64,
    /// Segments that are one file in both places.
    pub linked: u64,
}

/// Copies a store into a folder that is empty or not there, for good.
pub fn copy(
    store: &Store,
    into: &Path,
    copying: Copying,
    progress: &dyn Fn(u64),
) -> Result<Copied, StoreError> {
    let io = |what| StoreError::io(into, what);
    fs::create_dir_all(into).map_err(io("cannot be made"))?;
    if fs::read_dir(into).map_err(io("cannot be read"))?.next().is_some() {
        return Err(StoreError::Foreign { path: into.to_owned() });
    }
    let mut tried = 0;
    loop {
        tried += 1;
        match attempt(store, into, copying, progress) {
            // It was removed after the database was copied: the next copy does not name it.
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound && tried < TRIES => {}
            ended => return ended,
        }
    }
}

fn attempt(
    store: &Store,
    into: &Path,
    copying: Copying,
    progress: &dyn Fn(u64),
) -> Result<Copied, StoreError> {
    let partial = partial(into, catalog::FILE);
    remove(&partial)?;
    store.catalog.copy_to(&partial)?;
    let rows = Catalog::open_copy(&partial)?.segments()?;
    let mut copied = Copied::default();
    for row in &rows {
        copied.linked += u64::from(segment(store, into, row, copying)?);
        copied.segments += 1;
        copied.events += row.written.rows;
        copied.bytes += row.written.bytes;
        progress(row.written.bytes);
    }
    for name in BESIDE {
        let path = store.folder().join(name);
        if path.is_file() {
            let its = self::partial(into, name);
            remove(&its)?;
            Catalog::copy_other(&path, &its)?;
            settle(&its, &into.join(name))?;
        }
    }
    settle(&partial, &into.join(catalog::FILE))?;
    sync_folder(into)?;
    Ok(copied)
}

fn partial(into: &Path, name: &str) -> PathBuf {
    into.join(format!("{name}.partial"))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io(path, "cannot be removed")(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives what was written its name, for good.
fn settle(from: &Path, to: &Path) -> Result<(), StoreError> {
    let synced = File::open(from).and_then(|it| it.sync_all());
    synced.map_err(StoreError::io(from, "cannot be synced"))?;
    fs::rename(from, to).map_err(StoreError::io(to, "cannot be moved there"))
}

/// Copies a segment, unless it is there already; says whether it was linked.
fn segment(store: &Store, into: &Path, row: &SegmentRow, copying: Copying) -> Result<bool, StoreError> {
    let (from, spare, to) = (store.folder().join(&row.file), store.spare(&row.file), into.join(&row.file));
    if to.exists() {
        return Ok(copying == Copying::Linked);
    }
    let day = to.parent().unwrap_or(into);
    fs::create_dir_all(day).map_err(StoreError::io(day, "cannot be made"))?;
    let from = if from.exists() { from } else { spare };
    if copying == Copying::Linked && fs::hard_link(&from, &to).is_ok() {
        sync_folder(day)?;
        return Ok(true);
    }
    let partial = to.with_extension("partial");
    fs::copy(&from, &partial).map_err(StoreError::io(&from, "cannot be copied"))?;
    settle(&partial, &to)?;
    sync_folder(day)?;
    Ok(false)
}
