//! The fields that it names, against the field catalogue.

use ecs::{Catalog, FieldType, Resolved};
use kql::{Node as QueryNode, NodeKind, Term};
use span::{Diagnostic, Span};

use super::{Finding, sources};
use crate::index_pattern::glob_matches;
use crate::parse::with_stand_ins;
use crate::suggest::nearest;
use crate::text::{Literal, Node};
use crate::{QueryLanguage, Rule};

/// Fields of alerts, which rules may read and guides may name; the catalogue of events does not have them.
const ALERT_FIELDS: [&str; 3] = ["kibana.", "signal.", "_"];

/// What a field is named for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Query,
    NewTerms,
    GroupBy,
    Timestamp,
    Any,
}

/// Checks all fields that the rule names. A rule that reads nothing of what is here knows its fields better.
pub(super) fn check(rule: &Rule, catalog: &Catalog, found: &mut Vec<Finding>) {
    if !sources::reads(rule) {
        return;
    }
    let checker = Checker { rule, catalog };
    if rule.language == Some(QueryLanguage::Kuery) {
        checker.query(rule.source.rule.get("query"), str::to_owned, found);
    }
    // An ES|QL rule makes columns of its own, which only its query knows.
    let own_columns = rule.language == Some(QueryLanguage::Esql);
    for (path, purpose) in [
        (&["new_terms_fields"][..], Purpose::NewTerms),
        (&["alert_suppression", "group_by"], Purpose::GroupBy),
        (&["threshold", "field"], Purpose::GroupBy),
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
    checker.guide(found);
}

/// Adds what the query language itself finds odd, in the rule's query and in those of its guide.
pub(super) fn check_query_text(rule: &Rule, diagnostics: &mut Vec<Diagnostic>) {
    let source = &rule.source;
    let mut check = |node: Option<&Node>, prepare: fn(&str) -> String| {
        let Some(text) = node.and_then(Node::text) else { return };
        if let Ok(ast) = kql::parse(&prepare(text)) {
            diagnostics.extend(kql::lint(&ast).into_iter().map(|diagnostic| source.place(diagnostic, node)));
        }
    };
    if rule.language == Some(QueryLanguage::Kuery) {
        check(source.rule.get("query"), str::to_owned);
    }
    let Some(guide) = &source.guide else { return };
    for list in ["triage", "response"] {
        for query in guide.get(list).map_or(&[][..], Node::items).iter().filter_map(|step| step.get("query"))
        {
            if query.get("language").and_then(Node::text) == Some(QueryLanguage::Kuery.as_str()) {
                check(query.get("query"), with_stand_ins);
            }
        }
    }
}

struct Checker<'a> {
    rule: &'a Rule,
    catalog: &'a Catalog,
}

impl Checker<'_> {
    /// A field name, or a list of them.
    fn names(&self, node: &Node, purpose: Purpose, found: &mut Vec<Finding>) {
        if let Some(name) = node.text() {
            found.extend(problem(self.catalog, name, purpose, node.span));
        }
        for item in node.items() {
            if let Some(name) = item.text() {
                found.extend(problem(self.catalog, name, purpose, item.span));
            }
        }
    }

    /// The fields of a query in KQL; each unknown name once.
    fn query(&self, node: Option<&Node>, prepare: impl Fn(&str) -> String, found: &mut Vec<Finding>) {
        let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else { return };
        let Ok(ast) = kql::parse(&prepare(text)) else { return };
        let Some(root) = &ast.root else { return };
        let mut names = Vec::new();
        collect(root, None, &mut names);
        let literal = Literal::of(node, self.rule.text(), self.rule.source.syntax);
        let mut seen = std::collections::BTreeSet::new();
        for (name, span, may_be_object) in names {
            if seen.insert(name.clone()) {
                let span = literal.as_ref().map_or(node.span, |literal| literal.span(span));
                let purpose = if may_be_object { Purpose::Any } else { Purpose::Query };
                found.extend(problem(self.catalog, &name, purpose, span));
            }
        }
    }

    /// Queries, columns and placeholders of the guide.
    fn guide(&self, found: &mut Vec<Finding>) {
        let Some(guide) = &self.rule.source.guide else { return };
        for list in ["triage", "response"] {
            for step in guide.get(list).map_or(&[][..], Node::items) {
                if let Some(query) = step.get("query") {
                    if query.get("language").and_then(Node::text) == Some(QueryLanguage::Kuery.as_str()) {
                        self.query(query.get("query"), with_stand_ins, found);
                    }
                    if let Some(columns) = query.get("columns") {
                        self.names(columns, Purpose::Any, found);
                    }
                }
                for node in [step.at(&["query", "query"]), step.get("command"), step.get("text")]
                    .into_iter()
                    .flatten()
                {
                    self.placeholders(node, found);
                }
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
            found.extend(problem(self.catalog, name, Purpose::Any, span));
            at = start + length + 2;
        }
    }
}

