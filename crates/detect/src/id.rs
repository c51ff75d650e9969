//! Alert ids, as Kibana makes them: the same event and rule give the same id anywhere.

use std::fmt::Write;

use ecs::Millis;
use ecs::date::to_iso;
use serde_json::{Number, Value, json};
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

/// The id of an alert that stands for a group of events: the values of the group, and when it began and ended.
pub(crate) fn group_alert(
    index: &str,
    id: &str,
    space_and_rule: &str,
    terms: &[(String, Value)],
    (start, end): (Millis, Millis),
) -> String {
    let mut hash = ObjectHash::default();
    hash.array(7);
    for text in [index, id, VERSION, space_and_rule] {
        hash.string(text);
    }
    hash.pairs(terms);
    hash.date(start);
    hash.date(end);
    hash.finish()
}

/// The id of an alert of a threshold rule whose alerts are suppressed.
pub(crate) fn suppressed_threshold_alert(patterns: &str, counted: &str, space_and_rule: &str) -> String {
    let mut hash = ObjectHash::default();
    hash.array(3);
    for text in [patterns, counted, space_and_rule] {
        hash.string(text);
    }
    hash.finish()
}

/// The id of what suppresses one another: the alerts of a rule with these values of the fields that it groups by.
pub(crate) fn instance(terms: &[(String, Value)], rule: &str, space: &str) -> String {
    let mut hash = ObjectHash::default();
    hash.array(3);
    hash.pairs(terms);
    hash.string(rule);
    hash.string(space);
    hash.finish()
}

/// Fields with their values, as alerts have them.
pub(crate) fn pairs(terms: &[(String, Value)]) -> Value {
    terms.iter().map(|(field, value)| json!({"field": field, "value": value})).collect()
}

/// What the npm package `object-hash` makes, by default, of an array.
pub(crate) fn object_hash(values: &[Value]) -> String {
    let mut hash = ObjectHash::default();
    hash.values(values);
    hash.finish()
}

/// The text that `object-hash` makes a digest of.
#[derive(Default)]
struct ObjectHash {
    text: String,
    /// How many arrays, objects and dates it has seen: one that comes again is told by its number.
    seen: usize,
    /// The number of what objects are made of, once there was an object.
    prototype: Option<usize>,
}

impl ObjectHash {
    fn finish(self) -> String {
        hex(&Sha1::digest(self.text.as_bytes()))
    }

    fn array(&mut self, len: usize) {
        self.seen += 1;
        let _ = write!(self.text, "array:{len}:");
    }

    fn values(&mut self, values: &[Value]) {
        self.array(values.len());
        for it in values {
            self.value(it);
        }
    }

    fn date(&mut self, time: Millis) {
        self.seen += 1;
        let _ = write!(self.text, "date:{}", to_iso(time));
    }

    fn string(&mut self, text: &str) {
        let len = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        let _ = write!(self.text, "string:{len}:");
        self.text.push_str(text);
    }

    /// What [`pairs`] makes of fields and their values, without making it.
    fn pairs(&mut self, terms: &[(String, Value)]) {
        self.array(terms.len());
        for (field, value) in terms {
            self.begin_object(2);
            self.string("field");
            self.text.push(':');
            self.string(field);
            self.text.push(',');
            self.string("value");
            self.text.push(':');
            self.value(value);
            self.text.push(',');
        }
    }

    fn begin_object(&mut self, len: usize) {
        self.seen += 1;
        let _ = write!(self.text, "object:{}:", len + 3);
        self.made_of();
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.push_str("Null"),
            Value::Bool(it) => {
                let _ = write!(self.text, "bool:{it}");
            }
            Value::Number(number) => {
                let _ = write!(self.text, "number:{}", js_number(number));
            }
            Value::String(text) => self.string(text),
            Value::Array(values) => self.values(values),
            Value::Object(object) => {
                self.begin_object(object.len());
                for (key, value) in object {
                    self.string(key);
                    self.text.push(':');
                    self.value(value);
                    self.text.push(',');
                }
            }
        }
    }

    /// What every object says of how it was made: its prototype, which is an object itself, and the function that makes
    /// objects. Both come once, and then by their numbers.
    fn made_of(&mut self) {
        self.string("prototype");
        self.text.push_str(":Undefined,");
        self.string("__proto__");
        self.text.push(':');
        let prototype = if let Some(number) = self.prototype {
            self.string(&format!("[CIRCULAR:{number}]"));
            number
        } else {
            let number = self.seen;
            self.prototype = Some(number);
            self.seen += 2;
            self.text.push_str("object:3:");
            self.string("prototype");
            self.text.push_str(":Undefined,");
            self.string("__proto__");
            self.text.push_str(":Null,");
            self.string("constructor");
            self.text.push(':');
            self.maker();
            self.text.push_str("object:0:,");
            number
        };
        self.text.push(',');
        self.string("constructor");
        self.text.push(':');
        self.maker();
        self.string(&format!("[CIRCULAR:{}]", prototype + 1));
        self.text.push(',');
    }

    fn maker(&mut self) {
        self.text.push_str("fn:");
        self.string("[native]");
        self.string("function-name:Object");
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
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 0xf)]);
    }
    text
}

#[cfg(test)]
mod tests {
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
        let terms = [("user.name".to_owned(), json!(["alice"]))];
        assert_eq!(
            instance(&terms, "6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10", "default"),
            "90b014d287a8e1a1748db6e75ea8127b5a2c3486"
        );
    }

    #[test]
    fn pairs_are_hashed_as_the_list_of_objects_that_they_are() {
        let text = |field: &str, value: Value| (field.to_owned(), value);
        let all = [
            text("user.name", json!("ada")),
            text("source.ip", json!(null)),
            text("näme", json!(["𝄞", {"a": 1}])),
            text("", json!({"a": {"b": []}})),
        ];
        for first in 0..all.len() {
            for terms in [&all[first..], &all[..first]] {
                let plain = object_hash(&[pairs(terms), "rule".into(), "space".into()]);
                assert_eq!(instance(terms, "rule", "space"), plain, "{terms:?}");
            }
        }
        assert_eq!(
            suppressed_threshold_alert("logs-*", "é", "default:r"),
            object_hash(&["logs-*".into(), "é".into(), "default:r".into()])
        );
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
