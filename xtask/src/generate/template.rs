//! Texts with `$name` in the place of a value, as the catalogue of calls has them.

use super::clock;
use super::seed::mix;
use super::world::{APPS, Account, Persona, Principal, World};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;

/// A text cut into literal pieces and values, once, so that filling it in only copies.
#[derive(Debug, Clone)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Value(Value),
}

impl Template {
    /// A name is `$` and then small letters and digits; a `$` before anything else stands for itself.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let after = &rest[at + 1..];
            let length =
                after.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).unwrap_or(after.len());
            let name = &after[..length];
            literal.push_str(&rest[..at]);
            rest = &after[length..];
            if name.is_empty() {
                literal.push('$');
                continue;
            }
            let value = Value::parse(name).with_context(|| format!("there is no value ${name}: {text}"))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Value(value));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    pub(super) fn fill(&self, scene: &Scene<'_>, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(value) => scene.push(*value, out),
            }
        }
    }
}

macro_rules! values {
    ($($variant:ident = $name:literal,)*) => {
        /// What a template can name. One value stays the same throughout a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Value { $($variant,)* }

        impl Value {
            pub(super) fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

values! {
    Account = "account",
    Ami = "ami",
    App = "app",
    Base64 = "base64",
    Bucket = "bucket",
    Cluster = "cluster",
    Database = "database",
    EpochMs = "epochms",
    Expiry = "expiry",
    Foreign = "foreign",
    Function = "function",
    Hex8 = "hex8",
    Hex16 = "hex16",
    Hex17 = "hex17",
    Hex32 = "hex32",
    HexUp = "hexup",
    Instance = "instance",
    Instance2 = "instance2",
    IssuedKey = "issuedkey",
    KmsKey = "kms",
    LogGroup = "loggroup",
    Md5 = "md5",
    NetworkInterface = "eni",
    NewUser = "newuser",
    Now = "now",
    Number = "number",
    Object = "object",
    Port = "port",
    Queue = "queue",
    Region = "region",
    Secret = "secret",
    SecurityGroup = "sg",
    Small = "small",
    Snapshot = "snapshot",
    Stack = "stack",
    Stream = "stream",
    Subnet = "subnet",
    Table = "table",
    TargetArn = "targetarn",
    TargetId = "targetid",
    TargetKey = "targetkey",
    TargetName = "targetname",
    TargetSession = "targetsession",
    Token = "token",
    Topic = "topic",
    User = "user",
    Uuid = "uuid",
    Volume = "volume",
    Vpc = "vpc",
    Zone = "zone",
}

/// Where and when a record happens: all that its values depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) world: &'a World,
    pub(super) account: &'a Account,
    pub(super) region: &'a str,
    /// Seconds since 1970.
    pub(super) seconds: i64,
    /// The seed of this record.
    pub(super) seed: u64,
    /// What kind of role the call is about, where it is about one.
    pub(super) target: Persona,
    /// Values that an attack has decided.
    pub(super) fixed: &'a [(Value, String)],
}

/// Session tokens are this long in characters, a little less than the real ones.
const TOKEN_LENGTH: usize = 360;

impl Scene<'_> {
    pub(super) fn push(&self, value: Value, out: &mut String) {
        if let Some((_, text)) = self.fixed.iter().find(|(fixed, _)| *fixed == value) {
            out.push_str(text);
            return;
        }
        let noise = mix(self.seed, value as u64);
        match value {
            Value::Account => out.push_str(&self.account.id),
            Value::Region => out.push_str(self.region),
            Value::Zone => {
                out.push_str(self.region);
                out.push(char::from(b'a' + (noise % 3) as u8));
            }
            Value::App => out.push_str(self.app()),
            Value::Instance => self.push_resource("i-0", value, 16, out),
            Value::Instance2 => {
                push_resource_of(self.account.seed, Value::Instance, self.rank(value), "i-0", 16, out);
            }
            Value::Ami => self.push_resource("ami-0", value, 16, out),
            Value::Volume => self.push_resource("vol-0", value, 16, out),
            Value::Snapshot => self.push_resource("snap-0", value, 16, out),
            Value::SecurityGroup => self.push_resource("sg-0", value, 16, out),
            Value::Subnet => self.push_resource("subnet-0", value, 16, out),
            Value::Vpc => push_resource_of(self.account.seed, value, self.rank(value) % 3, "vpc-0", 16, out),
            Value::NetworkInterface => self.push_resource("eni-0", value, 16, out),
            Value::KmsKey => {
                push_uuid(out, mix(self.account.seed, value as u64 + ((self.rank(value) as u64) << 8)));
            }
            Value::Bucket => self.push_named(&["assets", "exports", "uploads", "archive", "logs"], true, out),
            Value::Function => self.push_named(&["worker", "notifier", "import", "resize"], false, out),
            Value::Table => self.push_named(&["sessions", "events", "items"], false, out),
            Value::Queue => self.push_named(&["jobs", "events", "dead-letter"], false, out),
            Value::Topic => self.push_named(&["alerts", "events"], false, out),
            Value::Stack => self.push_named(&["service", "network", "storage"], false, out),
            Value::Database => self.push_named(&["primary", "replica"], false, out),
            Value::Cluster => out.push_str(["prod", "batch"][(noise % 2) as usize]),
            Value::Secret => {
                self.push_named(&["database", "api-token", "webhook"], false, out);
                out.push('-');
                push_base62(out, mix(self.account.seed, self.rank(Value::App) as u64), 6);
            }
            Value::LogGroup => {
                out.push_str("/aws/lambda/");
                self.push(Value::Function, out);
            }
            Value::Object => {
                write!(out, "{}/2026/", self.app()).expect("a String takes everything");
                push_hex(out, noise, 12);
                out.push_str([".parquet", ".json.gz", ".csv", ".pdf", ".png"][(noise % 5) as usize]);
            }
            Value::Stream => {
                out.push_str(&clock::day_folders(self.seconds));
                out.push_str("/[$LATEST]");
                push_hex(out, noise, 16);
                push_hex(out, mix(noise, 1), 16);
            }
            Value::User => out.push_str(&self.account.one_of(Persona::User, noise).name),
            Value::NewUser => {
                write!(out, "{}-automation", self.app()).expect("a String takes everything");
            }
            Value::TargetName => out.push_str(&self.target().name),
            Value::TargetArn => out.push_str(&self.target().arn),
            Value::TargetId => out.push_str(&self.target().id),
            Value::TargetSession => out.push_str(&self.target().session_name),
            Value::TargetKey => self.target().push_key(self.seconds, out),
            Value::IssuedKey => push_key(out, "AKIA", noise),
            Value::Foreign => out.push_str("999988887777"),
            Value::Port => out.push_str(["22", "443", "3389", "8080"][(noise % 4) as usize]),
            Value::Number => push_number(out, noise % 9000 + 100),
            Value::Small => push_number(out, noise % 9 + 1),
            Value::Hex8 => push_hex(out, noise, 8),
            Value::Hex16 => push_hex(out, noise, 16),
            Value::Hex17 => {
                out.push('0');
                push_hex(out, noise, 16);
            }
            Value::Hex32 => {
                push_hex(out, noise, 16);
                push_hex(out, mix(noise, 1), 16);
            }
            Value::HexUp => push_base32(out, noise, 16),
            Value::Base64 => {
                push_base62(out, noise, 10);
                push_base62(out, mix(noise, 1), 10);
                push_base62(out, mix(noise, 2), 10);
                push_base62(out, mix(noise, 3), 10);
                out.push_str("Aa0=");
            }
            Value::Md5 => {
                push_base62(out, noise, 10);
                push_base62(out, mix(noise, 1), 10);
                out.push_str("Q==");
            }
            Value::Token => {
                out.push_str("IQoJb3JpZ2luX2Vj");
                for block in 0..TOKEN_LENGTH as u64 / 10 {
                    push_base62(out, mix(noise, block), 10);
                }
            }
            Value::Uuid => push_uuid(out, noise),
            Value::Now => clock::push_iso(out, self.seconds),
            Value::Expiry => clock::push_long(out, self.seconds + 3600),
            Value::EpochMs => push_number(out, (self.seconds * 1000).unsigned_abs()),
        }
    }

    fn app(&self) -> &'static str {
        APPS[self.rank(Value::App) % APPS.len()]
    }

    fn target(&self) -> &Principal {
        self.account.one_of(self.target, mix(self.seed, Value::TargetName as u64))
    }

    /// Which of the account's resources of this kind the record is about. Few are used often (Zipf).
    fn rank(&self, value: Value) -> usize {
        self.world.resources.pick(mix(self.seed, value as u64))
    }

    fn push_resource(&self, prefix: &str, value: Value, digits: u32, out: &mut String) {
        push_resource_of(self.account.seed, value, self.rank(value), prefix, digits, out);
    }

    /// `orders-jobs`, or `orders-exports-3333` where names are the world's (`unique`).
    fn push_named(&self, kinds: &[&str], unique: bool, out: &mut String) {
        out.push_str(self.app());
        out.push('-');
        out.push_str(kinds[(mix(self.seed, 99) % kinds.len() as u64) as usize]);
        if unique {
            out.push('-');
            out.push_str(&self.account.id[8..]);
        }
    }
}

