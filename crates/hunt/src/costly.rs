//! Which columns are worth filling late.

use std::collections::BTreeSet;

use ecs::Shape;
use plan::Expr;

/// Fields that take more than a copy to make: rendered payloads, parsed user agents, collected names, places. Also
/// payload keys, each of which has to be found.
const COSTLY: [&str; 12] = [
    "actor.",
    "aws.cloudtrail.additional_eventdata",
    "aws.cloudtrail.flattened.",
    "aws.cloudtrail.request_parameters",
    "aws.cloudtrail.resources",
    "aws.cloudtrail.response_elements",
    "aws.cloudtrail.service_event_details",
    "event.original",
    "related.",
    "source.as.",
    "source.geo.",
    "user_agent.",
];

/// What names the call. A filter that needs one of a few calls leaves few rows.
const CALL: [&str; 2] = ["event.action", "event.provider"];

/// The paths that are worth filling late. A path that some filter asks of most rows is not: its records would be
/// read twice.
pub(crate) fn late_paths(filters: &[Expr]) -> BTreeSet<(String, Shape)> {
    let mut late = BTreeSet::new();
    let mut early = BTreeSet::new();
    for filter in filters {
        let paths = if is_about_few_calls(filter) { &mut late } else { &mut early };
        for predicate in filter.predicates() {
            if COSTLY.iter().any(|prefix| predicate.path.starts_with(prefix)) || is_entity(&predicate.path) {
                paths.insert((predicate.path.clone(), predicate.shape));
            }
        }
    }
    late.retain(|path| !early.contains(path));
    late
}

fn is_entity(path: &str) -> bool {
    path.ends_with(".entity.id") || path.ends_with(".target.id")
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
