//! Broken records change nothing but the counts, whatever the rules. How a rule alerts does not depend on which others are
//! loaded, though they decide which records are parsed at all.

use hunt::ReadReport;
use proptest::prelude::*;
use rule::Rule;

use crate::setup::{
    Call, DAY_ONE, Folder, HOUR, Hunted, MINUTE, get_password_data, options, refused, rule, run,
};

/// What is wrong with a record.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// Nothing.
    Not,
    /// It ends in the middle.
    Cut,
    /// It has an escape that there is not.
    Escape,
    /// Brackets close what they did not open.
    Nesting,
    /// Something between two values is missing.
    Comma,
    /// It is no record of a trail.
    Foreign,
}

impl Broken {
    /// The record, its time before everything else or after it: only one that stands before what is broken can be told.
    fn line(self, call: &Call<'_>, time_first: bool) -> String {
        let mut text = call.record().to_string();
        if let (true, Some(at)) = (time_first, call.at) {
            let rest = Call { at: None, ..call.clone() }.record().to_string();
            text = format!("{{\"eventTime\":\"{}\",{}", ecs::date::to_iso(at), &rest[1..]);
        }
        let broken = match self {
            Self::Not => text,
            Self::Cut => text[..text.len() * 2 / 3].to_owned(),
            Self::Escape => text.replacen("i-0example", "i-0\\xexample", 1),
            Self::Nesting => text.replacen("},\"eventSource\"", "],\"eventSource\"", 1),
            Self::Comma => text.replacen(",\"eventSource\"", "\"eventSource\"", 1),
            Self::Foreign => r#"{"colour":"green"}"#.to_owned(),
        };
        broken + "\n"
    }
}

/// Rules that name their calls, so that other records are not parsed, and rules that look at all.
fn rules() -> Vec<Rule> {
    let query = |name: &str, query: &str| rule(name, &format!("type = \"query\"\nquery = \"{query}\"\n"));
    vec![
        get_password_data(),
        query("Described", "event.action: DescribeInstances and user.name: ci"),
        query("Started", "event.action: (RunInstances or StartInstances)"),
        query("Someone", "user.name: ops"),
        query("Unrefused", "not aws.cloudtrail.error_code: *"),
    ]
}

prop_compose! {
    fn record()(
        at in prop::option::weighted(0.9, 0..600_i64),
        action in prop::sample::select(vec!["GetPasswordData", "DescribeInstances", "RunInstances", "ListBuckets"]),
        role in prop::sample::select(vec!["ci", "ops"]),
        error in prop::sample::select(vec![None, Some("Client.UnauthorizedOperation")]),
        broken in prop::sample::select(vec![
            Broken::Not, Broken::Not, Broken::Not, Broken::Cut, Broken::Escape, Broken::Nesting, Broken::Comma,
            Broken::Foreign,
        ]),
        time_first in any::<bool>(),
    ) -> (Call<'static>, Broken, bool) {
        let at = at.map(|minutes| DAY_ONE + minutes * MINUTE);
        (Call { at, action, error, ..refused("", DAY_ONE, role) }, broken, time_first)
    }
}

/// The alerts of a rule, and what the hunt spans.
fn shown(found: &Hunted, name: &str) -> (Vec<String>, Option<(i64, i64)>, u64) {
    let ran = found.rules.iter().find(|ran| ran.rule.name == name).unwrap();
    let alerts = ran.outcome.alerts.iter().map(|seed| format!("{} {}", seed.id, seed.event.id)).collect();
    (alerts, found.read.span, found.read.undated)
}

/// Every line is a record in one of the numbers, or was no record and is a trouble.
fn assert_accounted(read: &ReadReport, lines: usize) {
    let unframed = read.trouble_count - read.records.unreadable;
    assert_eq!(read.records.total() + unframed, lines as u64, "{:?} {:?}", read.records, read.troubles);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_alerts_alone_as_it_does_among_others(
        records in prop::collection::vec(record(), 1..40),
        rules in prop::sample::subsequence(rules(), 1..=5),
    ) {
        let ids: Vec<String> =
            (0..records.len()).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect();
        let folder = Folder::new();
        let line = |((call, broken, first), id): (&(Call<'static>, Broken, bool), &String)| {
            broken.line(&Call { id, ..call.clone() }, *first)
        };
        folder.write("calls.ndjson", records.iter().zip(&ids).map(line).collect::<String>());
        let together = run(&options(&folder, &rules));
        assert_accounted(&together.read, records.len());
        for rule in &rules {
            let alone = run(&options(&folder, std::slice::from_ref(rule)));
            assert_accounted(&alone.read, records.len());
            prop_assert_eq!(shown(&alone, &rule.name), shown(&together, &rule.name), "{}", rule.name);
        }
    }
}

/// The last record is broken, and much later than the others: executions reach as far, whether or not it was parsed.
#[test]
fn the_time_of_a_broken_record_counts_for_everybody() {
    let folder = Folder::new();
    let late = Call { action: "ListBuckets", ..refused("2", DAY_ONE + 9 * HOUR, "ci") };
    folder.write("calls.ndjson", refused("1", DAY_ONE, "ci").line() + &Broken::Nesting.line(&late, true));
    let [named, other] = [get_password_data(), rules().remove(3)];
    let skipping = run(&options(&folder, std::slice::from_ref(&named)));
    let reading = run(&options(&folder, &[named, other]));
    assert_eq!((skipping.read.records.skipped_unread, skipping.read.records.unreadable), (1, 0));
    assert_eq!((reading.read.records.skipped_unread, reading.read.records.unreadable), (0, 1));
    for found in [skipping, reading] {
        assert_eq!(found.read.span, Some((DAY_ONE, DAY_ONE + 9 * HOUR)));
        assert_accounted(&found.read, 2);
    }
}
