//! Random ES|QL pipelines over random documents, against the node: columns, types and rows.
//!
//! Rows are compared as a multiset: where a pipeline limits them it has sorted them by something unique before. What the
//! node's version does not have is not asked: `INLINE STATS`, `FIRST`, `LAST`, several patterns of `GROK`, `DISSECT` (there is
//! a stand-in), `LOOKUP JOIN`. What fails the whole query there and gives null here (docs/compatibility.md) is counted apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use ecs::{Catalog, Object};
use fastrand::Rng;
use pipeline::{Limits, Program, RowMetadata, Rows, Tables};
use serde_json::{Value, json};

use super::http::Client;

/// The index that is made anew again and again.
const INDEX: &str = "trailwarden-differential-pipelines";
/// How many documents a round has.
const DOCUMENTS: usize = 30;
/// How many pipelines a round asks.
const PIPELINES: usize = 200;

/// The fields, by their names, with their types.
const FIELDS: [(&str, &str); 9] = [
    ("id", "integer"),
    ("i", "integer"),
    ("l", "long"),
    ("d", "double"),
    ("k", "keyword"),
    ("k2", "keyword"),
    ("t", "date"),
    ("a", "ip"),
    ("b", "boolean"),
];

/// What a side says.
#[derive(Clone, Debug)]
enum Answer {
    Refused(String),
    /// The node gives up on what is null here.
    Failed(String),
    Table {
        columns: Vec<(String, String)>,
        rows: Vec<Vec<Value>>,
    },
}

/// Compares so many pipelines. How many differ.
pub(super) fn run(url: &str, seed: u64, cases: usize, show: usize) -> anyhow::Result<usize> {
    let mut client = Client::new(url)?;
    let types: Object = FIELDS.iter().map(|(name, ty)| ((*name).to_owned(), json!(ty))).collect();
    let catalog = Catalog::from_types(&types).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let catalog = Arc::new(catalog);
    let (mut asked, mut different) = (0, 0);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut round = 0_u64;
    while asked < cases {
        let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(round));
        round += 1;
        let documents: Vec<Object> = (0..DOCUMENTS).map(|id| document(&mut rng, id)).collect();
        load(&mut client, &documents)?;
        for _ in 0..PIPELINES.min(cases - asked) {
            asked += 1;
            let query = Maker { rng: &mut rng, columns: BTreeMap::new(), names: 0 }.pipeline();
            let theirs = ask(&mut client, &query)?;
            let ours = answer(&query, &catalog, &documents);
            let verdict = match (&theirs, &ours) {
                (Answer::Refused(_), Answer::Refused(_)) => "refused by both",
                (Answer::Failed(_), _) => "fails there",
                (Answer::Table { columns, rows }, Answer::Table { columns: mine, rows: my_rows })
                    if columns == mine && same_rows(rows, my_rows) =>
                {
                    "the same table"
                }
                _ => "DIFFERENT",
            };
            *tally.entry(verdict).or_insert(0) += 1;
            if verdict == "DIFFERENT" {
                different += 1;
                if different <= show {
                    println!("{query}\n  theirs: {}\n  ours:   {}\n", tell(&theirs), tell(&ours));
                }
            }
        }
    }
    let tally: Vec<String> = tally.iter().map(|(what, count)| format!("{count} {what}")).collect();
    println!("{asked} pipelines over {round} sets of documents: {}", tally.join(", "));
    Ok(different)
}

fn tell(answer: &Answer) -> String {
    match answer {
        Answer::Refused(why) => format!("refused: {why}"),
        Answer::Failed(why) => format!("failed: {why}"),
        Answer::Table { columns, rows } => {
            let columns: Vec<String> = columns.iter().map(|(name, ty)| format!("{name}:{ty}")).collect();
            let mut rows: Vec<String> = rows.iter().map(|it| json!(it).to_string()).collect();
            rows.sort();
            let more = if rows.len() > 12 { " …" } else { "" };
            format!(
                "{} {}{more}",
                columns.join(" | "),
                rows.into_iter().take(12).collect::<Vec<_>>().join(" ")
            )
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_number().and_then(|it| it.to_string().parse().ok())
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => match (number(a), number(b)) {
            (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0),
            _ => a == b,
        },
    }
}

fn key(value: &Value) -> String {
    match (value, number(value)) {
        (Value::Array(all), _) => all.iter().map(key).collect::<Vec<_>>().join(","),
        (_, Some(it)) => format!("{it:.5e}"),
        _ => value.to_string(),
    }
}

fn same_rows(a: &[Vec<Value>], b: &[Vec<Value>]) -> bool {
    let sorted = |rows: &[Vec<Value>]| {
        let mut rows = rows.to_vec();
        rows.sort_by_cached_key(|row| row.iter().map(key).collect::<Vec<_>>());
        rows
    };
    let (a, b) = (sorted(a), sorted(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)))
}

