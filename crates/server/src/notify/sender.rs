//! Sends a message to a receiver.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use notify::{Delivery, IndexAnswer, Message, Outcome, Syslog, Template};
use reqwest::Client;
use serde_json::Value;

use super::client::{self, ask, failed};
use super::{mail, socket};
use crate::config::{Protocol, ReceiverConfig, ReceiverKind, Secret};

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) outcome: Outcome,
    /// What the receiver said, in a line.
    pub(crate) answer: String,
}

impl Sent {
    pub(super) fn delivered(answer: impl Into<String>) -> Self {
        Self { outcome: Outcome::Delivered, answer: answer.into() }
    }

    /// Without a text that nobody is to see.
    fn without(mut self, secrets: &[String]) -> Self {
        let hide = |text: &mut String| {
            for secret in secrets.iter().filter(|it| it.len() >= 4) {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "…");
                }
            }
        };
        hide(&mut self.answer);
        match &mut self.outcome {
            Outcome::Delivered => {}
            Outcome::Refused { detail } | Outcome::Failed { detail, .. } => hide(detail),
        }
        self
    }
}

/// Sends to one receiver.
pub(crate) struct Sender {
    config: ReceiverConfig,
    /// For those that speak HTTP.
    client: Option<Client>,
    template: Option<Template>,
    timeout: Duration,
}

