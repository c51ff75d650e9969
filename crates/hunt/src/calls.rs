//! Which columns the records of a call need.
//!
//! Nearly every rule is about a few calls. Of a record whose call most rules have nothing to do with, only the columns
//! of the others are filled: a filter that the call alone makes false is false whatever the other columns hold. If the
//! call makes all of them false, the record becomes no row. Nor does it if the guards of those that are left do.

use std::sync::Arc;

use block::{BlockBuilder, Origin, RowInfo, Schema, Slot};
use cloudtrail::{Call, Columns, Peek};
use ecs::{Scalar, Shape};
use exec::{Program, Scratch};
use plan::{Expr, Predicate};
use rustc_hash::FxHashMap;

use crate::guards::{Guard, Guards};

const ACTION: &str = "event.action";
const PROVIDER: &str = "event.provider";

/// No call of AWS is nearly as long as this, in bytes. The records of longer ones get all columns: to remember what
/// somebody made up would take much memory.
const CALL_BYTES_MAX: usize = 256;
/// How many different calls are remembered; when there are more, all are forgotten.
const CALLS_MAX: usize = 65_536;
/// How many providers of an action are remembered: they are searched one by one.
const PROVIDERS_MAX: usize = 16;
/// The number of the part that has all columns.
pub(crate) const ALL: usize = 0;
/// How many different sets of columns there may be; the records of further calls get all columns.
const PARTS_MAX: usize = 256;
/// How many guards of a part are worth asking before a row is filled.
const GUARDS_MAX: usize = 6;
/// How many guards there may be in all, for they remember values; further parts have none.
const ALL_GUARDS_MAX: usize = 32;

/// What each filter asks of the call, and the columns that it needs otherwise: shared by all threads.
pub(crate) struct Calls {
    /// Of every filter what it asks of the call.
    program: Program,
    /// Whether each filter asks anything of the call.
    asks: Vec<bool>,
    /// For each filter the columns that it and its tail need.
    needs: Vec<Vec<Slot>>,
    /// The columns that say what the call is. All rely on them.
    own: Vec<Slot>,
    guards: Guards,
}

impl Calls {
    /// Nothing if no filter asks anything of the call. `needs` are the columns of each filter and its tail; `is_early`
    /// says which columns are filled at once.
    pub(crate) fn new(
        filters: &[Expr],
        needs: Vec<Vec<Slot>>,
        schema: &Schema,
        is_early: impl Fn(Slot) -> bool,
    ) -> Option<Self> {
        let asked: Vec<Expr> = filters.iter().map(|filter| of_call(filter, true).simplify()).collect();
        let asks: Vec<bool> = asked.iter().map(|asked| *asked != Expr::Const(true)).collect();
        if !asks.contains(&true) {
            return None;
        }
        let own = [ACTION, PROVIDER].iter().filter_map(|path| schema.get(path, Shape::Leaf)).collect();
        let guards = Guards::new(filters, schema, is_early);
        Some(Self { program: Program::compile(&asked), asks, needs, own, guards })
    }
}

/// What of a call alone is true of every event of which `filter` is `wanted`.
fn of_call(filter: &Expr, wanted: bool) -> Expr {
    let each = |clauses: &[Expr]| clauses.iter().map(|clause| of_call(clause, wanted)).collect();
    match filter {
        Expr::Const(value) => Expr::Const(*value == wanted),
        Expr::Is(predicate) if !is_of_call(predicate) => Expr::Const(true),
        Expr::Is(_) if wanted => filter.clone(),
        Expr::Is(_) => Expr::Not(Box::new(filter.clone())),
        Expr::Not(inner) => of_call(inner, !wanted),
        Expr::And(clauses) if wanted => Expr::And(each(clauses)),
        Expr::Or(clauses) if !wanted => Expr::And(each(clauses)),
        Expr::And(clauses) | Expr::Or(clauses) => Expr::Or(each(clauses)),
    }
}

fn is_of_call(predicate: &Predicate) -> bool {
    predicate.shape == Shape::Leaf && (predicate.path == ACTION || predicate.path == PROVIDER)
}

fn is_short(call: Call<'_>) -> bool {
    call.action.len() + call.provider.len() <= CALL_BYTES_MAX
}

/// One thread's knowledge of which columns to fill.
pub(crate) struct ByCall {
    calls: Option<Arc<Calls>>,
    /// The calls known by their action, which nearly always has one provider.
    known: FxHashMap<Box<str>, Vec<Known>>,
    known_calls: usize,
    /// All columns, then parts of them. None is ever dropped.
    parts: Vec<Part>,
    by_needs: FxHashMap<Needs, usize>,
    /// The guards by their numbers, once a part has them.
    guards: FxHashMap<usize, Guard>,
    scratch: Scratch,
    builder: Option<BlockBuilder>,
}

/// What tells parts from each other.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Needs {
    slots: Vec<Slot>,
    wants_text: bool,
    guards: Vec<usize>,
}

/// What the records of some calls need.
pub(crate) struct Part {
    /// The columns of each phase.
    pub(crate) early: Columns,
    pub(crate) late: Columns,
    pub(crate) tail: Columns,
    /// Whether the text is likely to be asked for: a column may be filled later, or a rule names the call, so that the
    /// record may well alert.
    pub(crate) wants_text: bool,
    /// If none of them lets a record pass, no filter can match it. Empty if some filter has none.
    guards: Vec<usize>,
}

