//! `trailwarden investigate`.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use ecs::Millis;
use hunt::{Files, Found, HuntOptions, Picked, Progress, Which};
use investigate::{Investigation, Options, Subject};
use report::investigation::{BareSteps, Writer};
use rule::{Rule, Selection};

use crate::VERSION;
use crate::args::{CaseArgs, Global, Investigate, InvestigationFormat, PlanFormat, Respond};
use crate::status;
use crate::{input, notices, output, terminal};

pub(crate) fn run(args: &Investigate, global: &Global) -> anyhow::Result<u8> {
    use report::investigation::InvestigationFormat as Format;
    let to_do = prepare(&args.case, &args.step, global)?;
    let format = match args.format {
        InvestigationFormat::Text => Format::Text,
        InvestigationFormat::Md => Format::Markdown,
        InvestigationFormat::Html => Format::Html,
        InvestigationFormat::Json => Format::Json,
    };
    let mut out = output::open(args.case.output.as_deref())?;
    let terminal = terminal::stdout_terminal(global, args.case.output.is_some());
    // Who asks for a step wants to see what it asked.
    let bare = if args.step.is_empty() { BareSteps::InALine } else { BareSteps::Whole };
    let mut writer = Writer::new(&mut out, format, to_do.language, terminal, bare);
    let end = to_do.each(&mut |it| Ok(writer.add(it)?))?;
    writer.finish()?;
    out.flush()?;
    Ok(end.say(global))
}

/// `trailwarden respond`.
pub(crate) fn respond(args: &Respond, global: &Global) -> anyhow::Result<u8> {
    use report::runbook::{PlanFormat as Format, Writer};
    let mut to_do = prepare(&args.case, &[], global)?;
    let format = match args.format {
        PlanFormat::Md => Format::Markdown,
        PlanFormat::Sh => Format::Shell,
        PlanFormat::Json => Format::Json,
    };
    let mut out = output::open(args.case.output.as_deref())?;
    let (rules, language, now) = (std::mem::take(&mut to_do.rules), to_do.language, to_do.now);
    let mut writer = Writer::new(&mut out, format, language);
    let end = to_do.each(&mut |it| Ok(writer.add(&investigate::plan(it, &rules, language, now))?))?;
    writer.finish()?;
    out.flush()?;
    Ok(end.say(global))
}

/// What is to be investigated.
struct ToDo<'g> {
    subjects: Vec<Subject>,
    /// How many would be without the limit.
    total: usize,
    options: Options,
    input: &'g CaseArgs,
    normalise: cloudtrail::Options,
    threads: usize,
    progress: Arc<Progress>,
    bar: terminal::Bar,
    /// All rules that were loaded.
    rules: Vec<Rule>,
    language: rule::GuideLanguage,
    now: Millis,
}

/// What is to be said at the end.
struct End {
    count: usize,
    total: usize,
    read: hunt::FilesReport,
    strict: bool,
}

impl ToDo<'_> {
    /// Investigates: each goes to `told` as soon as it is made.
    fn each(self, told: &mut dyn FnMut(&Investigation) -> anyhow::Result<()>) -> anyhow::Result<End> {
        let Self { subjects, total, options, input, normalise, threads, progress, bar, now, .. } = self;
        let mut files = Files {
            paths: input.input.paths.clone(),
            stored: input.input.stored()?,
            normalise,
            limits: input.input.limits.reader(),
            threads,
            block_rows: 0,
            now,
            progress: &progress,
            read: hunt::FilesReport::default(),
        };
        let count = subjects.len();
        each(subjects, &mut files, &options, Some(bar), told)?;
        Ok(End { count, total, read: files.read, strict: input.input.strict })
    }
}

/// Investigates until something cannot be told.
fn each(
    subjects: Vec<Subject>,
    files: &mut Files<'_>,
    options: &Options,
    mut bar: Option<terminal::Bar>,
    told: &mut dyn FnMut(&Investigation) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut result = Ok(());
    let mut tell = |it: Investigation| {
        // All is read once the first is told.
        bar = None;
        result = told(&it);
        result.is_ok()
    };
    investigate::investigate_and_follow(subjects, &[], files, options, &mut tell)?;
    result
}

impl End {
    fn say(&self, global: &Global) -> u8 {
        if self.total > self.count {
            terminal::say(&format!(
                "{} of {} alerts were investigated, the most severe and first ones: name one with --alert, or give a higher --limit\n",
                self.count, self.total
            ));
        }
        terminal::troubles(global, &[], &self.read.troubles, self.read.trouble_count);
        let is_complete = self.read.loss_count == 0;
        status::of(false, status::Input { is_usable: true, is_complete, strict: self.strict })
    }
}

