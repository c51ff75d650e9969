//! `trailwarden rules forecast`, `rules diff`, `rules coverage`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use assess::{AlertLine, Coverage, Detonation, Difference, Forecast, Seen};
use detect::Mode;
use hunt::{Found, HuntOptions, Progress};
use report::{Cell, Terminal, count, grid, plural, when};
use rule::{RuleSet, Selection};
use serde_json::{Value, json};

use crate::VERSION;
use crate::args::{CoverageArgs, CoverageFormat, DiffArgs, ForecastArgs, Global, Records, TableFormat};
use crate::status::{DONE, FAILED, FOUND, INCOMPLETE};
use crate::{input, notices, output, terminal};

/// Alerts that are shown of each kind of change; the rest is counted.
const EXAMPLES: usize = 3;

fn options(set: &mut RuleSet, over: &Records, paths: &[PathBuf]) -> anyhow::Result<HuntOptions> {
    let now = input::now(over.now.as_deref())?;
    let time =
        |option: &str, text: Option<&String>| text.map(|text| input::time(option, text, now)).transpose();
    let (since, until) = (time("--since", over.since.as_ref())?, time("--until", over.until.as_ref())?);
    let rules = Selection::new(std::mem::take(&mut set.rules), &[]);
    let exceptions = std::mem::take(&mut set.exceptions);
    let normalise = input::normalise(over.geoip.as_deref())?;
    Ok(HuntOptions {
        mode: Mode::Replay { since, until },
        limits: over.limits.reader(),
        threads: input::threads(over.threads).get(),
        ..HuntOptions::new(paths.to_vec(), rules, exceptions, normalise, now, VERSION)
    })
}

fn hunted(options: &HuntOptions, global: &Global) -> anyhow::Result<Found> {
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::hunt(options, &mut std::io::stdin(), &progress);
    drop(bar);
    found.map_err(|error| anyhow!("{error}{}", notices::all_idle(&options.rules)))
}

/// What of a hunt must be known besides its alerts, and its part of the exit status.
fn told(found: &Found, options: &HuntOptions, global: &Global) -> u8 {
    let idle = notices::idle(&options.rules);
    let all: Vec<_> = idle
        .into_iter()
        .chain(found.notices(None, None).iter().map(|it| notices::words(it, found)))
        .collect();
    terminal::notices(global, &all);
    match (found.is_usable(), found.read.loss_count) {
        (false, _) => FAILED,
        (true, 0) => DONE,
        (true, _) => INCOMPLETE,
    }
}

/// Writes a text where results go.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// `rules forecast`.
pub(crate) fn forecast(args: &ForecastArgs, global: &Global) -> anyhow::Result<u8> {
    let mut set = input::rules(&args.rules, input::threads(args.over.threads))?;
    let stored = args.stored()?;
    let options = HuntOptions { stored, ..options(&mut set, &args.over, &args.over.paths)? };
    let found = hunted(&options, global)?;
    let forecast = assess::forecast(&found);
    print(&match args.format {
        TableFormat::Table => forecast_table(&forecast, terminal::stdout_terminal(global, false)),
        TableFormat::Json => pretty(&forecast_json(&forecast))?,
    })?;
    Ok(told(&found, &options, global))
}

fn rate(per_day: f64) -> String {
    if per_day == 0.0 || per_day >= 10.0 { format!("{per_day:.0}") } else { format!("{per_day:.2}") }
}

fn day(at: ecs::Millis) -> String {
    when(at).chars().take(10).collect()
}

