//! Why an event did or did not match.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use detect::{DataSpan, Fate, Mode};
use ecs::{Catalog, Millis, Object};
use identity::Graph;
use plan::Explanation;
use reader::Discovery;
use sift::Document;

use crate::Progress;
use crate::explain_alert::{self, RaisedAlert};
use crate::fate::fates;
use crate::find_event::{Reading, find};
use crate::gather::time_of;
use crate::identities;
use crate::run::{HuntError, HuntOptions, Refused, RunnableRules, prepare};
use crate::trouble::Trouble;

/// What one rule says of one event.
#[derive(Debug)]
pub struct Verdict {
    /// The rule.
    pub rule: Arc<rule::Rule>,
    /// Clause by clause, as of the execution that decided, or else of the first that sees the event.
    pub explanation: Explanation,
    /// When that execution starts, if some clause depends on it.
    pub execution: Option<Millis>,
    /// What the rule's executions made of the event, if it may match.
    pub fates: Vec<Fate>,
}

impl Verdict {
    /// What the rule's conditions say in the execution that starts then of the event that looks so to them.
    pub(crate) fn new(
        rule: &Arc<rule::Rule>,
        conditions: &[plan::Condition],
        searched: &Object,
        execution: Millis,
        is_own: bool,
        fates: Vec<Fate>,
    ) -> Self {
        let mut explanation = any_of(conditions.iter().map(|it| it.explain(execution, searched)).collect());
        let execution = conditions.iter().any(plan::Condition::reads_clock).then_some(execution);
        if is_own {
            explanation = own_alert(explanation, rule);
        }
        Self { rule: Arc::clone(rule), explanation, execution, fates }
    }

    /// How many of the conditions that must all hold do not: how far the event is from a match.
    pub fn failed(&self) -> usize {
        match (&self.explanation.verdict, self.explanation.clause.as_str()) {
            (true, _) => 0,
            (false, "and") => self.explanation.parts.iter().filter(|it| !it.verdict).count(),
            (false, _) => 1,
        }
    }
}

/// What the rules say of the events with one id.
#[derive(Debug)]
pub struct Explained {
    /// The id.
    pub event_id: String,
    /// Each event with that id, and the rules' verdicts: those that come nearest first. Of an alert that the hunt itself
    /// raises, the verdicts are those of the rules over alerts.
    pub events: Vec<(Document, Vec<Verdict>)>,
    /// How the alert came about that has the id, if it is one that the hunt itself raises.
    pub raised: Option<RaisedAlert>,
    /// The rules that cannot run.
    pub refused: Vec<Refused>,
    /// What could not be read, so that the event may have been there: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// What else the user should know of the paths.
    pub notices: Vec<String>,
}

