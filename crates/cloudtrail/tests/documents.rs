//! What documents say, on records of our own.

use cloudtrail::{
    Columns, Envelope, Geo, GeoError, MAX_DEPTH, Normaliser, Options, Original, ReadAt, RecordBuf, Retain,
    Version, event_id,
};
use serde_json::{Value, json};

const READ_AT: &str = "2026-03-01T00:00:00.123456Z";

fn tagged(tags: &[&str]) -> Options {
    Options { tags: tags.iter().map(|&it| it.to_owned()).collect(), ..Options::default() }
}

fn document(text: impl AsRef<[u8]>, options: Options) -> Value {
    let mut buf = RecordBuf::default();
    let read_at = ReadAt::parse(READ_AT).expect("the constant is a time");
    Normaliser::new(options).document(&buf.parse(text.as_ref()), &read_at).into()
}

fn of(record: &Value) -> Value {
    document(record.to_string(), tagged(&["actor_target_mapping"]))
}

/// What stands at a dotted path.
fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(document, |it, key| &it[key])
}

/// The cases that are written as data: a record, and what its document has at some paths; null for nothing.
#[test]
fn cases() {
    for (file, text) in
        [("entities", include_str!("cases/entities.json")), ("fields", include_str!("cases/fields.json"))]
    {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let document = of(&case["record"]);
            for (path, expected) in case["expected"].as_object().unwrap() {
                assert_eq!(at(&document, path), expected, "{file}, {}: {path}\n{document:#}", case["name"]);
            }
            assert_eq!(document["error"], Value::Null, "{file}, {}", case["name"]);
        }
    }
}

#[test]
fn an_unreadable_record_says_so_and_nothing_else() {
    for text in ["{\"eventName\": ", "[1]", "12", "{\"a\":1}{", "{\"a\":\"\u{1}"] {
        let document = document(text, tagged(&["forwarded"]));
        let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["tags", "event", "@timestamp", "error"], "{text}");
        assert_eq!(
            document["event"],
            json!({"original": text, "created": READ_AT, "kind": "pipeline_error"})
        );
        assert_eq!(document["tags"], json!(["forwarded", "preserve_original_event"]));
        assert_eq!(document["@timestamp"], READ_AT);
        let message = document["error"]["message"][0].as_str().unwrap();
        assert!(message.starts_with("Processor json with tag "), "{message}");
        assert!(message.contains(" failed with message: "), "{message}");
    }
}

#[test]
fn invalid_utf_8_is_shown_as_far_as_it_can_be() {
    let document = document(b"{\"eventName\":\"\xff\"}", Options::default());
    assert_eq!(at(&document, "event.original"), "{\"eventName\":\"\u{fffd}\"}");
    assert!(at(&document, "error.message")[0].as_str().unwrap().contains("at byte 14 (invalid UTF-8)"));
}

