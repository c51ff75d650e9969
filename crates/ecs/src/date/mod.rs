//! Instants as people and documents write them.
//!
//! A [`Format`] reads stored values; what is left out of a date is filled up or down ([`Rounding`]). [`DateMath`] is
//! what queries and rules write: a date, or steps on `now` or on a date (`now-7d/d`, `2024-05-01||+1M`).

mod civil;
mod error;
mod format;
mod math;

pub use civil::{DAY_MS, Date, days_in_month};
pub use error::DateError;
pub use format::{Format, Instant, Rounding};
pub use math::{DateMath, TIME_MAX, TIME_MIN};

use crate::Millis;

/// The instant as `2024-05-01T10:30:00.000Z`. Years beyond four digits get a sign, as ISO 8601 has it.
pub fn to_iso(millis: Millis) -> String {
    let Date { year, month, day } = Date::of(millis);
    let of_day = millis.rem_euclid(DAY_MS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
    let mut text = String::with_capacity("2024-05-01T10:30:00.000Z".len());
    if (0..=9999).contains(&year) {
        push_digits(year, 1000, &mut text);
    } else {
        text += &format!("{year:+05}");
    }
    let rest = [('-', month.into()), ('-', day.into()), ('T', hour), (':', minute), (':', second)];
    for (before, number) in rest {
        text.push(before);
        push_digits(number, 10, &mut text);
    }
    text.push('.');
    push_digits(milli, 100, &mut text);
    text.push('Z');
    text
}

/// Appends a number that is not negative, from the digit on that stands for `most`.
fn push_digits(number: i64, mut most: i64, text: &mut String) {
    while most > 0 {
        text.push(char::from(b'0' + (number / most % 10) as u8));
        most /= 10;
    }
}

/// The instant that the ISO date (or the epoch milliseconds) names; what is missing is filled down.
pub fn parse(text: &str) -> Result<Millis, DateError> {
    Format::default().parse(text, Rounding::Down, 0).map(|it| it.millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_those_of_numbers(millis in prop_oneof![any::<i64>(), -62_200_000_000_000..253_500_000_000_000_i64]) {
            let Date { year, month, day } = Date::of(millis);
            let of_day = millis.rem_euclid(DAY_MS);
            let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
            let year = if (0..=9999).contains(&year) { format!("{year:04}") } else { format!("{year:+05}") };
            let plain =
                format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", of_day % 1_000);
            prop_assert_eq!(to_iso(millis), plain);
        }
    }
}
