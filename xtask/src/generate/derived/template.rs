//! A real record with gaps where its values were.

use std::sync::LazyLock;

use ecs::Object;
use fastrand::Rng;
use regex::Regex;
use serde_json::Value;

use crate::generate::clock;
use crate::generate::seed::mix;
use crate::generate::template::{push_hex, push_key, push_uuid};
use crate::generate::world::{Account, Persona, Principal};

/// How many resources of each kind an account has.
const RESOURCES: f64 = 3_000.0;
/// In how many versions a user agent occurs.
const AGENTS: u64 = 32;
/// From how many addresses somebody calls who is no machine.
const ADDRESSES: u64 = 3;

/// A record as text, cut where values are put in.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    /// Whether somebody made the call, and not a service for itself.
    pub(super) has_caller: bool,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// The time of the record, so many seconds later.
    Time(i64),
    /// A new id.
    Uuid,
    /// An id that all records of an account share.
    SharedUuid(u64),
    Account,
    /// Another account, always the same.
    OtherAccount(u64),
    Region,
    /// `userIdentity` of the caller.
    Identity,
    CallerArn,
    Address,
    /// The user agent, in one of its versions.
    Agent(String),
    /// An access key or a unique id, with what it begins with.
    Key(String, u64),
    /// The id of a resource: so many digits.
    Digits(usize),
    /// Whatever is too long to mean something, such as a session token.
    Opaque(usize),
    /// The id of a request that is no UUID.
    Request(usize),
}

/// Where and when a record happens, and who calls.
pub(super) struct Scene<'a> {
    pub(super) account: &'a Account,
    pub(super) region: &'a str,
    /// Seconds since 1970.
    pub(super) seconds: i64,
    pub(super) caller: &'a Principal,
    /// That of the caller.
    pub(super) seed: u64,
}

/// What is replaced wherever it stands.
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?x)
        (?<time>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)
        | (?<uuid>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)
        | (?<prefix>\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|AIPA|ANVA))[A-Z0-9]{16,17}\b
        | (?<kind>\b(?:i|vol|sgr?|subnet|vpce?|eni|rtb(?:assoc)?|igw|nat|acl|ami|snap|eipalloc)-)(?<digits>[0-9a-f]{8,17})\b
        | (?<opaque>[A-Za-z0-9+/=_-]{60,})
        | (?<account>\b\d{12}\b)";
    Regex::new(pattern).expect("the pattern is well formed")
});

impl Template {
    pub(super) fn new(record: &Object) -> Self {
        let identity = &record["userIdentity"];
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = text(identity, "type");
        let by_service = matches!(kind.as_str(), "AWSService" | "AWSAccount" | "Root" | "Unknown" | "");
        let has_caller = !by_service && identity.get("invokedBy").is_none();
        let time = record.get("eventTime").and_then(Value::as_str).and_then(seconds_of);
        let own = [record.get("recipientAccountId"), identity.get("accountId")];
        let mut maker = Maker {
            parts: Vec::new(),
            has_caller,
            time: time.unwrap_or_default(),
            accounts: own.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            region: record.get("awsRegion").and_then(Value::as_str).unwrap_or_default().to_owned(),
            arn: text(identity, "arn"),
        };
        maker.object(record, &mut Vec::new());
        Self { parts: maker.parts, has_caller }
    }

    /// Appends a record made of it, as one JSON object in one line.
    pub(super) fn fill(&self, scene: &Scene<'_>, rng: &mut Rng, out: &mut String) {
        let Scene { account, region, seconds, caller, seed } = *scene;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Time(later) => clock::push_iso(out, seconds + later),
                Part::Uuid => push_uuid(out, rng.u64(..)),
                Part::SharedUuid(which) => push_uuid(out, mix(account.seed, *which)),
                Part::Account => out.push_str(&account.id),
                Part::OtherAccount(which) => {
                    clock::push_padded(out, 200_000_000_000 + which % 700_000_000_000, 12);
                }
                Part::Region => out.push_str(region),
                Part::Identity => caller.push_identity(seconds, false, out),
                Part::CallerArn => caller.push_caller_arn(out),
                Part::Address => {
                    // The same numbers are drawn for all, so that nothing else depends on who calls.
                    let which = rng.u64(..ADDRESSES);
                    push_address(mix(seed, if caller.persona == Persona::App { 0 } else { which }), out);
                }
                Part::Agent(text) => push_agent(text, mix(seed, rng.u64(..3)) % AGENTS, out),
                Part::Key(prefix, which) => {
                    push_key(out, prefix, mix(account.seed ^ which, (seconds / 86_400) as u64));
                }
                Part::Digits(count) => {
                    // Few resources are used often.
                    let rank = (rng.f64().powi(3) * RESOURCES) as u64;
                    let number = mix(account.seed, 1_000_000 + rank);
                    out.push('0');
                    push_hex(out, number, (*count as u32 - 1).min(16));
                }
                Part::Opaque(length) => push_random(BASE64, *length, rng, out),
                Part::Request(length) => push_random(CAPITALS, *length, rng, out),
            }
        }
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn push_random(alphabet: &[u8], length: usize, rng: &mut Rng, out: &mut String) {
    out.extend(std::iter::repeat_with(|| char::from(alphabet[rng.usize(..alphabet.len())])).take(length));
}

/// An address that belongs to nobody: 100.64.0.0/10 is shared by carriers.
fn push_address(number: u64, out: &mut String) {
    out.push_str(&format!("100.{}.{}.{}", 64 + number % 64, (number >> 8) % 256, 1 + (number >> 16) % 254));
}

