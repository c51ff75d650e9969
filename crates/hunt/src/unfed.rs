//! Rules over alerts that no other rule gives any.

use ecs::Catalog;
use plan::{Condition, Expr};
use rule::{Exceptions, Rule};

/// The rules over alerts that could match no alert of the others that can run, by what all alerts of these say. Of rules
/// that are loaded without any over events nothing is said: what they read lies elsewhere.
pub fn unfed<'r>(rules: &'r [Rule], catalog: &Catalog) -> Vec<&'r Rule> {
    let runs: Vec<&Rule> = rules.iter().filter(|it| rule::support(it).is_ok()).collect();
    let is_fed = |rule: &Rule| {
        let always = ecs::date::TIME_MIN..=ecs::date::TIME_MAX;
        let Ok(compiled) = rule::compile_with(rule, &Exceptions::default(), catalog, &always) else {
            return true;
        };
        let filters: Vec<Expr> = compiled.conditions.iter().map(Condition::filter).collect();
        let others = runs.iter().filter(|it| it.id != rule.id);
        others.into_iter().any(|other| filters.iter().any(|filter| detect::may_match(filter, other)))
    };
    if runs.iter().all(|it| rule::reads_alerts(it)) {
        return Vec::new();
    }
    runs.iter().copied().filter(|it| rule::reads_only_alerts(it) && !is_fed(it)).collect()
}
