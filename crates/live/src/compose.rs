//! The document of an alert as it is by now: as it was raised, with what became of it.

use ecs::date::to_iso;
use ecs::{Millis, Object};
use rusqlite::Row;
use serde_json::{Value, json};

use crate::report::Kind;
use crate::workflow::WorkflowStatus;

/// What [`AlertRow::of`] reads, of `alerts` joined with `slots`.
pub(crate) const COLUMNS: &str = "alerts.number, alerts.id, alerts.slot_ms, alerts.time_ms, alerts.document,
    alerts.suppressed, alerts.suppressed_start_ms, alerts.suppressed_end_ms, alerts.last_detected_ms, alerts.status,
    alerts.status_ms, alerts.status_by, alerts.reason, alerts.assignees, alerts.tags, alerts.updated_ms,
    alerts.updated_by, slots.started_ms, slots.turn";

/// An alert as it lies in the database.
pub(crate) struct AlertRow {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) slot: Millis,
    pub(crate) time: Millis,
    /// As it was raised.
    pub(crate) raised: String,
    suppressed: i64,
    suppressed_start: Option<Millis>,
    suppressed_end: Option<Millis>,
    last_detected: Option<Millis>,
    status: WorkflowStatus,
    status_at: Option<Millis>,
    status_by: Option<String>,
    reason: Option<String>,
    assignees: String,
    tags: String,
    updated: Option<Millis>,
    updated_by: Option<String>,
    started: Millis,
    kind: Kind,
}

impl AlertRow {
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            slot: row.get(2)?,
            time: row.get(3)?,
            raised: row.get(4)?,
            suppressed: row.get(5)?,
            suppressed_start: row.get(6)?,
            suppressed_end: row.get(7)?,
            last_detected: row.get(8)?,
            status: WorkflowStatus::of(row.get(9)?),
            status_at: row.get(10)?,
            status_by: row.get(11)?,
            reason: row.get(12)?,
            assignees: row.get(13)?,
            tags: row.get(14)?,
            updated: row.get(15)?,
            updated_by: row.get(16)?,
            started: row.get(17)?,
            kind: if row.get::<_, i64>(18)? == 0 { Kind::Scheduled } else { Kind::Manual },
        })
    }

    /// The document as it was raised.
    pub(crate) fn document(&self) -> Object {
        object(&self.raised)
    }

    /// The document as it is by now.
    pub(crate) fn composed(&self) -> Object {
        let mut alert = self.document();
        executed(&mut alert, self.started, self.kind);
        self.put_suppressed(&mut alert);
        let mut set = |key: &str, value: Value| drop(alert.insert(key.to_owned(), value));
        set("kibana.alert.workflow_status", self.status.as_str().into());
        set("kibana.alert.workflow_tags", list(&self.tags).into());
        set("kibana.alert.workflow_assignee_ids", list(&self.assignees).into());
        let dates = [
            ("kibana.alert.workflow_status_updated_at", self.status_at),
            ("kibana.alert.updated_at", self.updated),
        ];
        for (key, time) in dates {
            if let Some(time) = time {
                set(key, to_iso(time).into());
            }
        }
        let texts = [
            ("kibana.alert.workflow_user", &self.status_by),
            ("kibana.alert.workflow_reason", &self.reason),
            ("kibana.alert.updated_by.user.name", &self.updated_by),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                set(key, text.as_str().into());
            }
        }
        alert.sort_keys();
        alert
    }

    /// The line that says of an alert what executions must know of it.
    pub(crate) fn known(&self) -> String {
        let mut alert = self.document();
        self.put_suppressed(&mut alert);
        if self.status == WorkflowStatus::Closed {
            alert.insert("kibana.alert.workflow_status".to_owned(), "closed".into());
        }
        Value::Object(alert).to_string()
    }

    /// What it stands for by now.
    fn put_suppressed(&self, alert: &mut Object) {
        if self.suppressed == 0 {
            return;
        }
        let count = ecs::alert::field(alert, "suppression.docs_count").and_then(Value::as_i64).unwrap_or(0);
        alert.insert("kibana.alert.suppression.docs_count".to_owned(), json!(count + self.suppressed));
        for (key, time) in [
            ("kibana.alert.suppression.start", self.suppressed_start),
            ("kibana.alert.suppression.end", self.suppressed_end),
            ("kibana.alert.last_detected", self.last_detected),
        ] {
            let Some(time) = time else { continue };
            let own = alert.get(key).and_then(ecs::document::date).unwrap_or(time);
            let time = if key.ends_with("start") { own.min(time) } else { own.max(time) };
            alert.insert(key.to_owned(), to_iso(time).into());
        }
    }
}

/// Says in an alert which execution raised it.
pub(crate) fn executed(alert: &mut Object, started: Millis, kind: Kind) {
    alert.insert("kibana.alert.rule.execution.timestamp".to_owned(), to_iso(started).into());
    alert.insert("kibana.alert.rule.execution.type".to_owned(), kind.as_str().into());
}

/// A document that this crate wrote.
pub(crate) fn object(text: &str) -> Object {
    match ecs::json::parse(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Object::new(),
    }
}

/// A list of texts that this crate wrote.
pub(crate) fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
