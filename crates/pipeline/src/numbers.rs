//! Numbers: what is written of them, what fits into which type, and arithmetic that does not wrap.

use std::borrow::Cow;

use esql::Type;

use crate::column::Column;
use crate::kernel::{At, Made, map2};
use crate::warnings::Failure;

/// A double as Java writes it.
pub(crate) fn java_text(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".to_owned()
        } else {
            format!("{}Infinity", if value < 0.0 { "-" } else { "" })
        };
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// A double as Java reads it.
pub(crate) fn java_parse(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches(|it: char| it <= ' ');
    let digits = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    let is_number = digits.bytes().next().is_some_and(|it| it.is_ascii_digit() || b"+-.".contains(&it))
        && digits.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
    if is_number { digits.parse().ok() } else { None }
}

/// The nearest whole number, halves up.
pub(crate) fn round_half_up(value: f64) -> f64 {
    let floor = value.floor();
    if value - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// What is out of the range of a type.
pub(crate) fn out_of_range(value: impl std::fmt::Display, ty: &str) -> Failure {
    Failure::Range(format!("[{value}] out of [{ty}] range"))
}

/// A double that is a number.
pub(crate) fn finite(value: f64) -> Made<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Failure::Arithmetic(format!("not a finite double number: {}", java_text(value))))
    }
}

/// The same numbers in a wider type; what is no number stays as it is.
pub(crate) fn widen(column: &Column, ty: Type) -> Cow<'_, Column> {
    match (column, ty) {
        (Column::Integer(it), Type::Long) => Cow::Owned(Column::Long(it.map(|it| i64::from(*it)))),
        (Column::Integer(it), Type::Double) => Cow::Owned(Column::Double(it.map(|it| f64::from(*it)))),
        (Column::Long(it), Type::Double) => Cow::Owned(Column::Double(it.map(|it| *it as f64))),
        (Column::UnsignedLong(it), Type::Double) => Cow::Owned(Column::Double(it.map(|it| *it as f64))),
        (Column::Integer(it), Type::UnsignedLong) => {
            Cow::Owned(Column::UnsignedLong(it.map(|it| u64::try_from(*it).unwrap_or(0))))
        }
        (Column::Long(it), Type::UnsignedLong) => {
            Cow::Owned(Column::UnsignedLong(it.map(|it| u64::try_from(*it).unwrap_or(0))))
        }
        _ => Cow::Borrowed(column),
    }
}

/// The type of a column of numbers.
pub(crate) fn number_type(column: &Column) -> Option<Type> {
    match column {
        Column::Integer(_) => Some(Type::Integer),
        Column::Long(_) => Some(Type::Long),
        Column::UnsignedLong(_) => Some(Type::UnsignedLong),
        Column::Double(_) => Some(Type::Double),
        _ => None,
    }
}

/// Both columns in the type that they have in common.
pub(crate) fn common<'c>(a: &'c Column, b: &'c Column) -> (Cow<'c, Column>, Cow<'c, Column>) {
    match (number_type(a), number_type(b)) {
        (Some(x), Some(y)) if x != y => {
            // Comparisons mix what arithmetic does not: a double holds both.
            let ty = x.widest(y).unwrap_or(Type::Double);
            (widen(a, ty), widen(b, ty))
        }
        _ => (Cow::Borrowed(a), Cow::Borrowed(b)),
    }
}

/// The operators on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Whole numbers, which overflow.
macro_rules! whole {
    ($operator:expr, $pair:expr, $at:expr, $ty:ty, $name:literal) => {{
        let overflow = || Failure::Arithmetic(concat!($name, " overflow").to_owned());
        let by_zero = || Failure::Arithmetic("/ by zero".to_owned());
        map2::<$ty, $ty, $ty>($pair, $at, |a, b| match $operator {
            Operator::Add => a.checked_add(*b).ok_or_else(overflow),
            Operator::Subtract => a.checked_sub(*b).ok_or_else(overflow),
            Operator::Multiply => a.checked_mul(*b).ok_or_else(overflow),
            Operator::Divide if *b == 0 => Err(by_zero()),
            Operator::Divide => a.checked_div(*b).ok_or_else(overflow),
            Operator::Modulo if *b == 0 => Err(by_zero()),
            Operator::Modulo => Ok(a.checked_rem(*b).unwrap_or(0)),
        })
    }};
}

/// Arithmetic on two columns of numbers.
pub(crate) fn arithmetic(operator: Operator, a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    let (a, b) = common(a, b);
    let pair = (&*a, &*b);
    match (&*a, &*b) {
        (Column::Integer(_), _) | (_, Column::Integer(_)) => whole!(operator, pair, at, i32, "integer"),
        (Column::Long(_), _) | (_, Column::Long(_)) => whole!(operator, pair, at, i64, "long"),
        (Column::UnsignedLong(_), _) | (_, Column::UnsignedLong(_)) => {
            whole!(operator, pair, at, u64, "unsigned_long")
        }
        (Column::Double(_), _) | (_, Column::Double(_)) => map2::<f64, f64, f64>(pair, at, |a, b| {
            if matches!(operator, Operator::Divide | Operator::Modulo) && *b == 0.0 {
                return Err(Failure::Arithmetic("/ by zero".to_owned()));
            }
            finite(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                Operator::Modulo => a % b,
            })
        }),
        _ => Column::Null(at.rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_does() {
        for (value, text) in [
            (1.0, "1.0"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (0.001, "0.001"),
            (9.99e-4, "9.99E-4"),
            (-0.0, "-0.0"),
            (5.20128e11, "5.20128E11"),
            (2.030_000_000_000_000_2, "2.0300000000000002"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(java_text(value), text);
        }
        assert_eq!(java_parse(" 1e3 "), Some(1000.0));
        assert_eq!(java_parse("5."), Some(5.0));
        assert_eq!(
            (java_parse(""), java_parse("0x10"), java_parse("inf"), java_parse("1_0")),
            (None, None, None, None)
        );
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn halves_go_up() {
        assert_eq!([0.5, -1.5, -2.5, 2.4].map(round_half_up), [1.0, -1.0, -2.0, 2.0]);
    }
}
