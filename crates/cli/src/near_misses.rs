//! `trailwarden hunt --near-misses`, and what `rules lint --over` finds by it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use ecs::Millis;
use hunt::{ClauseMisses, FieldValues, HuntOptions, Item, NearMisses, Progress, RuleMisses};
use report::{count, plural};
use rule::{Problem, RuleSet, Selection};

use crate::VERSION;
use crate::args::Global;
use crate::{input, notices, output, status, terminal};

/// Values that are shown of a field; the rest is counted.
const VALUES_SHOWN: usize = 5;
/// Clauses that are shown of a rule.
const CLAUSES_SHOWN: usize = 5;

fn counted(options: &HuntOptions, global: &Global) -> anyhow::Result<NearMisses> {
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let found = hunt::near_misses(options, &mut std::io::stdin(), &progress);
    drop(bar);
    found.map_err(|error| anyhow!("{error}{}", notices::all_idle(&options.rules)))
}

pub(crate) fn run(
    options: &HuntOptions,
    file: Option<&Path>,
    strict: bool,
    global: &Global,
) -> anyhow::Result<u8> {
    let found = counted(options, global)?;
    let mut out = output::open(file)?;
    out.write_all(text(&found).as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    terminal::notices(global, &notices::idle(&options.rules));
    if !global.quiet {
        for it in &found.refused {
            terminal::say(&format!("warning: {} is not run: {}\n", report::clean(&it.rule.name), it.reason));
        }
    }
    terminal::troubles(global, &[], &found.troubles, found.trouble_count);
    let input = status::Input { is_usable: found.records > 0, is_complete: found.loss_count == 0, strict };
    Ok(status::of(false, input))
}

fn text(found: &NearMisses) -> String {
    let mut out = String::new();
    let mut silent = 0;
    for it in &found.rules {
        if !is_near(it) {
            silent += usize::from(it.matched == 0);
            continue;
        }
        let match_ = |count| plural(count, "record matches", "records match");
        out += &report::clean(&it.rule.name);
        if it.items.is_empty() {
            out += &format!("  ({})", match_(it.matched));
        }
        out.push('\n');
        for (item, matched) in &it.items {
            out += &format!("  {}: {}\n", item_words(*item), match_(*matched));
        }
        for clause in it.clauses.iter().take(CLAUSES_SHOWN) {
            let lack = plural(clause.missed, "record lacks", "records lack");
            let of = clause.item.map(|it| format!(" of {}", item_words(it))).unwrap_or_default();
            out += &format!("  {lack} only {}{of}\n", report::clean(&clause.clause));
            for field in &clause.fields {
                out += &format!("      {}\n", values(field));
            }
        }
        if it.clauses.len() > CLAUSES_SHOWN {
            out += &format!("  … and {} more clauses\n", it.clauses.len() - CLAUSES_SHOWN);
        }
    }
    let near = found.rules.iter().filter(|it| is_near(it)).count();
    let blocked: Vec<String> = found
        .rules
        .iter()
        .filter(|it| it.blockers().next().is_some())
        .map(|it| report::clean(&it.rule.name))
        .collect();
    if !out.is_empty() {
        out.push('\n');
    }
    out += &format!(
        "{} of {} have near misses among {}; {silent} have neither these nor matches\n",
        near,
        plural(found.rules.len() as u64, "rule", "rules"),
        plural(found.records, "record", "records"),
    );
    if !blocked.is_empty() {
        out += &format!("for want of a single clause these match nothing: {}\n", blocked.join(", "));
    }
    out
}

/// Whether something of it was nearly met.
fn is_near(misses: &RuleMisses) -> bool {
    !misses.clauses.is_empty() || misses.lacks_items()
}

fn item_words(item: Item) -> String {
    match item {
        Item::Event { number, of } => format!("item {number} of {of}"),
        Item::Missing { number, of } => format!("item {number} of {of}, which must be missing"),
        Item::Until => "`until`".to_owned(),
    }
}

/// What records have in a field, or what is computed from it.
fn values(field: &FieldValues) -> String {
    let mut parts: Vec<String> = field
        .values
        .iter()
        .take(VALUES_SHOWN)
        .map(|(value, times)| format!("{:?} ×{}", report::clean(value), count(*times)))
        .collect();
    let further = field.values.len().saturating_sub(VALUES_SHOWN) as u64;
    if further > 0 || field.more > 0 {
        parts.push(format!("{} more", count(further + field.more)));
    }
    if field.absent > 0 {
        parts.push(format!("absent ×{}", count(field.absent)));
    }
    format!("{}: {}", field.path, parts.join(", "))
}

/// Warnings about rules that nothing matches for want of one clause.
pub(crate) fn findings(
    set: &RuleSet,
    over: &[PathBuf],
    now: Millis,
    global: &Global,
) -> anyhow::Result<Vec<Problem>> {
    if over.is_empty() {
        return Ok(Vec::new());
    }
    let rules = Selection::all(set.rules.iter().cloned());
    let options = HuntOptions {
        threads: input::threads(None).get(),
        ..HuntOptions::new(
            over.to_vec(),
            rules,
            set.exceptions.clone(),
            input::normalise(None)?,
            now,
            VERSION,
        )
    };
    let found = counted(&options, global)?;
    terminal::troubles(global, &[], &found.troubles, found.trouble_count);
    let of = |clause: &ClauseMisses| -> Vec<String> { clause.fields.iter().map(values).collect() };
    let problems = found.rules.iter().flat_map(|it| {
        it.blockers()
            .map(|clause| rule::never_holds(&it.rule, clause.clause.clone(), clause.missed, of(clause)))
    });
    Ok(problems.collect())
}
