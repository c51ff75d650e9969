//! Which field a name is.

use ecs::{Dynamic, FieldType, Mapping, Resolved};
use plan::value::{Named, Operand, Type};

use super::{CheckErrorKind, Lowering, Wrong};
use crate::ast;

/// A field that may have values.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The field that is asked.
    pub(crate) path: String,
    /// The one that is asked for a text.
    pub(crate) text_path: String,
    /// The type of its values.
    pub(crate) ty: Type,
}

/// What a name is.
pub(crate) enum Found {
    /// A field.
    Field(Field),
    /// It is optional and not mapped: null in every event.
    Null,
}

impl Lowering<'_> {
    /// What the name of a field is.
    pub(crate) fn field(&mut self, field: &ast::Field) -> Result<Found, Wrong> {
        let ast::Field { path, optional, span } = field;
        let known = |ty| Field { path: path.clone(), text_path: path.clone(), ty };
        if matches!(path.as_str(), "_id" | "_index") {
            return Ok(Found::Field(known(Type::Text)));
        }
        let found = match self.catalog.resolve(path) {
            Resolved::Field(mapping) => self.mapped(path, mapping),
            Resolved::FlattenedKey { .. } => Ok(known(Type::Text)),
            Resolved::Object => Err(CheckErrorKind::Object { field: path.clone(), ty: "object" }),
            Resolved::Unmapped => match self.catalog.dynamic() {
                _ if self.catalog.nested_of(path).is_some() => {
                    Err(CheckErrorKind::Nested { field: path.clone() })
                }
                Dynamic::Off if *optional => return Ok(Found::Null),
                Dynamic::Off => Err(CheckErrorKind::UnknownField { field: path.clone() }),
                Dynamic::Keywords => Ok(known(Type::Any)),
                Dynamic::Text if path.ends_with(".keyword") => Ok(known(Type::Text)),
                // Its texts are whole in the field below it.
                Dynamic::Text => Ok(Field { text_path: format!("{path}.keyword"), ..known(Type::Any) }),
            },
        };
        found.map(Found::Field).map_err(|error| self.fail(error, *span))
    }

    fn mapped(&self, path: &str, mapping: &Mapping) -> Result<Field, CheckErrorKind> {
        let field = || path.to_owned();
        if mapping.nested.is_some() || mapping.ty == FieldType::Nested {
            return Err(CheckErrorKind::Nested { field: field() });
        }
        if matches!(mapping.ty, FieldType::Text | FieldType::MatchOnlyText) {
            let is_whole = |ty| matches!(ty, FieldType::Keyword | FieldType::Wildcard);
            let mut below = self.catalog.under(path);
            let whole = below.find(|(_, it)| is_whole(it.ty) && it.sources.iter().any(|it| it == path));
            let Some((whole, _)) = whole else { return Err(CheckErrorKind::TextField { field: field() }) };
            return Ok(Field { path: field(), text_path: whole.to_owned(), ty: Type::Text });
        }
        if matches!(mapping.ty, FieldType::Object | FieldType::GeoPoint) {
            return Err(CheckErrorKind::Object { field: field(), ty: mapping.ty.name() });
        }
        let ty = match Operand::named(path, self.catalog) {
            Named::Operand(operand) => operand.reading.ty(),
            Named::Constant(datum) => datum.ty(),
            Named::Nothing => Type::Null,
        };
        Ok(Field { path: field(), text_path: field(), ty })
    }
}
