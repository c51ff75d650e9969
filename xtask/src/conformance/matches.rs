//! Query text to matching documents, end to end.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use ecs::{Catalog, Millis, Object};
use serde_json::Value;

use super::kql::{list, read, text};
use super::{CaseResult, Outcome};
use crate::evaluate::{self, Answer};

/// Documents with the types of their fields, and the instant that `now` means.
struct Group {
    catalog: Catalog,
    documents: Vec<(String, Object)>,
    now: Millis,
}

/// All cases of KQL's `match.json`.
pub(crate) fn kql_cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "kql/match.json")?;
    let mut results = Vec::new();
    for value in list(&file, "groups")? {
        let group = Group::read(value)?;
        for case in list(value, "cases")? {
            results.push(group.run(case, |it, query| {
                evaluate::kql(query, &it.catalog, &it.catalog, &it.documents, it.now)
            })?);
        }
    }
    Ok(results)
}

/// All cases of Lucene's `match.json`: one group.
pub(crate) fn lucene_cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "lucene/match.json")?;
    let group = Group::read(&file)?;
    let run = |case| group.run(case, |it, query| evaluate::lucene(query, &it.catalog, &it.documents, it.now));
    list(&file, "cases")?.iter().map(run).collect()
}

impl Group {
    fn read(value: &Value) -> anyhow::Result<Self> {
        let types =
            value.get("field_types").and_then(Value::as_object).context("a group has no field types")?;
        let catalog = Catalog::from_types(types).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        let now = match value.get("now").and_then(Value::as_str) {
            Some(text) => ecs::date::parse(text)?,
            // No query of such a group speaks of the present.
            None => 0,
        };
        let documents = list(value, "documents")?.iter().map(document).collect::<anyhow::Result<_>>()?;
        Ok(Self { catalog, documents, now })
    }

    fn run(
        &self,
        case: &Value,
        ask: impl Fn(&Self, &str) -> anyhow::Result<Answer>,
    ) -> anyhow::Result<CaseResult> {
        let query = text(case, "query")?;
        let got = match ask(self, query) {
            Ok(Ok(ids)) => shown(&ids),
            Ok(Err(_)) => "error".to_owned(),
            Err(disagreement) => disagreement.to_string(),
        };
        let ids = |key: &str| -> Option<String> {
            let ids = case.get(key)?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
            Some(shown(&ids.collect()))
        };
        let expected = ids("match").unwrap_or_else(|| "error".to_owned());
        let mut result = CaseResult::compare(text(case, "id")?, expected, got.clone());
        if ids("may_answer") == Some(got) {
            result.outcome = Outcome::Passed;
        }
        Ok(result)
    }
}

/// A document and its `_id`, which is no field of it.
fn document(value: &Value) -> anyhow::Result<(String, Object)> {
    let mut document = value.as_object().context("a document is no object")?.clone();
    let id = match document.shift_remove("_id") {
        Some(Value::String(id)) => id,
        other => anyhow::bail!("a document has the id {other:?}"),
    };
    Ok((id, document))
}

fn shown(ids: &BTreeSet<String>) -> String {
    format!("[{}]", ids.iter().cloned().collect::<Vec<_>>().join(", "))
}
