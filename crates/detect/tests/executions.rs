//! Runs the cases of `cases/executions`: a schedule and events, the alerts they make.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fmt::Write;
use std::sync::Arc;

use detect::{
    Collector, DataSpan, Detail, EventInfo, KnownAlerts, Limits, Matches, Mode, Origin, Tail, Tails,
    WarningKind,
};
use ecs::date::DateMath;
use ecs::{Catalog, Millis, Scalar};
use rule::{AlertSuppression, Cardinality, MissingFields, NewTerms, Rule, RuleKind, Threshold};

/// 2026-03-01T00:00:00Z: the times of the cases are times of this day, `24:00:00` and later of the next.
const DAY: Millis = 1_772_323_200_000;

#[test]
fn cases() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in ["query", "new_terms", "threshold", "once", "suppression"] {
        let path = format!("{}/tests/cases/executions/{file}.txt", env!("CARGO_MANIFEST_DIR"));
        for case in std::fs::read_to_string(path).unwrap().split("\n\n") {
            let expected: Vec<&str> = case
                .lines()
                .filter(|it| ["alert", "truncated", "undated", "searched", "executions"].contains(&key(it).0))
                .collect();
            assert!(!expected.is_empty(), "{file}: {case}");
            let found = run(case);
            if found != expected {
                wrong.push(format!("{file}:\n{case}\nfound:\n{}", found.join("\n")));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seen > 20, "only {seen} cases");
}

fn key(line: &str) -> (&str, &str) {
    line.split_once(": ").unwrap_or((line, ""))
}

fn lines<'a>(case: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    case.lines().map(key).filter(move |(it, _)| *it == wanted).map(|(_, rest)| rest)
}

fn time(text: &str) -> Millis {
    let mut parts = text.split([':', '.']).map(|it| it.parse::<Millis>().unwrap());
    let mut next = || parts.next().unwrap_or(0);
    DAY + next() * 3_600_000 + next() * 60_000 + next() * 1_000 + next()
}

fn clock(time: Millis) -> String {
    let second = (time - DAY) / 1_000;
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

fn option<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(' ').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
}

fn rule(text: &str) -> Rule {
    let get = |name| option(text, name).unwrap_or_else(|| panic!("no {name} in {text}"));
    let file = format!(
        "[rule]\nrule_id = 'case'\nname = 'Case'\ndescription = 'Case.'\nseverity = 'low'\nrisk_score = 21\n\
         type = 'query'\nquery = 'event.action: *'\ninterval = '{}'\nfrom = '{}'\nto = '{}'\n",
        get("interval"),
        get("from"),
        get("to")
    );
    let mut rule = rule::load_text("case.toml", &file).rules.remove(0);
    rule.max_signals = option(text, "max").map_or(100, |it| it.parse().unwrap());
    let over = option(text, "override");
    rule.timestamp_override = over.map(|_| "event.ingested".to_owned());
    rule.timestamp_override_fallback_disabled = over == Some("only");
    if get("type") == "threshold" {
        let count: usize = get("fields").parse().unwrap();
        rule.kind = RuleKind::Threshold(Threshold {
            fields: ["user.name", "source.address"][..count].iter().map(|&it| it.to_owned()).collect(),
            value: get("value").parse().unwrap(),
            cardinality: option(text, "cardinality")
                .map(|it| Cardinality { field: "event.action".to_owned(), value: it.parse().unwrap() }),
        });
    }
    if get("type") == "new_terms" {
        let count: usize = get("fields").parse().unwrap();
        rule.kind = RuleKind::NewTerms(NewTerms {
            fields: ["user.name", "source.address", "event.action"][..count]
                .iter()
                .map(|&it| it.to_owned())
                .collect(),
            history_window_start: DateMath::of_rule(get("history")).unwrap(),
        });
    }
    let fields = [
        "cloud.region",
        "cloud.account.id",
        "aws.cloudtrail.flattened.request_parameters.key",
        "event.action",
        "event.id",
    ];
    let group_by = option(text, "group_by").map(|it| it.parse().unwrap());
    let duration = option(text, "duration").map(|it| it.parse().unwrap());
    if group_by.is_some() || duration.is_some() {
        rule.alert_suppression = Some(AlertSuppression {
            group_by: fields[..group_by.unwrap_or(0)].iter().map(|&it| it.to_owned()).collect(),
            duration,
            missing_fields: match option(text, "missing") {
                Some("doNotSuppress") => MissingFields::DoNotSuppress,
                _ => MissingFields::Suppress,
            },
        });
    }
    rule
}

