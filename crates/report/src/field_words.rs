//! What people call the fields that alerts are grouped by and whose values are counted.

use std::borrow::Cow;

use serde_json::Value;

use crate::alert::{resource, text};

/// Fields with a word of their own: for one value, and for several.
const WORDS: &[(&str, &str, &str)] = &[
    ("actor.entity.id", "identity", "identities"),
    ("aws.cloudtrail.error_code", "error", "errors"),
    ("aws.cloudtrail.recipient_account_id", "account", "accounts"),
    ("aws.cloudtrail.user_identity.access_key_id", "access key", "access keys"),
    ("aws.cloudtrail.user_identity.arn", "identity", "identities"),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.arn", "role", "roles"),
    ("aws.cloudtrail.user_identity.type", "kind of identity", "kinds of identity"),
    ("cloud.account.id", "account", "accounts"),
    ("cloud.region", "region", "regions"),
    ("event.action", "call", "calls"),
    ("event.outcome", "outcome", "outcomes"),
    ("event.provider", "service", "services"),
    ("kibana.alert.rule.name", "rule", "rules"),
    ("kibana.alert.rule.rule_id", "rule", "rules"),
    ("kibana.alert.rule.threat.tactic.id", "tactic", "tactics"),
    ("kibana.alert.rule.threat.tactic.name", "tactic", "tactics"),
    ("kibana.alert.rule.threat.technique.id", "technique", "techniques"),
    ("kibana.alert.rule.threat.technique.name", "technique", "techniques"),
    ("kibana.alert.rule.uuid", "rule", "rules"),
    ("kibana.alert.severity", "severity", "severities"),
    ("source.address", "address", "addresses"),
    ("source.as.organization.name", "network", "networks"),
    ("source.geo.country_iso_code", "country", "countries"),
    ("source.geo.country_name", "country", "countries"),
    ("source.ip", "address", "addresses"),
    ("trailwarden.identity.root.access_key_id", "access key behind it", "access keys behind it"),
    ("trailwarden.identity.root.arn", "identity behind it", "identities behind it"),
    ("user.id", "user id", "user ids"),
    ("user.name", "user", "users"),
    ("user_agent.name", "client", "clients"),
    ("user_agent.original", "client", "clients"),
];

/// Payloads: the names below them are the service's own.
const PAYLOADS: [&str; 3] = [
    "aws.cloudtrail.flattened.request_parameters.",
    "aws.cloudtrail.flattened.response_elements.",
    "aws.cloudtrail.flattened.additional_eventdata.",
];

/// A group: `user ada`; of a field without a word, `user.domain: example.com`.
pub(crate) fn group(field: &str, value: &Value) -> String {
    let Some(value) = text(value) else { return format!("no {}", word(field).0) };
    if known(field).is_none() && payload(field).is_none() {
        return format!("{field}: {value}");
    }
    format!("{} {}", word(field).0, short(field, &value))
}

/// How many values were counted: `4 different calls`.
pub(crate) fn distinct(field: &str, count: &Value) -> String {
    let (one, many) = word(field);
    let is_one = count.as_u64() == Some(1);
    format!("{count} different {}", if is_one { one } else { many })
}

/// A value as people say it.
fn short<'v>(field: &str, value: &'v str) -> Cow<'v, str> {
    match field {
        "event.provider" => value.strip_suffix(".amazonaws.com").unwrap_or(value).into(),
        _ => resource(value),
    }
}

fn word(field: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    if let Some((one, many)) = known(field) {
        return (one.into(), many.into());
    }
    match payload(field) {
        Some(name) => (name.clone().into(), format!("{name}s").into()),
        None => (field.into(), format!("values of {field}").into()),
    }
}

fn known(field: &str) -> Option<(&'static str, &'static str)> {
    WORDS.iter().find(|(name, ..)| *name == field).map(|(_, one, many)| (*one, *many))
}

/// The words of a name in a payload: `bucketName` is a bucket name.
fn payload(field: &str) -> Option<String> {
    let name = PAYLOADS.iter().find_map(|it| field.strip_prefix(it))?;
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for it in name.chars() {
        if it.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            words.push(' ');
        }
        let is_inner = before.is_ascii_uppercase() && it.is_ascii_uppercase();
        words.push(if is_inner { it } else { it.to_ascii_lowercase() });
        before = it;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_in_words() {
        for (field, value, expected) in [
            ("user.name", json!("ada"), "user ada"),
            ("source.ip", json!(["203.0.113.9", "203.0.113.10"]), "address 203.0.113.9, 203.0.113.10"),
            (
                "aws.cloudtrail.user_identity.arn",
                json!("arn:aws:sts::111122223333:assumed-role/ci/build-7"),
                "identity assumed-role/ci/build-7",
            ),
            ("event.provider", json!("ec2.amazonaws.com"), "service ec2"),
            ("aws.cloudtrail.flattened.request_parameters.bucketName", json!("logs"), "bucket name logs"),
            ("user.domain", json!("example.com"), "user.domain: example.com"),
            ("user.name", json!(null), "no user"),
        ] {
            assert_eq!(group(field, &value), expected);
        }
        assert_eq!(distinct("event.action", &json!(4)), "4 different calls");
        assert_eq!(distinct("kibana.alert.rule.threat.tactic.id", &json!(3)), "3 different tactics");
        assert_eq!(distinct("user.domain", &json!(2)), "2 different values of user.domain");
    }
}
