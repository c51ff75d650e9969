//! `trailwarden summary`.

use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use detect::Mode;
use ecs::date::to_iso;
use hunt::{Dimension, HuntOptions, Progress, Subject, Subjects, Summary, SummaryOptions};
use identity::RootField;
use report::{clean, count, plural, when};
use rule::Selection;
use serde_json::{Value, json};

use crate::VERSION;
use crate::args::{Global, SummaryArgs, SummaryFormat};
use crate::{input, notices, output, query_command, status, terminal};

/// Columns of lines for people.
const WIDTH: usize = 80;
/// Members of a set that are named for people.
const NAMED: usize = 3;

pub(crate) fn run(args: &SummaryArgs, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    if let Some(field) = &args.by {
        if !global.quiet {
            let asked = format!("{field}: *");
            query_command::remarks(&asked, rule::QueryLanguage::Kuery, &ecs::Catalog::ecs(), true, global);
        }
        if RootField::of(field).is_some_and(|it| it != RootField::Arn) {
            bail!("--by {field}: records do not have it; who is behind them is {}", RootField::Arn.path());
        }
    }
    let threads = input::threads(args.threads);
    let mut set = input::rules(&args.rules, threads)?.localised(input::language(args.rules.lang));
    let options = HuntOptions {
        mode: Mode::Replay { since, until },
        limits: args.input.limits.reader(),
        threads: threads.get(),
        stored: args.input.stored()?,
        ..HuntOptions::new(
            args.input.paths.clone(),
            Selection::new(std::mem::take(&mut set.rules), &[]),
            std::mem::take(&mut set.exceptions),
            input::normalise(args.geoip.as_deref())?,
            now,
            VERSION,
        )
    };
    let asked = SummaryOptions { dimensions: dimensions(args), since, until };
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::summary(&options, &asked, &mut std::io::stdin(), &progress);
    drop(bar);
    let (found, summary) = found.map_err(|error| anyhow!("{error}{}", notices::all_idle(&options.rules)))?;
    let text = if args.pivots { pivots(args, &summary)? } else { subjects(args, &summary)? };
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    limits(&summary, global);
    let all: Vec<_> = notices::rule_errors(&set)
        .into_iter()
        .chain(notices::idle(&options.rules))
        .chain(found.notices(since, until).iter().map(|it| notices::words(it, &found)))
        .collect();
    terminal::notices(global, &all);
    Ok(status::of(
        false,
        status::Input {
            is_usable: found.is_usable(),
            is_complete: found.read.loss_count == 0,
            strict: args.input.strict,
        },
    ))
}

fn dimensions(args: &SummaryArgs) -> Vec<Dimension> {
    use Dimension as D;
    if let Some(field) = &args.by {
        // Whoever is behind events is a field, too, and no record has it.
        let is_root = RootField::of(field) == Some(RootField::Arn);
        return vec![if is_root { D::Root } else { D::Field(field.clone()) }];
    }
    if args.pivots {
        return vec![D::Address, D::Key, D::Identity, D::Agent, D::Made];
    }
    vec![D::Root, D::Identity, D::Key, D::Address, D::Instance, D::Account, D::Region]
}

/// Says which limits were met.
fn limits(summary: &Summary, global: &Global) {
    for it in &summary.dimensions {
        if it.is_over {
            let text = format!(
                "more than {} values of {}: that many are summed up in full, the others are left out",
                count(hunt::ENTRIES_MAX as u64),
                it.dimension.name()
            );
            terminal::note(global, &text);
        }
        let cut = it.subjects.iter().filter(|it| it.is_over).count() as u64;
        if cut > 0 {
            let text = format!(
                "{} of {} with more than {} different calls, addresses or the like: that many are named",
                plural(cut, "value", "values"),
                it.dimension.name(),
                count(hunt::SET_MAX as u64)
            );
            terminal::note(global, &text);
        }
    }
}

