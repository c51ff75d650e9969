//! What an expression is worth for given values of its operands.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::text::{between, folded, index_of, length, number, substring};
use super::{Case, Datum, Function, ValueExpr};
use crate::matcher::parse_address;

impl ValueExpr {
    /// Its value, given those of its operands by their numbers; an operand that is not given is null.
    pub fn evaluate<'a>(&'a self, values: &'a [Datum<'a>]) -> Datum<'a> {
        match self {
            Self::Const(datum) => datum.borrowed(),
            Self::Field(number, _) => values.get(*number).map_or(Datum::Null, Datum::borrowed),
            Self::Call(function, arguments) => Call { function, arguments, values }.evaluate(),
        }
    }

    /// Whether it is true, given the values of its operands.
    pub fn holds(&self, values: &[Datum<'_>]) -> bool {
        self.evaluate(values).truth() == Some(true)
    }
}

/// A function with its arguments and what they are computed from.
#[derive(Clone, Copy)]
struct Call<'a> {
    function: &'a Function,
    arguments: &'a [ValueExpr],
    values: &'a [Datum<'a>],
}

impl<'a> Call<'a> {
    fn evaluate(self) -> Datum<'a> {
        self.value().unwrap_or(Datum::Null)
    }

    /// Null is `None` here, so that it falls through.
    fn value(self) -> Option<Datum<'a>> {
        let truth = match self.function {
            Function::And => self.combine(true)?,
            Function::Or => self.combine(false)?,
            Function::Not => !self.argument(0).truth()?,
            Function::IsNull => self.argument(0) == Datum::Null,
            Function::IsNotNull => self.argument(0) != Datum::Null,
            Function::Equals => self.argument(0).equals(&self.argument(1))?,
            Function::Less => self.order()?.is_lt(),
            Function::LessOrEqual => self.order()?.is_le(),
            Function::Greater => self.order()?.is_gt(),
            Function::GreaterOrEqual => self.order()?.is_ge(),
            Function::OneOf(case) => self.one_of(*case)?,
            Function::StartsWith(case) => self.of_texts(*case, |text, part| text.starts_with(part))?,
            Function::EndsWith(case) => self.of_texts(*case, |text, part| text.ends_with(part))?,
            Function::Contains(case) => {
                self.of_texts(*case, |text, part| !part.is_empty() && text.contains(part))?
            }
            Function::WithinCidr(ranges) => match self.argument(0) {
                Datum::Ip(address) => ranges.contains(address),
                // Of a field that is not mapped: others are not let through.
                Datum::Text(text) => ranges.contains(parse_address(&text)?),
                _ => return None,
            },
            Function::Like(like) => like.fits(text(&self.argument(0))?),
            Function::Matches(any) => {
                let argument = self.argument(0);
                let text = text(&argument)?;
                any.iter().any(|it| it.matches(text))
            }
            Function::Add => return self.arithmetic(i128::checked_add, |a, b| a + b),
            Function::Subtract => return self.arithmetic(i128::checked_sub, |a, b| a - b),
            Function::Multiply => return self.arithmetic(i128::checked_mul, |a, b| a * b),
            Function::Divide => return self.arithmetic(i128::checked_div, |a, b| a / b),
            Function::Modulo => return self.arithmetic(i128::checked_rem, |a, b| a % b),
            Function::Negate => return negate(&self.argument(0)),
            Function::Length => return Some(Datum::Int(length(text(&self.argument(0))?) as i128)),
            Function::ToText => return to_text(self.argument(0)),
            Function::ToNumber => {
                let base = match self.argument(1) {
                    Datum::Null => None,
                    base => Some(base.whole()?),
                };
                return number(text(&self.argument(0))?, base);
            }
            Function::Concat => return self.concat(),
            Function::IndexOf(case) => {
                let start = self.position(2, 0)?;
                let (first, second) = (self.argument(0), self.argument(1));
                let found = index_of(text(&first)?, text(&second)?, start, *case)?;
                return Some(Datum::Int(found as i128));
            }
            Function::Substring => {
                let (start, end) = (self.position(1, 0)?, self.position(2, i128::MAX)?);
                return part_of(self.argument(0), |text| Some(substring(text, start, end)));
            }
            Function::Between(case) => {
                let greedy = if self.arguments.len() > 3 { self.argument(3).truth()? } else { false };
                let (left, right) = (self.argument(1), self.argument(2));
                let (left, right) = (text(&left)?, text(&right)?);
                return part_of(self.argument(0), |text| between(text, left, right, greedy, *case));
            }
        };
        Some(Datum::Bool(truth))
    }

    /// An argument; one that is left out is null.
    fn argument(self, at: usize) -> Datum<'a> {
        self.arguments.get(at).map_or(Datum::Null, |it| it.evaluate(self.values))
    }

    /// An argument that is a position: one that is null is as good as left out. Nothing if it is no whole number.
    fn position(self, at: usize, otherwise: i128) -> Option<i128> {
        match self.argument(at) {
            Datum::Null => Some(otherwise),
            position => position.whole(),
        }
    }

    /// All of them if `all`, else any. The truth value that decides does so whatever else is null.
    fn combine(self, all: bool) -> Option<bool> {
        let mut verdict = Some(all);
        for argument in self.arguments {
            match argument.evaluate(self.values).truth() {
                Some(it) if it != all => return Some(it),
                Some(_) => {}
                None => verdict = None,
            }
        }
        verdict
    }

    fn order(self) -> Option<Ordering> {
        self.argument(0).compare(&self.argument(1))
    }

    fn of_texts(self, case: Case, test: impl FnOnce(&str, &str) -> bool) -> Option<bool> {
        let (first, second) = (self.argument(0), self.argument(1));
        Some(test(&folded(text(&first)?, case), &folded(text(&second)?, case)))
    }

    fn one_of(self, case: Case) -> Option<bool> {
        let first = self.argument(0);
        if first == Datum::Null {
            return None;
        }
        let mut verdict = Some(false);
        for other in self.arguments.iter().skip(1) {
            let other = other.evaluate(self.values);
            let equals = match (&first, &other, case) {
                (Datum::Text(a), Datum::Text(b), Case::Ignored) => Some(folded(a, case) == folded(b, case)),
                _ => first.equals(&other),
            };
            match equals {
                Some(true) => return Some(true),
                Some(false) => {}
                None => verdict = None,
            }
        }
        verdict
    }

    /// Whole numbers stay whole. What no integer type holds, and what is no number, is null.
    fn arithmetic(
        self,
        whole: impl FnOnce(i128, i128) -> Option<i128>,
        real: impl FnOnce(f64, f64) -> f64,
    ) -> Option<Datum<'a>> {
        match (self.argument(0), self.argument(1)) {
            (Datum::Int(a), Datum::Int(b)) => integer(whole(a, b)?, is_signed(a) && is_signed(b)),
            (a, b) => Some(real(a.number()?, b.number()?)).filter(|it| it.is_finite()).map(Datum::double),
        }
    }

    fn concat(self) -> Option<Datum<'a>> {
        let mut all = String::new();
        for argument in self.arguments {
            all.push_str(&argument.evaluate(self.values).to_text()?);
        }
        Some(Datum::text(all))
    }
}

