//! What whoever reads the alerts must know besides: what was not read, what did not run, what was too much.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use detect::WarningKind;
use ecs::Millis;

use crate::run::{Found, RanRule, ReadReport, Refused};

/// Fewer matches are no noise, however few the records.
const NOISE_MIN: u64 = 100;

/// Something that whoever reads the alerts must know.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice<'a> {
    /// Something about the paths.
    Paths(&'a str),
    /// A part of the input could not be read: see [`ReadReport::troubles`].
    Troubles,
    /// Files, and no record in them.
    NoRecords,
    /// Records without a time of their own.
    Undated(u64),
    /// Documents without any field that a rule reads, of all records.
    Blind {
        /// How many.
        documents: u64,
        /// Nothing else was read.
        all: bool,
    },
    /// How often an event had more combinations of values than are tried for a condition over several fields, and none of
    /// those tried satisfied it.
    ChoicesCut(u64),
    /// Events that were delivered more than once.
    Duplicates(u64),
    /// Records of which nobody looked whether they can be read.
    SkippedUnread(u64),
    /// The first execution asked for lies after the last event.
    SinceAfterLast {
        /// The start asked for.
        since: Millis,
        /// The last event.
        last: Millis,
    },
    /// The last execution asked for lies before the first event.
    UntilBeforeFirst {
        /// The end asked for.
        until: Millis,
        /// The first event.
        first: Millis,
    },
    /// Files in folders that were passed over.
    SkippedFiles(u64),
    /// Members of archives that were passed over.
    SkippedMembers(u64),
    /// Files outside the time that matters.
    Pruned(u64),
    /// Rules that did not run, by reason: those that most rules share first.
    Refused(Vec<(&'a str, Vec<&'a str>)>),
    /// Rules whose index patterns name none of the indices that the records belong to.
    Elsewhere {
        /// Their names.
        rules: Vec<&'a str>,
        /// No rule reads anything.
        all: bool,
    },
    /// Rules that ask where addresses lie or whose they are, which no database tells.
    Unplaced(Vec<&'a str>),
    /// An exception that was not applied, and the rules it belongs to.
    Unapplied {
        /// Why.
        warning: &'a str,
        /// Their names.
        rules: Vec<&'a str>,
    },
    /// Executions that reached the rule's limit of alerts.
    Truncated {
        /// The rule's name.
        rule: &'a str,
        /// The limit.
        max_signals: u32,
        /// How many executions.
        executions: u64,
    },
    /// Rules that compare with a longer history than the data have, and alerted on what is new in it.
    ShortHistory {
        /// Their names.
        rules: Vec<&'a str>,
        /// What, with the longest history.
        kind: &'a WarningKind,
    },
    /// Something that concerns the executions of a rule as a whole.
    Warning {
        /// The rule's name.
        rule: &'a str,
        /// What.
        kind: &'a WarningKind,
    },
    /// A rule that matched more than one record in a hundred.
    Noisy {
        /// The rule's name.
        rule: &'a str,
        /// Events its filter let through.
        matched: u64,
        /// All records.
        records: u64,
    },
}

impl Notice<'_> {
    /// Whether it may have cost alerts.
    pub fn is_severe(&self) -> bool {
        match self {
            Self::Paths(_)
            | Self::Troubles
            | Self::NoRecords
            | Self::Undated(_)
            | Self::ChoicesCut(_)
            | Self::SinceAfterLast { .. }
            | Self::UntilBeforeFirst { .. }
            | Self::Refused(_)
            | Self::Unplaced(_)
            | Self::Unapplied { .. }
            | Self::Truncated { .. }
            | Self::Warning { .. } => true,
            // Of a whole collection most rules are about other things; of what somebody picked none should be.
            Self::Elsewhere { all, .. } | Self::Blind { all, .. } => *all,
            // A short history costs no alerts; there may be too many.
            Self::ShortHistory { .. }
            | Self::Duplicates(_)
            | Self::SkippedUnread(_)
            | Self::SkippedFiles(_)
            | Self::SkippedMembers(_)
            | Self::Pruned(_)
            | Self::Noisy { .. } => false,
        }
    }
}

impl Found {
    /// Whether some rule could see something of what was read: otherwise no alert means nothing.
    pub fn is_usable(&self) -> bool {
        let read = &self.read;
        let sees = |ran: &RanRule| read.indices.iter().any(|index| ran.rule.reads(index));
        read.records.readable() > read.blind && self.rules.iter().any(sees)
    }

    /// What whoever reads the alerts must know besides. `since` and `until` are what was asked for.
    pub fn notices(&self, since: Option<Millis>, until: Option<Millis>) -> Vec<Notice<'_>> {
        let mut notices = notices(&self.read, &self.rules, &self.refused, since, until);
        if !self.unplaced.is_empty() && self.read.records.readable() > 0 {
            notices.push(Notice::Unplaced(self.unplaced.iter().map(String::as_str).collect()));
        }
        notices
    }
}

