//! What a hunt must say besides its alerts, in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hunt::{Found, Notice, Trouble};
use report::{count, plural, when};
use rule::{Idle, IdleReason, Rule, RuleSet, Selection, Withheld};
use span::{Diagnostic, Style};

use crate::input;

/// Problems of the input that are shown; the rest is counted.
const TROUBLES_SHOWN: usize = 10;
/// Rules that are named for one reason; the rest is counted.
const RULES_SHOWN: usize = 3;
/// Reasons for rules not to run; the rest is counted.
const REASONS_SHOWN: usize = 8;

/// A notice in words.
pub(crate) fn words(notice: &Notice<'_>, found: &Found) -> report::Remark {
    report::Remark { severe: notice.is_severe(), text: text(notice, found) }
}

/// What is wrong in the rule files, if anything.
pub(crate) fn rule_errors(set: &RuleSet) -> Option<report::Remark> {
    let errors = set.error_count() as u64;
    if errors == 0 {
        return None;
    }
    let mut text = format!(
        "{} in the rule files, whose rules did not run (`trailwarden rules lint` shows all):",
        plural(errors, "error", "errors")
    );
    let wrong = set.problems.iter().filter(|it| it.diagnostic.severity == span::Severity::Error);
    for problem in wrong.take(RULES_SHOWN) {
        text += &format!("\n{}", set.render(problem, Style::Plain).trim_end());
    }
    Some(report::Remark { severe: true, text })
}

/// What lies beside the rules in forms that are not read.
pub(crate) fn foreign(set: &RuleSet) -> Vec<report::Remark> {
    let notice = |it: rule::Problem| {
        let help = it.diagnostic.help.map_or_else(String::new, |help| format!("; {help}"));
        report::Remark { severe: true, text: it.diagnostic.message + &help }
    };
    set.foreign().into_iter().map(notice).collect()
}

/// Which rules are not run because of what their files or their ids say, and what to do about it.
pub(crate) fn idle(selection: &Selection) -> Vec<report::Remark> {
    let mut notices = Vec::new();
    for reason in Withheld::ALL {
        let is_it = |it: &&Idle| matches!(it.reason, IdleReason::Withheld(why) if why == reason);
        let names: Vec<&str> =
            selection.idle().iter().filter(is_it).map(|it| it.rule.name.as_str()).collect();
        if !names.is_empty() {
            // Whoever has disabled or unfinished rules may count on them; nobody counts on deprecated ones.
            let severe = reason != Withheld::Deprecated;
            notices.push(report::Remark { severe, text: withheld(reason, &names) });
        }
    }
    let twins: Vec<String> = selection.idle().iter().filter_map(twin).collect();
    if !twins.is_empty() {
        let mut text = format!(
            "{} not run, because another rule with the same id is (a file goes before the built-in rules, then the \
             highest `version`, then the highest `revision`, then the first file by name):",
            plural(twins.len() as u64, "rule is", "rules are"),
        );
        for twin in twins.iter().take(RULES_SHOWN) {
            text += &format!("\n{twin}");
        }
        if twins.len() > RULES_SHOWN {
            text += &format!("\n… and {} more", count((twins.len() - RULES_SHOWN) as u64));
        }
        notices.push(report::Remark { severe: true, text });
    }
    notices
}

fn withheld(reason: Withheld, names: &[&str]) -> String {
    let (what, because) = match reason {
        Withheld::Disabled => ("disabled", "`enabled` is false"),
        Withheld::Development => {
            ("in development", "`maturity` is `development`, and `enabled` is not there")
        }
        Withheld::Deprecated => ("deprecated", "`maturity` is `deprecated`"),
    };
    let (is, them) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "{} {is} {what} ({because}) and not run: {}; `hunt --include {}` runs {them}",
        plural(names.len() as u64, "rule", "rules"),
        some_of('"', names),
        reason.as_str(),
    )
}

/// Both places of two rules with one id.
fn twin(idle: &Idle) -> Option<String> {
    match &idle.reason {
        IdleReason::Withheld(_) => None,
        IdleReason::SameId { field, other } => Some(format!(
            "\"{}\" ({}) has the `{field}` of \"{}\" ({})",
            idle.rule.name,
            idle.rule.place(),
            other.name,
            other.place()
        )),
    }
}

/// Why nothing runs, as the lines of an error.
pub(crate) fn all_idle(selection: &Selection) -> String {
    let mut text = String::new();
    for notice in idle(selection) {
        text += &format!("\n    {}", notice.text.replace('\n', "\n    "));
    }
    text
}

