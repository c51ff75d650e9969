//! Records into documents.

use std::sync::Arc;

use ecs::Object;

use crate::document::{Document, fields};
use crate::emit::emit;
use crate::facts::Facts;
use crate::field::Field;
use crate::options::{Options, ReadAt, Version};
use crate::record::Record;
use crate::scratch::Scratch;

/// Makes events of records. It holds caches: give each thread a clone.
#[derive(Clone, Debug)]
pub struct Normaliser {
    options: Arc<Options>,
    scratch: Scratch,
}

impl Normaliser {
    /// A normaliser with these options.
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options), scratch: Scratch::default() }
    }

    /// The document of a record. Every record has one: that of an unreadable record says what is wrong with it.
    pub fn document(&mut self, record: &Record<'_>, read_at: &ReadAt) -> Object {
        let (options, scratch) = self.parts();
        let mut facts = Facts::new(record, options, read_at);
        let mut sizes = std::mem::take(&mut scratch.sizes);
        let mut document = Document::new(options.version, &mut sizes);
        for &field in fields(options.version) {
            emit(field, &mut facts, scratch, &mut document);
            // The older package makes the object before it looks for payloads, and leaves it empty if there are none.
            if field == Field::FlattenedServiceEventDetails && options.version == Version::V2_24 {
                document.keep_object_of(field);
            }
        }
        let document = document.finish();
        scratch.sizes = sizes;
        document
    }

    pub(crate) fn parts(&mut self) -> (&Options, &mut Scratch) {
        (&self.options, &mut self.scratch)
    }
}
