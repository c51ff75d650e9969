//! The suite of the CloudTrail mapping: a record in, a document out, compared field by field.

#[path = "../../../crates/cloudtrail/tests/pairs/mod.rs"]
mod pairs;

use std::path::Path;

use super::CaseResult;

/// Runs all pairs of record and document; each document is a case.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let pairs = pairs::run(data)?;
    Ok(pairs.into_iter().map(|pair| CaseResult::compare(pair.id, pair.expected, pair.got)).collect())
}
