//! Made-up rules in any number, whose alerts are as many whatever that number is.
//!
//! The first [`ALERTING`] rules ask for calls that occur now and then. Every further rule asks for what does not
//! occur: half of them for calls that nobody makes, as most rules of a set for all of AWS do; a quarter for calls
//! that occur, and a quarter for calls that occur all the time, by somebody who does not exist.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Rules that alert.
const ALERTING: usize = 20;

/// Calls that the generator's accounts make now and then, or its attackers do.
const RARE: [(&str, &str); 10] = [
    ("iam", "CreateAccessKey"),
    ("ec2", "GetPasswordData"),
    ("ec2", "ModifySnapshotAttribute"),
    ("cloudtrail", "StopLogging"),
    ("secretsmanager", "GetSecretValue"),
    ("ssm", "SendCommand"),
    ("iam", "AttachUserPolicy"),
    ("iam", "CreateUser"),
    ("sts", "GetFederationToken"),
    ("s3", "DeleteBucketPublicAccessBlock"),
];

/// Calls that they make all the time.
const FREQUENT: [(&str, &str); 8] = [
    ("ec2", "DescribeInstances"),
    ("kms", "Decrypt"),
    ("s3", "GetObject"),
    ("sts", "AssumeRole"),
    ("s3", "PutObject"),
    ("dynamodb", "GetItem"),
    ("logs", "CreateLogStream"),
    ("sqs", "ReceiveMessage"),
];

/// Services of calls that nobody makes.
const UNUSED: [&str; 6] = ["appstream", "braket", "iam", "ec2", "lightsail", "sagemaker"];

/// Which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    /// Queries and new terms.
    Everything,
    Query,
    NewTerms,
    /// Queries in Lucene's language.
    Lucene,
    Threshold,
    /// Single events.
    Eql,
    Sequence,
    /// Of all of these as many.
    EachType,
}

impl Only {
    /// As the folder of such rules is called.
    fn suffix(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Query => "-query",
            Self::NewTerms => "-new-terms",
            Self::Lucene => "-lucene",
            Self::Threshold => "-threshold",
            Self::Eql => "-eql",
            Self::Sequence => "-sequence",
            Self::EachType => "-each-type",
        }
    }
}

/// What type a rule is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Query,
    NewTerms,
    Lucene,
    Threshold,
    Eql,
    Sequence,
}

/// What one field must be, or must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    not: bool,
    field: &'static str,
    test: Test,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Is,
    Begins,
    Contains,
}

/// A rule before it is written in anybody's format.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Synthetic {
    number: usize,
    clauses: Vec<Clause>,
    /// The fields whose new values it is about, if it is about such.
    new_terms: &'static [&'static str],
}

/// Writes so many rules into a folder below `scratch`: a rule file each, and rules.json, which says the same to
/// scripts that write them in other formats.
pub(super) fn write(scratch: &Path, count: usize, only: Only) -> Result<PathBuf> {
    let folder = scratch.join(format!("rules-{count}{}", only.suffix()));
    let files = folder.join("rules");
    if files.exists() {
        std::fs::remove_dir_all(&files).with_context(|| format!("cannot empty {}", files.display()))?;
    }
    std::fs::create_dir_all(&files).with_context(|| format!("cannot make {}", files.display()))?;
    let rules: Vec<Synthetic> = (0..).map(rule).filter(|rule| rule.is_of(only)).take(count).collect();
    for rule in &rules {
        std::fs::write(files.join(format!("rule_{:04}.toml", rule.number)), rule.to_toml(only))?;
    }
    let listed: Vec<Value> = rules.iter().map(Synthetic::to_json).collect();
    std::fs::write(folder.join("rules.json"), serde_json::to_string_pretty(&listed)?)?;
    Ok(files)
}

