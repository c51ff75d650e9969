//! Casts: value by value, and what cannot be cast vanishes with a warning.

use std::sync::LazyLock;

use ecs::date::{Format, Rounding};
use esql::resolved::Value as Constant;

use crate::cells::{Cells, Text};
use crate::column::{Column, each_type};
use crate::kernel::{At, Made, each, map2};
use crate::node::Options;
use crate::numbers::{java_parse, out_of_range, round_half_up};
use crate::scalar::{Element, Ip, Millis, Point, Version};
use crate::warnings::Failure;

/// How dates in texts are written.
static ISO: LazyLock<Option<Format>> = LazyLock::new(|| Format::new("strict_date_optional_time").ok());

/// The instant that a text names.
pub(super) fn instant(text: &str) -> Made<Millis> {
    let found = ISO.as_ref().and_then(|it| it.read(text, Rounding::Down, 0));
    found.map(|it| Millis(it.millis)).ok_or_else(|| {
        Failure::Argument(format!(
            "failed to parse date field [{text}] with format [strict_date_optional_time]"
        ))
    })
}

fn bad_number(text: &str) -> Failure {
    Failure::Number(format!("For input string: \"{text}\""))
}

pub(super) fn to_boolean(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Keyword(_) => each::<Text, bool>(a, at, |it| Ok(it.eq_ignore_ascii_case("true"))),
        Column::Integer(_) => each::<i32, bool>(a, at, |it| Ok(*it != 0)),
        Column::Long(_) => each::<i64, bool>(a, at, |it| Ok(*it != 0)),
        Column::UnsignedLong(_) => each::<u64, bool>(a, at, |it| Ok(*it != 0)),
        Column::Double(_) => each::<f64, bool>(a, at, |it| Ok(*it != 0.0)),
        other => other.clone(),
    }
}

pub(super) fn to_datetime(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Keyword(_) => each::<Text, Millis>(a, at, |it| instant(it)),
        Column::Integer(_) => each::<i32, Millis>(a, at, |it| Ok(Millis(i64::from(*it)))),
        Column::Long(_) => each::<i64, Millis>(a, at, |it| Ok(Millis(*it))),
        Column::UnsignedLong(_) => each::<u64, Millis>(a, at, |it| {
            i64::try_from(*it).map(Millis).map_err(|_| out_of_range(it, "long"))
        }),
        Column::Double(_) => each::<f64, Millis>(a, at, |it| double_to_long(*it).map(Millis)),
        other => other.clone(),
    }
}

fn double_to_long(value: f64) -> Made<i64> {
    let rounded = round_half_up(value);
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
        Ok(rounded as i64)
    } else {
        Err(out_of_range(crate::numbers::java_text(value), "long"))
    }
}

fn text_to_long(text: &str) -> Made<i64> {
    let trimmed = text.trim_matches(|it: char| it <= ' ');
    if let Ok(it) = trimmed.parse() {
        return Ok(it);
    }
    let value = java_parse(trimmed).ok_or_else(|| bad_number(text))?;
    double_to_long(value).map_err(|_| bad_number(text))
}

pub(super) fn to_integer(a: &Column, at: &mut At<'_>) -> Column {
    let narrow = |it: i64| i32::try_from(it).map_err(|_| out_of_range(it, "integer"));
    match a {
        Column::Keyword(_) => each::<Text, i32>(a, at, |it| {
            let value = java_parse(it).ok_or_else(|| bad_number(it))?;
            // A fraction beyond the greatest counts, too.
            if value > f64::from(i32::MAX) || value < f64::from(i32::MIN) {
                return Err(bad_number(it));
            }
            Ok(round_half_up(value) as i32)
        }),
        Column::Boolean(_) => each::<bool, i32>(a, at, |it| Ok(i32::from(*it))),
        Column::Long(_) => each::<i64, i32>(a, at, |it| narrow(*it)),
        Column::UnsignedLong(_) => {
            each::<u64, i32>(a, at, |it| i32::try_from(*it).map_err(|_| out_of_range(it, "integer")))
        }
        Column::Double(_) => each::<f64, i32>(a, at, |it| {
            let rounded = round_half_up(*it);
            if rounded >= f64::from(i32::MIN) && rounded <= f64::from(i32::MAX) {
                Ok(rounded as i32)
            } else {
                Err(out_of_range(crate::numbers::java_text(*it), "integer"))
            }
        }),
        Column::Datetime(_) => each::<Millis, i32>(a, at, |it| narrow(it.0)),
        other => other.clone(),
    }
}

