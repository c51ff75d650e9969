//! HTTP at the edge: connections, limits, who asks; then a route, and its handler on a thread of its own.

mod connection;
mod openapi;
mod problem;
mod request;
mod route;

pub(crate) use connection::{Listening, listen};
pub(crate) use openapi::document;
pub(crate) use problem::{Kind, Problem, elastic_error};
pub(crate) use request::{Asked, Query, unknown_encoding};
#[cfg(test)]
pub(crate) use route::Found;
pub(crate) use route::{Access, Body, Dialect, Doc, Handler, Method, Param, Route, find};

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: content_type.to_owned(), headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::json_of(200, value)
    }

    pub(crate) fn json_of(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::new(200, "text/plain; charset=utf-8", text.into())
    }
}
