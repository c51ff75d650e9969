//! The fields of our own `[guide]` table.

use super::{Entry, Form};
use crate::{Builtin, Risk, Scope, Show};

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
    Entry::new("id", Form::Words, "A name that stays."),
    Entry::new("show", Form::Choice(Show::WORDS), "How to show what is found.").default("\"table\""),
    Entry::new("limit", Form::Integer { min: 1, max: 5_000 }, "At most so many rows.").default("200"),
    Entry::new("scope", Form::Choice(Scope::WORDS), "Where it looks.").default("\"account\""),
];

const STEP: &[Entry] = &[
    Entry::new("title", Form::Words, "One line.").required(),
    Entry::new("text", Form::Words, "What to do, and how to read the outcome. Markdown.").required(),
    Entry::new("query", Form::Table(QUERY), "Shows the evidence for this step."),
    Entry::new("queries", Form::Tables { entries: QUERY, min: 0 }, "Several of them."),
    Entry::new(
        "command",
        Form::Words,
        "A command for people to run; `{{field}}` stands for a value of the alert.",
    ),
    Entry::new("id", Form::Words, "A name that stays: facts, tests and `--step` refer to it."),
    Entry::new("uses", Form::Texts { min: 0, max: usize::MAX }, "Case values that must be there."),
    Entry::new("builtin", Form::Choice(Builtin::WORDS), "A computation that is more than a query."),
    Entry::new("when", Form::Words, "Of a response: the condition over facts under which it is indicated."),
    Entry::new("reason", Form::Words, "Of a response: why. Markdown, as the following."),
    Entry::new("breaks", Form::Words, "Of a response: what stops working."),
    Entry::new("undo", Form::Words, "Of a response: how to take it back."),
    Entry::new("needs", Form::Texts { min: 0, max: usize::MAX }, "Of a response: permissions."),
    Entry::new("verify", Form::Words, "Of a response: how to see that it worked."),
    Entry::new("phase", Form::Integer { min: 0, max: 7 }, "Of a response: its place in the order."),
    Entry::new("risk", Form::Choice(Risk::WORDS), "Of a response: what its commands do."),
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
