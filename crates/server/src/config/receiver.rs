//! `[[receivers]]` and `[[notifications]]`: who is told of what.

use std::fmt;
use std::path::PathBuf;

use span::{Diagnostic, Severity, Span};

use super::Section;
use super::read::{Given, Table};

/// A secret: from the environment, or in a file that is read when it is needed. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The text itself, as the environment gave it.
    Text(String),
    /// The file that holds it.
    File(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => out.write_str("Secret"),
            Self::File(path) => write!(out, "Secret in {}", path.display()),
        }
    }
}

impl Secret {
    /// The text. What is wrong with it otherwise, without a part of it.
    pub(crate) fn read(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|it| format!("the secret in `{}`: {it}", path.display()))?;
                // Editors end files with a line.
                let text = text.trim_end_matches(['\r', '\n']);
                if text.is_empty() {
                    Err(format!("`{}` is empty", path.display()))
                } else {
                    Ok(text.to_owned())
                }
            }
        }
    }
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ReceiverKind,
    /// Ids of Kibana's connectors that it stands for, in the actions of rules.
    pub connectors: Vec<String>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// What it did not take for so long is put aside, in milliseconds.
    pub give_up_ms: u64,
    /// Certificates (PEM) that it may show beside those that this machine trusts.
    pub authorities: Option<PathBuf>,
    /// The proxy that requests go through.
    pub proxy: Option<Secret>,
}

/// What a receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// Any body, posted.
    Webhook {
        /// Where to.
        url: Secret,
        /// What it is signed with.
        secret: Option<Secret>,
        /// Headers that go with it.
        headers: Vec<(String, Secret)>,
        /// The template of the body.
        body: Option<String>,
        /// What the body is.
        content_type: String,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// Where to.
        url: Secret,
    },
    /// A workflow's webhook of Microsoft Teams.
    Teams {
        /// Where to.
        url: Secret,
    },
    /// Events API v2 of `PagerDuty`.
    PagerDuty {
        /// Where to.
        url: Secret,
        /// The key of the integration.
        routing_key: Secret,
    },
    /// Mail.
    Email {
        /// The server: a name and a port.
        address: String,
        /// How it is encrypted.
        protocol: Protocol,
        /// Who logs in, and how.
        login: Option<(String, Secret)>,
        /// From whom.
        from: String,
        /// To whom.
        to: Vec<String>,
    },
    /// Syslog, RFC 5424.
    Syslog {
        /// The server: a name and a port.
        address: String,
        /// How.
        protocol: Protocol,
    },
    /// Logs of OpenTelemetry.
    Otlp {
        /// Where to.
        url: Secret,
        /// Headers that go with it.
        headers: Vec<(String, Secret)>,
    },
    /// An index of Elasticsearch or OpenSearch.
    Index {
        /// Where to.
        url: Secret,
        /// The index, or data stream.
        index: String,
        /// Who asks; without a name the secret is an API key.
        login: Option<(Option<String>, Secret)>,
    },
}

/// How bytes go to somebody who does not speak HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A datagram each.
    Udp,
    /// As they are.
    Tcp,
    /// Encrypted.
    Tls,
    /// Encrypted once both agree to.
    StartTls,
}

impl ReceiverKind {
    /// The word for it, as the configuration has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Teams { .. } => "teams",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Email { .. } => "email",
            Self::Syslog { .. } => "syslog",
            Self::Otlp { .. } => "otlp",
            Self::Index { .. } => "index",
        }
    }

    /// Whether people read it: a thousand messages would help nobody.
    pub(crate) const fn is_for_people(&self) -> bool {
        match self {
            Self::Slack { .. } | Self::Teams { .. } | Self::Email { .. } => true,
            Self::Webhook { .. }
            | Self::PagerDuty { .. }
            | Self::Syslog { .. }
            | Self::Otlp { .. }
            | Self::Index { .. } => false,
        }
    }
}

