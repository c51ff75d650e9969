"""Counts what every rule matches, with DuckDB: duckdb_filters.py DATA RULES THREADS."""

import sys

import duckdb
import made_up

RECORD = (
    'STRUCT("eventSource" VARCHAR, "eventName" VARCHAR, "errorCode" VARCHAR, "userAgent" VARCHAR, '
    '"sourceIPAddress" VARCHAR, "requestParameters" JSON, '
    '"userIdentity" STRUCT("type" VARCHAR, "arn" VARCHAR, "userName" VARCHAR))'
)

data, rules, threads = sys.argv[1], made_up.load(sys.argv[2]), int(sys.argv[3])


def column(path):
    parts = ".".join(f'"{part}"' for part in path.split("."))
    return f"CAST(r.{parts} AS VARCHAR)" if path == "requestParameters" else f"r.{parts}"


conditions = [made_up.sql(rule, column) for rule in rules]
counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
row = connection.execute(
    f"SELECT count(*), {counts} FROM (SELECT unnest(\"Records\") AS r FROM "
    f"read_json('{data}/**/*.json.gz', columns = {{'Records': '{RECORD}[]'}}, format = 'newline_delimited', "
    "maximum_object_size = 67108864))"
).fetchone()
print(row[0], sum(row[1:]))
