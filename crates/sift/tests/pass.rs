//! What the pass finds is what the filters say of the documents, whatever it leaves out and however it is fed.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;

use ecs::{Catalog, Shape};
use plan::Expr;
use plan::value::{Case, Datum, Function, Named, Operand, Operands, ValueExpr};
use proptest::prelude::*;
use serde_json::{Value, json};
use sift::{Counts, DocumentBuilder, Filter, Kind, Policy, Record, Seen, Settings, Sift, Sifted, Sink};

const NOW: i64 = 1_772_359_200_000;

/// Columns that may be asked for: cheap and costly ones, some with several values.
const COLUMNS: [&str; 6] = [
    "event.action",
    "user.name",
    "related.user",
    "aws.cloudtrail.request_parameters",
    "aws.cloudtrail.flattened.request_parameters.k",
    "process.name",
];

/// Fields that may be stored: these, and those that calls and guards are told by.
const STORED: [&str; 13] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    COLUMNS[5],
    "event.provider",
    "event.outcome",
    "aws.cloudtrail.error_code",
    "aws.cloudtrail.user_identity.access_key_id",
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    "aws.cloudtrail.user_identity.type",
];

fn lower(query: &str) -> Expr {
    let catalog = Catalog::ecs();
    let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
    plan::lower(&query, &catalog, 0).unwrap().simplify()
}

/// What is computed of values, of one field and of several, of cheap fields and of costly ones.
fn computed() -> impl Strategy<Value = Expr> {
    let fields = prop::sample::select(vec![
        "event.action",
        "user.name",
        "user.name",
        "related.user",
        "aws.cloudtrail.request_parameters",
        "aws.cloudtrail.flattened.request_parameters.k",
        "aws.cloudtrail.error_code",
        "_index",
    ]);
    let functions = prop::sample::select(vec![
        Function::Contains(Case::Exact),
        Function::Equals,
        Function::Less,
        Function::OneOf(Case::Ignored),
        Function::EndsWith(Case::Ignored),
        Function::IndexOf(Case::Exact),
    ]);
    let words = prop::sample::select(vec!["x", "k", "A", "v", "e"]);
    let null = prop::sample::select(vec![None, None, Some(Function::IsNull), Some(Function::Not)]);
    (prop::collection::vec(fields, 1..3), words, functions, null).prop_map(
        |(fields, word, function, null)| {
            let catalog = Catalog::ecs();
            let mut operands = Operands::default();
            let mut arguments: Vec<ValueExpr> = Vec::new();
            for field in fields {
                let Named::Operand(operand) = Operand::named(field, &catalog) else {
                    panic!("{field} has values")
                };
                arguments.push(operands.value(operand));
            }
            if arguments.len() == 1 {
                arguments.push(ValueExpr::Const(Datum::text(word)));
            }
            let mut expr = ValueExpr::call(function, arguments).unwrap();
            if expr.ty() != plan::value::Type::Bool {
                expr =
                    ValueExpr::call(Function::Equals, vec![expr, ValueExpr::Const(Datum::Int(0))]).unwrap();
            }
            if let Some(function) = null {
                expr = ValueExpr::call(function, vec![expr]).unwrap();
            }
            Expr::some(operands.as_slice(), expr)
        },
    )
}

