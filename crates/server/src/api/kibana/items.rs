//! The items of exception lists.

use ecs::Object;
use live::{Counted, Edit, Kept, KeptKind, NewKept, Rulebook, list_key};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::shelf::{Shelf, random_id};
use super::exceptions::{asked_for, in_namespaces, meant, namespace, page};
use super::{check_version, needed, object, text, texts, told, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Items that are kept.
const ITEMS_MAX: u64 = 100_000;
/// Items of one request.
const AT_ONCE: usize = 100;

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&told(&asked_for(asked, KeptKind::Item, "item_id")?)))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let (author, now) = (asked.author().to_owned(), asked.app.now());
    let kept = Shelf::open(asked)?.change(|_, edit| {
        let item = read(&body, &author, now)?;
        if edit.by_key(KeptKind::Item, &item.key)?.is_some() {
            let detail = format!("exception list item id: {} already exists", item.document["item_id"]);
            return Err(Problem::new(Kind::Conflict, detail));
        }
        add(edit, &item)
    })?;
    Ok(Answer::json(&told(&kept)))
}

fn add(edit: &mut Edit<'_>, item: &NewKept) -> Result<Kept, Problem> {
    if edit.by_key(KeptKind::List, &item.parent)?.is_none() {
        let detail = format!("exception list id: {} does not exist", item.document["list_id"]);
        return Err(Problem::new(Kind::NoSuchResource, detail));
    }
    if edit.count(KeptKind::Item, None)? >= ITEMS_MAX {
        return Err(Problem::new(
            Kind::Conflict,
            format!("there are {ITEMS_MAX} items, and no more are kept"),
        ));
    }
    Ok(edit.add(KeptKind::Item, item)?)
}

/// An item as it is to be kept. One that could not be applied is refused: nobody would notice later.
fn read(body: &Object, author: &str, now: ecs::Millis) -> Result<NewKept, Problem> {
    let namespace = namespace(text(body, "namespace_type")?)?;
    let list_id = needed(body, "list_id")?;
    let item_id = match text(body, "item_id")?.filter(|it| !it.is_empty()) {
        Some(id) => id.to_owned(),
        None => random_id()?,
    };
    let mut document = Object::new();
    let mut set = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    set("item_id", item_id.as_str().into());
    set("list_id", list_id.into());
    set("type", text(body, "type")?.unwrap_or("simple").into());
    set("name", needed(body, "name")?.into());
    set("description", needed(body, "description")?.into());
    set("namespace_type", namespace.into());
    set("entries", body.get("entries").cloned().unwrap_or(Value::Null));
    set("os_types", texts(body, "os_types")?.into());
    set("tags", texts(body, "tags")?.into());
    set("comments", comments(body.get("comments"), author, now)?.into());
    for name in ["expire_time", "meta", "_tags"] {
        if let Some(value) = body.get(name).filter(|it| !it.is_null()) {
            set(name, value.clone());
        }
    }
    check(&document)?;
    let (key, parent) = (list_key(namespace, &item_id), list_key(namespace, list_id));
    Ok(NewKept { id: random_id()?, key, parent, document })
}

/// Refuses an item that cannot be applied.
fn check(document: &Object) -> Result<(), Problem> {
    let set = rule::load_text("[request body]", &Value::Object(document.clone()).to_string());
    let told: Vec<String> = set
        .problems
        .iter()
        .filter(|it| it.diagnostic.code != "RULE020")
        .map(|it| format!("{} {}", it.diagnostic.code, it.diagnostic.message))
        .collect();
    if let Some((_, reason)) = set.exceptions.unusable().into_iter().next() {
        let told = if told.is_empty() { reason } else { told.join(", ") };
        return Err(wrong(told));
    }
    Ok(())
}

/// What people said of an item, each with who did and when.
fn comments(given: Option<&Value>, author: &str, now: ecs::Millis) -> Result<Vec<Value>, Problem> {
    let Some(given) = given.filter(|it| !it.is_null()) else { return Ok(Vec::new()) };
    let given = given.as_array().ok_or_else(|| wrong("comments: expected a list"))?;
    let one = |it: &Value| {
        let comment = it.get("comment").and_then(Value::as_str).filter(|it| !it.is_empty());
        let comment = comment.ok_or_else(|| wrong("comments: each has a `comment`"))?;
        let kept = |name: &str| it.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = kept("id").map_or_else(random_id, Ok)?;
        let at = kept("created_at").unwrap_or_else(|| ecs::date::to_iso(now));
        let by = kept("created_by").unwrap_or_else(|| author.to_owned());
        Ok(json!({"comment": comment, "created_at": at, "created_by": by, "id": id}))
    };
    given.iter().map(one).collect()
}

