//! What a batch does to letters, within its transaction.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{LetGo, LetterContents, LetterLimits, NewLetter, ROW_BYTES};

/// What a batch does to letters.
#[derive(Clone, Debug)]
pub(crate) enum LetterChange {
    /// There is one more.
    New(NewLetter),
    /// One was replayed: what of it cannot be read still, if there is something.
    Replayed { id: u64, left: Option<NewLetter> },
}

/// What a batch came to, for letters: the number of each one's, and what was let go.
#[derive(Clone, Debug, Default)]
pub(crate) struct LetterChanges {
    pub(crate) ids: Vec<Option<u64>>,
    pub(crate) let_go: Vec<LetGo>,
}

/// Adds to a count of a source's account.
pub(super) fn count(
    transaction: &Transaction<'_>,
    source: &str,
    column: &str,
    by: u64,
) -> rusqlite::Result<()> {
    transaction.execute(
        &format!(
            "INSERT INTO letter_accounts (source, {column}) VALUES (?1, ?2)
             ON CONFLICT (source) DO UPDATE SET {column} = {column} + excluded.{column}"
        ),
        params![source, by as i64],
    )?;
    Ok(())
}

/// Makes the changes of a batch, and lets go what is beyond the bounds.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    changes: &[LetterChange],
    limits: LetterLimits,
    now: Millis,
) -> rusqlite::Result<LetterChanges> {
    let mut done = LetterChanges::default();
    let mut touched = BTreeSet::new();
    for change in changes {
        done.ids.push(match change {
            LetterChange::New(letter) => {
                touched.insert(letter.source.as_str());
                Some(insert(transaction, letter, now)?)
            }
            LetterChange::Replayed { id, left } => replayed(transaction, *id, left.as_ref(), now)?,
        });
    }
    done.let_go = expire(transaction, limits, now)?;
    for source in touched {
        done.let_go.extend(make_room(transaction, source, limits)?);
    }
    Ok(done)
}

fn insert(transaction: &Transaction<'_>, letter: &NewLetter, now: Millis) -> rusqlite::Result<u64> {
    count(transaction, &letter.source, "received", letter.records)?;
    let same = transaction
        .query_row(
            "SELECT id FROM letters WHERE source = ?1 AND hash = ?2",
            params![letter.source, letter.hash],
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    if let Some(id) = same {
        count(transaction, &letter.source, "repeated", letter.records)?;
        transaction.execute(
            "UPDATE letters SET deliveries = deliveries + 1, last_ms = max(last_ms, ?2) WHERE id = ?1",
            params![id, now],
        )?;
        return Ok(id as u64);
    }
    transaction.execute(
        "INSERT INTO letters (source, name, first_ms, last_ms, deliveries, records, code, troubles, contents, bytes, packed_bytes,
                              hash, tries)
         VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
        params![
            letter.source,
            letter.name,
            now,
            letter.records as i64,
            letter.code,
            letter.troubles.join("\n"),
            letter.contents.as_str(),
            letter.bytes as i64,
            letter.packed.len() as i64,
            letter.hash
        ],
    )?;
    let id = transaction.last_insert_rowid();
    put_contents(transaction, id, letter)?;
    Ok(id as u64)
}

fn put_contents(transaction: &Transaction<'_>, id: i64, letter: &NewLetter) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM letter_contents WHERE id = ?1", [id])?;
    if letter.contents != LetterContents::Nothing {
        transaction.execute(
            "INSERT INTO letter_contents (id, packed) VALUES (?1, ?2)",
            params![id, letter.packed],
        )?;
    }
    Ok(())
}

