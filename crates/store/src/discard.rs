//! Segments that are not as they were written are set aside, so that the rest can be used.

use std::fs;
use std::path::PathBuf;

use ecs::Millis;

use crate::folder::{DAMAGED, sync_folder};
use crate::{Reason, Removed, Store, StoreError};

/// A segment that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// What the store notes of it.
    pub removed: Removed,
    /// What is wrong with it, with a code.
    pub wrong: String,
    /// Where its file lies now; nothing if there was none.
    pub file: Option<PathBuf>,
}

/// Reads every segment, and lets those that are not as they were written count no more. Their files are kept in `damaged/`,
/// and the store notes what went. `checked` is told of each segment's bytes.
pub fn discard(store: &mut Store, now: Millis, checked: &dyn Fn(u64)) -> Result<Vec<Discarded>, StoreError> {
    debug_assert!(store.is_writable(), "it was opened to write");
    let mut all = Vec::new();
    for row in store.catalog.segments()? {
        let verified = store.segment(&row).verify();
        checked(row.written.bytes);
        let Err(error) = verified else { continue };
        // The file first: if this ends in between, it is a segment without a file, and goes the next time.
        let from = store.folder().join(&row.file);
        let file = if from.exists() {
            let folder = store.folder().join(DAMAGED);
            fs::create_dir_all(&folder).map_err(StoreError::io(&folder, "cannot be made"))?;
            let to = folder.join(from.file_name().unwrap_or_default());
            fs::rename(&from, &to).map_err(StoreError::io(&from, "cannot be moved"))?;
            sync_folder(&folder)?;
            Some(to)
        } else {
            None
        };
        let removed = Removed {
            at: now,
            day: row.day,
            segments: 1,
            events: row.written.rows,
            bytes: row.written.bytes,
            reason: Reason::Damage,
        };
        store.catalog.remove(std::slice::from_ref(&row), &[removed])?;
        all.push(Discarded { removed, wrong: format!("{} {error}", error.code()), file });
    }
    store.catalog.settle()?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use reader::Input;

    use super::*;
    use crate::{Delivery, Ingest, IngestOptions};

    #[test]
    fn what_is_damaged_is_set_aside_and_the_rest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let limits = reader::Limits::default();
        let letters = crate::LetterLimits::default();
        let engine = "test".to_owned();
        let options = IngestOptions { limits, threads: 1, batch_bytes: 1 << 20, engine, letters };
        let mut ingest = Ingest::open(folder.path(), options).unwrap();
        for day in 1..=3 {
            let text = format!(
                "{{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-0{day}T10:00:00Z\",\"eventID\":\"{day}\"}}\n"
            );
            let input = Input::memory(0, "test", Arc::new(text.into_bytes()));
            ingest.take(&[Delivery::new("test", input)], 1_772_500_000_000).unwrap();
        }
        let files: Vec<PathBuf> =
            ingest.store().inputs().unwrap().iter().map(|it| it.path().to_owned()).collect();
        ingest.close().unwrap();
        let mut bytes = fs::read(&files[0]).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&files[0], &bytes).unwrap();
        fs::remove_file(&files[1]).unwrap();
        let mut store = Store::open_or_create(folder.path()).unwrap();
        assert_eq!(store.check(&|_| ()).unwrap().wrong.len(), 2);
        let all = discard(&mut store, 1_772_600_000_000, &|_| ()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(fs::read(all[0].file.as_ref().unwrap()).unwrap(), bytes, "it is kept");
        assert_eq!(all[1].file, None);
        let check = store.check(&|_| ()).unwrap();
        assert_eq!((check.wrong, check.orphans, check.events), (Vec::new(), Vec::new(), 1));
        assert_eq!(store.overview().unwrap().removed.len(), 2);
        assert!(discard(&mut store, 1_772_600_000_000, &|_| ()).unwrap().is_empty());
    }
}
