//! Rules that are the same as another one.

use std::collections::BTreeMap;

use super::Finding;
use crate::Rule;

/// For each rule, what it shares with one before it.
pub(super) fn check(rules: &[Rule]) -> Vec<Vec<Finding>> {
    let mut ids: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut queries: BTreeMap<_, &Rule> = BTreeMap::new();
    rules
        .iter()
        .map(|rule| {
            let mut found = Vec::new();
            if let Some(other) = ids.get(rule.rule_id.as_str()) {
                let (rule_id, span) = (rule.rule_id.clone(), rule.source.span(&["rule_id"]));
                found.push(Finding::SameId { rule_id, other: other.file.clone(), span });
            } else {
                ids.insert(&rule.rule_id, rule);
                if let Some(other) = same_query(rule, &mut queries) {
                    let other = format!("{} ({})", other.name, other.file);
                    found.push(Finding::SameQuery { other, span: rule.source.span(&["query"]) });
                }
            }
            found
        })
        .collect()
}

/// What a rule matches and compares, but for spacing.
type Essence = (String, String, String, Vec<String>);

fn same_query<'r>(rule: &'r Rule, queries: &mut BTreeMap<Essence, &'r Rule>) -> Option<&'r Rule> {
    let query = rule.query.split_whitespace().collect::<Vec<_>>().join(" ");
    if query.is_empty() {
        return None;
    }
    let filters = rule.filters.iter().map(ToString::to_string).collect();
    // What only this type has decides, too: new terms of other fields are another rule.
    let own = format!("{:?}", rule.kind);
    let essence = (own, rule.index.join(","), query, filters);
    if let Some(other) = queries.get(&essence) {
        return Some(other);
    }
    queries.insert(essence, rule);
    None
}
