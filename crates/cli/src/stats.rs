//! `hunt --stats FILE`: what became of the input and of the rules, for scripts.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use hunt::{Found, RanRule, ReadReport};
use report::Remark;
use serde_json::{Value, json};

/// Counted up when a key changes its meaning or goes.
const FORM: u32 = 1;

/// Writes the numbers of a hunt. The records add up: `total` is the sum of the others.
pub(crate) fn write(path: &Path, found: &Found, remarks: &[Remark]) -> anyhow::Result<()> {
    let place = || format!("--stats: cannot write to `{}`", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(place)?);
    serde_json::to_writer_pretty(&mut out, &stats(found, remarks)).with_context(place)?;
    out.write_all(b"\n").and_then(|()| out.flush()).with_context(place)
}

fn stats(found: &Found, remarks: &[Remark]) -> Value {
    let ReadReport { files, pruned, skipped, skipped_members, read_bytes, text_bytes, records, .. } =
        &found.read;
    let time = |time: ecs::Millis| ecs::date::to_iso(time);
    json!({
        "form": FORM,
        "files": {
            "read": files,
            "outside_of_time": pruned,
            "passed_over": skipped,
            "archive_members_passed_over": skipped_members,
        },
        "bytes": {"read": read_bytes, "text": text_bytes},
        "records": {
            "total": records.total(),
            "matched": records.matched,
            "unmatched": records.unmatched,
            "duplicate": records.duplicate,
            "unreadable": records.unreadable,
            "skipped_unread": records.skipped_unread,
        },
        "without_time": found.read.undated,
        "without_known_field": found.read.blind,
        "first": found.read.span.map(|(first, _)| time(first)),
        "last": found.read.span.map(|(_, last)| time(last)),
        "indices": found.read.indices,
        "unreadable_parts": found.read.trouble_count,
        "alerts": found.alert_count(),
        "suppressed": found.suppressed_count(),
        "rules": found.rules.iter().map(rule).collect::<Value>(),
        "refused": found.refused.iter().map(|it| {
            json!({"rule_id": it.rule.rule_id, "name": it.rule.name, "reason": it.reason})
        }).collect::<Value>(),
        "notices": remarks.iter().map(|it| json!({"severe": it.severe, "text": it.text})).collect::<Value>(),
    })
}

fn rule(ran: &RanRule) -> Value {
    let RanRule { rule, outcome, .. } = ran;
    json!({
        "rule_id": rule.rule_id,
        "name": rule.name,
        "type": rule.kind.type_name(),
        "severity": rule.severity.as_str(),
        "matched": outcome.metrics.matched,
        "alerts": outcome.alerts.len(),
        "suppressed": outcome.metrics.suppressed,
        "executions": outcome.executions.total,
        "executions_cut_by_max_signals": outcome.metrics.truncated,
    })
}
