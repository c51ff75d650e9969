//! What tools ask before anything else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::elastic::VERSION;
use super::super::health::obstacles;
use super::super::shelf::Shelf;
use crate::http::{Answer, Asked, Kind, Problem};
use crate::keys::Role;

/// The index that alerts are said to lie in.
pub(super) const ALERTS: &str = ".alerts-security.alerts-default";

pub(super) fn status(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["v7format", "v8format"])?;
    let obstacles = obstacles(asked.app);
    let (level, summary) = if obstacles.is_empty() {
        ("available", "All services are available".to_owned())
    } else {
        ("degraded", obstacles.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("; "))
    };
    Ok(Answer::json(&json!({
        "name": "trailwarden",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "version": {
            "number": VERSION,
            "build_hash": asked.app.version,
            "build_number": 1,
            "build_snapshot": false,
            "build_flavor": "traditional",
            "build_date": "1970-01-01T00:00:00.000Z",
        },
        "status": {"overall": {"level": level, "summary": summary}, "core": {}, "plugins": {}},
        "metrics": {},
    })))
}

pub(super) fn features(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["ignoreValidLicenses"])?;
    let feature = json!({
        "id": "siemV5", "name": "Security", "order": 1100, "category": {"id": "securitySolution", "label": "Security"},
        "app": ["securitySolution", "kibana"], "catalogue": ["securitySolution"],
    });
    Ok(Answer::json(&json!([feature])))
}

fn default_space() -> Value {
    json!({
        "id": "default", "name": "Default", "description": "The one space.", "color": "#00bfb3",
        "disabledFeatures": [], "_reserved": true,
    })
}

pub(super) fn spaces(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["purpose", "include_authorized_purposes"])?;
    Ok(Answer::json(&json!([default_space()])))
}

pub(super) fn space(asked: &Asked<'_>) -> Result<Answer, Problem> {
    match asked.part("id") {
        "default" => Ok(Answer::json(&default_space())),
        other => {
            Err(Problem::new(Kind::NoSuchResource, format!("there is no space `{other}`, only `default`")))
        }
    }
}

pub(super) fn index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    Ok(Answer::json(&json!({"name": ALERTS, "index_mapping_outdated": false})))
}

pub(super) fn make_index(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    Ok(Answer::json(&json!({"acknowledged": true})))
}

pub(super) fn privileges(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let may = |role: Role| asked.key.is_some_and(|it| it.role.may(role));
    let (reads, works) = (may(Role::Viewer), may(Role::Analyst));
    let index = json!({
        "all": works, "create": works, "create_doc": works, "create_index": false, "delete": false, "delete_index": false,
        "index": works, "maintenance": works, "manage": false, "monitor": reads, "read": reads,
        "view_index_metadata": reads, "write": works,
    });
    let manages = may(Role::Engineer);
    Ok(Answer::json(&json!({
        "username": asked.author(),
        "has_all_requested": manages,
        "cluster": {"all": false, "manage": manages, "monitor": reads},
        "index": {ALERTS: index},
        "application": {},
        "is_authenticated": true,
        "has_encryption_key": true,
    })))
}

pub(super) fn tags(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let all = Shelf::open(asked)?.all()?;
    let tags: BTreeSet<&String> = all.iter().flat_map(|it| &it.rule.tags).collect();
    Ok(Answer::json(&json!(tags)))
}
