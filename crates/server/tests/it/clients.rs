//! Clients that others wrote, as they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::setup::{Server, folder, ids, record, wait};

/// Sends documents with the clients of Elasticsearch and OpenSearch, as a shipper would, and prints what they were told.
const PYTHON: &str = r#"
import json, sys
try:
    import elasticsearch, elasticsearch.helpers, opensearchpy, opensearchpy.helpers
except ImportError as error:
    print("missing", error); sys.exit(0)
url, key, id, secret = sys.argv[1:]
def record(id):
    return {"eventVersion": "1.08", "eventTime": "2026-03-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances", "eventID": id, "eventType": "AwsApiCall"}
def actions(prefix, op):
    for number in range(250):
        yield {"_op_type": op, "_index": "logs-aws.cloudtrail-default", "_source": record(f"{prefix}-{number:03}")}
told = {}
es = elasticsearch.Elasticsearch(url, api_key=key, http_compress=True)
told["version"] = es.info()["version"]["number"]
told["ping"] = es.ping()
told["health"] = es.cluster.health()["status"]
told["bulk"] = elasticsearch.helpers.bulk(es, actions("es", "create"), chunk_size=100)
told["again"] = elasticsearch.helpers.bulk(es, actions("es", "index"), chunk_size=100)
told["one"] = es.index(index="logs-x", document={"@timestamp": "2026-03-01T10:00:00Z", "event": {"action": "x"}}, id="mine")["result"]
try:
    es.create(index="logs-x", document={"@timestamp": "2026-03-01T10:00:00Z", "event": {"action": "x"}}, id="mine")
except elasticsearch.ConflictError as error:
    told["conflict"] = error.error
told["template"] = [bool(es.indices.exists_index_template(name="a")), es.indices.put_index_template(name="a", index_patterns=["a-*"])["acknowledged"]]
try:
    elasticsearch.Elasticsearch(url, api_key=key[:-4] + "AAAA").info()
except elasticsearch.AuthenticationException as error:
    told["refused"] = error.status_code
try:
    es.search(index="x")
except elasticsearch.NotFoundError as error:
    told["search"] = error.status_code
basic = elasticsearch.Elasticsearch(url, basic_auth=(id, secret))
told["basic"] = basic.info()["tagline"]
os = opensearchpy.OpenSearch(url, http_auth=(id, secret), http_compress=True)
told["os_ping"] = os.ping()
told["os_bulk"] = opensearchpy.helpers.bulk(os, actions("os", "index"), chunk_size=60)
told["os_one"] = os.index(index="logs-x", body=record("os-one"))["result"]
errors = opensearchpy.helpers.bulk(os, [{"_op_type": "delete", "_index": "a", "_id": "b"}], raise_on_error=False)
told["os_delete"] = [errors[0], errors[1][0]["delete"]["status"]]
print(json.dumps(told))
"#;

#[test]
fn python_clients_send_unchanged() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let made =
        server.ask("POST", "/api/v1/keys", json!({"name": "python", "role": "shipper"}).to_string()).is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let url = format!("http://{}", server.address);
    let run = Command::new("python3")
        .args(["-c", PYTHON, &url, &text("encoded"), &text("id"), &text("secret")])
        .output();
    let Ok(run) = run else { return skipped("python3") };
    let out = String::from_utf8_lossy(&run.stdout);
    if out.starts_with("missing") {
        return skipped("the packages elasticsearch and opensearch-py");
    }
    let told: Value =
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(
        told,
        json!({
            "version": "9.0.0", "ping": true, "health": "green", "bulk": [250, []], "again": [250, []], "one": "created",
            "conflict": "version_conflict_engine_exception", "template": [true, true], "refused": 401, "search": 404,
            "basic": "You Know, for Search", "os_ping": true, "os_bulk": [250, []], "os_one": "created",
            "os_delete": [0, 400],
        })
    );
    assert_eq!(ids(&data).len(), 250 + 250 + 2);
}

