//! `trailwarden query`.

use serde_json::{Value, json};

use crate::setup::{Folder, refused};

fn plain() -> Folder {
    let folder = Folder::with_calls();
    let mapping = json!({"properties": {
        "name": {"type": "keyword"}, "size": {"type": "long"}, "at": {"type": "date"},
        "note": {"type": "match_only_text"},
    }});
    folder.write("mapping.json", mapping.to_string());
    let documents = [
        json!({"_id": "one", "name": "Ada", "size": 3, "note": "The first of all"}),
        json!({"_id": "two", "name": ["Bo", "ada"], "size": 40, "at": "2026-03-01"}),
        json!({"name": "=Cy", "size": "41"}),
    ];
    folder.lines("people.ndjson", &documents);
    folder.lines("more.ndjson", &[json!({"_id": "four", "name": "Di", "size": 50})]);
    folder
}

fn found(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let ran = folder.run(&[["query"].as_slice(), arguments].concat());
    assert_eq!(ran.err, "");
    ran.printed(0).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|it| it["_id"].as_str().unwrap()).collect()
}

#[test]
fn events_of_a_trail() {
    let folder = plain();
    let hits = found(&folder, &["event.action: GetPasswordData and event.outcome: failure", "calls.ndjson"]);
    assert_eq!(ids(&hits), ["e-1", "e-2", "e-3"]);
    assert_eq!(hits[0]["_index"], "logs-aws.cloudtrail-default");
    assert_eq!(hits[0]["_source"]["event"]["action"], "GetPasswordData");
    assert_eq!(hits[0].as_object().unwrap().len(), 3);
    assert_eq!(ids(&found(&folder, &["_id: e-3", "calls.ndjson"])), ["e-3"]);
}

#[test]
fn plain_documents_with_a_mapping() {
    let folder = plain();
    let ask = |query| found(&folder, &[query, "--mapping", "mapping.json", "people.ndjson"]);
    let all = ask("size >= 3");
    assert_eq!(all.len(), 3);
    assert_eq!(
        all[0],
        json!({"_index": "people", "_id": "one",
        "_source": {"name": "Ada", "size": 3, "note": "The first of all"}})
    );
    assert_eq!(ids(&ask("name: ada")), ["two"], "keywords keep their case");
    assert_eq!(ids(&ask("note: FIRST")), ["one"]);
    assert_eq!(ids(&ask("size > 3 and size < 41")), ["two"]);
    assert_eq!(ids(&ask("at <= now and name: *")), ["two"]);
}

#[test]
fn now_is_what_one_says() {
    let folder = plain();
    let ask = |now| {
        found(&folder, &["at > now-1d", "--mapping", "mapping.json", "people.ndjson", "--now", now]).len()
    };
    assert_eq!((ask("2026-03-01T12:00:00Z"), ask("2026-03-02T12:00:00Z")), (1, 0));
}

#[test]
fn sources_name_indices() {
    let folder = plain();
    let hits = found(
        &folder,
        &[
            "size >= 40",
            "--mapping",
            "mapping.json",
            "--source",
            "a=people.ndjson",
            "--source",
            "b=more.ndjson",
        ],
    );
    let indices: Vec<&Value> = hits.iter().map(|it| &it["_index"]).collect();
    assert_eq!(indices, ["a", "a", "b"]);
    let hits = found(
        &folder,
        &[
            "_index: b",
            "--mapping",
            "mapping.json",
            "--source",
            "a=people.ndjson",
            "--source",
            "b=more.ndjson",
        ],
    );
    assert_eq!(ids(&hits), ["four"]);
}

#[test]
fn limit_stops() {
    let folder = plain();
    let first = |limit| {
        let hits = found(&folder, &["event.action: *", "calls.ndjson", "--limit", limit]);
        ids(&hits).join(" ")
    };
    assert_eq!([first("1"), first("3"), first("9")], ["e-1", "e-1 e-2 e-4", "e-1 e-2 e-4 e-3"]);
    let count = |limit| found(&folder, &["event.action: *", "calls.ndjson", "--limit", limit]).len();
    assert_eq!((count("0"), count("2"), count("100")), (0, 2, 4));
}

