//! Where an event was read.

/// Where an event was read from, so that its full document can be built again when it alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The input, as the reader numbers them.
    pub input: u32,
    /// The record within the input.
    pub ordinal: u64,
}
