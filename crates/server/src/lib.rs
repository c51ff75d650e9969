//! Detection around the clock: takes events in as they come, keeps them, and answers over HTTP.
//!
//! [`run`] opens the data directory, starts the threads that store and watch, and answers requests until it is told to
//! stop. What is the same for a hunt and for live detection is in the crates below; here are sockets, threads, and keys.
//!
//! ```text
//! folders ──watch──┐                      ┌── store (one thread writes; a batch is one commit)
//! HTTP ──route─────┴──▶ intake (bounded) ──┘        │
//!        └──── alerts ◀── live.db ◀── engine, by the clock ◀──┘
//! ```
//!
//! **What is acknowledged is on the disk.** A request that delivers events is answered when their batch is committed. When
//! there is no room, or nothing can be stored, the answer says when to come again, and nothing of it is kept.
//!
//! **Left out on purpose.** No clock of its own and no environment: both are given. Nothing here reads a record or executes
//! a rule.

pub mod config;

mod error;
mod keys;
mod log;

mod api;
mod app;
mod client;
mod http;

mod detection;
mod folder;
mod intake;
mod lines;
mod notify;
#[cfg(feature = "s3")]
mod objects;
mod rate;
mod reload;
mod run;
mod source;
mod stop;
mod tls;
#[cfg(unix)]
mod unix;

pub use client::{Feed, FeedError};
pub use config::{Config, Configured};
pub use detection::Rules;
pub use error::ServeError;
pub use keys::{Key, NewKey, Role};
pub use log::{Clock, Level, Log, LogFormat};
pub use notify::{check_receivers, test_receiver};
pub use reload::ReadAgain;
#[cfg(feature = "s3")]
pub use run::AwsSettings;
pub use run::{Options, Running, Stopper, run};
