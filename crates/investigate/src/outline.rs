//! What is said of an alert as a whole: one sentence, and the grade that decides about the plan.

use rule::GuideLanguage;

use crate::case::Case;
use crate::event::Field;
use crate::evidence::Fact;
use crate::look::{Look, short, time};
use crate::say::say;
use crate::{fill, related};

/// The fields of an alert, besides the values of its case, that its sentence is made of.
pub(crate) const READ: [&str; 2] =
    ["kibana.alert.threshold_result.count", "kibana.alert.rule.parameters.index"];

/// Who did what to what, when, from where.
pub(crate) fn sentence(case: &Case, facts: &[Fact], l: GuideLanguage) -> String {
    let Some(anchor) = case.anchor() else { return say!(l, "Nothing is known of the alert.") };
    let who = match case.get("session_name") {
        "" => fill::shown(short(anchor.identity())),
        session => {
            say!(l, "{} (session {})", fill::shown(short(anchor.identity())), fill::shown(session))
        }
    };
    let text = |name: &str| {
        facts.iter().find(|it| it.name == name).and_then(|it| it.value.as_str()).unwrap_or_default()
    };
    let who = match text("root_identity") {
        "" => who,
        root if root == anchor.identity() => who,
        root => say!(l, "{}, for {},", who, fill::shown(short(root))),
    };
    let object = match case.all("instances") {
        [] => match related::object_of(anchor) {
            "" => String::new(),
            object => say!(l, " for {}", fill::shown(object)),
        },
        [one] => say!(l, " for {}", fill::shown(one)),
        [first, rest @ ..] => say!(l, " for {} and {} more", fill::shown(first), rest.len()),
    };
    let from = match case.get("src") {
        "" => String::new(),
        src => say!(l, " from {}", fill::shown(src)),
    };
    let calls = facts.iter().find(|it| it.name == "calls").and_then(|it| it.value.as_u64()).unwrap_or(1);
    let times = if calls > 1 { say!(l, ", in all {|time|times}", calls) } else { String::new() };
    let (call, at) = (fill::shown(&anchor.call()), time(case.first));
    let (region, account) = (fill::shown(case.get("region")), fill::shown(case.get("account")));
    if case.is_bare {
        let count = case.values.first(READ[0]).unwrap_or("1");
        let indices = case.values.get(READ[1]);
        let is_of_alerts = indices.iter().any(|it| it.starts_with(".alerts-"));
        let what =
            if is_of_alerts { say!(l, "{|alert|alerts}", count) } else { say!(l, "{|event|events}", count) };
        let (from, to) = (time(case.first), time(case.last));
        return say!(l, "{} about {} from {} to {} UTC, in account {}.", what, who, from, to, account);
    }
    match anchor.get(Field::ErrorCode) {
        "" => say!(
            l,
            "{} called {}{} and was answered at {} UTC{}, in {} of account {}{}.",
            who,
            call,
            object,
            at,
            from,
            region,
            account,
            times
        ),
        code => say!(
            l,
            "{} called {}{} and was refused ({}) at {} UTC{}, in {} of account {}{}.",
            who,
            call,
            object,
            fill::shown(code),
            at,
            from,
            region,
            account,
            times
        ),
    }
}

/// How bad it is, by facts only.
pub(crate) fn grade(look: &mut Look<'_>) {
    let l = look.language;
    let number = |name: &str| {
        look.facts.iter().find(|it| it.name == name).and_then(|it| it.value.as_f64()).unwrap_or(0.0)
    };
    let unknown_targets = number("targets") > number("targets_known");
    let reached = [
        "same_source_success",
        "machines_reached",
        "touched_by_others",
        "persistence_created",
        "secrets_read",
        "sg_opened_admin_port",
        "logging_changed",
        "snapshots_shared",
    ];
    // What was answered here is no way around a refusal.
    let is_way_around = |it: &str| it != "same_source_success" || !look.holds("answered");
    let because: Vec<&str> = reached.into_iter().filter(|it| look.holds(it) && is_way_around(it)).collect();
    let misused: Vec<&str> = [
        (look.holds("credentials_outside_instance"), "credentials_outside_instance"),
        (look.holds("new_network") && look.holds("new_tool"), "new_network + new_tool"),
        (look.holds("attack_tool"), "attack_tool"),
        (look.holds("burst") && unknown_targets, "burst + targets"),
        (number("source_identities") > 1.0, "source_identities"),
    ]
    .into_iter()
    .filter_map(|(holds, name)| holds.then_some(name))
    .collect();
    let (grade, text) = if !because.is_empty() && !misused.is_empty() {
        let (reached, misused) = (because.join(", "), misused.join(", "));
        (
            "C",
            say!(
                l,
                "something was reached or made ({}), and the credentials are misused ({})",
                reached,
                misused
            ),
        )
    } else if !because.is_empty() {
        ("C", say!(l, "something was reached or made ({})", because.join(", ")))
    } else if !misused.is_empty() {
        ("B", say!(l, "the credentials are misused ({})", misused.join(", ")))
    } else {
        ("A", say!(l, "nothing else than the alert speaks of misuse"))
    };
    look.exact("grade", grade, text);
}
