//! A value that an alert has of its own.

use std::fmt::Write as _;

use ecs::text::write_text;
use serde_json::{Number, Value};

/// A value that an alert has of its own: nearly always it is only written.
#[derive(Clone, Debug)]
pub(super) enum Own {
    Value(Value),
    /// Its JSON text: a tree of objects takes far longer to make than to write.
    Json(String),
}

impl Own {
    /// As a part of a document.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            // What is written as JSON here can be read as such.
            Self::Json(text) => ecs::json::parse(&text).unwrap_or_default(),
        }
    }

    /// Appends it as JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Json(text) => out.push_str(text),
            Self::Value(value) => write_value(value, out),
        }
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

impl From<Value> for Own {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<String> for Own {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

impl From<&str> for Own {
    fn from(text: &str) -> Self {
        Self::Value(text.into())
    }
}

impl From<u64> for Own {
    fn from(number: u64) -> Self {
        Self::Value(number.into())
    }
}

impl From<Number> for Own {
    fn from(number: Number) -> Self {
        Self::Value(number.into())
    }
}
