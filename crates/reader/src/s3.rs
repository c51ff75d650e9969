//! What the name of a delivered file tells about the records in it.

use std::path::Path;

/// How long after the time in a file's name an event in it may have happened: names are rounded down and clocks
/// differ.
pub const DELIVERY_SKEW_MS: i64 = HOUR_MS;

const HOUR_MS: i64 = 60 * MINUTE_MS;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What a delivered file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Events.
    Trail,
    /// Insights events.
    Insight,
    /// A digest: which files were delivered, for validation.
    Digest,
}

/// What the path of a file in S3 layout says: `AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/NAME`, or the part of it
/// that was kept when it was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Key {
    /// The account whose events these are.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// What the file holds.
    pub delivery: Delivery,
    /// The first millisecond in which it may have been delivered.
    pub delivered_from_ms: i64,
    /// The last one: the end of the minute in its name, or of the day in its folders.
    pub delivered_to_ms: i64,
}

impl S3Key {
    /// Reads a path. `None` if it has no delivery time, neither in its name nor in its folders.
    pub fn parse(path: &Path) -> Option<Self> {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let (name, folders) = parts.split_last()?;
        let by_folder = Self::from_folders(folders);
        match (Self::from_name(name), by_folder) {
            // An export keeps the folders and names the files anew: the name is the better witness.
            (Some(named), _) => Some(named),
            (None, folder) => folder,
        }
    }

    /// `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_ID.json.gz`, for digests
    /// `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_REGION_YYYYMMDDTHHMMSSZ.json.gz`.
    fn from_name(name: &str) -> Option<Self> {
        let stem = name.split('.').next()?;
        let mut parts = stem.split('_');
        let account = parts.next().filter(|part| is_account(part))?.to_owned();
        let delivery = delivery(parts.next()?)?;
        let region = parts.next().filter(|part| is_region(part))?.to_owned();
        let (from, to) = parts.rev().find_map(stamp)?;
        Some(Self {
            account: Some(account),
            region: Some(region),
            delivery,
            delivered_from_ms: from,
            delivered_to_ms: to,
        })
    }

    /// `[ACCOUNT/CloudTrail/]REGION/YYYY/MM/DD`.
    fn from_folders(folders: &[&str]) -> Option<Self> {
        let (rest, [region, year, month, day]) = folders.split_last_chunk()?;
        if !is_region(region) || year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        let from = day_start_ms(number(year)?, number(month)?, number(day)?)?;
        let (account, kind) = match rest {
            [.., account, kind] => (is_account(account).then(|| (*account).to_owned()), delivery(kind)),
            _ => (None, None),
        };
        Some(Self {
            account,
            region: Some((*region).to_owned()),
            delivery: kind.unwrap_or(Delivery::Trail),
            delivered_from_ms: from,
            delivered_to_ms: from + DAY_MS - 1,
        })
    }

    /// Whether an event of this time or a later one can be in the file. How long before the delivery an event may have
    /// happened is promised nowhere, so there is no such question for the other side.
    pub fn may_hold(&self, not_before_ms: i64) -> bool {
        self.delivered_to_ms.saturating_add(DELIVERY_SKEW_MS) >= not_before_ms
    }
}

