//! From an event that is posted to an alert that is closed.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use crate::setup::{NOW, Server, folder, wait};

pub(crate) const MINUTE: i64 = 60_000;

/// A role is refused the password of an instance: one of the built-in rules says so.
pub(crate) fn refused(id: &str, role: &str) -> Value {
    refused_at(id, role, NOW)
}

/// The same at a time.
pub(crate) fn refused_at(id: &str, role: &str, at: i64) -> Value {
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLEROLE:{role}"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/session-1"),
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLEROLE", "arn": format!("arn:aws:iam::111122223333:role/{role}"),
                "accountId": "111122223333", "userName": role,
            }},
        },
        "eventTime": ecs::date::to_iso(at),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "GetPasswordData",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.20",
        "userAgent": "aws-cli/2.15.30",
        "errorCode": "Client.UnauthorizedOperation",
        "errorMessage": "You are not authorized to perform this operation.",
        "requestParameters": {"instanceId": "i-0example000000001"},
        "responseElements": null,
        "eventID": id,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
    })
}

#[test]
fn an_event_becomes_an_alert_and_people_work_on_it() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let get = |path: &str| server.ask("GET", path, "").is(200);
    let total = |path: &str| get(path)["total"].as_u64().unwrap();
    assert_eq!(total("/api/v1/alerts"), 0);
    let lines: String =
        ["ci", "ops"].iter().map(|it| refused(&format!("e-{it}"), it).to_string() + "\n").collect();
    server.ask("POST", "/api/v1/events", lines).is(200);
    server.clock.store(NOW + 10 * MINUTE, Relaxed);
    wait("there are two alerts", || total("/api/v1/alerts?query=event.action:%20GetPasswordData") >= 2);
    let found = get("/api/v1/alerts?query=event.action:GetPasswordData%20and%20user.name:ci*&sort=severity");
    assert!(found["total"].as_u64().unwrap() >= 1, "{found}");
    let alert = &found["alerts"][0];
    let id = alert["kibana.alert.uuid"].as_str().unwrap();
    assert_eq!(alert["kibana.alert.workflow_status"], json!("open"));
    assert_eq!(
        get(&format!("/api/v1/alerts/{}", &id[..12]))["kibana.alert.uuid"],
        json!(id),
        "the beginning is enough"
    );

    // Paging gives each alert once, whatever the order.
    let all = total("/api/v1/alerts");
    for sort in ["newest", "oldest", "severity"] {
        let mut seen = std::collections::BTreeSet::new();
        for from in 0..all {
            let page = get(&format!("/api/v1/alerts?sort={sort}&from={from}&size=1"));
            seen.insert(page["alerts"][0]["kibana.alert.uuid"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen.len() as u64, all, "{sort}");
    }

    let analyst = server.key("analyst");
    let path = format!("/api/v1/alerts/{id}");
    let change =
        |body: Value| server.ask_with(Some(&analyst), "PATCH", &path, &[], body.to_string().as_bytes());
    assert_eq!(change(json!({"status": "acknowledged"})).is(200)["changed"], json!([id]));
    assert_eq!(change(json!({"status": "acknowledged"})).is(200)["unchanged"], json!([id]));
    change(json!({"assignees": {"add": ["kim"]}})).is(200);
    change(json!({"tags": {"add": ["reviewed", "q1"], "remove": ["old"]}})).is(200);
    change(json!({"note": "it was me"})).is(200);
    change(json!({"status": "closed", "reason": "benign_positive"})).is(200);
    change(json!({"status": "gone"})).problem(400, "API008");
    let shown = get(&path);
    assert_eq!(shown["kibana.alert.workflow_status"], json!("closed"));
    assert_eq!(shown["kibana.alert.workflow_tags"], json!(["reviewed", "q1"]), "{shown}");
    assert_eq!(total("/api/v1/alerts?status=closed"), 1);
    let history = get(&format!("{path}/history"))["history"].clone();
    let what: Vec<&str> = history.as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["acknowledge", "assign", "tag", "note", "close"], "{history}");
    assert!(history[0]["author"].as_str().unwrap().starts_with("the analyst ("), "{history}");
    let several = json!({"ids": [id], "status": "open"}).to_string();
    assert_eq!(server.ask("POST", "/api/v1/alerts/changes", several).is(200)["changed"], json!([id]));
    let with_none = json!({"ids": [id, "nothing"], "status": "closed"}).to_string();
    server.ask("POST", "/api/v1/alerts/changes", with_none).problem(404, "API003");
    assert_eq!(total("/api/v1/alerts?status=closed"), 0, "all of them, or none");

    let found = get(&format!("{path}/investigation"));
    assert!(found.to_string().contains("GetPasswordData"), "{found}");
    let plan = server.ask("GET", &format!("{path}/response?format=md"), "");
    assert!(plan.status == 200 && plan.body.contains("# "), "{plan:?}");

    let rules = get("/api/v1/rules");
    assert!(
        rules["rules"].as_array().unwrap().iter().all(|it| it["last"]["status"] == "succeeded"),
        "{rules}"
    );
    assert!(!get("/api/v1/executions?size=3")["executions"].as_array().unwrap().is_empty());
    assert_eq!(get("/api/v1/gaps")["gaps"], json!([]));
    let executed = get("/api/v1/executions?size=10000")["executions"].as_array().unwrap().len();
    let metrics = server.ask("GET", "/metrics", "").body;
    assert!(metrics.contains(&format!("trailwarden_executions_total {executed}\n")), "{executed} {metrics}");
    assert!(metrics.contains(&format!("trailwarden_alerts{{status=\"open\"}} {all}\n")), "{metrics}");
    for wrong in ["query=user.name:(", "status=gone", "sort=best", "since=soon", "size=99999", "sze=1"] {
        assert_eq!(server.ask("GET", &format!("/api/v1/alerts?{wrong}"), "").status, 400, "{wrong}");
    }
    server.ask("GET", "/api/v1/alerts/nothing", "").problem(404, "API003");

    // After a restart it is all there, and nothing is raised again.
    let admin = server.admin.clone();
    server.stop();
    let mut server = Server::start(&data, "");
    server.admin = admin;
    server.clock.store(NOW + 20 * MINUTE, Relaxed);
    wait("detection goes on", || {
        let rules = server.ask("GET", "/api/v1/rules", "").is(200);
        let is_done = |it: &Value| {
            it["last"]["slot"].as_str().is_some_and(|it| it >= &*ecs::date::to_iso(NOW + 12 * MINUTE))
        };
        rules["rules"].as_array().unwrap().iter().any(is_done)
    });
    assert_eq!(server.ask("GET", "/api/v1/alerts", "").is(200)["total"], json!(all));
    // It says that it is late until all that is due is executed.
    wait("detection keeps up", || server.ask("GET", "/readyz", "").status == 200);
}
