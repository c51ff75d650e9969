//! The page of the codes names every code there is, and no other.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const CRATES: [&str; 5] = ["rule", "eql", "kql", "lucene", "plan"];

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // What tests make up is no code of ours.
            texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn every_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for name in CRATES {
        sources(&root.join("crates").join(name).join("src"), &mut texts);
    }
    let code = regex::Regex::new(r#""((?:RULE|EQL|KQL|LUC|PLAN|DSL|LANG)\d{3})""#).unwrap();
    let used: BTreeSet<&str> =
        texts.iter().flat_map(|text| code.captures_iter(text).map(|it| it.extract::<1>().1[0])).collect();
    assert!(used.len() > 100, "only {} codes", used.len());

    let page = fs::read_to_string(root.join("docs/lint.md")).unwrap();
    let row = regex::Regex::new(r"(?m)^\| ([A-Z]+\d{3}) \| ").unwrap();
    let mut documented: BTreeMap<&str, u32> = BTreeMap::new();
    for found in row.captures_iter(&page) {
        *documented.entry(found.extract::<1>().1[0]).or_default() += 1;
    }
    let twice: Vec<_> = documented.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let documented: BTreeSet<&str> = documented.into_keys().collect();
    let missing: Vec<_> = used.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&used).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/lint.md lacks {missing:?} and has {gone:?} no more");
}
