//! The fields of a rule, in the order of the API form.

use super::{Entry, Form};

/// The types of rules.
pub(crate) const TYPES: &[&str] =
    &["query", "saved_query", "new_terms", "threshold", "eql", "esql", "threat_match", "machine_learning"];

/// At most so many fields make a new term.
pub(crate) const MAX_NEW_TERMS_FIELDS: usize = 3;

/// At most so many fields group suppressed alerts or a threshold.
pub(crate) const MAX_GROUP_BY: usize = 5;

/// No practical limit.
const ANY: usize = usize::MAX;

const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];

/// The types with a query in KQL or Lucene.
const KIBANA_QUERY: &[&str] = &["query", "saved_query", "new_terms", "threshold", "threat_match"];

/// The types that may have filters.
const FILTERED: &[&str] = &["query", "saved_query", "new_terms", "threshold", "threat_match", "eql"];

/// The languages of a type; the first is the default.
pub(crate) fn languages(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "eql" => &["eql"],
        "esql" => &["esql"],
        "machine_learning" => &[],
        _ => &["kuery", "lucene"],
    }
}

/// Whether rules of a type say in `index` what they read.
pub(crate) fn reads_index(type_name: &str) -> bool {
    FILTERED.contains(&type_name)
}

/// The field of that name.
pub(crate) fn field(name: &str) -> Option<&'static Entry> {
    FIELDS.iter().find(|entry| entry.name == name)
}

const TACTIC: &[Entry] = &[
    Entry::new("id", Form::Words, "The id, such as `TA0006`.").required(),
    Entry::new("name", Form::Words, "The name, as ATT&CK has it.").required(),
    Entry::new("reference", Form::Words, "The address of its page.").required(),
];

const TECHNIQUE: &[Entry] = &[
    Entry::new("id", Form::Words, "The id, such as `T1552`.").required(),
    Entry::new("name", Form::Words, "The name, as ATT&CK has it.").required(),
    Entry::new("reference", Form::Words, "The address of its page.").required(),
    Entry::new("subtechnique", Form::Tables { entries: TACTIC, min: 0 }, "Sub-techniques."),
];

const THREAT: &[Entry] = &[
    Entry::new("framework", Form::Words, "`MITRE ATT&CK`.").required(),
    Entry::new("tactic", Form::Table(TACTIC), "The tactic.").required(),
    Entry::new("technique", Form::Tables { entries: TECHNIQUE, min: 0 }, "Techniques of this tactic."),
];

const SEVERITY_MAPPING: &[Entry] = &[
    Entry::new("field", Form::Words, "A field of the event.").required(),
    Entry::new("operator", Form::Choice(&["equals"]), "How it is compared.").required(),
    Entry::new("value", Form::Text, "The value that gives the alert this severity.").required(),
    Entry::new("severity", Form::Choice(SEVERITIES), "The severity of the alert.").required(),
];

const RISK_SCORE_MAPPING: &[Entry] = &[
    Entry::new("field", Form::Words, "The field of the event whose value is the risk score.").required(),
    Entry::new("operator", Form::Choice(&["equals"]), "How it is compared; without effect.").required(),
    Entry::new("value", Form::Text, "Without effect.").required(),
    Entry::new("risk_score", Form::Integer { min: 0, max: 100 }, "Without effect."),
];

const EXCEPTION_LIST: &[Entry] = &[
    Entry::new("id", Form::Words, "The object id of the list.").required(),
    Entry::new("list_id", Form::Words, "The stable id of the list.").required(),
    Entry::new(
        "type",
        Form::Choice(&[
            "detection",
            "rule_default",
            "endpoint",
            "endpoint_trusted_apps",
            "endpoint_trusted_devices",
            "endpoint_events",
            "endpoint_host_isolation_exceptions",
            "endpoint_blocklists",
        ]),
        "What kind of list it is.",
    )
    .required(),
    Entry::new("namespace_type", Form::Choice(&["single", "agnostic"]), "Whether all spaces share it.")
        .required(),
];

