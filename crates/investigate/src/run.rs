//! Investigations of all alerts together: what the steps ask is collected, asked in at most two passes, and handed back.

use std::borrow::Borrow;
use std::sync::{Arc, LazyLock};

use ecs::{Catalog, Millis};
use identity::{Graph, WhoBuf};
use rule::{Guide, GuideLanguage, Interval, Scope, Step, StepQuery};
use rustc_hash::FxHashSet;

use crate::actors::{Cast, Casting, Suspect};
use crate::book::Book;
use crate::case::{Case, Subject};
use crate::evidence::Investigation;
use crate::fill::{self, QUERY_VALUES_MAX, Values};
use crate::look::DAY;
use crate::prose::{Embedded, Prose};
use crate::source::{Answer, Source};
use crate::{chain, outline, prose, reach, tactics};

/// Of the events that a question finds, so many are looked at: those nearest to the alert.
pub const EVENTS_MAX: usize = 50_000;
/// No question reaches further back.
pub(crate) const REACH_MAX: Millis = 365 * DAY;

/// How to investigate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time of the investigation.
    pub now: Millis,
    /// Only steps of these names; empty is all.
    pub steps: Vec<String>,
    /// The language of the general steps.
    pub language: GuideLanguage,
    /// All alerts of the hunt, for the exception that would have silenced one.
    pub raised: Vec<Raised>,
    /// Which credentials were issued to whom, if somebody read all events for it already: that saves a pass.
    pub issued: Option<Arc<Graph>>,
}

/// What an exception could look at in an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raised {
    /// The rule.
    pub rule_id: String,
    /// When.
    pub time: Millis,
    /// The role, or the user.
    pub identity: String,
    /// The user agent.
    pub agent: String,
    /// The address.
    pub address: String,
}

/// The steps of every alert and the plan, in a language.
///
/// # Panics
///
/// If the file of the general steps is none, which a test would tell.
pub fn general(language: GuideLanguage) -> &'static rule::Rule {
    // Reading them takes longer than many an investigation.
    static ENGLISH: LazyLock<rule::Rule> = LazyLock::new(|| {
        let set = rule::load_text("general.toml", include_str!("general.toml"));
        set.rules.into_iter().next().expect("the general steps are a rule, as a test says")
    });
    static CHINESE: LazyLock<rule::Rule> = LazyLock::new(|| {
        let text = include_str!("general.zh-CN.toml");
        ENGLISH.translated(GuideLanguage::SimplifiedChinese, text).unwrap_or_else(|| ENGLISH.clone())
    });
    match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}

/// Investigates all of them.
pub fn investigate<S: Source>(
    subjects: &[Subject],
    source: &mut S,
    options: &Options,
) -> Result<Vec<Investigation>, S::Error> {
    let mut all = Vec::with_capacity(subjects.len());
    let mut keep = |it| {
        all.push(it);
        true
    };
    investigate_and_follow(subjects, &[], source, options, &mut keep)?;
    Ok(all)
}

