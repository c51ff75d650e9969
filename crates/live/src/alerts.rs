//! Alerts: shown, and changed.

use ecs::{Millis, Object};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use crate::compose::{ALERTS, AlertRow, COLUMNS, list};
use crate::schema::Refusal;
use crate::workflow::{ASSIGNEES, AuditEntry, Change, TAGS, WorkflowStatus};
use crate::{Book, LiveError};

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The ids of the alerts that are different now.
    pub changed: Vec<String>,
    /// Those of alerts that were like that before.
    pub unchanged: Vec<String>,
}

impl Book {
    /// An alert, by its id or the beginning of it.
    pub fn alert(&self, id: &str) -> Result<Object, LiveError> {
        let id = self.id_of(id)?;
        let text = format!("SELECT {COLUMNS} alerts.document FROM {ALERTS} WHERE alerts.id = ?1");
        let row = self.database.ask(|it| it.query_row(&text, [&id], AlertRow::of))?;
        Ok(row.composed(self.url.as_deref()))
    }

    /// The alerts that were committed after that of a number, in the order in which they were, and the number of the last of
    /// them: for whoever follows. Those that were raised in a silence are among them.
    pub fn alerts_after(&self, number: i64, limit: usize) -> Result<(Vec<Object>, i64), LiveError> {
        let text = format!(
            "SELECT {COLUMNS} alerts.document FROM {ALERTS} WHERE alerts.number > ?1 ORDER BY alerts.number LIMIT ?2"
        );
        let rows: Vec<AlertRow> = self.database.ask(|it| {
            it.prepare_cached(&text)?.query_map(params![number, limit as i64], AlertRow::of)?.collect()
        })?;
        let last = rows.last().map_or(number, |it| it.number);
        Ok((rows.iter().map(|it| it.composed(self.url.as_deref())).collect(), last))
    }

    /// The number of the alert that was committed last; 0 if there is none.
    pub fn last_number(&self) -> Result<i64, LiveError> {
        self.database
            .ask(|it| it.query_row("SELECT coalesce(max(number), 0) FROM alerts", [], |row| row.get(0)))
    }

    /// The building blocks of an alert on a sequence, in order.
    pub fn blocks(&self, id: &str) -> Result<Vec<Object>, LiveError> {
        let text = "SELECT blocks.document FROM blocks JOIN alerts ON alerts.number = blocks.alert
                    WHERE alerts.id = ?1 ORDER BY place";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let found = statement.query_map([id], |row| row.get::<_, String>(0))?;
            found.map(|it| it.map(|it| crate::compose::object(&it))).collect()
        })
    }

    /// The whole id of the one alert whose id begins so.
    fn id_of(&self, beginning: &str) -> Result<String, LiveError> {
        let exact = "SELECT id FROM alerts WHERE id = ?1";
        let found = self.database.ask(|it| {
            it.prepare_cached(exact)?.query_row([beginning], |row| row.get::<_, String>(0)).optional()
        })?;
        if let Some(id) = found {
            return Ok(id);
        }
        // Between the beginning and what follows on all that begins so.
        let like = "SELECT id FROM alerts WHERE id >= ?1 AND id < ?1 || char(1114111) LIMIT 2";
        let found: Vec<String> = self
            .database
            .ask(|it| it.prepare_cached(like)?.query_map([beginning], |row| row.get(0))?.collect())?;
        match found.as_slice() {
            [one] if !beginning.is_empty() => Ok(one.clone()),
            [_, _] if !beginning.is_empty() => Err(LiveError::SeveralAlerts { id: beginning.to_owned() }),
            _ => Err(LiveError::NoAlert { id: beginning.to_owned() }),
        }
    }

    /// Whether there is an alert with that id.
    pub fn has_alert(&self, id: &str) -> Result<bool, LiveError> {
        let text = "SELECT EXISTS (SELECT 1 FROM alerts WHERE id = ?1)";
        self.database.ask(|it| it.prepare_cached(text)?.query_row([id], |row| row.get(0)))
    }

    /// Changes alerts, all of them or none, and writes down who did it. They are named by their ids, or the beginnings of
    /// them.
    pub fn change(
        &mut self,
        ids: &[String],
        change: &Change,
        author: &str,
        now: Millis,
    ) -> Result<Changed, LiveError> {
        let mut whole = Vec::with_capacity(ids.len());
        for id in ids {
            let id = self.id_of(id)?;
            if !whole.contains(&id) {
                whole.push(id);
            }
        }
        self.database.change(|it| {
            let mut changed = Changed::default();
            for id in whole {
                let is_changed = change_one(it, &id, change, author, now)?;
                if is_changed { changed.changed.push(id) } else { changed.unchanged.push(id) }
            }
            Ok::<_, Refusal>(changed)
        })
    }

    /// What was done with an alert, the oldest first.
    pub fn history(&self, id: &str) -> Result<Vec<AuditEntry>, LiveError> {
        let id = self.id_of(id)?;
        let text = "SELECT at_ms, author, what, detail FROM audit JOIN alerts ON alerts.number = audit.alert
                    WHERE alerts.id = ?1 ORDER BY audit.id";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let entries = statement.query_map([&id], |row| {
                let detail: String = row.get(3)?;
                let detail = serde_json::from_str(&detail).unwrap_or_default();
                Ok(AuditEntry { at: row.get(0)?, author: row.get(1)?, what: row.get(2)?, detail })
            })?;
            entries.collect()
        })
    }
}

