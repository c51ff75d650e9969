//! Why a rule file was refused, and what in it is suspicious.

use ecs::date::DateError;
use span::{Diagnostic, Severity, Span};

use crate::duration::date_math_words;
use crate::foreign::ForeignForm;
use crate::text::Kind;

mod findings;
mod help;
mod words;

pub(crate) use findings::Findings;
pub(crate) use words::{Expected, Ruleless};
use words::{first_of, plural};

/// Everything that loading can find. Each variant carries the place to underline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoadError {
    /// The file is not TOML.
    #[error("this is not TOML: {message}")]
    Toml {
        /// What the parser says.
        message: String,
        /// Where.
        span: Span,
    },
    /// The file is not JSON.
    #[error("this is not JSON: {message}")]
    Json {
        /// What the parser says.
        message: String,
        /// Where.
        span: Span,
    },
    /// The file is not YAML.
    #[error("this is not YAML: {message}")]
    Yaml {
        /// What the parser says.
        message: String,
        /// Where.
        span: Span,
    },
    /// A hostile file must not exhaust memory.
    #[error("the file has more than {limit} values, aliases written out")]
    TooManyValues {
        /// The limit.
        limit: usize,
        /// Where it is exceeded.
        span: Span,
    },
    /// A test that expects what cannot be.
    #[error("{message}")]
    BadTest {
        /// What is wrong.
        message: String,
        /// What to write.
        help: &'static str,
        /// Where.
        span: Span,
    },
    /// A hostile file must not exhaust the stack.
    #[error("tables nest deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where it is exceeded.
        span: Span,
    },
    /// Rule files are UTF-8.
    #[error("the file is not UTF-8: byte {offset} does not belong to any character")]
    NotUtf8 {
        /// Where, in bytes.
        offset: usize,
    },
    /// The system could not read it.
    #[error("cannot read this: {message}")]
    Unreadable {
        /// What the system says.
        message: String,
    },
    /// A file is larger than any rule or export is.
    #[error("the file has {size} bytes, more than the {limit} that a rule file may have")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The file is well formed, but holds no rule.
    #[error("{what} holds no rule")]
    NoRule {
        what: Ruleless,
        /// Where.
        span: Span,
        /// It was named by the user, so that it ought to be one.
        expected: bool,
    },
    /// A required field is missing.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: String,
        /// The table that lacks it.
        span: Span,
        /// What to write.
        help: String,
    },
    /// A value of the wrong kind.
    #[error("`{field}` must be {expected}, not {found}")]
    WrongType {
        /// The field.
        field: String,
        /// What it must be.
        expected: Expected,
        /// What it is.
        found: Kind,
        /// The value.
        span: Span,
    },
    /// A word that is not one of a few.
    #[error("`{field}` cannot be `{value}`")]
    UnknownWord {
        /// The field.
        field: String,
        /// The word.
        value: String,
        /// The words it may be.
        allowed: Vec<&'static str>,
        /// The value.
        span: Span,
    },
    /// What says when a step of a guide is indicated cannot be decided.
    #[error("`when` is no condition over facts: {reason}")]
    BadWhen {
        /// What is wrong.
        reason: String,
        /// The value.
        span: Span,
    },
    /// A number outside its range.
    #[error("`{field}` must be {range}, not {value}")]
    OutOfRange {
        /// The field.
        field: String,
        /// The range in words.
        range: String,
        /// The number.
        value: String,
        /// The value.
        span: Span,
    },
    /// An empty string or list where there must be something.
    #[error("`{field}` is empty")]
    Empty {
        /// The field.
        field: String,
        /// The value.
        span: Span,
    },
    /// Too many items.
    #[error("`{field}` has {count} items, at most {limit} are allowed")]
    TooMany {
        /// The field.
        field: String,
        /// How many it has.
        count: usize,
        /// How many it may have.
        limit: usize,
        /// The first that is too many.
        span: Span,
    },
    /// Not a duration.
    #[error("`{field}` is not a duration: `{value}`")]
    BadDuration {
        /// The field.
        field: String,
        /// As written.
        value: String,
        /// The value.
        span: Span,
    },
    /// Not date math.
    #[error("`{field}` is not date math: {}", date_math_words(error))]
    BadDateMath {
        /// The field.
        field: String,
        /// What is wrong with it.
        error: DateError,
        /// The place in it.
        span: Span,
    },
    /// The history would begin after what it is compared with.
    #[error("the history window begins at `{history}`, which is not before `from`, `{from}`")]
    HistoryNotBeforeFrom {
        /// `history_window_start`.
        history: String,
        /// `from`.
        from: String,
        /// The first.
        span: Span,
        /// The second, if the file gives it.
        from_span: Option<Span>,
    },
    /// A language that this type of rule cannot have.
    #[error("a rule of type `{type_name}` cannot be written in `{language}`")]
    WrongLanguage {
        /// The type.
        type_name: &'static str,
        /// The language.
        language: String,
        /// The languages it can have.
        allowed: Vec<&'static str>,
        /// The value.
        span: Span,
    },
    /// A group of a threat mapping that only says what must differ.
    #[error("this group of `threat_mapping` only has negated entries")]
    OnlyNegated {
        /// The group.
        span: Span,
    },
    /// The same pair of fields must be equal and must differ.
    #[error("`{field}` and `{value}` are compared both ways in one group")]
    BothWays {
        /// The event's field.
        field: String,
        /// The indicator's field.
        value: String,
        /// The second entry.
        span: Span,
    },
    /// A field that the rule format does not know. The rule is loaded, the field kept.
    #[error("unknown field `{field}`")]
    UnknownField {
        /// The field.
        field: String,
        /// The known name that it resembles.
        similar: Option<String>,
        /// The key.
        span: Span,
    },
    /// A field of another type of rule. The rule is loaded, the field has no effect.
    #[error("`{field}` has no effect in a rule of type `{type_name}`")]
    ForeignField {
        /// The field.
        field: String,
        /// The type of the rule.
        type_name: &'static str,
        /// The types that have it.
        belongs_to: Vec<&'static str>,
        /// The key.
        span: Span,
    },
    /// The note asks for a query that `[transform]` does not have.
    #[error("`[transform]` has no `{list}` number {number}")]
    NoTransform {
        /// `investigate` or `osquery`.
        list: &'static str,
        /// From 0.
        number: String,
        /// The note.
        span: Span,
    },
    /// Something in `[metadata]` that its readers do not understand.
    #[error("`metadata.{field}` is `{value}`, which says nothing")]
    Metadata {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: String,
        /// The value.
        span: Span,
    },
    /// A translation that does not follow its rule step by step.
    #[error("the translation has {found} of `{list}`, the rule has {expected}")]
    TranslationCount {
        /// Which list.
        list: &'static str,
        /// How many the translation has.
        found: usize,
        /// How many the rule has.
        expected: usize,
        /// The list, or the translation.
        span: Span,
    },
    /// A translation of nothing.
    #[error("there is no rule file `{rule}` for this translation")]
    TranslationOrphan {
        /// The file that should be there.
        rule: String,
    },
    /// A value list that the user named, and no exception does.
    #[error("no exception asks for the value list `{id}`")]
    UnaskedValues {
        /// Its id.
        id: String,
    },
    /// Not a date.
    #[error("`{field}` is no date")]
    BadDate {
        /// The field.
        field: String,
        /// The value.
        span: Span,
    },
    /// Rules that are there, in a form that is not read.
    #[error("{} {form}, which are not read: {}", plural(files.len(), "file holds", "files hold"), first_of(files))]
    Foreign {
        /// The form.
        form: ForeignForm,
        /// The files.
        files: Vec<String>,
    },
    /// More findings than anyone reads.
    #[error("{count} more findings in this file are not shown")]
    More {
        /// How many.
        count: usize,
    },
}

