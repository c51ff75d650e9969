//! What is summed up of a value.

use ecs::Millis;

use super::facts::Facts;
use crate::bounded::{Bounded, hash};
use crate::query::cut;

/// Values of a dimension that are told apart.
pub const ENTRIES_MAX: usize = 100_000;
/// Values of a set, such as the calls of an identity, that are told apart.
pub const SET_MAX: usize = 1_000;

/// By what records are summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Who it was: the role of a session, a user, a service.
    Identity,
    /// The access key.
    Key,
    /// The address.
    Address,
    /// The instance that called, or that a call names.
    Instance,
    /// The account that the call was made in.
    Account,
    /// The region.
    Region,
    /// The user agent.
    Agent,
    /// What calls made, and the keys that they issued.
    Made,
    /// The values of a field.
    Field(String),
}

impl Dimension {
    /// Its name in output for scripts.
    pub fn name(&self) -> &str {
        match self {
            Self::Identity => "identity",
            Self::Key => "key",
            Self::Address => "address",
            Self::Instance => "instance",
            Self::Account => "account",
            Self::Region => "region",
            Self::Agent => "agent",
            Self::Made => "made",
            Self::Field(path) => path,
        }
    }
}

/// All values of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// Which dimension.
    pub dimension: Dimension,
    /// The values: those that most alerts name first, then those with most calls, then by value.
    pub subjects: Vec<Subject>,
    /// Whether there are more than [`ENTRIES_MAX`]: those that are given are summed up in full.
    pub is_over: bool,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The value.
    pub value: String,
    /// When it was seen first and last.
    pub seen: (Millis, Millis),
    /// Calls.
    pub calls: u64,
    /// Those that were refused for want of permission.
    pub refused: u64,
    /// Those that may change something.
    pub writes: u64,
    /// Alerts about its events.
    pub alerts: u64,
    /// The services called, sorted; of these sets at most [`SET_MAX`] values.
    pub services: Vec<String>,
    /// The calls, each after its service.
    pub actions: Vec<String>,
    /// The regions.
    pub regions: Vec<String>,
    /// The user agents.
    pub agents: Vec<String>,
    /// The addresses.
    pub addresses: Vec<String>,
    /// What was made, and the keys that were issued.
    pub made: Vec<String>,
    /// Whether a set has more values than are given.
    pub is_over: bool,
}

type Set = Bounded<Box<str>, ()>;

#[derive(Clone, Debug)]
struct Total {
    seen: Option<(Millis, Millis)>,
    calls: u64,
    refused: u64,
    writes: u64,
    alerts: u64,
    /// Services, actions, regions, agents, addresses, what was made.
    sets: [Set; 6],
}

impl Default for Total {
    fn default() -> Self {
        let sets = std::array::from_fn(|_| Set::new(SET_MAX));
        Self { seen: None, calls: 0, refused: 0, writes: 0, alerts: 0, sets }
    }
}

impl Total {
    fn see(&mut self, (from, to): (Millis, Millis)) {
        let (first, last) = self.seen.unwrap_or((from, to));
        self.seen = Some((first.min(from), last.max(to)));
    }

    fn merge(&mut self, other: Self) {
        let Self { seen, calls, refused, writes, alerts, sets } = other;
        if let Some(seen) = seen {
            self.see(seen);
        }
        self.calls += calls;
        self.refused += refused;
        self.writes += writes;
        self.alerts += alerts;
        for (mine, theirs) in self.sets.iter_mut().zip(sets) {
            mine.merge(theirs, |(), ()| {});
        }
    }
}

/// The sums by all dimensions.
#[derive(Debug)]
pub(crate) struct Totals(Vec<(Dimension, Bounded<Box<str>, Total>)>);

impl Totals {
    pub(crate) fn new(dimensions: &[Dimension]) -> Self {
        Self(dimensions.iter().map(|it| (it.clone(), Bounded::new(ENTRIES_MAX))).collect())
    }

    /// Adds an event of this time.
    pub(crate) fn add(&mut self, facts: &Facts<'_>, time: Millis) {
        let actions = facts.actions();
        let sets: [Vec<&str>; 6] = [
            facts.services(),
            actions.iter().map(String::as_str).collect(),
            facts.of(&Dimension::Region),
            facts.of(&Dimension::Agent),
            facts.of(&Dimension::Address),
            facts.made.clone(),
        ];
        let sets = sets.map(|set| set.into_iter().map(|it| (hash(it.as_bytes()), it)).collect::<Vec<_>>());
        for (dimension, totals) in &mut self.0 {
            for value in facts.of(dimension) {
                let Some(total) = totals.get(hash(value.as_bytes()), || cut(value).into()) else { continue };
                total.see((time, time));
                total.calls += 1;
                total.refused += u64::from(facts.is_refused);
                total.writes += u64::from(facts.is_write);
                for (set, values) in total.sets.iter_mut().zip(&sets) {
                    for &(hash, value) in values {
                        set.get(hash, || cut(value).into());
                    }
                }
            }
        }
    }

    /// Counts an alert about such an event.
    pub(crate) fn alert(&mut self, facts: &Facts<'_>) {
        for (dimension, totals) in &mut self.0 {
            for value in facts.of(dimension) {
                if let Some(total) = totals.find(hash(value.as_bytes())) {
                    total.alerts += 1;
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for ((_, mine), (_, theirs)) in self.0.iter_mut().zip(other.0) {
            mine.merge(theirs, Total::merge);
        }
    }

    pub(crate) fn finish(self) -> Vec<Subjects> {
        let subjects = |(dimension, totals): (Dimension, Bounded<Box<str>, Total>)| {
            let is_over = totals.is_over();
            let mut subjects: Vec<Subject> =
                totals.into_entries().map(|(value, it)| subject(&value, it)).collect();
            subjects.sort_by(|a, b| {
                let counts = (b.alerts, b.calls).cmp(&(a.alerts, a.calls));
                counts.then_with(|| a.value.cmp(&b.value))
            });
            Subjects { dimension, subjects, is_over }
        };
        self.0.into_iter().map(subjects).collect()
    }
}

fn subject(value: &str, total: Total) -> Subject {
    let is_over = total.sets.iter().any(Bounded::is_over);
    let [services, actions, regions, agents, addresses, made] = total.sets.map(|set| {
        let mut values: Vec<String> = set.into_entries().map(|(value, ())| value.into()).collect();
        values.sort_unstable();
        values
    });
    Subject {
        value: value.to_owned(),
        seen: total.seen.unwrap_or_default(),
        calls: total.calls,
        refused: total.refused,
        writes: total.writes,
        alerts: total.alerts,
        services,
        actions,
        regions,
        agents,
        addresses,
        made,
        is_over,
    }
}
