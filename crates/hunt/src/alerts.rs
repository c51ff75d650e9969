//! The alerts of a hunt, with the records they are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};

use cloudtrail::Fields;
use detect::{AlertSeed, AlertWriter, Origin, Outline, RuleFields};
use ecs::{Catalog, Layered, Millis, Object, TextDocument};
use reader::Input;
use rule::{Rule, Severity};
use sift::{DocumentBuilder, Record};

use crate::Progress;
use crate::keep::{Keeper, Kept};
use crate::run::{Found, HuntOptions};
use crate::scan::{RawRecord, Visit, Which, scan};

/// The records that the alerts are about: their texts, which are a tenth of the documents made of them.
#[derive(Debug)]
pub(crate) struct Evidence {
    records: HashMap<Origin, Kept>,
    normalise: cloudtrail::Options,
    now: Millis,
    version: &'static str,
    /// Threads that build documents.
    threads: usize,
}

impl Evidence {
    /// Picks the records of the alerts from what was kept, and reads the others again.
    pub(crate) fn gather<'a>(
        seeds: impl Iterator<Item = &'a AlertSeed>,
        kept: Vec<Keeper>,
        inputs: &[Input],
        options: &HuntOptions,
        read: &reader::Options,
        progress: &Progress,
    ) -> Self {
        let wanted: BTreeSet<Origin> = seeds.flat_map(AlertSeed::events).map(|event| event.origin).collect();
        let kept = kept.into_iter().flat_map(Keeper::into_records);
        let mut records: HashMap<Origin, Kept> = kept.filter(|(origin, _)| wanted.contains(origin)).collect();
        let mut missing: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for origin in wanted.iter().filter(|origin| !records.contains_key(origin)) {
            missing.entry(origin.input).or_default().push(origin.ordinal);
        }
        let missing: Vec<(Input, Vec<u64>)> = missing
            .into_iter()
            .filter_map(|(input, ordinals)| Some((inputs.get(input as usize)?.clone(), ordinals)))
            .collect();
        if !missing.is_empty() {
            let which = Which::These(&missing);
            let (visitors, _) = scan(&which, read, options.threads, progress, Keeping::default);
            records.extend(visitors.into_iter().flat_map(|visitor| visitor.records));
        }
        let HuntOptions { normalise, now, version, threads, .. } = options;
        Self { records, normalise: normalise.clone(), now: *now, version, threads: *threads }
    }
}

impl Found {
    /// How many alerts there are.
    pub fn alert_count(&self) -> usize {
        self.rules.iter().map(|ran| ran.outcome.alerts.len()).sum()
    }

    /// Gives `take` what `make` makes of each alert, in the order of the events' times, rules and ids. `brief` are the
    /// paths of the event that [`Alert::brief`] has, besides those that the alert speaks of; with none it has all.
    ///
    /// Documents come and go: all of them together may not fit into memory. The threads of the hunt build them, and
    /// make something of them, some ahead of `take`.
    pub fn alerts<T: Send, R>(
        &self,
        brief: &[&str],
        make: impl Fn(&mut Alert<'_, '_>) -> T + Sync,
        take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
    ) -> R {
        let forms: Vec<OnceLock<Form>> = self.rules.iter().map(|_| OnceLock::new()).collect();
        let mut seeds: Vec<_> = self
            .rules
            .iter()
            .zip(&forms)
            .flat_map(|(ran, form)| ran.outcome.alerts.iter().map(move |seed| (&*ran.rule, form, seed)))
            .collect();
        seeds.sort_by_key(|(rule, _, seed)| (seed.event.timestamp, &rule.rule_id, &seed.id));
        let chunks: Vec<_> = seeds.chunks(CHUNK).collect();
        let common = Common::new(&self.evidence, brief);
        let build = |builder: &mut Builder<'_>, chunk: &[(&Rule, &OnceLock<Form>, &AlertSeed)]| {
            let of = |&(rule, form, seed): &(&Rule, &OnceLock<Form>, &AlertSeed)| {
                let form = form.get_or_init(|| Form::new(rule, &common));
                make(&mut Alert { builder, rule, form, seed })
            };
            chunk.iter().map(of).collect::<Vec<T>>()
        };
        let threads = self.evidence.threads.min(chunks.len());
        if threads <= 1 {
            let mut builder = Builder::new(&common);
            return take(&mut chunks.into_iter().flat_map(|chunk| build(&mut builder, chunk)));
        }
        std::thread::scope(|scope| {
            // Each thread has its own line of chunks: taken in turns, they are in order, and nobody runs far ahead.
            let (chunks, build, common) = (&chunks, &build, &common);
            let lines: Vec<Receiver<Vec<T>>> = (0..threads)
                .map(|first| {
                    let (send, line) = sync_channel(CHUNKS_AHEAD);
                    scope.spawn(move || {
                        let mut builder = Builder::new(common);
                        let mut mine = chunks.iter().skip(first).step_by(threads);
                        // Nobody listens any more if `take` has seen enough.
                        mine.all(|chunk| send.send(build(&mut builder, chunk)).is_ok())
                    });
                    line
                })
                .collect();
            take(&mut (0..chunks.len()).map_while(|at| lines[at % threads].recv().ok()).flatten())
        })
    }
}

