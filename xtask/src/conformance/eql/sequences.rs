//! Events to the sequences and samples that they form.

use std::path::Path;

use anyhow::Context as _;
use ecs::{Catalog, Millis, Object};
use hunt::{Asked, Correlation};
use plan::Condition;
use rule::{EqlQuery, Form, Pattern, Stage};
use serde_json::{Value, json};

use super::super::CaseResult;
use super::super::kql::{list, read, text};
use super::data::{Dataset, catalog};

/// How results are taken.
#[derive(Clone, Copy)]
pub(super) struct Taking {
    pub(super) size: usize,
    pub(super) samples_of_key: usize,
}

/// The ids of a result's events, and its join keys.
type Answer = (Vec<String>, Vec<String>);

/// For each result its ids, `-` for an event that is missing, and its join keys; `error` if there are none because the
/// query is wrong.
pub(super) fn results(query: &str, dataset: &Dataset, taking: Taking) -> anyhow::Result<Option<Vec<Answer>>> {
    let Ok(query) = EqlQuery::new(query, Some(&dataset.category_field), &dataset.catalog) else {
        return Ok(None);
    };
    found(&query, dataset, taking).map(Some)
}

fn found(query: &EqlQuery, dataset: &Dataset, taking: Taking) -> anyhow::Result<Vec<Answer>> {
    let correlation = Correlation {
        query,
        now: 0,
        tiebreaker_field: dataset.tiebreaker_field.as_deref(),
        size: taking.size,
        samples_of_key: taking.samples_of_key,
    };
    // What nothing else orders is in the order of the index.
    let places: Vec<String> = (0..dataset.events.len()).map(|at| format!("{at:06}")).collect();
    let asked: Vec<Asked<'_>> = dataset
        .events
        .iter()
        .zip(&places)
        .map(|((_, document), place)| Asked {
            id: place,
            index: "",
            timestamp: dataset.time(document),
            document,
        })
        .collect();
    let results = correlation.run(&asked, &dataset.catalog)?;
    let id = |origin: Option<ecs::Origin>| {
        origin.map_or_else(|| "-".to_owned(), |it| dataset.events[it.ordinal as usize].0.clone())
    };
    let key = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    Ok(results
        .into_iter()
        .map(|it| (it.events.into_iter().map(id).collect(), it.join_keys.iter().map(key).collect()))
        .collect())
}

/// All cases of `sequence-cases.json`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "eql/sequence-cases.json")?;
    let size = file.pointer("/defaults/size").and_then(Value::as_u64).unwrap_or(10) as usize;
    let mut results = Vec::new();
    for case in list(&file, "cases")? {
        let fields = file.get("fields").and_then(Value::as_object).context("there are no `fields`")?;
        let events = list(case, "events")?.iter().map(|event| {
            let mut event = event.as_object().context("an event is no object")?.clone();
            let id = event.shift_remove("id").and_then(|it| it.as_str().map(str::to_owned));
            Ok((id.context("an event has no id")?, event))
        });
        let dataset = Dataset {
            catalog: catalog(fields)?,
            category_field: text(&file, "event_category_field")?.to_owned(),
            timestamp_field: Some(text(&file, "timestamp_field")?.to_owned()),
            tiebreaker_field: Some(text(&file, "tiebreaker_field")?.to_owned()),
            events: events.collect::<anyhow::Result<_>>()?,
        };
        let taking = Taking { size, samples_of_key: 1 };
        let got = self::results(text(case, "query")?, &dataset, taking)?;
        let keys = case.get("join_keys").map(|keys| shown(keys.as_array().into_iter().flatten()));
        let mut expected = shown_lists(list(case, "expected")?);
        let Some(got) = got else {
            results.push(CaseResult::compare(text(case, "id")?, expected, "error".to_owned()));
            continue;
        };
        let mut answer = in_brackets(got.iter().map(|(ids, _)| ids.join(",")));
        if let Some(keys) = keys {
            expected += &format!(" by {keys}");
            let its: Vec<&str> = got.iter().flat_map(|(_, keys)| keys).map(String::as_str).collect();
            answer += &format!(" by {}", its.join(","));
        }
        results.push(CaseResult::compare(text(case, "id")?, expected, answer));
    }
    Ok(results)
}

/// All cases of `series.json`: events that say themselves which stages they are at.
pub(crate) fn series_cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "eql/series.json")?;
    let mut results = Vec::new();
    for case in list(&file, "cases")? {
        let stages = list(case, "stages")?;
        let has_keys = stages
            .iter()
            .any(|it| it.as_array().is_some_and(|it| it.iter().any(|it| it.get("key").is_some())));
        let mut events: Vec<(String, Object)> = Vec::new();
        for (stage, of_stage) in stages.iter().enumerate() {
            for event in of_stage.as_array().context("a stage is no list")? {
                let document = json!({"stage": stage, "time": event["time"], "k": event.get("key")});
                let Value::Object(document) = document else { continue };
                events.push((text(event, "label")?.to_owned(), document));
            }
        }
        let types = json!({"stage": {"type": "long"}, "time": {"type": "date"}, "k": {"type": "keyword"}});
        let types = types.as_object().context("an object")?;
        let catalog = Catalog::from_types(types).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        let condition = |stage: usize| -> anyhow::Result<Condition> {
            let query = EqlQuery::new(&format!("any where stage == {stage}"), None, &catalog);
            let mut query = query.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
            Ok(query.conditions.remove(0))
        };
        let key = rule::JoinKey { path: "k".to_owned(), optional: false };
        let keys = if has_keys { vec![key] } else { Vec::new() };
        let query = EqlQuery {
            conditions: (0..stages.len()).map(condition).collect::<anyhow::Result<_>>()?,
            pattern: Pattern {
                form: Form::Sequence,
                stages: (0..stages.len()).map(|filter| Stage { filter, missing: false }).collect(),
                until: None,
                maxspan: None,
                keys: vec![keys; stages.len()],
                pipes: Vec::new(),
            },
        };
        let timestamp_field = Some("time".to_owned());
        let dataset = Dataset {
            catalog,
            category_field: String::new(),
            timestamp_field,
            tiebreaker_field: None,
            events,
        };
        let got = found(&query, &dataset, Taking { size: usize::MAX, samples_of_key: 1 })?;
        let got = in_brackets(got.iter().map(|(ids, _)| ids.join(",")));
        let expected: Vec<Value> = list(case, "expected")?.iter().map(|it| it["events"].clone()).collect();
        results.push(CaseResult::compare(text(case, "id")?, shown_lists(&expected), got));
    }
    Ok(results)
}

impl Dataset {
    /// When an event happened; what has no time happened at once.
    fn time(&self, document: &Object) -> Millis {
        let value = self.timestamp_field.as_ref().and_then(|field| ecs::document::lookup(document, field));
        let as_text = |it: &Value| it.as_str().and_then(|text| text.parse().ok());
        value
            .and_then(|it| it.as_i64().or_else(|| as_text(it)).or_else(|| ecs::document::date(it)))
            .unwrap_or(0)
    }
}

fn shown<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    values.map(text).collect::<Vec<_>>().join(",")
}

fn shown_lists(lists: &[Value]) -> String {
    in_brackets(lists.iter().map(|it| shown(it.as_array().into_iter().flatten())))
}

fn in_brackets(lists: impl Iterator<Item = String>) -> String {
    lists.flat_map(|it| ["[".to_owned(), it, "]".to_owned()]).collect()
}
