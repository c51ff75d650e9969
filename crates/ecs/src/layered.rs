//! Documents that have much in common.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::Object;
use crate::text::write_text;

/// Top-level fields that documents have in common: kept once, and once written as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedFields {
    /// By key.
    fields: Object,
    /// `"key":value` of all, with a comma between two.
    text: String,
    /// Where each of them stands.
    places: Vec<Range<usize>>,
}

impl SharedFields {
    /// Over these fields.
    pub fn new(mut fields: Object) -> Self {
        fields.sort_keys();
        let mut text = String::new();
        let mut places = Vec::with_capacity(fields.len());
        for (key, value) in &fields {
            if !text.is_empty() {
                text.push(',');
            }
            let start = text.len();
            write_text(key, &mut text);
            text += &format!(":{value}");
            places.push(start..text.len());
        }
        Self { fields, text, places }
    }

    /// Those with keys that `is_picked` picks.
    #[must_use]
    pub fn only(&self, is_picked: impl Fn(&str) -> bool) -> Self {
        let picked = self.fields.iter().filter(|(key, _)| is_picked(key));
        Self::new(picked.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// The keys, in order, each with the place in [`Self::text`] of `"key":value`.
    pub fn places(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.fields.keys().map(String::as_str).zip(self.places.iter().cloned())
    }

    /// All fields as JSON, with a comma between two.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A document with fields of its own and fields that it shares; its keys are in order. Where both have a key, the
/// shared one counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    own: Object,
    shared: Arc<SharedFields>,
}

impl Layered {
    /// A document of these.
    pub fn new(mut own: Object, shared: Arc<SharedFields>) -> Self {
        own.sort_keys();
        Self { own, shared }
    }

    /// The fields of its own, without those that it shares.
    pub fn own(&self) -> &Object {
        &self.own
    }

    /// The value of a top-level key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.shared.fields.get(key).or_else(|| self.own.get(key))
    }

    /// The top-level keys and their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let shared = self.shared.fields.iter();
        merge(&self.own, shared, |it| it.0).map(|entry| match entry {
            Entry::Own(key, value) | Entry::Shared((key, value)) => (key.as_str(), value),
        })
    }

    /// Sets a field of its own, unless it shares one of that name.
    pub fn set(&mut self, key: &str, value: Value) {
        self.own.insert(key.to_owned(), value);
        self.own.sort_keys();
    }

    /// All fields, copied.
    pub fn to_object(&self) -> Object {
        self.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    }

    /// Appends it as JSON in one line: what `serde_json` writes of [`Self::to_object`].
    pub fn write_json(&self, out: &mut String) {
        let texts = self.shared.places.iter().map(|place| &self.shared.text[place.clone()]);
        let shared = self.shared.fields.keys().zip(texts);
        let mut before = '{';
        for entry in merge(&self.own, shared, |it| it.0) {
            out.push(before);
            before = ',';
            match entry {
                Entry::Own(key, value) => {
                    write_text(key, out);
                    _ = write!(out, ":{value}");
                }
                Entry::Shared((_, text)) => out.push_str(text),
            }
        }
        out.push_str(if before == '{' { "{}" } else { "}" });
    }
}

enum Entry<'a, S> {
    Own(&'a String, &'a Value),
    Shared(S),
}

/// Both layers in the order of their keys, without those of the own ones that are shared, too.
fn merge<'a, S>(
    own: &'a Object,
    shared: impl Iterator<Item = S>,
    key: impl Fn(&S) -> &'a String,
) -> impl Iterator<Item = Entry<'a, S>> {
    let (mut own, mut shared) = (own.iter().peekable(), shared.peekable());
    std::iter::from_fn(move || {
        let order = match (own.peek(), shared.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some(right)) => left.as_str().cmp(key(right)),
        };
        if order == Ordering::Less {
            return own.next().map(|(key, value)| Entry::Own(key, value));
        }
        if order == Ordering::Equal {
            own.next();
        }
        shared.next().map(Entry::Shared)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object() -> impl Strategy<Value = Object> {
        let value = prop_oneof![
            any::<i64>().prop_map(Value::from),
            "[a\"\\\\\n\u{e9}]{0,3}".prop_map(Value::from),
            Just(serde_json::json!({"b": [1, "1.10"], "a": null})),
        ];
        // Few keys, so that the layers often have the same.
        prop::collection::vec(("[a-c.\"]{1,2}", value), 0..8).prop_map(|it| it.into_iter().collect())
    }

    proptest! {
        #[test]
        fn layers_are_one_document(own in object(), shared in object()) {
            let mut plain = own.clone();
            plain.extend(shared.clone());
            plain.sort_keys();
            let layered = Layered::new(own, Arc::new(SharedFields::new(shared)));
            prop_assert_eq!(layered.iter().count(), plain.len());
            for (key, value) in layered.iter() {
                prop_assert_eq!(layered.get(key), Some(value));
            }
            let text = serde_json::to_string(&plain).unwrap();
            prop_assert_eq!(&serde_json::to_string(&layered.to_object()).unwrap(), &text);
            let mut written = String::new();
            layered.write_json(&mut written);
            prop_assert_eq!(written, text);
        }
    }
}
