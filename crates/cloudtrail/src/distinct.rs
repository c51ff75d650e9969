//! Lists without repeats.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

/// Up to this length, looking through the list beats hashing.
const SCANNED: usize = 16;

/// Texts without repeats and without empty ones, in the order they were added.
#[derive(Debug, Default)]
pub(crate) struct Distinct<'a> {
    texts: Vec<Cow<'a, str>>,
    /// All texts, once there are many.
    index: FxHashSet<Cow<'a, str>>,
}

impl<'a> Distinct<'a> {
    /// Adds a text. Returns whether it was new.
    pub(crate) fn insert(&mut self, text: impl Into<Cow<'a, str>>) -> bool {
        let text = text.into();
        let new = !text.is_empty()
            && if self.texts.len() <= SCANNED {
                !self.texts.contains(&text)
            } else {
                if self.index.is_empty() {
                    self.index.extend(self.texts.iter().cloned());
                }
                self.index.insert(text.clone())
            };
        if new {
            self.texts.push(text);
        }
        new
    }

    /// Adds a text if there is one.
    pub(crate) fn insert_some(&mut self, text: Option<impl Into<Cow<'a, str>>>) {
        if let Some(text) = text {
            self.insert(text);
        }
    }

    /// The texts.
    pub(crate) fn as_slice(&self) -> &[Cow<'a, str>] {
        &self.texts
    }

    /// The texts in the order of their UTF-16 code units.
    pub(crate) fn sorted(self) -> Vec<Cow<'a, str>> {
        let mut texts = self.texts;
        if texts.iter().all(|text| text.is_ascii()) {
            texts.sort_unstable();
        } else {
            texts.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_left_out_however_many_there_are() {
        let mut it = Distinct::default();
        for round in 0..3 {
            for number in 0..100 {
                assert_eq!(it.insert(number.to_string()), round == 0);
            }
        }
        assert!(!it.insert(""));
        assert_eq!(it.as_slice().len(), 100);
        assert_eq!(it.as_slice()[99], "99");
    }

    #[test]
    fn the_order_is_that_of_utf_16() {
        for (texts, sorted) in [
            (vec!["b", "B", "ab"], vec!["B", "ab", "b"]),
            (vec!["b", "B", "\u{ff5e}", "\u{1f600}"], vec!["B", "b", "\u{1f600}", "\u{ff5e}"]),
        ] {
            let mut it = Distinct::default();
            for text in texts {
                it.insert(text);
            }
            assert_eq!(it.sorted(), sorted);
        }
    }
}
