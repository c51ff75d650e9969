//! `role-baseline`: is this how the role normally works?

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use rustc_hash::FxHashMap;

use crate::event::{Event, Field, call_of, call_pieces, form_of_session, place, tool};
use crate::evidence::{Confidence, Evidence, Found, Lack, ROW_EVENTS_MAX, Row};
use crate::fill::shown;
use crate::look::{DAY, HOUR, Joined, Look, MINUTE, ids, short, some, time, upper};
use crate::say::{heads, say, term, word};

/// How far back behaviour is looked at.
const NOMINAL: Millis = 30 * DAY;
/// Later calls of the session are not compared any more.
const AFTER: Millis = 2 * HOUR;
/// With fewer calls in the past nothing is surely new.
pub(crate) const CALLS_MIN: usize = 50;
/// With fewer calls, or on fewer days, no hour is unusual.
const HOUR_CALLS_MIN: usize = 100;
const HOUR_DAYS_MIN: usize = 7;

/// What is compared. An identity may have tens of thousands of calls: they are told apart by texts that events have, and only
/// of what differs in these the value is made.
struct Dimension {
    name: &'static str,
    fact: Option<&'static str>,
    texts: for<'e> fn(&'e Event) -> [&'e str; 2],
    value: fn([&str; 2]) -> String,
    /// Whether an empty value is one, too.
    may_be_empty: bool,
}

impl Dimension {
    /// One that is a column.
    const fn of(
        name: &'static str,
        fact: Option<&'static str>,
        texts: for<'e> fn(&'e Event) -> [&'e str; 2],
    ) -> Self {
        Self { name, fact, texts, value: |[text, _]| text.to_owned(), may_be_empty: false }
    }
}

const DIMENSIONS: [Dimension; 9] = [
    Dimension::of(term!("address"), Some("new_source"), |it| [it.get(Field::Address), ""]),
    Dimension::of(term!("network"), Some("new_network"), |it| [it.get(Field::Network), ""]),
    Dimension::of(term!("country"), Some("new_country"), |it| [it.get(Field::Country), ""]),
    Dimension {
        value: |[agent, _]| tool(agent).to_owned(),
        ..Dimension::of(term!("tool"), Some("new_tool"), |it| [it.get(Field::Agent), ""])
    },
    Dimension::of(term!("agent"), None, |it| [it.get(Field::Agent), ""]),
    Dimension::of(term!("region"), Some("new_region"), |it| [it.get(Field::Region), ""]),
    Dimension {
        value: |[provider, action]| call_of(provider, action),
        ..Dimension::of(term!("action"), Some("new_actions"), |it| {
            [it.get(Field::Provider), it.get(Field::Action)]
        })
    },
    Dimension {
        value: |[arn, _]| form_of_session(arn),
        ..Dimension::of(term!("session form"), Some("session_form_new"), |it| [it.get(Field::Arn), ""])
    },
    Dimension {
        value: |[delivery, _]| if delivery.is_empty() { "none".to_owned() } else { delivery.to_owned() },
        may_be_empty: true,
        ..Dimension::of(term!("delivery"), None, |it| [it.get(Field::Delivery), ""])
    },
];

/// How often, when first and last, on which days.
#[derive(Default)]
struct Seen<'e> {
    count: usize,
    first: Millis,
    last: Millis,
    days: BTreeSet<Millis>,
    /// The first of them.
    events: Vec<&'e Event>,
    has_write: bool,
}

impl<'e> Seen<'e> {
    fn add(&mut self, event: &'e Event) {
        let day = event.time.div_euclid(DAY);
        // They come in order.
        if self.days.last() != Some(&day) {
            self.days.insert(day);
        }
        if self.count == 0 {
            self.first = event.time;
        }
        self.count += 1;
        self.last = event.time;
        self.has_write |= event.is_write();
        if self.events.len() < ROW_EVENTS_MAX {
            self.events.push(event);
        }
    }