/// Investigates all of them and, in the same passes, follows whoever is behind the suspects. Each investigation is `told` as
/// soon as it is made, which says whether to go on: all of them together are large. So are the documents of the subjects,
/// which are let go of once they are read, and the answers, each of which goes with the last alert that asked.
pub fn investigate_and_follow<S: Source, B: Borrow<Subject>>(
    subjects: impl IntoIterator<Item = B>,
    suspects: &[Suspect],
    source: &mut S,
    options: &Options,
    told: &mut dyn FnMut(Investigation) -> bool,
) -> Result<Cast, S::Error> {
    let none = Guide::default();
    let general = general(options.language).guide.as_ref().unwrap_or(&none);
    let catalog = Catalog::ecs();
    let mut book = Book::new(&catalog, options.now);
    let open = |it: B| Alert::open(it.borrow(), general, options);
    let (alerts, cases): (Vec<Alert>, Vec<Case>) = subjects.into_iter().map(open).unzip();
    let mut works: Vec<Work<'_>> =
        alerts.iter().zip(cases).map(|(it, case)| Work::new(it, case, general)).collect();
    // Events of both passes have the same columns.
    for work in &works {
        for column in work.planned.iter().flat_map(|it| &it.query.columns).chain(&work.columns) {
            book.column(column);
        }
    }
    for work in &mut works {
        work.ask(&mut book);
        work.ask_around(&mut book);
    }
    let (graph, mut answers) = if let Some(graph) = &options.issued {
        (Arc::clone(graph), Vec::new())
    } else {
        let first = source.answer(&book.questions, &book.columns, true)?;
        let graph = first.graph.unwrap_or_else(|| identity::Builder::default().finish());
        (Arc::new(graph), first.answers)
    };
    let asked = answers.len();
    for work in &mut works {
        work.follow(&graph, &mut book);
        work.ask(&mut book);
    }
    let casting = Casting::new(&graph, suspects);
    let mut more = book.questions[asked..].to_vec();
    let own = more.len();
    more.extend_from_slice(casting.questions());
    let mut found = Vec::new();
    if !more.is_empty() {
        found = source.answer(&more, &book.columns, false)?.answers;
    }
    let followed = found.split_off(own);
    answers.extend(found);
    let cast = casting.finish(&followed, &graph);
    drop(followed);
    let mut waiting = vec![0_usize; answers.len()];
    for number in works.iter().flat_map(Work::questions) {
        waiting[number] += 1;
    }
    for work in works {
        let its: Vec<usize> = work.questions().collect();
        if !told(work.finish(&answers, &graph, &book, options)) {
            break;
        }
        for number in its {
            waiting[number] -= 1;
            if waiting[number] == 0 {
                answers[number] = Answer::default();
            }
        }
    }
    Ok(cast)
}

/// What of a subject is known to the end.
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) rule: Option<Arc<rule::Rule>>,
    pub(crate) severity: Option<String>,
    pub(crate) who: WhoBuf,
    /// A guide in prose.
    pub(crate) prose: Prose,
}

impl Alert {
    /// What is known of a subject, with its case. Of the fields of its documents those are left that somebody asks for.
    fn open(subject: &Subject, general: &Guide, options: &Options) -> (Self, Case) {
        let mut case = Case::of(subject, options.now);
        let rule = subject.rule.as_deref();
        let prose = rule.map_or_else(Prose::default, |it| prose::prose(it, &case, options.language));
        let own = rule.and_then(|it| it.guide.as_ref());
        let steps =
            [Some(general), own].into_iter().flatten().flat_map(|it| it.triage.iter().chain(&it.response));
        let embedded = prose.queries.iter().flat_map(|it| &it.alternatives).map(String::as_str);
        let names = steps.flat_map(texts_of).chain(embedded).flat_map(fill::placeholders);
        let names: FxHashSet<&str> = names.chain(outline::READ).collect();
        case.values.keep(|name| name.starts_with("case.") || names.contains(name));
        let severity = subject.document.get("kibana.alert.severity").and_then(serde_json::Value::as_str);
        let alert = Self {
            id: subject.id.clone(),
            rule: subject.rule.clone(),
            severity: severity.map(str::to_owned),
            who: WhoBuf::of(subject.anchors.first().map_or(&subject.document, |(_, it)| it)),
            prose,
        };
        (alert, case)
    }
}

/// All texts of a step in which placeholders may stand.
fn texts_of(step: &Step) -> impl Iterator<Item = &str> {
    let more = [&step.command, &step.reason, &step.breaks, &step.undo, &step.verify];
    let queries = step.queries.iter().map(|it| it.query.as_str());
    let all = std::iter::once(step.text.as_str()).chain(queries);
    all.chain(more.into_iter().flatten().map(String::as_str))
}

