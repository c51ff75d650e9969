//! `trailwarden alerts facets`, `histogram`, `stats` and `log`: alerts counted, and who did what.

use std::io::Write as _;

use anyhow::Context as _;
use live::{Facet, LogEntry, LogSearch, RuleQuality};
use report::clean;
use rule::Severity;
use serde_json::{Value, json};

use crate::alerts_command::{coded, open, search};
use crate::analyst_args;
use crate::analyst_args::{Facets, Log, Stats};
use crate::status::DONE;
use crate::store_args::StoreFormat;
use crate::{input, output};

/// The fields that are counted if nobody names any.
const FIELDS: [&str; 5] = [
    "kibana.alert.severity",
    "kibana.alert.workflow_status",
    "kibana.alert.rule.name",
    "kibana.alert.workflow_assignee_ids",
    "kibana.alert.workflow_tags",
];
/// The longest bar of a histogram.
const BAR: u64 = 50;

pub(crate) fn write(text: &str) -> anyhow::Result<u8> {
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(DONE)
}

pub(crate) fn facets(args: &Facets) -> anyhow::Result<u8> {
    let book = open(&args.search.folder.path)?;
    let fields: Vec<String> =
        if args.fields.is_empty() { FIELDS.map(str::to_owned).to_vec() } else { args.fields.clone() };
    let counted = book.facets(&search(&args.search, 0)?, &fields, args.values);
    let (total, facets) = counted.map_err(|it| coded(&it))?;
    if args.format == StoreFormat::Json {
        let facets: Vec<Value> = facets.iter().map(Facet::told).collect();
        return write(&(json!({"total": total, "facets": facets}).to_string() + "\n"));
    }
    let mut text = format!("{}\n", report::plural(total, "alert", "alerts"));
    for it in &facets {
        text += &format!("{}\n", clean(&it.field));
        for (value, count) in &it.values {
            text += &format!("{count:>8}  {}\n", clean(value));
        }
        if it.others > 0 {
            text += &format!("          and {}\n", report::plural(it.others, "other value", "other values"));
        }
        if it.missing > 0 {
            text += &format!("{:>8}  (none)\n", it.missing);
        }
    }
    write(&text)
}

pub(crate) fn histogram(args: &analyst_args::Histogram) -> anyhow::Result<u8> {
    let book = open(&args.search.folder.path)?;
    let interval = args.interval.as_ref().map(rule::Interval::millis);
    let counted = book.histogram(&search(&args.search, 0)?, interval).map_err(|it| coded(&it))?;
    if args.format == StoreFormat::Json {
        return write(&(counted.told().to_string() + "\n"));
    }
    let sum = |counts: &[u64; 4]| counts.iter().sum::<u64>();
    let most = counted.buckets.iter().map(|it| sum(&it.1)).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (from, counts) in &counted.buckets {
        let count = sum(counts);
        let bar = "#".repeat((count * BAR).div_ceil(most) as usize);
        let severe = counts[Severity::High as usize] + counts[Severity::Critical as usize];
        let severe = if severe > 0 { format!(" ({severe} high or critical)") } else { String::new() };
        let line = format!("{}  {count:>6}  {bar}{severe}", report::when(*from));
        text += &format!("{}\n", line.trim_end());
    }
    write(&text)
}

pub(crate) fn stats(args: &Stats) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let range = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    let rules = open(&args.folder.path)?.quality(range).map_err(|it| coded(&it))?;
    if args.format == StoreFormat::Json {
        let rules: Vec<Value> = rules.iter().map(RuleQuality::told).collect();
        return write(&(json!({"rules": rules}).to_string() + "\n"));
    }
    let mut text = String::new();
    if !rules.is_empty() {
        text += "  alerts    open  closed  false positives\n";
    }
    for it in &rules {
        let quality = &it.quality;
        let share = match quality.false_positives() {
            None => "not judged".to_owned(),
            Some(share) => {
                let (percent, judged) = ((share * 100.0).round(), quality.judged());
                format!("{percent}% of {judged}")
            }
        };
        let open = quality.open + quality.acknowledged;
        let line = format!("{:>8}{open:>8}{:>8}  {share:<17}{}", quality.alerts, quality.closed, it.name);
        text += &format!("{}\n", clean(&line));
    }
    write(&text)
}

pub(crate) fn log(args: &Log) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    let search = LogSearch {
        since,
        until,
        author: args.author.clone(),
        subject: args.subject.clone(),
        limit: args.limit,
    };
    let entries = open(&args.folder.path)?.log(&search).map_err(|it| coded(&it))?;
    let mut text = String::new();
    for entry in &entries {
        if args.format == StoreFormat::Json {
            text += &format!("{}\n", entry.told());
            continue;
        }
        let LogEntry { at, author, subject, what, detail } = entry;
        let detail = match detail.as_object() {
            Some(it) if !it.is_empty() => format!(" {detail}"),
            Some(_) | None => String::new(),
        };
        text +=
            &format!("{}\n", clean(&format!("{}  {author}: {what}, {subject}{detail}", report::when(*at))));
    }
    write(&text)
}
