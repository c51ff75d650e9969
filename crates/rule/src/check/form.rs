//! Whether values have the form that the format asks for.

use ecs::Millis;
use ecs::date::{DateError, DateMath};
use span::Span;

use crate::error::{Expected, Findings};
use crate::format::{Entry, Form};
use crate::suggest::nearest;
use crate::text::{Data, Kind, Literal, Node, Syntax};
use crate::{Interval, IntervalError, LoadError};

/// The text that a tree was read from.
#[derive(Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) syntax: Syntax,
}

impl Text<'_> {
    /// What to underline when something is missing in a table: its heading or opening brace, not all of it.
    pub(crate) fn head(self, span: Span) -> Span {
        let body = self.text.get(span.range()).unwrap_or_default();
        if body.starts_with('{') {
            return Span::new(span.start, span.start + 1);
        }
        Span::new(span.start, span.start + body.find('\n').unwrap_or(body.len()))
    }
}

/// Checks the members of a table: known, of their form, and all there that must be. `path` is the name in
/// messages, empty for the rule itself; `type_name` is the rule's type, where fields depend on it.
pub(crate) fn check_table(
    node: &Node,
    path: &str,
    entries: &[Entry],
    type_name: Option<&str>,
    text: Text<'_>,
    findings: &mut Findings,
) {
    for member in node.members() {
        let Some(entry) = entries.iter().find(|entry| entry.name == member.key) else {
            let similar = nearest(&member.key, entries.iter().map(|entry| entry.name)).map(str::to_owned);
            findings.push(&LoadError::UnknownField {
                field: join(path, &member.key),
                similar,
                span: member.key_span,
            });
            continue;
        };
        if member.value.data != Data::Null {
            check_value(&member.value, &join(path, entry.name), entry.form, text, findings);
        }
    }
    for entry in entries {
        if entry.is_required(type_name) && node.get(entry.name).is_none() {
            findings.push(&LoadError::Missing {
                field: join(path, entry.name),
                span: text.head(node.span),
                help: format!("add `{}`", entry.example()),
            });
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn check_value(node: &Node, path: &str, form: Form, text: Text<'_>, findings: &mut Findings) {
    let mut wrong = |expected: Expected| {
        findings.push(&LoadError::WrongType {
            field: path.to_owned(),
            expected,
            found: node.data.kind(),
            span: text.head(node.span),
        });
    };
    match (form, &node.data) {
        (Form::Any, _)
        | (Form::Text | Form::TextOrTexts { .. }, Data::Text(_))
        | (Form::Flag, Data::Bool(_))
        | (Form::Object, Data::Table(_)) => {}
        (Form::Words, Data::Text(words)) => {
            if words.trim().is_empty() {
                findings.push(&LoadError::Empty { field: path.to_owned(), span: node.span });
            }
        }
        (Form::Choice(allowed), Data::Text(word)) => {
            if !allowed.contains(&word.as_str()) {
                findings.push(&LoadError::UnknownWord {
                    field: path.to_owned(),
                    value: word.clone(),
                    allowed: allowed.to_vec(),
                    span: node.span,
                });
            }
        }
        (Form::TextOrTexts { max }, Data::List(items)) => check_texts(node, items, path, 0, max, findings),
        (Form::Texts { min, max }, Data::List(items)) => check_texts(node, items, path, min, max, findings),
        (Form::Integer { min, max }, Data::Number(number)) => {
            check_integer(node, number, path, min, max, findings);
        }
        (Form::Duration | Form::Window, Data::Text(value)) => match value.parse::<Interval>() {
            Ok(_) => {}
            Err(IntervalError::Zero) if matches!(form, Form::Window) => {}
            Err(_) => findings.push(&LoadError::BadDuration {
                field: path.to_owned(),
                value: value.clone(),
                span: node.span,
            }),
        },
        (Form::DateMath, Data::Text(value)) => check_date_math(node, value, path, text, findings),
        (Form::Table(entries), Data::Table(_)) => check_table(node, path, entries, None, text, findings),
        (Form::Tables { entries, min }, Data::List(items)) => {
            if items.len() < min {
                findings.push(&LoadError::Empty { field: path.to_owned(), span: node.span });
            }
            for item in items {
                check_value(item, path, Form::Table(entries), text, findings);
            }
        }
        (Form::Objects, Data::List(items)) => {
            for item in items {
                check_value(item, path, Form::Object, text, findings);
            }
        }
        (Form::Text | Form::Words | Form::Choice(_) | Form::DateMath, _) => wrong(Expected::Text),
        (Form::TextOrTexts { .. }, _) => wrong(Expected::TextOrTexts),
        (Form::Texts { .. }, _) => wrong(Expected::Texts),
        (Form::Flag, _) => wrong(Expected::Flag),
        (Form::Integer { .. }, _) => wrong(Expected::Integer),
        (Form::Duration | Form::Window, _) => wrong(Expected::Duration),
        (Form::Table(_) | Form::Object, _) => wrong(Expected::Table),
        (Form::Tables { .. } | Form::Objects, _) => wrong(Expected::Tables),
    }
}

fn check_texts(node: &Node, items: &[Node], path: &str, min: usize, max: usize, findings: &mut Findings) {
    for item in items {
        if item.text().is_none() {
            let (expected, found) = (Expected::Texts, item.data.kind());
            findings.push(&LoadError::WrongType { field: path.to_owned(), expected, found, span: item.span });
        }
    }
    if items.len() < min {
        findings.push(&LoadError::Empty { field: path.to_owned(), span: node.span });
    }
    if let Some(first) = items.get(max) {
        findings.push(&LoadError::TooMany {
            field: path.to_owned(),
            count: items.len(),
            limit: max,
            span: first.span,
        });
    }
}

fn check_integer(node: &Node, number: &str, path: &str, min: i64, max: i64, findings: &mut Findings) {
    match integer(number) {
        None => {
            let (expected, found) = (Expected::Integer, Kind::Fraction);
            findings.push(&LoadError::WrongType { field: path.to_owned(), expected, found, span: node.span });
        }
        Some(value) if value < min || value > max => {
            let range =
                if max == i64::MAX { format!("at least {min}") } else { format!("from {min} to {max}") };
            findings.push(&LoadError::OutOfRange {
                field: path.to_owned(),
                range,
                value: number.to_owned(),
                span: node.span,
            });
        }
        Some(_) => {}
    }
}

/// A number without fraction. `47.0` is one, as in JSON.
pub(crate) fn integer(number: &str) -> Option<i64> {
    if let Ok(value) = number.parse() {
        return Some(value);
    }
    let value: f64 = number.parse().ok()?;
    (value.fract() == 0.0).then_some(value as i64)
}

/// Any instant: the text of date math is right or wrong at every one alike.
pub(crate) const REFERENCE: Millis = 1_767_225_600_000;

fn check_date_math(node: &Node, value: &str, path: &str, text: Text<'_>, findings: &mut Findings) {
    let Err(error) = DateMath::of_rule(value) else { return };
    let inner = match &error {
        DateError::Math { at, .. } => {
            let found = value.get(*at..).and_then(|rest| rest.chars().next());
            found.map(|found| Span::new(*at, at + found.len_utf8()))
        }
        DateError::OutOfRange { .. } | DateError::NotADate { .. } | DateError::Format { .. } => None,
    };
    let literal = Literal::of(node, text.text, text.syntax);
    let span = literal.zip(inner).map_or(node.span, |(literal, inner)| literal.span(inner));
    findings.push(&LoadError::BadDateMath { field: path.to_owned(), error, span });
}
