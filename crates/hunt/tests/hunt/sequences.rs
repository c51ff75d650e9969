//! EQL rules: events, sequences, and what is said of those that did not come about.

use detect::{Fate, Stuck};
use ecs::Object;
use hunt::Progress;
use rule::Rule;
use serde_json::{Value, json};

use crate::setup::{Call, DAY_ONE, Folder, MINUTE, hunt_in, options, refused, rule, run, texts, verdicts};

fn eql(name: &str, query: &str) -> Rule {
    rule(
        name,
        &format!(
            "type = \"eql\"\nlanguage = \"eql\"\nfrom = \"now-15m\"\ninterval = \"5m\"\nquery = '''\n{query}\n'''\n"
        ),
    )
}

fn stop_after_password() -> Rule {
    eql(
        "Stopped",
        r#"sequence by aws.cloudtrail.user_identity.session_context.session_issuer.arn with maxspan=5m
          [any where event.action == "GetPasswordData" and event.outcome == "failure"]
          [any where event.action : "StopInstances" and not source.ip == null]
          until [any where event.action == "RebootInstances"]"#,
    )
}

fn call<'a>(id: &'a str, minute: i64, role: &'a str, action: &'a str) -> Call<'a> {
    Call { action, error: None, ..refused(id, DAY_ONE + minute * MINUTE, role) }
}

fn folder() -> Folder {
    Folder::of(&[
        refused("password", DAY_ONE + MINUTE, "ci"),
        call("stop", 3, "ci", "StopInstances"),
        call("stop-again", 4, "ci", "StopInstances"),
        call("stop-other", 4, "other", "StopInstances"),
        refused("late", DAY_ONE + 10 * MINUTE, "late"),
        call("stop-late", 16, "late", "StopInstances"),
        refused("ended", DAY_ONE + 20 * MINUTE, "ended"),
        call("reboot", 21, "ended", "RebootInstances"),
        call("stop-ended", 22, "ended", "StopInstances"),
    ])
}

