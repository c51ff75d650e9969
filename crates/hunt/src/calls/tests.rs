use cloudtrail::Version;
use ecs::Catalog;
use proptest::prelude::*;
use reader::RecordKind;
use serde_json::{Value, json};

use super::*;
use crate::costly::late_paths;
use crate::events::{DocumentBuilder, Phase, RowFiller};
use crate::index::Indices;
use crate::scan::RawRecord;

const NOW: i64 = 1_772_359_200_000;

fn lower(query: &str) -> Expr {
    let catalog = Catalog::ecs();
    let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
    plan::lower(&query, &catalog, 0).unwrap().simplify()
}

fn asked(query: &str) -> String {
    of_call(&lower(query), true).simplify().to_string()
}

#[test]
fn what_a_filter_asks_of_the_call() {
    let same = |query: &str, expected: &str| assert_eq!(asked(query), lower(expected).to_string(), "{query}");
    same("event.action: (A or B*) and user.name: root", "event.action: (A or B*)");
    same("not event.action: A and not user.name: root", "not event.action: A");
    same("event.provider: a or event.action: A and user.name: x", "event.provider: a or event.action: A");
    same("not (event.action: A or user.name: x)", "not event.action: A");
    for nothing in [
        "event.action: A or user.name: x",
        "not (event.action: A and user.name: x)",
        "event.action.text: A",
        "user.name: x",
    ] {
        assert_eq!(asked(nothing), Expr::Const(true).to_string(), "{nothing}");
    }
}

/// The columns that a record gets, and whether its text is kept.
fn part(queries: &[&str], action: &str, provider: &str) -> (Vec<String>, bool) {
    part_of(queries, action, provider, "AKIA1")
}

fn part_of(queries: &[&str], action: &str, provider: &str, key: &str) -> (Vec<String>, bool) {
    let filters: Vec<Expr> = queries.iter().map(|query| lower(query)).collect();
    let program = Program::compile(&filters);
    let schema = program.schema();
    let calls = Calls::new(&filters, needs(&filters, schema), schema, |_| true).map(Arc::new);
    let columns = |picked: bool| Columns::of(schema, Version::default(), |_| picked);
    let mut by_call = ByCall::new(calls, columns(true), columns(false), columns(false));
    let mut wants_text = false;
    let record = json!({
        "eventName": action,
        "eventSource": provider,
        "errorCode": "e",
        "userIdentity": {"type": "IAMUser", "userName": "x", "arn": "a", "accessKeyId": key},
    });
    let text = record.to_string();
    let mut parsed = cloudtrail::RecordBuf::default();
    let mut normaliser = cloudtrail::Normaliser::new(cloudtrail::Options::default());
    let mut builder = BlockBuilder::new(Arc::new(schema.clone()));
    let read_at = cloudtrail::ReadAt::new(NOW);
    let record = parsed.parse(text.as_bytes());
    Columns::fill_by_call(&mut normaliser, &record, &read_at, &mut builder, |call, record| {
        let part = by_call.of(call, record)?;
        wants_text = by_call.part(part).wants_text;
        Some(&by_call.part(part).early)
    });
    builder.end_row(RowInfo { id: "", index: 0, timestamp: 0, origin: Origin::default() });
    let block = builder.finish();
    let filled = schema.columns().filter(|(slot, ..)| !block.column(*slot).row(0).is_empty());
    let mut filled: Vec<String> = filled.map(|(_, path, _)| path.to_owned()).collect();
    filled.sort_unstable();
    (filled, wants_text)
}

fn needs(filters: &[Expr], schema: &Schema) -> Vec<Vec<Slot>> {
    let of = |filter: &Expr| {
        filter.paths().into_iter().filter_map(|(path, shape)| schema.get(path, shape)).collect()
    };
    filters.iter().map(of).collect()
}

