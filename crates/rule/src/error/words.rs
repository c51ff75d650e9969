//! The words of messages.

use std::fmt;

/// What it is that holds no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruleless {
    File,
    /// An object of an export.
    Object,
}

impl fmt::Display for Ruleless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the file",
            Self::Object => "this object",
        })
    }
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Text,
    TextOrTexts,
    Texts,
    Flag,
    Integer,
    Duration,
    Table,
    Tables,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::TextOrTexts => "a string or a list of strings",
            Self::Texts => "a list of strings",
            Self::Flag => "true or false",
            Self::Integer => "an integer",
            Self::Duration => "a duration such as \"5m\"",
            Self::Table => "a table",
            Self::Tables => "a list of tables",
        })
    }
}

/// Files that are named; the rest is counted.
const FILES_NAMED: usize = 3;

pub(super) fn first_of(files: &[String]) -> String {
    let mut text =
        files.iter().take(FILES_NAMED).map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
    if files.len() > FILES_NAMED {
        text += &format!(" and {} more", files.len() - FILES_NAMED);
    }
    text
}

pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `a`, `b` and `c` are
pub(super) fn listed(words: &[&str]) -> String {
    let (text, many) = enumerate(words);
    format!("{text} {}", if many { "are" } else { "is" })
}

/// `a` and `b` have
pub(super) fn listed_have(words: &[&str]) -> String {
    let (text, many) = enumerate(words);
    format!("{text} {}", if many { "have" } else { "has" })
}

fn enumerate(words: &[&str]) -> (String, bool) {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => ("nothing".to_owned(), false),
        Some((last, [])) => (last.clone(), false),
        Some((last, rest)) => (format!("{} and {last}", rest.join(", ")), true),
    }
}
