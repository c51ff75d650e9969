//! Which columns are worth filling late.
//!
//! To render the parameters of a request takes longer than all cheap columns of a record together. A filter such as
//!
//! ```text
//! event.action: PutBucketAcl and aws.cloudtrail.request_parameters: *AllUsers*
//! ```
//!
//! has a use for them only where the rest of it holds, so only there they are rendered: after the block has told which
//! rows are `PutBucketAcl`, from the record's text. A filter that is not about few calls leaves nearly all rows, and each
//! would be parsed twice: `not event.action: Get* and aws.cloudtrail.request_parameters: *AllUsers*` makes the column one
//! that is filled at once, for everybody.
//!
//! An empty column is no value, and `not aws.cloudtrail.request_parameters: *` is true of that. So a late column must not
//! be asked about before it is filled: [`Program::candidates`](exec::Program::candidates) evaluates no clause that needs
//! one, and names the rows whose verdict hangs on it.

use std::collections::BTreeSet;

use cloudtrail::{Cost, Traits, Version};
use ecs::Shape;
use plan::Expr;

use crate::calls::names_calls;

/// Whether a column takes more than a copy to fill; `looks_up` says whether addresses are looked up.
pub(crate) fn is_costly(path: &str, shape: Shape, version: Version, looks_up: bool) -> bool {
    match Traits::of(path, shape, version).cost {
        Cost::Copied => false,
        Cost::LookedUp => looks_up,
        Cost::Made => true,
    }
}

/// The columns that are worth filling late. One that some filter asks of most rows is not: their records would be read
/// twice.
pub(crate) fn late_paths(filters: &[Expr], version: Version, looks_up: bool) -> BTreeSet<(String, Shape)> {
    let (mut late, mut early) = (BTreeSet::new(), BTreeSet::new());
    for filter in filters {
        let paths = if names_calls(filter) { &mut late } else { &mut early };
        paths.extend(filter.paths());
    }
    let is_worth_it = |it: &&(&str, Shape)| !early.contains(*it) && is_costly(it.0, it.1, version, looks_up);
    late.iter().filter(is_worth_it).map(|&(path, shape)| (path.to_owned(), shape)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(query: &str) -> Vec<String> {
        let catalog = ecs::Catalog::ecs();
        let filters: Vec<Expr> = query
            .split(';')
            .map(|query| {
                let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
                plan::lower(&query, &catalog, 0).unwrap()
            })
            .collect();
        late_paths(&filters, Version::default(), false).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn only_what_few_rows_need_is_late() {
        let named = "event.action: PutObject and aws.cloudtrail.request_parameters: *acl*";
        assert_eq!(late(named), ["aws.cloudtrail.request_parameters"]);
        assert!(late("aws.cloudtrail.request_parameters: *acl*").is_empty(), "every row needs it");
        assert!(
            late(&format!("{named}; aws.cloudtrail.request_parameters: *key*")).is_empty(),
            "one rule needs it always"
        );
        assert!(late("event.action: PutObject and user.name: root").is_empty(), "cheap");
        assert!(late("not event.action: PutObject and related.user: root").is_empty(), "most rows pass");
        let either = "(event.action: A or event.provider: b) and related.user: root";
        assert_eq!(late(either), ["related.user"]);
    }
}
