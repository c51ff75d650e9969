//! What events of CloudTrail can hold, for whoever checks what is asked of them.
//!
//! Nothing of it is a second list of the fields: it is made of the tables that events are made of, and what a
//! record's own names become is found by making events of records that hold only that.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecs::{Filled, OwnName, Source, Values};
use serde_json::{Value, json};

use crate::actions;
use crate::entity;
use crate::facts::Top;
use crate::field::Field;
use crate::identity::{Identity, Issuer, KINDS, Session};
use crate::{Cost, Envelope, Normaliser, Options, ReadAt, RecordBuf, Version};

/// What events of CloudTrail can hold, whichever version of the documents.
pub fn vocabulary() -> &'static Source {
    &VOCABULARY
}

static VOCABULARY: LazyLock<Source> = LazyLock::new(|| {
    let mut source = Source { name: "CloudTrail", shipped: SHIPPED, names: names(), ..Source::default() };
    for version in [Version::Filebeat, Version::V2_24, Version::V8_9] {
        for &field in Field::ALL.iter().filter(|field| field.is_in(version)) {
            let filled = Filled {
                is_tree: is_tree(field),
                is_looked_up: field.traits().cost == Cost::LookedUp,
                values: values(field),
            };
            source.fields.insert(field.path(version), filled);
        }
    }
    for (path, values) in IDENTITY {
        let values = if values.is_empty() {
            Values::Any
        } else {
            Values::Only(values.iter().map(|&it| it.to_owned()).collect())
        };
        source.fields.insert(path, Filled { values, ..Filled::default() });
    }
    source
});

/// Who is behind an event: told by other events, beside the document.
const IDENTITY: [(&str, &[&str]); 5] = [
    ("trailwarden.identity.chain", &[]),
    ("trailwarden.identity.confidence", &["exact", "inferred", "weak"]),
    ("trailwarden.identity.root.access_key_id", &[]),
    ("trailwarden.identity.root.arn", &[]),
    ("trailwarden.identity.root.type", &[]),
];

/// What shippers, agents and the store add to an event.
const SHIPPED: &[&str] = &[
    "_",
    "agent.",
    "aws.s3.",
    "cloud.image.",
    "elastic_agent.",
    "event.agent_id_status",
    "event.ingested",
    "fileset.",
    "input.",
    "labels.",
    "log.",
    "service.type",
];

/// Whether the field holds objects.
fn is_tree(field: Field) -> bool {
    use Field as F;
    matches!(
        field,
        F::Resources
            | F::FederationAttributes
            | F::FlattenedRequestParameters
            | F::FlattenedResponseElements
            | F::FlattenedAdditionalEventdata
            | F::FlattenedServiceEventDetails
            | F::DigestLogFiles
            | F::InsightDetails
    )
}

/// `eventType` and `eventCategory` as AWS documents them.
const EVENT_TYPES: [&str; 6] = [
    "AwsApiCall",
    "AwsServiceEvent",
    "AwsConsoleAction",
    "AwsConsoleSignIn",
    "AwsVpceEvents",
    "AwsCloudTrailInsight",
];
const EVENT_CATEGORIES: [&str; 4] = ["Management", "Data", "Insight", "NetworkActivity"];

fn values(field: Field) -> Values {
    use Field as F;
    let all = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    match field {
        F::DataStreamType | F::DataStreamDataset | F::EventModule | F::EventDataset | F::CloudProvider => {
            Values::Only(constant(field).into_iter().collect())
        }
        F::EventKind => Values::Only(all(&["event", "pipeline_error"])),
        F::EventOutcome => Values::Only(all(&["success", "failure"])),
        F::EventCategory => Values::Only(sorted(actions::table().map(|(category, ..)| category))),
        F::EventType => {
            let types = actions::table().flat_map(|(_, types, _)| types.iter().copied());
            Values::Only(sorted(types.chain(["info"])))
        }
        F::EventAction => {
            let categorised = actions::table().flat_map(|(.., calls)| calls);
            Values::Known(sorted(categorised.chain(entity::calls().map(|(_, call)| call))))
        }
        F::EventProvider => {
            let services: BTreeSet<&str> = entity::calls().map(|(service, _)| service).collect();
            Values::Hosts(services.into_iter().map(|it| format!("{it}.amazonaws.com")).collect())
        }
        F::IdentityType => Values::Known(all(&KINDS)),
        F::EventTypeOfRecord => Values::Known(all(&EVENT_TYPES)),
        F::EventCategoryOfRecord => Values::Known(all(&EVENT_CATEGORIES)),
        F::MfaAuthenticated | F::ManagementEvent | F::SessionCredentialFromConsole => {
            Values::Known(all(&["true", "false"]))
        }
        F::CloudRegion => Values::Lowercase,
        // Of most fields nothing is known.
        _ => Values::Any,
    }
}

