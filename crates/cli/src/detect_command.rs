//! `trailwarden detect`, and `trailwarden rules run`.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use ecs::{Millis, Object};
use live::{
    Advanced, Book, Engine, FillLimits, Gap, LiveError, Options, RuleState, Rulebook, SlotReport, Status,
};
use rule::{Exceptions, Rule, RuleSet, Selection, Severity};
use serde_json::json;

use crate::alerts_command::{coded, print};
use crate::args::Global;
use crate::live_args::{Detect, RunRule, Running};
use crate::status::{self, DONE};
use crate::{VERSION, input, notices, output, terminal};

pub(crate) fn run(args: &Detect, global: &Global) -> anyhow::Result<u8> {
    if args.status {
        return show_status(&args.running, global);
    }
    let now = input::now(args.running.now.as_deref())?;
    let begin = args.begin.as_deref().map(|it| input::time("--begin", it, now)).transpose()?;
    let fill = if args.no_fill { FillLimits::NONE } else { FillLimits::default() };
    let catch_up = args.catch_up.millis();
    let mut engine = engine(&args.running, now, |it| Options { begin, fill, catch_up, ..it }, global)?;
    let mut told = Told::default();
    let mut all = Advanced::default();
    loop {
        let done = engine.advance(now, &mut |it| told.take(it)).map_err(|it| coded(&it))?;
        all.slots += done.slots;
        all.executions += done.executions;
        // Gaps are filled some slots at a time.
        if done.is_done || done.slots == 0 {
            break;
        }
    }
    finish(&args.running, told, all, global)
}

/// Executes slots of a rule once more.
pub(crate) fn run_rule(args: &RunRule, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.running.now.as_deref())?;
    let from = input::time("--from", &args.from, now)?;
    let to = args.to.as_deref().map_or(Ok(now), |it| input::time("--to", it, now))?;
    if from > to {
        bail!("--from {} lies after --to {}", report::when(from), report::when(to));
    }
    let mut engine = engine(&args.running, now, |it| it, global)?;
    let mut told = Told::default();
    let done = engine.fill(&args.rule, (from, to), now, &mut |it| told.take(it));
    let all = done.map_err(|it| coded(&it))?;
    finish(&args.running, told, all, global)
}

/// The rules over the store.
fn engine(
    args: &Running,
    now: Millis,
    configure: impl FnOnce(Options) -> Options,
    global: &Global,
) -> anyhow::Result<Engine> {
    if let Some(path) = &args.output {
        output::check(path)?;
    }
    let threads = input::threads(args.threads);
    let mut set = input::rules(&args.rules, threads)?.localised(input::language(args.rules.lang));
    let (rules, exceptions) = in_force(args, &mut set, global)?;
    let selection = Selection::new(rules, &args.include);
    if selection.rules().is_empty() {
        bail!("no rule is run:{}", notices::all_idle(&selection));
    }
    terminal::notices(global, notices::rule_errors(&set).as_slice());
    terminal::notices(global, &notices::idle(&selection));
    let options = Options::new(input::normalise(args.geoip.as_deref())?, VERSION);
    let options = configure(Options { threads: threads.get(), ..options });
    let engine = Engine::open(&args.folder.path, selection, exceptions, options, now);
    let engine = engine.map_err(|it| coded(&it))?;
    for it in engine.refused() {
        let text = format!("{} does not run: {}", it.rule.name, it.reason);
        terminal::notices(global, &[report::Remark { severe: true, text: report::clean(&text) }]);
    }
    Ok(engine)
}

/// The rules of files with what people changed of them, and the rules and exceptions that they made: in the store's folder.
fn in_force(args: &Running, set: &mut RuleSet, global: &Global) -> anyhow::Result<(Vec<Rule>, Exceptions)> {
    let (rules, exceptions) = (std::mem::take(&mut set.rules), std::mem::take(&mut set.exceptions));
    match Book::open(&args.folder.path) {
        Ok(_) => {}
        Err(LiveError::NoBook { .. }) => return Ok((rules, exceptions)),
        Err(error) => return Err(coded(&error)),
    }
    let book = Rulebook::open(&args.folder.path);
    let force = book.and_then(|it| it.in_force(&rules, &exceptions)).map_err(|it| coded(&it))?;
    for it in &force.unread {
        let text = format!("what is kept of {} cannot be read: {}", it.key, it.reason);
        terminal::notices(global, &[report::Remark { severe: true, text: report::clean(&text) }]);
    }
    let wanted: Vec<String> = args.rules.only.iter().map(|it| it.to_lowercase()).collect();
    let is_wanted = |it: &Rule| wanted.is_empty() || wanted.iter().any(|text| input::rule_has(it, text));
    Ok((force.rules.into_iter().filter(is_wanted).collect(), force.exceptions))
}

