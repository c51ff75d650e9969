//! Alerts counted, silenced, followed; who did what.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use crate::alerts::{MINUTE, refused};
use crate::setup::{NOW, Server, folder, wait};

/// A server that has raised alerts on two roles that were refused something.
fn with_alerts(data: &std::path::Path) -> Server {
    let server = Server::start(data, "[server]\npublic_url = \"https://tw.example.com/\"\n");
    post(&server, &["ci", "ops"], 0);
    server.clock.store(NOW + 10 * MINUTE, Relaxed);
    wait("there are two alerts", || total(&server, "query=event.action:GetPasswordData") >= 2);
    server
}

fn post(server: &Server, roles: &[&str], number: u32) {
    let lines: String =
        roles.iter().map(|it| refused(&format!("e-{it}-{number}"), it).to_string() + "\n").collect();
    server.ask("POST", "/api/v1/events", lines).is(200);
}

fn total(server: &Server, parameters: &str) -> u64 {
    server.ask("GET", &format!("/api/v1/alerts?{parameters}"), "").is(200)["total"].as_u64().unwrap()
}

#[test]
fn alerts_are_counted_and_followed() {
    let (_folder, data) = folder();
    let server = with_alerts(&data);
    let get = |path: &str| server.ask("GET", path, "").is(200);
    let all = total(&server, "");
    let facets = get("/api/v1/alerts/facets?fields=kibana.alert.severity,user.name&values=1");
    assert_eq!(facets["total"], json!(all));
    let severities = facets["facets"][0]["values"].as_array().unwrap();
    assert_eq!(severities.len(), 1, "{facets:#}");
    assert_eq!(facets["facets"][1]["field"], "user.name");
    let histogram = get("/api/v1/alerts/histogram?interval=5m");
    let sum: u64 =
        histogram["buckets"].as_array().unwrap().iter().map(|it| it["alerts"].as_u64().unwrap()).sum();
    assert_eq!(sum, all, "{histogram:#}");
    for wrong in [
        "facets?fields=",
        "facets?values=x",
        "histogram?interval=soon",
        "histogram?interval=",
        "facets?sort=x",
    ] {
        server.ask("GET", &format!("/api/v1/alerts/{wrong}"), "").problem(400, "API007");
    }
    // Whoever follows sees each once, in order.
    assert!(get("/api/v1/alerts/feed")["next"].as_u64().unwrap() >= all);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = get(&format!("/api/v1/alerts/feed?after={after}&size=1"));
        let alerts = page["alerts"].as_array().unwrap();
        let Some(alert) = alerts.first() else { break };
        seen.push(alert["kibana.alert.uuid"].clone());
        after = page["next"].as_u64().unwrap();
    }
    assert_eq!(seen.len() as u64, all);
    let url = format!("http://{}", server.address);
    let feed = server::Feed::new(&url, &server.key("viewer"), None).unwrap();
    let (none, last) = feed.after(None, 10).unwrap();
    assert!(none.is_empty() && last == after as i64);
    let (followed, _) = feed.after(Some(0), 1_000).unwrap();
    assert_eq!(followed.iter().map(|it| it["kibana.alert.uuid"].clone()).collect::<Vec<_>>(), seen);
    let refused = server::Feed::new(&url, "AAAA", None).unwrap().after(None, 1).unwrap_err();
    assert!(refused.code() == "SRV062" && !refused.may_pass(), "{refused}");
    assert_eq!(server::Feed::new("host:9480", "k", None).unwrap_err().code(), "SRV060");
    let nobody = server::Feed::new("http://127.0.0.1:1", "k", None).unwrap().after(None, 1).unwrap_err();
    assert!(nobody.code() == "SRV061" && nobody.may_pass(), "{nobody}");
    let id = seen[0].as_str().unwrap();
    let alert = get(&format!("/api/v1/alerts/{id}"));
    assert_eq!(alert["kibana.alert.url"], json!(format!("https://tw.example.com/api/v1/alerts/{id}")));
    let close = json!({"status": "closed", "reason": "false_positive"}).to_string();
    server.ask("PATCH", &format!("/api/v1/alerts/{id}"), close).is(200);
    let quality = get("/api/v1/alerts/quality");
    let rule = alert["kibana.alert.rule.rule_id"].clone();
    let its = quality["rules"].as_array().unwrap().iter().find(|it| it["rule_id"] == rule).unwrap();
    assert_eq!((&its["false_positive_ratio"], &its["reasons"]["false_positive"]), (&json!(1.0), &json!(1)));
    let log = get("/api/v1/log?subject=alert");
    assert_eq!(log["log"][0]["subject"], json!(format!("alert {id}")), "{log:#}");
    assert_eq!(get("/api/v1/log?author=nobody")["log"], json!([]));
}

