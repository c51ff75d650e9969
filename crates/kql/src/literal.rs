//! Characters, escapes and literals: the part of the grammar below expressions.

use span::Span;

use crate::{ParseError, Term, TermKind};

/// Room for most field names and values.
const WORD_BYTES: usize = 48;

/// White space between tokens.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{a0}')
}

/// Characters that end unquoted text unless they are escaped.
pub(crate) fn is_special(c: char) -> bool {
    matches!(c, '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}')
}

/// What JavaScript's `trim` removes: Kibana trims unquoted literals with it, after resolving escapes.
fn is_trimmed(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// The end of the white space that begins at `at`.
pub(crate) fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + (rest.len() - rest.trim_start_matches(is_space).len())
}

/// Whether `word` stands at `at`, in any letter case.
pub(crate) fn has_word(text: &str, at: usize, word: &str) -> bool {
    text.as_bytes().get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
}

/// The end of `word` and the white space that must follow it, if both stand at `at`.
pub(crate) fn spaced_word(text: &str, at: usize, word: &str) -> Option<usize> {
    if !has_word(text, at, word) {
        return None;
    }
    let end = skip_space(text, at + word.len());
    (end > at + word.len()).then_some(end)
}

/// The end of white space, `word` and white space, if they stand at `at`.
pub(crate) fn operator(text: &str, at: usize, word: &str) -> Option<usize> {
    let start = skip_space(text, at);
    if start == at { None } else { spaced_word(text, start, word) }
}

/// Scans a literal at `at`: `literal = quoted | unquoted`. Returns it with the place where it ends, or `None` if no
/// literal begins there. Unknown escapes are reported and taken as text.
pub(crate) fn scan(text: &str, at: usize, errors: &mut Vec<ParseError>) -> Option<(Term, usize)> {
    if text[at..].starts_with('"') {
        Some(scan_quoted(text, at, errors))
    } else {
        scan_unquoted(text, at, errors)
    }
}

/// `quoted = '"' ( escape | [^"] )* '"'`
fn scan_quoted(text: &str, start: usize, errors: &mut Vec<ParseError>) -> (Term, usize) {
    // As long as the text, but for escapes.
    let mut out = String::with_capacity(text[start + 1..].find('"').unwrap_or_default());
    let mut at = start + 1;
    while let Some(c) = text[at..].chars().next() {
        if c == '"' {
            let end = at + 1;
            let kind = TermKind::Text { text: out, quoted: true };
            return (Term { kind, span: Span::new(start, end) }, end);
        }
        if c == '\\' {
            let next = text[at + 1..].chars().next();
            if let Some(control) = next.and_then(control_of) {
                out.push(control);
                at += 2;
                continue;
            }
            if let Some((unit, end)) = unicode_escape(text, at) {
                out.push(unit);
                at = end;
                continue;
            }
            if let Some(next @ ('"' | '\\')) = next {
                out.push(next);
                at += 2;
                continue;
            }
        }
        out.push(c);
        at += c.len_utf8();
    }
    errors.push(ParseError::Unclosed { open: '"', span: Span::new(start, start + 1) });
    (Term { kind: TermKind::Text { text: out, quoted: true }, span: Span::new(start, at) }, at)
}

/// `unquoted = ( escape | "*" | character that begins neither a special character nor a keyword )+`
fn scan_unquoted(text: &str, start: usize, errors: &mut Vec<ParseError>) -> Option<(Term, usize)> {
    let mut pieces = vec![String::with_capacity(WORD_BYTES)];
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        let piece = pieces.last_mut().expect("there is always a piece: it starts with one and only grows");
        match c {
            '\\' => at = escape(text, at, piece, errors),
            '*' => {
                pieces.push(String::with_capacity(WORD_BYTES));
                at += 1;
            }
            c if is_special(c) => break,
            // White space is taken as one run: it ends the literal if an operator follows, whatever its length.
            c if is_space(c) => {
                if operator(text, at, "or").is_some() || operator(text, at, "and").is_some() {
                    break;
                }
                let end = skip_space(text, at);
                piece.push_str(&text[at..end]);
                at = end;
            }
            'n' | 'N' if spaced_word(text, at, "not").is_some() => break,
            c => {
                piece.push(c);
                at += c.len_utf8();
            }
        }
    }
    if at == start {
        return None;
    }
    let span = Span::new(start, start + text[start..at].trim_end_matches(is_trimmed).len());
    Some((Term { kind: kind_of(pieces), span }, at))
}

/// Trims the text of an unquoted literal and tells constants and patterns from plain text.
fn kind_of(mut pieces: Vec<String>) -> TermKind {
    if let Some(first) = pieces.first_mut() {
        *first = first.trim_start_matches(is_trimmed).to_owned();
    }
    if let Some(last) = pieces.last_mut() {
        *last = last.trim_end_matches(is_trimmed).to_owned();
    }
    if pieces.len() > 1 {
        return TermKind::Pattern(pieces);
    }
    let text = pieces.swap_remove(0);
    match text.as_str() {
        "null" => TermKind::Null,
        "true" => TermKind::Bool(true),
        "false" => TermKind::Bool(false),
        _ => TermKind::Text { text, quoted: false },
    }
}

/// Resolves the escape at `at` into `out` and returns where it ends.
///
/// Tried in this order: `\t` `\r` `\n`, special characters, `\uXXXX`, keywords. So `\not` is a line feed and `ot`.
fn escape(text: &str, at: usize, out: &mut String, errors: &mut Vec<ParseError>) -> usize {
    let next = text[at + 1..].chars().next();
    if let Some(control) = next.and_then(control_of) {
        out.push(control);
        return at + 2;
    }
    if let Some(special) = next.filter(|&c| is_special(c)) {
        out.push(special);
        return at + 2;
    }
    if let Some((unit, end)) = unicode_escape(text, at) {
        out.push(unit);
        return end;
    }
    for keyword in ["or", "and", "not"] {
        if has_word(text, at + 1, keyword) {
            let end = at + 1 + keyword.len();
            out.push_str(&text[at + 1..end]);
            return end;
        }
    }
    let end = at + 1 + next.map_or(0, char::len_utf8);
    errors.push(ParseError::UnknownEscape { escape: text[at..end].to_owned(), span: Span::new(at, end) });
    out.push('\\');
    at + 1
}

fn control_of(c: char) -> Option<char> {
    match c {
        't' => Some('\t'),
        'r' => Some('\r'),
        'n' => Some('\n'),
        _ => None,
    }
}

/// The character of `\uXXXX` at `at`, and where it ends. Two escapes that form a surrogate pair are one
/// character; half a pair cannot be text and becomes U+FFFD.
fn unicode_escape(text: &str, at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let bytes = text.as_bytes().get(at..at + 6)?;
        let digits = bytes.strip_prefix(b"\\u").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(at)?;
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(at + 6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), at + 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), at + 6))
}
