//! Date math: `now-7d/d`, `2024-05-01||+1M/d`.

use std::fmt;

use super::civil::{DAY_MS, Date};
use super::{DateError, Format, Instant, Rounding};
use crate::Millis;

/// 0001-01-01T00:00:00Z: an earlier `now` is taken as this one.
pub const TIME_MIN: Millis = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z: a later `now` is taken as this one.
pub const TIME_MAX: Millis = 253_402_300_799_999;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;

/// A date or date math, read once: it is right at every `now`, so that [`DateMath::at`] cannot fail.
///
/// Queries and rules write the same with two differences, which stand in what was read: in a query weeks begin on
/// Monday and `H` is an hour; in a rule they begin on Sunday, `ms` is a unit, and a date may have a space before its
/// time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateMath {
    text: String,
    start: Start,
    steps: Vec<Step>,
    /// In which days begin, in seconds east of UTC.
    offset: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Start {
    Now,
    /// From the first to the last instant that a date leaves open. The date before `||` leaves none.
    Date(Instant, Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Add(Unit, i64),
    /// To the beginning of the unit, or to its last millisecond.
    Round(Unit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Unit {
    Year,
    Month,
    /// Since its Monday.
    Week,
    /// Since its Sunday.
    SundayWeek,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
}

/// Which texts are date math.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Elasticsearch's.
    Query,
    /// Kibana's.
    Rule,
}

impl DateMath {
    /// Date math as Elasticsearch reads it in queries: a date of the format, or steps on `now` or on such a date
    /// (before `||`). A date without an offset, and days, are in a zone `offset` seconds east of UTC.
    ///
    /// The date before `||` is an instant: what it leaves out is filled down, whichever way the whole is rounded.
    pub fn of_query(text: &str, format: &Format, offset: i32) -> Result<Self, DateError> {
        Self::read(text, Dialect::Query, offset, |text, rounding| format.parse(text, rounding, offset))
    }

    /// Date math as Kibana reads it in `from`, `to` and `history_window_start` of rules; the command line takes the
    /// same.
    pub fn of_rule(text: &str) -> Result<Self, DateError> {
        Self::read(text, Dialect::Rule, 0, |text, rounding| match spaced_or_basic(text) {
            Some(iso) => Format::default().parse(&iso, rounding, 0),
            None => Format::default().parse(text, rounding, 0),
        })
    }

    fn read(
        text: &str,
        dialect: Dialect,
        offset: i32,
        date: impl Fn(&str, Rounding) -> Result<Instant, DateError>,
    ) -> Result<Self, DateError> {
        let (start, at) = if text.starts_with("now") {
            (Start::Now, 3)
        } else if let Some(at) = text.find("||") {
            let instant = date(&text[..at], Rounding::Down)?;
            (Start::Date(instant, instant), at + 2)
        } else {
            (Start::Date(date(text, Rounding::Down)?, date(text, Rounding::Up)?), text.len())
        };
        let math = Self { text: text.to_owned(), start, steps: steps(text, at, dialect)?, offset };
        // No step falls with `now`, so what works at both ends of all time works at each time between.
        for (now, rounding) in
            [TIME_MIN, TIME_MAX].into_iter().flat_map(|now| [(now, Rounding::Down), (now, Rounding::Up)])
        {
            math.resolve(now, rounding).ok_or_else(|| DateError::OutOfRange { text: text.to_owned() })?;
        }
        Ok(math)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means another instant at another time.
    pub fn reads_clock(&self) -> bool {
        self.start == Start::Now
    }

    /// The instant that it means at `now`. It never falls as `now` goes on.
    #[expect(
        clippy::missing_panics_doc,
        reason = "it cannot: no step falls with `now`, and both ends were tried"
    )]
    pub fn at(&self, now: Millis, rounding: Rounding) -> Instant {
        self.resolve(now.clamp(TIME_MIN, TIME_MAX), rounding)
            .expect("reading tried the earliest and the latest time")
    }

    /// As [`DateMath::at`] in milliseconds, rounded down: what a rule's `from` and `to` mean.
    pub fn millis_at(&self, now: Millis) -> Millis {
        self.at(now, Rounding::Down).millis
    }

    /// How far from `now` it lies at least and at most when rounded down, whatever the time; `None` if that has no
    /// limit.
    pub fn spread(&self) -> Option<(Millis, Millis)> {
        if !self.reads_clock() {
            return None;
        }
        let (mut least, mut most): (Millis, Millis) = (0, 0);
        for step in &self.steps {
            match *step {
                Step::Add(unit, count) => {
                    let (short, long) = unit.lengths();
                    let (short, long) = (short.checked_mul(count)?, long.checked_mul(count)?);
                    (least, most) = (least.checked_add(short.min(long))?, most.checked_add(short.max(long))?);
                }
                Step::Round(unit) => least = least.checked_sub(unit.lengths().1 - 1)?,
            }
        }
        Some((least, most))
    }

    fn resolve(&self, now: Millis, rounding: Rounding) -> Option<Instant> {
        let start = match (self.start, rounding) {
            (Start::Now, _) => Instant { millis: now, nanos: 0 },
            (Start::Date(first, _), Rounding::Down) => first,
            (Start::Date(_, last), Rounding::Up) => last,
        };
        let shift = i64::from(self.offset) * SECOND;
        let mut local = Instant { millis: start.millis.checked_add(shift)?, ..start };
        for step in &self.steps {
            local = match *step {
                Step::Add(unit, count) => add(local, unit, count)?,
                Step::Round(unit) => round(local, unit, rounding)?,
            };
        }
        Some(Instant { millis: local.millis.checked_sub(shift)?, ..local })
    }
}

impl fmt::Display for DateMath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `2021-07-29 13:00` and `20210729` in the form that formats read; `None` if it is neither.
///
/// Eight digits would else be milliseconds of the first hours of 1970, which nobody means.
fn spaced_or_basic(text: &str) -> Option<String> {
    if text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit()) {
        return Some(format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
    }
    let (day, time) = text.split_once(' ')?;
    // Only after a whole day, so that the message about anything else shows what was written.
    (day.len() == "2021-07-29".len() && time.starts_with(|it: char| it.is_ascii_digit()))
        .then(|| format!("{day}T{time}"))
}

/// The steps from byte `at` on.
fn steps(text: &str, mut at: usize, dialect: Dialect) -> Result<Vec<Step>, DateError> {
    let error = |at: usize, expected| DateError::Math { text: text.to_owned(), at, expected };
    let bytes = text.as_bytes();
    let mut steps = Vec::new();
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
            _ => {
                text[at..at + digits].parse().map_err(|_| DateError::OutOfRange { text: text.to_owned() })?
            }
        };
        if sign == 0 && count != 1 {
            return Err(error(at, "a unit to round to, without a number"));
        }
        at += digits;
        let (unit, len) = unit(&bytes[at..], dialect).ok_or_else(|| match dialect {
            Dialect::Query => error(at, "a unit: y, M, w, d, h, m or s"),
            Dialect::Rule => error(at, "a unit: y, M, w, d, h, m, s or ms"),
        })?;
        at += len;
        steps.push(if sign == 0 { Step::Round(unit) } else { Step::Add(unit, count * sign) });
    }
    Ok(steps)
}

