//! Alerts for Timesketch: events of a time line, a line each.

use serde_json::{Value, json};

use crate::csv_format::{harmless, line};
use crate::format::in_memory;
use crate::words::stamp;
use crate::{Alert, Format};

/// What the time is that of: Timesketch shows it beside each event.
const TIME_OF: &str = "Event that alerted";

/// The columns in CSV; the first three are those that Timesketch asks for.
const COLUMNS: [&str; 20] = [
    "message",
    "datetime",
    "timestamp_desc",
    "timestamp",
    "tag",
    "severity",
    "risk_score",
    "rule",
    "rule_id",
    "who",
    "source_ip",
    "action",
    "outcome",
    "account",
    "region",
    "new_terms",
    "grouped_by",
    "event_id",
    "detected_at",
    "alert_id",
];

/// The line of headings in CSV.
pub(crate) fn head() -> Vec<u8> {
    line(COLUMNS)
}

/// The line of an alert in either form.
pub(crate) fn row(format: Format, alert: Alert<'_>) -> Vec<u8> {
    let values = values(alert);
    if format == Format::TimesketchCsv {
        return line(values.iter().map(|value| harmless(&cell(value)).into_owned()));
    }
    // What is not known of an alert is not there.
    let members = COLUMNS.iter().zip(values).filter(|(_, value)| *value != json!("") && *value != json!([]));
    let object: serde_json::Map<_, _> = members.map(|(name, value)| ((*name).to_owned(), value)).collect();
    let mut text = in_memory(serde_json::to_vec(&object));
    text.push(b'\n');
    text
}

fn values(alert: Alert<'_>) -> [Value; COLUMNS.len()] {
    let text = |path| Value::from(alert.text(path).unwrap_or_default());
    let time = alert.time().unwrap_or_default();
    let tags = std::iter::once(alert.severity().into_owned());
    let tags: Vec<String> = tags.chain(alert.tactics().into_iter().map(str::to_owned)).collect();
    [
        alert.sentence().into(),
        stamp(time, "%Y-%m-%dT%H:%M:%S%.6f+00:00").into(),
        TIME_OF.into(),
        // In microseconds.
        time.saturating_mul(1000).into(),
        tags.into(),
        alert.severity().into(),
        alert.get("kibana.alert.risk_score").cloned().unwrap_or_else(|| "".into()),
        alert.rule_name().into(),
        alert.rule_id().into(),
        alert.who().into(),
        text("source.ip"),
        alert.what().into(),
        alert.outcome().into(),
        text("cloud.account.id"),
        text("cloud.region"),
        text("kibana.alert.new_terms"),
        alert.grouped_by().unwrap_or_default().into(),
        text("event.id"),
        text("@timestamp"),
        alert.id().into(),
    ]
}

/// A value in CSV; a list of tags as Timesketch reads one.
fn cell(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items =
                items.iter().filter_map(Value::as_str).map(|it| format!("'{}'", it.replace('\'', " ")));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
