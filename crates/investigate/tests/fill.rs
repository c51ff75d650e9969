//! Values are written by whoever made the request: whatever they are, a query asks for exactly them, a command holds
//! nothing of them that is not of its class, and no output is steered.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use ecs::Catalog;
use investigate::fill::{self, Values};
use plan::naive;
use proptest::prelude::*;
use rule::GuideLanguage;
use serde_json::{Value, json};

const HOSTILE: [&str; 14] = [
    "'; rm -rf ~; '",
    "\" or event.action: *",
    "a\\",
    "a\\\" or b: \"",
    "*",
    "x) or (y",
    "line\nbreak",
    "tab\tand \u{202e}right to left",
    "$(id) `id` ${HOME}",
    "{{case.role_arn}}",
    " not a and b ",
    "i-0123abcd; id",
    "<script>alert(1)</script>",
    "ünï\u{1f600}cödé",
];

fn values(value: &str) -> Values {
    let mut values = Values::default();
    for name in [
        "case.role_arn",
        "case.session_key",
        "case.instance",
        "case.region",
        "user.name",
        "source.ip",
        "other",
    ] {
        values.add(name, [value]);
    }
    values
}

/// Whether a filled query matches a document that has the value, and no other.
fn asks_for(template: &str, value: &str) {
    let filled = fill::kql(template, &values(value)).unwrap().text;
    let condition = rule::check_query(rule::QueryLanguage::Kuery, &filled, &Catalog::ecs())
        .unwrap_or_else(|errors| panic!("{filled}: {errors:?}"));
    let expr = condition.into_expr(0);
    let matches = |it: Value| naive::matches(&expr, it.as_object().unwrap());
    assert!(matches(json!({"user.id": value})), "{filled:?} does not ask for {value:?}");
    for other in ["x", "", "admin", "a"] {
        if other != value {
            assert!(
                !matches(json!({"user.id": other, "event.action": "GetObject"})),
                "{filled:?} asks for {other:?}, too"
            );
        }
    }
}

#[test]
fn a_query_asks_for_exactly_the_value() {
    for value in HOSTILE {
        asks_for("user.id: \"{{other}}\"", value);
    }
}

#[test]
fn a_pattern_asks_for_the_value_as_it_is() {
    for value in ["arn:aws:iam::111122223333:role/a*b", "x(y)", "a\"b", "a\\b", "{a}", "a:b", "<a>"] {
        let filled = fill::kql("user.id: *{{other}}*", &values(value)).unwrap().text;
        let expr =
            rule::check_query(rule::QueryLanguage::Kuery, &filled, &Catalog::ecs()).unwrap().into_expr(0);
        let matches = |it: &str| naive::matches(&expr, json!({"user.id": it}).as_object().unwrap());
        assert!(matches(&format!("before {value} after")), "{filled}");
        assert!(!matches("before a--b after"), "{filled}");
    }
}

#[test]
fn several_values_are_alternatives() {
    let mut many = Values::default();
    many.add("keys", (0..1_500).map(|it| format!("k{it}")));
    let filled = fill::kql("user.id: \"{{keys}}\"", &many).unwrap();
    assert!(filled.text.starts_with("user.id: (\"k0\" or \"k1\"") && filled.text.ends_with("\"k999\")"));
    assert_eq!(filled.cut, ["keys"]);
    assert_eq!(fill::kql("user.id: \"{{none}}\"", &many), Err("none".to_owned()));
}

#[test]
fn an_event_query_asks_for_exactly_the_value() {
    for value in HOSTILE {
        let filled = fill::eql("any where user.id == \"{{other}}\"", &values(value)).unwrap().text;
        let query = rule::EqlQuery::new(&filled, None, &Catalog::ecs());
        let query = query.unwrap_or_else(|errors| panic!("{filled}: {errors:?}"));
        let expr = plan::Condition::any_of(query.conditions.clone()).into_expr(0);
        let matches = |it: &str| naive::matches(&expr, json!({"user.id": it}).as_object().unwrap());
        assert!(matches(value) && !matches("x"), "{filled}");
    }
}

