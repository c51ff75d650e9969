//! Makes a difference small: first the query, then the documents.

use std::fmt::Write as _;

use ecs::Object;
use kql::{Node, NodeKind};
use lucene::{Clause, Group};
use serde_json::Value;

use super::language::Language;
use super::{Answer, Difference, Sides, Tally, World};

/// How often a difference is made smaller at most.
const STEPS: usize = 200;

/// Makes the difference as small as it gets and prints it as a case.
pub(super) fn shrink(sides: &mut Sides, world: &World, mut difference: Difference) -> anyhow::Result<String> {
    for _ in 0..STEPS {
        let candidates = smaller(sides.language, &difference.query);
        let found = sides.differences(world, &candidates, &mut Tally::default())?;
        let Some(next) = found.into_iter().find(|found| same_kind(found, &difference)) else { break };
        difference = next;
    }
    let mut small = World::new(document_that_differs(world, &difference))?;
    for _ in 0..STEPS {
        let Some(next) = without_one_field(sides, &small, &mut difference)? else { break };
        small = next;
    }
    // The node holds the small world now; the caller goes on with its own.
    let mut again = World::new(world.documents.clone())?;
    sides.node.load(&mut again)?;
    Ok(print(&small, &difference))
}

/// Whether two differences are of one kind: what differs must not turn into something else on the way.
fn same_kind(a: &Difference, b: &Difference) -> bool {
    let refused = |it: &Answer| matches!(it, Answer::Refused(_));
    (refused(&a.theirs), refused(&a.ours)) == (refused(&b.theirs), refused(&b.ours))
}

/// Shorter queries: parts of the tree, or the text with pieces left out; the shortest first.
pub(super) fn smaller(language: Language, query: &str) -> Vec<String> {
    let mut candidates = Vec::new();
    match language {
        Language::Kql => {
            if let Some(root) = kql::parse(query).ok().and_then(|ast| ast.root) {
                parts(&root, &mut |node| candidates.push(node.to_string()));
            }
        }
        Language::Lucene => {
            if let Some(root) = lucene::parse(query).ok().and_then(|ast| ast.root) {
                clauses(&root, &mut |group| candidates.push(group.to_string()));
            }
        }
    }
    let chars: Vec<char> = query.chars().collect();
    let mut length = chars.len() / 2;
    while length > 0 {
        for start in (0..chars.len()).step_by(length) {
            let end = (start + length).min(chars.len());
            candidates.push(chars[..start].iter().chain(&chars[end..]).collect());
        }
        length /= 2;
    }
    candidates.retain(|candidate: &String| candidate.len() < query.len());
    candidates.sort_by_key(String::len);
    candidates.dedup();
    candidates
}

/// Every node below the root, and every operator with one of its operands left out.
fn parts(node: &Node, found: &mut dyn FnMut(&Node)) {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => {
            for (at, inner) in nodes.iter().enumerate() {
                found(inner);
                parts(inner, found);
                if nodes.len() > 2 {
                    let mut rest = nodes.clone();
                    rest.remove(at);
                    let kind = if matches!(node.kind, NodeKind::Or(_)) {
                        NodeKind::Or(rest)
                    } else {
                        NodeKind::And(rest)
                    };
                    found(&Node { kind, ..node.clone() });
                }
            }
        }
        NodeKind::Not(inner) => {
            found(inner);
            parts(inner, found);
        }
        NodeKind::Nested { path, query } => {
            parts(query, &mut |part| {
                let kind = NodeKind::Nested { path: path.clone(), query: Box::new(part.clone()) };
                found(&Node { kind, ..node.clone() });
            });
        }
        NodeKind::Is { .. } | NodeKind::Range { .. } => {}
    }
}

/// Every group with one of its clauses left out, and each clause alone, with the field that it asks.
fn clauses(group: &Group, found: &mut dyn FnMut(&Group)) {
    for (at, clause) in group.0.iter().enumerate() {
        if group.0.len() > 1 {
            let mut rest = group.clone();
            rest.0.remove(at);
            found(&rest);
        }
        let alone = Clause { conjunction: None, modifier: None, ..clause.clone() };
        found(&Group(vec![alone]));
        if let lucene::Node::Group(inner) = &clause.node {
            clauses(inner, &mut |part| {
                let node = lucene::Node::Group(part.clone());
                found(&Group(vec![Clause { node, conjunction: None, modifier: None, ..clause.clone() }]));
            });
            if clause.field.is_none() {
                found(inner);
            }
        }
    }
}

/// One document that only one side finds; none if a side refuses.
fn document_that_differs(world: &World, difference: &Difference) -> Vec<(String, Object)> {
    let (Answer::Found(theirs), Answer::Found(ours)) = (&difference.theirs, &difference.ours) else {
        return Vec::new();
    };
    let id = theirs.symmetric_difference(ours).next();
    world.documents.iter().filter(|(it, _)| Some(it) == id).cloned().collect()
}

/// The world with something left out of its document, if the difference is still there.
fn without_one_field(
    sides: &mut Sides,
    world: &World,
    difference: &mut Difference,
) -> anyhow::Result<Option<World>> {
    for (id, document) in &world.documents {
        for candidate in smaller_objects(document) {
            let mut small = World::new(vec![(id.clone(), candidate)])?;
            sides.node.load(&mut small)?;
            let query = std::slice::from_ref(&difference.query);
            let found = sides.differences(&small, query, &mut Tally::default())?;
            if let Some(found) = found.into_iter().find(|found| same_kind(found, difference)) {
                *difference = found;
                return Ok(Some(small));
            }
        }
    }
    Ok(None)
}

/// The object without one of its keys, or with a smaller value for one.
fn smaller_objects(object: &Object) -> Vec<Object> {
    let mut out = Vec::new();
    for (name, value) in object {
        let mut without = object.clone();
        without.remove(name);
        out.push(without);
        for value in smaller_values(value) {
            let mut with = object.clone();
            with.insert(name.clone(), value);
            out.push(with);
        }
    }
    out
}

fn smaller_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(object) => smaller_objects(object).into_iter().map(Value::Object).collect(),
        Value::Array(values) => {
            let mut out = values.clone();
            for at in 0..values.len() {
                let mut rest = values.clone();
                rest.remove(at);
                out.push(Value::Array(rest));
            }
            out
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn print(world: &World, difference: &Difference) -> String {
    let mut out = String::new();
    for (id, document) in &world.documents {
        let _ = writeln!(out, "document {id}: {}", Value::Object(document.clone()));
    }
    let _ = writeln!(out, "query: {:?}", difference.query);
    let _ = writeln!(out, "theirs: {}", difference.theirs);
    let _ = writeln!(out, "ours: {}", difference.ours);
    out
}