/// Finds the events with an id, or with the only id that begins so, and explains what each rule says of them. If there is
/// none, the rules are executed, and the id is that of an alert.
pub fn explain(
    options: &HuntOptions,
    event_id: &str,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<Explained, HuntError> {
    let catalog = Catalog::ecs();
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    let prepared = prepare(options, &catalog);
    let reading = Reading {
        normalise: &options.normalise,
        limits: &options.limits,
        threads: options.threads,
        now: options.now,
    };
    let (found, troubles) = find(event_id, &discovery, &reading, progress)?;
    let event_id = found.first().map_or_else(|| event_id.to_owned(), |(_, it)| it.id.clone());
    let event_id = event_id.as_str();
    let name = |input: u32| discovery.inputs.get(input as usize).map_or("", |it| it.name()).to_owned();
    let (troubles, trouble_count) = troubles.finish(name);
    let notices = discovery.notices.iter().map(ToString::to_string).collect();
    if found.is_empty() {
        let alert = explain_alert::explain(options, event_id, &prepared, discovery, progress)?;
        let refused = prepared.refused;
        let (raised, event) = alert.map_or((None, None), |(raised, event)| (Some(raised), Some(event)));
        let events: Vec<(Document, Vec<Verdict>)> = event.into_iter().collect();
        let event_id = events.first().map_or(event_id, |(it, _)| &it.id).to_owned();
        return Ok(Explained { event_id, events, raised, refused, troubles, trouble_count, notices });
    }
    let (fates, data, graph) = fates_of(&prepared, &found, event_id, &discovery, options, progress);
    let events = found
        .into_iter()
        .map(|(_, document)| {
            let lineage = ecs::alert::lineage(&document.source);
            let mut searched = searched(&document);
            let timestamp = ecs::document::timestamp(&document.source).unwrap_or(options.now);
            let mut verdicts: Vec<Verdict> = Vec::with_capacity(prepared.rules.len());
            for (rule, (conditions, tail)) in prepared.conditions.iter().zip(&prepared.tails).enumerate() {
                let fates = fates.get(&rule).cloned().unwrap_or_default();
                let first_seeing = || match (options.mode, &data) {
                    (Mode::Once { to: None, .. }, Some(data)) => data.last,
                    (Mode::Once { .. } | Mode::Replay { .. }, _) => {
                        tail.first_seeing(time_of(tail, &document.source, timestamp))
                    }
                };
                let execution = fates.iter().find_map(Fate::execution).unwrap_or_else(first_seeing);
                if tail.asks_who() {
                    identities::put(&graph, execution.max(timestamp), &mut searched);
                }
                let is_own = tail.is_own(&lineage);
                let rule = &prepared.rules[rule];
                verdicts.push(Verdict::new(rule, conditions, &searched, execution, is_own, fates));
            }
            verdicts.sort_by_key(Verdict::failed);
            (document, verdicts)
        })
        .collect();
    let event_id = event_id.to_owned();
    Ok(Explained {
        event_id,
        events,
        raised: None,
        refused: prepared.refused,
        troubles,
        trouble_count,
        notices,
    })
}

/// The document as filters see it.
pub(crate) fn searched(document: &Document) -> Object {
    let mut searched = document.source.clone();
    searched.insert("_id".to_owned(), document.id.clone().into());
    searched.insert("_index".to_owned(), document.index.clone().into());
    searched
}

/// For each rule that one of the documents may match, by its number, what became of it; and what the data span, if somebody
/// has looked.
fn fates_of(
    prepared: &RunnableRules,
    found: &[((u32, u64), Document)],
    event_id: &str,
    discovery: &Discovery,
    options: &HuntOptions,
    progress: &Progress,
) -> (HashMap<usize, Vec<Fate>>, Option<DataSpan>, Graph) {
    let documents: Vec<Object> = found.iter().map(|(_, it)| searched(it)).collect();
    let matching = |filter: &plan::Expr| documents.iter().any(|it| plan::naive::matches(filter, it));
    let matching = |rule: &usize| prepared.filters[*rule].iter().any(matching);
    let matching: Vec<usize> = (0..prepared.rules.len()).filter(matching).collect();
    if matching.is_empty() {
        return (HashMap::new(), None, Graph::default());
    }
    let rules = matching.iter().map(|&it| (prepared.filters[it].clone(), prepared.tails[it].clone()));
    let (fates, data, graph) = fates(rules.collect(), event_id, discovery, options, progress);
    (matching.into_iter().zip(fates).collect(), data, graph)
}

/// Of a rule with several filters, in the order of its query, one is enough to be looked at.
fn any_of(mut filters: Vec<Explanation>) -> Explanation {
    if filters.len() == 1 {
        return filters.remove(0);
    }
    let verdict = filters.iter().any(|it| it.verdict);
    Explanation { clause: "or".to_owned(), verdict, seen: Vec::new(), parts: filters }
}

/// Whatever the filter says, the event is an alert of the rule or comes from one.
fn own_alert(filter: Explanation, rule: &rule::Rule) -> Explanation {
    let own = Explanation {
        clause: "not an alert of this rule, nor one that comes from such an alert".to_owned(),
        verdict: false,
        seen: vec![rule.id.clone()],
        parts: Vec::new(),
    };
    Explanation { clause: "and".to_owned(), verdict: false, seen: Vec::new(), parts: vec![own, filter] }
}
