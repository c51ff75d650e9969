//! The calls that say what a trail records.

use ecs::document::{list, lookup};
use ecs::{Millis, Object, Shape};
use plan::{Expr, Predicate, Test};
use serde_json::Value;

use crate::Selectors;
use crate::selectors::truth;

const SERVICE: &str = "cloudtrail.amazonaws.com";

/// Every call that stops, narrows or begins recording.
const ACTIONS: [&str; 12] = [
    "CreateTrail",
    "DeleteEventDataStore",
    "DeleteTrail",
    "PutEventSelectors",
    "PutInsightSelectors",
    "RestoreEventDataStore",
    "StartEventDataStoreIngestion",
    "StartLogging",
    "StopEventDataStoreIngestion",
    "StopLogging",
    "UpdateEventDataStore",
    "UpdateTrail",
];

/// A trail, or an event data store of CloudTrail Lake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Which of the two.
    pub kind: SubjectKind,
    /// The account it belongs to.
    pub account: String,
    /// The region it was made in.
    pub region: String,
    /// Its name; of a store its id.
    pub name: String,
}

/// What records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// A trail.
    Trail,
    /// An event data store.
    Store,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub time: Millis,
    /// The `_id` of its event.
    pub id: String,
    /// Who made it.
    pub who: String,
    /// Its name.
    pub action: String,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub means: Means,
}

/// What a call says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// Nothing is recorded from now on.
    Stop,
    /// Recording begins.
    Start,
    /// There is a new trail, which does not record before it is started.
    Create {
        /// Where it delivers to.
        bucket: Option<String>,
    },
    /// Some of its settings are these now.
    Update {
        /// Whether it records all regions.
        all_regions: Option<bool>,
        /// Whether it records the services that have no region.
        global_services: Option<bool>,
        /// Whether digest files are written.
        validation: Option<bool>,
        /// Where it delivers to.
        bucket: Option<String>,
    },
    /// It records these events now.
    Select(Selectors),
    /// Whether unusual activity is recorded.
    Insights(bool),
}

/// What holds of every event that [`call`] has a use for.
pub fn filter() -> Expr {
    let is = |path: &str, test| Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test });
    let actions = ACTIONS.iter().map(|it| (*it).to_owned()).collect();
    Expr::all_of(vec![
        is("event.action", Test::terms(actions)),
        is("event.provider", Test::term(SERVICE)),
        // What was refused changed nothing.
        is("event.outcome", Test::term("success")),
    ])
}

const REQUEST: &str = "aws.cloudtrail.flattened.request_parameters";
const ANSWER: &str = "aws.cloudtrail.flattened.response_elements";

/// The call of an event that has this document; nothing if it says nothing of a trail that can be told.
pub fn call(id: &str, time: Millis, who: &str, document: &Object) -> Option<Call> {
    let text = |path: &str| lookup(document, path).and_then(Value::as_str);
    let action = text("event.action")?;
    let inner = |path: &str| lookup(document, path).and_then(Value::as_object);
    let (request, answer) = (inner(REQUEST), inner(ANSWER));
    // What was asked for, or else what came of it: records may lack either.
    let member =
        |name: &str| request.and_then(|it| it.get(name)).or_else(|| answer.and_then(|it| it.get(name)));
    let member = |name: &str| member(name).filter(|it| !it.is_null());
    let string = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
    let means = match action {
        "StopLogging" | "DeleteTrail" | "StopEventDataStoreIngestion" | "DeleteEventDataStore" => Means::Stop,
        "StartLogging" | "StartEventDataStoreIngestion" | "RestoreEventDataStore" => Means::Start,
        "CreateTrail" => Means::Create { bucket: string("s3BucketName") },
        "UpdateTrail" => Means::Update {
            // Only what was asked for is a change: the answer says everything.
            all_regions: asked(request, "isMultiRegionTrail"),
            global_services: asked(request, "includeGlobalServiceEvents"),
            validation: asked(request, "enableLogFileValidation"),
            bucket: string("s3BucketName"),
        },
        "PutEventSelectors" | "UpdateEventDataStore" => {
            let selectors = Selectors::new(member("eventSelectors"), member("advancedEventSelectors"));
            // An update of a store may be about something else.
            selectors.map(Means::Select)?
        }
        "PutInsightSelectors" => Means::Insights(!list(member("insightSelectors")).is_empty()),
        _ => return None,
    };
    let kind = if action.contains("EventDataStore") { SubjectKind::Store } else { SubjectKind::Trail };
    let names: &[&str] = match kind {
        SubjectKind::Trail => &["trailARN", "trailArn", "trailName", "name"],
        SubjectKind::Store => &["eventDataStoreArn", "eventDataStore", "name"],
    };
    let name = names.iter().find_map(|name| string(name))?;
    let account = text("aws.cloudtrail.recipient_account_id").or_else(|| text("cloud.account.id"));
    let region = text("cloud.region");
    let subject = subject(kind, &name, account.unwrap_or_default(), region.unwrap_or_default());
    Some(Call { time, id: id.to_owned(), who: who.to_owned(), action: action.to_owned(), subject, means })
}

/// A switch that was asked for.
fn asked(request: Option<&Object>, name: &str) -> Option<bool> {
    truth(request?.get(name))
}

/// By name or ARN it is the same one.
fn subject(kind: SubjectKind, name: &str, account: &str, region: &str) -> Subject {
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    if let ["arn", _, "cloudtrail", region, account, resource] = parts[..] {
        let name = resource.split_once('/').map_or(resource, |(_, name)| name);
        return Subject {
            kind,
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        };
    }
    Subject { kind, account: account.to_owned(), region: region.to_owned(), name: name.to_owned() }
}
