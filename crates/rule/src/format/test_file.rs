//! The fields of test files.

use super::{Entry, Form};

const ANY: usize = usize::MAX;

/// A test file; also the tables `[[tests]]` of a rule file have the form of its `tests`.
pub(crate) const TEST_FILE: &[Entry] = &[
    Entry::new(
        "rule",
        Form::Words,
        "The id of the rule, where no rule file of that name lies beside this one.",
    ),
    Entry::new("account", Form::Words, "The account of the events that say none."),
    Entry::new("region", Form::Words, "The region of the events that say none."),
    Entry::new("shared", Form::Any, "For anchors: kept nowhere."),
    Entry::new("tests", Form::Tables { entries: TEST, min: 1 }, "The tests.").required(),
];

/// One test.
const TEST: &[Entry] = &[
    Entry::new("name", Form::Words, "What the test shows.").required(),
    Entry::new("why", Form::Text, "More of it, for whoever finds it failing."),
    Entry::new(
        "events",
        Form::Objects,
        "Events: short forms with `call`, or records and documents as they are delivered.",
    ),
    Entry::new(
        "paths",
        Form::Texts { min: 1, max: ANY },
        "Files and folders with records, as seen from this file.",
    ),
    Entry::new("once", Form::Flag, "One execution over everything instead of the rule's schedule.")
        .default("false"),
    Entry::new(
        "now",
        Form::Words,
        "The time of reading. Default: just after the last event that is written here.",
    ),
    Entry::new("account", Form::Words, "The account of the events that say none."),
    Entry::new("region", Form::Words, "The region of the events that say none."),
    Entry::new("alerts", Form::Any, "How many alerts there must be, or `none`, or a table.").required(),
];

/// `alerts` as a table.
pub(crate) const EXPECTED: &[Entry] = &[
    Entry::new("exactly", COUNT, "So many alerts."),
    Entry::new("at_least", COUNT, "So many alerts or more."),
    Entry::new("at_most", COUNT, "So many alerts or fewer."),
    Entry::new(
        "with",
        Form::Objects,
        "Fields and their values; each entry must be found in an alert of its own.",
    ),
    Entry::new("suppressed", COUNT, "How many alerts were suppressed, over all alerts."),
    Entry::new(
        "unexpected",
        Form::Choice(&["fail", "allow"]),
        "What alerts that no entry of `with` names mean.",
    ),
];

const COUNT: Form = Form::Integer { min: 0, max: 1_000_000 };

/// The short form of an event.
pub(crate) const RECIPE: &[Entry] = &[
    Entry::new("call", Form::Words, "The call, as `service:Name`: `ec2:GetPasswordData`.").required(),
    Entry::new(
        "as",
        Form::Words,
        "Who: `user/NAME`, `role/NAME`, `role/NAME/SESSION`, `root`, `service/HOST`.",
    ),
    Entry::new("at", Form::Words, "When: a time, or `+5m` after the event before. Default: `+1m`."),
    Entry::new("from", Form::Words, "The source address, or an AWS service."),
    Entry::new("agent", Form::Text, "The user agent."),
    Entry::new("account", Form::Words, "The account that it happened in."),
    Entry::new("region", Form::Words, "The region."),
    Entry::new("error", Form::Words, "The error code; without it the call succeeded."),
    Entry::new("message", Form::Words, "The error message."),
    Entry::new("request", Form::Object, "`requestParameters`."),
    Entry::new("response", Form::Object, "`responseElements`."),
    Entry::new("id", Form::Words, "The `eventID`, where the test speaks of it."),
    Entry::new(
        "set",
        Form::Object,
        "Other values of the record, by their paths: `userIdentity.sessionContext.attributes.mfaAuthenticated`.",
    ),
    Entry::new("unset", Form::Texts { min: 1, max: ANY }, "Paths that the record does not have."),
    Entry::new(
        "repeat",
        Form::Integer { min: 1, max: 100_000 },
        "So many of them; `{n}` in any text is the number of each, from 1.",
    ),
    Entry::new("every", Form::Words, "The time between two of them. Default: `1s`."),
];
