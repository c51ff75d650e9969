//! Sequences: one slot for each key and stage, the newest wins.
//!
//! Events that no order tells apart are taken together: none of them follows another, and each sees the slots as they
//! were before all of them. So the order in which they happened to be read decides less than it might.

use ecs::Millis;
use rule::Pattern;
use rustc_hash::FxHashMap;

/// Sequences that are begun and not complete, over all keys. Beyond, the oldest are given up, and it is said.
pub const SEQUENCES_BEGUN_MAX: usize = 2_000_000;

/// So many are kept without a look at which of them have become too old.
const SWEEP_FROM: usize = 1 << 16;

/// An event in the order of time and tiebreaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) time: Millis,
    /// Its place in the order. Events of one rank do not follow one another.
    pub(super) rank: u32,
}

/// A filter that an event satisfies, with one of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) key: u32,
    pub(super) filter: u32,
}

/// Events by number, in their order, with their hits.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub(super) moments: Vec<Moment>,
    hits: Vec<Hit>,
    /// Where the hits of each event end.
    ends: Vec<u32>,
}

impl Timeline {
    /// Adds the event that comes next, with its hits.
    pub(super) fn push(&mut self, moment: Moment, hits: impl Iterator<Item = Hit>) {
        self.moments.push(moment);
        self.hits.extend(hits);
        self.ends.push(u32::try_from(self.hits.len()).expect("a rule has fewer than 2^32 join keys"));
    }

    pub(super) fn len(&self) -> usize {
        self.moments.len()
    }

    pub(super) fn hits(&self, event: u32) -> &[Hit] {
        let event = event as usize;
        let start = if event == 0 { 0 } else { self.ends[event - 1] };
        &self.hits[start as usize..self.ends[event] as usize]
    }

    pub(super) fn time(&self, event: u32) -> Millis {
        self.moments[event as usize].time
    }

    pub(super) fn rank(&self, event: u32) -> u32 {
        self.moments[event as usize].rank
    }
}

/// A sequence, complete but for events that must be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Completed {
    pub(super) key: u32,
    /// Those of the positive stages, in order.
    pub(super) events: Box<[u32]>,
}

impl Completed {
    pub(super) fn first(&self) -> u32 {
        self.events[0]
    }

    pub(super) fn last(&self) -> u32 {
        self.events[self.events.len() - 1]
    }
}

/// Sequences that were given up because there were too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) count: u64,
    /// The time of the first event when it happened first.
    pub(super) at: Option<Millis>,
}

/// The events of a sequence that is not complete, the last one first.
#[derive(Clone, Copy, Debug)]
struct Node {
    event: u32,
    /// The one before it; itself if there is none. In a node that is free, the next one that is.
    before: u32,
}

/// A sequence that waits for the event of its next stage.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Which positive stage its last event stands at.
    stage: u32,
    first: u32,
    last: u32,
}

/// Forms sequences of events that are given in order.
pub(super) struct Machine<'a> {
    timeline: &'a Timeline,
    /// The filter of each positive stage.
    filters: Vec<u32>,
    until: Option<u32>,
    /// What may lie between the first event and the last.
    maxspan: Option<Millis>,
    /// What began longer ago than this cannot matter any more.
    remembers: Millis,
    limit: usize,
    /// By key, the latest stage first.
    slots: FxHashMap<u32, Vec<Slot>>,
    begun: usize,
    sweep_at: usize,
    nodes: Vec<Node>,
    free: Option<u32>,
    /// The hits of the events of one rank, by key.
    group: Vec<(Hit, u32)>,
    completed: Vec<Completed>,
    given_up: GivenUp,
}

impl<'a> Machine<'a> {
    /// Nothing begun yet. `longest` is the most that can lie between two events that matter to one another.
    pub(super) fn new(pattern: &Pattern, timeline: &'a Timeline, longest: Millis) -> Self {
        Self::limited(pattern, timeline, longest, SEQUENCES_BEGUN_MAX)
    }