impl Sender {
    /// One for a receiver; what keeps it from being told otherwise.
    pub(crate) fn new(config: &ReceiverConfig, version: &str) -> Result<Self, String> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let authorities = config.authorities.as_deref();
        let proxy = config.proxy.as_ref().map(Secret::read).transpose()?;
        let proxy = proxy.as_deref();
        let (mut client, mut template) = (None, None);
        match &config.kind {
            ReceiverKind::Email { .. } | ReceiverKind::Syslog { .. } => {}
            ReceiverKind::Webhook { body, .. } => {
                client = Some(client::client(version, authorities, proxy, timeout)?);
                template = body.as_deref().map(Template::parse).transpose().map_err(|it| it.to_string())?;
            }
            ReceiverKind::Slack { .. }
            | ReceiverKind::Teams { .. }
            | ReceiverKind::PagerDuty { .. }
            | ReceiverKind::Otlp { .. }
            | ReceiverKind::Index { .. } => {
                client = Some(client::client(version, authorities, proxy, timeout)?);
            }
        }
        Ok(Self { config: config.clone(), client, template, timeout })
    }

    /// All that is kept elsewhere.
    fn secrets(&self) -> Vec<&Secret> {
        match &self.config.kind {
            ReceiverKind::Webhook { url, secret, headers, .. } => {
                std::iter::once(url).chain(secret).chain(headers.iter().map(|it| &it.1)).collect()
            }
            ReceiverKind::Slack { url } | ReceiverKind::Teams { url } => vec![url],
            ReceiverKind::PagerDuty { url, routing_key } => vec![url, routing_key],
            ReceiverKind::Email { login, .. } => login.iter().map(|it| &it.1).collect(),
            ReceiverKind::Syslog { .. } => Vec::new(),
            ReceiverKind::Otlp { url, headers } => {
                std::iter::once(url).chain(headers.iter().map(|it| &it.1)).collect()
            }
            ReceiverKind::Index { url, login, .. } => {
                std::iter::once(url).chain(login.iter().map(|it| &it.1)).collect()
            }
        }
    }

    /// Whether everything can be read that is needed to send.
    pub(super) fn check(&self) -> Result<(), String> {
        self.secrets().into_iter().try_for_each(|it| it.read().map(drop))
    }

    /// Sends a message.
    pub(crate) async fn send(&self, message: &Message<'_>) -> Sent {
        let sent = match tokio::time::timeout(self.timeout, self.try_send(message)).await {
            Ok(Ok(sent) | Err(sent)) => sent,
            Err(_) => failed(format!("no answer within {} s", self.timeout.as_secs_f32())),
        };
        let secrets: Vec<String> = self.secrets().into_iter().filter_map(|it| it.read().ok()).collect();
        sent.without(&secrets)
    }

    async fn try_send(&self, message: &Message<'_>) -> Result<Sent, Sent> {
        let read = |it: &Secret| it.read().map_err(failed);
        match &self.config.kind {
            ReceiverKind::Webhook { url, secret, headers, content_type, .. } => {
                let body = notify::webhook(message, self.template.as_ref());
                let Delivery { id, .. } = message.delivery;
                let seconds = message.now.div_euclid(1_000);
                let mut request = self.post(&read(url)?, content_type)?;
                request = request.header("webhook-id", id).header("webhook-timestamp", seconds.to_string());
                if let Some(secret) = secret {
                    let signature = notify::signature(&signing_key(&read(secret)?), id, seconds, &body);
                    request = request.header("webhook-signature", signature);
                }
                request = with(request, headers)?;
                Ok(ask(request.body(body)).await?.judged())
            }
            ReceiverKind::Slack { url } => self.json(&read(url)?, &notify::slack(message)).await,
            ReceiverKind::Teams { url } => self.json(&read(url)?, &notify::teams(message)).await,
            ReceiverKind::PagerDuty { url, routing_key } => {
                let url = read(url)?;
                let mut last = Sent::delivered("there was nothing to send");
                for event in notify::pagerduty(message, &read(routing_key)?) {
                    last = self.json(&url, &event).await?;
                    if last.outcome != Outcome::Delivered {
                        break;
                    }
                }
                Ok(last)
            }
            ReceiverKind::Otlp { url, headers } => {
                let request = with(self.post(&read(url)?, "application/json")?, headers)?;
                Ok(ask(request.body(notify::otlp(message).to_string())).await?.judged())
            }
            ReceiverKind::Index { url, index, login } => {
                let url = format!("{}/_bulk", read(url)?.trim_end_matches('/'));
                let mut request = self.post(&url, "application/x-ndjson")?;
                if let Some((name, secret)) = login {
                    let secret = read(secret)?;
                    let value = match name {
                        Some(name) => format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))),
                        None => format!("ApiKey {secret}"),
                    };
                    request = request.header("authorization", value);
                }
                let answer = ask(request.body(notify::index(message, index))).await?;
                let sent = answer.judged();
                if sent.outcome != Outcome::Delivered {
                    return Ok(sent);
                }
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                Ok(match notify::index_answer(&body, message.delivery.items.len()) {
                    IndexAnswer::Done => Sent::delivered(format!("answered {}", answer.status)),
                    IndexAnswer::Busy(detail) => failed(detail),
                    IndexAnswer::Refused(detail) => {
                        Sent { outcome: Outcome::Refused { detail: detail.clone() }, answer: detail }
                    }
                    IndexAnswer::Unclear => failed(format!("this is no answer to _bulk: {}", answer.told())),
                })
            }
            ReceiverKind::Email { address, protocol, login, from, to } => {
                let login = login.as_ref().map(|(name, secret)| Ok::<_, Sent>((name.clone(), read(secret)?)));
                let server = mail::Server {
                    address,
                    protocol: *protocol,
                    login: login.transpose()?,
                    authorities: self.config.authorities.as_deref(),
                    timeout: self.timeout,
                };
                Ok(mail::send(&server, from, to, message).await)
            }
            ReceiverKind::Syslog { address, protocol } => {
                let lines = notify::syslog(message, &Syslog { host: socket::host_name() });
                let trust = match protocol {
                    Protocol::Tls | Protocol::StartTls => {
                        Some(client::trust(self.config.authorities.as_deref()).map_err(failed)?)
                    }
                    Protocol::Udp | Protocol::Tcp => None,
                };
                socket::send(address, *protocol, trust, &lines).await.map_err(failed)?;
                Ok(Sent::delivered(format!(
                    "{} to {address}",
                    report::plural(lines.len() as u64, "line", "lines")
                )))
            }
        }
    }

    fn post(&self, url: &str, content_type: &str) -> Result<reqwest::RequestBuilder, Sent> {
        let client = self.client.as_ref().ok_or_else(|| failed("it has no client"))?;
        // What is wrong with a secret address must not show it.
        let url =
            reqwest::Url::parse(url.trim()).map_err(|it| failed(format!("`url` is no address: {it}")))?;
        Ok(client.post(url).header("content-type", content_type))
    }

    async fn json(&self, url: &str, body: &Value) -> Result<Sent, Sent> {
        Ok(ask(self.post(url, "application/json")?.body(body.to_string())).await?.judged())
    }
}

fn with(
    mut request: reqwest::RequestBuilder,
    headers: &[(String, Secret)],
) -> Result<reqwest::RequestBuilder, Sent> {
    for (name, value) in headers {
        let value = value.read().map_err(failed)?;
        let value = reqwest::header::HeaderValue::from_str(value.trim());
        let mut value = value.map_err(|_| failed(format!("the header `{name}` has a value that is none")))?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    Ok(request)
}

/// The key of signatures: `whsec_` and Base64, as others make them, or a text as it is.
fn signing_key(secret: &str) -> Vec<u8> {
    let encoded = secret.strip_prefix("whsec_").and_then(|it| STANDARD.decode(it).ok());
    encoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}
