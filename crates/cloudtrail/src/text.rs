//! Fields into a document of JSON texts.

use ecs::Scalar;
use ecs::text::{Kind, TextDocument, TextValue};

use crate::emit::Sink;
use crate::field::Field;
use crate::subtree::Subtree;

impl Sink for TextDocument {
    fn text(&mut self, field: Field, text: &str) {
        self.set(field as usize, Kind::Scalar, |out| out.text(text));
    }

    fn scalar(&mut self, field: Field, value: Scalar<'_>) {
        self.set(field as usize, Kind::Scalar, |out| out.scalar(value));
    }

    fn strings(&mut self, field: Field, values: &mut dyn Iterator<Item = &str>) {
        self.set(field as usize, Kind::Texts, |out| out.list(values, TextValue::text));
    }

    fn subtree(&mut self, field: Field, value: Subtree<'_>) {
        self.set(field as usize, Kind::Tree, |out| value.write_json(out));
    }

    fn subtrees(&mut self, field: Field, values: &mut dyn Iterator<Item = Subtree<'_>>) {
        self.set(field as usize, Kind::Tree, |out| out.list(values, |out, value| value.write_json(out)));
    }
}