#[test]
fn formats() {
    let folder = plain();
    let table = folder.run(&["query", "event.action: *", "calls.ndjson", "-f", "table"]);
    insta::assert_snapshot!("query_table", table.whole());
    let csv = folder.run(&["query", "event.outcome: failure", "calls.ndjson", "-f", "csv"]);
    insta::assert_snapshot!("query_csv", csv.whole());
    let columns =
        ["query", "size: *", "--mapping", "mapping.json", "people.ndjson", "-f", "csv", "--columns"];
    let csv = folder.run(&[columns.as_slice(), &["_id,name,size"]].concat());
    // The third document has no id of its own, and a name that a spreadsheet would take for a formula.
    let lines: Vec<&str> = csv.printed(0).lines().collect();
    assert_eq!(lines[..3], ["_id,name,size", "one,Ada,3", "two,\"Bo, ada\",40"]);
    assert!(lines[3].ends_with(",'=Cy,41"), "{}", lines[3]);
}

#[test]
fn standard_input() {
    let folder = plain();
    let ran = folder
        .run_with(b"{\"size\": 7}\n{\"size\": 8}\n", &["query", "size: 8", "--mapping", "mapping.json", "-"]);
    assert_eq!(ran.printed(0).lines().count(), 1);
}

#[test]
fn what_is_wrong_with_a_query_is_underlined() {
    let folder = plain();
    let refused = |arguments: &[&str]| {
        let ran = folder.run(&[["query"].as_slice(), arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
        ran.err
    };
    insta::assert_snapshot!("query_syntax", refused(&["event.action: (a or", "calls.ndjson"]));
    let mapped = ["size: many", "--mapping", "mapping.json", "people.ndjson"];
    insta::assert_snapshot!("query_type", refused(&mapped));
    insta::assert_snapshot!(
        "query_lucene_error",
        refused(&["-l", "lucene", "source.ip:203.0.113.0/24", "calls.ndjson"])
    );
    let unknown = ["FROM people | WHERE sise > 3", "--mapping", "mapping.json", "people.ndjson"];
    insta::assert_snapshot!("query_esql_error", refused(&unknown));
}

/// What begins with `FROM` and has pipes is ES|QL, whatever the language.
#[test]
fn pipes() {
    let folder = plain();
    let query = "FROM logs-* | WHERE event.outcome == \"failure\" | STATS n = COUNT(*), who = MV_SORT(VALUES(user.name)) \
                 BY event.action | SORT n DESC, event.action";
    insta::assert_snapshot!(
        "query_esql_table",
        folder.run(&["query", query, "calls.ndjson", "-f", "table"]).whole()
    );
    let rows = found(&folder, &["-q", query, "calls.ndjson"]);
    let documents = found(&folder, &["event.outcome: failure", "calls.ndjson"]);
    let counted: u64 = rows.iter().map(|it| it["n"].as_u64().unwrap()).sum();
    assert_eq!(counted, documents.len() as u64, "as many as in KQL");
    let plainly = |query: &str| {
        let arguments = ["query", "-q", query, "--mapping", "mapping.json", "people.ndjson", "-f", "csv"];
        folder.run(&arguments).printed(0).to_owned()
    };
    assert_eq!(
        plainly("FROM people | EVAL twice = size * 2 | WHERE twice > 6 | SORT twice DESC | KEEP name, twice"),
        "name,twice\n'=Cy,82\n\"Bo, ada\",80\n"
    );
    assert_eq!(plainly("FROM people | MV_EXPAND name | STATS c = COUNT(*) | LIMIT 1"), "c\n4\n");
    assert_eq!(
        plainly("FROM people METADATA _id, _index | WHERE size == 3 | KEEP _id, _index"),
        "_id,_index\none,people\n"
    );
    // Nobody reads files for a row.
    assert_eq!(folder.run(&["query", "-q", "-l", "esql", "ROW a = 1 + 2"]).printed(0), "{\"a\":3}\n");
}

/// What is to be known of a result is said beside it.
#[test]
fn notes_of_pipes() {
    let folder = plain();
    let arguments = ["query", "FROM others | LIMIT 3", "--mapping", "mapping.json", "people.ndjson"];
    let ran = folder.run(&arguments);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!("query_esql_other_index", ran.err);
    let arguments = [
        "query",
        "FROM people | WHERE name == \"Ada\" OR size == 40",
        "--mapping",
        "mapping.json",
        "people.ndjson",
    ];
    let ran = folder.run(&arguments);
    // Of two names none is compared: null, or true.
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    assert!(ran.err.contains("single-value function encountered multi-value"), "{}", ran.err);
    let explained = [
        "query",
        "--explain",
        "FROM people | WHERE size > 3 | STATS COUNT(*) BY name",
        "--mapping",
        "mapping.json",
    ];
    insta::assert_snapshot!("query_esql_explain", folder.run(&explained).printed(0));
}

#[test]
fn lucene() {
    let folder = Folder::with_calls();
    let found = |query: &str| {
        let ran = folder.run(&[
            "query",
            "-l",
            "lucene",
            query,
            "calls.ndjson",
            "-f",
            "csv",
            "--columns",
            "event.id",
        ]);
        ran.printed(0).lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("event.outcome:failure AND NOT user.name:ci"), ["e-3"]);
    assert_eq!(found("user.name:(backup OR o?s)"), ["e-4", "e-3"]);
    assert_eq!(found(r"source.ip:203.0.113.0\/24 AND @timestamp:[2026-03-03 TO *]"), ["e-3"]);
    assert_eq!(
        found("aws.cloudtrail.flattened.request_parameters.instanceId:i-0* AND user.name:bakcup~"),
        ["e-3"]
    );
}

/// A rule in that language goes through the same pass, schedule and alerts as any other.
#[test]
fn lucene_rules_alert() {
    let folder = Folder::with_calls();
    folder.write(
        "rule.toml",
        r#"[rule]
name = "Refused in Lucene"
description = "d"
severity = "low"
risk_score = 1
type = "query"
language = "lucene"
index = ["logs-aws.cloudtrail*"]
query = 'event.action:GetPass*Data AND _exists_:aws.cloudtrail.error_code AND NOT user.name:(backup OR admin)'
"#,
    );
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rule.toml", "-f", "csv", "-q"]);
    let ids: Vec<&str> = ran.printed(0).lines().skip(1).filter_map(|it| it.rsplit(',').nth(2)).collect();
    assert_eq!(ids, ["e-1", "e-2"], "{}", ran.out);
    let lint = folder.run(&["rules", "lint", "rule.toml"]);
    assert_eq!(lint.code, Some(0), "{lint:?}");
}

/// Whatever a query finds an event by has a cell, wherever in objects and arrays it lies.
#[test]
fn columns_of_fields_in_arrays_of_objects() {
    let folder = Folder::new();
    folder.write("logs.json", include_str!("../cases/columns-array-of-objects/logs.json"));
    let columns = "aws.cloudtrail.resources.arn,aws.cloudtrail.flattened.request_parameters.instancesSet.items.instanceId,user";
    let ran = folder.run(&["query", "event.action: *", "logs.json", "-f", "csv", "--columns", columns]);
    let row = ran.printed(0).lines().nth(1).unwrap();
    assert!(row.starts_with("\"arn:aws:s3:::bucket-a, arn:aws:s3:::bucket-a/key\",\"i-0aaaaaaaaaaaaaaa1, i-0aaaaaaaaaaaaaaa2\",\"{"), "{row}");
}

/// A misspelt field finds nothing; that it is misspelt is said.
#[test]
fn what_is_probably_not_meant_is_said() {
    let folder = plain();
    let said = |arguments: &[&str]| {
        let ran = folder.run(&[["query"].as_slice(), arguments].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.err
    };
    insta::assert_snapshot!(
        "query_remarks",
        said(&[
            "event.acton: x or eventName: y or event.outcome: Failure or event.provider: ec2",
            "calls.ndjson"
        ])
    );
    let mapped = said(&["nmae: Ada or other.field: 1", "--mapping", "mapping.json", "people.ndjson"]);
    assert!(mapped.contains("did you mean `name`?") && mapped.contains("no document has it"), "{mapped}");
    assert!(!mapped.contains("CloudTrail"), "{mapped}");
    assert_eq!(said(&["event.acton: x", "calls.ndjson", "--quiet"]), "");
    for fine in ["event.action: Unheard and process.name: x and _index: logs*", "kibana.alert.uuid: *"] {
        assert_eq!(said(&[fine, "calls.ndjson"]), "", "{fine}");
    }
}

/// Records of three files, in no order of time, with copies and one without a time.
fn scattered() -> Folder {
    let folder = Folder::new();
    let at = |id: &str, minute: u32| refused(id, &format!("2026-03-02T10:{minute:02}:00Z"), "ci");
    let mut undated = at("undated", 0);
    undated.as_object_mut().unwrap().remove("eventTime");
    folder.lines("b.ndjson", &[at("e-5", 5), at("e-1", 1), at("e-9", 9), undated]);
    folder.lines("a.ndjson", &[at("e-7", 7), at("e-1", 1), at("e-2", 2)]);
    folder.lines("c.ndjson", &[at("e-9", 9), at("e-0", 0), at("e-1", 1), at("twin", 5)]);
    folder
}

const IN_ORDER: [&str; 8] = ["e-0", "e-1", "e-2", "e-5", "twin", "e-7", "e-9", "undated"];
const LATER: &str = "2026-06-01";

#[test]
fn events_come_in_the_order_of_time_and_once() {
    let folder = scattered();
    let ask = |paths: &[&str], more: &[&str]| {
        let ran = folder.run(&[["query", "*", "--now", LATER].as_slice(), paths, more].concat());
        let hits: Vec<Value> =
            ran.printed(0).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (ids(&hits).iter().map(|&it| it.to_owned()).collect::<Vec<_>>(), ran.err)
    };
    let note = "note: 3 further deliveries of events that were there before; --copies prints them too\n";
    for paths in [&["."][..], &["a.ndjson", "b.ndjson", "c.ndjson"], &["c.ndjson", "a.ndjson", "b.ndjson"]] {
        assert_eq!(ask(paths, &[]), (IN_ORDER.map(str::to_owned).to_vec(), note.to_owned()));
        // Whatever fits into memory at a time.
        for bytes in ["1", "2500", "6000"] {
            let (ids, err) = ask(paths, &["--max-order-bytes", bytes]);
            assert_eq!(ids, IN_ORDER, "{bytes}");
            assert!(err.starts_with(note) && err.contains("note: the files were read "), "{err}");
        }
        for limit in 1..=IN_ORDER.len() {
            let (ids, _) = ask(paths, &["--limit", &limit.to_string(), "--max-order-bytes", "1"]);
            assert_eq!(ids, IN_ORDER[..limit]);
        }
        let (ids, err) = ask(paths, &["--copies", "--max-order-bytes", "2500", "-q"]);
        assert_eq!(ids, ["e-0", "e-1", "e-1", "e-1", "e-2", "e-5", "twin", "e-7", "e-9", "e-9", "undated"]);
        assert_eq!(err, "");
    }
    let (ids, _) = ask(&["b.ndjson", "a.ndjson"], &["--order", "files"]);
    assert_eq!(ids, ["e-5", "e-1", "e-9", "undated", "e-7", "e-2"]);
}

/// Copies that differ are one event: the earliest, whatever was read first.
#[test]
fn copies_that_differ_are_one_event() {
    let folder = Folder::new();
    folder.lines("late.ndjson", &[refused("same", "2026-03-02T12:00:00Z", "late")]);
    folder.lines(
        "early.ndjson",
        &[refused("same", "2026-03-02T10:00:00Z", "early"), refused("other", "2026-03-02T11:00:00Z", "x")],
    );
    for paths in [["late.ndjson", "early.ndjson"], ["early.ndjson", "late.ndjson"]] {
        for bytes in ["1", "100000"] {
            let arguments = ["query", "*", "-q", "-f", "csv", "--columns", "event.id,user.name"];
            let ran = folder.run(&[&arguments[..], &paths, &["--max-order-bytes", bytes]].concat());
            assert_eq!(ran.printed(0), "event.id,user.name\nsame,early\nother,x\n");
        }
    }
}

#[test]
fn since_and_until() {
    let folder = scattered();
    let ask = |more: &[&str]| {
        let fixed = ["query", "*", ".", "--now", LATER, "-f", "csv", "--columns", "event.id"];
        let ran = folder.run(&[&fixed, more].concat());
        (ran.printed(0).lines().skip(1).collect::<Vec<_>>().join(" "), ran.err)
    };
    let undated = "note: 1 event without a time of its own left out: it counts as happening now\n";
    let (ids, err) = ask(&["--since", "2026-03-02 10:02", "--until", "2026-03-02T10:07:00Z"]);
    assert_eq!(ids, "e-2 e-5 twin", "the end does not count");
    assert!(err.ends_with(undated), "{err}");
    assert_eq!(ask(&["--since", "now-93d", "--until", "now-91d"]).0, "");
    let (ids, err) = ask(&["--since", "2026-03-02T10:09:00Z"]);
    assert_eq!(ids, "e-9 undated");
    assert!(!err.contains("left out"), "{err}");
    let refused = folder.run(&["query", "*", ".", "--since", "2026-03-03", "--until", "2026-03-02"]);
    assert!(refused.error().contains("does not lie before"), "{}", refused.err);
    let refused = folder.run(&["query", "*", ".", "--since", "soon"]);
    assert!(refused.error().starts_with("--since `soon`: no such date"), "{}", refused.err);
}

#[test]
fn regular_expressions() {
    let folder = Folder::with_calls();
    let ask = |expressions: &[&str]| {
        let given = expressions.iter().flat_map(|&it| ["--regex", it]);
        let fixed = ["query", "*", "calls.ndjson", "-q", "-f", "csv", "--columns", "event.id"];
        let ran = folder.run(&fixed.into_iter().chain(given).collect::<Vec<_>>());
        ran.printed(0).lines().skip(1).collect::<Vec<_>>().join(" ")
    };
    for (expressions, expected) in [
        // A field: each value by itself.
        (&["user.name=^(ci|ops)$"][..], "e-1 e-2 e-4"),
        (&["user.name=c"], "e-1 e-2 e-3"),
        (&["user.name=CI"], ""),
        (&["user.name=(?i)CI"], "e-1 e-2"),
        (&["related.user=^ops$"], "e-4"),
        (&["_id=^e-[34]$"], "e-4 e-3"),
        (&["aws.cloudtrail.error_code=Unauth"], "e-1 e-2 e-3"),
        (&["aws.cloudtrail.error_code="], "e-1 e-2 e-3"),
        // The text as it was delivered, and values as they are.
        (&["\"eventID\":\"e-1\""], "e-1"),
        (&["^backup$"], "e-3"),
        (&["^true$"], "e-1 e-2 e-4 e-3"),
        (&["^iam::"], ""),
        // All of several.
        (&["user.name=c", "session-1", "_id=[^2]$"], "e-1 e-3"),
        (&["nothing=like this"], ""),
    ] {
        assert_eq!(ask(expressions), expected, "{expressions:?}");
    }
    let ran = folder.run(&["query", "*", "calls.ndjson", "--regex", "user.name=(a"]);
    insta::assert_snapshot!("query_regex_error", ran.error());
    let ran = folder.run(&["query", "*", "calls.ndjson", "--regex", "source.adress=^1"]);
    assert!(ran.err.contains("source.adress") && ran.err.contains("source.address"), "{}", ran.err);
}

#[test]
fn values_are_counted() {
    let folder = scattered();
    let mut two = refused("two", "2026-03-02T10:30:00Z", "ops");
    two["resources"] =
        json!([{"ARN": "arn:aws:s3:::b"}, {"ARN": "arn:aws:s3:::a"}, {"ARN": "arn:aws:s3:::a"}]);
    let mut one = refused("one", "2026-03-02T10:31:00Z", "ops");
    one["resources"] = json!([{"ARN": "arn:aws:s3:::a"}]);
    folder.lines("d.ndjson", &[one, two]);
    let ask = |fields: &str, more: &[&str]| {
        let fixed = ["query", "*", ".", "--now", LATER, "--count-by", fields];
        folder.run(&[&fixed, more].concat())
    };
    let both = "user.name,aws.cloudtrail.resources.arn";
    insta::assert_snapshot!("query_count_table", ask(both, &["-f", "table"]).whole());
    insta::assert_snapshot!("query_count_csv", ask(both, &["-f", "csv"]).printed(0));
    insta::assert_snapshot!("query_count_ndjson", ask("user.name", &[]).printed(0));
    let values = |more: &[&str]| {
        let ran = ask("event.id", &[more, &["-f", "csv", "-q"]].concat());
        ran.printed(0).lines().skip(1).map(|it| it.rsplit(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&["--limit", "2"]), ["e-0", "e-1"], "as many events: by value");
    assert_eq!(values(&["--copies", "--limit", "2"]), ["e-1", "e-9"]);
    assert_eq!(values(&["--regex", "user.name=ops"]), ["one", "two"]);
    assert_eq!(values(&["--until", "2026-03-02 10:01"]), ["e-0"]);
    let wrong = ask("user.nmae", &[]);
    assert!(wrong.err.contains("user.name"), "{}", wrong.err);
    let sequence =
        ["query", "-l", "eql", "sequence [any where true] [any where true]", ".", "--count-by", "user.name"];
    assert!(folder.run(&sequence).error().contains("--count-by"));
}

/// Counts are those of the documents that the same query prints, one by one, whatever the order of files.
#[test]
fn counts_agree_with_the_documents() {
    let folder = scattered();
    folder.lines("e.ndjson", &[refused("e-3", "2026-03-03T10:03:00Z", "ops")]);
    let fields = ["user.name", "event.outcome", "related.entity", "user.target.name"];
    let documents = folder.run(&["query", "event.id: e-*", ".", "-q"]);
    for (at, field) in fields.iter().enumerate() {
        let other = fields[(at + 1) % fields.len()];
        let mut expected = std::collections::BTreeMap::<(String, String), (u64, String, String)>::new();
        for line in documents.printed(0).lines() {
            let document: Value = serde_json::from_str(line).unwrap();
            let values = |field: &str| {
                let mut values = Vec::new();
                let source = document["_source"].as_object().unwrap();
                ecs::document::values(source, field, ecs::Shape::Leaf, |it| {
                    values.push(it.text().into_owned());
                });
                values.sort_unstable();
                values.dedup();
                if values.is_empty() { vec![String::new()] } else { values }
            };
            let time = document["_source"]["@timestamp"].as_str().unwrap().to_owned();
            for one in values(field) {
                for two in values(other) {
                    let seen =
                        expected.entry((one.clone(), two)).or_insert_with(|| (0, time.clone(), time.clone()));
                    *seen = (seen.0 + 1, time.clone().min(seen.1.clone()), time.clone().max(seen.2.clone()));
                }
            }
        }
        let by = format!("{field},{other}");
        for paths in [
            ["a.ndjson", "b.ndjson", "c.ndjson", "e.ndjson"],
            ["e.ndjson", "c.ndjson", "a.ndjson", "b.ndjson"],
        ] {
            let ran =
                folder.run(&[&["query", "event.id: e-*", "-q", "--count-by", &by][..], &paths].concat());
            let found = ran.printed(0).lines().map(|line| {
                let it: Value = serde_json::from_str(line).unwrap();
                let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
                let values = (text(&it["values"][field]), text(&it["values"][other]));
                (values, (it["count"].as_u64().unwrap(), text(&it["first_seen"]), text(&it["last_seen"])))
            });
            assert_eq!(found.collect::<std::collections::BTreeMap<_, _>>(), expected, "{by}");
        }
    }
}
