//! Everything that was loaded, and everything that was wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use span::{Diagnostic, Severity, Style};

use crate::foreign::ForeignForm;
use crate::{Exceptions, GuideLanguage, Rule};

/// Rules, and what came with them.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules, in the order of the files.
    pub rules: Vec<Rule>,
    /// What was found while loading. An error means that its rule is not among `rules`.
    pub problems: Vec<Problem>,
    /// What is excepted from the rules.
    pub exceptions: Exceptions,
    pub(crate) texts: BTreeMap<String, Arc<str>>,
    /// Files beside the rules with rules that are not read.
    pub(crate) foreign: Vec<(ForeignForm, String)>,
}

/// A finding and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named or found.
    pub file: String,
    /// What was found.
    pub diagnostic: Diagnostic,
}

impl RuleSet {
    /// The text of a file, for printing what was found in it. Takes the name of a rule's file, too.
    pub fn text(&self, file: &str) -> &str {
        let exported = file.rfind('#').map_or(file, |at| &file[..at]);
        self.texts.get(file).or_else(|| self.texts.get(exported)).map_or("", |text| text)
    }

    /// Prints a finding as a compiler does.
    pub fn render(&self, problem: &Problem, style: Style) -> String {
        span::render(&problem.diagnostic, &problem.file, self.text(&problem.file), style)
    }

    /// How many findings are errors.
    pub fn error_count(&self) -> usize {
        self.problems.iter().filter(|problem| problem.diagnostic.severity == Severity::Error).count()
    }

    /// What is there in forms that are not read, one note a form. No mistake in the files: whoever keeps rules of
    /// several kinds in one place must know which of them count.
    pub fn foreign(&self) -> Vec<Problem> {
        let note = |form: ForeignForm| {
            let files: Vec<&str> =
                self.foreign.iter().filter(|(it, _)| *it == form).map(|(_, file)| file.as_str()).collect();
            let file = (*files.first()?).to_owned();
            Some(Problem { file, diagnostic: form.diagnostic(&files) })
        };
        ForeignForm::ALL.into_iter().filter_map(note).collect()
    }

    /// Whether nothing was found in the files that has to do with rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.exceptions.is_empty() && self.problems.is_empty()
    }

    /// The same with the prose of all rules in that language, as far as they are translated.
    #[must_use]
    pub fn localised(mut self, language: GuideLanguage) -> Self {
        self.rules.iter_mut().for_each(|rule| rule.localise(language));
        self
    }

    /// Adds what another set holds.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.problems.extend(other.problems);
        self.exceptions.extend(other.exceptions);
        self.texts.extend(other.texts);
        self.foreign.extend(other.foreign);
    }

    /// Notes what was found in a file.
    pub(crate) fn report(&mut self, file: &str, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.problems
            .extend(diagnostics.into_iter().map(|diagnostic| Problem { file: file.to_owned(), diagnostic }));
    }
}
