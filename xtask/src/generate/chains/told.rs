//! What an investigation must find out about a case, worked out in the plainest way of what was planted.

use super::super::clock;
use super::identity::{Identity, Kind};
use super::stage::{KALI, Told};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What is known of a case because it was made so.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) shape: &'static str,
    /// The `eventID` of the call to alert on, and its time.
    pub(super) alert: String,
    pub(super) at: i64,
    pub(super) subject: Identity,
    /// From the head to the subject.
    pub(super) chain: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) root_type: &'static str,
    pub(super) hops: usize,
    pub(super) confidence: &'static str,
    /// Of an assumed role whose issuing call is known: when, and by whom.
    pub(super) assumed: Option<(i64, String)>,
    /// The ARN of the role.
    pub(super) role: String,
    /// When the role was made.
    pub(super) role_made: Option<i64>,
    pub(super) address: String,
    pub(super) agent: &'static str,
    /// Where the instance of the credentials speaks from.
    pub(super) home: Option<String>,
}

/// One line of the ground truth of chains.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Truth {
    /// The kind of chain.
    pub(crate) shape: &'static str,
    /// The `eventID` of the call to alert on.
    pub(crate) alert: String,
    /// Whoever is behind it.
    pub(crate) root: String,
    /// From the head to the caller.
    pub(crate) chain: Vec<String>,
    /// Facts by name; `null` if there must be none of that name.
    pub(crate) facts: BTreeMap<&'static str, Value>,
    /// How sure some of them must be.
    pub(crate) confidence: BTreeMap<&'static str, &'static str>,
}

/// `roots` is what the root users did in all cases, `start` when the data begin.
pub(super) fn truth(known: &Known, told: &[Told], roots: &[Told], start: i64) -> Truth {
    let mut facts = BTreeMap::new();
    let mut confidence = BTreeMap::new();
    chain(known, told, &mut facts);
    confidence.insert("root_identity", known.confidence);
    let is_root = matches!(known.subject.kind, Kind::Root | Kind::MemberRoot);
    baseline(known, if is_root { roots } else { told }, start, &mut facts, &mut confidence);
    origin(known, told, &mut facts, &mut confidence);
    Truth {
        shape: known.shape,
        alert: known.alert.clone(),
        root: known.chain[0].clone(),
        chain: known.chain.clone(),
        facts,
        confidence,
    }
}

fn chain(known: &Known, told: &[Told], facts: &mut BTreeMap<&'static str, Value>) {
    let subject = &known.subject;
    facts.insert("root_identity", known.chain[0].clone().into());
    facts.insert("root_type", known.root_type.into());
    facts.insert("chain_length", known.hops.into());
    facts.insert("role_session", (subject.kind == Kind::Role).into());
    let has_context = !matches!(subject.kind, Kind::User);
    facts.insert("mfa", if has_context { subject.mfa.into() } else { Value::Null });
    let assumptions = |caller: &str| -> Vec<&Told> {
        told.iter().filter(|it| it.whose == caller && it.asked == known.role).collect()
    };
    if let Some((at, caller)) = &known.assumed {
        let all = assumptions(caller);
        let earlier = |it: &&&Told| it.at < *at;
        let is_new = !all.iter().filter(earlier).any(|it| !it.refused);
        let refused = all.iter().filter(earlier).filter(|it| it.refused && it.at >= at - HOUR).count();
        facts.insert("assumer_new", is_new.into());
        facts.insert("assume_refused_before", refused.into());
    } else {
        facts.insert("assumer_new", Value::Null);
        facts.insert("assume_refused_before", Value::Null);
    }
    let made = known.role_made.filter(|it| *it <= known.at && known.at - it <= 90 * DAY);
    facts.insert("role_age", made.map_or(Value::Null, |it| (known.at - it).into()));
    if subject.kind == Kind::Role {
        let recently = known.role_made.is_some_and(|it| (it - known.at).abs() <= DAY);
        facts.insert("role_changed_recently", recently.into());
    }
    lateral(known, told, facts);
}

/// What the keys of the chain issued near the alert, and what that issued.
fn lateral(known: &Known, told: &[Told], facts: &mut BTreeMap<&'static str, Value>) {
    let near = |it: &&Told| it.at >= known.at - 36 * HOUR && it.at <= known.at + 7 * DAY;
    let mut keys: BTreeSet<&str> = known.keys.iter().map(String::as_str).collect();
    let (mut sessions, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let by_them = |it: &&Told| it.key.as_deref().is_some_and(|key| keys.contains(key));
        let found = told.iter().filter(near).filter(by_them).filter_map(|it| it.issued.as_ref());
        let new: Vec<&(String, String)> = found.filter(|(key, _)| !keys.contains(key.as_str())).collect();
        if new.is_empty() {
            break;
        }
        for (key, account) in new {
            keys.insert(key);
            sessions.insert(key.clone());
            if *account != known.subject.account {
                accounts.insert(account.clone());
            }
        }
    }
    facts.insert("lateral_sessions", sessions.len().into());
    facts.insert("lateral_accounts", accounts.into_iter().collect::<Vec<_>>().into());
}

