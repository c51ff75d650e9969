//! Questions to numeric fields.

use super::values::needs_text;
use super::{Asked, Atom, LowerErrorKind};
use crate::number::{Edge, Number};
use crate::{Literal, NumberType, RangeBounds, Ranges, Test};

pub(super) fn ask(atom: &Atom<'_>, ty: NumberType) -> Asked {
    let (least, greatest) = ty.bounds();
    let equal = |value: &Literal| {
        // As a value of any type these are numbers that nothing equals; as bounds, some types refuse them.
        if Number::not_finite(&value.text()).is_some() {
            return Ok(Ranges::default());
        }
        let number = number(value, ty)?;
        Ok(ty.equal(number).map_or_else(Ranges::default, |key| Ranges::new(key, key)))
    };
    let ranges = match atom {
        Atom::Exists => Ranges::new(least, greatest),
        // A list is less forgiving than a single value.
        Atom::OneTerm(value) if ty.is_beyond(number(value, ty)?) => return Err(out_of_range(value)),
        Atom::Term { value, fold: false }
        | Atom::OneTerm(value)
        | Atom::Match(value)
        | Atom::Phrase { value, .. } => equal(value)?,
        Atom::Range(bounds) => range(bounds, ty)?,
        Atom::Term { fold: true, .. }
        | Atom::Wildcard { .. }
        | Atom::Prefix { .. }
        | Atom::Regexp { .. }
        | Atom::Fuzzy { .. } => return Err(needs_text(atom)),
    };
    Ok((!ranges.is_empty()).then_some(Test::Number { ty, ranges }))
}

fn number(value: &Literal, ty: NumberType) -> Result<Number, LowerErrorKind> {
    let error = || LowerErrorKind::NotANumber { value: value.text().into_owned() };
    match value {
        Literal::Number(text) | Literal::Text(text) => ty.parse(text).ok_or_else(error),
        Literal::Bool(_) | Literal::Null => Err(error()),
    }
}

fn range(bounds: &RangeBounds, ty: NumberType) -> Result<Ranges<i128>, LowerErrorKind> {
    let (mut least, mut greatest) = ty.bounds();
    if let Some((bound, inclusive)) = bounds.lower() {
        match ty.bound(number(bound, ty)?, Edge::AtLeast) {
            Some((key, exact)) => least = key + i128::from(exact && !inclusive),
            // Elasticsearch takes any bound here, since the type has no negative numbers.
            None if ty == NumberType::UnsignedLong => {
                least = if below_zero(bound) { least } else { greatest + 1 };
            }
            None => return Err(out_of_range(bound)),
        }
    }
    if let Some((bound, inclusive)) = bounds.upper() {
        match ty.bound(number(bound, ty)?, Edge::AtMost) {
            Some((key, exact)) => greatest = key - i128::from(exact && !inclusive),
            None if ty == NumberType::UnsignedLong => {
                greatest = if below_zero(bound) { least - 1 } else { greatest };
            }
            None => return Err(out_of_range(bound)),
        }
    }
    let (first, last) = ty.bounds();
    Ok(Ranges::new(least.max(first), greatest.min(last)))
}

fn out_of_range(value: &Literal) -> LowerErrorKind {
    LowerErrorKind::OutOfRange { value: value.text().into_owned() }
}

fn below_zero(bound: &Literal) -> bool {
    bound.text().starts_with('-')
}
