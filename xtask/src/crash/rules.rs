//! Rules that execute every few seconds: those of the pack, and of each type some that alert all the time.

use std::fs;
use std::path::Path;

use anyhow::Result;
use fastrand::Rng;

use crate::serving::pack::{self, MAX_SIGNALS, Times};

/// How far back a rule looks beyond its interval, in seconds: longer than the server is ever away, so that most of what comes
/// late is seen on time.
const LOOK_BACK: u64 = 30;
/// What must be there beside the pack.
const OWN: [(&str, &str); 7] = [
    ("refused", "type = 'query'\nlanguage = 'kuery'\nquery = 'event.outcome: failure'"),
    (
        "alike",
        "type = 'query'\nlanguage = 'kuery'\nquery = 'event.action: (GetCallerIdentity or ListUsers or GetObject)'\n\
         [rule.alert_suppression]\ngroup_by = ['user.name']\nduration = { value = 1, unit = 'm' }\n\
         missing_fields_strategy = 'suppress'",
    ),
    (
        "threshold",
        "type = 'threshold'\nlanguage = 'kuery'\nquery = 'event.outcome: success'\n[rule.threshold]\n\
         field = ['user.name']\nvalue = 5",
    ),
    (
        "threshold-alike",
        "type = 'threshold'\nlanguage = 'kuery'\nquery = 'event.action: Describe*'\n[rule.threshold]\n\
         field = ['cloud.account.id']\nvalue = 3\n[rule.alert_suppression]\nduration = { value = 20, unit = 's' }",
    ),
    (
        "new",
        "type = 'new_terms'\nlanguage = 'kuery'\nquery = 'event.action: *'\n[rule.new_terms]\n\
         field = 'new_terms_fields'\nvalue = ['user.name', 'event.action']\n\
         [[rule.new_terms.history_window_start]]\nfield = 'history_window_start'\nvalue = 'now-2m'",
    ),
    (
        "sequence",
        "type = 'eql'\nlanguage = 'eql'\nquery = '''sequence by user.name with maxspan=5s\n\
         [any where event.outcome == \"failure\"]\n[any where event.outcome == \"success\"]'''",
    ),
    (
        "over-alerts",
        "type = 'threshold'\nlanguage = 'kuery'\nquery = 'kibana.alert.rule.name: refused'\n[rule.threshold]\n\
         field = ['user.name']\nvalue = 2",
    ),
];

/// Writes them into a folder; says how many there are.
pub(super) fn write(folder: &Path, rng: &mut Rng) -> Result<usize> {
    let mut count = pack::write(folder, &mut || {
        let (interval_s, from_s) = times(rng);
        Times { interval_s, from_s: Some(from_s), is_by_ingestion: rng.bool() }
    })?;
    for (name, rest) in OWN {
        let is_over_alerts = rest.contains("kibana.alert");
        for (suffix, timestamp) in [("", ""), ("-ingested", "timestamp_override = 'event.ingested'")] {
            if is_over_alerts && !suffix.is_empty() {
                continue;
            }
            let (interval, from) = times(rng);
            let index = if is_over_alerts { ".alerts-security.*" } else { "logs-aws.cloudtrail*" };
            let text = format!(
                "[rule]\nname = '{name}{suffix}'\nrule_id = '{name}{suffix}'\ndescription = 'Alerts all the time.'\n\
                 severity = 'low'\nrisk_score = 21\ninterval = '{interval}s'\nfrom = 'now-{from}s'\n\
                 max_signals = {MAX_SIGNALS}\nindex = ['{index}']\n{timestamp}\n{rest}\n"
            );
            fs::write(folder.join(format!("own-{name}{suffix}.toml")), text)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The interval of a rule, and how far it looks back.
fn times(rng: &mut Rng) -> (u64, u64) {
    let interval = rng.u64(1..=5);
    (interval, interval + LOOK_BACK)
}