/// A query of a step.
pub(crate) struct Planned<'a> {
    /// The step that shows it; none if only computations look at it.
    pub(crate) step: Option<usize>,
    pub(crate) query: &'a StepQuery,
    /// What a guide in prose embeds, with its alternatives and times.
    pub(crate) embedded: Option<&'a Embedded>,
    pub(crate) state: State,
}

/// What became of a query.
pub(crate) enum State {
    /// It was not asked: that is why.
    Open(String),
    Failed(String),
    Asked {
        number: usize,
        text: String,
        from: Millis,
        to: Millis,
        cut: Vec<String>,
        /// Names for which there is no value, so that an alternative was left out.
        left: Vec<String>,
    },
}

/// One alert under investigation.
pub(crate) struct Work<'a> {
    pub(crate) alert: &'a Alert,
    pub(crate) case: Case,
    pub(crate) steps: Vec<&'a Step>,
    pub(crate) planned: Vec<Planned<'a>>,
    /// What the rule wants to be shown of events.
    pub(crate) columns: Vec<String>,
    /// The questions whether the account has events at all, and data events.
    pub(crate) around: Vec<usize>,
    pub(crate) data_events: Option<usize>,
    pub(crate) reach_calls: Option<usize>,
}

impl<'a> Work<'a> {
    fn new(alert: &'a Alert, case: Case, general: &'a Guide) -> Self {
        let own: &'a [Step] =
            alert.rule.as_ref().and_then(|it| it.guide.as_ref()).map_or(&[], |it| &it.triage);
        let has = |id: &Option<String>| id.is_some() && own.iter().any(|it| it.id == *id);
        let mut steps: Vec<&'a Step> = own.iter().collect();
        let rule = alert.rule.as_deref();
        let is_for = |it: &&Step| tactics::is_for(it.id.as_deref(), rule, &case);
        // What is about something that the alert has nothing of is left out.
        let has_uses = |it: &&Step| it.uses.iter().all(|name| !case.all(name).is_empty());
        steps.extend(general.triage.iter().filter(is_for).filter(has_uses).filter(|it| !has(&it.id)));
        let mut planned: Vec<Planned<'a>> = Vec::new();
        let open = || State::Open(String::new());
        for (at, step) in steps.iter().enumerate() {
            planned.extend(step.queries.iter().map(|query| Planned {
                step: Some(at),
                query,
                embedded: None,
                state: open(),
            }));
        }
        // Facts rest on the general questions, whatever a guide asks.
        let hidden = general.triage.iter().filter(|it| has(&it.id)).flat_map(|it| &it.queries);
        planned.extend(hidden.map(|query| Planned { step: None, query, embedded: None, state: open() }));
        let embedded =
            |it: &'a Embedded| Planned { step: None, query: &it.query, embedded: Some(it), state: open() };
        planned.extend(alert.prose.queries.iter().map(embedded));
        let columns = alert.rule.as_ref().map(|it| it.investigation_fields()).unwrap_or_default();
        Self {
            columns,
            alert,
            case,
            steps,
            planned,
            around: Vec::new(),
            data_events: None,
            reach_calls: None,
        }
    }

    /// The numbers of its questions; of some more than once.
    fn questions(&self) -> impl Iterator<Item = usize> {
        let asked = self.planned.iter().filter_map(|it| match it.state {
            State::Asked { number, .. } => Some(number),
            State::Open(_) | State::Failed(_) => None,
        });
        asked.chain(self.around.iter().copied()).chain(self.data_events).chain(self.reach_calls)
    }

