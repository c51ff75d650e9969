use cloudtrail::Version;
use ecs::Catalog;
use serde_json::json;

use super::*;

const NOW: i64 = 1_772_359_200_000;

fn lower(query: &str) -> Expr {
    let catalog = Catalog::ecs();
    let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
    plan::lower(&query, &catalog, 0).unwrap().simplify()
}

fn asked(query: &str) -> String {
    of_call(&lower(query)).to_string()
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
    let calls =
        Calls::new(&filters, needs(&filters, schema), schema, Version::default(), |_| true).map(Arc::new);
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
    let mut event = normaliser.event(&record, &read_at);
    if let Needed::Part(part) = by_call.of(event.call(), &mut event) {
        let part = by_call.part(part);
        wants_text = part.wants_text;
        event.fill(&part.early, &mut builder);
    }
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
    let calls =
        Calls::new(&filters, needs(&filters, schema), schema, Version::default(), |slot| !is_late(slot))
            .map(Arc::new);
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
