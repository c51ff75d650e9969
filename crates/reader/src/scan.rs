//! Finds where a JSON value ends, without parsing it.

#![expect(clippy::inline_always, reason = "compiled once for each kind of processor, that of the caller")]

use crate::mask::{BLOCK, Masks, masks};

/// What ended a call of [`Scanner::scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value goes on; the next call starts at this position.
    More(usize),
    /// The value's last byte is the one before this position.
    End(usize),
    /// The text cannot be JSON here.
    Broken(usize),
    /// The value nests deeper than allowed here.
    TooDeep(usize),
}

/// Reads an object or array from its first bracket to the matching one, over as many pieces of text as it takes.
///
/// Every byte of every input passes through here, so it works on blocks of 64 bytes as bit masks and looks at
/// single brackets only in blocks where the value may end. Beside counting brackets outside of strings it
/// checks what costs nothing at this width and finds almost every damage at once: what stands before and after each
/// string, line feeds inside strings, backslashes outside, an object that starts a line where none can.
/// Whether the value is JSON in every respect is for the parser to say.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    depth: u32,
    max_depth: u32,
    /// All ones while inside a string, else zero.
    in_string: u64,
    /// 1 if the next byte is escaped.
    next_escaped: u64,
    /// 1 if the last byte closed a string.
    last_closed: u64,
    /// 1 if a string may start at the next byte.
    may_open: u64,
    /// 1 if the last byte was a line feed.
    last_newline: u64,
    high: u64,
}

/// How much white space is passed over backwards to see what stands before something. Callers hold that much of the text
/// before the place where they scan, if there is as much.
pub(crate) const LOOK_BACK_BYTES: usize = 256;

/// Every second bit, from the second on.
const ODD_BITS: u64 = 0xAAAA_AAAA_AAAA_AAAA;

impl Scanner {
    /// A scanner that stands before a value, `depth` brackets deep in another one whose end is meant.
    pub(crate) fn new(depth: u32, max_depth: u32) -> Self {
        Self {
            depth,
            max_depth,
            in_string: 0,
            next_escaped: 0,
            last_closed: 0,
            may_open: 1,
            last_newline: 0,
            high: 0,
        }
    }

    /// Whether a byte beyond ASCII was seen.
    pub(crate) fn saw_non_ascii(&self) -> bool {
        self.high != 0
    }

    /// Reads on at `from`. With `last`, `text` ends the input; otherwise up to 63 bytes are left for the next call,
    /// which starts where [`Step::More`] says.
    pub(crate) fn scan(&mut self, text: &[u8], from: usize, last: bool) -> Step {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
        {
            #[expect(unsafe_code, reason = "vector instructions")]
            // SAFETY: just asked for.
            return unsafe { self.scan_avx2(text, from, last) };
        }
        self.scan_with(text, from, last, masks)
    }

    /// [`Scanner::scan`], compiled with all that processors have had since 2013.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn scan_avx2(&mut self, text: &[u8], from: usize, last: bool) -> Step {
        self.scan_with(text, from, last, |block| crate::mask::avx2(block))
    }

    // Inlined so that it is compiled for the processor of its caller.
    #[inline(always)]
    fn scan_with(
        &mut self,
        text: &[u8],
        from: usize,
        last: bool,
        masks: impl Fn(&[u8; BLOCK]) -> Masks,
    ) -> Step {
        let (blocks, rest) = text[from..].as_chunks::<BLOCK>();
        let mut at = from;
        for block in blocks {
            if let Some(step) = self.block(text, at, &masks(block)) {
                return step;
            }
            at += BLOCK;
        }
        if last && !rest.is_empty() {
            // Spaces end no value and break none.
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            if let Some(step) = self.block(text, at, &masks(&block)) {
                return step;
            }
            at = text.len();
        }
        Step::More(at)
    }

    /// One block, which starts at `at`. `None` if the value goes on.
    #[inline(always)]
    fn block(&mut self, text: &[u8], at: usize, m: &Masks) -> Option<Step> {
        let escaped = self.escaped(m.backslash);
        let quotes = m.quote & !escaped;
        let inside = prefix_xor(quotes) ^ self.in_string;
        let opening = quotes & inside;
        let closing = quotes & !inside;
        let open = m.open & !inside;
        let close = m.close & !inside;

        let after_close = closing << 1 | self.last_closed;
        let before_open = (m.gap | m.open) << 1 | self.may_open;
        let faults = after_close & !(m.gap | m.close)
            | opening & !before_open
            | m.newline & inside
            | m.backslash & !inside;
        let line_starts = open & (m.newline << 1 | self.last_newline);

        // Nearly always there is nothing wrong and the value cannot end in this block.
        let (opens, closes) = (open.count_ones(), close.count_ones());
        let plain = faults | line_starts == 0;
        if plain && closes < self.depth && self.depth.saturating_add(opens) <= self.max_depth {
            self.depth = self.depth + opens - closes;
        } else if let Some(step) = self.brackets(text, at, open, close, faults, line_starts) {
            return Some(step);
        }

        self.in_string = ((inside as i64) >> 63) as u64;
        self.last_closed = closing >> 63;
        self.may_open = (m.gap | m.open) >> 63;
        self.last_newline = m.newline >> 63;
        self.high |= m.high;
        None
    }

    /// Goes through the brackets of a block one by one.
    fn brackets(
        &mut self,
        text: &[u8],
        at: usize,
        open: u64,
        close: u64,
        faults: u64,
        line_starts: u64,
    ) -> Option<Step> {
        let fault = faults.trailing_zeros();
        // Only what comes before the first fault is to be trusted.
        let trusted = if fault < 64 { (1 << fault) - 1 } else { u64::MAX };
        let mut brackets = (open | close) & trusted;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let place = at + bit.trailing_zeros() as usize;
            if close & bit != 0 {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.high |= non_ascii(&text[at..place]);
                    return Some(Step::End(place + 1));
                }
            } else {
                if line_starts & bit != 0 && self.depth > 0 && cannot_start(&text[..place]) {
                    return Some(Step::Broken(place));
                }
                self.depth = self.depth.saturating_add(1);
                if self.depth > self.max_depth {
                    return Some(Step::TooDeep(place));
                }
            }
            brackets ^= bit;
        }
        (fault < 64).then_some(Step::Broken(at + fault as usize))
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

/// Bit `i` of the result says whether an odd number of bits up to and including `i` is set.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

/// Whether a bracket cannot stand after `before`: inside a value only a comma, a colon or an opening bracket may
/// precede it. A new record on the next line then tells that the one before has lost a bracket.
fn cannot_start(before: &[u8]) -> bool {
    let last = before.iter().rev().take(LOOK_BACK_BYTES).find(|&&byte| byte > b' ');
    !matches!(last, Some(b',' | b':' | b'[' | b'{') | None)
}

/// Not zero if a byte is not ASCII.
fn non_ascii(bytes: &[u8]) -> u64 {
    u64::from(!bytes.is_ascii())
}
