//! What an atom means for a field, by its type.

use std::net::IpAddr;

use ecs::{FieldType, Mapping};

use super::{Asked, Atom, LowerErrorKind, Question};
use crate::matcher::{address_key, parse_address, read_address};
use crate::{IgnoreAbove, KeywordField, Literal, NumberType, RangeBounds, Ranges, Test};

/// The test of one value of a field. `key`: below which key of a flattened field.
pub(super) fn ask(
    atom: &Atom<'_>,
    mapping: &Mapping,
    key: Option<&str>,
) -> Result<Option<Question>, LowerErrorKind> {
    let ignore_above = mapping.ignore_above.map(|limit| IgnoreAbove::of(mapping.ty, limit));
    let field = KeywordField { ignore_above, lowercase: mapping.lowercase };
    let asked = match mapping.ty {
        FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => field.ask(atom),
        FieldType::Flattened if key.is_some() => field.ask_key(atom),
        FieldType::Flattened => field.ask_root(atom),
        FieldType::Text | FieldType::MatchOnlyText => super::texts::ask(atom),
        FieldType::Version => super::texts::ask_version(atom),
        FieldType::Ip => ask_address(atom),
        FieldType::Boolean => ask_boolean(atom),
        FieldType::Date | FieldType::DateNanos => return super::dates::ask(atom, mapping),
        FieldType::Byte
        | FieldType::Short
        | FieldType::Integer
        | FieldType::Long
        | FieldType::UnsignedLong
        | FieldType::HalfFloat
        | FieldType::Float
        | FieldType::Double
        | FieldType::ScaledFloat => match NumberType::of(mapping.ty, mapping.scaling_factor) {
            Some(ty) => super::numbers::ask(atom, ty),
            None => Ok(None),
        },
        FieldType::GeoPoint | FieldType::Nested | FieldType::Object => Ok(None),
    };
    asked.map(|test| test.map(Question::Test))
}
/// The error of an atom that needs text, if it is one.
pub(super) fn needs_text(atom: &Atom<'_>) -> LowerErrorKind {
    let what = match atom {
        Atom::Term { .. } => "comparing in either case",
        Atom::Prefix { .. } => "a prefix",
        Atom::Regexp { .. } => "a regular expression",
        Atom::Fuzzy { .. } => "a fuzzy comparison",
        _ => "a pattern",
    };
    LowerErrorKind::NoText { what }
}

fn ask_address(atom: &Atom<'_>) -> Asked {
    let ranges = match atom {
        Atom::Exists => Ranges::new(0, u128::MAX),
        Atom::Term { value, fold: false }
        | Atom::OneTerm(value)
        | Atom::Match(value)
        | Atom::Phrase { value, .. } => addresses(&value.text())?,
        Atom::Range(bounds) => address_range(bounds)?,
        Atom::Term { fold: true, .. }
        | Atom::Wildcard { .. }
        | Atom::Prefix { .. }
        | Atom::Regexp { .. }
        | Atom::Fuzzy { .. } => return Err(needs_text(atom)),
    };
    Ok((!ranges.is_empty()).then_some(Test::Ip(ranges)))
}

/// The addresses that a text names: one, or a block of them, of which it may name any.
pub fn addresses(text: &str) -> Result<Ranges<u128>, LowerErrorKind> {
    let error = |help| LowerErrorKind::NotAnAddress { value: text.to_owned(), help };
    let Some((base, length)) = text.split_once('/') else {
        let key = address(text)?;
        return Ok(Ranges::new(key, key));
    };
    let base = read_address(base).ok_or_else(|| error("write a block of addresses like 10.0.0.0/8"))?;
    let length: u32 = length.parse().map_err(|_| error("after the slash goes the number of leading bits"))?;
    let free = match base {
        IpAddr::V4(_) if length <= 32 => 32 - length,
        IpAddr::V4(_) => return Err(error("an IPv4 block has at most 32 leading bits")),
        IpAddr::V6(base) if base.to_ipv4_mapped().is_some() => {
            return Err(error("write the block in IPv4 form, like 10.0.0.0/8"));
        }
        IpAddr::V6(_) if length <= 128 => 128 - length,
        IpAddr::V6(_) => return Err(error("an IPv6 block has at most 128 leading bits")),
    };
    let host = 1_u128.checked_shl(free).map_or(u128::MAX, |it| it - 1);
    let key = address_key(base);
    Ok(Ranges::new(key & !host, key | host))
}

fn address(text: &str) -> Result<u128, LowerErrorKind> {
    parse_address(text).ok_or_else(|| LowerErrorKind::NotAnAddress {
        value: text.to_owned(),
        help: "write an address like 203.0.113.5 or 2001:db8::1, or a block like 10.0.0.0/8",
    })
}

fn address_range(bounds: &RangeBounds) -> Result<Ranges<u128>, LowerErrorKind> {
    let first = match bounds.lower() {
        None => Some(0),
        Some((bound, true)) => Some(address(&bound.text())?),
        Some((bound, false)) => address(&bound.text())?.checked_add(1),
    };
    let last = match bounds.upper() {
        None => Some(u128::MAX),
        Some((bound, true)) => Some(address(&bound.text())?),
        Some((bound, false)) => address(&bound.text())?.checked_sub(1),
    };
    Ok(first.zip(last).map_or_else(Ranges::default, |(first, last)| Ranges::new(first, last)))
}

fn ask_boolean(atom: &Atom<'_>) -> Asked {
    let (truth, falsity) = match atom {
        Atom::Exists => (true, true),
        Atom::Term { value, .. } | Atom::OneTerm(value) | Atom::Match(value) | Atom::Phrase { value, .. } => {
            let value = boolean(value)?;
            (value, !value)
        }
        Atom::Range(bounds) => {
            let lower = bounds.lower().map(|(bound, within)| Ok((boolean(bound)?, within))).transpose()?;
            let upper = bounds.upper().map(|(bound, within)| Ok((boolean(bound)?, within))).transpose()?;
            // No value lies above true or below false, so an exclusive bound leaves the other value.
            let within = |value: bool| {
                lower.is_none_or(|(bound, within)| if within { value >= bound } else { value && !bound })
                    && upper
                        .is_none_or(|(bound, within)| if within { value <= bound } else { !value && bound })
            };
            (within(true), within(false))
        }
        Atom::Wildcard { .. } | Atom::Prefix { .. } | Atom::Regexp { .. } | Atom::Fuzzy { .. } => {
            return Err(needs_text(atom));
        }
    };
    Ok((truth || falsity).then_some(Test::Boolean { truth, falsity }))
}

fn boolean(value: &Literal) -> Result<bool, LowerErrorKind> {
    match &*value.text() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(LowerErrorKind::NotABoolean { value: other.to_owned() }),
    }
}
