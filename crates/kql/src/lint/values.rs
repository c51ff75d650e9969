//! Findings about single values.

use span::{Diagnostic, Severity};

use crate::{RangeOp, Term, TermKind, foreign};

/// A value, of a field or of none.
pub(super) fn check(value: &Term, found: &mut Vec<Diagnostic>) {
    match &value.kind {
        TermKind::Text { text, quoted: true } => quoted(value, text, found),
        TermKind::Text { text, quoted: false } => {
            line_break(value, text, found);
            unquoted(value, text, found);
        }
        TermKind::Pattern(pieces) => {
            line_break(value, &value.text(), found);
            if pieces.iter().any(|piece| piece.contains('?')) {
                found.push(
                    warning(value, "KQL204", "`?` is an ordinary character in KQL")
                        .help("`*` is the only wildcard; leave the `?` if a question mark is meant"),
                );
            }
        }
        TermKind::Null | TermKind::Bool(_) => {}
    }
}

/// `f: null`, which Elasticsearch refuses on all but date fields.
pub(super) fn null(field: &Term, value: &Term, found: &mut Vec<Diagnostic>) {
    if value.kind == TermKind::Null {
        found.push(warning(value, "KQL212", "a comparison with `null` fails when the query runs").help(
            format!("write `not {field}: *` for documents without the field, `\"null\"` for the word"),
        ));
    }
}

/// A value without a field.
pub(super) fn free_text(value: &Term, nested: bool, found: &mut Vec<Diagnostic>) {
    if nested {
        found.push(
            warning(value, "KQL213", "text without a field matches nothing within a nested group")
                .help("write the name of a field and a colon before it"),
        );
    }
    foreign::free_text(value, found);
}

/// `f > a*`.
pub(super) fn bound(field: &Term, op: RangeOp, value: &Term, found: &mut Vec<Diagnostic>) {
    if matches!(value.kind, TermKind::Pattern(_)) {
        found.push(
            warning(value, "KQL209", "`*` in a comparison is an asterisk")
                .help(format!("remove it, or write `{field}: {value}` to ask for a pattern")),
        );
    }
    if value.kind == TermKind::Null {
        found.push(
            warning(
                value,
                "KQL212",
                format!("`{field} {} null` asks only whether the field exists", op.as_str()),
            )
            .help(format!("write `{field}: *`")),
        );
    }
}

fn quoted(value: &Term, text: &str, found: &mut Vec<Diagnostic>) {
    if text.contains('*') {
        let pattern = TermKind::Pattern(text.split('*').map(str::to_owned).collect());
        let pattern = Term { kind: pattern, span: value.span };
        found.push(
            warning(value, "KQL202", "`*` within quotes is an asterisk, not a wildcard")
                .help(format!("without quotes it is a pattern: `{pattern}`")),
        );
    }
    if text.contains(['\t', '\r', '\n']) && (text.contains('\\') || text.contains(":\t") || is_drive(text)) {
        found.push(
            warning(
                value,
                "KQL211",
                "this path holds a control character: `\\t`, `\\n` and `\\r` are escapes",
            )
            .help("double every backslash"),
        );
    }
}

/// `C:` and a control character that was meant to be a backslash and a letter.
fn is_drive(text: &str) -> bool {
    let mut chars = text.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    drive && chars.next().is_some_and(char::is_control)
}

fn line_break(value: &Term, text: &str, found: &mut Vec<Diagnostic>) {
    if text.contains(['\n', '\r']) {
        found.push(
            warning(value, "KQL203", "this value goes on over a line break")
                .label("one value, the line break included")
                .help("put `and` or `or` between the lines, or the value in double quotes if it is meant"),
        );
    }
}

fn unquoted(value: &Term, text: &str, found: &mut Vec<Diagnostic>) {
    if text.len() > 1 && text.starts_with('\'') && text.ends_with('\'') {
        let inner = Term {
            kind: TermKind::Text { text: text[1..text.len() - 1].to_owned(), quoted: true },
            span: value.span,
        };
        found.push(
            warning(value, "KQL207", "single quotes are part of the value")
                .help(format!("write double quotes: `{inner}`")),
        );
    }
    if text.starts_with('[') && text.contains(" TO ") {
        found.push(
            warning(value, "KQL208", "`[… TO …]` is no range in KQL: this is text to search for")
                .help("write `field >= low and field <= high`"),
        );
    }
    let is_word = |c: char| c.is_alphanumeric() || "._-?".contains(c);
    if text.len() > 1 && text.contains('?') && text.chars().all(is_word) {
        found.push(
            warning(value, "KQL204", "`?` is an ordinary character in KQL")
                .help("`*` is the only wildcard; put the text in double quotes if a question mark is meant"),
        );
    }
    if ["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        let word = text.to_ascii_lowercase();
        found.push(
            warning(
                value,
                "KQL205",
                format!("`{text}` is text; only the lower-case `{word}` is the constant"),
            )
            .help(format!("write `{word}`, or double quotes if the text is meant")),
        );
    }
    let lower = text.to_ascii_lowercase();
    let dangling = ["and", "or", "not"].into_iter().find(|word| {
        lower.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
            || lower.strip_suffix(word).is_some_and(|rest| rest.ends_with(char::is_whitespace))
    });
    if let Some(word) = dangling {
        found.push(
            warning(value, "KQL210", format!("`{word}` is part of this text, not an operator"))
                .help("complete the condition, or put the text in double quotes"),
        );
    }
}

fn warning(value: &Term, code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Warning, code, message, value.span)
}
