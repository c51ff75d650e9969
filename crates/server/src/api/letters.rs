//! Dead letters: what could not be read, looked at, replayed, thrown away.

use std::sync::Arc;

use ecs::Millis;
use reader::Input;
use serde_json::{Value, json};
use store::{Accounting, Letter, LetterAccount, LetterContents, Store, StoreError};

use super::events::{account, wait};
use crate::app::App;
use crate::config::{SourceConfig, SourceKind};
use crate::http::{Answer, Asked, Kind, Problem};
use crate::intake::{Full, Offer};
use crate::source::Source;

/// Letters that one request gives.
const SIZE_MAX: usize = 1_000;
/// Letters that one request replays.
const REPLAYED_MAX: usize = 100;

fn problem(error: &StoreError) -> Problem {
    let kind = match error {
        StoreError::NoLetter { .. } => Kind::NoSuchResource,
        StoreError::EmptyLetter { .. } => Kind::Conflict,
        StoreError::NoStore { .. }
        | StoreError::Foreign { .. }
        | StoreError::Newer { .. }
        | StoreError::Locked { .. }
        | StoreError::Io { .. }
        | StoreError::Database { .. }
        | StoreError::Damaged { .. }
        | StoreError::Write { .. }
        | StoreError::DamagedLetter { .. } => Kind::Failed,
    };
    Problem::new(kind, format!("{} {error}", error.code()))
}

fn open(app: &App) -> Result<Store, Problem> {
    Store::open(&app.data).map_err(|it| problem(&it))
}

/// What became of unreadable records, as JSON.
pub(super) fn told(it: &LetterAccount) -> Value {
    let LetterAccount {
        source: _,
        received,
        waiting,
        replayed,
        repeated,
        expired,
        crowded_out,
        discarded,
        ..
    } = it;
    json!({
        "received": received, "waiting": waiting, "replayed": replayed, "repeated": repeated, "expired": expired,
        "crowded_out": crowded_out, "discarded": discarded, "letters": it.letters, "bytes": it.bytes,
        "oldest": it.oldest.map(ecs::date::to_iso),
    })
}

fn letter(it: &Letter) -> Value {
    let time = |at: Millis| ecs::date::to_iso(at);
    json!({
        "id": it.id,
        "source": it.source,
        "from": it.name,
        "first": time(it.first),
        "last": time(it.last),
        "deliveries": it.deliveries,
        "records": it.records,
        "code": it.code,
        "troubles": it.troubles,
        "contents": it.contents.as_str(),
        "bytes": it.bytes,
        "tries": it.tries,
        "tried": it.tried.map(time),
    })
}

/// The letters of a source, and what became of others.
pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["from", "size"])?;
    let (from, size) =
        (asked.query.number("from", 0, usize::MAX >> 1)?, asked.query.number("size", 50, SIZE_MAX)?);
    let name = asked.part("name");
    let store = open(asked.app)?;
    let accounts = store.letter_accounts().map_err(|it| problem(&it))?;
    let its = accounts.into_iter().find(|it| it.source == name);
    let is_known = its.is_some() || asked.app.sources.iter().any(|it| it.name() == name);
    if !is_known {
        return Err(Problem::new(Kind::NoSuchResource, format!("no source is named `{name}`")));
    }
    let letters = store.letters(Some(name), from, size).map_err(|it| problem(&it))?;
    let letters: Vec<Value> = letters.iter().map(letter).collect();
    Ok(Answer::json(
        &json!({"account": told(&its.unwrap_or_default()), "from": from, "dead_letters": letters}),
    ))
}

/// The letter that is asked for, if it is the source's.
fn asked_for(asked: &Asked<'_>, store: &Store) -> Result<Letter, Problem> {
    let (name, id) = (asked.part("name"), asked.part("id"));
    let none =
        || Problem::new(Kind::NoSuchResource, format!("the source `{name}` has no dead letter `{id}`"));
    let its = store.letter(id.parse().map_err(|_| none())?).map_err(|it| problem(&it))?;
    if its.source == name { Ok(its) } else { Err(none()) }
}

