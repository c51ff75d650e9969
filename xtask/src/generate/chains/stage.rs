//! The records of a case, and what is written down of each as it is made.

use super::super::attack::{Ground, Planted};
use super::super::clock;
use super::super::seed::mix;
use super::super::template::{push_key, push_uuid};
use super::identity::{Identity, Kind};
use fastrand::Rng;
use serde_json::{Value, json};

/// A client: the user agent, and the name of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) agent: &'static str,
    pub(super) name: &'static str,
}

/// Clients of ordinary work.
pub(super) const TOOLS: [Tool; 5] = [
    Tool {
        agent: "Boto3/1.35.50 md/Botocore#1.35.50 ua/2.0 os/linux#6.1.112 lang/python#3.12.7",
        name: "Boto3",
    },
    Tool { agent: "aws-cli/2.18.11 md/awscrt#0.22.0 ua/2.0 os/macos#24.0.0 md/arch#arm64", name: "aws-cli" },
    Tool { agent: "aws-sdk-go-v2/1.32.2 os/linux lang/go#1.23.2 md/GOOS#linux", name: "aws-sdk-go-v2" },
    Tool {
        agent: "aws-sdk-java/2.28.16 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.112",
        name: "aws-sdk-java",
    },
    Tool { agent: "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", name: "browser" },
];

/// That of somebody who came with a distribution of attack tools.
pub(super) const KALI: Tool =
    Tool { agent: "aws-cli/1.29.4 Python/3.11.8 Linux/6.6.15-amd64 exe/x86_64.kali.2024", name: "aws-cli" };

/// That of Systems Manager on an instance.
pub(super) const AGENT: Tool = Tool {
    agent: "aws-sdk-go/1.55.5 (go1.22.3; linux; amd64) amazon-ssm-agent/3.3.987.0",
    name: "aws-sdk-go",
};

/// A call, before it becomes a record.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) at: i64,
    pub(super) by: &'c Identity,
    pub(super) from: &'c str,
    pub(super) with: Tool,
    /// `ec2` of `ec2.amazonaws.com`.
    pub(super) service: &'c str,
    pub(super) name: &'c str,
    pub(super) region: usize,
    /// The account that has the record, by its number.
    pub(super) account: usize,
    pub(super) request: Value,
    pub(super) response: Value,
    pub(super) error: Option<(&'static str, String)>,
    pub(super) read: bool,
}

/// What is written down of a call.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) at: i64,
    /// Whose behaviour it is, and who it is at an address.
    pub(super) root: String,
    pub(super) whose: String,
    pub(super) key: Option<String>,
    pub(super) session: String,
    pub(super) address: String,
    pub(super) tool: &'static str,
    pub(super) region: usize,
    pub(super) action: String,
    pub(super) refused: bool,
    /// The ARN of the role that was asked for.
    pub(super) asked: String,
    pub(super) write: bool,
    /// The key that the call issued, and in which account it is good.
    pub(super) issued: Option<(String, String)>,
}

/// Where cases are played.
pub(super) struct Stage<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) rng: Rng,
    pub(super) planted: Vec<Planted>,
    /// Of the case at hand.
    pub(super) told: Vec<Told>,
    seed: u64,
    number: u64,
}

impl<'a> Stage<'a> {
    pub(super) fn new(ground: Ground<'a>, seed: u64) -> Self {
        Self { ground, rng: Rng::with_seed(seed), planted: Vec::new(), told: Vec::new(), seed, number: 0 }
    }

