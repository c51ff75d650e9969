//! What it reads.

use super::Finding;
use crate::format::reads_index;
use crate::index_pattern::{ALERTS_INDEX, CLOUDTRAIL_INDEX, IndexPatterns};
use crate::{Rule, RuleKind};

/// The indices that there are here: events and alerts.
const READ: [&str; 2] = [CLOUDTRAIL_INDEX, ALERTS_INDEX];

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
pub(super) fn reads(rule: &Rule) -> bool {
    let patterns = IndexPatterns::new(&rule.index);
    READ.iter().any(|index| patterns.matches(index))
}
