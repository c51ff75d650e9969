//! The document of an alert as it is by now: as it was raised, with what became of it.

use ecs::date::to_iso;
use ecs::{Millis, Object};
use rusqlite::Row;
use serde_json::{Value, json};

use crate::report::Kind;
use crate::workflow::WorkflowStatus;

/// Makes of one list what is read of an alert, in which order, and what it becomes: a column cannot be taken for another.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $column:literal,)*) => {
        /// What [`AlertRow::of`] reads of [`ALERTS`], but for the last of it, which is the document, or `NULL` if it is not
        /// needed.
        pub(crate) const COLUMNS: &str = concat!($($column, ", ",)*);

        /// An alert as it lies in the database.
        pub(crate) struct AlertRow {
            $($(#[$doc])* pub(crate) $name: $type,)*
            /// The document as it was raised; empty if it was not asked for.
            pub(crate) raised: String,
        }

        impl AlertRow {
            pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
                let mut places = 0..;
                let mut next = || places.next().unwrap_or(usize::MAX);
                Ok(Self {
                    $($name: row.get(next())?,)*
                    raised: row.get::<_, Option<String>>(next())?.unwrap_or_default(),
                })
            }
        }
    };
}

/// The tables that [`COLUMNS`] stand in.
pub(crate) const ALERTS: &str = "alerts JOIN slots ON slots.id = alerts.slot
    LEFT JOIN alert_rules ON alert_rules.id = alerts.named";

columns! {
    number: i64 = "alerts.number",
    id: String = "alerts.id",
    slot: Millis = "alerts.slot_ms",
    time: Millis = "alerts.time_ms",
    severity: String = "alerts.severity",
    /// The `rule_id` and the name that its document has.
    rule_id: Option<String> = "alert_rules.rule_id",
    rule_name: Option<String> = "alert_rules.name",
    suppressed: i64 = "alerts.suppressed",
    suppressed_start: Option<Millis> = "alerts.suppressed_start_ms",
    suppressed_end: Option<Millis> = "alerts.suppressed_end_ms",
    last_detected: Option<Millis> = "alerts.last_detected_ms",
    status: WorkflowStatus = "alerts.status",
    status_at: Option<Millis> = "alerts.status_ms",
    status_by: Option<String> = "alerts.status_by",
    reason: Option<String> = "alerts.reason",
    assignees: String = "alerts.assignees",
    tags: String = "alerts.tags",
    updated: Option<Millis> = "alerts.updated_ms",
    updated_by: Option<String> = "alerts.updated_by",
    /// The silence that it was raised in.
    silence: Option<i64> = "alerts.silence",
    /// The incident that it belongs to.
    incident: Option<i64> = "alerts.incident",
    started: Millis = "slots.started_ms",
    kind: Kind = "slots.turn",
}

impl AlertRow {
    /// The document as it was raised.
    pub(crate) fn document(&self) -> Object {
        object(&self.raised)
    }

    /// The document as it is by now.
    /// `url` is where the server is that shows it.
    pub(crate) fn composed(&self, url: Option<&str>) -> Object {
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
        let texts =
            [("kibana.alert.workflow_user", &self.status_by), ("kibana.alert.workflow_reason", &self.reason)];
        for (key, text) in texts {
            if let Some(text) = text {
                set(key, text.as_str().into());
            }
        }
        if let Some(author) = &self.updated_by {
            let (name, id) = user(author);
            set("kibana.alert.updated_by.user.name", name.into());
            set("kibana.alert.updated_by.user.id", id.into());
        }
        if let Some(silence) = self.silence {
            set("kibana.alert.muted", true.into());
            set("trailwarden.silence.id", silence.to_string().into());
        }
        if let Some(incident) = self.incident {
            set("kibana.alert.case_ids", json!([incident.to_string()]));
        }
        if let Some(url) = url {
            set("kibana.alert.url", format!("{url}/api/v1/alerts/{}", self.id).into());
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

/// The name and the id of an author: `name (id)`, or one text for both.
fn user(author: &str) -> (&str, &str) {
    let id = author.strip_suffix(')').and_then(|it| it.rsplit_once(" ("));
    id.unwrap_or((author, author))
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
