//! A rule that watches for whoever it was: what a plan proposes for the time after it.

use ecs::Millis;
use serde_json::json;

use crate::class::{Class, is_plain};
use crate::evidence::Investigation;
use crate::fill::{self, Values};
use crate::look::DAY;
use crate::origin;

/// The rule finds nothing later than that.
const LASTS: Millis = 14 * DAY;

/// What is watched for: the placeholder, the class of its values, and the condition.
const WATCHED: [(&str, Class, &str); 6] = [
    ("role", Class::Arn, "aws.cloudtrail.user_identity.session_context.session_issuer.arn: \"{{role}}\""),
    ("user", Class::Arn, "aws.cloudtrail.user_identity.arn: \"{{user}}\""),
    ("key", Class::AccessKey, "aws.cloudtrail.user_identity.access_key_id: \"{{key}}\""),
    ("address", Class::Other, "source.ip: \"{{address}}\""),
    ("made_user", Class::IamName, "user.name: \"{{made_user}}\""),
    ("instance", Class::Instance, "related.hosts: \"{{instance}}\""),
];

/// The rule as a file in TOML, with an end in its query.
pub(crate) fn rule(it: &Investigation, case: &Values, now: Millis) -> Option<String> {
    let mut values = Values::default();
    let mut add = |name: &str, all: Vec<String>| values.add(name, all.into_iter().filter(|it| is_plain(it)));
    add("role", case.get("case.role_arn").to_vec());
    let users = case.get("case.root_arn").iter().filter(|it| it.contains(":user/") || it.ends_with(":root"));
    add("user", users.cloned().collect());
    let targets = |fact: &str| it.fact(fact).map_or(&[][..], |it| &it.targets);
    let made_keys = targets("persistence_created").iter().filter(|it| it.call == "iam:CreateAccessKey");
    let keys = case.get("case.chain_keys").iter().cloned();
    let keys = keys.chain(case.get("case.session_key").iter().cloned());
    let reached = targets("lateral_sessions").iter().chain(made_keys).map(|it| it.detail.clone());
    add("key", keys.chain(reached).collect());
    // A private address is somebody else's elsewhere.
    let public = case.get("case.src_ip").iter().filter(|it| origin::kind(it) == "public");
    add("address", public.cloned().collect());
    let made = targets("persistence_created").iter().filter(|it| it.call == "iam:CreateUser");
    add("made_user", made.map(|it| it.object.clone()).collect());
    add("instance", case.get("case.machine").to_vec());
    let mut conditions = Vec::new();
    for (name, class, condition) in WATCHED {
        let accepted: Vec<String> = values
            .get(name)
            .iter()
            .filter(|it| class == Class::Other || class.accepts(it))
            .cloned()
            .collect();
        let values = Values::default().with_all(name, &accepted);
        conditions
            .extend(fill::kql(condition, &values).ok().filter(|_| !accepted.is_empty()).map(|it| it.text));
    }
    if conditions.is_empty() {
        return None;
    }
    let id = case.first("case.id").unwrap_or("0");
    let (from, to) = (ecs::date::to_iso(now), ecs::date::to_iso(now + LASTS));
    let query =
        format!("({}) and @timestamp >= \"{from}\" and @timestamp < \"{to}\"", conditions.join(" or "));
    // A string of JSON is one of TOML.
    let text = |text: &str| json!(text).to_string();
    let lines = [
        "[rule]".to_owned(),
        format!("rule_id = {}", text(&uuid(id, &query))),
        format!("name = {}", text(&format!("Watch: incident {id}"))),
        format!(
            "description = {}",
            text(&format!("Whatever is done by whom incident {id} is about, until {to}. Remove it then."))
        ),
        "severity = \"high\"".to_owned(),
        "risk_score = 73".to_owned(),
        "type = \"query\"".to_owned(),
        "language = \"kuery\"".to_owned(),
        "index = [\"filebeat-*\", \"logs-aws.cloudtrail-*\"]".to_owned(),
        "from = \"now-6m\"".to_owned(),
        "interval = \"5m\"".to_owned(),
        format!("query = {}", text(&query)),
    ];
    Some(lines.join("\n") + "\n")
}

/// A UUID that is the same for the same watch.
fn uuid(id: &str, query: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u128;
    for byte in id.bytes().chain(query.bytes()) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let hex = format!("{hash:032x}");
    // The digits of version and variant are those of a UUID of one's own making.
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
