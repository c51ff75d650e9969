//! `hunt --format html`: what the page tells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cases::shared;
use serde_json::{Value, json};

use crate::setup::{Folder, records_below, refused};

/// All records below a folder, each once.
fn records(folder: &Path) -> Vec<Value> {
    let mut all = records_below(folder);
    all.dedup_by(|a, b| text_of(a, "/eventID") == text_of(b, "/eventID"));
    all
}

fn text_of<'r>(record: &'r Value, path: &str) -> &'r str {
    record.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// A page, taken apart.
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// The lines of a block of data.
    fn lines(&self, id: &str) -> Vec<Value> {
        let start = format!("<script type=\"application/json\" id=\"data-{id}\">\n");
        let (_, rest) = self.0.split_once(&start).unwrap();
        let (block, _) = rest.split_once("</script>").unwrap();
        block.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The things of a block of data, as the script makes them of rows and texts.
    pub(crate) fn data(&self, id: &str) -> Vec<Value> {
        let mut lines = self.lines(id);
        let texts = &self.lines("texts")[0];
        let text = |it: &Value| it.as_u64().map_or(Value::Null, |place| texts[place as usize].clone());
        let thing = |keys: &Value, row: &Value| -> Value {
            let pairs = keys.as_array().unwrap().iter().zip(row.as_array().unwrap());
            let mut thing = serde_json::Map::new();
            for (key, value) in pairs {
                match (key.as_str().unwrap().strip_prefix('$'), value) {
                    (Some(key), Value::Array(all)) => {
                        thing.insert(key.to_owned(), all.iter().map(text).collect())
                    }
                    (Some(key), place) => thing.insert(key.to_owned(), text(place)),
                    (None, value) => thing.insert(key.as_str().unwrap().to_owned(), value.clone()),
                };
            }
            if let Some(Value::Object(rest)) = thing.remove("rest") {
                thing.extend(rest);
            }
            thing.into()
        };
        match id {
            "alerts" => {
                let keys = lines.remove(0);
                lines.iter().map(|row| thing(&keys, row)).collect()
            }
            "stories" => {
                let keys = lines.remove(0);
                for story in &mut lines {
                    let acts =
                        story["acts"].as_array().unwrap().iter().zip(story["each"].as_array().unwrap());
                    let acts = acts.map(|(row, each)| {
                        let mut act = thing(&keys, row);
                        act["each"] = each.clone();
                        act
                    });
                    story["acts"] = acts.collect();
                }
                lines
            }
            _ => lines,
        }
    }

    /// What is told of what happened.
    pub(crate) fn happened(&self) -> &str {
        let (_, rest) = self.0.split_once("<section id=\"happened\">").unwrap();
        rest.split_once("</section>").unwrap().0
    }

    /// What is told of an actor.
    fn told_of(&self, actor: &str) -> &str {
        let name = format!(">{actor}</button>");
        let mut all = self.happened().split("<article");
        all.find(|it| it.contains(&name)).unwrap()
    }

    /// The story of an actor: for each event its time and call.
    fn story(&self, actor: &str) -> BTreeMap<String, (i64, String)> {
        let at = self.data("actors").iter().position(|it| it["short"] == actor).unwrap();
        let story = &self.data("stories")[at];
        let mut events = BTreeMap::new();
        for act in story["acts"].as_array().unwrap() {
            for each in act["each"].as_array().unwrap() {
                let time = act["t"].as_i64().unwrap() + each[0].as_i64().unwrap();
                let call = act["call"].as_str().unwrap().to_owned();
                assert!(events.insert(each[1].as_str().unwrap().to_owned(), (time, call)).is_none());
            }
            assert_eq!(act["n"].as_u64().unwrap() as usize, act["each"].as_array().unwrap().len());
        }
        events
    }
}

fn page_of(path: &Path, more: &[&str]) -> Page {
    let folder = Folder::new();
    let base = ["hunt", path.to_str().unwrap(), "-q", "-f", "html", "--now", "2026-04-01"];
    Page(folder.run(&[&base, more].concat()).printed(0).to_owned())
}

