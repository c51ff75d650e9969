//! What was answered, told step by step.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ecs::Millis;
use identity::Graph;
use rule::{Builtin, GuideLanguage, Show, Step, StepQuery};

use crate::book::Book;
use crate::event::{Event, Field, place};
use crate::evidence::{Evidence, Found, Investigation, Lack, Row};
use crate::fill::{self, QUERY_VALUES_MAX, Values};
use crate::look::{DAY, Joined, Look, MINUTE, ROWS_MAX, ids, short, some, tally, time};
use crate::outline::{grade, sentence};
use crate::prose::Embedded;
use crate::run::{Options, Planned, REACH_MAX, State, Work};
use crate::say::{heads, say, term, word};
use crate::source::Answer;
use crate::{baseline, chain, harmless, instances, origin, prevalence, reach, reason, related, tactics};

/// CloudTrail delivers with delay.
const LATE: Millis = 15 * MINUTE;

impl Work<'_> {
    /// The investigation of an alert, by all answers.
    pub(crate) fn finish(
        mut self,
        answers: &[Answer],
        graph: &Graph,
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
            let here = whole.iter().filter(|(it, _)| it.step.is_none() == hidden && it.embedded.is_none());
            for (it, answer) in here {
                if let Some(id) = it.query.id.as_deref() {
                    let id = match id {
                        "behaviour-user" => "behaviour",
                        "used-user" => "used",
                        id => id,
                    };
                    by_id.insert(id, answer);
                }
            }
        }
        if let Some(answer) = by_id.get("session") {
            self.case.find_start(&answer.events);
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
            who: self.alert.who.who(),
            facts: Vec::new(),
            deviations: Vec::new(),
            chain_events: OnceCell::new(),
            chain_marks: OnceCell::new(),
            chain_ids: OnceCell::new(),
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
        // Without an account nothing was asked.
        if !around.is_empty() && around.iter().all(|it| it.total == 0) {
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
        let mut steps = self.in_prose(steps, l, answers, book);
        grade(&mut look);
        look.facts.sort_by(|a, b| a.name.cmp(b.name));
        look.facts.dedup_by(|a, b| a.name == b.name);
        look.deviations.dedup();
        let wanted = |it: &Evidence| {
            options.steps.is_empty()
                || it.id.as_ref().is_some_and(|id| options.steps.iter().any(|wanted| wanted == id))
        };
        steps.retain(wanted);
        let cut: Vec<String> = steps
            .iter()
            .flat_map(|it| &it.results)
            .filter(|it| it.total > it.rows.len() as u64)
            .map(|it| say!(l, "{} ({})", fill::shown(word(l, &it.id)), it.total))
            .collect();
        if !cut.is_empty() {
            let text = say!(l, "of some tables the first {} rows are here: {}", ROWS_MAX, some(l, &cut, 12));
            missing.lacks(Lack::Truncated, text);
        }
        let (facts, deviations) = (look.facts, look.deviations);
        let mut investigation = Investigation {
            id: self.alert.id.clone(),
            rule: self.alert.rule.clone(),
            sentence: sentence(&self.case, &facts, l),
            deviations,
            steps,
            facts,
            missing: missing.missing,
            harmless: Vec::new(),
            exception: None,
            anchor: (self.case.first, self.case.last),
            severity: self.alert.severity.clone(),
            values: Values::default(),
        };
        investigation.harmless = harmless::checklists(&investigation, self.alert.rule.as_deref(), l);
        let rule = self.alert.rule.as_deref();
        investigation.exception = rule.and_then(|it| harmless::exception(&self.case, &it.rule_id, options));
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
                chain::session_chain(look, &chain, data_from, &mut evidence);
                baseline::used(look, &mut evidence);
            }
            Some(Builtin::RefusalReason) => reason::refusal_reason(look, &mut evidence),
            Some(Builtin::RoleBaseline) => baseline::role_baseline(look, data_from, &mut evidence),
            Some(Builtin::InstanceStory) => instances::instance_story(look, &mut evidence),
            Some(Builtin::SessionReach) => reach::session_reach(look, &mut evidence),
            Some(Builtin::Origin) => origin::origin(look, &mut evidence),
            Some(Builtin::Prevalence) => prevalence::prevalence(look, &mut evidence),
            None if step.id.as_deref() == Some("related") => related::related(look, &mut evidence),
            None => tactics::tell(step.id.as_deref().unwrap_or_default(), look, &mut evidence),
        }
        let lacking: Vec<&str> =
            step.uses.iter().map(String::as_str).filter(|name| self.case.all(name).is_empty()).collect();
        let its = self.planned.iter().filter(|it| it.step == Some(at));
        self.queries(its, builtin.is_some(), lacking, &mut evidence, l, answers, book);
        evidence.data_from = data_from.filter(|from| evidence.range.is_some_and(|range| *from > range.0));
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

    /// What a guide in prose says, with the steps at their places in it; the others after it.
    fn in_prose(
        &self,
        steps: Vec<Evidence>,
        l: GuideLanguage,
        answers: &[Answer],
        book: &Book<'_>,
    ) -> Vec<Evidence> {
        let mut left: Vec<Option<Evidence>> = steps.into_iter().map(Some).collect();
        let mut out = Vec::new();
        for piece in &self.alert.prose.pieces {
            let mut evidence = Evidence {
                text: piece.text.clone(),
                is_prose: true,
                missing: piece.missing.clone(),
                snippets: piece.snippets.clone(),
                ..Evidence::default()
            };
            let wanted: Vec<&Embedded> =
                piece.queries.iter().map(|&at| &self.alert.prose.queries[at]).collect();
            let its = self.planned.iter().filter(|it| {
                it.embedded.is_some_and(|it| wanted.iter().any(|wanted| std::ptr::eq(*wanted, it)))
            });
            self.queries(its, false, Vec::new(), &mut evidence, l, answers, book);
            out.push(evidence);
            for step in &piece.steps {
                let found =
                    left.iter_mut().find(|it| it.as_ref().is_some_and(|it| it.id.as_deref() == Some(step)));
                out.extend(found.and_then(Option::take));
            }
        }
        out.extend(left.into_iter().flatten());
        out
    }

    /// The answers to queries as evidence.
    #[expect(clippy::too_many_arguments, reason = "a step and a piece of prose show the same")]
    fn queries<'q>(
        &'q self,
        planned: impl Iterator<Item = &'q Planned<'q>>,
        mut ran: bool,
        mut lacking: Vec<&'q str>,
        evidence: &mut Evidence,
        l: GuideLanguage,
        answers: &[Answer],
        book: &Book<'_>,
    ) {
        for it in planned {
            match &it.state {
                State::Asked { number, text, from, to, cut, left } => {
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
                    for name in left {
                        let id = it.query.id.as_deref().unwrap_or(term!("query"));
                        evidence.lacks(
                            Lack::NoValue,
                            say!(
                                l,
                                "no value for {}: one of the alternatives of {} was left out",
                                fill::shown(name),
                                fill::shown(id)
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
                    let id = it.query.id.as_deref().unwrap_or(term!("query"));
                    // What a computation has shown already is not shown again.
                    if !evidence.results.iter().any(|known| known.id == id) && it.query.show != Show::Compare
                    {
                        evidence.results.push(self.shown(l, it.query, text, answer, book));
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
                            fill::shown(it.query.id.as_deref().unwrap_or(term!("query"))),
                            reason
                        ),
                    );
                }
            }
        }
        // A user has no role, and that is nothing that could be found.
        let is_expected = |name: &str| {
            [
                "role_arn",
                "role_name",
                "user_arn",
                "user_name",
                "home_instance",
                "session_name",
                "made_key",
                "instances",
                "src_ip",
                "source.ip",
                "chain_keys",
                "scope_resource",
                "session_key",
                "made_user",
                "made_role",
                "objects",
                "instance",
                "person",
            ]
            .contains(&name)
        };
        for name in lacking.into_iter().filter(|it| !ran || !is_expected(it)) {
            evidence.lacks(Lack::NoValue, say!(l, "no value for {}", fill::shown(name)));
        }
    }

    /// What a query found, as it wants to be shown.
    fn shown(
        &self,
        l: GuideLanguage,
        query: &StepQuery,
        text: &str,
        answer: &Answer,
        book: &Book<'_>,
    ) -> Found {
        let case = &self.case;
        let id = query.id.as_deref().unwrap_or(term!("query"));
        let limit = query.limit.map_or(ROWS_MAX, |it| it as usize);
        let events = || answer.events.iter().map(|it| &**it);
        let is_own = |it: &Event| case.is_own(it);
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
                [] => tally(
                    l,
                    id,
                    &heads!["identity"][0],
                    events(),
                    |it| place(it.identity()),
                    |it| Joined([short(it.identity())]),
                    is_own,
                ),
                columns => {
                    let cells = cells_of(columns, book);
                    let key = |it| cells.iter().map(|cell| cell.of(it)).collect::<Vec<Said<'_>>>();
                    let value = |it| key(it).iter().map(ToString::to_string).collect::<Vec<_>>().join(" · ");
                    tally(l, id, &columns.join(" · "), events(), key, value, is_own)
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
                let columns = match (query.columns.as_slice(), self.columns.as_slice()) {
                    ([], []) => default.map(str::to_owned).to_vec(),
                    ([], columns) | (columns, _) => columns.to_vec(),
                };
                let cells = cells_of(&columns, book);
                let rows = events().take(limit).map(|event| Row {
                    cells: cells.iter().map(|cell| cell.of(event).to_string()).collect(),
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
}

/// What a table shows of an event.
enum Cell {
    Time,
    Id,
    /// The values of the column at this place, if there is one.
    Column(Option<usize>),
}

/// The same of one event: a text that is made if it is shown.
#[derive(PartialEq, Eq, Hash)]
enum Said<'e> {
    Time(Millis),
    Id(&'e str),
    Values(&'e [Arc<str>]),
}

fn cells_of(columns: &[String], book: &Book<'_>) -> Vec<Cell> {
    let cell = |path: &String| match path.as_str() {
        "@timestamp" => Cell::Time,
        "event.id" => Cell::Id,
        path => Cell::Column(book.place(path)),
    };
    columns.iter().map(cell).collect()
}

impl Cell {
    fn of<'e>(&self, event: &'e Event) -> Said<'e> {
        match self {
            Self::Time => Said::Time(event.time),
            Self::Id => Said::Id(&event.id),
            Self::Column(place) => Said::Values(place.map_or(&[], |at| event.column(at))),
        }
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(at) => f.write_str(&time(*at)),
            Self::Id(id) => f.write_str(id),
            Self::Values(values) => f.write_str(&values.join(", ")),
        }
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
        "prevalence" => Builtin::Prevalence,
        "origin" => Builtin::Origin,
        _ => return None,
    })
}
