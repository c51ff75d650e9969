//! Rule files that are not run, or not as they stand: each is obeyed or told.

use serde_json::Value;

use crate::setup::{Folder, Ran, case};

/// A hunt, with its alerts as `rule uuid`.
fn hunt(folder: &Folder, arguments: &[&str]) -> (Vec<(String, String)>, Ran) {
    let fixed = ["hunt", "logs.json", "-f", "ndjson", "--now", "2024-06-01"];
    let ran = folder.run(&[fixed.as_slice(), arguments].concat());
    let alerts = ran.out.lines().map(|line| {
        let alert: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| alert[key].as_str().unwrap().to_owned();
        (text("kibana.alert.rule.name"), text("kibana.alert.uuid"))
    });
    (alerts.collect(), ran)
}

fn names(alerts: &[(String, String)]) -> Vec<&str> {
    alerts.iter().map(|(name, _)| name.as_str()).collect()
}

/// Two exports of one rule and its file in a checkout: one of them runs, and it is said which.
#[test]
fn two_rules_with_one_id() {
    let folder = case("two-rules-one-id");
    let files = ["a.ndjson", "b.toml", "c.ndjson"];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let [a, b, c] = order.map(|at| files[at]);
        let (alerts, ran) = hunt(&folder, &["-r", a, "-r", b, "-r", c]);
        assert_eq!(names(&alerts), ["From an export"], "{order:?}");
        let mut said: Vec<&str> = ran.err.lines().collect();
        said[2..].sort_unstable();
        assert_eq!(
            said,
            [
                "1 alert",
                "warning: 2 rules are not run, because another rule with the same id is (a file goes before the \
                 built-in rules, then the highest `version`, then the highest `revision`, then the first file by name):",
                "    \"An older export\" (c.ndjson:1) has the `rule_id` of \"From an export\" (a.ndjson:1)",
                "    \"Instances started\" (b.toml:16) has the `rule_id` of \"From an export\" (a.ndjson:1)",
            ],
            "{order:?}"
        );
    }
    // A newer one counts, wherever it lies.
    let newer =
        std::fs::read_to_string(folder.join("c.ndjson")).unwrap().replace("\"version\": 1", "\"version\": 2");
    folder.write("c.ndjson", newer);
    let (alerts, _) = hunt(&folder, &["-r", "a.ndjson", "-r", "b.toml", "-r", "c.ndjson"]);
    assert_eq!(names(&alerts), ["An older export"]);
    insta::assert_snapshot!(
        "two_rules_with_one_id",
        folder.run(&["rules", "list", "-r", "a.ndjson", "-r", "b.toml", "-r", "c.ndjson"]).whole()
    );
}

/// What is deprecated or not ready never reaches Kibana; it runs when that is asked for.
#[test]
fn deprecated_and_unfinished_rules() {
    let folder = case("deprecated-rule");
    let (alerts, ran) = hunt(&folder, &["-r", "rules"]);
    assert_eq!(names(&alerts), ["Instances started"]);
    assert_eq!(
        ran.err,
        "1 alert\nwarning: 1 rule is in development (`maturity` is `development`, and `enabled` is not there) and not \
         run: \"Instances started (draft)\"; `hunt --include development` runs it\nnote: 1 rule is deprecated \
         (`maturity` is `deprecated`) and not run: \"Instances started (old)\"; `hunt --include deprecated` runs it\n"
    );
    let (alerts, ran) = hunt(&folder, &["-r", "rules", "--include", "development,deprecated"]);
    assert_eq!(names(&alerts), ["Instances started", "Instances started (old)", "Instances started (draft)"]);
    assert_eq!(ran.err, "3 alerts\n");
    let (alerts, _) = hunt(&folder, &["-r", "rules", "--include", "deprecated"]);
    assert_eq!(names(&alerts), ["Instances started", "Instances started (old)"]);
    insta::assert_snapshot!("rules_list_idle", folder.run(&["rules", "list", "-r", "rules"]).whole());
}

/// Detections as code keep exceptions in TOML, beside the rules.
#[test]
fn exceptions_as_the_rule_repository_keeps_them() {
    let folder = case("exceptions-toml");
    let (alerts, ran) = hunt(&folder, &["-r", "rules"]);
    assert_eq!((names(&alerts), ran.err.as_str()), (vec![], "0 alerts\n"));
    let ran = folder.run(&["rules", "lint", "rules"]);
    assert!(!ran.printed(0).contains("known_automation_exceptions"), "{}", ran.out);
    // It is this list that silences: about others the rule alerts.
    let other = std::fs::read_to_string(folder.join("rules/known_automation_exceptions.toml")).unwrap();
    folder.write("rules/known_automation_exceptions.toml", other.replace("\"ana\"", "\"bob\""));
    let (alerts, ran) = hunt(&folder, &["-r", "rules"]);
    assert_eq!((names(&alerts), ran.err.as_str()), (vec!["Instances started 1"], "1 alert\n"));
    // Actions are known, and nothing that one would have to do anything about.
    folder.write(
        "rules/actions.toml",
        "[metadata]\nrule_id = [\"x\"]\n[[actions]]\naction_type_id = \".slack\"\n",
    );
    let (_, ran) = hunt(&folder, &["-r", "rules"]);
    assert_eq!(ran.err, "1 alert\n");
    let ran = folder.run(&["rules", "lint", "rules"]);
    assert!(!ran.printed(0).contains("actions.toml"), "{}", ran.out);
    let ran = folder.run(&["hunt", "logs.json", "-r", "rules/actions.toml"]);
    assert!(ran.error().contains("no rule in there"), "{}", ran.err);
}