/// The agent with other digits in the numbers of its versions.
fn push_agent(text: &str, version: u64, out: &mut String) {
    let mut in_number = false;
    for (at, character) in text.char_indices() {
        let follows = std::mem::replace(&mut in_number, character.is_ascii_digit());
        if version > 0 && in_number && follows {
            out.push(char::from(b'0' + (mix(version, at as u64) % 10) as u8));
        } else {
            out.push(character);
        }
    }
}

/// Whether it is an address, be it one that was made unreadable.
fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || text.split('.').all(|it| it.parse::<u16>().is_ok())
}

fn seconds_of(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_second())
}

/// A number that stands for a text, always the same.
fn number_of(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

/// What a record names once and may name again.
enum Name {
    CallerArn,
    Account,
    Region,
}

struct Maker {
    parts: Vec<Part>,
    has_caller: bool,
    time: i64,
    accounts: Vec<String>,
    region: String,
    arn: String,
}

impl Maker {
    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// A literal part of a string.
    fn plain(&mut self, text: &str) {
        let mut quoted = String::new();
        ecs::text::write_text(text, &mut quoted);
        self.text(&quoted[1..quoted.len() - 1]);
    }

    fn object(&mut self, object: &Object, path: &mut Vec<String>) {
        self.text("{");
        for (at, (key, value)) in object.iter().enumerate() {
            self.text(if at > 0 { ",\"" } else { "\"" });
            self.plain(key);
            self.text("\":");
            if path.is_empty() && key == "userIdentity" && self.has_caller {
                self.parts.push(Part::Identity);
                continue;
            }
            path.push(key.clone());
            self.value(value, path);
            path.pop();
        }
        self.text("}");
    }

    fn value(&mut self, value: &Value, path: &mut Vec<String>) {
        match value {
            Value::Object(object) => self.object(object, path),
            Value::Array(values) => {
                self.text("[");
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        self.text(",");
                    }
                    self.value(value, path);
                }
                self.text("]");
            }
            Value::String(text) => {
                self.text("\"");
                self.string(text, path);
                self.text("\"");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.text(&value.to_string()),
        }
    }

    fn string(&mut self, text: &str, path: &[String]) {
        let is_uuid = |text: &str| {
            VALUES.captures(text).is_some_and(|it| it.name("uuid").is_some_and(|it| it.len() == text.len()))
        };
        let part = match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["eventID" | "sharedEventID"] => Part::Uuid,
            ["requestID"] if is_uuid(text) => Part::Uuid,
            ["requestID"] => Part::Request(text.len()),
            ["awsRegion"] => Part::Region,
            ["recipientAccountId"] => Part::Account,
            [.., "accountId"] if self.accounts.iter().any(|it| it == text) => Part::Account,
            ["sourceIPAddress"] if self.has_caller && is_address(text) => Part::Address,
            ["userAgent"]
                if self.has_caller && !text.ends_with(".amazonaws.com") && text != "AWS Internal" =>
            {
                let mut quoted = String::new();
                ecs::text::write_text(text, &mut quoted);
                Part::Agent(quoted[1..quoted.len() - 1].to_owned())
            }
            _ => return self.pieces(text),
        };
        self.parts.push(part);
    }

    /// A string that may hold values anywhere: first those that the record names elsewhere, then those that look like
    /// some.
    fn pieces(&mut self, text: &str) {
        let is_caller = |_: &&String| self.has_caller;
        let arn = Some(&self.arn).filter(is_caller).map(|arn| (arn.clone(), Name::CallerArn));
        let accounts = self.accounts.iter().map(|account| (account.clone(), Name::Account));
        let names = arn.into_iter().chain(accounts).chain([(self.region.clone(), Name::Region)]);
        // What is shorter occurs by chance.
        let names: Vec<(String, Name)> = names.filter(|(name, _)| name.len() > 5).collect();
        let mut rest = text;
        loop {
            // The first of them in the text, and of those that begin there the longest.
            let found = names.iter().filter_map(|(name, what)| Some((rest.find(name)?, name.len(), what)));
            let Some((at, len, what)) = found.min_by_key(|(at, len, _)| (*at, usize::MAX - len)) else {
                break;
            };
            self.patterns(&rest[..at]);
            self.parts.push(match what {
                Name::CallerArn => Part::CallerArn,
                Name::Account => Part::Account,
                Name::Region => Part::Region,
            });
            rest = &rest[at + len..];
        }
        self.patterns(rest);
    }

    fn patterns(&mut self, text: &str) {
        let mut end = 0;
        for found in VALUES.captures_iter(text) {
            let whole = found.get(0).expect("what was found is somewhere");
            self.plain(&text[end..whole.start()]);
            end = whole.end();
            let number = number_of(whole.as_str());
            let part = if let Some(time) = found.name("time") {
                Part::Time(seconds_of(time.as_str()).map_or(0, |it| it - self.time))
            } else if found.name("uuid").is_some() {
                Part::SharedUuid(number)
            } else if let Some(prefix) = found.name("prefix") {
                Part::Key(prefix.as_str().to_owned(), number)
            } else if let (Some(kind), Some(digits)) = (found.name("kind"), found.name("digits")) {
                self.plain(kind.as_str());
                Part::Digits(digits.len())
            } else if found.name("account").is_some() {
                Part::OtherAccount(number)
            } else {
                Part::Opaque(whole.len())
            };
            self.parts.push(part);
        }
        self.plain(&text[end..]);
    }
}
