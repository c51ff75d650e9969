//! Fields into a document.

use std::sync::LazyLock;

use ecs::{Object, Paths, Scalar};
use serde_json::Value;

use crate::emit::Sink;
use crate::field::Field;
use crate::options::Version;
use crate::subtree::Subtree;

/// Where the documents of a version have their fields, which are numbered as in [`Field`].
struct Layout {
    paths: Paths,
    /// The fields that documents of the version have, in order.
    made: Vec<Field>,
}

static LAYOUTS: LazyLock<[Layout; 3]> =
    LazyLock::new(|| [Version::V8_9, Version::V2_24, Version::Filebeat].map(Layout::new));

impl Layout {
    fn new(version: Version) -> Self {
        Self {
            paths: Paths::new(Field::ALL.iter().map(|field| field.path(version))),
            made: Field::ALL.iter().copied().filter(|field| field.is_in(version)).collect(),
        }
    }

    fn of(version: Version) -> &'static Self {
        let [newest, older, filebeat] = &*LAYOUTS;
        match version {
            Version::V8_9 => newest,
            Version::V2_24 => older,
            Version::Filebeat => filebeat,
        }
    }
}

/// Where the documents of a version have their fields.
pub fn paths(version: Version) -> &'static Paths {
    &Layout::of(version).paths
}

/// Some of the fields that documents of a version have.
#[derive(Clone, Debug)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// All of them.
    pub fn all(version: Version) -> Self {
        Self(fields(version).to_vec())
    }

    /// Those at these paths, above or below them.
    pub fn at(version: Version, paths: &[&str]) -> Self {
        let lies_in = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_asked = |field: &Field| {
            let own = field.path(version);
            paths.iter().any(|path| lies_in(own, path) || lies_in(path, own))
        };
        Self(fields(version).iter().copied().filter(is_asked).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field> {
        self.0.iter().copied()
    }
}

/// The fields that documents of a version have, in order.
pub(crate) fn fields(version: Version) -> &'static [Field] {
    &Layout::of(version).made
}

/// A document that is being made: nested objects, keys in the order the fields come.
///
/// All objects lie open side by side, and are put into one another at the end: looking for the way to each field
/// from the top would hash every key of its path.
pub(crate) struct Document<'s> {
    paths: &'static Paths,
    /// How many keys each object had in the document before: so many are made room for.
    sizes: &'s mut Vec<usize>,
    objects: Vec<Option<Object>>,
    /// The numbers of the objects that there are, in the order they came; each has a null in the one it lies in.
    order: Vec<usize>,
}

impl<'s> Document<'s> {
    /// A document without fields. Keep `sizes` for the next one.
    pub(crate) fn new(version: Version, sizes: &'s mut Vec<usize>) -> Self {
        let paths = paths(version);
        sizes.resize(paths.object_count(), 0);
        let mut objects = vec![None; paths.object_count()];
        objects[Paths::DOCUMENT] = Some(Object::with_capacity(sizes[Paths::DOCUMENT]));
        Self { paths, sizes, objects, order: Vec::with_capacity(paths.object_count()) }
    }

    /// The document.
    pub(crate) fn finish(mut self) -> Object {
        // Whatever lies in an object came after it.
        for at in self.order.into_iter().rev() {
            let (outer, key) = self.paths.place_of_object(at);
            self.sizes[at] = self.objects[at].as_ref().map_or(0, Object::len);
            if let Some(object) = self.objects[at].take()
                && let Some(value) = self.objects[outer].as_mut().and_then(|outer| outer.get_mut(key))
            {
                *value = object.into();
            }
        }
        let document = self.objects[Paths::DOCUMENT].take().unwrap_or_default();
        self.sizes[Paths::DOCUMENT] = document.len();
        document
    }

    fn set(&mut self, field: Field, value: Value) {
        let (object, key) = self.paths.place(field as usize);
        self.object(object).insert(key.to_owned(), value);
    }

    /// Sees to it that there is the object that a field lies in, if there is the one around it.
    pub(crate) fn keep_object_of(&mut self, field: Field) {
        let (object, _) = self.paths.place(field as usize);
        let (outer, _) = self.paths.place_of_object(object);
        if self.objects[outer].is_some() {
            self.object(object);
        }
    }

    fn object(&mut self, at: usize) -> &mut Object {
        if self.objects[at].is_none() {
            let (outer, key) = self.paths.place_of_object(at);
            self.object(outer).insert(key.to_owned(), Value::Null);
            self.order.push(at);
        }
        let size = self.sizes[at];
        self.objects[at].get_or_insert_with(|| Object::with_capacity(size))
    }
}

impl Sink for Document<'_> {
    fn text(&mut self, field: Field, text: &str) {
        self.set(field, text.into());
    }

    fn scalar(&mut self, field: Field, value: Scalar<'_>) {
        self.set(field, value.to_json());
    }

    fn strings(&mut self, field: Field, values: &mut dyn Iterator<Item = &str>) {
        self.set(field, values.collect());
    }

    fn subtree(&mut self, field: Field, value: Subtree<'_>) {
        self.set(field, value.to_json());
    }

    fn subtrees(&mut self, field: Field, values: &mut dyn Iterator<Item = Subtree<'_>>) {
        self.set(field, values.map(Subtree::to_json).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_lies_in_another() {
        for version in [Version::V8_9, Version::V2_24, Version::Filebeat] {
            let paths: Vec<&str> = Field::ALL.iter().map(|field| field.path(version)).collect();
            for path in &paths {
                let inside = |it: &&&str| it.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
                assert_eq!(paths.iter().find(inside), None, "{path}");
            }
        }
    }
}