#[test]
fn events_alert_as_those_of_a_query() {
    let folder = folder();
    let found = hunt_in(&folder, &[eql("Stops", r#"any where event.action == "StopInstances""#)]);
    let stops = ["stop", "stop-again", "stop-ended", "stop-late", "stop-other"];
    assert_eq!(verdicts(&found), stops.map(|it| format!("Stops {it}")));
    assert!(found.alerts.iter().all(|it| it["kibana.alert.depth"] == 1));
}

#[test]
fn a_sequence_is_a_shell_around_building_blocks() {
    let folder = folder();
    let found = hunt_in(&folder, &[stop_after_password()]);
    assert_eq!(verdicts(&found), ["Stopped password"]);
    let shell = &found.alerts[0];
    let id = shell["kibana.alert.uuid"].clone();
    assert_eq!(shell["kibana.alert.group.id"], id);
    assert_eq!(shell.get("kibana.alert.group.index"), None);
    assert_eq!(shell.get("kibana.alert.building_block_type"), None);
    assert_eq!(shell["kibana.alert.depth"], 2);
    // What both events say is kept, the rest is not.
    let at = |path: &str| ecs::document::lookup(shell, path);
    assert_eq!(at("aws.cloudtrail.user_identity.session_context.session_issuer.userName"), None);
    assert_eq!(at("source.ip"), Some(&json!("203.0.113.20")));
    assert_eq!((at("event.action"), at("kibana.alert.original_event.action")), (None, None));
    assert_eq!(shell["kibana.alert.original_time"], shell["@timestamp"]);

    let hunted =
        hunt::hunt(&options(&folder, &[stop_after_password()]), &mut std::io::empty(), &Progress::default());
    let hunted = hunted.unwrap();
    let parts = |alert: &mut hunt::Alert<'_, '_>| {
        let blocks: Vec<Object> = alert.blocks().iter().map(ecs::Layered::to_object).collect();
        (blocks, alert.told().to_object())
    };
    let (blocks, told) = hunted.alerts(&[], parts, |all| all.collect::<Vec<_>>()).remove(0);
    let expected = json!(["password", "stop"]);
    for (at, block) in blocks.iter().enumerate() {
        assert_eq!(block["kibana.alert.ancestors"][0]["id"], expected[at]);
        assert_eq!(block["kibana.alert.group.id"], id);
        assert_eq!(block["kibana.alert.group.index"], at);
        assert_eq!(block["kibana.alert.building_block_type"], "default");
        assert_eq!(block["kibana.alert.depth"], 1);
    }
    let ancestors: Vec<&Value> = blocks
        .iter()
        .flat_map(|it| [&it["kibana.alert.ancestors"][0]["id"], &it["kibana.alert.uuid"]])
        .collect();
    let named: Vec<&Value> =
        shell["kibana.alert.ancestors"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(named, ancestors);
    assert_eq!(told["event.action"], json!(["GetPasswordData", "StopInstances"]));
    assert_eq!(told["kibana.alert.original_time"], ecs::date::to_iso(DAY_ONE + 3 * MINUTE));
}

/// However they are read: the same alerts, byte for byte.
#[test]
fn the_same_alerts_however_it_is_read() {
    let folder = folder();
    let rules = [
        stop_after_password(),
        eql("Pairs", "sequence by user.id [any where true] with runs=2"),
        eql("Sample", r#"sample by source.ip [any where event.outcome == "failure"] [any where true]"#),
    ];
    let all = texts(&hunt_in(&folder, &rules));
    assert!(all.len() > 3, "{}", all.len());
    for (threads, block_rows, evidence_bytes) in [(1, 1, 0), (3, 2, 0), (4, 3, 1_000), (1, 0, 1 << 20)] {
        let options = hunt::HuntOptions { threads, block_rows, evidence_bytes, ..options(&folder, &rules) };
        assert_eq!(texts(&run(&options)), all);
    }
    let alone: Vec<String> =
        rules.iter().flat_map(|rule| texts(&hunt_in(&folder, std::slice::from_ref(rule)))).collect();
    let (mut alone, mut all) = (alone, all);
    alone.sort();
    all.sort();
    assert_eq!(alone, all);
}

/// Why there was no alert although an event matches.
#[test]
fn what_a_sequence_wanted() {
    let folder = folder();
    let options = options(&folder, &[stop_after_password()]);
    let fate = |id: &str| {
        let explained = hunt::explain(&options, id, &mut std::io::empty(), &Progress::default()).unwrap();
        explained.events[0].1[0].fates.clone()
    };
    let stuck = |step, why| vec![Fate::Stuck { step, of: 2, why }];
    assert!(matches!(fate("password")[..], [Fate::Alerted { .. }]));
    assert!(matches!(fate("stop")[..], [Fate::Alerted { .. }]));
    assert_eq!(fate("stop-again"), stuck(1, Stuck::NothingBefore));
    assert_eq!(fate("stop-other"), stuck(1, Stuck::NothingBefore));
    let late = || Stuck::TooLate { by: "stop-late".to_owned(), span: 6 * MINUTE, maxspan: 5 * MINUTE };
    assert_eq!(fate("late"), stuck(1, late()));
    assert_eq!(fate("stop-late"), stuck(1, late()));
    assert_eq!(fate("ended"), stuck(1, Stuck::Until { by: "reboot".to_owned() }));
    assert_eq!(fate("reboot"), [Fate::Against]);
}

/// Events of one second: the tiebreaker orders them, without one last; what nothing orders does not follow one another, which
/// is said.
#[test]
fn what_has_the_same_time_follows_by_its_tiebreaker() {
    let query =
        r#"sequence by user.name [any where event.action == "First"] [any where event.action == "Then"]"#;
    let plain = eql("Plain", query);
    let lines = format!(
        "type = \"eql\"\nlanguage = \"eql\"\nfrom = \"now-15m\"\ninterval = \"5m\"\ntiebreaker_field = \"event.sequence\"\n\
         query = '''\n{query}\n'''\n"
    );
    let ordered = rule("Ordered", &lines);
    for (first, then, is_sequence) in [
        (Some(1), Some(2), true),
        (Some(2), Some(1), false),
        (Some(1), Some(1), false),
        (Some(1), None, true),
        (None, Some(1), false),
        (None, None, false),
    ] {
        let folder = Folder::new();
        let event = |action: &str, sequence: Option<i64>| {
            json!({
                "@timestamp": ecs::date::to_iso(DAY_ONE),
                "event": {"id": action, "action": action, "dataset": "aws.cloudtrail", "sequence": sequence},
                "user": {"name": "ada"},
            })
        };
        // However they lie in the file.
        for events in [[("First", first), ("Then", then)], [("Then", then), ("First", first)]] {
            let lines = events.map(|(action, sequence)| event(action, sequence).to_string() + "\n");
            folder.write("events.ndjson", lines.concat());
            let rules = [plain.clone(), ordered.clone()];
            let expected = if is_sequence { vec!["Ordered First"] } else { Vec::new() };
            assert_eq!(verdicts(&hunt_in(&folder, &rules)), expected, "{first:?} {then:?}");
            let options = options(&folder, &rules);
            let fate = |id: &str, name: &str| {
                let explained =
                    hunt::explain(&options, id, &mut std::io::empty(), &Progress::default()).unwrap();
                let mut of_rules = explained.events[0].1.iter();
                of_rules.find(|it| it.rule.name == name).unwrap().fates.clone()
            };
            let same = |step, by: &str, item| {
                let why = Stuck::SameTime { by: by.to_owned(), item };
                vec![Fate::Stuck { step, of: 2, why }]
            };
            assert_eq!(fate("First", "Plain"), same(1, "Then", 1));
            assert_eq!(fate("Then", "Plain"), same(1, "First", 0));
            let is_told = matches!(fate("Then", "Ordered")[..], [Fate::Alerted { .. }]);
            assert_eq!(is_told, is_sequence);
        }
    }
}
