//! `trailwarden hunt`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use detect::{KnownAlerts, Mode};
use hunt::{Found, HuntOptions, Identities, Progress};
use report::{Alert, Coverage, ExplainedEvent, Format, Part, Raised, RuleVerdict, Summary};
use rule::{Rule, Selection, Severity};
use span::Style;

use crate::VERSION;
use crate::args::{Global, Hunt};
use crate::case_command::{Given, Spool};
use crate::status::{self, DONE};
use crate::{
    case_command, fates, input, investigate_command, near_misses, notices, output, page_command, stats,
    terminal,
};

pub(crate) fn run(args: &Hunt, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    for path in args.output.iter().chain(&args.stats).chain(&args.case) {
        output::check(path)?;
        output::spare(path, &args.input.paths, &args.history.alert_history)?;
    }
    if args.no_investigate && args.format != Format::Html {
        bail!("--no-investigate goes with --format html: other formats investigate nothing by themselves");
    }
    if args.investigate {
        if args.format != Format::Summary {
            bail!(
                "--investigate goes with the summary; for Markdown, HTML and JSON use `trailwarden investigate`"
            );
        }
        investigate_command::files_only(&args.input.paths)?;
    }
    let threads = input::threads(args.threads);
    let (set, all) = input::rules_or_none(&args.rules, threads)?;
    let mut set = set.localised(input::language(args.rules.lang));
    let as_live = args.as_live(&mut set)?;
    // What was executed may be of rules that nobody has any more.
    let has_versions = as_live.as_ref().is_some_and(|it| !it.versions.is_empty());
    if !has_versions {
        input::some_of(&args.rules, &set, all)?;
    }
    if set.rules.is_empty() && !has_versions {
        // Without an error it is in the warnings why there is nothing.
        let all = set.error_count() == 0;
        let errors = set.problems.iter().filter(|it| all || it.diagnostic.severity == span::Severity::Error);
        if set.error_count() == 0 && !set.exceptions.is_empty() {
            bail!("--rules: there are exceptions in there, and no rule; --builtin adds the built-in rules");
        }
        let errors: Vec<String> = errors.map(|it| set.render(it, Style::Plain)).collect();
        let foreign: Vec<String> = notices::foreign(&set).into_iter().map(|it| it.text + "\n").collect();
        bail!("no rule can run:\n{}", (errors.concat() + &foreign.concat()).trim_end());
    }
    let selection = Selection::new(std::mem::take(&mut set.rules), &args.include);
    if selection.rules().is_empty() && !has_versions {
        bail!("no rule is run:{}", notices::all_idle(&selection));
    }
    let mut normalise = input::normalise(args.geoip.as_deref())?;
    if args.keep_original {
        normalise.original = cloudtrail::Original::Keep;
    }
    let exceptions = std::mem::take(&mut set.exceptions);
    let options = HuntOptions {
        mode: if args.once { Mode::Once { from: since, to: until } } else { Mode::Replay { since, until } },
        max_signals: args.max_signals,
        known: known_alerts(&args.history.alert_history, args.history.closed_ends_suppression)?,
        watch: true,
        identities: if args.no_identity { Identities::Never } else { Identities::InAlerts },
        limits: args.input.limits.reader(),
        threads: threads.get(),
        stored: args.input.stored()?,
        as_live,
        ..HuntOptions::new(args.input.paths.clone(), selection, exceptions, normalise, now, VERSION)
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
                        execution: it.execution,
                        clauses: it.explanation.to_string(),
                        became: it.fates.iter().map(fates::words).collect(),
                    })
                    .collect(),
            })
            .collect();
        let terminal = terminal::stdout_terminal(global, args.output.is_some());
        let mut out = output::open(args.output.as_deref())?;
        let raised = explained.raised.as_ref().map(|it| Raised {
            rule: &it.rule.name,
            execution: it.execution,
            events: &it.events,
            block_of: it.block_of.as_deref(),
        });
        out.write_all(
            report::explanation(&explained.event_id, raised.as_ref(), &events, terminal).as_bytes(),
        )?;
        out.flush()?;
        terminal::notices(global, &notices::idle(&options.rules));
        terminal::troubles(global, &explained.notices, &explained.troubles, explained.trouble_count);
        return Ok(DONE);
    }

    if args.near_misses {
        return near_misses::run(&options, args.output.as_deref(), args.input.strict, global);
    }

    let spool = args.case.as_ref().map(|_| Spool::of(&args.input.paths)).transpose()?.flatten();
    let mut stdin: Box<dyn Read> = match &spool {
        None => Box::new(std::io::stdin()),
        Some(spool) => Box::new(spool.reader()?),
    };
    let started = Instant::now();
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::hunt(&options, &mut stdin, &progress);
    drop(bar);
    let found = found.map_err(|error| anyhow!("{error}{}", notices::all_idle(&options.rules)))?;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);

    let format = args.format;
    let mut summary = Summary {
        rules: found.rules.iter().map(|ran| &*ran.rule).collect::<Vec<&Rule>>(),
        language: input::language(args.rules.lang),
        coverage: coverage(&found, if format == Format::Html { 0 } else { elapsed_ms }),
        notices: notices::rule_errors(&set)
            .into_iter()
            .chain(notices::foreign(&set))
            .chain(notices::idle(&options.rules))
            .chain(found.notices(since, until).iter().map(|it| notices::words(it, &found)))
            .collect(),
        completeness: found
            .completeness
            .as_ref()
            .map(|it| report::completeness::line(&it.blind.ranges, it.gaps.as_ref(), it.digest_files)),
    };
    let mut out = output::open(args.output.as_deref())?;
    let terminal = terminal::stdout_terminal(global, args.output.is_some());
    let place = || match &args.output {
        None => "cannot write the result".to_owned(),
        Some(path) => format!("cannot write the result to `{}`", path.display()),
    };
    let mut worst = None;
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        if format.prints_documents() {
            let mut json = String::new();
            // The building blocks of a sequence stand before it, a line each.
            if format == Format::Ndjson {
                for block in alert.blocks() {
                    block.write_json(&mut json);
                    json.push('\n');
                }
            }
            let severity = alert.write_json(&mut json);
            return (Some(severity), Part::of_json(format, json));
        }
        let alert = alert.told();
        (Severity::from_name(&Alert::of(&alert).severity()), Part::of_fields(format, &alert))
    };
    if format == Format::Html {
        // Whether the trail is complete is told there, a line each.
        let completeness = found
            .completeness
            .as_ref()
            .map(|it| report::completeness::remarks(&it.blind.ranges, it.gaps.as_ref(), it.digest_files));
        let completeness = completeness.unwrap_or_default();
        worst = page_command::write(args, global, &found, &options, &summary, completeness, &mut out)
            .with_context(place)?;
    } else {
        found
            .alerts(format.event_paths(), make, |alerts| {
                let mut parts = alerts.map(|(rank, part)| {
                    worst = worst.max(rank);
                    part
                });
                report::write(&mut out, format, &mut parts, &summary, terminal)
            })
            .with_context(place)?;
    }
    if args.investigate {
        let language = input::language(args.rules.lang);
        investigate_command::of_hunt(&found, &options, language, &mut out, terminal)?;
    }
    out.flush().with_context(place)?;
    if !global.quiet && (format != Format::Summary || args.output.is_some()) {
        brief(&found, &summary, args.output.as_deref());
    }
    if let Some(path) = &args.case {
        // The same hunt makes the same case.
        summary.coverage.elapsed_ms = 0;
        let given = Given { history: &args.history, geoip: args.geoip.as_deref() };
        case_command::write(path, &found, &options, &summary, given, spool.as_ref(), global)?;
    }
    if let Some(path) = &args.stats {
        stats::write(path, &found, &summary.notices)?;
    }
    let is_found = args.fail_on.is_some_and(|limit| worst >= Some(limit));
    Ok(status::of(
        is_found,
        status::Input {
            is_usable: found.is_usable(),
            is_complete: found.read.loss_count == 0,
            strict: args.input.strict,
        },
    ))
}

