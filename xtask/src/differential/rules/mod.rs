//! `cargo xtask differential --rules DIR --data DIR`: whole rules over whole files, end to end.
//!
//! The documents of the data lie in a node under the mapping of the catalogue. Each rule's question is asked there, and
//! the answer compared with the events, or new terms, that a hunt over the files alerts on: first the rules as they are,
//! over all of the data, then changed ones over some of it. All rules of a round are hunted together, and again in random
//! groups and alone: a rule must alert the same whatever other rules are loaded.

mod corpus;
pub(super) mod hunts;
mod mutate;
mod node;
pub(super) mod question;
mod reduce;
mod tally;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use ecs::{Catalog, FieldType, Object};
use fastrand::Rng;
use rule::{Rule, Selection};
use serde_json::{Value, json};

use self::corpus::Corpus;
use self::hunts::{Hunter, Outcomes};
use self::mutate::Pool;
use self::node::Node;
use self::question::{NotAsked, Question, Range};
use self::tally::{Tally, Verdict};
use super::language::{Language, query_string};
use super::peers::Translator;
use super::world::pick;
use super::{Answer, Args, engine};

/// Changed rules of a round.
const ROUND: usize = 100;
/// Records that a round with changed rules has, about.
const RECORDS: usize = 1_500;
/// Events of a round that rules are aimed at.
const SAMPLES: usize = 200;
/// Rules of a round that are hunted all by themselves.
const ALONE: usize = 3;
/// Changed rules in the first of which the second is looked for in vain are given up.
const ATTEMPTS: usize = 20;

/// What a rule says of matching, without its prose.
const KEPT: &[&str] = &[
    "name",
    "severity",
    "risk_score",
    "type",
    "language",
    "query",
    "index",
    "filters",
    "from",
    "interval",
    "timestamp_override",
    "timestamp_override_fallback_disabled",
    "new_terms_fields",
    "history_window_start",
];

/// A rule, and where it comes from.
#[derive(Debug)]
struct Subject {
    rule: Rule,
    /// The file, or that of the rule that was changed.
    file: String,
    changes: Vec<String>,
}

/// Both sides, ready to answer.
struct Sides {
    node: Node,
    translator: Option<Translator>,
    hunter: Hunter,
    /// What Kibana knows of the fields.
    fields: Value,
    catalog: Arc<Catalog>,
    folder: PathBuf,
}

/// What the node makes of a rule: the question with its answer, or that the question itself is refused.
#[derive(Clone, Debug)]
struct Asked {
    question: Option<Question>,
    answer: Answer,
}

impl Sides {
    /// What the node finds for each rule. With `only`, it looks at that one document.
    fn theirs(
        &mut self,
        rules: &[&Rule],
        corpus: &Corpus,
        range: Range,
        only: Option<usize>,
    ) -> anyhow::Result<Vec<Result<Asked, NotAsked>>> {
        let translated = self.translate(rules)?;
        let indices = corpus.indices();
        let questions: Vec<Result<Result<Question, String>, NotAsked>> = rules
            .iter()
            .zip(translated)
            .map(|(rule, translated)| match translated {
                Ok(query) => Question::new(rule, &query, &indices, range).map(Ok),
                Err(reason) => Ok(Err(reason)),
            })
            .collect();
        let asked: Vec<Question> =
            questions.iter().filter_map(|it| it.as_ref().ok()?.as_ref().ok().cloned()).collect();
        let mut answers = self.node.ask(&asked, only)?.into_iter();
        let answer = |question: Result<Result<Question, String>, NotAsked>| {
            Ok(match question {
                Ok(Ok(question)) => {
                    let answer = answers.next().context("an answer is missing")?;
                    Ok(Asked { question: Some(question), answer })
                }
                Ok(Err(reason)) => Ok(Asked { question: None, answer: Answer::Refused(reason) }),
                Err(reason) => Err(reason),
            })
        };
        questions.into_iter().map(answer).collect()
    }

