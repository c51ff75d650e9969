//! What reading gives, for every kind of text, container and damage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod cases;
mod conformance;
mod containers;
mod damage;
mod discovery;
#[cfg(feature = "parquet")]
mod parquet;
mod properties;
mod support;
mod tables;
