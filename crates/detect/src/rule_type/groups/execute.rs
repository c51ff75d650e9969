//! Which groups alert in which execution.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ecs::Millis;

use super::state::State;
use super::table::Groups;
use super::{Bucket, Key, compare};
use crate::collect::EventRef;
use crate::fate::Watched;
use crate::rule_type::Run;
use crate::schedule::{Ticks, Window};

/// From so many times as many groups as an execution may alert on, only those that come first are put in order,
const SELECTED_FROM: usize = 4;
/// at most so often: then all are.
const SELECTIONS_MAX: u32 = 4;

/// The executions over groups. Of each group is known which execution is the next that counts enough of it; only that one
/// looks at it again.
pub(in crate::rule_type) struct GroupExecutions<'a> {
    groups: &'a Groups,
    run: Run<'a>,
    state: State,
    /// The next execution of each group that has one, as things were when it was looked for: it may turn out that there
    /// is nothing, but never that it was an earlier one.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// The groups that are due now.
    ready: Vec<u32>,
    /// So many of them, at the end, come first and are in order: the first is the last.
    sorted: usize,
    selections: u32,
    /// Which execution alerted on which group.
    said: Vec<(i64, u32)>,
    /// The first execution that left something to others.
    cut: Option<i64>,
}

impl<'a> GroupExecutions<'a> {
    pub(in crate::rule_type) fn new(groups: &'a Groups, run: Run<'a>) -> Self {
        let mut all = Self {
            groups,
            run,
            state: State::new(groups, run.ticks),
            due: BinaryHeap::new(),
            ready: Vec::new(),
            sorted: 0,
            selections: 0,
            said: Vec::new(),
            cut: None,
        };
        let due = |group| Some(Reverse((all.state.next(groups, group, run.ticks, run.ticks.first)?, group)));
        all.due = (0..groups.len()).filter_map(due).collect();
        all
    }

    /// An alert from before the first execution counted the events of that key up to `time`.
    pub(in crate::rule_type) fn count_to(&mut self, key: &Key, time: Millis) {
        if let Some(group) = self.groups.find(key) {
            self.state.count_to(group, time);
            // What is due may be so no longer; that turns out then.
        }
    }

    fn bucket(&self, group: u32, window: &Window) -> Option<Bucket> {
        self.state.bucket(self.groups, group, window, &self.run.matches.events)
    }

    fn schedule(&mut self, group: u32, tick: i64) {
        if let Some(due) = self.state.next(self.groups, group, self.run.ticks, tick) {
            self.due.push(Reverse((due, group)));
        }
    }

    /// The first execution, not before `tick`, that alerts on any group.
    pub(in crate::rule_type) fn next(&mut self, ticks: &Ticks, mut tick: i64) -> Option<i64> {
        loop {
            if let Some(&group) = self.ready.last() {
                let tick = ticks.in_range(tick)?;
                if self.bucket(group, &ticks.window(tick)).is_some() {
                    return Some(tick);
                }
                self.pop();
                self.schedule(group, tick.checked_add(1)?);
                continue;
            }
            let Reverse((due, _)) = *self.due.peek()?;
            tick = tick.max(due);
            self.take_due(tick);
        }
    }

    fn take_due(&mut self, tick: i64) {
        while let Some(&Reverse((due, group))) = self.due.peek()
            && due <= tick
        {
            self.due.pop();
            self.ready.push(group);
            self.sorted = 0;
        }
    }

    fn pop(&mut self) -> Option<u32> {
        self.sorted = self.sorted.saturating_sub(1);
        self.ready.pop()
    }

