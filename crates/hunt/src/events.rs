//! Records and documents into the columns of a block: one thread's part of it.

use std::ops::Range;
use std::sync::Arc;

use block::{Block, BlockBuilder, Origin, RowInfo, Schema, Slot};
use cloudtrail::{Columns, Normaliser, ReadAt, RecordBuf};
use ecs::{Millis, Object, Wanted};
use reader::RecordKind;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::calls::{ALL, ByCall, Calls};
use crate::index::{CLOUDTRAIL, Indices, alert_id, index_of};
use crate::scan::RawRecord;

/// When a column is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// For every row whose call they have to do with: the filters' cheap columns.
    Early,
    /// For rows that pass them: the filters' costly columns.
    Late,
    /// For rows that match: what only the tails need.
    Tail,
}

/// Fills rows from whatever a record is, and keeps the records' texts to fill the later columns from.
pub(crate) struct RowFiller {
    early: Filling,
    /// The columns that the records of a call need.
    by_call: ByCall,
    late: Filling,
    tail: Filling,
    normaliser: Normaliser,
    parsed: RecordBuf,
    read_at: ReadAt,
    indices: Arc<Indices>,
    names: Vec<String>,
    texts: String,
    rows: Vec<KeptRow>,
    /// Rows that are alerts, ascending, and the rules that they come from.
    lineages: Vec<(u32, Vec<String>)>,
    /// Whether texts are kept: a column is filled later, or the caller asks for them.
    keeps_texts: bool,
    /// Whether they are kept of all rows.
    keeps_all: bool,
}

/// What the later phases must know of a row.
struct KeptRow {
    kind: RecordKind,
    text: Range<usize>,
    /// Which columns it needs.
    part: usize,
}

/// The columns of one phase.
struct Filling {
    columns: Columns,
    /// For documents that are ECS already.
    wanted: Wanted,
    slots: Vec<Slot>,
}

impl Filling {
    fn new(schema: &Schema, options: &cloudtrail::Options, picked: impl Fn(Slot) -> bool) -> Self {
        let slots: Vec<Slot> = schema.columns().map(|(slot, ..)| slot).filter(|slot| picked(*slot)).collect();
        let wanted = schema.columns().filter(|(slot, ..)| picked(*slot)).enumerate();
        Self {
            columns: Columns::of(schema, options.version, &picked),
            wanted: Wanted::new(wanted.map(|(at, (_, path, shape))| (at as u32, path, shape))),
            slots,
        }
    }
}

/// What is known of a record, whether or not it became a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    /// The event's time, if it has one.
    pub(crate) time: Option<Millis>,
}

impl RowFiller {
    /// `phase` says when each column is filled; `calls`, which columns matter at all. With none, all do.
    pub(crate) fn new(
        schema: &Schema,
        phase: impl Fn(Slot) -> Phase,
        options: &cloudtrail::Options,
        now: Millis,
        indices: Arc<Indices>,
        calls: Option<Arc<Calls>>,
    ) -> Self {
        let filling = |wanted| Filling::new(schema, options, |slot| phase(slot) == wanted);
        let (early, late, tail) = (filling(Phase::Early), filling(Phase::Late), filling(Phase::Tail));
        Self {
            by_call: ByCall::new(calls, early.columns.clone(), late.columns.clone(), tail.columns.clone()),
            keeps_all: false,
            early,
            keeps_texts: !(late.slots.is_empty() && tail.slots.is_empty()),
            late,
            tail,
            normaliser: Normaliser::new(options.clone()),
            parsed: RecordBuf::default(),
            read_at: ReadAt::new(now),
            names: indices.names(),
            indices,
            texts: String::new(),
            rows: Vec::new(),
            lineages: Vec::new(),
        }
    }

    /// Keeps the texts of the rows whether or not a column is filled later.
    pub(crate) fn keeping_texts(self) -> Self {
        Self { keeps_texts: true, ..self }
    }

