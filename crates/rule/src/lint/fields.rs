//! The fields that it names, against the field catalogue.

use std::collections::BTreeSet;

use ecs::{FieldType, Resolved, alert};
use span::{Diagnostic, Span};

use super::filters::{self, Asked};
use super::query::{self, Scope, nearest_filled, value_problem};
use super::{Finding, sources};
use crate::index_pattern::{glob_matches, reads_only_alerts};
use crate::language::{Language, language};
use crate::parse::with_stand_ins;
use crate::read::step_queries;
use crate::suggest::nearest;
use crate::text::{Literal, Node};
use crate::{CASE_VALUES, QueryLanguage, Rule};

/// What stands beside a document; the catalogue of events does not have it.
const BESIDE: &str = "_";

/// How the fields of alerts begin, which rules may read and guides may name; and how they began before Kibana 8, whose
/// names Kibana still knows, and nobody here.
const ALERT_FIELDS: [&str; 2] = ["kibana.", "signal."];

/// What a field is named for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Query,
    /// Whether it is there, which may be asked of objects, too.
    Existence,
    NewTerms,
    GroupBy,
    Timestamp,
    Any,
}

/// Checks all fields that the rule names, and what its queries compare them with. A rule that reads nothing of what is
/// here knows its fields better.
pub(super) fn check(
    rule: &Rule,
    scope: &Scope<'_>,
    found: &mut Vec<Finding>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if !sources::is_about(rule) {
        return;
    }
    let asks_source = sources::asks_only_the_source(rule);
    // What alerts say of their events only events can have said.
    let asks_alerts = scope.only && reads_only_alerts(rule);
    let scope = Scope { only: asks_source || asks_alerts, ..*scope };
    let checker = Checker { rule, scope: &scope, values: asks_source };
    if let Some(language) = rule.language.map(language) {
        checker.query(language, rule.source.rule.get("query"), str::to_owned, diagnostics);
    }
    checker.filters(found, diagnostics);
    // Only the query knows the columns that it makes.
    let own_columns = rule.language.is_some_and(QueryLanguage::makes_columns);
    for (path, purpose) in [
        (&["new_terms_fields"][..], Purpose::NewTerms),
        (&["alert_suppression", "group_by"], Purpose::GroupBy),
        (&["threshold", "field"], Purpose::NewTerms),
        (&["timestamp_override"], Purpose::Timestamp),
        (&["rule_name_override"], Purpose::Any),
        (&["investigation_fields", "field_names"], Purpose::Any),
    ] {
        if let Some(node) = rule.source.rule.at(path).filter(|_| !own_columns) {
            checker.names(node, purpose, found);
        }
    }
    for list in ["severity_mapping", "risk_score_mapping"] {
        for item in rule.source.rule.get(list).filter(|_| !own_columns).map_or(&[][..], Node::items) {
            if let Some(node) = item.get("field") {
                checker.names(node, Purpose::Any, found);
            }
        }
    }
    override_field(rule, &scope, found);
    every_session(rule, found);
    checker.guide(found, diagnostics);
    checker.inquiries(found);
}

/// A field of time that no event has, and no other that takes its place.
fn override_field(rule: &Rule, scope: &Scope<'_>, found: &mut Vec<Finding>) {
    let Some(field) = &rule.timestamp_override else { return };
    let is_known = !matches!(scope.catalog.resolve(field), Resolved::Unmapped);
    if scope.only && is_known && rule.timestamp_override_fallback_disabled && !scope.source.has(field) {
        let (field, origin) = (field.clone(), scope.source.name);
        found.push(Finding::NoOverride { field, origin, span: rule.source.span(&["timestamp_override"]) });
    }
}

/// What of an identity is another for each of its sessions.
const OF_SESSIONS: [&str; 4] = [
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.access_key_id",
    "actor.entity.id",
    "user.id",
];

