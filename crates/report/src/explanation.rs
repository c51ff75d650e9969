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

/// Prints the rules' verdicts on the events with one id.
pub fn explanation(event_id: &str, events: &[ExplainedEvent<'_>], terminal: Terminal) -> String {
    if events.is_empty() {
        return format!("no event with the id `{}` is in the input\n", clean(event_id));
    }
    let mut out = String::new();
    for it in events {
        out += &format!(
            "{}  {}  {} by {} from {}: {}\n",
            terminal.paint("1", &clean(event_id)),
            it.event.time().map(when).unwrap_or_default(),
            clean(&it.event.what()),
            clean(&it.event.who()),
            clean(&it.event.from_where()),
            clean(&it.event.outcome()),
        );
        let (matching, others): (Vec<_>, Vec<_>) = it.verdicts.iter().partition(|verdict| verdict.matches);
        out += &format!(
            "{} of {}\n",
            plural(matching.len() as u64, "match", "matches"),
            plural(it.verdicts.len() as u64, "rule", "rules")
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

fn lines(verdict: &RuleVerdict<'_>) -> String {
    let execution = verdict.execution.map(|at| format!("in the execution of {}:", when(at)));
    let clauses = execution.into_iter().chain(verdict.clauses.lines().map(clean));
    let became = verdict.became.iter().map(|it| format!("  → {}", clean(it)));
    clauses.chain(became).fold(String::new(), |out, line| out + "    " + &line + "\n")
}
