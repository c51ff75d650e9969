//! Which values a field has for new terms, and to group by.

use std::collections::BTreeSet;

use ecs::{Catalog, FieldType, Resolved};
use plan::Expr;
use span::{Diagnostic, Severity, Span};

use crate::pattern::Pattern;
use crate::text::Node;
use crate::{Rule, RuleKind};

/// What a field gives to be compared for new terms, or to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermField {
    /// Its values.
    Values,
    /// The values of everything below it: it is the root of a `flattened` field.
    Leaves,
    /// Nothing: the type has no values to collect. Elasticsearch fails, or finds none in an object.
    Nothing(&'static str),
}

impl TermField {
    /// What a field gives.
    pub fn of(path: &str, catalog: &Catalog) -> Self {
        // The node keeps no values of these for collecting.
        if let Some(own) = ["_id", "_source"].into_iter().find(|own| *own == path) {
            return Self::Nothing(own);
        }
        match catalog.resolve(path) {
            Resolved::Field(mapping) => match mapping.ty {
                FieldType::Text
                | FieldType::MatchOnlyText
                | FieldType::GeoPoint
                | FieldType::Nested
                | FieldType::Object => Self::Nothing(mapping.ty.name()),
                FieldType::Flattened => Self::Leaves,
                FieldType::Keyword
                | FieldType::ConstantKeyword
                | FieldType::Wildcard
                | FieldType::Ip
                | FieldType::Date
                | FieldType::DateNanos
                | FieldType::Boolean
                | FieldType::Long
                | FieldType::Integer
                | FieldType::Short
                | FieldType::Byte
                | FieldType::UnsignedLong
                | FieldType::Double
                | FieldType::Float
                | FieldType::HalfFloat
                | FieldType::ScaledFloat
                | FieldType::Version => Self::Values,
            },
            Resolved::FlattenedKey { .. } | Resolved::Unmapped => Self::Values,
            Resolved::Object => Self::Nothing(FieldType::Object.name()),
        }
    }
}

/// The fields whose values decide whether the rule alerts: those that its condition asks, those that it compares or
/// suppresses alerts by, and those that the events of a sequence have in common.
pub fn asked_fields<'a>(rule: &'a Rule, filter: &'a Expr, pattern: Option<&'a Pattern>) -> BTreeSet<&'a str> {
    let keys = pattern.into_iter().flat_map(|it| it.keys.iter().flatten()).map(|key| key.path.as_str());
    let (compared, counted) = match &rule.kind {
        RuleKind::NewTerms(terms) => (terms.fields.as_slice(), None),
        RuleKind::Threshold(it) => {
            (it.fields.as_slice(), it.cardinality.as_ref().map(|it| it.field.as_str()))
        }
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => (&[][..], None),
    };
    let asked = filter.paths().into_iter().map(|(path, _)| path);
    let alike = rule.alert_suppression.iter().flat_map(|it| &it.group_by).map(String::as_str);
    asked.chain(compared.iter().map(String::as_str)).chain(alike).chain(counted).chain(keys).collect()
}

/// What of a rule's fields cannot be compared for new terms, or grouped by, at all.
pub(crate) fn check(rule: &Rule, catalog: &Catalog) -> Vec<Diagnostic> {
    let mut found = check_kind(rule, catalog);
    // Most types look at the values that an event has, the others search for those that there are.
    let searches = matches!(rule.kind, RuleKind::Query | RuleKind::SavedQuery { .. });
    let nodes = rule.source.rule.at(&["alert_suppression", "group_by"]);
    for (at, field) in rule.alert_suppression.iter().flat_map(|it| &it.group_by).enumerate() {
        let has_text =
            matches!(TermField::of(field, catalog), TermField::Nothing("text" | "match_only_text"));
        if searches || !has_text {
            let span = span_of(rule, nodes, at, "alert_suppression");
            found.extend(valueless(field, catalog, "RULE212", "grouped by", span));
        }
    }
    found
}

fn check_kind(rule: &Rule, catalog: &Catalog) -> Vec<Diagnostic> {
    match &rule.kind {
        RuleKind::NewTerms(terms) => {
            let nodes = rule.source.rule.get("new_terms_fields");
            let refused = terms.fields.iter().enumerate().filter_map(|(at, field)| {
                let span = span_of(rule, nodes, at, "new_terms_fields");
                valueless(field, catalog, "RULE210", "compared for new terms", span)
            });
            refused.collect()
        }
        RuleKind::Threshold(threshold) => {
            let nodes = rule.source.rule.at(&["threshold", "field"]);
            let fields = threshold.fields.iter().enumerate().filter_map(|(at, field)| {
                valueless(field, catalog, "RULE211", "grouped by", span_of(rule, nodes, at, "threshold"))
            });
            let counted = threshold.cardinality.iter().filter_map(|it| {
                let first =
                    rule.source.rule.at(&["threshold", "cardinality"]).and_then(|it| it.items().first());
                let span = first.and_then(|it| it.get("field")).map(|node| node.span);
                let span = span.unwrap_or_else(|| rule.source.span(&["threshold"]));
                valueless(&it.field, catalog, "RULE211", "counted", span)
            });
            fields.chain(counted).collect()
        }
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => Vec::new(),
    }
}

/// Where the field of that number stands: in a list, or alone.
fn span_of(rule: &Rule, nodes: Option<&Node>, at: usize, key: &str) -> Span {
    let item = nodes.and_then(|it| it.items().get(at));
    item.or(nodes).map_or_else(|| rule.source.span(&[key]), |node| node.span)
}

/// That a field has no values, if it has none.
fn valueless(
    field: &str,
    catalog: &Catalog,
    code: &'static str,
    purpose: &str,
    span: Span,
) -> Option<Diagnostic> {
    let TermField::Nothing(ty) = TermField::of(field, catalog) else { return None };
    let message = format!("`{field}` is of type `{ty}`, whose values cannot be {purpose}");
    let keyword = field.rsplit_once('.').map(|(parent, _)| parent);
    let keyword = keyword.filter(|parent| TermField::of(parent, catalog) == TermField::Values);
    let help = match keyword {
        Some(keyword) => format!("write `{keyword}`, which holds the same as whole values"),
        None if ty == "object" || ty == "nested" => "use a field below it".to_owned(),
        None => "use a field with whole values: keyword, ip, number or boolean".to_owned(),
    };
    Some(Diagnostic::new(Severity::Error, code, message, span).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fields_give() {
        for (path, expected) in [
            ("user.name", TermField::Values),
            ("source.ip", TermField::Values),
            ("my.own.field", TermField::Values),
            ("_index", TermField::Values),
            ("_id", TermField::Nothing("_id")),
            ("message", TermField::Nothing("match_only_text")),
            ("aws.cloudtrail.request_parameters.text", TermField::Nothing("text")),
            ("source.geo.location", TermField::Nothing("geo_point")),
            ("source.geo", TermField::Nothing("object")),
            ("aws.cloudtrail.flattened.request_parameters", TermField::Leaves),
            ("aws.cloudtrail.flattened.request_parameters.name", TermField::Values),
        ] {
            assert_eq!(TermField::of(path, &Catalog::ecs()), expected, "{path}");
        }
    }
}
