//! What can run: the one place that decides it.
//!
//! A rule that needs what is not supported never runs as something weaker. Whoever asks (the lint, the list, a hunt, the
//! compatibility page) asks [`support`].

use ecs::date::{DateMath, TIME_MAX, TIME_MIN};
use span::{Diagnostic, Severity};

use crate::language::{Language, language};
use crate::{NewTerms, QueryLanguage, Rule, RuleKind, Threshold};

/// A rule that can run.
#[derive(Clone, Copy, Debug)]
pub struct Supported<'r> {
    /// What its executions do.
    pub kind: SupportedKind<'r>,
    /// That of its query.
    pub(crate) language: &'static Language,
}

/// The types of rules that can run, with what only that type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportedKind<'r> {
    /// `query`, and `saved_query` with a query of its own.
    Query,
    /// `new_terms`.
    NewTerms(&'r NewTerms),
    /// `eql`.
    Eql,
    /// `threshold`.
    Threshold(&'r Threshold),
    /// `esql`.
    Esql,
}

/// Why a rule cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// Nothing executes rules of its type.
    #[error("rules of type `{type_name}` are not supported yet")]
    Type {
        /// The type.
        type_name: &'static str,
    },
    /// There are no saved queries here, and it has none of its own.
    #[error(
        "rules of type `saved_query` need a query of their own: the saved query `{saved_id}` cannot be read"
    )]
    SavedQuery {
        /// The saved query.
        saved_id: String,
    },
    /// Then everything in the interval would be history, or nothing is known of it.
    #[error(
        "`history_window_start` ({history}) does not always lie before `from` ({from}); move it further back, such \
         as `now-7d`"
    )]
    History {
        /// `history_window_start`.
        history: DateMath,
        /// `from`.
        from: DateMath,
    },
}

/// Whether the rule can run; else every reason why not. What is wrong with its query and its filters shows only when it
/// is [compiled](crate::compile), which asks this first.
pub fn support(rule: &Rule) -> Result<Supported<'_>, Vec<Unsupported>> {
    let mut reasons = Vec::new();
    let kind = match &rule.kind {
        RuleKind::Query => Some(SupportedKind::Query),
        RuleKind::SavedQuery { saved_id } => {
            if rule.query.is_empty() {
                reasons.push(Unsupported::SavedQuery { saved_id: saved_id.clone() });
            }
            Some(SupportedKind::Query)
        }
        RuleKind::NewTerms(terms) => {
            if !lies_before(rule, &terms.history_window_start) {
                reasons.push(Unsupported::History {
                    history: terms.history_window_start.clone(),
                    from: rule.from.clone(),
                });
            }
            Some(SupportedKind::NewTerms(terms))
        }
        RuleKind::Eql { .. } => Some(SupportedKind::Eql),
        RuleKind::Threshold(threshold) => Some(SupportedKind::Threshold(threshold)),
        RuleKind::Esql => Some(SupportedKind::Esql),
        RuleKind::ThreatMatch(_) | RuleKind::MachineLearning { .. } => {
            reasons.push(Unsupported::Type { type_name: rule.kind.type_name() });
            None
        }
    };
    let language = language(rule.language.unwrap_or(QueryLanguage::Kuery));
    match kind {
        Some(kind) if reasons.is_empty() => Ok(Supported { kind, language }),
        _ => Err(reasons),
    }
}

/// Whether the history begins before what it is compared with, in every execution.
fn lies_before(rule: &Rule, history: &DateMath) -> bool {
    let least = || {
        let (from, to, history) = (rule.from.spread()?, rule.to.spread()?, history.spread()?);
        from.0.checked_sub(to.1.checked_add(history.1)?)
    };
    if least().is_some_and(|least| least > 0) {
        return true;
    }
    // Both ends are fixed or move with the clock alone: then the two ends of all time decide.
    let is_plain = |it: &DateMath| it.spread().map_or(!it.reads_clock(), |(least, most)| least == most);
    let before = |now| history.millis_at(rule.to.millis_at(now)) < rule.from.millis_at(now);
    [&rule.from, &rule.to, history].into_iter().all(is_plain) && before(TIME_MIN) && before(TIME_MAX)
}

impl Unsupported {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "RULE201",
            // LANG001 was a language that nothing evaluates.
            Self::SavedQuery { .. } => "RULE204",
            // RULE205 was suppression that could not be applied.
            Self::History { .. } => "RULE206",
        }
    }

    /// In a few words, for a table.
    pub const fn short(&self) -> &'static str {
        match self {
            Self::Type { .. } => "type",
            Self::SavedQuery { .. } => "no query",
            Self::History { .. } => "history",
        }
    }

    /// The field of the rule that asks for it.
    const fn field(&self) -> &'static str {
        match self {
            Self::Type { .. } => "type",
            Self::SavedQuery { .. } => "saved_id",
            Self::History { .. } => "history_window_start",
        }
    }

    /// As it is shown to people, with its place in the rule.
    pub(crate) fn diagnostic(&self, rule: &Rule) -> Diagnostic {
        let span = rule.source.span(&[self.field()]);
        Diagnostic::new(Severity::Error, self.code(), self.to_string(), span)
            .help("it is loaded and listed, and refused when it would run")
    }
}