    /// From now on keeps the texts of all rows, not only of those that are likely to be asked for, if it keeps any.
    pub(crate) fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// The names of the indices that rows have had so far.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Bytes of the texts that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.len()
    }

    /// The record of a row, if its text was kept.
    pub(crate) fn text(&self, row: u32) -> Option<(RecordKind, &str)> {
        let KeptRow { kind, text, .. } = self.rows.get(row as usize)?;
        (!text.is_empty()).then(|| (*kind, &self.texts[text.clone()]))
    }

    /// The rules that raised the row and the alerts it comes from, if it is an alert.
    pub(crate) fn lineage(&self, row: u32) -> &[String] {
        match self.lineages.binary_search_by_key(&row, |(row, _)| *row) {
            Ok(at) => &self.lineages[at].1,
            Err(_) => &[],
        }
    }

    /// Adds a row, unless no filter can match the record, or says why it cannot be read.
    pub(crate) fn fill(&mut self, raw: &RawRecord<'_>, builder: &mut BlockBuilder) -> Result<Filled, String> {
        let origin = Origin { input: raw.input, ordinal: raw.ordinal };
        let (mut keeps_text, keeps_all) = (self.keeps_texts, self.keeps_all);
        let mut part = ALL;
        let filled = match raw.kind {
            RecordKind::CloudTrail => {
                let record = self.parsed.parse_with(raw.text, raw.tokens);
                if let Some(error) = record.error() {
                    return Err(format!("{}: {error}", error.code()));
                }
                let (normaliser, by_call) = (&mut self.normaliser, &mut self.by_call);
                let mut needed = None;
                let head =
                    Columns::fill_by_call(normaliser, &record, &self.read_at, builder, |call, record| {
                        needed = by_call.of(call, record);
                        Some(&by_call.part(needed?).early)
                    });
                let filled = Filled { time: head.is_dated.then_some(head.timestamp) };
                let Some(needed) = needed else { return Ok(filled) };
                part = needed;
                keeps_text &= by_call.part(part).wants_text || keeps_all;
                builder.end_row(RowInfo {
                    id: &head.id,
                    index: CLOUDTRAIL,
                    timestamp: head.timestamp,
                    origin,
                });
                filled
            }
            RecordKind::Document => {
                let document = parse_document(raw.text)?;
                let index = raw.index.map_or_else(|| index_of(&document), str::to_owned);
                let index = self.indices.number(&index, &mut self.names);
                let time = document_time(&document);
                let early = &self.early;
                early.wanted.walk(&document, &mut |at, value| builder.push(early.slots[at as usize], value));
                let id = document_id(raw, &document);
                let lineage = detect::lineage(&document);
                if !lineage.is_empty() {
                    self.lineages.push((builder.rows() as u32, lineage));
                }
                let timestamp = time.unwrap_or_else(|| self.read_at.time());
                builder.end_row(RowInfo { id: &id, index, timestamp, origin });
                Filled { time }
            }
            RecordKind::Other => return Err(NEITHER.to_owned()),
        };
        if self.keeps_texts {
            let start = self.texts.len();
            if keeps_text {
                self.texts.push_str(raw.text);
            }
            self.rows.push(KeptRow { kind: raw.kind, text: start..self.texts.len(), part });
        }
        Ok(filled)
    }

    /// Fills the columns of a later phase for some rows, ascending, of the block that was filled.
    pub(crate) fn fill_later(
        &mut self,
        phase: Phase,
        rows: impl IntoIterator<Item = u32>,
        block: &mut Block,
    ) {
        let filling = match phase {
            Phase::Early => return,
            Phase::Late => &self.late,
            Phase::Tail => &self.tail,
        };
        for row in rows {
            let KeptRow { kind, text, part } = &self.rows[row as usize];
            let text = &self.texts[text.clone()];
            let part = self.by_call.part(*part);
            let columns = if phase == Phase::Late { &part.late } else { &part.tail };
            match kind {
                // No filter that a column matters to can match: the text need not even be there.
                RecordKind::CloudTrail if columns.is_empty() => {}
                RecordKind::CloudTrail => {
                    let record = self.parsed.parse_with(text, None);
                    columns.fill_late(&mut self.normaliser, &record, &self.read_at, block, row as usize);
                }
                RecordKind::Document | RecordKind::Other => {
                    let document = parse_document(text).unwrap_or_default();
                    filling.wanted.walk(&document, &mut |at, value| {
                        block.push_late(row as usize, filling.slots[at as usize], value);
                    });
                }
            }
        }
    }

    /// Forgets the texts of the block that was filled.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.rows.clear();
        self.lineages.clear();
    }
}

/// An object that this engine has no use for.
const NEITHER: &str =
    "HUNT003: neither a CloudTrail record nor an ECS document; `query --mapping` searches other documents";

/// The document of a text.
pub(crate) fn parse_document(text: &str) -> Result<Object, String> {
    match ecs::json::parse(text) {
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

/// A document's `_id`: what stands beside it or in it, else that of an alert, else the event's own id, else a hash of
/// its text.
pub(crate) fn document_id(raw: &RawRecord<'_>, document: &Object) -> String {
    if let Some(id) = raw.id {
        return id.to_owned();
    }
    let nested = document.get("event").and_then(|event| event.get("id"));
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let own = [text("_id"), alert_id(document), text("event.id"), nested.and_then(Value::as_str)];
    match own.into_iter().flatten().find(|id| !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => format!("{:032x}", xxh3_128(raw.text.as_bytes())),
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
        let normaliser = Normaliser::new(options.clone());
        Self { normaliser, parsed: RecordBuf::default(), read_at: ReadAt::new(now) }
    }

    /// The document with its `_id` and `_index`. An unreadable CloudTrail record has a document, too: it says so.
    pub(crate) fn build(&mut self, raw: &RawRecord<'_>) -> Result<Document, String> {
        match raw.kind {
            RecordKind::CloudTrail => {
                let record = self.parsed.parse_with(raw.text, raw.tokens);
                let source = self.normaliser.document(&record, &self.read_at);
                let id = cloudtrail::event_id(&record).into_owned();
                Ok(Document { id, index: rule::CLOUDTRAIL_INDEX.to_owned(), source })
            }
            RecordKind::Document => {
                let source = parse_document(raw.text)?;
                let index = raw.index.map_or_else(|| index_of(&source), str::to_owned);
                Ok(Document { id: document_id(raw, &source), index, source })
            }
            RecordKind::Other => Err(NEITHER.to_owned()),
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
