//! Lengths of time, and the intervals that they cut time into.

use ecs::date::{DAY_MS, Date};

use crate::kernel::Made;
use crate::warnings::Failure;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// By the calendar.
    Period { months: i64, days: i64 },
    /// Milliseconds.
    Duration(i64),
}

/// The years that Java's calendar has.
const YEAR_MAX: i64 = 999_999_999;

fn overflow() -> Failure {
    Failure::Arithmetic("long overflow".to_owned())
}

impl Span {
    /// The same backwards.
    pub(crate) fn negate(self) -> Self {
        match self {
            Self::Period { months, days } => {
                Self::Period { months: months.saturating_neg(), days: days.saturating_neg() }
            }
            Self::Duration(millis) => Self::Duration(millis.saturating_neg()),
        }
    }

    /// Both, if they are of one kind.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Period { months: a, days: b }, Self::Period { months: c, days: d }) => {
                Some(Self::Period { months: a.checked_add(c)?, days: b.checked_add(d)? })
            }
            (Self::Duration(a), Self::Duration(b)) => a.checked_add(b).map(Self::Duration),
            (Self::Period { .. }, Self::Duration(_)) | (Self::Duration(_), Self::Period { .. }) => None,
        }
    }

    /// So much later.
    pub(crate) fn after(self, millis: i64) -> Made<i64> {
        match self {
            Self::Duration(by) => millis.checked_add(by).ok_or_else(overflow),
            Self::Period { months, days } => {
                let date = Date::of(millis);
                let total = i128::from(date.year) * 12 + i128::from(date.month) - 1 + i128::from(months);
                let year = total.div_euclid(12);
                if year.abs() > i128::from(YEAR_MAX) {
                    return Err(Failure::Date(format!(
                        "Invalid value for Year (valid values -999999999 - 999999999): {year}"
                    )));
                }
                let date = date.plus_months(months).ok_or_else(overflow)?;
                let midnight = date.midnight().ok_or_else(overflow)?;
                let by_days = days.checked_mul(DAY_MS).ok_or_else(overflow)?;
                midnight
                    .checked_add(by_days)
                    .and_then(|it| it.checked_add(millis.rem_euclid(DAY_MS)))
                    .ok_or_else(overflow)
            }
        }
    }

    /// Whether it is longer than nothing, and of one unit, so that it cuts time into intervals.
    pub(crate) fn is_interval(self) -> bool {
        match self {
            Self::Duration(millis) => millis > 0,
            Self::Period { months, days } => (months > 0 && days == 0) || (months == 0 && days > 0),
        }
    }

    /// The start of the interval that holds the instant.
    pub(crate) fn truncate(self, millis: i64) -> Option<i64> {
        let multiple = |of: i64| millis.div_euclid(of).checked_mul(of);
        match self {
            Self::Duration(of) if of > 0 => multiple(of),
            Self::Period { months: 0, days: 7 } => {
                // Day 0 was a Thursday; weeks begin with Monday.
                let monday = (millis.div_euclid(DAY_MS) + 3).div_euclid(7) * 7 - 3;
                monday.checked_mul(DAY_MS)
            }
            Self::Period { months: 0, days } if days > 0 => multiple(days.checked_mul(DAY_MS)?),
            Self::Period { months, days: 0 } if months > 0 => {
                let date = Date::of(millis);
                // Counted from January of the year 1.
                let index = (date.year - 1) * 12 + i64::from(date.month) - 1;
                let start = index.div_euclid(months).checked_mul(months)?;
                Date { year: start.div_euclid(12) + 1, month: start.rem_euclid(12) as u32 + 1, day: 1 }
                    .midnight()
            }
            Self::Duration(_) | Self::Period { .. } => None,
        }
    }

    /// `3 days`, `1 hour`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.find(|it: char| !it.is_ascii_digit() && it != '-')?;
        let count: i64 = text[..digits].parse().ok()?;
        let period = |months: i64, days: i64| {
            Some(Self::Period { months: count.checked_mul(months)?, days: count.checked_mul(days)? })
        };
        let duration = |millis: i64| count.checked_mul(millis).map(Self::Duration);
        match text[digits..].trim().to_ascii_lowercase().as_str() {
            "year" | "years" | "yr" | "y" => period(12, 0),
            "quarter" | "quarters" | "q" => period(3, 0),
            "month" | "months" | "mo" => period(1, 0),
            "week" | "weeks" | "w" => period(0, 7),
            "day" | "days" | "d" => period(0, 1),
            "hour" | "hours" | "h" => duration(3_600_000),
            "minute" | "minutes" | "min" | "m" => duration(60_000),
            "second" | "seconds" | "sec" | "s" => duration(1_000),
            "millisecond" | "milliseconds" | "ms" => duration(1),
            _ => None,
        }
    }
}

