//! `trailwarden rules test`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use ecs::Object;
use hunt::{HuntOptions, Progress};
use report::rule_tests::{Test as Line, Tests, Verdict};
use rule::{Rule, RuleSet, Selection, Subject, TestFile};
use ruletest::{Options, Outcome, Tested};
use serde_json::Value;
use span::Style;

use crate::VERSION;
use crate::args::{Global, Test, TestFormat};
use crate::status::{DONE, FAILED, FOUND};
use crate::{input, output, terminal};

pub(crate) fn run(args: &Test, global: &Global) -> anyhow::Result<u8> {
    if let Some(path) = &args.output {
        output::check(path)?;
        output::spare(path, &args.paths, &args.rules)?;
    }
    match &args.from_alert {
        Some(id) => from_alert(id, args, global),
        None => test(args, global),
    }
}

/// The rules that tests may be about: beside the tests, those that are named, and the built-in ones.
fn rules(args: &Test, files: &[TestFile]) -> anyhow::Result<RuleSet> {
    let threads = input::threads(args.threads);
    let beside = files.iter().filter_map(|it| match &it.subject {
        Subject::Beside(stem) => Some(PathBuf::from(format!("{stem}.toml"))).filter(|it| it.is_file()),
        Subject::Id(_) => None,
    });
    // A test file that is named holds no rule.
    let named = args.paths.iter().filter(|it| it.is_dir() || !is_yaml(it)).cloned();
    let mut paths: Vec<PathBuf> = named.chain(beside).collect();
    if !args.rules.is_empty() {
        input::load_rules("--rules ", &args.rules, threads)?;
        paths.extend(args.rules.iter().cloned());
    }
    Ok(rule::load_with(&paths, threads))
}

fn is_yaml(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"))
}

fn test(args: &Test, global: &Global) -> anyhow::Result<u8> {
    for path in &args.paths {
        if !path.exists() {
            bail!("`{}`: there is no such file or folder", path.display());
        }
    }
    let found = rule::test_files(&args.paths);
    let style = if terminal::stderr_colour(global) { Style::Coloured } else { Style::Plain };
    let mut is_broken = false;
    for problem in &found.problems {
        terminal::say(&found.render(problem, style));
        is_broken |= problem.diagnostic.severity == span::Severity::Error;
    }
    if found.files.is_empty() && !is_broken {
        bail!(
            "there is no test in there; tests of `NAME.toml` are in `NAME.test.yaml`, or in its `[[tests]]`"
        );
    }
    let mut set = rules(args, &found.files)?;
    let errors = set.problems.iter().filter(|it| it.diagnostic.severity == span::Severity::Error);
    for problem in errors {
        terminal::say(&set.render(problem, style));
        is_broken = true;
    }
    set.extend(rule::builtin(rule::GuideLanguage::English));
    // A rule of a file stands for the built-in one of the same id.
    let mut rules: Vec<Arc<Rule>> = Selection::all(std::mem::take(&mut set.rules)).rules().to_vec();
    let all = rules.clone();
    let only: Vec<String> = args.only.iter().map(|it| it.to_lowercase()).collect();
    let is_tested =
        |rule: &Rule| found.files.iter().any(|it| it.subject == Subject::Id(rule.rule_id.clone()));
    // Built-in rules that nobody speaks of are not untested rules of this folder.
    let is_own = |rule: &Rule| !rule.is_built_in();
    rules.retain(|rule| is_own(rule) || is_tested(rule));
    let options = Options {
        rules: &rules,
        others: &all,
        exceptions: &set.exceptions,
        only: &only,
        normalise: input::normalise(None)?,
        limits: reader::Limits::default(),
        threads: input::threads(args.threads).get(),
        now: input::now(None)?,
        version: VERSION,
    };
    let counter = terminal::Counter::start(global, "tests");
    let report = ruletest::run(&found.files, &options, &|done, all| counter.at(done, all));
    drop(counter);
    if report.tests.is_empty() && !only.is_empty() {
        bail!("--only: none of the {} tests is meant by {}", report.left_out, args.only.join(" or "));
    }
    let failed = report.failed();
    let tests = Tests {
        tests: report.tests.iter().map(|it| line(it, args.update)).collect(),
        untested: report.untested.iter().filter(|it| is_own(it)).map(|it| it.name.as_str()).collect(),
        left_out: report.left_out,
    };
    let mut out = output::open(args.output.as_deref())?;
    let text = match args.format {
        TestFormat::Table => tests.table(terminal::stdout_terminal(global, args.output.is_some())),
        TestFormat::Junit => tests.junit(),
        TestFormat::Json => serde_json::to_string_pretty(&tests.json())? + "\n",
    };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(match (failed, is_broken) {
        (0, false) => DONE,
        (0, true) if report.tests.is_empty() => FAILED,
        _ => FOUND,
    })
}

