//! An index of Elasticsearch or OpenSearch: each alert under its own id.

use serde_json::{Value, json};

use super::Message;
use crate::delivery::What;

/// The body of a `_bulk` request. An alert's id is that of its document: written twice, it is there once. What is no alert goes
/// under the message's id.
pub fn index(message: &Message<'_>, index: &str) -> String {
    let delivery = message.delivery;
    let mut body = String::new();
    for (at, item) in delivery.items.iter().enumerate() {
        let mut document = message.documents.get(at).and_then(Option::as_ref).cloned().unwrap_or_default();
        if document.is_empty() {
            document.insert("@timestamp".to_owned(), ecs::date::to_iso(item.time).into());
            document.insert("message".to_owned(), item.line.as_str().into());
            for (key, value) in [
                ("kibana.alert.uuid", item.alert.as_deref().unwrap_or_default()),
                ("kibana.alert.rule.rule_id", &item.rule_id),
                ("kibana.alert.rule.name", &item.rule),
                ("kibana.alert.severity", &item.severity),
            ] {
                if !value.is_empty() {
                    document.insert(key.to_owned(), value.into());
                }
            }
        }
        let id = item.alert.clone().unwrap_or_else(|| format!("{}-{at}", delivery.id));
        // What became of an alert since replaces what was written; but what was raised must not undo that.
        let action = match delivery.what {
            What::Closed | What::Suppressed => "index",
            What::Alert | What::Summary | What::Health | What::Test => "create",
        };
        body += &format!("{}\n{}\n", json!({action: {"_index": index, "_id": id}}), Value::Object(document));
    }
    body
}

/// What a `_bulk` request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexAnswer {
    /// All of it is there.
    Done,
    /// A document was refused.
    Refused(String),
    /// A document could not be written now.
    Busy(String),
    /// It cannot be read.
    Unclear,
}

/// Reads the answer to a `_bulk` request of so many documents.
pub fn index_answer(body: &Value, documents: usize) -> IndexAnswer {
    let Some(items) = body.get("items").and_then(Value::as_array) else { return IndexAnswer::Unclear };
    if items.len() != documents {
        return IndexAnswer::Unclear;
    }
    let (mut refused, mut busy) = (None, None);
    for item in items {
        let Some(told) = item.as_object().and_then(|it| it.values().next()) else {
            return IndexAnswer::Unclear;
        };
        let Some(status) = told.get("status").and_then(Value::as_u64) else { return IndexAnswer::Unclear };
        let reason = || {
            let error = told.get("error").map(|it| it.get("reason").unwrap_or(it));
            let text = error.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
            format!("{status} {}", text.unwrap_or_default())
        };
        match status {
            // 409: it is there already.
            200..=299 | 409 => {}
            429 | 401 | 403 | 500.. => busy = busy.or_else(|| Some(reason())),
            _ => refused = refused.or_else(|| Some(reason())),
        }
    }
    match (busy, refused) {
        (Some(busy), _) => IndexAnswer::Busy(busy),
        (None, Some(refused)) => IndexAnswer::Refused(refused),
        (None, None) => IndexAnswer::Done,
    }
}
