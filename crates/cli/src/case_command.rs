//! `hunt --case` and `trailwarden case verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use detect::{DataSpan, Mode};
use ecs::Millis;
use hunt::{CaseRecord, Found, HuntOptions, Identities, Progress};
use report::{Format, Part, Summary, Terminal, plural};
use rule::Selection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::{CaseVerify, Global};
use crate::case_file::{self, Fault, Files};
use crate::status::{DONE, FOUND};
use crate::{VERSION, input, output, terminal};

const ALERTS: &str = "alerts.ndjson";
const OPTIONS: &str = "options.json";
const PLACES: &str = "places.ndjson";
const RECORDS: &str = "records.json";
const REPORT: &str = "report.txt";
const RULES: &str = "rules.ndjson";

/// Alerts that are named where they differ; the rest is counted.
const SHOWN: usize = 10;

/// What a hunt over the records must know besides the rules.
#[derive(Debug, Serialize, Deserialize)]
struct Options {
    /// What `now` stands for.
    now: Millis,
    /// One execution over the whole range instead of the rules' schedules.
    once: bool,
    since: Option<Millis>,
    until: Option<Millis>,
    max_signals: Option<u32>,
    /// Alerts say who is behind their events.
    identities: bool,
    keep_original: bool,
    record_bytes: usize,
    depth: u32,
    /// The time of the first and the last event of all data, and since when nothing was left out.
    first: Option<Millis>,
    last: Option<Millis>,
    complete_from: Option<Millis>,
}

impl Options {
    fn of(options: &HuntOptions, span: Option<DataSpan>) -> Self {
        let (once, since, until) = match options.mode {
            Mode::Once { from, to } => (true, from, to),
            Mode::Replay { since, until } => (false, since, until),
        };
        Self {
            now: options.now,
            once,
            since,
            until,
            max_signals: options.max_signals,
            identities: options.identities != Identities::Never,
            keep_original: options.normalise.original == cloudtrail::Original::Keep,
            record_bytes: options.limits.record_bytes,
            depth: options.limits.depth,
            first: span.map(|it| it.first),
            last: span.map(|it| it.last),
            complete_from: span.and_then(|it| it.complete_from),
        }
    }

    fn mode(&self) -> Mode {
        let Self { since, until, .. } = *self;
        if self.once { Mode::Once { from: since, to: until } } else { Mode::Replay { since, until } }
    }

    fn span(&self) -> Option<DataSpan> {
        let (first, last) = (self.first?, self.last?);
        Some(DataSpan { first, last, complete_from: self.complete_from })
    }
}

/// Refuses the standard input: the records of a case are read once more.
pub(crate) fn files_only(paths: &[PathBuf]) -> anyhow::Result<()> {
    if paths.iter().any(|it| it.as_os_str() == "-") {
        bail!(
            "the records of a case are read a second time, and standard input can be read once: write it to a file"
        );
    }
    Ok(())
}

/// Writes the case of a hunt, and hunts in it to see that it says the same.
pub(crate) fn write(
    path: &Path,
    found: &Found,
    options: &HuntOptions,
    summary: &Summary<'_>,
    global: &Global,
) -> anyhow::Result<()> {
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let records = hunt::case_records(options, found, &progress);
    drop(bar);
    let records = records?;
    let rules = options.rules.rules().iter().map(|it| &**it);
    let its = Options::of(options, found.span);
    let mut files = Files::new();
    files.insert(ALERTS.to_owned(), alerts(found));
    files.insert(OPTIONS.to_owned(), (serde_json::to_string_pretty(&its)? + "\n").into_bytes());
    files.insert(PLACES.to_owned(), places(&records).into_bytes());
    files.insert(RECORDS.to_owned(), texts(&records).into_bytes());
    files.insert(REPORT.to_owned(), summary_of(found, summary)?);
    files.insert(RULES.to_owned(), rule::to_ndjson(rules, &options.exceptions).into_bytes());
    let bytes = case_file::write(VERSION, &files)?;
    let place = || format!("cannot write the case to `{}`", path.display());
    output::open(Some(path))
        .and_then(|mut out| {
            out.write_all(&bytes)?;
            Ok(out.flush()?)
        })
        .with_context(place)?;
    let (differences, _) = reproduce(&files, VERSION, options.threads)?;
    if !differences.is_empty() {
        let text = format!(
            "the case in `{}` does not say what the hunt said:\n{}",
            path.display(),
            differences.join("\n")
        );
        terminal::notice(&report::Remark { severe: true, text });
    } else if !global.quiet {
        let count = plural(records.len() as u64, "record", "records");
        terminal::note(
            global,
            &format!("the case in {} has {count}, and a hunt over them says the same", path.display()),
        );
    }
    Ok(())
}