/// The words for what receivers are.
pub(super) const TYPES: &[&str] =
    &["webhook", "slack", "teams", "pagerduty", "email", "syslog", "otlp", "index"];

/// What a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationConfig {
    /// What it is called.
    pub name: String,
    /// The receiver's name.
    pub receiver: String,
    /// What is told.
    pub on: notify::On,
    /// KQL over an alert's fields; empty for all.
    pub query: String,
    /// The least severity.
    pub severity: rule::Severity,
    /// Whether what comes at once is told together.
    pub is_summary: bool,
    /// After a message so long nothing is told of the same, in milliseconds.
    pub throttle_ms: u64,
    /// What is the same.
    pub by: Vec<String>,
}

/// What each type of receiver has beside what all have.
const USES: &[(&str, &[&str])] = &[
    ("webhook", &["url", "secret", "headers", "body", "content_type", "proxy"]),
    ("slack", &["url", "proxy"]),
    ("teams", &["url", "proxy"]),
    ("pagerduty", &["url", "secret", "proxy"]),
    ("email", &["address", "protocol", "username", "secret", "from", "to"]),
    ("syslog", &["address", "protocol"]),
    ("otlp", &["url", "headers", "proxy"]),
    ("index", &["url", "index", "username", "secret", "proxy"]),
];
const OF_ALL: &[&str] = &["name", "type", "connectors", "timeout", "give_up", "authorities"];

/// The address of `PagerDuty`.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

type Wrong = (String, Option<Span>);

/// A table that is read.
pub(super) struct Reading<'a> {
    pub(super) table: &'a Table,
    pub(super) given: &'a Given,
    pub(super) section: Section,
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Paths in secrets are relative to it.
    pub(super) folder: &'a std::path::Path,
}