#[test]
fn records_get_what_the_rules_about_their_call_need() {
    let rules = [
        "event.action: A and user.name: x",
        "event.provider: p and aws.cloudtrail.error_code: *",
        "aws.cloudtrail.user_identity.type: *",
    ];
    let always = ["aws.cloudtrail.user_identity.type", "event.action", "event.provider"];
    let with = |more: &[&str]| {
        let mut paths: Vec<String> = always.iter().chain(more).map(|&path| path.to_owned()).collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(part(&rules, "B", "q"), (with(&[]), false));
    assert_eq!(part(&rules, "A", "q"), (with(&["user.name"]), true));
    assert_eq!(part(&rules, "B", "p"), (with(&["aws.cloudtrail.error_code"]), true));
    let all = with(&["aws.cloudtrail.error_code", "user.name"]);
    assert_eq!(part(&rules, "A", "p"), (all.clone(), true));
    let unnamed: Vec<String> = all.into_iter().filter(|path| path != ACTION).collect();
    assert_eq!(part(&rules, "none", "q"), (unnamed, true), "that is no name: the record has none");
    let bound = &rules[..2];
    let own = ["event.action", "event.provider", "user.name"].map(str::to_owned).to_vec();
    assert_eq!(part(bound, "A", "q"), (own, true));
    assert_eq!(part(bound, "B", "q"), (Vec::new(), false), "no rule can match it");
    let long = "B".repeat(CALL_BYTES_MAX);
    let all = ["aws.cloudtrail.error_code", ACTION, PROVIDER, "user.name"].map(str::to_owned).to_vec();
    assert_eq!(part(bound, &long, "q"), (all, true), "that is not worth remembering");
}

#[test]
fn later_columns_are_those_of_the_call_too() {
    let request = "aws.cloudtrail.request_parameters";
    let filters = [lower(&format!("event.action: A and {request}: *x*")), lower("event.action: B")];
    let program = Program::compile(&filters);
    let schema = program.schema();
    let is_late = |slot: Slot| schema.get(request, Shape::Leaf) == Some(slot);
    let calls = Calls::new(&filters, needs(&filters, schema), schema, |slot| !is_late(slot)).map(Arc::new);
    let columns = |picked: &dyn Fn(Slot) -> bool| Columns::of(schema, Version::default(), picked);
    let (early, late) = (columns(&|slot| !is_late(slot)), columns(&is_late));
    let mut by_call = ByCall::new(calls, early, late.clone(), late);
    let mut is_later = |action| {
        let part = by_call.number(Call { action, provider: "p" }).map(|part| by_call.part(part));
        part.map(|part| (!part.late.is_empty(), !part.tail.is_empty(), part.wants_text))
    };
    assert_eq!(is_later("A"), Some((true, true, true)));
    assert_eq!(is_later("B"), Some((false, false, true)), "it may alert, but nothing is filled later");
    assert_eq!(is_later("C"), None);
}

#[test]
fn records_that_no_guard_lets_pass_get_nothing() {
    let (key, outcome) = ("aws.cloudtrail.user_identity.access_key_id", "event.outcome");
    let long_term = format!("{key}: AKIA* and {outcome}: success");
    let rules = ["event.action: A and user.name: *", &long_term];
    let with = |filled: &[&str]| (filled.iter().map(|&it| it.to_owned()).collect::<Vec<_>>(), false);
    assert_eq!(part_of(&rules, "B", "q", "ASIA1"), with(&[]), "nobody can match it");
    assert_eq!(part_of(&rules, "B", "q", ""), with(&[]), "nor without a value");
    let all = with(&[key, ACTION, outcome]);
    assert_eq!(part_of(&rules, "B", "q", "AKIA1"), all, "one lets it pass");
    let either = ["event.action: A and user.name: *", &long_term, "user.name: (x or y)"];
    assert_eq!(part_of(&either, "B", "q", "ASIA1").0.len(), 4, "another lets it pass");
    assert_eq!(part_of(&rules, "A", "q", "ASIA1").0.len(), 4, "a rule about the call has none");
    assert!(!part_of(&rules, "none", "q", "ASIA1").0.is_empty(), "that names no call");
}

const VERSIONS: [Version; 3] = [Version::V8_9, Version::V2_24, Version::Filebeat];

fn query() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "event.action: A",
        "event.action: (A or B)",
        "event.action: b*",
        "event.action: *",
        "event.action.text: A",
        "event.action > \"A\"",
        "event.provider: p",
        "event.provider: (p or q)",
        "event.provider: *",
        "user.name: x",
        "user.name: *",
        "aws.cloudtrail.user_identity.access_key_id: AKIA*",
        "aws.cloudtrail.user_identity.session_context.session_issuer.arn: (*role/a* or *role/b or *c)",
        "aws.cloudtrail.user_identity.type: Root",
        "event.outcome: failure",
        "aws.cloudtrail.error_code: e",
        "aws.cloudtrail.user_identity.arn: a*",
        "aws.cloudtrail.request_parameters: *k*",
        "aws.cloudtrail.flattened.request_parameters.k: v",
        "related.user: x",
        "_index: logs*",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(|it| format!("({})", it.join(" and "))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|it| format!("({})", it.join(" or "))),
            2 => inner.prop_map(|it| format!("(not {it})")),
        ]
    })
}

/// A query about anything, about few calls, or with something to guard it.
fn rule() -> impl Strategy<Value = String> {
    let first = prop::sample::select(vec![
        "event.action: A and",
        "event.provider: q and",
        "not event.action: * and",
        "user.name: x and",
        "aws.cloudtrail.user_identity.access_key_id: AKIA* and",
        "aws.cloudtrail.user_identity.session_context.session_issuer.arn: (*role/a* or *role/b or *c) and",
        "aws.cloudtrail.user_identity.session_context.session_issuer.arn: (role/* or c) and not",
    ]);
    prop_oneof![2 => query(), 5 => (first, query()).prop_map(|(first, rest)| format!("{first} ({rest})"))]
}

