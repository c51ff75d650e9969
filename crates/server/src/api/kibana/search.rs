//! Searches as Elasticsearch has them, over alerts: a query, an order, a page, figures.

use std::cmp::Ordering;

use ecs::{Catalog, Millis, Object};
use plan::naive::Evaluator;
use rule::QueryLanguage;
use serde_json::{Value, json};

use super::figures::{self, Figure};
use super::find::{compare, directed};
use super::signals::index;
use super::wrong;
use crate::http::Problem;

/// How far paging goes, as in Elasticsearch.
pub(super) const WINDOW_MAX: u64 = 10_000;

/// What is searched for, and what was found so far.
pub(super) struct Search {
    evaluator: Evaluator,
    order: Vec<(String, bool)>,
    from: usize,
    size: usize,
    source: Source,
    figures: Vec<Figure>,
    total: u64,
    /// Those that may be on the page.
    hits: Vec<(Vec<Value>, String, Object)>,
}

/// What of a document is given.
enum Source {
    All,
    Nothing,
    Only(Vec<String>),
}

impl Search {
    /// Reads a body. What is not known is refused: it would find something else than was meant.
    pub(super) fn read(body: &Object, now: Millis) -> Result<Self, Problem> {
        const KNOWN: [&str; 10] = [
            "query",
            "size",
            "from",
            "sort",
            "_source",
            "aggs",
            "aggregations",
            "track_total_hits",
            "fields",
            "runtime_mappings",
        ];
        if let Some(unknown) = body.keys().find(|it| !KNOWN.contains(&it.as_str())) {
            return Err(wrong(format!("`{unknown}` is not supported; there are {}", KNOWN[..8].join(", "))));
        }
        for empty in ["fields", "runtime_mappings"] {
            let is_empty = body.get(empty).is_none_or(|it| match it {
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                _ => it.is_null(),
            });
            if !is_empty {
                return Err(wrong(format!(
                    "`{empty}` is not supported; documents are given whole, or by `_source`"
                )));
            }
        }
        let query = body.get("query").filter(|it| !it.is_null());
        let evaluator = condition(query.unwrap_or(&json!({"match_all": {}})), now)?;
        let number = |name: &str, default: u64| match body.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_u64()
                .filter(|it| *it <= WINDOW_MAX)
                .ok_or_else(|| wrong(format!("{name}: expected a number up to {WINDOW_MAX}"))),
        };
        let (from, size) = (number("from", 0)?, number("size", 10)?);
        if from + size > WINDOW_MAX {
            return Err(wrong(format!("from + size: {WINDOW_MAX} at most")));
        }
        let figures = body.get("aggs").or(body.get("aggregations")).filter(|it| !it.is_null());
        Ok(Self {
            evaluator,
            order: order(body.get("sort"))?,
            from: from as usize,
            size: size as usize,
            source: source(body.get("_source"))?,
            figures: figures.map_or(Ok(Vec::new()), |it| figures::read(it, 0))?,
            total: 0,
            hits: Vec::new(),
        })
    }

    /// Looks at an alert. They come with the newest first.
    pub(super) fn take(&mut self, id: &str, document: Object) {
        let known = known(id, document);
        if !self.evaluator.matches(&known) {
            return;
        }
        self.total += 1;
        for figure in &mut self.figures {
            figure.take(&known);
        }
        let most = self.from + self.size;
        if most == 0 || (self.order.is_empty() && self.hits.len() >= most) {
            return;
        }
        let keys = self.order.iter().map(|(field, _)| sorted_by(&known, field)).collect();
        self.hits.push((keys, id.to_owned(), known));
        if !self.order.is_empty() && self.hits.len() >= 2 * most.max(512) {
            self.arrange();
            self.hits.truncate(most);
        }
    }

    fn arrange(&mut self) {
        let order = &self.order;
        self.hits.sort_by(|(a, ..), (b, ..)| {
            let mut all = a.iter().zip(b).zip(order).map(|((a, b), (_, is_descending))| match (a, b) {
                // What has no value comes last, whichever way.
                (Value::Null, Value::Null) => Ordering::Equal,
                (Value::Null, _) => Ordering::Greater,
                (_, Value::Null) => Ordering::Less,
                _ => directed(compare(Some(a), Some(b)), *is_descending),
            });
            all.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
        });
    }

    pub(super) fn finish(mut self, took: u64) -> Value {
        self.arrange();
        let hits = self.hits.into_iter().skip(self.from).take(self.size).map(|(keys, id, mut document)| {
            for own in ["_id", "_index", "signal"] {
                document.shift_remove(own);
            }
            let mut hit = json!({"_index": index(), "_id": id, "_score": Value::Null});
            match &self.source {
                Source::All => hit["_source"] = Value::Object(document),
                Source::Nothing => {}
                Source::Only(fields) => {
                    let kept =
                        document.into_iter().filter(|(key, _)| fields.iter().any(|it| covers(it, key)));
                    hit["_source"] = Value::Object(kept.collect());
                }
            }
            if !keys.is_empty() {
                hit["sort"] = keys.into();
            }
            hit
        });
        let mut told = json!({
            "took": took,
            "timed_out": false,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"total": {"value": self.total, "relation": "eq"}, "max_score": Value::Null, "hits": hits.collect::<Vec<_>>()},
        });
        if !self.figures.is_empty() {
            told["aggregations"] = figures::told(self.figures);
        }
        told
    }
}

