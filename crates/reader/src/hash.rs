//! The hashes of texts, taken while they go by.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::known::KEPT_TEXTS;
use crate::{FileText, Limits};

/// What a text is tells its beginning: so much of it is looked at.
const TOLD_BYTES: usize = 4 << 10;

/// Passes a text on, and takes its hash.
pub(crate) struct Hashing<'s> {
    source: &'s mut dyn Read,
    taken: Taken,
    ended: Option<io::Result<()>>,
}

impl<'s> Hashing<'s> {
    /// The first bytes of the text were read already.
    pub(crate) fn new(head: &[u8], source: &'s mut dyn Read, limits: &Limits) -> Self {
        let mut taken = Taken::new(limits);
        taken.add(head);
        Self { source, taken, ended: None }
    }

    /// What the text was, to its end, whoever stopped before that.
    pub(crate) fn finish(mut self) -> Taken {
        let mut rest = [0; 8 << 10];
        while self.ended.is_none() {
            match self.read(&mut rest) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.taken.is_whole = matches!(self.ended, Some(Ok(())));
        self.taken
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buf);
        match &read {
            Ok(0) if !buf.is_empty() => self.ended = self.ended.take().or(Some(Ok(()))),
            Ok(read) => self.taken.add(&buf[..*read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.ended = Some(Err(error.kind().into())),
        }
        read
    }
}

/// The hash of a text so far.
pub(crate) struct Taken {
    state: Sha256,
    bytes: u64,
    is_whole: bool,
    /// The text, while it may be one that is wanted whole.
    kept: Option<Vec<u8>>,
    is_known: bool,
    most: usize,
}

impl Taken {
    fn new(limits: &Limits) -> Self {
        Self {
            state: Sha256::new(),
            bytes: 0,
            is_whole: false,
            kept: Some(Vec::new()),
            is_known: false,
            most: limits.kept_text_bytes,
        }
    }

    /// That of a text that is here as a whole.
    pub(crate) fn whole(text: &[u8], limits: &Limits) -> Self {
        let mut taken = Self::new(limits);
        taken.add(text);
        taken.is_whole = true;
        taken
    }

    fn add(&mut self, piece: &[u8]) {
        self.state.update(piece);
        self.bytes += piece.len() as u64;
        let Some(kept) = &mut self.kept else { return };
        if kept.len() + piece.len() > self.most {
            self.kept = None;
            return;
        }
        if self.is_known {
            kept.extend_from_slice(piece);
        } else {
            let missing = TOLD_BYTES.saturating_sub(kept.len()).min(piece.len());
            kept.extend_from_slice(&piece[..missing]);
            if kept.len() >= TOLD_BYTES {
                self.tell();
            }
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(&piece[missing..]);
            }
        }
    }

    /// Lets go of what is not wanted whole.
    fn tell(&mut self) {
        self.is_known = true;
        let is_wanted = |text: &Vec<u8>| {
            let head = &text[..text.len().min(TOLD_BYTES)];
            KEPT_TEXTS.iter().any(|word| memchr::memmem::find(head, word.as_bytes()).is_some())
        };
        self.kept = self.kept.take().filter(is_wanted);
    }

    /// For the sink.
    pub(crate) fn told<R>(mut self, member: Option<&str>, tell: impl FnOnce(FileText<'_>) -> R) -> R {
        if !self.is_known {
            self.tell();
        }
        let kept = self.kept.as_deref().filter(|_| self.is_whole);
        let sha256 = self.is_whole.then(|| self.state.finalize().into());
        tell(FileText { member, bytes: self.bytes, sha256, kept })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives so many bytes at a time.
    struct Slow<'t>(&'t [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let piece = self.1.min(buf.len()).min(self.0.len());
            buf[..piece].copy_from_slice(&self.0[..piece]);
            self.0 = &self.0[piece..];
            Ok(piece)
        }
    }

    proptest! {
        #[test]
        fn pieces_make_the_whole(
            padding in 0usize..9000,
            word in prop::sample::select(vec!["", "\"digestEndTime\""]),
            piece in 1usize..5000,
            head in 0usize..600,
            taken in 0usize..9000,
            most in prop::sample::select(vec![100usize, 6000, 100_000]),
        ) {
            let text = [b"{".as_slice(), &vec![b' '; padding], word.as_bytes()].concat();
            let limits = Limits { kept_text_bytes: most, ..Limits::default() };
            let head = &text[..head.min(text.len())];
            let mut source = Slow(&text[head.len()..], piece);
            let mut hashing = Hashing::new(head, &mut source, &limits);
            // However much of it is read by whoever looks for records.
            let mut read = vec![0; taken];
            let _ = hashing.read(&mut read).unwrap();
            let by_piece = hashing.finish().told(None, |it| (it.bytes, it.sha256, it.kept.map(<[u8]>::to_vec)));
            let whole = Taken::whole(&text, &limits).told(None, |it| (it.bytes, it.sha256, it.kept.map(<[u8]>::to_vec)));
            prop_assert_eq!(&by_piece, &whole);
            let is_kept = !word.is_empty() && padding + 1 + word.len() <= TOLD_BYTES && text.len() <= most;
            prop_assert_eq!(whole.2, is_kept.then_some(text));
        }
    }
}
