//! Functions of instants.

use esql::Type;

use crate::cells::Text;
use crate::column::Column;
use crate::kernel::{At, map1, map2, map3};
use crate::node::Prepared;
use crate::numbers::{Operator, arithmetic, widen};
use crate::scalar::Millis;
use crate::time::DatePattern;
use crate::time::unit::{Unit, extract as part_of};
use crate::warnings::Failure;

/// The sum or the difference: of numbers, or of an instant and a length of time.
pub(super) fn add(a: &Column, b: &Column, prepared: &Prepared, subtract: bool, at: &mut At<'_>) -> Column {
    match prepared {
        Prepared::Span(span) => {
            let span = if subtract { span.negate() } else { *span };
            let instants = if matches!(a, Column::Datetime(_)) { a } else { b };
            map1::<Millis, Millis>(instants, at, |it| span.after(it.0).map(Millis))
        }
        _ => arithmetic(if subtract { Operator::Subtract } else { Operator::Add }, a, b, at),
    }
}

pub(super) fn truncate(a: &Column, prepared: &Prepared, at: &mut At<'_>) -> Column {
    let Prepared::Span(span) = prepared else { return Column::Null(at.rows) };
    map1::<Millis, Millis>(a, at, |it| {
        span.truncate(it.0).map(Millis).ok_or_else(|| Failure::Arithmetic("long overflow".to_owned()))
    })
}

pub(super) fn bucket(a: &Column, prepared: &Prepared, at: &mut At<'_>) -> Column {
    match prepared {
        Prepared::Span(_) => truncate(a, prepared, at),
        Prepared::Width(width) => map1::<f64, f64>(&widen(a, Type::Double), at, |it| {
            crate::numbers::finite((it / width).floor() * width)
        }),
        _ => Column::Null(at.rows),
    }
}

pub(super) fn difference(unit: &Column, start: &Column, end: &Column, at: &mut At<'_>) -> Column {
    map3::<Text, Millis, Millis, i32>((unit, start, end), at, |unit, start, end| {
        let found = Unit::parse(unit).ok_or_else(|| {
            Failure::Argument(format!(
                "A value of [YEAR, QUARTER, …] or their aliases is required; received [{unit}]"
            ))
        })?;
        found.between(start.0, end.0)
    })
}

pub(super) fn extract(part: &Column, a: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, Millis, i64>((part, a), at, |part, it| part_of(part, it.0))
}

pub(super) fn name(a: &Column, at: &mut At<'_>, of: fn(i64) -> &'static str) -> Column {
    map1::<Millis, Text>(a, at, |it| Ok(of(it.0).into()))
}

pub(super) fn format(arguments: &[&Column], prepared: &Prepared, at: &mut At<'_>) -> Column {
    match (arguments, prepared) {
        ([a], _) => map1::<Millis, Text>(a, at, |it| Ok(ecs::date::to_iso(it.0).into())),
        ([_, a], Prepared::Date(pattern)) => {
            map1::<Millis, Text>(a, at, |it| Ok(pattern.format(it.0).into()))
        }
        ([pattern, a], _) => map2::<Text, Millis, Text>((pattern, a), at, |pattern, it| {
            let pattern = DatePattern::new(pattern).map_err(|it| Failure::Argument(it.to_string()))?;
            Ok(pattern.format(it.0).into())
        }),
        _ => Column::Null(at.rows),
    }
}

fn unparseable(text: &str, format: &str) -> Failure {
    Failure::DateText(format!("failed to parse date field [{text}] with format [{format}]"))
}

pub(super) fn parse(arguments: &[&Column], prepared: &Prepared, at: &mut At<'_>) -> Column {
    match (arguments, prepared) {
        ([a], _) => map1::<Text, Millis>(a, at, |it| super::convert::instant(it)),
        ([format, a], Prepared::Date(pattern)) => {
            let format = format.scalar(0, 0).map(|it| it.text()).unwrap_or_default();
            map1::<Text, Millis>(a, at, |it| {
                pattern.parse(it).map(Millis).ok_or_else(|| unparseable(it, &format))
            })
        }
        ([pattern, a], _) => map2::<Text, Text, Millis>((pattern, a), at, |format, it| {
            let pattern = DatePattern::new(format).map_err(|it| Failure::Argument(it.to_string()))?;
            pattern.parse(it).map(Millis).ok_or_else(|| unparseable(it, format))
        }),
        _ => Column::Null(at.rows),
    }
}
