//! Records alert as the documents that are made of them: whatever a hunt leaves out for records (columns, rows, texts) it
//! does not leave out for documents.

use detect::Mode;
use hunt::{HuntOptions, NormalizeOptions, Progress};
use proptest::prelude::*;
use rule::Rule;
use serde_json::{Value, json};

use crate::setup::{DAY_ONE, Folder, Hunted, MINUTE, NOW, REPLAY, normalise, options};

fn of<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = T> + Clone {
    prop::sample::select(values)
}

/// Fields that there are, parents, patterns, and some that there are not, a line each.
fn fields() -> Vec<&'static str> {
    include_str!("../cases/fields.txt").lines().collect()
}

/// What a field may be asked for, a line each.
fn values() -> Vec<&'static str> {
    include_str!("../cases/values.txt").lines().collect()
}

fn leaf() -> impl Strategy<Value = String> {
    let call = (
        of(vec!["event.action", "event.action", "event.provider"]),
        of(vec![
            "GetPasswordData",
            "RunInstances",
            "(GetPasswordData or Decrypt)",
            "ConsoleLogin",
            "A",
            "*",
            "\"\"",
            "none",
            "\"-\"",
            "7",
            "true",
            "Get*",
            "ec2.amazonaws.com",
            "signin.amazonaws.com",
            "p",
            "(not A)",
            "\"1e400\"",
            "1E400",
        ]),
    )
        .prop_map(|(f, v)| format!("{f}: {v}"));
    let any = (of(fields()), of(values())).prop_map(|(f, v)| format!("{f}: {v}"));
    let exists = of(fields()).prop_map(|f| format!("{f}: *"));
    let range = (
        of(fields()),
        of(vec![">", ">=", "<", "<="]),
        of(vec!["\"2026-03-02T00:00:00Z\"", "now-58d", "7", "A", "m", "\"203.0.113.20\""]),
    )
        .prop_map(|(f, o, v)| format!("{f} {o} {v}"));
    let free = of(values()).prop_map(str::to_owned);
    prop_oneof![4 => call, 5 => any, 3 => exists, 1 => range, 1 => free]
}

fn query() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(|it| format!("({})", it.join(" and "))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|it| format!("({})", it.join(" or "))),
            2 => inner.prop_map(|it| format!("(not {it})")),
        ]
    })
}

/// A query about few calls, about something else first, or about anything.
fn text() -> impl Strategy<Value = String> {
    let first = of(vec![
        "event.action: GetPasswordData and",
        "event.action: (RunInstances or ConsoleLogin) and",
        "event.action: (A or 7) and",
        "event.provider: ec2.amazonaws.com and",
        "event.provider: ec2.amazonaws.com and event.action: RunInstances and",
        "not event.action: * and",
        "not event.provider: * and",
        "not event.action: (A or RunInstances) and",
        "user.name: x and",
        "aws.cloudtrail.user_identity.access_key_id: AKIA* and",
        "aws.cloudtrail.user_identity.type: Root and",
        "aws.cloudtrail.user_identity.session_context.session_issuer.arn: (*role/a* or *role/b or *c) and",
        "user.id: (x or *y) and not",
        "event.action: GetPasswordData and not",
        "event.action: RunInstances or",
    ]);
    prop_oneof![3 => query(), 7 => (first, query()).prop_map(|(a, b)| format!("{a} ({b})")), 1 => Just(String::new())]
}

/// Filters as Kibana keeps them beside the query.
fn filters() -> impl Strategy<Value = String> {
    let name = of(fields());
    let value = of(values());
    let one = (name, value, 0..7, any::<bool>()).prop_map(|(f, v, kind, negate)| {
        let f = serde_json::to_string(f).unwrap();
        let v = serde_json::to_string(v.trim_matches('"')).unwrap();
        let q = match kind {
            0 => format!("{{ match_phrase = {{ {f} = {v} }} }}"),
            1 => format!("{{ term = {{ {f} = {v} }} }}"),
            2 => format!("{{ exists = {{ field = {f} }} }}"),
            3 => format!("{{ wildcard = {{ {f} = {{ value = {v}, case_insensitive = true }} }} }}"),
            4 => format!("{{ bool = {{ must_not = [{{ term = {{ {f} = {v} }} }}] }} }}"),
            5 => format!("{{ regexp = {{ {f} = \"[A-Za-z]+\" }} }}"),
            _ => format!("{{ bool = {{ should = [{{ prefix = {{ {f} = \"A\" }} }}, {{ terms = {{ {f} = [{v}, \"A\"] }} }}], minimum_should_match = 1 }} }}"),
        };
        format!("{{ meta = {{ negate = {negate} }}, query = {q} }}")
    });
    prop::collection::vec(one, 0..3)
        .prop_map(|it| if it.is_empty() { String::new() } else { format!("filters = [{}]\n", it.join(", ")) })
}

