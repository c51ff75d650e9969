//! What a summary needs to know of an event.

use std::borrow::Cow;

use ecs::{Object, Shape};
use identity::{Who, WhoField};

use super::total::Dimension;

const KEY: &str = "aws.cloudtrail.user_identity.access_key_id";
const ARN: &str = "aws.cloudtrail.user_identity.arn";
const ADDRESS: &str = "source.address";
const RECIPIENT: &str = "aws.cloudtrail.recipient_account_id";
const ACCOUNT: &str = "cloud.account.id";
const REGION: &str = "cloud.region";
const AGENT: &str = "user_agent.original";
const SERVICE: &str = "event.provider";
const ACTION: &str = "event.action";
const OUTCOME: &str = "event.outcome";
const ERROR: &str = "aws.cloudtrail.error_code";
const READ_ONLY: &str = "aws.cloudtrail.read_only";
const TARGETS: &str = "target.entity.id";
/// The keys that a call hands out.
const ISSUED: [&str; 2] = [
    "aws.cloudtrail.flattened.response_elements.accessKey.accessKeyId",
    "aws.cloudtrail.flattened.response_elements.credentials.accessKeyId",
];
/// Where calls name instances.
const INSTANCES: [&str; 3] = [
    "aws.cloudtrail.flattened.request_parameters.instanceId",
    "aws.cloudtrail.flattened.request_parameters.instancesSet.items.instanceId",
    "aws.cloudtrail.flattened.response_elements.instancesSet.items.instanceId",
];
const OTHERS: [&str; 13] = [
    KEY, ARN, ADDRESS, RECIPIENT, ACCOUNT, REGION, AGENT, SERVICE, ACTION, OUTCOME, ERROR, READ_ONLY, TARGETS,
];
/// How calls begin that make something.
const MAKING: [&str; 9] =
    ["Create", "Run", "Allocate", "Import", "Register", "Upload", "Generate", "Copy", "Restore"];
/// What is in the error codes of calls that were refused for want of permission.
const REFUSALS: [&str; 5] = ["AccessDenied", "Unauthorized", "Forbidden", "NotAuthorized", "AuthFailure"];

/// The columns that a summary reads.
#[derive(Debug)]
pub(crate) struct Columns {
    paths: Vec<String>,
}

impl Columns {
    pub(crate) fn new(dimensions: &[Dimension]) -> Self {
        let fields = dimensions.iter().filter_map(|it| match it {
            Dimension::Field(path) => Some(path.as_str()),
            Dimension::Identity
            | Dimension::Key
            | Dimension::Address
            | Dimension::Instance
            | Dimension::Account
            | Dimension::Region
            | Dimension::Agent
            | Dimension::Made => None,
        });
        let who = WhoField::ALL.into_iter().map(|field| field.column().path());
        let mut paths: Vec<String> = Vec::new();
        for path in who.chain(OTHERS).chain(ISSUED).chain(INSTANCES).chain(fields) {
            if !paths.iter().any(|it| it == path) {
                paths.push(path.to_owned());
            }
        }
        Self { paths }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The values of a document, as those of a row are given.
    pub(crate) fn of<'v>(&self, document: &Object) -> Vec<Vec<Cow<'v, str>>> {
        let values = |path: &String| {
            let mut values = Vec::new();
            ecs::document::values(document, path, Shape::Leaf, |it| {
                values.push(Cow::Owned(it.text().into_owned()));
            });
            values
        };
        self.paths.iter().map(values).collect()
    }
}

/// Who did what from where.
pub(crate) struct Facts<'v> {
    columns: &'v Columns,
    values: &'v [Vec<Cow<'v, str>>],
    identity: String,
    instances: Vec<&'v str>,
    pub(crate) made: Vec<&'v str>,
    pub(crate) is_refused: bool,
    pub(crate) is_write: bool,
}

impl<'v> Facts<'v> {
    /// Of the values of the columns.
    pub(crate) fn new(columns: &'v Columns, values: &'v [Vec<Cow<'v, str>>]) -> Self {
        let mut it = Self {
            columns,
            values,
            identity: String::new(),
            instances: Vec::new(),
            made: Vec::new(),
            is_refused: false,
            is_write: false,
        };
        let who = Who::new(|field| it.first(field.column().path()));
        it.identity = if who.is_nobody() { String::new() } else { who.name().into_owned() };
        // The session of an instance has the instance's name.
        let session = it.first(ARN).and_then(|arn| arn.rsplit('/').next()).filter(|it| it.starts_with("i-"));
        let named = INSTANCES.iter().flat_map(|path| it.all(path)).filter(|it| it.starts_with("i-"));
        it.instances = distinct(session.into_iter().chain(named).collect());
        it.is_refused = it.all(ERROR).any(|code| REFUSALS.iter().any(|part| code.contains(part)));
        it.is_write = it.all(READ_ONLY).any(|text| text == "false");
        let is_making = it.all(ACTION).any(|action| MAKING.iter().any(|verb| action.starts_with(verb)));
        let is_done = it.all(OUTCOME).any(|outcome| outcome == "success");
        let targets = it.all(TARGETS).filter(|_| is_making && it.is_write);
        let issued = ISSUED.iter().flat_map(|path| it.all(path));
        it.made = if is_done { distinct(targets.chain(issued).collect()) } else { Vec::new() };
        it
    }

    fn all(&self, path: &str) -> impl Iterator<Item = &'v str> + use<'v> {
        let values: &'v [Vec<Cow<'v, str>>] = self.values;
        let at = self.columns.paths.iter().position(|it| it == path);
        at.into_iter().flat_map(|at| &values[at]).map(AsRef::as_ref).filter(|it: &&str| !it.is_empty())
    }

    fn first(&self, path: &str) -> Option<&'v str> {
        self.all(path).next()
    }

    pub(crate) fn services(&self) -> Vec<&'v str> {
        distinct(self.all(SERVICE).collect())
    }

    /// The calls, each with its service: names alone are not unique.
    pub(crate) fn actions(&self) -> Vec<String> {
        let service = self.first(SERVICE).unwrap_or_default();
        distinct(self.all(ACTION).collect()).into_iter().map(|action| format!("{service} {action}")).collect()
    }

    /// The values by which the event counts.
    pub(crate) fn of(&self, dimension: &Dimension) -> Vec<&str> {
        match dimension {
            Dimension::Identity => {
                Some(self.identity.as_str()).filter(|it| !it.is_empty()).into_iter().collect()
            }
            Dimension::Key => distinct(self.all(KEY).collect()),
            Dimension::Address => distinct(self.all(ADDRESS).collect()),
            Dimension::Instance => self.instances.clone(),
            Dimension::Account => self.first(RECIPIENT).or_else(|| self.first(ACCOUNT)).into_iter().collect(),
            Dimension::Region => distinct(self.all(REGION).collect()),
            Dimension::Agent => distinct(self.all(AGENT).collect()),
            Dimension::Made => self.made.clone(),
            Dimension::Field(path) => distinct(self.all(path).collect()),
        }
    }
}

fn distinct(mut values: Vec<&str>) -> Vec<&str> {
    values.sort_unstable();
    values.dedup();
    values
}
