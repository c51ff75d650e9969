//! A rule's condition on one event: its query, its filters and the indices it reads.

use std::borrow::Borrow;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use ecs::{Catalog, Millis};
use plan::{Bool, Condition, Leaf, LeafKind, Query};
use serde_json::Value;
use span::{Diagnostic, Severity, Span};

use crate::exceptions::{NotApplied, References, excepted};
use crate::index_pattern::{ALERTS, IndexPatterns};
use crate::language::{Language, check_query, language};
use crate::new_terms;
use crate::parallel;
use crate::pattern::Pattern;
use crate::support::support;
use crate::{EqlQuery, Exceptions, QueryLanguage, Rule, RuleKind};

/// What [`compile_with`] makes of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What an event must satisfy to be a match of each of the rule's filters: one, but for sequences and samples.
    pub conditions: Vec<Condition>,
    /// What the matches of an EQL rule must form.
    pub pattern: Option<Pattern>,
    /// Exceptions that are not part of it, and why; they point into [`Rule::text`].
    pub warnings: Vec<Diagnostic>,
}

/// The condition that an event must satisfy to be a match of the rule, without its time range: the query and every
/// filter, within the rule's indices, and no exception. It reads the clock where one of them says `now`, or an exception
/// expires, and executions that start at the times in `executions` disagree on it.
///
/// Fails as [`compile`] does. An exception that cannot be applied costs no rule: it is a warning.
pub fn compile_with(
    rule: &Rule,
    exceptions: &Exceptions,
    catalog: &Catalog,
    executions: &RangeInclusive<Millis>,
) -> Result<Compiled, Vec<Diagnostic>> {
    let parts = compile_on(rule, &lower_indices(rule, catalog), catalog)?;
    Ok(except(rule, parts, exceptions, catalog, executions))
}

/// As [`compile_with`], of many rules by so many threads: the results are the same, in the order of the rules.
pub fn compile_all<R: Borrow<Rule> + Sync>(
    rules: &[R],
    exceptions: &Exceptions,
    catalog: &Catalog,
    executions: &RangeInclusive<Millis>,
    threads: NonZeroUsize,
) -> Vec<Result<Compiled, Vec<Diagnostic>>> {
    let parts = parallel::chunks(rules, threads, |rules| {
        // Rules of one collection read the same indices.
        let mut lowered: Option<(&[String], Lowered)> = None;
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules.iter().map(Borrow::borrow) {
            let known = lowered.take().filter(|(index, _)| *index == rule.index.as_slice());
            let (_, indices) =
                lowered.insert(known.unwrap_or_else(|| (&rule.index, lower_indices(rule, catalog))));
            let condition = compile_on(rule, indices, catalog);
            compiled.push(condition.map(|it| except(rule, it, exceptions, catalog, executions)));
        }
        compiled
    });
    parts.into_iter().flatten().collect()
}

/// Takes from the conditions what is excepted from the rule.
fn except(
    rule: &Rule,
    parts: Parts,
    exceptions: &Exceptions,
    catalog: &Catalog,
    executions: &RangeInclusive<Millis>,
) -> Compiled {
    let references = References::of(rule, exceptions, *executions.start());
    let (mut always, mut timed) = (Vec::new(), Vec::new());
    let mut not_applied = Vec::new();
    let mut first = None;
    for (at, item) in references.items {
        match excepted(item, &exceptions.value_lists, catalog) {
            // Apart, so that only what may expire is left to the executions.
            Ok(excepted) if excepted.reads_clock() => timed.push(excepted.negate()),
            Ok(excepted) => always.push(excepted),
            Err(reason) => {
                first = first.or(Some(at));
                not_applied.push((item.name.clone(), reason));
            }
        }
    }
    let span = |at: usize| rule.source.span_of(&format!("exceptions_list[{at}]"));
    let mut warnings = Vec::new();
    if let Some(first) = first {
        warnings.push(Unexcepted::Items { items: not_applied }.diagnostic(span(first)));
    }
    for (at, list_id) in references.absent {
        warnings.push(Unexcepted::List { list_id }.diagnostic(span(at)));
    }
    let kept = (!always.is_empty()).then(|| Condition::any_of(always).negate());
    let common: Vec<Condition> = kept.into_iter().chain(timed).collect();
    let conditions = parts.conditions.into_iter().map(|condition| {
        let condition = Condition::all_of([condition].into_iter().chain(common.iter().cloned()));
        condition.between(*executions.start(), *executions.end())
    });
    Compiled { conditions: conditions.collect(), pattern: parts.pattern, warnings }
}

/// Exceptions that a rule names and that are not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Unexcepted {
    /// The sentence that Kibana's users know, and the reasons.
    #[error("The following exceptions won't be applied to rule execution: {}", named(items))]
    Items { items: Vec<(String, NotApplied)> },
    /// The rule refers to a list that nobody gave.
    #[error(
        "The following exceptions won't be applied to rule execution: all of the list `{list_id}`, which was not loaded"
    )]
    List { list_id: String },
}

