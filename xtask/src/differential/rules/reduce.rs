//! Makes a difference small: one event, and as little of the rule as still differs on it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use ecs::Object;
use kql::{Node, NodeKind};
use rule::Rule;
use serde_json::{Value, json};

use super::corpus::Corpus;
use super::question::Range;
use super::{Sides, Subject, file_of, hunt, loaded, matching_part, ours, printed};
use crate::differential::language::Language;
use crate::differential::{Answer, shrink};

/// How often a rule is made smaller at most.
const STEPS: usize = 60;
/// How many of the events, or terms, of a difference are named.
const NAMED: usize = 5;

/// Tells a difference, made as small as it gets.
pub(super) fn explain(
    sides: &mut Sides,
    corpus: &Corpus,
    subject: &Subject,
    range: Range,
    theirs: &Answer,
    our: &Answer,
) -> anyhow::Result<String> {
    let mut out = format!("rule {} of {}\n", subject.rule.rule_id, subject.file);
    for change in &subject.changes {
        let _ = writeln!(out, "  changed: {change}");
    }
    let _ = writeln!(out, "  {}", printed(&subject.rule));
    let _ = writeln!(out, "  range: {range:?}");
    let (Answer::Found(of_theirs), Answer::Found(of_ours)) = (theirs, our) else {
        let _ = writeln!(out, "  theirs: {}\n  ours: {}", brief(theirs), brief(our));
        let small = small_rule(sides, corpus, &subject.rule, None)?;
        let _ = writeln!(out, "  small: {}", printed(&small));
        return Ok(out);
    };
    let only =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> { a.difference(b).cloned().collect() };
    let (theirs_only, ours_only) = (only(of_theirs, of_ours), only(of_ours, of_theirs));
    for (side, names) in [("theirs", &theirs_only), ("ours", &ours_only)] {
        if !names.is_empty() {
            let _ = writeln!(out, "  only {side}, {}: {}", names.len(), first(names));
        }
    }
    // New terms have no event that stands for them.
    let name = theirs_only.first().or(ours_only.first());
    let Some(at) = corpus.events.iter().position(|event| Some(&event.name()) == name) else { return Ok(out) };
    let alone = file_of(corpus, at, &sides.folder)?;
    let case = Case { at, paths: &alone };
    if differing(sides, corpus, std::slice::from_ref(&subject.rule), Some(&case))?.is_empty() {
        let document = &corpus.events[at].document;
        let _ = writeln!(
            out,
            "  as a document the event is no difference: {}",
            Value::Object(document.source.clone())
        );
        return Ok(out);
    }
    let small = small_rule(sides, corpus, &subject.rule, Some(&case))?;
    let _ = writeln!(out, "  small: {}", printed(&small));
    let _ = writeln!(out, "  on: {}", asked_part(corpus, at, &small));
    Ok(out)
}

/// Tells which other rule makes a rule alert otherwise.
pub(super) fn company(
    sides: &Sides,
    corpus: &Corpus,
    rule: &Rule,
    all: &[&Rule],
    range: Range,
) -> anyhow::Result<String> {
    let alone = hunt(sides, &corpus.paths, &[rule], range)?;
    let mut out =
        format!("rule {} is not the same alone\n  {}\n  range: {range:?}\n", rule.rule_id, printed(rule));
    for other in all.iter().filter(|other| other.rule_id != rule.rule_id) {
        let both = hunt(sides, &corpus.paths, &[rule, other], range)?;
        let difference = match (alone.get(&rule.rule_id), both.get(&rule.rule_id)) {
            (Some(Ok(alone)), Some(Ok(both))) if alone.are(both) => continue,
            (Some(Ok(alone)), Some(Ok(both))) => alone.difference(both),
            (Some(Err(alone)), Some(Err(both))) if alone == both => continue,
            (alone, both) => format!("{:?}\n  {:?}", alone.map(Result::is_ok), both.map(Result::is_ok)),
        };
        let _ = writeln!(out, "  alone and beside another: {difference}\n  the other: {}", printed(other));
        return Ok(out);
    }
    let _ = writeln!(out, "  no single other rule changes that");
    Ok(out)
}

/// The one document that a rule is tried on.
struct Case<'a> {
    at: usize,
    paths: &'a [PathBuf],
}

/// The smallest rule found that still differs, on that one document if there is one.
fn small_rule(
    sides: &mut Sides,
    corpus: &Corpus,
    rule: &Rule,
    case: Option<&Case<'_>>,
) -> anyhow::Result<Rule> {
    let mut rule = rule.clone();
    for _ in 0..STEPS {
        let smaller: Vec<Rule> = smaller(&matching_part(&rule))
            .iter()
            .enumerate()
            .filter_map(|(number, object)| loaded(object, &format!("smaller-{number}")))
            .collect();
        let mut found = differing(sides, corpus, &smaller, case)?;
        if found.is_empty() {
            break;
        }
        rule = found.remove(0);
    }
    Ok(rule)
}

