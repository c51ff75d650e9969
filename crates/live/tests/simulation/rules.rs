//! Rules of all types, and events that they are about.

use ecs::Millis;
use ecs::date::to_iso;
use fastrand::Rng;
use rule::{Rule, Selection};

/// The rules of a world, which execute every `minutes` or a multiple of that.
pub(crate) fn rules(rng: &mut Rng, minutes: u64) -> Vec<Rule> {
    let overrides = ["", "timestamp_override = 'event.ingested'"];
    let mut all = Vec::new();
    let mut add = |rng: &mut Rng, name: &str, rest: &str| {
        let interval = minutes * rng.u64(1..=3);
        let window = interval + minutes * rng.u64(0..=4);
        let timestamp = if rest.contains("kibana.alert") { "" } else { overrides[rng.usize(0..2)] };
        let max_signals = [3, 100][rng.usize(0..2)];
        let index = if rest.contains("kibana.alert") { "" } else { "index = ['logs-aws.cloudtrail*']" };
        let text = format!(
            "[rule]\nname = '{name}'\nrule_id = '{name}'\ndescription = 'Of a simulation.'\nseverity = 'low'\n\
             risk_score = 21\ninterval = '{interval}m'\nfrom = 'now-{window}m'\nmax_signals = {max_signals}\n\
             {timestamp}\n{index}\n{}\n",
            rest.replace("MINUTES", &minutes.to_string())
        );
        let mut loaded = rule::load_text(&format!("{name}.toml"), &text);
        assert!(loaded.rules.len() == 1, "{name}: {:?}\n{text}", loaded.problems);
        all.push(loaded.rules.remove(0));
    };
    add(rng, "query", "type = 'query'\nquery = 'event.action: CreateUser'");
    add(
        rng,
        "alike",
        "type = 'query'\nquery = 'event.action: CreateUser'\n[rule.alert_suppression]\ngroup_by = ['user.name']\n\
         duration = { value = 9, unit = 'h' }\nmissing_fields_strategy = 'suppress'",
    );
    add(
        rng,
        "alike at once",
        "type = 'query'\nquery = 'event.action: DeleteUser'\n[rule.alert_suppression]\ngroup_by = ['user.name']\n\
         missing_fields_strategy = 'suppress'",
    );
    add(
        rng,
        "threshold",
        "type = 'threshold'\nquery = 'event.action: GetObject'\n[rule.threshold]\nfield = ['user.name']\nvalue = 2",
    );
    add(
        rng,
        "threshold alike",
        "type = 'threshold'\nquery = 'event.action: GetObject'\n[rule.threshold]\nfield = ['user.name']\nvalue = 2\n\
         [rule.alert_suppression]\nduration = { value = 5, unit = 'h' }",
    );
    add(
        rng,
        "new terms",
        "type = 'new_terms'\nquery = 'event.action: *'\n[rule.new_terms]\nfield = 'new_terms_fields'\n\
         value = ['user.name', 'event.action']\n[[rule.new_terms.history_window_start]]\n\
         field = 'history_window_start'\nvalue = 'now-2d'",
    );
    add(
        rng,
        "sequence",
        "type = 'eql'\nlanguage = 'eql'\nquery = '''sequence by user.name with maxspan=2h\n\
         [any where event.action == \"CreateUser\"]\n[any where event.action == \"DeleteUser\"]'''",
    );
    add(
        rng,
        "over alerts",
        "type = 'threshold'\nindex = ['.alerts-security.*']\n\
         query = 'kibana.alert.rule.name: (query or sequence)'\n[rule.threshold]\n\
         field = ['user.name']\nvalue = 2",
    );
    all
}

pub(crate) fn selection(rules: &[Rule]) -> Selection {
    Selection::all(rules.iter().cloned())
}

/// A record of something that happened at a time.
pub(crate) fn record(rng: &mut Rng, id: u64, time: Millis) -> String {
    let action = ["CreateUser", "DeleteUser", "GetObject", "ListUsers"][rng.usize(0..4)];
    let source = if action == "GetObject" { "s3" } else { "iam" };
    let user = ["ana", "bo", "cy", "dee"][rng.usize(0..4)];
    format!(
        "{{\"eventVersion\":\"1.08\",\"eventID\":\"event-{id}\",\"eventTime\":\"{}\",\
         \"eventSource\":\"{source}.amazonaws.com\",\"eventName\":\"{action}\",\"awsRegion\":\"eu-central-1\",\
         \"sourceIPAddress\":\"198.51.100.7\",\"userAgent\":\"aws-cli/2\",\"recipientAccountId\":\"111122223333\",\
         \"userIdentity\":{{\"type\":\"IAMUser\",\"userName\":\"{user}\",\"accountId\":\"111122223333\",\
         \"arn\":\"arn:aws:iam::111122223333:user/{user}\"}}}}",
        to_iso(time - time.rem_euclid(1_000))
    )
}