/// Does the same with those in JavaScript.
const JAVASCRIPT: &str = r#"
const [url, key, id, secret] = process.argv.slice(-4);
const { Client, errors } = require("@elastic/elasticsearch");
const opensearch = require("@opensearch-project/opensearch");
const record = (id) => ({ eventVersion: "1.08", eventTime: "2026-03-01T10:00:00Z", eventSource: "ec2.amazonaws.com",
  eventName: "RunInstances", eventID: id, eventType: "AwsApiCall" });
const records = (prefix) => Array.from({ length: 250 }, (_, at) => record(`${prefix}-${String(at).padStart(3, "0")}`));
const counts = ({ total, successful, failed, noop }) => [total, successful, failed, noop];
(async () => {
  const told = {};
  const es = new Client({ node: url, auth: { apiKey: key }, compression: true });
  told.version = (await es.info()).version.number;
  told.ping = await es.ping();
  told.health = (await es.cluster.health()).status;
  const bulk = (client, prefix, op) => client.helpers.bulk({
    datasource: records(prefix), flushBytes: 20000,
    onDocument: () => ({ [op]: { _index: "logs-aws.cloudtrail-default" } }),
    onDrop: (it) => { throw new Error(JSON.stringify(it)); },
  });
  told.bulk = counts(await bulk(es, "es", "create"));
  told.again = counts(await bulk(es, "es", "index"));
  const document = { "@timestamp": "2026-03-01T10:00:00Z", event: { action: "x" } };
  told.one = (await es.index({ index: "logs-x", id: "mine", document })).result;
  try { await es.create({ index: "logs-x", id: "mine", document }); } catch (error) { told.conflict = error.meta.statusCode; }
  told.template = [await es.indices.existsIndexTemplate({ name: "a" }), (await es.indices.putIndexTemplate({ name: "a", index_patterns: ["a-*"] })).acknowledged];
  try { await new Client({ node: url, auth: { apiKey: "AAAA" } }).info(); } catch (error) { told.refused = error.meta.statusCode; }
  try { await es.search({ index: "x" }); } catch (error) { told.search = error.meta.statusCode; }
  const os = new opensearch.Client({ node: url, auth: { username: id, password: secret }, compression: "gzip" });
  told.os_ping = (await os.ping()).statusCode;
  told.os_bulk = counts(await bulk(os, "os", "index"));
  told.os_one = (await os.index({ index: "logs-x", body: record("os-one") })).body.result;
  const dropped = [];
  await os.helpers.bulk({ datasource: [{}], onDocument: () => ({ delete: { _index: "a", _id: "b" } }), onDrop: (it) => dropped.push(it.status) });
  told.os_delete = dropped;
  console.log(JSON.stringify(told));
})().catch((error) => { console.error(error); process.exit(1); });
"#;

/// Where `.ci/run` puts packages of JavaScript.
fn node_modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/node/node_modules")
}

#[test]
fn javascript_clients_send_unchanged() {
    if !node_modules().join("@elastic/elasticsearch").exists() {
        return skipped(
            "the packages @elastic/elasticsearch and @opensearch-project/opensearch (`.ci/run` installs them)",
        );
    }
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let made =
        server.ask("POST", "/api/v1/keys", json!({"name": "node", "role": "shipper"}).to_string()).is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let url = format!("http://{}", server.address);
    let run = Command::new("node")
        .env("NODE_PATH", node_modules())
        .args(["-e", JAVASCRIPT, "--", &url, &text("encoded"), &text("id"), &text("secret")])
        .output();
    let Ok(run) = run else { return skipped("node") };
    let out = String::from_utf8_lossy(&run.stdout);
    let told: Value =
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(
        told,
        json!({
            "version": "9.0.0", "ping": true, "health": "green", "bulk": [250, 250, 0, 0], "again": [250, 250, 0, 0],
            "one": "created", "conflict": 409, "template": [true, true], "refused": 401, "search": 404,
            "os_ping": 200, "os_bulk": [250, 250, 0, 0], "os_one": "created", "os_delete": [400],
        })
    );
    assert_eq!(ids(&data).len(), 250 + 250 + 2);
}

