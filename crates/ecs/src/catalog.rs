//! Which field has which type.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::date::Format;

/// Elasticsearch field types that matter to matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Elasticsearch's own")]
pub enum FieldType {
    Keyword,
    ConstantKeyword,
    Wildcard,
    Text,
    MatchOnlyText,
    Flattened,
    Ip,
    Date,
    DateNanos,
    Boolean,
    Long,
    Integer,
    Short,
    Byte,
    UnsignedLong,
    Double,
    Float,
    HalfFloat,
    ScaledFloat,
    Version,
    GeoPoint,
    Nested,
    Object,
}

impl FieldType {
    /// Every type with its name in a mapping.
    pub const ALL: [(&'static str, Self); 23] = [
        ("keyword", Self::Keyword),
        ("constant_keyword", Self::ConstantKeyword),
        ("wildcard", Self::Wildcard),
        ("text", Self::Text),
        ("match_only_text", Self::MatchOnlyText),
        ("flattened", Self::Flattened),
        ("ip", Self::Ip),
        ("date", Self::Date),
        ("date_nanos", Self::DateNanos),
        ("boolean", Self::Boolean),
        ("long", Self::Long),
        ("integer", Self::Integer),
        ("short", Self::Short),
        ("byte", Self::Byte),
        ("unsigned_long", Self::UnsignedLong),
        ("double", Self::Double),
        ("float", Self::Float),
        ("half_float", Self::HalfFloat),
        ("scaled_float", Self::ScaledFloat),
        ("version", Self::Version),
        ("geo_point", Self::GeoPoint),
        ("nested", Self::Nested),
        ("object", Self::Object),
    ];

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, ty)| ty)
    }

    /// Whether values stand directly in it, so that what is mapped below it are multi-fields.
    pub fn is_leaf(self) -> bool {
        !matches!(self, Self::Nested | Self::Object | Self::Flattened | Self::GeoPoint)
    }

    /// The name in a mapping.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, ty)| ty == self).map_or("", |&(name, _)| name)
    }
}

/// What is known of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Its type.
    pub ty: FieldType,
    /// Longer values of a keyword or flattened leaf are not searchable and do not exist for a query.
    pub ignore_above: Option<u32>,
    /// The innermost `nested` field it lies in.
    pub nested: Option<String>,
    /// The paths of a document whose values it indexes, if not (only) its own: of a multi-field that of its
    /// parent, of an alias that of its target, with `copy_to` several.
    pub sources: Vec<String>,
    /// A keyword's normalizer: both sides of a comparison are lower-cased.
    pub lowercase: bool,
    /// How dates are written.
    pub format: Format,
    /// Of a `scaled_float`.
    pub scaling_factor: Option<f64>,
    /// Of a `constant_keyword`: the value that every document has.
    pub value: Option<String>,
    /// Whether queries may ask for it (`index` or `doc_values`).
    pub searchable: bool,
}

impl Mapping {
    /// A field of that type with Elasticsearch's defaults.
    pub fn of(ty: FieldType) -> Self {
        Self {
            ty,
            ignore_above: None,
            nested: None,
            sources: Vec::new(),
            lowercase: false,
            format: if ty == FieldType::DateNanos { Format::nanos() } else { Format::default() },
            scaling_factor: None,
            value: None,
            searchable: true,
        }
    }
}

/// What becomes of a field that a document has and the mapping has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dynamic {
    /// It is not searchable: a query for it matches nothing.
    #[default]
    Off,
    /// Each value gets the type of its JSON: strings are keywords. So do Elastic's data streams (`ecs@mappings`).
    Keywords,
    /// As Elasticsearch does it on its own: strings are text, and keywords under `.keyword`.
    Text,
}

/// What a path means.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<'a> {
    /// A mapped field.
    Field(&'a Mapping),
    /// A key inside a `flattened` field.
    FlattenedKey {
        /// The path of the flattened field.
        root: &'a str,
        /// The rest of the path.
        key: &'a str,
        /// The flattened field.
        mapping: &'a Mapping,
    },
    /// The name of an object that has fields.
    Object,
    /// Not known.
    Unmapped,
}

