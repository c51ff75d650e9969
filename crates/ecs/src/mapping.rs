//! Elasticsearch mappings: JSON in, a catalogue out.

use serde_json::Value;

use crate::date::{DateError, Format};
use crate::{Catalog, Dynamic, FieldType, Mapping, Object};

/// Why a mapping was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// It is not of the shape of a mapping.
    #[error("{at}: expected {expected}")]
    Shape {
        /// The field, or the part of the mapping.
        at: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A field type that is not supported.
    #[error("field `{field}`: the type `{ty}` is not supported")]
    Type {
        /// The field.
        field: String,
        /// The type.
        ty: String,
    },
    /// A parameter that would change what queries match, and is not supported.
    #[error("field `{field}`: `{parameter}: {value}` is not supported{help}")]
    Parameter {
        /// The field.
        field: String,
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// What is supported, with its punctuation; may be empty.
        help: &'static str,
    },
    /// A date format that is not supported.
    #[error("field `{field}`: {error}")]
    Format {
        /// The field.
        field: String,
        /// What is wrong with it.
        error: DateError,
    },
    /// A parameter that the type needs.
    #[error("field `{field}`: `{parameter}` is missing")]
    Missing {
        /// The field.
        field: String,
        /// The parameter.
        parameter: &'static str,
    },
    /// `path` or `copy_to` names a field that is not mapped.
    #[error("field `{field}` refers to `{target}`, which is not mapped")]
    Target {
        /// The field.
        field: String,
        /// What it refers to.
        target: String,
    },
    /// A hostile mapping must not exhaust the stack.
    #[error("field `{field}`: mapping nests deeper than {limit} levels")]
    TooDeep {
        /// The field.
        field: String,
        /// The limit.
        limit: usize,
    },
}

/// How deep objects and multi-fields of a mapping may nest.
const MAX_DEPTH: usize = 100;

/// Types that behave as another one for every query.
const SAME_AS: [(&str, FieldType); 2] =
    [("search_as_you_type", FieldType::Text), ("counted_keyword", FieldType::Keyword)];

impl Catalog {
    /// Reads a mapping: `{"properties": …}`, perhaps within `{"mappings": …}` or `{"index": {"mappings": …}}`.
    ///
    /// A field that is not mapped is not searchable, unless the mapping says `"dynamic": true`.
    pub fn from_mapping(mapping: &Value) -> Result<Self, Vec<MappingError>> {
        let mut reader = Reader::default();
        let root = unwrap(mapping);
        match root.and_then(|it| it.get("properties")) {
            Some(Value::Object(fields)) => reader.properties("", fields, 0),
            _ => reader.errors.push(MappingError::Shape {
                at: "mapping".to_owned(),
                expected: "an object with `properties`",
            }),
        }
        let dynamic = root.and_then(|it| it.get("dynamic")).map(text);
        if dynamic.as_deref() == Some("true") {
            reader.catalog.dynamic = Dynamic::Text;
        }
        reader.finish()
    }

    /// Reads `{"path": "type"}`; instead of the type there may be an object with its parameters.
    pub fn from_types(types: &Object) -> Result<Self, Vec<MappingError>> {
        let mut reader = Reader::default();
        for (path, ty) in types {
            match ty {
                Value::String(name) => {
                    let parameters = Object::from_iter([("type".to_owned(), Value::from(name.as_str()))]);
                    reader.field(path, &parameters, 0);
                }
                Value::Object(parameters) => reader.field(path, parameters, 0),
                _ => reader.errors.push(MappingError::Shape {
                    at: format!("field `{path}`"),
                    expected: "a type, or an object with its parameters",
                }),
            }
        }
        reader.finish()
    }
}

