//! However the same records are delivered and worked on: the same alerts, byte for byte. And those alerts are what
//! the rules say, evaluated on documents one by one.

use std::sync::Arc;

use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Tail, Tails, TermId};
use ecs::{Catalog, Millis};
use hunt::HuntOptions;
use proptest::prelude::*;
use rule::Rule;
use serde_json::json;

use crate::setup::{
    Call, DAY, DAY_ONE, Folder, HOUR, MINUTE, NOW, REPLAY, documents, get_password_data, gzip, hunt_in,
    ndjson, options, rule, run, texts,
};

const ACTIONS: [&str; 3] = ["GetPasswordData", "DescribeInstances", "RunInstances"];
const ROLES: [&str; 4] = ["ci", "backup", "ops", "审计"];
const ADDRESSES: [&str; 4] = ["203.0.113.20", "198.51.100.7", "2001:db8::7", "ec2.amazonaws.com"];
const ERRORS: [Option<&str>; 3] = [None, Some("Client.UnauthorizedOperation"), Some("AccessDenied")];

fn rules() -> Vec<Rule> {
    let new_terms = |fields: &str, history: &str| {
        format!(
            "type = \"new_terms\"\n[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = {fields}\n\
             [[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"{history}\"\n"
        )
    };
    vec![
        get_password_data(),
        rule("Every call", "type = \"query\"\nquery = \"event.action: GetPasswordData\"\n"),
        // Needs a column that is filled from the text.
        rule("Someone", "type = \"query\"\nquery = \"event.action: GetPasswordData and related.user: c*\"\n"),
        rule(
            "Two an hour",
            "type = \"query\"\nquery = \"not aws.cloudtrail.error_code: *\"\ninterval = \"1h\"\n\
             from = \"now-90m\"\nmax_signals = 2\n",
        ),
        rule(
            "New address of a role",
            &format!(
                "query = \"event.action: (GetPasswordData or Run*)\"\ninterval = \"15m\"\nfrom = \"now-1h\"\n\
                 max_signals = 3\n{}",
                new_terms("[\"user.name\", \"source.ip\"]", "now-2d")
            ),
        ),
        rule(
            "New action by the day",
            &format!(
                "query = \"source.address: * and not user.name: ops\"\ninterval = \"1h\"\nfrom = \"now-1d/d\"\n{}",
                new_terms("[\"event.action\"]", "now-4d")
            ),
        ),
        // What the clock decides, each execution does, and those that come after it may differ.
        rule(
            "Seen in time",
            "type = \"query\"\nquery = \"event.action: GetPasswordData and @timestamp >= now-3m\"\n\
             from = \"now-20m\"\n",
        ),
        rule(
            "New role, or one that waited",
            &format!(
                "query = \"user.name: ci or (@timestamp < now-2h and not related.user: o*)\"\ninterval = \"1h\"\n\
                 from = \"now-6h\"\nmax_signals = 2\n{}",
                new_terms("[\"user.name\"]", "now-2d")
            ),
        ),
        // Alerts that suppress one another.
        rule(
            "A role that is refused",
            "type = \"query\"\nquery = \"aws.cloudtrail.error_code: *\"\n\
             alert_suppression = { group_by = [\"user.name\", \"source.ip\"], duration = { value = 6, unit = \"h\" }, \
             missing_fields_strategy = \"doNotSuppress\" }\n",
        ),
        rule(
            "New address, once a role",
            &format!(
                "query = \"event.action: (GetPasswordData or Run*)\"\ninterval = \"15m\"\nfrom = \"now-1h\"\n\
                 alert_suppression = {{ group_by = [\"related.user\"], duration = {{ value = 2, unit = \"h\" }} }}\n{}",
                new_terms("[\"source.address\"]", "now-1d")
            ),
        ),
        // What counts, and what follows one another.
        rule(
            "Three of a role",
            "type = \"threshold\"\nquery = \"event.action: (GetPasswordData or Run*)\"\ninterval = \"30m\"\n\
             from = \"now-12h\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 3\n\
             cardinality = [{ field = \"source.address\", value = 2 }]\n",
        ),
        rule(
            "Many, once a day",
            "type = \"threshold\"\nquery = \"not user.name: ops\"\ninterval = \"1h\"\nfrom = \"now-1d\"\n\
             alert_suppression = { duration = { value = 24, unit = \"h\" } }\n\
             [rule.threshold]\nfield = [\"user.name\", \"event.action\"]\nvalue = 2\n",
        ),
        rule(
            "One, then the other",
            "type = \"eql\"\nlanguage = \"eql\"\ninterval = \"1h\"\nfrom = \"now-14h\"\nmax_signals = 4\n\
             query = 'sequence by user.name with maxspan=12h [any where event.action == \"DescribeInstances\"] \
             [any where event.action == \"GetPasswordData\"] until [any where event.action == \"RunInstances\"]'\n",
        ),
        rule(
            "Pairs of an address",
            "type = \"eql\"\nlanguage = \"eql\"\ninterval = \"1h\"\nfrom = \"now-1d\"\n\
             alert_suppression = { group_by = [\"source.address\"], duration = { value = 12, unit = \"h\" } }\n\
             query = 'sequence by source.address [any where event.outcome == \"failure\"] [any where true]'\n",
        ),
        rule(
            "Refused, as an event",
            "type = \"eql\"\nlanguage = \"eql\"\nquery = 'any where event.outcome == \"failure\" and length(user.name) < 4'\n\
             alert_suppression = { group_by = [\"user.name\"] }\n",
        ),
    ]
}

