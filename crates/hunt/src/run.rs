//! A hunt, from paths to alerts.

use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use detect::{AlertSeed, Collector, DataSpan, KnownAlerts, Limits, Mode, Origin, Outcome, Tail, TailError};
use ecs::{Catalog, Millis};
use identity::{Graph, RootField};
use plan::Condition;
use reader::{Discovery, Input, Stored};
use rule::{Exceptions, Rule, Selection};
use sift::{Policy, Seen, Sift};
use span::Diagnostic;

use crate::as_live::AsLive;
use crate::copies::Deliveries;
use crate::evidence::Evidence;
use crate::gather::{Gathering, asks_who};
use crate::identities::{self, Identities, Issues};
use crate::keep::Keeper;
use crate::over_alerts::{Sets, Slots};
use crate::progress::{Progress, Stage};
use crate::scan::{Which, scan};
use crate::sources::Sources;
use crate::summary::{Facts, Plan, Summary, SummaryOptions, Summed};
use crate::trouble::{Trouble, Troubles};
use crate::watch::{self, Completeness, Watch};

/// What to hunt for, where, and when.
#[derive(Clone, Debug)]
pub struct HuntOptions {
    /// Files, folders, globs, `-`.
    pub paths: Vec<PathBuf>,
    /// Segments of a store, which are read like files.
    pub stored: Vec<Input>,
    /// The rules. Those that cannot run are refused by name.
    pub rules: Selection,
    /// What is excepted from them. Whether an exception has expired is decided by each execution.
    pub exceptions: Exceptions,
    /// The executions.
    pub mode: Mode,
    /// The most alerts of one execution, instead of what each rule says.
    pub max_signals: Option<u32>,
    /// Alerts that exist already.
    pub known: KnownAlerts,
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Whether it is worked out who is behind events.
    pub identities: Identities,
    /// The span of the data that the executions must reach, where only a part of them is read; see [`Found::span`].
    pub span: Option<DataSpan>,
    /// Whether executions see only what had been ingested before they started. Then segments of a store are read, and nothing
    /// else.
    pub as_live: Option<AsLive>,
    /// Whether it is told what could not have been seen ([`Found::completeness`]).
    pub watch: bool,
    /// Threads.
    pub threads: usize,
    /// Events of a block; 0 is the default. Has no influence on the alerts.
    pub block_rows: usize,
    /// Bytes of records that are kept in case they alert, all threads together: what alerts and was not kept is read
    /// again. Has no influence on the alerts.
    pub evidence_bytes: usize,
    /// What `now` stands for, and the time of reading.
    pub now: Millis,
    /// What `kibana.version` of the alerts says.
    pub version: &'static str,
}

impl HuntOptions {
    /// A replay of all executions by one thread, with the limits that hold if nothing else is said.
    pub fn new(
        paths: Vec<PathBuf>,
        rules: Selection,
        exceptions: Exceptions,
        normalise: cloudtrail::Options,
        now: Millis,
        version: &'static str,
    ) -> Self {
        Self {
            paths,
            stored: Vec::new(),
            rules,
            exceptions,
            mode: Mode::Replay { since: None, until: None },
            max_signals: None,
            known: KnownAlerts::default(),
            normalise,
            limits: reader::Limits::default(),
            identities: Identities::default(),
            span: None,
            as_live: None,
            watch: false,
            threads: 1,
            block_rows: 0,
            evidence_bytes: crate::EVIDENCE_BYTES,
            now,
            version,
        }
    }

    /// How records are read, where nobody has a use for their texts.
    pub(crate) fn settings(&self) -> sift::Settings {
        sift::Settings {
            normalise: self.normalise.clone(),
            now: self.now,
            block_rows: self.block_rows,
            ..sift::Settings::default()
        }
    }
}

/// A rule that did not run, and why.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Why, in one line.
    pub reason: String,
    /// What is wrong in its file, if it is that.
    pub diagnostics: Vec<Diagnostic>,
}

