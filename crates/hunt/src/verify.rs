//! What could not have been seen: one pass that reads everything, takes the hash of every file on the way, and counts the
//! records of each account, region and hour.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::Read;

use block::{Ordinal, Slot};
use complete::{
    Digest, DigestCheck, DigestError, DigestFile, FileFact, Gaps, Hours, Keys, Sha256, StoredSignature,
};
use ecs::{Millis, Shape};
use reader::{Cause, Delivery, Discovery, FileText, Input, Problem, S3Key};
use sift::{Policy, Seen, Sift, Sifted, Sink};

use crate::copies::Deliveries;
use crate::evidence::Evidence;
use crate::progress::{Progress, Stage};
use crate::pushing::{Pushing, Takes};
use crate::run::{HuntError, HuntOptions};
use crate::scan::{Which, scan};
use crate::trouble::{Trouble, Troubles};
use crate::watch::{self, Blind, Watch};

const RECIPIENT: usize = 0;
const ACCOUNT: usize = 1;
const REGION: usize = 2;
const ACTION: usize = 3;
/// What is wanted of every event.
const COLUMNS: [&str; 4] =
    ["aws.cloudtrail.recipient_account_id", "cloud.account.id", "cloud.region", "event.action"];

const HOUR_MS: Millis = 3_600_000;

/// What could not have been seen.
#[derive(Debug)]
pub struct Verified {
    /// Files against the digest files of their trails.
    pub digests: DigestCheck,
    /// When trails did not record.
    pub blind: Blind,
    /// For each blind range the records of its account that are here all the same, in whole hours.
    pub meanwhile: Vec<u64>,
    /// Times without records.
    pub gaps: Gaps,
    /// What was read.
    pub read: Accounting,
}

/// What became of everything that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    /// Files that were read.
    pub files: u64,
    /// Files in folders that hold no records by their name.
    pub skipped: u64,
    /// Members of archives that hold no records by their name.
    pub skipped_members: u64,
    /// Events, each once.
    pub events: u64,
    /// Further deliveries of them.
    pub duplicates: u64,
    /// Records that are no events: digest files.
    pub others: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Events without a time of their own.
    pub undated: u64,
    /// The times of the first and last event.
    pub span: Option<(Millis, Millis)>,
    /// Bytes of the files,
    pub read_bytes: u64,
    /// and of text in them.
    pub text_bytes: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// how much there is,
    pub trouble_count: u64,
    /// and how much of it may have cost records.
    pub loss_count: u64,
    /// What else the user should know of the paths.
    pub notices: Vec<String>,
}

