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

    /// Whether no range grows without end.
    pub(crate) fn is_bounded(&self) -> bool {
        self.length_max() < Millis::MAX
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
    /// The first that sees an event.
    pub(crate) first: i64,
    /// The first that sees the last event. Later ones may look at what the limit of alerts cut off, or at what was
    /// known before.
    pub(crate) last: i64,
    /// The last there could be.
    pub(crate) end: i64,
}

impl Ticks {
    /// The executions over data that reach from the first event to the last.
    pub(crate) fn new(bounds: Bounds, interval: Millis, first: Millis, last: Millis) -> Self {
        let ends = TIME_MIN.div_euclid(interval)..=TIME_MAX.div_euclid(interval);
        let mut ticks = Self { bounds, interval, first: *ends.start(), last: *ends.end(), end: *ends.end() };
        let seeing = |ticks: &Self, time: Millis| {
            let started = ceil_div(time, interval).clamp(*ends.start(), *ends.end());
            match ticks.bounds.to.spread() {
                Some(_) => ticks.first_reaching(time).unwrap_or(started),
                // An end that does not move with the clock is reached at any time. There is nothing to execute for
                // before there is an event.
                None => started,
            }
        };
        let (first, last) = (seeing(&ticks, first), seeing(&ticks, last));
        (ticks.first, ticks.last) = (first, last.max(first));
        ticks
    }

    /// The one execution at `started_at`.
    pub(crate) fn single(bounds: Bounds, started_at: Millis) -> Self {
        Self { bounds, interval: 1, first: started_at, last: started_at, end: started_at }
    }

    /// The one execution of a schedule that starts at `slot`, or is the last to have started by then.
    pub(crate) fn of_slot(bounds: Bounds, interval: Millis, slot: Millis) -> Self {
        let tick = slot.clamp(TIME_MIN, TIME_MAX).div_euclid(interval);
        Self { bounds, interval, first: tick, last: tick, end: TIME_MAX.div_euclid(interval) }
    }

    /// The same executions without those before `first`.
    pub(crate) fn from(&self, first: i64) -> Self {
        Self { first, ..self.clone() }
    }

    /// The first execution that starts at `time` or later.
    pub(crate) fn first_starting(&self, time: Millis) -> Option<i64> {
        self.in_range(ceil_div(time, self.interval))
    }

    /// When an execution starts.
    pub(crate) fn started_at(&self, tick: i64) -> Millis {
        tick.saturating_mul(self.interval)
    }

    /// From the first execution on whose history window begins at `time` or later, if there is one.
    pub(crate) fn begin_at_history(&mut self, time: Millis) {
        if let Some(first) = self.search(self.first, |window| window.history.min(window.from) >= time) {
            self.first = first;
            self.last = self.last.max(first);
        }
    }

    /// Whether every event is out of range some time.
    pub(crate) fn moves_on(&self) -> bool {
        self.bounds.from.spread().is_some()
    }

    pub(crate) fn window(&self, tick: i64) -> Window {
        self.bounds.window(self.started_at(tick))
    }

    /// The first execution whose range reaches `time`; it may already begin after it.
    pub(crate) fn first_reaching(&self, time: Millis) -> Option<i64> {
        match self.bounds.to.spread() {
            Some((least, most)) if least == most => {
                self.in_range(ceil_div(time.saturating_sub(least), self.interval))
            }
            Some((_, most)) => {
                let earliest = ceil_div(time.saturating_sub(most), self.interval);
                self.search(self.in_range(earliest)?, |window| window.to >= time)
            }
            None => self.search(self.first, |window| window.to >= time),
        }
    }

    /// The first execution whose range holds `time`.
    pub(crate) fn first_holding(&self, time: Millis) -> Option<i64> {
        let tick = self.first_reaching(time)?;
        (self.window(tick).from <= time).then_some(tick)
    }

    /// The last execution that is looked at for matches of which the newest is seen at `newest`. A range that moves on
    /// leaves them behind by itself; one whose beginning is fixed holds them forever: then it is the first that sees all
    /// of them, which may lie beyond the last that sees the data. What a residue would say of them later is not asked.
    pub(crate) fn last_for(&self, newest: Option<Millis>) -> i64 {
        if self.moves_on() {
            return self.end;
        }
        newest.and_then(|it| self.first_reaching(it)).map_or(self.last, |tick| tick.max(self.last))
    }

    /// The same for what was suppressed and is offered again, which is asked of nobody who sees nothing new: a range that
    /// holds it forever would raise it as often as a window ends.
    pub(crate) fn last_offering(&self, newest: Option<Millis>) -> i64 {
        if self.moves_on() {
            return self.end;
        }
        newest.and_then(|it| self.first_reaching(it)).unwrap_or(self.first)
    }

    /// The first execution whose range begins at `time` or later.
    pub(crate) fn first_after(&self, time: Millis) -> Option<i64> {
        self.search(self.first, |window| window.from >= time)
    }

    /// The first execution, not before `tick`, whose history window begins after `time`.
    pub(crate) fn first_forgetting(&self, time: Millis, tick: i64) -> Option<i64> {
        self.search(tick, |window| window.history > time)
    }

    /// The execution, or the first if it would be before that.
    pub(crate) fn in_range(&self, tick: i64) -> Option<i64> {
        let tick = tick.max(self.first);
        (tick <= self.end).then_some(tick)
    }

    /// The first execution from `start` on for which `holds` is true, which stays true once it is. The answer is nearly
    /// always the start or close to it.
    fn search(&self, start: i64, holds: impl Fn(&Window) -> bool) -> Option<i64> {
        let mut low = self.in_range(start)?;
        if holds(&self.window(low)) {
            return Some(low);
        }
        // It does not hold for `low`. How far is it to where it does?
        let mut step = 1_i64;
        let mut high = loop {
            let high = low.saturating_add(step).min(self.end);
            if holds(&self.window(high)) {
                break high;
            }
            if high == self.end {
                return None;
            }
            (low, step) = (high, step.saturating_mul(2));
        };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if holds(&self.window(middle)) { high = middle } else { low = middle }
        }
        Some(high)
    }
}

fn ceil_div(value: i64, by: i64) -> i64 {
    value.div_euclid(by) + i64::from(value.rem_euclid(by) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const HOUR: Millis = 60 * MINUTE;

    /// The first execution is the first that sees the first event, the last the first that sees the last.
    #[test]
    fn executions_wait_for_a_late_end() {
        let (first, last) = (8 * HOUR + 1, 10 * HOUR + 1);
        let ends = |to: &str| {
            let bounds = Bounds {
                from: Bound::of(&DateMath::of_rule("now-1d").unwrap()),
                to: Bound::of(&DateMath::of_rule(to).unwrap()),
                history: None,
            };
            let ticks = Ticks::new(bounds, 5 * MINUTE, first, last);
            (ticks.first * 5 * MINUTE, ticks.last * 5 * MINUTE)
        };
        assert_eq!(ends("now"), (8 * HOUR + 5 * MINUTE, 10 * HOUR + 5 * MINUTE));
        assert_eq!(ends("now-1h"), (9 * HOUR + 5 * MINUTE, 11 * HOUR + 5 * MINUTE));
        assert_eq!(ends("now+1h"), (7 * HOUR + 5 * MINUTE, 9 * HOUR + 5 * MINUTE));
        assert_eq!(ends("now/d"), (24 * HOUR, 24 * HOUR));
        assert_eq!(ends("1960-01-01"), (8 * HOUR + 5 * MINUTE, 10 * HOUR + 5 * MINUTE));
    }
}
