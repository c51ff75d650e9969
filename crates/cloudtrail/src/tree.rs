//! The parsed record, read in place.

use rustc_hash::FxHashMap;
use simd_json::{Node, StaticNode};

use ecs::Scalar;
use ecs::text::TextValue;
use serde_json::Value;

/// Objects with more keys than this get an index when equal keys must be told apart.
const SCANNED_KEYS: usize = 32;

/// A place in the record; the default is no place.
///
/// What [`Tree`] hands out is either no place or the place of a value that the clean-up leaves: whoever holds one
/// need not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(u32);

impl Default for At {
    fn default() -> Self {
        Self::NONE
    }
}

impl At {
    /// The record itself.
    pub(crate) const ROOT: Self = Self(0);
    /// No place.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn is_some(self) -> bool {
        self != Self::NONE
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// This place, or the other if this is none.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.is_some() { self } else { other }
    }
}

/// Which values of a record count as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleanup {
    /// null, `""`, `"-"`, `"none"` and what is empty without them.
    Full,
    /// null, `""` and what is empty without them.
    Empty,
    /// Only null, and only where a field of its own would be made of it.
    Keep,
}

/// A record, or rather its nodes in document order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree<'a> {
    nodes: &'a [Node<'a>],
    /// The addresses of strings that are numbers in the record.
    numbers: &'a [usize],
    cleanup: Cleanup,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Scalar(Scalar<'a>),
    Object,
    Array,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(nodes: &'a [Node<'a>], numbers: &'a [usize], cleanup: Cleanup) -> Self {
        Self { nodes, numbers, cleanup }
    }

    /// A record without keys.
    pub(crate) fn empty(cleanup: Cleanup) -> Self {
        Self { nodes: &[Node::Object { len: 0, count: 0 }], numbers: &[], cleanup }
    }

    /// What stands there. Ask for no place's kind and it is null.
    #[inline]
    pub(crate) fn kind(self, at: At) -> Kind<'a> {
        let Some(node) = self.nodes.get(at.0 as usize) else { return Kind::Null };
        match *node {
            Node::Object { .. } => Kind::Object,
            Node::Array { .. } => Kind::Array,
            Node::String(text) if self.is_number(text) => Kind::Scalar(Scalar::NumberText(text)),
            Node::String(text) => Kind::Scalar(Scalar::Str(text)),
            Node::Static(StaticNode::Null) => Kind::Null,
            Node::Static(StaticNode::Bool(value)) => Kind::Scalar(Scalar::Bool(value)),
            Node::Static(StaticNode::I64(value)) => Kind::Scalar(Scalar::Int(value)),
            Node::Static(StaticNode::U64(value)) => Kind::Scalar(match i64::try_from(value) {
                Ok(value) => Scalar::Int(value),
                Err(_) => Scalar::UInt(value),
            }),
            Node::Static(StaticNode::F64(value)) => Kind::Scalar(Scalar::Float(value)),
        }
    }

    /// The string there, if it is one.
    #[inline]
    pub(crate) fn text(self, at: At) -> Option<&'a str> {
        match self.nodes.get(at.0 as usize) {
            Some(Node::String(text)) if !self.is_number(text) => Some(text),
            _ => None,
        }
    }

    #[inline]
    fn is_number(self, text: &str) -> bool {
        !self.numbers.is_empty() && self.numbers.contains(&text.as_ptr().addr())
    }

    /// The value of a key. No place if `object` is none, or no object, or if the value counts as absent.
    pub(crate) fn get(self, object: At, key: &str) -> At {
        let mut found = At::NONE;
        for (name, at) in self.raw_entries(object) {
            if name == key {
                found = at;
            }
        }
        self.present(found)
    }

    /// The place, unless its value counts as absent.
    #[inline]
    pub(crate) fn present(self, at: At) -> At {
        let absent = match self.nodes.get(at.0 as usize) {
            Some(Node::String(text)) => self.is_placeholder(text),
            Some(_) => self.is_absent(at),
            None => true,
        };
        if absent { At::NONE } else { at }
    }

    #[inline]
    fn is_placeholder(self, text: &str) -> bool {
        match self.cleanup {
            Cleanup::Full => text.len() <= 4 && matches!(text, "" | "-" | "none"),
            Cleanup::Empty => text.is_empty(),
            Cleanup::Keep => false,
        }
    }

    fn is_absent(self, at: At) -> bool {
        match self.nodes[at.0 as usize] {
            Node::String(text) => self.is_placeholder(text),
            Node::Static(StaticNode::Null) => true,
            Node::Static(_) => false,
            Node::Object { .. } | Node::Array { .. } if self.cleanup == Cleanup::Keep => false,
            Node::Object { .. } => self.entries(at).next().is_none(),
            Node::Array { .. } => self.elements(at).next().is_none(),
        }
    }

    /// The keys of an object with their values, as they stand there.
    pub(crate) fn raw_entries(self, object: At) -> RawEntries<'a> {
        let left = match self.nodes.get(object.0 as usize) {
            Some(Node::Object { len, .. }) => *len,
            _ => 0,
        };
        RawEntries { nodes: self.nodes, next: (object.0 as usize).wrapping_add(1), left }
    }

    /// The keys of an object that the clean-up leaves. Of equal keys the last counts.
    pub(crate) fn entries(self, object: At) -> impl Iterator<Item = (&'a str, At)> {
        let mut raw = self.raw_entries(object);
        let all = raw.clone();
        let mut last: Option<FxHashMap<&str, At>> = None;
        std::iter::from_fn(move || {
            loop {
                let (key, at) = raw.next()?;
                if !self.survives(at) {
                    continue;
                }
                let replaced = if all.left <= SCANNED_KEYS {
                    raw.clone().any(|(later, _)| later == key)
                } else {
                    last.get_or_insert_with(|| all.clone().collect()).get(key) != Some(&at)
                };
                if !replaced {
                    return Some((key, at));
                }
            }
        })
    }

    /// The key whose value stands at a place. Empty if that is no value of a key.
    pub(crate) fn key_of(self, value: At) -> &'a str {
        match self.nodes.get((value.0 as usize).wrapping_sub(1)) {
            Some(Node::String(key)) => key,
            _ => "",
        }
    }

    /// How many different keys an object was written with, whatever their values.
    pub(crate) fn distinct_keys(self, object: At) -> usize {
        let raw = self.raw_entries(object);
        if raw.left > SCANNED_KEYS {
            return raw.map(|(key, _)| key).collect::<rustc_hash::FxHashSet<_>>().len();
        }
        let mut raw = raw;
        let mut distinct = 0;
        while let Some((key, _)) = raw.next() {
            distinct += usize::from(!raw.clone().any(|(later, _)| later == key));
        }
        distinct
    }

    /// The elements of an array that the clean-up leaves. None if it is no array.
    pub(crate) fn elements(self, array: At) -> impl Iterator<Item = At> {
        let mut left = match self.nodes.get(array.0 as usize) {
            Some(Node::Array { len, .. }) => *len,
            _ => 0,
        };
        let mut next = (array.0 as usize).wrapping_add(1);
        std::iter::from_fn(move || {
            while left > 0 {
                let at = At(next as u32);
                next = after(self.nodes, next);
                left -= 1;
                if self.survives(at) {
                    return Some(at);
                }
            }
            None
        })
    }

    /// Whether a value inside a payload stays; without a clean-up nulls do.
    fn survives(self, at: At) -> bool {
        self.cleanup == Cleanup::Keep || !self.is_absent(at)
    }

    /// Calls `found` with each scalar at a place, through arrays but not into objects.
    pub(crate) fn scalars(self, at: At, found: &mut impl FnMut(Scalar<'a>)) {
        match self.kind(at) {
            Kind::Null | Kind::Object => {}
            Kind::Scalar(value) => found(value),
            Kind::Array => self.elements(at).for_each(|element| self.scalars(element, found)),
        }
    }

    /// Calls `found` with each scalar at a path below a place; a key with dots is as good as nested objects.
    pub(crate) fn scalars_below(self, at: At, path: &str, found: &mut impl FnMut(Scalar<'a>)) {
        match self.kind(at) {
            Kind::Null | Kind::Scalar(_) => {}
            Kind::Array => self.elements(at).for_each(|element| self.scalars_below(element, path, found)),
            Kind::Object => {
                for (key, value) in self.entries(at) {
                    self.scalars_of_key(key, value, path, found);
                }
            }
        }
    }

    /// The part of [`Tree::scalars_below`] that one key of an object has.
    pub(crate) fn scalars_of_key(self, key: &str, value: At, path: &str, found: &mut impl FnMut(Scalar<'a>)) {
        match path.strip_prefix(key) {
            Some("") => self.scalars(value, found),
            Some(rest) => {
                if let Some(rest) = rest.strip_prefix('.') {
                    self.scalars_below(value, rest, found);
                }
            }
            None => {}
        }
    }

    /// Calls `found` with each scalar below a place and its key, which begins with what `key` holds; a dot stands
    /// before every part of it.
    pub(crate) fn leaves(self, at: At, key: &mut String, found: &mut impl FnMut(&str, Scalar<'a>)) {
        match self.kind(at) {
            Kind::Null => {}
            Kind::Scalar(value) => found(key, value),
            Kind::Array => self.elements(at).for_each(|element| self.leaves(element, key, found)),
            Kind::Object => {
                for (name, value) in self.entries(at) {
                    let len = key.len();
                    push_key(key, name);
                    self.leaves(value, key, found);
                    key.truncate(len);
                }
            }
        }
    }

    /// The cleaned value as JSON.
    pub(crate) fn to_json(self, at: At) -> Value {
        match self.kind(at) {
            Kind::Null => Value::Null,
            Kind::Scalar(value) => value.to_json(),
            Kind::Array => self.elements(at).map(|element| self.to_json(element)).collect(),
            Kind::Object => {
                let mut object = ecs::Object::with_capacity(self.raw_entries(at).left);
                for (key, value) in self.entries(at) {
                    object.insert(key.to_owned(), self.to_json(value));
                }
                object.into()
            }
        }
    }

    /// Writes what [`Tree::to_json`] is.
    pub(crate) fn write_json(self, at: At, out: &mut TextValue<'_>) {
        match self.kind(at) {
            Kind::Null => out.null(),
            Kind::Scalar(value) => out.scalar(value),
            Kind::Array => out.list(self.elements(at), |out, element| self.write_json(element, out)),
            Kind::Object => out.object(self.entries(at), |out, value| self.write_json(value, out)),
        }
    }
}

/// Appends a key to a path in which a dot stands before every key, so that an empty key is one too.
pub(crate) fn push_key(path: &mut String, key: &str) {
    path.push('.');
    path.push_str(key);
}

/// The keys of an object with their values, repeated ones and empty ones too.
#[derive(Clone)]
pub(crate) struct RawEntries<'a> {
    nodes: &'a [Node<'a>],
    next: usize,
    left: usize,
}

impl<'a> Iterator for RawEntries<'a> {
    type Item = (&'a str, At);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let Node::String(key) = self.nodes[self.next] else {
            unreachable!("the parser puts a string before every value of an object")
        };
        let at = self.next + 1;
        self.next = after(self.nodes, at);
        Some((key, At(at as u32)))
    }
}

/// Where the node after a value starts.
fn after(nodes: &[Node<'_>], at: usize) -> usize {
    match nodes[at] {
        Node::Object { count, .. } | Node::Array { count, .. } => at + 1 + count,
        Node::String(_) | Node::Static(_) => at + 1,
    }
}
