//! The tape of a record: its values in document order.

use std::mem;
use std::ops::Range;

use simd_json::Node;

use crate::Tokens;
use crate::escape::unescape;
use crate::number::scalar;

/// The text is not plain JSON, or not certainly: another parser has to say what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsure;

/// Deeper objects are left to the other parser.
const MAX_DEPTH: usize = 64;

/// An object or array that is open.
#[derive(Clone, Copy)]
struct Open {
    /// Its node.
    node: usize,
    /// Values in it so far.
    len: usize,
    is_object: bool,
}

/// Fills `tape` with the nodes of the object that `text` is, as simd-json would. `tokens` are the text's; `spare` is
/// where strings with escapes are written out.
///
/// Whatever this is sure of is JSON and has this tape, but that half a surrogate pair is U+FFFD here and an error there:
/// see [`unescape`]. It is not sure of what is rare, such as numbers beyond 64 bits and great depth.
pub fn fill<'a>(
    text: &'a str,
    tokens: &Tokens,
    spare: &'a mut Vec<u8>,
    tape: &mut Vec<Node<'a>>,
) -> Result<(), Unsure> {
    tape.clear();
    if tokens.has_controls() {
        return Err(Unsure);
    }
    let escapes = tokens.escapes();
    if !escapes.is_empty() && spare.len() < text.len() {
        spare.resize(text.len(), 0);
    }
    let strings = Strings { text, spare, escapes };
    nodes(text, tokens.places(), strings, tape).ok_or(Unsure)
}

fn nodes<'a>(
    text: &'a str,
    places: &[u32],
    mut strings: Strings<'a>,
    tape: &mut Vec<Node<'a>>,
) -> Option<()> {
    let bytes = text.as_bytes();
    // A number or word is a token, too, and a string two, so there are no more nodes than tokens.
    tape.reserve(places.len());
    let (&first, mut places) = places.split_first()?;
    let first = first as usize;
    if *bytes.get(first)? != b'{' {
        return None;
    }
    let mut outer = [Open { node: 0, len: 0, is_object: true }; MAX_DEPTH];
    let mut depth = 0;
    let mut this = Open { node: 0, len: 0, is_object: true };
    tape.push(Node::Object { len: 0, count: 0 });
    // Where the token before ended, and whether it opened something.
    let mut end = first + 1;
    let mut is_first = true;
    loop {
        let (&at, rest) = places.split_first()?;
        places = rest;
        let mut at = at as usize;
        let mut byte = *bytes.get(at)?;
        if byte == b'}' || byte == b']' {
            if (byte == b'}') != this.is_object || !is_blank(bytes, end, at) {
                return None;
            }
            let (len, count) = (this.len, tape.len() - 1 - this.node);
            tape[this.node] =
                if this.is_object { Node::Object { len, count } } else { Node::Array { len, count } };
            end = at + 1;
            if depth == 0 {
                break;
            }
            depth -= 1;
            this = outer[depth];
            is_first = false;
            continue;
        }
        if !(if is_first { is_blank(bytes, end, at) } else { is_only(b',', bytes, end, at) }) {
            return None;
        }
        is_first = false;
        this.len += 1;
        if this.is_object {
            let [close, value, rest @ ..] = places else { return None };
            if byte != b'"' {
                return None;
            }
            let close = *close as usize;
            tape.push(Node::String(strings.get(at + 1, close)?));
            (places, end, at) = (rest, close + 1, *value as usize);
            byte = *bytes.get(at)?;
            if !is_only(b':', bytes, end, at) {
                return None;
            }
        }
        match byte {
            b'"' => {
                let (&close, rest) = places.split_first()?;
                let close = close as usize;
                tape.push(Node::String(strings.get(at + 1, close)?));
                (places, end) = (rest, close + 1);
            }
            b'{' | b'[' => {
                *outer.get_mut(depth)? = this;
                depth += 1;
                this = Open { node: tape.len(), len: 0, is_object: byte == b'{' };
                tape.push(Node::Object { len: 0, count: 0 });
                end = at + 1;
                is_first = true;
            }
            b'}' | b']' => return None,
            _ => {
                let ends =
                    |byte: &u8| matches!(byte, 0..=b' ' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
                end = at + bytes[at..].iter().position(ends)?;
                tape.push(Node::Static(scalar(text.get(at..end)?)?));
            }
        }
    }
    (places.is_empty() && is_blank(bytes, end, bytes.len()) && is_blank(bytes, 0, first)).then_some(())
}

/// Whether there is nothing from `start` to `end` but white space.
#[inline(always)]
fn is_blank(bytes: &[u8], start: usize, end: usize) -> bool {
    start == end || bytes.get(start..end).is_some_and(is_space)
}

/// Whether there is this byte once from `start` to `end`, and nothing else but white space.
#[inline(always)]
fn is_only(separator: u8, bytes: &[u8], start: usize, end: usize) -> bool {
    start + 1 == end && bytes.get(start) == Some(&separator) || is_spaced(separator, bytes.get(start..end))
}

/// [`is_only`], of a text that was laid out for people.
#[cold]
fn is_spaced(separator: u8, gap: Option<&[u8]>) -> bool {
    let Some(gap) = gap else { return false };
    let at = gap.iter().position(|&byte| byte == separator);
    at.is_some_and(|at| is_space(&gap[..at]) && is_space(&gap[at + 1..]))
}

fn is_space(gap: &[u8]) -> bool {
    gap.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Gives strings: those with escapes are written out.
struct Strings<'a> {
    text: &'a str,
    spare: &'a mut [u8],
    /// No string outside of this part has any.
    escapes: Range<usize>,
}

impl<'a> Strings<'a> {
    /// What the string whose content stands from `start` to `end` says.
    #[inline(always)]
    fn get(&mut self, start: usize, end: usize) -> Option<&'a str> {
        let raw = self.text.get(start..end)?;
        if start < self.escapes.end && end > self.escapes.start {
            return self.unescaped(raw);
        }
        Some(raw)
    }

    /// What a string says that may have escapes.
    #[inline(never)]
    fn unescaped(&mut self, raw: &'a str) -> Option<&'a str> {
        if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
            return Some(raw);
        }
        let raw = raw.as_bytes();
        let length = unescape(raw, self.spare)?;
        let (written, spare) = mem::take(&mut self.spare).split_at_mut(length);
        self.spare = spare;
        std::str::from_utf8(written).ok()
    }
}