fn matches(case: &str, tail: Tail) -> (Matches, DataSpan) {
    let tails = Arc::new(Tails::new(vec![tail]));
    let mut collector = Collector::new(Arc::clone(&tails));
    collector.name_indices(&["one".to_owned(), "two".to_owned()]);
    let mut times = Vec::new();
    for (ordinal, line) in lines(case, "event").enumerate() {
        let words: Vec<&str> = line.split(' ').filter(|it| !it.contains('=')).collect();
        let timestamp = time(words[0]);
        times.push(timestamp);
        let mut terms = Vec::new();
        for (&column, values) in tails.columns(0).iter().zip(&words[2..]) {
            let values = values.split(',').filter(|it| *it != "-");
            let mut term = |it: &str| collector.intern(column, Scalar::Str(it.trim_matches('"')));
            terms.push(values.filter_map(&mut term).collect::<Vec<_>>());
        }
        let terms: Vec<&[_]> = terms.iter().map(Vec::as_slice).collect();
        let index = option(line, "index").map_or(0, |it| it.parse().unwrap());
        let origin = Origin { input: 0, ordinal: ordinal as u64 };
        collector.event(EventInfo { id: words[1], index, timestamp, origin }).push(
            0,
            option(line, "over").map(time),
            &terms,
        );
    }
    let (first, last) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
    let span = DataSpan { first, last, complete_from: None };
    (collector.finish(), span)
}

fn run(case: &str) -> Vec<String> {
    let rule = rule(lines(case, "rule").next().unwrap());
    let bound = |name| lines(case, name).next().map(time);
    let (since, until) = (bound("since"), bound("until"));
    let mode = match lines(case, "mode").next() {
        Some("once") => Mode::Once { from: since, to: until },
        _ => Mode::Replay { since, until },
    };
    let (matches, span) = matches(case, Tail::new(&rule, mode, &Catalog::ecs()).unwrap());
    let mut known = KnownAlerts::default();
    let execute = |known: &KnownAlerts| matches.execute(0, span, known, Limits::default()).unwrap();
    for alert in execute(&known).alerts {
        if lines(case, "known").any(|it| said(&alert).ends_with(&format!(" {it}"))) {
            known.add_id(alert.id);
        }
    }
    let outcome = execute(&known);
    let mut all: Vec<String> = outcome.alerts.iter().map(said).collect();
    for warning in outcome.warnings {
        match warning.kind {
            WarningKind::AlertLimit => {
                all.push(format!("truncated: {}", clock(warning.execution.unwrap())));
            }
            WarningKind::ShortHistory { .. } => {}
            WarningKind::Undated { events, seen, .. } => {
                all.push(format!("undated: {events} besides {seen}"));
            }
            WarningKind::Unsearched { interval, searched } => {
                all.push(format!("searched: {searched} of {interval} ms"));
            }
            other => panic!("{other:?}"),
        }
    }
    all.push(format!("executions: {} of {}", outcome.executions.run, outcome.executions.total));
    // A second run over the same data with the alerts of the first raises none.
    for alert in outcome.alerts {
        known.add_id(alert.id);
    }
    if !all.iter().any(|it| it.starts_with("truncated")) {
        assert_eq!(execute(&known).alerts, []);
    }
    all
}

fn said(alert: &detect::AlertSeed) -> String {
    let mut text = format!("alert: {} {}", clock(alert.execution.started_at), alert.event.id);
    let groups = alert.suppressed.iter().filter(|_| !matches!(alert.detail, Detail::Threshold(_)));
    for (_, value) in groups.flat_map(|it| &it.terms) {
        match value.as_array().map(Vec::as_slice) {
            Some([value]) => write!(text, " {}", value.as_str().unwrap()).unwrap(),
            Some(values) => {
                let values: Vec<&str> = values.iter().map(|it| it.as_str().unwrap()).collect();
                write!(text, " [{}]", values.join(",")).unwrap();
            }
            None => write!(text, " {}", value.as_str().unwrap_or("null")).unwrap(),
        }
    }
    match &alert.detail {
        Detail::Event => {}
        Detail::Threshold(result) => {
            text = format!("alert: {} {} events", clock(alert.execution.started_at), result.count);
            if let Some((field, count)) = &result.cardinality {
                let _ = write!(text, ", {count} {field}");
            }
            let _ = write!(text, ", {} to {}", clock(result.from), clock(result.to));
            for (_, value) in &result.terms {
                let _ = write!(text, ", {}", value.as_str().unwrap());
            }
        }
        Detail::Row(row) => {
            for (name, value) in &row.columns {
                let _ = write!(text, " {name}={value}");
            }
        }
        Detail::Sequence(it) => {
            for event in it.present() {
                let _ = write!(text, " {}", event.event.id);
            }
        }
        Detail::NewTerms(terms) => {
            for term in terms {
                let term = term.as_str().unwrap();
                let _ = write!(text, " {}", if term.is_empty() { "\"\"" } else { term });
            }
        }
    }
    if let Some(it) = &alert.suppressed {
        let _ = write!(text, ", {} suppressed, {} to {}", it.docs_count, clock(it.start), clock(it.end));
    }
    text
}
