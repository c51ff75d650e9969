//! The steps that every alert gets, and the plan.

use investigate::fill::placeholders;
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
    let english = investigate::general(GuideLanguage::English).guide.unwrap();
    let chinese = investigate::general(GuideLanguage::SimplifiedChinese).guide.unwrap();
    let steps = |it: &rule::Guide| it.triage.iter().chain(&it.response).cloned().collect::<Vec<_>>();
    for (from, to) in steps(&english).iter().zip(steps(&chinese)) {
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
