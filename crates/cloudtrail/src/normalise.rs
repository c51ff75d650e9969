//! Records into documents.

use std::sync::Arc;

use ecs::{Object, TextDocument};

use crate::document::{Document, Fields, fields};
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
            if leaves_object(options.version, field) {
                document.keep_object_of(field);
            }
        }
        let document = document.finish();
        scratch.sizes = sizes;
        document
    }

    /// Gives a document, which has nothing yet, these fields of a record. With all of them it is written as
    /// [`Normaliser::document`] is, at a fraction of the cost.
    pub fn text(
        &mut self,
        record: &Record<'_>,
        read_at: &ReadAt,
        fields: &Fields,
        document: &mut TextDocument,
    ) {
        let (options, scratch) = self.parts();
        let mut facts = Facts::new(record, options, read_at);
        for field in fields.iter() {
            emit(field, &mut facts, scratch, document);
            if leaves_object(options.version, field) {
                document.keep_object_of(field as usize);
            }
        }
    }

    pub(crate) fn parts(&mut self) -> (&Options, &mut Scratch) {
        (&self.options, &mut self.scratch)
    }
}

/// Whether the object that the field lies in stays, if empty. The older package makes that of the payloads' copies
/// before it looks for payloads.
fn leaves_object(version: Version, field: Field) -> bool {
    field == Field::FlattenedServiceEventDetails && version == Version::V2_24
}
