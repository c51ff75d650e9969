//! The first screen: what happened in sentences, and severity over time.

use ecs::Millis;
use story::{Deed, Portrait};

use super::entry::Entry;
use super::words::{Words, fill};
use super::{Page, escape};
use crate::words::stamp;
use crate::{count, when};

/// Bars of the time line.
const BARS: u64 = 72;
/// Actors that are told at once; the others are folded.
const ACTORS_OPEN: usize = 3;
/// Height of the time line, and width of a bar, in its own units.
const HEIGHT: u64 = 64;
const BAR: u64 = 10;

/// The heading.
pub(super) fn heading(page: &Page<'_>, words: &Words, links: &str) -> String {
    let it = &page.summary.coverage;
    let number = page.alerts.len();
    let mut out =
        format!("<div class=\"top\"><p class=\"brand\">{}</p><nav>{links}</nav></div>\n<h1>", words.title);
    if number == 0 {
        out += words.no_alert;
    } else {
        let template = if number == 1 { words.one_alert } else { words.many_alerts };
        out += &fill(template, &[("n", &count(number as u64))]);
        let actors = page.actors.len() + page.left_out;
        if actors > 0 {
            let template = if actors == 1 { words.about_one } else { words.about_many };
            out += &fill(template, &[("n", &count(actors as u64))]);
        }
    }
    out += "</h1>\n<p class=\"sub\">";
    if let (Some(first), Some(last)) = (it.first, it.last) {
        out += &fill(words.to, &[("from", &when(first)), ("to", &when(last))]);
        out += " · ";
    }
    out += &data(page, words);
    if it.suppressed > 0 {
        out += &format!(" · {}", fill(words.suppressed, &[("n", &count(it.suppressed))]));
    }
    out + "</p>\n"
}

/// How much was read.
pub(super) fn data(page: &Page<'_>, words: &Words) -> String {
    let it = &page.summary.coverage;
    let values =
        [("records", count(it.records)), ("files", count(it.files)), ("bytes", crate::bytes(it.bytes_text))];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(words.records_in, &values)
}

/// What happened, in sentences.
pub(super) fn happened(page: &Page<'_>, words: &Words) -> String {
    let mut out = format!("<section id=\"happened\">\n<h2>{}</h2>\n", words.what_happened);
    if page.alerts.is_empty() {
        out += &format!("<p>{}</p>\n", words.no_alert);
    }
    for (at, actor) in page.actors.iter().enumerate() {
        if at == ACTORS_OPEN {
            let more = count((page.actors.len() - at) as u64);
            out += &format!(
                "<details class=\"more-actors\"><summary>{}</summary>\n",
                fill(words.more_actors, &[("n", &more)])
            );
        }
        out += &told(at, actor, page, words);
    }
    if page.actors.len() > ACTORS_OPEN {
        out += "</details>\n";
    }
    for limit in limits(page, words) {
        out += &format!("<p class=\"limit\">{}</p>\n", escape::html(&limit));
    }
    out + "</section>\n"
}

/// What limits left out.
fn limits(page: &Page<'_>, words: &Words) -> Vec<String> {
    let mut limits = Vec::new();
    if page.scope.is_stream && !page.alerts.is_empty() {
        limits.push(words.stream.to_owned());
    }
    if page.scope.picked > page.guides.len() {
        limits.push(super::investigated(page, words));
    }
    if page.fields.len() < page.alerts.len() {
        limits.push(super::raw_fields(page, words));
    }
    let cut = page.actors.iter().filter(|it| it.is_cut).count();
    if cut > 0 {
        let told = page.actors.iter().map(|it| it.calls as u64).sum();
        limits.push(fill(words.cut, &[("n", &count(cut as u64)), ("calls", &count(told))]));
    }
    if page.left_out > 0 {
        limits.push(fill(words.left_out, &[("n", &count(page.left_out as u64))]));
    }
    limits
}

