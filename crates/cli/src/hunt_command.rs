//! `trailwarden hunt`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use detect::{KnownAlerts, Mode};
use ecs::{Layered, Millis};
use hunt::{Found, HuntOptions, Progress, RanRule};
use report::{Alert, Coverage, ExplainedEvent, Format, Notice, Part, RuleCount, RuleVerdict, Summary};
use rule::{Rule, RuleSet};
use span::Style;

use crate::args::{AlertFormat, Global, Hunt, Severity};
use crate::{DONE, FOUND, input, output, terminal};

/// Problems of the input that are shown; the rest is counted.
const TROUBLES_SHOWN: usize = 10;
/// Rules that did not run for one reason and are named; the rest is counted.
const REFUSED_SHOWN: usize = 3;
/// Reasons for that; the rest is counted.
const REASONS_SHOWN: usize = 8;

pub(crate) fn run(args: &Hunt, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let time =
        |option: &str, text: Option<&String>| text.map(|text| input::time(option, text, now)).transpose();
    let (since, until) = (time("--since", args.since.as_ref())?, time("--until", args.until.as_ref())?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        bail!(
            "--since {} does not lie before --until {}: swap them, or leave one out",
            report::when(since),
            report::when(until)
        );
    }
    args.output.as_deref().map(output::check).transpose()?;
    let threads = input::threads(args.threads);
    let set = input::rules(&args.rules, threads)?.localised(input::language(args.rules.lang));
    if set.rules.is_empty() {
        let errors = set.problems.iter().filter(|it| it.diagnostic.severity == span::Severity::Error);
        if set.error_count() == 0 && !set.exceptions.is_empty() {
            bail!("--rules: there are exceptions in there, and no rule; --builtin adds the built-in rules");
        }
        let errors: Vec<String> = errors.map(|it| set.render(it, Style::Plain)).collect();
        bail!("no rule can run:\n{}", errors.concat().trim_end());
    }
    let normalise = cloudtrail::Options {
        tags: vec!["forwarded".to_owned(), "aws-cloudtrail".to_owned(), "actor_target_mapping".to_owned()],
        geo: input::geo(args.geoip.as_deref())?,
        original: if args.keep_original { cloudtrail::Original::Keep } else { cloudtrail::Original::Tagged },
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    };
    let options = HuntOptions {
        paths: args.input.paths(),
        rules: set.rules.clone(),
        exceptions: set.exceptions.clone(),
        mode: if args.once { Mode::Once { from: since, to: until } } else { Mode::Replay { since, until } },
        max_signals: args.max_signals,
        known: known_alerts(&args.alert_history)?,
        normalise,
        limits: args.input.limits.reader(),
        threads: threads.get(),
        block_rows: 0,
        evidence_bytes: hunt::EVIDENCE_BYTES,
        now,
        version: env!("CARGO_PKG_VERSION"),
    };
    let progress = Arc::new(Progress::default());
    if let Some(event_id) = &args.explain {
        let bar = terminal::Bar::start(global, Arc::clone(&progress));
        let explained = hunt::explain(&options, event_id, &mut std::io::stdin(), &progress)?;
        drop(bar);
        let events: Vec<ExplainedEvent<'_>> = explained
            .events
            .iter()
            .map(|(document, verdicts)| ExplainedEvent {
                event: Alert::new(&document.source),
                verdicts: verdicts
                    .iter()
                    .map(|it| RuleVerdict {
                        rule: &it.rule.name,
                        matches: it.explanation.verdict,
                        failed: it.failed(),
                        clauses: it.explanation.to_string(),
                    })
                    .collect(),
            })
            .collect();
        let terminal = terminal::stdout_terminal(global, args.output.is_some());
        let mut out = output::open(args.output.as_deref())?;
        out.write_all(report::explanation(event_id, &events, terminal).as_bytes())?;
        out.flush()?;
        terminal::troubles(global, &explained.notices, &explained.troubles, explained.trouble_count);
        return Ok(DONE);
    }

    let started = Instant::now();
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::hunt(&options, &mut std::io::stdin(), &progress);
    drop(bar);
    let found = found?;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);

    let format = match args.format {
        AlertFormat::Summary => Format::Summary,
        AlertFormat::Table => Format::Table,
        AlertFormat::Ndjson => Format::Ndjson,
        AlertFormat::Json => Format::Json,
        AlertFormat::Csv => Format::Csv,
        AlertFormat::Timeline => Format::Timeline,
        AlertFormat::Html => Format::Html,
    };
    let rules: Vec<Rule> = found.rules.iter().map(|ran| ran.rule.clone()).collect();
    let summary = Summary {
        rules: &rules,
        language: input::language(args.rules.lang),
        coverage: coverage(&found, if format == Format::Html { 0 } else { elapsed_ms }),
        notices: notices(&found, &set, since, until),
        noisy: noisy(&found),
    };
    let mut out = output::open(args.output.as_deref())?;
    let terminal = terminal::stdout_terminal(global, args.output.is_some());
    let place = || match &args.output {
        None => "cannot write the result".to_owned(),
        Some(path) => format!("cannot write the result to `{}`", path.display()),
    };
    let mut worst = None;
    let make = |alert: &Layered| (severity_rank(&Alert::of(alert).severity()), Part::new(format, alert));
    found
        .alerts(make, |alerts| {
            let mut parts = alerts.map(|(rank, part)| {
                worst = worst.max(rank);
                part
            });
            report::write(&mut out, format, &mut parts, &summary, terminal)
        })
        .with_context(place)?;
    out.flush().with_context(place)?;
    if !global.quiet && (format != Format::Summary || args.output.is_some()) {
        brief(&found, &summary, args.output.as_deref());
    }
    drop(summary);
    // The process ends here: giving back what thousands of rules hold, piece by piece, would only delay that.
    std::mem::forget((set, options, found, rules));
    let limit = args.fail_on.map(|severity| severity_rank(severity_name(severity)));
    Ok(if limit.is_some_and(|limit| worst >= limit) { FOUND } else { DONE })
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn severity_rank(name: &str) -> Option<usize> {
    rule::Severity::ALL.iter().position(|it| it.as_str() == name)
}

