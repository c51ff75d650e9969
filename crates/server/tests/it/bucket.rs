//! Buckets that are looked through, and queues that tell of objects.

use std::path::Path;

use serde_json::{Value, json};

use crate::fake::{BUCKET, Fake, Fault, Request};
use crate::moto::{Moto, skipped};
use crate::setup::{NOW, Server, folder, gzip, ids, record, wait};

const TRAIL: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1";

fn file(ids: &[&str]) -> Vec<u8> {
    let records: Vec<_> = ids.iter().map(|it| record(it, 1)).collect();
    gzip(json!({"Records": records}).to_string().as_bytes())
}

fn config(endpoint: &str, more: &str) -> String {
    format!(
        "[[sources]]\ntype = \"s3\"\nname = \"trail\"\nurl = \"s3://{BUCKET}/AWSLogs\"\nendpoint = \"{endpoint}\"\n\
         region = \"eu-west-1\"\n{more}\n"
    )
}

fn start(data: &Path, config: &str, admin: Option<String>) -> Server {
    let mut server = Server::start(data, config);
    server.admin = server.admin.take().or(admin);
    server
}

fn source(server: &Server) -> Value {
    let sources = server.ask("GET", "/api/v1/sources", "").is(200);
    let all = sources["sources"].as_array().unwrap();
    all.iter().find(|it| it["name"] == "trail").unwrap().clone()
}

fn has(data: &Path, expected: &[&str]) {
    wait(&format!("{expected:?} are stored"), || ids(data) == expected);
}

