//! What a summary needs to know of an event.

use std::borrow::Cow;
use std::collections::HashMap;

use ecs::{Millis, Object, Scalar, Shape};
use identity::{Graph, Who, WhoBuf, WhoField};

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
/// What a call is about, in IAM.
const USER: &str = "aws.cloudtrail.flattened.request_parameters.userName";
const ROLE: &str = "aws.cloudtrail.flattened.request_parameters.roleName";
const POLICY_ARN: &str = "aws.cloudtrail.flattened.request_parameters.policyArn";
const POLICY: &str = "aws.cloudtrail.flattened.request_parameters.policyName";
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
const OTHERS: [&str; 17] = [
    KEY, ARN, ADDRESS, RECIPIENT, ACCOUNT, REGION, AGENT, SERVICE, ACTION, OUTCOME, ERROR, READ_ONLY,
    TARGETS, USER, ROLE, POLICY_ARN, POLICY,
];
/// How calls begin that make something.
const MAKING: [&str; 9] =
    ["Create", "Run", "Allocate", "Import", "Register", "Upload", "Generate", "Copy", "Restore"];
/// How calls of IAM begin that give a user or role something.
const GIVING: [&str; 7] = ["Create", "Attach", "Put", "Add", "Update", "Enable", "Upload"];
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
            Dimension::Root
            | Dimension::Identity
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

/// Who is behind identities, each looked up once.
#[derive(Debug)]
pub(crate) struct Roots<'g> {
    graph: &'g Graph,
    known: HashMap<String, String>,
}

impl<'g> Roots<'g> {
    pub(crate) fn new(graph: &'g Graph) -> Self {
        Self { graph, known: HashMap::new() }
    }

    /// The name of whoever is behind somebody, by all that is known in the end.
    fn of(&mut self, who: &WhoBuf) -> String {
        let mut packed = String::new();
        who.pack(&mut packed);
        if packed.is_empty() {
            return String::new();
        }
        if let Some(known) = self.known.get(&packed) {
            return known.clone();
        }
        let root = self.graph.root(who.who(), Millis::MAX).map(|it| it.arn).unwrap_or_default();
        // Sessions are many, and what is near comes together.
        if self.known.len() == ROOTS_MAX {
            self.known.clear();
        }
        self.known.insert(packed, root.clone());
        root
    }
}

/// Identities whose heads are remembered.
const ROOTS_MAX: usize = 50_000;

/// Something that a call gave a user or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The account, `user` or `role`, and the name, as they stand in its ARN.
    pub(crate) account: String,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// The key, or the call.
    pub(crate) what: String,
}

/// Who did what from where.
pub(crate) struct Facts<'v> {
    columns: &'v Columns,
    values: &'v [Vec<Cow<'v, str>>],
    identity: String,
    root: String,
    pub(crate) given: Option<Given>,
    instances: Vec<&'v str>,
    pub(crate) made: Vec<&'v str>,
    pub(crate) is_refused: bool,
    pub(crate) is_write: bool,
}

impl<'v> Facts<'v> {
    /// Of the values of the columns.
    pub(crate) fn new(
        columns: &'v Columns,
        values: &'v [Vec<Cow<'v, str>>],
        roots: Option<&mut Roots<'_>>,
    ) -> Self {
        let mut it = Self {
            columns,
            values,
            identity: String::new(),
            root: String::new(),
            given: None,
            instances: Vec::new(),
            made: Vec::new(),
            is_refused: false,
            is_write: false,
        };
        let who = Who::new(|field| it.first(field.column().path()));
        it.identity = if who.is_nobody() { String::new() } else { who.name().into_owned() };
        if let Some(roots) = roots {
            let mut who = WhoBuf::default();
            for field in WhoField::ALL {
                it.first(field.column().path())
                    .into_iter()
                    .for_each(|text| who.push(field, Scalar::Str(text)));
            }
            it.root = roots.of(&who);
        }
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
        it.given = if is_done && it.is_write { it.given() } else { None };
        it
    }

    fn given(&self) -> Option<Given> {
        let action = self.first(ACTION).filter(|it| GIVING.iter().any(|verb| it.starts_with(verb)))?;
        self.first(SERVICE).filter(|it| *it == "iam.amazonaws.com")?;
        let named = |kind, path| self.first(path).map(|name| (kind, name));
        let (kind, name) = named("user", USER).or_else(|| named("role", ROLE))?;
        let what = match self.first(ISSUED[0]).or(self.first(POLICY_ARN)).or(self.first(POLICY)) {
            Some(key) if action == "CreateAccessKey" => key.to_owned(),
            Some(policy) => format!("{action} {policy}"),
            None => action.to_owned(),
        };
        let account = self.first(RECIPIENT).or_else(|| self.first(ACCOUNT))?.to_owned();
        Some(Given { account, kind, name: name.to_owned(), what })
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
            Dimension::Root => Some(self.root.as_str()).filter(|it| !it.is_empty()).into_iter().collect(),
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
