//! Records and documents into the columns of a block: one thread's part of it.

use std::ops::Range;
use std::sync::Arc;

use block::{Block, BlockBuilder, Ordinal, RowInfo, Schema, Slot};
use cloudtrail::{Columns, Normaliser, ReadAt, RecordBuf};
use ecs::{Millis, Wanted};

use crate::calls::{ALL, ByCall, Needed};
use crate::counts::LeftOut;
use crate::index::{CLOUDTRAIL, Indices, Names, index_of};
use crate::record::{Built, Kind, Record, Unreadable, document_id, parse_document};
use crate::sifting::Sift;
use crate::stash::{Habit, Stash};

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
    pub(crate) by_call: ByCall,
    late: Filling,
    tail: Filling,
    normaliser: Normaliser,
    parsed: RecordBuf,
    pub(crate) read_at: ReadAt,
    indices: Arc<Indices>,
    names: Names,
    texts: String,
    pub(crate) rows: Vec<KeptRow>,
    /// Room for the ordinals of stored texts.
    pub(crate) known: Vec<Ordinal>,
    /// Later values that were taken at once, and for each part how often they are asked for.
    stash: Stash,
    habits: Vec<[Habit; 2]>,
    /// Rows that are alerts, ascending, and the rules that they come from.
    lineages: Vec<(u32, Vec<String>)>,
    /// Rows that are documents without any field that was asked for, ascending.
    blind: Vec<u32>,
    /// Whether texts are kept: a column is filled later, or the caller asks for them.
    keeps_texts: bool,
    /// Whether they are kept of all rows.
    keeps_all: bool,
}

/// What the later phases must know of a row.
pub(crate) struct KeptRow {
    pub(crate) kind: Kind,
    pub(crate) text: Range<usize>,
    /// Which columns it needs.
    pub(crate) part: usize,
    /// Where its late and its tail's values are, if they were taken at once.
    pub(crate) stashed: [Option<Range<usize>>; 2],
}

/// The place of a later phase among the two.
const LATE: usize = 0;
const TAIL: usize = 1;

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
    /// The number of its index.
    pub(crate) index: u32,
    /// Whether some filter may match it.
    pub(crate) has_row: bool,
}

impl RowFiller {
    /// Fills rows for all filters.
    pub(crate) fn new(sift: &Sift) -> Self {
        let options = &sift.settings.normalise;
        let filling =
            |wanted| Filling::new(&sift.schema, options, |slot| sift.phases[slot.index()] == wanted);
        let (early, late, tail) = (filling(Phase::Early), filling(Phase::Late), filling(Phase::Tail));
        let is_filled_later = !(late.slots.is_empty() && tail.slots.is_empty());
        let (calls, wants_texts) = (sift.calls.clone(), sift.settings.wants_texts);
        Self {
            by_call: ByCall::new(calls, early.columns.clone(), late.columns.clone(), tail.columns.clone()),
            early,
            late,
            tail,
            normaliser: Normaliser::new(options.clone()),
            parsed: RecordBuf::default(),
            read_at: ReadAt::new(sift.settings.now),
            names: sift.indices.names(),
            indices: Arc::clone(&sift.indices),
            texts: String::new(),
            rows: Vec::new(),
            known: Vec::new(),
            stash: Stash::default(),
            habits: Vec::new(),
            lineages: Vec::new(),
            blind: Vec::new(),
            // Where records are skipped few rows are left, and their texts cost little.
            keeps_texts: is_filled_later
                || sift.stored.is_some()
                || wants_texts && (sift.skips() || sift.is_everything()),
            keeps_all: wants_texts && sift.is_everything(),
        }
    }

    /// From now on keeps the texts of all rows, not only of those that are likely to be asked for, if it keeps any.
    pub(crate) fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// Whether there are columns that only some rows need.
    pub(crate) fn has_late(&self) -> bool {
        !self.late.slots.is_empty()
    }

