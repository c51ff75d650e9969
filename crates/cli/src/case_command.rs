//! `hunt --case` and `trailwarden case verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use detect::{DataSpan, KnownAlerts, Mode};
use ecs::Millis;
use hunt::{CaseRecord, Found, HuntOptions, Identities, Progress};
use report::{Format, Part, Summary, Terminal, plural};
use rule::Selection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::{CaseVerify, Global, History};
use crate::case_file::{self, Fault, Files, Listed};
use crate::status::{DONE, FOUND};
use crate::{VERSION, input, output, terminal};

const ALERTS: &str = "alerts.ndjson";
/// Alerts of earlier hunts, if the hunt was given some.
const HISTORY: &str = "history.ndjson";
const OPTIONS: &str = "options.json";
const PLACES: &str = "places.ndjson";
const RECORDS: &str = "records.json";
const REPORT: &str = "report.txt";
const RULES: &str = "rules.ndjson";
/// Value lists of exceptions, if there are any.
const VALUES: &str = "values.ndjson";

/// Alerts that are named where they differ; the rest is counted.
const SHOWN: usize = 10;

/// What a hunt over the records must know besides the rules.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the hunt")]
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
    /// A closed alert of the history suppresses no others.
    #[serde(default)]
    closed_ends_suppression: bool,
    /// The databases of places and networks, which are not in the case.
    #[serde(default)]
    geoip: Vec<Listed>,
}

/// What a hunt was given besides its records and rules.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) history: &'a History,
    pub(crate) geoip: Option<&'a Path>,
}

