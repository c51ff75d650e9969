//! Why a text is no query, and what to write instead.

use span::{Diagnostic, Severity, Span};

use crate::foreign;

/// Why a query was refused. Every variant carries the place to underline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The grammar allows nothing of what starts here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What does.
        found: String,
        /// Where.
        span: Span,
    },
    /// A parenthesis, brace or quote is open at the end.
    #[error("this `{open}` is never closed")]
    Unclosed {
        /// What was opened.
        open: char,
        /// Where.
        span: Span,
    },
    /// A parenthesis or brace closes what is not open.
    #[error("this `{close}` closes nothing")]
    Unopened {
        /// What closes.
        close: char,
        /// Where.
        span: Span,
    },
    /// Parentheses or braces around nothing.
    #[error("there is nothing within `{open}`")]
    EmptyGroup {
        /// What was opened.
        open: &'static str,
        /// Where.
        span: Span,
    },
    /// A hostile query must not exhaust the stack.
    #[error("query nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where it was exceeded.
        span: Span,
    },
    /// A hostile query must not exhaust memory.
    #[error("query is {length} bytes long, {limit} are allowed")]
    TooLong {
        /// The limit.
        limit: usize,
        /// The length.
        length: usize,
        /// Where the query begins.
        span: Span,
    },
    /// A backslash that begins no escape.
    #[error("`{escape}` is no escape")]
    UnknownEscape {
        /// The backslash and what follows.
        escape: String,
        /// Where.
        span: Span,
    },
    /// `and`, `or` or `not` touches its neighbour.
    #[error("`{operator}` needs white space around it")]
    MissingSpace {
        /// The operator as written.
        operator: String,
        /// Where.
        span: Span,
    },
    /// `not` at the end of a word, followed by white space, is read as the operator.
    #[error("`not` at the end of `{word}` is read as the operator")]
    NotInWord {
        /// The word.
        word: String,
        /// Where the word stands.
        span: Span,
    },
    /// `f: not x`.
    #[error("`not` cannot follow `:`")]
    NotAfterColon {
        /// The field as written.
        field: String,
        /// Where `not` stands.
        span: Span,
    },
    /// `not not x`.
    #[error("`not` cannot be repeated")]
    RepeatedNot {
        /// Where the second one stands.
        span: Span,
    },
    /// `f: a:b`.
    #[error("a `:` within a value must be escaped")]
    ColonInValue {
        /// Where.
        span: Span,
    },
    /// `f: > 5`.
    #[error("`{operator}` cannot follow `:`")]
    RangeAfterColon {
        /// The field as written.
        field: String,
        /// The comparison.
        operator: String,
        /// Where it stands.
        span: Span,
    },
    /// `> 5`, or a comparison after a value.
    #[error("`{operator}` has no field to its left")]
    RangeWithoutField {
        /// The comparison.
        operator: String,
        /// Where.
        span: Span,
    },
    /// Two terms with nothing between them.
    #[error("expected `and` or `or`, found {found}")]
    MissingOperator {
        /// What begins here.
        found: String,
        /// Where.
        span: Span,
    },
    /// `path { … }`.
    #[error("a nested group needs a `:` before its `{{`")]
    NestedWithoutColon {
        /// Where the brace stands.
        span: Span,
    },
    /// `null:{ … }`.
    #[error("`null` is no name of a nested field")]
    NullPath {
        /// Where.
        span: Span,
    },
}

