//! Columns hold exactly what documents hold: on records made at random, for every path of the catalogue and for
//! paths into the payloads.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod common;

use std::sync::{Arc, LazyLock};

use block::{Block, BlockBuilder, RowInfo, Schema};
use cloudtrail::{
    Columns, Envelope, Fields, Normaliser, Options, Original, ReadAt, Record, RecordBuf, Retain, Version,
};
use ecs::{Catalog, FieldType, Object, Shape, TextDocument, Wanted};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Paths that the catalogue does not have: into payloads, into what should be a text, what resembles multi-fields.
const OTHERS: [&str; 13] = [
    "aws.cloudtrail.flattened.request_parameters.userName",
    "aws.cloudtrail.flattened.request_parameters.a.b",
    "aws.cloudtrail.flattened.request_parameters.items.a.b",
    "aws.cloudtrail.flattened.request_parameters.policyArn",
    "aws.cloudtrail.flattened.additional_eventdata.UserName",
    "aws.cloudtrail.flattened.response_elements.instancesSet.items.instanceId",
    "aws.cloudtrail.flattened.digest.log_files.a",
    "aws.cloudtrail.resources.ARNPrefix",
    "event.action.a",
    "event.action.text",
    "user.name.a.b",
    "source.geo.location.lat",
    "error.message",
];

/// All columns, and what finds their values in a document.
struct Columnar {
    schema: Arc<Schema>,
    wanted: Wanted,
}

static ALL: LazyLock<Columnar> = LazyLock::new(|| {
    let mut schema = Schema::default();
    for (path, mapping) in Catalog::ecs().iter() {
        schema.add(path, Shape::Leaf);
        if mapping.ty == FieldType::Flattened {
            schema.add(path, Shape::FlattenedRoot);
        }
    }
    for path in OTHERS {
        schema.add(path, Shape::Leaf);
    }
    let wanted = Wanted::new(schema.columns().map(|(slot, path, shape)| (slot.index() as u32, path, shape)));
    Columnar { schema: Arc::new(schema), wanted }
});

static COLUMNS: LazyLock<[(Version, Columns); 3]> = LazyLock::new(|| {
    [Version::V8_9, Version::V2_24, Version::Filebeat]
        .map(|version| (version, Columns::new(&ALL.schema, version)))
});

/// Fills rows and compares every column of each with the document.
struct Checker {
    normaliser: Normaliser,
    columns: &'static Columns,
    buf: RecordBuf,
    texts: Texts,
}

/// Documents as text: of all fields, and of a few.
struct Texts {
    all: Fields,
    some: Fields,
    document: TextDocument,
}

/// The fields of a part of the documents: one whole object, one below a field, one field, and none.
const SOME: [&str; 4] =
    ["user", "aws.cloudtrail.flattened.request_parameters.a", "event.action", "event.actions"];

impl Texts {
    fn new(version: Version) -> Self {
        Self {
            all: Fields::all(version),
            some: Fields::at(version, &SOME),
            document: TextDocument::new(cloudtrail::paths(version)),
        }
    }

    fn check(
        &mut self,
        normaliser: &mut Normaliser,
        record: &Record<'_>,
        document: &Object,
    ) -> Result<(), String> {
        let read_at = ReadAt::new(1_700_000_000_123);
        let mut written = |fields: &Fields| {
            self.document.clear();
            normaliser.text(record, &read_at, fields, &mut self.document);
            let mut text = String::new();
            self.document.write_json(&mut text);
            text
        };
        let (all, some) = (written(&self.all), written(&self.some));
        let tree = Value::Object(document.clone()).to_string();
        if all != tree {
            return Err(format!("as text:\n{all}\nas a tree:\n{tree}"));
        }
        let Ok(Value::Object(some)) = ecs::json::parse(&some) else {
            return Err(format!("no object: {some}"));
        };
        let lookup = |document: &Object, path: &str| {
            let mut value = Value::Object(document.clone());
            for key in path.split('.') {
                value = value.get(key)?.clone();
            }
            Some(value)
        };
        for path in ["user", "aws.cloudtrail.flattened.request_parameters", "event.action"] {
            if lookup(&some, path) != lookup(document, path) {
                return Err(format!("{path} in\n{some:?}\nis another in\n{document:?}"));
            }
        }
        if lookup(&some, "event.provider").is_some() || lookup(&some, "cloud").is_some() {
            return Err(format!("more than was asked for: {some:?}"));
        }
        Ok(())
    }
}