    fn merge(&mut self, other: Self) {
        self.first = if self.count == 0 { other.first } else { self.first.min(other.first) };
        self.count += other.count;
        self.last = self.last.max(other.last);
        self.days.extend(other.days);
        self.has_write |= other.has_write;
        self.events.extend(other.events);
        earliest(&mut self.events);
    }
}

/// Keeps the first events, as many as are named.
fn earliest(events: &mut Vec<&Event>) {
    events.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    events.truncate(ROW_EVENTS_MAX);
}

/// The values of every dimension, by its place. Events mostly share their texts, which are told apart by where they stand;
/// of what is the same all the same the value is, too.
fn seen<'e>(events: &[&'e Event]) -> [BTreeMap<String, Seen<'e>>; DIMENSIONS.len()] {
    type ByPlace<'e> = FxHashMap<[(usize, usize); 2], ([&'e str; 2], Seen<'e>)>;
    let mut by_place: [ByPlace<'e>; DIMENSIONS.len()] = std::array::from_fn(|_| ByPlace::default());
    for &event in events {
        for (dimension, its) in DIMENSIONS.iter().zip(&mut by_place) {
            let texts = (dimension.texts)(event);
            its.entry(texts.map(place)).or_insert_with(|| (texts, Seen::default())).1.add(event);
        }
    }
    let mut by_place = by_place.into_iter();
    DIMENSIONS.each_ref().map(|dimension| {
        let mut out: BTreeMap<String, Seen<'e>> = BTreeMap::new();
        // Merging them gives the same in any order.
        for (texts, its) in by_place.next().into_iter().flatten().map(|it| it.1) {
            let value = (dimension.value)(texts);
            if !value.is_empty() || dimension.may_be_empty {
                out.entry(value).or_default().merge(its);
            }
        }
        out
    })
}

