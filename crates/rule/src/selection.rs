//! Which of the rules that were loaded run.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::Rule;

/// Why a rule does not run unless that is asked for: its file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// `enabled` is false, as in the export of a rule that is switched off.
    Disabled,
    /// `maturity` is `development`, and `enabled` says nothing else.
    Development,
    /// `maturity` is `deprecated`: kept for reference.
    Deprecated,
}

impl Withheld {
    /// All.
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Development, Self::Deprecated];

    /// The word for it, as options and lists have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Development => "development",
            Self::Deprecated => "deprecated",
        }
    }
}

impl Rule {
    /// Whether it came with the engine.
    pub fn is_built_in(&self) -> bool {
        self.source.built_in
    }

    /// Why it does not run unless that is asked for. What the file does not say keeps no rule from running.
    pub fn withheld(&self) -> impl Iterator<Item = Withheld> + use<> {
        let is = |maturity: &str| self.maturity.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(maturity));
        // Elastic's tools write `development` beside whatever they export: the switch says more.
        let reasons = [
            (Withheld::Deprecated, is("deprecated")),
            (Withheld::Disabled, self.enabled == Some(false)),
            (Withheld::Development, is("development") && self.enabled.is_none()),
        ];
        reasons.into_iter().filter_map(|(reason, holds)| holds.then_some(reason))
    }
}

/// A rule that was loaded and does not run.
#[derive(Clone, Debug)]
pub struct Idle {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Why.
    pub reason: IdleReason,
    /// Its place among all rules.
    at: usize,
}

/// Why a rule does not run.
#[derive(Clone, Debug)]
pub enum IdleReason {
    /// Its file says so.
    Withheld(Withheld),
    /// Another rule with the same id runs. Alerts of both would be mixed up.
    SameId {
        /// The field that both have in common: `rule_id` or `id`.
        field: &'static str,
        /// The rule that runs.
        other: Arc<Rule>,
    },
}

/// Rules to run, of which no two have an id in common, and those that were left out.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    rules: Vec<Arc<Rule>>,
    idle: Vec<Idle>,
}

impl Selection {
    /// Selects what runs: no rule that is withheld for a reason other than those to `include`, and of rules with one id
    /// a single one. That is one of a file rather than a built-in one, then the one of the highest `version`, then of
    /// the highest `revision`, then the first by the name of its file, whatever the order of the rules.
    pub fn new(rules: impl IntoIterator<Item = Rule>, include: &[Withheld]) -> Self {
        let (mut places, mut candidates, mut idle) = (Vec::new(), Vec::new(), Vec::new());
        for (at, rule) in rules.into_iter().enumerate() {
            let rule = Arc::new(rule);
            if let Some(reason) = rule.withheld().find(|reason| !include.contains(reason)) {
                idle.push(Idle { rule, reason: IdleReason::Withheld(reason), at });
            } else {
                places.push(at);
                candidates.push(rule);
            }
        }
        let mut rules = Vec::with_capacity(candidates.len());
        for ((rule, at), by) in candidates.iter().zip(places).zip(beaten(&candidates)) {
            let rule = Arc::clone(rule);
            if let Some((field, other)) = by {
                let other = Arc::clone(&candidates[other]);
                idle.push(Idle { rule, reason: IdleReason::SameId { field, other }, at });
            } else {
                rules.push(rule);
            }
        }
        idle.sort_by_key(|it| it.at);
        Self { rules, idle }
    }

    /// Every rule, whatever its file says; of those with one id a single one.
    pub fn all(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::new(rules, &Withheld::ALL)
    }

    /// One rule, whatever its file says.
    pub fn only(rule: Arc<Rule>) -> Self {
        Self { rules: vec![rule], idle: Vec::new() }
    }

    /// Those that run, in the order they came in.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Those that do not run, in the order they came in.
    pub fn idle(&self) -> &[Idle] {
        &self.idle
    }

    /// Both, in the order they came in; those that do not run with the reason.
    pub fn in_order(&self) -> impl Iterator<Item = (&Rule, Option<&IdleReason>)> {
        let (mut rules, mut idle) = (self.rules.iter(), self.idle.iter().peekable());
        (0..self.rules.len() + self.idle.len()).filter_map(move |at| match idle.next_if(|it| it.at == at) {
            Some(it) => Some((&*it.rule, Some(&it.reason))),
            None => Some((&**rules.next()?, None)),
        })
    }
}

/// For each rule, the place of the one that runs instead of it and the field that both have in common.
fn beaten(rules: &[Arc<Rule>]) -> Vec<Option<(&'static str, usize)>> {
    let mut best_first: Vec<usize> = (0..rules.len()).collect();
    best_first.sort_by_cached_key(|&at| {
        let rule = &rules[at];
        let (file, start) = (rule.source.name.as_str(), rule.source.rule.span.start);
        (rule.source.built_in, Reverse(rule.version), Reverse(rule.revision), file, start)
    });
    let mut beaten = vec![None; rules.len()];
    let (mut rule_ids, mut ids) = (HashMap::new(), HashMap::new());
    for at in best_first {
        let (rule_id, id) = (rules[at].rule_id.as_str(), rules[at].id.as_str());
        let same = |known: &HashMap<&str, usize>, id: &str, field| known.get(id).map(|&other| (field, other));
        beaten[at] = same(&rule_ids, rule_id, "rule_id").or_else(|| same(&ids, id, "id"));
        if beaten[at].is_none() {
            rule_ids.insert(rule_id, at);
            ids.insert(id, at);
        }
    }
    beaten
}