impl Checker {
    fn new(options: &Options) -> Self {
        let (_, columns) =
            COLUMNS.iter().find(|(version, _)| *version == options.version).expect("all are there");
        Self {
            normaliser: Normaliser::new(options.clone()),
            columns,
            buf: RecordBuf::default(),
            texts: Texts::new(options.version),
        }
    }

    /// Records become the rows of one block.
    fn check(&mut self, texts: &[impl AsRef<[u8]>]) -> Result<(), String> {
        let Self { normaliser, columns, buf, texts: as_text } = self;
        let read_at = ReadAt::new(1_700_000_000_123);
        let mut builder = BlockBuilder::new(Arc::clone(&ALL.schema));
        let mut documents = Vec::new();
        for text in texts {
            let record = buf.parse(text.as_ref());
            let document = normaliser.document(&record, &read_at);
            as_text.check(normaliser, &record, &document)?;
            let mut event = normaliser.event(&record, &read_at);
            event.fill(columns, &mut builder);
            let head = event.head();
            let (id, timestamp) = (&*head.id, head.timestamp);
            builder.end_row(RowInfo { id, index: 0, timestamp, origin: block::Origin::default() });
            let documents_time = document["@timestamp"].as_str().and_then(cloudtrail::parse_time);
            if documents_time != Some(timestamp) {
                return Err(format!("the row is of {timestamp}, the document of {documents_time:?}"));
            }
            documents.push(document);
        }
        let block = builder.finish();
        for (row, document) in documents.iter().enumerate() {
            compare(&block, row, document)?;
            // Printed and read again it is still the same, the texts of its numbers too.
            let printed = Value::Object(document.clone()).to_string();
            let again = ecs::json::parse(&printed).map_err(|error| format!("{error}: {printed}"))?;
            compare(&block, row, again.as_object().ok_or("it was an object")?)?;
        }
        Ok(())
    }
}

fn compare(block: &Block, row: usize, document: &Object) -> Result<(), String> {
    let mut expected = vec![Vec::new(); ALL.schema.len()];
    ALL.wanted.walk(document, &mut |id, value| expected[id as usize].push(format!("{value:?}")));
    let mut seen = 0;
    for (slot, path, shape) in ALL.schema.columns() {
        let column = block.column(slot);
        if column.row(row).is_empty() && expected[slot.index()].is_empty() {
            continue;
        }
        let got: Vec<String> = column.row(row).iter().map(|&it| format!("{:?}", column.value(it))).collect();
        let wanted = &expected[slot.index()];
        if got != *wanted {
            let shown = Value::Object(document.clone()).to_string();
            return Err(format!("{path} ({shape:?})\n  column:   {got:?}\n  document: {wanted:?}\n{shown}"));
        }
        seen += got.len();
    }
    if seen == 0 { Err("no column has a value".to_owned()) } else { Ok(()) }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "", "-", "none", "No", "Yes", "x", "alice", "alice@example.com", "true", "i-0123456789abcdef0",
            "arn:aws:sts::111122223333:assumed-role/ops/alice@example.com",
            "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0", "AKIAIOSFODNN7EXAMPLE", "sg-1",
            "203.0.113.7", "2001:db8::1", "ec2.amazonaws.com", "TLSv1.3", "1.2", "tlsVersion",
            "2026-02-03T04:05:06Z", "20260203T040506Z", "AssumedRole", "IAMUser", "AWSService", "IdentityCenterUser",
            "aws-cli/2.15.0 Python/3.11.6 Linux/6.1.0", "\u{e9}\u{1f600}\n\"",
        ]).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => prop::sample::select(vec!["0.5", "1e7", "1e-7", "3.0", "123456789012345678901234567890", "18446744073709551615", "-0", "1e400", "1E400",
                "1e16", "1E16", "1.5e+300", "1e-9", "-123456789012345680000.5"])
            .prop_map(|it| Value::Number(serde_json::Number::from_string_unchecked(it.to_owned()))),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 5, |inner| {
        let key = prop::sample::select(vec![
            "a",
            "b",
            "a.b",
            "items",
            "userName",
            "newUserName",
            "groupName",
            "UserName",
            "MobileVersion",
            "MFAUsed",
            "LoginTo",
            "ConsoleLogin",
            "policyArn",
            "fromPort",
            "instancesSet",
            "instanceId",
            "target",
            "roleArn",
            "instanceIds",
            "ARN",
            "arn",
            "accountId",
            "type",
            "user",
            "group",
            "userId",
            "groupId",
            "key",
            "value",
            "securityGroupRuleSet",
            "securityGroupRuleId",
            "sourceIpAddress",
            "targets",
            "values",
            "ruleNumber",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|it| it.into_iter().collect()),
        ]
    })
}

