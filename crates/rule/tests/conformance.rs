//! What users bring: a checkout of Elastic's public rules. Every file loads, or says precisely why not.
#![allow(clippy::print_stderr, reason = "what was counted and skipped is for whoever runs the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use span::{Severity, Style};

/// How many of the public rules of each type run, of how many, and why the others do not.
const EXPECTED: [&str; 7] = [
    "eql: 766 of 766 {}",
    "esql: 140 of 145 {\"ESQL021\": 5}",
    "machine_learning: 0 of 74 {\"RULE201\": 74}",
    "new_terms: 183 of 183 {}",
    "query: 345 of 345 {}",
    "threat_match: 0 of 4 {\"RULE201\": 4}",
    "threshold: 23 of 23 {}",
];

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

/// Of each type how many rules there are and how many run: all, but for the types that cannot, which is said by name.
#[test]
fn every_public_rule_of_a_type_that_runs_runs() {
    let Some(folder) = public_rules() else { return };
    let files = toml_files(&folder);
    let set = rule::load(&[&folder]);
    assert_eq!(set.rules.len(), files, "each file has a rule");
    let catalog = ecs::Catalog::ecs();
    // By type: those that there are, those that compile to something that can be executed, the codes of the others.
    let mut types: BTreeMap<&str, (usize, usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for rule in &set.rules {
        let (all, run, codes) = types.entry(rule.kind.type_name()).or_default();
        *all += 1;
        match rule::compile(rule, &catalog) {
            Ok(_) => *run += 1,
            Err(found) => {
                for diagnostic in found {
                    assert!(diagnostic.span().is_some(), "{}: {}", rule.file, diagnostic.message);
                    if diagnostic.code != "RULE201" {
                        eprintln!("{}", span::render(&diagnostic, &rule.file, rule.text(), Style::Plain));
                    }
                    *codes.entry(diagnostic.code).or_insert(0) += 1;
                }
            }
        }
        // Whoever asks what can run gets the same answer.
        let is_refused = rule::support(rule).is_err();
        let is_unsupported = matches!(rule.kind.type_name(), "threat_match" | "machine_learning");
        assert_eq!(is_refused, is_unsupported, "{}", rule.file);
    }
    let shown: Vec<String> =
        types.iter().map(|(ty, (all, run, codes))| format!("{ty}: {run} of {all} {codes:?}")).collect();
    assert_eq!(shown, EXPECTED);
}

fn toml_files(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|it| it.path());
    let count = |path: PathBuf| {
        if path.is_dir() {
            toml_files(&path)
        } else {
            usize::from(path.extension().is_some_and(|it| it == "toml"))
        }
    };
    paths.map(count).sum()
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
