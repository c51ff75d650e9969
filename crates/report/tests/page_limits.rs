//! What a page leaves out is said on its first screen, with where it is.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs::{Layered, Object, SharedFields};
use identity::Confidence;
use report::page::{Entry, Guides, Made, Page, Scope};
use report::{Coverage, Summary};
use rule::GuideLanguage;
use story::Portrait;

fn alert(id: &str) -> Entry {
    let fields = serde_json::json!({
        "@timestamp": "2026-03-02T10:00:00.000Z", "kibana.alert.uuid": id, "kibana.alert.severity": "high",
        "kibana.alert.rule.name": "A rule", "kibana.alert.rule.rule_id": "r", "kibana.alert.reason": "because",
    });
    let shared = Arc::new(SharedFields::new(Object::new()));
    Entry::of(&Layered::new(fields.as_object().unwrap().clone(), shared))
}

fn actor(name: &str, calls: usize, is_cut: bool) -> Portrait {
    Portrait {
        name: name.to_owned(),
        short: name.to_owned(),
        kind: String::new(),
        account: None,
        confidence: Confidence::Exact,
        span: None,
        sentence: String::new(),
        sure: String::new(),
        calls,
        refused: 0,
        writes: 0,
        addresses: Vec::new(),
        agents: Vec::new(),
        regions: Vec::new(),
        accounts: Vec::new(),
        services: Vec::new(),
        deeds: Vec::new(),
        acts: Vec::new(),
        is_cut,
        alerts: Vec::new(),
        loose: Vec::new(),
    }
}

/// The first screen of a page.
fn first_screen(language: GuideLanguage, is_cut: bool) -> String {
    let (rules, notices) = (Vec::new(), Vec::new());
    let summary = Summary { rules, language, coverage: Coverage::default(), notices, completeness: None };
    let page = Page {
        summary: &summary,
        alerts: vec![alert("a1"), alert("a2")],
        fields: if is_cut { BTreeMap::new() } else { BTreeMap::from([(0, Vec::new()), (1, Vec::new())]) },
        values: BTreeMap::new(),
        actors: vec![actor("ada", 1_200, is_cut), actor("bo", 34, false)],
        of: vec![Some(0), Some(1)],
        left_out: if is_cut { 7 } else { 0 },
        guides: Guides::new(language),
        scope: Scope { picked: if is_cut { 4_321 } else { 0 }, investigates: true, is_stream: false },
        completeness: Vec::new(),
        made: Made::default(),
    };
    let mut out = Vec::new();
    report::page::write(&mut out, &page).unwrap();
    let text = String::from_utf8(out).unwrap();
    let (_, rest) = text.split_once("<section id=\"happened\">").unwrap();
    rest.split_once("</section>").unwrap().0.to_owned()
}

#[test]
fn every_limit_is_said_with_the_way_around_it() {
    for (language, said) in [
        (
            GuideLanguage::English,
            [
                "0 of the 4,321 alerts of severity medium and higher",
                "`trailwarden investigate … --alert ID`",
                "of the 0 most severe and first of the 2 alerts",
                "`trailwarden hunt … --format ndjson`",
                "The stories have 1,234 calls. Of identities who made more (1)",
                "`trailwarden query`",
                "7 further identities are not told",
                "`trailwarden summary`",
            ],
        ),
        (
            GuideLanguage::SimplifiedChinese,
            [
                "4,321 条警报中的 0 条",
                "`trailwarden investigate … --alert ID`",
                "2 条警报中最严重且最早的 0 条",
                "`trailwarden hunt … --format ndjson`",
                "经过共含 1,234 次调用。调用更多的身份（1 个）",
                "`trailwarden query`",
                "另有 7 个身份",
                "trailwarden summary",
            ],
        ),
    ] {
        let text = first_screen(language, true);
        for words in said {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    }
    let whole = first_screen(GuideLanguage::English, false);
    assert!(!whole.contains("class=\"limit\""), "nothing is left out: {whole}");
}
