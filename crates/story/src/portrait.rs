//! An actor as it is told.

use std::collections::BTreeMap;

use ecs::Millis;
use identity::Confidence;
use investigate::DeedKind;

use crate::fold::Act;

/// What is told of an actor.
#[derive(Clone, Debug)]
pub struct Portrait {
    /// Its name, as a graph of identities has it.
    pub name: String,
    /// The same, short: `user/ada`.
    pub short: String,
    /// What it is, in words.
    pub kind: String,
    /// Its account.
    pub account: Option<String>,
    /// How sure it is that nobody else is behind it.
    pub confidence: Confidence,
    /// The first and the last of its calls.
    pub span: Option<(Millis, Millis)>,
    /// Who it is, what it did when and from where: one sentence.
    pub sentence: String,
    /// How sure that is: one sentence.
    pub sure: String,
    /// Calls,
    pub calls: usize,
    /// those that were refused or failed,
    pub refused: usize,
    /// and those that may have changed something.
    pub writes: usize,
    /// Where it called from; the most frequent first, as in what follows.
    pub addresses: Vec<Counted>,
    /// With which programs.
    pub agents: Vec<Counted>,
    /// In which regions.
    pub regions: Vec<Counted>,
    /// In which accounts.
    pub accounts: Vec<Counted>,
    /// Which services.
    pub services: Vec<Counted>,
    /// What it did, in the order in which it began.
    pub deeds: Vec<Deed>,
    /// All its calls.
    pub acts: Vec<Act>,
    /// Whether there may be calls that are not here.
    pub is_cut: bool,
    /// The alerts about it, by their numbers.
    pub alerts: Vec<usize>,
    /// Those among them whose events are not among its calls: they count events, or stand on alerts.
    pub loose: Vec<usize>,
}

/// A value with the number of calls that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The value.
    pub value: String,
    /// How many.
    pub calls: usize,
}

/// One thing that an actor did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What kind of thing.
    pub kind: DeedKind,
    /// When it began,
    pub start: Millis,
    /// and when it ended.
    pub end: Millis,
    /// How many calls it took.
    pub calls: usize,
    /// In words.
    pub text: String,
    /// What it is about, each once; of calls that are counted, the calls.
    pub objects: Vec<Counted>,
}

/// Values with how often each is: the most frequent first, of equal ones the smallest.
pub(crate) fn tally<'v>(values: impl IntoIterator<Item = &'v str>) -> Vec<Counted> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values.into_iter().filter(|it| !it.is_empty()) {
        *counts.entry(value).or_default() += 1;
    }
    let mut all: Vec<Counted> =
        counts.into_iter().map(|(value, calls)| Counted { value: value.to_owned(), calls }).collect();
    all.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.value.cmp(&b.value)));
    all
}
