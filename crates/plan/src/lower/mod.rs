//! Queries and field types in, expressions out.
//!
//! Every question about a field is cut into [`Atom`]s, each one test; `values` says what an atom means for each
//! field type. What stands in this file is what does not depend on the type: boolean structure, nesting,
//! which paths of a document a field reads.

mod dates;
mod error;
mod leaf;
mod numbers;
mod pieces;
mod place;
mod texts;
mod values;
mod void;

use ecs::{Catalog, Dynamic, FieldType, Mapping, Millis, Resolved, Shape};
use span::Span;

pub use error::{LowerError, LowerErrorKind};
use pieces::{Piece, words_of};
pub(crate) use place::paths_of;
use place::{Place, relative};
pub use values::addresses;
pub use void::is_left_out;

use crate::condition::{Dates, Part};
use crate::regexp::Regexp;
use crate::{
    Bool, Condition, Expr, Glob, Leaf, LeafKind, Literal, Operator, Predicate, Query, RangeBounds,
    StringTest, Test, TextTest, Wildcard,
};

/// How deep queries may nest.
const MAX_DEPTH: usize = 200;
/// How many clauses `minimum_should_match` may be expanded to.
const MAX_COMBINATIONS: usize = 1_000;
/// What Elasticsearch gives keywords that it maps by itself.
pub(crate) const DYNAMIC_IGNORE_ABOVE: u32 = 256;
/// What the templates of Elastic's data streams give them.
pub(crate) const ECS_IGNORE_ABOVE: u32 = 1024;

/// Checks the query against the fields and makes a condition of it. Finds all errors.
pub fn condition(query: &Query, catalog: &Catalog) -> Result<Condition, Vec<LowerError>> {
    let mut lowering = Lowering { catalog, errors: Vec::new(), depth: 0, is_lenient: false };
    let part = lowering.query(query, None);
    if lowering.errors.is_empty() { Ok(Condition::new(part)) } else { Err(lowering.errors) }
}

/// As [`condition`], at one instant: what a query means that is asked once.
pub fn lower(query: &Query, catalog: &Catalog, now: Millis) -> Result<Expr, Vec<LowerError>> {
    condition(query, catalog).map(|it| it.into_expr(now))
}

