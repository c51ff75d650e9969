//! Random changes of a rule: of its query, its filters, its indices, its type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ecs::{Catalog, FieldType, Object};
use fastrand::Rng;
use kql::{Ast, Node, NodeKind, Term, TermKind};
use serde_json::{Value, json};

use crate::differential::world::pick;

/// What a rule may read.
const PATTERNS: &[&[&str]] = &[
    &[],
    &["*"],
    &["logs-*"],
    &["logs-aws.cloudtrail*"],
    &["logs-aws.cloudtrail-*", "filebeat-*"],
    &["filebeat-*"],
    &["filebeat-*, logs-*"],
    &["logs-*", "-logs-aws.s3*"],
    &["*", "-*-default", "logs-okta*"],
    &["logs-aws.cloudtrail-default"],
    &["logs-*-default"],
    &["logs-aws.cloudtrail-default", "logs-aws.cloudtrail-prod"],
    &["winlogbeat-*", "none-*"],
    &["none"],
];

/// What changes are made of.
#[derive(Debug)]
pub(super) struct Pool {
    /// The fields of the documents with some of their values.
    values: BTreeMap<String, Vec<String>>,
    fields: Vec<String>,
    /// Fields that terms can be taken of.
    term_fields: Vec<String>,
    /// The clauses of all rules.
    clauses: Vec<Node>,
    /// Some events, by their fields.
    events: Vec<BTreeMap<String, Vec<String>>>,
}

impl Pool {
    pub(super) fn new<'a>(
        values: BTreeMap<String, Vec<String>>,
        events: Vec<BTreeMap<String, Vec<String>>>,
        queries: impl Iterator<Item = &'a str>,
        catalog: &Catalog,
    ) -> Self {
        let mut clauses = Vec::new();
        for query in queries {
            if let Ok(Ast { root: Some(root) }) = kql::parse(query) {
                leaves(&root, &mut clauses);
            }
        }
        let fields: Vec<String> = values.keys().cloned().collect();
        let is_term = |field: &&String| {
            use FieldType::{Boolean, Date, Ip, Keyword, Long};
            catalog.get(field).is_some_and(|it| matches!(it.ty, Keyword | Ip | Long | Date | Boolean))
        };
        let term_fields = fields.iter().filter(is_term).cloned().collect();
        Self { values, fields, term_fields, clauses, events }
    }

    fn field(&self, rng: &mut Rng) -> &String {
        pick(rng, &self.fields)
    }

    /// A value that the field has somewhere, or any.
    fn value(&self, field: &str, rng: &mut Rng) -> String {
        match self.values.get(field) {
            Some(values) if !values.is_empty() && rng.u8(0..8) > 0 => pick(rng, values).clone(),
            _ => self.values[self.field(rng)].first().cloned().unwrap_or_default(),
        }
    }

    /// A field that the query asks for, or any.
    fn near_field(&self, query: &Ast, rng: &mut Rng) -> String {
        let own = query.fields();
        if !own.is_empty() && rng.bool() { pick(rng, &own).clone() } else { self.field(rng).clone() }
    }
}

/// Changes the rule in one to three ways, and says how. Most rules find nothing in a handful of files, so many are first
/// aimed at one of the events.
pub(super) fn mutate(rule: &mut Object, pool: &Pool, rng: &mut Rng) -> Vec<String> {
    let mut changes = Vec::new();
    let is_kql = rule.get("language").is_none_or(|it| it == "kuery");
    if is_kql && !pool.events.is_empty() && rng.u8(0..3) > 0 {
        changes.extend(aimed(rule, pick(rng, &pool.events), rng));
    }
    let count = changes.len() + rng.usize(1..=3);
    while changes.len() < count {
        changes.push(match rng.u8(0..20) {
            0 => index(rule, rng),
            1 => kind(rule, pool, rng),
            2..=4 => filter(rule, pool, rng),
            // Of another language the text stays as it is.
            _ if !is_kql => filter(rule, pool, rng),
            _ => {
                let text = rule.get("query").and_then(Value::as_str).unwrap_or_default();
                let Ok(mut ast) = kql::parse(text) else { return changes };
                let change = query(&mut ast, pool, rng);
                rule.insert("query".to_owned(), ast.to_string().into());
                change
            }
        });
    }
    changes
}

