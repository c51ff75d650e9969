//! Data that is not in the repository: queries with what a node answers, and public rules.

use std::path::Path;

use serde_json::Value;

/// The cases that a node was asked; none if they are not there.
pub(crate) fn peer_cases() -> Vec<Value> {
    let Some(path) = cases::shared_path("data/esql/index.json") else { return Vec::new() };
    let text = std::fs::read_to_string(path).expect("it can be read");
    serde_json::from_str(&text).expect("it is a list of cases")
}

/// The public rules in this language: their paths and their queries.
pub(crate) fn public_rules() -> Vec<(String, String)> {
    let Some(folder) = cases::shared_path("data/rules/elastic") else { return Vec::new() };
    let mut found = Vec::new();
    walk(&folder, &mut found);
    found.sort();
    assert!(found.len() > 100, "{} rules in {}", found.len(), folder.display());
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("it is a folder") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|it| it == "toml") {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            if !text.contains("\"esql\"") {
                continue;
            }
            let table: toml::Table = text.parse().expect("it is TOML");
            let rule = &table["rule"];
            if rule.get("type").and_then(toml::Value::as_str) == Some("esql") {
                let query = rule["query"].as_str().expect("it is a text");
                found.push((path.display().to_string(), query.to_owned()));
            }
        }
    }
}
