//! What an investigation gives: evidence of each step, facts, and what is missing.

use std::sync::Arc;

use ecs::Millis;
pub use identity::Confidence;
use serde_json::{Value, json};

use crate::fill::{Command, Values};
use crate::look::ROWS_MAX;

/// Events that a row names; of more it has the count.
pub const ROW_EVENTS_MAX: usize = 20;

/// What was found out about one alert.
#[derive(Clone, Debug)]
pub struct Investigation {
    /// The id of the alert, or of the event.
    pub id: String,
    /// The rule that raised it.
    pub rule: Option<Arc<rule::Rule>>,
    /// Who did what to what, when, from where: one sentence.
    pub sentence: String,
    /// What differs from what was before, a sentence each.
    pub deviations: Vec<String>,
    /// What was looked at, in order.
    pub steps: Vec<Evidence>,
    /// By name.
    pub facts: Vec<Fact>,
    /// What is missing that belongs to no step.
    pub missing: Vec<Missing>,
    /// False-positive evidence, a list for each kind of harmless cause.
    pub harmless: Vec<Checklist>,
    /// The exception that would have silenced exactly this alert.
    pub exception: Option<Exception>,
    /// The values that placeholders stand for.
    pub values: Values,
    /// The time of the first event of the alert, and of the last.
    pub anchor: (Millis, Millis),
    /// The severity of the alert, if it is one.
    pub severity: Option<String>,
}

impl Evidence {
    /// Whether there is anything to see: a sentence, or rows.
    pub fn has_found(&self) -> bool {
        !self.statements.is_empty() || self.results.iter().any(|it| !it.rows.is_empty())
    }
}

impl Investigation {
    /// The fact of that name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|it| it.name == name)
    }

    /// All that is missing, that of the steps too, each once.
    pub fn all_missing(&self) -> Vec<&Missing> {
        let mut out: Vec<&Missing> = Vec::new();
        for it in self.missing.iter().chain(self.steps.iter().flat_map(|step| &step.missing)) {
            if !out.iter().any(|known| known.text == it.text) {
                out.push(it);
            }
        }
        out
    }
}

/// What one step found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The name of the step, if it has one.
    pub id: Option<String>,
    /// The title.
    pub title: String,
    /// What the guide says of it, with values. Markdown.
    pub text: String,
    /// It is what the author of a guide in prose wrote, and no step of its own.
    pub is_prose: bool,
    /// What it looked at.
    pub range: Option<(Millis, Millis)>,
    /// Since when the account has events in the region at all, if that is later than the beginning of the range.
    pub data_from: Option<Millis>,
    /// What it found.
    pub results: Vec<Found>,
    /// Sentences with values.
    pub statements: Vec<String>,
    /// What it could not find.
    pub missing: Vec<Missing>,
    /// What people may run to learn more.
    pub command: Option<Command>,
    /// Queries that a guide has for something else than these events.
    pub snippets: Vec<Snippet>,
}

/// A query for osquery, with its values. It is never run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// What it is called.
    pub label: String,
    /// The query.
    pub command: Command,
}

/// One result: a table with all its cells as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The name of the query or computation.
    pub id: String,
    /// How it is meant: `table`, `values`, `timeline`, `count`, `compare`, `chain`.
    pub show: &'static str,
    /// The query as it was asked, if it was one.
    pub query: Option<String>,
    /// The heads.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// How many rows there would be without a limit.
    pub total: u64,
    /// How many events stand behind all rows.
    pub events: u64,
}

impl Found {
    /// A table of these rows, the first of them; of the rest it is known how many there are. A row stands for one event, if
    /// nobody says otherwise.
    pub(crate) fn table(
        id: &str,
        show: &'static str,
        columns: Vec<String>,
        rows: impl IntoIterator<IntoIter: ExactSizeIterator<Item = Row>>,
    ) -> Self {
        let rows = rows.into_iter();
        let total = rows.len() as u64;
        let rows = rows.take(ROWS_MAX).collect();
        Self { id: id.to_owned(), show, query: None, columns, rows, total, events: total }
    }

