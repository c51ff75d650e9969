//! Dead letters: what a source delivered and could not be read, kept until the cause is mended.
//!
//! Letters lie in the database, so that they count with the batch that they are of, and a backup has them. There is one a
//! delivery: the records that nothing could be made of, or all of the delivery where a part of it could not be read so far
//! that there were records. What was delivered again as it was is kept once.
//!
//! **The account.** Of what a source delivered since there are letters, each unreadable record is in one that waits, or was
//! replayed, delivered again, let go because there was no room or it was too old, or discarded. [`LetterAccount`] says so,
//! and [`Store::check`](crate::Store::check) holds it.

mod change;

use std::collections::BTreeMap;

use ecs::Millis;
use rusqlite::{OptionalExtension as _, Row, params};
use xxhash_rust::xxh3::Xxh3Default;

use crate::catalog::{Catalog, LETTERS, failed};
use crate::{Store, StoreError};

pub(crate) use change::{LetterChange, LetterChanges, TABLES, change};

/// The longest contents that are kept, unpacked: of what is longer the letter says where it came from.
pub const LETTER_BYTES_MAX: usize = 64 << 20;
/// Troubles that a letter tells.
const TROUBLES_MAX: usize = 20;
/// The longest text of one.
const TROUBLE_CHARS: usize = 1_000;
/// What a letter takes at least, beside its contents.
const ROW_BYTES: i64 = 4 << 10;
/// How hard contents are packed.
const LEVEL: i32 = 3;

/// What may be kept of each source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterLimits {
    /// Bytes of its letters, packed: the oldest go when there are more.
    pub bytes: u64,
    /// Letters that last came longer ago than this go.
    pub age: Millis,
}

impl Default for LetterLimits {
    fn default() -> Self {
        Self { bytes: 128 << 20, age: 30 * crate::day::DAY_MS }
    }
}

/// What a letter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterContents {
    /// The records that could not be read, a line each.
    Records,
    /// All of the delivery, as it came.
    Delivery,
    /// Nothing: it was too long, or gone.
    Nothing,
}

impl LetterContents {
    const ALL: [Self; 3] = [Self::Records, Self::Delivery, Self::Nothing];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Delivery => "delivery",
            Self::Nothing => "nothing",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: u64,
    /// The source that delivered it.
    pub source: String,
    /// Where it came from: the file, or the request.
    pub name: String,
    /// When it came first,
    pub first: Millis,
    /// and last.
    pub last: Millis,
    /// How often it came.
    pub deliveries: u64,
    /// Records of it that could not be read.
    pub records: u64,
    /// The code of the first trouble.
    pub code: String,
    /// Why it could not be read: the first of it.
    pub troubles: Vec<String>,
    /// What is kept of it,
    pub contents: LetterContents,
    /// and how many bytes that is, unpacked.
    pub bytes: u64,
    /// How often it was replayed, and could not be read as a whole.
    pub tries: u64,
    /// When that was last.
    pub tried: Option<Millis>,
}

/// What became of the unreadable records of a source, since there are letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterAccount {
    /// The source.
    pub source: String,
    /// Unreadable records that came: the sum of the following.
    pub received: u64,
    /// Those in letters that are here.
    pub waiting: u64,
    /// Those that were replayed and could be read then.
    pub replayed: u64,
    /// Those that came again as they were, and are kept once.
    pub repeated: u64,
    /// Those that were let go because they were too old,
    pub expired: u64,
    /// or because there was no room.
    pub crowded_out: u64,
    /// Those that somebody discarded.
    pub discarded: u64,
    /// Letters that are here,
    pub letters: u64,
    /// what they take,
    pub bytes: u64,
    /// and when the oldest of them came first.
    pub oldest: Option<Millis>,
}

impl LetterAccount {
    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        let Self { received, waiting, replayed, repeated, expired, crowded_out, discarded, .. } = *self;
        received == waiting + replayed + repeated + expired + crowded_out + discarded
    }
}

