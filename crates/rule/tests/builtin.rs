//! The built-in pack is without a finding, in both languages.

use rule::GuideLanguage;
use span::Style;

#[test]
fn the_pack_loads_clean() {
    let set = rule::builtin(GuideLanguage::English);
    let found: String = set.problems.iter().map(|problem| set.render(problem, Style::Plain)).collect();
    assert_eq!(found, "");
    assert!(set.rules.len() > 10);
}

/// Not even a note: the pack is what people learn from. Where a rule has a reason for one, a comment in it says so.
#[test]
fn the_pack_lints_clean() {
    let set = rule::builtin(GuideLanguage::English);
    let found = rule::lint(&set, &ecs::Catalog::ecs(), cloudtrail::vocabulary(), 1_767_225_600_000);
    let found: String =
        rule::heed(&set, found).kept.iter().map(|problem| set.render(problem, Style::Plain)).collect();
    assert_eq!(found, "");
}

#[test]
fn the_pack_is_translated() {
    let english = rule::builtin(GuideLanguage::English);
    let chinese = rule::builtin(GuideLanguage::SimplifiedChinese);
    for (english, chinese) in english.rules.iter().zip(&chinese.rules) {
        assert_eq!(english.rule_id, chinese.rule_id);
        assert_ne!(english.name, chinese.name, "{} is not translated", english.file);
        assert_eq!(chinese.api()["name"], chinese.name.as_str());
        let (from, to) = (english.guide.as_ref().unwrap(), chinese.guide.as_ref().unwrap());
        assert_eq!(from.triage.len(), to.triage.len());
        for (from, to) in from.triage.iter().zip(&to.triage) {
            assert_ne!(from.text, to.text);
            assert_eq!(from.queries, to.queries, "queries are not translated");
        }
        assert_ne!(english.note, chinese.note, "the note is made of the translated guide");
    }
}
