//! Of alerts on records what rules over alerts ask of them, without the rest of their documents.
//!
//! A rule over alerts asks for a handful of fields, and the alerts that it may see are many: of each the whole document took
//! longer than reading its record. [`Trees`](crate::sources::Trees) makes the documents of all that is not simple: of
//! sequences, of alerts on alerts, and of events whose values do not fit.

use std::collections::HashMap;
use std::sync::Arc;

use cloudtrail::Fields;
use detect::{AlertSeed, AlertWriter, Asked, RuleFields};
use ecs::{Catalog, Layered, Object, Shape, TextDocument};
use rule::Rule;
use sift::{DocumentBuilder, Filter};

use crate::evidence::{Evidence, Window};
use crate::run::HuntOptions;

/// Makes what is asked of alerts.
pub(crate) struct Asking<'a> {
    asked: Asked,
    evidence: &'a Evidence,
    options: &'a HuntOptions,
    catalog: Arc<Catalog>,
    writer: AlertWriter,
    documents: DocumentBuilder,
    text: TextDocument,
    /// What is asked of the alerts of a rule, by its object id.
    forms: HashMap<String, Form>,
}

/// What is asked of the alerts of one rule.
struct Form {
    fields: RuleFields,
    event: Fields,
}

impl<'a> Asking<'a> {
    /// For what these filters ask, and what is asked of their matches. Nothing if that is whole objects: what lies in such
    /// an object is known of the whole document only.
    pub(crate) fn new(filters: &[Filter], evidence: &'a Evidence, options: &'a HuntOptions) -> Option<Self> {
        let mut paths: Vec<(String, Shape)> =
            filters.iter().flat_map(|it| it.needs.iter().cloned()).collect();
        paths.extend(
            filters.iter().flat_map(|it| it.expr.paths()).map(|(path, shape)| (path.to_owned(), shape)),
        );
        let whole = paths.iter().any(|(_, shape)| *shape == Shape::Nested);
        let asked = Asked::paths(paths.iter().map(|(path, _)| path.as_str()));
        (!whole).then(|| Self::of(asked, evidence, options))
    }

    fn of(asked: Asked, evidence: &'a Evidence, options: &'a HuntOptions) -> Self {
        let (catalog, paths) = (Catalog::ecs(), cloudtrail::paths(options.normalise.version));
        Self {
            asked,
            evidence,
            options,
            writer: AlertWriter::new(paths, Arc::clone(&catalog)),
            catalog,
            documents: DocumentBuilder::new(&options.normalise, options.now),
            text: TextDocument::new(paths),
            forms: HashMap::new(),
        }
    }

    /// What is asked of the alert, if that is simple.
    pub(crate) fn alert(&mut self, rule: &Rule, seed: &AlertSeed, window: &Window) -> Option<Layered> {
        if seed.sequence().is_some() {
            return None;
        }
        if !self.forms.contains_key(&rule.id) {
            self.forms.insert(rule.id.clone(), self.form(rule));
        }
        let Self { asked, evidence, catalog, writer, documents, text, forms, .. } = self;
        let form = forms.get(&rule.id)?;
        // What was counted has no event.
        let Some(event) = seed.events().next() else {
            return Some(detect::build_asked(seed, rule, &form.fields, Object::new(), catalog, asked));
        };
        if event.origin.is_alert() {
            return None;
        }
        let record = evidence.record(event.origin, window)?;
        text.clear();
        let is_simple = documents.text(&record, &form.event, text) && writer.ready(text);
        is_simple.then(|| writer.asked(seed, rule, &form.fields, text, asked))
    }

