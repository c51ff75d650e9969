//! Guides as they stand with their rules, in Markdown. The values of an alert come into them by investigations.

use std::collections::BTreeSet;

use investigate::fill;
use rule::{Asks, Guide, GuideLanguage, Rule, Step};

use crate::rules::{Words, indent, words};

/// What stands for a placeholder, by its name.
pub(crate) type Blank = fn(&str) -> String;

/// Words: `<role arn>`.
pub(crate) fn in_words(name: &str) -> String {
    format!("<{}>", fill::words_of(name))
}

/// The names of all placeholders of a guide.
pub(crate) fn placeholders(guide: &Guide) -> BTreeSet<&str> {
    let texts = guide.triage.iter().chain(&guide.response).flat_map(texts_of);
    texts.flat_map(|it| fill::placeholders(it)).filter(|it| fill::is_name(it)).collect()
}

fn texts_of(step: &Step) -> impl Iterator<Item = &str> {
    let queries = step.queries.iter().map(|it| it.query.as_str());
    std::iter::once(step.text.as_str()).chain(step.command.as_deref()).chain(queries)
}

/// The guide of a rule, with blanks where the values of an alert would stand.
pub(crate) fn raw(rule: &Rule, language: GuideLanguage, blank: Blank) -> String {
    let words = words(language);
    let mut out = String::new();
    if let Some(it) = &rule.guide {
        guide(it, words, blank, &mut out);
    } else {
        let note = rule.note.as_deref().unwrap_or_default().trim();
        if !note.is_empty() {
            let note = in_code(&readable(note, words), blank);
            out += &format!("\n## {}\n\n{note}\n", words.guide);
        }
        if !rule.false_positives.is_empty() {
            out += &format!("\n## {}\n\n", words.false_positives);
            for text in &rule.false_positives {
                out += &format!("- {}\n", text.trim());
            }
        }
    }
    if has_placeholders(rule) {
        out += &format!("\n{}\n", words.placeholders);
    }
    out
}

/// Whether an alert would fill anything in.
fn has_placeholders(rule: &Rule) -> bool {
    let is_open = |text: &str| !fill::placeholders(text).is_empty();
    match &rule.guide {
        Some(guide) => guide.triage.iter().chain(&guide.response).any(|it| {
            let texts = [Some(&it.text), it.command.as_ref()];
            texts.into_iter().flatten().any(|it| is_open(it))
                || it.queries.iter().any(|it| is_open(&it.query))
        }),
        None => rule.note.as_deref().is_some_and(is_open),
    }
}

/// A text of Markdown with words for placeholders, in code: brackets in prose would be taken for HTML.
fn in_code(text: &str, blank: Blank) -> String {
    let (mut out, mut is_fenced) = (String::new(), false);
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        let names = fill::placeholders(line);
        if names.is_empty() {
            out += line;
        } else if is_fenced || line.contains('`') {
            // Where it is code already, ticks would end it.
            out += &fill::blanks(line, &blank);
        } else {
            let marked = names.iter().fold(line.to_owned(), |line, name| {
                let raw = format!("{{{{{name}}}}}");
                if fill::is_name(name) { line.replace(&raw, &format!("`{}`", blank(name))) } else { line }
            });
            out += &marked;
        }
    }
    out
}

fn guide(guide: &Guide, words: &Words, blank: Blank, out: &mut String) {
    if let Some(overview) = &guide.overview {
        *out += &format!("\n## {}\n\n{}\n", words.guide, overview.trim());
    }
    steps(words.triage, &guide.triage, words, blank, out);
    steps(words.response, &guide.response, words, blank, out);
    if !guide.false_positives.is_empty() {
        *out += &format!("\n## {}\n\n", words.false_positives);
        for note in &guide.false_positives {
            *out += &format!("- **{}** {}\n", note.title, note.text.trim());
        }
    }
}

fn steps(title: &str, steps: &[Step], words: &Words, blank: Blank, out: &mut String) {
    if steps.is_empty() {
        return;
    }
    *out += &format!("\n## {title}\n\n");
    for (at, step) in steps.iter().enumerate() {
        *out += &format!("{}. **{}**\n\n{}\n", at + 1, step.title, indent(&in_code(step.text.trim(), blank)));
        for query in &step.queries {
            let window = format!("{}: -{} … +{}", words.window, query.before, query.after);
            let text = format!(
                "{} ({window}):\n\n```{}\n{}\n```",
                words.query,
                query.language,
                fill::blanks(query.query.trim(), &blank)
            );
            *out += &format!("\n{}\n", indent(&text));
        }
        if let Some(command) = &step.command {
            let text = format!("{}:\n\n```sh\n{}\n```", words.command, fill::blanks(command.trim(), &blank));
            *out += &format!("\n{}\n", indent(&text));
        }
        out.push('\n');
    }
}

/// A note of Kibana's with the queries that it embeds as queries, not as JSON.
fn readable(note: &str, words: &Words) -> String {
    rule::with_inquiries(note, |at, it| {
        let label =
            if it.label.is_empty() { format!("{} {}", words.query, at + 1) } else { it.label.clone() };
        let (language, query) = match &it.asks {
            Ok(Asks::Events(asked)) => match asked.alternatives.as_slice() {
                [one] => ("kuery", one.clone()),
                several => ("kuery", format!("({})", several.join(") or ("))),
            },
            Ok(Asks::Host(query)) => ("osquery", query.clone()),
            // What is broken is shown as it is.
            Err(_) => return note[it.at.clone()].to_owned(),
        };
        let about = if it.description.is_empty() { String::new() } else { format!(" {}", it.description) };
        // It may stand in an item of a list, however deep, which a fence would end.
        let query = query.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace('`', "'");
        format!("**{label}**{about} ({language}): `{}`", query.trim())
    })
}
