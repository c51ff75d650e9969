//! Our side, through both of its evaluators.

use ::kql::{Ast, Node, NodeKind, TermKind};
use ecs::{Catalog, FieldType, Millis};

use super::{Answer, World};
use crate::evaluate;

/// This engine at a fixed instant.
#[derive(Debug)]
pub(super) struct Engine {
    now: Millis,
}

impl Engine {
    pub(super) fn new(now: Millis) -> Self {
        Self { now }
    }

    /// What the query finds here.
    pub(super) fn answer(&self, query: &str, world: &World) -> anyhow::Result<Answer> {
        let documents = &world.documents;
        Ok(match evaluate::kql(query, &world.listed, &world.catalog, documents, self.now)? {
            Ok(ids) => Answer::Found(ids),
            Err(reasons) => Answer::Refused(reasons),
        })
    }
}

/// Whether the peer is known to be older than the behaviour that is wanted: Kibana 8.9 did not yet escape the
/// pattern for a keyword field, so that `?`, `\` and an escaped asterisk were active in it.
pub(super) fn is_older_in_peer(query: &str, world: &World) -> bool {
    match kql::parse(query) {
        Ok(Ast { root: Some(root) }) => has_escaped_pattern(&root, &world.listed),
        Ok(Ast { root: None }) | Err(_) => false,
    }
}

fn has_escaped_pattern(node: &Node, listed: &Catalog) -> bool {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => {
            nodes.iter().any(|node| has_escaped_pattern(node, listed))
        }
        NodeKind::Not(node) => has_escaped_pattern(node, listed),
        NodeKind::Nested { query, .. } => has_escaped_pattern(query, listed),
        NodeKind::Is { field: Some(field), value } => {
            let TermKind::Pattern(pieces) = &value.kind else { return false };
            let is_keyword = matches!(field.kind, TermKind::Pattern(_))
                || listed.get(&field.text()).is_some_and(|mapping| mapping.ty == FieldType::Keyword);
            is_keyword && pieces.iter().any(|piece| piece.contains(['?', '\\', '*']))
        }
        NodeKind::Is { field: None, .. } | NodeKind::Range { .. } => false,
    }
}