/// New terms that are new with every session. Of users they are not: a query that names these is taken at its word, unless
/// it names roles as well.
fn every_session(rule: &Rule, found: &mut Vec<Finding>) {
    let query = rule.source.rule.get("query").and_then(Node::text).unwrap_or_default();
    let is_of_users = (query.contains("IAMUser") || query.contains("Root")) && !query.contains("AssumedRole");
    let Some(node) = rule.source.rule.get("new_terms_fields").filter(|_| !is_of_users) else { return };
    for item in node.items() {
        if let Some(field) = item.text().filter(|it| OF_SESSIONS.contains(it)) {
            found.push(Finding::EverySession { field: field.to_owned(), span: item.span });
        }
    }
}

/// Adds what the query language itself finds odd, in the rule's query and in those of its guide.
pub(super) fn check_query_text(rule: &Rule, diagnostics: &mut Vec<Diagnostic>) {
    let source = &rule.source;
    let mut check = |language: &Language, node: Option<&Node>, prepare: fn(&str) -> String| {
        let Some(text) = node.and_then(Node::text) else { return };
        let found = (language.findings)(&prepare(text)).into_iter();
        diagnostics.extend(found.map(|diagnostic| source.place(diagnostic, node)));
    };
    if let Some(language) = rule.language.map(language) {
        check(language, source.rule.get("query"), str::to_owned);
    }
    let Some(guide) = &source.guide else { return };
    for list in ["triage", "response"] {
        for query in guide.get(list).map_or(&[][..], Node::items).iter().flat_map(step_queries) {
            if let Some(language) = language_of(query) {
                check(language, query.get("query"), with_stand_ins);
            }
        }
    }
}

/// What is written instead of a value that stands in quotes, as all values of filters do.
fn in_quotes(finding: Finding) -> Finding {
    match finding {
        Finding::NoSuchValue { field, value, allowed, instead: Some(instead), span }
            if !instead.starts_with('"') =>
        {
            let instead = Some(format!("\"{instead}\""));
            Finding::NoSuchValue { field, value, allowed, instead, span }
        }
        finding => finding,
    }
}

struct Checker<'a> {
    rule: &'a Rule,
    scope: &'a Scope<'a>,
    /// Whether it is known what values the fields can have.
    values: bool,
}