const SUPPRESSION_DURATION: &[Entry] = &[
    Entry::new("value", Form::Integer { min: 1, max: i64::MAX }, "How many of the unit.").required(),
    Entry::new("unit", Form::Choice(&["s", "m", "h"]), "Seconds, minutes or hours.").required(),
];

const SUPPRESSION: &[Entry] = &[
    Entry::new(
        "group_by",
        Form::Texts { min: 1, max: MAX_GROUP_BY },
        "Alerts with the same values of these fields are one. Required, except in threshold rules, which have none.",
    ),
    Entry::new("duration", Form::Table(SUPPRESSION_DURATION), "For how long; absent is once an execution."),
    Entry::new(
        "missing_fields_strategy",
        Form::Choice(&["suppress", "doNotSuppress"]),
        "What becomes of events that lack a field.",
    ),
];

const CARDINALITY: &[Entry] = &[
    Entry::new("field", Form::Words, "Of this field.").required(),
    Entry::new("value", Form::Integer { min: 0, max: i64::MAX }, "At least so many distinct values.")
        .required(),
];

const THRESHOLD: &[Entry] = &[
    Entry::new("field", Form::TextOrTexts { max: MAX_GROUP_BY }, "Fields to group by; empty does not group.")
        .required(),
    Entry::new("value", Form::Integer { min: 1, max: i64::MAX }, "At least so many events.").required(),
    Entry::new(
        "cardinality",
        Form::Tables { entries: CARDINALITY, min: 0 },
        "Distinct values of another field.",
    ),
];

const THREAT_ENTRY: &[Entry] = &[
    Entry::new("field", Form::Words, "The event's field.").required(),
    Entry::new("type", Form::Choice(&["mapping"]), "Always `mapping`.").required(),
    Entry::new("value", Form::Words, "The indicator's field.").required(),
    Entry::new("negate", Form::Flag, "The values must differ."),
];

const THREAT_MAPPING: &[Entry] =
    &[Entry::new("entries", Form::Tables { entries: THREAT_ENTRY, min: 1 }, "All of these must hold.")
        .required()];

const RELATED_INTEGRATION: &[Entry] = &[
    Entry::new("package", Form::Words, "The package.").required(),
    Entry::new("version", Form::Words, "A range of versions.").required(),
    Entry::new("integration", Form::Words, "The integration within the package."),
];

const REQUIRED_FIELD: &[Entry] = &[
    Entry::new("name", Form::Words, "The field.").required(),
    Entry::new("type", Form::Words, "Its type.").required(),
    Entry::new("ecs", Form::Flag, "Whether it belongs to ECS."),
];

const INVESTIGATION_FIELDS: &[Entry] =
    &[Entry::new("field_names", Form::Texts { min: 1, max: ANY }, "The fields.").required()];

