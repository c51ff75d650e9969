//! What sources deliver, taken in by a process that runs all the time.
//!
//! [`Ingest`] holds the store open to write and remembers which events it has, so that a small batch costs little.
//! Deliveries that are taken together count together, with one commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ecs::Millis;
use reader::{Input, RecordKind};
use sift::Sift;

use crate::add::{Intake, Told, everything, taken_file};
use crate::catalog::{Batch, SegmentRow, SourceAccount, TakenFile};
use crate::known::Known;
use crate::letters::{LETTER_BYTES_MAX, LetGo, LetterChange, LetterContents, LetterLimits, NewLetter};
use crate::reading::{FileRead, Reading, TROUBLES_MAX, Why, read};
use crate::{Accounting, Store, StoreError, Trouble};

/// How an [`Ingest`] works.
#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Threads.
    pub threads: usize,
    /// Bytes of records that are held before they are written.
    pub batch_bytes: usize,
    /// What the store says took them in.
    pub engine: String,
    /// What may be kept of what cannot be read.
    pub letters: LetterLimits,
}

/// Whether a record of a document's index is wanted. Records of CloudTrail have none.
pub type Wants<'a> = dyn Fn(RecordKind, Option<&str>) -> bool + Sync + 'a;

/// Something that a source delivered: a file, or bytes as a file would hold them.
pub struct Delivery<'a> {
    /// The source, whose account it goes on.
    pub source: &'a str,
    /// What was delivered.
    pub input: Input,
    /// Which records are wanted: the others are dropped, and counted. All, if nothing is said.
    pub wants: Option<&'a Wants<'a>>,
    /// How many bytes of text it may hold at most, if that is less than [`IngestOptions::limits`] allows.
    pub text_max: Option<u64>,
    /// Whether the fate of each record is asked for.
    pub tells_fates: bool,
    /// Records that were delivered with it, and refused by whoever took them.
    pub refused: &'a [Refused],
    /// The dead letter whose contents it is, if it is one.
    pub replays: Option<u64>,
}

impl<'a> Delivery<'a> {
    /// All records of an input are wanted, and nobody asks for their fates.
    pub fn new(source: &'a str, input: Input) -> Self {
        Self { source, input, wants: None, text_max: None, tells_fates: false, refused: &[], replays: None }
    }

    /// Whether it is nothing but what was refused.
    fn is_hollow(&self) -> bool {
        self.input.size == 0 && !self.refused.is_empty()
    }
}

/// A record that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was delivered.
    pub text: String,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// What became of its records. What could not be read so far that it was a record counts as one that is unreadable.
    pub accounting: Accounting,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records.
    pub loss_count: u64,
    /// The records in order, if that was asked for.
    pub fates: Vec<RecordFate>,
    /// The number of the dead letter that keeps what could not be read.
    pub letter: Option<u64>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFate {
    /// Where the object that it is in begins.
    pub offset: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What may become of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is stored, under this `_id`.
    Stored {
        /// The `_id`.
        id: String,
    },
    /// It was there already.
    Duplicate {
        /// The `_id`.
        id: String,
    },
    /// It is not wanted.
    Dropped,
    /// Nothing can be made of it.
    Unreadable(Trouble),
}

/// A store that is being added to.
pub struct Ingest {
    store: Store,
    known: Known,
    sift: Sift,
    options: IngestOptions,
    let_go: Vec<LetGo>,
}