fn prepare<'g>(args: &'g CaseArgs, only: &[String], global: &Global) -> anyhow::Result<ToDo<'g>> {
    let now = input::now(args.now.as_deref())?;
    files_only(&args.input.paths)?;
    if let Some(path) = &args.output {
        output::check(path)?;
        output::spare(path, &args.input.paths, &[])?;
    }
    let threads = input::threads(args.threads);
    let language = input::language(args.rules.lang);
    let set = input::rules(&args.rules, threads)?;
    let wanted = args.rule.as_deref().map(|text| input::named(&set, text).cloned()).transpose()?;
    let mut set = set.localised(language);
    let rules = set.rules.clone();
    // A rule over alerts has nothing to say without the rules that raise these.
    if let Some(rule) = wanted.as_ref().filter(|it| !rule::reads_alerts(it)) {
        set.rules.retain(|it| it.rule_id == rule.rule_id);
    }
    let known_steps = steps(&set.rules, language);
    if let Some(unknown) = only.iter().find(|it| !known_steps.contains(it)) {
        bail!("--step {unknown}: no step has this id; there are {}", known_steps.join(", "));
    }
    let normalise = input::normalise(args.geoip.as_deref())?;
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let mut issued = None;
    let picked = if let Some(id) = &args.event {
        let subject = event(args, id, now, &normalise, &progress)?;
        Picked { subjects: vec![subject], raised: Vec::new(), total: 1 }
    } else {
        let which = match (&args.alert, &wanted) {
            (Some(id), _) => Which::Alert(id.clone()),
            (None, Some(rule)) => Which::Rule(rule.rule_id.clone()),
            (None, None) => bail!("say what to investigate: --alert ID, --event ID or --rule TEXT"),
        };
        let selection = Selection::new(std::mem::take(&mut set.rules), &[]);
        let exceptions = std::mem::take(&mut set.exceptions);
        let options = HuntOptions {
            limits: args.input.limits.reader(),
            threads: threads.get(),
            identities: hunt::Identities::Known,
            stored: args.input.stored()?,
            ..HuntOptions::new(
                args.input.paths.clone(),
                selection,
                exceptions,
                normalise.clone(),
                now,
                VERSION,
            )
        };
        let found = hunt::hunt(&options, &mut std::io::empty(), &progress)
            .map_err(|error| anyhow!("{error}{}", notices::all_idle(&options.rules)))?;
        issued.clone_from(&found.issued);
        let picked = hunt::pick(&found, &which, args.limit as usize, now);
        if picked.subjects.is_empty() {
            bail!("{}", nothing(args, &found));
        }
        if let (Some(id), [_, _, ..]) = (&args.alert, picked.subjects.as_slice()) {
            let ids: Vec<String> = picked.subjects.iter().take(IDS_NAMED).map(|it| it.id.clone()).collect();
            bail!("{}", hunt::several("alert", id, &ids));
        }
        picked
    };
    let Picked { subjects, raised, total } = picked;
    let options = Options { now, steps: only.to_vec(), language, raised, issued };
    let threads = threads.get();
    Ok(ToDo {
        subjects,
        total,
        options,
        input: args,
        normalise,
        threads,
        progress,
        bar,
        rules,
        language,
        now,
    })
}

/// Standard input can be read once, and an investigation reads several times.
pub(crate) fn files_only(paths: &[std::path::PathBuf]) -> anyhow::Result<()> {
    if paths.iter().any(|it| it.as_os_str() == "-") {
        bail!(
            "an investigation reads the data several times, and standard input can be read once: write it to a file"
        );
    }
    Ok(())
}

/// Investigates the alerts of a hunt of medium severity and above, below its summary.
pub(crate) fn of_hunt(
    found: &Found,
    hunt: &HuntOptions,
    language: rule::GuideLanguage,
    out: &mut dyn std::io::Write,
    terminal: report::Terminal,
) -> anyhow::Result<()> {
    let picked = hunt::pick(found, &Which::From(rule::Severity::Medium), hunt::ALERTS_MAX, hunt.now);
    let progress = Progress::default();
    let mut files = Files::of_hunt(hunt, &progress);
    let options = Options {
        now: hunt.now,
        steps: Vec::new(),
        language,
        raised: picked.raised,
        issued: found.issued.clone(),
    };
    let title = report::plural(picked.subjects.len() as u64, "alert", "alerts");
    writeln!(out, "\nInvestigated: {title} of medium severity and above, of {}\n", picked.total)?;
    let format = report::investigation::InvestigationFormat::Text;
    let mut writer = Writer::new(out, format, language, terminal, BareSteps::InALine);
    each(picked.subjects, &mut files, &options, None, &mut |it| Ok(writer.add(it)?))?;
    Ok(writer.finish()?)
}

/// The ids of steps that the rules and the general steps have.
fn steps(rules: &[Rule], language: rule::GuideLanguage) -> Vec<String> {
    let general = investigate::general(language);
    let guides = rules.iter().chain(std::iter::once(general)).filter_map(|it| it.guide.as_ref());
    let mut ids: Vec<String> = guides.flat_map(|it| &it.triage).filter_map(|it| it.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Why there is nothing to investigate.
fn nothing(args: &CaseArgs, found: &Found) -> String {
    let alerts = report::plural(found.alert_count() as u64, "alert", "alerts");
    match (&args.alert, &args.rule) {
        (Some(id), _) => format!(
            "--alert {}: no alert has this id; the rules raised {alerts} over these files, and `trailwarden hunt --format ndjson` says their ids (kibana.alert.uuid)",
            report::clean(id)
        ),
        (None, Some(text)) => {
            format!("--rule {}: the rule raised no alert over these files", report::clean(text))
        }
        (None, None) => "there is no alert".to_owned(),
    }
}

/// Ids that begin alike and are named.
const IDS_NAMED: usize = 4;

/// The event of that id, or of the only one that begins so, whatever rules say of it.
fn event(
    args: &CaseArgs,
    id: &str,
    now: Millis,
    normalise: &cloudtrail::Options,
    progress: &Progress,
) -> anyhow::Result<Subject> {
    let limits = args.input.limits.reader();
    let threads = input::threads(args.threads).get();
    let reading = hunt::Reading { normalise, limits: &limits, threads, now };
    let Some(it) = hunt::find_event(&args.input.paths, &args.input.stored()?, id, &reading, progress)? else {
        bail!("--event {}: no event of these files has this id", report::clean(id));
    };
    Ok(Subject {
        id: it.id.clone(),
        document: it.source.clone(),
        anchors: vec![(it.id, it.source)],
        rule: None,
    })
}
