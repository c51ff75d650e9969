//! Keys, for admins.

use serde_json::{Value, json};

use crate::ServeError;
use crate::http::{Answer, Asked, Kind, Problem};
use crate::keys::{Key, Role};

/// The longest name of a key.
const NAME_MAX: usize = 128;

fn key(it: &Key) -> Value {
    json!({"id": it.id, "name": it.name, "role": it.role.as_str(), "created": ecs::date::to_iso(it.created_ms)})
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let all: Vec<Value> = asked.app.keys.list().iter().map(key).collect();
    Ok(Answer::json(&json!({"keys": all})))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let body = asked.json()?;
    let wrong = |detail: String| Problem::new(Kind::Body, detail);
    let members = body.as_object().ok_or_else(|| wrong("the body is no object".to_owned()))?;
    if let Some(unknown) = members.keys().find(|it| !["name", "role"].contains(&it.as_str())) {
        return Err(wrong(format!("`{unknown}` is not known; there are `name` and `role`")));
    }
    let name = members.get("name").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(wrong(format!("`name` says whose key it is, in up to {NAME_MAX} characters")));
    }
    let role = members
        .get("role")
        .and_then(Value::as_str)
        .and_then(Role::from_name)
        .ok_or_else(|| wrong(format!("`role` is one of {}", Role::ALL.map(Role::as_str).join(", "))))?;
    let new = asked.app.keys.make(name, role, asked.app.now()).map_err(|it| problem(&it))?;
    let details = [
        ("key", Value::from(new.key.id.as_str())),
        ("role", role.as_str().into()),
        ("by", asked.author().into()),
    ];
    asked.app.log.info("SRV013", "a key was made", &details);
    let mut told = key(&new.key);
    told["secret"] = new.secret.as_str().into();
    told["encoded"] = new.encoded().into();
    Ok(Answer::json_of(201, &told))
}

pub(super) fn revoke(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let id = asked.part("id");
    if !asked.app.keys.revoke(id).map_err(|it| problem(&it))? {
        return Err(Problem::new(Kind::NoSuchResource, format!("no key has the id `{id}`")));
    }
    let details = [("key", Value::from(id)), ("by", asked.author().into())];
    asked.app.log.info("SRV014", "a key was revoked", &details);
    Ok(Answer::new(204, "application/json", ""))
}

fn problem(error: &ServeError) -> Problem {
    let kind = match error {
        ServeError::LastAdmin | ServeError::TooManyKeys { .. } => Kind::Conflict,
        ServeError::Listen { .. }
        | ServeError::Store(_)
        | ServeError::Live(_)
        | ServeError::Notify(_)
        | ServeError::Io { .. }
        | ServeError::Keys { .. }
        | ServeError::Random
        | ServeError::Start { .. }
        | ServeError::Socket { .. }
        | ServeError::Tls { .. }
        | ServeError::NoBuckets { .. } => Kind::Failed,
    };
    Problem::new(kind, format!("{} {error}", error.code()))
}
