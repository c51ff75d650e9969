//! Tests of rules: what a `*.test.yaml` beside a rule file says, or the tables `[[tests]]` in it.
//!
//! ```yaml
//! tests:
//!   - name: a role is refused for the first time
//!     events:
//!       - { call: "ec2:GetPasswordData", as: role/ci, error: Client.UnauthorizedOperation }
//!     alerts: 1
//!   - name: a user is none
//!     events:
//!       - { call: "ec2:GetPasswordData", as: user/ana, error: Client.UnauthorizedOperation }
//!     alerts: none
//! ```
//!
//! Nothing here makes events or runs anything.

mod find;
mod read;

use std::path::PathBuf;

use ecs::{Millis, Object};
use serde_json::Value;
use span::Span;

pub(crate) use find::test_stem;
pub use find::{test_files, test_text};

use crate::Problem;

/// Test files, and what was wrong with them.
#[derive(Debug, Default)]
pub struct TestFiles {
    /// Those that could be read, in the order of their names.
    pub files: Vec<TestFile>,
    /// What was found. A file with an error is not among `files`.
    pub problems: Vec<Problem>,
    /// The texts of the files with problems, by their names.
    pub(crate) texts: std::collections::BTreeMap<String, std::sync::Arc<str>>,
}

/// One file with tests.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// Its name.
    pub file: String,
    /// Which rule it tests.
    pub subject: Subject,
    /// The tests.
    pub tests: Vec<TestCase>,
}

/// What a test file is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The rule of that id.
    Id(String),
    /// The rule of the file of that name without its ending.
    Beside(String),
}

/// One test.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// More of it.
    pub why: Option<String>,
    /// Where its name stands.
    pub span: Span,
    /// Events that are written in it.
    pub events: Vec<TestEvent>,
    /// Files with more.
    pub paths: Vec<PathBuf>,
    /// One execution over everything.
    pub once: bool,
    /// The time of reading.
    pub now: Option<Millis>,
    /// What must come of it.
    pub expected: Expected,
}

/// An event of a test.
#[derive(Clone, Debug)]
pub enum TestEvent {
    /// A record or a document, as it is delivered.
    Record(Value),
    /// The short form.
    Recipe(Box<Recipe>),
}

/// The short form of a `CloudTrail` record.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// `ec2` of `ec2:GetPasswordData`.
    pub service: String,
    /// The rest.
    pub call: String,
    /// Who called.
    pub caller: Caller,
    /// When.
    pub at: At,
    /// The source address, or an AWS service.
    pub from: Option<String>,
    /// The user agent.
    pub agent: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The error code.
    pub error: Option<String>,
    /// The error message.
    pub message: Option<String>,
    /// `requestParameters`.
    pub request: Option<Value>,
    /// `responseElements`.
    pub response: Option<Value>,
    /// `eventID`.
    pub id: Option<String>,
    /// Other values by their paths.
    pub set: Vec<(String, Value)>,
    /// Paths that are not there.
    pub unset: Vec<String>,
    /// So many of them.
    pub repeat: u32,
    /// The time between two.
    pub every: Millis,
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The root user.
    Root,
    /// A user with long-term keys.
    User(String),
    /// A role, and the session's name.
    Role(String, String),
    /// An AWS service.
    Service(String),
}

/// When an event takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Then.
    Time(Millis),
    /// So long after the event before, or after the time at which tests begin.
    After(Millis),
}

/// What a test expects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// At least so many alerts.
    pub at_least: u64,
    /// At most so many.
    pub at_most: Option<u64>,
    /// Fields and values, each entry of an alert of its own.
    pub with: Vec<Object>,
    /// How many alerts were suppressed.
    pub suppressed: Option<u64>,
}

impl TestFiles {
    /// Prints a finding as a compiler does.
    pub fn render(&self, problem: &Problem, style: span::Style) -> String {
        let text = self.texts.get(&problem.file).map_or("", |text| text);
        span::render(&problem.diagnostic, &problem.file, text, style)
    }
}