/// The databases of a folder, by their names and hashes.
fn databases(folder: &Path) -> anyhow::Result<Vec<Listed>> {
    let place = || format!("--geoip `{}`", folder.display());
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(place)? {
        let path = entry.with_context(place)?.path();
        if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("mmdb")) {
            let bytes = std::fs::read(&path).with_context(place)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            all.push(Listed::of(name, &bytes));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

impl Options {
    /// The folder of the databases, if it has those that the hunt had: places would be others.
    fn geoip<'f>(&self, folder: Option<&'f Path>) -> anyhow::Result<Option<&'f Path>> {
        if self.geoip.is_empty() {
            return Ok(None);
        }
        let named = |all: &[Listed]| -> String {
            let one =
                |it: &Listed| format!("{} (SHA-256 {})", report::clean(&it.name), report::clean(&it.sha256));
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let Some(folder) = folder else {
            bail!(
                "the hunt looked up places in databases that are not in the case: give --geoip a folder with {}",
                named(&self.geoip)
            );
        };
        let here = databases(folder)?;
        let hashes = |all: &[Listed]| all.iter().map(|it| it.sha256.clone()).collect::<BTreeSet<String>>();
        if hashes(&here) != hashes(&self.geoip) {
            bail!(
                "the databases in `{}` are not those of the hunt: there are {}, and there were {}",
                folder.display(),
                named(&here),
                named(&self.geoip)
            );
        }
        Ok(Some(folder))
    }

    fn of(options: &HuntOptions, span: Option<DataSpan>, given: Given<'_>) -> anyhow::Result<Self> {
        let (once, since, until) = match options.mode {
            Mode::Once { from, to } => (true, from, to),
            Mode::Replay { since, until } => (false, since, until),
        };
        Ok(Self {
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
            closed_ends_suppression: given.history.closed_ends_suppression,
            geoip: given.geoip.map(databases).transpose()?.unwrap_or_default(),
        })
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

/// The standard input, kept because the records of a case are read once more.
pub(crate) struct Spool(std::fs::File);

impl Spool {
    /// What the standard input gives, if it is one of the paths.
    pub(crate) fn of(paths: &[PathBuf]) -> anyhow::Result<Option<Self>> {
        if paths.iter().all(|it| it.as_os_str() != "-") {
            return Ok(None);
        }
        let mut file = tempfile::tempfile().context("there is no place for temporary files")?;
        std::io::copy(&mut std::io::stdin(), &mut file).context("the standard input cannot be kept")?;
        Ok(Some(Self(file)))
    }

    /// All of it, from its beginning.
    pub(crate) fn reader(&self) -> anyhow::Result<std::fs::File> {
        let mut file = self.0.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

/// Writes the case of a hunt, and hunts in it to see that it says the same.
pub(crate) fn write(
    path: &Path,
    found: &Found,
    options: &HuntOptions,
    summary: &Summary<'_>,
    given: Given<'_>,
    spool: Option<&Spool>,
    global: &Global,
) -> anyhow::Result<()> {
    let mut stdin: Box<dyn std::io::Read> = match spool {
        None => Box::new(std::io::empty()),
        Some(spool) => Box::new(spool.reader()?),
    };
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let records = hunt::case_records(options, found, &mut stdin, &progress);
    drop(bar);
    let records = records?;
    let rules = options.rules.rules().iter().map(|it| &**it);
    let its = Options::of(options, found.span, given)?;
    let mut files = Files::new();
    files.insert(ALERTS.to_owned(), alerts(found));
    files.insert(OPTIONS.to_owned(), (serde_json::to_string_pretty(&its)? + "\n").into_bytes());
    files.insert(PLACES.to_owned(), places(&records).into_bytes());
    files.insert(RECORDS.to_owned(), texts(&records).into_bytes());
    files.insert(REPORT.to_owned(), summary_of(found, summary)?);
    files.insert(RULES.to_owned(), rule::to_ndjson(rules, &options.exceptions).into_bytes());
    let mut history = Vec::new();
    for path in &given.history.alert_history {
        history.extend(std::fs::read(path).with_context(|| format!("--alert-history `{}`", path.display()))?);
        history.push(b'\n');
    }
    for (name, bytes) in
        [(VALUES, rule::value_lists_to_ndjson(&options.exceptions).into_bytes()), (HISTORY, history)]
    {
        if !bytes.is_empty() {
            files.insert(name.to_owned(), bytes);
        }
    }
    let bytes = case_file::write(VERSION, &files)?;
    let place = || format!("cannot write the case to `{}`", path.display());
    output::open(Some(path))
        .and_then(|mut out| {
            out.write_all(&bytes)?;
            Ok(out.flush()?)
        })
        .with_context(place)?;
    let (differences, _) = reproduce(&files, VERSION, options.threads, given.geoip)?;
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
fn reproduce(
    files: &Files,
    version: &str,
    threads: usize,
    geoip: Option<&Path>,
) -> anyhow::Result<(Vec<String>, usize)> {
    let file = |name: &str| files.get(name).ok_or_else(|| anyhow!("the case has no `{name}`"));
    let options: Options =
        serde_json::from_slice(file(OPTIONS)?).with_context(|| format!("`{OPTIONS}` cannot be read"))?;
    let mut rules = file(RULES)?.clone();
    rules.extend(files.get(VALUES).into_iter().flatten());
    let mut set = rule::load_bytes(RULES, &rules);
    if set.error_count() > 0 {
        bail!("`{RULES}` has {}", plural(set.error_count() as u64, "error", "errors"));
    }
    let folder = tempfile::tempdir().context("there is no place for temporary files")?;
    let records = folder.path().join(RECORDS);
    std::fs::write(&records, file(RECORDS)?).context("the records cannot be unpacked")?;
    let mut normalise = input::normalise(options.geoip(geoip)?)?;
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
    let mut known = KnownAlerts::default().closed_end_suppression(options.closed_ends_suppression);
    for line in String::from_utf8_lossy(files.get(HISTORY).map_or(&[][..], Vec::as_slice)).lines() {
        if !line.trim().is_empty() {
            known.add_line(line).with_context(|| format!("`{HISTORY}` cannot be read"))?;
        }
    }
    let hunt = HuntOptions {
        known,
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
    let reproduced = reproduce(&files, made, input::threads(args.threads).get(), args.geoip.as_deref());
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
