//! EQL, whose queries ask several events: each a condition, and what they form together.

use ecs::Catalog;
use plan::Condition;
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
