"""Counts what every rule matches, with chdb: chdb_filters.py DATA RULES THREADS."""

import sys

import chdb
import made_up

COLUMNS = (
    "eventSource String, eventName String, errorCode String, userAgent String, sourceIPAddress String, "
    "requestParameters String, userIdentity Tuple(type String, arn String, userName String)"
)
SETTINGS = (
    "input_format_skip_unknown_fields = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1, "
    "input_format_json_read_objects_as_strings = 1, input_format_null_as_default = 1, "
    "input_format_json_defaults_for_missing_elements_in_named_tuple = 1"
)

data, rules, threads = sys.argv[1], made_up.load(sys.argv[2]), int(sys.argv[3])
conditions = (made_up.sql(rule, lambda path: path) for rule in rules)
counts = ", ".join(f"countIf({condition})" for condition in conditions)
result = chdb.query(
    f"SELECT count(), {counts} FROM file('{data}/*.ndjson.gz', 'JSONEachRow', '{COLUMNS}') "
    f"SETTINGS {SETTINGS}, max_threads = {threads}",
    "TSV",
)
numbers = [int(text) for text in str(result).split()]
print(numbers[0], sum(numbers[1:]))
