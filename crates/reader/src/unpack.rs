//! Through archives and compression down to texts.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::ops::ControlFlow;

use crate::discover::is_foreign;
use crate::hash::{Hashing, Taken};
use crate::meter::{Stored, Unpacked, cause_of};
use crate::read::{Run, Space};
use crate::remote::Fetched;
use crate::sniff::{Content, HEAD, begins_like_json, known_text, sniff};
use crate::table::{HEADER_BYTES, Header};
use crate::window::Window;
use crate::{Cause, FileText, Reading, RemoteBody, gzip};

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
    pub(crate) fn file(&mut self, space: &mut Space) -> ControlFlow<()> {
        let flow = self.stored(space);
        if self.totals.members + self.totals.skipped_members == 0 {
            self.tell_no_text();
        }
        flow
    }

    fn stored(&mut self, space: &mut Space) -> ControlFlow<()> {
        if let Some(bytes) = self.input.bytes() {
            return self.opened(Cursor::new(bytes), space);
        }
        if let Some(remote) = self.input.remote() {
            return match remote.open() {
                Ok(RemoteBody::Whole(bytes, failure)) => self.opened(Fetched::new(bytes, failure), space),
                Ok(RemoteBody::Stream(body)) => self.streamed(body, space),
                Err(error) => {
                    self.problem(None, Cause::Remote(error));
                    ControlFlow::Continue(())
                }
            };
        }
        match File::open(self.input.path()) {
            #[cfg(feature = "parquet")]
            Ok(mut file) => {
                // It is read from its end, and where it lies.
                let mut head = [0; 4];
                let is_parquet = file.read_exact(&mut head).is_ok() && head == *crate::columnar::MAGIC;
                match file.rewind() {
                    Ok(()) if is_parquet => self.parquet_file(file, space),
                    Ok(()) => self.opened(file, space),
                    Err(error) => {
                        self.problem(None, Cause::Unreadable { detail: error.to_string() });
                        ControlFlow::Continue(())
                    }
                }
            }
            #[cfg(not(feature = "parquet"))]
            Ok(file) => self.opened(file, space),
            Err(error) => {
                self.problem(None, Cause::Unreadable { detail: error.to_string() });
                ControlFlow::Continue(())
            }
        }
    }

    fn opened(&mut self, inner: impl Read + Seek, space: &mut Space) -> ControlFlow<()> {
        let mut source = Stored { inner, meter: self.meter };
        let (head, failure) = read_head(&mut source);
        // A zip archive is read from its end: the only content that needs the file itself.
        if sniff(&head) == Content::Zip {
            return self.zip(source, space);
        }
        self.content(&head, &mut Failing { failure, source: &mut source }, Layers::default(), space)
    }

    /// Reads what comes from elsewhere as it is read.
    fn streamed(&mut self, body: impl Read, space: &mut Space) -> ControlFlow<()> {
        let mut source = Stored { inner: body, meter: self.meter };
        let (head, failure) = read_head(&mut source);
        let mut whole = Cursor::new(&head).chain(Failing { failure, source: &mut source });
        if sniff(&head) != Content::Zip {
            return self.layer(&mut whole, Layers::default(), space);
        }
        // What is read from its end has to be here.
        let spooled = tempfile::tempfile().and_then(|mut file| {
            io::copy(&mut whole, &mut file)?;
            Ok(file)
        });
        match spooled {
            Ok(inner) => {
                // It was counted on its way here.
                let counted = self.meter.stored.get();
                let flow = self.zip(Stored { inner, meter: self.meter }, space);
                self.meter.stored.set(counted);
                flow
            }
            Err(error) => {
                self.problem(None, cause_of(&error));
                ControlFlow::Continue(())
            }
        }
    }

    /// Reads what `source` holds, inside of whatever layers.
    fn layer(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        let (head, failure) = read_head(source);
        self.content(&head, &mut Failing { failure, source }, layers, space)
    }

    /// Reads `head` and what follows it in `source`; takes the hash of what is a text.
    fn content(
        &mut self,
        head: &[u8],
        source: &mut dyn Read,
        layers: Layers,
        space: &mut Space,
    ) -> ControlFlow<()> {
        let content = sniff(head);
        if !self.hashes() || !matches!(content, Content::Text | Content::Blank) {
            return self.content_of(content, head, source, layers, space);
        }
        let mut hashing = Hashing::new(head, source, &self.options.limits);
        self.content_of(content, head, &mut hashing, layers, space)?;
        self.tell_text(hashing.finish());
        ControlFlow::Continue(())
    }

    /// Whether texts are told with their hashes.
    fn hashes(&self) -> bool {
        self.options.hashes && self.wanted.is_none()
    }

    fn tell_text(&mut self, taken: Taken) {
        self.told_text = true;
        taken.told(self.member.as_deref(), |text| self.sink.text(text));
    }

    /// Says of a file or member that gave no text that it was there.
    fn tell_no_text(&mut self) {
        if self.hashes() && !self.told_text {
            self.sink.text(FileText { member: self.member.as_deref(), bytes: 0, sha256: None, kept: None });
        }
        self.told_text = false;
    }

    fn content_of(
        &mut self,
        content: Content,
        head: &[u8],
        source: &mut dyn Read,
        layers: Layers,
        space: &mut Space,
    ) -> ControlFlow<()> {
        if content == Content::Text && self.options.mode == Reading::Trail && !begins_like_json(head) {
            return self.other_text(head, source, layers, space);
        }
        let mut source = Cursor::new(head).chain(source);
        #[cfg(feature = "parquet")]
        if head.starts_with(crate::columnar::MAGIC) {
            return self.parquet(&mut source, space);
        }
        match (content, layers.compressed()) {
            (Content::Text | Content::Blank, _) => {
                let buffer = std::mem::take(&mut space.window);
                let window = Window::stream(buffer, &mut source, self.options.limits.window_bytes);
                let (flow, buffer) = self.text(window, space);
                space.window = buffer;
                return flow;
            }
            (Content::Gzip, Some(layers)) => return self.gzip(&mut source, layers, space),
            (Content::Zstd, Some(layers)) => return self.zstd(&mut source, layers, space),
            (Content::Bzip2, Some(layers)) => return self.bzip2(&mut source, layers, space),
            (Content::Xz, Some(layers)) => return self.xz(&mut source, layers, space),
            (Content::Tar, _) if !layers.archive => return self.tar(&mut source, space),
            (
                Content::Gzip | Content::Zstd | Content::Bzip2 | Content::Xz | Content::Tar | Content::Zip,
                _,
            ) => {
                self.problem(None, Cause::Nested);
            }
            (Content::Known(other), _) => self.problem(None, Cause::OtherFile { other }),
            (Content::Utf16, _) => self.problem(None, Cause::Utf16),
            (Content::Binary, _) => self.problem(None, Cause::Binary),
        }
        ControlFlow::Continue(())
    }

    /// Reads a text that does not begin like JSON: a table, something that is known, or lines with a record somewhere.
    fn other_text(
        &mut self,
        head: &[u8],
        source: &mut dyn Read,
        layers: Layers,
        space: &mut Space,
    ) -> ControlFlow<()> {
        if let Some(other) = known_text(head) {
            self.problem(None, Cause::OtherFile { other });
            return ControlFlow::Continue(());
        }
        let mut head = head.to_vec();
        let missing = (HEADER_BYTES - head.len().min(HEADER_BYTES)) as u64;
        let failure = source.take(missing).read_to_end(&mut head).err();
        let mut source = Cursor::new(&head).chain(Failing { failure, source });
        if let Some(header) = Header::of(&head) {
            // As in a folder, a table of something else is passed over, and counted.
            if layers.archive && !header.may_hold_records(&head) {
                self.totals.members -= 1;
                self.totals.skipped_members += 1;
                return ControlFlow::Continue(());
            }
            return self.table(&mut source, &header, &mut space.open);
        }
        let buffer = std::mem::take(&mut space.window);
        let window = Window::stream(buffer, &mut source, self.options.limits.window_bytes);
        let (flow, buffer) = self.text(window, space);
        space.window = buffer;
        flow
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
                let as_it_is = self.options.mode == Reading::Plain || begins_like_json(&text[..length]);
                let flow = match sniff(&text[..length]) {
                    Content::Text | Content::Blank if as_it_is => {
                        if self.hashes() {
                            self.tell_text(Taken::whole(&text[..length], &self.options.limits));
                        }
                        let window = Window::whole(text, length);
                        let (flow, buffer) = self.text(window, space);
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

    fn bzip2(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        let inner = bzip2::read::MultiBzDecoder::new(source);
        let limits = &self.options.limits;
        self.layer(&mut Unpacked { inner, meter: self.meter, limits }, layers, space)
    }

    fn xz(&mut self, source: &mut dyn Read, layers: Layers, space: &mut Space) -> ControlFlow<()> {
        let limits = &self.options.limits;
        match liblzma::stream::Stream::new_stream_decoder(
            limits.xz_memory_bytes,
            liblzma::stream::CONCATENATED,
        ) {
            Ok(stream) => {
                let inner = liblzma::read::XzDecoder::new_stream(source, stream);
                self.layer(&mut Unpacked { inner, meter: self.meter, limits }, layers, space)
            }
            Err(error) => {
                self.problem(None, cause_of(&error.into()));
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

    fn zip(&mut self, source: Stored<'_, impl Read + Seek>, space: &mut Space) -> ControlFlow<()> {
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
            self.told_text = false;
            let flow = read(self);
            self.tell_no_text();
            flow
        };
        self.member = None;
        flow
    }
}

/// How many compressed bytes are handed to a decompressor at a time.
const PACKED_BYTES: usize = 64 << 10;

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
