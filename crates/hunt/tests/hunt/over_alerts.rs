//! Rules over alerts in the same hunt as the rules whose alerts they read.

use detect::Mode;
use ecs::{Layered, Millis, Object};
use hunt::{HuntOptions, Progress};
use rule::Rule;
use serde_json::Value;

use crate::setup::{Call, DAY_ONE, Folder, HOUR, MINUTE, ndjson, options, rule};

const STANDS_ON: &str = "trailwarden.evidence.alerts";

fn call<'a>(id: &'a str, minute: i64, action: &'a str, role: &'a str) -> Call<'a> {
    Call { id, at: Some(DAY_ONE + minute * MINUTE), action, role, address: "203.0.113.20", error: None }
}

/// What two roles do in two hours, beside others who do no harm.
fn calls() -> Vec<Call<'static>> {
    vec![
        call("a1", 1, "ListUsers", "build"),
        call("a2", 3, "GetPasswordData", "build"),
        call("a3", 8, "StopLogging", "build"),
        call("b1", 12, "ListUsers", "deploy"),
        call("b2", 61, "ListUsers", "deploy"),
        call("b3", 62, "StopLogging", "deploy"),
        call("c1", 63, "DescribeInstances", "view"),
        call("a4", 95, "ListUsers", "build"),
        call("a5", 96, "ListUsers", "build"),
        call("a6", 97, "ListUsers", "build"),
        call("b4", 110, "GetPasswordData", "deploy"),
    ]
}

/// A rule over events about one call, of a tactic of its own.
fn about(action: &str, tactic: &str) -> Rule {
    let lines = format!(
        "rule_id = \"{action}\"\ntype = \"query\"\nquery = \"event.action: {action}\"\nindex = [\"logs-*\"]\n\
         [[rule.threat]]\nframework = \"MITRE ATT&CK\"\n[rule.threat.tactic]\nid = \"{tactic}\"\nname = \"Tactic\"\n\
         reference = \"https://attack.mitre.org/tactics/{tactic}/\"\n"
    );
    rule(action, &lines)
}

fn over_events() -> Vec<Rule> {
    let many = "rule_id = \"many\"\ntype = \"threshold\"\nquery = \"event.action: ListUsers\"\nindex = [\"logs-*\"]\n\
                [rule.threshold]\nfield = [\"user.name\"]\nvalue = 3\n";
    let steps = "rule_id = \"steps\"\ntype = \"eql\"\nlanguage = \"eql\"\nindex = [\"logs-*\"]\nfrom = \"now-30m\"\n\
                 query = 'sequence by user.name with maxspan=20m [any where event.action == \"ListUsers\"] \
                 [any where event.action == \"StopLogging\"]'\n";
    vec![
        about("ListUsers", "TA0007"),
        about("GetPasswordData", "TA0006"),
        about("StopLogging", "TA0005"),
        rule("Many", many),
        rule("Steps", steps),
    ]
}

fn over_alerts() -> Vec<Rule> {
    let of = |name: &str, lines: &str| {
        rule(name, &format!("rule_id = \"{name}\"\nindex = [\".alerts-security.*\"]\n{lines}"))
    };
    vec![
        of("Any", "type = \"query\"\nquery = 'kibana.alert.rule.rule_id: (many or steps or StopLogging)'\n"),
        of(
            "Tactics",
            "type = \"threshold\"\nfrom = \"now-1h\"\ninterval = \"10m\"\n\
             query = 'kibana.alert.rule.threat.tactic.id: *'\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 1\n\
             cardinality = [{ field = \"kibana.alert.rule.threat.tactic.id\", value = 3 }]\n",
        ),
        of(
            "First",
            "type = \"new_terms\"\nquery = 'kibana.alert.severity: low'\nnew_terms_fields = [\"user.name\"]\n\
             history_window_start = \"now-1h\"\n",
        ),
        of(
            "Then",
            "type = \"eql\"\nlanguage = \"eql\"\nfrom = \"now-2h\"\n\
             query = 'sequence by user.name [any where kibana.alert.rule.rule_id == \"ListUsers\"] \
             [any where kibana.alert.rule.rule_id == \"GetPasswordData\"]'\n",
        ),
        of("Blocks", "type = \"query\"\nquery = 'kibana.alert.building_block_type: default'\n"),
    ]
}

/// The alerts of a hunt, and the building blocks of those that have some.
fn documents(options: &HuntOptions) -> Vec<Object> {
    let found = hunt::hunt(options, &mut std::io::empty(), &Progress::default()).unwrap();
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let mut all: Vec<Object> = alert.blocks().iter().map(Layered::to_object).collect();
        all.push(alert.document().to_object());
        all
    };
    found.alerts(&[], make, |it| it.flatten().collect())
}