pub(crate) fn role_baseline(look: &mut Look<'_>, data_from: Option<Millis>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    if case.is_bare || !look.answers.contains_key("behaviour") {
        return;
    }
    let events = look.events("behaviour");
    let from = case.first - NOMINAL;
    let past: Vec<&Event> = events
        .iter()
        .map(|it| &**it)
        .filter(|it| it.time >= from && it.time < case.session_start && !case.is_own(it))
        .collect();
    let now: Vec<&Event> =
        events.iter().map(|it| &**it).filter(|it| case.is_own(it) && it.time <= case.last + AFTER).collect();
    let what = if case.get("role_arn").is_empty() { say!(l, "identity") } else { say!(l, "role") };
    let began = data_from.map_or(from, |it| it.max(from)).min(case.session_start);
    let days = (case.first - began).max(0) / DAY;
    let confidence = if past.len() < CALLS_MIN { Confidence::Weak } else { Confidence::Exact };
    if data_from.is_none_or(|it| it > from) {
        let text = say!(
            l,
            "history of the {} begins at {}, so \"first seen\" means first in {|day|days} of data",
            what,
            time(began),
            days
        );
        evidence.statements.push(say!(l, "{}.", upper(&text)));
        evidence.lacks(Lack::ShortHistory, text);
    }
    look.exact("history_days", days, say!(l, "{|day|days} of data before the session", days));
    look.exact(
        "history_calls",
        past.len(),
        say!(l, "{|call before the session|calls before the session}", past.len()),
    );
    if past.is_empty() {
        let text = say!(l, "no earlier call of this {} is in the data, so nothing can be called new", what);
        evidence.statements.push(say!(l, "{}.", upper(&text)));
        look.deviations.push(text);
    }
    let mut rows = Vec::new();
    let is_role = !case.get("role_arn").is_empty();
    // A user has no sessions with names.
    let seen = DIMENSIONS.iter().zip(seen(&past)).zip(seen(&now));
    for ((dimension, before), here) in seen.filter(|it| is_role || it.0.0.fact != Some("session_form_new")) {
        let new: Vec<&String> = here.keys().filter(|it| !before.contains_key(*it)).collect();
        for (value, it) in &here {
            let known = before.get(value);
            // Another version of a tool that is known is not new.
            let is_version = dimension.name == "agent" && before.keys().any(|it| tool(it) == tool(value));
            rows.push(Row {
                cells: vec![
                    word(l, dimension.name).to_owned(),
                    value.clone(),
                    match known {
                        None if is_version => say!(l, "other version"),
                        None => say!(l, "new"),
                        Some(_) => say!(l, "seen"),
                    },
                    it.count.to_string(),
                    known.map_or(0, |it| it.count).to_string(),
                    known.map_or(0, |it| it.days.len()).to_string(),
                    known.map(|it| time(it.first)).unwrap_or_default(),
                    known.map(|it| time(it.last)).unwrap_or_default(),
                ],
                events: ids(it.events.iter().copied()),
                count: it.count as u64,
                is_own: true,
            });
        }
        let Some(fact) = dimension.fact else { continue };
        // Without a database of places nothing is known of them.
        if here.is_empty() {
            continue;
        }
        let usual = || {
            let mut all: Vec<(&String, &Seen<'_>)> = before.iter().collect();
            all.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
            some(l, all.iter().map(|(value, _)| shown(value)), 3)
        };
        let sentence = if new.is_empty() {
            say!(l, "no new {}", word(l, dimension.name))
        } else {
            let history = match past.len() {
                0 => say!(l, "no call of it is known before"),
                count => say!(l, "{|call|calls} in {|day|days}: {}", count, days, usual()),
            };
            say!(
                l,
                "{} {} never used by this {} before ({})",
                word(l, dimension.name),
                some(l, new.iter().map(|it| shown(it)), 3),
                what,
                history
            )
        };
        if !new.is_empty() && !past.is_empty() {
            evidence.statements.push(say!(l, "{}.", upper(&sentence)));
            look.deviations.push(sentence.clone());
        }
        let mut events: Vec<&Event> = new.iter().flat_map(|it| &here[*it].events).copied().collect();
        earliest(&mut events);
        let events = ids(events);
        if fact == "new_actions" {
            // Those that change something first.
            let is_write = |value: &&&String| here[**value].has_write;
            let mut values: Vec<String> = new.iter().filter(is_write).map(|it| (*it).clone()).collect();
            values.extend(new.iter().filter(|it| !is_write(it)).map(|it| (*it).clone()));
            look.fact(fact, values, confidence, events, sentence);
        } else {
            look.fact(fact, !new.is_empty(), confidence, events, sentence);
        }
    }
    if let Some(row) = assumer(look, &what) {
        rows.push(row);
    }
    let new = say!(l, "new");
    rows.sort_by_key(|it| it.cells[2] != new);
    let columns = heads!["what", "value", "", "now", "before", "days", "first", "last"];
    evidence
        .results
        .push(Found::table(term!("compare"), "compare", columns, rows).of_events(past.len() + now.len()));
    hours(look, &past, evidence);
    week(l, &past, evidence);
    let refused = now.iter().filter(|it| it.is_refused()).count();
    let share = |part: usize, all: usize| (part * 100).checked_div(all).unwrap_or(0);
    let before = share(past.iter().filter(|it| it.is_refused()).count(), past.len());
    let percent = share(refused, now.len());
    look.exact(
        "refused_share",
        percent,
        say!(l, "{} % of the session's calls were refused; {} % before", percent, before),
    );
    rate(look, &past, &now, evidence);
    rhythm(look, &past, &now);
}

/// Whoever assumed the role, against those who did before.
fn assumer(look: &Look<'_>, what: &str) -> Option<Row> {
    let l = look.language;
    let fact =
        look.facts.iter().find(|it| it.name == "assumer_new").filter(|_| what != say!(l, "identity"))?;
    let issuer = look.graph.chain(look.who, i64::MAX).hops.first()?.issue.caller.name().into_owned();
    let before = look.events("assumers").iter();
    let before: Vec<&Event> = before
        .map(|it| &**it)
        .filter(|it| it.identity() == issuer && !it.is_refused() && !fact.events.contains(&it.id.to_string()))
        .filter(|it| it.time < look.case.session_start)
        .collect();
    let days: BTreeSet<Millis> = before.iter().map(|it| it.time.div_euclid(DAY)).collect();
    let time = |it: Option<&&Event>| it.map(|it| time(it.time)).unwrap_or_default();
    Some(Row {
        cells: vec![
            word(l, term!("assumer")).to_owned(),
            short(&issuer).to_owned(),
            if fact.holds() { say!(l, "new") } else { say!(l, "seen") },
            "1".to_owned(),
            before.len().to_string(),
            days.len().to_string(),
            time(before.first()),
            time(before.last()),
        ],
        events: fact.events.clone(),
        count: 1,
        is_own: true,
    })
}

