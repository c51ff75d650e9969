//! How a column's values become terms.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use ecs::{Catalog, FieldType, Mapping, Resolved, Scalar, Shape};
use plan::{IgnoreAbove, NumberType};

use super::Term;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TermType {
    /// Strings; longer ones than `ignore_above` are not indexed.
    Keyword {
        ignore_above: Option<IgnoreAbove>,
    },
    /// The leaves under a `flattened` field, without their keys.
    FlattenedRoot {
        ignore_above: Option<IgnoreAbove>,
    },
    /// What the type can hold: a fraction is cut where it is whole, and rounded where it has fewer digits.
    Number(NumberType),
    Bool,
    Ip,
    Date,
    /// Not mapped: strings, numbers and booleans as they are.
    Dynamic,
    /// Whatever the mapping says, what was delivered: what asks for it has its own idea of types.
    AsDelivered,
}

impl TermType {
    /// The type of a path; the type of field that has no values to tell apart, if it is one.
    pub(crate) fn of(path: &str, catalog: &Catalog) -> Result<Self, &'static str> {
        Ok(match catalog.resolve(path) {
            Resolved::Field(mapping) => match mapping.ty {
                FieldType::Keyword
                | FieldType::ConstantKeyword
                | FieldType::Wildcard
                | FieldType::Version => Self::Keyword { ignore_above: ignore_above(mapping) },
                FieldType::Flattened => Self::FlattenedRoot { ignore_above: ignore_above(mapping) },
                FieldType::Ip => Self::Ip,
                FieldType::Date | FieldType::DateNanos => Self::Date,
                FieldType::Boolean => Self::Bool,
                FieldType::Long => Self::Number(NumberType::Long),
                FieldType::Integer => Self::Number(NumberType::Integer),
                FieldType::Short => Self::Number(NumberType::Short),
                FieldType::Byte => Self::Number(NumberType::Byte),
                FieldType::UnsignedLong => Self::Number(NumberType::UnsignedLong),
                FieldType::Double => Self::Number(NumberType::Double),
                FieldType::Float => Self::Number(NumberType::Float),
                FieldType::HalfFloat => Self::Number(NumberType::HalfFloat),
                FieldType::ScaledFloat => {
                    let factor = mapping.scaling_factor.unwrap_or(1.0);
                    Self::Number(NumberType::ScaledFloat(factor.to_bits()))
                }
                FieldType::Text | FieldType::MatchOnlyText => return Err("text"),
                FieldType::GeoPoint => return Err("a place"),
                FieldType::Nested | FieldType::Object => return Err("an object"),
            },
            Resolved::FlattenedKey { mapping, .. } => Self::Keyword { ignore_above: ignore_above(mapping) },
            Resolved::Unmapped => Self::Dynamic,
            Resolved::Object => return Err("an object"),
        })
    }

    /// How the column of such values is laid out.
    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::FlattenedRoot { .. } => Shape::FlattenedRoot,
            Self::Keyword { .. }
            | Self::Number(_)
            | Self::Bool
            | Self::Ip
            | Self::Date
            | Self::Dynamic
            | Self::AsDelivered => Shape::Leaf,
        }
    }

    /// Calls with the value as this type indexes it; not at all if it does not.
    pub(crate) fn with<R>(self, value: Scalar<'_>, take: impl FnOnce(Term<'_>) -> R) -> Option<R> {
        match self {
            Self::Keyword { ignore_above } => {
                let text = value.text();
                let fits = ignore_above.is_none_or(|limit| limit.fits(&text));
                fits.then(|| take(Term::Str(&text)))
            }
            Self::FlattenedRoot { ignore_above } => {
                let text = value.text();
                let leaf = text.split_once('\0').map_or(&*text, |(_, leaf)| leaf);
                let fits = ignore_above.is_none_or(|limit| limit.fits(leaf));
                fits.then(|| take(Term::Str(leaf)))
            }
            Self::Number(ty) => {
                let key = ty.index(value)?;
                Some(match (ty.value(key), i64::try_from(key)) {
                    (Some(number), _) => take(Term::Double(number)),
                    (None, Ok(number)) => take(Term::Long(number)),
                    (None, Err(_)) => take(Term::UnsignedLong(u64::try_from(key).ok()?)),
                })
            }
            Self::Bool => match value.text().as_ref() {
                "true" => Some(take(Term::Bool(true))),
                "false" | "" => Some(take(Term::Bool(false))),
                _ => None,
            },
            Self::Ip => Some(take(Term::Ip(address(&value.text())?))),
            Self::Date => {
                let text: Cow<'_, str> = value.text();
                Some(take(Term::Long(ecs::date::parse(&text).ok()?)))
            }
            Self::Dynamic => Some(match value {
                Scalar::NumberText(text) => take(Term::Str(text)),
                other => take(Term::as_delivered(other)),
            }),
            Self::AsDelivered => Some(take(Term::as_delivered(value))),
        }
    }
}

