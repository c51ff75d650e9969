//! Questions that an index answers: one field against constants.

use plan::value::{Datum, Type};
use plan::{Leaf, LeafKind, Literal as Value};
use span::Span;

use super::call::{Named, named};
use super::leaf::Side;
use super::{CheckErrorKind, Field, Lowering, Truth, Wrong};
use crate::ast::{Constant, Expr, MatchOp};

/// A constant as questions have it; null is none.
pub(super) fn literal(datum: &Datum<'static>) -> Option<Value> {
    Some(match datum {
        Datum::Null => return None,
        Datum::Bool(it) => Value::Bool(*it),
        Datum::Int(it) => Value::Number(it.to_string()),
        Datum::Double(it) => Value::Number(format!("{:?}", it.get())),
        Datum::Text(it) => Value::Text(it.clone().into_owned()),
        // No query writes one by itself.
        Datum::Ip(_) | Datum::Date(_) | Datum::Period(..) | Datum::Version(_) => {
            Value::Text(datum.to_text()?.into_owned())
        }
    })
}

impl Lowering<'_> {
    pub(super) fn equal(&mut self, field: &Field, datum: &Datum<'static>, span: Span) -> Truth {
        match literal(datum) {
            None => Truth::Known(None),
            Some(value) => self.search(field, datum, LeafKind::Term { value, case_insensitive: false }, span),
        }
    }

    pub(super) fn one_of(&mut self, field: &Field, fold: bool, list: &[Expr]) -> Result<Truth, Wrong> {
        let mut any = Vec::new();
        let mut wrong = None;
        for it in list {
            match self.side(it) {
                Ok(Side::Constant(Datum::Text(text))) if fold && field.is_text() => {
                    let text = text.into_owned();
                    let kind = LeafKind::Term { value: Value::Text(text.clone()), case_insensitive: true };
                    any.push(self.search(field, &Datum::text(text), kind, it.span));
                }
                Ok(Side::Constant(datum)) => any.push(self.equal(field, &datum, it.span)),
                Ok(Side::Field(_) | Side::Computed) => {
                    wrong = Some(self.fail(CheckErrorKind::NotConstant, it.span));
                }
                Err(it) => wrong = Some(it),
            }
        }
        wrong.map_or_else(|| Ok(Truth::any(any)), Err)
    }

    pub(super) fn matched(&mut self, field: &Field, op: MatchOp, patterns: &[Constant]) -> Truth {
        let any = patterns.iter().map(|Constant { value, span }| {
            let datum = value.datum();
            let Datum::Text(text) = &datum else { return self.equal(field, &datum, *span) };
            let (text, fold) = (text.clone().into_owned(), op.folds());
            let kind = match op {
                MatchOp::Regex | MatchOp::RegexFold => {
                    LeafKind::Regexp { value: text, flags: None, case_insensitive: fold }
                }
                MatchOp::Colon | MatchOp::Like | MatchOp::LikeFold if text.contains(['*', '?']) => {
                    // A backslash is a character like any other.
                    LeafKind::Wildcard { value: text.replace('\\', "\\\\"), case_insensitive: fold }
                }
                MatchOp::Colon | MatchOp::Like | MatchOp::LikeFold => LeafKind::Term {
                    value: Value::Text(text),
                    // Only texts have letters of either case.
                    case_insensitive: fold && field.is_text(),
                },
            };
            self.search(field, &datum, kind, *span)
        });
        let any = any.collect();
        Truth::any(any)
    }

    /// A function that an index answers, of a field and constants; nothing if it has to be computed.
    pub(super) fn searched(
        &mut self,
        function: &str,
        fold: bool,
        arguments: &[Expr],
    ) -> Result<Option<Truth>, Wrong> {
        // Elasticsearch makes patterns of the text without escaping what it holds.
        let question: fn(&str, bool) -> LeafKind = match named(function) {
            Some(Named::StartsWith) => {
                |text, fold| LeafKind::Prefix { value: text.to_owned(), case_insensitive: fold }
            }
            Some(Named::EndsWith) => {
                |text, fold| LeafKind::Wildcard { value: format!("*{text}"), case_insensitive: fold }
            }
            Some(Named::StringContains) => {
                |text, fold| LeafKind::Wildcard { value: format!("*{text}*"), case_insensitive: fold }
            }
            Some(Named::CidrMatch) if !fold => return self.within(arguments),
            Some(
                Named::CidrMatch
                | Named::Add
                | Named::Subtract
                | Named::Multiply
                | Named::Divide
                | Named::Modulo
                | Named::Length
                | Named::String
                | Named::Number
                | Named::Concat
                | Named::IndexOf
                | Named::Substring
                | Named::Between,
            )
            | None => return Ok(None),
        };
        let [value, part] = arguments else { return Ok(None) };
        let (Side::Field(field), Side::Constant(Datum::Text(text))) = (self.side(value)?, self.side(part)?)
        else {
            return Ok(None);
        };
        if !field.is_text() {
            return Ok(None);
        }
        let kind = question(&text, fold);
        Ok(Some(self.search(&field, &Datum::text(text), kind, part.span)))
    }

    /// `cidrMatch` of a field of addresses.
    fn within(&mut self, arguments: &[Expr]) -> Result<Option<Truth>, Wrong> {
        let Some((address, blocks)) = arguments.split_first().filter(|(_, blocks)| !blocks.is_empty()) else {
            return Ok(None);
        };
        let Side::Field(field) = self.side(address)? else { return Ok(None) };
        if field.ty != Type::Ip {
            return Ok(None);
        }
        let mut any = Vec::new();
        for it in blocks {
            let Side::Constant(datum @ Datum::Text(_)) = self.side(it)? else { return Ok(None) };
            any.push(self.equal(&field, &datum, it.span));
        }
        Ok(Some(Truth::any(any)))
    }

    pub(super) fn search(
        &mut self,
        field: &Field,
        datum: &Datum<'static>,
        kind: LeafKind,
        span: Span,
    ) -> Truth {
        let path = if matches!(datum, Datum::Text(_)) { &field.text_path } else { &field.path };
        Truth::asked(self.ask(Leaf { field: Some(path.clone()), kind, span: Some(span) }))
    }
}

impl Field {
    /// Whether its values are texts, or may be.
    fn is_text(&self) -> bool {
        matches!(self.ty, Type::Text | Type::Version | Type::Any | Type::Null)
    }
}
