//! Where events come from.

use std::path::Path;

use reader::Input;
use store::Store;

use crate::LiveError;

/// A segment of events that counts.
#[derive(Clone, Debug)]
pub struct CountedSegment {
    /// What tells it from all others that ever counted.
    pub name: String,
    /// The segment.
    pub input: Input,
}

/// Events that are kept: a store, or what stands for one.
pub trait Events: Send {
    /// Something that differs whenever other segments count.
    fn version(&self) -> Result<(u64, u64), LiveError>;

    /// The segments that count, in the order in which they were written.
    fn segments(&self) -> Result<Vec<CountedSegment>, LiveError>;
}

/// The events of a store, which somebody else may be adding to.
#[derive(Debug)]
pub struct StoredEvents(Store);

impl StoredEvents {
    /// Opens a store to read.
    pub fn open(folder: &Path) -> Result<Self, LiveError> {
        Ok(Self(Store::open(folder)?))
    }
}

impl Events for StoredEvents {
    fn version(&self) -> Result<(u64, u64), LiveError> {
        Ok(self.0.version()?)
    }

    fn segments(&self) -> Result<Vec<CountedSegment>, LiveError> {
        let counted = |input: Input| CountedSegment { name: input.name().to_owned(), input };
        let mut all: Vec<CountedSegment> = self.0.inputs()?.into_iter().map(counted).collect();
        // A segment's file is called by its number.
        let number = |it: &CountedSegment| it.input.path().file_name().map(std::ffi::OsStr::to_owned);
        all.sort_by_key(number);
        Ok(all)
    }
}
