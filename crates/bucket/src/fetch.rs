//! The bytes of objects: asked for, and read on from where they ended if they end early.

use std::io::{self, Read};
use std::path::Path;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use reader::{Begun, Remote, RemoteBody, RemoteError};
use tokio::sync::mpsc;

use crate::client::{At, Call, chain, encoded};
use crate::{Address, BucketError, Client, Object};

/// Larger objects are not held, but read as they come.
pub(crate) const WHOLE_BYTES_MAX: u64 = 8 << 20;
/// How often a body that ends early is read on, each time without a single byte more.
const TRIES_MAX: u32 = 5;
/// Parts of a body that wait for whoever reads it.
const PARTS_MAX: usize = 32;

/// Takes what comes.
enum Sink {
    All(Vec<u8>),
    Parts(mpsc::Sender<Result<Bytes, BucketError>>),
}

impl Sink {
    /// Whether more is wanted.
    async fn take(&mut self, part: Bytes) -> bool {
        match self {
            Self::All(all) => {
                all.extend_from_slice(&part);
                true
            }
            Self::Parts(parts) => parts.send(Ok(part)).await.is_ok(),
        }
    }
}

/// What there was to be had of an object, and why it is not more; or why there was nothing.
pub(crate) type Whole = Result<(Vec<u8>, Option<BucketError>), BucketError>;

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) e_tag: Option<String>,
    /// Whether it is to be this object, and not what has its key by now.
    pub(crate) is_exact: bool,
}

impl Wanted {
    fn what(&self) -> String {
        Address { bucket: self.bucket.clone(), key: self.key.clone() }.to_string()
    }

    fn path(&self) -> Result<String, BucketError> {
        // Libraries of HTTP make these shorter, and another object would be asked for.
        if self.key.split('/').any(|it| matches!(it, "." | "..")) {
            return Err(BucketError::Key { what: self.what() });
        }
        Ok(format!("/{}", encoded(&self.key, b"/")))
    }
}

impl Client {
    /// Whether there is an object, and what it is like now.
    pub fn look(&self, address: &Address) -> Result<Object, BucketError> {
        self.wait(self.look_soon(address))
    }

    async fn look_soon(&self, address: &Address) -> Result<Object, BucketError> {
        let Address { bucket, key } = address.clone();
        let wanted = Wanted { bucket, key, size: 0, e_tag: None, is_exact: false };
        let (what, path) = (wanted.what(), wanted.path()?);
        let at = At::Bucket(&wanted.bucket);
        let call = Call { method: Method::HEAD, at, path, headers: &[], body: Bytes::new(), what: &what };
        let answered = self.ask(&call).await?;
        let wrong = |name: &str| BucketError::Answer { what: what.clone(), detail: format!("no {name}") };
        let size = number(&answered.headers, "content-length").ok_or_else(|| wrong("length"))?;
        let modified_ms = modified_ms(&answered.headers).ok_or_else(|| wrong("time of change"))?;
        Ok(Object::new(self.clone(), address, size, modified_ms, text(&answered.headers, "etag")))
    }

    /// All of an object that is not large, or as much of it as there was to be had and why it is not more.
    pub(crate) async fn whole(&self, wanted: &Wanted) -> Whole {
        let mut sink = Sink::All(Vec::with_capacity(usize::try_from(wanted.size).unwrap_or(0)));
        let failure = self.pump(wanted, None, &mut sink).await.err();
        let Sink::All(all) = sink else { return Ok((Vec::new(), failure)) };
        match failure {
            Some(failure) if all.is_empty() => Err(failure),
            failure => Ok((all, failure)),
        }
    }

    /// The first bytes of an object.
    pub(crate) async fn beginning(&self, wanted: &Wanted, bytes: u64) -> Result<Vec<u8>, BucketError> {
        if wanted.size == 0 || bytes == 0 {
            return Ok(Vec::new());
        }
        let mut sink = Sink::All(Vec::new());
        self.pump(wanted, Some(bytes.min(wanted.size)), &mut sink).await?;
        let Sink::All(all) = sink else { return Ok(Vec::new()) };
        Ok(all)
    }

    /// An object as it comes.
    pub(crate) fn stream(&self, wanted: Wanted) -> Stream {
        let (sender, parts) = mpsc::channel(PARTS_MAX);
        let client = self.clone();
        self.spawn(async move {
            let mut sink = Sink::Parts(sender.clone());
            // Nothing is the end of it: who hears of none must not take a broken channel for it.
            let last = client.pump(&wanted, None, &mut sink).await.map(|()| Bytes::new());
            // Who reads it may have enough.
            let _ = sender.send(last).await;
        });
        Stream { parts, part: Bytes::new(), failure: None, is_over: false }
    }

