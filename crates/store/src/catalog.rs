//! The database: which segments count, what was taken in, and what came of it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecs::Millis;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, Transaction, params};

use crate::StoreError;
use crate::day::Day;
use crate::letters::{self, LetterChange, LetterChanges, LetterLimits};
use crate::segment::{Checksums, Written};

/// The database's file.
pub(crate) const FILE: &str = "trailwarden.db";

/// How the database came to be, step by step: the format of a store is how many of them were taken. A step is never
/// changed, once it is in a release; a change is another step.
const MIGRATIONS: [&str; 4] = [
    "
    CREATE TABLE batches (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        engine TEXT NOT NULL,
        files INTEGER NOT NULL,
        read INTEGER NOT NULL,
        stored INTEGER NOT NULL,
        duplicate INTEGER NOT NULL,
        unreadable INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE segments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        day INTEGER,
        file TEXT NOT NULL UNIQUE,
        rows INTEGER NOT NULL,
        undated INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        text_bytes INTEGER NOT NULL,
        first_ms INTEGER,
        last_ms INTEGER,
        columns INTEGER NOT NULL,
        checksums BLOB NOT NULL
    ) STRICT;
    CREATE INDEX segments_by_day ON segments (day);
    CREATE TABLE taken (
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        batch INTEGER NOT NULL REFERENCES batches (id),
        PRIMARY KEY (path, size, modified_ms)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE batches ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE sources (
        name TEXT PRIMARY KEY,
        deliveries INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        read INTEGER NOT NULL,
        stored INTEGER NOT NULL,
        duplicate INTEGER NOT NULL,
        unreadable INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        last_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE replaced (
        file TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE removed (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        day INTEGER,
        segments INTEGER NOT NULL,
        events INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
",
    letters::TABLES,
];

/// The format that has accounts of sources.
const SOURCES: usize = 2;
/// The format that has dead letters.
pub(crate) const LETTERS: usize = 4;

/// How long somebody waits for another who writes: not as long as clients of a server wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database of a store.
#[derive(Debug)]
pub(crate) struct Catalog {
    path: PathBuf,
    /// Threads that write segments ask one after the other.
    connection: Mutex<Connection>,
}

/// A segment's row.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRow {
    pub(crate) day: Day,
    /// Where it lies in the store's folder.
    pub(crate) file: String,
    pub(crate) columns: u32,
    pub(crate) written: Written,
}

/// A file that was taken in, by what tells it from what it may be later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TakenFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) modified_ms: Millis,
}

/// What became of the records that were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    /// Records that were read: the sum of the others.
    pub read: u64,
    /// Those that were stored.
    pub stored: u64,
    /// Those that were there already, byte for byte.
    pub duplicate: u64,
    /// Those that are not kept: they are no events, or nothing can be made of them.
    pub unreadable: u64,
    /// Those that the configuration of their source leaves out.
    pub dropped: u64,
}

/// What became of everything that one source ever delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceAccount {
    /// The source, as it is configured.
    pub name: String,
    /// What became of its records.
    pub accounting: Accounting,
    /// Files, or requests.
    pub deliveries: u64,
    /// Their bytes, as they came.
    pub bytes: u64,
    /// When something of it was last taken in.
    pub last_ms: Millis,
}

/// A batch: what counts from one moment on.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) at: Millis,
    pub(crate) engine: &'a str,
    pub(crate) accounting: Accounting,
    pub(crate) files: u64,
    pub(crate) taken: &'a [TakenFile],
    pub(crate) segments: &'a [SegmentRow],
    /// What is to be added to the accounts of sources.
    pub(crate) sources: &'a [SourceAccount],
    /// What could not be read, and how much of that may be kept; nothing if none of it is.
    pub(crate) letters: Option<(&'a [LetterChange], LetterLimits)>,
}