/// The identifier of the account's resource number `rank` of a kind: always the same.
pub(super) fn push_resource_of(
    seed: u64,
    value: Value,
    rank: usize,
    prefix: &str,
    digits: u32,
    out: &mut String,
) {
    out.push_str(prefix);
    push_hex(out, mix(seed, value as u64 + ((rank as u64) << 8)), digits);
}

pub(super) fn push_all(out: &mut String, pieces: &[&str]) {
    for piece in pieces {
        out.push_str(piece);
    }
}

pub(super) fn push_hex(out: &mut String, number: u64, digits: u32) {
    for place in (0..digits).rev() {
        let nibble = (number >> (4 * place)) & 15;
        out.push(char::from(b"0123456789abcdef"[nibble as usize]));
    }
}

/// A random UUID (version 4) out of a number.
pub(super) fn push_uuid(out: &mut String, number: u64) {
    let (high, low) = (mix(number, 1), mix(number, 2));
    push_hex(out, high >> 32, 8);
    out.push('-');
    push_hex(out, high >> 16, 4);
    out.push_str("-4");
    push_hex(out, high, 3);
    out.push('-');
    push_hex(out, 0x8000 | ((low >> 48) & 0x3fff), 4);
    out.push('-');
    push_hex(out, low, 12);
}

/// An access key or unique id: a prefix that tells its kind, then 16 characters.
pub(super) fn push_key(out: &mut String, prefix: &str, number: u64) {
    out.push_str(prefix);
    push_base32(out, number, 16);
}

pub(super) fn push_base62(out: &mut String, mut number: u64, digits: u32) {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for _ in 0..digits {
        out.push(char::from(DIGITS[(number % 62) as usize]));
        number /= 62;
    }
}

fn push_base32(out: &mut String, number: u64, digits: u32) {
    // 64 bits feed twelve characters, so the rest comes from a second number.
    let numbers = [number, mix(number, 3)];
    for place in 0..digits {
        let five = (numbers[(place / 12) as usize] >> (5 * (place % 12))) & 31;
        out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[five as usize]));
    }
}

fn push_number(out: &mut String, number: u64) {
    write!(out, "{number}").expect("a String takes everything");
}
