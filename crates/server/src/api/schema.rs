//! The schemas of `openapi.json`.

use live::{ClosingReason, WorkflowStatus};
use serde_json::{Value, json};

use super::alert_schema;

/// All of them, but that of errors.
pub(super) fn schemas() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let list =
        |name: &str| json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}});
    let mut all = json!({
        "Account": {
            "type": "object",
            "description": "What became of records: `read` is the sum of the others.",
            "required": ["read", "stored", "duplicate", "unreadable", "dropped"],
            "properties": {
                "read": count(), "stored": count(), "duplicate": count(), "unreadable": count(), "dropped": count(),
            },
        },
        "Trouble": {"type": "object", "required": ["code", "text"], "properties": {"code": text(), "text": text()}},
        "Stored": {
            "type": "object",
            "description": "Everything of it is on the disk.",
            "required": ["account"],
            "properties": {
                "account": {"$ref": "#/components/schemas/Account"},
                "troubles": list("Trouble"),
                "trouble_count": count(),
                "dead_letter": count(),
            },
        },
        "Reloaded": {
            "type": "object",
            "required": ["changed", "needs_restart"],
            "properties": {
                "changed": {"type": "array", "items": text()}, "needs_restart": {"type": "array", "items": text()},
            },
        },
        "LetterAccount": {
            "type": "object",
            "description": "What became of unreadable records: `received` is the sum of the six that follow.",
            "required": ["received", "waiting", "replayed", "repeated", "expired", "crowded_out", "discarded", "letters", "bytes", "oldest"],
            "properties": {
                "received": count(), "waiting": count(), "replayed": count(), "repeated": count(), "expired": count(),
                "crowded_out": count(), "discarded": count(), "letters": count(), "bytes": count(),
                "oldest": {"type": ["string", "null"]},
            },
        },
        "DeadLetter": {
            "type": "object",
            "required": ["id", "source", "from", "first", "last", "deliveries", "records", "code", "troubles", "contents", "bytes", "tries"],
            "properties": {
                "id": count(), "source": text(), "from": text(), "first": text(), "last": text(), "deliveries": count(),
                "records": count(), "code": text(), "troubles": {"type": "array", "items": text()},
                "contents": {"enum": ["records", "delivery", "nothing"]}, "bytes": count(), "tries": count(),
                "tried": {"type": ["string", "null"]},
            },
        },
        "DeadLetters": {
            "type": "object",
            "required": ["account", "from", "dead_letters"],
            "properties": {
                "account": {"$ref": "#/components/schemas/LetterAccount"}, "from": count(), "dead_letters": list("DeadLetter"),
            },
        },
        "Replayed": {
            "type": "object",
            "required": ["account", "dead_letter"],
            "properties": {
                "account": {"$ref": "#/components/schemas/Account"},
                "dead_letter": {"anyOf": [{"$ref": "#/components/schemas/DeadLetter"}, {"type": "null"}]},
            },
        },
        "ReplayedSeveral": {
            "type": "object",
            "required": ["replayed", "mended", "not_replayed", "account"],
            "properties": {
                "replayed": count(), "mended": count(), "not_replayed": count(),
                "account": {"$ref": "#/components/schemas/Account"},
            },
        },
        "Source": {
            "type": "object",
            "required": ["name", "account", "deliveries", "bytes"],
            "properties": {
                "name": text(), "type": {"type": ["string", "null"]}, "account": {"$ref": "#/components/schemas/Account"},
                "deliveries": count(), "bytes": count(), "last": {"type": ["string", "null"]},
                "silent_ms": {"type": ["integer", "null"]}, "failures": count(), "losses": count(),
                "waiting_files": count(), "path": text(), "connections": count(), "ended": {"type": "boolean"}, "dead_letters": {"$ref": "#/components/schemas/LetterAccount"},
                "trouble": {"type": ["object", "null"], "properties": {"at": text(), "text": text()}},
            },
        },
        "Sources": {"type": "object", "required": ["sources"], "properties": {"sources": list("Source")}},
        "Ready": {
            "type": "object",
            "required": ["ready", "obstacles"],
            "properties": {"ready": {"type": "boolean"}, "obstacles": {"type": "array", "items": text()}},
        },
        "Key": {
            "type": "object",
            "required": ["id", "name", "role", "created"],
            "properties": {"id": text(), "name": text(), "role": {"$ref": "#/components/schemas/Role"}, "created": text()},
        },
        "Keys": {"type": "object", "required": ["keys"], "properties": {"keys": list("Key")}},
        "Role": {"enum": crate::keys::Role::ALL.map(crate::keys::Role::as_str)},
        "KeyRequest": {
            "type": "object",
            "required": ["name", "role"],
            "additionalProperties": false,
            "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 128}, "role": {"$ref": "#/components/schemas/Role"}},
        },
        "NewKey": {
            "type": "object",
            "required": ["id", "name", "role", "created", "secret", "encoded"],
            "properties": {
                "id": text(), "name": text(), "role": {"$ref": "#/components/schemas/Role"}, "created": text(),
                "secret": text(), "encoded": text(),
            },
        },
        "Alert": {"type": "object", "description": "An alert's document, as Elastic's engine has it."},
        "Alerts": {
            "type": "object",
            "required": ["total", "silenced", "from", "alerts"],
            "properties": {"total": count(), "silenced": count(), "from": count(), "alerts": list("Alert")},
        },
        "AlertChange": change(&json!({})),
        "AlertChanges": change(&json!({"ids": {"type": "array", "minItems": 1, "maxItems": 1000, "items": text()}})),
        "Changed": {
            "type": "object",
            "required": ["changed", "unchanged"],
            "properties": {"changed": {"type": "array", "items": text()}, "unchanged": {"type": "array", "items": text()}},
        },
        "History": {"type": "object", "required": ["history"], "properties": {"history": {"type": "array", "items": {
            "type": "object",
            "required": ["at", "author", "what", "detail"],
            "properties": {"at": text(), "author": text(), "what": text(), "detail": {}},
        }}}},
        "Rules": {
            "type": "object",
            "required": ["rules", "refused"],
            "properties": {"rules": {"type": "array", "items": {"type": "object"}}, "refused": {"type": "array", "items": {"type": "object"}}},
        },
        "Executions": {"type": "object", "required": ["executions"], "properties": {"executions": {"type": "array", "items": {"type": "object"}}}},
        "Gaps": {"type": "object", "required": ["gaps"], "properties": {"gaps": {"type": "array", "items": {"type": "object"}}}},
        "Bulk": {
            "type": "object",
            "required": ["took", "errors", "items"],
            "properties": {"took": count(), "errors": {"type": "boolean"}, "items": {"type": "array", "items": {"type": "object"}}},
        },
    });
    for more in [alert_schema::schemas(), rules(), notifications()] {
        for (name, schema) in more.as_object().into_iter().flatten() {
            all[name] = schema.clone();
        }
    }
    all
}