fn negate<'a>(it: &Datum<'_>) -> Option<Datum<'a>> {
    match it {
        Datum::Int(it) => integer(it.checked_neg()?, is_signed(*it)),
        it => it.number().map(|it| Datum::double(-it)),
    }
}

fn to_text(it: Datum<'_>) -> Option<Datum<'_>> {
    match it {
        Datum::Text(_) => Some(it),
        it => Some(Datum::text(it.to_text()?.into_owned())),
    }
}

fn text<'d>(datum: &'d Datum<'_>) -> Option<&'d str> {
    if let Datum::Text(text) = datum { Some(text) } else { None }
}

/// A part of a text, without a copy where the text is borrowed.
fn part_of(datum: Datum<'_>, part: impl FnOnce(&str) -> Option<&str>) -> Option<Datum<'_>> {
    match datum {
        Datum::Text(Cow::Owned(text)) => part(&text).map(|it| Datum::text(it.to_owned())),
        Datum::Text(Cow::Borrowed(text)) => part(text).map(Datum::text),
        _ => None,
    }
}

/// Whether 64 bits with a sign hold it.
fn is_signed(value: i128) -> bool {
    i64::try_from(value).is_ok()
}

/// A whole number, if an integer type holds it; that without a sign only where such a number was given.
fn integer<'a>(value: i128, from_signed: bool) -> Option<Datum<'a>> {
    let fits = is_signed(value) || !from_signed && u64::try_from(value).is_ok();
    fits.then_some(Datum::Int(value))
}
