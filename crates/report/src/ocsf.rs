//! Alerts as Detection Findings of the Open Cybersecurity Schema Framework.

use ecs::Millis;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::Alert;
use crate::format::in_memory;

/// The version of the schema.
const SCHEMA_VERSION: &str = "1.3.0";

/// The paths of an alert's event that a finding says something of; those of every line are among them.
pub(crate) const EVENT_PATHS: [&str; 24] = [
    "@timestamp",
    "aws.cloudtrail.error_code",
    "aws.cloudtrail.error_message",
    "aws.cloudtrail.request_id",
    "aws.cloudtrail.user_identity.access_key_id",
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.invoked_by",
    "aws.cloudtrail.user_identity.session_context.creation_date",
    "aws.cloudtrail.user_identity.session_context.mfa_authenticated",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    "aws.cloudtrail.user_identity.type",
    "cloud.account.id",
    "cloud.region",
    "event.action",
    "event.id",
    "event.outcome",
    "event.provider",
    "service.name",
    "source.address",
    "source.geo.country_iso_code",
    "source.ip",
    "user.id",
    "user.name",
    "user_agent.original",
];

/// The finding of an alert, in one line.
pub(crate) fn line(alert: Alert<'_>) -> Vec<u8> {
    let mut text = in_memory(serde_json::to_vec(&finding(alert)));
    text.push(b'\n');
    text
}

fn finding(alert: Alert<'_>) -> Value {
    let text = |path| alert.text(path).map_or(Value::Null, Value::from);
    let (severity_id, severity) = severity(&alert.severity());
    let detected = text("@timestamp").as_str().and_then(millis);
    let evidence = evidence(alert);
    let observables = observables(alert);
    with_values(json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "time": alert.time().or(detected).unwrap_or_default(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "message": alert.sentence(),
        "risk_score": alert.get("kibana.alert.risk_score"),
        "count": alert.count(),
        "metadata": {
            "version": SCHEMA_VERSION,
            "uid": alert.id(),
            "profiles": ["cloud"],
            "product": {
                "name": "Trailwarden",
                "vendor_name": "Trailwarden",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
        "cloud": {
            "provider": "AWS",
            "region": text("cloud.region"),
            "account": { "uid": text("cloud.account.id"), "type": "AWS Account", "type_id": 10 },
        },
        "finding_info": {
            "uid": alert.id(),
            "title": alert.rule_name(),
            "desc": text("kibana.alert.rule.description"),
            "created_time": detected,
            "first_seen_time": alert.time(),
            "analytic": {
                "uid": alert.rule_id(),
                "name": alert.rule_name(),
                "type": "Rule",
                "type_id": 1,
                "version": text("kibana.alert.rule.version"),
            },
            "attacks": attacks(alert),
        },
        "evidences": if evidence.is_null() { Value::Null } else { json!([evidence]) },
        "observables": observables,
        "unmapped": {
            "event_id": text("event.id"),
            "user_agent": text("user_agent.original"),
            "new_terms": alert.get("kibana.alert.new_terms"),
            "grouped_by": alert.grouped_by(),
        },
    }))
}

/// What a severity is called there, and its number.
fn severity(name: &str) -> (u8, &'static str) {
    match name {
        "low" => (2, "Low"),
        "medium" => (3, "Medium"),
        "high" => (4, "High"),
        "critical" => (5, "Critical"),
        _ => (0, "Unknown"),
    }
}

/// The call: who, what, from where, how it ended. Null for what has no event of its own, such as a count.
fn evidence(alert: Alert<'_>) -> Value {
    let text = |path| alert.text(path).map_or(Value::Null, Value::from);
    if alert.text("event.action").is_none() {
        return Value::Null;
    }
    let identity = |key: &str| {
        let path = format!("aws.cloudtrail.user_identity.{key}");
        alert.text(&path).map_or(Value::Null, Value::from)
    };
    let type_id = match alert.text("aws.cloudtrail.user_identity.type").as_deref() {
        Some("Root") => 2,
        Some("AWSService") => 3,
        Some("IAMUser") => 1,
        Some(_) => 99,
        None => 0,
    };
    let mfa = alert.text("aws.cloudtrail.user_identity.session_context.mfa_authenticated");
    let created = identity("session_context.creation_date").as_str().and_then(millis);
    json!({
        "actor": {
            "user": {
                "name": text("user.name"),
                "uid": identity("arn").as_str().map_or_else(|| text("user.id"), Value::from),
                "type": identity("type"),
                "type_id": type_id,
                "credential_uid": identity("access_key_id"),
            },
            "session": {
                "issuer": identity("session_context.session_issuer.arn"),
                "created_time": created,
                "is_mfa": mfa.map(|it| it == "true"),
            },
            "invoked_by": identity("invoked_by"),
        },
        "api": {
            "operation": text("event.action"),
            "service": { "name": text("event.provider") },
            "request": { "uid": text("aws.cloudtrail.request_id") },
            "response": {
                "error": text("aws.cloudtrail.error_code"),
                "error_message": text("aws.cloudtrail.error_message"),
            },
        },
        "src_endpoint": source(alert),
    })
}

/// The address, or the service that called.
fn source(alert: Alert<'_>) -> Value {
    let text = |path| alert.text(path).map_or(Value::Null, Value::from);
    match alert.text("source.ip") {
        Some(ip) => json!({ "ip": ip, "location": { "country": text("source.geo.country_iso_code") } }),
        None => json!({ "svc_name": text("source.address") }),
    }
}

fn attacks(alert: Alert<'_>) -> Vec<Value> {
    let named = |it: &Value| json!({ "uid": it.get("id"), "name": it.get("name") });
    let threats = alert.get("kibana.alert.rule.threat").and_then(Value::as_array).into_iter().flatten();
    let mut attacks = Vec::new();
    for threat in threats {
        let tactic = threat.get("tactic").map(named);
        let techniques = threat.get("technique").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if techniques.is_empty() {
            attacks.push(json!({ "tactic": tactic }));
        }
        for technique in techniques {
            let below = technique.get("subtechnique").and_then(Value::as_array);
            let below = below.map_or(&[][..], Vec::as_slice);
            let attack = |sub: Option<Value>| json!({ "tactic": tactic, "technique": named(technique), "sub_technique": sub });
            attacks.extend(below.iter().map(|sub| attack(Some(named(sub)))));
            attacks.extend(below.is_empty().then(|| attack(None)));
        }
    }
    attacks
}

/// What others search for.
fn observables(alert: Alert<'_>) -> Vec<Value> {
    [
        ("evidences[].src_endpoint.ip", 2, "IP Address", "source.ip"),
        ("evidences[].actor.user.name", 4, "User Name", "user.name"),
    ]
    .into_iter()
    .filter_map(|(name, type_id, kind, path)| {
        let value = alert.text(path)?;
        Some(json!({ "name": name, "type_id": type_id, "type": kind, "value": value }))
    })
    .collect()
}

fn millis(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Without what is not known: nulls, and what holds nothing else.
fn with_values(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().map(|(key, value)| (key, with_values(value)));
            Value::Object(kept.filter(|(_, value)| says_something(value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(with_values).filter(says_something).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
