//! Dates in the patterns of Java's `DateTimeFormatter`, by which `DATE_FORMAT` writes and `DATE_PARSE` reads.

use ecs::date::{DAY_MS, Date, days_in_month};

/// A pattern that is known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatePattern(Vec<Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Text(String),
    Field(Field, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Quarter,
    Day,
    DayOfYear,
    WeekDay,
    AmPm,
    Hour24,
    Hour12,
    ClockHour12,
    ClockHour24,
    Minute,
    Second,
    Fraction,
    Nano,
    MilliOfDay,
    /// `X`: `Z` for none.
    IsoZone,
    /// `x`.
    Zone,
    /// `Z`.
    RfcZone,
    /// `z`, `VV`.
    ZoneName,
    Era,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatePatternError {
    /// A letter that stands for nothing here.
    #[error("Invalid format: [{pattern}]: the letter `{letter}` is not supported in date patterns")]
    Letter {
        /// The pattern.
        pattern: String,
        /// The letter.
        letter: char,
    },
    /// A quote or a bracket without its other half.
    #[error("Invalid format: [{pattern}]: `{sign}` is not closed, or not supported")]
    Open {
        /// The pattern.
        pattern: String,
        /// The sign.
        sign: char,
    },
}

impl DatePatternError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Letter { .. } => "PIPE001",
            Self::Open { .. } => "PIPE002",
        }
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The name of a month.
pub(crate) fn month_name(millis: i64) -> &'static str {
    MONTHS[Date::of(millis).month as usize - 1]
}

/// The name of a day of the week.
pub(crate) fn day_name(millis: i64) -> &'static str {
    DAYS[(millis.div_euclid(DAY_MS) + 3).rem_euclid(7) as usize]
}

impl DatePattern {
    /// Reads a pattern, or one of the names that Elasticsearch has for some.
    pub fn new(pattern: &str) -> Result<Self, DatePatternError> {
        let pattern = match pattern {
            "strict_date_optional_time" | "date_optional_time" | "strict_date_time" | "date_time" => {
                "yyyy-MM-dd'T'HH:mm:ss.SSSX"
            }
            "basic_date" => "yyyyMMdd",
            "strict_date" | "date" => "yyyy-MM-dd",
            other => other,
        };
        let mut items: Vec<Item> = Vec::new();
        let mut rest = pattern;
        let text = |items: &mut Vec<Item>, it: &str| match items.last_mut() {
            Some(Item::Text(last)) => last.push_str(it),
            _ => items.push(Item::Text(it.to_owned())),
        };
        while let Some(next) = rest.chars().next() {
            if next == '\'' {
                let inner = &rest[1..];
                let open = || DatePatternError::Open { pattern: pattern.to_owned(), sign: '\'' };
                let end = inner.find('\'').ok_or_else(open)?;
                text(&mut items, if end == 0 { "'" } else { &inner[..end] });
                rest = &inner[end + 1..];
            } else if next.is_ascii_alphabetic() {
                let count = rest.chars().take_while(|it| *it == next).count();
                let letter = || DatePatternError::Letter { pattern: pattern.to_owned(), letter: next };
                items.push(Item::Field(Field::of(next).ok_or_else(letter)?, count));
                rest = &rest[count..];
            } else if matches!(next, '[' | ']' | '{' | '}' | '#') {
                return Err(DatePatternError::Open { pattern: pattern.to_owned(), sign: next });
            } else {
                text(&mut items, &rest[..next.len_utf8()]);
                rest = &rest[next.len_utf8()..];
            }
        }
        Ok(Self(items))
    }

    /// The instant in UTC, as the pattern has it.
    pub fn format(&self, millis: i64) -> String {
        let date = Date::of(millis);
        let of_day = millis.rem_euclid(DAY_MS);
        let hour = of_day / 3_600_000;
        let mut out = String::new();
        for item in &self.0 {
            let (field, width) = match item {
                Item::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Item::Field(field, width) => (*field, *width),
            };
            let first = Date { year: date.year, month: 1, day: 1 }.midnight().unwrap_or(0);
            let number = match field {
                Field::Year if width == 2 => date.year.rem_euclid(100),
                Field::Year => date.year,
                Field::Month if width >= 3 => {
                    out.push_str(name(MONTHS[date.month as usize - 1], width));
                    continue;
                }
                Field::Month => date.month.into(),
                Field::Quarter => (i64::from(date.month) - 1) / 3 + 1,
                Field::Day => date.day.into(),
                Field::DayOfYear => (millis - first).div_euclid(DAY_MS) + 1,
                Field::WeekDay => {
                    out.push_str(name(day_name(millis), width));
                    continue;
                }
                Field::AmPm => {
                    out.push_str(if hour < 12 { "AM" } else { "PM" });
                    continue;
                }
                Field::Hour24 => hour,
                Field::Hour12 => hour % 12,
                Field::ClockHour12 => (hour + 11) % 12 + 1,
                Field::ClockHour24 => (hour + 23) % 24 + 1,
                Field::Minute => of_day / 60_000 % 60,
                Field::Second => of_day / 1_000 % 60,
                Field::Fraction => {
                    let nanos = format!("{:09}", of_day % 1_000 * 1_000_000);
                    out.push_str(&nanos[..width.min(9)]);
                    continue;
                }
                Field::Nano => of_day % 1_000 * 1_000_000,
                Field::MilliOfDay => of_day,
                Field::Zone => {
                    out.push_str(if width == 1 {
                        "+00"
                    } else if width % 2 == 0 {
                        "+0000"
                    } else {
                        "+00:00"
                    });
                    continue;
                }
                Field::RfcZone => {
                    out.push_str(if width == 5 {
                        "Z"
                    } else if width == 4 {
                        "GMT"
                    } else {
                        "+0000"
                    });
                    continue;
                }
                Field::IsoZone | Field::ZoneName => {
                    out.push('Z');
                    continue;
                }
                Field::Era => {
                    out.push_str(if date.year > 0 { "AD" } else { "BC" });
                    continue;
                }
            };
            let sign = if number < 0 { "-" } else { "" };
            out.push_str(&format!("{sign}{:0width$}", number.unsigned_abs()));
        }
        out
    }

