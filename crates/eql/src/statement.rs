//! What a query asks of events, checked against the fields.

use ecs::{Catalog, Millis};
use plan::{Condition, Leaf, LeafKind, Literal};
use span::{Diagnostic, Span};

use crate::ast::{self, Pipe};
use crate::lower::{Found, Lowering};
use crate::parse;

/// What is known beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The field that holds the category of an event.
    pub event_category_field: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { event_category_field: "event.category".to_owned() }
    }
}

/// A query that fits the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What is looked for.
    pub query: Query,
    /// What is taken of the results, one after the other.
    pub pipes: Vec<Pipe>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Single events that satisfy the condition.
    Event(Condition),
    /// Events one after the other.
    Sequence(Sequence),
    /// Events in any order.
    Sample(Sample),
}

/// Events one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Two or more, in order; one that runs several times stands as often. At least one is not missing.
    pub items: Vec<Item>,
    /// What ends a sequence that is not complete.
    pub until: Option<Item>,
    /// How long it may take from the first event to the last; there is one if an item is missing.
    pub maxspan: Option<Millis>,
}

/// Events in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Two or more. All have as many keys, one at least.
    pub items: Vec<Item>,
}

/// One event of a sequence or a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What holds of the event, its category included.
    pub condition: Condition,
    /// What it has in common with the others, by place: first the keys of all, then its own.
    pub keys: Vec<Key>,
    /// There must be no such event.
    pub missing: bool,
    /// Where it stands in the text.
    pub span: Span,
}

/// A field whose values events have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The field as it is written.
    pub name: String,
    /// The field that holds whole values: of a text its keyword.
    pub path: String,
    /// Without a value it is null, and equals null; else such an event does not count.
    pub optional: bool,
    /// Where it stands in the text.
    pub span: Span,
}

/// Text and fields in, what it asks out; else all that is wrong with the query, by the place in its text.
pub fn statement(text: &str, catalog: &Catalog, options: &Options) -> Result<Statement, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics(text))?;
    check(&ast, catalog, options)
}

/// As [`statement`], of a text that is parsed.
fn check(ast: &ast::Ast, catalog: &Catalog, options: &Options) -> Result<Statement, Vec<Diagnostic>> {
    let mut checker = Checker { options, lowering: Lowering::new(catalog) };
    let query = match &ast.query {
        ast::Query::Event(event) => Query::Event(checker.event(event)),
        ast::Query::Sequence(it) => Query::Sequence(Sequence {
            items: checker.items(&it.items, &it.by),
            until: it.until.as_ref().map(|until| checker.item(until, &it.by)),
            maxspan: it.maxspan,
        }),
        ast::Query::Sample(it) => Query::Sample(Sample { items: checker.items(&it.items, &it.by) }),
    };
    let mut errors = checker.lowering.errors;
    if errors.is_empty() {
        return Ok(Statement { query, pipes: ast.pipes.clone() });
    }
    errors.sort_by_key(Diagnostic::span);
    errors.dedup();
    Err(errors)
}

struct Checker<'a> {
    options: &'a Options,
    lowering: Lowering<'a>,
}

impl Checker<'_> {
    fn items(&mut self, items: &[ast::Item], by: &[ast::Field]) -> Vec<Item> {
        let mut all = Vec::new();
        for item in items {
            let checked = self.item(item, by);
            all.extend(std::iter::repeat_n(checked, item.runs as usize));
        }
        all
    }

    fn item(&mut self, item: &ast::Item, by: &[ast::Field]) -> Item {
        let condition = self.event(&item.event);
        let keys = by.iter().chain(&item.by).filter_map(|it| self.key(it)).collect();
        Item { condition, keys, missing: item.missing, span: item.span }
    }

    /// Category and condition.
    fn event(&mut self, event: &ast::Event) -> Condition {
        let condition = self.lowering.condition(&event.condition);
        let Some(category) = &event.category else { return condition };
        let field = ast::Field {
            path: self.options.event_category_field.clone(),
            optional: false,
            span: category.span,
        };
        let Ok(Found::Field(field)) = self.lowering.field(&field) else { return condition };
        let kind = LeafKind::Term { value: Literal::Text(category.name.clone()), case_insensitive: false };
        let leaf = Leaf { field: Some(field.text_path), kind, span: Some(category.span) };
        Condition::all_of([self.lowering.ask(leaf), condition])
    }

    fn key(&mut self, field: &ast::Field) -> Option<Key> {
        let ast::Field { path: name, optional, span } = field;
        let path = match self.lowering.field(field) {
            Ok(Found::Field(found)) => found.text_path,
            Ok(Found::Null) => name.clone(),
            Err(_) => return None,
        };
        Some(Key { name: name.clone(), path, optional: *optional, span: *span })
    }
}
