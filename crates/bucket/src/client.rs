//! Requests, signed and tried again.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{
    Certificate, HttpClient, HttpConnector as _, HttpErrorKind, HttpRequest, HttpResponseBody,
    ReqwestConnector,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::{BucketError, Settings};

/// How often something is asked for before it is given up.
const TRIES_MAX: u32 = 8;
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long a connection may take to be made,
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// and how long nothing may come over it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is no object.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// So much of an error is told.
const DETAIL_BYTES_MAX: usize = 300;
/// Threads that move bytes.
const THREADS: usize = 2;
/// Bytes of objects that are held before somebody reads them, in KiB.
const AHEAD_KIB: usize = 64 << 10;
/// Objects that are fetched at the same time.
const FETCHED_MAX: usize = 48;

/// Speaks to S3 and SQS. A copy is the same client.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    runtime: Option<Runtime>,
    http: HttpClient,
    /// Nothing if requests are not signed.
    credentials: Option<AwsCredentialProvider>,
    pub(crate) settings: Settings,
    /// The regions of buckets, as far as they are known.
    regions: Mutex<HashMap<String, String>>,
    /// Room for bytes that are fetched ahead, in KiB.
    pub(crate) ahead: Arc<Semaphore>,
    /// Room for requests of objects.
    pub(crate) fetching: Arc<Semaphore>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither credentials nor what may hold some.
        out.debug_struct("Client").field("endpoint", &self.0.settings.endpoint).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last who holds it may be a task of its own, and nobody waits there.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is asked for.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) at: At<'a>,
    /// With what begins with `?`, if anything does; encoded.
    pub(crate) path: String,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Bytes,
    /// What to call it in messages.
    pub(crate) what: &'a str,
}

