//! Text to tokens.

use std::sync::Arc;

use span::Span;

use crate::error::{ParseError, ParseErrorKind};

/// A token, with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A name or a key word; what it says stands in the text.
    Word,
    /// A name in backquotes, without them.
    QuotedName(String),
    /// A text in quotes, without them.
    Text(Arc<str>),
    Integer,
    Decimal,
    Symbol(&'static str),
    /// What means something at most in the pattern of an index.
    Other(char),
    End,
}

/// The longer ones first. Those of other languages are known so that the parser can say what to write instead.
const SYMBOLS: [&str; 31] = [
    "::", "==", "!=", "=~", "<=", ">=", "<>", "&&", "||", "<", ">", "=", ":", "+", "-", "*", "/", "%", ".",
    ",", "[", "]", "(", ")", "{", "}", "|", "!", "?", ";", "!~",
];

/// Words that no column can begin with, unless in backquotes.
const KEYWORDS: [&str; 18] = [
    "and", "asc", "by", "desc", "false", "first", "in", "is", "last", "like", "not", "null", "nulls", "on",
    "or", "rlike", "true", "with",
];

/// Whether the word has a meaning of its own in expressions, so that a column whose name begins with it needs backquotes.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Whether the text can stand for a part of a name without backquotes.
pub(crate) fn is_plain(part: &str) -> bool {
    let is_start = |it: char| it.is_ascii_alphabetic() || it == '_' || it == '@';
    let is_rest = |it: char| it.is_ascii_alphanumeric() || it == '_';
    part.starts_with(is_start) && part[1..].chars().all(is_rest) && !matches!(part, "_" | "@")
}

/// All tokens of a text; the last is [`Kind::End`]. What is wrong with a text in quotes is noted and passed over; if the
/// rest cannot be read, there are no tokens.
pub(crate) fn tokens(text: &str, errors: &mut Vec<ParseError>) -> Option<Vec<Token>> {
    let mut lexer = Lexer { text, at: 0, errors };
    let mut tokens = Vec::new();
    loop {
        let read = lexer.skip_space().and_then(|()| lexer.token());
        match read {
            Ok(token) => {
                let is_end = token.kind == Kind::End;
                tokens.push(token);
                if is_end {
                    return Some(tokens);
                }
            }
            Err(error) => {
                lexer.errors.push(error);
                return None;
            }
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    errors: &'a mut Vec<ParseError>,
}

type Lexed<T> = Result<T, ParseError>;

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// White space and comments.
    fn skip_space(&mut self) -> Lexed<()> {
        loop {
            let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
            self.at = self.text.len() - rest.len();
            if rest.starts_with("//") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(length) => self.at += 2 + length + 2,
                    None => return Err(self.unclosed("/*", 2)),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Lexed<Token> {
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token { kind: Kind::End, span: Span::at(start) });
        };
        let kind = match first {
            'a'..='z' | 'A'..='Z' | '_' | '@' => self.word(),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|it: char| it.is_ascii_digit()) => self.number(),
            '"' if rest.starts_with("\"\"\"") => self.raw_text()?,
            '"' => self.text('"')?,
            '\'' => {
                let kind = self.text('\'')?;
                self.note(ParseErrorKind::SingleQuotes, Span::new(start, self.at));
                kind
            }
            '`' => self.quoted_name()?,
            _ => {
                let symbol = SYMBOLS.into_iter().find(|it| rest.starts_with(it));
                self.at += symbol.map_or(first.len_utf8(), str::len);
                symbol.map_or(Kind::Other(first), Kind::Symbol)
            }
        };
        Ok(Token { kind, span: Span::new(start, self.at) })
    }

    fn word(&mut self) -> Kind {
        let rest = self.rest();
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
        self.at += rest[1..].find(|it| !is_part(it)).map_or(rest.len(), |it| it + 1);
        match &rest[..1] {
            "_" | "@" if self.at == self.text.len() - rest.len() + 1 => {
                Kind::Other(if rest.starts_with('_') { '_' } else { '@' })
            }
            _ => Kind::Word,
        }
    }

    /// `digits [ "." digits ] [ exponent ]`; the digits on one side of the point may be none.
    fn number(&mut self) -> Kind {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(0);
        let mut kind = Kind::Integer;
        if rest[length..].starts_with('.') {
            length += 1;
            length += digits(length);
            kind = Kind::Decimal;
        }
        if rest[length..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
                kind = Kind::Decimal;
            }
        }
        self.at += length;
        kind
    }

    /// A text without line breaks, with escapes.
    fn text(&mut self, quote: char) -> Lexed<Kind> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, it)) = chars.next() {
            match it {
                it if it == quote => {
                    self.at = start + at + 1;
                    return Ok(Kind::Text(text.into()));
                }
                '\n' | '\r' => break,
                '\\' => match chars.next() {
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, it @ ('"' | '\\'))) => text.push(it),
                    None | Some((_, '\n' | '\r')) => break,
                    Some((_, it)) => {
                        let span = Span::new(start + at, start + at + 1 + it.len_utf8());
                        self.note(ParseErrorKind::Escape { character: it }, span);
                        text.push(it);
                    }
                },
                it => text.push(it),
            }
        }
        Err(self.unclosed(if quote == '"' { "\"" } else { "'" }, 1))
    }

    /// `"""…"""`, in one line and without escapes; quotes at its end belong to it, if there are no more than two.
    fn raw_text(&mut self) -> Lexed<Kind> {
        let rest = self.rest();
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        let Some(length) = line[3..].find("\"\"\"") else { return Err(self.unclosed("\"\"\"", 3)) };
        let more = line[3 + length + 3..].bytes().take(2).take_while(|it| *it == b'"').count();
        self.at += 3 + length + more + 3;
        Ok(Kind::Text(line[3..3 + length + more].into()))
    }

    /// A backquote in it is doubled.
    fn quoted_name(&mut self) -> Lexed<Kind> {
        let mut name = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, it)) = chars.next() {
            match it {
                '`' if chars.next_if(|(_, it)| *it == '`').is_some() => name.push('`'),
                '`' if name.is_empty() => {
                    return Err(ParseErrorKind::EmptyName.at(Span::new(self.at, self.at + at + 1)));
                }
                '`' => {
                    self.at += at + 1;
                    return Ok(Kind::QuotedName(name));
                }
                it => name.push(it),
            }
        }
        Err(self.unclosed("`", 1))
    }

    fn note(&mut self, kind: ParseErrorKind, span: Span) {
        self.errors.push(kind.at(span));
    }

    fn unclosed(&self, open: &'static str, length: usize) -> ParseError {
        ParseErrorKind::Unclosed { open }.at(Span::new(self.at, self.at + length))
    }
}