/// The rule of that number: always the same.
fn rule(number: usize) -> Synthetic {
    let alerts = number < ALERTING;
    let (service, action) = match (alerts, number % 4) {
        (true, _) | (false, 2) => pick(&RARE, number),
        (false, 3) => pick(&FREQUENT, number),
        (false, _) => (UNUSED[number % UNUSED.len()].to_owned(), format!("Forget{number}Things")),
    };
    let mut clauses = vec![clause("event.provider", Test::Is, format!("{service}.amazonaws.com"))];
    let template = number / 2 % 10;
    clauses.push(match template {
        9 => clause("event.action", Test::Begins, action[..action.len() - 2].to_owned()),
        _ => clause("event.action", Test::Is, action),
    });
    // What holds of everybody in the first rules holds of nobody in the others.
    let (field, test, value) = match template {
        0 | 5 | 9 => ("user.name", Test::Is, format!("nobody-{number}")),
        1 | 6 => ("aws.cloudtrail.user_identity.arn", Test::Contains, format!(":role/nobody-{number}-")),
        2 => ("aws.cloudtrail.request_parameters", Test::Contains, format!("target-{number}-")),
        3 => ("user_agent.original", Test::Contains, format!("scanner-{number}/")),
        4 => ("aws.cloudtrail.error_code", Test::Is, format!("Client.Fault{number}")),
        7 => ("source.ip", Test::Is, format!("233.252.0.{}", number % 256)),
        _ => ("aws.cloudtrail.user_identity.type", Test::Is, format!("Nobody{number}")),
    };
    clauses.push(Clause { not: alerts, ..clause(field, test, value) });
    let new_terms: &[&str] = match template {
        5 => &["aws.cloudtrail.user_identity.arn"],
        6 => &["user.name", "source.ip"],
        _ => &[],
    };
    Synthetic { number, clauses, new_terms }
}

fn pick(calls: &[(&str, &str)], number: usize) -> (String, String) {
    let (service, action) = calls[number / 2 % calls.len()];
    (service.to_owned(), action.to_owned())
}

fn clause(field: &'static str, test: Test, value: String) -> Clause {
    Clause { not: false, field, test, value }
}

impl Synthetic {
    fn is_of(&self, only: Only) -> bool {
        match only {
            Only::Everything | Only::EachType => true,
            Only::Query | Only::Lucene | Only::Threshold | Only::Eql | Only::Sequence => {
                self.new_terms.is_empty()
            }
            Only::NewTerms => !self.new_terms.is_empty(),
        }
    }

    /// What type it is of among such rules.
    fn kind(&self, only: Only) -> Kind {
        const REST: [Kind; 5] = [Kind::Query, Kind::Lucene, Kind::Threshold, Kind::Eql, Kind::Sequence];
        match only {
            Only::EachType if self.new_terms.is_empty() => REST[self.number % REST.len()],
            Only::Lucene => Kind::Lucene,
            Only::Threshold => Kind::Threshold,
            Only::Eql => Kind::Eql,
            Only::Sequence => Kind::Sequence,
            Only::Everything | Only::Query | Only::NewTerms | Only::EachType => {
                if self.new_terms.is_empty() {
                    Kind::Query
                } else {
                    Kind::NewTerms
                }
            }
        }
    }

    /// As Lucene has it.
    fn lucene(&self) -> String {
        let clauses = self.clauses.iter().map(|Clause { not, field, test, value }| {
            let not = if *not { "NOT " } else { "" };
            let bare = value.replace(':', "\\:").replace('/', "\\/").replace('-', "\\-");
            match test {
                Test::Is => format!("{not}{field}:\"{value}\""),
                Test::Begins => format!("{not}{field}:{bare}*"),
                Test::Contains => format!("{not}{field}:*{bare}*"),
            }
        });
        clauses.collect::<Vec<_>>().join(" AND ")
    }

    /// What EQL asks of an event.
    fn eql(&self) -> String {
        let clauses = self.clauses.iter().map(|Clause { not, field, test, value }| {
            let not = if *not { "not " } else { "" };
            match test {
                Test::Is => format!("{not}{field} == \"{value}\""),
                Test::Begins => format!("{not}{field} like \"{value}*\""),
                Test::Contains => format!("{not}{field} like \"*{value}*\""),
            }
        });
        format!("any where {}", clauses.collect::<Vec<_>>().join(" and "))
    }

    fn query(&self) -> String {
        let clauses = self.clauses.iter().map(|Clause { not, field, test, value }| {
            let not = if *not { "not " } else { "" };
            // Outside of quotes, where a wildcard is one, a colon needs a backslash.
            let bare = value.replace(':', "\\:");
            match test {
                Test::Is => format!("{not}{field}: \"{value}\""),
                Test::Begins => format!("{not}{field}: {bare}*"),
                Test::Contains => format!("{not}{field}: *{bare}*"),
            }
        });
        let clauses: Vec<String> = clauses.collect();
        format!("event.dataset: \"aws.cloudtrail\" and {}", clauses.join(" and "))
    }

