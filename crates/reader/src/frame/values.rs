//! What stands where an object should: texts of objects, lists of them, the beginning of a line, and what is none of these.

use super::{Frame, Framer, MAX_ENVELOPES};
use crate::envelope::{ENVELOPE_HEAD_BYTES, may_hold_json};
use crate::open::{LINE_PREFIX_BYTES, line_prefix};
use crate::scan::LOOK_BACK_BYTES;
use crate::{Cause, Reading, walk};

impl Framer<'_> {
    /// Whether the array that starts here in another one begins with an object or the text of one: several
    /// files that were put in a list.
    pub(super) fn is_array_of_objects(&mut self) -> bool {
        if self.mode == Reading::Plain || self.arrays.len() >= MAX_ENVELOPES {
            return false;
        }
        loop {
            let text = self.window.text();
            let bound = text.len().min(self.at + ENVELOPE_HEAD_BYTES);
            match walk::token(&text[..bound], self.at + 1) {
                Ok(first) if text[first] != b'"' => return text[first] == b'{',
                Ok(first) if first + 1 < bound => return may_hold_json(text[first + 1]),
                Ok(_) | Err(_) if bound == text.len() && !self.window.is_last() => self.fill(self.at),
                Ok(_) | Err(_) => return false,
            }
        }
    }

    /// Whether the string that starts here may hold an object as its text.
    pub(super) fn holds_json(&mut self) -> bool {
        while self.window.text().len() < self.at + 2 && !self.window.is_last() {
            self.fill(self.at.saturating_sub(LOOK_BACK_BYTES));
        }
        self.window.text().get(self.at + 1).is_some_and(|&first| may_hold_json(first))
    }

    /// The string that starts here.
    pub(super) fn string(&mut self) -> Frame {
        let mut start = self.at;
        let mut from = start + 1;
        loop {
            let text = self.window.text();
            let found = memchr::memchr3(b'"', b'\\', b'\n', &text[from.min(text.len())..]);
            let reached = found.map_or(text.len().max(from), |found| from + found);
            if reached - start >= self.record_bytes {
                break;
            }
            match found.map(|_| text[reached]) {
                Some(b'"') => {
                    self.at = reached + 1;
                    self.indent = None;
                    return Frame::Text { range: start..self.at };
                }
                Some(b'\\') => from = reached + 2,
                // Strings have no line feeds: this one lost its end.
                Some(_) => {
                    self.at = reached;
                    return self.problem(start, Cause::Broken { skipped: (reached - start) as u64 });
                }
                None if self.window.is_last() => {
                    self.at = text.len();
                    self.arrays.clear();
                    return if self.window.failure().is_some() { Frame::End } else { self.cut(start) };
                }
                None => {
                    from = reached - start;
                    self.fill(start);
                    start = 0;
                }
            }
        }
        let (place, limit) = (self.place(start), self.record_bytes);
        self.at = start;
        self.pass_scalar();
        self.indent = None;
        Frame::Problem { place, cause: Cause::TooLong { limit, skipped: self.offset() - place.offset } }
    }

    /// If this line begins as programs that write logs begin theirs: where the object on it starts.
    pub(super) fn line_prefix(&mut self) -> Option<usize> {
        while self.window.text().len() < self.at + LINE_PREFIX_BYTES && !self.window.is_last() {
            self.fill(self.at.saturating_sub(LOOK_BACK_BYTES));
        }
        line_prefix(&self.window.text()[self.at..]).map(|bracket| self.at + bracket)
    }

    /// Passes a string, number or word where an object should be.
    pub(super) fn scalar(&mut self) -> Frame {
        let place = self.place(self.at);
        self.pass_scalar();
        self.indent = None;
        Frame::Problem { place, cause: Cause::NotAnObject }
    }

    /// Goes behind the string, number or word that starts here, or to the end of the line if that comes first.
    pub(super) fn pass_scalar(&mut self) {
        let quoted = self.window.text()[self.at] == b'"';
        let mut escaped = false;
        self.at += 1;
        loop {
            let text = self.window.text();
            let Some(&byte) = text.get(self.at) else {
                if self.window.is_last() {
                    break;
                }
                self.fill(self.at.saturating_sub(LOOK_BACK_BYTES));
                continue;
            };
            if byte == b'\n' {
                break;
            } else if quoted {
                self.at += 1;
                if byte == b'"' && !escaped {
                    break;
                }
                escaped = byte == b'\\' && !escaped;
            } else if byte <= b' ' || matches!(byte, b',' | b']' | b'{' | b'}') {
                break;
            } else {
                self.at += 1;
            }
        }
    }
}
