//! A small S3 of our own, which holds one bucket and fails when it is told to.
#![allow(dead_code, reason = "each test that has it uses a part of it")]

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The one bucket that there is.
pub(crate) const BUCKET: &str = "trail";
/// When all objects were last changed.
const MODIFIED: (&str, &str) = ("2026-03-01T10:00:00.000Z", "Sun, 01 Mar 2026 10:00:00 GMT");

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Empty for what concerns the bucket.
    pub(crate) key: String,
    pub(crate) bucket: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// How often this object, or this listing, was asked for before.
    pub(crate) before: usize,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An answer of this status, with this code.
    Status(u16, &'static str),
    /// An answer of this status, with this body.
    Body(u16, &'static str),
    /// The body ends after so many bytes.
    Cut(usize),
    /// It takes so long.
    Slow(Duration),
    /// There is no answer.
    Silent,
    /// Something that is no S3 answers.
    Stranger(&'static str),
}

type Plan = Box<dyn Fn(&Request) -> Option<Fault> + Send + Sync>;

struct Shared {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    plan: Mutex<Arc<Plan>>,
    asked: Mutex<Vec<Request>>,
    page: usize,
}

pub(crate) struct Fake {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
}

impl Fake {
    /// With these objects, and so many of them on a page.
    pub(crate) fn start(objects: impl IntoIterator<Item = (String, Vec<u8>)>, page: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            objects: Mutex::new(objects.into_iter().collect()),
            plan: Mutex::new(Arc::new(Box::new(|_| None))),
            asked: Mutex::default(),
            page,
        });
        let its = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let its = Arc::clone(&its);
                std::thread::spawn(move || its.answer(&stream));
            }
        });
        Self { endpoint, shared }
    }

    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.shared.objects.lock().unwrap().insert(key.to_owned(), bytes.into());
    }

    pub(crate) fn remove(&self, key: &str) {
        self.shared.objects.lock().unwrap().remove(key);
    }

    /// From now on this goes wrong.
    pub(crate) fn fail(&self, plan: impl Fn(&Request) -> Option<Fault> + Send + Sync + 'static) {
        *self.shared.plan.lock().unwrap() = Arc::new(Box::new(plan));
    }

    /// What was asked for so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often something that fits was asked for.
    pub(crate) fn count(&self, fits: impl Fn(&Request) -> bool) -> usize {
        self.asked().iter().filter(|it| fits(it)).count()
    }
}

impl Shared {
    fn answer(&self, mut stream: &TcpStream) {
        let Some(mut request) = read(stream) else { return };
        {
            let mut asked = self.asked.lock().unwrap();
            let same = |it: &&Request| {
                (&it.method, &it.key, &it.query) == (&request.method, &request.key, &request.query)
            };
            request.before = asked.iter().filter(same).count();
            asked.push(request.clone());
        }
        let plan = Arc::clone(&self.plan.lock().unwrap());
        let mut cut = None;
        match plan(&request) {
            None => {}
            Some(Fault::Slow(time)) => std::thread::sleep(time),
            Some(Fault::Silent) => return,
            Some(Fault::Cut(after)) => cut = Some(after),
            Some(Fault::Status(status, code)) => {
                let body = error(code);
                let _ = stream.write_all(&head(status, body.len(), ""));
                let _ = stream.write_all(body.as_bytes());
                return;
            }
            Some(Fault::Stranger(body)) => {
                let _ = stream.write_all(&head(200, body.len(), ""));
                let _ = stream.write_all(body.as_bytes());
                return;
            }
            Some(Fault::Body(status, body)) => {
                let _ = stream.write_all(&head(status, body.len(), ""));
                let _ = stream.write_all(body.as_bytes());
                return;
            }
        }
        let (status, more, body) = self.content(&request);
        let _ = stream.write_all(&head(status, body.len(), &more));
        if request.method != "HEAD" {
            let body = &body[..cut.unwrap_or(body.len()).min(body.len())];
            let _ = stream.write_all(body);
        }
    }

    fn content(&self, request: &Request) -> (u16, String, Vec<u8>) {
        if request.bucket != BUCKET {
            return (404, String::new(), error("NoSuchBucket").into_bytes());
        }
        let objects = self.objects.lock().unwrap();
        if request.key.is_empty() {
            return (200, String::new(), self.listing(request, &objects).into_bytes());
        }
        let Some(bytes) = objects.get(&request.key) else {
            return (404, String::new(), error("NoSuchKey").into_bytes());
        };
        let tag = tag(bytes);
        if request.headers.get("if-match").is_some_and(|it| *it != tag) {
            return (412, String::new(), error("PreconditionFailed").into_bytes());
        }
        let mut more = format!("etag: {tag}\r\nlast-modified: {}\r\n", MODIFIED.1);
        let Some(range) = request.headers.get("range").and_then(|it| it.strip_prefix("bytes=")) else {
            return (200, more, bytes.clone());
        };
        let (first, last) = range.split_once('-').unwrap();
        let first: usize = first.parse().unwrap();
        let last = last.parse::<usize>().map_or(bytes.len(), |it| it + 1).min(bytes.len());
        more += &format!("content-range: bytes {first}-{}/{}\r\n", last - 1, bytes.len());
        (206, more, bytes[first..last].to_vec())
    }

    fn listing(&self, request: &Request, objects: &BTreeMap<String, Vec<u8>>) -> String {
        let get = |name: &str| request.query.get(name).map_or("", String::as_str);
        let (prefix, after) = (get("prefix"), get("start-after").max(get("continuation-token")));
        let most = get("max-keys").parse::<usize>().unwrap_or(1_000).min(self.page);
        let (mut entries, mut last, mut is_more) = (String::new(), String::new(), false);
        let mut folders: Vec<String> = Vec::new();
        let mut count = 0;
        for (key, bytes) in objects.range(prefix.to_owned()..) {
            if !key.starts_with(prefix) {
                break;
            }
            let folder = key[prefix.len()..].find('/').filter(|_| get("delimiter") == "/");
            let shown = folder.map_or(key.clone(), |end| key[..=prefix.len() + end].to_owned());
            if *shown <= *after || folders.last() == Some(&shown) {
                continue;
            }
            if count == most {
                is_more = true;
                break;
            }
            count += 1;
            last.clone_from(&shown);
            if folder.is_some() {
                entries += &format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", encoded(&shown));
                folders.push(shown);
            } else {
                entries += &format!(
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                    encoded(key),
                    MODIFIED.0,
                    tag(bytes).replace('"', "&quot;"),
                    bytes.len()
                );
            }
        }
        let next = if is_more {
            format!(
                "<NextContinuationToken>{}</NextContinuationToken>",
                last.replace('&', "&amp;").replace('<', "&lt;")
            )
        } else {
            String::new()
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>{BUCKET}</Name><EncodingType>url</EncodingType><IsTruncated>{is_more}</IsTruncated>{next}{entries}\
             </ListBucketResult>"
        )
    }
}

fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test has it</Message></Error>")
}

fn head(status: u16, length: usize, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n").into_bytes()
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new()).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (bucket, key) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let pair = |it: &str| it.split_once('=').map(|(name, value)| (decoded(name), decoded(value)));
    let query = query.split('&').filter_map(pair).collect();
    Some(Request { method, key: decoded(key), bucket: bucket.to_owned(), query, headers, before: 0 })
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}