impl LoadError {
    /// A stable code for documentation, tests and machine-readable output. Codes are never reused.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Toml { .. } => "RULE001",
            Self::Json { .. } => "RULE002",
            Self::TooDeep { .. } => "RULE003",
            Self::NotUtf8 { .. } => "RULE004",
            Self::Unreadable { .. } => "RULE005",
            Self::TooLarge { .. } => "RULE006",
            Self::NoRule { .. } => "RULE007",
            Self::Missing { .. } => "RULE008",
            Self::WrongType { .. } => "RULE009",
            Self::UnknownWord { .. } => "RULE010",
            Self::OutOfRange { .. } => "RULE011",
            Self::Empty { .. } => "RULE012",
            Self::TooMany { .. } => "RULE013",
            Self::BadDuration { .. } => "RULE014",
            Self::BadDateMath { .. } => "RULE015",
            Self::HistoryNotBeforeFrom { .. } => "RULE016",
            Self::WrongLanguage { .. } => "RULE017",
            Self::OnlyNegated { .. } => "RULE018",
            Self::BothWays { .. } => "RULE019",
            Self::UnknownField { .. } => "RULE020",
            Self::ForeignField { .. } => "RULE021",
            Self::NoTransform { .. } => "RULE022",
            Self::TranslationCount { .. } => "RULE023",
            Self::TranslationOrphan { .. } => "RULE024",
            Self::More { .. } => "RULE025",
            Self::BadDate { .. } => "RULE026",
            Self::Foreign { .. } => "RULE027",
            Self::Yaml { .. } => "RULE028",
            Self::TooManyValues { .. } => "RULE029",
            Self::BadTest { .. } => "RULE030",
            Self::Metadata { .. } => "RULE031",
            Self::UnaskedValues { .. } => "RULE032",
            Self::BadWhen { .. } => "RULE040",
        }
    }

    /// Errors refuse the rule; the rest does not.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::UnknownField { .. }
            | Self::ForeignField { .. }
            | Self::NoTransform { .. }
            | Self::Metadata { .. }
            | Self::TranslationCount { .. }
            | Self::TranslationOrphan { .. }
            | Self::UnaskedValues { .. }
            | Self::NoRule { expected: false, .. } => Severity::Warning,
            Self::More { .. } | Self::Foreign { .. } => Severity::Note,
            _ => Severity::Error,
        }
    }

    /// The place to underline; `None` concerns the file as a whole.
    pub(crate) fn span(&self) -> Option<Span> {
        match self {
            Self::Toml { span, .. }
            | Self::Json { span, .. }
            | Self::Yaml { span, .. }
            | Self::TooManyValues { span, .. }
            | Self::BadTest { span, .. }
            | Self::TooDeep { span, .. }
            | Self::NoRule { span, .. }
            | Self::Missing { span, .. }
            | Self::WrongType { span, .. }
            | Self::UnknownWord { span, .. }
            | Self::BadWhen { span, .. }
            | Self::OutOfRange { span, .. }
            | Self::Empty { span, .. }
            | Self::TooMany { span, .. }
            | Self::BadDuration { span, .. }
            | Self::BadDateMath { span, .. }
            | Self::HistoryNotBeforeFrom { span, .. }
            | Self::WrongLanguage { span, .. }
            | Self::OnlyNegated { span }
            | Self::BothWays { span, .. }
            | Self::UnknownField { span, .. }
            | Self::ForeignField { span, .. }
            | Self::NoTransform { span, .. }
            | Self::Metadata { span, .. }
            | Self::TranslationCount { span, .. }
            | Self::BadDate { span, .. } => Some(*span),
            Self::NotUtf8 { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::TranslationOrphan { .. }
            | Self::UnaskedValues { .. }
            | Self::Foreign { .. }
            | Self::More { .. } => None,
        }
    }

    /// As it is shown to people.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = match self.span() {
            Some(span) => Diagnostic::new(self.severity(), self.code(), self.to_string(), span),
            None => Diagnostic::whole(self.severity(), self.code(), self.to_string()),
        };
        if let Self::HistoryNotBeforeFrom { from_span: Some(span), .. } = self {
            diagnostic
                .labels
                .push(span::Label { span: *span, text: "the events that are checked begin here".to_owned() });
        }
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}