impl Catalog {
    /// Opens the database to read. Nothing if there is none.
    pub(crate) fn open(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let opened = Self::connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, false);
        // Where nothing can be written nobody does, so that there is nothing to wait for.
        let catalog = opened.or_else(|error| {
            Self::connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, true).map_err(|_| error)
        })?;
        // Of one that is being made there is nothing to read yet.
        Ok((catalog.check_version()? > 0).then_some(catalog))
    }

    /// Opens the database to write; makes it, if there is none, and brings it up to date.
    pub(crate) fn open_or_create(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let catalog = Self::connect(&path, flags, false)?;
        let version = catalog.check_version()?;
        let migrate = || {
            let mut connection = catalog.connection();
            // What is committed stays, whatever happens to the machine.
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let transaction = connection.transaction()?;
            for step in &MIGRATIONS[version..] {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
            transaction.commit()
        };
        migrate().map_err(failed(&path))?;
        Ok(catalog)
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn connect(path: &Path, flags: OpenFlags, is_immutable: bool) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connect = || {
            let connection = if is_immutable {
                let escaped =
                    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
                Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?
            } else {
                Connection::open_with_flags(path, flags - OpenFlags::SQLITE_OPEN_URI)?
            };
            connection.busy_timeout(PATIENCE)?;
            // The first to need the file: whether it can be read at all.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = connect().map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// How many steps were taken, if none is unknown.
    fn check_version(&self) -> Result<usize, StoreError> {
        let found: i64 = self
            .connection()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed(&self.path))?;
        let known = MIGRATIONS.len() as i64;
        if (0..=known).contains(&found) {
            Ok(found as usize)
        } else {
            Err(StoreError::Newer { found, known })
        }
    }

    /// The format of the store.
    pub(crate) fn format(&self) -> Result<u32, StoreError> {
        Ok(self.check_version()? as u32)
    }

    /// All segments, by day and in the order in which they were written; those of no day come last.
    pub(crate) fn segments(&self) -> Result<Vec<SegmentRow>, StoreError> {
        let all = "SELECT day, file, rows, undated, bytes, text_bytes, first_ms, last_ms, columns, checksums
                   FROM segments ORDER BY day IS NULL, day, id";
        let query = || {
            let connection = self.connection();
            connection.prepare(all)?.query_map([], segment)?.collect::<Result<Vec<_>, _>>()
        };
        query().map_err(failed(&self.path))
    }

    /// Something that differs whenever other segments count.
    pub(crate) fn version(&self) -> Result<(u64, u64), StoreError> {
        let asked =
            self.connection().query_row("SELECT coalesce(max(id), 0), count(*) FROM segments", [], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
            });
        asked.map_err(failed(&self.path))
    }

    /// Those of a day.
    pub(crate) fn segments_of(&self, day: Day) -> Result<Vec<SegmentRow>, StoreError> {
        let its = "SELECT day, file, rows, undated, bytes, text_bytes, first_ms, last_ms, columns, checksums
                   FROM segments WHERE day IS ?1 ORDER BY id";
        let query = || {
            let connection = self.connection();
            connection.prepare(its)?.query_map([day.0], segment)?.collect::<Result<Vec<_>, _>>()
        };
        query().map_err(failed(&self.path))
    }

    /// The number of the next segment: none had it that ever counted.
    pub(crate) fn next_segment(&self) -> Result<u64, StoreError> {
        let last = self
            .connection()
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'segments'", [], |row| {
                row.get::<_, i64>(0)
            })
            .optional();
        Ok(last.map_err(failed(&self.path))?.unwrap_or(0) as u64 + 1)
    }

    /// Whether the file was taken in as it is.
    pub(crate) fn has_taken(&self, file: &TakenFile) -> Result<bool, StoreError> {
        let found = self.connection().query_row(
            "SELECT 1 FROM taken WHERE path = ?1 AND size = ?2 AND modified_ms = ?3",
            params![file.path, file.size as i64, file.modified_ms],
            |_| Ok(()),
        );
        Ok(found.optional().map_err(failed(&self.path))?.is_some())
    }

    /// The time of the last batch.
    pub(crate) fn last_batch(&self) -> Result<Option<Millis>, StoreError> {
        let last = self.connection().query_row("SELECT max(at_ms) FROM batches", [], |row| row.get(0));
        last.map_err(failed(&self.path))
    }

    /// Makes a batch count: its segments, its files and what became of its records, or nothing of it.
    pub(crate) fn commit(&self, batch: &Batch<'_>) -> Result<LetterChanges, StoreError> {
        let commit = || {
            let mut connection = self.connection();
            let transaction = connection.transaction()?;
            insert(&transaction, batch)?;
            let letters =
                batch.letters.map(|(all, limits)| letters::change(&transaction, all, limits, batch.at));
            let letters = letters.transpose()?.unwrap_or_default();
            transaction.commit()?;
            Ok(letters)
        };
        commit().map_err(failed(&self.path))
    }

    /// What became of all records that were ever taken in, and of how many batches and files they were.
    pub(crate) fn accounting(&self) -> Result<(Accounting, u64, u64), StoreError> {
        // A store that an older version wrote, and nobody wrote to since, has no such column.
        let dropped = if self.check_version()? < SOURCES { "0.0" } else { "total(dropped)" };
        let all = format!(
            "SELECT total(read), total(stored), total(duplicate), total(unreadable), count(*), total(files),
                    {dropped}
             FROM batches"
        );
        let count = |row: &Row<'_>, at: usize| -> rusqlite::Result<u64> {
            // `total` gives a float, which is exact up to 2^53.
            if at == 4 { Ok(row.get::<_, i64>(at)? as u64) } else { Ok(row.get::<_, f64>(at)? as u64) }
        };
        let found = self.connection().query_row(&all, [], |row| {
            let accounting = Accounting {
                read: count(row, 0)?,
                stored: count(row, 1)?,
                duplicate: count(row, 2)?,
                unreadable: count(row, 3)?,
                dropped: count(row, 6)?,
            };
            Ok((accounting, count(row, 4)?, count(row, 5)?))
        });
        found.map_err(failed(&self.path))
    }

    /// The accounts of all sources, by name.
    pub(crate) fn sources(&self) -> Result<Vec<SourceAccount>, StoreError> {
        if self.check_version()? < SOURCES {
            return Ok(Vec::new());
        }
        let all = "SELECT name, deliveries, bytes, read, stored, duplicate, unreadable, dropped, last_ms
                   FROM sources ORDER BY name";
        let query = || {
            let connection = self.connection();
            connection.prepare(all)?.query_map([], source)?.collect::<Result<Vec<_>, _>>()
        };
        query().map_err(failed(&self.path))
    }

    /// Puts what was committed into the database's file itself, so that it alone is all of it.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        let settled = self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        settled.map_err(failed(&self.path))
    }

    /// Whether the database says of itself that it is whole.
    pub(crate) fn verify(&self) -> Result<Vec<String>, StoreError> {
        let query = || {
            let connection = self.connection();
            let mut statement = connection.prepare("PRAGMA integrity_check")?;
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
            lines.filter(|it| !matches!(it.as_deref(), Ok("ok"))).collect::<Result<Vec<_>, _>>()
        };
        query().map_err(failed(&self.path))
    }
}

