//! What became of an event that a rule matched, in words.

use detect::Fate;
use report::when;
use serde_json::Value;

/// One sentence.
pub(crate) fn words(fate: &Fate) -> String {
    match fate {
        Fate::Alerted { id, execution, terms } => {
            format!("it alerted in the execution of {}{}: {id}", when(*execution), about(terms))
        }
        Fate::Known { id } => format!("its alert exists already: {id}"),
        Fate::NotAsked { execution } => format!(
            "it alerts in the execution of {}, but took place outside of --since and --until",
            when(*execution)
        ),
        Fate::Undated => {
            "it lacks the rule's timestamp_override, and the rule does not fall back to @timestamp".to_owned()
        }
        Fate::Unseen => "no execution looks at it: it fell between two".to_owned(),
        Fate::Copy => "another delivery of the event, with another time, stands for it".to_owned(),
        Fate::NotThen => "what depends on the time of execution holds in none that looks at it".to_owned(),
        Fate::NoTerm => {
            "it lacks a value of a field whose new terms are asked for or by which is grouped, or has too many".to_owned()
        }
        Fate::Cut { execution, terms } => format!(
            "the executions that look at it, from {} on, reached max_signals before it was its turn{}",
            when(*execution),
            about(terms)
        ),
        Fate::Counted { terms, execution, count, value, cardinality } => {
            let distinct = cardinality.map(|(found, least)| {
                format!(", with {found} different values where the rule asks for {least}")
            });
            format!(
                "no execution that looks at it counts enough{}: that of {}, which counts the most, has {count} of \
                 {value}{}",
                about(terms),
                when(*execution),
                distinct.unwrap_or_default()
            )
        }
        Fate::Seen { terms, at, by } => {
            let at = at.map(|at| format!(", at {}", when(at))).unwrap_or_default();
            let by = by.as_ref().map(|by| format!(", by the event {by}")).unwrap_or_default();
            format!("what it shows had been seen within the history window{at}{by}{}", about(terms))
        }
    }
}

fn about(terms: &[Value]) -> String {
    if terms.is_empty() {
        return String::new();
    }
    let terms: Vec<String> =
        terms.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect();
    format!(" ({})", terms.join(", "))
}
