//! Queries to the events they find, in order.

use std::collections::BTreeMap;
use std::path::Path;

use ::eql::ast::Pipe;
use ::eql::{Options, Query};
use serde_json::Value;

use super::super::kql::{list, read, text};
use super::super::{CaseResult, Outcome};
use super::data::Dataset;
use super::sequences::{Taking, results};
use crate::evaluate;

/// All cases of `queries.json` and `derived.json`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let mut datasets: BTreeMap<String, Dataset> = BTreeMap::new();
    let mut results = Vec::new();
    for name in ["queries", "derived"] {
        let file = read(data, &format!("eql/{name}.json"))?;
        let size = file.pointer("/defaults/size").and_then(Value::as_u64).unwrap_or(10);
        for case in list(&file, "cases")? {
            let dataset = text(case, "dataset")?;
            if !datasets.contains_key(dataset) {
                datasets.insert(dataset.to_owned(), Dataset::read(data, dataset)?);
            }
            let size = case.get("size").and_then(Value::as_u64).unwrap_or(size);
            results.push(run(case, &datasets[dataset], size)?);
        }
    }
    Ok(results)
}

fn run(case: &Value, dataset: &Dataset, size: u64) -> anyhow::Result<CaseResult> {
    let (id, query) = (text(case, "id")?, text(case, "query")?);
    if query.contains("optional_field_default_null") {
        let reason = "the mapping parameter `null_value`: a null is no value here".to_owned();
        return Ok(CaseResult { id: id.to_owned(), outcome: Outcome::Unsupported { reason } });
    }
    let options = Options { event_category_field: dataset.category_field.clone() };
    let got = match ::eql::statement(query, &dataset.catalog, &options) {
        Err(_) => "error".to_owned(),
        Ok(statement) => match statement.query {
            Query::Event(condition) => {
                let found = evaluate::expr(query, &condition.at(0), &dataset.events)?;
                let mut ids: Vec<&str> = dataset
                    .events
                    .iter()
                    .map(|(id, _)| id.as_str())
                    .filter(|it| found.contains(*it))
                    .collect();
                taken(&mut ids, &statement.pipes, size);
                format!("[{}]", ids.join(","))
            }
            Query::Sequence(_) | Query::Sample(_) => return correlated(case, dataset, size),
        },
    };
    let expected = match case.get("expected_event_ids") {
        Some(Value::Array(ids)) => {
            format!("[{}]", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        }
        _ => "error".to_owned(),
    };
    Ok(CaseResult::compare(id, expected, got))
}

/// A case of a sequence or a sample: the ids of all results, one after the other, and the join keys if it names them.
fn correlated(case: &Value, dataset: &Dataset, size: u64) -> anyhow::Result<CaseResult> {
    let samples_of_key = case.get("max_samples_per_key").and_then(Value::as_u64).unwrap_or(1) as usize;
    let taking = Taking { size: size as usize, samples_of_key };
    let got = results(text(case, "query")?, dataset, taking)?;
    let all = |ids: &Value| -> String {
        let ids = ids.as_array().into_iter().flatten().map(ToString::to_string);
        format!("[{}]", ids.collect::<Vec<_>>().join(","))
    };
    let Some(got) = got else {
        let expected = case.get("expected_event_ids").map_or_else(|| "error".to_owned(), all);
        return Ok(CaseResult::compare(text(case, "id")?, expected, "error".to_owned()));
    };
    let id = |it: &String| if it == "-" { "-1".to_owned() } else { it.clone() };
    let ids: Vec<String> = got.iter().flat_map(|(ids, _)| ids).map(id).collect();
    let mut answer = format!("[{}]", ids.join(","));
    let mut expected = match case.get("expected_any_of").and_then(Value::as_array) {
        Some(lists) => {
            let lists: Vec<String> = lists.iter().map(all).collect();
            lists.iter().find(|it| **it == answer).or(lists.first()).cloned().unwrap_or_default()
        }
        None => case.get("expected_event_ids").map_or_else(|| "error".to_owned(), all),
    };
    if let Some(keys) = case.get("join_keys").and_then(Value::as_array) {
        let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
        let its: Vec<&str> = got.iter().flat_map(|(_, keys)| keys).map(String::as_str).collect();
        expected += &format!(" by {}", keys.join(","));
        answer += &format!(" by {}", its.join(","));
    }
    Ok(CaseResult::compare(text(case, "id")?, expected, answer))
}

/// What the pipes take, and of that the newest.
fn taken<T>(all: &mut Vec<T>, pipes: &[Pipe], size: u64) {
    let size = Pipe::Tail(size);
    for pipe in pipes.iter().chain([&size]) {
        match pipe {
            Pipe::Head(count) => all.truncate(*count as usize),
            Pipe::Tail(count) => drop(all.drain(..all.len().saturating_sub(*count as usize))),
        }
    }
}