/// Letters that were let go, because a bound was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetGo {
    /// Whose they were.
    pub source: String,
    /// How many.
    pub letters: u64,
    /// Their records.
    pub records: u64,
    /// Whether they were too old; else there was no room.
    pub is_age: bool,
}

/// What could not be read of a delivery.
#[derive(Clone, Debug)]
pub(crate) struct NewLetter {
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) records: u64,
    pub(crate) code: String,
    pub(crate) troubles: Vec<String>,
    pub(crate) contents: LetterContents,
    pub(crate) bytes: u64,
    hash: [u8; 16],
    packed: Vec<u8>,
}

impl NewLetter {
    /// `contents` is what can be kept of it, if anything can.
    pub(crate) fn new(
        source: &str,
        name: &str,
        records: u64,
        troubles: &[crate::Trouble],
        contents: Option<(LetterContents, Vec<u8>)>,
        limits: LetterLimits,
    ) -> Self {
        let code = troubles.first().map_or("STORE009", |it| it.code);
        let text = |it: &crate::Trouble| it.text.chars().take(TROUBLE_CHARS).collect();
        let mut its = Self {
            source: source.to_owned(),
            name: name.to_owned(),
            records,
            code: code.to_owned(),
            troubles: troubles.iter().take(TROUBLES_MAX).map(text).collect(),
            contents: LetterContents::Nothing,
            bytes: 0,
            hash: [0; 16],
            packed: Vec::new(),
        };
        let packed = contents.and_then(|(kind, bytes)| {
            let packed = zstd::bulk::compress(&bytes, LEVEL).ok()?;
            (packed.len() as u64 + ROW_BYTES as u64 <= limits.bytes).then_some((kind, bytes, packed))
        });
        let mut hasher = Xxh3Default::new();
        if let Some((kind, bytes, packed)) = packed {
            hasher.update(&bytes);
            (its.contents, its.bytes, its.packed) = (kind, bytes.len() as u64, packed);
        } else {
            hasher.update(name.as_bytes());
            hasher.update(code.as_bytes());
        }
        its.hash = hasher.digest128().to_be_bytes();
        its
    }
}

const COLUMNS: &str = "id, source, name, first_ms, last_ms, deliveries, records, code, troubles, contents, bytes, tries, tried_ms";

fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let number = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
    let contents: String = row.get(9)?;
    let troubles: String = row.get(8)?;
    Ok(Letter {
        id: number(0)?,
        source: row.get(1)?,
        name: row.get(2)?,
        first: row.get(3)?,
        last: row.get(4)?,
        deliveries: number(5)?,
        records: number(6)?,
        code: row.get(7)?,
        troubles: troubles.lines().map(str::to_owned).collect(),
        contents: LetterContents::of(&contents).ok_or(rusqlite::Error::InvalidColumnType(
            9,
            contents,
            rusqlite::types::Type::Text,
        ))?,
        bytes: number(10)?,
        tries: number(11)?,
        tried: row.get(12)?,
    })
}

impl Store {
    /// The dead letters of a source, or of all, the newest first: so many are left out, and so many are given at most.
    pub fn letters(&self, source: Option<&str>, from: usize, size: usize) -> Result<Vec<Letter>, StoreError> {
        if !self.catalog.has_letters()? {
            return Ok(Vec::new());
        }
        let all = format!(
            "SELECT {COLUMNS} FROM letters WHERE ?1 IS NULL OR source = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3"
        );
        let (from, size) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(size).unwrap_or(i64::MAX));
        let ask = || {
            let connection = self.catalog.connection();
            connection
                .prepare(&all)?
                .query_map(params![source, size, from], letter)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        ask().map_err(failed(self.catalog.path()))
    }

    /// A dead letter.
    ///
    /// # Errors
    ///
    /// There is none with this number.
    pub fn letter(&self, id: u64) -> Result<Letter, StoreError> {
        let none = || StoreError::NoLetter { id };
        if !self.catalog.has_letters()? {
            return Err(none());
        }
        let one = format!("SELECT {COLUMNS} FROM letters WHERE id = ?1");
        let found = self
            .catalog
            .connection()
            .query_row(&one, [i64::try_from(id).unwrap_or(-1)], letter)
            .optional()
            .map_err(failed(self.catalog.path()))?;
        found.ok_or_else(none)
    }

