//! Where in a document the values of a field stand.

use ecs::{Mapping, Shape};

use crate::condition::{Dates, Part};
use crate::{Expr, Predicate, Test};

/// Where a field's values are.
pub(super) struct Place<'a> {
    /// The field as named.
    pub(super) name: &'a str,
    pub(super) mapping: &'a Mapping,
    /// Of a flattened field: the key below it, if one is named.
    pub(super) key: Option<&'a str>,
    /// The nested field whose objects are asked.
    pub(super) nested: Option<&'a str>,
}

impl Place<'_> {
    fn paths(&self) -> Vec<String> {
        paths_of(self.name, self.mapping, self.key, self.nested)
    }

    pub(super) fn is(&self, test: &Test) -> Expr {
        let shape = match test {
            Test::FlattenedRoot { .. } => Shape::FlattenedRoot,
            _ => Shape::Leaf,
        };
        let is = |path| Expr::Is(Predicate { path, shape, test: test.clone() });
        Expr::Or(self.paths().into_iter().map(is).collect())
    }

    /// The question of dates, which reads the clock.
    pub(super) fn dates(&self, dates: &Dates) -> Part {
        Part::or(self.paths().into_iter().map(|path| Part::Dates { path, dates: dates.clone() }).collect())
    }

    /// A place is written as text, as a list of numbers, as an object of two numbers, or as `GeoJSON`.
    pub(super) fn geo_point_exists(&self) -> Expr {
        let is = |path: String, test| Expr::Is(Predicate { path, shape: Shape::Leaf, test });
        let one = |path: String| {
            let pair = ["lat", "lon"].map(|part| is(format!("{path}.{part}"), Test::Place)).to_vec();
            let list = is(format!("{path}.coordinates"), Test::Place);
            Expr::Or(vec![is(path, Test::Place), Expr::And(pair), list])
        };
        Expr::Or(self.paths().into_iter().map(one).collect())
    }
}

/// The paths of a document that a field reads, relative to the objects of `nested` if these are asked. `key`: of a
/// flattened field, the key below it.
pub(crate) fn paths_of(
    name: &str,
    mapping: &Mapping,
    key: Option<&str>,
    nested: Option<&str>,
) -> Vec<String> {
    let sources = match (mapping.sources.as_slice(), key) {
        ([], _) => vec![name.to_owned()],
        (sources, None) => sources.to_vec(),
        (sources, Some(key)) => sources.iter().map(|source| format!("{source}.{key}")).collect(),
    };
    sources.iter().map(|source| relative(source, nested)).collect()
}

/// The path within the objects of a nested field.
pub(super) fn relative(path: &str, nested: Option<&str>) -> String {
    let inner = nested.and_then(|nested| path.strip_prefix(nested)?.strip_prefix('.'));
    inner.unwrap_or(path).to_owned()
}