prop_compose! {
    /// A call at a time that is often the same as another's, or at the edge of some execution's range.
    fn call()(
        minutes in 0..10 * 24 * 12_i64,
        offset in prop::sample::select(vec![0, 0, 0, 1, -1, 1_000, MINUTE]),
        action in prop::sample::select(ACTIONS.to_vec()),
        role in prop::sample::select(ROLES.to_vec()),
        address in prop::sample::select(ADDRESSES.to_vec()),
        error in prop::sample::select(ERRORS.to_vec()),
        dated in prop::bool::weighted(0.97),
    ) -> Call<'static> {
        let at = dated.then_some(DAY_ONE + minutes * 5 * MINUTE + offset);
        Call { id: "", at, action, role, address, error }
    }
}

/// Some of the rules: what can be left undone depends on which there are.
fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::sample::subsequence(rules(), 1..=rules().len())
}

/// How records are delivered.
#[derive(Clone, Copy, Debug)]
enum Container {
    Lines,
    Array,
    Trail,
    Indented,
    Gzip,
    GzipMembers,
}

const CONTAINERS: [Container; 6] = [
    Container::Lines,
    Container::Array,
    Container::Trail,
    Container::Indented,
    Container::Gzip,
    Container::GzipMembers,
];

fn contain(container: Container, calls: &[Call<'_>]) -> Vec<u8> {
    let records: Vec<serde_json::Value> = calls.iter().map(Call::record).collect();
    let trail = serde_json::json!({ "Records": records });
    match container {
        Container::Lines => ndjson(calls).into_bytes(),
        Container::Array => serde_json::to_vec(&records).unwrap(),
        Container::Trail => serde_json::to_vec(&trail).unwrap(),
        Container::Indented => serde_json::to_vec_pretty(&trail).unwrap(),
        Container::Gzip => gzip(&serde_json::to_vec(&trail).unwrap()),
        Container::GzipMembers => calls.iter().flat_map(|it| gzip(it.line().as_bytes())).collect(),
    }
}

/// Another delivery of the same calls: to which file each goes, in which order, some of them twice.
#[derive(Clone, Debug)]
struct Delivery {
    /// For each file: what it is, and the numbers of its calls.
    files: Vec<(Container, Vec<usize>)>,
    threads: usize,
    block_rows: usize,
    evidence_bytes: usize,
}

prop_compose! {
    fn delivery(calls: usize)(
        order in Just((0..calls).collect::<Vec<_>>()).prop_shuffle(),
        places in prop::collection::vec((0..5_usize, prop::option::weighted(0.2, 0..5_usize)), calls),
        containers in prop::collection::vec(prop::sample::select(CONTAINERS.to_vec()), 5),
        threads in prop::sample::select(vec![1, 2, 8]),
        block_rows in prop::sample::select(vec![1, 7, 4096]),
        // Nothing, a few records, all.
        evidence_bytes in prop::sample::select(vec![0, 5_000, 20_000, hunt::EVIDENCE_BYTES]),
    ) -> Delivery {
        let mut files: Vec<_> = containers.into_iter().map(|it| (it, Vec::new())).collect();
        for at in order {
            let (first, second) = places[at];
            files[first].1.push(at);
            if let Some(second) = second {
                files[second].1.push(at);
            }
        }
        Delivery { files, threads, block_rows, evidence_bytes }
    }
}

fn case() -> impl Strategy<Value = (Vec<Call<'static>>, Delivery)> {
    prop::collection::vec(call(), 1..50).prop_flat_map(|calls| {
        let delivery = delivery(calls.len());
        (Just(calls), delivery)
    })
}

fn numbered<'a>(calls: &[Call<'a>], ids: &'a [String]) -> Vec<Call<'a>> {
    calls.iter().zip(ids).map(|(call, id)| Call { id, ..call.clone() }).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_delivery_gives_the_same_alerts((calls, delivery) in case(), rules in some_rules()) {
        let ids = ids(calls.len());
        let calls = numbered(&calls, &ids);
        let plain = Folder::of(&calls);
        let expected = run(&HuntOptions { threads: 1, evidence_bytes: 0, ..options(&plain, &rules) });

        let folder = Folder::new();
        for (number, (container, members)) in delivery.files.iter().enumerate() {
            let members: Vec<Call<'_>> = members.iter().map(|&at| calls[at].clone()).collect();
            if !members.is_empty() {
                folder.write(&format!("part-{number}/records"), contain(*container, &members));
            }
        }
        let found = run(&HuntOptions {
            threads: delivery.threads,
            block_rows: delivery.block_rows,
            evidence_bytes: delivery.evidence_bytes,
            ..options(&folder, &rules)
        });
        prop_assert_eq!(found.read.trouble_count, 0);
        prop_assert_eq!(texts(&found), texts(&expected));
    }

    #[test]
    fn rules_on_documents_say_the_same(
        calls in prop::collection::vec(call(), 1..50),
        rules in some_rules(),
        once in any::<bool>(),
        since in prop::option::of(0..10 * DAY),
    ) {
        let ids = ids(calls.len());
        let calls = numbered(&calls, &ids);
        let since = since.map(|it| DAY_ONE + it);
        let mode =
            if once { Mode::Once { from: since, to: None } } else { Mode::Replay { since, until: None } };
        let folder = Folder::of(&calls);
        let found = run(&HuntOptions { mode, ..options(&folder, &rules) });
        let got: Vec<(String, Vec<String>)> = found
            .rules
            .iter()
            .map(|ran| {
                (ran.rule.name.clone(), ran.outcome.alerts.iter().map(|seed| seed.id.clone()).collect())
            })
            .collect();
        prop_assert_eq!(got, by_hand(&folder, &rules, mode));
    }
}