/// What an inventory or a backup looks like: it lists, with several actions, at the same minute every day.
fn rhythm(look: &mut Look<'_>, past: &[&Event], now: &[&Event]) {
    let l = look.language;
    let lists = |it: &&&Event| {
        let action = it.get(Field::Action);
        ["List", "Describe", "Get", "Head", "BatchGet", "Search"]
            .iter()
            .any(|start| action.starts_with(start))
    };
    let calls: BTreeSet<String> = now.iter().map(|it| it.call()).collect();
    let share = (now.iter().filter(lists).count() * 100).checked_div(now.len()).unwrap_or(0);
    look.exact("listing_share", share, say!(l, "{} % of the session's calls list or read", share));
    look.exact(
        "session_actions",
        calls.len(),
        say!(l, "{|kind of call|kinds of calls} in the session", calls.len()),
    );
    let (at, today) = (look.case.first.rem_euclid(DAY), look.case.first.div_euclid(DAY));
    let near = |it: &&&Event| {
        let apart = (it.time.rem_euclid(DAY) - at).abs();
        apart.min(DAY - apart) <= 5 * MINUTE && calls.contains(&it.call())
    };
    let days: BTreeSet<Millis> =
        past.iter().filter(near).map(|it| it.time.div_euclid(DAY)).filter(|it| *it < today).collect();
    let text = say!(l, "such calls came at the same minute on {|earlier day|earlier days}", days.len());
    look.exact("same_minute_days", days.len(), text);
}

fn hours(look: &mut Look<'_>, past: &[&Event], evidence: &mut Evidence) {
    let (at, l) = (look.case.first, look.language);
    let hour = |at: Millis| at.rem_euclid(DAY) / HOUR;
    // They come in order.
    let mut days: Vec<Millis> = past.iter().map(|it| it.time.div_euclid(DAY)).collect();
    days.dedup();
    let same = past.iter().filter(|it| hour(it.time) == hour(at)).count();
    let known = past.len() >= HOUR_CALLS_MIN && days.len() >= HOUR_DAYS_MIN;
    let percent = if past.is_empty() { 0 } else { same * 100 / past.len() };
    let text = if known && same == 0 {
        say!(
            l,
            "never active at {} h UTC in {|call|calls} on {|day|days}",
            format!("{:02}", hour(at)),
            past.len(),
            days.len()
        )
    } else {
        say!(l, "{} % of the earlier calls were made at {} h UTC", percent, format!("{:02}", hour(at)))
    };
    if known && same == 0 {
        look.deviations.push(text.clone());
    }
    if known {
        evidence.statements.push(say!(l, "{}.", upper(&text)));
    }
    let confidence = if known { Confidence::Exact } else { Confidence::Weak };
    look.fact("unusual_hour", known && same == 0, confidence, Vec::new(), text);
    if past.is_empty() {
        return;
    }
    let mut counts = [0_usize; 24];
    for event in past {
        counts[usize::try_from(hour(event.time)).unwrap_or(0)] += 1;
    }
    let rows = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(hour, count)| Row {
        cells: vec![format!("{hour:02}"), count.to_string()],
        count: *count as u64,
        ..Row::default()
    });
    let rows: Vec<Row> = rows.collect();
    let columns = heads!["hour (UTC)", "calls before"];
    evidence.results.push(Found::table(term!("hours"), "values", columns, rows).of_events(past.len()));
}