pub(super) fn replace(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let namespace = namespace(text(&body, "namespace_type")?)?;
    let mut shelf = Shelf::open(asked)?;
    let names = (text(&body, "id")?, text(&body, "item_id")?);
    let kept = meant(&shelf.rulebook, KeptKind::Item, names, namespace)?;
    check_version(&body, &kept)?;
    let mut merged = body.clone();
    for own in ["item_id", "list_id", "namespace_type"] {
        merged.insert(own.to_owned(), kept.document[own].clone());
    }
    let new = read(&merged, &shelf.author, shelf.now)?;
    let kept = shelf.change(|_, edit| {
        Ok::<_, Problem>(edit.set(KeptKind::Item, &kept.id, &new.document, Counted::Yes)?)
    })?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let kept = asked_for(asked, KeptKind::Item, "item_id")?;
    Shelf::open(asked)?.change(|_, edit| Ok::<_, Problem>(edit.remove(KeptKind::Item, &kept.id)?))?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn find(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[
        "list_id",
        "page",
        "per_page",
        "sort_field",
        "sort_order",
        "filter",
        "namespace_type",
        "search",
    ])?;
    let lists = asked.query.get("list_id").filter(|it| !it.is_empty());
    let lists = lists.ok_or_else(|| Problem::new(Kind::Parameter, "[request query]: list_id: Required"))?;
    let wanted: Vec<&str> = lists.split(',').map(str::trim).collect();
    let book = Rulebook::open(&asked.app.data)?;
    let mut all = in_namespaces(asked, book.all(KeptKind::Item, None)?)?;
    let said = |it: &Kept, name: &str| {
        it.document.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase()
    };
    all.retain(|it| it.document["list_id"].as_str().is_some_and(|it| wanted.contains(&it)));
    if let Some(word) = asked.query.get("search").map(str::to_lowercase).filter(|it| !it.is_empty()) {
        all.retain(|it| said(it, "name").contains(&word) || said(it, "description").contains(&word));
    }
    page(asked, &all, &["exception-list.attributes", "exception-list-agnostic.attributes"])
}

/// Takes an item in.
pub(super) fn imported(edit: &mut Edit<'_>, body: &Object, overwrite: bool) -> Result<Kept, Problem> {
    let mut body = body.clone();
    if text(&body, "item_id")?.is_none_or(str::is_empty) {
        // The same file taken in twice is to give the same item.
        let hash = Sha256::digest(Value::Object(body.clone()).to_string());
        let id = hash.iter().take(16).fold(String::new(), |text, it| text + &format!("{it:02x}"));
        body.insert("item_id".to_owned(), id.into());
    }
    let item = read(&body, edit.author(), edit.now())?;
    match edit.by_key(KeptKind::Item, &item.key)? {
        None => add(edit, &item),
        Some(kept) if overwrite => Ok(edit.set(KeptKind::Item, &kept.id, &item.document, Counted::Yes)?),
        Some(_) => {
            let id = &item.document["item_id"];
            let detail = format!("Found that item_id: {id} already exists. Import of item_id: {id} skipped.");
            Err(Problem::new(Kind::Conflict, detail))
        }
    }
}

/// Excepts from one rule.
pub(super) fn make_for_rule(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let items =
        body.get("items").and_then(Value::as_array).filter(|it| !it.is_empty() && it.len() <= AT_ONCE);
    let items = items.ok_or_else(|| wrong(format!("items: expected a list of up to {AT_ONCE} items")))?;
    let mut shelf = Shelf::open(asked)?;
    let entry = shelf.find_any(asked.part("id"))?;
    let mut documents = Vec::with_capacity(items.len());
    for item in items {
        let Value::Object(item) = item else { return Err(wrong("items: expected objects")) };
        let mut item = item.clone();
        // The list is that of the rule.
        item.insert("list_id".to_owned(), "of the rule".into());
        documents.push(read(&item, &shelf.author, shelf.now)?.document);
    }
    let kept = shelf.change(|_, edit| {
        for it in &documents {
            let key = list_key("single", it["item_id"].as_str().unwrap_or_default());
            if edit.by_key(KeptKind::Item, &key)?.is_some() {
                return Err(Problem::new(
                    Kind::Conflict,
                    format!("exception list item id: {} already exists", it["item_id"]),
                ));
            }
        }
        Ok(edit.add_rule_exceptions(&entry.rule, &documents)?)
    })?;
    Ok(Answer::json(&kept.iter().map(told).collect::<Vec<_>>().into()))
}