    pub(super) fn limited(pattern: &Pattern, timeline: &'a Timeline, longest: Millis, limit: usize) -> Self {
        Self {
            timeline,
            filters: pattern.positive().map(|at| pattern.stages[at].filter as u32).collect(),
            until: pattern.until.map(|it| it as u32),
            maxspan: pattern.maxspan,
            remembers: longest.min(pattern.maxspan.unwrap_or(Millis::MAX)),
            limit,
            slots: FxHashMap::default(),
            begun: 0,
            sweep_at: SWEEP_FROM.min(limit),
            nodes: Vec::new(),
            free: None,
            group: Vec::new(),
            completed: Vec::new(),
            given_up: GivenUp::default(),
        }
    }

    /// Takes events in order; gives the sequences in the order of their last events.
    pub(super) fn run(mut self, events: impl IntoIterator<Item = u32>) -> (Vec<Completed>, GivenUp) {
        let mut rank = None;
        for event in events {
            let its = self.timeline.rank(event);
            if rank != Some(its) {
                self.advance();
                rank = Some(its);
            }
            self.group.extend(self.timeline.hits(event).iter().map(|&hit| (hit, event)));
        }
        self.advance();
        (self.completed, self.given_up)
    }

    /// Takes the events of one rank.
    fn advance(&mut self) {
        let mut group = std::mem::take(&mut self.group);
        // Of one key together, in the order of the events.
        group.sort_unstable_by_key(|(hit, event)| (hit.key, *event, hit.filter));
        for of_key in group.chunk_by(|(a, _), (b, _)| a.key == b.key) {
            self.advance_key(of_key);
        }
        group.clear();
        self.group = group;
        if self.begun >= self.sweep_at {
            self.sweep();
        }
    }

    fn advance_key(&mut self, hits: &[(Hit, u32)]) {
        let key = hits[0].0.key;
        let first_of =
            |filter: u32| hits.iter().find(|(hit, _)| hit.filter == filter).map(|(_, event)| *event);
        let mut slots = self.slots.remove(&key).unwrap_or_default();
        let before = slots.len();
        // From the last stage to the first, so that what is put into a slot is not taken from it by the same events.
        let mut kept: Vec<Slot> = Vec::with_capacity(before + 1);
        for slot in slots.drain(..) {
            let stage = slot.stage as usize + 1;
            let Some(event) = first_of(self.filters[stage]) else {
                kept.push(slot);
                continue;
            };
            let span = self.timeline.time(event).saturating_sub(self.timeline.time(slot.first));
            if self.maxspan.is_some_and(|maxspan| span > maxspan) {
                release(&mut self.nodes, &mut self.free, slot);
                continue;
            }
            let last = self.node(event, Some(slot.last));
            let slot = Slot { stage: stage as u32, last, ..slot };
            if stage + 1 == self.filters.len() {
                self.complete(key, slot);
            } else {
                // It takes the place of one that stayed there.
                if let Some(at) = kept.iter().position(|it| it.stage == slot.stage) {
                    release(&mut self.nodes, &mut self.free, kept.remove(at));
                }
                kept.push(slot);
            }
        }
        // Of several the last one: the newest start.
        let first = self.filters[0];
        let mut starts = hits.iter().filter(|(hit, _)| hit.filter == first).map(|(_, event)| *event);
        if self.filters.len() == 1 {
            for event in starts {
                let last = self.node(event, None);
                self.complete(key, Slot { stage: 0, first: event, last });
            }
        } else if let Some(event) = starts.next_back() {
            if let Some(at) = kept.iter().position(|it| it.stage == 0) {
                release(&mut self.nodes, &mut self.free, kept.remove(at));
            }
            let last = self.node(event, None);
            kept.push(Slot { stage: 0, first: event, last });
        }
        // Whatever waits now has its last event at or before this `until`, and what it waits for comes behind it.
        if self.until.is_some_and(|until| first_of(until).is_some()) {
            for slot in kept.drain(..) {
                release(&mut self.nodes, &mut self.free, slot);
            }
        }
        self.begun = self.begun - before + kept.len();
        if !kept.is_empty() {
            self.slots.insert(key, kept);
        }
    }

    fn node(&mut self, event: u32, before: Option<u32>) -> u32 {
        let at = if let Some(at) = self.free {
            let next = self.nodes[at as usize].before;
            self.free = (next != at).then_some(next);
            at
        } else {
            self.nodes.push(Node { event, before: 0 });
            u32::try_from(self.nodes.len() - 1).expect("few sequences are kept, of few events each")
        };
        self.nodes[at as usize] = Node { event, before: before.unwrap_or(at) };
        at
    }

