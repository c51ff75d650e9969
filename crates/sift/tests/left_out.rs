//! What the pass must not do: parse what cannot match, make rows of what no filter is about, fill what nobody asks for.
//! That it changes no match is for `pass.rs` to say, which would hold, too, if nothing were left out.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use ecs::{Catalog, Shape};
use serde_json::json;
use sift::{Counts, Filter, Kind, LeftOut, Policy, Record, Seen, Settings, Sift, Sifted, Sink};

fn filter(query: &str) -> Filter {
    let catalog = Catalog::ecs();
    let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
    Filter { expr: plan::lower(&query, &catalog, 0).unwrap().simplify(), needs: Vec::new() }
}

struct Nobody;

impl Sink for Nobody {
    fn take(&mut self, _: &Sifted<'_>) {}
}

/// What was seen of records with these names of calls and access keys.
fn seen(filters: Vec<Filter>, policy: Policy, records: &[(&str, &str)]) -> Seen {
    let sift = Sift::new(filters, policy, Settings::default());
    let mut worker = sift.worker();
    for (name, key) in records {
        let record = json!({
            "eventTime": "2026-03-01T10:00:00Z",
            "eventName": name,
            "eventSource": "ec2.amazonaws.com",
            "userIdentity": {"type": "IAMUser", "userName": "ada", "accessKeyId": key},
            "requestParameters": {"instanceId": "i-1"},
        });
        worker.push(&Record::of(Kind::CloudTrail, &record.to_string()), &mut Nobody).unwrap();
    }
    worker.flush(&mut Nobody);
    *worker.seen()
}

fn left_out(queries: &[&str], records: &[(&str, &str)]) -> LeftOut {
    seen(queries.iter().map(|it| filter(it)).collect(), Policy::OnlyMatches, records).left_out
}

const RECORDS: [(&str, &str); 4] =
    [("RunInstances", "ASIA1"), ("GetObject", "ASIA2"), ("GetObject", "AKIA3"), ("ListBuckets", "ASIA4")];
const KEY: &str = "aws.cloudtrail.user_identity.access_key_id: AKIA*";

#[test]
fn records_that_name_no_call_are_not_parsed() {
    let named = "event.action: (RunInstances or StopInstances) and not user.name: x";
    let seen = seen(vec![filter(named)], Policy::OnlyMatches, &RECORDS);
    assert_eq!(seen.left_out.unparsed, 3);
    assert_eq!(seen.counts, Counts { records: 4, matched: 1, unread: 3, ..Counts::default() });
    assert_eq!(left_out(&[named, KEY], &RECORDS).unparsed, 0, "one filter names no call");
}

#[test]
fn records_of_calls_that_no_filter_is_about_become_no_rows() {
    // The beginning of a name cannot be searched for.
    let left = left_out(
        &["event.action: Run*", "event.provider: ec2.amazonaws.com and event.action: Stop*"],
        &RECORDS,
    );
    assert_eq!((left.unparsed, left.hopeless, left.exec.rows), (0, 3, 1));
}

#[test]
fn records_that_no_guard_lets_pass_become_no_rows() {
    let left = left_out(&["event.action: Run*", KEY], &RECORDS);
    // A filter about the call of the first has no guard; of the others only the long-term key is let pass.
    assert_eq!((left.hopeless, left.guarded, left.exec.rows), (0, 2, 2));
    let or_failed = format!("{KEY} or event.outcome: failure");
    assert_eq!(left_out(&["event.action: Run*", &or_failed], &RECORDS).guarded, 0, "it can do without");
}

#[test]
fn columns_of_filters_about_other_calls_stay_empty() {
    let everyone = "not user.name: x";
    let left = left_out(&["event.action: Run* and cloud.region: x and error.code: y", everyone], &RECORDS);
    // The region, for three rows; records never have the other one.
    assert_eq!((left.empty_columns, left.exec.rows), (3, 4));
}

#[test]
fn costly_columns_are_filled_where_a_verdict_hangs_on_them() {
    let request = "aws.cloudtrail.request_parameters: *i-1*";
    let named = format!("event.action: Get* and user.name: ada and {request}");
    let left = left_out(&[&named, "not user.name: x"], &RECORDS);
    assert_eq!((left.filled_late, left.never_late), (2, 2));
    let left = left_out(&[&named, &format!("not user.name: x and {request}")], &RECORDS);
    assert_eq!((left.filled_late, left.never_late), (0, 0), "nearly every row needs it");
}

#[test]
fn nothing_is_left_out_for_who_sees_everything() {
    let columns = vec![("user.name".to_owned(), Shape::Leaf)];
    let seen = seen(vec![filter("event.action: RunInstances")], Policy::Everything { columns }, &RECORDS);
    let LeftOut { unparsed, hopeless, guarded, empty_columns, .. } = seen.left_out;
    assert_eq!((unparsed, hopeless, guarded, empty_columns), (0, 0, 0, 0));
    assert_eq!(seen.counts, Counts { records: 4, matched: 1, unmatched: 3, ..Counts::default() });
}

/// Records by the columns of their calls, keys and ids; which columns were read, and which records.
#[derive(Default)]
struct Stored {
    fields: Vec<String>,
    read: Vec<String>,
    fetched: Vec<u32>,
    columns: [(String, Vec<usize>); 3],
    rows: Vec<u32>,
}

impl Stored {
    fn texts(&self, column: usize) -> block::Texts<'_> {
        let (bytes, ends) = &self.columns[column];
        block::Texts { bytes, ends, rows: &self.rows }
    }
}

