//! Where reading goes on behind something broken.

use crate::Reading;
use crate::clues::is_cloudtrail_key;
use crate::envelope::{RECORDS, may_hold_json};
use crate::scan::LOOK_BACK_BYTES;
use crate::walk;

/// How many bytes of an object are remembered to know its like: enough for its first key.
pub(crate) const HEAD_BYTES: usize = 64;

/// What the start of the next record looks like after a broken one.
pub(crate) struct Target {
    /// The first keys of the records known: of the broken one, which may be what is broken, and of the one before.
    pub(crate) keys: Vec<Vec<u8>>,
    /// How far a record is indented at most, if it stands at the start of a line.
    pub(crate) indent: Option<usize>,
    /// An array at the start of a line will do as well.
    pub(crate) array: bool,
    pub(crate) mode: Reading,
}

/// The next one is whatever starts a line.
pub(crate) const ANY_LINE: usize = usize::MAX;

/// Where the next object starts that fits, at `from` or after it; else where to look again once there is more.
pub(crate) fn find_target(text: &[u8], from: usize, last: bool, target: &Target) -> Result<usize, usize> {
    for bracket in memchr::memchr3_iter(b'{', b'[', b'"', &text[from..]) {
        let at = from + bracket;
        if !last && text.len() - at < LOOK_BACK_BYTES {
            return Err(at);
        }
        if target.fits(text, at) {
            return Ok(at);
        }
    }
    Err(text.len())
}

impl Target {
    fn fits(&self, text: &[u8], at: usize) -> bool {
        if text[at] == b'"' {
            // The text of an object, on a line of its own.
            let may_hold = || text.get(at + 1).is_some_and(|&first| may_hold_json(first));
            return self.array
                && self.mode == Reading::Trail
                && may_hold()
                && self
                    .indent
                    .is_some_and(|deepest| line_indent(&text[..at]).is_some_and(|it| it <= deepest));
        }
        if let Some(indent) = line_indent(&text[..at])
            && self.indent.is_some_and(|deepest| indent <= deepest)
        {
            return text[at] == b'{' || self.array;
        }
        let Some(key) = first_key(text, at).filter(|_| text[at] == b'{') else { return false };
        // The next file, where several were joined.
        if key == RECORDS && self.mode == Reading::Trail {
            return true;
        }
        let known = self.keys.iter().any(|wanted| wanted == key);
        // A key that no nested object has is enough.
        if is_cloudtrail_key(key) {
            return known || !self.keys.iter().any(|wanted| is_cloudtrail_key(wanted));
        }
        // Other records can be told by what stands around them, unless they have lines of their own.
        let before = text[..at].iter().rev().take(LOOK_BACK_BYTES).find(|&&byte| byte > b' ' && byte != b',');
        known && self.indent.is_none() && matches!(before, Some(b'}' | b'['))
    }
}

/// The first key of the object at `start`, if it is a short one.
pub(crate) fn first_key(text: &[u8], start: usize) -> Option<&[u8]> {
    let text = &text[..text.len().min(start + HEAD_BYTES)];
    let key = walk::token(text, start + 1).and_then(|at| walk::key(text, at)).ok()?;
    Some(&text[key])
}

/// How much white space ends `before`, if it reaches back to a line feed.
pub(crate) fn line_indent(before: &[u8]) -> Option<usize> {
    let mut back = before.iter().rev().take(LOOK_BACK_BYTES);
    let width = back.position(|&byte| byte > b' ' || byte == b'\n')?;
    (before[before.len() - 1 - width] == b'\n').then_some(width)
}
