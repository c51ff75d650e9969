//! Lengths of time as rules write them, such as `5m`.

use std::fmt;
use std::str::FromStr;

use ecs::Millis;
use ecs::date::DateError;

/// More digits than any length of time has.
const MAX_DIGITS: usize = 9;
/// The highest count of that many digits.
const MAX_COUNT: i64 = 999_999_999;

/// A length of time: a whole number from 1 on and a unit, such as `5m`. Never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    text: String,
    millis: Millis,
}

/// The unit of an [`Interval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimeUnit {
    Second,
    Minute,
    Hour,
    Day,
}

/// Why a text is no [`Interval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// It does not end with one.
    #[error("there is no unit (s, m, h or d) at its end")]
    NoUnit,
    /// What stands before the unit.
    #[error("there is no whole number before the unit")]
    NoNumber,
    /// Nothing lasts so long.
    #[error("the number has more than {MAX_DIGITS} digits")]
    TooLong,
    /// Executions would not end.
    #[error("it is zero")]
    Zero,
}

impl Interval {
    /// So many of the unit; from 1 to as many as nine digits can say.
    pub(crate) fn clamped(count: i64, unit: TimeUnit) -> Self {
        let count = count.clamp(1, MAX_COUNT);
        Self { text: format!("{count}{}", unit.letter()), millis: count * unit.millis() }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In milliseconds.
    pub fn millis(&self) -> Millis {
        self.millis
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let unit = text.chars().last().and_then(TimeUnit::of_letter).ok_or(IntervalError::NoUnit)?;
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IntervalError::NoNumber);
        }
        if digits.len() > MAX_DIGITS {
            return Err(IntervalError::TooLong);
        }
        match digits.parse::<i64>() {
            Ok(0) => Err(IntervalError::Zero),
            Ok(count) => Ok(Self { text: text.to_owned(), millis: count * unit.millis() }),
            Err(_) => Err(IntervalError::NoNumber),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TimeUnit {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.letter() == letter)
    }

    const fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
        }
    }

    const fn millis(self) -> Millis {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

/// A time in words: `1h 30m`.
pub(crate) fn words(millis: Millis) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut rest = millis.unsigned_abs();
    let mut parts = Vec::new();
    for (size, name) in units {
        if rest >= size {
            parts.push(format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// What is wrong with the date math of a rule, in the words of a finding that shows the text itself.
pub(crate) fn date_math_words(error: &DateError) -> String {
    match error {
        DateError::Math { text, at, expected } => {
            let found = text.get(*at..).and_then(|rest| rest.chars().next());
            let found = found.map_or_else(|| "the end".to_owned(), |found| format!("`{found}`"));
            format!("expected {expected}, found {found}")
        }
        DateError::OutOfRange { .. } => "it lies outside of all years".to_owned(),
        DateError::NotADate { .. } | DateError::Format { .. } => {
            "it begins neither with `now` nor with a date".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let millis = |text: &str| text.parse::<Interval>().map(|it| it.millis());
        for (text, expected) in [
            ("5m", Ok(300_000)),
            ("1d", Ok(86_400_000)),
            ("090s", Ok(90_000)),
            ("999999999d", Ok(86_399_999_913_600_000)),
            ("0m", Err(IntervalError::Zero)),
            ("", Err(IntervalError::NoUnit)),
            ("5", Err(IntervalError::NoUnit)),
            ("5w", Err(IntervalError::NoUnit)),
            ("5M", Err(IntervalError::NoUnit)),
            ("5č", Err(IntervalError::NoUnit)),
            ("m", Err(IntervalError::NoNumber)),
            ("-5m", Err(IntervalError::NoNumber)),
            ("1.5h", Err(IntervalError::NoNumber)),
            ("9999999999d", Err(IntervalError::TooLong)),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
        assert_eq!(Interval::clamped(i64::MAX, TimeUnit::Second), "999999999s".parse().unwrap());
        assert_eq!(words(5_400_000), "1h 30m");
        assert_eq!(words(0), "0s");
    }
}
