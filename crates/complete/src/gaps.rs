//! Times without records, against the rhythm of the account and region itself.
//!
//! Two rules, both said with their numbers:
//!
//! * **Rhythm.** On comparable days (working days with working days, ends of weeks with such) there were records in these
//!   hours, on nearly all of them, and together at least so many even on the day that had the fewest. Where that is a
//!   handful, chance may make them none; where it is [`LEAST`] and more, hardly.
//! * **Silence.** It is much longer than every other quiet time, of which there are many, and on comparable days there came
//!   [`SILENCE_LEAST`] records and more in these hours on average, which chance does not make none: over ends of weeks with
//!   few records a long silence says little.
//!
//! What has too few days for the first and too few quiet times for the second is said to be too little to tell.

use std::collections::BTreeMap;

use ecs::Millis;

const HOUR_MS: Millis = 3_600_000;
const DAY_HOURS: i64 = 24;

/// So many records at least should have been there. By chance a stretch that usually has as many as this on its worst day
/// is empty once in thousands of times.
const LEAST: u64 = 8;
/// So many comparable days are needed.
const DAYS_MIN: i64 = 6;
/// From so many days on one of them may have been without records,
const DAYS_FOR_ONE: i64 = 8;
/// and one more for each so many.
const DAYS_FOR_MORE: i64 = 20;
/// A silence is that many times longer than the longest other one,
const SILENCE_TIMES: i64 = 3;
/// at least so many hours long,
const SILENCE_HOURS_MIN: i64 = 24;
/// and there are at least so many others.
const SILENCES_MIN: u64 = 20;
/// So many records usually come in these hours.
const SILENCE_LEAST: u64 = 12;
/// What lies so far apart is not of one rhythm: a record with a wrong date would make a rhythm of years.
const APART_HOURS: i64 = 60 * DAY_HOURS;

/// Records by account, region and hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(BTreeMap<Series, BTreeMap<i64, u64>>);

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

impl Hours {
    /// Adds so many records.
    pub fn add(&mut self, account: &str, region: &str, time: Millis, records: u64) {
        let series = Series { account: account.to_owned(), region: region.to_owned() };
        *self.0.entry(series).or_default().entry(time.div_euclid(HOUR_MS)).or_default() += records;
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: Self) {
        for (series, hours) in other.0 {
            let mine = self.0.entry(series).or_default();
            for (hour, records) in hours {
                *mine.entry(hour).or_default() += records;
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records of an account in whole hours between these times.
    pub fn between(&self, account: &str, from: Millis, to: Millis) -> u64 {
        let first = from.div_euclid(HOUR_MS) + 1;
        let last = to.div_euclid(HOUR_MS);
        let its = self.0.iter().filter(|(series, _)| series.account == account);
        if first >= last {
            0
        } else {
            its.flat_map(|(_, hours)| hours.range(first..last)).map(|it| it.1).sum()
        }
    }
}

/// A time without records that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub series: Series,
    /// The first hour without records,
    pub from: Millis,
    /// and the end of the last.
    pub to: Millis,
    /// Nothing follows: the data of others go on.
    pub is_end: bool,
    /// Why it should not be.
    pub why: Why,
}

/// Why a time should not be without records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// On comparable days there were records in these hours.
    Rhythm {
        /// On so many days at least, for each of the hours.
        days: u64,
        /// At least so many, together, on nearly all of them.
        least: u64,
    },
    /// All other quiet times are much shorter.
    Silence {
        /// The longest other one, in hours.
        longest: u64,
        /// How many others there are.
        others: u64,
    },
}

/// What the hours say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Times without records, by account and region.
    pub gaps: Vec<Gap>,
    /// Accounts and regions that were looked at.
    pub looked_at: u64,
    /// Those of which there is too little to tell.
    pub too_little: Vec<Series>,
}

/// Looks for gaps.
pub fn gaps(hours: &Hours) -> Gaps {
    let mut found = Gaps::default();
    // The last hour of the data may not have been delivered in full.
    let end = hours.0.values().filter_map(|it| it.keys().next_back()).max().copied();
    for (series, hours) in &hours.0 {
        let periods = periods(hours);
        let last = periods.len() - 1;
        found.looked_at += 1;
        let mut could_tell = false;
        for (at, period) in periods.into_iter().enumerate() {
            let tail = end.filter(|end| at == last && end - period.last <= APART_HOURS);
            let (gaps, told) = period.gaps(tail);
            could_tell |= told;
            let gap = |(from, to, why): (i64, i64, Why)| Gap {
                series: series.clone(),
                from: from.saturating_mul(HOUR_MS),
                to: to.saturating_mul(HOUR_MS),
                is_end: from > period.last,
                why,
            };
            found.gaps.extend(gaps.into_iter().map(gap));
        }
        if !could_tell {
            found.too_little.push(series.clone());
        }
    }
    found
}

/// Hours that are of one rhythm.
struct Period<'h> {
    hours: &'h BTreeMap<i64, u64>,
    first: i64,
    last: i64,
}

fn periods(hours: &BTreeMap<i64, u64>) -> Vec<Period<'_>> {
    let mut periods: Vec<Period<'_>> = Vec::new();
    for &hour in hours.keys() {
        match periods.last_mut() {
            Some(it) if hour - it.last <= APART_HOURS => it.last = hour,
            Some(_) | None => periods.push(Period { hours, first: hour, last: hour }),
        }
    }
    periods
}

