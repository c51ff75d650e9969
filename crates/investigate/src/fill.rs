//! Placeholders and what takes their place: by the class of the value and by where it goes, never by text replacement.

use std::collections::BTreeMap;

use rule::GuideLanguage;

use crate::class::{Class, is_plain};
pub use crate::command::{COMMANDS_MAX, Command, shell};
use crate::say::say;

/// So many values may stand in one query; of more the first are taken, which is said.
pub const QUERY_VALUES_MAX: usize = 1_000;
/// Characters of a value that are shown in prose.
const SHOWN_CHARS: usize = 200;

/// The values that placeholders stand for, by name: `case.role_arn`, `source.ip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Vec<String>>);

impl Values {
    /// Adds values to a name; empty ones are none, and each counts once.
    pub fn add<T: Into<String>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        for value in values {
            let value = value.into();
            if !value.is_empty() {
                match self.0.get_mut(name) {
                    Some(all) if all.contains(&value) => {}
                    Some(all) => all.push(value),
                    None => _ = self.0.insert(name.to_owned(), vec![value]),
                }
            }
        }
    }

    /// Those of a name.
    pub fn get(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first of a name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.get(name).first().map(String::as_str)
    }

    /// The same with one value for a name.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut values = self.clone();
        values.0.insert(name.to_owned(), vec![value.to_owned()]);
        values
    }

    /// Those of some names alone: of all there may be hundreds.
    #[must_use]
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        let its = names.iter().filter_map(|it| self.0.get_key_value(*it));
        Self(its.map(|(name, values)| (name.clone(), values.clone())).collect())
    }

    /// The same with these values for a name.
    #[must_use]
    pub fn with_all(mut self, name: &str, values: &[String]) -> Self {
        self.0.insert(name.to_owned(), values.to_vec());
        self
    }

    /// The same without some names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// Lets go of the names that nobody wants.
    pub(crate) fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_wanted(name));
    }

    /// Every name and its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// A query with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// Names of which only the first values were taken.
    pub cut: Vec<String>,
}

/// The names of the placeholders of a text, in order, each once.
pub fn placeholders(template: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for piece in pieces(template) {
        if let Piece::Value(name) = piece
            && !out.contains(&name)
        {
            out.push(name);
        }
    }
    out
}

pub(crate) enum Piece<'t> {
    Text(&'t str),
    Value(&'t str),
}

pub(crate) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    let mut value = None;
    std::iter::from_fn(move || {
        if let Some(name) = value.take() {
            return Some(Piece::Value(name));
        }
        if rest.is_empty() {
            return None;
        }
        let found = rest.find("{{").and_then(|open| Some((open, open + rest[open..].find("}}")?)));
        let Some((open, close)) = found else { return Some(Piece::Text(std::mem::take(&mut rest))) };
        let (text, name) = (&rest[..open], rest[open + 2..close].trim());
        rest = &rest[close + 2..];
        if text.is_empty() {
            return Some(Piece::Value(name));
        }
        value = Some(name);
        Some(Piece::Text(text))
    })
}

/// A KQL query with its values; else the name of the first placeholder that has none.
pub fn kql(template: &str, values: &Values) -> Result<Filled, String> {
    let (mut text, mut cut) = (String::with_capacity(template.len()), Vec::new());
    for token in tokens(template) {
        let names = placeholders(token);
        let Some(&name) = names.first() else {
            text.push_str(token);
            continue;
        };
        for &name in &names {
            if values.get(name).is_empty() {
                return Err(name.to_owned());
            }
        }
        // Several placeholders of one literal: the others give their first value.
        let all = values.get(name);
        if all.len() > QUERY_VALUES_MAX {
            cut.push(name.to_owned());
        }
        let quoted = token.starts_with('"');
        let one = |value: &str| -> String {
            let piece = |piece: Piece<'_>| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Value(it) => {
                    let value = if it == name { value } else { values.first(it).unwrap_or_default() };
                    if quoted { escape_quoted(value) } else { escape_pattern(value) }
                }
            };
            pieces(token).map(piece).collect()
        };
        let all: Vec<String> = all.iter().take(QUERY_VALUES_MAX).map(|it| one(it)).collect();
        match all.as_slice() {
            [one] => text.push_str(one),
            several => text.push_str(&format!("({})", several.join(" or "))),
        }
    }
    Ok(Filled { text, cut })
}

