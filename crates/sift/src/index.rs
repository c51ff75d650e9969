//! Which index an event belongs to.

use std::sync::{Mutex, PoisonError};

use ecs::{ALERTS_INDEX, CLOUDTRAIL_INDEX, Object};
use serde_json::Value;

/// The names of indices by number, the same for all threads.
#[derive(Debug)]
pub(crate) struct Indices(Mutex<Vec<String>>);

/// The number of [`CLOUDTRAIL_INDEX`].
pub(crate) const CLOUDTRAIL: u32 = 0;

impl Default for Indices {
    fn default() -> Self {
        Self(Mutex::new(vec![CLOUDTRAIL_INDEX.to_owned()]))
    }
}

impl Indices {
    /// The number of a name; brings a thread's own copy of the names up to date.
    pub(crate) fn number(&self, name: &str, known: &mut Vec<String>) -> u32 {
        if let Some(at) = known.iter().position(|it| it == name) {
            return at as u32;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|it| it == name).unwrap_or_else(|| {
            all.push(name.to_owned());
            all.len() - 1
        });
        known.clone_from(&all);
        at as u32
    }

    /// All names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The index a document belongs to, if nothing beside it says so: its data stream, or that of its dataset.
pub(crate) fn index_of(document: &Object) -> String {
    let text = |path: &str| {
        let mut found = None;
        ecs::document::values(document, path, ecs::Shape::Leaf, |value| {
            if let ecs::Scalar::Str(text) = value {
                found.get_or_insert_with(|| text.to_owned());
            }
        });
        found
    };
    if let Some(Value::String(index)) = document.get("_index")
        && !index.is_empty()
    {
        return index.clone();
    }
    // What a hunt wrote may lie where the next one reads; an alert carries the fields of its event.
    if ecs::alert::id(document).is_some() {
        return ALERTS_INDEX.to_owned();
    }
    let kind = text("data_stream.type").unwrap_or_else(|| "logs".to_owned());
    let namespace = text("data_stream.namespace").unwrap_or_else(|| "default".to_owned());
    match text("data_stream.dataset").or_else(|| text("event.dataset")) {
        Some(dataset) => format!("{kind}-{dataset}-{namespace}"),
        None => format!("{kind}-generic-{namespace}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dataset_names_the_index() {
        let of = |document: Value| index_of(document.as_object().unwrap());
        assert_eq!(of(json!({"event": {"dataset": "aws.cloudtrail"}})), CLOUDTRAIL_INDEX);
        assert_eq!(
            of(json!({"data_stream.dataset": "okta.system", "data_stream": {"namespace": "eu"}})),
            "logs-okta.system-eu"
        );
        assert_eq!(of(json!({"_index": "mine", "event.dataset": "x"})), "mine");
        assert_eq!(of(json!({})), "logs-generic-default");
        assert_eq!(of(json!({"kibana.alert.uuid": "1", "event.dataset": "x"})), ALERTS_INDEX);
        assert_eq!(of(json!({"kibana": {"alert": {"uuid": "1"}}})), ALERTS_INDEX);
    }

    #[test]
    fn names_have_one_number() {
        let indices = Indices::default();
        let (mut one, mut two) = (indices.names(), indices.names());
        assert_eq!(indices.number("b", &mut one), 1);
        assert_eq!(indices.number("a", &mut two), 2);
        assert_eq!(indices.number("b", &mut two), 1);
        assert_eq!(indices.number(CLOUDTRAIL_INDEX, &mut one), CLOUDTRAIL);
    }
}
