//! From the short form of an event to a `CloudTrail` record as AWS would deliver it.

use ecs::{Millis, Object, date};
use rule::{At, Caller, Recipe, TestEvent};
use serde_json::{Value, json};
use uuid::Uuid;

/// When tests begin: the first event that says nothing else is a step later.
const BEGIN: Millis = 1_767_225_600_000;
/// The account of events that say none: the one that documentation uses.
const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
/// An address that documentation uses.
const ADDRESS: &str = "198.51.100.10";
const AGENT: &str = "aws-cli/2.15.0 md/awscrt#0.19.19 ua/2.0 os/linux#5.15 md/arch#x86_64 lang/python#3.11.6";

/// The namespace of the ids that are made here.
const IDS: Uuid = Uuid::from_u128(0x6f1d_3b2e_8a54_4c1f_9f0e_2b7c_1d5e_9a10);

/// Services whose host has another name than their calls go by.
const HOSTS: [(&str, &str); 3] = [
    ("cloudwatch", "monitoring.amazonaws.com"),
    ("ses", "email.amazonaws.com"),
    ("elbv2", "elasticloadbalancing.amazonaws.com"),
];

/// Calls whose events are data events.
const DATA: [(&str, &[&str]); 4] = [
    (
        "s3",
        &[
            "GetObject",
            "PutObject",
            "DeleteObject",
            "DeleteObjects",
            "HeadObject",
            "CopyObject",
            "ListObjects",
            "ListObjectsV2",
        ],
    ),
    ("lambda", &["Invoke"]),
    ("dynamodb", &["GetItem", "PutItem", "Query", "Scan", "BatchGetItem", "DeleteItem", "UpdateItem"]),
    ("bedrock", &["InvokeModelWithBidirectionalStream"]),
];

/// What the names of calls begin with that change nothing.
const READING: [&str; 9] =
    ["Get", "List", "Describe", "Head", "Lookup", "Search", "Scan", "Query", "BatchGet"];

/// The records of a test's events, in their order, and the time of the last one that was made here.
pub(crate) fn records(test: &str, events: &[TestEvent]) -> (Vec<Value>, Option<Millis>) {
    let (mut made, mut clock, mut last) = (Vec::new(), BEGIN, None);
    for event in events {
        match event {
            TestEvent::Record(record) => {
                let time = ["eventTime", "@timestamp"]
                    .into_iter()
                    .find_map(|key| date::parse(record.get(key)?.as_str()?).ok());
                if let Some(time) = time {
                    clock = time;
                    last = last.max(Some(time));
                }
                made.push(record.clone());
            }
            TestEvent::Recipe(recipe) => {
                clock = match recipe.at {
                    At::Time(time) => time,
                    At::After(length) => clock.saturating_add(length),
                };
                for number in 1..=recipe.repeat {
                    if number > 1 {
                        clock = clock.saturating_add(recipe.every);
                    }
                    made.push(record(recipe, number, clock, &format!("{test}/{}", made.len())));
                }
                last = last.max(Some(clock));
            }
        }
    }
    (made, last)
}

fn record(recipe: &Recipe, number: u32, time: Millis, seed: &str) -> Value {
    let account = recipe.account.as_deref().unwrap_or(ACCOUNT);
    let is_sign_in = recipe.service == "signin";
    let (identity, host) = identity(&recipe.caller, account, time);
    let is_data = DATA
        .iter()
        .any(|(service, calls)| *service == recipe.service && calls.contains(&recipe.call.as_str()));
    let mut record = json!({
        "eventVersion": "1.10",
        "userIdentity": identity,
        "eventTime": date::to_iso(time).replace(".000Z", "Z"),
        "eventSource": source(&recipe.service),
        "eventName": recipe.call,
        "awsRegion": recipe.region.as_deref().unwrap_or(REGION),
        "sourceIPAddress": recipe.from.as_deref().or(host).unwrap_or(ADDRESS),
        "userAgent": recipe.agent.as_deref().or(host).unwrap_or(AGENT),
        "requestParameters": recipe.request.clone().unwrap_or(Value::Null),
        "responseElements": recipe.response.clone().unwrap_or(Value::Null),
        "requestID": id(&format!("request/{seed}")),
        "eventID": recipe.id.clone().unwrap_or_else(|| id(seed)),
        "readOnly": !is_sign_in && READING.iter().any(|it| recipe.call.starts_with(it)),
        "eventType": if is_sign_in { "AwsConsoleSignIn" } else { "AwsApiCall" },
        "managementEvent": !is_data,
        "recipientAccountId": account,
        "eventCategory": if is_data { "Data" } else { "Management" },
    });
    if let Value::Object(fields) = &mut record {
        for (key, value) in [("errorCode", &recipe.error), ("errorMessage", &recipe.message)] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), json!(value));
            }
        }
        for (path, value) in &recipe.set {
            set(fields, path, value.clone());
        }
        for path in &recipe.unset {
            unset(fields, path);
        }
    }
    numbered(&mut record, &number.to_string());
    record
}

