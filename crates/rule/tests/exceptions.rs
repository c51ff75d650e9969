//! What exceptions except: verdicts written by people, and items evaluated entry by entry as a check.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use ecs::{Catalog, Object};
use proptest::prelude::*;
use rule::{Compiled, compile_with};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

/// A rule that matches everything, with these references, lists and items in one export.
fn compiled(references: &Value, lists: &[Value], items: &[Value], catalog: &Catalog) -> Compiled {
    let rule = json!({
        "rule_id": "r", "name": "n", "description": "d", "severity": "low", "risk_score": 21, "type": "query",
        "query": "", "exceptions_list": references,
    });
    let lines = [&rule].into_iter().chain(lists).chain(items).map(|line| line.to_string() + "\n");
    let set = rule::load_text("export.ndjson", &lines.collect::<String>());
    assert_eq!(set.error_count(), 0);
    compile_with(&set.rules[0], &set.exceptions, catalog, &(NOW..=NOW)).unwrap()
}

/// The item with what every item has.
fn whole(at: usize, item: &Value) -> Value {
    let mut whole =
        json!({ "item_id": format!("item-{at}"), "list_id": "known", "name": format!("item {at}") });
    let members = whole.as_object_mut().unwrap();
    members.extend(item.as_object().unwrap().clone());
    whole
}

fn known() -> Value {
    json!([{ "id": "1", "list_id": "known", "type": "detection", "namespace_type": "single" }])
}

#[test]
fn cases() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exceptions");
    let (mut count, mut failures) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let catalog = Catalog::from_mapping(&file["mapping"]).unwrap();
        let documents = file["documents"].as_object().unwrap();
        for case in file["cases"].as_array().unwrap() {
            count += 1;
            let list = |key: &str| case[key].as_array().cloned().unwrap_or_default();
            let items: Vec<Value> =
                list("items").iter().enumerate().map(|(at, it)| whole(at + 1, it)).collect();
            let references = match &case["references"] {
                Value::Null if items.is_empty() => json!([]),
                Value::Null => known(),
                given => given.clone(),
            };
            let compiled = compiled(&references, &list("lists"), &items, &catalog);
            let excepted: Vec<&str> = documents
                .iter()
                .filter(|(_, it)| {
                    !plan::naive::matches(&compiled.conditions[0].at(NOW), it.as_object().unwrap())
                })
                .map(|(id, _)| id.as_str())
                .collect();
            let warnings: Vec<Value> =
                compiled.warnings.iter().map(|it| format!("{} {}", it.code, it.message).into()).collect();
            let mut expected: Vec<&str> = case["excepted"].as_str().unwrap().split_whitespace().collect();
            expected.sort_by_key(|id| documents.keys().position(|known| known == id));
            if excepted != expected || warnings != list("warnings") {
                failures.push(format!("{case}\n  excepted {excepted:?}, warned {warnings:#?}"));
            }
        }
    }
    assert!(count > 30, "only {count} cases found");
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
}

/// A list of its own file, loaded beside the rules.
#[test]
fn lists_may_lie_in_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
                query = \"a: *\"\n[[rule.exceptions_list]]\nid = \"1\"\nlist_id = \"known\"\ntype = \"detection\"\n\
                namespace_type = \"single\"\n";
    let entries = json!([{ "type": "match", "operator": "included", "field": "a", "value": "x" }]);
    std::fs::write(folder.path().join("rule.toml"), rule).unwrap();
    std::fs::write(folder.path().join("known.ndjson"), whole(1, &json!({ "entries": entries })).to_string())
        .unwrap();
    let set = rule::load(&[folder.path()]);
    assert_eq!(set.problems, []);
    let catalog = Catalog::from_mapping(&json!({ "properties": { "a": { "type": "keyword" } } })).unwrap();
    let compiled = compile_with(&set.rules[0], &set.exceptions, &catalog, &(NOW..=NOW)).unwrap();
    assert_eq!(compiled.warnings, []);
    let matches = |value: &str| {
        plan::naive::matches(&compiled.conditions[0].at(NOW), json!({ "a": value }).as_object().unwrap())
    };
    assert!(matches("y") && !matches("x"));
}

