//! All tests of some files, on all threads.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use detect::Mode;
use ecs::{Millis, Object};
use hunt::{HuntOptions, Progress};
use rule::{Exceptions, Rule, Selection, Subject, TestCase, TestFile};
use serde_json::Value;

use crate::compare::compare;
use crate::record::records;

/// What tests run with.
#[derive(Debug)]
pub struct Options<'a> {
    /// The rules that tests may be about.
    pub rules: &'a [Arc<Rule>],
    /// The rules whose alerts those over alerts may stand on.
    pub others: &'a [Arc<Rule>],
    /// What is excepted from them.
    pub exceptions: &'a Exceptions,
    /// Only tests whose name, rule's name or file contains one of these, given in lower case; all if there are none.
    pub only: &'a [String],
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Threads.
    pub threads: usize,
    /// The time of reading of tests whose events say none.
    pub now: Millis,
    /// What `kibana.version` of the alerts says.
    pub version: &'static str,
}

/// What came of all tests.
#[derive(Debug, Default)]
pub struct Report<'a> {
    /// The tests that ran, file by file.
    pub tests: Vec<Tested<'a>>,
    /// Rules without any test.
    pub untested: Vec<Arc<Rule>>,
    /// How many tests were left out because they were not asked for.
    pub left_out: usize,
}

/// One test and what came of it.
#[derive(Debug)]
pub struct Tested<'a> {
    /// Its file.
    pub file: &'a TestFile,
    /// The test.
    pub case: &'a TestCase,
    /// The rule, if there is one.
    pub rule: Option<Arc<Rule>>,
    /// What came of it.
    pub outcome: Outcome,
    /// The alerts.
    pub alerts: Vec<Object>,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed {
        /// What is wrong.
        wrong: Vec<String>,
        /// Where alerts are missing: what the rule said of the events, one after the other.
        explained: Vec<String>,
    },
    /// It could not run.
    Broken(String),
}

impl Report<'_> {
    /// How many tests did not pass.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|it| it.outcome != Outcome::Passed).count()
    }
}

/// Runs the tests. `done` is told each as it ends, in no order.
pub fn run<'a>(
    files: &'a [TestFile],
    options: &Options<'_>,
    done: &(dyn Fn(usize, usize) + Sync),
) -> Report<'a> {
    let rules = Rules::new(options.rules);
    let mut report = Report::default();
    let mut jobs = Vec::new();
    for file in files {
        let rule = rules.of(file);
        for case in &file.tests {
            if is_wanted(file, case, rule.as_deref(), options.only) {
                jobs.push((file, case, rule.clone()));
            } else {
                report.left_out += 1;
            }
        }
    }
    let have: HashSet<String> =
        files.iter().filter_map(|it| rules.of(it)).map(|rule| rule.rule_id.clone()).collect();
    report.untested = options.rules.iter().filter(|it| !have.contains(&it.rule_id)).cloned().collect();

    let (next, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<Ended>>> = Mutex::new(vec![None; jobs.len()]);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.min(jobs.len()).max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let Some((file, case, rule)) = jobs.get(at) else { break };
                    let result = one(file, case, rule.as_ref(), options);
                    if let Ok(mut results) = results.lock() {
                        results[at] = Some(result);
                    }
                    done(ended.fetch_add(1, Relaxed) + 1, jobs.len());
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for ((file, case, rule), result) in jobs.into_iter().zip(results) {
        let (outcome, alerts) =
            result.unwrap_or_else(|| (Outcome::Broken("it did not end".to_owned()), Vec::new()));
        report.tests.push(Tested { file, case, rule, outcome, alerts });
    }
    report
}

/// What came of a test, and its alerts.
type Ended = (Outcome, Vec<Object>);

/// The rules by what test files call them.
struct Rules<'a> {
    by_id: HashMap<&'a str, &'a Arc<Rule>>,
    by_file: HashMap<&'a str, &'a Arc<Rule>>,
}

impl<'a> Rules<'a> {
    fn new(rules: &'a [Arc<Rule>]) -> Self {
        let stem = |file: &'a str| file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        Self {
            by_id: rules.iter().map(|it| (it.rule_id.as_str(), it)).collect(),
            by_file: rules.iter().map(|it| (stem(&it.file), it)).collect(),
        }
    }

    fn of(&self, file: &TestFile) -> Option<Arc<Rule>> {
        let found = match &file.subject {
            Subject::Id(id) => self.by_id.get(id.as_str()),
            Subject::Beside(stem) => self.by_file.get(stem.as_str()),
        };
        found.map(|it| Arc::clone(it))
    }
}