/// What is wrong with a field of that name.
pub(super) fn problem(catalog: &Catalog, name: &str, purpose: Purpose, span: Span) -> Option<Finding> {
    if name.is_empty() || ALERT_FIELDS.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    if name.contains('*') {
        let known = catalog.iter().any(|(field, _)| glob_matches(name, field));
        let unknown = Finding::UnknownField { field: name.to_owned(), similar: None, foreign: false, span };
        return (!known).then_some(unknown);
    }
    match catalog.resolve(name) {
        Resolved::Field(mapping) => wrong_type(name, mapping.ty, purpose, span),
        Resolved::FlattenedKey { .. } => match purpose {
            Purpose::Timestamp => wrong_type(name, FieldType::Flattened, purpose, span),
            _ => None,
        },
        Resolved::Object => match purpose {
            // Columns and highlights may name a whole object.
            Purpose::Any => None,
            _ => wrong_type(name, FieldType::Object, purpose, span),
        },
        Resolved::Unmapped => Some(unknown(catalog, name, span)),
    }
}

fn unknown(catalog: &Catalog, name: &str, span: Span) -> Finding {
    let root = name.split('.').next().unwrap_or_default();
    let foreign = catalog.get(root).is_none() && catalog.under(root).next().is_none();
    let similar = nearest(name, catalog.iter().map(|(field, _)| field)).map(str::to_owned);
    let foreign = foreign && similar.is_none();
    Finding::UnknownField { field: name.to_owned(), similar, foreign, span }
}

/// Whether a field of that type does what it is named for.
fn wrong_type(name: &str, ty: FieldType, purpose: Purpose, span: Span) -> Option<Finding> {
    use FieldType::{Date, DateNanos, Flattened, GeoPoint, MatchOnlyText, Nested, Object, Text};
    let (wrong, purpose, wanted) = match purpose {
        Purpose::NewTerms => (
            matches!(ty, Text | MatchOnlyText | Flattened | Object | Nested | GeoPoint),
            "compared for new terms",
            "a field with whole values: keyword, ip, number or boolean",
        ),
        Purpose::GroupBy => (
            matches!(ty, Text | MatchOnlyText | Flattened | Object | Nested | GeoPoint),
            "grouped by",
            "a field with whole values: keyword, ip, number or boolean",
        ),
        Purpose::Timestamp => {
            (!matches!(ty, Date | DateNanos), "a timestamp", "a date field, such as `event.ingested`")
        }
        Purpose::Query => (matches!(ty, Object), "searched", "a field below it"),
        Purpose::Any => return None,
    };
    wrong.then(|| Finding::FieldType { field: name.to_owned(), ty: ty.name(), purpose, wanted, span })
}

/// The field names of a query with their places, and whether objects have such names, too. Recurses as deep as the tree, which its parser bounds.
fn collect(node: &QueryNode, path: Option<&str>, names: &mut Vec<(String, Span, bool)>) {
    let full = |term: &Term| match path {
        Some(path) => format!("{path}.{}", term.text()),
        None => term.text().into_owned(),
    };
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => {
            for node in nodes {
                collect(node, path, names);
            }
        }
        NodeKind::Not(node) => collect(node, path, names),
        NodeKind::Nested { path: inner, query } => {
            names.push((full(inner), inner.span, true));
            collect(query, Some(&full(inner)), names);
        }
        // Whether there is an object may be asked of every name.
        NodeKind::Is { field: Some(field), value } => {
            names.push((full(field), field.span, value.is_lone_wildcard()));
        }
        NodeKind::Range { field, .. } => names.push((full(field), field.span, false)),
        NodeKind::Is { field: None, .. } => {}
    }
}