/// A rule that ran, and what came of it.
#[derive(Clone, Debug)]
pub struct RanRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The most alerts of one execution that were asked for.
    pub max_signals: u32,
    /// Executions, warnings, metrics, and the alerts before their documents are built.
    pub outcome: Outcome,
    /// Exceptions that were not applied, and why; they point into the rule's file.
    pub warnings: Vec<Diagnostic>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Files that were read.
    pub files: u64,
    /// Files that were not read because they lie outside the time that the rules reach.
    pub pruned: u64,
    /// Files in folders that hold no records by their name.
    pub skipped: u64,
    /// Members of archives that hold no records by their name.
    pub skipped_members: u64,
    /// What became of the records in them.
    pub records: Records,
    /// Bytes of the files.
    pub read_bytes: u64,
    /// Bytes of text in them.
    pub text_bytes: u64,
    /// The times of the first and last event.
    pub span: Option<(Millis, Millis)>,
    /// The indices that the events belong to, sorted.
    pub indices: Vec<String>,
    /// Events without a time of their own.
    pub undated: u64,
    /// Documents without any field that a rule reads.
    pub blind: u64,
    /// How often an event had more combinations of values than are tried for a condition over several fields.
    pub choices_cut: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records: not what is known to hold none.
    pub loss_count: u64,
    /// What else the user should know of the paths.
    pub notices: Vec<String>,
}

/// What became of the records; each is in one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Events that some rule's filter matches, each once.
    pub matched: u64,
    /// Records that no rule's filter matches.
    pub unmatched: u64,
    /// Further deliveries of events that are among the matched.
    pub duplicate: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Records that cannot match by their bytes alone, so that nobody looked whether the rest of them can be read.
    pub skipped_unread: u64,
}

impl Records {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self { matched, unmatched, duplicate, unreadable, skipped_unread } = self;
        matched + unmatched + duplicate + unreadable + skipped_unread
    }

    /// Those that something is known of.
    pub fn readable(&self) -> u64 {
        self.total() - self.unreadable
    }
}

/// What a hunt found; [`Found::alerts`] are the alerts.
#[derive(Debug)]
pub struct Found {
    pub(crate) evidence: Evidence,
    /// The alerts that others stand on.
    pub(crate) sources: Sources,
    pub(crate) normalise: cloudtrail::Options,
    pub(crate) now: Millis,
    pub(crate) version: &'static str,
    /// Tells who is behind the alerts' events, if they say so.
    pub(crate) graph: Option<Arc<Graph>>,
    /// Which credentials were issued to whom, by all records of the files: nothing if not all of them were asked for it.
    pub issued: Option<Arc<Graph>>,
    /// Threads that build documents.
    pub(crate) threads: usize,
    /// The rules that ran.
    pub rules: Vec<RanRule>,
    /// The rules that did not.
    pub refused: Vec<Refused>,
    /// The names of rules that ask where addresses lie or whose they are, where nothing tells.
    pub unplaced: Vec<String>,
    /// What was read.
    pub read: ReadReport,
    /// The span that the executions reached.
    pub span: Option<DataSpan>,
    /// What could not have been seen, as far as the pass tells, if that was asked for.
    pub completeness: Option<Completeness>,
}

/// Why a hunt could not begin.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The paths are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Paths(Vec<reader::PathError>),
    /// There is no rule.
    #[error("there is no rule to run")]
    NoRules,
    /// There are rules, and none of them can run.
    #[error("no rule can run:{}", reasons(.0))]
    AllRefused(Vec<Refused>),
    /// The beginning of an id is that of several events.
    #[error("{}", several("event", .id, .ids))]
    SeveralEvents {
        /// What was given.
        id: String,
        /// The first of their ids.
        ids: Vec<String>,
    },
    /// The beginning of an id is that of several alerts.
    #[error("{}", several("alert", .id, .ids))]
    SeveralAlerts {
        /// What was given.
        id: String,
        /// The first of their ids.
        ids: Vec<String>,
    },
}

/// Which ids begin as one that was given.
pub fn several(what: &str, id: &str, ids: &[String]) -> String {
    // Ids are written by whoever made the records.
    let all: Vec<String> = ids.iter().map(|it| it.escape_debug().to_string()).collect();
    format!(
        "the ids of several {what}s begin with `{}`: {} …; give more of it",
        id.escape_debug(),
        all.join(", ")
    )
}

/// Rules that did not run and are named in an error; the rest is counted.
const REASONS_SHOWN: usize = 8;

fn reasons(refused: &[Refused]) -> String {
    let mut text = String::new();
    for it in refused.iter().take(REASONS_SHOWN) {
        text += &format!("\n    {}: {}", it.rule.name, it.reason);
    }
    if refused.len() > REASONS_SHOWN {
        text += &format!("\n    … and {} more", refused.len() - REASONS_SHOWN);
    }
    text
}

