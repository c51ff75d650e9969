//! What people write who come from other languages, and what KQL writes instead.

use span::{Diagnostic, Severity, Span};

use crate::{Node, NodeKind, ParseError, Term, TermKind};

/// Signs of other languages, and what stands for them.
const SIGNS: [(&str, &str); 7] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!=", "write `not field: value`"),
    ("<>", "write `not field: value`"),
    ("==", "write `field: value`"),
    ("=~", "write `field: value`, with `*` for what may differ"),
    ("=", "write `field: value`"),
];

/// Words that compare in other languages.
const WORDS: [(&str, &str); 8] = [
    ("in", "write `field: (one or another)`"),
    ("like", "write `field: start*`; `*` is any text"),
    ("ilike", "write `field: start*`; `*` is any text"),
    ("rlike", "write `field: start*`; there are no regular expressions"),
    ("regexp", "write `field: start*`; there are no regular expressions"),
    ("matches", "write `field: start*`; there are no regular expressions"),
    ("contains", "write `field: *part*`"),
    ("startswith", "write `field: start*`"),
];

/// What to write instead, if the error comes from another language.
pub(crate) fn hint(text: &str, error: &ParseError) -> Option<String> {
    let span = error.span();
    let (before, after) = (text.get(..span.start)?.trim_end(), text.get(span.start..)?);
    if let ParseError::MissingOperator { .. } | ParseError::MissingSpace { .. } = error
        && after.starts_with(',')
    {
        return Some("values are separated by `or`: write `field: (one or another)`".to_owned());
    }
    if let ParseError::MissingOperator { .. } = error {
        let sign = SIGNS.iter().find(|(sign, _)| before.ends_with(sign) || after.starts_with(sign));
        let last = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = WORDS.iter().find(|(word, _)| last.eq_ignore_ascii_case(word));
        if let Some((found, help)) = sign.or(word) {
            return Some(format!("`{found}` is no operator in KQL: {help}"));
        }
        return (last.ends_with(['!', '-']) && after.starts_with('('))
            .then(|| "a group is negated by a word: write `not (…)`".to_owned());
    }
    // `a: x && b: y` is read as one long value of `a` up to the second colon.
    if let ParseError::ColonInValue { .. } = error {
        let value = before.rsplit_once(':').map_or(before, |(_, value)| value);
        let (found, help) = SIGNS.iter().take(2).find(|(sign, _)| value.contains(sign))?;
        return Some(format!("`{found}` is no operator in KQL: {help}"));
    }
    if let ParseError::Unexpected { .. } = error
        && before.ends_with('<')
        && after.starts_with('>')
    {
        return Some("`<>` is no operator in KQL: write `not field: value`".to_owned());
    }
    None
}

/// Findings about a comparison: its field, its value, and both.
pub(crate) fn comparison(node: &Node, found: &mut Vec<Diagnostic>) {
    match &node.kind {
        NodeKind::Is { field, value } => {
            if let Some(field) = field {
                self::field(field, value, node.span, found);
            }
            self::value(field.as_ref(), value, node.parenthesised, found);
        }
        NodeKind::Range { field, .. } => {
            let name = field.text();
            if is_bare(field) && name.trim_end().ends_with(['=', '!']) {
                found.push(
                    warning(field.span, "KQL208", format!("the name of this field is read as `{name}`"))
                        .help("write `>=` and `<=` for comparisons, `not field: value` for others"),
                );
            }
        }
        NodeKind::Or(_) | NodeKind::And(_) | NodeKind::Not(_) | NodeKind::Nested { .. } => {}
    }
}

/// Whether the term stands without quotes.
fn is_bare(term: &Term) -> bool {
    !matches!(term.kind, TermKind::Text { quoted: true, .. })
}

fn field(field: &Term, value: &Term, whole: Span, found: &mut Vec<Diagnostic>) {
    if !is_bare(field) {
        return;
    }
    let name = field.text();
    if matches!(&*name, "_exists_" | "_missing_") {
        let not = if name == "_missing_" { "not " } else { "" };
        let instead = format!("{not}{value}: *");
        let message = format!("`{name}` is no operator in KQL: this asks for a field of that name");
        let diagnostic = warning(whole, "KQL218", message).help(format!("write `{instead}`"));
        // In a list, the field stands there once for all its values.
        let stands_alone = whole.start == field.span.start;
        found.push(if stands_alone { diagnostic.edit(whole, instead) } else { diagnostic });
        return;
    }
    let sign = name.chars().next().filter(|it| ['+', '-', '!'].contains(it) && name.len() > 1);
    if let Some(sign) = sign {
        let rest = &name[1..];
        let (instead, text) = if sign == '+' { ("", "") } else { ("not ", "not ") };
        found.push(
            warning(
                field.span,
                "KQL217",
                format!("`{sign}` is no operator in KQL: the name of the field is read as `{name}`"),
            )
            .help(format!("write `{instead}{rest}: {value}`"))
            .edit(Span::new(field.span.start, field.span.start + 1), text),
        );
    }
    typographic(field, &name, found);
}

