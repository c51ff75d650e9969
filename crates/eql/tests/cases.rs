//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.

use std::path::Path;

use ecs::Catalog;
use eql::ast::{Ast, Event, Expr, ExprKind, Field, Item, Pipe, Query};
use eql::{Options, ParseErrors};
use span::Diagnostic;

/// Where the cases are.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

#[test]
fn trees_and_errors() {
    cases::check_trees(folder(), |text| eql::parse(text).map(|it| tree(&it)).map_err(|it| errors_text(&it)));
}

#[test]
fn verdicts() {
    cases::check_verdicts(folder(), 150, condition);
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
