//! Guides that are prose: what their authors wrote stays as it is, and the general steps find their places in it.
//!
//! The text falls into pieces at its headings and at the items of its outermost lists. A general step stands behind the
//! piece whose heading, or whose item's first words, speak of it by a fixed list of words; one that no piece speaks of
//! follows after the text. What is about false positives, response or references has no evidence.

use ecs::Millis;
use ecs::date::Rounding;
use rule::{Asks, GuideLanguage, Scope, StepQuery, with_inquiries};

use crate::case::Case;
use crate::evidence::{Lack, Missing, Snippet};
use crate::fill;
use crate::look::DAY;
use crate::say::say;

/// Words that speak of a general step, in lower case. The end of a word is open.
const WORDS: [(&str, &[&str]); 7] = [
    (
        "identity",
        &[
            "identity",
            "identities",
            "identify the user",
            "actor",
            "account",
            "principal",
            "credential",
            "assumed",
            "role",
            "who ",
            "caller",
            "user",
            "session",
            "身份",
            "角色",
            "凭证",
        ],
    ),
    (
        "request",
        &[
            "request",
            "parameter",
            "response element",
            "error",
            "action",
            "operation",
            "resource",
            "请求",
            "参数",
            "操作",
        ],
    ),
    (
        "behaviour",
        &[
            "behavior",
            "behaviour",
            "typical",
            "baseline",
            "pattern",
            "usual",
            "histor",
            "contextualize",
            "frequency",
            "行为",
            "基线",
        ],
    ),
    ("instances", &["instance", "ec2", "machine", "host", "server", "实例", "主机"]),
    (
        "related",
        &[
            "related",
            "correlat",
            "other event",
            "surrounding",
            "subsequent",
            "sequence",
            "before and after",
            "timeline",
            "follow-on",
            "recent activit",
            "相关",
            "关联",
        ],
    ),
    ("lateral", &["lateral", "pivot", "cross-account", "other account", "spread", "move", "横向"]),
    (
        "origin",
        &[
            "origin",
            "source ip",
            "source.ip",
            "ip address",
            "geo",
            "location",
            "network",
            "user agent",
            "tooling",
            "来源",
            "地址",
        ],
    ),
];
/// Words in headings of what no evidence belongs to.
const NO_EVIDENCE: [&str; 10] = [
    "false positive",
    "response",
    "remediation",
    "additional",
    "reference",
    "setup",
    "hardening",
    "related rule",
    "误报",
    "响应",
];

/// What an author wrote, with the ids of the general steps that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Markdown, as it was written but for what it embeds.
    pub(crate) text: String,
    pub(crate) steps: Vec<&'static str>,
    /// Which of the queries it embeds.
    pub(crate) queries: Vec<usize>,
    pub(crate) snippets: Vec<Snippet>,
    pub(crate) missing: Vec<Missing>,
}

/// A query that a guide embeds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Embedded {
    pub(crate) query: StepQuery,
    /// KQL, any of which may hold.
    pub(crate) alternatives: Vec<String>,
    pub(crate) from: Millis,
    pub(crate) to: Millis,
}

/// A guide in prose.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prose {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) queries: Vec<Embedded>,
}