/// As `kibana export-rules` of the rule repository writes them: what an item lacks it has from its container.
#[test]
fn lists_may_be_written_in_toml() {
    let text = r#"
        [metadata]
        list_name = "Known"
        [[exceptions]]
        [exceptions.container]
        list_id = "known"
        namespace_type = "agnostic"
        [[exceptions.items]]
        name = "No id of its own"
        [[exceptions.items.entries]]
        field = "a"
        operator = "included"
        type = "match"
        value = "x"
        [[exceptions.items]]
        item_id = "other-space"
        list_id = "known"
        namespace_type = "single"
        [[exceptions.items.entries]]
        field = "a"
        operator = "included"
        type = "match"
        value = "y"
        [[exceptions.items]]
        item_id = "over"
        expire_time = 2025-12-31T23:59:59Z
        [[exceptions.items.entries]]
        field = "a"
        operator = "included"
        type = "match"
        value = "z"
    "#;
    let rule = "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
                query = \"a: *\"\n[[rule.exceptions_list]]\nid = \"1\"\nlist_id = \"known\"\ntype = \"detection\"\n\
                namespace_type = \"agnostic\"\n";
    let mut set = rule::load_text("rule.toml", rule);
    set.extend(rule::load_text("known_exceptions.toml", text));
    assert_eq!(set.problems, []);
    let catalog = Catalog::from_mapping(&json!({ "properties": { "a": { "type": "keyword" } } })).unwrap();
    let compiled = compile_with(&set.rules[0], &set.exceptions, &catalog, &(NOW..=NOW)).unwrap();
    assert_eq!(compiled.warnings, []);
    let matches = |value: &str| {
        plan::naive::matches(&compiled.conditions[0].at(NOW), json!({ "a": value }).as_object().unwrap())
    };
    assert!(!matches("x"), "the item belongs to the list of its container");
    assert!(matches("y"), "a list of one space is another list");
    assert!(matches("z"), "an expired item excepts nothing");
}

/// An exception counts for the executions before it expires: where a replay holds both, they decide.
#[test]
fn an_expiry_is_compared_with_the_execution() {
    let item = whole(
        1,
        &json!({
            "expire_time": "2026-01-01T00:00:00.000Z",
            "entries": [{ "type": "match", "operator": "included", "field": "a", "value": "x" }],
        }),
    );
    let rule = json!({
        "rule_id": "r", "name": "n", "description": "d", "severity": "low", "risk_score": 21, "type": "query",
        "query": "a: *", "exceptions_list": known(),
    });
    let set = rule::load_text("export.ndjson", &format!("{rule}\n{item}\n"));
    let catalog = Catalog::from_mapping(&json!({ "properties": { "a": { "type": "keyword" } } })).unwrap();
    let compiled = |first, last| {
        compile_with(&set.rules[0], &set.exceptions, &catalog, &(first..=last)).unwrap().conditions.remove(0)
    };
    let event = json!({ "a": "x" });
    let matches = |expr: &plan::Expr| plan::naive::matches(expr, event.as_object().unwrap());
    let both = compiled(NOW - 1, NOW + 1);
    assert!(!matches(&both.at(NOW - 1)) && !matches(&both.at(NOW)), "the instant itself is still active");
    assert!(matches(&both.at(NOW + 1)));
    assert!(both.reads_clock() && matches(&both.filter()));
    let (before, after) = (compiled(NOW - 1, NOW), compiled(NOW + 1, NOW + 2));
    assert!(!before.reads_clock() && !matches(&before.filter()));
    assert!(!after.reads_clock() && matches(&after.filter()));
}

const FIELDS: [&str; 2] = ["a", "b.c"];

