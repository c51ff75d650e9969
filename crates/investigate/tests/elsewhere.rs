//! Guides from elsewhere: prose with queries in it.

#![allow(clippy::print_stderr, reason = "what was skipped is for whoever runs the test")]

use std::convert::Infallible;
use std::sync::Arc;

use cases::shared;
use ecs::Object;
use investigate::{Answer, Answers, Evidence, Investigation, Options, Question, Source, Subject};
use rule::{Asks, GuideLanguage, Rule};
use serde_json::{Value, json};

/// The time of the alert: 2026-03-01 10:00:00.
const NOW: i64 = 1_772_359_200_000;

/// A source without events that remembers what it was asked.
#[derive(Default)]
struct Nothing {
    asked: Vec<Question>,
}

impl Source for Nothing {
    type Error = Infallible;

    fn answer(&mut self, questions: &[Question], _: &[String], _: bool) -> Result<Answers, Infallible> {
        self.asked.extend(questions.iter().cloned());
        Ok(Answers { answers: vec![Answer::default(); questions.len()], graph: None })
    }
}

fn subject(rule: Rule, document: Value) -> Subject {
    let Value::Object(document) = document else { panic!("a document") };
    Subject {
        id: "0123abcd".to_owned(),
        anchors: vec![("e1".to_owned(), document.clone())],
        document,
        rule: Some(Arc::new(rule)),
    }
}

fn investigated(subjects: &[Subject]) -> (Vec<Investigation>, Vec<Question>) {
    let mut source = Nothing::default();
    let options = Options {
        now: NOW,
        steps: Vec::new(),
        language: GuideLanguage::English,
        raised: Vec::new(),
        issued: None,
    };
    let all = investigate::investigate(subjects, &mut source, &options).unwrap();
    (all, source.asked)
}

fn rule_with(note: &str, more: &str) -> Rule {
    let text = format!(
        "[rule]\nname = \"Guided\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 21\ntype = \"query\"\nquery = \"event.action: *\"\nnote = '''\n{note}'''\n{more}"
    );
    let set = rule::load_text("guided.toml", &text);
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    set.rules[0].clone()
}

fn event() -> Value {
    json!({
        "@timestamp": "2026-03-01T10:00:00.000Z",
        "event": {"provider": "ec2.amazonaws.com", "action": "GetPasswordData"},
        "aws": {"cloudtrail": {"flattened": {"request_parameters": {"instanceId": "i-0123abcd"}}}},
        "user": {"name": "ops"},
        "host": {"id": ["h1", "h\"2"]},
        "cloud": {"account": {"id": "111122223333"}, "region": "eu-west-1"},
    })
}

fn texts(it: &Investigation) -> Vec<&str> {
    it.steps.iter().filter(|it| it.is_prose).map(|it| it.text.as_str()).collect()
}

#[test]
fn the_text_stays_and_evidence_stands_where_it_is_spoken_of() {
    let note = "## Triage\n\n- **Identify the role**: whose?\n- **Look at the host** `{{host.id}}`.\n- Where did it come from, by its IP address?\n\n## Response\n\n- **Related**: nothing here.\n";
    let (all, _) = investigated(&[subject(rule_with(note, ""), event())]);
    let order: Vec<&str> =
        all[0].steps.iter().map(|it| if it.is_prose { "-" } else { it.id.as_deref().unwrap() }).collect();
    assert_eq!(order[..7], ["-", "identity", "-", "instances", "-", "origin", "-"], "{order:?}");
    let text = texts(&all[0]).concat();
    assert_eq!(text, note.replace("{{host.id}}", "h1 and 1 more"), "nothing of it is lost");
    let mut ids: Vec<&str> = order.into_iter().filter(|it| *it != "-").collect();
    ids.sort_unstable();
    ids.dedup();
    let all_steps = investigate::general(GuideLanguage::English).guide.as_ref().unwrap().triage.len();
    assert!(ids.len() >= 8 && ids.len() <= all_steps, "{ids:?}");
}