/// Reads everything once, matches all rules in one pass, executes them, and builds the documents of what alerted.
pub fn hunt(options: &HuntOptions, stdin: &mut dyn Read, progress: &Progress) -> Result<Found, HuntError> {
    if let Some(as_live) = &options.as_live {
        return crate::as_live::hunt(options, as_live, progress);
    }
    hunt_and_sum_up(options, None, stdin, progress).map(|(found, _)| found)
}

/// As [`hunt`], and in the same pass sums up all events.
pub fn summary(
    options: &HuntOptions,
    summary: &SummaryOptions,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<(Found, Summary), HuntError> {
    let plan = Plan::new(summary, options.now);
    let (found, summed) = hunt_and_sum_up(options, Some((summary, &plan)), stdin, progress)?;
    let mut summed = summed.unwrap_or_else(|| Summed::new(summary));
    let paths: Vec<&str> = plan.columns.paths().collect();
    let mut roots = plan.roots();
    let alerted = |alert: &mut crate::Alert<'_, '_>| plan.columns.of(&alert.told().to_object());
    found.alerts(&paths, alerted, |alerts| {
        for values in alerts {
            summed.totals.alert(&Facts::new(&plan.columns, &values, roots.as_mut()));
        }
    });
    let Summed { totals, events, copies } = summed;
    Ok((found, Summary { dimensions: totals.finish(), events, copies }))
}

fn hunt_and_sum_up(
    options: &HuntOptions,
    summary: Option<(&SummaryOptions, &Plan)>,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<(Found, Option<Summed>), HuntError> {
    let prepared = prepare(options, &Catalog::ecs());
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    hunt_over(options, summary, prepared, discovery, progress)
}

/// As [`hunt`], with rules that were prepared, in files that were found.
pub(crate) fn hunt_over(
    options: &HuntOptions,
    summary: Option<(&SummaryOptions, &Plan)>,
    prepared: RunnableRules,
    mut discovery: Discovery,
    progress: &Progress,
) -> Result<(Found, Option<Summed>), HuntError> {
    let unplaced = unplaced(&prepared, options);
    let RunnableRules { rules, tails, filters, warnings, mut refused, .. } = prepared;
    if rules.is_empty() {
        return Err(if refused.is_empty() { HuntError::NoRules } else { HuntError::AllRefused(refused) });
    }
    let (gaps, digest_files) = watch::deliveries(&discovery.inputs);
    let max_signals: Vec<u32> = tails.iter().map(Tail::max_signals).collect();
    let sets = Sets::new(&rules, tails, filters);
    // Who is behind an event, calls before it tell.
    let tails = sets.alerts.iter().chain([&sets.events]).map(|it| &*it.tails);
    let back = if asks_who(tails, options) { identities::REACHES_BACK } else { 0 };
    let reads_from = sets.reads_from().map(|it| it.saturating_sub(back));
    let (pruned, complete_from) = prune(&mut discovery, reads_from);
    let policy = match summary {
        None => of_stored(&discovery.inputs, &options.normalise),
        Some((_, plan)) => Policy::Everything { columns: plan.needs() },
    };
    let sift = sets.sift(policy, options);

    progress.enter(Stage::Scanning);
    let read = reader::Options {
        limits: options.limits.clone(),
        without_tokens: sift.skips(),
        ..reader::Options::default()
    };
    if let Some((_, plan)) = summary {
        let HuntOptions { normalise, now, threads, .. } = options;
        plan.find_roots(|| identities::graph(&discovery.inputs, &read, normalise, *now, *threads, progress));
    }
    let which = Which::All(&discovery.inputs);
    let gathering = || Gathering::new(&sift, sets.collectors(), options);
    let make = || gathering().summing(summary.map(|(its, plan)| plan.summing(its)));
    let (mut visitors, mut totals) = scan(&which, &read, options.threads, progress, make);
    // Which of several copies comes first matters to sums if they are not alike: one thread reads in the order of names.
    if let Some((_, plan)) = summary.filter(|(_, plan)| options.threads > 1 && plan.differ()) {
        plan.forget();
        (visitors, totals) = scan(&which, &read, 1, progress, make);
    }

    let mut troubles = Troubles::of_paths(&discovery.failures);
    let mut seen = Seen::default();
    let mut deliveries = Deliveries::default();
    let mut collectors: Option<Vec<Collector>> = None;
    let (mut kept, mut issues) = (Vec::new(), Vec::new());
    let mut summed: Option<Summed> = None;
    let mut watch: Option<Watch> = None;
    for mut visitor in visitors {
        if let Some(its) = visitor.take_summed() {
            match &mut summed {
                None => summed = Some(its),
                Some(all) => all.merge(its),
            }
        }
        troubles.merge(std::mem::take(&mut visitor.troubles));
        let its = visitor.finish();
        seen.merge(&its.seen);
        deliveries.merge(its.deliveries);
        kept.push(its.keeper);
        issues.extend(its.issues);
        match (&mut watch, its.watch) {
            (Some(all), Some(its)) => all.merge(its),
            (all @ None, its) => *all = its,
            (Some(_), None) => {}
        }
        match &mut collectors {
            None => collectors = Some(its.collectors),
            Some(all) => all.iter_mut().zip(its.collectors).for_each(|(all, it)| all.merge(it)),
        }
    }

    let is_whole = !issues.is_empty() && pruned == 0;
    let graph = Arc::new(Issues::graph(issues));

    // Numbered as the threads met them.
    let mut names = sift.indices();
    names.retain(|name| seen.cloudtrail || name != rule::CLOUDTRAIL_INDEX);
    names.sort_unstable();

    progress.enter(Stage::Executing);
    let Seen { span, undated, .. } = seen;
    let watched = watch.as_mut().map(Watch::origins).unwrap_or_default();
    let executing =
        Executing { sets: &sets, rules: &rules, sift: &sift, graph: &graph, options, read, kept, watched };
    let inputs = discovery.inputs.clone();
    let reached = data_span(&seen, options, complete_from);
    let Executed { outcomes, evidence, sources } = executing.run(reached, collectors, inputs);
    let mut ran = Vec::with_capacity(rules.len());
    for (((rule, warnings), max_signals), outcome) in
        rules.into_iter().zip(warnings).zip(max_signals).zip(outcomes)
    {
        match outcome {
            Ok(outcome) => ran.push(RanRule { rule, max_signals, outcome, warnings }),
            Err(error) => {
                let reason = format!("{}: {error}", error.code());
                refused.push(Refused { reason, rule, diagnostics: Vec::new() });
            }
        }
    }

    progress.enter(Stage::Building);
    let name = |input: u32| discovery.inputs.get(input as usize).map_or("", Input::name).to_owned();
    let loss_count = troubles.losses();
    let (troubles, trouble_count) = troubles.finish(name);
    let report = ReadReport {
        files: discovery.inputs.len() as u64,
        pruned: pruned as u64,
        skipped: discovery.skipped,
        skipped_members: totals.skipped_members,
        records: records(seen.counts, deliveries),
        read_bytes: totals.read_bytes,
        text_bytes: totals.text_bytes,
        span,
        indices: names,
        undated,
        blind: seen.counts.blind,
        choices_cut: seen.left_out.exec.choices_cut,
        troubles,
        trouble_count,
        loss_count,
        notices: discovery.notices.iter().map(ToString::to_string).collect(),
    };
    let completeness = watch.map(|it| Completeness {
        blind: it.finish(&evidence, &options.normalise, options.now),
        gaps,
        digest_files,
    });
    let HuntOptions { normalise, now, version, threads, .. } = options;
    let (normalise, now, version, threads) = (normalise.clone(), *now, *version, *threads);
    let issued = is_whole.then(|| Arc::clone(&graph));
    let graph = identities::for_alerts(options.identities, &graph);
    let found = Found {
        evidence,
        sources,
        normalise,
        now,
        version,
        graph,
        issued,
        threads,
        rules: ran,
        refused,
        unplaced,
        read: report,
        span: reached,
        completeness,
    };
    Ok((found, summed))
}

/// How much of the records is looked at: of segments of a store their columns, as far as these tell. They were filled by the
/// same normaliser, but its options are the caller's.
pub(crate) fn of_stored(inputs: &[Input], normalise: &cloudtrail::Options) -> Policy {
    let is_filled_so = normalise.version == cloudtrail::Version::default()
        && normalise.retain == cloudtrail::Retain::default()
        && normalise.envelope == Some(cloudtrail::Envelope::default());
    // Segments of several versions are looked at by what all of them have.
    let mut all = inputs.iter().map(|it| it.segment().map(Stored::fields).unwrap_or_default());
    let mut fields = all.next().unwrap_or_default().to_vec();
    all.for_each(|its| fields.retain(|it| its.contains(it)));
    if fields.is_empty() || !is_filled_so {
        return Policy::OnlyMatches;
    }
    Policy::Stored { fields: fields.into_iter().map(str::to_owned).collect() }
}

/// What rules are executed with.
struct Executing<'a> {
    sets: &'a Sets,
    /// All rules.
    rules: &'a [Arc<Rule>],
    sift: &'a Sift,
    graph: &'a Graph,
    options: &'a HuntOptions,
    read: reader::Options,
    kept: Vec<Keeper>,
    /// Records that are wanted besides those of alerts.
    watched: Vec<Origin>,
}

/// What came of it.
struct Executed {
    /// One a rule.
    outcomes: Vec<Result<Outcome, TailError>>,
    evidence: Evidence,
    sources: Sources,
}

impl Executing<'_> {
    /// Executes all rules: those over events, then those over alerts.
    fn run(self, span: Option<DataSpan>, collectors: Option<Vec<Collector>>, inputs: Vec<Input>) -> Executed {
        let Self { sets, rules, sift, graph, options, read, kept, watched } = self;
        let mut outcomes: Vec<Result<Outcome, TailError>> = vec![Ok(Outcome::default()); rules.len()];
        let (known, limits) = (&options.known, limits(options));
        let mut collectors = collectors.into_iter().flatten();
        let (events, alerts) = (collectors.next(), collectors.next());
        let mut seen: Vec<(usize, AlertSeed)> = Vec::new();
        if let (Some(span), Some(events)) = (span, events) {
            let matches = events.finish_with(graph);
            for (number, &rule) in sets.events.numbers.iter().enumerate() {
                if !sets.alerts.as_ref().is_some_and(|it| it.may_see(&rules[rule])) {
                    outcomes[rule] = matches.execute(number, span, known, limits);
                    continue;
                }
                outcomes[rule] = matches.execute_all(number, span, known, limits).map(|(outcome, others)| {
                    let all = outcome.alerts.iter().cloned().chain(others);
                    seen.extend(all.map(|it| (rule, it)));
                    outcome
                });
            }
        }
        let of_events = outcomes.iter().flatten().flat_map(|it| &it.alerts);
        let wanted = of_events.chain(seen.iter().map(|(_, it)| it)).flat_map(AlertSeed::events);
        let wanted = wanted.map(|it| it.origin).chain(watched);
        let evidence = Evidence::new(wanted, kept, inputs, options, read);
        let mut sources = Sources::new();
        if let (Some(set), Some(span), Some(alerts)) = (&sets.alerts, span, alerts) {
            let slots = Slots { set, rules, data: sift, evidence: &evidence, graph, options, limits };
            let (found, its) = slots.execute(alerts, seen, span, known);
            for (&rule, found) in set.numbers.iter().zip(found) {
                outcomes[rule] = found.map(|it| it.outcome);
            }
            sources = its;
        }
        Executed { outcomes, evidence, sources }
    }
}

