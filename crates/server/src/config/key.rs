//! What can be set.

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `[server]`.
    Server,
    /// `[rules]`.
    Rules,
    /// `[[sources]]`.
    Sources,
    /// `[[receivers]]`.
    Receivers,
    /// `[[notifications]]`.
    Notifications,
}

impl Section {
    /// All of them, in the order of the template.
    pub const ALL: [Self; 5] =
        [Self::Server, Self::Rules, Self::Sources, Self::Receivers, Self::Notifications];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Rules => "rules",
            Self::Sources => "sources",
            Self::Receivers => "receivers",
            Self::Notifications => "notifications",
        }
    }

    /// Whether there may be several.
    pub const fn is_list(self) -> bool {
        match self {
            Self::Server | Self::Rules => false,
            Self::Sources | Self::Receivers | Self::Notifications => true,
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The path of a file or folder.
    Path,
    /// `true` or `false`.
    Flag,
    /// A number between these.
    Number(u64, u64),
    /// Bytes: a number, or a text such as `"64 MiB"`.
    Bytes(u64, u64),
    /// A time: a text such as `"90s"`, `"5m"`, `"24h"`.
    Duration(u64, u64),
    /// A list of texts.
    Texts,
    /// A list of paths.
    Paths,
    /// An address and a port.
    Address,
}

/// Something that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in.
    pub section: Section,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds if nothing is said, as it would stand in the file; nothing if there is no default.
    pub default: Option<&'static str>,
    /// An example, where the default is none.
    pub example: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// What only sources of some types have.
pub(super) const OF_TYPES: [(&str, &[&str]); 12] = [
    ("path", &["folder", "unix"]),
    ("interval", &["folder"]),
    ("settle", &["folder"]),
    ("mode", &["unix"]),
    ("at_end", &["stdin"]),
    ("url", &["s3"]),
    ("queue", &["s3"]),
    ("listing", &["s3"]),
    ("reconcile", &["s3"]),
    ("since", &["s3"]),
    ("endpoint", &["s3"]),
    ("region", &["s3"]),
];

impl Key {
    /// The types of sources that have it; none if all have, or if it is no key of sources.
    pub(super) fn types(&self) -> Option<&'static [&'static str]> {
        let is_of_sources = self.section == Sources;
        OF_TYPES.iter().find(|it| is_of_sources && it.0 == self.name).map(|it| it.1)
    }

    /// The variable of the environment that sets it. What there may be several of has none.
    pub fn variable(&self) -> Option<String> {
        let is_single = !self.section.is_list();
        is_single.then(|| format!("TRAILWARDEN_{}_{}", self.section.as_str(), self.name).to_uppercase())
    }
}

const fn key(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    help: &'static str,
) -> Key {
    Key { section, name, kind, default, example: "", help }
}

use Section::{Notifications, Receivers, Rules, Server, Sources};

const MIB: u64 = 1 << 20;
const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 3_600 * SECOND;

