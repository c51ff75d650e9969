//! Who is behind an event, in rules and alerts: the same as if every execution were given documents that say so.

use std::collections::BTreeMap;

use detect::Mode;
use ecs::date::to_iso;
use ecs::{Millis, Object};
use hunt::{HuntOptions, Identities};
use identity::{Builder, Graph, WhoBuf};
use proptest::prelude::*;
use rule::Rule;
use serde_json::{Value, json};

use crate::setup::{DAY_ONE, Folder, HOUR, Hunted, MINUTE, REPLAY, options, rule, run, texts};

/// Who calls: a user, or a session of a role.
#[derive(Clone, Copy, Debug)]
enum By {
    User(usize),
    /// With the key of this number; the role goes by it.
    Session(usize),
    /// The session of a role whose record lacks the key.
    Keyless(usize),
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The session of this number begins.
    Assume(usize),
    Get,
    Put,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    by: By,
    what: What,
    /// Minutes after the first day began.
    at: i64,
    /// How many minutes later it was ingested.
    late: i64,
}

const USERS: [&str; 2] = ["ada", "bob"];

fn role(session: usize) -> String {
    format!("arn:aws:iam::111122223333:role/r{}", session % 2)
}

fn session_arn(session: usize) -> String {
    format!("arn:aws:sts::111122223333:assumed-role/r{}/work", session % 2)
}

impl Event {
    fn time(&self) -> Millis {
        DAY_ONE + self.at * MINUTE
    }

    /// Of all events, for when sessions began.
    fn document(&self, number: usize, all: &[Self]) -> Object {
        let began = |session: usize| {
            let is_it = |it: &&Self| matches!(it.what, What::Assume(begun) if begun == session);
            all.iter().find(is_it).map_or(DAY_ONE, Self::time)
        };
        let session = |session: usize, key: Value| {
            json!({
                "type": "AssumedRole", "arn": session_arn(session), "access_key_id": key,
                "session_context": {
                    "session_issuer": {"arn": role(session)}, "creation_date": to_iso(began(session)),
                },
            })
        };
        let identity = match self.by {
            By::User(user) => json!({
                "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{}", USERS[user]),
                "access_key_id": format!("AKIA{user}"),
            }),
            By::Session(it) => session(it, format!("ASIA{it}").into()),
            By::Keyless(it) => session(it, json!([])),
        };
        let (provider, action, payload) = match self.what {
            What::Assume(it) => (
                "sts.amazonaws.com",
                "AssumeRole",
                json!({
                    "request_parameters": {"roleArn": role(it), "roleSessionName": "work"},
                    "response_elements": {"credentials": {"accessKeyId": format!("ASIA{it}")}},
                }),
            ),
            What::Get => ("s3.amazonaws.com", "GetObject", json!({})),
            What::Put => ("s3.amazonaws.com", "PutObject", json!({})),
        };
        let document = json!({
            "@timestamp": to_iso(self.time()),
            "_index": "logs-aws.cloudtrail-default",
            "event": {
                "id": format!("event-{number}"), "provider": provider, "action": action, "outcome": "success",
                "dataset": "aws.cloudtrail", "ingested": to_iso(self.time() + self.late * MINUTE),
            },
            "cloud": {"account": {"id": "111122223333"}},
            "aws": {"cloudtrail": {"user_identity": identity, "flattened": payload}},
        });
        document.as_object().unwrap().clone()
    }
}

fn event(latest: i64) -> impl Strategy<Value = Event> {
    let by = prop_oneof![
        (0..USERS.len()).prop_map(By::User),
        (0..5_usize).prop_map(By::Session),
        (0..5_usize).prop_map(By::Keyless),
    ];
    let what = prop_oneof![(0..5_usize).prop_map(What::Assume), Just(What::Get), Just(What::Put)];
    (by, what, 0..90_i64, prop_oneof![Just(0), 0..=latest]).prop_map(|(by, what, at, late)| Event {
        by,
        what,
        at,
        late,
    })
}

/// Events, and behind them one that all rules look at, so that executions go on until nothing changes any more.
fn events(latest: i64) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(latest), 1..14).prop_map(|mut all| {
        let last = Event { by: By::User(0), what: What::Get, at: 400, late: 0 };
        all.extend([last, Event { what: What::Put, at: 402, ..last }]);
        all
    })
}

