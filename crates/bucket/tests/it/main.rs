//! Buckets over the wire.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod fake;
mod faults;
mod signature;
