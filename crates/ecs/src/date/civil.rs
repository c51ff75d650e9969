//! The proleptic Gregorian calendar on days and milliseconds since 1970, without bounds but those of `i64`.
//!
//! Written out because epoch milliseconds of any size are legal in queries, beyond the years of a calendar
//! library; the tests hold it to one where both reach.

use crate::Millis;

/// Milliseconds of a day.
pub const DAY_MS: Millis = 86_400_000;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year; that before 1 is 0.
    pub year: i64,
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
}

impl Date {
    /// The day that holds the instant.
    pub fn of(millis: Millis) -> Self {
        // Eras of 400 years that begin on 1 March: then leap days are last in the year.
        let shifted = millis.div_euclid(DAY_MS) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// Its midnight, if an `i64` holds it.
    pub fn midnight(self) -> Option<Millis> {
        let year = self.year.checked_sub(i64::from(self.month <= 2))?;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = i64::from((self.month + 9) % 12);
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era.checked_mul(146_097)?.checked_add(day_of_era - 719_468)?.checked_mul(DAY_MS)
    }

    /// The same day `months` later; the last of the month if it has no such day.
    pub fn plus_months(self, months: i64) -> Option<Self> {
        let total = self.year.checked_mul(12)?.checked_add(i64::from(self.month) - 1)?.checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
        Some(Self { year, month, day: self.day.min(days_in_month(year, month)) })
    }
}

/// How many days the month has.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_calendar_library(days in -4_371_222_i64..2_932_896, months in -600_i64..600) {
            let theirs = jiff::civil::date(1970, 1, 1).checked_add(days.days()).unwrap();
            let ours = Date::of(days * DAY_MS);
            prop_assert_eq!(
                (ours.year, ours.month, ours.day),
                (theirs.year().into(), theirs.month() as u32, theirs.day() as u32)
            );
            prop_assert_eq!(ours.midnight(), Some(days * DAY_MS));
            if let Ok(later) = theirs.checked_add(months.months()) {
                let ours = ours.plus_months(months).unwrap();
                prop_assert_eq!(
                    (ours.year, ours.month, ours.day),
                    (later.year().into(), later.month() as u32, later.day() as u32)
                );
            }
        }

        #[test]
        fn never_overflows(millis: i64, months: i64) {
            let day = Date::of(millis);
            if let Some(midnight) = day.midnight() {
                prop_assert!(midnight <= millis && millis - midnight < DAY_MS);
            }
            let _ = day.plus_months(months);
        }
    }
}