/// Items that are named; the rest is counted.
const ITEMS_NAMED: usize = 10;

fn named(items: &[(String, NotApplied)]) -> String {
    let mut names: Vec<String> =
        items.iter().take(ITEMS_NAMED).map(|(name, reason)| format!("{name} ({reason})")).collect();
    if items.len() > ITEMS_NAMED {
        names.push(format!("{} more", items.len() - ITEMS_NAMED));
    }
    names.join(", ")
}

impl Unexcepted {
    fn diagnostic(&self, span: Span) -> Diagnostic {
        let (code, help) = match self {
            Self::Items { .. } => ("RULE202", "the rule runs, and alerts on what they should except"),
            Self::List { .. } => ("RULE203", "give the export of the list together with the rule"),
        };
        Diagnostic::new(Severity::Warning, code, self.to_string(), span).help(help)
    }
}

/// As [`compile_with`], without exceptions and for executions at any time: what an event must satisfy to be a match of
/// any of the rule's filters.
///
/// Fails with findings that point into [`Rule::text`]; a rule that needs what is not supported is refused by name.
pub fn compile(rule: &Rule, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    compile_on(rule, &lower_indices(rule, catalog), catalog).map(|it| Condition::any_of(it.conditions))
}

/// What a rule asks: of events, and what these must form.
struct Parts {
    conditions: Vec<Condition>,
    pattern: Option<Pattern>,
}

/// The condition to lie in a rule's indices, or what is wrong with their patterns.
type Lowered = Result<Condition, Vec<plan::LowerError>>;

fn lower_indices(rule: &Rule, catalog: &Catalog) -> Lowered {
    plan::condition(&indices(&IndexPatterns::new(&rule.index)), catalog)
}

/// As [`compile`]; `lowered` is what [`lower_indices`] made of its index patterns.
fn compile_on(rule: &Rule, lowered: &Lowered, catalog: &Catalog) -> Result<Parts, Vec<Diagnostic>> {
    match support(rule) {
        Ok(supported) => fit(rule, supported.language, lowered, catalog),
        Err(reasons) => Err(reasons.iter().map(|it| it.diagnostic(rule)).collect()),
    }
}

/// What does not fit the fields in a rule, whether or not anything could execute it. Nothing of a query in a language
/// that cannot be evaluated.
pub(crate) fn unfit(rule: &Rule, catalog: &Catalog) -> Vec<Diagnostic> {
    let Some(language) = rule.language.map(language) else { return Vec::new() };
    fit(rule, language, &lower_indices(rule, catalog), catalog).err().unwrap_or_default()
}