/// Each rule's alert ids: its condition asked of every document, its executions fed one event after the other.
fn by_hand(folder: &Folder, rules: &[Rule], mode: Mode) -> Vec<(String, Vec<String>)> {
    let catalog = Catalog::ecs();
    let documents = documents(folder);
    let text = |document: &hunt::Document, path: &str| {
        let mut found = None;
        ecs::document::values(&document.source, path, ecs::Shape::Leaf, |value| {
            found = Some(value.text().into_owned());
        });
        found
    };
    let time = |document: &hunt::Document| -> Millis {
        text(document, "@timestamp").map_or(NOW, |it| ecs::date::parse(&it).unwrap())
    };
    let first = documents.iter().map(time).min().unwrap();
    // What happens now is no reason for executions up to now.
    let last = documents.iter().map(time).filter(|it| *it != NOW).max().unwrap_or(NOW);
    rules
        .iter()
        .map(|rule| {
            let always = Millis::MIN..=Millis::MAX;
            let compiled = rule::compile_with(rule, &rule::Exceptions::default(), &catalog, &always).unwrap();
            let filters: Vec<plan::Expr> = compiled.conditions.iter().map(plan::Condition::filter).collect();
            let residues = compiled.conditions.iter().map(plan::Condition::residue).collect();
            let tail = Tail::of_pattern(rule, compiled.pattern.as_ref(), mode, &catalog).unwrap();
            let tails = Arc::new(Tails::new(vec![tail.with_residues(residues)]));
            let fields: Vec<(&str, ecs::Shape)> = tails.all_columns().collect();
            let mut collector = Collector::new(Arc::clone(&tails));
            collector.name_indices(&[rule::CLOUDTRAIL_INDEX.to_owned()]);
            for (ordinal, document) in documents.iter().enumerate() {
                let mut searched = document.source.clone();
                searched.insert("_id".to_owned(), document.id.clone().into());
                searched.insert("_index".to_owned(), document.index.clone().into());
                let mut matched: Vec<(usize, Vec<Vec<TermId>>)> = Vec::new();
                for (filter, _) in
                    filters.iter().enumerate().filter(|(_, it)| plan::naive::matches(it, &searched))
                {
                    let mut terms: Vec<Vec<TermId>> = Vec::new();
                    for &column in tails.columns(filter) {
                        let (path, shape) = fields[column.index()];
                        let mut ids = Vec::new();
                        ecs::document::values(&document.source, path, shape, |value| {
                            ids.extend(collector.intern(column, value));
                        });
                        terms.push(ids);
                    }
                    matched.push((filter, terms));
                }
                if matched.is_empty() {
                    continue;
                }
                let info = EventInfo {
                    id: &document.id,
                    index: 0,
                    timestamp: time(document),
                    origin: Origin { input: 0, ordinal: ordinal as u64 },
                };
                let mut event = collector.event(info);
                for (filter, terms) in &matched {
                    let terms: Vec<&[TermId]> = terms.iter().map(Vec::as_slice).collect();
                    event.push(*filter, None, &terms);
                }
            }
            let matches = collector.finish();
            let outcome = matches
                .execute(
                    0,
                    DataSpan { first, last, complete_from: None },
                    &KnownAlerts::default(),
                    Limits::default(),
                )
                .unwrap();
            (rule.name.clone(), outcome.alerts.into_iter().map(|seed| seed.id).collect())
        })
        .collect()
}