pub(crate) fn failed(path: &Path) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Database { path: path.to_owned(), source }
}

fn insert(transaction: &Transaction<'_>, batch: &Batch<'_>) -> rusqlite::Result<()> {
    let Accounting { read, stored, duplicate, unreadable, dropped } = batch.accounting;
    transaction.execute(
        "INSERT INTO batches (at_ms, engine, files, read, stored, duplicate, unreadable, dropped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            batch.at,
            batch.engine,
            batch.files as i64,
            read as i64,
            stored as i64,
            duplicate as i64,
            unreadable as i64,
            dropped as i64
        ],
    )?;
    let id = transaction.last_insert_rowid();
    batch.segments.iter().try_for_each(|it| insert_segment(transaction, it))?;
    for TakenFile { path, size, modified_ms } in batch.taken {
        transaction.execute(
            "INSERT OR REPLACE INTO taken (path, size, modified_ms, batch) VALUES (?1, ?2, ?3, ?4)",
            params![path, *size as i64, modified_ms, id],
        )?;
    }
    for SourceAccount { name, accounting, deliveries, bytes, last_ms } in batch.sources {
        let Accounting { read, stored, duplicate, unreadable, dropped } = *accounting;
        transaction.execute(
            "INSERT INTO sources (name, deliveries, bytes, read, stored, duplicate, unreadable, dropped, last_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (name) DO UPDATE SET
                 deliveries = deliveries + excluded.deliveries, bytes = bytes + excluded.bytes,
                 read = read + excluded.read, stored = stored + excluded.stored,
                 duplicate = duplicate + excluded.duplicate, unreadable = unreadable + excluded.unreadable,
                 dropped = dropped + excluded.dropped, last_ms = max(last_ms, excluded.last_ms)",
            params![
                name,
                *deliveries as i64,
                *bytes as i64,
                read as i64,
                stored as i64,
                duplicate as i64,
                unreadable as i64,
                dropped as i64,
                last_ms
            ],
        )?;
    }
    Ok(())
}

fn source(row: &Row<'_>) -> rusqlite::Result<SourceAccount> {
    let count = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
    Ok(SourceAccount {
        name: row.get(0)?,
        deliveries: count(1)?,
        bytes: count(2)?,
        accounting: Accounting {
            read: count(3)?,
            stored: count(4)?,
            duplicate: count(5)?,
            unreadable: count(6)?,
            dropped: count(7)?,
        },
        last_ms: row.get(8)?,
    })
}

pub(crate) fn insert_segment(transaction: &Transaction<'_>, row: &SegmentRow) -> rusqlite::Result<()> {
    let SegmentRow { day, file, columns, written } = row;
    let Written { rows, bytes, text_bytes, span, undated, checksums } = written;
    transaction.execute(
        "INSERT INTO segments (day, file, rows, undated, bytes, text_bytes, first_ms, last_ms, columns, checksums)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            day.0,
            file,
            *rows as i64,
            *undated as i64,
            *bytes as i64,
            *text_bytes as i64,
            span.map(|it| it.0),
            span.map(|it| it.1),
            columns,
            checksums.to_bytes()
        ],
    )?;
    Ok(())
}

fn segment(row: &Row<'_>) -> rusqlite::Result<SegmentRow> {
    let count = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
    let checksums: Vec<u8> = row.get(9)?;
    let checksums = Checksums::from_bytes(&checksums).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(9, "checksums".to_owned(), rusqlite::types::Type::Blob)
    })?;
    let (first, last): (Option<Millis>, Option<Millis>) = (row.get(6)?, row.get(7)?);
    Ok(SegmentRow {
        day: Day(row.get(0)?),
        file: row.get(1)?,
        columns: row.get(8)?,
        written: Written {
            rows: count(2)?,
            undated: count(3)?,
            bytes: count(4)?,
            text_bytes: count(5)?,
            span: first.zip(last),
            checksums,
        },
    })
}
