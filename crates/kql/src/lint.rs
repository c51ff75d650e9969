//! What is legal, but probably not meant.

mod siblings;
mod values;

use span::Diagnostic;

use crate::{Ast, Node, NodeKind, foreign};

/// Findings for people who write rules, in the order of their places in the text. None of them changes what the
/// query means; all have the codes `KQL201` and up.
pub fn lint(ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(root) = &ast.root {
        visit(root, false, &mut found);
    }
    found.sort_by_key(Diagnostic::span);
    found.dedup();
    found
}

/// Recurses as deep as the tree, which the parser bounds. `nested` tells whether a nested group is around.
fn visit(node: &Node, nested: bool, found: &mut Vec<Diagnostic>) {
    foreign::comparison(node, found);
    match &node.kind {
        NodeKind::Or(nodes) => {
            siblings::mixed(nodes, found);
            siblings::check(node, nodes, found);
            for node in nodes {
                visit(node, nested, found);
            }
        }
        NodeKind::And(nodes) => {
            siblings::check(node, nodes, found);
            for node in nodes {
                visit(node, nested, found);
            }
        }
        NodeKind::Not(node) => visit(node, nested, found),
        NodeKind::Nested { query, .. } => visit(query, true, found),
        NodeKind::Is { field, value } => {
            values::check(value, found);
            match field {
                Some(field) => values::null(field, value, found),
                None => values::free_text(value, nested, found),
            }
        }
        NodeKind::Range { field, op, value } => values::bound(field, *op, value, found),
    }
}
