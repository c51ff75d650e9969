//! Commands with their values, as a POSIX shell takes them: a value goes in if it is of the class that its name says.

use rule::GuideLanguage;

use crate::class::{Class, is_plain};
use crate::fill::{Piece, Values, pieces, placeholders, shown};
use crate::say::say;

/// A command is repeated so often; then a loop over a file of values takes its place.
pub const COMMANDS_MAX: usize = 20;

/// A command with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The lines, as a POSIX shell takes them; where a value is missing or not accepted, `<what it would be>`.
    pub text: String,
    /// What was not accepted, and as what.
    pub notes: Vec<String>,
    /// Whether something is left to fill in by hand.
    pub is_open: bool,
}

/// A command with its values. Each line is repeated for each value of a placeholder that has several.
pub fn shell(template: &str, values: &Values, language: GuideLanguage) -> Command {
    let mut command = Command::default();
    for line in template.trim().lines() {
        let names = placeholders(line);
        let several = names.iter().copied().find(|name| values.get(name).len() > 1);
        let lines = match several {
            None => vec![shell_line(line, values, language, &mut command)],
            Some(name) => {
                let its = values.only(&names);
                let all = values.get(name);
                let class = Class::of(name);
                let mut lines: Vec<String> = all
                    .iter()
                    .take(COMMANDS_MAX)
                    .map(|value| shell_line(line, &its.with(name, value), language, &mut command))
                    .collect();
                let left = all.len().saturating_sub(COMMANDS_MAX);
                if left > 0 {
                    command.is_open = true;
                    let open = shell_line(line, &its.with(name, "\u{0}"), language, &mut Command::default());
                    let hint = format!("<{}>", class.hint(name));
                    let body = open.replace(&hint, "\"$value\"");
                    lines.push(format!(
                        "# {left} more: write them to values.txt, one a line\nwhile IFS= read -r value; do {body}; done < values.txt"
                    ));
                }
                lines
            }
        };
        for line in lines {
            if !command.text.is_empty() {
                command.text.push('\n');
            }
            command.text.push_str(&line);
        }
    }
    command.notes.dedup();
    command
}

/// How the shell reads what stands at a place.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Single,
    /// In single quotes, and JSON there.
    Json,
    Double,
}

fn shell_line(line: &str, values: &Values, l: GuideLanguage, command: &mut Command) -> String {
    let (mut out, mut quotes) = (String::new(), Quotes::None);
    for piece in pieces(line) {
        match piece {
            Piece::Text(text) => {
                out.push_str(text);
                quotes = quotes_after(text, quotes);
            }
            Piece::Value(name) => {
                let class = Class::of(name);
                let value = values.first(name);
                if let Some(value) = value.filter(|it| class.accepts(it) && is_plain(it)) {
                    out.push_str(&quoted_in(value, quotes));
                } else {
                    command.is_open = true;
                    let hint = class.hint(name);
                    if let Some(value) = value.filter(|it| *it != "\u{0}") {
                        let note = match class {
                            Class::Other => {
                                say!(l, "{} is the caller's to choose and is left out", shown(value))
                            }
                            _ => say!(l, "{} is no valid {}", shown(value), hint),
                        };
                        if !command.notes.contains(&note) {
                            command.notes.push(note);
                        }
                    }
                    out.push_str(&format!("<{hint}>"));
                }
            }
        }
    }
    out
}

fn quotes_after(text: &str, mut quotes: Quotes) -> Quotes {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        quotes = match (quotes, c) {
            (Quotes::None, '\'') => {
                if matches!(chars.peek(), Some('{' | '[')) {
                    Quotes::Json
                } else {
                    Quotes::Single
                }
            }
            (Quotes::Single | Quotes::Json, '\'') | (Quotes::Double, '"') => Quotes::None,
            (Quotes::None, '"') => Quotes::Double,
            (Quotes::None | Quotes::Double, '\\') => {
                chars.next();
                quotes
            }
            (quotes, _) => quotes,
        };
    }
    quotes
}

fn quoted_in(value: &str, quotes: Quotes) -> String {
    match quotes {
        Quotes::None => {
            let is_word = value.bytes().all(|it| it.is_ascii_alphanumeric() || b"_./:@=+,-".contains(&it));
            if is_word { value.to_owned() } else { format!("'{}'", value.replace('\'', "'\\''")) }
        }
        Quotes::Single => value.replace('\'', "'\\''"),
        Quotes::Json => {
            let json = serde_json::Value::from(value).to_string();
            json[1..json.len() - 1].replace('\'', "'\\''")
        }
        Quotes::Double => {
            let mut out = String::new();
            for c in value.chars() {
                if matches!(c, '\\' | '"' | '$' | '`') {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        }
    }
}
