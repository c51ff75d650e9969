//! Sequences and samples.

use ecs::Millis;
use span::Span;

use super::{MAX_ITEMS, Parsed, Parser};
use crate::ast::{Field, Item, Sample, Sequence};
use crate::error::ParseErrorKind;
use crate::lexer::Kind;

/// The greatest `runs`.
const MAX_RUNS: u32 = 100;

impl<'a> Parser<'a> {
    /// `sequence = "sequence" [ by ] [ "with" "maxspan" "=" INTEGER unit ] item+ [ "until" "[" event "]" [ by ] ]`
    pub(super) fn sequence(&mut self) -> Parsed<Sequence> {
        let start = self.span();
        self.at += 1;
        let by = self.by()?;
        let maxspan = if self.eat_word("with") { self.maxspan()? } else { None };
        if self.word() == Some("by") {
            return Err(ParseErrorKind::WithBeforeBy.at(self.span()));
        }
        let mut items = Vec::new();
        while self.is("[") || self.is("![") {
            items.push(self.item(true)?);
        }
        if items.is_empty() {
            let expected =
                if by.is_empty() { "`by`, `with` or an event in brackets" } else { "an event in brackets" };
            return Err(self.unexpected(expected));
        }
        let until = if self.eat_word("until") {
            if !self.is("[") {
                return Err(self.unexpected("an event in brackets"));
            }
            Some(self.item(false)?)
        } else {
            None
        };
        let sequence = Sequence { by, maxspan, items, until, span: start.to(self.before()) };
        self.check_sequence(&sequence);
        Ok(sequence)
    }

    fn check_sequence(&mut self, sequence: &Sequence) {
        let Sequence { maxspan, items, until, .. } = sequence;
        self.check_keys(items.iter().chain(until));
        self.check_count("sequence", items, sequence.span);
        if let Some(missing) = items.iter().find(|it| it.missing) {
            if maxspan.is_none() && !self.errors.iter().any(|it| it.kind == ParseErrorKind::Maxspan) {
                self.note(ParseErrorKind::MissingWithoutMaxspan, missing.span);
            }
            if items.iter().all(|it| it.missing) {
                self.note(ParseErrorKind::OnlyMissing, sequence.span);
            }
        }
    }

    /// `sample = "sample" [ by ] item+`
    pub(super) fn sample(&mut self) -> Parsed<Sample> {
        let start = self.span();
        self.at += 1;
        let by = self.by()?;
        if self.word() == Some("with") {
            return Err(ParseErrorKind::NotInSample { what: "`maxspan`" }.at(self.span()));
        }
        let mut items = Vec::new();
        while self.is("[") || self.is("![") {
            let item = self.item(true)?;
            if item.missing {
                self.note(ParseErrorKind::NotInSample { what: "missing events" }, item.span);
            }
            if item.runs != 1 {
                self.note(ParseErrorKind::NotInSample { what: "`runs`" }, item.span);
            }
            items.push(item);
        }
        if items.is_empty() {
            return Err(self.unexpected("`by` or an event in brackets"));
        }
        if self.word() == Some("until") {
            return Err(ParseErrorKind::NotInSample { what: "`until`" }.at(self.span()));
        }
        let span = start.to(self.before());
        self.check_keys(items.iter());
        self.check_count("sample", &items, span);
        if by.is_empty() && items.iter().all(|it| it.by.is_empty()) {
            self.note(ParseErrorKind::SampleWithoutKeys, start);
        }
        Ok(Sample { by, items, span })
    }

    /// Every item has as many keys of its own.
    fn check_keys<'i>(&mut self, mut items: impl Iterator<Item = &'i Item>) {
        let Some(expected) = items.next().map(|it| it.by.len()) else { return };
        let keys = |count: usize| match count {
            0 => "no key".to_owned(),
            1 => "one key".to_owned(),
            count => format!("{count} keys"),
        };
        for item in items.filter(|it| it.by.len() != expected) {
            let (expected, found) = (keys(expected), keys(item.by.len()));
            self.note(ParseErrorKind::KeyCount { expected, found }, item.span);
        }
    }

    fn check_count(&mut self, what: &'static str, items: &[Item], span: Span) {
        let count: usize = items.iter().map(|it| it.runs as usize).sum();
        let is_known = !self.errors.iter().any(|it| matches!(it.kind, ParseErrorKind::Runs { .. }));
        if count < 2 && is_known {
            self.note(ParseErrorKind::TooFewItems { what }, span);
        }
        if count > MAX_ITEMS {
            self.note(ParseErrorKind::TooManyItems { limit: MAX_ITEMS }, span);
        }
    }

    /// `item = ( "[" | "![" ) event "]" [ by ] [ "with" "runs" "=" INTEGER ]`
    fn item(&mut self, may_run: bool) -> Parsed<Item> {
        let start = self.span();
        let missing = self.is("![");
        self.open("[");
        let event = self.event()?;
        self.close("]", "`]` or an operator")?;
        let by = self.by()?;
        let runs = if may_run && self.eat_word("with") { self.runs()? } else { 1 };
        Ok(Item { missing, event, by, runs, span: start.to(self.before()) })
    }

    /// `by = "by" field ( "," field )*`
    fn by(&mut self) -> Parsed<Vec<Field>> {
        let mut keys = Vec::new();
        if self.eat_word("by") {
            keys.push(self.field()?);
            while self.eat(",") {
                keys.push(self.field()?);
            }
        }
        Ok(keys)
    }

    fn maxspan(&mut self) -> Parsed<Option<Millis>> {
        if !self.eat_word("maxspan") || !self.eat("=") {
            return Err(self.unexpected("`maxspan=`"));
        }
        let start = self.span();
        let (number, is_negative) = self.number();
        let unit = match self.word() {
            Some("ms") => Some(1),
            Some("s") => Some(1_000),
            Some("m") => Some(60_000),
            Some("h") => Some(3_600_000),
            Some("d") => Some(86_400_000),
            _ => None,
        };
        // Where the first event begins, there is no unit.
        self.at += usize::from(self.word().is_some());
        let whole = number.and_then(|it| it.parse::<Millis>().ok()).filter(|it| *it > 0 && !is_negative);
        let maxspan = whole.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        if maxspan.is_none() {
            self.note(ParseErrorKind::Maxspan, start.to(self.before()));
        }
        Ok(maxspan)
    }

    fn runs(&mut self) -> Parsed<u32> {
        if !self.eat_word("runs") || !self.eat("=") {
            return Err(self.unexpected("`runs=`"));
        }
        let start = self.span();
        let (number, is_negative) = self.number();
        let runs =
            number.and_then(|it| it.parse().ok()).filter(|it| (1..=MAX_RUNS).contains(it) && !is_negative);
        if runs.is_none() {
            self.note(ParseErrorKind::Runs { limit: MAX_RUNS }, start.to(self.before()));
        }
        Ok(runs.unwrap_or(1))
    }

    /// The number that stands here, if one does, and whether a minus stands before it.
    fn number(&mut self) -> (Option<&'a str>, bool) {
        let is_negative = self.eat("-");
        let number =
            matches!(self.kind(), Kind::Integer | Kind::Decimal).then(|| &self.text[self.span().range()]);
        self.at += usize::from(number.is_some());
        (number, is_negative)
    }
}
