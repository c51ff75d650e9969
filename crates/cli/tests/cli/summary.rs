//! `trailwarden summary`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::setup::{Folder, Ran, refused};

const NOW: &str = "2026-06-01";

/// What two roles and a user do, in three files, with copies, one record without a time, and fields without values.
fn story() -> Folder {
    let folder = Folder::new();
    let at = |id: &str, minute: u32, role: &str| refused(id, &format!("2026-03-02T10:{minute:02}:00Z"), role);
    let by_ada = |id: &str, minute: u32, action: &str, request: Value, response: Value| {
        let mut it = at(id, minute, "ada");
        let all = it.as_object_mut().unwrap();
        all.retain(|key, _| !key.starts_with("error"));
        all["userIdentity"] = json!({
            "type": "IAMUser", "principalId": "AIDAEXAMPLEADA", "arn": "arn:aws:iam::111122223333:user/ada",
            "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLEADA", "userName": "ada",
        });
        all["eventSource"] = "iam.amazonaws.com".into();
        all["eventName"] = action.into();
        all["sourceIPAddress"] = "198.51.100.7".into();
        all["requestParameters"] = request;
        all["responseElements"] = response;
        all.insert("readOnly".to_owned(), false.into());
        it
    };
    let user = json!({"user": {"userName": "eve", "arn": "arn:aws:iam::111122223333:user/eve"}});
    let key = json!({"accessKey": {"userName": "eve", "accessKeyId": "AKIAEXAMPLEEVE", "status": "Active"}});
    let mut undated = at("undated", 0, "ci");
    undated.as_object_mut().unwrap().remove("eventTime");
    let mut on_instance = at("instance", 30, "web");
    on_instance["userIdentity"]["arn"] =
        "arn:aws:sts::111122223333:assumed-role/web/i-0example000000009".into();
    on_instance["sourceIPAddress"] = "ec2.amazonaws.com".into();
    folder.lines(
        "b.ndjson",
        &[
            at("e-5", 5, "ci"),
            at("e-1", 1, "ci"),
            by_ada("made-1", 11, "CreateUser", json!({"userName": "eve"}), user),
            undated,
        ],
    );
    folder.lines(
        "a.ndjson",
        &[
            at("e-1", 1, "ci"),
            by_ada("made-2", 12, "CreateAccessKey", json!({"userName": "eve"}), key),
            on_instance,
        ],
    );
    folder.lines("c.ndjson", &[at("e-5", 5, "ci"), at("e-0", 0, "web")]);
    folder
}

fn summary(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[["summary", ".", "--now", NOW].as_slice(), more].concat())
}

#[test]
fn formats() {
    let folder = story();
    insta::assert_snapshot!("summary", summary(&folder, &["-q"]).printed(0));
    insta::assert_snapshot!("summary_ndjson", summary(&folder, &["-q", "-f", "ndjson"]).printed(0));
    insta::assert_snapshot!(
        "summary_by",
        summary(&folder, &["-q", "--by", "event.action", "-f", "csv"]).printed(0)
    );
    insta::assert_snapshot!("summary_pivots", summary(&folder, &["-q", "--pivots"]).printed(0));
    let list: Value = serde_json::from_str(summary(&folder, &["-q", "-f", "json"]).printed(0)).unwrap();
    let lines: Vec<Value> = summary(&folder, &["-q", "-f", "ndjson"])
        .printed(0)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(list, Value::Array(lines));
    let short = summary(&folder, &["-q", "--rows", "1"]);
    assert!(short.out.contains("  … and 2 more: --rows N prints more"), "{}", short.out);
    assert!(short.out.lines().all(|line| line.chars().count() <= 80), "{}", short.out);
}

#[test]
fn times_and_bad_input() {
    let folder = story();
    let ran = summary(&folder, &["-q", "--since", "2026-03-02 10:05", "--until", "2026-03-02T10:12:00Z"]);
    assert!(ran.printed(0).starts_with("2 events, and 1 further delivery of them"), "{}", ran.out);
    assert!(summary(&folder, &["--since", "soon"]).error().starts_with("--since `soon`"));
    assert!(folder.run(&["summary", "nowhere"]).error().contains("nowhere"));
    let none = summary(&folder, &["-q", "--by", "user.target.email"]);
    assert!(none.printed(0).ends_with("user.target.email: 0\n"), "{}", none.out);
}

