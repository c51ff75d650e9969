//! The `OpenAPI` document, made of the routes: what is not in the list is not there, and what is there is documented.

use serde_json::{Map, Value, json};

use super::{Access, Body, Dialect, Kind, Method, Route};

/// The document.
pub(crate) fn document(routes: &[Route], schemas: Value, version: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        for &method in route.methods {
            path[method.as_str().to_ascii_lowercase()] = operation(route, method);
        }
    }
    let codes = |kind: Kind| {
        let (code, status, title, _) = kind.told();
        json!({"const": code, "description": format!("{status}: {title}")})
    };
    let mut schemas = schemas;
    schemas["Problem"] = json!({
        "type": "object",
        "description": "An error (RFC 9457). Its code stays; its words may change.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"oneOf": Kind::ALL.map(codes)},
            "account": {"$ref": "#/components/schemas/Account"},
            "troubles": {"type": "array", "items": {"$ref": "#/components/schemas/Trouble"}},
        },
    });
    schemas["KibanaError"] = json!({
        "type": "object",
        "description": "An error as clients of Kibana take it. `code` is that of `Problem`.",
        "required": ["statusCode", "error", "message", "status_code", "code"],
        "properties": {
            "statusCode": {"type": "integer"},
            "error": {"type": "string"},
            "message": {"type": "string"},
            "status_code": {"type": "integer"},
            "code": {"type": "string"},
        },
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trailwarden",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`ApiKey base64(id:secret)`",
                },
                "basic": {"type": "http", "scheme": "basic", "description": "the id and the secret of a key"},
            },
            "schemas": schemas,
        },
    })
}

fn operation(route: &Route, method: Method) -> Value {
    let words: Vec<&str> =
        route.path.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let mut operation = json!({
        "operationId": format!("{}_{}", method.as_str().to_ascii_lowercase(), words.join("_")),
        "summary": route.doc.summary,
        "tags": [match route.dialect {
            Dialect::Own => "Trailwarden",
            Dialect::Elastic => "Elasticsearch",
            Dialect::Kibana => "Kibana",
        }],
        "responses": responses(route),
    });
    let named = route.path.split(['{', '}']).skip(1).step_by(2);
    let in_path = named.map(|name| {
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
    });
    let in_query = route.doc.params.iter().map(
        |it| json!({"name": it.name, "in": "query", "description": it.help, "schema": {"type": it.kind}}),
    );
    let mut params: Vec<Value> = in_path.chain(in_query).collect();
    if route.dialect == Dialect::Kibana && method.changes() {
        let help = "Anything: pages of others cannot send it.";
        params.push(json!({"name": "kbn-xsrf", "in": "header", "required": true, "description": help,
            "schema": {"type": "string", "minLength": 1}}));
    }
    if !params.is_empty() {
        operation["parameters"] = params.into();
    }
    match (route.body, route.doc.request) {
        (Body::Json, Some(schema)) => {
            let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        (Body::Events, _) => {
            let any = json!({"schema": {"type": "string"}});
            operation["requestBody"] =
                json!({"required": true, "content": {"application/x-ndjson": any, "application/json": {}}});
        }
        (Body::File, _) => {
            let file =
                json!({"type": "object", "required": ["file"], "properties": {"file": {"type": "string"}}});
            operation["requestBody"] =
                json!({"required": true, "content": {"multipart/form-data": {"schema": file}}});
        }
        (Body::Json | Body::None, _) => {}
    }
    match route.access {
        Access::Open => operation["security"] = json!([]),
        Access::AnyKey => operation["x-role"] = json!("any"),
        Access::Role(role) => operation["x-role"] = json!(role.as_str()),
    }
    operation
}

fn responses(route: &Route) -> Value {
    let done = match route.doc.answer {
        Some(schema) => json!({
            "description": "Done.",
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}},
        }),
        None => json!({"description": "Done."}),
    };
    let problem = json!({
        "description": "An error.",
        "content": {
            (if route.dialect == Dialect::Own { "application/problem+json" } else { "application/json" }):
                {"schema": {"$ref": if route.dialect == Dialect::Kibana {
                    "#/components/schemas/KibanaError"
                } else {
                    "#/components/schemas/Problem"
                }}},
        },
    });
    json!({"2XX": done, "4XX": problem, "5XX": problem})
}
