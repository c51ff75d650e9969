//! `cargo xtask conformance`: runs the test cases of other implementations against this one.
//!
//! The cases are read from a folder beside the repository and never copied into it. A case counts as passed only
//! if the whole result is compared and equal; there is no list of excused cases here. What is not supported
//! stands in `docs/compatibility.md` with the reason.

mod ecs;
mod eql;
mod kql;
mod matches;
mod unsupported;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Where the cases are and which of them to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the cases; by default `data` in `$TRAILWARDEN_SHARED`, else `../shared/data`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only this suite.
    #[arg(long)]
    suite: Option<String>,
    /// Print every failed case: what was expected, what came.
    #[arg(long)]
    failures: bool,
}

/// What became of one case.
#[derive(Debug)]
pub(crate) struct CaseResult {
    /// The case's own id.
    pub(crate) id: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// The verdict on one case.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The whole result was compared and is equal.
    Passed,
    /// The result differs.
    Failed {
        /// What the case demands.
        expected: String,
        /// What came.
        got: String,
    },
    /// The case needs what is not supported yet; `docs/compatibility.md` says why.
    Unsupported {
        /// What is missing.
        reason: String,
    },
}

impl CaseResult {
    /// Compares what came with what the case demands, both as text a person can read.
    pub(crate) fn compare(id: impl Into<String>, expected: String, got: String) -> Self {
        let outcome = if expected == got { Outcome::Passed } else { Outcome::Failed { expected, got } };
        Self { id: id.into(), outcome }
    }
}

/// A set of cases of one kind.
struct Suite {
    name: &'static str,
    /// Runs all its cases, given the folder with the data.
    cases: fn(&Path) -> anyhow::Result<Vec<CaseResult>>,
}

const SUITES: &[Suite] = &[
    Suite { name: "ecs", cases: ecs::cases },
    Suite { name: "kql-parse", cases: kql::parse_cases },
    Suite { name: "kql-dsl", cases: kql::dsl_cases },
    Suite { name: "kql-match", cases: matches::kql_cases },
    Suite { name: "lucene", cases: matches::lucene_cases },
    Suite { name: "eql-parse", cases: eql::parse_cases },
    Suite { name: "eql-sequence", cases: eql::sequence_cases },
    Suite { name: "eql-series", cases: eql::series_cases },
    Suite { name: "eql-fold", cases: eql::fold_cases },
    Suite { name: "eql", cases: eql::event_cases },
    Suite { name: "esql", cases: |data| unsupported::cases(data, "esql") },
];

/// How many cases of a suite went which way.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    unsupported: usize,
}

impl Tally {
    fn of(results: &[CaseResult]) -> Self {
        let mut tally = Self::default();
        for result in results {
            match result.outcome {
                Outcome::Passed => tally.passed += 1,
                Outcome::Failed { .. } => tally.failed += 1,
                Outcome::Unsupported { .. } => tally.unsupported += 1,
            }
        }
        tally
    }
}

/// Runs the suites and prints the table; an error if a case of a supported suite failed.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let data = args.data.clone().unwrap_or_else(default_data);
    anyhow::ensure!(
        data.is_dir(),
        "no conformance data in {}: give its folder with --data, or set TRAILWARDEN_SHARED",
        data.display()
    );
    let chosen: Vec<&Suite> =
        SUITES.iter().filter(|suite| args.suite.as_deref().is_none_or(|name| name == suite.name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        anyhow::bail!("no such suite; there are {}", names.join(", "));
    }
    let mut failed = 0;
    println!("{:<12} | {:>6} | {:>6} | {:>6} | {:>11}", "suite", "cases", "passed", "failed", "unsupported");
    for suite in chosen {
        let results = (suite.cases)(&data).with_context(|| format!("suite {}", suite.name))?;
        let tally = Tally::of(&results);
        println!(
            "{:<12} | {:>6} | {:>6} | {:>6} | {:>11}",
            suite.name,
            results.len(),
            tally.passed,
            tally.failed,
            tally.unsupported
        );
        failed += tally.failed;
        if args.failures {
            print_failures(&results);
        }
    }
    anyhow::ensure!(
        failed == 0,
        "{failed} cases failed{}",
        if args.failures { "" } else { ": --failures shows them" }
    );
    Ok(())
}

/// Every failed case, and how many cases each missing thing makes unsupported.
fn print_failures(results: &[CaseResult]) {
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        match &result.outcome {
            Outcome::Passed => {}
            Outcome::Failed { expected, got } => {
                println!("\n{}\n  expected: {expected}\n  got:      {got}", result.id);
            }
            Outcome::Unsupported { reason } => *missing.entry(reason).or_default() += 1,
        }
    }
    for (reason, cases) in missing {
        println!("  {cases} cases: {reason}");
    }
}

/// `data` in `$TRAILWARDEN_SHARED`, else in the folder `shared` beside the repository.
fn default_data() -> PathBuf {
    let shared = std::env::var_os("TRAILWARDEN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    shared.join("data")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every supported suite, with the data where it is at hand; `CI=true` makes that an obligation.
    #[test]
    fn suites_pass() {
        let data = default_data();
        if !data.is_dir() {
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "conformance data is missing: set TRAILWARDEN_SHARED"
            );
            eprintln!("SKIPPED: no conformance data in {}", data.display());
            return;
        }
        for suite in SUITES {
            let results = (suite.cases)(&data).unwrap();
            assert!(!results.is_empty(), "suite {} has no cases", suite.name);
            let tally = Tally::of(&results);
            assert_eq!(
                tally.failed, 0,
                "suite {}: `cargo xtask conformance --failures` shows which",
                suite.name
            );
        }
    }

    #[test]
    fn a_difference_fails() {
        let result = CaseResult::compare("x", "1".to_owned(), "2".to_owned());
        assert_eq!(Tally::of(&[result]).failed, 1);
    }
}
