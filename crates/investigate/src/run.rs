//! Investigations of all alerts together: what the steps ask is collected, asked in at most two passes, and handed back.

use std::collections::BTreeMap;

use ecs::{Catalog, Millis};
use identity::{Graph, WhoBuf};
use rule::{Builtin, Guide, GuideLanguage, Scope, Show, Step, StepQuery};

use crate::book::Book;
use crate::case::{Case, Subject};
use crate::event::{Event, Field};
use crate::evidence::{Evidence, Found, Investigation, Lack, Row};
use crate::fill::{self, QUERY_VALUES_MAX, Values};
use crate::look::{DAY, HOUR, Look, MINUTE, ROWS_MAX, ids, short, tally, time};
use crate::outline::{grade, sentence};
use crate::say::{heads, say};
use crate::source::{Answer, Source};
use crate::{baseline, chain, harmless, instances, origin, reach, reason, related};

/// Of the events that a question finds, so many are looked at: those nearest to the alert.
pub const EVENTS_MAX: usize = 50_000;
/// No question reaches further back.
const REACH_MAX: Millis = 365 * DAY;
/// CloudTrail delivers with delay.
const LATE: Millis = 15 * MINUTE;

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
pub fn general(language: GuideLanguage) -> rule::Rule {
    let set = rule::load_text("general.toml", include_str!("general.toml"));
    let mut rule = set.rules.into_iter().next().expect("the general steps are a rule, as a test says");
    if language == GuideLanguage::SimplifiedChinese {
        rule = rule.translated(language, include_str!("general.zh-CN.toml")).unwrap_or(rule);
    }
    rule
}

/// Investigates all of them.
pub fn investigate<S: Source>(
    subjects: &[Subject],
    source: &mut S,
    options: &Options,
) -> Result<Vec<Investigation>, S::Error> {
    let general = general(options.language);
    let general = general.guide.unwrap_or_default();
    let catalog = Catalog::ecs();
    let mut book = Book::new(&catalog, options.now);
    let mut works: Vec<Work<'_>> = subjects.iter().map(|it| Work::new(it, &general, options)).collect();
    // Events of both passes have the same columns.
    for column in works.iter().flat_map(|it| &it.planned).flat_map(|it| &it.query.columns) {
        book.column(column);
    }
    for work in &mut works {
        work.ask(&mut book);
        work.ask_around(&mut book);
    }
    let first = source.answer(&book.questions, &book.columns, true)?;
    let graph = first.graph.unwrap_or_else(|| identity::Builder::default().finish());
    let asked = book.questions.len();
    let whos: Vec<WhoBuf> = works.iter().map(Work::who).collect();
    for (work, who) in works.iter_mut().zip(&whos) {
        work.follow(&graph, who, &mut book);
        work.ask(&mut book);
    }
    let mut answers = first.answers;
    let more = book.questions[asked..].to_vec();
    if !more.is_empty() {
        answers.extend(source.answer(&more, &book.columns, false)?.answers);
    }
    Ok(works
        .into_iter()
        .zip(&whos)
        .map(|(work, who)| work.finish(&answers, &graph, who, &book, options))
        .collect())
}

/// A query of a step.
struct Planned<'a> {
    /// The step that shows it; none if only computations look at it.
    step: Option<usize>,
    query: &'a StepQuery,
    state: State,
}

enum State {
    /// It was not asked: that is why.
    Open(String),
    Failed(String),
    Asked {
        number: usize,
        text: String,
        from: Millis,
        to: Millis,
        cut: Vec<String>,
    },
}

struct Work<'a> {
    subject: &'a Subject,
    case: Case,
    steps: Vec<&'a Step>,
    planned: Vec<Planned<'a>>,
    /// The questions whether the account has events at all, and data events.
    around: Vec<usize>,
    data_events: Option<usize>,
    reach_calls: Option<usize>,
}

