//! `session-chain`: whose session made the call, and how it came by the role.

use std::collections::BTreeSet;

use ecs::Millis;
use identity::{Chain, End, Who};
use rule::GuideLanguage;

use crate::class::is_instance_id;
use crate::event::{Event, Field, place, tool};
use crate::evidence::{Confidence, Evidence, Found, Lack, Row, Target};
use crate::fill::{Values, shown};
use crate::look::{DAY, HOUR, Joined, Look, ids, lasting, short, some, sure, time, upper};
use crate::say::{heads, say, term, word};

/// A role changed so shortly before the call is worth a sentence.
const CHANGED_RECENTLY: i64 = 24 * HOUR;
/// The longest session of a role.
const SESSION_MAX: i64 = 12 * HOUR;

/// What `case.root_…` and `case.chain_…` stand for.
pub(crate) fn values_of(chain: &Chain<'_>, values: &mut Values) {
    let head = &chain.head;
    let arn = head.arn.unwrap_or_default();
    values.add("case.root_arn", [head.name().into_owned()]);
    if arn.contains(":user/") {
        values.add("case.root_user", [arn.rsplit('/').next().unwrap_or_default()]);
    }
    values.add("case.root_key", head.key.filter(|_| head.kind == Some("IAMUser")));
    let all = || std::iter::once(*head).chain(chain.hops.iter().map(|hop| hop.session));
    values.add("case.chain_keys", all().filter_map(|who| who.key));
    // What a service does for others is not what this session did.
    let arns = all().filter(|who| who.kind != Some("AWSService")).filter_map(|who| who.arn);
    values.add("case.chain_arns", arns);
}