/// The rules, asking these fields who is behind an event and how sure that is.
fn rules(root: &str, confidence: &str) -> Vec<Rule> {
    let query =
        |query: &str| format!("type = \"query\"\nquery = '{query}'\ninterval = \"5m\"\nfrom = \"now-9m\"\n");
    let gets = "event.action: GetObject";
    vec![
        rule("Ada", &query(&format!("{gets} and {root}: *user/ada"))),
        rule(
            "Not sure",
            &query(&format!("event.action: (GetObject or PutObject) and not {confidence}: exact")),
        ),
        rule("Role or put", &query(&format!("event.action: PutObject or {gets} and {root}: *role*"))),
        rule(
            "New",
            &format!(
                "type = \"new_terms\"\nquery = \"{gets}\"\ninterval = \"5m\"\nfrom = \"now-9m\"\n\
                 new_terms_fields = [\"{root}\"]\nhistory_window_start = \"now-1d\"\n"
            ),
        ),
        rule(
            "Often",
            &format!(
                "type = \"threshold\"\nquery = \"{gets}\"\ninterval = \"5m\"\nfrom = \"now-30m\"\n\
                 [rule.threshold]\nfield = [\"{root}\"]\nvalue = 2\n"
            ),
        ),
        rule(
            "Both",
            &format!(
                "type = \"eql\"\nlanguage = \"eql\"\ninterval = \"5m\"\nfrom = \"now-60m\"\n\
                 query = '''sequence by {root} [any where event.action == \"GetObject\"] \
                 [any where event.action == \"PutObject\"]'''\n"
            ),
        ),
    ]
}

const ROOT: &str = "trailwarden.identity.root.arn";
const CONFIDENCE: &str = "trailwarden.identity.confidence";
/// Fields of the same type that no event has.
const PLAIN_ROOT: &str = "organization.id";
const PLAIN_CONFIDENCE: &str = "organization.name";

fn folder(documents: &[Object]) -> Folder {
    let folder = Folder::new();
    for (number, chunk) in documents.chunks(5).enumerate() {
        let lines: String = chunk.iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect();
        folder.write(&format!("{number}.ndjson"), lines);
    }
    folder
}

fn documents(events: &[Event]) -> Vec<Object> {
    events.iter().enumerate().map(|(number, it)| it.document(number, events)).collect()
}

fn graph(documents: &[Object]) -> Graph {
    let mut builder = Builder::default();
    for document in documents {
        builder.document(document["event"]["id"].as_str().unwrap(), document);
    }
    builder.finish()
}

/// The documents, each with who is behind its event, as far as is known by then.
fn told(documents: &[Object], as_of: Millis) -> Vec<Object> {
    let graph = graph(documents);
    let tell = |document: &Object| {
        let mut told = document.clone();
        let root = graph.root(WhoBuf::of(document).who(), as_of).unwrap();
        told.insert(PLAIN_ROOT.to_owned(), root.arn.into());
        told.insert(PLAIN_CONFIDENCE.to_owned(), root.confidence.name().into());
        told
    };
    documents.iter().map(tell).collect()
}

/// Rule, alert and execution, sorted.
fn said(found: &Hunted) -> Vec<String> {
    assert_eq!(found.refused.len(), 0, "{:?}", found.refused);
    let mut all: Vec<String> = found
        .alerts
        .iter()
        .map(|it| {
            // The id of a threshold's alert is made of the names of its fields, too.
            let of = match it.get("kibana.alert.threshold_result") {
                Some(result) => result.to_string().replace(PLAIN_ROOT, ROOT),
                None => it["kibana.alert.uuid"].to_string(),
            };
            format!("{} {of} {}", it["kibana.alert.rule.name"], it["@timestamp"])
        })
        .collect();
    all.sort();
    all
}

fn hunted(documents: &[Object], rules: &[Rule], mode: Mode) -> Hunted {
    run(&HuntOptions { mode, ..options(&folder(documents), rules) })
}