impl<'a> Work<'a> {
    fn new(subject: &'a Subject, general: &'a Guide, options: &Options) -> Self {
        let case = Case::of(subject, options.now);
        let own: &'a [Step] =
            subject.rule.as_ref().and_then(|it| it.guide.as_ref()).map_or(&[], |it| &it.triage);
        let has = |id: &Option<String>| id.is_some() && own.iter().any(|it| it.id == *id);
        let mut steps: Vec<&'a Step> = own.iter().collect();
        steps.extend(general.triage.iter().filter(|it| !has(&it.id)));
        let mut planned: Vec<Planned<'a>> = Vec::new();
        let open = || State::Open(String::new());
        for (at, step) in steps.iter().enumerate() {
            planned.extend(step.queries.iter().map(|query| Planned { step: Some(at), query, state: open() }));
        }
        // Facts rest on the general questions, whatever a guide asks.
        let hidden = general.triage.iter().filter(|it| has(&it.id)).flat_map(|it| &it.queries);
        planned.extend(hidden.map(|query| Planned { step: None, query, state: open() }));
        Self { subject, case, steps, planned, around: Vec::new(), data_events: None, reach_calls: None }
    }

    fn who(&self) -> WhoBuf {
        WhoBuf::of(self.subject.anchors.first().map_or(&self.subject.document, |(_, it)| it))
    }

    /// Asks what can be asked with the values that there are.
    fn ask(&mut self, book: &mut Book<'_>) {
        let case = &self.case;
        for it in self.planned.iter_mut().filter(|it| matches!(it.state, State::Open(_))) {
            let query = it.query;
            let filled = match query.language.as_str() {
                "eql" => fill::eql(&query.query, &case.values),
                _ => fill::kql(&query.query, &case.values),
            };
            let filled = match filled {
                Ok(filled) => filled,
                Err(name) => {
                    it.state = State::Open(name);
                    continue;
                }
            };
            let mut text = filled.text;
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
            let from = case.first - span_of(&query.before).min(REACH_MAX);
            let to = case.last + span_of(&query.after).min(REACH_MAX);
            it.state = match book.add(&query.language, &text, from, to, case.first, EVENTS_MAX) {
                Ok(number) => State::Asked { number, text, from, to, cut: filled.cut },
                Err(reason) => State::Failed(reason),
            };
        }
    }

    /// Asks whether there are events at all.
    fn ask_around(&mut self, book: &mut Book<'_>) {
        let case = &self.case;
        let (from, to) = (case.first - REACH_MAX, case.last + 7 * DAY);
        let text = fill::kql(
            "cloud.account.id: \"{{case.account}}\" and cloud.region: \"{{case.region}}\"",
            &case.values,
        );
        if let Ok(filled) = text {
            self.around.extend(book.add("kuery", &filled.text, from, to, case.first, 0));
        }
        let data = "event.provider: \"s3.amazonaws.com\" and event.action: (GetObject or PutObject or DeleteObject or CopyObject or ListObjects or HeadObject)";
        self.data_events = book.add("kuery", data, case.first - DAY, case.last + DAY, case.first, 0).ok();
    }

    /// With the chain of the caller there are values for more questions.
    fn follow(&mut self, graph: &Graph, who: &WhoBuf, book: &mut Book<'_>) {
        let chain = graph.chain(who.who(), i64::MAX);
        chain::values_of(&chain, &mut self.case.values);
        let keys: Vec<&str> = self.case.all("session_key").iter().map(String::as_str).collect();
        let reach = graph.reach(&keys, i64::MAX);
        let reached: Vec<&str> =
            reach.sessions.iter().filter_map(|it| it.issue.key).take(QUERY_VALUES_MAX).collect();
        if reached.is_empty() {
            return;
        }
        let mut values = Values::default();
        values.add("keys", reached);
        if let Ok(filled) = fill::kql("aws.cloudtrail.user_identity.access_key_id: \"{{keys}}\"", &values) {
            let (from, to) = (self.case.first - 36 * HOUR, self.case.last + 7 * DAY);
            self.reach_calls = book.add("kuery", &filled.text, from, to, self.case.first, EVENTS_MAX).ok();
        }
    }