fn unit(rest: &[u8], dialect: Dialect) -> Option<(Unit, usize)> {
    if dialect == Dialect::Rule && rest.starts_with(b"ms") {
        return Some((Unit::Milli, 2));
    }
    let unit = match rest.first()? {
        b'y' => Unit::Year,
        b'M' => Unit::Month,
        b'w' if dialect == Dialect::Rule => Unit::SundayWeek,
        b'w' => Unit::Week,
        b'd' => Unit::Day,
        b'h' => Unit::Hour,
        b'H' if dialect == Dialect::Query => Unit::Hour,
        b'm' => Unit::Minute,
        b's' => Unit::Second,
        _ => return None,
    };
    Some((unit, 1))
}

impl Unit {
    /// Its shortest and its longest length.
    const fn lengths(self) -> (Millis, Millis) {
        match self {
            Self::Year => (365 * DAY_MS, 366 * DAY_MS),
            Self::Month => (28 * DAY_MS, 31 * DAY_MS),
            Self::Week | Self::SundayWeek => (7 * DAY_MS, 7 * DAY_MS),
            Self::Day => (DAY_MS, DAY_MS),
            Self::Hour => (HOUR, HOUR),
            Self::Minute => (MINUTE, MINUTE),
            Self::Second => (SECOND, SECOND),
            Self::Milli => (1, 1),
        }
    }
}

fn add(instant: Instant, unit: Unit, count: i64) -> Option<Instant> {
    let millis = match unit {
        Unit::Year => add_months(instant.millis, count.checked_mul(12)?)?,
        Unit::Month => add_months(instant.millis, count)?,
        Unit::Week
        | Unit::SundayWeek
        | Unit::Day
        | Unit::Hour
        | Unit::Minute
        | Unit::Second
        | Unit::Milli => instant.millis.checked_add(count.checked_mul(unit.lengths().0)?)?,
    };
    Some(Instant { millis, ..instant })
}