    /// The query of each rule as Query DSL, or why there is none.
    fn translate(&mut self, rules: &[&Rule]) -> anyhow::Result<Vec<Result<Value, String>>> {
        let of_kql = rules.iter().filter(|rule| Language::of(rule) == Some(Language::Kql));
        let queries: Vec<String> = of_kql.map(|rule| rule.query.clone()).collect();
        let translated = match &mut self.translator {
            Some(translator) => translator.translate(&queries, &self.fields)?,
            None => queries.iter().map(|query| own_translation(query, &self.catalog)).collect(),
        };
        let mut translated = translated.into_iter();
        let query = |rule: &&Rule| match Language::of(rule) {
            Some(Language::Kql) => translated.next().context("an answer is missing"),
            Some(Language::Lucene) => Ok(Ok(query_string(&rule.query))),
            // Such a rule has no question.
            None => Ok(Ok(Value::Null)),
        };
        rules.iter().map(query).collect()
    }

    /// How the two answers to a rule compare.
    fn compare(&mut self, rule: &Rule, asked: &Asked, ours: &Answer) -> anyhow::Result<Verdict> {
        let theirs = &asked.answer;
        if theirs.agrees(ours) {
            return Ok(match theirs {
                Answer::Refused(_) => Verdict::Refused,
                Answer::Found(found) if found.is_empty() => Verdict::Empty,
                Answer::Found(_) => Verdict::Found,
            });
        }
        if Language::of(rule)
            .is_some_and(|it| engine::is_different_on_purpose(it, &rule.query, &self.catalog))
        {
            return Ok(Verdict::OnPurpose);
        }
        if let (Some(question), Answer::Found(_), Answer::Refused(_)) = (&asked.question, theirs, ours)
            && self.node.refuses_a_part(question)?
        {
            return Ok(Verdict::Hidden);
        }
        Ok(Verdict::Different)
    }
}

/// What our outcome of a rule is as an answer.
fn ours(outcomes: &Outcomes, rule: &Rule) -> Answer {
    match outcomes.get(&rule.rule_id) {
        Some(Ok(alerts)) => alerts.answer(),
        Some(Err(reason)) => Answer::Refused(reason.clone()),
        None => Answer::Refused("the hunt did not run it".to_owned()),
    }
}

/// Query DSL as this repository translates it, where Kibana's own code is not at hand.
pub(super) fn own_translation(query: &str, catalog: &Catalog) -> Result<Value, String> {
    let ast = kql::parse(query).map_err(|errors| errors.to_string())?;
    let query = kql::to_query(&ast, catalog)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    Ok(plan::dsl::to_json(&query))
}

/// The fields as a data view lists them: what lies in nested fields has no place in the translator's input.
fn field_list(catalog: &Catalog) -> Value {
    let listed = catalog.iter().filter(|(_, mapping)| {
        mapping.nested.is_none() && !matches!(mapping.ty, FieldType::Object | FieldType::Nested)
    });
    let name = |ty: FieldType| match ty {
        FieldType::DateNanos => FieldType::Date.name(),
        FieldType::ScaledFloat => FieldType::Double.name(),
        _ => ty.name(),
    };
    Value::Object(listed.map(|(path, mapping)| (path.to_owned(), name(mapping.ty).into())).collect())
}

/// Runs the comparison; an error if anything differed.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(args.seed);
    let catalog = Catalog::ecs();
    let scratch = std::env::temp_dir().join(format!("trailwarden-differential-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let mut sides = Sides {
        node: Node::new(&args.elasticsearch, &catalog)?,
        translator: args.kql.as_deref().map(Translator::start).transpose()?,
        hunter: Hunter::new(),
        fields: field_list(&catalog),
        catalog,
        folder: scratch.clone(),
    };
    let result = compare_all(args, &mut sides, &mut rng);
    sides.node.clear()?;
    std::fs::remove_dir_all(&scratch)?;
    result
}