/// Those of the rules that the two sides still answer differently.
fn differing(
    sides: &mut Sides,
    corpus: &Corpus,
    rules: &[Rule],
    case: Option<&Case<'_>>,
) -> anyhow::Result<Vec<Rule>> {
    let borrowed: Vec<&Rule> = rules.iter().collect();
    let theirs = sides.theirs(&borrowed, corpus, Range::default(), case.map(|case| case.at))?;
    let paths = case.map_or(corpus.paths.as_slice(), |case| case.paths);
    let outcomes = hunt(sides, paths, &borrowed, Range::default())?;
    let mut differing = Vec::new();
    for (rule, asked) in rules.iter().zip(theirs) {
        let Ok(asked) = asked else { continue };
        let ours = ours(&outcomes, rule);
        // A refusal must not turn into an answer on the way, nor the other way round.
        let refused = |answer: &Answer| matches!(answer, Answer::Refused(_));
        let is_of_case = case.is_none() || !(refused(&asked.answer) || refused(&ours));
        if is_of_case && sides.compare(rule, &asked, &ours)? == super::Verdict::Different {
            differing.push(rule.clone());
        }
    }
    Ok(differing)
}

/// The rule without one of its filters, its indices, or a part of its query; the shortest first.
fn smaller(rule: &Object) -> Vec<Object> {
    let mut out = Vec::new();
    let filters = rule.get("filters").and_then(Value::as_array).cloned().unwrap_or_default();
    for at in 0..filters.len() {
        let mut rest = filters.clone();
        rest.remove(at);
        let mut object = rule.clone();
        object.insert("filters".to_owned(), rest.into());
        out.push(object);
    }
    if rule.get("index").is_some_and(|index| *index != json!([])) {
        let mut object = rule.clone();
        object.insert("index".to_owned(), json!([]));
        out.push(object);
    }
    let query = rule.get("query").and_then(Value::as_str).unwrap_or_default();
    if !query.is_empty() {
        let is_lucene = rule.get("language").is_some_and(|it| it == "lucene");
        let language = if is_lucene { Language::Lucene } else { Language::Kql };
        // A word that has lost its field asks all of them, which is another question.
        let keeps_fields = |query: &String| match language {
            Language::Kql => kql::parse(query).is_ok_and(|it| it.root.as_ref().is_none_or(is_of_fields)),
            Language::Lucene => {
                lucene::parse(query).is_ok_and(|it| it.root.as_ref().is_none_or(names_fields))
            }
        };
        let smaller = shrink::smaller(language, query);
        for query in std::iter::once(String::new()).chain(smaller).filter(keeps_fields) {
            let mut object = rule.clone();
            object.insert("query".to_owned(), query.into());
            out.push(object);
        }
    }
    out
}

/// Whether every clause names a field.
fn is_of_fields(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => nodes.iter().all(is_of_fields),
        NodeKind::Not(node) => is_of_fields(node),
        NodeKind::Nested { .. } | NodeKind::Range { .. } => true,
        NodeKind::Is { field, .. } => field.is_some(),
    }
}

/// The same of a group in Lucene.
fn names_fields(group: &lucene::Group) -> bool {
    group.0.iter().all(|clause| match &clause.node {
        _ if clause.field.is_some() => true,
        lucene::Node::Group(inner) => names_fields(inner),
        lucene::Node::Atom(_) => false,
    })
}

/// What the document says that the rule asks for.
fn asked_part(corpus: &Corpus, at: usize, rule: &Rule) -> String {
    let document = &corpus.events[at].document;
    let mut names: Vec<String> = Language::of(rule).map(|it| it.fields(&rule.query)).unwrap_or_default();
    for filter in &rule.filters {
        fields(&filter["query"], &mut names);
    }
    let mut part = Object::from_iter([("_index".to_owned(), document.index.clone().into())]);
    for name in names {
        if let Some(value) = value(&document.source, &name) {
            part.insert(name, value.clone());
        }
    }
    format!("{} {}", document.id, Value::Object(part))
}

/// The names of fields in a query.
fn fields(query: &Value, names: &mut Vec<String>) {
    match query {
        Value::Object(object) => {
            for (name, value) in object {
                if name.contains('.') {
                    names.push(name.clone());
                } else if let ("field", Value::String(field)) = (name.as_str(), value) {
                    names.push(field.clone());
                } else {
                    fields(value, names);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value at a path; of an object with dotted keys, too.
fn value<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| value(object.get(&path[..at])?.as_object()?, &path[at + 1..]))
}

fn first(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text += ", …";
    }
    text
}

fn brief(answer: &Answer) -> String {
    match answer {
        Answer::Refused(reason) => format!("refused: {reason}"),
        Answer::Found(found) => format!("{} found", found.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_smaller_ones() {
        let rule: Object = serde_json::from_value(json!({
            "query": "a: 1 and b: 2", "index": ["x"], "filters": [{"query": {"exists": {"field": "c"}}}],
        }))
        .unwrap();
        let smaller = smaller(&rule);
        assert!(smaller.iter().any(|it| it["query"] == "a: 1"));
        assert!(smaller.iter().all(|it| {
            it["query"].as_str().unwrap().split(" and ").all(|it| it.is_empty() || it.contains(':'))
        }));
        assert!(smaller.iter().any(|it| it["filters"] == json!([])));
        assert!(smaller.iter().any(|it| it["index"] == json!([])));
        assert!(!smaller.contains(&rule));
    }

    #[test]
    fn fields_of_filters_are_found() {
        let mut names = Vec::new();
        let query = json!({"bool": {"should": [{"term": {"a.b": 1}}, {"exists": {"field": "c"}}]}});
        fields(&query, &mut names);
        assert_eq!(names, ["a.b", "c"]);
        let object: Object = serde_json::from_value(json!({"a": {"b.c": {"d": 1}}})).unwrap();
        assert_eq!(value(&object, "a.b.c.d"), Some(&json!(1)));
    }
}
