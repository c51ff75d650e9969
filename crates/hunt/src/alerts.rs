//! The documents of the alerts of a hunt.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cloudtrail::Fields;
use detect::{AlertSeed, AlertWriter, Detail, Origin, Outline, RuleFields};
use ecs::{Catalog, Layered, Object, TextDocument};
use rule::{Rule, Severity};
use sift::{DocumentBuilder, Record};

use crate::evidence::Window;
use crate::run::Found;
use crate::sources::{STANDS_ON, Trees, records_of, stands_on};

impl Found {
    /// How many alerts there are.
    pub fn alert_count(&self) -> usize {
        self.rules.iter().map(|ran| ran.outcome.alerts.len()).sum()
    }

    /// How many others were suppressed in favour of alerts: alerts, of query rules events.
    pub fn suppressed_count(&self) -> u64 {
        self.rules.iter().map(|ran| ran.outcome.metrics.suppressed).sum()
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
        self.alerts_where(&|_, _| true, brief, make, take)
    }

    /// The same of the alerts whose ids are wanted, with all of their events.
    pub fn alerts_with_ids<T: Send, R>(
        &self,
        is_wanted: &dyn Fn(&str) -> bool,
        make: impl Fn(&mut Alert<'_, '_>) -> T + Sync,
        take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
    ) -> R {
        self.alerts_where(&|_, seed| is_wanted(&seed.id), &[], make, take)
    }

    /// The same of those alerts that are wanted: of the others not even the record is looked at.
    pub(crate) fn alerts_where<T: Send, R>(
        &self,
        is_wanted: &dyn Fn(&Rule, &AlertSeed) -> bool,
        brief: &[&str],
        make: impl Fn(&mut Alert<'_, '_>) -> T + Sync,
        take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
    ) -> R {
        let forms: Vec<OnceLock<Form>> = self.rules.iter().map(|_| OnceLock::new()).collect();
        let mut all: Vec<Planned<'_>> = self
            .rules
            .iter()
            .zip(&forms)
            .flat_map(|(ran, form)| {
                let wanted = ran.outcome.alerts.iter().filter(|seed| is_wanted(&ran.rule, seed));
                wanted.map(move |seed| Planned { rule: &ran.rule, form, seed })
            })
            .collect();
        all.sort_by_key(|it| (it.seed.event.timestamp, &it.rule.rule_id, &it.seed.id));
        let common = Common::new(self, brief);
        let builders: Vec<Mutex<Builder<'_>>> =
            (0..self.threads.max(1)).map(|_| Mutex::new(Builder::new(&common))).collect();
        let build = |builder: &Mutex<Builder<'_>>, window: &Window, chunk: &[Planned<'_>]| {
            // Nobody else has it.
            let mut builder = builder.lock().unwrap_or_else(PoisonError::into_inner);
            let of = |&Planned { rule, form, seed }: &Planned<'_>| {
                let form = form.get_or_init(|| Form::new(rule, &common));
                make(&mut Alert { builder: &mut builder, window, rule, form, seed })
            };
            chunk.iter().map(of).collect::<Vec<T>>()
        };
        std::thread::scope(|scope| {
            let mut left = &all[..];
            let mut windows = std::iter::from_fn(|| {
                if left.is_empty() {
                    return None;
                }
                let events = left.iter().map(|it| records_of(it.seed, &self.sources).into_iter());
                let window = self.evidence.window(&events);
                let (these, later) = left.split_at(window.len);
                left = later;
                let (chunks, window) = (these.chunks(CHUNK), Arc::new(window));
                let threads = builders.len().min(chunks.len());
                // Each thread has its own line of chunks: taken in turns, they are in order, and nobody runs far ahead.
                let lines = builders[..threads].iter().enumerate().map(|(first, builder)| {
                    let (mine, window, build) =
                        (chunks.clone().skip(first).step_by(threads), Arc::clone(&window), &build);
                    let mut parts = mine.map(move |chunk| build(builder, &window, chunk));
                    if threads == 1 {
                        return Line::Here(Box::new(parts));
                    }
                    let (send, line) = sync_channel(CHUNKS_AHEAD);
                    // Nobody listens any more if `take` has seen enough.
                    scope.spawn(move || parts.all(|part| send.send(part).is_ok()));
                    Line::Ahead(line)
                });
                let mut lines: Vec<Line<'_, T>> = lines.collect();
                Some((0..chunks.len()).map_while(move |at| lines[at % threads].next()).flatten())
            });
            take(&mut windows.by_ref().flatten())
        })
    }
}

/// Alerts that a thread builds at a time.
const CHUNK: usize = 8;
/// Chunks that a thread may be ahead of whoever takes them.
const CHUNKS_AHEAD: usize = 4;

/// What comes of the chunks of one thread, in order.
enum Line<'l, T> {
    /// Built when it is asked for.
    Here(Box<dyn Iterator<Item = Vec<T>> + 'l>),
    /// Built ahead.
    Ahead(Receiver<Vec<T>>),
}

impl<T> Iterator for Line<'_, T> {
    type Item = Vec<T>;

    fn next(&mut self) -> Option<Vec<T>> {
        match self {
            Self::Here(parts) => parts.next(),
            Self::Ahead(line) => line.recv().ok(),
        }
    }
}

/// An alert that is to be made.
#[derive(Clone, Copy)]
struct Planned<'a> {
    rule: &'a Arc<Rule>,
    form: &'a OnceLock<Form>,
    seed: &'a AlertSeed,
}

