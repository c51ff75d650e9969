//! Queries over documents in memory, through both evaluators: they must agree.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::ensure;
use block::{BlockBuilder, Origin, RowInfo};
use ecs::{Catalog, Millis, Object};

/// Documents with their ids.
pub(crate) type Documents = [(String, Object)];

/// The ids that a query finds, or why it is refused.
pub(crate) type Answer = Result<BTreeSet<String>, String>;

/// What a KQL query finds. `listed` is what the translation knows of the fields,
/// `catalog` what the index does. An error if the two evaluators disagree.
pub(crate) fn kql(
    query: &str,
    listed: &Catalog,
    catalog: &Catalog,
    documents: &Documents,
    now: Millis,
) -> anyhow::Result<Answer> {
    let ast = match kql::parse(query) {
        Ok(ast) => ast,
        Err(errors) => return Ok(Err(errors.to_string())),
    };
    let translated = match kql::to_query(&ast, listed) {
        Ok(translated) => translated,
        Err(errors) => return Ok(Err(joined(&errors))),
    };
    both(query, &translated, catalog, documents, now)
}

/// As [`kql()`], of a Lucene query.
pub(crate) fn lucene(
    query: &str,
    catalog: &Catalog,
    documents: &Documents,
    now: Millis,
) -> anyhow::Result<Answer> {
    match lucene::parse(query) {
        Ok(ast) => both(query, &lucene::to_query(&ast, catalog), catalog, documents, now),
        Err(errors) => Ok(Err(errors.to_string())),
    }
}

fn both(
    query: &str,
    translated: &plan::Query,
    catalog: &Catalog,
    documents: &Documents,
    now: Millis,
) -> anyhow::Result<Answer> {
    match plan::lower(translated, catalog, now) {
        Ok(expr) => self::expr(query, &expr, documents).map(Ok),
        Err(errors) => Ok(Err(joined(&errors))),
    }
}

/// The ids of the documents that satisfy what a query asks. An error if the two evaluators disagree.
pub(crate) fn expr(
    query: &str,
    expr: &plan::Expr,
    documents: &Documents,
) -> anyhow::Result<BTreeSet<String>> {
    let naive = run_naive(expr, documents);
    let blocks = run_block(expr, documents);
    ensure!(naive == blocks, "the evaluators disagree on {query:?}: naive {naive:?}, block {blocks:?}");
    Ok(naive)
}

fn joined<E: ToString>(errors: &[E]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn run_naive(expr: &plan::Expr, documents: &Documents) -> BTreeSet<String> {
    let evaluator = plan::naive::Evaluator::new(expr);
    let matching = documents.iter().filter(|(id, document)| {
        // For the evaluator `_id` is a key of the document.
        let mut document = document.clone();
        document.insert("_id".to_owned(), id.clone().into());
        evaluator.matches(&document)
    });
    matching.map(|(id, _)| id.clone()).collect()
}

fn run_block(expr: &plan::Expr, documents: &Documents) -> BTreeSet<String> {
    let program = exec::Program::compile(std::slice::from_ref(expr));
    let schema = Arc::new(program.schema().clone());
    let mut builder = BlockBuilder::new(Arc::clone(&schema));
    for (id, document) in documents {
        for (slot, path, shape) in schema.columns() {
            ecs::document::values(document, path, shape, |value| builder.push(slot, value));
        }
        builder.end_row(RowInfo { id, index: 0, timestamp: 0, origin: Origin::default() });
    }
    let block = builder.finish();
    let mut found = BTreeSet::new();
    program.evaluate(&block, &["index".to_owned()], &mut exec::Scratch::default(), |_, rows| {
        found.extend(rows.iter().map(|&row| block.id(row as usize).to_owned()));
    });
    found
}
