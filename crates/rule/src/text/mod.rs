//! Text to a tree with positions: TOML, JSON and YAML, so that everything after sees one shape.

mod json;
mod literal;
mod node;
mod toml;
mod yaml;

pub(crate) use json::{JsonError, parse_json};
pub(crate) use literal::Literal;
pub(crate) use node::{Data, Kind, Member, Node};
pub(crate) use toml::parse_toml;
pub(crate) use yaml::parse_yaml;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `.toml`.
    Toml,
    /// `.json`, `.ndjson`.
    Json,
    /// `.yaml`, `.yml`.
    Yaml,
}