/// Everything that can be set.
pub const KEYS: &[Key] = &[
    key(Server, "listen", Kind::Address, Some("\"127.0.0.1:9480\""), "where it listens"),
    Key {
        example: "\"/etc/trailwarden/server.crt\"",
        ..key(
            Server,
            "tls_certificate",
            Kind::Path,
            None,
            "certificate chain (PEM); with it, and tls_key, it speaks TLS",
        )
    },
    Key {
        example: "\"/etc/trailwarden/server.key\"",
        ..key(Server, "tls_key", Kind::Path, None, "the certificate's private key (PEM)")
    },
    Key {
        example: "\"https://trailwarden.example.com\"",
        ..key(
            Server,
            "public_url",
            Kind::Text,
            None,
            "where people reach it: alerts carry a link (kibana.alert.url) if it is set",
        )
    },
    key(
        Server,
        "body_max",
        Kind::Bytes(1 << 10, 4096 * MIB),
        Some("\"64 MiB\""),
        "the longest body that delivers events",
    ),
    key(
        Server,
        "text_max",
        Kind::Bytes(1 << 10, 65_536 * MIB),
        Some("\"1 GiB\""),
        "the longest text in such a body, unpacked",
    ),
    key(
        Server,
        "queue_max",
        Kind::Bytes(1 << 10, 65_536 * MIB),
        Some("\"256 MiB\""),
        "bytes that may wait to be stored; who sends more is told to come again",
    ),
    key(
        Server,
        "dead_letters_max",
        Kind::Bytes(1 << 20, 65_536 * MIB),
        Some("\"128 MiB\""),
        "what may be kept of each source of what cannot be read, packed; the oldest goes",
    ),
    key(
        Server,
        "dead_letters_age",
        Kind::Duration(60 * SECOND, 3_660 * DAY),
        Some("\"30d\""),
        "how long it is kept after it last came",
    ),
    key(
        Server,
        "requests_max",
        Kind::Number(8, 4096),
        Some("64"),
        "requests that are answered at the same time",
    ),
    key(
        Server,
        "request_timeout",
        Kind::Duration(SECOND, 3_600 * SECOND),
        Some("\"60s\""),
        "how long a request may take to arrive",
    ),
    key(
        Server,
        "rate_max",
        Kind::Number(0, 1_000_000),
        Some("0"),
        "requests that a key may make in a second; 0 is as many as it likes",
    ),
    key(Server, "log_requests", Kind::Flag, Some("false"), "whether each request is told in the log"),
    key(
        Server,
        "behind_max",
        Kind::Duration(SECOND, DAY),
        Some("\"5m\""),
        "how late detection may be before /readyz says no",
    ),
    key(
        Server,
        "threads",
        Kind::Number(0, 1024),
        Some("0"),
        "threads that read and normalise; 0 is one a core",
    ),
    Key {
        example: "[\"/etc/trailwarden/rules\"]",
        ..key(Rules, "paths", Kind::Paths, Some("[]"), "files and folders of rules")
    },
    key(Rules, "builtin", Kind::Flag, Some("true"), "whether the built-in rules run"),
    Key {
        example: "[\"IAM\"]",
        ..key(
            Rules,
            "only",
            Kind::Texts,
            Some("[]"),
            "only rules whose id, name, tag or type contains one of these",
        )
    },
    key(
        Rules,
        "catch_up",
        Kind::Duration(60 * SECOND, 366 * DAY),
        Some("\"24h\""),
        "executions missed for longer are a gap",
    ),
    Key {
        example: "\"trail\"",
        ..key(Sources, "name", Kind::Text, None, "its account and its metrics go by it")
    },
    Key {
        example: "\"folder\"",
        ..key(
            Sources,
            "type",
            Kind::OneOf(&["folder", "http", "s3", "stdin", "unix"]),
            None,
            "a folder that is watched, what is posted to this server, a bucket, the standard input, a Unix socket",
        )
    },
    Key {
        example: "\"/var/log/cloudtrail\"",
        ..key(Sources, "path", Kind::Path, None, "the folder, or the socket's file")
    },
    key(
        Sources,
        "mode",
        Kind::Text,
        Some("\"0660\""),
        "the permissions of the socket's file, which say who may deliver",
    ),
    key(
        Sources,
        "at_end",
        Kind::OneOf(&["stop", "go on"]),
        Some("\"go on\""),
        "what the server does when the standard input has ended",
    ),
    key(
        Sources,
        "interval",
        Kind::Duration(100, DAY),
        Some("\"10s\""),
        "how long the folder is left alone between two looks",
    ),
    key(
        Sources,
        "settle",
        Kind::Duration(0, DAY),
        Some("\"2s\""),
        "how long a file must be left as it is before it is read",
    ),
    Key {
        example: "\"s3://my-trail/AWSLogs/\"",
        ..key(Sources, "url", Kind::Text, None, "the bucket, and what the keys of its objects begin with")
    },
    Key {
        example: "\"https://sqs.eu-west-1.amazonaws.com/111122223333/trail\"",
        ..key(
            Sources,
            "queue",
            Kind::Text,
            None,
            "the queue that tells of new objects; without one they are looked for",
        )
    },
    key(
        Sources,
        "listing",
        Kind::Duration(100, DAY),
        Some("\"1m\""),
        "how long the bucket is left alone between two looks for new objects; with a queue nobody looks",
    ),
    key(
        Sources,
        "reconcile",
        Kind::Duration(SECOND, 31 * DAY),
        Some("\"6h\""),
        "how long between two listings of all objects, which find what nobody told of",
    ),
    Key {
        example: "\"2026-01-01\"",
        ..key(Sources, "since", Kind::Text, None, "objects that hold only what is older are left alone")
    },
    Key {
        example: "\"https://minio.example:9000\"",
        ..key(
            Sources,
            "endpoint",
            Kind::Text,
            None,
            "where the bucket is, if not on AWS; else as AWS_ENDPOINT_URL says",
        )
    },
    Key {
        example: "\"eu-west-1\"",
        ..key(Sources, "region", Kind::Text, None, "the region, if it is not as AWS_REGION says")
    },
    Key {
        example: "[\"logs-aws.cloudtrail-*\"]",
        ..key(
            Sources,
            "indices",
            Kind::Texts,
            Some("[]"),
            "documents of other indices are dropped, and counted; records of CloudTrail have no index and are always taken",
        )
    },
    Key {
        example: "\"6h\"",
        ..key(
            Sources,
            "silent_after",
            Kind::Duration(60 * SECOND, 366 * DAY),
            None,
            "whoever is told of health is told when it has delivered nothing for so long",
        )
    },
    Key {
        example: "\"soc\"",
        ..key(Receivers, "name", Kind::Text, None, "notifications, and the actions of rules, go by it")
    },
    Key {
        example: "\"webhook\"",
        ..key(Receivers, "type", Kind::OneOf(super::receiver::TYPES), None, "what it is")
    },
    key(
        Receivers,
        "url",
        Kind::Text,
        None,
        "where it listens; env:NAME or file:PATH if that is secret, as those of Slack and Teams are",
    ),
    key(
        Receivers,
        "secret",
        Kind::Text,
        None,
        "env:NAME or file:PATH: what bodies are signed with (webhook), the integration key (pagerduty), the password (email), the password or API key (index)",
    ),
    key(Receivers, "username", Kind::Text, None, "who logs in, with the secret as the password"),
    key(
        Receivers,
        "headers",
        Kind::Texts,
        Some("[]"),
        "headers of requests, such as \"X-Team: soc\"; a value may be env:NAME or file:PATH",
    ),
    key(Receivers, "body", Kind::Text, None, "the template of the body; without it the message goes as JSON"),
    key(Receivers, "content_type", Kind::Text, Some("\"application/json\""), "what that body is"),
    key(Receivers, "index", Kind::Text, None, "the index or data stream that alerts are written to"),
    key(Receivers, "address", Kind::Text, None, "the server, a name and a port, of mail or syslog"),
    key(
        Receivers,
        "protocol",
        Kind::OneOf(&["starttls", "tls", "tcp", "udp"]),
        None,
        "how it is spoken to; without it starttls (email) or tls (syslog)",
    ),
    key(Receivers, "from", Kind::Text, None, "from whom mail is"),
    key(Receivers, "to", Kind::Texts, Some("[]"), "to whom"),
    key(
        Receivers,
        "connectors",
        Kind::Texts,
        Some("[]"),
        "ids of Kibana's connectors that it stands for in the actions of rules",
    ),
    key(
        Receivers,
        "authorities",
        Kind::Path,
        None,
        "certificates (PEM) that are trusted beside those of this machine",
    ),
    key(Receivers, "proxy", Kind::Text, None, "the proxy that requests go through; none otherwise"),
    key(
        Receivers,
        "timeout",
        Kind::Duration(100, 600 * SECOND),
        Some("\"10s\""),
        "how long one attempt may take",
    ),
    key(
        Receivers,
        "give_up",
        Kind::Duration(60 * SECOND, 366 * DAY),
        Some("\"24h\""),
        "what it did not take for so long is put aside, and listed by `trailwarden notify dead`",
    ),
    Key { example: "\"soc\"", ..key(Notifications, "receiver", Kind::Text, None, "who is told") },
    Key {
        example: "\"loud\"",
        ..key(
            Notifications,
            "name",
            Kind::Text,
            None,
            "what it is called; without it the receiver's name and a number",
        )
    },
    key(
        Notifications,
        "on",
        Kind::Texts,
        Some("[\"alerts\"]"),
        "what is told: alerts, suppressed (an alert stands for more), closed (an alert that was told), health (what is not well with detection)",
    ),
    Key {
        example: "\"kibana.alert.rule.tags: IAM\"",
        ..key(Notifications, "query", Kind::Text, Some("\"\""), "which alerts: KQL over their fields")
    },
    key(
        Notifications,
        "severity",
        Kind::OneOf(&["low", "medium", "high", "critical"]),
        Some("\"low\""),
        "the least severity of alerts",
    ),
    key(Notifications, "summary", Kind::Flag, Some("false"), "whether what comes at once is one message"),
    key(
        Notifications,
        "throttle",
        Kind::Duration(0, 31 * DAY),
        Some("\"0s\""),
        "after a message so long nothing is told of the same; what comes meanwhile is one message then",
    ),
    Key {
        example: "[\"kibana.alert.rule.rule_id\"]",
        ..key(
            Notifications,
            "by",
            Kind::Texts,
            Some("[]"),
            "what is the same, for `throttle` and `summary`: alerts with equal values of these fields; without any all are",
        )
    },
];