/// What the executions must reach; nothing if there is no event. What has no time of its own is taken as happening now,
/// and that is no reason for executions up to now: who asks for the last event means one that has a time. An event beyond
/// it alerts all the same.
pub(crate) fn data_span(
    seen: &Seen,
    options: &HuntOptions,
    complete_from: Option<Millis>,
) -> Option<DataSpan> {
    if options.span.is_some() {
        return options.span;
    }
    let now = (seen.undated > 0).then_some(options.now);
    let (first, last) = seen.span.or(now.map(|now| (now, now)))?;
    // Nothing is looked at by executions before the first.
    Some(DataSpan { first: now.map_or(first, |now| first.min(now)), last, complete_from })
}

/// Asked for by hand, the limit is meant.
pub(crate) fn limits(options: &HuntOptions) -> Limits {
    let default = Limits::default().alerts_per_execution;
    Limits { alerts_per_execution: default.max(options.max_signals.unwrap_or_default()) }
}

/// What became of the records.
pub(crate) fn records(counts: sift::Counts, deliveries: Deliveries) -> Records {
    let duplicate = deliveries.copies();
    Records {
        matched: counts.matched - duplicate,
        unmatched: counts.unmatched,
        duplicate,
        unreadable: counts.unreadable,
        skipped_unread: counts.unread,
    }
}

