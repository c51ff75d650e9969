//! What lies in a range, what at its edge, and what before it.

use std::path::Path;

use detect::Mode;
use hunt::HuntOptions;
use rule::Rule;
use serde_json::json;

use crate::setup::{
    Call, DAY, DAY_ONE, Folder, HOUR, Hunted, MINUTE, NOW, documents, get_password_data, gzip, hunt_in,
    options, refused, rule, run, texts, verdicts,
};

fn every_call() -> Rule {
    rule("Call", "type = \"query\"\nquery = \"event.action: GetPasswordData\"\nfrom = \"now-5m\"\n")
}

fn ids(found: &Hunted) -> Vec<String> {
    verdicts(found).iter().map(|it| it.rsplit(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn the_edges_of_a_range() {
    let at = |id, offset| refused(id, DAY_ONE + HOUR + offset, "ci");
    let calls = [at("before", -1), at("on", 0), at("after", 1), at("late", 5 * MINUTE)];
    let folder = Folder::of(&calls);
    let hunted = |mode| {
        let mut ids = ids(&run(&HuntOptions { mode, ..options(&folder, &[every_call()]) }));
        ids.sort();
        ids
    };
    // Alerts on events in [since, until), whichever executions raise them.
    assert_eq!(hunted(Mode::Replay { since: None, until: Some(DAY_ONE + HOUR) }), ["before"]);
    assert_eq!(hunted(Mode::Replay { since: Some(DAY_ONE + HOUR), until: None }), ["after", "late", "on"]);
    // One execution over (from, to].
    let once = Mode::Once { from: Some(DAY_ONE + HOUR), to: Some(DAY_ONE + HOUR + 1) };
    assert_eq!(hunted(once), ["after"]);
    assert_eq!(hunted(Mode::Once { from: None, to: None }), ["after", "before", "late", "on"]);
}

#[test]
fn the_edges_of_history() {
    let rule = rule(
        "New",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\nfrom = \"now-5m\"\n[rule.new_terms]\n\
         field = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\n\
         field = \"history_window_start\"\nvalue = \"now-1d\"\n",
    );
    // The execution of 12:05 sees [12:00, 12:05] and knows what happened from 12:05 the day before.
    let seen = DAY_ONE + DAY + 12 * HOUR + 5 * MINUTE;
    let second = |before: i64| {
        let calls = [refused("known", seen - DAY - before, "ci"), refused("seen", seen, "ci")];
        ids(&hunt_in(&Folder::of(&calls), std::slice::from_ref(&rule)))
    };
    assert_eq!(second(0), ["known"], "exactly at the start of the history");
    assert_eq!(second(1), ["known", "seen"], "a millisecond before it");
}

#[test]
fn what_lies_before_since_is_history() {
    let calls = [refused("old", DAY_ONE, "ci"), refused("again", DAY_ONE + 5 * DAY, "ci")];
    let folder = Folder::of(&calls);
    let mode = Mode::Replay { since: Some(DAY_ONE + 4 * DAY), until: None };
    let found = run(&HuntOptions { mode, ..options(&folder, &[get_password_data()]) });
    assert!(found.alerts.is_empty(), "{:?}", verdicts(&found));
    let mode = Mode::Once { from: Some(DAY_ONE + 4 * DAY), to: None };
    let found = run(&HuntOptions { mode, ..options(&folder, &[get_password_data()]) });
    assert!(found.alerts.is_empty(), "{:?}", verdicts(&found));
}

/// A call in the layout of a trail's bucket, ten minutes after it was made.
fn deliver(folder: &Folder, call: &Call<'_>) {
    let time = &ecs::date::to_iso(call.at.unwrap() + 10 * MINUTE);
    let (year, month, date) = (&time[..4], &time[5..7], &time[8..10]);
    let (hour, minute) = (&time[11..13], &time[14..16]);
    let name = format!(
        "AWSLogs/111122223333/CloudTrail/eu-west-1/{year}/{month}/{date}/\
         111122223333_CloudTrail_eu-west-1_{year}{month}{date}T{hour}{minute}Z_Example0123456789.json.gz"
    );
    let text = format!("{{\"Records\":[{}]}}", call.line().trim_end());
    folder.write(&name, gzip(text.as_bytes()));
}

#[test]
fn pruning_leaves_what_the_rules_reach_back_to() {
    let folder = Folder::new();
    let roles = ["a", "b", "c", "d"];
    for day in 0..40 {
        let role = roles[day as usize % roles.len()];
        deliver(&folder, &refused(&format!("day-{day}"), DAY_ONE + day * DAY, role));
    }
    let since = DAY_ONE + 30 * DAY + 12 * HOUR;
    let mode = Mode::Replay { since: Some(since), until: Some(since + 4 * DAY) };
    let pruned = run(&HuntOptions { mode, ..options(&folder, &[get_password_data(), every_call()]) });
    assert!(pruned.read.pruned > 20, "{} of 40 were not read", pruned.read.pruned);
    assert!(pruned.read.files + pruned.read.pruned == 40);
    // Each role calls every fourth day: with seven days of history none is new.
    assert_eq!(verdicts(&pruned), ["Call day-31", "Call day-32", "Call day-33", "Call day-34"]);

    // The same files without a layout to prune by give the same alerts.
    let flat = Folder::new();
    for day in 0..40 {
        let role = roles[day as usize % roles.len()];
        let call = refused(&format!("day-{day}"), DAY_ONE + day * DAY, role).line();
        flat.write(&format!("{day}.json"), call);
    }
    let read = run(&HuntOptions { mode, ..options(&flat, &[get_password_data(), every_call()]) });
    assert_eq!(read.read.pruned, 0);
    assert_eq!(texts(&read), texts(&pruned));
}

/// A range may end after the time of execution; whatever was delivered after that is read.
#[test]
fn what_the_rules_reach_ahead_to_is_read() {
    let ahead = rule(
        "Ahead",
        "type = \"query\"\nquery = \"event.action: GetPasswordData\"\nfrom = \"now-5m\"\nto = \"now+3d\"\n",
    );
    let folder = Folder::new();
    for day in 0..10 {
        deliver(&folder, &refused(&format!("day-{day}"), DAY_ONE + day * DAY + HOUR, "ci"));
    }
    let mode = |until| Mode::Replay { since: None, until: Some(until) };
    let options = |mode| HuntOptions { mode, ..options(&folder, std::slice::from_ref(&ahead)) };
    let found = run(&options(mode(DAY_ONE + 2 * HOUR)));
    assert_eq!(ids(&found), ["day-0"], "three days before it happened");
    let started = &found.rules[0].outcome.alerts[0].execution.started_at;
    assert_eq!(*started, DAY_ONE + HOUR - 3 * DAY);
    // One execution has its range from outside.
    let found = run(&options(Mode::Once { from: None, to: Some(DAY_ONE + 2 * HOUR) }));
    assert_eq!(ids(&found), ["day-0"]);
}

/// An event of the first of May was delivered on the fifth: to stop on the second must not cost its alert.
#[test]
fn a_late_delivery_is_read_whatever_the_end() {
    let folder = Folder::new();
    let event = |id, at| refused(id, at, "ci");
    deliver(&folder, &event("prompt", DAY_ONE));
    let late = format!("{{\"Records\":[{}]}}", event("late", DAY_ONE + HOUR).line().trim_end());
    folder.write("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/06/late.json", late);
    let until = |until| {
        let mode = Mode::Replay { since: None, until };
        run(&HuntOptions { mode, ..options(&folder, &[every_call()]) })
    };
    let (whole, ended) = (until(None), until(Some(DAY_ONE + DAY)));
    assert_eq!(ids(&whole), ["late", "prompt"]);
    assert_eq!(texts(&ended), texts(&whole));
    assert_eq!(ended.read.pruned, 0);
}

/// History counts from `to`, which may lie before the time of execution.
#[test]
fn pruning_leaves_the_history_of_a_rule_that_waits() {
    let waiting = rule(
        "Waiting",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\nfrom = \"now-6h\"\nto = \"now-4h\"\n\
         [rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"user.name\"]\n\
         [[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-2d\"\n",
    );
    let folder = Folder::new();
    deliver(&folder, &refused("known", DAY_ONE + 2 * HOUR + MINUTE, "ci"));
    deliver(&folder, &refused("again", DAY_ONE + 2 * DAY, "ci"));
    // The executions from 04:00 to 06:00 see the second call; the last of them knows what happened from 02:00 on
    // two days before.
    let (since, until) = (DAY_ONE + 2 * DAY + 3 * HOUR + 59 * MINUTE, DAY_ONE + 3 * DAY);
    let mode = Mode::Replay { since: Some(since), until: Some(until) };
    let found = run(&HuntOptions { mode, ..options(&folder, &[waiting]) });
    assert!(found.alerts.is_empty(), "{:?}, {} files pruned", verdicts(&found), found.read.pruned);
}

#[test]
fn a_record_without_a_time_happens_now() {
    let call = Call { at: None, ..refused("undated", 0, "ci") };
    let found = hunt_in(&Folder::of(std::slice::from_ref(&call)), &[get_password_data()]);
    assert_eq!(ids(&found), ["undated"], "alone");
    assert_eq!((found.read.undated, found.read.span), (1, None));
    let folder = Folder::of(&[refused("dated", DAY_ONE, "ops"), call]);
    let found = hunt_in(&folder, &[get_password_data()]);
    assert_eq!(ids(&found), ["dated", "undated"], "long after the others");
    assert_eq!(found.read.span, Some((DAY_ONE, DAY_ONE)));
    let alert = &found.alerts[1];
    assert_eq!(alert["kibana.alert.original_time"], ecs::date::to_iso(NOW));

    // It is seen, and makes nobody execute from the last event up to now, nor take now for the end of the data.
    assert_eq!(found.rules[0].outcome.executions, detect::Executions { total: 2, run: 2 });
    let since = "type = \"query\"\nquery = \"event.action: GetPasswordData and @timestamp >= now-1h\"\n";
    let override_too = format!("{since}timestamp_override = \"event.ingested\"\n");
    for lines in [since, &override_too] {
        let rule = rule("Within an hour of the end", lines);
        let mode = Mode::Once { from: None, to: None };
        let found = run(&HuntOptions { mode, ..options(&folder, std::slice::from_ref(&rule)) });
        assert_eq!(ids(&found), ["dated", "undated"]);
        assert_eq!(found.alerts[0]["@timestamp"], ecs::date::to_iso(DAY_ONE));
    }

    // The document of such a record says the time of reading, and is taken for what it is.
    let lines: Vec<String> = documents(&folder)
        .into_iter()
        .map(|it| json!({"_index": it.index, "_id": it.id, "_source": it.source}).to_string())
        .collect();
    let of_documents = Folder::new();
    of_documents.write("documents.ndjson", lines.join("\n"));
    let same = hunt_in(&of_documents, &[get_password_data()]);
    assert_eq!(texts(&same), texts(&found));
    assert_eq!((same.read.undated, same.read.span), (1, Some((DAY_ONE, DAY_ONE))));
}

/// A history that is longer than the data is told, whatever has no time.
#[test]
fn a_record_without_a_time_is_no_history() {
    let call = Call { at: None, action: "ListBuckets", ..refused("undated", 0, "ci") };
    let folder = Folder::of(&[refused("dated", DAY_ONE, "ops"), call]);
    let new_role = rule(
        "New role",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\n[rule.new_terms]\n\
         field = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\n\
         field = \"history_window_start\"\nvalue = \"now-7d\"\n",
    );
    let found = hunt_in(&folder, &[new_role]);
    let kinds: Vec<_> = found.rules[0].outcome.warnings.iter().map(|it| &it.kind).collect();
    assert!(matches!(kinds[..], [detect::WarningKind::ShortHistory { data: 0, .. }]), "{kinds:?}");
}

/// For a rule with an override the last event is the one that was indexed last, whenever it happened.
#[test]
fn the_last_execution_sees_what_was_indexed_last() {
    let folder = Folder::new();
    let document = |id: &str, indexed: i64| {
        let event = json!({"id": id, "action": "GetPasswordData", "ingested": ecs::date::to_iso(indexed)});
        json!({"@timestamp": ecs::date::to_iso(DAY_ONE), "event": event, "user": {"name": id}}).to_string()
    };
    let delivered = [document("soon", DAY_ONE + 6 * MINUTE), document("late", DAY_ONE + 3 * DAY)];
    folder.write("export.ndjson", delivered.join("\n"));
    let lines = "index = [\"logs-*\"]\ntimestamp_override = \"event.ingested\"\nquery = \"event.action: GetPasswordData\"\n";
    let query = rule("Query", &format!("type = \"query\"\n{lines}"));
    let new_terms = rule(
        "New",
        &format!(
            "type = \"new_terms\"\n{lines}[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"user.name\"]\n\
             [[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-7d\"\n"
        ),
    );
    let found = hunt_in(&folder, &[query, new_terms]);
    assert_eq!(verdicts(&found), ["New late", "New soon", "Query late", "Query soon"]);
}

#[test]
fn the_limit_of_alerts_asked_for_by_hand_is_the_limit() {
    let ids: Vec<String> = (0..1500).map(|number| format!("call-{number:04}")).collect();
    let mut calls: Vec<Call<'_>> = ids.iter().map(|id| refused(id, DAY_ONE, "ci")).collect();
    // So that there is a second execution, which sees all the others as well.
    calls.push(refused("later", DAY_ONE + MINUTE, "ci"));
    let folder = Folder::of(&calls);
    let raised = |max_signals| {
        let found = run(&HuntOptions { max_signals, ..options(&folder, &[every_call()]) });
        (found.alerts.len(), found.rules[0].outcome.metrics.truncated)
    };
    assert_eq!(raised(None), (200, 2), "what the rule says");
    assert_eq!(raised(Some(3)), (6, 2));
    assert_eq!(raised(Some(1200)), (1501, 1));
    assert_eq!(raised(Some(2000)), (1501, 0));
}

/// A file of one of the cases that are kept as files.
fn case(name: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name).join(file);
    std::fs::read_to_string(path).unwrap()
}

/// The time of the execution that raised an alert, of an alert's text.
fn started(alert: &str) -> String {
    let alert: serde_json::Value = serde_json::from_str(alert).unwrap();
    alert["@timestamp"].as_str().unwrap()[11..16].to_owned()
}

/// `now` in a query, or in a filter, is the time of the simulated execution.
#[test]
fn now_in_a_query() {
    let rules = rule::load_text("rules.ndjson", &case("now-in-query", "rules.ndjson")).rules;
    let folder = Folder::new();
    folder.write("logs.json", case("now-in-query", "logs.json"));
    let found = texts(&hunt_in(&folder, &rules));
    assert_eq!(found.iter().map(|it| started(it)).collect::<Vec<_>>(), ["10:00", "10:00"]);
    // One execution starts with its end, which is that of the data if nothing else is said.
    let alerts = |to: Option<&str>| {
        let to = to.map(|it| ecs::date::parse(it).unwrap());
        run(&HuntOptions { mode: Mode::Once { from: None, to }, ..options(&folder, &rules) }).alerts.len()
    };
    assert_eq!(alerts(None), 2);
    assert_eq!(alerts(Some("2024-05-01T10:10:00Z")), 2);
    assert_eq!(alerts(Some("2024-05-01T10:10:01Z")), 1, "more than ten minutes old");
    assert_eq!(alerts(Some("2024-05-01T11:00:01Z")), 0);
}

/// A burst at the end of the data fills the limit of alerts. What is left over is taken up by the executions that still
/// look back to it, whether or not there is anything after it.
#[test]
fn the_limit_at_the_end() {
    let rules = rule::load_text("rule.ndjson", &case("limit-at-the-end", "rule.ndjson")).rules;
    let alerts = |name: &str| {
        let folder = Folder::new();
        folder.write(name, case("limit-at-the-end", name));
        texts(&hunt_in(&folder, &rules))
    };
    let burst = alerts("burst.json");
    assert_eq!(burst.iter().map(|it| started(it)).collect::<Vec<_>>(), ["10:05", "10:05", "10:10", "10:10"]);
    assert_eq!(alerts("burst-and-later.json"), burst);
}
