//! `refusal-reason`: what was asked, how often, and why it was refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Case;
use crate::class::is_instance_id;
use crate::event::{Event, Field, place};
use crate::evidence::{Confidence, Evidence, Found, Lack, Row};
use crate::fill::{Command, shown};
use crate::look::{Joined, Look, MINUTE, ids, lasting, short, tally, time};
use crate::say::{heads, say, term};

/// Longer messages are not indexed, as in the published mapping.
const INDEXED_CHARS: usize = 1_024;
/// More calls than that within a minute are a burst.
const BURST: usize = 5;

/// What a refusal's message says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// `no identity-based policy`, `explicit deny in a service control policy`; nothing if the message does not say.
    pub policy: Option<String>,
    /// Whether a policy forbids it, rather than none allowing it.
    pub is_explicit: bool,
    /// The encoded message, for `aws sts decode-authorization-message`.
    pub encoded: Option<String>,
}

/// Reads the message of a refusal.
pub fn read(message: &str) -> Reason {
    let mut reason = Reason::default();
    let after = |words: &str| message.find(words).map(|at| &message[at + words.len()..]);
    if let Some(rest) = after("with an explicit deny in a") {
        let rest = rest.strip_prefix('n').unwrap_or(rest).trim_start();
        let kind = rest.split(['.', ',', ':', '\n']).next().unwrap_or_default();
        let kind = kind.find("policy").map_or(kind, |at| &kind[..at + 6]);
        reason.is_explicit = true;
        let article = if kind.starts_with('i') { "an" } else { "a" };
        reason.policy = Some(format!("explicit deny in {article} {}", kind.trim()));
    } else if let Some(rest) = after("because no ") {
        let kind = rest.find(" allows").map_or(rest, |at| &rest[..at]);
        reason.policy = Some(format!("no {}", kind.trim()));
    }
    if let Some(rest) = after("Encoded authorization failure message:") {
        let text: String = rest.trim_start().chars().take_while(|it| !it.is_whitespace()).collect();
        let is_encoded = |it: char| it.is_ascii_alphanumeric() || "_-=+/".contains(it);
        let text: String = text.chars().take_while(|it| is_encoded(*it)).collect();
        reason.encoded = (!text.is_empty()).then_some(text);
    }
    reason
}

/// Whether the call was answered, or would have been.
fn is_answered(event: &Event) -> bool {
    !event.is_refused() || event.get(Field::ErrorCode) == "Client.DryRunOperation"
}

pub(crate) fn refusal_reason(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let anybody = look.events("anybody");
    // Of what was counted, or of a call that is older than the window, the anchors are all there is.
    let own: Vec<&Event> = if anybody.is_empty() {
        case.anchors.iter().collect()
    } else {
        anybody.iter().map(|it| &**it).filter(|it| case.is_own(it)).collect()
    };
    if case.is_bare {
        return;
    }
    anchor(case, evidence);
    let targets: BTreeSet<&str> =
        own.iter().flat_map(|it| it.all(Field::AskedInstance)).map(|it| &**it).collect();
    let action = case.anchor().map_or("", |it| it.get(Field::Action)).to_owned();
    let valid = targets.iter().filter(|it| is_instance_id(it)).count();
    let known = known(look, &targets, &action);
    let span = own.last().map_or(0, |it| it.time) - own.first().map_or(0, |it| it.time);
    let asked = if own.len() < 2 {
        say!(l, "{|call|calls} of {} by this session", own.len(), shown(&action))
    } else {
        let span = lasting(l, span.max(1_000));
        say!(l, "{|call|calls} of {} by this session in {}", own.len(), shown(&action), span)
    };
    let sentence = if targets.is_empty() {
        asked
    } else {
        let what = |count: usize| match count {
            0 => say!(l, "none of them"),
            count if count == targets.len() => say!(l, "all of them"),
            count => say!(l, "{} of them", count),
        };
        let asked = say!(
            l,
            "{} for {|instance|different instances}, {} known here and {} of a valid form",
            asked,
            targets.len(),
            what(known.len()),
            what(valid)
        );
        if valid == 0 { say!(l, "{}: the caller guesses or uses a test tool", asked) } else { asked }
    };
    evidence.statements.push(say!(l, "{}.", sentence));
    look.fact("calls", own.len(), Confidence::Exact, ids(own.iter().copied()), sentence);
    if !targets.is_empty() {
        let text = say!(l, "{|instance was asked for|instances were asked for}", targets.len());
        look.exact("targets", targets.len(), text);
        look.exact("targets_valid", valid, say!(l, "{} of them have the form of an instance id", valid));
        let text = say!(l, "{} of them are known from other events", known.len());
        look.exact("targets_known", known.len(), text);
    }
    let burst = own.windows(BURST + 1).any(|it| it[BURST].time - it[0].time <= MINUTE);
    let text = if burst {
        say!(l, "more than five calls within a minute")
    } else {
        say!(l, "no more than five calls in any minute")
    };
    look.exact("burst", burst, text);
    reasons(look, &own, evidence);
    elsewhere(look, anybody.iter().map(|it| &**it), evidence);
    let refused: BTreeSet<&str> = look
        .events("session")
        .iter()
        .filter(|it| it.is_refused())
        .map(|it| it.get(Field::Provider))
        .collect();
    look.exact(
        "probing_services",
        refused.len(),
        say!(l, "{|service refused this session|services refused this session}", refused.len()),
    );
    if own.iter().any(|it| is_answered(it)) && case.anchors.iter().all(|it| !it.is_write()) {
        evidence.lacks(
            Lack::NotRecorded,
            say!(l, "CloudTrail records no response for read calls: what was answered is not in the data"),
        );
    }
    let is_long = |it: &&Event| it.get(Field::ErrorMessage).chars().count() > INDEXED_CHARS;
    if own.iter().copied().any(|it| is_long(&it)) {
        evidence.lacks(
            Lack::TooLong,
            say!(
                l,
                "an error message has more than {} characters, which is the limit of the index: it was read in the document, and no query finds it by its text",
                INDEXED_CHARS
            ),
        );
    }
    if own.iter().any(|it| it.get(Field::Request).contains("HIDDEN_DUE_TO_SECURITY_REASONS")) {
        evidence.lacks(
            Lack::Hidden,
            say!(
                l,
                "AWS hides parameters of the request in CloudTrail; the command history of SSM has them for 30 days"
            ),
        );
    }
}

