//! A document of a request, and what becomes of it.

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use store::{Delivered, Fate, RecordFate, Refused, Trouble};

use super::super::events::deliver;
use crate::app::App;
use crate::http::{Problem, elastic_error};

/// The code of a document that is none.
const NO_DOCUMENT: &str = "API017";

/// What is to be done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Index,
    Create,
}

/// A document that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) action: Action,
    pub(super) index: String,
    pub(super) id: Option<String>,
    pub(super) document: &'a str,
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is on the disk.
    Created { id: String },
    /// It was there already.
    Known { id: String },
    /// The configuration leaves it out.
    Dropped,
    /// It cannot be stored, now or ever.
    Refused { status: u16, kind: &'static str, reason: String },
}

impl Outcome {
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::Refused { status: 400, kind: "document_parsing_exception", reason: reason.into() }
    }

    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Created { .. } => 201,
            Self::Known { .. } | Self::Dropped => 200,
            Self::Refused { status, .. } => *status,
        }
    }
}

impl Item<'_> {
    /// Why it cannot be one, if it cannot.
    fn wrong(&self) -> Option<String> {
        if !self.document.starts_with('{') {
            return Some("the document is no JSON object".to_owned());
        }
        let error = serde_json::from_str::<IgnoredAny>(self.document).err()?;
        Some(format!("the document is no JSON: {error}"))
    }

    /// As an answer tells of it.
    pub(super) fn told(&self, outcome: &Outcome) -> Value {
        told(&self.index, self.id.as_deref(), outcome)
    }

    /// As a search hit, which the reader knows: one line.
    fn hit(&self, out: &mut String) {
        let mut around = Map::new();
        around.insert("_index".to_owned(), self.index.as_str().into());
        if let Some(id) = &self.id {
            around.insert("_id".to_owned(), id.as_str().into());
        }
        let around = Value::Object(around).to_string();
        out.push_str(around.strip_suffix('}').unwrap_or(&around));
        out.push_str(",\"_source\":");
        // A document over several lines is one all the same: breaks stand between its tokens only.
        out.extend(self.document.chars().map(|it| if matches!(it, '\n' | '\r') { ' ' } else { it }));
        out.push_str("}\n");
    }
}

/// What an answer tells of a document.
pub(super) fn told(index: &str, id: Option<&str>, outcome: &Outcome) -> Value {
    let id = match outcome {
        Outcome::Created { id } | Outcome::Known { id } => Some(id.as_str()),
        Outcome::Dropped | Outcome::Refused { .. } => id,
    };
    let mut told = json!({"_index": index, "_id": id, "status": outcome.status()});
    let result = match outcome {
        Outcome::Created { .. } => "created",
        Outcome::Known { .. } | Outcome::Dropped => "noop",
        Outcome::Refused { kind, reason, .. } => {
            told["error"] = elastic_error(kind, reason);
            return told;
        }
    };
    told["_version"] = 1.into();
    told["result"] = result.into();
    told["_shards"] = json!({"total": 1, "successful": 1, "failed": 0});
    told["_seq_no"] = 0.into();
    told["_primary_term"] = 1.into();
    told
}

/// Stores documents together, and says what became of each. What nobody can take is that already. What is no document is
/// kept as a dead letter, with what turns out to be no record.
pub(super) fn store(app: &App, items: &[Result<&Item<'_>, Outcome>]) -> Result<Vec<Outcome>, Problem> {
    let (mut text, mut refused) = (String::new(), Vec::new());
    // Where the hit of each item begins.
    let mut starts: Vec<(u64, usize)> = Vec::new();
    let mut outcomes: Vec<Option<Outcome>> = items.iter().map(|it| it.as_ref().err().cloned()).collect();
    for (at, item) in items.iter().enumerate() {
        let Ok(item) = item else { continue };
        if let Some(why) = item.wrong() {
            let place = format!("{}: {}, document {}: {why}", NO_DOCUMENT, item.index, at + 1);
            let trouble = Trouble { code: NO_DOCUMENT, text: place };
            refused.push(Refused { text: item.document.to_owned(), trouble });
            outcomes[at] = Some(Outcome::failed(why));
        } else {
            starts.push((text.len() as u64, at));
            item.hit(&mut text);
        }
    }
    if starts.is_empty() && refused.is_empty() {
        return Ok(outcomes.into_iter().flatten().collect());
    }
    let delivered = deliver(app, "_bulk", text.into_bytes(), refused, true)?;
    let Delivered { fates, troubles, .. } = delivered;
    for RecordFate { offset, fate } in fates {
        let at = starts.partition_point(|it| it.0 <= offset).checked_sub(1).map(|it| starts[it].1);
        let Some((at, Ok(item))) = at.map(|at| (at, &items[at])) else { continue };
        let outcome = outcome(fate, item);
        // Several records may be in one document: the worst of them is its fate.
        let worst = outcomes[at].take().map_or(outcome.clone(), |it| worse(it, outcome));
        outcomes[at] = Some(worst);
    }
    let lost = troubles.iter().find(|it| it.code != NO_DOCUMENT);
    let lost = lost.map_or_else(|| "there is no record in it".to_owned(), |it| it.text.clone());
    Ok(outcomes.into_iter().map(|it| it.unwrap_or_else(|| Outcome::failed(lost.clone()))).collect())
}

fn outcome(fate: Fate, item: &Item<'_>) -> Outcome {
    match fate {
        Fate::Stored { id } => Outcome::Created { id },
        Fate::Duplicate { id } => match (item.action, &item.id) {
            // Who names an id and wants it to be new is told that it is not.
            (Action::Create, Some(_)) => Outcome::Refused {
                status: 409,
                kind: "version_conflict_engine_exception",
                reason: format!("[{id}]: version conflict, document already exists"),
            },
            (Action::Create | Action::Index, _) => Outcome::Known { id },
        },
        Fate::Dropped => Outcome::Dropped,
        Fate::Unreadable(trouble) => Outcome::failed(trouble.text),
    }
}

fn worse(a: Outcome, b: Outcome) -> Outcome {
    let rank = |it: &Outcome| match it {
        Outcome::Dropped => 0,
        Outcome::Known { .. } => 1,
        Outcome::Created { .. } => 2,
        Outcome::Refused { .. } => 3,
    };
    if rank(&b) > rank(&a) { b } else { a }
}
