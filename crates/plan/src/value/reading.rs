//! How the raw values of a field become typed ones.

use ecs::date::{Format, Rounding};
use ecs::{Catalog, Dynamic, FieldType, Mapping, Resolved, Scalar, Shape};

use super::{Datum, Type, ValueExpr};
use crate::lower::{DYNAMIC_IGNORE_ABOVE, ECS_IGNORE_ABOVE, paths_of};
use crate::matcher::{address, truth_value};
use crate::{
    Expr, IgnoreAbove, KeywordField, NumberType, Predicate, Ranges, Resolution, StringTest, Test, TextTest,
};

/// How a raw value of a field becomes a [`Datum`]: what Elasticsearch's doc values hold of it. A value that the field
/// would not index is none, just as it satisfies no [`Test`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// The text of a keyword, a `wildcard`, or of one key of a `flattened` field.
    Keyword(KeywordField),
    /// The text of any leaf of a `flattened` field.
    FlattenedRoot(KeywordField),
    /// The whole text of an analysed field.
    Text,
    /// A number of the type.
    Number(NumberType),
    /// An address.
    Ip,
    /// An instant.
    Date {
        /// How the field's dates are written.
        format: Format,
        /// How finely the field tells them.
        resolution: Resolution,
    },
    /// A truth value.
    Boolean,
    /// A version.
    Version,
    /// Of a field that is not mapped: by the kind of the JSON value. Texts are keywords as given.
    Dynamic(KeywordField),
}

impl Reading {
    /// How a field of that mapping is read; `key`: whether one key of a flattened field is. Nothing if the type has no
    /// values.
    pub fn of(mapping: &Mapping, key: bool) -> Option<Self> {
        let ignore_above = mapping.ignore_above.map(|limit| IgnoreAbove::of(mapping.ty, limit));
        let field = KeywordField { ignore_above, lowercase: mapping.lowercase };
        let date = |resolution| Self::Date { format: mapping.format.clone(), resolution };
        Some(match mapping.ty {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => Self::Keyword(field),
            FieldType::Flattened if key => Self::Keyword(field),
            FieldType::Flattened => Self::FlattenedRoot(field),
            FieldType::Text | FieldType::MatchOnlyText => Self::Text,
            FieldType::Version => Self::Version,
            FieldType::Ip => Self::Ip,
            FieldType::Boolean => Self::Boolean,
            FieldType::Date => date(Resolution::Millis),
            FieldType::DateNanos => date(Resolution::Nanos),
            FieldType::Byte
            | FieldType::Short
            | FieldType::Integer
            | FieldType::Long
            | FieldType::UnsignedLong
            | FieldType::HalfFloat
            | FieldType::Float
            | FieldType::Double
            | FieldType::ScaledFloat => Self::Number(NumberType::of(mapping.ty, mapping.scaling_factor)?),
            FieldType::GeoPoint | FieldType::Nested | FieldType::Object => return None,
        })
    }

    /// The type of the values.
    pub fn ty(&self) -> Type {
        match self {
            Self::Keyword(_) | Self::FlattenedRoot(_) | Self::Text => Type::Text,
            Self::Number(ty) if ty.is_whole() => Type::Int,
            Self::Number(_) => Type::Double,
            Self::Ip => Type::Ip,
            Self::Date { .. } => Type::Date,
            Self::Boolean => Type::Bool,
            Self::Version => Type::Version,
            Self::Dynamic(_) => Type::Any,
        }
    }

