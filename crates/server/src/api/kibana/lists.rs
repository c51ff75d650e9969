//! Value lists.

use ecs::Object;
use live::{Counted, Edit, Kept, KeptKind, NewKept, Rulebook};
use serde_json::{Value, json};

use super::super::shelf::{Shelf, random_id};
use super::exceptions::{LISTS_MAX, page};
use super::{check_version, needed, object, text, told, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// The types of values.
const TYPES: [&str; 21] = [
    "binary",
    "boolean",
    "byte",
    "date",
    "date_nanos",
    "date_range",
    "double",
    "double_range",
    "float",
    "float_range",
    "half_float",
    "integer",
    "integer_range",
    "ip",
    "ip_range",
    "keyword",
    "long",
    "long_range",
    "short",
    "text",
    "unsigned_long",
];

/// The list of an id.
pub(super) fn known(book: &Rulebook, id: &str) -> Result<Kept, Problem> {
    let found = book.by_key(KeptKind::ValueList, id)?;
    found.ok_or_else(|| Problem::new(Kind::NoSuchResource, format!("list id: \"{id}\" does not exist")))
}

fn asked_for(asked: &Asked<'_>) -> Result<Kept, Problem> {
    let id = asked.query.get("id").filter(|it| !it.is_empty());
    let id = id.ok_or_else(|| Problem::new(Kind::Parameter, "[request query]: id: Required"))?;
    known(&Rulebook::open(&asked.app.data)?, id)
}

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id"])?;
    Ok(Answer::json(&told(&asked_for(asked)?)))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let id = match text(&body, "id")?.filter(|it| !it.is_empty()) {
        Some(id) => id.to_owned(),
        None => random_id()?,
    };
    let ty = checked_type(needed(&body, "type")?)?;
    let (name, description) = (needed(&body, "name")?, needed(&body, "description")?);
    let mut document = list(&id, ty, name, description);
    for other in ["serializer", "deserializer", "meta"] {
        if let Some(value) = body.get(other).filter(|it| !it.is_null()) {
            document.insert(other.to_owned(), value.clone());
        }
    }
    let kept = Shelf::open(asked)?.change(|_, edit| {
        if edit.by_key(KeptKind::ValueList, &id)?.is_some() {
            return Err(Problem::new(Kind::Conflict, format!("list id: \"{id}\" already exists")));
        }
        add(edit, &id, document)
    })?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn checked_type(ty: &str) -> Result<&str, Problem> {
    if TYPES.contains(&ty) {
        Ok(ty)
    } else {
        Err(wrong(format!("type: `{ty}` is none of {}", TYPES.join(", "))))
    }
}

/// A list as it is kept.
pub(super) fn list(id: &str, ty: &str, name: &str, description: &str) -> Object {
    let list = json!({
        "id": id, "type": ty, "name": name, "description": description, "immutable": false, "version": 1,
    });
    list.as_object().cloned().unwrap_or_default()
}

pub(super) fn add(edit: &mut Edit<'_>, id: &str, document: Object) -> Result<Kept, Problem> {
    if edit.count(KeptKind::ValueList, None)? >= LISTS_MAX {
        return Err(Problem::new(
            Kind::Conflict,
            format!("there are {LISTS_MAX} value lists, and no more are kept"),
        ));
    }
    let new = NewKept { id: id.to_owned(), key: id.to_owned(), parent: String::new(), document };
    Ok(edit.add(KeptKind::ValueList, &new)?)
}

pub(super) fn replace(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    let kept = known(&shelf.rulebook, needed(&body, "id")?)?;
    check_version(&body, &kept)?;
    let mut document = kept.document.clone();
    for name in ["name", "description"] {
        if let Some(text) = text(&body, name)? {
            document.insert(name.to_owned(), text.into());
        }
    }
    if let Some(meta) = body.get("meta") {
        document.insert("meta".to_owned(), meta.clone());
    }
    let version = document.get("version").and_then(Value::as_u64).unwrap_or(1);
    document.insert("version".to_owned(), (version + 1).into());
    let kept = shelf.change(|_, edit| {
        Ok::<_, Problem>(edit.set(KeptKind::ValueList, &kept.id, &document, Counted::Yes)?)
    })?;
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "deleteReferences", "ignoreReferences"])?;
    let kept = asked_for(asked)?;
    let mut shelf = Shelf::open(asked)?;
    // Items that ask for it would except nothing any more.
    let asking = shelf.rulebook.all(KeptKind::Item, None)?;
    let asks = |it: &Kept| {
        let entries = it.document.get("entries").and_then(Value::as_array);
        entries.into_iter().flatten().any(|it| it["list"]["id"] == *kept.key)
    };
    if !super::flag(asked, "ignoreReferences", false)?
        && let Some(item) = asking.iter().find(|it| asks(it))
    {
        let detail = format!(
            "value list {} is asked for by the exception item {}; delete that first, or give ignoreReferences=true",
            kept.key, item.document["item_id"]
        );
        return Err(Problem::new(Kind::Conflict, detail));
    }
    shelf.change(|_, edit| Ok::<_, Problem>(edit.remove(KeptKind::ValueList, &kept.id)?))?;
    let details = [("list", Value::from(kept.key.as_str())), ("by", asked.author().into())];
    asked.app.log.info("SRV081", "a value list was deleted", &details);
    Ok(Answer::json(&told(&kept)))
}

pub(super) fn find(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["page", "per_page", "sort_field", "sort_order", "filter", "cursor"])?;
    let all = Rulebook::open(&asked.app.data)?.all(KeptKind::ValueList, None)?;
    page(asked, &all, &["list"])
}

pub(super) fn index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    Ok(Answer::json(&json!({"list_index": true, "list_item_index": true})))
}

pub(super) fn make_index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    Ok(Answer::json(&json!({"acknowledged": true})))
}

/// In Kibana this deletes all value lists at once.
pub(super) fn delete_index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let lists = Rulebook::open(&asked.app.data)?.all(KeptKind::ValueList, None)?;
    if let Some(list) = lists.first() {
        let detail =
            format!("{} value lists are there, such as {}; delete them first", lists.len(), list.key);
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(Answer::json(&json!({"acknowledged": true})))
}
