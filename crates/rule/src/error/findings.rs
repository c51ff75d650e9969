//! What is found in one file.

use span::{Diagnostic, Severity};

use super::LoadError;

/// Collects findings, never more than people read.
#[derive(Default)]
pub(crate) struct Findings {
    found: Vec<Diagnostic>,
    more: usize,
}

/// More findings than this in one file are counted only.
const MAX_FINDINGS: usize = 50;

impl Findings {
    pub(crate) fn push(&mut self, error: &LoadError) {
        self.diagnostic(error.diagnostic());
    }

    /// Adds several.
    pub(crate) fn extend(&mut self, errors: impl IntoIterator<Item = LoadError>) {
        for error in errors {
            self.push(&error);
        }
    }

    /// Adds what another crate found.
    pub(crate) fn diagnostic(&mut self, diagnostic: Diagnostic) {
        // The first error always finds its place: whether a rule is refused depends on it.
        if self.found.len() < MAX_FINDINGS || (diagnostic.severity == Severity::Error && !self.refuse()) {
            self.found.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    /// Whether something was found that refuses the rule.
    pub(crate) fn refuse(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// Makes errors of the fields that nobody knows: in a test, a field that is passed over is a test of less.
    pub(crate) fn refuse_unknown_fields(&mut self) {
        for found in self.found.iter_mut().filter(|it| it.code == "RULE020") {
            found.severity = Severity::Error;
            found.help = found.help.take().filter(|it| it.starts_with("did you mean"));
        }
    }

    /// All of them, in the order of the text.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| found.span().map_or(0, |span| span.start));
        if self.more > 0 {
            self.found.push(LoadError::More { count: self.more }.diagnostic());
        }
        self.found
    }
}
