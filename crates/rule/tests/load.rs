//! Files, folders, exports and their forms.

use std::fs;
use std::num::NonZeroUsize;

use ecs::date::DateMath;
use rule::{GuideLanguage, QueryLanguage, Rule, RuleKind, Severity, Unsupported};
use serde_json::json;

const RULE: &str = "[rule]\nname = \"Access key created\"\ndescription = \"A key was made.\"\nseverity = \"low\"\nrisk_score = 21\ntype = \"query\"\nquery = \"event.action: CreateAccessKey\"\nrule_id = \"keys\"\nfalse_positives = [\"Automation.\"]\n\n[guide]\noverview = \"Somebody made a key.\"\n[[guide.triage]]\ntitle = \"Who\"\ntext = \"Ask.\"\n";

fn codes(set: &rule::RuleSet) -> Vec<&str> {
    set.problems.iter().map(|problem| problem.diagnostic.code).collect()
}

#[test]
fn a_folder_is_read_recursively_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("sub")).unwrap();
    fs::write(path("b.toml"), RULE.replace("keys", "b")).unwrap();
    fs::write(path("a.toml"), RULE.replace("keys", "a")).unwrap();
    fs::write(path("broken.toml"), "[rule").unwrap();
    fs::write(path("sub/c.toml"), RULE.replace("keys", "c")).unwrap();
    fs::write(path("notes.txt"), "not a rule").unwrap();
    fs::write(path("other.toml"), "[package]\nname = \"x\"\n").unwrap();
    fs::write(path("settings.json"), "{\"editor\": 1}").unwrap();
    let set = rule::load(&[folder.path()]);
    let ids: Vec<_> = set.rules.iter().map(|rule| rule.rule_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(codes(&set), ["RULE001", "RULE007", "RULE007"]);
    assert_eq!(set.error_count(), 1, "what is no rule is an error only if it was named");
    assert_eq!(rule::load(&[path("other.toml")]).error_count(), 1);
    assert_eq!(codes(&rule::load(&[path("absent.toml")])), ["RULE005"]);
}

/// Whatever the letters of their endings: a rule that is passed over is a rule that never alerts.
#[test]
fn endings_in_any_letter_case() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let export = |id: &str| {
        json!({ "rule_id": id, "name": id, "description": "d", "severity": "low", "risk_score": 1, "type": "query" }).to_string()
    };
    fs::write(path("Keys.TOML"), RULE.replace("keys", "upper")).unwrap();
    fs::write(path("keys.toml"), RULE.replace("keys", "lower")).unwrap();
    fs::write(path("a.NDJSON"), export("ndjson")).unwrap();
    fs::write(path("b.Json"), export("json")).unwrap();
    fs::write(path("c.JsonL"), export("jsonl")).unwrap();
    let translated = |name: &str| {
        format!(
            "[rule]\nname = \"{name}\"\nfalse_positives = [\"自动化。\"]\n[[guide.triage]]\ntitle = \"是谁\"\ntext = \"询问。\"\n"
        )
    };
    fs::write(path("Keys.zh-CN.TOML"), translated("大写")).unwrap();
    fs::write(path("keys.zh-CN.toml"), translated("小写")).unwrap();
    let set = rule::load(&[folder.path()]);
    assert_eq!(codes(&set), [""; 0]);
    let mut found: Vec<_> = set
        .rules
        .iter()
        .map(|rule| (rule.rule_id.as_str(), rule.localised(GuideLanguage::SimplifiedChinese).name))
        .collect();
    found.sort();
    let name = |id: &str| id.to_owned();
    assert_eq!(
        found,
        [
            ("json", name("json")),
            ("jsonl", name("jsonl")),
            ("lower", name("小写")),
            ("ndjson", name("ndjson")),
            ("upper", name("大写"))
        ]
    );
}

