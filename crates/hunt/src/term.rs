//! Values of new-terms fields, typed as the field's mapping has it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use detect::Term;
use ecs::{Catalog, FieldType, Mapping, Resolved, Scalar};
use plan::IgnoreAbove;

/// The type of a new-terms field.
#[derive(Clone, Debug)]
pub(crate) enum TermType {
    /// Strings; longer ones than `ignore_above` are not indexed.
    Keyword {
        ignore_above: Option<IgnoreAbove>,
    },
    Long,
    Double,
    Bool,
    Ip,
    Date,
    /// Not mapped: strings, numbers and booleans as they are.
    Dynamic,
    /// Text without doc values, objects: no values at all.
    Nothing,
}

impl TermType {
    /// The type of a path.
    pub(crate) fn of(path: &str, catalog: &Catalog) -> Self {
        match catalog.resolve(path) {
            Resolved::Field(mapping) => match mapping.ty {
                FieldType::Keyword
                | FieldType::ConstantKeyword
                | FieldType::Wildcard
                | FieldType::Version => Self::keyword(mapping),
                FieldType::Ip => Self::Ip,
                FieldType::Date | FieldType::DateNanos => Self::Date,
                FieldType::Boolean => Self::Bool,
                FieldType::Long
                | FieldType::Integer
                | FieldType::Short
                | FieldType::Byte
                | FieldType::UnsignedLong => Self::Long,
                FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
                    Self::Double
                }
                FieldType::Text
                | FieldType::MatchOnlyText
                | FieldType::Flattened
                | FieldType::GeoPoint
                | FieldType::Nested
                | FieldType::Object => Self::Nothing,
            },
            Resolved::FlattenedKey { mapping, .. } => Self::keyword(mapping),
            Resolved::Unmapped => Self::Dynamic,
            Resolved::Object => Self::Nothing,
        }
    }

    fn keyword(mapping: &Mapping) -> Self {
        Self::Keyword { ignore_above: mapping.ignore_above.map(|limit| IgnoreAbove::of(mapping.ty, limit)) }
    }

    /// Calls with the value as this type indexes it; not at all if it does not.
    pub(crate) fn with<R>(&self, value: Scalar<'_>, take: impl FnOnce(Term<'_>) -> R) -> Option<R> {
        match self {
            Self::Keyword { ignore_above } => {
                let text = value.text();
                let fits = ignore_above.is_none_or(|limit| limit.fits(&text));
                fits.then(|| take(Term::Str(&text)))
            }
            Self::Long => match value {
                Scalar::Int(number) => Some(take(Term::Long(number))),
                Scalar::UInt(number) => Some(take(Term::UnsignedLong(number))),
                Scalar::Float(number) => Some(take(Term::Long(number as i64))),
                Scalar::Str(text) | Scalar::NumberText(text) => {
                    let number =
                        text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|it| it as i64))?;
                    Some(take(Term::Long(number)))
                }
                Scalar::Bool(_) => None,
            },
            Self::Double => {
                let number: f64 = match value {
                    Scalar::Bool(_) => return None,
                    other => other.text().parse().ok()?,
                };
                number.is_finite().then(|| take(Term::Double(number)))
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
                Scalar::Str(text) | Scalar::NumberText(text) => take(Term::Str(text)),
                Scalar::Int(number) => take(Term::Long(number)),
                Scalar::UInt(number) => take(Term::UnsignedLong(number)),
                Scalar::Float(number) => take(Term::Double(number)),
                Scalar::Bool(it) => take(Term::Bool(it)),
            }),
            Self::Nothing => None,
        }
    }
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
        TermType::of(path, &Catalog::ecs()).with(value, |term| format!("{term:?}"))
    }

    #[test]
    fn values_are_typed_by_their_field() {
        assert_eq!(typed("user.name", Scalar::Str("ada")).as_deref(), Some("Str(\"ada\")"));
        assert_eq!(typed("user.name", Scalar::Str(&"x".repeat(1025))), None, "not indexed, so not new");
        let wide = "😀".repeat(600);
        let flattened = "aws.cloudtrail.flattened.request_parameters.name";
        assert!(typed("user.name", Scalar::Str(&wide)).is_some(), "600 characters");
        assert_eq!(typed(flattened, Scalar::Str(&wide)), None, "1,200 code units");
        assert_eq!(typed("source.ip", Scalar::Str("10.0.0.1")).as_deref(), Some("Ip(::ffff:10.0.0.1)"));
        assert_eq!(typed("source.ip", Scalar::Str("AWS Internal")), None);
        assert_eq!(typed("source.as.number", Scalar::Str("64500")).as_deref(), Some("Long(64500)"));
        assert_eq!(typed("message", Scalar::Str("words")), None, "text has no doc values");
        assert_eq!(typed("aws.cloudtrail.read_only", Scalar::Bool(true)).as_deref(), Some("Bool(true)"));
        assert_eq!(
            typed("event.created", Scalar::Str("1970-01-01T00:00:01Z")).as_deref(),
            Some("Long(1000)")
        );
        assert_eq!(typed("my.own.field", Scalar::Int(4)).as_deref(), Some("Long(4)"));
    }
}
