//! A search is what reading every document is, however much of it the columns decide.

use ecs::{Catalog, Millis};
use fastrand::Rng;
use plan::naive::Evaluator;
use rule::{QueryLanguage, Severity};
use rusqlite::params;
use serde_json::json;

use super::{Search, Silenced, of_columns};
use crate::Book;
use crate::compose::{ALERTS, AlertRow, COLUMNS};
use crate::ledger::named;
use crate::schema::Database;
use crate::workflow::{Change, ClosingReason, WorkflowStatus};

const START: Millis = 1_772_323_200_000;
const MINUTE: Millis = 60_000;

/// A book of alerts as engines write them, on which people worked.
fn book(rng: &mut Rng, folder: &std::path::Path) -> Book {
    let mut database = Database::open(folder, true, false).unwrap();
    let count = rng.usize(1..40);
    let written = database.change(|it| {
        it.execute_batch(
            "INSERT INTO rules (id, uuid, rule_id, name, interval_ms, first_ms, next_ms, enabled)
             VALUES (1, 'u-1', 'one', 'One', 1, 1, 1, 1), (2, 'u-2', 'two', 'Two', 1, 1, 1, 1);
             INSERT INTO slots (id, slot_ms, started_ms, seen_ms, turn) VALUES (1, 0, 0, 0, 0), (2, 0, 0, 0, 1);
             INSERT INTO silences (id, reason, author, made_ms, until_ms) VALUES (1, 'r', 'a', 0, 1);",
        )?;
        for number in 0..count {
            let slot = START + rng.i64(0..20) * MINUTE;
            let severity = Severity::ALL[rng.usize(0..4)].as_str();
            let rule = rng.i64(1..3);
            let rule_id = ["one", "two"][rule as usize - 1];
            let name = ["One", "Two", "by ana"][rng.usize(0..3)].to_owned();
            let action = ["CreateUser", "DeleteUser"][rng.usize(0..2)];
            let user = ["ana", "bo"][rng.usize(0..2)];
            let mut document = json!({
                "@timestamp": ecs::date::to_iso(slot),
                "event": {"action": action},
                "user.name": user,
                "kibana.alert.uuid": format!("{number:040x}"),
                "kibana.alert.rule.rule_id": rule_id,
                "kibana.alert.rule.uuid": format!("u-{rule}"),
                "kibana.alert.rule.name": name,
                "kibana.alert.severity": severity,
            });
            if rng.bool() {
                document["source.ip"] = "198.51.100.7".into();
            }
            let names = (rule_id.to_owned(), name);
            let named = named(it, &names)?;
            let silence = (rng.u8(0..4) == 0).then_some(1);
            it.execute(
                "INSERT INTO alerts (id, rule, slot, slot_ms, time_ms, severity, document, named, silence)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)",
                params![
                    format!("{number:040x}"),
                    rule,
                    rng.i64(1..3),
                    slot,
                    severity,
                    document.to_string(),
                    named,
                    silence
                ],
            )?;
        }
        Ok(())
    });
    written.unwrap();
    drop(database);
    let mut book = Book::open(folder).unwrap();
    for _ in 0..rng.usize(0..60) {
        let id = format!("{:040x}", rng.usize(0..count));
        let name = || vec![["kim", "lee", "Kim"][fastrand::usize(0..3)].to_owned()];
        let change = match rng.u8(0..7) {
            0 => Change::Acknowledge,
            1 => Change::Reopen,
            2 => Change::Close { reason: rng.bool().then(|| ClosingReason::ALL[rng.usize(0..6)]) },
            3 => Change::Assign { add: name(), remove: name() },
            4 => Change::Tag { add: name(), remove: Vec::new() },
            5 => Change::Tag { add: Vec::new(), remove: name() },
            _ => Change::Note("said".to_owned()),
        };
        book.change(&[id], &change, "kim (k-1)", START).unwrap();
    }
    book
}

fn query(rng: &mut Rng, depth: u8) -> String {
    if depth == 0 || rng.u8(0..3) == 0 {
        let asked = [
            "kibana.alert.workflow_status: open",
            "kibana.alert.workflow_status: (closed or acknowledged)",
            "kibana.alert.workflow_status: *",
            "kibana.alert.severity: high",
            "kibana.alert.severity: (lo* or critical)",
            "kibana.alert.workflow_reason: false_positive",
            "kibana.alert.workflow_reason: *",
            "kibana.alert.rule.rule_id: one",
            "kibana.alert.rule.name: *ana",
            "kibana.alert.rule.name: Two",
            "kibana.alert.rule.uuid: u-2",
            "kibana.alert.workflow_assignee_ids: kim",
            "kibana.alert.workflow_assignee_ids: *",
            "kibana.alert.workflow_tags: l*",
            "kibana.alert.muted: true",
            "kibana.alert.muted: false",
            "kibana.alert.uuid: 0000000000000000000000000000000000000003",
            "_id: 0000000000000000000000000000000000000002",
            "@timestamp >= \"2026-03-01T00:05:00.000Z\"",
            "@timestamp < \"2026-03-01T00:11:00.000Z\"",
            "@timestamp: \"2026-03-01T00:07:00.000Z\"",
            "@timestamp >= now-12m",
            "event.action: CreateUser",
            "user.name: ana",
            "source.ip: 198.51.100.0/24",
            "nothing.of.it: x",
            "ana",
        ];
        return asked[rng.usize(0..asked.len())].to_owned();
    }
    let inner = query(rng, depth - 1);
    match rng.u8(0..3) {
        0 => format!("not ({inner})"),
        1 => format!("({inner}) and ({})", query(rng, depth - 1)),
        _ => format!("({inner}) or ({})", query(rng, depth - 1)),
    }
}