    fn finish(
        mut self,
        answers: &[Answer],
        graph: &Graph,
        who: &WhoBuf,
        book: &Book<'_>,
        options: &Options,
    ) -> Investigation {
        // Its window, for commands.
        let asked = |it: &Planned<'_>| match &it.state {
            State::Asked { from, to, .. } => Some((*from, *to)),
            State::Open(_) | State::Failed(_) => None,
        };
        let ranges: Vec<(Millis, Millis)> = self.planned.iter().filter_map(asked).collect();
        let start = self.case.first - DAY;
        let end =
            ranges.iter().map(|it| it.1).max().unwrap_or(self.case.last).min(options.now.max(self.case.last));
        self.case.values.add("case.window_start", [ecs::date::to_iso(start)]);
        self.case.values.add("case.window_end", [ecs::date::to_iso(end)]);

        let l = options.language;
        let empty = Answer::default();
        let mut by_id: BTreeMap<&str, &Answer> = BTreeMap::new();
        let whole: Vec<(&Planned<'_>, &Answer)> = self
            .planned
            .iter()
            .filter_map(|it| match it.state {
                State::Asked { number, .. } => Some((it, answers.get(number).unwrap_or(&empty))),
                State::Open(_) | State::Failed(_) => None,
            })
            .collect();
        // Those of computations last: they take the place of a guide's own of the same name.
        for hidden in [false, true] {
            for (it, answer) in whole.iter().filter(|(it, _)| it.step.is_none() == hidden) {
                if let Some(id) = it.query.id.as_deref() {
                    let id = if id == "behaviour-user" { "behaviour" } else { id };
                    by_id.insert(id, answer);
                }
            }
        }
        if let Some(number) = self.reach_calls {
            by_id.insert("reach-calls", answers.get(number).unwrap_or(&empty));
        }
        let around: Vec<&Answer> = self.around.iter().filter_map(|it| answers.get(*it)).collect();
        let data_from = around.iter().filter_map(|it| it.span).map(|it| it.0).min();
        let mut look = Look {
            case: &self.case,
            language: l,
            answers: by_id,
            graph,
            who: who.who(),
            facts: Vec::new(),
            deviations: Vec::new(),
        };
        let mut missing = Evidence::default();
        if self.case.is_bare {
            missing.lacks(
                Lack::NoEvents,
                say!(
                    l,
                    "the alert names no event of these data: it counts events, or its events are elsewhere; its own fields stand for them"
                ),
            );
        }
        if around.iter().all(|it| it.total == 0) && !self.case.get("account").is_empty() {
            missing.lacks(
                Lack::NoData,
                say!(
                    l,
                    "no events of account {} in region {} between {} and {}; the trail may not cover it",
                    fill::shown(self.case.get("account")),
                    fill::shown(self.case.get("region")),
                    time(self.case.first - REACH_MAX),
                    time(self.case.last + 7 * DAY)
                ),
            );
        }
        if self.data_events.and_then(|it| answers.get(it)).is_some_and(|it| it.total == 0) {
            missing.lacks(
                Lack::NoDataEvents,
                say!(
                    l,
                    "object-level S3 events are not in the data; reads and writes of objects cannot be seen"
                ),
            );
        }
        if options.now - self.case.last < LATE {
            missing.lacks(Lack::Late, say!(l, "CloudTrail delivers with delay; later events may follow"));
        }
        let mut steps: Vec<Evidence> = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            steps.push(self.evidence(at, step, &mut look, answers, data_from, book));
        }
        grade(&mut look);
        look.facts.sort_by(|a, b| a.name.cmp(b.name));
        look.facts.dedup_by(|a, b| a.name == b.name);
        look.deviations.dedup();
        let wanted = |it: &Evidence| {
            options.steps.is_empty()
                || it.id.as_ref().is_some_and(|id| options.steps.iter().any(|wanted| wanted == id))
        };
        steps.retain(wanted);
        let (facts, deviations) = (look.facts, look.deviations);
        let mut investigation = Investigation {
            id: self.subject.id.clone(),
            rule: self.subject.rule.clone(),
            sentence: sentence(&self.case, &facts, l),
            deviations,
            steps,
            facts,
            missing: missing.missing,
            harmless: Vec::new(),
            exception: None,
            anchor: (self.case.first, self.case.last),
            severity: self
                .subject
                .document
                .get("kibana.alert.severity")
                .and_then(|it| it.as_str())
                .map(str::to_owned),
            values: Values::default(),
        };
        investigation.harmless = harmless::checklists(&investigation, self.subject.rule.as_deref(), l);
        investigation.exception = harmless::exception(&self.case, self.subject.rule.as_deref(), options);
        investigation.values = self.case.values;
        investigation
    }

    fn evidence(
        &self,
        at: usize,
        step: &Step,
        look: &mut Look<'_>,
        answers: &[Answer],
        data_from: Option<Millis>,
        book: &Book<'_>,
    ) -> Evidence {
        let l = look.language;
        let mut evidence = Evidence {
            id: step.id.clone(),
            title: step.title.trim().to_owned(),
            text: fill::markdown(step.text.trim(), &self.case.values, l),
            ..Evidence::default()
        };
        let builtin = step.builtin.or_else(|| of_name(step.id.as_deref()));
        match builtin {
            Some(Builtin::SessionChain) => {
                let chain = look.graph.chain(look.who, i64::MAX);
                chain::session_chain(look, &chain, &mut evidence);
                baseline::used(look, &mut evidence);
            }
            Some(Builtin::RefusalReason) => reason::refusal_reason(look, &mut evidence),
            Some(Builtin::RoleBaseline) => baseline::role_baseline(look, data_from, &mut evidence),
            Some(Builtin::InstanceStory) => instances::instance_story(look, &mut evidence),
            Some(Builtin::SessionReach) => reach::session_reach(look, &mut evidence),
            Some(Builtin::Origin) => origin::origin(look, &mut evidence),
            None if step.id.as_deref() == Some("related") => related::related(look, &mut evidence),
            None => {}
        }
        let mut lacking: Vec<&str> =
            step.uses.iter().map(String::as_str).filter(|name| self.case.all(name).is_empty()).collect();
        let mut ran = builtin.is_some();
        for it in self.planned.iter().filter(|it| it.step == Some(at)) {
            match &it.state {
                State::Asked { number, text, from, to, cut } => {
                    ran = true;
                    let range = evidence.range.unwrap_or((*from, *to));
                    evidence.range = Some((range.0.min(*from), range.1.max(*to)));
                    let Some(answer) = answers.get(*number) else { continue };
                    for name in cut {
                        evidence.lacks(
                            Lack::Truncated,
                            say!(
                                l,
                                "the query asks for the first {} values of {} only",
                                QUERY_VALUES_MAX,
                                name
                            ),
                        );
                    }
                    if answer.is_cut() {
                        evidence.lacks(
                            Lack::Truncated,
                            say!(
                                l,
                                "{} of {} events were looked at, those nearest to the alert",
                                answer.events.len(),
                                answer.total
                            ),
                        );
                    }
                    let id = it.query.id.as_deref().unwrap_or("query");
                    // What a computation has shown already is not shown again.
                    if !evidence.results.iter().any(|known| known.id == id) && it.query.show != Show::Compare
                    {
                        evidence.results.push(shown(l, &self.case, it.query, text, answer, book));
                    }
                }
                State::Open(name) => {
                    let name = name.strip_prefix("case.").unwrap_or(name);
                    if !lacking.contains(&name) {
                        lacking.push(name);
                    }
                }
                State::Failed(reason) => {
                    evidence.lacks(
                        Lack::NoQuery,
                        say!(
                            l,
                            "the query {} cannot be asked: {}",
                            fill::shown(it.query.id.as_deref().unwrap_or("query")),
                            reason
                        ),
                    );
                }
            }
        }
        // A user has no role, and that is nothing that could be found.
        let is_expected = |name: &str| {
            ["role_arn", "role_name", "user_arn", "home_instance", "session_name"].contains(&name)
        };
        for name in lacking.into_iter().filter(|it| !ran || !is_expected(it)) {
            evidence.lacks(Lack::NoValue, say!(l, "no value for {}", fill::shown(name)));
        }
        for found in &mut evidence.results {
            if found.total > found.rows.len() as u64 {
                let text = say!(l, "{} of {} rows of `{}` shown", found.rows.len(), found.total, found.id);
                evidence.missing.push(crate::evidence::Missing { lack: Lack::Truncated, text });
            }
        }
        if let Some(command) = &step.command {
            let is_role = command.contains("{{case.role_");
            let command = fill::shell(command, &self.case.values, l);
            // The command of a computation, which decodes a message, has its values already.
            if evidence.command.is_none() && !(is_role && self.case.get("role_arn").is_empty()) {
                evidence.command = Some(command);
            }
        }
        evidence
    }
}