/// The same bytes, whatever the threads and the order in which paths are given, also if copies of an event differ.
#[test]
fn the_same_whatever_the_threads() {
    let folder = story();
    folder.lines("z.ndjson", &[refused("e-5", "2026-03-04T10:05:00Z", "other")]);
    for more in [&["-f", "ndjson"][..], &["--pivots"], &["--by", "user.name"]] {
        let expected = summary(&folder, &[more, &["--threads", "1"]].concat());
        for threads in ["2", "3", "8"] {
            assert_eq!(
                summary(&folder, &[more, &["--threads", threads]].concat()).printed(0),
                expected.printed(0)
            );
        }
        let names = ["z.ndjson", "c.ndjson", "a.ndjson", "b.ndjson"];
        let ran = folder.run(&[&["summary", "--now", NOW], &names[..], more].concat());
        assert_eq!(ran.printed(0), expected.out);
    }
}

/// Sums by a field are the counts of `query --count-by`, which asks documents one by one.
#[test]
fn sums_agree_with_counted_documents() {
    let folder = story();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cloudtrail");
    for path in [".", example] {
        for field in
            ["user.name", "source.address", "event.action", "related.entity", "cloud.region", "error.message"]
        {
            let read = |arguments: &[&str], by: &str| -> BTreeMap<String, (u64, Value, Value)> {
                let ran = folder.run(&[arguments, &[path, "-q", "--now", NOW, "-f", "ndjson"]].concat());
                let lines = ran.printed(0).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
                lines
                    .filter_map(|it| {
                        let value = it["value"].as_str().or(it["values"][field].as_str())?.to_owned();
                        let count = it[by].as_u64().unwrap();
                        Some((value, (count, it["first_seen"].clone(), it["last_seen"].clone())))
                    })
                    .collect()
            };
            let sums = read(&["summary", "--by", field], "calls");
            let mut counts = read(&["query", "*", "--count-by", field], "count");
            // Events without a time were seen when they were read.
            for (value, (_, first, last)) in &mut counts {
                if path == "." {
                    (*first, *last) = (sums[value].1.clone(), sums[value].2.clone());
                }
            }
            assert_eq!(sums, counts, "{path} {field}");
            assert!(!sums.is_empty() || field == "error.message" || path == ".", "{path} {field}");
        }
    }
}

/// Alerts are counted where their events are.
#[test]
fn alerts_name_who_is_in_them() {
    let folder = story();
    let ran = summary(&folder, &["-q", "-f", "ndjson", "--by", "user.name"]);
    let sums: BTreeMap<String, u64> = ran
        .printed(0)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|it| (it["value"].as_str().unwrap().to_owned(), it["alerts"].as_u64().unwrap()))
        .collect();
    let hunted = folder.run(&["hunt", ".", "--now", NOW, "-q", "-f", "ndjson"]);
    let mut expected: BTreeMap<String, u64> = sums.keys().map(|it| (it.clone(), 0)).collect();
    for line in hunted.printed(0).lines() {
        let alert: Value = serde_json::from_str(line).unwrap();
        ecs::document::values(alert.as_object().unwrap(), "user.name", ecs::Shape::Leaf, |it| {
            *expected.get_mut(&*it.text()).unwrap() += 1;
        });
    }
    assert_eq!(sums, expected);
    assert!(expected.values().any(|&it| it > 0), "{}", hunted.out);
}

