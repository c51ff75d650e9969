//! The fields that its Kibana filters name, and what they compare them with.

use ecs::Catalog;
use plan::dsl::Placed;
use plan::{LeafKind, Literal, ValueKind, ValueUse};
use span::Span;

use super::fields::Purpose;
use crate::Rule;
use crate::text::Node;

/// What a filter asks.
pub(super) enum Asked<'a> {
    /// The field of that name.
    Field { name: String, span: Span, purpose: Purpose },
    /// That value of a field.
    Value(ValueUse),
    /// A query in Lucene.
    Lucene(&'a Node),
}

/// All that the rule's filters ask, as they are read when it is compiled. Of a form that is not known nothing is said here:
/// the rule is refused for it.
pub(super) fn asked<'a>(rule: &'a Rule, catalog: &Catalog) -> Vec<Asked<'a>> {
    let source = &rule.source;
    let mut asked = Vec::new();
    let plan::filters::Asked { fields, lucene } = plan::filters::asked(&rule.filters, catalog);
    for placed in fields {
        let Some(name) = placed.leaf.field.clone() else { continue };
        let node = source.node_at(&placed.field_at);
        // The name is a key, or the text that stands there, perhaps with a boost.
        let is_text = node.text().is_some_and(|it| it.split('^').next() == Some(name.as_str()));
        let is_key = placed.value_at.is_some() || !is_text;
        let span = if is_key { source.key_span_of(&placed.field_at) } else { node.span };
        let is_existence = placed.leaf.kind == LeafKind::Exists;
        let purpose = if is_existence { Purpose::Existence } else { Purpose::Query };
        asked.push(Asked::Field { name: name.clone(), span, purpose });
        asked.extend(values(rule, &placed, &name).into_iter().map(Asked::Value));
    }
    asked.extend(lucene.iter().map(|at| Asked::Lucene(source.node_at(at))));
    asked
}

/// The texts that the field is compared with.
fn values(rule: &Rule, placed: &Placed, name: &str) -> Vec<ValueUse> {
    let Some(at) = &placed.value_at else { return Vec::new() };
    let value = |text: &str, at: &str, kind: ValueKind| ValueUse {
        field: name.to_owned(),
        text: text.to_owned(),
        kind,
        span: rule.source.node_at(at).span,
        is_required: false,
    };
    let literal = |it: &Literal, at: &str| match it {
        Literal::Text(text) => Some(value(text, at, ValueKind::Quoted)),
        Literal::Null | Literal::Bool(_) | Literal::Number(_) => None,
    };
    match &placed.leaf.kind {
        LeafKind::Terms(all) => {
            let one = |(item, it): (usize, &Literal)| literal(it, &format!("{at}[{item}]"));
            all.iter().enumerate().filter_map(one).collect()
        }
        LeafKind::Term { value, .. } => literal(value, at).into_iter().collect(),
        LeafKind::Match { query, .. } | LeafKind::MatchPhrase { query, .. } => {
            literal(query, at).into_iter().collect()
        }
        LeafKind::Wildcard { value: pattern, .. } => vec![value(pattern, at, ValueKind::Pattern)],
        LeafKind::Prefix { value: beginning, .. } => {
            vec![value(&format!("{beginning}*"), at, ValueKind::Pattern)]
        }
        LeafKind::Exists
        | LeafKind::Range(_)
        | LeafKind::WordRange(_)
        | LeafKind::Word(_)
        | LeafKind::Regexp { .. }
        | LeafKind::Fuzzy { .. }
        | LeafKind::Pattern { .. }
        | LeafKind::Ids(_) => Vec::new(),
    }
}
