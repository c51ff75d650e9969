//! Tree to Query DSL, as Elasticsearch's `query_string` does it with the settings of rules: default operator `OR`,
//! patterns analysed, all fields by default, and so lenient throughout.

use ecs::Catalog;
use plan::{Bool, Leaf, LeafKind, Literal, Operator, Query, RangeBounds, Wildcard};
use span::Span;

use crate::ast::{Ast, Atom, Clause, Conjunction, Field, Group, Node, Occur, occurs_where};

/// The field whose values are names of fields: whether they exist is asked.
pub(crate) const EXISTS: &str = "_exists_";

/// Translates a tree. Every tree has a meaning: what a field cannot hold matches nothing. The catalogue tells of which
/// clauses analysis leaves nothing.
pub fn to_query(ast: &Ast, catalog: &Catalog) -> Query {
    match &ast.root {
        None => Query::MatchAll,
        Some(root) => Query::Lenient(Box::new(group(root, None, catalog))),
    }
}

/// Recurses as deep as the tree, which the parser bounds. `field` is what the groups around ask.
fn group(group: &Group, field: Option<&Field>, catalog: &Catalog) -> Query {
    let mut all = Bool::default();
    let queries: Vec<Query> = group.0.iter().map(|it| clause(it, field, catalog)).collect();
    // Only where something follows does it matter whether a clause says anything.
    let matters = group.0.iter().any(|it| it.conjunction == Some(Conjunction::And));
    let occurs = occurs_where(group, &|at| matters && plan::is_left_out(&queries[at], catalog));
    for (query, occur) in queries.into_iter().zip(occurs) {
        match occur {
            Occur::Must => all.must.push(query),
            Occur::Should => all.should.push(query),
            Occur::MustNot => all.must_not.push(query),
        }
    }
    match (&mut all.must, &mut all.should, &all.must_not) {
        (only, none, prohibited) | (none, only, prohibited)
            if only.len() == 1 && none.is_empty() && prohibited.is_empty() =>
        {
            only.swap_remove(0)
        }
        _ => Query::Bool(all),
    }
}

fn clause(clause: &Clause, field: Option<&Field>, catalog: &Catalog) -> Query {
    let field = clause.field.as_ref().or(field);
    match &clause.node {
        Node::Group(it) => group(it, field, catalog),
        Node::Atom(atom) => question(atom, field.map(|it| it.name.as_str()), clause.span),
    }
}

fn question(atom: &Atom, field: Option<&str>, span: Span) -> Query {
    let leaf = |field: Option<&str>, kind| {
        Query::Leaf(Leaf { field: field.map(str::to_owned), kind, span: Some(span) })
    };
    if field == Some(EXISTS) {
        return match atom {
            Atom::Words(name) | Atom::Phrase { text: name, .. } => leaf(Some(name), LeafKind::Exists),
            // No field is called so.
            Atom::Star | Atom::Pattern(_) | Atom::Regexp(_) | Atom::Fuzzy { .. } | Atom::Range { .. } => {
                Query::MatchNone
            }
        };
    }
    // The name that stands for all fields.
    let field = field.filter(|it| *it != "*");
    let text = |text: &str| Literal::Text(text.to_owned());
    let kind = match atom {
        Atom::Star => match field {
            None => return Query::MatchAll,
            Some(_) => LeafKind::Exists,
        },
        Atom::Words(words) => match comparison(words) {
            Some(bounds) => LeafKind::WordRange(bounds),
            None => LeafKind::Match { query: text(words), operator: Operator::Or, lenient: true },
        },
        Atom::Phrase { text: phrase, slop } => {
            LeafKind::MatchPhrase { query: text(phrase), slop: *slop, lenient: true }
        }
        Atom::Pattern(globs) => LeafKind::Word(Wildcard::new(globs.iter().cloned(), false)),
        Atom::Regexp(value) => {
            LeafKind::Regexp { value: value.clone(), flags: None, case_insensitive: false }
        }
        Atom::Fuzzy { text, edits } => {
            LeafKind::Fuzzy { value: text.clone(), edits: edits.unwrap_or_else(|| automatic(text)) }
        }
        Atom::Range { lower, includes_lower, upper, includes_upper } => {
            let bound = |it: &Option<String>, when: bool| it.clone().filter(|_| when).map(Literal::Text);
            LeafKind::WordRange(RangeBounds {
                gt: bound(lower, !includes_lower),
                gte: bound(lower, *includes_lower),
                lt: bound(upper, !includes_upper),
                lte: bound(upper, *includes_upper),
                ..RangeBounds::default()
            })
        }
    };
    leaf(field, kind)
}

/// `>x`, `>=x`, `<x`, `<=x`, whatever else the text holds, and of all fields where none is named.
fn comparison(text: &str) -> Option<RangeBounds> {
    let bounds = RangeBounds::default();
    let rest = |sign: &str| {
        let rest = text.strip_prefix(sign).filter(|it| !it.is_empty())?;
        Some(Some(Literal::Text(rest.to_owned())))
    };
    if let Some(gte) = rest(">=") {
        return Some(RangeBounds { gte, ..bounds });
    }
    if let Some(gt) = rest(">") {
        return Some(RangeBounds { gt, ..bounds });
    }
    if let Some(lte) = rest("<=") {
        return Some(RangeBounds { lte, ..bounds });
    }
    Some(RangeBounds { lt: rest("<")?, ..bounds })
}

/// How many edits a word allows by itself.
fn automatic(text: &str) -> u8 {
    match text.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}