/// Where something is asked for.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// At a bucket.
    Bucket(&'a str),
    /// At a service, by its name, its address, and its region.
    Service(&'static str, &'a str, &'a str),
}

/// An answer that is a success.
pub(crate) struct Answered {
    pub(crate) headers: HeaderMap,
    pub(crate) body: HttpResponseBody,
}

impl Client {
    /// Makes a client. Nobody is asked for anything yet.
    pub fn new(settings: Settings) -> Result<Self, BucketError> {
        let setup = |detail: String| BucketError::Setup { detail };
        // Who has chosen one already has chosen well: all of this is built with the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("bucket").enable_all().build();
        let runtime = runtime.map_err(|it| setup(it.to_string()))?;
        let mut options = ClientOptions::new()
            // Where it is asked the address says, and an address with `http://` is one that somebody wrote.
            .with_allow_http(true)
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_read_timeout(READ_TIMEOUT);
        if let Some(path) = &settings.certificates {
            let wrong = |it: &dyn fmt::Display| setup(format!("`{}`: {it}", path.display()));
            let pem = std::fs::read(path).map_err(|it| wrong(&it))?;
            for certificate in Certificate::from_pem_bundle(&pem).map_err(|it| wrong(&it))? {
                options = options.with_root_certificate(certificate);
            }
        }
        let http = ReqwestConnector::default().connect(&options).map_err(|it| setup(chain(&it)))?;
        let mut credentials = None;
        if settings.is_signed {
            let retry = object_store::RetryConfig {
                max_retries: 2,
                retry_timeout: Duration::from_secs(10),
                ..object_store::RetryConfig::default()
            };
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name("any")
                .with_client_options(options)
                .with_retry(retry)
                .with_region(&settings.region);
            for (key, value) in &settings.options {
                builder = builder.with_config(*key, value);
            }
            let s3 = builder.build().map_err(|it| BucketError::NoCredentials { detail: chain(&it) })?;
            credentials = Some(Arc::clone(s3.credentials()));
        }
        Ok(Self(Arc::new(Inner {
            runtime: Some(runtime),
            http,
            credentials,
            settings,
            regions: Mutex::default(),
            ahead: Arc::new(Semaphore::new(AHEAD_KIB)),
            fetching: Arc::new(Semaphore::new(FETCHED_MAX)),
        })))
    }

    fn runtime(&self) -> &Runtime {
        self.0.runtime.as_ref().expect("it is taken when nobody holds it any more")
    }

    /// Waits for something.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime().block_on(what)
    }

    /// Has something done meanwhile.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.runtime().spawn(what)
    }

    /// Where a bucket is, as far as that is known.
    fn region(&self, bucket: &str) -> String {
        let regions = self.0.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions.get(bucket).unwrap_or(&self.0.settings.region).clone()
    }

    /// Asks until there is an answer, or no use in asking on.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Answered, BucketError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(call).await {
                Ok(answered) => return Ok(answered),
                Err(Failed { again: Again::AtOnce, .. }) if tries < TRIES_MAX => {}
                Err(Failed { again: Again::Later, .. }) if tries < TRIES_MAX => self.pause(tries).await,
                Err(Failed { error: BucketError::Busy { what, detail, .. }, .. }) => {
                    return Err(BucketError::Busy { what, detail, tries });
                }
                Err(Failed { error, .. }) => return Err(error),
            }
        }
    }

    /// Waits before the next try, a little longer each time, and not as long as others.
    pub(crate) async fn pause(&self, tries: u32) {
        let longest = self.0.settings.pause.saturating_mul(1 << tries.min(16)).min(PAUSE_MAX);
        tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answered, Failed> {
        let (service, region, url) = match call.at {
            At::Bucket(bucket) => {
                let region = self.region(bucket);
                let url = self.0.settings.url(bucket, &region);
                ("s3", region, url)
            }
            At::Service(service, url, region) => (service, region.to_owned(), url.to_owned()),
        };
        let request = self.signed(call, &format!("{url}{}", call.path), service, &region).await?;
        let what = || call.what.to_owned();
        let response = self.0.http.execute(request).await.map_err(|error| {
            let error_is_network = matches!(
                error.kind(),
                HttpErrorKind::Connect
                    | HttpErrorKind::Request
                    | HttpErrorKind::Timeout
                    | HttpErrorKind::Interrupted
            );
            let again = if error_is_network { Again::Later } else { Again::Never };
            Failed { error: BucketError::Unreachable { what: what(), detail: chain(&error) }, again }
        })?;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok(Answered { headers: parts.headers, body });
        }
        let text = |headers: &HeaderMap, name: &str| {
            headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
        };
        // What is said in the body is worth having, and nothing hangs on it.
        let said = short(body).await;
        let told = Told::of(parts.status, &said, text(&parts.headers, "x-amzn-errortype").as_deref());
        if let At::Bucket(bucket) = call.at {
            let right = text(&parts.headers, "x-amz-bucket-region").or_else(|| element(&said, "Region"));
            if let Some(right) = right.filter(|it| *it != region && is_region(it)) {
                let mut regions = self.0.regions.lock().unwrap_or_else(PoisonError::into_inner);
                regions.insert(bucket.to_owned(), right);
                return Err(Failed { error: told.error(call), again: Again::AtOnce });
            }
        }
        let again = if told.may_pass() { Again::Later } else { Again::Never };
        Err(Failed { error: told.error(call), again })
    }

    async fn signed(
        &self,
        call: &Call<'_>,
        url: &str,
        service: &str,
        region: &str,
    ) -> Result<HttpRequest, Failed> {
        let what = || call.what.to_owned();
        let never = |error| Failed { error, again: Again::Never };
        let mut request = http::Request::builder().method(call.method.clone()).uri(url);
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        let refused = |detail: String| never(BucketError::Refused { what: what(), detail });
        let mut request = request.body(call.body.clone().into()).map_err(|it| refused(it.to_string()))?;
        if let Some(credentials) = &self.0.credentials {
            let credential = credentials.get_credential().await.map_err(|error| {
                let detail = chain(&error);
                never(self.0.settings.wrong_profile.clone().unwrap_or(BucketError::NoCredentials { detail }))
            })?;
            AwsAuthorizer::new(&credential, service, region)
                .with_request_payer(self.0.settings.is_payer && service == "s3")
                .try_authorize(&mut request, None)
                .map_err(|it| refused(chain(&it)))?;
        }
        Ok(request)
    }

    /// The whole of an answer that is no object.
    pub(crate) async fn text(&self, call: &Call<'_>) -> Result<String, BucketError> {
        let mut tries = 0;
        loop {
            let answered = self.ask(call).await?;
            match http_body_util::Limited::new(answered.body, ANSWER_BYTES_MAX).collect().await {
                Ok(body) => {
                    let wrong = |detail: &str| BucketError::Answer {
                        what: call.what.to_owned(),
                        detail: detail.to_owned(),
                    };
                    return String::from_utf8(body.to_bytes().to_vec()).map_err(|_| wrong("it is no UTF-8"));
                }
                Err(error) => {
                    tries += 1;
                    if tries >= TRIES_MAX {
                        return Err(BucketError::Unreachable {
                            what: call.what.to_owned(),
                            detail: chain(&*error),
                        });
                    }
                    self.pause(tries).await;
                }
            }
        }
    }
}

/// Why a request came to nothing.
struct Failed {
    error: BucketError,
    again: Again,
}

/// Whether to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// Somewhere else.
    AtOnce,
    /// It may pass.
    Later,
    Never,
}

/// What a service says when it does not do what it is asked.
struct Told {
    status: StatusCode,
    /// Its name for what is wrong.
    code: String,
    message: String,
}