fn load(client: &mut Client, documents: &[Object]) -> anyhow::Result<()> {
    client.request("DELETE", &format!("/{INDEX}"), "")?;
    let properties: Object =
        FIELDS.iter().map(|(name, ty)| ((*name).to_owned(), json!({"type": ty}))).collect();
    let body = json!({
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {"dynamic": false, "properties": properties},
    });
    let (status, answer) = client.request("PUT", &format!("/{INDEX}"), &body.to_string())?;
    anyhow::ensure!(status == 200, "the node refuses the index: {answer}");
    let mut lines = String::new();
    for (id, document) in documents.iter().enumerate() {
        let head = json!({"index": {"_index": INDEX, "_id": id.to_string()}});
        lines += &format!("{head}\n{}\n", Value::Object(document.clone()));
    }
    let (status, answer) = client.request("POST", "/_bulk?refresh=true", &lines)?;
    let answer: Value = serde_json::from_str(&answer)?;
    anyhow::ensure!(status == 200 && answer["errors"] == false, "the node refuses documents: {answer}");
    Ok(())
}

fn ask(client: &mut Client, query: &str) -> anyhow::Result<Answer> {
    let body = json!({"query": query}).to_string();
    let (status, text) = client.request("POST", "/_query", &body)?;
    let answer: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    if status != 200 || answer["is_partial"] == true {
        let reason = answer["error"]["reason"].as_str().unwrap_or("partial").to_owned();
        return Ok(if status == 400 { Answer::Refused(reason) } else { Answer::Failed(reason) });
    }
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let list = |it: &Value| it.as_array().cloned().unwrap_or_default();
    let name = |it: &Value| match text(it).as_str() {
        "date" => "datetime".to_owned(),
        other => other.to_owned(),
    };
    let columns = list(&answer["columns"]).iter().map(|it| (text(&it["name"]), name(&it["type"]))).collect();
    Ok(Answer::Table { columns, rows: list(&answer["values"]).iter().map(list).collect() })
}

fn answer(query: &str, catalog: &Arc<Catalog>, documents: &[Object]) -> Answer {
    let refused = |it: &dyn std::fmt::Display| Answer::Refused(it.to_string());
    let pipeline = match esql::pipeline(query, &esql::Sources::of(catalog)) {
        Ok(it) => it,
        Err(errors) => {
            return Answer::Refused(
                errors.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; "),
            );
        }
    };
    let program = match Program::new(&pipeline, &Tables::new(), Some(1_000), 0, Limits::default()) {
        Ok(it) => it,
        Err(error) => return refused(&error),
    };
    let mut rows = Rows::new(&pipeline, &program, catalog);
    for (id, document) in documents.iter().enumerate() {
        rows.push(RowMetadata { id: &id.to_string(), index: INDEX }, document);
    }
    match program.run([rows.take()]) {
        Ok(table) => Answer::Table {
            columns: table.columns.iter().map(|it| (it.name.clone(), it.ty.as_str().to_owned())).collect(),
            rows: (0..table.rows).map(|row| table.row(row).map(|it| it.1.to_json()).collect()).collect(),
        },
        Err(error) => refused(&error),
    }
}

/// A document: fields that are missing, null, empty, of one value or several.
fn document(rng: &mut Rng, id: usize) -> Object {
    let mut document = Object::new();
    document.insert("id".to_owned(), json!(id));
    for (name, ty) in FIELDS.into_iter().skip(1) {
        let count = match rng.u8(..10) {
            0 => continue,
            1 => 0,
            2 | 3 => 1 + rng.usize(1..3),
            _ => 1,
        };
        let mut values: Vec<Value> = (0..count).map(|_| value(rng, ty)).collect();
        let value = match values.len() {
            0 if rng.bool() => Value::Null,
            1 => values.remove(0),
            _ => values.into(),
        };
        document.insert(name.to_owned(), value);
    }
    document
}

