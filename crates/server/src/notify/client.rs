//! Requests that go out: a fixed time, no redirects, no proxy that nobody configured, answers of a bounded size.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::Outcome;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Proxy, redirect};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::sender::Sent;

/// So much of an answer is read.
const ANSWER_MAX: usize = 4 << 20;
/// So much of it is told.
const TOLD_MAX: usize = 200;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Whom we trust: the authorities of this machine, and those of a file.
pub(super) fn trust(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    // Some of a machine's certificates may be broken: the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = authorities {
        let wrong = |it: &dyn std::fmt::Display| format!("`{}`: {it}", path.display());
        let mut count = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|it| wrong(&it))? {
            roots.add(certificate.map_err(|it| wrong(&it))?).map_err(|it| wrong(&it))?;
            count += 1;
        }
        if count == 0 {
            return Err(wrong(&"there is no certificate in it"));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|it| it.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A client for one receiver.
pub(super) fn client(
    version: &str,
    authorities: Option<&Path>,
    proxy: Option<&str>,
    timeout: Duration,
) -> Result<Client, String> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured((*trust(authorities)?).clone())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout)
        // A connection that nobody used for a while may be gone, and tells so only afterwards.
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(format!("trailwarden/{version}"));
    if let Some(proxy) = proxy {
        builder = builder.proxy(Proxy::all(proxy).map_err(|it| format!("`proxy`: {}", it.without_url()))?);
    }
    builder.build().map_err(|it| format!("no client can be made: {}", chain(&it)))
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    after: Option<i64>,
}

/// Asks, and reads the answer as far as it goes.
pub(super) async fn ask(request: reqwest::RequestBuilder) -> Result<Answer, Sent> {
    let mut response = request.send().await.map_err(|it| failed(chain(&it.without_url())))?;
    let (status, after) = (response.status().as_u16(), retry_after(response.headers()));
    let mut body = Vec::new();
    while body.len() < ANSWER_MAX {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) => break,
            Err(error) => return Err(failed(chain(&error.without_url()))),
        }
    }
    body.truncate(ANSWER_MAX);
    Ok(Answer { status, body, after })
}

impl Answer {
    /// What an answer means.
    pub(super) fn judged(&self) -> Sent {
        let answer = self.told();
        match self.status {
            200..=299 => Sent { outcome: Outcome::Delivered, answer },
            // The message is wrong, says the receiver. Anything else may be right another time.
            400 | 413 | 422 => Sent { outcome: Outcome::Refused { detail: answer.clone() }, answer },
            300..=399 => {
                let detail = format!("{answer}; redirects are not followed");
                Sent { outcome: Outcome::Failed { detail, after: None }, answer }
            }
            _ => {
                let after = self.after;
                Sent { outcome: Outcome::Failed { detail: answer.clone(), after }, answer }
            }
        }
    }

    /// The beginning of it, in a line.
    pub(super) fn told(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let text: String = report::clean(text.trim()).chars().take(TOLD_MAX).collect();
        if text.is_empty() {
            format!("answered {}", self.status)
        } else {
            format!("answered {}: {text}", self.status)
        }
    }
}

/// It did not work now.
pub(super) fn failed(detail: impl Into<String>) -> Sent {
    let detail = detail.into();
    Sent { outcome: Outcome::Failed { detail: detail.clone(), after: None }, answer: detail }
}

/// When to come again, in so many milliseconds. A date goes by the receiver's own clock, if it says what that shows.
fn retry_after(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * 1_000);
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let (then, now) = (date(text)?, date(headers.get("date")?.to_str().ok()?)?);
    Some(then.duration_since(now).map_or(0, |it| it.as_millis() as i64))
}

/// An error with what it comes from: the last says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(it) = source {
        let its = it.to_string();
        if !text.contains(&its) {
            text += &format!(": {its}");
        }
        source = it.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Sent {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer { status, body: b"no\n\x1b[2J".to_vec(), after: retry_after(&map) }.judged()
    }

    #[test]
    fn what_answers_mean() {
        assert_eq!(answer(202, &[]).outcome, Outcome::Delivered);
        let told = "answered 400: no\u{fffd}\u{fffd}[2J".to_owned();
        assert_eq!(answer(400, &[]).outcome, Outcome::Refused { detail: told });
        for status in [301, 401, 403, 404, 408, 410, 429, 500, 503] {
            let sent = answer(status, &[("retry-after", "7")]);
            let after = if status == 301 { None } else { Some(7_000) };
            assert!(matches!(sent.outcome, Outcome::Failed { after: it, .. } if it == after), "{status}");
        }
        let dates =
            [("date", "Wed, 21 Oct 2026 07:28:00 GMT"), ("retry-after", "Wed, 21 Oct 2026 07:29:30 GMT")];
        assert!(matches!(answer(503, &dates).outcome, Outcome::Failed { after: Some(90_000), .. }));
        assert!(matches!(
            answer(503, &[("retry-after", "soon")]).outcome,
            Outcome::Failed { after: None, .. }
        ));
    }
}
