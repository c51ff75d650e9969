//! `cargo xtask differential --executions TYPE`: executions of random rules over small random data.
//!
//! Many cases share an index of the node and a hunt here: each is a rule that asks for its own number, with a handful of
//! events. The hunt replays the rules' schedules. For every execution that sees an event, the node answers the searches
//! and aggregations with which Elastic's engine decides it; what that engine does with the answers is done here, plainly:
//! one execution after the other, alerts that exist already left out, `max_signals` kept. Both must give the same alerts
//! in the same order.

mod case;
mod new_terms;
mod threshold;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use detect::{AlertSeed, Detail};
use ecs::{Catalog, Millis};
use fastrand::Rng;
use rule::Rule;
use serde_json::{Value, json};

use self::case::{Case, Window};
use super::Args;
use super::indices::{Found, Indices};
use super::rules::hunts::{Hunter, Outcomes};
use super::rules::own_translation;

/// How many rules are compared, if nothing else is said.
const CASES: usize = 10_000;
/// Cases that share an index and a hunt.
const BATCH: usize = 250;
/// Searches of one request.
const SEARCHES: usize = 1_000;
/// The index on the node, and in the documents.
const INDEX: &str = "trailwarden-differential-executions";

/// The types of rules whose executions can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Kind {
    /// New terms.
    NewTerms,
    /// Groups of so many events.
    Threshold,
}

/// An execution, as the node is asked about it.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    rule: &'a Rule,
    /// The rule's query as Query DSL.
    condition: &'a Value,
    window: Window,
}

impl Asked<'_> {
    /// The field of times that the rule goes by.
    fn time_field(&self) -> &str {
        self.rule.timestamp_override.as_deref().unwrap_or("@timestamp")
    }

    /// The events that the rule's query lets through in a range, both ends included.
    fn events(&self, from: Millis, to: Millis) -> Value {
        let range = json!({"gte": from, "lte": to, "format": "epoch_millis"});
        json!({"bool": {"filter": [self.condition, {"range": {self.time_field(): range}}]}})
    }
}

/// What an execution would say, if nothing was said before: the event, and what is special to the type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    event: String,
    detail: String,
}

/// The alerts of a rule by the executions that raised them.
type Alerts = BTreeMap<Millis, Vec<Said>>;

/// Both sides.
struct Sides {
    kind: Kind,
    indices: Indices,
    hunter: Hunter,
    catalog: Arc<Catalog>,
    folder: PathBuf,
}

