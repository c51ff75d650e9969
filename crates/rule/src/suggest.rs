//! The known name that a mistyped one resembles.

/// The nearest of `known`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_LENGTH {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len().abs_diff(name.len()) <= allowed(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        // A name of one or two letters is not meant by just any other.
        .filter(|(distance, candidate)| *distance <= allowed(candidate) && *distance * 2 < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer names are no typing mistakes, and comparing them would take long.
const MAX_LENGTH: usize = 128;

/// How many mistakes a name of this length may have.
fn allowed(candidate: &str) -> usize {
    match candidate.len() {
        0..=3 => 1,
        4..=8 => 2,
        9..=20 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_enough() {
        let known = ["severity", "risk_score", "from", "query"];
        assert_eq!(nearest("serverity", known), Some("severity"));
        assert_eq!(nearest("Risk_Score", known), Some("risk_score"));
        assert_eq!(nearest("form", known), Some("from"));
        assert_eq!(nearest("enabled", known), None);
        assert_eq!(nearest("", known), None);
    }
}