/// Whoever keeps Sigma rules beside others must know that they do not count.
#[test]
fn sigma_rules_are_named() {
    let folder = case("two-rules-one-id");
    let sigma = "title: Instances\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  selection:\n    eventName: RunInstances\n  condition: selection\n";
    for name in ["a.yml", "b.yml", "c.yaml", "d.yml"] {
        folder.write(&format!("sigma/{name}"), sigma);
        folder.write(&format!("rules/{name}"), sigma);
    }
    folder.write("rules/pipeline.yml", "on: push\n");
    folder.write("rules/b.toml", std::fs::read(folder.join("b.toml")).unwrap());
    let (alerts, ran) = hunt(&folder, &["-r", "rules"]);
    assert_eq!(names(&alerts), ["Instances started"]);
    let said = |folder: &str| {
        format!(
            "4 files hold Sigma rules, which are not read: `{folder}/a.yml`, `{folder}/b.yml`, `{folder}/c.yaml` and 1 \
             more; write their conditions in KQL as rules in TOML (`trailwarden rules schema` describes them)"
        )
    };
    assert_eq!(ran.err, format!("1 alert\nwarning: {}\n", said("rules")));
    let ran = folder.run(&["hunt", "logs.json", "-r", "sigma"]);
    let none = "--rules `sigma`: no rule in there; rules are .toml, .ndjson or .json files";
    assert_eq!(ran.error(), format!("{none}\n    {}", said("sigma")));
    let ran = folder.run(&["hunt", "logs.json", "-r", "sigma/a.yml"]);
    assert!(ran.error().contains("1 file holds Sigma rules"), "{}", ran.err);
    let ran = folder.run(&["rules", "lint", "rules"]);
    assert!(ran.printed(0).contains("note[RULE027]: 4 files hold Sigma rules"), "{}", ran.out);
    assert!(folder.run(&["rules", "list", "-r", "rules"]).err.contains(&said("rules")));
}

/// Prebuilt rules are exported switched off: a hunt with nothing else is no hunt.
#[test]
fn an_export_of_disabled_rules() {
    let folder = case("two-rules-one-id");
    let disabled = std::fs::read_to_string(folder.join("a.ndjson"))
        .unwrap()
        .replace("\"enabled\": true", "\"enabled\": false");
    folder.write("disabled.ndjson", disabled);
    let said = "1 rule is disabled (`enabled` is false) and not run: \"From an export\"; `hunt --include disabled` runs it";
    let ran = folder.run(&["hunt", "logs.json", "-r", "disabled.ndjson"]);
    assert_eq!(ran.error(), format!("no rule is run:\n    {said}"));
    let (alerts, ran) = hunt(&folder, &["-r", "disabled.ndjson", "--include", "disabled"]);
    assert_eq!((names(&alerts), ran.err.as_str()), (vec!["From an export"], "1 alert\n"));
    // Beside others it is said, and costs them nothing.
    let (alerts, ran) = hunt(&folder, &["-r", "disabled.ndjson", "-r", "b.toml"]);
    assert_eq!((names(&alerts), ran.err), (vec!["Instances started"], format!("1 alert\nwarning: {said}\n")));
    // Nor does it hide why the others cannot run.
    let learned = "[rule]\nname = \"Learned\"\ndescription = \"Of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n\
                    type = \"machine_learning\"\nanomaly_threshold = 50\nmachine_learning_job_id = \"rare\"\n";
    folder.write("learned.toml", learned);
    let ran = folder.run(&["hunt", "logs.json", "-r", "disabled.ndjson", "-r", "learned.toml"]);
    assert!(ran.error().starts_with("no rule can run:\n    Learned: "), "{}", ran.err);
    assert!(ran.error().ends_with(said), "{}", ran.err);
    // Whoever asks why an event does not match is told, too.
    let id = "00000000-0000-4000-8000-000000000001";
    let ran = folder.run(&["hunt", "logs.json", "-r", "disabled.ndjson", "-r", "b.toml", "--explain", id]);
    assert_eq!(ran.err, format!("warning: {said}\n"));
}