/// The rules that can run, what their executions need and what their filters are; and those that cannot.
#[derive(Clone, Default)]
pub(crate) struct RunnableRules {
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) tails: Vec<Tail>,
    /// For each rule its filters.
    pub(crate) filters: Vec<Vec<plan::Expr>>,
    /// What the matches of an EQL rule's filters must form.
    pub(crate) patterns: Vec<Option<rule::Pattern>>,
    /// What the filters and the residues come from.
    pub(crate) conditions: Vec<Vec<Condition>>,
    /// Exceptions that are not part of the filters.
    pub(crate) warnings: Vec<Vec<Diagnostic>>,
    pub(crate) refused: Vec<Refused>,
}

/// Sorts the rules into those that can run and those that cannot.
pub(crate) fn prepare(options: &HuntOptions, catalog: &Catalog) -> RunnableRules {
    let mut runnable = RunnableRules::default();
    let threads = NonZeroUsize::new(options.threads).unwrap_or(NonZeroUsize::MIN);
    let selected = options.rules.rules();
    let executions = executions(options.mode);
    let compiled = rule::compile_all(selected, &options.exceptions, catalog, &executions, threads);
    // What rules said when they were executed, each with what was excepted from it then.
    let versions = options.as_live.iter().flat_map(|it| &it.versions);
    let versions = versions.map(|it| {
        let compiled = rule::compile_with(&it.rule, &it.exceptions, catalog, &executions);
        (&it.rule, compiled)
    });
    for (rule, compiled) in selected.iter().zip(compiled).chain(versions) {
        let rule = Arc::clone(rule);
        let mut compiled = match compiled {
            Ok(compiled) => compiled,
            Err(diagnostics) => {
                let reason =
                    diagnostics.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>();
                runnable.refused.push(Refused { rule, reason: reason.join("; "), diagnostics });
                continue;
            }
        };
        // Who is behind an event is known when everything was read.
        let leaving = |it: Condition| it.leaving(&|path| RootField::of(path).is_some());
        compiled.conditions = compiled.conditions.into_iter().map(leaving).collect();
        let residues = compiled.conditions.iter().map(Condition::residue).collect();
        let tail = match Tail::of_pattern(&rule, compiled.pattern.as_ref(), options.mode, catalog) {
            Ok(tail) => tail.limited(options.max_signals).with_residues(residues),
            Err(error) => {
                runnable.refused.push(Refused {
                    reason: format!("{}: {error}", error.code()),
                    rule,
                    diagnostics: Vec::new(),
                });
                continue;
            }
        };
        if options.identities == Identities::Never && tail.asks_who() {
            let reason = "HUNT005: it asks who is behind an identity (`trailwarden.identity`), which was to be left out";
            runnable.refused.push(Refused { rule, reason: reason.to_owned(), diagnostics: Vec::new() });
            continue;
        }
        runnable.filters.push(compiled.conditions.iter().map(Condition::filter).collect());
        runnable.patterns.push(compiled.pattern);
        runnable.conditions.push(compiled.conditions);
        runnable.warnings.push(compiled.warnings);
        runnable.tails.push(tail);
        runnable.rules.push(rule);
    }
    runnable
}

