//! The fields of our own `[guide]` table.

use super::{Entry, Shape};

const NOTE: &[Entry] = &[
    Entry::new("title", Shape::Words, "One line.").required(),
    Entry::new("text", Shape::Words, "What to know. Markdown.").required(),
];

const QUERY: &[Entry] = &[
    Entry::new("language", Shape::Choice(&["kuery", "lucene", "eql", "esql"]), "The language of the query.")
        .required(),
    Entry::new("query", Shape::Words, "The query; `{{field}}` stands for a value of the alert.").required(),
    Entry::new("before", Shape::Window, "How far before the alert's event it looks.").default("\"1h\""),
    Entry::new("after", Shape::Window, "How far after the alert's event it looks.").default("\"1h\""),
    Entry::new("columns", Shape::Texts { min: 0, max: usize::MAX }, "Which fields to show.").default("[]"),
];

const STEP: &[Entry] = &[
    Entry::new("title", Shape::Words, "One line.").required(),
    Entry::new("text", Shape::Words, "What to do, and how to read the outcome. Markdown.").required(),
    Entry::new("query", Shape::Table(QUERY), "Shows the evidence for this step."),
    Entry::new(
        "command",
        Shape::Words,
        "A command for people to run; `{{field}}` stands for a value of the alert.",
    ),
];

/// The guide: prose that is also data.
pub(crate) const GUIDE: &[Entry] = &[
    Entry::new("overview", Shape::Words, "What an alert means. Markdown."),
    Entry::new("triage", Shape::Tables { entries: STEP, min: 0 }, "What to look at, in order."),
    Entry::new(
        "false_positive",
        Shape::Tables { entries: NOTE, min: 0 },
        "What is harmless, and how to tell.",
    ),
    Entry::new("response", Shape::Tables { entries: STEP, min: 0 }, "What to do if it is real, in order."),
];