fn notices<'a>(
    read: &'a ReadReport,
    rules: &'a [RanRule],
    refused: &'a [Refused],
    since: Option<Millis>,
    until: Option<Millis>,
) -> Vec<Notice<'a>> {
    let mut notices: Vec<Notice<'a>> = read.notices.iter().map(|it| Notice::Paths(it)).collect();
    let mut say = |when: bool, notice: Notice<'a>| notices.extend(when.then_some(notice));
    say(read.trouble_count > 0, Notice::Troubles);
    say(read.records.total() == 0 && read.files > 0, Notice::NoRecords);
    say(read.undated > 0, Notice::Undated(read.undated));
    let (blind, readable) = (read.blind, read.records.readable());
    say(blind > 0, Notice::Blind { documents: blind, all: blind == readable });
    say(read.choices_cut > 0, Notice::ChoicesCut(read.choices_cut));
    if let Some((first, last)) = read.span {
        if let Some(since) = since {
            say(since > last, Notice::SinceAfterLast { since, last });
        }
        if let Some(until) = until {
            say(until <= first, Notice::UntilBeforeFirst { until, first });
        }
    }
    say(read.skipped > 0, Notice::SkippedFiles(read.skipped));
    say(read.skipped_members > 0, Notice::SkippedMembers(read.skipped_members));
    say(read.pruned > 0, Notice::Pruned(read.pruned));
    say(read.records.duplicate > 0, Notice::Duplicates(read.records.duplicate));
    say(read.records.skipped_unread > 0, Notice::SkippedUnread(read.records.skipped_unread));
    say(!refused.is_empty(), Notice::Refused(by_reason(refused)));
    let sees = |ran: &RanRule| read.indices.iter().any(|index| ran.rule.reads(index));
    // What the others may raise is here, too, if it is nothing this time.
    let may_alert = rules.iter().any(sees);
    let elsewhere: Vec<&str> = rules
        .iter()
        .filter(|ran| !(sees(ran) || may_alert && rule::reads_alerts(&ran.rule)))
        .map(|ran| ran.rule.name.as_str())
        .collect();
    let all = elsewhere.len() == rules.len();
    say(!elsewhere.is_empty() && !read.indices.is_empty(), Notice::Elsewhere { rules: elsewhere, all });
    for (warning, rules) in unapplied(rules) {
        say(true, Notice::Unapplied { warning, rules });
    }
    let (mut short, mut longest): (Vec<&str>, Option<(Millis, &WarningKind)>) = (Vec::new(), None);
    for RanRule { rule, max_signals, outcome, .. } in rules {
        let rule = rule.name.as_str();
        let executions = outcome.metrics.truncated;
        say(executions > 0, Notice::Truncated { rule, max_signals: *max_signals, executions });
        for warning in outcome.warnings.iter().filter(|it| it.execution.is_none()) {
            // Said once of all rules.
            if let WarningKind::ShortHistory { history, .. } = warning.kind {
                short.push(rule);
                if longest.is_none_or(|(longest, _)| longest < history) {
                    longest = Some((history, &warning.kind));
                }
            } else {
                say(true, Notice::Warning { rule, kind: &warning.kind });
            }
        }
    }
    if let Some((_, kind)) = longest {
        say(true, Notice::ShortHistory { rules: short, kind });
    }
    let mut noisy: Vec<(u64, &str)> = rules
        .iter()
        // What a rule only counts makes no alert by itself, nor does what it suppresses.
        .filter(|ran| !matches!(ran.rule.kind, rule::RuleKind::Threshold(_)))
        .filter(|ran| ran.rule.alert_suppression.is_none())
        .map(|ran| (ran.outcome.metrics.matched, ran.rule.name.as_str()))
        .filter(|(matched, _)| {
            *matched >= NOISE_MIN && u128::from(*matched) * 100 > u128::from(read.records.total())
        })
        .collect();
    noisy.sort_by_key(|(matched, _)| Reverse(*matched));
    for (matched, rule) in noisy {
        say(true, Notice::Noisy { rule, matched, records: read.records.total() });
    }
    notices
}

/// Rules that did not run, by reason.
fn by_reason(refused: &[Refused]) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in refused {
        reasons.entry(&it.reason).or_default().push(&it.rule.name);
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, names)| Reverse(names.len()));
    reasons
}

