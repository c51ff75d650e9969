//! One record: its text, parsed.

use std::{fmt, str};

use json::{Tokens, mend_halves};
use simd_json::{Buffers, INPUT_PADDING, Node, Tape};

use crate::tree::{At, Cleanup, Tree};

/// Deeper records are refused: what walks them recurses, and readers of the documents have limits of their own.
pub const MAX_DEPTH: usize = 100;

/// Longer records are refused: places in a record are kept in 32 bits.
pub const MAX_RECORD_BYTES: usize = 1 << 30;

/// After a longer record the memory it took is given back.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Why the text of a record could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not JSON.
    #[error("the record is not valid JSON at byte {at} ({cause}); compare it with the original delivery")]
    Json {
        /// What the parser says.
        cause: String,
        /// Where in the record, as far as the parser can tell.
        at: usize,
    },
    /// It is JSON, but not an object.
    #[error("the record is JSON, but not an object")]
    NotAnObject,
    /// A hostile record must not exhaust the stack.
    #[error("the record nests deeper than {limit} levels")]
    TooDeep {
        /// [`MAX_DEPTH`].
        limit: usize,
    },
    /// A hostile record must not exhaust the memory.
    #[error("the record is longer than {limit} bytes")]
    TooLong {
        /// [`MAX_RECORD_BYTES`].
        limit: usize,
    },
}

impl ParseError {
    /// A stable code for documentation, tests and interfaces. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "CT001",
            Self::NotAnObject => "CT002",
            Self::TooDeep { .. } => "CT003",
            Self::TooLong { .. } => "CT004",
        }
    }
}

/// The memory that parsing needs; keep it from record to record.
pub struct RecordBuf {
    tokens: Tokens,
    spare: Vec<u8>,
    text: Vec<u8>,
    quoted: Vec<u8>,
    numbers: Vec<usize>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    was_long: bool,
}

impl fmt::Debug for RecordBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBuf").field("capacity", &self.text.capacity()).finish_non_exhaustive()
    }
}

impl Default for RecordBuf {
    fn default() -> Self {
        Self {
            tokens: Tokens::default(),
            spare: Vec::new(),
            text: Vec::new(),
            quoted: Vec::new(),
            numbers: Vec::new(),
            buffers: Buffers::with_max_depth(4096, MAX_DEPTH),
            tape: None,
            was_long: false,
        }
    }
}

/// What became of the text.
#[derive(Debug)]
enum State {
    Object,
    Blank,
    Unreadable(ParseError),
}

/// One record as delivered. It may be unreadable: then [`Record::error`] says why, and its event says so too.
#[derive(Debug)]
pub struct Record<'a> {
    raw: &'a [u8],
    state: State,
    tape: Tape<'a>,
    numbers: &'a [usize],
    home: &'a mut Option<Tape<'static>>,
}

impl RecordBuf {
    /// Reads the text of one record.
    pub fn parse<'a>(&'a mut self, raw: &'a [u8]) -> Record<'a> {
        self.read(raw, str::from_utf8(raw).ok(), None)
    }

    /// Reads the text of one record whose tokens may be known already. Tokens of another text make it slow or
    /// unreadable.
    pub fn parse_with<'a>(&'a mut self, text: &'a str, known: Option<&Tokens>) -> Record<'a> {
        self.read(text.as_bytes(), Some(text), known)
    }

    fn read<'a>(&'a mut self, raw: &'a [u8], valid: Option<&'a str>, known: Option<&Tokens>) -> Record<'a> {
        if self.was_long {
            *self = Self::default();
        }
        self.was_long = raw.len() > KEPT_BYTES_MAX;
        let Self { tokens, spare, text, quoted, numbers, buffers, tape: home, .. } = self;
        let mut tape: Tape<'a> = home.take().map_or_else(Tape::null, Tape::reset);
        numbers.clear();
        let state = if valid.is_some_and(|valid| is_plain(valid, known, tokens, spare, &mut tape)) {
            State::Object
        } else if raw.trim_ascii().is_empty() {
            State::Blank
        } else if raw.len() > MAX_RECORD_BYTES {
            State::Unreadable(ParseError::TooLong { limit: MAX_RECORD_BYTES })
        } else {
            tape = tape.reset();
            text.clear();
            text.extend_from_slice(raw);
            let mut result = fill(text, buffers, &mut tape);
            // Both are rare, and both are asked: `quoted` is the copy that is parsed.
            if result.is_err() && (quote_wide_numbers(raw, quoted, numbers) | mend_halves(quoted)) {
                tape = tape.reset();
                let start = quoted.as_ptr().addr();
                for offset in &mut *numbers {
                    *offset += start;
                }
                result = fill(quoted, buffers, &mut tape);
            }
            match result {
                Ok(()) if matches!(tape.0.first(), Some(Node::Object { .. })) => State::Object,
                Ok(()) => State::Unreadable(ParseError::NotAnObject),
                Err(error) => State::Unreadable(parse_error(&error, raw)),
            }
        };
        Record { raw, state, tape, numbers, home }
    }
}

impl Record<'_> {
    /// The text.
    pub fn raw(&self) -> &[u8] {
        self.raw
    }

    /// Why the text could not be read, if so.
    pub fn error(&self) -> Option<&ParseError> {
        match &self.state {
            State::Unreadable(error) => Some(error),
            State::Object | State::Blank => None,
        }
    }

    /// Whether the text is empty or white space.
    pub fn is_blank(&self) -> bool {
        matches!(self.state, State::Blank)
    }

    /// The parsed record, unless it is blank or unreadable.
    pub(crate) fn tree(&self, cleanup: Cleanup) -> Option<Tree<'_>> {
        matches!(self.state, State::Object).then(|| Tree::new(&self.tape.0, self.numbers, cleanup))
    }

    /// The record's own id, if it has one.
    pub(crate) fn event_id(&self) -> Option<&str> {
        let tree = self.tree(Cleanup::Keep)?;
        tree.text(tree.get(At::ROOT, "eventID")).filter(|id| !id.is_empty())
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        *self.home = Some(std::mem::replace(&mut self.tape, Tape(Vec::new())).reset());
    }
}