fn sorted<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// What every event has in the field.
fn constant(field: Field) -> Option<String> {
    let document = document(&json!({}));
    let path = field.path(Version::V8_9);
    path.split('.').try_fold(&document, |it, key| it.get(key))?.as_str().map(str::to_owned)
}

fn document(record: &Value) -> Value {
    let options = Options { envelope: Some(Envelope::default()), ..Options::default() };
    let mut buf = RecordBuf::default();
    let text = record.to_string();
    Normaliser::new(options).document(&buf.parse(text.as_bytes()), &ReadAt::new(0)).into()
}

/// Paths of a record that lie deeper than the keys that are read as one object.
const DEEPER: [&str; 23] = [
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.attributes.creationDate",
    "userIdentity.sessionContext.webIdFederationData.federatedProvider",
    "userIdentity.onBehalfOf.userId",
    "userIdentity.onBehalfOf.identityStoreArn",
    "userIdentity.invokedByDelegate.accountId",
    "userIdentity.inScopeOf.issuerType",
    "userIdentity.inScopeOf.credentialsIssuedTo",
    "userIdentity.inScopeOf.sourceArn",
    "userIdentity.inScopeOf.sourceAccount",
    "resources.ARN",
    "resources.accountId",
    "resources.type",
    "addendum.reason",
    "addendum.updatedFields",
    "addendum.originalRequestID",
    "addendum.originalEventID",
    "tlsDetails.tlsVersion",
    "tlsDetails.cipherSuite",
    "tlsDetails.clientProvidedHostHeader",
    "tlsDetails.keyExchange",
    "serviceEventDetails.sourceIpAddress",
    "sharedEventId",
];

/// Texts that an event keeps as they are, or a date that it writes in its own way: not every field takes any text.
const MARKS: [(&str, &str); 3] = [
    ("a-mark-of-our-own", "a-mark-of-our-own"),
    ("198.51.100.7", "198.51.100.7"),
    ("2001-02-03T04:05:06Z", "2001-02-03T04:05:06.000Z"),
];

/// The paths of a record and what becomes of them.
fn names() -> Vec<OwnName> {
    let under = |root: &str, keys: &[&str]| keys.iter().map(|key| format!("{root}{key}")).collect::<Vec<_>>();
    let mut names = under("", Top::KEYS);
    names.extend(under("userIdentity.", Identity::KEYS));
    names.extend(under("userIdentity.sessionContext.", Session::KEYS));
    names.extend(under("userIdentity.sessionContext.sessionIssuer.", Issuer::KEYS));
    names.extend(under("", &DEEPER));
    names.into_iter().filter_map(own_name).collect()
}

/// What becomes of what stands at a path of a record, if anything does.
fn own_name(name: String) -> Option<OwnName> {
    let mut fields: Vec<&'static str> = Vec::new();
    let mut below = None;
    for (mark, made) in MARKS {
        collect(&document(&record(&name, mark.into())), made, &mut fields);
        let tree = document(&record(&name, json!({ "aKey": mark })));
        let mut keys = Vec::new();
        paths_of(&tree, mark, "", &mut keys);
        below = below.or_else(|| keys.iter().find_map(|path| tree_of(path.strip_suffix(".aKey")?)));
    }
    if let Some(root) = below {
        // The whole is searched as the text that stands beside its keys.
        let whole = known(&root.replace(".flattened.", ".")).unwrap_or(root);
        fields.retain(|field| *field != whole);
        fields.insert(0, whole);
    }
    // What is named alike is meant; what only takes it when something else is missing comes last.
    let last = name.rsplit('.').next().unwrap_or_default();
    let alike = |field: &str| {
        let end = field.rsplit('.').next().unwrap_or_default();
        end.replace('_', "").eq_ignore_ascii_case(last)
    };
    fields.sort_by_key(|field| !alike(field));
    fields.dedup();
    (!fields.is_empty()).then_some(OwnName { name, fields, below })
}

/// A record with nothing but a value at a path.
fn record(path: &str, value: Value) -> Value {
    let nested = path.rsplit('.').fold(value, |value, key| {
        // The one list of a record whose elements are read.
        if key == "resources" { json!({ key: [value] }) } else { json!({ key: value }) }
    });
    if path.starts_with("userIdentity.") && path != "userIdentity.type" {
        let mut record = nested;
        record["userIdentity"]["type"] = "AssumedRole".into();
        return record;
    }
    nested
}

/// The fields of an event that hold the text and nothing else. Those that gather from all over say nothing of one name.
fn collect(document: &Value, text: &str, fields: &mut Vec<&'static str>) {
    let mut paths = Vec::new();
    paths_of(document, text, "", &mut paths);
    for path in paths.iter().filter_map(|path| known(path)) {
        if !path.starts_with("related.") && path != "event.original" && !fields.contains(&path) {
            fields.push(path);
        }
    }
}

