//! Names, patterns of names, texts.

use std::sync::Arc;

use span::Span;

use super::{Parsed, Parser};
use crate::ast::{Name, Pattern, Text};
use crate::error::ParseErrorKind;
use crate::lexer::{Kind, is_keyword};

impl Parser<'_> {
    /// `name = part ( "." part )*`
    pub(super) fn name(&mut self, expected: &'static str) -> Parsed<Name> {
        let start = self.span();
        if let Some(word) = self.word_at(0).filter(|it| is_keyword(it)) {
            return Err(ParseErrorKind::Reserved { word: word.to_owned() }.at(start));
        }
        let mut text = self.part(expected)?;
        while self.eat(".") {
            text.push('.');
            text += &self.part("the rest of the name")?;
        }
        Ok(Name { text, span: start.to(self.before()) })
    }

    /// `part = WORD | QUOTED`
    fn part(&mut self, expected: &'static str) -> Parsed<String> {
        let part = match self.kind() {
            Kind::QuotedName(name) => name.clone(),
            Kind::Word => self.text[self.span().range()].to_owned(),
            Kind::Text(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) | Kind::Other(_) | Kind::End => {
                return Err(self.unexpected(expected));
            }
        };
        self.at += 1;
        Ok(part)
    }

    /// The name that stands here before a `=`.
    pub(super) fn name_of_item(&mut self) -> Parsed<Option<Name>> {
        let mut ahead = 0;
        while matches!(self.token(ahead).kind, Kind::Word | Kind::QuotedName(_)) {
            match self.token(ahead + 1).kind {
                Kind::Symbol(".") => ahead += 2,
                Kind::Symbol("=") => {
                    let name = self.name("the name of a column")?;
                    self.at += 1;
                    return Ok(Some(name));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// `pattern = piece ( "." piece )*`, where a piece may have asterisks in it.
    pub(super) fn pattern(&mut self) -> Parsed<Pattern> {
        let start = self.span();
        let mut parts = vec![String::new()];
        loop {
            self.piece(&mut parts)?;
            if !self.eat(".") {
                break;
            }
            parts.last_mut().expect("there is one from the start").push('.');
        }
        // Two asterisks next to each other are one.
        let last = parts.len() - 1;
        let mut at = 0;
        parts.retain(|it| {
            at += 1;
            at == 1 || at == last + 1 || !it.is_empty()
        });
        Ok(Pattern { parts, span: start.to(self.before()) })
    }

    /// What stands between dots: words, digits and asterisks with nothing between them, or a name in backquotes.
    fn piece(&mut self, parts: &mut Vec<String>) -> Parsed<()> {
        let expected = "the name of a column, or a pattern of names";
        let first = self.at;
        loop {
            let is_adjacent = self.at == first || self.before().end == self.span().start;
            let last = parts.last_mut().expect("there is one from the start");
            match self.kind() {
                Kind::QuotedName(name) if self.at == first => {
                    last.push_str(name);
                    self.at += 1;
                    return Ok(());
                }
                Kind::Word if is_adjacent => last.push_str(&self.text[self.span().range()]),
                Kind::Integer if is_adjacent && self.at > first => {
                    last.push_str(&self.text[self.span().range()]);
                }
                Kind::Decimal
                    if is_adjacent
                        && self.at > first
                        && !self.text[self.span().range()].contains(['.', '+', '-']) =>
                {
                    last.push_str(&self.text[self.span().range()]);
                }
                Kind::Symbol("*") if is_adjacent => parts.push(String::new()),
                _ if self.at == first => return Err(self.unexpected(expected)),
                _ => return Ok(()),
            }
            self.at += 1;
        }
    }

    /// `text = TEXT`
    pub(super) fn text(&mut self, expected: &'static str) -> Parsed<Text> {
        let Kind::Text(text) = self.kind() else { return Err(self.unexpected(expected)) };
        let text = Text { text: Arc::clone(text), span: self.span() };
        self.at += 1;
        Ok(text)
    }

    /// The pattern of an index, or the name of a table: a text, or whatever stands there without a blank.
    pub(super) fn index(&mut self, expected: &'static str) -> Parsed<Text> {
        if let Kind::Text(_) = self.kind() {
            return self.text(expected);
        }
        let start = self.span();
        let mut span = Span::at(start.start);
        while self.span().start == span.end
            && !matches!(
                self.kind(),
                Kind::End
                    | Kind::Text(_)
                    | Kind::QuotedName(_)
                    | Kind::Symbol("," | "|" | "[" | "]" | "(" | ")" | "=" | "==")
            )
        {
            span = span.to(self.span());
            self.at += 1;
        }
        if span.start == span.end {
            return Err(self.unexpected(expected));
        }
        Ok(Text { text: self.text[span.range()].into(), span })
    }
}