    /// The instant that a text names, which must be written just so; in UTC if it names no zone.
    pub fn parse(&self, text: &str) -> Option<i64> {
        let mut read = Parts::default();
        let mut rest = text;
        for (at, item) in self.0.iter().enumerate() {
            rest = match item {
                Item::Text(it) => rest.strip_prefix(it.as_str())?,
                Item::Field(field, width) => {
                    let is_adjacent =
                        matches!(self.0.get(at + 1), Some(Item::Field(next, _)) if next.is_number());
                    read.take(*field, *width, is_adjacent, rest)?
                }
            };
        }
        if rest.is_empty() { read.millis() } else { None }
    }
}

fn name(name: &str, width: usize) -> &str {
    match width {
        4 => name,
        5 => &name[..1],
        _ => &name[..3],
    }
}

impl Field {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'y' | 'u' => Self::Year,
            'M' | 'L' => Self::Month,
            'Q' | 'q' => Self::Quarter,
            'd' => Self::Day,
            'D' => Self::DayOfYear,
            'E' => Self::WeekDay,
            'a' => Self::AmPm,
            'H' => Self::Hour24,
            'K' => Self::Hour12,
            'h' => Self::ClockHour12,
            'k' => Self::ClockHour24,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Fraction,
            'n' => Self::Nano,
            'A' => Self::MilliOfDay,
            'X' => Self::IsoZone,
            'x' => Self::Zone,
            'Z' => Self::RfcZone,
            'z' | 'V' => Self::ZoneName,
            'G' => Self::Era,
            _ => return None,
        })
    }

    fn is_number(self) -> bool {
        !matches!(
            self,
            Self::WeekDay
                | Self::AmPm
                | Self::IsoZone
                | Self::Zone
                | Self::RfcZone
                | Self::ZoneName
                | Self::Era
        )
    }
}

/// What a text said.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    hour12: Option<i64>,
    is_pm: Option<bool>,
    minute: i64,
    second: i64,
    nanos: i64,
    milli_of_day: Option<i64>,
    /// Seconds east of UTC.
    offset: i64,
}

