//! From an alert to those who are told of it, on sockets of this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use crate::alerts::refused;
use crate::setup::{NOW, Server, folder, wait};

const MINUTE: i64 = 60_000;

/// A request that somebody sent.
#[derive(Clone, Debug)]
struct Got {
    path: String,
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|it| it.split_once(": "));
        lines.find(|it| it.0.eq_ignore_ascii_case(name)).map_or("", |it| it.1)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Somebody who is told over HTTP, and what was sent there.
struct Told {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Told {
    /// Answers each request, by its number from 0, with what this says: status, headers and body.
    fn new(answer: impl Fn(usize, &Got) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let its = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read(&stream) else { continue };
                let number = {
                    let mut all = its.lock().unwrap();
                    all.push(request.clone());
                    all.len() - 1
                };
                let text = answer(number, &request);
                let mut stream = stream;
                let _ = stream.write_all(text.as_bytes());
            }
        });
        Self { address, got }
    }

    /// Takes everything.
    fn kind() -> Self {
        Self::new(|_, _| ok())
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

fn ok() -> String {
    answer("200 OK", "", "ok")
}

fn read(stream: &TcpStream) -> Option<Got> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let mut got = Got { path, head, body: String::new() };
    let mut body = vec![0; got.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    got.body = String::from_utf8(body).ok()?;
    Some(got)
}

/// A server with these receivers and notifications, with alerts on its way.
fn told(data: &Path, config: &str) -> Server {
    Server::start(data, config)
}

/// Raises alerts: two of one rule, at least.
fn raise(server: &Server, names: &[&str]) {
    let lines: String = names.iter().map(|it| refused(&format!("e-{it}"), it).to_string() + "\n").collect();
    server.ask("POST", "/api/v1/events", lines).is(200);
    server.clock.store(NOW + 10 * MINUTE, Relaxed);
}

fn later(server: &Server, time: i64) {
    server.clock.fetch_add(time, Relaxed);
}

fn state(server: &Server, receiver: &str) -> Value {
    let all = server.ask("GET", "/api/v1/notifications", "").is(200);
    let all = all["receivers"].as_array().unwrap().clone();
    all.into_iter().find(|it| it["name"] == receiver).unwrap_or_default()
}

/// The rule that these tests are about; others may alert on the same calls.
const QUERY: &str = "query = \"event.action: GetPasswordData\"\n";

#[test]
fn a_webhook_is_told_signed_and_again_with_the_same_id() {
    let hook = Told::new(|number, _| match number {
        0 => answer("503 Service Unavailable", "retry-after: 90\r\n", "come again"),
        _ => ok(),
    });
    let (folder, data) = folder();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of the test\n").unwrap();
    let config = format!(
        "[[receivers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://{}/in?x=1\"\nsecret = \"file:{}\"\n\
         headers = [\"X-Team: soc\"]\n[[notifications]]\nreceiver = \"hook\"\nsummary = true\n{QUERY}",
        hook.address,
        secret.display()
    );
    let server = told(&data, &config);
    raise(&server, &["ci", "ops"]);
    wait("the hook is asked", || hook.got().len() == 1);
    wait("the failure is known", || state(&server, "hook")["failed"] == 1);
    let known = state(&server, "hook");
    assert!(known["error"].as_str().unwrap().starts_with("answered 503: come again"), "{known}");
    later(&server, 80_000);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(hook.got().len(), 1, "it asked to be left alone for longer");
    later(&server, 15_000);
    wait("it is told", || state(&server, "hook")["sent"] == 1);
    let got = hook.got();
    assert_eq!((got[0].header("webhook-id"), got[0].path.as_str()), (got[1].header("webhook-id"), "/in?x=1"));
    assert_eq!((got[1].header("x-team"), got[1].header("content-type")), ("soc", "application/json"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of the test");
    let signed =
        format!("{}.{}.{}", got[1].header("webhook-id"), got[1].header("webhook-timestamp"), got[1].body);
    let expected = STANDARD.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
    assert_eq!(got[1].header("webhook-signature"), format!("v1,{expected}"));
    let body = got[1].json();
    assert_eq!(
        (&body["type"], &body["id"]),
        (&json!("trailwarden.summary"), &json!(got[1].header("webhook-id")))
    );
    let alerts = server.ask("GET", "/api/v1/alerts?query=event.action:GetPasswordData", "").is(200);
    let ids = |all: &Value, of: &dyn Fn(&Value) -> Value| -> std::collections::BTreeSet<String> {
        all.as_array().unwrap().iter().map(|it| of(it).as_str().unwrap().to_owned()).collect()
    };
    let told = ids(&body["items"], &|it| it["alert"]["kibana.alert.uuid"].clone());
    assert_eq!(told, ids(&alerts["alerts"], &|it| it["kibana.alert.uuid"].clone()));
    let metrics = server.ask("GET", "/metrics", "").body;
    for line in [
        "sent_total{receiver=\"hook\"} 1",
        "failed_total{receiver=\"hook\"} 1",
        "waiting{receiver=\"hook\"} 0",
    ] {
        assert!(metrics.contains(&format!("trailwarden_notifications_{line}\n")), "{line}: {metrics}");
    }
}

#[test]
fn a_receiver_that_never_answers_holds_up_nothing() {
    let (_folder, data) = folder();
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let quick = Told::kind();
    let config = format!(
        "[[receivers]]\nname = \"silent\"\ntype = \"webhook\"\nurl = \"http://{}\"\ntimeout = \"300s\"\n\
         [[receivers]]\nname = \"quick\"\ntype = \"webhook\"\nurl = \"http://{}\"\n\
         [[notifications]]\nreceiver = \"silent\"\n[[notifications]]\nreceiver = \"quick\"\n{QUERY}",
        silent.local_addr().unwrap(),
        quick.address
    );
    let server = told(&data, &config);
    raise(&server, &["ci", "ops"]);
    wait("the quick one is told of each", || quick.got().len() >= 2);
    let got = quick.got();
    assert!(got.iter().all(|it| it.json()["count"] == 1), "one by one");
    assert!(state(&server, "silent")["waiting"].as_u64().unwrap() >= 2);
    let begun = std::time::Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(60), "it does not wait for it when it stops");
}

#[test]
fn what_waits_is_sent_after_a_restart() {
    let (_folder, data) = folder();
    let hook = Told::new(|number, _| if number == 0 { answer("500 No", "", "") } else { ok() });
    let config = format!(
        "[[receivers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://{}\"\n\
         [[notifications]]\nreceiver = \"hook\"\nsummary = true\n{QUERY}",
        hook.address
    );
    let server = told(&data, &config);
    raise(&server, &["ci"]);
    wait("the failure is known", || state(&server, "hook")["failed"] == 1);
    let (admin, clock) = (server.admin.clone(), server.clock.load(Relaxed));
    server.stop();
    let mut server = told(&data, &config);
    server.admin = admin;
    server.clock.store(clock + 20 * MINUTE, Relaxed);
    wait("it is told", || state(&server, "hook")["sent"] == 1);
    let got = hook.got();
    assert_eq!(got.len(), 2);
    assert_eq!((got[0].header("webhook-id"), &got[0].body), (got[1].header("webhook-id"), &got[1].body));
}

#[test]
fn what_is_refused_is_put_aside_told_of_and_sent_again() {
    let (_folder, data) = folder();
    let strict =
        Told::new(|number, _| if number < 3 { answer("400 Bad", "", "no such field") } else { ok() });
    let ops = Told::kind();
    let config = format!(
        "[[receivers]]\nname = \"strict\"\ntype = \"webhook\"\nurl = \"http://{}\"\n\
         [[receivers]]\nname = \"ops\"\ntype = \"webhook\"\nurl = \"http://{}\"\n\
         [[notifications]]\nreceiver = \"strict\"\nsummary = true\n{QUERY}\
         [[notifications]]\nreceiver = \"ops\"\non = [\"health\"]\n",
        strict.address, ops.address
    );
    let server = told(&data, &config);
    raise(&server, &["ci"]);
    for attempts in 1..=3 {
        wait("it is refused", || strict.got().len() == attempts);
        later(&server, 10_000);
    }
    wait("it is put aside", || state(&server, "strict")["dead"] == 1);
    let told_ops = || ops.got().iter().any(|it| it.body.contains("`strict` refused a notification"));
    wait("somebody else is told", told_ops);
    let dead = server.ask("GET", "/api/v1/notifications/messages", "").is(200);
    let message = &dead["messages"][0];
    assert_eq!((&message["attempts"], &message["receiver"]), (&json!(3), &json!("strict")), "{dead}");
    assert!(message["error"].as_str().unwrap().contains("no such field"), "{dead}");
    assert!(message["items"][0]["text"].as_str().unwrap().contains("GetPasswordData"), "{dead}");
    server.ask("POST", "/api/v1/notifications/retry", r#"{"ids": ["nothing"]}"#).problem(404, "API003");
    server.ask("POST", "/api/v1/notifications/retry", r#"{"id": "x"}"#).problem(400, "API008");
    let id = message["id"].as_str().unwrap();
    let body = json!({"ids": [&id[..8]]}).to_string();
    assert_eq!(server.ask("POST", "/api/v1/notifications/retry", body).is(200)["again"], 1);
    wait("it is sent", || state(&server, "strict")["sent"] == 1);
    assert_eq!(strict.got().last().unwrap().header("webhook-id"), id);
    let sent = server.ask("GET", "/api/v1/notifications/messages?state=sent&receiver=strict", "").is(200);
    assert_eq!(sent["messages"][0]["id"], id);
}

/// A server of mail that takes one letter.
fn post_office() -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let letter: Arc<Mutex<String>> = Arc::default();
    let its = Arc::clone(&letter);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut out = stream.try_clone().unwrap();
            let _ = out.write_all(b"220 test ESMTP\r\n");
            let mut is_text = false;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                its.lock().unwrap().push_str(&format!("{line}\n"));
                let said = match line.to_ascii_uppercase().as_str() {
                    "." if is_text => {
                        is_text = false;
                        "250 taken\r\n"
                    }
                    _ if is_text => continue,
                    "DATA" => {
                        is_text = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => "221 bye\r\n",
                    _ => "250 ok\r\n",
                };
                let _ = out.write_all(said.as_bytes());
            }
        }
    });
    (address, letter)
}

