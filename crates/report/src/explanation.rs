//! Why an event did or did not match.

use crate::table::clean;
use crate::{Alert, Terminal, plural, when};

/// One event and what the rules say of it.
#[derive(Debug)]
pub struct ExplainedEvent<'a> {
    /// The event.
    pub event: Alert<'a>,
    /// Each rule's name, verdict and explanation, clause by clause.
    pub verdicts: Vec<(&'a str, bool, String)>,
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
        let matched = it.verdicts.iter().filter(|(_, verdict, _)| *verdict).count() as u64;
        out += &format!(
            "{} of {}\n",
            plural(matched, "match", "matches"),
            plural(it.verdicts.len() as u64, "rule", "rules")
        );
        for (name, verdict, clauses) in &it.verdicts {
            let word = if *verdict {
                terminal.paint("32;1", "matches")
            } else {
                terminal.paint("2", "does not match")
            };
            out += &format!("\n{word}: {}\n", clean(name));
            for line in clauses.lines() {
                out += &format!("    {}\n", clean(line));
            }
        }
        out.push('\n');
    }
    out
}
