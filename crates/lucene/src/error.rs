//! Why a text is no query, and what to write instead.

use span::{Diagnostic, Severity, Span};

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
    /// A parenthesis, bracket, quote or slash is open at the end.
    #[error("this `{open}` is never closed")]
    Unclosed {
        /// What was opened.
        open: char,
        /// Where.
        span: Span,
    },
    /// A parenthesis or bracket closes what is not open.
    #[error("this `{close}` closes nothing")]
    Unopened {
        /// What closes.
        close: char,
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
    /// A backslash at the end.
    #[error("a backslash escapes the next character, and there is none")]
    LoneBackslash {
        /// Where.
        span: Span,
    },
    /// `\u` without four hexadecimal digits.
    #[error("`\\u` needs four hexadecimal digits")]
    BadUnicodeEscape {
        /// Where.
        span: Span,
    },
    /// `^` without a number.
    #[error("`^` needs a number after it")]
    NoBoost {
        /// Where.
        span: Span,
    },
    /// `word~3`, `word~1.5`.
    #[error("`{edits}` is no edit distance")]
    EditDistance {
        /// As written.
        edits: String,
        /// Where.
        span: Span,
    },
    /// `@timestamp:2024-05-01T10:00:00`.
    #[error("a `:` within a value must be escaped")]
    ColonInValue {
        /// Where.
        span: Span,
    },
}

impl ParseError {
    /// A stable code for documentation, tests and interfaces. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unexpected { .. } => "LUC001",
            Self::Unclosed { .. } => "LUC002",
            Self::Unopened { .. } => "LUC003",
            Self::TooDeep { .. } => "LUC004",
            Self::TooLong { .. } => "LUC005",
            Self::LoneBackslash { .. } => "LUC006",
            Self::BadUnicodeEscape { .. } => "LUC007",
            Self::NoBoost { .. } => "LUC008",
            Self::EditDistance { .. } => "LUC009",
            Self::ColonInValue { .. } => "LUC010",
        }
    }

    /// The place to underline.
    pub fn span(&self) -> Span {
        match self {
            Self::Unexpected { span, .. }
            | Self::Unclosed { span, .. }
            | Self::Unopened { span, .. }
            | Self::TooDeep { span, .. }
            | Self::TooLong { span, .. }
            | Self::LoneBackslash { span }
            | Self::BadUnicodeEscape { span }
            | Self::NoBoost { span }
            | Self::EditDistance { span, .. }
            | Self::ColonInValue { span } => *span,
        }
    }

    /// What to write instead, where that is known.
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unexpected { found, .. }
                if matches!(found.as_str(), "`AND`" | "`OR`" | "`&&`" | "`||`") =>
            {
                "it needs a condition on either side; as text, put it in double quotes".to_owned()
            }
            Self::Unexpected { found, .. } if matches!(found.as_str(), "`-`" | "`+`" | "`!`" | "`NOT`") => {
                "write it before the field, `-name:value`, or in parentheses, `name:(-value)`".to_owned()
            }
            Self::Unexpected { .. } => return None,
            Self::Unclosed { open: '/', .. } => {
                "a slash begins a regular expression: write `\\/`, or put the value in double quotes"
                    .to_owned()
            }
            Self::Unclosed { open: '"', .. } => {
                "add the closing `\"`; a quote that belongs to the text is written `\\\"`".to_owned()
            }
            Self::Unclosed { open: open @ ('[' | '{'), .. } => {
                format!("close the range; a bracket that belongs to the text is written `\\{open}`")
            }
            Self::Unclosed { open, .. } => {
                format!("add the closing bracket; one that belongs to the text is written `\\{open}`")
            }
            Self::Unopened { close, .. } => {
                format!("remove it; if it belongs to the text, write `\\{close}`")
            }
            Self::TooDeep { .. } => "remove parentheses, or split the query".to_owned(),
            Self::TooLong { .. } => {
                "split the query, or put long lists of values into a value list".to_owned()
            }
            Self::LoneBackslash { .. } => "write `\\\\` for a backslash".to_owned(),
            Self::BadUnicodeEscape { .. } => {
                "write `\\\\u` for a backslash and the letter, or all four digits".to_owned()
            }
            Self::NoBoost { .. } => "remove it; if it belongs to the text, write `\\^`".to_owned(),
            Self::EditDistance { .. } => "write `~`, `~0`, `~1` or `~2`".to_owned(),
            Self::ColonInValue { .. } => "put the value in double quotes, or write `\\:`".to_owned(),
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
pub struct ParseErrors(pub(crate) Vec<ParseError>);

impl ParseErrors {
    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, ParseError> {
        self.0.iter()
    }

    /// For printing.
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        self.0.iter().map(ParseError::to_diagnostic).collect()
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
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}