/// A path that lies within another one, or is given twice, is not two.
#[test]
fn what_is_named_twice_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("sub")).unwrap();
    fs::write(path("a.toml"), RULE.replace("keys", "a")).unwrap();
    fs::write(path("sub/b.toml"), RULE.replace("keys", "b")).unwrap();
    fs::write(path("c.rule"), RULE.replace("keys", "c")).unwrap();
    let ids = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
        let set = rule::load(&paths);
        assert_eq!(codes(&set), [""; 0]);
        set.rules.iter().map(|rule| rule.rule_id.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&["a.toml", "a.toml", "sub/../a.toml"]), "a");
    assert_eq!(ids(&["sub/b.toml", "sub"]), "b");
    assert_eq!(ids(&["sub", ".", "a.toml", "sub/b.toml"]), "a b");
    assert_eq!(ids(&[".", "."]), "a b");
    // A folder passes over other endings.
    assert_eq!(ids(&[".", "c.rule"]), "a b c");
}

/// Sigma and YAML beside rules are no mistakes, and not passed over in silence either.
#[test]
fn rules_of_other_kinds_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sigma = "title: Keys\nlogsource:\n  product: aws\ndetection:\n  selection:\n    eventName: CreateAccessKey\n  condition: selection\n";
    fs::write(path("keys.toml"), RULE).unwrap();
    for name in ["a.yml", "b.yaml", "C.YML", "d.yml"] {
        fs::write(path(name), sigma).unwrap();
    }
    fs::write(path("exported.yaml"), "name: Keys\nrule_id: keys\nrisk_score: 21\n").unwrap();
    fs::write(path("pipeline.yml"), "on: push\njobs: {}\n").unwrap();
    fs::write(path("bytes.yml"), [0xff, 0xfe, b'\n']).unwrap();
    let set = rule::load(&[folder.path()]);
    assert_eq!((set.rules.len(), codes(&set)), (1, vec![]));
    let said: Vec<String> = set
        .foreign()
        .iter()
        .map(|it| {
            format!("{} {} {}", it.diagnostic.severity.as_str(), it.diagnostic.code, it.diagnostic.message)
        })
        .map(|it| it.replace(&format!("{}/", folder.path().display()), ""))
        .collect();
    assert_eq!(
        said,
        [
            "note RULE027 4 files hold Sigma rules, which are not read: `C.YML`, `a.yml`, `b.yaml` and 1 more",
            "note RULE027 1 file holds rules or exceptions as YAML, which are not read: `exported.yaml`",
        ]
    );
    // Named, it is no broken TOML either.
    let set = rule::load(&[path("a.yml")]);
    assert!(set.is_empty());
    assert_eq!(set.foreign().len(), 1);
    // Anything else that is named ought to be a rule.
    assert!(codes(&rule::load(&[path("pipeline.yml")])).contains(&"RULE001"));
}

#[test]
fn threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for at in 0..300 {
        let id = format!("id-{at}");
        let (name, text) = match at % 10 {
            0 => (format!("{at:03}.toml"), "[rule".to_owned()),
            1 => (format!("{at:03}.ndjson"), json!({ "item_id": id, "list_id": "l", "name": id, "entries": [{ "type": "match", "operator": "included", "field": "user.name", "value": id }] }).to_string()),
            2 => (format!("{at:03}.toml"), RULE.replace("keys", &id).replace(": CreateAccessKey", ": ")),
            // Loads, and cannot be compiled.
            3 => (format!("{at:03}.toml"), RULE.replace("keys", &id).replace("event.action: CreateAccessKey", "source.port: http")),
            4 => (format!("{at:03}.toml"), RULE.replace("keys", &id).replace("type =", &format!("index = [\"logs-{}*\"]\ntype =", at % 20))),
            5 => (format!("{at:03}.toml"), RULE.replace("keys", &id).replace("\n\n[guide]", "\nexceptions_list = [{ id = \"1\", list_id = \"l\", type = \"detection\", namespace_type = \"single\" }]\n\n[guide]")),
            _ => (format!("{at:03}.toml"), RULE.replace("keys", &id)),
        };
        fs::write(path(&name), text).unwrap();
    }
    fs::write(path("006.zh-CN.toml"), "[rule]\nname = \"名\"\n").unwrap();
    let paths = [folder.path().to_owned(), path("absent.toml")];
    let catalog = ecs::Catalog::ecs();
    let one = rule::load(&paths);
    assert_eq!((one.rules.len(), one.error_count()), (210, 61));
    let compiled: Vec<_> =
        one.rules.iter().map(|rule| rule::compile_with(rule, &one.exceptions, &catalog, &(0..=0))).collect();
    assert_eq!(compiled.iter().filter(|it| it.is_err()).count(), 30);
    for threads in [1, 2, 8].map(|threads| NonZeroUsize::new(threads).unwrap()) {
        let several = rule::load_with(&paths, threads);
        assert_eq!(format!("{several:?}"), format!("{one:?}"));
        assert_eq!(
            rule::compile_all(&several.rules, &several.exceptions, &catalog, &(0..=0), threads),
            compiled,
            "{threads} threads"
        );
    }
}