#[test]
fn invictus_on_one_page() {
    let Some(data) = shared("invictus") else { return };
    let page = page_of(&data, &["--threads", "2"]);
    let records = records(&data);
    let arn = |it: &Value| text_of(it, "/userIdentity/arn").to_owned();
    let its: Vec<&Value> = records.iter().filter(|it| arn(it).ends_with(":user/bert-jan")).collect();
    assert_eq!(its.len(), 2_641);
    // The first screen names the actor, its addresses, and what it made and shared.
    let told = page.told_of("user/bert-jan");
    let done = |it: &&&Value, call: &str| it["eventName"] == call && it.get("errorCode").is_none();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for it in &its {
        names.insert(text_of(it, "/sourceIPAddress").to_owned());
        for (call, path) in [
            ("CreateUser", "/requestParameters/userName"),
            ("CreatePolicy", "/requestParameters/policyName"),
            ("CreateAccessKey", "/responseElements/accessKey/accessKeyId"),
            ("ModifySnapshotAttribute", "/requestParameters/createVolumePermission/add/items/0/userId"),
            ("ModifyImageAttribute", "/requestParameters/launchPermission/add/items/0/userId"),
            ("ModifyDBSnapshotAttribute", "/requestParameters/valuesToAdd/0"),
        ] {
            if done(&it, call) {
                names.insert(text_of(it, path).to_owned());
            }
        }
        if done(&it, "PutBucketPolicy") {
            let statements = it["requestParameters"]["bucketPolicy"]["Statement"].as_array().unwrap();
            for principal in statements.iter().filter_map(|it| it["Principal"]["AWS"].as_str()) {
                names.insert(principal.split(':').nth(4).unwrap().to_owned());
            }
        }
    }
    names.remove("");
    assert!(names.len() >= 6 + 4 + 2 + 2 + 3, "{names:?}");
    for name in &names {
        assert!(told.contains(name.as_str()), "{name} is not told in {told}");
    }
    // Each of its records is in its story, and those of every session that its keys issued.
    let story = page.story("user/bert-jan");
    for it in &its {
        assert!(story.contains_key(text_of(it, "/eventID")), "{it}");
    }
    let issued: BTreeSet<&str> = its
        .iter()
        .map(|it| text_of(it, "/responseElements/credentials/accessKeyId"))
        .filter(|key| !key.is_empty())
        .collect();
    assert!(!issued.is_empty());
    let of_sessions: Vec<&Value> =
        records.iter().filter(|it| issued.contains(text_of(it, "/userIdentity/accessKeyId"))).collect();
    assert!(of_sessions.len() > 40, "{}", of_sessions.len());
    for it in &of_sessions {
        assert!(story.contains_key(text_of(it, "/eventID")), "{it}");
    }
    let all: BTreeSet<&str> = its.iter().chain(&of_sessions).map(|it| text_of(it, "/eventID")).collect();
    assert_eq!(story.len(), all.len(), "and nothing else");
    // They are folded.
    let actors = page.data("actors");
    let at = actors.iter().position(|it| it["short"] == "user/bert-jan").unwrap();
    let acts = page.data("stories")[at]["acts"].as_array().unwrap().clone();
    assert!(acts.len() < 1_000 && acts.iter().any(|it| it["n"].as_u64() > Some(20)), "{} rows", acts.len());
    assert!(acts.iter().any(|it| !it["alerts"].as_array().unwrap().is_empty()));
    // The other one is told apart.
    let other: BTreeSet<String> = page.story("user/benjamin").into_keys().collect();
    let benjamin = records.iter().filter(|it| arn(it).ends_with(":user/benjamin"));
    let expected: BTreeSet<String> = benjamin.map(|it| text_of(it, "/eventID").to_owned()).collect();
    assert_eq!(other, expected);
}

#[test]
fn the_same_bytes_whatever_the_threads() {
    let Some(data) = shared("stratus") else { return };
    let page = page_of(&data, &["--threads", "1"]);
    assert!(page_of(&data, &["--threads", "3"]).0 == page.0);
    assert!(page.data("actors").len() > 1);
}