/// Gives most clauses the values of the event, and takes out most of those on fields that it does not have.
fn aimed(rule: &mut Object, event: &BTreeMap<String, Vec<String>>, rng: &mut Rng) -> Option<String> {
    let Ok(Ast { root: Some(mut root) }) = kql::parse(rule.get("query")?.as_str()?) else { return None };
    aim(&mut root, event, rng);
    let change = format!("aimed: {root}");
    rule.insert("query".to_owned(), root.to_string().into());
    Some(change)
}

fn aim(node: &mut Node, event: &BTreeMap<String, Vec<String>>, rng: &mut Rng) {
    let lacks = |node: &Node| match &node.kind {
        NodeKind::Is { field: Some(field), .. } | NodeKind::Range { field, .. } => {
            !event.contains_key(field.text().as_ref())
        }
        NodeKind::Is { field: None, .. }
        | NodeKind::Or(_)
        | NodeKind::And(_)
        | NodeKind::Not(_)
        | NodeKind::Nested { .. } => false,
    };
    match &mut node.kind {
        NodeKind::And(nodes) => {
            while nodes.len() > 2
                && let Some(at) = nodes.iter().position(lacks)
                && rng.u8(0..4) > 0
            {
                nodes.remove(at);
            }
            for node in nodes {
                aim(node, event, rng);
            }
        }
        NodeKind::Or(nodes) => {
            for node in nodes {
                aim(node, event, rng);
            }
        }
        NodeKind::Is { field: Some(field), value } => {
            if let Some(values) = event.get(field.text().as_ref())
                && rng.u8(0..8) > 0
            {
                *value = term(TermKind::Text { text: pick(rng, values).clone(), quoted: true });
            }
        }
        // What is excluded stays so.
        NodeKind::Not(_)
        | NodeKind::Is { field: None, .. }
        | NodeKind::Range { .. }
        | NodeKind::Nested { .. } => {}
    }
}

fn index(rule: &mut Object, rng: &mut Rng) -> String {
    let patterns = *pick(rng, PATTERNS);
    rule.insert("index".to_owned(), json!(patterns));
    format!("index {patterns:?}")
}

/// A rule about events becomes one about new terms, and the other way round; or the terms become others.
fn kind(rule: &mut Object, pool: &Pool, rng: &mut Rng) -> String {
    if rule.get("type") == Some(&json!("new_terms")) && rng.bool() {
        rule.insert("type".to_owned(), "query".into());
        rule.remove("new_terms_fields");
        rule.remove("history_window_start");
        return "type query".to_owned();
    }
    let count = rng.usize(1..=3);
    let mut fields: Vec<&String> = (0..count).map(|_| pick(rng, &pool.term_fields)).collect();
    fields.sort_unstable();
    fields.dedup();
    rule.insert("type".to_owned(), "new_terms".into());
    rule.insert("new_terms_fields".to_owned(), json!(fields));
    rule.insert("history_window_start".to_owned(), (*pick(rng, &["now-1h", "now-1d", "now-14d"])).into());
    format!("new terms of {fields:?}")
}

fn filter(rule: &mut Object, pool: &Pool, rng: &mut Rng) -> String {
    let text = rule.get("query").and_then(Value::as_str).unwrap_or_default();
    let field = pool.near_field(&kql::parse(text).unwrap_or(Ast { root: None }), rng);
    let value = pool.value(&field, rng);
    let query = match rng.u8(0..9) {
        0 => json!({"match_phrase": {field: value}}),
        1 => json!({"match_phrase": {field: {"query": value}}}),
        2 => {
            let other = pool.value(&field, rng);
            let phrases = [value, other].map(|value| json!({"match_phrase": {&field: value}}));
            json!({"bool": {"should": phrases, "minimum_should_match": 1}})
        }
        3 => json!({"exists": {"field": field}}),
        4 => json!({"range": {field: {"gte": value, "lt": pool.value("", rng)}}}),
        5 => {
            json!({"wildcard": {field: {"case_insensitive": true, "value": with_wildcard(&value, rng).join("*")}}})
        }
        6 => json!({"terms": {field: [value, "none"]}}),
        7 => json!({"prefix": {field: value.chars().take(4).collect::<String>()}}),
        _ => json!({"term": {field: {"value": changed_case(&value, rng), "case_insensitive": true}}}),
    };
    let negate = rng.bool();
    let change = format!("filter {query}, negated: {negate}");
    let filter = json!({"meta": {"negate": negate, "disabled": false}, "query": query});
    match rule.get_mut("filters") {
        Some(Value::Array(filters)) => filters.push(filter),
        _ => {
            rule.insert("filters".to_owned(), json!([filter]));
        }
    }
    change
}

