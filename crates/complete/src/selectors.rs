//! Event selectors: what a trail records.

use std::collections::BTreeSet;

use ecs::document::list;
use serde_json::Value;

/// What a trail records, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    /// What it leaves out of the management events; nothing if it records all of them.
    pub left_out: Option<String>,
    /// The types of resources whose data events it records.
    pub data: BTreeSet<String>,
}

/// Which half of the management events.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    reads: bool,
    writes: bool,
}

impl Half {
    fn add(&mut self, other: Self) {
        self.reads |= other.reads;
        self.writes |= other.writes;
    }
}

impl Selectors {
    /// Reads basic or advanced selectors, whichever there are.
    pub(crate) fn new(basic: Option<&Value>, advanced: Option<&Value>) -> Option<Self> {
        // What is no selector tells nothing.
        let is_told = |it: &Value| list(Some(it)).iter().all(Value::is_object);
        let (basic, advanced) = (basic.filter(|it| is_told(it)), advanced.filter(|it| is_told(it)));
        let (mut whole, mut partly) = (Half::default(), Half::default());
        let mut data = BTreeSet::new();
        let mut without = BTreeSet::new();
        for one in list(advanced) {
            Self::advanced(one, &mut whole, &mut partly, &mut without, &mut data);
        }
        if advanced.is_none_or(|it| list(Some(it)).is_empty()) {
            basic?;
            for one in list(basic) {
                Self::basic(one, &mut whole, &mut partly, &mut without, &mut data);
            }
        }
        partly.add(whole);
        let except = |what: &str| {
            let names: Vec<&str> = without.iter().map(String::as_str).collect();
            format!("{what} without {}", names.join(", "))
        };
        let left_out = match (whole, partly) {
            (Half { reads: true, writes: true }, _) => None,
            (_, Half { reads: false, writes: false }) => Some("no management events".to_owned()),
            (_, Half { reads: true, writes: false }) => {
                Some("of the management events only reads".to_owned())
            }
            (_, Half { reads: false, writes: true }) => {
                Some("of the management events only writes".to_owned())
            }
            (_, Half { reads: true, writes: true }) if without.is_empty() => {
                Some("some of the management events".to_owned())
            }
            (_, Half { reads: true, writes: true }) => Some(except("management events")),
        };
        Some(Self { left_out, data })
    }

    fn basic(
        one: &Value,
        whole: &mut Half,
        partly: &mut Half,
        without: &mut BTreeSet<String>,
        data: &mut BTreeSet<String>,
    ) {
        let half = match one.get("readWriteType").and_then(Value::as_str) {
            Some("ReadOnly") => Half { reads: true, writes: false },
            Some("WriteOnly") => Half { reads: false, writes: true },
            Some(_) | None => Half { reads: true, writes: true },
        };
        // They are recorded if nothing is said.
        if truth(one.get("includeManagementEvents")).unwrap_or(true) {
            let excluded = texts(one.get("excludeManagementEventSources"));
            if excluded.is_empty() {
                whole.add(half);
            } else {
                partly.add(half);
            }
            without.extend(excluded);
        }
        for resource in list(one.get("dataResources")) {
            data.extend(resource.get("type").and_then(Value::as_str).map(str::to_owned));
        }
    }

    fn advanced(
        one: &Value,
        whole: &mut Half,
        partly: &mut Half,
        without: &mut BTreeSet<String>,
        data: &mut BTreeSet<String>,
    ) {
        let fields = list(one.get("fieldSelectors"));
        let of = |name: &'static str| {
            fields.iter().filter(move |it| it.get("field").and_then(Value::as_str) == Some(name))
        };
        let equals = |name: &'static str| of(name).flat_map(|it| texts(it.get("equals"))).collect::<Vec<_>>();
        if equals("eventCategory").iter().any(|it| it == "Management") {
            let half = match equals("readOnly").first().map(String::as_str) {
                Some("true") => Half { reads: true, writes: false },
                Some("false") => Half { reads: false, writes: true },
                Some(_) | None => Half { reads: true, writes: true },
            };
            let is_bound = |it: &&Value| {
                !matches!(it.get("field").and_then(Value::as_str), Some("eventCategory" | "readOnly"))
            };
            if fields.iter().any(|it| is_bound(&it)) {
                partly.add(half);
            } else {
                whole.add(half);
            }
            without.extend(of("eventSource").flat_map(|it| texts(it.get("notEquals"))));
        } else {
            data.extend(equals("resources.type"));
        }
    }
}

/// A switch, which may be written as a text.
pub(crate) fn truth(value: Option<&Value>) -> Option<bool> {
    let value = value?;
    value.as_bool().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    list(value).iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "it reads better where it is written")]
    fn of(value: Value) -> (Option<String>, Vec<String>) {
        let it = Selectors::new(value.get("eventSelectors"), value.get("advancedEventSelectors")).unwrap();
        (it.left_out, it.data.into_iter().collect())
    }

    #[test]
    fn what_is_left_out_of_the_management_events() {
        let basic = |one: Value| of(json!({"eventSelectors": one})).0;
        assert_eq!(
            basic(json!([{"readWriteType": "All", "includeManagementEvents": true, "dataResources": []}])),
            None
        );
        assert_eq!(basic(json!([{"readWriteType": "ReadOnly"}, {"readWriteType": "WriteOnly"}])), None);
        // One selector takes the reads, the other only data.
        let two = json!([{"readWriteType": "ReadOnly"}, {"readWriteType": "All", "includeManagementEvents": false}]);
        assert_eq!(basic(two).unwrap(), "of the management events only reads");
        assert_eq!(basic(json!([{"includeManagementEvents": false}])).unwrap(), "no management events");
        assert_eq!(basic(json!([])).unwrap(), "no management events");
        let kms = json!([{"excludeManagementEventSources": ["kms.amazonaws.com"]}]);
        assert_eq!(basic(kms).unwrap(), "management events without kms.amazonaws.com");

        let advanced = |fields: Value| of(json!({"advancedEventSelectors": [{"fieldSelectors": fields}]}));
        let management = json!({"field": "eventCategory", "equals": ["Management"]});
        assert_eq!(advanced(json!([management])).0, None);
        let reads = json!([management, {"field": "readOnly", "equals": ["true"]}]);
        assert_eq!(advanced(reads).0.unwrap(), "of the management events only reads");
        let kms = json!([management, {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}]);
        assert_eq!(advanced(kms).0.unwrap(), "management events without kms.amazonaws.com");
        let data = json!([{"field": "eventCategory", "equals": ["Data"]},
            {"field": "resources.type", "equals": ["AWS::S3::Object"]}]);
        let it = advanced(data);
        assert_eq!((&*it.0.unwrap(), it.1), ("no management events", vec!["AWS::S3::Object".to_owned()]));
    }

    #[test]
    fn what_is_no_selector_narrows_nothing() {
        assert_eq!(Selectors::new(None, None), None);
        assert_eq!(Selectors::new(Some(&json!("x")), Some(&json!([1]))), None);
        assert_eq!(of(json!({"advancedEventSelectors": [{"fieldSelectors": {}}]})).1.len(), 0);
    }
}
