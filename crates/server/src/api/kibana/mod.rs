//! As much of Kibana's API for detection as tools use: rules, exceptions, value lists, alerts.
//!
//! Rules are read and written by `rule`, kept by `live`, and found by [`Shelf`](super::shelf::Shelf). Whoever changes something
//! sends `kbn-xsrf`, as in Kibana; there is one space, the default.

mod bulk;
mod exceptions;
mod export;
mod figures;
mod find;
mod import;
mod items;
mod lists;
mod params;
mod preview;
mod rules;
mod search;
mod signals;
mod status;
mod values;

pub(super) use rules::made;

use ecs::Object;
use live::Kept;
use serde_json::{Value, json};

use super::{ANALYST, DELETE, ENGINEER, GET, PATCH, POST, VIEWER, route};
use crate::http::{Access, Answer, Asked, Body, Kind, Problem, Route};
use params::{
    DRY_RUN, EXPORT, FIND, ID, IMPORT, ITEM_FIND, ITEM_ID, LIST_EXPORT, LIST_FIND, LIST_ID, LIST_IMPORT,
    VALUE, VALUE_EXPORT, VALUE_FIND, VALUE_IMPORT, VALUE_LIST,
};

const PUT: &[crate::http::Method] = &[crate::http::Method::Put];

const ANY: Access = Access::AnyKey;

