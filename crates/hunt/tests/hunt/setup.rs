//! Records, files and hunts for the tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use detect::{KnownAlerts, Mode};
use ecs::Millis;
use hunt::{
    Completeness, Document, Found, HuntOptions, NormalizeOptions, Progress, RanRule, ReadReport, Refused,
};
use rule::{Rule, Selection};
use serde_json::{Value, json};

/// 2026-03-02T00:00:00Z, a multiple of every interval used here.
pub(crate) const DAY_ONE: Millis = 1_772_409_600_000;
pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;
/// When the tests take place: after all their records.
pub(crate) const NOW: Millis = DAY_ONE + 60 * DAY;
/// Every execution there is.
pub(crate) const REPLAY: Mode = Mode::Replay { since: None, until: None };

/// What a test says of a record; the rest is filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    /// `None` for a record without `eventTime`.
    pub(crate) at: Option<Millis>,
    pub(crate) action: &'a str,
    pub(crate) role: &'a str,
    pub(crate) address: &'a str,
    pub(crate) error: Option<&'a str>,
}

/// A refused `GetPasswordData` by a role.
pub(crate) fn refused<'a>(id: &'a str, at: Millis, role: &'a str) -> Call<'a> {
    Call {
        id,
        at: Some(at),
        action: "GetPasswordData",
        role,
        address: "203.0.113.20",
        error: Some("Client.UnauthorizedOperation"),
    }
}

impl Call<'_> {
    /// The record as CloudTrail would deliver it.
    pub(crate) fn record(&self) -> Value {
        let mut record = json!({
            "eventVersion": "1.10",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": format!("AROAEXAMPLEROLE:{}-session", self.role),
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{0}/{0}-session", self.role),
                "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLEROLE",
                    "arn": issuer(self.role),
                    "accountId": "111122223333",
                    "userName": self.role,
                }},
            },
            "eventSource": "ec2.amazonaws.com",
            "eventName": self.action,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": self.address,
            "userAgent": "aws-cli/2.15.30",
            "requestParameters": {"instanceId": "i-0example000000001"},
            "responseElements": null,
            "eventID": self.id,
            "eventType": "AwsApiCall",
            "eventCategory": "Management",
            "managementEvent": true,
            "recipientAccountId": "111122223333",
        });
        if let Some(at) = self.at {
            record["eventTime"] = ecs::date::to_iso(at).into();
        }
        if let Some(error) = self.error {
            record["errorCode"] = error.into();
            record["errorMessage"] = "You are not authorized to perform this operation.".into();
        }
        record
    }

    pub(crate) fn line(&self) -> String {
        self.record().to_string() + "\n"
    }
}

/// The ARN of a role.
pub(crate) fn issuer(role: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{role}")
}

/// Calls, one record a line.
pub(crate) fn ndjson<'a>(calls: impl IntoIterator<Item = &'a Call<'a>>) -> String {
    calls.into_iter().map(Call::line).collect()
}

