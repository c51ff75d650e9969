//! Regular expressions over documents, of the engine that takes linear time whatever the text.

use ecs::{Object, Shape};
use regex::Regex;
use serde_json::Value;
use sift::Document;

/// A regular expression that one value of a document must match.
#[derive(Clone, Debug)]
pub struct Pattern {
    field: Option<String>,
    expression: Regex,
}

/// Why an expression is none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("HUNT005: {_0}")]
pub struct PatternError(#[from] regex::Error);

/// Fields whose names have no dot.
const PLAIN_FIELDS: [&str; 5] = ["_id", "_index", "@timestamp", "tags", "message"];

impl Pattern {
    /// `FIELD=EXPRESSION`, or an expression over everything. What stands before the first `=` is a field if it is written
    /// like one, with a dot in it or as one of those that have none.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let is_name = |it: &str| it.chars().all(|it| it.is_alphanumeric() || "_.@-".contains(it));
        let is_field = |it: &str| (it.contains('.') && is_name(it)) || PLAIN_FIELDS.contains(&it);
        let (field, expression) = match text.split_once('=').filter(|(field, _)| is_field(field)) {
            Some((field, expression)) => (Some(field.to_owned()), expression),
            None => (None, text),
        };
        Ok(Self { field, expression: Regex::new(expression)? })
    }

    /// The field that it is about, if it is about one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Whether a value of the field matches; without a field, whether the record's text does, as for a search in the file,
    /// or a value of the document, without what JSON puts around it.
    pub(crate) fn matches(&self, text: &str, document: &Document) -> bool {
        match self.field.as_deref() {
            Some("_id") => self.expression.is_match(&document.id),
            Some("_index") => self.expression.is_match(&document.index),
            Some(path) => {
                let mut found = false;
                ecs::document::values(&document.source, path, Shape::Leaf, |value| {
                    found = found || self.expression.is_match(&value.text());
                });
                found
            }
            None => self.expression.is_match(text) || self.is_in_object(&document.source),
        }
    }

    fn is_in_object(&self, object: &Object) -> bool {
        object.values().any(|value| self.is_in(value))
    }

    /// Documents are no deeper than records may be.
    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Bool(it) => self.expression.is_match(if *it { "true" } else { "false" }),
            Value::Number(it) => self.expression.is_match(&it.to_string()),
            Value::String(it) => self.expression.is_match(it),
            Value::Array(values) => values.iter().any(|value| self.is_in(value)),
            Value::Object(object) => self.is_in_object(object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_is_written_like_one() {
        let field = |text: &str| Pattern::parse(text).unwrap().field().map(str::to_owned);
        assert_eq!(field("source.ip=^10").as_deref(), Some("source.ip"));
        assert_eq!(field("_id=^a=b").as_deref(), Some("_id"));
        for text in ["a=b", "key=AKIA.*", "a.*=b", "(x.y=z)", "=", "plain", "a b.c=d"] {
            assert_eq!(field(text), None, "{text}");
        }
    }
}