fn forecast_table(forecast: &Forecast, terminal: Terminal) -> String {
    let loud: Vec<_> = forecast.rules.iter().filter(|it| it.alerts > 0 || it.truncated > 0).collect();
    let some_suppressed = loud.iter().any(|it| it.suppressed > 0);
    let rows = loud.iter().map(|it| {
        let mut who: Vec<String> =
            it.identities.iter().map(|(who, times)| format!("{who} ×{}", count(*times))).collect();
        if it.more_identities > 0 {
            who.push(format!("{} more", it.more_identities));
        }
        let busiest = it.busiest.map(|(at, alerts)| format!("{} ({})", day(at), count(alerts)));
        let cut = if it.truncated > 0 {
            format!("{} at {}", count(it.truncated), it.max_signals)
        } else {
            String::new()
        };
        let mut row = vec![
            Cell::number(count(it.alerts)),
            Cell::number(rate(it.per_day)),
            Cell::severity(it.rule.severity.as_str()),
            it.rule.name.as_str().into(),
            busiest.unwrap_or_default().into(),
            cut.into(),
            who.join(", ").into(),
        ];
        if some_suppressed {
            row.insert(1, Cell::number(count(it.suppressed)));
        }
        row
    });
    let mut heads = vec!["Alerts", "A day", "Severity", "Rule", "Busiest day", "Cut off", "Mostly by"];
    // Few rules suppress alerts: that needs no column where none does.
    if some_suppressed {
        heads.insert(1, "Suppressed");
    }
    let mut out = if loud.is_empty() { String::new() } else { grid(&heads, rows, terminal) + "\n" };
    let quiet = forecast.rules.len() - loud.len();
    out += &format!(
        "{} in {:.1} days, {} a day, by {} of {}",
        plural(forecast.alerts, "alert", "alerts"),
        forecast.days,
        rate(forecast.alerts as f64 / forecast.days),
        loud.len(),
        plural(forecast.rules.len() as u64, "rule", "rules")
    );
    if quiet > 0 {
        out += &format!("; {quiet} raised none");
    }
    out.push('\n');
    out
}

fn forecast_json(forecast: &Forecast) -> Value {
    let rules: Vec<Value> = forecast
        .rules
        .iter()
        .map(|it| {
            json!({
                "rule_id": it.rule.rule_id,
                "name": it.rule.name,
                "severity": it.rule.severity.as_str(),
                "alerts": it.alerts,
                "suppressed": it.suppressed,
                "alerts_a_day": it.per_day,
                "busiest_day": it.busiest.map(|(at, alerts)| json!({"day": day(at), "alerts": alerts})),
                "identities": it.identities.iter().map(|(who, alerts)| json!({"who": who, "alerts": alerts})).collect::<Vec<_>>(),
                "more_identities": it.more_identities,
                "matched_events": it.matched,
                "executions_cut_off": it.truncated,
                "max_signals": it.max_signals,
            })
        })
        .collect();
    json!({"days": forecast.days, "alerts": forecast.alerts, "rules": rules})
}

/// `rules diff`.
pub(crate) fn diff(args: &DiffArgs, global: &Global) -> anyhow::Result<u8> {
    let threads = input::threads(args.over.threads);
    let load = |path: &PathBuf, option: &str| -> anyhow::Result<RuleSet> {
        if path.as_os_str() == "builtin" && !path.exists() {
            return Ok(rule::builtin(rule::GuideLanguage::English));
        }
        input::load_rules(option, std::slice::from_ref(path), threads)
    };
    let (mut old, mut new) = (load(&args.old, "")?, load(&args.new, "")?);
    let stored = args.stored()?;
    let options = |set: &mut RuleSet| -> anyhow::Result<HuntOptions> {
        Ok(HuntOptions { stored: stored.clone(), ..options(set, &args.over, &args.over.paths)? })
    };
    let (before, after) = (options(&mut old)?, options(&mut new)?);
    if args.over.paths.iter().any(|it| it.as_os_str() == "-") {
        bail!("--over -: the records are read twice, and standard input can be read once: name a file");
    }
    let (old, new) = (hunted(&before, global)?, hunted(&after, global)?);
    let difference = assess::diff(&old, &new);
    print(&match args.format {
        TableFormat::Table => diff_text(&difference),
        TableFormat::Json => pretty(&diff_json(&difference))?,
    })?;
    let status = told(&new, &after, global);
    Ok(if status == DONE && args.fail && !difference.is_empty() { FOUND } else { status })
}