/// A query, perhaps with something that no query says.
fn condition() -> impl Strategy<Value = Expr> {
    let query = || rule().prop_map(|query| lower(&query));
    let not = |it| Expr::Not(Box::new(it));
    prop_oneof![
        4 => query(),
        2 => (query(), computed()).prop_map(|(query, computed)| Expr::And(vec![computed, query])),
        1 => (query(), computed()).prop_map(move |(query, computed)| Expr::And(vec![query, not(computed)])),
        1 => (query(), computed()).prop_map(|(query, computed)| Expr::Or(vec![query, computed])),
        1 => computed(),
    ]
    .prop_map(Expr::simplify)
}

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
    let times =
        of(vec![json!("2026-03-01T10:00:00Z"), json!("2026-03-02T10:00:00Z"), json!("soon"), json!(null)]);
    (names(), sources(), codes, agents, users, requests, keys, roles, (kinds, times)).prop_map(
        |(name, source, code, agent, user, request, key, role, (kind, time))| {
            json!({
                "eventVersion": "1.08",
                "eventTime": time,
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

/// A record, its document, or what was left of one of them.
#[derive(Clone, Debug)]
struct Delivered {
    kind: Kind,
    text: String,
}

/// How a record comes.
#[derive(Clone, Copy, Debug)]
enum How {
    Record,
    Document,
    /// Without its end.
    Cut(usize),
    /// With an escape that there is not.
    Escaped,
    /// With a bracket of the wrong kind, somewhere.
    Nested(usize),
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        8 => Just(How::Record),
        3 => Just(How::Document),
        1 => (1..40_usize).prop_map(How::Cut),
        1 => Just(How::Escaped),
        1 => (0..4_usize).prop_map(How::Nested),
    ]
}

fn delivered(record: &Value, how: How, options: &cloudtrail::Options) -> Delivered {
    let text = record.to_string();
    match how {
        How::Record => Delivered { kind: Kind::CloudTrail, text },
        How::Document => {
            let mut builder = DocumentBuilder::new(options, NOW);
            let document = builder.build(&Record::of(Kind::CloudTrail, &text)).unwrap();
            Delivered { kind: Kind::Document, text: Value::Object(document.source).to_string() }
        }
        How::Cut(end) => Delivered {
            kind: Kind::CloudTrail,
            text: text[..text.len() - end.min(text.len() - 1)].to_owned(),
        },
        How::Nested(which) => {
            let brackets: Vec<usize> = text.match_indices('}').map(|(at, _)| at).collect();
            let at = brackets[which % brackets.len()];
            Delivered { kind: Kind::CloudTrail, text: format!("{}]{}", &text[..at], &text[at + 1..]) }
        }
        How::Escaped => {
            Delivered { kind: Kind::CloudTrail, text: text.replacen("\"eventVersion\"", "\"\\q\"", 1) }
        }
    }
}

/// A match: the filter, the record, and the values of the columns that the filter's caller asked for.
type Match = (usize, u64, Vec<Vec<String>>);

/// All that a sink was told.
#[derive(Default)]
struct Taken {
    matches: Vec<Match>,
    /// The events, each with the values of the columns that are wanted of every event.
    events: Vec<(u64, Vec<Vec<String>>)>,
    /// The columns that are wanted of every event.
    columns: Vec<block::Slot>,
}

impl Sink for Taken {
    fn take(&mut self, sifted: &Sifted<'_>) {
        for event in sifted.events() {
            let values = |slots: &[block::Slot]| {
                let of = |&slot: &block::Slot| {
                    let column = sifted.column(slot);
                    sifted.row(slot, &event).iter().map(|&it| column.value(it).text().into_owned()).collect()
                };
                slots.iter().map(of).collect()
            };
            self.events.push((event.origin.ordinal, values(&self.columns)));
            for filter in event.filters() {
                self.matches.push((filter, event.origin.ordinal, values(sifted.needs(filter))));
            }
        }
    }
}

/// How the pass is fed.
#[derive(Clone, Copy, Debug)]
struct Feed {
    block_rows: usize,
    /// After so many records somebody waits.
    flush_every: usize,
}

fn feed() -> impl Strategy<Value = Feed> {
    let some = (prop::sample::select(vec![1, 2, 5, 0]), prop::sample::select(vec![1, 3, usize::MAX]));
    some.prop_map(|(block_rows, flush_every)| Feed { block_rows, flush_every })
}

const AT_ONCE: Feed = Feed { block_rows: 0, flush_every: usize::MAX };

/// What the pass finds, matches in order.
fn pass(
    filters: &[Filter],
    policy: Policy,
    records: &[Delivered],
    feed: Feed,
    options: &cloudtrail::Options,
) -> (Taken, Seen) {
    let settings =
        Settings { normalise: options.clone(), now: NOW, block_rows: feed.block_rows, ..Settings::default() };
    let sift = Sift::new(filters.to_vec(), policy, settings);
    let mut taken = Taken { columns: sift.columns().to_vec(), ..Taken::default() };
    let mut worker = sift.worker();
    for (ordinal, it) in records.iter().enumerate() {
        let mut record = Record::of(it.kind, &it.text);
        record.origin.ordinal = ordinal as u64;
        // What cannot be read is counted.
        _ = worker.push(&record, &mut taken);
        if (ordinal + 1).is_multiple_of(feed.flush_every) {
            worker.flush(&mut taken);
        }
    }
    worker.flush(&mut taken);
    taken.matches.sort_unstable();
    (taken, *worker.seen())
}

/// What a store would keep of an event: its `_id`, its time, and what it has in each of [`STORED`], if that is at most one
/// text.
type Kept = (String, Option<i64>, [Option<Option<String>>; STORED.len()]);

/// Takes what a store would keep, by the records.
struct Keeping(BTreeMap<u64, Kept>);

impl Sink for Keeping {
    fn take(&mut self, sifted: &Sifted<'_>) {
        for event in sifted.events() {
            let mut values = [const { None }; STORED.len()];
            for (value, &slot) in values.iter_mut().zip(sifted.columns()) {
                *value = match sifted.row(slot, &event) {
                    [] => Some(None),
                    [one] => match sifted.column(slot).value(*one) {
                        ecs::Scalar::Str(text) => Some(Some(text.to_owned())),
                        _ => None,
                    },
                    [_, ..] => None,
                };
            }
            let time = Some(event.timestamp).filter(|&it| it != NOW);
            self.0.insert(event.origin.ordinal, (event.id.to_owned(), time, values));
        }
    }
}

/// What the pass finds if records of CloudTrail come by some of their fields, as far as these are all that there is.
fn pass_stored(
    filters: &[Filter],
    fields: &[&str],
    records: &[Delivered],
    feed: Feed,
    options: &cloudtrail::Options,
) -> (Taken, Seen) {
    let settings =
        Settings { normalise: options.clone(), now: NOW, block_rows: feed.block_rows, ..Settings::default() };
    let before = Sift::new(Vec::new(), everything(&STORED), settings.clone());
    let (mut keeping, mut worker) = (Keeping(BTreeMap::new()), before.worker());
    let policy = Policy::Stored { fields: fields.iter().map(|&it| it.to_owned()).collect() };
    let sift = Sift::new(filters.to_vec(), policy, settings);
    let asked = sift.stored_fields().unwrap();
    let places: Vec<usize> =
        asked.iter().map(|it| STORED.iter().position(|column| column == it).unwrap()).collect();
    for (ordinal, it) in records.iter().enumerate() {
        let mut record = Record::of(it.kind, &it.text);
        record.origin.ordinal = ordinal as u64;
        _ = worker.push(&record, &mut keeping);
    }
    worker.flush(&mut keeping);
    let (mut taken, mut worker) = (Taken::default(), sift.worker());
    let mut group = Group::new(places.len());
    for (ordinal, it) in records.iter().enumerate() {
        let mut record = Record::of(it.kind, &it.text);
        record.origin.ordinal = ordinal as u64;
        let kept = keeping.0.get(&record.origin.ordinal).filter(|_| it.kind == Kind::CloudTrail);
        let told = kept.filter(|(.., values)| places.iter().all(|&it| values[it].is_some()));
        if let Some((id, time, values)) = told {
            group.exact.push(group.texts.len() as u32);
            group.push(record.origin, it, id, *time, |at| values[places[at]].clone().flatten());
        } else {
            // What lies beside is no business of the rows that are named.
            group.push(record.origin, it, "other", None, |_| Some("GetPasswordData".to_owned()));
            _ = worker.push(&record, &mut taken);
        }
        if (ordinal + 1).is_multiple_of(feed.flush_every) {
            group.flush(&mut worker, &mut taken);
        }
    }
    group.flush(&mut worker, &mut taken);
    worker.flush(&mut taken);
    taken.matches.sort_unstable();
    (taken, *worker.seen())
}

/// Neighbouring records by their columns, which are read when they are asked for.
#[derive(Default)]
struct Group {
    exact: Vec<u32>,
    texts: Vec<String>,
    origins: Vec<block::Origin>,
    times: Vec<Option<i64>>,
    ids: Column,
    columns: Vec<Column>,
}

#[derive(Clone, Default)]
struct Column {
    is_read: bool,
    bytes: String,
    ends: Vec<usize>,
    rows: Vec<u32>,
}

impl Column {
    fn push(&mut self, text: Option<&str>) {
        // Neighbours share a text; others may have the same one again.
        let last = self.ends.len().checked_sub(1);
        let start = last.map_or(0, |it| if it == 0 { 0 } else { self.ends[it - 1] });
        let number = match (text, last) {
            (None, _) => u32::MAX,
            (Some(text), Some(last)) if self.bytes[start..] == *text => last as u32,
            (Some(text), _) => {
                self.bytes.push_str(text);
                self.ends.push(self.bytes.len());
                self.ends.len() as u32 - 1
            }
        };
        self.rows.push(number);
    }

    fn texts(&self) -> block::Texts<'_> {
        assert!(self.is_read, "it is read first");
        block::Texts { bytes: &self.bytes, ends: &self.ends, rows: &self.rows }
    }
}

impl Group {
    fn new(columns: usize) -> Self {
        Self { columns: vec![Column::default(); columns], ..Self::default() }
    }

    fn push(
        &mut self,
        origin: block::Origin,
        record: &Delivered,
        id: &str,
        time: Option<i64>,
        value: impl Fn(usize) -> Option<String>,
    ) {
        self.texts.push(record.text.clone());
        self.origins.push(origin);
        self.times.push(time);
        self.ids.push(Some(id));
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.push(value(at).as_deref());
        }
    }

    fn flush(&mut self, worker: &mut sift::Worker<'_>, taken: &mut Taken) {
        let exact = std::mem::take(&mut self.exact);
        let Ok(()) = worker.push_stored(&exact, self, taken);
        *self = Self::new(self.columns.len());
    }
}

impl sift::StoredRows for Group {
    type Error = std::convert::Infallible;

    fn read(&mut self, field: usize) -> Result<(), Self::Error> {
        self.columns[field].is_read = true;
        Ok(())
    }

    fn texts(&self, field: usize) -> block::Texts<'_> {
        self.columns[field].texts()
    }

    fn read_ids(&mut self) -> Result<(), Self::Error> {
        self.ids.is_read = true;
        Ok(())
    }

    fn ids(&self) -> block::Texts<'_> {
        self.ids.texts()
    }

    fn time(&self, row: u32) -> Option<i64> {
        self.times[row as usize]
    }

    fn origin(&self, row: u32) -> block::Origin {
        self.origins[row as usize]
    }

    fn records(&mut self, rows: &[u32], give: &mut dyn FnMut(&str)) -> Result<(), Self::Error> {
        assert!(rows.is_sorted_by(|a, b| a < b), "each is asked for once, in order");
        for &row in rows {
            give(&self.texts[row as usize]);
        }
        Ok(())
    }
}