impl Parts {
    /// Reads a field, and says what follows it.
    fn take<'t>(&mut self, field: Field, width: usize, is_adjacent: bool, text: &'t str) -> Option<&'t str> {
        let by_name = |names: &'static [&'static str]| {
            names.iter().enumerate().find_map(|(at, full)| {
                let name = name(full, width);
                let head = text.get(..name.len())?;
                head.eq_ignore_ascii_case(name).then(|| (at as u32 + 1, &text[name.len()..]))
            })
        };
        match field {
            Field::Month if width >= 3 => {
                let (month, rest) = by_name(&MONTHS)?;
                self.month = Some(month);
                return Some(rest);
            }
            Field::WeekDay => return by_name(&DAYS).map(|it| it.1),
            Field::AmPm => {
                let head = text.get(..2)?;
                self.is_pm = Some(if head.eq_ignore_ascii_case("pm") {
                    true
                } else if head.eq_ignore_ascii_case("am") {
                    false
                } else {
                    return None;
                });
                return Some(&text[2..]);
            }
            Field::Era => return text.strip_prefix("AD"),
            Field::IsoZone | Field::Zone | Field::RfcZone | Field::ZoneName => return self.zone(text),
            _ => {}
        }
        // A number of one letter takes any count of digits; others take theirs, but for years of four.
        let most = match (field, width) {
            (Field::Fraction, _) => width,
            (_, 1) if !is_adjacent => 19,
            (Field::Year, 4) if !is_adjacent => 10,
            _ => width,
        };
        let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < width.min(most) {
            return None;
        }
        let number: i64 = text[..digits].parse().ok()?;
        let small = || u32::try_from(number).ok();
        match field {
            Field::Year if width == 2 => self.year = Some(2000 + number),
            Field::Year => self.year = Some(number),
            Field::Month => self.month = Some(small()?),
            Field::Day => self.day = Some(small()?),
            Field::DayOfYear => self.day_of_year = Some(number),
            Field::Hour24 => self.hour = Some(number),
            Field::ClockHour24 => self.hour = Some(if number == 24 { 0 } else { number }),
            Field::Hour12 => self.hour12 = Some(number),
            Field::ClockHour12 => self.hour12 = Some(if number == 12 { 0 } else { number }),
            Field::Minute => self.minute = number,
            Field::Second => self.second = number,
            Field::Fraction => {
                self.nanos = number.checked_mul(10_i64.checked_pow(9_u32.checked_sub(digits as u32)?)?)?;
            }
            Field::Nano => self.nanos = number,
            Field::MilliOfDay => self.milli_of_day = Some(number),
            Field::Quarter
            | Field::WeekDay
            | Field::AmPm
            | Field::IsoZone
            | Field::Zone
            | Field::RfcZone
            | Field::ZoneName
            | Field::Era => {}
        }
        Some(&text[digits..])
    }

    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        for utc in ["Z", "UTC", "GMT"] {
            if let Some(rest) = text.strip_prefix(utc) {
                return Some(rest);
            }
        }
        let sign = match text.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let two = |text: &str| -> Option<i64> {
            let digits = text.get(..2)?;
            digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let hours = two(&text[1..])?;
        let rest = &text[3..];
        let after = rest.strip_prefix(':').unwrap_or(rest);
        let (minutes, rest) = match two(after) {
            Some(minutes) => (minutes, &after[2..]),
            None => (0, rest),
        };
        if hours > 18 || minutes > 59 {
            return None;
        }
        self.offset = sign * (hours * 3_600 + minutes * 60);
        Some(rest)
    }

    fn millis(&self) -> Option<i64> {
        let year = self.year.unwrap_or(1970);
        if year > 999_999_999 {
            return None;
        }
        let mut midnight = if let Some(day) = self.day_of_year {
            let is_leap = days_in_month(year, 2) == 29;
            if !(1..=365 + i64::from(is_leap)).contains(&day) {
                return None;
            }
            Date { year, month: 1, day: 1 }.midnight()?.checked_add((day - 1) * DAY_MS)?
        } else {
            let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
            if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
                return None;
            }
            Date { year, month, day }.midnight()?
        };
        let hour = match (self.hour, self.hour12) {
            (Some(hour), _) => hour,
            (None, Some(hour)) if hour < 12 => hour + if self.is_pm? { 12 } else { 0 },
            (None, Some(_)) => return None,
            (None, None) => 0,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 || self.nanos > 999_999_999 {
            return None;
        }
        if let Some(millis) = self.milli_of_day {
            midnight = midnight.checked_add(millis)?;
        }
        let seconds = hour * 3_600 + self.minute * 60 + self.second - self.offset;
        midnight.checked_add(seconds * 1_000 + self.nanos / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes() {
        for (pattern, text, iso) in [
            ("yyyy-MM-dd HH:mm:ss", "2024-05-01 10:30:05", "2024-05-01T10:30:05.000Z"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2024-05-01T10:30:05.120Z", "2024-05-01T10:30:05.120Z"),
            ("dd/MMM/yyyy", "01/May/2024", "2024-05-01T00:00:00.000Z"),
            ("EEE, d MMM yy h:mm a", "Wed, 1 May 24 3:07 PM", "2024-05-01T15:07:00.000Z"),
            ("yyyyMMdd", "20240501", "2024-05-01T00:00:00.000Z"),
            ("yyyy-DDD", "2024-061", "2024-03-01T00:00:00.000Z"),
            ("yyyy", "1953", "1953-01-01T00:00:00.000Z"),
        ] {
            let it = DatePattern::new(pattern).unwrap();
            let millis = it.parse(text).unwrap_or_else(|| panic!("{pattern} {text}"));
            assert_eq!(ecs::date::to_iso(millis), iso, "{pattern}");
            assert_eq!(it.format(millis), text, "{pattern}");
        }
        let zoned = DatePattern::new("yyyy-MM-dd HH:mm Z").unwrap();
        assert_eq!(
            zoned.parse("2024-05-01 10:00 +0200").map(ecs::date::to_iso).unwrap(),
            "2024-05-01T08:00:00.000Z"
        );
        let day = DatePattern::new("yyyy-MM-dd").unwrap();
        for wrong in ["2024-02-30", "2024-5-6", "2024-05-01x", "", "24-05-01", "2024-13-01"] {
            assert_eq!(day.parse(wrong), None, "{wrong}");
        }
        assert!(DatePattern::new("yyyy 'x").is_err() && DatePattern::new("jj").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in -50_000_000_000_000i64..50_000_000_000_000) {
            let it = DatePattern::new("yyyy-MM-dd HH:mm:ss.SSS XXX").unwrap();
            prop_assert_eq!(it.parse(&it.format(millis)), Some(millis));
        }

        #[test]
        fn nothing_panics(pattern in "[yMdDHhkKmsSnAaEXxZzVGQ' :/é.-]{0,12}", text in "[0-9A-Za-z :+-é]{0,16}", millis: i64) {
            if let Ok(it) = DatePattern::new(&pattern) {
                it.parse(&text);
                it.format(millis);
            }
        }
    }
}
