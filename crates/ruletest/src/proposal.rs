//! What a test would have to expect to pass.

use ecs::Object;
use ecs::document::lookup;
use rule::Expected;
use serde_json::{Map, Value};

use crate::draft::block;

/// Alerts that are written out; of more, the number must do.
const WRITTEN: usize = 5;

/// What tells one alert of a test from another.
const TELLING: [&str; 4] = ["event.action", "user.name", "source.ip", "kibana.alert.new_terms"];

/// `alerts`, as it would have to stand in the test: the fields that it names now, else those that tell alerts apart.
pub fn proposal(alerts: &[Object], expected: &Expected) -> String {
    let mut named: Vec<&str> = expected.with.iter().flat_map(|it| it.keys()).map(String::as_str).collect();
    named.dedup();
    let fields = if named.is_empty() { TELLING.to_vec() } else { named };
    let mut wanted = Map::new();
    wanted.insert("exactly".to_owned(), Value::from(alerts.len()));
    if !alerts.is_empty() && alerts.len() <= WRITTEN {
        let entry = |alert: &Object| -> Map<String, Value> {
            fields.iter().filter_map(|&path| Some((path.to_owned(), lookup(alert, path)?.clone()))).collect()
        };
        wanted.insert("with".to_owned(), alerts.iter().map(|it| Value::Object(entry(it))).collect());
    }
    let mut out = "alerts:\n  ".to_owned();
    block(&mut out, &Value::Object(wanted), 2);
    out
}
