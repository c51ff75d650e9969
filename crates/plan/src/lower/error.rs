//! Why a query does not fit the fields.

use ecs::FieldType;
use ecs::date::DateError;
use span::Span;

use crate::regexp::RegexpError;

/// Why a query does not fit the fields it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowerError {
    /// The field.
    pub field: String,
    /// Its type, where it has one.
    pub ty: Option<FieldType>,
    /// What is wrong.
    pub kind: LowerErrorKind,
    /// Where it stands in the text.
    pub span: Option<Span>,
}

/// What is wrong with a query for a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LowerErrorKind {
    /// The value is no number.
    #[error("`{value}` is no number")]
    NotANumber {
        /// The value.
        value: String,
    },
    /// The bound of a range lies beyond the type.
    #[error("`{value}` lies beyond what the type can hold")]
    OutOfRange {
        /// The value.
        value: String,
    },
    /// The value is neither `true` nor `false`.
    #[error("`{value}` is no boolean")]
    NotABoolean {
        /// The value.
        value: String,
    },
    /// The value is no address, or no block of addresses.
    #[error("`{value}` is no IP address")]
    NotAnAddress {
        /// The value.
        value: String,
        /// What to write instead.
        help: &'static str,
    },
    /// The value is no date.
    #[error("{0}")]
    NotADate(DateError),
    /// A pattern on a type that has no text.
    #[error("{what} needs a field of text")]
    NoText {
        /// The kind of query: `a pattern`, `a prefix`, …
        what: &'static str,
    },
    /// `null` where a value is due.
    #[error("null is no value to compare with")]
    Null,
    /// `nested` on something else.
    #[error("the field is not nested")]
    NotNested,
    /// Types that can only be asked for existence.
    #[error("the only question this type answers is whether the field exists")]
    OnlyExists,
    /// The document's `_id`.
    #[error("the only question it answers is whether it equals a value")]
    OnlyEquality,
    /// The regular expression is not one.
    #[error("`{value}` is no regular expression: {error}")]
    BadRegexp {
        /// The expression.
        value: String,
        /// Why.
        error: RegexpError,
    },
    /// The mapping says that it is not indexed.
    #[error("the field is not indexed, so no query can ask for it")]
    NotSearchable,
    /// What keys of a flattened field do not support.
    #[error("{what} does not work on a key of a flattened field")]
    FlattenedKey {
        /// The kind of query.
        what: &'static str,
    },
    /// Time zones that are not an offset.
    #[error("`{value}` is no time zone here")]
    TimeZone {
        /// The time zone.
        value: String,
    },
    /// `minimum_should_match` within too many clauses.
    #[error("{least} of {clauses} clauses makes too many combinations")]
    TooManyCombinations {
        /// How many must match.
        least: usize,
        /// Of how many.
        clauses: usize,
    },
    /// A hostile query must not exhaust the stack.
    #[error("the query nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl LowerError {
    /// A stable code for documentation, tests and the HTTP API. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self.kind {
            LowerErrorKind::NotANumber { .. } => "PLAN001",
            LowerErrorKind::OutOfRange { .. } => "PLAN002",
            LowerErrorKind::NotABoolean { .. } => "PLAN003",
            LowerErrorKind::NotAnAddress { .. } => "PLAN004",
            LowerErrorKind::NotADate(_) => "PLAN005",
            LowerErrorKind::NoText { .. } => "PLAN006",
            LowerErrorKind::Null => "PLAN007",
            LowerErrorKind::NotNested => "PLAN008",
            LowerErrorKind::OnlyExists => "PLAN009",
            LowerErrorKind::BadRegexp { .. } => "PLAN010",
            LowerErrorKind::NotSearchable => "PLAN011",
            LowerErrorKind::FlattenedKey { .. } => "PLAN012",
            LowerErrorKind::TimeZone { .. } => "PLAN013",
            LowerErrorKind::TooManyCombinations { .. } => "PLAN014",
            LowerErrorKind::TooDeep { .. } => "PLAN015",
            LowerErrorKind::OnlyEquality => "PLAN016",
        }
    }

    /// What to write instead, where it is known.
    pub fn help(&self) -> Option<&'static str> {
        match self.kind {
            LowerErrorKind::NotANumber { .. } => Some("write a number like 443, 0.5 or 5e3"),
            LowerErrorKind::NotABoolean { .. } => Some("write `true` or `false`, in lower case"),
            LowerErrorKind::NotAnAddress { help, .. } => Some(help),
            LowerErrorKind::NoText { .. } => Some("compare with a value, a range or `*` alone"),
            LowerErrorKind::Null => Some("for a missing value, negate the question whether the field exists"),
            LowerErrorKind::NotNested => Some("write the full field names instead of a nested group"),
            LowerErrorKind::FlattenedKey { .. } => {
                Some("compare with values, a prefix like `a*`, or a range with both bounds in one clause")
            }
            LowerErrorKind::TimeZone { .. } => Some("write an offset like `+02:00`, or `UTC`"),
            LowerErrorKind::OutOfRange { .. }
            | LowerErrorKind::NotADate(_)
            | LowerErrorKind::OnlyExists
            | LowerErrorKind::OnlyEquality
            | LowerErrorKind::BadRegexp { .. }
            | LowerErrorKind::NotSearchable
            | LowerErrorKind::TooManyCombinations { .. }
            | LowerErrorKind::TooDeep { .. } => None,
        }
    }

    /// The error as it is shown, with the place underlined.
    pub fn diagnostic(&self) -> span::Diagnostic {
        let diagnostic = match self.span {
            Some(span) => span::Diagnostic::new(span::Severity::Error, self.code(), self.to_string(), span),
            None => span::Diagnostic::whole(span::Severity::Error, self.code(), self.to_string()),
        };
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

impl std::error::Error for LowerError {}

impl std::fmt::Display for LowerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.field.is_empty(), self.ty) {
            (true, _) => write!(f, "{}", self.kind),
            (false, None) => write!(f, "`{}`: {}", self.field, self.kind),
            (false, Some(ty)) => write!(f, "`{}` ({}): {}", self.field, ty.name(), self.kind),
        }
    }
}