impl Ingest {
    /// Opens a store to write, or makes one. Nobody else can write to it as long as this is open.
    pub fn open(folder: &Path, options: IngestOptions) -> Result<Self, StoreError> {
        let store = Store::open_or_create(folder)?;
        Ok(Self { store, known: Known::default(), sift: everything(), options, let_go: Vec::new() })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store, for whoever changes it beside what is taken in. What was remembered of it is forgotten.
    pub fn store_mut(&mut self) -> &mut Store {
        self.known = Known::default();
        &mut self.store
    }

    /// Takes deliveries in as one batch: when it returns, all of it is on the disk for good. After an error nothing of it
    /// counts, and all of it can be delivered again.
    pub fn take(&mut self, deliveries: &[Delivery<'_>], now: Millis) -> Result<Vec<Delivered>, StoreError> {
        let taken = self.take_all(deliveries, now);
        if taken.is_err() {
            // It knows of events that count for nothing now: they would be taken for duplicates.
            self.known = Known::default();
        }
        taken
    }

    fn take_all(&mut self, deliveries: &[Delivery<'_>], now: Millis) -> Result<Vec<Delivered>, StoreError> {
        let numbered = deliveries.iter().zip(0_u32..);
        let numbered = numbered.map(|(it, id)| {
            let mut input = it.input.clone();
            input.id = id;
            input
        });
        let inputs: Vec<Input> = numbered.collect();
        // What a file is now is what was read of it, whatever it is when it was read: who writes to it meanwhile makes
        // another one of it, which is read again.
        let files: Vec<Option<TakenFile>> = inputs.iter().map(taken_file).collect();
        let wants = |input: &Input, record: &reader::Record<'_>| {
            let wants = deliveries[input.id as usize].wants;
            wants.is_none_or(|wants| wants(record.kind, record.index))
        };
        let reading = Reading {
            sift: &self.sift,
            limits: &self.options.limits,
            threads: self.options.threads,
            batch_bytes: self.options.batch_bytes,
            wants: &wants,
            text_max: &|input| deliveries[input.id as usize].text_max,
            tells_places: deliveries.iter().any(|it| it.tells_fates),
            keeps_lost: true,
            is_hollow: &|input| deliveries[input.id as usize].is_hollow(),
        };
        let now = self.store.ingestion_time(now)?;
        let mut intake = Intake::new(&self.store, &mut self.known, now, self.options.threads);
        intake.told = Some(Vec::new());
        let mut all: Vec<FileRead> = Vec::new();
        while all.len() < inputs.len() {
            let left: Vec<&Input> = inputs[all.len()..].iter().collect();
            let shared = Mutex::new(intake);
            let mut reads = read(&left, &reading, &shared, &|_| ());
            intake = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
            if let Some(error) = intake.failed.take() {
                return Err(error);
            }
            for its in &mut reads {
                intake.take(std::mem::take(&mut its.pieces.taken))?;
            }
            intake.write()?;
            all.extend(reads);
        }
        let told = intake.told.take().unwrap_or_default();
        let segments = intake.segments;
        let lost: Vec<Lost> = all.iter_mut().map(Lost::of).collect();
        let mut delivered = delivered(deliveries, all, told);
        let mut changes = Vec::new();
        for ((delivery, its), lost) in deliveries.iter().zip(&mut delivered).zip(lost) {
            changes.push(self.letter(delivery, its, lost)?);
        }
        // A file of which something was not read is told of again by whoever reads it again.
        let whole = files.into_iter().zip(&delivered).filter(|(_, it)| it.loss_count == 0);
        let taken: Vec<TakenFile> = whole.filter_map(|(file, _)| file).collect();
        self.commit(deliveries, &mut delivered, changes, &taken, &segments, now)?;
        Ok(delivered)
    }

    /// Keeps a delivery that cannot be read at all, whoever tried: it counts as one record that is unreadable.
    pub fn keep(
        &mut self,
        delivery: &Delivery<'_>,
        trouble: &Trouble,
        now: Millis,
    ) -> Result<Delivered, StoreError> {
        let now = self.store.ingestion_time(now)?;
        let accounting = Accounting { read: 1, unreadable: 1, ..Accounting::default() };
        let troubles = vec![trouble.clone()];
        let mut delivered =
            [Delivered { accounting, troubles, trouble_count: 1, loss_count: 1, ..Delivered::default() }];
        let change = self.letter(delivery, &mut delivered[0], Lost { records: None })?;
        self.commit(std::slice::from_ref(delivery), &mut delivered, vec![change], &[], &[], now)?;
        let [its] = delivered;
        Ok(its)
    }

    /// Bounds what is kept of what cannot be read, from the next batch on.
    pub fn bound(&mut self, letters: LetterLimits) {
        self.options.letters = letters;
    }

    /// Letters that had to go since this was asked last, because a bound was met.
    pub fn let_go(&mut self) -> Vec<LetGo> {
        std::mem::take(&mut self.let_go)
    }

    /// What is kept of what could not be read of a delivery. What was counted when a letter came is not counted again when
    /// it is replayed.
    fn letter(
        &self,
        delivery: &Delivery<'_>,
        its: &mut Delivered,
        lost: Lost,
    ) -> Result<Option<LetterChange>, StoreError> {
        let limits = self.options.letters;
        let letter = (its.accounting.unreadable > 0).then(|| {
            let contents = match lost.records {
                Some(mut records) => {
                    for it in delivery.refused {
                        records.push_str(&it.text);
                        records.push('\n');
                    }
                    (records.len() <= LETTER_BYTES_MAX)
                        .then(|| (LetterContents::Records, records.into_bytes()))
                }
                None => None,
            };
            let whole = || {
                let bytes = delivery.input.contents(LETTER_BYTES_MAX as u64).ok().flatten();
                bytes.map(|it| (LetterContents::Delivery, it))
            };
            let contents = contents.or_else(whole);
            let (name, unreadable) = (delivery.input.name(), its.accounting.unreadable);
            NewLetter::new(delivery.source, name, unreadable, &its.troubles, contents, limits)
        });
        let Some(id) = delivery.replays else { return Ok(letter.map(LetterChange::New)) };
        let before = match self.store.letter(id) {
            Ok(it) => it.records,
            Err(StoreError::NoLetter { .. }) => 0,
            Err(error) => return Err(error),
        };
        let Accounting { read, unreadable, .. } = &mut its.accounting;
        let again = (*unreadable).min(before);
        (*read, *unreadable) = (*read - again, *unreadable - again);
        Ok(Some(LetterChange::Replayed { id, left: letter }))
    }

    fn commit(
        &mut self,
        deliveries: &[Delivery<'_>],
        delivered: &mut [Delivered],
        changes: Vec<Option<LetterChange>>,
        taken: &[TakenFile],
        segments: &[SegmentRow],
        now: Millis,
    ) -> Result<(), StoreError> {
        let mut total = Accounting::default();
        for it in delivered.iter() {
            total.add(it.accounting);
        }
        let whose: Vec<usize> = (0..changes.len()).filter(|&at| changes[at].is_some()).collect();
        let letters: Vec<LetterChange> = changes.into_iter().flatten().collect();
        let done = self.store.catalog.commit(&Batch {
            at: now,
            engine: &self.options.engine,
            accounting: total,
            files: deliveries.len() as u64,
            taken,
            segments,
            sources: &accounts(deliveries, delivered, now),
            letters: Some((&letters, self.options.letters)),
        })?;
        for (at, id) in whose.into_iter().zip(done.ids) {
            delivered[at].letter = id;
        }
        self.let_go.extend(done.let_go);
        Ok(())
    }

    /// Ends: what was committed is put into the database's file itself.
    pub fn close(self) -> Result<(), StoreError> {
        self.store.catalog.settle()
    }
}

/// What was lost of a delivery.
struct Lost {
    /// The records, if that is all.
    records: Option<String>,
}

impl Lost {
    fn of(its: &mut FileRead) -> Self {
        let records = its.lost.take();
        Self { records: records.filter(|_| its.unread() == 0) }
    }
}

/// What became of each delivery.
fn delivered(deliveries: &[Delivery<'_>], reads: Vec<FileRead>, mut told: Vec<Told>) -> Vec<Delivered> {
    told.sort_unstable();
    let mut told = told.into_iter().peekable();
    let mut all = Vec::new();
    for ((delivery, its), input) in deliveries.iter().zip(reads).zip(0_u32..) {
        let (unread, refused) = (its.unread(), delivery.refused.len() as u64);
        let mut accounting = Accounting {
            read: its.records + unread + refused,
            unreadable: its.unreadable + unread + refused,
            dropped: its.dropped,
            ..Accounting::default()
        };
        let mut kept: BTreeMap<u64, Told> = BTreeMap::new();
        while let Some(it) = told.next_if(|it| it.origin.input == input) {
            let count = if it.is_duplicate { &mut accounting.duplicate } else { &mut accounting.stored };
            *count += 1;
            if delivery.tells_fates {
                kept.insert(it.origin.ordinal, it);
            }
        }
        let mut fates = Vec::new();
        for place in its.places.into_iter().filter(|_| delivery.tells_fates) {
            let fate = match (place.left_out, kept.remove(&place.ordinal)) {
                (Some(Why::Unwanted), _) => Fate::Dropped,
                (Some(Why::Unreadable(trouble)), _) => Fate::Unreadable(trouble),
                (None, Some(Told { id, is_duplicate: false, .. })) => Fate::Stored { id },
                (None, Some(Told { id, is_duplicate: true, .. })) => Fate::Duplicate { id },
                (None, None) => unreachable!("the pass gives every record that was pushed"),
            };
            fates.push(RecordFate { offset: place.offset, fate });
        }
        let mut troubles: Vec<Trouble> = delivery.refused.iter().map(|it| it.trouble.clone()).collect();
        troubles.extend(its.troubles);
        troubles.truncate(TROUBLES_MAX);
        all.push(Delivered {
            accounting,
            troubles,
            trouble_count: its.trouble_count + refused,
            loss_count: its.losses + its.broken + refused,
            fates,
            letter: None,
        });
    }
    all
}

/// What is added to the accounts of the sources.
fn accounts(deliveries: &[Delivery<'_>], delivered: &[Delivered], now: Millis) -> Vec<SourceAccount> {
    let mut accounts: BTreeMap<&str, SourceAccount> = BTreeMap::new();
    for (delivery, its) in deliveries.iter().zip(delivered) {
        let account = accounts.entry(delivery.source).or_insert_with(|| SourceAccount {
            name: delivery.source.to_owned(),
            last_ms: now,
            ..SourceAccount::default()
        });
        account.accounting.add(its.accounting);
        if delivery.replays.is_none() {
            account.deliveries += 1;
            account.bytes += delivery.input.size;
        }
    }
    accounts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = 1_772_500_000_000;

    fn options() -> IngestOptions {
        let limits = reader::Limits::default();
        let letters = LetterLimits::default();
        IngestOptions { limits, threads: 2, batch_bytes: 1 << 20, engine: "test".to_owned(), letters }
    }

    fn record(id: &str, day: u32) -> String {
        format!(
            "{{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-0{day}T10:00:00Z\",\"eventSource\":\"ec2.amazonaws.com\",\
             \"eventName\":\"RunInstances\",\"awsRegion\":\"eu-west-1\",\"eventID\":\"{id}\",\"eventType\":\"AwsApiCall\"}}\n"
        )
    }

    fn delivery<'a>(source: &'a str, text: &str) -> Delivery<'a> {
        let input = Input::memory(0, source, Arc::new(text.as_bytes().to_vec()));
        Delivery { tells_fates: true, ..Delivery::new(source, input) }
    }

    fn whole(it: Accounting) -> bool {
        it.read == it.stored + it.duplicate + it.unreadable + it.dropped
    }

    fn events(store: &Store) -> u64 {
        store.overview().unwrap().days.iter().map(|it| it.events).sum()
    }

    #[test]
    fn records_are_told_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut ingest = Ingest::open(folder.path(), options()).unwrap();
        let hit = |id: &str, index: &str| {
            format!(
                "{{\"_id\":\"{id}\",\"_index\":\"{index}\",\"_source\":{{\"@timestamp\":\"2026-03-04T11:00:00Z\",\
                 \"event\":{{\"action\":\"StopLogging\"}}}}}}\n"
            )
        };
        let lines = [
            record("a", 1),
            hit("one", "logs-other"),
            record("a", 1),
            "{\"colour\":\"red\"}\n".to_owned(),
            hit("two", "logs-aws.cloudtrail-default"),
            record("b", 2),
        ];
        let wants = |kind: RecordKind, index: Option<&str>| {
            kind == RecordKind::CloudTrail || index != Some("logs-other")
        };
        let of = Delivery { wants: Some(&wants), ..delivery("http", &lines.concat()) };
        let [its] = ingest.take(&[of], NOW).unwrap().try_into().unwrap();
        let offsets: Vec<u64> =
            lines.iter().scan(0, |at, it| Some(std::mem::replace(at, *at + it.len() as u64))).collect();
        let fates: Vec<(u64, Fate)> = its.fates.into_iter().map(|it| (it.offset, it.fate)).collect();
        assert_eq!(fates.iter().map(|it| it.0).collect::<Vec<_>>(), offsets);
        let stored = |id: &str| Fate::Stored { id: id.to_owned() };
        assert_eq!(fates[0].1, stored("a"));
        assert_eq!(fates[1].1, Fate::Dropped);
        assert_eq!(fates[2].1, Fate::Duplicate { id: "a".to_owned() });
        assert!(matches!(&fates[3].1, Fate::Unreadable(it) if it.code == "STORE009"), "{fates:?}");
        assert_eq!(fates[4].1, stored("two"));
        assert_eq!(fates[5].1, stored("b"));
        assert_eq!(
            its.accounting,
            Accounting { read: 6, stored: 3, duplicate: 1, unreadable: 1, dropped: 1 }
        );
        assert_eq!((its.loss_count, its.trouble_count), (1, 1));
    }

    #[test]
    fn what_is_no_record_at_all_is_on_the_account() {
        let folder = tempfile::tempdir().unwrap();
        let mut ingest = Ingest::open(folder.path(), options()).unwrap();
        let text =
            record("a", 1) + "{\"eventVersion\":\"1.08\",\"eventName\": nope}\n" + &record("b", 1)[..90];
        let [its] = ingest.take(&[delivery("http", &text)], NOW).unwrap().try_into().unwrap();
        assert!(whole(its.accounting), "{its:?}");
        // A record that is broken inside is kept as it is, as `store add` keeps it.
        assert_eq!((its.accounting.stored, its.accounting.unreadable), (2, 1), "{its:?}");
    }

    /// The folder where segments are written is gone when the second batch comes, and is there again for the third.
    #[test]
    fn what_was_not_committed_is_no_duplicate_later() {
        let folder = tempfile::tempdir().unwrap();
        let mut ingest = Ingest::open(folder.path(), options()).unwrap();
        ingest.take(&[delivery("http", &record("a", 1))], NOW).unwrap();
        let incoming = folder.path().join("incoming");
        fs::remove_dir_all(&incoming).unwrap();
        let more = record("a", 1) + &record("b", 1) + &record("c", 2);
        let error = ingest.take(&[delivery("http", &more)], NOW).unwrap_err();
        assert_eq!(error.code(), "STORE005");
        assert_eq!(events(ingest.store()), 1);
        fs::create_dir(&incoming).unwrap();
        let [its] = ingest.take(&[delivery("http", &more)], NOW).unwrap().try_into().unwrap();
        assert_eq!((its.accounting.stored, its.accounting.duplicate), (2, 1));
        assert!(ingest.store().check(&|_| ()).unwrap().wrong.is_empty());
    }

    #[test]
    fn files_of_a_source_are_known_again_and_those_with_losses_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.json"), folder.path().join("bad.json"));
        fs::write(&good, record("a", 1)).unwrap();
        fs::write(&bad, record("b", 1) + "{\"colour\":\"red\"}").unwrap();
        let kept = folder.path().join("kept");
        let mut ingest = Ingest::open(&kept, options()).unwrap();
        let inputs = [Input::file(0, &good).unwrap(), Input::file(0, &bad).unwrap()];
        let all: Vec<Delivery<'_>> = inputs.iter().map(|it| Delivery::new("files", it.clone())).collect();
        ingest.take(&all, NOW).unwrap();
        assert!(
            ingest.store().has_taken(&inputs[0]).unwrap() && !ingest.store().has_taken(&inputs[1]).unwrap()
        );
        ingest.close().unwrap();
        let ingest = Ingest::open(&kept, options()).unwrap();
        assert!(ingest.store().has_taken(&inputs[0]).unwrap());
        fs::write(&good, record("a", 1) + &record("c", 1)).unwrap();
        assert!(!ingest.store().has_taken(&Input::file(0, &good).unwrap()).unwrap());
    }

    #[test]
    fn every_batch_is_later_than_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut ingest = Ingest::open(folder.path(), options()).unwrap();
        for (id, now) in [("a", NOW), ("b", NOW), ("c", NOW - 3_600_000), ("d", NOW + 7)] {
            ingest.take(&[delivery("http", &record(id, 1))], now).unwrap();
        }
        assert_eq!(ingest.store().catalog.last_batch().unwrap(), Some(NOW + 7));
        assert_eq!(ingest.store().ingestion_time(NOW).unwrap(), NOW + 8);
    }

