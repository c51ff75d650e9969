//! `cargo xtask check`: what of ARCHITECTURE.md's invariants a machine can see.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// For each crate the crates of the workspace it may use, directly. A crate that is not listed is a mistake:
/// where it belongs must be decided here.
const LAYERS: &[(&str, &[&str])] = &[
    ("span", &[]),
    ("extract", &[]),
    ("json", &[]),
    ("ecs", &["json"]),
    ("block", &["ecs"]),
    ("plan", &["ecs", "span"]),
    // Only for tests.
    ("cases", &["ecs", "plan"]),
    ("exec", &["block", "ecs", "plan"]),
    ("kql", &["ecs", "plan", "span"]),
    ("lucene", &["ecs", "plan", "span"]),
    ("eql", &["ecs", "plan", "span"]),
    ("esql", &["ecs", "extract", "kql", "lucene", "plan", "span"]),
    ("pipeline", &["ecs", "esql", "extract", "plan", "span"]),
    ("reader", &["json"]),
    ("bucket", &["reader"]),
    ("cloudtrail", &["block", "ecs", "json"]),
    ("sift", &["block", "cloudtrail", "ecs", "exec", "json", "plan"]),
    ("store", &["block", "cloudtrail", "ecs", "reader", "sift"]),
    ("rule", &["ecs", "eql", "esql", "kql", "lucene", "plan", "span"]),
    ("identity", &["ecs", "plan"]),
    ("complete", &["ecs", "plan"]),
    ("detect", &["ecs", "esql", "identity", "pipeline", "plan", "rule"]),
    ("investigate", &["ecs", "identity", "plan", "rule"]),
    (
        "hunt",
        &[
            "block",
            "cloudtrail",
            "complete",
            "detect",
            "ecs",
            "identity",
            "investigate",
            "json",
            "plan",
            "reader",
            "rule",
            "sift",
            "span",
        ],
    ),
    ("live", &["cloudtrail", "detect", "ecs", "hunt", "plan", "reader", "rule", "span", "store"]),
    ("ruletest", &["cloudtrail", "detect", "ecs", "hunt", "reader", "rule", "span"]),
    ("story", &["ecs", "identity", "investigate", "rule"]),
    ("report", &["complete", "ecs", "identity", "investigate", "rule", "story"]),
    ("assess", &["ecs", "hunt", "report", "rule"]),
    ("notify", &["ecs", "plan", "report", "rule", "span"]),
    (
        "server",
        &[
            "bucket",
            "cloudtrail",
            "detect",
            "ecs",
            "hunt",
            "investigate",
            "live",
            "notify",
            // Searches of Kibana's API are conditions on a document.
            "plan",
            "reader",
            "report",
            "rule",
            "span",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "assess",
            "bucket",
            "cloudtrail",
            "complete",
            "detect",
            "ecs",
            "esql",
            "hunt",
            "identity",
            "investigate",
            "kql",
            "live",
            "notify",
            "pipeline",
            "plan",
            "reader",
            "report",
            "rule",
            "ruletest",
            "server",
            "span",
            "store",
            "story",
        ],
    ),
    (
        "xtask",
        &[
            "block",
            "cloudtrail",
            "detect",
            "ecs",
            "eql",
            "esql",
            "exec",
            "hunt",
            "kql",
            "live",
            "lucene",
            "pipeline",
            "plan",
            "reader",
            "report",
            "rule",
            "span",
            "store",
        ],
    ),
];

/// Arguments of `cargo xtask check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Checks the layering and that every crate says what it is.
pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output =
        Command::new(cargo).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).output()?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let crates = workspace_dependencies(&metadata).context("cargo metadata has an unknown shape")?;
    let mut wrong = layering(&crates);
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let source = manifest.with_file_name("src");
        let root = ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().find(|path| path.exists());
        let text = root.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
        if !text.starts_with("//! ") || text.starts_with("//! Placeholder") {
            wrong.push(format!("{}: its first line must say what the crate is", package["name"]));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!("{} crates, layering as in ARCHITECTURE.md", crates.len());
    Ok(())
}

/// Each crate of the workspace with the crates of the workspace it uses; development dependencies do not count.
fn workspace_dependencies(metadata: &Value) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let packages = metadata.get("packages")?.as_array()?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    packages
        .iter()
        .map(|package| {
            let uses = package.get("dependencies")?.as_array()?.iter().filter(|it| it["kind"].is_null());
            let uses = uses.filter_map(|it| it["name"].as_str()).filter(|name| names.contains(name));
            Some((package["name"].as_str()?.to_owned(), uses.map(str::to_owned).collect()))
        })
        .collect()
}

/// What breaks the layering.
fn layering(crates: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, uses) in crates {
        let Some(allowed) = layers.get(name.as_str()) else {
            wrong.push(format!("{name}: decide in xtask/src/check.rs what it may use"));
            continue;
        };
        for used in uses.iter().filter(|used| !allowed.contains(&used.as_str())) {
            wrong.push(format!("{name} must not use {used}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_dependency_is_found() {
        let crates = [("exec".to_owned(), BTreeSet::from(["kql".to_owned(), "ecs".to_owned()]))];
        assert_eq!(layering(&crates.into()), ["exec must not use kql"]);
        let crates = [("new".to_owned(), BTreeSet::new())];
        assert_eq!(layering(&crates.into()).len(), 1);
    }
}