    /// Asks what can be asked with the values that there are.
    fn ask(&mut self, book: &mut Book<'_>) {
        let case = &self.case;
        for it in self.planned.iter_mut().filter(|it| matches!(it.state, State::Open(_))) {
            let query = it.query;
            let one = [query.query.clone()];
            let alternatives = it.embedded.map_or(&one[..], |it| &it.alternatives);
            let (mut texts, mut cut, mut left) = (Vec::new(), Vec::new(), Vec::new());
            for text in alternatives {
                let filled = match query.language.as_str() {
                    "eql" => fill::eql(text, &case.values),
                    _ => fill::kql(text, &case.values),
                };
                match filled {
                    Ok(filled) => {
                        texts.push(filled.text);
                        cut.extend(filled.cut);
                    }
                    Err(name) => left.push(name),
                }
            }
            let mut text = match texts.as_slice() {
                [] => {
                    it.state = State::Open(left.into_iter().next().unwrap_or_default());
                    continue;
                }
                [one] => one.clone(),
                several => format!("({})", several.join(") or (")),
            };
            let mut within = |name: &str, path: &str| {
                let values = case.all(name);
                if query.language == "kuery" && !values.is_empty() {
                    let scope = Values::default().with_all("it", values);
                    if let Ok(filled) = fill::kql(&format!("{path}: \"{{{{it}}}}\""), &scope) {
                        text = format!("({text}) and {}", filled.text);
                    }
                }
            };
            match query.scope {
                Scope::All => {}
                Scope::Account => within("account", "cloud.account.id"),
                Scope::Region => {
                    within("account", "cloud.account.id");
                    within("region", "cloud.region");
                }
            }
            let (from, to) = match it.embedded {
                Some(it) => (it.from.max(case.first - REACH_MAX), it.to.min(case.last + REACH_MAX)),
                None => (
                    case.first - span_of(&query.before).min(REACH_MAX),
                    case.last + span_of(&query.after).min(REACH_MAX),
                ),
            };
            it.state = match book.add(&query.language, &text, from, to, case.first, EVENTS_MAX) {
                Ok(number) => State::Asked { number, text, from, to, cut, left },
                Err(reason) => State::Failed(reason),
            };
        }
    }

    /// Asks whether there are events at all.
    fn ask_around(&mut self, book: &mut Book<'_>) {
        let case = &self.case;
        let (from, to) = (case.first - REACH_MAX, case.last + 7 * DAY);
        // What counts events may be of all regions.
        let text = if case.get("region").is_empty() {
            "cloud.account.id: \"{{case.account}}\""
        } else {
            "cloud.account.id: \"{{case.account}}\" and cloud.region: \"{{case.region}}\""
        };
        if let Ok(filled) = fill::kql(text, &case.values) {
            self.around.extend(book.add("kuery", &filled.text, from, to, case.first, 0));
        }
        let data = "event.provider: \"s3.amazonaws.com\" and event.action: (GetObject or PutObject or DeleteObject or CopyObject or ListObjects or HeadObject)";
        self.data_events = book.add("kuery", data, case.first - DAY, case.last + DAY, case.first, 0).ok();
    }

    /// With the chain of the caller there are values for more questions.
    fn follow(&mut self, graph: &Graph, book: &mut Book<'_>) {
        let chain = graph.chain(self.alert.who.who(), i64::MAX);
        chain::values_of(&chain, &mut self.case.values);
        let reach = reach::of_case(graph, &chain, &self.case);
        let reached: Vec<&str> =
            reach.sessions.iter().filter_map(|it| it.issue.key).take(QUERY_VALUES_MAX).collect();
        if reached.is_empty() {
            return;
        }
        let mut values = Values::default();
        values.add("keys", reached);
        if let Ok(filled) = fill::kql("aws.cloudtrail.user_identity.access_key_id: \"{{keys}}\"", &values) {
            let (from, to) = (self.case.first - reach::BEFORE, self.case.last + reach::AFTER);
            self.reach_calls = book.add("kuery", &filled.text, from, to, self.case.first, EVENTS_MAX).ok();
        }
    }
}

/// A window of a step, in milliseconds; none is `0s`, which is no [`Interval`].
fn span_of(text: &str) -> Millis {
    text.parse::<Interval>().map_or(0, |it| it.millis())
}
