//! Which index an event belongs to.

use std::sync::{Mutex, PoisonError};

use ecs::{ALERTS_INDEX, CLOUDTRAIL_INDEX, Object};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::record::Unreadable;

/// How many indices the events of one pass may belong to: more than one a day for many years. Every rule is asked about
/// every name, in every thread, so that names that somebody makes up would take much time and memory.
pub(crate) const INDICES_MAX: usize = 16_384;

/// The names of indices by number, the same for all threads.
#[derive(Debug)]
pub(crate) struct Indices(Mutex<Names>);

/// Names and their numbers, as far as a thread knows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: Vec<String>,
    numbers: FxHashMap<String, u32>,
}

impl Names {
    /// All of them, in the order of their numbers.
    pub(crate) fn all(&self) -> &[String] {
        &self.names
    }

    fn add(&mut self, name: &str) {
        self.numbers.insert(name.to_owned(), self.names.len() as u32);
        self.names.push(name.to_owned());
    }
}

/// The number of [`CLOUDTRAIL_INDEX`].
pub(crate) const CLOUDTRAIL: u32 = 0;

impl Default for Indices {
    fn default() -> Self {
        let mut names = Names::default();
        names.add(CLOUDTRAIL_INDEX);
        Self(Mutex::new(names))
    }
}

impl Indices {
    /// The number of a name; brings a thread's own copy of the names up to date. An error if there are too many.
    pub(crate) fn number(&self, name: &str, known: &mut Names) -> Result<u32, Unreadable> {
        if let Some(&number) = known.numbers.get(name) {
            return Ok(number);
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.numbers.contains_key(name) {
            if all.names.len() >= INDICES_MAX {
                return Err(Unreadable::Indices { name: name.to_owned(), limit: INDICES_MAX });
            }
            all.add(name);
        }
        for name in &all.names[known.names.len()..] {
            known.add(name);
        }
        Ok(all.numbers[name])
    }

    /// All names.
    pub(crate) fn names(&self) -> Names {
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
        let number = |name: &str, known: &mut Names| indices.number(name, known).unwrap();
        assert_eq!(number("b", &mut one), 1);
        assert_eq!(number("a", &mut two), 2);
        assert_eq!(number("b", &mut two), 1);
        assert_eq!(number(CLOUDTRAIL_INDEX, &mut one), CLOUDTRAIL);
        assert_eq!(number("a", &mut one), 2);
        assert_eq!(one.all(), two.all());
    }

    #[test]
    fn there_are_only_so_many() {
        let indices = Indices::default();
        let mut known = indices.names();
        for number in 1..INDICES_MAX {
            assert_eq!(indices.number(&format!("logs-{number}"), &mut known).unwrap(), number as u32);
        }
        let error = indices.number("one-more", &mut known).unwrap_err();
        assert_eq!(error.code(), "HUNT004");
        assert_eq!(indices.number("logs-7", &mut known).unwrap(), 7, "those that are known stay");
    }
}