/// rsyslog with its output for Elasticsearch, as Debian has it: lines of a file go to an index.
#[test]
#[cfg(unix)]
fn rsyslog_sends_unchanged() {
    let program = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].into_iter().find(|it| Path::new(it).exists());
    let Some(program) = program else { return skipped("rsyslog (the package rsyslog-elasticsearch)") };
    let (folder, data) = folder();
    let folder = folder.path();
    let server = Server::start(&data, "");
    let made =
        server.ask("POST", "/api/v1/keys", json!({"name": "rsyslog", "role": "shipper"}).to_string()).is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let lines: String = (0..200).map(|it| record(&format!("r-{it:03}"), 1).to_string() + "\n").collect();
    std::fs::write(folder.join("trail.ndjson"), lines).unwrap();
    let config = format!(
        r#"global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imfile")
module(load="omelasticsearch")
template(name="record" type="string" string="%msg%\n")
input(type="imfile" file="{folder}/trail.ndjson" tag="trail" ruleset="out")
ruleset(name="out") {{
    action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" uid="{id}" pwd="{secret}" usehttps="off"
        searchIndex="logs-aws.cloudtrail-default" searchType="" esVersion.major="8" template="record" bulkmode="on"
        errorfile="{folder}/errors" action.resumeRetryCount="-1")
}}
"#,
        folder = folder.display(),
        port = server.address.port(),
        id = text("id"),
        secret = text("secret"),
    );
    let path = folder.join("rsyslog.conf");
    std::fs::write(&path, config).unwrap();
    let child = Command::new(program)
        .args(["-n", "-i"])
        .arg(folder.join("pid"))
        .arg("-f")
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return skipped("rsyslog") };
    let expected: Vec<String> = (0..200).map(|it| format!("r-{it:03}")).collect();
    // Without the module it ends by itself, and says so.
    let mut ended = None;
    wait("all is stored, or it has ended", || {
        ended = child.try_wait().unwrap();
        ended.is_some() || ids(&data) == expected
    });
    let _ = child.kill();
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    if said.contains("omelasticsearch") && said.contains("could not load module") {
        return skipped("the package rsyslog-elasticsearch");
    }
    assert!(ended.is_none(), "{said}");
    assert_eq!(ids(&data), expected, "{said}");
    assert!(!folder.join("errors").exists() || std::fs::read(folder.join("errors")).unwrap().is_empty());
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
pub(crate) fn skipped(what: &str) {
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "without {what} no other client is tried");
    eprintln!("SKIPPED: without {what} no other client was tried");
}

/// Does with rules what detection-rules' commands do, by its own client, and prints what it was told.
const DETECTION_RULES: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[1] + "/lib/kibana")
try:
    from kibana import Kibana, RuleResource, Signal
except ImportError as error:
    print("missing", error); sys.exit(0)
url, key = sys.argv[2:]
def rule(id):
    return {"rule_id": id, "name": f"Rule {id}", "description": "d", "severity": "low", "risk_score": 21, "type": "query",
        "language": "kuery", "query": "event.action: GetObject", "index": ["logs-*"], "tags": ["mine"], "author": ["us"], "version": 4,
        "exceptions_list": [{"list_id": "known", "namespace_type": "single", "type": "detection"}]}
