//! The findings, in words.

use span::{Diagnostic, Label, Severity, Span};

use crate::attack::{self, newest, versions};
use crate::duration::words;

mod help;

/// What a rule may suffer from. Each variant carries the place to underline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Finding {
    #[error("unknown field `{field}`")]
    UnknownField {
        field: String,
        similar: Option<String>,
        /// Nothing that is known begins as it does.
        foreign: bool,
        /// Where the events come from, if that is known.
        origin: &'static str,
        span: Span,
    },
    #[error("nothing lies between `from`, `{from}`, and `to`, `{to}`")]
    NoTime { from: String, to: String, span: Span },
    #[error("{gap} of every {interval} are never searched")]
    Gap { interval: String, window: String, gap: String, span: Span, interval_span: Option<Span> },
    #[error("executions do not overlap, so events that arrive late are missed")]
    NoOverlap { interval: String, span: Span },
    #[error("severity `{severity}` does not go with risk score {risk_score}")]
    SeverityBand { severity: &'static str, risk_score: u8, band: &'static str, usual: u8, span: Span },
    #[error("there is no `{id}` in ATT&CK {}", versions())]
    NoAttackId { id: String, same_name: Option<&'static str>, span: Span },
    #[error("`{id}` was revoked: `{replacement}` took its place in ATT&CK {}", newest().version)]
    RevokedAttackId { id: String, replacement: &'static str, name: &'static str, span: Span },
    #[error("`{id}` is no longer part of ATT&CK")]
    DeprecatedAttackId { id: String, span: Span },
    #[error("`{id}` is called {}, not `{found}`", names(expected))]
    AttackName {
        id: String,
        expected: Vec<(&'static str, &'static str)>,
        found: String,
        /// The page is that of the id.
        certain: bool,
        span: Span,
    },
    #[error("name and page are those of `{meant}`, not of `{id}`")]
    AttackId { id: String, name: String, meant: &'static str, span: Span },
    #[error("`{technique}` does not belong to the tactic `{tactic}` in ATT&CK {version}")]
    OutsideTactic {
        technique: String,
        tactic: String,
        version: &'static str,
        belongs_to: Vec<String>,
        span: Span,
    },
    #[error("`{id}` is of ATT&CK {version}, the tactic `{tactic}` of {tactic_version}")]
    OtherEdition {
        id: String,
        version: &'static str,
        tactic: String,
        tactic_version: &'static str,
        belongs_to: Vec<String>,
        span: Span,
    },
    #[error("`{sub}` is no sub-technique of `{technique}`")]
    OutsideTechnique { sub: String, technique: String, span: Span },
    #[error("this is not the page of `{id}`")]
    AttackReference {
        id: String,
        /// The name is that of the id.
        certain: bool,
        span: Span,
    },
    #[error("`{rule_id}` is the `rule_id` of `{other}`, too")]
    SameId { rule_id: String, other: String, span: Span },
    #[error("`{other}` has the same query")]
    SameQuery { other: String, span: Span },
    #[error("{max_signals} alerts an execution are more than the {limit} that will be written")]
    TooManySignals { max_signals: u32, limit: u32, span: Span },
    #[error("no index pattern of the rule names anything that is read here")]
    NothingRead { span: Span },
    #[error("the rule names no index and reads all of them")]
    NoIndex { span: Span },
    #[error("data views are not known here")]
    DataView { has_index: bool, span: Span },
    #[error("the cluster `{cluster}` before an index pattern is not looked at")]
    Cluster { cluster: String, span: Span },
    #[error("`{field}` is of type `{ty}` and cannot be {purpose}")]
    FieldType { field: String, ty: &'static str, purpose: &'static str, wanted: &'static str, span: Span },
    #[error("a building block should read at least {wanted} of time, not {found}")]
    BlockWindow { wanted: String, found: String, span: Span },
    #[error("a building block should run at most once in {wanted}, not every {found}")]
    BlockInterval { wanted: String, found: String, span: Span },
    #[error("this is no address: {reason}")]
    BadReference { reason: &'static str, span: Span },
    #[error("the name {problem}")]
    Name { problem: &'static str, span: Span },
    #[error("the rule has no `rule_id`")]
    NoRuleId { span: Span },
    #[error("`{rule_id}` is no UUID")]
    NotUuid { rule_id: String, span: Span },
    #[error("the rule has no {}", missing.join(", no "))]
    NoProse { missing: Vec<&'static str>, span: Span },
    #[error("`saved_id` has no effect in a rule of type `{type_name}`")]
    SavedId { type_name: &'static str, span: Span },
    #[error("only the first of the {count} items of `{field}` counts")]
    OnlyFirst { field: &'static str, count: usize, span: Span },
    #[error("the history is only {history} longer than the time that is searched")]
    ShortHistory { history: String, span: Span },
    #[error("a sequence may take {maxspan}, and an execution reads {window}: longer ones are never seen")]
    LongSpan { maxspan: String, window: String, span: Span },
    #[error("the exception ended at {time}")]
    Expired { time: String, span: Span },
    #[error("the pattern `{value}` has no wildcard")]
    NoWildcard { value: String, span: Span },
    #[error("the asterisk of `{value}` stands for itself")]
    LiteralAsterisk { value: String, span: Span },
    #[error("the exception cannot be applied: {reason}")]
    NotApplied { reason: String, span: Span },
    #[error("`{pattern}` is nearly the name of CloudTrail's index")]
    IndexSlip { pattern: String, usual: &'static str, span: Span },
    #[error("`{field}` is what {origin} calls it in its records: no event has such a field")]
    OwnName { field: String, origin: &'static str, fields: Vec<String>, span: Span },
    #[error("events of {origin} never have `{field}`")]
    NeverFilled { field: String, origin: &'static str, fields: Vec<String>, span: Span },
    #[error("`{field}` is never `{value}`")]
    NoSuchValue { field: String, value: String, allowed: Vec<String>, instead: Option<String>, span: Span },
    #[error("`{field}` is written `{known}`, not `{value}`, and letter case counts")]
    LetterCase { field: String, value: String, known: String, instead: String, span: Span },
    #[error("`{field}` names the host of a service, never `{value}`")]
    NoHost { field: String, value: String, instead: String, certain: bool, span: Span },
    #[error("`{value}` differs by one letter from a name that `{field}` is known to hold")]
    NearValue { field: String, value: String, similar: String, span: Span },
    #[error("`{field}` has one value in each group, so that counting its values asks nothing")]
    CountedGroup { field: String, span: Span },
    #[error("that `{field}` has {value} values at least asks next to nothing")]
    NoCardinality { field: String, value: u64, span: Span },
    #[error("one event, of whatever group, is enough: this counts nothing")]
    OneEvent { span: Span },
    #[error("an execution counts {window}, and every {interval} the next begins")]
    CountedInParts { window: String, interval: String, span: Span },
    #[error("an alert suppresses others for {duration}, and the next execution begins {interval} after it")]
    ShortWindow { duration: String, interval: String, span: Span },
    #[error("a case has no value `{name}`, so that nothing takes the place of the placeholder")]
    NoCaseValue { name: String, similar: Option<String>, span: Span },
    #[error("the query `{label}` of the guide cannot be asked: {flaw}")]
    BrokenInquiry { label: String, flaw: String, span: Span },
    #[error("`{field}` is another for each session of a role, so that every session is new")]
    EverySession { field: String, span: Span },
    #[error("no event of {origin} has `{field}`, so that the rule sees none")]
    NoOverride { field: String, origin: &'static str, span: Span },
    #[error(
        "of the records that were tried, {missed} satisfy all but `{clause}`, and none satisfies that too"
    )]
    NeverHolds { clause: String, missed: u64, found: Vec<String>, span: Span },
    #[error("no other rule here raises an alert that this one could match")]
    NothingGives { rules: usize, span: Span },
}

impl Finding {
    /// A stable code. Codes are never reused.
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } => "RULE101",
            Self::NoTime { .. } => "RULE102",
            Self::Gap { .. } => "RULE103",
            Self::NoOverlap { .. } => "RULE104",
            Self::SeverityBand { .. } => "RULE105",
            Self::NoAttackId { .. } => "RULE106",
            Self::RevokedAttackId { .. } => "RULE107",
            Self::DeprecatedAttackId { .. } => "RULE108",
            Self::AttackName { .. } => "RULE109",
            Self::OutsideTactic { .. } => "RULE110",
            Self::OutsideTechnique { .. } => "RULE111",
            Self::AttackReference { .. } => "RULE112",
            Self::SameId { .. } => "RULE113",
            Self::SameQuery { .. } => "RULE114",
            Self::TooManySignals { .. } => "RULE115",
            Self::NothingRead { .. } => "RULE116",
            Self::NoIndex { .. } => "RULE117",
            Self::DataView { .. } => "RULE118",
            Self::Cluster { .. } => "RULE119",
            Self::FieldType { .. } => "RULE120",
            Self::BlockWindow { .. } => "RULE121",
            Self::BlockInterval { .. } => "RULE122",
            Self::BadReference { .. } => "RULE123",
            Self::Name { .. } => "RULE124",
            Self::NoRuleId { .. } => "RULE125",
            Self::NotUuid { .. } => "RULE126",
            Self::NoProse { .. } => "RULE127",
            // RULE128 is what `crate::support` tells now.
            Self::SavedId { .. } => "RULE129",
            Self::OnlyFirst { .. } => "RULE130",
            Self::ShortHistory { .. } => "RULE131",
            Self::LongSpan { .. } => "RULE160",
            Self::Expired { .. } => "RULE132",
            Self::NoWildcard { .. } => "RULE133",
            Self::LiteralAsterisk { .. } => "RULE134",
            Self::NotApplied { .. } => "RULE135",
            Self::AttackId { .. } => "RULE140",
            Self::OtherEdition { .. } => "RULE141",
            Self::IndexSlip { .. } => "RULE142",
            Self::OwnName { .. } => "RULE143",
            Self::NeverFilled { .. } => "RULE144",
            Self::NoSuchValue { .. } => "RULE145",
            Self::LetterCase { .. } => "RULE146",
            Self::NoHost { .. } => "RULE147",
            Self::NearValue { .. } => "RULE148",
            Self::NoOverride { .. } => "RULE149",
            Self::NeverHolds { .. } => "RULE170",
            Self::NothingGives { .. } => "RULE171",
            // RULE150 is told by `ignore`.
            Self::CountedGroup { .. } => "RULE151",
            Self::NoCardinality { .. } => "RULE152",
            Self::OneEvent { .. } => "RULE153",
            Self::CountedInParts { .. } => "RULE154",
            Self::ShortWindow { .. } => "RULE155",
            Self::NoCaseValue { .. } => "RULE180",
            Self::BrokenInquiry { .. } => "RULE181",
            Self::EverySession { .. } => "RULE161",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Self::NoTime { .. } | Self::SameId { .. } => Severity::Error,
            Self::UnknownField { foreign: true, .. }
            | Self::NoOverlap { .. }
            | Self::NoIndex { .. }
            | Self::NothingRead { .. }
            | Self::Cluster { .. }
            | Self::Name { .. }
            | Self::NotUuid { .. }
            | Self::NoProse { .. }
            | Self::SavedId { .. }
            | Self::BlockWindow { .. }
            | Self::BlockInterval { .. }
            | Self::Expired { .. }
            | Self::LiteralAsterisk { .. }
            | Self::NearValue { .. }
            | Self::NoCardinality { .. }
            | Self::OneEvent { .. }
            | Self::CountedInParts { .. }
            | Self::DataView { has_index: true, .. } => Severity::Note,
            Self::UnknownField { .. }
            | Self::Gap { .. }
            | Self::SeverityBand { .. }
            | Self::NoAttackId { .. }
            | Self::RevokedAttackId { .. }
            | Self::DeprecatedAttackId { .. }
            | Self::AttackName { .. }
            | Self::AttackId { .. }
            | Self::OtherEdition { .. }
            | Self::OutsideTactic { .. }
            | Self::OutsideTechnique { .. }
            | Self::AttackReference { .. }
            | Self::SameQuery { .. }
            | Self::TooManySignals { .. }
            | Self::DataView { .. }
            | Self::FieldType { .. }
            | Self::BadReference { .. }
            | Self::NoRuleId { .. }
            | Self::OnlyFirst { .. }
            | Self::ShortHistory { .. }
            | Self::LongSpan { .. }
            | Self::NoWildcard { .. }
            | Self::IndexSlip { .. }
            | Self::OwnName { .. }
            | Self::NeverFilled { .. }
            | Self::NoSuchValue { .. }
            | Self::LetterCase { .. }
            | Self::NoHost { .. }
            | Self::NoOverride { .. }
            | Self::NeverHolds { .. }
            | Self::NothingGives { .. }
            | Self::CountedGroup { .. }
            | Self::ShortWindow { .. }
            | Self::NoCaseValue { .. }
            | Self::BrokenInquiry { .. }
            | Self::EverySession { .. }
            | Self::NotApplied { .. } => Severity::Warning,
        }
    }

    fn span(&self) -> Span {
        match self {
            Self::UnknownField { span, .. }
            | Self::NoTime { span, .. }
            | Self::Gap { span, .. }
            | Self::NoOverlap { span, .. }
            | Self::SeverityBand { span, .. }
            | Self::NoAttackId { span, .. }
            | Self::RevokedAttackId { span, .. }
            | Self::DeprecatedAttackId { span, .. }
            | Self::AttackName { span, .. }
            | Self::AttackId { span, .. }
            | Self::OtherEdition { span, .. }
            | Self::OutsideTactic { span, .. }
            | Self::OutsideTechnique { span, .. }
            | Self::AttackReference { span, .. }
            | Self::SameId { span, .. }
            | Self::SameQuery { span, .. }
            | Self::TooManySignals { span, .. }
            | Self::NothingRead { span }
            | Self::NoIndex { span }
            | Self::DataView { span, .. }
            | Self::Cluster { span, .. }
            | Self::FieldType { span, .. }
            | Self::BlockWindow { span, .. }
            | Self::BlockInterval { span, .. }
            | Self::BadReference { span, .. }
            | Self::Name { span, .. }
            | Self::NoRuleId { span }
            | Self::NotUuid { span, .. }
            | Self::NoProse { span, .. }
            | Self::SavedId { span, .. }
            | Self::OnlyFirst { span, .. }
            | Self::ShortHistory { span, .. }
            | Self::LongSpan { span, .. }
            | Self::Expired { span, .. }
            | Self::NoWildcard { span, .. }
            | Self::LiteralAsterisk { span, .. }
            | Self::IndexSlip { span, .. }
            | Self::OwnName { span, .. }
            | Self::NeverFilled { span, .. }
            | Self::NoSuchValue { span, .. }
            | Self::LetterCase { span, .. }
            | Self::NoHost { span, .. }
            | Self::NearValue { span, .. }
            | Self::NoOverride { span, .. }
            | Self::NeverHolds { span, .. }
            | Self::NothingGives { span, .. }
            | Self::CountedGroup { span, .. }
            | Self::NoCardinality { span, .. }
            | Self::OneEvent { span }
            | Self::CountedInParts { span, .. }
            | Self::ShortWindow { span, .. }
            | Self::NoCaseValue { span, .. }
            | Self::BrokenInquiry { span, .. }
            | Self::EverySession { span, .. }
            | Self::NotApplied { span, .. } => *span,
        }
    }

    /// What certainly mends it: the place and what to put there.
    fn edit(&self) -> Option<(Span, String)> {
        let value = |span: Span, text: &str| Some((span, serde_json::to_string(text).ok()?));
        if let Self::AttackName { expected, certain: true, span, .. } = self {
            let [(_, first), rest @ ..] = expected.as_slice() else { return None };
            return if rest.iter().all(|(_, name)| name == first) { value(*span, first) } else { None };
        }
        if let Self::AttackReference { id, certain: true, span } = self {
            return value(*span, &attack::reference(id));
        }
        if let Self::AttackId { meant, span, .. } = self {
            return value(*span, meant);
        }
        if let Self::NoSuchValue { instead: Some(instead), span, .. }
        | Self::LetterCase { instead, span, .. }
        | Self::NoHost { instead, certain: true, span, .. } = self
        {
            return Some((*span, instead.clone()));
        }
        None
    }

    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::new(self.severity(), self.code(), self.to_string(), self.span()).help(self.help());
        if let Some((span, text)) = self.edit() {
            diagnostic = diagnostic.edit(span, text);
        }
        if let Self::Gap { interval_span: Some(span), .. } = self {
            diagnostic
                .labels
                .push(Label { span: *span, text: "the next execution begins so much later".to_owned() });
        }
        diagnostic
    }
}

/// Texts in backquotes.
fn quoted(texts: &[String], between: &str) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(between)
}

/// What an id is called: each name with the version that calls it so, if they differ.
fn names(expected: &[(&str, &str)]) -> String {
    let (_, newest) = expected.last().copied().unwrap_or_default();
    if expected.iter().all(|(_, name)| *name == newest) {
        return format!("`{newest}` in ATT&CK");
    }
    let each: Vec<String> =
        expected.iter().map(|(version, name)| format!("`{name}` in ATT&CK {version}")).collect();
    each.join(" and ")
}

/// A time in words, for findings.
pub(super) fn time(millis: ecs::Millis) -> String {
    words(millis)
}