#[test]
fn sans504_on_one_page() {
    let Some(data) = shared("sans504") else { return };
    let page = page_of(&data, &["--threads", "2"]);
    let story = page.story("user/jmerckle");
    let mut events: Vec<&(i64, String)> = story.values().collect();
    events.sort();
    let at = |it: &&(i64, String)| ecs::date::to_iso(it.0);
    assert_eq!(at(&events[0]), "2021-07-29T13:02:53.000Z");
    assert_eq!(events[0].1, "sts:GetCallerIdentity");
    let all = records(&data);
    let its: Vec<&Value> =
        all.iter().filter(|it| text_of(it, "/userIdentity/arn").ends_with(":user/jmerckle")).collect();
    let last = its.iter().map(|it| text_of(it, "/eventTime")).max().unwrap();
    assert_eq!(at(events.last().unwrap()), last.replace('Z', ".000Z"));
    for it in its {
        assert!(story.contains_key(text_of(it, "/eventID")), "{it}");
    }
}

/// Two users take the same role in the same second under the same name: each has the story of what its own key issued.
#[test]
fn stories_go_by_issued_keys() {
    let folder = Folder::new();
    let role = "arn:aws:iam::111122223333:role/ci";
    let mut calls = Vec::new();
    for (user, key) in [("ada", "ASIAEXAMPLE1"), ("bo", "ASIAEXAMPLE2")] {
        let of_user = |id: &str, time: &str, action: &str, source: &str| {
            let mut call = refused(&format!("{id}-{user}"), time, "ci");
            call["userIdentity"] = json!({
                "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{user}"), "userName": user,
                "accountId": "111122223333", "principalId": format!("AIDA{user}"), "accessKeyId": format!("AKIA{user}"),
            });
            (call["eventName"], call["eventSource"]) = (action.into(), source.into());
            call.as_object_mut().unwrap().retain(|key, _| !key.starts_with("error"));
            call
        };
        calls.push(of_user("look", "2026-03-02T09:00:00Z", "ListUsers", "iam.amazonaws.com"));
        let mut assumed = of_user("assume", "2026-03-02T09:59:00Z", "AssumeRole", "sts.amazonaws.com");
        assumed["requestParameters"] = json!({"roleArn": role, "roleSessionName": "session-1"});
        assumed["responseElements"] = json!({
            "credentials": {"accessKeyId": key},
            "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/ci/session-1"},
        });
        calls.push(assumed);
        let mut made = of_user("user", "2026-03-02T09:30:00Z", "CreateUser", "iam.amazonaws.com");
        made["requestParameters"] = json!({"userName": format!("door-of-{user}")});
        made["readOnly"] = false.into();
        calls.push(made);
        let mut asked = refused(&format!("ask-{user}"), "2026-03-02T10:00:00Z", "ci");
        asked["userIdentity"]["accessKeyId"] = key.into();
        asked["userIdentity"]["sessionContext"]["attributes"] =
            json!({"creationDate": "2026-03-02T09:59:00Z"});
        calls.push(asked);
    }
    folder.lines("calls.ndjson", &calls);
    let rule = "[rule]\nrule_id = \"r\"\nname = \"R\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\n\
                type = \"query\"\nquery = \"event.action: GetPasswordData\"\n";
    folder.write("rules/r.toml", rule);
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-q", "-f", "html", "--now", "2026-04-01"]);
    let page = Page(ran.printed(0).to_owned());
    for user in ["ada", "bo"] {
        let actor = format!("user/{user}");
        let story: Vec<String> = page.story(&actor).into_keys().collect();
        assert_eq!(story, ["ask", "assume", "look", "user"].map(|it| format!("{it}-{user}")));
        let told = page.told_of(&actor);
        for words in [
            &format!("door-of-{user}"),
            "made 1 user:",
            "took 1 session:",
            "Exact:",
            "4 calls",
            "203.0.113.20",
        ] {
            assert!(told.contains(words), "{words} is not in {told}");
        }
    }
    // Unalerted calls are there, the alert is marked.
    let acts = page.data("stories")[0]["acts"].as_array().unwrap().clone();
    let marked = acts.iter().filter(|it| !it["alerts"].as_array().unwrap().is_empty()).count();
    assert_eq!((acts.len(), marked), (4, 1));
}