/// All fields of a rule.
pub(crate) const FIELDS: &[Entry] = &[
    Entry::new("id", Form::Words, "The object id of one installed copy; in alert ids. Given by exports."),
    Entry::new("name", Form::Words, "What the rule is called.").required(),
    Entry::new("tags", Form::Texts { min: 0, max: ANY }, "Words to find it by.").default("[]"),
    Entry::new("interval", Form::Duration, "The time between two executions.").default("\"5m\""),
    Entry::new("enabled", Form::Flag, "Whether it runs.").default("false"),
    Entry::new("revision", Form::Integer { min: 0, max: i64::MAX }, "Counts changes of this copy.")
        .default("0"),
    Entry::new("description", Form::Words, "What an alert of it means.").required(),
    Entry::new(
        "risk_score",
        Form::Integer { min: 0, max: 100 },
        "0 to 100: 21 is low, 47 medium, 73 high, 99 critical.",
    )
    .required(),
    Entry::new("severity", Form::Choice(SEVERITIES), "How bad it is.").required(),
    Entry::new("building_block_type", Form::Text, "`default`: its alerts only feed other rules."),
    Entry::new("namespace", Form::Text, "Without effect."),
    Entry::new("license", Form::Text, "The licence of the rule's text."),
    Entry::new("output_index", Form::Text, "Without effect."),
    Entry::new("timeline_id", Form::Text, "A Timeline template."),
    Entry::new("timeline_title", Form::Text, "Its title."),
    Entry::new("meta", Form::Object, "Anything; flattened into the alert."),
    Entry::new("rule_name_override", Form::Text, "A field of the event whose value names the alert."),
    Entry::new("author", Form::Texts { min: 0, max: ANY }, "Who wrote it.").default("[]"),
    Entry::new("false_positives", Form::Texts { min: 0, max: ANY }, "What is harmless and looks the same.")
        .default("[]"),
    Entry::new("from", Form::DateMath, "Where the time range of an execution begins.").default("\"now-6m\""),
    Entry::new("rule_id", Form::Words, "The stable id of the rule; best a UUID."),
    Entry::new(
        "max_signals",
        Form::Integer { min: 1, max: i64::MAX },
        "At most so many alerts an execution.",
    )
    .default("100"),
    Entry::new(
        "risk_score_mapping",
        Form::Tables { entries: RISK_SCORE_MAPPING, min: 0 },
        "Takes the risk score from the event.",
    )
    .default("[]"),
    Entry::new(
        "severity_mapping",
        Form::Tables { entries: SEVERITY_MAPPING, min: 0 },
        "Takes the severity from the event; the highest that applies.",
    )
    .default("[]"),
    Entry::new("threat", Form::Tables { entries: THREAT, min: 0 }, "What it detects, in ATT&CK.")
        .default("[]"),
    Entry::new("to", Form::DateMath, "Where the time range of an execution ends.").default("\"now\""),
    Entry::new("references", Form::Texts { min: 0, max: ANY }, "Addresses to read more.").default("[]"),
    Entry::new("version", Form::Integer { min: 1, max: i64::MAX }, "Counts changes of the rule's content.")
        .default("1"),
    Entry::new(
        "exceptions_list",
        Form::Tables { entries: EXCEPTION_LIST, min: 0 },
        "Exception lists that apply.",
    )
    .default("[]"),
    Entry::new("immutable", Form::Flag, "Old form of `rule_source`.").default("false"),
    Entry::new("rule_source", Form::Object, "Whether it is somebody else's rule, and changed.")
        .default("{\"type\":\"internal\"}"),
    Entry::new(
        "related_integrations",
        Form::Tables { entries: RELATED_INTEGRATION, min: 0 },
        "Where its events come from.",
    )
    .default("[]"),
    Entry::new(
        "required_fields",
        Form::Tables { entries: REQUIRED_FIELD, min: 0 },
        "Fields that its events need.",
    )
    .default("[]"),
    Entry::new("response_actions", Form::Objects, "What endpoints are asked to do; not done here."),
    Entry::new("setup", Form::Text, "What must be set up for it. Markdown.").default("\"\""),
    Entry::new("note", Form::Text, "The investigation guide. Markdown; made from `[guide]` if absent."),
    Entry::new("investigation_fields", Form::Table(INVESTIGATION_FIELDS), "Fields to show first."),
    Entry::new(
        "timestamp_override",
        Form::Text,
        "The date field that time ranges are about instead of `@timestamp`.",
    ),
    Entry::new(
        "timestamp_override_fallback_disabled",
        Form::Flag,
        "Leave out events that lack the field of `timestamp_override`.",
    ),
    Entry::new("type", Form::Choice(TYPES), "What kind of rule it is.").required(),
    Entry::new("language", Form::Choice(&["kuery", "lucene", "eql", "esql"]), "The language of `query`.")
        .of(&["query", "saved_query", "new_terms", "threshold", "threat_match", "eql", "esql"])
        .required_for(&["eql", "esql"]),
    Entry::new("index", Form::Texts { min: 0, max: ANY }, "Index patterns that it reads.").of(FILTERED),
    Entry::new("data_view_id", Form::Text, "A data view that it reads instead.").of(FILTERED),
    Entry::new("query", Form::Text, "What it looks for.")
        .of(&["query", "saved_query", "new_terms", "threshold", "threat_match", "eql", "esql"])
        .required_for(&["new_terms", "threshold", "threat_match", "eql", "esql"]),
    Entry::new("filters", Form::Objects, "Kibana filters that narrow the query.").of(FILTERED),
    Entry::new("saved_id", Form::Words, "The saved query.").of(KIBANA_QUERY).required_for(&["saved_query"]),
    Entry::new("alert_suppression", Form::Table(SUPPRESSION), "Makes one alert of many alike."),
    Entry::new(
        "new_terms_fields",
        Form::Texts { min: 1, max: MAX_NEW_TERMS_FIELDS },
        "The fields whose values must not have been seen before.",
    )
    .of(&["new_terms"])
    .required(),
    Entry::new("history_window_start", Form::DateMath, "How far back values count as seen.")
        .of(&["new_terms"])
        .required(),
    Entry::new("threshold", Form::Table(THRESHOLD), "How many events make an alert.")
        .of(&["threshold"])
        .required(),
    Entry::new("event_category_override", Form::Text, "The field that an EQL event category is.")
        .of(&["eql"]),
    Entry::new("tiebreaker_field", Form::Text, "Orders events of the same instant.").of(&["eql"]),
    Entry::new("timestamp_field", Form::Text, "Orders the events of a sequence.").of(&["eql"]),
    Entry::new("threat_index", Form::Texts { min: 1, max: ANY }, "Where the indicators are.")
        .of(&["threat_match"])
        .required(),
    Entry::new("threat_query", Form::Text, "Which indicators.").of(&["threat_match"]).required(),
    Entry::new(
        "threat_mapping",
        Form::Tables { entries: THREAT_MAPPING, min: 1 },
        "Which fields must be equal: any group.",
    )
    .of(&["threat_match"])
    .required(),
    Entry::new("threat_language", Form::Choice(&["kuery", "lucene"]), "The language of `threat_query`.")
        .of(&["threat_match"]),
    Entry::new("threat_filters", Form::Objects, "Kibana filters that narrow the indicators.")
        .of(&["threat_match"]),
    Entry::new("threat_indicator_path", Form::Text, "Where an indicator's own fields are.")
        .of(&["threat_match"])
        .default("\"threat.indicator\""),
    Entry::new("concurrent_searches", Form::Integer { min: 1, max: i64::MAX }, "Without effect here.")
        .of(&["threat_match"]),
    Entry::new("items_per_search", Form::Integer { min: 1, max: i64::MAX }, "Without effect here.")
        .of(&["threat_match"]),
    Entry::new("anomaly_threshold", Form::Integer { min: 0, max: 100 }, "The least score of an anomaly.")
        .of(&["machine_learning"])
        .required(),
    Entry::new("machine_learning_job_id", Form::TextOrTexts { max: ANY }, "The anomaly jobs.")
        .of(&["machine_learning"])
        .required(),
    Entry::new("actions", Form::Objects, "Whom to tell: the server does.").default("[]"),
    Entry::new("throttle", Form::Text, "Old form of how often to tell."),
    Entry::new("outcome", Form::Any, "Kibana's bookkeeping."),
    Entry::new("alias_target_id", Form::Any, "Kibana's bookkeeping."),
    Entry::new("alias_purpose", Form::Any, "Kibana's bookkeeping."),
    Entry::new("created_at", Form::Text, "When this copy was made."),
    Entry::new("created_by", Form::Text, "By whom."),
    Entry::new("updated_at", Form::Text, "When this copy was last changed."),
    Entry::new("updated_by", Form::Text, "By whom."),
    Entry::new("execution_summary", Form::Any, "What the last execution did; not read."),
];
