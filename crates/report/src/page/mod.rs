//! One self-contained page that a responder hands on: what happened, the stories of those who did it, the alerts with their
//! guides done, what could not be seen, how it was made.
//!
//! The sentences are in the page; rows are made by its script when they are seen, of the data beside them. Nothing is
//! loaded, and nothing runs or is drawn but the page's own script and style, which its policy names by their hashes. The
//! script makes elements and texts, never markup: values of records are what an attacker wrote.

mod blanks;
mod data;
mod entry;
mod escape;
mod evidence;
mod first;
mod guides;
mod parts;
mod words;

pub use blanks::{CaseValue, values_of};
pub use entry::{Entry, FIELDS_MAX, Fields, fields_of, with_fields};
pub use guides::{GUIDES_BYTES_MAX, Guides};

use std::collections::BTreeMap;
use std::io::{self, Write};

use rule::Rule;
use story::Portrait;

use crate::{Remark, Summary, count, when};
use words::{Words, fill};

const STYLE: &str = concat!(include_str!("style.css"), include_str!("rows.css"));
/// In the order in which they build on one another.
const SCRIPT: &str = concat!(
    "'use strict';\n",
    include_str!("dom.js"),
    include_str!("data.js"),
    include_str!("filters.js"),
    include_str!("alerts.js"),
    include_str!("stories.js"),
    include_str!("print.js"),
    include_str!("start.js"),
);

/// What stands on the page.
#[derive(Debug)]
pub struct Page<'a> {
    /// The rules, what was read, and the notices.
    pub summary: &'a Summary<'a>,
    /// The alerts, in the order of their events' times.
    pub alerts: Vec<Entry>,
    /// The fields of those [whose fields are shown](with_fields), by their places.
    pub fields: BTreeMap<usize, Fields>,
    /// What their rules' guides ask of them, by their places.
    pub values: BTreeMap<usize, Vec<CaseValue>>,
    /// Those behind them, with what they did.
    pub actors: Vec<Portrait>,
    /// For each alert the place of its actor.
    pub of: Vec<Option<usize>>,
    /// Actors of whom nothing is told.
    pub left_out: usize,
    /// The guides of alerts that were investigated.
    pub guides: Guides,
    /// What was looked at.
    pub scope: Scope,
    /// What could not be seen: whether the trail is complete, a line each. Empty if nobody looked.
    pub completeness: Vec<Remark>,
    /// How the page was made.
    pub made: Made,
}

/// What was looked at besides the alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Alerts that are severe enough to be investigated.
    pub picked: usize,
    /// Whether alerts are investigated.
    pub investigates: bool,
    /// The records came through a pipe: what was not kept is gone.
    pub is_stream: bool,
}

/// How a page was made.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The version of the program.
    pub version: String,
    /// The command.
    pub command: String,
    /// What `now` stands for.
    pub now: ecs::Millis,
}

/// Writes the page.
pub fn write(to: &mut dyn Write, page: &Page<'_>) -> io::Result<()> {
    let language = page.summary.language;
    let words = words::words(language);
    let rules = data::rules(page);
    to.write_all(head(page, language.tag(), words).as_bytes())?;
    to.write_all(first_screen(page, words).as_bytes())?;
    to.write_all(shells(words).as_bytes())?;
    to.write_all(completeness(page, words).as_bytes())?;
    to.write_all(notices(page, words).as_bytes())?;
    to.write_all(made(page, words).as_bytes())?;
    to.write_all(b"</main>\n")?;
    for (at, id) in rules.iter().enumerate() {
        to.write_all(about_rule(at, id, page).as_bytes())?;
    }
    page.guides.write(to)?;
    data::write(to, page, &rules, words, language)?;
    to.write_all(format!("<script>{SCRIPT}</script>\n</body>\n</html>\n").as_bytes())
}

/// The policy: nothing but this page's own style and script.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        escape::digest(STYLE),
        escape::digest(SCRIPT)
    )
}

fn head(page: &Page<'_>, language: &str, words: &Words) -> String {
    let number = page.alerts.len() as u64;
    let template = if number == 1 { words.one_alert } else { words.many_alerts };
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        policy(),
        words.title,
        fill(template, &[("n", &count(number))]),
    )
}

fn first_screen(page: &Page<'_>, words: &Words) -> String {
    let links = [
        ("happened", words.what_happened),
        ("stories", words.stories),
        ("alerts", words.alerts),
        ("completeness", words.completeness),
        ("notices", words.notices),
        ("made", words.how_made),
    ];
    let links = escape::each(links, |(id, word)| format!("<a href=\"#{id}\">{word}</a>"));
    format!(
        "<header>\n{}{}</header>\n<div id=\"bar\"></div>\n<main>\n<noscript><p class=\"limit\">{}</p></noscript>\n<div class=\"first\">\n{}<aside id=\"facets\"></aside>\n</div>\n",
        first::heading(page, words, &links),
        first::timeline(page, words),
        words.needs_script,
        first::happened(page, words),
    )
}