/// Whether what is asked for is a field, lies below it, or above it.
fn covers(asked: &str, field: &str) -> bool {
    let (asked, field) = (asked.trim_end_matches(".*").trim_end_matches('*'), field);
    asked.is_empty() || field.starts_with(asked) || asked.starts_with(&format!("{field}."))
}

/// A query as Elasticsearch has it, with Lucene where it has that.
pub(super) fn condition(query: &Value, now: Millis) -> Result<Evaluator, Problem> {
    let mut query = query.clone();
    let catalog = Catalog::ecs();
    let mut texts = Vec::new();
    lift(&mut query, &mut texts, 0)?;
    let failed =
        |detail: String| Problem::new(crate::http::Kind::Query, format!("[request body]: query: {detail}"));
    let parsed = plan::dsl::parse(&query).map_err(|wrong| {
        failed(wrong.iter().map(|it| format!("{} {it}", it.code())).collect::<Vec<_>>().join("; "))
    })?;
    let mut condition = plan::condition(&parsed, &catalog).map_err(|wrong| {
        failed(
            wrong
                .iter()
                .map(plan::LowerError::diagnostic)
                .map(|it| format!("{} {}", it.code, it.message))
                .collect::<Vec<_>>()
                .join("; "),
        )
    })?;
    if !texts.is_empty() {
        let mut all = vec![condition];
        for text in texts {
            let its = rule::check_query(QueryLanguage::Lucene, &text, &catalog).map_err(|wrong| {
                failed(
                    wrong
                        .iter()
                        .map(|it| format!("{} {}", it.code, it.message))
                        .collect::<Vec<_>>()
                        .join("; "),
                )
            })?;
            all.push(its);
        }
        condition = plan::Condition::all_of(all);
    }
    Ok(Evaluator::new(&condition.at(now)))
}

/// Takes queries in Lucene out of where all must hold, and leaves `match_all` there; elsewhere they are refused.
fn lift(query: &mut Value, texts: &mut Vec<String>, depth: usize) -> Result<(), Problem> {
    if depth > 50 {
        return Err(wrong("query: it nests too deep"));
    }
    let Value::Object(members) = query else { return Ok(()) };
    if let Some(lucene) = members.get("query_string") {
        const KNOWN: [&str; 3] = ["query", "analyze_wildcard", "time_zone"];
        let text = lucene.get("query").and_then(Value::as_str);
        let text = text.ok_or_else(|| wrong("query_string: query: Required"))?;
        if let Some(other) =
            lucene.as_object().into_iter().flatten().find(|it| !KNOWN.contains(&it.0.as_str()))
        {
            return Err(wrong(format!("query_string: `{}` is not supported", other.0)));
        }
        texts.push(text.to_owned());
        *query = json!({"match_all": {}});
        return Ok(());
    }
    let Some(Value::Object(bool)) = members.get_mut("bool") else { return Ok(()) };
    for name in ["must", "filter"] {
        match bool.get_mut(name) {
            Some(Value::Array(all)) => all.iter_mut().try_for_each(|it| lift(it, texts, depth + 1))?,
            Some(one) => lift(one, texts, depth + 1)?,
            None => {}
        }
    }
    Ok(())
}