/// A rule file.
fn rule() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec(of(fields()), 1..4);
    let over = of(vec![
        "",
        "",
        "",
        "timestamp_override = \"event.ingested\"\n",
        "timestamp_override = \"event.created\"\n",
        "timestamp_override = \"aws.cloudtrail.user_identity.session_context.creation_date\"\n",
        "timestamp_override = \"@timestamp\"\n",
    ]);
    let index = of(vec![
        "",
        "",
        "",
        "index = [\"logs-*\"]\n",
        "index = [\"filebeat-*\", \"logs-aws*\"]\n",
        "index = [\"*\", \"-logs-aws*\"]\n",
    ]);
    (text(), filters(), fields, 0..5, over, index).prop_map(|(query, filters, fields, kind, over, index)| {
        let query = serde_json::to_string(&query).unwrap();
        let base = format!("[rule]\nname = \"NAME\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 21\nquery = {query}\n{filters}{over}{index}");
        if kind < 2 {
            format!("{base}type = \"new_terms\"\n[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = {fields:?}\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-7d\"\n")
        } else {
            format!("{base}type = \"query\"\n")
        }
    })
}

fn v<T: Into<Value>>(it: T) -> Value {
    it.into()
}

/// A record, odd in one respect or another.
fn record() -> impl Strategy<Value = Value> {
    let action = || {
        of(vec![
            v("GetPasswordData"),
            v("GetPasswordData"),
            v("RunInstances"),
            v("RunInstances"),
            v("ConsoleLogin"),
            v("UserAuthentication"),
            v("A"),
            v("Decrypt"),
            v("CreateUser"),
            v("StartSession"),
            v("DescribeInstances"),
            Value::Null,
            v(""),
            v("-"),
            v("none"),
            v(7),
            v(true),
            v(7.0),
            v(["A", "GetPasswordData"]),
            json!([null]),
            json!({"a": "A"}),
            json!([]),
            v(" GetPasswordData"),
            v("getpassworddata"),
            serde_json::from_str("1E400").unwrap(),
            v("x".repeat(1100)),
        ])
    };
    let source = of(vec![
        v("ec2.amazonaws.com"),
        v("ec2.amazonaws.com"),
        v("signin.amazonaws.com"),
        v("kms.amazonaws.com"),
        v("p"),
        Value::Null,
        v(""),
        v("-"),
        v("none"),
        v(7),
        v(["p", "ec2.amazonaws.com"]),
        json!({"k": 1}),
    ]);
    let code = of(vec![
        Value::Null,
        Value::Null,
        v("AccessDenied"),
        v("Client.UnauthorizedOperation"),
        v(7),
        v(["AccessDenied"]),
    ]);
    let agent = of(vec![
        v("aws-cli/2.15.30 md/Botocore"),
        v("curl/8.1"),
        v("Boto3/1.2 Python/3.9"),
        v(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        ),
        Value::Null,
        v(""),
        json!({"a": 1}),
        v(7),
        v("-"),
    ]);
    let kind = of(vec![
        v("IAMUser"),
        v("Root"),
        v("AssumedRole"),
        v("AWSService"),
        v("IdentityCenterUser"),
        v("FederatedUser"),
        Value::Null,
        v(["Root", "IAMUser"]),
        v("-"),
    ]);
    let name = of(vec![
        v("x"),
        v("root"),
        v("审计"),
        v("ada@example.com"),
        Value::Null,
        v(""),
        v(7),
        v(["x", "y"]),
        v("none"),
        v("k"),
    ]);
    let key = of(vec![Value::Null, v("ASIA1"), v("AKIA1"), v("AKIA2"), v(["ASIA2", "AKIA1"]), v(7), v("-")]);
    let role = of(vec![
        Value::Null,
        v("arn:aws:iam::1:role/ab"),
        v("arn:aws:iam::1:role/b"),
        v("arn:aws:iam::1:role/aws-service-role/kms.amazonaws.com/X"),
        v(["c", "d"]),
        v("none"),
        json!({"k": "c"}),
    ]);
    let payload = || {
        of(vec![
            Value::Null,
            json!({"k": "v"}),
            json!({"o": {"k": "w"}, "l": [1, "A"]}),
            json!("GetPasswordData"),
            json!({"userName": "x", "groupName": "RunInstances"}),
            json!({"user": {"userId": "x"}}),
            json!({"bucketName": "bucket", "a.k": "v"}),
            json!([{"k": "v"}]),
            json!({"eventTime": "2026-03-02T01:00:00Z"}),
            json!({"UserName": "x", "MFAUsed": "No", "LoginTo": "https://x"}),
            json!({"k": ""}),
            json!({}),
        ])
    };
    let time = of(vec![Some(0_i64), Some(5), Some(5), Some(60), Some(3000), None]);
    let odd = of(vec![0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let ident = of(vec![0, 0, 0, 0, 1, 2, 3]);
    ((action(), source, code, agent, kind, name), (key, role, payload(), payload(), payload(), time), (odd, ident, action())).prop_map(
        |((action, source, code, agent, kind, name), (key, role, request, response, additional, time), (odd, ident, second))| {
            let identity = json!({
                "type": kind, "userName": name, "arn": "arn:aws:sts::1:assumed-role/b/x@example.com", "principalId": name, "accountId": "111122223333",
                "accessKeyId": key, "invokedBy": if odd == 6 { v("p") } else { Value::Null },
                "sessionContext": {"attributes": {"mfaAuthenticated": "true", "creationDate": "2026-03-02T00:30:00Z"}, "sessionIssuer": {"type": "Role", "arn": role, "userName": name, "principalId": "x"}},
            });
            let mut it = json!({
                "eventVersion": "1.08", "eventName": action, "eventSource": source, "errorCode": code, "errorMessage": code, "userAgent": agent,
                "userIdentity": match ident { 0 => identity, 1 => Value::Null, 2 => v("x"), _ => json!([identity]) },
                "requestParameters": request, "responseElements": response, "additionalEventData": additional,
                "awsRegion": "eu-west-1", "sourceIPAddress": if odd == 7 { "p" } else { "203.0.113.20" }, "recipientAccountId": "111122223333",
                "eventType": "AwsApiCall", "readOnly": odd == 8,
                "resources": [{"ARN": "arn:aws:s3:::bucket", "type": "AWS::S3::Bucket"}],
                "tlsDetails": {"tlsVersion": "TLSv1.2"},
            });
            let o = it.as_object_mut().unwrap();
            if let Some(time) = time { o.insert("eventTime".into(), ecs::date::to_iso(DAY_ONE + time * MINUTE).into()); }
            match odd {
                1 => { o.insert("eventType".into(), "AwsCloudTrailInsight".into()); o.insert("insightDetails".into(), json!({"eventName": second, "k": "v"})); }
                2 => { for k in ["eventName", "eventSource"] { o.remove(k); } o.insert("digestEndTime".into(), "2026-03-02T05:00:00Z".into()); o.insert("digestS3Object".into(), "x".into()); }
                3 => { o.remove("userIdentity"); o.remove("eventSource"); }
                4 => { o.insert("eventTime".into(), "soon".into()); o.insert("@timestamp".into(), "2026-03-02T00:00:00Z".into()); }
                5 => { o.insert("digestEndTime".into(), "2026-03-09T00:00:00Z".into()); }
                _ => {}
            }
            it
        },
    )
}

/// The text: compact, indented, with escapes, with a key twice.
fn written(record: &Value, how: u8) -> String {
    let text = record.to_string();
    match how {
        1 => text.replace("GetPasswordData", "\\u0047etPasswordData"),
        2 => text.replacen('{', "{\"eventName\":\"GetPasswordData\",", 1),
        3 => format!("{},\"eventName\":\"RunInstances\"}}", &text[..text.len() - 1]),
        4 => text.replace("\":", "\" : "),
        _ => text,
    }
}

fn hunt(options: &HuntOptions) -> Option<Hunted> {
    hunt::hunt(options, &mut std::io::empty(), &Progress::default()).ok().map(Into::into)
}

/// The alerts, the time that the hunt spans, and how many events have none: a document that says the time of reading is that
/// of a record without.
fn shown(found: &Hunted) -> (Vec<String>, Option<(i64, i64)>, u64) {
    let text = |alert| serde_json::to_string(&serde_json::to_value(alert).unwrap()).unwrap();
    (found.alerts.iter().map(text).collect(), found.read.span, found.read.undated)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Files of records, of their documents, and of both.
    #[test]
    fn records_alert_as_their_documents_do(
        texts in prop::collection::vec(rule(), 1..5),
        records in prop::collection::vec((record(), of(vec![0_u8, 0, 0, 0, 1, 2, 3, 4]), any::<bool>()), 1..14),
        version in of(vec![cloudtrail::Version::V8_9, cloudtrail::Version::V8_9, cloudtrail::Version::V2_24, cloudtrail::Version::Filebeat]),
        entities in any::<bool>(), keep in any::<bool>(),
        once in any::<bool>(),
        rows in of(vec![1_usize, 3, 0]),
        evidence in of(vec![0_usize, 3000, hunt::EVIDENCE_BYTES]),
        threads in of(vec![1_usize, 2]),
    ) {
        let mut rules: Vec<Rule> = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let set = rule::load_text("t.toml", &text.replace("NAME", &format!("R{at}")));
            if set.error_count() == 0 { rules.extend(set.rules); }
        }
        let mut normalise = normalise();
        normalise.version = version;
        if entities { normalise.tags.push("actor_target_mapping".into()); }
        if keep { normalise.original = cloudtrail::Original::Keep; }
        let lines: Vec<String> = records.iter().enumerate().map(|(at, (record, how, _))| {
            let mut record = record.clone();
            record["eventID"] = format!("id-{at}").into();
            written(&record, *how)
        }).collect();
        let raw = Folder::new();
        raw.write("a.ndjson", lines.join("\n"));
        let mut documents = Vec::new();
        let to = NormalizeOptions { paths: raw.paths(), stored: Vec::new(), normalise: normalise.clone(), limits: reader::Limits::default(), now: NOW, copies: true };
        hunt::normalize(&to, &mut std::io::empty(), &Progress::default(), &mut |it: hunt::Document| { documents.push(json!({"_index": it.index, "_id": it.id, "_source": it.source}).to_string()); true }).unwrap();
        prop_assert_eq!(documents.len(), lines.len());
        let alike = Folder::new();
        alike.write("a.ndjson", documents.join("\n"));
        let mixed = Folder::new();
        let both: Vec<&str> = records.iter().zip(lines.iter().zip(&documents)).map(|((.., raw), (line, document))| if *raw { line.as_str() } else { document }).collect();
        mixed.write("a.ndjson", both.join("\n"));
        let mode = if once { Mode::Once { from: None, to: None } } else { REPLAY };
        let to = |folder: &Folder, rules: &[Rule]| HuntOptions { mode, normalise: normalise.clone(), block_rows: rows, evidence_bytes: evidence, threads, ..options(folder, rules) };
        let [of_records, of_documents, of_both] = [raw, alike, mixed].map(|folder| hunt(&to(&folder, &rules)));
        prop_assert_eq!(of_records.is_some(), of_documents.is_some());
        let (Some(of_records), Some(of_documents), Some(of_both)) = (of_records, of_documents, of_both) else {
            return Ok(());
        };
        prop_assert_eq!(of_records.read.trouble_count, 0, "{:?}", of_records.read.troubles);
        prop_assert_eq!(shown(&of_records), shown(&of_documents), "{:?} {:?}", texts, lines);
        prop_assert_eq!(shown(&of_both), shown(&of_documents), "mixed {:?} {:?}", texts, lines);
    }
}
