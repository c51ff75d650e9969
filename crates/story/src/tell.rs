//! Actors told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ecs::Millis;
use identity::{Call, Confidence, End};
use investigate::{Actor, Cast, DeedKind, Event, Field, fill::shown, request};
use rule::GuideLanguage;

use crate::fold::fold;
use crate::portrait::{Counted, Deed, Portrait, tally};
use crate::share;
use crate::words::{Words, fill, number, words};

/// Names of what must be known are all told, up to so many; of other things
const NAMED_MAX: usize = 100;
/// so many.
const OTHERS_MAX: usize = 5;
/// What stands where AWS tells nothing.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// Addresses in a sentence.
const ADDRESSES_MAX: usize = 6;

/// The events that an alert stands on.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// The `_id`s of its events.
    pub events: Vec<String>,
}

/// Tells what the actors did. `marks` are the alerts, in the order of the suspects.
pub fn tell(cast: &Cast, marks: &[Mark], language: GuideLanguage) -> Vec<Portrait> {
    let words = words(language);
    let mut by_event: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, mark) in marks.iter().enumerate() {
        for event in &mark.events {
            by_event.entry(event).or_default().push(at);
        }
    }
    let mut all: Vec<Portrait> = cast.actors.iter().map(|it| portrait(it, &by_event, words)).collect();
    tell_apart(&mut all);
    for it in &mut all {
        it.sentence = sentence(it, words);
    }
    all
}

/// Of the same short name in several accounts each says its account.
fn tell_apart(all: &mut [Portrait]) {
    let names = tally(all.iter().map(|it| it.short.as_str()));
    for it in all.iter_mut() {
        let is_shared = names.iter().any(|name| name.calls > 1 && name.value == it.short);
        if let Some(account) = it.account.as_ref().filter(|_| is_shared) {
            it.short = format!("{} ({account})", it.short);
        }
    }
}

fn portrait(actor: &Actor, by_event: &HashMap<&str, Vec<usize>>, words: &Words) -> Portrait {
    let events = &actor.events;
    let values = |field: Field| tally(events.iter().map(|it| it.get(field)));
    let acts = fold(events, |id| by_event.get(id).cloned().unwrap_or_default());
    let told: HashSet<usize> = acts.iter().flat_map(|it| &it.alerts).copied().collect();
    Portrait {
        name: actor.name.clone(),
        short: short(&actor.name).to_owned(),
        kind: words.kind(actor.kind.as_deref(), actor.service.as_deref()),
        account: actor.account.clone(),
        confidence: actor.confidence,
        span: events.first().zip(events.last()).map(|(first, last)| (first.time, last.time)),
        sentence: String::new(),
        sure: sure(actor, words),
        calls: events.len(),
        refused: events.iter().filter(|it| it.is_refused()).count(),
        writes: events.iter().filter(|it| it.is_write()).count(),
        addresses: values(Field::Address),
        agents: values(Field::Agent),
        regions: values(Field::Region),
        accounts: values(Field::Account),
        services: values(Field::Provider),
        deeds: deeds(events, words),
        acts,
        is_cut: actor.is_cut,
        alerts: actor.suspects.clone(),
        loose: actor.suspects.iter().copied().filter(|at| !told.contains(at)).collect(),
    }
}

fn sentence(it: &Portrait, words: &Words) -> String {
    let who = shown(&it.short);
    let account = it.account.as_deref().map(shown);
    let account = account.map(|it| fill(words.in_account, &[("account", &it)])).unwrap_or_default();
    let Some((start, end)) = it.span else {
        let values = [("who", who.as_str()), ("kind", &it.kind), ("account", &account)];
        return fill(words.nothing_seen, &values);
    };
    let addresses = named(it.addresses.iter().map(|it| it.value.as_str()), ADDRESSES_MAX, words);
    let from = if addresses.is_empty() { addresses } else { fill(words.from, &[("addresses", &addresses)]) };
    let refused = match it.refused {
        0 => String::new(),
        count => fill(words.refused, &[("number", &number(count))]),
    };
    let day = time(start);
    let same_day = time(end)[..10] == day[..10];
    let end = if same_day { time(end)[11..].to_owned() } else { time(end) };
    let values = [
        ("who", who.as_str()),
        ("kind", &it.kind),
        ("account", &account),
        ("calls", &words.calls(it.calls)),
        ("start", &day),
        ("end", &end),
        ("from", &from),
        ("refused", &refused),
    ];
    let told = fill(words.sentence, &values);
    if it.is_cut { format!("{told} {}", fill(words.cut, &[("number", &number(it.calls))])) } else { told }
}

/// How sure it is who it was.
fn sure(actor: &Actor, words: &Words) -> String {
    let sessions =
        actor.sessions.iter().filter(|it| it.call != Call::CreateAccessKey && it.key.is_some()).count();
    match (actor.end, actor.confidence) {
        (End::NoIssue | End::Depth, _) => words.no_issue.to_owned(),
        (End::Ambiguous, _) => words.ambiguous.to_owned(),
        (End::Loop, _) => words.broken.to_owned(),
        (End::Head | End::Named, Confidence::Exact) if sessions > 0 => {
            fill(words.exact_sessions, &[("sessions", &words.sessions(sessions))])
        }
        (End::Head | End::Named, Confidence::Exact) => words.exact.to_owned(),
        (End::Head | End::Named, Confidence::Inferred) => words.inferred.to_owned(),
        (End::Head | End::Named, Confidence::Weak) => words.several_calls.to_owned(),
    }
}

