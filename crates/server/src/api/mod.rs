//! What the server answers: the list of routes, and what is behind them.

mod alert_schema;
mod alerts;
mod config;
mod detection;
mod elastic;
mod events;
mod exception;
mod health;
mod incidents;
mod investigation;
mod keys;
mod kibana;
mod letters;
mod notifications;
mod otlp;
mod schema;
mod search;
mod shelf;
mod silences;
mod sources;

use std::sync::LazyLock;

pub(crate) use health::obstacles;

use crate::http::{
    Access, Answer, Asked, Body, Dialect, Doc, Handler, Method, Param, Problem, Route, document,
};
use crate::keys::Role;

const NO_PARAMS: &[Param] = &[];

const fn route(
    methods: &'static [Method],
    path: &'static str,
    access: Access,
    body: Body,
    handler: Handler,
    summary: &'static str,
) -> Route {
    let doc = Doc { summary, params: NO_PARAMS, request: None, answer: None };
    Route { methods, path, access, body, handler, doc, dialect: Dialect::Own }
}

impl Route {
    const fn answers(mut self, schema: &'static str) -> Self {
        self.doc.answer = Some(schema);
        self
    }

    const fn takes(mut self, schema: &'static str) -> Self {
        self.doc.request = Some(schema);
        self
    }

    const fn asks(mut self, params: &'static [Param]) -> Self {
        self.doc.params = params;
        self
    }

    const fn elastic(mut self) -> Self {
        self.dialect = Dialect::Elastic;
        self
    }

    const fn kibana(mut self) -> Self {
        self.dialect = Dialect::Kibana;
        self
    }
}

const GET: &[Method] = &[Method::Get];
const POST: &[Method] = &[Method::Post];
const DELETE: &[Method] = &[Method::Delete];
const GET_HEAD: &[Method] = &[Method::Get, Method::Head];
const GET_HEAD_PUT: &[Method] = &[Method::Get, Method::Head, Method::Put];
const POST_PUT: &[Method] = &[Method::Post, Method::Put];

const PATCH: &[Method] = &[Method::Patch];

const fn param(name: &'static str, kind: &'static str, help: &'static str) -> Param {
    Param { name, kind, help }
}

const QUERY: Param = param("query", "string", "KQL over the alerts' fields.");
const STATUS: Param = param("status", "string", "open, acknowledged or closed.");
const SINCE: Param = param("since", "string", "The first time: a date, or date math such as now-1d.");
const UNTIL: Param = param("until", "string", "The first time that is not wanted any more.");
const SILENCED: Param =
    param("silenced", "string", "Alerts that were raised in a silence: no (the default), yes or only.");
const INCIDENT: Param = param("incident", "integer", "Only alerts of this incident.");
const FROM: Param = param("from", "integer", "So many are left out.");
const SIZE: Param = param("size", "integer", "So many are given: 50, up to 1000.");
const LIST: &[Param] = &[
    QUERY,
    STATUS,
    SINCE,
    UNTIL,
    SILENCED,
    INCIDENT,
    param("sort", "string", "newest (the default), oldest or severity."),
    FROM,
    SIZE,
];
const FACETS: &[Param] = &[
    QUERY,
    STATUS,
    SINCE,
    UNTIL,
    SILENCED,
    INCIDENT,
    param(
        "fields",
        "string",
        "The fields, between commas: severity, status, rule, assignees and tags by default.",
    ),
    param("values", "integer", "So many values of each: 10, up to 1000."),
];
const HISTOGRAM: &[Param] = &[
    QUERY,
    STATUS,
    SINCE,
    UNTIL,
    SILENCED,
    INCIDENT,
    param(
        "interval",
        "string",
        "The length of a bucket, such as 1h; by default one that makes up to 100 of them.",
    ),
];
const RANGE: &[Param] = &[SINCE, UNTIL];
const FEED: &[Param] = &[
    param(
        "after",
        "integer",
        "The `next` of the answer before; without it there are no alerts, and `next` is where to begin.",
    ),
    param("size", "integer", "So many are given: 100, up to 1000."),
];
const LOG: &[Param] = &[
    SINCE,
    UNTIL,
    param("author", "string", "Only what this author did."),
    param(
        "subject",
        "string",
        "Only what was done to this: `alert ID`, `silence 3`, or the first word alone.",
    ),
    param("size", "integer", "So many are given: 100, up to 1000."),
];
const ACTIVE: &[Param] = &[param("active", "boolean", "Only silences that are in force.")];
const DRY_RUN: &[Param] = &[param(
    "dry_run",
    "boolean",
    "Make nothing: say what of the alerts of 30 days it would have been about.",
)];
const TRY_EXCEPTION: &[Param] =
    &[param("dry_run", "boolean", "Make nothing: say what of the alerts of 30 days it would have hidden.")];
