//! Exception lists: their containers.

use ecs::Object;
use live::{Counted, Edit, Kept, KeptKind, NewKept, Rulebook, list_key};
use serde_json::{Value, json};

use super::super::shelf::{Shelf, random_id};
use super::{check_version, find, flag, ndjson, needed, object, text, told, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// The types of lists.
const TYPES: [&str; 8] = [
    "detection",
    "rule_default",
    "endpoint",
    "endpoint_trusted_apps",
    "endpoint_trusted_devices",
    "endpoint_events",
    "endpoint_host_isolation_exceptions",
    "endpoint_blocklists",
];

/// Lists, and items, that are kept.
pub(super) const LISTS_MAX: u64 = 10_000;

/// The members of a list that people give.
const FIELDS: [&str; 8] =
    ["list_id", "type", "name", "description", "namespace_type", "tags", "os_types", "meta"];

/// Whether all spaces share it.
pub(super) fn namespace(given: Option<&str>) -> Result<&'static str, Problem> {
    match given {
        None | Some("single") => Ok("single"),
        Some("agnostic") => Ok("agnostic"),
        Some(other) => Err(wrong(format!("namespace_type: `{other}` is neither single nor agnostic"))),
    }
}

/// The document or parameter names a list or an item: its object id, or the id that people gave it.
pub(super) fn meant(
    book: &Rulebook,
    kind: KeptKind,
    (id, own): (Option<&str>, Option<&str>),
    namespace: &str,
) -> Result<Kept, Problem> {
    let (what, name) = if kind == KeptKind::List { ("list", "list_id") } else { ("list item", "item_id") };
    let (found, said) = match (id, own) {
        (Some(id), _) => (book.get(kind, id)?, format!("id: \"{id}\"")),
        (None, Some(own)) => (book.by_key(kind, &list_key(namespace, own))?, format!("{name}: \"{own}\"")),
        (None, None) => {
            return Err(Problem::new(
                Kind::Parameter,
                format!("either \"{name}\" or \"id\" needs to be defined in the request"),
            ));
        }
    };
    found.ok_or_else(|| Problem::new(Kind::NoSuchResource, format!("exception {what} {said} does not exist")))
}

pub(super) fn asked_for(asked: &Asked<'_>, kind: KeptKind, own: &'static str) -> Result<Kept, Problem> {
    asked.query.only(&["id", own, "namespace_type"])?;
    let namespace = namespace(asked.query.get("namespace_type"))?;
    let book = Rulebook::open(&asked.app.data)?;
    meant(&book, kind, (asked.query.get("id"), asked.query.get(own)), namespace)
}

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&told(&asked_for(asked, KeptKind::List, "list_id")?)))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    let kept = shelf.change(|_, edit| {
        let (key, document) = read(&body)?;
        if edit.by_key(KeptKind::List, &key)?.is_some() {
            let list_id = &document["list_id"];
            return Err(Problem::new(Kind::Conflict, format!("exception list id: {list_id} already exists")));
        }
        add(edit, key, document)
    })?;
    Ok(Answer::json(&told(&kept)))
}

fn add(edit: &mut Edit<'_>, key: String, document: Object) -> Result<Kept, Problem> {
    if edit.count(KeptKind::List, None)? >= LISTS_MAX {
        return Err(Problem::new(
            Kind::Conflict,
            format!("there are {LISTS_MAX} exception lists, and no more are kept"),
        ));
    }
    let new = NewKept { id: random_id()?, key, parent: String::new(), document };
    Ok(edit.add(KeptKind::List, &new)?)
}

/// A list as it is to be kept, with what it is known by.
fn read(body: &Object) -> Result<(String, Object), Problem> {
    let namespace = namespace(text(body, "namespace_type")?)?;
    let list_id = match text(body, "list_id")?.filter(|it| !it.is_empty()) {
        Some(id) => id.to_owned(),
        None => random_id()?,
    };
    let ty = needed(body, "type")?;
    if !TYPES.contains(&ty) {
        return Err(wrong(format!("type: `{ty}` is none of {}", TYPES.join(", "))));
    }
    let mut document = Object::new();
    document.insert("list_id".to_owned(), list_id.as_str().into());
    document.insert("type".to_owned(), ty.into());
    document.insert("name".to_owned(), needed(body, "name")?.into());
    document.insert("description".to_owned(), needed(body, "description")?.into());
    document.insert("namespace_type".to_owned(), namespace.into());
    for name in ["tags", "os_types"] {
        document.insert(name.to_owned(), super::texts(body, name)?.into());
    }
    document.insert("immutable".to_owned(), false.into());
    let version = body.get("version").and_then(Value::as_u64).unwrap_or(1);
    document.insert("version".to_owned(), version.into());
    if let Some(meta) = body.get("meta").filter(|it| !it.is_null()) {
        document.insert("meta".to_owned(), meta.clone());
    }
    Ok((list_key(namespace, &list_id), document))
}