/// The condition of query, filters and indices, or all that does not fit the fields.
fn fit(
    rule: &Rule,
    language: &Language,
    lowered: &Lowered,
    catalog: &Catalog,
) -> Result<Parts, Vec<Diagnostic>> {
    let source = &rule.source;
    let mut problems = Vec::new();
    let (mut asked, mut clauses) = (Parts { conditions: Vec::new(), pattern: None }, Vec::new());
    let node = source.rule.get("query");
    let query = if let RuleKind::Eql { event_category_override, .. } = &rule.kind {
        EqlQuery::new(&rule.query, event_category_override.as_deref(), catalog)
            .map(|it| Parts { conditions: it.conditions, pattern: Some(it.pattern) })
    } else {
        (language.check)(&rule.query, catalog).map(|it| Parts { conditions: vec![it], pattern: None })
    };
    match query {
        Ok(parts) => asked = parts,
        Err(found) => problems.extend(found.into_iter().map(|diagnostic| source.place(diagnostic, node))),
    }
    for (at, filter) in rule.filters.iter().enumerate() {
        match self::filter(rule, at, filter, catalog) {
            Ok(condition) => clauses.push(condition),
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(new_terms::check(rule, catalog));
    match lowered {
        Ok(condition) => clauses.push(condition.clone()),
        Err(errors) => {
            let node = source.rule.get("index");
            problems.extend(errors.iter().map(|error| source.place(error.diagnostic(), node)));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for condition in &mut asked.conditions {
        let query = std::mem::replace(condition, Condition::all_of([]));
        *condition = Condition::all_of([query].into_iter().chain(clauses.iter().cloned()));
    }
    Ok(asked)
}

/// The Lucene query of a filter, and whether it is negated: that of a `query_string` with the settings that a rule's own
/// query has. One with other settings means something else, and is refused as what is not supported.
fn query_string(filter: &Value) -> Option<(&str, bool)> {
    let meta = |name: &str| filter.get("meta").and_then(|meta| meta.get(name)) == Some(&Value::Bool(true));
    let Value::Object(query) = filter.get("query")? else { return None };
    let Some(Value::Object(asked)) = query.get("query_string").filter(|_| query.len() == 1) else {
        return None;
    };
    let is_as_in_rules = |(name, value): (&String, &Value)| match name.as_str() {
        "query" => value.is_string(),
        "analyze_wildcard" => *value == Value::Bool(true),
        "default_field" => value == "*",
        "default_operator" => value.as_str().is_some_and(|it| it.eq_ignore_ascii_case("or")),
        _ => false,
    };
    // By default Elasticsearch does not analyse patterns, and rules do.
    let is_known = asked.contains_key("analyze_wildcard") && asked.iter().all(is_as_in_rules);
    (is_known && !meta("disabled")).then_some((asked.get("query")?.as_str()?, meta("negate")))
}

/// One of the rule's Kibana filters.
fn filter(rule: &Rule, at: usize, filter: &Value, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let source = &rule.source;
    if let Some((text, is_negated)) = query_string(filter) {
        let condition = check_query(QueryLanguage::Lucene, text, catalog).map_err(|found| {
            let span = source.span_of(&format!("filters[{at}].query.query_string.query"));
            let place = |it: Diagnostic| {
                let message = format!("this filter cannot be used: {}", it.message);
                Diagnostic::new(it.severity, it.code, message, span)
            };
            found.into_iter().map(place).collect::<Vec<_>>()
        })?;
        return Ok(if is_negated { condition.negate() } else { condition });
    }
    let query = plan::filters::parse(std::slice::from_ref(filter), catalog).map_err(|errors| {
        errors
            .iter()
            .map(|error| {
                // It was read as the only filter; its place is among the others.
                let inner = error.at.strip_prefix("filters[0]").unwrap_or(&error.at);
                let span = source.span_of(&format!("filters[{at}]{inner}"));
                let message = format!("this filter cannot be used: {}", error.kind);
                Diagnostic::new(Severity::Error, error.code(), message, span)
            })
            .collect::<Vec<_>>()
    })?;
    plan::condition(&query, catalog).map_err(|errors| {
        let span = source.span_of(&format!("filters[{at}].query"));
        let place = |error: &plan::LowerError| {
            let message = format!("this filter cannot be used: {error}");
            let diagnostic = Diagnostic::new(Severity::Error, error.code(), message, span);
            error.help().map_or(diagnostic.clone(), |help| diagnostic.help(help))
        };
        errors.iter().map(place).collect()
    })
}

/// The patterns as a query on `_index`. In order: each adds to or takes away from what those before it name.
fn indices(patterns: &IndexPatterns) -> Query {
    let mut named = if patterns.iter().any(|pattern| !pattern.exclude) {
        Query::MatchNone
    } else {
        without_hidden(Query::MatchAll)
    };
    for pattern in patterns.iter() {
        let globs = pattern.globs();
        let globs = globs.iter().map(|glob| {
            if pattern.spares_hidden() { without_hidden(on_index(glob)) } else { on_index(glob) }
        });
        let globs: Vec<Query> = globs.collect();
        named = if pattern.exclude {
            Query::Bool(Bool { filter: vec![named], must_not: globs, ..Bool::default() })
        } else {
            let should = std::iter::once(named).chain(globs).collect();
            Query::Bool(Bool { should, ..Bool::default() })
        };
    }
    named
}

/// Alerts are found by those only who ask for them.
fn without_hidden(query: Query) -> Query {
    Query::Bool(Bool { filter: vec![query], must_not: vec![on_index(ALERTS)], ..Bool::default() })
}

fn on_index(glob: &str) -> Query {
    // Only `*` is a wildcard of an index pattern.
    let value = glob.replace('\\', "\\\\").replace('?', "\\?");
    let kind = LeafKind::Wildcard { value, case_insensitive: false };
    Query::Leaf(Leaf { field: Some("_index".to_owned()), kind, span: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ALERTS_INDEX;

    fn rule(query: &str, index: &str) -> Rule {
        let text = format!(
            "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\nindex = {index}\nquery = '''\n{query}\n'''\n"
        );
        crate::load_text("rule.toml", &text).rules.remove(0)
    }

    #[test]
    fn the_condition_holds_query_and_indices() {
        let matches = |query: &str, index: &str, document: Value| {
            let expr = compile(&rule(query, index), &Catalog::ecs()).unwrap().at(0);
            plan::naive::matches(&expr, document.as_object().unwrap())
        };
        let event = |index: &str| json!({ "_index": index, "event": { "action": "CreateUser" } });
        for (patterns, index) in [
            ("[]", "anything"),
            ("[\"logs-aws.cloudtrail-*\"]", "logs-aws.cloudtrail-default"),
            ("[\"filebeat-*,logs-*\"]", ".ds-logs-aws.cloudtrail-default-2026.08.01-000004"),
            ("[\"logs-*\", \"-logs-aws.*\"]", "logs-aws.cloudtrail-default"),
            ("[\"-logs-aws.*\"]", "logs-aws.cloudtrail-default"),
            ("[\"-filebeat-*\"]", "logs-aws.cloudtrail-default"),
            ("[\"logs-aws.cloudtrail-defaul?\"]", "logs-aws.cloudtrail-default"),
            ("[\"west:logs-*\"]", "logs-aws.cloudtrail-default"),
            ("[]", ALERTS_INDEX),
            ("[\"*\"]", ALERTS_INDEX),
            ("[\"*\"]", "logs-aws.cloudtrail-default"),
            ("[\"-logs-*\"]", ALERTS_INDEX),
            ("[\".alerts-security.alerts-*\"]", ALERTS_INDEX),
            ("[\".alerts-security.alerts-default\"]", ALERTS_INDEX),
            ("[\".alerts-*\", \"-.alerts-security*\"]", ALERTS_INDEX),
        ] {
            let names: Vec<String> = serde_json::from_str(patterns).unwrap();
            let expected = IndexPatterns::new(&names).matches(index);
            assert_eq!(
                matches("event.action: CreateUser", patterns, event(index)),
                expected,
                "{patterns} on {index}"
            );
            assert!(!matches("event.action: DeleteUser", patterns, event(index)));
        }
    }

    #[test]
    fn every_filter_narrows() {
        let text = r#"[rule]
            name = "n"
            description = "d"
            severity = "low"
            risk_score = 1
            type = "query"
            filters = [
                { meta = { negate = true }, query = { wildcard = { "user.name" = { value = "SVC-*", case_insensitive = true } } } },
                { meta = { disabled = true }, query = { match_none = {} } },
                { meta = {}, query = { match_phrase = { "cloud.region" = "eu-west-1" } } },
            ]
        "#;
        let rule = crate::load_text("rule.toml", text).rules.remove(0);
        let expr = compile(&rule, &Catalog::ecs()).unwrap().at(0);
        let matches = |user: &str, region: &str| {
            let document = json!({ "user": { "name": user }, "cloud": { "region": region } });
            plan::naive::matches(&expr, document.as_object().unwrap())
        };
        assert!(matches("alice", "eu-west-1"));
        assert!(!matches("svc-build", "eu-west-1"));
        assert!(!matches("alice", "us-east-1"));
    }

    /// As Kibana writes them; with other settings they would mean something else.
    #[test]
    fn filters_in_lucene() {
        let verdict = |filter: &str, user: &str| {
            let text = format!(
                "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
                 filters = [{filter}]\n"
            );
            let rule = crate::load_text("rule.toml", &text).rules.remove(0);
            let document = json!({ "user": { "name": user } });
            match compile(&rule, &Catalog::ecs()) {
                Ok(condition) => {
                    plan::naive::matches(&condition.at(0), document.as_object().unwrap()).to_string()
                }
                Err(found) => {
                    assert!(found[0].message.starts_with("this filter cannot be used: "), "{found:?}");
                    found[0].code.to_string()
                }
            }
        };
        let filter = |meta: &str, asked: &str| {
            format!("{{ meta = {{ {meta} }}, query = {{ query_string = {{ {asked} }} }} }}")
        };
        let plain = filter("", "query = 'user.name:ada* OR user.name:bob', analyze_wildcard = true");
        assert_eq!(["ada1", "bob", "eve"].map(|user| verdict(&plain, user)), ["true", "true", "false"]);
        let negated =
            filter("negate = true", "query = 'user.name:ada*', analyze_wildcard = true, default_field = '*'");
        assert_eq!(["ada1", "eve"].map(|user| verdict(&negated, user)), ["false", "true"]);
        let disabled = filter("disabled = true", "query = 'user.name:(', analyze_wildcard = true");
        assert_eq!(verdict(&disabled, "eve"), "true");
        let wrong = filter("", "query = 'user.name:(', analyze_wildcard = true");
        assert!(verdict(&wrong, "eve").starts_with("LUC"), "{}", verdict(&wrong, "eve"));
        for other in [
            "query = 'user.name:ada*'",
            "query = 'ada', analyze_wildcard = true, fields = ['user.name']",
            "query = 'a b', analyze_wildcard = true, default_operator = 'AND'",
        ] {
            assert_eq!(verdict(&filter("", other), "eve"), "DSL002", "{other}");
        }
    }

    #[test]
    fn errors_stand_in_the_file() {
        let rule = rule("event.action: CreateUser\n  and source.port: http", "[]");
        let found = compile(&rule, &Catalog::ecs()).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(&rule.text()[found[0].span().unwrap().range()], "http");
    }
}