fn known_alerts(files: &[std::path::PathBuf]) -> anyhow::Result<KnownAlerts> {
    let mut known = KnownAlerts::default();
    for path in files {
        let place = || format!("--alert-history `{}`", path.display());
        let file = File::open(path).with_context(place)?;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.with_context(place)?;
            if !line.trim().is_empty() {
                // The error tells its own cause.
                known.add_line(&line).map_err(|error| {
                    anyhow!(
                        "{}, line {}: {error}; give what `--format ndjson` wrote: one alert a line",
                        place(),
                        number + 1
                    )
                })?;
            }
        }
    }
    Ok(known)
}

fn coverage(found: &Found, elapsed_ms: u64) -> Coverage {
    let read = &found.read;
    Coverage {
        files: read.files,
        records: read.records,
        bytes_read: read.read_bytes,
        bytes_text: read.text_bytes,
        first: read.span.map(|(first, _)| first),
        last: read.span.map(|(_, last)| last),
        executions: found.rules.iter().map(|it| it.outcome.executions.total).sum(),
        elapsed_ms,
    }
}

/// What was skipped, and what else the reader must know.
fn notices(found: &Found, set: &RuleSet, since: Option<Millis>, until: Option<Millis>) -> Vec<Notice> {
    let read = &found.read;
    let mut notices = Vec::new();
    let mut say = |severe, text: String| notices.push(Notice { severe, text });
    for text in &read.notices {
        say(true, text.clone());
    }
    if read.trouble_count > 0 {
        let mut text = format!(
            "{} could not be read:",
            report::plural(read.trouble_count, "part of the input", "parts of the input")
        );
        for trouble in read.troubles.iter().take(TROUBLES_SHOWN) {
            text += &format!("\n{}", input::trouble(trouble));
        }
        if read.trouble_count > TROUBLES_SHOWN as u64 {
            text += &format!("\n… and {} more", report::count(read.trouble_count - TROUBLES_SHOWN as u64));
        }
        say(true, text);
    }
    if read.records == 0 && read.files > 0 {
        say(true, "there was no record in the input".to_owned());
    }
    if read.undated > 0 {
        say(
            true,
            format!(
                "{} no time of their own and are taken as happening now",
                report::plural(read.undated, "record has", "records have")
            ),
        );
    }
    if let Some((first, last)) = read.span {
        if let Some(since) = since.filter(|since| *since > last) {
            say(
                true,
                format!(
                    "--since {} lies after the last event ({}): no execution could find anything",
                    report::when(since),
                    report::when(last)
                ),
            );
        }
        if let Some(until) = until.filter(|until| *until < first) {
            say(
                true,
                format!(
                    "--until {} lies before the first event ({}): no execution could find anything",
                    report::when(until),
                    report::when(first)
                ),
            );
        }
    }
    if read.skipped > 0 {
        say(
            false,
            format!(
                "{} passed over: hidden, or no records by their name or beginning",
                report::plural(read.skipped, "file", "files")
            ),
        );
    }
    if read.skipped_members > 0 {
        say(
            false,
            format!(
                "{} passed over: hidden, or no records by their name",
                report::plural(read.skipped_members, "member of an archive", "members of archives")
            ),
        );
    }
    if read.pruned > 0 {
        say(
            false,
            format!(
                "{} not read: delivered outside the time that --since, --until and the rules' look-back reach",
                report::plural(read.pruned, "file", "files")
            ),
        );
    }
    let errors = set.error_count() as u64;
    if errors > 0 {
        let mut text = format!(
            "{} in the rule files, whose rules did not run (`trailwarden rules lint` shows all):",
            report::plural(errors, "error", "errors")
        );
        let first = set
            .problems
            .iter()
            .filter(|it| it.diagnostic.severity == span::Severity::Error)
            .take(REFUSED_SHOWN);
        for problem in first {
            text += &format!("\n{}", set.render(problem, Style::Plain).trim_end());
        }
        say(true, text);
    }
    if !found.refused.is_empty() {
        let mut text =
            format!("{} did not run:", report::plural(found.refused.len() as u64, "rule", "rules"));
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for refused in &found.refused {
            reasons.entry(&refused.reason).or_default().push(&refused.rule.name);
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        for (reason, names) in reasons.iter().take(REASONS_SHOWN) {
            let shown = names[..names.len().min(REFUSED_SHOWN)].join("\", \"");
            text += &format!("\n{reason}: \"{shown}\"");
            if names.len() > REFUSED_SHOWN {
                text += &format!(" and {} more", report::count((names.len() - REFUSED_SHOWN) as u64));
            }
        }
        if reasons.len() > REASONS_SHOWN {
            let rest: usize = reasons[REASONS_SHOWN..].iter().map(|(_, names)| names.len()).sum();
            text += &format!("\n… and {} for other reasons", report::count(rest as u64));
        }
        if found.refused.len() > REFUSED_SHOWN {
            text += "\n`trailwarden rules lint` names every one of them";
        }
        say(true, text);
    }
    let elsewhere = elsewhere(found);
    if !elsewhere.is_empty() && read.records > 0 {
        let text = format!(
            "{} nothing of what is here, which belongs to {}; `index` asks for something else:\n{}",
            report::plural(elsewhere.len() as u64, "rule reads", "rules read"),
            some_of('`', &read.indices),
            some_of('"', &elsewhere),
        );
        // Of a whole collection most are about other things; of what somebody picked none should be.
        say(elsewhere.len() == found.rules.len(), text);
    }
    for (warning, rules) in unapplied(found) {
        let rules = match rules.as_slice() {
            [rule] => format!("the rule \"{rule}\""),
            several => report::plural(several.len() as u64, "rule", "rules"),
        };
        say(true, format!("{rules}: {warning}"));
    }
    for ran in &found.rules {
        let truncated = ran.outcome.metrics.truncated;
        if truncated > 0 {
            say(
                true,
                format!(
                    "the rule \"{}\" reached its limit of {} in {}; more was not raised (--max-signals raises the limit)",
                    ran.rule.name,
                    report::plural(ran.rule.max_signals.into(), "alert", "alerts"),
                    report::plural(truncated, "execution", "executions"),
                ),
            );
        }
        for warning in ran.outcome.warnings.iter().filter(|it| it.execution.is_none()) {
            say(true, format!("the rule \"{}\": {}", ran.rule.name, warning.kind));
        }
    }
    notices
}

/// The rules whose index patterns name none of the indices that the records belong to.
fn elsewhere(found: &Found) -> Vec<&str> {
    let reads = |ran: &&RanRule| found.read.indices.iter().any(|index| ran.rule.reads(index));
    found.rules.iter().filter(|ran| !reads(ran)).map(|ran| ran.rule.name.as_str()).collect()
}

/// The first of several names between quotes; the others are counted.
fn some_of(quote: char, names: &[impl AsRef<str>]) -> String {
    let shown = names.iter().take(REFUSED_SHOWN).map(|name| format!("{quote}{}{quote}", name.as_ref()));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > REFUSED_SHOWN {
        text += &format!(" and {} more", report::count((names.len() - REFUSED_SHOWN) as u64));
    }
    text
}

/// What is said of exceptions that were not applied, each with the rules that it is said of: rules share lists.
fn unapplied(found: &Found) -> BTreeMap<&str, Vec<&str>> {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ran in &found.rules {
        for warning in &ran.warnings {
            said.entry(&warning.message).or_default().push(&ran.rule.name);
        }
    }
    said
}

/// Fewer matches are no noise, however few the records.
const NOISE_MIN: u64 = 100;

/// Rules that matched more than one record in a hundred.
fn noisy(found: &Found) -> Vec<RuleCount> {
    let mut noisy: Vec<RuleCount> = found
        .rules
        .iter()
        .map(|ran| RuleCount { name: ran.rule.name.clone(), matched: ran.outcome.metrics.matched })
        .filter(|it| it.matched >= NOISE_MIN && it.matched * 100 > found.read.records)
        .collect();
    noisy.sort_by_key(|it| std::cmp::Reverse(it.matched));
    noisy
}

/// For results that go elsewhere: what a person at the terminal must know all the same.
fn brief(found: &Found, summary: &Summary<'_>, output: Option<&Path>) {
    let place = output.map_or_else(String::new, |path| format!(" in {}", path.display()));
    eprintln!("{}{place}", report::plural(found.alert_count() as u64, "alert", "alerts"));
    for notice in &summary.notices {
        let word = if notice.severe { "warning" } else { "note" };
        let lines: Vec<String> = notice.text.lines().map(report::clean).collect();
        eprintln!("{word}: {}", lines.join("\n    "));
    }
}