/// Alerts with their guides done, but not those of low severity; or with none.
#[test]
fn alerts_are_investigated() {
    let folder = Folder::with_calls();
    let run = |more: &[&str]| {
        let base = ["hunt", "calls.ndjson", "-q", "-f", "html", "--now", "2026-04-01", "--only", "EC2 Admin"];
        Page(folder.run(&[&base, more].concat()).printed(0).to_owned())
    };
    let page = run(&[]);
    let alerts = page.data("alerts");
    assert_eq!(alerts.len(), 2);
    for alert in &alerts {
        let at = alert["guide"].as_u64().unwrap();
        assert!(page.0.contains(&format!("<template id=\"guide-{at}\">")), "{alert}");
        assert_eq!(
            (&alert["to"], &alert["end"]),
            (&"i-0example000000001".into(), &"Client.UnauthorizedOperation".into())
        );
    }
    assert!(page.0.contains("2 of the 2 alerts of severity medium and higher"));
    assert!(page.0.contains("<details class=\"plan\">"));
    let without = run(&["--no-investigate"]);
    assert!(without.data("alerts").iter().all(|it| it["guide"].is_null()) && !without.0.contains("guide-0"));
    assert!(without.0.contains("no alert (--no-investigate)"));
    let wrong = folder.run(&["hunt", "calls.ndjson", "--no-investigate"]);
    assert!(wrong.error().contains("goes with --format html"), "{wrong:?}");
    // What came through a pipe cannot be read again, and that is said.
    let text = std::fs::read(folder.join("calls.ndjson")).unwrap();
    let piped = folder.run_with(&text, &["hunt", "-", "-q", "-f", "html", "--only", "EC2 Admin"]);
    assert!(piped.printed(0).contains("cannot be read again"), "{piped:?}");
    let chinese = run(&["--lang", "zh-CN"]);
    for word in ["发生了什么", "次调用", "响应计划", "<html lang=\"zh-CN\">"] {
        assert!(chinese.0.contains(word), "{word}");
    }
}

/// Alerts that stand on others show them, and those that stand for others say for how many.
#[test]
fn alerts_stand_on_alerts() {
    let folder = Folder::with_calls();
    let rule = |name: &str, rest: &str| {
        let text = format!(
            "[rule]\nrule_id = \"{name}\"\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"high\"\nrisk_score = 1\n\
             type = \"query\"\n{rest}\n"
        );
        folder.write(&format!("rules/{name}.toml"), text);
    };
    rule(
        "First",
        "query = \"event.action: GetPasswordData\"\nindex = [\"logs-*\"]\n[rule.alert_suppression]\ngroup_by = [\"user.name\"]\nduration = { value = 5, unit = \"h\" }",
    );
    rule("Second", "query = \"kibana.alert.rule.name: First\"\nindex = [\".alerts-security.alerts-*\"]");
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-q", "-f", "html", "--now", "2026-04-01"]);
    let page = Page(ran.printed(0).to_owned());
    let alerts = page.data("alerts");
    let on: Vec<&Value> =
        alerts.iter().filter(|it| it["rule"] == "Second").map(|it| &it["on"][0]["id"]).collect();
    let first: Vec<&Value> = alerts.iter().filter(|it| it["rule"] == "First").map(|it| &it["id"]).collect();
    assert!(!first.is_empty() && on == first, "{on:?} {first:?}");
    let stands = |it: &Value| it["stands"].as_str().is_some_and(|it| it.starts_with("1 more suppressed, "));
    assert!(alerts.iter().any(stands), "{alerts:?}");
}

