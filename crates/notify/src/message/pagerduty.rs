//! `PagerDuty`: Events API v2.

use serde_json::{Map, Value, json};

use super::Message;
use crate::delivery::What;
use crate::template::Escape;
use crate::words::harmless;

/// The longest summary that is taken,
const SUMMARY_MAX: usize = 1_000;
/// and the longest key.
const KEY_MAX: usize = 255;

/// The events of a message. One for an alert, under the alert's id; one for several, under the message's; one for each that was
/// closed, which resolves it.
pub fn pagerduty(message: &Message<'_>, routing_key: &str) -> Vec<Value> {
    let delivery = message.delivery;
    let key = |it: &str| it.chars().take(KEY_MAX).collect::<String>();
    if delivery.what == What::Closed {
        let ids = delivery.items.iter().filter_map(|it| it.alert.as_deref());
        let resolve =
            |id: &str| json!({"routing_key": routing_key, "event_action": "resolve", "dedup_key": key(id)});
        return ids.map(resolve).collect();
    }
    let dedup = match delivery.items.as_slice() {
        [item] if delivery.what != What::Summary => item.alert.as_deref().unwrap_or(&delivery.id),
        _ => &delivery.id,
    };
    let severity = match message.worst() {
        Some("critical") => "critical",
        // Nothing: what is not well with detection itself.
        Some("high") | None => "error",
        Some("medium") => "warning",
        Some(_) => "info",
    };
    let telling = message.telling();
    let mut details = Map::new();
    let mut links = Vec::new();
    if let Some(telling) = &telling {
        for (name, value) in &telling.facts {
            details.insert((*name).to_owned(), value.as_str().into());
        }
        details.insert("When".to_owned(), telling.time.as_str().into());
        details.insert("Severity".to_owned(), telling.severity.as_str().into());
        details.insert("Alert".to_owned(), telling.id.as_str().into());
        details.extend(telling.step.iter().map(|it| ("First step".to_owned(), Value::from(it.as_str()))));
        links.extend(telling.link.iter().map(|it| json!({"href": it, "text": "Open the alert"})));
    } else {
        let (lines, left) = message.lines();
        let lines: Vec<Value> = lines.into_iter().map(|it| Value::from(it.0)).collect();
        details.insert("alerts".to_owned(), lines.into());
        details.insert("left_out".to_owned(), left.into());
    }
    let line = delivery.items.first().filter(|_| delivery.items.len() == 1).map(|it| harmless(&it.line));
    let summary = message.param("summary", Escape::Plain).or_else(|| {
        // The line of an alert begins with its rule.
        let severity = delivery.items.first().map_or(String::new(), |it| it.severity.to_uppercase());
        line.filter(|_| delivery.what == What::Alert).map(|it| format!("[{severity}] {it}"))
    });
    let summary = super::shortened(&summary.unwrap_or_else(|| message.title()), SUMMARY_MAX);
    let time = delivery.items.first().map_or(delivery.made, |it| it.time);
    let group = delivery.items.first().map(|it| it.rule_id.as_str()).filter(|it| !it.is_empty());
    vec![json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": key(dedup),
        "client": "Trailwarden",
        "payload": {
            "summary": summary,
            "source": "trailwarden",
            "severity": severity,
            "timestamp": ecs::date::to_iso(time),
            "component": "cloudtrail",
            "group": group,
            "class": delivery.what.as_str(),
            "custom_details": details,
        },
        "links": links,
    })]
}
