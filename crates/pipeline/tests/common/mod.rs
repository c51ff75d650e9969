//! The tables of the cases, and what comes of a case.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ecs::Catalog;
use pipeline::{Limits, Program, RowMetadata, Rows, Table, Tables};
use serde_json::{Map, Value as Json, json};

/// The tables that cases read.
pub(crate) struct Indices {
    indices: BTreeMap<String, Index>,
    /// Those that may be looked up.
    tables: Tables,
}

struct Index {
    /// The types of columns, as they are stored.
    types: BTreeMap<String, String>,
    rows: Vec<Map<String, Json>>,
}

/// Cells of a line: commas in brackets do not separate.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut depth = 0;
    let mut chars = line.chars();
    while let Some(it) = chars.next() {
        match it {
            '\\' => {
                let last = cells.last_mut().unwrap();
                last.extend(chars.next());
                continue;
            }
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                cells.push(String::new());
                continue;
            }
            _ => {}
        }
        cells.last_mut().unwrap().push(it);
    }
    cells
}

fn value(text: &str, ty: &str) -> Json {
    let text = text.trim();
    match ty {
        "scaled_float" => json!((text.parse::<f64>().unwrap() * 100.0).round() / 100.0),
        _ => Json::String(text.to_owned()),
    }
}

impl Index {
    fn load(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = text.lines().filter(|it| !it.trim().is_empty() && !it.starts_with("//"));
        let heads: Vec<(String, String)> = cells(lines.next().unwrap())
            .iter()
            .map(|it| it.trim().split_once(':').unwrap())
            .map(|(name, ty)| (name.to_owned(), ty.trim().to_owned()))
            .collect();
        let mut rows = Vec::new();
        for line in lines {
            let mut row = Map::new();
            for (cell, (name, ty)) in cells(line).iter().zip(&heads) {
                let cell = cell.trim();
                let values: Vec<Json> = match cell.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                    Some(inner) => {
                        inner.split(',').filter(|it| !it.is_empty()).map(|it| value(it, ty)).collect()
                    }
                    None if cell.is_empty() => Vec::new(),
                    None => vec![value(cell, ty)],
                };
                row.insert(name.clone(), values.into());
            }
            rows.push(row);
        }
        Self { types: heads.into_iter().collect(), rows }
    }
}

fn catalog(types: &BTreeMap<String, String>) -> Arc<Catalog> {
    let types: Map<String, Json> = types
        .iter()
        .map(|(name, ty)| {
            (name.clone(), Json::from(if ty == "scaled_float" { "double" } else { ty.as_str() }))
        })
        .collect();
    Arc::new(Catalog::from_types(&types).unwrap())
}

impl Indices {
    pub(crate) fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("indices.json")).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap();
        let indices = json["indices"].as_object().unwrap();
        let load = |it: &Json| Index::load(&folder.join(it["data"].as_str().unwrap()));
        let indices = indices.iter().map(|(name, it)| (name.clone(), load(it))).collect();
        let mut all = Self { indices, tables: Tables::new() };
        for name in all.indices.keys().cloned().collect::<Vec<_>>() {
            let table = all.table(&format!("FROM {name}"), &Tables::new(), false).unwrap();
            all.tables.insert(name, table);
        }
        all
    }

    /// The table of a query.
    fn table(&self, query: &str, tables: &Tables, old_floats: bool) -> Result<Table, String> {
        let names: Vec<&String> = self.indices.keys().filter(|it| is_read(query, it)).collect();
        let mut types = BTreeMap::new();
        for name in &names {
            types.extend(self.indices[*name].types.clone());
        }
        let catalog = catalog(&types);
        let pipeline = check(query, &catalog, tables)?;
        let rows_max = if pipeline.is_limited { 10_000 } else { 1_000 };
        // 2026-01-01.
        let now = 1_767_225_600_000;
        let program = Program::new(&pipeline, tables, Some(rows_max), now, Limits::default())
            .map_err(|it| format!("not ready: {it}"))?;
        let mut rows = Rows::new(&pipeline, &program, &catalog);
        let mut id = 0;
        for name in names {
            let index = &self.indices[name];
            for row in &index.rows {
                id += 1;
                let mut row = row.clone();
                if old_floats && let Some(Json::Array(all)) = row.get_mut("height.scaled_float") {
                    for it in all {
                        *it = json!((it.as_f64().unwrap() * 100.0).round() * (1.0 / 100.0));
                    }
                }
                rows.push(RowMetadata { id: &id.to_string(), index: name }, &row);
            }
        }
        let blocks = if program.makes_its_row() { Vec::new() } else { vec![rows.take()] };
        program.run(blocks).map_err(|it| format!("not run: {it}"))
    }

    /// Why a case does not hold.
    pub(crate) fn run(&self, case: &Json) -> Result<(), String> {
        let query = case["query"].as_str().unwrap();
        let table = self.table(query, &self.tables, case["old_scaled_float"] == true)?;
        let columns = case["expected_columns"].as_array().unwrap();
        let expected: Vec<(String, String)> = columns
            .iter()
            .map(|it| (it["name"].as_str().unwrap().to_owned(), it["type"].as_str().unwrap().to_owned()))
            .collect();
        let found: Vec<(String, String)> =
            table.columns.iter().map(|it| (it.name.clone(), it.ty.as_str().to_owned())).collect();
        if found != expected {
            return Err(format!("columns {found:?} instead of {expected:?}"));
        }
        compare_rows(&table, case)?;
        compare_warnings(&table.warnings, case)
    }
}

