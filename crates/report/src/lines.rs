//! Lines about alerts that fit a terminal: facts side by side, and ids as short as people type them.

use std::collections::BTreeSet;

use crate::alert::Line;
use crate::table::{clean, clip, is_wide};
use crate::{Terminal, plural};

/// Columns of a line where nothing is known of the terminal.
const WIDTH: usize = 80;
/// Wider lines are hard to read.
const WIDTH_MAX: usize = 120;
/// Characters of an id that people type.
const ID_CHARS: usize = 8;
/// Stands between two facts.
const BETWEEN: &str = " · ";

/// How wide lines may be.
pub(crate) fn width(terminal: Terminal) -> usize {
    terminal.width.map_or(WIDTH, usize::from).min(WIDTH_MAX)
}

/// The facts of an alert: what was done to what, by whom, from where, how it ended, what stands behind it.
pub(crate) fn facts(alert: &Line, ids: &Ids) -> Vec<String> {
    let object = match alert.target.as_str() {
        "" => alert.what.clone(),
        target => format!("{} {target}", alert.what),
    };
    let mut facts = vec![object];
    // Who it was, and from where, may be what was counted by.
    let is_said = |fact: &str| alert.counted.as_ref().is_some_and(|it| it.contains(fact));
    let others = [&alert.who, &alert.from, &alert.outcome].into_iter().filter(|it| !is_said(it));
    facts.extend(others.cloned());
    facts.extend(alert.highlights.iter().map(|(key, value)| format!("{key} {value}")));
    facts.extend(alert.stands_for.clone());
    facts.push(ids.name(alert));
    facts.retain(|fact| !fact.is_empty());
    facts.iter().map(|fact| clip(&clean(fact))).collect()
}

/// The alerts that an alert stands on, a fact each: as many as may be shown, and how many more there are.
pub(crate) fn stands_on(alert: &Line, shown: usize) -> Vec<String> {
    let shown = if alert.stands_on.len() == shown + 1 { shown + 1 } else { shown };
    let mut facts: Vec<String> =
        alert.stands_on.iter().take(shown).map(|it| format!("on {}", clip(&clean(&it.words())))).collect();
    let more = alert.stands_on.len().saturating_sub(shown);
    facts.extend((more > 0).then(|| format!("on {}", plural(more as u64, "more alert", "more alerts"))));
    facts
}

/// Puts facts side by side into lines of that width. A fact is broken only if it fills more than a line.
pub(crate) fn packed(facts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        let room = width.saturating_sub(lines.last().map_or(0, |it| columns(it) + columns(BETWEEN)));
        match lines.last_mut() {
            Some(line) if columns(fact) <= room => {
                *line += BETWEEN;
                *line += fact;
            }
            _ => lines.extend(broken(fact, width)),
        }
    }
    lines
}

/// A text in lines of that width, broken at spaces where there are some.
fn broken(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_inclusive(' ') {
        if !line.is_empty() && columns(&line) + columns(word.trim_end()) > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for it in word.chars() {
            if columns(&line) >= width && it != ' ' {
                lines.push(std::mem::take(&mut line));
            }
            line.push(it);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// How many columns of a terminal a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|it| if is_wide(it) { 2 } else { 1 }).sum()
}

/// The beginnings of ids that tell the events and alerts here apart.
pub(crate) struct Ids {
    chars: usize,
}

impl Ids {
    /// As long as these alerts need.
    pub(crate) fn of<'l>(alerts: impl IntoIterator<Item = &'l Line>) -> Self {
        let ids: BTreeSet<&str> = alerts.into_iter().flat_map(|it| [it.event.as_str(), &it.id]).collect();
        let shared = |(a, b): (&&str, &&str)| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let longest = ids.iter().zip(ids.iter().skip(1)).map(shared).max().unwrap_or(0);
        Self { chars: ID_CHARS.max(longest + 1) }
    }

    /// The beginning of an id.
    pub(crate) fn short<'i>(&self, id: &'i str) -> &'i str {
        id.char_indices().nth(self.chars).map_or(id, |(at, _)| &id[..at])
    }

    /// What an alert is asked for by: its event; itself, if it counts events or stands on several.
    pub(crate) fn name(&self, alert: &Line) -> String {
        let (what, id) = if alert.event.is_empty() { ("alert", &alert.id) } else { ("event", &alert.event) };
        if id.is_empty() { String::new() } else { format!("{what} {}", self.short(id)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_side_by_side() {
        let facts = ["one two", "three", "four five six seven eight", "管理者ロール"].map(str::to_owned);
        assert_eq!(packed(&facts, 16), ["one two · three", "four five six", "seven eight", "管理者ロール"]);
        assert_eq!(packed(&["x".repeat(25)], 10), ["x".repeat(10), "x".repeat(10), "x".repeat(5)]);
        assert!(packed(&facts, 16).iter().all(|it| columns(it) <= 16));
    }

    #[test]
    fn ids_are_as_long_as_they_must_be() {
        let ids = |all: &[&str]| {
            let lines: Vec<Line> = all.iter().map(|id| Line::for_test(id)).collect();
            let ids = Ids::of(&lines);
            all.iter().map(|id| ids.short(id).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&["0123456789", "e-1", "abcdefghij"]), ["01234567", "e-1", "abcdefgh"]);
        assert_eq!(ids(&["0123456789a", "0123456789b"]), ["0123456789a", "0123456789b"]);
    }
}
