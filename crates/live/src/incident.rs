//! Incidents: alerts that belong together, because one identity is behind them.
//!
//! What begins an incident is an alert of a rule over alerts that says who is behind those it stands on
//! (`trailwarden.identity.root.arn`): a rule of the pack does when several rules alert on one within some hours. The incident
//! is of that identity. The alerts that the rule looked at belong to it, and so do those that follow until nothing happened for
//! [`QUIET`], or somebody closes it. An alert belongs to one incident at most.

use ecs::{Millis, Object};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use crate::actions::{ENGINE, act};
use crate::alerts::{change_one, changed_list};
use crate::compose::list;
use crate::schema::Refusal;
use crate::workflow::{AuditEntry, Change, WorkflowStatus};
use crate::{Book, LiveError};

/// The field that names who is behind an alert.
pub(crate) const ROOT: &str = "trailwarden.identity.root.arn";

/// An incident goes on as long as no more time than this lies between two alerts.
pub const QUIET: Millis = 6 * 3_600_000;

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub id: i64,
    /// Who is behind it: an ARN.
    pub root: String,
    /// The time of the first event that its alerts are about,
    pub first: Millis,
    /// and of the last.
    pub last: Millis,
    /// When it was noticed: the slot of the alert that began it.
    pub made: Millis,
    /// What became of it.
    pub status: WorkflowStatus,
    /// Why it was closed.
    pub reason: Option<String>,
    /// Who looks after it.
    pub assignees: Vec<String>,
    /// When it was last changed, and by whom.
    pub updated: Option<(Millis, String)>,
    /// How many alerts belong to it,
    pub alerts: u64,
    /// of which rules, by name,
    pub rules: Vec<String>,
    /// and the highest severity among them.
    pub severity: String,
}

/// What an incident is made of.
const COLUMNS: &str = "incidents.id, root, first_ms, last_ms, made_ms, incidents.status, incidents.reason,
    incidents.assignees, incidents.updated_ms, incidents.updated_by,
    (SELECT count(*) FROM alerts WHERE incident = incidents.id) AS alerts,
    (SELECT json_group_array(name) FROM (
        SELECT DISTINCT name FROM alerts JOIN alert_rules ON alert_rules.id = named
        WHERE incident = incidents.id ORDER BY name
    )) AS rules,
    (SELECT severity FROM alerts WHERE incident = incidents.id
     ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END LIMIT 1
    ) AS severity";

impl Incident {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let updated_by: Option<String> = row.get("updated_by")?;
        Ok(Self {
            id: row.get("id")?,
            root: row.get("root")?,
            first: row.get("first_ms")?,
            last: row.get("last_ms")?,
            made: row.get("made_ms")?,
            status: row.get("status")?,
            reason: row.get("reason")?,
            assignees: list(&row.get::<_, String>("assignees")?),
            updated: row.get::<_, Option<Millis>>("updated_ms")?.zip(updated_by),
            alerts: row.get::<_, i64>("alerts")? as u64,
            rules: list(&row.get::<_, String>("rules")?),
            severity: row.get::<_, Option<String>>("severity")?.unwrap_or_default(),
        })
    }
}

impl Book {
    /// Incidents, those with the newest events first: how many there are, and those that are asked for (all, if `limit` is
    /// 0).
    pub fn incidents(
        &self,
        status: Option<WorkflowStatus>,
        (offset, limit): (usize, usize),
    ) -> Result<(u64, Vec<Incident>), LiveError> {
        let status = status.map(WorkflowStatus::number);
        let limit = if limit == 0 { -1 } else { limit as i64 };
        let text = format!(
            "SELECT {COLUMNS} FROM incidents WHERE ?1 IS NULL OR status = ?1
             ORDER BY last_ms DESC, id DESC LIMIT ?2 OFFSET ?3"
        );
        self.database.ask(|it| {
            let count = "SELECT count(*) FROM incidents WHERE ?1 IS NULL OR status = ?1";
            let total: i64 = it.query_row(count, [status], |row| row.get(0))?;
            let mut statement = it.prepare_cached(&text)?;
            let found = statement.query_map(params![status, limit, offset as i64], Incident::of)?;
            Ok((total as u64, found.collect::<Result<_, _>>()?))
        })
    }

    /// An incident.
    pub fn incident(&self, id: i64) -> Result<Incident, LiveError> {
        let text = format!("SELECT {COLUMNS} FROM incidents WHERE id = ?1");
        let found = self.database.ask(|it| it.query_row(&text, [id], Incident::of).optional())?;
        found.ok_or(LiveError::NoIncident { id })
    }

