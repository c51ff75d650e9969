//! Why a text is no query, and what to write instead.

mod words;

use span::{Diagnostic, Severity, Span};

/// Why a query was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Why.
    pub kind: ParseErrorKind,
    /// The place to underline.
    pub span: Span,
}

/// Why a query was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// The grammar allows nothing of what starts here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A bracket, quote or comment is open at the end.
    #[error("this `{open}` is never closed")]
    Unclosed {
        /// What was opened.
        open: &'static str,
    },
    /// A bracket closes what is not open.
    #[error("this `{close}` closes nothing")]
    Unopened {
        /// What closes.
        close: &'static str,
    },
    /// A character that no query has outside of texts.
    #[error("`{character}` has no meaning here")]
    Character {
        /// The character.
        character: char,
    },
    /// A hostile query must not exhaust the stack.
    #[error("query nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A hostile query must not exhaust memory.
    #[error("query is {length} bytes long, {limit} are allowed")]
    TooLong {
        /// The limit.
        limit: usize,
        /// The length.
        length: usize,
    },
    /// Nor must one with too many operators.
    #[error("an expression has more than {limit} arithmetic operators and casts")]
    TooManyOperators {
        /// The limit.
        limit: usize,
    },
    /// `\q`.
    #[error("`\\{character}` is no escape")]
    Escape {
        /// What stands after the backslash.
        character: char,
    },
    /// Two backquotes with nothing between them.
    #[error("a name cannot be empty")]
    EmptyName,
    /// A number that is infinite as a double.
    #[error("the number is too large")]
    LargeNumber,
    /// `'…'`.
    #[error("texts have double quotes")]
    SingleQuotes,
    /// A single `=`.
    #[error("`=` does not compare")]
    SingleEquals,
    /// `1 < x < 3`.
    #[error("comparisons cannot be chained")]
    Chained,
    /// `&&`, `<>`, …
    #[error("there is no `{operator}`")]
    NoOperator {
        /// As written.
        operator: &'static str,
    },
    /// A key word for a column.
    #[error("`{word}` is a key word")]
    Reserved {
        /// The word.
        word: String,
    },
    /// `IN ()`, `[]`.
    #[error("the list is empty")]
    EmptyList,
    /// `[1, "a"]`, `[null]`, `[a]`.
    #[error("a list in brackets holds constants of one kind, and no null")]
    List,
    /// `5 parsecs`.
    #[error("`{unit}` is no unit of time")]
    Unit {
        /// As written.
        unit: String,
    },
    /// `?name`.
    #[error("there are no parameters here")]
    Parameter,
    /// A command of a name that none has.
    #[error("there is no command `{name}`")]
    UnknownCommand {
        /// As written.
        name: String,
        /// What is meant, if it is known.
        similar: Option<&'static str>,
    },
    /// A command that exists, and cannot run here.
    #[error("the command {name} is not supported")]
    UnsupportedCommand {
        /// Its name.
        name: &'static str,
    },
    /// A query that begins with anything else.
    #[error("a query begins with FROM or ROW")]
    NoSource,
    /// `| FROM a`.
    #[error("{name} can only be the first command")]
    NotFirst {
        /// Its name.
        name: &'static str,
    },
    /// `STATS` without anything.
    #[error("{name} needs something to compute, or BY and something to group by")]
    EmptyStats {
        /// Its name.
        name: &'static str,
    },
    /// `LIKE field`.
    #[error("the right side of {operator} has to be a text, or texts in parentheses")]
    NotConstant {
        /// The operator.
        operator: &'static str,
    },
    /// `LOOKUP JOIN a ON b == c`.
    #[error("a join needs columns that are called the same on both sides")]
    JoinCondition,
}

impl ParseErrorKind {
    /// The error at a place.
    pub(crate) fn at(self, span: Span) -> ParseError {
        ParseError { kind: self, span }
    }
}

impl ParseError {
    /// A stable code for documentation, tests and interfaces. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ParseErrorKind::Unexpected { .. } => "ESQL001",
            ParseErrorKind::Unclosed { .. } => "ESQL002",
            ParseErrorKind::Unopened { .. } => "ESQL003",
            ParseErrorKind::Character { .. } => "ESQL004",
            ParseErrorKind::TooDeep { .. } => "ESQL005",
            ParseErrorKind::TooLong { .. } => "ESQL006",
            ParseErrorKind::TooManyOperators { .. } => "ESQL007",
            ParseErrorKind::Escape { .. } => "ESQL008",
            ParseErrorKind::EmptyName => "ESQL009",
            ParseErrorKind::LargeNumber => "ESQL010",
            ParseErrorKind::SingleQuotes => "ESQL011",
            ParseErrorKind::SingleEquals => "ESQL012",
            ParseErrorKind::Chained => "ESQL013",
            ParseErrorKind::NoOperator { .. } => "ESQL014",
            ParseErrorKind::Reserved { .. } => "ESQL015",
            ParseErrorKind::EmptyList => "ESQL016",
            ParseErrorKind::List => "ESQL017",
            ParseErrorKind::Unit { .. } => "ESQL018",
            ParseErrorKind::Parameter => "ESQL019",
            ParseErrorKind::UnknownCommand { .. } => "ESQL020",
            ParseErrorKind::UnsupportedCommand { .. } => "ESQL021",
            ParseErrorKind::NoSource => "ESQL022",
            ParseErrorKind::NotFirst { .. } => "ESQL023",
            ParseErrorKind::EmptyStats { .. } => "ESQL024",
            ParseErrorKind::NotConstant { .. } => "ESQL025",
            ParseErrorKind::JoinCondition => "ESQL026",
        }
    }

    /// For printing. `text` is that of the query: what can be mended is mended in it.
    pub fn to_diagnostic(&self, text: &str) -> Diagnostic {
        let mut found = Diagnostic::new(Severity::Error, self.code(), self.to_string(), self.span);
        found.help = words::help(&self.kind);
        if let Some(instead) = text.get(self.span.range()).and_then(|it| words::instead(&self.kind, it)) {
            found = found.edit(self.span, instead);
        }
        found
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for ParseError {}

/// All errors of a text, in the order of their places. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors(Vec<ParseError>);

impl ParseErrors {
    pub(crate) fn new(mut errors: Vec<ParseError>) -> Self {
        errors.sort_by_key(|it| it.span);
        errors.dedup();
        Self(errors)
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, ParseError> {
        self.0.iter()
    }

    /// For printing.
    pub fn to_diagnostics(&self, text: &str) -> Vec<Diagnostic> {
        self.0.iter().map(|it| it.to_diagnostic(text)).collect()
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
