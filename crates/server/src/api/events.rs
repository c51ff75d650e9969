//! Events that are posted.

use std::sync::Arc;

use reader::Input;
use serde_json::{Map, Value, json};
use store::{Accounting, Delivered, Refused, Trouble};

use crate::app::App;
use crate::http::{Answer, Asked, Kind, Problem, unknown_encoding};
use crate::intake::{Full, Offer};

/// Parts that could not be read and are told in an answer; the rest is counted.
const TROUBLES_TOLD: usize = 20;

/// Takes a body as a file would hold it: what it is, its content tells.
pub(super) fn post(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    // The reader knows these by their first bytes, whether the header says so or not.
    if !["", "identity", "gzip", "zstd"].contains(&asked.encoding.as_str()) {
        return Err(unknown_encoding(&asked.encoding));
    }
    if asked.body.is_empty() {
        return Err(Problem::new(Kind::Body, "the body is empty"));
    }
    let name = "POST /api/v1/events";
    let delivered = deliver(asked.app, name, asked.body.clone(), Vec::new(), false)?;
    let told = told(&delivered);
    if delivered.accounting.unreadable > 0 {
        let detail = "what could be read is stored, and the rest is kept as a dead letter; there is no need to send it again";
        let mut problem = Problem::new(Kind::Unreadable, detail);
        problem.more = told;
        return Err(problem);
    }
    Ok(Answer::json(&Value::Object(told)))
}

/// Has bytes stored, and says what became of them once they are on the disk.
pub(super) fn deliver(
    app: &App,
    name: &str,
    bytes: Vec<u8>,
    refused: Vec<Refused>,
    tells_fates: bool,
) -> Result<Delivered, Problem> {
    let input = Input::memory(0, name, Arc::new(bytes));
    let text_max = Some(app.config().text_bytes);
    wait(app, Offer { text_max, tells_fates, refused, ..Offer::new(&app.http, input) })
}

/// Offers something, and says what became of it once it is on the disk.
pub(super) fn wait(app: &App, offer: Offer) -> Result<Delivered, Problem> {
    let later = app
        .intake
        .offer(offer)
        .map_err(|Full| Problem::later(Kind::Busy, "what waits to be stored leaves no room (`queue_max`)"))?;
    match later.blocking_recv() {
        Ok(Ok(delivered)) => Ok(delivered),
        Ok(Err(error)) => Err(Problem::later(Kind::NotStored, format!("{} {}", error.code, error.detail))),
        Err(_) => Err(Problem::later(Kind::NotStored, "the server is stopping")),
    }
}

fn told(delivered: &Delivered) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("account".to_owned(), account(delivered.accounting));
    if delivered.trouble_count > 0 {
        let troubles = delivered.troubles.iter().take(TROUBLES_TOLD).map(trouble);
        told.insert("troubles".to_owned(), troubles.collect());
        told.insert("trouble_count".to_owned(), delivered.trouble_count.into());
    }
    if let Some(letter) = delivered.letter {
        told.insert("dead_letter".to_owned(), letter.into());
    }
    told
}

fn trouble(it: &Trouble) -> Value {
    json!({"code": it.code, "text": it.text})
}

/// An account as JSON.
pub(super) fn account(it: Accounting) -> Value {
    let Accounting { read, stored, duplicate, unreadable, dropped } = it;
    json!({"read": read, "stored": stored, "duplicate": duplicate, "unreadable": unreadable, "dropped": dropped})
}
