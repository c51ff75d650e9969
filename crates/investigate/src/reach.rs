//! `session-reach`: did the session, or whoever is behind it, get onto machines or into other roles and accounts?

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use identity::{Chain, Graph, Issue, Reach};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::case::Case;
use crate::class::is_instance_id;
use crate::deed::Mark;
use crate::event::{Event, Field, place};
use crate::evidence::{Confidence, Evidence, Found, Lack, ROW_EVENTS_MAX, Row, Target};
use crate::fill::shown;
use crate::look::{DAY, HOUR, Joined, Look, ids, short, some, sure, tally, time};
use crate::request::value_in;
use crate::say::{heads, say, term};

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// What the keys of the chain issued so long before the alert, and so long after it, belongs to the story.
pub(crate) const BEFORE: Millis = 36 * HOUR;
pub(crate) const AFTER: Millis = 7 * DAY;

/// The sessions that the keys of the chain issued near the alert, those of the chain itself among them.
pub(crate) fn of_case<'g>(graph: &'g Graph, chain: &Chain<'g>, case: &Case) -> Reach<'g> {
    let hops = chain.hops.iter().map(|hop| hop.session);
    let keys: Vec<&str> = std::iter::once(chain.head).chain(hops).filter_map(|who| who.key).collect();
    graph.reach_within(&keys, Millis::MAX, case.first - BEFORE..=case.last + AFTER)
}

fn is_of_chain(issue: &Issue<'_>, chain: &Chain<'_>) -> bool {
    chain.hops.iter().any(|hop| hop.issue.event == issue.event)
}

pub(crate) fn session_reach(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let chain = look.graph.chain(look.who, i64::MAX);
    let reach = of_case(look.graph, &chain, case);
    let mut calls: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in look.events("reach-calls") {
        calls.entry(event.get(Field::Key)).or_default().push(event);
    }
    let mut accounts = BTreeSet::new();
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    // Those that the session itself obtained, not others of whoever is behind it.
    let mut own = vec![false; reach.sessions.len()];
    for (at, reached) in reach.sessions.iter().enumerate() {
        let issue = &reached.issue;
        let key = issue.caller.key.unwrap_or_default();
        own[at] = reached.parent.is_some_and(|parent| own[parent])
            || case.all("session_key").iter().any(|it| it == key);
        if is_of_chain(issue, &chain) {
            continue;
        }
        let what = issue.role.or(issue.session).or(issue.key).unwrap_or_default();
        let account = account_of(what);
        if !account.is_empty() && account != case.get("account") {
            accounts.insert(account.to_owned());
        }
        if let Some(role) = issue.role {
            targets.push(Target {
                call: "sts:AssumeRole".to_owned(),
                object: role.rsplit('/').next().unwrap_or_default().to_owned(),
                detail: issue.key.unwrap_or_default().to_owned(),
                region: String::new(),
                account: account.to_owned(),
            });
        }
        let its = issue.key.and_then(|key| calls.get(key)).map_or(&[][..], Vec::as_slice);
        rows.push(Row {
            cells: vec![
                time(issue.time),
                format!("{}{}", "  ".repeat(reached.depth.saturating_sub(1) as usize), short(what)),
                issue.key.unwrap_or_default().to_owned(),
                account.to_owned(),
                its.len().to_string(),
                its.first().map(|it| time(it.time)).unwrap_or_default(),
                its.last().map(|it| time(it.time)).unwrap_or_default(),
                sure(l, reached.confidence),
            ],
            events: vec![issue.event.to_owned()],
            count: 1,
            is_own: own[at],
        });
    }
    let direct = rows.iter().filter(|it| it.is_own).count();
    let total = rows.len() as u64;
    let cut = reach.cut.deeper + reach.cut.more;
    if cut > 0 {
        evidence.lacks(Lack::Truncated, say!(l, "{} of {} sessions shown", total, total + cut));
    }
    let issued: Vec<String> = rows.iter().flat_map(|it| &it.events).take(ROW_EVENTS_MAX).cloned().collect();
    let count = usize::try_from(total).unwrap_or(usize::MAX);
    let mut text = say!(
        l,
        "{|session was obtained with these credentials|sessions were obtained with these credentials}",
        direct
    );
    if count > direct {
        text = say!(l, "{}, {} with others of the chain", text, count - direct);
    }
    if count > 0 {
        evidence.statements.push(say!(l, "{}.", text));
        if direct > 0 || !accounts.is_empty() {
            look.deviations.push(text.clone());
        }
        let columns = heads!["when", "session", "key", "account", "calls", "first", "last", "confidence"];
        evidence.results.push(Found::table(term!("sessions"), "chain", columns, rows));
    }
    look.fact("lateral_sessions", count, Confidence::Exact, issued, text);
    look.targets(targets);
    let accounts: Vec<String> = accounts.into_iter().collect();
    let text = if accounts.is_empty() {
        say!(l, "no other account was entered")
    } else {
        say!(l, "other accounts were entered: {}", some(l, &accounts, 5))
    };
    look.exact("lateral_accounts", accounts, text);
    machines(look, evidence);
    same_source(look, evidence);
    let refused = look.events("refused-roles");
    if !refused.is_empty() {
        let unnamed = say!(l, "(not named)");
        evidence.results.push(tally(
            l,
            "refused-roles",
            &heads!["role tried and caller"][0],
            refused.iter().map(|it| &**it),
            |it| (place(it.get(Field::ErrorMessage)), place(it.identity())),
            |it| {
                let role = it
                    .get(Field::ErrorMessage)
                    .split("on resource: ")
                    .nth(1)
                    .and_then(|it| it.split_whitespace().next())
                    .map_or(&*unnamed, short);
                Joined([role, " · ", short(it.identity())])
            },
            |it| case.is_own(it),
        ));
    }
    let all = look.chain_events();
    let is_console =
        |it: &&Event| it.get(Field::Provider) == "signin.amazonaws.com" && it.is_mark(Mark::Console);
    let console: Vec<&Event> = all.iter().copied().filter(is_console).filter(|it| !it.is_refused()).collect();
    if !console.is_empty() {
        let shown =
            crate::related::timeline(l, term!("console"), console.iter().copied(), |it| case.is_own(it));
        evidence.results.push(shown);
    }
    let value = console.iter().any(|it| it.get(Field::Action) != "ConsoleLogin" || case.is_own(it));
    let text = if value {
        say!(l, "a console session was opened with these credentials")
    } else {
        say!(l, "no console session was opened with these credentials")
    };
    look.fact("console_from_role", value, Confidence::Exact, ids(console), text);
    evidence.lacks(
        Lack::NotRecorded,
        say!(
            l,
            "RDP, WinRM and SSH inside the network are in flow logs or the machines' own logs, not in CloudTrail"
        ),
    );
}

