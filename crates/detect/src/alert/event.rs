//! The document of an event, whatever form it has.

use std::borrow::Cow;

use ecs::document::lookup;
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

    /// The whole of it, if it is a tree.
    pub(super) fn tree(self) -> Option<&'a Object> {
        match self {
            Self::Tree(document) => Some(document),
            Self::Text(_) => None,
        }
    }
}
