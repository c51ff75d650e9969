//! EQL, whose queries ask several events: each a condition, and what they form together.

use ecs::Catalog;
use eql::ast::{Ast, Event, Expr, ExprKind, Field, Item, Query};
use plan::{Condition, FieldUse, ValueUse};
use span::Diagnostic;

use crate::pattern::{Form, JoinKey, Pattern, Pipe, Stage};

/// A query in EQL, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct EqlQuery {
    /// What is asked of single events, by the number that the pattern knows it by.
    pub conditions: Vec<Condition>,
    /// What such events must form.
    pub pattern: Pattern,
}

impl EqlQuery {
    /// Checks the text of a query; else tells all that is wrong with it, by the place in the text. The category of events
    /// is in `event.category`, if nothing else is said.
    pub fn new(
        text: &str,
        event_category_field: Option<&str>,
        catalog: &Catalog,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut options = eql::Options::default();
        if let Some(field) = event_category_field {
            field.clone_into(&mut options.event_category_field);
        }
        let eql::Statement { query, pipes } = eql::statement(text, catalog, &options)?;
        let pipe = |it: eql::ast::Pipe| match it {
            eql::ast::Pipe::Head(count) => Pipe::Head(usize::try_from(count).unwrap_or(usize::MAX)),
            eql::ast::Pipe::Tail(count) => Pipe::Tail(usize::try_from(count).unwrap_or(usize::MAX)),
        };
        let pipes = pipes.into_iter().map(pipe).collect();
        let (form, items, until, maxspan) = match query {
            eql::Query::Event(condition) => {
                return Ok(Self { conditions: vec![condition], pattern: Pattern::event(pipes) });
            }
            eql::Query::Sequence(it) => (Form::Sequence, it.items, it.until, it.maxspan),
            eql::Query::Sample(it) => (Form::Sample, it.items, None, None),
        };
        let (mut conditions, mut keys, mut stages, mut spans) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut add = |item: eql::Item| {
            // What runs several times stands as often, and is asked once.
            if spans.last() != Some(&item.span) {
                spans.push(item.span);
                conditions.push(item.condition);
                let key = |it: eql::Key| JoinKey { path: it.path, optional: it.optional };
                keys.push(item.keys.into_iter().map(key).collect());
            }
            spans.len() - 1
        };
        for item in items {
            let missing = item.missing;
            stages.push(Stage { filter: add(item), missing });
        }
        let until = until.map(add);
        Ok(Self { conditions, pattern: Pattern { form, stages, until, maxspan, keys, pipes } })
    }
}

/// What is asked of an event that may be part of a result.
pub(crate) fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    EqlQuery::new(text, None, catalog).map(|it| Condition::any_of(it.conditions))
}

pub(crate) fn errors(text: &str) -> Vec<Diagnostic> {
    eql::parse(text).err().map_or_else(Vec::new, |errors| errors.to_diagnostics(text))
}

pub(crate) fn findings(_: &str) -> Vec<Diagnostic> {
    Vec::new()
}

pub(crate) fn fields(text: &str) -> Vec<FieldUse> {
    let Ok(Ast { query, .. }) = eql::parse(text) else { return Vec::new() };
    let mut found = Vec::new();
    match &query {
        Query::Event(event) => of_event(event, &mut found),
        Query::Sequence(it) => {
            found.extend(it.by.iter().map(field));
            it.items.iter().chain(&it.until).for_each(|it| of_item(it, &mut found));
        }
        Query::Sample(it) => {
            found.extend(it.by.iter().map(field));
            it.items.iter().for_each(|it| of_item(it, &mut found));
        }
    }
    found
}

/// Which of them decide alone cannot be read off the text of several events.
pub(crate) fn values(_: &str) -> Vec<ValueUse> {
    Vec::new()
}

fn field(it: &Field) -> FieldUse {
    FieldUse { name: it.path.clone(), span: it.span, may_be_object: false }
}

fn of_item(item: &Item, found: &mut Vec<FieldUse>) {
    of_event(&item.event, found);
    found.extend(item.by.iter().map(field));
}

fn of_event(event: &Event, found: &mut Vec<FieldUse>) {
    of_expr(&event.condition, found);
}

fn of_expr(expr: &Expr, found: &mut Vec<FieldUse>) {
    match &expr.kind {
        ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter().for_each(|it| of_expr(it, found)),
        ExprKind::Not(inner) | ExprKind::Negate(inner) => of_expr(inner, found),
        ExprKind::Compare { left, right, .. } | ExprKind::Arithmetic { left, right, .. } => {
            of_expr(left, found);
            of_expr(right, found);
        }
        ExprKind::In { value, list, .. } => {
            of_expr(value, found);
            list.iter().for_each(|it| of_expr(it, found));
        }
        ExprKind::Match { value, .. } => of_expr(value, found),
        ExprKind::Constant(_) => {}
        ExprKind::Field(it) => found.push(field(it)),
        ExprKind::Call { arguments, .. } => arguments.iter().for_each(|it| of_expr(it, found)),
    }
}
