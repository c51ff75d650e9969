//! What is summed up of a value.

use std::collections::HashMap;

use ecs::Millis;

use super::facts::{Facts, Given};
use crate::bounded::{Bounded, hash};
use crate::query::cut;

/// Values of a dimension that are told apart.
pub const ENTRIES_MAX: usize = 100_000;
/// Values of a set, such as the calls of an identity, that are told apart.
pub const SET_MAX: usize = 1_000;

/// By what records are summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Whoever is behind it: the furthest identity that is known.
    Root,
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
            Self::Root => "root",
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
    /// When it was seen first and last; nothing if no event about it has a time.
    pub seen: Option<(Millis, Millis)>,
    /// Calls.
    pub calls: u64,
    /// Those without a time.
    pub undated: u64,
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
    /// What calls gave it, by whomever: keys, log-ins, policies.
    pub made_for: Vec<String>,
    /// Whether a set has more values than are given.
    pub is_over: bool,
}

type Set = Bounded<Box<str>, ()>;

#[derive(Clone, Debug)]
struct Total {
    seen: Option<(Millis, Millis)>,
    calls: u64,
    undated: u64,
    refused: u64,
    writes: u64,
    alerts: u64,
    /// Services, actions, regions, agents, addresses, what was made.
    sets: [Set; 6],
}

impl Default for Total {
    fn default() -> Self {
        let sets = std::array::from_fn(|_| Set::new(SET_MAX));
        Self { seen: None, calls: 0, undated: 0, refused: 0, writes: 0, alerts: 0, sets }
    }
}

impl Total {
    fn see(&mut self, (from, to): (Millis, Millis)) {
        let (first, last) = self.seen.unwrap_or((from, to));
        self.seen = Some((first.min(from), last.max(to)));
    }

    fn merge(&mut self, other: Self) {
        let Self { seen, calls, undated, refused, writes, alerts, sets } = other;
        if let Some(seen) = seen {
            self.see(seen);
        }
        self.calls += calls;
        self.undated += undated;
        self.refused += refused;
        self.writes += writes;
        self.alerts += alerts;
        for (mine, theirs) in self.sets.iter_mut().zip(sets) {
            mine.merge(theirs, |(), ()| {});
        }
    }
}

/// What a user or role was given, and when.
#[derive(Clone, Debug)]
struct Gifts {
    what: Set,
    seen: Option<(Millis, Millis)>,
}

impl Default for Gifts {
    fn default() -> Self {
        Self { what: Set::new(SET_MAX), seen: None }
    }
}

impl Gifts {
    fn see(&mut self, seen: Option<(Millis, Millis)>) {
        self.seen = match (self.seen, seen) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }
}

/// A user or role: account, kind, name.
type Named = (String, &'static str, String);

/// The sums by all dimensions.
#[derive(Debug)]
pub(crate) struct Totals {
    by: Vec<(Dimension, Bounded<Box<str>, Total>)>,
    gifts: Bounded<Named, Gifts>,
}

impl Totals {
    pub(crate) fn new(dimensions: &[Dimension]) -> Self {
        let by = dimensions.iter().map(|it| (it.clone(), Bounded::new(ENTRIES_MAX))).collect();
        Self { by, gifts: Bounded::new(ENTRIES_MAX) }
    }

    /// Adds an event of this time, if it has one.
    pub(crate) fn add(&mut self, facts: &Facts<'_>, time: Option<Millis>) {
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
        if let Some(Given { account, kind, name, what }) = &facts.given {
            let key = hash(format!("{account}\0{kind}\0{name}").as_bytes());
            if let Some(gifts) = self.gifts.get(key, || (account.clone(), kind, name.clone())) {
                gifts.what.get(hash(what.as_bytes()), || cut(what).into());
                gifts.see(time.map(|it| (it, it)));
            }
        }
        for (dimension, totals) in &mut self.by {
            for value in facts.of(dimension) {
                let Some(total) = totals.get(hash(value.as_bytes()), || cut(value).into()) else { continue };
                match time {
                    Some(time) => total.see((time, time)),
                    None => total.undated += 1,
                }
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
        for (dimension, totals) in &mut self.by {
            for value in facts.of(dimension) {
                if let Some(total) = totals.find(hash(value.as_bytes())) {
                    total.alerts += 1;
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for ((_, mine), (_, theirs)) in self.by.iter_mut().zip(other.by) {
            mine.merge(theirs, Total::merge);
        }
        self.gifts.merge(other.gifts, |mine, theirs| {
            mine.see(theirs.seen);
            mine.what.merge(theirs.what, |(), ()| {});
        });
    }

    pub(crate) fn finish(self) -> Vec<Subjects> {
        let gifts: Vec<(Named, Gifts)> = self.gifts.into_entries().collect();
        let subjects = |(dimension, totals): (Dimension, Bounded<Box<str>, Total>)| {
            let is_over = totals.is_over();
            let mut subjects: Vec<Subject> =
                totals.into_entries().map(|(value, it)| subject(&value, it)).collect();
            match dimension {
                Dimension::Root | Dimension::Identity => {
                    give(&mut subjects, &gifts, dimension == Dimension::Identity);
                }
                Dimension::Key
                | Dimension::Address
                | Dimension::Instance
                | Dimension::Account
                | Dimension::Region
                | Dimension::Agent
                | Dimension::Made
                | Dimension::Field(_) => {}
            }
            subjects.sort_by(|a, b| {
                let counts = (b.alerts, b.calls).cmp(&(a.alerts, a.calls));
                counts.then_with(|| a.value.cmp(&b.value))
            });
            Subjects { dimension, subjects, is_over }
        };
        self.by.into_iter().map(subjects).collect()
    }
}

/// The account, kind and name of a user or role by its ARN; a path is no part of its name.
fn named(arn: &str) -> Option<Named> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, service) = (parts.next()?, parts.nth(1)?);
    let (account, rest) = (parts.nth(1)?, parts.next()?);
    let (kind, path) = rest.split_once('/')?;
    let kind = ["user", "role"].into_iter().find(|it| *it == kind)?;
    let name = path.rsplit('/').next()?;
    (scheme == "arn" && service == "iam").then(|| (account.to_owned(), kind, name.to_owned()))
}

/// Tells users and roles what they were given. One that never called is there all the same, if `all` are.
fn give(subjects: &mut Vec<Subject>, gifts: &[(Named, Gifts)], all: bool) {
    let mut places: HashMap<Named, usize> = HashMap::new();
    for (at, subject) in subjects.iter().enumerate() {
        if let Some(named) = named(&subject.value) {
            places.entry(named).or_insert(at);
        }
    }
    for (named, gifts) in gifts {
        let mut what: Vec<String> = gifts.what.clone().into_entries().map(|(it, ())| it.into()).collect();
        what.sort_unstable();
        let is_over = gifts.what.is_over();
        match places.get(named) {
            Some(&at) => {
                subjects[at].made_for = what;
                subjects[at].is_over |= is_over;
            }
            None if all => {
                let (account, kind, name) = named;
                let value = format!("arn:aws:iam::{account}:{kind}/{name}");
                let total = Total { seen: gifts.seen, ..Total::default() };
                subjects.push(Subject { made_for: what, is_over, ..subject(&value, total) });
            }
            None => {}
        }
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
        seen: total.seen,
        calls: total.calls,
        undated: total.undated,
        refused: total.refused,
        writes: total.writes,
        alerts: total.alerts,
        services,
        actions,
        regions,
        agents,
        addresses,
        made,
        made_for: Vec::new(),
        is_over,
    }
}
