//! `JSON_EXTRACT`.

use serde_json::Value;

use super::text::{JsonStep, parse_json_path};
use crate::cells::Text;
use crate::column::Column;
use crate::kernel::{At, Made, map2};
use crate::warnings::Failure;

pub(super) fn extract(json: &Column, path: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, Text, Text>((json, path), at, |json, path| find(json, path))
}

fn find(json: &str, path: &str) -> Made<Text> {
    let fail = |what: String| Failure::Argument(what);
    let steps = parse_json_path(path).ok_or_else(|| fail(format!("Invalid JSON path [{path}]")))?;
    let value: Value = ecs::json::parse(json).map_err(|_| fail("invalid JSON input".to_owned()))?;
    let mut value = &value;
    for step in &steps {
        let next = match (step, value) {
            (JsonStep::Key(key), Value::Object(object)) => object.get(key),
            (JsonStep::Index(index), Value::Array(all)) => match all.get(*index) {
                None => return Err(fail(format!("array index out of bounds [{path}]"))),
                some => some,
            },
            _ => None,
        };
        value = next.ok_or_else(|| fail(format!("path [{path}] does not exist")))?;
    }
    match value {
        Value::Null => Err(Failure::Null),
        Value::String(text) => Ok(text.as_str().into()),
        other => Ok(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let json = r#"{"a": {"b": [1.10, "x", {"c": null}], "d.e": true}}"#;
        let of = |path| find(json, path).map(|it| it.to_string());
        assert_eq!(of("a.b[0]").unwrap(), "1.10");
        assert_eq!(of("$.a.b[1]").unwrap(), "x");
        assert_eq!(of("a['d.e']").unwrap(), "true");
        assert_eq!(of("a.b").unwrap(), r#"[1.10,"x",{"c":null}]"#);
        assert_eq!(of("a.b[2].c"), Err(Failure::Null));
        assert!(of("a.b[9]").is_err() && of("a.x").is_err() && of("a.b[1].c").is_err());
        assert!(find("{", "a").is_err());
    }
}