/// A rule of the kind `query` alerts on an event in the first execution that finds it.
fn naive_query(
    documents: &[Object],
    events: &[Event],
    holds: impl Fn(&Event, &str, &str) -> bool,
) -> BTreeMap<String, Millis> {
    let mut found = BTreeMap::new();
    for tick in (DAY_ONE..DAY_ONE + 10 * HOUR).step_by(5 * MINUTE as usize) {
        let told = told(documents, tick);
        for (event, document) in events.iter().zip(&told) {
            let text = |key: &str| document[key].as_str().unwrap();
            let is_seen = event.time() >= tick - 9 * MINUTE && event.time() <= tick;
            if is_seen && holds(event, text(PLAIN_ROOT), text(PLAIN_CONFIDENCE)) {
                found.entry(document["event"]["id"].as_str().unwrap().to_owned()).or_insert(tick);
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Calls that were ingested at once are known to every execution that sees what follows from them.
    #[test]
    fn fields_are_as_if_documents_had_them(events in events(0)) {
        // A key that is used before it is issued is not told at once.
        let mut events = events;
        events.sort_by_key(|it| (!matches!(it.what, What::Assume(_)), it.at));
        let begun = events.iter().filter(|it| matches!(it.what, What::Assume(_))).count();
        events[..begun].iter_mut().for_each(|it| it.at = 0);
        let documents = documents(&events);
        let asked = hunted(&documents, &rules(ROOT, CONFIDENCE), REPLAY);
        let plain = hunted(&told(&documents, Millis::MAX), &rules(PLAIN_ROOT, PLAIN_CONFIDENCE), REPLAY);
        prop_assert_eq!(said(&asked), said(&plain));
    }

    /// What was ingested by the end of an execution counts for it, and nothing else does.
    #[test]
    fn one_execution_knows_what_was_ingested_by_its_end(events in events(120), end in 0..240_i64) {
        let documents = documents(&events);
        let to = DAY_ONE + end * MINUTE;
        let mode = Mode::Once { from: None, to: Some(to) };
        let asked = hunted(&documents, &rules(ROOT, CONFIDENCE), mode);
        let plain = hunted(&told(&documents, to), &rules(PLAIN_ROOT, PLAIN_CONFIDENCE), mode);
        prop_assert_eq!(said(&asked), said(&plain));
    }

    /// Each execution of a replay knows its own.
    #[test]
    fn each_execution_knows_what_was_ingested_by_its_end(events in events(30)) {
        let documents = documents(&events);
        let asked = hunted(&documents, &rules(ROOT, CONFIDENCE)[..3], REPLAY);
        let mut expected: Vec<String> = Vec::new();
        let mut expect = |name: &str, found: BTreeMap<String, Millis>| {
            expected.extend(found.into_iter().map(|(id, tick)| format!("{name} {id} {}", to_iso(tick))));
        };
        let is_get = |it: &Event| matches!(it.what, What::Get);
        let is_put = |it: &Event| matches!(it.what, What::Put);
        expect("Ada", naive_query(&documents, &events, |it, root, _| is_get(it) && root.ends_with("user/ada")));
        expect("Not sure", naive_query(&documents, &events, |it, _, sure| {
            (is_get(it) || is_put(it)) && sure != "exact"
        }));
        expect("Role or put", naive_query(&documents, &events, |it, root, _| {
            is_put(it) || is_get(it) && root.contains("role")
        }));
        expected.sort();
        let mut got: Vec<String> = asked
            .alerts
            .iter()
            .map(|it| {
                let text = |key: &str| it[key].as_str().unwrap().to_owned();
                let event = it["kibana.alert.ancestors"][0]["id"].as_str().unwrap();
                format!("{} {event} {}", text("kibana.alert.rule.name"), text("@timestamp"))
            })
            .collect();
        got.sort();
        prop_assert_eq!(got, expected);
    }

    /// Neither threads nor the order of files nor further deliveries change a byte.
    #[test]
    fn the_same_alerts_however_delivered(events in events(30), turn in 0..14_usize) {
        let documents = documents(&events);
        let mut turned = documents.clone();
        turned.rotate_left(turn % documents.len());
        turned.push(turned[0].clone());
        let of = |documents: &[Object], threads| {
            let folder = folder(documents);
            let rules = rules(ROOT, CONFIDENCE);
            let options = HuntOptions { threads, identities: Identities::InAlerts, ..options(&folder, &rules) };
            texts(&run(&options))
        };
        prop_assert_eq!(of(&documents, 1), of(&turned, 3));
    }
}

/// Alerts say who is behind their events, unless that is to be left out; then a rule that asks for it does not run.
#[test]
fn alerts_say_who_is_behind() {
    let events = [
        Event { by: By::User(0), what: What::Assume(0), at: 0, late: 0 },
        Event { by: By::Session(0), what: What::Get, at: 1, late: 0 },
        Event { by: By::Session(1), what: What::Get, at: 1, late: 0 },
    ];
    let folder = folder(&documents(&events));
    let gets = rule("Gets", "type = \"query\"\nquery = \"event.action: GetObject\"\n");
    let asks = rules(ROOT, CONFIDENCE).remove(0);
    let run =
        |identities| run(&HuntOptions { identities, ..options(&folder, &[gets.clone(), asks.clone()]) });
    let found = run(Identities::InAlerts);
    let of = |found: &Hunted, name: &str| -> Vec<Object> {
        let is_its = |it: &&Object| it["kibana.alert.rule.name"] == name;
        found.alerts.iter().filter(is_its).cloned().collect()
    };
    let gets_found = of(&found, "Gets");
    assert_eq!(gets_found.len(), 2);
    let known = &gets_found.iter().find(|it| it[CONFIDENCE] == "exact").unwrap();
    assert_eq!(known[ROOT], "arn:aws:iam::111122223333:user/ada");
    assert_eq!(known["trailwarden.identity.root.type"], "IAMUser");
    assert_eq!(known["trailwarden.identity.root.access_key_id"], "AKIA0");
    assert_eq!(known["trailwarden.identity.chain"], json!(["arn:aws:iam::111122223333:user/ada", role(0)]));
    let unknown = &gets_found.iter().find(|it| it[CONFIDENCE] == "weak").unwrap();
    assert_eq!(unknown[ROOT], role(1).as_str());
    assert_eq!(of(&found, "Ada").len(), 1);
    // The call that issues the key is matched by no rule.
    assert_eq!((found.read.records.matched, found.read.records.unmatched), (2, 1));

    let asked = run(Identities::Asked);
    assert_eq!(asked.alerts.len(), 3);
    assert!(asked.alerts.iter().all(|it| !it.contains_key(ROOT)));

    let without = run(Identities::Never);
    assert_eq!(of(&without, "Gets").len(), 2);
    assert!(without.alerts.iter().all(|it| !it.contains_key(ROOT)));
    assert!(without.refused[0].reason.starts_with("HUNT005: "), "{}", without.refused[0].reason);
}

/// What is known of the fields is known of all of them.
#[test]
fn the_fields_are_known() {
    for field in identity::RootField::ALL {
        assert!(cloudtrail::vocabulary().has(field.path()), "{}", field.path());
        let known = ecs::Catalog::ecs();
        assert!(matches!(known.resolve(field.path()), ecs::Resolved::Field(_)), "{}", field.path());
    }
}

/// Two sessions of ada's, one of bob's, at one time.
fn sessions() -> Vec<Object> {
    let began = |by, session, at| Event { by: By::User(by), what: What::Assume(session), at, late: 0 };
    let gets = |session, at| Event { by: By::Session(session), what: What::Get, at, late: 0 };
    documents(&[began(0, 0, 0), began(0, 2, 1), began(1, 1, 2), gets(0, 10), gets(2, 11), gets(1, 12)])
}

#[test]
fn alerts_are_grouped_by_whoever_is_behind_them() {
    let rule = rule(
        "Grouped",
        "type = \"query\"\nquery = \"event.action: GetObject\"\ninterval = \"5m\"\nfrom = \"now-20m\"\n\
         [rule.alert_suppression]\ngroup_by = [\"trailwarden.identity.root.arn\"]\n\
         [rule.alert_suppression.duration]\nvalue = 1\nunit = \"h\"\n",
    );
    let found = hunted(&sessions(), &[rule], REPLAY);
    let mut said: Vec<(String, Value)> = found
        .alerts
        .iter()
        .map(|it| {
            let term = &it["kibana.alert.suppression.terms"][0]["value"];
            (term.to_string(), it["kibana.alert.suppression.docs_count"].clone())
        })
        .collect();
    said.sort_by(|a, b| a.0.cmp(&b.0));
    let user = |name: &str| format!("\"arn:aws:iam::111122223333:user/{name}\"");
    assert_eq!(said, [(user("ada"), json!(1)), (user("bob"), json!(0))]);
}

#[test]
fn rules_over_alerts_see_who_is_behind_the_alert() {
    let query = |index: &str, query: &str| {
        format!(
            "type = \"query\"\nindex = [\"{index}\"]\nquery = '{query}'\ninterval = \"5m\"\nfrom = \"now-20m\"\n"
        )
    };
    let rules = [
        rule("Gets", &query("logs-*", "event.action: GetObject")),
        rule(
            "Over",
            &query(
                ".alerts-security.alerts-*",
                "kibana.alert.rule.name: Gets and trailwarden.identity.root.arn: *user/ada",
            ),
        ),
    ];
    for identities in [Identities::Asked, Identities::InAlerts] {
        let folder = folder(&sessions());
        let found = run(&HuntOptions { identities, ..options(&folder, &rules) });
        let over: Vec<&Object> =
            found.alerts.iter().filter(|it| it["kibana.alert.rule.name"] == "Over").collect();
        assert_eq!(over.len(), 2, "{identities:?}");
        for alert in over.iter().filter(|_| identities == Identities::InAlerts) {
            assert_eq!(alert[ROOT], "arn:aws:iam::111122223333:user/ada");
        }
    }
}
