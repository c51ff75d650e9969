"""Counts what every rule matches, with Elasticsearch or OpenSearch.

`node_filters.py index URL` reads ECS documents (one a line) from standard input into an index that is made anew;
`node_filters.py search URL RULES` counts.
"""

import json
import sys
import urllib.request

import made_up

INDEX = "trailwarden-peers"
BULK_LINES = 5_000


def call(url, method, path, body, kind="application/json"):
    request = urllib.request.Request(
        f"{url}/{path}", data=body.encode(), method=method, headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def index(url):
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
    print(documents, 0)


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
        lines += ["{}", json.dumps(body)]
    path = f"{INDEX}/_msearch?request_cache=false"
    answer = call(url, "POST", path, "\n".join(lines) + "\n", "application/x-ndjson")
    documents = call(url, "POST", f"{INDEX}/_count", "{}")["count"]
    print(documents, sum(it["hits"]["total"]["value"] for it in answer["responses"]))


if sys.argv[1] == "index":
    index(sys.argv[2])
else:
    search(sys.argv[2], made_up.load(sys.argv[3]))