/// Whether the first command names the index.
fn is_read(query: &str, index: &str) -> bool {
    let query = query.split('|').next().unwrap();
    let from = query.to_ascii_lowercase();
    let Some(at) = from.find("from") else { return false };
    let names = query[at + 4..].split(['[', '\n']).next().unwrap();
    let names = names.split(" METADATA").next().unwrap().split(" metadata").next().unwrap();
    names.split(',').any(|it| {
        let it = it.trim().trim_matches('"');
        it == index || it.strip_suffix('*').is_some_and(|it| index.starts_with(it))
    })
}

fn is_equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        (Json::Number(x), Json::Number(y)) => {
            let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else { return x == y };
            (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1e-9)
        }
        _ => a == b,
    }
}

fn compare_rows(table: &Table, case: &Json) -> Result<(), String> {
    let mut expected: Vec<Vec<Json>> =
        case["expected_rows"].as_array().unwrap().iter().map(|it| it.as_array().unwrap().clone()).collect();
    let mut found: Vec<Vec<Json>> =
        (0..table.rows).map(|row| table.row(row).map(|it| it.1.to_json()).collect()).collect();
    let query = case["query"].as_str().unwrap().to_ascii_lowercase();
    let sorts_last = query.rfind("sort ").is_some_and(|at| !query[at..].contains("stats "));
    let is_ordered = case["ordered"] == true && sorts_last;
    if is_ordered && !same_order(table, &query, &expected, &found) {
        return Err("the order is another".to_owned());
    }
    // Of rows that are alike for the order, any may come first.
    {
        let key = |it: &Vec<Json>| it.iter().map(sort_key).collect::<Vec<_>>().join("|");
        expected.sort_by_key(key);
        found.sort_by_key(key);
    }
    let same =
        |(a, b): (&Vec<Json>, &Vec<Json>)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b));
    if found.len() == expected.len() && found.iter().zip(&expected).all(same) {
        return Ok(());
    }
    let show = |rows: &[Vec<Json>]| {
        rows.iter().take(12).map(|it| json!(it).to_string()).collect::<Vec<_>>().join("\n      ")
    };
    Err(format!(
        "\n    {query}\n    found {}:\n      {}\n    expected {}:\n      {}",
        found.len(),
        show(&found),
        expected.len(),
        show(&expected)
    ))
}

/// Whether the columns that the last `SORT` names have the same values, row by row.
fn same_order(table: &Table, query: &str, expected: &[Vec<Json>], found: &[Vec<Json>]) -> bool {
    let sort = query.rfind("sort ").map_or("", |at| &query[at + 5..]);
    let items = sort.split(['|', '\n']).next().unwrap().split(',');
    let names: Vec<&str> = items.filter_map(|it| it.split_whitespace().next()).collect();
    let of_sort = |at: usize| {
        table.columns.get(at).is_some_and(|it| names.contains(&it.name.to_ascii_lowercase().as_str()))
    };
    let keys = |rows: &[Vec<Json>]| -> Vec<Vec<Json>> {
        let key = |row: &Vec<Json>| {
            row.iter().enumerate().filter(|it| of_sort(it.0)).map(|it| it.1.clone()).collect()
        };
        rows.iter().map(key).collect()
    };
    let (expected, found) = (keys(expected), keys(found));
    expected.len() == found.len()
        && expected.iter().zip(&found).all(|(a, b)| a.iter().zip(b).all(|(a, b)| is_equal(a, b)))
}

fn sort_key(value: &Json) -> String {
    match value.as_f64() {
        Some(it) => format!("{it:.6}"),
        None => value.to_string(),
    }
}

/// Those that are expected are there. Others may only tell of several values: old cases leave them out.
fn compare_warnings(found: &[String], case: &Json) -> Result<(), String> {
    let several = "single-value function encountered multi-value";
    let texts = |name: &str| -> Vec<String> {
        case[name].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let tells_several = found.iter().any(|it| it.ends_with(several));
    for expected in texts("expected_warnings") {
        let others: Vec<&str> = expected
            .split("#[Emulated:")
            .map(|it| it.trim_end_matches(']'))
            .chain([expected.as_str()])
            .collect();
        let is_there = found
            .iter()
            .any(|it| others.iter().any(|other| it.trim_end_matches(']') == *other || it == other));
        // Where it is said depends on what the peer pushes down.
        let is_of_where =
            tells_several && (expected.contains("multi-value") || expected.contains("treating result as"));
        // Classes of exceptions are hints.
        let is_class = expected.contains("org.elasticsearch");
        if !is_there && !is_of_where && !is_class {
            return Err(format!("no warning {expected:?} among {found:#?}"));
        }
    }
    Ok(())
}

/// A query against the columns of indices.
fn check(query: &str, catalog: &Arc<Catalog>, tables: &Tables) -> Result<esql::resolved::Pipeline, String> {
    let columns = |it: &Table| -> Vec<esql::TableColumn> {
        it.columns.iter().map(|it| esql::TableColumn { name: it.name.clone(), ty: it.ty }).collect()
    };
    let sources = esql::Sources {
        tables: tables.iter().map(|(name, it)| (name.clone(), columns(it))).collect(),
        ..esql::Sources::of(catalog)
    };
    esql::pipeline(query, &sources).map_err(|errors| {
        let told: Vec<String> =
            errors.iter().map(|it| format!("refused: {} {}", it.code, it.message)).collect();
        told.join("; ")
    })
}