fn word() -> impl Strategy<Value = String> {
    "[ab]{1,2}"
}

fn entry() -> impl Strategy<Value = Value> {
    let test = prop_oneof![
        word().prop_map(|it| json!({ "type": "match", "value": it })),
        prop::collection::vec(word(), 1..3).prop_map(|it| json!({ "type": "match_any", "value": it })),
        Just(json!({ "type": "exists" })),
        "[ab*?]{1,3}".prop_map(|it| json!({ "type": "wildcard", "value": it })),
    ];
    (test, 0..FIELDS.len(), any::<bool>()).prop_map(|(mut entry, field, excluded)| {
        entry["field"] = FIELDS[field].into();
        entry["operator"] = if excluded { "excluded" } else { "included" }.into();
        entry
    })
}

fn value() -> impl Strategy<Value = Option<Vec<String>>> {
    prop::option::of(prop::collection::vec(word(), 0..3))
}

/// Whether the entry holds of a field with these values.
fn holds(entry: &Value, values: &[String]) -> bool {
    let text = || entry["value"].as_str().unwrap().as_bytes();
    let held = match entry["type"].as_str().unwrap() {
        "match" => values.iter().any(|it| it.as_bytes() == text()),
        "match_any" => values.iter().any(|it| entry["value"].as_array().unwrap().contains(&json!(it))),
        "exists" => !values.is_empty(),
        "wildcard" => values.iter().any(|it| fits(text(), it.as_bytes())),
        other => panic!("{other}"),
    };
    held != (entry["operator"] == "excluded")
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => fits(rest, text) || (!text.is_empty() && fits(pattern, &text[1..])),
        ([b'?', rest @ ..], [_, text @ ..]) => fits(rest, text),
        ([a, rest @ ..], [b, text @ ..]) => a == b && fits(rest, text),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The documents that the filter leaves out are those that satisfy all entries of some item.
    #[test]
    fn excepted_as_by_hand(
        items in prop::collection::vec(prop::collection::vec(entry(), 1..4), 1..4),
        documents in prop::collection::vec((value(), value()), 1..8),
    ) {
        let types = json!({ "properties": { "a": { "type": "keyword" }, "b": { "properties": { "c": { "type": "keyword" } } } } });
        let catalog = Catalog::from_mapping(&types).unwrap();
        let all: Vec<Value> =
            items.iter().enumerate().map(|(at, it)| whole(at, &json!({ "entries": it }))).collect();
        let compiled = compiled(&known(), &[], &all, &catalog);
        prop_assert_eq!(compiled.warnings, []);
        for (a, c) in documents {
            let mut document = Object::new();
            if let Some(a) = &a {
                document.insert("a".to_owned(), json!(a));
            }
            if let Some(c) = &c {
                document.insert("b".to_owned(), json!({ "c": c }));
            }
            let values = |field: &Value| if field == "a" { &a } else { &c }.clone().unwrap_or_default();
            let excepted = items.iter().any(|item| item.iter().all(|it| holds(it, &values(&it["field"]))));
            prop_assert_eq!(plan::naive::matches(&compiled.conditions[0].at(NOW), &document), !excepted, "{:?}", document);
        }
    }
}

