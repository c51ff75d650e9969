//! What executions know of the groups, and what they count of one.

use std::collections::{HashMap, HashSet, VecDeque};

use ecs::Millis;

use super::table::{Groups, Member};
use super::{Bucket, CountedTo};
use crate::collect::EventTable;
use crate::schedule::{Ticks, Window};

/// Of each group the newest event that its alerts counted.
#[derive(Clone, Debug)]
pub(super) struct State {
    counted_to: Vec<Millis>,
    /// See [`CountedTo`].
    heeds_from: bool,
}

impl State {
    pub(super) fn new(groups: &Groups, ticks: &Ticks) -> Self {
        Self { counted_to: vec![Millis::MIN; groups.len() as usize], heeds_from: !ticks.moves_on() }
    }

    /// An alert counted the group's events up to `time`.
    pub(super) fn count_to(&mut self, group: u32, time: Millis) {
        self.counted_to[group as usize] = time;
    }

    /// Whether an alert counted the event, as far as an execution from `from` on heeds it.
    fn is_counted(&self, groups: &Groups, member: &Member, from: Millis) -> bool {
        groups.groups_of(member).iter().any(|&group| self.counted_to(group).holds(member.time, from))
    }

    pub(super) fn counted_to(&self, group: u32) -> CountedTo {
        CountedTo { to: self.counted_to[group as usize], heeds_from: self.heeds_from }
    }

    /// What an execution counts of a group, if it is enough.
    pub(super) fn bucket(
        &self,
        groups: &Groups,
        group: u32,
        window: &Window,
        events: &EventTable,
    ) -> Option<Bucket> {
        let mut bucket = self.count(groups, group, window, events)?;
        let is_reached = groups.by.is_reached(bucket.count, || bucket.cardinality.unwrap_or_default());
        bucket.key = *groups.key(group);
        is_reached.then_some(bucket)
    }

    /// What an execution counts of a group, whether or not it is enough; nothing if there is no event.
    pub(super) fn count(
        &self,
        groups: &Groups,
        group: u32,
        window: &Window,
        events: &EventTable,
    ) -> Option<Bucket> {
        let mut bucket: Option<Bucket> = None;
        let mut distinct: HashSet<u32> = HashSet::new();
        let members = groups.members(group);
        let first = members.partition_point(|it| it.time < window.from);
        for it in members[first..].iter().take_while(|it| it.time <= window.to) {
            if self.is_counted(groups, it, window.from) {
                continue;
            }
            let timestamp = events.timestamp(it.event);
            let bucket = bucket.get_or_insert_with(|| Bucket {
                key: *groups.key(group),
                count: 0,
                cardinality: None,
                oldest: it.event,
                start: it.time,
                end: it.time,
                timestamp,
            });
            bucket.count += 1;
            bucket.end = it.time;
            bucket.timestamp = bucket.timestamp.max(timestamp);
            distinct.extend(groups.values_of(it));
        }
        bucket.map(|it| Bucket { cardinality: groups.by.cardinality.map(|_| distinct.len() as u64), ..it })
    }

    /// The first execution, not before `tick`, that counts enough of a group, as things are now.
    pub(super) fn next(&self, groups: &Groups, group: u32, ticks: &Ticks, tick: i64) -> Option<i64> {
        let members = groups.members(group);
        let value = usize::try_from(groups.by.value.max(1)).unwrap_or(usize::MAX);
        if members.len() < value {
            return None;
        }
        let mut tick = ticks.in_range(tick)?;
        let mut slide = Slide::new(self, groups, members);
        let mut returns = self.returns(groups, group, ticks, tick);
        loop {
            let window = ticks.window(tick);
            if returns.contains(&tick) {
                slide = Slide::new(self, groups, members);
            }
            slide.move_to(&window);
            if groups.by.is_reached(slide.counted.len() as u64, || slide.distinct.len() as u64) {
                return Some(tick);
            }
            // Nothing changes before the missing events are in range, or counted ones return.
            let missing = value.saturating_sub(slide.counted.len()).max(1);
            let missing = members.get(slide.end.checked_add(missing - 1)?);
            let by_event = missing.and_then(|it| ticks.first_reaching(it.time));
            returns.retain(|it| *it > tick);
            tick = by_event.into_iter().chain(returns.first().copied()).filter(|it| *it > tick).min()?;
        }
    }

    /// The executions from `tick` on whose range begins exactly at the time up to which was counted: what lies there is
    /// counted once more.
    fn returns(&self, groups: &Groups, group: u32, ticks: &Ticks, tick: i64) -> Vec<i64> {
        if self.heeds_from {
            return Vec::new();
        }
        let begins_at = |to: Millis| {
            let at = ticks.first_after(to)?;
            (to != Millis::MIN && at >= tick && ticks.window(at).from == to).then_some(at)
        };
        let mut found: Vec<i64> = begins_at(self.counted_to[group as usize]).into_iter().collect();
        if groups.share_events() {
            let members = groups.members(group).iter();
            let others: HashSet<u32> = members.flat_map(|it| groups.groups_of(it)).copied().collect();
            found.extend(others.into_iter().filter_map(|it| begins_at(self.counted_to[it as usize])));
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}

/// What one execution after the other counts of a group, each event once in and once out. Not where counted events
/// return: there it begins anew.
struct Slide<'a> {
    state: &'a State,
    groups: &'a Groups,
    members: &'a [Member],
    /// The places of the events that are counted.
    counted: VecDeque<u32>,
    /// How often each value is there.
    distinct: HashMap<u32, u32>,
    /// The place of the first event after the range.
    end: usize,
}

impl<'a> Slide<'a> {
    fn new(state: &'a State, groups: &'a Groups, members: &'a [Member]) -> Self {
        Self { state, groups, members, counted: VecDeque::new(), distinct: HashMap::new(), end: 0 }
    }

    fn move_to(&mut self, window: &Window) {
        while let Some(&at) = self.counted.front()
            && let first = &self.members[at as usize]
            && first.time < window.from
        {
            self.counted.pop_front();
            for value in self.groups.values_of(first) {
                if let Some(times) = self.distinct.get_mut(value) {
                    *times -= 1;
                    if *times == 0 {
                        self.distinct.remove(value);
                    }
                }
            }
        }
        if self.counted.is_empty() {
            self.end += self.members[self.end..].partition_point(|it| it.time < window.from);
        }
        while let Some(it) = self.members.get(self.end).filter(|it| it.time <= window.to) {
            if it.time >= window.from && !self.state.is_counted(self.groups, it, window.from) {
                self.counted.push_back(self.end as u32);
                for &value in self.groups.values_of(it) {
                    *self.distinct.entry(value).or_default() += 1;
                }
            }
            self.end += 1;
        }
    }
}