    /// The names of the indices that rows have had so far.
    pub(crate) fn names(&self) -> &[String] {
        self.names.all()
    }

    /// Bytes of the texts and values that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.len() + self.stash.bytes()
    }

    #[cfg(test)]
    pub(crate) fn stashed(&self) -> usize {
        self.stash.bytes()
    }

    /// The record of a row, if its text was kept.
    pub(crate) fn text(&self, row: u32) -> Option<(Kind, &str)> {
        let KeptRow { kind, text, .. } = self.rows.get(row as usize)?;
        (!text.is_empty()).then(|| (*kind, &self.texts[text.clone()]))
    }

    /// Rows that are documents without any field that was asked for.
    pub(crate) fn blind(&self) -> &[u32] {
        &self.blind
    }

    /// The rules that raised the row and the alerts it comes from, if it is an alert.
    pub(crate) fn lineage(&self, row: u32) -> &[String] {
        match self.lineages.binary_search_by_key(&row, |(row, _)| *row) {
            Ok(at) => &self.lineages[at].1,
            Err(_) => &[],
        }
    }

    /// Adds a row, unless no filter can match the record, or says why it cannot be read.
    pub(crate) fn fill(
        &mut self,
        record: &Record<'_>,
        builder: &mut BlockBuilder,
        left_out: &mut LeftOut,
    ) -> Result<Filled, Unreadable> {
        let Record { origin, kind, text, tokens, .. } = *record;
        let (mut keeps_text, mut part) = (self.keeps_texts, ALL);
        let mut stashed = [None, None];
        let (time, index) = match kind {
            Kind::CloudTrail => {
                let parsed = self.parsed.parse_with(text, tokens);
                if let Some(error) = parsed.error() {
                    return Err(error.clone().into());
                }
                let mut event = self.normaliser.event(&parsed, &self.read_at);
                let (call, time) = (event.call(), event.time());
                part = match self.by_call.of(call, &mut event) {
                    Needed::Part(part) => part,
                    Needed::Hopeless => {
                        left_out.hopeless += 1;
                        return Ok(Filled { time, index: CLOUDTRAIL, has_row: false });
                    }
                    Needed::Guarded => {
                        left_out.guarded += 1;
                        return Ok(Filled { time, index: CLOUDTRAIL, has_row: false });
                    }
                };
                left_out.empty_columns += self.by_call.part(part).empty;
                let habits = self.habits.get(part);
                let part = self.by_call.part(part);
                event.fill(&part.early, builder);
                if let Some(habits) = habits {
                    for (at, columns) in [&part.late, &part.tail].into_iter().enumerate() {
                        let is_taken = habits[at].is_usual() && !columns.is_empty();
                        stashed[at] = is_taken.then(|| self.stash.take(columns, &mut event));
                    }
                }
                keeps_text &= part.wants_text || self.keeps_all;
                let head = event.head();
                builder.end_row(RowInfo {
                    id: &head.id,
                    index: CLOUDTRAIL,
                    timestamp: head.timestamp,
                    origin,
                });
                (time, CLOUDTRAIL)
            }
            Kind::Document => {
                let document = parse_document(text)?;
                let given = record.index.filter(|it| !it.is_empty());
                let index = given.map_or_else(|| index_of(&document), str::to_owned);
                let index = self.indices.number(&index, &mut self.names)?;
                let time = ecs::document::timestamp(&document);
                let early = &self.early;
                let mut is_blind = true;
                early.wanted.walk(&document, &mut |at, value| {
                    is_blind = false;
                    builder.push(early.slots[at as usize], value);
                });
                for later in [&self.late, &self.tail] {
                    if is_blind {
                        later.wanted.walk(&document, &mut |_, _| is_blind = false);
                    }
                }
                if is_blind {
                    self.blind.push(builder.rows() as u32);
                }
                let id = document_id(record, &document);
                let lineage = ecs::alert::lineage(&document);
                if !lineage.is_empty() {
                    self.lineages.push((builder.rows() as u32, lineage));
                }
                let timestamp = time.unwrap_or_else(|| self.read_at.time());
                builder.end_row(RowInfo { id: &id, index, timestamp, origin });
                (time, index)
            }
        };
        if self.keeps_texts {
            let start = self.texts.len();
            if keeps_text {
                self.texts.push_str(text);
            }
            self.rows.push(KeptRow { kind, text: start..self.texts.len(), part, stashed });
        }
        Ok(Filled { time, index, has_row: true })
    }

    /// Whether a later phase has a use for the text of a row, and it is not there.
    pub(crate) fn lacks_text(&self, row: u32, phase: Phase) -> bool {
        let Some(KeptRow { text, part, .. }) = self.rows.get(row as usize) else { return false };
        let part = self.by_call.part(*part);
        let columns = match phase {
            Phase::Early => &part.early,
            Phase::Late => &part.late,
            Phase::Tail => &part.tail,
        };
        text.is_empty() && !columns.is_empty()
    }

    /// Gives a row its text.
    pub(crate) fn attach(&mut self, row: u32, text: &str) {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.rows[row as usize].text = start..self.texts.len();
    }

    /// Adds a row of a document that was built here.
    pub(crate) fn fill_built(
        &mut self,
        built: &Built<'_>,
        builder: &mut BlockBuilder,
    ) -> Result<(), Unreadable> {
        let Built { origin, id, index, timestamp, fields } = *built;
        let index = self.indices.number(index, &mut self.names)?;
        let early = &self.early;
        early.wanted.walk_fields(fields.iter(), &mut |at, value| {
            builder.push(early.slots[at as usize], value);
        });
        let lineage = ecs::alert::lineage_of(|key| fields.get(key));
        if !lineage.is_empty() {
            self.lineages.push((builder.rows() as u32, lineage));
        }
        builder.end_row(RowInfo { id, index, timestamp, origin });
        Ok(())
    }

    /// Fills the columns of a later phase for some rows, ascending, of the block that was filled. Says for how many
    /// there was something to fill.
    pub(crate) fn fill_later(
        &mut self,
        phase: Phase,
        rows: impl IntoIterator<Item = u32>,
        block: &mut Block,
    ) -> u64 {
        let (filling, place) = match phase {
            Phase::Early => return 0,
            Phase::Late => (&self.late, LATE),
            Phase::Tail => (&self.tail, TAIL),
        };
        for KeptRow { part, .. } in &self.rows {
            if self.habits.len() <= *part {
                self.habits.resize(part + 1, [Habit::default(); 2]);
            }
            self.habits[*part][place].saw_row();
        }
        let mut filled = 0;
        for row in rows {
            let KeptRow { kind, text, part, stashed } = &self.rows[row as usize];
            let text = &self.texts[text.clone()];
            let habit = &mut self.habits[*part][place];
            let part = self.by_call.part(*part);
            let columns = if phase == Phase::Late { &part.late } else { &part.tail };
            match kind {
                // No filter that a column matters to can match: the text need not even be there.
                Kind::CloudTrail if columns.is_empty() => continue,
                Kind::CloudTrail if stashed[place].is_some() => {
                    self.stash.put(stashed[place].clone().unwrap_or_default(), row as usize, block);
                }
                Kind::CloudTrail => {
                    let record = self.parsed.parse_with(text, None);
                    self.normaliser.event(&record, &self.read_at).fill_late(columns, block, row as usize);
                }
                Kind::Document => {
                    let document = parse_document(text).unwrap_or_default();
                    filling.wanted.walk(&document, &mut |at, value| {
                        block.push_late(row as usize, filling.slots[at as usize], value);
                    });
                }
            }
            habit.saw_filled();
            filled += 1;
        }
        filled
    }

    /// Forgets the texts of the block that was filled.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.stash.clear();
        self.rows.clear();
        self.lineages.clear();
        self.blind.clear();
    }
}