    pub(super) fn account(&self, index: usize) -> &'a str {
        &self.ground.world.accounts[index].id
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        mix(self.seed, self.number)
    }

    pub(super) fn key(&mut self) -> String {
        let mut key = String::new();
        let seed = self.next();
        push_key(&mut key, "ASIA", seed);
        key
    }

    pub(super) fn uuid(&mut self) -> String {
        let mut id = String::new();
        let seed = self.next();
        push_uuid(&mut id, seed);
        id
    }

    /// Makes the record, and writes down what it says. What lies outside of the data is neither.
    pub(super) fn call(&mut self, call: Call<'_>) -> String {
        let id = self.uuid();
        let Some((record, told)) = self.record(call, &id, None) else { return id };
        self.told.push(told);
        self.planted.push(record);
        id
    }

    fn record(&mut self, call: Call<'_>, id: &str, shared: Option<&str>) -> Option<(Planted, Told)> {
        let plan = self.ground.plan;
        if call.at < plan.start || call.at >= plan.end {
            return None;
        }
        let Call { at, by, from, with, service, name, region, account, request, response, error, read } =
            call;
        let issued = |path: &str| response.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let issued = issued("/credentials/accessKeyId").or_else(|| issued("/accessKey/accessKeyId"));
        let role = response.pointer("/assumedRoleUser/arn").and_then(Value::as_str);
        let good_in = role.and_then(|arn| arn.split(':').nth(4)).unwrap_or(&by.account).to_owned();
        let asked = match &error {
            // A refused call has no parameters.
            Some((_, message)) => message.split("on resource: ").nth(1).unwrap_or_default().to_owned(),
            None => request["roleArn"].as_str().unwrap_or_default().to_owned(),
        };
        let mut time = String::new();
        clock::push_iso(&mut time, at);
        let is_ip = from.parse::<std::net::IpAddr>().is_ok();
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": by.json(),
            "eventTime": time,
            "eventSource": format!("{service}.amazonaws.com"),
            "eventName": name,
            "awsRegion": self.ground.world.regions[region],
            "sourceIPAddress": from,
            "userAgent": if is_ip { with.agent } else { from },
        });
        if let Some((code, message)) = &error {
            record["errorCode"] = (*code).into();
            record["errorMessage"] = message.as_str().into();
        }
        record["requestParameters"] = request;
        record["responseElements"] = if error.is_some() { Value::Null } else { response };
        record["requestID"] = self.uuid().into();
        record["eventID"] = id.into();
        record["readOnly"] = read.into();
        record["eventType"] = "AwsApiCall".into();
        record["managementEvent"] = true.into();
        record["recipientAccountId"] = self.account(account).into();
        if let Some(shared) = shared {
            record["sharedEventID"] = shared.into();
        }
        if from.starts_with("10.") {
            record["vpcEndpointId"] = "vpce-0a1b2c3d4e5f60718".into();
        }
        record["eventCategory"] = "Management".into();
        let planted = Planted { stream: plan.stream(account, region), seconds: at, text: record.to_string() };
        let told = Told {
            at,
            root: by.root(),
            whose: by.whose(),
            key: by.key.clone(),
            session: match by.kind {
                Kind::Role | Kind::Federated => by.session.clone(),
                _ => by.plain_name().to_owned(),
            },
            address: from.to_owned(),
            tool: if is_ip { with.name } else { "" },
            region,
            action: format!("{service}:{name}"),
            refused: error.is_some(),
            asked,
            write: !read,
            issued: issued.filter(|_| error.is_none()).map(|key| (key, good_in)),
        };
        Some((planted, told))
    }

    /// The last call is in no data.
    pub(super) fn take_back(&mut self) {
        self.told.pop();
        self.planted.pop();
    }

    /// A call of the two accounts of caller and role: each has a record of it, that of the role's account says less.
    pub(super) fn call_across(&mut self, call: Call<'_>, role_account: usize) -> String {
        let (id, shared) = (self.uuid(), self.uuid());
        let other = Identity::new(Kind::Foreign, &call.by.account, &call.by.principal());
        let there = Call {
            by: &other,
            account: role_account,
            request: call.request.clone(),
            response: call.response.clone(),
            error: call.error.clone(),
            ..call
        };
        let there_id = self.uuid();
        let there = self.record(there, &there_id, Some(&shared));
        let here = self.record(call, &id, Some(&shared));
        let (Some((record, told)), Some((other, _))) = (here, there) else { return id };
        // It is one call, whoever has records of it.
        self.told.push(told);
        self.planted.extend([record, other]);
        id
    }
}