fn machines(look: &mut Look<'_>, evidence: &mut Evidence) {
    let l = look.language;
    let all = look.chain_events();
    let into: Vec<&Event> = all.iter().copied().filter(|it| it.is_mark(Mark::IntoMachine)).collect();
    let reached: Vec<&Event> = into.iter().copied().filter(|it| !it.is_refused()).collect();
    let names: BTreeSet<&str> = reached
        .iter()
        .flat_map(|it| it.all(Field::Hosts).iter().chain(it.all(Field::AskedInstance)))
        .map(|it| &**it)
        .filter(|it| is_instance_id(it))
        .collect();
    if !into.is_empty() {
        let case = look.case;
        evidence.results.push(crate::related::timeline(
            l,
            term!("into-machines"),
            into.iter().copied(),
            |it| case.is_own(it),
        ));
        if into
            .iter()
            .any(|it| it.text_at(Field::Request as usize).contains("HIDDEN_DUE_TO_SECURITY_REASONS"))
        {
            let text = say!(
                l,
                "AWS hides what SSM ran in CloudTrail; see the command history of SSM (30 days), the output bucket or the machine"
            );
            evidence.lacks(Lack::Hidden, text);
        }
    }
    let names: Vec<&str> = names.into_iter().collect();
    let named: BTreeSet<String> = reached
        .iter()
        .filter_map(|it| value_in(&it.text_at(Field::Request as usize), "target"))
        .chain(reached.iter().flat_map(|it| it.all(Field::Hosts)).map(ToString::to_string))
        .collect();
    let text = match (names.len(), reached.len()) {
        (0, 0) => say!(l, "no machine was reached by way of AWS"),
        (0, calls) if named.is_empty() => {
            say!(l, "{|call|calls} that reach machines; the records do not name which", calls)
        }
        (0, calls) => say!(
            l,
            "{|call|calls} that reach machines; what they name is no id of an instance: {}",
            calls,
            some(l, named.iter().map(|it| shown(it)), 5)
        ),
        (_, _) => say!(l, "machines were reached: {}", some(l, names.iter().map(|it| shown(it)), 5)),
    };
    if !reached.is_empty() {
        look.deviations.push(text.clone());
    }
    // A call that names no machine reached one all the same.
    let value: Vec<&str> = if names.is_empty() && !reached.is_empty() { vec!["unnamed"] } else { names };
    look.fact("machines_reached", value, Confidence::Exact, ids(reached), text);
}

fn same_source<'e>(look: &mut Look<'e>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let events = look.events("same-source");
    if !look.answers.contains_key("same-source") {
        return;
    }
    // In the account of a role that somebody from elsewhere assumes, he is but a principal: the same as in his own.
    let is_foreign = |it: &Event| it.get(Field::CallerType) == "AWSAccount";
    let named: FxHashMap<&str, &str> = events
        .iter()
        .filter(|it| !is_foreign(it) && !it.get(Field::UserId).is_empty())
        .map(|it| (it.get(Field::UserId), it.identity()))
        .collect();
    let whose = |it: &'e Event| -> &'e str {
        let known = named.get(it.get(Field::UserId)).copied().filter(|_| is_foreign(it));
        known.unwrap_or_else(|| it.identity())
    };
    let people: FxHashSet<&str> = events.iter().map(|it| whose(it)).filter(|it| !it.is_empty()).collect();
    let people: BTreeSet<&str> = people.into_iter().collect();
    let text = say!(l, "{|identity|identities} used the address in the week", people.len());
    if people.len() > 1 {
        let names = some(l, people.iter().map(|it| shown(short(it))), 5);
        evidence.statements.push(say!(l, "{}: {}.", text, names));
    }
    evidence.results.push(tally(
        l,
        "same-source",
        &heads!["identity and account"][0],
        events.iter().map(|it| &**it),
        |it| (place(whose(it)), place(it.get(Field::Account))),
        |it| Joined([short(whose(it)), " · ", it.get(Field::Account)]),
        |it| case.is_own(it),
    ));
    let count = people.len();
    look.fact("source_identities", count, Confidence::Exact, ids(events.iter().map(|it| &**it)), text);
}
