//! The words of what could not have been seen, a line each.

use complete::{Aspect, BlindRange, Chain, ChainProblem, Gap, Subject, SubjectKind, Why, file_name};
use ecs::Millis;

use super::{REMARKS, SHOWN, WIDTH};
use crate::{clean, count, plural, when};

/// A blind range with its times and who began it.
pub(super) fn range(it: &BlindRange) -> String {
    let end = it.to.map_or_else(|| "the end of the data".to_owned(), when);
    let who = it.calls.first();
    let who = who.map_or_else(String::new, |it| format!(" ({} by {})", clean(&it.action), clean(&it.who)));
    format!("{} from {} to {end}{who}", blind(it), when(it.from))
}

/// A gap between delivered files.
pub(super) fn no_file(it: &Gap) -> String {
    let place = place(&it.series.account, &it.series.region);
    format!("no file of {place} from {} to {}", when(it.from), when(it.to))
}

/// How many there are beyond those that are named.
pub(super) fn rest(all: usize, one: &str, many: &str) -> Option<String> {
    (all > REMARKS).then(|| format!("{}: `trailwarden verify` names them", more_of(all - REMARKS, one, many)))
}

/// A trail that was blind, and how.
pub(super) fn blind(range: &BlindRange) -> String {
    let Subject { kind, account, region, name } = &range.subject;
    let what = match kind {
        SubjectKind::Trail => "trail",
        SubjectKind::Store => "event data store",
    };
    let how = match (range.aspect, &range.detail) {
        (Aspect::Everything, _) => "recorded nothing".to_owned(),
        (Aspect::Management, Some(detail)) => format!("recorded {}", clean(detail)),
        (Aspect::Management, None) => "did not record all management events".to_owned(),
        (Aspect::Data, detail) => {
            format!("left out data events of {}", clean(detail.as_deref().unwrap_or("some resources")))
        }
        (Aspect::Regions, _) => "recorded its own region only".to_owned(),
        (Aspect::GlobalServices, _) => "left out the global services".to_owned(),
        (Aspect::Bucket, detail) => {
            format!("delivered to another bucket, {}", clean(detail.as_deref().unwrap_or_default()))
        }
        (Aspect::Validation, _) => "wrote no digest files".to_owned(),
        (Aspect::Insights, _) => "did not record Insights".to_owned(),
    };
    format!("{what} {} ({}) {how}", clean(name), place(account, region))
}

pub(super) fn gap(it: &Gap) -> String {
    let hours = it.to.saturating_sub(it.from) / 3_600_000;
    let end = if it.is_end { ", where these records end and others go on" } else { "" };
    let why = match it.why {
        Why::Rhythm { days, least } => format!(
            "on {} comparable days these hours had at least {} together",
            count(days),
            plural(least, "record", "records")
        ),
        Why::Silence { longest, others } => format!(
            "the longest of {} other quiet times is {}",
            count(others),
            plural(longest, "hour", "hours")
        ),
    };
    format!(
        "{}: nothing from {} to {} ({}){end}; {why}",
        place(&it.series.account, &it.series.region),
        when(it.from),
        when(it.to),
        plural(hours.unsigned_abs(), "hour", "hours"),
    )
}

pub(super) fn problem(it: &ChainProblem) -> String {
    match it {
        ChainProblem::Missing { object, from, to, .. } => format!(
            "{} is missing: nothing lists what was delivered from {} to {}",
            short(object),
            when(*from),
            when(*to)
        ),
        ChainProblem::BrokenLink { object, next } => {
            format!("{} is not what {} says it was", short(object), short(next))
        }
        ChainProblem::WrongSignature { object } => format!("the signature of {} is wrong", short(object)),
        ChainProblem::Copies { object, places } => {
            let places: Vec<String> = places.iter().take(SHOWN).map(|it| clean(it)).collect();
            format!("copies of {} differ: {}", short(object), places.join(", "))
        }
        ChainProblem::Fork { object, .. } => format!("several digests follow on {}", short(object)),
        ChainProblem::Interrupted { from, to } => {
            let what = "logging or its validation was off, or began anew";
            format!("no digest covers {} to {}: {what}", when(*from), when(*to))
        }
    }
}

pub(super) fn of_chain(chain: &Chain) -> String {
    let trail = if chain.name.trail.is_empty() { "(unnamed)" } else { &chain.name.trail };
    let what = if chain.name.is_backfill { "backfill digests" } else { "digests" };
    format!("{what} of trail {} ({})", clean(trail), place(&chain.account, &chain.name.region))
}

pub(super) fn place(account: &str, region: &str) -> String {
    let named = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { clean(text) };
    format!("{} {}", named(account, "unknown account"), named(region, "unknown region"))
}

/// The name of an object without its folders.
pub(super) fn short(object: &str) -> String {
    clean(file_name(object))
}

/// How long it is.
pub(super) fn long(millis: Millis) -> String {
    let minutes = millis / 60_000;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{rest} min"),
        (0, _) => format!("{hours} h {rest} min"),
        _ => format!("{} {hours} h", plural(days.unsigned_abs(), "day", "days")),
    }
}

pub(super) fn more_of(number: usize, one: &str, many: &str) -> String {
    let number = number as u64;
    format!("{} more {}", count(number), if number == 1 { one } else { many })
}

pub(super) fn more(number: usize, one: &str, many: &str) -> String {
    format!("… and {} (--format json has all)", more_of(number, one, many))
}

/// The first of several things.
pub(super) fn shown<T>(all: &[T], one: impl Fn(&T) -> String) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(one).collect();
    if all.len() > SHOWN {
        lines.push(more(all.len() - SHOWN, "of them", "of them"));
    }
    lines
}

/// Things of one kind under their number.
pub(super) fn group<T>(
    all: &[T],
    one: &str,
    many: &str,
    show: impl Fn(&T) -> String,
) -> Option<(String, Vec<String>)> {
    (!all.is_empty()).then(|| (plural(all.len() as u64, one, many), shown(all, show)))
}

/// Breaks a text at its spaces into lines that fit; further lines are indented more.
pub(super) fn wrap(out: &mut String, indent: &str, text: &str) {
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            *out += "\n";
            *out += indent;
            *out += "  ";
            column = indent.len() + 2;
        } else if column == 0 {
            *out += indent;
            column = indent.len();
        } else {
            out.push(' ');
            column += 1;
        }
        *out += word;
        column += width;
    }
    out.push('\n');
}
