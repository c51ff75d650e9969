//! What of a document says that it is an alert, and whose.

use serde_json::Value;

use crate::Object;
use crate::document::{first, list, lookup};

/// A field of a document that is an alert. Those of before Kibana 8 say `signal` for `kibana.alert`.
pub fn field<'a>(document: &'a Object, path: &str) -> Option<&'a Value> {
    lookup(document, &format!("kibana.alert.{path}")).or_else(|| lookup(document, &format!("signal.{path}")))
}

/// The id that only an alert has.
pub fn id(document: &Object) -> Option<&str> {
    let nested = || document.get("kibana")?.get("alert")?.get("uuid");
    first(document.get("kibana.alert.uuid").or_else(nested)?)?.as_str()
}

/// The object ids of the rules that raised an alert and those it comes from; nothing of a document that is no alert.
pub fn lineage(document: &Object) -> Vec<String> {
    // Most documents are no alerts, and this is asked of all.
    if !document.keys().any(|key| key.starts_with("kibana") || key.starts_with("signal")) {
        return Vec::new();
    }
    // Before Kibana 8 it was `signal.rule.id`.
    let own = field(document, "rule.uuid").or_else(|| field(document, "rule.id"));
    let ancestors = list(field(document, "ancestors")).iter().filter_map(|it| it.get("rule"));
    own.into_iter().chain(ancestors).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The [`lineage`] of an alert as it is built here, with its fields at keys with dots.
pub fn lineage_of<'a>(field: impl Fn(&str) -> Option<&'a Value>) -> Vec<String> {
    let own = field("kibana.alert.rule.uuid");
    let ancestors = list(field("kibana.alert.ancestors")).iter().filter_map(|it| it.get("rule"));
    own.into_iter().chain(ancestors).filter_map(Value::as_str).map(str::to_owned).collect()
}
