//! Records and documents into the columns of a block: one thread's part of it.

use std::sync::Arc;

use block::{BlockBuilder, Origin, RowInfo, Schema, Slot};
use cloudtrail::{Columns, Normaliser, ReadAt, RecordBuf};
use ecs::{Millis, Object, Wanted};
use reader::RecordKind;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::index::{CLOUDTRAIL, Indices, index_of};
use crate::scan::RawRecord;

/// Fills a row from whatever a record is.
pub(crate) struct RowFiller {
    columns: Columns,
    normaliser: Normaliser,
    parsed: RecordBuf,
    read_at: ReadAt,
    /// For documents that are ECS already.
    wanted: Wanted,
    slots: Vec<Slot>,
    indices: Arc<Indices>,
    names: Vec<String>,
}

/// What is known of the row that was filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    /// The event's time, if it has one.
    pub(crate) time: Option<Millis>,
}

impl RowFiller {
    pub(crate) fn new(
        schema: &Schema,
        options: &cloudtrail::Options,
        now: Millis,
        indices: Arc<Indices>,
    ) -> Self {
        let slots = schema.columns().map(|(slot, ..)| slot).collect();
        let wanted = schema.columns().enumerate().map(|(at, (_, path, shape))| (at as u32, path, shape));
        Self {
            columns: Columns::new(schema, options.version),
            wanted: Wanted::new(wanted),
            slots,
            normaliser: Normaliser::new(options.clone()),
            parsed: RecordBuf::default(),
            read_at: ReadAt::new(now),
            names: indices.names(),
            indices,
        }
    }

    /// The names of the indices that rows have had so far.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds a row, or says why the record cannot be read.
    pub(crate) fn fill(&mut self, raw: &RawRecord<'_>, builder: &mut BlockBuilder) -> Result<Filled, String> {
        let origin = Origin { input: raw.input, ordinal: raw.ordinal };
        match raw.kind {
            RecordKind::CloudTrail => {
                let record = self.parsed.parse(raw.text);
                if let Some(error) = record.error() {
                    return Err(format!("{}: {error}", error.code()));
                }
                let head = self.columns.fill(&mut self.normaliser, &record, &self.read_at, builder);
                builder.end_row(RowInfo {
                    id: &head.id,
                    index: CLOUDTRAIL,
                    timestamp: head.timestamp,
                    origin,
                });
                Ok(Filled { time: head.is_dated.then_some(head.timestamp) })
            }
            RecordKind::Document | RecordKind::Other => {
                let document = parse_document(raw.text)?;
                let index = raw.index.map_or_else(|| index_of(&document), str::to_owned);
                let index = self.indices.number(&index, &mut self.names);
                let time = document_time(&document);
                self.wanted.walk(&document, &mut |at, value| builder.push(self.slots[at as usize], value));
                let id = document_id(raw, &document);
                let timestamp = time.unwrap_or_else(|| self.read_at.time());
                builder.end_row(RowInfo { id: &id, index, timestamp, origin });
                Ok(Filled { time })
            }
        }
    }
}

/// The document of a text.
pub(crate) fn parse_document(text: &[u8]) -> Result<Object, String> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err("HUNT002: the document is JSON, but not an object".to_owned()),
        Err(error) => Err(format!("HUNT001: the document is not valid JSON: {error}")),
    }
}

/// A document's `@timestamp`.
pub(crate) fn document_time(document: &Object) -> Option<Millis> {
    match document.get("@timestamp")? {
        Value::String(text) => ecs::date::parse(text).ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// A document's `_id`: what stands beside it or in it, else the event's own id, else a hash of its text.
pub(crate) fn document_id(raw: &RawRecord<'_>, document: &Object) -> String {
    if let Some(id) = raw.id {
        return id.to_owned();
    }
    let nested = document.get("event").and_then(|event| event.get("id"));
    let own = [document.get("_id"), document.get("event.id"), nested];
    match own.into_iter().flatten().find_map(Value::as_str).filter(|id| !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => format!("{:032x}", xxh3_128(raw.text)),
    }
}

/// Builds the document of a record: what an alert about it carries.
pub(crate) struct DocumentBuilder {
    normaliser: Normaliser,
    parsed: RecordBuf,
    read_at: ReadAt,
}

impl DocumentBuilder {
    pub(crate) fn new(options: &cloudtrail::Options, now: Millis) -> Self {
        Self {
            normaliser: Normaliser::new(options.clone()),
            parsed: RecordBuf::default(),
            read_at: ReadAt::new(now),
        }
    }

    /// The document with its `_id` and `_index`. An unreadable CloudTrail record has a document, too: it says so.
    pub(crate) fn build(&mut self, raw: &RawRecord<'_>) -> Result<Document, String> {
        match raw.kind {
            RecordKind::CloudTrail => {
                let record = self.parsed.parse(raw.text);
                let source = self.normaliser.document(&record, &self.read_at);
                let id = cloudtrail::event_id(&record).into_owned();
                Ok(Document { id, index: crate::CLOUDTRAIL_INDEX.to_owned(), source })
            }
            RecordKind::Document | RecordKind::Other => {
                let source = parse_document(raw.text)?;
                let index = raw.index.map_or_else(|| index_of(&source), str::to_owned);
                Ok(Document { id: document_id(raw, &source), index, source })
            }
        }
    }
}

/// A document as a search would give it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `_id`.
    pub id: String,
    /// `_index`.
    pub index: String,
    /// `_source`.
    pub source: Object,
}
