//! Requests are signed as AWS publishes it.

use std::collections::BTreeMap;
use std::time::Duration;

use bucket::{Client, Listing, Queue, Settings};

use crate::fake::{BUCKET, Fake};

fn settings(fake: &Fake, more: &[(&str, &str)]) -> Settings {
    let own = [("AWS_ENDPOINT_URL", fake.endpoint.as_str())];
    let variables: BTreeMap<String, String> =
        own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::of(&variables, &|_| None).unwrap().with_pause(Duration::from_millis(1))
}

/// The parts of what authorises a request.
fn authorization(header: &str) -> (String, String) {
    let part = |name: &str| {
        let begin = header.find(name).unwrap() + name.len();
        header[begin..].split(',').next().unwrap().to_owned()
    };
    (part("Credential="), part("SignedHeaders="))
}

#[test]
fn requests_name_who_asks_and_where() {
    let fake = Fake::start([], 10);
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let client = Client::new(settings(&fake, &keys)).unwrap();
    client.list_all(&Listing { bucket: BUCKET.to_owned(), ..Listing::default() }, &mut Vec::new()).unwrap();
    let request = fake.asked().pop().unwrap();
    let (credential, signed) = authorization(&request.headers["authorization"]);
    assert!(
        credential.starts_with("AKIDEXAMPLE/") && credential.ends_with("/eu-west-1/s3/aws4_request"),
        "{credential}"
    );
    assert_eq!(signed, "host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
    assert_eq!(request.headers["x-amz-security-token"], "token");

    // A queue is signed for its own region, and its body with it.
    let queue = Queue::new(client, &format!("{}/111122223333/q", fake.endpoint)).unwrap();
    let _ = queue.receive(0, 30, &|| false);
    let request = fake.asked().pop().unwrap();
    let (credential, signed) = authorization(&request.headers["authorization"]);
    assert!(credential.ends_with("/eu-west-1/sqs/aws4_request"), "{credential}");
    assert!(signed.contains("content-type") && signed.contains("x-amz-target"), "{signed}");
    assert_eq!(request.headers["x-amz-target"], "AmazonSQS.ReceiveMessage");
}

#[test]
fn what_is_public_is_asked_for_without_a_signature() {
    let fake = Fake::start([], 10);
    let client = Client::new(settings(&fake, &[("AWS_SKIP_SIGNATURE", "true")])).unwrap();
    client.list_all(&Listing { bucket: BUCKET.to_owned(), ..Listing::default() }, &mut Vec::new()).unwrap();
    assert_eq!(fake.asked().pop().unwrap().headers.get("authorization"), None);
}

#[test]
fn without_credentials_it_says_what_to_do() {
    let fake = Fake::start([], 10);
    // Nobody listens there: as on a machine that is no instance.
    let nowhere = [("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")];
    let client = Client::new(settings(&fake, &nowhere)).unwrap();
    let listing = Listing { bucket: BUCKET.to_owned(), ..Listing::default() };
    let error = client.list_all(&listing, &mut Vec::new()).unwrap_err();
    assert_eq!(error.code(), "BKT002", "{error}");
    assert!(error.advice().contains("AWS_ACCESS_KEY_ID"));
    assert!(fake.asked().is_empty());
}

/// An error never tells a secret.
#[test]
fn secrets_are_not_shown() {
    let fake = Fake::start([], 10);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hush-hush")];
    let client = Client::new(settings(&fake, &keys)).unwrap();
    assert!(!format!("{client:?}").contains("hush"));
}
