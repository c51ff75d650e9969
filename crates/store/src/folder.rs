//! A store's folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ecs::Millis;
use reader::Input;

use crate::add::taken_file;
use crate::catalog::{self, Catalog, SegmentRow};
use crate::segment::Segment;
use crate::{SourceAccount, StoreError};

pub(crate) const EVENTS: &str = "events";
const INCOMING: &str = "incoming";
pub(crate) const REPLACED: &str = "replaced";
pub(crate) const DAMAGED: &str = "damaged";
const LOCK: &str = "lock";

/// A store.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    pub(crate) catalog: Catalog,
    /// Held by whoever writes.
    lock: Option<File>,
    /// Files of batches that did not end, removed when it was opened to write.
    pub orphans: u64,
}

impl Store {
    /// Opens a store to read.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let catalog = Catalog::open(folder)?;
        let catalog = catalog.ok_or_else(|| StoreError::NoStore { path: folder.to_owned() })?;
        Ok(Self { folder: folder.to_owned(), catalog, lock: None, orphans: 0 })
    }

    /// Opens a store to write; makes one, if the folder is empty or not there. Nobody else can write as long as it is open.
    pub fn open_or_create(folder: &Path) -> Result<Self, StoreError> {
        let io = |what| StoreError::io(folder, what);
        fs::create_dir_all(folder).map_err(io("cannot be made"))?;
        if !folder.join(catalog::FILE).exists() {
            let its = |name: &str| {
                [EVENTS, INCOMING, REPLACED, DAMAGED, LOCK].contains(&name) || name.starts_with(catalog::FILE)
            };
            for entry in fs::read_dir(folder).map_err(io("cannot be read"))? {
                let name = entry.map_err(io("cannot be read"))?.file_name();
                // Of a store that was being made when its maker ended.
                if !its(&name.to_string_lossy()) {
                    return Err(StoreError::Foreign { path: folder.to_owned() });
                }
            }
        }
        let lock = folder.join(LOCK);
        let lock = File::create(&lock).map_err(StoreError::io(&lock, "cannot be made"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io("cannot be locked")(error)),
        }
        for name in [EVENTS, INCOMING, REPLACED] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(StoreError::io(&path, "cannot be made"))?;
        }
        sync_folder(folder)?;
        let catalog = Catalog::open_or_create(folder)?;
        let mut store = Self { folder: folder.to_owned(), catalog, lock: Some(lock), orphans: 0 };
        store.orphans = store.recover()?;
        Ok(store)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Something that differs whenever other segments count: it is asked for more often than they change.
    pub fn version(&self) -> Result<(u64, u64), StoreError> {
        self.catalog.version()
    }

    /// Its segments, as the reader takes them, by day.
    pub fn inputs(&self) -> Result<Vec<Input>, StoreError> {
        let rows = self.catalog.segments()?;
        let input = |row: &SegmentRow| {
            let segment = self.segment(row);
            let last = row.written.span.map(|(_, last)| last).filter(|_| row.written.undated == 0);
            let (path, bytes) = (segment.path.clone(), segment.bytes);
            Input::stored(Arc::new(segment), path, bytes, last)
        };
        Ok(rows.iter().map(input).collect())
    }

    /// The time of taking in that a batch of now has. Every batch has a later one than the one before it, whatever the clock
    /// says, so that a time says exactly which events were there.
    pub(crate) fn ingestion_time(&self, now: Millis) -> Result<Millis, StoreError> {
        Ok(self.catalog.last_batch()?.map_or(now, |last| now.max(last + 1)))
    }

    /// Whether a file was taken in as it is. What is no file never was.
    pub fn has_taken(&self, input: &Input) -> Result<bool, StoreError> {
        taken_file(input).map_or(Ok(false), |it| self.catalog.has_taken(&it))
    }

    /// What became of everything that sources delivered, a source each, by name.
    pub fn sources(&self) -> Result<Vec<SourceAccount>, StoreError> {
        self.catalog.sources()
    }

    pub(crate) fn segment(&self, row: &SegmentRow) -> Segment {
        Segment {
            path: self.folder.join(&row.file),
            spare: self.spare(&row.file),
            bytes: row.written.bytes,
            rows: row.written.rows,
            columns: row.columns,
            checksums: row.written.checksums.clone(),
            metadata: OnceLock::new(),
        }
    }

    /// Files that no row names.
    pub(crate) fn orphans(&self) -> Result<Vec<PathBuf>, StoreError> {
        let rows = self.catalog.segments()?;
        let named: Vec<PathBuf> = rows.iter().map(|it| self.folder.join(&it.file)).collect();
        let mut files = Vec::new();
        walk(&self.folder.join(INCOMING), &mut files)?;
        walk(&self.folder.join(EVENTS), &mut files)?;
        files.retain(|it| !named.contains(it));
        files.sort_unstable();
        Ok(files)
    }

    /// Where a segment is written before it has its place.
    pub(crate) fn incoming(&self, number: u64) -> PathBuf {
        self.folder.join(INCOMING).join(format!("{number:010}.parquet"))
    }

    /// Gives a synced file its place, which is named as in its row, for good.
    pub(crate) fn place(&self, incoming: &Path, file: &str) -> Result<(), StoreError> {
        let path = self.folder.join(file);
        let day = path.parent().unwrap_or(&self.folder);
        if !day.exists() {
            fs::create_dir_all(day).map_err(StoreError::io(day, "cannot be made"))?;
            sync_folder(&self.folder.join(EVENTS))?;
        }
        fs::rename(incoming, &path).map_err(StoreError::io(&path, "cannot be moved there"))?;
        sync_folder(day)
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.lock.is_some()
    }
}

/// The name of a segment's file within the store.
pub(crate) fn file_name(day: crate::Day, number: u64) -> String {
    format!("{EVENTS}/{}/{number:010}.parquet", day.folder())
}

/// Sees to it that what was made, moved or removed in a folder stays so.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let synced = File::open(path).and_then(|it| it.sync_all());
        synced.map_err(StoreError::io(path, "cannot be synced"))?;
    }
    Ok(())
}

pub(crate) fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(StoreError::io(folder, "cannot be read"))? {
        let entry = entry.map_err(StoreError::io(folder, "cannot be read"))?;
        let kind = entry.file_type().map_err(StoreError::io(folder, "cannot be read"))?;
        if kind.is_dir() { walk(&entry.path(), files)? } else { files.push(entry.path()) }
    }
    Ok(())
}