fn source(service: &str) -> String {
    if service.contains('.') {
        return service.to_owned();
    }
    let host = HOSTS.iter().find(|(name, _)| *name == service).map(|(_, host)| (*host).to_owned());
    host.unwrap_or_else(|| format!("{service}.amazonaws.com"))
}

/// `userIdentity`, and the host if it is a service.
fn identity<'r>(caller: &'r Caller, account: &str, time: Millis) -> (Value, Option<&'r str>) {
    let session = json!({
        "creationDate": date::to_iso(time - 600_000).replace(".000Z", "Z"),
        "mfaAuthenticated": "false",
    });
    match caller {
        Caller::Root => (
            json!({
                "type": "Root",
                "principalId": account,
                "arn": format!("arn:aws:iam::{account}:root"),
                "accountId": account,
                "accessKeyId": "",
                "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": session},
            }),
            None,
        ),
        Caller::User(name) => (
            json!({
                "type": "IAMUser",
                "principalId": unique("AIDA", &format!("{account}/user/{name}")),
                "arn": format!("arn:aws:iam::{account}:user/{name}"),
                "accountId": account,
                "accessKeyId": unique("AKIA", &format!("{account}/user/{name}")),
                "userName": name.rsplit('/').next().unwrap_or(name),
            }),
            None,
        ),
        Caller::Role(role, name) => {
            let principal = unique("AROA", &format!("{account}/role/{role}"));
            let short = role.rsplit('/').next().unwrap_or(role);
            let identity = json!({
                "type": "AssumedRole",
                "principalId": format!("{principal}:{name}"),
                "arn": format!("arn:aws:sts::{account}:assumed-role/{short}/{name}"),
                "accountId": account,
                "accessKeyId": unique("ASIA", &format!("{account}/role/{role}/{name}")),
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": principal,
                        "arn": format!("arn:aws:iam::{account}:role/{role}"),
                        "accountId": account,
                        "userName": short,
                    },
                    "webIdFederationData": {},
                    "attributes": session,
                },
            });
            (identity, None)
        }
        Caller::Service(host) => (json!({"type": "AWSService", "invokedBy": host}), Some(host)),
    }
}

fn id(seed: &str) -> String {
    Uuid::new_v5(&IDS, seed.as_bytes()).to_string()
}

/// An id as IAM gives them: a prefix and sixteen letters or digits, the same for the same name.
fn unique(prefix: &str, name: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes = Uuid::new_v5(&IDS, name.as_bytes()).into_bytes();
    let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(letters).collect()
}

/// Puts a value at a path of keys, and objects on the way.
fn set(fields: &mut Object, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            fields.insert(path.to_owned(), value);
        }
        Some((key, rest)) => {
            let inner = fields.entry(key.to_owned()).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = Value::Object(Object::new());
            }
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

fn unset(fields: &mut Object, path: &str) {
    match path.split_once('.') {
        None => {
            fields.shift_remove(path);
        }
        Some((key, rest)) => {
            if let Some(Value::Object(inner)) = fields.get_mut(key) {
                unset(inner, rest);
            }
        }
    }
}

/// Writes the number in place of `{n}` in every text.
fn numbered(value: &mut Value, number: &str) {
    match value {
        Value::String(text) if text.contains("{n}") => *text = text.replace("{n}", number),
        Value::Array(items) => items.iter_mut().for_each(|it| numbered(it, number)),
        Value::Object(fields) => fields.values_mut().for_each(|it| numbered(it, number)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