fn is_of(alert: &Object, rules: &[Rule]) -> bool {
    rules.iter().any(|it| alert["kibana.alert.rule.uuid"] == it.id.as_str())
}

/// `RULE UUID` with what the alert says of its sources, in a defined order.
fn sorted(mut alerts: Vec<Object>) -> Vec<Object> {
    for alert in &mut alerts {
        alert.remove(STANDS_ON);
    }
    alerts.sort_by_key(|it| (it["kibana.alert.rule.name"].to_string(), it["kibana.alert.uuid"].to_string()));
    alerts
}

fn text<'a>(alert: &'a Object, key: &str) -> &'a str {
    alert[key].as_str().unwrap()
}

/// Whether the alerts are documents of the data or come from the same hunt: the same alerts on them.
#[test]
fn as_if_the_alerts_lay_in_the_data() {
    let folder = Folder::of(&calls());
    let (events, alerts) = (over_events(), over_alerts());
    let all: Vec<Rule> = events.iter().chain(&alerts).cloned().collect();
    let together = documents(&options(&folder, &all));
    let (mine, theirs): (Vec<Object>, Vec<Object>) = together.into_iter().partition(|it| is_of(it, &alerts));
    assert_eq!(
        sorted(theirs.clone()),
        sorted(documents(&options(&folder, &events))),
        "rules over events do as alone"
    );
    for rule in &alerts {
        assert!(mine.iter().any(|it| is_of(it, std::slice::from_ref(rule))), "{} says something", rule.name);
    }
    // One rule at a time: in the data there are no alerts of other rules over alerts.
    let lines: Vec<String> = theirs.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
    let written = Folder::new();
    written.write("alerts.ndjson", lines.join("\n"));
    for rule in &alerts {
        let rule = std::slice::from_ref(rule);
        let alone: Vec<Rule> = events.iter().chain(rule).cloned().collect();
        let here = documents(&options(&folder, &alone)).into_iter().filter(|it| is_of(it, rule));
        let there = documents(&options(&written, rule));
        assert_eq!(sorted(here.collect()), sorted(there), "{}", rule[0].name);
    }
}

/// Threads, blocks, memory, the order of files and of rules are no part of it.
#[test]
fn the_same_however_it_is_hunted() {
    let rules: Vec<Rule> = over_alerts().into_iter().chain(over_events()).collect();
    let expected = sorted(documents(&options(&Folder::of(&calls()), &rules)));
    let apart = Folder::new();
    for (at, call) in calls().iter().enumerate() {
        apart.write(&format!("{:02}.ndjson", 99 - at), ndjson([call]));
    }
    let reversed: Vec<Rule> = rules.iter().rev().cloned().collect();
    for (threads, block_rows, evidence_bytes) in [(1, 1, 0), (3, 2, 100), (2, 0, 64 << 20)] {
        let options = HuntOptions { threads, block_rows, evidence_bytes, ..options(&apart, &reversed) };
        assert_eq!(sorted(documents(&options)), expected);
    }
}

/// What is asked for of a range are those alerts of the whole whose newest alert was raised in it.
#[test]
fn a_range_has_the_alerts_of_the_whole() {
    let folder = Folder::new();
    for call in calls() {
        folder.write(&format!("{}.ndjson", call.id), ndjson([&call]));
    }
    let rules: Vec<Rule> = over_events().into_iter().chain(over_alerts()).collect();
    let whole = documents(&options(&folder, &rules));
    let time = |it: &Object| -> Millis {
        // Of what stands on alerts the newest of these counts; of sequences the newest block.
        let stands = it.get(STANDS_ON).and_then(Value::as_array);
        let newest = stands.and_then(|all| all.iter().filter_map(|it| it["raised"].as_str()).max());
        ecs::date::parse(newest.unwrap_or_else(|| text(it, "kibana.alert.original_time"))).unwrap()
    };
    let alerts = over_alerts();
    let standing =
        |all: Vec<Object>| sorted(all.into_iter().filter(|it| it.contains_key(STANDS_ON)).collect());
    for (since, until) in [(20, 70), (0, 15), (65, 200), (10, 11)] {
        let (since, until) = (DAY_ONE + since * MINUTE, DAY_ONE + until * MINUTE);
        let mode = Mode::Replay { since: Some(since), until: Some(until) };
        let part = documents(&HuntOptions { mode, ..options(&folder, &rules) });
        assert!(part.iter().all(|it| !is_of(it, &alerts)
            || !it.contains_key(STANDS_ON)
            || (since..until).contains(&time(it))));
        let expected =
            whole.iter().filter(|it| it.contains_key(STANDS_ON) && (since..until).contains(&time(it)));
        assert_eq!(standing(part), sorted(expected.cloned().collect()));
    }
}

