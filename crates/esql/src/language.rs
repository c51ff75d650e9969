//! What every query language offers, for this one: the same functions, with the same forms of answers.

use std::collections::BTreeSet;

use ecs::Catalog;
use plan::{Condition, FieldUse, ValueKind, ValueUse};
use span::{Diagnostic, Span};

use crate::ast::{Ast, CommandKind, CompareOp, Expr, ExprKind, LikeKind, Literal};
use crate::check::{resolve_on, uses};
use crate::{ParseError, ParseErrorKind, lint, parse, split};

/// Text and fields in, condition out: what is asked of an event that may have a part in the result. Else all that is wrong
/// with the query, by the place in its text.
pub fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics(text))?;
    let pipeline = resolve_on(&ast, text, catalog)?;
    Ok(split(pipeline, catalog).filter)
}

/// Why the text is no query, whatever the fields; nothing if it is one. Commands that only other engines have are no reason:
/// the query is right there, and [`check`] refuses it here.
pub fn errors(text: &str) -> Vec<Diagnostic> {
    let Err(errors) = parse(text) else { return Vec::new() };
    let is_wrong = |it: &&ParseError| !matches!(it.kind, ParseErrorKind::UnsupportedCommand { .. });
    errors.iter().filter(is_wrong).map(|it| it.to_diagnostic(text)).collect()
}

/// What is legal but probably not meant; nothing of a text that is no query.
pub fn findings(text: &str) -> Vec<Diagnostic> {
    parse(text).map_or_else(|_| Vec::new(), |ast| lint(&ast, text))
}

/// The fields of events that the query names, in the order of its text: not the columns that it makes. Nothing of a text that
/// is no query.
pub fn fields(text: &str) -> Vec<FieldUse> {
    parse(text).map_or_else(|_| Vec::new(), |ast| uses(&ast, text))
}

/// The patterns of indices that the query reads; nothing of a text that is no query.
pub fn patterns(text: &str) -> Vec<String> {
    let Ok(ast) = parse(text) else { return Vec::new() };
    let Some(CommandKind::From { patterns, .. }) = ast.commands.first().map(|it| &it.kind) else {
        return Vec::new();
    };
    let pieces = |it: &str| it.split(',').map(|it| it.trim().to_owned()).collect::<Vec<_>>();
    patterns.iter().flat_map(|it| pieces(&it.text)).collect()
}

/// The values that the query compares fields of events with, in the order of its text; nothing of a text that is no query.
pub fn values(text: &str) -> Vec<ValueUse> {
    let Ok(ast) = parse(text) else { return Vec::new() };
    let places = uses(&ast, text).into_iter().map(|it| it.span).collect();
    let mut compared = Compared { text, places, found: Vec::new() };
    compared.query(&ast);
    compared.found
}

struct Compared<'a> {
    text: &'a str,
    /// Where columns stand that are fields.
    places: BTreeSet<Span>,
    found: Vec<ValueUse>,
}

impl Compared<'_> {
    fn query(&mut self, ast: &Ast) {
        // Only what stands before rows become groups must hold of every event.
        let mut is_of_events = true;
        for command in &ast.commands {
            match &command.kind {
                CommandKind::Where(condition) => self.condition(condition, is_of_events),
                kind => {
                    for it in kind.expressions() {
                        self.condition(it, false);
                    }
                    is_of_events &= !matches!(
                        kind,
                        CommandKind::Stats(_) | CommandKind::InlineStats(_) | CommandKind::Limit(_)
                    );
                }
            }
        }
    }

    /// Recurses as deep as the tree. `is_required` tells whether nothing is found where the expression is not true.
    fn condition(&mut self, expr: &Expr, is_required: bool) {
        match &expr.kind {
            ExprKind::And(all) => all.iter().for_each(|it| self.condition(it, is_required)),
            ExprKind::Or(any) => any.iter().for_each(|it| self.condition(it, false)),
            ExprKind::Not(inner) => self.condition(inner, false),
            ExprKind::Compare { left, op: op @ (CompareOp::Equal | CompareOp::NotEqual), right } => {
                for (field, value) in [(left, right), (right, left)] {
                    self.pair(field, value, ValueKind::Quoted, is_required && *op == CompareOp::Equal);
                }
                self.inner(left);
                self.inner(right);
            }
            ExprKind::In { value, negated, list } => {
                for it in list {
                    self.pair(value, it, ValueKind::Quoted, is_required && !negated && list.len() == 1);
                }
                self.inner(value);
            }
            ExprKind::Like { value, kind: LikeKind::Like, patterns, .. } => {
                for it in patterns {
                    // One that a single character may stand in, or an escape, is not known to be of the form of anything.
                    if !it.text.contains(['?', '\\']) {
                        let is_pattern = it.text.contains('*');
                        let kind = if is_pattern { ValueKind::Pattern } else { ValueKind::Quoted };
                        self.add(value, &it.text, it.span, kind, false);
                    }
                }
                self.inner(value);
            }
            ExprKind::Match { .. }
            | ExprKind::Compare { .. }
            | ExprKind::Like { .. }
            | ExprKind::IsNull { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::Negate(_)
            | ExprKind::Cast { .. }
            | ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Call { .. }
            | ExprKind::Star => self.inner(expr),
        }
    }

    /// What is compared within arguments: nothing of it must hold.
    fn inner(&mut self, expr: &Expr) {
        if let ExprKind::Call { arguments, .. } = &expr.kind {
            for it in arguments {
                self.condition(it, false);
            }
        }
    }

    fn pair(&mut self, field: &Expr, value: &Expr, kind: ValueKind, is_required: bool) {
        if let ExprKind::Literal(Literal::Text(text)) = &value.kind {
            self.add(field, text, value.span, kind, is_required);
        }
    }

    fn add(&mut self, field: &Expr, value: &str, span: Span, kind: ValueKind, is_required: bool) {
        let ExprKind::Column(name) = &field.kind else { return };
        // What is written with escapes, or as a raw text, cannot be replaced by a word.
        let is_plain = self.text.get(span.range()) == Some(&format!("\"{value}\""));
        if is_plain && self.places.contains(&name.span) {
            self.found.push(ValueUse {
                field: name.text.clone(),
                text: value.to_owned(),
                kind,
                span,
                is_required,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_events() {
        let text = "FROM logs-*, \"a-*, -b\" METADATA _id
            | EVAL x = TO_LOWER(user.name), y = x
            | WHERE x == \"root\" AND `event.action` IN (\"A\", \"B\") AND event.outcome == \"failure\"
            | RENAME source.ip AS ip
            | STATS c = COUNT(*) BY ip, host.name
            | WHERE host.name == \"h\" AND c > 1 | KEEP ip, c";
        let names: Vec<String> = fields(text).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["user.name", "event.action", "event.outcome", "source.ip", "host.name"]);
        assert_eq!(patterns(text), ["logs-*", "a-*", "-b"]);
        let compared: Vec<(String, String, bool)> =
            values(text).into_iter().map(|it| (it.field, it.text, it.is_required)).collect();
        let of = |field: &str, text: &str, is_required| (field.to_owned(), text.to_owned(), is_required);
        assert_eq!(
            compared,
            [
                of("event.action", "A", false),
                of("event.action", "B", false),
                of("event.outcome", "failure", true)
            ]
        );
        for it in fields(text) {
            assert_eq!(text[it.span.range()].trim_matches('`'), it.name);
        }
    }
}