fn value(rng: &mut Rng, ty: &str) -> Value {
    match ty {
        "integer" => json!(*pick(rng, &[0, 1, 2, -1, 7, 100, i32::MAX, i32::MIN])),
        "long" => json!(*pick(rng, &[0, 1, -3, 1_000, 86_400_000, i64::MAX, i64::MIN + 1])),
        "double" => json!(*pick(rng, &[0.0, 0.5, -1.5, 2.5, 1e7, 1e-4, 3.25, 1e300])),
        "keyword" => json!(*pick(
            rng,
            &["a", "b", "ab", "A b", "", "10", "1.5", "true", "ü", "x,y", "a*b", "10.0.0.1"]
        )),
        "date" => json!(*pick(
            rng,
            &[
                "2024-01-31",
                "2024-02-29T23:59:59.999Z",
                "1970-01-01",
                "1969-12-31T12:00:00Z",
                "2023-12-31T23:59:59Z"
            ]
        )),
        "ip" => json!(*pick(rng, &["10.0.0.1", "10.1.2.3", "127.0.0.1", "::1", "fe80::1", "192.168.1.255"])),
        _ => json!(rng.bool()),
    }
}

fn pick<'t, T>(rng: &mut Rng, all: &'t [T]) -> &'t T {
    &all[rng.usize(..all.len())]
}

/// What makes pipelines: the columns that there are, with the kinds of their values.
struct Maker<'r> {
    rng: &'r mut Rng,
    columns: BTreeMap<String, &'static str>,
    names: usize,
}

