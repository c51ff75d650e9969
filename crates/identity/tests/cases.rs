//! Chains and reaches of short lists of calls.
//!
//! A case is `call` lines in the order in which they are given; then `who` lines with a `chain` each, and `keys` lines with
//! a `reach` each. Times are seconds of a day. `@` stands for the account 111122223333, `@2` for another: `@role/x` is
//! `arn:aws:iam::111122223333:role/x`.
//!
//! A chain is the ids of its calls from the identity upward, the name of its head, how sure it is, and why it ends. A reach
//! is its calls, each with the one in whose session it was made.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fmt::Write as _;
use std::path::Path;

use cases::Case;
use identity::{Builder, Column, Confidence, End, Graph, WhoBuf, WhoField};
use serde_json::{Map, Value};

const DAY: &str = "2026-02-03T";

fn expand(value: &str) -> String {
    let (account, rest) = match value.strip_prefix('@') {
        Some(rest) => match rest.strip_prefix("2/") {
            Some(rest) => ("444455556666", rest),
            None => ("111122223333", rest),
        },
        None => return value.to_owned(),
    };
    let service =
        if rest.starts_with("assumed-role/") || rest.starts_with("federated-user/") { "sts" } else { "iam" };
    format!("arn:aws:{service}::{account}:{rest}")
}

fn column(name: &str) -> Column {
    match name {
        "type" => Column::Type,
        "arn" => Column::Arn,
        "key" => Column::AccessKeyId,
        "issuer" => Column::IssuerArn,
        "created" => Column::CreationDate,
        "account" => Column::AccountId,
        "principal" => Column::UserId,
        "name" => Column::UserName,
        "service" => Column::InvokedBy,
        "ingested" => Column::Ingested,
        "shared" => Column::SharedEventId,
        "role" => Column::RoleArn,
        "session" => Column::RoleSessionName,
        "federated" => Column::FederatedName,
        "target" => Column::TargetPrincipal,
        "issued" => Column::IssuedKeyId,
        "made" => Column::MadeKeyId,
        "user" => Column::MadeKeyUserName,
        "from" => Column::SwitchFrom,
        "outcome" => Column::Outcome,
        other => panic!("{other} is no column"),
    }
}

fn time(text: &str) -> String {
    format!("{DAY}{text}Z")
}

fn document(line: &str) -> (String, Map<String, Value>) {
    let mut words = line.split_whitespace();
    let action = words.next().expect("a call has a name");
    let call = identity::Call::ALL.into_iter().find(|it| it.action() == action);
    let provider = call.unwrap_or_else(|| panic!("{action} is no call")).provider();
    let mut document = Map::new();
    let mut put = |path: &str, value: &str| document.insert(path.to_owned(), value.into());
    put("event.provider", provider);
    put("event.action", action);
    put("event.outcome", "success");
    let mut id = None;
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word}"));
        match name {
            "id" => id = Some(value.to_owned()),
            "at" => drop(put("@timestamp", &time(value))),
            "created" | "ingested" => drop(put(column(name).path(), &time(value))),
            _ => drop(put(column(name).path(), &expand(value))),
        }
    }
    (id.expect("a call has an id"), document)
}

fn who(line: &str) -> (WhoBuf, i64) {
    let (mut who, mut as_of) = (WhoBuf::default(), i64::MAX);
    for word in line.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word}"));
        if name == "as-of" {
            as_of = ecs::date::parse(&time(value)).unwrap();
            continue;
        }
        let field = WhoField::ALL.into_iter().find(|it| it.column() == column(name)).unwrap();
        let value = if name == "created" { time(value) } else { expand(value) };
        who.push(field, ecs::Scalar::Str(&value));
    }
    (who, as_of)
}

fn chain(graph: &Graph, line: &str) -> String {
    let (who, as_of) = who(line);
    let chain = graph.chain(who.who(), as_of);
    let root = identity::Root::of(&chain);
    let pieces = graph.history(who.who());
    let piece = pieces.iter().rev().find(|it| it.from <= as_of).expect("the first piece has no beginning");
    assert_eq!(piece.root, root, "the history of {line}");
    let mut text = String::new();
    for hop in &chain.hops {
        let mark = match hop.confidence {
            Confidence::Exact => "",
            Confidence::Inferred => "~",
            Confidence::Weak => "?",
        };
        write!(text, "{}{mark} ", hop.issue.event).unwrap();
    }
    let key = root.key.map(|it| format!(" {it}")).unwrap_or_default();
    let end = match chain.end {
        End::Head => "",
        End::Named => " named",
        End::NoIssue => " no-issue",
        End::Ambiguous => " ambiguous",
        End::Loop => " loop",
        End::Depth => " depth",
    };
    format!("{text}> {}{key} {}{end}", shorten(&root.arn), chain.confidence.name())
}

fn shorten(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", "aws", "iam" | "sts", "", "111122223333", rest] => format!("@{rest}"),
        ["arn", "aws", "iam" | "sts", "", "444455556666", rest] => format!("@2/{rest}"),
        _ => arn.to_owned(),
    }
}

fn reach(graph: &Graph, line: &str) -> String {
    let keys: Vec<&str> = line.split_whitespace().collect();
    let reach = graph.reach(&keys, i64::MAX);
    let session = |it: &identity::Reached<'_>| {
        let parent = it.parent.map(|parent| format!("<{}", reach.sessions[parent].issue.event));
        let mark = match it.confidence {
            Confidence::Exact => "",
            Confidence::Inferred => "~",
            Confidence::Weak => "?",
        };
        format!("{}{mark}{}", it.issue.event, parent.unwrap_or_default())
    };
    let all: Vec<String> = reach.sessions.iter().map(session).collect();
    let cut = if reach.cut.is_none() { String::new() } else { format!(" {:?}", reach.cut) };
    format!("{}{cut}", all.join(" "))
}

/// The graph of the calls, and it is the same for any order and any copies.
fn graph(calls: &[(String, Map<String, Value>)], turn: usize) -> Graph {
    let mut builders = [Builder::default(), Builder::default()];
    for (at, (id, document)) in calls.iter().cycle().skip(turn).take(calls.len()).enumerate() {
        builders[at % 2].document(id, document);
        if turn > 0 && at % 3 == 0 {
            builders[1].document(id, document);
        }
    }
    let [mut all, other] = builders;
    all.merge(&other);
    all.finish()
}

fn check(case: &Case) {
    let calls: Vec<_> = case.all("call").map(document).collect();
    for turn in 0..calls.len().max(1) {
        let graph = graph(&calls, turn);
        let asked = case.all("who").map(|line| chain(&graph, line));
        let told: Vec<(String, &str)> = asked.zip(case.all("chain")).collect();
        assert_eq!(case.all("who").count(), case.all("chain").count(), "{}", case.place);
        for (got, wanted) in told {
            assert_eq!(got, wanted, "{}", case.place);
        }
        assert_eq!(case.all("keys").count(), case.all("reach").count(), "{}", case.place);
        for (keys, wanted) in case.all("keys").zip(case.all("reach")) {
            assert_eq!(reach(&graph, keys), wanted, "{}", case.place);
        }
    }
}

#[test]
fn cases() {
    for case in cases::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) {
        check(&case);
    }
}