fn value(field: Option<&Term>, value: &Term, alone_in_list: bool, found: &mut Vec<Diagnostic>) {
    if !is_bare(value) {
        return;
    }
    let text = value.text();
    let name = field.map_or_else(|| "field".to_owned(), Term::to_string);
    if is_expression(&text) {
        found.push(
            warning(
                value.span,
                "KQL215",
                "`/…/` is no regular expression in KQL: this is text to search for",
            )
            .help(format!("write the values, with `*` for what may differ: `{name}: (start* or other)`")),
        );
    }
    if let Some((word, sign)) = suffix(&text) {
        let what = if sign == '~' { "similar words are not looked for" } else { "nothing is weighted" };
        found.push(
            warning(value.span, "KQL216", format!("`{sign}` is part of this text: {what} in KQL"))
                .help(format!("write `{word}`, or put the text in double quotes if it is meant")),
        );
    }
    if alone_in_list && field.is_some() && text.contains(',') {
        found.push(warning(value.span, "KQL220", "`,` separates nothing in KQL: this is one value").help(
            format!(
                "write `or` between values: `{name}: (one or another)`, or put the value in double quotes"
            ),
        ));
    }
    if field.is_some() && text.starts_with('=') {
        found.push(
            warning(value.span, "KQL208", "`=` is part of this value")
                .help(format!("write `{name}: {}`", text.trim_start_matches('=').trim_start())),
        );
    }
    typographic(value, &text, found);
}

/// `/Get.*/`, and not `/dev/null/`.
fn is_expression(text: &str) -> bool {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap_or_default();
    inner.contains(".*") || inner.contains(['[', ']', '|', '+', '^', '$'])
}

/// `word~`, `word~2`, `word^3`.
fn suffix(text: &str) -> Option<(&str, char)> {
    let (word, rest) = text.rsplit_once(['~', '^'])?;
    let sign = text[word.len()..].chars().next()?;
    let is_number = rest.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let is_word = word.chars().next_back()?.is_alphanumeric() && !word.contains(['~', '^', '/', '=']);
    (is_number && is_word && (sign == '~' || !rest.is_empty())).then_some((word, sign))
}

/// Quotes and dashes that word processors put in the place of those that were typed.
fn typographic(term: &Term, text: &str, found: &mut Vec<Diagnostic>) {
    let is_quote = |c: char| {
        "\u{201c}\u{201d}\u{201e}\u{201f}\u{2018}\u{2019}\u{201a}\u{201b}\u{ab}\u{bb}\u{2032}\u{2033}"
            .contains(c)
    };
    let is_dash = |c: char| "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}".contains(c);
    let Some(sign) = text.chars().find(|&c| is_quote(c) || is_dash(c)) else { return };
    let (what, help) = if is_quote(sign) {
        ("a typographic quote: it is part of the text", "write `\"` on both sides")
    } else {
        (
            "a typographic dash: it is another character than `-`",
            "write `-`, or put the text in double quotes if it is meant",
        )
    };
    found.push(warning(term.span, "KQL219", format!("`{sign}` is {what}")).help(help));
}

/// Findings about text without a field: a comparison as another language writes it.
pub(crate) fn free_text(value: &Term, found: &mut Vec<Diagnostic>) {
    if !is_bare(value) {
        return;
    }
    let text = value.text();
    let sign = SIGNS.iter().find(|(sign, _)| text.contains(sign));
    let words: Vec<&str> = text.split_whitespace().collect();
    let word = match words.as_slice() {
        // Only what looks like the name of a field is compared.
        [name, word, _, ..] if name.contains('.') => {
            WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known))
        }
        _ => None,
    };
    if let Some((sign, help)) = sign.or(word) {
        found.push(
            warning(
                value.span,
                "KQL208",
                format!("`{sign}` is no operator in KQL: this is text to search for"),
            )
            .help(*help),
        );
    } else if text.len() > 1 && text.starts_with(['+', '!']) {
        let sign = &text[..1];
        found.push(
            warning(value.span, "KQL217", format!("`{sign}` is no operator in KQL: it is part of this text"))
                .help(if sign == "+" {
                    "leave it out, or put the text in double quotes if it is meant"
                } else {
                    "write `not`"
                }),
        );
    }
}

fn warning(span: Span, code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Warning, code, message, span)
}