fn compare_all(args: &Args, sides: &mut Sides, rng: &mut Rng) -> anyhow::Result<()> {
    let mut tally = Tally::new(args.show);
    let rules = runnable(&args.rules, &mut tally)?;
    let files = corpus::files(&args.data)?;
    let now = sides.hunter.now;
    let mut corpus = Corpus::take(&files, None, &sides.folder, now, rng)?;
    load(sides, &mut corpus)?;
    let subjects: Vec<Subject> = rules.iter().flat_map(as_they_are).collect();
    for range in [Range::default(), random_range(&corpus, rng)] {
        round(sides, &corpus, &subjects, range, rng, &mut tally)?;
    }
    println!("{}", tally.line(&format!("{} rules over {} records", rules.len(), corpus.events.len())));

    let mut left = args.cases.unwrap_or(super::MUTATIONS);
    let (mutations, mut changed) = (left, tally.next());
    while left > 0 {
        let mut corpus = Corpus::take(&files, Some(RECORDS), &sides.folder, now, rng)?;
        load(sides, &mut corpus)?;
        let queries = rules.iter().map(|rule| rule.query.as_str());
        let samples = corpus.samples(SAMPLES, rng);
        let pool = Pool::new(corpus.values(), samples, queries, &sides.catalog);
        let count = left.min(ROUND);
        let subjects: Vec<Subject> =
            (0..count).flat_map(|at| mutated(&rules, &pool, mutations - left + at, rng)).collect();
        let range = if rng.bool() { Range::default() } else { random_range(&corpus, rng) };
        round(sides, &corpus, &subjects, range, rng, &mut changed)?;
        left -= count;
        eprintln!("{} of {mutations} changed rules: {} differ", mutations - left, changed.different());
    }
    println!("{}", changed.line(&format!("{mutations} changed rules, seed {}", args.seed)));
    let different = tally.different() + changed.different();
    anyhow::ensure!(different == 0, "{different} answers differ");
    Ok(())
}

fn load(sides: &mut Sides, corpus: &mut Corpus) -> anyhow::Result<()> {
    let (refused, reason) = sides.node.load(corpus)?;
    if let Some(reason) = reason {
        eprintln!("the files of {refused} documents are left out, which the node refuses: {reason}");
    }
    anyhow::ensure!(!corpus.events.is_empty(), "the node refuses a document of every file");
    Ok(())
}

/// The rules that can be run here.
fn runnable(paths: &[PathBuf], tally: &mut Tally) -> anyhow::Result<Vec<Rule>> {
    let set = rule::load(paths);
    let selection = Selection::new(set.rules, &[]);
    let mut rules = Vec::new();
    for rule in selection.rules() {
        match rule::support(rule) {
            Ok(_) => rules.push(Rule::clone(rule)),
            Err(reasons) => tally.not_run(reasons.first().map(ToString::to_string).unwrap_or_default()),
        }
    }
    anyhow::ensure!(!rules.is_empty(), "none of the rules can be run");
    Ok(rules)
}

/// The rule itself, and if it is about new terms, the events that it takes them from.
fn as_they_are(rule: &Rule) -> Vec<Subject> {
    let file = &rule.file;
    let subject = |rule: Rule| Subject { file: file.clone(), rule, changes: Vec::new() };
    let mut subjects = vec![subject(rule.clone())];
    if rule.kind.type_name() == "new_terms" {
        subjects.extend(of_events(&matching_part(rule), &format!("{}-events", rule.rule_id)).map(subject));
    }
    subjects
}

/// One of the rules, changed, as by [`as_they_are`].
fn mutated(rules: &[Rule], pool: &Pool, number: usize, rng: &mut Rng) -> Vec<Subject> {
    for _ in 0..ATTEMPTS {
        let rule = pick(rng, rules);
        if !question::is_asked(rule) {
            continue;
        }
        let mut object = matching_part(rule);
        let changes = mutate::mutate(&mut object, pool, rng);
        let (Some(changed), Some(events)) = (
            loaded(&object, &format!("changed-{number}")),
            of_events(&object, &format!("changed-{number}-events")),
        ) else {
            continue;
        };
        let subject = |changed: Rule| Subject {
            rule: changed,
            file: format!("changed from {}", rule.file),
            changes: changes.clone(),
        };
        let is_of_terms = changed.kind.type_name() == "new_terms";
        let mut subjects = vec![subject(changed)];
        subjects.extend(is_of_terms.then(|| subject(events)));
        return subjects;
    }
    Vec::new()
}

/// What of the rule decides what it alerts on.
fn matching_part(rule: &Rule) -> Object {
    let mut object = rule.api();
    object.retain(|key, _| KEPT.contains(&key.as_str()));
    object.insert("description".to_owned(), "Of the comparison.".into());
    object
}

