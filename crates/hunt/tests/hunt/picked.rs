//! Alerts that are picked to be investigated. Little is made of the others, and that must be what their documents say.

use ecs::{Layered, Object, document};
use hunt::{Picked, Progress, Which};
use investigate::Raised;
use rule::{Rule, Severity};
use serde_json::Value;

use crate::all_types;
use crate::setup::{self, Call, DAY_ONE, MINUTE, NOW};

/// Rules of all types, whose alerts on one user are severe.
fn rules() -> Vec<Rule> {
    let mapping = "severity_mapping = [{ field = \"user.name\", operator = \"equals\", value = \"ada\", severity = \"critical\" }]\n";
    let mut all: Vec<Rule> = all_types::types()
        .iter()
        .map(|(name, lines)| setup::rule(name, &format!("{mapping}{lines}")))
        .collect();
    all.push(setup::rule("plain", "type = \"query\"\nquery = \"event.action: (Act or ActOn)\"\n"));
    all
}

/// The same by the documents of all alerts.
fn plainly(all: &[(Object, Vec<Object>)], which: &Which, most: usize) -> (Vec<String>, Vec<Raised>, usize) {
    let text = |it: &Object, path: &str| {
        document::lookup(it, path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let id = |it: &Object| text(it, "kibana.alert.uuid");
    let rule_id = |it: &Object| text(it, "kibana.alert.rule.rule_id");
    let severity = |it: &Object| Severity::from_name(&text(it, "kibana.alert.severity")).unwrap();
    let mut wanted: Vec<&Object> = all.iter().map(|it| &it.0).collect();
    wanted.retain(|it| match which {
        Which::Alert(start) => id(it).starts_with(start.as_str()),
        Which::Rule(wanted) => rule_id(it) == *wanted,
        Which::From(least) => severity(it) >= *least,
    });
    wanted.sort_by_key(|it| std::cmp::Reverse(severity(it)));
    let total = wanted.len();
    wanted.truncate(most);
    let rules: Vec<String> = wanted.iter().map(|it| rule_id(it)).collect();
    let raised = all.iter().filter(|it| rules.contains(&rule_id(&it.0))).filter_map(|(shell, blocks)| {
        let ids: Vec<String> = blocks.iter().map(|it| text(it, "event.id")).collect();
        let blocks = ids.iter().map(String::as_str).zip(blocks);
        let of_shell = ids.is_empty().then_some(("", shell));
        investigate::raised(&rule_id(shell), blocks.chain(of_shell), NOW)
    });
    (wanted.into_iter().map(id).collect(), raised.collect(), total)
}

#[test]
fn what_is_picked_is_what_all_documents_say() {
    let folder =
        all_types::documents(&[("ada", "203.0.113.9"), ("bo", "203.0.113.10"), ("kim", "203.0.113.9")]);
    let calls: Vec<Call<'_>> = [("c1", "Act", "ci"), ("c2", "ActOn", "ops"), ("c3", "Act", "ops")]
        .into_iter()
        .zip(0..)
        .map(|((id, action, role), at)| Call {
            id,
            at: Some(DAY_ONE + at * MINUTE),
            action,
            role,
            address: "203.0.113.11",
            error: None,
        })
        .collect();
    folder.write("calls.ndjson", setup::ndjson(&calls));
    let rules = rules();
    let mut options = setup::options(&folder, &rules);
    options.max_signals = Some(1_000);
    // Records that were not kept are read again.
    for evidence_bytes in [hunt::EVIDENCE_BYTES, 0] {
        options.evidence_bytes = evidence_bytes;
        let found = hunt::hunt(&options, &mut std::io::empty(), &Progress::default()).unwrap();
        assert!(found.refused.is_empty(), "{:?}", found.refused);
        let make = |alert: &mut hunt::Alert<'_, '_>| {
            let blocks: Vec<Object> = alert.blocks().iter().map(Layered::to_object).collect();
            (alert.document().to_object(), blocks)
        };
        let all: Vec<(Object, Vec<Object>)> = found.alerts(&[], make, |it| it.collect());
        let severities = ["low", "critical"]
            .map(|severity| all.iter().filter(|it| it.0["kibana.alert.severity"] == severity).count());
        assert!(severities.iter().all(|it| *it > 2), "{severities:?}");
        let mut whiches = vec![
            Which::From(Severity::Low),
            Which::From(Severity::Medium),
            Which::Alert(String::new()),
            Which::Alert("none".to_owned()),
        ];
        whiches.extend(rules.iter().map(|it| Which::Rule(it.rule_id.clone())));
        let ids = all.iter().map(|it| it.0["kibana.alert.uuid"].as_str().unwrap());
        whiches.extend(ids.map(|id| Which::Alert(id[..12].to_owned())));
        for which in &whiches {
            for most in [1, 4, 1_000] {
                let Picked { subjects, raised, total } = hunt::pick(&found, which, most, NOW);
                let ids: Vec<String> = subjects.iter().map(|it| it.id.clone()).collect();
                assert_eq!((ids, raised, total), plainly(&all, which, most), "{which:?}, {most}");
                for it in subjects {
                    let (document, blocks) =
                        all.iter().find(|(shell, _)| shell["kibana.alert.uuid"] == it.id).unwrap();
                    assert_eq!(it.document, *document, "{}", it.id);
                    let name = it.rule.unwrap().name.clone();
                    let anchors: Vec<&Object> = it.anchors.iter().map(|(_, anchor)| anchor).collect();
                    let expected: Vec<&Object> = match name.as_str() {
                        "threshold" => Vec::new(),
                        "sequence" => blocks.iter().collect(),
                        _ => vec![document],
                    };
                    assert_eq!(anchors, expected, "{name}");
                }
            }
        }
    }
}
