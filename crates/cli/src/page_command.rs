//! `trailwarden hunt --format html`: the page that a responder hands on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

use anyhow::Context as _;
use hunt::{Files, Found, HuntOptions, Picked, Progress, Which};
use investigate::{Cast, Investigation, Options, Suspect};
use report::page::{CaseValue, Entry, Fields, Guides, Made, Page, Scope};
use report::{Remark, Summary};
use rule::{Rule, Severity};
use story::Mark;

use crate::VERSION;
use crate::args::{Global, Hunt};
use crate::terminal;

/// Writes the page. Says how severe the worst alert is.
pub(crate) fn write(
    args: &Hunt,
    global: &Global,
    found: &Found,
    hunt: &HuntOptions,
    summary: &Summary<'_>,
    completeness: Vec<Remark>,
    to: &mut dyn Write,
) -> anyhow::Result<Option<Severity>> {
    // All documents together may not fit into memory, and would not be read by anybody.
    let alerts: Vec<Entry> =
        found.alerts(Entry::EVENT_PATHS, |alert| Entry::of(&alert.told()), |alerts| alerts.collect());
    let shown: HashMap<&str, usize> =
        report::page::with_fields(&alerts).into_iter().map(|at| (alerts[at].id(), at)).collect();
    let fields = |alert: &mut hunt::Alert<'_, '_>| {
        let values = report::page::values_of(&alert.subject(), hunt.now);
        Some((*shown.get(alert.id())?, (report::page::fields_of(&alert.told()), values)))
    };
    let shown: BTreeMap<usize, (Fields, Vec<CaseValue>)> =
        found.alerts_with_ids(&|id| shown.contains_key(id), fields, |all| all.flatten().collect());
    let (mut fields, mut values) = (BTreeMap::new(), BTreeMap::new());
    for (at, (its, asked)) in shown {
        fields.insert(at, its);
        values.insert(at, asked);
    }
    let worst = alerts.iter().filter_map(Entry::severity).max();
    // What came through a pipe is gone.
    let is_stream = hunt.paths.iter().any(|it| it.as_os_str() == "-");
    let Followed { picked, cast, guides } = if is_stream {
        Followed::default()
    } else {
        follow(args, found, hunt, &alerts, summary).context("cannot read the records again")?
    };
    let marks: Vec<Mark> = alerts.iter().map(|it| Mark { events: it.events.clone() }).collect();
    // What was investigated has its guide filled.
    let is_investigated: HashSet<&str> = guides.ids().collect();
    values.retain(|&at, asked| !asked.is_empty() && !is_investigated.contains(alerts[at].id()));
    let page = Page {
        summary,
        actors: story::tell(&cast, &marks, summary.language),
        of: cast.of,
        left_out: cast.left_out,
        scope: Scope { picked, investigates: !args.no_investigate, is_stream },
        guides,
        completeness,
        fields,
        values,
        made: Made { version: VERSION.to_owned(), command: command(), now: hunt.now },
        alerts,
    };
    report::page::write(to, &page)?;
    if !global.quiet && page.fields.len() < page.alerts.len() {
        terminal::say(&format!(
            "the page has the raw fields of the {} most severe and first alerts; --format ndjson has those of all {}\n",
            report::count(page.fields.len() as u64),
            report::count(page.alerts.len() as u64)
        ));
    }
    Ok(worst)
}

/// What further passes over the records found.
#[derive(Default)]
struct Followed {
    /// Alerts that are severe enough to be investigated.
    picked: usize,
    cast: Cast,
    guides: Guides,
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
    let options =
        Options { now: hunt.now, steps: Vec::new(), language, raised, issued: found.issued.clone() };
    let rules: Vec<Rule> = summary.rules.iter().map(|&it| it.clone()).collect();
    let mut guides = Guides::new(language);
    let mut told = |it: Investigation| {
        guides.add(&it, &investigate::plan(&it, &rules, language, hunt.now));
        !guides.is_full()
    };
    let cast = investigate::investigate_and_follow(subjects, &suspects, &mut files, &options, &mut told)?;
    Ok(Followed { picked: total, cast, guides })
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