/// What an attacker writes is text, however long, and literals of rules stay as they are.
#[test]
fn values_are_texts() {
    let folder = Folder::new();
    let long = "x".repeat(1 << 20);
    let attack = "</script><script>alert(1)</script><!--\u{202e}`";
    let mut record = refused("e-1", "2026-03-02T10:00:00Z", "ci");
    record["userAgent"] = format!("{attack}{long}").into();
    record["requestParameters"] = json!({"instanceId": attack, "userName": long});
    folder.lines("calls.ndjson", &[record]);
    let text = "[rule]\nrule_id = \"r\"\nname = \"R `filebeat-*`\"\ndescription = \"Asks `filebeat-*` and a_b_c, also logs-aws-*, metrics-*.\"\n\
                severity = \"medium\"\nrisk_score = 1\ntype = \"query\"\nquery = \"event.action: GetPasswordData\"\n\
                note = \"## Look\\n\\n* `logs-*` **bold** <b>raw</b>\"\n";
    folder.write("rules/r.toml", text);
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-q", "-f", "html"]);
    let page = Page(ran.printed(0).to_owned());
    assert_eq!(page.0.matches("<script>").count(), 1);
    assert!(!page.0.contains('\u{202e}') && page.0.len() < 1 << 20, "{} bytes", page.0.len());
    assert!(page.0.contains("<code>filebeat-*</code>") && page.0.contains("<code>logs-*</code>"));
    assert!(page.0.contains("logs-aws-*, metrics-*."), "stars of patterns stay");
    assert!(page.0.contains("&lt;b&gt;raw"));
    let alert = &page.data("alerts")[0];
    assert!(alert["to"].as_str().unwrap().len() < 8_000, "{}", alert["to"]);
}

/// Of very many alerts all are on the page, but the raw fields only of the most severe; which is said there and beside it.
#[test]
fn of_many_alerts_the_raw_fields_of_the_most_severe() {
    let folder = Folder::new();
    let number = report::page::FIELDS_MAX + 40;
    let call = |at: usize| {
        let mut call = refused(
            &format!("e-{at:05}"),
            &format!("2026-03-02T{:02}:{:02}:00Z", at / 60 % 24, at % 60),
            "ci",
        );
        if at % 100 == 7 {
            call["eventName"] = "GetConsoleOutput".into();
        }
        call
    };
    folder.lines("calls.ndjson", &(0..number).map(call).collect::<Vec<_>>());
    for (name, severity, action) in [("Low", "low", "GetPasswordData"), ("High", "high", "GetConsoleOutput")]
    {
        let text = format!(
            "[rule]\nrule_id = \"{name}\"\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"{severity}\"\n\
             risk_score = 1\ntype = \"query\"\nmax_signals = 10000\nquery = \"event.action: {action}\"\n"
        );
        folder.write(&format!("rules/{name}.toml"), text);
    }
    let run = |more: &[&str]| {
        let base =
            ["hunt", "calls.ndjson", "-r", "rules", "-f", "html", "--now", "2026-04-01", "--no-investigate"];
        folder.run(&[&base, more].concat())
    };
    let ran = run(&["--max-signals", "10000"]);
    let page = Page(ran.out.clone());
    let alerts = page.data("alerts");
    assert_eq!(alerts.len(), number);
    let fields = page.lines("fields");
    assert_eq!(fields.len(), report::page::FIELDS_MAX);
    let shown: BTreeSet<u64> = fields.iter().map(|it| it[0].as_u64().unwrap()).collect();
    let high = alerts.iter().enumerate().filter(|(_, it)| it["rule"] == "High").map(|(at, _)| at as u64);
    let high: Vec<u64> = high.collect();
    assert!(!high.is_empty() && high.iter().all(|it| shown.contains(it)), "the most severe first");
    for words in ["2,000 most severe and first of the 2,040 alerts", "--format ndjson"] {
        assert!(page.happened().contains(words), "{words} is not in {}", page.happened());
    }
    assert!(ran.err.contains("raw fields of the 2,000 most severe and first alerts"), "{}", ran.err);
    // What many say stands once.
    let said = page.0.matches("arn:aws:iam::111122223333:role/ci").count();
    assert!(said < 10, "{said} times");
    let bytes = page.0.len() / number;
    assert!(bytes < 1_500, "{bytes} bytes an alert");
}