/// So much that threads hand batches to each other and blocks are full.
#[test]
fn many_records_in_one_file_and_in_many() {
    let count = 9_000;
    let ids = ids(count);
    let calls: Vec<Call<'_>> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| Call {
            id,
            at: Some(DAY_ONE + (at as i64 * 7_919) % (12 * HOUR)),
            action: ACTIONS[at % 3],
            role: ROLES[at / 7 % 4],
            address: ADDRESSES[at / 11 % 4],
            error: ERRORS[at / 5 % 3],
        })
        .collect();
    // Suppression per window and sequences over a day have their turn with fewer records.
    let rules: Vec<Rule> = rules()
        .into_iter()
        .filter(|it| {
            !["Many, once a day", "Pairs of an address", "Refused, as an event"].contains(&it.name.as_str())
        })
        .collect();
    let one = Folder::of(&calls);
    let expected = texts(&run(&HuntOptions { threads: 1, mode: REPLAY, ..options(&one, &rules) }));
    assert!(expected.len() > 1_000, "{} alerts", expected.len());
    for threads in [2, 8] {
        let found = run(&HuntOptions { threads, ..options(&one, &rules) });
        assert!(texts(&found) == expected, "{threads} threads");
    }
    let many = Folder::new();
    for (number, part) in calls.chunks(70).enumerate() {
        many.write(&format!("{:03}.json.gz", (number * 37) % 1000), contain(Container::Gzip, part));
    }
    assert!(texts(&hunt_in(&many, &rules)) == expected, "many files");
}

/// Threads that build alerts ahead end when nobody takes them.
#[test]
fn whoever_takes_alerts_may_stop() {
    let ids = ids(400);
    let action = "GetPasswordData";
    let at = Some(DAY_ONE);
    let call = |id| Call { id, at, action, role: "ci", address: "203.0.113.20", error: None };
    let calls: Vec<Call<'_>> = ids.iter().map(|id| call(id)).collect();
    let rule = rule("Every call", "type = \"query\"\nquery = \"event.action: *\"\nmax_signals = 400\n");
    let folder = Folder::of(&calls);
    let options = HuntOptions { threads: 8, ..options(&folder, std::slice::from_ref(&rule)) };
    let found = hunt::hunt(&options, &mut std::io::empty(), &hunt::Progress::default()).unwrap();
    assert_eq!(found.alert_count(), 400);
    let event = |alert: &mut hunt::Alert<'_, '_>| {
        alert.document().get("kibana.alert.ancestors").unwrap()[0]["id"].clone()
    };
    let taken: Vec<_> = found.alerts(&[], event, |alerts| alerts.take(10).collect());
    let all: Vec<_> = found.alerts(&[], event, |alerts| alerts.collect());
    assert_eq!((taken.len(), all.len()), (10, 400));
    assert_eq!(taken, all[..10]);
}

/// Nor does the order in which the names of indices are met, not even where all else of two documents is the same.
#[test]
fn indices_are_ordered_by_their_names() {
    let rule = rule(
        "New user",
        "type = \"new_terms\"\nquery = \"event.action: GetPasswordData\"\n[rule.new_terms]\n\
         field = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\n\
         field = \"history_window_start\"\nvalue = \"now-7d\"\n",
    );
    let hit = |index: &str| {
        let document = json!({
            "@timestamp": ecs::date::to_iso(DAY_ONE),
            "event": {"action": "GetPasswordData"},
            "user": {"name": "ada"},
        });
        json!({"_index": index, "_id": "same", "_source": document}).to_string()
    };
    let alerts = |names: [&str; 2]| {
        let folder = Folder::new();
        for (file, name) in ["a.ndjson", "b.ndjson"].iter().zip(names) {
            folder.write(file, hit(name));
        }
        let found = run(&HuntOptions { threads: 1, ..options(&folder, std::slice::from_ref(&rule)) });
        assert_eq!(found.alerts.len(), 1);
        texts(&found)
    };
    assert_eq!(alerts(["logs-first", "logs-second"]), alerts(["logs-second", "logs-first"]));
}