/// A rule over alerts sees alerts of rules over events of its own slot, and those of other rules over alerts of earlier
/// slots; what it stands on it names.
#[test]
fn slots() {
    let lines = |query: &str| {
        format!("rule_id = \"x\"\ntype = \"query\"\nquery = '{query}'\nindex = [\".alerts-*\"]\n")
    };
    let named = |name: &str, query: &str| {
        let mut rule = rule(name, &lines(query).replace("\"x\"", &format!("\"{name}\"")));
        rule.max_signals = 100;
        rule
    };
    let rules = [
        about("StopLogging", "TA0005"),
        named("Second", "kibana.alert.rule.rule_id: StopLogging"),
        named("Third", "kibana.alert.rule.rule_id: Second"),
        named("Fourth", "kibana.alert.depth >= 3"),
        // It would alert on all of them again and again.
        named("Every", "kibana.alert.rule.name: *"),
    ];
    let folder = Folder::of(&[call("one", 1, "StopLogging", "build")]);
    let alerts = documents(&options(&folder, &rules));
    let at = |name: &str| -> Vec<(i64, u64)> {
        let its = alerts.iter().filter(|it| text(it, "kibana.alert.rule.name") == name);
        let slot = |it: &Object| ecs::date::parse(text(it, "@timestamp")).unwrap();
        let mut all: Vec<(i64, u64)> = its
            .map(|it| ((slot(it) - DAY_ONE) / MINUTE, it["kibana.alert.depth"].as_u64().unwrap()))
            .collect();
        all.sort_unstable();
        all
    };
    assert_eq!(at("StopLogging"), [(5, 1)]);
    assert_eq!(at("Second"), [(5, 2)]);
    assert_eq!(at("Third"), [(10, 3)]);
    assert_eq!(at("Fourth")[0], (15, 4));
    let third = alerts.iter().find(|it| text(it, "kibana.alert.rule.name") == "Third").unwrap();
    let ancestors = third["kibana.alert.ancestors"].as_array().unwrap();
    let depths: Vec<(&str, u64)> =
        ancestors.iter().map(|it| (it["type"].as_str().unwrap(), it["depth"].as_u64().unwrap())).collect();
    assert_eq!(depths, [("event", 0), ("signal", 1), ("signal", 2)]);
    assert_eq!(third[STANDS_ON][0]["rule_name"], "Second");
    assert_eq!(third["event"]["action"], "StopLogging");
    // No alert comes from one of its own rule, so they come to an end.
    for alert in &alerts {
        let own = &alert["kibana.alert.rule.uuid"];
        assert!(alert["kibana.alert.ancestors"].as_array().unwrap().iter().all(|it| it["rule"] != *own));
    }
}

/// Alerts that exist already are seen all the same.
#[test]
fn known_alerts_are_seen() {
    let folder = Folder::of(&calls());
    let events = over_events();
    let mut options = options(&folder, &events);
    for alert in documents(&options) {
        options.known.add_id(text(&alert, "kibana.alert.uuid").to_owned());
    }
    let rules: Vec<Rule> = events.into_iter().chain(over_alerts()).collect();
    let fresh = documents(&crate::setup::options(&folder, &rules));
    options.rules = rule::Selection::all(rules.clone());
    let alerts = over_alerts();
    let of_alerts = |all: Vec<Object>| sorted(all.into_iter().filter(|it| is_of(it, &alerts)).collect());
    let later = documents(&options);
    assert!(later.iter().all(|it| is_of(it, &alerts)), "the others exist already");
    assert_eq!(of_alerts(later), of_alerts(fresh));
}

/// One execution sees what the others raise in theirs.
#[test]
fn one_execution() {
    let folder = Folder::of(&calls());
    let rules: Vec<Rule> = over_events().into_iter().chain(over_alerts()).collect();
    let mode = Mode::Once { from: Some(DAY_ONE - 1), to: Some(DAY_ONE + 3 * HOUR) };
    let alerts = documents(&HuntOptions { mode, ..options(&folder, &rules) });
    for rule in over_alerts() {
        let says = alerts.iter().any(|it| is_of(it, std::slice::from_ref(&rule)));
        // All alerts are raised at one time, so none follows another.
        assert_eq!(says, rule.name != "Then", "{}", rule.name);
    }
}
