//! What failed in rows, told once and not for each of them.

use std::fmt;

/// How many messages of one expression are kept.
pub const FAILURES_MAX: usize = 20;

/// Why an expression has no value in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is null, and nothing failed.
    Null,
    /// A function of one value met several.
    SeveralValues,
    /// An argument is not what it should be.
    Argument(String),
    /// A number that cannot be.
    Arithmetic(String),
    /// A text that is no number.
    Number(String),
    /// A value beyond those of its type.
    Range(String),
    /// A date that cannot be.
    Date(String),
    /// A text that is not in a date format.
    DateText(String),
}

impl fmt::Display for Failure {
    /// As the peer words it, the class of the exception included: people search for that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::SeveralValues => f.write_str(
                "java.lang.IllegalArgumentException: single-value function encountered multi-value",
            ),
            Self::Argument(it) | Self::DateText(it) => write!(f, "java.lang.IllegalArgumentException: {it}"),
            Self::Arithmetic(it) => write!(f, "java.lang.ArithmeticException: {it}"),
            Self::Number(it) => write!(f, "java.lang.NumberFormatException: {it}"),
            Self::Range(it) => {
                write!(f, "org.elasticsearch.xpack.esql.core.InvalidArgumentException: {it}")
            }
            Self::Date(it) => write!(f, "java.time.DateTimeException: {it}"),
        }
    }
}

/// An expression that may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// As it is written.
    pub text: String,
    /// What a failure is treated as.
    pub treated_as: &'static str,
}

/// What failed, by the number of its site. Those of two parts of a table [merge](Warnings::merge) in their order.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    failures: Vec<Vec<Failure>>,
    others: Vec<String>,
}

impl Warnings {
    /// The expression failed in a row.
    pub(crate) fn add(&mut self, site: usize, failure: Failure) {
        if failure == Failure::Null {
            return;
        }
        if self.failures.len() <= site {
            self.failures.resize_with(site + 1, Vec::new);
        }
        let known = &mut self.failures[site];
        if known.len() < FAILURES_MAX && !known.contains(&failure) {
            known.push(failure);
        }
    }

    /// Something else that is to be known.
    pub fn note(&mut self, text: String) {
        if !self.others.contains(&text) {
            self.others.push(text);
        }
    }

    /// What failed behind what failed here.
    pub fn merge(&mut self, other: Self) {
        for (site, failures) in other.failures.into_iter().enumerate() {
            for failure in failures {
                self.add(site, failure);
            }
        }
        for text in other.others {
            self.note(text);
        }
    }

    /// All of it in words.
    pub fn texts(&self, sites: &[Site]) -> Vec<String> {
        let mut texts = self.others.clone();
        for (site, failures) in sites.iter().zip(&self.failures) {
            if failures.is_empty() {
                continue;
            }
            let Site { line, column, text, treated_as } = site;
            texts.push(format!(
                "Line {line}:{column}: evaluation of [{text}] failed, treating result as {treated_as}. Only first 20 \
                 failures recorded."
            ));
            texts.extend(failures.iter().map(|it| format!("Line {line}:{column}: {it}")));
        }
        texts
    }
}