impl Checker<'_> {
    /// A field name, or a list of them.
    fn names(&self, node: &Node, purpose: Purpose, found: &mut Vec<Finding>) {
        if let Some(name) = node.text() {
            found.extend(problem(self.scope, name, purpose, node.span));
        }
        for item in node.items() {
            if let Some(name) = item.text() {
                found.extend(problem(self.scope, name, purpose, item.span));
            }
        }
    }

    /// The fields of a query, each once, and their values.
    fn query(
        &self,
        language: &Language,
        node: Option<&Node>,
        prepare: impl Fn(&str) -> String,
        found: &mut Vec<Diagnostic>,
    ) {
        let Some(text) = node.and_then(Node::text) else { return };
        let here = query::check(language, &prepare(text), self.scope, self.values);
        found.extend(here.into_iter().map(|it| self.rule.source.place(it, node)));
    }

    /// The fields of Kibana's filters, each once, and their values.
    fn filters(&self, found: &mut Vec<Finding>, diagnostics: &mut Vec<Diagnostic>) {
        let mut told = BTreeSet::new();
        for asked in filters::asked(self.rule, self.scope.catalog) {
            match asked {
                Asked::Field { name, span, purpose } => {
                    found.extend(
                        problem(self.scope, &name, purpose, span).filter(|_| told.insert(name.clone())),
                    );
                }
                Asked::Value(value) if self.values => {
                    found.extend(value_problem(self.scope.source, &value).map(in_quotes));
                }
                Asked::Value(_) => {}
                Asked::Lucene(node) => {
                    self.query(language(QueryLanguage::Lucene), Some(node), str::to_owned, diagnostics);
                }
            }
        }
    }

    /// Queries, columns and placeholders of the guide.
    fn guide(&self, found: &mut Vec<Finding>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(guide) = &self.rule.source.guide else { return };
        for list in ["triage", "response"] {
            for step in guide.get(list).map_or(&[][..], Node::items) {
                for query in step_queries(step) {
                    if let Some(language) = language_of(query) {
                        self.query(language, query.get("query"), with_stand_ins, diagnostics);
                    }
                    if let Some(columns) = query.get("columns") {
                        self.names(columns, Purpose::Any, found);
                    }
                    if let Some(text) = query.get("query") {
                        self.placeholders(text, found);
                    }
                }
                for key in ["command", "text", "reason", "breaks", "undo", "verify"] {
                    if let Some(text) = step.get(key) {
                        self.placeholders(text, found);
                    }
                }
                for name in step.get("uses").map_or(&[][..], Node::items) {
                    found.extend(name.text().and_then(|text| case_value(text, name.span)));
                }
            }
        }
    }

    /// The queries in a guide of Kibana's: their fields, and those of their placeholders, each once.
    fn inquiries(&self, found: &mut Vec<Finding>) {
        let Some(note) = self.rule.note.as_deref().filter(|_| self.rule.guide.is_none()) else { return };
        let span = self.rule.source.span(&["note"]);
        let mut told = BTreeSet::new();
        for it in crate::inquiries(note) {
            let mut names = Vec::new();
            match it.asks {
                Ok(crate::Asks::Events(it)) => {
                    names.extend(it.alternatives.iter().flat_map(|it| named(it)).map(str::to_owned));
                    names.extend(it.fields);
                }
                Ok(crate::Asks::Host(query)) => names.extend(named(&query).map(str::to_owned)),
                Err(_) => {}
            }
            for name in names {
                found.extend(
                    problem(self.scope, &name, Purpose::Any, span).filter(|_| told.insert(name.clone())),
                );
            }
        }
    }

    fn placeholders(&self, node: &Node, found: &mut Vec<Finding>) {
        let Some(text) = node.text() else { return };
        let literal = Literal::of(node, self.rule.text(), self.rule.source.syntax);
        let mut at = 0;
        while let Some(open) = text[at..].find("{{") {
            let start = at + open + 2;
            let Some(length) = text[start..].find("}}") else { return };
            let name = text[start..start + length].trim();
            let span = Span::new(start, start + length);
            let span = literal.as_ref().map_or(node.span, |literal| literal.span(span));
            let value = name.strip_prefix("case.");
            found.extend(match value {
                Some(value) => case_value(value, span),
                None => problem(self.scope, name, Purpose::Any, span),
            });
            at = start + length + 2;
        }
    }
}

/// The names in the placeholders of a text.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|it| Some(it.split_once("}}")?.0.trim()))
}

/// What is wrong with the name of a value of the case.
fn case_value(name: &str, span: Span) -> Option<Finding> {
    let similar = nearest(name, CASE_VALUES.iter().copied()).map(str::to_owned);
    (!CASE_VALUES.contains(&name)).then(|| Finding::NoCaseValue { name: name.to_owned(), similar, span })
}

/// The language of a guide's query, if it can be evaluated.
fn language_of(query: &Node) -> Option<&'static Language> {
    QueryLanguage::from_name(query.get("language")?.text()?).map(language)
}

/// What is wrong with a field of that name.
pub(super) fn problem(scope: &Scope<'_>, name: &str, purpose: Purpose, span: Span) -> Option<Finding> {
    let catalog = scope.catalog;
    if name.is_empty() || name.starts_with(BESIDE) {
        return None;
    }
    if ALERT_FIELDS.iter().any(|prefix| name.starts_with(prefix)) {
        return alert_field(scope, name, span);
    }
    if name.contains('*') {
        let mut all = catalog.iter().map(|(field, _)| field).chain(alert::FIELDS.iter().copied());
        let known = all.any(|field| glob_matches(name, field));
        let unknown = Finding::UnknownField {
            field: name.to_owned(),
            similar: None,
            foreign: false,
            origin: scope.source.name,
            span,
        };
        return (!known).then_some(unknown);
    }
    let wrong = match catalog.resolve(name) {
        Resolved::Field(mapping) => wrong_type(name, mapping.ty, purpose, span),
        Resolved::FlattenedKey { .. } => match purpose {
            Purpose::Timestamp => wrong_type(name, FieldType::Flattened, purpose, span),
            Purpose::Query | Purpose::Existence | Purpose::NewTerms | Purpose::GroupBy | Purpose::Any => None,
        },
        Resolved::Object => match purpose {
            // Columns and highlights may name a whole object.
            Purpose::Any | Purpose::Existence => None,
            // What cannot be compared is refused, and so told, when the rule is compiled.
            Purpose::NewTerms | Purpose::GroupBy => return None,
            Purpose::Query | Purpose::Timestamp => wrong_type(name, FieldType::Object, purpose, span),
        },
        Resolved::Unmapped => return Some(unknown(scope, name, span)),
    };
    wrong.or_else(|| never_filled(scope, name, purpose, span))
}

