//! Clauses of a `query_string` that say nothing. What the analyzer leaves nothing of, such as `message:"!!!"`, is no
//! question in Elasticsearch but left out, with what negates or requires it: `message:"!!!" AND a:b` is `a:b`, and what
//! has no other clauses finds nothing, negated or not.

use ecs::{Catalog, FieldType, Resolved, analyze};

use crate::{Bool, Glob, Leaf, LeafKind, Query, Wildcard};

use super::is_text;

/// The query without such clauses; nothing if it has no others.
pub(super) fn without(query: &Query, catalog: &Catalog) -> Option<Query> {
    let rest = |queries: &[Query]| queries.iter().filter_map(|it| without(it, catalog)).collect::<Vec<_>>();
    match query {
        Query::Leaf(leaf) => (!is_void(leaf, catalog)).then(|| query.clone()),
        Query::Bool(Bool { must, filter, should, must_not, minimum_should_match }) => {
            let minimum_should_match = *minimum_should_match;
            let before = must.len() + filter.len() + should.len() + must_not.len();
            let (must, filter, should, must_not) = (rest(must), rest(filter), rest(should), rest(must_not));
            let after = must.len() + filter.len() + should.len() + must_not.len();
            let left = Bool { must, filter, should, must_not, minimum_should_match };
            (before == 0 || after > 0).then_some(Query::Bool(left))
        }
        Query::Lenient(inner) => without(inner, catalog).map(|it| Query::Lenient(Box::new(it))),
        Query::MatchAll | Query::MatchNone | Query::Nested { .. } => Some(query.clone()),
    }
}

/// Whether of a clause of a `query_string` analysis leaves nothing, so that it is no clause.
pub fn is_left_out(query: &Query, catalog: &Catalog) -> bool {
    without(query, catalog).is_none()
}

fn is_void(leaf: &Leaf, catalog: &Catalog) -> bool {
    let text = match &leaf.kind {
        LeafKind::Match { query, .. } | LeafKind::MatchPhrase { query, .. } => query.text(),
        // A beginning is analysed.
        LeafKind::Word(pattern) => match pattern.beginning() {
            Some(text) => text.into(),
            None => return false,
        },
        LeafKind::Term { .. }
        | LeafKind::Terms(_)
        | LeafKind::Exists
        | LeafKind::Range(_)
        | LeafKind::WordRange(_)
        | LeafKind::Wildcard { .. }
        | LeafKind::Prefix { .. }
        | LeafKind::Regexp { .. }
        | LeafKind::Fuzzy { .. }
        | LeafKind::Pattern { .. }
        | LeafKind::Ids(_) => return false,
    };
    analyze::tokens(&text).is_empty() && asks_text_only(leaf.field.as_deref(), catalog)
}

/// Whether all fields of the name are analysed, and there is one.
fn asks_text_only(name: Option<&str>, catalog: &Catalog) -> bool {
    let name = name.unwrap_or("*");
    match catalog.resolve(name) {
        Resolved::Field(mapping) => is_text(mapping.ty),
        Resolved::Unmapped if name.contains('*') => {
            let parts = name.split('*').flat_map(|text| [Glob::Any, Glob::Text(text.to_owned())]).skip(1);
            let pattern = Wildcard::new(parts, false);
            let mut fields = catalog
                .iter()
                .filter(|(name, mapping)| {
                    let is_asked =
                        !matches!(mapping.ty, FieldType::Object | FieldType::Nested | FieldType::GeoPoint);
                    is_asked && mapping.searchable && pattern.matches(name)
                })
                .peekable();
            fields.peek().is_some() && fields.all(|(_, mapping)| is_text(mapping.ty))
        }
        Resolved::FlattenedKey { .. } | Resolved::Object | Resolved::Unmapped => false,
    }
}