/// Changes one place of the tree.
fn query(ast: &mut Ast, pool: &Pool, rng: &mut Rng) -> String {
    let near = pool.near_field(ast, rng);
    let Some(root) = &mut ast.root else {
        let node = clause(&near, pool, rng);
        let change = format!("everything narrowed to {node}");
        ast.root = Some(node);
        return change;
    };
    let mut left = rng.usize(0..count(root));
    let node = find(root, &mut left).unwrap_or_else(|| unreachable!("the place lies within the tree"));
    let was = node.to_string();
    match (&mut node.kind, rng.u8(0..12)) {
        (NodeKind::Or(nodes) | NodeKind::And(nodes), 0..=3) => {
            let dropped = nodes.remove(rng.usize(0..nodes.len()));
            if let [_] = nodes.as_slice() {
                *node = nodes.remove(0);
            }
            return format!("without {dropped}");
        }
        (NodeKind::Or(nodes), 4..=5) => node.kind = NodeKind::And(std::mem::take(nodes)),
        (NodeKind::And(nodes), 4..=5) => node.kind = NodeKind::Or(std::mem::take(nodes)),
        (NodeKind::Not(inner), 0..=5) => *node = (**inner).clone(),
        (NodeKind::Is { field: Some(field), value }, 0..=5) => {
            let name = field.text().into_owned();
            match rng.u8(0..6) {
                0 => *value = term(text_kind(pool.value(&name, rng), rng)),
                1 => *field = term(TermKind::Text { text: near, quoted: false }),
                2 => {
                    let text = changed_case(&value.text(), rng);
                    *value = term(text_kind(text, rng));
                }
                3 => *value = term(TermKind::Pattern(with_wildcard(&value.text(), rng))),
                4 => *value = term(TermKind::Pattern(vec![String::new(), String::new()])),
                _ => {
                    let other = kql::parse(&format!("{name} {} 1", pick(rng, &["<", "<=", ">", ">="])));
                    if let Ok(Ast { root: Some(Node { kind: NodeKind::Range { field, op, .. }, .. }) }) =
                        other
                    {
                        node.kind = NodeKind::Range { field, op, value: value.clone() };
                    }
                }
            }
        }
        (NodeKind::Range { field, value, .. }, 0..=5) => {
            *value = term(text_kind(pool.value(&field.text(), rng), rng));
        }
        (_, 6) => {
            let inner = node.clone();
            node.kind = NodeKind::Not(Box::new(inner));
        }
        _ => {
            let other = match rng.u8(0..4) {
                0 if !pool.clauses.is_empty() => pick(rng, &pool.clauses).clone(),
                _ => clause(&near, pool, rng),
            };
            let other = if rng.u8(0..3) == 0 {
                Node { kind: NodeKind::Not(Box::new(other.clone())), ..other }
            } else {
                other
            };
            let both = vec![node.clone(), other];
            node.kind = if rng.u8(0..3) == 0 { NodeKind::Or(both) } else { NodeKind::And(both) };
        }
    }
    format!("{was} → {node}")
}

/// A new clause on a field.
fn clause(field: &str, pool: &Pool, rng: &mut Rng) -> Node {
    let mut node = template().clone();
    let name = term(TermKind::Text { text: field.to_owned(), quoted: false });
    let value = match rng.u8(0..4) {
        0 => TermKind::Pattern(vec![String::new(), String::new()]),
        1 => TermKind::Pattern(with_wildcard(&pool.value(field, rng), rng)),
        _ => text_kind(pool.value(field, rng), rng),
    };
    node.kind = NodeKind::Is { field: Some(name), value: term(value) };
    node
}

/// What clauses are made of: their place in a text means nothing here.
fn template() -> &'static Node {
    static TEMPLATE: LazyLock<Node> = LazyLock::new(|| {
        let ast = kql::parse("field: value").ok();
        ast.and_then(|ast| ast.root).unwrap_or_else(|| unreachable!("it is a query"))
    });
    &TEMPLATE
}

