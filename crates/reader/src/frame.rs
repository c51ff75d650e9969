//! Cuts a text into the objects that may be records.
//!
//! A text is any sequence of JSON values: objects one a line, objects without anything between them, arrays of objects,
//! envelopes around such arrays, in any layout. Commas between values are optional everywhere, for that costs
//! nothing and people cut files by hand.
//!
//! Where the text is broken the object is lost and reading goes on at the next place that looks like the start of
//! one. What that place is depends on the text only, never on how much of it happens to be held.

mod recover;
mod values;

use std::ops::Range;

use json::{BLOCK, Tokens};

use crate::envelope::{ENVELOPE_HEAD_BYTES, TailMember, envelope_array, names_record_key, tail_member};
use crate::scan::{LOOK_BACK_BYTES, Scanner, Step};
use crate::sniff::BOM;
use crate::target::HEAD_BYTES;
use crate::walk::Stop;
use crate::window::Window;
use crate::{Cause, Limits, Reading, TextPlace};

/// How many envelopes may stand in each other: arrays of files, one inside the other.
const MAX_ENVELOPES: usize = 4;

/// What comes next in a text.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An object, at these positions of the window.
    Object {
        /// From the first bracket to the last.
        range: Range<usize>,
        /// Whether it is all ASCII, and so valid UTF-8.
        ascii: bool,
    },
    /// A string that may hold an object as its text.
    Text {
        /// From its first quote to the last.
        range: Range<usize>,
    },
    /// Something that is none.
    Problem {
        /// Where it is.
        place: TextPlace,
        /// What is wrong.
        cause: Cause,
    },
    /// Nothing: the text is over.
    End,
}

/// Cuts one text.
pub(crate) struct Framer<'s> {
    window: Window<'s>,
    /// The tokens of the object that was found last.
    tokens: Option<Tokens>,
    at: usize,
    /// The arrays we are in; each with the number of brackets around it that belong to its envelope.
    arrays: Vec<u32>,
    /// Behind an array of an envelope: how many brackets of the envelope are open. Else zero.
    tail: u32,
    /// How much white space stands between the start of the line and `at`, if there is nothing else.
    indent: Option<usize>,
    /// The indentation and the first bytes of the object before, so that the next one is known when it comes.
    before: Option<(Option<usize>, [u8; HEAD_BYTES])>,
    /// Whether there was nothing but white space so far.
    blank: bool,
    mode: Reading,
    record_bytes: usize,
    depth: u32,
}

impl<'s> Framer<'s> {
    /// `tokens` is space to reuse, or nothing if nobody asks for them.
    pub(crate) fn new(window: Window<'s>, tokens: Option<Tokens>, mode: Reading, limits: &Limits) -> Self {
        Self {
            window,
            tokens,
            at: 0,
            arrays: Vec::new(),
            tail: 0,
            indent: Some(0),
            before: None,
            blank: true,
            mode,
            // Every object is longer, and what is too long is looked into behind its bracket.
            record_bytes: limits.record_bytes.max(1),
            depth: limits.depth,
        }
    }

