//! Numbers, sizes and times as people write them.

use ecs::Millis;
use jiff::Timestamp;

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its width in columns; a file or a pipe has none.
    pub width: Option<u16>,
    /// Whether it may have ANSI colours.
    pub colour: bool,
}

impl Terminal {
    /// A file or a pipe.
    pub const PLAIN: Self = Self { width: None, colour: false };

    /// `text` in the colour of an ANSI code, if there are colours here.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `2 records`, `3 directories`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `1536` as `1.5 KiB`.
pub fn bytes(number: u64) -> String {
    let mut value = number as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{number} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// An instant as `2026-03-01 14:05:09`, UTC.
pub fn when(at: Millis) -> String {
    stamp(at, "%Y-%m-%d %H:%M:%S")
}

/// An instant by a `strftime` pattern, UTC; one that the calendar does not reach as its number.
pub(crate) fn stamp(at: Millis, pattern: &str) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |it| it.strftime(pattern).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(plural(1, "file", "files"), "1 file");
        assert_eq!(when(0), "1970-01-01 00:00:00");
        assert_eq!(when(i64::MAX), i64::MAX.to_string());
    }
}