/// What is answered.
pub(super) const ROUTES: &[Route] = &[
    route(GET, "/api/status", ANY, Body::None, status::status, "What this is, and whether it is well.")
        .kibana(),
    route(GET, "/api/features", ANY, Body::None, status::features, "The features that tools look for.")
        .kibana(),
    route(GET, "/api/spaces/space", ANY, Body::None, status::spaces, "The spaces: there is one.").kibana(),
    route(GET, "/api/spaces/space/{id}", ANY, Body::None, status::space, "A space.").kibana(),
    route(GET, "/api/detection_engine/index", ANY, Body::None, status::index, "The index of alerts.")
        .kibana(),
    route(
        POST,
        "/api/detection_engine/index",
        ENGINEER,
        Body::None,
        status::make_index,
        "The index of alerts is there already.",
    )
    .kibana(),
    route(
        GET,
        "/api/detection_engine/privileges",
        ANY,
        Body::None,
        status::privileges,
        "What the key may do.",
    )
    .kibana(),
    route(GET, "/api/detection_engine/tags", VIEWER, Body::None, status::tags, "The tags of all rules.")
        .kibana(),
    route(GET, "/api/detection_engine/rules", VIEWER, Body::None, rules::show, "A rule.")
        .asks(ID)
        .answers("Rule")
        .kibana(),
    route(POST, "/api/detection_engine/rules", ENGINEER, Body::Json, rules::make, "Makes a rule.")
        .takes("Rule")
        .answers("Rule")
        .kibana(),
    route(PUT, "/api/detection_engine/rules", ENGINEER, Body::Json, rules::replace, "Replaces a rule.")
        .takes("Rule")
        .answers("Rule")
        .kibana(),
    route(
        PATCH,
        "/api/detection_engine/rules",
        ENGINEER,
        Body::Json,
        rules::patch,
        "Changes fields of a rule.",
    )
    .takes("Rule")
    .answers("Rule")
    .kibana(),
    route(DELETE, "/api/detection_engine/rules", ENGINEER, Body::None, rules::delete, "Deletes a rule.")
        .asks(ID)
        .answers("Rule")
        .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/_bulk_create",
        ENGINEER,
        Body::File,
        rules::make_several,
        "Makes several rules; answers each of them.",
    )
    .kibana(),
    route(GET, "/api/detection_engine/rules/_find", VIEWER, Body::None, find::find, "Rules, a page of them.")
        .asks(FIND)
        .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/_import",
        ENGINEER,
        Body::File,
        import::rules,
        "Takes an export: rules, and the exception lists that they name.",
    )
    .asks(IMPORT)
    .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/_export",
        VIEWER,
        Body::Json,
        export::rules,
        "Rules with their exception lists, as NDJSON.",
    )
    .asks(EXPORT)
    .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/_bulk_action",
        ENGINEER,
        Body::Json,
        bulk::act,
        "Does something with many rules.",
    )
    .asks(DRY_RUN)
    .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/preview",
        ENGINEER,
        Body::Json,
        preview::preview,
        "What a rule would have raised over the stored events; nothing is kept.",
    )
    .kibana(),
    route(
        POST,
        "/api/detection_engine/rules/{id}/exceptions",
        ENGINEER,
        Body::Json,
        items::make_for_rule,
        "Excepts from one rule.",
    )
    .kibana(),
    route(
        POST,
        "/api/detection_engine/signals/search",
        VIEWER,
        Body::Json,
        signals::search,
        "Alerts, by a query as Elasticsearch has it.",
    )
    .kibana(),
    route(
        POST,
        "/api/detection_engine/signals/status",
        ANALYST,
        Body::Json,
        signals::status,
        "Changes the status of alerts.",
    )
    .kibana(),
    route(POST, "/api/detection_engine/signals/tags", ANALYST, Body::Json, signals::tags, "Tags alerts.")
        .kibana(),
    route(
        POST,
        "/api/detection_engine/signals/assignees",
        ANALYST,
        Body::Json,
        signals::assignees,
        "Assigns alerts.",
    )
    .kibana(),
    route(GET, "/api/exception_lists", VIEWER, Body::None, exceptions::show, "An exception list.")
        .asks(LIST_ID)
        .kibana(),
    route(POST, "/api/exception_lists", ENGINEER, Body::Json, exceptions::make, "Makes an exception list.")
        .kibana(),
    route(
        PUT,
        "/api/exception_lists",
        ENGINEER,
        Body::Json,
        exceptions::replace,
        "Replaces an exception list.",
    )
    .kibana(),
    route(
        DELETE,
        "/api/exception_lists",
        ENGINEER,
        Body::None,
        exceptions::delete,
        "Deletes an exception list and its items.",
    )
    .asks(LIST_ID)
    .kibana(),
    route(
        GET,
        "/api/exception_lists/_find",
        VIEWER,
        Body::None,
        exceptions::find,
        "Exception lists, a page of them.",
    )
    .asks(LIST_FIND)
    .kibana(),
    route(
        POST,
        "/api/exception_lists/_export",
        VIEWER,
        Body::None,
        exceptions::export,
        "A list and its items, as NDJSON.",
    )
    .asks(LIST_EXPORT)
    .kibana(),
    route(
        POST,
        "/api/exception_lists/_import",
        ENGINEER,
        Body::File,
        import::exceptions,
        "Takes lists and items.",
    )
    .asks(LIST_IMPORT)
    .kibana(),
    route(GET, "/api/exception_lists/items", VIEWER, Body::None, items::show, "An item.")
        .asks(ITEM_ID)
        .kibana(),
    route(POST, "/api/exception_lists/items", ENGINEER, Body::Json, items::make, "Makes an item.").kibana(),
    route(PUT, "/api/exception_lists/items", ENGINEER, Body::Json, items::replace, "Replaces an item.")
        .kibana(),
    route(DELETE, "/api/exception_lists/items", ENGINEER, Body::None, items::delete, "Deletes an item.")
        .asks(ITEM_ID)
        .kibana(),
    route(GET, "/api/exception_lists/items/_find", VIEWER, Body::None, items::find, "Items, a page of them.")
        .asks(ITEM_FIND)
        .kibana(),
    route(GET, "/api/lists", VIEWER, Body::None, lists::show, "A value list.").asks(VALUE_LIST).kibana(),
    route(POST, "/api/lists", ENGINEER, Body::Json, lists::make, "Makes a value list.").kibana(),
    route(PUT, "/api/lists", ENGINEER, Body::Json, lists::replace, "Changes a value list.").kibana(),
    route(PATCH, "/api/lists", ENGINEER, Body::Json, lists::replace, "Changes a value list.").kibana(),
    route(DELETE, "/api/lists", ENGINEER, Body::None, lists::delete, "Deletes a value list and its values.")
        .asks(VALUE_LIST)
        .kibana(),
    route(GET, "/api/lists/_find", VIEWER, Body::None, lists::find, "Value lists, a page of them.")
        .asks(VALUE_FIND)
        .kibana(),
    route(GET, "/api/lists/index", VIEWER, Body::None, lists::index, "Value lists can be kept.").kibana(),
    route(
        POST,
        "/api/lists/index",
        ENGINEER,
        Body::None,
        lists::make_index,
        "Value lists can be kept already.",
    )
    .kibana(),
    route(
        DELETE,
        "/api/lists/index",
        ENGINEER,
        Body::None,
        lists::delete_index,
        "Says whether no value list is left.",
    )
    .kibana(),
    route(GET, "/api/lists/privileges", ANY, Body::None, status::privileges, "What the key may do.").kibana(),
    route(GET, "/api/lists/items", VIEWER, Body::None, values::show, "A value.").asks(VALUE).kibana(),
    route(POST, "/api/lists/items", ENGINEER, Body::Json, values::make, "Puts a value into a list.").kibana(),
    route(PUT, "/api/lists/items", ENGINEER, Body::Json, values::replace, "Changes a value.").kibana(),
    route(PATCH, "/api/lists/items", ENGINEER, Body::Json, values::replace, "Changes a value.").kibana(),
    route(DELETE, "/api/lists/items", ENGINEER, Body::None, values::delete, "Takes a value out of a list.")
        .asks(VALUE)
        .kibana(),
    route(
        GET,
        "/api/lists/items/_find",
        VIEWER,
        Body::None,
        values::find,
        "Values of a list, a page of them.",
    )
    .asks(VALUE_FIND)
    .kibana(),
    route(
        POST,
        "/api/lists/items/_import",
        ENGINEER,
        Body::File,
        values::import,
        "Takes a file with a value a line.",
    )
    .asks(VALUE_IMPORT)
    .kibana(),
    route(
        POST,
        "/api/lists/items/_export",
        VIEWER,
        Body::None,
        values::export,
        "The values of a list, one a line.",
    )
    .asks(VALUE_EXPORT)
    .kibana(),
];