fn text(notice: &Notice<'_>, found: &Found) -> String {
    match notice {
        Notice::Paths(text) => (*text).to_owned(),
        Notice::Troubles => troubles(&found.read.troubles, found.read.trouble_count),
        Notice::NoRecords => "there was no record in the input".to_owned(),
        Notice::Undated(records) => format!(
            "{} no time of their own and are taken as happening now",
            plural(*records, "record has", "records have")
        ),
        Notice::ChoicesCut(times) => format!(
            "{}, an event had more than {} combinations of the values that a condition compares; the first of them \
             do not satisfy it, and the others were not tried",
            plural(*times, "time", "times"),
            plan::value::CHOICES_MAX
        ),
        Notice::Blind { documents, all } => format!(
            "{} no field that any of the rules reads{}",
            plural(*documents, "document has", "documents have"),
            if *all {
                ", and there is nothing else: rules match CloudTrail records and ECS documents \
                 (`trailwarden normalize` prints what a record becomes)"
            } else {
                ": they may be of another kind"
            }
        ),
        Notice::Duplicates(copies) => format!(
            "{} of an event that was there before and counts once",
            plural(*copies, "record is a further delivery", "records are further deliveries")
        ),
        Notice::SkippedUnread(records) => format!(
            "{} not looked into: no call that is asked for is in their text",
            plural(*records, "record was", "records were")
        ),
        Notice::SinceAfterLast { since, last } => format!(
            "--since {} lies after the last event ({}): nothing can be found",
            when(*since),
            when(*last)
        ),
        Notice::UntilBeforeFirst { until, first } => format!(
            "--until {} does not lie after the first event ({}): nothing can be found",
            when(*until),
            when(*first)
        ),
        Notice::SkippedFiles(files) => format!(
            "{} passed over: hidden, or no records by their name or beginning",
            plural(*files, "file", "files")
        ),
        Notice::SkippedMembers(members) => format!(
            "{} passed over: hidden, or no records by their name",
            plural(*members, "member of an archive", "members of archives")
        ),
        Notice::Pruned(files) => format!(
            "{} not read: delivered before the time that --since and the rules' look-back and history reach",
            plural(*files, "file", "files")
        ),
        Notice::Refused(reasons) => refused(reasons, "did not run"),
        Notice::Elsewhere { rules, .. } => format!(
            "{} nothing of what is here, which belongs to {}; `index` asks for something else:\n{}",
            plural(rules.len() as u64, "rule reads", "rules read"),
            some_of('`', &found.read.indices),
            some_of('"', rules),
        ),
        Notice::Unplaced(rules) => format!(
            "{} for places or networks of addresses (`source.geo`, `source.as`), which records of CloudTrail do not \
             have: without --geoip such a condition never holds:\n{}",
            plural(rules.len() as u64, "rule asks", "rules ask"),
            some_of('"', rules),
        ),
        Notice::Unapplied { warning, rules } => match rules.as_slice() {
            [rule] => format!("the rule \"{rule}\": {warning}"),
            several => format!("{}: {warning}", plural(several.len() as u64, "rule", "rules")),
        },
        Notice::Truncated { rule, max_signals, executions } => format!(
            "the rule \"{rule}\" reached its limit of {} in {}; more was not raised (--max-signals raises the limit)",
            plural((*max_signals).into(), "alert", "alerts"),
            plural(*executions, "execution", "executions"),
        ),
        Notice::ShortHistory { rules, kind } => format!(
            "{} on what is seen for the first time. {kind}\n{}",
            plural(rules.len() as u64, "rule alerts", "rules alert"),
            some_of('"', rules)
        ),
        Notice::Warning { rule, kind } => format!("the rule \"{rule}\": {kind}"),
        Notice::Noisy { rule, matched, records } => format!(
            "the rule \"{rule}\" matched {} of {} records: consider an exception or a narrower query",
            count(*matched),
            count(*records)
        ),
    }
}

fn troubles(first: &[Trouble], all: u64) -> String {
    let mut text = format!("{} could not be read:", plural(all, "part of the input", "parts of the input"));
    for trouble in first.iter().take(TROUBLES_SHOWN) {
        text += &format!("\n{}", input::trouble(trouble));
    }
    if all > TROUBLES_SHOWN as u64 {
        text += &format!("\n… and {} more", count(all - TROUBLES_SHOWN as u64));
    }
    text
}

/// Rules that a hunt refuses, by the reasons that it gives.
pub(crate) fn cannot_run<'r>(
    rules: impl Iterator<Item = (&'r Rule, &'r [Diagnostic])>,
) -> Option<report::Remark> {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (rule, reasons) in rules {
        let reasons: Vec<String> = reasons.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
        by_reason.entry(reasons.join("; ")).or_default().push(&rule.name);
    }
    let mut reasons: Vec<(&str, Vec<&str>)> =
        by_reason.iter().map(|(reason, names)| (reason.as_str(), names.clone())).collect();
    reasons.sort_by_key(|(_, names)| Reverse(names.len()));
    (!reasons.is_empty()).then(|| report::Remark { severe: true, text: refused(&reasons, "cannot run") })
}

/// `verb` says what became of them.
fn refused(reasons: &[(&str, Vec<&str>)], verb: &str) -> String {
    let all: usize = reasons.iter().map(|(_, names)| names.len()).sum();
    let mut text = format!("{} {verb}:", plural(all as u64, "rule", "rules"));
    for (reason, names) in reasons.iter().take(REASONS_SHOWN) {
        text += &format!("\n{reason}: {}", some_of('"', names));
    }
    if reasons.len() > REASONS_SHOWN {
        let rest: usize = reasons[REASONS_SHOWN..].iter().map(|(_, names)| names.len()).sum();
        text += &format!("\n… and {} for other reasons", count(rest as u64));
    }
    if all > RULES_SHOWN {
        text += "\n`trailwarden rules lint` names every one of them";
    }
    text
}

/// The first of several names between quotes; the others are counted.
fn some_of(quote: char, names: &[impl AsRef<str>]) -> String {
    let shown = names.iter().take(RULES_SHOWN).map(|name| format!("{quote}{}{quote}", name.as_ref()));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > RULES_SHOWN {
        text += &format!(" and {} more", count((names.len() - RULES_SHOWN) as u64));
    }
    text
}
