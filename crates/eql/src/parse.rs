//! Tokens to tree: recursive descent, one method a production.

mod expression;
mod items;

use span::Span;

use crate::ast::{Ast, Category, Event, Expr, ExprKind, Field, Literal, Pipe, Query};
use crate::error::{OtherDialect, ParseError, ParseErrorKind, ParseErrors};
use crate::lexer::{Kind, Token, is_keyword, tokens};

/// How deep an expression may nest.
pub const MAX_DEPTH: usize = 100;

/// How many bytes a query may have.
pub const MAX_LENGTH: usize = 1 << 20;

/// How many arithmetic operators a query may have: each nests what stands before it.
pub const MAX_OPERATORS: usize = 100;

/// How many events a sequence or a sample may have, with `runs` counted.
pub const MAX_ITEMS: usize = 1_000;

/// Parses a query.
///
/// `statement = ( event | sequence | sample ) ( "|" pipe )* END`
pub fn parse(text: &str) -> Result<Ast, ParseErrors> {
    if text.len() > MAX_LENGTH {
        let error = ParseErrorKind::TooLong { limit: MAX_LENGTH, length: text.len() };
        return Err(ParseErrors::new(vec![error.at(Span::at(0))]));
    }
    let mut errors = Vec::new();
    let Some(tokens) = tokens(text, &mut errors) else { return Err(ParseErrors::new(errors)) };
    let mut parser =
        Parser { text, tokens: &tokens, at: 0, depth: 0, operators: 0, open: Vec::new(), errors };
    match parser.statement() {
        Ok(ast) if parser.errors.is_empty() => Ok(ast),
        Ok(_) => Err(ParseErrors::new(parser.errors)),
        Err(error) => {
            parser.errors.push(error);
            Err(ParseErrors::new(parser.errors))
        }
    }
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
    fn statement(&mut self) -> Parsed<Ast> {
        let query = match self.word() {
            Some("sequence") => Query::Sequence(self.sequence()?),
            Some("sample") => Query::Sample(self.sample()?),
            Some("join") => {
                let what = OtherDialect::Join;
                return Err(ParseErrorKind::OtherDialect { what }.at(self.span()));
            }
            _ => Query::Event(self.event()?),
        };
        let mut pipes = Vec::new();
        while self.eat("|") {
            pipes.extend(self.pipe()?);
        }
        match self.kind() {
            Kind::End => Ok(Ast { query, pipes }),
            _ => Err(self.unexpected("the end of the query, `|`, or an operator")),
        }
    }

    /// `event = ( "any" | WORD | TEXT ) "where" expression`
    fn event(&mut self) -> Parsed<Event> {
        let span = self.span();
        let category = match self.kind().clone() {
            Kind::Text(name) => Some(name),
            Kind::Word => match &self.text[span.range()] {
                "any" => None,
                word if is_keyword(word) => return Err(self.unexpected("the category of an event, or `any`")),
                word => Some(word.to_owned()),
            },
            Kind::QuotedName(_) | Kind::Symbol("?") => return Err(ParseErrorKind::CategoryForm.at(span)),
            _ => return Err(self.unexpected("the category of an event, or `any`")),
        };
        self.at += 1;
        if !self.eat_word("where") {
            return Err(self.unexpected("`where`"));
        }
        let condition = self.expression()?;
        let category = category.map(|name| Category { name, span });
        Ok(Event { category, span: span.to(condition.span), condition })
    }

    /// `pipe = ( "head" | "tail" ) INTEGER`
    fn pipe(&mut self) -> Parsed<Option<Pipe>> {
        let span = self.span();
        if *self.kind() != Kind::Word {
            return Err(self.unexpected("the name of a pipe: `head` or `tail`"));
        }
        self.at += 1;
        let name = &self.text[span.range()];
        let mut arguments = Vec::new();
        if !matches!(self.kind(), Kind::End | Kind::Symbol("|")) {
            arguments.push(self.expression()?);
            while self.eat(",") {
                arguments.push(self.expression()?);
            }
        }
        let whole = span.to(self.before());
        let make = match name {
            "head" => Pipe::Head,
            "tail" => Pipe::Tail,
            "filter" | "count" | "unique" | "unique_count" | "sort" | "window" => {
                let what = OtherDialect::Pipe;
                self.errors.push(ParseErrorKind::OtherDialect { what }.at(whole));
                return Ok(None);
            }
            _ => {
                self.errors.push(ParseErrorKind::UnknownPipe { name: name.to_owned() }.at(span));
                return Ok(None);
            }
        };
        let count = match &arguments[..] {
            [Expr { kind: ExprKind::Constant(Literal::Integer(count)), .. }] => u64::try_from(*count).ok(),
            _ => None,
        };
        if count.is_none() {
            self.errors.push(ParseErrorKind::PipeArgument { pipe: name.to_owned() }.at(whole));
        }
        Ok(count.map(make))
    }

    /// `field = [ "?" ] name ( "." name )*`
    fn field(&mut self) -> Parsed<Field> {
        let start = self.span();
        let optional = self.eat("?");
        let mut path = self.name("the name of a field")?;
        while self.eat(".") {
            path.push('.');
            path += &self.name("the rest of the field's name")?;
        }
        Ok(Field { path, optional, span: start.to(self.before()) })
    }

    /// `name = WORD | QUOTED`
    fn name(&mut self, expected: &'static str) -> Parsed<String> {
        let name = match self.kind() {
            Kind::QuotedName(name) => name.clone(),
            Kind::Word => {
                let word = &self.text[self.span().range()];
                if is_keyword(word) {
                    return Err(ParseErrorKind::Reserved { word: word.to_owned() }.at(self.span()));
                }
                word.to_owned()
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.at += 1;
        Ok(name)
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

    /// The word that starts here, with its `~`.
    fn word(&self) -> Option<&'a str> {
        match self.kind() {
            Kind::Word | Kind::TildeWord => Some(&self.text[self.span().range()]),
            _ => None,
        }
    }

    /// Whether this key word starts here. In the wrong case it is noted, and taken for what it is meant to be: where it is
    /// asked for, no name can stand.
    fn eat_word(&mut self, keyword: &str) -> bool {
        let Some(word) = self.word().filter(|it| it.eq_ignore_ascii_case(keyword)) else { return false };
        if word != keyword {
            self.errors.push(ParseErrorKind::UpperCase { word: word.to_owned() }.at(self.span()));
        }
        self.at += 1;
        true
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
            Kind::Symbol(close @ (")" | "]")) if self.open.is_empty() => {
                return ParseErrorKind::Unopened { close }.at(*span);
            }
            Kind::Word if self.is_other_dialect() => {
                let what = OtherDialect::Fork;
                return ParseErrorKind::OtherDialect { what }.at(*span);
            }
            Kind::Text(_) => "a text".to_owned(),
            Kind::Word
            | Kind::TildeWord
            | Kind::QuotedName(_)
            | Kind::Integer
            | Kind::Decimal
            | Kind::Symbol(_) => format!("`{}`", &self.text[span.range()]),
        };
        ParseErrorKind::Unexpected { expected, found }.at(*span)
    }

    fn is_other_dialect(&self) -> bool {
        self.word() == Some("fork")
    }
}
