//! What came of the tests of rules.

use serde_json::json;

use crate::table::clean;
use crate::{Terminal, plural};

/// Rules without a test that are named; the rest is counted.
const UNTESTED_SHOWN: usize = 10;

/// One test.
#[derive(Clone, Debug)]
pub struct Test<'a> {
    /// Its file.
    pub file: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What its author says to whoever finds it failing.
    pub why: Option<&'a str>,
    /// The rule's name, or what the file calls it.
    pub rule: &'a str,
    /// How many alerts there were.
    pub alerts: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// What it would have to expect.
    pub proposal: Option<String>,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected: what is wrong, and why there was no alert.
    Failed(Vec<String>, Vec<String>),
    /// It could not run.
    Broken(String),
}

/// Tests that belong together.
#[derive(Debug)]
pub struct Tests<'a> {
    /// File by file.
    pub tests: Vec<Test<'a>>,
    /// The names of rules without a test.
    pub untested: Vec<&'a str>,
    /// Tests that were not asked for.
    pub left_out: usize,
}

impl Tests<'_> {
    fn failed(&self) -> usize {
        self.tests.iter().filter(|it| matches!(it.verdict, Verdict::Failed(..))).count()
    }

    fn broken(&self) -> usize {
        self.tests.iter().filter(|it| matches!(it.verdict, Verdict::Broken(_))).count()
    }

    /// For people.
    pub fn table(&self, terminal: Terminal) -> String {
        let mut out = String::new();
        let mut file = "";
        for test in &self.tests {
            if test.file != file {
                file = test.file;
                out += &format!("{}  {}\n", terminal.paint("1", &clean(test.rule)), clean(file));
            }
            let name = clean(test.name);
            match &test.verdict {
                Verdict::Passed => {
                    let alerts = plural(test.alerts, "alert", "alerts");
                    out += &format!("  {}  {name}  ({alerts})\n", terminal.paint("32", "pass"));
                }
                Verdict::Failed(wrong, explained) => {
                    out += &format!("  {}  {name}\n", terminal.paint("31;1", "FAIL"));
                    if let Some(why) = test.why {
                        out += &indented(why.trim_end(), 8);
                    }
                    for it in wrong.iter().chain(explained) {
                        out += &indented(it.trim_end(), 8);
                    }
                }
                Verdict::Broken(reason) => {
                    out += &format!("  {}  {name}\n", terminal.paint("31;1", "ERROR"));
                    out += &indented(reason, 8);
                }
            }
            if let Some(proposal) = &test.proposal {
                out += "        it would pass with\n";
                out += &indented(proposal.trim_end(), 10);
            }
        }
        if !self.tests.is_empty() {
            out.push('\n');
        }
        out += &self.summary();
        out.push('\n');
        if !self.untested.is_empty() {
            let rules = plural(self.untested.len() as u64, "rule has", "rules have");
            let names: Vec<String> = self.untested.iter().take(UNTESTED_SHOWN).map(|it| clean(it)).collect();
            let more = self.untested.len() - names.len();
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            out += &format!("{rules} no test: {}{more}\n", names.join(", "));
        }
        out
    }

    fn summary(&self) -> String {
        let (failed, broken) = (self.failed(), self.broken());
        let passed = self.tests.len() - failed - broken;
        let mut parts = vec![plural(self.tests.len() as u64, "test", "tests"), format!("{passed} passed")];
        let counts = [(failed, "failed"), (broken, "could not run"), (self.left_out, "not asked for")];
        parts.extend(
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")),
        );
        parts.join(", ")
    }

    /// For scripts.
    pub fn json(&self) -> serde_json::Value {
        let tests: Vec<_> = self
            .tests
            .iter()
            .map(|it| {
                let (verdict, messages, explained) = match &it.verdict {
                    Verdict::Passed => ("passed", Vec::new(), Vec::new()),
                    Verdict::Failed(wrong, explained) => ("failed", wrong.clone(), explained.clone()),
                    Verdict::Broken(reason) => ("error", vec![reason.clone()], Vec::new()),
                };
                json!({
                    "file": it.file,
                    "rule": it.rule,
                    "name": it.name,
                    "result": verdict,
                    "alerts": it.alerts,
                    "messages": messages,
                    "explained": explained,
                    "proposal": it.proposal,
                })
            })
            .collect();
        let (failed, broken) = (self.failed(), self.broken());
        json!({
            "passed": self.tests.len() - failed - broken,
            "failed": failed,
            "errors": broken,
            "not_asked_for": self.left_out,
            "untested_rules": self.untested,
            "tests": tests,
        })
    }

    /// For CI systems: a suite a file.
    pub fn junit(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let head = |name: &str, tests: &[Test<'_>]| {
            let count = |is: fn(&Verdict) -> bool| tests.iter().filter(|it| is(&it.verdict)).count();
            format!(
                "name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\"",
                escaped(name),
                tests.len(),
                count(|it| matches!(it, Verdict::Failed(..))),
                count(|it| matches!(it, Verdict::Broken(_))),
            )
        };
        out += &format!("<testsuites {}>\n", head("trailwarden rules test", &self.tests));
        for suite in self.tests.chunk_by(|a, b| a.file == b.file) {
            let Some(first) = suite.first() else { continue };
            out += &format!("  <testsuite {}>\n", head(first.file, suite));
            for test in suite {
                let class = escaped(test.rule);
                let (name, file) = (escaped(test.name), escaped(test.file));
                out += &format!("    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\"");
                let (element, message, text) = match &test.verdict {
                    Verdict::Passed => {
                        out += "/>\n";
                        continue;
                    }
                    Verdict::Failed(wrong, explained) => ("failure", wrong.join("; "), explained.join("\n")),
                    Verdict::Broken(reason) => ("error", reason.clone(), String::new()),
                };
                out += &format!(
                    ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
                    escaped(&message),
                    escaped(&text)
                );
            }
            out += "  </testsuite>\n";
        }
        out += "</testsuites>\n";
        out
    }
}

fn indented(text: &str, columns: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out += &format!("{:columns$}{}\n", "", clean(line));
    }
    out
}

/// Text as XML has it, in attributes too; what XML cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' => out += "&#10;",
            '\t' => out += "&#9;",
            it if it.is_control() || matches!(it, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            it => out.push(it),
        }
    }
    out
}
