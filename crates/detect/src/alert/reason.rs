//! The sentence that sums up an alert.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use super::event::EventDocument;
use super::overrides::Overrides;

/// The paths that the sentence is made of.
pub(super) const PATHS: [&str; 10] = [
    "event.category",
    "process.name",
    "process.parent.name",
    "file.name",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "user.name",
    "host.name",
];

/// The reason, from the event's document and the overridden name and severity.
pub(super) fn reason(document: EventDocument<'_>, overrides: &Overrides<'_>) -> String {
    let get = |path| match document.plain_text(path) {
        Some(text) if !text.is_empty() => (text != "-").then_some(Cow::Borrowed(text)),
        // An empty text is missing, a list of one is not.
        _ => document.get(path).and_then(|value| printed(&value)).map(Cow::Owned),
    };
    let [process, parent, file] = ["process.name", "process.parent.name", "file.name"].map(get);
    let [source, source_port] = ["source.ip", "source.port"].map(get);
    let [destination, destination_port] = ["destination.ip", "destination.port"].map(get);
    let details = [&process, &parent, &file, &source, &source_port, &destination, &destination_port];
    let with = details.iter().any(|it| it.is_some());

    let mut text = String::new();
    let mut add = |before: &str, value: Option<Cow<'_, str>>, after: &str| {
        if let Some(value) = value {
            text.push_str(before);
            text.push_str(&value);
            text.push_str(after);
        }
    };
    add("", get("event.category"), " ");
    add("event", Some(Cow::default()), "");
    add(" with", with.then(Cow::default), "");
    add(" process ", process, ",");
    add(" parent process ", parent, ",");
    add(" file ", file, ",");
    add(" source ", source, "");
    add(":", source_port, ",");
    add(" destination ", destination, "");
    add(":", destination_port, ",");
    add(" by ", get("user.name"), "");
    add(" on ", get("host.name"), "");
    let _ = write!(text, " created {} alert {}.", overrides.severity.as_str(), overrides.name);
    text
}

/// What stands for the value in the sentence. Kibana takes what has no length for missing: a single number is,
/// a port in a text or an array is not.
fn printed(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(joined).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    let empty = match value {
        Value::Array(values) => values.is_empty(),
        _ => text.is_empty(),
    };
    (!empty && text != "-").then_some(text)
}

fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
