//! What became of an event that a rule matched, in words.

use detect::{Fate, Stuck};
use report::when;
use serde_json::Value;

/// One sentence.
pub(crate) fn words(fate: &Fate) -> String {
    match fate {
        Fate::Alerted { id, execution, terms } => {
            format!("it alerted in the execution of {}{}: {id}", when(*execution), about(terms))
        }
        Fate::Suppressed { by, execution, terms } => format!(
            "it is suppressed{}: the execution of {} counted it in the alert {by}, which stands for it",
            about(terms),
            when(*execution)
        ),
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
            "it lacks a value of a field by which is grouped or joined, or whose new terms are asked for, or has too many".to_owned()
        }
        Fate::Stuck { step, of, why } => stuck(*step, *of, why),
        Fate::Split => "it is part of a sequence of which no execution sees the whole: `from` reaches less far back than the sequence lasts".to_owned(),
        Fate::Dropped { command: Some(command) } => format!("no row is left of it behind `{command}`"),
        Fate::Dropped { command: None } => "no alert is made of its rows".to_owned(),
        Fate::Against => "it is no event of the sequence: it ends sequences, or must not be there".to_owned(),
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

fn stuck(step: usize, of: usize, why: &Stuck) -> String {
    let next = step + 1;
    let sequence = format!("the sequence got no further than event {step} of {of}");
    match why {
        Stuck::Waits => format!("{sequence}: no event of item {next} with the same keys came after it"),
        Stuck::NothingBefore => {
            format!("it could be event {next} of {of}, and no sequence with its keys had come so far")
        }
        Stuck::SameTime { by, item } => format!(
            "it could be one of {of} events, but the event {by} of item {} has the same time, and nothing says which of the \
             two came first; a `tiebreaker_field` could",
            item + 1
        ),
        Stuck::TooLate { by, span, maxspan } => format!(
            "{sequence}: the event of item {next}, {by}, came {span} ms after the first, and maxspan is {maxspan} ms"
        ),
        Stuck::Until { by } => format!("{sequence}: the event {by} of `until` ended it"),
        Stuck::Replaced { by } => {
            format!("{sequence}: a newer one that came as far, by the event {by}, took its place")
        }
        Stuck::NoneOf { item } => {
            format!(
                "the sample has events of {step} of {of} items: there is none of item {} with the same keys",
                item + 1
            )
        }
        Stuck::OthersChosen => {
            "what its keys make in the executions that look at it is made of other events".to_owned()
        }
        Stuck::NotMissing => {
            "the sequence is complete, and an event is there that must be missing".to_owned()
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
