//! Blind ranges: cases by hand, and all of them against a model that goes from minute to minute.

use complete::{Aspect, BlindRange, Call, Means, Selectors, Subject, SubjectKind, blind_ranges, call};
use proptest::prelude::*;
use serde_json::{Value, json};

fn trail(name: &str) -> Subject {
    Subject {
        kind: SubjectKind::Trail,
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        name: name.to_owned(),
    }
}

fn document(action: &str, request: &Value, answer: &Value) -> ecs::Object {
    let document = json!({
        "event": {"action": action, "provider": "cloudtrail.amazonaws.com"},
        "aws.cloudtrail.recipient_account_id": "111122223333", "cloud.region": "eu-west-1",
        "aws.cloudtrail.flattened.request_parameters": request,
        "aws.cloudtrail.flattened.response_elements": answer,
    });
    document.as_object().expect("it is written as an object").clone()
}

fn read(action: &str, request: &Value) -> Option<Call> {
    call("e", 0, "ada", &document(action, request, &Value::Null))
}

#[test]
fn a_trail_is_the_same_by_name_and_by_arn() {
    let arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
    for name in ["main", arn] {
        let it = read("StopLogging", &json!({"name": name})).unwrap();
        assert_eq!((it.subject, it.means), (trail("main"), Means::Stop));
    }
    let it = call(
        "e",
        0,
        "ada",
        &document(
            "PutEventSelectors",
            &Value::Null,
            &json!({
        "trailARN": arn, "eventSelectors": [{"includeManagementEvents": false}]}),
        ),
    );
    assert!(matches!(it.unwrap().means, Means::Select(Selectors { left_out: Some(_), .. })));
    let store = "arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/ab-cd";
    let it = read("DeleteEventDataStore", &json!({"eventDataStore": store})).unwrap();
    assert_eq!((it.subject.kind, &*it.subject.name), (SubjectKind::Store, "ab-cd"));
    assert_eq!(read("UpdateEventDataStore", &json!({"eventDataStore": store})), None);
    assert_eq!(read("StopLogging", &json!({})), None);
    assert_eq!(read("DescribeTrails", &json!({"name": "main"})), None);
}

/// A call at a minute, with what stands in the request.
fn at(minute: i64, name: &str, action: &str, mut request: Value) -> Call {
    request["name"] = name.into();
    let id = format!("e{minute:03}{action}");
    let document = document(action, &request, &Value::Null);
    call(&id, minute * 60_000, "ada", &document).expect("the action is one of those")
}

/// Aspect, from, to, calls; minutes.
fn shown(ranges: &[BlindRange]) -> Vec<(&'static str, i64, Option<i64>, u64)> {
    ranges
        .iter()
        .map(|it| (it.aspect.name(), it.from / 60_000, it.to.map(|to| to / 60_000), it.call_count))
        .collect()
}

#[test]
fn from_stopping_to_starting() {
    let calls = vec![
        at(10, "main", "StopLogging", json!({})),
        at(20, "main", "DeleteTrail", json!({})),
        // Making it does not start it.
        at(30, "main", "CreateTrail", json!({"s3BucketName": "logs"})),
        at(40, "main", "StartLogging", json!({})),
        at(50, "other", "DeleteTrail", json!({})),
    ];
    let ranges = blind_ranges(calls);
    assert_eq!(shown(&ranges), [("everything", 10, Some(40), 2), ("everything", 50, None, 1)]);
    assert_eq!(
        ranges[0].calls.iter().map(|it| &*it.action).collect::<Vec<_>>(),
        ["StopLogging", "DeleteTrail"]
    );
    assert_eq!(ranges[0].ended_by.as_ref().unwrap().action, "StartLogging");
}

#[test]
fn narrowed_until_widened() {
    let select = |minute, management: bool, types: &[&str]| {
        let resources: Vec<Value> =
            types.iter().map(|it| json!({"type": it, "values": ["arn:aws:s3"]})).collect();
        let one = json!({"readWriteType": "All", "includeManagementEvents": management, "dataResources": resources});
        at(minute, "main", "PutEventSelectors", json!({"eventSelectors": [one]}))
    };
    let (s3, lambda) = ("AWS::S3::Object", "AWS::Lambda::Function");
    let ranges = blind_ranges(vec![
        select(10, true, &[s3, lambda]),
        select(20, false, &[s3]),
        select(30, true, &[]),
        select(40, true, &[lambda]),
        select(50, true, &[lambda, s3]),
    ]);
    assert_eq!(shown(&ranges), [("management-events", 20, Some(30), 1), ("data-events", 20, Some(50), 3)]);
    assert_eq!(ranges[1].detail.as_deref(), Some(s3), "what is missed at last");

    let update = |minute, request| at(minute, "main", "UpdateTrail", request);
    let ranges = blind_ranges(vec![
        update(10, json!({"isMultiRegionTrail": false, "s3BucketName": "ours"})),
        update(20, json!({"enableLogFileValidation": "false", "s3BucketName": "theirs"})),
        update(30, json!({"isMultiRegionTrail": true})),
        update(40, json!({"s3BucketName": "ours"})),
        at(50, "main", "PutInsightSelectors", json!({"insightSelectors": []})),
    ]);
    assert_eq!(
        shown(&ranges),
        [
            ("other-regions", 10, Some(30), 1),
            ("other-bucket", 20, Some(40), 1),
            ("digest-files", 20, None, 1),
            ("insights", 50, None, 1)
        ]
    );
}