fn anchor(case: &Case, evidence: &mut Evidence) {
    let rows = case.anchors.iter().map(|it| Row {
        cells: vec![
            time(it.time),
            it.call(),
            it.get(Field::Region).to_owned(),
            it.get(Field::ErrorCode).to_owned(),
            it.get(Field::Address).to_owned(),
            it.get(Field::Agent).to_owned(),
            it.text_at(Field::Request as usize),
        ],
        events: vec![it.id.to_string()],
        count: 1,
        is_own: true,
    });
    let columns = heads!["time", "call", "region", "error", "from", "agent", "request"];
    evidence.results.push(Found::table(term!("anchor"), "table", columns, rows));
}

/// The targets that another call names, too.
fn known<'t>(look: &Look<'_>, targets: &BTreeSet<&'t str>, action: &str) -> BTreeSet<&'t str> {
    let touched = look.events("touched").iter().chain(look.events("launch"));
    let mut known = BTreeSet::new();
    for event in touched.filter(|it| it.get(Field::Action) != action) {
        let names = event.all(Field::Hosts).iter().chain(event.all(Field::MadeInstance));
        known.extend(names.filter_map(|it| targets.get(&**it).copied()));
    }
    known
}

fn reasons(look: &mut Look<'_>, own: &[&Event], evidence: &mut Evidence) {
    let l = look.language;
    let mut found: BTreeMap<Reason, Vec<&Event>> = BTreeMap::new();
    for event in own.iter().copied().filter(|it| it.is_refused()) {
        let mut reason = read(event.get(Field::ErrorMessage));
        let encoded = reason.encoded.take();
        found.entry(reason).or_default().push(event);
        if let Some(encoded) = encoded
            && evidence.command.is_none()
        {
            let text = format!("aws sts decode-authorization-message --encoded-message {encoded}");
            evidence.command = Some(Command { text, ..Command::default() });
        }
    }
    let words = |reason: &Reason| reason.policy.clone().unwrap_or_default();
    let mut rows: Vec<Row> = found
        .iter()
        .map(|(reason, events)| Row {
            cells: vec![words(reason), events.len().to_string()],
            events: ids(events.iter().copied()),
            count: events.len() as u64,
            is_own: true,
        })
        .collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cells.cmp(&b.cells)));
    let Some(first) = rows.first() else { return };
    let (value, events) = (first.cells[0].clone(), first.events.clone());
    let text = match value.as_str() {
        "" => say!(l, "the refusals do not name their reason"),
        reason => {
            let all = rows.iter().map(|it| it.count).sum::<u64>();
            say!(l, "{} of {|refusal|refusals}: {}", first.count, all, reason)
        }
    };
    for row in rows.iter_mut().filter(|it| it.cells[0].is_empty()) {
        row.cells[0] = say!(l, "not named");
    }
    evidence.statements.push(say!(l, "Refusals: {}.", text));
    let value = if value.is_empty() { "unknown".to_owned() } else { value };
    look.fact("reason", value, Confidence::Exact, events, text);
    let explicit = found.keys().any(|it| it.is_explicit);
    if explicit {
        let text = say!(l, "A policy forbids it explicitly: without that, the permission may be there.");
        evidence.statements.push(text);
    }
    let text = if explicit {
        say!(l, "a policy denies it explicitly")
    } else {
        say!(l, "no explicit deny is named")
    };
    look.exact("explicit_deny", explicit, text);
    let columns = heads!["reason", "count"];
    evidence.results.push(Found::table(term!("reasons"), "values", columns, rows).of_events(own.len()));
    let dry = own.iter().any(|it| it.get(Field::ErrorCode) == "Client.DryRunOperation");
    let text =
        if dry { say!(l, "the caller asked only whether it may, and may") } else { say!(l, "no dry run") };
    look.exact("dry_run", dry, text);
}

