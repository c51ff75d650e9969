//! One test file, from its text.

use std::path::Path;

use ecs::{Millis, Object, date};
use serde_json::Value;
use span::Span;

use super::{At, Caller, Expected, Recipe, Subject, TestCase, TestEvent, TestFile};
use crate::check::{Text, check_table};
use crate::error::Findings;
use crate::format::{EXPECTED, RECIPE, TEST_FILE};
use crate::text::{Data, Node, Syntax, parse_toml, parse_yaml};
use crate::{Interval, LoadError};

/// How tests are written down.
pub(super) enum Form {
    /// A file of their own.
    Yaml,
    /// `[[tests]]` in a rule file.
    Toml,
}

/// Time between two events that say nothing else.
const STEP: Millis = 60_000;
/// Time between two of `repeat`.
const EVERY: Millis = 1_000;

/// The tests of a text; nothing if there are none in a rule file, or if something is wrong with them.
pub(super) fn read(
    name: &str,
    text: &str,
    form: &Form,
    subject: Subject,
    folder: &Path,
    findings: &mut Findings,
) -> Option<TestFile> {
    let (syntax, root) = match form {
        Form::Yaml => match parse_yaml(text) {
            Ok(root) => (Syntax::Yaml, root),
            Err(error) => {
                findings.push(&error);
                return None;
            }
        },
        Form::Toml => {
            // What is wrong with a rule file is said when its rules are read.
            let mut root = parse_toml(text).ok()?;
            let tests = root.take("tests")?;
            (Syntax::Toml, Node { span: tests.value.span, data: Data::Table(vec![tests]) })
        }
    };
    let text = Text { text, syntax };
    if !matches!(root.data, Data::Table(_)) {
        let message = "a test file is a table with `tests`".to_owned();
        let help = "begin with `tests:` and a list of tests with `name`, `events` and `alerts`";
        findings.push(&LoadError::BadTest { message, help, span: text.head(root.span) });
        return None;
    }
    check_table(&root, "", TEST_FILE, None, text, findings);
    let mut reader = Reader { text, folder, findings, root: &root };
    let tests = root.get("tests").map(|it| reader.tests(it)).unwrap_or_default();
    findings.refuse_unknown_fields();
    if findings.refuse() {
        return None;
    }
    let subject = root.get("rule").and_then(Node::text).map_or(subject, |id| Subject::Id(id.to_owned()));
    Some(TestFile { file: name.to_owned(), subject, tests })
}

struct Reader<'t> {
    text: Text<'t>,
    folder: &'t Path,
    findings: &'t mut Findings,
    root: &'t Node,
}

