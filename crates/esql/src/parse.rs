//! Tokens to tree: recursive descent, one method a production.

mod command;
mod expression;
mod names;

use span::Span;

use crate::ast::{Ast, Command, CommandKind, Setting};
use crate::error::{ParseError, ParseErrorKind, ParseErrors};
use crate::lexer::{Kind, Token, tokens};

/// How deep an expression may nest.
pub const MAX_DEPTH: usize = 100;

/// How many bytes a query may have.
pub const MAX_LENGTH: usize = 1 << 20;

/// How many arithmetic operators and casts an expression may have: each nests what stands before it.
pub const MAX_OPERATORS: usize = 100;

/// Parses a query.
///
/// `query = setting* source ( "|" command )* END`
pub fn parse(text: &str) -> Result<Ast, ParseErrors> {
    if text.len() > MAX_LENGTH {
        let error = ParseErrorKind::TooLong { limit: MAX_LENGTH, length: text.len() };
        return Err(ParseErrors::new(vec![error.at(Span::at(0))]));
    }
    let mut errors = Vec::new();
    let Some(tokens) = tokens(text, &mut errors) else { return Err(ParseErrors::new(errors)) };
    let mut parser =
        Parser { text, tokens: &tokens, at: 0, depth: 0, operators: 0, open: Vec::new(), errors };
    let ast = parser.query();
    if parser.errors.is_empty() { Ok(ast) } else { Err(ParseErrors::new(parser.errors)) }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    operators: usize,
    /// The brackets that are open.
    open: Vec<(&'static str, Span)>,
    /// What is wrong and does not keep the rest from being read.
    errors: Vec<ParseError>,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn query(&mut self) -> Ast {
        let mut ast = Ast { settings: Vec::new(), commands: Vec::new() };
        while self.is_word("set") && self.token(1).kind == Kind::Word {
            match self.setting() {
                Ok(setting) => ast.settings.push(setting),
                Err(error) => {
                    self.errors.push(error);
                    return ast;
                }
            }
        }
        let mut is_first = true;
        loop {
            self.depth = 0;
            self.operators = 0;
            self.open.clear();
            match self.command(is_first) {
                Ok(Some(command)) => ast.commands.push(command),
                Ok(None) => self.skip_command(),
                Err(error) => {
                    self.errors.push(error);
                    self.skip_command();
                }
            }
            is_first = false;
            if !self.eat("|") {
                return ast;
            }
        }
    }

    /// `setting = "SET" WORD "=" constant ";"`
    fn setting(&mut self) -> Parsed<Setting> {
        let start = self.span();
        self.at += 1;
        let name = self.text[self.span().range()].to_owned();
        self.at += 1;
        self.expect("=", "`=`")?;
        let value = self.constant("a constant")?;
        self.expect(";", "`;`")?;
        Ok(Setting { name, value, span: start.to(self.before()) })
    }

    /// A command that stands alone, up to what follows it; none if it is of no use, which is noted.
    fn command(&mut self, is_first: bool) -> Parsed<Option<Command>> {
        let start = self.span();
        let Some(kind) = self.command_kind(is_first)? else { return Ok(None) };
        let is_source = matches!(kind, CommandKind::From { .. } | CommandKind::Row(_));
        if is_first && !is_source {
            self.errors.push(ParseErrorKind::NoSource.at(start));
        } else if !is_first && is_source {
            self.errors.push(ParseErrorKind::NotFirst { name: kind.name() }.at(start));
        }
        match self.kind() {
            Kind::End | Kind::Symbol("|") => Ok(Some(Command { kind, span: start.to(self.before()) })),
            _ => Err(self.unexpected("`|`, an operator or the end of the query")),
        }
    }

    /// Goes on where the next command begins.
    fn skip_command(&mut self) {
        while !matches!(self.kind(), Kind::End | Kind::Symbol("|")) {
            self.at += 1;
        }
    }

    /// A bracket that opens; [`Self::close`] is its other end.
    fn open(&mut self, symbol: &'static str) {
        self.open.push((symbol, self.span()));
        self.at += 1;
    }

    fn close(&mut self, symbol: &'static str, expected: &'static str) -> Parsed<()> {
        if !self.is(symbol) {
            return Err(self.unexpected(expected));
        }
        self.open.pop();
        self.at += 1;
        Ok(())
    }

    fn expect(&mut self, symbol: &'static str, expected: &'static str) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn kind(&self) -> &'a Kind {
        &self.tokens[self.at].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    /// Where the last token that was read stands.
    fn before(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn token(&self, ahead: usize) -> &'a Token {
        // The last token is the end, again and again.
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.kind(), Kind::Symbol(it) if *it == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    /// The word that stands so many tokens ahead.
    fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let token = self.token(ahead);
        (token.kind == Kind::Word).then(|| &self.text[token.span.range()])
    }

    fn is_word(&self, keyword: &str) -> bool {
        self.word_at(0).is_some_and(|it| it.eq_ignore_ascii_case(keyword))
    }

    fn eat_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(keyword);
        self.at += usize::from(found);
        found
    }

    /// Notes an error that does not keep the rest from being read.
    fn note(&mut self, kind: ParseErrorKind, span: Span) {
        self.errors.push(kind.at(span));
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        let Token { kind, span } = self.token(0);
        let found = match kind {
            Kind::End => match self.open.last() {
                Some((open, at)) => return ParseErrorKind::Unclosed { open }.at(*at),
                None => "the end of the query".to_owned(),
            },
            Kind::Symbol("|") if !self.open.is_empty() => {
                let (open, at) = self.open[self.open.len() - 1];
                return ParseErrorKind::Unclosed { open }.at(at);
            }
            Kind::Symbol(close @ (")" | "]" | "}")) if self.open.is_empty() => {
                return ParseErrorKind::Unopened { close }.at(*span);
            }
            Kind::Symbol("?") => return ParseErrorKind::Parameter.at(*span),
            Kind::Symbol(operator @ ("&&" | "||" | "!" | "<>" | "=~" | "!~")) => {
                return ParseErrorKind::NoOperator { operator }.at(*span);
            }
            Kind::Other(character) => return ParseErrorKind::Character { character: *character }.at(*span),
            Kind::Text(_) => "a text".to_owned(),
            Kind::Word | Kind::QuotedName(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) => {
                format!("`{}`", &self.text[span.range()])
            }
        };
        ParseErrorKind::Unexpected { expected, found }.at(*span)
    }

    /// All recursion leads through here.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseErrorKind::TooDeep { limit: MAX_DEPTH }.at(self.span()));
        }
        self.depth += 1;
        let read = part(self);
        self.depth -= 1;
        read
    }

    /// Counts what nests the expression before it.
    fn operator(&mut self) -> Parsed<()> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(ParseErrorKind::TooManyOperators { limit: MAX_OPERATORS }.at(self.span()));
        }
        Ok(())
    }

    /// `part ( "," part )*`
    fn several<T>(&mut self, mut part: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut parts = vec![part(self)?];
        while self.eat(",") {
            parts.push(part(self)?);
        }
        Ok(parts)
    }
}