/// The query in pieces: quoted literals, words with a placeholder in them, and what lies between. Together they are the
/// query.
fn tokens(template: &str) -> Vec<&str> {
    let (mut out, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = template[at..].chars().next() {
        let end = if c == '"' {
            quoted_end(template, at)
        } else if is_word(template, at) {
            word_end(template, at)
        } else {
            at += c.len_utf8();
            continue;
        };
        if start < at {
            out.push(&template[start..at]);
        }
        out.push(&template[at..end]);
        (start, at) = (end, end);
    }
    if start < template.len() {
        out.push(&template[start..]);
    }
    out
}

fn quoted_end(text: &str, open: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[open + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return open + 1 + at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_word(text: &str, at: usize) -> bool {
    !text[at..].starts_with([' ', '\t', '\r', '\n', '(', ')', ':', '<', '>', '='])
}

fn word_end(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with("{{") {
            at = text[at..].find("}}").map_or(text.len(), |close| at + close + 2);
        } else if c == '\\' {
            at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
        } else if c == '"' || !is_word(text, at) {
            break;
        } else {
            at += c.len_utf8();
        }
    }
    at
}

fn escape_quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '"') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whatever is not plainly a part of a word, by its number: KQL has no character that could be meant otherwise then.
fn escape_pattern(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_alphanumeric() || "-_./@+=,".contains(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// A query in EQL with its values: a placeholder in quotes becomes a part of the text, one without a text of its own.
pub fn eql(template: &str, values: &Values) -> Result<Filled, String> {
    let (mut text, mut cut, mut quoted) = (String::new(), Vec::new(), false);
    for piece in pieces(template) {
        match piece {
            Piece::Text(it) => {
                text.push_str(it);
                quoted ^= it.replace("\\\\", "").replace("\\\"", "").matches('"').count() % 2 == 1;
            }
            Piece::Value(name) => {
                let all = values.get(name);
                let Some(first) = all.first() else { return Err(name.to_owned()) };
                if quoted {
                    text.push_str(&escape_eql(first));
                    if all.len() > 1 {
                        cut.push(name.to_owned());
                    }
                } else {
                    if all.len() > QUERY_VALUES_MAX {
                        cut.push(name.to_owned());
                    }
                    let literals: Vec<String> = all
                        .iter()
                        .take(QUERY_VALUES_MAX)
                        .map(|it| format!("\"{}\"", escape_eql(it)))
                        .collect();
                    text.push_str(&literals.join(", "));
                }
            }
        }
    }
    Ok(Filled { text, cut })
}

fn escape_eql(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:04x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Prose in Markdown with its values as code; where there is none, the placeholder's words in `<…>`.
pub fn markdown(template: &str, values: &Values, language: GuideLanguage) -> String {
    let (mut out, mut is_code) = (String::new(), false);
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => {
                out.push_str(text);
                is_code ^= text.matches('`').count() % 2 == 1;
            }
            Piece::Value(name) => {
                let all = values.get(name);
                let text = match all {
                    [] => format!("<{}>", Class::of(name).hint(name)),
                    [one] => code_text(one),
                    [first, rest @ ..] => say!(language, "{} and {} more", code_text(first), rest.len()),
                };
                out.push_str(&if is_code { text } else { format!("`{text}`") });
            }
        }
    }
    out
}

/// A text without an alert: `blank` says what stands for a placeholder. What is no name of a field is left as it is: other
/// languages have such brackets, too.
pub fn blanks(template: &str, blank: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value(name) if is_name(name) => out.push_str(&blank(name)),
            Piece::Value(name) => out.push_str(&format!("{{{{{name}}}}}")),
        }
    }
    out
}

