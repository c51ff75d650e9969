//! Records of several kinds side by side: their indices, what rules ask of them, what cannot be read.

use hunt::HuntError;
use serde_json::json;

use crate::setup::{
    Call, DAY_ONE, Folder, HOUR, Hunted, get_password_data, hunt_in, ndjson, options, refused, rule, rules,
    run, verdicts,
};

fn ecs_document(id: &str, dataset: &str) -> String {
    let document = json!({
        "@timestamp": ecs::date::to_iso(DAY_ONE + HOUR),
        "event": {"id": id, "dataset": dataset, "action": "GetPasswordData", "provider": "ec2.amazonaws.com"},
        "aws.cloudtrail": {"error_code": "Client.UnauthorizedOperation", "user_identity": {
            "type": "AssumedRole",
            "session_context": {"session_issuer": {"arn": "arn:aws:iam::111122223333:role/ecs"}},
        }},
    });
    document.to_string() + "\n"
}

#[test]
fn documents_that_are_ecs_already_stand_beside_records() {
    let folder = Folder::new();
    folder.write("records.json", refused("record", DAY_ONE, "ci").line());
    folder.write("documents.ndjson", ecs_document("document", "aws.cloudtrail"));
    folder.write(
        "mixed.ndjson",
        refused("mixed", DAY_ONE, "ops").line() + &ecs_document("other", "okta.system"),
    );
    let found = hunt_in(&folder, &[get_password_data()]);
    let name = &found.rules[0].rule.name;
    let expected = ["document", "mixed", "record"].map(|id| format!("{name} {id}"));
    assert_eq!(verdicts(&found), expected, "`other` is not CloudTrail's");
    assert_eq!(found.read.records.total(), 4);
}

/// Whoever can write half a surrogate pair into a request must not hide the call with it.
#[test]
fn half_a_surrogate_pair_hides_no_document() {
    let folder = Folder::new();
    let document = ecs_document("document", "aws.cloudtrail");
    let odd =
        document.replace("\"@timestamp\"", "\"user_agent\":{\"original\":\"a\\ud83dz\"},\"@timestamp\"");
    folder.write("documents.ndjson", &odd);
    let costly = rule("Agent", "type = \"query\"\nquery = \"user_agent.original: a*z\"\n");
    let found = hunt_in(&folder, &[get_password_data(), costly]);
    assert_eq!(found.alerts.len(), 2, "{:?}", found.read);
    assert_eq!(found.read.trouble_count, 0);
    assert_eq!(found.alerts[0]["user_agent"]["original"], "a\u{FFFD}z");
}

#[test]
fn rules_read_their_indices() {
    let folder = Folder::new();
    folder.write("records.json", refused("record", DAY_ONE, "ci").line());
    folder.write("okta.ndjson", ecs_document("okta", "okta.system"));
    let hits = json!({"_index": "mine-2026", "_id": "hit", "_source": {
        "@timestamp": "2026-03-02T05:00:00Z", "event.action": "GetPasswordData",
    }});
    folder.write("hits.ndjson", hits.to_string());
    let reads = |index: &str| {
        let lines = format!("type = \"query\"\nquery = \"event.action: GetPasswordData\"\nindex = {index}\n");
        let found = hunt_in(&folder, &[rule("Call", &lines)]);
        verdicts(&found).into_iter().map(|it| it.replace("Call ", "")).collect::<Vec<_>>()
    };
    assert_eq!(reads("[\"logs-aws.cloudtrail*\"]"), ["record"]);
    assert_eq!(reads("[\"logs-*\"]"), ["okta", "record"]);
    assert_eq!(reads("[\"logs-*\", \"-logs-okta*\"]"), ["record"]);
    assert_eq!(reads("[\"mine-*\", \"logs-okta.system-default\"]"), ["hit", "okta"]);
    assert!(reads("[\"filebeat-*\"]").is_empty());
}

/// The output of a hunt that lies in the hunted folder is no new evidence.
#[test]
fn alerts_in_the_input_belong_to_the_index_of_alerts() {
    let folder = Folder::new();
    folder.write("records.json", refused("record", DAY_ONE, "ci").line());
    let call =
        rule("Call", "type = \"query\"\nquery = \"event.action: GetPasswordData\"\nindex = [\"logs-*\"]\n");
    let first = hunt_in(&folder, std::slice::from_ref(&call));
    assert_eq!(first.alerts.len(), 1);
    let only_alerts = Folder::new();
    only_alerts.write("alerts.ndjson", serde_json::to_string(&first.alerts[0]).unwrap());
    let second = hunt_in(&only_alerts, &[call]);
    assert_eq!(second.read.records.total(), 1);
    assert!(second.alerts.is_empty(), "{:?}", verdicts(&second));
    let about_alerts = rule(
        "Alert",
        "type = \"query\"\nquery = \"kibana.alert.severity: low\"\nindex = [\".alerts-security.alerts-*\"]\n",
    );
    assert_eq!(hunt_in(&only_alerts, &[about_alerts]).alerts.len(), 1);
}

