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
    #[error("query has more than {limit} arithmetic operators")]
    TooManyOperators {
        /// The limit.
        limit: usize,
    },
    /// Nor one with too many events.
    #[error("a sequence of more than {limit} events, with `runs` counted")]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// `\q`.
    #[error("`\\{character}` is no escape")]
    Escape {
        /// What stands after the backslash.
        character: char,
    },
    /// `\u{…}` that is no character.
    #[error("this escape is no character")]
    UnicodeEscape,
    /// `'…'` and `?"…"`.
    #[error("texts have double quotes")]
    OldQuotes,
    /// Two backquotes with nothing between them.
    #[error("a name cannot be empty")]
    EmptyName,
    /// A number that is infinite as a double.
    #[error("the number is too large")]
    LargeNumber,
    /// A single `=`.
    #[error("`=` does not compare")]
    SingleEquals,
    /// `!:`, `not :`, `not like`, …
    #[error("there is no `{operator}`")]
    NoOperator {
        /// As written.
        operator: String,
    },
    /// `1 < x < 3`.
    #[error("comparisons cannot be chained")]
    Chained,
    /// `AND`.
    #[error("`{word}` is no operator: key words are lower case")]
    UpperCase {
        /// As written.
        word: String,
    },
    /// A key word for a field.
    #[error("`{word}` is a key word")]
    Reserved {
        /// The word.
        word: String,
    },
    /// `in ()`.
    #[error("the list is empty")]
    EmptyList,
    /// The right side of `:`, `like`, `regex` is no constant.
    #[error("the right side of `{operator}` has to be a constant, or constants in parentheses")]
    NotConstant {
        /// The operator.
        operator: &'static str,
    },
    /// `maxspan=0s`, `maxspan=1w`, …
    #[error("`maxspan` needs a whole number above zero and a unit")]
    Maxspan,
    /// `runs=0`, `runs=101`, …
    #[error("`runs` needs a whole number from 1 to {limit}")]
    Runs {
        /// The greatest that is allowed.
        limit: u32,
    },
    /// The items have different numbers of keys of their own.
    #[error("this has {found} of its own, the first event has {expected}")]
    KeyCount {
        /// Those of the first item.
        expected: String,
        /// Those of this one.
        found: String,
    },
    /// A sequence or a sample of one event.
    #[error("a {what} needs two events or more")]
    TooFewItems {
        /// `sequence` or `sample`.
        what: &'static str,
    },
    /// A sequence of missing events only.
    #[error("a sequence needs an event that is not missing")]
    OnlyMissing,
    /// `![…]` without `maxspan`.
    #[error("a missing event needs a `maxspan`")]
    MissingWithoutMaxspan,
    /// A sample without keys.
    #[error("a sample needs keys")]
    SampleWithoutKeys,
    /// What only sequences have.
    #[error("a sample has no {what}")]
    NotInSample {
        /// What it is.
        what: &'static str,
    },
    /// The category of an event in backquotes, or optional.
    #[error("the category of an event is a word or a text in double quotes")]
    CategoryForm,
    /// `with …` before `by`.
    #[error("`by` comes before `with`")]
    WithBeforeBy,
    /// What other dialects have.
    #[error("{what} is not part of this dialect")]
    OtherDialect {
        /// What it is.
        what: OtherDialect,
    },
    /// A pipe of a name that none has.
    #[error("there is no pipe `{name}`")]
    UnknownPipe {
        /// The name.
        name: String,
    },
    /// `head` without a number.
    #[error("`{pipe}` needs one whole number")]
    PipeArgument {
        /// The pipe.
        pipe: String,
    },
}

/// What the original EQL has, and Elasticsearch rejects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherDialect {
    /// `join`.
    Join,
    /// `child of [ … ]`.
    Lineage,
    /// `fork`.
    Fork,
    /// `field[0]`.
    ArrayIndex,
    /// `field:function()`.
    Method,
    /// `| unique`, `| count`, …
    Pipe,
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
            ParseErrorKind::Unexpected { .. } => "EQL001",
            ParseErrorKind::Unclosed { .. } => "EQL002",
            ParseErrorKind::Unopened { .. } => "EQL003",
            ParseErrorKind::Character { .. } => "EQL004",
            ParseErrorKind::TooDeep { .. } => "EQL005",
            ParseErrorKind::TooLong { .. } => "EQL006",
            ParseErrorKind::TooManyOperators { .. } => "EQL007",
            ParseErrorKind::TooManyItems { .. } => "EQL008",
            ParseErrorKind::Escape { .. } => "EQL009",
            ParseErrorKind::UnicodeEscape => "EQL010",
            ParseErrorKind::OldQuotes => "EQL011",
            ParseErrorKind::EmptyName => "EQL012",
            ParseErrorKind::LargeNumber => "EQL013",
            ParseErrorKind::SingleEquals => "EQL014",
            ParseErrorKind::NoOperator { .. } => "EQL015",
            ParseErrorKind::Chained => "EQL016",
            ParseErrorKind::UpperCase { .. } => "EQL017",
            ParseErrorKind::Reserved { .. } => "EQL018",
            ParseErrorKind::EmptyList => "EQL019",
            ParseErrorKind::NotConstant { .. } => "EQL020",
            ParseErrorKind::Maxspan => "EQL021",
            ParseErrorKind::Runs { .. } => "EQL022",
            ParseErrorKind::KeyCount { .. } => "EQL023",
            ParseErrorKind::TooFewItems { .. } => "EQL024",
            ParseErrorKind::OnlyMissing => "EQL025",
            ParseErrorKind::MissingWithoutMaxspan => "EQL026",
            ParseErrorKind::SampleWithoutKeys => "EQL027",
            ParseErrorKind::NotInSample { .. } => "EQL028",
            ParseErrorKind::CategoryForm => "EQL029",
            ParseErrorKind::WithBeforeBy => "EQL030",
            ParseErrorKind::OtherDialect { .. } => "EQL031",
            ParseErrorKind::UnknownPipe { .. } => "EQL032",
            ParseErrorKind::PipeArgument { .. } => "EQL033",
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
