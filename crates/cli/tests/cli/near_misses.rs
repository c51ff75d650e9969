//! `hunt --near-misses` and `rules lint --over`.

use crate::setup::Folder;

const RULE: &str = r#"
[rule]
rule_id = "a"
name = "NAME"
description = "d"
severity = "low"
risk_score = 21
type = "query"
language = "kuery"
index = ["logs-aws.cloudtrail*"]
query = 'QUERY'
"#;

#[test]
fn what_nearly_matched_is_told_with_what_it_has_instead() {
    let folder = Folder::with_calls();
    let rule = |name: &str, query: &str| {
        folder.write(
            &format!("rules/{name}.toml"),
            RULE.replace("NAME", name).replace("QUERY", query).replace("\"a\"", &format!("{name:?}")),
        );
    };
    // Written as the console shows it, not as the field has it.
    rule("blocked", "event.action: GetPasswordData and event.provider: ec2 and event.outcome: failure");
    rule("some", "event.action: GetPasswordData and event.outcome: success");
    rule("far", "event.action: Nothing and event.provider: nowhere");
    let eql = |name: &str, query: &str| {
        let rule = RULE.replace("\"query\"", "\"eql\"").replace("kuery", "eql");
        let rule = rule.replace("NAME", name).replace("'QUERY'", &format!("'''{query}'''"));
        folder.write(&format!("rules/{name}.toml"), rule.replace("\"a\"", &format!("{name:?}")));
    };
    eql("long", r#"any where event.action == "GetPasswordData" and length(user.name) > 20"#);
    eql(
        "then",
        r#"sequence by user.name [any where event.action == "GetPasswordData"]
           [any where event.action == "GetPasswordData" and event.provider == "ec2"]"#,
    );
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "--near-misses"]);
    insta::assert_snapshot!(ran.whole());
    let ran = folder.run(&["rules", "lint", "rules", "--over", "calls.ndjson"]);
    let found: Vec<&str> = ran.out.lines().filter(|it| it.contains("RULE170")).collect();
    assert_eq!(found.len(), 3, "{}", ran.out);
    assert!(found[0].contains("3 satisfy all but `event.provider: \"ec2\"`"), "{}", ran.out);
}