/// What the script fills.
fn shells(words: &Words) -> String {
    let options = [("severity", words.by_severity), ("time", words.by_time), ("rule", words.by_rule)];
    let options = escape::each(options, |(value, word)| format!("<option value=\"{value}\">{word}</option>"));
    format!(
        "<section id=\"stories\">\n<h2>{}</h2>\n<p class=\"range\">{} {}</p>\n<div id=\"story-list\"></div>\n</section>\n<section id=\"alerts\">\n<h2>{}</h2>\n<div id=\"alert-list\"></div>\n</section>\n<template id=\"bar-parts\"><input id=\"search\" type=\"search\" placeholder=\"{}\" aria-label=\"{}\" autocomplete=\"off\" spellcheck=\"false\"><output id=\"count\"></output><label>{} <select id=\"sort\">{options}</select></label><button type=\"button\" id=\"clear\">{}</button><button type=\"button\" id=\"keys\" title=\"{}\">{}</button></template>\n",
        words.stories,
        words.all_calls,
        words.times,
        words.alerts,
        words.search,
        words.search,
        words.sort,
        words.clear,
        words.keys_text,
        words.keys,
    )
}

fn remarks(all: &[Remark], words: &Words) -> String {
    let one = |it: &Remark| {
        let (class, word) = if it.severe { ("severe", words.warning) } else { ("", words.note) };
        let text: Vec<String> = it.text.lines().map(escape::html).collect();
        format!("<li class=\"{class}\"><b>{word}</b> {}</li>\n", text.join("<br>"))
    };
    format!("<ul class=\"remarks\">\n{}</ul>\n", all.iter().map(one).collect::<String>())
}

fn completeness(page: &Page<'_>, words: &Words) -> String {
    let body = match page.completeness.as_slice() {
        [] => format!("<p>{}</p>\n", words.not_checked),
        all => remarks(all, words),
    };
    format!("<section id=\"completeness\">\n<h2>{}</h2>\n{body}</section>\n", words.completeness)
}

fn notices(page: &Page<'_>, words: &Words) -> String {
    let notices = &page.summary.notices;
    let body = if notices.is_empty() { "<p>–</p>\n".to_owned() } else { remarks(notices, words) };
    format!("<section id=\"notices\">\n<h2>{}</h2>\n{body}</section>\n", words.notices)
}

fn made(page: &Page<'_>, words: &Words) -> String {
    let it = &page.summary.coverage;
    let mut rows = vec![
        (words.version, escape::html(&page.made.version)),
        (words.command, format!("<code>{}</code>", escape::html(&page.made.command))),
        (words.now, format!("{} UTC", when(page.made.now))),
        (words.data, first::data(page, words)),
    ];
    if let (Some(first), Some(last)) = (it.first, it.last) {
        rows.push((words.range, fill(words.to, &[("from", &when(first)), ("to", &when(last))])));
    }
    rows.push((words.executions, count(it.executions)));
    rows.push((words.investigated, investigated(page, words)));
    if page.fields.len() < page.alerts.len() {
        rows.push((words.raw_fields, raw_fields(page, words)));
    }
    let mut names: Vec<&Rule> = page.summary.rules.clone();
    names.sort_by(|a, b| a.name.cmp(&b.name));
    let names = escape::each(names, |it| format!("<li>{}</li>", escape::html(&it.name)));
    rows.push((
        words.rules_ran,
        format!(
            "<details><summary>{}</summary><ul class=\"rules\">{names}</ul></details>",
            count(page.summary.rules.len() as u64)
        ),
    ));
    let rows = escape::each(rows, |(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    format!(
        "<section id=\"made\">\n<h2>{}</h2>\n<dl class=\"made\">\n{rows}</dl>\n</section>\n",
        words.how_made
    )
}

/// Which alerts were investigated.
fn investigated(page: &Page<'_>, words: &Words) -> String {
    let Scope { picked, investigates, is_stream } = page.scope;
    match (is_stream, investigates, page.guides.len()) {
        (true, _, _) => words.stream.to_owned(),
        (false, false, _) => words.not_investigated.to_owned(),
        (false, true, number) => {
            fill(words.investigated_of, &[("n", &count(number as u64)), ("all", &count(picked as u64))])
        }
    }
}

/// Whose raw fields are not on the page, and where they are.
fn raw_fields(page: &Page<'_>, words: &Words) -> String {
    let (some, all) = (count(page.fields.len() as u64), count(page.alerts.len() as u64));
    fill(words.raw_fields_of, &[("n", &some), ("all", &all)])
}

/// A rule with its guide, as far as no alert's own stands in its place.
fn about_rule(at: usize, id: &str, page: &Page<'_>) -> String {
    let rule = page.summary.rules.iter().find(|it| it.rule_id == id);
    let text = rule.map(|it| blanks::about(it, page.summary.language)).unwrap_or_default();
    format!("<template id=\"rule-{at}\">\n{text}</template>\n")
}