fn baseline(
    known: &Known,
    told: &[Told],
    data_start: i64,
    facts: &mut BTreeMap<&'static str, Value>,
    confidence: &mut BTreeMap<&'static str, &'static str>,
) {
    let (subject, at) = (&known.subject, known.at);
    let root = subject.root();
    let mut its: Vec<&Told> = told.iter().filter(|it| it.root == root).collect();
    its.sort_by_key(|it| it.at);
    let is_key = |it: &Told| it.key.is_some() && it.key == subject.key;
    // A long-term key has no sessions: what was done with it from one address without a pause of an hour is one.
    let start = if subject.kind == Kind::User {
        let mut start = at;
        for it in its.iter().rev().filter(|it| it.at <= at && is_key(it) && it.address == known.address) {
            if start - it.at > HOUR || at - it.at > 36 * HOUR {
                break;
            }
            start = it.at;
        }
        start
    } else {
        subject.created
    };
    let is_own = |it: &Told| is_key(it) && (subject.kind != Kind::User || it.at >= start);
    let begin = data_start.max(at - 30 * DAY);
    let past: Vec<&Told> =
        its.iter().copied().filter(|it| it.at >= at - 30 * DAY && it.at < start && !is_own(it)).collect();
    let now: Vec<&Told> = its.iter().copied().filter(|it| is_own(it) && it.at <= at + 2 * HOUR).collect();
    facts.insert("history_days", ((at - begin.min(start)) / DAY).into());
    facts.insert("history_calls", past.len().into());
    let sure = if past.len() < 50 { "weak" } else { "exact" };
    let mut is_new = |fact: &'static str, value: &dyn Fn(&Told) -> String| {
        let before: BTreeSet<String> = past.iter().map(|it| value(it)).filter(|it| !it.is_empty()).collect();
        let here: BTreeSet<String> = now.iter().map(|it| value(it)).filter(|it| !it.is_empty()).collect();
        confidence.insert(fact, sure);
        let new: Vec<String> = here.into_iter().filter(|it| !before.contains(it)).collect();
        facts.insert(fact, (!new.is_empty()).into());
        new
    };
    is_new("new_source", &|it| it.address.clone());
    is_new("new_tool", &|it| if it.tool.is_empty() { it.address.clone() } else { it.tool.to_owned() });
    is_new("new_region", &|it| it.region.to_string());
    // Only those of roles have names.
    if subject.kind == Kind::Role {
        is_new("session_form_new", &|it| form(&it.session));
    }
    let mut actions = is_new("new_actions", &|it| it.action.clone());
    actions.sort_by_key(|it| !now.iter().any(|told| told.write && told.action == *it));
    facts.insert("new_actions", actions.into());
    let refused = now.iter().filter(|it| it.refused).count();
    facts.insert("refused_share", (refused * 100 / now.len().max(1)).into());
    let days: BTreeSet<i64> = past.iter().map(|it| it.at.div_euclid(DAY)).collect();
    let hour = |at: i64| at.rem_euclid(DAY) / HOUR;
    let is_known = past.len() >= 100 && days.len() >= 7;
    facts.insert("unusual_hour", (is_known && !past.iter().any(|it| hour(it.at) == hour(at))).into());
    confidence.insert("unusual_hour", if is_known { "exact" } else { "weak" });
}

/// Sessions of this generator are called by a word, a hyphen and a number or id, or by a mail address.
fn form(session: &str) -> String {
    match session.rsplit_once('-') {
        Some((word, number)) if number.bytes().any(|it| it.is_ascii_digit()) => format!("{word}-#"),
        _ => session.to_owned(),
    }
}

fn origin(
    known: &Known,
    told: &[Told],
    facts: &mut BTreeMap<&'static str, Value>,
    confidence: &mut BTreeMap<&'static str, &'static str>,
) {
    let (subject, at, address) = (&known.subject, known.at, &known.address);
    let is_ip = address.parse::<std::net::IpAddr>().is_ok();
    let is_private = address.starts_with("10.");
    let kind = if !is_ip {
        "service"
    } else if is_private {
        "private"
    } else {
        "public"
    };
    facts.insert("src_kind", kind.into());
    let near: Vec<&Told> = told
        .iter()
        .filter(|it| it.address == *address && it.at >= at - 7 * DAY && it.at <= at + DAY)
        .collect();
    let people: BTreeSet<&str> = near.iter().map(|it| it.whose.as_str()).collect();
    let first = near.iter().map(|it| it.at).min().filter(|_| is_ip);
    facts.insert(
        "src_first_seen",
        first.map_or(Value::Null, |at| {
            let mut text = String::new();
            clock::push_iso(&mut text, at);
            text.replace('Z', ".000Z").into()
        }),
    );
    facts.insert("source_identities", if is_ip { people.len().into() } else { Value::Null });
    facts.insert("attack_tool", (is_ip && known.agent == KALI.agent).into());
    facts.insert("via_console", (is_ip && known.agent.starts_with("Mozilla")).into());
    facts.insert("credentials_from_instance", (known.root_type == "instance").into());
    let agent: Vec<&Told> = match &known.home {
        Some(_) => told
            .iter()
            .filter(|it| {
                it.root == subject.root()
                    && it.action == "ssm:UpdateInstanceInformation"
                    && it.session == subject.session
                    && it.at >= at - 30 * DAY
                    && it.at <= at + 2 * DAY
            })
            .collect(),
        None => Vec::new(),
    };
    if agent.is_empty() {
        facts.insert("credentials_outside_instance", Value::Null);
    } else {
        let outside = agent.iter().all(|it| it.address != *address);
        let sure = agent.iter().filter(|it| (it.at - at).abs() <= DAY).count() >= 3;
        facts.insert("credentials_outside_instance", outside.into());
        confidence.insert("credentials_outside_instance", if sure { "exact" } else { "weak" });
    }
    facts.insert("home_instance", known.home.as_ref().map_or(Value::Null, |_| json!(subject.session)));
}
