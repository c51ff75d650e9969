//! Why a query in JSON was refused.

/// Why a query in JSON was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct DslError {
    /// The path of the JSON value, like `bool.must[0].term`; `query` at the top.
    pub at: String,
    /// What is wrong.
    pub kind: DslErrorKind,
}

/// What is wrong with a query in JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DslErrorKind {
    /// A JSON value of another kind is due.
    #[error("expected {expected}")]
    Expected {
        /// What should stand there.
        expected: &'static str,
    },
    /// A kind of query that is not supported.
    #[error(
        "`{name}` queries are not supported; there are bool, match_all, match_none, term, terms, match, \
         match_phrase, multi_match, exists, range, wildcard, prefix, regexp, ids, nested, constant_score and \
         boosting"
    )]
    Query {
        /// Its name.
        name: String,
    },
    /// A parameter that would change what matches, and is not supported.
    #[error("the parameter `{name}` is not supported here")]
    Parameter {
        /// Its name.
        name: String,
    },
    /// A hostile query must not exhaust the stack.
    #[error("the query nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl DslError {
    /// A stable code for documentation, tests and the HTTP API. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self.kind {
            DslErrorKind::Expected { .. } => "DSL001",
            DslErrorKind::Query { .. } => "DSL002",
            DslErrorKind::Parameter { .. } => "DSL003",
            DslErrorKind::TooDeep { .. } => "DSL004",
        }
    }
}