/// One question about one value.
enum Atom<'a> {
    /// There is a value.
    Exists,
    /// The whole value as it stands, on text a token.
    Term { value: &'a Literal, fold: bool },
    /// One of several such values.
    OneTerm(&'a Literal),
    /// The value, on text any of its tokens.
    Match(&'a Literal),
    /// The value, on text its tokens in order.
    Phrase { value: &'a Literal, slop: u32 },
    /// On text: a token. `analyzed`: the pattern of a `query_string`, lower-cased for text.
    Wildcard { pattern: Wildcard, analyzed: bool },
    /// The beginning.
    Prefix { value: &'a str, fold: bool },
    /// A regular expression.
    Regexp { value: &'a str, flags: Option<&'a str>, fold: bool },
    /// The whole value, on text a token, but for some edits.
    Fuzzy { value: &'a str, edits: u8 },
    /// Within bounds.
    Range(&'a RangeBounds),
}

/// What an atom is for a field: a test, or nothing can satisfy it.
type Asked = Result<Option<Test>, LowerErrorKind>;

/// What an atom asks of a value.
enum Question {
    Test(Test),
    /// Of a date; it reads the clock.
    Dates(Dates),
}

struct Lowering<'a> {
    catalog: &'a Catalog,
    errors: Vec<LowerError>,
    depth: usize,
    /// What a field cannot answer matches nothing.
    is_lenient: bool,
}

impl Lowering<'_> {
    fn query(&mut self, query: &Query, nested: Option<&str>) -> Part {
        if self.depth >= MAX_DEPTH {
            return self.fail("", None, LowerErrorKind::TooDeep { limit: MAX_DEPTH }, None);
        }
        self.depth += 1;
        let expr = match query {
            Query::MatchAll => Part::constant(true),
            Query::MatchNone => Part::constant(false),
            Query::Bool(it) => self.bool(it, nested),
            Query::Nested { path, query, span } => self.nested(path, query, *span, nested),
            Query::Lenient(query) => {
                let outer = std::mem::replace(&mut self.is_lenient, true);
                let expr = void::without(query, self.catalog)
                    .map_or(Part::constant(false), |query| self.query(&query, nested));
                self.is_lenient = outer;
                expr
            }
            Query::Leaf(leaf) => self.leaf(leaf, nested),
        };
        self.depth -= 1;
        expr
    }

    fn bool(&mut self, query: &Bool, nested: Option<&str>) -> Part {
        let Bool { must, filter, should, must_not, minimum_should_match } = query;
        let mut all: Vec<Part> = must.iter().chain(filter).map(|it| self.query(it, nested)).collect();
        all.extend(must_not.iter().map(|it| Part::not(self.query(it, nested))));
        let any: Vec<Part> = should.iter().map(|it| self.query(it, nested)).collect();
        if all.is_empty() && any.is_empty() {
            return Part::constant(true);
        }
        let given = minimum_should_match.map_or(0, |it| {
            let least = if it < 0 { it.saturating_add(any.len() as i64) } else { it };
            usize::try_from(least).unwrap_or(0)
        });
        let pure = must.is_empty() && filter.is_empty();
        let least = match (pure, any.is_empty()) {
            // Only negations: Elasticsearch does not look at `minimum_should_match` then.
            (true, true) => 0,
            (true, false) => given.max(1),
            (false, _) => given,
        };
        let clauses = any.len();
        match at_least(least, any) {
            Some(expr) => all.push(expr),
            None => {
                return self.fail("", None, LowerErrorKind::TooManyCombinations { least, clauses }, None);
            }
        }
        Part::and(all)
    }

    fn nested(&mut self, path: &str, query: &Query, span: Option<Span>, outer: Option<&str>) -> Part {
        match self.catalog.get(path) {
            Some(mapping) if mapping.ty == FieldType::Nested => {
                let inner = self.query(query, Some(path));
                self.in_objects(path, inner, outer)
            }
            found => self.fail(path, found.map(|it| it.ty), LowerErrorKind::NotNested, span),
        }
    }

    /// Some object of `path` satisfies `inner`, asked from the objects of `outer`.
    fn in_objects(&self, path: &str, inner: Part, outer: Option<&str>) -> Part {
        let mut path = path;
        let mut expr = inner;
        while Some(path) != outer {
            let parent = self.catalog.get(path).and_then(|it| it.nested.as_deref());
            expr = Part::in_objects(relative(path, parent), expr);
            match parent {
                Some(parent) => path = parent,
                None if outer.is_none() => break,
                // Objects of another nested field: there are none here.
                None => return Part::constant(false),
            }
        }
        expr
    }

    fn leaf(&mut self, leaf: &Leaf, nested: Option<&str>) -> Part {
        if let LeafKind::Ids(ids) = &leaf.kind {
            return keyword_of_document("_id", Test::terms(ids.clone()));
        }
        if leaf.kind.has_null() {
            let field = leaf.field.as_deref().unwrap_or_default();
            return self.fail(field, None, LowerErrorKind::Null, leaf.span);
        }
        // Where errors are passed over, an expression that is right and cannot be run here is none of them.
        if let LeafKind::Regexp { value, flags, case_insensitive } = &leaf.kind
            && let Err(error) = Regexp::new(value, flags.as_deref(), *case_insensitive)
            && error.is_own_limit()
        {
            let (field, value) = (leaf.field.as_deref().unwrap_or_default(), value.clone());
            return self.fail(field, None, LowerErrorKind::BadRegexp { value, error }, leaf.span);
        }
        let lowered = match leaf.field.as_deref() {
            None => Ok(self.any_field(&leaf.kind, nested)),
            Some(name) => self.field(name, &leaf.kind, nested),
        };
        match lowered {
            Ok(expr) => expr,
            Err(_) if self.is_lenient || leaf.kind.is_lenient() => Part::constant(false),
            Err((ty, kind)) => {
                let field = leaf.field.as_deref().unwrap_or_default();
                self.fail(field, ty, kind, leaf.span)
            }
        }
    }

    /// Some field satisfies it; fields that cannot are passed over.
    fn any_field(&self, kind: &LeafKind, nested: Option<&str>) -> Part {
        if matches!(kind, LeafKind::Exists) || kind.is_lone_star() {
            return Part::constant(true);
        }
        let fields = self.catalog.iter().filter(|(_, mapping)| {
            mapping.searchable
                && mapping.nested.as_deref() == nested
                && !matches!(mapping.ty, FieldType::Object | FieldType::Nested | FieldType::GeoPoint)
        });
        let places = fields.map(|(name, mapping)| Place { name, mapping, key: None, nested });
        // Each word of a pattern is asked by itself: a field may hold one and not another.
        let kinds = match kind {
            LeafKind::Pattern { pieces, lenient } => words_of(pieces)
                .map(|pieces| LeafKind::Pattern { pieces: pieces.to_vec(), lenient: *lenient })
                .collect(),
            _ => vec![kind.clone()],
        };
        let ask = |place: Place<'_>| {
            kinds.iter().filter_map(|kind| Self::atoms(kind, &place).ok()).collect::<Vec<_>>()
        };
        Part::or(places.flat_map(ask).collect())
    }

    fn field(
        &self,
        name: &str,
        kind: &LeafKind,
        nested: Option<&str>,
    ) -> Result<Part, (Option<FieldType>, LowerErrorKind)> {
        if matches!(name, "_id" | "_index") {
            let mapping = Mapping::of(FieldType::Keyword);
            let place = Place { name, mapping: &mapping, key: None, nested: None };
            if name == "_id" && !kind.is_equality() {
                return Err((None, LowerErrorKind::OnlyEquality));
            }
            return Self::atoms(kind, &place).map_err(|it| (Some(FieldType::Keyword), it));
        }
        let (mapping, key) = match self.catalog.resolve(name) {
            Resolved::Field(mapping) if !matches!(mapping.ty, FieldType::Object | FieldType::Nested) => {
                (mapping, None)
            }
            Resolved::FlattenedKey { key, mapping, .. } => (mapping, Some(key)),
            Resolved::Field(_) | Resolved::Object => {
                return Ok(match kind {
                    LeafKind::Exists => self.object_exists(name, nested),
                    _ => Part::constant(false),
                });
            }
            Resolved::Unmapped if name.contains('*') && (self.is_lenient || kind.expands_names()) => {
                return self.fields_like(name, kind, nested);
            }
            Resolved::Unmapped => return Ok(self.unmapped(name, kind, nested)),
        };
        let error = |it| (Some(mapping.ty), it);
        if !mapping.searchable {
            return match kind {
                LeafKind::Exists => Ok(Part::constant(false)),
                _ => Err(error(LowerErrorKind::NotSearchable)),
            };
        }
        let expr = Self::atoms(kind, &Place { name, mapping, key, nested }).map_err(error)?;
        // The values may stand in other objects than those that are asked; the question must be right even so.
        Ok(if mapping.nested.as_deref() == nested { expr } else { Part::constant(false) })
    }

    /// Some field whose name matches the pattern satisfies it. Unlike a question to all fields, it fails if one
    /// of them cannot be asked.
    fn fields_like(
        &self,
        pattern: &str,
        kind: &LeafKind,
        nested: Option<&str>,
    ) -> Result<Part, (Option<FieldType>, LowerErrorKind)> {
        let pattern = Wildcard::new(
            pattern.split('*').flat_map(|text| [Glob::Any, Glob::Text(text.to_owned())]).skip(1),
            false,
        );
        let fields = self.catalog.iter().filter(|(name, mapping)| {
            let is_asked = match mapping.ty {
                FieldType::Object | FieldType::Nested => false,
                FieldType::GeoPoint => matches!(kind, LeafKind::Exists),
                _ => mapping.searchable,
            };
            is_asked && pattern.matches(name)
        });
        let asked = fields.map(|(name, _)| self.field(name, kind, nested));
        if self.is_lenient {
            return Ok(Part::or(asked.flatten().collect()));
        }
        asked.collect::<Result<_, _>>().map(Part::or)
    }

    /// Any field below the object exists; what lies in nested objects does not count.
    fn object_exists(&self, name: &str, nested: Option<&str>) -> Part {
        let below = self.catalog.under(name).filter(|(_, mapping)| {
            mapping.searchable
                && mapping.nested.as_deref() == nested
                && !matches!(mapping.ty, FieldType::Object | FieldType::Nested)
        });
        let exist = below.filter_map(|(name, mapping)| {
            Self::atoms(&LeafKind::Exists, &Place { name, mapping, key: None, nested }).ok()
        });
        Part::or(exist.collect())
    }

    /// A field that only documents know: the kind of each value decides.
    fn unmapped(&self, name: &str, kind: &LeafKind, nested: Option<&str>) -> Part {
        let dynamic = self.catalog.dynamic();
        if dynamic == Dynamic::Off || self.catalog.nested_of(name) != nested {
            return Part::constant(false);
        }
        let string = match dynamic {
            Dynamic::Text => Mapping::of(FieldType::Text),
            Dynamic::Off | Dynamic::Keywords => {
                Mapping { ignore_above: Some(ECS_IGNORE_ABOVE), ..Mapping::of(FieldType::Keyword) }
            }
        };
        let types = Types {
            string: &string,
            integer: &Mapping::of(FieldType::Long),
            float: &Mapping::of(FieldType::Double),
            boolean: &Mapping::of(FieldType::Boolean),
        };
        let path = relative(name, nested);
        let mut expr = Self::split(kind, &string, &mut |atom| Ok(Self::dynamic(&types, atom, &path)));
        if let (Dynamic::Text, Some(parent)) = (dynamic, name.strip_suffix(".keyword")) {
            let mapping = Mapping {
                ignore_above: Some(DYNAMIC_IGNORE_ABOVE),
                sources: vec![parent.to_owned()],
                ..Mapping::of(FieldType::Keyword)
            };
            let keyword = Self::atoms(kind, &Place { name, mapping: &mapping, key: None, nested });
            expr = expr.map(|it| Part::or(vec![it, keyword.unwrap_or(Part::constant(false))]));
        }
        if matches!(kind, LeafKind::Exists) {
            // It may also be an object.
            let test = Test::FlattenedRoot { field: crate::KeywordField::default(), test: StringTest::Any };
            let below = Part::Always(Expr::Is(Predicate { path, shape: Shape::FlattenedRoot, test }));
            expr = expr.map(|it| Part::or(vec![it, below]));
        }
        // What a kind of value cannot be compared with is not satisfied by it.
        expr.unwrap_or(Part::constant(false))
    }

    fn dynamic(types: &Types<'_>, atom: &Atom<'_>, path: &str) -> Part {
        let ask = |mapping| match values::ask(atom, mapping, None) {
            Ok(Some(Question::Test(test))) => Some(Box::new(test)),
            // None of these types is one of dates.
            Ok(Some(Question::Dates(_)) | None) | Err(_) => None,
        };
        let test = Test::Dynamic {
            string: ask(types.string),
            integer: ask(types.integer),
            float: ask(types.float),
            boolean: ask(types.boolean),
        };
        Part::Always(Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test }))
    }

    /// The question for a field of known type.
    fn atoms(kind: &LeafKind, place: &Place<'_>) -> Result<Part, LowerErrorKind> {
        let mapping = place.mapping;
        if let (LeafKind::WordRange(bounds), Some(_)) = (kind, place.key)
            && bounds.is_open()
        {
            return Ok(Part::constant(false));
        }
        Self::split(kind, mapping, &mut |atom| {
            if mapping.ty == FieldType::GeoPoint {
                return match atom {
                    Atom::Exists => Ok(Part::Always(place.geo_point_exists())),
                    // `query_string` knows no beginnings here, and does not mind.
                    Atom::Wildcard { .. } if kind.has_only_beginnings() => Ok(Part::constant(false)),
                    _ => Err(LowerErrorKind::OnlyExists),
                };
            }
            let test = match values::ask(atom, mapping, place.key)? {
                Some(Question::Dates(dates)) => return Ok(place.dates(&dates)),
                Some(Question::Test(test)) => Some(test),
                None => None,
            };
            if let (FieldType::ConstantKeyword, Some(value)) = (mapping.ty, &mapping.value) {
                // Every document has the value, so the answer is known.
                let value = ecs::Scalar::Str(value);
                return Ok(Part::constant(test.is_some_and(|it| it.compile().matches(value))));
            }
            Ok(test.map_or(Part::constant(false), |test| Part::Always(place.is(&test))))
        })
    }

    /// Cuts a question into atoms and combines their answers.
    fn split(
        kind: &LeafKind,
        mapping: &Mapping,
        ask: &mut dyn FnMut(&Atom<'_>) -> Result<Part, LowerErrorKind>,
    ) -> Result<Part, LowerErrorKind> {
        match kind {
            LeafKind::Exists => ask(&Atom::Exists),
            LeafKind::Term { value, case_insensitive } => ask(&Atom::Term { value, fold: *case_insensitive }),
            LeafKind::Terms(values) => {
                values.iter().map(|value| ask(&Atom::OneTerm(value))).collect::<Result<_, _>>().map(Part::or)
            }
            LeafKind::Match { query, operator: Operator::And, .. } if is_text(mapping.ty) => {
                let tokens = ecs::analyze::tokens(&query.text());
                if tokens.is_empty() {
                    return Ok(Part::constant(false));
                }
                tokens
                    .into_iter()
                    .map(|token| ask(&Atom::Match(&Literal::Text(token))))
                    .collect::<Result<_, _>>()
                    .map(Part::and)
            }
            LeafKind::Match { query, .. } => ask(&Atom::Match(query)),
            LeafKind::MatchPhrase { query, slop, .. } => ask(&Atom::Phrase { value: query, slop: *slop }),
            // Without bounds it asks for any word.
            LeafKind::WordRange(bounds) if bounds.is_open() && is_text(mapping.ty) => {
                ask(&Atom::Wildcard { pattern: Wildcard::new([Glob::Any], false), analyzed: true })
            }
            // A place has no values in an order.
            LeafKind::WordRange(_) if mapping.ty == FieldType::GeoPoint => Ok(Part::constant(false)),
            LeafKind::Range(bounds) | LeafKind::WordRange(bounds) if bounds.is_open() => ask(&Atom::Exists),
            LeafKind::WordRange(bounds) if is_text(mapping.ty) => ask(&Atom::Range(&bounds.lower_case())),
            LeafKind::Range(bounds) | LeafKind::WordRange(bounds) => ask(&Atom::Range(bounds)),
            LeafKind::Wildcard { value, case_insensitive } => {
                ask(&Atom::Wildcard { pattern: Wildcard::parse(value, *case_insensitive), analyzed: false })
            }
            LeafKind::Word(pattern) => match pattern.beginning() {
                Some(text) if is_text(mapping.ty) => pieces::beginning(text, ask),
                Some(_) | None => ask(&Atom::Wildcard { pattern: pattern.clone(), analyzed: true }),
            },
            LeafKind::Fuzzy { value, edits } => ask(&Atom::Fuzzy { value, edits: *edits }),
            LeafKind::Prefix { value, case_insensitive } => {
                ask(&Atom::Prefix { value, fold: *case_insensitive })
            }
            LeafKind::Regexp { value, flags, case_insensitive } => {
                ask(&Atom::Regexp { value, flags: flags.as_deref(), fold: *case_insensitive })
            }
            LeafKind::Pattern { pieces, .. } => {
                Piece::all(pieces).map(|it| ask(&it.atom())).collect::<Result<_, _>>().map(Part::or)
            }
            LeafKind::Ids(_) => Ok(Part::constant(false)),
        }
    }

    /// Notes an error; the expression goes on with something that is never used.
    fn fail(&mut self, field: &str, ty: Option<FieldType>, kind: LowerErrorKind, span: Option<Span>) -> Part {
        self.errors.push(LowerError { field: field.to_owned(), ty, kind, span });
        Part::constant(false)
    }
}

/// The types that the kinds of values get by themselves.
struct Types<'a> {
    string: &'a Mapping,
    integer: &'a Mapping,
    float: &'a Mapping,
    boolean: &'a Mapping,
}

fn is_text(ty: FieldType) -> bool {
    matches!(ty, FieldType::Text | FieldType::MatchOnlyText)
}

fn keyword_of_document(path: &str, test: Test) -> Part {
    Part::Always(Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test }))
}