/// What slots came to.
#[derive(Default)]
struct Told {
    alerts: Vec<Object>,
    worst: Option<Severity>,
    failed: u64,
    messages: Vec<String>,
}

/// So many messages of executions are printed; the rest is counted.
const MESSAGES: usize = 20;

impl Told {
    fn take(&mut self, slot: &SlotReport) -> bool {
        for it in &slot.alerts {
            self.worst = self.worst.max(Some(it.severity));
            self.alerts.push(it.document.clone());
        }
        for it in &slot.executions {
            self.failed += u64::from(it.status == Status::Failed);
            for message in &it.messages {
                self.messages.push(format!("{}, {}: {message}", it.rule_name, report::when(it.slot)));
            }
        }
        true
    }
}

fn finish(args: &Running, told: Told, all: Advanced, global: &Global) -> anyhow::Result<u8> {
    let mut out = output::open(args.output.as_deref())?;
    let count = told.alerts.len() as u64;
    print(&mut out, args.format, told.alerts, args.output.is_some(), global)?;
    out.flush().context("cannot write the result")?;
    for text in told.messages.iter().take(MESSAGES) {
        terminal::notices(global, &[report::Remark { severe: false, text: report::clean(text) }]);
    }
    if told.messages.len() > MESSAGES {
        terminal::note(global, &format!("… and {} more of such", told.messages.len() - MESSAGES));
    }
    let slots = report::plural(all.slots, "slot", "slots");
    let executions = report::plural(all.executions, "execution", "executions");
    let alerts = report::plural(count, "new alert", "new alerts");
    terminal::note(global, &format!("{executions} in {slots}: {alerts}"));
    let is_found = args.fail_on.is_some_and(|limit| told.worst >= Some(limit));
    let is_complete = told.failed == 0;
    Ok(status::of(is_found, status::Input { is_usable: true, is_complete, strict: false }))
}

/// How far each rule is.
fn show_status(args: &Running, global: &Global) -> anyhow::Result<u8> {
    let state = || -> Result<(Vec<RuleState>, Vec<Gap>), LiveError> {
        let book = Book::open(&args.folder.path)?;
        Ok((book.rules()?, book.gaps(None)?))
    };
    let (rules, gaps) = state().map_err(|it| coded(&it))?;
    let mut out = output::open(args.output.as_deref())?;
    let text = if args.format.prints_documents() {
        json(&rules, &gaps)
    } else {
        let mut text = String::new();
        for it in &rules {
            let (last, messages) = match &it.last {
                None => ("never executed".to_owned(), &[][..]),
                Some((slot, status, messages)) => {
                    (format!("{} at {}", status.as_str(), report::when(*slot)), messages.as_slice())
                }
            };
            let next = if it.enabled { format!("next {}", report::when(it.next)) } else { "away".to_owned() };
            let mut line = format!("{}: {last}, {next}", it.name);
            if it.late_events > 0 {
                line += &format!(", {} came late", report::plural(it.late_events, "event", "events"));
            }
            if it.unfilled_slots > 0 {
                line += &format!(", {} to fill", report::plural(it.unfilled_slots, "slot", "slots"));
            }
            text += &format!("{}\n", report::clean(&line));
            for message in messages {
                text += &format!("    {}\n", report::clean(message));
            }
        }
        for it in gaps.iter().filter(|it| it.next.is_some()) {
            let (from, to) = (report::when(it.from), report::when(it.to));
            let line = format!("gap: {} from {from} to {to}: {}", it.rule_name, it.reason.as_str());
            text += &format!("{}\n", report::clean(&line));
        }
        text
    };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    if rules.is_empty() {
        terminal::note(global, "no rule ran over this store");
    }
    Ok(DONE)
}

fn json(rules: &[RuleState], gaps: &[Gap]) -> String {
    let iso = |time: Millis| ecs::date::to_iso(time);
    let rule = |it: &RuleState| {
        let last = it.last.as_ref().map(|(slot, status, messages)| {
            json!({"slot": iso(*slot), "status": status.as_str(), "messages": messages})
        });
        json!({
            "rule_id": it.rule_id,
            "name": it.name,
            "enabled": it.enabled,
            "interval_ms": it.interval,
            "next": iso(it.next),
            "last_execution": last,
            "late_events": it.late_events,
            "unfilled_slots": it.unfilled_slots,
            "alerts": it.alerts,
        })
    };
    let gap = |it: &Gap| {
        json!({
            "rule_id": it.rule_id,
            "from": iso(it.from),
            "to": iso(it.to),
            "reason": it.reason.as_str(),
            "events": it.events,
            "found": iso(it.found),
            "next": it.next.map(iso),
        })
    };
    let rules: Vec<_> = rules.iter().map(rule).collect();
    let gaps: Vec<_> = gaps.iter().map(gap).collect();
    json!({"rules": rules, "gaps": gaps}).to_string() + "\n"
}