/// The alerts, one document a line, as `--format ndjson` prints them.
fn alerts(found: &Found) -> Vec<u8> {
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let mut json = String::new();
        for block in alert.blocks() {
            block.write_json(&mut json);
            json.push('\n');
        }
        alert.write_json(&mut json);
        json.push('\n');
        json
    };
    found.alerts(&[], make, |alerts| alerts.collect::<String>()).into_bytes()
}

/// The report as the terminal shows it.
fn summary_of(found: &Found, summary: &Summary<'_>) -> anyhow::Result<Vec<u8>> {
    let make = |alert: &mut hunt::Alert<'_, '_>| Part::of_fields(Format::Summary, &alert.told());
    let mut out = Vec::new();
    found.alerts(Format::Summary.event_paths(), make, |alerts| {
        report::write(&mut out, Format::Summary, alerts, summary, Terminal::PLAIN)
    })?;
    Ok(out)
}

/// The records as they were delivered; a document with its name beside it, if it had one.
fn texts(records: &[CaseRecord]) -> String {
    let mut out = String::new();
    for it in records {
        let mut around = String::new();
        for (key, value) in [("_index", &it.index), ("_id", &it.id)] {
            if let Some(value) = value.as_ref().filter(|_| it.is_document) {
                around += &format!("{}:{},", json!(key), json!(value));
            }
        }
        if around.is_empty() {
            out += &it.text;
        } else {
            out += &format!("{{{around}\"_source\":{}}}", it.text);
        }
        out.push('\n');
    }
    out
}

/// Where each record was read, in the same order.
fn places(records: &[CaseRecord]) -> String {
    records.iter().map(|it| json!({"file": it.input, "record": it.ordinal + 1}).to_string() + "\n").collect()
}

/// Hunts in a case; says what differs from its alerts, and how many there are.
fn reproduce(files: &Files, version: &str, threads: usize) -> anyhow::Result<(Vec<String>, usize)> {
    let file = |name: &str| files.get(name).ok_or_else(|| anyhow!("the case has no `{name}`"));
    let options: Options =
        serde_json::from_slice(file(OPTIONS)?).with_context(|| format!("`{OPTIONS}` cannot be read"))?;
    let mut set = rule::load_bytes(RULES, file(RULES)?);
    if set.error_count() > 0 {
        bail!("`{RULES}` has {}", plural(set.error_count() as u64, "error", "errors"));
    }
    let folder = tempfile::tempdir().context("there is no place for temporary files")?;
    let records = folder.path().join(RECORDS);
    std::fs::write(&records, file(RECORDS)?).context("the records cannot be unpacked")?;
    let mut normalise = input::normalise(None)?;
    if options.keep_original {
        normalise.original = cloudtrail::Original::Keep;
    }
    let rules = Selection::all(std::mem::take(&mut set.rules));
    let exceptions = std::mem::take(&mut set.exceptions);
    let limits = reader::Limits {
        record_bytes: options.record_bytes,
        depth: options.depth,
        ..reader::Limits::default()
    };
    // Alerts say which version raised them: of another one nothing else may differ.
    let version: &'static str = if version == VERSION { VERSION } else { String::leak(version.to_owned()) };
    let hunt = HuntOptions {
        mode: options.mode(),
        max_signals: options.max_signals,
        identities: if options.identities { Identities::InAlerts } else { Identities::Never },
        limits,
        threads,
        span: options.span(),
        ..HuntOptions::new(vec![records], rules, exceptions, normalise, options.now, version)
    };
    let found = hunt::hunt(&hunt, &mut std::io::empty(), &Progress::default())?;
    let (before, now) = (file(ALERTS)?, alerts(&found));
    Ok((differences(&String::from_utf8_lossy(before), &String::from_utf8_lossy(&now)), found.alert_count()))
}