fn alert_text(alert: &AlertLine) -> String {
    let time = alert.time.map(when).unwrap_or_default();
    let parts = [time.as_str(), &alert.what, &alert.who, &alert.from].map(report::clean);
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// How many events the alert counted, or how many others it stands for.
fn number(alert: &AlertLine) -> String {
    let suppressed = alert.instance.as_ref().map(|it| format!("{} suppressed", count(it.suppressed)));
    let counted = alert.count.map(|it| plural(it, "event", "events"));
    counted.into_iter().chain(suppressed).collect::<Vec<_>>().join(", ")
}

fn diff_text(difference: &Difference) -> String {
    let mut out = String::new();
    for change in &difference.rules {
        out += &format!("{}\n", report::clean(&change.rule));
        let mut part = |sign: &str, verb: &str, lines: Vec<String>| {
            if lines.is_empty() {
                return;
            }
            out += &format!("  {sign} {} {verb}\n", plural(lines.len() as u64, "alert", "alerts"));
            for line in lines.iter().take(EXAMPLES) {
                out += &format!("      {line}\n");
            }
            if lines.len() > EXAMPLES {
                out += &format!("      … and {} more\n", count((lines.len() - EXAMPLES) as u64));
            }
        };
        part("+", "appear", change.appeared.iter().map(alert_text).collect());
        part("-", "vanish", change.vanished.iter().map(alert_text).collect());
        let severity = |(old, new): &(AlertLine, AlertLine)| {
            format!("{} → {}: {}", old.severity, new.severity, alert_text(new))
        };
        part("~", "change severity", change.severities.iter().map(severity).collect());
        let counted = |(old, new): &(AlertLine, AlertLine)| {
            format!("{} → {}: {}", number(old), number(new), alert_text(new))
        };
        part("~", "count otherwise", change.counts.iter().map(counted).collect());
    }
    for (what, names) in
        [("only in the old rules", &difference.only_old), ("only in the new rules", &difference.only_new)]
    {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|it| report::clean(it)).collect();
            out += &format!("{what}: {}\n", names.join(", "));
        }
    }
    let same = plural(difference.same, "alert is", "alerts are");
    let differ = plural(difference.rules.len() as u64, "rule differs", "rules differ");
    out += &format!("{same} the same; {differ}\n");
    out
}

