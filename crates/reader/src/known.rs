//! What objects are known by, and where in them records may be.
//!
//! Two tables say it all. [`SHAPES`] tells what an object is by its members; [`PLACES`] tells under which of them a
//! record, a list of records or a whole file may stand, as an object or as its text. They compose: whatever stands at a
//! place is looked at with the same tables. So a new envelope is a line in `PLACES`, and something new that lies about
//! beside trails and holds no records is a line in `SHAPES`. What begins just like a record as AWS writes it is one under
//! any other key, too.

/// Something that is known and is no record of CloudTrail, or none that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Other {
    /// What it is, in the plural.
    pub what: &'static str,
    /// What whoever gave it may want to give instead.
    pub advice: &'static str,
    /// Whether it may hold records, in a form that is not read.
    pub may_hold_records: bool,
}

impl Other {
    /// Whether it lies beside digest files, for whoever checks these.
    pub fn is_of_digests(&self) -> bool {
        self.advice == VERIFY
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    /// A record of CloudTrail.
    CloudTrail,
    /// A document that an ingest pipeline made of an event: it is what rules would have seen in the index, and it is not
    /// opened, though it may carry the record it was made of.
    Event,
    /// A document that a shipper may have put around a record.
    Document,
    /// Known, and no record.
    Other(Other),
}

/// An object that has all of these members is this.
pub(crate) struct Shape {
    pub(crate) has: &'static [Has],
    pub(crate) is: Is,
}

/// A member that an object has. `a.*` stands for all keys that begin with `a.`.
#[derive(Clone, Copy)]
pub(crate) enum Has {
    /// This key.
    Key(&'static str),
    /// This key, and under it neither an object nor a list.
    Scalar(&'static str),
    /// This key, and under it a text that begins so.
    Text(&'static str, &'static str),
    /// This key, and under it an object that has the other one.
    Inner(&'static str, &'static str),
    /// This key, and under it an object that has the other one, and under that a text that begins so.
    InnerText(&'static str, &'static str, &'static str),
}

use Has::{Inner, InnerText, Key, Scalar, Text};

/// A place where records may stand.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) key: &'static str,
    pub(crate) holds: Holds,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Records, files and other envelopes, or something else.
    Anything,
    /// The same, and a text may be in Base64, compressed or not.
    Base64,
    /// A document of an index, whatever it looks like.
    Source,
    /// The same, if the object has an `_id` or `_index`.
    Fields,
}

const fn place(key: &'static str) -> Place {
    Place { key, holds: Holds::Anything }
}

/// Where records may stand, in the order in which the places are tried: the first that holds any is the one, for shippers
/// like to keep one record twice.
pub(crate) const PLACES: &[Place] = &[
    // A search hit; with every value in a list as Kibana shows it.
    Place { key: "_source", holds: Holds::Source },
    Place { key: "fields", holds: Holds::Fields },
    // Files of CloudTrail, split or not; LookupEvents; CloudTrail Lake; EventBridge.
    place("Records"),
    place("CloudTrailEvent"),
    place("Events"),
    place("eventJson"),
    place("detail"),
    // CloudWatch Logs: a subscription, an export, an answer, Logs Insights.
    place("awslogs"),
    place("logEvents"),
    place("events"),
    place("@message"),
    // SNS, SQS, Kinesis, Firehose, as answers and as Lambda gets them.
    place("Sns"),
    place("Message"),
    place("Messages"),
    place("Body"),
    place("body"),
    place("kinesis"),
    Place { key: "data", holds: Holds::Base64 },
    place("records"),
    // Answers of CloudTrail Lake and of Athena.
    place("QueryResultRows"),
    place("ResultSet"),
    place("Rows"),
    place("Data"),
    place("VarCharValue"),
    // Elastic, Logstash, Fluent Bit, Vector, Loki, Kafka.
    place("event.original"),
    place("event"),
    place("original"),
    place("message"),
    place("json"),
    place("log"),
    place("record"),
    place("value"),
    place("line"),
    // Splunk, Wazuh, others.
    place("_raw"),
    place("raw"),
    place("result"),
    place("results"),
    place("aws"),
    place("hits"),
];

/// Arrays under these keys of a file's outermost object are gone through without holding all of them.
pub(crate) const ARRAYS: &[&str] =
    &["Records", "Events", "events", "logEvents", "Messages", "records", "results"];

/// Members of such an object that may come before the array and are passed.
pub(crate) const BEFORE_ARRAYS: &[&str] = &[
    "_shards",
    "_clusters",
    "total",
    "subscriptionFilters",
    "messages",
    "fields",
    "highlighted",
    "statistics",
];

/// The keys of CloudTrail's records that nothing else has on its first level, of events, of Insights and of digests.
pub(crate) const CLOUDTRAIL_KEYS: [&str; 8] = [
    "eventVersion",
    "eventSource",
    "eventName",
    "userIdentity",
    "eventID",
    "recipientAccountId",
    "digestStartTime",
    "digestS3Bucket",
];

/// Keys that say that an object is a document, or around one.
pub(crate) const DOCUMENT_KEYS: [&str; 7] =
    ["@timestamp", "ecs", "ecs.version", "event.action", "_id", "_index", "kibana.alert.uuid"];

/// Words at the beginning of texts that are wanted whole where texts are told: digest files, and what S3 says of them.
pub(crate) const KEPT_TEXTS: &[&str] =
    &["\"digestStartTime\"", "\"digestEndTime\"", "\"digestS3Object\"", "\"Metadata\""];

const fn none(what: &'static str, advice: &'static str) -> Other {
    Other { what, advice, may_hold_records: false }
}

const fn unread(what: &'static str, advice: &'static str) -> Other {
    Other { what, advice, may_hold_records: true }
}

const fn other(what: &'static str, advice: &'static str) -> Is {
    Is::Other(none(what, advice))
}

const FILES: &str = "give the files of the trail that they are about";
const PIPELINE: &str = "give them to a pipeline that makes ECS documents of them, and hunt in those";
const LEAVE_OUT: &str = "leave them out";
const VERIFY: &str = "`trailwarden verify` makes use of them";

/// What objects are, the first line that fits counts.
pub(crate) const SHAPES: &[Shape] = &[
    // CloudTrail's `eventSource` is the name of a host. What begins with `aws:` announces something else.
    Shape { has: &[Text("eventSource", "aws:s3")], is: other("S3 event notifications", FILES) },
    Shape { has: &[Text("eventSource", "aws:sqs")], is: other("SQS messages without a record", FILES) },
    Shape { has: &[Text("EventSource", "aws:sns")], is: other("SNS notifications without a record", FILES) },
    Shape {
        has: &[Text("eventSource", "aws:kinesis")],
        is: other("Kinesis records without a CloudTrail record", FILES),
    },
    Shape { has: &[Text("eventSource", "aws:dynamodb")], is: other("DynamoDB stream records", LEAVE_OUT) },
    Shape {
        has: &[Text("eventSource", "aws:")],
        is: other("events of an AWS service as Lambda gets them", LEAVE_OUT),
    },
    Shape { has: &[Scalar("eventSource")], is: Is::CloudTrail },
    // What an ingest pipeline made, or says that it could not make. An alert is no copy of the record that it is about.
    Shape { has: &[Key("event.action")], is: Is::Event },
    Shape { has: &[Inner("event", "action")], is: Is::Event },
    Shape { has: &[Key("aws.cloudtrail.*")], is: Is::Event },
    Shape { has: &[Inner("aws", "cloudtrail")], is: Is::Event },
    Shape { has: &[Key("kibana.alert.uuid")], is: Is::Event },
    Shape { has: &[Inner("kibana", "alert")], is: Is::Event },
    Shape { has: &[Text("event.kind", "pipeline_error")], is: Is::Event },
    Shape { has: &[InnerText("event", "kind", "pipeline_error")], is: Is::Event },
    // Records that lack their source, or that say too little to be sure: what reads them will tell.
    Shape { has: &[Key("eventVersion")], is: Is::CloudTrail },
    Shape { has: &[Scalar("eventName")], is: Is::CloudTrail },
    Shape { has: &[Key("userIdentity")], is: Is::CloudTrail },
    Shape { has: &[Scalar("eventID")], is: Is::CloudTrail },
    Shape { has: &[Key("recipientAccountId")], is: Is::CloudTrail },
    Shape { has: &[Key("digestStartTime")], is: Is::CloudTrail },
    Shape { has: &[Key("digestS3Bucket")], is: Is::CloudTrail },
    Shape { has: &[Key("@timestamp")], is: Is::Document },
    Shape { has: &[Key("ecs")], is: Is::Document },
    Shape { has: &[Key("ecs.version")], is: Is::Document },
    // What lies beside digest files. The commands of the AWS CLI print it.
    Shape { has: &[Inner("Metadata", "signature")], is: other("metadata of digest files", VERIFY) },
    Shape { has: &[Key("PublicKeyList")], is: other("public keys of CloudTrail", VERIFY) },
    // Of AWS.
    Shape {
        has: &[Key("detail-type"), Text("source", "aws.guardduty")],
        is: other("GuardDuty findings", PIPELINE),
    },
    Shape {
        has: &[Key("detail-type"), Text("source", "aws.s3")],
        is: other("S3 event notifications", FILES),
    },
    Shape {
        has: &[Key("detail-type"), Key("detail")],
        is: other("EventBridge events of other kinds", LEAVE_OUT),
    },
    Shape {
        has: &[Key("Type"), Key("TopicArn"), Key("Message")],
        is: other("SNS notifications without a record", FILES),
    },
    Shape { has: &[Key("MessageId"), Key("Body")], is: other("SQS messages without a record", FILES) },
    Shape {
        has: &[Key("messageId"), Key("receiptHandle")],
        is: other("SQS messages without a record", FILES),
    },
    Shape { has: &[Text("Service", "Amazon S3"), Key("Event")], is: other("S3 test notifications", FILES) },
    Shape {
        has: &[Key("s3Bucket"), Key("s3ObjectKey")],
        is: other("notices that a file of a trail was delivered", FILES),
    },
    Shape {
        has: &[Text("messageType", "CONTROL_MESSAGE")],
        is: other("control messages of CloudWatch Logs", LEAVE_OUT),
    },
    Shape {
        has: &[Key("schemaVersion"), Key("service"), Key("severity")],
        is: other("GuardDuty findings", PIPELINE),
    },
    Shape {
        has: &[Key("SchemaVersion"), Key("Service"), Key("Severity")],
        is: other("GuardDuty findings", PIPELINE),
    },
    Shape { has: &[Key("SchemaVersion"), Key("ProductArn")], is: other("Security Hub findings", PIPELINE) },
    Shape { has: &[Key("configurationItems")], is: other("AWS Config histories", LEAVE_OUT) },
    Shape { has: &[Key("configurationItemStatus")], is: other("AWS Config histories", LEAVE_OUT) },
    Shape { has: &[Key("webaclId"), Key("httpRequest")], is: other("AWS WAF logs", PIPELINE) },
    Shape { has: &[Key("query_name"), Key("srcaddr")], is: other("Route 53 resolver query logs", PIPELINE) },
    Shape { has: &[Key("srcaddr"), Key("dstaddr")], is: other("VPC flow logs", PIPELINE) },
    Shape {
        has: &[Key("class_uid"), Key("metadata")],
        is: Is::Other(unread(
            "OCSF events",
            "OCSF is not read: give CloudTrail's own files, which lie in the trail's bucket and not in Security Lake's",
        )),
    },
    // Of others.
    Shape { has: &[Key("protoPayload"), Key("logName")], is: other("Google Cloud audit logs", PIPELINE) },
    Shape {
        has: &[Key("operationName"), Key("resourceId")],
        is: other("Azure logs (activity, sign-in, resources)", PIPELINE),
    },
    Shape {
        has: &[Key("operationName"), Key("correlationId")],
        is: other("Azure logs (activity, sign-in, resources)", PIPELINE),
    },
    Shape {
        has: &[Key("Workload"), Key("RecordType"), Key("Operation")],
        is: other("Microsoft 365 audit logs", PIPELINE),
    },
    Shape { has: &[Key("legacyEventType"), Key("published")], is: other("Okta system logs", PIPELINE) },
    Shape { has: &[Key("auditID"), Key("verb")], is: other("Kubernetes audit logs", PIPELINE) },
];

const UNPACK: &str = "unpack them first and give the folder";

/// What files are whose first bytes are these, and which are not text.
pub(crate) const MAGICS: &[(&[u8], Other)] = &[
    (b"PAR1", PARQUET_FILE),
    (b"ORC", unread("ORC files", "give the trail's own files, or export the records as JSON")),
    (b"Obj\x01", unread("Avro files", "give the trail's own files, or export the records as JSON")),
    (b"7z\xBC\xAF\x27\x1C", unread("7-Zip archives", UNPACK)),
    (b"Rar!\x1A\x07", unread("RAR archives", UNPACK)),
    (b"\x04\x22\x4D\x18", unread("LZ4 files", UNPACK)),
    (b"\xFF\x06\x00\x00sNaPpY", unread("Snappy files", UNPACK)),
    (b"SQLite format 3\0", unread("SQLite databases", "export the records as JSON")),
    (b"ElfFile\0", none("Windows event logs", PIPELINE)),
    (b"%PDF", none("PDF documents", LEAVE_OUT)),
    (b"\xD4\xC3\xB2\xA1", none("network captures", LEAVE_OUT)),
    (b"\x0A\x0D\x0D\x0A", none("network captures", LEAVE_OUT)),
];

/// What texts are that begin so: `9` is any digit, `~` any hexadecimal one.
pub(crate) const TEXTS: &[(&str, Other)] = &[
    ("version account-id", none("VPC flow logs", PIPELINE)),
    ("9 999999999999 eni-", none("VPC flow logs", PIPELINE)),
    ("http 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("https 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("h2 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("ws 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("wss 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("grpcs 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    ("tls 9.9 9999-99-99T", none("access logs of a load balancer", PIPELINE)),
    (
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ ",
        none("access logs of S3", PIPELINE),
    ),
    ("#Version:", none("logs of CloudFront or a web server", PIPELINE)),
    ("#Fields:", none("logs of CloudFront or a web server", PIPELINE)),
    ("CEF:9|", none("events in CEF", PIPELINE)),
    ("LEEF:9", none("events in LEEF", PIPELINE)),
    ("<?xml", none("XML files", "if a download was meant, look at what it says: it may be an error")),
    (
        "<!DOCTYPE",
        none("web pages", "if a download was meant, look at what it says: it may ask for a log-in"),
    ),
    ("<html", none("web pages", "if a download was meant, look at what it says: it may ask for a log-in")),
    (
        "version https://git-lfs",
        unread("pointers of Git LFS", "fetch what they point to with `git lfs pull`"),
    ),
];

/// A table whose columns are parts of records.
pub(crate) const FLAT_TABLE: Other = unread(
    "rows of a table whose columns are parts of records",
    "select the whole record: `eventJson` in CloudTrail Lake; of an Athena table give the files it was made from \
     (`SELECT DISTINCT \"$path\"`)",
);

/// Parquet files of which nothing is read.
pub(crate) const PARQUET_FILE: Other = unread(
    "Parquet files",
    "export the `eventJson` column of CloudTrail Lake as CSV or JSON, or give the trail's own files",
);

/// Parquet files of Security Lake.
#[cfg(feature = "parquet")]
pub(crate) const OCSF_FILE: Other = unread(
    "OCSF events in Parquet, as Security Lake has them",
    "OCSF is not read: give CloudTrail's own files, which lie in the trail's bucket and not in Security Lake's",
);

/// Keys of records as the columns of such a table have them, without regard to letter case, spaces and `_`.
pub(crate) const FLAT_COLUMNS: [&str; 8] = [
    "eventversion",
    "useridentity",
    "eventtime",
    "eventsource",
    "eventname",
    "awsregion",
    "sourceipaddress",
    "eventid",
];

/// A table of something else.
pub(crate) const TABLE: Other = unread(
    "rows of a table without a column of records",
    "export the column that holds the record as JSON: `eventJson`, `@message`, `_raw`",
);