/// A field that no alert has.
fn alert_field(scope: &Scope<'_>, name: &str, span: Span) -> Option<Finding> {
    let is_event_field = |field: &str| !matches!(scope.catalog.resolve(field), Resolved::Unmapped);
    let is_known = |name: &str| {
        let is_glob = name.contains('*');
        is_glob && alert::FIELDS.iter().any(|field| glob_matches(name, field))
            || !is_glob && alert::is_field(name, is_event_field)
    };
    if is_known(name) {
        return None;
    }
    let similar = match name.strip_prefix("signal.") {
        Some("status") => Some("kibana.alert.workflow_status".to_owned()),
        Some("rule.id") => Some("kibana.alert.rule.uuid".to_owned()),
        Some(rest) => Some(format!("kibana.alert.{rest}")).filter(|it| is_known(it)),
        None => nearest(name, alert::FIELDS.iter().copied()).map(str::to_owned),
    };
    Some(Finding::UnknownField { field: name.to_owned(), similar, foreign: false, origin: "", span })
}

fn unknown(scope: &Scope<'_>, name: &str, span: Span) -> Finding {
    let (catalog, field) = (scope.catalog, name.to_owned());
    let fields = scope.source.fields_named(name);
    if !fields.is_empty() {
        return Finding::OwnName { field, origin: scope.source.name, fields, span };
    }
    let root = name.split('.').next().unwrap_or_default();
    let foreign = catalog.get(root).is_none() && catalog.under(root).next().is_none();
    let similar = nearest(name, catalog.iter().map(|(field, _)| field)).map(str::to_owned);
    let foreign = foreign && similar.is_none() && !scope.source.name.is_empty();
    Finding::UnknownField { field, similar, foreign, origin: scope.source.name, span }
}

/// A field of ECS that the events of the source, which alone are asked, never have.
fn never_filled(scope: &Scope<'_>, name: &str, purpose: Purpose, span: Span) -> Option<Finding> {
    let asks = match purpose {
        Purpose::Query | Purpose::Existence | Purpose::NewTerms | Purpose::GroupBy => true,
        // That of a timestamp has a finding of its own.
        Purpose::Timestamp | Purpose::Any => false,
    };
    if !scope.only || !asks || scope.source.has(name) {
        return None;
    }
    let mut fields = scope.source.fields_named(name);
    fields.extend(nearest_filled(name, scope.source).filter(|_| fields.is_empty()));
    Some(Finding::NeverFilled { field: name.to_owned(), origin: scope.source.name, fields, span })
}

/// Whether a field of that type does what it is named for.
fn wrong_type(name: &str, ty: FieldType, purpose: Purpose, span: Span) -> Option<Finding> {
    use FieldType::{Date, DateNanos, Flattened, Object};
    let (wrong, purpose, wanted) = match purpose {
        Purpose::GroupBy => (
            matches!(ty, Flattened),
            "grouped by",
            "a field with whole values: keyword, ip, number or boolean",
        ),
        Purpose::Timestamp => {
            (!matches!(ty, Date | DateNanos), "a timestamp", "a date field, such as `event.ingested`")
        }
        Purpose::Query => (matches!(ty, Object), "searched", "a field below it"),
        // What these fields give decides whether the rule can be compiled.
        Purpose::Any | Purpose::Existence | Purpose::NewTerms => return None,
    };
    wrong.then(|| Finding::FieldType { field: name.to_owned(), ty: ty.name(), purpose, wanted, span })
}
