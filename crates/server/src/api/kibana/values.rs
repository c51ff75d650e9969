//! The values of value lists.

use live::{Counted, Edit, Kept, KeptKind, NewKept, Rulebook};
use serde_json::{Value, json};

use super::super::shelf::{Shelf, random_id};
use super::exceptions::page;
use super::lists::{add as add_list, checked_type, known, list};
use super::{check_version, file, needed, object, text, told, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Values of a list.
const VALUES_MAX: u64 = 1_000_000;
/// The longest value.
const VALUE_MAX: usize = 32 << 10;

/// The values that are asked for: one by its id, or all of a list that are like this.
fn asked_for(asked: &Asked<'_>) -> Result<Vec<Kept>, Problem> {
    let book = Rulebook::open(&asked.app.data)?;
    match (asked.query.get("id"), asked.query.get("list_id"), asked.query.get("value")) {
        (Some(id), _, _) => {
            let found = book.get(KeptKind::Value, id)?;
            found.map(|it| vec![it]).ok_or_else(|| {
                Problem::new(Kind::NoSuchResource, format!("list item id: \"{id}\" not found"))
            })
        }
        (None, Some(list_id), Some(value)) => {
            let list = known(&book, list_id)?;
            let mut found = book.all(KeptKind::Value, Some(&list.key))?;
            found.retain(|it| it.document["value"] == *value);
            if found.is_empty() {
                let detail = format!("list_id: \"{list_id}\" item of {value} does not exist");
                return Err(Problem::new(Kind::NoSuchResource, detail));
            }
            Ok(found)
        }
        (None, _, _) => Err(Problem::new(
            Kind::Parameter,
            "Either \"list_id\" and \"value\", or \"id\" needs to be defined in the request",
        )),
    }
}

/// One if it was asked for by its id, else all.
fn one_or_all(asked: &Asked<'_>, found: &[Kept]) -> Answer {
    match found {
        [one] if asked.query.get("id").is_some() => Answer::json(&told(one)),
        all => Answer::json(&all.iter().map(told).collect::<Vec<_>>().into()),
    }
}

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "list_id", "value"])?;
    Ok(one_or_all(asked, &asked_for(asked)?))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["refresh"])?;
    let body = object(asked)?;
    let (list_id, value) = (needed(&body, "list_id")?, needed(&body, "value")?);
    let id = text(&body, "id")?.filter(|it| !it.is_empty()).map_or_else(random_id, |it| Ok(it.to_owned()))?;
    let mut shelf = Shelf::open(asked)?;
    let list = known(&shelf.rulebook, list_id)?;
    let kept = shelf.change(|_, edit| {
        if edit.get(KeptKind::Value, &id)?.is_some() {
            return Err(Problem::new(Kind::Conflict, format!("list item id: \"{id}\" already exists")));
        }
        add(edit, &list, &id, value, body.get("meta"))
    })?;
    Ok(Answer::json(&told(&kept)))
}