fn told(at: usize, actor: &Portrait, page: &Page<'_>, words: &Words) -> String {
    let worst = actor.alerts.iter().filter_map(|&it| page.alerts.get(it)).map(Entry::rank).max().unwrap_or(0);
    let number = actor.alerts.len();
    let template = if number == 1 { words.one_alert } else { words.many_alerts };
    let confidence = match actor.confidence {
        identity::Confidence::Exact => words.exact,
        identity::Confidence::Inferred => words.inferred,
        identity::Confidence::Weak => words.weak,
    };
    let mut out = format!(
        "<article class=\"actor\">\n<h3><button type=\"button\" class=\"name\" data-filter=\"actor\" data-value=\"{at}\" title=\"{}\">{}</button> <span class=\"pill s{worst}\">{}</span> <span class=\"pill sure\" title=\"{}\">{confidence}</span></h3>\n<p>{}</p>\n<p class=\"sure\">{}</p>\n",
        escape::html(&actor.name),
        escape::html(&actor.short),
        fill(template, &[("n", &count(number as u64))]),
        words.confidence,
        escape::sentence(&actor.sentence),
        escape::sentence(&actor.sure),
    );
    if !actor.deeds.is_empty() {
        out += "<ol class=\"deeds\">\n";
        let days = actor.span.map(|(first, last)| stamp(first, "%Y-%m-%d") != stamp(last, "%Y-%m-%d"));
        for deed in &actor.deeds {
            let class = if deed.kind.is_routine() { " class=\"routine\"" } else { "" };
            out += &format!(
                "<li{class}><span class=\"at\">{}</span> <span>{}</span></li>\n",
                span(deed, days == Some(true)),
                escape::sentence(&deed.text)
            );
        }
        out += "</ol>\n";
    }
    out + "</article>\n"
}

/// From when to when; without days if all happened on one.
fn span(deed: &Deed, has_days: bool) -> String {
    let pattern = if has_days { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    let (start, end) = (stamp(deed.start, pattern), stamp(deed.end, pattern));
    let end = match end.split_at_checked(11) {
        Some((day, time)) if start.starts_with(day) => time.to_owned(),
        Some(_) | None => end,
    };
    if deed.start == deed.end { start } else { format!("{start} – {end}") }
}

/// Bars of alerts over time, the most severe at the bottom.
pub(super) fn timeline(page: &Page<'_>, words: &Words) -> String {
    let times: Vec<(Millis, usize)> =
        page.alerts.iter().filter_map(|it| Some((it.time()?, it.rank()))).collect();
    let coverage = &page.summary.coverage;
    let first = coverage.first.into_iter().chain(times.iter().map(|it| it.0)).min();
    let last = coverage.last.into_iter().chain(times.iter().map(|it| it.0)).max();
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    let step = last.abs_diff(first) / BARS + 1;
    let mut bars = vec![[0_u64; 4]; BARS as usize];
    for (time, rank) in &times {
        bars[(time.abs_diff(first) / step) as usize][*rank] += 1;
    }
    let highest = bars.iter().map(|it| it.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let mut out = format!(
        "<figure class=\"timeline\">\n<figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
        words.over_time,
        BARS * BAR,
        words.over_time,
    );
    for (at, bar) in bars.iter().enumerate() {
        let start = first.saturating_add_unsigned(at as u64 * step);
        let end = start.saturating_add_unsigned(step);
        let x = at as u64 * BAR;
        let total: u64 = bar.iter().sum();
        let mut title = format!("{} – {}", when(start), when(end));
        let mut inner = String::new();
        let mut bottom = HEIGHT;
        for rank in (0..4).rev().filter(|&rank| bar[rank] > 0) {
            // What is there can be seen.
            let height = (bar[rank] * HEIGHT / highest).max(3).min(bottom);
            bottom -= height;
            inner += &format!(
                "<rect class=\"s{rank}\" x=\"{}\" y=\"{bottom}\" width=\"{}\" height=\"{height}\"/>",
                x + 1,
                BAR - 2
            );
            title += &format!(" · {} {}", count(bar[rank]), words.rank(rank));
        }
        let class = if total == 0 { "bar empty" } else { "bar" };
        out += &format!(
            "<g class=\"{class}\" data-from=\"{start}\" data-to=\"{end}\"><title>{title}</title><rect class=\"base\" x=\"{x}\" y=\"0\" width=\"{BAR}\" height=\"{HEIGHT}\"/>{inner}</g>\n"
        );
    }
    let pattern = if last.abs_diff(first) > 3 * 24 * 3_600_000 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
    let middle = first.saturating_add_unsigned(last.abs_diff(first) / 2);
    out + &format!(
        "</svg>\n<p class=\"axis\"><span>{}</span><span>{}</span><span>{}</span></p>\n</figure>\n",
        stamp(first, pattern),
        stamp(middle, pattern),
        stamp(last, pattern)
    )
}
