//! Events that are posted.

use std::sync::Arc;

use reader::Input;
use serde_json::{Map, Value, json};
use store::{Accounting, Delivered, Trouble};

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
    let delivered = deliver(asked.app, "POST /api/v1/events", asked.body.clone(), false)?;
    let told = told(&delivered);
    if delivered.accounting.unreadable > 0 {
        let detail =
            "what could be read is stored, and stays so; sending all of it again stores nothing twice";
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
    tells_fates: bool,
) -> Result<Delivered, Problem> {
    let input = Input::memory(0, name, Arc::new(bytes));
    let offer =
        Offer { source: Arc::clone(&app.http), input, text_max: Some(app.config.text_bytes), tells_fates };
    let later = app
        .intake
        .offer(offer)
        .map_err(|Full| Problem::later(Kind::Busy, "what waits to be stored leaves no room (`queue_max`)"))?;
    match later.blocking_recv() {
        Ok(Ok(delivered)) => Ok(delivered),
        Ok(Err(error)) if error.is_of_the_delivery() => {
            Err(Problem::new(Kind::Unreadable, format!("{} {}", error.code, error.detail)))
        }
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
