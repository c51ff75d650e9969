//! Tables: exports of Athena, CloudTrail Lake, Logs Insights and Splunk.

use proptest::prelude::*;
use reader::{Cause, Input, Limits, Options, Reader};

use crate::support::{Keep, file_of, gzip, read, read_with, record, zip};

/// A table as most programs write it.
fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// A record over many lines, as Splunk keeps some.
fn indented(number: usize) -> String {
    format!("{:#}", serde_json::from_str::<serde_json::Value>(&record(number)).unwrap())
}

#[test]
fn the_column_that_holds_records_is_found() {
    let other = |text: &str| text.to_owned();
    for (header, row) in [
        (vec!["@timestamp", "@message"], vec![other("2024-05-01 10:00:00.000"), record(1)]),
        (vec!["_raw", "_time", "host"], vec![record(1), other("t"), other("h")]),
        (vec!["userIdentity.type", "resources{}.ARN", "_raw"], vec![other("x"), other("{"), record(1)]),
        (vec!["eventJson"], vec![record(1)]),
        (vec!["_col0", "_col1"], vec![other("7"), record(1)]),
        (vec!["line", "number"], vec![format!("2024-05-01T10:00:00.000Z {}", record(1)), other("1")]),
        (vec!["message", "x"], vec![format!("{{\"Records\":[{}]}}", record(1)), other("1")]),
        // What a shipper parsed and what it was parsed from.
        (vec!["event", "_raw"], vec![other("{not it}"), record(1)]),
    ] {
        let bytes = table(&header, &[row.clone(), row]);
        for packed in [
            bytes.clone(),
            gzip(&bytes),
            zip(&[("export.csv", &bytes)]),
            [b"\xEF\xBB\xBF", &bytes[..]].concat(),
        ] {
            let found = read(&packed);
            assert!(found.problems.is_empty(), "{header:?}: {:?}", found.problems);
            assert_eq!(found.texts(), [record(1), record(1)], "{header:?}");
            let ordinals: Vec<u64> = found.records.iter().map(|record| record.ordinal).collect();
            assert_eq!(ordinals, [0, 1]);
        }
    }
}

#[test]
fn cells_of_many_lines_and_other_delimiters() {
    let bytes =
        table(&["_raw", "_time"], &[vec![indented(1), "t".to_owned()], vec![indented(2), "t".to_owned()]]);
    assert_eq!(read(&bytes).texts(), [indented(1), indented(2)]);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        read(text.replace("_raw,_time", "_raw;_time").replace("\",t", "\";t").as_bytes()).texts().len(),
        2
    );
    // Tabs need no quotes.
    assert_eq!(read(format!("message\tx\n{}\t1\n", record(1)).as_bytes()).texts(), [record(1)]);
    assert_eq!(read(text.replace('\n', "\r\n").as_bytes()).records.len(), 2);
}

#[test]
fn rows_without_a_record_are_counted() {
    let rows = [vec!["START".to_owned()], vec![record(1)], vec!["{\"a\":1}".to_owned()]];
    let found = read(&table(&["@message"], &rows));
    assert_eq!(found.texts(), [record(1)]);
    let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
    assert_eq!(problem.cause, Cause::Rows { count: 2 });
    assert_eq!((problem.place.unwrap().line, problem.place.unwrap().offset), (2, 9));
    // A record that is cut is given, so that whoever parses it tells.
    let found = read(&table(&["_raw"], &[vec![record(1)[..200].to_owned()]]));
    assert_eq!((found.texts(), found.codes()), (vec![&record(1)[..200]], vec![]));
    assert!(read(b"@timestamp,@message\n").problems.is_empty(), "a table without rows");
}

#[test]
fn tables_of_something_else_are_named() {
    let what = |text: &str| {
        let found = read(text.as_bytes());
        let [problem] = &found.problems[..] else { panic!("{text}: {:?}", found.problems) };
        let Cause::OtherFile { other } = problem.cause else { panic!("{text}: {problem}") };
        assert!(found.records.is_empty());
        other.what
    };
    // Presto's text of a structure cannot be told from what is in it.
    let athena =
        "\"eventversion\",\"useridentity\",\"eventtime\"\n\"1.08\",\"{type=IAMUser, arn=a, b=c}\",\"t\"\n";
    assert_eq!(what(athena), "rows of a table whose columns are parts of records");
    let console = "Event name,Event time,User name,Event source\nRunInstances,t,ana,ec2.amazonaws.com\n";
    assert_eq!(what(console), "rows of a table whose columns are parts of records");
    assert_eq!(what("time,user\n2024-05-06,ana\n"), "rows of a table without a column of records");
    let notification = "message,x\n\"{\"\"Records\"\":[{\"\"eventSource\"\":\"\"aws:s3\"\"}]}\",1\n";
    assert_eq!(read(notification.as_bytes()).codes(), ["READ022"]);
}

/// A quote that is not closed takes the rest for one cell: that must not take the memory.
#[test]
fn a_row_has_a_limit() {
    let mut bytes = table(&["_raw", "x"], &[vec![record(1), "1".to_owned()]]);
    bytes.extend(b"\"");
    bytes.resize(bytes.len() + (1 << 20), b'x');
    let limits = Limits { record_bytes: 10_000, ..Limits::default() };
    let (found, _) = read_with(Options { limits, ..Options::default() }, &bytes);
    assert_eq!((found.texts(), found.codes()), (vec![&*record(1)], vec!["READ028"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every record of a table is found, once and again, whatever stands beside it and however it is held.
    #[test]
    fn every_row_is_found(
        rows in prop::collection::vec(("[a-z,;\"\n{} ]{0,20}", 0usize..99, any::<bool>()), 1..20),
        at in 0usize..3,
        window_bytes in 1usize..200,
        packed in any::<bool>(),
        wanted in any::<prop::sample::Index>(),
    ) {
        let mut header = vec!["a", "b"];
        header.insert(at, "@message");
        let texts: Vec<String> =
            rows.iter().map(|(_, number, lines)| if *lines { indented(*number) } else { record(*number) }).collect();
        let cells: Vec<Vec<String>> = rows.iter().zip(&texts).map(|((beside, ..), text)| {
            let mut row = vec![beside.clone(), "x".to_owned()];
            row.insert(at, text.clone());
            row
        }).collect();
        let bytes = table(&header, &cells);
        let file = file_of(&if packed { gzip(&bytes) } else { bytes.clone() });
        let input = Input::file(0, file.path()).unwrap();
        let limits = Limits { window_bytes, ..Limits::default() };
        let mut reader = Reader::new(Options { limits, ..Options::default() });
        let mut all = Keep::default();
        reader.read(&input, &mut all);
        prop_assert!(all.problems.is_empty(), "{:?}", all.problems);
        prop_assert_eq!(all.texts(), texts);
        for kept in &all.records {
            let offset = usize::try_from(kept.offset).unwrap();
            prop_assert!(offset == 0 || bytes[offset - 1] == b'\n');
        }
        let wanted = wanted.index(all.records.len());
        let mut again = Keep::default();
        reader.read_at(&input, &[wanted as u64], &mut again);
        prop_assert_eq!(&again.records[..], &all.records[wanted..=wanted]);
    }
}
