//! `trailwarden rules`.

use std::io::Write;

use anyhow::Context as _;
use ecs::{Catalog, Millis};
use rule::{Exceptions, GuideLanguage, IdleReason, QueryLanguage, Rule, RuleSet, Selection, Unsupported};
use serde_json::json;
use span::{Diagnostic, Severity, Style};

use crate::args::{Global, RuleFormat, Rules};
use crate::lint_command::Lint;
use crate::status::{DONE, FOUND};
use crate::{assess_command, export_command, input, notices, output, terminal, test_command};

pub(crate) fn run(args: Rules, global: &Global) -> anyhow::Result<u8> {
    let mut out = output::open(None)?;
    let code = match args {
        Rules::List { source, format } => {
            let mut set =
                input::rules(&source, input::threads(None))?.localised(input::language(source.lang));
            let code = problems(&set, global);
            let selection = Selection::new(std::mem::take(&mut set.rules), &[]);
            let listed = listed(&selection, &set.exceptions);
            list(&mut out, &listed, format, global)?;
            // Whoever reads the list knows then how a hunt differs from it.
            out.flush().context("cannot write the result")?;
            terminal::notices(global, &notices::foreign(&set));
            terminal::notices(global, &notices::idle(&selection));
            let refused = listed.iter().filter_map(|it| match &it.why_not {
                Some(WhyNot::Refused(reasons)) => Some((it.rule, reasons.as_slice())),
                Some(WhyNot::Idle(_)) | None => None,
            });
            terminal::notices(global, notices::cannot_run(refused).as_slice());
            code
        }
        Rules::Show { rule, source, format } => {
            let set = input::rules(&source, input::threads(None))?;
            problems(&set, global);
            show(&mut out, &rule, &set, input::language(source.lang), format)?;
            DONE
        }
        Rules::Lint { paths, format, severity, ignore, fix, strict, over } => {
            let lint =
                Lint { paths: &paths, format, least: severity, ignore: &ignore, fix, strict, over: &over };
            lint.run(&mut out, global)?
        }
        Rules::Test(args) => return test_command::run(&args, global),
        Rules::Forecast(args) => return assess_command::forecast(&args, global),
        Rules::Diff(args) => return assess_command::diff(&args, global),
        #[cfg(feature = "store")]
        Rules::Run(args) => return crate::detect_command::run_rule(&args, global),
        Rules::Coverage(args) => return assess_command::coverage(&args, global),
        Rules::Export { source, format, output } => {
            let set = input::rules(&source, input::threads(None))?.localised(input::language(source.lang));
            let code = problems(&set, global);
            export_command::export(set, format, output.as_deref(), &mut out)?;
            code
        }
        Rules::Schema => {
            serde_json::to_writer_pretty(&mut out, &rule::schema())?;
            out.write_all(b"\n")?;
            DONE
        }
    };
    out.flush().context("cannot write the result")?;
    Ok(code)
}

/// Says on standard error which files could not be loaded.
fn problems(set: &RuleSet, global: &Global) -> u8 {
    let errors = set.problems.iter().filter(|it| it.diagnostic.severity == Severity::Error);
    let style = if terminal::stderr_colour(global) { Style::Coloured } else { Style::Plain };
    let mut any = false;
    for problem in errors {
        terminal::say(&set.render(problem, style));
        any = true;
    }
    if any { FOUND } else { DONE }
}

/// A rule of the list.
struct Listed<'s> {
    rule: &'s Rule,
    why_not: Option<WhyNot<'s>>,
}

/// Why a rule does not run.
enum WhyNot<'s> {
    /// It was not selected.
    Idle(&'s IdleReason),
    /// A hunt refuses it.
    Refused(Vec<Diagnostic>),
}

/// All rules, as they came in, with what keeps them from running.
fn listed<'s>(selection: &'s Selection, exceptions: &Exceptions) -> Vec<Listed<'s>> {
    let any_time = Millis::MIN..=Millis::MAX;
    let compiled =
        rule::compile_all(selection.rules(), exceptions, &Catalog::ecs(), &any_time, input::threads(None));
    let mut refusals = compiled.into_iter().map(Result::err);
    let listed = selection.in_order().map(|(rule, idle)| {
        let refused = || refusals.next().flatten().map(WhyNot::Refused);
        Listed { rule, why_not: idle.map(WhyNot::Idle).or_else(refused) }
    });
    listed.collect()
}

impl WhyNot<'_> {
    /// In a word or two.
    fn short(&self, rule: &Rule) -> String {
        match self {
            Self::Idle(IdleReason::Withheld(why)) => why.as_str().to_owned(),
            Self::Idle(IdleReason::SameId { .. }) => "same id".to_owned(),
            Self::Refused(diagnostics) => match rule::support(rule) {
                Err(reasons) => reasons.iter().map(Unsupported::short).collect::<Vec<_>>().join(", "),
                Ok(_) => diagnostics.iter().map(|it| it.code).take(1).collect(),
            },
        }
    }

    /// Each reason, with its code where it has one.
    fn reasons(&self) -> Vec<serde_json::Value> {
        match self {
            Self::Idle(IdleReason::Withheld(why)) => vec![json!({"code": null, "message": why.as_str()})],
            Self::Idle(IdleReason::SameId { field, other }) => {
                let message = format!("another rule with the same {field} runs: {}", other.file);
                vec![json!({"code": null, "message": message})]
            }
            Self::Refused(diagnostics) => {
                diagnostics.iter().map(|it| json!({"code": it.code, "message": it.message})).collect()
            }
        }
    }
}

fn list(
    out: &mut dyn Write,
    listed: &[Listed<'_>],
    format: RuleFormat,
    global: &Global,
) -> anyhow::Result<()> {
    match format {
        RuleFormat::Table => {
            let reasons: Vec<Option<String>> =
                listed.iter().map(|it| it.why_not.as_ref().map(|why| why.short(it.rule))).collect();
            let rules = listed.iter().zip(&reasons).map(|(it, reason)| (it.rule, reason.as_deref()));
            let terminal = terminal::stdout_terminal(global, false);
            out.write_all(report::rules::list(rules, terminal).as_bytes())?;
        }
        RuleFormat::Ndjson => {
            for Listed { rule, .. } in listed {
                serde_json::to_writer(&mut *out, &rule.api())?;
                out.write_all(b"\n")?;
            }
        }
        RuleFormat::Json => {
            let rules = listed.iter().map(|Listed { rule, why_not }| {
                json!({
                    "rule_id": rule.rule_id,
                    "name": rule.name,
                    "type": rule.kind.type_name(),
                    "language": rule.language.map(QueryLanguage::as_str),
                    "severity": rule.severity.as_str(),
                    "risk_score": rule.risk_score,
                    "file": rule.file,
                    "runs": why_not.is_none(),
                    "why_not": why_not.as_ref().map_or_else(Vec::new, WhyNot::reasons),
                })
            });
            json_document(out, &rules.collect())?;
        }
    }
    Ok(())
}

fn json_document(out: &mut dyn Write, value: &serde_json::Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn show(
    out: &mut dyn Write,
    name: &str,
    set: &RuleSet,
    language: GuideLanguage,
    format: RuleFormat,
) -> anyhow::Result<()> {
    let rule = input::named(set, name)?.localised(language);
    match format {
        RuleFormat::Table => out.write_all(report::rules::show(&rule, language).as_bytes())?,
        RuleFormat::Ndjson => {
            serde_json::to_writer(&mut *out, &rule.api())?;
            out.write_all(b"\n")?;
        }
        RuleFormat::Json => json_document(out, &serde_json::Value::Object(rule.api()))?,
    }
    Ok(())
}
