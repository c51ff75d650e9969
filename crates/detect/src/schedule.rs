//! When a rule executes, and over which range.
//!
//! Executions stand at the multiples of the rule's `interval` since 1970-01-01T00:00:00Z, whatever the data, so
//! that two hunts over parts of the same data simulate the same executions.

use ecs::Millis;
use ecs::date::DateMath;
pub(crate) use ecs::date::{TIME_MAX, TIME_MIN};

/// So many executions of one rule at most in a replay.
pub const TICKS_MAX: i64 = u32::MAX as i64;

/// One end of a range as a function of the time of execution. It never falls as time goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The time of execution plus a constant.
    Offset(Millis),
    /// The same instant always.
    Fixed(Millis),
    /// Date math with rounding or calendar units; its distance from the time of execution lies in the range.
    Math { math: DateMath, least: Millis, most: Millis },
}

impl Bound {
    pub(crate) fn of(math: &DateMath) -> Self {
        if !math.reads_clock() {
            return Self::Fixed(math.millis_at(0));
        }
        match math.spread() {
            Some((least, most)) if least == most => Self::Offset(least),
            spread => {
                let (least, most) = spread.unwrap_or((Millis::MIN, Millis::MAX));
                Self::Math { math: math.clone(), least, most }
            }
        }
    }

    pub(crate) fn at(&self, now: Millis) -> Millis {
        match self {
            Self::Offset(offset) => now.saturating_add(*offset),
            Self::Fixed(instant) => *instant,
            Self::Math { math, .. } => math.millis_at(now),
        }
    }

    /// How far from the time of execution it lies, at least and at most; `None` if that has no limit.
    pub(crate) fn spread(&self) -> Option<(Millis, Millis)> {
        match self {
            Self::Offset(offset) => Some((*offset, *offset)),
            Self::Fixed(_) => None,
            Self::Math { least, most, .. } => (*least > Millis::MIN).then_some((*least, *most)),
        }
    }
}

/// The range of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) started_at: Millis,
    /// `tuple.from`, inclusive.
    pub(crate) from: Millis,
    /// `tuple.to`, inclusive.
    pub(crate) to: Millis,
    /// Where the history window begins, inclusive; `from` if the rule has none.
    pub(crate) history: Millis,
}

/// The ranges of a rule's executions, whenever they take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) from: Bound,
    pub(crate) to: Bound,
    /// Relative to `to`, not to the time of execution.
    pub(crate) history: Option<Bound>,
}

impl Bounds {
    pub(crate) fn window(&self, started_at: Millis) -> Window {
        let (from, to) = (self.from.at(started_at), self.to.at(started_at));
        let history = self.history.as_ref().map_or(from, |it| it.at(to));
        Window { started_at, from, to, history }
    }

    /// The least that the history window of any execution begins before its `from`; zero if nothing is known.
    pub(crate) fn history_reach(&self) -> Millis {
        let reach = || {
            let (from, to) = (self.from.spread()?, self.to.spread()?);
            let history = self.history.as_ref()?.spread()?;
            from.0.checked_sub(to.1.checked_add(history.1)?)
        };
        reach().unwrap_or(0).max(0)
    }

    /// The most that `to` of any execution lies after its `from`.
    pub(crate) fn length_max(&self) -> Millis {
        let length = || self.to.spread()?.1.checked_sub(self.from.spread()?.0);
        length().unwrap_or(Millis::MAX).max(0)
    }
}

/// The executions of one rule in a replay, numbered by multiples of the interval.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    bounds: Bounds,
    interval: Millis,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Ticks {
    /// The executions in `(since, until]`. May be none.
    pub(crate) fn new(bounds: Bounds, interval: Millis, since: Millis, until: Millis) -> Self {
        let (first, last) = (since.div_euclid(interval) + 1, until.div_euclid(interval));
        Self { bounds, interval, first, last }
    }

    /// The one execution at `started_at`.
    pub(crate) fn single(bounds: Bounds, started_at: Millis) -> Self {
        Self { bounds, interval: 1, first: started_at, last: started_at }
    }

    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.last - self.first + 1).unwrap_or(0)
    }

    pub(crate) fn window(&self, tick: i64) -> Window {
        self.bounds.window(tick.saturating_mul(self.interval))
    }

    /// The first execution whose range reaches `time`; it may already begin after it.
    pub(crate) fn first_reaching(&self, time: Millis) -> Option<i64> {
        if let Bound::Offset(offset) = self.bounds.to {
            return self.in_range(ceil_div(time.saturating_sub(offset), self.interval));
        }
        self.search(self.first, |window| window.to >= time)
    }

    /// The first execution, not before `tick`, whose history window begins after `time`.
    pub(crate) fn first_forgetting(&self, time: Millis, tick: i64) -> Option<i64> {
        self.search(tick, |window| window.history > time)
    }

    fn in_range(&self, tick: i64) -> Option<i64> {
        let tick = tick.max(self.first);
        (tick <= self.last).then_some(tick)
    }

    /// The first execution from `start` on for which `holds` is true, which stays true once it is.
    fn search(&self, start: i64, holds: impl Fn(&Window) -> bool) -> Option<i64> {
        let (mut low, mut high) = (start.max(self.first), self.last.checked_add(1)?);
        // The answer is nearly always the start or close to it.
        if low < high && holds(&self.window(low)) {
            return Some(low);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(&self.window(middle)) { high = middle } else { low = middle + 1 }
        }
        self.in_range(low)
    }
}

/// The start of the first execution, not before `last`, that sees an event at `last`; if none ever does, of the
/// first one not before `last`.
pub(crate) fn last_tick(bounds: &Bounds, interval: Millis, last: Millis) -> Millis {
    let start_of = |tick: i64| tick.saturating_mul(interval);
    let sees = |tick: i64| bounds.to.at(start_of(tick)) >= last;
    let first = ceil_div(last, interval);
    if sees(first) {
        return start_of(first);
    }
    let (mut low, mut step) = (first, 1_i64);
    while !sees(low.saturating_add(step)) {
        low = low.saturating_add(step);
        step = step.saturating_mul(2);
        if start_of(low) > TIME_MAX {
            return start_of(first);
        }
    }
    let mut high = low.saturating_add(step);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if sees(middle) { high = middle } else { low = middle }
    }
    start_of(high)
}

fn ceil_div(value: i64, by: i64) -> i64 {
    value.div_euclid(by) + i64::from(value.rem_euclid(by) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const HOUR: Millis = 60 * MINUTE;

    #[test]
    fn last_tick_waits_for_a_late_end() {
        let bounds = |to: &str| Bounds {
            from: Bound::of(&DateMath::of_rule("now-1d").unwrap()),
            to: Bound::of(&DateMath::of_rule(to).unwrap()),
            history: None,
        };
        let last = 10 * HOUR + 1;
        assert_eq!(last_tick(&bounds("now"), 5 * MINUTE, last), 10 * HOUR + 5 * MINUTE);
        assert_eq!(last_tick(&bounds("now-1h"), 5 * MINUTE, last), 11 * HOUR + 5 * MINUTE);
        assert_eq!(last_tick(&bounds("now/d"), 5 * MINUTE, last), 24 * HOUR);
        assert_eq!(last_tick(&bounds("1960-01-01"), 5 * MINUTE, last), 10 * HOUR + 5 * MINUTE);
    }
}
