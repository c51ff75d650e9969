//! What receivers get: bodies in the shapes that are public of them, and values of an attacker that are nothing but text.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use ecs::Object;
use notify::{Delivery, IndexAnswer, Item, Message, Syslog, Template, What};
use serde_json::{Value, json};

const NOW: i64 = 1_772_500_000_000;

/// What an attacker can write into an event.
const HOSTILE: &str = "<!channel> @here *x* [y](http://evil.example) <at>all</at> {{DATE(x)}} \"]\\\r\nBcc: x@y.example\u{202e}";

fn alert(user: &str, agent: &str) -> Object {
    let alert = json!({
        "@timestamp": "2026-03-03T01:06:00.000Z",
        "kibana.alert.uuid": "0a1b2c3d",
        "kibana.alert.original_time": "2026-03-03T01:05:30.000Z",
        "kibana.alert.severity": "high",
        "kibana.alert.risk_score": 73,
        "kibana.alert.rule.rule_id": "rule-1",
        "kibana.alert.rule.name": "Instance password was read",
        "kibana.alert.rule.note": "## Triage\n\n1. Ask **who** holds the role.\n2. More.",
        "kibana.alert.url": "https://kibana.example.com/app/security/alerts/redirect/0a1b2c3d",
        "event": {"action": "GetPasswordData", "provider": "ec2.amazonaws.com", "outcome": "failure"},
        "user": {"name": user},
        "user_agent": {"original": agent},
        "source": {"ip": "203.0.113.20"},
        "cloud": {"account": {"id": "111122223333"}, "region": "eu-west-1"},
    });
    let Value::Object(alert) = alert else { unreachable!() };
    alert
}

fn item(number: usize, document: &Object, severity: &str) -> Item {
    let alert = report::Alert::new(document);
    Item {
        alert: Some(format!("alert-{number}")),
        rule_id: "rule-1".to_owned(),
        rule: alert.rule_name().into_owned(),
        severity: severity.to_owned(),
        time: NOW + number as i64,
        line: alert.sentence(),
    }
}

fn delivery(what: What, items: Vec<Item>) -> Delivery {
    Delivery {
        number: 7,
        id: "4f1d".to_owned(),
        receiver: "soc".to_owned(),
        route: "soc 1".to_owned(),
        what,
        params: None,
        made: NOW,
        attempts: 0,
        error: None,
        items,
    }
}

fn message(delivery: &Delivery, documents: Vec<Object>) -> Message<'_> {
    let documents = documents.into_iter().map(Some).collect();
    Message { delivery, documents, steps: Vec::new(), now: NOW, version: "0.0.0" }
}