/// The guide of the rule, if it is prose only.
pub(crate) fn prose(rule: &rule::Rule, case: &Case, l: GuideLanguage) -> Prose {
    let Some(note) = rule.note.as_deref().filter(|_| rule.guide.is_none()) else { return Prose::default() };
    let inquiries = rule::inquiries(note);
    let raw = pieces(note);
    let places = places(&raw);
    let mut out = Prose::default();
    let mut number = 0;
    for (at, it) in raw.iter().enumerate() {
        let steps: Vec<&'static str> =
            places.iter().filter(|(_, place)| *place == at).map(|(step, _)| *step).collect();
        let mut piece = Piece {
            text: String::new(),
            steps,
            queries: Vec::new(),
            snippets: Vec::new(),
            missing: Vec::new(),
        };
        // What is embedded never lies across pieces: they are cut outside of it.
        let text = with_inquiries(it.text, |within, _| {
            let inquiry = &inquiries[number + within];
            let label = match inquiry.label.as_str() {
                "" => format!("query {}", number + within + 1),
                label => label.to_owned(),
            };
            match &inquiry.asks {
                Ok(Asks::Host(query)) => {
                    let command = fill::sql(query, &case.values, l);
                    piece.snippets.push(Snippet { label: label.clone(), command });
                }
                Ok(Asks::Events(it)) if it.of_alerts => piece.missing.push(Missing {
                    lack: Lack::NoQuery,
                    text: say!(
                        l,
                        "the query {} asks for alerts, and an investigation looks at events; `trailwarden hunt` lists the alerts",
                        fill::shown(&label)
                    ),
                }),
                Ok(Asks::Events(it)) => {
                    let rule::EventsAsked { alternatives, from, to, .. } = &**it;
                    piece.queries.push(out.queries.len());
                    let query = StepQuery {
                        id: Some(label.clone()),
                        language: "kuery".to_owned(),
                        query: alternatives.join(" or "),
                        scope: Scope::All,
                        ..StepQuery::default()
                    };
                    // As in Kibana, `now` is the time of the alert; beside files that is the time of its events.
                    let from =
                        from.as_ref().map_or(case.first - DAY, |it| it.at(case.first, Rounding::Down).millis);
                    let to = to.as_ref().map_or(case.last + DAY, |it| it.at(case.noticed, Rounding::Up).millis);
                    let alternatives = alternatives.clone();
                    out.queries.push(Embedded { query, alternatives, from, to });
                }
                Err(flaws) => {
                    let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
                    piece.missing.push(Missing {
                        lack: Lack::NoQuery,
                        text: say!(
                            l,
                            "the query {} cannot be asked: {}",
                            fill::shown(&label),
                            flaws.join(", ")
                        ),
                    });
                }
            }
            let label = format!("**{}**", fill::plain(&label));
            if inquiry.description.is_empty() { label } else { format!("{label} {}", inquiry.description) }
        });
        number += rule::inquiries(it.text).len();
        piece.text = fill::prose(&text, &case.values, l);
        out.pieces.push(piece);
    }
    join(&mut out.pieces);
    out
}

/// Pieces that nothing follows go on in the next.
fn join(pieces: &mut Vec<Piece>) {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces.drain(..) {
        match out.last_mut().filter(|it| {
            it.steps.is_empty() && it.queries.is_empty() && it.snippets.is_empty() && it.missing.is_empty()
        }) {
            Some(last) => {
                let text = std::mem::take(&mut last.text) + &piece.text;
                *last = Piece { text, ..piece };
            }
            None => out.push(piece),
        }
    }
    *pieces = out;
}

struct Raw<'n> {
    text: &'n str,
    /// The heading, or the first words of the item.
    title: &'n str,
    has_evidence: bool,
}

/// The text in pieces, which together are the text.
fn pieces(note: &str) -> Vec<Raw<'_>> {
    let (mut out, mut start, mut title) = (Vec::new(), 0, "");
    let (mut at, mut is_fenced) = (0, false);
    // Below which headings the text stands, by their depth.
    let mut above: Vec<(usize, bool)> = Vec::new();
    let mut has_evidence = true;
    let embedded: Vec<_> = rule::inquiries(note).into_iter().map(|it| it.at).collect();
    for line in note.split_inclusive('\n') {
        let is_embedded = embedded.iter().any(|it| it.start < at && at < it.end);
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        }
        let depth = line.bytes().take_while(|it| *it == b'#').count();
        let is_heading = (1..=6).contains(&depth) && line[depth..].starts_with(' ');
        if !is_fenced && !is_embedded && (is_heading || is_item(line)) {
            if at > start {
                out.push(Raw { text: &note[start..at], title, has_evidence });
            }
            (start, title) = (at, lead(line));
            if is_heading {
                above.retain(|it| it.0 < depth);
                let lower = title.to_lowercase();
                // The chapter is often called after both.
                let is_none = !is_triage(title) && NO_EVIDENCE.iter().any(|it| lower.contains(it));
                above.push((depth, is_none));
                has_evidence = !above.iter().any(|it| it.1);
            }
        }
        at += line.len();
    }
    if start < note.len() {
        out.push(Raw { text: &note[start..], title, has_evidence });
    }
    out
}