/// Makes the tape of a record, if it is plain JSON as nearly all are.
fn is_plain<'a>(
    text: &'a str,
    known: Option<&Tokens>,
    space: &mut Tokens,
    spare: &'a mut Vec<u8>,
    tape: &mut Tape<'a>,
) -> bool {
    if text.len() > MAX_RECORD_BYTES {
        return false;
    }
    let tokens = known.unwrap_or_else(|| {
        space.read(text);
        space
    });
    json::tape::fill(text, tokens, spare, &mut tape.0).is_ok()
}

/// Parses in place; the parser wants padding after the text.
fn fill<'a>(text: &'a mut Vec<u8>, buffers: &mut Buffers, tape: &mut Tape<'a>) -> simd_json::Result<()> {
    let len = text.len();
    text.resize(len + INPUT_PADDING, b' ');
    simd_json::fill_tape_padded(text, len, buffers, tape)
}

fn parse_error(error: &simd_json::Error, raw: &[u8]) -> ParseError {
    match error.error() {
        simd_json::ErrorType::DepthLimitExceeded => ParseError::TooDeep { limit: MAX_DEPTH },
        cause => match str::from_utf8(raw) {
            Ok(_) => ParseError::Json { cause: format!("{cause:?}"), at: error.index() },
            Err(invalid) => ParseError::Json { cause: "invalid UTF-8".to_owned(), at: invalid.valid_up_to() },
        },
    }
}

/// Copies a text with all numbers in quotes that the parser has no type for: integers beyond 64 bits, and floats
/// beyond 64-bit ones. Their places in the copy go to `numbers`, so that they are numbers again in [`Tree`].
/// Returns whether there was any.
fn quote_wide_numbers(raw: &[u8], quoted: &mut Vec<u8>, numbers: &mut Vec<usize>) -> bool {
    quoted.clear();
    // Addresses are remembered, so the copy must not move while it grows: a quoted number has at least 19 bytes
    // of digits, or an exponent of three, and takes at most three bytes more.
    quoted.reserve(raw.len() * 2 + INPUT_PADDING);
    let (mut at, mut in_string) = (0, false);
    while at < raw.len() {
        let byte = raw[at];
        if in_string {
            quoted.push(byte);
            at += 1;
            if byte == b'\\' && at < raw.len() {
                quoted.push(raw[at]);
                at += 1;
            } else if byte == b'"' {
                in_string = false;
            }
        } else if byte == b'-' || byte.is_ascii_digit() {
            let len = raw[at..]
                .iter()
                .take_while(|it| matches!(it, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
            let number = &raw[at..at + len.count()];
            at += number.len();
            let is_wide = is_wide(number);
            if is_wide {
                quoted.push(b'"');
                numbers.push(quoted.len());
            }
            quoted.extend_from_slice(number);
            if is_wide {
                quoted.push(b'"');
            }
        } else {
            in_string = byte == b'"';
            quoted.push(byte);
            at += 1;
        }
    }
    !numbers.is_empty()
}

/// Whether this is a JSON number that fits neither a 64-bit integer nor a finite 64-bit float.
fn is_wide(number: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(number) else { return false };
    let fits = if text.bytes().any(|it| matches!(it, b'.' | b'e' | b'E')) {
        text.parse::<f64>().is_ok_and(f64::is_finite)
    } else {
        text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
    };
    !fits && text.parse::<serde_json::Number>().is_ok()
}

#[cfg(test)]
mod tests {
    use json::{BLOCK, Lexer, Machine, Pass};

    use super::*;

    /// The tokens of a text that is one string but for its first and its last block.
    struct Ends<'a>(&'a [u8]);

    impl Pass for Ends<'_> {
        type Output = Tokens;

        fn run(self, machine: &impl Machine) -> Tokens {
            let (mut lexer, mut tokens) = (Lexer::default(), Tokens::default());
            for at in [0, self.0.len() - BLOCK] {
                let block = self.0[at..].first_chunk().expect("a block is left");
                let masks = machine.masks(block);
                let lexed = lexer.block(machine, &masks);
                tokens.add(
                    machine,
                    u32::try_from(at).expect("the text is short enough"),
                    &masks,
                    &lexed,
                    u64::MAX,
                );
            }
            tokens
        }
    }

    /// The limit is one for records whose tokens are known, too.
    #[test]
    fn too_long_is_too_long_with_tokens() {
        // What is zero and only read takes no memory.
        let mut text = vec![0; MAX_RECORD_BYTES + BLOCK];
        let end = text.len() - BLOCK;
        text[..BLOCK].fill(b'x');
        text[end..].fill(b'x');
        text[..6].copy_from_slice(b"{\"k\":\"");
        text[end + BLOCK - 2..].copy_from_slice(b"\"}");
        let tokens = json::run(Ends(&text));
        let text = str::from_utf8(&text).expect("this is ASCII");
        let mut buf = RecordBuf::default();
        let too_long = ParseError::TooLong { limit: MAX_RECORD_BYTES };
        assert_eq!(buf.parse_with(text, Some(&tokens)).error(), Some(&too_long));
        assert_eq!(buf.parse_with(text, None).error(), Some(&too_long));
    }
}
