//! The ground truth: what the attacks did, and which alerts must tell of it.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One line of the ground truth: what one attack did and who must notice.
#[derive(Debug, Serialize)]
pub(super) struct Truth {
    pub(super) scenario: String,
    pub(super) story: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) source_address: String,
    /// ARNs of the roles and users whose credentials were used.
    pub(super) principals: Vec<String>,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) event_ids: Vec<String>,
    pub(super) expected: Vec<Expected>,
}

/// A rule and the records it must alert on: each of them for a `query` rule, the first for a `new_terms` rule.
#[derive(Debug, Serialize)]
pub(super) struct Expected {
    pub(super) rule: String,
    pub(super) rule_id: String,
    pub(super) event_ids: Vec<String>,
    #[serde(skip)]
    novelty: Option<Novelty>,
}

/// What makes the records new to a `new_terms` rule.
#[derive(Debug)]
struct Novelty {
    terms: [String; 2],
    history_seconds: i64,
    /// When the first and the last of the records happen.
    times: (i64, i64),
}

#[derive(Deserialize)]
struct RuleFile {
    rule: Rule,
}

#[derive(Deserialize)]
struct Rule {
    rule_id: String,
    new_terms: Option<NewTerms>,
}

#[derive(Deserialize)]
struct NewTerms {
    value: Vec<String>,
    history_window_start: Vec<History>,
}

#[derive(Deserialize)]
struct History {
    value: String,
}

impl Expected {
    /// What the rule must say of the records `ids` of one principal and client. The rule's own file tells its id and
    /// what it compares, so that the ground truth cannot disagree with the pack.
    pub(super) fn new(
        rules: &Path,
        stem: &str,
        ids: &[String],
        principal: &str,
        user_agent: &str,
        times: (i64, i64),
    ) -> Result<Self> {
        let path = rules.join(format!("{stem}.toml"));
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let RuleFile { rule } =
            toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        let novelty =
            rule.new_terms.map(|new_terms| new_terms.novelty(principal, user_agent, times)).transpose();
        let novelty = novelty.with_context(|| format!("{}: history window", path.display()))?;
        let noticed = if novelty.is_some() { &ids[..1] } else { ids };
        Ok(Self { rule: stem.to_owned(), rule_id: rule.rule_id, event_ids: noticed.to_vec(), novelty })
    }
}

impl NewTerms {
    /// All rules of the pack compare the identity, some the client too.
    fn novelty(self, principal: &str, user_agent: &str, times: (i64, i64)) -> Result<Novelty> {
        let client = self.value.iter().any(|field| field.starts_with("user_agent."));
        let window = self.history_window_start.first().map_or("", |history| &history.value);
        let days = window.strip_prefix("now-").and_then(|rest| rest.strip_suffix('d'));
        let days: i64 = days.context("is not of the form now-10d")?.parse()?;
        Ok(Novelty {
            terms: [principal.to_owned(), if client { user_agent.to_owned() } else { String::new() }],
            history_seconds: days * 86_400,
            times,
        })
    }
}

/// Takes back what is expected of `new_terms` rules where another attack did the same with the same identity not
/// long before: it is not new then.
pub(super) fn settle(truths: &mut [Truth]) {
    let mut order: Vec<(i64, usize, usize)> = Vec::new();
    for (truth, expected) in
        truths.iter().enumerate().flat_map(|(at, truth)| (0..truth.expected.len()).map(move |it| (at, it)))
    {
        if let Some(novelty) = &truths[truth].expected[expected].novelty {
            order.push((novelty.times.0, truth, expected));
        }
    }
    order.sort_unstable();
    let mut seen: BTreeMap<(String, [String; 2]), i64> = BTreeMap::new();
    for (first, truth, expected) in order {
        let expected = &mut truths[truth].expected[expected];
        let Some(novelty) = &expected.novelty else { continue };
        let last = seen.entry((expected.rule.clone(), novelty.terms.clone())).or_insert(i64::MIN);
        if first.saturating_sub(*last) <= novelty.history_seconds {
            expected.event_ids.clear();
        }
        *last = novelty.times.1.max(*last);
    }
    for truth in truths {
        truth.expected.retain(|expected| !expected.event_ids.is_empty());
    }
}
