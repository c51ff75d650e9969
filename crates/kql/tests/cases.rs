//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;
use std::path::Path;

use ecs::Catalog;
use kql::{Ast, Node, NodeKind, ParseErrors, Term, TermKind};

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
        let (key, got) = match kql::parse(&case.query()) {
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
    assert!(run > 100, "only {run} verdicts");
}

/// The condition on documents that a query means when it is the epoch, or why it has no meaning.
fn condition(query: &str, catalog: &Catalog) -> Result<plan::Expr, String> {
    let ast = kql::parse(query).map_err(|errors| errors.to_string())?;
    let query = kql::to_query(&ast, catalog).map_err(|errors| errors[0].to_string())?;
    plan::lower(&query, catalog, 0).map_err(|errors| errors[0].to_string())
}

fn errors_text(errors: &ParseErrors) -> String {
    let line = |error: &kql::ParseError| {
        let span = error.span();
        format!("{} {}..{} {error}", error.code(), span.start, span.end)
    };
    errors.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// `field=value`; `"…"` quoted, `<…>` unquoted with characters that separate, `/…/` a pattern, `!` a constant.
fn tree(ast: &Ast) -> String {
    ast.root.as_ref().map_or("everything".to_owned(), node)
}

fn node(it: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(node).collect::<Vec<_>>().join(" ");
    match &it.kind {
        NodeKind::Or(nodes) => format!("(or {})", all(nodes)),
        NodeKind::And(nodes) => format!("(and {})", all(nodes)),
        NodeKind::Not(inner) => format!("(not {})", node(inner)),
        NodeKind::Nested { path, query } => format!("(nested {} {})", term(path), node(query)),
        NodeKind::Is { field, value } => {
            format!("{}={}", field.as_ref().map(term).unwrap_or_default(), term(value))
        }
        NodeKind::Range { field, op, value } => format!("{}{}{}", term(field), op.as_str(), term(value)),
    }
}

fn term(it: &Term) -> String {
    let text = it.text().replace('\n', "¶").replace('\t', "→").replace('\u{a0}', "·");
    match &it.kind {
        TermKind::Null | TermKind::Bool(_) => format!("{text}!"),
        TermKind::Text { quoted: true, .. } => format!("\"{text}\""),
        TermKind::Text { quoted: false, .. }
            if text.is_empty() || text.contains(|c: char| " (){}¶".contains(c)) =>
        {
            format!("<{text}>")
        }
        TermKind::Text { quoted: false, .. } => text,
        TermKind::Pattern(_) if text.contains(' ') => format!("</{text}/>"),
        TermKind::Pattern(_) => format!("/{text}/"),
    }
}
