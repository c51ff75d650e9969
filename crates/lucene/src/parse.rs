//! Tokens to tree: recursive descent, one method a production.

use plan::Glob;
use span::Span;

use crate::ast::{Ast, Atom, Clause, Conjunction, Field, Group, Modifier, Node};
use crate::lexer::{Kind, Token, tokens};
use crate::{ParseError, ParseErrors};

/// How many parentheses may be open at once.
pub const MAX_DEPTH: usize = 100;

/// How many bytes a query may have.
pub const MAX_LENGTH: usize = 1 << 20;

/// Parses a query.
///
/// `query = [ group ] END`; nothing but white space selects every document.
pub fn parse(text: &str) -> Result<Ast, ParseErrors> {
    let error = |it| ParseErrors(vec![it]);
    if text.len() > MAX_LENGTH {
        let span = Span::at(0);
        return Err(error(ParseError::TooLong { limit: MAX_LENGTH, length: text.len(), span }));
    }
    let tokens = tokens(text).map_err(error)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, open: Vec::new() };
    let root = match parser.kind() {
        Kind::End => None,
        _ => Some(parser.group().map_err(error)?),
    };
    match parser.kind() {
        Kind::End => Ok(Ast { root }),
        _ => Err(error(parser.unexpected("`AND`, `OR` or another condition"))),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    /// The parentheses that are open.
    open: Vec<Span>,
}

type Parsed<T> = Result<T, ParseError>;

