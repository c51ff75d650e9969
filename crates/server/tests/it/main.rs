//! The server as others meet it: over HTTP.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod setup;

mod alerts;
mod analyst;
mod clients;
mod elastic;
mod folder;
mod ingest;
mod letters;
mod limits;
#[cfg(unix)]
mod lines;
mod otlp;
mod reload;
mod roles;
mod tls;
