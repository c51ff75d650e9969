//! What templates can name.

use serde_json::{Value, json};

use super::Message;

/// The values for a template: our own names, and those of Kibana's actions for detection rules.
pub fn context(message: &Message<'_>) -> Value {
    let delivery = message.delivery;
    let documents: Vec<Value> = message.documents.iter().flatten().cloned().map(Value::Object).collect();
    let first = documents.first().and_then(Value::as_object);
    let of = |path: &str| first.and_then(|it| ecs::document::lookup(it, path)).cloned().unwrap_or_default();
    let rule_id = delivery.items.first().map_or("", |it| it.rule_id.as_str());
    // Kibana has some of these in two spellings.
    let rule = json!({
        "id": of("kibana.alert.rule.uuid"),
        "rule_id": rule_id,
        "name": delivery.items.first().map_or("", |it| it.rule.as_str()),
        "description": of("kibana.alert.rule.description"),
        "severity": of("kibana.alert.rule.severity"),
        "risk_score": of("kibana.alert.rule.risk_score"),
        "riskScore": of("kibana.alert.rule.risk_score"),
        "type": of("kibana.alert.rule.type"),
        "tags": of("kibana.alert.rule.tags"),
        "references": of("kibana.alert.rule.references"),
        "false_positives": of("kibana.alert.rule.false_positives"),
        "note": of("kibana.alert.rule.note"),
        "version": of("kibana.alert.rule.version"),
        "threat": of("kibana.alert.rule.threat"),
        "params": of("kibana.alert.rule.parameters"),
    });
    let count = delivery.items.len();
    let lines: Vec<Value> = delivery
        .items
        .iter()
        .map(|it| {
            json!({
                "alert": it.alert, "rule_id": it.rule_id, "rule": it.rule, "severity": it.severity,
                "time": ecs::date::to_iso(it.time), "line": it.line,
            })
        })
        .collect();
    let link = first.and_then(crate::words::link);
    let all = json!({"count": count, "data": documents});
    let none = json!({"count": 0, "data": []});
    json!({
        "id": delivery.id,
        "what": delivery.what.as_str(),
        "title": message.title(),
        "text": message.plain(),
        "count": count,
        "severity": message.worst(),
        "link": link,
        "items": lines,
        "alert": first,
        "date": ecs::date::to_iso(message.now),
        "kibanaBaseUrl": "",
        "rule": rule,
        "context": {"rule": rule, "alerts": documents, "results_link": link},
        "state": {"signals_count": count},
        "alerts": {"new": all, "all": all, "ongoing": none, "recovered": none},
    })
}
