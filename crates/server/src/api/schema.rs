//! The schemas of `openapi.json`.

use serde_json::{Value, json};

/// All of them, but that of errors.
pub(super) fn schemas() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let list =
        |name: &str| json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}});
    json!({
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
            },
        },
        "Source": {
            "type": "object",
            "required": ["name", "account", "deliveries", "bytes"],
            "properties": {
                "name": text(), "type": {"type": ["string", "null"]}, "account": {"$ref": "#/components/schemas/Account"},
                "deliveries": count(), "bytes": count(), "last": {"type": ["string", "null"]},
                "silent_ms": {"type": ["integer", "null"]}, "failures": count(), "losses": count(),
                "waiting_files": count(), "path": text(),
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
        "Bulk": {
            "type": "object",
            "required": ["took", "errors", "items"],
            "properties": {"took": count(), "errors": {"type": "boolean"}, "items": {"type": "array", "items": {"type": "object"}}},
        },
    })
}
