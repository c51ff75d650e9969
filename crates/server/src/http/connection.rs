//! Connections: what comes over them is bounded in number, size and time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::route::Found;
use super::{Access, Answer, Asked, Body, Dialect, Kind, Method, Problem, Query, find};
use crate::api::ROUTES;
use crate::app::App;

/// Connections that are open at the same time.
const CONNECTIONS_MAX: usize = 1_024;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the beginning of a connection with TLS may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest head of a request.
const HEAD_BYTES: usize = 64 << 10;
/// The longest body of JSON.
const JSON_BYTES: usize = 1 << 20;
/// How long requests may go on when it is time to stop.
const GRACE: Duration = Duration::from_secs(20);
/// How long, and how much of it, a body is read that nobody wants, so that its sender reads why.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const DRAIN_BYTES: usize = 1 << 20;

/// Where clients of Kibana ask.
const KIBANA: [&str; 5] =
    ["/api/detection_engine", "/api/exception_lists", "/api/lists", "/api/spaces", "/s/"];

/// Where it listens.
pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    /// Becomes true when it is time to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Answers until it is time to stop, and then what is being asked.
pub(crate) async fn listen(app: Arc<App>, listening: Listening) {
    let Listening { listener, mut stop } = listening;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = stopped(&mut stop) => break,
        };
        let Ok(permit) = permit else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most likely: it passes, or it does not.
                    app.log.warn("SRV010", &format!("a connection was not accepted: {error}"), &[]);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let (app, tls, stop) = (Arc::clone(&app), app.current.tls(), stop.clone());
        tasks.spawn(async move {
            let _permit = permit;
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection(app, stream, peer, stop).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                        connection(app, stream, peer, stop).await;
                    }
                }
            }
        });
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(GRACE, all).await.is_err() {
        app.log.warn("SRV012", "some requests were not answered in time and are broken off", &[]);
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who could say so is gone: that is an end, too.
    let _ = stop.wait_for(|it| *it).await;
}

async fn connection<S>(app: Arc<App>, stream: S, peer: SocketAddr, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(respond(&app, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A client that goes away, or speaks something else, is no trouble of ours.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn respond(app: &Arc<App>, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let accept = parts.headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let method = Method::from_name(parts.method.as_str());
    let asked = without_space(parts.uri.path());
    let found = find(&ROUTES, method, asked);
    let (path, dialect) = match &found {
        Found::Route(route, _) => (route.path, route.dialect),
        // What is ours has its own places; whoever asks for something else takes this for what it is not.
        Found::OtherMethods(_) | Found::Nothing if KIBANA.iter().any(|it| asked.starts_with(it)) => {
            ("", Dialect::Kibana)
        }
        Found::OtherMethods(_) | Found::Nothing if asked.starts_with("/api/") => ("", Dialect::Own),
        Found::OtherMethods(_) | Found::Nothing => ("", Dialect::Elastic),
    };
    let started = Instant::now();
    let mut asker = None;
    let answer = match answer(app, found, &parts, body, peer, &mut asker).await {
        Ok(answer) => answer,
        Err(problem) => {
            if matches!(problem.kind, Kind::Failed | Kind::NotStored) {
                let path = ("path", Value::from(path));
                app.log.error(problem.kind.told().0, &problem.detail, &[path]);
            }
            problem.answer(dialect)
        }
    };
    app.counters.answered(path, answer.status);
    if app.config().logs_requests {
        let details = [
            ("method", Value::from(parts.method.as_str())),
            // What follows `?` may name what is nobody else's business.
            ("path", parts.uri.path().into()),
            ("status", answer.status.into()),
            ("ms", (started.elapsed().as_millis() as u64).into()),
            ("bytes", answer.body.len().into()),
            ("peer", peer.ip().to_string().into()),
            ("key", asker.into()),
        ];
        app.log.info("SRV037", "request", &details);
    }
    response(answer, dialect, accept.as_deref())
}

async fn answer(
    app: &Arc<App>,
    found: Found<'_>,
    parts: &Parts,
    body: Incoming,
    peer: SocketAddr,
    asker: &mut Option<String>,
) -> Result<Answer, Problem> {
    let is_open = matches!(&found, Found::Route(route, _) if route.access == Access::Open);
    let mut key = None;
    if !is_open {
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        key = given.and_then(|it| app.keys.authenticate(it));
        *asker = key.as_ref().map(|it| it.id.clone());
        if key.is_none() {
            app.counters.refused.fetch_add(1, Relaxed);
            app.refused(peer, given.is_some());
            drain(body, DRAIN_BYTES).await;
            let detail = if given.is_some() {
                "the key is not known, or `Authorization` is not as it should be: `ApiKey base64(id:secret)`"
            } else {
                "give `Authorization: ApiKey base64(id:secret)`, or Basic with the id and the secret"
            };
            let problem = Problem::new(Kind::Unauthenticated, detail);
            return Err(problem.header("www-authenticate", "Basic realm=\"trailwarden\", ApiKey"));
        }
    }
    if let Some(its) = &key
        && let Err(wait) = app.rates.ask(&its.id, app.config().rate, app.now())
    {
        app.counters.hurried.fetch_add(1, Relaxed);
        drain(body, app.config().body_bytes).await;
        let detail = format!("a key may make {} requests in a second (`rate_max`)", app.config().rate);
        return Err(Problem::new(Kind::Busy, detail).header("retry-after", wait.to_string()));
    }
    let (route, named) = match found {
        Found::Route(route, named) => (*route, named),
        Found::OtherMethods(methods) => {
            let methods: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
            let methods = methods.join(", ");
            let detail = format!("{} has {methods}", parts.uri.path());
            return Err(Problem::new(Kind::Method, detail).header("allow", methods));
        }
        Found::Nothing => {
            let detail =
                format!("there is nothing at {}; /api/v1/openapi.json says what there is", parts.uri.path());
            return Err(Problem::new(Kind::NoSuchResource, detail));
        }
    };
    if let (Access::Role(needed), Some(key)) = (route.access, &key)
        && !key.role.may(needed)
    {
        drain(body, DRAIN_BYTES).await;
        let detail =
            format!("this needs the role {}, and the key is of a {}", needed.as_str(), key.role.as_str());
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    let is_sent = |name: &str| parts.headers.get(name).is_some_and(|it| !it.is_empty());
    if route.dialect == Dialect::Kibana
        && Method::from_name(parts.method.as_str()).is_some_and(Method::changes)
        && !is_sent("kbn-xsrf")
        && !is_sent("kbn-version")
    {
        drain(body, DRAIN_BYTES).await;
        return Err(Problem::new(Kind::Header, "Request must contain a kbn-xsrf header."));
    }
    let query = Query::read(parts.uri.query().unwrap_or_default())?;
    // Whether the process lives is answered whatever it is busy with.
    if route.access == Access::Open {
        return (route.handler)(&asked(
            app,
            None,
            named,
            query,
            &parts.headers,
            route.methods[0],
            Vec::new(),
        ));
    }
    let Ok(_room) = Arc::clone(&app.room).try_acquire_owned() else {
        drain(body, app.config().body_bytes).await;
        return Err(Problem::later(Kind::Busy, "too many requests at once (`requests_max`)"));
    };
    let limit = match route.body {
        Body::None => DRAIN_BYTES,
        Body::Json => JSON_BYTES,
        Body::Events | Body::File => app.config().body_bytes,
    };
    let within = Duration::from_millis(app.config().request_ms);
    let held = Held { app, bytes: 0 };
    let (body, _held) = timeout(within, read(body, limit, held)).await.map_err(|_| {
        Problem::new(
            Kind::TooSlow,
            format!("it did not arrive within {} ms (`request_timeout`)", within.as_millis()),
        )
    })??;
    let method = Method::from_name(parts.method.as_str()).unwrap_or(Method::Get);
    let (app, headers) = (Arc::clone(app), parts.headers.clone());
    let work = move || (route.handler)(&asked(&app, key.as_ref(), named, query, &headers, method, body));
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Problem::new(Kind::Failed, "answering failed in a way that should not be; please report it"))
    })
}

fn asked<'a>(
    app: &'a App,
    key: Option<&'a crate::keys::Key>,
    parts: Vec<(&'static str, String)>,
    query: Query,
    headers: &HeaderMap,
    method: Method,
    body: Vec<u8>,
) -> Asked<'a> {
    let sent = |name| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let encoding = sent(header::CONTENT_ENCODING).trim().to_ascii_lowercase();
    let content_type = sent(header::CONTENT_TYPE).to_owned();
    Asked { app, key, parts, query, method, encoding, content_type, body }
}

