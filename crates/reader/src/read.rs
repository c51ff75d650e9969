//! Reads an input: through archives and compression down to records.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::{ControlFlow, Range};
use std::str::Utf8Error;

use json::Tokens;

use crate::classify::{Classifier, Place};
use crate::discover::is_foreign;
use crate::frame::{Frame, Framer};
use crate::meter::{Meter, Stored, Unpacked, cause_of};
use crate::problem::TextPlace;
use crate::sniff::{Content, HEAD, sniff};
use crate::window::Window;
use crate::{Cause, Input, Mode, Options, Problem, Progress, Record, Sink, Totals, gzip};

/// Reads inputs, one after the other. Holds the space that reading takes, so each thread keeps one.
#[derive(Default)]
pub struct Reader {
    options: Options,
    space: Space,
}

/// Buffers that serve one input after the other.
#[derive(Default)]
struct Space {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    window: Vec<u8>,
    decompressor: Option<libdeflater::Decompressor>,
    classifier: Classifier,
    tokens: Tokens,
}

impl Reader {
    /// A reader that works like this.
    pub fn new(options: Options) -> Self {
        Self { options, space: Space::default() }
    }

    /// Gives every record of the input to the sink, and every problem. Never fails as a whole: what cannot be
    /// read is a problem like any other.
    pub fn read(&mut self, input: &Input, sink: &mut dyn Sink) -> Totals {
        self.run(input, None, sink)
    }

    /// Reads the input again and gives the records with these ordinals to the sink; `ordinals` is strictly
    /// ascending. Stops behind the last one. Problems were told by the first reading and are not told again,
    /// except that a record is gone.
    pub fn read_at(&mut self, input: &Input, ordinals: &[u64], sink: &mut dyn Sink) -> Totals {
        debug_assert!(ordinals.is_sorted_by(|a, b| a < b), "`ordinals` must be strictly ascending");
        if ordinals.is_empty() {
            return Totals::default();
        }
        self.run(input, Some(ordinals), sink)
    }

    fn run(&mut self, input: &Input, wanted: Option<&[u64]>, sink: &mut dyn Sink) -> Totals {
        let meter = Meter::default();
        let mut run = Run {
            input,
            options: &self.options,
            meter: &meter,
            sink,
            wanted,
            member: None,
            failure: None,
            ordinal: 0,
            totals: Totals::default(),
            record_problems: 0,
            other_problems: 0,
            reported_bytes: 0,
        };
        // Break means that the sink or `wanted` has enough, which is as good an end as any.
        _ = run.file(&mut self.space);
        run.finish()
    }
}

/// One reading of one input.
struct Run<'r> {
    input: &'r Input,
    options: &'r Options,
    meter: &'r Meter,
    sink: &'r mut dyn Sink,
    /// The ordinals that are asked for and were not met yet, if not all are.
    wanted: Option<&'r [u64]>,
    member: Option<String>,
    /// What ended the text of the last member early.
    failure: Option<Cause>,
    ordinal: u64,
    totals: Totals,
    record_problems: u64,
    other_problems: u64,
    /// How much of the file was reported as progress.
    reported_bytes: u64,
}

/// What we are inside of.
#[derive(Clone, Copy, Default)]
struct Layers {
    /// An archive.
    archive: bool,
    /// This many compressions since the file or the member began.
    compressions: u8,
}

/// How often a file or a member may be compressed: S3 uploads are sometimes gzipped twice.
const MAX_COMPRESSIONS: u8 = 2;

impl Layers {
    fn compressed(self) -> Option<Self> {
        (self.compressions < MAX_COMPRESSIONS).then_some(Self { compressions: self.compressions + 1, ..self })
    }
}

