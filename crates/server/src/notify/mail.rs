//! Mail, over SMTP.

use std::path::Path;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use notify::{Message, Outcome};

use super::client::failed;
use super::sender::Sent;
use crate::config::Protocol;

/// A server of mail.
pub(super) struct Server<'a> {
    pub(super) address: &'a str,
    pub(super) protocol: Protocol,
    pub(super) login: Option<(String, String)>,
    pub(super) authorities: Option<&'a Path>,
    pub(super) timeout: Duration,
}

/// An address of mail; what is wrong with it otherwise.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse::<Mailbox>().map_err(|it| it.to_string())
}

pub(super) async fn send(server: &Server<'_>, from: &str, to: &[String], message: &Message<'_>) -> Sent {
    let (transport, letter) = match (transport(server), letter(from, to, message)) {
        (Ok(transport), Ok(letter)) => (transport, letter),
        (Err(why), _) | (_, Err(why)) => return failed(why),
    };
    match transport.send(letter).await {
        Ok(response) => Sent::delivered(format!("answered {}", response.code())),
        Err(error) => {
            let detail = error.to_string();
            // 552 and 554 are about the message; other refusals are about addresses, logins and servers.
            let is_refused =
                error.status().is_some_and(|it| ["552", "554"].contains(&it.to_string().as_str()));
            let outcome = if is_refused {
                Outcome::Refused { detail: detail.clone() }
            } else {
                Outcome::Failed { detail: detail.clone(), after: None }
            };
            Sent { outcome, answer: detail }
        }
    }
}

fn transport(server: &Server<'_>) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let (host, port) = server.address.rsplit_once(':').ok_or("`address` has no port")?;
    let host = host.trim_matches(['[', ']']);
    let port: u16 = port.parse().map_err(|_| "`address` has no port")?;
    let parameters = || {
        let mut builder = TlsParameters::builder(host.to_owned());
        if let Some(path) = server.authorities {
            let wrong = |it: &dyn std::fmt::Display| format!("`{}`: {it}", path.display());
            let pem = std::fs::read(path).map_err(|it| wrong(&it))?;
            builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|it| wrong(&it))?);
        }
        builder.build_rustls().map_err(|it| it.to_string())
    };
    let tls = match server.protocol {
        Protocol::Tls => Tls::Wrapper(parameters()?),
        // Never as it is, if the server does not want to.
        Protocol::StartTls => Tls::Required(parameters()?),
        Protocol::Tcp | Protocol::Udp => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port)
        .tls(tls)
        .timeout(Some(server.timeout));
    if let Some((name, password)) = &server.login {
        builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn letter(from: &str, to: &[String], message: &Message<'_>) -> Result<Letter, String> {
    let mail = notify::mail(message);
    let from = mailbox(from)?;
    // The same for each attempt: whoever gets it twice shows it once.
    let domain = from.email.domain().to_owned();
    let id = format!("<{}@{domain}>", message.delivery.id);
    let mut builder = Letter::builder().from(from).subject(mail.subject).message_id(Some(id)).date_now();
    for it in to {
        builder = builder.to(mailbox(it)?);
    }
    builder.header(ContentType::TEXT_PLAIN).body(mail.text).map_err(|it| it.to_string())
}
