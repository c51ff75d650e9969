//! The hours of an action: days of the week, from when to when, in which time zone.

use ecs::Millis;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

/// Where time zones lie.
const ZONES: &str = "/usr/share/zoneinfo";

/// When an action is for alerts.
#[derive(Clone, Debug)]
pub struct Timeframe {
    /// 1 is Monday; none is every day.
    days: Vec<i8>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Timeframe {
    /// Reads `{"days": [1, 7], "hours": {"start": "08:00", "end": "17:00"}, "timezone": "UTC"}`; says what is wrong with it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let days = value.get("days").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let day = |it: &Value| it.as_i64().filter(|it| (1..=7).contains(it)).map(|it| it as i8);
        let days: Option<Vec<i8>> = days.iter().map(day).collect();
        let days = days.ok_or("`days` are numbers, 1 for Monday to 7")?;
        let time = |name: &str, default: &str| {
            let text =
                value.get("hours").and_then(|it| it.get(name)).and_then(Value::as_str).unwrap_or(default);
            clock(text).ok_or_else(|| format!("`{text}` is no time of the day such as 08:00"))
        };
        let (from, to) = (time("start", "00:00")?, time("end", "00:00")?);
        let zone = value.get("timezone").and_then(Value::as_str).unwrap_or("UTC");
        Ok(Self { days, from, to, zone: self::zone(zone)? })
    }

    /// Whether a time is in it. One that ends before it begins goes over midnight, and belongs to the day on which it begins.
    pub(crate) fn holds(&self, now: Millis) -> bool {
        let Ok(now) = Timestamp::from_millisecond(now) else { return true };
        let local = self.zone.to_datetime(now);
        let (day, time) = (local.weekday().to_monday_one_offset(), local.time());
        let before = if day == 1 { 7 } else { day - 1 };
        let is_day = |it: i8| self.days.is_empty() || self.days.contains(&it);
        if self.from < self.to {
            is_day(day) && self.from <= time && time < self.to
        } else {
            is_day(day) && self.from <= time || is_day(before) && time < self.to
        }
    }
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    // Some say 24:00 for the end of the day.
    Time::new(if (hour, minute) == (24, 0) { 0 } else { hour }, minute, 0, 0).ok()
}

fn zone(name: &str) -> Result<TimeZone, String> {
    if ["UTC", "Etc/UTC", "GMT", "Z", ""].contains(&name) {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    let is_part =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"_+-".contains(&it));
    let unknown = || format!("the time zone `{}` is not known on this machine", name.escape_debug());
    if name.len() > 64 || !name.split('/').all(is_part) {
        return Err(unknown());
    }
    let bytes = std::fs::read(format!("{ZONES}/{name}")).map_err(|_| unknown())?;
    TimeZone::tzif(name, &bytes).map_err(|_| unknown())
}

/// `+02:00`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(frame: &Value, times: &[(&str, bool)]) {
        let frame = Timeframe::read(frame).unwrap();
        for (time, expected) in times {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(frame.holds(time.as_millisecond()), *expected, "{time}");
        }
    }

    #[test]
    fn hours_of_work_and_of_the_night() {
        // 2026-03-02 is a Monday.
        let work = json!({"days": [1, 2], "hours": {"start": "08:00", "end": "17:00"}, "timezone": "+01:00"});
        holds(
            &work,
            &[
                ("2026-03-02T06:59:59Z", false),
                ("2026-03-02T07:00:00Z", true),
                ("2026-03-02T16:00:00Z", false),
                ("2026-03-03T10:00:00Z", true),
                ("2026-03-04T10:00:00Z", false),
            ],
        );
        let night = json!({"days": [5], "hours": {"start": "22:00", "end": "06:00"}});
        holds(
            &night,
            &[
                ("2026-03-06T21:59:00Z", false),
                ("2026-03-06T22:00:00Z", true),
                ("2026-03-07T05:59:00Z", true),
                ("2026-03-07T06:00:00Z", false),
                ("2026-03-06T05:00:00Z", false),
                ("2026-03-07T22:00:00Z", false),
            ],
        );
        holds(&json!({"days": [6, 7]}), &[("2026-03-07T00:00:00Z", true), ("2026-03-09T00:00:00Z", false)]);
    }

    #[test]
    fn what_is_no_timeframe_is_told() {
        for wrong in [
            json!({"days": [0]}),
            json!({"hours": {"start": "8"}}),
            json!({"hours": {"start": "08:61"}}),
            json!({"timezone": "Mars/Olympus"}),
            json!({"timezone": "../../etc/passwd"}),
        ] {
            assert!(Timeframe::read(&wrong).is_err(), "{wrong}");
        }
    }
}
