//! Exception lists: any lines load beside a rule that names their list, and any text is a value list; what is applied and
//! what is found print, compile and export.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rule::{Exceptions, RuleSet, compile_with};
use span::Style;

const RULE: &str = r#"{"rule_id":"r","name":"n","description":"d","severity":"low","risk_score":21,"type":"query","query":"event.action: *","exceptions_list":[{"id":"1","list_id":"l","type":"detection","namespace_type":"single"},{"id":"2","list_id":"m","type":"detection","namespace_type":"agnostic"}]}"#;

const NOW: i64 = 1_767_225_600_000;

fuzz_target!(|text: &str| {
    // What stands before an empty line is an export; what stands behind it the values of a list, which an item asks for.
    let (lines, values) = text.split_once("\n\n").unwrap_or((text, ""));
    let entry = |ty: &str, field: &str| {
        format!(
            r#"{{"item_id":"{ty}","list_id":"l","name":"{ty}","entries":[{{"type":"list","field":"{field}","operator":"included","list":{{"id":"v","type":"{ty}"}}}}]}}"#
        )
    };
    let of_lists = [
        entry("keyword", "user.name"),
        entry("ip_range", "source.ip"),
        entry("date_range", "event.created"),
        entry("long_range", "source.port"),
        entry("text", "message"),
    ];
    let values: Vec<String> = values
        .lines()
        .filter_map(|it| serde_json::to_string(it).ok())
        .map(|it| format!(r#"{{"list_id":"v","value":{it}}}"#))
        .collect();
    let list = r#"{"id":"v","name":"v","type":"keyword","description":"d"}"#;
    let all = [RULE, lines, list].into_iter().chain(of_lists.iter().chain(&values).map(String::as_str));
    let set = rule::load_text("fuzz.ndjson", &all.collect::<Vec<_>>().join("\n"));
    check(&set);
    // The same as the rule repository writes it.
    check(&rule::load_text("fuzz.toml", text));
});

fn check(set: &RuleSet) {
    let catalog = ecs::Catalog::ecs();
    for problem in set.problems.iter().chain(&rule::lint(set, &catalog, cloudtrail::vocabulary(), NOW)) {
        let _ = set.render(problem, Style::Plain);
    }
    for rule in &set.rules {
        let plain = compile_with(rule, &Exceptions::default(), &catalog, &(NOW..=NOW));
        let excepted = compile_with(rule, &set.exceptions, &catalog, &(NOW..=NOW));
        // Nothing that is wrong with an exception costs a rule.
        assert_eq!(plain.is_ok(), excepted.is_ok());
    }
    let _ = rule::exceptions_to_toml(&set.rules, &set.exceptions);
    let _ = rule::to_ndjson(&set.rules, &set.exceptions);
}
