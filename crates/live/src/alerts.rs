//! Alerts: found, and changed.

use ecs::{Catalog, Millis, Object};
use plan::naive::Evaluator;
use rule::QueryLanguage;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use crate::compose::{AlertRow, COLUMNS, list};
use crate::schema::Refusal;
use crate::workflow::{AuditEntry, Change, WorkflowStatus};
use crate::{Book, LiveError};

/// Which alerts.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// KQL over their documents; empty for all.
    pub query: String,
    /// What became of them.
    pub status: Option<WorkflowStatus>,
    /// The first slot,
    pub since: Option<Millis>,
    /// and the first that is not wanted any more.
    pub until: Option<Millis>,
    /// So many of those that are found are left out,
    pub offset: usize,
    /// and so many are given then; all, if this is 0.
    pub limit: usize,
    /// What `now` in the query stands for.
    pub now: Millis,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct FoundAlerts {
    /// How many there are in all.
    pub total: u64,
    /// Those that were asked for, the newest first.
    pub alerts: Vec<Object>,
}

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
        let text =
            format!("SELECT {COLUMNS} FROM alerts JOIN slots ON slots.id = alerts.slot WHERE alerts.id = ?1");
        self.database.ask(|it| it.query_row(&text, [&id], AlertRow::of)).map(|it| it.composed())
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

    /// The alerts that are wanted.
    pub fn search(&self, search: &Search) -> Result<FoundAlerts, LiveError> {
        let mut found = FoundAlerts::default();
        let limit = if search.limit == 0 { usize::MAX } else { search.limit };
        let wanted = search.offset..search.offset.saturating_add(limit);
        self.each(search, &mut |row, document| {
            let at = found.total as usize;
            found.total += 1;
            if wanted.contains(&at) {
                found.alerts.push(document.unwrap_or_else(|| row.composed()));
            }
        })?;
        Ok(found)
    }

    /// The ids of the alerts that are wanted, the newest first.
    pub fn ids(&self, search: &Search) -> Result<Vec<String>, LiveError> {
        let mut ids = Vec::new();
        self.each(search, &mut |row, _| ids.push(row.id))?;
        Ok(ids)
    }

    /// Gives each alert that is wanted, with its document, if that was made on the way.
    fn each(&self, search: &Search, take: &mut dyn FnMut(AlertRow, Option<Object>)) -> Result<(), LiveError> {
        let query = search.query.trim();
        let evaluator = if query.is_empty() {
            None
        } else {
            let condition = rule::check_query(QueryLanguage::Kuery, query, &Catalog::ecs());
            Some(Evaluator::new(&condition.map_err(LiveError::Query)?.at(search.now)))
        };
        let text = format!(
            "SELECT {COLUMNS} FROM alerts JOIN slots ON slots.id = alerts.slot
             WHERE alerts.slot_ms >= ?1 AND alerts.slot_ms < ?2 AND (?3 IS NULL OR alerts.status = ?3)
             ORDER BY alerts.slot_ms DESC, alerts.number DESC"
        );
        let (since, until) = (search.since.unwrap_or(Millis::MIN), search.until.unwrap_or(Millis::MAX));
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(&text)?;
            let status = search.status.map(WorkflowStatus::number);
            let mut rows = statement.query(params![since, until, status])?;
            while let Some(row) = rows.next()? {
                let row = AlertRow::of(row)?;
                let Some(evaluator) = &evaluator else {
                    take(row, None);
                    continue;
                };
                let mut document = row.composed();
                // What stands beside a document in an index.
                document.insert("_id".to_owned(), row.id.as_str().into());
                document.insert("_index".to_owned(), ecs::ALERTS_INDEX.into());
                if evaluator.matches(&document) {
                    document.shift_remove("_id");
                    document.shift_remove("_index");
                    take(row, Some(document));
                }
            }
            Ok(())
        })
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
fn change_one(
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
            let new_reason = match change {
                Change::Close { reason } => reason.map(|it| it.as_str().to_owned()),
                Change::Acknowledge
                | Change::Reopen
                | Change::Assign { .. }
                | Change::Tag { .. }
                | Change::Note(_) => None,
            };
            let is_changed = new != status || new_reason != reason;
            if is_changed {
                let set = "UPDATE alerts SET status = ?2, reason = ?3, status_ms = ?4, status_by = ?5
                           WHERE number = ?1";
                connection.prepare_cached(set)?.execute(params![number, new, new_reason, now, author])?;
            }
            is_changed
        }
        Change::Assign { add, remove } => set_list(connection, number, "assignees", &assignees, add, remove)?,
        Change::Tag { add, remove } => set_list(connection, number, "tags", &tags, add, remove)?,
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
    column: &str,
    before: &str,
    add: &[String],
    remove: &[String],
) -> rusqlite::Result<bool> {
    let before = list(before);
    let mut after: Vec<String> = before.iter().filter(|it| !remove.contains(it)).cloned().collect();
    for it in add {
        if !after.contains(it) {
            after.push(it.clone());
        }
    }
    if after == before {
        return Ok(false);
    }
    let text = Value::from(after).to_string();
    let set = format!("UPDATE alerts SET {column} = ?2 WHERE number = ?1");
    connection.prepare_cached(&set)?.execute(params![number, text])?;
    Ok(true)
}
