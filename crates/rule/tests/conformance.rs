//! What users bring: a checkout of Elastic's public rules. Every file loads, or says precisely why not.

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
        assert_eq!(rule.api["rule_id"], rule.rule_id.as_str());
        assert_eq!(rule.api["type"], rule.kind.type_name());
        assert_eq!(rule.api.get("query").and_then(|query| query.as_str()).unwrap_or_default(), rule.query);
        assert!(rule.interval.millis > 0);
        assert!(rule.window_ms(1_767_225_600_000).is_some_and(|window| window > 0), "{}", rule.file);
    }
}
