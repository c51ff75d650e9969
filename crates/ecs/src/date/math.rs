//! Date math: `now-7d/d`, `2024-05-01||+1M/d`.

use super::civil::{DAY_MS, Date};
use super::{DateError, Format, Instant, Rounding};
use crate::Millis;

/// Which texts are date math, and what they mean in detail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Weeks begin on Monday; no milliseconds.
    Elasticsearch,
    /// Weeks begin on Sunday; `ms` is a unit.
    Kibana,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
}

/// What a date in a query means: a date of the format, or date math on `now` or on such a date (before `||`).
///
/// `/unit` rounds down to the beginning of the unit, or up to its last millisecond. The date before `||` is an
/// instant: what it leaves out is filled down, whichever way the whole is rounded. A date without an offset, and
/// rounding, are in a zone `offset` seconds east of UTC.
pub fn resolve(
    text: &str,
    format: &Format,
    now: Millis,
    rounding: Rounding,
    offset: i32,
) -> Result<Instant, DateError> {
    let (start, at) = if text.starts_with("now") {
        (Instant { millis: now, nanos: 0 }, 3)
    } else if let Some(at) = text.find("||") {
        (format.parse(&text[..at], Rounding::Down, offset)?, at + 2)
    } else {
        return format.parse(text, rounding, offset);
    };
    let out_of_range = || DateError::OutOfRange { text: text.to_owned() };
    let shift = i64::from(offset) * 1_000;
    let local = Instant { millis: start.millis.checked_add(shift).ok_or_else(out_of_range)?, ..start };
    let local = apply(text, at, local, rounding, Dialect::Elasticsearch)?;
    Ok(Instant { millis: local.millis.checked_sub(shift).ok_or_else(out_of_range)?, ..local })
}

/// What Kibana's date math means, as rules have it in `from`, `to` and `history_window_start`. Rounds down.
pub fn datemath(text: &str, now: Millis) -> Result<Millis, DateError> {
    let format = Format::default();
    let (start, at) = if text.starts_with("now") {
        (Instant { millis: now, nanos: 0 }, 3)
    } else if let Some(at) = text.find("||") {
        (format.parse(&text[..at], Rounding::Down, 0)?, at + 2)
    } else {
        (format.parse(text, Rounding::Down, 0)?, text.len())
    };
    apply(text, at, start, Rounding::Down, Dialect::Kibana).map(|it| it.millis)
}

fn apply(
    text: &str,
    mut at: usize,
    mut instant: Instant,
    rounding: Rounding,
    dialect: Dialect,
) -> Result<Instant, DateError> {
    let error = |at: usize, expected| DateError::Math { text: text.to_owned(), at, expected };
    let out_of_range = || DateError::OutOfRange { text: text.to_owned() };
    let bytes = text.as_bytes();
    while let Some(&operator) = bytes.get(at) {
        let sign = match operator {
            b'+' => 1,
            b'-' => -1,
            b'/' => 0,
            _ => return Err(error(at, "`+`, `-` or `/`")),
        };
        at += 1;
        let digits = bytes[at..].iter().take_while(|it| it.is_ascii_digit()).count();
        let count: i64 = match digits {
            0 => 1,
            _ => text[at..at + digits].parse().map_err(|_| out_of_range())?,
        };
        if sign == 0 && count != 1 {
            return Err(error(at, "a unit to round to, without a number"));
        }
        at += digits;
        let (unit, len) = unit(&bytes[at..], dialect).ok_or_else(|| match dialect {
            Dialect::Elasticsearch => error(at, "a unit: y, M, w, d, h, m or s"),
            Dialect::Kibana => error(at, "a unit: y, M, w, d, h, m, s or ms"),
        })?;
        at += len;
        instant = match sign {
            0 => round(instant, unit, rounding, dialect),
            _ => add(instant, unit, count * sign),
        }
        .ok_or_else(out_of_range)?;
    }
    Ok(instant)
}

fn unit(rest: &[u8], dialect: Dialect) -> Option<(Unit, usize)> {
    if dialect == Dialect::Kibana && rest.starts_with(b"ms") {
        return Some((Unit::Milli, 2));
    }
    let unit = match rest.first()? {
        b'y' => Unit::Year,
        b'M' => Unit::Month,
        b'w' => Unit::Week,
        b'd' => Unit::Day,
        b'h' => Unit::Hour,
        b'H' if dialect == Dialect::Elasticsearch => Unit::Hour,
        b'm' => Unit::Minute,
        b's' => Unit::Second,
        _ => return None,
    };
    Some((unit, 1))
}

fn add(instant: Instant, unit: Unit, count: i64) -> Option<Instant> {
    let millis = match unit {
        Unit::Year => add_months(instant.millis, count.checked_mul(12)?)?,
        Unit::Month => add_months(instant.millis, count)?,
        Unit::Week => instant.millis.checked_add(count.checked_mul(7 * DAY_MS)?)?,
        Unit::Day => instant.millis.checked_add(count.checked_mul(DAY_MS)?)?,
        Unit::Hour => instant.millis.checked_add(count.checked_mul(3_600_000)?)?,
        Unit::Minute => instant.millis.checked_add(count.checked_mul(60_000)?)?,
        Unit::Second => instant.millis.checked_add(count.checked_mul(1_000)?)?,
        Unit::Milli => instant.millis.checked_add(count)?,
    };
    Some(Instant { millis, ..instant })
}

