//! The guide of a rule: steps for people that are also data, so that they can be executed on an alert.

use crate::When;

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// A name that stays: `identity`. Facts, tests and `--step` refer to it.
    pub id: Option<String>,
    /// Case values that must be there.
    pub uses: Vec<String>,
    /// A computation that is more than a query.
    pub builtin: Option<Builtin>,
    /// Queries that show the evidence for this step.
    pub queries: Vec<StepQuery>,
    /// A command to run, with `{{field}}` for values of the alert. Never run unasked.
    pub command: Option<String>,
    /// Of a step of response: when it is indicated. Without it always.
    pub when: Option<When>,
    /// Why it is done. Markdown, as what follows.
    pub reason: Option<String>,
    /// What stops working.
    pub breaks: Option<String>,
    /// How to take it back.
    pub undo: Option<String>,
    /// Permissions that the commands need.
    pub needs: Vec<String>,
    /// How to see that it worked.
    pub verify: Option<String>,
    /// Its place in the order of phases, 0 to 7.
    pub phase: Option<u8>,
    /// What its commands do.
    pub risk: Option<Risk>,
}

/// A query of a step, with `{{field}}` for values of the alert and `{{case.name}}` for those of the case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepQuery {
    /// A name that stays, such as `assumers`.
    pub id: Option<String>,
    /// `kuery` and so on, as in rules.
    pub language: String,
    /// The text.
    pub query: String,
    /// How far before the alert's first event it looks, such as `24h`.
    pub before: String,
    /// How far after the alert's last event it looks.
    pub after: String,
    /// Which fields to show.
    pub columns: Vec<String>,
    /// How to show what is found.
    pub show: Show,
    /// At most so many rows.
    pub limit: Option<u32>,
    /// Where it looks.
    pub scope: Scope,
}

/// Enums that are words in rule files.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_about])* $variant,)* }

        impl $name {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The words for them.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word in rule files.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What that word stands for.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == name)
            }
        }
    };
}

words! {
    /// A computation of a step that is more than a query.
    Builtin {
        /// Who is behind a session, call by call up to the head.
        SessionChain = "session-chain",
        /// Why calls were refused.
        RefusalReason = "refusal-reason",
        /// How the session differs from what the role did before.
        RoleBaseline = "role-baseline",
        /// What is known of the instances.
        InstanceStory = "instance-story",
        /// Which sessions the credentials led to.
        SessionReach = "session-reach",
        /// Where the call came from, and whether the credentials can be there.
        Origin = "origin",
        /// How common the call, the address, the agent, the identity and the objects are.
        Prevalence = "prevalence",
    }
}

words! {
    /// How the events that a query finds are shown.
    #[derive(Default)]
    Show {
        /// A row an event.
        #[default]
        Table = "table",
        /// How many there are.
        Count = "count",
        /// In order, equal calls in a row folded.
        Timeline = "timeline",
        /// The distinct values with count, first and last.
        Values = "values",
        /// What is new in the session against what was before.
        Compare = "compare",
        /// A line a hop.
        Chain = "chain",
    }
}

words! {
    /// Where a query looks.
    #[derive(Default)]
    Scope {
        /// In the account of the alert.
        #[default]
        Account = "account",
        /// In all accounts and regions.
        All = "all",
        /// In the account and region of the alert.
        Region = "region",
    }
}

words! {
    /// What the commands of a step do.
    Risk {
        /// They only look.
        Read = "read",
        /// They change something that can be changed back.
        Reversible = "reversible",
        /// They remove something for good.
        Destructive = "destructive",
    }
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
