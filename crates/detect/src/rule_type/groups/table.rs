//! Which events are in which group.

use std::collections::HashMap;
use std::hash::Hasher;

use ecs::Millis;
use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::lists::{ListId, Lists};
use super::{GroupBy, Key, MISSING};
use crate::collect::{Chunked, EventRef, EventTable, Feed, Moved};
use crate::outcome::{Metrics, Warning};
use crate::rule_type::combinations::Skipped;
use crate::rule_type::listed::ListedMatch;
use crate::rule_type::query;
use crate::tail::EventTime;
use crate::tails::ColumnNumber;
use crate::term::{Interner, TermId};

/// An event in one of its groups: 24 bytes, as millions of them are ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) time: Millis,
    pub(super) group: u32,
    pub(super) event: EventRef,
    /// All its groups, if it is in several.
    pub(super) groups: ListId,
    /// Its values that are counted.
    pub(super) values: ListId,
}

/// What one thread gathered.
#[derive(Clone, Debug)]
pub(crate) struct GroupTable {
    by: GroupBy,
    index: HashTable<u32>,
    keys: Chunked<Key>,
    members: Vec<Member>,
    groups: Lists,
    values: Lists,
    /// The events that are in no group, if they matter.
    apart: query::Gathered,
    skipped: Skipped,
}

impl GroupTable {
    pub(in crate::rule_type) fn new(by: &GroupBy) -> Self {
        Self {
            by: by.clone(),
            index: HashTable::new(),
            keys: Chunked::default(),
            members: Vec::new(),
            groups: Lists::default(),
            values: Lists::default(),
            apart: query::Gathered::default(),
            skipped: Skipped::default(),
        }
    }

    /// Says whether the event matters.
    pub(in crate::rule_type) fn push(
        &mut self,
        at: EventTime,
        values: &[&[TermId]],
        feed: &mut Feed<'_, '_>,
    ) -> bool {
        let mut keys = Vec::new();
        let left_out = self.by.keys(values, feed.terms(), |key| keys.push(key));
        if left_out > 0 {
            self.skipped.add(at.time, feed.id(), left_out);
        }
        if self.by.is_apart(values) {
            self.apart.add(at, feed.row());
            return true;
        }
        if !keys.is_empty() {
            self.add(at.time, feed.row(), &keys, values);
        }
        !keys.is_empty()
    }

    /// Adds an event to its groups.
    fn add(&mut self, time: Millis, event: EventRef, keys: &[Key], values: &[&[TermId]]) {
        let values = self.counted(values);
        if let [key] = keys {
            let group = self.group(*key);
            self.members.push(Member { time, group, event, groups: ListId::default(), values });
            return;
        }
        let mut mine: Vec<u32> = keys.iter().map(|key| self.group(*key)).collect();
        let groups = self.list_of(&mut mine);
        for group in mine {
            self.members.push(Member { time, group, event, groups, values });
        }
    }

    /// The list of the values that are counted.
    fn counted(&mut self, values: &[&[TermId]]) -> ListId {
        let counted = self.by.counted(values);
        if counted.is_empty() {
            return ListId::default();
        }
        let mut counted: Vec<u32> = counted.iter().map(|it| it.0).collect();
        counted.sort_unstable();
        counted.dedup();
        self.values.intern(&counted)
    }

    /// The list of an event's groups, if there are several.
    fn list_of(&mut self, groups: &mut [u32]) -> ListId {
        groups.sort_unstable();
        if groups.len() > 1 { self.groups.intern(groups) } else { ListId::default() }
    }

    fn group(&mut self, key: Key) -> u32 {
        let Self { index, keys, .. } = self;
        let hash = hash(&key);
        if let Some(&group) = index.find(hash, |&it| keys[it as usize] == key) {
            return group;
        }
        let group = u32::try_from(keys.len()).expect("a rule has fewer than 2^32 groups");
        keys.push(key);
        index.insert_unique(hash, group, |&it| self::hash(&keys[it as usize]));
        group
    }

    pub(in crate::rule_type) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        self.skipped.merge(other.skipped);
        self.apart.merge(other.apart, moved);
        drop(other.index);
        // Where groups and lists went, as far as somebody is still in them.
        let mut groups: Vec<Option<u32>> = vec![None; other.keys.len()];
        let mut lists: Vec<Option<ListId>> = vec![None; other.groups.len()];
        let mut values: Vec<Option<ListId>> = vec![None; other.values.len()];
        let fields = self.by.fields;
        for it in other.members {
            if it.time < moved.since {
                continue;
            }
            let mut group_of = |table: &mut Self, moved: &mut Moved<'_>, group: u32| {
                *groups[group as usize].get_or_insert_with(|| {
                    let mut key = other.keys[group as usize];
                    for (column, id) in key[..fields].iter_mut().enumerate() {
                        if *id != MISSING {
                            *id = moved.value(0, column, *id);
                        }
                    }
                    table.group(key)
                })
            };
            let group = group_of(self, moved, it.group);
            let of_event = if let Some(list) = lists[it.groups.index()] {
                list
            } else {
                let all = other.groups.get(it.groups).iter();
                let mut all: Vec<u32> = all.map(|&group| group_of(self, moved, group)).collect();
                *lists[it.groups.index()].insert(self.list_of(&mut all))
            };
            let counted = if let Some(list) = values[it.values.index()] {
                list
            } else {
                let all = other.values.get(it.values).iter();
                let mut all: Vec<u32> = all.map(|&id| moved.value(0, fields, TermId(id)).0).collect();
                all.sort_unstable();
                *values[it.values.index()].insert(self.values.intern(&all))
            };
            let event = moved.event(it.event);
            self.members.push(Member { time: it.time, group, event, groups: of_event, values: counted });
        }
    }

    pub(in crate::rule_type) fn events(&self) -> impl Iterator<Item = EventRef> {
        self.members.iter().map(|it| it.event).chain(self.apart.events())
    }

    /// What its rule groups by.
    pub(in crate::rule_type) fn by(&self) -> &GroupBy {
        &self.by
    }

    pub(in crate::rule_type) fn finish(self, copies: &[Option<u32>], events: &EventTable) -> Groups {
        let Self { by, index, keys, mut members, groups, values, mut apart, skipped } = self;
        let copies = drop_copies(&mut members, &mut apart, copies, events);
        members.sort_unstable_by(|a, b| {
            (a.group, a.time).cmp(&(b.group, b.time)).then_with(|| events.compare(a.event, b.event))
        });
        let mut starts = Vec::with_capacity(keys.len() + 1);
        let mut at = 0;
        for group in 0..keys.len() {
            starts.push(at as u32);
            at += members[at..].iter().take_while(|it| it.group as usize == group).count();
        }
        starts.push(at as u32);
        Groups {
            by,
            index,
            keys,
            starts,
            members,
            several: groups,
            values,
            apart: apart.finish(&[], events),
            skipped,
            copies,
        }
    }
}

