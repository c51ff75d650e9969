//! From places in a decoded string to places in the file, so that an error in a query underlines its very
//! characters.

use span::{Edit, Span};

use super::{Node, Syntax};

/// Where the characters of one decoded string stand in the file.
pub(crate) struct Literal {
    /// Decoded offset and file offset of every piece that was copied unchanged or stands for one escape.
    pieces: Vec<(usize, usize)>,
    /// The whole literal.
    span: Span,
    /// Whether a backslash begins an escape in it.
    escapes: bool,
}

impl Literal {
    /// Reads the literal of `node` again. `None` if it is no string, or was not written as one literal.
    pub(crate) fn of(node: &Node, text: &str, syntax: Syntax) -> Option<Self> {
        let decoded = node.text()?;
        let raw = text.get(node.span.range())?;
        let (open, close, escapes) = match syntax {
            Syntax::Json => (1, 1, true),
            // Words without quotes, folded blocks: the whole value is underlined.
            Syntax::Yaml => return None,
            Syntax::Toml => match raw.as_bytes() {
                [b'"', b'"', b'"', ..] if raw.len() >= 6 => (3, 3, true),
                [b'\'', b'\'', b'\'', ..] if raw.len() >= 6 => (3, 3, false),
                [b'"', ..] => (1, 1, true),
                [b'\'', ..] => (1, 1, false),
                _ => return None,
            },
        };
        let mut at = open;
        let end = raw.len().checked_sub(close)?;
        if open == 3 {
            // The line break right after the opening quotes is not part of the string.
            at += if raw[at..].starts_with("\r\n") { 2 } else { usize::from(raw[at..].starts_with('\n')) };
        }
        let mut pieces = Vec::new();
        let mut out = String::with_capacity(decoded.len());
        while at < end {
            pieces.push((out.len(), node.span.start + at));
            let rest = raw.get(at..end)?;
            if escapes && rest.starts_with('\\') {
                at += escape(rest, syntax, &mut out)?;
            } else {
                let plain = if escapes { rest.find('\\').unwrap_or(rest.len()) } else { rest.len() };
                out.push_str(&rest[..plain]);
                at += plain;
            }
        }
        pieces.push((out.len(), node.span.start + end));
        (out == decoded).then_some(Self { pieces, span: node.span, escapes })
    }

    /// The place in the file of a place in the string.
    pub(crate) fn span(&self, inner: Span) -> Span {
        let start = self.offset(inner.start);
        // The end belongs to the character before it: an escape is underlined whole.
        let end = if inner.end > inner.start { self.end_offset(inner.end) } else { start };
        Span { start, end: end.max(start).min(self.span.end) }
    }

    /// The change of the file that makes a change of the string. `None` if this kind of literal cannot hold it.
    pub(crate) fn edit(&self, inner: &Edit) -> Option<Edit> {
        let plain = |c: char| !c.is_control() && c != '\'';
        let text = if self.escapes {
            // TOML takes every escape of JSON.
            let quoted = serde_json::to_string(&inner.text).ok()?;
            quoted.get(1..quoted.len() - 1)?.to_owned()
        } else if inner.text.chars().all(plain) {
            inner.text.clone()
        } else {
            return None;
        };
        Some(Edit { span: self.span(inner.span), text })
    }

    fn offset(&self, inner: usize) -> usize {
        let at = self.pieces.partition_point(|&(decoded, _)| decoded <= inner);
        let Some(&(decoded, file)) = at.checked_sub(1).and_then(|at| self.pieces.get(at)) else {
            return self.span.start;
        };
        // A piece that is an escape has fewer characters than it is long: never run past the next piece.
        let limit = self.pieces.get(at).map_or(self.span.end, |&(_, next)| next);
        (file + (inner - decoded)).min(limit)
    }