/// What is sent and told of rules.
fn rules() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    json!({
        "Rule": {
            "type": "object",
            "description": "A rule as Kibana has it; of a change, the fields that change.",
            "properties": {
                "id": text(), "rule_id": text(), "name": text(), "description": text(), "type": text(), "enabled": {"type": "boolean"},
                "severity": {"enum": ["low", "medium", "high", "critical"]},
                "risk_score": {"type": "integer", "minimum": 0, "maximum": 100},
                "query": text(), "language": text(), "interval": text(), "from": text(), "to": text(),
                "index": {"type": "array", "items": text()}, "tags": {"type": "array", "items": text()},
            },
        },
        "ExecutionRange": {
            "type": "object",
            "required": ["from"],
            "additionalProperties": false,
            "properties": {"from": text(), "to": {"type": ["string", "null"]}},
        },
        "Executed": {
            "type": "object",
            "required": ["state"],
            "properties": {"state": {"enum": ["done", "stopped", "running"]}, "slots": count(), "executions": count(), "alerts": count()},
        },
    })
}

/// A change of alerts, with more members beside it.
fn change(beside: &Value) -> Value {
    let names = || json!({"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 256}});
    let both = || json!({"type": "object", "additionalProperties": false, "properties": {"add": names(), "remove": names()}});
    let mut properties = json!({
        "status": {"enum": WorkflowStatus::ALL.map(WorkflowStatus::as_str)},
        "reason": {"enum": ClosingReason::ALL.map(ClosingReason::as_str), "description": "Why it is closed."},
        "assignees": both(),
        "tags": both(),
        "note": {"type": "string", "minLength": 1, "maxLength": 16384},
    });
    let required: Vec<String> = beside.as_object().into_iter().flatten().map(|it| it.0.clone()).collect();
    for (name, schema) in beside.as_object().into_iter().flatten() {
        properties[name] = schema.clone();
    }
    json!({
        "type": "object",
        "description": "One of status, assignees, tags and note.",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// Those of notifications.
fn notifications() -> Value {
    let text = || json!({"type": "string"});
    json!({
        "Notifications": {
            "type": "object",
            "required": ["receivers", "conditions"],
            "properties": {"receivers": {"type": "array", "items": {"type": "object"}}, "conditions": {"type": "array", "items": {"type": "object"}}},
        },
        "Messages": {
            "type": "object",
            "required": ["state", "messages"],
            "properties": {"state": text(), "messages": {"type": "array", "items": {"type": "object"}}},
        },
        "Retry": {
            "type": "object",
            "additionalProperties": false,
            "properties": {"receiver": text(), "ids": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string", "minLength": 1}}},
        },
        "Again": {"type": "object", "required": ["again"], "properties": {"again": {"type": "integer", "minimum": 0}}},
        "ReceiverTest": {"type": "object", "required": ["receiver"], "additionalProperties": false, "properties": {"receiver": text()}},
        "ReceiverTested": {
            "type": "object",
            "required": ["receiver", "delivered", "answer"],
            "properties": {"receiver": text(), "delivered": {"type": "boolean"}, "answer": text()},
        },
    })
}
