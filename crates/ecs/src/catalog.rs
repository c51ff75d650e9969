//! Which field has which type.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

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
    /// Longer values of a keyword (in characters) are not searchable and do not exist for a query.
    pub ignore_above: Option<u32>,
    /// The innermost `nested` field it lies in.
    pub nested: Option<String>,
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
    fields: BTreeMap<String, Mapping>,
}

static ECS: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let mut fields = BTreeMap::new();
    for line in include_str!("fields.tsv").lines().filter(|line| !line.starts_with('#')) {
        let (path, ty) = line.split_once('\t').expect("every line of fields.tsv has two columns");
        let ty = FieldType::from_name(ty).expect("fields.tsv names known types only");
        fields.insert(path.to_owned(), Mapping { ty, ignore_above: None, nested: None });
    }
    Arc::new(Catalog { fields })
});

impl Catalog {
    /// The fields of ECS and of Elastic's AWS integration.
    pub fn ecs() -> Arc<Self> {
        Arc::clone(&ECS)
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
            if let Some(mapping) = self.fields.get(root).filter(|mapping| mapping.ty == FieldType::Flattened) {
                return Resolved::FlattenedKey { root, key: &path[at + 1..], mapping };
            }
        }
        if self.under(path).next().is_some() { Resolved::Object } else { Resolved::Unmapped }
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
