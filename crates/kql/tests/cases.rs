//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.

use std::path::Path;

use ecs::Catalog;
use kql::{Ast, Node, NodeKind, ParseErrors, Term, TermKind};

/// Where the cases are.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

#[test]
fn trees_and_errors() {
    cases::check_trees(folder(), |text| kql::parse(text).map(|it| tree(&it)).map_err(|it| errors_text(&it)));
}

#[test]
fn verdicts() {
    cases::check_verdicts(folder(), 100, condition);
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