    fn to_toml(&self, only: Only) -> String {
        let Self { number, new_terms, .. } = self;
        let (query, kind, language) = match self.kind(only) {
            Kind::Query => (self.query(), "query", "kuery"),
            Kind::NewTerms => (self.query(), "new_terms", "kuery"),
            Kind::Lucene => (self.lucene(), "query", "lucene"),
            Kind::Threshold => (self.query(), "threshold", "kuery"),
            Kind::Eql => (self.eql(), "eql", "eql"),
            Kind::Sequence => {
                let step = self.eql();
                (format!("sequence by user.name with maxspan=5m [{step}] [{step}]"), "eql", "eql")
            }
        };
        let mut text = format!(
            "[rule]\nrule_id = \"00000000-0000-4000-8000-{number:012}\"\nname = \"Made-up rule {number}\"\n\
             description = \"Measures what a rule costs.\"\nseverity = \"low\"\nrisk_score = 21\n\
             type = \"{kind}\"\nlanguage = \"{language}\"\nindex = [\"logs-aws.cloudtrail*\"]\ninterval = \"5m\"\n\
             from = \"now-9m\"\ntimestamp_override = \"event.ingested\"\nquery = \'\'\'{query}\'\'\'\n"
        );
        match self.kind(only) {
            Kind::NewTerms => {
                text += &format!(
                    "[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = {new_terms:?}\n\
                     [[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-7d\"\n"
                );
            }
            Kind::Threshold => text += "[rule.threshold]\nfield = [\"user.name\"]\nvalue = 2\n",
            Kind::Query | Kind::Lucene | Kind::Eql | Kind::Sequence => {}
        }
        text
    }

    fn to_json(&self) -> Value {
        let clauses = self.clauses.iter().map(|Clause { not, field, test, value }| {
            let test = match test {
                Test::Is => "is",
                Test::Begins => "begins",
                Test::Contains => "contains",
            };
            json!({"not": not, "field": field, "test": test, "value": value})
        });
        json!({"number": self.number, "clauses": clauses.collect::<Vec<_>>(), "new_terms": self.new_terms})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_run() {
        let all = [
            Only::Everything,
            Only::Query,
            Only::NewTerms,
            Only::Lucene,
            Only::Threshold,
            Only::Eql,
            Only::Sequence,
            Only::EachType,
        ];
        for only in all {
            for rule in (0..100).map(rule).filter(|rule| rule.is_of(only)) {
                let text = rule.to_toml(only);
                let set = rule::load_text("made-up.toml", &text);
                assert!(set.problems.is_empty(), "{text}: {:?}", set.problems);
                let compiled = rule::compile(&set.rules[0], &ecs::Catalog::ecs());
                assert!(compiled.is_ok(), "{text}: {compiled:?}");
            }
        }
    }

    #[test]
    fn only_the_first_rules_can_alert() {
        let is_met = |rule: &Synthetic| rule.clauses.last().is_some_and(|clause| clause.not);
        assert!((0..ALERTING).map(rule).all(|it| is_met(&it)));
        assert!(!(ALERTING..3_000).map(rule).any(|it| is_met(&it)));
        let templates: std::collections::BTreeSet<_> =
            (0..ALERTING).map(rule).map(|it| (it.clauses[2].field, it.new_terms)).collect();
        let all: std::collections::BTreeSet<_> =
            (0..3_000).map(rule).map(|it| (it.clauses[2].field, it.new_terms)).collect();
        assert_eq!(templates, all, "more rules must not need more columns");
    }

    #[test]
    fn a_rule_reads_like_this() {
        assert_eq!(
            rule(1).query(),
            "event.dataset: \"aws.cloudtrail\" and event.provider: \"iam.amazonaws.com\" \
             and event.action: \"CreateAccessKey\" and not user.name: \"nobody-1\""
        );
        assert_eq!(
            rule(42).query(),
            "event.dataset: \"aws.cloudtrail\" and event.provider: \"ec2.amazonaws.com\" \
             and event.action: \"GetPasswordData\" \
             and aws.cloudtrail.user_identity.arn: *\\:role/nobody-42-*"
        );
    }
}
