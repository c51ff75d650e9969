//! Date formats of mappings and queries.

use super::DateError;
use super::civil::{Date, days_in_month};
use crate::Millis;

/// An instant, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Milliseconds since 1970, rounded down.
    pub millis: Millis,
    /// Nanoseconds since that millisecond.
    pub nanos: u32,
}

/// What becomes of the parts that a date leaves out.
///
/// Only the time of day is filled up: a missing month or day is always the first, so `2024-05` ends with
/// 1 May. Elasticsearch does it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the first instant.
    Down,
    /// To the last instant.
    Up,
}

/// How the dates of a field are written: one format, or several of which the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format(Vec<Kind>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    /// `2024[-05[-01[T10[:30[:00[.123]]]]]][zone]`.
    IsoOptionalTime {
        /// Two digits each, instead of one or two.
        strict: bool,
        /// A time goes down to the second.
        seconds: bool,
    },
    EpochMillis,
    EpochSecond,
    /// A pattern in the letters of Java, `name` as written.
    Pattern {
        name: String,
        items: Vec<Item>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Item {
    Number {
        field: Field,
        min: u8,
        max: u8,
    },
    /// Up to nine digits of a second.
    Fraction {
        min: u8,
        max: u8,
    },
    Zone,
    Char(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Default for Format {
    /// `strict_date_optional_time||epoch_millis`, that of a `date` field.
    fn default() -> Self {
        Self(vec![Kind::IsoOptionalTime { strict: true, seconds: false }, Kind::EpochMillis])
    }
}

impl Format {
    /// `strict_date_optional_time_nanos||epoch_millis`, that of a `date_nanos` field.
    pub fn nanos() -> Self {
        Self(vec![Kind::IsoOptionalTime { strict: true, seconds: true }, Kind::EpochMillis])
    }

    /// `epoch_millis` alone.
    pub fn epoch_millis() -> Self {
        Self(vec![Kind::EpochMillis])
    }

    /// The format of that name, or several joined with `||`.
    pub fn new(names: &str) -> Result<Self, DateError> {
        names.split("||").map(|name| Kind::new(name.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// The name that [`Format::new`] reads.
    pub fn name(&self) -> String {
        self.0.iter().map(Kind::name).collect::<Vec<_>>().join("||")
    }

    /// Reads a date; one without an offset is in a zone `offset` seconds east of UTC.
    pub fn parse(&self, text: &str, rounding: Rounding, offset: i32) -> Result<Instant, DateError> {
        self.read(text, rounding, offset)
            .ok_or_else(|| DateError::NotADate { text: text.to_owned(), format: self.name() })
    }

    /// As [`Format::parse`], for stored values: what is no date is just not indexed.
    pub fn read(&self, text: &str, rounding: Rounding, offset: i32) -> Option<Instant> {
        self.0.iter().find_map(|kind| kind.read(text, rounding, offset))
    }
}

impl Kind {
    fn new(name: &str) -> Result<Self, DateError> {
        let pattern = match name {
            "strict_date_optional_time" => return Ok(Self::IsoOptionalTime { strict: true, seconds: false }),
            "strict_date_optional_time_nanos" => {
                return Ok(Self::IsoOptionalTime { strict: true, seconds: true });
            }
            "date_optional_time" | "iso8601" => {
                return Ok(Self::IsoOptionalTime { strict: false, seconds: false });
            }
            "epoch_millis" => return Ok(Self::EpochMillis),
            "epoch_second" => return Ok(Self::EpochSecond),
            "basic_date" => "yyyyMMdd",
            "basic_date_time" => "yyyyMMdd'T'HHmmss.SSSX",
            "basic_date_time_no_millis" => "yyyyMMdd'T'HHmmssX",
            "date" | "strict_date" | "year_month_day" | "strict_year_month_day" => "yyyy-MM-dd",
            "date_time" | "strict_date_time" => "yyyy-MM-dd'T'HH:mm:ss.SSSX",
            "date_time_no_millis" | "strict_date_time_no_millis" => "yyyy-MM-dd'T'HH:mm:ssX",
            "date_hour_minute_second" | "strict_date_hour_minute_second" => "yyyy-MM-dd'T'HH:mm:ss",
            "year" | "strict_year" => "yyyy",
            "year_month" | "strict_year_month" => "yyyy-MM",
            other => other,
        };
        let items = items(pattern).ok_or_else(|| DateError::Format { format: name.to_owned() })?;
        Ok(Self::Pattern { name: name.to_owned(), items })
    }

    fn name(&self) -> &str {
        match self {
            Self::IsoOptionalTime { strict: true, seconds: false } => "strict_date_optional_time",
            Self::IsoOptionalTime { strict: true, seconds: true } => "strict_date_optional_time_nanos",
            Self::IsoOptionalTime { strict: false, .. } => "date_optional_time",
            Self::EpochMillis => "epoch_millis",
            Self::EpochSecond => "epoch_second",
            Self::Pattern { name, .. } => name,
        }
    }

    fn read(&self, text: &str, rounding: Rounding, offset: i32) -> Option<Instant> {
        match self {
            Self::IsoOptionalTime { strict, seconds } => {
                iso(text, if *strict { 2 } else { 1 }, *seconds)?.instant(rounding, offset)
            }
            Self::EpochMillis => east(epoch(text, 1, rounding)?, offset),
            Self::EpochSecond => east(epoch(text, 1_000, rounding)?, offset),
            Self::Pattern { items, .. } => by_pattern(text, items)?.instant(rounding, offset),
        }
    }
}

/// What a text said of an instant.
#[derive(Default)]
struct Parts {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
    nanos: Option<u32>,
    /// Seconds east of UTC.
    offset: Option<i32>,
}

impl Parts {
    fn instant(&self, rounding: Rounding, offset: i32) -> Option<Instant> {
        let fill =
            |part: Option<u32>, last: u32| part.unwrap_or(if rounding == Rounding::Up { last } else { 0 });
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let (hour, minute, second) = (fill(self.hour, 23), fill(self.minute, 59), fill(self.second, 59));
        let nanos = fill(self.nanos, 999_999_999);
        let valid = (1..=12).contains(&month)
            && (1..=days_in_month(self.year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !valid {
            return None;
        }
        let seconds =
            i64::from(hour * 3600 + minute * 60 + second) - i64::from(self.offset.unwrap_or(offset));
        let midnight = Date { year: self.year, month, day }.midnight()?;
        let millis = midnight.checked_add(seconds * 1_000 + i64::from(nanos / 1_000_000))?;
        Some(Instant { millis, nanos: nanos % 1_000_000 })
    }
}

/// What is left of a text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    /// A number of `min` to `max` (at most nine) digits.
    fn number(&mut self, min: u8, max: u8) -> Option<u32> {
        let len = self.0.iter().take(usize::from(max)).take_while(|it| it.is_ascii_digit()).count();
        if len < usize::from(min) {
            return None;
        }
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    /// Digits of a second, as nanoseconds.
    fn fraction(&mut self, min: u8, max: u8) -> Option<u32> {
        let before = self.0.len();
        let value = self.number(min.max(1), max.min(9))?;
        Some(value * 10_u32.pow(9 - (before - self.0.len()) as u32))
    }

    /// `Z`, `+02`, `+0200`, `+02:00`, `+02:00:00`, in seconds.
    fn zone(&mut self) -> Option<i32> {
        if self.eat(b'Z') {
            return Some(0);
        }
        let sign = if self.eat(b'+') {
            1
        } else if self.eat(b'-') {
            -1
        } else {
            return None;
        };
        let hours = self.number(2, 2)?;
        let colon = self.eat(b':');
        let minutes = if colon || !self.0.is_empty() { self.number(2, 2)? } else { 0 };
        let seconds = if self.0.is_empty() || colon && !self.eat(b':') { 0 } else { self.number(2, 2)? };
        // No zone is further than 18 hours from UTC.
        let total = hours * 3600 + minutes * 60 + seconds;
        (minutes < 60 && seconds < 60 && total <= 18 * 3600).then_some(sign * total as i32)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

fn iso(text: &str, min: u8, seconds: bool) -> Option<Parts> {
    let mut rest = Cursor(text.as_bytes());
    let before_christ = rest.eat(b'-');
    let year = i64::from(rest.number(4, 4)?);
    let mut parts = Parts { year: if before_christ { -year } else { year }, ..Parts::default() };
    if before_christ && rest.0.is_empty() {
        // That is a number of milliseconds.
        return None;
    }
    if rest.eat(b'-') {
        parts.month = Some(rest.number(min, 2)?);
        if rest.eat(b'-') {
            parts.day = Some(rest.number(min, 2)?);
        }
    }
    // The time may follow a year or a month, too, and may be missing behind its letter.
    if rest.eat(b'T') && (seconds || !rest.0.is_empty()) {
        parts.hour = Some(rest.number(min, 2)?);
        if rest.eat(b':') {
            parts.minute = Some(rest.number(min, 2)?);
            if rest.eat(b':') {
                parts.second = Some(rest.number(min, 2)?);
                if rest.eat(b'.') || rest.eat(b',') {
                    parts.nanos = Some(rest.fraction(1, 9)?);
                }
            }
        }
        if seconds && parts.second.is_none() {
            return None;
        }
        if !rest.0.is_empty() {
            parts.offset = Some(rest.zone()?);
        }
    }
    rest.end()?;
    Some(parts)
}

/// The instant taken for a local time of a zone. Elasticsearch does so even with epoch milliseconds.
fn east(instant: Instant, offset: i32) -> Option<Instant> {
    Some(Instant { millis: instant.millis.checked_sub(i64::from(offset) * 1_000)?, ..instant })
}

/// A whole number of units of `unit` milliseconds, perhaps with a fraction, which is filled like a time.
fn epoch(text: &str, unit: i64, rounding: Rounding) -> Option<Instant> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|it| it.is_ascii_digit()) {
        return None;
    }
    // Nothing below a nanosecond.
    if fraction.len() > if unit == 1 { 6 } else { 9 } {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    // In billionths of the unit, so in nanoseconds once multiplied by the unit over 1000.
    let billionths: i64 = match (fraction, rounding) {
        ("", Rounding::Up) if sign > 0 => 999_999_999,
        ("", _) => 0,
        _ => format!("{fraction:0<9}").parse().ok()?,
    };
    let below = i128::from(billionths) * i128::from(unit) / 1_000;
    let nanos = i128::from(sign) * (i128::from(whole) * i128::from(unit) * 1_000_000 + below);
    let millis = i64::try_from(nanos.div_euclid(1_000_000)).ok()?;
    Some(Instant { millis, nanos: nanos.rem_euclid(1_000_000) as u32 })
}

/// The items of a pattern in Java's letters; nothing if it has a letter that is not supported.
fn items(pattern: &str) -> Option<Vec<Item>> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(&letter) = chars.get(at) {
        if letter == '\'' {
            let len = chars[at + 1..].iter().position(|&it| it == '\'')?;
            match len {
                0 => items.push(Item::Char('\'')),
                _ => items.extend(chars[at + 1..=at + len].iter().map(|&it| Item::Char(it))),
            }
            at += len + 2;
            continue;
        }
        let count = chars[at..].iter().take_while(|&&it| it == letter).count();
        let len = u8::try_from(count).ok().filter(|&it| it <= 9)?;
        let number = |field| Item::Number { field, min: len, max: if len == 1 { 2 } else { len } };
        match (letter, len) {
            ('y' | 'u', 1 | 4) => items.push(Item::Number { field: Field::Year, min: len, max: 4 }),
            ('M', 1 | 2) => items.push(number(Field::Month)),
            ('d', 1 | 2) => items.push(number(Field::Day)),
            ('H', 1 | 2) => items.push(number(Field::Hour)),
            ('m', 1 | 2) => items.push(number(Field::Minute)),
            ('s', 1 | 2) => items.push(number(Field::Second)),
            ('S', _) => items.push(Item::Fraction { min: len, max: len }),
            ('X' | 'x' | 'Z', 1..=5) => items.push(Item::Zone),
            // A single bar is half of the `||` that joins formats.
            _ if letter.is_ascii_alphabetic() || "[]{}#|".contains(letter) => return None,
            _ => items.extend(std::iter::repeat_n(Item::Char(letter), count)),
        }
        at += count;
    }
    items.iter().any(|it| matches!(it, Item::Number { field: Field::Year, .. })).then_some(items)
}

fn by_pattern(text: &str, items: &[Item]) -> Option<Parts> {
    let mut rest = Cursor(text.as_bytes());
    let mut parts = Parts::default();
    for item in items {
        match *item {
            Item::Number { field, min, max } => {
                let value = rest.number(min, max)?;
                match field {
                    Field::Year => parts.year = i64::from(value),
                    Field::Month => parts.month = Some(value),
                    Field::Day => parts.day = Some(value),
                    Field::Hour => parts.hour = Some(value),
                    Field::Minute => parts.minute = Some(value),
                    Field::Second => parts.second = Some(value),
                }
            }
            Item::Fraction { min, max } => parts.nanos = Some(rest.fraction(min, max)?),
            Item::Zone => parts.offset = Some(rest.zone()?),
            Item::Char(expected) => {
                rest.0 = rest.0.strip_prefix(expected.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
    }
    rest.end()?;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::to_iso;
    use super::*;

    fn both(format: &Format, text: &str) -> Option<(String, String)> {
        let down = format.read(text, Rounding::Down, 0)?;
        let up = format.read(text, Rounding::Up, 0)?;
        Some((to_iso(down.millis), to_iso(up.millis)))
    }

    #[test]
    fn iso_dates_fill_what_is_missing() {
        for (text, down, up) in [
            ("2024", "2024-01-01T00:00:00.000Z", "2024-01-01T23:59:59.999Z"),
            ("2024-05", "2024-05-01T00:00:00.000Z", "2024-05-01T23:59:59.999Z"),
            ("2024-05-17", "2024-05-17T00:00:00.000Z", "2024-05-17T23:59:59.999Z"),
            ("2024-05-17T", "2024-05-17T00:00:00.000Z", "2024-05-17T23:59:59.999Z"),
            ("2024-05-17T10", "2024-05-17T10:00:00.000Z", "2024-05-17T10:59:59.999Z"),
            ("2024-05-17T10:30", "2024-05-17T10:30:00.000Z", "2024-05-17T10:30:59.999Z"),
            ("2024-05-17T10:30:05Z", "2024-05-17T10:30:05.000Z", "2024-05-17T10:30:05.999Z"),
            ("2024-05-17T10:30:05.5Z", "2024-05-17T10:30:05.500Z", "2024-05-17T10:30:05.500Z"),
            ("2024-05-17T10:30:05,123456789+02:00", "2024-05-17T08:30:05.123Z", "2024-05-17T08:30:05.123Z"),
            ("2024-05-17T10:30-0530", "2024-05-17T16:00:00.000Z", "2024-05-17T16:00:59.999Z"),
            ("2024-05-17T10+02", "2024-05-17T08:00:00.000Z", "2024-05-17T08:59:59.999Z"),
            ("1714816800000", "2024-05-04T10:00:00.000Z", "2024-05-04T10:00:00.000Z"),
            ("20240501", "1970-01-01T05:37:20.501Z", "1970-01-01T05:37:20.501Z"),
            ("1714816800000.", "2024-05-04T10:00:00.000Z", "2024-05-04T10:00:00.000Z"),
            ("-2024-05-01", "-2024-05-01T00:00:00.000Z", "-2024-05-01T23:59:59.999Z"),
            ("-1.5", "1969-12-31T23:59:59.998Z", "1969-12-31T23:59:59.998Z"),
        ] {
            assert_eq!(both(&Format::default(), text), Some((down.to_owned(), up.to_owned())), "{text}");
        }
        for text in [
            "",
            "2024-5-1",
            "2024/05/01",
            "2024-05-01 10:00",
            "2024-13-01",
            "2023-02-29",
            "2024-05-01Z",
            "2024-05-01T24:00",
            "2024-05-01T10:60",
            "2024-05-01T10:30:05.",
            "2024-05-01T10:30:05.1234567890",
            "2024-W18",
            "2024-125",
            "2024-05-01T10:30+19:00",
            "99999999999999999999",
            ".5",
            "12a",
        ] {
            assert_eq!(both(&Format::default(), text), None, "{text}");
        }
        assert_eq!(both(&Format::nanos(), "2024-05-17T10:30"), None, "a time needs its seconds");
        assert_eq!(both(&Format::nanos(), "2024-05-17T"), None, "nor may it be missing behind its letter");
        let nanos = Format::nanos().read("2024-05-17T10:30:05.123456789Z", Rounding::Down, 0).unwrap();
        assert_eq!(nanos.nanos, 456_789);
    }

    #[test]
    fn other_formats() {
        for (format, text, expected) in [
            ("yyyy/MM/dd HH:mm:ss||epoch_second", "2024/05/17 10:30:05", "2024-05-17T10:30:05.000Z"),
            ("yyyy/MM/dd HH:mm:ss||epoch_second", "1714816800.25", "2024-05-04T10:00:00.250Z"),
            ("basic_date_time", "20240517T103005.120+0200", "2024-05-17T08:30:05.120Z"),
            ("d.M.yyyy 'um' H", "1.5.2024 um 7", "2024-05-01T07:00:00.000Z"),
            ("date_optional_time", "2024-5-1", "2024-05-01T00:00:00.000Z"),
            ("strict_date_optional_time", "2024T", "2024-01-01T00:00:00.000Z"),
            ("strict_date_optional_time", "2024-05T10:30Z", "2024-05-01T10:30:00.000Z"),
        ] {
            let format = Format::new(format).unwrap();
            assert_eq!(to_iso(format.parse(text, Rounding::Down, 0).unwrap().millis), expected, "{text}");
            assert_eq!(Format::new(&format.name()), Ok(format));
        }
        for format in ["", "week_date", "EEE, dd MMM yyyy", "'open", "yyyy|"] {
            assert_eq!(Format::new(format), Err(DateError::Format { format: format.to_owned() }));
        }
    }
}
