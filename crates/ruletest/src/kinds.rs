//! What the tests of the built-in rules must show.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use detect::{Mode, Tail, Tails};
use ecs::{Catalog, Object, Shape};
use hunt::{NormalizeOptions, Progress};
use rule::{Exceptions, Rule, Subject, TestCase};
use serde_json::Value;

use crate::record::records;

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");

/// The documents of a test's events.
fn documents(case: &TestCase) -> Vec<Object> {
    let (records, _) = records(&case.name, &case.events);
    let text: String = records.iter().map(|it| it.to_string() + "\n").collect();
    let options = NormalizeOptions {
        paths: vec!["-".into()],
        stored: Vec::new(),
        normalise: cloudtrail::Options::default(),
        limits: reader::Limits::default(),
        now: 1_800_000_000_000,
        copies: true,
    };
    let mut documents = Vec::new();
    let mut keep = |it: hunt::Document| {
        documents.push(it.source);
        true
    };
    hunt::normalize(&options, &mut Cursor::new(text), &Progress::default(), &mut keep).unwrap();
    documents
}

/// The fields that a rule reads: what its query asks, and whose values it compares.
fn reads(rule: &Rule) -> BTreeSet<(String, Shape)> {
    let always = ecs::date::TIME_MIN..=ecs::date::TIME_MAX;
    let compiled = rule::compile_with(rule, &Exceptions::default(), &Catalog::ecs(), &always).unwrap();
    let mut all = BTreeSet::new();
    for condition in &compiled.conditions {
        let filter = condition.filter();
        all.extend(filter.paths().into_iter().map(|(path, shape)| (path.to_owned(), shape)));
    }
    let mode = Mode::Replay { since: None, until: None };
    let tail = Tail::of_pattern(rule, compiled.pattern.as_ref(), mode, &Catalog::ecs()).unwrap();
    let tails = Tails::new(vec![tail]);
    all.extend(tails.all_columns().map(|(path, shape)| (path.to_owned(), shape)));
    all.retain(|(path, _)| path != "_index");
    all
}

fn values(document: &Object, (path, shape): &(String, Shape)) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    ecs::document::values(document, path, *shape, |value| {
        found.insert(value.text().into_owned());
    });
    found
}

/// A true positive, a near miss, several values, and a field that is missing: each rule has tests of all four. Several
/// values are those of one event, or those of events that alert apart; a field is missing where an event of a call that
/// alerts elsewhere has none of a field that the rule reads.
#[test]
fn every_built_in_rule_is_tested_for_what_it_meets() {
    let set = rule::load(&[Path::new(PACK)]);
    let files = rule::test_files(&[Path::new(PACK)]);
    let mut wanting: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for rule in &set.rules {
        let of_rule = |subject: &Subject| match subject {
            Subject::Id(id) => *id == rule.rule_id,
            Subject::Beside(stem) => rule.file.strip_suffix(".toml") == Some(stem),
        };
        let cases: Vec<&TestCase> =
            files.files.iter().filter(|it| of_rule(&it.subject)).flat_map(|it| &it.tests).collect();
        let read = reads(rule);
        let (mut positive, mut near, mut several, mut missing) = (false, false, false, false);
        let of_call = |it: &Object| {
            ecs::document::lookup(it, "event.action").and_then(Value::as_str).map(str::to_owned)
        };
        let tested: Vec<(&TestCase, Vec<Object>)> = cases.iter().map(|it| (*it, documents(it))).collect();
        let alerting = tested.iter().filter(|(case, _)| case.expected.at_least > 0);
        let calls: BTreeSet<String> = alerting.flat_map(|(_, all)| all.iter().filter_map(of_call)).collect();
        for (case, documents) in &tested {
            let alerts = case.expected.at_least;
            positive |= alerts > 0;
            near |= case.expected.at_most == Some(0) && !documents.is_empty();
            several |= alerts > 1;
            for document in documents {
                let is_its = of_call(document).is_some_and(|it| calls.contains(&it));
                for field in &read {
                    let found = values(document, field);
                    several |= found.len() > 1;
                    missing |= is_its && found.is_empty();
                }
            }
        }
        let kinds = [
            (positive, "true positives"),
            (near, "near misses"),
            (several, "several values"),
            (missing, "missing fields"),
        ];
        let lacks: Vec<&str> = kinds.iter().filter(|(has, _)| !has).map(|(_, kind)| *kind).collect();
        if !lacks.is_empty() {
            wanting.insert(rule.file.clone(), lacks);
        }
    }
    assert!(set.rules.len() > 50);
    let list: Vec<String> =
        wanting.iter().map(|(file, kinds)| format!("{file}: {}", kinds.join(", "))).collect();
    assert!(wanting.is_empty(), "no tests of\n{}", list.join("\n"));
}
