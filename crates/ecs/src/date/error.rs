//! Why a text is no date.

/// Why a text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The format does not read it.
    #[error("`{text}` is no date of the format {format}; write one like 2024-05-01T10:30:00Z")]
    NotADate {
        /// The text.
        text: String,
        /// The format's name.
        format: String,
    },
    /// What follows `now` or `||` is not date math.
    #[error(
        "`{text}` is no date math: at byte {at} there should be {expected}; write it like `now-7d/d` or \
         `2024-05-01||+1M`"
    )]
    Math {
        /// The whole text.
        text: String,
        /// Where it goes wrong.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The result lies beyond what milliseconds in 64 bits can say.
    #[error("`{text}` lies beyond the dates that can be represented")]
    OutOfRange {
        /// The text.
        text: String,
    },
    /// A date format of a mapping or a query that is not known.
    #[error(
        "the date format `{format}` is not supported; `strict_date_optional_time`, `epoch_millis`, \
         `epoch_second` and patterns of y M d H m s S X are"
    )]
    Format {
        /// The format.
        format: String,
    },
}
