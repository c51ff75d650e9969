//! Hashes of the parts of a file that are read apart.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::file::metadata::ParquetMetaData;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// How long the end of a file is that says how long its metadata is.
pub(crate) const TAIL: u64 = 8;

/// The hashes of a file: that of its metadata, those of its column chunks, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksums {
    /// Of what stands behind this place: the metadata and the tail.
    pub(crate) metadata_at: u64,
    pub(crate) metadata: u64,
    /// By row group and column.
    pub(crate) chunks: Vec<u64>,
    /// Of the whole file.
    pub(crate) file: u128,
}

impl Checksums {
    /// Of a file that was just written, of so many bytes.
    pub(crate) fn of(file: &mut File, size: u64, metadata: &ParquetMetaData) -> std::io::Result<Self> {
        let mut bytes = Vec::with_capacity(size as usize);
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        let mut chunks = Vec::new();
        for group in metadata.row_groups() {
            for column in group.columns() {
                let (start, len) = column.byte_range();
                chunks.push(xxh3_64(&bytes[start as usize..(start + len) as usize]));
            }
        }
        let tail: [u8; 4] = std::array::from_fn(|at| bytes[bytes.len() - TAIL as usize + at]);
        let metadata_at = size - TAIL - u64::from(u32::from_le_bytes(tail));
        let mut whole = Xxh3Default::new();
        whole.update(&bytes);
        Ok(Self {
            metadata_at,
            metadata: xxh3_64(&bytes[metadata_at as usize..]),
            chunks,
            file: whole.digest128(),
        })
    }

    /// As bytes, for the database.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + 8 * self.chunks.len());
        bytes.extend(self.metadata_at.to_le_bytes());
        bytes.extend(self.metadata.to_le_bytes());
        bytes.extend(self.file.to_le_bytes());
        bytes.extend(self.chunks.iter().flat_map(|it| it.to_le_bytes()));
        bytes
    }

    /// From bytes of the database; nothing if these cannot be such.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (metadata_at, rest) = bytes.split_first_chunk::<8>()?;
        let (metadata, rest) = rest.split_first_chunk::<8>()?;
        let (file, rest) = rest.split_first_chunk::<16>()?;
        let (chunks, rest) = rest.as_chunks::<8>();
        rest.is_empty().then(|| Self {
            metadata_at: u64::from_le_bytes(*metadata_at),
            metadata: u64::from_le_bytes(*metadata),
            chunks: chunks.iter().map(|it| u64::from_le_bytes(*it)).collect(),
            file: u128::from_le_bytes(*file),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let sums = Checksums { metadata_at: 7, metadata: 9, chunks: vec![1, u64::MAX], file: 1 << 100 };
        let bytes = sums.to_bytes();
        assert_eq!(Checksums::from_bytes(&bytes), Some(sums));
        assert_eq!(Checksums::from_bytes(&bytes[1..]), None);
        assert_eq!(Checksums::from_bytes(&[]), None);
    }
}