    fn end_offset(&self, inner: usize) -> usize {
        let at = self.pieces.partition_point(|&(decoded, _)| decoded < inner);
        let Some(&(decoded, file)) = at.checked_sub(1).and_then(|at| self.pieces.get(at)) else {
            return self.span.start;
        };
        match self.pieces.get(at) {
            Some(&(next, next_file)) if next == inner => next_file,
            _ => file + (inner - decoded),
        }
    }
}

/// Decodes the escape at the start of `rest`; returns its length.
fn escape(rest: &str, syntax: Syntax, out: &mut String) -> Option<usize> {
    let code = |from: usize, digits: usize| u32::from_str_radix(rest.get(from..from + digits)?, 16).ok();
    let next = rest[1..].chars().next()?;
    let plain = match next {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        '"' | '\\' | '/' => next,
        'x' => {
            out.push(char::from_u32(code(2, 2)?)?);
            return Some(4);
        }
        'u' => {
            let high = code(2, 4)?;
            if syntax == Syntax::Json && (0xd800..0xdc00).contains(&high) {
                let low = code(8, 4)?.checked_sub(0xdc00)?;
                out.push(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?);
                return Some(12);
            }
            out.push(char::from_u32(high)?);
            return Some(6);
        }
        'U' => {
            out.push(char::from_u32(code(2, 8)?)?);
            return Some(10);
        }
        // A backslash at the end of a line drops all white space up to the next character.
        ' ' | '\t' | '\r' | '\n' => {
            let body = &rest[1..];
            return Some(1 + body.len() - body.trim_start_matches([' ', '\t', '\r', '\n']).len());
        }
        _ => return None,
    };
    out.push(plain);
    Some(1 + next.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{parse_json, parse_toml, parse_yaml};

    /// Finds `needle` in the decoded string of `key` and says what is underlined in the file.
    fn underlined(text: &str, syntax: Syntax, key: &str, needle: &str) -> String {
        let root = match syntax {
            Syntax::Toml => parse_toml(text).unwrap(),
            Syntax::Json => parse_json(text).0.remove(0),
            Syntax::Yaml => parse_yaml(text).unwrap(),
        };
        let node = root.get(key).unwrap();
        let at = node.text().unwrap().find(needle).unwrap();
        let span = Literal::of(node, text, syntax).unwrap().span(Span::new(at, at + needle.len()));
        text[span.range()].to_owned()
    }

    #[test]
    fn every_kind_of_literal() {
        let toml = "a = '''\nuser.name: bob and\n  host: x'''\nb = \"x \\\"bob\\\" \\u00e9t\\u00e9 y\"\nc = \"\"\"\\\n   one \\\n   bob \\t two\"\"\"\nd = 'č bob'\n";
        assert_eq!(underlined(toml, Syntax::Toml, "a", "bob"), "bob");
        assert_eq!(underlined(toml, Syntax::Toml, "a", "host"), "host");
        assert_eq!(underlined(toml, Syntax::Toml, "b", "\"bob\""), "\\\"bob\\\"");
        assert_eq!(underlined(toml, Syntax::Toml, "b", "été"), "\\u00e9t\\u00e9");
        assert_eq!(underlined(toml, Syntax::Toml, "b", "y"), "y");
        assert_eq!(underlined(toml, Syntax::Toml, "c", "bob"), "bob");
        assert_eq!(underlined(toml, Syntax::Toml, "c", "\t two"), "\\t two");
        assert_eq!(underlined(toml, Syntax::Toml, "d", "bob"), "bob");
        let json = r#"{"q": "a: \"bob\" \ud83d\ude00 \/ z"}"#;
        assert_eq!(underlined(json, Syntax::Json, "q", "\"bob\""), r#"\"bob\""#);
        assert_eq!(underlined(json, Syntax::Json, "q", "😀"), r"\ud83d\ude00");
        assert_eq!(underlined(json, Syntax::Json, "q", "/ z"), r"\/ z");
    }

    #[test]
    fn windows_line_ends() {
        let toml = "a = '''\r\none\r\nbob'''\r\n";
        assert_eq!(underlined(toml, Syntax::Toml, "a", "bob"), "bob");
    }
}
