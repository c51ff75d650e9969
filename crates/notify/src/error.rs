//! Why nothing can be said of notifications.

use std::path::PathBuf;

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// There is nothing of notifications in the folder.
    #[error("`{}` knows of no notifications; `trailwarden serve` makes them", path.display())]
    NoOutbox {
        /// The folder.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "notify.db has format {found}, and this version knows formats up to {known}; use a newer version"
    )]
    Newer {
        /// The database's.
        found: i64,
        /// The last that is known.
        known: i64,
    },
    /// The database refused.
    #[error("the database of notifications (`{}`): {source}", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// There is no such delivery.
    #[error("no notification that could not be delivered has the id `{}`, or one that begins so", id.escape_debug())]
    NoDelivery {
        /// What was given.
        id: String,
    },
}

impl NotifyError {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoOutbox { .. } => "NOTE001",
            Self::Newer { .. } => "NOTE002",
            Self::Database { .. } => "NOTE003",
            Self::NoDelivery { .. } => "NOTE004",
        }
    }
}