impl Told {
    fn of(status: StatusCode, body: &str, kind: Option<&str>) -> Self {
        let json = serde_json::from_str::<serde_json::Value>(body).ok();
        let member = |name: &str| json.as_ref().and_then(|it| it[name].as_str()).map(str::to_owned);
        // `com.amazonaws.sqs#QueueDoesNotExist`, `AccessDenied:http://…`
        let code = element(body, "Code").or_else(|| member("__type")).or_else(|| kind.map(str::to_owned));
        let code = code.unwrap_or_default();
        let code =
            code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        let message = element(body, "Message").or_else(|| member("message")).or_else(|| member("Message"));
        Self { status, code, message: message.unwrap_or_default() }
    }

    /// Whether it may be otherwise soon.
    fn may_pass(&self) -> bool {
        self.status.is_server_error()
            || matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            || matches!(
                &*self.code,
                "RequestTimeout" | "SlowDown" | "ThrottlingException" | "RequestThrottled" | "Throttling"
            )
    }

    fn detail(&self) -> String {
        let Self { status, code, message } = self;
        let text = match (code.is_empty(), message.is_empty()) {
            (true, true) => format!("status {status}"),
            (true, false) => format!("status {}: {message}", status.as_u16()),
            (false, true) => code.clone(),
            (false, false) => format!("{code}: {message}"),
        };
        cut(&text)
    }

    fn error(&self, call: &Call<'_>) -> BucketError {
        let (what, detail) = (call.what.to_owned(), self.detail());
        match (&*self.code, call.at) {
            ("NoSuchBucket", At::Bucket(bucket)) => BucketError::NoBucket { bucket: bucket.to_owned() },
            ("NoSuchKey" | "NoSuchVersion", _) => BucketError::NoObject { what },
            ("InvalidObjectState", _) => BucketError::Archived { what },
            ("QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue", _) => {
                BucketError::NoQueue { queue: what }
            }
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "RequestTimeTooSkewed"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "ExpiredTokenException"
                | "InvalidSignatureException"
                | "AuthorizationHeaderMalformed",
                _,
            ) => BucketError::Credentials { what, detail },
            _ if self.may_pass() => BucketError::Busy { what, detail, tries: 1 },
            _ => match self.status {
                StatusCode::NOT_FOUND if call.path.len() > 1 && !call.path.starts_with("/?") => {
                    BucketError::NoObject { what }
                }
                StatusCode::NOT_FOUND => match call.at {
                    At::Bucket(bucket) => BucketError::NoBucket { bucket: bucket.to_owned() },
                    At::Service(..) => BucketError::Refused { what, detail },
                },
                StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => BucketError::Denied { what, detail },
                StatusCode::PRECONDITION_FAILED => BucketError::Changed { what },
                _ => BucketError::Refused { what, detail },
            },
        }
    }
}

/// The beginning of a body, as text.
async fn short(body: HttpResponseBody) -> String {
    let all = http_body_util::Limited::new(body, 64 << 10).collect().await;
    all.map(|it| String::from_utf8_lossy(&it.to_bytes()).into_owned()).unwrap_or_default()
}

/// The text of the first element of this name.
fn element(text: &str, name: &str) -> Option<String> {
    let begin = text.find(&format!("<{name}>"))? + name.len() + 2;
    let end = text[begin..].find("</")? + begin;
    Some(text[begin..end].to_owned())
}

fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

/// An error with all that it comes of.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        let more = inner.to_string();
        // Many say what is beneath them themselves.
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        next = inner.source();
    }
    cut(&text)
}

/// A text that fits into a message.
pub(crate) fn cut(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(DETAIL_BYTES_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A text as a part of an address: what stands in `kept` stays, and what every part may have.
pub(crate) fn encoded(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

/// What was encoded, with `+` for a space if that is how it was done; nothing if it is no UTF-8.
pub(crate) fn decoded(text: &str, plus_is_space: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text
            .get(at + 1..at + 3)
            .filter(|it| bytes[at] == b'%' && it.bytes().all(|it| it.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(if bytes[at] == b'+' && plus_is_space { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(text in ".{0,40}") {
            prop_assert_eq!(decoded(&encoded(&text, b"/"), false), Some(text.clone()));
            prop_assert_eq!(decoded(&encoded(&text, b""), true), Some(text.clone()));
            prop_assert!(encoded(&text, b"").is_ascii());
        }

        #[test]
        fn decoding_never_panics(text in ".{0,40}") {
            let _ = (decoded(&text, true), decoded(&text, false));
        }
    }

    #[test]
    fn what_services_say_is_understood() {
        let s3 =
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        let told = Told::of(StatusCode::FORBIDDEN, s3, None);
        assert_eq!((told.detail().as_str(), told.may_pass()), ("AccessDenied: Access Denied", false));
        let sqs = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"no queue\"}";
        assert_eq!(Told::of(StatusCode::BAD_REQUEST, sqs, None).detail(), "QueueDoesNotExist: no queue");
        let proxy = Told::of(StatusCode::BAD_GATEWAY, "<html>", None);
        assert_eq!((proxy.detail().as_str(), proxy.may_pass()), ("status 502 Bad Gateway", true));
    }
}
