//! The schemas of what is known of many alerts.

use serde_json::{Value, json};

fn text() -> Value {
    json!({"type": "string"})
}

fn maybe() -> Value {
    json!({"type": ["string", "null"]})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn list(name: &str) -> Value {
    json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}})
}

/// All of them.
pub(super) fn schemas() -> Value {
    let mut all = counted();
    for (name, schema) in grouped().as_object().into_iter().flatten() {
        all[name] = schema.clone();
    }
    all
}

fn counted() -> Value {
    json!({
        "Facets": {
            "type": "object",
            "required": ["total", "facets"],
            "properties": {"total": count(), "facets": {"type": "array", "items": {
                "type": "object",
                "required": ["field", "values", "other_values", "missing"],
                "properties": {
                    "field": text(), "other_values": count(), "missing": count(),
                    "values": {"type": "array", "items": {
                        "type": "object",
                        "required": ["value", "alerts"],
                        "properties": {"value": text(), "alerts": count()},
                    }},
                },
            }}},
        },
        "Histogram": {
            "type": "object",
            "required": ["interval_ms", "buckets"],
            "properties": {"interval_ms": count(), "buckets": {"type": "array", "items": {
                "type": "object",
                "required": ["from", "alerts", "low", "medium", "high", "critical"],
                "properties": {
                    "from": text(), "alerts": count(), "low": count(), "medium": count(), "high": count(),
                    "critical": count(),
                },
            }}},
        },
        "Quality": {"type": "object", "required": ["rules"], "properties": {"rules": {"type": "array", "items": {
            "type": "object",
            "required": ["rule_id", "name", "alerts", "open", "acknowledged", "closed", "silenced", "reasons", "judged", "false_positive_ratio"],
            "properties": {
                "rule_id": text(), "name": text(), "alerts": count(), "open": count(), "acknowledged": count(),
                "closed": count(), "silenced": count(), "reasons": {"type": "object"}, "judged": count(),
                "false_positive_ratio": {"type": ["number", "null"]},
            },
        }}}},
        "Feed": {
            "type": "object",
            "required": ["next", "alerts"],
            "properties": {"next": count(), "alerts": list("Alert")},
        },
    })
}

fn grouped() -> Value {
    json!({
        "Silence": {
            "type": "object",
            "required": ["id", "rule_id", "query", "reason", "author", "made", "until", "ended", "ended_by", "active", "alerts"],
            "properties": {
                "id": count(), "rule_id": maybe(), "query": maybe(), "reason": text(), "author": text(), "made": text(),
                "until": text(), "ended": maybe(), "ended_by": maybe(), "active": {"type": "boolean"}, "alerts": count(),
            },
        },
        "Silences": {"type": "object", "required": ["silences"], "properties": {"silences": list("Silence")}},
        "NewSilence": {
            "type": "object",
            "description": "It is about the alerts of a rule, those that satisfy a query (KQL), or both.",
            "required": ["reason", "until"],
            "additionalProperties": false,
            "properties": {
                "rule": {"type": "string", "minLength": 1}, "query": {"type": "string", "minLength": 1},
                "reason": {"type": "string", "minLength": 1}, "until": {"type": "string", "examples": ["now+4h"]},
            },
        },
        "ProposedException": {
            "type": "object",
            "required": ["rule_id", "entries", "expires", "hides"],
            "properties": {
                "rule_id": text(), "entries": {"type": "array", "items": {"type": "object"}}, "expires": maybe(),
                "hides": {"type": ["object", "null"], "properties": {
                    "since": text(), "alerts": count(), "ids": {"type": "array", "items": text()},
                }},
            },
        },
        "NewException": {
            "type": "object",
            "required": ["comment"],
            "additionalProperties": false,
            "properties": {
                "comment": {"type": "string", "minLength": 1, "maxLength": 16384},
                "expires": {"type": ["string", "null"], "description": "A date, date math such as now+30d, or null for never."},
                "entries": {"type": "array", "maxItems": 50, "items": {"type": "object"}, "description": "As Kibana's exception items have them; by default what is proposed."},
                "close": {"type": "boolean"}, "reason": text(),
            },
        },
        "Incident": {
            "type": "object",
            "description": "Alerts that one identity is behind.",
            "required": ["id", "root", "first", "last", "made", "status", "assignees", "alert_count", "rules", "severity"],
            "properties": {
                "id": count(), "root": text(), "first": text(), "last": text(), "made": text(), "status": text(),
                "reason": maybe(), "assignees": {"type": "array", "items": text()}, "updated": maybe(),
                "updated_by": maybe(), "alert_count": count(), "rules": {"type": "array", "items": text()},
                "severity": text(), "alerts": list("Alert"), "history": {"type": "array", "items": {"type": "object"}},
                "changed_alerts": count(),
            },
        },
        "Incidents": {
            "type": "object",
            "required": ["total", "from", "incidents"],
            "properties": {"total": count(), "from": count(), "incidents": list("Incident")},
        },
        "Log": {"type": "object", "required": ["log"], "properties": {"log": {"type": "array", "items": {
            "type": "object",
            "required": ["at", "author", "subject", "what", "detail"],
            "properties": {"at": text(), "author": text(), "subject": text(), "what": text(), "detail": {}},
        }}}},
    })
}