/// A key with the values it mostly has, or with any other.
fn keyed(
    key: &'static str,
    usual: &'static [&'static str],
) -> impl Strategy<Value = Option<(String, Value)>> {
    let usual = prop::sample::select(usual.to_vec()).prop_map(Value::from);
    let value = prop_oneof![6 => usual, 1 => value()];
    prop::option::weighted(0.8, value).prop_map(move |it| it.map(|it| (key.to_owned(), it)))
}

fn object(parts: Vec<BoxedStrategy<Option<(String, Value)>>>) -> impl Strategy<Value = Value> {
    parts.prop_map(|it| it.into_iter().flatten().collect())
}

fn record() -> impl Strategy<Value = Value> {
    let names = [
        "ConsoleLogin",
        "AssumeRole",
        "RunInstances",
        "SendCommand",
        "CreateUser",
        "UserAuthentication",
        "AuthorizeSecurityGroupIngress",
        "DeleteNetworkAclEntry",
        "GetCallerIdentity",
    ];
    let sources = [
        "ec2.amazonaws.com",
        "sts.amazonaws.com",
        "iam.amazonaws.com",
        "ssm.amazonaws.com",
        "signin.amazonaws.com",
        "example.com",
    ];
    let arns = [
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:sts::111122223333:assumed-role/ops/bob@example.com",
    ];
    let issuer = object(vec![
        keyed(
            "arn",
            &[
                "arn:aws:iam::111122223333:role/ops",
                "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/X",
            ],
        )
        .boxed(),
        keyed("userName", &["ops"]).boxed(),
        keyed("type", &["Role"]).boxed(),
    ]);
    let attributes = object(vec![
        keyed("creationDate", &["2026-02-03T04:00:00Z", "20260203T040000Z", "soon"]).boxed(),
        keyed("mfaAuthenticated", &["true", "false"]).boxed(),
    ]);
    let session = (issuer, attributes, value())
        .prop_map(|(issuer, attributes, any)| json!({"sessionIssuer": issuer, "attributes": attributes, "webIdFederationData": any}));
    let names: &'static [&'static str] = names.to_vec().leak();
    let sources: &'static [&'static str] = sources.to_vec().leak();
    let arns: &'static [&'static str] = arns.to_vec().leak();
    let identity = (
        object(vec![
            keyed(
                "type",
                &["AssumedRole", "IAMUser", "AWSService", "IdentityCenterUser", "FederatedUser", "Root"],
            )
            .boxed(),
            keyed("arn", arns).boxed(),
            keyed("userName", &["alice", "alice@example.com"]).boxed(),
            keyed("principalId", &["AIDAEXAMPLE"]).boxed(),
            keyed("accountId", &["111122223333"]).boxed(),
            keyed("invokedBy", &["ssm.amazonaws.com", "signin.amazonaws.com"]).boxed(),
            keyed("onBehalfOf", &["x"]).boxed(),
        ]),
        session,
    )
        .prop_map(|(mut identity, session)| {
            identity["sessionContext"] = session;
            identity
        });
    let mut parts = vec![
        keyed("eventTime", &["2026-02-03T04:05:06Z", "2026-02-03T04:05:06.789+01:00", "never"]).boxed(),
        keyed("eventName", names).boxed(),
        keyed("eventSource", sources).boxed(),
        keyed(
            "userAgent",
            &["Boto3/1.34.2 md/Botocore#1.34.2 os/linux#6.1.0", "AWS Internal", "signin.amazonaws.com"],
        )
        .boxed(),
        keyed("sourceIPAddress", &["203.0.113.7", "2001:db8::1", "AWS Internal", "host.example.com"]).boxed(),
        keyed("digestEndTime", &["2026-02-03T05:00:00Z", "", ""]).boxed(),
    ];
    for key in [
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "serviceEventDetails",
        "resources",
        "tlsDetails",
        "addendum",
        "insightDetails",
        "logFiles",
        "eventID",
        "readOnly",
        "managementEvent",
        "errorCode",
        "sharedEventID",
        "recipientAccountId",
        "previousDigestHashValue",
        "eventVersion",
        "@timestamp",
    ] {
        let it = prop::option::weighted(0.6, value()).prop_map(move |it| it.map(|it| (key.to_owned(), it)));
        parts.push(it.boxed());
    }
    (object(parts), identity).prop_map(|(mut record, identity)| {
        record["userIdentity"] = identity;
        record
    })
}