pub(super) fn replace(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let namespace = namespace(text(&body, "namespace_type")?)?;
    let mut shelf = Shelf::open(asked)?;
    let kept =
        meant(&shelf.rulebook, KeptKind::List, (text(&body, "id")?, text(&body, "list_id")?), namespace)?;
    check_version(&body, &kept)?;
    // What is not given stays.
    let mut merged = kept.document.clone();
    merged.extend(
        body.iter()
            .filter(|(key, _)| FIELDS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    for own in ["list_id", "namespace_type"] {
        merged.insert(own.to_owned(), kept.document[own].clone());
    }
    let version = kept.document.get("version").and_then(Value::as_u64).unwrap_or(1);
    merged.insert("version".to_owned(), (version + 1).into());
    let (_, document) = read(&merged)?;
    let kept = shelf
        .change(|_, edit| Ok::<_, Problem>(edit.set(KeptKind::List, &kept.id, &document, Counted::Yes)?))?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let kept = asked_for(asked, KeptKind::List, "list_id")?;
    Shelf::open(asked)?.change(|_, edit| Ok::<_, Problem>(edit.remove(KeptKind::List, &kept.id)?))?;
    let details = [("list", Value::from(kept.key.as_str())), ("by", asked.author().into())];
    asked.app.log.info("SRV080", "an exception list was deleted", &details);
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn find(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["page", "per_page", "sort_field", "sort_order", "filter", "namespace_type"])?;
    let all = Rulebook::open(&asked.app.data)?.all(KeptKind::List, None)?;
    let all = in_namespaces(asked, all)?;
    page(asked, &all, &["exception-list.attributes", "exception-list-agnostic.attributes"])
}

/// Those of the namespaces that are asked for.
pub(super) fn in_namespaces(asked: &Asked<'_>, all: Vec<Kept>) -> Result<Vec<Kept>, Problem> {
    let mut wanted = Vec::new();
    for name in asked.query.get("namespace_type").unwrap_or("single").split(',') {
        wanted.push(namespace(Some(name.trim()))?);
    }
    let is_wanted = |it: &Kept| {
        it.document.get("namespace_type").and_then(Value::as_str).is_some_and(|it| wanted.contains(&it))
    };
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// A page of documents, filtered and sorted. `roots` are the paths that queries know their fields below.
pub(super) fn page(asked: &Asked<'_>, all: &[Kept], roots: &[&str]) -> Result<Answer, Problem> {
    let (page, per_page) = find::page(asked)?;
    let is_descending = find::descending(asked, false)?;
    let mut all: Vec<Value> = all.iter().map(told).collect();
    if let Some(query) = asked.query.get("filter").filter(|it| !it.trim().is_empty()) {
        let documents: Vec<Object> = all.iter().map(|it| below(it, roots)).collect();
        let texts: Vec<String> = roots.iter().map(|it| format!("{it}.name")).collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|it| (it.as_str(), "text")).collect();
        let found = find::evaluate(query, &documents, &texts, asked.app.now())?;
        let mut found = found.into_iter();
        all.retain(|_| found.next().unwrap_or(false));
    }
    if let Some(field) = asked.query.get("sort_field") {
        let field = field.rsplit('.').next().unwrap_or(field);
        all.sort_by(|a, b| find::directed(find::compare(a.get(field), b.get(field)), is_descending));
    } else if is_descending {
        all.reverse();
    }
    let total = all.len();
    let data: Vec<Value> = all.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page).collect();
    Ok(Answer::json(&json!({"data": data, "page": page, "per_page": per_page, "total": total})))
}

/// A document under the paths that queries know it by.
fn below(value: &Value, roots: &[&str]) -> Object {
    let mut document = Object::new();
    for root in roots {
        let mut inner = value.clone();
        for part in root.split('.').rev().collect::<Vec<_>>() {
            inner = json!({part: inner});
        }
        document.extend(inner.as_object().cloned().unwrap_or_default());
    }
    document
}

pub(super) fn export(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "list_id", "namespace_type", "include_expired_exceptions"])?;
    let with_expired = flag(asked, "include_expired_exceptions", true)?;
    let namespace = namespace(asked.query.get("namespace_type"))?;
    let book = Rulebook::open(&asked.app.data)?;
    let names = (asked.query.get("id"), asked.query.get("list_id"));
    let list = meant(&book, KeptKind::List, names, namespace)?;
    let mut items = book.all(KeptKind::Item, Some(&list.key))?;
    let now = asked.app.now();
    items.retain(|it| {
        let expires = it.document.get("expire_time").and_then(ecs::document::date);
        with_expired || expires.is_none_or(|it| it >= now)
    });
    let mut text = format!("{}\n", told(&list));
    for item in &items {
        text += &format!("{}\n", told(item));
    }
    text += &format!(
        "{}\n",
        json!({
            "exported_exception_list_count": 1,
            "exported_exception_list_item_count": items.len(),
            "missing_exception_list_item_count": 0,
            "missing_exception_list_items": [],
            "missing_exception_lists": [],
            "missing_exception_lists_count": 0,
        })
    );
    Ok(ndjson(text, &format!("{}.ndjson", list.document["list_id"].as_str().unwrap_or("list"))))
}

/// Takes a list in.
pub(super) fn imported(edit: &mut Edit<'_>, body: &Object, overwrite: bool) -> Result<Kept, Problem> {
    let (key, document) = read(body)?;
    match edit.by_key(KeptKind::List, &key)? {
        None => add(edit, key, document),
        Some(kept) if overwrite => {
            // Its items are those of the file.
            for item in edit.all(KeptKind::Item, Some(&key))? {
                edit.remove(KeptKind::Item, &item.id)?;
            }
            Ok(edit.set(KeptKind::List, &kept.id, &document, Counted::Yes)?)
        }
        Some(_) => {
            let detail = format!(
                "Found that list_id: {} already exists. Import of list_id: {} skipped.",
                document["list_id"], document["list_id"]
            );
            Err(Problem::new(Kind::Conflict, detail))
        }
    }
}