    /// The groups that this execution alerts on, in order: `limit` at most, and whether there are more. Those that
    /// `is_said` holds of are said from now on; of the others nothing is remembered.
    pub(in crate::rule_type) fn execute(
        &mut self,
        tick: i64,
        window: &Window,
        limit: usize,
        is_said: &mut dyn FnMut(&Bucket) -> bool,
    ) -> (Vec<Bucket>, bool) {
        self.take_due(tick);
        let mut found: Vec<(u32, Bucket)> = Vec::new();
        let is_more = loop {
            if self.sorted == 0 {
                self.sort((limit - found.len()).saturating_add(1));
            }
            let Some(group) = self.pop() else { break false };
            match self.bucket(group, window) {
                None => self.schedule(group, tick + 1),
                Some(_) if found.len() == limit => {
                    self.ready.push(group);
                    self.sorted += 1;
                    break true;
                }
                Some(bucket) => found.push((group, bucket)),
            }
        };
        for (group, bucket) in found.iter().filter(|(_, bucket)| is_said(bucket)) {
            self.state.count_to(*group, bucket.end);
            self.said.push((tick, *group));
        }
        for (group, _) in &found {
            self.schedule(*group, tick + 1);
        }
        if is_more {
            self.cut.get_or_insert(tick);
        }
        (found.into_iter().map(|(_, bucket)| bucket).collect(), is_more)
    }

    /// Puts so many groups at the end that come first, or all.
    fn sort(&mut self, wanted: usize) {
        let (groups, run, ready) = (self.groups, self.run, &mut self.ready);
        let backwards = |a: &u32, b: &u32| compare(run, groups.by.fields, groups.key(*b), groups.key(*a));
        if ready.len() / SELECTED_FROM > wanted && self.selections < SELECTIONS_MAX {
            self.selections += 1;
            let at = ready.len() - wanted;
            ready.select_nth_unstable_by(at, backwards);
            ready[at..].sort_by(backwards);
            self.sorted = wanted;
        } else {
            // What is left of an earlier execution is in order already, so that this is cheap.
            ready.sort_by(backwards);
            self.sorted = ready.len();
        }
    }

    /// See [`Counting::events`](super::Counting::events).
    pub(in crate::rule_type) fn events(&self, bucket: &Bucket) -> Vec<EventRef> {
        let members = self.groups.find(&bucket.key).map_or(&[][..], |group| self.groups.members(group));
        // A group may have a hundred times as many events as any execution looks at.
        let first = members.partition_point(|it| it.time < bucket.start);
        members[first..].iter().take_while(|it| it.time <= bucket.end).map(|it| it.event).collect()
    }

    /// What an execution that comes next would count of a group, whether or not it is enough.
    pub(in crate::rule_type) fn count(&self, key: &Key, window: &Window) -> Option<Bucket> {
        let group = self.groups.find(key)?;
        self.state.count(self.groups, group, window, &self.run.matches.events)
    }

    pub(in crate::rule_type) fn is_counted(&self, keys: &[Key], time: Millis, from: Millis) -> bool {
        let mut groups = keys.iter().filter_map(|key| self.groups.find(key));
        groups.any(|group| self.state.counted_to(group).holds(time, from))
    }

    pub(in crate::rule_type) fn groups(&self) -> Vec<Key> {
        (0..self.groups.len()).map(|group| *self.groups.key(group)).collect()
    }

    /// Whether it is this delivery of the event that counts.
    pub(in crate::rule_type) fn holds(&self, key: &Key, watched: &Watched) -> bool {
        let events = &self.run.matches.events;
        let Some(group) = self.groups.find(key) else { return false };
        let members = self.groups.members(group);
        let first = members.partition_point(|it| it.time < watched.at.time);
        let at_that_time = members[first..].iter().take_while(|it| it.time == watched.at.time);
        at_that_time.into_iter().any(|it| watched.is(events, it.event))
    }

    /// Whether alerts from before the first execution, of which nothing is known, could change what the execution at
    /// `first` says, or later ones.
    pub(in crate::rule_type) fn depends_on_earlier(&self, first: i64) -> bool {
        let ticks = self.run.ticks;
        if self.cut.is_some_and(|tick| tick < first) {
            return true;
        }
        let (from, before) = (ticks.window(first).from, ticks.window(first.saturating_sub(1)).to);
        let sees = |group: u32| {
            let members = self.groups.members(group);
            let at = members.partition_point(|it| it.time < from);
            members.get(at).is_some_and(|it| it.time <= before)
        };
        let mut said = self.said.iter().filter(|(tick, _)| *tick < first).map(|(_, group)| *group);
        // What began without knowing has forgotten everything by then, but for what it said itself.
        let is_late = ticks.window(ticks.first).to > from;
        if is_late || self.groups.share_events() && said.clone().next().is_some() {
            return (0..self.groups.len()).any(sees);
        }
        said.any(sees)
    }
}
