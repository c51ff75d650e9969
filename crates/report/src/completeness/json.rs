//! What could not have been seen, for scripts. The names are stable.

use complete::{BlindRange, Cause, Chain, ChainProblem, ChainStart, Gap, SubjectKind, Why};
use ecs::date::to_iso;
use serde_json::{Value, json};

use super::Completeness;

pub(super) fn of(it: &Completeness<'_>) -> String {
    let blind = it.blind.iter().enumerate().map(|(at, range)| blind(range, it.meanwhile.get(at).copied()));
    let digests = it.digests;
    let value = json!({
        "verdict": it.verdict().name(),
        "sentence": it.sentence(),
        "digests": {
            "files": digests.digests,
            "keys_given": digests.has_keys,
            "unreadable": digests.unreadable.iter()
                .map(|(place, why)| json!({"place": place, "why": why})).collect::<Vec<_>>(),
            "chains": digests.chains.iter().map(chain).collect::<Vec<_>>(),
        },
        "files": {
            "right": digests.right,
            "unchecked": digests.unchecked,
            "changed": digests.changed.iter().map(|it| json!({
                "object": it.object, "place": it.place, "readable": it.is_readable, "digest": it.digest,
            })).collect::<Vec<_>>(),
            "missing": digests.missing.iter()
                .map(|it| json!({"object": it.object, "digest": it.digest})).collect::<Vec<_>>(),
            "not_covered": digests.not_covered.iter()
                .map(|it| json!({"place": it.place, "why": it.why.name()})).collect::<Vec<_>>(),
        },
        "blind": blind.collect::<Vec<_>>(),
        "blind_calls_limit": it.blind_limit,
        "gaps": it.gaps.gaps.iter().map(gap).collect::<Vec<_>>(),
        "gaps_looked_at": it.gaps.looked_at,
        "gaps_too_little": it.gaps.too_little.iter()
            .map(|it| json!({"account": it.account, "region": it.region})).collect::<Vec<_>>(),
        "read": {
            "files": it.read.files,
            "skipped": it.read.skipped,
            "events": it.read.events,
            "duplicates": it.read.duplicates,
            "others": it.read.others,
            "unreadable": it.read.unreadable,
            "undated": it.read.undated,
            "first": it.read.span.map(|it| to_iso(it.0)),
            "last": it.read.span.map(|it| to_iso(it.1)),
            "text_bytes": it.read.text_bytes,
            "troubles": it.read.troubles,
            "trouble_count": it.read.trouble_count,
        },
    });
    format!("{value:#}\n")
}

fn chain(it: &Chain) -> Value {
    let (start, previous) = match &it.start {
        ChainStart::Beginning => ("beginning", None),
        ChainStart::Cut { previous } => ("cut", Some(previous)),
    };
    json!({
        "bucket": it.bucket, "account": it.account, "region": it.name.region, "trail": it.name.trail,
        "backfill": it.name.is_backfill, "digests": it.digests, "from": to_iso(it.from), "to": to_iso(it.to),
        "start": start, "previous": previous,
        "signatures": {
            "right": it.signatures.right, "wrong": it.signatures.wrong, "no_key": it.signatures.no_key,
            "unsigned": it.signatures.unsigned, "unknown": it.signatures.unknown,
        },
        "vouched": it.vouched,
        "files": {"right": it.right, "changed": it.changed, "missing": it.missing},
        "problems": it.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn problem(it: &ChainProblem) -> Value {
    match it {
        ChainProblem::Missing { object, wanted_by, from, to } => json!({
            "kind": "missing", "object": object, "wanted_by": wanted_by, "from": to_iso(*from), "to": to_iso(*to),
        }),
        ChainProblem::BrokenLink { object, next } => {
            json!({"kind": "broken-link", "object": object, "next": next})
        }
        ChainProblem::WrongSignature { object } => json!({"kind": "wrong-signature", "object": object}),
        ChainProblem::Copies { object, places } => {
            json!({"kind": "copies-differ", "object": object, "places": places})
        }
        ChainProblem::Fork { object, digests } => {
            json!({"kind": "fork", "object": object, "digests": digests})
        }
        ChainProblem::Interrupted { from, to } => {
            json!({"kind": "interrupted", "from": to_iso(*from), "to": to_iso(*to)})
        }
    }
}

fn blind(it: &BlindRange, meanwhile: Option<u64>) -> Value {
    let cause =
        |it: &Cause| json!({"time": to_iso(it.time), "id": it.id, "action": it.action, "who": it.who});
    json!({
        "kind": match it.subject.kind { SubjectKind::Trail => "trail", SubjectKind::Store => "event-data-store" },
        "account": it.subject.account, "region": it.subject.region, "name": it.subject.name,
        "aspect": it.aspect.name(), "hides_events": it.aspect.hides_events(), "detail": it.detail,
        "from": to_iso(it.from), "to": it.to.map(to_iso),
        "calls": it.calls.iter().map(cause).collect::<Vec<_>>(), "call_count": it.call_count,
        "ended_by": it.ended_by.as_ref().map(cause), "records_meanwhile": meanwhile,
    })
}

fn gap(it: &Gap) -> Value {
    let mut value = json!({
        "account": it.series.account, "region": it.series.region, "from": to_iso(it.from), "to": to_iso(it.to),
        "at_end": it.is_end,
    });
    match it.why {
        Why::Rhythm { days, least } => {
            value["rule"] = "rhythm".into();
            value["days"] = days.into();
            value["least"] = least.into();
        }
        Why::Silence { longest, others } => {
            value["rule"] = "silence".into();
            value["longest_hours"] = longest.into();
            value["others"] = others.into();
        }
    }
    value
}
