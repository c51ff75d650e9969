"""Counts what every rule matches, with DuckDB: duckdb_filters.py DATA RULES THREADS."""

import sys

import duckdb
import made_up

COLUMNS = {
    **dict.fromkeys(["eventSource", "eventName", "errorCode", "userAgent", "sourceIPAddress"], "VARCHAR"),
    "requestParameters": "JSON",
    "userIdentity": 'STRUCT("type" VARCHAR, "arn" VARCHAR, "userName" VARCHAR)',
}

data, rules, threads = sys.argv[1], made_up.load(sys.argv[2]), int(sys.argv[3])


def column(path):
    parts = ".".join(f'"{part}"' for part in path.split("."))
    return f"CAST({parts} AS VARCHAR)" if path == "requestParameters" else parts


conditions = [made_up.sql(rule, column) for rule in rules]
counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
row = connection.execute(
    f"SELECT count(*), {counts} FROM read_json('{data}/*.ndjson.gz', columns = {COLUMNS}, "
    "format = 'newline_delimited')"
).fetchone()
print(row[0], sum(row[1:]))