/// What all threads that build documents need to know.
struct Common<'a> {
    found: &'a Found,
    brief: &'a [&'a str],
    catalog: Arc<Catalog>,
    writer: AlertWriter,
    /// All fields of the records' events.
    all: Fields,
}

impl<'a> Common<'a> {
    fn new(found: &'a Found, brief: &'a [&'a str]) -> Self {
        let (catalog, version) = (Catalog::ecs(), found.normalise.version);
        let writer = AlertWriter::new(cloudtrail::paths(version), Arc::clone(&catalog));
        Self { found, brief, catalog, writer, all: Fields::all(version) }
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
        let mut fields = RuleFields::new(rule, common.found.version);
        if let Some(graph) = &common.found.graph {
            fields = fields.with_identities(Arc::clone(graph));
        }
        let brief = if common.brief.is_empty() {
            common.all.clone()
        } else {
            let paths = common.brief.iter().copied().chain(detect::paths_of_event(rule));
            Fields::at(common.found.normalise.version, &paths.collect::<Vec<_>>())
        };
        Self { outline: common.writer.outline(&fields), fields, brief }
    }
}

/// Builds the documents of alerts.
struct Builder<'a> {
    common: &'a Common<'a>,
    documents: DocumentBuilder,
    trees: Trees<'a>,
    text: TextDocument,
}

impl<'a> Builder<'a> {
    fn new(common: &'a Common<'a>) -> Self {
        let Found { normalise, now, .. } = common.found;
        Self {
            common,
            documents: DocumentBuilder::new(normalise, *now),
            trees: Trees::new(&common.found.evidence, normalise, *now, common.found.version),
            text: TextDocument::new(cloudtrail::paths(normalise.version)),
        }
    }
}

/// One alert: its document is made when it is asked for, and only so much of it.
pub struct Alert<'b, 'a> {
    builder: &'b mut Builder<'a>,
    window: &'b Window,
    rule: &'b Arc<Rule>,
    form: &'b Form,
    seed: &'b AlertSeed,
}

impl<'b, 'a> Alert<'b, 'a> {
    /// Its id.
    pub fn id(&self) -> &'b str {
        &self.seed.id
    }

    /// The rule that raised it.
    pub fn rule(&self) -> &'b Arc<Rule> {
        self.rule
    }

    /// What its document is made of.
    pub fn seed(&self) -> &'b AlertSeed {
        self.seed
    }

    /// Its document. The others are made of it, or say what it says. Of a sequence it is the shell.
    pub fn document(&mut self) -> Layered {
        if self.seed.sequence().is_some() {
            let shell = self.shell().0;
            return self.with_evidence(shell);
        }
        let event = self.own_event();
        let alert =
            detect::build(self.seed, self.rule, &self.form.fields, event, &self.builder.common.catalog);
        self.with_evidence(alert)
    }

    /// Appends its document as JSON in one line. Says how severe it is.
    pub fn write_json(&mut self, out: &mut String) -> Severity {
        let common = self.builder.common;
        if self.ready(&common.all) {
            return common.writer.write(self.seed, self.rule, &self.form.outline, &self.builder.text, out);
        }
        if self.seed.sequence().is_none() && stands_on(self.seed, &common.found.sources).is_none() {
            let event = self.own_event();
            return common.writer.write_tree(self.seed, self.rule, &self.form.fields, event, out);
        }
        let document = self.document();
        document.write_json(out);
        let severity = document.get("kibana.alert.severity").and_then(|it| it.as_str());
        severity.and_then(Severity::from_name).unwrap_or(self.rule.severity)
    }

    /// The document of its event, if it is about one.
    fn own_event(&mut self) -> Object {
        let origin = self.seed.events().next().map(|it| it.origin);
        origin.map_or_else(Object::new, |origin| self.event(origin))
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
        let told = detect::tell_sequence(self.seed, &shell, &self.form.fields, &events);
        self.with_evidence(told)
    }

    /// The alert with the alerts that it stands on.
    fn with_evidence(&self, mut alert: Layered) -> Layered {
        if let Some(all) = stands_on(self.seed, &self.builder.common.found.sources) {
            alert.set(STANDS_ON, all);
        }
        alert
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
        origins.into_iter().map(|origin| self.event(origin)).collect()
    }

    /// The document of an event, or of the alert that stands there for one. If its file changed meanwhile, that was
    /// reported, and the alert stands without it.
    fn event(&mut self, origin: Origin) -> Object {
        let sources = &self.builder.common.found.sources;
        self.builder.trees.event(origin, self.window, sources)
    }

    fn record(&self) -> Option<Record<'b>>
    where
        'a: 'b,
    {
        // What was counted was read nowhere.
        self.seed.events().next()?;
        self.record_at(self.seed.event.origin)
    }

    fn record_at(&self, origin: Origin) -> Option<Record<'b>>
    where
        'a: 'b,
    {
        self.builder.common.found.evidence.record(origin, self.window)
    }

    /// Makes the text of the event's document, of these fields; says whether it is one that alerts can be made of.
    fn ready(&mut self, fields: &Fields) -> bool {
        // A shell is made of several events, and what a row says stands in the place of what its event says.
        if self.seed.sequence().is_some() || matches!(self.seed.detail, Detail::Row(_)) {
            return false;
        }
        let Some(record) = self.record() else { return false };
        let Builder { common, documents, text, .. } = &mut *self.builder;
        text.clear();
        documents.text(&record, fields, text) && common.writer.ready(text)
    }
}
