//! Rules, exceptions and value lists that people make, beside those of files: kept in the database of detection.
//!
//! All of them are documents as Kibana has them, each with who made and who changed it. A change is one transaction, and each
//! counts as a revision: whoever executes rules looks at it between slots, and loads them anew ([`Rulebook::in_force`]) if it
//! is another one than it has.

mod exception;
mod force;

use std::path::Path;

use ecs::{Millis, Object};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use crate::LiveError;
use crate::compose::object;
use crate::schema::{Database, Refusal};

pub use exception::{DEFAULT_LIST, list_key};
pub use force::{InForce, Unread};

/// Whatever people keep of rules.
#[derive(Debug)]
pub struct Rulebook {
    pub(crate) database: Database,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeptKind {
    /// A rule; its key is its `rule_id`.
    Rule,
    /// What is different of a rule of a file, or a built-in one: its switch, exceptions, actions. The key is its `rule_id`.
    Changes,
    /// The container of an exception list; its key is of [`list_key`].
    List,
    /// An item of such a list, whose key is its parent; its own is made like that of a list, of its `item_id`.
    Item,
    /// A value list; its key is its id.
    ValueList,
    /// A value of such a list, whose key is its parent; its own is its id.
    Value,
}

impl KeptKind {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Rule, Self::Changes, Self::List, Self::Item, Self::ValueList, Self::Value];

    const fn number(self) -> i64 {
        match self {
            Self::Rule => 0,
            Self::Changes => 1,
            Self::List => 2,
            Self::Item => 3,
            Self::ValueList => 4,
            Self::Value => 5,
        }
    }
}

/// A document that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its object id.
    pub id: String,
    /// What it is known by.
    pub key: String,
    /// What it belongs to; empty if to nothing.
    pub parent: String,
    /// What it says.
    pub document: Object,
    /// How often it was changed.
    pub revision: u64,
    /// When it was made,
    pub created: Millis,
    /// and by whom.
    pub created_by: String,
    /// When it was changed last,
    pub updated: Millis,
    /// and by whom.
    pub updated_by: String,
}

/// A document that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewKept {
    /// Its object id.
    pub id: String,
    /// What it is known by.
    pub key: String,
    /// What it belongs to; empty if to nothing.
    pub parent: String,
    /// What it says.
    pub document: Object,
}

/// Whether a change is one of what a document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It is, and its revision goes up.
    Yes,
    /// It is switched on or off: it says the same as before.
    No,
}

const COLUMNS: &str = "id, key, parent, document, revision, created_ms, created_by, updated_ms, updated_by";

impl Kept {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            key: row.get(1)?,
            parent: row.get(2)?,
            document: object(&row.get::<_, String>(3)?),
            revision: row.get::<_, i64>(4)? as u64,
            created: row.get(5)?,
            created_by: row.get(6)?,
            updated: row.get(7)?,
            updated_by: row.get(8)?,
        })
    }
}

impl Rulebook {
    /// Opens that of a store's folder; makes one if there is none.
    pub fn open(folder: &Path) -> Result<Self, LiveError> {
        Ok(Self { database: Database::open(folder, true, true)? })
    }

    /// Goes up with every change.
    pub fn revision(&self) -> Result<u64, LiveError> {
        self.database.ask(revision)
    }

    /// A document, by its object id.
    pub fn get(&self, kind: KeptKind, id: &str) -> Result<Option<Kept>, LiveError> {
        self.database.ask(|it| one(it, kind, "id", id))
    }

    /// A document, by what it is known by.
    pub fn by_key(&self, kind: KeptKind, key: &str) -> Result<Option<Kept>, LiveError> {
        self.database.ask(|it| one(it, kind, "key", key))
    }

    /// All documents of a kind, in the order in which they were made; of something that they belong to, if it is given.
    pub fn all(&self, kind: KeptKind, parent: Option<&str>) -> Result<Vec<Kept>, LiveError> {
        self.database.ask(|it| all(it, kind, parent))
    }

    /// Changes something: all of what `change` does is done, or nothing.
    pub fn change<T, E: From<LiveError>>(
        &mut self,
        author: &str,
        now: Millis,
        change: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // What the caller refuses stands here while the transaction is given up.
        let mut refused = None;
        let done = self.database.change(|it| {
            let mut edit = Edit { connection: it, author, now, is_changed: false };
            match change(&mut edit) {
                Ok(done) => {
                    if edit.is_changed {
                        it.execute("UPDATE rulebook SET revision = revision + 1", [])?;
                    }
                    Ok(Some(done))
                }
                Err(error) => {
                    refused = Some(error);
                    Err(Refusal::Other(LiveError::Refused))
                }
            }
        });
        match (done, refused) {
            (_, Some(error)) => Err(error),
            (Ok(Some(done)), None) => Ok(done),
            (Ok(None), None) => Err(LiveError::Refused.into()),
            (Err(error), None) => Err(error.into()),
        }
    }
}

/// A change in the making.
pub struct Edit<'a> {
    connection: &'a Connection,
    author: &'a str,
    now: Millis,
    is_changed: bool,
}