fn term(kind: TermKind) -> Term {
    let NodeKind::Is { value, .. } = &template().kind else { unreachable!("the template is a clause") };
    Term { kind, ..value.clone() }
}

fn text_kind(text: String, rng: &mut Rng) -> TermKind {
    TermKind::Text { text, quoted: rng.bool() }
}

/// The text with one or two asterisks in the place of some of its characters: the pieces between.
fn with_wildcard(text: &str, rng: &mut Rng) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let first = rng.usize(0..=chars.len());
    let second = rng.usize(first..=chars.len());
    let piece = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    match rng.u8(0..4) {
        0 => vec![piece(0, second), String::new()],
        1 => vec![String::new(), piece(first, chars.len())],
        2 => vec![String::new(), piece(first, second), String::new()],
        _ => vec![piece(0, first), piece(second, chars.len())],
    }
}

fn changed_case(text: &str, rng: &mut Rng) -> String {
    match rng.u8(0..3) {
        0 => text.to_lowercase(),
        1 => text.to_uppercase(),
        _ => {
            let mut chars = text.chars();
            let head = chars
                .next()
                .map(|it| if it.is_lowercase() { it.to_ascii_uppercase() } else { it.to_ascii_lowercase() });
            head.into_iter().chain(chars).collect()
        }
    }
}

/// How many nodes there are, the root included.
fn count(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => nodes.iter().map(count).sum(),
        NodeKind::Not(inner) => count(inner),
        NodeKind::Nested { .. } | NodeKind::Is { .. } | NodeKind::Range { .. } => 0,
    }
}

/// The node that comes after so many others.
fn find<'a>(node: &'a mut Node, left: &mut usize) -> Option<&'a mut Node> {
    if *left == 0 {
        return Some(node);
    }
    *left -= 1;
    match &mut node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => nodes.iter_mut().find_map(|node| find(node, left)),
        NodeKind::Not(inner) => find(inner, left),
        NodeKind::Nested { .. } | NodeKind::Is { .. } | NodeKind::Range { .. } => None,
    }
}

fn leaves(node: &Node, found: &mut Vec<Node>) {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => nodes.iter().for_each(|node| leaves(node, found)),
        NodeKind::Not(inner) => leaves(inner, found),
        NodeKind::Is { field: Some(_), .. } | NodeKind::Range { .. } => found.push(node.clone()),
        NodeKind::Nested { .. } | NodeKind::Is { field: None, .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_rules_are_mostly_rules_and_never_the_same() {
        let values = BTreeMap::from([
            ("event.action".to_owned(), vec!["GetObject".to_owned(), "PutObject".to_owned()]),
            ("source.ip".to_owned(), vec!["203.0.113.20".to_owned()]),
            ("user.name".to_owned(), vec!["a b\"c".to_owned()]),
        ]);
        let text = "event.action: (GetObject or DeleteObject) and not user.name: \"x\" and source.ip: *";
        let event = BTreeMap::from([("event.action".to_owned(), vec!["PutObject".to_owned()])]);
        let pool = Pool::new(values, vec![event], [text].into_iter(), &Catalog::ecs());
        let rule: Object = serde_json::from_value(json!({
            "name": "n", "description": "d", "severity": "low", "risk_score": 1, "type": "query", "query": text,
        }))
        .unwrap();
        let mut loaded = 0;
        for seed in 0..500 {
            let (mut mutated, mut again) = (rule.clone(), rule.clone());
            let changes = mutate(&mut mutated, &pool, &mut Rng::with_seed(seed));
            assert!(!changes.is_empty());
            mutate(&mut again, &pool, &mut Rng::with_seed(seed));
            assert_eq!(mutated, again, "the seed alone decides");
            let query = mutated["query"].as_str().unwrap();
            let ast = kql::parse(query).unwrap_or_else(|errors| panic!("{query}: {errors}"));
            assert_eq!(kql::parse(&ast.to_string()).unwrap(), ast, "what is printed is read as the same");
            loaded += rule::load_text("mutated.json", &Value::Object(mutated).to_string()).rules.len();
        }
        assert!(loaded > 480, "{loaded} of 500 are rules");
    }
}
