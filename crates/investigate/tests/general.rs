//! The steps that every alert gets, and the plan.

use investigate::fill::{self, Values, placeholders};
use rule::{CASE_VALUES, GuideLanguage, Risk};

#[test]
fn the_general_steps_are_a_rule_without_a_finding() {
    let set = rule::load_text("general.toml", include_str!("../src/general.toml"));
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    let guide = set.rules[0].guide.clone().unwrap();
    let steps = guide.triage.iter().chain(&guide.response);
    for step in steps {
        assert!(step.id.is_some(), "{}", step.title);
        let texts = [Some(&step.text), step.command.as_ref(), step.undo.as_ref(), step.reason.as_ref()];
        let queries = step.queries.iter().map(|it| &it.query);
        for text in texts.into_iter().flatten().chain(queries) {
            for name in placeholders(text) {
                let is_known = name.strip_prefix("case.").is_none_or(|it| CASE_VALUES.contains(&it));
                assert!(is_known, "{name} in {:?}", step.id);
            }
        }
    }
    for step in &guide.response {
        assert!(step.risk.is_some() && step.phase.is_some() && step.reason.is_some(), "{:?}", step.id);
        assert!(
            step.risk != Some(Risk::Reversible)
                || (step.undo.is_some() && step.verify.is_some() && step.breaks.is_some()),
            "{:?}",
            step.id
        );
    }
}

#[test]
fn they_are_translated() {
    let english = investigate::general(GuideLanguage::English).guide.as_ref().unwrap();
    let chinese = investigate::general(GuideLanguage::SimplifiedChinese).guide.as_ref().unwrap();
    let steps = |it: &rule::Guide| it.triage.iter().chain(&it.response).cloned().collect::<Vec<_>>();
    for (from, to) in steps(english).iter().zip(steps(chinese)) {
        assert_ne!(from.title, to.title);
        assert_ne!(from.text, to.text);
        for (from, to) in [
            (&from.reason, &to.reason),
            (&from.undo, &to.undo),
            (&from.breaks, &to.breaks),
            (&from.verify, &to.verify),
        ] {
            assert!(from.is_none() || from != to, "{from:?}");
        }
        assert_eq!((&from.queries, &from.command, &from.when), (&to.queries, &to.command, &to.when));
    }
}

/// What people put where they may choose the text.
const HOSTILE: [&str; 7] = [
    "'; rm -rf ~; '",
    "\"\nor event.action: *",
    "$(id)`id`",
    "\u{202e}gpj.exe",
    "<script>alert(1)</script>",
    "a\\",
    "*",
];

#[test]
fn whatever_stands_for_a_placeholder_of_any_guide_it_stays_a_value() {
    let mut guides: Vec<rule::Guide> =
        rule::builtin(GuideLanguage::English).rules.into_iter().filter_map(|it| it.guide).collect();
    guides.push(investigate::general(GuideLanguage::English).guide.clone().unwrap());
    let long = "x'\"$(id) ".repeat(1 << 17);
    let catalog = ecs::Catalog::ecs();
    let mut count = 0;
    for value in HOSTILE.into_iter().chain([long.as_str()]) {
        for step in guides.iter().flat_map(|it| it.triage.iter().chain(&it.response)) {
            let of = |text: &str| {
                let mut values = Values::default();
                for name in placeholders(text) {
                    // What is no address is no `source.ip`.
                    let is_address = ["source.ip", "case.src_ip"].contains(&name);
                    values.add(name, [if is_address { "203.0.113.7" } else { value }]);
                }
                values
            };
            for query in step.queries.iter().filter(|it| it.language == "kuery") {
                let filled = fill::kql(&query.query, &of(&query.query)).unwrap().text;
                let checked = rule::check_query(rule::QueryLanguage::Kuery, &filled, &catalog);
                // A query may be too long to be asked, which is said; it is never another query.
                assert!(checked.is_ok() || value.len() > 100_000, "{:?}: {filled}", step.title);
                count += 1;
            }
            if let Some(template) = &step.command {
                let command = fill::shell(template, &of(template), GuideLanguage::English);
                let plain = fill::shell(template, &Values::default(), GuideLanguage::English);
                assert_eq!(command.text, plain.text, "{:?}: a value went into the command", step.title);
            }
            for text in [&step.text].into_iter().chain(&step.undo).chain(&step.verify).chain(&step.reason) {
                let filled = fill::markdown(text, &of(text), GuideLanguage::English);
                assert!(
                    !filled.contains('\u{202e}') && filled.len() < text.len() + 10_000,
                    "{:?}",
                    step.title
                );
                assert_eq!(filled.lines().count(), text.lines().count(), "{:?}", step.title);
            }
        }
    }
    assert!(count > 100, "{count} queries");
}