    /// What a letter holds.
    ///
    /// # Errors
    ///
    /// There is no such letter, nothing of it was kept, or it is not as it was written.
    pub fn letter_contents(&self, id: u64) -> Result<Vec<u8>, StoreError> {
        let its = self.letter(id)?;
        let packed = self
            .catalog
            .connection()
            .query_row("SELECT packed FROM letter_contents WHERE id = ?1", [id as i64], |row| {
                row.get::<_, Vec<u8>>(0)
            })
            .optional()
            .map_err(failed(self.catalog.path()))?;
        let packed = packed.ok_or_else(|| StoreError::EmptyLetter { id, name: its.name.clone() })?;
        // One more, so that what is longer than it should be is told from what is not.
        zstd::bulk::decompress(&packed, its.bytes as usize + 1)
            .ok()
            .filter(|it| it.len() as u64 == its.bytes)
            .ok_or(StoreError::DamagedLetter { id })
    }

    /// What became of the unreadable records of each source, by name.
    pub fn letter_accounts(&self) -> Result<Vec<LetterAccount>, StoreError> {
        if !self.catalog.has_letters()? {
            return Ok(Vec::new());
        }
        let ask = || {
            let connection = self.catalog.connection();
            let all = "SELECT a.source, a.received, a.replayed, a.repeated, a.expired, a.crowded_out, a.discarded,
                              coalesce(sum(l.records), 0), count(l.id), coalesce(sum(l.packed_bytes), 0), min(l.first_ms)
                       FROM letter_accounts a LEFT JOIN letters l ON l.source = a.source
                       GROUP BY a.source ORDER BY a.source";
            let account = |row: &Row<'_>| {
                let number = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
                Ok(LetterAccount {
                    source: row.get(0)?,
                    received: number(1)?,
                    replayed: number(2)?,
                    repeated: number(3)?,
                    expired: number(4)?,
                    crowded_out: number(5)?,
                    discarded: number(6)?,
                    waiting: number(7)?,
                    letters: number(8)?,
                    bytes: number(9)?,
                    oldest: row.get(10)?,
                })
            };
            connection.prepare(all)?.query_map([], account)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        ask().map_err(failed(self.catalog.path()))
    }

    /// Throws a letter away, for good. That it was there is on the account.
    ///
    /// # Errors
    ///
    /// There is no such letter.
    pub fn discard_letter(&self, id: u64) -> Result<Letter, StoreError> {
        let its = self.letter(id)?;
        let discard = || {
            let mut connection = self.catalog.connection();
            let transaction = connection.transaction()?;
            change::remove(&transaction, id)?;
            change::count(&transaction, &its.source, "discarded", its.records)?;
            transaction.commit()
        };
        discard().map_err(failed(self.catalog.path()))?;
        Ok(its)
    }

    /// What is wrong with the account of letters.
    pub(crate) fn check_letters(&self) -> Result<Vec<String>, StoreError> {
        let unreadable: BTreeMap<String, u64> =
            self.sources()?.into_iter().map(|it| (it.name, it.accounting.unreadable)).collect();
        let wrong = |it: &LetterAccount| {
            let on_account = unreadable.get(&it.source).copied().unwrap_or(0);
            (!it.is_whole() || it.received > on_account).then(|| {
                format!(
                    "STORE014 the dead letters of `{}`: {} unreadable records are on its account, {} came as letters, {} wait, \
                     {} were replayed, {} repeated, {} expired, {} crowded out, {} discarded",
                    it.source,
                    on_account,
                    it.received,
                    it.waiting,
                    it.replayed,
                    it.repeated,
                    it.expired,
                    it.crowded_out,
                    it.discarded
                )
            })
        };
        Ok(self.letter_accounts()?.iter().filter_map(wrong).collect())
    }
}

impl Catalog {
    fn has_letters(&self) -> Result<bool, StoreError> {
        Ok(self.format()? as usize >= LETTERS)
    }
}

#[cfg(test)]
mod tests;
