//! How a comparison went.

use std::collections::{BTreeMap, BTreeSet};

use super::question::NotAsked;

/// How two answers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Both find the same.
    Found,
    /// Both find nothing.
    Empty,
    /// Both refuse.
    Refused,
    /// They differ, as `docs/compatibility.md` says they do.
    OnPurpose,
    /// We refuse what the node does not look at.
    Hidden,
    /// They differ.
    Different,
}

impl Verdict {
    const fn text(self) -> &'static str {
        match self {
            Self::Found => "found the same",
            Self::Empty => "found nothing",
            Self::Refused => "refused by both",
            Self::OnPurpose => "different on purpose",
            Self::Hidden => "with an error in a part that the node did not look at",
            Self::Different => "different",
        }
    }
}

/// Counts, and the cases that are shown.
#[derive(Debug)]
pub(super) struct Tally {
    verdicts: BTreeMap<Verdict, usize>,
    not_asked: BTreeMap<NotAsked, usize>,
    not_run: BTreeMap<String, usize>,
    company: usize,
    company_different: usize,
    show: usize,
    shown: BTreeSet<String>,
}

impl Tally {
    /// Shows so many cases at most.
    pub(super) fn new(show: usize) -> Self {
        Self {
            verdicts: BTreeMap::new(),
            not_asked: BTreeMap::new(),
            not_run: BTreeMap::new(),
            company: 0,
            company_different: 0,
            show,
            shown: BTreeSet::new(),
        }
    }

    /// Counts anew; what was shown is not shown again.
    pub(super) fn next(&self) -> Self {
        Self { shown: self.shown.clone(), ..Self::new(self.show) }
    }

    pub(super) fn not_run(&mut self, reason: String) {
        *self.not_run.entry(reason).or_default() += 1;
    }

    pub(super) fn not_asked(&mut self, reason: NotAsked) {
        *self.not_asked.entry(reason).or_default() += 1;
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        *self.verdicts.entry(verdict).or_default() += 1;
    }

    /// Counts a rule that was run in other company.
    pub(super) fn count_company(&mut self, same: bool) {
        self.company += 1;
        self.company_different += usize::from(!same);
    }

    /// Whether a further case would be shown.
    pub(super) fn wants_more(&self) -> bool {
        self.shown.len() < self.show
    }

    /// Prints a case, unless it was printed.
    pub(super) fn show(&mut self, case: String) {
        if !self.shown.contains(&case) {
            println!("{case}");
            self.shown.insert(case);
        }
    }

    /// How many answers differ.
    pub(super) fn different(&self) -> usize {
        self.verdicts.get(&Verdict::Different).copied().unwrap_or_default() + self.company_different
    }

    /// Everything in one line, about `what`.
    pub(super) fn line(&self, what: &str) -> String {
        let mut parts: Vec<String> =
            self.verdicts.iter().map(|(verdict, count)| format!("{count} {}", verdict.text())).collect();
        parts.extend(self.not_asked.iter().map(|(reason, count)| format!("{count} {}", reason.text())));
        parts.extend(self.not_run.iter().map(|(reason, count)| format!("{count} not run: {reason}")));
        parts.push(format!(
            "{} run in other company, {} of them different",
            self.company, self.company_different
        ));
        format!("{what}: {}", parts.join(", "))
    }
}