impl Edit<'_> {
    /// Whose change it is.
    pub fn author(&self) -> &str {
        self.author
    }

    /// The time of the change.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// A document, by its object id.
    pub fn get(&self, kind: KeptKind, id: &str) -> Result<Option<Kept>, LiveError> {
        told(one(self.connection, kind, "id", id))
    }

    /// A document, by what it is known by.
    pub fn by_key(&self, kind: KeptKind, key: &str) -> Result<Option<Kept>, LiveError> {
        told(one(self.connection, kind, "key", key))
    }

    /// All documents of a kind, of something that they belong to, if it is given.
    pub fn all(&self, kind: KeptKind, parent: Option<&str>) -> Result<Vec<Kept>, LiveError> {
        told(all(self.connection, kind, parent))
    }

    /// How many there are of a kind, of something that they belong to, if it is given.
    pub fn count(&self, kind: KeptKind, parent: Option<&str>) -> Result<u64, LiveError> {
        let text = "SELECT count(*) FROM kept WHERE kind = ?1 AND (?2 IS NULL OR parent = ?2)";
        let count =
            self.connection.query_row(text, params![kind.number(), parent], |row| row.get::<_, i64>(0));
        told(count).map(|it| it as u64)
    }

    /// Keeps a document that is new.
    pub fn add(&mut self, kind: KeptKind, new: &NewKept) -> Result<Kept, LiveError> {
        let text =
            "INSERT INTO kept (kind, id, key, parent, document, revision, created_ms, created_by, updated_ms,
                        updated_by) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?6, ?7)";
        let document = Value::Object(new.document.clone()).to_string();
        let values = params![kind.number(), new.id, new.key, new.parent, document, self.now, self.author];
        told(self.connection.prepare_cached(text).and_then(|mut it| it.execute(values)))?;
        self.is_changed = true;
        self.known(kind, &new.id)
    }

    /// Lets a document say something else. Says what it is like then; nothing changes if it says that already.
    pub fn set(
        &mut self,
        kind: KeptKind,
        id: &str,
        document: &Object,
        counted: Counted,
    ) -> Result<Kept, LiveError> {
        let before = self.known(kind, id)?;
        if before.document == *document {
            return Ok(before);
        }
        let text = "UPDATE kept SET document = ?3, revision = revision + ?4, updated_ms = ?5, updated_by = ?6
                    WHERE kind = ?1 AND id = ?2";
        let document = Value::Object(document.clone()).to_string();
        let values =
            params![kind.number(), id, document, i64::from(counted == Counted::Yes), self.now, self.author];
        told(self.connection.prepare_cached(text).and_then(|mut it| it.execute(values)))?;
        self.is_changed = true;
        self.known(kind, id)
    }

    /// Keeps a document no longer; nor what belongs to it, by its key. Says whether it was there.
    pub fn remove(&mut self, kind: KeptKind, id: &str) -> Result<bool, LiveError> {
        let Some(kept) = self.get(kind, id)? else { return Ok(false) };
        let theirs = match kind {
            KeptKind::List => Some(KeptKind::Item),
            KeptKind::ValueList => Some(KeptKind::Value),
            KeptKind::Rule | KeptKind::Changes | KeptKind::Item | KeptKind::Value => None,
        };
        if let Some(theirs) = theirs {
            let text = "DELETE FROM kept WHERE kind = ?1 AND parent = ?2";
            told(self.connection.execute(text, params![theirs.number(), kept.key]))?;
        }
        let text = "DELETE FROM kept WHERE kind = ?1 AND id = ?2";
        told(self.connection.execute(text, params![kind.number(), id]))?;
        self.is_changed = true;
        Ok(true)
    }

    fn known(&self, kind: KeptKind, id: &str) -> Result<Kept, LiveError> {
        self.get(kind, id)?.ok_or(LiveError::Refused)
    }
}

/// What the database said, where its path is not at hand.
fn told<T>(result: rusqlite::Result<T>) -> Result<T, LiveError> {
    result.map_err(|source| LiveError::Database { path: crate::schema::FILE.into(), source })
}

pub(crate) fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let found = connection.query_row("SELECT revision FROM rulebook", [], |row| row.get::<_, i64>(0));
    found.map(|it| it as u64)
}

/// The one whose `column` is that.
fn one(connection: &Connection, kind: KeptKind, column: &str, value: &str) -> rusqlite::Result<Option<Kept>> {
    let text = format!("SELECT {COLUMNS} FROM kept WHERE kind = ?1 AND {column} = ?2");
    connection.prepare_cached(&text)?.query_row(params![kind.number(), value], Kept::of).optional()
}

fn all(connection: &Connection, kind: KeptKind, parent: Option<&str>) -> rusqlite::Result<Vec<Kept>> {
    let text =
        format!("SELECT {COLUMNS} FROM kept WHERE kind = ?1 AND (?2 IS NULL OR parent = ?2) ORDER BY number");
    let mut statement = connection.prepare_cached(&text)?;
    let rows = statement.query_map(params![kind.number(), parent], Kept::of)?;
    rows.collect()
}
