//! The query languages, each of which is a crate: the only place that knows which there are.

use ecs::Catalog;
use plan::{Condition, FieldUse, ValueUse};
use span::{Diagnostic, Severity};

use crate::QueryLanguage;

/// What a language does. Its crate offers these functions; a new language is its crate and a line in [`language`].
#[derive(Debug)]
pub(crate) struct Language {
    /// Text and fields in, condition out; else all that is wrong, by the place in the text.
    pub(crate) check: fn(&str, &Catalog) -> Result<Condition, Vec<Diagnostic>>,
    /// Why the text is no query, whatever the fields.
    pub(crate) errors: fn(&str) -> Vec<Diagnostic>,
    /// What is legal but probably not meant.
    pub(crate) findings: fn(&str) -> Vec<Diagnostic>,
    /// The fields that the query names.
    pub(crate) fields: fn(&str) -> Vec<FieldUse>,
    /// The values that it compares fields with.
    pub(crate) values: fn(&str) -> Vec<ValueUse>,
}

const KQL: Language = Language {
    check: kql::check,
    errors: kql::errors,
    findings: kql::findings,
    fields: kql::fields,
    values: kql::values,
};

const LUCENE: Language = Language {
    check: lucene::check,
    errors: lucene::errors,
    findings: lucene::findings,
    fields: lucene::fields,
    values: lucene::values,
};

const EQL: Language = Language {
    check: ::eql::check,
    errors: ::eql::errors,
    findings: ::eql::findings,
    fields: ::eql::fields,
    values: ::eql::values,
};

const ESQL: Language = Language {
    check: ::esql::check,
    errors: ::esql::errors,
    findings: ::esql::findings,
    fields: ::esql::fields,
    values: ::esql::values,
};

/// What the language does.
pub(crate) const fn language(language: QueryLanguage) -> &'static Language {
    match language {
        QueryLanguage::Kuery => &KQL,
        QueryLanguage::Lucene => &LUCENE,
        QueryLanguage::Eql => &EQL,
        QueryLanguage::Esql => &ESQL,
    }
}

/// What a query in the language asks of an event; else all that is wrong with it, by the place in its text. A query whose
/// rows are more than events that satisfy a condition is refused: it would run as something weaker.
pub fn check_query(
    language: QueryLanguage,
    text: &str,
    catalog: &Catalog,
) -> Result<Condition, Vec<Diagnostic>> {
    if language.makes_columns() {
        let message = "a query in ES|QL gives rows, and is no condition on events";
        let found = Diagnostic::whole(Severity::Error, "LANG002", message);
        return Err(vec![found.help("write the condition in KQL, Lucene or EQL")]);
    }
    (self::language(language).check)(text, catalog)
}

impl QueryLanguage {
    /// All.
    pub const ALL: [Self; 4] = [Self::Kuery, Self::Lucene, Self::Eql, Self::Esql];

    /// The language of that name, as rules have it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == name)
    }

    /// The word in rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kuery => "kuery",
            Self::Lucene => "lucene",
            Self::Eql => "eql",
            Self::Esql => "esql",
        }
    }

    /// The word that people use.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Kuery => "kql",
            Self::Lucene | Self::Eql | Self::Esql => self.as_str(),
        }
    }

    /// Whether a query makes columns of its own, which no catalogue knows.
    pub(crate) const fn makes_columns(self) -> bool {
        match self {
            Self::Kuery | Self::Lucene | Self::Eql => false,
            Self::Esql => true,
        }
    }
}