impl sift::StoredRows for Stored {
    type Error = String;

    fn read(&mut self, field: usize) -> Result<(), String> {
        self.read.push(self.fields[field].clone());
        Ok(())
    }

    fn texts(&self, field: usize) -> block::Texts<'_> {
        match self.fields[field].as_str() {
            "event.action" => self.texts(0),
            "aws.cloudtrail.user_identity.access_key_id" => self.texts(1),
            _ => block::Texts::default(),
        }
    }

    fn read_ids(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn ids(&self) -> block::Texts<'_> {
        self.texts(2)
    }

    fn time(&self, _: u32) -> Option<i64> {
        Some(1)
    }

    fn origin(&self, _: u32) -> block::Origin {
        block::Origin::default()
    }

    fn records(&mut self, rows: &[u32], give: &mut dyn FnMut(&str)) -> Result<(), String> {
        self.fetched.extend(rows);
        if rows.contains(&2) {
            return Err("the third cannot be read".to_owned());
        }
        for _ in rows {
            give(r#"{"requestParameters": {"instanceId": "i-1"}}"#);
        }
        Ok(())
    }
}

/// What is read of [`RECORDS`] if they come by columns, and whether it can be.
fn stored(queries: &[&str]) -> (Stored, Seen, bool) {
    let fields = [
        "event.action",
        "aws.cloudtrail.user_identity.access_key_id",
        "cloud.region",
        "aws.cloudtrail.error_code",
    ];
    let policy = Policy::Stored { fields: fields.map(str::to_owned).to_vec() };
    let sift = Sift::new(queries.iter().map(|it| filter(it)).collect(), policy, Settings::default());
    let fields = sift.stored_fields().unwrap().into_iter().map(str::to_owned).collect();
    let mut rows = Stored { fields, rows: vec![0, 1, 2, 3], ..Stored::default() };
    for (name, key) in RECORDS {
        for ((bytes, ends), text) in rows.columns.iter_mut().zip([name, key, "id"]) {
            bytes.push_str(text);
            ends.push(bytes.len());
        }
    }
    let mut worker = sift.worker();
    let pushed = worker.push_stored(&[0, 1, 2, 3], &mut rows, &mut Nobody);
    (rows, *worker.seen(), pushed.is_ok())
}

#[test]
fn of_stored_records_only_columns_are_read_that_may_decide() {
    let region = "event.action: Run* and cloud.region: x";
    let (rows, seen, _) = stored(&[region]);
    assert_eq!((seen.left_out.hopeless, seen.left_out.exec.rows), (3, 1));
    assert_eq!(rows.read, ["event.action", "event.action", "cloud.region"]);
    let (rows, seen, _) = stored(&["event.action: Delete* and cloud.region: x"]);
    assert_eq!((seen.left_out.stored, seen.left_out.hopeless), (4, 4));
    assert_eq!(rows.read, ["event.action"], "no row is left that the region could decide");
    let (rows, seen, _) = stored(&["event.action: Delete*", KEY]);
    assert_eq!((seen.left_out.guarded, seen.left_out.exec.rows), (3, 1));
    assert_eq!(rows.fetched, [0_u32; 0]);
    let (_, seen, _) = stored(&["event.action: Delete*", "source.as.organization.name: x"]);
    assert_eq!(seen.left_out.guarded, 4, "nobody looks addresses up, so that no record has one");
}

#[test]
fn stored_records_are_fetched_where_a_verdict_hangs_on_them() {
    let request = "aws.cloudtrail.request_parameters: *i-1*";
    let (rows, seen, _) = stored(&[&format!("event.action: List* and {request}"), KEY]);
    assert_eq!(rows.fetched, [3], "the other match needs nothing of its record");
    assert_eq!((seen.left_out.fetched, seen.left_out.fetched_bytes), (1, 44));
    assert_eq!(seen.counts, Counts { records: 4, matched: 2, unmatched: 2, ..Counts::default() });
}

#[test]
fn what_hangs_on_a_record_that_cannot_be_read_is_unreadable() {
    let request = "aws.cloudtrail.request_parameters: *i-1*";
    let (_, seen, is_read) = stored(&[&format!("event.action: (GetObject or RunInstances) and {request}")]);
    assert!(!is_read);
    assert_eq!(seen.counts, Counts { records: 4, unmatched: 1, unreadable: 3, ..Counts::default() });
}
