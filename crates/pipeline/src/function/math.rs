//! Functions of numbers.

use esql::Type;

use crate::cells::Cells;
use crate::column::Column;
use crate::kernel::{At, Made, map1, map2};
use crate::numbers::{finite, widen};
use crate::warnings::Failure;

fn arithmetic(message: &str) -> Failure {
    Failure::Arithmetic(message.to_owned())
}

pub(super) fn constant(value: f64, at: &At<'_>) -> Column {
    Column::Double(Cells::same(vec![value], at.rows))
}

pub(super) fn double(a: &Column, at: &mut At<'_>, of: impl Fn(f64) -> f64) -> Column {
    map1::<f64, f64>(&widen(a, Type::Double), at, |it| finite(of(*it)))
}

pub(super) fn domain(a: &Column, at: &mut At<'_>, of: impl Fn(f64) -> f64, message: &str) -> Column {
    map1::<f64, f64>(&widen(a, Type::Double), at, |it| {
        let value = of(*it);
        if value.is_finite() { Ok(value) } else { Err(arithmetic(message)) }
    })
}

pub(super) fn each(a: &Column, at: &mut At<'_>, of: impl Fn(f64) -> f64) -> Column {
    crate::kernel::each::<f64, f64>(&widen(a, Type::Double), at, |it| finite(of(*it)))
}

pub(super) fn double2(a: &Column, b: &Column, at: &mut At<'_>, of: impl Fn(f64, f64) -> f64) -> Column {
    let (a, b) = (widen(a, Type::Double), widen(b, Type::Double));
    map2::<f64, f64, f64>((&a, &b), at, |a, b| finite(of(*a, *b)))
}

pub(super) fn sqrt(a: &Column, at: &mut At<'_>) -> Column {
    domain(a, at, f64::sqrt, "Square root of negative")
}

pub(super) fn log10(a: &Column, at: &mut At<'_>) -> Column {
    domain(a, at, f64::log10, "Log of non-positive number")
}

pub(super) fn log(arguments: &[&Column], at: &mut At<'_>) -> Column {
    match arguments {
        [a] => domain(a, at, f64::ln, "Log of non-positive number"),
        [base, a] => {
            let (base, a) = (widen(base, Type::Double), widen(a, Type::Double));
            map2::<f64, f64, f64>((&base, &a), at, |base, a| {
                if *base <= 0.0 || *a <= 0.0 {
                    return Err(arithmetic("Log of non-positive number"));
                }
                if (*base - 1.0).abs() < f64::EPSILON {
                    return Err(arithmetic("Log of base 1"));
                }
                finite(a.log10() / base.log10())
            })
        }
        _ => Column::Null(at.rows),
    }
}

pub(super) fn negate(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Integer(_) => {
            map1::<i32, i32>(a, at, |it| it.checked_neg().ok_or_else(|| arithmetic("integer overflow")))
        }
        Column::Long(_) => {
            map1::<i64, i64>(a, at, |it| it.checked_neg().ok_or_else(|| arithmetic("long overflow")))
        }
        _ => map1::<f64, f64>(a, at, |it| Ok(-it)),
    }
}

pub(super) fn abs(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Integer(_) => {
            map1::<i32, i32>(a, at, |it| it.checked_abs().ok_or_else(|| arithmetic("integer overflow")))
        }
        Column::Long(_) => {
            map1::<i64, i64>(a, at, |it| it.checked_abs().ok_or_else(|| arithmetic("long overflow")))
        }
        Column::UnsignedLong(_) => map1::<u64, u64>(a, at, |it| Ok(*it)),
        _ => map1::<f64, f64>(a, at, |it| Ok(it.abs())),
    }
}

/// Whole numbers are what they are.
pub(super) fn whole(a: &Column, at: &mut At<'_>, of: impl Fn(f64) -> f64) -> Column {
    match a {
        Column::Integer(_) => map1::<i32, i32>(a, at, |it| Ok(*it)),
        Column::Long(_) => map1::<i64, i64>(a, at, |it| Ok(*it)),
        Column::UnsignedLong(_) => map1::<u64, u64>(a, at, |it| Ok(*it)),
        _ => map1::<f64, f64>(a, at, |it| Ok(of(*it))),
    }
}

/// Half away from zero.
fn round_whole(value: i128, decimals: i64, min: i128, max: i128, ty: &str) -> Made<i128> {
    if decimals >= 0 {
        return Ok(value);
    }
    let Some(unit) = u32::try_from(-decimals).ok().and_then(|it| 10_i128.checked_pow(it)) else {
        return Ok(0);
    };
    let half = if value < 0 { -unit / 2 } else { unit / 2 };
    let rounded = (value + half) / unit * unit;
    if (min..=max).contains(&rounded) { Ok(rounded) } else { Err(arithmetic(&format!("{ty} overflow"))) }
}

/// Half away from zero; between numbers that have so many decimals, as their product with a power of ten says.
fn round_double(value: f64, decimals: i64) -> f64 {
    if decimals == 0 {
        return value.round();
    }
    if decimals > 300 {
        return value;
    }
    if decimals < -308 {
        return 0.0;
    }
    if decimals > 0 {
        let unit = 10_f64.powi(decimals as i32);
        let scaled = value * unit;
        if scaled.is_finite() { scaled.round() / unit } else { value }
    } else {
        let unit = 10_f64.powi(-decimals as i32);
        (value / unit).round() * unit
    }
}

pub(super) fn round(a: &Column, decimals: Option<&Column>, at: &mut At<'_>) -> Column {
    let zero = Column::Long(Cells::same(vec![0], at.rows));
    let decimals = decimals.map_or_else(|| std::borrow::Cow::Borrowed(&zero), |it| widen(it, Type::Long));
    let range = |min: i128, max: i128, ty: &'static str| {
        move |value: i128, by: i64| round_whole(value, by, min, max, ty)
    };
    let pair = (a, &*decimals);
    match a {
        Column::Integer(_) => {
            let of = range(i32::MIN.into(), i32::MAX.into(), "integer");
            map2::<i32, i64, i32>(pair, at, |a, by| of((*a).into(), *by).map(|it| it as i32))
        }
        Column::Long(_) => {
            let of = range(i64::MIN.into(), i64::MAX.into(), "long");
            map2::<i64, i64, i64>(pair, at, |a, by| of((*a).into(), *by).map(|it| it as i64))
        }
        Column::UnsignedLong(_) => {
            let of = range(0, u64::MAX.into(), "unsigned_long");
            map2::<u64, i64, u64>(pair, at, |a, by| of((*a).into(), *by).map(|it| it as u64))
        }
        _ => map2::<f64, i64, f64>(pair, at, |a, by| Ok(round_double(*a, *by))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::java_text;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn halves_go_away_from_zero() {
        assert_eq!([2.5, -2.5, -0.5].map(|it| round_double(it, 0)), [3.0, -3.0, -1.0]);
        assert_eq!(java_text(round_double(1.005, 2)), "1.0");
        assert_eq!(round_double(1234.5, -2), 1200.0);
        assert_eq!(round_whole(25, -1, 0, 100, "x"), Ok(30));
        assert_eq!(round_whole(-25, -1, -100, 100, "x"), Ok(-30));
        assert!(round_whole(99, -2, 0, 99, "x").is_err());
    }
}