    /// What was done with an incident as one, the oldest first.
    pub fn incident_history(&self, id: i64) -> Result<Vec<AuditEntry>, LiveError> {
        let text = "SELECT at_ms, author, what, detail FROM actions WHERE subject = ?1 ORDER BY id";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let entries = statement.query_map([subject(id)], |row| {
                let detail: String = row.get("detail")?;
                let detail = serde_json::from_str(&detail).unwrap_or_default();
                Ok(AuditEntry { at: row.get(0)?, author: row.get(1)?, what: row.get(2)?, detail })
            })?;
            entries.collect()
        })
    }

    /// Changes an incident and all its alerts alike, in one transaction; says how many alerts are different now.
    pub fn change_incident(
        &mut self,
        id: i64,
        change: &Change,
        author: &str,
        now: Millis,
    ) -> Result<u64, LiveError> {
        let before = self.incident(id)?;
        self.database.change(|it| {
            let ids: Vec<String> = it
                .prepare_cached("SELECT id FROM alerts WHERE incident = ?1 ORDER BY number")?
                .query_map([id], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut changed = 0;
            for alert in &ids {
                changed += u64::from(change_one(it, alert, change, author, now)?);
            }
            let Incident { mut status, mut reason, mut assignees, .. } = before.clone();
            match change {
                Change::Acknowledge | Change::Close { .. } | Change::Reopen => {
                    status = change.status().unwrap_or(status);
                    reason = change.reason().map(|it| it.as_str().to_owned());
                }
                Change::Assign { add, remove } => assignees = changed_list(&assignees, add, remove),
                Change::Tag { .. } | Change::Note(_) => {}
            }
            let is_same = status == before.status && reason == before.reason && assignees == before.assignees;
            let is_about_alerts = matches!(change, Change::Tag { .. } | Change::Note(_));
            if is_same && !is_about_alerts && changed == 0 {
                return Ok::<_, Refusal>(0);
            }
            let set = "UPDATE incidents SET status = ?2, reason = ?3, assignees = ?4, updated_ms = ?5,
                       updated_by = ?6 WHERE id = ?1";
            let assignees = Value::from(assignees).to_string();
            it.execute(set, params![id, status.number(), reason, assignees, now, author])?;
            let mut detail = change.detail();
            detail["alerts"] = changed.into();
            act(it, now, author, &subject(id), change.as_str(), &detail)?;
            Ok(changed)
        })
    }
}

fn subject(id: i64) -> String {
    format!("incident {id}")
}

/// Who is behind an alert, as its document says.
pub(crate) fn root(document: &Object) -> Option<String> {
    let text = |it: &Value| ecs::document::first(it).and_then(Value::as_str).map(str::to_owned);
    let own = ecs::document::lookup(document, ROOT).and_then(text);
    // A rule that counts says it among what it counted by.
    own.or_else(|| {
        let terms = ecs::document::list(ecs::alert::field(document, "threshold_result.terms"));
        let term = terms.iter().find(|it| it.get("field").is_some_and(|field| field == ROOT))?;
        term.get("value").and_then(text)
    })
}

/// Since when a rule over alerts looked at those that its alert stands on.
pub(crate) fn looked_from(document: &Object) -> Option<Millis> {
    ecs::alert::field(document, "threshold_result.from").and_then(ecs::document::date)
}

/// An alert that was just written.
pub(crate) struct Member<'a> {
    pub(crate) id: &'a str,
    pub(crate) root: &'a str,
    pub(crate) time: Millis,
    pub(crate) slot: Millis,
    /// If it begins an incident: since when alerts belong to it.
    pub(crate) from: Option<Millis>,
}

/// Puts an alert into the incident that it belongs to, if it does, or begins one with it.
pub(crate) fn join(connection: &Connection, alert: &Member<'_>) -> rusqlite::Result<()> {
    let Member { id, root, time, slot, from } = *alert;
    // How far apart alerts are goes by when they were raised: what they are about may come in long after it happened.
    let since = from.unwrap_or(slot).min(slot);
    let find = "SELECT id FROM incidents WHERE root = ?1 AND status <> ?2 AND slot_ms >= ?3 AND made_ms <= ?4
                ORDER BY slot_ms DESC, id DESC LIMIT 1";
    let closed = WorkflowStatus::Closed.number();
    let values = params![root, closed, since.saturating_sub(QUIET), slot.saturating_add(QUIET)];
    let known: Option<i64> =
        connection.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()?;
    if known.is_none() && from.is_none() {
        return Ok(());
    }
    // What a rule over alerts looked at says when it happened; its own alert is about these.
    let mut span = (time, time);
    if from.is_some() {
        let looked_at = "SELECT min(time_ms), max(time_ms) FROM alerts
            WHERE root = ?1 AND slot_ms BETWEEN ?2 AND ?3 AND rule <> (SELECT rule FROM alerts WHERE id = ?4)";
        let values = params![root, since, slot, id];
        let found = connection.prepare_cached(looked_at)?.query_row(values, |row| {
            Ok(row.get::<_, Option<Millis>>(0)?.zip(row.get::<_, Option<Millis>>(1)?))
        })?;
        span = found.unwrap_or(span);
    }
    let incident = if let Some(known) = known {
        let extend = "UPDATE incidents SET first_ms = min(first_ms, ?2), last_ms = max(last_ms, ?3),
                      slot_ms = max(slot_ms, ?4) WHERE id = ?1";
        connection.prepare_cached(extend)?.execute(params![known, span.0, span.1, slot])?;
        known
    } else {
        let add =
            "INSERT INTO incidents (root, first_ms, last_ms, made_ms, slot_ms) VALUES (?1, ?2, ?3, ?4, ?4)";
        connection.prepare_cached(add)?.execute(params![root, span.0, span.1, slot])?;
        let incident = connection.last_insert_rowid();
        act(connection, slot, ENGINE, &subject(incident), "begin", &json!({"root": root, "alert": id}))?;
        incident
    };
    let own = "UPDATE alerts SET incident = ?2 WHERE id = ?1 AND incident IS NULL";
    connection.prepare_cached(own)?.execute(params![id, incident])?;
    if from.is_some() {
        let others = "UPDATE alerts SET incident = ?1 WHERE root = ?2 AND slot_ms BETWEEN ?3 AND ?4
                      AND incident IS NULL AND status <> ?5";
        connection.prepare_cached(others)?.execute(params![incident, root, since, slot, closed])?;
    }
    Ok(())
}
