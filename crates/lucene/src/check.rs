//! What every query language offers, for this one: the same functions, with the same forms of answers.

use ecs::Catalog;
use plan::{Condition, FieldUse, LowerError, ValueKind, ValueUse};
use span::Diagnostic;

use crate::ast::{Atom, Clause, Field, Group, Node, Occur, occurs};
use crate::{lint, parse, to_query};

/// Text and fields in, condition out; else all that is wrong with the query, by the place in its text.
pub fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics())?;
    plan::condition(&to_query(&ast, catalog), catalog)
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

/// The values that the query compares fields with, in the order of its text; nothing of a text that is no query.
pub fn values(text: &str) -> Vec<ValueUse> {
    let mut found = Vec::new();
    if let Some(root) = parse(text).ok().and_then(|ast| ast.root) {
        compared(text, &root, None, true, &mut found);
    }
    found
}

/// Recurses as deep as the tree. `is_required` tells whether the query holds only where the group does.
fn compared(text: &str, group: &Group, outer: Option<&Field>, is_required: bool, found: &mut Vec<ValueUse>) {
    let alone = group.0.len() == 1;
    for (clause, occur) in group.0.iter().zip(occurs(group)) {
        let field = clause.field.as_ref().or(outer);
        let is_required = is_required && (occur == Occur::Must || alone && occur == Occur::Should);
        match &clause.node {
            Node::Group(inner) => compared(text, inner, field, is_required, found),
            Node::Atom(atom) => {
                found.extend(field.and_then(|field| value(text, clause, field, atom, is_required)));
            }
        }
    }
}

/// The value of a clause, if it stands in the text as it is: without escapes and boosts.
fn value(text: &str, clause: &Clause, field: &Field, atom: &Atom, is_required: bool) -> Option<ValueUse> {
    let (Atom::Words(value) | Atom::Phrase { text: value, slop: 0 }) = atom else { return None };
    if field.name == crate::translate::EXISTS || field.name.contains('*') {
        return None;
    }
    let start = clause.field.as_ref().map_or(clause.span.start, |it| it.span.end);
    let rest = text.get(start..clause.span.end)?.trim_end();
    let written = rest.trim_start_matches([':', ' ', '+', '-', '!']);
    let kind = match written.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inner) if inner == value => ValueKind::Quoted,
        None if written == value => ValueKind::Bare,
        Some(_) | None => return None,
    };
    let end = start + rest.len();
    let span = span::Span::new(end - written.len(), end);
    Some(ValueUse { field: field.name.clone(), text: value.clone(), kind, span, is_required })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_are_written() {
        let text = r#"event.outcome:Failure AND (event.provider:"s3" OR -event.action:(a OR b^2)) AND _exists_:x AND c:a\ b"#;
        let found: Vec<(String, &str, bool)> = values(text)
            .into_iter()
            .map(|it| (format!("{}={}", it.field, it.text), &text[it.span.range()], it.is_required))
            .collect();
        assert_eq!(
            found,
            [
                ("event.outcome=Failure".to_owned(), "Failure", true),
                ("event.provider=s3".to_owned(), "\"s3\"", false),
                ("event.action=a".to_owned(), "a", false),
            ]
        );
        assert_eq!(values("event.dataset:x").first().map(|it| it.is_required), Some(true));
        assert_eq!(values("a:x b:y").first().map(|it| it.is_required), Some(false));
    }
}
