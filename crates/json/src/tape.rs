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
    let mut places = places.iter().map(|&place| place as usize);
    let first = places.next()?;
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
        let mut at = places.next()?;
        let mut byte = *bytes.get(at)?;
        if byte == b'}' || byte == b']' {
            if (byte == b'}') != this.is_object || !is_blank(bytes.get(end..at)?) {
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
        if !(if is_first { is_blank(bytes.get(end..at)?) } else { is_only(b',', bytes.get(end..at)?) }) {
            return None;
        }
        is_first = false;
        this.len += 1;
        if this.is_object {
            if byte != b'"' {
                return None;
            }
            let close = places.next()?;
            tape.push(Node::String(strings.get(at + 1, close)?));
            end = close + 1;
            at = places.next()?;
            byte = *bytes.get(at)?;
            if !is_only(b':', bytes.get(end..at)?) {
                return None;
            }
        }
        match byte {
            b'"' => {
                let close = places.next()?;
                tape.push(Node::String(strings.get(at + 1, close)?));
                end = close + 1;
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
    (places.next().is_none() && is_blank(bytes.get(end..)?) && is_blank(&bytes[..first])).then_some(())
}

/// Whether there is nothing but white space.
#[inline]
fn is_blank(gap: &[u8]) -> bool {
    gap.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether there is this byte once, and nothing else but white space.
#[inline]
fn is_only(separator: u8, gap: &[u8]) -> bool {
    if let [byte] = gap {
        return *byte == separator;
    }
    let at = gap.iter().position(|&byte| byte == separator);
    at.is_some_and(|at| is_blank(&gap[..at]) && is_blank(&gap[at + 1..]))
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
    #[inline]
    fn get(&mut self, start: usize, end: usize) -> Option<&'a str> {
        let raw = self.text.get(start..end)?;
        let may_have = start < self.escapes.end && end > self.escapes.start;
        if may_have && memchr::memchr(b'\\', raw.as_bytes()).is_some() {
            return self.unescape(raw.as_bytes());
        }
        Some(raw)
    }

    fn unescape(&mut self, raw: &[u8]) -> Option<&'a str> {
        let length = unescape(raw, self.spare)?;
        let (written, spare) = mem::take(&mut self.spare).split_at_mut(length);
        self.spare = spare;
        std::str::from_utf8(written).ok()
    }
}
