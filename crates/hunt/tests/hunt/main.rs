//! Whole hunts: invented records in files, alerts out.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod setup;

mod alike;
mod all_types;
mod attacks;
mod broken;
mod clock;
mod exceptions;
mod get_password_data;
mod identities;
mod investigate;
mod kinds;
mod near_misses;
mod over_alerts;
mod own_alerts;
mod picked;
mod pipes;
mod ranges;
mod respond;
mod same_alerts;
mod second_origin;
mod sequences;
mod targets;
mod verify;

mod conformance;
mod questions;
