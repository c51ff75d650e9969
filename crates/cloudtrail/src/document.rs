//! Fields into a document.

use ecs::{Object, Scalar};
use serde_json::Value;

use crate::emit::Sink;
use crate::field::Field;
use crate::options::Version;
use crate::subtree::Subtree;
use crate::tree::scalar_to_json;

/// A document that is being made: nested objects, keys in the order the fields come.
pub(crate) struct Document {
    pub(crate) root: Object,
    pub(crate) version: Version,
}

impl Document {
    fn set(&mut self, field: Field, value: Value) {
        let mut object = &mut self.root;
        let mut rest = field.path(self.version);
        while let Some((key, below)) = rest.split_once('.') {
            let entry = object.entry(key).or_insert_with(|| Object::new().into());
            let Value::Object(inner) = entry else { return };
            (object, rest) = (inner, below);
        }
        object.insert(rest.to_owned(), value);
    }
}

impl Sink for Document {
    fn text(&mut self, field: Field, text: &str) {
        self.set(field, text.into());
    }

    fn scalar(&mut self, field: Field, value: Scalar<'_>) {
        self.set(field, scalar_to_json(value));
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