const INCIDENTS: &[Param] = &[STATUS, FROM, SIZE];
const PAGE: &[Param] = &[
    param("from", "integer", "So many are left out."),
    param("size", "integer", "So many are given: 50, up to 1000."),
];
const RULE: &[Param] = &[param("rule", "string", "The rule_id of a rule.")];
const RULE_SIZE: &[Param] = &[RULE[0], param("size", "integer", "So many are given: 100, up to 10000.")];
const MESSAGES: &[Param] = &[
    param("state", "string", "dead (the default), waiting or sent."),
    param("receiver", "string", "The name of a receiver."),
    param("size", "integer", "So many are given: 50, up to 1000."),
];
const FORMAT: &[Param] =
    &[param("format", "string", "json (the default), or a form for people: md; text, html; sh.")];

const ANALYST: Access = Access::Role(Role::Analyst);
const VIEWER: Access = Access::Role(Role::Viewer);
const ENGINEER: Access = Access::Role(Role::Engineer);
const ADMIN: Access = Access::Role(Role::Admin);
const SHIPPER: Access = Access::Role(Role::Shipper);

/// Everything that can be asked.
pub(crate) static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| [OWN, kibana::ROUTES].concat());

/// What we ask, and shippers.
const OWN: &[Route] = &[
    route(GET, "/livez", Access::Open, Body::None, health::live, "Whether the process lives."),
    route(GET, "/readyz", VIEWER, Body::None, health::ready, "Whether events can be stored and detection keeps up.").answers("Ready"),
    route(GET, "/metrics", VIEWER, Body::None, health::metrics, "Metrics, as Prometheus reads them."),
    route(GET, "/api/v1/openapi.json", Access::AnyKey, Body::None, openapi, "This document."),
    route(POST, "/api/v1/events", SHIPPER, Body::Events, events::post, "Takes events: NDJSON, JSON, gzip, archives, whatever `hunt` reads. Answers when they are on the disk.").answers("Stored"),
    route(POST, "/v1/logs", SHIPPER, Body::Events, otlp::logs, "Takes logs of OpenTelemetry (OTLP over HTTP, Protocol Buffers or JSON) whose bodies are records of CloudTrail or ECS documents."),
    route(GET, "/api/v1/sources", VIEWER, Body::None, sources::list, "The sources, and what became of what they delivered.").answers("Sources"),
    route(GET, "/api/v1/sources/{name}/dead-letters", VIEWER, Body::None, letters::list, "What could not be read of a source, the newest first, and what became of the rest.").asks(PAGE).answers("DeadLetters"),
    route(POST, "/api/v1/sources/{name}/dead-letters/replay", ENGINEER, Body::None, letters::replay_all, "Reads dead letters of a source once more: up to 100, those that were tried least often.").answers("ReplayedSeveral"),
    route(GET, "/api/v1/sources/{name}/dead-letters/{id}/contents", ENGINEER, Body::None, letters::contents, "What a dead letter holds, as it came."),
    route(POST, "/api/v1/sources/{name}/dead-letters/{id}/replay", ENGINEER, Body::None, letters::replay, "Reads a dead letter once more, after the cause was mended.").answers("Replayed"),
    route(DELETE, "/api/v1/sources/{name}/dead-letters/{id}", ENGINEER, Body::None, letters::discard, "Throws a dead letter away."),
    route(GET, "/api/v1/alerts", VIEWER, Body::None, alerts::list, "Alerts, the newest first.").asks(LIST).answers("Alerts"),
    route(POST, "/api/v1/alerts/changes", ANALYST, Body::Json, alerts::change_several, "Changes several alerts alike: all, or none.").takes("AlertChanges").answers("Changed"),
    route(GET, "/api/v1/alerts/facets", VIEWER, Body::None, search::facets, "How often fields of alerts have which values.").asks(FACETS).answers("Facets"),
    route(GET, "/api/v1/alerts/histogram", VIEWER, Body::None, search::histogram, "Alerts over time, by severity.").asks(HISTOGRAM).answers("Histogram"),
    route(GET, "/api/v1/alerts/quality", VIEWER, Body::None, search::quality, "What became of the alerts of each rule, and how many of those that were judged were false.").asks(RANGE).answers("Quality"),
    route(GET, "/api/v1/alerts/feed", VIEWER, Body::None, search::feed, "Alerts in the order in which they were raised, silenced ones too: for whoever follows.").asks(FEED).answers("Feed"),
    route(GET, "/api/v1/alerts/{id}", VIEWER, Body::None, alerts::show, "An alert, by its id or the beginning of it.").answers("Alert"),
    route(PATCH, "/api/v1/alerts/{id}", ANALYST, Body::Json, alerts::change, "Changes an alert: its status, assignees, tags, or a note.").takes("AlertChange").answers("Changed"),
    route(GET, "/api/v1/alerts/{id}/history", VIEWER, Body::None, alerts::history, "Who did what with an alert.").answers("History"),
    route(GET, "/api/v1/alerts/{id}/investigation", VIEWER, Body::None, investigation::investigation, "The guide of an alert, done over the stored events.").asks(FORMAT),
    route(GET, "/api/v1/alerts/{id}/response", VIEWER, Body::None, investigation::response, "The plan of response to an alert. Runs nothing.").asks(FORMAT),
    route(GET, "/api/v1/alerts/{id}/exception", VIEWER, Body::None, exception::propose, "The exception that would have silenced exactly this alert, and what else it would have hidden. Makes nothing.").answers("ProposedException"),
    route(POST, "/api/v1/alerts/{id}/exception", ANALYST, Body::Json, exception::make, "Excepts from the alert's rule what is proposed, or what is given; closes the alerts that it would have hidden, if that is wanted.").asks(TRY_EXCEPTION).takes("NewException"),
    route(GET, "/api/v1/silences", VIEWER, Body::None, silences::list, "Silences, the newest first.").asks(ACTIVE).answers("Silences"),
    route(POST, "/api/v1/silences", ANALYST, Body::Json, silences::make, "Makes a silence: alerts that it is about are raised and kept, and nobody hears of them.").asks(DRY_RUN).takes("NewSilence"),
    route(DELETE, "/api/v1/silences/{id}", ANALYST, Body::None, silences::end, "Ends a silence. It stays in the list.").answers("Silence"),
    route(GET, "/api/v1/incidents", VIEWER, Body::None, incidents::list, "Incidents, those with the newest events first.").asks(INCIDENTS).answers("Incidents"),
    route(GET, "/api/v1/incidents/{id}", VIEWER, Body::None, incidents::show, "An incident, its alerts, and what was done with it.").answers("Incident"),
    route(PATCH, "/api/v1/incidents/{id}", ANALYST, Body::Json, incidents::change, "Changes an incident and all its alerts alike, or none of them.").takes("AlertChange").answers("Incident"),
    route(GET, "/api/v1/log", VIEWER, Body::None, search::log, "Who did what with alerts, silences and incidents, the newest first.").asks(LOG).answers("Log"),
    route(GET, "/api/v1/rules", VIEWER, Body::None, detection::rules, "The rules, how far they are, and those that cannot run.").answers("Rules"),
    route(POST, "/api/v1/rules", ENGINEER, Body::Json, detection::make_rule, "Makes a rule, as Kibana's JSON has it.").takes("Rule").answers("Rule"),
    route(PATCH, "/api/v1/rules/{id}", ENGINEER, Body::Json, detection::change_rule, "Changes fields of a rule, such as `enabled`.").takes("Rule").answers("Rule"),
    route(POST, "/api/v1/rules/{id}/executions", ENGINEER, Body::Json, detection::execute_rule, "Executes the slots of a rule in a range once more.").takes("ExecutionRange").answers("Executed"),
    route(GET, "/api/v1/executions", VIEWER, Body::None, detection::executions, "Executions, the newest first.").asks(RULE_SIZE).answers("Executions"),
    route(GET, "/api/v1/gaps", VIEWER, Body::None, detection::gaps, "What was not executed, or not over everything.").asks(RULE).answers("Gaps"),
    route(POST, "/api/v1/config/reload", ADMIN, Body::None, config::reload, "Reads the configuration again, as SIGHUP does.").answers("Reloaded"),
    route(GET, "/api/v1/notifications", VIEWER, Body::None, notifications::list, "Who is told, what waits, and what is not well.").answers("Notifications"),
    route(GET, "/api/v1/notifications/messages", VIEWER, Body::None, notifications::messages, "Messages that could not be delivered, wait, or were sent.").asks(MESSAGES).answers("Messages"),
    route(POST, "/api/v1/notifications/retry", ENGINEER, Body::Json, notifications::retry, "Sends again what could not be delivered: all of it, or what is named.").takes("Retry").answers("Again"),
    route(POST, "/api/v1/notifications/test", ENGINEER, Body::Json, notifications::test, "Sends a test to a receiver, and says what it answered.").takes("ReceiverTest").answers("ReceiverTested"),
    route(GET, "/api/v1/keys", ADMIN, Body::None, keys::list, "All keys, without their secrets.").answers("Keys"),
    route(POST, "/api/v1/keys", ADMIN, Body::Json, keys::make, "Makes a key. Its secret is told once.").takes("KeyRequest").answers("NewKey"),
    route(DELETE, "/api/v1/keys/{id}", ADMIN, Body::None, keys::revoke, "Revokes a key."),
    route(GET_HEAD, "/", Access::AnyKey, Body::None, elastic::root, "What this is.").elastic(),
    route(POST_PUT, "/_bulk", SHIPPER, Body::Events, elastic::bulk, "Takes documents; answers each of them.").answers("Bulk").elastic(),
    route(POST_PUT, "/{index}/_bulk", SHIPPER, Body::Events, elastic::bulk, "Takes documents of an index; answers each of them.").answers("Bulk").elastic(),
    route(POST, "/{index}/_doc", SHIPPER, Body::Events, elastic::document, "Takes a document.").elastic(),
    route(POST_PUT, "/{index}/_doc/{id}", SHIPPER, Body::Events, elastic::document, "Takes a document with an id.").elastic(),
    route(POST_PUT, "/{index}/_create/{id}", SHIPPER, Body::Events, elastic::create, "Takes a document with an id that is new.").elastic(),
    route(GET_HEAD, "/_license", Access::AnyKey, Body::None, elastic::license, "The licence that shippers ask for.").elastic(),
    route(GET_HEAD, "/_xpack", Access::AnyKey, Body::None, elastic::xpack, "The features that shippers ask for.").elastic(),
    route(GET_HEAD, "/_cluster/health", Access::AnyKey, Body::None, elastic::cluster_health, "Whether events can be stored.").elastic(),
    route(GET_HEAD_PUT, "/_index_template/{name}", SHIPPER, Body::Json, elastic::template, "Templates are there already: events are mapped by ECS.").elastic(),
    route(GET_HEAD_PUT, "/_component_template/{name}", SHIPPER, Body::Json, elastic::template, "Templates are there already: events are mapped by ECS.").elastic(),
    route(GET_HEAD_PUT, "/_template/{name}", SHIPPER, Body::Json, elastic::template, "Templates are there already: events are mapped by ECS.").elastic(),
    route(GET_HEAD_PUT, "/_ilm/policy/{name}", SHIPPER, Body::Json, elastic::named, "Policies are taken for granted: the store keeps what it is told to.").elastic(),
    route(GET_HEAD_PUT, "/_ingest/pipeline/{name}", SHIPPER, Body::Json, elastic::named, "Pipelines are taken for granted: records are normalised here.").elastic(),
    route(GET_HEAD_PUT, "/_data_stream/{name}", SHIPPER, Body::Json, elastic::data_stream, "Data streams are there already.").elastic(),
    route(GET_HEAD_PUT, "/{index}", SHIPPER, Body::Json, elastic::index, "Indices are there already.").elastic(),
];

fn openapi(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    Ok(Answer::json(&document(&ROUTES, schema::schemas(), asked.app.version)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every schema that a route names is there, and no route hides another.
    #[test]
    fn the_document_is_whole() {
        let document = document(&ROUTES, schema::schemas(), "0");
        let text = document.to_string();
        let named: BTreeSet<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|it| it.split('"').next()).collect();
        assert!(named.len() > 8, "{named:?}");
        for name in named {
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
        let mut ids = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id}");
                let filled = path.replace("{index}", "logs").replace('{', "x").replace('}', "");
                let method = Method::from_name(&method.to_uppercase());
                let found = crate::http::find(&ROUTES, method, &filled);
                assert!(matches!(found, crate::http::Found::Route(it, _) if it.path == path), "{path}");
            }
        }
    }
}
