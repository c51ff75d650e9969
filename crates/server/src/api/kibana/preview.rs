//! What a rule would have raised.

use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use detect::Mode;
use ecs::Object;
use hunt::{HuntError, HuntOptions, Progress};
use rule::Selection;
use serde_json::{Value, json};
use store::Store;

use super::super::shelf::{Shelf, random_id};
use super::{object, text, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Executions of a preview.
const INVOCATIONS_MAX: u64 = 10_000;
/// Alerts that are given; the rest is counted.
const ALERTS_MAX: usize = 1_000;

/// What a preview's body has beside a rule.
const OWN: [&str; 2] = ["invocationCount", "timeframeEnd"];

pub(super) fn preview(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["enable_logged_requests"])?;
    let mut body = object(asked)?;
    let started = Instant::now();
    let app = asked.app;
    let end = match text(&body, "timeframeEnd")? {
        Some(text) => ecs::date::parse(text).map_err(|it| wrong(format!("timeframeEnd: {it}")))?,
        None => app.now(),
    };
    let invocations = body.get("invocationCount").map_or(Some(1), Value::as_u64);
    let invocations = invocations.filter(|it| (1..=INVOCATIONS_MAX).contains(it));
    let invocations = invocations.ok_or_else(|| wrong(format!("invocationCount: 1 to {INVOCATIONS_MAX}")))?;
    for own in OWN {
        body.shift_remove(own);
    }
    body.insert("enabled".to_owned(), true.into());
    let shelf = Shelf::open(asked)?;
    let rule = Shelf::read(&body)?;
    // It reads much of the store: one at a time is what this machine has besides its work.
    let _alone = match app.investigating.try_lock() {
        Ok(alone) => alone,
        Err(TryLockError::Poisoned(alone)) => PoisonError::into_inner(alone),
        Err(TryLockError::WouldBlock) => {
            return Err(Problem::later(Kind::Busy, "another rule is being tried, or an alert investigated"));
        }
    };
    let stored = Store::open(&app.data).and_then(|it| it.inputs());
    let stored = stored.map_err(|it| Problem::new(Kind::Failed, format!("{} {it}", it.code())))?;
    let since = end.saturating_sub(rule.interval.millis().saturating_mul(invocations as i64));
    let only = Selection::only(Arc::new(rule));
    let exceptions = shelf.in_force()?.exceptions;
    let normalise = app.detection.normalise.clone();
    let options = HuntOptions {
        stored,
        mode: Mode::Replay { since: Some(since), until: Some(end) },
        threads: app.threads,
        ..HuntOptions::new(Vec::new(), only, exceptions, normalise, end, app.version)
    };
    let (mut errors, mut warnings, mut alerts, mut total) =
        (Vec::new(), Vec::new(), Vec::<Object>::new(), 0_u64);
    match hunt::hunt(&options, &mut std::io::empty(), &Progress::default()) {
        Ok(found) => {
            for ran in &found.rules {
                warnings.extend(ran.warnings.iter().map(|it| format!("{} {}", it.code, it.message)));
                warnings
                    .extend(ran.outcome.warnings.iter().map(|it| format!("{} {}", it.kind.code(), it.kind)));
            }
            errors.extend(found.refused.iter().map(|it| it.reason.clone()));
            warnings.extend(found.read.troubles.iter().map(|it| it.text.clone()));
            found.alerts(
                &[],
                |alert| alert.document().to_object(),
                |some| {
                    for alert in some {
                        total += 1;
                        if alerts.len() < ALERTS_MAX {
                            alerts.push(alert);
                        }
                    }
                },
            );
        }
        Err(HuntError::AllRefused(refused)) => errors.extend(refused.into_iter().map(|it| it.reason)),
        Err(error) => errors.push(error.to_string()),
    }
    warnings.sort();
    warnings.dedup();
    let log = json!({
        "errors": errors, "warnings": warnings, "startedAt": ecs::date::to_iso(end),
        "duration": started.elapsed().as_millis() as u64,
    });
    Ok(Answer::json(&json!({
        "previewId": random_id()?, "logs": [log], "isAborted": false, "total": total, "alerts": alerts,
    })))
}
