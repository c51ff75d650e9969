//! What to write instead.

use super::{Finding, quoted};
use crate::attack;
use crate::index_pattern::CLOUDTRAIL_INDEX;

impl Finding {
    /// What to write instead.
    pub(super) fn help(&self) -> String {
        match self {
            Self::UnknownField { similar: Some(similar), .. } | Self::NearValue { similar, .. } => {
                format!("did you mean `{similar}`?")
            }
            Self::UnknownField { origin: "", .. } => "no document has it; check the spelling".to_owned(),
            Self::UnknownField { foreign: true, .. } => {
                "no field of ECS or of AWS CloudTrail begins so: in CloudTrail events it is always absent".to_owned()
            }
            Self::UnknownField { .. } => "in CloudTrail events it is always absent; check the spelling".to_owned(),
            Self::NoTime { .. } => "let `from` lie before `to`, as `from = \"now-6m\"` and `to = \"now\"` do".to_owned(),
            Self::Gap { window, interval, .. } => format!(
                "an execution reads {window} and the next comes {interval} later: let `from` reach back further than \
                 `interval`, or run it more often"
            ),
            Self::NoOverlap { interval, .. } => {
                format!("let `from` reach back some minutes further than the interval of {interval}")
            }
            Self::SeverityBand { severity, band, usual, .. } => {
                format!("write `risk_score = {usual}` for `{severity}`, or `severity = \"{band}\"`")
            }
            Self::NoAttackId { same_name: Some(id), .. } => format!("the id of that name is `{id}`"),
            Self::NoAttackId { .. } => "look it up on https://attack.mitre.org, it may be newer than the table here".to_owned(),
            Self::RevokedAttackId { replacement, name, .. } => {
                format!("write `id = \"{replacement}\"`, `name = \"{name}\"`")
            }
            Self::DeprecatedAttackId { .. } => "map the rule to a technique that is still there".to_owned(),
            Self::AttackName { expected, .. } => {
                let newest = expected.last().map_or("", |(_, name)| name);
                format!("write `name = \"{newest}\"`")
            }
            Self::AttackId { meant, .. } => format!("write `id = \"{meant}\"`"),
            Self::OutsideTactic { belongs_to, .. } => format!("it belongs to {}", belongs_to.join(", ")),
            Self::OtherEdition { version, belongs_to, .. } => {
                format!("follow one version: in {version} it belongs to {}", belongs_to.join(", "))
            }
            Self::OutsideTechnique { sub, .. } => {
                let technique = sub.split('.').next().unwrap_or_default();
                format!("put it below the technique `{technique}`")
            }
            Self::AttackReference { id, .. } => format!("write `reference = \"{}\"`", attack::reference(id)),
            Self::SameId { .. } => "give one of them another UUID, or remove it: alerts of both would be mixed up".to_owned(),
            Self::SameQuery { .. } => "remove one, or say in the names what differs".to_owned(),
            Self::TooManySignals { limit, .. } => {
                format!("write `max_signals = {limit}` or less")
            }
            Self::NothingRead { .. } => {
                format!("CloudTrail is read as `{CLOUDTRAIL_INDEX}`: add `logs-aws.cloudtrail-*`")
            }
            Self::NoIndex { .. } => "write `index = [\"logs-aws.cloudtrail-*\"]`".to_owned(),
            Self::DataView { has_index: true, .. } => "`index` is used instead".to_owned(),
            Self::DataView { .. } => "write the patterns of the view as `index`: without them, all indices are read".to_owned(),
            Self::Cluster { .. } => "leave it out, unless the rule also goes to a cluster".to_owned(),
            Self::FieldType { wanted, .. } => format!("use {wanted}"),
            Self::BlockWindow { wanted, .. } => format!("write `from = \"now-{wanted}\"` or earlier"),
            Self::BlockInterval { wanted, .. } => format!("write `interval = \"{wanted}\"` or longer"),
            Self::BadReference { .. } => "write a whole address, such as `https://example.com/page`".to_owned(),
            Self::Name { .. } => {
                "begin with a letter or digit and end with one or a bracket, as the public rules do".to_owned()
            }
            Self::NoRuleId { .. } => {
                "add `rule_id = \"…\"` with a new UUID: without it, renaming the rule makes it another rule".to_owned()
            }
            Self::NotUuid { .. } => "best use a new UUID: other tools ask for one".to_owned(),
            Self::NoProse { .. } => {
                "whoever gets the alert asks what it means (`references`, `[[rule.threat]]`) and what to do (`[guide]`)"
                    .to_owned()
            }
            Self::SavedId { .. } => "remove it, or write `type = \"saved_query\"`".to_owned(),
            Self::OnlyFirst { .. } => "remove the others".to_owned(),
            Self::LongSpan { .. } => {
                "let `from` reach back by `maxspan` and one `interval` more, or shorten `maxspan`".to_owned()
            }
            Self::ShortHistory { .. } => {
                "let `history_window_start` reach back some days: what did not happen for so short a time is seldom new"
                    .to_owned()
            }
            Self::Expired { .. } => "remove it, or move `expire_time` if it still holds".to_owned(),
            Self::NoWildcard { .. } => "write `\"type\": \"match\"`, or put `*` where anything may stand".to_owned(),
            Self::LiteralAsterisk { .. } => "write `\"type\": \"wildcard\"` if it should stand for anything".to_owned(),
            Self::NotApplied { .. } => "rules that name its list alert on what it should except".to_owned(),
            Self::IndexSlip { usual, .. } => format!("write `{usual}`"),
            Self::OwnName { fields, .. } => format!("write {}", quoted(fields, " or ")),
            Self::NeverFilled { fields, .. } if fields.is_empty() => {
                "where it is asked for, nothing matches; remove it, or read another index".to_owned()
            }
            Self::NeverFilled { fields, .. } => format!("did you mean {}?", quoted(fields, " or ")),
            Self::NoSuchValue { instead: Some(instead), .. }
            | Self::LetterCase { instead, .. }
            | Self::NoHost { instead, .. } => format!("write `{instead}`"),
            Self::NoSuchValue { allowed, .. } => format!("it can only be {}", quoted(allowed, ", ")),
            Self::NeverHolds { found, .. } => format!("they have {}", found.join("; ")),
            Self::NothingGives { rules, .. } => format!(
                "none of the {rules} loaded with it has what the query asks of `kibana.alert.rule.…` and the like; it \
                 sees alerts of rules that run in the same hunt, and those in the data"
            ),
            Self::CountedGroup { .. } => "count the values of another field, or do not group by this one".to_owned(),
            Self::NoCardinality { .. } => "ask for two or more, or remove it".to_owned(),
            Self::OneEvent { .. } => {
                "write `type = \"query\"` for an alert on each event, or `field` to have one for each value".to_owned()
            }
            Self::NoCaseValue { similar: Some(similar), .. } => format!("did you mean `case.{similar}`?"),
            Self::NoCaseValue { .. } => "the values of a case are listed in docs/investigation.md".to_owned(),
            Self::CountedInParts { interval, .. } => format!(
                "what goes on over the end of an execution is counted in parts: let `from` reach back twice as far as \
                 the interval of {interval}, or further"
            ),
            Self::ShortWindow { .. } => {
                "no alert of another execution is suppressed: make it longer than the interval, or leave it out where \
                 the rule's type allows that"
                    .to_owned()
            }
            Self::BrokenInquiry { .. } => {
                "whoever follows the guide gets nothing from it: mend it, or remove it".to_owned()
            }
            Self::EverySession { .. } => {
                "write `trailwarden.identity.root.arn`, which is who is behind the session; or `user.name`, the role"
                    .to_owned()
            }
            Self::NoOverride { .. } => {
                "remove `timestamp_override`, or let `timestamp_override_fallback_disabled` be false".to_owned()
            }
        }
    }
}
