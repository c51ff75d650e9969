//! Findings about conditions under one operator.

use std::collections::HashMap;

use span::{Diagnostic, Label, Severity};

use crate::translate::matches_pieces;
use crate::{Node, NodeKind, Term, TermKind};

/// How many pairs of patterns and values under one operator are compared.
const MAX_PAIRS: usize = 100_000;

/// `a or b and c`: right by the grammar, misread by people.
pub(super) fn mixed(nodes: &[Node], found: &mut Vec<Diagnostic>) {
    for node in nodes {
        if matches!(node.kind, NodeKind::And(_)) && !node.parenthesised {
            found.push(
                Diagnostic::new(
                    Severity::Warning,
                    "KQL201",
                    "`and` and `or` are mixed without parentheses",
                    node.span,
                )
                .label("`and` binds tighter: this is read as one condition")
                .help("put parentheses around what belongs together"),
            );
        }
    }
}

/// Conditions that repeat, contradict, cover or nearly equal one another.
pub(super) fn check(parent: &Node, nodes: &[Node], found: &mut Vec<Diagnostic>) {
    let is_or = matches!(parent.kind, NodeKind::Or(_));
    let mut seen: HashMap<String, &Node> = HashMap::new();
    let mut folded: HashMap<String, (&Node, String)> = HashMap::new();
    for node in nodes {
        let text = node.to_string();
        if let Some(first) = seen.get(&text) {
            found.push(pair("KQL206", "this condition stands here twice", node, first, "first here"));
            continue;
        }
        let opposite = match &node.kind {
            NodeKind::Not(inner) => seen.get(&inner.to_string()),
            _ => seen.get(&negated(node)),
        };
        if let Some(other) = opposite {
            let message = if is_or {
                "one of these two always matches"
            } else {
                "no document can satisfy both of these"
            };
            found.push(pair("KQL214", message, node, other, "the opposite"));
        }
        if is_or && let Some(key) = folded_key(node) {
            match folded.get(&key) {
                Some((other, _)) => {
                    let message = "these values differ only in upper and lower case";
                    // Often meant so: keywords know no case-insensitive comparison.
                    let found_here = pair("KQL205", message, node, other, "the other one");
                    found.push(Diagnostic { severity: Severity::Note, ..found_here });
                }
                None => {
                    folded.insert(key, (node, text.clone()));
                }
            }
        }
        seen.insert(text, node);
    }
    if is_or {
        covered(nodes, found);
    }
}

/// What the negation of a condition prints as.
fn negated(node: &Node) -> String {
    let not = Node { kind: NodeKind::Not(Box::new(node.clone())), span: node.span, parenthesised: false };
    not.to_string()
}

/// Equal for conditions on one field whose texts differ in letter case alone.
fn folded_key(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Is { field: Some(field), value } if matches!(value.kind, TermKind::Text { .. }) => {
            Some(format!("{field}\0{}", value.text().to_lowercase()))
        }
        _ => None,
    }
}

/// The condition, its field and its value, if it is `field: value`.
fn comparison(node: &Node) -> Option<(&Node, &Term, &Term)> {
    match &node.kind {
        NodeKind::Is { field: Some(field), value } => Some((node, field, value)),
        _ => None,
    }
}

/// `f: (ab or a*)`: the pattern finds the first, too.
fn covered(nodes: &[Node], found: &mut Vec<Diagnostic>) {
    let pieces_of = |value: &Term| match &value.kind {
        TermKind::Pattern(pieces) => Some(pieces.clone()),
        TermKind::Null | TermKind::Bool(_) | TermKind::Text { .. } => None,
    };
    let patterns: Vec<_> = nodes
        .iter()
        .filter_map(comparison)
        .filter_map(|(node, field, value)| Some((node, field, pieces_of(value)?)))
        .collect();
    if patterns.len() * nodes.len() > MAX_PAIRS {
        return;
    }
    for (node, field, value) in nodes.iter().filter_map(comparison) {
        let TermKind::Text { text, .. } = &value.kind else { continue };
        // A pattern with white space is split on some field types: it may find less than it seems to.
        let cover = patterns.iter().find(|(_, name, pieces)| {
            *name == field
                && !pieces.iter().any(|piece| piece.contains(char::is_whitespace))
                && matches_pieces(pieces, text)
        });
        if let Some((pattern, ..)) = cover {
            found.push(pair(
                "KQL206",
                "a pattern beside it already finds this value",
                node,
                pattern,
                "this pattern",
            ));
        }
    }
}

fn pair(code: &'static str, message: &str, node: &Node, other: &Node, label: &str) -> Diagnostic {
    let mut found = Diagnostic::new(Severity::Warning, code, message, node.span);
    found.labels.push(Label { span: other.span, text: label.to_owned() });
    found
}
