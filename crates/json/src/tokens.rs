//! Where the tokens of a text are.

use std::ops::Range;

use crate::lexer::{Lexed, Lexer};
use crate::mask::{BLOCK, Masks};
use crate::pass::{self, Machine, Pass};

/// The places of brackets, quotes and first bytes of numbers and words of one text, in order. What stands between them is
/// white space, commas and colons, or the rest of strings and words.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The first `len` count; the others are space to write to.
    places: Vec<u32>,
    len: usize,
    /// All backslashes are in here.
    escapes: Range<u32>,
    has_controls: bool,
}

/// Enough for most records.
const FIRST_PLACES: usize = 1024;

impl Tokens {
    /// The tokens of a whole text.
    pub fn of(text: &str) -> Self {
        let mut tokens = Self::default();
        tokens.read(text);
        tokens
    }

    /// Takes the tokens of a whole text in place of those held.
    pub fn read(&mut self, text: &str) {
        self.clear();
        pass::run(Whole { tokens: self, text: text.as_bytes() });
    }

    /// Forgets everything but the space.
    pub fn clear(&mut self) {
        self.len = 0;
        self.escapes = 0..0;
        self.has_controls = false;
    }

    /// The places.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places[..self.len]
    }

    /// The part of the text that holds all of its backslashes.
    pub(crate) fn escapes(&self) -> Range<usize> {
        self.escapes.start as usize..self.escapes.end as usize
    }

    /// Whether strings hold control characters, which JSON does not allow.
    pub(crate) fn has_controls(&self) -> bool {
        self.has_controls
    }

    /// Adds the tokens of a block that starts at `at`; only bytes in `counts` do count.
    #[inline(always)]
    pub fn add(&mut self, machine: &impl Machine, at: u32, masks: &Masks, lexed: &Lexed, counts: u64) {
        if (masks.backslash | masks.control) & counts != 0 {
            self.note_rare(at, masks.backslash & counts, masks.control & lexed.inside & counts);
        }
        let bits = lexed.tokens() & counts;
        if self.places.len() < self.len + BLOCK {
            self.places.resize((self.len + BLOCK).next_power_of_two().max(FIRST_PLACES), 0);
        }
        if let Some(space) = self.places[self.len..].first_chunk_mut() {
            machine.places(at, bits, space);
        }
        self.len += bits.count_ones() as usize;
    }

    #[cold]
    fn note_rare(&mut self, at: u32, backslash: u64, control: u64) {
        if backslash != 0 {
            let start = if self.escapes.is_empty() { at } else { self.escapes.start };
            self.escapes = start..at.saturating_add(BLOCK as u32);
        }
        self.has_controls |= control != 0;
    }
}

impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        let parts = |it: &Self| (it.escapes.clone(), it.has_controls);
        self.places() == other.places() && parts(self) == parts(other)
    }
}

impl Eq for Tokens {}

/// A text that is gone over for its tokens alone.
struct Whole<'a> {
    tokens: &'a mut Tokens,
    text: &'a [u8],
}

impl Pass for Whole<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, machine: &impl Machine) {
        let mut lexer = Lexer::default();
        let (blocks, rest) = self.text.as_chunks();
        // Spaces are no tokens.
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        // A closure for both would not be compiled for the processor.
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let masks = machine.masks(block);
            let lexed = lexer.block(machine, &masks);
            self.tokens.add(machine, (number * BLOCK) as u32, &masks, &lexed, u64::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens, one byte after the other.
    fn naive(text: &[u8]) -> Vec<u32> {
        let (mut places, mut in_string, mut in_word, mut escaped) = (Vec::new(), false, false, false);
        for (at, &byte) in text.iter().enumerate() {
            let quote = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            let is_token = if in_string {
                in_string = !quote;
                quote
            } else {
                in_string = quote;
                let was_in_word = std::mem::replace(&mut in_word, false);
                match byte {
                    b'{' | b'}' | b'[' | b']' => true,
                    _ if quote => true,
                    0..=b' ' | b',' | b':' => false,
                    _ => {
                        in_word = true;
                        !was_in_word
                    }
                }
            };
            if is_token {
                places.push(at as u32);
            }
        }
        places
    }

    /// The tokens of a text, in whatever way.
    struct Fresh<'a>(&'a [u8]);

    impl Pass for Fresh<'_> {
        type Output = Tokens;

        fn run(self, machine: &impl Machine) -> Tokens {
            let mut tokens = Tokens::default();
            Whole { tokens: &mut tokens, text: self.0 }.run(machine);
            tokens
        }
    }

    proptest! {
        /// Strings, words, escapes and what they leave behind for the next block: alike on every processor.
        #[test]
        fn processors_agree_on_texts(
            text in r#"([a-z0-9]|"|\\\\|\\"|\\|[\[\]{},: ]|\n|\x00|ä|.){0,300}"#,
        ) {
            for (way, tokens) in pass::run_each(|| Fresh(text.as_bytes())) {
                prop_assert_eq!(tokens.places(), naive(text.as_bytes()), "{}", way);
                prop_assert_eq!(tokens, Tokens::of(&text), "{}", way);
            }
        }
    }

    #[test]
    fn what_is_in_strings_is_noticed() {
        assert!(Tokens::of("{\"a\":\"\t\"}").has_controls());
        assert!(!Tokens::of("{\t\"a\":\"t\"}").has_controls(), "white space may stand between tokens");
        let text = format!("{{\"a\":\"{}\\n\"}}", "x".repeat(200));
        let at = text.find('\\').unwrap();
        assert!(Tokens::of(&text).escapes().contains(&at));
        assert!(Tokens::of("{\"a\":\"b\"}").escapes().is_empty());
    }
}