/// An item of an outermost list.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    line.starts_with("- ") || line.starts_with("* ") || (digits > 0 && line[digits..].starts_with(". "))
}

/// The heading; of an item what is bold, or the words before the first colon or full stop.
fn lead(line: &str) -> &str {
    let text =
        line.trim_start_matches(['#', '-', '*', ' ', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let text = text.trim();
    let end = text.find("**").or_else(|| text.find([':', '.', '?', '：', '。'])).unwrap_or(text.len());
    &text[..end]
}

/// For each general step that some piece speaks of, the piece.
fn places(pieces: &[Raw<'_>]) -> Vec<(&'static str, usize)> {
    let score = |piece: &Raw<'_>, words: &[&str]| {
        let (title, text) = (piece.title.to_lowercase(), piece.text.to_lowercase());
        let count = |text: &str| words.iter().filter(|it| begins_word(text, it)).count();
        match count(&title) {
            0 => 0,
            // What the heading speaks of most; the text decides between equal ones.
            in_title => in_title * 100 + count(&text),
        }
    };
    let of_step = |&(step, words): &(&'static str, &[&str])| {
        let scores = pieces.iter().enumerate().filter(|(_, it)| it.has_evidence && !is_title_of_rule(it));
        let scores = scores.map(|(at, it)| (score(it, words), at)).filter(|it| it.0 > 0);
        let best = scores.max_by_key(|&(score, at)| (score, std::cmp::Reverse(at)))?;
        Some((step, best.1))
    };
    WORDS.iter().filter_map(of_step).collect()
}

/// `### Investigating …` is the name of the rule, `## Triage` of a chapter: they speak of everything.
fn is_title_of_rule(piece: &Raw<'_>) -> bool {
    piece.text.starts_with('#') && is_triage(piece.title)
}

fn is_triage(title: &str) -> bool {
    let title = title.to_lowercase();
    ["triage", "investigat", "分类", "调查"].iter().any(|it| title.contains(it))
}

/// Whether a word begins somewhere in a text.
fn begins_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !word.is_ascii() || !text[..at].chars().next_back().is_some_and(|it| it.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "## Triage and analysis\n\n### Investigating a role\n\nText.\n\n#### Possible steps\n\n- **Identify the user and role**: who?\n  - more\n- **Review request parameters**: what?\n```\n- no item\n```\n1. Examine the geographic location. Is it usual?\n\n### False positive analysis\n\n- **Identity**: none.\n\n### Response and remediation\n\n- **Related events**: none.\n";

    #[test]
    fn pieces_are_the_text() {
        let all = pieces(NOTE);
        assert_eq!(all.iter().map(|it| it.text).collect::<String>(), NOTE);
        let titles: Vec<(&str, bool)> = all.iter().map(|it| (it.title, it.has_evidence)).collect();
        assert_eq!(
            titles,
            [
                ("Triage and analysis", true),
                ("Investigating a role", true),
                ("Possible steps", true),
                ("Identify the user and role", true),
                ("Review request parameters", true),
                ("Examine the geographic location", true),
                ("False positive analysis", false),
                ("Identity", false),
                ("Response and remediation", false),
                ("Related events", false),
            ]
        );
        assert_eq!(places(&all), [("identity", 3), ("request", 4), ("origin", 5)]);
    }

    #[test]
    fn words_begin_words() {
        assert!(begins_word("the ec2 instances", "instance") && !begins_word("ghost", "host"));
        assert!(begins_word("查看身份", "身份"));
    }
}
