//! The log of who did what.

use ecs::Millis;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::{Book, LiveError};

/// Who does what nobody asked for.
pub(crate) const ENGINE: &str = "trailwarden";

/// Which entries of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSearch {
    /// Written at this time or later,
    pub since: Option<Millis>,
    /// before this time,
    pub until: Option<Millis>,
    /// by this author,
    pub author: Option<String>,
    /// and about this: `alert ID`, `silence 3`, `incident 4`, or the first word alone.
    pub subject: Option<String>,
    /// So many at most.
    pub limit: usize,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// When.
    pub at: Millis,
    /// By whom.
    pub author: String,
    /// To what.
    pub subject: String,
    /// What was done.
    pub what: String,
    /// What else there is to say.
    pub detail: Value,
}

impl Book {
    /// What was done with alerts, silences and incidents, the newest first.
    pub fn log(&self, search: &LogSearch) -> Result<Vec<LogEntry>, LiveError> {
        let text = "
            SELECT at_ms, author, subject, what, detail FROM (
                SELECT at_ms, author, 'alert ' || alerts.id AS subject, what, detail, audit.id AS place
                FROM audit JOIN alerts ON alerts.number = audit.alert
                UNION ALL SELECT at_ms, author, subject, what, detail, actions.id FROM actions
            )
            WHERE at_ms >= ?1 AND at_ms < ?2 AND (?3 IS NULL OR author = ?3)
                AND (?4 IS NULL OR subject = ?4 OR substr(subject, 1, length(?4) + 1) = ?4 || ' ')
            ORDER BY at_ms DESC, place DESC, subject LIMIT ?5";
        let LogSearch { since, until, author, subject, limit } = search;
        let limit = if *limit == 0 { i64::MAX } else { *limit as i64 };
        let values =
            params![since.unwrap_or(Millis::MIN), until.unwrap_or(Millis::MAX), author, subject, limit];
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let entries = statement.query_map(values, |row| {
                let detail: String = row.get("detail")?;
                Ok(LogEntry {
                    at: row.get("at_ms")?,
                    author: row.get("author")?,
                    subject: row.get("subject")?,
                    what: row.get("what")?,
                    detail: serde_json::from_str(&detail).unwrap_or_default(),
                })
            })?;
            entries.collect()
        })
    }
}

/// Writes down who did what to something that is no alert.
pub(crate) fn act(
    connection: &Connection,
    now: Millis,
    author: &str,
    subject: &str,
    what: &str,
    detail: &Value,
) -> rusqlite::Result<()> {
    let text = "INSERT INTO actions (at_ms, author, subject, what, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(text)?.execute(params![now, author, subject, what, detail.to_string()])?;
    Ok(())
}