fn options() -> impl Strategy<Value = Options> {
    (
        prop::sample::select(vec![Version::V8_9, Version::V8_9, Version::V2_24, Version::Filebeat]),
        prop::sample::select(vec![
            Retain::All,
            Retain::All,
            Retain::Minimal,
            Retain::Keyword,
            Retain::Flattened,
            Retain::None,
        ]),
        prop::sample::select(vec![Original::Keep, Original::Tagged]),
        prop::sample::subsequence(
            vec!["forwarded", "actor_target_mapping", "preserve_original_event"],
            0..=3,
        ),
        any::<bool>(),
    )
        .prop_map(|(version, retain, original, tags, envelope)| Options {
            version,
            retain,
            original,
            tags: tags.into_iter().map(str::to_owned).collect(),
            envelope: envelope.then(Envelope::default),
            geo: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_hold_what_documents_hold(records in prop::collection::vec(record(), 1..4), options in options()) {
        let texts: Vec<String> = records.iter().map(ToString::to_string).collect();
        Checker::new(&options).check(&texts).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_text_is_too_broken(text in "[\\[{}\\]\",:a0-9eE.+-]{0,40}", options in options()) {
        Checker::new(&options).check(&[text]).map_err(TestCaseError::fail)?;
    }
}

/// What a generator of JSON values does not write.
#[test]
fn columns_hold_what_documents_hold_on_odd_texts() {
    let texts = [
        r#"{"requestParameters":{"a":1e400,"b":123456789012345678901234567890,"a":{"b":-1E+999},"c":-0}}"#,
        r#"{"requestParameters":{"":{"a":1},"a":{"":2,"b":3},"a.b":4,"policyArn.":5},"eventName":"A","eventName":"B"}"#,
        r#"{"resources":[{"ARN":"x","arn":"y","accountId":"1"},{"arn":["z",{"a":1}]},{"ARN":"x","accountId":"1"}]}"#,
        r#"{"requestParameters":"text","responseElements":[1,[2,"none"]],"additionalEventData":7}"#,
        r#"{"digestEndTime":"2026-02-03T05:00:00Z","logFiles":[{"a":1},{"a":[2,3]}],"previousDigestHashValue":["x"]}"#,
        "{}",
        "",
        "{",
    ];
    for version in [Version::V8_9, Version::V2_24, Version::Filebeat] {
        Checker::new(&Options { version, ..Options::default() }).check(&texts).unwrap();
    }
}

/// The same on all records of the shared data.
#[test]
fn columns_hold_what_documents_hold_on_real_records() {
    let Some(data) = common::data() else { return };
    let all = Options {
        tags: vec!["forwarded".to_owned(), "actor_target_mapping".to_owned()],
        envelope: Some(Envelope::default()),
        geo: Some(Arc::new(cloudtrail::Geo::open(&data.join("geoip-test")).unwrap())),
        ..Options::default()
    };
    let mut checker = Checker::new(&all);
    let records = common::records(&data).unwrap();
    assert!(records.len() > 20_000, "only {} records were found", records.len());
    for batch in records.chunks(512) {
        if let Err(difference) = checker.check(batch) {
            panic!("{difference}");
        }
    }
}