/// Of the copies of an event the one read first stays. Says how many did not.
fn drop_copies(
    members: &mut Vec<Member>,
    apart: &mut query::Gathered,
    copies: &[Option<u32>],
    events: &EventTable,
) -> u64 {
    let copy = |it: EventRef| copies.get(it.index()).copied().flatten();
    let mut first: HashMap<u32, EventRef> = HashMap::new();
    for it in members.iter().map(|it| it.event).chain(apart.events()) {
        if let Some(copy) = copy(it) {
            let first = first.entry(copy).or_insert(it);
            if events.origin(it) < events.origin(*first) {
                *first = it;
            }
        }
    }
    if first.is_empty() {
        return 0;
    }
    let mut dropped = std::collections::HashSet::new();
    let mut stays = |it: EventRef| {
        let stays = copy(it).is_none_or(|copy| first.get(&copy) == Some(&it));
        if !stays {
            dropped.insert(it);
        }
        stays
    };
    members.retain(|it| stays(it.event));
    apart.retain(stays);
    dropped.len() as u64
}

fn hash(key: &Key) -> u64 {
    let mut hasher = FxHasher::default();
    for id in key {
        hasher.write_u32(id.0);
    }
    hasher.finish()
}

/// All groups of a rule.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(super) by: GroupBy,
    index: HashTable<u32>,
    keys: Chunked<Key>,
    /// Where the members of each group begin, and where those of the last end.
    starts: Vec<u32>,
    /// By group and time.
    members: Vec<Member>,
    several: Lists,
    values: Lists,
    /// The events that are in no group, if they matter, in order.
    pub(in crate::rule_type) apart: query::Complete,
    skipped: Skipped,
    copies: u64,
}

impl Groups {
    /// Of matches of which nothing is left to decide.
    pub(in crate::rule_type) fn of(
        by: &GroupBy,
        matches: &[&ListedMatch],
        columns: &[ColumnNumber],
        values: &[Interner],
        events: &EventTable,
    ) -> Self {
        let mut table = GroupTable::new(by);
        for it in matches {
            let ids: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
            let mut keys = Vec::new();
            let term = |column: usize, id| values[columns[column].index()].get(id);
            let left_out = by.keys(&ids, term, |key| keys.push(key));
            if left_out > 0 {
                table.skipped.add(it.at.time, events.id(it.event, &mut [0; 36]), left_out);
            }
            if by.is_apart(&ids) {
                table.apart.add(it.at, it.event);
            } else {
                table.add(it.at.time, it.event, &keys, &ids);
            }
        }
        let mut first: HashMap<(String, u32), EventRef> = HashMap::new();
        let mut copies = vec![None; events.len()];
        for event in table.events() {
            let identity = (events.id(event, &mut [0; 36]).to_owned(), events.index(event));
            let first = *first.entry(identity).or_insert(event);
            if first != event {
                copies[first.index()] = Some(first.index() as u32);
                copies[event.index()] = Some(first.index() as u32);
            }
        }
        table.finish(&copies, events)
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.keys.len() as u32
    }

    pub(super) fn key(&self, group: u32) -> &Key {
        &self.keys[group as usize]
    }

    /// The group of that key.
    pub(super) fn find(&self, key: &Key) -> Option<u32> {
        self.index.find(hash(key), |&it| self.keys[it as usize] == *key).copied()
    }

    /// Its events by time.
    pub(super) fn members(&self, group: u32) -> &[Member] {
        &self.members[self.starts[group as usize] as usize..self.starts[group as usize + 1] as usize]
    }

    /// All groups of an event.
    pub(super) fn groups_of<'a>(&'a self, member: &'a Member) -> &'a [u32] {
        if member.groups.is_empty() {
            std::slice::from_ref(&member.group)
        } else {
            self.several.get(member.groups)
        }
    }

    /// Whether any event is in several groups.
    pub(super) fn share_events(&self) -> bool {
        self.several.len() > 1
    }

    /// The event's values that are counted.
    pub(super) fn values_of(&self, member: &Member) -> &[u32] {
        self.values.get(member.values)
    }

    pub(in crate::rule_type) fn report(&self, metrics: &mut Metrics, warnings: &mut Vec<Warning>) {
        metrics.copies = Some(self.copies);
        self.skipped.report(warnings);
    }
}