    /// How many events stand behind all rows.
    pub(crate) fn of_events(self, events: usize) -> Self {
        Self { events: events as u64, ..self }
    }
}

/// A row with the events behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<String>,
    /// The `_id`s of the first events,
    pub events: Vec<String>,
    /// and how many there are.
    pub count: u64,
    /// Whether it is of the alert's own session.
    pub is_own: bool,
}

/// A small typed result.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its name, one of [`rule::FACTS`].
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// How sure it is.
    pub confidence: Confidence,
    /// The events that support it, the first of them.
    pub events: Vec<String>,
    /// The same in words.
    pub text: String,
    /// What it is about, one by one, as commands name it.
    pub targets: Vec<Target>,
}

/// One thing that a fact is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The call: `iam:AttachRolePolicy`.
    pub call: String,
    /// What it was about: the role.
    pub object: String,
    /// What else a command has to name: the policy. Empty if there is nothing.
    pub detail: String,
    /// The region of the call,
    pub region: String,
    /// and the account that the thing is in.
    pub account: String,
}

impl Fact {
    /// Whether it says yes: true, a number other than zero, a text or a list that is not empty.
    pub fn holds(&self) -> bool {
        match &self.value {
            Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        }
    }
}

/// What kind of thing is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The account and region have no events in the window.
    NoData,
    /// The data begin inside the window.
    ShortHistory,
    /// No call issued the key.
    NoIssuerEvent,
    /// Data events are needed, and there are none.
    NoDataEvents,
    /// There is no database of places.
    NoGeo,
    /// AWS hides the value.
    Hidden,
    /// CloudTrail does not record it.
    NotRecorded,
    /// The text is longer than what is indexed.
    TooLong,
    /// There are more rows than were asked for.
    Truncated,
    /// Later events may follow.
    Late,
    /// The case has no such value.
    NoValue,
    /// The alert has no events here.
    NoEvents,
    /// The query cannot be evaluated.
    NoQuery,
}

impl Lack {
    /// The stable name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoData => "no-data",
            Self::ShortHistory => "short-history",
            Self::NoIssuerEvent => "no-issuer-event",
            Self::NoDataEvents => "no-data-events",
            Self::NoGeo => "no-geo",
            Self::Hidden => "hidden",
            Self::NotRecorded => "not-recorded",
            Self::TooLong => "too-long",
            Self::Truncated => "truncated",
            Self::Late => "late",
            Self::NoValue => "no-value",
            Self::NoEvents => "no-events",
            Self::NoQuery => "no-query",
        }
    }
}

/// What is missing: what, where it was looked for, what would show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What kind of thing.
    pub lack: Lack,
    /// One sentence.
    pub text: String,
}

/// What speaks for and against a harmless cause. No conclusion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checklist {
    /// The cause.
    pub title: String,
    /// What the guide says of it.
    pub text: String,
    /// What supports it,
    pub supports: Vec<String>,
    /// what speaks against it,
    pub against: Vec<String>,
    /// and what is not known.
    pub unknown: Vec<String>,
}

/// What a field must be for an exception to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionEntry {
    /// The field.
    pub field: String,
    /// Its value, or a pattern of it.
    pub value: String,
    /// Whether it is a pattern, with `*`.
    pub is_pattern: bool,
}

impl ExceptionEntry {
    /// The field, and how it is compared if that is not plain.
    pub fn name(&self) -> String {
        let how = if self.is_pattern { " (matches)" } else { "" };
        format!("{}{how}", self.field)
    }

    /// As the entry of an exception item.
    pub fn item(&self) -> Value {
        let ty = if self.is_pattern { "wildcard" } else { "match" };
        json!({"type": ty, "field": self.field, "operator": "included", "value": self.value})
    }
}

/// An exception that would have silenced the alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// What fields must be, all of them.
    pub entries: Vec<ExceptionEntry>,
    /// How many alerts of the last 30 days it would have hidden, this one included.
    pub hides: u64,
    /// When it should end.
    pub expires: Millis,
}