/// The members of a body that is an object.
fn object(asked: &Asked<'_>) -> Result<Object, Problem> {
    match asked.json()? {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(Kind::Body, "[request body]: expected an object")),
    }
}

/// A parameter that is true or false.
fn flag(asked: &Asked<'_>, name: &str, default: bool) -> Result<bool, Problem> {
    match asked.query.get(name) {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(Problem::new(
            Kind::Parameter,
            format!("[request query]: {name}: `{other}` is neither true nor false"),
        )),
    }
}

/// A text of a body; nothing if it is absent or `null`.
fn text<'b>(body: &'b Object, name: &str) -> Result<Option<&'b str>, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(format!("{name}: expected a string"))),
    }
}

/// A text of a body that must be there.
fn needed<'b>(body: &'b Object, name: &str) -> Result<&'b str, Problem> {
    let text = text(body, name)?.filter(|it| !it.is_empty());
    text.ok_or_else(|| wrong(format!("{name}: Required")))
}

/// A list of texts of a body.
fn texts(body: &Object, name: &str) -> Result<Vec<String>, Problem> {
    let Some(value) = body.get(name).filter(|it| !it.is_null()) else { return Ok(Vec::new()) };
    let texts = value.as_array().and_then(|it| it.iter().map(|it| it.as_str().map(str::to_owned)).collect());
    texts.ok_or_else(|| wrong(format!("{name}: expected a list of strings")))
}

/// Something is wrong with the body.
fn wrong(what: impl AsRef<str>) -> Problem {
    Problem::new(Kind::Body, format!("[request body]: {}", what.as_ref()))
}

/// A document of lists and their items as it is told, with the version that a change may name.
fn told(kept: &Kept) -> Value {
    let mut told = kept.with_bookkeeping();
    told.insert("_version".to_owned(), version(kept).into());
    told.insert("tie_breaker_id".to_owned(), kept.id.as_str().into());
    Value::Object(told)
}

/// What tells one state of a document from another.
fn version(kept: &Kept) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(json!([kept.revision, 1]).to_string())
}

/// Refuses to change a document that somebody else changed meanwhile, if the body says which was meant.
fn check_version(body: &Object, kept: &Kept) -> Result<(), Problem> {
    match text(body, "_version")? {
        Some(meant) if meant != version(kept) => Err(Problem::new(
            Kind::Conflict,
            format!("{} was changed meanwhile: `_version` is another", kept.key),
        )),
        Some(_) | None => Ok(()),
    }
}

/// A file of lines.
fn ndjson(text: String, name: &str) -> Answer {
    let mut answer = Answer::new(200, "application/ndjson", text);
    let safe: String = name.chars().filter(|it| it.is_ascii_alphanumeric() || "-_. ".contains(*it)).collect();
    answer.headers.push(("content-disposition", format!("attachment; filename=\"{safe}\"")));
    answer
}

/// The file of a form.
fn file(asked: &Asked<'_>) -> Result<(String, String), Problem> {
    let body = asked.unpacked()?;
    let bad = |detail: &str| Problem::new(Kind::Body, format!("[request body.file]: {detail}"));
    let not_text = || bad("it is no UTF-8");
    let boundary = asked.content_type.split(';').skip(1).find_map(|it| it.trim().strip_prefix("boundary="));
    let Some(boundary) = boundary.map(|it| it.trim_matches('"')).filter(|it| !it.is_empty()) else {
        return Err(bad("expected multipart/form-data with a boundary"));
    };
    let body = String::from_utf8(body).map_err(|_| not_text())?;
    let mark = format!("--{boundary}");
    for part in body.split(mark.as_str()).skip(1) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let line = head.lines().find(|it| it.to_ascii_lowercase().starts_with("content-disposition:"));
        let Some(line) = line else { continue };
        let said = |name: &str| {
            line.split(';').find_map(|it| {
                Some(it.trim().strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').to_owned())
            })
        };
        if said("name").as_deref() == Some("file") {
            let content = content.strip_suffix("\r\n").unwrap_or(content);
            return Ok((said("filename").unwrap_or_default(), content.to_owned()));
        }
    }
    Err(bad("the form has no file called `file`"))
}
