//! OpenTelemetry: logs over HTTP, as JSON.

use ecs::Millis;
use serde_json::{Value, json};

use super::Message;
use crate::delivery::What;

/// A request to export a record for each that a message tells of.
pub fn otlp(message: &Message<'_>) -> Value {
    let delivery = message.delivery;
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    // Numbers of 64 bits are texts in JSON.
    let nanos = |time: Millis| format!("{}", i128::from(time) * 1_000_000);
    let records: Vec<Value> = delivery
        .items
        .iter()
        .zip(message.documents.iter().map(Some).chain(std::iter::repeat(None)))
        .map(|(item, document)| {
            let (number, severity) = match (delivery.what, item.severity.as_str()) {
                (What::Closed | What::Test, _) => (9, "INFO"),
                (What::Health, _) | (_, "high") => (17, "ERROR"),
                (_, "critical") => (21, "FATAL"),
                (_, "medium") => (13, "WARN"),
                (_, _) => (10, "INFO2"),
            };
            let mut attributes = vec![
                text("trailwarden.message.id", &delivery.id),
                text("trailwarden.message.type", delivery.what.as_str()),
            ];
            for (key, value) in [
                ("kibana.alert.uuid", item.alert.as_deref().unwrap_or_default()),
                ("kibana.alert.rule.rule_id", &item.rule_id),
                ("kibana.alert.rule.name", &item.rule),
                ("kibana.alert.severity", &item.severity),
            ] {
                if !value.is_empty() {
                    attributes.push(text(key, value));
                }
            }
            if let Some(document) = document.and_then(Option::as_ref) {
                let whole = Value::Object(document.clone()).to_string();
                attributes.push(text("trailwarden.alert", &whole));
            }
            json!({
                "timeUnixNano": nanos(item.time),
                "observedTimeUnixNano": nanos(delivery.made),
                "severityNumber": number,
                "severityText": severity,
                "body": {"stringValue": item.line},
                "attributes": attributes,
            })
        })
        .collect();
    json!({
        "resourceLogs": [{
            "resource": {"attributes": [text("service.name", "trailwarden"), text("service.version", message.version)]},
            "scopeLogs": [{"scope": {"name": "trailwarden.notify"}, "logRecords": records}],
        }],
    })
}
