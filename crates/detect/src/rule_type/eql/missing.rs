//! Events that must not be there: `![…]`.

use ecs::Millis;
use rule::Pattern;
use rustc_hash::FxHashMap;

use super::machine::{Completed, Timeline};

/// Says of sequences whose events are all there whether those that must be missing are.
pub(super) struct Missing<'a> {
    pattern: &'a Pattern,
    timeline: &'a Timeline,
    /// Those events by filter and key, in order.
    events: FxHashMap<(u32, u32), Vec<u32>>,
    /// The filters of the missing stages behind so many positive ones.
    gaps: Vec<Vec<u32>>,
}

impl<'a> Missing<'a> {
    /// Of these events, which are given in order. `None` if nothing has to be missing.
    pub(super) fn new(
        pattern: &'a Pattern,
        timeline: &'a Timeline,
        among: impl Iterator<Item = u32>,
    ) -> Option<Self> {
        let mut gaps = vec![Vec::new()];
        for stage in &pattern.stages {
            if stage.missing {
                let gap = gaps.last_mut()?;
                if !gap.contains(&(stage.filter as u32)) {
                    gap.push(stage.filter as u32);
                }
            } else {
                gaps.push(Vec::new());
            }
        }
        if gaps.iter().all(Vec::is_empty) {
            return None;
        }
        let mut events: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        for event in among {
            for hit in timeline.hits(event) {
                if gaps.iter().any(|gap| gap.contains(&hit.filter)) {
                    events.entry((hit.filter, hit.key)).or_default().push(event);
                }
            }
        }
        Some(Self { pattern, timeline, events, gaps })
    }

    /// Whether the sequence stands.
    pub(super) fn are(&self, it: &Completed) -> bool {
        let last = self.gaps.len() - 1;
        let between = (1..last).all(|gap| {
            let (left, right) = (it.events[gap - 1], it.events[gap]);
            self.of(gap, it.key)
                .all(|events| self.next(events, left).is_none_or(|it| !self.precedes(it, right)))
        });
        between && self.are_around(it)
    }

    /// The same before the first event and behind the last: as far as `maxspan` reaches.
    fn are_around(&self, it: &Completed) -> bool {
        let time = |event: u32| self.timeline.time(event);
        let maxspan = self.pattern.maxspan.unwrap_or(Millis::MAX);
        let last = self.gaps.len() - 1;
        let before = self.of(0, it.key).filter_map(|events| self.previous(events, it.first())).max();
        let behind = self.of(last, it.key).filter_map(|events| self.next(events, it.last())).min();
        let within = |from: Millis, to: Millis| to.saturating_sub(from) <= maxspan;
        if !self.gaps[0].is_empty() && !self.gaps[last].is_empty() {
            return !matches!((before, behind), (Some(a), Some(b)) if within(time(a), time(b)));
        }
        before.is_none_or(|event| !within(time(event), time(it.last())))
            && behind.is_none_or(|event| !within(time(it.first()), time(event)))
    }

    /// For each filter of a gap the events with the key.
    fn of(&self, gap: usize, key: u32) -> impl Iterator<Item = &[u32]> {
        self.gaps[gap].iter().filter_map(move |&filter| self.events.get(&(filter, key)).map(Vec::as_slice))
    }

    fn precedes(&self, a: u32, b: u32) -> bool {
        self.timeline.rank(a) < self.timeline.rank(b)
    }

    /// The first that comes after an event.
    fn next(&self, events: &[u32], after: u32) -> Option<u32> {
        events.get(events.partition_point(|&it| !self.precedes(after, it))).copied()
    }

    /// The last that comes before an event.
    fn previous(&self, events: &[u32], before: u32) -> Option<u32> {
        let at = events.partition_point(|&it| self.precedes(it, before));
        Some(events[at.checked_sub(1)?])
    }
}
