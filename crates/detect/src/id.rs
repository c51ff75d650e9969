//! Alert ids, as Kibana makes them: the same event and rule give the same id anywhere.

use std::fmt::Write;

use serde_json::{Number, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The document version in ids. Kibana's searches do not ask for versions, so it is this word.
const VERSION: &str = "undefined";

/// The id of an alert that stands for one event.
pub(crate) fn event_alert(index: &str, id: &str, space_and_rule: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [index, id, VERSION, space_and_rule] {
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The id of an alert that stands for one event and its new terms.
pub(crate) fn new_terms_alert(index: &str, id: &str, space_and_rule: &str, terms: &[Value]) -> String {
    object_hash(&[
        index.into(),
        id.into(),
        VERSION.into(),
        space_and_rule.into(),
        Value::Array(terms.to_vec()),
    ])
}

/// The ids of the building blocks about the events of a sequence, each with its index.
pub(crate) fn building_blocks(events: &[(&str, &str)], rule: &str) -> Vec<String> {
    let mut all = Sha256::new();
    for (id, index) in events {
        for part in [id, index, rule] {
            all.update(part.as_bytes());
        }
    }
    let block = |at: usize| hex(&all.clone().chain_update(at.to_string().as_bytes()).finalize());
    (0..events.len()).map(block).collect()
}

/// The id of the shell around a sequence with these ancestors, each with its index.
pub(crate) fn shell(ancestors: &[(&str, &str)], rule: &str) -> String {
    let mut hasher = Sha256::new();
    for (id, index) in ancestors {
        hasher.update(id.as_bytes());
        hasher.update(index.as_bytes());
    }
    hasher.update(rule.as_bytes());
    hex(&hasher.finalize())
}

/// What the npm package `object-hash` makes, by default, of an array of texts, numbers, booleans, nulls and
/// arrays of such.
fn object_hash(values: &[Value]) -> String {
    let mut text = String::new();
    write_array(values, &mut text);
    hex(&Sha1::digest(text.as_bytes()))
}

fn write_array(values: &[Value], text: &mut String) {
    let _ = write!(text, "array:{}:", values.len());
    for value in values {
        let _ = match value {
            Value::Null => text.write_str("Null"),
            Value::Bool(it) => write!(text, "bool:{it}"),
            Value::Number(number) => write!(text, "number:{}", js_number(number)),
            Value::String(it) => write!(text, "string:{}:{it}", it.encode_utf16().count()),
            Value::Array(inner) => {
                // Only terms are nested here, and those are one level deep.
                write_array(inner, text);
                Ok(())
            }
            Value::Object(_) => unreachable!("no id contains an object"),
        };
    }
}

/// A value as JavaScript prints it among others.
pub(crate) fn js_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(it) => it.to_string(),
        Value::Number(number) => js_number(number),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(js_text).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

/// The number as JavaScript prints it, where every number is a double.
fn js_number(number: &Number) -> String {
    let double = number.as_f64().unwrap_or(f64::NAN);
    if double == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&double.abs()) {
        return double.to_string();
    }
    let text = format!("{double:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INDEX: &str = ".ds-logs-aws.cloudtrail-default-2026.08.01-000004";
    const DOCUMENT: &str = "AZkXx1t0Qm9vS2V5RXZlbnQx";
    const RULE: &str = "default:6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10";

    #[test]
    fn known_ids() {
        assert_eq!(
            event_alert(INDEX, DOCUMENT, RULE),
            "b8b3ca99ab88e1365eaf5033f317ff3aed6aad27f050cf6347d91483cc7f04bb"
        );
        assert_eq!(
            new_terms_alert(INDEX, DOCUMENT, RULE, &[json!("arn:aws:iam::111122223333:role/ci-deployer")]),
            "c4ee13d8bfa4d9128df1d86f55cea3aa8b9c09e0"
        );
    }

    #[test]
    fn known_ids_of_sequences() {
        let rule = "6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10";
        let blocks = building_blocks(&[("e1", "i1"), ("e2", "i1")], rule);
        assert_eq!(
            blocks,
            [
                "ea857ff8e2bf78198c64091caf9869af843651b582f422e65f3fec2268a9ca41",
                "9536e81930f33bbba96a3bf19299dfa3103510389000caabcff266ebd5a2dd97",
            ]
        );
        let ancestors = [("e1", "i1"), (&*blocks[0], ""), ("e2", "i1"), (&*blocks[1], "")];
        assert_eq!(
            shell(&ancestors, rule),
            "33096faddc114cb420b046c005d9b9a6d398ee19a60bdf6d07b8c5a679138f5b"
        );
    }

    #[test]
    fn known_object_hashes() {
        let cases = [
            (
                json!(["i", "d", "undefined", "default:r", ["a", 5, null]]),
                "0471d5e08a684ee28ee75b826c6802adf044ce11",
            ),
            (
                json!(["2026-08-01T00:00:00.000Z2026-08-01T00:06:00.000Z", "FROM logs", "default:r", 0]),
                "4733aa9c31e032fed49b375f80a0db0decf79433",
            ),
        ];
        for (values, expected) in cases {
            assert_eq!(object_hash(values.as_array().unwrap()), expected, "{values}");
        }
    }

    #[test]
    fn numbers_as_javascript_prints_them() {
        for (text, expected) in [
            ("5", "5"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("9007199254740993", "9007199254740992"),
            ("1e21", "1e+21"),
            ("1.5e-7", "1.5e-7"),
            ("123456789012345680000", "123456789012345680000"),
        ] {
            assert_eq!(js_number(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