impl Parser<'_> {
    /// `group = ( words | clause ) ( words | [ AND | OR ] clause )*`
    fn group(&mut self) -> Parsed<Group> {
        let mut clauses = Vec::new();
        loop {
            if self.is_joined(self.at) && self.kind() == Kind::Term {
                clauses.push(self.words()?);
            } else {
                let conjunction = match self.kind() {
                    _ if clauses.is_empty() => None,
                    Kind::And => Some(Conjunction::And),
                    Kind::Or => Some(Conjunction::Or),
                    _ => None,
                };
                if conjunction.is_some() {
                    self.at += 1;
                }
                clauses.push(self.clause(conjunction)?);
            }
            if matches!(self.kind(), Kind::End | Kind::Close) {
                return Ok(Group(clauses));
            }
        }
    }

    /// Whether the term after this one is joined to it. One that is followed by an operator, or has something to
    /// itself, stands alone.
    fn is_joined(&self, at: usize) -> bool {
        let kind = |at: usize| self.tokens.get(at).map_or(Kind::End, |it| it.kind);
        kind(at + 1) == Kind::Term
            && !matches!(
                kind(at + 2),
                Kind::Colon | Kind::Star | Kind::Tilde | Kind::Boost | Kind::And | Kind::Or
            )
    }

    /// `words = TERM TERM+`
    fn words(&mut self) -> Parsed<Clause> {
        let first = self.tokens[self.at].span;
        let mut words = vec![self.unescaped(first)?];
        let mut last = first;
        while self.is_joined(self.at) {
            self.at += 1;
            last = self.tokens[self.at].span;
            words.push(self.unescaped(last)?);
        }
        self.at += 1;
        let node = Node::Atom(Atom::Words(words.join(" ")));
        Ok(Clause { conjunction: None, modifier: None, field: None, node, span: first.to(last) })
    }

    /// `clause = [ "+" | "-" | "!" | NOT ] [ ( TERM | "*" ) ":" ] ( atom | "(" group ")" [ boost ] )`
    fn clause(&mut self, conjunction: Option<Conjunction>) -> Parsed<Clause> {
        let start = self.tokens[self.at].span;
        let modifier = match self.kind() {
            Kind::Plus => Some(Modifier::Plus),
            Kind::Minus | Kind::Not => Some(Modifier::Not),
            _ => None,
        };
        if modifier.is_some() {
            self.at += 1;
        }
        let field = self.field()?;
        let node = if self.kind() == Kind::Open {
            let group = self.parentheses()?;
            self.skip(Kind::Boost);
            Node::Group(group)
        } else {
            Node::Atom(self.atom(field.is_some())?)
        };
        let span = start.to(self.tokens[self.at - 1].span);
        Ok(Clause { conjunction, modifier, field, node, span })
    }

    fn field(&mut self) -> Parsed<Option<Field>> {
        let Token { kind, span } = self.tokens[self.at];
        let is_name = matches!(kind, Kind::Term | Kind::Star)
            && self.tokens.get(self.at + 1).is_some_and(|it| it.kind == Kind::Colon);
        if !is_name {
            return Ok(None);
        }
        self.at += 2;
        Ok(Some(Field { name: self.unescaped(span)?, span }))
    }

    fn parentheses(&mut self) -> Parsed<Group> {
        let open = self.tokens[self.at].span;
        if self.open.len() >= MAX_DEPTH {
            return Err(ParseError::TooDeep { limit: MAX_DEPTH, span: open });
        }
        self.open.push(open);
        self.at += 1;
        let group = self.group()?;
        self.open.pop();
        match self.kind() {
            Kind::Close => self.at += 1,
            _ => return Err(ParseError::Unclosed { open: '(', span: open }),
        }
        Ok(group)
    }

    /// `atom = ( TERM | "*" | PATTERN | REGEXP ) [ boost [ "~" ] | "~" [ boost ] ] | QUOTED [ "~" ] [ boost ] | range`
    fn atom(&mut self, has_field: bool) -> Parsed<Atom> {
        let Token { kind, span } = self.tokens[self.at];
        let atom = match kind {
            Kind::Term => Atom::Words(self.unescaped(span)?),
            // The character is all that it says.
            Kind::BareOperator => Atom::Words(self.text[span.range()].to_owned()),
            Kind::Star => Atom::Star,
            Kind::Pattern => self.pattern(span)?,
            Kind::Regexp => Atom::Regexp(self.text[span.start + 1..span.end - 1].to_owned()),
            Kind::Quoted => Atom::Phrase { text: self.unquoted(span)?, slop: 0 },
            Kind::RangeStart => {
                let range = self.range()?;
                self.skip(Kind::Boost);
                return Ok(range);
            }
            _ => return Err(self.unexpected(if has_field { "a value" } else { "a condition" })),
        };
        self.at += 1;
        self.skip(Kind::Boost);
        let tilde = (self.kind() == Kind::Tilde).then(|| self.tokens[self.at].span);
        if tilde.is_some() {
            self.at += 1;
            self.skip(Kind::Boost);
        }
        match (atom, tilde) {
            (Atom::Words(text), Some(tilde)) => Ok(Atom::Fuzzy { text, edits: self.edits(tilde)? }),
            (Atom::Phrase { text, .. }, Some(tilde)) => {
                let slop = self.text[tilde.start + 1..tilde.end].parse::<f32>().unwrap_or_default();
                Ok(Atom::Phrase { text, slop: slop as u32 })
            }
            // Patterns and expressions are not fuzzy; Lucene reads the sign and forgets it.
            (atom, _) => Ok(atom),
        }
    }

    fn edits(&self, tilde: Span) -> Parsed<Option<u8>> {
        let text = &self.text[tilde.start + 1..tilde.end];
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse::<f32>().ok();
        [0_u8, 1, 2]
            .into_iter()
            .find(|it| number == Some(f32::from(*it)))
            .map(Some)
            .ok_or_else(|| ParseError::EditDistance { edits: text.to_owned(), span: tilde })
    }

    /// `range = ( "[" | "{" ) bound TO bound ( "]" | "}" )`
    fn range(&mut self) -> Parsed<Atom> {
        let includes =
            |parser: &Self, bracket: &str| &parser.text[parser.tokens[parser.at].span.range()] == bracket;
        let includes_lower = includes(self, "[");
        self.at += 1;
        let lower = self.bound()?;
        match self.kind() {
            Kind::To => self.at += 1,
            _ => return Err(self.unexpected("`TO`")),
        }
        let upper = self.bound()?;
        if self.kind() != Kind::RangeEnd {
            return Err(self.unexpected("`]` or `}`"));
        }
        let includes_upper = includes(self, "]");
        self.at += 1;
        Ok(Atom::Range { lower, includes_lower, upper, includes_upper })
    }

    /// `bound = BOUND | QUOTED | TO`; an asterisk is an open end.
    fn bound(&mut self) -> Parsed<Option<String>> {
        let Token { kind, span } = self.tokens[self.at];
        let bound = match kind {
            Kind::Bound | Kind::To if &self.text[span.range()] == "*" => None,
            Kind::Bound | Kind::To => Some(self.unescaped(span)?),
            Kind::QuotedBound => Some(self.unquoted(span)?),
            _ => return Err(self.unexpected("a bound, or `*` for an open end")),
        };
        self.at += 1;
        // Elasticsearch does not ask how the asterisk was written.
        Ok(bound.filter(|it| it != "*"))
    }

    /// What has one asterisk, and that at its end, is a beginning, in which escapes mean what they do in words;
    /// elsewhere a backslash only takes the next character as it is.
    fn pattern(&self, span: Span) -> Parsed<Atom> {
        let raw = &self.text[span.range()];
        let mut globs = Vec::new();
        let mut text = String::new();
        let mut chars = raw.chars();
        while let Some(it) = chars.next() {
            match it {
                '\\' => text.extend(chars.next()),
                '*' | '?' => {
                    globs.push(Glob::Text(std::mem::take(&mut text)));
                    globs.push(if it == '*' { Glob::Any } else { Glob::One });
                }
                it => text.push(it),
            }
        }
        globs.push(Glob::Text(text));
        globs.retain(|it| !matches!(it, Glob::Text(text) if text.is_empty()));
        if let [Glob::Text(_), Glob::Any] = globs[..] {
            let text = self.unescaped(Span::new(span.start, span.end - 1))?;
            globs[0] = Glob::Text(text);
        }
        Ok(Atom::Pattern(globs))
    }

    fn kind(&self) -> Kind {
        self.tokens[self.at].kind
    }

    fn skip(&mut self, kind: Kind) {
        if self.kind() == kind {
            self.at += 1;
        }
    }

    fn unquoted(&self, span: Span) -> Parsed<String> {
        self.unescaped(Span::new(span.start + 1, span.end - 1))
    }

    /// The text without its escapes.
    fn unescaped(&self, span: Span) -> Parsed<String> {
        let raw = &self.text[span.range()];
        if !raw.contains('\\') {
            return Ok(raw.to_owned());
        }
        let mut units: Vec<u16> = Vec::with_capacity(raw.len());
        let mut buffer = [0; 2];
        let mut chars = raw.char_indices();
        while let Some((at, it)) = chars.next() {
            match it {
                '\\' => match chars.next() {
                    Some((_, 'u')) => {
                        let digits =
                            raw.get(at + 2..at + 6).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
                        let unit = digits.and_then(|it| u16::from_str_radix(it, 16).ok());
                        let Some(unit) = unit else {
                            let start = span.start + at;
                            return Err(ParseError::BadUnicodeEscape { span: Span::new(start, start + 2) });
                        };
                        units.push(unit);
                        chars.nth(3);
                    }
                    Some((_, it)) => units.extend_from_slice(it.encode_utf16(&mut buffer)),
                    None => {
                        let start = span.start + at;
                        return Err(ParseError::LoneBackslash { span: Span::new(start, start + 1) });
                    }
                },
                it => units.extend_from_slice(it.encode_utf16(&mut buffer)),
            }
        }
        Ok(String::from_utf16_lossy(&units))
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        let Token { kind, span } = self.tokens[self.at];
        match kind {
            Kind::End => match self.open.last() {
                Some(open) if expected != "a value" && expected != "a condition" => {
                    ParseError::Unclosed { open: '(', span: *open }
                }
                _ => ParseError::Unexpected { expected, found: "the end of the query".to_owned(), span },
            },
            Kind::Close if self.open.is_empty() => ParseError::Unopened { close: ')', span },
            Kind::Colon if self.at > 0 && self.tokens[self.at - 1].kind == Kind::Term => {
                ParseError::ColonInValue { span }
            }
            _ => {
                let found = format!("`{}`", &self.text[span.range()]);
                ParseError::Unexpected { expected, found, span }
            }
        }
    }
}