fn ignore_above(mapping: &Mapping) -> Option<IgnoreAbove> {
    mapping.ignore_above.map(|limit| IgnoreAbove::of(mapping.ty, limit))
}

fn address(text: &str) -> Option<Ipv6Addr> {
    match text.parse().ok()? {
        IpAddr::V4(short) => Some(short.to_ipv6_mapped()),
        IpAddr::V6(long) => Some(long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(path: &str, value: Scalar<'_>) -> Option<String> {
        TermType::of(path, &Catalog::ecs()).unwrap().with(value, |term| format!("{term:?}"))
    }

    #[test]
    fn values_are_typed_by_their_field() {
        assert_eq!(typed("user.name", Scalar::Str("ada")).as_deref(), Some("Str(\"ada\")"));
        assert_eq!(typed("user.name", Scalar::Str(&"x".repeat(1025))), None, "not indexed, so not new");
        let wide = "😀".repeat(600);
        let flattened = "aws.cloudtrail.flattened.request_parameters.name";
        assert!(typed("user.name", Scalar::Str(&wide)).is_some(), "600 characters");
        assert_eq!(typed(flattened, Scalar::Str(&wide)), None, "1,200 code units");
        let root = "aws.cloudtrail.flattened.request_parameters";
        assert_eq!(typed(root, Scalar::Str("bucket.name\0logs")).as_deref(), Some("Str(\"logs\")"));
        assert_eq!(TermType::of(root, &Catalog::ecs()).unwrap().shape(), Shape::FlattenedRoot);
        assert_eq!(typed("source.ip", Scalar::Str("10.0.0.1")).as_deref(), Some("Ip(::ffff:10.0.0.1)"));
        assert_eq!(typed("source.ip", Scalar::Str("AWS Internal")), None);
        assert_eq!(typed("source.as.number", Scalar::Str("64500")).as_deref(), Some("Long(64500)"));
        assert_eq!(typed("source.as.number", Scalar::Float(64500.7)).as_deref(), Some("Long(64500)"));
        let risk = |value| typed("event.risk_score", value);
        assert_eq!(
            risk(Scalar::Float(0.1)).as_deref(),
            Some("Double(0.10000000149011612)"),
            "as a float has it"
        );
        assert_eq!(risk(Scalar::Float(0.1)), risk(Scalar::NumberText("0.100000001")));
        assert_eq!(risk(Scalar::Float(1e300)), None, "the field refuses it");
        assert_eq!(TermType::of("message", &Catalog::ecs()), Err("text"));
        assert_eq!(typed("aws.cloudtrail.read_only", Scalar::Bool(true)).as_deref(), Some("Bool(true)"));
        assert_eq!(
            typed("event.created", Scalar::Str("1970-01-01T00:00:01Z")).as_deref(),
            Some("Long(1000)")
        );
        assert_eq!(typed("my.own.field", Scalar::Int(4)).as_deref(), Some("Long(4)"));
    }

    /// What keeps the delivered value gives it back.
    #[test]
    fn as_delivered() {
        for value in [
            Scalar::Str("2026-01-01"),
            Scalar::Int(-4),
            Scalar::UInt(u64::MAX),
            Scalar::Float(1.5),
            Scalar::NumberText("1.10"),
            Scalar::Bool(false),
        ] {
            let mut interner = crate::term::Interner::default();
            let id = TermType::AsDelivered.with(value, |term| interner.intern(term)).unwrap();
            assert_eq!(interner.get(id).delivered(), Some(value));
        }
    }
}
