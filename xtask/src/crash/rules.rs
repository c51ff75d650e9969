//! Rules that execute every few seconds: those of the pack, and of each type some that alert all the time.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;

/// How far back a rule looks beyond its interval, in seconds: longer than the server is ever away, so that most of what comes
/// late is seen on time.
const LOOK_BACK: u64 = 30;
/// Alerts of one execution, as many as there may be: nothing is to be cut off that a hunt in files finds.
const MAX_SIGNALS: u32 = 1_000;

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
pub(super) fn write(root: &Path, folder: &Path, rng: &mut Rng) -> Result<usize> {
    fs::create_dir_all(folder)?;
    let mut count = 0;
    let pack = root.join("rules/aws");
    let mut files: Vec<_> = fs::read_dir(&pack)
        .with_context(|| format!("cannot read {}", pack.display()))?
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.sort_unstable();
    for path in files {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        // Not its texts in other languages.
        if !name.ends_with(".toml") || name.trim_end_matches(".toml").contains('.') {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let (interval, from) = times(rng);
        let mut hurried = Vec::new();
        let is_by_ingestion = rng.bool();
        for line in text.lines() {
            match line.split_once(" = ").map_or("", |it| it.0) {
                "interval" => hurried.push(format!("interval = \"{interval}s\"")),
                "from" => hurried.push(format!("from = \"now-{from}s\"")),
                "max_signals" => hurried.push(format!("max_signals = {MAX_SIGNALS}")),
                "timestamp_override" if !is_by_ingestion => {}
                _ => hurried.push(line.to_owned()),
            }
        }
        fs::write(folder.join(name), hurried.join("\n") + "\n")?;
        count += 1;
    }
    ensure!(count > 0, "{} holds no rule", pack.display());
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