fn add_months(millis: Millis, months: i64) -> Option<Millis> {
    Date::of(millis).plus_months(months)?.midnight()?.checked_add(millis.rem_euclid(DAY_MS))
}

fn round(instant: Instant, unit: Unit, rounding: Rounding, dialect: Dialect) -> Option<Instant> {
    let floor = |size: i64| instant.millis.div_euclid(size).checked_mul(size);
    let day = Date::of(instant.millis);
    let start = match unit {
        Unit::Year => Date { month: 1, day: 1, ..day }.midnight()?,
        Unit::Month => Date { day: 1, ..day }.midnight()?,
        Unit::Week => {
            let days = instant.millis.div_euclid(DAY_MS);
            // 1970-01-01 was a Thursday.
            let into_week = match dialect {
                Dialect::Elasticsearch => (days + 3).rem_euclid(7),
                Dialect::Kibana => (days + 4).rem_euclid(7),
            };
            (days - into_week).checked_mul(DAY_MS)?
        }
        Unit::Day => floor(DAY_MS)?,
        Unit::Hour => floor(3_600_000)?,
        Unit::Minute => floor(60_000)?,
        Unit::Second => floor(1_000)?,
        Unit::Milli => instant.millis,
    };
    let start = Instant { millis: start, nanos: 0 };
    match rounding {
        Rounding::Down => Some(start),
        Rounding::Up => {
            let next = add(start, unit, 1)?;
            Some(Instant { millis: next.millis.checked_sub(1)?, nanos: 0 })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::to_iso;
    use super::*;

    const NOW: Millis = 1_714_823_999_123; // 2024-05-04T11:59:59.123Z, a Saturday

    fn es(text: &str, rounding: Rounding) -> String {
        match resolve(text, &Format::default(), NOW, rounding, 0) {
            Ok(it) => to_iso(it.millis),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn elasticsearch() {
        for (text, down, up) in [
            ("now", "2024-05-04T11:59:59.123Z", "2024-05-04T11:59:59.123Z"),
            ("now/d", "2024-05-04T00:00:00.000Z", "2024-05-04T23:59:59.999Z"),
            ("now-1M/M", "2024-04-01T00:00:00.000Z", "2024-04-30T23:59:59.999Z"),
            ("now/w", "2024-04-29T00:00:00.000Z", "2024-05-05T23:59:59.999Z"),
            ("now/y-1d", "2023-12-31T00:00:00.000Z", "2024-12-30T23:59:59.999Z"),
            ("now+d", "2024-05-05T11:59:59.123Z", "2024-05-05T11:59:59.123Z"),
            ("now-2H", "2024-05-04T09:59:59.123Z", "2024-05-04T09:59:59.123Z"),
            ("2024-01-31||+1M", "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"),
            ("2024-05-01||/M", "2024-05-01T00:00:00.000Z", "2024-05-31T23:59:59.999Z"),
            ("2024-05-01||", "2024-05-01T00:00:00.000Z", "2024-05-01T00:00:00.000Z"),
            ("1714816800000||/h", "2024-05-04T10:00:00.000Z", "2024-05-04T10:59:59.999Z"),
        ] {
            assert_eq!(es(text, Rounding::Down), down, "{text} down");
            assert_eq!(es(text, Rounding::Up), up, "{text} up");
        }
        let zoned = resolve("now/d", &Format::default(), NOW, Rounding::Down, 14 * 3600).unwrap();
        assert_eq!(to_iso(zoned.millis), "2024-05-04T10:00:00.000Z", "midnight of 5 May in that zone");
        for text in ["now-", "now-1", "now-1q", "now/2d", "nowhere", "now -1d", "2024-13-01||+1d", "now-1ms"]
        {
            assert!(resolve(text, &Format::default(), NOW, Rounding::Down, 0).is_err(), "{text}");
        }
        assert!(matches!(
            resolve("now+9223372036854775807y", &Format::default(), NOW, Rounding::Down, 0),
            Err(DateError::OutOfRange { .. })
        ));
    }

    #[test]
    fn kibana() {
        for (text, expected) in [
            ("now-9m", "2024-05-04T11:50:59.123Z"),
            ("now-500ms", "2024-05-04T11:59:58.623Z"),
            ("now/w", "2024-04-28T00:00:00.000Z"),
            ("2024-05-01", "2024-05-01T00:00:00.000Z"),
            ("2024-05-01T10:00:00Z||-1h/d", "2024-05-01T00:00:00.000Z"),
        ] {
            assert_eq!(to_iso(datemath(text, NOW).unwrap()), expected, "{text}");
        }
        for text in ["", "yesterday", "now-1H", "now-9", "5m"] {
            // `5m` is no date; a bare number would be epoch milliseconds.
            assert!(datemath(text, NOW).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(now|2024-05-01\\|\\||.{0,6})([-+/][0-9]{0,19}[yMwdhHmsx]?){0,4}", now: i64) {
            let _ = datemath(&text, now);
            let down = resolve(&text, &Format::default(), now, Rounding::Down, 0);
            let up = resolve(&text, &Format::default(), now, Rounding::Up, 0);
            if let (Ok(down), Ok(up)) = (down, up) {
                prop_assert!(down <= up);
            }
        }
    }
}
