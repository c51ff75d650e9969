//! The guide of a rule: steps for people that are also data, so that they can be executed on an alert.

/// How to triage an alert, what may be a false positive, how to respond.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guide {
    /// What an alert of this rule means. Markdown.
    pub overview: Option<String>,
    /// What to look at, in order.
    pub triage: Vec<Step>,
    /// What is harmless and how to tell.
    pub false_positives: Vec<Note>,
    /// What to do if it is real, in order.
    pub response: Vec<Step>,
}

/// A heading and prose.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: String,
}

/// One step of triage or response.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// A query that shows the evidence for this step.
    pub query: Option<StepQuery>,
    /// A command to run, with `{{field}}` for values of the alert. Never run unasked.
    pub command: Option<String>,
}

/// A query of a step, with `{{field}}` for values of the alert.
#[derive(Clone, Debug, PartialEq)]
pub struct StepQuery {
    /// `kuery` and so on, as in rules.
    pub language: String,
    /// The text.
    pub query: String,
    /// How far before the alert's event it looks, such as `24h`.
    pub before: String,
    /// How far after the alert's event it looks.
    pub after: String,
    /// Which fields to show.
    pub columns: Vec<String>,
}

/// A language that guides are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese (`zh-CN`).
    SimplifiedChinese,
}

impl Language {
    /// All.
    pub const ALL: [Self; 2] = [Self::English, Self::SimplifiedChinese];

    /// The tag: `en`, `zh-CN`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::SimplifiedChinese => "zh-CN",
        }
    }

    /// The language of that tag, whatever its case.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag))
    }
}
