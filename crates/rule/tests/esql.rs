//! Rules whose queries are in ES|QL: what is read of them, and what is said of them.

use ecs::{Catalog, Source};

fn file(query: &str) -> String {
    format!(
        "[rule]\nname = 'n'\ndescription = 'd'\nseverity = 'low'\nrisk_score = 21\nrule_id = 'e'\ntype = 'esql'\nlanguage = 'esql'\nquery = '''\n{query}\n'''\n"
    )
}

/// Code and what is underlined, of what the language and the fields say.
fn said(query: &str) -> Vec<(String, String)> {
    let text = file(query);
    let set = rule::load_text("rule.toml", &text);
    let known =
        |it: &str| it.starts_with("ESQL") || matches!(it, "RULE101" | "RULE143" | "RULE145" | "RULE146");
    let problems = rule::lint(&set, &Catalog::ecs(), &Source::default(), 0);
    let problems = problems.iter().map(|it| &it.diagnostic).filter(|it| known(it.code));
    let place = |it: &span::Diagnostic| it.span().map_or(String::new(), |span| text[span.range()].to_owned());
    problems.map(|it| (it.code.to_owned(), place(it))).collect()
}

#[test]
fn the_index_stands_in_the_query() {
    let set =
        rule::load_text("rule.toml", &file("FROM logs-aws.cloudtrail-*, -logs-x METADATA _id | LIMIT 1"));
    assert_eq!(set.rules[0].index, ["logs-aws.cloudtrail-*", "-logs-x"]);
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let from = "FROM logs-aws.cloudtrail-* METADATA _id, _index, _version\n| WHERE ";
    for (condition, code, place) in [
        ("user.name == 5", "ESQL110", "user.name == 5"),
        ("LENGHT(user.name) > 5", "ESQL102", "LENGHT"),
        ("user.name == \"a\" | COMPLETION x = y", "ESQL021", "COMPLETION"),
        ("user.nmae == \"a\"", "RULE101", "user.nmae"),
        ("source.ip == \"10.0.0.0/8\"", "ESQL118", "\"10.0.0.0/8\""),
        ("user.name == null", "ESQL204", "user.name == null"),
        ("event.category == \"iam\"", "ESQL210", "event.category"),
    ] {
        assert_eq!(said(&format!("{from}{condition}")), [(code.to_owned(), place.to_owned())], "{condition}");
    }
    assert_eq!(said(&format!("{from}user.name == \"a\" | EVAL x = 1 | WHERE x > 0")), []);
    assert_eq!(said("FROM logs-aws.cloudtrail-* | WHERE user.name == \"a\"")[0].0, "ESQL201");
}

#[test]
fn a_condition_is_asked_for_in_another_language() {
    let found = rule::check_query(rule::QueryLanguage::Esql, "FROM a", &Catalog::ecs());
    let codes: Vec<&str> = found.expect_err("it gives rows").iter().map(|it| it.code).collect();
    assert_eq!(codes, ["LANG002"]);
}

#[test]
fn what_does_not_parse_is_no_rule() {
    let set = rule::load_text("rule.toml", &file("FROM a | WHERE user.name = 'b'"));
    let codes: Vec<&str> = set.problems.iter().map(|it| it.diagnostic.code).collect();
    assert!(set.rules.is_empty() && codes.contains(&"ESQL012"), "{codes:?}");
    // What only other engines have is loaded and listed, and refused when it would run.
    let set = rule::load_text("rule.toml", &file("FROM logs-* | COMPLETION x = y"));
    assert_eq!(set.rules.len(), 1);
}