impl Maker<'_> {
    fn pipeline(mut self) -> String {
        self.columns = FIELDS.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
        let mut text = format!("FROM {INDEX}");
        let mut is_grouped = false;
        for _ in 0..1 + self.rng.usize(..4) {
            let command = match self.rng.u8(..12) {
                0..=2 => format!("WHERE {}", self.expression("boolean", 2)),
                3..=6 => self.eval(),
                7 if !is_grouped => {
                    let column = self.any_column();
                    format!("MV_EXPAND {column}")
                }
                8 | 9 if !is_grouped => {
                    is_grouped = true;
                    self.stats()
                }
                10 => {
                    let count = 1 + self.rng.usize(..3);
                    let keep: Vec<String> = (0..count).map(|_| self.any_column()).collect();
                    self.columns.retain(|name, _| keep.contains(name));
                    format!("KEEP {}", keep.join(", "))
                }
                _ => {
                    let old = self.any_column();
                    let new = self.name();
                    if let Some(ty) = self.columns.remove(&old) {
                        self.columns.insert(new.clone(), ty);
                    }
                    format!("RENAME {old} AS {new}")
                }
            };
            text += &format!(" | {command}");
        }
        if !is_grouped
            && self.columns.contains_key("id")
            && self.rng.u8(..3) == 0
            && !text.contains("MV_EXPAND")
        {
            let column = self.any_column();
            let order = *pick(self.rng, &["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]);
            text += &format!(" | SORT {column}{order}, id | LIMIT {}", self.rng.u8(1..20));
        }
        text
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    fn any_column(&mut self) -> String {
        let names: Vec<&String> = self.columns.keys().collect();
        (*pick(self.rng, &names)).clone()
    }

    fn column(&mut self, kind: &str) -> Option<String> {
        let names: Vec<&String> = self.columns.iter().filter(|it| *it.1 == kind).map(|it| it.0).collect();
        if names.is_empty() { None } else { Some((*pick(self.rng, &names)).clone()) }
    }

    fn eval(&mut self) -> String {
        let kind = *pick(self.rng, &["integer", "long", "double", "keyword", "date", "ip", "boolean"]);
        let value = self.expression(kind, 3);
        let name = if self.rng.u8(..8) == 0 { self.any_column() } else { self.name() };
        // `id` stays what makes rows unique.
        let name = if name == "id" { self.name() } else { name };
        self.columns.insert(name.clone(), kind);
        format!("EVAL {name} = {value}")
    }

    fn stats(&mut self) -> String {
        let mut told = Vec::new();
        let mut columns = BTreeMap::new();
        for _ in 0..1 + self.rng.usize(..3) {
            let name = self.name();
            let number = *pick(self.rng, &["integer", "double"]);
            let value = *pick(self.rng, &["integer", "long", "double", "keyword", "date", "ip"]);
            let (text, kind) = match self.rng.u8(..10) {
                0 => ("COUNT(*)".to_owned(), "long"),
                1 => (format!("COUNT({})", self.expression(value, 1)), "long"),
                2 => (format!("COUNT_DISTINCT({})", self.expression(value, 1)), "long"),
                3 => (format!("MIN({})", self.expression(value, 1)), value),
                4 => (format!("MAX({})", self.expression(value, 1)), value),
                5 => {
                    let sum = if number == "integer" { "long" } else { "double" };
                    (format!("SUM({})", self.expression(number, 1)), sum)
                }
                6 => (format!("AVG({})", self.expression(number, 1)), "double"),
                7 => (format!("MEDIAN({})", self.expression("integer", 0)), "double"),
                8 => (format!("MV_SORT(VALUES({}))", self.expression(value, 1)), value),
                _ => (format!("TOP({}, 2, \"desc\")", self.expression(value, 1)), value),
            };
            let filter = if self.rng.u8(..4) == 0 {
                format!(" WHERE {}", self.expression("boolean", 1))
            } else {
                String::new()
            };
            told.push(format!("{name} = {text}{filter}"));
            columns.insert(name, kind);
        }
        let mut text = format!("STATS {}", told.join(", "));
        let keys: Vec<String> = (0..self.rng.usize(..3))
            .map(|_| {
                let kind = *pick(self.rng, &["integer", "keyword", "boolean", "ip", "date"]);
                let value = self.expression(kind, 1);
                let name = self.name();
                columns.insert(name.clone(), kind);
                format!("{name} = {value}")
            })
            .collect();
        if !keys.is_empty() {
            text += &format!(" BY {}", keys.join(", "));
        }
        self.columns = columns;
        text
    }

    fn constant(&mut self, kind: &str) -> String {
        match kind {
            "integer" => (*pick(self.rng, &["0", "1", "2", "-7", "2147483647", "[1, 2]"])).to_owned(),
            "long" => (*pick(self.rng, &["3000000000", "-3000000000"])).to_owned(),
            "double" => (*pick(self.rng, &["0.0", "1.5", "-2.5", "1.0E7"])).to_owned(),
            "keyword" => (*pick(self.rng, &["\"a\"", "\"ab\"", "\"\"", "\"10\"", "\"ü\"", "[\"a\", \"b\"]"]))
                .to_owned(),
            "date" => {
                (*pick(self.rng, &["TO_DATETIME(\"2024-01-31\")", "TO_DATETIME(\"1969-12-31T12:00:00Z\")"]))
                    .to_owned()
            }
            "ip" => (*pick(self.rng, &["TO_IP(\"10.0.0.1\")", "TO_IP(\"::1\")"])).to_owned(),
            _ => (*pick(self.rng, &["true", "false"])).to_owned(),
        }
    }

    fn expression(&mut self, kind: &'static str, depth: usize) -> String {
        if depth == 0 || self.rng.u8(..4) == 0 {
            let column = if self.rng.u8(..4) == 0 { None } else { self.column(kind) };
            return column.unwrap_or_else(|| self.constant(kind));
        }
        let depth = depth - 1;
        if self.rng.u8(..8) == 0 {
            let condition = self.expression("boolean", depth);
            let (a, b) = (self.expression(kind, depth), self.expression(kind, depth));
            return match self.rng.u8(..3) {
                0 => format!("CASE({condition}, {a}, {b})"),
                1 => format!("CASE({condition}, {a})"),
                _ => format!("COALESCE({a}, {b})"),
            };
        }
        if self.rng.u8(..6) == 0 {
            let a = self.expression(kind, depth);
            let functions: &[&str] = match kind {
                "boolean" => &["MV_FIRST", "MV_LAST", "MV_DEDUPE", "MV_MAX"],
                "integer" | "long" => {
                    &["MV_FIRST", "MV_MIN", "MV_MAX", "MV_DEDUPE", "MV_SORT", "MV_MEDIAN", "MV_SUM"]
                }
                _ => &["MV_FIRST", "MV_LAST", "MV_MIN", "MV_MAX", "MV_DEDUPE", "MV_SORT"],
            };
            return format!("{}({a})", pick(self.rng, functions));
        }
        match kind {
            "boolean" => self.condition(depth),
            "keyword" => self.text(depth),
            "date" => {
                let date = self.expression("date", depth);
                let span =
                    *pick(self.rng, &["1 day", "2 hours", "1 month", "1 week", "1 year", "90 seconds"]);
                match self.rng.u8(..3) {
                    0 => format!("DATE_TRUNC({span}, {date})"),
                    1 => format!("({date} + {span})"),
                    _ => format!("({date} - {span})"),
                }
            }
            "ip" => self.column("ip").unwrap_or_else(|| self.constant("ip")),
            "double" => {
                let number = *pick(self.rng, &["integer", "long", "double"]);
                let (a, b) = (self.expression("double", depth), self.expression(number, depth));
                match self.rng.u8(..8) {
                    0 => format!("ROUND({a}, 1)"),
                    1 => format!("TO_DOUBLE({b})"),
                    2 => format!("CEIL({a})"),
                    3 => format!("SQRT({b})"),
                    4 => format!("MV_AVG({b})"),
                    _ => format!("({a} {} {b})", pick(self.rng, &["+", "-", "*", "/", "%"])),
                }
            }
            _ => self.whole(kind, depth),
        }
    }

    fn whole(&mut self, kind: &'static str, depth: usize) -> String {
        let a = self.expression(kind, depth);
        if kind == "long" {
            let b = self.expression("integer", depth);
            return match self.rng.u8(..5) {
                0 => format!("TO_LONG({})", self.expression("keyword", depth)),
                1 => format!("TO_LONG({})", self.expression("date", depth)),
                2 => format!("DATE_EXTRACT(\"day_of_week\", {})", self.expression("date", depth)),
                _ => format!("({a} {} {b})", pick(self.rng, &["+", "-", "*", "/", "%"])),
            };
        }
        let b = self.expression("integer", depth);
        match self.rng.u8(..8) {
            0 => format!("LENGTH({})", self.expression("keyword", depth)),
            1 => format!("MV_COUNT({})", self.expression("keyword", depth)),
            2 => format!("TO_INTEGER({})", self.expression("double", depth)),
            3 => {
                let unit = *pick(self.rng, &["day", "month", "hour", "year"]);
                let (from, to) = (self.expression("date", depth), self.expression("date", depth));
                format!("DATE_DIFF(\"{unit}\", {from}, {to})")
            }
            4 => format!("LOCATE({}, \"a\")", self.expression("keyword", depth)),
            _ => format!("({a} {} {b})", pick(self.rng, &["+", "-", "*", "/", "%"])),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let a = self.expression("keyword", depth);
        match self.rng.u8(..9) {
            0 => format!("TO_LOWER({a})"),
            1 => format!("TO_UPPER({a})"),
            2 => format!("CONCAT({a}, {})", self.expression("keyword", depth)),
            3 => format!("SUBSTRING({a}, {}, 2)", pick(self.rng, &["1", "2", "-1", "0"])),
            4 => format!("MV_CONCAT({a}, \"-\")"),
            5 => format!("SPLIT({a}, \",\")"),
            6 => format!("REPLACE({a}, \"[ab]\", \"z\")"),
            7 => format!("TRIM({a})"),
            _ => {
                let kind = *pick(self.rng, &["integer", "long", "double", "date", "ip", "boolean"]);
                format!("TO_STRING({})", self.expression(kind, depth))
            }
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.rng.u8(..10) {
            0 => format!("({} AND {})", self.expression("boolean", depth), self.expression("boolean", depth)),
            1 => format!("({} OR {})", self.expression("boolean", depth), self.expression("boolean", depth)),
            2 => format!("NOT {}", self.expression("boolean", depth)),
            3 => format!("({} IS NULL)", self.any_column()),
            4 => {
                let (a, pattern) =
                    (self.expression("keyword", depth), pick(self.rng, &["a*", "*b", "?", "*", "a\\\\*b"]));
                format!("({a} LIKE \"{pattern}\")")
            }
            5 => {
                let (a, pattern) = (
                    self.expression("keyword", depth),
                    pick(self.rng, &["a.*", "[ab]+", "a|b", ".*", "\\\\d+"]),
                );
                format!("({a} RLIKE \"{pattern}\")")
            }
            6 => {
                let kind = *pick(self.rng, &["integer", "keyword", "ip"]);
                let (a, b, c) =
                    (self.expression(kind, depth), self.expression(kind, depth), self.constant(kind));
                format!("({a} IN ({b}, {c}))")
            }
            7 => format!("CIDR_MATCH({}, \"10.0.0.0/8\", \"::1/128\")", self.expression("ip", depth)),
            8 => format!("STARTS_WITH({}, \"a\")", self.expression("keyword", depth)),
            _ => {
                let kind = *pick(self.rng, &["integer", "long", "double", "keyword", "date", "ip"]);
                let (a, b) = (self.expression(kind, depth), self.expression(kind, depth));
                format!("({a} {} {b})", pick(self.rng, &["==", "!=", "<", "<=", ">", ">="]))
            }
        }
    }
}
