//! Texts as values of other types, by the rules of casts.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use ecs::Millis;
use ecs::date::{Format, Rounding};

use crate::Type;
use crate::ast::{Literal, Unit};
use crate::resolved::Value;

static ISO: LazyLock<Format> =
    LazyLock::new(|| Format::new("strict_date_optional_time").expect("it is the name of a format"));

/// Milliseconds of a date such as `2024-05-31T12:00:00Z`, of which all behind the year may be left out.
pub fn datetime(text: &str) -> Option<Millis> {
    ISO.read(text, Rounding::Down, 0).map(|it| it.millis)
}

/// Nanoseconds of such a date; none of one that 64 bits do not hold.
pub fn date_nanos(text: &str) -> Option<i64> {
    let instant = ISO.read(text, Rounding::Down, 0)?;
    instant.millis.checked_mul(1_000_000)?.checked_add(i64::from(instant.nanos))
}

/// An address, of version 4 as it is mapped into version 6. The name of an interface behind `%` is dropped.
pub fn ip(text: &str) -> Option<u128> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(address.to_ipv6_mapped().to_bits());
    }
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits)
}

/// A length of time such as `1 day`.
pub fn span(text: &str) -> Option<Value> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit() && !matches!(it, '-' | '+')).unwrap_or(text.len());
    let count = text[..end].parse().ok()?;
    let unit = Unit::from_name(text[end..].trim())?;
    span_of(count, unit)
}

/// So many of a unit; none if 64 bits do not hold it.
pub(crate) fn span_of(count: i64, unit: Unit) -> Option<Value> {
    let months = |each: i64| Some(Value::Period { months: count.checked_mul(each)?, days: 0 });
    let days = |each: i64| Some(Value::Period { months: 0, days: count.checked_mul(each)? });
    let millis = |each: i64| Some(Value::Duration(count.checked_mul(each)?));
    match unit {
        Unit::Year => months(12),
        Unit::Quarter => months(3),
        Unit::Month => months(1),
        Unit::Week => days(7),
        Unit::Day => days(1),
        Unit::Hour => millis(3_600_000),
        Unit::Minute => millis(60_000),
        Unit::Second => millis(1_000),
        Unit::Millisecond => millis(1),
    }
}

/// A text as a value of the type, where texts next to such values are read so.
pub(crate) fn cast(text: &str, ty: Type) -> Option<Value> {
    match ty {
        Type::Datetime => datetime(text).map(Value::Datetime),
        Type::DateNanos => date_nanos(text).map(Value::DateNanos),
        Type::Ip => ip(text).map(Value::Ip),
        Type::Version => Some(Value::Version(text.into())),
        Type::Boolean => Some(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        Type::DatePeriod => span(text).filter(|it| matches!(it, Value::Period { .. })),
        Type::TimeDuration => span(text).filter(|it| matches!(it, Value::Duration(_))),
        Type::Keyword | Type::Text => Some(Value::Text(text.into())),
        Type::Null
        | Type::Integer
        | Type::Long
        | Type::UnsignedLong
        | Type::Double
        | Type::GeoPoint
        | Type::Source
        | Type::Unsupported => None,
    }
}

/// A literal with its type; none if it is a length of time that 64 bits do not hold.
#[expect(clippy::cast_precision_loss, reason = "a list with a fraction in it is one of doubles")]
pub(crate) fn value(literal: &Literal) -> Option<(Value, Type)> {
    Some(match literal {
        Literal::Null => (Value::Null, Type::Null),
        Literal::Boolean(it) => (Value::Boolean(*it), Type::Boolean),
        Literal::Integer(it) => {
            if let Ok(it) = i32::try_from(*it) {
                (Value::Integer(it), Type::Integer)
            } else if let Ok(it) = i64::try_from(*it) {
                (Value::Long(it), Type::Long)
            } else if let Ok(it) = u64::try_from(*it) {
                (Value::UnsignedLong(it), Type::UnsignedLong)
            } else {
                (Value::Double(*it as f64), Type::Double)
            }
        }
        Literal::Decimal(it) => (Value::Double(*it), Type::Double),
        Literal::Text(it) => (Value::Text(Arc::clone(it)), Type::Keyword),
        Literal::Span { count, unit } => {
            let span = span_of(*count, *unit)?;
            let ty = if matches!(span, Value::Duration(_)) { Type::TimeDuration } else { Type::DatePeriod };
            (span, ty)
        }
        Literal::List(items) => {
            let mut values: Vec<(Value, Type)> = items.iter().map(value).collect::<Option<_>>()?;
            let first = values.first().map_or(Type::Null, |(_, ty)| *ty);
            let ty = values
                .iter()
                .try_fold(first, |all, (_, ty)| if all == *ty { Some(all) } else { all.widest(*ty) });
            let ty = ty.unwrap_or(Type::Double);
            if values.len() == 1 {
                return values.pop();
            }
            (Value::List(values.into_iter().map(|(it, _)| widened(it, ty)).collect()), ty)
        }
    })
}

/// A number as one of a wider type; what does not fit stays.
#[expect(clippy::cast_precision_loss, reason = "so are numbers widened")]
pub(crate) fn widened(value: Value, ty: Type) -> Value {
    match (value, ty) {
        (Value::Integer(it), Type::Long) => Value::Long(it.into()),
        (Value::Integer(it), Type::Double) => Value::Double(it.into()),
        (Value::Long(it), Type::Double) => Value::Double(it as f64),
        (Value::UnsignedLong(it), Type::Double) => Value::Double(it as f64),
        (Value::List(items), ty) => Value::List(items.into_iter().map(|it| widened(it, ty)).collect()),
        (other, _) => other,
    }
}
