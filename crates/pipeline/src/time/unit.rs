//! Units that two instants are apart, and parts of an instant.

use ecs::date::{DAY_MS, Date};

use crate::kernel::Made;
use crate::warnings::Failure;

/// A unit of `DATE_DIFF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// So many months.
    Months(i64),
    /// So many nanoseconds.
    Nanos(i128),
}

impl Unit {
    /// That of the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        const MILLI: i128 = 1_000_000;
        let day = i128::from(DAY_MS) * MILLI;
        Some(match name.to_ascii_lowercase().as_str() {
            "year" | "years" | "yy" | "yyyy" => Self::Months(12),
            "quarter" | "quarters" | "qq" | "q" => Self::Months(3),
            "month" | "months" | "mm" | "m" => Self::Months(1),
            "dayofyear" | "dy" | "y" | "day" | "days" | "dd" | "d" | "weekday" | "weekdays" | "dw" => {
                Self::Nanos(day)
            }
            "week" | "weeks" | "wk" | "ww" => Self::Nanos(7 * day),
            "hour" | "hours" | "hh" => Self::Nanos(3_600_000 * MILLI),
            "minute" | "minutes" | "mi" | "n" => Self::Nanos(60_000 * MILLI),
            "second" | "seconds" | "ss" | "s" => Self::Nanos(1_000 * MILLI),
            "millisecond" | "milliseconds" | "ms" => Self::Nanos(MILLI),
            "microsecond" | "microseconds" | "mcs" => Self::Nanos(1_000),
            "nanosecond" | "nanoseconds" | "ns" => Self::Nanos(1),
            _ => return None,
        })
    }

    /// How many whole units lie between; less than none if the end comes first.
    pub(crate) fn between(self, start: i64, end: i64) -> Made<i32> {
        let count = match self {
            Self::Nanos(nanos) => (i128::from(end) - i128::from(start)) * 1_000_000 / nanos,
            Self::Months(months) => i128::from(whole_months(start, end) / months),
        };
        i32::try_from(count).map_err(|_| crate::numbers::out_of_range(count, "integer"))
    }
}

fn whole_months(start: i64, end: i64) -> i64 {
    let (a, b) = (Date::of(start), Date::of(end));
    let months = (b.year - a.year) * 12 + i64::from(b.month) - i64::from(a.month);
    let in_month = |date: Date, millis: i64| (date.day, millis.rem_euclid(DAY_MS));
    let (a, b) = (in_month(a, start), in_month(b, end));
    if months > 0 && b < a {
        months - 1
    } else if months < 0 && b > a {
        months + 1
    } else {
        months
    }
}

/// A part of an instant, by the name that Java's `ChronoField` has, in any case.
pub(crate) fn extract(part: &str, millis: i64) -> Made<i64> {
    let date = Date::of(millis);
    let of_day = millis.rem_euclid(DAY_MS);
    let epoch_day = millis.div_euclid(DAY_MS);
    let first = Date { year: date.year, month: 1, day: 1 }.midnight().map_or(0, |it| it.div_euclid(DAY_MS));
    let day_of_year = epoch_day - first + 1;
    let hour = of_day / 3_600_000;
    Ok(match part.to_ascii_uppercase().as_str() {
        "YEAR" => date.year,
        "YEAR_OF_ERA" => {
            if date.year > 0 {
                date.year
            } else {
                1 - date.year
            }
        }
        "ERA" => i64::from(date.year > 0),
        "PROLEPTIC_MONTH" => date.year * 12 + i64::from(date.month) - 1,
        "MONTH_OF_YEAR" => date.month.into(),
        "DAY_OF_MONTH" => date.day.into(),
        "DAY_OF_YEAR" => day_of_year,
        "DAY_OF_WEEK" => (epoch_day + 3).rem_euclid(7) + 1,
        "ALIGNED_DAY_OF_WEEK_IN_MONTH" => (i64::from(date.day) - 1) % 7 + 1,
        "ALIGNED_DAY_OF_WEEK_IN_YEAR" => (day_of_year - 1) % 7 + 1,
        "ALIGNED_WEEK_OF_MONTH" => (i64::from(date.day) - 1) / 7 + 1,
        "ALIGNED_WEEK_OF_YEAR" => (day_of_year - 1) / 7 + 1,
        "EPOCH_DAY" => epoch_day,
        "HOUR_OF_DAY" => hour,
        "CLOCK_HOUR_OF_DAY" => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        "HOUR_OF_AMPM" => hour % 12,
        "CLOCK_HOUR_OF_AMPM" => {
            if hour % 12 == 0 {
                12
            } else {
                hour % 12
            }
        }
        "AMPM_OF_DAY" => hour / 12,
        "MINUTE_OF_HOUR" => of_day / 60_000 % 60,
        "MINUTE_OF_DAY" => of_day / 60_000,
        "SECOND_OF_MINUTE" => of_day / 1_000 % 60,
        "SECOND_OF_DAY" => of_day / 1_000,
        "MILLI_OF_SECOND" => of_day % 1_000,
        "MILLI_OF_DAY" => of_day,
        "MICRO_OF_SECOND" => of_day % 1_000 * 1_000,
        "MICRO_OF_DAY" => of_day * 1_000,
        "NANO_OF_SECOND" => of_day % 1_000 * 1_000_000,
        "NANO_OF_DAY" => of_day * 1_000_000,
        "INSTANT_SECONDS" => millis.div_euclid(1_000),
        "OFFSET_SECONDS" => 0,
        _ => return Err(Failure::Argument(format!("invalid date field for [{part}]"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let at = |text: &str| ecs::date::parse(text).unwrap();
        for (unit, start, end, count) in [
            ("year", "2023-12-31T23:59:59.999Z", "2024-01-01", 0),
            ("month", "2024-01-31", "2024-02-29", 0),
            ("month", "2024-03-31", "2024-02-29", -1),
            ("week", "2024-01-01", "2024-01-14", 1),
            ("ms", "2024-01-01", "2024-01-01T00:00:00.005Z", 5),
            ("mcs", "2024-01-01", "2024-01-01T00:00:00.005Z", 5_000),
            ("dw", "2024-01-03", "2024-01-01", -2),
        ] {
            assert_eq!(
                Unit::parse(unit).unwrap().between(at(start), at(end)),
                Ok(count),
                "{unit} {start} {end}"
            );
        }
        assert!(Unit::parse("ns").unwrap().between(0, i64::MAX).is_err());
        assert_eq!(extract("day_of_week", at("2024-05-01")), Ok(3));
        assert_eq!(extract("DAY_OF_YEAR", at("2024-03-01")), Ok(61));
        assert!(extract("fortnight", 0).is_err());
    }
}
