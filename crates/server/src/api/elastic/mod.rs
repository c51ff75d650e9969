//! As much of Elasticsearch's API as shippers ask for before they send, and what they send to.
//!
//! Documents are stored as they come, under their index and id; records of CloudTrail in them are found and normalised.
//! Nothing can be searched, changed or deleted here: the store keeps what was delivered.

mod bulk;
mod item;

use serde_json::{Value, json};

use super::health::obstacles;
use crate::http::{Answer, Asked, Kind, Method, Problem, elastic_error};
use item::{Action, Item, Outcome, store};

pub(super) use bulk::bulk;

/// The version that clients are told: what they may ask depends on it.
pub(super) const VERSION: &str = "9.0.0";

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn root(asked: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&json!({
        "name": "trailwarden",
        "cluster_name": "trailwarden",
        "cluster_uuid": "trailwarden",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "trailwarden",
            "build_hash": asked.app.version,
            "build_date": "1970-01-01T00:00:00Z",
            "build_snapshot": false,
            "lucene_version": "10.1.0",
            "minimum_wire_compatibility_version": "8.18.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "You Know, for Search",
    })))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn license(_: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&json!({"license": {
        "status": "active",
        "uid": "trailwarden",
        "type": "basic",
        "issued_to": "trailwarden",
        "issuer": "trailwarden",
        "issue_date": "1970-01-01T00:00:00.000Z",
        "issue_date_in_millis": 0,
    }})))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn xpack(_: &Asked<'_>) -> Result<Answer, Problem> {
    let off = || json!({"available": false, "enabled": false});
    Ok(Answer::json(&json!({
        "build": {"hash": "trailwarden", "date": "1970-01-01T00:00:00Z"},
        "license": {"uid": "trailwarden", "type": "basic", "mode": "basic", "status": "active"},
        "features": {"ilm": off(), "monitoring": off(), "security": {"available": true, "enabled": true}},
        "tagline": "You know, for X",
    })))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn cluster_health(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let status = if obstacles(asked.app).is_empty() { "green" } else { "red" };
    Ok(Answer::json(&json!({
        "cluster_name": "trailwarden",
        "status": status,
        "timed_out": false,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": 1,
        "active_shards": 1,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "number_of_pending_tasks": 0,
    })))
}

/// What is acknowledged because it changes nothing here.
fn acknowledged() -> Value {
    json!({"acknowledged": true})
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn template(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let name = asked.part("name");
    Ok(Answer::json(&match asked.method {
        Method::Put => acknowledged(),
        Method::Get | Method::Head | Method::Post | Method::Patch | Method::Delete => {
            json!({"index_templates": [{"name": name, "index_template": {"index_patterns": [format!("{name}-*")]}}]})
        }
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn named(asked: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&match asked.method {
        Method::Put => acknowledged(),
        Method::Get | Method::Head | Method::Post | Method::Patch | Method::Delete => {
            json!({asked.part("name"): {}})
        }
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn data_stream(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let name = asked.part("name");
    Ok(Answer::json(&match asked.method {
        Method::Put => acknowledged(),
        Method::Get | Method::Head | Method::Post | Method::Patch | Method::Delete => {
            json!({"data_streams": [{
                "name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "generation": 1, "status": "GREEN",
                "template": name,
            }]})
        }
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let name = asked.part("index");
    Ok(Answer::json(&match asked.method {
        Method::Put => json!({"acknowledged": true, "shards_acknowledged": true, "index": name}),
        Method::Get | Method::Head | Method::Post | Method::Patch | Method::Delete => {
            json!({name: {"aliases": {}, "mappings": {}, "settings": {}}})
        }
    }))
}

pub(super) fn document(asked: &Asked<'_>) -> Result<Answer, Problem> {
    one(asked, Action::Index)
}

pub(super) fn create(asked: &Asked<'_>) -> Result<Answer, Problem> {
    one(asked, Action::Create)
}

/// Takes one document.
fn one(asked: &Asked<'_>, action: Action) -> Result<Answer, Problem> {
    let body = asked.unpacked()?;
    let text = String::from_utf8(body).map_err(|_| Problem::new(Kind::Body, "the body is no text"))?;
    let action = match asked.query.get("op_type") {
        Some("create") => Action::Create,
        Some("index") | None => action,
        Some(other) => {
            return Err(Problem::new(Kind::Parameter, format!("`op_type={other}`: index or create")));
        }
    };
    let id = Some(asked.part("id")).filter(|it| !it.is_empty());
    let item = Item {
        action,
        index: asked.part("index").to_owned(),
        id: id.map(str::to_owned),
        document: text.trim(),
    };
    let outcome = store(asked.app, &[Ok(&item)])?.pop();
    let outcome = outcome.unwrap_or_else(|| Outcome::failed("nothing became of it"));
    let mut told = item.told(&outcome);
    if let Outcome::Refused { status, kind, reason } = &outcome {
        told["error"] = elastic_error(kind, reason);
        told["status"] = (*status).into();
    }
    Ok(Answer::json_of(outcome.status(), &told))
}
