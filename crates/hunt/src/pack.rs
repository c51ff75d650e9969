//! Records that lie packed in memory.

use std::collections::HashSet;

use detect::Origin;
use sift::Kind;
use zstd::bulk::{Compressor, Decompressor};

use crate::keep::Kept;

/// Text that is packed at a time: much finds more that is alike, and all of it is unpacked for one record.
const PACK_BYTES: usize = 256 << 10;
/// The quickest level that still looks for what is alike everywhere in the text.
const LEVEL: i32 = 1;

/// Some records, packed together.
pub(crate) struct Pack {
    /// Each with the length of its text.
    records: Box<[(Origin, Kind, usize)]>,
    /// Of all texts, one after the other.
    text_bytes: usize,
    packed: Box<[u8]>,
}

impl Pack {
    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.packed.len() + size_of_val(&*self.records) + size_of::<Self>()
    }

    /// Those of its records that are wanted.
    pub(crate) fn into_records(self, wanted: &HashSet<Origin>) -> Vec<(Origin, Kept)> {
        if !self.records.iter().any(|(origin, ..)| wanted.contains(origin)) {
            return Vec::new();
        }
        // What does not come out as it went in counts as not kept: it is read again.
        let unpacked = Decompressor::new().and_then(|mut it| it.decompress(&self.packed, self.text_bytes));
        let Ok(text) = unpacked.map_err(drop).and_then(|it| String::from_utf8(it).map_err(drop)) else {
            return Vec::new();
        };
        let mut rest = text.as_str();
        let mut records = Vec::new();
        for &(origin, kind, length) in &self.records {
            let Some((text, behind)) = rest.split_at_checked(length) else { break };
            rest = behind;
            if wanted.contains(&origin) {
                records.push((origin, Kept { kind, text: text.into() }));
            }
        }
        records
    }
}

/// Packs records. Keeps what that takes in memory from one time to the next.
#[derive(Default)]
pub(crate) struct Packer {
    compressor: Option<Compressor<'static>>,
    text: String,
}

impl Packer {
    /// The records, packed. Those that cannot be packed are not among them.
    pub(crate) fn pack(&mut self, records: Vec<(Origin, Kept)>) -> Vec<Pack> {
        let (mut packs, mut together) = (Vec::new(), Vec::new());
        self.text.clear();
        for (origin, kept) in records {
            self.text.push_str(&kept.text);
            together.push((origin, kept.kind, kept.text.len()));
            if self.text.len() >= PACK_BYTES {
                packs.extend(self.pack_text(std::mem::take(&mut together)));
            }
        }
        if !together.is_empty() {
            packs.extend(self.pack_text(together));
        }
        packs
    }

    /// Packs the text, which is that of these records, and empties it.
    fn pack_text(&mut self, records: Vec<(Origin, Kind, usize)>) -> Option<Pack> {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(LEVEL).ok();
        }
        let packed = self.compressor.as_mut()?.compress(self.text.as_bytes()).ok();
        let text_bytes = self.text.len();
        self.text.clear();
        Some(Pack { records: records.into(), text_bytes, packed: packed?.into() })
    }
}