impl Reading<'_> {
    fn place(&self, name: &'static str) -> Option<Span> {
        self.given.get(&(self.section, name)).and_then(|(.., span)| *span)
    }

    fn wrong<T>(&self, name: &'static str, message: impl Into<String>) -> Result<T, Wrong> {
        Err((message.into(), self.place(name)))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.table.text(name).map(str::to_owned)
    }

    fn needed(&self, kind: &str, name: &'static str) -> Result<String, Wrong> {
        match self.text(name) {
            Some(text) if !text.trim().is_empty() => Ok(text),
            Some(_) | None => self.wrong(name, format!("a receiver of type \"{kind}\" needs a `{name}`")),
        }
    }

    /// A text that may stand elsewhere: `env:NAME`, `file:PATH`, or, if that is allowed, as it is.
    fn secret(&self, name: &'static str, text: &str, is_open: bool) -> Result<Secret, Wrong> {
        if let Some(variable) = text.strip_prefix("env:") {
            return match (self.variable)(variable).filter(|it| !it.is_empty()) {
                Some(value) => Ok(Secret::Text(value)),
                None => self
                    .wrong(name, format!("`{name}`: there is no variable `{variable}` in the environment")),
            };
        }
        if let Some(path) = text.strip_prefix("file:") {
            return Ok(Secret::File(self.folder.join(path)));
        }
        if is_open {
            return Ok(Secret::Text(text.to_owned()));
        }
        self.wrong(name, format!("`{name}` is a secret: write env:NAME or file:PATH, and the secret there"))
    }

    /// An address on the web.
    fn url(&self, kind: &str, is_open: bool) -> Result<Secret, Wrong> {
        let text = self.needed(kind, "url")?;
        let secret = self.secret("url", &text, is_open)?;
        if let Secret::Text(url) = &secret {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return self.wrong("url", "`url` begins with https:// or http://");
            }
            let host =
                url.split("://").nth(1).and_then(|it| it.split(['/', '?', '#']).next()).unwrap_or_default();
            if host.is_empty() || host.contains('@') {
                return self.wrong("url", "`url` names a host, and no user or password");
            }
        }
        Ok(secret)
    }

    fn headers(&self) -> Result<Vec<(String, Secret)>, Wrong> {
        let mut headers = Vec::new();
        for text in self.table.texts("headers") {
            let is_name = |it: &str| {
                !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
            };
            match text.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, value)) if is_name(name) && !value.chars().any(char::is_control) => {
                    headers.push((name.to_owned(), self.secret("headers", value, true)?));
                }
                Some(_) | None => {
                    return self.wrong("headers", "`headers` are texts such as \"X-Team: soc\"");
                }
            }
        }
        Ok(headers)
    }

    fn proxy(&self) -> Result<Option<Secret>, Wrong> {
        match self.text("proxy") {
            None => Ok(None),
            Some(text) if text.contains('@') => self.wrong(
                "proxy",
                "`proxy` with a password is a secret: write env:NAME or file:PATH, and the proxy there",
            ),
            Some(text) => self.secret("proxy", &text, true).map(Some),
        }
    }

    fn address(&self, kind: &str) -> Result<String, Wrong> {
        let address = self.needed(kind, "address")?;
        let is_one = address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if is_one {
            Ok(address)
        } else {
            self.wrong("address", "`address` is a name and a port, such as mail.example.com:587")
        }
    }

    fn protocol(&self, kind: &str, default: Protocol, known: &[(&str, Protocol)]) -> Result<Protocol, Wrong> {
        let Some(text) = self.table.text("protocol") else { return Ok(default) };
        if let Some((_, protocol)) = known.iter().find(|it| it.0 == text) {
            return Ok(*protocol);
        }
        let known: Vec<&str> = known.iter().map(|it| it.0).collect();
        self.wrong("protocol", format!("`protocol` of type \"{kind}\" is one of {}", known.join(", ")))
    }

    /// A receiver, or what is wrong with it and where.
    pub(super) fn receiver(&self, others: &[ReceiverConfig]) -> Result<ReceiverConfig, Wrong> {
        let kind = match self.table.text("type") {
            Some(kind) => kind.to_owned(),
            None => return Err((format!("a receiver needs a `type`: one of {}", TYPES.join(", ")), None)),
        };
        let Some(name) = self.text("name") else {
            return Err(("a receiver needs a `name`".to_owned(), None));
        };
        let is_name = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            return self
                .wrong("name", format!("`{name}` is no name: up to 64 letters, digits, `-`, `_` and `.`"));
        }
        if others.iter().any(|it| it.name == name) {
            return self.wrong("name", format!("two receivers are named `{name}`"));
        }
        let uses = USES.iter().find(|it| it.0 == kind).map_or(&[][..], |it| it.1);
        if let Some((_, given)) =
            self.given.keys().find(|it| !uses.contains(&it.1) && !OF_ALL.contains(&it.1))
        {
            return self.wrong(given, format!("a receiver of type \"{kind}\" has no `{given}`"));
        }
        let secret = || self.text("secret").map(|it| self.secret("secret", &it, false)).transpose();
        let needs_secret = |what: &str| match secret()? {
            Some(secret) => Ok(secret),
            None => self.wrong("secret", format!("a receiver of type \"{kind}\" needs a `secret`: {what}")),
        };
        let login = |of: &str| match (self.text("username"), secret()?) {
            (None, None) => Ok(None),
            (Some(name), Some(secret)) => Ok(Some((name, secret))),
            (Some(_), None) | (None, Some(_)) => {
                self.wrong("username", format!("`username` and `secret` of {of} go together"))
            }
        };
        let its = match kind.as_str() {
            "webhook" => {
                let body = self.text("body");
                if let Some(Err(error)) = body.as_deref().map(notify::Template::parse) {
                    return self.wrong("body", format!("`body`: {error}"));
                }
                let content_type = self.text("content_type").unwrap_or_default();
                if content_type.chars().any(|it| !it.is_ascii_graphic() && it != ' ') {
                    return self.wrong("content_type", "`content_type` is a text such as application/json");
                }
                let headers = self.headers()?;
                ReceiverKind::Webhook {
                    url: self.url(&kind, true)?,
                    secret: secret()?,
                    headers,
                    body,
                    content_type,
                }
            }
            // Who knows their addresses can write there: these are secrets.
            "slack" => ReceiverKind::Slack { url: self.url(&kind, false)? },
            "teams" => ReceiverKind::Teams { url: self.url(&kind, false)? },
            "pagerduty" => {
                let url = if self.text("url").is_some() {
                    self.url(&kind, true)?
                } else {
                    Secret::Text(PAGERDUTY.to_owned())
                };
                ReceiverKind::PagerDuty { url, routing_key: needs_secret("the integration key")? }
            }
            "email" => {
                let known =
                    [("starttls", Protocol::StartTls), ("tls", Protocol::Tls), ("tcp", Protocol::Tcp)];
                let protocol = self.protocol(&kind, Protocol::StartTls, &known)?;
                let login = login("mail")?;
                if protocol == Protocol::Tcp && login.is_some() {
                    return self.wrong(
                        "protocol",
                        "a password does not go over \"tcp\": use \"starttls\" or \"tls\"",
                    );
                }
                let (from, to) = (self.needed(&kind, "from")?, self.table.texts("to"));
                if to.is_empty() {
                    return self.wrong("to", "mail needs `to`: a list of addresses");
                }
                for (name, address) in std::iter::once(("from", &from)).chain(to.iter().map(|it| ("to", it)))
                {
                    if let Err(error) = crate::notify::mailbox(address) {
                        return self.wrong(name, format!("`{address}` is no address of mail: {error}"));
                    }
                }
                ReceiverKind::Email { address: self.address(&kind)?, protocol, login, from, to }
            }
            "syslog" => {
                let known = [("udp", Protocol::Udp), ("tcp", Protocol::Tcp), ("tls", Protocol::Tls)];
                let protocol = self.protocol(&kind, Protocol::Tls, &known)?;
                ReceiverKind::Syslog { address: self.address(&kind)?, protocol }
            }
            "otlp" => ReceiverKind::Otlp { url: self.url(&kind, true)?, headers: self.headers()? },
            _ => {
                let index = self.needed(&kind, "index")?;
                let is_index =
                    |it: char| !it.is_control() && !it.is_whitespace() && !"\\/*?\"<>|,#".contains(it);
                if !index.chars().all(is_index) || index.chars().any(char::is_uppercase) {
                    return self.wrong("index", format!("`{index}` is no name of an index"));
                }
                let login = match (self.text("username"), secret()?) {
                    (Some(_), None) => {
                        return self.wrong("username", "`username` needs a `secret`: the password");
                    }
                    (name, secret) => secret.map(|it| (name, it)),
                };
                ReceiverKind::Index { url: self.url(&kind, true)?, index, login }
            }
        };
        Ok(ReceiverConfig {
            name,
            kind: its,
            connectors: self.table.texts("connectors"),
            timeout_ms: self.table.number("timeout"),
            give_up_ms: self.table.number("give_up"),
            authorities: self.text("authorities").map(PathBuf::from),
            proxy: self.proxy()?,
        })
    }

    /// What a receiver is told, or what is wrong with it.
    pub(super) fn notification(
        &self,
        receivers: &[ReceiverConfig],
        others: &[NotificationConfig],
    ) -> Result<NotificationConfig, Wrong> {
        let names = || receivers.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        let receiver = match self.text("receiver") {
            Some(it) if receivers.iter().any(|known| known.name == it) => it,
            Some(it) if receivers.is_empty() => {
                return self.wrong("receiver", format!("there is no receiver `{it}`: write [[receivers]]"));
            }
            Some(it) => {
                return self
                    .wrong("receiver", format!("there is no receiver `{it}`; there are: {}", names()));
            }
            None => return Err(("a notification needs a `receiver`".to_owned(), None)),
        };
        let alike = others.iter().filter(|it| it.receiver == receiver).count();
        let name = self.text("name").unwrap_or_else(|| format!("{receiver} {}", alike + 1));
        if others.iter().any(|it| it.name == name) {
            return self.wrong("name", format!("two notifications are named `{name}`"));
        }
        let on = self.table.texts("on");
        let on = match notify::On::of_words(&on) {
            Ok(on) if !on.is_empty() => on,
            Ok(_) => return self.wrong("on", "`on` names nothing that is told"),
            Err(word) => {
                let known = notify::On::WORDS.join(", ");
                return self.wrong("on", format!("`{word}` is nothing that is told; there are: {known}"));
            }
        };
        let query = self.text("query").unwrap_or_default();
        if !query.trim().is_empty()
            && let Err(errors) = notify::Filter::kql(&query, 0)
        {
            let all: Vec<String> = errors.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
            return self.wrong("query", format!("`query`: {}", all.join("; ")));
        }
        Ok(NotificationConfig {
            name,
            receiver,
            on,
            query,
            severity: self
                .table
                .text("severity")
                .and_then(rule::Severity::from_name)
                .unwrap_or(rule::Severity::Low),
            is_summary: self.table.flag("summary"),
            throttle_ms: self.table.number("throttle"),
            by: self.table.texts("by"),
        })
    }
}