/// A step of a guide that has the name of a computation is one.
fn of_name(id: Option<&str>) -> Option<Builtin> {
    Some(match id? {
        "identity" => Builtin::SessionChain,
        "request" => Builtin::RefusalReason,
        "behaviour" => Builtin::RoleBaseline,
        "instances" => Builtin::InstanceStory,
        "lateral" => Builtin::SessionReach,
        "origin" => Builtin::Origin,
        _ => return None,
    })
}

/// What a query found, as it wants to be shown.
fn shown(
    l: GuideLanguage,
    case: &Case,
    query: &StepQuery,
    text: &str,
    answer: &Answer,
    book: &Book<'_>,
) -> Found {
    let id = query.id.as_deref().unwrap_or("query");
    let limit = query.limit.map_or(ROWS_MAX, |it| it as usize);
    let events = || answer.events.iter().map(|it| &**it);
    let is_own = |it: &Event| case.is_own(it);
    let cell = |event: &Event, path: &str| match path {
        "@timestamp" => time(event.time),
        "event.id" => event.id.to_string(),
        path => book.place(path).map_or_else(String::new, |at| event.text_at(at)),
    };
    let mut found = match query.show {
        Show::Count => Found {
            id: id.to_owned(),
            show: "count",
            columns: heads!["count", "first", "last"],
            rows: vec![Row {
                cells: vec![
                    answer.total.to_string(),
                    answer.span.map(|it| time(it.0)).unwrap_or_default(),
                    answer.span.map(|it| time(it.1)).unwrap_or_default(),
                ],
                events: ids(events()),
                count: answer.total,
                is_own: false,
            }],
            total: 1,
            ..Found::default()
        },
        Show::Timeline | Show::Chain => related::timeline(l, id, events(), is_own),
        Show::Values | Show::Compare => match query.columns.as_slice() {
            [] => {
                tally(l, id, &heads!["identity"][0], events(), |it| short(it.identity()).to_owned(), is_own)
            }
            columns => {
                let value =
                    |it: &Event| columns.iter().map(|path| cell(it, path)).collect::<Vec<_>>().join(" · ");
                tally(l, id, &columns.join(" · "), events(), value, is_own)
            }
        },
        Show::Table => {
            let default = [
                "@timestamp",
                "event.provider",
                "event.action",
                "event.outcome",
                Field::Arn.path(),
                "source.address",
            ];
            let columns: Vec<String> = if query.columns.is_empty() {
                default.map(str::to_owned).to_vec()
            } else {
                query.columns.clone()
            };
            let rows = events().take(limit).map(|event| Row {
                cells: columns.iter().map(|path| cell(event, path)).collect(),
                events: vec![event.id.to_string()],
                count: 1,
                is_own: is_own(event),
            });
            Found {
                id: id.to_owned(),
                show: "table",
                rows: rows.collect(),
                total: answer.events.len() as u64,
                columns,
                ..Found::default()
            }
        }
    };
    found.rows.truncate(limit);
    found.query = Some(text.to_owned());
    found.events = answer.total;
    found
}

/// A window of a step, in milliseconds.
fn span_of(text: &str) -> Millis {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let number: Millis = digits.parse().unwrap_or(0);
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => 0,
    };
    number.saturating_mul(unit)
}