/// Sessions of a role are summed up under whoever assumed it, beside the role; one that nobody is known to have begun is
/// the role's own.
#[test]
fn sessions_count_for_whoever_is_behind_them() {
    let folder = Folder::new();
    let call = |id: &str, minute: u32, identity: Value, action: &str| {
        let mut it = refused(id, &format!("2026-03-02T10:{minute:02}:00Z"), "ops");
        it["userIdentity"] = identity;
        it["eventName"] = action.into();
        it
    };
    let user = |name: &str| {
        json!({"type": "IAMUser", "principalId": format!("AIDA{name}"), "accountId": "111122223333",
            "arn": format!("arn:aws:iam::111122223333:user/{name}"), "userName": name,
            "accessKeyId": format!("AKIA{name}")})
    };
    let session = |key: &str| {
        json!({"type": "AssumedRole", "principalId": "AROAOPS:s", "accountId": "111122223333", "accessKeyId": key,
            "arn": "arn:aws:sts::111122223333:assumed-role/ops/s",
            "sessionContext": {"attributes": {"creationDate": "2026-03-02T10:00:00Z"},
                "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "userName": "ops"}}})
    };
    let assume = |id: &str, minute: u32, name: &str, key: &str| {
        let mut it = call(id, minute, user(name), "AssumeRole");
        it.as_object_mut().unwrap().retain(|key, _| !key.starts_with("error"));
        it["eventSource"] = "sts.amazonaws.com".into();
        it["requestParameters"] =
            json!({"roleArn": "arn:aws:iam::111122223333:role/ops", "roleSessionName": "s"});
        it["responseElements"] = json!({"credentials": {"accessKeyId": key}});
        it
    };
    // What issued the key comes after its use, in another file.
    folder.lines(
        "a.ndjson",
        &[
            call("c-1", 2, session("ASIAONE"), "ListBuckets"),
            call("c-2", 3, session("ASIATWO"), "ListBuckets"),
            call("c-3", 4, session("ASIAELSEWHERE"), "ListBuckets"),
        ],
    );
    folder.lines("b.ndjson", &[assume("a-1", 0, "ada", "ASIAONE"), assume("a-2", 0, "bob", "ASIATWO")]);
    let counts = |more: &[&str]| -> BTreeMap<String, u64> {
        let ran = summary(&folder, &[&["-q", "-f", "ndjson"], more].concat());
        let lines = ran.printed(0).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let of = |it: Value| {
            let value = format!("{} {}", it["by"].as_str().unwrap(), it["value"].as_str().unwrap());
            (value, it["calls"].as_u64().unwrap())
        };
        lines
            .map(of)
            .filter(|(value, _)| value.starts_with("root") || value.starts_with("identity"))
            .collect()
    };
    let expected = [
        ("identity arn:aws:iam::111122223333:role/ops", 3),
        ("identity arn:aws:iam::111122223333:user/ada", 1),
        ("identity arn:aws:iam::111122223333:user/bob", 1),
        ("root arn:aws:iam::111122223333:role/ops", 1),
        ("root arn:aws:iam::111122223333:user/ada", 2),
        ("root arn:aws:iam::111122223333:user/bob", 2),
    ];
    let expected: BTreeMap<String, u64> = expected.map(|(value, calls)| (value.to_owned(), calls)).into();
    for threads in ["1", "4"] {
        assert_eq!(counts(&["--threads", threads]), expected);
    }
    let by_root = counts(&["--by", "trailwarden.identity.root.arn"]);
    assert!(
        by_root.len() == 3 && by_root.iter().all(|(value, calls)| expected[value] == *calls),
        "{by_root:?}"
    );
    let other = summary(&folder, &["--by", "trailwarden.identity.chain"]);
    assert!(other.error().contains("who is behind them is trailwarden.identity.root.arn"), "{}", other.err);
}

#[test]
fn what_was_made_for_somebody_and_what_has_no_time() {
    let folder = story();
    let ran = summary(&folder, &["-q", "-f", "ndjson"]);
    let lines: Vec<Value> = ran.printed(0).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |by: &str, value: &str| {
        lines.iter().find(|it| it["by"] == by && it["value"] == value).unwrap_or_else(|| panic!("no {value}"))
    };
    // Eve never called.
    let eve = of("identity", "arn:aws:iam::111122223333:user/eve");
    assert_eq!(eve["calls"], 0);
    assert_eq!(eve["made_for"], json!(["AKIAEXAMPLEEVE", "CreateUser"]));
    assert_eq!(eve["first_seen"], "2026-03-02T10:11:00.000Z");
    assert_eq!(of("identity", "arn:aws:iam::111122223333:user/ada")["made_for"], json!([]));
    let ci = of("identity", "arn:aws:iam::111122223333:role/ci");
    assert_eq!((&ci["calls"], &ci["undated"]), (&json!(3), &json!(1)));
    assert_eq!(ci["last_seen"], "2026-03-02T10:05:00.000Z", "no record without a time was seen last");
}

#[test]
fn a_misspelt_field_is_remarked() {
    let folder = story();
    let ran = summary(&folder, &["--by", "event.acton"]);
    assert!(ran.err.contains("event.acton") && ran.err.contains("event.action"), "{}", ran.err);
    let quiet = summary(&folder, &["-q", "--by", "event.acton"]);
    assert_eq!(quiet.err, "");
}
