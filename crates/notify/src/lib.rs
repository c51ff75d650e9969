//! Whom alerts are told to.
//!
//! An [`Outbox`] is a small database: what is new in the book of alerts is [taken](Outbox::take) once, and becomes messages
//! for receivers, as a [`Plan`] and the rules' own actions say. Each receiver has a queue: the [first](Outbox::head) of
//! it is sent, and what came of that is [settled](Outbox::settle) before the next one.
//!
//! ```text
//! alerts, closings, gaps … ──take──▶ routes ──▶ throttle ──▶ deliveries ──head──▶ (somebody sends) ──settle──▶ sent
//!                                                  │ held        ▲                                    ├─▶ again, later
//!                                                  └─────────────┘ when it is over                    └─▶ put aside
//! ```
//!
//! **Nothing is forgotten, and nothing is told twice without a sign.** How far the book was read is committed with the messages that were
//! made of it. A message is sent until it was taken, or is put aside and listed: at least once, and always with the same
//! id. A receiver gets its messages in their order, and is left alone for longer and longer while it takes none, or as long
//! as it asks to be.
//!
//! **Left out on purpose.** No network, no clock, no threads: whoever sends says what came of it. No secrets: a receiver is
//! a name here.

mod backoff;
mod delivery;
mod error;
mod schema;

mod action;
mod fresh;
mod plan;
mod timeframe;

mod ledger;
mod outbox;
mod queue;

mod message;
mod template;
mod words;

pub use delivery::{Delivery, Item, What};
pub use error::NotifyError;
pub use fresh::{Cursors, Fresh, FreshAlert, Happened, Health, Taken};
pub use ledger::{ReceiverState, State};
pub use message::{
    IndexAnswer, Mail, Message, Syslog, context, index, index_answer, mail, otlp, pagerduty, signature,
    slack, syslog, teams, test_message, webhook,
};
pub use outbox::Outbox;
pub use plan::{Filter, Gather, On, Plan, Receiver, Route};
pub use queue::{Head, Outcome, Settled};
pub use template::{Escape, Template, TemplateError};
pub use timeframe::Timeframe;
