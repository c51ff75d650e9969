//! `hunt --explain`: what the rules say of one event, and in which execution.

use crate::setup::{Folder, refused};

fn rule(name: &str, query: &str) -> String {
    format!(
        "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
         query = \"event.action: GetPasswordData and {query}\"\nfrom = \"now-20m\"\n"
    )
}

/// What the clock decides is shown as of the execution that alerted, which need not be the first that sees the event.
#[test]
fn what_the_clock_decided() {
    let folder = Folder::new();
    folder.lines("calls.ndjson", &[refused("e-1", "2026-03-02T10:00:30Z", "ci")]);
    folder.write("rules/waits.toml", rule("Waits", "@timestamp < now-7m"));
    folder.write("rules/never.toml", rule("Never", "@timestamp >= now-3m"));
    folder.write("rules/always.toml", rule("Always", "user.name: ci"));
    let explain = |more: &[&str]| {
        let arguments = ["hunt", "calls.ndjson", "-r", "rules", "--explain", "e-1"];
        folder.run(&[arguments.as_slice(), more].concat()).printed(0).to_owned()
    };
    let replayed = explain(&[]);
    for part in [
        "matches: Waits\n    in the execution of 2026-03-02 10:10:00:\n",
        "→ it alerted in the execution of 2026-03-02 10:10:00",
        "does not match: Never (1 condition does not hold)\n    in the execution of 2026-03-02 10:05:00:\n",
        "→ what depends on the time of execution holds in none that looks at it",
    ] {
        assert!(replayed.contains(part), "{part:?} is not in\n{replayed}");
    }
    assert_eq!(replayed.matches("in the execution of 2026-03-02 10:05:00:\n").count(), 1, "{replayed}");
    // One execution over all the data starts with its end.
    let once = explain(&["--once"]);
    assert!(once.contains("matches: Never\n    in the execution of 2026-03-02 10:00:30:\n"), "{once}");
    // With a given end there is one, known from the start: nothing depends on it.
    let later = explain(&["--once", "--until", "2026-03-02T10:10:00Z"]);
    assert!(later.contains("matches: Waits\n    yes and"), "{later}");
}

/// What is printed of an id is enough to ask for it.
#[test]
fn the_beginning_of_an_id() {
    let folder = Folder::new();
    let ids = ["aabbccdd-1", "aabbccdd-2", "eeff0011-3"];
    let calls: Vec<_> = ids.iter().map(|id| refused(id, "2026-03-02T10:00:30Z", id)).collect();
    folder.lines("calls.ndjson", &calls);
    folder.write("rules/always.toml", rule("Always", "user.name: *"));
    let run = |arguments: &[&str]| folder.run(&[arguments, &["-r", "rules"]].concat());
    let explained = run(&["hunt", "calls.ndjson", "--explain", "eeff"]);
    assert!(explained.printed(0).starts_with("eeff0011-3  2026"), "{explained:?}");
    for command in [["hunt", "calls.ndjson", "--explain"], ["investigate", "calls.ndjson", "--event"]] {
        let several = run(&[command.as_slice(), &["aabb"]].concat());
        assert_eq!(
            several.error(),
            "the ids of several events begin with `aabb`: aabbccdd-1, aabbccdd-2 …; give more of it"
        );
        let one = run(&[command.as_slice(), &["aabbccdd-2"]].concat());
        assert!(one.printed(0).contains("aabbccdd-2"), "{one:?}");
        let none = run(&[command.as_slice(), &["aabbccdd-3"]].concat());
        assert!(none.out.contains("no event") || none.err.contains("no event"), "{none:?}");
    }
    // Ten characters are needed here, and they are what is printed.
    let summary = run(&["hunt", "calls.ndjson"]);
    for id in ids {
        assert!(summary.printed(0).contains(&format!("event {id}")), "{summary:?}");
    }
    let alerts = run(&["hunt", "calls.ndjson", "-f", "csv"]);
    let alert = alerts.printed(0).lines().nth(1).unwrap().rsplit(',').next().unwrap().to_owned();
    let found = run(&["investigate", "calls.ndjson", "--alert", &alert[..8]]);
    assert!(found.printed(0).contains(&alert), "{found:?}");
    let several = run(&["investigate", "calls.ndjson", "--alert", ""]);
    assert!(several.error().contains("several alerts begin with"), "{several:?}");
}

/// The id of an alert is explained, too: how it came about, and what rules over alerts made of it.
#[test]
fn alerts_are_explained() {
    let folder = Folder::new();
    let calls = [("e-1", "10:00:30"), ("e-2", "10:01:30"), ("e-3", "12:00:30")];
    let calls = calls.map(|(id, time)| refused(id, &format!("2026-03-02T{time}Z"), "ci"));
    folder.lines("calls.ndjson", &calls);
    folder.write("rules/call.toml", rule("Call", "user.name: ci"));
    let over = |name: &str, value: u32| {
        format!(
            "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"high\"\nrisk_score = 70\n\
             type = \"threshold\"\nindex = [\".alerts-security.*\"]\nfrom = \"now-21m\"\n\
             query = \"kibana.alert.rule.name: Call\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = {value}\n"
        )
    };
    folder.write("rules/two.toml", over("Two", 2));
    folder.write("rules/many.toml", over("Many", 5));
    let hunt = |more: &[&str]| {
        folder.run(&[&["hunt", "calls.ndjson", "-r", "rules"], more].concat()).printed(0).to_owned()
    };
    let alerts = hunt(&["--format", "ndjson"]);
    let alerts: Vec<serde_json::Value> = alerts.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let id = |rule: &str, at: usize| {
        let mut its = alerts.iter().filter(|it| it["kibana.alert.rule.name"] == rule);
        its.nth(at).unwrap()["kibana.alert.uuid"].as_str().unwrap().to_owned()
    };
    let (first, third, two) = (id("Call", 0), id("Call", 2), id("Two", 0));
    let holds = |text: &str, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    };
    holds(
        &hunt(&["--explain", &first]),
        &[
            "alert of Call, raised in the execution of 2026-03-02 10:05:00\n    on the event e-1",
            "2 matches of 2 rules over alerts",
            &format!("→ it alerted in the execution of 2026-03-02 10:05:00: {two}"),
            "→ no execution that looks at it counts enough (ci): that of 2026-03-02 10:05:00, which counts the most, has 2 of 5",
        ],
    );
    holds(&hunt(&["--explain", &third]), &["has 1 of 2", "has 1 of 5"]);
    holds(
        &hunt(&["--explain", &two]),
        &[
            "alert of Two, raised in the execution of 2026-03-02 10:05:00",
            &format!("on the alert {first}  2026-03-02 10:00:30  low  Call"),
            "it counted 2 alerts of user ci",
            "0 matches of 2 rules over alerts",
        ],
    );
    assert_eq!(
        hunt(&["--explain", "none"]),
        "no event with the id `none` is in the input, and no alert `none` is raised\n"
    );
}
