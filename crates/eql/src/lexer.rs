//! Text to tokens.

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
    /// A name or a key word with `~` behind it.
    TildeWord,
    /// A name in backquotes, without them.
    QuotedName(String),
    /// A text in quotes, without them.
    Text(String),
    Integer,
    Decimal,
    Symbol(&'static str),
    End,
}

/// The longer ones first. Those of other languages are known so that the parser can say what to write instead.
const SYMBOLS: [&str; 27] = [
    "![", "!=", "!:", "!~", "==", "=~", "<=", ">=", "<>", "&&", "||", "<", ">", "=", ":", "+", "-", "*", "/",
    "%", ".", ",", "[", "]", "(", ")", "|",
];

const KEYWORDS: [&str; 22] = [
    "and", "any", "by", "false", "in", "in~", "join", "like", "like~", "maxspan", "not", "null", "of", "or",
    "regex", "regex~", "sample", "sequence", "true", "until", "where", "with",
];

/// Whether the word has a meaning of its own, so that a field of that name needs backquotes.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
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
                self.note(ParseErrorKind::OldQuotes, Span::new(start, self.at));
                kind
            }
            '?' if rest[1..].starts_with(['"', '\'']) => {
                self.at += 1;
                let kind = self.old_raw_text(rest.as_bytes()[1] as char)?;
                self.note(ParseErrorKind::OldQuotes, Span::new(start, self.at));
                kind
            }
            '?' => self.take("?"),
            '`' => self.quoted_name()?,
            _ => {
                let symbol = SYMBOLS.into_iter().find(|it| rest.starts_with(it));
                let span = Span::new(start, start + first.len_utf8());
                self.take(symbol.ok_or_else(|| ParseErrorKind::Character { character: first }.at(span))?)
            }
        };
        Ok(Token { kind, span: Span::new(start, self.at) })
    }

    fn take(&mut self, symbol: &'static str) -> Kind {
        self.at += symbol.len();
        Kind::Symbol(symbol)
    }

    fn word(&mut self) -> Kind {
        let rest = self.rest();
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let length = rest[1..].find(|it| !is_part(it)).map_or(rest.len(), |it| it + 1);
        self.at += length;
        if rest[length..].starts_with('~') {
            self.at += 1;
            return Kind::TildeWord;
        }
        Kind::Word
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
                    return Ok(Kind::Text(text));
                }
                '\n' | '\r' => break,
                '\\' => {
                    let length = self.escape(start + at, &mut text);
                    // The backslash is behind us.
                    for _ in 1..length {
                        chars.next();
                    }
                }
                it => text.push(it),
            }
        }
        Err(self.unclosed(if quote == '"' { "\"" } else { "'" }, 1))
    }

    /// Adds what an escape says; how many characters it has.
    fn escape(&mut self, at: usize, text: &mut String) -> usize {
        let after = &self.text[at + 1..];
        let plain = match after.chars().next() {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{c}',
            Some('r') => '\r',
            Some(it @ ('"' | '\'' | '\\')) => it,
            Some('u') if after[1..].starts_with('{') => {
                let digits = after[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
                if after[2 + digits..].starts_with('}') {
                    let code = u32::from_str_radix(&after[2..2 + digits], 16).ok();
                    let found = code.and_then(char::from_u32).filter(|_| (2..=8).contains(&digits));
                    match found {
                        Some(it) => text.push(it),
                        None => self.note(ParseErrorKind::UnicodeEscape, Span::new(at, at + digits + 4)),
                    }
                    return digits + 4;
                }
                self.note(ParseErrorKind::UnicodeEscape, Span::new(at, at + 3));
                return 3;
            }
            // The text ends here, and is not closed.
            None | Some('\n' | '\r') => return 1,
            Some(it) => {
                self.note(ParseErrorKind::Escape { character: it }, Span::new(at, at + 1 + it.len_utf8()));
                it
            }
        };
        text.push(plain);
        2
    }

    /// `"""…"""`, in one line and without escapes; quotes at its end belong to it, if there are no more than two.
    fn raw_text(&mut self) -> Lexed<Kind> {
        let rest = self.rest();
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        let Some(length) = line[3..].find("\"\"\"") else { return Err(self.unclosed("\"\"\"", 3)) };
        let more = line[3 + length + 3..].bytes().take(2).take_while(|it| *it == b'"').count();
        self.at += 3 + length + more + 3;
        Ok(Kind::Text(line[3..3 + length + more].to_owned()))
    }

    /// `?"…"`, the raw text of old versions.
    fn old_raw_text(&mut self, quote: char) -> Lexed<Kind> {
        let rest = self.rest();
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, it)) = chars.next() {
            if it == quote {
                self.at += at + 1;
                return Ok(Kind::Text(rest[1..at].to_owned()));
            }
            match it {
                '\\' => {
                    chars.next();
                }
                '\n' | '\r' => break,
                _ => {}
            }
        }
        Err(self.unclosed(if quote == '"' { "\"" } else { "'" }, 1))
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
                '\n' | '\r' => break,
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
