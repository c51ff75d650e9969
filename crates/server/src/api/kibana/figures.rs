//! Figures about what a search finds, as Elasticsearch's aggregations have them.

use std::collections::{BTreeMap, BTreeSet};

use ecs::{Millis, Object};
use serde_json::{Map, Value, json};

use super::find::{compare, directed};
use super::search::{WINDOW_MAX, as_date};
use super::wrong;
use crate::http::Problem;

/// Figures within figures.
const DEPTH_MAX: usize = 4;
/// Terms that are counted.
const TERMS_MAX: usize = 100_000;

/// A figure about what is found.
pub(super) struct Figure {
    name: String,
    kind: FigureKind,
    /// Of each group.
    within: Vec<Figure>,
}

enum FigureKind {
    Terms { field: String, size: usize, by_key: Option<bool>, groups: BTreeMap<String, Group> },
    Extreme { field: String, is_max: bool, found: Option<f64>, is_date: bool },
    Distinct { field: String, found: BTreeSet<String> },
    Count { field: String, found: u64 },
}

struct Group {
    count: u64,
    key: Value,
    figures: Vec<Figure>,
}

/// Reads what figures are asked for.
pub(super) fn read(given: &Value, depth: usize) -> Result<Vec<Figure>, Problem> {
    let given = given.as_object().ok_or_else(|| wrong("aggs: expected an object"))?;
    if depth >= DEPTH_MAX {
        return Err(wrong(format!("aggs: {DEPTH_MAX} within one another at most")));
    }
    given.iter().map(|(name, figure)| self::figure(name, figure, depth)).collect()
}

fn figure(name: &str, given: &Value, depth: usize) -> Result<Figure, Problem> {
    let members = given.as_object().ok_or_else(|| wrong(format!("aggs: {name}: expected an object")))?;
    let within = members.get("aggs").or(members.get("aggregations"));
    let within = within.map_or(Ok(Vec::new()), |it| read(it, depth + 1))?;
    let mut kinds = members.iter().filter(|it| !["aggs", "aggregations", "meta"].contains(&it.0.as_str()));
    let (Some((kind, body)), None) = (kinds.next(), kinds.next()) else {
        return Err(wrong(format!("aggs: {name}: expected one kind")));
    };
    let field = body.get("field").and_then(Value::as_str).map(str::to_owned);
    let field = field.ok_or_else(|| wrong(format!("aggs: {name}: {kind}: field: Required")))?;
    let only = |known: &[&str]| match body
        .as_object()
        .into_iter()
        .flatten()
        .find(|it| !known.contains(&it.0.as_str()))
    {
        Some((other, _)) => Err(wrong(format!("aggs: {name}: {kind}: `{other}` is not supported"))),
        None => Ok(()),
    };
    let kind = match kind.as_str() {
        "terms" => {
            only(&["field", "size", "order", "min_doc_count"])?;
            let size =
                body.get("size").map_or(Some(10), Value::as_u64).filter(|it| *it > 0 && *it <= WINDOW_MAX);
            let size = size.ok_or_else(|| wrong(format!("aggs: {name}: size: 1 to {WINDOW_MAX}")))?;
            let by_key = match body.get("order") {
                None => None,
                Some(order) if *order == json!({"_count": "desc"}) => None,
                Some(order) if *order == json!({"_key": "asc"}) => Some(false),
                Some(order) if *order == json!({"_key": "desc"}) => Some(true),
                Some(_) => {
                    return Err(wrong(format!("aggs: {name}: order: _count desc, _key asc or _key desc")));
                }
            };
            if body.get("min_doc_count").is_some_and(|it| it.as_u64() != Some(1)) {
                return Err(wrong(format!("aggs: {name}: min_doc_count: only 1 is supported")));
            }
            FigureKind::Terms { field, size: size as usize, by_key, groups: BTreeMap::new() }
        }
        "max" | "min" => {
            only(&["field"])?;
            FigureKind::Extreme { field, is_max: kind == "max", found: None, is_date: false }
        }
        "cardinality" => {
            only(&["field", "precision_threshold"])?;
            FigureKind::Distinct { field, found: BTreeSet::new() }
        }
        "value_count" => {
            only(&["field"])?;
            FigureKind::Count { field, found: 0 }
        }
        other => {
            return Err(wrong(format!(
                "aggs: {name}: `{other}` is not supported; there are terms, max, min, cardinality, value_count"
            )));
        }
    };
    if !within.is_empty() && !matches!(kind, FigureKind::Terms { .. }) {
        return Err(wrong(format!("aggs: {name}: only terms have aggs within")));
    }
    Ok(Figure { name: name.to_owned(), kind, within })
}

