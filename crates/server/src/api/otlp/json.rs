//! Logs of OpenTelemetry as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::{Body, Log};

/// The logs of a request, or what is wrong with it.
pub(super) fn logs(request: &Value) -> Result<Vec<Log>, String> {
    let mut logs = Vec::new();
    let members = request.as_object().ok_or("the request is no object")?;
    for resource in list(members.get("resourceLogs"), "resourceLogs")? {
        let attributes_of_resource = attributes(resource.get("resource"))?;
        for scope in list(resource.get("scopeLogs"), "scopeLogs")? {
            let attributes_of_scope = attributes(scope.get("scope"))?;
            for record in list(scope.get("logRecords"), "logRecords")? {
                let own = attributes(Some(record))?;
                let body = record.get("body").map_or(Ok(Body::Nothing), any)?;
                logs.push(Log::new(body, [&own, &attributes_of_scope, &attributes_of_resource]));
            }
        }
    }
    Ok(logs)
}

fn list<'a>(value: Option<&'a Value>, name: &str) -> Result<&'a [Value], String> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(all)) => Ok(all),
        Some(_) => Err(format!("`{name}` is no list")),
    }
}

fn attributes(of: Option<&Value>) -> Result<Map<String, Value>, String> {
    pairs(of.and_then(|it| it.get("attributes")), "attributes")
}

fn pairs(value: Option<&Value>, name: &str) -> Result<Map<String, Value>, String> {
    let mut all = Map::new();
    for it in list(value, name)? {
        let key = it
            .get("key")
            .and_then(Value::as_str)
            .ok_or_else(|| format!("`{name}` has an entry without a `key`"))?;
        let value = it.get("value").map_or(Ok(Value::Null), |it| any(it).map(Body::into_value))?;
        all.insert(key.to_owned(), value);
    }
    Ok(all)
}

/// A value of any kind. The text of the request bounds how deep it nests.
fn any(value: &Value) -> Result<Body, String> {
    let Value::Object(members) = value else {
        return if value.is_null() { Ok(Body::Nothing) } else { Err("a value is no object".to_owned()) };
    };
    let Some((kind, it)) = members.iter().find(|it| !it.1.is_null()) else { return Ok(Body::Nothing) };
    let wrong = || format!("`{kind}` holds something else");
    Ok(match kind.as_str() {
        "stringValue" => Body::Text(it.as_str().ok_or_else(wrong)?.to_owned()),
        "boolValue" => Body::Value(Value::Bool(it.as_bool().ok_or_else(wrong)?)),
        // Large numbers are texts, and small ones may be.
        "intValue" => {
            let number = it.as_str().map_or_else(|| it.as_i64(), |it| it.parse().ok());
            Body::Value(Value::Number(Number::from(number.ok_or_else(wrong)?)))
        }
        "doubleValue" => match it {
            Value::Number(_) => Body::Value(it.clone()),
            // NaN and the infinities have no place in JSON.
            Value::String(_) => Body::Value(Value::Null),
            _ => return Err(wrong()),
        },
        "arrayValue" => {
            let values = list(it.get("values"), "arrayValue")?;
            let values: Result<Vec<Value>, String> =
                values.iter().map(|it| any(it).map(Body::into_value)).collect();
            Body::Value(Value::Array(values?))
        }
        "kvlistValue" => Body::Value(Value::Object(pairs(it.get("values"), "kvlistValue")?)),
        "bytesValue" => {
            let bytes = it.as_str().and_then(|it| STANDARD.decode(it).ok());
            Body::Bytes(bytes.ok_or_else(wrong)?)
        }
        other => return Err(format!("`{other}` is no kind of value")),
    })
}