/// The span of round length that cuts a range into at most so many intervals.
pub(crate) fn bucket_span(from: i64, to: i64, buckets: i64) -> Span {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let period = |months, days| Span::Period { months, days };
    let spans = [
        Span::Duration(10),
        Span::Duration(20),
        Span::Duration(50),
        Span::Duration(100),
        Span::Duration(200),
        Span::Duration(500),
        Span::Duration(1_000),
        Span::Duration(5_000),
        Span::Duration(10_000),
        Span::Duration(30_000),
        Span::Duration(MINUTE),
        Span::Duration(5 * MINUTE),
        Span::Duration(10 * MINUTE),
        Span::Duration(30 * MINUTE),
        Span::Duration(HOUR),
        Span::Duration(3 * HOUR),
        Span::Duration(12 * HOUR),
        period(0, 1),
        period(0, 7),
        period(1, 0),
        period(3, 0),
        period(12, 0),
    ];
    let fits = |span: &Span| {
        let Some(mut start) = span.truncate(from) else { return false };
        if let Span::Duration(length) = span {
            return (to - start) / length < buckets;
        }
        for _ in 0..buckets {
            match span.after(start) {
                Ok(next) => start = next,
                Err(_) => return true,
            }
            if start >= to {
                return true;
            }
        }
        false
    };
    let last = spans.len() - 1;
    spans.iter().copied().find(fits).unwrap_or(spans[last])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        ecs::date::parse(text).unwrap()
    }

    #[test]
    fn intervals() {
        for (span, instant, start) in [
            ("240 hours", "1985-02-18", "1985-02-11"),
            ("1 week", "2024-05-01T10:00:00Z", "2024-04-29"),
            ("7 days", "2024-05-01T10:00:00Z", "2024-04-29"),
            ("1 day", "1969-12-31T10:00:00Z", "1969-12-31"),
            ("5 months", "2024-05-06", "2024-05-01"),
            ("13 months", "2024-05-06", "2023-08-01"),
            ("2 quarters", "2024-05-06", "2024-01-01"),
            ("10 years", "2024-05-06", "2021-01-01"),
            ("9 m", "1970-01-01T00:17:59Z", "1970-01-01T00:09:00Z"),
        ] {
            let found = Span::parse(span).unwrap().truncate(at(instant)).unwrap();
            assert_eq!(ecs::date::to_iso(found), ecs::date::to_iso(at(start)), "{span} of {instant}");
        }
    }

    #[test]
    fn steps() {
        assert_eq!(Span::parse("1 month").unwrap().after(at("2024-01-31")), Ok(at("2024-02-29")));
        assert!(Span::parse("1 day").unwrap().after(i64::MAX).is_err());
        let far = Span::parse("2147483647 years").unwrap().after(0).unwrap_err();
        assert!(far.to_string().ends_with("999999999): 2147485617"), "{far}");
    }

    proptest! {
        #[test]
        fn an_interval_holds_what_it_was_asked_of(millis in -1i64 << 50..1 << 50, months in 1i64..40, days in 1i64..40) {
            let spans = [Span::Period { months, days: 0 }, Span::Period { months: 0, days }, Span::Duration(days * 7_001)];
            for span in spans {
                let start = span.truncate(millis).unwrap();
                prop_assert!(start <= millis && span.after(start).unwrap() > millis);
                prop_assert_eq!(span.truncate(start), Some(start));
            }
        }

        #[test]
        fn nothing_panics(millis: i64, months: i64, days: i64) {
            for span in [Span::Period { months, days }, Span::Period { months, days: 0 }, Span::Duration(days)] {
                let _ = (span.after(millis), span.negate(), span.plus(span));
                let _ = span.truncate(millis);
            }
        }
    }
}