#[test]
fn nesting_is_bounded() {
    let deep =
        |depth: usize| format!("{{\"requestParameters\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let mut buf = RecordBuf::default();
    assert_eq!(buf.parse(deep(MAX_DEPTH - 1).as_bytes()).error(), None);
    let text = deep(MAX_DEPTH);
    let record = buf.parse(text.as_bytes());
    assert_eq!(record.error().unwrap().code(), "CT003");
    assert_eq!(at(&document(deep(100_000), Options::default()), "event.kind"), "pipeline_error");
}

#[test]
fn a_blank_record_is_an_event_without_content() {
    for text in ["", " \n"] {
        assert_eq!(
            document(text, tagged(&["forwarded"])),
            json!({
                "tags": ["forwarded"],
                "event": {"created": READ_AT, "kind": "event", "type": ["info"], "outcome": "success"},
                "ecs": {"version": "8.11.0"},
                "@timestamp": READ_AT,
                "cloud": {"provider": "aws"},
            })
        );
    }
}

#[test]
fn a_failed_step_leaves_the_others_alone() {
    let document = of(&json!({"eventTime": "soon", "eventName": "X", "sourceIPAddress": "203.0.113.9"}));
    assert_eq!(document["@timestamp"], READ_AT);
    assert_eq!(at(&document, "event.kind"), "pipeline_error");
    assert_eq!(at(&document, "source.ip"), "203.0.113.9");
    assert_eq!(document["error"]["message"].as_array().unwrap().len(), 1);

    let waf = json!({"eventName": "CreateWebACL", "eventSource": "wafv2.amazonaws.com",
        "userIdentity": {"arn": "arn:aws:iam::111122223333:user/alice"}, "responseElements": {"summary": {"id": "1"}}});
    let document = of(&waf);
    assert_eq!(document["actor"], Value::Null, "an object where a text should be fails the whole step");
    assert_eq!(document["related"], Value::Null);
    assert!(at(&document, "error.message")[0].as_str().unwrap().contains("rs.summary"));
    assert_eq!(at(&document, "aws.cloudtrail.response_elements"), "{summary={id=1}}");
}

#[test]
fn a_user_agent_that_is_no_text_stops_the_work() {
    let document =
        of(&json!({"eventName": "X", "awsRegion": "eu-west-1", "userAgent": ["a"], "errorCode": "E"}));
    assert_eq!(at(&document, "cloud.region"), "eu-west-1");
    assert_eq!(document["user_agent"], Value::Null);
    assert_eq!(at(&document, "aws.cloudtrail"), &Value::Null, "what comes later is not made");
    assert_eq!(at(&document, "event.kind"), "pipeline_error");
    assert_eq!(at(&document, "event.outcome"), &Value::Null);
}

#[test]
fn a_shippers_timestamp_stands_in_for_the_events() {
    let document = of(&json!({"@timestamp": "2026-01-02T03:04:05.678Z", "eventName": "X"}));
    assert_eq!(document["@timestamp"], "2026-01-02T03:04:05.678Z");
    assert_eq!(at(&document, "event.kind"), "event");
    let both = of(&json!({"@timestamp": "2026-01-02T03:04:05Z", "eventTime": "2026-01-01T00:00:00Z"}));
    assert_eq!(both["@timestamp"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn wide_numbers_stay_numbers() {
    let text = r#"{"requestParameters":{"n":123456789012345678901234567890,"t":"123456789012345678901234567890","f":1e400}}"#;
    let document = document(text, Options::default());
    let flattened = at(&document, "aws.cloudtrail.flattened.request_parameters");
    assert_eq!(
        flattened.to_string(),
        r#"{"n":123456789012345678901234567890,"t":"123456789012345678901234567890","f":1e400}"#
    );
    assert_eq!(
        at(&document, "aws.cloudtrail.request_parameters"),
        "{t=123456789012345678901234567890, f=Infinity, n=123456789012345678901234567890}"
    );
}

/// The copy goes by the length of the rendering, and that of `1e6` is three times as long as what it is made of.
#[test]
fn a_flattened_copy_is_kept_up_to_a_length_of_the_rendering() {
    // `{x=[1000000.0, …, ppp]}`: eleven for each number, six around them.
    let flattened = |numbers: usize, padding: usize| {
        let text = format!(
            r#"{{"requestParameters":{{"x":[{}"{}"]}}}}"#,
            "1e6,".repeat(numbers),
            "p".repeat(padding)
        );
        let document = document(&text, Options::default());
        let length = at(&document, "aws.cloudtrail.request_parameters").as_str().unwrap().len();
        (length, document["aws"]["cloudtrail"].get("flattened").is_some())
    };
    assert_eq!(flattened(2978, 1), (32_765, true));
    assert_eq!(flattened(2978, 2), (32_766, false));
}

/// Whoever can write half a surrogate pair into a request must not hide the call with it.
#[test]
fn half_a_surrogate_pair_is_a_replacement_character() {
    for (written, read) in [
        (r"\ud800", "\u{fffd}"),
        (r"a\uDFFFb", "a\u{fffd}b"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud800\n", "\u{fffd}\n"),
        (r"\\ud800\ud800", "\\ud800\u{fffd}"),
        (r"\ud83d\ude00", "😀"),
    ] {
        let text = format!(
            r#"{{"eventVersion":"1.10","eventName":"X","requestParameters":{{"n":{}}},"errorMessage":"{written}"}}"#,
            "9".repeat(30)
        );
        let document = document(text, tagged(&[]));
        assert_eq!(document["error"], Value::Null, "{written}");
        assert_eq!(at(&document, "aws.cloudtrail.error_message"), read, "{written}");
    }
}

#[test]
fn identity_center_sign_in_takes_the_name_from_the_additional_data() {
    let document = of(&json!({
        "eventName": "UserAuthentication", "eventSource": "signin.amazonaws.com",
        "userIdentity": {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:x"}},
        "additionalEventData": {"UserName": "alice@example.com", "CredentialType": "PASSWORD"},
    }));
    assert_eq!(document["user"]["name"], "alice@example.com");
    assert_eq!(document["user"]["id"], "u-1");
    assert_eq!(document["user"]["email"], "alice@example.com");
    assert_eq!(at(&document, "aws.cloudtrail.additional_eventdata"), "{CredentialType=PASSWORD}");
    assert_eq!(
        at(&document, "aws.cloudtrail.flattened.additional_eventdata"),
        &json!({"CredentialType": "PASSWORD"})
    );
    assert_eq!(at(&document, "related.user"), &json!(["u-1", "alice@example.com"]));
}

#[test]
fn a_service_linked_role_is_a_service() {
    let document = of(&json!({
        "eventName": "DescribeInstances", "eventSource": "ec2.amazonaws.com",
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAX:s",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s",
            "sessionContext": {"sessionIssuer": {"userName": "AWSServiceRoleForX",
                "arn": "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"}}},
    }));
    assert_eq!(document["service"]["name"], "x.amazonaws.com");
    assert_eq!(document["user"], Value::Null);
    assert_eq!(
        at(&document, "service.entity.id"),
        &json!(["arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s"])
    );
    assert_eq!(at(&document, "related.user"), &json!(["s"]));
}

#[test]
fn resources_are_in_hash_order_and_the_last_of_equals_wins() {
    let document = of(&json!({"resources": [
        {"ARN": "b", "accountId": "1", "n": 1}, "no object", {"arn": "a"}, {"ARN": "b", "accountId": "1", "n": 2},
    ]}));
    let resources = at(&document, "aws.cloudtrail.resources");
    // The texts are `b_1_` and `a__`, which hash to the buckets 6 and 0 of 16.
    assert_eq!(resources, &json!([{"arn": "a"}, {"arn": "b", "account_id": "1", "n": 2}]));
}

/// The older package makes the object before it looks for payloads; the newest removes it if it stays empty.
#[test]
fn the_older_package_keeps_an_empty_object_without_payloads() {
    let of = |record: &Value, version| {
        let document = document(record.to_string(), Options { version, ..Options::default() });
        at(&document, "aws.cloudtrail.flattened").clone()
    };
    for payloads in [json!({}), json!({"requestParameters": null, "responseElements": {"a": ""}})] {
        let mut record =
            json!({"eventVersion": "1.08", "eventName": "GetCallerIdentity", "requestID": "r-1"});
        record.as_object_mut().unwrap().extend(payloads.as_object().unwrap().clone());
        assert_eq!(of(&record, Version::V2_24), json!({}), "{record}");
        assert_eq!(of(&record, Version::V8_9), Value::Null, "{record}");
    }
    let one = json!({"eventVersion": "1.08", "requestParameters": {"a": "b"}});
    assert_eq!(of(&one, Version::V2_24), json!({"request_parameters": {"a": "b"}}));
    // What nothing was put into before that step is not there to hold it.
    assert_eq!(of(&json!({"eventName": "A", "requestID": "r-1"}), Version::V2_24), Value::Null);
    assert_eq!(
        at(&document("{", Options { version: Version::V2_24, ..Options::default() }), "aws"),
        &Value::Null
    );
}

#[test]
fn retain_decides_which_copies_stay() {
    let record =
        json!({"requestParameters": {"policyArn": "p", "x": 1}, "responseElements": {"y": 2}}).to_string();
    let cases = [
        (
            Retain::All,
            true,
            json!({"request_parameters": {"policyArn": "p", "x": 1}, "response_elements": {"y": 2}}),
        ),
        (Retain::Keyword, true, Value::Null),
        (
            Retain::Flattened,
            false,
            json!({"request_parameters": {"policyArn": "p", "x": 1}, "response_elements": {"y": 2}}),
        ),
        (Retain::Minimal, true, json!({"request_parameters": {"policyArn": "p"}})),
        (Retain::None, false, Value::Null),
    ];
    for (retain, texts, flattened) in cases {
        let document = document(&record, Options { retain, ..Options::default() });
        assert_eq!(at(&document, "aws.cloudtrail.request_parameters").is_string(), texts, "{retain:?}");
        assert_eq!(at(&document, "aws.cloudtrail.flattened"), &flattened, "{retain:?}");
    }
}

#[test]
fn a_very_long_payload_has_no_flattened_copy() {
    // The rendering is `{a=` + text + `}`.
    for (len, flattened) in [(32_765 - 4, true), (32_766 - 4, false)] {
        let record = json!({"requestParameters": {"a": "x".repeat(len)}});
        assert_eq!(at(&of(&record), "aws.cloudtrail.flattened").is_object(), flattened, "{len}");
    }
}

#[test]
fn the_original_stays_where_the_tags_ask_for_it() {
    let original = |tags: &[&str], text: &str| {
        let options = Options { original: Original::Tagged, ..tagged(tags) };
        at(&document(text, options), "event.original").is_string()
    };
    assert!(!original(&["forwarded"], "{}"));
    assert!(original(&["preserve_original_event"], "{}"));
    assert!(original(&["forwarded"], "{"), "what could not be read is always kept");
}

#[test]
fn the_envelope_names_the_data_stream() {
    let options = Options { envelope: Some(Envelope { namespace: "prod".to_owned() }), ..Options::default() };
    let document = document("{}", options);
    assert_eq!(
        document["data_stream"],
        json!({"type": "logs", "dataset": "aws.cloudtrail", "namespace": "prod"})
    );
    assert_eq!(
        (&document["event"]["module"], &document["event"]["dataset"]),
        (&json!("aws"), &json!("aws.cloudtrail"))
    );
}

#[test]
fn equal_keys_count_once_the_last_wins() {
    let document = document(
        r#"{"eventName":"A","requestParameters":{"k":"x","k":""},"eventName":"B"}"#,
        Options::default(),
    );
    assert_eq!(document["event"]["action"], "B");
    assert_eq!(document["aws"], Value::Null, "the last value of the key is empty");
}

#[test]
fn ids_are_the_records_own_or_a_hash_of_its_text() {
    let mut buf = RecordBuf::default();
    assert_eq!(event_id(&buf.parse(br#"{"eventID":"e-1"}"#)), "e-1");
    let hashed: Vec<String> = [r#"{"eventID":""}"#, r#"{"eventID":1}"#, "broken", "{}"]
        .iter()
        .map(|text| event_id(&buf.parse(text.as_bytes())).into_owned())
        .collect();
    assert!(
        hashed.iter().all(|it| it.len() == 32 && it.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{hashed:?}"
    );
    assert_eq!(hashed.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn columns_of_unknown_paths_stay_empty() {
    let mut schema = block::Schema::default();
    let slot = schema.add("process.name", ecs::Shape::Leaf);
    let columns = Columns::new(&schema, Version::V8_9);
    let mut builder = block::BlockBuilder::new(schema.into());
    let mut buf = RecordBuf::default();
    let record = buf.parse(br#"{"eventName":"X"}"#);
    Normaliser::new(Options::default()).event(&record, &ReadAt::new(0)).fill(&columns, &mut builder);
    assert!(builder.finish().column(slot).row(0).is_empty());
}

#[test]
fn a_folder_without_databases_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Geo::open(folder.path()), Err(GeoError::NoDatabase { .. })));
    assert!(matches!(Geo::open(&folder.path().join("absent")), Err(GeoError::Folder { .. })));
    std::fs::write(folder.path().join("x.mmdb"), "not a database").unwrap();
    let error = Geo::open(folder.path()).unwrap_err();
    assert!(matches!(error, GeoError::Database { .. }) && error.to_string().contains("x.mmdb"), "{error}");
}

/// A number is one text, in the document as in the column beside it.
#[test]
fn large_floats_are_not_written_anew() {
    let text = r#"{"eventName":"X","requestParameters":{"n":[1e16,2.5e+20,1e-9,1E400]}}"#;
    let document = document(text, Options::default());
    let flattened = at(&document, "aws.cloudtrail.flattened.request_parameters.n");
    assert_eq!(flattened.to_string(), "[1e16,2.5e20,1e-9,1E400]");
}