/// A letter was replayed; the number that it has still, if something of it is left.
fn replayed(
    transaction: &Transaction<'_>,
    id: u64,
    left: Option<&NewLetter>,
    now: Millis,
) -> rusqlite::Result<Option<u64>> {
    let its = transaction
        .query_row("SELECT source, records FROM letters WHERE id = ?1", [id as i64], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64))
        })
        .optional()?;
    // Somebody discarded it meanwhile: what could be read of it is stored all the same.
    let Some((source, before)) = its else { return Ok(None) };
    let after = left.map_or(0, |it| it.records);
    count(transaction, &source, "received", after.saturating_sub(before))?;
    count(transaction, &source, "replayed", before.saturating_sub(after))?;
    let Some(left) = left else {
        remove(transaction, id)?;
        return Ok(None);
    };
    let twin = transaction
        .query_row(
            "SELECT id FROM letters WHERE source = ?1 AND hash = ?2 AND id <> ?3",
            params![source, left.hash, id as i64],
            |_| Ok(()),
        )
        .optional()?;
    if twin.is_some() {
        // What is left of it is a letter already.
        count(transaction, &source, "repeated", after)?;
        remove(transaction, id)?;
        return Ok(None);
    }
    transaction.execute(
        "UPDATE letters SET records = ?2, code = ?3, troubles = ?4, tries = tries + 1, tried_ms = ?5 WHERE id = ?1",
        params![id as i64, after as i64, left.code, left.troubles.join("\n"), now],
    )?;
    if left.contents != LetterContents::Nothing {
        transaction.execute(
            "UPDATE letters SET contents = ?2, bytes = ?3, packed_bytes = ?4, hash = ?5 WHERE id = ?1",
            params![
                id as i64,
                left.contents.as_str(),
                left.bytes as i64,
                left.packed.len() as i64,
                left.hash
            ],
        )?;
        put_contents(transaction, id as i64, left)?;
    }
    Ok(Some(id))
}

pub(super) fn remove(transaction: &Transaction<'_>, id: u64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM letter_contents WHERE id = ?1", [id as i64])?;
    transaction.execute("DELETE FROM letters WHERE id = ?1", [id as i64])?;
    Ok(())
}

/// Lets go what is too old.
fn expire(transaction: &Transaction<'_>, limits: LetterLimits, now: Millis) -> rusqlite::Result<Vec<LetGo>> {
    let before = now.saturating_sub(limits.age);
    let mut statement =
        transaction.prepare_cached("SELECT id, source, records FROM letters WHERE last_ms < ?1")?;
    let old = statement.query_map([before], |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get::<_, String>(1)?, row.get::<_, i64>(2)? as u64))
    })?;
    let old: Vec<(u64, String, u64)> = old.collect::<rusqlite::Result<_>>()?;
    let mut all: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (id, source, records) in old {
        remove(transaction, id)?;
        count(transaction, &source, "expired", records)?;
        let its = all.entry(source).or_default();
        *its = (its.0 + 1, its.1 + records);
    }
    let one = |(source, (letters, records))| LetGo { source, letters, records, is_age: true };
    Ok(all.into_iter().map(one).collect())
}

/// Lets the oldest of a source go, until there is room for the others.
fn make_room(
    transaction: &Transaction<'_>,
    source: &str,
    limits: LetterLimits,
) -> rusqlite::Result<Option<LetGo>> {
    let most = i64::try_from(limits.bytes).unwrap_or(i64::MAX);
    let mut held: i64 = transaction.query_row(
        "SELECT coalesce(sum(packed_bytes), 0) + count(*) * ?2 FROM letters WHERE source = ?1",
        params![source, ROW_BYTES],
        |row| row.get(0),
    )?;
    let mut let_go = LetGo { source: source.to_owned(), letters: 0, records: 0, is_age: false };
    while held > most {
        let oldest = transaction
            .query_row(
                "SELECT id, records, packed_bytes FROM letters WHERE source = ?1 ORDER BY last_ms, id LIMIT 1",
                [source],
                |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)?)),
            )
            .optional()?;
        let Some((id, records, packed)) = oldest else { break };
        remove(transaction, id)?;
        count(transaction, source, "crowded_out", records)?;
        held -= packed + ROW_BYTES;
        let_go.letters += 1;
        let_go.records += records;
    }
    Ok((let_go.letters > 0).then_some(let_go))
}

/// The tables.
pub(crate) const TABLES: &str = "
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        name TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        deliveries INTEGER NOT NULL,
        records INTEGER NOT NULL,
        code TEXT NOT NULL,
        troubles TEXT NOT NULL,
        contents TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        packed_bytes INTEGER NOT NULL,
        hash BLOB NOT NULL,
        tries INTEGER NOT NULL,
        tried_ms INTEGER,
        UNIQUE (source, hash)
    ) STRICT;
    CREATE INDEX letters_by_time ON letters (last_ms);
    CREATE TABLE letter_contents (
        id INTEGER PRIMARY KEY REFERENCES letters (id),
        packed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE letter_accounts (
        source TEXT PRIMARY KEY,
        received INTEGER NOT NULL DEFAULT 0,
        replayed INTEGER NOT NULL DEFAULT 0,
        repeated INTEGER NOT NULL DEFAULT 0,
        expired INTEGER NOT NULL DEFAULT 0,
        crowded_out INTEGER NOT NULL DEFAULT 0,
        discarded INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
";
