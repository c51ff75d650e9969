//! Rules by a query over what Kibana keeps of them.

use std::cmp::Ordering;

use ecs::{Catalog, Object};
use plan::naive::Evaluator;
use rule::QueryLanguage;
use serde_json::{Map, Value, json};

use super::super::shelf::{Entry, Shelf};
use crate::http::{Answer, Asked, Kind, Problem};

/// Rules of a page.
const PAGE_MAX: usize = 10_000;

pub(super) fn find(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["page", "per_page", "sort_field", "sort_order", "filter", "fields"])?;
    let shelf = Shelf::open(asked)?;
    let (page, per_page) = page(asked)?;
    let mut found = matching(&shelf, asked.query.get("filter").unwrap_or_default(), shelf.all()?)?;
    let key: fn(&Object) -> Option<&Value> = match asked.query.get("sort_field") {
        None | Some("updated_at" | "updatedAt") => |it| it.get("updated_at"),
        Some("created_at" | "createdAt") => |it| it.get("created_at"),
        Some("name") => |it| it.get("name"),
        Some("enabled") => |it| it.get("enabled"),
        Some("risk_score" | "riskScore") => |it| it.get("risk_score"),
        Some("severity") => |it| it.get("severity"),
        Some("execution_summary.last_execution.date" | "execution_summary.last_execution.status") => {
            |it| ecs::document::lookup(it, "execution_summary.last_execution.date")
        }
        Some(other) => {
            return Err(Problem::new(
                Kind::Parameter,
                format!("[request query]: sort_field: rules are not sorted by `{other}`"),
            ));
        }
    };
    let is_descending = descending(asked, asked.query.get("sort_field").is_none())?;
    let states = Shelf::states(asked)?;
    found.sort_by_cached_key(|it| it.rule.rule_id.clone());
    let exported: Vec<Object> = found.iter().map(|it| it.exported(asked.app.started_ms)).collect();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&a, &b| directed(compare(key(&exported[a]), key(&exported[b])), is_descending));
    let total = order.len();
    let data = order.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page);
    let data: Vec<Value> = data.map(|at| shelf.told(&found[at], states.get(&found[at].rule.id))).collect();
    Ok(Answer::json(&json!({"page": page, "perPage": per_page, "total": total, "data": data})))
}

/// The page that is asked for, from 1, and how many are on one.
pub(super) fn page(asked: &Asked<'_>) -> Result<(usize, usize), Problem> {
    let page = asked.query.number("page", 1, usize::MAX >> 1)?;
    if page == 0 {
        return Err(Problem::new(Kind::Parameter, "[request query]: page: the first is 1"));
    }
    Ok((page, asked.query.number("per_page", 20, PAGE_MAX)?))
}

/// Which way is asked for.
pub(super) fn descending(asked: &Asked<'_>, default: bool) -> Result<bool, Problem> {
    match asked.query.get("sort_order") {
        None => Ok(default),
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => Err(Problem::new(
            Kind::Parameter,
            format!("[request query]: sort_order: `{other}` is neither asc nor desc"),
        )),
    }
}

pub(super) fn directed(order: Ordering, is_descending: bool) -> Ordering {
    if is_descending { order.reverse() } else { order }
}

/// Texts by their letters whatever their case, numbers by their value; what is not there comes last.
pub(super) fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => {
            a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b))
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default())
        }
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) | (Some(_), Some(_)) => Ordering::Equal,
    }
}

/// The rules that a query finds.
pub(super) fn matching(shelf: &Shelf<'_>, query: &str, rules: Vec<Entry>) -> Result<Vec<Entry>, Problem> {
    if query.trim().is_empty() {
        return Ok(rules);
    }
    let documents: Vec<Object> = rules.iter().map(attributes).collect();
    let found = evaluate(query, &documents, &[("alert.attributes.name", "text")], shelf.now)?;
    Ok(rules.into_iter().zip(found).filter(|(_, is_found)| *is_found).map(|(it, _)| it).collect())
}