/// When executions can start, as far as that is known before anything is read.
fn executions(mode: Mode) -> RangeInclusive<Millis> {
    match mode {
        Mode::Once { to: Some(to), .. } => to..=to,
        // Executions before the time that is asked for say what is left to those after it.
        Mode::Replay { .. } | Mode::Once { to: None, .. } => Millis::MIN..=Millis::MAX,
    }
}

/// The rules that ask for what is looked up of addresses, if there is no database to look it up in.
pub(crate) fn unplaced(prepared: &RunnableRules, options: &HuntOptions) -> Vec<String> {
    if options.normalise.geo.is_some() {
        return Vec::new();
    }
    let RunnableRules { rules, filters, patterns, .. } = prepared;
    let source = cloudtrail::vocabulary();
    let asks = |at: usize| {
        let pattern = patterns[at].as_ref();
        let mut asked = filters[at].iter().flat_map(|it| rule::asked_fields(&rules[at], it, pattern));
        asked.any(|field| source.looks_up(field))
    };
    (0..rules.len()).filter(|&at| asks(at)).map(|at| rules[at].name.clone()).collect()
}

/// Leaves out the files that no rule reaches back to, which is to `from`; says how many, and since when nothing is missing.
/// Whatever lies behind the end asked for is read: an event of the time before it may have been delivered however late.
fn prune(discovery: &mut Discovery, from: Option<Millis>) -> (usize, Option<Millis>) {
    // A rule without a limit needs everything.
    let Some(from) = from else { return (0, None) };
    let pruned = discovery.prune(from);
    (pruned, (pruned > 0).then_some(from))
}
