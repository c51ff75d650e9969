//! Times as CloudTrail writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::fmt::Write as _;

/// `2026-03-02T09:46:15Z`.
pub(super) fn push_iso(out: &mut String, seconds: i64) {
    let at = utc(seconds);
    push_padded(out, at.year().unsigned_abs().into(), 4);
    for (separator, number) in
        [('-', at.month()), ('-', at.day()), ('T', at.hour()), (':', at.minute()), (':', at.second())]
    {
        out.push(separator);
        push_padded(out, number.unsigned_abs().into(), 2);
    }
    out.push('Z');
}

/// `Mar 2, 2026, 9:46:15 AM`, the form of `responseElements`.
pub(super) fn push_long(out: &mut String, seconds: i64) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = utc(seconds);
    let month = MONTHS[at.month().unsigned_abs() as usize - 1];
    let hour = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    write!(out, "{month} {}, {}, {hour}:{:02}:{:02} {half}", at.day(), at.year(), at.minute(), at.second())
        .expect("a String takes everything");
}

/// `2026/03/02`, the folders of a day.
pub(super) fn day_folders(seconds: i64) -> String {
    let at = utc(seconds);
    format!("{:04}/{:02}/{:02}", at.year(), at.month(), at.day())
}

/// `20260302T0945Z`, the time in the name of a log file.
pub(super) fn file_time(seconds: i64) -> String {
    let at = utc(seconds);
    format!("{:04}{:02}{:02}T{:02}{:02}Z", at.year(), at.month(), at.day(), at.hour(), at.minute())
}

/// Decimal digits with leading zeros: the shortest way there is, since every record has several times and ids.
pub(super) fn push_padded(out: &mut String, number: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u64.pow(place) % 10;
        out.push(char::from(b'0' + digit as u8));
    }
}

fn utc(seconds: i64) -> DateTime {
    let timestamp = Timestamp::from_second(seconds).expect("the options allow only times of this era");
    Offset::UTC.to_datetime(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(push: fn(&mut String, i64), seconds: i64) -> String {
        let mut out = String::new();
        push(&mut out, seconds);
        out
    }

    #[test]
    fn times_read_as_in_cloudtrail() {
        let morning = 1_772_444_775; // 2026-03-02T09:46:15Z
        assert_eq!(pushed(push_iso, morning), "2026-03-02T09:46:15Z");
        assert_eq!(pushed(push_long, morning), "Mar 2, 2026, 9:46:15 AM");
        assert_eq!(pushed(push_long, morning + 12 * 3600), "Mar 2, 2026, 9:46:15 PM");
        assert_eq!(pushed(push_long, morning - 9 * 3600), "Mar 2, 2026, 12:46:15 AM");
        assert_eq!(day_folders(morning), "2026/03/02");
        assert_eq!(file_time(morning), "20260302T0946Z");
    }
}
