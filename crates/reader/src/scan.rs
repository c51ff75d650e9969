//! Finds where a JSON value ends, without parsing it.

#![expect(clippy::inline_always, reason = "compiled once for each kind of processor, that of the caller")]

use json::{BLOCK, Lexed, Lexer, Machine, Pass, Tokens};

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
    lexer: Lexer,
    /// 1 if the last byte closed a string.
    last_closed: u64,
    /// 1 if a string may start at the next byte.
    may_open: u64,
    /// 1 if the last byte was a line feed.
    last_newline: u64,
    high: u64,
}

/// Where a value starts, and where its tokens go.
type Note<'t> = Option<(usize, &'t mut Tokens)>;

/// One call of a scanner.
struct Scan<'s> {
    scanner: &'s mut Scanner,
    text: &'s [u8],
    from: usize,
    last: bool,
    note: Note<'s>,
}

impl Pass for Scan<'_> {
    type Output = Step;

    #[inline(always)]
    fn run(self, machine: &impl Machine) -> Step {
        let Self { scanner, text, from, last, mut note } = self;
        // What nobody else can see can live in registers.
        let mut state = scanner.clone();
        let step = state.blocks(machine, text, from, last, &mut note);
        *scanner = state;
        step
    }
}

/// How much white space is passed over backwards to see what stands before something. Callers hold that much of the text
/// before the place where they scan, if there is as much.
pub(crate) const LOOK_BACK_BYTES: usize = 256;

impl Scanner {
    /// A scanner that stands before a value, `depth` brackets deep in another one whose end is meant.
    pub(crate) fn new(depth: u32, max_depth: u32) -> Self {
        Self {
            depth,
            max_depth,
            lexer: Lexer::default(),
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
        self.scan_noting(text, from, last, None)
    }

    /// As [`Scanner::scan`]; also notes the tokens of the value, which starts at `start`.
    pub(crate) fn scan_tokens(
        &mut self,
        text: &[u8],
        from: usize,
        last: bool,
        start: usize,
        tokens: &mut Tokens,
    ) -> Step {
        self.scan_noting(text, from, last, Some((start, tokens)))
    }

    fn scan_noting(&mut self, text: &[u8], from: usize, last: bool, note: Note<'_>) -> Step {
        json::run(Scan { scanner: self, text, from, last, note })
    }

    #[inline(always)]
    fn blocks(
        &mut self,
        machine: &impl Machine,
        text: &[u8],
        from: usize,
        last: bool,
        note: &mut Note<'_>,
    ) -> Step {
        let (blocks, rest) = text[from..].as_chunks();
        let mut at = from;
        for block in blocks {
            if let Some(step) = self.block(machine, text, at, block, note) {
                return step;
            }
            at += BLOCK;
        }
        if last && !rest.is_empty() {
            // Spaces end no value and break none.
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            if let Some(step) = self.block(machine, text, at, &block, note) {
                return step;
            }
            at = text.len();
        }
        Step::More(at)
    }
    /// One block, which starts at `at`. `None` if the value goes on.
    #[inline(always)]
    fn block(
        &mut self,
        machine: &impl Machine,
        text: &[u8],
        at: usize,
        block: &[u8; BLOCK],
        note: &mut Note<'_>,
    ) -> Option<Step> {
        let m = &machine.masks(block);
        let lexed = self.lexer.block(machine, m);
        let Lexed { inside, opening, closing, open, close, .. } = lexed;

        let after_close = closing << 1 | self.last_closed;
        let before_open = (m.gap | m.open) << 1 | self.may_open;
        let mut faults = after_close & !(m.gap | m.close) | opening & !before_open;
        let mut line_starts = open & self.last_newline;
        if m.newline | m.backslash != 0 {
            faults |= m.newline & inside | m.backslash & !inside;
            line_starts |= open & m.newline << 1;
        }

        // Nearly always there is nothing wrong and the value cannot end in this block.
        let (opens, closes) = (open.count_ones(), close.count_ones());
        let plain = faults | line_starts == 0;
        let (mut ended, mut counts) = (None, u64::MAX);
        if plain && closes < self.depth && self.depth.saturating_add(opens) <= self.max_depth {
            self.depth = self.depth + opens - closes;
        } else {
            let brackets = Brackets { open, close, faults, line_starts };
            (self.depth, ended) = brackets.walk(text, at, self.depth, self.max_depth);
            if let Some(Step::End(end)) = ended
                && end < at + BLOCK
            {
                counts = (1 << (end - at)) - 1;
            }
        }
        self.high |= m.high & counts;
        if let Some((start, tokens)) = note {
            tokens.add(machine, (at - *start) as u32, m, &lexed, counts);
        }
        if ended.is_some() {
            return ended;
        }

        self.last_closed = closing >> 63;
        self.may_open = (m.gap | m.open) >> 63;
        self.last_newline = m.newline >> 63;
        None
    }
}

/// What is to be known of a block in which the value may end.
struct Brackets {
    open: u64,
    close: u64,
    faults: u64,
    /// Opening brackets at the start of a line.
    line_starts: u64,
}

impl Brackets {
    /// Goes through the brackets one by one, from this depth on. Gives the depth, and how the value ended if it did.
    fn walk(&self, text: &[u8], at: usize, mut depth: u32, max_depth: u32) -> (u32, Option<Step>) {
        let fault = self.faults.trailing_zeros();
        // Only what comes before the first fault is to be trusted.
        let trusted = if fault < 64 { (1 << fault) - 1 } else { u64::MAX };
        let mut brackets = (self.open | self.close) & trusted;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let place = at + bit.trailing_zeros() as usize;
            if self.close & bit != 0 {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (depth, Some(Step::End(place + 1)));
                }
            } else {
                if self.line_starts & bit != 0 && depth > 0 && cannot_start(&text[..place]) {
                    return (depth, Some(Step::Broken(place)));
                }
                depth = depth.saturating_add(1);
                if depth > max_depth {
                    return (depth, Some(Step::TooDeep(place)));
                }
            }
            brackets ^= bit;
        }
        (depth, (fault < 64).then_some(Step::Broken(at + fault as usize)))
    }
}