/// Which of these documents satisfy a query in KQL. What fields are is read off the documents, but for some.
pub(super) fn evaluate(
    query: &str,
    documents: &[Object],
    known: &[(&str, &str)],
    now: ecs::Millis,
) -> Result<Vec<bool>, Problem> {
    let mut types = Map::new();
    for document in documents {
        describe(document, "", &mut types);
    }
    for (path, ty) in known {
        types.insert((*path).to_owned(), (*ty).into());
    }
    let failed = |detail: String| Problem::new(Kind::Query, format!("[request query]: filter: {detail}"));
    let catalog = Catalog::from_types(&types)
        .map_err(|_| failed("the fields of these documents contradict one another".to_owned()))?;
    let condition = rule::check_query(QueryLanguage::Kuery, query, &catalog).map_err(|wrong| {
        failed(wrong.iter().map(|it| format!("{} {}", it.code, it.message)).collect::<Vec<_>>().join("; "))
    })?;
    let evaluator = Evaluator::new(&condition.at(now));
    Ok(documents.iter().map(|it| evaluator.matches(it)).collect())
}

/// The deepest that fields of documents are told apart.
const DEPTH_MAX: usize = 12;

/// The types of the fields below an object.
fn describe(object: &Object, path: &str, types: &mut Map<String, Value>) {
    for (key, value) in object {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if path.matches('.').count() > DEPTH_MAX {
            continue;
        }
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let ty = match value {
                Value::Object(inner) => {
                    describe(inner, &path, types);
                    continue;
                }
                Value::String(_) => "keyword",
                Value::Number(_) => "double",
                Value::Bool(_) => "boolean",
                Value::Array(_) | Value::Null => continue,
            };
            types.entry(path.clone()).or_insert_with(|| ty.into());
        }
    }
    // What is an object in one document and a value in another is an object.
    let prefix = format!("{path}.");
    if !path.is_empty() && types.keys().any(|it| it.starts_with(&prefix)) {
        types.shift_remove(path);
    }
}

/// What Kibana keeps of a rule.
fn attributes(entry: &Entry) -> Object {
    let api = entry.exported(0);
    let mut params = Map::new();
    for (key, value) in &api {
        params.insert(camel(key), camelled(value));
    }
    let is_immutable = api.get("immutable") == Some(&Value::Bool(true));
    let mut tags: Vec<Value> = api.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    // Earlier versions marked rules so, and tools still ask for it.
    tags.push(format!("__internal_immutable:{is_immutable}").into());
    tags.push(format!("__internal_rule_id:{}", entry.rule.rule_id).into());
    let attributes = json!({
        "name": entry.rule.name,
        "tags": tags,
        "enabled": entry.is_enabled,
        "alertTypeId": entry.rule.kind.rule_type_id(),
        "consumer": "siem",
        "createdBy": api["created_by"],
        "updatedBy": api["updated_by"],
        "createdAt": api["created_at"],
        "updatedAt": api["updated_at"],
        "schedule": {"interval": api["interval"]},
        "params": params,
    });
    let document = json!({"id": format!("alert:{}", entry.rule.id), "alert": {"id": format!("alert:{}", entry.rule.id), "attributes": attributes}});
    document.as_object().cloned().unwrap_or_default()
}

/// What rules keep apart that is long, deep, and asked by nobody.
const LEFT_OUT: [&str; 4] = ["filters", "meta", "note", "setup"];

/// The names of fields as Kibana's saved objects have them.
fn camelled(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
            Value::Object(members.map(|(key, value)| (camel(key), camelled(value))).collect())
        }
        Value::Array(items) => items.iter().map(camelled).collect(),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields() {
        assert_eq!(camel("rule_id"), "ruleId");
        assert_eq!(camel("timestamp_override_fallback_disabled"), "timestampOverrideFallbackDisabled");
        assert_eq!(camel("name"), "name");
    }

    #[test]
    fn documents_say_what_their_fields_are() {
        let documents: Vec<Object> = [
            json!({"a": {"name": "Two Words", "tags": ["x", "y"], "on": true, "n": 7}}),
            json!({"a": {"name": "Other", "tags": [], "on": false, "n": 9, "tags2": {"b": "c"}}}),
        ]
        .into_iter()
        .map(|it| it.as_object().unwrap().clone())
        .collect();
        let of = |query: &str| evaluate(query, &documents, &[("a.name", "text")], 0).unwrap();
        assert_eq!(of("a.name: words"), [true, false]);
        assert_eq!(of("a.tags: y and a.on: true"), [true, false]);
        assert_eq!(of("a.n > 8 or a.tags2.b: *"), [false, true]);
        assert_eq!(of("not a.tags: \"x\""), [false, true]);
        assert_eq!(of("nothing: here"), [false, false]);
        assert_eq!(evaluate("a: (", &documents, &[], 0).unwrap_err().kind, Kind::Query);
    }
}
