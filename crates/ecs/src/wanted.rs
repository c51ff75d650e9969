//! The values of many paths in one walk over a document.

use std::fmt::Write as _;

use serde_json::Value;

use crate::document::{MAX_DEPTH, each, element_of};
use crate::{Object, Scalar, Shape};

/// The paths that somebody wants, as a tree of their parts.
///
/// ```
/// use ecs::{Scalar, Shape, Wanted};
///
/// let wanted = Wanted::new([(7, "user.name", Shape::Leaf)]);
/// let document: ecs::Object = serde_json::from_str(r#"{"user": {"name": "ada"}, "user.name": "bo"}"#)?;
/// let mut found = Vec::new();
/// wanted.walk(&document, &mut |id, value| found.push((id, value.text().into_owned())));
/// assert_eq!(found, [(7, "ada".to_owned()), (7, "bo".to_owned())]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wanted {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Sorted by name.
    children: Vec<(Box<str>, u32)>,
    leaf: Vec<u32>,
    flattened: Vec<u32>,
    nested: Vec<u32>,
}

const ROOT: u32 = 0;

impl Wanted {
    /// Takes paths, each with a number of the caller's that the values come back with.
    pub fn new<'a>(paths: impl IntoIterator<Item = (u32, &'a str, Shape)>) -> Self {
        let mut nodes = vec![Node::default()];
        for (id, path, shape) in paths {
            let mut at = ROOT;
            for part in path.split('.') {
                let next = nodes.len() as u32;
                let children = &mut nodes[at as usize].children;
                at = match children.binary_search_by(|(name, _)| (**name).cmp(part)) {
                    Ok(found) => children[found].1,
                    Err(place) => {
                        children.insert(place, (part.into(), next));
                        nodes.push(Node::default());
                        next
                    }
                };
            }
            let node = &mut nodes[at as usize];
            match shape {
                Shape::Leaf => node.leaf.push(id),
                Shape::FlattenedRoot => node.flattened.push(id),
                Shape::Nested => node.nested.push(id),
            }
        }
        Self { nodes }
    }

    /// Calls with the number and the value of everything wanted that the document has, in its order.
    pub fn walk(&self, document: &Object, found: &mut dyn FnMut(u32, Scalar<'_>)) {
        self.walk_fields(document.iter().map(|(key, value)| (key.as_str(), value)), found);
    }

    /// As [`walk`](Self::walk), over the top-level fields of a document, which may lie in several places.
    pub fn walk_fields<'d>(
        &self,
        fields: impl Iterator<Item = (&'d str, &'d Value)>,
        found: &mut dyn FnMut(u32, Scalar<'_>),
    ) {
        let mut walk =
            Walk { nodes: &self.nodes, path: String::new(), open: Vec::new(), scratch: String::new(), found };
        walk.fields(fields, Some(ROOT), 0);
    }
}

struct Walk<'a> {
    nodes: &'a [Node],
    /// Below the outermost open root: the parts of the path, a dot before each.
    path: String,
    /// The flattened roots that the walk is in, with where their keys begin in `path`.
    open: Vec<(u32, usize)>,
    scratch: String,
    found: &'a mut dyn FnMut(u32, Scalar<'_>),
}

impl Walk<'_> {
    /// `at` is the node of the object, if anything at or below it is wanted other than by an open root.
    fn object(&mut self, object: &Object, at: Option<u32>, depth: usize) {
        if depth <= MAX_DEPTH {
            self.fields(object.iter().map(|(key, value)| (key.as_str(), value)), at, depth);
        }
    }

    fn fields<'d>(
        &mut self,
        fields: impl Iterator<Item = (&'d str, &'d Value)>,
        at: Option<u32>,
        depth: usize,
    ) {
        for (key, value) in fields {
            let (path_len, open_len) = (self.path.len(), self.open.len());
            let at = self.descend(key, value, at);
            if at.is_some() || !self.open.is_empty() {
                each(value, depth, &mut |value, depth| self.value(value, at, depth));
            }
            self.path.truncate(path_len);
            self.open.truncate(open_len);
        }
    }

    /// The node of the key, which may have several parts.
    fn descend(&mut self, key: &str, value: &Value, mut at: Option<u32>) -> Option<u32> {
        let mut end = 0;
        for part in key.split('.') {
            end += part.len();
            if !self.open.is_empty() {
                self.path.push('.');
                self.path.push_str(part);
            }
            at = at.and_then(|at| {
                let children = &self.nodes[at as usize].children;
                let found = children.binary_search_by(|(name, _)| (**name).cmp(part)).ok()?;
                Some(children[found].1)
            });
            match at {
                None if self.open.is_empty() => return None,
                None => {}
                Some(at) => {
                    let node = &self.nodes[at as usize];
                    if !node.flattened.is_empty() {
                        self.open.push((at, self.path.len()));
                    }
                    if end < key.len() && !node.nested.is_empty() {
                        let element = element_of(&key[end + 1..], value);
                        node.nested.iter().for_each(|&id| (self.found)(id, Scalar::Str(&element)));
                    }
                }
            }
            end += 1;
        }
        at
    }

    fn value(&mut self, value: &Value, at: Option<u32>, depth: usize) {
        let node = at.map(|at| &self.nodes[at as usize]);
        if let Value::Object(inner) = value {
            if let Some(node) = node.filter(|node| !node.nested.is_empty()) {
                let element = value.to_string();
                node.nested.iter().for_each(|&id| (self.found)(id, Scalar::Str(&element)));
            }
            let below = at.filter(|&at| !self.nodes[at as usize].children.is_empty());
            if below.is_some() || !self.open.is_empty() {
                self.object(inner, below, depth);
            }
        } else if let Some(value) = Scalar::of(value) {
            if let Some(node) = node {
                node.leaf.iter().for_each(|&id| (self.found)(id, value));
            }
            for &(root, start) in &self.open {
                // A value directly at the root has no key.
                if let Some(key) = self.path.get(start + 1..) {
                    self.scratch.clear();
                    let _ = write!(self.scratch, "{key}\0{}", value.text());
                    for &id in &self.nodes[root as usize].flattened {
                        (self.found)(id, Scalar::Str(&self.scratch));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::document;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            Just(json!(1.5)),
            "[xy]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                object(inner).prop_map(Value::Object),
            ]
        })
    }

    fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
        prop::collection::vec((key(), inner), 0..5).prop_map(Object::from_iter)
    }

    fn key() -> impl Strategy<Value = String> {
        prop::collection::vec("[ab]?", 1..4).prop_map(|it| it.join("."))
    }

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![Just(Shape::Leaf), Just(Shape::FlattenedRoot), Just(Shape::Nested)]
    }

    proptest! {
        #[test]
        fn one_walk_finds_what_many_lookups_find(
            document in object(json()),
            paths in prop::collection::vec((key(), shape()), 0..8),
        ) {
            let wanted = Wanted::new(paths.iter().zip(0..).map(|((path, shape), id)| (id, path.as_str(), *shape)));
            let mut walked = vec![Vec::new(); paths.len()];
            wanted.walk(&document, &mut |id, value| walked[id as usize].push(format!("{value:?}")));
            for ((path, shape), walked) in paths.iter().zip(walked) {
                let mut looked_up = Vec::new();
                document::values(&document, path, *shape, |value| looked_up.push(format!("{value:?}")));
                prop_assert_eq!(walked, looked_up, "{} {:?}", path, shape);
            }
        }
    }
}
