//! Reads bytes as a file and keeps what comes.

use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use reader::{
    Begun, FileText, Input, Limits, Options, Problem, Progress, Reader, Reading, Record, RecordKind, Remote,
    RemoteBody, RemoteError, Sink, Totals,
};

/// A record, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) member: Option<String>,
    pub(crate) kind: RecordKind,
    pub(crate) id: Option<String>,
    pub(crate) index: Option<String>,
    pub(crate) text: String,
}

/// Keeps everything.
#[derive(Debug, Default)]
pub(crate) struct Keep {
    pub(crate) records: Vec<Kept>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) progress: Progress,
    /// The members and the hashes of texts.
    pub(crate) hashes: Vec<(Option<String>, Option<[u8; 32]>)>,
}

impl Sink for Keep {
    fn record(&mut self, record: Record<'_>) -> ControlFlow<()> {
        if let Some(tokens) = record.tokens {
            assert_eq!(tokens, &json::Tokens::of(record.text), "{}", record.text);
        }
        self.records.push(Kept {
            ordinal: record.ordinal,
            offset: record.offset,
            member: record.member.map(str::to_owned),
            kind: record.kind,
            id: record.id.map(str::to_owned),
            index: record.index.map(str::to_owned),
            text: record.text.to_owned(),
        });
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn text(&mut self, text: FileText<'_>) {
        self.hashes.push((text.member.map(str::to_owned), text.sha256));
    }

    fn progress(&mut self, progress: Progress) {
        self.progress.read_bytes += progress.read_bytes;
        self.progress.text_bytes += progress.text_bytes;
    }
}

impl Keep {
    /// The codes of the problems.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.problems.iter().map(|problem| problem.cause.code()).collect()
    }

    /// The texts of the records.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.records.iter().map(|record| &*record.text).collect()
    }
}

/// Options with this mode and window.
pub(crate) fn options(mode: Reading, window_bytes: usize) -> Options {
    Options { mode, limits: Limits { window_bytes, ..Limits::default() }, ..Options::default() }
}

/// The hash of a text.
pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).into()
}

/// Something that lies elsewhere: all of it at once, or as it is read.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_stream: bool,
    /// Why it is not more.
    pub(crate) failure: Option<RemoteError>,
}

impl Remote for Elsewhere {
    fn address(&self) -> &'static str {
        "s3://trail/a"
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn modified_ms(&self) -> i64 {
        0
    }

    fn head(&self, bytes: usize) -> Result<Vec<u8>, RemoteError> {
        Ok(self.bytes[..self.bytes.len().min(bytes)].to_vec())
    }

    fn open(&self) -> Result<RemoteBody, RemoteError> {
        if !self.is_stream {
            return Ok(RemoteBody::Whole(self.bytes.clone(), self.failure.clone()));
        }
        let failing = Failing(self.failure.clone());
        Ok(RemoteBody::Stream(Box::new(std::io::Cursor::new(self.bytes.clone()).chain(failing))))
    }

    fn ahead(&self) -> Begun {
        Begun::Nothing
    }
}

/// Fails, if there is a reason to.
struct Failing(Option<RemoteError>);

impl std::io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.clone().map_or(Ok(0), |it| Err(std::io::Error::other(it)))
    }
}

/// Reads what lies elsewhere.
pub(crate) fn read_elsewhere(options: Options, remote: Elsewhere) -> (Keep, Totals) {
    let mut keep = Keep::default();
    let totals = Reader::new(options).read(&Input::elsewhere(0, Arc::new(remote)), &mut keep);
    (keep, totals)
}

/// Reads these bytes as a file, from memory, and from elsewhere: what they give must be the same.
pub(crate) fn read_with(options: Options, bytes: &[u8]) -> (Keep, Totals) {
    let file = file_of(bytes);
    let mut of_memory = Keep::default();
    let input = Input::memory(0, "memory", Arc::new(bytes.to_vec()));
    let totals_of_memory = Reader::new(options.clone()).read(&input, &mut of_memory);
    let elsewhere = [false, true].map(|is_stream| {
        let remote = Elsewhere { bytes: bytes.to_vec(), is_stream, failure: None };
        read_elsewhere(options.clone(), remote)
    });
    let (keep, totals) = read_file(options, file.path());
    assert_eq!((of_memory.texts(), of_memory.codes()), (keep.texts(), keep.codes()));
    assert_eq!(totals_of_memory, totals);
    for (it, its) in elsewhere {
        assert_eq!((it.texts(), it.codes(), &it.hashes), (keep.texts(), keep.codes(), &keep.hashes));
        assert_eq!((its.records, its.losses, its.members), (totals.records, totals.losses, totals.members));
    }
    (keep, totals)
}

/// Reads these bytes as a file, as usual.
pub(crate) fn read(bytes: &[u8]) -> Keep {
    read_with(Options::default(), bytes).0
}

pub(crate) fn read_file(options: Options, path: &Path) -> (Keep, Totals) {
    let input = Input::file(0, path).unwrap();
    let mut keep = Keep::default();
    let totals = Reader::new(options).read(&input, &mut keep);
    assert_eq!(totals.records, keep.records.len() as u64);
    assert_eq!(totals.read_bytes, keep.progress.read_bytes);
    assert_eq!(totals.text_bytes, keep.progress.text_bytes);
    (keep, totals)
}

pub(crate) fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Base64, bit by bit.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let six = |bits: &[u8]| (0..6).fold(0, |value, at| value << 1 | bits.get(at).copied().unwrap_or(0));
    let mut text: String = bits.chunks(6).map(|bits| char::from(LETTERS[usize::from(six(bits))])).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A record as AWS writes it, told from others by its number.
pub(crate) fn record(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","accountId":"111122223333"}},"eventTime":"2024-05-06T07:08:{:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.7","userAgent":"[aws-cli/2.15 \"quoted\\\\\" {{brackets]","requestParameters":{{"bucketName":"b{number}","tags":[{{"key":"a"}},{{"key":"ü"}}]}},"eventID":"{number}"}}"#,
        number % 60
    )
}

/// A delivered file with these records.
pub(crate) fn records_file(records: impl IntoIterator<Item = String>) -> String {
    format!("{{\"Records\":[{}]}}", records.into_iter().collect::<Vec<_>>().join(","))
}
