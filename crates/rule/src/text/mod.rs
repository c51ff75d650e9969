//! Text to a tree with positions: TOML and JSON, so that everything after sees one shape.

mod json;
mod literal;
mod node;
mod toml;

pub(crate) use json::{JsonError, parse_json};
pub(crate) use literal::Literal;
pub(crate) use node::{Data, Kind, Member, Node};
pub(crate) use toml::parse_toml;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `.toml`.
    Toml,
    /// `.json`, `.ndjson`.
    Json,
}
