//! Which values a field has for new terms.

use std::collections::BTreeSet;

use ecs::{Catalog, FieldType, Resolved};
use plan::Expr;
use span::{Diagnostic, Severity};

use crate::text::Node;
use crate::{Rule, RuleKind};

/// What a field gives to be compared for new terms.
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

/// The fields whose values decide whether the rule alerts: those that its condition asks, and those that it compares.
pub fn asked_fields<'a>(rule: &'a Rule, filter: &'a Expr) -> BTreeSet<&'a str> {
    let compared = match &rule.kind {
        RuleKind::NewTerms(terms) => terms.fields.as_slice(),
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::Threshold(_)
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => &[],
    };
    let asked = filter.paths().into_iter().map(|(path, _)| path);
    asked.chain(compared.iter().map(String::as_str)).collect()
}

/// What of a rule's new-terms fields cannot be compared at all.
pub(crate) fn check(rule: &Rule, catalog: &Catalog) -> Vec<Diagnostic> {
    let RuleKind::NewTerms(terms) = &rule.kind else { return Vec::new() };
    let nodes = rule.source.rule.get("new_terms_fields").map_or(&[][..], Node::items);
    let refused = terms.fields.iter().enumerate().filter_map(|(at, field)| {
        let TermField::Nothing(ty) = TermField::of(field, catalog) else { return None };
        let span = nodes.get(at).map_or_else(|| rule.source.span(&["new_terms_fields"]), |node| node.span);
        let message = format!("`{field}` is of type `{ty}`, whose values cannot be compared for new terms");
        let keyword = field.rsplit_once('.').map(|(parent, _)| parent);
        let keyword = keyword.filter(|parent| TermField::of(parent, catalog) == TermField::Values);
        let help = match keyword {
            Some(keyword) => format!("write `{keyword}`, which holds the same as whole values"),
            None if ty == "object" || ty == "nested" => "use a field below it".to_owned(),
            None => "use a field with whole values: keyword, ip, number or boolean".to_owned(),
        };
        Some(Diagnostic::new(Severity::Error, "RULE210", message, span).help(help))
    });
    refused.collect()
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
