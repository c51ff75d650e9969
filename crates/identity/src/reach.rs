//! Downward: from keys to all sessions that they issued.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;

use ecs::Millis;

use crate::chain::Confidence;
use crate::graph::{AsOf, Graph, Issue, Parent};

/// Sessions deeper than that are left out, which is said.
pub const DEPTH_MAX: u32 = 10;

/// More sessions than that are left out, which is said.
pub const SESSIONS_MAX: usize = 1_000;

/// What keys issued, and what that issued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach<'g> {
    /// A parent before its children, those of the first keys by time.
    pub sessions: Vec<Reached<'g>>,
    /// What the limits leave out.
    pub cut: Cut,
}

/// A session, or a long-term key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached<'g> {
    /// The call that began it; its caller is the parent.
    pub issue: Issue<'g>,
    /// The place of the session in which the call was made; none if one of the first keys made it.
    pub parent: Option<usize>,
    /// How many calls lie between: 1 for those of the first keys.
    pub depth: u32,
    /// How sure it is that the parent made the call.
    pub confidence: Confidence,
}

/// What limits left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Sessions deeper than [`DEPTH_MAX`]; what these issued is not counted.
    pub deeper: u64,
    /// Sessions beyond [`SESSIONS_MAX`]; what these issued is not counted.
    pub more: u64,
}

impl Cut {
    /// Whether anything was left out.
    pub fn is_none(&self) -> bool {
        self.deeper == 0 && self.more == 0
    }
}

/// Where to look for calls.
struct Place<'g> {
    key: Option<&'g str>,
    /// The row that began it, and the ARN of its session.
    issued: Option<(u32, Option<&'g str>)>,
    at: Option<usize>,
    depth: u32,
}

impl Graph {
    /// Every session that the keys issued, and those that these issued, by the calls ingested until `as_of`.
    pub fn reach<'a>(&'a self, keys: &[&'a str], as_of: Millis) -> Reach<'a> {
        self.reach_within(keys, as_of, Millis::MIN..=Millis::MAX)
    }

    /// The same by calls of that time only: a key that is years old has issued more than anybody asks for.
    pub fn reach_within<'a>(
        &'a self,
        keys: &[&'a str],
        as_of: Millis,
        within: RangeInclusive<Millis>,
    ) -> Reach<'a> {
        let mut reach = Reach::default();
        let mut known: HashSet<&str> = keys.iter().copied().collect();
        let mut taken: HashSet<u32> = HashSet::new();
        let first = |&key: &&'a str| Place { key: Some(key), issued: None, at: None, depth: 0 };
        let mut open: VecDeque<Place<'a>> = keys.iter().map(first).collect();
        while let Some(place) = open.pop_front() {
            let mut found = self.made_by(&place, as_of);
            found.retain(|&(row, _)| within.contains(&self.row(row).time));
            found.retain(|&(row, _)| !taken.contains(&row) && self.stands_for_itself(row, as_of));
            for (row, confidence) in found {
                let issue = self.issue(row);
                // A key is one session, whoever says that he issued it.
                if issue.key.is_some_and(|key| !known.insert(key)) {
                    continue;
                }
                taken.insert(row);
                if place.depth == DEPTH_MAX {
                    reach.cut.deeper += 1;
                    continue;
                }
                if reach.sessions.len() == SESSIONS_MAX {
                    reach.cut.more += 1;
                    continue;
                }
                let depth = place.depth + 1;
                let at = Some(reach.sessions.len());
                open.push_back(Place { key: issue.key, issued: Some((row, issue.session)), at, depth });
                reach.sessions.push(Reached { issue, parent: place.at, depth, confidence });
            }
        }
        reach
    }

    /// The calls made at a place, by time, each with how sure that is.
    fn made_by(&self, place: &Place<'_>, as_of: Millis) -> Vec<(u32, Confidence)> {
        let counts = |row: &u32| self.row(*row).ingested <= as_of;
        let with_key = place.key.map_or(&[][..], |key| self.made_with(key));
        let mut found: Vec<(u32, Confidence)> =
            with_key.iter().copied().filter(counts).map(|row| (row, Confidence::Exact)).collect();
        if let Some((issued, Some(session))) = place.issued {
            for row in self.made_in(session).iter().copied().filter(counts) {
                match self.parent(&self.caller(row), &[row], &mut AsOf::new(as_of)) {
                    Parent::Inferred(parent) if parent == issued => found.push((row, Confidence::Inferred)),
                    Parent::Several(parents) if parents.contains(&issued) => {
                        found.push((row, Confidence::Weak));
                    }
                    Parent::None | Parent::Exact(_) | Parent::Inferred(_) | Parent::Several(_) => {}
                }
            }
        }
        found.sort_by(|&(a, _), &(b, _)| self.order(a, b));
        found.dedup_by_key(|(row, _)| *row);
        found
    }
}