/// Says what is wrong with a table.
pub(super) fn diagnostic(code: &'static str, (message, place): Wrong, table: Span) -> Diagnostic {
    Diagnostic::new(Severity::Error, code, message, place.unwrap_or(table))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use span::position;

    use super::super::{Config, read, show};
    use super::*;

    fn variable(name: &str) -> Option<String> {
        (name == "KEY").then(|| "very secret".to_owned())
    }

    fn of(text: &str) -> Result<Config, Vec<String>> {
        let told = |it: &Diagnostic| {
            let at = it.span().map_or(0, |span| position(text, span.start).line);
            format!("{} {at} {}", it.code, it.message)
        };
        let read = read(Some(("f", text)), Path::new("/etc/tw"), &variable, &[]);
        read.map(|it| it.config).map_err(|wrong| wrong.iter().map(told).collect())
    }

    const SLACK: &str = "[[receivers]]\nname = \"soc\"\ntype = \"slack\"\nurl = \"file:slack\"\n";

    #[test]
    fn receivers_and_what_they_are_told() {
        let text = format!(
            "{SLACK}connectors = [\"c-1\"]\n[[receivers]]\nname = \"pager\"\ntype = \"pagerduty\"\nsecret = \"env:KEY\"\n\
             [[notifications]]\nreceiver = \"soc\"\nquery = \"user.name: ada\"\nseverity = \"high\"\nthrottle = \"5m\"\n\
             [[notifications]]\nreceiver = \"soc\"\non = [\"health\", \"closed\"]\nsummary = true\n"
        );
        let config = of(&text).unwrap();
        let slack = ReceiverKind::Slack { url: Secret::File(PathBuf::from("/etc/tw/slack")) };
        assert_eq!((&config.receivers[0].kind, config.receivers[0].give_up_ms), (&slack, 86_400_000));
        let ReceiverKind::PagerDuty { url, routing_key } = &config.receivers[1].kind else { panic!() };
        assert_eq!(
            (url.read().unwrap().as_str(), routing_key.read().unwrap().as_str()),
            (PAGERDUTY, "very secret")
        );
        let [first, second] = config.notifications.as_slice() else { panic!() };
        assert_eq!(
            (first.name.as_str(), first.severity, first.throttle_ms),
            ("soc 1", rule::Severity::High, 300_000)
        );
        assert_eq!(first.on, notify::On::ALERTS);
        assert!(second.is_summary && second.on.health && second.on.closed && !second.on.alerts);
        // Nothing of a secret is shown, whoever prints what.
        let shown = show(&read(Some(("f", &text)), Path::new("/"), &variable, &[]).unwrap());
        assert!(!shown.contains("very secret") && shown.contains("\"env:KEY\""), "{shown}");
        assert!(!format!("{config:?}").contains("very secret"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let receiver = |text: &str| format!("[[receivers]]\nname = \"r\"\n{text}");
        for (text, expected) in [
            (
                "[[receivers]]\nname = \"r\"\n".to_owned(),
                "CONF011 1 a receiver needs a `type`: one of webhook",
            ),
            (receiver("type = \"slack\"\n"), "CONF011 1 a receiver of type \"slack\" needs a `url`"),
            (
                receiver("type = \"slack\"\nurl = \"https://hooks\"\n"),
                "CONF011 4 `url` is a secret: write env:NAME",
            ),
            (
                receiver("type = \"slack\"\nurl = \"env:GONE\"\n"),
                "CONF011 4 `url`: there is no variable `GONE`",
            ),
            (receiver("type = \"slack\"\nurl = \"env:KEY\"\n"), "CONF011 4 `url` begins with https://"),
            (
                receiver("type = \"slack\"\nurl = \"file:x\"\nindex = \"i\"\n"),
                "CONF011 5 a receiver of type \"slack\" has no `index`",
            ),
            (
                receiver("type = \"webhook\"\nurl = \"https://u:p@h/\"\n"),
                "CONF011 4 `url` names a host, and no user",
            ),
            (
                receiver("type = \"webhook\"\nurl = \"https://h/\"\nsecret = \"s3cret\"\n"),
                "CONF011 5 `secret` is a secret: write env:NAME",
            ),
            (
                receiver("type = \"webhook\"\nurl = \"https://h/\"\nheaders = [\"no\"]\n"),
                "CONF011 5 `headers` are texts",
            ),
            (
                receiver("type = \"webhook\"\nurl = \"https://h/\"\nbody = \"{{#a}}\"\n"),
                "CONF011 5 `body`: the section `a`",
            ),
            (
                receiver("type = \"webhook\"\nurl = \"https://h/\"\nproxy = \"http://u:p@h\"\n"),
                "CONF011 5 `proxy` with a password",
            ),
            (
                receiver("type = \"email\"\naddress = \"h:25\"\nfrom = \"x\"\nto = [\"a@b.example\"]\n"),
                "CONF011 5 `x` is no address of mail",
            ),
            (
                receiver("type = \"email\"\naddress = \"h:25\"\nfrom = \"a@b.example\"\nto = []\n"),
                "CONF011 6 mail needs `to`",
            ),
            (
                receiver("type = \"email\"\nprotocol = \"udp\"\n"),
                "CONF011 4 `protocol` of type \"email\" is one of",
            ),
            (receiver("type = \"syslog\"\naddress = \"h\"\n"), "CONF011 4 `address` is a name and a port"),
            (
                receiver("type = \"index\"\nurl = \"https://h\"\nindex = \"A\"\n"),
                "CONF011 5 `A` is no name of an index",
            ),
            (format!("{SLACK}{SLACK}"), "CONF011 6 two receivers are named `soc`"),
            (
                "[[notifications]]\nreceiver = \"soc\"\n".to_owned(),
                "CONF012 2 there is no receiver `soc`: write [[receivers]]",
            ),
            (
                format!("{SLACK}[[notifications]]\nreceiver = \"sok\"\n"),
                "CONF012 6 there is no receiver `sok`; there are: soc",
            ),
            (
                format!("{SLACK}[[notifications]]\nreceiver = \"soc\"\nquery = \"a: (\"\n"),
                "CONF012 7 `query`: KQL",
            ),
            (
                format!("{SLACK}[[notifications]]\nreceiver = \"soc\"\non = [\"alarms\"]\n"),
                "CONF012 7 `alarms` is nothing that is told",
            ),
            (
                format!("{SLACK}[[notifications]]\nreceiver = \"soc\"\non = []\n"),
                "CONF012 7 `on` names nothing",
            ),
        ] {
            let wrong = of(&text).unwrap_err();
            assert!(wrong[0].starts_with(expected), "{text}: {wrong:?}");
        }
    }
}