/// One alert, as a receiver gets it.
fn one<T>(user: &str, show: impl FnOnce(&Message<'_>) -> T) -> T {
    let document = alert(user, user);
    let delivery = delivery(What::Alert, vec![item(1, &document, "high")]);
    show(&message(&delivery, vec![document]))
}

/// Several.
fn several<T>(what: What, count: usize, show: impl FnOnce(&Message<'_>) -> T) -> T {
    let document = alert("ada", "cli");
    let severity = |it: usize| if it == 2 { "critical" } else { "low" };
    let items = (0..count).map(|it| item(it, &document, severity(it))).collect();
    let delivery = delivery(what, items);
    show(&message(&delivery, vec![document; count]))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn bodies() {
    insta::assert_snapshot!("slack", one("ada", |it| pretty(&notify::slack(it))));
    insta::assert_snapshot!("teams", one("ada", |it| pretty(&notify::teams(it))));
    insta::assert_snapshot!("pagerduty", one("ada", |it| pretty(&notify::pagerduty(it, "key")[0])));
    insta::assert_snapshot!("otlp", one("ada", |it| pretty(&notify::otlp(it))));
    insta::assert_snapshot!("index", one("ada", |it| notify::index(it, "alerts")));
    let webhook = one("ada", |it| notify::webhook(it, None));
    insta::assert_snapshot!("webhook", pretty(&serde_json::from_str(&webhook).unwrap()));
    let mail = one("ada", notify::mail);
    insta::assert_snapshot!("mail", format!("{}\n\n{}", mail.subject, mail.text));
    let host = Syslog { host: "tw-1".to_owned() };
    insta::assert_snapshot!("syslog", one("ada", |it| notify::syslog(it, &host).join("\n")));
}

#[test]
fn bodies_of_several() {
    insta::assert_snapshot!("slack_summary", several(What::Summary, 3, |it| pretty(&notify::slack(it))));
    insta::assert_snapshot!("teams_summary", several(What::Summary, 3, |it| pretty(&notify::teams(it))));
    insta::assert_snapshot!("mail_summary", several(What::Summary, 30, notify::mail).text);
    let events = several(What::Summary, 3, |it| notify::pagerduty(it, "key"));
    assert_eq!((events.len(), &events[0]["dedup_key"]), (1, &json!("4f1d")));
    assert_eq!(events[0]["payload"]["severity"], "critical", "the worst of them");
    let closed = several(What::Closed, 2, |it| notify::pagerduty(it, "key"));
    let told: Vec<_> = closed.iter().map(|it| (&it["event_action"], &it["dedup_key"])).collect();
    let resolve = json!("resolve");
    assert_eq!(told, [(&resolve, &json!("alert-0")), (&resolve, &json!("alert-1"))]);
    let health = Item {
        alert: None,
        rule_id: String::new(),
        rule: String::new(),
        severity: String::new(),
        time: NOW,
        line: "the source `trail` delivered nothing for 2 h".to_owned(),
    };
    let delivery = delivery(What::Health, vec![health]);
    let mail = notify::mail(&message(&delivery, Vec::new()));
    assert_eq!(mail.subject, "Trailwarden: the source `trail` delivered nothing for 2 h");
    assert!(mail.text.contains("2026-03-03T01:06:40.000Z the source"), "{}", mail.text);
}

/// All texts of a value, with the key that they stand under.
fn texts<'v>(value: &'v Value, key: &'v str, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) => found.push((key, text)),
        Value::Array(all) => all.iter().for_each(|it| texts(it, key, found)),
        Value::Object(all) => all.iter().for_each(|(key, it)| texts(it, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn what_an_attacker_writes_is_text_and_nothing_else() {
    let slack = one(HOSTILE, notify::slack);
    let mut found = Vec::new();
    texts(&slack, "", &mut found);
    assert!(found.iter().any(|it| it.1.contains("here")), "it is there");
    for (key, text) in &found {
        assert!(!text.contains("http://evil") && !text.contains('\u{202e}'), "{key}: {text}");
    }
    // What is read for marks has none; the value stands in elements that are text.
    let read = slack["text"].as_str().unwrap();
    assert!(!read.contains("<!") && !read.contains("*x*"), "{read}");
    let elements = slack["blocks"][1]["elements"][0]["elements"].as_array().unwrap();
    for element in elements {
        let kind = element["type"].as_str().unwrap();
        let is_ours = element["url"].as_str().is_none_or(|it| it.starts_with("https://kibana.example.com/"));
        assert!(["text", "link"].contains(&kind) && is_ours, "{element}");
    }

    let teams = one(HOSTILE, notify::teams);
    let mut found = Vec::new();
    texts(&teams, "", &mut found);
    for (key, text) in &found {
        assert!(
            !text.contains("<at>") && !text.contains("{{") && !text.contains("http://evil"),
            "{key}: {text}"
        );
    }
    let body = teams["attachments"][0]["content"]["body"].as_array().unwrap();
    assert!(body.iter().all(|it| it["type"] == "RichTextBlock"), "text runs know no Markdown: {body:?}");
    assert!(teams["attachments"][0]["content"]["msteams"].get("entities").is_none(), "nobody is mentioned");

    let mail = one(HOSTILE, notify::mail);
    assert!(!mail.subject.contains(['\r', '\n']) && !mail.text.contains("\nBcc:"), "{mail:?}");
    assert!(!mail.text.contains("http://evil"), "{}", mail.text);

    let lines = one(HOSTILE, |it| notify::syslog(it, &Syslog { host: "a b\n".to_owned() }));
    assert!(lines.len() == 1 && !lines[0].contains(['\r', '\n']), "{lines:?}");
    assert!(lines[0].contains(" ab trailwarden - alert [trailwarden@32473 message=\"4f1d\""), "{}", lines[0]);

    let body = one(HOSTILE, |it| notify::webhook(it, None));
    assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
    let template = Template::parse("{\"user\": \"{{alert.user.name}}\", \"all\": \"{{text}}\"}").unwrap();
    let body = one(HOSTILE, |it| notify::webhook(it, Some(&template)));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["user"], HOSTILE, "a machine gets it as it was");
    let bulk = one(HOSTILE, |it| notify::index(it, "alerts"));
    assert_eq!(bulk.lines().count(), 2);
}

/// The name of a rule may come from an event (`rule_name_override`).
#[test]
fn a_hostile_name_of_a_rule_is_text_too() {
    let mut document = alert("ada", "cli");
    document.insert("kibana.alert.rule.name".to_owned(), HOSTILE.into());
    let delivery = delivery(What::Alert, vec![item(1, &document, "high")]);
    let message = message(&delivery, vec![document]);
    let slack = notify::slack(&message);
    let read = slack["text"].as_str().unwrap();
    assert!(!read.contains("<!") && !read.contains("http://") && !read.contains('\n'), "{read}");
    let mail = notify::mail(&message);
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    let title = slack["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(title.chars().count() <= 150 && !title.contains("://"), "{title}");
    let summary = notify::pagerduty(&message, "k")[0]["payload"]["summary"].clone();
    assert!(!summary.as_str().unwrap().contains("://"), "{summary}");
}

#[test]
fn what_an_action_says_of_a_message_is_filled_in() {
    let document = alert("<!here>", "cli");
    let mut delivery = delivery(What::Summary, vec![item(1, &document, "high")]);
    delivery.params = Some(json!({"action_type_id": ".slack", "params": {
        "message": "Rule {{context.rule.name}}: {{state.signals_count}} by {{#context.alerts}}{{user.name}}{{/context.alerts}}",
        "subject": "{{rule.name}}",
        "body": "{\"n\": {{alerts.new.count}}, \"u\": \"{{context.alerts.0.user.name}}\"}",
    }}));
    let message = message(&delivery, vec![document]);
    let slack = notify::slack(&message);
    let text = slack["blocks"][0]["text"]["text"].as_str().unwrap();
    assert_eq!(text, "Rule Instance password was read: 1 by &lt;!here&gt;");
    assert_eq!(notify::mail(&message).subject, "Instance password was read");
    let body: Value = serde_json::from_str(&notify::webhook(&message, None)).unwrap();
    assert_eq!(body, json!({"n": 1, "u": "<!here>"}));
}

/// What is told without the alert, if its book has it no more.
#[test]
fn an_alert_that_is_gone_is_told_all_the_same() {
    let document = alert("ada", "cli");
    let delivery = delivery(What::Alert, vec![item(1, &document, "high")]);
    let message =
        Message { delivery: &delivery, documents: vec![None], steps: Vec::new(), now: NOW, version: "0" };
    assert!(notify::mail(&message).text.contains("ada did ec2:GetPasswordData from 203.0.113.20"));
    let index = notify::index(&message, "alerts");
    assert!(index.contains("\"kibana.alert.uuid\":\"alert-1\""), "{index}");
}

/// The example that the libraries of Standard Webhooks are tested with.
#[test]
fn signatures_are_as_others_check_them() {
    let secret = [
        49, 242, 144, 246, 191, 6, 41, 138, 171, 79, 8, 212, 60, 63, 8, 44, 246, 72, 163, 98, 218, 45, 164,
        176,
    ];
    let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}");
    let signature = notify::signature(&secret, id, 1_614_265_330, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn answers_to_bulk() {
    let item = |status: u16| json!({"create": {"status": status, "error": {"reason": "why"}}});
    let of = |statuses: &[u16]| {
        let items: Vec<Value> = statuses.iter().map(|it| item(*it)).collect();
        notify::index_answer(&json!({"items": items}), statuses.len())
    };
    assert_eq!(of(&[201, 409, 200]), IndexAnswer::Done);
    assert_eq!(of(&[201, 400]), IndexAnswer::Refused("400 why".to_owned()));
    assert_eq!(of(&[429, 400]), IndexAnswer::Busy("429 why".to_owned()));
    assert_eq!(notify::index_answer(&json!({"items": []}), 1), IndexAnswer::Unclear);
    assert_eq!(notify::index_answer(&json!({}), 0), IndexAnswer::Unclear);
}