#[test]
fn new_objects_are_taken_in_as_they_come_and_after_a_restart() {
    let (_folder, data) = folder();
    let fake = Fake::start([], 3);
    // It is the 3rd of March by the server's clock.
    fake.put(&format!("{TRAIL}/2025/01/01/old.json.gz"), file(&["old"]));
    fake.put(&format!("{TRAIL}/2026/03/02/1.json.gz"), file(&["a"]));
    fake.put(&format!("{TRAIL}/2026/03/02/page.html"), "<html>");
    fake.put(&format!("{TRAIL}/2026/03/02/"), "");
    fake.put("elsewhere/1.json.gz", file(&["elsewhere"]));
    let config = config(&fake.endpoint, "listing = \"100ms\"\nreconcile = \"1h\"");
    let server = start(&data, &config, None);
    has(&data, &["a", "old"]);
    fake.put(&format!("{TRAIL}/2026/03/03/2.json.gz"), file(&["b", "a"]));
    has(&data, &["a", "b", "old"]);
    // What comes where nothing new comes is left to the next listing of everything.
    fake.put(&format!("{TRAIL}/2025/01/01/late.json.gz"), file(&["late"]));
    fake.put(&format!("{TRAIL}/2026/03/03/3.json.gz"), file(&["c"]));
    has(&data, &["a", "b", "c", "old"]);
    let after = |it: &Request| it.query.get("start-after").cloned();
    let first = format!("{TRAIL}/2026/03/01");
    assert!(
        fake.count(|it| after(it).as_deref() == Some(&*first)) > 0,
        "only the last days are looked through"
    );
    assert_eq!(fake.count(|it| it.key.ends_with("page.html")), 0);
    let told = source(&server);
    assert_eq!(
        told["account"],
        json!({"read": 5, "stored": 4, "duplicate": 1, "unreadable": 0, "dropped": 0})
    );
    assert_eq!(
        (&told["waiting_objects"], &told["lag_ms"], &told["failures"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(told["reconciliation"]["objects"], 4, "with those that are none: {told}");
    let admin = server.admin.clone();
    server.stop();

    fake.put(&format!("{TRAIL}/2026/03/03/4.json.gz"), file(&["d"]));
    let fetched = fake.count(|it| it.method == "GET" && it.key.ends_with("2.json.gz"));
    let server = start(&data, &config, admin);
    has(&data, &["a", "b", "c", "d", "late", "old"]);
    assert_eq!(
        fake.count(|it| it.method == "GET" && it.key.ends_with("2.json.gz")),
        fetched,
        "it was taken in before"
    );
    let metrics = || server.ask("GET", "/metrics", "").body;
    let listed = "trailwarden_source_objects_total{source=\"trail\",outcome=\"listed\"} 2\n";
    wait("both are counted", || metrics().contains(listed));
    assert!(metrics().contains("trailwarden_source_lag_seconds{source=\"trail\"} 0\n"), "{}", metrics());
}

#[test]
fn a_listing_of_everything_finds_what_nobody_told_of() {
    let (_folder, data) = folder();
    let fake = Fake::start([(format!("{TRAIL}/2026/03/02/1.json.gz"), file(&["a"]))], 100);
    let config = config(&fake.endpoint, "listing = \"100ms\"\nreconcile = \"1s\"\nsince = \"2025-06-01\"");
    let server = start(&data, &config, None);
    has(&data, &["a"]);
    fake.put(&format!("{TRAIL}/2025/07/01/late.json.gz"), file(&["late"]));
    fake.put(&format!("{TRAIL}/2025/05/01/older.json.gz"), file(&["older"]));
    has(&data, &["a", "late"]);
    wait("it is counted", || source(&server)["objects"]["reconciled"] == 1);
    assert_eq!(fake.count(|it| it.key.ends_with("older.json.gz")), 0, "`since` leaves it alone");
}

#[test]
fn what_cannot_be_had_is_told_and_asked_for_again() {
    let (_folder, data) = folder();
    let day = format!("{TRAIL}/2026/03/02");
    let fake = Fake::start(
        [(format!("{day}/1.json.gz"), file(&["a"])), (format!("{day}/2.json.gz"), file(&["b"]))],
        100,
    );
    fake.fail(|it| it.key.ends_with("2.json.gz").then_some(Fault::Status(403, "AccessDenied")));
    let server = start(&data, &config(&fake.endpoint, "listing = \"100ms\"\nreconcile = \"1h\""), None);
    has(&data, &["a"]);
    wait("it is told", || {
        source(&server)["trouble"]["text"].as_str().is_some_and(|it| it.contains("BKT006"))
    });
    assert_eq!(source(&server)["objects"]["failed"], 1);
    let asked = fake.count(|it| it.key.ends_with("2.json.gz"));
    fake.put(&format!("{day}/3.json.gz"), file(&["c"]));
    has(&data, &["a", "c"]);
    assert_eq!(fake.count(|it| it.key.ends_with("2.json.gz")), asked, "not each time");
    fake.fail(|_| None);
    server.clock.store(NOW + 60_000, std::sync::atomic::Ordering::Relaxed);
    has(&data, &["a", "b", "c"]);
    // The bucket itself.
    fake.fail(|it| it.key.is_empty().then_some(Fault::Status(403, "InvalidAccessKeyId")));
    wait("it is told", || {
        source(&server)["trouble"]["text"].as_str().is_some_and(|it| it.contains("BKT007"))
    });
    fake.put(&format!("{day}/4.json.gz"), file(&["d"]));
    fake.fail(|_| None);
    has(&data, &["a", "b", "c", "d"]);
}

#[test]
fn large_objects_and_those_that_end_early_arrive_whole() {
    let (_folder, data) = folder();
    let padding = "x".repeat(9 << 20);
    let large = format!(
        "{}\n{}\n",
        record("large", 1),
        json!({"eventVersion": "1.08", "eventID": "pad", "padding": padding})
    );
    let fake = Fake::start(
        [
            ("AWSLogs/large.ndjson".to_owned(), large.into_bytes()),
            ("AWSLogs/1.json.gz".to_owned(), file(&["a"])),
        ],
        100,
    );
    fake.fail(|it| (it.method == "GET" && !it.key.is_empty() && it.before < 2).then_some(Fault::Cut(77)));
    let server = start(&data, &config(&fake.endpoint, "listing = \"100ms\""), None);
    has(&data, &["a", "large", "pad"]);
    // A folder without dates is looked through whole.
    fake.put("AWSLogs/3.json.gz", file(&["c"]));
    has(&data, &["a", "c", "large", "pad"]);
    assert_eq!(server.account("trail")["unreadable"], 0);
    let left: Vec<_> = std::fs::read_dir(data.join("incoming")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// How many messages wait, and how many somebody has taken.
fn queued(moto: &mut Moto, url: &str) -> (String, String) {
    let told = moto.call("sqs", "get_queue_attributes", json!({"QueueUrl": url, "AttributeNames": ["All"]}));
    let of = |name: &str| told["Attributes"][name].as_str().unwrap_or_default().to_owned();
    (of("ApproximateNumberOfMessages"), of("ApproximateNumberOfMessagesNotVisible"))
}

fn event(key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 1}}}]})
}