/// All fields of an index, or of a set of indices.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub(crate) fields: BTreeMap<String, Mapping>,
    pub(crate) dynamic: Dynamic,
}

/// What Elastic's component templates give keywords.
const ECS_IGNORE_ABOVE: u32 = 1024;
/// What the AWS integration gives the two fields that hold whole request bodies as text.
const AWS_BODY_IGNORE_ABOVE: u32 = 8191;

static ECS: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let mut catalog = Catalog { fields: BTreeMap::new(), dynamic: Dynamic::Keywords };
    for line in include_str!("fields.tsv").lines().filter(|line| !line.starts_with('#')) {
        let (path, ty) = line.split_once('\t').expect("every line of fields.tsv has two columns");
        let ty = FieldType::from_name(ty).expect("fields.tsv names known types only");
        let ignore_above = match path {
            "aws.cloudtrail.request_parameters" | "aws.cloudtrail.response_elements" => AWS_BODY_IGNORE_ABOVE,
            _ => ECS_IGNORE_ABOVE,
        };
        let ignore_above = matches!(ty, FieldType::Keyword | FieldType::Flattened).then_some(ignore_above);
        let scaling_factor = (ty == FieldType::ScaledFloat).then_some(1000.0);
        catalog.fields.insert(path.to_owned(), Mapping { ignore_above, scaling_factor, ..Mapping::of(ty) });
    }
    catalog.link();
    Arc::new(catalog)
});

impl Catalog {
    /// The fields of ECS and of Elastic's AWS integration.
    pub fn ecs() -> Arc<Self> {
        Arc::clone(&ECS)
    }

    /// What becomes of fields that are not mapped.
    pub fn dynamic(&self) -> Dynamic {
        self.dynamic
    }

    /// Marks what lies in nested fields, and which fields index the values of the field they stand under.
    pub(crate) fn link(&mut self) {
        let kinds: BTreeMap<String, FieldType> =
            self.fields.iter().map(|(path, mapping)| (path.clone(), mapping.ty)).collect();
        for (path, mapping) in &mut self.fields {
            let parents = path.rmatch_indices('.').map(|(at, _)| &path[..at]);
            mapping.nested = parents
                .clone()
                .find(|parent| kinds.get(*parent) == Some(&FieldType::Nested))
                .map(str::to_owned);
            if mapping.sources.is_empty()
                && let Some(parent) = parents.clone().next()
                && kinds.get(parent).is_some_and(|ty| ty.is_leaf())
            {
                mapping.sources = vec![parent.to_owned()];
            }
        }
    }

    /// The field at exactly `path`.
    pub fn get(&self, path: &str) -> Option<&Mapping> {
        self.fields.get(path)
    }

    /// What `path` means.
    pub fn resolve<'a>(&'a self, path: &'a str) -> Resolved<'a> {
        if let Some(mapping) = self.fields.get(path) {
            return Resolved::Field(mapping);
        }
        for (at, _) in path.match_indices('.') {
            let root = &path[..at];
            if let Some(mapping) = self.fields.get(root).filter(|mapping| mapping.ty == FieldType::Flattened)
            {
                return Resolved::FlattenedKey { root, key: &path[at + 1..], mapping };
            }
        }
        if self.under(path).next().is_some() { Resolved::Object } else { Resolved::Unmapped }
    }

    /// The innermost nested field that the path lies in, mapped itself or not.
    pub fn nested_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.rmatch_indices('.')
            .map(|(at, _)| &path[..at])
            .find(|parent| self.fields.get(*parent).is_some_and(|it| it.ty == FieldType::Nested))
    }

    /// The fields below the object `path`, in order.
    pub fn under<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a str, &'a Mapping)> {
        let prefix = format!("{path}.");
        self.fields
            .range(prefix.clone()..)
            .take_while(move |(name, _)| name.starts_with(&prefix))
            .map(|(name, mapping)| (name.as_str(), mapping))
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Mapping)> {
        self.fields.iter().map(|(name, mapping)| (name.as_str(), mapping))
    }
}