/// A path without the space of Kibana that it names: there is one, the default.
fn without_space(path: &str) -> &str {
    path.strip_prefix("/s/default").filter(|it| it.starts_with("/api/")).unwrap_or(path)
}

/// Bytes of bodies that are in memory and not offered yet.
struct Held<'a> {
    app: &'a App,
    bytes: usize,
}

impl Held<'_> {
    fn more(&mut self, bytes: usize) -> Result<(), Problem> {
        let most = self.app.config().queue_bytes.saturating_add(self.app.config().body_bytes);
        let room = |held: usize| held.checked_add(bytes).filter(|it| *it <= most);
        self.app
            .counters
            .held_bytes
            .fetch_update(Relaxed, Relaxed, room)
            .map_err(|_| Problem::later(Kind::Busy, "too much is being delivered at once (`queue_max`)"))?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.app.counters.held_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// Reads a body to its end.
async fn read(mut body: Incoming, limit: usize, mut held: Held<'_>) -> Result<(Vec<u8>, Held<'_>), Problem> {
    let too_large = || Problem::new(Kind::TooLarge, format!("it may have {limit} bytes at most"));
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        drain(body, DRAIN_BYTES).await;
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(Kind::Body, format!("it broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            drain(body, DRAIN_BYTES).await;
            return Err(too_large());
        }
        if let Err(problem) = held.more(data.len()) {
            drain(body, limit).await;
            return Err(problem);
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, held))
}

/// Reads what nobody wants, as far as that is reasonable: who is still sending may not look for an answer before.
async fn drain(mut body: Incoming, limit: usize) {
    let drained = async {
        let mut left = limit;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            if bytes > left {
                break;
            }
            left -= bytes;
        }
    };
    let _ = timeout(DRAIN_TIMEOUT, drained).await;
}

fn response(answer: Answer, dialect: Dialect, accept: Option<&str>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    let mut content_type = answer.content_type;
    if dialect == Dialect::Elastic {
        headers.insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
        // Clients of some versions take nothing but what they asked for.
        let asked = accept.filter(|it| it.starts_with("application/vnd.elasticsearch+json"));
        content_type = asked.map_or(content_type, str::to_owned);
    }
    if let Ok(value) = HeaderValue::from_str(&content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}
