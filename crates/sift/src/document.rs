//! The document of a record.

use cloudtrail::{Fields, Normaliser, ReadAt, RecordBuf};
use ecs::{CLOUDTRAIL_INDEX, Millis, Object, TextDocument};

use crate::index::index_of;
use crate::record::{Kind, Record, Unreadable, document_id, parse_document};

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

/// Builds documents of records: what an alert about one carries.
pub struct DocumentBuilder {
    normaliser: Normaliser,
    parsed: RecordBuf,
    read_at: ReadAt,
}

impl DocumentBuilder {
    /// `now` is the time of reading.
    pub fn new(options: &cloudtrail::Options, now: Millis) -> Self {
        let normaliser = Normaliser::new(options.clone());
        Self { normaliser, parsed: RecordBuf::default(), read_at: ReadAt::new(now) }
    }

    /// The document with its `_id` and `_index`. An unreadable CloudTrail record has a document, too: it says so.
    pub fn build(&mut self, record: &Record<'_>) -> Result<Document, Unreadable> {
        match record.kind {
            Kind::CloudTrail => {
                let record = self.parsed.parse_with(record.text, record.tokens);
                let source = self.normaliser.document(&record, &self.read_at);
                let id = cloudtrail::event_id(&record).into_owned();
                Ok(Document { id, index: CLOUDTRAIL_INDEX.to_owned(), source })
            }
            Kind::Document => {
                let source = parse_document(record.text)?;
                let index =
                    record.index.filter(|it| !it.is_empty()).map_or_else(|| index_of(&source), str::to_owned);
                Ok(Document { id: document_id(record, &source), index, source })
            }
        }
    }

    /// Makes `document`, which is empty, that of a record of CloudTrail, of which it gets these fields. Says whether the
    /// record is one.
    pub fn text(&mut self, record: &Record<'_>, fields: &Fields, document: &mut TextDocument) -> bool {
        match record.kind {
            Kind::CloudTrail => {
                let record = self.parsed.parse_with(record.text, record.tokens);
                self.normaliser.text(&record, &self.read_at, fields, document);
                true
            }
            Kind::Document => false,
        }
    }
}
