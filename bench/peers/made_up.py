"""The made-up rules as CloudTrail's own fields, as SQL conditions and as Sigma."""

import json
from pathlib import Path

# Where an ECS field stands in a record. `user.name` has several places; this is the most frequent one.
FIELDS = {
    "event.provider": "eventSource",
    "event.action": "eventName",
    "user.name": "userIdentity.userName",
    "aws.cloudtrail.user_identity.arn": "userIdentity.arn",
    "aws.cloudtrail.user_identity.type": "userIdentity.type",
    "aws.cloudtrail.request_parameters": "requestParameters",
    "aws.cloudtrail.error_code": "errorCode",
    "user_agent.original": "userAgent",
    "source.ip": "sourceIPAddress",
}


def is_made_up(folder):
    """Whether these are made-up rules, not a folder of others."""
    return (Path(folder).parent / "rules.json").exists()


def load(folder):
    """The rules in rules.json, beside the folder of rule files."""
    return json.loads((Path(folder).parent / "rules.json").read_text())


def sql(rule, column):
    """The condition of a rule; `column` gives the expression of a field."""
    clauses = []
    for clause in rule["clauses"]:
        field = column(FIELDS[clause["field"]])
        value = clause["value"].replace("'", "''")
        if clause["test"] != "is" and any(sign in value for sign in "%_\\"):
            raise ValueError(f"{value} would need an escape, which each engine writes differently")
        test = {
            "is": f"{field} = '{value}'",
            "begins": f"{field} LIKE '{value}%'",
            "contains": f"{field} LIKE '%{value}%'",
        }[clause["test"]]
        clauses.append(f"NOT coalesce({test}, false)" if clause["not"] else test)
    return " AND ".join(clauses)


def sigma(rule):
    """The rule as YAML."""
    wanted, unwanted = [], []
    for clause in rule["clauses"]:
        modifier = {"is": "", "begins": "|startswith", "contains": "|contains"}[clause["test"]]
        line = f"        {FIELDS[clause['field']]}{modifier}: {json.dumps(clause['value'])}"
        (unwanted if clause["not"] else wanted).append(line)
    condition = "selection and not filter" if unwanted else "selection"
    lines = [
        f"title: Made-up rule {rule['number']}",
        f"id: 00000000-0000-4000-8000-{rule['number']:012}",
        "logsource:",
        "    product: aws",
        "    service: cloudtrail",
        "detection:",
        "    selection:",
        *wanted,
        *(["    filter:", *unwanted] if unwanted else []),
        f"    condition: {condition}",
        "level: low",
    ]
    return "\n".join(lines) + "\n"


def query_dsl(rule):
    """The rule as Query DSL over ECS documents whose strings are keywords."""
    must, must_not = [], []
    for clause in rule["clauses"]:
        field, value = clause["field"], clause["value"]
        query = {
            "is": {"term": {field: value}},
            "begins": {"prefix": {field: value}},
            "contains": {"wildcard": {field: f"*{value}*"}},
        }[clause["test"]]
        (must_not if clause["not"] else must).append(query)
    return {"bool": {"filter": must, "must_not": must_not}}
