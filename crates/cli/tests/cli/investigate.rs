//! Investigations and plans as people ask for them, and what is said when they ask for what is not there.

use std::collections::BTreeMap;

use crate::setup::Folder;

const NOW: [&str; 2] = ["--now", "2026-04-01"];

fn run(folder: &Folder, arguments: &[&str]) -> crate::setup::Ran {
    folder.run(&[arguments, &NOW].concat())
}

fn alert(folder: &Folder) -> String {
    let found = run(folder, &["hunt", "calls.ndjson", "--format", "ndjson"]);
    let first: serde_json::Value = serde_json::from_str(found.out.lines().next().unwrap()).unwrap();
    first["kibana.alert.uuid"].as_str().unwrap().to_owned()
}

#[test]
fn the_text_begins_with_the_sentence_and_fits() {
    let folder = Folder::with_calls();
    let id = alert(&folder);
    // The beginning of an id is enough.
    let ran = run(&folder, &["investigate", "calls.ndjson", "--alert", &id[..12]]);
    let text = ran.printed(0);
    assert!(text.starts_with('`') && text.contains("called\n") || text.contains(" called "), "{text}");
    for line in text.lines().filter(|it| !it.starts_with("aws ") && !it.starts_with("    --")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in ["What differs", "False positives", "What is missing", "Next commands"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_other_formats() {
    let folder = Folder::with_calls();
    let id = alert(&folder);
    let of = |format: &str| {
        let ran = run(&folder, &["investigate", "calls.ndjson", "--alert", &id, "--format", format]);
        ran.printed(0).to_owned()
    };
    let json: serde_json::Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["investigations"][0]["id"], id.as_str());
    assert_eq!(json["investigations"][0]["facts"]["root_type"]["value"], "unknown");
    assert!(of("md").starts_with("# "));
    let page = of("html");
    assert!(page.contains("default-src 'none'") && !page.contains("<script"));
    // The same bytes a second time.
    assert_eq!(of("json"), of("json"));
}

#[test]
fn one_step_and_one_event() {
    let folder = Folder::with_calls();
    let ran = run(
        &folder,
        &["investigate", "calls.ndjson", "--event", "e-4", "--step", "origin", "--format", "json"],
    );
    let json: serde_json::Value = serde_json::from_str(ran.printed(0)).unwrap();
    let it = &json["investigations"][0];
    assert_eq!((it["steps"].as_array().unwrap().len(), &it["steps"][0]["step"]), (1, &"origin".into()));
    assert_eq!(it["facts"]["answered"]["value"], true);
}

#[test]
fn a_plan_in_three_forms() {
    let folder = Folder::with_calls();
    let id = alert(&folder);
    for (format, words) in
        [("md", "# Response plan"), ("sh", "#!/bin/sh\nset -u\n"), ("json", "{\n  \"schema\": 1")]
    {
        let ran = run(&folder, &["respond", "calls.ndjson", "--alert", &id, "--format", format]);
        assert!(ran.printed(0).starts_with(words), "{}", ran.out);
    }
    let chinese = run(&folder, &["respond", "calls.ndjson", "--alert", &id, "--lang", "zh-CN"]);
    assert!(
        chinese.printed(0).contains("响应计划") && chinese.out.contains("终止角色的会话"),
        "{}",
        chinese.out
    );
}

#[test]
fn a_hunt_with_its_investigations() {
    let folder = Folder::with_calls();
    let ran = run(&folder, &["hunt", "calls.ndjson", "--investigate"]);
    assert!(ran.printed(0).contains("Investigated: "), "{}", ran.out);
    let wrong = run(&folder, &["hunt", "calls.ndjson", "--investigate", "--format", "csv"]);
    assert!(wrong.error().contains("--investigate goes with the summary"), "{}", wrong.err);
}

#[test]
fn what_is_not_there() {
    let folder = Folder::with_calls();
    let mut text = String::new();
    for arguments in [
        &["investigate", "calls.ndjson", "--alert", "ffffffffffffffffffff"][..],
        &["investigate", "calls.ndjson", "--event", "nobody"],
        &["investigate", "calls.ndjson", "--rule", "nothing like it"],
        &["investigate", "calls.ndjson", "--event", "e-1", "--step", "nothing"],
        &["investigate", "calls.ndjson"],
        &["investigate", "-", "--event", "e-1"],
        &["respond", "absent", "--event", "e-1"],
    ] {
        let ran = run(&folder, arguments);
        text += &format!("{}\n{}\n", arguments.join(" "), ran.error());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn hostile_and_long_values() {
    let folder = Folder::with_calls();
    let calls = std::fs::read_to_string(folder.path().join("calls.ndjson")).unwrap();
    let long = "x".repeat(1 << 20);
    let hostile = calls
        .lines()
        .map(|line| {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["userAgent"] = format!("'; rm -rf ~; '\u{202e}\n<script>alert(1)</script>{long}").into();
            record["requestParameters"]["instanceId"] = "i-1$(id)`id`'\"\u{1b}[2J".into();
            record.to_string() + "\n"
        })
        .collect::<String>();
    folder.write("hostile.ndjson", &hostile);
    for format in ["text", "md", "html"] {
        let ran = run(&folder, &["investigate", "hostile.ndjson", "--event", "e-1", "--format", format]);
        let text = ran.printed(0);
        assert!(
            !text.contains(['\u{1b}', '\u{202e}']) && (format != "html" || !text.contains("<script")),
            "{format}"
        );
        assert!(text.len() < 1 << 20, "{format}: {} bytes", text.len());
    }
    let plan = run(&folder, &["respond", "hostile.ndjson", "--event", "e-1", "--format", "sh"]);
    assert!(!plan.printed(0).contains("$(id)") && !plan.out.contains("rm -rf"), "{}", plan.out);
}

#[test]
fn a_rule_over_alerts_is_investigated_with_the_rules_that_it_reads() {
    let folder = Folder::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cloudtrail");
    for (language, said) in [("en", " alerts about"), ("zh-CN", "个警报")] {
        // English names serve in every language.
        let rule = ["--rule", "Alerts of Several Tactics", "--lang", language, "--step", "identity"];
        let ran = run(&folder, &[&["investigate", example][..], &rule].concat());
        assert!(ran.printed(0).lines().next().unwrap().contains(said), "{}", ran.out);
        assert!(!ran.out.contains("(no-data)"), "{}", ran.out);
    }
}

/// The alerts of a rule, each with what it would be alone: what they share changes nothing of any.
#[test]
fn many_alerts_are_each_as_it_would_be_alone() {
    let folder = Folder::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cloudtrail");
    let found = run(&folder, &["hunt", example, "--format", "ndjson"]);
    let mut by_rule: BTreeMap<String, usize> = BTreeMap::new();
    for line in found.out.lines() {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        let rule = alert["kibana.alert.rule.rule_id"].as_str().unwrap();
        *by_rule.entry(rule.to_owned()).or_default() += 1;
    }
    let several: Vec<&String> = by_rule.iter().filter(|it| (2..6).contains(it.1)).map(|it| it.0).collect();
    assert!(several.len() >= 2, "{by_rule:?}");
    for rule in several.into_iter().take(3) {
        let of = |which: &[&str], format: &str| {
            let ran = run(&folder, &[&["investigate", example, "--format", format][..], which].concat());
            ran.printed(0).to_owned()
        };
        let together: serde_json::Value = serde_json::from_str(&of(&["--rule", rule], "json")).unwrap();
        let ids: Vec<&str> = together["investigations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), by_rule[rule]);
        for (format, between) in [("text", "\n\n"), ("md", "\n---\n\n")] {
            let alone: Vec<String> = ids.iter().map(|id| of(&["--alert", id], format)).collect();
            assert_eq!(of(&["--rule", rule], format), alone.join(between), "{format}");
        }
    }
}
