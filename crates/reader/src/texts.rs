//! A text: its records, and what else is in it.

use std::ops::{ControlFlow, Range};
use std::str::Utf8Error;

use json::Tokens;

use crate::clues::is_delivered_record;
use crate::frame::{Frame, Framer};
use crate::meter::cause_of;
use crate::open::{Found, Given, OpenSpace, Opener, plain};
use crate::read::{Run, Space};
use crate::window::Window;
use crate::{Cause, Reading, Record, TextPlace};

/// How much text lies between two reports of progress.
pub(crate) const PROGRESS_BYTES: u64 = 1 << 20;

/// Where a record was found.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'t> {
    offset: u64,
    /// What stands there, with all that is around the record.
    whole: &'t str,
    /// The tokens of that.
    tokens: Option<&'t Tokens>,
}

impl Origin<'_> {
    /// A place where a record does not stand as it is.
    pub(crate) fn at(offset: u64) -> Self {
        Self { offset, whole: "", tokens: None }
    }
}

impl Run<'_> {
    /// Reads the records of a text. Gives the window's space back.
    pub(crate) fn text(&mut self, window: Window<'_>, space: &mut Space) -> (ControlFlow<()>, Vec<u8>) {
        let tokens = (!self.options.without_tokens).then(|| std::mem::take(&mut space.tokens));
        let mut framer = Framer::new(window, tokens, self.options.mode, &self.options.limits);
        let mut reported = 0;
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            match framer.next() {
                Frame::Object { range, ascii } => {
                    flow = self.object(&mut framer, range, ascii, &mut space.open);
                }
                Frame::Text { range } => flow = self.string(&mut framer, range, &mut space.open),
                Frame::Problem { place, cause } => self.problem(Some(place), cause),
                Frame::End => break,
            }
            // Now and then is enough for a progress bar.
            if framer.offset() - reported >= PROGRESS_BYTES {
                self.progress(framer.offset() - reported);
                reported = framer.offset();
            }
        }
        self.tell_others();
        if flow.is_continue() {
            if let Some(failure) = framer.window().failure() {
                let cause = cause_of(failure);
                self.failure = Some(cause.clone());
                self.problem(None, cause);
            } else if framer.is_blank() {
                self.problem(None, Cause::Empty);
            }
        }
        self.progress(framer.offset() - reported);
        let (window, tokens) = framer.into_buffers();
        space.tokens = tokens.unwrap_or_default();
        (flow, window)
    }

    /// Takes an object that stands at `range`.
    fn object(
        &mut self,
        framer: &mut Framer<'_>,
        range: Range<usize>,
        ascii: bool,
        space: &mut OpenSpace,
    ) -> ControlFlow<()> {
        let (options, meter, window) = (self.options, self.meter, framer.window());
        let bytes = &window.text()[range.clone()];
        // What is certainly one record need not be looked at to be passed.
        if !self.is_wanted() && (options.mode == Reading::Plain || is_delivered_record(bytes)) {
            self.ordinal += 1;
            return ControlFlow::Continue(());
        }
        let whole = match text(bytes, ascii) {
            Ok(whole) => whole,
            Err(error) => {
                // The lost record keeps its number.
                self.ordinal += 1;
                let place = framer.place(range.start + error.valid_up_to());
                self.problem(Some(place), Cause::InvalidUtf8);
                return ControlFlow::Continue(());
            }
        };
        let origin = Origin { offset: window.offset(range.start), whole, tokens: framer.tokens() };
        if options.mode == Reading::Plain {
            return self.give(&plain(whole), origin);
        }
        let take = &mut |given: Given<'_>| self.give(&given, origin);
        let found = Opener { space, limits: &options.limits, meter, take }.open(whole)?;
        if found.is_more_than_records() {
            let place = framer.place(range.start);
            self.tell_found(place, found);
        }
        ControlFlow::Continue(())
    }

    /// Takes a string that stands at `range`, and may hold records as text.
    fn string(
        &mut self,
        framer: &mut Framer<'_>,
        range: Range<usize>,
        space: &mut OpenSpace,
    ) -> ControlFlow<()> {
        let (options, meter, window) = (self.options, self.meter, framer.window());
        let whole = match text(&window.text()[range.clone()], false) {
            Ok(whole) => whole,
            Err(error) => {
                let place = framer.place(range.start + error.valid_up_to());
                self.problem(Some(place), Cause::InvalidUtf8);
                return ControlFlow::Continue(());
            }
        };
        let origin = Origin::at(window.offset(range.start));
        let take = &mut |given: Given<'_>| self.give(&given, origin);
        let found = Opener { space, limits: &options.limits, meter, take }.open_string(whole)?;
        let place = framer.place(range.start);
        if found.records > 0 || found.is_more_than_records() {
            self.tell_found(place, found);
        } else {
            self.problem(Some(place), Cause::NotAnObject);
        }
        ControlFlow::Continue(())
    }

    /// Says what there was beside records.
    pub(crate) fn tell_found(&mut self, place: TextPlace, found: Found) {
        for (other, count) in found.others {
            self.others.entry(other).or_insert((0, place)).0 += count;
        }
        if found.strangers > 0 && found.records > 0 {
            self.problem(Some(place), Cause::Strangers { count: found.strangers });
        }
        if found.is_broken && found.records > 0 {
            self.problem(Some(place), Cause::BrokenInside);
        }
        if found.is_too_deep {
            self.problem(Some(place), Cause::Wrapped { limit: self.options.limits.wrappers });
        }
        if let Some(failure) = found.failure {
            self.problem(Some(place), failure);
        }
    }

    /// Says what the text that ends here held that is known and no record.
    pub(crate) fn tell_others(&mut self) {
        for (other, (count, place)) in std::mem::take(&mut self.others) {
            self.problem(Some(place), Cause::Other { other, count });
        }
    }

    /// Whether the record that comes next is asked for. They come in order, so only the first one wanted can be it.
    fn is_wanted(&self) -> bool {
        self.wanted.is_none_or(|wanted| wanted.first() == Some(&self.ordinal))
    }

    /// Gives a record to the sink, if it is asked for.
    pub(crate) fn give(&mut self, given: &Given<'_>, origin: Origin<'_>) -> ControlFlow<()> {
        let is_wanted = self.is_wanted();
        let ordinal = self.ordinal;
        self.ordinal += 1;
        if !is_wanted {
            return ControlFlow::Continue(());
        }
        self.totals.records += 1;
        let (mut id, mut index) = (Vec::new(), Vec::new());
        self.sink.record(Record {
            ordinal,
            offset: origin.offset,
            member: self.member.as_deref(),
            kind: given.kind,
            id: given.id.map(|raw| meaning(raw, &mut id)),
            index: given.index.map(|raw| meaning(raw, &mut index)),
            text: given.text,
            tokens: origin.tokens.filter(|_| std::ptr::eq(given.text, origin.whole)),
        })?;
        let Some(wanted) = &mut self.wanted else { return ControlFlow::Continue(()) };
        *wanted = &wanted[1..];
        if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What the content of a JSON string means; `space` holds it where that is not what is written.
fn meaning<'t>(raw: &'t str, space: &'t mut Vec<u8>) -> &'t str {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return raw;
    }
    space.resize(raw.len(), 0);
    let length = json::unescape(raw.as_bytes(), space);
    // What is no content of a string stays as it is.
    length.and_then(|length| std::str::from_utf8(&space[..length]).ok()).unwrap_or(raw)
}

/// The text of an object, of which the scanner may have seen that it is all ASCII.
fn text(bytes: &[u8], ascii: bool) -> Result<&str, Utf8Error> {
    if ascii {
        debug_assert!(bytes.is_ascii(), "the scanner looks at every byte");
        #[expect(unsafe_code, reason = "to look at every byte once more takes a fiftieth of a hunt")]
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes)
}