/// Values by the ten thousand: a file with one a line, an export, ranges of addresses; what is loaded is applied.
#[test]
fn value_lists_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let list = |field: &str, id: &str, ty: &str| json!({ "type": "list", "operator": "included", "field": field, "list": { "id": id, "type": ty } });
    let rule = json!({
        "rule_id": "r", "name": "n", "description": "d", "severity": "low", "risk_score": 21, "type": "query",
        "query": "", "exceptions_list": known(),
    });
    let items = [
        whole(1, &json!({ "entries": [list("user.name", "users.txt", "keyword")] })),
        whole(2, &json!({ "entries": [list("source.ip", "offices", "ip_range")] })),
        whole(3, &json!({ "entries": [list("event.action", "actions", "keyword")] })),
        whole(4, &json!({ "entries": [list("user.id", "absent", "keyword")] })),
    ];
    let more = [
        whole(5, &json!({ "entries": [list("event.created", "holidays", "date_range")] })),
        whole(6, &json!({ "entries": [list("source.port", "ports", "long_range")] })),
    ];
    let values = [
        json!({ "id": "actions", "name": "Actions", "type": "keyword", "description": "d" }),
        json!({ "id": "1", "list_id": "actions", "value": "ListUsers" }),
    ];
    let lines =
        [&rule].into_iter().chain(&items).chain(&more).chain(&values).map(|line| line.to_string() + "\n");
    std::fs::write(folder.path().join("rules.ndjson"), lines.collect::<String>()).unwrap();
    let users = (0..100_000).map(|at| format!("user-{at}\r\n")).collect::<Vec<_>>().concat();
    std::fs::write(folder.path().join("users.txt"), users).unwrap();
    std::fs::write(folder.path().join("offices.txt"), "192.0.2.0/24\n\n10.0.0.5-10.0.0.9\n2001:db8::1\n")
        .unwrap();
    let days = "2026-12-24T12:00:00Z,2026-12-26\n2027-01-01T00:00:00Z\n";
    std::fs::write(folder.path().join("holidays.txt"), format!("\u{feff}{days}")).unwrap();
    std::fs::write(folder.path().join("ports.txt"), "1-1023\n8080\n").unwrap();
    // What no exception asks for is no list: it need not even be text.
    std::fs::write(folder.path().join("README.txt"), b"R\xe9sum\xe9").unwrap();
    let set = rule::load(&[folder.path()]);
    assert_eq!(set.problems.len(), 0, "{:?}", set.problems);
    // Who names it is told.
    let named = rule::load(&[folder.path().join("rules.ndjson"), folder.path().join("README.txt")]);
    let told: Vec<&str> = named.problems.iter().map(|it| it.diagnostic.code).collect();
    assert_eq!(told, ["RULE032"], "{:?}", named.problems);
    let catalog = Catalog::ecs();
    let compiled = compile_with(&set.rules[0], &set.exceptions, &catalog, &(NOW..=NOW)).unwrap();
    let warnings: Vec<&str> = compiled.warnings.iter().map(|it| it.message.as_str()).collect();
    assert!(
        warnings.len() == 1
            && warnings[0].ends_with("item 4 (it asks for the value list `absent`, which was not loaded)"),
        "{warnings:?}"
    );
    for (document, expected) in [
        (json!({ "user": { "name": "user-0" } }), true),
        (json!({ "user": { "name": ["other", "user-99999"] } }), true),
        (json!({ "user": { "name": "user-100000" } }), false),
        (json!({ "source": { "ip": "192.0.2.77" } }), true),
        (json!({ "source": { "ip": "10.0.0.9" } }), true),
        (json!({ "source": { "ip": "10.0.0.10" } }), false),
        (json!({ "source": { "ip": "2001:db8::1" } }), true),
        (json!({ "event": { "action": "ListUsers" } }), true),
        (json!({ "event": { "action": "listusers" } }), false),
        (json!({ "event": { "created": "2026-12-24T11:59:59Z" } }), false),
        (json!({ "event": { "created": "2026-12-24T12:00:00Z" } }), true),
        (json!({ "event": { "created": "2026-12-26T23:59:59Z" } }), true),
        (json!({ "event": { "created": "2026-12-27T00:00:00Z" } }), false),
        (json!({ "event": { "created": "2027-01-01T00:00:00Z" } }), true),
        (json!({ "source": { "port": 1023 } }), true),
        (json!({ "source": { "port": 8080 } }), true),
        (json!({ "source": { "port": 8081 } }), false),
    ] {
        let excepted = !plan::naive::matches(&compiled.conditions[0].at(NOW), document.as_object().unwrap());
        assert_eq!(excepted, expected, "{document}");
    }
}