    pub(crate) fn window(&self) -> &Window<'s> {
        &self.window
    }

    /// The tokens of the object that was found last, from its start on.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// Whether the text was nothing but white space so far.
    pub(crate) fn is_blank(&self) -> bool {
        self.blank
    }

    /// Gives the space back.
    pub(crate) fn into_buffers(self) -> (Vec<u8>, Option<Tokens>) {
        (self.window.into_buffer(), self.tokens)
    }

    /// How much of the text was passed.
    pub(crate) fn offset(&self) -> u64 {
        self.window.offset(self.at)
    }

    /// The next object or problem. Positions of an earlier one are void.
    pub(crate) fn next(&mut self) -> Frame {
        loop {
            if self.tail > 0 {
                match self.envelope_tail() {
                    Some(frame) => return frame,
                    None => continue,
                }
            }
            let Some(byte) = self.skip_space() else { return self.end() };
            self.blank = false;
            match (byte, self.arrays.last().copied()) {
                (b',', _) => {
                    self.at += 1;
                    self.indent = None;
                }
                (b'{', _) => {
                    let Some((brackets, inside)) = self.envelope() else { return self.object() };
                    self.arrays.push(brackets);
                    self.at = inside;
                    self.indent = None;
                }
                (b'[', None) => {
                    self.arrays.push(0);
                    self.at += 1;
                    self.indent = None;
                }
                (b'[', Some(_)) if self.is_array_of_objects() => {
                    self.arrays.push(0);
                    self.at += 1;
                    self.indent = None;
                }
                (b'[', Some(_)) => {
                    let start = self.at;
                    return self.skip_value(start, |_| Cause::NotAnObject);
                }
                (b']', Some(brackets)) => {
                    self.at += 1;
                    self.indent = None;
                    self.arrays.pop();
                    self.tail = brackets;
                }
                (b'"', _) if self.mode == Reading::Trail && self.holds_json() => return self.string(),
                (b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n', Some(_)) => return self.scalar(),
                (_, None) if self.indent.is_some() && self.mode == Reading::Trail => {
                    let Some(bracket) = self.line_prefix() else { return self.garbage() };
                    self.at = bracket;
                    // What it begins is as good as a line of its own.
                    self.indent = Some(0);
                }
                _ => return self.garbage(),
            }
        }
    }

    /// Goes to the next byte that is not white space.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let text = self.window.text();
            while let Some(&byte) = text.get(self.at) {
                match byte {
                    b'\n' => self.indent = Some(0),
                    0..=b' ' => self.indent = self.indent.map(|width| width + 1),
                    // A byte order mark stands at the start, or where files were joined.
                    0xEF if text[self.at..].starts_with(BOM) => self.at += BOM.len() - 1,
                    0xEF if !self.window.is_last() && text.len() - self.at < BOM.len() => break,
                    _ => return Some(byte),
                }
                self.at += 1;
            }
            if self.window.is_last() {
                return None;
            }
            // What follows may have to be told by what stands before it.
            self.fill(self.at.saturating_sub(LOOK_BACK_BYTES));
        }
    }

    /// The end of the text, once everything before it was told.
    fn end(&mut self) -> Frame {
        let open = !self.arrays.is_empty() || self.tail > 0;
        self.arrays.clear();
        self.tail = 0;
        if open && self.window.failure().is_none() {
            return self.cut(self.at);
        }
        Frame::End
    }

    /// If an envelope starts here: how many brackets are around its array, and where the array's inside starts.
    fn envelope(&mut self) -> Option<(u32, usize)> {
        if self.mode == Reading::Plain || self.arrays.len() >= MAX_ENVELOPES {
            return None;
        }
        loop {
            let text = self.window.text();
            let bound = text.len().min(self.at + ENVELOPE_HEAD_BYTES);
            match envelope_array(&text[..bound], self.at) {
                Err(Stop::MoreText) if bound == text.len() && !self.window.is_last() => self.fill(self.at),
                found => return found.ok(),
            }
        }
    }

    /// Goes on behind an array of an envelope: to the next array of records in it, or to its end.
    fn envelope_tail(&mut self) -> Option<Frame> {
        let start = self.window.offset(self.at);
        while self.tail > 0 {
            match self.skip_space() {
                None => return Some(self.end()),
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    self.tail -= 1;
                }
                Some(b'"') => match self.tail_member() {
                    Ok(TailMember::Records(inside)) => {
                        self.arrays.push(std::mem::take(&mut self.tail));
                        self.at = inside;
                    }
                    Ok(TailMember::Other(value)) => {
                        self.at = value;
                        if let Some(problem) = self.skip_member(start) {
                            return Some(problem);
                        }
                    }
                    Err(fault) => return Some(self.broken_tail(start, fault)),
                },
                Some(_) => return Some(self.broken_tail(start, self.at)),
            }
        }
        self.indent = None;
        None
    }

    /// What the member of an envelope holds that starts here, or where it is broken.
    fn tail_member(&mut self) -> Result<TailMember, usize> {
        loop {
            let text = self.window.text();
            let bound = text.len().min(self.at + ENVELOPE_HEAD_BYTES);
            match tail_member(&text[..bound], self.at, self.tail) {
                Ok(found) => return Ok(found),
                // If it is broken, reading goes on by what stands before it.
                Err(Stop::MoreText) if bound == text.len() && !self.window.is_last() => {
                    self.fill(self.at.saturating_sub(LOOK_BACK_BYTES));
                }
                // The text ends here, and that will be told.
                Err(Stop::MoreText) if bound == text.len() => return Ok(TailMember::Other(bound)),
                Err(Stop::MoreText | Stop::Broken | Stop::Enough) => return Err(self.at),
            }
        }
    }

    /// Passes a value that stands in an envelope beside its records. If there are records in it, that is a problem: they
    /// are not read.
    fn skip_member(&mut self, tail: u64) -> Option<Frame> {
        match self.window.text().get(self.at) {
            Some(b'{' | b'[') => {}
            Some(_) => {
                self.pass_scalar();
                return None;
            }
            // The text ends here, and that will be told.
            None => return None,
        }
        let place = self.place(self.at);
        let mut scanner = Scanner::new(0, u32::MAX);
        let (mut from, mut searched) = (self.at, self.at);
        let mut holds_records = false;
        loop {
            let text = self.window.text();
            let step = scanner.scan(text, from, self.window.is_last());
            let (Step::More(to) | Step::End(to) | Step::Broken(to) | Step::TooDeep(to)) = step;
            holds_records = holds_records || names_record_key(&text[searched..to]);
            match step {
                Step::End(end) => {
                    self.at = end;
                    let skipped = self.offset() - place.offset;
                    return holds_records
                        .then_some(Frame::Problem { place, cause: Cause::Beside { skipped } });
                }
                Step::More(to) if !self.window.is_last() => {
                    let keep = to.saturating_sub(LOOK_BACK_BYTES);
                    searched = searched.max(keep) - keep;
                    from = to - keep;
                    self.fill(keep);
                }
                Step::More(to) => {
                    self.at = to;
                    return Some(self.end());
                }
                Step::Broken(to) | Step::TooDeep(to) => return Some(self.broken_tail(tail, to)),
            }
        }
    }

    /// The object that starts here.
    fn object(&mut self) -> Frame {
        let mut start = self.at;
        let mut scanner = Scanner::new(0, self.depth);
        let mut from = start;
        if let Some(tokens) = &mut self.tokens {
            tokens.clear();
        }
        loop {
            let text = self.window.text();
            // Not beyond what says that it is too long: tokens take more space than their text.
            let bound = start.saturating_add(self.record_bytes).saturating_add(2 * BLOCK).min(text.len());
            let last = self.window.is_last() && bound == text.len();
            let step = match &mut self.tokens {
                Some(tokens) => scanner.scan_tokens(&text[..bound], from, last, start, tokens),
                None => scanner.scan(&text[..bound], from, last),
            };
            let (Step::More(to) | Step::End(to) | Step::Broken(to) | Step::TooDeep(to)) = step;
            if to - start > self.record_bytes {
                return self.too_long(start);
            }
            match step {
                Step::End(end) if self.window.text()[end - 1] == b'}' => {
                    let mut head = [0; HEAD_BYTES];
                    let known = HEAD_BYTES.min(end - start);
                    head[..known].copy_from_slice(&self.window.text()[start..start + known]);
                    self.before = Some((self.indent.take(), head));
                    self.at = end;
                    return Frame::Object { range: start..end, ascii: !scanner.saw_non_ascii() };
                }
                Step::End(end) => return self.broken(start, end - 1),
                Step::Broken(fault) => return self.broken(start, fault),
                Step::TooDeep(_) => {
                    let limit = self.depth;
                    return self.skip_value(start, |skipped| Cause::TooDeep { limit, skipped });
                }
                Step::More(to) if !self.window.is_last() => {
                    self.fill(start);
                    from = to - start;
                    start = 0;
                }
                Step::More(_) => return self.unfinished(start),
            }
        }
    }

    fn fill(&mut self, keep: usize) {
        self.window.fill(keep);
        self.at = self.at.saturating_sub(keep);
    }

    fn problem(&mut self, at: usize, cause: Cause) -> Frame {
        Frame::Problem { place: self.place(at), cause }
    }

    /// Where the text was cut.
    fn cut(&mut self, at: usize) -> Frame {
        self.problem(at, Cause::Unfinished)
    }

    /// Where a problem is.
    pub(crate) fn place(&mut self, at: usize) -> TextPlace {
        TextPlace { offset: self.window.offset(at), line: self.window.line(at) }
    }
}
