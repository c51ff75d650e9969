//! Text to tree: what is a query, and what means the same.

use std::path::Path;

use ::eql::ast::{Ast, CompareOp, Expr, ExprKind, Item, Query, Sequence};
use ::eql::{OtherDialect, ParseErrorKind};

use super::super::CaseResult;
use super::super::kql::{list, read, text};

/// All cases of `parse.json`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "eql/parse.json")?;
    let mut results = Vec::new();
    for case in list(&file, "cases")? {
        let query = text(case, "query")?;
        let (expected, got) = match text(case, "same_as") {
            Ok(other) => (meaning(other), meaning(query)),
            Err(_) => (text(case, "expect")?.to_owned(), verdict(query).to_owned()),
        };
        results.push(CaseResult::compare(text(case, "id")?, expected, got));
    }
    Ok(results)
}

fn verdict(query: &str) -> &'static str {
    let Err(errors) = ::eql::parse(query) else { return "ok" };
    let is_join =
        |kind: &ParseErrorKind| matches!(kind, ParseErrorKind::OtherDialect { what: OtherDialect::Join });
    if errors.iter().all(|it| is_join(&it.kind)) { "unsupported" } else { "error" }
}

/// The query in a form that is the same for queries that mean the same: without the signs that others stand for.
fn meaning(query: &str) -> String {
    match ::eql::parse(query) {
        Ok(mut ast) => {
            plain(&mut ast);
            ast.to_string()
        }
        Err(errors) => format!("error: {errors}"),
    }
}

fn plain(ast: &mut Ast) {
    let (by, items) = match &mut ast.query {
        Query::Event(event) => return plain_expr(&mut event.condition),
        Query::Sequence(Sequence { by, items, until, .. }) => {
            if let Some(until) = until {
                plain_item(until, by);
            }
            (std::mem::take(by), items)
        }
        Query::Sample(sample) => (std::mem::take(&mut sample.by), &mut sample.items),
    };
    let mut all = Vec::new();
    for mut item in std::mem::take(items) {
        plain_item(&mut item, &by);
        let runs = std::mem::replace(&mut item.runs, 1);
        all.extend(std::iter::repeat_n(item, runs as usize));
    }
    *items = all;
}

/// The keys of all are the item's own.
fn plain_item(item: &mut Item, by: &[::eql::ast::Field]) {
    item.by.splice(0..0, by.iter().cloned());
    plain_expr(&mut item.event.condition);
}

fn plain_expr(expr: &mut Expr) {
    let span = expr.span;
    match &mut expr.kind {
        ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter_mut().for_each(plain_expr),
        ExprKind::Call { arguments, .. } => arguments.iter_mut().for_each(plain_expr),
        ExprKind::Not(inner) | ExprKind::Negate(inner) => plain_expr(inner),
        ExprKind::Arithmetic { left, right, .. } => {
            plain_expr(left);
            plain_expr(right);
        }
        ExprKind::Compare { left, op, right } => {
            plain_expr(left);
            plain_expr(right);
            if *op == CompareOp::NotEqual {
                *op = CompareOp::Equal;
                expr.kind = ExprKind::Not(Box::new(Expr { kind: expr.kind.clone(), span }));
            }
        }
        ExprKind::In { value, list, negated, .. } => {
            plain_expr(value);
            list.iter_mut().for_each(plain_expr);
            if std::mem::take(negated) {
                expr.kind = ExprKind::Not(Box::new(Expr { kind: expr.kind.clone(), span }));
            }
        }
        ExprKind::Match { value, .. } => plain_expr(value),
        ExprKind::Constant(_) | ExprKind::Field(_) => {}
    }
}