/// A call of an action.
struct Known {
    provider: Box<str>,
    /// Nothing if no filter can match.
    part: Option<usize>,
}

impl ByCall {
    /// All columns of each phase.
    pub(crate) fn new(calls: Option<Arc<Calls>>, early: Columns, late: Columns, tail: Columns) -> Self {
        Self {
            calls,
            known: FxHashMap::default(),
            known_calls: 0,
            parts: vec![Part { early, late, tail, wants_text: true, guards: Vec::new() }],
            by_needs: FxHashMap::default(),
            guards: FxHashMap::default(),
            scratch: Scratch::default(),
            builder: None,
        }
    }

    /// What a record with this number needs.
    pub(crate) fn part(&self, number: usize) -> &Part {
        &self.parts[number]
    }

    /// The number of what a record needs: all columns, if it does not say plainly what it is about; nothing at all, not
    /// even a row, if no filter can match it.
    pub(crate) fn of(&mut self, call: Option<Call<'_>>, record: &mut Peek<'_, '_>) -> Option<usize> {
        let number = match call {
            Some(call) if self.calls.is_some() && is_short(call) => self.number(call)?,
            Some(_) | None => ALL,
        };
        let Self { parts, guards, .. } = self;
        let part = &parts[number];
        let may_match = part.guards.is_empty()
            || part.guards.iter().any(|it| guards.get_mut(it).is_none_or(|guard| guard.lets_pass(record)));
        may_match.then_some(number)
    }

    fn number(&mut self, call: Call<'_>) -> Option<usize> {
        let providers = self.known.get(call.action);
        if let Some(known) = providers.and_then(|it| it.iter().find(|it| *it.provider == *call.provider)) {
            return known.part;
        }
        let part = self.find(call);
        if self.known_calls >= CALLS_MAX {
            self.known.clear();
            self.known_calls = 0;
        }
        let providers = self.known.entry(call.action.into()).or_default();
        if providers.len() >= PROVIDERS_MAX {
            providers.clear();
        }
        providers.push(Known { provider: call.provider.into(), part });
        self.known_calls += 1;
        part
    }

    /// Asks all filters about the call.
    fn find(&mut self, call: Call<'_>) -> Option<usize> {
        let calls = Arc::clone(self.calls.as_ref()?);
        let schema = calls.program.schema();
        let mut builder = self.builder.take().unwrap_or_else(|| BlockBuilder::new(Arc::new(schema.clone())));
        for (path, value) in [(ACTION, call.action), (PROVIDER, call.provider)] {
            if let Some(slot) = schema.get(path, Shape::Leaf) {
                builder.push(slot, Scalar::Str(value));
            }
        }
        builder.end_row(RowInfo { id: "", index: 0, timestamp: 0, origin: Origin::default() });
        let block = builder.finish();
        let mut slots = calls.own.clone();
        let (mut is_hopeless, mut is_named) = (true, false);
        let mut guards = Some(Vec::new());
        calls.program.evaluate(&block, &[], &mut self.scratch, |filter, _| {
            is_hopeless = false;
            is_named |= calls.asks[filter];
            slots.extend_from_slice(&calls.needs[filter]);
            match (&mut guards, calls.guards.of(filter)) {
                (Some(guards), Some(guard)) => guards.push(guard),
                _ => guards = None,
            }
        });
        self.builder = Some(BlockBuilder::reuse(block));
        if is_hopeless {
            return None;
        }
        slots.sort_unstable();
        slots.dedup();
        let is_needed = |slot: Slot| slots.binary_search(&slot).is_ok();
        let all = &self.parts[ALL];
        let (early, late, tail) =
            (all.early.only(is_needed), all.late.only(is_needed), all.tail.only(is_needed));
        let wants_text = is_named || !late.is_empty() || !tail.is_empty();
        let mut guards = guards.unwrap_or_default();
        guards.sort_unstable();
        guards.dedup();
        let new = guards.iter().filter(|it| !self.guards.contains_key(*it)).count();
        if guards.len() > GUARDS_MAX || self.guards.len() + new > ALL_GUARDS_MAX {
            guards.clear();
        }
        let needs = Needs { slots, wants_text, guards };
        if let Some(&part) = self.by_needs.get(&needs) {
            return Some(part);
        }
        if self.parts.len() >= PARTS_MAX {
            return Some(ALL);
        }
        for &guard in &needs.guards {
            self.guards.entry(guard).or_insert_with(|| calls.guards.guard(guard, &all.early));
        }
        self.parts.push(Part { early, late, tail, wants_text, guards: needs.guards.clone() });
        let part = self.parts.len() - 1;
        self.by_needs.insert(needs, part);
        Some(part)
    }
}

#[cfg(test)]
mod tests {
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
        let same =
            |query: &str, expected: &str| assert_eq!(asked(query), lower(expected).to_string(), "{query}");
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
        let calls =
            Calls::new(&filters, needs(&filters, schema), schema, |slot| !is_late(slot)).map(Arc::new);
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
        let sources =
            || of(vec![json!("p"), json!("q"), json!("r"), json!(null), json!(""), json!(["p", "q"])]);
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
}