/// The paths of an event that the text stands at.
fn paths_of(value: &Value, text: &str, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                paths_of(value, text, &path, paths);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths_of(item, text, path, paths)),
        Value::String(it) if it == text => paths.push(path.to_owned()),
        _ => {}
    }
}

/// The field of that path, or the key of `aws.cloudtrail.resources` whose name is fixed.
fn known(path: &str) -> Option<&'static str> {
    let resources = [
        "aws.cloudtrail.resources.arn",
        "aws.cloudtrail.resources.account_id",
        "aws.cloudtrail.resources.type",
    ];
    let fields = Field::ALL.iter().map(|field| field.path(Version::V8_9));
    fields.chain(resources).find(|it| *it == path)
}

/// The field of that path that holds objects.
fn tree_of(path: &str) -> Option<&'static str> {
    let mut trees = Field::ALL.iter().filter(|field| is_tree(**field)).map(|field| field.path(Version::V8_9));
    trees.find(|it| *it == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_records_lead_to_fields() {
        for (name, fields) in [
            ("eventName", &["event.action"][..]),
            ("eventSource", &["event.provider"]),
            ("eventTime", &["@timestamp"]),
            ("eventID", &["event.id"]),
            ("awsRegion", &["cloud.region"]),
            ("sourceIPAddress", &["source.address", "source.ip"]),
            ("userAgent", &["user_agent.original"]),
            ("errorCode", &["aws.cloudtrail.error_code"]),
            ("recipientAccountId", &["aws.cloudtrail.recipient_account_id", "cloud.account.id"]),
            ("userIdentity.type", &["aws.cloudtrail.user_identity.type"]),
            ("userIdentity.arn", &["aws.cloudtrail.user_identity.arn"]),
            ("userIdentity.accountId", &["cloud.account.id"]),
            ("userIdentity.userName", &["user.name"]),
            ("userIdentity.principalId", &["user.id"]),
            ("userIdentity.sessionContext.sessionIssuer.userName", &["user.name"]),
            (
                "userIdentity.sessionContext.attributes.mfaAuthenticated",
                &["aws.cloudtrail.user_identity.session_context.mfa_authenticated"],
            ),
            (
                "requestParameters",
                &["aws.cloudtrail.request_parameters", "aws.cloudtrail.flattened.request_parameters"],
            ),
            ("requestParameters.instanceId", &["aws.cloudtrail.flattened.request_parameters.instanceId"]),
            ("aws.cloudtrail.request_parameters.a.b", &["aws.cloudtrail.flattened.request_parameters.a.b"]),
            ("responseElements.x", &["aws.cloudtrail.flattened.response_elements.x"]),
            ("resources.ARN", &["aws.cloudtrail.resources.arn"]),
            ("tlsDetails.cipherSuite", &["tls.cipher"]),
            ("nothingOfThat", &[]),
        ] {
            assert_eq!(vocabulary().fields_named(name), fields, "{name}");
        }
    }

    /// Whatever a record has that is read for a field of its own.
    #[test]
    fn what_is_read_leads_somewhere() {
        let led: BTreeSet<&str> = vocabulary().names.iter().map(|own| own.name.as_str()).collect();
        let nowhere: Vec<&str> = DEEPER.into_iter().filter(|name| !led.contains(name)).collect();
        // It is only among `related.ip`.
        assert_eq!(nowhere, ["serviceEventDetails.sourceIpAddress"]);
        assert!(led.len() > 60, "{led:?}");
    }

    #[test]
    fn what_events_can_hold() {
        let source = vocabulary();
        for path in [
            "event.action",
            "aws.cloudtrail.resources.arn",
            "aws.cloudtrail.flattened.request_parameters.a.b",
            "agent.name",
            "aws.cloudtrail.request_parameters.text",
            "file.hash.sha256",
        ] {
            assert!(source.has(path), "{path}");
        }
        for path in [
            "process.name",
            "host.name",
            "event.reason",
            "user.full_name",
            "aws.cloudtrail.user_identity.name",
        ] {
            assert!(!source.has(path), "{path}");
        }
        assert!(
            source.looks_up("source.geo.country_iso_code") && source.looks_up("source.as.organization.name")
        );
        assert!(!source.looks_up("source.ip"));
        assert_eq!(source.values("cloud.provider"), &Values::Only(vec!["aws".to_owned()]));
        assert_eq!(source.values("event.dataset"), &Values::Only(vec!["aws.cloudtrail".to_owned()]));
        let Values::Known(calls) = source.values("event.action") else { panic!("calls are known") };
        assert!(
            calls.iter().any(|it| it == "GetPasswordData") && calls.iter().all(|it| !it.contains(['*', '~']))
        );
    }
}
