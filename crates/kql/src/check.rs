//! What every query language offers, for this one: the same functions, with the same forms of answers.

use ecs::Catalog;
use plan::{Condition, FieldUse, LowerError};
use span::Diagnostic;

use crate::{Node, NodeKind, Term, TranslateError, lint, parse, to_query};

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