/// The rule that alerts on every event that this one's filter lets through.
fn of_events(object: &Object, rule_id: &str) -> Option<Rule> {
    let mut object = object.clone();
    object.insert("type".to_owned(), "query".into());
    object.remove("new_terms_fields");
    object.remove("history_window_start");
    loaded(&object, rule_id)
}

fn loaded(object: &Object, rule_id: &str) -> Option<Rule> {
    let mut object = object.clone();
    object.insert("rule_id".to_owned(), rule_id.into());
    rule::load_text(&format!("{rule_id}.json"), &Value::Object(object).to_string()).rules.pop()
}

/// Between two events of the corpus, or from one on.
fn random_range(corpus: &Corpus, rng: &mut Rng) -> Range {
    let times = corpus.times();
    if times.is_empty() {
        return Range::default();
    }
    let first = rng.usize(0..times.len());
    let last = rng.usize(first..times.len());
    Range { from: Some(times[first]), to: rng.bool().then(|| times[last]) }
}

/// Compares all of the rules with the node, and with themselves in other company.
fn round(
    sides: &mut Sides,
    corpus: &Corpus,
    subjects: &[Subject],
    range: Range,
    rng: &mut Rng,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let rules: Vec<&Rule> = subjects.iter().map(|subject| &subject.rule).collect();
    let theirs = sides.theirs(&rules, corpus, range, None)?;
    let outcomes = hunt(sides, &corpus.paths, &rules, range)?;
    // What differs in its events differs in its terms; the events are the simpler case.
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    order.sort_by_key(|&at| rules[at].kind.type_name() == "new_terms");
    for at in order {
        let subject = &subjects[at];
        let asked = match &theirs[at] {
            Ok(asked) => asked,
            Err(reason) => {
                tally.not_asked(*reason);
                continue;
            }
        };
        let ours = ours(&outcomes, &subject.rule);
        let verdict = sides.compare(&subject.rule, asked, &ours)?;
        tally.count(verdict);
        let origin = subject.rule.rule_id.trim_end_matches("-events");
        if verdict == Verdict::Different && (tally.wants_more() && explained.insert(origin)) {
            let text = reduce::explain(sides, corpus, subject, range, &asked.answer, &ours)?;
            tally.show(text);
        }
    }
    for group in groups(rules.len(), rng) {
        let group: Vec<&Rule> = group.into_iter().map(|at| rules[at]).collect();
        let apart = hunt(sides, &corpus.paths, &group, range)?;
        for rule in &group {
            let same = match (outcomes.get(&rule.rule_id), apart.get(&rule.rule_id)) {
                (Some(Ok(together)), Some(Ok(apart))) => together.are(apart),
                (Some(Err(together)), Some(Err(apart))) => together == apart,
                (Some(_) | None, Some(_) | None) => false,
            };
            tally.count_company(same);
            if !same && tally.wants_more() {
                tally.show(reduce::company(sides, corpus, rule, &rules, range)?);
            }
        }
    }
    Ok(())
}

/// Random groups: each rule is in one of three, and some are alone.
fn groups(count: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); 3];
    for at in 0..count {
        groups[rng.usize(0..3)].push(at);
    }
    groups.extend((0..ALONE).map(|_| vec![rng.usize(0..count)]));
    groups.retain(|group| !group.is_empty());
    groups
}

fn hunt(sides: &Sides, paths: &[PathBuf], rules: &[&Rule], range: Range) -> anyhow::Result<Outcomes> {
    sides.hunter.hunt(paths, rules.iter().copied().cloned().collect(), range)
}

/// How a rule is printed: what decides what it alerts on.
fn printed(rule: &Rule) -> String {
    let mut object = matching_part(rule);
    for key in [
        "name",
        "description",
        "severity",
        "risk_score",
        "language",
        "from",
        "interval",
        "timestamp_override",
    ] {
        object.remove(key);
    }
    object.retain(|_, value| !value.is_null() && *value != json!([]));
    Value::Object(object).to_string()
}

/// The only document of a case, as a file.
fn file_of(corpus: &Corpus, at: usize, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(vec![corpus::alone(&corpus.events[at].document, folder)?])
}