    /// What a generated delivery holds.
    #[derive(Clone, Debug)]
    enum Line {
        Record(u8),
        Stranger,
        Unwanted(u8),
    }

    fn line() -> impl Strategy<Value = Line> {
        prop_oneof![
            6 => (0..40_u8).prop_map(Line::Record),
            1 => Just(Line::Stranger),
            1 => (0..8_u8).prop_map(Line::Unwanted),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever comes, in whatever batches, with failures in between: each account holds, each event is there once.
        #[test]
        fn accounts_hold(
            batches in prop::collection::vec((prop::collection::vec(prop::collection::vec(line(), 1..6), 1..4), prop::bool::weighted(0.2)), 1..8),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut ingest = Ingest::open(folder.path(), options()).unwrap();
            let incoming = folder.path().join("incoming");
            let mut seen = std::collections::BTreeSet::new();
            let mut expected: BTreeMap<&str, Accounting> = BTreeMap::new();
            let wants = |kind: RecordKind, _: Option<&str>| kind == RecordKind::CloudTrail;
            for (batch, fails) in &batches {
                let texts: Vec<String> = batch.iter().map(|lines| lines.iter().map(|it| match it {
                    Line::Record(id) => record(&format!("e-{id}"), 1 + u32::from(id % 3)),
                    Line::Stranger => "{\"colour\":\"red\"}\n".to_owned(),
                    Line::Unwanted(id) => format!("{{\"_id\":\"{id}\",\"_source\":{{\"event\":{{\"action\":\"x\"}}}}}}\n"),
                }).collect()).collect();
                let names = ["one", "two", "one"];
                let deliveries: Vec<Delivery<'_>> = texts.iter().zip(names)
                    .map(|(text, name)| Delivery { wants: Some(&wants), ..delivery(name, text) }).collect();
                if *fails {
                    fs::remove_dir_all(&incoming).unwrap();
                    let taken = ingest.take(&deliveries, NOW);
                    fs::create_dir(&incoming).unwrap();
                    if taken.is_err() {
                        continue;
                    }
                    // There was nothing to write.
                }
                let taken = if *fails { Vec::new() } else { ingest.take(&deliveries, NOW).unwrap() };
                for it in &taken {
                    prop_assert!(whole(it.accounting), "{:?}", it);
                    let fates = it.fates.iter().filter(|it| matches!(it.fate, Fate::Stored { .. })).count();
                    prop_assert_eq!(fates as u64, it.accounting.stored);
                }
                for (lines, name) in batch.iter().zip(names) {
                    let its = expected.entry(name).or_default();
                    for line in lines {
                        its.read += 1;
                        match line {
                            Line::Record(id) if seen.insert(*id) => its.stored += 1,
                            Line::Record(_) => its.duplicate += 1,
                            Line::Stranger => its.unreadable += 1,
                            Line::Unwanted(_) => its.dropped += 1,
                        }
                    }
                }
            }
            let found: BTreeMap<String, Accounting> =
                ingest.store().sources().unwrap().into_iter().map(|it| (it.name, it.accounting)).collect();
            let expected: BTreeMap<String, Accounting> = expected.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(events(ingest.store()), seen.len() as u64);
            prop_assert_eq!(ingest.store().check(&|_| ()).unwrap().wrong, Vec::<String>::new());
        }
    }
}
