//! The days that segments lie by.

use ecs::Millis;

pub(crate) const DAY_MS: Millis = 24 * 3_600_000;

/// The first day of AWS's first service that records: no event is older that tells its time truly.
const FIRST: Millis = 1_142_294_400_000;
/// The end of the last day that a segment may lie by.
const END: Millis = 4_102_444_800_000;

/// Which day a segment's events are of: days since 1970, or none. What says no time, or one that cannot be, lies together:
/// whoever makes up times could else make as many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub(crate) Option<i64>);

impl Day {
    /// That of a time.
    pub(crate) fn of(time: Option<Millis>) -> Self {
        let plausible = time.filter(|time| (FIRST..END).contains(time));
        Self(plausible.map(|time| time.div_euclid(DAY_MS)))
    }

    /// As people read it; of no day a word.
    pub fn name(self) -> String {
        self.0.map_or_else(|| "none".to_owned(), |day| ecs::date::to_iso(day * DAY_MS)[..10].to_owned())
    }

    /// As the name of a folder, in the way that engines read as a column `day`; for no day the name that stands for NULL.
    pub(crate) fn folder(self) -> String {
        match self.0 {
            Some(_) => format!("day={}", self.name()),
            None => "day=__HIVE_DEFAULT_PARTITION__".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders() {
        let of = |time| Day::of(time).folder();
        assert_eq!(of(Some(1_772_359_200_000)), "day=2026-03-01");
        assert_eq!(of(Some(1_772_323_200_000)), "day=2026-03-01", "midnight begins a day");
        assert_eq!(of(Some(1_772_323_199_999)), "day=2026-02-28");
        for none in [None, Some(0), Some(-1), Some(i64::MAX), Some(i64::MIN), Some(END)] {
            assert_eq!(of(none), "day=__HIVE_DEFAULT_PARTITION__", "{none:?}");
        }
        assert_eq!(of(Some(FIRST)), "day=2006-03-14");
        assert_eq!(of(Some(END - 1)), "day=2099-12-31");
    }
}