/// Runs the comparison; an error if anything differed.
pub(super) fn run(args: &Args, kind: Kind) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(args.seed);
    let catalog = Catalog::ecs();
    let folder = std::env::temp_dir().join(format!("trailwarden-executions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let indices = Indices::new(&args.elasticsearch, &catalog)?;
    let mut sides = Sides { kind, indices, hunter: Hunter::new(), catalog, folder };
    let result = compare_all(args, &mut sides, &mut rng);
    sides.indices.clear()?;
    std::fs::remove_dir_all(&sides.folder)?;
    result
}

fn compare_all(args: &Args, sides: &mut Sides, rng: &mut Rng) -> anyhow::Result<()> {
    let all = args.cases.unwrap_or(CASES);
    let (mut done, mut executions, mut alerts, mut silent, mut cut, mut shown) = (0, 0, 0, 0, 0, 0);
    let mut different = 0;
    while done < all {
        let count = BATCH.min(all - done);
        let cases: Vec<Case> =
            (0..count).map(|number| Case::random(sides.kind, number, rng)).collect::<anyhow::Result<_>>()?;
        let compared = sides.compare(&cases)?;
        for (case, compared) in cases.iter().zip(&compared) {
            executions += compared.windows;
            alerts += compared.theirs.values().map(Vec::len).sum::<usize>();
            silent += usize::from(compared.theirs.is_empty());
            cut += compared.cut;
            if compared.differs() {
                different += 1;
                if shown < args.show {
                    shown += 1;
                    println!("{}", sides.explain(case)?);
                }
            }
        }
        done += count;
        eprintln!("{done} of {all} rules: {different} differ");
    }
    println!(
        "{done} rules, seed {}: {executions} executions, {alerts} alerts of theirs, {silent} rules without any, {cut} \
         executions cut at max_signals, {different} rules different",
        args.seed
    );
    anyhow::ensure!(different == 0, "{different} rules alert differently");
    Ok(())
}

/// What the two sides make of a case.
#[derive(Debug)]
struct Compared {
    windows: usize,
    /// Executions that reached the limit.
    cut: usize,
    theirs: Alerts,
    ours: Result<Alerts, String>,
}

impl Compared {
    fn differs(&self) -> bool {
        self.ours.as_ref() != Ok(&self.theirs)
    }
}

impl Sides {
    /// Lets both sides answer the cases.
    fn compare(&mut self, cases: &[Case]) -> anyhow::Result<Vec<Compared>> {
        self.load(cases)?;
        let mut ours = self.hunt(cases)?;
        let conditions: Vec<Value> = cases
            .iter()
            .map(|case| own_translation(&case.rule.query, &self.catalog).map_err(anyhow::Error::msg))
            .collect::<anyhow::Result<_>>()?;
        let windows: Vec<Vec<Window>> = cases.iter().map(Case::windows).collect();
        let rules: Vec<(&Rule, &Value, &[Window])> = cases
            .iter()
            .zip(&conditions)
            .zip(&windows)
            .map(|((case, condition), windows)| (&case.rule, condition, windows.as_slice()))
            .collect();
        let theirs = match self.kind {
            Kind::NewTerms => new_terms(&mut self.indices, &rules)?,
            Kind::Threshold => threshold::execute(&mut self.indices, &rules)?,
        };
        let mut compared = Vec::with_capacity(cases.len());
        for ((case, windows), (theirs, cut)) in cases.iter().zip(&windows).zip(theirs) {
            let ours = match ours.remove(&case.rule.rule_id) {
                Some(Ok(alerts)) => Ok(of_seeds(&alerts.seeds)),
                Some(Err(reason)) => Err(reason),
                None => Err("the hunt did not run it".to_owned()),
            };
            compared.push(Compared { windows: windows.len(), cut, theirs, ours });
        }
        Ok(compared)
    }

    fn load(&mut self, cases: &[Case]) -> anyhow::Result<()> {
        self.indices.renew(INDEX, Found::ByName)?;
        let mut lines = String::new();
        for (id, document) in cases.iter().flat_map(|case| &case.documents) {
            let action = json!({"index": {"_index": INDEX, "_id": id}});
            let _ = write!(lines, "{action}\n{}\n", Value::Object(document.clone()));
        }
        let refused = self.indices.index(&lines)?.into_iter().flatten().next();
        anyhow::ensure!(refused.is_none(), "the node refuses a document: {refused:?}");
        Ok(())
    }

    fn hunt(&self, cases: &[Case]) -> anyhow::Result<Outcomes> {
        let path = self.folder.join("documents.ndjson");
        let mut lines = String::new();
        for (id, document) in cases.iter().flat_map(|case| &case.documents) {
            let _ = writeln!(lines, "{}", json!({"_index": INDEX, "_id": id, "_source": document}));
        }
        std::fs::write(&path, lines).with_context(|| path.display().to_string())?;
        self.hunter.replay(&[path], cases.iter().map(|case| case.rule.clone()).collect())
    }

    /// Tells a difference, with as few events as still show it.
    fn explain(&mut self, case: &Case) -> anyhow::Result<String> {
        let mut case = case.clone();
        let mut at = 0;
        while at < case.documents.len() {
            let mut smaller = case.clone();
            smaller.documents.remove(at);
            let still = !smaller.documents.is_empty()
                && self.compare(std::slice::from_ref(&smaller))?.iter().any(Compared::differs);
            if still { case = smaller } else { at += 1 }
        }
        let compared = self.compare(std::slice::from_ref(&case))?.remove(0);
        let mut out = format!("rule {}\n", Value::Object(case.told()));
        for (id, document) in &case.documents {
            let _ = writeln!(out, "  {id}: {}", Value::Object(document.clone()));
        }
        let none = Vec::new();
        let ours = match &compared.ours {
            Ok(alerts) => alerts,
            Err(reason) => {
                let _ = writeln!(out, "  ours: refused: {reason}");
                return Ok(out);
            }
        };
        let windows: BTreeMap<Millis, Window> =
            case.windows().into_iter().map(|it| (it.started_at, it)).collect();
        let executions: BTreeSet<&Millis> = compared.theirs.keys().chain(ours.keys()).collect();
        for execution in executions {
            let (theirs, ours) =
                (compared.theirs.get(execution).unwrap_or(&none), ours.get(execution).unwrap_or(&none));
            if theirs != ours {
                let window = windows.get(execution).map_or_else(
                    || format!("{}, which sees no event", ecs::date::to_iso(*execution)),
                    ToString::to_string,
                );
                let _ =
                    writeln!(out, "  execution at {window}\n    theirs: {theirs:?}\n    ours:   {ours:?}");
            }
        }
        Ok(out)
    }
}

/// The alerts of rules about new terms, and how many executions had more to say: no execution depends on another but for
/// what was said already, so all are asked together.
fn new_terms(
    indices: &mut Indices,
    rules: &[(&Rule, &Value, &[Window])],
) -> anyhow::Result<Vec<(Alerts, usize)>> {
    let asked: Vec<Asked<'_>> = rules
        .iter()
        .flat_map(|&(rule, condition, windows)| {
            windows.iter().map(move |&window| Asked { rule, condition, window })
        })
        .collect();
    let mut said = new_terms::ask(indices, &asked)?.into_iter();
    let of_rule = |&(rule, _, windows): &(&Rule, &Value, &[Window])| {
        executed(rule, windows.iter().copied().zip(said.by_ref()).collect())
    };
    Ok(rules.iter().map(of_rule).collect())
}

/// One execution after the other: what was said is not said again, and takes nothing of the budget.
fn executed(rule: &Rule, executions: Vec<(Window, Vec<Said>)>) -> (Alerts, usize) {
    let (mut alerts, mut created, mut cut) = (Alerts::new(), BTreeSet::new(), 0);
    for (window, candidates) in executions {
        let fresh: Vec<Said> = candidates.into_iter().filter(|said| !created.contains(said)).collect();
        let budget = rule.max_signals as usize;
        cut += usize::from(fresh.len() > budget);
        for said in fresh.into_iter().take(budget) {
            created.insert(said.clone());
            alerts.entry(window.started_at).or_default().push(said);
        }
    }
    (alerts, cut)
}

/// Our alerts in the same form.
fn of_seeds(seeds: &[AlertSeed]) -> Alerts {
    let mut alerts = Alerts::new();
    for seed in seeds {
        let detail = match &seed.detail {
            // No pipelines are asked here.
            Detail::Event | Detail::Sequence(_) | Detail::Row(_) => String::new(),
            Detail::NewTerms(values) => case::values(values),
            Detail::Threshold(it) => {
                let terms: Vec<Value> = it.terms.iter().map(|(_, value)| value.clone()).collect();
                let cardinality = it.cardinality.as_ref().map(|(_, distinct)| *distinct);
                threshold::told(&terms, it.count, cardinality, it.from, it.to)
            }
        };
        // What is counted is no single event.
        let is_counted = matches!(seed.detail, Detail::Threshold(_));
        let event = if is_counted { String::new() } else { seed.event.id.clone() };
        let said = Said { event, detail };
        alerts.entry(seed.execution.started_at).or_default().push(said);
    }
    alerts
}

/// Asks in requests of a size that a small node bears.
fn search(indices: &mut Indices, bodies: Vec<Value>) -> anyhow::Result<Vec<Value>> {
    let searches: Vec<(&str, Value)> = bodies.into_iter().map(|body| (INDEX, body)).collect();
    let mut answers = Vec::with_capacity(searches.len());
    for some in searches.chunks(SEARCHES) {
        answers.extend(indices.search(some)?);
    }
    for (answer, (_, body)) in answers.iter().zip(&searches) {
        if let Some(reason) = super::peers::refusal(answer) {
            anyhow::bail!("the node refuses a search: {reason}: {body}");
        }
    }
    Ok(answers)
}