fn subjects(args: &SummaryArgs, summary: &Summary) -> anyhow::Result<String> {
    let all =
        || summary.dimensions.iter().flat_map(|it| it.subjects.iter().map(move |one| (&it.dimension, one)));
    Ok(match args.format {
        SummaryFormat::Table => text(args, summary),
        SummaryFormat::Json => {
            serde_json::to_string_pretty(&all().map(|(by, it)| as_json(by, it)).collect::<Vec<_>>())? + "\n"
        }
        SummaryFormat::Ndjson => all().map(|(by, it)| as_json(by, it).to_string() + "\n").collect(),
        SummaryFormat::Csv => csv(all())?,
    })
}

fn as_json(by: &Dimension, it: &Subject) -> Value {
    json!({
        "by": by.name(),
        "value": it.value,
        "first_seen": it.seen.map(|it| to_iso(it.0)),
        "last_seen": it.seen.map(|it| to_iso(it.1)),
        "calls": it.calls,
        "undated": it.undated,
        "refused": it.refused,
        "writes": it.writes,
        "alerts": it.alerts,
        "services": it.services,
        "actions": it.actions,
        "regions": it.regions,
        "user_agents": it.agents,
        "addresses": it.addresses,
        "made": it.made,
        "made_for": it.made_for,
    })
}

/// When something was seen first and last; nothing where that is not known.
fn seen(it: &Subject) -> [String; 2] {
    it.seen.map_or_else(Default::default, |(first, last)| [to_iso(first), to_iso(last)])
}

fn csv<'s>(all: impl Iterator<Item = (&'s Dimension, &'s Subject)>) -> anyhow::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "by",
        "value",
        "first_seen",
        "last_seen",
        "calls",
        "undated",
        "refused",
        "writes",
        "alerts",
        "services",
        "actions",
        "regions",
        "user_agents",
        "addresses",
        "made",
        "made_for",
    ])?;
    for (by, it) in all {
        let numbers = [it.calls, it.undated, it.refused, it.writes, it.alerts].map(|it| it.to_string());
        let sets =
            [&it.services, &it.actions, &it.regions, &it.agents, &it.addresses, &it.made, &it.made_for];
        let [first_seen, last_seen] = seen(it);
        let first = [by.name().to_owned(), it.value.clone(), first_seen, last_seen];
        let cells = first.into_iter().chain(numbers).chain(sets.map(|set| set.join(", ")));
        out.write_record(cells.map(|cell| report::harmless(&cell).into_owned()))?;
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

/// What stands over the values of a dimension.
fn heading(it: &Subjects) -> String {
    let name = match &it.dimension {
        Dimension::Root => "Who is behind it",
        Dimension::Identity => "Identities",
        Dimension::Key => "Access keys",
        Dimension::Address => "Addresses",
        Dimension::Instance => "Instances",
        Dimension::Account => "Accounts",
        Dimension::Region => "Regions",
        Dimension::Agent => "User agents",
        Dimension::Made => "Made",
        Dimension::Field(path) => path,
    };
    format!("{name}: {}", count(it.subjects.len() as u64))
}

fn text(args: &SummaryArgs, summary: &Summary) -> String {
    let mut out = plural(summary.events, "event", "events");
    if summary.copies > 0 {
        let deliveries = plural(summary.copies, "further delivery", "further deliveries");
        out += &format!(", and {deliveries} of them, which do not count");
    }
    out.push('\n');
    for it in &summary.dimensions {
        if it.subjects.is_empty() && args.by.is_none() {
            continue;
        }
        out += &format!("\n{}\n", heading(it));
        for one in it.subjects.iter().take(args.rows) {
            subject(&mut out, it, one);
        }
        let more = it.subjects.len().saturating_sub(args.rows);
        if more > 0 {
            out += &format!("  … and {} more: --rows N prints more, --format csv all\n", count(more as u64));
        }
    }
    out
}

fn subject(out: &mut String, of: &Subjects, it: &Subject) {
    *out += &format!("  {}\n", clean(&it.value));
    let mut parts: Vec<String> =
        it.seen.iter().map(|(first, last)| format!("{} to {}", when(*first), when(*last))).collect();
    parts.push(plural(it.calls, "call", "calls"));
    if it.undated > 0 {
        parts.push(format!("{} without a time", count(it.undated)));
    }
    if it.refused > 0 {
        // Rounded, but for a refused call never to none.
        let share = (it.refused * 100 / it.calls.max(1)).max(1);
        parts.push(format!("{} refused ({share} %)", count(it.refused)));
    }
    if it.writes > 0 {
        parts.push(plural(it.writes, "write", "writes"));
    }
    if it.alerts > 0 {
        parts.push(plural(it.alerts, "alert", "alerts"));
    }
    parts.push(plural(it.actions.len() as u64, "action", "actions"));
    let named = |one: &str, many: &str, set: &[String]| {
        let mut names: Vec<String> = set.iter().take(NAMED).map(|it| clean(it)).collect();
        if set.len() > NAMED {
            names.push(format!("{} more", count((set.len() - NAMED) as u64)));
        }
        (!set.is_empty()).then(|| format!("{}: {}", plural(set.len() as u64, one, many), names.join(", ")))
    };
    parts.extend(named("service", "services", &it.services));
    parts.extend(named("region", "regions", &it.regions).filter(|_| of.dimension != Dimension::Region));
    parts.extend(named("address", "addresses", &it.addresses).filter(|_| of.dimension != Dimension::Address));
    parts.extend(named("agent", "agents", &it.agents).filter(|_| of.dimension != Dimension::Agent));
    parts.extend(named("made", "made", &it.made));
    parts.extend(named("made for it", "made for it", &it.made_for));
    wrap(out, &parts.join(" · "));
}

/// Breaks a text at its spaces into lines that fit.
fn wrap(out: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            *out += "      ";
            column = 6;
        } else {
            out.push(' ');
            column += 1;
        }
        *out += word;
        column += width;
    }
    out.push('\n');
}