/// A folder of files that goes away with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with one file of calls.
    pub(crate) fn of(calls: &[Call<'_>]) -> Self {
        let folder = Self::new();
        folder.write("calls.ndjson", ndjson(calls));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        vec![self.path().to_owned()]
    }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The rules of a text, which must be whole.
pub(crate) fn rules(text: &str) -> Vec<Rule> {
    let set = rule::load_text("test.toml", text);
    let problems: Vec<String> = set.problems.iter().map(|it| set.render(it, span::Style::Plain)).collect();
    assert_eq!(set.error_count(), 0, "{}", problems.concat());
    assert!(!set.rules.is_empty());
    set.rules
}

/// A rule, by the lines that are not the same for all.
pub(crate) fn rule(name: &str, lines: &str) -> Rule {
    let text = format!(
        "[rule]\nname = \"{name}\"\ndescription = \"A rule of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n{lines}"
    );
    rules(&text).remove(0)
}

/// The built-in rule of that id.
pub(crate) fn built_in(rule_id: &str) -> Rule {
    let set = rule::builtin(rule::GuideLanguage::English);
    set.rules.into_iter().find(|it| it.rule_id == rule_id).unwrap()
}

/// The built-in rule on refused `GetPasswordData` calls.
pub(crate) fn get_password_data() -> Rule {
    built_in("52ba7dad-d2ad-5157-8031-77e4c0ca146f")
}

pub(crate) fn normalise() -> cloudtrail::Options {
    cloudtrail::Options {
        tags: vec!["forwarded".to_owned()],
        // The text of a record is as it was delivered, which is not the same for all deliveries.
        original: cloudtrail::Original::Tagged,
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    }
}

pub(crate) fn options(folder: &Folder, rules: &[Rule]) -> HuntOptions {
    HuntOptions {
        paths: folder.paths(),
        stored: Vec::new(),
        rules: Selection::all(rules.iter().cloned()),
        exceptions: rule::Exceptions::default(),
        mode: REPLAY,
        max_signals: None,
        known: KnownAlerts::default(),
        normalise: normalise(),
        limits: reader::Limits::default(),
        identities: hunt::Identities::Asked,
        // It must change nothing.
        watch: true,
        span: None,
        as_live: None,
        threads: 2,
        block_rows: 0,
        evidence_bytes: hunt::EVIDENCE_BYTES,
        now: NOW,
        version: "0.0.0",
    }
}

/// Paths of events: of a value, of one in a payload, of a list.
const BRIEF: [&str; 5] = [
    "event.action",
    "user.name",
    "source.ip",
    "aws.cloudtrail.flattened.request_parameters.instanceId",
    "related.user",
];

/// The document of an alert, to which everything else that is said of the alert is held.
fn whole(alert: &mut hunt::Alert<'_, '_>) -> ecs::Object {
    let document = alert.document().to_object();
    let mut text = String::new();
    let severity = alert.write_json(&mut text);
    assert_eq!(text, serde_json::to_string(&document).unwrap());
    assert_eq!(document["kibana.alert.severity"], severity.as_str());
    let brief = alert.brief().to_object();
    let lookup = ecs::document::lookup;
    let own = document.keys().map(String::as_str).filter(|key| {
        // Copies of the event are for the whole document.
        key.starts_with("kibana.") && !key.starts_with("kibana.alert.original_") || *key == "@timestamp"
    });
    for path in own.chain(BRIEF).chain(["kibana.alert.original_time"]) {
        assert_eq!(lookup(&brief, path), lookup(&document, path), "{path}");
    }
    document
}

/// What a hunt found, with its alerts at hand.
#[derive(Debug)]
pub(crate) struct Hunted {
    pub(crate) alerts: Vec<ecs::Object>,
    pub(crate) rules: Vec<RanRule>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) read: ReadReport,
    pub(crate) completeness: Option<Completeness>,
}

impl From<Found> for Hunted {
    fn from(found: Found) -> Self {
        let brief: Vec<_> = found.alerts(&BRIEF, whole, |alerts| alerts.collect());
        let alerts: Vec<_> = found.alerts(&[], whole, |alerts| alerts.collect());
        assert_eq!(alerts.len(), found.alert_count());
        assert_eq!(brief, alerts);
        Self {
            alerts,
            rules: found.rules,
            refused: found.refused,
            read: found.read,
            completeness: found.completeness,
        }
    }
}

pub(crate) fn run(options: &HuntOptions) -> Hunted {
    hunt::hunt(options, &mut std::io::empty(), &Progress::default()).unwrap().into()
}

/// The alerts of a plain hunt.
pub(crate) fn hunt_in(folder: &Folder, rules: &[Rule]) -> Hunted {
    run(&options(folder, rules))
}

/// The text of every alert.
pub(crate) fn texts(found: &Hunted) -> Vec<String> {
    found.alerts.iter().map(|alert| serde_json::to_string(alert).unwrap()).collect()
}

/// Each alert as `RULE EVENT_ID`, sorted.
pub(crate) fn verdicts(found: &Hunted) -> Vec<String> {
    let text = |alert: &ecs::Object, key: &str| alert[key].as_str().unwrap().to_owned();
    let mut verdicts: Vec<String> = found
        .alerts
        .iter()
        .map(|alert| {
            let event = alert["kibana.alert.ancestors"][0]["id"].as_str().unwrap().to_owned();
            format!("{} {event}", text(alert, "kibana.alert.rule.name"))
        })
        .collect();
    verdicts.sort();
    verdicts
}

/// The documents of all records, in the order of the files.
pub(crate) fn documents(folder: &Folder) -> Vec<Document> {
    let options = NormalizeOptions {
        paths: folder.paths(),
        stored: Vec::new(),
        normalise: normalise(),
        limits: reader::Limits::default(),
        now: NOW,
        copies: true,
    };
    let mut documents = Vec::new();
    let mut take = |document| {
        documents.push(document);
        true
    };
    hunt::normalize(&options, &mut std::io::empty(), &Progress::default(), &mut take).unwrap();
    documents
}