fn means() -> impl Strategy<Value = Means> {
    let bucket = prop::option::of(prop::sample::select(vec!["a".to_owned(), "b".to_owned()]));
    let flag = || prop::option::of(any::<bool>());
    prop_oneof![
        2 => Just(Means::Stop),
        2 => Just(Means::Start),
        1 => bucket.clone().prop_map(|bucket| Means::Create { bucket }),
        2 => (flag(), flag(), flag(), bucket).prop_map(|(all_regions, global_services, validation, bucket)| {
            Means::Update { all_regions, global_services, validation, bucket }
        }),
        2 => (any::<bool>(), prop::collection::btree_set("[xyz]", 0..3)).prop_map(|(is_whole, data)| {
            Means::Select(Selectors { left_out: (!is_whole).then(|| "some".to_owned()), data })
        }),
        1 => any::<bool>().prop_map(Means::Insights),
    ]
}

/// What a trail leaves out after these calls, by going through all of them.
fn blind_after(calls: &[&Means], aspect: Aspect) -> bool {
    let last =
        |it: &dyn Fn(&Means) -> Option<bool>| calls.iter().rev().find_map(|means| it(means)).unwrap_or(false);
    let made = calls.iter().rposition(|it| matches!(it, Means::Create { .. })).map_or(0, |at| at + 1);
    match aspect {
        Aspect::Everything => last(&|it| match it {
            Means::Stop => Some(true),
            Means::Start => Some(false),
            _ => None,
        }),
        Aspect::Management => last(&|it| match it {
            Means::Select(it) => Some(it.left_out.is_some()),
            Means::Create { .. } => Some(false),
            _ => None,
        }),
        Aspect::Regions | Aspect::GlobalServices | Aspect::Validation => last(&|it| match it {
            Means::Update { all_regions, global_services, validation, .. } => {
                let flag = match aspect {
                    Aspect::Regions => all_regions,
                    Aspect::GlobalServices => global_services,
                    _ => validation,
                };
                flag.map(|it| !it)
            }
            Means::Create { .. } => Some(false),
            _ => None,
        }),
        Aspect::Insights => last(&|it| match it {
            Means::Insights(are) => Some(!are),
            Means::Create { .. } => Some(false),
            _ => None,
        }),
        Aspect::Bucket => {
            let buckets: Vec<&String> = calls
                .iter()
                .filter_map(|it| match it {
                    Means::Create { bucket } | Means::Update { bucket, .. } => bucket.as_ref(),
                    _ => None,
                })
                .collect();
            buckets.first() != buckets.last()
        }
        Aspect::Data => {
            // A type that was recorded once since the trail was made, and is not now.
            let sets: Vec<_> = calls[made..]
                .iter()
                .filter_map(|it| if let Means::Select(it) = it { Some(&it.data) } else { None })
                .collect();
            sets.last().is_some_and(|last| sets.iter().any(|it| !it.is_subset(last)))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn as_from_minute_to_minute(calls in prop::collection::vec((0usize..2, means()), 0..14), turn in any::<u64>()) {
        let mut all: Vec<Call> = calls
            .iter()
            .enumerate()
            .map(|(minute, (which, means))| Call {
                time: minute as i64 * 60_000,
                id: format!("{minute:02}"),
                who: "ada".to_owned(),
                action: "x".to_owned(),
                subject: trail(["a", "b"][*which]),
                means: means.clone(),
            })
            .collect();
        let ranges = blind_ranges(all.clone());
        for (number, name) in ["a", "b"].into_iter().enumerate() {
            for aspect in Aspect::ALL {
                for minute in 0..=calls.len() {
                    let said: Vec<&Means> = calls[..calls.len().min(minute + 1)]
                        .iter()
                        .filter(|it| it.0 == number)
                        .map(|it| &it.1)
                        .collect();
                    let now = minute as i64 * 60_000;
                    let is_blind = ranges.iter().any(|it| {
                        it.subject.name == name
                            && it.aspect == aspect
                            && it.from <= now
                            && it.to.is_none_or(|to| now < to)
                    });
                    prop_assert_eq!(is_blind, blind_after(&said, aspect), "{} {:?} minute {}", name, aspect, minute);
                }
            }
        }
        // Neither the order nor copies matter.
        all.extend(all.clone());
        if !all.is_empty() {
            let by = (turn % all.len() as u64) as usize;
            all.rotate_left(by);
        }
        prop_assert_eq!(blind_ranges(all), ranges);
    }
}