#[test]
fn a_command_holds_only_what_it_accepts() {
    let template = "aws ec2 describe-instances --region {{case.region}} --instance-ids {{case.instance}} --filters 'Name=x,Values={{user.name}}' --query \"{{case.session_key}}\"";
    for value in HOSTILE {
        let command = fill::shell(template, &values(value), GuideLanguage::English);
        assert_eq!(
            command.text,
            "aws ec2 describe-instances --region <region> --instance-ids <instance id> --filters 'Name=x,Values=<name>' --query \"<access key id>\"",
            "{value}"
        );
        assert!(command.is_open && !command.notes.is_empty());
        assert!(command.notes.iter().all(|it| !it.contains(['\n', '\u{202e}'])), "{:?}", command.notes);
    }
    let mut good = Values::default();
    good.add("case.region", ["eu-west-1"]);
    good.add("case.instance", ["i-0123abcd", "i-0123abce"]);
    let command =
        fill::shell("aws x --region {{case.region}} --ids {{case.instance}}", &good, GuideLanguage::English);
    assert_eq!(
        command.text,
        "aws x --region eu-west-1 --ids i-0123abcd\naws x --region eu-west-1 --ids i-0123abce"
    );
    assert!(!command.is_open);
}

#[test]
fn many_values_become_a_loop() {
    let mut many = Values::default();
    many.add("case.instance", (0..25).map(|it| format!("i-{it:08x}")));
    let command = fill::shell("aws x --ids {{case.instance}}", &many, GuideLanguage::English);
    assert_eq!(command.text.lines().count(), 22, "{}", command.text);
    assert!(
        command.text.ends_with("while IFS= read -r value; do aws x --ids \"$value\"; done < values.txt"),
        "{}",
        command.text
    );
}

#[test]
fn a_long_value_is_shown_short() {
    let long = "x".repeat(1 << 20);
    assert!(fill::shown(&long).len() < 300);
    assert!(fill::markdown("it is {{other}}", &values(&long), GuideLanguage::English).len() < 300);
    assert!(
        fill::shell("aws x --name {{user.name}}", &values(&long), GuideLanguage::English).text.len() < 100
    );
}

#[test]
fn prose_is_not_steered() {
    for value in HOSTILE {
        let text = fill::markdown("it is {{other}} and `{{other}}`", &values(value), GuideLanguage::English);
        assert_eq!(text.matches('`').count(), 4, "{text}");
        assert!(!text.contains(['\n', '\u{202e}']), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_the_value_a_query_asks_for_it(value in "\\PC{0,24}|[\"\\\\*():<>{} andort\n\t]{0,16}") {
        prop_assume!(!value.is_empty() && value.len() < 1_000);
        asks_for("user.id: \"{{other}}\"", &value);
    }

    #[test]
    fn whatever_the_value_a_command_stays_one_line(value in ".{0,40}") {
        let command = fill::shell("aws x --a {{case.role_arn}} --b '{{user.name}}' --c {{other}}", &values(&value), GuideLanguage::English);
        prop_assert_eq!(command.text.lines().count(), 1);
        // What is in it is a plain word, or a hint.
        prop_assert!(!command.text.contains(['$', '`', ';', '&', '|']), "{}", command.text);
    }
}

#[test]
fn without_an_alert_blanks_say_what_belongs_there() {
    let blank = |name: &str| format!("<{}>", fill::words_of(name));
    for (template, text) in [
        ("x: \"{{case.role_arn}}\"", "x: \"<role arn>\""),
        ("{{ case.src }} and {{source.ip}}", "<source address> and <source.ip>"),
        ("--id {{case.instance}}", "--id <instance id>"),
        // Other languages have such brackets, too.
        ("{{ x | upper }} {{#each}} {{x}}", "{{x | upper}} {{#each}} {{x}}"),
        ("nothing", "nothing"),
    ] {
        assert_eq!(fill::blanks(template, &blank), text);
    }
    for &name in rule::CASE_VALUES {
        assert!(!fill::words_of(&format!("case.{name}")).contains(['_', '.']), "{name}");
    }
}
