//! The feed of a server, for whoever follows it from elsewhere.

use std::time::Duration;

use ecs::Object;
use reqwest::{Certificate, Client, StatusCode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// So much of an answer that is an error is told.
const DETAIL_MAX: usize = 300;

/// Why a feed cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// What was given makes no client.
    #[error("{detail}")]
    Given {
        /// What is wrong.
        detail: String,
    },
    /// There is no answer: later there may be one.
    #[error("`{url}` does not answer: {detail}")]
    Unreachable {
        /// The server.
        url: String,
        /// What was said.
        detail: String,
    },
    /// It says no.
    #[error("`{url}` answers {status}: {detail}")]
    Refused {
        /// The server.
        url: String,
        /// The status.
        status: u16,
        /// What else it says.
        detail: String,
    },
}

impl FeedError {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Given { .. } => "SRV060",
            Self::Unreachable { .. } => "SRV061",
            Self::Refused { .. } => "SRV062",
        }
    }

    /// Whether it may go on later by itself.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Given { .. } => false,
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
        }
    }
}

/// The alerts of a server that runs, in the order in which they are raised.
pub struct Feed {
    runtime: Runtime,
    client: Client,
    url: String,
    key: String,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret.
        f.debug_struct("Feed").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Feed {
    /// That of the server at `url`, asked with a key as `POST /api/v1/keys` gives it (`encoded`). `trusted` are certificates
    /// (PEM) that are trusted beside those of the system.
    pub fn new(url: &str, key: &str, trusted: Option<&[u8]>) -> Result<Self, FeedError> {
        let given = |detail: String| FeedError::Given { detail };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(given(format!("`{}` is no URL: https://HOST:PORT", url.escape_debug())));
        }
        // Somebody else in the process may have done so.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT);
        if let Some(pem) = trusted {
            let certificates = Certificate::from_pem_bundle(pem);
            let certificates = certificates.map_err(|it| given(format!("no certificates in PEM: {it}")))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|it| given(causes(&it)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|it| given(it.to_string()))?;
        Ok(Self { runtime, client, url: url.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    /// The alerts that were raised after that of a number, up to `size` of them, and the number of the last; without a number
    /// none, and where to begin.
    pub fn after(&self, number: Option<i64>, size: usize) -> Result<(Vec<Object>, i64), FeedError> {
        let after = number.map_or_else(String::new, |it| format!("&after={it}"));
        let url = format!("{}/api/v1/alerts/feed?size={size}{after}", self.url);
        let request = self.client.get(url).header("authorization", format!("ApiKey {}", self.key));
        let answer = self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let (status, body) =
            answer.map_err(|it| FeedError::Unreachable { url: self.url.clone(), detail: causes(&it) })?;
        let refused = |detail: &str| FeedError::Refused {
            url: self.url.clone(),
            status: status.as_u16(),
            detail: detail.chars().take(DETAIL_MAX).collect(),
        };
        let body = std::str::from_utf8(&body).map_err(|_| refused("what is no text"))?;
        let Ok(Value::Object(mut parsed)) = ecs::json::parse(body) else { return Err(refused(body)) };
        if status != StatusCode::OK {
            let detail = parsed.get("detail").and_then(Value::as_str).unwrap_or(body);
            return Err(refused(detail));
        }
        let next = parsed.get("next").and_then(Value::as_i64).ok_or_else(|| refused("no `next`"))?;
        let Some(Value::Array(alerts)) = parsed.shift_remove("alerts") else {
            return Err(refused("no `alerts`"));
        };
        let object = |it: Value| if let Value::Object(it) = it { Some(it) } else { None };
        Ok((alerts.into_iter().filter_map(object).collect(), next))
    }
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text += &format!(": {it}");
        cause = it.source();
    }
    text
}