fn add_months(millis: Millis, months: i64) -> Option<Millis> {
    Date::of(millis).plus_months(months)?.midnight()?.checked_add(millis.rem_euclid(DAY_MS))
}

fn round(instant: Instant, unit: Unit, rounding: Rounding) -> Option<Instant> {
    let floor = |size: i64| instant.millis.div_euclid(size).checked_mul(size);
    let day = Date::of(instant.millis);
    // 1970-01-01 was a Thursday: three days into a week that begins on Monday.
    let week = |into: i64| {
        let days = instant.millis.div_euclid(DAY_MS);
        (days - (days + into).rem_euclid(7)).checked_mul(DAY_MS)
    };
    let start = match unit {
        Unit::Year => Date { month: 1, day: 1, ..day }.midnight()?,
        Unit::Month => Date { day: 1, ..day }.midnight()?,
        Unit::Week => week(3)?,
        Unit::SundayWeek => week(4)?,
        Unit::Day | Unit::Hour | Unit::Minute | Unit::Second | Unit::Milli => floor(unit.lengths().0)?,
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
        match DateMath::of_query(text, &Format::default(), 0) {
            Ok(math) => to_iso(math.at(NOW, rounding).millis),
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
        let zoned = DateMath::of_query("now/d", &Format::default(), 14 * 3600).unwrap();
        assert_eq!(
            to_iso(zoned.millis_at(NOW)),
            "2024-05-04T10:00:00.000Z",
            "midnight of 5 May in that zone"
        );
        for text in ["now-", "now-1", "now-1q", "now/2d", "nowhere", "now -1d", "2024-13-01||+1d", "now-1ms"]
        {
            assert!(DateMath::of_query(text, &Format::default(), 0).is_err(), "{text}");
        }
        assert!(matches!(
            DateMath::of_query("now+9223372036854775807y", &Format::default(), 0),
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
            ("20240501", "2024-05-01T00:00:00.000Z"),
            ("2024-05-01 13:00", "2024-05-01T13:00:00.000Z"),
            ("2024-05-01 13:00:30.5+02:00", "2024-05-01T11:00:30.500Z"),
            ("2024-05-01 13:00||-1h", "2024-05-01T12:00:00.000Z"),
            ("1714816800000", "2024-05-04T10:00:00.000Z"),
            ("2024-05-01T10:00:00Z||-1h/d", "2024-05-01T00:00:00.000Z"),
        ] {
            assert_eq!(to_iso(DateMath::of_rule(text).unwrap().millis_at(NOW)), expected, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "now-1H",
            "now-9",
            "5m",
            "2024-05 13:00",
            "2024-05-01 ",
            "2024-05-01 noon",
            "20241301",
        ] {
            // `5m` is no date; a bare number would be epoch milliseconds.
            assert!(DateMath::of_rule(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// What can be read means something at any time, and nothing later at an earlier one.
        #[test]
        fn what_is_read_never_fails(
            text in "(now|2024-05-01\\|\\||.{0,6})([-+/][0-9]{0,19}[yMwdhHmsx]?){0,4}",
            now: i64,
            later: i64,
            offset in -64_800..=64_800_i32,
        ) {
            let (now, later) = (now.min(later), now.max(later));
            let read = [DateMath::of_rule(&text), DateMath::of_query(&text, &Format::default(), offset)];
            for math in read.into_iter().flatten() {
                for rounding in [Rounding::Down, Rounding::Up] {
                    prop_assert!(math.at(now, rounding) <= math.at(later, rounding));
                }
                prop_assert!(math.at(now, Rounding::Down) <= math.at(now, Rounding::Up));
                prop_assert!(math.reads_clock() || math.at(now, Rounding::Up) == math.at(later, Rounding::Up));
            }
        }

        /// What is said of the distance holds at any time.
        #[test]
        fn spread_holds(text in "now([-+][0-9]{0,3}(ms|[smhdwMy])|/[smhdwMy]){0,4}", now in TIME_MIN..TIME_MAX) {
            let math = DateMath::of_rule(&text).unwrap();
            let (least, most) = math.spread().unwrap();
            let distance = math.millis_at(now) - now;
            prop_assert!(least <= distance && distance <= most, "{least} {distance} {most}");
        }
    }
}
