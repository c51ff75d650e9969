//! A text, of which as much is held as is needed.

use std::io::{self, ErrorKind, Read};

/// A text that slides by. Positions count from the start of what is held.
pub(crate) struct Window<'s> {
    buffer: Vec<u8>,
    length: usize,
    /// Bytes of the text before the buffer.
    base: u64,
    /// Line feeds of the text before `counted`.
    lines: u64,
    /// Up to here the lines are counted.
    counted: usize,
    /// Where the rest comes from; `None` once everything is here.
    source: Option<&'s mut dyn Read>,
    step: usize,
    failure: Option<io::Error>,
}

impl<'s> Window<'s> {
    /// A text that is here already: the first `length` bytes of `buffer`.
    pub(crate) fn whole(buffer: Vec<u8>, length: usize) -> Self {
        Self { buffer, length, base: 0, lines: 0, counted: 0, source: None, step: 0, failure: None }
    }

    /// A text that is read from `source`, `step` bytes at a time; `buffer` is space to reuse.
    pub(crate) fn stream(buffer: Vec<u8>, source: &'s mut dyn Read, step: usize) -> Self {
        let step = step.max(1);
        Self { buffer, length: 0, base: 0, lines: 0, counted: 0, source: Some(source), step, failure: None }
    }

    /// What is held.
    pub(crate) fn text(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Whether what is held reaches to the end of the text.
    pub(crate) fn is_last(&self) -> bool {
        self.source.is_none()
    }

    /// The place of a position in the text.
    pub(crate) fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    /// The line of a position, from 1 on. Only for messages: it counts from the position that was asked for before.
    pub(crate) fn line(&mut self, at: usize) -> u64 {
        if at < self.counted {
            self.lines -= newlines(&self.buffer[at..self.counted]);
        } else {
            self.lines += newlines(&self.buffer[self.counted..at]);
        }
        self.counted = at;
        self.lines + 1
    }

    /// Lets go of everything before `keep` and reads on. All positions move down by `keep`.
    pub(crate) fn fill(&mut self, keep: usize) {
        if keep > 0 {
            if self.counted < keep {
                self.line(keep);
            }
            self.counted -= keep;
            self.buffer.copy_within(keep..self.length, 0);
            self.base += keep as u64;
            self.length -= keep;
        }
        let Some(source) = &mut self.source else { return };
        let full = self.length + self.step;
        if self.buffer.len() < full {
            self.buffer.resize(full, 0);
        }
        while self.length < full {
            match source.read(&mut self.buffer[self.length..full]) {
                Ok(0) => {
                    self.source = None;
                    break;
                }
                Ok(read) => self.length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    // What was read before is good; the failure is told at the end.
                    self.failure = Some(error);
                    self.source = None;
                    break;
                }
            }
        }
    }

    /// Why the text ended early, if it did.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Gives the space back.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}
