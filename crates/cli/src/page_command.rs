//! `trailwarden hunt --format html`: the page that a responder hands on.

use std::io::Write;

use anyhow::Context as _;
use hunt::{Files, Found, HuntOptions, Picked, Progress, Which};
use investigate::{Cast, Investigation, Options, Plan, Suspect};
use report::page::{Entry, Made, Page, Scope};
use report::{Remark, Summary};
use rule::{Rule, Severity};
use story::Mark;

use crate::VERSION;
use crate::args::Hunt;

/// Writes the page. Says how severe the worst alert is.
pub(crate) fn write(
    args: &Hunt,
    found: &Found,
    hunt: &HuntOptions,
    summary: &Summary<'_>,
    completeness: Vec<Remark>,
    to: &mut dyn Write,
) -> anyhow::Result<Option<Severity>> {
    let alerts: Vec<Entry> = found.alerts(&[], |alert| Entry::of(&alert.told()), |alerts| alerts.collect());
    let worst = alerts.iter().filter_map(Entry::severity).max();
    // What came through a pipe is gone.
    let is_stream = hunt.paths.iter().any(|it| it.as_os_str() == "-");
    let Followed { picked, cast, investigated } = if is_stream {
        Followed::default()
    } else {
        follow(args, found, hunt, &alerts, summary).context("cannot read the records again")?
    };
    let marks: Vec<Mark> = alerts.iter().map(|it| Mark { events: it.events.clone() }).collect();
    let page = Page {
        summary,
        actors: story::tell(&cast, &marks, summary.language),
        of: cast.of,
        left_out: cast.left_out,
        scope: Scope { picked, investigates: !args.no_investigate, is_stream },
        investigated,
        completeness,
        made: Made { version: VERSION.to_owned(), command: command(), now: hunt.now },
        alerts,
    };
    report::page::write(to, &page)?;
    Ok(worst)
}

/// What further passes over the records found.
#[derive(Default)]
struct Followed {
    /// Alerts that are severe enough to be investigated.
    picked: usize,
    cast: Cast,
    investigated: Vec<(Investigation, Plan)>,
}

/// Investigates what is of medium severity and above, and follows whoever is behind an alert: in two passes, whatever
/// their number.
fn follow(
    args: &Hunt,
    found: &Found,
    hunt: &HuntOptions,
    alerts: &[Entry],
    summary: &Summary<'_>,
) -> anyhow::Result<Followed> {
    if alerts.is_empty() {
        return Ok(Followed::default());
    }
    let Picked { subjects, raised, total } = if args.no_investigate {
        Picked::default()
    } else {
        hunt::pick(found, &Which::From(Severity::Medium), hunt::ALERTS_MAX, hunt.now)
    };
    let suspect = |it: &Entry| Suspect {
        who: it.who.clone(),
        time: it.time().unwrap_or(hunt.now),
        weight: it.weight(),
    };
    let suspects: Vec<Suspect> = alerts.iter().map(suspect).collect();
    let progress = Progress::default();
    let mut files = Files::of_hunt(hunt, &progress);
    let language = summary.language;
    let options = Options { now: hunt.now, steps: Vec::new(), language, raised };
    let (all, cast) = investigate::investigate_and_follow(&subjects, &suspects, &mut files, &options)?;
    let rules: Vec<Rule> = summary.rules.iter().map(|&it| it.clone()).collect();
    let with_plan = |it: Investigation| {
        let plan = investigate::plan(&it, &rules, language, hunt.now);
        (it, plan)
    };
    let investigated = all.into_iter().map(with_plan).collect();
    Ok(Followed { picked: total, cast, investigated })
}

/// Options of which the page says nothing: they change nothing of it.
const WITHOUT_INFLUENCE: [&str; 5] = ["--threads", "--output", "-o", "--color", "--stats"];

/// The command as it was given.
fn command() -> String {
    let mut words = vec!["trailwarden".to_owned()];
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        let argument = argument.to_string_lossy();
        let name = argument.split('=').next().unwrap_or_default();
        if WITHOUT_INFLUENCE.contains(&name) {
            if !argument.contains('=') {
                arguments.next();
            }
        } else if !["-q", "--quiet"].contains(&name) {
            words.push(quoted(&argument));
        }
    }
    words.join(" ")
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "-_./:=,@+%".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