#[test]
fn columns_decide_as_documents_do() {
    let now = START + 20 * MINUTE;
    let (mut decided, mut left) = (0, 0);
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        fastrand::seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let book = book(&mut rng, folder.path());
        let rows: Vec<AlertRow> = book
            .database
            .ask(|it| {
                let text = format!(
                    "SELECT {COLUMNS} alerts.document FROM {ALERTS} ORDER BY alerts.slot_ms DESC, number DESC"
                );
                it.prepare(&text)?.query_map([], AlertRow::of)?.collect()
            })
            .unwrap();
        for _ in 0..30 {
            let query = query(&mut rng, 3);
            let expr = rule::check_query(QueryLanguage::Kuery, &query, &Catalog::ecs()).unwrap().at(now);
            let evaluator = Evaluator::new(&expr);
            let status = (rng.u8(0..4) == 0).then(|| WorkflowStatus::ALL[rng.usize(0..3)]);
            let silenced = [Silenced::LeftOut, Silenced::Included, Silenced::Only][rng.usize(0..3)];
            let since = (rng.u8(0..4) == 0).then(|| START + rng.i64(0..20) * MINUTE);
            let limit = rng.usize(0..4) * 5;
            let offset = rng.usize(0..3);
            let until = None;
            let also = None;
            let search =
                Search { query, status, silenced, since, until, limit, offset, incident: None, also, now };
            let satisfies = |row: &&AlertRow| {
                let mut document = row.composed(None);
                document.insert("_id".to_owned(), row.id.as_str().into());
                document.insert("_index".to_owned(), ecs::ALERTS_INDEX.into());
                evaluator.matches(&document)
                    && status.is_none_or(|it| it == row.status)
                    && since.is_none_or(|it| row.slot >= it)
            };
            let is_wanted = |row: &&AlertRow| match silenced {
                Silenced::LeftOut => row.silence.is_none(),
                Silenced::Included => true,
                Silenced::Only => row.silence.is_some(),
            };
            let all: Vec<&AlertRow> = rows.iter().filter(satisfies).collect();
            let wanted: Vec<&AlertRow> = all.iter().copied().filter(is_wanted).collect();
            let found = book.search(&search).unwrap();
            let told = format!("seed {seed}: {search:?}");
            assert_eq!(found.total, wanted.len() as u64, "{told}");
            let left_out = if silenced == Silenced::LeftOut { all.len() - wanted.len() } else { 0 };
            assert_eq!(found.silenced, left_out as u64, "{told}");
            let given = wanted.iter().skip(offset).take(if limit == 0 { usize::MAX } else { limit });
            let given: Vec<ecs::Object> = given.map(|it| it.composed(None)).collect();
            assert_eq!(found.alerts, given, "{told}");
            let ids: Vec<String> = wanted.iter().map(|it| it.id.clone()).collect();
            assert_eq!(book.ids(&search).unwrap(), ids, "{told}");
            if book.ready(&search).unwrap().evaluator.is_some() {
                left += 1;
            } else {
                decided += 1;
            }

            let buckets = book.histogram(&search, Some(3 * MINUTE)).unwrap().buckets;
            let sum: u64 = buckets.iter().flat_map(|it| it.1).sum();
            assert_eq!(sum, wanted.len() as u64, "{told}");
            for (begin, counts) in buckets {
                let within = |it: &&&AlertRow| (begin..begin + 3 * MINUTE).contains(&it.slot);
                assert_eq!(counts.iter().sum::<u64>(), wanted.iter().filter(within).count() as u64, "{told}");
            }
        }
        // What the columns know is what the documents have.
        let fields =
            ["kibana.alert.workflow_status", "kibana.alert.severity", "kibana.alert.workflow_reason"]
                .into_iter()
                .chain(["kibana.alert.rule.rule_id", "kibana.alert.rule.name"])
                .chain(["kibana.alert.workflow_assignee_ids", "kibana.alert.workflow_tags"]);
        let fields: Vec<String> = fields.map(str::to_owned).collect();
        for row in &rows {
            let document = row.composed(None);
            for field in &fields {
                let values = ecs::document::list(document.get(field.as_str()));
                let values: Vec<&str> = values.iter().filter_map(serde_json::Value::as_str).collect();
                assert_eq!(of_columns(row, field), values, "{field}");
            }
        }
        let all = Search { silenced: Silenced::Included, ..Search::default() };
        let (total, by_columns) = book.facets(&all, &fields, 5).unwrap();
        let with_more: Vec<String> = fields.iter().cloned().chain(["user.name".to_owned()]).collect();
        let (_, mut by_documents) = book.facets(&all, &with_more, 5).unwrap();
        let users = by_documents.pop().unwrap();
        assert_eq!(by_columns, by_documents);
        assert_eq!(users.values.iter().map(|it| it.1).sum::<u64>(), total);
        let quality = book.quality((None, None)).unwrap();
        assert_eq!(quality.iter().map(|it| it.quality.alerts).sum::<u64>(), total);
    }
    assert!(decided > 20 && left > 40, "{decided} decided by columns, {left} left to documents");
}
