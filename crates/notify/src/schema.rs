//! The database's tables, and how they came to be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::NotifyError;

/// The database's file.
pub(crate) const FILE: &str = "notify.db";

/// How the database came to be, step by step: its format is how many of them were taken. A step is never changed, once it is
/// in a release; a change is another step.
///
/// * `cursors`: how far the book of alerts was read. They are committed with what was made of it.
/// * `receivers`: what was counted; `failures` in a row since `failing_ms`, and until `not_before_ms` it is left alone.
/// * `windows`: throttles that are open. What comes meanwhile is held: an item without a delivery.
/// * `deliveries`: messages, in the order in which a receiver gets them. `state`: 0 waits, 1 could not be delivered, 2 sent.
/// * `items`: what they tell of. Alerts are read from their book when they are told; what is here is enough without it.
/// * `told`: alerts that a receiver was told of, of those that are told of their end, too.
/// * `conditions`: what is not well, so that it is told once, and once when it is over.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE receivers (
        name TEXT PRIMARY KEY,
        sent INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        left_out INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        failing_ms INTEGER,
        not_before_ms INTEGER,
        sent_ms INTEGER,
        error TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE windows (
        receiver TEXT NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        ends_ms INTEGER NOT NULL,
        throttle_ms INTEGER NOT NULL,
        what INTEGER NOT NULL,
        params TEXT,
        PRIMARY KEY (receiver, route, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deliveries (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        receiver TEXT NOT NULL,
        route TEXT NOT NULL,
        what INTEGER NOT NULL,
        params TEXT,
        made_ms INTEGER NOT NULL,
        state INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        refusals INTEGER NOT NULL DEFAULT 0,
        ended_ms INTEGER,
        error TEXT
    ) STRICT;
    CREATE INDEX deliveries_by_state ON deliveries (state, receiver, number);
    CREATE TABLE items (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        delivery INTEGER REFERENCES deliveries (number),
        receiver TEXT NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        alert TEXT,
        rule_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        severity TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        line TEXT NOT NULL
    ) STRICT;
    CREATE INDEX items_by_delivery ON items (delivery);
    CREATE INDEX items_held ON items (receiver, route, key) WHERE delivery IS NULL;
    CREATE TABLE told (
        alert TEXT NOT NULL,
        receiver TEXT NOT NULL,
        PRIMARY KEY (alert, receiver)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE conditions (key TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
"];

/// How long somebody waits for another who writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

impl Database {
    /// Opens the one in a folder; makes one, if that is asked for.
    pub(crate) fn open(folder: &Path, makes: bool, is_durable: bool) -> Result<Self, NotifyError> {
        let path = folder.join(FILE);
        if !makes && !path.is_file() {
            return Err(NotifyError::NoOutbox { path: folder.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let flags = if makes { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
        let failed = |source| NotifyError::Database { path: path.clone(), source };
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, found))
        };
        let (mut connection, found) = open().map_err(failed)?;
        let known = MIGRATIONS.len() as i64;
        if !(0..=known).contains(&found) {
            return Err(NotifyError::Newer { found, known });
        }
        let mut migrate = || -> rusqlite::Result<()> {
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", if is_durable { "full" } else { "off" })?;
            if found < known {
                let behavior = rusqlite::TransactionBehavior::Immediate;
                let transaction = connection.transaction_with_behavior(behavior)?;
                // Somebody else may have come first.
                let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
                for step in &MIGRATIONS[(found.clamp(0, known)) as usize..] {
                    transaction.execute_batch(step)?;
                }
                transaction.pragma_update(None, "user_version", known)?;
                transaction.commit()?;
            }
            Ok(())
        };
        migrate().map_err(failed)?;
        Ok(Self { path, connection })
    }

    /// Asks the database.
    pub(crate) fn ask<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, NotifyError> {
        ask(&self.connection).map_err(|source| NotifyError::Database { path: self.path.clone(), source })
    }

    /// Changes the database, all of it or nothing.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, NotifyError> {
        let Self { path, connection } = self;
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let done = connection.transaction_with_behavior(behavior).and_then(|transaction| {
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        done.map_err(|source| NotifyError::Database { path: path.clone(), source })
    }
}
