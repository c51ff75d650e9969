//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;
use std::path::Path;

use ecs::Catalog;
use eql::ast::{Ast, Event, Expr, ExprKind, Field, Item, Pipe, Query};
use eql::{Options, ParseErrors};
use span::Diagnostic;

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

    /// The query; `lines: yes` reads `⏎` as a line break.
    fn query(&self) -> String {
        let text = self.get("query").unwrap_or_else(|| panic!("{}: no query", self.place));
        text.replace('⏎', "\n")
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
        let (key, got) = match eql::parse(&case.query()) {
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
    assert!(run > 150, "only {run} verdicts");
}

/// The condition on documents that a query means when it is the epoch, or why it has no meaning. What is no whole query is a
/// condition on any event.
fn condition(query: &str, catalog: &Catalog) -> Result<plan::Expr, String> {
    let text = if query.contains(" where ") { query.to_owned() } else { format!("any where {query}") };
    let said = |errors: Vec<Diagnostic>| {
        errors.iter().map(|it| format!("{} {}", it.code, it.message)).collect::<Vec<_>>().join("; ")
    };
    match eql::statement(&text, catalog, &Options::default()).map_err(said)?.query {
        eql::Query::Event(condition) => Ok(condition.at(0)),
        eql::Query::Sequence(_) | eql::Query::Sample(_) => Err("no event query".to_owned()),
    }
}

fn errors_text(errors: &ParseErrors) -> String {
    let line = |error: &eql::ParseError| {
        format!("{} {}..{} {error}", error.code(), error.span.start, error.span.end)
    };
    errors.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn tree(ast: &Ast) -> String {
    let mut text = match &ast.query {
        Query::Event(it) => event(it),
        Query::Sequence(it) => {
            let mut text = format!("sequence{}", keys(&it.by));
            if let Some(maxspan) = it.maxspan {
                text += &format!(" maxspan={maxspan}");
            }
            it.items.iter().for_each(|it| text += &item(it));
            if let Some(until) = &it.until {
                text += &format!(" until{}", item(until));
            }
            text
        }
        Query::Sample(it) => {
            format!("sample{}{}", keys(&it.by), it.items.iter().map(item).collect::<String>())
        }
    };
    for pipe in &ast.pipes {
        text += &match pipe {
            Pipe::Head(count) => format!(" | head {count}"),
            Pipe::Tail(count) => format!(" | tail {count}"),
        };
    }
    text
}

fn item(it: &Item) -> String {
    let runs = if it.runs == 1 { String::new() } else { format!(" runs={}", it.runs) };
    format!(" {}[{}]{}{runs}", if it.missing { "!" } else { "" }, event(&it.event), keys(&it.by))
}

fn keys(by: &[Field]) -> String {
    by.iter().fold(String::new(), |all, it| format!("{all} by:{it}"))
}

fn event(it: &Event) -> String {
    let category = it.category.as_ref().map_or("*", |it| it.name.as_str());
    format!("{category}: {}", expr(&it.condition))
}

fn list<'a>(head: &str, parts: impl IntoIterator<Item = &'a Expr>) -> String {
    format!("({head} {})", parts.into_iter().map(expr).collect::<Vec<_>>().join(" "))
}

fn expr(it: &Expr) -> String {
    match &it.kind {
        ExprKind::Or(any) => list("or", any),
        ExprKind::And(all) => list("and", all),
        ExprKind::Not(inner) => list("not", [&**inner]),
        ExprKind::Compare { left, op, right } => list(op.as_str(), [&**left, right]),
        ExprKind::In { value, negated, fold, list: values } => {
            let head = format!("{}in{}", if *negated { "not-" } else { "" }, if *fold { "~" } else { "" });
            list(&head, std::iter::once(&**value).chain(values))
        }
        ExprKind::Match { value, op, patterns } => {
            let patterns = patterns.iter().fold(String::new(), |all, it| format!("{all} {it}"));
            format!("({} {}{patterns})", op.as_str(), expr(value))
        }
        ExprKind::Arithmetic { left, op, right } => list(op.as_str(), [&**left, right]),
        ExprKind::Negate(inner) => list("-", [&**inner]),
        ExprKind::Constant(literal) => literal.to_string(),
        ExprKind::Field(field) => field.to_string(),
        ExprKind::Call { function, fold, arguments, name: _ } => {
            list(&format!("{function}{}", if *fold { "~" } else { "" }), arguments)
        }
    }
}