#[test]
fn filters_of_a_rule_count() {
    let calls = [refused("ci", DAY_ONE, "ci"), refused("ops", DAY_ONE, "ops")];
    let folder = Folder::of(&calls);
    let filtered = rules(
        r#"
            [rule]
            name = "Filtered"
            description = "A rule of the tests."
            severity = "low"
            risk_score = 21
            type = "query"
            query = "event.action: GetPasswordData"
            [[rule.filters]]
            [rule.filters.meta]
            negate = true
            [rule.filters.query.match_phrase]
            "user.name" = "ops"
        "#,
    );
    assert_eq!(verdicts(&hunt_in(&folder, &filtered)), ["Filtered ci"]);
}

#[test]
fn what_cannot_be_read_costs_nothing_else() {
    let folder = Folder::new();
    let good = |id: &'static str| refused(id, DAY_ONE, id);
    folder.write("a.ndjson", ndjson(&[good("a1")]) + "{\"eventName\": nope}\n" + &ndjson(&[good("a2")]));
    let b = [good("b1").line(), good("b2").line()].map(|it| it.trim_end().to_owned());
    folder.write("b.json", format!("{{\"Records\":[{},{{\"eventVersion\":}},{}]}}", b[0], b[1]));
    let mut c = ndjson(&[good("c1")]).into_bytes();
    c.extend(good("c2").line().replace("i-0example", "i-\u{1}").into_bytes().iter().map(|&byte| {
        // A byte that no UTF-8 has.
        if byte == 1 { 0xff } else { byte }
    }));
    c.extend(ndjson(&[good("c3")]).into_bytes());
    folder.write("c.ndjson", c);
    let found = hunt_in(&folder, &[get_password_data()]);
    let events: Vec<_> =
        verdicts(&found).into_iter().map(|it| it.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(events, ["a1", "a2", "b1", "b2", "c1", "c3"]);
    assert_eq!(found.read.trouble_count, 3, "{:?}", found.read.troubles);
    for (trouble, file) in found.read.troubles.iter().zip(["a.ndjson", "b.json", "c.ndjson"]) {
        assert!(
            trouble.text.contains(file) && trouble.code.is_some_and(|it| trouble.text.contains(it)),
            "{trouble:?}"
        );
    }
}

#[test]
fn a_rule_that_cannot_run_is_named_and_costs_nothing_else() {
    let folder = Folder::of(&[refused("call", DAY_ONE, "ci")]);
    let learning =
        "type = \"machine_learning\"\nanomaly_threshold = 50\nmachine_learning_job_id = \"rare\"\n";
    let learning = rule("Learning", learning);
    let found = hunt_in(&folder, &[learning.clone(), get_password_data()]);
    assert_eq!(found.alerts.len(), 1);
    assert_eq!(found.refused.len(), 1);
    assert!(found.refused[0].reason.contains("`machine_learning`"), "{}", found.refused[0].reason);

    let run = |rules| hunt::hunt(&options(&folder, rules), &mut std::io::empty(), &hunt::Progress::default());
    let error = run(std::slice::from_ref(&learning)).unwrap_err();
    assert!(matches!(&error, HuntError::AllRefused(refused) if refused.len() == 1), "{error}");
    assert!(error.to_string().contains("Learning: "), "{error}");
    assert!(matches!(run(&[]).unwrap_err(), HuntError::NoRules));
}

#[test]
fn standard_input_is_read_as_a_file_is() {
    let folder = Folder::of(&[refused("call", DAY_ONE, "ci")]);
    let text = refused("call", DAY_ONE, "ci").line();
    let options = hunt::HuntOptions { paths: vec!["-".into()], ..options(&folder, &[get_password_data()]) };
    let found: Hunted =
        hunt::hunt(&options, &mut text.as_bytes(), &hunt::Progress::default()).unwrap().into();
    assert_eq!(found.alerts, hunt_in(&folder, &[get_password_data()]).alerts);
    let nothing = run(&hunt::HuntOptions {
        paths: vec!["-".into()],
        ..crate::setup::options(&folder, &[get_password_data()])
    });
    assert_eq!((nothing.alerts.len(), nothing.read.trouble_count), (0, 1), "an empty input is a problem");
}

/// A column that one rule's filter needs late is not empty for the tails of others.
#[test]
fn a_new_term_is_found_whatever_other_rules_ask_of_its_field() {
    let new_agent = rule(
        "New agent",
        "type = \"new_terms\"\nquery = \"event.provider: ec2.amazonaws.com\"\n[rule.new_terms]\n\
         field = \"new_terms_fields\"\nvalue = [\"user_agent.name\"]\n[[rule.new_terms.history_window_start]]\n\
         field = \"history_window_start\"\nvalue = \"now-7d\"\n",
    );
    let other = rule(
        "Other",
        "type = \"query\"\nquery = \"event.action: RunInstances and user_agent.name: *curl*\"\n",
    );
    let folder = Folder::of(&[refused("first", DAY_ONE, "ci")]);
    assert_eq!(verdicts(&hunt_in(&folder, std::slice::from_ref(&new_agent))), ["New agent first"]);
    assert_eq!(verdicts(&hunt_in(&folder, &[new_agent, other])), ["New agent first"]);
}

/// What stands beside a record is no column, not even if a tail asks for a field of that name.
#[test]
fn an_index_counts_whatever_other_rules_ask_of_its_field() {
    let success = rule(
        "Success",
        "type = \"query\"\nquery = \"not aws.cloudtrail.error_code: *\"\nindex = [\"logs-*\"]\n",
    );
    let call = rule("Call", "type = \"query\"\nquery = \"event.action: RunInstances\"\n");
    let new_index = rule(
        "New index",
        "type = \"new_terms\"\nquery = \"event.action: RunInstances\"\n[rule.new_terms]\n\
         field = \"new_terms_fields\"\nvalue = [\"_index\"]\n[[rule.new_terms.history_window_start]]\n\
         field = \"history_window_start\"\nvalue = \"now-7d\"\n",
    );
    let folder = Folder::of(&[Call { error: None, ..refused("first", DAY_ONE, "ci") }]);
    assert_eq!(verdicts(&hunt_in(&folder, &[success.clone(), call.clone()])), ["Success first"]);
    assert_eq!(verdicts(&hunt_in(&folder, &[success, call, new_index])), ["Success first"]);
}

#[test]
fn members_of_archives_that_are_passed_over_are_counted() {
    let record = refused("record", DAY_ONE, "ci").line();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in [("notes.md", "# Notes"), ("a.json", record.as_str()), ("b.csv", "a,b")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let folder = Folder::new();
    folder.write("archive.tar", archive.into_inner().unwrap());
    let found = hunt_in(&folder, &[get_password_data()]);
    assert_eq!((found.read.records.total(), found.read.skipped_members), (1, 2));
}

/// A root of many keys has the values of all of them.
#[test]
fn new_terms_of_everything_in_a_payload() {
    let folder = Folder::new();
    let call = |id: &str, at, parameters: serde_json::Value| {
        let mut record = refused(id, at, "ci").record();
        record["requestParameters"] = parameters;
        record.to_string() + "\n"
    };
    folder.write(
        "calls.ndjson",
        call("known", DAY_ONE, json!({"instanceId": "i-1", "more": {"name": "a"}}))
            + &call("moved", DAY_ONE + 24 * HOUR, json!({"other": "i-1"}))
            + &call("new", DAY_ONE + 25 * HOUR, json!({"more": {"name": ["a", "b"]}})),
    );
    let rule = rule(
        "Payload",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\n\
         new_terms_fields = [\"aws.cloudtrail.flattened.request_parameters\"]\nhistory_window_start = \"now-7d\"\n",
    );
    let found = hunt_in(&folder, &[rule]);
    let mut terms: Vec<(&str, &serde_json::Value)> = found
        .alerts
        .iter()
        .map(|it| (it["event"]["id"].as_str().unwrap(), &it["kibana.alert.new_terms"]))
        .collect();
    terms.sort_by_key(|(id, terms)| (*id, terms.to_string()));
    assert_eq!(terms, [("known", &json!(["a"])), ("known", &json!(["i-1"])), ("new", &json!(["b"]))]);
}

/// What stands beside an event has a value, too.
#[test]
fn new_terms_of_the_index_are_its_name() {
    let folder = Folder::new();
    folder.write(
        "records.json",
        refused("record", DAY_ONE, "ci").line() + &refused("later", DAY_ONE + HOUR, "b").line(),
    );
    folder.write("okta.ndjson", ecs_document("okta", "okta.system"));
    let rule = rule(
        "Index",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\n\
         new_terms_fields = [\"_index\"]\nhistory_window_start = \"now-7d\"\nindex = [\"logs-*\"]\n",
    );
    let found = hunt_in(&folder, &[rule]);
    let mut terms: Vec<(&str, &str)> = found
        .alerts
        .iter()
        .map(|it| (it["event"]["id"].as_str().unwrap(), it["kibana.alert.new_terms"][0].as_str().unwrap()))
        .collect();
    terms.sort_unstable();
    assert_eq!(terms, [("okta", "logs-okta.system-default"), ("record", "logs-aws.cloudtrail-default")]);
}

/// What lint and compile refuse is what no execution could compare.
#[test]
fn fields_without_terms_are_the_same_everywhere() {
    let catalog = ecs::Catalog::ecs();
    let mut types = std::collections::BTreeSet::new();
    for (path, mapping) in catalog.iter().filter(|(_, mapping)| types.insert(mapping.ty)) {
        let rule = rule(
            "Terms",
            &format!(
                "type = \"new_terms\"\nquery = \"event.action: x\"\nnew_terms_fields = [\"{path}\"]\nhistory_window_start = \"now-7d\"\n"
            ),
        );
        let compiled = rule::compile(&rule, &catalog).is_ok();
        let executed = detect::Tail::new(&rule, crate::setup::REPLAY, &catalog).is_ok();
        assert_eq!(compiled, executed, "{path}: {}", mapping.ty.name());
    }
    assert!(types.len() > 8, "{types:?}");
}

/// What a node refuses to collect is refused by name.
#[test]
fn new_terms_of_text_are_refused() {
    let folder = Folder::of(&[refused("e-1", DAY_ONE, "ci")]);
    let rule = rule(
        "Text",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\n\
         new_terms_fields = [\"aws.cloudtrail.request_parameters.text\"]\nhistory_window_start = \"now-7d\"\n",
    );
    let found = hunt_in(&folder, &[get_password_data(), rule]);
    assert_eq!(found.refused.len(), 1);
    assert!(found.refused[0].reason.starts_with("RULE210: "), "{}", found.refused[0].reason);
}

/// Without a database, a condition on places holds nowhere, and its rules are named.
#[test]
fn rules_that_ask_for_places_are_named() {
    let folder = Folder::of(&[refused("e-1", DAY_ONE, "ci")]);
    let query = |name, query: &str| rule(name, &format!("type = \"query\"\nquery = '{query}'\n"));
    let rules = [
        query("Where", "source.geo.country_iso_code: FR"),
        query("Whose", "event.action: x and not source.as.organization.name: \"Example\""),
        query("Who", "source.ip: 203.0.113.20"),
        rule(
            "Twice there",
            "type = \"eql\"\nlanguage = \"eql\"\n\
             query = 'sequence by source.geo.city_name [any where true] [any where true]'\n",
        ),
    ];
    let progress = hunt::Progress::default();
    let found = hunt::hunt(&options(&folder, &rules), &mut std::io::empty(), &progress).unwrap();
    assert_eq!(found.unplaced, ["Where", "Whose", "Twice there"]);
    let said = hunt::Notice::Unplaced(vec!["Where", "Whose", "Twice there"]);
    assert!(said.is_severe() && found.notices(None, None).contains(&said));
}

/// What a threshold rule counts, and an alert that has no event.
#[test]
fn a_threshold_counts() {
    let folder = Folder::new();
    let lines = (0..5).map(|at| refused(&format!("e-{at}"), DAY_ONE + at * 20_000, "ci").line());
    folder.write("calls.json", lines.collect::<String>() + &refused("other", DAY_ONE, "b").line());
    let rule = rule(
        "Burst",
        "type = \"threshold\"\nquery = \"event.outcome: failure\"\n\
         threshold = { field = [\"user.name\", \"source.ip\"], value = 3, cardinality = [{ field = \"event.id\", value = 2 }] }\n",
    );
    let found = hunt_in(&folder, &[rule]);
    assert_eq!(found.alerts.len(), 1);
    let alert = &found.alerts[0];
    assert_eq!(
        alert["kibana.alert.threshold_result"],
        json!({
            "count": 5,
            "from": "2026-03-02T00:00:00.000Z",
            "terms": [{"field": "user.name", "value": "ci"}, {"field": "source.ip", "value": "203.0.113.20"}],
            "cardinality": [{"field": "event.id", "value": 5}],
        })
    );
    assert_eq!(alert["kibana.alert.original_time"], json!("2026-03-02T00:01:20.000Z"));
    assert_eq!(alert["user.name"], json!("ci"));
    assert!(!alert.contains_key("aws"), "{alert:?}");
    assert_eq!(alert["kibana.alert.ancestors"][0]["index"], json!(""));
    assert!(alert["kibana.alert.reason"].as_str().unwrap().contains("by ci created"), "{alert:?}");
}
