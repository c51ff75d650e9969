//! Our side: hunts over the files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use detect::{AlertSeed, Detail, KnownAlerts, Mode, SeedEvent};
use ecs::Millis;
use hunt::{Found, HuntError, HuntOptions, Progress};
use rule::{Rule, Selection};
use serde_json::Value;

use super::corpus;
use super::question::{Range, term};
use crate::differential::Answer;

/// So many alerts of a hunt have their documents compared as well: to build them all would take most of the time.
const DOCUMENTS_MAX: usize = 300;

/// What hunts have in common.
#[derive(Debug)]
pub(in crate::differential) struct Hunter {
    pub(super) now: Millis,
    threads: usize,
}

/// What came of one rule, by its `rule_id`.
pub(in crate::differential) type Outcomes = BTreeMap<String, Result<Alerts, String>>;

/// The alerts of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::differential) struct Alerts {
    pub(in crate::differential) seeds: Vec<AlertSeed>,
    /// Their documents, unless there are too many; not in the order of the seeds.
    documents: Option<Vec<String>>,
}

impl Hunter {
    /// As of now, with as many threads as there are processors.
    pub(in crate::differential) fn new() -> Self {
        Self {
            now: jiff::Timestamp::now().as_millisecond(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Hunts once with all of the rules together.
    pub(super) fn hunt(&self, paths: &[PathBuf], rules: Vec<Rule>, range: Range) -> anyhow::Result<Outcomes> {
        self.run(paths, rules, Mode::Once { from: range.from, to: range.to }, Some(u32::MAX))
    }

    /// Executes all of the rules as they are scheduled.
    pub(in crate::differential) fn replay(
        &self,
        paths: &[PathBuf],
        rules: Vec<Rule>,
    ) -> anyhow::Result<Outcomes> {
        self.run(paths, rules, Mode::Replay { since: None, until: None }, None)
    }

    fn run(
        &self,
        paths: &[PathBuf],
        rules: Vec<Rule>,
        mode: Mode,
        max_signals: Option<u32>,
    ) -> anyhow::Result<Outcomes> {
        if rules.is_empty() {
            return Ok(Outcomes::new());
        }
        let options = HuntOptions {
            identities: hunt::Identities::Asked,
            paths: paths.to_vec(),
            stored: Vec::new(),
            rules: Selection::all(rules),
            exceptions: rule::Exceptions::default(),
            mode,
            max_signals,
            known: KnownAlerts::default(),
            normalise: corpus::normalise(),
            limits: reader::Limits::default(),
            threads: self.threads,
            block_rows: 0,
            watch: false,
            span: None,
            as_live: None,
            evidence_bytes: hunt::EVIDENCE_BYTES,
            now: self.now,
            version: env!("CARGO_PKG_VERSION"),
        };
        let found = match hunt::hunt(&options, &mut std::io::empty(), &Progress::default()) {
            Ok(found) => found,
            Err(HuntError::AllRefused(refused)) => {
                let reasons = refused.into_iter().map(|it| (it.rule.rule_id.clone(), Err(it.reason)));
                return Ok(reasons.collect());
            }
            Err(error) => return Err(error.into()),
        };
        let mut outcomes: Outcomes =
            found.refused.iter().map(|it| (it.rule.rule_id.clone(), Err(it.reason.clone()))).collect();
        let mut documents = documents(&found);
        for ran in found.rules {
            let rule_id = ran.rule.rule_id.clone();
            let documents = documents.as_mut().map(|all| all.remove(&rule_id).unwrap_or_default());
            outcomes.insert(rule_id, Ok(Alerts { seeds: ran.outcome.alerts, documents }));
        }
        Ok(outcomes)
    }
}

/// The documents of each rule's alerts, unless there are too many.
fn documents(found: &Found) -> Option<BTreeMap<String, Vec<String>>> {
    if found.alert_count() > DOCUMENTS_MAX {
        return None;
    }
    let mut documents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    found.alerts(
        &[],
        |alert| {
            let mut text = String::new();
            alert.write_json(&mut text);
            text
        },
        |alerts| {
            for text in alerts {
                let rule = serde_json::from_str::<Value>(&text).ok();
                let rule =
                    rule.as_ref().and_then(|it| it["kibana.alert.rule.rule_id"].as_str()).unwrap_or_default();
                documents.entry(rule.to_owned()).or_default().push(text);
            }
        },
    );
    Some(documents)
}

impl Alerts {
    /// The events, or the terms with the times of the events.
    pub(super) fn answer(&self) -> Answer {
        Answer::found(self.seeds.iter().map(|seed| match &seed.detail {
            Detail::Event => corpus::name(&seed.event.index, &seed.event.id),
            Detail::NewTerms(values) => term(values.iter().cloned(), seed.event.timestamp),
            Detail::Threshold(result) => {
                term(result.terms.iter().map(|(_, value)| value.clone()), seed.event.timestamp)
            }
            Detail::Row(row) => {
                let columns = row.columns.iter().map(|(name, value)| format!("{name}={value}"));
                columns.collect::<Vec<_>>().join(" ")
            }
            Detail::Sequence(_) => {
                let events = seed.events().map(|it| corpus::name(&it.index, &it.id));
                events.collect::<Vec<_>>().join(" ")
            }
        }))
    }

    /// Whether these are the same alerts, with the same documents where both have them.
    pub(super) fn are(&self, others: &Self) -> bool {
        let alike = match (&self.documents, &others.documents) {
            (Some(documents), Some(others)) => documents == others,
            (Some(_), None) | (None, _) => true,
        };
        alike && self.told() == others.told()
    }

    /// What is said of each alert. Not where its record was read: files are numbered as they are opened.
    fn told(&self) -> Vec<String> {
        let told = |seed: &AlertSeed| {
            let AlertSeed { id, event, execution, detail, suppressed } = seed;
            let SeedEvent { id: event, index, timestamp, .. } = event;
            format!("{id}: {index}/{event} at {timestamp}, {execution:?}, {detail:?}, {suppressed:?}")
        };
        self.seeds.iter().map(told).collect()
    }

    /// What is not the same, in a line for each side.
    pub(super) fn difference(&self, others: &Self) -> String {
        let of_documents = |alerts: &Self| alerts.documents.clone().unwrap_or_default();
        let (ours, theirs) = match (self.told(), others.told()) {
            (ours, theirs) if ours == theirs => (of_documents(self), of_documents(others)),
            told => told,
        };
        let only = |these: &[String], those: &[String]| {
            these
                .iter()
                .find(|it| !those.contains(it))
                .cloned()
                .unwrap_or_else(|| "the same, in another order".to_owned())
        };
        format!(
            "{} alerts, {}\n  {} alerts, {}",
            ours.len(),
            only(&ours, &theirs),
            theirs.len(),
            only(&theirs, &ours)
        )
    }
}
