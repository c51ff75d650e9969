//! Guides, executed: the steps of an alert run over the data, with their evidence, facts and what is missing.
//!
//! [`investigate()`] takes the alerts of a hunt ([`Subject`]) and a [`Source`] of events, collects what all their steps
//! ask, and asks it in at most two passes: what needs the chain of the caller goes into the second. Of each alert it gives
//! an [`Investigation`]: a sentence, deviations, evidence of each step, [`Fact`]s by name, and what is missing.
//!
//! A step's queries and commands have placeholders; [`fill`] puts values in their place by class and by where they go.
//! **Values of events are written by whoever made the request**: nothing of them is ever text of a query or of a command.
//!
//! An investigation gives no verdict, and runs nothing but queries. A [`Plan`] of response reads facts only; it is text.
//!
//! **Left out on purpose.** No files, no store, no clock, no output formats. Steps ask an interface for events.

mod say;

mod class;
mod command;
pub mod fill;

mod event;
pub mod request;
mod source;

mod book;
mod case;
mod evidence;
mod look;

mod deed;
mod targets;

mod acts;
mod baseline;
mod chain;
mod harmless;
mod instances;
mod network;
mod origin;
mod prevalence;
mod reach;
mod reason;
mod related;
mod tactics;

mod actors;

mod outline;
mod plan;
mod prose;
mod run;
mod tell;
mod watch;

pub use actors::{ACTORS_MAX, Actor, Cast, STORIES_MAX, STORY_MAX, STORY_MIN, Session, Suspect, stories};
pub use case::{Case, Subject, event};
pub use class::{Class, is_instance_id, is_plain};
pub use deed::DeedKind;
pub use event::{Event, Field, Pool, tool};
pub use evidence::{
    Checklist, Confidence, Evidence, Exception, ExceptionEntry, Fact, Found, Investigation, Lack, Missing,
    ROW_EVENTS_MAX, Row, Snippet, Target,
};
pub use fill::{Command, Values};
pub use harmless::fact_text;
pub use plan::{Plan, PlanStep, plan};
pub use reason::{Reason, read as read_refusal};
pub use run::{EVENTS_MAX, Options, Raised, general, investigate, investigate_and_follow};
pub use say::word;
pub use source::{Answer, Answers, Events, Question, Source, nearest};

/// What an exception could look at in the alert of a rule: in the first of its events, of which the documents may hold no
/// more than [`paths_of_raised`]. An alert that counts events stands for them itself.
pub fn raised<'d>(
    rule_id: &str,
    events: impl IntoIterator<Item = (&'d str, &'d ecs::Object)>,
    now: ecs::Millis,
) -> Option<Raised> {
    let events = events.into_iter().map(|(id, it)| case::event_of(&harmless::RAISED, id, it, now));
    let first = events.min_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)))?;
    Some(harmless::raised(rule_id, &first))
}

/// The exception that would have silenced exactly the alert; none if it counts events, or nobody is known to have caused it.
pub fn exception(subject: &Subject, now: ecs::Millis) -> Option<Exception> {
    let rule_id = ecs::document::lookup(&subject.document, "kibana.alert.rule.rule_id");
    let rule_id = rule_id.and_then(serde_json::Value::as_str).unwrap_or_default();
    let (steps, language, raised, issued) = (Vec::new(), rule::GuideLanguage::English, Vec::new(), None);
    harmless::exception(&Case::of(subject, now), rule_id, &Options { now, steps, language, raised, issued })
}

/// What [`raised`] reads of an event.
pub fn paths_of_raised() -> impl Iterator<Item = &'static str> {
    std::iter::once("@timestamp").chain(harmless::RAISED.iter().map(|it| it.path()))
}