fn is_wanted(file: &TestFile, case: &TestCase, rule: Option<&Rule>, only: &[String]) -> bool {
    let words =
        [file.file.as_str(), &case.name, rule.map_or("", |it| &it.name), rule.map_or("", |it| &it.rule_id)];
    only.is_empty()
        || words.iter().map(|it| it.to_lowercase()).any(|it| only.iter().any(|text| it.contains(text)))
}

fn one(file: &TestFile, case: &TestCase, rule: Option<&Arc<Rule>>, options: &Options<'_>) -> Ended {
    let Some(rule) = rule else {
        let reason = match &file.subject {
            Subject::Id(id) => format!("none of the rules has the id `{id}`; give the file that holds it"),
            Subject::Beside(stem) => {
                format!("there is no rule in `{stem}.toml`; name the rule in the test file: `rule: ID`")
            }
        };
        return (Outcome::Broken(reason), Vec::new());
    };
    match hunted(case, rule, options) {
        Err(reason) => (Outcome::Broken(reason), Vec::new()),
        Ok(alerts) => {
            let wrong = compare(&case.expected, &alerts);
            if wrong.is_empty() {
                return (Outcome::Passed, alerts);
            }
            let missing = (alerts.len() as u64) < case.expected.at_least;
            let explained = if missing { explained(case, rule, options) } else { Vec::new() };
            (Outcome::Failed { wrong, explained }, alerts)
        }
    }
}

/// The events of a test as they would be piped into a hunt, and the options of that hunt.
fn prepared(case: &TestCase, rule: &Arc<Rule>, options: &Options<'_>) -> (HuntOptions, Vec<u8>, Vec<Value>) {
    let (events, last) = records(&case.name, &case.events);
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let text = lines.join("\n");
    let mut paths = case.paths.clone();
    if !events.is_empty() {
        paths.push(PathBuf::from("-"));
    }
    // The rule itself comes first: of several of one id that is the one that stays.
    let others = if rule::reads_alerts(rule) { options.others } else { &[] };
    let rules = Selection::all(std::iter::once(rule).chain(others).map(|it| Rule::clone(it)));
    let now = case.now.or(last.map(|it| it + 1)).unwrap_or(options.now);
    let mut hunt = HuntOptions::new(
        paths,
        rules,
        options.exceptions.clone(),
        options.normalise.clone(),
        now,
        options.version,
    );
    hunt.limits = options.limits.clone();
    if case.once {
        hunt.mode = Mode::Once { from: None, to: None };
    }
    (hunt, text.into_bytes(), events)
}

/// The alerts of a test, or why there can be none.
fn hunted(case: &TestCase, rule: &Arc<Rule>, options: &Options<'_>) -> Result<Vec<Object>, String> {
    let (hunt, text, _) = prepared(case, rule, options);
    let found =
        hunt::hunt(&hunt, &mut Cursor::new(text), &Progress::default()).map_err(|it| it.to_string())?;
    if found.read.loss_count > 0 {
        let told: Vec<&str> = found.read.troubles.iter().map(|it| it.text.as_str()).collect();
        return Err(format!("its events cannot be read: {}", told.join("; ")));
    }
    if found.read.records.total() == 0 {
        return Err("its files hold no records".to_owned());
    }
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let mut json = String::new();
        alert.write_json(&mut json);
        json
    };
    let texts: Vec<String> = found.alerts(&[], make, |it| it.collect());
    let parsed = texts.iter().map(|text| match ecs::json::parse(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("an alert is no object".to_owned()),
        Err(error) => Err(format!("an alert cannot be read: {error}")),
    });
    let is_its = |it: &Object| it.get("kibana.alert.rule.uuid").and_then(Value::as_str) == Some(&rule.id);
    parsed.filter(|it| it.as_ref().map_or(true, is_its)).collect()
}

/// Events of a failed test that are explained.
const EXPLAINED: usize = 3;

/// What the rule says of the first events that are written in the test.
fn explained(case: &TestCase, rule: &Arc<Rule>, options: &Options<'_>) -> Vec<String> {
    let (hunt, text, events) = prepared(case, rule, options);
    let ids = events.iter().filter_map(|it| it.get("eventID")?.as_str()).take(EXPLAINED);
    let mut lines = Vec::new();
    for id in ids {
        let Ok(found) = hunt::explain(&hunt, id, &mut Cursor::new(&text), &Progress::default()) else {
            continue;
        };
        for (_, verdicts) in &found.events {
            for verdict in verdicts.iter().filter(|it| it.rule.id == rule.id) {
                let word = if verdict.explanation.verdict { "matches" } else { "does not match" };
                lines.push(format!("event {id} {word}:\n{}", verdict.explanation));
            }
        }
    }
    lines
}
