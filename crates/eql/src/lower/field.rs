//! Which field a name is.

use ecs::{Dynamic, FieldType, Mapping, Resolved};

use super::{CheckErrorKind, Lowering};
use crate::ast;

/// A field that may have values.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The field that is asked.
    pub(crate) path: String,
    /// The one that is asked for a text.
    pub(crate) text_path: String,
    pub(crate) kind: Kind,
}

/// What kind of values an expression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Whole,
    Float,
    Bool,
    Date,
    Address,
    Version,
    /// As the event has it: the field is not mapped, or it is null.
    Any,
}

impl Kind {
    /// As people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Whole | Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Date => "a date",
            Self::Address => "an IP address",
            Self::Version => "a version",
            Self::Any => "null",
        }
    }
}

impl Lowering<'_> {
    /// The field; nothing if it is null in every event, or wrong, which is noted.
    pub(crate) fn field(&mut self, field: &ast::Field) -> Option<Field> {
        let ast::Field { path, optional, span } = field;
        let known = |path: &str, kind| Field { path: path.to_owned(), text_path: path.to_owned(), kind };
        if matches!(path.as_str(), "_id" | "_index") {
            return Some(known(path, Kind::Text));
        }
        let error = match self.catalog.resolve(path) {
            Resolved::Field(mapping) => match self.kind(path, mapping) {
                Ok((kind, None)) => return Some(known(path, kind)),
                Ok((kind, Some(whole))) => {
                    return Some(Field { path: path.clone(), ..known(&whole, kind) });
                }
                Err(error) => error,
            },
            Resolved::FlattenedKey { .. } => return Some(known(path, Kind::Text)),
            Resolved::Object => CheckErrorKind::Object { field: path.clone(), ty: "object" },
            Resolved::Unmapped => match self.catalog.dynamic() {
                _ if self.catalog.nested_of(path).is_some() => CheckErrorKind::Nested { field: path.clone() },
                Dynamic::Off if *optional => return None,
                Dynamic::Off => CheckErrorKind::UnknownField { field: path.clone() },
                Dynamic::Keywords => return Some(known(path, Kind::Any)),
                // Its texts are whole in the field below it.
                Dynamic::Text if path.ends_with(".keyword") => return Some(known(path, Kind::Text)),
                Dynamic::Text => {
                    let text_path = format!("{path}.keyword");
                    return Some(Field { text_path, ..known(path, Kind::Any) });
                }
            },
        };
        self.fail(error, *span);
        None
    }

    /// The kind of a field, and of a text the field that holds it whole.
    fn kind(&self, path: &str, mapping: &Mapping) -> Result<(Kind, Option<String>), CheckErrorKind> {
        if mapping.nested.is_some() {
            return Err(CheckErrorKind::Nested { field: path.to_owned() });
        }
        let kind = match mapping.ty {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard | FieldType::Flattened => {
                Kind::Text
            }
            FieldType::Text | FieldType::MatchOnlyText => {
                let mut below =
                    self.catalog.under(path).filter(|(_, it)| it.sources.iter().any(|it| it == path));
                let whole = below.find(|(_, it)| matches!(it.ty, FieldType::Keyword | FieldType::Wildcard));
                return match whole {
                    Some((whole, _)) => Ok((Kind::Text, Some(whole.to_owned()))),
                    None => Err(CheckErrorKind::TextField { field: path.to_owned() }),
                };
            }
            FieldType::Ip => Kind::Address,
            FieldType::Date | FieldType::DateNanos => Kind::Date,
            FieldType::Boolean => Kind::Bool,
            FieldType::Long
            | FieldType::Integer
            | FieldType::Short
            | FieldType::Byte
            | FieldType::UnsignedLong => Kind::Whole,
            FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
                Kind::Float
            }
            FieldType::Version => Kind::Version,
            FieldType::Nested => return Err(CheckErrorKind::Nested { field: path.to_owned() }),
            FieldType::GeoPoint | FieldType::Object => {
                return Err(CheckErrorKind::Object { field: path.to_owned(), ty: mapping.ty.name() });
            }
        };
        Ok((kind, None))
    }
}
