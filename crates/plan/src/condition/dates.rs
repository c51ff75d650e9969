//! Dates between bounds that may move with the clock.

use std::fmt;

use ecs::date::{DateMath, Format, Rounding};
use ecs::{Millis, Scalar};

use crate::{Ranges, Resolution, Test};

/// A question to a date field, as the query has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dates {
    /// How the field's dates are written.
    pub(crate) format: Format,
    pub(crate) resolution: Resolution,
    pub(crate) lower: Option<DateBound>,
    pub(crate) upper: Option<DateBound>,
}

/// One end of a range of dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateBound {
    pub(crate) math: DateMath,
    pub(crate) inclusive: bool,
}

impl Dates {
    pub(crate) fn reads_clock(&self) -> bool {
        [&self.lower, &self.upper].into_iter().flatten().any(|it| it.math.reads_clock())
    }

    /// What lies between the bounds at `now`. An inclusive bound reaches to the far end of what its date leaves out
    /// or is rounded to, an exclusive one to the near end.
    pub(crate) fn ranges(&self, now: Millis) -> Ranges<i128> {
        let key = |bound: &DateBound, rounding| self.resolution.key(bound.math.at(now, rounding));
        let first = match &self.lower {
            None => i128::MIN,
            Some(bound) if bound.inclusive => key(bound, Rounding::Down),
            Some(bound) => key(bound, Rounding::Up) + 1,
        };
        let last = match &self.upper {
            None => i128::MAX,
            Some(bound) if bound.inclusive => key(bound, Rounding::Up),
            Some(bound) => key(bound, Rounding::Down) - 1,
        };
        Ranges::new(first, last)
    }

    /// Whether the same dates lie between the bounds at all times from `first` to `last`, as far as that is plain. No bound
    /// ever falls as time goes on, so bounds that are the same at both ends are so between. That nothing lies between them
    /// at either end says less: after `now/d` and before `now+12h` there are dates from noon to midnight only.
    pub(crate) fn is_same(&self, first: Millis, last: Millis) -> bool {
        let ranges = self.ranges(first);
        first == last || !ranges.is_empty() && ranges == self.ranges(last)
    }

    /// The question at `now`; `None` if no date satisfies it then.
    pub(crate) fn test(&self, now: Millis) -> Option<Test> {
        let ranges = self.ranges(now);
        let is_asked = !ranges.is_empty();
        is_asked.then(|| Test::Date { format: self.format.clone(), resolution: self.resolution, ranges })
    }

    /// Whether the value lies within the ranges, which are those of some time.
    pub(crate) fn has(&self, ranges: &Ranges<i128>, value: Scalar<'_>) -> bool {
        self.resolution.is_within(&self.format, ranges, value)
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |it: &DateBound, sign: &str| {
            let equal = if it.inclusive { "=" } else { "" };
            format!("{sign}{equal} {}", it.math)
        };
        match (&self.lower, &self.upper) {
            (Some(lower), Some(upper)) if lower == upper => write!(f, "{}", lower.math),
            (Some(lower), Some(upper)) => write!(f, "{} and {}", bound(lower, ">"), bound(upper, "<")),
            (Some(lower), None) => write!(f, "{}", bound(lower, ">")),
            (None, Some(upper)) => write!(f, "{}", bound(upper, "<")),
            (None, None) => write!(f, "*"),
        }
    }
}