/// The part of it that has `properties`.
fn unwrap(mapping: &Value) -> Option<&Value> {
    if mapping.get("properties").is_some() {
        return Some(mapping);
    }
    if let Some(inner) = mapping.get("mappings") {
        return Some(inner);
    }
    let mut indices = mapping.as_object()?.values();
    match (indices.next(), indices.next()) {
        (Some(index), None) => index.get("mappings"),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_false(parameters: &Object, name: &str) -> bool {
    parameters.get(name).is_some_and(|it| text(it) == "false")
}

#[derive(Default)]
struct Reader {
    catalog: Catalog,
    aliases: Vec<(String, String)>,
    copies: Vec<(String, String)>,
    errors: Vec<MappingError>,
}

impl Reader {
    fn finish(mut self) -> Result<Catalog, Vec<MappingError>> {
        self.catalog.link();
        let fields = &mut self.catalog.fields;
        for (from, to) in self.copies {
            match fields.get_mut(&to) {
                Some(mapping) => {
                    if mapping.sources.is_empty() {
                        mapping.sources.push(to);
                    }
                    mapping.sources.push(from);
                }
                None => self.errors.push(MappingError::Target { field: from, target: to }),
            }
        }
        for (alias, target) in self.aliases {
            match fields.get(&target) {
                Some(mapping) => {
                    let mut mapping = mapping.clone();
                    if mapping.sources.is_empty() {
                        mapping.sources.push(target);
                    }
                    fields.insert(alias, mapping);
                }
                None => self.errors.push(MappingError::Target { field: alias, target }),
            }
        }
        if self.errors.is_empty() { Ok(self.catalog) } else { Err(self.errors) }
    }

    fn properties(&mut self, prefix: &str, fields: &Object, depth: usize) {
        for (name, parameters) in fields {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match parameters {
                Value::Object(parameters) => self.field(&path, parameters, depth + 1),
                _ => self.errors.push(MappingError::Shape {
                    at: format!("field `{path}`"),
                    expected: "an object with `type` or `properties`",
                }),
            }
        }
    }

    fn field(&mut self, path: &str, parameters: &Object, depth: usize) {
        if depth > MAX_DEPTH {
            self.errors.push(MappingError::TooDeep { field: path.to_owned(), limit: MAX_DEPTH });
            return;
        }
        let name = parameters.get("type").map_or_else(|| "object".to_owned(), text);
        if name == "alias" {
            match parameters.get("path") {
                Some(target) => self.aliases.push((path.to_owned(), text(target))),
                None => self.errors.push(MappingError::Missing { field: path.to_owned(), parameter: "path" }),
            }
            return;
        }
        let known = SAME_AS.iter().find(|(alias, _)| *alias == name).map(|&(_, ty)| ty);
        let Some(ty) = known.or_else(|| FieldType::from_name(&name)) else {
            self.errors.push(MappingError::Type { field: path.to_owned(), ty: name });
            return;
        };
        if matches!(ty, FieldType::Object | FieldType::Nested) && is_false(parameters, "enabled") {
            // Elasticsearch does not even parse it: nothing below is a field.
            return;
        }
        let mapping = self.leaf(path, ty, parameters);
        self.catalog.fields.insert(path.to_owned(), mapping);
        for inner in ["properties", "fields"] {
            match parameters.get(inner) {
                Some(Value::Object(fields)) => self.properties(path, fields, depth),
                None => {}
                Some(_) => self.errors.push(MappingError::Shape {
                    at: format!("`{inner}` of `{path}`"),
                    expected: "an object",
                }),
            }
        }
        match parameters.get("copy_to") {
            Some(Value::Array(targets)) => {
                self.copies.extend(targets.iter().map(|target| (path.to_owned(), text(target))));
            }
            Some(target) => self.copies.push((path.to_owned(), text(target))),
            None => {}
        }
    }

    fn leaf(&mut self, path: &str, ty: FieldType, parameters: &Object) -> Mapping {
        let mut mapping = Mapping::of(ty);
        let field = || path.to_owned();
        mapping.searchable = !(is_false(parameters, "index")
            && (matches!(ty, FieldType::Text | FieldType::MatchOnlyText)
                || is_false(parameters, "doc_values")));
        for (name, value) in parameters {
            match (name.as_str(), ty) {
                ("ignore_above", _) => match text(value).parse() {
                    Ok(limit) => mapping.ignore_above = Some(limit),
                    Err(_) => self.errors.push(MappingError::Shape {
                        at: format!("`ignore_above` of `{path}`"),
                        expected: "a number",
                    }),
                },
                ("normalizer", _) if text(value) == "lowercase" => mapping.lowercase = true,
                ("normalizer", _) => self.errors.push(MappingError::Parameter {
                    field: field(),
                    parameter: "normalizer",
                    value: text(value),
                    help: "; only `lowercase` is",
                }),
                ("analyzer" | "search_analyzer", _) if text(value) != "standard" => {
                    self.errors.push(MappingError::Parameter {
                        field: field(),
                        parameter: "analyzer",
                        value: text(value),
                        help: "; only `standard` is",
                    });
                }
                ("null_value", _) if !value.is_null() => self.errors.push(MappingError::Parameter {
                    field: field(),
                    parameter: "null_value",
                    value: text(value),
                    help: ": a null is no value here",
                }),
                ("include_in_parent" | "include_in_root", FieldType::Nested) if text(value) == "true" => {
                    self.errors.push(MappingError::Parameter {
                        field: field(),
                        parameter: "include_in_parent",
                        value: text(value),
                        help: ": what is nested is seen by `nested` queries only",
                    });
                }
                ("format", FieldType::Date | FieldType::DateNanos) => match Format::new(&text(value)) {
                    Ok(format) => mapping.format = format,
                    Err(error) => self.errors.push(MappingError::Format { field: field(), error }),
                },
                ("scaling_factor", _) => mapping.scaling_factor = text(value).parse().ok(),
                ("value", FieldType::ConstantKeyword) => mapping.value = Some(text(value)),
                _ => {}
            }
        }
        if ty == FieldType::ScaledFloat
            && !mapping.scaling_factor.is_some_and(|it| it.is_finite() && it > 0.0)
        {
            self.errors.push(MappingError::Missing { field: field(), parameter: "scaling_factor" });
        }
        mapping
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(mapping: &Value) -> Vec<String> {
        Catalog::from_mapping(mapping).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_what_queries_depend_on() {
        let mapping = json!({"trail": {"mappings": {"properties": {
            "who": {"properties": {
                "name": {"type": "keyword", "ignore_above": 64, "copy_to": "all", "fields": {
                    "text": {"type": "match_only_text"},
                    "lower": {"type": "keyword", "normalizer": "lowercase"},
                }},
            }},
            "all": {"type": "text"},
            "steps": {"type": "nested", "properties": {
                "at": {"type": "date", "format": "epoch_second"},
                "parts": {"type": "nested", "properties": {"n": {"type": "byte"}}},
            }},
            "user": {"type": "alias", "path": "who.name"},
            "raw": {"type": "object", "enabled": false, "properties": {"x": {"type": "keyword"}}},
            "blob": {"type": "keyword", "index": false, "doc_values": false},
            "set": {"type": "constant_keyword", "value": "trail"},
        }}}});
        let catalog = Catalog::from_mapping(&mapping).unwrap();
        let get = |path| catalog.get(path).unwrap();
        assert_eq!(get("who.name").ignore_above, Some(64));
        assert_eq!(get("who.name.text").sources, ["who.name"]);
        assert!(get("who.name.lower").lowercase);
        assert_eq!(get("all").sources, ["all", "who.name"]);
        assert_eq!(
            (get("user").sources.as_slice(), get("user").ignore_above),
            (&["who.name".to_owned()][..], Some(64))
        );
        assert_eq!(get("steps.at").format.name(), "epoch_second");
        assert_eq!(get("steps").nested, None);
        assert_eq!(get("steps.parts").nested.as_deref(), Some("steps"));
        assert_eq!(get("steps.parts.n").nested.as_deref(), Some("steps.parts"));
        assert_eq!(catalog.get("raw.x"), None);
        assert!(!get("blob").searchable);
        assert_eq!(get("set").value.as_deref(), Some("trail"));
        assert_eq!(catalog.dynamic(), Dynamic::Off);
    }

    #[test]
    fn says_what_it_does_not_support() {
        assert_eq!(errors(&json!({"a": 1, "b": 2})), ["mapping: expected an object with `properties`"]);
        let mapping = json!({"properties": {
            "a": {"type": "join"},
            "b": {"type": "keyword", "normalizer": "mine"},
            "c": {"type": "text", "analyzer": "english"},
            "d": {"type": "date", "format": "week_date"},
            "e": {"type": "alias", "path": "nowhere"},
            "f": {"type": "scaled_float"},
            "g": 7,
        }});
        assert_eq!(errors(&mapping).len(), 7, "{:#?}", errors(&mapping));
    }

    #[test]
    fn the_catalogue_of_ecs_is_linked() {
        let catalog = Catalog::ecs();
        assert_eq!(catalog.get("user.name").unwrap().ignore_above, Some(1024));
        assert_eq!(catalog.get("aws.cloudtrail.request_parameters").unwrap().ignore_above, Some(8191));
        assert_eq!(catalog.get("user.name.text").unwrap().sources, ["user.name"]);
        assert_eq!(
            catalog.get("threat.enrichments.indicator.ip").unwrap().nested.as_deref(),
            Some("threat.enrichments")
        );
        assert!(catalog.iter().all(|(_, it)| it.ty != FieldType::ScaledFloat || it.scaling_factor.is_some()));
    }
}
