//! What is wrong, where, and what to do about it.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does not stop anything, but is worth knowing.
    Note,
    /// It works, but probably not as meant.
    Warning,
    /// It cannot be used.
    Error,
}

impl Severity {
    /// The word in messages and machine-readable output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A remark on one place of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is said of it; may be empty.
    pub text: String,
}

/// A change of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What it replaces.
    pub span: Span,
    /// What it puts there.
    pub text: String,
}

/// One finding about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code, such as `KQL001`: for documentation, tests and filters. Never reused.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where: the first label is the primary one. Empty if it concerns the text as a whole.
    pub labels: Vec<Label>,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// Changes that certainly mend it, together. Empty where a person has to decide.
    pub edits: Vec<Edit>,
}

impl Diagnostic {
    /// A finding at one place.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>, span: Span) -> Self {
        let label = Label { span, text: String::new() };
        Self { severity, code, message: message.into(), labels: vec![label], help: None, edits: Vec::new() }
    }

    /// A finding about the text as a whole.
    pub fn whole(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), labels: Vec::new(), help: None, edits: Vec::new() }
    }

    /// The same with words at the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a change that mends it.
    #[must_use]
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Whether output may use terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Coloured,
}

/// Prints a diagnostic about the text of `name` as a compiler does, ending in a line break.
pub fn render(diagnostic: &Diagnostic, name: &str, text: &str, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if diagnostic.labels.is_empty() {
        group = group.element(annotate_snippets::Origin::path(name));
    } else {
        let mut snippet = Snippet::source(text).path(name).fold(true);
        for (at, label) in diagnostic.labels.iter().enumerate() {
            let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let mut annotation = kind.span(clamp(label.span, text).range());
            if !label.text.is_empty() {
                annotation = annotation.label(label.text.as_str());
            }
            snippet = snippet.annotation(annotation);
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    format!("{}\n", renderer.decor_style(DecorStyle::Ascii).render(&[group]))
}

/// The span cut to the text and to character boundaries, so that printing cannot fail.
fn clamp(span: Span, text: &str) -> Span {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    Span { start, end: floor(span.end).max(start) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_like_a_compiler() {
        let text = "a: 1\nport: http\n";
        let found = Diagnostic::new(Severity::Error, "KQL010", "`port` is a number", Span::new(11, 15))
            .label("not a number")
            .help("write a number, such as `port: 443`");
        let printed = render(&found, "rule.toml", text, Style::Plain);
        assert_eq!(
            printed,
            "error[KQL010]: `port` is a number\n --> rule.toml:2:7\n  |\n2 | port: http\n  |       ^^^^ not a number\n  |\n  = help: write a number, such as `port: 443`\n"
        );
    }

    #[test]
    fn a_wrong_span_does_not_panic() {
        let found = Diagnostic::new(Severity::Warning, "X1", "odd", Span::new(1, 99)).label("here");
        assert!(render(&found, "x", "č", Style::Plain).contains("odd"));
        let whole = Diagnostic::whole(Severity::Note, "X2", "all of it");
        assert!(render(&whole, "rule.toml", "", Style::Plain).contains("rule.toml"));
    }
}