/// Alerts that a thread builds at a time.
const CHUNK: usize = 8;
/// Chunks that a thread may be ahead of whoever takes them.
const CHUNKS_AHEAD: usize = 4;

/// What all threads that build documents need to know.
struct Common<'a> {
    evidence: &'a Evidence,
    brief: &'a [&'a str],
    catalog: Arc<Catalog>,
    writer: AlertWriter,
    /// All fields of the records' events.
    all: Fields,
}

impl<'a> Common<'a> {
    fn new(evidence: &'a Evidence, brief: &'a [&'a str]) -> Self {
        let (catalog, version) = (Catalog::ecs(), evidence.normalise.version);
        let writer = AlertWriter::new(cloudtrail::paths(version), Arc::clone(&catalog));
        Self { evidence, brief, catalog, writer, all: Fields::all(version) }
    }
}

/// What the alerts of one rule have in common.
struct Form {
    fields: RuleFields,
    outline: Outline,
    /// The fields of the event that a brief document of its alerts is made of.
    brief: Fields,
}

impl Form {
    fn new(rule: &Rule, common: &Common<'_>) -> Self {
        let fields = RuleFields::new(rule, common.evidence.version);
        let brief = if common.brief.is_empty() {
            common.all.clone()
        } else {
            let paths = common.brief.iter().copied().chain(detect::paths_of_event(rule));
            Fields::at(common.evidence.normalise.version, &paths.collect::<Vec<_>>())
        };
        Self { outline: common.writer.outline(&fields), fields, brief }
    }
}

/// Builds the documents of alerts.
struct Builder<'a> {
    common: &'a Common<'a>,
    documents: DocumentBuilder,
    text: TextDocument,
}

impl<'a> Builder<'a> {
    fn new(common: &'a Common<'a>) -> Self {
        let Evidence { normalise, now, .. } = common.evidence;
        Self {
            common,
            documents: DocumentBuilder::new(normalise, *now),
            text: TextDocument::new(cloudtrail::paths(normalise.version)),
        }
    }
}

/// One alert: its document is made when it is asked for, and only so much of it.
pub struct Alert<'b, 'a> {
    builder: &'b mut Builder<'a>,
    rule: &'b Rule,
    form: &'b Form,
    seed: &'b AlertSeed,
}