/// What a letter holds, as it came.
pub(super) fn contents(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let store = open(asked.app)?;
    let its = asked_for(asked, &store)?;
    let bytes = store.letter_contents(its.id).map_err(|it| problem(&it))?;
    let mut answer = Answer::new(200, "application/octet-stream", bytes);
    // Nobody's browser is to make something of it.
    let name = format!("attachment; filename=\"dead-letter-{}\"", its.id);
    answer.headers.push(("content-disposition", name));
    Ok(answer)
}

/// Reads a letter once more.
pub(super) fn replay(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let store = open(asked.app)?;
    let its = asked_for(asked, &store)?;
    let accounting = replay_one(asked.app, &store, &its)?;
    let left = match store.letter(its.id) {
        Ok(it) => letter(&it),
        Err(StoreError::NoLetter { .. }) => Value::Null,
        Err(error) => return Err(problem(&error)),
    };
    Ok(Answer::json(&json!({"account": account(accounting), "dead_letter": left})))
}

/// Reads letters of a source once more: those that were tried least often.
pub(super) fn replay_all(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let name = asked.part("name");
    let store = open(asked.app)?;
    let mut letters = store.letters(Some(name), 0, usize::MAX >> 1).map_err(|it| problem(&it))?;
    letters.retain(|it| it.contents != LetterContents::Nothing);
    letters.sort_by_key(|it| (it.tries, it.id));
    let untried = letters.len().saturating_sub(REPLAYED_MAX);
    letters.truncate(REPLAYED_MAX);
    let (mut total, mut mended) = (Accounting::default(), 0);
    for its in &letters {
        let Accounting { read, stored, duplicate, unreadable, dropped } =
            match replay_one(asked.app, &store, its) {
                Ok(it) => it,
                // Somebody else was quicker.
                Err(it) if it.kind == Kind::NoSuchResource => continue,
                Err(it) => return Err(it),
            };
        total = Accounting {
            read: total.read + read,
            stored: total.stored + stored,
            duplicate: total.duplicate + duplicate,
            unreadable: total.unreadable + unreadable,
            dropped: total.dropped + dropped,
        };
        mended += u64::from(matches!(store.letter(its.id), Err(StoreError::NoLetter { .. })));
    }
    let told = json!({"replayed": letters.len(), "mended": mended, "not_replayed": untried, "account": account(total)});
    Ok(Answer::json(&told))
}

/// Reads a letter once more, and says what was counted.
fn replay_one(app: &App, store: &Store, its: &Letter) -> Result<Accounting, Problem> {
    let bytes = store.letter_contents(its.id).map_err(|it| problem(&it))?;
    let source = app.sources.iter().find(|it| it.name() == its.source).map_or_else(
        || {
            // Nobody configures it any more: its letters are its all the same.
            let config = SourceConfig {
                name: its.source.clone(),
                kind: SourceKind::Http,
                indices: Vec::new(),
                silent_ms: None,
            };
            Arc::new(Source::new(config))
        },
        Arc::clone,
    );
    let input = Input::memory(0, its.name.clone(), Arc::new(bytes));
    let text_max = Some(app.config().text_bytes);
    let offer = Offer { replays: Some(its.id), text_max, ..Offer::new(&source, input) };
    Ok(wait(app, offer)?.accounting)
}

/// Throws a letter away.
pub(super) fn discard(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let its = asked_for(asked, &open(asked.app)?)?;
    let stopping = || Problem::later(Kind::NotStored, "the server is stopping");
    let later = asked.app.intake.discard(its.id).map_err(|Full| stopping())?;
    match later.blocking_recv() {
        Ok(Ok(())) => {}
        Ok(Err(error)) if error.code == "STORE011" => {
            return Err(Problem::new(Kind::NoSuchResource, format!("{} {}", error.code, error.detail)));
        }
        Ok(Err(error)) => {
            return Err(Problem::later(Kind::NotStored, format!("{} {}", error.code, error.detail)));
        }
        Err(_) => return Err(stopping()),
    }
    let details = [
        ("source", Value::from(its.source.as_str())),
        ("dead_letter", its.id.into()),
        ("records", its.records.into()),
        ("by", asked.author().into()),
    ];
    asked.app.log.info("SRV024", "a dead letter was discarded", &details);
    Ok(Answer::new(204, "application/json", ""))
}