/// Whether anybody else got an answer.
fn elsewhere<'e>(look: &mut Look<'_>, anybody: impl Iterator<Item = &'e Event>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    if !look.answers.contains_key("anybody") {
        return;
    }
    let all: Vec<&Event> = anybody.collect();
    let others: Vec<&Event> = all.iter().copied().filter(|it| is_answered(it) && !case.is_own(it)).collect();
    let answered = say!(l, "answered");
    evidence.results.push(tally(
        l,
        "anybody",
        &heads!["identity and outcome"][0],
        all.iter().copied(),
        |it| (place(it.identity()), it.is_refused(), place(it.get(Field::ErrorCode))),
        |it| {
            let outcome = if it.is_refused() { it.get(Field::ErrorCode) } else { &answered };
            Joined([short(it.identity()), " · ", outcome])
        },
        |it| case.is_own(it),
    ));
    let text = match others.len() {
        0 => say!(l, "nobody else was answered"),
        count => say!(l, "{|answered request|answered requests} of the same call by others", count),
    };
    look.fact("success_elsewhere", others.len(), Confidence::Exact, ids(others.iter().copied()), text);
    let src = case.get("src");
    // Of one who was answered, more answers are no news.
    let own = case.anchor().filter(|it| is_answered(it)).map(Event::identity);
    let same: Vec<&Event> = others
        .into_iter()
        .filter(|it| !src.is_empty() && it.get(Field::Address) == src && own != Some(it.identity()))
        .collect();
    let text = match same.len() {
        0 => say!(l, "none of them from the same address"),
        count => say!(l, "{|was answered|were answered} from the same address", count),
    };
    let count = same.len();
    look.fact("same_source_success", count, Confidence::Exact, ids(same), text);
    // Sessions of whoever is behind this one, whatever their role.
    let keys: Vec<&str> = case.all("chain_keys").iter().map(String::as_str).collect();
    let reach = look.graph.reach(&keys, i64::MAX);
    let theirs: BTreeSet<&str> =
        reach.sessions.iter().filter_map(|it| it.issue.key).chain(keys.iter().copied()).collect();
    let later: Vec<&Event> = all
        .iter()
        .copied()
        .filter(|it| it.time > case.last && is_answered(it) && !case.is_own(it))
        .filter(|it| theirs.contains(it.get(Field::Key)))
        .collect();
    let text = match later.first() {
        None => say!(l, "whoever is behind the session was not answered later by another identity"),
        Some(first) => say!(
            l,
            "whoever is behind the session was answered later, as {}, at {}",
            shown(short(first.identity())),
            time(first.time)
        ),
    };
    let value = !later.is_empty();
    look.fact("answered_later", value, Confidence::Exact, ids(later), text);
    let answered = case.anchors.iter().any(is_answered);
    let text = if answered { say!(l, "the call was answered") } else { say!(l, "the call was refused") };
    look.exact("answered", answered, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let it = read(
            "User: x is not authorized to perform: ec2:GetPasswordData on resource: y because no identity-based policy allows the ec2:GetPasswordData action. Encoded authorization failure message: aB-c_9 rest",
        );
        assert_eq!(it.policy.as_deref(), Some("no identity-based policy"));
        assert_eq!((it.is_explicit, it.encoded.as_deref()), (false, Some("aB-c_9")));
        let it =
            read("… with an explicit deny in a service control policy: arn:aws:organizations::1:policy/x");
        assert_eq!(
            (it.policy.as_deref(), it.is_explicit),
            (Some("explicit deny in a service control policy"), true)
        );
        let it = read("… with an explicit deny in an identity-based policy");
        assert_eq!(it.policy.as_deref(), Some("explicit deny in an identity-based policy"));
        assert_eq!(
            read(
                "You are not authorized to perform this operation. Encoded authorization failure message: $(x)"
            ),
            Reason::default()
        );
        assert_eq!(read(""), Reason::default());
    }
}