fn delivery(part: &str) -> Option<Delivery> {
    match part {
        "CloudTrail" => Some(Delivery::Trail),
        "CloudTrail-Insight" => Some(Delivery::Insight),
        "CloudTrail-Digest" => Some(Delivery::Digest),
        _ => None,
    }
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `us-east-1`, `us-gov-west-1`: words and a number, joined by hyphens.
fn is_region(part: &str) -> bool {
    let Some((words, number)) = part.rsplit_once('-') else { return false };
    (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words.contains('-')
        && words.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The first and last millisecond of `YYYYMMDDTHHMMZ` or `YYYYMMDDTHHMMSSZ`.
fn stamp(part: &str) -> Option<(i64, i64)> {
    let (date, time) = part.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || !date.is_ascii() || !matches!(time.len(), 4 | 6) || !time.is_ascii() {
        return None;
    }
    let day = day_start_ms(number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?)?;
    let (hour, minute) = (number(&time[..2])?, number(&time[2..4])?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let from = day + hour * HOUR_MS + minute * MINUTE_MS;
    Some((from, from + MINUTE_MS - 1))
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The first millisecond of a day. `None` if there is no such day, in any year from 1 to 9999.
fn day_start_ms(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let index = usize::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    let length = before[index] - before[index - 1] + i64::from(leap && month == 2);
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 + i64::from(leap && month > 2);
    // 719,162 days lie between the first day of year 1 and 1970.
    let days = past * 365 + leap_days + before[index - 1] + day - 1 - 719_162;
    Some(days * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<S3Key> {
        S3Key::parse(Path::new(path))
    }

    #[test]
    fn reads_whole_keys() {
        let key = parse(
            "logs/AWSLogs/o-abc123/111122223333/CloudTrail/us-gov-west-1/2024/02/29/\
             111122223333_CloudTrail_us-gov-west-1_20240229T2355Z_AbCdEf.json.gz",
        )
        .unwrap();
        assert_eq!(key.account.as_deref(), Some("111122223333"));
        assert_eq!(key.region.as_deref(), Some("us-gov-west-1"));
        assert_eq!(key.delivery, Delivery::Trail);
        assert_eq!(key.delivered_from_ms, 1_709_250_900_000);
        assert_eq!(key.delivered_to_ms, 1_709_250_959_999);
    }

    #[test]
    fn reads_digests_insights_and_bare_trees() {
        let digest =
            parse("111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20240101T000000Z.json.gz")
                .unwrap();
        assert_eq!((digest.delivery, digest.delivered_from_ms), (Delivery::Digest, 1_704_067_200_000));
        let insight = parse("111122223333/CloudTrail-Insight/eu-west-1/2024/01/01/export.json.gz").unwrap();
        assert_eq!(insight.delivery, Delivery::Insight);
        assert_eq!(insight.account.as_deref(), Some("111122223333"));
        let bare = parse("eu-west-1/2024/01/01/a.json").unwrap();
        assert_eq!((bare.account, bare.delivered_to_ms), (None, 1_704_153_599_999));
    }

    #[test]
    fn other_names_say_nothing() {
        for path in [
            "events.json",
            "eu-west-1/2024/02/30/a.json",
            "eu-west-1/2024/13/01/a.json",
            "Europe/2024/01/01/a.json",
            "2024/01/01/a.json",
            "111122223333_CloudTrail_eu-west-1_20240101T2400Z_x.json.gz",
            "11112222_CloudTrail_eu-west-1_20240101T0000Z_x.json.gz",
            "",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn keeps_what_cannot_be_proven_outside() {
        let key = parse("111122223333_CloudTrail_eu-west-1_20240101T0000Z_x.json.gz").unwrap();
        let day = |n| key.delivered_from_ms + n * DAY_MS;
        assert!(key.may_hold(i64::MIN) && key.may_hold(day(-400)) && key.may_hold(day(0)));
        assert!(key.may_hold(key.delivered_to_ms + DELIVERY_SKEW_MS));
        assert!(!key.may_hold(key.delivered_to_ms + DELIVERY_SKEW_MS + 1));
        assert!(!key.may_hold(i64::MAX));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day_start_ms(1970, 1, 1), Some(0));
        assert_eq!(day_start_ms(2000, 3, 1), Some(951_868_800_000));
        assert_eq!(day_start_ms(2023, 2, 29), None);
        // Every day follows the one before.
        let mut last = day_start_ms(1999, 12, 31).unwrap();
        for year in 2000..=2100 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(start) = day_start_ms(year, month, day) else { continue };
                    assert_eq!(start, last + DAY_MS, "{year}-{month}-{day}");
                    last = start;
                }
            }
        }
    }
}