fn line<'a>(it: &'a Tested<'a>, update: bool) -> Line<'a> {
    let named = match &it.file.subject {
        Subject::Id(id) => id.as_str(),
        Subject::Beside(stem) => stem,
    };
    let is_failed = matches!(it.outcome, Outcome::Failed { .. });
    Line {
        file: &it.file.file,
        name: &it.case.name,
        why: it.case.why.as_deref(),
        rule: it.rule.as_ref().map_or(named, |rule| &rule.name),
        alerts: it.alerts.len() as u64,
        verdict: match &it.outcome {
            Outcome::Passed => Verdict::Passed,
            Outcome::Failed { wrong, explained } => Verdict::Failed(wrong.clone(), explained.clone()),
            Outcome::Broken(reason) => Verdict::Broken(reason.clone()),
        },
        proposal: (update && is_failed).then(|| ruletest::proposal(&it.alerts, &it.case.expected)),
    }
}

/// Prints a test made of one alert of the records.
fn from_alert(id: &str, args: &Test, global: &Global) -> anyhow::Result<u8> {
    let threads = input::threads(args.threads);
    let mut set = if args.rules.is_empty() {
        rule::builtin(rule::GuideLanguage::English)
    } else {
        input::load_rules("--rules ", &args.rules, threads)?
    };
    let selection = Selection::all(std::mem::take(&mut set.rules));
    let normalise = cloudtrail::Options { original: cloudtrail::Original::Keep, ..input::normalise(None)? };
    let exceptions = std::mem::take(&mut set.exceptions);
    let options = HuntOptions {
        threads: threads.get(),
        ..HuntOptions::new(args.paths.clone(), selection, exceptions, normalise, input::now(None)?, VERSION)
    };
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::hunt(&options, &mut std::io::stdin(), &progress);
    drop(bar);
    let found = found?;
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let mut json = String::new();
        alert.write_json(&mut json);
        json
    };
    let mut alerts: Vec<Object> = Vec::new();
    let mut total = 0_usize;
    found.alerts(&[], make, |texts| {
        for text in texts {
            total += 1;
            // Most are not meant, and need not be parsed.
            if text.contains(id)
                && let Ok(Value::Object(alert)) = ecs::json::parse(&text)
                && ecs::alert::id(&alert).is_some_and(|it| it.starts_with(id))
            {
                alerts.push(alert);
            }
        }
    });
    let alert = match alerts.as_slice() {
        [] => bail!(
            "--from-alert {id}: none of the {total} alerts that the rules raise on these records has that id"
        ),
        [alert] => alert,
        several => {
            bail!("--from-alert {id}: {} alerts have ids that begin so; write more of it", several.len())
        }
    };
    let rule_id = ecs::alert::field(alert, "rule.rule_id").and_then(Value::as_str).unwrap_or_default();
    let Some(rule) = options.rules.rules().iter().find(|it| it.rule_id == rule_id) else {
        bail!("--from-alert {id}: the alert is of a rule that is not there: {rule_id}");
    };
    let draft = ruletest::draft(rule, std::slice::from_ref(alert))?;
    // Whether it still alerts with everything replaced is better said now than found out later.
    let name = "draft.test.yaml";
    let (file, problems) = rule::test_text(name, &draft);
    let mut passes = false;
    if let (Some(file), true) = (file, problems.is_empty()) {
        let rules = [Arc::clone(rule)];
        let options = Options {
            rules: &rules,
            others: options.rules.rules(),
            exceptions: &options.exceptions,
            only: &[],
            normalise: input::normalise(None)?,
            limits: reader::Limits::default(),
            threads: 1,
            now: options.now,
            version: options.version,
        };
        passes = ruletest::run(&[file], &options, &|_, _| {}).failed() == 0;
    }
    let mut out = output::open(args.output.as_deref())?;
    out.write_all(draft.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    if !passes && !global.quiet {
        terminal::say(
            "warning: with names and addresses replaced the rule raises another number of alerts on this event alone: it \
             may ask for one of them, or for more than one event\n",
        );
    }
    Ok(DONE)
}