    fn form(&self, rule: &Rule) -> Form {
        let HuntOptions { version, normalise, .. } = self.options;
        let paths = self.asked.paths_of_event(rule);
        let event = paths.map(|paths| Fields::at(normalise.version, &paths));
        Form {
            fields: RuleFields::new(rule, version).asked(&self.asked),
            event: event.unwrap_or_else(|| Fields::all(normalise.version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use detect::{Detail, Execution, Origin, SeedEvent, Suppressed, ThresholdResult};
    use ecs::Wanted;
    use proptest::prelude::*;
    use serde_json::json;
    use sift::Kind;

    use super::*;
    use crate::keep::Keeper;
    use crate::sources::{Sources, Trees};

    const RECORDS: [&str; 4] = [
        r#"{"eventVersion":"1.08","eventID":"e1","eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com",
            "eventName":"CreateUser","awsRegion":"eu-central-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.15.0",
            "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/ada",
            "principalId":"AROAEXAMPLE:ada","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE"},
            "requestParameters":{"userName":"bo","tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]},
            "responseElements":{"user":{"userName":"bo"}},"recipientAccountId":"111122223333"}"#,
        r#"{"eventVersion":"1.08","eventTime":"2026-03-01T10:00:01Z","eventSource":"s3.amazonaws.com","eventName":"GetObject",
            "errorCode":"AccessDenied","errorMessage":"no","userIdentity":{"type":"AWSService","invokedBy":"x.amazonaws.com"},
            "requestParameters":{"bucketName":"logs","list":[],"nothing":{},"deep":{"a":{"b":[1,2.50,"x"]}}},
            "sourceIPAddress":"x.amazonaws.com","userAgent":"x.amazonaws.com"}"#,
        r#"{"eventVersion":"1.08","eventTime":"then","eventName":["a","b"],"userIdentity":{"type":"Root"},"readOnly":"maybe"}"#,
        r#"{"eventVersion":"1.08","eventSource":"ec2.amazonaws.com","eventName":"StopLogging","userAgent":7,
            "userIdentity":{"userName":"kim"},"sourceIPAddress":"not an address"}"#,
    ];

    const PATHS: [&str; 38] = [
        "@timestamp",
        "_index",
        "aws.cloudtrail.flattened",
        "aws.cloudtrail.flattened.request_parameters.deep.a.b",
        "aws.cloudtrail.flattened.request_parameters.userName",
        "aws.cloudtrail.user_identity.arn",
        "cloud",
        "cloud.account.id",
        "data_stream.dataset",
        "error.message",
        "event",
        "event.action",
        "event.category",
        "event.kind",
        "kibana",
        "kibana.alert",
        "kibana.alert.ancestors",
        "kibana.alert.ancestors.id",
        "kibana.alert.depth",
        "kibana.alert.new_terms",
        "kibana.alert.original_data_stream.dataset",
        "kibana.alert.original_event",
        "kibana.alert.original_event.action",
        "kibana.alert.original_event.kind",
        "kibana.alert.original_time",
        "kibana.alert.reason",
        "kibana.alert.risk_score",
        "kibana.alert.rule.name",
        "kibana.alert.rule.parameters",
        "kibana.alert.rule.threat.tactic.id",
        "kibana.alert.rule.uuid",
        "kibana.alert.severity",
        "kibana.alert.suppression.docs_count",
        "kibana.alert.threshold_result.terms.value",
        "related.user",
        "source.ip",
        "trailwarden.identity.root.arn",
        "user.name",
    ];

    fn rule() -> Rule {
        let text = "[rule]\nname = 'Rule'\ndescription = 'One.'\nseverity = 'low'\nrisk_score = 21\ntype = 'query'\n\
                    query = 'event.action: *'\nrule_name_override = 'event.action'\ntags = ['x', 'y']\n\
                    severity_mapping = [{ field = 'event.outcome', operator = 'equals', severity = 'high', value = 'failure' }]\n\
                    [[rule.threat]]\nframework = 'MITRE ATT&CK'\n[rule.threat.tactic]\nid = 'TA0003'\nname = 'Persistence'\n\
                    reference = 'https://attack.mitre.org/tactics/TA0003/'\n";
        rule::load_text("asking.toml", text).rules.remove(0)
    }

    fn seed(detail: Detail, record: u64, is_suppressed: bool) -> AlertSeed {
        let suppressed = Suppressed {
            terms: vec![("user.name".to_owned(), json!("ada"))],
            instance: "i".to_owned(),
            start: 1,
            end: 2,
            docs_count: 3,
            last_detected: 4,
        };
        AlertSeed {
            id: "alert".to_owned(),
            event: SeedEvent {
                id: "event".to_owned(),
                index: "logs-aws.cloudtrail-default".to_owned(),
                timestamp: 1_772_323_351_000,
                origin: Origin { input: 0, ordinal: record },
            },
            execution: Execution { started_at: 1_772_323_500_000, from: 0, to: 1_772_323_500_000 },
            detail,
            suppressed: is_suppressed.then(|| Box::new(suppressed)),
        }
    }

    fn details() -> [Detail; 3] {
        let counted = ThresholdResult {
            terms: vec![("user.name".to_owned(), json!("ada")), ("cloud.account.id".to_owned(), json!("1"))],
            cardinality: Some(("source.ip".to_owned(), 2)),
            count: 5,
            from: 1,
            to: 2,
            alerts: Vec::new(),
        };
        [Detail::Event, Detail::NewTerms(vec![json!("ada")]), Detail::Threshold(Box::new(counted))]
    }

    proptest! {
        /// Columns get from what is asked of an alert what they get from its document, and it has the same lineage.
        #[test]
        fn what_is_asked_is_what_the_document_says(
            columns in prop::collection::vec((prop::sample::select(&PATHS[..]), any::<bool>()), 1..5),
            record in 0..RECORDS.len() as u64,
            detail in 0..3_usize,
            is_suppressed: bool,
        ) {
            let nothing = rule::Selection::new(Vec::new(), &[]);
            let normalise = cloudtrail::Options {
                original: cloudtrail::Original::Tagged,
                tags: vec!["actor_target_mapping".to_owned()],
                ..cloudtrail::Options::default()
            };
            let options = HuntOptions::new(Vec::new(), nothing, rule::Exceptions::default(), normalise, 0, "1");
            let mut keeper = Keeper::new(1, 1 << 20);
            let origin = Origin { input: 0, ordinal: record };
            keeper.keep(origin, Kind::CloudTrail, RECORDS[record as usize], [0].into_iter());
            let read = reader::Options::default();
            let evidence = Evidence::new([origin].into_iter(), vec![keeper], Vec::new(), &options, read);
            let window = evidence.window(&std::iter::once([origin].into_iter()));
            let columns: Vec<(&str, Shape)> = columns
                .into_iter()
                .map(|(path, is_root)| (path, if is_root { Shape::FlattenedRoot } else { Shape::Leaf }))
                .collect();
            let (rule, seed) = (rule(), seed(details()[detail].clone(), record, is_suppressed));
            let asked = Asked::paths(columns.iter().map(|(path, _)| *path));
            let found = Asking::of(asked, &evidence, &options).alert(&rule, &seed, &window);
            let mut trees = Trees::new(&evidence, &options.normalise, options.now, options.version);
            let document = trees.alert(&rule, &seed, &window, &Sources::new());
            let wanted = Wanted::new(columns.iter().zip(0..).map(|((path, shape), id)| (id, *path, *shape)));
            let values = |alert: &Layered| {
                let mut values: Vec<(u32, String)> = Vec::new();
                wanted.walk_fields(alert.iter(), &mut |id, value| values.push((id, format!("{value:?}"))));
                values.sort();
                (values, ecs::alert::lineage_of(|key| alert.get(key)))
            };
            // What does not fit is left to the document.
            if let Some(found) = found {
                prop_assert_eq!(values(&found), values(&document), "{:?}", columns);
            } else {
                prop_assert!(record > 0, "the first record is simple");
            }
        }
    }
}
