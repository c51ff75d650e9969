//! What users bring: a checkout of Elastic's public rules. Every file loads, or says precisely why not.
#![allow(clippy::print_stderr, reason = "what was counted and skipped is for whoever runs the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use span::{Severity, Style};

/// The folder of the rules; `None` where the shared data is absent.
fn public_rules() -> Option<PathBuf> {
    let shared = std::env::var_os("TRAILWARDEN_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("data/rules/elastic");
    if folder.is_dir() {
        return Some(folder);
    }
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "no public rules in {}: set TRAILWARDEN_SHARED", folder.display());
    eprintln!("SKIPPED: no public rules in {}; set TRAILWARDEN_SHARED to run this test", folder.display());
    None
}

#[test]
fn every_public_rule_loads() {
    let Some(folder) = public_rules() else { return };
    let set = rule::load(&[folder]);
    let errors: Vec<String> = set
        .problems
        .iter()
        .filter(|problem| problem.diagnostic.severity == Severity::Error)
        .map(|problem| set.render(problem, Style::Plain))
        .collect();
    assert!(errors.is_empty(), "{}", errors.concat());
    assert!(set.rules.len() > 1_500, "only {} rules", set.rules.len());

    let mut codes = BTreeMap::new();
    for problem in &set.problems {
        *codes.entry(problem.diagnostic.code).or_insert(0) += 1;
    }
    eprintln!("{} rules; findings by code: {codes:?}", set.rules.len());
    for problem in set.problems.iter().take(10) {
        eprintln!("{}", set.render(problem, Style::Plain));
    }
}

/// Every rule names all its fields in the form of the API, once.
#[test]
fn the_api_form_keeps_everything() {
    let Some(folder) = public_rules() else { return };
    for rule in rule::load(&[folder]).rules {
        assert_eq!(rule.api()["rule_id"], rule.rule_id.as_str());
        assert_eq!(rule.api()["type"], rule.kind.type_name());
        assert_eq!(rule.api().get("query").and_then(|query| query.as_str()).unwrap_or_default(), rule.query);
        assert!(rule.interval.millis() > 0);
        assert!(rule.window_ms(1_767_225_600_000) > 0, "{}", rule.file);
    }
}

/// What can be compiled compiles, or says precisely what in it does not fit the fields.
#[test]
fn supported_rules_compile() {
    let Some(folder) = public_rules() else { return };
    let set = rule::load(&[&folder]);
    let catalog = ecs::Catalog::ecs();
    let (mut supported, mut compiled, mut aws, mut aws_compiled) = (0, 0, 0, 0);
    let mut codes = BTreeMap::new();
    for rule in set.rules.iter().filter(|rule| rule::support(rule).is_ok()) {
        let is_aws = rule.file.contains("integrations/aws/");
        supported += 1;
        aws += u32::from(is_aws);
        match rule::compile(rule, &catalog) {
            Ok(_) => {
                compiled += 1;
                aws_compiled += u32::from(is_aws);
            }
            Err(found) => {
                for diagnostic in found {
                    assert!(diagnostic.span().is_some(), "{}: {}", rule.file, diagnostic.message);
                    eprintln!("{}", span::render(&diagnostic, &rule.file, rule.text(), Style::Plain));
                    *codes.entry(diagnostic.code).or_insert(0) += 1;
                }
            }
        }
    }
    eprintln!(
        "{compiled} of {supported} supported rules compile, {aws_compiled} of {aws} for AWS; errors by code: {codes:?}"
    );
    assert_eq!(aws_compiled, aws, "rules for AWS are what this engine is for");
}

/// Lint comes to an end on all of them, and never finds an error in what other people run.
#[test]
fn public_rules_have_no_lint_errors() {
    let Some(folder) = public_rules() else { return };
    let set = rule::load(&[folder]);
    let found = rule::lint(&set, &ecs::Catalog::ecs(), cloudtrail::vocabulary(), 1_767_225_600_000);
    let mut codes = BTreeMap::new();
    for problem in &found {
        let diagnostic = &problem.diagnostic;
        let place = diagnostic.span().and_then(|span| set.text(&problem.file).get(span.range()));
        assert!(
            place.is_some_and(|place| !place.is_empty()),
            "{} has no place",
            set.render(problem, Style::Plain)
        );
        assert!(diagnostic.severity < Severity::Error, "{}", set.render(problem, Style::Plain));
        *codes.entry((diagnostic.severity.as_str(), diagnostic.code)).or_insert(0) += 1;
    }
    eprintln!("findings by severity and code: {codes:#?}");
}