/// Monday, and the days after it.
const WEEKDAYS: [&str; 7] = [
    term!("Monday"),
    term!("Tuesday"),
    term!("Wednesday"),
    term!("Thursday"),
    term!("Friday"),
    term!("Saturday"),
    term!("Sunday"),
];

/// The hours of the past by days of the week: 24 characters a day, that of midnight first, from `1` for little to `9` for
/// the busiest hour.
fn week(l: rule::GuideLanguage, past: &[&Event], evidence: &mut Evidence) {
    let mut counts = [[0_usize; 24]; 7];
    for event in past {
        // The first of January 1970 was a Thursday.
        let day = (event.time.div_euclid(DAY) + 3).rem_euclid(7);
        let hour = event.time.rem_euclid(DAY) / HOUR;
        counts[usize::try_from(day).unwrap_or(0)][usize::try_from(hour).unwrap_or(0)] += 1;
    }
    // Of a few calls no picture comes.
    if past.len() < CALLS_MIN {
        return;
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(1).max(1);
    let shade = |count: usize| {
        let tenth = u32::try_from((count * 9).div_ceil(most)).unwrap_or(9);
        if count == 0 { '·' } else { char::from_digit(tenth, 10).unwrap_or('9') }
    };
    let rows = counts.iter().zip(WEEKDAYS).filter(|(hours, _)| hours.iter().any(|it| *it > 0)).map(
        |(hours, day)| {
            let count: usize = hours.iter().sum();
            let picture: String = hours.iter().map(|it| shade(*it)).collect();
            let all: Vec<String> = hours.iter().map(ToString::to_string).collect();
            Row {
                cells: vec![word(l, day).to_owned(), picture, count.to_string(), all.join(" ")],
                count: count as u64,
                ..Row::default()
            }
        },
    );
    let rows: Vec<Row> = rows.collect();
    let columns = heads!["day", "0 to 23 h (UTC), 9 is the busiest", "calls before", "calls by hour"];
    evidence.results.push(Found::table(term!("week"), "values", columns, rows).of_events(past.len()));
}

/// Calls an hour, against the hours of the past that had calls.
fn rate(look: &mut Look<'_>, past: &[&Event], now: &[&Event], evidence: &mut Evidence) {
    let busy = |events: &[&Event]| {
        // They come in order.
        let hours = events.chunk_by(|a, b| a.time.div_euclid(HOUR) == b.time.div_euclid(HOUR));
        let mut counts: Vec<usize> = hours.map(<[_]>::len).collect();
        counts.sort_unstable();
        counts
    };
    let (before, here) = (busy(past), busy(now));
    let Some(&most) = here.last() else { return };
    if before.len() < 20 {
        return;
    }
    let (usual, high) = (before[before.len() / 2], before[before.len() * 95 / 100]);
    evidence.statements.push(say!(
        look.language,
        "At most {} calls in one hour; in busy hours before half of the time at most {}, in 95 of 100 at most {}.",
        most,
        usual,
        high
    ));
    if most > 2 * high {
        let text = say!(
            look.language,
            "{} calls in one hour, {} times as many as in 95 of 100 busy hours before ({})",
            most,
            most / high.max(1),
            high
        );
        look.deviations.push(text);
    }
}

/// The actions that were done successfully, and those refused: used, which is not allowed.
pub(crate) fn used<'e>(look: &Look<'e>, evidence: &mut Evidence) {
    let events = look.events("used");
    if events.is_empty() {
        return;
    }
    let l = look.language;
    let head = &heads!["action used (not: allowed)"][0];
    let events = events.iter().map(|it| &**it);
    let is_own = |it: &Event| look.case.is_own(it);
    let key = |it: &'e Event| it.call_parts().map(place);
    let call = |it: &'e Event| Joined(call_pieces(it.call_parts()));
    evidence.results.push(crate::look::tally(l, "used", head, events, key, call, is_own));
    let own = short(look.case.get("role_arn"));
    if !own.is_empty() {
        evidence.statements.push(say!(
            l,
            "Used by {} in the data is what the table lists; what it is allowed only AWS knows.",
            shown(own)
        ));
    }
}
