//! Instants as people and documents write them.
//!
//! A [`Format`] reads stored values; what is left out of a date is filled up or down ([`Rounding`]). [`DateMath`] is
//! what queries and rules write: a date, or steps on `now` or on a date (`now-7d/d`, `2024-05-01||+1M`).

mod civil;
mod error;
mod format;
mod math;

pub use error::DateError;
pub use format::{Format, Instant, Rounding};
pub use math::{DateMath, TIME_MAX, TIME_MIN};

use crate::Millis;
use civil::{DAY_MS, Date};

/// The instant as `2024-05-01T10:30:00.000Z`. Years beyond four digits get a sign, as ISO 8601 has it.
pub fn to_iso(millis: Millis) -> String {
    let Date { year, month, day } = Date::of(millis);
    let of_day = millis.rem_euclid(DAY_MS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
    let year = if (0..=9999).contains(&year) { format!("{year:04}") } else { format!("{year:+05}") };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The instant that the ISO date (or the epoch milliseconds) names; what is missing is filled down.
pub fn parse(text: &str) -> Result<Millis, DateError> {
    Format::default().parse(text, Rounding::Down, 0).map(|it| it.millis)
}