/// What kind of identity the head is.
fn root_type(chain: &Chain<'_>) -> &'static str {
    let head = &chain.head;
    // A role of Identity Center is for its people alone, whatever vouches for them.
    let first = chain.hops.last().map_or(head, |hop| &hop.session);
    if first.issuer.or(first.arn).is_some_and(|arn| arn.contains("/AWSReservedSSO_")) {
        return "identity-center";
    }
    match head.kind {
        Some("AWSService") if head.service == Some("ec2.amazonaws.com") => term!("instance"),
        Some("AWSService") => term!("service"),
        Some("IAMUser") => term!("user"),
        Some("Root") => term!("root"),
        Some("SAMLUser" | "WebIdentityUser") => term!("federation"),
        Some("IdentityCenterUser") => term!("identity-center"),
        Some("AWSAccount") => term!("account"),
        // What is counted names an identity without its type.
        None if head.arn.is_some_and(|arn| arn.contains(":user/")) => "user",
        None if head.arn.is_some_and(|arn| arn.ends_with(":root")) => "root",
        _ if head.arn.and_then(|arn| arn.rsplit('/').next()).is_some_and(is_instance_id) => term!("instance"),
        // Somebody is behind a session: who, nobody can tell.
        _ => term!("unknown"),
    }
}

fn name(who: &Who<'_>) -> String {
    let name = who.name();
    match who.key {
        Some(key) if who.kind != Some("AWSService") => format!("{} {key}", short(&name)),
        _ => short(&name).to_owned(),
    }
}

/// That no call is known which issued the credentials, and why that may be.
fn no_issue(
    l: GuideLanguage,
    chain: &Chain<'_>,
    complete_from: Option<Millis>,
    data_from: Option<Millis>,
) -> String {
    // It is the key of the furthest session that is known, which need not be the one that called.
    let what = match chain.head.key {
        None => say!(l, "no AssumeRole event issued the key"),
        Some(key) => say!(l, "no AssumeRole event issued access key {}", shown(key)),
    };
    let before = |from: Option<Millis>| chain.head.created.zip(from).filter(|(created, from)| created < from);
    let why = if let Some((created, from)) = before(data_from) {
        say!(l, "the session began at {}, before the data do ({})", time(created), time(from))
    } else if let Some((created, from)) = before(complete_from) {
        say!(
            l,
            "the session began at {}, and of too many such calls only those from {} on were kept",
            time(created),
            time(from)
        )
    } else {
        say!(l, "the trail of the calling account, or of us-east-1, may be missing")
    };
    say!(l, "{}; {}", what, why)
}

pub(crate) fn session_chain(
    look: &mut Look<'_>,
    chain: &Chain<'_>,
    data_from: Option<Millis>,
    evidence: &mut Evidence,
) {
    let (case, l) = (look.case, look.language);
    let calls = look.events("session").len();
    let mut rows = Vec::new();
    for (at, hop) in chain.hops.iter().enumerate().rev() {
        let issue = &hop.issue;
        rows.push(Row {
            cells: vec![
                name(&issue.caller),
                time(issue.time),
                issue.call.action().to_owned(),
                name(&hop.session),
                hop.session
                    .arn
                    .map(|arn| arn.rsplit('/').next().unwrap_or_default())
                    .unwrap_or_default()
                    .to_owned(),
                if at == 0 { say!(l, "{|call|calls}", calls) } else { String::new() },
                sure(l, hop.confidence),
            ],
            events: vec![issue.event.to_owned()],
            count: 1,
            is_own: at == 0,
        });
    }
    let columns = heads!["who", "when", "how", "became", "session", "then", "confidence"];
    evidence.results.push(Found::table(term!("chain"), "chain", columns, rows));
    let confidence = chain.confidence;
    let root = chain.head.name().into_owned();
    let kind = root_type(chain);
    let issuers: Vec<String> = chain.hops.iter().map(|hop| hop.issue.event.to_owned()).collect();
    let sentence = match chain.end {
        End::Head | End::Named => {
            say!(l, "Behind the call is {} ({}), {}.", shown(&root), word(l, kind), sure(l, confidence))
        }
        End::NoIssue => say!(l, "The furthest identity that is known is {}.", shown(&root)),
        End::Ambiguous => say!(
            l,
            "{} calls of several identities could have issued the credentials of {}.",
            chain.candidates.len(),
            shown(&root)
        ),
        End::Loop => {
            say!(l, "The chain comes back to a key at {}: records contradict each other.", shown(&root))
        }
        End::Depth => {
            say!(l, "The chain is longer than {} hops; it goes on at {}.", identity::HOPS_MAX, shown(&root))
        }
    };
    evidence.statements.push(sentence.clone());
    look.fact("root_identity", root, confidence, issuers.clone(), sentence);
    let text = say!(l, "the head of the chain is of the type {}", word(l, kind));
    look.fact("root_type", kind, confidence, issuers, text);
    look.exact("chain_length", chain.hops.len(), say!(l, "{|hop|hops}", chain.hops.len()));
    if chain.end == End::NoIssue {
        let text = no_issue(l, chain, look.graph.complete_from(), data_from);
        evidence.lacks(Lack::NoIssuerEvent, text);
        let session = chain.head.arn.and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
        if let Some(reading) = reading(l, session) {
            evidence.statements.push(reading);
        }
    }
    let home = case.get("home_instance");
    let from_instance = !home.is_empty() || !case.get("delivery").is_empty() || kind == "instance";
    let text = if from_instance {
        say!(l, "the credentials are those of an instance")
    } else {
        say!(l, "nothing says that the credentials are of an instance")
    };
    look.exact("credentials_from_instance", from_instance, text);
    if !home.is_empty() {
        look.exact("home_instance", home, say!(l, "the session is of instance {}", shown(home)));
    }
    let is_role = !case.get("role_arn").is_empty();
    let text = if is_role {
        say!(l, "the call was made in a session of a role")
    } else {
        say!(l, "the call was made in no session of a role")
    };
    look.exact("role_session", is_role, text);
    if is_role {
        look.targets(vec![Target {
            call: "sts:AssumeRole".to_owned(),
            object: case.get("role_name").to_owned(),
            detail: case.get("session_key").to_owned(),
            region: String::new(),
            account: case.get("role_account").to_owned(),
        }]);
    }
    let mfa = case.get("mfa");
    if !mfa.is_empty() {
        let text = if mfa == "true" {
            say!(l, "the login behind it had MFA")
        } else {
            say!(l, "the login behind it had no MFA")
        };
        look.exact("mfa", mfa == "true", text);
    }
    session(look, evidence);
    assumers(look, chain, evidence);
    role(look, evidence);
}

/// What the session did, in one sentence.
fn session(look: &Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let events = look.events("session");
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
    let distinct = |value: &dyn Fn(&Event) -> String| -> Vec<String> {
        let all: BTreeSet<String> = events.iter().map(|it| value(it)).filter(|it| !it.is_empty()).collect();
        all.into_iter().collect()
    };
    let refused = events.iter().filter(|it| it.is_refused()).count();
    let list = |all: Vec<String>| some(l, all.iter().map(|it| shown(it)), 3);
    evidence.statements.push(say!(
        l,
        "The session made {|call|calls} from {} to {}, {} of them refused: {|kind of call|kinds of calls}, in {}, from {}, with {}.",
        events.len(),
        time(first.time),
        time(last.time),
        refused,
        distinct(&|it| it.call()).len(),
        list(distinct(&|it| it.get(Field::Region).to_owned())),
        list(distinct(&|it| it.get(Field::Address).to_owned())),
        list(distinct(&|it| tool(it.get(Field::Agent)).to_owned()))
    ));
}

/// What the name of a session says where nothing else does.
fn reading(l: GuideLanguage, session: &str) -> Option<String> {
    let name = shown(session);
    if is_instance_id(session) {
        return Some(say!(l, "The session name {} points to the instance profile of that instance.", name));
    }
    if session.contains('@') {
        return Some(say!(
            l,
            "The session name {} points to a person, by federation or Identity Center.",
            name
        ));
    }
    let sdk = ["botocore-session-", "aws-go-sdk-", "aws-sdk-java-", "aws-sdk-js-"];
    if sdk.iter().any(|it| session.starts_with(it)) {
        return Some(say!(
            l,
            "The session name {} points to a program that gave none of its own (the default of an SDK).",
            name
        ));
    }
    None
}

/// Who assumes the role, and whether this caller did before.
fn assumers(look: &mut Look<'_>, chain: &Chain<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let events = look.events("assumers");
    if !look.answers.contains_key("assumers") {
        return;
    }
    evidence.results.push(crate::look::tally(
        l,
        "assumers",
        &heads!["caller"][0],
        events.iter().map(|it| &**it),
        |it| place(it.who()),
        |it| Joined([it.who()]),
        |it| chain.hops.first().is_some_and(|hop| hop.issue.event == &*it.id),
    ));
    let Some(hop) = chain.hops.first() else { return };
    let issue = &hop.issue;
    // Whatever the session is called in which a role calls.
    let caller = &*issue.caller.name();
    let by_caller = |it: &&Event| it.identity() == caller && !caller.is_empty();
    let earlier: Vec<&Event> =
        events.iter().map(|it| &**it).filter(by_caller).filter(|it| it.time < issue.time).collect();
    let is_new = !earlier.iter().any(|it| !it.is_refused());
    let text = if is_new {
        say!(l, "{} never assumed this role before in the data", shown(caller))
    } else {
        say!(l, "{} assumed this role before", shown(caller))
    };
    evidence.statements.push(say!(l, "{}.", upper(&text)));
    look.fact("assumer_new", is_new, Confidence::Exact, vec![issue.event.to_owned()], text);
    let refused: Vec<&Event> =
        earlier.into_iter().filter(|it| it.is_refused() && it.time >= issue.time - HOUR).collect();
    let times: Vec<String> =
        refused.iter().map(|it| say!(l, "{} before", lasting(l, issue.time - it.time))).collect();
    let text = match refused.len() {
        0 => say!(l, "no assumption by this caller was refused in the hour before"),
        count => say!(
            l,
            "{|refused assumption|refused assumptions} by this caller in the hour before: {}",
            count,
            some(l, &times, times.len())
        ),
    };
    if !refused.is_empty() {
        evidence.statements.push(say!(l, "{}.", text));
    }
    let count = refused.len();
    look.fact("assume_refused_before", count, Confidence::Exact, ids(refused), text);
}

/// The age of the role, what was changed of it, and its other sessions.
fn role(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    if case.get("role_arn").is_empty() {
        return;
    }
    let changes: Vec<&Event> =
        look.events("role-changes").iter().map(|it| &**it).filter(|it| !it.is_refused()).collect();
    if look.answers.contains_key("role-changes") {
        let made = changes.iter().find(|it| it.get(Field::Action) == "CreateRole" && it.time <= case.first);
        if let Some(made) = made {
            let age = case.first - made.time;
            let text =
                say!(l, "the role was created {} before the call, by {}", lasting(l, age), shown(made.who()));
            evidence.statements.push(say!(l, "{}.", upper(&text)));
            look.fact("role_age", age / 1_000, Confidence::Exact, ids([*made]), text);
        }
        if let Some(gone) =
            changes.iter().find(|it| it.get(Field::Action) == "DeleteRole" && it.time >= case.first)
        {
            evidence.statements.push(say!(
                l,
                "The role was deleted {} after the call, by {}.",
                lasting(l, gone.time - case.first),
                shown(gone.who())
            ));
        }
        // Whether who changed it in the week before is who always does.
        let before: Vec<&Event> = changes.iter().copied().filter(|it| it.time <= case.first).collect();
        if let Some(last) = before.last().filter(|it| it.time >= case.first - 7 * DAY) {
            let others = before.iter().filter(|it| it.time < last.time - DAY);
            let usual =
                others.clone().count() > 0 && others.clone().all(|it| it.identity() == last.identity());
            let text = if usual {
                say!(
                    l,
                    "{} changed the role in the week before, and always did",
                    shown(short(last.identity()))
                )
            } else {
                say!(
                    l,
                    "{} changed the role in the week before, and not earlier in the data",
                    shown(short(last.identity()))
                )
            };
            look.fact("role_changer_usual", usual, Confidence::Exact, ids([*last]), text);
        }
        let recent: Vec<&Event> =
            changes.iter().copied().filter(|it| (it.time - case.first).abs() <= CHANGED_RECENTLY).collect();
        let text = match recent.len() {
            0 => say!(l, "the role was not changed within 24 h of the call"),
            count => say!(l, "{|change|changes} of the role within 24 h of the call", count),
        };
        let value = !recent.is_empty();
        look.fact("role_changed_recently", value, Confidence::Exact, ids(recent), text);
    }
    let events = look.events("other-sessions");
    let own = case.all("session_key");
    let alive: BTreeSet<&str> = events
        .iter()
        .filter(|it| it.time >= case.last - SESSION_MAX && it.time <= case.last + SESSION_MAX)
        .filter(|it| {
            let created = ecs::date::parse(it.get(Field::Created)).ok();
            created.is_none_or(|at| at <= case.last + DAY && at >= case.last - SESSION_MAX)
        })
        .map(|it| it.get(Field::Key))
        .filter(|key| !key.is_empty() && !own.iter().any(|it| it == key))
        .collect();
    if look.answers.contains_key("other-sessions") {
        let text = say!(
            l,
            "{|other session of the role may be alive|other sessions of the role may be alive}",
            alive.len()
        );
        look.exact("sessions_alive", alive.len(), text);
        let alive = alive.into_iter().map(|key| Target {
            call: "sts:AssumeRole".to_owned(),
            object: case.get("role_name").to_owned(),
            detail: key.to_owned(),
            ..Target::default()
        });
        look.targets(alive.collect());
    }
}
