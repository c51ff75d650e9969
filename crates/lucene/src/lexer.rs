//! Text to tokens: the longest wins, as in Lucene.

use span::Span;

use crate::ParseError;

/// A token, with its place. What it says stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    And,
    Or,
    Not,
    Plus,
    Minus,
    /// `+`, `-` or `!` with white space after it: an ordinary character.
    BareOperator,
    Open,
    Close,
    Colon,
    Star,
    /// `^` and the number after it.
    Boost,
    Quoted,
    Term,
    /// `~` and the number after it, if there is one.
    Tilde,
    /// A word with `*` or `?`.
    Pattern,
    Regexp,
    /// `[` or `{`.
    RangeStart,
    /// `TO`, between the bounds of a range.
    To,
    /// `]` or `}`.
    RangeEnd,
    /// A bound in quotes.
    QuotedBound,
    Bound,
    End,
}

/// All tokens of a text; the last is [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    let mut in_range = None;
    loop {
        match in_range {
            Some(_) => lexer.skip_space_in_range(),
            None => lexer.skip_space(),
        }
        if lexer.at == text.len() {
            tokens.push(Token { kind: Kind::End, span: Span::at(lexer.at) });
            return Ok(tokens);
        }
        let start = lexer.at;
        let kind = match in_range {
            Some(open) => lexer.in_range(open)?,
            None => lexer.anywhere()?,
        };
        match kind {
            Kind::RangeStart => in_range = Some(start),
            Kind::RangeEnd => in_range = None,
            _ => {}
        }
        tokens.push(Token { kind, span: Span::new(start, lexer.at) });
    }
}

/// White space between tokens.
pub(crate) fn is_space(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

/// What has a meaning of its own and so cannot stand in a word, but for `+` and `-` behind its first character.
pub(crate) fn is_special(it: char) -> bool {
    is_space(it)
        || matches!(
            it,
            '+' | '-'
                | '!'
                | '('
                | ')'
                | ':'
                | '^'
                | '['
                | ']'
                | '"'
                | '{'
                | '}'
                | '~'
                | '*'
                | '?'
                | '\\'
                | '/'
        )
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_space).len();
    }

    /// Between brackets only a space ends a bound. Other white space begins one, but where nothing follows it.
    fn skip_space_in_range(&mut self) {
        while let Some(first) = self.rest().chars().next().filter(|it| is_space(*it)) {
            let behind = &self.rest()[first.len_utf8()..];
            if first != ' ' && !behind.starts_with([' ', ']', '}']) && !behind.is_empty() {
                return;
            }
            self.at += first.len_utf8();
        }
    }

    fn take(&mut self, length: usize, kind: Kind) -> Kind {
        self.at += length;
        kind
    }

    fn anywhere(&mut self) -> Result<Kind, ParseError> {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        let is_bare = rest.chars().nth(1).is_some_and(is_space);
        let kind = match first {
            // The white space after it is part of the token in Lucene; here it is skipped before the next one.
            '+' | '-' | '!' if is_bare => Kind::BareOperator,
            '+' => Kind::Plus,
            '-' => Kind::Minus,
            '!' => Kind::Not,
            '(' => Kind::Open,
            ')' => Kind::Close,
            ':' => Kind::Colon,
            '[' | '{' => Kind::RangeStart,
            '^' => return self.boost(),
            '~' => {
                let length = 1 + number(&rest[1..]);
                return Ok(self.take(length, Kind::Tilde));
            }
            '"' => return self.quoted(),
            '/' => return self.regexp(),
            ']' | '}' => {
                return Err(ParseError::Unopened { close: first, span: Span::new(self.at, self.at + 1) });
            }
            _ => return self.word(),
        };
        Ok(self.take(1, kind))
    }

    /// A word: `AND`, `OR`, `NOT`, a term, or a pattern.
    fn word(&mut self) -> Result<Kind, ParseError> {
        let rest = self.rest();
        let mut chars = rest.char_indices();
        let mut is_pattern = false;
        let mut length = rest.len();
        while let Some((at, it)) = chars.next() {
            match it {
                '\\' if chars.next().is_none() => {
                    let start = self.at + at;
                    return Err(ParseError::LoneBackslash { span: Span::new(start, start + 1) });
                }
                '*' | '?' => is_pattern = true,
                '\\' => {}
                '+' | '-' if at > 0 => {}
                it if is_special(it) => {
                    length = at;
                    break;
                }
                _ => {}
            }
        }
        let kind = match &rest[..length] {
            "AND" | "&&" => Kind::And,
            "OR" | "||" => Kind::Or,
            "NOT" => Kind::Not,
            "*" => Kind::Star,
            _ if is_pattern => Kind::Pattern,
            _ => Kind::Term,
        };
        Ok(self.take(length, kind))
    }

    fn quoted(&mut self) -> Result<Kind, ParseError> {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, it)) = chars.next() {
            match it {
                '\\' => {
                    chars.next();
                }
                '"' => return Ok(self.take(at + 1, Kind::Quoted)),
                _ => {}
            }
        }
        Err(ParseError::Unclosed { open: '"', span: Span::new(self.at, self.at + 1) })
    }

    /// A slash ends the expression unless a backslash stands before it; if all have one, the last slash does.
    fn regexp(&mut self) -> Result<Kind, ParseError> {
        let bytes = self.rest().as_bytes();
        let mut last = None;
        for at in (1..bytes.len()).filter(|&at| bytes[at] == b'/') {
            last = Some(at);
            if bytes[at - 1] != b'\\' {
                break;
            }
        }
        match last {
            Some(at) => Ok(self.take(at + 1, Kind::Regexp)),
            None => Err(ParseError::Unclosed { open: '/', span: Span::new(self.at, self.at + 1) }),
        }
    }

    fn boost(&mut self) -> Result<Kind, ParseError> {
        let digits = number(&self.rest()[1..]);
        if digits == 0 {
            return Err(ParseError::NoBoost { span: Span::new(self.at, self.at + 1) });
        }
        Ok(self.take(1 + digits, Kind::Boost))
    }

    fn in_range(&mut self, open: usize) -> Result<Kind, ParseError> {
        let rest = self.rest();
        let goop = rest.find([' ', ']', '}']).unwrap_or(rest.len());
        if goop == 0 {
            return Ok(self.take(1, Kind::RangeEnd));
        }
        // A quote behind a backslash is part of the text if another one closes it, and else closes it itself. What is never
        // closed is a bound like any other.
        let mut quoted = None;
        if rest.starts_with('"') {
            let quotes = rest.match_indices('"').map(|(at, _)| at).skip(1);
            for at in quotes {
                quoted = Some(at + 1).filter(|it| *it > 2);
                if !rest[..at].ends_with('\\') {
                    break;
                }
            }
        }
        if let Some(length) = quoted.filter(|&it| it >= goop) {
            return Ok(self.take(length, Kind::QuotedBound));
        }
        if self.at + goop == self.text.len() {
            let bracket = if self.text.as_bytes()[open] == b'[' { '[' } else { '{' };
            return Err(ParseError::Unclosed { open: bracket, span: Span::new(open, open + 1) });
        }
        let kind = if &rest[..goop] == "TO" { Kind::To } else { Kind::Bound };
        Ok(self.take(goop, kind))
    }
}

/// How many bytes the number at the beginning has: digits, perhaps a point and more digits.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(fraction) if whole > 0 && fraction > 0 => whole + 1 + fraction,
        _ => whole,
    }
}
