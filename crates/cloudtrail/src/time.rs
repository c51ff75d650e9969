//! Instants as CloudTrail writes them, and as an event holds them.

use std::fmt::Write as _;
use std::str;

use ecs::Millis;

const DAY_MS: i64 = 86_400_000;

/// Reads an ISO 8601 time: a date alone, or with a time of day to the minute, second or fraction, and `Z` or an
/// offset. Without an offset it is UTC. Fractions are cut to milliseconds.
pub fn parse_time(text: &str) -> Option<Millis> {
    let mut at = Cursor(text.as_bytes());
    let year = at.number(4)?;
    at.skip(b'-')?;
    let month = at.number(2)?;
    at.skip(b'-')?;
    let day = at.number(2)?;
    let days = days_since_epoch(year, month, day)?;
    if at.0.is_empty() {
        return Some(days * DAY_MS);
    }
    at.skip(b'T')?;
    let mut seconds = at.hour()? * 3600;
    if at.skip(b':').is_some() {
        seconds += at.sixtieth()? * 60;
        if at.skip(b':').is_some() {
            seconds += at.sixtieth()?;
        }
    }
    at.end(days, seconds)
}

/// Reads the basic form too, `20131102T010628Z`, which some session contexts carry.
pub(crate) fn parse_time_or_basic(text: &str) -> Option<Millis> {
    parse_time(text).or_else(|| {
        let mut at = Cursor(text.as_bytes());
        let days = days_since_epoch(at.number(4)?, at.number(2)?, at.number(2)?)?;
        at.skip(b'T')?;
        let seconds = at.hour()? * 3600 + at.sixtieth()? * 60 + at.sixtieth()?;
        at.end(days, seconds)
    })
}

/// Appends an instant as events hold it: UTC with three fraction digits.
pub(crate) fn write_time(time: Millis, out: &mut String) {
    let (days, rest) = (time.div_euclid(DAY_MS), time.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (hour, minute, second, ms) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    if !(0..10_000).contains(&year) {
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
            .expect("a String takes everything");
        return;
    }
    // Every event has two times or three, and the general way of formatting is slow.
    let digit = |number: i64, unit: i64| b'0' + (number / unit % 10) as u8;
    let [y, m, d] = [year, month, day];
    let text = [
        digit(y, 1000),
        digit(y, 100),
        digit(y, 10),
        digit(y, 1),
        b'-',
        digit(m, 10),
        digit(m, 1),
        b'-',
        digit(d, 10),
        digit(d, 1),
        b'T',
        digit(hour, 10),
        digit(hour, 1),
        b':',
        digit(minute, 10),
        digit(minute, 1),
        b':',
        digit(second, 10),
        digit(second, 1),
        b'.',
        digit(ms, 100),
        digit(ms, 10),
        digit(ms, 1),
        b'Z',
    ];
    out.push_str(str::from_utf8(&text).expect("digits and marks are ASCII"));
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for digit in head {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
        }
        self.0 = rest;
        Some(value)
    }

    fn hour(&mut self) -> Option<i64> {
        self.number(2).filter(|&hour| hour < 24)
    }

    fn sixtieth(&mut self) -> Option<i64> {
        self.number(2).filter(|&it| it < 60)
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// The fraction and the offset, which end the text.
    fn end(&mut self, days: i64, seconds: i64) -> Option<Millis> {
        let mut ms = 0;
        if self.skip(b'.').is_some() || self.skip(b',').is_some() {
            let digits = self.0.iter().take_while(|it| it.is_ascii_digit()).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            for place in 0..3 {
                ms = ms * 10 + if place < digits { i64::from(self.0[place] - b'0') } else { 0 };
            }
            self.0 = &self.0[digits..];
        }
        let offset = match self.0 {
            [] | [b'Z'] => 0,
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let mut zone = Cursor(rest);
                let mut offset = zone.hour()? * 3600;
                if !zone.0.is_empty() {
                    let _ = zone.skip(b':');
                    offset += zone.sixtieth()? * 60;
                }
                if !zone.0.is_empty() {
                    return None;
                }
                if *sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        Some(days * DAY_MS + (seconds - offset) * 1000 + ms)
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, if there is such a date.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day < 1 || day > longest {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// The date that many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        let mut out = String::new();
        write_time(parse_time_or_basic(text)?, &mut out);
        Some(out)
    }

    #[test]
    fn times_are_read_and_written() {
        for (text, expected) in [
            ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"),
            ("2024-03-01T00:00:00.1Z", "2024-03-01T00:00:00.100Z"),
            ("2024-03-01T00:00:00.123456789Z", "2024-03-01T00:00:00.123Z"),
            ("2024-03-01T01:30:00+02:00", "2024-02-29T23:30:00.000Z"),
            ("2024-03-01T01:30:00-0200", "2024-03-01T03:30:00.000Z"),
            ("2024-03-01T01:30", "2024-03-01T01:30:00.000Z"),
            ("1969-12-31", "1969-12-31T00:00:00.000Z"),
            ("0007-08-09", "0007-08-09T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00+01:00", "-001-12-31T23:00:00.000Z"),
            ("20131102T010628Z", "2013-11-02T01:06:28.000Z"),
            ("20131102T010628.250Z", "2013-11-02T01:06:28.250Z"),
        ] {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00Zx",
            "2024-01-01T00:00:00+1",
            "2024-01-01 00:00:00Z",
            "1700000000000",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_survives() {
        for day in -146_097..146_097 {
            let mut out = String::new();
            write_time(day * DAY_MS, &mut out);
            assert_eq!(parse_time(&out), Some(day * DAY_MS), "{out}");
        }
    }
}
