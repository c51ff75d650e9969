//! What is said of an alert as a whole: one sentence, and the grade that decides about the plan.

use crate::case::Case;
use crate::event::Field;
use crate::evidence::Fact;
use crate::look::{Look, plural, short, time};
use crate::{fill, related};

/// Who did what to what, when, from where.
pub(crate) fn sentence(case: &Case, facts: &[Fact]) -> String {
    let Some(anchor) = case.anchor() else { return "Nothing is known of the alert.".to_owned() };
    let who = match case.get("session_name") {
        "" => fill::shown(short(anchor.identity())),
        session => format!("{} (session {})", fill::shown(short(anchor.identity())), fill::shown(session)),
    };
    let text = |name: &str| {
        facts.iter().find(|it| it.name == name).and_then(|it| it.value.as_str()).unwrap_or_default()
    };
    let behind = match text("root_identity") {
        "" => String::new(),
        root if root == anchor.identity() => String::new(),
        root => format!(", for {},", fill::shown(short(root))),
    };
    let calls = facts.iter().find(|it| it.name == "calls").and_then(|it| it.value.as_u64()).unwrap_or(1);
    let times = if calls > 1 {
        format!(", in all {}", plural(usize::try_from(calls).unwrap_or(0), "time", "times"))
    } else {
        String::new()
    };
    let outcome = match anchor.get(Field::ErrorCode) {
        "" => "and was answered".to_owned(),
        code => format!("and was refused ({})", fill::shown(code)),
    };
    let object = match case.all("instances") {
        [] => match related::object_of(anchor).as_str() {
            "" => String::new(),
            object => format!(" for {}", fill::shown(object)),
        },
        [one] => format!(" for {}", fill::shown(one)),
        [first, rest @ ..] => format!(" for {} and {} more", fill::shown(first), rest.len()),
    };
    let from = match case.get("src") {
        "" => String::new(),
        src => format!(" from {}", fill::shown(src)),
    };
    format!(
        "{who}{behind} called {}{object} {outcome} at {} UTC{from}, in {} of account {}{times}.",
        fill::shown(&anchor.call()),
        time(case.first),
        fill::shown(case.get("region")),
        fill::shown(case.get("account")),
    )
}

/// How bad it is, by facts only.
pub(crate) fn grade(look: &mut Look<'_>) {
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
    let because: Vec<&str> = reached.into_iter().filter(|it| look.holds(it)).collect();
    let misused: Vec<&str> = [
        (look.holds("credentials_outside_instance"), "credentials_outside_instance"),
        (look.holds("new_network") && look.holds("new_tool"), "new_network and new_tool"),
        (look.holds("attack_tool"), "attack_tool"),
        (look.holds("burst") && unknown_targets, "burst with unknown targets"),
        (number("source_identities") > 1.0, "source_identities"),
    ]
    .into_iter()
    .filter_map(|(holds, name)| holds.then_some(name))
    .collect();
    let (grade, text) = if !because.is_empty() {
        ("C", format!("something was reached or made ({})", because.join(", ")))
    } else if !misused.is_empty() {
        ("B", format!("the credentials are misused ({})", misused.join(", ")))
    } else {
        ("A", "nothing else than the alert speaks of misuse".to_owned())
    };
    look.exact("grade", grade, text);
}