fn everything(columns: &[&str]) -> Policy {
    let column = |path: &&str| ((*path).to_owned(), Shape::Leaf);
    Policy::Everything { columns: columns.iter().map(column).collect() }
}

fn values(document: &ecs::Object, paths: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Vec<String>> {
    let of = |path: &str| {
        let mut found = Vec::new();
        ecs::document::values(document, path, Shape::Leaf, |it| found.push(it.text().into_owned()));
        found
    };
    paths.into_iter().map(|path| of(path.as_ref())).collect()
}

/// The same by the documents, one by one; and how many records have none.
fn by_hand(filters: &[Filter], records: &[Delivered], options: &cloudtrail::Options) -> (Taken, Counts) {
    let (mut taken, mut counts) = (Taken::default(), Counts::default());
    let mut builder = DocumentBuilder::new(options, NOW);
    for (ordinal, it) in records.iter().enumerate() {
        counts.records += 1;
        let document = builder.build(&Record::of(it.kind, &it.text)).ok();
        let readable = document.filter(|_| {
            it.kind == Kind::Document
                || cloudtrail::RecordBuf::default().parse(it.text.as_bytes()).error().is_none()
        });
        let Some(document) = readable else {
            counts.unreadable += 1;
            continue;
        };
        let mut searched = document.source.clone();
        searched.insert("_index".to_owned(), document.index.clone().into());
        taken.events.push((ordinal as u64, values(&document.source, COLUMNS)));
        let before = taken.matches.len();
        for (number, filter) in filters.iter().enumerate() {
            if plan::naive::matches(&filter.expr, &searched) {
                let needs = filter.needs.iter().map(|(path, _)| path);
                taken.matches.push((number, ordinal as u64, values(&document.source, needs)));
            }
        }
        if taken.matches.len() > before {
            counts.matched += 1;
        } else {
            counts.unmatched += 1;
        }
    }
    taken.matches.sort_unstable();
    (taken, counts)
}

fn filter() -> impl Strategy<Value = Filter> {
    let needs = prop::sample::subsequence(COLUMNS.to_vec(), 0..3);
    (condition(), needs).prop_map(|(expr, needs)| Filter {
        expr,
        needs: needs.into_iter().map(|path| (path.to_owned(), Shape::Leaf)).collect(),
    })
}

fn options() -> impl Strategy<Value = cloudtrail::Options> {
    use cloudtrail::Version;
    let version = prop::sample::select(vec![Version::V8_9, Version::V2_24, Version::Filebeat]);
    version.prop_map(|version| cloudtrail::Options { version, ..cloudtrail::Options::default() })
}

fn check(found: &(Taken, Seen), expected: &(Taken, Counts)) {
    assert_eq!(found.0.matches, expected.0.matches);
    let counts = found.1.counts;
    assert_eq!(counts.records, counts.matched + counts.unmatched + counts.unreadable + counts.unread);
    assert_eq!((counts.records, counts.matched), (expected.1.records, expected.1.matched));
    assert!(counts.unreadable <= expected.1.unreadable);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is left out, and however the records come: the matches are what the documents say.
    #[test]
    fn matches_are_those_of_the_documents(
        filters in prop::collection::vec(filter(), 0..5),
        records in prop::collection::vec((record(), how()), 1..20),
        options in options(),
        feeds in (feed(), feed()),
    ) {
        let records: Vec<_> = records.iter().map(|(record, how)| delivered(record, *how, &options)).collect();
        let expected = by_hand(&filters, &records, &options);
        let some = pass(&filters, Policy::OnlyMatches, &records, feeds.0, &options);
        check(&some, &expected);
        let all = pass(&filters, everything(&COLUMNS), &records, feeds.1, &options);
        check(&all, &expected);
        // Which documents have none of the columns goes by the columns, and a policy asks for more of them.
        let counts = Counts { blind: 0, ..all.1.counts };
        assert_eq!(counts, expected.1, "nothing is left unread");
        assert_eq!((some.1.span, some.1.undated), (all.1.span, all.1.undated), "whatever was read");
        assert_eq!(all.0.events, expected.0.events, "every event is seen, with its columns");
    }

    /// Whichever fields were stored: the matches, with their values, are what the documents say.
    #[test]
    fn stored_fields_change_no_match(
        filters in prop::collection::vec(filter(), 0..5),
        records in prop::collection::vec((record(), how()), 1..20),
        options in options(),
        fields in prop::sample::subsequence(STORED.to_vec(), 0..=STORED.len()),
        feed in feed(),
    ) {
        let records: Vec<_> = records.iter().map(|(record, how)| delivered(record, *how, &options)).collect();
        let expected = by_hand(&filters, &records, &options);
        let found = pass_stored(&filters, &fields, &records, feed, &options);
        check(&found, &expected);
        let plain = pass(&filters, Policy::OnlyMatches, &records, feed, &options);
        assert_eq!((found.1.span, found.1.undated), (plain.1.span, plain.1.undated));
    }

    /// A filter matches the same events alone and among others.
    #[test]
    fn filters_do_not_mind_each_other(
        filters in prop::collection::vec(filter(), 1..5),
        records in prop::collection::vec((record(), how()), 1..20),
        options in options(),
    ) {
        let records: Vec<_> = records.iter().map(|(record, how)| delivered(record, *how, &options)).collect();
        let (together, _) = pass(&filters, Policy::OnlyMatches, &records, AT_ONCE, &options);
        for (number, filter) in filters.iter().enumerate() {
            let (alone, _) = pass(std::slice::from_ref(filter), Policy::OnlyMatches, &records, AT_ONCE, &options);
            let alone: Vec<_> = alone.matches.into_iter().map(|(_, at, values)| (number, at, values)).collect();
            let its: Vec<_> = together.matches.iter().filter(|(it, ..)| *it == number).cloned().collect();
            prop_assert_eq!(alone, its);
        }
    }
}
