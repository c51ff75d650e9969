//! The fields of our own `[guide]` table.

use super::{Entry, Form};

const NOTE: &[Entry] = &[
    Entry::new("title", Form::Words, "One line.").required(),
    Entry::new("text", Form::Words, "What to know. Markdown.").required(),
];

const QUERY: &[Entry] = &[
    Entry::new("language", Form::Choice(&["kuery", "lucene", "eql", "esql"]), "The language of the query.")
        .required(),
    Entry::new("query", Form::Words, "The query; `{{field}}` stands for a value of the alert.").required(),
    Entry::new("before", Form::Window, "How far before the alert's event it looks.").default("\"1h\""),
    Entry::new("after", Form::Window, "How far after the alert's event it looks.").default("\"1h\""),
    Entry::new("columns", Form::Texts { min: 0, max: usize::MAX }, "Which fields to show.").default("[]"),
];

const STEP: &[Entry] = &[
    Entry::new("title", Form::Words, "One line.").required(),
    Entry::new("text", Form::Words, "What to do, and how to read the outcome. Markdown.").required(),
    Entry::new("query", Form::Table(QUERY), "Shows the evidence for this step."),
    Entry::new(
        "command",
        Form::Words,
        "A command for people to run; `{{field}}` stands for a value of the alert.",
    ),
];

/// The guide: prose that is also data.
pub(crate) const GUIDE: &[Entry] = &[
    Entry::new("overview", Form::Words, "What an alert means. Markdown."),
    Entry::new("triage", Form::Tables { entries: STEP, min: 0 }, "What to look at, in order."),
    Entry::new(
        "false_positive",
        Form::Tables { entries: NOTE, min: 0 },
        "What is harmless, and how to tell.",
    ),
    Entry::new("response", Form::Tables { entries: STEP, min: 0 }, "What to do if it is real, in order."),
];
