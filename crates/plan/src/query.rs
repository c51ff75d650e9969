//! Query DSL as a typed tree: what KQL, Lucene, filters and exceptions are translated to.

use span::Span;

use crate::Wildcard;

/// A query, before the field types are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Every document.
    MatchAll,
    /// No document.
    MatchNone,
    /// Clauses combined.
    Bool(Bool),
    /// Some object of a nested field satisfies the whole query.
    Nested {
        /// The nested field.
        path: String,
        /// What one of its objects must satisfy; field names are absolute.
        query: Box<Query>,
        /// Where it stands in the text.
        span: Option<Span>,
    },
    /// The query, in which a question that a field cannot answer matches nothing instead of failing, and an asterisk in
    /// the name of a field stands for any characters.
    Lenient(Box<Query>),
    /// A question about one field, or about all.
    Leaf(Leaf),
}

/// `bool`: with `must` or `filter` clauses, `should` is optional unless `minimum_should_match` says otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bool {
    /// All of these.
    pub must: Vec<Query>,
    /// All of these.
    pub filter: Vec<Query>,
    /// At least `minimum_should_match` of these.
    pub should: Vec<Query>,
    /// None of these.
    pub must_not: Vec<Query>,
    /// Unset: 1 if there is neither `must` nor `filter`, else 0.
    pub minimum_should_match: Option<i64>,
}

/// A question about one field, or about all.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// The field as named; `None` asks all fields (`multi_match`, `query_string`).
    pub field: Option<String>,
    /// The question.
    pub kind: LeafKind,
    /// Where the value stands in the text.
    pub span: Option<Span>,
}

/// A value as a query gives it; the field's type decides what it means.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A JSON number, as written.
    Number(String),
    /// Text.
    Text(String),
}

/// How the tokens of a `match` combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    /// Any token.
    #[default]
    Or,
    /// All tokens.
    And,
}

/// The bounds of a `range`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeBounds {
    /// Greater than.
    pub gt: Option<Literal>,
    /// Greater than or equal to.
    pub gte: Option<Literal>,
    /// Less than.
    pub lt: Option<Literal>,
    /// Less than or equal to.
    pub lte: Option<Literal>,
    /// Of dates without an offset.
    pub time_zone: Option<String>,
    /// Of dates.
    pub format: Option<String>,
}

/// The question of a [`Leaf`].
#[derive(Clone, Debug, PartialEq)]
pub enum LeafKind {
    /// The whole value, not analysed.
    Term {
        /// The value.
        value: Literal,
        /// Fold ASCII letters.
        case_insensitive: bool,
    },
    /// Any of these as `Term`.
    Terms(Vec<Literal>),
    /// The value, analysed on text fields.
    Match {
        /// The value.
        query: Literal,
        /// How its tokens combine.
        operator: Operator,
        /// A field that cannot hold the value does not match, instead of failing the query.
        lenient: bool,
    },
    /// The tokens next to each other.
    MatchPhrase {
        /// The value.
        query: Literal,
        /// How many moves are allowed.
        slop: u32,
        /// As for `Match`.
        lenient: bool,
    },
    /// The field has an indexed value.
    Exists,
    /// One value within the bounds.
    Range(RangeBounds),
    /// The same of a `query_string`: the bounds are lower-cased for text.
    WordRange(RangeBounds),
    /// `*`, `?` and `\`, the whole value.
    Wildcard {
        /// The pattern.
        value: String,
        /// Fold ASCII letters.
        case_insensitive: bool,
    },
    /// A word of a `query_string` with `*` or `?`: lower-cased for text.
    Word(Wildcard),
    /// The beginning of the value.
    Prefix {
        /// The beginning.
        value: String,
        /// Fold ASCII letters.
        case_insensitive: bool,
    },
    /// A Lucene regular expression over the whole value.
    Regexp {
        /// The expression.
        value: String,
        /// The `flags` of Query DSL.
        flags: Option<String>,
        /// Fold ASCII letters.
        case_insensitive: bool,
    },
    /// A text that differs by so many edits at most: one character more, less, another, or two neighbours swapped.
    Fuzzy {
        /// The text.
        value: String,
        /// How many edits.
        edits: u8,
    },
    /// A `query_string` as Kibana makes of a KQL pattern: escaped throughout except for `*` and white space,
    /// at which it is split into pieces, any of which may match. The text here is not escaped.
    Pattern {
        /// The pieces' text; `None` within a piece stands for `*`.
        pieces: Vec<Vec<Option<String>>>,
        /// As for `Match`.
        lenient: bool,
    },
    /// The document's `_id` is one of these.
    Ids(Vec<String>),
}

/// A value that the text of a query compares a field with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueUse {
    /// The full name of the field.
    pub field: String,
    /// The value; the wildcards of a pattern as asterisks.
    pub text: String,
    /// What kind of value it is.
    pub kind: ValueKind,
    /// Where.
    pub span: Span,
    /// Nothing satisfies the query without this comparison.
    pub is_required: bool,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A text in quotes.
    Quoted,
    /// A text without quotes, or a constant.
    Bare,
    /// A text with wildcards.
    Pattern,
}

/// A field that the text of a query names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldUse {
    /// Its full name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// The question can be asked of a field that is an object, too.
    pub may_be_object: bool,
}
