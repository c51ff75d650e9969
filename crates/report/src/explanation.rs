//! Why an event did or did not match.

use ecs::Millis;

use crate::table::clean;
use crate::{Alert, Terminal, plural, when};

/// Rules that do not match and are explained; the rest is counted.
const NEAR_MISSES: usize = 5;

/// One event and what the rules say of it.
#[derive(Debug)]
pub struct ExplainedEvent<'a> {
    /// The event.
    pub event: Alert<'a>,
    /// What each rule says, those that come nearest first.
    pub verdicts: Vec<RuleVerdict<'a>>,
}

/// What one rule says of an event.
#[derive(Clone, Debug)]
pub struct RuleVerdict<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// Whether it matches.
    pub matches: bool,
    /// How many of its conditions do not hold.
    pub failed: usize,
    /// The start of the execution whose verdict it is, if another's may differ.
    pub execution: Option<Millis>,
    /// The verdict on every clause.
    pub clauses: String,
    /// What the rule's executions made of the event, a sentence each.
    pub became: Vec<String>,
}

/// How an alert came about.
#[derive(Clone, Debug)]
pub struct Raised<'a> {
    /// The name of its rule.
    pub rule: &'a str,
    /// The start of the execution that raised it.
    pub execution: Millis,
    /// The ids of the events that it is about.
    pub events: &'a [String],
    /// The alert of the whole sequence, if it is a building block.
    pub block_of: Option<&'a str>,
}

/// Prints the rules' verdicts on the events with one id, or on the alert that was raised so.
pub fn explanation(
    event_id: &str,
    raised: Option<&Raised<'_>>,
    events: &[ExplainedEvent<'_>],
    terminal: Terminal,
) -> String {
    if events.is_empty() {
        return format!(
            "no event with the id `{0}` is in the input, and no alert `{0}` is raised\n",
            clean(event_id)
        );
    }
    let mut out = String::new();
    for it in events {
        out += &format!(
            "{}  {}  {}\n",
            terminal.paint("1", &clean(event_id)),
            it.event.time().map(when).unwrap_or_default(),
            happened(it.event),
        );
        if let Some(raised) = raised {
            out += &how(raised, it.event);
        }
        let (matching, others): (Vec<_>, Vec<_>) = it.verdicts.iter().partition(|verdict| verdict.matches);
        out += &format!(
            "{} of {}\n",
            plural(matching.len() as u64, "match", "matches"),
            match raised {
                None => plural(it.verdicts.len() as u64, "rule", "rules"),
                Some(_) => plural(it.verdicts.len() as u64, "rule over alerts", "rules over alerts"),
            }
        );
        for verdict in &matching {
            out += &format!(
                "\n{}: {}\n{}",
                terminal.paint("32;1", "matches"),
                clean(verdict.rule),
                lines(verdict)
            );
        }
        for verdict in others.iter().take(NEAR_MISSES) {
            let failed = plural(verdict.failed as u64, "condition does", "conditions do");
            let word = terminal.paint("33", "does not match");
            out += &format!("\n{word}: {} ({failed} not hold)\n{}", clean(verdict.rule), lines(verdict));
        }
        if others.len() > NEAR_MISSES {
            let rest = plural((others.len() - NEAR_MISSES) as u64, "rule is", "rules are");
            out += &format!("\n{rest} further from a match; --only NAME explains one of them\n");
        }
        out.push('\n');
    }
    out
}

/// What happened: `ec2:GetPasswordData by role/ci from 203.0.113.9: AccessDenied`.
fn happened(event: Alert<'_>) -> String {
    let (who, from, outcome) = (event.who(), event.from_where(), event.outcome());
    let rest = [(" by ", who.as_str()), (" from ", from.as_str()), (": ", outcome.as_ref())];
    let rest = rest.iter().filter(|(_, it)| !it.is_empty());
    rest.fold(clean(&event.what()), |said, (word, it)| said + word + &clean(it))
}

/// Which rule raised the alert, when, and on what.
fn how(raised: &Raised<'_>, alert: Alert<'_>) -> String {
    let mut out =
        format!("alert of {}, raised in the execution of {}\n", clean(raised.rule), when(raised.execution));
    if let Some(shell) = raised.block_of {
        out += &format!("    a building block of the alert {}\n", clean(shell));
    }
    let alerts = alert.stands_on();
    for it in &alerts {
        let time = it.time.map(when).unwrap_or_default();
        out += &format!(
            "    on the alert {}  {time}  {}  {}\n",
            clean(it.id),
            clean(it.severity),
            clean(it.rule)
        );
    }
    if alerts.is_empty() {
        for it in raised.events {
            out += &format!("    on the event {}; --explain {0} says why\n", clean(it));
        }
    }
    if let Some(counted) = alert.counted() {
        out += &format!("    it counted {}\n", clean(&counted));
    }
    if let Some(stands_for) = alert.stands_for() {
        out += &format!("    {}\n", clean(&stands_for));
    }
    out
}

fn lines(verdict: &RuleVerdict<'_>) -> String {
    let execution = verdict.execution.map(|at| format!("in the execution of {}:", when(at)));
    let clauses = execution.into_iter().chain(verdict.clauses.lines().map(clean));
    let became = verdict.became.iter().map(|it| format!("  → {}", clean(it)));
    clauses.chain(became).fold(String::new(), |out, line| out + "    " + &line + "\n")
}