#[test]
fn a_translation_lies_beside_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("keys.toml"), RULE).unwrap();
    fs::write(
        path("keys.zh-CN.toml"),
        "[rule]\nname = \"创建了访问密钥\"\nfalse_positives = [\"自动化。\"]\n[[guide.triage]]\ntitle = \"是谁\"\ntext = \"询问。\"\n",
    )
    .unwrap();
    for named in [folder.path().to_owned(), path("keys.toml")] {
        let set = rule::load(&[named]);
        assert_eq!(codes(&set), [""; 0]);
        assert_eq!(set.rules[0].name, "Access key created");
        let chinese = set.clone().localised(GuideLanguage::SimplifiedChinese);
        let rule = &chinese.rules[0];
        assert_eq!(rule.name, "创建了访问密钥");
        assert_eq!(rule.description, "A key was made.", "what is not translated stays");
        assert_eq!(rule.false_positives, ["自动化。"]);
        assert_eq!(rule.api()["name"], "创建了访问密钥");
        assert!(rule.note.as_ref().unwrap().contains("1. **是谁**"), "{:?}", rule.note);
        assert_eq!(rule.id, set.rules[0].id);
    }
    // One step too many: said, and not used.
    fs::write(path("keys.zh-CN.toml"), "[rule]\n[[guide.triage]]\ntitle = \"一\"\ntext = \"一\"\n[[guide.triage]]\ntitle = \"二\"\ntext = \"二\"\n").unwrap();
    fs::write(path("gone.zh-CN.toml"), "[rule]\nname = \"无\"\n").unwrap();
    let set = rule::load(&[folder.path()]);
    assert_eq!(codes(&set), ["RULE024", "RULE023", "RULE023"]);
    let rule = set.rules[0].localised(GuideLanguage::SimplifiedChinese);
    assert_eq!(rule.guide.unwrap().triage[0].title, "Who");
}

#[test]
fn an_export_holds_more_than_rules() {
    let rule = |id: &str| json!({ "rule_id": id, "name": id, "description": "d", "severity": "low", "risk_score": 21, "type": "query", "query": "a: b" });
    let lines = [
        rule("one").to_string(),
        "not json".to_owned(),
        rule("two").to_string(),
        json!({ "list_id": "l", "name": "n", "type": "detection" }).to_string(),
        json!({ "item_id": "i", "list_id": "l", "entries": [{ "type": "exists", "operator": "included", "field": "user.name" }] }).to_string(),
        json!({ "id": "c", "type": "action", "attributes": { "actionTypeId": ".slack" } }).to_string(),
        json!({ "exported_count": 5 }).to_string(),
    ];
    let set = rule::load_text("export.ndjson", &lines.join("\n"));
    assert_eq!(codes(&set), ["RULE002"], "one bad line costs only itself");
    assert_eq!(
        set.rules.iter().map(|rule| rule.file.as_str()).collect::<Vec<_>>(),
        ["export.ndjson#1", "export.ndjson#2"]
    );
    assert!(!set.exceptions.is_empty());

    let page = json!({ "page": 1, "total": 2, "data": [rule("one"), rule("two")] });
    assert_eq!(rule::load_text("page", &page.to_string()).rules.len(), 2);
    let array = json!([rule("one"), rule("two")]);
    assert_eq!(rule::load_text("array", &serde_json::to_string_pretty(&array).unwrap()).rules.len(), 2);
    let saved = json!({ "type": "security-rule", "id": "one_2", "attributes": rule("one") });
    assert_eq!(rule::load_text("saved", &saved.to_string()).rules[0].rule_id, "one");
}

