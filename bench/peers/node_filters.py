"""Counts what every rule matches, with Elasticsearch or OpenSearch.

`node_filters.py index URL` reads ECS documents (one a line) from standard input into an index that is made anew;
`node_filters.py search URL RULES` counts. Both print documents, matches, and in seconds what it took and what processor
time the node took.
"""

import json
import sys
import time
import urllib.error
import urllib.request

import made_up

INDEX = "trailwarden-peers"
BULK_LINES = 5_000


def call(url, method, path, body, kind="application/json"):
    request = urllib.request.Request(
        f"{url}/{path}", data=body.encode(), method=method, headers={"Content-Type": kind}
    )
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        # What was wrong stands in the body, which Python would not show.
        error.add_note(error.read().decode(errors="replace"))
        raise


def processor_seconds(url):
    """The processor time that the node has taken since it was started."""
    # A node looks at its clock once a second at most.
    time.sleep(1.1)
    nodes = call(url, "GET", "_nodes/stats/process", "")["nodes"].values()
    return sum(it["process"]["cpu"]["total_in_millis"] for it in nodes) / 1000


def index(url):
    before, started = processor_seconds(url), time.monotonic()
    try:
        call(url, "DELETE", INDEX, "")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
    properties = {
        field: {"type": "ip"} if field == "source.ip" else {"type": "keyword"} for field in made_up.FIELDS
    }
    mapping = {"dynamic": False, "properties": properties}
    settings = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
    call(url, "PUT", INDEX, json.dumps({"mappings": mapping, "settings": settings}))
    lines, documents = [], 0
    for line in sys.stdin:
        lines += ['{"index":{}}', line.rstrip("\n")]
        documents += 1
        if documents % BULK_LINES == 0:
            send(url, lines)
    send(url, lines)
    call(url, "POST", f"{INDEX}/_refresh", "")
    call(url, "POST", f"{INDEX}/_forcemerge?max_num_segments=1", "")
    wall = time.monotonic() - started
    print(documents, 0, round(wall, 3), round(processor_seconds(url) - before, 2))


def send(url, lines):
    if lines:
        answer = call(url, "POST", f"{INDEX}/_bulk", "\n".join(lines) + "\n", "application/x-ndjson")
        if answer["errors"]:
            sys.exit("the node refused some documents")
        lines.clear()


def search(url, rules):
    lines = []
    for rule in rules:
        body = {"size": 0, "track_total_hits": True, "query": made_up.query_dsl(rule)}
        # Without this a node answers the second time from its cache of answers.
        lines += ['{"request_cache": false}', json.dumps(body)]
    before, started = processor_seconds(url), time.monotonic()
    answer = call(url, "POST", f"{INDEX}/_msearch", "\n".join(lines) + "\n", "application/x-ndjson")
    wall = time.monotonic() - started
    cpu = processor_seconds(url) - before
    counts = []
    for rule, it in zip(rules, answer["responses"], strict=True):
        if "hits" not in it:
            sys.exit(f"the node refused rule {rule['number']}: {json.dumps(it)}")
        counts.append(it["hits"]["total"]["value"])
    documents = call(url, "POST", f"{INDEX}/_count", "{}")["count"]
    print(documents, sum(counts), round(wall, 3), round(cpu, 2))


if sys.argv[1] == "index":
    index(sys.argv[2])
else:
    search(sys.argv[2], made_up.load(sys.argv[3]))
