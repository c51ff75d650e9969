//! The JSON Schema of rule files, for editors.

use serde_json::{Map, Value, json};

use crate::format::{Entry, FIELDS, Form, GUIDE, Need, TEST_FILE, TYPES, languages};
use crate::layout::{MATURITIES, METADATA_DATES, TRANSFORMS};

/// The JSON Schema (draft 2020-12) of a rule file in TOML, its table `[guide]` included. Made of the same table
/// that the checks use.
pub fn schema() -> Value {
    let mut rule = table(FIELDS, true);
    if let Some(properties) = rule.get_mut("properties").and_then(Value::as_object_mut) {
        // How rule files say what new terms are; the form of the API is read, too.
        properties.insert("new_terms".to_owned(), new_terms());
        properties.insert("threat_mappings".to_owned(), threat_mappings());
        if let Some(property) = properties.get_mut("language").and_then(Value::as_object_mut) {
            property.insert("default".to_owned(), "kuery".into());
        }
    }
    rule["allOf"] = TYPES.iter().map(|type_name| for_type(type_name)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trailwarden rule file",
        "description": "A detection rule in the layout of Elastic's public rule repository, with our table `[guide]`.",
        "type": "object",
        "required": ["rule"],
        "properties": {
            "metadata": metadata(),
            "rule": rule,
            "transform": {
                "type": "object",
                "description": "Queries that the note refers to as `$investigate_0` and `$osquery_0`.",
                "properties": TRANSFORMS
                    .map(|list| (list.to_owned(), json!({ "type": "array", "items": { "type": "object" } })))
                    .into_iter()
                    .collect::<Map<_, _>>(),
                "additionalProperties": false,
            },
            "tests": tests(),
            "guide": described(table(GUIDE, true), "How to triage and respond: prose that is also data."),
        },
        "additionalProperties": false,
    })
}

/// What a rule of one type must have, and may not.
fn for_type(type_name: &str) -> Value {
    let mut required = Vec::new();
    let mut properties = Map::new();
    for entry in FIELDS {
        if matches!(entry.need, Need::RequiredFor(types) if types.contains(&type_name))
            || (matches!(entry.need, Need::Required) && entry.types.is_some() && entry.belongs(type_name))
        {
            required.push(entry.name);
        }
        // An empty value is how a field is written that is not used.
        if !entry.belongs(type_name) && entry.name != "language" {
            properties.insert(entry.name.to_owned(), json!({ "enum": ["", [], null] }));
        }
    }
    properties.insert("language".to_owned(), json!({ "enum": languages(type_name) }));
    let mut then = json!({ "properties": properties });
    if type_name == "new_terms" {
        let rest: Vec<_> = required
            .iter()
            .filter(|name| !matches!(**name, "new_terms_fields" | "history_window_start"))
            .collect();
        then["required"] = json!(rest);
        then["anyOf"] = json!([{ "required": ["new_terms"] }, { "required": ["new_terms_fields", "history_window_start"] }]);
    } else {
        then["required"] = json!(required);
        then["properties"]["new_terms"] = json!(false);
    }
    json!({
        "if": { "properties": { "type": { "const": type_name } }, "required": ["type"] },
        "then": then,
    })
}

fn table(entries: &[Entry], closed: bool) -> Value {
    let properties: Map<String, Value> =
        entries.iter().map(|entry| (entry.name.to_owned(), property(entry))).collect();
    let required: Vec<&str> = entries
        .iter()
        .filter(|entry| matches!(entry.need, Need::Required) && entry.types.is_none())
        .map(|entry| entry.name)
        .collect();
    let mut table = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    if closed {
        table["additionalProperties"] = Value::Bool(false);
    }
    table
}

fn property(entry: &Entry) -> Value {
    let mut property = described(form(entry.form), entry.doc);
    if let Some(default) = entry.default {
        property["default"] = serde_json::from_str(default).expect("the defaults of the format are JSON");
    }
    if let Some(types) = entry.types {
        property["description"] = format!("{} Types: {}.", entry.doc, types.join(", ")).into();
    }
    property
}

fn form(form: Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Words => json!({ "type": "string", "pattern": r"\S" }),
        Form::Choice(words) => json!({ "type": "string", "enum": words }),
        Form::TextOrTexts { max } => json!({ "anyOf": [{ "type": "string" }, texts(0, max)] }),
        Form::Texts { min, max } => texts(min, max),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Integer { min, max } => {
            let mut integer = json!({ "type": "integer", "minimum": min });
            if max != i64::MAX {
                integer["maximum"] = max.into();
            }
            integer
        }
        Form::Duration => json!({ "type": "string", "pattern": "^0*[1-9][0-9]*[smhd]$" }),
        Form::Window => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Form::DateMath => json!({
            "type": "string",
            "pattern": r"^(now|[0-9]{4}[^|]*(\|\||$))(([-+][0-9]*|/)(ms|[yMwdhms]))*$",
        }),
        Form::Table(entries) => table(entries, true),
        Form::Tables { entries, min } => {
            let mut tables = json!({ "type": "array", "items": table(entries, true) });
            if min > 0 {
                tables["minItems"] = min.into();
            }
            tables
        }
        Form::Objects => json!({ "type": "array", "items": { "type": "object" } }),
        Form::Object => json!({ "type": "object" }),
        Form::Any => json!({}),
    }
}

fn texts(min: usize, max: usize) -> Value {
    let mut texts = json!({ "type": "array", "items": { "type": "string" } });
    if min > 0 {
        texts["minItems"] = min.into();
    }
    if max != usize::MAX {
        texts["maxItems"] = max.into();
    }
    texts
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn new_terms() -> Value {
    let fields = crate::format::field("new_terms_fields").map_or_else(|| json!({}), |entry| form(entry.form));
    json!({
        "type": "object",
        "description": "Which fields must have values not seen before, and since when. Types: new_terms.",
        "required": ["field", "value", "history_window_start"],
        "properties": {
            "field": { "const": "new_terms_fields" },
            "value": fields,
            "history_window_start": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["field", "value"],
                    "properties": {
                        "field": { "const": "history_window_start" },
                        "value": form(Form::DateMath),
                    },
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}

fn threat_mappings() -> Value {
    let threat = crate::format::field("threat").map_or_else(|| json!({}), |entry| form(entry.form));
    json!({
        "type": "array",
        "description": "`threat` for several versions of a framework; the newest counts.",
        "items": {
            "type": "object",
            "properties": {
                "framework": { "type": "string" },
                "version": { "type": ["string", "number"] },
                "threat": threat,
            },
        },
    })
}

/// `[[tests]]` have the form of those in a test file.
fn tests() -> Value {
    TEST_FILE.iter().find(|entry| entry.name == "tests").map_or(json!(false), property)
}

/// `[metadata]` belongs to whoever keeps the rule: its fields are described, others allowed.
fn metadata() -> Value {
    let date = json!({ "type": "string", "pattern": "^[0-9]{4}/[0-9]{2}/[0-9]{2}$" });
    json!({
        "type": "object",
        "description": "About the file, not part of the rule.",
        "properties": {
            METADATA_DATES[0]: described(date.clone(), "When the file was made."),
            METADATA_DATES[1]: described(date.clone(), "When it was last changed."),
            METADATA_DATES[2]: described(date, "When the rule was given up."),
            "maturity": {
                "type": "string",
                "enum": MATURITIES,
                "description": "How far the rule is.",
            },
            "integration": {
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
                "description": "Where its events come from.",
            },
        },
        "additionalProperties": true,
    })
}
