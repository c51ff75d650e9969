//! The document of an event, whatever form it has.

use std::borrow::Cow;

use ecs::document::{first, lookup};
use ecs::{Object, TextDocument};
use serde_json::Value;

/// The document of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum EventDocument<'a> {
    /// Any.
    Tree(&'a Object),
    /// One whose paths are known before it is.
    Text(&'a TextDocument),
}

impl<'a> EventDocument<'a> {
    /// The value at a path, if it is one: an object says nothing that alerts ask for.
    pub(super) fn get(self, path: &str) -> Option<Cow<'a, Value>> {
        match self {
            Self::Tree(document) => lookup(document, path).map(Cow::Borrowed),
            Self::Text(document) => document.get(path).map(Cow::Owned),
        }
    }

    /// The text at a path, or the first of a list; nothing if that is something else.
    pub(super) fn first_text(self, path: &str) -> Option<Cow<'a, str>> {
        match self {
            Self::Tree(document) => lookup(document, path).and_then(first)?.as_str().map(Cow::Borrowed),
            Self::Text(document) => document.first_text(path),
        }
    }

    /// The text at a path, if that is no more than one, alone or in a list, and needs no escape as JSON. It is made of the
    /// value otherwise.
    pub(super) fn plain_text(self, path: &str) -> Option<&'a str> {
        match self {
            Self::Tree(_) => None,
            Self::Text(document) => document.plain_text(path),
        }
    }

    /// The whole of it, if it is a tree.
    pub(super) fn tree(self) -> Option<&'a Object> {
        match self {
            Self::Tree(document) => Some(document),
            Self::Text(_) => None,
        }
    }
}