#[test]
fn a_queue_tells_of_objects() {
    let mut moto = match Moto::start() {
        Ok(moto) => moto,
        Err(missing) => return skipped(missing),
    };
    let (_folder, data) = folder();
    moto.bucket(BUCKET);
    let made = moto.call("sqs", "create_queue", json!({"QueueName": "trail"}));
    let url = made["QueueUrl"].as_str().unwrap().to_owned();
    let topic = moto.call("sns", "create_topic", json!({"Name": "trail"}))["TopicArn"].clone();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:trail";
    moto.call("sns", "subscribe", json!({"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn}));
    moto.put(BUCKET, "AWSLogs/first.json.gz", &file(&["first"]));
    let config = config(&moto.endpoint, &format!("queue = \"{url}\"\nreconcile = \"1h\""));
    let server = start(&data, &config, None);
    // What was there before the queue was.
    has(&data, &["first"]);
    moto.put(BUCKET, "AWSLogs/a+b c.json.gz", &file(&["direct"]));
    moto.put(BUCKET, "AWSLogs/sns.json.gz", &file(&["sns"]));
    moto.put(BUCKET, "AWSLogs/bridge.json.gz", &file(&["bridge"]));
    moto.put(BUCKET, "AWSLogs/own.json.gz", &file(&["own"]));
    moto.put(BUCKET, "elsewhere/x.json.gz", &file(&["elsewhere"]));
    let mut send = |body: &Value| {
        moto.call("sqs", "send_message", json!({"QueueUrl": url, "MessageBody": body.to_string()}));
    };
    send(&event("AWSLogs/a%2Bb+c.json.gz"));
    send(&event("elsewhere/x.json.gz"));
    send(&event("AWSLogs/gone.json.gz"));
    send(&json!({"Event": "s3:TestEvent", "Bucket": BUCKET}));
    send(&json!({"source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": "AWSLogs/bridge.json.gz"}}}));
    send(&json!("poison"));
    moto.call(
        "sns",
        "publish",
        json!({"TopicArn": topic, "Message": event("AWSLogs/sns.json.gz").to_string()}),
    );
    let trail = json!({"s3Bucket": BUCKET, "s3ObjectKey": ["AWSLogs/own.json.gz", "AWSLogs/first.json.gz"]});
    moto.call("sns", "publish", json!({"TopicArn": topic, "Message": trail.to_string()}));
    has(&data, &["bridge", "direct", "first", "own", "sns"]);
    // All but the one that nobody understands is removed.
    wait("what is done with is removed", || source(&server)["messages"]["done"] == 7);
    wait("they are gone", || {
        let (waiting, taken) = queued(&mut moto, &url);
        waiting.parse::<u32>().unwrap() + taken.parse::<u32>().unwrap() == 1
    });
    let told = source(&server);
    assert_eq!(told["objects"]["noticed"], 4, "{told}");
    assert_eq!((&told["objects"]["gone"], &told["objects"]["foreign"]), (&json!(1), &json!(1)), "{told}");
    assert!(told["messages"]["unread"].as_u64() >= Some(1), "{told}");
    assert_eq!(server.account("trail")["duplicate"], 0, "nothing is taken twice");
}

#[test]
fn a_message_stays_until_what_it_tells_of_is_on_the_disk() {
    let mut moto = match Moto::start() {
        Ok(moto) => moto,
        Err(missing) => return skipped(missing),
    };
    let (_folder, data) = folder();
    moto.bucket(BUCKET);
    let made = moto.call("sqs", "create_queue", json!({"QueueName": "trail"}));
    let url = made["QueueUrl"].as_str().unwrap().to_owned();
    let config = config(&moto.endpoint, &format!("queue = \"{url}\"\nreconcile = \"1h\""));
    let server = start(&data, &config, None);
    wait("it listens", || !source(&server)["reconciliation"]["last"].is_null());
    // Nothing can be stored.
    std::fs::remove_dir_all(data.join("incoming")).unwrap();
    moto.put(BUCKET, "AWSLogs/a.json.gz", &file(&["a"]));
    let body = event("AWSLogs/a.json.gz").to_string();
    moto.call("sqs", "send_message", json!({"QueueUrl": url, "MessageBody": body}));
    wait("it was tried", || source(&server)["failures"].as_u64() >= Some(1));
    assert_eq!(queued(&mut moto, &url), ("0".to_owned(), "1".to_owned()), "it is taken and still there");
    std::fs::create_dir(data.join("incoming")).unwrap();
    has(&data, &["a"]);
    wait("it is removed", || queued(&mut moto, &url) == ("0".to_owned(), "0".to_owned()));
}