impl Run<'_> {
    fn file(&mut self, space: &mut Space) -> ControlFlow<()> {
        let file = match File::open(self.input.path()) {
            Ok(file) => file,
            Err(error) => {
                self.problem(None, Cause::Unreadable { detail: error.to_string() });
                return ControlFlow::Continue(());
            }
        };
        let mut source = Stored { inner: file, meter: self.meter };
        let (head, failure) = read_head(&mut source);
        // A zip archive is read from its end: the only content that needs the file itself.
        if sniff(&head) == Content::Zip {
            return self.zip(source, space);
        }
        self.content(&head, &mut Failing { failure, source: &mut source }, Layers::default(), space)
    }

    /// Reads what `source` holds, inside of whatever layers.
    fn layer(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        let (head, failure) = read_head(source);
        self.content(&head, &mut Failing { failure, source }, layers, space)
    }

    /// Reads `head` and what follows it in `source`.
    fn content(
        &mut self,
        head: &[u8],
        source: &mut dyn Read,
        layers: Layers,
        space: &mut Space,
    ) -> ControlFlow<()> {
        let mut source = Cursor::new(head).chain(source);
        match (sniff(head), layers.compressed()) {
            (Content::Text | Content::Blank, _) => {
                let buffer = std::mem::take(&mut space.window);
                let window = Window::stream(buffer, &mut source, self.options.limits.window_bytes);
                let (flow, buffer) = self.text(window, &mut space.classifier, &mut space.tokens);
                space.window = buffer;
                return flow;
            }
            (Content::Gzip, Some(layers)) => return self.gzip(&mut source, layers, space),
            (Content::Zstd, Some(layers)) => return self.zstd(&mut source, layers, space),
            (Content::Tar, _) if !layers.archive => return self.tar(&mut source, space),
            (Content::Gzip | Content::Zstd | Content::Tar | Content::Zip, _) => {
                self.problem(None, Cause::Nested);
            }
            (Content::Utf16, _) => self.problem(None, Cause::Utf16),
            (Content::Binary, _) => self.problem(None, Cause::Binary),
        }
        ControlFlow::Continue(())
    }

    fn gzip(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        let limits = &self.options.limits;
        let mut packed = std::mem::take(&mut space.packed);
        packed.clear();
        let bound = limits.whole_gzip_bytes as u64 + 1;
        let taken = source.take(bound).read_to_end(&mut packed);
        if taken.as_ref().is_ok_and(|&read| (read as u64) < bound) {
            let mut text = std::mem::take(&mut space.unpacked);
            let decompressor = space.decompressor.get_or_insert_default();
            if let Some(length) = gzip::whole(&packed, &mut text, decompressor, limits, self.meter) {
                space.packed = packed;
                let flow = match sniff(&text[..length]) {
                    Content::Text | Content::Blank => {
                        let window = Window::whole(text, length);
                        let (flow, buffer) = self.text(window, &mut space.classifier, &mut space.tokens);
                        text = buffer;
                        flow
                    }
                    _ => self.layer(&mut &text[..length], layers, space),
                };
                space.unpacked = text;
                return flow;
            }
            space.unpacked = text;
        }
        let rest = Failing { failure: taken.err(), source };
        let inner =
            gzip::Members::new(BufReader::with_capacity(PACKED_BYTES, Cursor::new(&packed).chain(rest)));
        let flow = self.layer(&mut Unpacked { inner, meter: self.meter, limits }, layers, space);
        space.packed = packed;
        flow
    }

    fn zstd(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        match zstd::stream::read::Decoder::new(source) {
            Ok(inner) => {
                let limits = &self.options.limits;
                self.layer(&mut Unpacked { inner, meter: self.meter, limits }, layers, space)
            }
            Err(error) => {
                self.problem(None, cause_of(&error));
                ControlFlow::Continue(())
            }
        }
    }

    fn tar(&mut self, source: &mut dyn Read, space: &mut Space) -> ControlFlow<()> {
        let mut archive = tar::Archive::new(source);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(None, cause_of(&error));
                return ControlFlow::Continue(());
            }
        };
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let cause = cause_of(&error);
                    // Where the archive is cut the member is cut too, and that was told.
                    if self.failure.take().as_ref() != Some(&cause) {
                        self.problem(None, cause);
                    }
                    break;
                }
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if !self.enter(name) {
                break;
            }
            self.skip_or_read(|run| run.layer(&mut entry, Layers { archive: true, compressions: 0 }, space))?;
        }
        ControlFlow::Continue(())
    }

    fn zip(&mut self, source: Stored<'_, File>, space: &mut Space) -> ControlFlow<()> {
        let mut archive = match zip::ZipArchive::new(source) {
            Ok(archive) => archive,
            Err(error) => {
                self.problem(None, Cause::Damaged { detail: error.to_string() });
                return ControlFlow::Continue(());
            }
        };
        let limits = &self.options.limits;
        for number in 0..archive.len() {
            let name = match archive.name_for_index(number) {
                Some(Ok(name)) => name.into_owned(),
                Some(Err(_)) | None => format!("member {number}"),
            };
            if name.ends_with('/') {
                continue;
            }
            if !self.enter(name) {
                break;
            }
            let inner = match archive.by_index(number) {
                Ok(member) => member,
                Err(error) => {
                    self.problem(None, Cause::Member { detail: error.to_string() });
                    self.member = None;
                    continue;
                }
            };
            let mut member = Unpacked { inner, meter: self.meter, limits };
            self.skip_or_read(|run| {
                run.layer(&mut member, Layers { archive: true, compressions: 0 }, space)
            })?;
        }
        ControlFlow::Continue(())
    }

    /// Enters a member of an archive. `false` if there were too many.
    fn enter(&mut self, name: String) -> bool {
        let limit = self.options.limits.members;
        if self.totals.members + self.totals.skipped_members >= limit {
            self.problem(None, Cause::TooManyMembers { limit });
            return false;
        }
        self.member = Some(name);
        self.failure = None;
        true
    }

    /// Reads the member that was entered, unless its name says that it is none of ours, and leaves it.
    fn skip_or_read(&mut self, read: impl FnOnce(&mut Self) -> ControlFlow<()>) -> ControlFlow<()> {
        let flow = if self.member.as_deref().is_some_and(is_foreign) {
            self.totals.skipped_members += 1;
            ControlFlow::Continue(())
        } else {
            self.totals.members += 1;
            read(self)
        };
        self.member = None;
        flow
    }

    /// Reads the records of a text. Gives the window's space back.
    fn text(
        &mut self,
        window: Window<'_>,
        classifier: &mut Classifier,
        tokens: &mut Tokens,
    ) -> (ControlFlow<()>, Vec<u8>) {
        let space = (!self.options.without_tokens).then(|| std::mem::take(tokens));
        let mut framer = Framer::new(window, space, self.options.mode, &self.options.limits);
        let mut reported = 0;
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            match framer.next() {
                Frame::Object { range, ascii } => {
                    flow = self.object(&mut framer, range, ascii, classifier);
                }
                Frame::Problem { place, cause } => self.problem(Some(place), cause),
                Frame::End => break,
            }
            // Now and then is enough for a progress bar.
            if framer.offset() - reported >= PROGRESS_BYTES {
                self.progress(framer.offset() - reported);
                reported = framer.offset();
            }
        }
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
        let (window, space) = framer.into_buffers();
        *tokens = space.unwrap_or_default();
        (flow, window)
    }

    /// Takes an object that stands at `range`.
    fn object(
        &mut self,
        framer: &mut Framer<'_>,
        range: Range<usize>,
        ascii: bool,
        classifier: &mut Classifier,
    ) -> ControlFlow<()> {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        if !self.wants(ordinal) {
            return ControlFlow::Continue(());
        }
        let window = framer.window();
        match text(&window.text()[range.clone()], ascii) {
            Ok(text) => {
                let offset = window.offset(range.start);
                self.record(ordinal, offset, text, framer.tokens(), classifier)?;
            }
            Err(error) => {
                let place = framer.place(range.start + error.valid_up_to());
                self.problem(Some(place), Cause::InvalidUtf8);
            }
        }
        let enough = self.wanted.is_some_and(<[u64]>::is_empty);
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Whether the record is asked for. Records come in order, so only the first one wanted can be it.
    fn wants(&mut self, ordinal: u64) -> bool {
        let Some(wanted) = self.wanted else { return true };
        match wanted.split_first() {
            Some((&first, rest)) if first == ordinal => {
                self.wanted = Some(rest);
                true
            }
            _ => false,
        }
    }

    /// Gives a record to the sink.
    fn record(
        &mut self,
        ordinal: u64,
        offset: u64,
        text: &str,
        tokens: Option<&Tokens>,
        classifier: &mut Classifier,
    ) -> ControlFlow<()> {
        let found = match self.options.mode {
            Mode::Trail => classifier.trail(text.as_bytes()),
            Mode::Plain => Classifier::plain(text.as_bytes()),
        };
        let owned = |range: Range<usize>| text[range].to_owned();
        let (id, index) = (found.id.map(owned), found.index.map(owned));
        let (text, tokens) = match found.place {
            Place::Text(range) if range.len() == text.len() => (text, tokens),
            Place::Text(range) => (&text[range], None),
            Place::Unescaped(level, range) => (&classifier.unescaped[level][range], None),
        };
        self.totals.records += 1;
        let member = self.member.as_deref();
        let (id, index) = (id.as_deref(), index.as_deref());
        self.sink.record(Record { ordinal, offset, member, kind: found.kind, id, index, text, tokens })
    }

    /// Reports a problem, unless there were too many.
    fn problem(&mut self, place: Option<TextPlace>, cause: Cause) {
        if self.wanted.is_some() {
            return;
        }
        self.totals.problems += 1;
        // Whole files and single records are counted apart, so that neither hides the other.
        let of_a_record = cause.is_of_a_record();
        let told = if of_a_record { &mut self.record_problems } else { &mut self.other_problems };
        *told += 1;
        if *told <= self.options.limits.problems {
            self.tell(place, cause);
        }
    }

    fn tell(&mut self, place: Option<TextPlace>, cause: Cause) {
        self.sink.problem(Problem {
            input: self.input.id,
            name: self.input.name().to_owned(),
            member: self.member.clone(),
            place,
            cause,
        });
    }

    fn progress(&mut self, text_bytes: u64) {
        self.totals.text_bytes += text_bytes;
        let stored = self.meter.stored.get();
        let read_bytes = stored.saturating_sub(self.reported_bytes);
        self.reported_bytes = stored;
        self.sink.progress(Progress { read_bytes, text_bytes });
    }

    fn finish(mut self) -> Totals {
        self.progress(0);
        self.totals.read_bytes = self.meter.stored.get();
        let limit = self.options.limits.problems;
        let more = self.record_problems.saturating_sub(limit) + self.other_problems.saturating_sub(limit);
        self.member = None;
        if more > 0 {
            self.tell(None, Cause::More { count: more });
        }
        if let Some(missing) = self.wanted.map(<[u64]>::len).filter(|&missing| missing > 0) {
            self.totals.problems += 1;
            self.tell(None, Cause::Changed { missing: missing as u64 });
        }
        self.totals
    }
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

/// How many compressed bytes are handed to a decompressor at a time.
const PACKED_BYTES: usize = 64 << 10;

/// How much text lies between two reports of progress.
const PROGRESS_BYTES: u64 = 1 << 20;

/// The first bytes of a source, which tell what it is, and what went wrong while reading them.
fn read_head(source: &mut dyn Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::with_capacity(HEAD);
    let failure = source.take(HEAD as u64).read_to_end(&mut head).err();
    (head, failure)
}

/// Fails first, if something went wrong before, and then reads on: so no failure is lost, and none comes before the
/// bytes that were good.
struct Failing<'s> {
    failure: Option<io::Error>,
    source: &'s mut dyn Read,
}

impl Read for Failing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.source.read(buf),
        }
    }
}
