//! What can run: what the code decides is what the page for users says.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use rule::{QueryLanguage, Rule, Unsupported, support};

/// A rule of the type with what the type needs, and more.
fn rule(type_name: &str, more: &str) -> Rule {
    let needs = match type_name {
        "saved_query" => "saved_id = 's'\nquery = 'a: b'",
        "threshold" => "query = 'a: b'\nthreshold = { field = ['a'], value = 1 }",
        "eql" => "language = 'eql'\nquery = 'any where true'",
        "esql" => "language = 'esql'\nquery = 'from a'",
        "threat_match" => {
            "query = 'a: b'\nthreat_query = '*'\nthreat_index = ['t']\nthreat_mapping = [{ entries = [{ field = 'a', type = 'mapping', value = 'b' }] }]"
        }
        "machine_learning" => "anomaly_threshold = 50\nmachine_learning_job_id = 'j'",
        "new_terms" => {
            "query = 'a: b'\nnew_terms = { field = 'new_terms_fields', value = ['a'], history_window_start = [{ field = 'history_window_start', value = 'now-7d' }] }"
        }
        _ => "query = 'a: b'",
    };
    let text = format!(
        "[rule]\nname = 'n'\ndescription = 'd'\nseverity = 'low'\nrisk_score = 1\ntype = '{type_name}'\n{needs}\n{more}\n"
    );
    let mut set = rule::load_text("rule.toml", &text);
    assert_eq!(set.error_count(), 0, "{type_name}: {:?}", set.problems);
    set.rules.remove(0)
}

fn codes(rule: &Rule) -> Vec<&'static str> {
    support(rule).err().unwrap_or_default().iter().map(Unsupported::code).collect()
}

/// The cells of the page's row that begins so.
fn row(page: &str, first: &str) -> String {
    let head = format!("| {first} | ");
    let row = page.lines().find_map(|line| line.strip_prefix(&head));
    row.unwrap_or_else(|| panic!("docs/compatibility.md has no row for {first}")).to_owned()
}

#[test]
fn the_page_says_what_can_run() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let page = std::fs::read_to_string(page).unwrap();
    let agrees = |row: &str, codes: &[&str]| match codes {
        [] => row.starts_with("runs") || row.starts_with("supported"),
        codes => row.starts_with("refused, ") && codes.iter().all(|it| row.contains(it)),
    };
    let schema = rule::schema();
    let types = schema["properties"]["rule"]["properties"]["type"]["enum"].as_array().unwrap();
    assert!(types.len() >= 8, "{types:?}");
    for type_name in types.iter().map(|it| it.as_str().unwrap()) {
        let (row, codes) = (row(&page, &format!("`{type_name}`")), codes(&rule(type_name, "")));
        assert!(agrees(&row, &codes), "{type_name}: {codes:?}, and the page says {row}");
    }
    for language in QueryLanguage::ALL {
        let name = match language {
            QueryLanguage::Kuery => "KQL",
            QueryLanguage::Lucene => "Lucene (`query_string`)",
            QueryLanguage::Eql => "EQL",
            QueryLanguage::Esql => "ES\\|QL",
        };
        let row = row(&page, name);
        assert!(agrees(&row, &[]), "{name}: the page says {row}");
    }
    let row = row(&page, "any of these that run, with `alert_suppression`");
    for type_name in ["query", "saved_query", "new_terms", "eql", "threshold"] {
        let suppression = match type_name {
            "threshold" => "alert_suppression = { duration = { value = 1, unit = 'h' } }",
            _ => "alert_suppression = { group_by = ['a'] }",
        };
        let codes = codes(&rule(type_name, suppression));
        assert!(agrees(&row, &codes), "{type_name}: {codes:?}, and the page says {row}");
    }
}

#[test]
fn every_reason_is_told() {
    let suppression = "alert_suppression = { group_by = ['a'] }";
    assert_eq!(codes(&rule("query", &format!("language = 'lucene'\n{suppression}"))), [""; 0]);
    assert_eq!(codes(&rule("threat_match", suppression)), ["RULE201"]);
    let saved = "[rule]\nname = 'n'\ndescription = 'd'\nseverity = 'low'\nrisk_score = 1\ntype = 'saved_query'\nsaved_id = 's'\n";
    assert_eq!(codes(&rule::load_text("rule.toml", saved).rules[0]), ["RULE204"]);
}

/// Either it lies before `from` in every execution, or the rule is refused.
#[test]
fn the_history_begins_before_what_it_is_compared_with() {
    let with = |history: &str, from: &str, to: &str| {
        let math = |text| ecs::date::DateMath::of_rule(text).unwrap();
        let mut rule = rule("new_terms", "");
        (rule.from, rule.to) = (math(from), math(to));
        if let rule::RuleKind::NewTerms(terms) = &mut rule.kind {
            terms.history_window_start = math(history);
        }
        codes(&rule)
    };
    for (history, from, to) in [
        ("now-7d", "now-6m", "now"),
        ("now-1d/d", "now-6m", "now"),
        ("now-1d/d", "now/d", "now"),
        ("now-1M", "now-27d", "now"),
        ("2026-01-01", "2026-01-02", "now"),
        ("now-7d", "now-2h", "now-1h"),
    ] {
        assert_eq!(with(history, from, to), [""; 0], "{history} {from}");
    }
    for (history, from, to) in [
        ("now-6m", "now-6m", "now"),
        ("now-1d/d", "now-1d/d", "now"),
        ("now/d", "now-6m", "now"),
        ("now-1M", "now-28d", "now"),
        ("2026-01-01", "now-6m", "now"),
        // The history counts from `to`.
        ("now-1h", "now-6m", "now+1h"),
    ] {
        assert_eq!(with(history, from, to), ["RULE206"], "{history} {from}");
    }
}
