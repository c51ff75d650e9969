//! Which columns are worth filling late.

use std::collections::BTreeSet;

use ecs::Shape;
use plan::Expr;

/// Fields that take more than a copy to make: rendered payloads, parsed user agents, collected names. Also payload
/// keys, each of which has to be found.
const COSTLY: [&str; 13] = [
    "actor.",
    "aws.cloudtrail.additional_eventdata",
    "aws.cloudtrail.flattened.",
    "aws.cloudtrail.request_parameters",
    "aws.cloudtrail.resources",
    "aws.cloudtrail.response_elements",
    "aws.cloudtrail.service_event_details",
    "event.original",
    "related.",
    "user_agent.device.",
    "user_agent.name",
    "user_agent.os.",
    "user_agent.version",
];

/// Places and networks: costly only if there is a database to look them up in.
const LOOKED_UP: [&str; 2] = ["source.as.", "source.geo."];

/// What names the call. A filter that needs one of a few calls leaves few rows.
const CALL: [&str; 2] = ["event.action", "event.provider"];

/// Whether a field takes more than a copy to make; `looks_up` says whether addresses are looked up.
pub(crate) fn is_costly(path: &str, looks_up: bool) -> bool {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let is_entity = path.ends_with(".entity.id") || path.ends_with(".target.id");
    begins(&COSTLY) || is_entity || looks_up && begins(&LOOKED_UP)
}

/// The paths that are worth filling late. A path that some filter asks of most rows is not: its records would be
/// read twice.
pub(crate) fn late_paths(filters: &[Expr], looks_up: bool) -> BTreeSet<(String, Shape)> {
    let mut late = BTreeSet::new();
    let mut early = BTreeSet::new();
    for filter in filters {
        let paths = if is_about_few_calls(filter) { &mut late } else { &mut early };
        for predicate in filter.predicates() {
            if is_costly(&predicate.path, looks_up) {
                paths.insert((predicate.path.clone(), predicate.shape));
            }
        }
    }
    late.retain(|path| !early.contains(path));
    late
}

/// Whether the filter needs the call to be one of some.
fn is_about_few_calls(filter: &Expr) -> bool {
    match filter {
        Expr::Is(predicate) => CALL.contains(&predicate.path.as_str()),
        Expr::And(clauses) => clauses.iter().any(is_about_few_calls),
        Expr::Or(clauses) => !clauses.is_empty() && clauses.iter().all(is_about_few_calls),
        // Nothing matches, so no row is left.
        Expr::Const(value) => !value,
        Expr::Not(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(query: &str) -> Vec<String> {
        let catalog = ecs::Catalog::ecs();
        let filters: Vec<Expr> = query
            .split(';')
            .map(|query| {
                let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
                plan::lower(&query, &catalog, 0).unwrap()
            })
            .collect();
        late_paths(&filters, false).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn only_what_few_rows_need_is_late() {
        let named = "event.action: PutObject and aws.cloudtrail.request_parameters: *acl*";
        assert_eq!(late(named), ["aws.cloudtrail.request_parameters"]);
        assert!(late("aws.cloudtrail.request_parameters: *acl*").is_empty(), "every row needs it");
        assert!(
            late(&format!("{named}; aws.cloudtrail.request_parameters: *key*")).is_empty(),
            "one rule needs it always"
        );
        assert!(late("event.action: PutObject and user.name: root").is_empty(), "cheap");
        assert!(late("not event.action: PutObject and related.user: root").is_empty(), "most rows pass");
        let either = "(event.action: A or event.provider: b) and related.user: root";
        assert_eq!(late(either), ["related.user"]);
    }
}