impl Figure {
    /// One that has seen nothing.
    fn fresh(&self) -> Self {
        let kind = match &self.kind {
            FigureKind::Terms { field, size, by_key, .. } => FigureKind::Terms {
                field: field.clone(),
                size: *size,
                by_key: *by_key,
                groups: BTreeMap::new(),
            },
            FigureKind::Extreme { field, is_max, .. } => {
                FigureKind::Extreme { field: field.clone(), is_max: *is_max, found: None, is_date: false }
            }
            FigureKind::Distinct { field, .. } => {
                FigureKind::Distinct { field: field.clone(), found: BTreeSet::new() }
            }
            FigureKind::Count { field, .. } => FigureKind::Count { field: field.clone(), found: 0 },
        };
        Self { name: self.name.clone(), kind, within: self.within.iter().map(Self::fresh).collect() }
    }

    pub(super) fn take(&mut self, document: &Object) {
        let values = |field: &str| -> Vec<Value> {
            match ecs::document::lookup(document, field) {
                Some(Value::Array(items)) => items.iter().filter(|it| !it.is_null()).cloned().collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(one) => vec![one.clone()],
            }
        };
        match &mut self.kind {
            FigureKind::Terms { field, groups, .. } => {
                let mut seen = BTreeSet::new();
                for value in values(field) {
                    let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    if !seen.insert(key.clone()) || (groups.len() >= TERMS_MAX && !groups.contains_key(&key))
                    {
                        continue;
                    }
                    let within = &self.within;
                    let group = groups.entry(key).or_insert_with(|| Group {
                        count: 0,
                        key: value,
                        figures: within.iter().map(Self::fresh).collect(),
                    });
                    group.count += 1;
                    group.figures.iter_mut().for_each(|it| it.take(document));
                }
            }
            FigureKind::Extreme { field, is_max, found, is_date } => {
                for value in values(field) {
                    let date = as_date(field, &value);
                    *is_date |= date.is_some();
                    let Some(number) = date.map(|it| it as f64).or_else(|| value.as_f64()) else { continue };
                    let better = found.is_none_or(|it| if *is_max { number > it } else { number < it });
                    if better {
                        *found = Some(number);
                    }
                }
            }
            FigureKind::Distinct { field, found } => found.extend(values(field).iter().map(Value::to_string)),
            FigureKind::Count { field, found } => *found += values(field).len() as u64,
        }
    }
}

/// What figures came to.
pub(super) fn told(figures: Vec<Figure>) -> Value {
    let mut all = Map::new();
    for Figure { name, kind, .. } in figures {
        let told = match kind {
            FigureKind::Terms { size, by_key, groups, .. } => {
                let total: u64 = groups.values().map(|it| it.count).sum();
                let mut groups: Vec<Group> = groups.into_values().collect();
                match by_key {
                    None => groups.sort_by_key(|it| std::cmp::Reverse(it.count)),
                    Some(is_descending) => {
                        groups.sort_by(|a, b| directed(compare(Some(&a.key), Some(&b.key)), is_descending));
                    }
                }
                let shown: u64 = groups.iter().take(size).map(|it| it.count).sum();
                let buckets = groups.into_iter().take(size).map(|it| {
                    let mut bucket = json!({"key": it.key, "doc_count": it.count});
                    if let (Value::Object(within), Some(bucket)) = (told(it.figures), bucket.as_object_mut())
                    {
                        bucket.extend(within);
                    }
                    bucket
                });
                let buckets: Vec<Value> = buckets.collect();
                json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": total - shown, "buckets": buckets})
            }
            FigureKind::Extreme { found, is_date, .. } => {
                let mut told = json!({"value": found});
                if let Some(time) = found.filter(|_| is_date) {
                    told["value_as_string"] = ecs::date::to_iso(time as Millis).into();
                }
                told
            }
            FigureKind::Distinct { found, .. } => json!({"value": found.len()}),
            FigureKind::Count { found, .. } => json!({"value": found}),
        };
        all.insert(name, told);
    }
    Value::Object(all)
}