pub(super) fn to_long(a: &Column, base: Option<&Column>, at: &mut At<'_>) -> Column {
    if let Some(base) = base {
        let base = crate::numbers::widen(base, esql::Type::Long);
        return map2::<Text, i64, i64>((a, &base), at, |text, base| {
            let base = u32::try_from(*base).ok().filter(|it| (2..=36).contains(it));
            let digits = text.trim_start_matches("0x").trim_start_matches("0X");
            base.and_then(|it| i64::from_str_radix(digits, it).ok()).ok_or_else(|| bad_number(text))
        });
    }
    match a {
        Column::Keyword(_) => each::<Text, i64>(a, at, |it| text_to_long(it)),
        Column::Boolean(_) => each::<bool, i64>(a, at, |it| Ok(i64::from(*it))),
        Column::Integer(_) => each::<i32, i64>(a, at, |it| Ok(i64::from(*it))),
        Column::UnsignedLong(_) => {
            each::<u64, i64>(a, at, |it| i64::try_from(*it).map_err(|_| out_of_range(it, "long")))
        }
        Column::Double(_) => each::<f64, i64>(a, at, |it| double_to_long(*it)),
        Column::Datetime(_) => each::<Millis, i64>(a, at, |it| Ok(it.0)),
        other => other.clone(),
    }
}

pub(super) fn to_unsigned_long(a: &Column, at: &mut At<'_>) -> Column {
    let unsigned = |it: i64| u64::try_from(it).map_err(|_| out_of_range(it, "unsigned_long"));
    let of_double = |it: f64| {
        let rounded = round_half_up(it);
        if (0.0..18_446_744_073_709_551_616.0).contains(&rounded) {
            Ok(rounded as u64)
        } else {
            Err(out_of_range(crate::numbers::java_text(it), "unsigned_long"))
        }
    };
    match a {
        Column::Keyword(_) => each::<Text, u64>(a, at, |it| {
            let trimmed = it.trim();
            match trimmed.parse() {
                Ok(it) => Ok(it),
                Err(_) => of_double(java_parse(trimmed).ok_or_else(|| bad_number(it))?),
            }
        }),
        Column::Boolean(_) => each::<bool, u64>(a, at, |it| Ok(u64::from(*it))),
        Column::Integer(_) => each::<i32, u64>(a, at, |it| unsigned((*it).into())),
        Column::Long(_) => each::<i64, u64>(a, at, |it| unsigned(*it)),
        Column::Double(_) => each::<f64, u64>(a, at, |it| of_double(*it)),
        Column::Datetime(_) => each::<Millis, u64>(a, at, |it| unsigned(it.0)),
        other => other.clone(),
    }
}

pub(super) fn to_double(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Keyword(_) => each::<Text, f64>(a, at, |it| java_parse(it).ok_or_else(|| bad_number(it))),
        Column::Boolean(_) => each::<bool, f64>(a, at, |it| Ok(f64::from(u8::from(*it)))),
        Column::Datetime(_) => each::<Millis, f64>(a, at, |it| Ok(it.0 as f64)),
        other => crate::numbers::widen(other, esql::Type::Double).into_owned(),
    }
}

pub(super) fn to_string(a: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(_: &Cells<T>, a: &Column, at: &mut At<'_>) -> Column {
        each::<T, Text>(a, at, |it| Ok(it.scalar().text().into()))
    }
    if let Column::Keyword(_) = a {
        return a.clone();
    }
    each_type!(a, it => of(it, a, at), null rows => Column::Null(*rows))
}

pub(super) fn to_version(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Keyword(_) => each::<Text, Version>(a, at, |it| Ok(Version(Text::clone(it)))),
        other => other.clone(),
    }
}

/// What leading zeros of a part of an address mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zeros {
    Rejected,
    Decimal,
    Octal,
}