/// At least `least` of `any`, spelled out; nothing if that takes too many clauses.
fn at_least(least: usize, mut any: Vec<Part>) -> Option<Part> {
    if least == 0 {
        return Some(Part::constant(true));
    }
    if least > any.len() {
        return Some(Part::constant(false));
    }
    if least == 1 {
        return Some(Part::or(any));
    }
    if least == any.len() {
        return Some(Part::and(any));
    }
    let combinations =
        (0..least).try_fold(1_usize, |all, it| all.checked_mul(any.len() - it).map(|all| all / (it + 1)));
    if combinations.is_none_or(|it| it > MAX_COMBINATIONS) {
        return None;
    }
    // Either the last one and one fewer of the others, or as many of the others.
    let last = any.pop()?;
    let with = Part::and(vec![last, at_least(least - 1, any.clone())?]);
    Some(Part::or(vec![with, at_least(least, any)?]))
}

/// The canonical test for a pattern: what needs no pattern does not stay one.
fn wildcard_test(pattern: &Wildcard) -> StringTest {
    let has_letters = |text: &str| text.bytes().any(|it| it.is_ascii_alphabetic());
    let folds = pattern.fold()
        && pattern.parts().iter().any(|it| matches!(it, Glob::Text(text) if has_letters(text)));
    match pattern.parts() {
        [] => StringTest::Equals(vec![String::new()]),
        [Glob::Any] => StringTest::Any,
        [Glob::Text(text)] if !folds => StringTest::Equals(vec![text.clone()]),
        [Glob::Text(text), Glob::Any] if !folds => StringTest::Prefix(text.clone()),
        parts => StringTest::Wildcard(Wildcard::new(parts.to_vec(), folds)),
    }
}

/// Any of these tokens.
fn tokens_test(mut tokens: Vec<String>) -> Option<Test> {
    tokens.sort_unstable();
    tokens.dedup();
    if tokens.is_empty() { None } else { Some(Test::Text(TextTest::Token(StringTest::Equals(tokens)))) }
}
