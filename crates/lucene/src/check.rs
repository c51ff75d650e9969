//! What every query language offers, for this one: the same functions, with the same forms of answers.

use ecs::Catalog;
use plan::{Condition, FieldUse, LowerError};
use span::Diagnostic;

use crate::ast::{Atom, Field, Group, Node};
use crate::{lint, parse, to_query};

/// Text and fields in, condition out; else all that is wrong with the query, by the place in its text.
pub fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics())?;
    plan::condition(&to_query(&ast), catalog)
        .map_err(|errors| errors.iter().map(LowerError::diagnostic).collect())
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

/// Recurses as deep as the tree, which the parser bounds. `outer` is what the groups around ask.
fn collect(group: &Group, outer: Option<&Field>, found: &mut Vec<FieldUse>) {
    for clause in &group.0 {
        let field = clause.field.as_ref().or(outer);
        match &clause.node {
            Node::Group(inner) => collect(inner, field, found),
            Node::Atom(atom) => found.extend(field.and_then(|it| used(it, atom, clause.span))),
        }
    }
}

/// The field that a question names: itself, or as the value of [`EXISTS`](crate::translate::EXISTS).
fn used(field: &Field, atom: &Atom, span: span::Span) -> Option<FieldUse> {
    let use_of = |name: &str, span, may_be_object| {
        Some(FieldUse { name: name.to_owned(), span, may_be_object }).filter(|it| it.name != "*")
    };
    match (field.name.as_str(), atom) {
        (crate::translate::EXISTS, Atom::Words(name) | Atom::Phrase { text: name, .. }) => {
            use_of(name, span, true)
        }
        (crate::translate::EXISTS, _) => None,
        (name, _) => use_of(name, field.span, matches!(atom, Atom::Star)),
    }
}
