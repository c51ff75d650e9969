//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;
use std::path::Path;

use ecs::Catalog;
use lucene::{Ast, Atom, Clause, Conjunction, Group, Modifier, Node, ParseErrors};
use plan::Glob;

struct Case {
    place: String,
    lines: Vec<(String, String)>,
}

impl Case {
    fn get(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The query; `escapes: yes` lets a case hold white space that an editor would not keep.
    fn query(&self) -> String {
        let text = self.get("query").unwrap_or_else(|| panic!("{}: no query", self.place));
        if self.get("escapes").is_none() {
            return text.to_owned();
        }
        text.replace("\\n", "\n").replace("\\t", "\t").replace("\\s", "")
    }
}

fn cases(folder: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
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
    assert!(!cases.is_empty());
    cases
}

#[test]
fn trees_and_errors() {
    let mut wrong = String::new();
    for case in cases("tests/cases") {
        if case.get("tree").or(case.get("error")).is_none() {
            continue;
        }
        let (key, got) = match lucene::parse(&case.query()) {
            Ok(ast) => ("tree", tree(&ast)),
            Err(errors) => ("error", errors_text(&errors)),
        };
        if case.get(key) != Some(&got) {
            let expected = case.get("tree").or(case.get("error"));
            writeln!(wrong, "{}\n  expected {expected:?}\n  got {key}: {got}", case.place).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn verdicts() {
    let mut wrong = String::new();
    let mut catalog = Catalog::default();
    let mut run = 0;
    for case in cases("tests/cases") {
        if let Some(fields) = case.get("fields") {
            let types: serde_json::Value = serde_json::from_str(fields).unwrap();
            catalog = Catalog::from_types(types.as_object().unwrap()).unwrap();
            continue;
        }
        if case.get("tree").or(case.get("error")).is_some() {
            continue;
        }
        let documents = |key| case.all(key).map(|text| serde_json::from_str::<ecs::Object>(text).unwrap());
        let (matching, other) = (documents("match"), documents("no match"));
        match (condition(&case.query(), &catalog), case.get("refused")) {
            (Err(reason), Some(expected)) if reason.contains(expected) => run += 1,
            (Err(reason), _) => writeln!(wrong, "{}\n  refused: {reason}", case.place).unwrap(),
            (Ok(_), Some(_)) => writeln!(wrong, "{}\n  is not refused", case.place).unwrap(),
            (Ok(expr), None) => {
                for (document, expected) in matching.map(|it| (it, true)).chain(other.map(|it| (it, false))) {
                    run += 1;
                    if plan::naive::matches(&expr, &document) != expected {
                        let document = serde_json::Value::Object(document);
                        writeln!(wrong, "{}\n  {document}: should match: {expected}", case.place).unwrap();
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run > 60, "only {run} verdicts");
}

/// The condition on documents that a query means when it is the epoch, or why it has no meaning.
fn condition(query: &str, catalog: &Catalog) -> Result<plan::Expr, String> {
    let ast = lucene::parse(query).map_err(|errors| errors.to_string())?;
    plan::lower(&lucene::to_query(&ast), catalog, 0).map_err(|errors| errors[0].to_string())
}

fn errors_text(errors: &ParseErrors) -> String {
    let line = |error: &lucene::ParseError| {
        let span = error.span();
        format!("{} {}..{} {error}", error.code(), span.start, span.end)
    };
    errors.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn tree(ast: &Ast) -> String {
    ast.root.as_ref().map_or("everything".to_owned(), group)
}

/// `&` and `|` before what `AND` and `OR` join, `+` and `-` before what is required or excluded.
fn group(it: &Group) -> String {
    format!("({})", it.0.iter().map(clause).collect::<Vec<_>>().join(" "))
}

fn clause(it: &Clause) -> String {
    let joint = match it.conjunction {
        Some(Conjunction::And) => "&",
        Some(Conjunction::Or) => "|",
        None => "",
    };
    let sign = match it.modifier {
        Some(Modifier::Plus) => "+",
        Some(Modifier::Not) => "-",
        None => "",
    };
    let field = it.field.as_ref().map(|it| format!("{}:", it.name)).unwrap_or_default();
    let node = match &it.node {
        Node::Group(it) => group(it),
        Node::Atom(it) => atom(it),
    };
    format!("{joint}{sign}{field}{node}")
}

fn atom(it: &Atom) -> String {
    match it {
        Atom::Words(text) => text.clone(),
        Atom::Phrase { text, slop: 0 } => format!("\"{text}\""),
        Atom::Phrase { text, slop } => format!("\"{text}\"~{slop}"),
        Atom::Star => "*".to_owned(),
        Atom::Pattern(globs) => {
            let parts = globs.iter().map(|glob| match glob {
                Glob::Text(text) => text.as_str(),
                Glob::One => "?",
                Glob::Any => "*",
            });
            format!("</{}/>", parts.collect::<String>())
        }
        Atom::Regexp(text) => format!("/{text}/"),
        Atom::Fuzzy { text, edits } => {
            format!("{text}~{}", edits.map(|it| it.to_string()).unwrap_or_default())
        }
        Atom::Range { lower, includes_lower, upper, includes_upper } => format!(
            "{}{} TO {}{}",
            if *includes_lower { '[' } else { '{' },
            lower.as_deref().unwrap_or("*"),
            upper.as_deref().unwrap_or("*"),
            if *includes_upper { ']' } else { '}' },
        ),
    }
}