/// Whether a bracket cannot stand after `before`: inside a value only a comma, a colon or an opening bracket may
/// precede it. A new record on the next line then tells that the one before has lost a bracket.
fn cannot_start(before: &[u8]) -> bool {
    let last = before.iter().rev().take(LOOK_BACK_BYTES).find(|&&byte| byte > b' ');
    !matches!(last, Some(b',' | b':' | b'[' | b'{') | None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scans a text of which ever more is held; the tokens are noted.
    struct Growing<'a> {
        text: &'a [u8],
        grows: usize,
    }

    /// How it ended, the tokens, and whether there was something beyond ASCII.
    type Outcome = (Step, Tokens, bool);

    impl Pass for Growing<'_> {
        type Output = Outcome;

        fn run(self, machine: &impl Machine) -> Outcome {
            let (mut scanner, mut tokens) = (Scanner::new(0, 6), Tokens::default());
            let (mut from, mut held) = (0, 0);
            loop {
                held = (held + self.grows).min(self.text.len());
                let last = held == self.text.len();
                let text = &self.text[..held];
                let note = Some((0, &mut tokens));
                let step = Scan { scanner: &mut scanner, text, from, last, note }.run(machine);
                match step {
                    Step::More(to) if !last => from = to,
                    _ => return (step, tokens, scanner.saw_non_ascii()),
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        /// Every processor finds the same end, and what is noted about a value is about all of it and nothing else.
        #[test]
        fn processors_agree(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "\"k\"", ",", ":", "\n", " ", "1", "\"a longer string, with {brackets}\"",
                "\"\\\\\"", "\"\\\"\"", "\\", "\"", "\0", "\"ä\"", "\u{1F600}", "{\"k\":[{\"k\":1}]}", "\"\t\"",
            ]), 0..80),
            grows in 1usize..200,
        ) {
            // A value that is whole at times, with whatever behind it.
            let text = format!("{{\"k\":[{}]}}]}}é", pieces.concat());
            let text = text.as_bytes();
            let found = json::run_each(|| Growing { text, grows });
            let (step, tokens, high) = &found[0].1;
            if let Step::End(end) = *step {
                let value = std::str::from_utf8(&text[..end]).expect("brackets are ASCII");
                prop_assert_eq!(tokens, &Tokens::of(value));
                prop_assert_eq!(*high, !value.is_ascii());
            }
            for (way, outcome) in &found[1..] {
                prop_assert_eq!(outcome, &found[0].1, "{}", way);
            }
        }
    }
}