    /// The value as the field has it; nothing if it would not index it.
    pub fn read<'a>(&self, value: Scalar<'a>) -> Option<Datum<'a>> {
        match self {
            Self::Keyword(field) => field.index(value.text()).map(Datum::Text),
            Self::FlattenedRoot(field) => {
                let Scalar::Str(leaf) = value else { return None };
                let (_, text) = leaf.split_once('\0')?;
                field.index(text.into()).map(Datum::Text)
            }
            Self::Text => Some(Datum::Text(value.text())),
            Self::Number(ty) => {
                let key = ty.index(value)?;
                Some(ty.value(key).map_or(Datum::Int(key), Datum::double))
            }
            Self::Ip => address(value).map(Datum::Ip),
            Self::Date { format, resolution } => {
                let key = resolution.key(format.read(&value.text(), Rounding::Down, 0)?);
                resolution.holds(key).then(|| match resolution {
                    Resolution::Millis => Datum::date_of_millis(key),
                    Resolution::Nanos => Datum::Date(key),
                })
            }
            Self::Boolean => truth_value(value).map(Datum::Bool),
            Self::Version => Some(Datum::Version(value.text())),
            Self::Dynamic(field) => match value {
                Scalar::Str(_) => Self::Keyword(*field).read(value),
                Scalar::Int(_) | Scalar::UInt(_) => Self::Number(NumberType::Long).read(value),
                Scalar::Float(_) | Scalar::NumberText(_) => Self::Number(NumberType::Double).read(value),
                Scalar::Bool(_) => Self::Boolean.read(value),
            },
        }
    }

    /// The question whether there is a value: true of those that can be [read](Reading::read).
    pub fn exists(&self) -> Test {
        let number = |ty: NumberType| {
            let (least, greatest) = ty.bounds();
            Test::Number { ty, ranges: Ranges::new(least, greatest) }
        };
        let boolean = Test::Boolean { truth: true, falsity: true };
        match self {
            Self::Keyword(field) => Test::Keyword { field: *field, test: StringTest::Any },
            Self::FlattenedRoot(field) => Test::FlattenedRoot { field: *field, test: StringTest::Any },
            Self::Text => Test::Text(TextTest::Any),
            Self::Number(ty) => number(*ty),
            Self::Ip => Test::Ip(Ranges::new(0, u128::MAX)),
            Self::Date { format, resolution } => Test::Date {
                format: format.clone(),
                resolution: *resolution,
                ranges: Ranges::new(i128::MIN, i128::MAX),
            },
            Self::Boolean => boolean,
            Self::Version => Test::Version(StringTest::Any),
            Self::Dynamic(field) => Test::Dynamic {
                string: Some(Box::new(Self::Keyword(*field).exists())),
                integer: Some(Box::new(number(NumberType::Long))),
                float: Some(Box::new(number(NumberType::Double))),
                boolean: Some(Box::new(boolean)),
            },
        }
    }

    fn shape(&self) -> Shape {
        if let Self::FlattenedRoot(_) = self { Shape::FlattenedRoot } else { Shape::Leaf }
    }
}

/// A field whose values an expression computes with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operand {
    /// The paths of a document at which its values stand: one, but for `copy_to`.
    pub paths: Vec<String>,
    /// How they are laid out.
    pub shape: Shape,
    /// How a raw value becomes a typed one.
    pub reading: Reading,
}

/// What a name stands for in an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// The values of a field.
    Operand(Operand),
    /// The same value in every document: a `constant_keyword`.
    Constant(Datum<'static>),
    /// There are never values: an object, a place, a field that is not indexed, or one that is not mapped while the
    /// mapping lets no others in.
    Nothing,
}

impl Operand {
    /// The field of that name, asked from the top of the document.
    pub fn named(name: &str, catalog: &Catalog) -> Named {
        if matches!(name, "_id" | "_index") {
            let reading = Reading::Keyword(KeywordField::default());
            return Named::Operand(Self::new(vec![name.to_owned()], reading));
        }
        let (mapping, key) = match catalog.resolve(name) {
            Resolved::Field(mapping) => (mapping, None),
            Resolved::FlattenedKey { key, mapping, .. } => (mapping, Some(key)),
            Resolved::Object => return Named::Nothing,
            Resolved::Unmapped => {
                let limit = match catalog.dynamic() {
                    Dynamic::Off => return Named::Nothing,
                    Dynamic::Keywords => ECS_IGNORE_ABOVE,
                    Dynamic::Text => DYNAMIC_IGNORE_ABOVE,
                };
                let ignore_above = Some(IgnoreAbove::Characters(limit));
                let field = KeywordField { ignore_above, lowercase: false };
                return Named::Operand(Self::new(vec![name.to_owned()], Reading::Dynamic(field)));
            }
        };
        if !mapping.searchable || mapping.nested.is_some() {
            return Named::Nothing;
        }
        if let (FieldType::ConstantKeyword, Some(value)) = (mapping.ty, &mapping.value) {
            return Named::Constant(Datum::text(value.clone()));
        }
        match Reading::of(mapping, key.is_some()) {
            Some(reading) => Named::Operand(Self::new(paths_of(name, mapping, key, None), reading)),
            None => Named::Nothing,
        }
    }

    fn new(paths: Vec<String>, reading: Reading) -> Self {
        Self { paths, shape: reading.shape(), reading }
    }

    /// That it has a value.
    pub fn exists(&self) -> Expr {
        self.any(&self.reading.exists())
    }

    /// That some value satisfies the test.
    pub(super) fn any(&self, test: &Test) -> Expr {
        let is =
            |path: &String| Expr::Is(Predicate { path: path.clone(), shape: self.shape, test: test.clone() });
        match self.paths.as_slice() {
            [path] => is(path),
            paths => Expr::Or(paths.iter().map(is).collect()),
        }
    }

    /// Its values as the operand of that number.
    pub(super) fn value(&self, number: usize) -> ValueExpr {
        ValueExpr::Field(number, self.reading.ty())
    }
}