/// What differs between two lists of alerts.
fn differences(before: &str, now: &str) -> Vec<String> {
    if before == now {
        return Vec::new();
    }
    let by_id =
        |text: &str| -> BTreeMap<String, String> { text.lines().map(|it| (id(it), it.to_owned())).collect() };
    let (before_ids, now_ids) = (by_id(before), by_id(now));
    let mut lines = Vec::new();
    let all: BTreeSet<&String> = before_ids.keys().chain(now_ids.keys()).collect();
    for id in all {
        match (before_ids.get(id), now_ids.get(id)) {
            (Some(_), None) => lines.push(format!("alert {id} is in the case and was not raised now")),
            (None, Some(_)) => lines.push(format!("alert {id} was raised now and is not in the case")),
            (Some(a), Some(b)) if a != b => {
                lines.push(format!("alert {id} is another: {}", fields(a, b).join(", ")));
            }
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    if lines.is_empty() {
        lines.push("the alerts are the same in another order, or one is there twice".to_owned());
    }
    let rest = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if rest > 0 {
        lines.push(format!("… and {} more", report::count(rest as u64)));
    }
    lines
}

/// The id of an alert; of what is none its beginning.
fn id(line: &str) -> String {
    let value = ecs::json::parse(line).unwrap_or_default();
    let id = value.get("kibana.alert.uuid").and_then(serde_json::Value::as_str);
    id.map_or_else(|| line.chars().take(40).collect(), str::to_owned)
}

/// The fields in which two alerts differ.
fn fields(a: &str, b: &str) -> Vec<String> {
    let object = |text: &str| match ecs::json::parse(text) {
        Ok(serde_json::Value::Object(object)) => object,
        Ok(_) | Err(_) => ecs::Object::new(),
    };
    let (a, b) = (object(a), object(b));
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter().filter(|key| a.get(*key) != b.get(*key)).take(SHOWN).cloned().collect()
}

/// `trailwarden case verify`.
pub(crate) fn verify(args: &CaseVerify, global: &Global) -> anyhow::Result<u8> {
    let (manifest, files, faults) = case_file::read(&args.file)?;
    let mut out = output::open(None)?;
    let made = &manifest.trailwarden;
    if made != VERSION {
        terminal::note(
            global,
            &format!("trailwarden {} made the case, and this is {VERSION}", report::clean(made)),
        );
    }
    let mut text = String::new();
    for fault in &faults {
        text += &match fault {
            Fault::Changed(name) => format!("{} was changed\n", report::clean(name)),
            Fault::Missing(name) => format!("{} is missing\n", report::clean(name)),
            Fault::Unlisted(name) => format!("{} does not belong to the case\n", report::clean(name)),
        };
    }
    let reproduced = reproduce(&files, made, input::threads(args.threads).get());
    let is_same = match &reproduced {
        Ok((differences, count)) if differences.is_empty() => {
            text += &format!(
                "a hunt over its records raises the same {}\n",
                plural(*count as u64, "alert", "alerts")
            );
            true
        }
        Ok((differences, _)) => {
            text += "a hunt over its records says something else:\n";
            for it in differences {
                text += &format!("    {}\n", report::clean(it));
            }
            false
        }
        Err(error) => {
            text += &format!(
                "a hunt over its records is not possible: {}\n",
                report::clean(&format!("{error:#}"))
            );
            false
        }
    };
    let files = plural(manifest.files.len() as u64, "file", "files");
    let verdict = match (faults.is_empty(), is_same) {
        (true, true) => format!("The case is whole: {files} as listed."),
        (true, false) => format!("The case is as it was written ({files}), and does not say the same."),
        (false, _) => "The case is not as it was written.".to_owned(),
    };
    write!(out, "{verdict}\n{text}").and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(if faults.is_empty() && is_same { DONE } else { FOUND })
}
