//! Files of segments on their way out: `replaced/` keeps them for whoever still reads them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ecs::Millis;

use crate::catalog::SegmentRow;
use crate::compact::REPLACED_KEPT_MS;
use crate::folder::{EVENTS, REPLACED, sync_folder, walk};
use crate::{Store, StoreError};

impl Store {
    /// Where a segment's file lies once it was replaced.
    pub(crate) fn spare(&self, file: &str) -> PathBuf {
        let name = file.rsplit('/').next().unwrap_or(file);
        self.folder().join(REPLACED).join(name)
    }

    /// Moves the files of segments out of the way of what replaces them.
    pub(crate) fn make_way(&self, group: &[SegmentRow]) -> Result<(), StoreError> {
        for SegmentRow { file, .. } in group {
            let path = self.folder().join(file);
            fs::rename(&path, self.spare(file)).map_err(StoreError::io(&path, "cannot be moved"))?;
        }
        sync_folder(&self.folder().join(REPLACED))?;
        // They leave their days before anything else comes there, whatever happens to the machine.
        let days: BTreeSet<PathBuf> =
            group.iter().filter_map(|it| Some(self.folder().join(&it.file).parent()?.to_owned())).collect();
        days.iter().try_for_each(|it| sync_folder(it))
    }

    /// Brings the folder to what the database says: what no row names goes, what was to be replaced comes back. Says how
    /// many files went.
    pub(crate) fn recover(&self) -> Result<u64, StoreError> {
        let orphans = self.orphans()?;
        for orphan in &orphans {
            fs::remove_file(orphan).map_err(StoreError::io(orphan, "cannot be removed"))?;
        }
        let rows = self.catalog.segments()?;
        for SegmentRow { file, .. } in &rows {
            let (path, spare) = (self.folder().join(file), self.spare(file));
            if !path.exists() && spare.exists() {
                fs::rename(&spare, &path).map_err(StoreError::io(&spare, "cannot be moved back"))?;
                path.parent().map_or(Ok(()), sync_folder)?;
            }
        }
        let replaced: BTreeSet<PathBuf> =
            self.catalog.replaced()?.into_iter().map(|(file, _)| self.spare(&file)).collect();
        let mut files = Vec::new();
        walk(&self.folder().join(REPLACED), &mut files)?;
        for file in files.iter().filter(|it| !replaced.contains(*it)) {
            fs::remove_file(file).map_err(StoreError::io(file, "cannot be removed"))?;
        }
        Ok(orphans.len() as u64)
    }

    /// Removes what was replaced so long ago that nobody reads it any more.
    pub(crate) fn purge_replaced(&self, now: Millis) -> Result<(), StoreError> {
        let all = self.catalog.replaced()?;
        // A clock that was set back must not keep them for long.
        let is_done = |at: Millis| !(at..at.saturating_add(REPLACED_KEPT_MS)).contains(&now);
        let done: Vec<String> = all.into_iter().filter(|it| is_done(it.1)).map(|(file, _)| file).collect();
        for file in &done {
            let path = self.spare(file);
            if path.exists() {
                fs::remove_file(&path).map_err(StoreError::io(&path, "cannot be removed"))?;
            }
        }
        if done.is_empty() { Ok(()) } else { self.catalog.forget_replaced(&done) }
    }

    /// Removes the files of segments that count no more, and the folders of days that are empty then.
    pub(crate) fn remove_files(&self, segments: &[SegmentRow]) -> Result<(), StoreError> {
        let mut days: BTreeSet<PathBuf> = BTreeSet::new();
        for SegmentRow { file, .. } in segments {
            let path = self.folder().join(file);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io(&path, "cannot be removed")(error));
                }
                Ok(()) | Err(_) => {}
            }
            days.extend(path.parent().map(PathBuf::from));
        }
        for day in days {
            // It stays if something is in it.
            _ = fs::remove_dir(&day);
        }
        sync_folder(&self.folder().join(EVENTS))
    }
}
