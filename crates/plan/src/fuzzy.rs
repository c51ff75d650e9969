//! Texts that differ a little.

/// Whether a text differs from what is wanted by so many edits at most: a character more, less, another, or two
/// neighbours swapped, where no part is edited twice. As in Lucene, short texts may have nothing in common and be close:
/// `a` is one edit from `b`, and from the empty text.
pub(crate) fn is_close(wanted: &[char], text: &str, edits: usize) -> bool {
    let least = wanted.len().saturating_sub(edits);
    let most = wanted.len() + edits;
    // A text has no more characters than bytes, and no fewer than a quarter of them.
    if text.len() < least || text.len() > 4 * most {
        return false;
    }
    let text: Vec<char> = text.chars().collect();
    if !(least..=most).contains(&text.len()) {
        return false;
    }
    distance(wanted, &text) <= edits
}

/// The number of edits, by rows of the usual table; the texts are about equally long, so it is small.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &right) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(left != right);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left == b[j - 1] && a[i - 1] == right {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let close =
            |wanted: &str, text: &str, edits| is_close(&wanted.chars().collect::<Vec<_>>(), text, edits);
        for (wanted, text, least) in [
            ("roam", "roam", 0),
            ("rom", "roam", 1),
            ("raom", "roam", 1),
            ("roamed", "roam", 2),
            ("ca", "abc", 3),
            ("münchen", "munchen", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((0..4).find(|edits| close(wanted, text, *edits)), Some(least), "{wanted} {text}");
        }
        assert!(close("a", "b", 1) && close("ab", "xy", 2), "nothing of it need be the same");
        assert!(close("a", "", 1) && close("", "", 0) && !close("ab", "", 1));
        assert!(!close("root", "a much longer text than that", 2));
    }
}
