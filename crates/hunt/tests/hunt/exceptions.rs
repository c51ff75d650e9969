//! What the user has excepted does not alert, and is no history.

use rule::{Exceptions, Rule};
use serde_json::{Value, json};

use crate::setup::{
    DAY, DAY_ONE, Folder, HOUR, MINUTE, get_password_data, hunt_in, issuer, options, refused, run, verdicts,
};

/// The exceptions of an export.
pub(crate) fn exceptions(items: &[Value]) -> Exceptions {
    if items.is_empty() {
        return Exceptions::default();
    }
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    let set = rule::load_text("exceptions.ndjson", &lines.join("\n"));
    assert_eq!(set.problems, []);
    set.exceptions
}

pub(crate) fn item(entries: &Value, more: &Value) -> Value {
    let mut item = json!({ "item_id": "i", "list_id": "known", "name": "Known roles", "entries": entries });
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn on_role(role: &str) -> Value {
    let field = "aws.cloudtrail.user_identity.session_context.session_issuer.arn";
    json!([{ "type": "match", "operator": "included", "field": field, "value": issuer(role) }])
}

fn empty_list() -> Value {
    json!({ "list_id": "known", "name": "Known roles", "type": "detection" })
}

/// The built-in rule with a list of exceptions.
fn excepting() -> Rule {
    let mut rule = get_password_data();
    let list = json!({ "id": "1", "list_id": "known", "type": "detection", "namespace_type": "single" });
    rule.exceptions_list.push(list);
    rule
}

fn roles(folder: &Folder, items: &[Value]) -> Vec<String> {
    let mut options = options(folder, &[excepting()]);
    options.exceptions = exceptions(items);
    let found = run(&options);
    assert_eq!(found.rules[0].warnings, []);
    verdicts(&found).iter().map(|it| it.rsplit_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn an_excepted_role_is_silent() {
    let folder = Folder::of(&[refused("scan", DAY_ONE, "scanner"), refused("ci", DAY_ONE + HOUR, "ci")]);
    assert_eq!(hunt_in(&folder, &[get_password_data()]).alerts.len(), 2);
    let none = json!({});
    assert_eq!(roles(&folder, &[item(&on_role("scanner"), &none)]), ["ci"]);
    assert_eq!(roles(&folder, &[item(&on_role("scanner"), &none), item(&on_role("ci"), &none)]), [""; 0]);
    assert_eq!(roles(&folder, &[empty_list()]), ["ci", "scan"]);
}

#[test]
fn an_expired_exception_is_none() {
    // Whether it has is decided by each execution: those of 00:00 and 00:05 see the call.
    let folder = Folder::of(&[refused("scan", DAY_ONE, "scanner")]);
    let until = |time| json!({ "expire_time": ecs::date::to_iso(time) });
    assert_eq!(roles(&folder, &[item(&on_role("scanner"), &until(DAY_ONE + 5 * MINUTE))]), [""; 0]);
    assert_eq!(roles(&folder, &[item(&on_role("scanner"), &until(DAY_ONE + 5 * MINUTE - 1))]), ["scan"]);
}

/// The first call of a role is excepted for its address; so the role is new with the second, from elsewhere.
#[test]
fn what_is_excepted_is_no_history() {
    let mut office = refused("office", DAY_ONE, "ci");
    office.address = "198.51.100.4";
    let away = refused("away", DAY_ONE + DAY, "ci");
    let folder = Folder::of(&[office, away]);
    let entries = json!([{ "type": "match", "operator": "included", "field": "source.ip", "value": "198.51.100.0/24" }]);
    assert_eq!(roles(&folder, &[empty_list()]), ["office"]);
    assert_eq!(roles(&folder, &[item(&entries, &json!({}))]), ["away"]);
}

#[test]
fn what_cannot_be_applied_is_told() {
    let folder = Folder::of(&[refused("scan", DAY_ONE, "scanner")]);
    let list = json!([{ "type": "list", "operator": "included", "field": "source.ip", "list": { "id": "offices", "type": "ip" } }]);
    for (items, said) in [
        (vec![item(&list, &json!({}))], "execution: Known roles (it asks for the value list `offices`"),
        (vec![], "execution: all of the list `known`, which was not loaded"),
    ] {
        let mut options = options(&folder, &[excepting()]);
        options.exceptions = exceptions(&items);
        let found = run(&options);
        assert_eq!(found.alerts.len(), 1);
        let warnings = &found.rules[0].warnings;
        assert!(warnings.len() == 1 && warnings[0].message.contains(said), "{warnings:?}");
    }
}
