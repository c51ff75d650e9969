//! Where reading goes on when something is broken, too long or too deep.

use super::{Frame, Framer};
use crate::envelope::RECORDS;
use crate::scan::{LOOK_BACK_BYTES, Scanner, Step};
use crate::target::{ANY_LINE, Target, find_target, first_key, line_indent};
use crate::{Cause, Reading};

impl Framer<'_> {
    /// The envelope whose tail began at `start` is broken at `fault`.
    pub(super) fn broken_tail(&mut self, start: u64, fault: usize) -> Frame {
        self.tail = 0;
        let place = self.place(fault);
        self.at = fault;
        let target = self.target_after_last();
        self.resync(&target);
        Frame::Problem { place, cause: Cause::Broken { skipped: self.offset() - start } }
    }

    /// The object at `start` is broken at `fault`.
    pub(super) fn broken(&mut self, start: usize, fault: usize) -> Frame {
        let place = self.place(fault);
        let begin = self.window.offset(start);
        let target = self.target(start);
        self.at = start + 1;
        self.resync(&target);
        Frame::Problem { place, cause: Cause::Broken { skipped: self.offset() - begin } }
    }

    /// The object at `start` does not end. If another one starts in what we took for its inside, it has lost a bracket;
    /// otherwise the text was cut.
    pub(super) fn unfinished(&mut self, start: usize) -> Frame {
        let target = self.target(start);
        self.at = start + 1;
        if self.resync(&target) {
            let skipped = (self.at - start) as u64;
            return self.problem(start, Cause::Broken { skipped });
        }
        if self.window.failure().is_some() {
            return Frame::End;
        }
        self.cut(start)
    }

    /// The object at `start` is longer than it may be. The window holds as much of it as it may be long.
    pub(super) fn too_long(&mut self, start: usize) -> Frame {
        let target = self.target(start);
        let held = start + self.record_bytes;
        // More than one record in it means that the first has lost a bracket.
        if let Ok(next) = find_target(&self.window.text()[..held], start + 1, true, &target) {
            self.land(next);
            let skipped = (next - start) as u64;
            return self.problem(start, Cause::Broken { skipped });
        }
        let limit = self.record_bytes;
        self.skip_value(start, |skipped| Cause::TooLong { limit, skipped })
    }

    /// Passes the value at `start` however deep or long it is, and reports the cause made from its first position
    /// and its length.
    pub(super) fn skip_value(&mut self, start: usize, cause: impl FnOnce(u64) -> Cause) -> Frame {
        let place = self.place(start);
        let target = self.target(start);
        let mut scanner = Scanner::new(0, u32::MAX);
        // What is short enough stays in the window, so that records inside of something broken can be found.
        let mut start = Some(start);
        let mut from = start.unwrap_or_default();
        loop {
            let step = scanner.scan(self.window.text(), from, self.window.is_last());
            let (Step::More(to) | Step::End(to) | Step::Broken(to) | Step::TooDeep(to)) = step;
            if self.window.offset(to) - place.offset > self.record_bytes as u64 {
                start = None;
            }
            match step {
                Step::End(end) => {
                    self.at = end;
                    self.indent = None;
                    break;
                }
                Step::More(to) if !self.window.is_last() => {
                    let keep = start.unwrap_or(to.saturating_sub(LOOK_BACK_BYTES));
                    self.fill(keep);
                    from = to - keep;
                    start = start.map(|_| 0);
                }
                Step::Broken(_) | Step::TooDeep(_) | Step::More(_) => {
                    self.at = start.map_or(to, |start| start + 1);
                    self.resync(&target);
                    break;
                }
            }
        }
        let skipped = self.offset() - place.offset;
        Frame::Problem { place, cause: cause(skipped) }
    }

    /// Passes what is no JSON at all.
    pub(super) fn garbage(&mut self) -> Frame {
        let place = self.place(self.at);
        let target = self.target_after_last();
        self.at += 1;
        self.resync(&target);
        Frame::Problem { place, cause: Cause::NotJson { skipped: self.offset() - place.offset } }
    }

    /// What the record after the one at `start` will look like.
    pub(super) fn target(&self, start: usize) -> Target {
        let text = self.window.text();
        // The text after a bracket that opens an array is no key, and need not be held yet.
        let own = first_key(text, start).filter(|_| text[start] == b'{');
        let before = self.before.as_ref().and_then(|(_, head)| first_key(head, 0));
        let keys = own.into_iter().chain(before).map(<[u8]>::to_vec).collect();
        Target { keys, indent: self.indent, array: self.arrays.is_empty(), mode: self.mode }
    }

    /// What the next record will look like, when we stand between two.
    pub(super) fn target_after_last(&self) -> Target {
        let (array, mode) = (self.arrays.is_empty(), self.mode);
        let Some((indent, head)) = &self.before else {
            return Target { keys: Vec::new(), indent: Some(ANY_LINE), array, mode };
        };
        let keys = first_key(head, 0).into_iter().map(<[u8]>::to_vec).collect();
        // Between values that are in nothing, whatever starts a line is the next one.
        let indent = indent.or((array && mode == Reading::Trail).then_some(0));
        Target { keys, indent, array, mode }
    }

    /// Goes to the next start of a record, at `at` or after it. At the end of the text if there is none; then
    /// whatever we were in is over as well.
    pub(super) fn resync(&mut self, target: &Target) -> bool {
        loop {
            let last = self.window.is_last();
            match find_target(self.window.text(), self.at, last, target) {
                Ok(found) => {
                    self.land(found);
                    return true;
                }
                Err(end) if last => {
                    self.at = end;
                    self.arrays.clear();
                    return false;
                }
                Err(again) => {
                    self.at = again;
                    self.fill(again.saturating_sub(2 * LOOK_BACK_BYTES));
                }
            }
        }
    }

    /// Goes to the start of a record that was found behind something broken.
    pub(super) fn land(&mut self, found: usize) {
        self.at = found;
        self.indent = line_indent(&self.window.text()[..found]);
        if self.mode == Reading::Trail && first_key(self.window.text(), found) == Some(RECORDS) {
            // What the broken file was in will not go on behind the next one.
            self.arrays.clear();
        }
    }
}