    /// Asks for an object, or its first bytes, and gives what comes, until it is there or cannot be had.
    async fn pump(&self, wanted: &Wanted, most: Option<u64>, sink: &mut Sink) -> Result<(), BucketError> {
        let (what, path) = (wanted.what(), wanted.path()?);
        let mut e_tag = wanted.e_tag.clone();
        let (mut at, mut end, mut tries) = (0, most, 0);
        loop {
            let mut headers = Vec::new();
            if at > 0 || most.is_some() {
                let last = most.map(|it| (it - 1).to_string()).unwrap_or_default();
                headers.push(("range", format!("bytes={at}-{last}")));
            }
            // Two parts of two objects are no object.
            if let Some(e_tag) = e_tag.as_ref().filter(|_| at > 0 || wanted.is_exact) {
                headers.push(("if-match", e_tag.clone()));
            }
            let place = At::Bucket(&wanted.bucket);
            let path = path.clone();
            let call = Call {
                method: Method::GET,
                at: place,
                path,
                headers: &headers,
                body: Bytes::new(),
                what: &what,
            };
            let answered = {
                let _room = self.0.fetching.acquire().await;
                self.ask(&call).await?
            };
            e_tag = text(&answered.headers, "etag").or(e_tag);
            let mut skipped = if at > 0 && !answered.headers.contains_key("content-range") { at } else { 0 };
            if end.is_none() {
                end = number(&answered.headers, "content-length");
            }
            let begun = at;
            let mut body = answered.body;
            let ended = loop {
                match body.frame().await {
                    None => break "the connection was closed".to_owned(),
                    Some(Err(error)) => break chain(&error),
                    Some(Ok(frame)) => {
                        let Ok(mut part) = frame.into_data() else { continue };
                        // Who does not know of ranges sends all of it once more.
                        let known = skipped.min(part.remaining() as u64);
                        part.advance(known as usize);
                        skipped -= known;
                        if let Some(end) = end {
                            part.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
                        }
                        at += part.len() as u64;
                        if !part.is_empty() && !sink.take(part).await {
                            return Ok(());
                        }
                        if end.is_some_and(|it| at >= it) {
                            return Ok(());
                        }
                    }
                }
            };
            match end {
                Some(end) if at >= end => return Ok(()),
                // Who does not say how much there is has said all, unless something broke.
                None if ended.starts_with("the connection was closed") => return Ok(()),
                Some(_) | None => {}
            }
            tries = if at > begun { 1 } else { tries + 1 };
            if tries > TRIES_MAX {
                let size = end.unwrap_or(wanted.size);
                return Err(BucketError::Cut { what, read: at, size, detail: ended });
            }
            self.pause(tries).await;
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

fn modified_ms(headers: &HeaderMap) -> Option<i64> {
    let text = text(headers, "last-modified")?;
    Some(jiff::fmt::rfc2822::parse(&text).ok()?.timestamp().as_second() * 1_000)
}

/// An object that is read as it comes.
pub(crate) struct Stream {
    parts: mpsc::Receiver<Result<Bytes, BucketError>>,
    part: Bytes,
    /// Why nothing more comes: who reads on must not take it for the end.
    failure: Option<RemoteError>,
    /// All of it came.
    is_over: bool,
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            if let Some(failure) = &self.failure {
                return Err(io::Error::other(failure.clone()));
            }
            if self.is_over {
                return Ok(0);
            }
            match self.parts.blocking_recv() {
                None => return Err(io::Error::other("whoever fetched it is gone")),
                Some(Ok(part)) => {
                    self.is_over = part.is_empty();
                    self.part = part;
                }
                Some(Err(error)) => self.failure = Some(error.into()),
            }
        }
        let read = buf.len().min(self.part.len());
        self.part.copy_to_slice(&mut buf[..read]);
        Ok(read)
    }
}

/// An object that is here: its bytes, and what it was.
#[derive(Debug)]
pub struct Fetched {
    address: String,
    size: u64,
    modified_ms: i64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Held(Bytes),
    /// What is large lies in a file that goes with this.
    Spooled(tempfile::NamedTempFile),
}

impl Object {
    /// Fetches it whole: what is large into a file of `folder`.
    pub fn fetch(&self, folder: &Path) -> Result<Fetched, BucketError> {
        let wanted = Wanted { is_exact: true, ..self.wanted() };
        let (address, size, modified_ms) = (self.address().to_owned(), self.size(), self.modified_ms());
        if size <= WHOLE_BYTES_MAX {
            let (bytes, failure) = self.client().wait(self.client().whole(&wanted))?;
            // Half of it would be taken for all.
            return match failure {
                Some(failure) => Err(failure),
                None => Ok(Fetched { address, size, modified_ms, body: Body::Held(bytes.into()) }),
            };
        }
        let mut stream = self.client().stream(wanted);
        let spooled = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            io::copy(&mut stream, &mut file)?;
            Ok(file)
        });
        match spooled {
            Ok(file) => Ok(Fetched { address, size, modified_ms, body: Body::Spooled(file) }),
            Err(error) => Err(BucketError::Cut { what: address, read: 0, size, detail: chain(&error) }),
        }
    }
}

impl Remote for Fetched {
    fn address(&self) -> &str {
        &self.address
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn modified_ms(&self) -> i64 {
        self.modified_ms
    }

    fn head(&self, bytes: usize) -> Result<Vec<u8>, RemoteError> {
        let mut head = Vec::new();
        let read = match self.open()? {
            RemoteBody::Whole(all, _) => {
                head.extend_from_slice(&all[..all.len().min(bytes)]);
                Ok(0)
            }
            RemoteBody::Stream(body) => body.take(bytes as u64).read_to_end(&mut head),
        };
        read.map_err(|it| self.gone(&it))?;
        Ok(head)
    }

    fn open(&self) -> Result<RemoteBody, RemoteError> {
        match &self.body {
            Body::Held(bytes) => Ok(RemoteBody::Whole(bytes.to_vec(), None)),
            Body::Spooled(file) => {
                let file = file.reopen().map_err(|it| self.gone(&it))?;
                Ok(RemoteBody::Stream(Box::new(file)))
            }
        }
    }

    fn ahead(&self) -> Begun {
        Begun::Nothing
    }
}

impl Fetched {
    /// Its file cannot be read any more.
    fn gone(&self, error: &io::Error) -> RemoteError {
        let (what, size) = (self.address.clone(), self.size);
        BucketError::Cut { what, read: 0, size, detail: error.to_string() }.into()
    }
}
