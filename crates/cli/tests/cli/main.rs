//! The binary as people run it: what it prints, where, and with which exit status.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[cfg(feature = "s3")]
#[path = "../../../bucket/tests/it/fake.rs"]
mod fake;
#[cfg(feature = "s3")]
#[path = "../../../bucket/tests/it/moto.rs"]
mod moto;
mod setup;

mod accounting;
#[cfg(feature = "store")]
mod analyst;
#[cfg(feature = "s3")]
mod bucket;
mod cannot_fire;
mod case;
#[cfg(feature = "store")]
mod dead_letters;
mod explain;
mod faults;
mod formats;
mod help;
mod investigate;
mod lint;
#[cfg(feature = "store")]
mod live;
mod near_misses;
mod normalize;
#[cfg(feature = "serve")]
mod notify;
mod pack;
mod page;
mod query;
mod reading;
mod rules;
mod rules_assess;
mod rules_test;
mod script;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "store")]
mod store;
mod store_upkeep;
mod summary;
mod suppression;
mod verify;
#[cfg(feature = "serve")]
mod watching;

mod bad_input;
mod hostile;
mod loading;
mod messages;