#[test]
fn each_type_of_receiver_can_be_tested() {
    let (folder, data) = folder();
    let web = Told::new(|_, got| match got.path.as_str() {
        "/secret-hook" | "/teams" | "/v1/logs" | "/pager" => ok(),
        "/_bulk" => answer("200 OK", "", r#"{"errors": false, "items": [{"create": {"status": 201}}]}"#),
        "/moved" => answer("302 Found", "location: http://127.0.0.1:9/\r\n", ""),
        _ => answer("404 Not Found", "", "nothing here"),
    });
    let (mail, letter) = post_office();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let keep = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("file:{}", path.display())
    };
    let url = |path: &str| format!("http://{}{path}", web.address);
    let slack = keep("slack", url("/secret-hook") + "\n");
    let teams = keep("teams", url("/teams"));
    let key = keep("key", "a-routing-key".to_owned());
    let gone = keep("gone", url("/secret-place"));
    let config = format!(
        "[[receivers]]\nname = \"slack\"\ntype = \"slack\"\nurl = \"{slack}\"\n\
         [[receivers]]\nname = \"teams\"\ntype = \"teams\"\nurl = \"{teams}\"\n\
         [[receivers]]\nname = \"pager\"\ntype = \"pagerduty\"\nsecret = \"{key}\"\nurl = \"{pager}\"\n\
         [[receivers]]\nname = \"otlp\"\ntype = \"otlp\"\nurl = \"{otlp}\"\n\
         [[receivers]]\nname = \"index\"\ntype = \"index\"\nurl = \"{index}\"\nindex = \"alerts\"\nsecret = \"{key}\"\n\
         [[receivers]]\nname = \"mail\"\ntype = \"email\"\naddress = \"{mail}\"\nprotocol = \"tcp\"\n\
         from = \"Trailwarden <tw@example.com>\"\nto = [\"soc@example.com\"]\n\
         [[receivers]]\nname = \"udp\"\ntype = \"syslog\"\naddress = \"{udp}\"\nprotocol = \"udp\"\n\
         [[receivers]]\nname = \"tcp\"\ntype = \"syslog\"\naddress = \"{tcp}\"\nprotocol = \"tcp\"\n\
         [[receivers]]\nname = \"moved\"\ntype = \"webhook\"\nurl = \"{moved}\"\n\
         [[receivers]]\nname = \"gone\"\ntype = \"slack\"\nurl = \"{gone}\"\n\
         [[receivers]]\nname = \"nobody\"\ntype = \"slack\"\nurl = \"file:/nowhere/at/all\"\n",
        pager = url("/pager"),
        otlp = url("/v1/logs"),
        index = url(""),
        moved = url("/moved"),
        udp = udp.local_addr().unwrap(),
        tcp = tcp.local_addr().unwrap(),
    );
    let lines = std::thread::spawn(move || {
        let (mut stream, _) = tcp.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    let server = told(&data, &config);
    let test = |name: &str| {
        let body = json!({"receiver": name}).to_string();
        server.ask("POST", "/api/v1/notifications/test", body).is(200)
    };
    for name in ["slack", "teams", "pager", "otlp", "index", "mail", "udp", "tcp"] {
        let tested = test(name);
        assert_eq!(tested["delivered"], true, "{name}: {tested}");
    }
    let of = |path: &str| web.got().into_iter().find(|it| it.path == path).unwrap();
    assert_eq!(of("/secret-hook").json()["blocks"][0]["type"], "header");
    assert_eq!(of("/teams").json()["attachments"][0]["content"]["type"], "AdaptiveCard");
    let event = of("/pager").json();
    assert_eq!((&event["routing_key"], &event["event_action"]), (&json!("a-routing-key"), &json!("trigger")));
    assert!(event["payload"]["summary"].as_str().unwrap().contains("a test, no alert"), "{event}");
    assert!(of("/v1/logs").json()["resourceLogs"][0]["scopeLogs"][0]["logRecords"].is_array());
    let bulk = of("/_bulk");
    assert_eq!(bulk.header("authorization"), "ApiKey a-routing-key");
    assert!(bulk.body.starts_with("{\"create\":{\"_index\":\"alerts\",\"_id\":\"test-"), "{}", bulk.body);
    let letter = letter.lock().unwrap().clone();
    for part in [
        "MAIL FROM:<tw@example.com>",
        "RCPT TO:<soc@example.com>",
        "Subject: Trailwarden: a test",
        "Message-ID: <test-",
    ] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    let mut datagram = [0; 4096];
    let length = udp.recv(&mut datagram).unwrap();
    let datagram = std::str::from_utf8(&datagram[..length]).unwrap();
    assert!(datagram.starts_with("<86>1 2026-") && datagram.contains(" trailwarden - test ["), "{datagram}");
    let lines = lines.join().unwrap();
    let (count, line) = lines.split_once(' ').unwrap();
    assert_eq!(count.parse::<usize>().unwrap(), line.len(), "{lines}");
    // What does not work is told, and no secret with it.
    for (name, why) in [
        ("moved", "redirects are not followed"),
        ("gone", "answered 404: nothing here"),
        ("nobody", "`/nowhere/at/all`"),
    ] {
        let tested = test(name);
        let answer = tested["answer"].as_str().unwrap();
        assert!(tested["delivered"] == false && answer.contains(why), "{name}: {tested}");
        assert!(!answer.contains("secret-place"), "{tested}");
    }
    server.ask("POST", "/api/v1/notifications/test", r#"{"receiver": "x"}"#).problem(404, "API003");
    let shown = server.ask("GET", "/api/v1/notifications", "").body;
    assert!(!shown.contains("a-routing-key") && !shown.contains("secret-hook"), "{shown}");
}

#[test]
fn who_was_told_of_an_alert_is_told_when_it_is_closed() {
    let (folder, data) = folder();
    let web = Told::new(|_, _| answer("202 Accepted", "", r#"{"status": "success"}"#));
    let key = folder.path().join("key");
    std::fs::write(&key, "k").unwrap();
    let config = format!(
        "[[receivers]]\nname = \"pager\"\ntype = \"pagerduty\"\nsecret = \"file:{}\"\nurl = \"http://{}/\"\n\
         [[notifications]]\nreceiver = \"pager\"\non = [\"alerts\", \"closed\"]\n{QUERY}",
        key.display(),
        web.address
    );
    let server = told(&data, &config);
    raise(&server, &["ci"]);
    wait("it is told", || !web.got().is_empty());
    let triggered = web.got()[0].json();
    assert!(triggered["payload"]["severity"].is_string(), "{triggered}");
    let id = triggered["dedup_key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/alerts/{id}");
    server.ask("PATCH", &path, r#"{"note": "mine"}"#).is(200);
    server.ask("PATCH", &path, r#"{"status": "closed", "reason": "benign_positive"}"#).is(200);
    let resolved =
        || web.got().iter().any(|it| it.json()["event_action"] == "resolve" && it.json()["dedup_key"] == *id);
    wait("it is resolved", resolved);
}