/// Reads everything once. Of the options those count that say what is read and how; rules have no part in it. Told is what
/// is about the times of `range`; the rhythm of accounts and the links of digests are those of all that is here.
pub fn verify(
    options: &HuntOptions,
    keys: &Keys,
    range: complete::Range,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<Verified, HuntError> {
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    let columns = COLUMNS.map(|path| (path.to_owned(), Shape::Leaf)).to_vec();
    let sift = Sift::new(vec![watch::filter()], Policy::Everything { columns }, options.settings());
    let read = reader::Options { limits: options.limits.clone(), hashes: true, ..reader::Options::default() };
    progress.enter(Stage::Scanning);
    let make = || Pushing::new(sift.worker(), Taking::default());
    let (visitors, totals) = scan(&Which::All(&discovery.inputs), &read, options.threads, progress, make);
    progress.enter(Stage::Executing);
    let mut troubles = Troubles::of_paths(&discovery.failures);
    let (mut seen, mut foreign) = (Seen::default(), 0);
    let mut taken = Taking::default();
    for visitor in visitors {
        troubles.merge(visitor.troubles);
        seen.merge(visitor.worker.seen());
        foreign += visitor.foreign;
        taken.merge(visitor.taking);
    }
    let Taking { hours, deliveries, events, others, mut watch, texts } = taken;
    let digests = Texts::new(texts, &discovery.inputs).check(keys, range);
    let evidence =
        Evidence::new(watch.origins().into_iter(), Vec::new(), discovery.inputs.clone(), options, read);
    let blind = watch.finish(&evidence, &options.normalise, options.now);
    let end = seen.span.map_or(Millis::MAX, |(_, last)| last);
    let meanwhile = |it: &complete::BlindRange| {
        hours.between(&it.subject.account, it.from, it.to.unwrap_or(end.saturating_add(HOUR_MS)))
    };
    let mut blind = blind;
    blind.ranges.retain(|it| range.meets(it.from, it.to.unwrap_or(Millis::MAX)));
    let meanwhile = blind.ranges.iter().map(meanwhile).collect();
    let mut gaps = complete::gaps(&hours);
    gaps.gaps.retain(|it| range.meets(it.from, it.to));
    let name = |input: u32| discovery.inputs.get(input as usize).map_or("", Input::name).to_owned();
    let duplicates = deliveries.copies();
    let loss_count = troubles.losses();
    let (troubles, trouble_count) = troubles.finish(name);
    Ok(Verified {
        digests,
        blind,
        meanwhile,
        gaps,
        read: Accounting {
            files: discovery.inputs.len() as u64,
            skipped: discovery.skipped,
            skipped_members: totals.skipped_members,
            events: events - duplicates,
            duplicates,
            others,
            unreadable: seen.counts.unreadable + foreign,
            undated: seen.undated,
            span: seen.span,
            read_bytes: totals.read_bytes,
            text_bytes: totals.text_bytes,
            troubles,
            trouble_count,
            loss_count,
            notices: discovery.notices.iter().map(ToString::to_string).collect(),
        },
    })
}

/// What one thread saw of the events.
#[derive(Default)]
struct Taking {
    hours: Hours,
    deliveries: Deliveries,
    events: u64,
    others: u64,
    watch: Watch,
    texts: Vec<Text>,
}

impl Takes for Taking {
    fn expects(&self, problem: &Problem) -> bool {
        // What lies beside digest files is made use of.
        matches!(&problem.cause, Cause::Other { other, .. } if other.is_of_digests())
    }

    fn text(&mut self, input: u32, text: &FileText<'_>) {
        self.texts.push(Text::new(input, text));
    }
}

impl Taking {
    fn merge(&mut self, other: Self) {
        self.hours.merge(other.hours);
        self.deliveries.merge(other.deliveries);
        self.events += other.events;
        self.others += other.others;
        self.watch.merge(other.watch);
        self.texts.extend(other.texts);
    }
}

impl Sink for Taking {
    fn take(&mut self, sifted: &Sifted<'_>) {
        let slots: &[Slot] = sifted.columns();
        // The values of a block are numbers: they become texts once for each hour.
        let mut hours: BTreeMap<(Option<Ordinal>, bool, Option<Ordinal>, Millis), u64> = BTreeMap::new();
        for event in sifted.events() {
            let first = |column: usize| sifted.row(slots[column], &event).first().copied();
            if first(ACTION).is_none() {
                self.others += 1;
                continue;
            }
            self.events += 1;
            let index = sifted.indices().get(event.index as usize).map_or("", String::as_str);
            self.deliveries.add(index, event.id);
            if event.filters().next().is_some() {
                self.watch.take(&event);
            }
            let recipient = first(RECIPIENT);
            let account = recipient.or_else(|| first(ACCOUNT));
            let hour = event.timestamp.div_euclid(HOUR_MS);
            *hours.entry((account, recipient.is_some(), first(REGION), hour)).or_default() += 1;
        }
        for ((account, is_recipient, region, hour), records) in hours {
            let text = |column: usize, ordinal: Option<Ordinal>| {
                let column = sifted.column(slots[column]);
                ordinal.map_or(String::new(), |it| column.value(it).text().into_owned())
            };
            let account = text(if is_recipient { RECIPIENT } else { ACCOUNT }, account);
            self.hours.add(&account, &text(REGION, region), hour * HOUR_MS, records);
        }
    }
}

/// A text that was read.
struct Text {
    input: u32,
    member: Option<String>,
    hash: Option<Sha256>,
    is: TextIs,
}

enum TextIs {
    /// Records, or anything else.
    Any,
    Digest(Box<Digest>),
    /// It is called a digest file, and is none.
    Broken(String),
    Signature(String, Option<String>),
}

impl Text {
    fn new(input: u32, text: &FileText<'_>) -> Self {
        let is = match text.kept {
            None => TextIs::Any,
            Some(kept) => match (Digest::parse(kept), complete::signature_in(kept)) {
                (Ok(digest), _) => TextIs::Digest(Box::new(digest)),
                (Err(_), Some((signature, algorithm))) => TextIs::Signature(signature, algorithm),
                (Err(error), None) => TextIs::Broken(format!("{} {error}", error.code())),
            },
        };
        Self { input, member: text.member.map(str::to_owned), hash: text.sha256.map(Sha256), is }
    }
}

/// All texts, by what they are.
#[derive(Default)]
struct Texts {
    digests: Vec<DigestFile>,
    broken: Vec<(String, String)>,
    signatures: Vec<StoredSignature>,
    files: Vec<FileFact>,
}

impl Texts {
    fn new(texts: Vec<Text>, inputs: &[Input]) -> Self {
        let mut all = Self::default();
        let mut keys: HashMap<u32, Option<S3Key>> = HashMap::new();
        for Text { input, member, hash, is } in texts {
            let Some(file) = inputs.get(input as usize) else { continue };
            let name = member.as_deref().unwrap_or(file.name()).to_owned();
            let place = match &member {
                Some(member) => format!("{} ({member})", file.name()),
                None => file.name().to_owned(),
            };
            let key = match &member {
                Some(member) => S3Key::parse(member.as_ref()),
                None => keys.entry(input).or_insert_with(|| file.s3.clone()).clone(),
            };
            let is_digest = key.as_ref().is_some_and(|it| it.delivery == Delivery::Digest);
            match (is, hash) {
                (TextIs::Digest(digest), Some(hash)) => {
                    all.digests.push(DigestFile { place, hash, digest: *digest });
                }
                (TextIs::Signature(signature, algorithm), _) => {
                    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                    all.signatures.push(StoredSignature { name, signature, algorithm });
                }
                // Lines of digests in one file are no delivery.
                (TextIs::Broken(why), _) if is_digest => all.broken.push((place, why)),
                (TextIs::Any | TextIs::Digest(_), _) if is_digest => {
                    let error = DigestError::Unread;
                    all.broken.push((place, format!("{} {error}", error.code())));
                }
                (TextIs::Any | TextIs::Broken(_) | TextIs::Digest(_), hash) => {
                    let delivered = key.and_then(|it| {
                        Some((it.account?, it.region?, it.delivered_from_ms, it.delivered_to_ms))
                    });
                    all.files.push(FileFact { place, name, hash, delivered });
                }
            }
        }
        // Threads met them in any order.
        all.files.sort_by(|a, b| a.place.cmp(&b.place));
        all.signatures.sort_by(|a, b| (&a.name, &a.signature).cmp(&(&b.name, &b.signature)));
        all
    }

    fn check(mut self, keys: &Keys, range: complete::Range) -> DigestCheck {
        range.narrow(&mut self.digests, &mut self.files);
        complete::check(self.digests, self.broken, &self.signatures, keys, &self.files)
    }
}
