//! `trailwarden rules lint`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use ecs::{Catalog, Millis};
use report::Terminal;
use rule::{GuideLanguage, Heeded, Problem, RuleSet};
use serde_json::{Value, json};
use span::{Severity, Style};

use crate::args::{Global, Least, LintFormat};
use crate::status::{DONE, FOUND};
use crate::{input, near_misses, terminal};

/// What mends one finding may show another; more rounds than this no file needs.
const ROUNDS_MAX: usize = 5;

/// What is asked for.
pub(crate) struct Lint<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) format: LintFormat,
    pub(crate) least: Least,
    pub(crate) ignore: &'a [String],
    pub(crate) fix: bool,
    pub(crate) strict: bool,
    pub(crate) over: &'a [PathBuf],
}

impl Lint<'_> {
    pub(crate) fn run(&self, out: &mut dyn Write, global: &Global) -> anyhow::Result<u8> {
        let now = input::now(None)?;
        if self.fix {
            self.fix(out, now)?;
        }
        let set = self.load()?;
        let mut tried = near_misses::findings(&set, self.over, now, global)?;
        let unfed = hunt::unfed(&set.rules, &Catalog::ecs());
        tried.extend(unfed.into_iter().map(|it| rule::nothing_gives(it, set.rules.len() - 1)));
        let Heeded { kept: mut found, ignored } = self.found(&set, &tried, now);
        found.sort_by(|a, b| (&a.file, a.diagnostic.span()).cmp(&(&b.file, b.diagnostic.span())));
        let count = |severity| found.iter().filter(|it| it.diagnostic.severity == severity).count() as u64;
        let (errors, warnings, notes) =
            (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let least = self.least.severity();
        let shown: Vec<&Problem> = found.iter().filter(|it| it.diagnostic.severity >= least).collect();
        match self.format {
            LintFormat::Table => {
                let Terminal { colour, .. } = terminal::stdout_terminal(global, false);
                let style = if colour { Style::Coloured } else { Style::Plain };
                for problem in &shown {
                    writeln!(out, "{}", set.render(problem, style))?;
                }
                let mut line = format!(
                    "{}: {}, {}, {}",
                    report::plural(set.rules.len() as u64, "rule", "rules"),
                    report::plural(errors, "error", "errors"),
                    report::plural(warnings, "warning", "warnings"),
                    report::plural(notes, "note", "notes"),
                );
                let hidden = found.len() - shown.len();
                if hidden > 0 {
                    line += &format!("; {hidden} not shown");
                }
                if ignored > 0 {
                    line += &format!("; {ignored} ignored");
                }
                writeln!(out, "{line}")?;
            }
            LintFormat::Ndjson => {
                for problem in &shown {
                    serde_json::to_writer(&mut *out, &finding(&set, problem))?;
                    out.write_all(b"\n")?;
                }
            }
            LintFormat::Json => {
                let all: Vec<Value> = shown.iter().map(|problem| finding(&set, problem)).collect();
                serde_json::to_writer_pretty(&mut *out, &all)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(if errors > 0 || self.strict && warnings > 0 { FOUND } else { DONE })
    }

    fn load(&self) -> anyhow::Result<RuleSet> {
        if self.paths.is_empty() {
            return Ok(rule::builtin(GuideLanguage::English));
        }
        input::load_rules("", self.paths, input::threads(None))
    }

    /// Everything that is found and not to be ignored.
    fn found(&self, set: &RuleSet, more: &[Problem], now: Millis) -> Heeded {
        let mut found = set.problems.clone();
        found.extend_from_slice(more);
        found.extend(set.foreign());
        found.extend(rule::lint(set, &Catalog::ecs(), cloudtrail::vocabulary(), now));
        let mut heeded = rule::heed(set, found);
        let all = heeded.kept.len();
        let is_error = |it: &Problem| it.diagnostic.severity == Severity::Error;
        heeded.kept.retain(|it| is_error(it) || !self.ignore.iter().any(|code| *code == it.diagnostic.code));
        heeded.ignored += all - heeded.kept.len();
        heeded
    }

    /// Mends what certainly can be, and says what was done. A file is written only if it is no worse afterwards.
    fn fix(&self, out: &mut dyn Write, now: Millis) -> anyhow::Result<()> {
        if self.paths.is_empty() {
            bail!("--fix: the built-in rules cannot be changed; name the files or folders to mend");
        }
        for _ in 0..ROUNDS_MAX {
            let set = self.load()?;
            let Heeded { kept, .. } = self.found(&set, &[], now);
            let mut files: Vec<&str> = kept.iter().map(|it| it.file.as_str()).collect();
            files.sort_unstable();
            files.dedup();
            let mut any = false;
            for file in files {
                any |= mend(&set, file, &kept, self.format, out)?;
            }
            if !any {
                break;
            }
        }
        Ok(())
    }
}

/// Mends one file. Says whether it was changed.
fn mend(
    set: &RuleSet,
    file: &str,
    found: &[Problem],
    format: LintFormat,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let (text, here) = (set.text(file), found.iter().filter(|it| it.file == file).collect::<Vec<_>>());
    let mended = rule::mend(text, here.iter().map(|it| &it.diagnostic));
    if mended.mended.is_empty() || mended.text == text {
        return Ok(false);
    }
    let (before, after) = (rule::load_text(file, text), rule::load_text(file, &mended.text));
    if after.error_count() > before.error_count() || after.rules.len() != before.rules.len() {
        return Ok(false);
    }
    let read = fs::read(file).with_context(|| format!("cannot read `{file}`"))?;
    if read != text.as_bytes() {
        bail!("`{file}` was changed meanwhile and is left as it is");
    }
    fs::write(file, &mended.text).with_context(|| format!("cannot write `{file}`"))?;
    for problem in mended.mended.iter().filter_map(|at| here.get(*at)) {
        let it = &problem.diagnostic;
        let place = it.span().map(|at| span::position(text, at.start));
        let place = place.map_or_else(String::new, |it| format!(":{}:{}", it.line, it.column));
        let written = it.edits.first().map_or("", |edit| edit.text.as_str());
        let line = format!("mended[{}]: {file}{place}: {}; wrote {written}\n", it.code, it.message);
        match format {
            LintFormat::Table => out.write_all(line.as_bytes())?,
            // What is printed there is for programs.
            LintFormat::Json | LintFormat::Ndjson => terminal::say(&line),
        }
    }
    Ok(true)
}

fn finding(set: &RuleSet, problem: &Problem) -> Value {
    let it = &problem.diagnostic;
    let place = it.span().map(|at| span::position(set.text(&problem.file), at.start));
    json!({
        "file": problem.file,
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "severity": it.severity.as_str(),
        "code": it.code,
        "message": it.message,
        "help": it.help,
        "fixable": !it.edits.is_empty(),
    })
}