/// What is said of exceptions that were not applied, each with the rules that it is said of: rules share lists.
fn unapplied(rules: &[RanRule]) -> BTreeMap<&str, Vec<&str>> {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ran in rules {
        for warning in &ran.warnings {
            said.entry(&warning.message).or_default().push(&ran.rule.name);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use detect::{Metrics, Outcome};

    use crate::run::Records;
    use rule::Rule;

    use super::*;

    fn rule(name: &str, index: &str) -> Arc<Rule> {
        let text = format!(
            "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
             query = \"a: b\"\nindex = [\"{index}\"]\n"
        );
        Arc::new(rule::load_text("a.toml", &text).rules.remove(0))
    }

    fn ran(name: &str, matched: u64, truncated: u64) -> RanRule {
        let metrics = Metrics { matched, truncated, ..Metrics::default() };
        let outcome = Outcome { metrics, ..Outcome::default() };
        RanRule { rule: rule(name, "logs-*"), max_signals: 100, outcome, warnings: Vec::new() }
    }

    fn records(unmatched: u64) -> Records {
        Records { unmatched, ..Records::default() }
    }

    fn read() -> ReadReport {
        let indices = vec![rule::CLOUDTRAIL_INDEX.to_owned()];
        ReadReport {
            files: 1,
            records: records(10_000),
            span: Some((1_000, 2_000)),
            indices,
            ..ReadReport::default()
        }
    }

    #[test]
    fn nothing_is_said_when_all_is_well() {
        assert_eq!(notices(&read(), &[ran("Quiet", 99, 0)], &[], Some(2_000), Some(1_001)), []);
    }

    #[test]
    fn a_rule_is_noisy_from_more_than_one_record_in_a_hundred_on() {
        let rules = [ran("No", 100, 0), ran("Loud", 101, 0), ran("Louder", 5_000, 0)];
        let read = read();
        let found = notices(&read, &rules, &[], None, None);
        let noisy = |at: usize| Notice::Noisy {
            rule: &rules[at].rule.name,
            matched: rules[at].outcome.metrics.matched,
            records: 10_000,
        };
        assert_eq!(found, [noisy(2), noisy(1)]);
        assert!(found.iter().all(|it| !it.is_severe()));
        // Of few records everything is more than one in a hundred.
        assert_eq!(
            notices(&ReadReport { records: records(99), ..read }, &[ran("Few", 99, 0)], &[], None, None),
            []
        );
    }

    #[test]
    fn what_was_not_read() {
        let read = ReadReport {
            undated: 1,
            choices_cut: 6,
            trouble_count: 2,
            loss_count: 2,
            skipped: 3,
            skipped_members: 4,
            pruned: 5,
            notices: vec!["path".to_owned()],
            ..read()
        };
        let found = notices(&read, &[], &[], Some(2_001), Some(999));
        let said: Vec<(Notice<'_>, bool)> =
            found.into_iter().map(|it| (it.clone(), it.is_severe())).collect();
        assert_eq!(
            said,
            [
                (Notice::Paths("path"), true),
                (Notice::Troubles, true),
                (Notice::Undated(1), true),
                (Notice::ChoicesCut(6), true),
                (Notice::SinceAfterLast { since: 2_001, last: 2_000 }, true),
                (Notice::UntilBeforeFirst { until: 999, first: 1_000 }, true),
                (Notice::SkippedFiles(3), false),
                (Notice::SkippedMembers(4), false),
                (Notice::Pruned(5), false),
            ]
        );
        let nothing = ReadReport { records: records(0), ..self::read() };
        assert_eq!(notices(&nothing, &[], &[], None, None), [Notice::NoRecords]);
    }

    #[test]
    fn what_did_not_run_or_stopped() {
        let refused = |name, reason: &str| Refused {
            rule: rule(name, "*"),
            reason: reason.to_owned(),
            diagnostics: Vec::new(),
        };
        let refused = [refused("A", "once"), refused("B", "twice"), refused("C", "twice")];
        let away = RanRule { rule: rule("Away", "mine-*"), ..ran("Away", 0, 0) };
        let over_alerts =
            || RanRule { rule: rule("Over alerts", ".alerts-security.*"), ..ran("Over alerts", 0, 0) };
        let rules = [ran("Full", 1, 7), away, over_alerts()];
        let read = read();
        assert_eq!(
            notices(&read, &rules, &refused, None, None),
            [
                Notice::Refused(vec![("twice", vec!["B", "C"]), ("once", vec!["A"])]),
                Notice::Elsewhere { rules: vec!["Away"], all: false },
                Notice::Truncated { rule: "Full", max_signals: 100, executions: 7 },
            ]
        );
        let alone = [over_alerts()];
        let all = notices(&read, &alone, &[], None, None);
        assert_eq!(
            all,
            [Notice::Elsewhere { rules: vec!["Over alerts"], all: true }],
            "nothing is ever raised"
        );
        let all = notices(&read, &rules[1..2], &[], None, None);
        assert_eq!(all, [Notice::Elsewhere { rules: vec!["Away"], all: true }]);
        assert!(all[0].is_severe());
    }
}