#[test]
fn ids_are_the_same_every_time() {
    let first = rule::load_text("a.toml", RULE).rules.remove(0);
    let again = rule::load_text("elsewhere.toml", RULE).rules.remove(0);
    assert_eq!(first.id, again.id);
    assert_ne!(first.id, rule::load_text("a.toml", &RULE.replace("keys", "b")).rules[0].id);
    let export = json!({ "id": "6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10", "rule_id": "keys", "name": "n", "description": "d", "severity": "low", "risk_score": 1, "type": "query" });
    assert_eq!(rule::load_text("a", &export.to_string()).rules[0].id, "6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10");
}

#[test]
fn the_api_form_has_defaults_and_keeps_the_rest() {
    let text = RULE.replace("[guide]", "custom = { a = [1, 2.5] }\n\n[[rule.threat]]\nframework = \"MITRE ATT&CK\"\ntactic = { id = \"TA0003\", name = \"Persistence\", reference = \"r\" }\n[guide]");
    let rule = rule::load_text("a.toml", &text).rules.remove(0);
    let api = rule.api();
    for (key, value) in [
        ("interval", json!("5m")),
        ("from", json!("now-6m")),
        ("to", json!("now")),
        ("max_signals", json!(100)),
        ("enabled", json!(false)),
        ("language", json!("kuery")),
        ("rule_source", json!({ "type": "internal" })),
        ("references", json!([])),
        ("custom", json!({ "a": [1, 2.5] })),
        ("id", json!(rule.id)),
    ] {
        assert_eq!(api[key], value, "{key}");
    }
    assert_eq!(api["threat"][0]["technique"], json!([]));
    assert!(api["note"].as_str().unwrap().contains("Somebody made a key."));
    assert!(!api.contains_key("index") && !api.contains_key("license") && !api.contains_key("threshold"));
    let position = |key: &str| api.keys().position(|known| known == key).unwrap();
    assert!(
        position("description") < position("risk_score") && position("risk_score") < position("severity")
    );
    assert!(position("note") < position("type") && position("type") < position("query"));
}

/// The codes of why a rule cannot run.
fn refusals(rule: &Rule) -> Vec<&'static str> {
    rule::support(rule).err().unwrap_or_default().iter().map(Unsupported::code).collect()
}

