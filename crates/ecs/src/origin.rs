//! Where an event was read.

/// Where an event was read from, so that its full document can be built again when it alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The input, as the reader numbers them.
    pub input: u32,
    /// The record within the input.
    pub ordinal: u64,
}

impl Origin {
    /// The input of alerts that a hunt itself raised: they were read nowhere.
    pub const ALERTS: u32 = u32::MAX;

    /// Whether it is an alert that the hunt itself raised.
    pub const fn is_alert(self) -> bool {
        self.input == Self::ALERTS
    }
}
