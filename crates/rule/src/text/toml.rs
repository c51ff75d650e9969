//! TOML by the `toml` crate, kept with its positions.

use span::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Data, Member, Node};
use crate::LoadError;

/// Tables nested deeper than this are refused: dotted keys could otherwise nest without bound.
pub(crate) const MAX_DEPTH: usize = 64;

/// Longer chains of dots make a line of no rule, and would nest as deep.
const MAX_DOTS_A_LINE: usize = 5_000;

/// The table of a TOML text, or every syntax error in it.
pub(crate) fn parse_toml(text: &str) -> Result<Node, Vec<LoadError>> {
    if let Some(span) = runaway_dots(text) {
        return Err(vec![LoadError::TooDeep { limit: MAX_DEPTH, span }]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .into_iter()
            .map(|error| LoadError::Toml {
                message: error.message().to_owned(),
                span: error.span().map_or(Span::at(0), |range| Span::new(range.start, range.end)),
            })
            .collect());
    }
    let span = Span::new(table.span().start, table.span().end);
    members(table.get_ref(), 0)
        .map(|members| Node { span, data: Data::Table(members) })
        .map_err(|error| vec![error])
}

fn members(table: &DeTable<'_>, depth: usize) -> Result<Vec<Member>, LoadError> {
    table
        .iter()
        .map(|(key, value)| {
            let key_span = Span::new(key.span().start, key.span().end);
            Ok(Member { key: key.get_ref().to_string(), key_span, value: node(value, depth + 1)? })
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, LoadError> {
    let span = Span::new(value.span().start, value.span().end);
    if depth > MAX_DEPTH {
        return Err(LoadError::TooDeep { limit: MAX_DEPTH, span });
    }
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(number) => Data::Number(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()),
        ),
        DeValue::Float(number) => Data::Number(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Data::Bool(*flag),
        DeValue::Datetime(date) => Data::Date(date.to_string()),
        DeValue::Array(items) => {
            Data::List(items.iter().map(|item| node(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => Data::Table(members(table, depth)?),
    };
    Ok(Node { span, data })
}

/// A run of key-like text with more dots than any key has.
fn runaway_dots(text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.bytes().filter(|&byte| byte == b'.').count() > MAX_DOTS_A_LINE {
            return Some(Span::at(start));
        }
        start += line.len();
    }
    None
}