fn add(
    edit: &mut Edit<'_>,
    list: &Kept,
    id: &str,
    value: &str,
    meta: Option<&Value>,
) -> Result<Kept, Problem> {
    check(list, value)?;
    if edit.count(KeptKind::Value, Some(&list.key))? >= VALUES_MAX {
        let detail = format!("value list {} has {VALUES_MAX} values, and no more are kept", list.key);
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let mut document = json!({"id": id, "list_id": list.key, "type": list.document["type"], "value": value});
    if let Some(meta) = meta.filter(|it| !it.is_null()) {
        document["meta"] = meta.clone();
    }
    let document = document.as_object().cloned().unwrap_or_default();
    let new = NewKept { id: id.to_owned(), key: id.to_owned(), parent: list.key.clone(), document };
    Ok(edit.add(KeptKind::Value, &new)?)
}

/// Refuses a value that is none of its list's type: it would except nothing.
fn check(list: &Kept, value: &str) -> Result<(), Problem> {
    let ty = list.document.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_address = |it: &str| it.trim().parse::<std::net::IpAddr>().is_ok();
    let is_block = |it: &str| {
        it.split_once('/').is_some_and(|(address, bits)| {
            is_address(address) && bits.parse::<u8>().is_ok_and(|it| it <= 128)
        })
    };
    let fits = match ty {
        "ip" => is_address(value) || is_block(value),
        "ip_range" => {
            is_address(value)
                || is_block(value)
                || value.split_once('-').is_some_and(|(a, b)| is_address(a) && is_address(b))
        }
        "date" | "date_nanos" => ecs::date::parse(value).is_ok(),
        "boolean" => value == "true" || value == "false",
        "byte" | "short" | "integer" | "long" => value.parse::<i64>().is_ok(),
        "unsigned_long" => value.parse::<u64>().is_ok(),
        "float" | "half_float" | "double" => value.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    };
    if !fits || value.len() > VALUE_MAX {
        let shown: String = value.chars().take(60).collect();
        return Err(wrong(format!("value: `{shown}` is no {ty}")));
    }
    Ok(())
}

pub(super) fn replace(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["refresh"])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    let id = needed(&body, "id")?;
    let kept = shelf
        .rulebook
        .get(KeptKind::Value, id)?
        .ok_or_else(|| Problem::new(Kind::NoSuchResource, format!("list item id: \"{id}\" not found")))?;
    check_version(&body, &kept)?;
    let mut document = kept.document.clone();
    if let Some(value) = text(&body, "value")? {
        check(&known(&shelf.rulebook, &kept.parent)?, value)?;
        document.insert("value".to_owned(), value.into());
    }
    if let Some(meta) = body.get("meta") {
        document.insert("meta".to_owned(), meta.clone());
    }
    let kept = shelf.change(|_, edit| {
        Ok::<_, Problem>(edit.set(KeptKind::Value, &kept.id, &document, Counted::Yes)?)
    })?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "list_id", "value", "refresh"])?;
    let found = asked_for(asked)?;
    Shelf::open(asked)?.change(|_, edit| {
        for it in &found {
            edit.remove(KeptKind::Value, &it.id)?;
        }
        Ok::<_, Problem>(())
    })?;
    Ok(one_or_all(asked, &found))
}

pub(super) fn find(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["list_id", "page", "per_page", "sort_field", "sort_order", "filter", "cursor"])?;
    let list_id = asked.query.get("list_id").filter(|it| !it.is_empty());
    let list_id =
        list_id.ok_or_else(|| Problem::new(Kind::Parameter, "[request query]: list_id: Required"))?;
    let book = Rulebook::open(&asked.app.data)?;
    let list = known(&book, list_id)?;
    page(asked, &book.all(KeptKind::Value, Some(&list.key))?, &["list_item"])
}

/// Takes a file with a value a line; what is there already stays as it is.
pub(super) fn import(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["list_id", "type", "serializer", "deserializer", "refresh"])?;
    let (name, content) = file(asked)?;
    let list_id = asked.query.get("list_id").map_or(name, str::to_owned);
    if list_id.is_empty() {
        return Err(Problem::new(Kind::Parameter, "[request query]: list_id: Required"));
    }
    let ty = asked.query.get("type").map(checked_type).transpose()?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(&content);
    let lines: Vec<&str> = content.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    let kept = Shelf::open(asked)?.change(|_, edit| {
        let list = if let Some(list) = edit.by_key(KeptKind::ValueList, &list_id)? {
            list
        } else {
            let none =
                || wrong(format!("list id: \"{list_id}\" does not exist, and without `type` none is made"));
            let ty = ty.ok_or_else(none)?;
            let description = format!("File uploaded from file system of {list_id}");
            add_list(edit, &list_id, list(&list_id, ty, &list_id, &description))?
        };
        let there = edit.all(KeptKind::Value, Some(&list.key))?;
        let mut there: std::collections::HashSet<String> =
            there.iter().filter_map(|it| it.document["value"].as_str().map(str::to_owned)).collect();
        for line in &lines {
            if there.insert((*line).to_owned()) {
                add(edit, &list, &random_id()?, line, None)?;
            }
        }
        Ok::<_, Problem>(list)
    })?;
    let details = [("list", Value::from(kept.key.as_str())), ("by", asked.author().into())];
    asked.app.log.info("SRV082", "values were imported", &details);
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn export(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["list_id"])?;
    let list_id = asked.query.get("list_id").filter(|it| !it.is_empty());
    let list_id =
        list_id.ok_or_else(|| Problem::new(Kind::Parameter, "[request query]: list_id: Required"))?;
    let book = Rulebook::open(&asked.app.data)?;
    let list = known(&book, list_id)?;
    let mut text = String::new();
    for it in book.all(KeptKind::Value, Some(&list.key))? {
        text += &format!("{}\n", it.document["value"].as_str().unwrap_or_default());
    }
    Ok(Answer::new(200, "text/plain; charset=utf-8", text))
}
