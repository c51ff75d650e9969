//! The server as others meet it: over HTTP.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[cfg(feature = "s3")]
#[path = "../../../bucket/tests/it/fake.rs"]
mod fake;
#[cfg(feature = "s3")]
#[path = "../../../bucket/tests/it/moto.rs"]
mod moto;
mod setup;

mod alerts;
mod analyst;
#[cfg(feature = "s3")]
mod bucket;
mod clients;
mod elastic;
mod faults;
mod folder;
mod fuzzer;
mod ingest;
mod kibana;
mod kibana_alerts;
mod kibana_files;
mod letters;
mod limits;
#[cfg(unix)]
mod lines;
mod notify;
mod otlp;
mod reload;
mod roles;
mod tls;