#[test]
fn a_silence_is_made_by_analysts_and_ends() {
    let (_folder, data) = folder();
    let server = with_alerts(&data);
    let analyst = server.key("analyst");
    let ask = |method: &str, path: &str, body: Value| {
        server.ask_with(Some(&analyst), method, path, &[], body.to_string().as_bytes())
    };
    let silence = json!({"query": "user.name: ci*", "reason": "a test", "until": "now+30m"});
    let tried = ask("POST", "/api/v1/silences?dry_run=true", silence.clone()).is(200);
    assert!(tried["alerts"].as_u64().unwrap() >= 1, "{tried}");
    let made = ask("POST", "/api/v1/silences", silence).is(201);
    assert_eq!((&made["active"], &made["alerts"]), (&json!(true), &json!(0)), "{made}");
    assert!(made["author"].as_str().unwrap().starts_with("the analyst ("));
    for wrong in [
        json!({"reason": "all of it", "until": "now+1h"}),
        json!({"query": "a: b", "until": "now+1h"}),
        json!({"query": "a: b", "reason": "x"}),
        json!({"query": "a: b", "reason": "x", "until": "now-1h"}),
        json!({"query": "a: b", "reason": "x", "until": "soon"}),
        json!({"query": "a: b", "reason": "x", "until": "now+1h", "for": "1h"}),
        json!({"query": 7, "reason": "x", "until": "now+1h"}),
    ] {
        ask("POST", "/api/v1/silences", wrong).problem(400, "API008");
    }
    ask("POST", "/api/v1/silences", json!({"query": "a: (", "reason": "x", "until": "now+1h"}))
        .problem(400, "API014");
    ask("POST", "/api/v1/silences", json!({"rule": "none", "reason": "x", "until": "now+1h"}))
        .problem(404, "API003");

    let before = total(&server, "silenced=yes");
    post(&server, &["ci-2"], 1);
    server.clock.store(NOW + 20 * MINUTE, Relaxed);
    wait("something is silenced", || total(&server, "silenced=only") > 0);
    let silenced = total(&server, "silenced=only");
    let listed = server.ask("GET", "/api/v1/alerts", "").is(200);
    assert_eq!(listed["silenced"], json!(silenced), "{listed}");
    assert_eq!(total(&server, "silenced=yes"), total(&server, "") + silenced);
    assert!(total(&server, "silenced=yes") > before);
    let metrics = server.ask("GET", "/metrics", "").body;
    assert!(metrics.contains(&format!("trailwarden_alerts_silenced {silenced}\n")), "{metrics}");
    let id = &made["id"];
    let ended = ask("DELETE", &format!("/api/v1/silences/{id}"), Value::Null).is(200);
    assert_eq!((&ended["active"], &ended["alerts"]), (&json!(false), &json!(silenced)), "{ended}");
    ask("DELETE", &format!("/api/v1/silences/{id}"), Value::Null).problem(409, "API015");
    ask("DELETE", "/api/v1/silences/none", Value::Null).problem(404, "API003");
    assert_eq!(server.ask("GET", "/api/v1/silences?active=true", "").is(200)["silences"], json!([]));
    let log = server.ask("GET", "/api/v1/log?subject=silence", "").is(200);
    let what: Vec<&str> =
        log["log"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["end silence", "silence"]);
    ask("GET", "/api/v1/incidents/none", Value::Null).problem(404, "API003");
    ask("PATCH", "/api/v1/incidents/9", json!({"status": "closed"})).problem(404, "API003");
    assert_eq!(server.ask("GET", "/api/v1/incidents?status=open", "").is(200)["total"], json!(0));
}

#[test]
fn an_exception_is_made_of_an_alert() {
    let (_folder, data) = folder();
    let server = with_alerts(&data);
    let alerts = server.ask("GET", "/api/v1/alerts?query=user.name:ci*", "").is(200);
    let alert = &alerts["alerts"][0];
    let id = alert["kibana.alert.uuid"].as_str().unwrap();
    let path = format!("/api/v1/alerts/{id}/exception");
    let analyst = server.key("analyst");
    let ask = |method: &str, path: &str, body: Value| {
        server.ask_with(Some(&analyst), method, path, &[], body.to_string().as_bytes())
    };
    let proposed = ask("GET", &path, Value::Null).is(200);
    assert!(proposed["hides"]["alerts"].as_u64() >= Some(1), "{proposed:#}");
    assert_eq!(proposed["entries"][0]["value"], "arn:aws:iam::111122223333:role/ci", "{proposed:#}");
    for wrong in [
        json!({}),
        json!({"comment": ""}),
        json!({"comment": "x", "expires": "now-1d"}),
        json!({"comment": "x", "entries": []}),
        json!({"comment": "x", "entries": [{"type": "match", "field": "user.name"}]}),
        json!({"comment": "x", "reason": "duplicate"}),
        json!({"comment": "x", "close": "yes"}),
        json!({"comment": "x", "list": "other"}),
    ] {
        ask("POST", &path, wrong).problem(400, "API008");
    }
    let body =
        json!({"comment": "the build", "expires": "now+1d", "close": true, "reason": "benign_positive"});
    let tried = ask("POST", &format!("{path}?dry_run=true"), body.clone()).is(200);
    assert_eq!(tried["hides"], proposed["hides"], "{tried:#}");
    let made = ask("POST", &path, body).is(201);
    assert!(made["closed"].as_array().unwrap().contains(&json!(id)), "{made:#}");
    assert_eq!(
        server.ask("GET", &format!("/api/v1/alerts/{id}"), "").is(200)["kibana.alert.workflow_status"],
        "closed"
    );
    // The rule goes on with it.
    let rule = alert["kibana.alert.rule.rule_id"].as_str().unwrap();
    let of_rule = |role: &str| {
        format!("silenced=yes&query=kibana.alert.rule.rule_id:%22{rule}%22%20and%20user.name:{role}")
    };
    let event = refused("e-new-9", "new").to_string();
    let event = event.replace(&ecs::date::to_iso(NOW), &ecs::date::to_iso(NOW + 12 * MINUTE));
    server.ask("POST", "/api/v1/events", event).is(200);
    server.clock.store(NOW + 20 * MINUTE, Relaxed);
    wait("the rule alerts on another", || total(&server, &of_rule("new")) > 0);
    let log = server.ask("GET", "/api/v1/log?subject=rule", "").is(200);
    assert_eq!(log["log"][0]["what"], "except", "{log:#}");
}
