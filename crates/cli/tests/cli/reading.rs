//! Records inside of other things, and what is no record: all of it is read or named.

use serde_json::Value;

use crate::setup::{Folder, case};

/// The lines that a command prints, as JSON, and what it says besides.
fn lines(folder: &Folder, arguments: &[&str], code: i32) -> (Vec<Value>, String) {
    let ran = folder.run(arguments);
    let lines = ran.printed(code).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, ran.err)
}

/// Each file of these cases: the documents of aws.cloudtrail that `normalize` makes, and the alerts of `hunt`.
#[test]
fn records_are_found_in_what_is_around_them() {
    for (name, file, events) in [
        ("message-holds-file", "logs.ndjson", 3),
        ("split-records-object", "logs.ndjson", 2),
        ("json-target-object", "logs.ndjson", 2),
        ("json-text-lines", "strings.ndjson", 2),
        ("json-text-lines", "strings.json", 2),
        ("wazuh-wrapper", "archives.json", 2),
    ] {
        let folder = case(name);
        let (documents, said) = lines(&folder, &["normalize", file], 0);
        let actions: Vec<&Value> = documents.iter().map(|it| &it["event"]["action"]).collect();
        assert_eq!(actions, vec!["RunInstances"; events], "{name}: {said}");
        let hunt = ["hunt", file, "-r", "rule.ndjson", "-f", "ndjson", "--now", "2024-06-01"];
        let (alerts, said) = lines(&folder, &hunt, 0);
        assert_eq!(alerts.len(), events, "{name}: {said}");
        assert!(!said.contains("warning"), "{name}: {said}");
        let times: Vec<&str> =
            alerts.iter().map(|it| it["kibana.alert.original_time"].as_str().unwrap()).collect();
        assert_eq!(times, vec!["2024-05-01T10:00:00.000Z"; events], "{name}: the event's, not the shipper's");
    }
}

#[test]
fn what_other_services_send_is_named() {
    let folder = case("s3-notification");
    let ran = folder.run(&["normalize", "notification.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "nothing usable was read");
    for said in [
        "READ022 notification.json, line 1, byte 13: holds S3 event notifications (1), which are no records of \
         CloudTrail; give the files of the trail that they are about",
        "holds DynamoDB stream records (1), which are no records of CloudTrail; leave them out",
    ] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    // Beside a trail it costs nothing, and is told nevertheless.
    folder.write("trail.json", r#"{"Records":[{"eventVersion":"1.08","eventName":"X","eventID":"1"}]}"#);
    let (documents, said) = lines(&folder, &["normalize", "notification.json", "trail.json"], 0);
    assert_eq!(documents.len(), 1);
    assert!(said.contains("READ022"), "{said}");
}

/// What may hold records and is not read leaves the input incomplete; what holds none does not.
#[test]
fn tables_are_read_or_named() {
    let folder = Folder::new();
    let cell = |id: &str| {
        let record = format!(r#"{{"eventVersion":"1.08","eventName":"RunInstances","eventID":"{id}"}}"#);
        format!("\"{}\"", record.replace('"', "\"\""))
    };
    folder.write("input/insights.csv", format!("@timestamp,@message\nt,{}\n", cell("1")));
    folder
        .write("input/splunk.csv", format!("\"_raw\",\"_time\"\n{},\"t\"\n{},\"t\"\n", cell("2"), cell("3")));
    folder.write("input/other.csv", "name,value\nx,1\n");
    let (documents, said) = lines(&folder, &["normalize", "input"], 0);
    assert_eq!(documents.len(), 3, "{said}");

    folder
        .write("input/flow.log", "version account-id interface-id srcaddr\n2 111122223333 eni-1 10.0.0.1\n");
    let (_, said) = lines(&folder, &["normalize", "input"], 0);
    assert!(said.contains("READ023 input/flow.log: these are VPC flow logs, which are not read; "), "{said}");

    folder.write("input/lake.parquet", "PAR1");
    folder.write("input/athena.csv", "eventversion,useridentity,eventtime\n1.08,\"{type=Root, arn=a}\",t\n");
    let (documents, said) = lines(&folder, &["normalize", "input"], 3);
    assert_eq!(documents.len(), 3, "{said}");
    for said_of in [
        "input/lake.parquet: these are Parquet files, which are not read; export the `eventJson` column",
        "input/athena.csv: these are \
         rows of a table whose columns are parts of records, which are not read; select the whole record",
    ] {
        assert!(said.contains(said_of), "{said}");
    }
}

#[test]
fn what_kibana_shows_is_the_document() {
    let folder = case("kibana-fields-json");
    let hunt = ["hunt", "doc.json", "-r", "rule.ndjson", "-f", "ndjson", "--now", "2024-06-01"];
    let (alerts, said) = lines(&folder, &hunt, 0);
    let [alert] = &alerts[..] else { panic!("{alerts:?}: {said}") };
    assert_eq!(alert["kibana.alert.original_time"], "2024-05-01T10:00:00.000Z");
    assert_eq!(alert["kibana.alert.ancestors"][0]["id"], "d1");
    assert_eq!(
        alert["kibana.alert.ancestors"][0]["index"],
        ".ds-logs-aws.cloudtrail-default-2024.05.01-000001"
    );
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn a_late_delivery_alerts_whatever_the_end() {
    let folder = case("late-delivery-until");
    let hunt = ["hunt", "AWSLogs", "-r", "rule.ndjson", "-f", "ndjson", "--now", "2024-06-01"];
    let (whole, _) = lines(&folder, &hunt, 0);
    assert_eq!(whole.len(), 2);
    let (ended, _) = lines(&folder, &[&hunt[..], &["--until", "2024-05-02T00:00:00Z"]].concat(), 0);
    assert_eq!(ended, whole);
}
