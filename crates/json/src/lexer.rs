//! What is inside of strings, block by block.

use crate::mask::Masks;
use crate::pass::Machine;

/// Every second bit, from the second on.
const ODD_BITS: u64 = 0xAAAA_AAAA_AAAA_AAAA;

/// Goes over a text in blocks and tells strings from what stands between them.
#[derive(Clone, Debug, Default)]
pub struct Lexer {
    /// All ones while inside a string, else zero.
    in_string: u64,
    /// 1 if the next byte is escaped.
    next_escaped: u64,
    /// 1 if the last byte belonged to a number or word.
    in_word: u64,
}

/// The tokens of a block, one bit a byte.
#[derive(Clone, Copy, Debug)]
pub struct Lexed {
    /// Bytes of strings, from the opening quote up to, but without, the closing one.
    pub inside: u64,
    /// Opening quotes.
    pub opening: u64,
    /// Closing quotes.
    pub closing: u64,
    /// `{` and `[` outside of strings.
    pub open: u64,
    /// `}` and `]` outside of strings.
    pub close: u64,
    /// Where numbers and words start, and whatever else stands where one could.
    pub words: u64,
}

impl Lexed {
    /// All places that [`Tokens`](crate::Tokens) hold.
    #[inline(always)]
    pub fn tokens(&self) -> u64 {
        self.opening | self.closing | self.open | self.close | self.words
    }
}

impl Lexer {
    /// The next block.
    #[inline(always)]
    pub fn block(&mut self, machine: &impl Machine, m: &Masks) -> Lexed {
        let escaped = self.escaped(m.backslash);
        let quotes = m.quote & !escaped;
        let inside = machine.prefix_xor(quotes) ^ self.in_string;
        let word = !(inside | quotes | m.open | m.close | m.gap);
        let lexed = Lexed {
            inside,
            opening: quotes & inside,
            closing: quotes & !inside,
            open: m.open & !inside,
            close: m.close & !inside,
            words: word & !(word << 1 | self.in_word),
        };
        self.in_string = ((inside as i64) >> 63) as u64;
        self.in_word = word >> 63;
        lexed
    }

    /// Which bytes are escaped: those after an odd number of backslashes.
    #[inline(always)]
    fn escaped(&mut self, backslash: u64) -> u64 {
        if backslash == 0 {
            return std::mem::take(&mut self.next_escaped);
        }
        // Backslashes that are not escaped themselves start a run; the carry of the subtraction runs to its end.
        let starts = backslash & !self.next_escaped;
        let even_runs = (starts << 1 | ODD_BITS).wrapping_sub(starts);
        let ends = even_runs ^ ODD_BITS;
        let escaped = ends ^ (backslash | self.next_escaped);
        self.next_escaped = (ends & backslash) >> 63;
        escaped
    }
}
