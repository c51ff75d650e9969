//! The sources.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::{LetterAccount, SourceAccount, Store};

use super::events::account;
use super::letters;
use crate::config::SourceKind;
use crate::http::{Answer, Asked, Kind, Problem};

/// The accounts of all sources, by name: also of those that are not configured any more.
pub(super) fn accounts(asked: &Asked<'_>) -> Result<BTreeMap<String, SourceAccount>, Problem> {
    let all = Store::open(&asked.app.data).and_then(|it| it.sources());
    let all = all.map_err(|it| Problem::new(Kind::Failed, format!("{} {it}", it.code())))?;
    Ok(all.into_iter().map(|it| (it.name.clone(), it)).collect())
}

/// What became of the unreadable records of all sources, by name.
pub(super) fn letter_accounts(asked: &Asked<'_>) -> Result<BTreeMap<String, LetterAccount>, Problem> {
    let all = Store::open(&asked.app.data).and_then(|it| it.letter_accounts());
    let all = all.map_err(|it| Problem::new(Kind::Failed, format!("{} {it}", it.code())))?;
    Ok(all.into_iter().map(|it| (it.source.clone(), it)).collect())
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let mut accounts = accounts(asked)?;
    let letters = letter_accounts(asked)?;
    let letters = |name: &str| letters::told(&letters.get(name).cloned().unwrap_or_default());
    let mut all: Vec<Value> = Vec::new();
    let now = asked.app.now();
    for source in &asked.app.sources {
        let state = source.state();
        let its = accounts.remove(source.name()).unwrap_or_default();
        let last = state.last_ms.or((its.last_ms > 0).then_some(its.last_ms));
        let trouble = state.trouble.map(|(at, text)| json!({"at": ecs::date::to_iso(at), "text": text}));
        let mut told = json!({
            "name": source.name(),
            "type": source.kind().name(),
            "account": account(its.accounting),
            "deliveries": its.deliveries,
            "bytes": its.bytes,
            "last": last.map(ecs::date::to_iso),
            "silent_ms": last.map(|it| now.saturating_sub(it).max(0)),
            "failures": state.failures,
            "losses": state.losses,
            "trouble": trouble,
            "dead_letters": letters(source.name()),
        });
        match source.kind() {
            SourceKind::Http => {}
            SourceKind::Folder { path, .. } => {
                told["path"] = path.display().to_string().into();
                told["waiting_files"] = state.waiting.into();
            }
            SourceKind::Stdin { .. } => told["ended"] = state.is_over.into(),
            SourceKind::Unix { path, .. } => {
                told["path"] = path.display().to_string().into();
                told["connections"] = state.connections.into();
            }
            SourceKind::S3(its) => {
                let it = state.bucket;
                told["url"] = its.url.as_str().into();
                told["queue"] = its.queue.as_deref().into();
                told["waiting_objects"] = state.waiting.into();
                told["lag_ms"] = it.oldest_ms.map_or(0, |it| now.saturating_sub(it).max(0)).into();
                told["objects"] = json!({
                    "listed": it.listed, "noticed": it.noticed, "reconciled": it.reconciled, "gone": it.gone,
                    "failed": it.failed, "foreign": it.foreign,
                });
                told["messages"] = json!({
                    "taken": it.messages, "done": it.messages_done, "unread": it.messages_unread,
                    "given_up": it.messages_given_up,
                });
                let at = it.reconciled_ms.map(ecs::date::to_iso);
                told["reconciliation"] = json!({"last": at, "objects": it.objects});
            }
        }
        all.push(told);
    }
    // What somebody once delivered stays on the account.
    for (name, its) in accounts {
        all.push(json!({
            "name": name,
            "type": Value::Null,
            "account": account(its.accounting),
            "deliveries": its.deliveries,
            "bytes": its.bytes,
            "last": ecs::date::to_iso(its.last_ms),
            "dead_letters": letters(&its.name),
        }));
    }
    Ok(Answer::json(&json!({"sources": all})))
}
