//! `trailwarden query --count-by`.

use std::io::Write as _;

use anyhow::Context as _;
use ecs::Millis;
use hunt::{Combination, FieldCounts};
use report::{Cell, count, grid, plural, when};
use serde_json::{Map, Value, json};

use crate::args::{Global, Query, QueryFormat};
use crate::{output, terminal};

/// Rows of a table, if nothing else is asked for.
const ROWS: usize = 50;

pub(crate) fn print(args: &Query, counts: FieldCounts, global: &Global) -> anyhow::Result<()> {
    let (all, left_out) = counts.finish();
    let limit = args.limit.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
    let shown = &all[..all.len().min(limit)];
    let mut out = output::open(None)?;
    let written = match args.format {
        QueryFormat::Ndjson => {
            let lines = shown.iter().map(|it| json(args, it).to_string() + "\n");
            lines.into_iter().try_for_each(|line| out.write_all(line.as_bytes()))
        }
        QueryFormat::Csv => out.write_all(&csv(args, shown)?),
        QueryFormat::Table => {
            let rows = &shown[..shown.len().min(args.limit.map_or(ROWS, |_| limit))];
            out.write_all(table(args, rows, &all, global).as_bytes())
        }
    };
    written.and_then(|()| out.flush()).context("cannot write the result")?;
    if left_out.combinations {
        let text = format!(
            "there are more than {} different values: that many are counted in full, the others are left out; name fewer fields, or ask for less",
            count(hunt::COMBINATIONS_MAX as u64)
        );
        terminal::note(global, &text);
    }
    if left_out.documents > 0 {
        let text = format!(
            "{} with more than {} combinations of values: the first of these are counted",
            plural(left_out.documents, "event", "events"),
            count(hunt::COMBINATIONS_OF_ONE_MAX as u64)
        );
        terminal::note(global, &text);
    }
    Ok(())
}

fn iso(time: Option<Millis>) -> Option<String> {
    time.map(ecs::date::to_iso)
}

fn json(args: &Query, it: &Combination) -> Value {
    let values = args.count_by.iter().zip(&it.values);
    let values: Map<String, Value> = values.map(|(field, value)| (field.clone(), json!(value))).collect();
    json!({
        "count": it.count,
        "first_seen": iso(it.seen.map(|(first, _)| first)),
        "last_seen": iso(it.seen.map(|(_, last)| last)),
        "values": values,
    })
}

fn csv(args: &Query, rows: &[Combination]) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let fields = args.count_by.iter().map(String::as_str);
    out.write_record(["count", "first_seen", "last_seen"].into_iter().chain(fields))?;
    for it in rows {
        let seen = [iso(it.seen.map(|(first, _)| first)), iso(it.seen.map(|(_, last)| last))];
        let values = it.values.iter().map(|value| value.as_deref().unwrap_or_default());
        let cells = [it.count.to_string()].into_iter().chain(seen.map(Option::unwrap_or_default));
        let cells = cells.chain(values.map(|it| report::harmless(it).into_owned()));
        out.write_record(cells)?;
    }
    Ok(out.into_inner()?)
}

fn table(args: &Query, rows: &[Combination], all: &[Combination], global: &Global) -> String {
    let fields = args.count_by.iter().map(String::as_str);
    let heads: Vec<&str> = ["Events", "First (UTC)", "Last (UTC)"].into_iter().chain(fields).collect();
    let time = |time: Option<Millis>| Cell::from(time.map_or_else(|| "-".to_owned(), when));
    let cells = rows.iter().map(|it| {
        let values = it.values.iter().map(|value| value.as_deref().unwrap_or("-").into());
        let first = [
            Cell::number(count(it.count)),
            time(it.seen.map(|(first, _)| first)),
            time(it.seen.map(|(_, last)| last)),
        ];
        first.into_iter().chain(values).collect()
    });
    let mut text = if rows.is_empty() {
        String::new()
    } else {
        grid(&heads, cells, terminal::stdout_terminal(global, false))
    };
    let more = all.len() - rows.len();
    let what = if args.count_by.len() == 1 { ["value", "values"] } else { ["combination", "combinations"] };
    if more > 0 {
        text += &format!("… and {} more: --format csv prints all\n", count(more as u64));
    }
    text += &format!("{}\n", plural(all.len() as u64, what[0], what[1]));
    text
}
