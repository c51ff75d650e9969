//! The configuration, for admins.

use serde_json::json;

use crate::http::{Answer, Asked, Kind, Problem};
use crate::reload::{self, Reloaded};

/// Reads the configuration again.
pub(super) fn reload(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let Reloaded { changed, needs_restart } =
        reload::reload(asked.app).map_err(|it| Problem::new(Kind::Conflict, it))?;
    Ok(Answer::json(&json!({"changed": changed, "needs_restart": needs_restart})))
}