#[test]
fn every_type_is_read() {
    let rule = |type_name: &str, more: &str| {
        let text = format!(
            "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"critical\"\nrisk_score = 99\ntype = \"{type_name}\"\n{more}"
        );
        let mut set = rule::load_text("a.toml", &text);
        assert_eq!(codes(&set), [""; 0], "{type_name}");
        set.rules.remove(0)
    };
    let saved = rule("saved_query", "saved_id = \"s\"");
    assert_eq!(refusals(&saved), ["RULE204"], "there is no saved query to read");
    assert_eq!(refusals(&rule("saved_query", "saved_id = \"s\"\nquery = \"a: b\"")), [""; 0]);

    let terms = rule(
        "new_terms",
        "query = \"a: b\"\nfrom = \"now-9m\"\n[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-7d\"",
    );
    assert_eq!(terms.api()["new_terms_fields"], json!(["user.name"]));
    assert_eq!(terms.api()["history_window_start"], "now-7d");
    assert_eq!(terms.kind.category(), "New Terms Rule");
    assert_eq!(terms.kind.rule_type_id(), "siem.newTermsRule");
    let now = 1_767_225_600_000;
    assert_eq!(terms.window_ms(now), 9 * 60_000);
    assert_eq!(terms.look_back_ms(now), 4 * 60_000);
    assert_eq!(terms.reach_ms(now), 7 * 86_400_000);
    let mut waiting = terms.clone();
    waiting.from = DateMath::of_rule("now-2h").unwrap();
    waiting.to = DateMath::of_rule("now-1h").unwrap();
    assert_eq!(waiting.reach_ms(now), 7 * 86_400_000 + 3_600_000, "the history counts from `to`");
    assert_eq!(terms.severity, Severity::Critical);

    let threshold = rule(
        "threshold",
        "query = \"a: b\"\n[rule.threshold]\nfield = \"user.name\"\nvalue = 5\n[[rule.threshold.cardinality]]\nfield = \"source.ip\"\nvalue = 3",
    );
    let RuleKind::Threshold(own) = &threshold.kind else { panic!() };
    assert_eq!((own.fields.as_slice(), own.value), (&["user.name".to_owned()][..], 5));
    assert_eq!(own.cardinality.as_ref().unwrap().value, 3);
    assert_eq!(threshold.api()["threshold"]["field"], json!(["user.name"]));
    assert_eq!(refusals(&threshold), [""; 0]);

    let eql =
        rule("eql", "language = \"eql\"\nquery = \"any where true\"\ntiebreaker_field = \"event.sequence\"");
    assert_eq!(eql.language, Some(QueryLanguage::Eql));
    assert_eq!(refusals(&eql), [""; 0]);
    assert_eq!(rule("esql", "language = \"esql\"\nquery = \"FROM logs-*\"").kind, RuleKind::Esql);
    let matches = rule(
        "threat_match",
        "query = \"*:*\"\nthreat_query = \"*:*\"\nthreat_index = [\"ti\"]\nthreat_mapping = [{ entries = [{ field = \"source.ip\", type = \"mapping\", value = \"threat.indicator.ip\" }] }]",
    );
    let RuleKind::ThreatMatch(mapping) = &matches.kind else { panic!() };
    assert_eq!((mapping.indicator_path.as_str(), mapping.mapping[0].len()), ("threat.indicator", 1));
    let anomaly = rule("machine_learning", "anomaly_threshold = 50\nmachine_learning_job_id = \"rare\"");
    assert_eq!(
        anomaly.kind,
        RuleKind::MachineLearning { anomaly_threshold: 50, job_ids: vec!["rare".to_owned()] }
    );
    assert_eq!(anomaly.language, None);
    assert!(refusals(&rule("query", "language = \"lucene\"\nquery = \"a:b\"")).is_empty());
}

#[test]
fn the_note_takes_its_queries_and_gives_its_setup() {
    let text = "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\nnote = \"\"\"\nSee ${osquery_0}, not ${HOME}.\n\n## Setup\nTurn it on.\n\"\"\"\n[[transform.osquery]]\nlabel = \"Users\"\nquery = \"SELECT 1\"\n";
    let rule = rule::load_text("a.toml", text).rules.remove(0);
    assert_eq!(
        rule.note.unwrap(),
        "See !{osquery{\"label\":\"Users\",\"query\":\"SELECT 1\"}}, not ${HOME}."
    );
    assert_eq!(rule.setup, "Turn it on.");
}

/// Files from Windows: a byte order mark and other line ends move no place.
#[test]
fn windows_files_are_read() {
    let windows = format!("\u{feff}{}", RULE.replace('\n', "\r\n"));
    let set = rule::load_text("a.toml", &windows);
    assert_eq!(codes(&set), [""; 0]);
    assert_eq!(set.rules.len(), 1);
    let broken = windows.replace("event.action: CreateAccessKey", "event.action: (CreateAccessKey");
    let set = rule::load_text("a.toml", &broken);
    let span = set.problems[0].diagnostic.span().unwrap();
    assert_eq!(&broken[span.range()], "(");
    let export = format!(
        "\u{feff}{}\r\n",
        json!({ "rule_id": "r", "name": "n", "description": "d", "severity": "low", "risk_score": 1, "type": "query" })
    );
    assert_eq!(rule::load_text("a", &export).rules.len(), 1);
}