#[test]
fn what_it_embeds_is_asked_or_named() {
    let note = r#"- Look. !{investigate{"label":"Others","description":"Same host.","providers":[[{"field":"host.id","queryType":"phrase","value":"{{host.id}}","excluded":false},{"field":"user.name","queryType":"phrase","value":"root","excluded":true}],[{"field":"user.name","queryType":"phrase","value":"{{process.name}}"}]],"relativeFrom":"now-2h/h","relativeTo":"now"}}
- !{investigate{"label":"Alerts","providers":[[{"field":"event.kind","queryType":"phrase","value":"signal"}]]}}
- !{investigate{"label":"Broken","providers":[[{"field":"a","queryType":"near","value":"x"}]]}}
- !{investigate{"label":"Never","providers":[[{"field":"user.name","queryType":"phrase","value":"{{file.path}}"}]]}}
- !{osquery{"label":"Processes","query":"SELECT * FROM p WHERE h = {{host.id}} AND u = '{{user.name}}' AND f = {{file.path}}"}}
"#;
    let fields = "[rule.investigation_fields]\nfield_names = [\"user.name\", \"host.id\"]\n";
    let (all, asked) = investigated(&[subject(rule_with(note, fields), event())]);
    let prose: Vec<&Evidence> = all[0].steps.iter().filter(|it| it.is_prose).collect();
    let first = &prose[0];
    assert!(first.text.contains("Look. **Others** Same host."), "{}", first.text);
    let [found] = first.results.as_slice() else { panic!("{:?}", first.results) };
    assert_eq!(found.id, "Others");
    assert_eq!(
        found.query.as_deref(),
        Some(r#"host.id: ("h1" or "h\"2") and not user.name: "root""#),
        "the alternative without a value is left out"
    );
    assert_eq!(found.columns, ["@timestamp", "user.name", "host.id"]);
    let question = asked.iter().find(|it| it.text.contains("h1")).unwrap();
    assert_eq!((question.from, question.to), (NOW - 2 * 3_600_000, NOW));
    let missing = |what: &str| all[0].all_missing().iter().any(|it| it.text.contains(what));
    assert!(missing("no value for `process.name`: one of the alternatives of `Others`"));
    assert!(missing("`Alerts` asks for alerts") && missing("`Broken` cannot be asked") && missing("`near`"));
    assert!(missing("no value for `file.path`"));
    let snippet = prose.iter().find_map(|it| it.snippets.first()).unwrap();
    assert_eq!(snippet.command.text, "SELECT * FROM p WHERE h = 'h1' AND u = 'ops' AND f = <path>");
}

#[test]
fn values_of_events_are_no_text_of_queries_for_hosts() {
    for (value, text) in [
        ("x' OR 1=1 --", "SELECT 'x'' OR 1=1 --', 'x'' OR 1=1 --', \"x' OR 1=1 --\""),
        ("a\"b", "SELECT 'a\"b', 'a\"b', \"a\"\"b\""),
        ("line\nbreak", "SELECT '<name>', <name>, \"<name>\""),
        ("\u{202e}x", "SELECT '<name>', <name>, \"<name>\""),
    ] {
        let note = "!{osquery{\"query\":\"SELECT '{{user.name}}', {{user.name}}, \\\"{{user.name}}\\\"\"}}";
        let mut event = event();
        event["user"]["name"] = value.into();
        let (all, _) = investigated(&[subject(rule_with(note, ""), event)]);
        let snippet = all[0].steps.iter().find_map(|it| it.snippets.first()).unwrap();
        assert_eq!(snippet.command.text, text, "{value:?}");
    }
}

/// Puts a value at every path that the note has as a placeholder.
fn with_values(note: &str) -> Value {
    fn put(object: &mut Object, path: &str) {
        match path.split_once('.') {
            None => {
                let value = if path == "ip" { "192.0.2.7" } else { "7" };
                object.entry(path).or_insert_with(|| value.into());
            }
            Some((first, rest)) => {
                if let Value::Object(inner) = object.entry(first).or_insert_with(|| json!({})) {
                    put(inner, rest);
                }
            }
        }
    }
    let mut event = event();
    if let Value::Object(object) = &mut event {
        for name in note.split("{{").skip(1).filter_map(|it| it.split("}}").next()) {
            put(object, name.trim());
        }
    }
    event
}

#[test]
fn every_public_guide_goes_through() {
    let Some(folder) = shared("rules") else { return };
    let set = rule::load(&[folder]);
    let rules: Vec<Rule> = set.rules.into_iter().filter(|it| it.note.is_some()).collect();
    assert!(rules.len() > 500, "{} rules", rules.len());
    let (mut asked, mut named, mut hosts, mut placed) = (0, 0, 0, 0);
    for rules in rules.chunks(100) {
        let subjects: Vec<Subject> =
            rules.iter().map(|it| subject(it.clone(), with_values(it.note.as_ref().unwrap()))).collect();
        let (all, _) = investigated(&subjects);
        for (rule, it) in rules.iter().zip(&all) {
            let note = rule.note.as_deref().unwrap();
            let prose: Vec<&Evidence> = it.steps.iter().filter(|it| it.is_prose).collect();
            placed += usize::from(prose.len() > 1);
            // Every line that embeds nothing is there, in order.
            let text: String = prose.iter().map(|it| it.text.as_str()).collect();
            let mut rest = text.as_str();
            for line in note.lines().filter(|it| !it.contains("!{") && !it.contains("{{")) {
                let at = rest.find(line).unwrap_or_else(|| panic!("{}: {line}", rule.file));
                rest = &rest[at + line.len()..];
            }
            let results = prose.iter().flat_map(|it| &it.results).count();
            let missing = prose.iter().flat_map(|it| &it.missing).count();
            let snippets = prose.iter().flat_map(|it| &it.snippets).count();
            let embedded = rule::inquiries(note);
            let of_hosts = embedded.iter().filter(|it| matches!(it.asks, Ok(Asks::Host(_)))).count();
            assert_eq!(snippets, of_hosts, "{}", rule.file);
            assert!(
                results + missing >= embedded.len() - of_hosts,
                "{}: {results} were asked, {missing} named, of {}",
                rule.file,
                embedded.len()
            );
            let failed: Vec<&str> = prose
                .iter()
                .flat_map(|it| &it.missing)
                .map(|it| it.text.as_str())
                .filter(|it| !it.contains("asks for alerts"))
                .collect();
            assert!(failed.is_empty(), "{}: {failed:?}", rule.file);
            (asked, named, hosts) = (asked + results, named + missing, hosts + snippets);
        }
    }
    eprintln!(
        "{asked} queries were asked, {named} named, {hosts} are for hosts; evidence was placed in {placed} guides"
    );
    assert!(asked > 100 && hosts > 300 && placed > 500, "{asked} {named} {hosts} {placed}");
}
