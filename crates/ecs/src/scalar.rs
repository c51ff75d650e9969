//! Values of documents as delivered.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Number, Value};

/// One value of a field as the document gives it, before any mapping is applied.
///
/// null, empty arrays and objects are no values and never appear as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A JSON string.
    Str(&'a str),
    /// A JSON number that is an integer of 64 bits, signed.
    Int(i64),
    /// A JSON number that is an integer above the signed range.
    UInt(u64),
    /// A JSON number with a fraction or exponent, if its shortest text is how it was written.
    Float(f64),
    /// Any other JSON number, as written: `1.10`, `1e400`, integers beyond 64 bits.
    NumberText(&'a str),
    /// A JSON boolean.
    Bool(bool),
}

impl<'a> Scalar<'a> {
    /// The value of a JSON string, number or boolean; nothing for the others.
    pub fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Str(text)),
            Value::Number(number) => Some(Self::number(number.as_str())),
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A JSON number as written. The one place that decides which variant a number gets, so that the same
    /// text is the same value wherever it was read; [`Scalar::text`] gives the text back.
    pub fn number(text: &'a str) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.bytes().all(|it| it.is_ascii_digit()) {
            // `-0` and leading zeros would not print as they were written.
            if text == "0" || (!digits.is_empty() && !digits.starts_with('0')) {
                if let Ok(value) = text.parse() {
                    return Self::Int(value);
                }
                if let Ok(value) = text.parse() {
                    return Self::UInt(value);
                }
            }
            return Self::NumberText(text);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && prints_as(value, text) => Self::Float(value),
            Ok(_) | Err(_) => Self::NumberText(text),
        }
    }

    /// The value as JSON, numbers as written. What JSON has no number for (parsers let none through) is a text.
    pub fn to_json(self) -> Value {
        match self {
            Self::Str(text) => text.into(),
            Self::Int(value) => value.into(),
            Self::UInt(value) => value.into(),
            Self::Float(value) => number(&format!("{value:?}")),
            Self::NumberText(text) => number(text),
            Self::Bool(value) => value.into(),
        }
    }

    /// The text that a keyword field indexes: numbers as written, `true`, `false`.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Str(text) | Self::NumberText(text) => Cow::Borrowed(text),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::UInt(value) => Cow::Owned(value.to_string()),
            Self::Float(value) => Cow::Owned(format!("{value:?}")),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
        }
    }
}

/// A number with this very text, as the column has it: parsed, `1e16` would become `1e+16`.
fn number(text: &str) -> Value {
    if text.parse::<Number>().is_err() {
        return text.into();
    }
    Value::Number(Number::from_string_unchecked(text.to_owned()))
}

/// Whether the shortest text of `value` is `text`, without an allocation.
fn prints_as(value: f64, text: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl std::fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> std::fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(std::fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{value:?}").is_ok() && rest.0.is_empty()
}

/// How the values of a path are laid out in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// The scalars found at the path, arrays flattened. Also one key of a `flattened` field.
    Leaf,
    /// All leaves under a `flattened` field, each a string `key` + NUL + `value`, keys dotted.
    FlattenedRoot,
    /// The JSON text of each element of a `nested` field (an object not in an array is one element).
    Nested,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        for (text, expected) in [
            ("0", Scalar::Int(0)),
            ("-0", Scalar::NumberText("-0")),
            ("-17", Scalar::Int(-17)),
            ("9223372036854775808", Scalar::UInt(9_223_372_036_854_775_808)),
            ("18446744073709551616", Scalar::NumberText("18446744073709551616")),
            ("1.5", Scalar::Float(1.5)),
            ("1.0", Scalar::Float(1.0)),
            ("1.10", Scalar::NumberText("1.10")),
            ("1e400", Scalar::NumberText("1e400")),
            ("1E5", Scalar::NumberText("1E5")),
            ("1e16", Scalar::Float(1e16)),
        ] {
            assert_eq!(Scalar::number(text), expected, "{text}");
            assert_eq!(Scalar::number(text).text(), text);
        }
    }
}
