//! A value and where it comes from.

use std::fmt;
use std::net::SocketAddr;

use super::Kind;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// An option of the command line.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { name, line } => write!(out, "{name}:{line}"),
            Self::Variable(name) => write!(out, "environment {name}"),
            Self::Option(name) => write!(out, "option {name}"),
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text or a path.
    Text(String),
    /// Texts or paths.
    Texts(Vec<String>),
    /// A flag.
    Flag(bool),
    /// A number, bytes, or a time in milliseconds.
    Number(u64),
    /// An address.
    Address(SocketAddr),
}

impl Value {
    /// As it would stand in the file.
    pub(super) fn written(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Number(value), Kind::Bytes(..)) => format!("\"{}\"", bytes(*value)),
            (Self::Number(value), Kind::Duration(..)) => format!("\"{}\"", duration(*value)),
            (Self::Number(value), _) => value.to_string(),
            (Self::Flag(value), _) => value.to_string(),
            (Self::Text(text), _) => quoted(text),
            (Self::Address(address), _) => format!("\"{address}\""),
            (Self::Texts(texts), _) => {
                format!("[{}]", texts.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// A value from a text, as the environment and the command line give it.
    pub(super) fn of_text(text: &str, kind: Kind) -> Result<Self, String> {
        match kind {
            Kind::Text | Kind::Path => Ok(Self::Text(text.to_owned())),
            Kind::OneOf(texts) if texts.contains(&text) => Ok(Self::Text(text.to_owned())),
            Kind::OneOf(texts) => Err(format!("expected one of {}", texts.join(", "))),
            Kind::Texts | Kind::Paths => {
                let texts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
                Ok(Self::Texts(texts.map(str::to_owned).collect()))
            }
            Kind::Flag => match text {
                "true" => Ok(Self::Flag(true)),
                "false" => Ok(Self::Flag(false)),
                _ => Err("expected true or false".to_owned()),
            },
            Kind::Number(..) => {
                let number = text.parse().map_err(|_| "expected a number".to_owned())?;
                Self::of_number(number, kind)
            }
            Kind::Bytes(..) => Self::of_number(parse_bytes(text)?, kind),
            Kind::Duration(..) => Self::of_number(parse_duration(text)?, kind),
            Kind::Address => {
                let address = text.parse();
                address.map(Self::Address).map_err(|_| {
                    "expected an address and a port, such as 127.0.0.1:9480 or [::1]:9480".to_owned()
                })
            }
        }
    }

    /// A number within its bounds.
    pub(super) fn of_number(number: u64, kind: Kind) -> Result<Self, String> {
        let (least, most, shown): (u64, u64, fn(u64) -> String) = match kind {
            Kind::Number(least, most) => (least, most, |it| it.to_string()),
            Kind::Bytes(least, most) => (least, most, bytes),
            Kind::Duration(least, most) => (least, most, duration),
            Kind::Text
            | Kind::OneOf(_)
            | Kind::Path
            | Kind::Flag
            | Kind::Texts
            | Kind::Paths
            | Kind::Address => {
                return Err(expected(kind).to_owned());
            }
        };
        if (least..=most).contains(&number) {
            Ok(Self::Number(number))
        } else {
            Err(format!("must be between {} and {}", shown(least), shown(most)))
        }
    }
}

/// What a value must be, in words.
pub(super) fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "expected a text",
        Kind::OneOf(_) => "expected one of some texts",
        Kind::Path => "expected a path, as a text",
        Kind::Flag => "expected true or false",
        Kind::Number(..) => "expected a number",
        Kind::Bytes(..) => "expected bytes: a number, or a text such as \"64 MiB\"",
        Kind::Duration(..) => "expected a time, as a text such as \"90s\", \"5m\", \"24h\"",
        Kind::Texts => "expected a list of texts",
        Kind::Paths => "expected a list of paths",
        Kind::Address => "expected an address and a port, as a text such as \"127.0.0.1:9480\"",
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const BYTE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIME_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

fn bytes(value: u64) -> String {
    let (unit, size) =
        BYTE_UNITS.into_iter().find(|(_, size)| value > 0 && value.is_multiple_of(*size)).unwrap_or(("B", 1));
    format!("{} {unit}", value / size)
}

fn duration(value: u64) -> String {
    let (unit, size) = TIME_UNITS
        .into_iter()
        .find(|(_, size)| value > 0 && value.is_multiple_of(*size))
        .unwrap_or(("s", 1_000));
    format!("{}{unit}", value / size)
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let error = || "expected bytes, such as 64 MiB".to_owned();
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| error())?;
    let unit = text[digits..].trim();
    let (_, size) = BYTE_UNITS
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit) || unit.is_empty() && *name == "B")
        .ok_or_else(error)?;
    number.checked_mul(size).ok_or_else(error)
}

fn parse_duration(text: &str) -> Result<u64, String> {
    let error = || "expected a time, such as 90s, 5m or 24h".to_owned();
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| error())?;
    let unit = text[digits..].trim();
    let (_, size) = TIME_UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
    number.checked_mul(size).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for value in [0, 1, 999, 1_000, 60_000, 5_400_000, 86_400_000, 86_401_000, 1 << 20, 3 << 29] {
            assert_eq!(parse_duration(&duration(value)), Ok(value), "{value}");
            assert_eq!(parse_bytes(&bytes(value)), Ok(value), "{value}");
        }
        assert_eq!(parse_bytes("64MiB"), Ok(64 << 20));
        assert_eq!(parse_bytes("64 mib"), Ok(64 << 20));
        assert_eq!(parse_bytes("17"), Ok(17));
        for wrong in
            ["", "MiB", "-1 MiB", "1.5 MiB", "1 MB", "99999999999999999999", "18446744073709551615 KiB"]
        {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "5", "m", "1 fortnight", "5M", "-1s", "18446744073709551615d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
