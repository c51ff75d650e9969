//! Sets of events, and the fields that they have.

use std::path::Path;

use anyhow::Context as _;
use ecs::{Catalog, Object, Scalar};
use plan::value::{Datum, Named, Operand};
use serde_json::{Value, json};

use super::super::kql::{list, read};

/// Events in the order in which queries see them.
pub(super) struct Dataset {
    pub(super) catalog: Catalog,
    pub(super) category_field: String,
    pub(super) timestamp_field: Option<String>,
    pub(super) tiebreaker_field: Option<String>,
    /// With their ids.
    pub(super) events: Vec<(String, Object)>,
}

impl Dataset {
    pub(super) fn read(data: &Path, name: &str) -> anyhow::Result<Self> {
        let file = read(data, &format!("eql/datasets/{name}.json"))?;
        let field = |key: &str| file.get(key).and_then(Value::as_str);
        let fields = file.get("fields").and_then(Value::as_object).context("there are no `fields`")?;
        let catalog = catalog(fields)?;
        let id_field = field("id_field").context("there is no `id_field`")?;
        let mut events = Vec::new();
        for event in list(&file, "events")? {
            let mut event = event.as_object().context("an event is no object")?.clone();
            let id = event.get(id_field).context("an event has no id")?.to_string();
            if name == "endgame_nanos" {
                as_iso(&mut event)?;
            }
            events.push((id, event));
        }
        let order = |field: &Option<Operand>, event: &Object| field.as_ref().and_then(|it| key(it, event));
        let operand = |key: &str| match field(key).map(|it| Operand::named(it, &catalog)) {
            Some(Named::Operand(operand)) => Some(operand),
            Some(Named::Constant(_) | Named::Nothing) | None => None,
        };
        let (timestamp, tiebreaker) = (operand("timestamp_field"), operand("tiebreaker_field"));
        // An event without a tiebreaker comes last.
        events.sort_by_key(|(_, event)| {
            let (at, tie) = (order(&timestamp, event), order(&tiebreaker, event));
            (at, tie.is_none(), tie)
        });
        let category_field = field("event_category_field").context("there is no `event_category_field`")?;
        let named = |key: &str| field(key).map(str::to_owned);
        let (timestamp_field, tiebreaker_field) = (named("timestamp_field"), named("tiebreaker_field"));
        let category_field = category_field.to_owned();
        Ok(Self { catalog, category_field, timestamp_field, tiebreaker_field, events })
    }
}

/// The number that an event's value sorts by.
fn key(operand: &Operand, event: &Object) -> Option<i128> {
    let mut found = None;
    for path in &operand.paths {
        ecs::document::values(event, path, operand.shape, |value: Scalar<'_>| {
            if let Some(Datum::Int(it) | Datum::Date(it)) = operand.reading.read(value) {
                found = found.or(Some(it));
            }
        });
    }
    found
}

/// The catalogue, from types as these files write them.
pub(super) fn catalog(fields: &Object) -> anyhow::Result<Catalog> {
    let mut types = Object::new();
    for (name, field) in fields {
        let mut field = field.as_object().context("a field is no object")?.clone();
        if let Some(target) = field.shift_remove("alias") {
            field.insert("path".to_owned(), target);
        }
        // What it puts in the place of null is no value here: the cases that ask for it are left out by name.
        field.shift_remove("null_value");
        if let Some(format) = field.get("format").and_then(Value::as_str) {
            // Each index has its own format, and the dates of one are none in the other.
            let formats: Vec<&str> =
                format.split('/').filter_map(|it| it.split_whitespace().next()).collect();
            field.insert("format".to_owned(), json!(formats.join("||")));
        }
        if let Some(Value::Object(inner)) = field.get_mut("fields") {
            for ty in inner.values_mut().filter(|it| it.is_string()) {
                *ty = json!({ "type": ty.take() });
            }
        }
        types.insert(name.clone(), Value::Object(field));
    }
    Catalog::from_types(&types).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

/// A number of nanoseconds as the date that a field of nanoseconds reads.
fn as_iso(event: &mut Object) -> anyhow::Result<()> {
    let nanos = event.get("@timestamp").and_then(Value::as_i64).context("no number of nanoseconds")?;
    let at = jiff::Timestamp::from_nanosecond(nanos.into())?;
    event.insert("@timestamp".to_owned(), json!(at.to_string()));
    Ok(())
}