/// What was done, in the order in which it began.
fn deeds(events: &[Arc<Event>], words: &Words) -> Vec<Deed> {
    let mut kinds: BTreeMap<DeedKind, Vec<&Event>> = BTreeMap::new();
    for event in events {
        kinds.entry(kind_of(event)).or_default().push(event);
    }
    let mut deeds: Vec<Deed> = kinds.into_iter().map(|(kind, its)| deed(kind, &its, words)).collect();
    deeds.sort_by_key(|it| (it.kind.is_routine(), it.start, it.kind));
    deeds
}

/// A change that gives nobody access is no sharing, and one that ends it takes it back.
fn kind_of(event: &Event) -> DeedKind {
    let kind = DeedKind::of(event);
    if kind != DeedKind::Shared {
        return kind;
    }
    if share::takes_back(&event.text_at(Field::Request as usize)) {
        return DeedKind::TookBack;
    }
    if share::shares(event).is_empty() { DeedKind::Changed } else { kind }
}

fn deed(kind: DeedKind, its: &[&Event], words: &Words) -> Deed {
    let texts: Vec<String> = its.iter().map(|it| about(kind, it, words)).collect();
    let objects = if kind.names_objects() {
        // In the order in which they came.
        let mut seen: Vec<Counted> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for text in texts.iter().filter(|it| !it.is_empty()) {
            let at = *places.entry(text).or_insert(seen.len());
            if at == seen.len() {
                seen.push(Counted { value: text.clone(), calls: 0 });
            }
            seen[at].calls += 1;
        }
        seen
    } else {
        tally(texts.iter().map(String::as_str))
    };
    let is_each = kind.names_objects() && kind != DeedKind::TookSessions;
    let count = if is_each { objects.len() } else { its.len() };
    let most = if kind.names_all() { NAMED_MAX } else { OTHERS_MAX };
    let told: Vec<String> = objects
        .iter()
        .map(|it| if it.calls > 1 { format!("{} ×{}", it.value, number(it.calls)) } else { it.value.clone() })
        .collect();
    let text = words.deed(kind, count, &named(told.iter().map(String::as_str), most, words));
    let (start, end) = (its[0].time, its[its.len() - 1].time);
    Deed { kind, start, end, calls: its.len(), text, objects }
}

/// What a call is about, as its kind tells it.
fn about(kind: DeedKind, event: &Event, words: &Words) -> String {
    let text = || event.text_at(Field::Request as usize);
    let object = || request::object(&text()).map_or_else(|| event.call(), |it| short(&it).to_owned());
    match kind {
        DeedKind::MadeKeys => match event.get(Field::MadeKey) {
            "" => object(),
            key => {
                let user = request::object(&text()).filter(|it| it != key);
                let owner = user.unwrap_or_else(|| short(event.identity()).to_owned());
                fill(words.for_whom, &[("what", key), ("whom", &owner)])
            }
        },
        DeedKind::TookSessions => match event.get(Field::RoleArn) {
            "" => event.call(),
            role => short(role).to_owned(),
        },
        DeedKind::Granted | DeedKind::Trusted => {
            let more: Vec<String> = request::highlights(&text())
                .into_iter()
                .map(|(_, it)| short(&it).to_owned())
                .filter(|it| it != HIDDEN)
                .collect();
            match more.as_slice() {
                [] => format!("{} {}", event.get(Field::Action), object()),
                more => format!("{} {} ({})", event.get(Field::Action), object(), more.join(", ")),
            }
        }
        DeedKind::Shared => share::told(event)
            .map(|it| it.replace("→ *", &format!("→ {}", words.everyone)))
            .unwrap_or_default(),
        DeedKind::OpenedNetworks => {
            let more: Vec<String> = request::highlights(&text()).into_iter().map(|(_, it)| it).collect();
            format!("{} {} {}", event.get(Field::Action), object(), more.join(" ")).trim_end().to_owned()
        }
        DeedKind::RanMachines => {
            let made: Vec<&str> = event.all(Field::MadeInstance).iter().map(|it| &**it).collect();
            if made.is_empty() {
                format!("{} {}", event.get(Field::Action), object())
            } else {
                made.join(", ")
            }
        }
        DeedKind::MadeUsers
        | DeedKind::MadeLogins
        | DeedKind::MadeRoles
        | DeedKind::MadePolicies
        | DeedKind::ReadSecrets
        | DeedKind::ReadData
        | DeedKind::WroteData
        | DeedKind::RanCommands
        | DeedKind::ChangedCode
        | DeedKind::MadeCopies => object(),
        DeedKind::Refused => {
            fill(words.of, &[("what", event.get(Field::ErrorCode)), ("whom", &event.call())])
        }
        DeedKind::SignedIn
        | DeedKind::ChangedLogging
        | DeedKind::TookBack
        | DeedKind::Destroyed
        | DeedKind::LookedAround
        | DeedKind::Changed => event.call(),
    }
}

/// The first of several values; how many more there are.
fn named<'v>(values: impl Iterator<Item = &'v str>, most: usize, words: &Words) -> String {
    let all: Vec<&str> = values.collect();
    let mut told: Vec<String> = all.iter().take(most).map(|it| shown(it)).collect();
    if all.len() > most {
        told.push(fill(words.and_more, &[("number", &number(all.len() - most))]));
    }
    told.join(words.comma)
}

/// An ARN without its beginning.
fn short(arn: &str) -> &str {
    if arn.starts_with("arn:") { arn.splitn(6, ':').nth(5).unwrap_or(arn) } else { arn }
}

fn time(at: Millis) -> String {
    let text = ecs::date::to_iso(at);
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| seconds.replace('T', " "))
}
