//! The fields that its Kibana filters name, and what they compare them with.

use plan::{ValueKind, ValueUse};

use super::fields::Purpose;
use crate::Rule;
use crate::text::{Member, Node};

/// What a filter asks.
pub(super) enum Asked<'a> {
    /// The field of that name, which stands at the node or is the key of its member.
    Field { name: &'a str, span: span::Span, purpose: Purpose },
    /// That value of a field.
    Value(ValueUse),
    /// A query in Lucene.
    Lucene(&'a Node),
}

/// All that the rule's filters ask, in the order of the text. Of a form that is not known nothing is said here: the rule
/// is refused for it.
pub(super) fn asked(rule: &Rule) -> Vec<Asked<'_>> {
    let mut asked = Vec::new();
    for filter in rule.source.rule.get("filters").map_or(&[][..], Node::items) {
        filter_asks(filter, &mut asked);
    }
    asked
}

fn filter_asks<'a>(filter: &'a Node, asked: &mut Vec<Asked<'a>>) {
    let meta = filter.get("meta");
    let is = |key: &str| meta.and_then(|it| it.get(key)).is_some_and(|it| it.to_json() == true);
    if is("disabled") {
        return;
    }
    if meta.and_then(|it| it.get("type")).and_then(Node::text) == Some("combined") {
        for inner in meta.and_then(|it| it.get("params")).map_or(&[][..], Node::items) {
            filter_asks(inner, asked);
        }
        return;
    }
    match filter.get("query") {
        Some(query) => query_asks(query, asked),
        // Old filters have the query beside `meta`.
        None => query_asks(filter, asked),
    }
}

/// What an object with one key, the kind of the query, asks.
fn query_asks<'a>(query: &'a Node, asked: &mut Vec<Asked<'a>>) {
    for Member { key, value: body, .. } in query.members() {
        match key.as_str() {
            "bool" => {
                for Member { key, value, .. } in body.members() {
                    if matches!(key.as_str(), "must" | "filter" | "should" | "must_not" | "mustNot") {
                        for clause in clauses(value) {
                            query_asks(clause, asked);
                        }
                    }
                }
            }
            "nested" | "constant_score" | "boosting" => {
                let inner = ["query", "filter", "positive"].into_iter().find_map(|key| body.get(key));
                if let Some(inner) = inner {
                    query_asks(inner, asked);
                }
            }
            "query_string" => asked.extend(body.get("query").map(Asked::Lucene)),
            "exists" | "missing" => {
                let field = body.get("field").and_then(|node| Some((node.text()?, node.span)));
                let purpose = Purpose::Existence;
                asked.extend(field.map(|(name, span)| Asked::Field { name, span, purpose }));
            }
            "multi_match" => {
                let names = body.get("fields").map_or(&[][..], clauses).iter();
                let names = names.filter_map(|node| Some((node.text()?, node.span)));
                asked.extend(names.map(|(name, span)| {
                    let name = name.split_once('^').map_or(name, |(name, _)| name);
                    Asked::Field { name, span, purpose: Purpose::Query }
                }));
            }
            "terms" => field_asks(body, &[], ValueKind::Quoted, asked),
            "term" => field_asks(body, &["value"], ValueKind::Quoted, asked),
            "match" | "match_phrase" => field_asks(body, &["query"], ValueKind::Quoted, asked),
            "wildcard" => field_asks(body, &["value", "wildcard"], ValueKind::Pattern, asked),
            "prefix" | "range" | "regexp" => field_asks(body, &[], ValueKind::Pattern, asked),
            _ => {}
        }
    }
}

/// What `{field: value}`, `{field: [value, …]}` or `{field: {…}}` asks, where the value goes by one of `names`.
fn field_asks<'a>(body: &'a Node, names: &[&str], kind: ValueKind, asked: &mut Vec<Asked<'a>>) {
    for Member { key, key_span, value } in body.members() {
        // Parameters that stand beside the field.
        if matches!(key.as_str(), "boost" | "_name" | "rewrite" | "relation") {
            continue;
        }
        asked.push(Asked::Field { name: key, span: *key_span, purpose: Purpose::Query });
        let value = if value.members().is_empty() {
            Some(value)
        } else {
            names.iter().find_map(|name| value.get(name))
        };
        for node in value.map_or(&[][..], clauses) {
            if let Some(text) = node.text() {
                let (field, text, span) = (key.clone(), text.to_owned(), node.span);
                asked.push(Asked::Value(ValueUse { field, text, kind, span, is_required: false }));
            }
        }
    }
}

/// The items of a list; anything else stands for itself.
fn clauses(node: &Node) -> &[Node] {
    if matches!(node.data, crate::text::Data::List(_)) { node.items() } else { std::slice::from_ref(node) }
}
