//! Records as they come, and what is read off documents.

use block::{Origin, Texts};
use ecs::document::first;
use ecs::{Layered, Millis, Object};
use json::Tokens;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A CloudTrail record as AWS wrote it.
    CloudTrail,
    /// A document that is ECS already.
    Document,
}

/// A record, wherever it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where it was read, so that it can be found again.
    pub origin: Origin,
    /// What it is.
    pub kind: Kind,
    /// The `_id` that stands beside a document.
    pub id: Option<&'a str>,
    /// The `_index` that stands beside a document.
    pub index: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// The tokens of the text, if they are known.
    pub tokens: Option<&'a Tokens>,
}

/// A document that was built here, such as an alert.
#[derive(Clone, Copy, Debug)]
pub struct Built<'a> {
    /// Where it can be found again.
    pub origin: Origin,
    /// `_id`.
    pub id: &'a str,
    /// `_index`.
    pub index: &'a str,
    /// `@timestamp`.
    pub timestamp: Millis,
    /// `_source`.
    pub fields: &'a Layered,
}

/// Records of CloudTrail whose fields were taken apart before, by the same normaliser. What nobody asks for need not be there.
pub trait StoredRows {
    /// Why something of it cannot be read.
    type Error;

    /// Sees to it that what they have in the so manieth of [`Sift::stored_fields`](crate::Sift::stored_fields) is there.
    fn read(&mut self, field: usize) -> Result<(), Self::Error>;

    /// All that they have in a field that was read: each one text or nothing.
    fn texts(&self, field: usize) -> Texts<'_>;

    /// Sees to it that their ids are there.
    fn read_ids(&mut self) -> Result<(), Self::Error>;

    /// Their ids, once they were read.
    fn ids(&self) -> Texts<'_>;

    /// The time of one, if it has one of its own.
    fn time(&self, row: u32) -> Option<Millis>;

    /// Where its record is.
    fn origin(&self, row: u32) -> Origin;

    /// Gives the texts of the records of some, which are named in ascending order.
    fn records(&mut self, rows: &[u32], give: &mut dyn FnMut(&str)) -> Result<(), Self::Error>;
}

impl<'a> Record<'a> {
    /// A text of which nothing else is known.
    pub fn of(kind: Kind, text: &'a str) -> Self {
        Self { origin: Origin::default(), kind, id: None, index: None, text, tokens: None }
    }
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It should be a CloudTrail record.
    #[error(transparent)]
    Record(#[from] cloudtrail::ParseError),
    /// It should be a document.
    #[error("the document is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It should be a document.
    #[error("the document is JSON, but not an object")]
    NotAnObject,
    /// Documents of so many indices are read, and no more.
    #[error(
        "the document belongs to `{name}`, and documents of {limit} other indices were read already: give it to a hunt of its own"
    )]
    Indices {
        /// The index.
        name: String,
        /// How many there may be.
        limit: usize,
    },
}

impl Unreadable {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Record(error) => error.code(),
            Self::Json(_) => "HUNT001",
            Self::NotAnObject => "HUNT002",
            // HUNT003 is the hunt's own.
            Self::Indices { .. } => "HUNT004",
        }
    }
}

/// The document of a text.
pub fn parse_document(text: &str) -> Result<Object, Unreadable> {
    match ecs::json::parse(text)? {
        Value::Object(document) => Ok(document),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Unreadable::NotAnObject)
        }
    }
}

/// A text, out of its list if it is in one.
fn text(value: Option<&Value>) -> Option<&str> {
    first(value?)?.as_str()
}

/// A document's `_id`: what stands beside it or in it, else that of an alert, else the event's own id, else a hash of
/// its text.
pub fn document_id(record: &Record<'_>, document: &Object) -> String {
    // No event is called nothing: such ones would all be copies of one.
    if let Some(id) = record.id.filter(|id| !id.is_empty()) {
        return id.to_owned();
    }
    let nested = document.get("event").and_then(|event| event.get("id"));
    let own =
        [text(document.get("_id")), ecs::alert::id(document), text(document.get("event.id")), text(nested)];
    match own.into_iter().flatten().find(|id| !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => format!("{:032x}", xxh3_128(record.text.as_bytes())),
    }
}
