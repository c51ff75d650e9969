//! Case files: query text, and the tree, the errors or the verdicts on documents it must give.

use std::path::Path;

use ecs::Catalog;
use lucene::{Ast, Atom, Clause, Conjunction, Group, Modifier, Node, ParseErrors};
use plan::Glob;

/// Where the cases are.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

#[test]
fn trees_and_errors() {
    cases::check_trees(folder(), |text| {
        lucene::parse(text).map(|it| tree(&it)).map_err(|it| errors_text(&it))
    });
}

#[test]
fn verdicts() {
    cases::check_verdicts(folder(), 60, condition);
}

/// The condition on documents that a query means when it is the epoch, or why it has no meaning.
fn condition(query: &str, catalog: &Catalog) -> Result<plan::Expr, String> {
    let ast = lucene::parse(query).map_err(|errors| errors.to_string())?;
    plan::lower(&lucene::to_query(&ast, catalog), catalog, 0).map_err(|errors| errors[0].to_string())
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
