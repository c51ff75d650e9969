//! Pieces of guides, each once: hundreds of alerts are investigated by the steps of a few rules.

use std::collections::HashMap;
use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

/// Pieces that are shorter stand where they are.
const PART_MIN: usize = 200;

/// The pieces.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By their hashes: all of them together are most of a page.
    places: HashMap<[u8; 32], usize>,
    all: Vec<String>,
    /// Bytes of all of them.
    bytes: usize,
}

impl Parts {
    /// What stands for a piece: the script puts the piece in its place.
    pub(super) fn put(&mut self, html: String) -> String {
        if html.len() < PART_MIN {
            return html;
        }
        let next = self.all.len();
        let place = *self.places.entry(Sha256::digest(&html).into()).or_insert(next);
        if place == next {
            self.bytes += html.len();
            self.all.push(html);
        }
        format!("<i data-part=\"{place}\"></i>\n")
    }

    /// How large they are.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes them, a template each.
    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        for (place, html) in self.all.iter().enumerate() {
            to.write_all(format!("<template id=\"part-{place}\">\n{html}</template>\n").as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_there_once() {
        let mut parts = Parts::default();
        let (one, other) = ("<p>one</p>".repeat(50), "<p>other</p>".repeat(50));
        let places = [&one, &other, &one].map(|it| parts.put(it.clone()));
        assert_eq!(places[0], places[2]);
        assert_ne!(places[0], places[1]);
        assert_eq!(parts.put("<p>short</p>".to_owned()), "<p>short</p>");
        let mut out = Vec::new();
        parts.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("<template id=\"part-").count(), 2, "{text}");
        assert!(text.contains(&one) && text.contains(&other));
    }
}