/// An alert with what clients know it by.
pub(super) fn known(id: &str, mut document: Object) -> Object {
    let of = |name: &str| ecs::document::lookup(&document, name).cloned().unwrap_or_default();
    // Alerts of earlier versions had these names, and tools still ask for them.
    let signal = json!({
        "status": of("kibana.alert.workflow_status"),
        "original_time": of("kibana.alert.original_time"),
        "rule": {
            "id": of("kibana.alert.rule.uuid"),
            "rule_id": of("kibana.alert.rule.rule_id"),
            "name": of("kibana.alert.rule.name"),
            "severity": of("kibana.alert.severity"),
            "risk_score": of("kibana.alert.risk_score"),
            "tags": of("kibana.alert.rule.tags"),
            "type": of("kibana.alert.rule.type"),
        },
    });
    document.insert("signal".to_owned(), signal);
    document.insert("_id".to_owned(), id.into());
    document.insert("_index".to_owned(), index().into());
    document
}

fn order(given: Option<&Value>) -> Result<Vec<(String, bool)>, Problem> {
    let Some(given) = given.filter(|it| !it.is_null()) else { return Ok(Vec::new()) };
    let items = given.as_array().map_or(std::slice::from_ref(given), Vec::as_slice);
    let mut order = Vec::new();
    for item in items {
        match item {
            Value::String(field) => order.push((field.clone(), false)),
            Value::Object(fields) => {
                for (field, how) in fields {
                    let way =
                        how.as_str().or_else(|| how.get("order").and_then(Value::as_str)).unwrap_or("asc");
                    match way {
                        "asc" => order.push((field.clone(), false)),
                        "desc" => order.push((field.clone(), true)),
                        other => return Err(wrong(format!("sort: `{other}` is neither asc nor desc"))),
                    }
                }
            }
            _ => return Err(wrong("sort: expected fields")),
        }
    }
    Ok(order)
}

/// What a document is sorted by: the first value; a date by its time.
fn sorted_by(document: &Object, field: &str) -> Value {
    let Some(value) = ecs::document::lookup(document, field).and_then(ecs::document::first) else {
        return Value::Null;
    };
    match as_date(field, value) {
        Some(time) => time.into(),
        None => value.clone(),
    }
}

pub(super) fn as_date(field: &str, value: &Value) -> Option<Millis> {
    let is_date =
        Catalog::ecs().get(field).is_some_and(|it| it.ty.name().starts_with("date")) || field == "@timestamp";
    if is_date { ecs::document::date(value) } else { None }
}

fn source(given: Option<&Value>) -> Result<Source, Problem> {
    let names = |items: &[Value]| {
        let names: Option<Vec<String>> = items.iter().map(|it| it.as_str().map(str::to_owned)).collect();
        names.ok_or_else(|| wrong("_source: expected names of fields"))
    };
    Ok(match given {
        None | Some(Value::Null | Value::Bool(true)) => Source::All,
        Some(Value::Bool(false)) => Source::Nothing,
        Some(Value::String(name)) => Source::Only(vec![name.clone()]),
        Some(Value::Array(items)) => Source::Only(names(items)?),
        Some(Value::Object(members)) => match members.get("includes").or(members.get("include")) {
            Some(Value::Array(items)) if members.len() == 1 => Source::Only(names(items)?),
            _ => return Err(wrong("_source: of objects only `includes` is supported")),
        },
        Some(Value::Number(_)) => return Err(wrong("_source: expected names of fields")),
    })
}