    fn complete(&mut self, key: u32, slot: Slot) {
        let mut events = Vec::with_capacity(self.filters.len());
        let mut at = slot.last;
        loop {
            let node = self.nodes[at as usize];
            events.push(node.event);
            if node.before == at {
                break;
            }
            at = node.before;
        }
        events.reverse();
        release(&mut self.nodes, &mut self.free, slot);
        self.completed.push(Completed { key, events: events.into() });
    }

    /// Forgets what is too old to be completed; and the older half, if there is too much left.
    fn sweep(&mut self) {
        // All that is begun came before what comes next.
        let now = self.nodes_time();
        let oldest = now.saturating_sub(self.remembers);
        self.forget_before(oldest);
        if self.begun >= self.limit {
            let mut starts: Vec<u32> = self.slots.values().flatten().map(|it| it.first).collect();
            let middle = starts.len() / 2;
            let (_, &mut middle, _) = starts.select_nth_unstable(middle);
            let had = self.begun;
            self.forget_before(self.timeline.time(middle).saturating_add(1));
            self.given_up.count += (had - self.begun) as u64;
            self.given_up.at.get_or_insert(now);
        }
        self.sweep_at = (self.begun * 2).clamp(SWEEP_FROM.min(self.limit), self.limit);
    }

    /// The time of the newest event that something waits at.
    fn nodes_time(&self) -> Millis {
        let last = self.slots.values().flatten().map(|it| self.nodes[it.last as usize].event).max();
        last.map_or(Millis::MIN, |event| self.timeline.time(event))
    }

    fn forget_before(&mut self, time: Millis) {
        let Self { slots, nodes, free, begun, timeline, .. } = self;
        slots.retain(|_, slots| {
            slots.retain(|slot| {
                let stays = timeline.time(slot.first) >= time;
                if !stays {
                    release(nodes, free, *slot);
                    *begun -= 1;
                }
                stays
            });
            !slots.is_empty()
        });
    }
}

/// Gives back the nodes of a sequence.
fn release(nodes: &mut [Node], free: &mut Option<u32>, slot: Slot) {
    let mut at = slot.last;
    loop {
        let node = &mut nodes[at as usize];
        let before = node.before;
        node.before = free.unwrap_or(at);
        *free = Some(at);
        if before == at {
            return;
        }
        at = before;
    }
}

#[cfg(test)]
mod tests {
    use rule::{Form, Stage};

    use super::*;

    /// Keys that begin one after the other, and end in the same order.
    fn run(keys: u32, limit: usize) -> (Vec<u32>, GivenUp) {
        let pattern = Pattern {
            form: Form::Sequence,
            stages: vec![Stage { filter: 0, missing: false }, Stage { filter: 1, missing: false }],
            until: None,
            maxspan: None,
            keys: vec![Vec::new(); 2],
            pipes: Vec::new(),
        };
        let mut timeline = Timeline::default();
        for event in 0..2 * keys {
            let moment = Moment { time: Millis::from(event), rank: event };
            timeline.push(moment, std::iter::once(Hit { key: event % keys, filter: event / keys }));
        }
        let machine = Machine::limited(&pattern, &timeline, Millis::MAX, limit);
        let (completed, given_up) = machine.run(0..2 * keys);
        (completed.iter().map(|it| it.key).collect(), given_up)
    }

    /// What is given up is the oldest, it is counted, and the newest are complete.
    #[test]
    fn too_many_are_given_up() {
        assert_eq!(run(100, 1_000), ((0..100).collect(), GivenUp::default()));
        let (keys, given_up) = run(100, 40);
        assert_eq!(keys.len() as u64 + given_up.count, 100);
        assert!((20..40).contains(&keys.len()), "{keys:?}");
        assert_eq!(keys, (100 - keys.len() as u32..100).collect::<Vec<_>>());
        assert_eq!(given_up.at, Some(39));
    }

    /// Many more than are swept at a time, none of which is too many.
    #[test]
    fn many_keys_are_kept() {
        let keys = 3 * SWEEP_FROM as u32;
        assert_eq!(run(keys, SEQUENCES_BEGUN_MAX), ((0..keys).collect(), GivenUp::default()));
    }
}
