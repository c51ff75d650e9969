//! Case files that the tests of all query languages share: query text, and the tree, the errors or the verdicts on
//! documents that it must give.
//!
//! A case is some lines `key: value`; an empty line ends it, `#` begins a comment. `fields` gives the types of the fields
//! for the cases that follow. A case with `tree` or `error` is parsed; another has documents that `match` or do `no match`,
//! or is `refused`.
//!
//! **Left out on purpose.** For tests only: whatever is wrong with a file is a panic.
#![expect(clippy::missing_panics_doc, reason = "in a test a panic is the report")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod shared;

pub use shared::{shared, shared_path};

use std::fmt::Write as _;
use std::path::Path;

use ecs::{Catalog, Object};
use plan::Expr;
use serde_json::Value;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it stands.
    pub place: String,
    lines: Vec<(String, String)>,
}

impl Case {
    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    /// All values of a key.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The query. `⏎` is a line break; `escapes: yes` lets a case hold white space that an editor would not keep.
    pub fn query(&self) -> String {
        let text = self.get("query").unwrap_or_else(|| panic!("{}: no query", self.place));
        if self.get("escapes").is_none() {
            return text.replace('⏎', "\n");
        }
        text.replace("\\n", "\n").replace("\\t", "\t").replace("\\s", "")
    }
}

/// The cases of all files in a folder, by the names of the files.
pub fn read(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = Vec::new();
        for (at, line) in text.lines().chain([""]).enumerate() {
            if let Some((key, value)) = line.split_once(": ").filter(|_| !line.starts_with('#')) {
                lines.push((key.to_owned(), value.to_owned()));
            } else if let Some(key) = line.strip_suffix(':') {
                lines.push((key.to_owned(), String::new()));
            } else if line.is_empty() && !lines.is_empty() {
                let place = format!("{}, before line {}", path.display(), at + 1);
                cases.push(Case { place, lines: std::mem::take(&mut lines) });
            } else {
                assert!(line.is_empty() || line.starts_with('#'), "{}:{}: {line}", path.display(), at + 1);
            }
        }
    }
    assert!(!cases.is_empty(), "{}: no case", folder.display());
    cases
}

/// Asserts that `parse` gives each case its tree, or its errors.
pub fn check_trees(folder: &Path, parse: impl Fn(&str) -> Result<String, String>) {
    let mut wrong = String::new();
    for case in read(folder) {
        if case.get("tree").or(case.get("error")).is_none() {
            continue;
        }
        let (key, got) = match parse(&case.query()) {
            Ok(tree) => ("tree", tree),
            Err(errors) => ("error", errors),
        };
        if case.get(key) != Some(&got) {
            let expected = case.get("tree").or(case.get("error"));
            writeln!(wrong, "{}\n  expected {expected:?}\n  got {key}: {got}", case.place).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Asserts that the condition of each case is true of its documents, or not, or that it is refused for the reason given.
/// There are at least so many verdicts.
pub fn check_verdicts(
    folder: &Path,
    least: usize,
    condition: impl Fn(&str, &Catalog) -> Result<Expr, String>,
) {
    let mut wrong = String::new();
    let mut catalog = Catalog::default();
    let mut run = 0;
    for case in read(folder) {
        if let Some(fields) = case.get("fields") {
            let types: Value = serde_json::from_str(fields).unwrap();
            catalog = Catalog::from_types(types.as_object().unwrap()).unwrap();
            continue;
        }
        if case.get("tree").or(case.get("error")).is_some() {
            continue;
        }
        let documents = |key| case.all(key).map(|text| serde_json::from_str::<Object>(text).unwrap());
        let (matching, other) = (documents("match"), documents("no match"));
        match (condition(&case.query(), &catalog), case.get("refused")) {
            (Err(reason), Some(expected)) if reason.contains(expected) => run += 1,
            (Err(reason), _) => writeln!(wrong, "{}\n  refused: {reason}", case.place).unwrap(),
            (Ok(_), Some(_)) => writeln!(wrong, "{}\n  is not refused", case.place).unwrap(),
            (Ok(expr), None) => {
                for (document, expected) in matching.map(|it| (it, true)).chain(other.map(|it| (it, false))) {
                    run += 1;
                    if plan::naive::matches(&expr, &document) != expected {
                        let document = Value::Object(document);
                        writeln!(wrong, "{}\n  {document}: should match: {expected}", case.place).unwrap();
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run >= least, "only {run} verdicts");
}