/// The values to search for next.
fn pivots(args: &SummaryArgs, summary: &Summary) -> anyhow::Result<String> {
    // Calls of services come from a service, which is no place to look for.
    let is_place =
        |by: &Dimension, it: &Subject| *by != Dimension::Address || it.value.parse::<IpAddr>().is_ok();
    let mut all: Vec<(&str, &Subject)> = Vec::new();
    for it in &summary.dimensions {
        let its = it.subjects.iter().filter(|one| is_place(&it.dimension, one));
        all.extend(its.map(|one| (it.dimension.name(), one)));
    }
    all.sort_by_key(|(_, it)| it.seen.map(|it| it.0));
    let json = |(by, it): &(&str, &Subject)| {
        json!({
            "kind": by, "value": it.value, "first_seen": it.seen.map(|it| to_iso(it.0)),
            "last_seen": it.seen.map(|it| to_iso(it.1)), "events": it.calls, "alerts": it.alerts,
        })
    };
    Ok(match args.format {
        SummaryFormat::Table => {
            let mut out = String::new();
            for (by, it) in &all {
                let time = |at: Option<ecs::Millis>| at.map_or_else(|| format!("{:<19}", "no time"), when);
                let (first, last) = (time(it.seen.map(|it| it.0)), time(it.seen.map(|it| it.1)));
                out += &format!("{first}  {last}  {by:<8}  {}\n", clean(&it.value));
            }
            out
        }
        SummaryFormat::Json => {
            serde_json::to_string_pretty(&all.iter().map(json).collect::<Vec<_>>())? + "\n"
        }
        SummaryFormat::Ndjson => all.iter().map(|it| json(it).to_string() + "\n").collect(),
        SummaryFormat::Csv => {
            let mut out = csv::Writer::from_writer(Vec::new());
            out.write_record(["kind", "value", "first_seen", "last_seen", "events", "alerts"])?;
            for (by, it) in all {
                let value = report::harmless(&it.value);
                let seen = seen(it);
                let counts = [it.calls.to_string(), it.alerts.to_string()];
                out.write_record([by, &value, &seen[0], &seen[1], &counts[0], &counts[1]])?;
            }
            String::from_utf8(out.into_inner()?)?
        }
    })
}