/// Whether a value is one that may stand for the placeholder in a command.
pub fn is_accepted(name: &str, value: &str) -> bool {
    Class::of(name).accepts(value) && is_plain(value)
}

/// Whether a placeholder can be one: `case.role_arn`, `source.ip`.
pub fn is_name(name: &str) -> bool {
    name.contains('.') && name.chars().all(|it| it.is_ascii_alphanumeric() || "._@-".contains(it))
}

/// What a placeholder stands for, in words. A field has no better name than its own.
pub fn words_of(name: &str) -> String {
    let Some(value) = name.strip_prefix("case.") else { return name.to_owned() };
    match value {
        "src" | "src_ip" => "source address".to_owned(),
        "ua" => "user agent".to_owned(),
        "session_key" => "access key id".to_owned(),
        "instance" | "instances" => "instance id".to_owned(),
        "made_key" => "id of the key that was made".to_owned(),
        "id" => "id of the alert".to_owned(),
        other => other.replace('_', " "),
    }
}

/// What somebody else wrote, with its values as code; a placeholder without a value stays as it is.
pub fn prose(template: &str, values: &Values, language: GuideLanguage) -> String {
    let known = |name: &str| !values.get(name).is_empty();
    let mut out = String::new();
    let mut rest = template;
    // Whole lines are filled together, so that it is known what is code.
    while !rest.is_empty() {
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        let names = placeholders(line);
        if names.is_empty() || !names.iter().all(|it| known(it)) {
            out.push_str(line);
        } else {
            out.push_str(&markdown(line, values, language));
        }
        rest = after;
    }
    out
}

/// A word of somebody else's as plain text of Markdown.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_[]<>#|!".contains(c) {
            out.push('\\');
        }
        out.push(if is_plain(c.encode_utf8(&mut [0; 4])) { c } else { '\u{fffd}' });
    }
    out
}

/// A query of osquery with its values: in quotes a part of the text, else a text of its own.
pub fn sql(template: &str, values: &Values, l: GuideLanguage) -> Command {
    let mut command = Command::default();
    let mut quote = None;
    for piece in pieces(template.trim()) {
        match piece {
            Piece::Text(text) => {
                command.text.push_str(text);
                for c in text.chars() {
                    quote = match quote {
                        None if matches!(c, '\'' | '"') => Some(c),
                        Some(open) if open == c => None,
                        quote => quote,
                    };
                }
            }
            Piece::Value(name) => match values.first(name) {
                Some(value) if is_plain(value) && value.chars().count() <= SHOWN_CHARS => match quote {
                    Some('"') => command.text.push_str(&value.replace('"', "\"\"")),
                    Some(_) => command.text.push_str(&value.replace('\'', "''")),
                    None => command.text.push_str(&format!("'{}'", value.replace('\'', "''"))),
                },
                value => {
                    command.is_open = true;
                    let hint = Class::of(name).hint(name);
                    if let Some(value) = value {
                        command.notes.push(say!(l, "{} is no valid {}", shown(value), hint));
                    }
                    command.text.push_str(&format!("<{hint}>"));
                }
            },
        }
    }
    command
}

/// A value inside a code span of Markdown: nothing in it ends the span or steers a terminal.
fn code_text(value: &str) -> String {
    let text: String = value
        .chars()
        .take(SHOWN_CHARS)
        .map(|it| {
            if it == '`' {
                '\''
            } else if is_plain(it.encode_utf8(&mut [0; 4])) {
                it
            } else {
                '\u{fffd}'
            }
        })
        .collect();
    if value.chars().nth(SHOWN_CHARS).is_some() { text + "…" } else { text }
}

/// A value in a sentence.
pub fn shown(value: &str) -> String {
    format!("`{}`", code_text(value))
}