/// Changes an alert; says whether it is different now.
pub(crate) fn change_one(
    connection: &Connection,
    id: &str,
    change: &Change,
    author: &str,
    now: Millis,
) -> rusqlite::Result<bool> {
    let its = "SELECT number, status, reason, assignees, tags FROM alerts WHERE id = ?1";
    let (number, status, reason, assignees, tags) =
        connection.prepare_cached(its)?.query_row([id], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
            ))
        })?;
    let is_changed = match change {
        Change::Acknowledge | Change::Close { .. } | Change::Reopen => {
            let new = change.status().map_or(status, WorkflowStatus::number);
            let new_reason = change.reason().map(|it| it.as_str().to_owned());
            let is_changed = new != status || new_reason != reason;
            if is_changed {
                let set = "UPDATE alerts SET status = ?2, reason = ?3, status_ms = ?4, status_by = ?5
                           WHERE number = ?1";
                connection.prepare_cached(set)?.execute(params![number, new, new_reason, now, author])?;
            }
            is_changed
        }
        Change::Assign { add, remove } => set_list(connection, number, ASSIGNEES, &assignees, (add, remove))?,
        Change::Tag { add, remove } => set_list(connection, number, TAGS, &tags, (add, remove))?,
        Change::Note(_) => true,
    };
    if is_changed {
        let set = "UPDATE alerts SET updated_ms = ?2, updated_by = ?3 WHERE number = ?1";
        connection.prepare_cached(set)?.execute(params![number, now, author])?;
        let log = "INSERT INTO audit (alert, at_ms, author, what, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
        let detail = change.detail().to_string();
        connection.prepare_cached(log)?.execute(params![number, now, author, change.as_str(), detail])?;
    }
    Ok(is_changed)
}

/// Adds to a list of an alert and takes from it; says whether it is different now.
fn set_list(
    connection: &Connection,
    number: i64,
    kind: i64,
    before: &str,
    (add, remove): (&[String], &[String]),
) -> rusqlite::Result<bool> {
    let before = list(before);
    let after = changed_list(&before, add, remove);
    if after == before {
        return Ok(false);
    }
    let text = Value::from(after.clone()).to_string();
    let column = if kind == ASSIGNEES { "assignees" } else { "tags" };
    let set = format!("UPDATE alerts SET {column} = ?2 WHERE number = ?1");
    connection.prepare_cached(&set)?.execute(params![number, text])?;
    let forget = "DELETE FROM labels WHERE kind = ?1 AND value = ?2 AND alert = ?3";
    for it in before.iter().filter(|it| !after.contains(it)) {
        connection.prepare_cached(forget)?.execute(params![kind, it, number])?;
    }
    let note = "INSERT OR IGNORE INTO labels (kind, value, alert) VALUES (?1, ?2, ?3)";
    for it in &after {
        connection.prepare_cached(note)?.execute(params![kind, it, number])?;
    }
    Ok(true)
}

/// A list without some and with others, each once.
pub(crate) fn changed_list(before: &[String], add: &[String], remove: &[String]) -> Vec<String> {
    let mut after: Vec<String> = before.iter().filter(|it| !remove.contains(it)).cloned().collect();
    for it in add {
        if !after.contains(it) {
            after.push(it.clone());
        }
    }
    after
}
