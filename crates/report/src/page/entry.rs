//! An alert as the page has it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use ecs::{Layered, Millis, Object};
use identity::WhoBuf;
use rule::Severity;
use serde_json::Value;

use super::escape;
use crate::Alert;
use crate::alert::{EVENT_PATHS, Line, text};

/// Fields of an alert's rule that are told with the rule and not again with each alert.
const OF_THE_RULE: &str = "kibana.alert.rule.";
/// Where an alert says which alerts of the same hunt it stands on.
const STANDS_ON: &str = "trailwarden.evidence.alerts";

/// The raw fields of so many alerts are on a page: it is to be handed on.
pub const FIELDS_MAX: usize = 2_000;

/// What the page needs of an alert.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) line: Line,
    /// The identity of its event, or of its first.
    pub who: WhoBuf,
    /// The `_id`s of its events; none if it counts them.
    pub events: Vec<String>,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) reason: String,
    /// The alerts that it stands on.
    pub(crate) stands_on: Vec<Value>,
}

impl Entry {
    /// Of an alert's document, which may hold of its event only what is at [`Self::EVENT_PATHS`].
    pub fn of(document: &Layered) -> Self {
        let alert = Alert::of(document);
        let of = |path| alert.text(path).map(Cow::into_owned).unwrap_or_default();
        let line = Line::new(alert);
        let ancestors = alert.get("kibana.alert.ancestors").and_then(Value::as_array);
        let is_event = |it: &&Value| it.get("depth").and_then(Value::as_i64) == Some(0);
        let ids = ancestors.into_iter().flatten().filter(is_event).filter_map(|it| it.get("id")?.as_str());
        let events = if line.counted.is_some() { Vec::new() } else { ids.map(str::to_owned).collect() };
        let stands_on = document.get(STANDS_ON).and_then(Value::as_array).cloned().unwrap_or_default();
        let plain: Object = document.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        Self {
            who: WhoBuf::of(&plain),
            events,
            account: of("cloud.account.id"),
            region: of("cloud.region"),
            reason: escape::cut(&of("kibana.alert.reason")),
            stands_on,
            line,
        }
    }

    /// The paths of an event that [`Self::of`] looks at.
    pub const EVENT_PATHS: &[&str] = &EVENT_PATHS;

    /// The alert's id.
    pub fn id(&self) -> &str {
        &self.line.id
    }

    /// When its event happened.
    pub fn time(&self) -> Option<Millis> {
        self.line.time
    }

    /// How much it matters: a critical alert more than any number of high ones that one identity raises in a day.
    pub fn weight(&self) -> u64 {
        match self.line.severity.as_str() {
            "critical" => 1_000_000,
            "high" => 10_000,
            "medium" => 100,
            _ => 1,
        }
    }

    /// How severe it is.
    pub fn severity(&self) -> Option<Severity> {
        Severity::from_name(&self.line.severity)
    }

    /// How severe it is: 3 is critical.
    pub(crate) fn rank(&self) -> usize {
        SEVERITIES.iter().position(|it| *it == self.line.severity).unwrap_or(0)
    }
}

/// All fields of an alert but those of its rule, which are told with the rule: paths with values.
pub type Fields = Vec<(String, String)>;

/// The fields of an alert's document.
pub fn fields_of(document: &Layered) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in document.iter() {
        if !key.starts_with(OF_THE_RULE) && key != "event.original" && key != STANDS_ON {
            leaves(key, value, &mut fields);
        }
    }
    fields.sort();
    fields
}

/// Of the alerts of a page the places of those whose raw fields are on it: the most severe and first ones.
pub fn with_fields(alerts: &[Entry]) -> BTreeSet<usize> {
    let mut places: Vec<usize> = (0..alerts.len()).collect();
    places.sort_by_key(|&at| Reverse(alerts[at].rank()));
    places.truncate(FIELDS_MAX);
    places.into_iter().collect()
}

/// From the least severe on.
pub(crate) const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// The leaves below a value, as dotted paths and texts.
fn leaves(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                leaves(&format!("{path}.{key}"), inner, out);
            }
        }
        _ => out.extend(text(value).map(|text| (escape::cut(path), escape::cut(&text)))),
    }
}