impl ParseError {
    /// A stable code for documentation, tests and interfaces. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unexpected { .. } => "KQL001",
            Self::Unclosed { .. } => "KQL002",
            Self::Unopened { .. } => "KQL003",
            Self::EmptyGroup { .. } => "KQL004",
            Self::TooDeep { .. } => "KQL005",
            Self::TooLong { .. } => "KQL006",
            Self::UnknownEscape { .. } => "KQL007",
            Self::MissingSpace { .. } => "KQL008",
            Self::NotInWord { .. } => "KQL009",
            Self::NotAfterColon { .. } => "KQL010",
            Self::RepeatedNot { .. } => "KQL011",
            Self::ColonInValue { .. } => "KQL012",
            Self::RangeAfterColon { .. } => "KQL013",
            Self::RangeWithoutField { .. } => "KQL014",
            Self::MissingOperator { .. } => "KQL015",
            Self::NestedWithoutColon { .. } => "KQL016",
            Self::NullPath { .. } => "KQL017",
        }
    }

    /// The place to underline.
    pub fn span(&self) -> Span {
        match self {
            Self::Unexpected { span, .. }
            | Self::Unclosed { span, .. }
            | Self::Unopened { span, .. }
            | Self::EmptyGroup { span, .. }
            | Self::TooDeep { span, .. }
            | Self::TooLong { span, .. }
            | Self::UnknownEscape { span, .. }
            | Self::MissingSpace { span, .. }
            | Self::NotInWord { span, .. }
            | Self::NotAfterColon { span, .. }
            | Self::RepeatedNot { span }
            | Self::ColonInValue { span }
            | Self::RangeAfterColon { span, .. }
            | Self::RangeWithoutField { span, .. }
            | Self::MissingOperator { span, .. }
            | Self::NestedWithoutColon { span }
            | Self::NullPath { span } => *span,
        }
    }

    /// What to write instead, where that is known.
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unexpected { .. } => return None,
            Self::Unclosed { open: '"', .. } => {
                "add the closing `\"`; a quote that belongs to the text is written `\\\"`".to_owned()
            }
            Self::Unclosed { open, .. } => {
                format!("add the closing bracket; one that belongs to the text is written `\\{open}`")
            }
            Self::Unopened { close, .. } => {
                format!("remove it; if it belongs to the text, write `\\{close}`")
            }
            Self::EmptyGroup { .. } => "write a condition there, or remove the brackets".to_owned(),
            Self::TooDeep { .. } => "remove parentheses, or split the query".to_owned(),
            Self::TooLong { .. } => {
                "split the query, or put long lists of values into a value list".to_owned()
            }
            Self::UnknownEscape { .. } => {
                "write `\\\\` for a backslash, or put the value in double quotes".to_owned()
            }
            Self::MissingSpace { operator, .. } => {
                format!("write `{operator}` with a space on either side; as text, put it in double quotes")
            }
            Self::NotInWord { .. } => "put the text in double quotes".to_owned(),
            Self::NotAfterColon { field, .. } => format!("write `not {field}: …`, or `{field}: (not …)`"),
            Self::RepeatedNot { .. } => "remove both, or write `not (not …)`".to_owned(),
            Self::ColonInValue { .. } => {
                "write `\\:`, or put the value in double quotes (single quotes are ordinary characters)"
                    .to_owned()
            }
            Self::RangeAfterColon { field, operator, .. } => {
                format!("write `{field} {operator} …`, without the colon")
            }
            Self::RangeWithoutField { operator, .. } => {
                format!(
                    "write a field name before it, such as `event.duration {operator} 5`; as text, write `\\{operator}`"
                )
            }
            Self::MissingOperator { found, .. } if found == "`not`" => "write `and not`".to_owned(),
            Self::MissingOperator { .. } => {
                "write `and` or `or` between the two; if both are one value, put it in double quotes"
                    .to_owned()
            }
            Self::NestedWithoutColon { .. } => {
                "write `name:{ … }`; a brace that belongs to the text is written `\\{`".to_owned()
            }
            Self::NullPath { .. } => "put it in double quotes if a field is called so".to_owned(),
        })
    }

    /// For printing.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let found = Diagnostic::new(Severity::Error, self.code(), self.to_string(), self.span());
        match self.help() {
            Some(help) => found.help(help),
            None => found,
        }
    }
}

/// All errors of a text, in the order of their places. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors {
    errors: Vec<ParseError>,
    /// For each error what to write instead, if it comes from another language.
    hints: Vec<Option<String>>,
}

impl ParseErrors {
    /// Sorts the errors and keeps one for each place.
    ///
    /// Returns `None` if there are none.
    pub(crate) fn new(mut errors: Vec<ParseError>, text: &str) -> Option<Self> {
        errors.sort_by_key(ParseError::span);
        errors.dedup_by_key(|error| error.span());
        errors.truncate(crate::parse::MAX_ERRORS);
        let hints = errors.iter().map(|error| foreign::hint(text, error)).collect();
        (!errors.is_empty()).then_some(Self { errors, hints })
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, ParseError> {
        self.errors.iter()
    }

    /// For printing.
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        let hinted = self.errors.iter().zip(&self.hints);
        hinted
            .map(|(error, hint)| match hint {
                Some(hint) => error.to_diagnostic().help(hint),
                None => error.to_diagnostic(),
            })
            .collect()
    }
}

impl<'a> IntoIterator for &'a ParseErrors {
    type Item = &'a ParseError;
    type IntoIter = std::slice::Iter<'a, ParseError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, error) in self.errors.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}
