//! Exceptions that except nothing, or not what was meant.

use ecs::Millis;
use span::Span;

use super::Finding;
use super::fields::{Purpose, problem};
use super::query::Scope;
use crate::exceptions::{Entry, Item, NotApplied, Test, ValueLists};
use crate::text::Node;

/// Checks one item, for executions that start at `now`.
pub(super) fn check(
    item: &Item,
    lists: &ValueLists,
    scope: &Scope<'_>,
    now: Millis,
    found: &mut Vec<Finding>,
) {
    let node = &item.source.node;
    if let Some(expires) = item.expires.filter(|_| !item.is_active(now)) {
        let span = node.get("expire_time").map_or(Span::at(node.span.start), |node| node.span);
        found.push(Finding::Expired { time: ecs::date::to_iso(expires), span });
    }
    // What is not written as it should be was reported by loading.
    let Some(entries) = &item.entries else { return };
    for (entry, node) in entries.iter().zip(node.get("entries").map_or(&[][..], Node::items)) {
        check_entry(entry, node, None, scope, found);
        let reason = match entry.query(None, lists) {
            Err(reason) => Some(reason),
            Ok(query) => plan::condition(&query, scope.catalog)
                .err()
                .map(|mut errors| NotApplied::Unfit(errors.swap_remove(0))),
        };
        if let Some(reason) = reason {
            found.push(Finding::NotApplied { reason: reason.to_string(), span: place(node) });
        }
    }
}

fn check_entry(
    entry: &Entry,
    node: &Node,
    parent: Option<&str>,
    scope: &Scope<'_>,
    found: &mut Vec<Finding>,
) {
    let field = match parent {
        Some(parent) => format!("{parent}.{}", entry.field),
        None => entry.field.clone(),
    };
    let span = node.get("field").map_or(node.span, |node| node.span);
    let purpose = match entry.test {
        Test::Nested(_) | Test::Exists => Purpose::Any,
        Test::Match(_) | Test::MatchAny(_) | Test::Wildcard(_) | Test::List { .. } => Purpose::Query,
    };
    found.extend(problem(scope, &field, purpose, span));
    match &entry.test {
        Test::Wildcard(value) if !value.contains(['*', '?']) => {
            found.push(Finding::NoWildcard { value: value.clone(), span: place(node) });
        }
        Test::Match(value) if value.contains('*') => {
            found.push(Finding::LiteralAsterisk { value: value.clone(), span: place(node) });
        }
        Test::MatchAny(values) => {
            let nodes = node.get("value").map_or(&[][..], Node::items);
            for (value, node) in values.iter().zip(nodes).filter(|(value, _)| value.contains('*')) {
                found.push(Finding::LiteralAsterisk { value: value.clone(), span: node.span });
            }
        }
        Test::Nested(entries) => {
            // Loading allows one level of them.
            for (entry, node) in entries.iter().zip(node.get("entries").map_or(&[][..], Node::items)) {
                check_entry(entry, node, Some(&field), scope, found);
            }
        }
        Test::Wildcard(_) | Test::Match(_) | Test::Exists | Test::List { .. } => {}
    }
}

/// What to underline of an entry: not all of it.
fn place(node: &Node) -> Span {
    let part = ["value", "list", "field"].into_iter().find_map(|key| node.get(key));
    part.unwrap_or(node).span
}