pub(super) fn to_ip(a: &Column, options: &Options, at: &mut At<'_>) -> Column {
    let zeros = options.iter().find(|it| it.0.eq_ignore_ascii_case("leading_zeros")).map(|it| &it.1);
    let zeros = match zeros {
        Some(Constant::Text(it)) if it.eq_ignore_ascii_case("decimal") => Zeros::Decimal,
        Some(Constant::Text(it)) if it.eq_ignore_ascii_case("octal") => Zeros::Octal,
        _ => Zeros::Rejected,
    };
    match a {
        Column::Keyword(_) => each::<Text, Ip>(a, at, |it| {
            let without;
            let text: &str = if zeros == Zeros::Rejected || it.contains(':') {
                it
            } else {
                without = it.split('.').map(|part| plain(part, zeros)).collect::<Vec<_>>().join(".");
                &without
            };
            Ip::parse(text).ok_or_else(|| Failure::Argument(format!("'{it}' is not an IP string literal.")))
        }),
        other => other.clone(),
    }
}

fn plain(part: &str, zeros: Zeros) -> String {
    if part.len() < 2 || !part.starts_with('0') {
        return part.to_owned();
    }
    let radix = if zeros == Zeros::Octal { 8 } else { 10 };
    u32::from_str_radix(part, radix).map_or_else(|_| part.to_owned(), |it| it.to_string())
}

impl Point {
    /// Reads `POINT(lon lat)`.
    pub fn parse(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        let head = trimmed.get(..5)?;
        if !head.eq_ignore_ascii_case("point") {
            return None;
        }
        let inner = trimmed[5..].trim().strip_prefix('(')?.strip_suffix(')')?;
        let mut numbers = inner.split_whitespace().map(java_parse);
        let (lon, lat) = (numbers.next()??, numbers.next()??);
        let is_there = numbers.next().is_none() && lon.abs() <= 180.0 && lat.abs() <= 90.0;
        is_there.then_some(Self { lon, lat })
    }

    /// As `POINT (10.0 20.0)`.
    pub fn text(self) -> String {
        format!("POINT ({} {})", crate::numbers::java_text(self.lon), crate::numbers::java_text(self.lat))
    }
}

pub(super) fn to_geo_point(a: &Column, at: &mut At<'_>) -> Column {
    match a {
        Column::Keyword(_) => each::<Text, Point>(a, at, |it| {
            Point::parse(it).ok_or_else(|| Failure::Argument(format!("Failed to parse WKT: {it}")))
        }),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers() {
        assert_eq!(text_to_long("2147483648.2"), Ok(2_147_483_648));
        assert_eq!(text_to_long(" 1e3 "), Ok(1000));
        assert_eq!(text_to_long("9223372036854775807"), Ok(i64::MAX));
        assert!(["", "0x10", "x", "9223372036854775808", "1e30"].iter().all(|it| text_to_long(it).is_err()));
        assert_eq!(double_to_long(-2.5), Ok(-2));
    }

    #[test]
    fn dates_have_one_form() {
        for good in ["2024", "2024-05", "2024-05-06T", "2024-05-06T07", "2024-05-06T07:08:09,123456789+0200"]
        {
            assert!(instant(good).is_ok(), "{good}");
        }
        for bad in [
            "20240506",
            "2024-5-6",
            "2024-05-06 00:00:00",
            "2024-02-30",
            "",
            "1714953600000",
            "2024-05-06T24:00",
        ] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_and_places() {
        assert_eq!(plain("010", Zeros::Octal), "8");
        assert_eq!(plain("010", Zeros::Decimal), "10");
        assert_eq!(Ip::parse("::ffff:1.2.3.4").unwrap().text(), "1.2.3.4");
        assert_eq!(Ip::parse("fe80::1%eth0").unwrap().text(), "fe80::1");
        assert!(Ip::parse("1.2.3.04").is_none() && Ip::parse("1.2.3.4/8").is_none());
        assert_eq!(Point::parse("POINT(10 20)").unwrap().text(), "POINT (10.0 20.0)");
        assert!(Point::parse("POINT(10 91)").is_none() && Point::parse("10 20").is_none());
    }
}
