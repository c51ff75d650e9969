//! What every query language offers, for this one: the same functions, with the same forms of answers.

use ecs::Catalog;
use plan::{Condition, FieldUse, LowerError, ValueKind, ValueUse};
use span::Diagnostic;

use crate::ast::full_name;
use crate::{Node, NodeKind, Term, TermKind, TranslateError, lint, parse, to_query};

/// Text and fields in, condition out; else all that is wrong with the query, by the place in its text.
pub fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics())?;
    let query = to_query(&ast, catalog)
        .map_err(|errors| errors.iter().map(TranslateError::to_diagnostic).collect::<Vec<_>>())?;
    plan::condition(&query, catalog).map_err(|errors| errors.iter().map(LowerError::diagnostic).collect())
}

/// Why the text is no query, whatever the fields; nothing if it is one.
pub fn errors(text: &str) -> Vec<Diagnostic> {
    parse(text).err().map_or_else(Vec::new, |errors| errors.to_diagnostics())
}

/// What is legal but probably not meant; nothing of a text that is no query.
pub fn findings(text: &str) -> Vec<Diagnostic> {
    parse(text).map_or_else(|_| Vec::new(), |ast| lint(&ast))
}

/// The fields that the query names, in the order of its text; nothing of a text that is no query.
pub fn fields(text: &str) -> Vec<FieldUse> {
    let mut found = Vec::new();
    if let Some(root) = parse(text).ok().and_then(|ast| ast.root) {
        collect(&root, None, &mut found);
    }
    found
}

/// The values that the query compares fields with, in the order of its text; nothing of a text that is no query.
pub fn values(text: &str) -> Vec<ValueUse> {
    let mut found = Vec::new();
    if let Some(root) = parse(text).ok().and_then(|ast| ast.root) {
        compared(&root, None, true, &mut found);
    }
    found
}

/// Recurses as deep as the tree. `is_required` tells whether the query holds only where the node does.
fn compared(node: &Node, path: Option<&str>, is_required: bool, found: &mut Vec<ValueUse>) {
    match &node.kind {
        NodeKind::And(nodes) => nodes.iter().for_each(|node| compared(node, path, is_required, found)),
        NodeKind::Or(nodes) => nodes.iter().for_each(|node| compared(node, path, false, found)),
        NodeKind::Not(node) => compared(node, path, false, found),
        NodeKind::Nested { path: inner, query } => {
            compared(query, Some(&full_name(path, &inner.text())), is_required, found);
        }
        NodeKind::Is { field: Some(field), value } => {
            let kind = match &value.kind {
                // It is refused when the query is checked.
                TermKind::Null => return,
                TermKind::Bool(_) | TermKind::Text { quoted: false, .. } => ValueKind::Bare,
                TermKind::Text { quoted: true, .. } => ValueKind::Quoted,
                TermKind::Pattern(_) => ValueKind::Pattern,
            };
            let (field, text) = (full_name(path, &field.text()), value.text().into_owned());
            found.push(ValueUse { field, text, kind, span: value.span, is_required });
        }
        NodeKind::Is { field: None, .. } | NodeKind::Range { .. } => {}
    }
}

/// Recurses as deep as the tree, which the parser bounds.
fn collect(node: &Node, path: Option<&str>, found: &mut Vec<FieldUse>) {
    let full = |term: &Term| match path {
        Some(path) => format!("{path}.{}", term.text()),
        None => term.text().into_owned(),
    };
    let mut named = |term: &Term, may_be_object| {
        found.push(FieldUse { name: full(term), span: term.span, may_be_object });
    };
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => {
            for node in nodes {
                collect(node, path, found);
            }
        }
        NodeKind::Not(node) => collect(node, path, found),
        NodeKind::Nested { path: inner, query } => {
            named(inner, true);
            collect(query, Some(&full(inner)), found);
        }
        // Whether there is an object may be asked of every name.
        NodeKind::Is { field: Some(field), value } => named(field, value.is_lone_wildcard()),
        NodeKind::Range { field, .. } => named(field, false),
        NodeKind::Is { field: None, .. } => {}
    }
}