fn record() -> impl Strategy<Value = Value> {
    let of = |values: Vec<Value>| prop::sample::select(values);
    let names = || {
        of(vec![
            json!("A"),
            json!("A"),
            json!("B"),
            json!("bC"),
            json!(null),
            json!(""),
            json!("none"),
            json!(7),
            json!(["A", "B"]),
            json!({"a": "A"}),
        ])
    };
    let sources = || of(vec![json!("p"), json!("q"), json!("r"), json!(null), json!(""), json!(["p", "q"])]);
    let codes = of(vec![json!(null), json!("e")]);
    let agents = of(vec![json!("agent"), json!("agent"), json!({"a": 1})]);
    let users = of(vec![json!("x"), json!("y"), json!(null)]);
    let requests = of(vec![json!(null), json!({"k": "v"}), json!({"l": "k"})]);
    let keys = of(vec![json!(null), json!("ASIA1"), json!("AKIA1"), json!(["AKIA1", "ASIA2"]), json!(7)]);
    let roles = of(vec![
        json!(null),
        json!("role/x"),
        json!("role/ab"),
        json!("role/b"),
        json!(["c", "d"]),
        json!(["d", "role/b"]),
    ]);
    let kinds = of(vec![json!("IAMUser"), json!("Root"), json!(null)]);
    (names(), sources(), codes, agents, users, requests, keys, roles, kinds).prop_map(
        |(name, source, code, agent, user, request, key, role, kind)| {
            json!({
                "eventVersion": "1.08",
                "eventName": name,
                "eventSource": source,
                "errorCode": code,
                "userAgent": agent,
                "userIdentity": {
                    "type": kind,
                    "userName": user,
                    "arn": "arn",
                    "accessKeyId": key,
                    "sessionContext": {"sessionIssuer": {"arn": role}},
                },
                "requestParameters": request,
            })
        },
    )
}

proptest! {
    /// What matches is what matches the documents, in blocks of all columns and in blocks of those that matter.
    #[test]
    fn unfilled_columns_change_no_verdict(
        queries in prop::collection::vec(rule(), 1..5),
        records in prop::collection::vec(record(), 1..20),
        version in prop::sample::select(VERSIONS.to_vec()),
    ) {
        let filters: Vec<Expr> = queries.iter().map(|query| lower(query)).collect();
        let texts: Vec<String> = records.iter().map(Value::to_string).collect();
        let raw = |at: usize| RawRecord {
            input: 0,
            ordinal: at as u64,
            kind: RecordKind::CloudTrail,
            id: None,
            index: None,
            text: &texts[at],
            tokens: None,
        };
        let late = late_paths(&filters, false);
        let is_late = |path: &str, shape| late.contains(&(path.to_owned(), shape));
        let program = Program::compile_with_late(&filters, is_late);
        let schema = Arc::new(program.schema().clone());
        let phases: Vec<Phase> = schema
            .columns()
            .map(|(_, path, shape)| if is_late(path, shape) { Phase::Late } else { Phase::Early })
            .collect();
        let is_early = |slot: Slot| phases[slot.index()] == Phase::Early;
        let calls = Calls::new(&filters, needs(&filters, &schema), &schema, is_early).map(Arc::new);
        let options = cloudtrail::Options { version, ..cloudtrail::Options::default() };
        let matches = |calls: Option<Arc<Calls>>| {
            let indices = Arc::new(Indices::default());
            let phase = |slot: Slot| phases[slot.index()];
            let mut filler = RowFiller::new(&schema, phase, &options, NOW, indices, calls);
            let mut builder = BlockBuilder::new(Arc::clone(&schema));
            for at in 0..texts.len() {
                filler.fill(&raw(at), &mut builder).unwrap();
            }
            let mut block = builder.finish();
            let mut scratch = Scratch::default();
            let rows = program.candidates(&block, filler.names(), &mut scratch).to_vec();
            filler.fill_later(Phase::Late, rows, &mut block);
            let mut found = Vec::new();
            program.finish(&block, filler.names(), &mut scratch, |filter, rows| {
                found.extend(rows.iter().map(|&row| (filter, block.origin(row as usize).ordinal)));
            });
            found
        };
        let mut expected = Vec::new();
        let mut documents = DocumentBuilder::new(&options, NOW);
        let documents: Vec<_> = (0..texts.len()).map(|at| documents.build(&raw(at)).unwrap()).collect();
        for (number, filter) in filters.iter().enumerate() {
            for (row, document) in documents.iter().enumerate() {
                let mut source = document.source.clone();
                source.insert("_index".to_owned(), document.index.clone().into());
                if plan::naive::matches(filter, &source) {
                    expected.push((number, row as u64));
                }
            }
        }
        prop_assert_eq!(&matches(None), &expected, "{:?}", queries);
        prop_assert_eq!(&matches(calls), &expected, "{:?}", queries);
    }
}
