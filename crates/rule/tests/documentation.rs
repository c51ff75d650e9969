//! The page of the codes names every code there is, and no other.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const CRATES: [&str; 6] = ["rule", "eql", "esql", "kql", "lucene", "plan"];

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
    let code = regex::Regex::new(r#""((?:RULE|EQL|ESQL|KQL|LUC|PLAN|DSL|LANG)\d{3})""#).unwrap();
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

/// The crates whose limits the page of limits names.
const LIMITED: [&str; 7] = ["rule", "eql", "esql", "kql", "lucene", "plan", "detect"];

/// What a constant is worth that is written as a number, a product, or a power of two.
fn worth(text: &str) -> Option<u64> {
    // Tests have smaller ones.
    let text = text.split_once("else {").map_or(text, |(_, usual)| usual.trim_end_matches(['}', ' ']));
    let text = text.split(" as ").next()?.replace('_', "");
    if let Some((base, power)) = text.split_once("<<") {
        let (power, rest) = power.split_once(')').unwrap_or((power, ""));
        let value = worth(base.trim_start_matches('('))?.checked_shl(power.trim().parse().ok()?)?;
        return value.checked_sub(rest.trim().trim_start_matches('-').trim().parse().unwrap_or(0));
    }
    if text == "u32::MAX" {
        return Some(u32::MAX.into());
    }
    text.split('*').map(|it| it.trim().parse::<u64>().ok()).product()
}

#[test]
fn every_limit_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let constant = regex::Regex::new(r"const (MAX_\w+|\w+_MAX): \w+ = ([^;]+);").unwrap();
    let mut used: BTreeSet<(String, u64)> = BTreeSet::new();
    for name in LIMITED {
        let mut texts = Vec::new();
        sources(&root.join("crates").join(name).join("src"), &mut texts);
        for text in &texts {
            for found in constant.captures_iter(text) {
                let (_, [constant, value]) = found.extract();
                // The largest number of a type limits nobody.
                if constant != "HALF_MAX" {
                    let value = worth(value).unwrap_or_else(|| panic!("{name}::{constant} is {value}"));
                    used.insert((format!("{name}::{constant}"), value));
                }
            }
        }
    }
    assert!(used.len() > 30, "only {} limits", used.len());
    let page = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let row = regex::Regex::new(r"(?m)^\| .* \| ([\d,]+)(?: bytes)? \| .* \| `(\w+::\w+)` \|$").unwrap();
    let documented: BTreeSet<(String, u64)> = row
        .captures_iter(&page)
        .map(|it| it.extract::<2>().1)
        .map(|[value, name]| (name.to_owned(), value.replace(',', "").parse().unwrap()))
        .collect();
    let missing: Vec<_> = used.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&used).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/limits.md lacks {missing:?} and has {gone:?} no more"
    );
}
