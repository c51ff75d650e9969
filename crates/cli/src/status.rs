//! The exit status: what whoever runs this from a script must know without reading anything.

/// Done.
pub(crate) const DONE: u8 = 0;
/// Done, and it found what it was asked to fail on.
pub(crate) const FOUND: u8 = 1;
/// Could not run, or could read nothing that it has use for.
pub(crate) const FAILED: u8 = 2;
/// Done, with a part of the input unread.
pub(crate) const INCOMPLETE: u8 = 3;

/// What became of the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// There is something that the result stands on: without it nothing found means nothing.
    pub(crate) is_usable: bool,
    /// All of it was read.
    pub(crate) is_complete: bool,
    /// A part that is unread is as bad as all of it.
    pub(crate) strict: bool,
}

/// The status of a run that ended. What was `found` counts more than what is missing: the alert is there.
pub(crate) fn of(found: bool, input: Input) -> u8 {
    match input {
        _ if found => FOUND,
        Input { is_usable: false, .. } | Input { is_complete: false, strict: true, .. } => FAILED,
        Input { is_complete: false, .. } => INCOMPLETE,
        Input { .. } => DONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_counts_most_and_nothing_usable_more_than_a_part() {
        let status =
            |found, is_usable, is_complete, strict| of(found, Input { is_usable, is_complete, strict });
        assert_eq!(status(false, true, true, false), DONE);
        assert_eq!(status(false, true, true, true), DONE);
        assert_eq!(status(false, true, false, false), INCOMPLETE);
        assert_eq!(status(false, true, false, true), FAILED);
        assert_eq!(status(false, false, false, false), FAILED);
        assert_eq!(status(false, false, true, false), FAILED);
        assert_eq!(status(true, true, false, true), FOUND);
    }
}