fn diff_json(difference: &Difference) -> Value {
    let numbers = |it: &AlertLine| json!({ "count": it.count, "suppressed": it.instance.as_ref().map(|it| it.suppressed) });
    let alert = |it: &AlertLine| {
        json!({
            "id": it.id, "severity": it.severity, "time": it.time.map(ecs::date::to_iso),
            "who": it.who, "what": it.what, "from": it.from, "event_id": it.event,
        })
    };
    let rules: Vec<Value> = difference
        .rules
        .iter()
        .map(|it| {
            json!({
                "rule_id": it.rule_id,
                "name": it.rule,
                "appeared": it.appeared.iter().map(alert).collect::<Vec<_>>(),
                "vanished": it.vanished.iter().map(alert).collect::<Vec<_>>(),
                "severity_changed": it.severities.iter()
                    .map(|(old, new)| json!({"old": old.severity, "new": new.severity, "alert": alert(new)}))
                    .collect::<Vec<_>>(),
                "count_changed": it.counts.iter()
                    .map(|(old, new)| json!({"old": numbers(old), "new": numbers(new), "alert": alert(new)}))
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"same": difference.same, "rules": rules, "only_old": difference.only_old, "only_new": difference.only_new})
}

/// `rules coverage`.
pub(crate) fn coverage(args: &CoverageArgs, global: &Global) -> anyhow::Result<u8> {
    let mut set = input::rules(&args.rules, input::threads(args.over.threads))?;
    let terminal = terminal::stdout_terminal(global, false);
    if args.over.paths.is_empty() {
        let selection = Selection::new(std::mem::take(&mut set.rules), &[]);
        let coverage = assess::coverage(selection.rules().iter().map(|it| &**it));
        print(&match args.format {
            CoverageFormat::Table => coverage_table(&coverage, selection.rules().len(), terminal),
            CoverageFormat::Json => pretty(&coverage_json(&coverage))?,
            CoverageFormat::Navigator => {
                pretty(&assess::layer(&coverage, "Trailwarden rules", rule::attack_version()))?
            }
        })?;
        return Ok(DONE);
    }
    if args.format == CoverageFormat::Navigator {
        bail!("--format navigator shows what rules are about; with --over there is a table or JSON");
    }
    let options = options(&mut set, &args.over, &[])?;
    let counter = terminal::Counter::start(global, "attacks");
    let found = assess::detonations(&args.over.paths, options, &|done, all| counter.at(done, all));
    drop(counter);
    print(&match args.format {
        CoverageFormat::Json => pretty(&detonations_json(&found))?,
        CoverageFormat::Table | CoverageFormat::Navigator => detonations_text(&found, terminal),
    })?;
    let is_read = |it: &&Detonation| matches!(it.seen, Seen::Alerts { .. });
    Ok(match found.iter().filter(is_read).count() {
        0 => FAILED,
        read if read < found.len() => INCOMPLETE,
        _ => DONE,
    })
}

fn coverage_table(coverage: &Coverage, rules: usize, terminal: Terminal) -> String {
    let mut rows = Vec::new();
    for tactic in &coverage.tactics {
        let mut row = |id: &str, name: &str, rules: &[String]| {
            rows.push(vec![
                tactic.name.as_str().into(),
                id.into(),
                name.into(),
                Cell::number(rules.len().to_string()),
                rules.join(", ").into(),
            ]);
        };
        for technique in &tactic.techniques {
            row(&technique.id, &technique.name, &technique.rules);
        }
        if !tactic.general.is_empty() {
            row("", "(no technique named)", &tactic.general);
        }
    }
    let mut out = grid(&["Tactic", "Technique", "Name", "Rules", "Which"], rows, terminal);
    let techniques: usize = coverage.tactics.iter().map(|it| it.techniques.len()).sum();
    out += &format!(
        "\n{} of ATT&CK in {}, by {}\n",
        plural(techniques as u64, "technique", "techniques"),
        plural(coverage.tactics.len() as u64, "tactic", "tactics"),
        plural(rules as u64, "rule", "rules")
    );
    if !coverage.unmapped.is_empty() {
        out += &format!("without a mapping: {}\n", coverage.unmapped.join(", "));
    }
    out
}

fn coverage_json(coverage: &Coverage) -> Value {
    let tactics: Vec<Value> = coverage
        .tactics
        .iter()
        .map(|it| {
            let techniques: Vec<Value> =
                it.techniques.iter().map(|it| json!({"id": it.id, "name": it.name, "rules": it.rules})).collect();
            json!({"id": it.id, "name": it.name, "techniques": techniques, "rules_without_technique": it.general})
        })
        .collect();
    json!({"tactics": tactics, "unmapped_rules": coverage.unmapped})
}

fn detonations_text(found: &[Detonation], terminal: Terminal) -> String {
    let mut rows = Vec::new();
    let (mut seen, mut blind) = (0, Vec::new());
    for it in found {
        match &it.seen {
            Seen::Unreadable(reason) => rows.push(vec![
                it.name.as_str().into(),
                "unreadable".into(),
                "".into(),
                reason.as_str().into(),
            ]),
            Seen::Alerts { rules, .. } if rules.is_empty() => blind.push(report::clean(&it.name)),
            Seen::Alerts { rules, .. } => {
                seen += 1;
                for (at, (rule, severity, alerts)) in rules.iter().enumerate() {
                    let name = if at == 0 { it.name.as_str() } else { "" };
                    rows.push(vec![
                        name.into(),
                        Cell::severity(severity),
                        Cell::number(count(*alerts)),
                        rule.as_str().into(),
                    ]);
                }
            }
        }
    }
    let mut out = if rows.is_empty() {
        String::new()
    } else {
        grid(&["Attack", "Severity", "Alerts", "Rule"], rows, terminal) + "\n"
    };
    out += &format!("{seen} of {} raised alerts\n", plural(found.len() as u64, "attack", "attacks"));
    if !blind.is_empty() {
        out += "nothing was raised in\n";
        out.extend(blind.iter().map(|it| format!("    {it}\n")));
    }
    out
}

fn detonations_json(found: &[Detonation]) -> Value {
    let of = |it: &Detonation| match &it.seen {
        Seen::Unreadable(reason) => json!({"name": it.name, "unreadable": reason}),
        Seen::Alerts { records, rules } => {
            let rules: Vec<Value> = rules
                .iter()
                .map(|(rule, severity, alerts)| json!({"name": rule, "severity": severity, "alerts": alerts}))
                .collect();
            json!({"name": it.name, "records": records, "rules": rules})
        }
    };
    json!({"attacks": found.iter().map(of).collect::<Vec<_>>()})
}