impl Reader<'_> {
    fn bad(&mut self, message: String, help: &'static str, span: Span) {
        self.findings.push(&LoadError::BadTest { message, help, span: self.text.head(span) });
    }

    fn tests(&mut self, tests: &Node) -> Vec<TestCase> {
        tests.items().iter().map(|test| self.test(test)).collect()
    }

    fn test(&mut self, test: &Node) -> TestCase {
        let text = |key| test.get(key).and_then(Node::text).map(str::to_owned);
        let list = |key| test.get(key).map(Node::items).unwrap_or_default();
        if list("events").is_empty() && list("paths").is_empty() {
            let message = "the test has neither `events` nor `paths`".to_owned();
            self.bad(
                message,
                "write the events that the rule is to see; none at all is a test of nothing",
                test.span,
            );
        }
        let events = list("events").iter().filter_map(|event| self.event(event, test)).collect();
        let now = test.get("now").and_then(|node| self.time(node, "now"));
        let paths = list("paths").iter().filter_map(Node::text).map(|path| self.folder.join(path)).collect();
        TestCase {
            name: text("name").unwrap_or_default(),
            why: text("why"),
            span: test.get("name").map_or(test.span, |it| it.span),
            events,
            paths,
            once: matches!(test.get("once").map(|it| &it.data), Some(Data::Bool(true))),
            now,
            expected: test.get("alerts").map(|it| self.expected(it)).unwrap_or_default(),
        }
    }

    fn time(&mut self, node: &Node, field: &str) -> Option<Millis> {
        let (Data::Text(text) | Data::Date(text)) = &node.data else { return None };
        let found = date::parse(text).ok();
        if found.is_none() {
            self.findings.push(&LoadError::BadDate { field: field.to_owned(), span: node.span });
        }
        found
    }

    fn expected(&mut self, node: &Node) -> Expected {
        const HELP: &str =
            "write a number, `none`, or a table such as `{ at_least: 1, with: [{ user.name: ana }] }`";
        let exactly = |count| Expected { at_least: count, at_most: Some(count), ..Expected::default() };
        match &node.data {
            Data::Text(word) if word == "none" => exactly(0),
            Data::Number(text) => {
                if let Ok(count) = text.parse() {
                    return exactly(count);
                }
                self.bad(format!("`alerts` cannot be {text}"), HELP, node.span);
                Expected::default()
            }
            Data::Table(_) => self.expected_table(node),
            other => {
                self.bad(format!("`alerts` cannot be {}", other.kind()), HELP, node.span);
                Expected::default()
            }
        }
    }

    fn expected_table(&mut self, node: &Node) -> Expected {
        check_table(node, "alerts", EXPECTED, None, self.text, self.findings);
        let count = |key| match node.get(key).map(|it| &it.data) {
            Some(Data::Number(text)) => text.parse::<u64>().ok(),
            _ => None,
        };
        let with: Vec<Object> = node
            .get("with")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|it| if let Value::Object(fields) = it.to_json() { Some(fields) } else { None })
            .collect();
        let (exactly, at_least, at_most) = (count("exactly"), count("at_least"), count("at_most"));
        if exactly.is_some() && (at_least.is_some() || at_most.is_some()) {
            let message = "`exactly` stands beside `at_least` or `at_most`".to_owned();
            self.bad(message, "keep one of them", node.span);
        }
        let named = with.len() as u64;
        let allowed = node.get("unexpected").and_then(Node::text) == Some("allow");
        // What is named is all there is, unless something else is said.
        let given = exactly.is_some() || at_least.is_some() || at_most.is_some();
        let least = exactly.or(at_least).unwrap_or(if given { 0 } else { named }).max(named);
        let most = if node.get("unexpected").is_some() && !allowed { Some(named) } else { None };
        let most = most.or(exactly).or(at_most).or_else(|| (!given && !allowed).then_some(named));
        if most.is_some_and(|most| most < least) {
            let message = "`alerts` asks for more alerts than it allows".to_owned();
            self.bad(message, "every entry of `with` is an alert of its own", node.span);
        }
        let suppressed = count("suppressed");
        if !given && with.is_empty() && suppressed.is_none() {
            let message = "`alerts` expects nothing".to_owned();
            self.bad(
                message,
                "say how many there must be: `exactly`, `at_least`, `at_most`, `with`",
                node.span,
            );
        }
        Expected { at_least: least, at_most: most, with, suppressed }
    }

    fn event(&mut self, node: &Node, test: &Node) -> Option<TestEvent> {
        if node.get("call").is_none() {
            return Some(TestEvent::Record(node.to_json()));
        }
        check_table(node, "events", RECIPE, None, self.text, self.findings);
        let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let inherited = |key: &str| {
            let own = node.get(key).or_else(|| test.get(key)).or_else(|| self.root.get(key));
            own.and_then(Node::text).map(str::to_owned)
        };
        let (account, region) = (inherited("account"), inherited("region"));
        let call = node.get("call")?;
        let Some((service, name)) =
            call.text()?.split_once(':').filter(|(a, b)| !a.is_empty() && !b.is_empty())
        else {
            let message = format!("`{}` names no call", call.text()?);
            self.bad(message, "write the service and the call: `ec2:GetPasswordData`", call.span);
            return None;
        };
        let caller = match node.get("as") {
            None => Some(Caller::User("alice".to_owned())),
            Some(it) => self.caller(it),
        };
        let at = match node.get("at") {
            None => Some(At::After(STEP)),
            Some(it) => self.at(it),
        };
        let every = match node.get("every") {
            None => Some(EVERY),
            Some(it) => self.length(it, it.text().unwrap_or_default()),
        };
        let table = |key: &str| node.get(key).map(Node::to_json);
        let members = node.get("set").map(Node::members).unwrap_or_default();
        Some(TestEvent::Recipe(Box::new(Recipe {
            service: service.to_owned(),
            call: name.to_owned(),
            caller: caller?,
            at: at?,
            from: text("from"),
            agent: text("agent"),
            account,
            region,
            error: text("error"),
            message: text("message"),
            request: table("request"),
            response: table("response"),
            id: text("id"),
            set: members.iter().map(|it| (it.key.clone(), it.value.to_json())).collect(),
            unset: node
                .get("unset")
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
            repeat: match node.get("repeat").map(|it| &it.data) {
                Some(Data::Number(text)) => text.parse().unwrap_or(1),
                _ => 1,
            },
            every: every?,
        })))
    }

    fn caller(&mut self, node: &Node) -> Option<Caller> {
        let text = node.text()?;
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        let found = match (kind, rest) {
            ("root", "") => Some(Caller::Root),
            ("user", name) if !name.is_empty() => Some(Caller::User(name.to_owned())),
            ("service", host) if !host.is_empty() => Some(Caller::Service(host.to_owned())),
            ("role", name) if !name.is_empty() => {
                let (role, session) = name.rsplit_once('/').unwrap_or((name, "session"));
                (!role.is_empty() && !session.is_empty())
                    .then(|| Caller::Role(role.to_owned(), session.to_owned()))
            }
            _ => None,
        };
        if found.is_none() {
            let message = format!("`{text}` is nobody who could call");
            self.bad(
                message,
                "write `user/NAME`, `role/NAME`, `role/NAME/SESSION`, `root` or `service/HOST`",
                node.span,
            );
        }
        found
    }

    fn at(&mut self, node: &Node) -> Option<At> {
        match &node.data {
            Data::Text(text) => match text.strip_prefix('+') {
                Some(length) => self.length(node, length).map(At::After),
                None => self.time(node, "events.at").map(At::Time),
            },
            _ => self.time(node, "events.at").map(At::Time),
        }
    }

    fn length(&mut self, node: &Node, text: &str) -> Option<Millis> {
        if matches!(text, "0" | "0s") {
            return Some(0);
        }
        let found = text.parse::<Interval>().ok().map(|it| it.millis());
        if found.is_none() {
            self.bad(format!("`{text}` is no length of time"), "write `30s`, `5m`, `2h` or `1d`", node.span);
        }
        found
    }
}
