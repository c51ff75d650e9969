//! What loads, but is probably not meant so.

mod attack;
mod exceptions;
mod fields;
mod filters;
mod finding;
mod ignore;
mod prose;
mod query;
mod schedule;
mod sources;
mod suppression;
mod threshold;
mod twins;

use ecs::date::TIME_MAX;
use ecs::{Catalog, Millis, Source};
use span::{Diagnostic, Severity, Span};

use crate::compile::unfit;
use crate::{Exceptions, Problem, Rule, RuleSet, Unsupported, compile_with, reads_alerts, support};

pub(crate) use finding::Finding;
pub use ignore::{Heeded, heed};
use query::Scope;
pub use query::lint_query;

/// Looks at every rule, at the rules together, and at the exceptions. The findings come in the order of the rules
/// and of the text, those on exceptions last. Errors are rules that can never work as written; warnings probably do
/// not do what was meant; notes are worth knowing. What loading found is not repeated. `now` decides which exceptions
/// have expired; `source` says what the events hold that rules for CloudTrail ask.
pub fn lint(set: &RuleSet, catalog: &Catalog, source: &Source, now: Millis) -> Vec<Problem> {
    // What is said of alerts is said of the events of those that raise them.
    let mut over_events = set.rules.iter().filter(|it| !reads_alerts(it)).peekable();
    let only = over_events.peek().is_some() && over_events.all(sources::asks_only_the_source);
    let scope = Scope { catalog, source, only };
    let twins = twins::check(&set.rules);
    let mut problems = Vec::new();
    for (rule, twins) in set.rules.iter().zip(twins) {
        let mut found = lint_rule(rule, &set.exceptions, &scope, now);
        found.extend(twins.iter().map(Finding::diagnostic));
        found.sort_by_key(order);
        problems.extend(
            found.into_iter().map(|diagnostic| Problem { file: rule.source.name.clone(), diagnostic }),
        );
    }
    for item in &set.exceptions.items {
        let mut found = Vec::new();
        let scope = Scope { only: false, ..scope };
        exceptions::check(item, &set.exceptions.value_lists, &scope, now, &mut found);
        let mut found: Vec<Diagnostic> = found.iter().map(Finding::diagnostic).collect();
        found.sort_by_key(order);
        let file = &item.source.file;
        problems.extend(found.into_iter().map(|diagnostic| Problem { file: file.clone(), diagnostic }));
    }
    problems
}

/// What is said of a rule that matched none of the records that it was tried on, where `missed` records satisfy all but
/// one clause; `found` is what they have instead, a field each.
pub fn never_holds(rule: &Rule, clause: String, missed: u64, found: Vec<String>) -> Problem {
    let span = rule.source.span(&["query"]);
    let diagnostic = Finding::NeverHolds { clause, missed, found, span }.diagnostic();
    Problem { file: rule.source.name.clone(), diagnostic }
}

/// What is said of a rule over alerts of which nobody raises any that it could match, of so many that are loaded with it.
pub fn nothing_gives(rule: &Rule, rules: usize) -> Problem {
    let diagnostic = Finding::NothingGives { rules, span: rule.source.span(&["query"]) }.diagnostic();
    Problem { file: rule.source.name.clone(), diagnostic }
}

/// Looks at one rule.
fn lint_rule(rule: &Rule, exceptions: &Exceptions, scope: &Scope<'_>, now: Millis) -> Vec<Diagnostic> {
    let (mut found, mut diagnostics) = (Vec::new(), Vec::new());
    schedule::check(rule, &mut found);
    sources::check(rule, &mut found);
    threshold::check(rule, &mut found);
    suppression::check(rule, &mut found);
    attack::check(rule, &mut found);
    prose::check(rule, &mut found);
    fields::check(rule, scope, &mut found, &mut diagnostics);
    diagnostics.extend(found.iter().map(Finding::diagnostic));
    fields::check_query_text(rule, &mut diagnostics);
    // What cannot run and what does not fit the fields is told here, before somebody runs the rule.
    match support(rule) {
        Err(reasons) => {
            // The rule may be right elsewhere.
            let warning =
                |it: &Unsupported| Diagnostic { severity: Severity::Warning, ..it.diagnostic(rule) };
            diagnostics.extend(reasons.iter().map(warning));
            diagnostics.extend(unfit(rule, scope.catalog));
        }
        Ok(_) => diagnostics.extend(match compile_with(rule, exceptions, scope.catalog, &(now..=TIME_MAX)) {
            Ok(compiled) => compiled.warnings,
            Err(found) => found,
        }),
    }
    // What only other engines have may be right there.
    for it in diagnostics.iter_mut().filter(|it| ELSEWHERE.contains(&it.code)) {
        it.severity = Severity::Warning;
    }
    diagnostics.sort_by_key(order);
    diagnostics
}

/// Commands and functions of ES|QL that exist, and cannot run here.
const ELSEWHERE: [&str; 2] = ["ESQL021", "ESQL103"];

fn order(diagnostic: &Diagnostic) -> (usize, &'static str) {
    (diagnostic.span().unwrap_or(Span::at(0)).start, diagnostic.code)
}
