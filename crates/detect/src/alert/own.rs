//! What an alert says of its own, as JSON: nearly always it is only written.

use std::fmt::Write as _;
use std::ops::Range;

use ecs::text::write_text;
use serde_json::Value;

use super::{Asked, OWN_KEYS};

/// What an alert says beyond its event and its rule: the JSON texts of values, of which one behind the other is made
/// faster than a tree, each at one of [`OWN_KEYS`].
#[derive(Debug)]
pub(super) struct OwnFields {
    text: String,
    /// For each key where its value stands. An alert without one has an empty text there, which is no JSON.
    places: [Range<usize>; OWN_KEYS.len()],
}

impl OwnFields {
    /// The JSON text of the value at the key of this place in [`OWN_KEYS`].
    pub(super) fn text(&self, at: usize) -> Option<&str> {
        Some(&self.text[self.places[at].clone()]).filter(|it| !it.is_empty())
    }

    /// The keys that have a value, in order, each with its JSON text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        OWN_KEYS.iter().enumerate().filter_map(|(at, key)| Some((*key, self.text(at)?)))
    }

    /// The same, as parts of a document.
    pub(super) fn values(&self) -> impl Iterator<Item = (String, Value)> {
        // What is written as JSON here can be read as such.
        self.texts().map(|(key, text)| (key.to_owned(), ecs::json::parse(text).unwrap_or_default()))
    }
}

/// Takes the values of an alert's own fields, one after the other, as far as they are asked for.
pub(super) struct OwnWriter<'a> {
    fields: OwnFields,
    asked: &'a Asked,
    /// The place of the next key.
    next: usize,
}

/// About what an alert's own fields take.
pub(super) const OWN_BYTES: usize = 2 << 10;

impl<'a> OwnWriter<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        let text = String::with_capacity(OWN_BYTES);
        Self { fields: OwnFields { text, places: [const { 0..0 }; OWN_KEYS.len()] }, asked, next: 0 }
    }

    /// The value of the next key is what `write` appends: nothing, if the alert has none.
    pub(super) fn field(&mut self, key: &'static str, write: impl FnOnce(&mut String)) {
        let (at, text) = (self.next, &mut self.fields.text);
        debug_assert_eq!(OWN_KEYS.get(at), Some(&key), "keys come in order");
        self.next += 1;
        // Most of it takes longer to make than to ask for.
        if self.asked.has_own(at) {
            let start = text.len();
            write(text);
            self.fields.places[at] = start..text.len();
        }
    }

    /// All of them.
    pub(super) fn finish(self) -> OwnFields {
        debug_assert_eq!(self.next, OWN_KEYS.len(), "each key had its turn");
        self.fields
    }
}

/// Appends a value as JSON.
pub(super) fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            _ = write!(out, "{value}");
        }
    }
}
