//! What it reads.

use super::Finding;
use super::query::asks_only_for;
use crate::format::reads_index;
use crate::index_pattern::{ALERTS_INDEX, CLOUDTRAIL_INDEX, IndexPatterns};
use crate::language::language;
use crate::suggest::nearest;
use crate::text::Node;
use crate::{Rule, RuleKind};

/// The indices that there are here: events and alerts.
const READ: [&str; 2] = [CLOUDTRAIL_INDEX, ALERTS_INDEX];

/// How rules name CloudTrail's index.
const USUAL: &str = "logs-aws.cloudtrail-*";

/// The data set of its events.
const DATASET: &str = "aws.cloudtrail";

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let source = &rule.source;
    if rule.data_view_id.is_some() {
        found.push(Finding::DataView {
            has_index: !rule.index.is_empty(),
            span: source.span(&["data_view_id"]),
        });
    } else if rule.index.is_empty() && reads_index(rule.kind.type_name()) {
        found.push(Finding::NoIndex { span: source.span(&["type"]) });
    }
    let patterns = IndexPatterns::new(&rule.index);
    if !rule.index.is_empty() && !reads(rule) {
        found.push(Finding::NothingRead { span: source.span(&["index"]) });
    }
    for node in source.rule.get("index").map_or(&[][..], Node::items) {
        if let Some(pattern) = node.text().filter(|pattern| resembles(pattern)) {
            let (pattern, usual) = (pattern.to_owned(), USUAL);
            found.push(Finding::IndexSlip { pattern, usual, span: node.span });
        }
    }
    if let Some(cluster) = patterns.iter().find_map(|pattern| pattern.cluster.clone()) {
        found.push(Finding::Cluster { cluster, span: source.span(&["index"]) });
    }
    let saved = source.rule.get("saved_id").and_then(|node| node.text()).is_some_and(|text| !text.is_empty());
    if saved && !matches!(rule.kind, RuleKind::SavedQuery { .. }) {
        let type_name = rule.kind.type_name();
        found.push(Finding::SavedId { type_name, span: source.span(&["saved_id"]) });
    }
    let cardinality = source.rule.at(&["threshold", "cardinality"]);
    let lists = [
        ("risk_score_mapping", source.rule.get("risk_score_mapping")),
        ("threshold.cardinality", cardinality),
    ];
    for (field, list) in lists {
        if let Some(second) = list.and_then(|list| list.items().get(1)) {
            let count = list.map_or(0, |list| list.items().len());
            found.push(Finding::OnlyFirst { field, count, span: second.span });
        }
    }
}

/// Whether the rule reads anything that there is here.
fn reads(rule: &Rule) -> bool {
    let patterns = IndexPatterns::new(&rule.index);
    READ.iter().any(|index| patterns.matches(index))
}

/// Whether the rule is about what there is here, even if a slip in its index keeps it from reading that.
pub(super) fn is_about(rule: &Rule) -> bool {
    reads(rule)
        || rule.index.iter().any(|pattern| names_the_source(pattern) || resembles(pattern))
        || asks_for_it(rule)
}

/// Whether CloudTrail's events are all that the rule can ask: by its indices, or by the data set in its query.
pub(super) fn asks_only_the_source(rule: &Rule) -> bool {
    let patterns = IndexPatterns::new(&rule.index);
    let globs: Vec<&str> = patterns.iter().filter(|it| !it.exclude).map(|it| it.glob.as_str()).collect();
    let is_its = |glob: &&str| names_the_source(glob) || resembles(glob);
    // Elastic's rules name both ways in which CloudTrail comes.
    let all = globs.iter().all(|glob| is_its(glob) || glob.starts_with("filebeat-"));
    all && globs.iter().any(is_its) || asks_for_it(rule)
}

fn names_the_source(pattern: &str) -> bool {
    pattern.contains("cloudtrail")
}

/// Whether the pattern is a slip of that for CloudTrail.
fn resembles(pattern: &str) -> bool {
    !names_the_source(pattern) && nearest(pattern, [USUAL, "logs-aws.cloudtrail*"]).is_some()
}

/// Whether its query asks for the data set.
fn asks_for_it(rule: &Rule) -> bool {
    rule.language.map(language).is_some_and(|it| asks_only_for(it, &rule.query, DATASET))
}