exceptions = [
    {"list_id": "known", "type": "detection", "name": "Known", "description": "d", "namespace_type": "single", "tags": [], "meta": None},
    {"list_id": "known", "item_id": None, "type": "simple", "name": "I", "description": "d", "namespace_type": "single", "comments": [], "tags": [],
     "meta": None, "entries": [{"type": "match", "field": "user.name", "operator": "included", "value": "ci"}]},
]
told = {}
with Kibana(kibana_url=url, api_key=key, space="default") as kibana:
    kibana.verify_space("default")
    response, done, rules = RuleResource.import_rules([rule("a"), rule("b")], [exceptions], overwrite=False)
    told["import"] = [response["success"], response["errors"], done, sorted(it["rule_id"] for it in rules), rules[0]["version"]]
    response, done, _ = RuleResource.import_rules([rule("a")], [exceptions], overwrite=False)
    told["again"] = [response["success"], [it["error"]["status_code"] for it in response["errors"]], done]
    response, done, _ = RuleResource.import_rules([rule("a")], [exceptions], overwrite=True, overwrite_exceptions=True)
    told["over"] = [response["success"], done]
    lines = RuleResource.export_rules(["a", "b"], exclude_export_details=False)
    details = lines[-1]
    told["export"] = [len(lines), details["exported_rules_count"], details["exported_exception_list_count"], details["exported_exception_list_item_count"]]
    told["all"] = len(RuleResource.export_rules([]))
    told["found"] = sorted(it["rule_id"] for it in RuleResource.find(per_page=1, filter="alert.attributes.name:Rule"))
    told["custom"] = len(list(RuleResource.find_custom(per_page=50)))
    query = '(alert.attributes.params.ruleSource.type: "internal" or alert.attributes.params.immutable: false) and (alert.attributes.tags: "mine")'
    told["bulk_export"] = len(RuleResource.bulk_export(query=query))
    ids = [it["id"] for it in RuleResource.find(filter="alert.attributes.tags: mine")]
    told["enable"] = RuleResource.bulk_enable(rule_ids=ids)["attributes"]["summary"]["succeeded"]
    told["disable"] = RuleResource.bulk_disable(query="alert.attributes.tags: mine", dry_run=True)["attributes"]["summary"]["succeeded"]
    told["enabled"] = [RuleResource.from_id(it)["enabled"] for it in ids]
    edited = RuleResource.bulk_edit([{"type": "add_tags", "value": ["new"]}], rule_ids=ids)
    told["edit"] = sorted(set(tag for it in edited["attributes"]["results"]["updated"] for tag in it["tags"]))
    told["duplicate"] = RuleResource.bulk_duplicate(rule_ids=ids[:1])["attributes"]["results"]["created"][0]["name"].split(" [")[1]
    told["delete"] = RuleResource.bulk_delete(rule_ids=ids)["attributes"]["summary"]["succeeded"]
    told["legacy"] = [it.get("rule_id") for it in RuleResource.bulk_create_legacy([RuleResource(rule("c")), RuleResource(rule("c"))])]
    told["signals"] = Signal.all()["hits"]["total"]["value"]
    told["closed"] = Signal.close_many(["absent"])["updated"]
print(json.dumps(told))
"#;

#[test]
fn the_client_of_detection_rules_is_answered() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[rules]\nbuiltin = false");
    // Its licence is not ours: it lies where whoever runs the tests has put it.
    let Some(checkout) = std::env::var_os("TRAILWARDEN_DETECTION_RULES") else {
        return not_tried("TRAILWARDEN_DETECTION_RULES, a checkout of detection-rules");
    };
    let url = format!("http://{}", server.address);
    let run = Command::new("python3")
        .args(["-c", DETECTION_RULES])
        .arg(checkout)
        .args([url, server.key("engineer")])
        .env("DR_USER_AGENT_DISABLED", "1")
        .output();
    let Ok(run) = run else { return not_tried("python3") };
    let out = String::from_utf8_lossy(&run.stdout);
    if out.starts_with("missing") {
        return not_tried("the packages that the client of detection-rules needs");
    }
    let told: Value =
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(
        told,
        json!({
            "import": [true, [], ["a", "b"], ["a", "b"], 4], "again": [false, [409], []], "over": [true, ["a"]],
            "export": [5, 2, 1, 1], "all": 2, "found": ["a", "b"], "custom": 2, "bulk_export": 5, "enable": 2, "disable": 2,
            "enabled": [true, true], "edit": ["mine", "new"], "duplicate": "Duplicate]", "delete": 2, "legacy": ["c", "c"],
            "signals": 0, "closed": 0,
        })
    );
}

/// Nobody has it unless he fetches it: not even where the tests must run.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
fn not_tried(what: &str) {
    eprintln!("SKIPPED: without {what} the client of detection-rules was not tried");
}
