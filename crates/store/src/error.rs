//! Why a store cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// What is wrong with a store, or with what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds no store.
    #[error("`{}` holds no store; `trailwarden store add --store DIR PATH…` makes one", path.display())]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error("`{}` is not empty and holds no store; give a folder of its own", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "the store has format {found}, and this version knows formats up to {known}; use a newer version"
    )]
    Newer {
        /// The store's.
        found: i64,
        /// The last that is known.
        known: i64,
    },
    /// Another process changes the store.
    #[error("`{}` is being changed by another process; try again when that is done", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("`{}`: {what}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The database refused.
    #[error("the database of the store (`{}`): {source}", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A segment is not as it was written.
    #[error("`{}` is not as it was written: {detail}", path.display())]
    Damaged {
        /// The segment's file.
        path: PathBuf,
        /// What differs.
        detail: String,
    },
    /// A segment could not be written.
    #[error("`{}` cannot be written: {source}", path.display())]
    Write {
        /// The segment's file.
        path: PathBuf,
        /// What the writer said.
        source: ParquetError,
    },
    /// There is no such dead letter.
    #[error("there is no dead letter {id}")]
    NoLetter {
        /// The number.
        id: u64,
    },
    /// Nothing of a dead letter was kept.
    #[error(
        "nothing of the dead letter {id} was kept, because it was too long or gone; it came from `{name}`"
    )]
    EmptyLetter {
        /// The number.
        id: u64,
        /// Where it came from.
        name: String,
    },
    /// What a dead letter holds is not as it was written.
    #[error("the dead letter {id} is not as it was written")]
    DamagedLetter {
        /// The number.
        id: u64,
    },
}

impl StoreError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStore { .. } => "STORE001",
            Self::Foreign { .. } => "STORE002",
            Self::Newer { .. } => "STORE003",
            Self::Locked { .. } => "STORE004",
            Self::Io { .. } => "STORE005",
            Self::Database { .. } => "STORE006",
            Self::Damaged { .. } => "STORE007",
            Self::Write { .. } => "STORE008",
            Self::NoLetter { .. } => "STORE011",
            Self::EmptyLetter { .. } => "STORE012",
            Self::DamagedLetter { .. } => "STORE013",
        }
    }

    /// What the operating system said when something was tried with a file.
    pub(crate) fn io(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), what, source }
    }

    pub(crate) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.into() }
    }
}
