//! `trailwarden query`.

use serde_json::{Value, json};

use crate::setup::Folder;

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
    insta::assert_snapshot!("query_language", refused(&["-l", "esql", "FROM logs-*", "calls.ndjson"]));
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
    assert_eq!(found("user.name:(backup OR o?s)"), ["e-3", "e-4"]);
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