impl<'a> Alert<'_, 'a> {
    /// Its document. The others are made of it, or say what it says. Of a sequence it is the shell.
    pub fn document(&mut self) -> Layered {
        if self.seed.sequence().is_some() {
            return self.shell().0;
        }
        // A file that changed meanwhile was reported; its alert stands without its event.
        let event = self.record().and_then(|record| self.builder.documents.build(&record).ok());
        let event = event.map_or_else(Object::new, |document| document.source);
        detect::build(self.seed, self.rule, &self.form.fields, event, &self.builder.common.catalog)
    }

    /// Appends its document as JSON in one line. Says how severe it is.
    pub fn write_json(&mut self, out: &mut String) -> Severity {
        let common = self.builder.common;
        if self.ready(&common.all) {
            return common.writer.write(self.seed, self.rule, &self.form.outline, &self.builder.text, out);
        }
        let document = self.document();
        document.write_json(out);
        let severity = document.get("kibana.alert.severity").and_then(|it| it.as_str());
        severity.and_then(Severity::from_name).unwrap_or(self.rule.severity)
    }

    /// A document with the alert's own fields, those of its rule, and of its event those that were asked for. Each value
    /// stands at its path, or where its document has it.
    pub fn brief(&mut self) -> Layered {
        if self.ready(&self.form.brief) {
            let Builder { common, text, .. } = &*self.builder;
            return common.writer.brief(self.seed, self.rule, &self.form.fields, text);
        }
        self.document()
    }

    /// The documents of the building blocks, in order, if it is the shell of a sequence.
    pub fn blocks(&mut self) -> Vec<Layered> {
        let events = self.events();
        let catalog = &self.builder.common.catalog;
        detect::build_blocks(self.seed, self.rule, &self.form.fields, events, catalog)
    }

    /// As [`brief`](Self::brief), for people: of a sequence with the values of all its events side by side, and the time of
    /// the newest.
    pub fn told(&mut self) -> Layered {
        if self.seed.sequence().is_none() {
            return self.brief();
        }
        let (shell, events) = self.shell();
        detect::tell_sequence(self.seed, &shell, &self.form.fields, &events)
    }

    /// The shell of a sequence, and the documents of its events.
    fn shell(&mut self) -> (Layered, Vec<Object>) {
        let events = self.events();
        let catalog = &self.builder.common.catalog;
        let fields = &self.form.fields;
        let blocks = detect::build_blocks(self.seed, self.rule, fields, events.clone(), catalog);
        (detect::build_shell(self.seed, self.rule, fields, &blocks), events)
    }

    /// The documents of the events of a sequence, in order.
    fn events(&mut self) -> Vec<Object> {
        let events = self.seed.sequence().into_iter().flat_map(detect::Sequence::present);
        let origins: Vec<Origin> = events.map(|it| it.event.origin).collect();
        let document = |origin| {
            let record = self.record_at(origin)?;
            Some(self.builder.documents.build(&record).ok()?.source)
        };
        origins.into_iter().map(document).map(Option::unwrap_or_default).collect()
    }

    fn record(&self) -> Option<Record<'a>> {
        // What was counted was read nowhere.
        self.seed.events().next()?;
        self.record_at(self.seed.event.origin)
    }

    fn record_at(&self, origin: Origin) -> Option<Record<'a>> {
        let kept = self.builder.common.evidence.records.get(&origin)?;
        Some(Record::of(kept.kind, &kept.text))
    }

    /// Makes the text of the event's document, of these fields; says whether it is one that alerts can be made of.
    fn ready(&mut self, fields: &Fields) -> bool {
        // A shell is made of several events.
        if self.seed.sequence().is_some() {
            return false;
        }
        let Some(record) = self.record() else { return false };
        let Builder { common, documents, text } = &mut *self.builder;
        text.clear();
        documents.text(&record, fields, text) && common.writer.ready(text)
    }
}

/// One thread's part of reading the records again.
#[derive(Default)]
struct Keeping {
    records: Vec<(Origin, Kept)>,
}

impl Visit for Keeping {
    fn record(&mut self, record: RawRecord<'_>) {
        // What is asked for again was taken before.
        if let Ok(Record { kind, text, .. }) = record.record() {
            let origin = Origin { input: record.input, ordinal: record.ordinal };
            self.records.push((origin, Kept { kind, text: text.into() }));
        }
    }

    fn problem(&mut self, _: reader::Problem) {
        // The first pass reported what cannot be read.
    }
}