/// Working days with working days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DayKind {
    Working,
    Weekend,
}

/// The kind of day and the hour of the day.
fn slot(hour: i64) -> (DayKind, i64) {
    let day = hour.div_euclid(DAY_HOURS);
    // The first day of 1970 was a Thursday.
    let kind = if (day + 3).rem_euclid(7) >= 5 { DayKind::Weekend } else { DayKind::Working };
    (kind, hour.rem_euclid(DAY_HOURS))
}

/// What a slot of the day usually has.
#[derive(Default)]
struct Usual {
    /// Days that have this hour.
    days: i64,
    /// What it had on those with records, ascending.
    counts: Vec<u64>,
}

/// From, to, why.
type Found = (i64, i64, Why);

impl Period<'_> {
    /// The gaps up to `end`, and whether there was enough to tell by one of the rules.
    fn gaps(&self, end: Option<i64>) -> (Vec<Found>, bool) {
        let usual = self.usual();
        let mut runs: Vec<(i64, i64)> = Vec::new();
        let mut before = self.first;
        for (&hour, _) in self.hours.range(self.first..=self.last) {
            if hour > before + 1 {
                runs.push((before + 1, hour));
            }
            before = hour;
        }
        let inner = runs.len();
        runs.extend(end.filter(|&end| end > self.last + 1).map(|end| (self.last + 1, end)));
        let mut lengths: Vec<i64> = runs.iter().map(|(from, to)| to - from).collect();
        lengths.sort_unstable();
        let has_silences = inner as u64 > SILENCES_MIN;
        let found = runs.iter().filter_map(|&(from, to)| {
            if let Some(why) = rhythm(&usual, from, to, from <= self.last) {
                return Some((from, to, why));
            }
            let others = runs.len() as u64 - 1;
            // The longest but this one.
            let longest = if lengths.last() == Some(&(to - from)) {
                lengths.iter().rev().nth(1)
            } else {
                lengths.last()
            };
            let longest = longest.copied().unwrap_or_default();
            let is_silence = others >= SILENCES_MIN
                && to - from >= SILENCE_HOURS_MIN
                && to - from >= longest.saturating_mul(SILENCE_TIMES)
                && average(&usual, from, to, from <= self.last) >= SILENCE_LEAST;
            let why = Why::Silence { longest: longest.unsigned_abs(), others };
            is_silence.then_some((from, to, why))
        });
        let has_days = usual
            .values()
            .any(|it| it.days >= DAYS_MIN && it.counts.len() as i64 >= it.days - allowed(it.days));
        (found.collect(), has_days || has_silences)
    }

    fn usual(&self) -> BTreeMap<(DayKind, i64), Usual> {
        let mut usual: BTreeMap<(DayKind, i64), Usual> = BTreeMap::new();
        for hour in self.first..=self.last {
            let it = usual.entry(slot(hour)).or_default();
            it.days += 1;
            it.counts.extend(self.hours.get(&hour));
        }
        for it in usual.values_mut() {
            it.counts.sort_unstable();
        }
        usual
    }
}

/// On so many of these days there may have been nothing.
fn allowed(days: i64) -> i64 {
    if days >= DAYS_FOR_ONE { (days / DAYS_FOR_MORE).max(1) } else { 0 }
}

/// The days of the run itself, which do not count. Those behind the end are none of the days.
fn own_days(from: i64, to: i64, is_inside: bool) -> BTreeMap<(DayKind, i64), i64> {
    let mut own: BTreeMap<(DayKind, i64), i64> = BTreeMap::new();
    for hour in (from..to).filter(|_| is_inside) {
        *own.entry(slot(hour)).or_default() += 1;
    }
    own
}

/// How many records came from one hour to another on comparable days, on average.
fn average(usual: &BTreeMap<(DayKind, i64), Usual>, from: i64, to: i64, is_inside: bool) -> u64 {
    let own = own_days(from, to, is_inside);
    let thousandths = (from..to).map(|hour| {
        let Some(it) = usual.get(&slot(hour)) else { return 0 };
        let days = it.days - own.get(&slot(hour)).copied().unwrap_or_default();
        let all = it.counts.iter().fold(0u64, |all, it| all.saturating_add(*it));
        all.saturating_mul(1000) / days.max(1).unsigned_abs()
    });
    thousandths.fold(0u64, u64::saturating_add) / 1000
}

/// Whether there should have been records from one hour to another, and why.
fn rhythm(usual: &BTreeMap<(DayKind, i64), Usual>, from: i64, to: i64, is_inside: bool) -> Option<Why> {
    let own = own_days(from, to, is_inside);
    let (mut least, mut days) = (0, i64::MAX);
    for hour in from..to {
        let Some(it) = usual.get(&slot(hour)) else { continue };
        let with = it.counts.len() as i64;
        let others = (it.days - own.get(&slot(hour)).copied().unwrap_or_default()).max(with);
        if others < DAYS_MIN {
            continue;
        }
        let left_out = allowed(others) - (others - with);
        // What so many days had at least, but for the few that are left out.
        if let Some(count) = usize::try_from(left_out).ok().and_then(|at| it.counts.get(at)) {
            least += count;
            days = days.min(others);
        }
    }
    (least >= LEAST).then_some(Why::Rhythm { days: days.unsigned_abs(), least })
}