fn known_alerts(files: &[std::path::PathBuf], closed_ends_suppression: bool) -> anyhow::Result<KnownAlerts> {
    let mut known = KnownAlerts::default().closed_end_suppression(closed_ends_suppression);
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
        records: read.records.total(),
        bytes_read: read.read_bytes,
        bytes_text: read.text_bytes,
        first: read.span.map(|(first, _)| first),
        last: read.span.map(|(_, last)| last),
        suppressed: found.suppressed_count(),
        executions: found.rules.iter().map(|it| it.outcome.executions.total).sum(),
        elapsed_ms,
    }
}

/// For results that go elsewhere: what a person at the terminal must know all the same.
fn brief(found: &Found, summary: &Summary<'_>, output: Option<&Path>) {
    let place = output.map_or_else(String::new, |path| format!(" in {}", path.display()));
    let mut alerts = report::plural(found.alert_count() as u64, "alert", "alerts");
    if found.suppressed_count() > 0 {
        alerts += &format!(", {} suppressed", report::count(found.suppressed_count()));
    }
    terminal::say(&format!("{alerts}{place}\n"));
    // Below what scripts read it is said that something was not seen, and not that all was.
    let completeness = summary.completeness.iter().filter(|it| it.severe);
    for notice in summary.notices.iter().chain(completeness) {
        terminal::notice(notice);
    }
}
