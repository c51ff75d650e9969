//! What to write instead.

use super::{OtherDialect, ParseErrorKind};

/// In words, where it is known.
pub(super) fn help(kind: &ParseErrorKind) -> Option<String> {
    Some(match kind {
        ParseErrorKind::Unexpected { found, .. } => return foreign(found).map(str::to_owned),
        ParseErrorKind::Unclosed { open } => match *open {
            "\"" => "add the closing `\"` on the same line; one that belongs to the text is written `\\\"`".to_owned(),
            "'" => "texts have double quotes, and end on the line they begin on".to_owned(),
            "\"\"\"" => "add the closing `\"\"\"` on the same line".to_owned(),
            "`" => "add the closing backquote on the same line; one that belongs to the name is doubled".to_owned(),
            "/*" => "add `*/`".to_owned(),
            _ => "add the closing bracket".to_owned(),
        },
        ParseErrorKind::Unopened { .. } => "remove it".to_owned(),
        ParseErrorKind::Character { .. } => "put texts in double quotes, and unusual names in backquotes".to_owned(),
        ParseErrorKind::TooDeep { .. } | ParseErrorKind::TooManyOperators { .. } => "split the query".to_owned(),
        ParseErrorKind::TooLong { .. } => "split the query, or put long lists of values into a value list".to_owned(),
        ParseErrorKind::TooManyItems { .. } => "split the sequence".to_owned(),
        ParseErrorKind::Escape { .. } => "write `\\\\` for a backslash, or put the text in `\"\"\"`, where nothing is escaped".to_owned(),
        ParseErrorKind::UnicodeEscape => "write two to eight hexadecimal digits of a character, such as `\\u{e9}`".to_owned(),
        ParseErrorKind::OldQuotes => "write `\"…\"`, or `\"\"\"…\"\"\"` for a text without escapes".to_owned(),
        ParseErrorKind::EmptyName => "write the name of a field between the backquotes".to_owned(),
        ParseErrorKind::LargeNumber => return None,
        ParseErrorKind::SingleEquals => "write `==` for the value as it is, `:` for patterns and either case".to_owned(),
        ParseErrorKind::NoOperator { operator } => match operator.as_str() {
            "<>" => "write `!=`".to_owned(),
            "=~" => "write `:` for either case, `regex~` for a regular expression".to_owned(),
            _ => "write `not` before the field: `not user.name : \"a*\"`".to_owned(),
        },
        ParseErrorKind::Chained => "write both comparisons: `x > 1 and x < 3`".to_owned(),
        ParseErrorKind::UpperCase { word } => format!("write `{}`", word.to_lowercase()),
        ParseErrorKind::Reserved { word } => format!("a field of that name is written `` `{word}` ``"),
        ParseErrorKind::EmptyList => "write the values: `(\"a\", \"b\")`".to_owned(),
        ParseErrorKind::NotConstant { .. } => "put texts in double quotes; with `==` the right side may be computed, and negative".to_owned(),
        ParseErrorKind::Maxspan => "write such as `maxspan=30s`; the units are ms, s, m, h and d".to_owned(),
        ParseErrorKind::Runs { .. } => "write such as `with runs=3`".to_owned(),
        ParseErrorKind::KeyCount { .. } => {
            "give every event as many keys, `until` included, or write those that all have after `sequence by`".to_owned()
        }
        ParseErrorKind::TooFewItems { .. } => "for a single event write `category where condition`".to_owned(),
        ParseErrorKind::OnlyMissing => "write one of them without `!`".to_owned(),
        ParseErrorKind::MissingWithoutMaxspan => "write `with maxspan=…` after `sequence` and its keys".to_owned(),
        ParseErrorKind::SampleWithoutKeys => "write `sample by` and the fields that the events have in common".to_owned(),
        ParseErrorKind::NotInSample { .. } => "remove it, or write a sequence".to_owned(),
        ParseErrorKind::CategoryForm => "write such as `process where`, `\"my category\" where` or `any where`".to_owned(),
        ParseErrorKind::WithBeforeBy => "write `sequence by keys with maxspan=…`".to_owned(),
        ParseErrorKind::OtherDialect { what } => match what {
            OtherDialect::Join => "write a sequence, or a sample, in which order does not matter",
            OtherDialect::Lineage => "write a sequence by the ids of the processes",
            OtherDialect::Fork => "remove it",
            OtherDialect::ArrayIndex => "remove the index: a comparison asks all values of the field",
            OtherDialect::Method => "write the field as the first argument: `length(field)`",
            OtherDialect::Pipe => "only `head` and `tail` may follow a query",
        }
        .to_owned(),
        ParseErrorKind::UnknownPipe { .. } => "write `head` or `tail`; alternatives are joined by `or`".to_owned(),
        ParseErrorKind::PipeArgument { pipe } => format!("write such as `| {pipe} 5`"),
    })
}

/// What other languages write, and what it is here.
fn foreign(found: &str) -> Option<&'static str> {
    Some(match found {
        "`&&`" => "write `and`",
        "`||`" => "write `or`",
        "`!~`" => "write `not … : \"…\"`",
        "`<>`" => "write `!=`",
        "`=~`" => "write `:`",
        "`fork`" => "remove it",
        _ => return None,
    })
}

/// The text that is surely meant, where it is known.
pub(super) fn instead(kind: &ParseErrorKind, text: &str) -> Option<String> {
    match kind {
        ParseErrorKind::SingleEquals => Some("==".to_owned()),
        ParseErrorKind::UpperCase { word } => Some(word.to_lowercase()),
        ParseErrorKind::Reserved { word } => Some(format!("`{word}`")),
        ParseErrorKind::NoOperator { operator } if operator == "<>" => Some("!=".to_owned()),
        ParseErrorKind::OldQuotes => {
            let inner = text.trim_start_matches('?');
            let inner = inner.get(1..inner.len().checked_sub(1)?)?;
            let is_plain = !inner.contains(['"', '\\']);
            is_plain.then(|| format!("\"{inner}\""))
        }
        _ => None,
    }
}

impl std::fmt::Display for OtherDialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Join => "`join`",
            Self::Lineage => "asking for ancestors and events of a process (`of`)",
            Self::Fork => "`fork`",
            Self::ArrayIndex => "an index into a field",
            Self::Method => "a function behind a colon",
            Self::Pipe => "this pipe",
        })
    }
}
